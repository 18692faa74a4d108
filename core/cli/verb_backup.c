#include "config.h"
#include "core/cli/options.h"
#include "core/cli/report.h"
#include "core/cli/verbs.h"

static const struct sr_option options[] = {
    {.name = "label",
     .kind = SR_OPTION_VALUE,
     .arg = "L",
     .not_with = "scheduled",
     .help = "what the set is called; the UTC time is appended (default: the database's name)"},
    {.name = "scheduled",
     .help =
         "a run of cron or a timer: label scheduled-YYYYMMDDHHMMSS, trigger scheduled, no digest "
         "in the names"},
    {.name = "database",
     .kind = SR_OPTION_LIST,
     .arg = "DB",
     .not_with = "all-databases",
     .help = "dump this database; may be repeated (default: BACKUP_DATABASES, else the one of the "
             "connection)"},
    {.name = "all-databases", .help = "dump every database that allows connections"},
    {.name = "format",
     .kind = SR_OPTION_VALUE,
     .type = SR_VALUE_CHOICE,
     .choices = "plain|custom|plain,custom",
     .arg = "FORMAT",
     .setting = "BACKUP_FORMAT",
     .help = "SQL text, pg_dump's custom archive, or both of one snapshot"},
    {.name = "to",
     .kind = SR_OPTION_VALUE,
     .arg = "STORE,...",
     .help = "these stores only (default: all of BACKUP_STORAGE_ADAPTER)"},
    {.name = "exclude-table",
     .kind = SR_OPTION_LIST,
     .arg = "T",
     .help = "leave this table (a pg_dump pattern) out; may be repeated"},
    {.name = "exclude-table-data",
     .kind = SR_OPTION_LIST,
     .arg = "T",
     .help = "keep only the definition of this table; may be repeated"},
    {.name = "schema",
     .kind = SR_OPTION_LIST,
     .arg = "S",
     .help = "dump this schema only; may be repeated"},
    {.name = "stream",
     .not_with = "spool",
     .help = "send while dumping, also to stores that need the name first: no digest in the names, "
             "nothing spooled"},
    {.name = "spool",
     .help = "spool the encrypted dump for stores that need the name first, so that the digest can "
             "be in it (the default)"},
    {.name = "dry-run", .help = "check everything, say what would be done, and do nothing"},
    {.name = NULL},
};

static int options_fill(const struct sr_args *a, struct sr_backup_options *o, struct sr_error *err)
{
    int rc = sr_args_list(a, "database", &o->databases);
    if (rc == SR_OK)
        rc = sr_args_list(a, "exclude-table", &o->exclude_tables);
    if (rc == SR_OK)
        rc = sr_args_list(a, "exclude-table-data", &o->exclude_table_data);
    if (rc == SR_OK)
        rc = sr_args_list(a, "schema", &o->schemas);
    if (rc == SR_OK)
        rc = sr_strlist_copy(&o->pg_dump_options, &a->tail);
    return rc == SR_OK ? SR_OK : sr_fail(err, rc, "out of memory while reading the command line");
}

static void options_done(struct sr_backup_options *o)
{
    sr_strlist_done(&o->databases);
    sr_strlist_done(&o->exclude_tables);
    sr_strlist_done(&o->exclude_table_data);
    sr_strlist_done(&o->schemas);
    sr_strlist_done(&o->pg_dump_options);
}

/* What may not be read, and the statements that would allow it: to be pasted, so one a line. */
static void preflight_tell(struct sr_output *out, const struct sr_backup_result *r)
{
    for (size_t i = 0; i < r->problems.len; i++)
        sr_output_detail(out, r->problems.items[i]);
    for (size_t i = 0; i < r->grants.len; i++)
        sr_output_detail(out, r->grants.items[i]);
}

static int run(struct sr_cli *cli, struct sr_error *err)
{
    const struct sr_args *a = cli->args;
    struct sr_backup_result result = {0};
    struct sr_backup_options o = {
        .label = sr_args_str(a, "label"),
        .scheduled = sr_args_flag(a, "scheduled"),
        .all_databases = sr_args_flag(a, "all-databases"),
        .format = sr_args_str(a, "format"),
        .to = sr_args_str(a, "to"),
        .stream = sr_args_flag(a, "stream"),
        .spool = sr_args_flag(a, "spool"),
        .dry_run = sr_args_flag(a, "dry-run"),
    };
    if (o.scheduled)
        cli->ctx->trigger = "scheduled";
    int rc = options_fill(a, &o, err);
    if (rc == SR_OK) {
        rc = sr_backup_run(cli->ctx, &o, &result, err);
        if (o.dry_run && rc == SR_OK)
            sr_report_plan(cli->out, &result);
        else
            sr_report_backup(cli->out, &result, rc);
        preflight_tell(cli->out, &result);
        sr_backup_result_done(&result);
    }
    options_done(&o);
    return rc;
}

const struct sr_verb sr_verb_backup = {
    .name = "backup",
    .summary = "dump, compress, hash, encrypt, store; then retention",
    .synopsis = "[--label L | --scheduled] [--database DB]... [--all-databases]\n"
                "[--format plain|custom|plain,custom] [--to STORE,...]\n"
                "[--exclude-table T]... [--exclude-table-data T]... [--schema S]...\n"
                "[--stream | --spool] [--dry-run] [-- PG_DUMP_OPTION...]",
    .about =
        "Makes a backup set: the dump of each database, globals (roles, tablespaces), and a "
        "manifest, which is written last to every store that holds all of it. Without a manifest "
        "nothing counts as a backup, and what a failed run has stored is taken out again.\n"
        "\n"
        "What is dumped, how and where to is told by the settings (`strongroom config`); flags go "
        "before them. What follows -- is handed to pg_dump as it is. After a success, retention "
        "removes the sets of the same source that BACKUP_RETENTION_* no longer keep.\n"
        "\n"
        "Several stores take the bytes of one dump, each at its own pace; what a slow one is yet "
        "to "
        "get waits in the spool. A store that failed is tried once more, from one that has the "
        "set. Exit code 3 means that at least BACKUP_MIN_STORES stores hold the set while another "
        "failed.",
    .examples = "strongroom backup --label pre-migration\n"
                "strongroom backup --scheduled --quiet\n"
                "strongroom backup --format plain,custom --to local -- --no-comments",
    .options = options,
    .tail = "pg_dump options",
    .needs = SR_NEEDS_CONFIG | SR_NEEDS_CONTEXT | SR_NEEDS_AUDIT,
    .acts = 1,
    .run = run,
};
