#include "config.h"
#include "core/cli/options.h"
#include "core/cli/places.h"
#include "core/cli/report.h"
#include "core/cli/verbs.h"

static const struct sr_option options[] = {
    SR_OPTION_STORE("list this store only (several: comma-separated)"),
    {.name = "label",
     .kind = SR_OPTION_VALUE,
     .arg = "PREFIX",
     .help = "only backups whose label begins like this"},
    {.name = NULL},
};

static int run(struct sr_cli *cli, struct sr_error *err)
{
    struct sr_places places = {0};
    struct sr_listing *l = NULL;
    int rc = sr_places_open_reachable(cli->ctx, sr_args_str(cli->args, "store"), &places, err);
    if (rc == SR_OK)
        rc = sr_listing_read(cli->ctx, &places.stores, sr_args_str(cli->args, "label"), &l, err);
    /* Also when only some stores could be listed: what is known is shown, and the failure told. */
    if (l)
        sr_report_list(cli->out, l, sr_clock_now(cli->ctx->clock));
    sr_listing_free(l);
    sr_places_close(&places);
    return rc;
}

const struct sr_verb sr_verb_list = {
    .name = "list",
    .summary = "every backup, its proofs, age, size, and until when it is kept and why",
    .synopsis = "[--store STORE] [--label PREFIX]",
    .about =
        "Shows what the stores hold, newest first, from the stores alone: nothing but the store "
        "(and for its contents the key) is needed, so this works on an empty host. Backups "
        "whose manifest is missing are none and are not shown.\n"
        "\n"
        "Exit code 3 means that some stores could be listed and another not.",
    .examples = "strongroom list\nstrongroom list --store dr --label pre-migration --json",
    .options = options,
    .needs = SR_NEEDS_CONFIG | SR_NEEDS_CONTEXT,
    .run = run,
};
