#include "config.h"
#include "core/cli/ask.h"
#include "core/cli/options.h"
#include "core/cli/report.h"
#include "core/cli/verbs.h"

static const struct sr_option options[] = {
    {.name = "into",
     .kind = SR_OPTION_VALUE,
     .arg = "DB",
     .help = "restore into this database, or into the one that this URL names (default: the one of "
             "the settings)"},
    {.name = "create", .help = "create the database first; it must not exist"},
    {.name = "clean", .help = "drop what the dump brings before it is created anew"},
    {.name = "if-exists", .needs = "clean", .help = "drop only what is there (with --clean)"},
    {.name = "no-owner", .help = "everything belongs to the restoring role"},
    {.name = "no-acl", .help = "leave grants and revokes out"},
    {.name = "role",
     .kind = SR_OPTION_VALUE,
     .arg = "R",
     .help = "SET ROLE to this before restoring"},
    {.name = "jobs",
     .kind = SR_OPTION_VALUE,
     .type = SR_VALUE_NUMBER,
     .arg = "N",
     .help = "restore a custom dump with so many connections (default: one a core, at most 4)"},
    {.name = "yes", .help = "do not ask before a database that holds tables is overwritten"},
    {.name = "force", .help = "together with ENV=production: restore into production"},
    SR_OPTION_STORE("look for BACKUP in this store only"),
    {.name = "database",
     .kind = SR_OPTION_VALUE,
     .arg = "DB",
     .help =
         "only backups of this database count; of a set with several databases, restore this one"},
    SR_OPTION_NARROW_LABEL,
    {.name = "not-before",
     .kind = SR_OPTION_VALUE,
     .arg = "TIME",
     .setting = "BACKUP_SIGN_NOT_BEFORE",
     .help = "refuse a `latest` that is older (2026-11-20, 2026-11-20T13:05:01Z)"},
    {.name = NULL},
};

static int run(struct sr_cli *cli, struct sr_error *err)
{
    const struct sr_args *a = cli->args;
    struct sr_restore_result result = {0};
    struct sr_restore_options o = {
        .backup = a->operands.items[0],
        .store = sr_args_str(a, "store"),
        .database = sr_args_str(a, "database"),
        .label = sr_args_str(a, "label"),
        .into = sr_args_str(a, "into"),
        .role = sr_args_str(a, "role"),
        .create = sr_args_flag(a, "create"),
        .clean = sr_args_flag(a, "clean"),
        .if_exists = sr_args_flag(a, "if-exists"),
        .no_owner = sr_args_flag(a, "no-owner"),
        .no_acl = sr_args_flag(a, "no-acl"),
        .jobs = (unsigned)sr_args_number(a, "jobs", 0),
        .yes = sr_args_flag(a, "yes"),
        .force = sr_args_flag(a, "force"),
        .confirm = sr_ask_possible() ? sr_ask : NULL,
        .confirm_ctx = cli->ctx,
    };
    int rc = sr_restore_run(cli->ctx, &o, &result, err);
    if (rc == SR_OK)
        sr_report_restore(cli->out, &result);
    sr_restore_result_done(&result);
    return rc;
}

const struct sr_verb sr_verb_restore = {
    .name = "restore",
    .summary = "bring a backup, or a dump in a file, back into a database",
    .synopsis = "BACKUP | FILE [--into DB] [--create] [--clean] [--if-exists]\n"
                "[--no-owner] [--no-acl] [--role R] [--jobs N] [--yes] [--force]\n"
                "[--store STORE] [--database DB] [--label PREFIX]\n[--not-before TIME]",
    .about =
        "Restores a stored backup or a file: plain or custom, gzip, zstd or not compressed, "
        "encrypted or not, told by content. What is stored is checked against its digests before "
        "the target is touched; damage, a cut-off file and a wrong key are found before that.\n"
        "\n"
        "A database that holds tables is overwritten only after a question on the terminal, or "
        "with "
        "--yes. Where ENV=production, or the target matches BACKUP_PRODUCTION_TARGETS, both "
        "ENV=production and --force are needed.\n"
        "\n"
        "Where a key to check signatures with is set (BACKUP_SIGN_*), a backup whose signature is "
        "bad is refused (exit code 13), and one without any with BACKUP_REQUIRE_SIGNATURE, which "
        "refuses files too. `latest` "
        "is refused (4) also when this host has seen a newer signed backup there that is gone, or "
        "when it is older than --not-before; naming the backup takes it all the same.\n"
        "\n"
        "FILE is a path that exists. Where both could be meant the path wins, and a line says "
        "so. " SR_ABOUT_BACKUP,
    .examples = "strongroom restore latest --into scratch --create\n"
                "strongroom restore pre-migration --clean --if-exists --yes\n"
                "strongroom restore ./backups/old.sql.gz --into scratch --create --no-owner",
    .options = options,
    .operand = "BACKUP or FILE",
    .operands_min = 1,
    .operands_max = 1,
    .needs = SR_NEEDS_CONFIG | SR_NEEDS_CONTEXT | SR_NEEDS_AUDIT,
    .looks_up = 1,
    .acts = 1,
    .run = run,
};
