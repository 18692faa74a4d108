#include "config.h"
#include "core/cli/options.h"
#include "core/cli/report.h"
#include "core/cli/verbs.h"

static const struct sr_option options[] = {
    {.name = "jobs",
     .kind = SR_OPTION_VALUE,
     .type = SR_VALUE_NUMBER,
     .arg = "N",
     .help = "restore a custom dump with so many connections (default: one a core, at most 4)"},
    {.name = "accept",
     .kind = SR_OPTION_VALUE,
     .arg = "KIND,...",
     .setting = "BACKUP_RESTORE_TEST_ACCEPT",
     .help = "findings of these kinds are told, but fail nothing: index, foreign-key, constraint, "
             "sequence (default: BACKUP_RESTORE_TEST_ACCEPT)"},
    {.name = "no-record",
     .setting = "BACKUP_PROOFS",
     .stands = "off",
     .help = "write nothing beside the backup"},
    {.name = "force",
     .help = "together with ENV=production: test on a production server, where "
             "BACKUP_RESTORE_TEST_URL names no other"},
    SR_OPTION_STORE("look for BACKUP in this store only"),
    {.name = "database",
     .kind = SR_OPTION_VALUE,
     .arg = "DB",
     .help = "only backups of this database count; of a set with several databases, test this one"},
    SR_OPTION_NARROW_LABEL,
    {.name = NULL},
};

static int run(struct sr_cli *cli, struct sr_error *err)
{
    const struct sr_args *a = cli->args;
    struct sr_restore_test_result result = {0};
    struct sr_restore_test_options o = {
        .backup = a->operands.len > 0 ? a->operands.items[0] : "latest",
        .store = sr_args_str(a, "store"),
        .database = sr_args_str(a, "database"),
        .label = sr_args_str(a, "label"),
        .jobs = (unsigned)sr_args_number(a, "jobs", 0),
        .force = sr_args_flag(a, "force"),
    };
    int rc = sr_restore_test_run(cli->ctx, &o, &result, err);
    /* What was found is shown also, and above all, when it is bad. */
    if (rc == SR_OK || result.outcome != SR_TEST_NOT_RUN)
        sr_report_restore_test(cli->out, &result);
    sr_restore_test_result_done(&result);
    return rc;
}

const struct sr_verb sr_verb_restore_test = {
    .name = "restore-test",
    .summary = "restore a backup into a scratch database, compare it, drop it",
    .synopsis = "[BACKUP] [--jobs N] [--accept KIND,...] [--no-record]\n"
                "[--force] [--store STORE] [--database DB] [--label PREFIX]",
    .about =
        "Restores BACKUP (default: latest) into a database of its own, on the server that "
        "BACKUP_RESTORE_TEST_URL names, else on that of the settings, and looks whether it is what "
        "was dumped: rows of every table against those counted when it was dumped, indexes valid, "
        "foreign keys and checks that were declared NOT VALID, sequences past their columns. An "
        "encrypted backup needs the key here.\n"
        "\n"
        "The database has a name that cannot collide, or TEST_DB_NAME, which must not exist. Roles "
        "that the backup needs and the server lacks are made for the test, without rights. All of "
        "it is removed again, whatever happens; after a kill -9 the next test, or `strongroom "
        "sweep`, does it. Nothing that a test did not make is ever dropped.\n"
        "\n"
        "What the server lacks (an extension, a tablespace) is no failure of the backup: \"cannot "
        "be "
        "tested here\", exit code 15. A backup that is not what it should be ends with 13. What "
        "was "
        "found is recorded beside the backup as a proof, \"restored\" or \"compared\".\n"
        "\n" SR_ABOUT_BACKUP,
    .examples = "strongroom restore-test\n"
                "strongroom restore-test dr:latest --database app --json\n"
                "strongroom restore-test pre-migration --accept sequence",
    .options = options,
    .operand = "BACKUP",
    .operands_max = 1,
    .needs = SR_NEEDS_CONFIG | SR_NEEDS_CONTEXT | SR_NEEDS_AUDIT,
    .looks_up = 1,
    .acts = 1,
    .run = run,
};
