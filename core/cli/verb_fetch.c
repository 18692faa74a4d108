#include "config.h"
#include "core/cli/options.h"
#include "core/cli/output.h"
#include "core/cli/verbs.h"
#include "core/engine/fetch.h"

#include <string.h>
#include <unistd.h>

static const struct sr_option options[] = {
    {.name = "output",
     .kind = SR_OPTION_VALUE,
     .arg = "DIR",
     .help = "put the files there; - writes one object to standard output (default: the working "
             "folder)"},
    {.name = "decrypt", .help = "undo the encryption (the compression stays)"},
    SR_OPTION_STORE("look in this store only"),
    SR_OPTION_NARROW_DATABASE,
    SR_OPTION_NARROW_LABEL,
    {.name = NULL},
};

static int run(struct sr_cli *cli, struct sr_error *err)
{
    const struct sr_args *a = cli->args;
    struct sr_strlist files = {0};
    struct sr_fetch_options o = {
        .backup = a->operands.items[0],
        .store = sr_args_str(a, "store"),
        .database = sr_args_str(a, "database"),
        .label = sr_args_str(a, "label"),
        .output = sr_args_str(a, "output"),
        .decrypt = sr_args_flag(a, "decrypt"),
        .out_fd = STDOUT_FILENO,
    };
    int stream = o.output && strcmp(o.output, "-") == 0;
    if (stream && cli->out->json)
        return sr_fail(err, SR_E_USAGE,
                       "--output - writes the object itself to standard output, so "
                       "--json has no place there");
    if (stream && isatty(STDOUT_FILENO))
        return sr_fail(
            err, SR_E_USAGE,
            "standard output is a terminal and a backup is not for reading; send it to a "
            "file or a program, or give --output DIR");
    int rc = sr_fetch_run(cli->ctx, &o, &files, err);
    if (rc == SR_OK && cli->out->json)
        sr_output_document(cli->out, json_pack("{s:o}", "files", sr_json_strings(&files)));
    for (size_t i = 0; rc == SR_OK && !stream && i < files.len; i++)
        sr_output_line(cli->out, "%s", files.items[i]);
    sr_strlist_done(&files);
    return rc;
}

const struct sr_verb sr_verb_fetch = {
    .name = "fetch",
    .summary = "bring a stored backup here as files",
    .synopsis = "BACKUP [--output DIR | -] [--decrypt] [--store STORE]\n"
                "[--database DB] [--label PREFIX]",
    .about =
        "Copies the objects of a backup, or one object named by its key, out of the store. Files "
        "appear whole, checked against their digests, and never in another file's place.\n"
        "\n" SR_ABOUT_BACKUP,
    .examples = "strongroom fetch latest --output /tmp/rescue\n"
                "strongroom fetch latest --decrypt --output - | gunzip | less",
    .options = options,
    .operand = "BACKUP",
    .operands_min = 1,
    .operands_max = 1,
    .needs = SR_NEEDS_CONFIG | SR_NEEDS_CONTEXT | SR_NEEDS_AUDIT,
    .looks_up = 1,
    .acts = 1,
    .run = run,
};
