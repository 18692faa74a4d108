#include "config.h"
#include "core/cli/options.h"
#include "core/cli/places.h"
#include "core/cli/report.h"
#include "core/cli/verbs.h"
#include "core/util/log.h"

static const struct sr_option options[] = {
    SR_OPTION_STORE("apply retention to this store only"),
    {.name = "dry-run", .help = "say what would go and why, and delete nothing"},
    {.name = "at",
     .kind = SR_OPTION_VALUE,
     .type = SR_VALUE_TIME,
     .arg = "DATE",
     .help = "judge as of this UTC date or time; implies --dry-run"},
    {.name = "trust-clock",
     .setting = "BACKUP_RETENTION_TRUST_CLOCK",
     .stands = "on",
     .help = "delete also where the clock seems to be ahead"},
    {.name = NULL},
};

static int run(struct sr_cli *cli, struct sr_error *err)
{
    const char *date = sr_args_str(cli->args, "at");
    int dry_run = date || sr_args_flag(cli->args, "dry-run");
    struct sr_prune_result result = {0};
    struct sr_places places = {0};
    int64_t at = 0;
    if (date) {
        (void)sr_time_parse(date, &at); /* the parser has checked it */
        /* 0 means now to the engine, which would delete. */
        if (at <= 0)
            return sr_fail(err, SR_E_USAGE, "option --at takes a date after 1970-01-01, not %s",
                           date);
        sr_log(SR_LOG_INFO, "judging as of %s; nothing is deleted", date);
    }
    int rc = sr_places_open(cli->ctx, sr_args_str(cli->args, "store"), dry_run, &places, err);
    if (rc == SR_OK) {
        rc = sr_prune_run(cli->ctx, &places.stores, NULL, NULL, at, dry_run, &result, err);
        if (rc == SR_OK || result.len > 0)
            sr_report_prune(cli->out, &result, dry_run, date ? at : sr_clock_now(cli->ctx->clock));
        sr_prune_result_done(&result);
    }
    sr_places_close(&places);
    return rc;
}

const struct sr_verb sr_verb_prune = {
    .name = "prune",
    .summary = "retention, each decision with its reason",
    .synopsis = "[--store STORE] [--dry-run] [--at DATE] [--trust-clock]",
    .about =
        "Deletes the backups that retention no longer keeps, in each store by itself, and prints "
        "for every backup why it stays or goes: BACKUP_RETENTION_* for all stores, "
        "BACKUP_<STORE>_RETENTION_* for one. Only what a manifest of strongroom names is ever "
        "deleted, never the last good backup of a source, never the newest one with the highest "
        "proof, never one on hold, and nothing at all when a store could not be listed whole or "
        "the newest backup is damaged.\n"
        "\n"
        "To a clock that jumped ahead everything looks old. Where it is more than a day ahead of a "
        "store's own, nothing is deleted there (exit code 4); where a source has nothing for "
        "longer than BACKUP_RETENTION_DAYS and far longer than usual, what is from before that gap "
        "stays until what came since is that old. --trust-clock overrules both.\n"
        "\n"
        "The same happens to a source's backups after each successful backup of it.",
    .examples = "strongroom prune --dry-run\nstrongroom prune --at 2027-01-01 --store dr",
    .options = options,
    .needs = SR_NEEDS_CONFIG | SR_NEEDS_CONTEXT | SR_NEEDS_AUDIT,
    .acts = 1,
    .run = run,
};
