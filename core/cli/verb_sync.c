#include "config.h"
#include "core/cli/options.h"
#include "core/cli/report.h"
#include "core/cli/verbs.h"
#include "core/config/config.h"

static const struct sr_option options[] = {
    {.name = "delete",
     .setting = "BACKUP_SYNC_DELETE",
     .stands = "on",
     .help = "delete from TO what FROM no longer holds, as far as TO's own retention lets it go"},
    {.name = "reread",
     .help = "read every object of TO again, instead of believing what TO tells of it"},
    {.name = "dry-run", .help = "say for each backup what would be done and why, and do nothing"},
    {.name = "jobs",
     .kind = SR_OPTION_VALUE,
     .type = SR_VALUE_NUMBER,
     .arg = "N",
     .setting = "BACKUP_SYNC_JOBS",
     .help = "so many backups at a time, each with connections of its own"},
    {.name = NULL},
};

static int run(struct sr_cli *cli, struct sr_error *err)
{
    const struct sr_sync_options o = {
        .from = cli->args->operands.items[0],
        .to = cli->args->operands.items[1],
        .delete_gone = sr_config_bool(cli->cfg, "BACKUP_SYNC_DELETE"),
        .reread = sr_args_flag(cli->args, "reread") > 0,
        .dry_run = sr_args_flag(cli->args, "dry-run") > 0,
        .jobs = (unsigned)sr_config_int(cli->cfg, "BACKUP_SYNC_JOBS"),
    };
    struct sr_sync_result r = {0};
    int rc = sr_sync_run(cli->ctx, &o, &r, err);
    if (rc == SR_OK || r.len > 0)
        sr_report_sync(cli->out, &o, &r);
    sr_sync_result_done(&r);
    return rc;
}

const struct sr_verb sr_verb_sync = {
    .name = "sync",
    .summary = "bring one store in step with another",
    .synopsis = "FROM TO [--delete] [--reread] [--dry-run] [--jobs N]",
    .about =
        "Copies every backup that the store FROM holds and the store TO lacks, and what is damaged "
        "or missing of those that both hold. FROM and TO are names of BACKUP_STORAGE_ADAPTER. "
        "Bytes go from store to store as they are stored, are compared with the manifest's digests "
        "on the way, and are neither decrypted nor kept here. Holds and proofs come along. The "
        "newest backup comes first, and of each the manifest last: a sync that is cut off leaves "
        "no half backup, and the next one goes on with it.\n"
        "\n"
        "Nothing is touched unless both stores could be listed whole. Not copied is what TO's "
        "retention would drop at once, what is not encrypted where "
        "BACKUP_<STORE>_REQUIRE_ENCRYPTION demands it, what is damaged in FROM (exit code 13; all "
        "else is copied), and what would take another backup's name in TO. Exit code 3 tells that "
        "a backup could not be copied, or was refused, and others are in step.\n"
        "\n"
        "With --delete, backups that FROM no longer holds are deleted from TO where TO's retention "
        "drops them: never the newest or the most proven of a source, never those of a source "
        "whose newest backup is not in both stores, and none at all when FROM is empty or more "
        "than BACKUP_SYNC_MAX_DELETE percent would go (exit code 4, before anything is done).",
    .examples = "strongroom sync local dr --dry-run\nstrongroom sync local dr\nstrongroom sync s3 "
                "archive --delete --jobs 4",
    .options = options,
    .operand = "STORE",
    .operands_min = 2,
    .operands_max = 2,
    .needs = SR_NEEDS_CONFIG | SR_NEEDS_CONTEXT | SR_NEEDS_AUDIT,
    .acts = 1,
    .run = run,
};
