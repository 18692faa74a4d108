#include "config.h"
#include "core/cli/options.h"
#include "core/cli/output.h"
#include "core/cli/verbs.h"
#include "core/engine/fetch.h"

static const struct sr_option options[] = {
    {.name = "database",
     .kind = SR_OPTION_VALUE,
     .arg = "DB",
     .help = "whose dumps they are (default: the database of the settings)"},
    SR_OPTION_STORE("the store that takes them (default: the first one)"),
    {.name = NULL},
};

static json_t *adopted_json(const struct sr_adopted *a, size_t len)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < len; i++)
        sr_json_append(&list, json_pack("{s:o, s:o}", "file", sr_json_text_or_null(a[i].file),
                                        "set", sr_json_text_or_null(a[i].set)));
    return json_pack("{s:o}", "adopted", list);
}

static int run(struct sr_cli *cli, struct sr_error *err)
{
    struct sr_adopt_options o = {
        .files = &cli->args->operands,
        .source = sr_args_str(cli->args, "database"),
        .store = sr_args_str(cli->args, "store"),
    };
    struct sr_adopted *adopted = NULL;
    size_t len = 0;
    int rc = sr_adopt_run(cli->ctx, &o, &adopted, &len, err);
    if (cli->out->json && (rc == SR_OK || len > 0))
        sr_output_document(cli->out, adopted_json(adopted, len));
    for (size_t i = 0; i < len; i++)
        sr_output_line(cli->out, "%s is now backup %s", adopted[i].file, adopted[i].set);
    sr_adopted_free(adopted, len);
    return rc;
}

const struct sr_verb sr_verb_adopt = {
    .name = "adopt",
    .summary = "give dumps made by other scripts a manifest",
    .synopsis = "FILE... [--database DB] [--store STORE]",
    .about =
        "Makes backups of dumps that lie about, such as the *.sql.gz of older scripts: each is "
        "read to its end, checked and given a manifest, so that it is listed, verified, "
        "restored and, in the end, dropped like any other. Files in a local store's folder stay "
        "where they are; others are copied into the store.",
    .examples = "strongroom adopt backups/app-2026-11-01.sql.gz\n"
                "strongroom adopt --database app old/*.sql.gz",
    .options = options,
    .operand = "FILE",
    .operands_min = 1,
    .operands_max = -1,
    .needs = SR_NEEDS_CONFIG | SR_NEEDS_CONTEXT | SR_NEEDS_AUDIT,
    .acts = 1,
    .run = run,
};
