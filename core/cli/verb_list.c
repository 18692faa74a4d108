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
    if (l) {
        int trusted = sr_listing_trust(cli->ctx, &places.stores, l, rc == SR_OK ? err : NULL);
        rc = rc == SR_OK ? trusted : rc;
        sr_report_list(cli->out, l, &cli->ctx->missed, sr_clock_now(cli->ctx->clock));
    }
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
        "Where a key to check signatures with is set (BACKUP_SIGN_*), SIGNED tells of each backup "
        "yes, no, BAD (warned about, with the reason), or ? for not checked. That costs two small "
        "reads a copy, so only the BACKUP_SIGN_LIST newest are checked; of the others the names "
        "tell which have no signature at all. A source whose newest signed backup was seen here "
        "before and is gone is warned about.\n"
        "\n"
        "Exit code 3 means that some stores could be listed and another not.",
    .examples = "strongroom list\nstrongroom list --store dr --label pre-migration --json",
    .options = options,
    .needs = SR_NEEDS_CONFIG | SR_NEEDS_CONTEXT,
    .run = run,
};
