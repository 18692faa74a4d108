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
    int rc = sr_places_open(cli->ctx, sr_args_str(cli->args, "store"), dry_run, &places, err);
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
    .about = "Removes what runs that died have left behind: unfinished uploads, objects that no "
             "manifest names, spool files. Only names that are strongroom's own are touched, only "
             "when no run of that source is alive, and only what is old enough or what the journal "
             "of a dead run names.\n"
             "\n"
             "Each backup sweeps the leftovers of dead runs too.",
    .examples = "strongroom sweep --dry-run\nstrongroom sweep --older-than 7d --store dr",
    .options = options,
    .needs = SR_NEEDS_CONFIG | SR_NEEDS_CONTEXT | SR_NEEDS_AUDIT,
    .acts = 1,
    .run = run,
};
