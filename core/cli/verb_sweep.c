#include "config.h"
#include "core/cli/options.h"
#include "core/cli/places.h"
#include "core/cli/report.h"
#include "core/cli/verbs.h"

static const struct sr_option options[] = {
    SR_OPTION_STORE("sweep this store only"),
    {.name = "older-than",
     .kind = SR_OPTION_VALUE,
     .type = SR_VALUE_DURATION,
     .arg = "T",
     .setting = "BACKUP_SWEEP_AGE",
     .help = "leave alone what is younger (default: BACKUP_SWEEP_AGE)"},
    {.name = "dry-run", .help = "say what would be swept, and delete nothing"},
    {.name = NULL},
};

static int run(struct sr_cli *cli, struct sr_error *err)
{
    int dry_run = sr_args_flag(cli->args, "dry-run");
    struct sr_sweep_result result = {0};
    struct sr_places places = {0};
    /* Also for a dry run: a store opened to be read only is asked for no sweep. */
    int rc = sr_places_open(cli->ctx, sr_args_str(cli->args, "store"), 0, &places, err);
    if (rc == SR_OK) {
        uint64_t age = (uint64_t)sr_config_int(cli->cfg, "BACKUP_SWEEP_AGE");
        rc = sr_sweep_run(cli->ctx, &places.stores, age, dry_run, &result, err);
        if (rc == SR_OK || result.len > 0)
            sr_report_sweep(cli->out, &result, dry_run);
        sr_sweep_result_done(&result);
    }
    sr_places_close(&places);
    return rc;
}

const struct sr_verb sr_verb_sweep = {
    .name = "sweep",
    .summary = "remove unfinished uploads, objects without a manifest, and spools",
    .synopsis = "[--store STORE] [--older-than T] [--dry-run]",
    .about =
        "Removes what runs that died have left behind: unfinished uploads, objects that no "
        "manifest names, spool files. What the journal of a dead run of this host names goes at "
        "once. Everything else must be old enough, and provably strongroom's own: named by the "
        "claim of a run without a manifest (SET.claim) or by the mark of a prune that was cut off "
        "(SET.SOURCE.pruning). What is on hold, and dumps of other programs, whatever their names, "
        "stay.\n"
        "\n"
        "Each backup sweeps the leftovers of dead runs too.",
    .examples = "strongroom sweep --dry-run\nstrongroom sweep --older-than 7d --store dr",
    .options = options,
    .needs = SR_NEEDS_CONFIG | SR_NEEDS_CONTEXT | SR_NEEDS_AUDIT,
    .acts = 1,
    .run = run,
};
