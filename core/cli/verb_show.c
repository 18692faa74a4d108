#include "config.h"
#include "core/cli/options.h"
#include "core/cli/places.h"
#include "core/cli/report.h"
#include "core/cli/verbs.h"
#include "core/engine/trust.h"
#include "core/engine/unseal.h"
#include "core/util/cleanup.h"

#include <stdlib.h>
#include <string.h>

static const struct sr_option options[] = {
    SR_OPTION_STORE("look in this store only"),
    SR_OPTION_NARROW_DATABASE,
    SR_OPTION_NARROW_LABEL,
    {.name = NULL},
};

/* The set as the catalogue has it, with its hold and its proofs. */
static const struct sr_catalog_set *set_in(const struct sr_catalog *c,
                                           const struct sr_catalog_set *want)
{
    for (size_t i = 0; i < c->len; i++)
        if (strcmp(c->sets[i].set, want->set) == 0 && strcmp(c->sets[i].source, want->source) == 0)
            return &c->sets[i];
    return want;
}

static int run(struct sr_cli *cli, struct sr_error *err)
{
    const struct sr_args *a = cli->args;
    struct sr_places places = {0};
    struct sr_store_rw *store = NULL;
    struct sr_catalog_set found;
    struct sr_catalog *c = NULL;
    struct sr_manifest *m = NULL;
    struct sr_proofs proofs = {0};
    _cleanup_free_ char *closed = NULL;
    char object[SR_KEY_MAX];
    struct sr_trust trust = {.state = SR_TRUST_UNCHECKED};
    struct sr_buf text;
    sr_buf_init(&text, SR_MANIFEST_MAX);
    int rc = sr_places_open_reachable(cli->ctx, sr_args_str(a, "store"), &places, err);
    if (rc == SR_OK)
        rc = sr_backup_locate(cli->ctx, &places.stores, a->operands.items[0],
                              sr_args_str(a, "database"), sr_args_str(a, "label"), &store, &found,
                              object, err);
    if (rc == SR_OK)
        rc = sr_catalog_manifest_text(sr_store_ro(store), &found, &text, &m, err);
    /* A bad signature is shown, not refused: somebody wants to see what is there. */
    if (rc == SR_OK)
        rc = sr_trust_look(cli->ctx, sr_store_ro(store), &found, sr_buf_str(&text), text.len, m,
                           &trust, err);
    if (rc == SR_OK)
        rc = sr_catalog_read(sr_store_ro(store), &c, err);
    if (rc == SR_OK)
        rc = sr_unseal_detail(cli->ctx, store, m, &closed, err);
    if (rc == SR_OK)
        rc = sr_proofs_read(cli->ctx, sr_store_ro(store), set_in(c, &found), m, &proofs, err);
    if (rc == SR_OK)
        sr_report_manifest(cli->out, sr_store_name(sr_store_ro(store)), set_in(c, &found), m,
                           &proofs, &trust, closed);
    sr_buf_done(&text);
    sr_proofs_done(&proofs);
    sr_catalog_free(c);
    sr_manifest_free(m);
    sr_places_close(&places);
    return rc;
}

const struct sr_verb sr_verb_show = {
    .name = "show",
    .summary = "one backup, the whole manifest made readable",
    .synopsis = "BACKUP [--store STORE] [--database DB] [--label PREFIX]",
    .about =
        "Shows what one backup holds: its objects with sizes and digests, who can decrypt it, "
        "the tools that made it and, where it is not encrypted or the key is here, host, "
        "databases, tables and rows; and every proof that lies beside it: what was checked, when, "
        "where, and how it came out. A proof that is damaged or of another backup is told as "
        "such and counts for nothing. Nobody is asked for a passphrase: a key that is locked "
        "counts as not here.\n"
        "\n" SR_ABOUT_BACKUP,
    .examples = "strongroom show latest\nstrongroom show dr:pre-migration --json",
    .options = options,
    .operand = "BACKUP",
    .operands_min = 1,
    .operands_max = 1,
    .needs = SR_NEEDS_CONFIG | SR_NEEDS_CONTEXT,
    .looks_up = 1,
    .run = run,
};
