#include "config.h"
#include "core/cli/options.h"
#include "core/cli/output.h"
#include "core/cli/places.h"
#include "core/cli/verbs.h"
#include "core/engine/listing.h"
#include "core/engine/retention.h"

static const struct sr_option options[] = {
    SR_OPTION_STORE("in this store only (default: in every store that has it)"),
    SR_OPTION_NARROW_DATABASE,
    SR_OPTION_NARROW_LABEL,
    {.name = NULL},
};

static int hold(struct sr_cli *cli, int held, struct sr_error *err)
{
    const struct sr_args *a = cli->args;
    const char *backup = a->operands.items[0];
    const char *database = sr_args_str(a, "database"), *label = sr_args_str(a, "label");
    struct sr_places places = {0};
    struct sr_catalog_set found;
    char object[SR_KEY_MAX], set[SR_SET_MAX] = "";
    size_t stores = 0;
    int rc = sr_places_open(cli->ctx, sr_args_str(a, "store"), 0, &places, err);
    if (rc == SR_OK && (database || label)) {
        /* Narrowing is for the search; the set's own name is then unmistakable. */
        struct sr_store_rw *store = NULL;
        rc = sr_backup_locate(cli->ctx, &places.stores, backup, database, label, &store, &found,
                              object, err);
        backup = found.set;
    }
    if (rc == SR_OK)
        rc = sr_hold_set(cli->ctx, &places.stores, backup, held, set, &stores, err);
    if (rc == SR_OK && cli->out->json)
        sr_output_document(cli->out, json_pack("{s:o, s:b, s:I}", "set", sr_json_text_or_null(set),
                                               "hold", held, "stores", (json_int_t)stores));
    if (rc == SR_OK)
        sr_output_line(cli->out, "%s is %s in %zu store%s", set,
                       held ? "kept until it is released" : "no longer on hold", stores,
                       stores == 1 ? "" : "s");
    sr_places_close(&places);
    return rc;
}

static int run_hold(struct sr_cli *cli, struct sr_error *err)
{
    return hold(cli, 1, err);
}

static int run_release(struct sr_cli *cli, struct sr_error *err)
{
    return hold(cli, 0, err);
}

const struct sr_verb sr_verb_hold = {
    .name = "hold",
    .summary = "keep a backup for ever",
    .synopsis = "BACKUP [--store STORE] [--database DB] [--label PREFIX]",
    .about =
        "Puts a backup on hold, so that retention never deletes it, in every store that has it. "
        "`strongroom release` ends the hold.\n"
        "\n"
        "While retention is deleting that very backup, hold waits for the outcome: exit code 10 "
        "when the backup is gone, 11 when a prune that may have overlooked the hold does not end.\n"
        "\n" SR_ABOUT_BACKUP,
    .examples = "strongroom hold pre-migration",
    .options = options,
    .operand = "BACKUP",
    .operands_min = 1,
    .operands_max = 1,
    .needs = SR_NEEDS_CONFIG | SR_NEEDS_CONTEXT | SR_NEEDS_AUDIT,
    .looks_up = 1,
    .acts = 1,
    .run = run_hold,
};

const struct sr_verb sr_verb_release = {
    .name = "release",
    .summary = "end the hold of a backup",
    .synopsis = "BACKUP [--store STORE] [--database DB] [--label PREFIX]",
    .about = "Ends the hold of a backup: retention judges it again like any other.\n"
             "\n" SR_ABOUT_BACKUP,
    .examples = "strongroom release pre-migration",
    .options = options,
    .operand = "BACKUP",
    .operands_min = 1,
    .operands_max = 1,
    .needs = SR_NEEDS_CONFIG | SR_NEEDS_CONTEXT | SR_NEEDS_AUDIT,
    .looks_up = 1,
    .acts = 1,
    .run = run_release,
};
