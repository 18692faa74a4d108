#include "config.h"
#include "core/cli/options.h"
#include "core/cli/places.h"
#include "core/cli/report.h"
#include "core/cli/verbs.h"

#include <stdlib.h>
#include <string.h>

static const struct sr_option options[] = {
    {.name = "all", .help = "every backup in every store"},
    SR_OPTION_STORE("verify what this store holds only"),
    SR_OPTION_NARROW_DATABASE,
    SR_OPTION_NARROW_LABEL,
    {.name = NULL},
};

struct verifying {
    struct sr_cli *cli;
    struct sr_verified *done;
    size_t len;
    size_t bad;
    struct sr_error first; /* the first damage */
};

/* Verifies one set in one store. Damage is noted and is no reason to stop; anything else that goes
 * wrong (a store that cannot be read, a signal) is returned. */
static int verify_one(struct verifying *v, struct sr_store_rw *store,
                      const struct sr_catalog_set *set, struct sr_error *err)
{
    struct sr_error e = SR_ERROR_INIT;
    struct sr_verified *grown = realloc(v->done, (v->len + 1) * sizeof *grown);
    if (!grown)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory while verifying");
    v->done = grown;
    struct sr_verified *now = &v->done[v->len++];
    memset(now, 0, sizeof *now);
    now->store = sr_store_name(sr_store_ro(store));
    memcpy(now->source, set->source, sizeof now->source);
    memcpy(now->result.set, set->set, sizeof now->result.set);
    int rc = sr_verify_set(v->cli->ctx, store, set, &now->result, &e);
    if (rc != SR_E_CORRUPT)
        return rc == SR_OK ? SR_OK : sr_error_copy(err, &e);
    now->result.rung = SR_VERIFY_FAILED;
    if (v->bad++ == 0)
        v->first = e;
    return SR_OK;
}

/* Every set of the store, or the one called want. */
static int verify_store(struct verifying *v, struct sr_store_rw *store,
                        const struct sr_catalog_set *want, struct sr_error *err)
{
    struct sr_catalog *c = NULL;
    int rc = sr_catalog_read(sr_store_ro(store), &c, err);
    for (size_t i = 0; rc == SR_OK && i < c->len; i++) {
        const struct sr_catalog_set *s = &c->sets[i];
        int same =
            !want || (strcmp(s->set, want->set) == 0 && strcmp(s->source, want->source) == 0);
        if (s->has_manifest && same)
            rc = sr_context_check(v->cli->ctx, err);
        if (rc == SR_OK && s->has_manifest && same)
            rc = verify_one(v, store, s, err);
    }
    sr_catalog_free(c);
    return rc;
}

static int verify_backup(struct verifying *v, const struct sr_stores *stores, struct sr_error *err)
{
    const struct sr_args *a = v->cli->args;
    const char *backup = a->operands.items[0];
    struct sr_store_rw *first = NULL;
    struct sr_catalog_set set;
    char object[SR_KEY_MAX];
    int rc = sr_backup_locate(v->cli->ctx, stores, backup, sr_args_str(a, "database"),
                              sr_args_str(a, "label"), &first, &set, object, err);
    if (rc != SR_OK)
        return rc;
    /* A backup is as good as each of its copies, so all are read, unless one store was named. No
     * other part of BACKUP can hold a colon. */
    if (strchr(backup, ':'))
        return verify_store(v, first, &set, err);
    for (size_t i = 0; rc == SR_OK && i < stores->len; i++)
        rc = verify_store(v, stores->items[i], &set, err);
    return rc;
}

static int run(struct sr_cli *cli, struct sr_error *err)
{
    int all = sr_args_flag(cli->args, "all") > 0;
    struct sr_places places = {0};
    struct verifying v = {.cli = cli, .first = SR_ERROR_INIT};
    if (all == (cli->args->operands.len > 0))
        return sr_fail(err, SR_E_USAGE,
                       all ? "verify takes BACKUP or --all, not both"
                           : "verify needs BACKUP, or --all; see `strongroom help verify`");
    int rc = sr_places_open_reachable(cli->ctx, sr_args_str(cli->args, "store"), &places, err);
    if (rc == SR_OK && !all)
        rc = verify_backup(&v, &places.stores, err);
    for (size_t i = 0; all && rc == SR_OK && i < places.stores.len; i++)
        rc = verify_store(&v, places.stores.items[i], NULL, err);
    if (v.bad > 0)
        rc = v.bad == 1
                 ? sr_error_copy(err, &v.first)
                 : sr_fail(err, SR_E_CORRUPT, "%zu of %zu backups are damaged; the first: %s",
                           v.bad, v.len, v.first.text);
    /* STORE:BACKUP asked for one copy alone. */
    else if (rc == SR_OK && places.stores.closed_len > 0 &&
             (all || !strchr(cli->args->operands.items[0], ':')))
        rc = sr_fail(err, SR_E_PARTIAL, "verified in %zu of %zu stores: %s", places.stores.len,
                     places.stores.len + places.stores.closed_len,
                     places.stores.closed[0].error.text);
    if (v.len > 0 || rc == SR_OK)
        sr_report_verified(cli->out, v.done, v.len);
    for (size_t i = 0; i < v.len; i++)
        sr_verify_result_done(&v.done[i].result);
    free(v.done);
    sr_places_close(&places);
    return rc;
}

const struct sr_verb sr_verb_verify = {
    .name = "verify",
    .summary = "re-read what is stored: digests, and with the key the dump's structure",
    .synopsis = "BACKUP | --all [--store STORE] [--database DB] [--label PREFIX]",
    .about =
        "Reads every stored byte again and compares size and digest with the manifest. Where "
        "the key is here (or nothing is encrypted) the dump is also decrypted, decompressed, "
        "its plaintext digest compared and its structure read to the end.\n"
        "\n"
        "Each object reaches a rung: \"re-read\" (the stored bytes agree) or \"opened\" (so does "
        "what is inside). A missing key is no failure. Every store that holds the backup is "
        "read, unless --store or STORE: names one. Exit code 13 tells damage, 3 that a store "
        "could not be opened and all that the others hold is sound.\n"
        "\n" SR_ABOUT_BACKUP,
    .examples = "strongroom verify latest\nstrongroom verify --all --store dr",
    .options = options,
    .operand = "BACKUP",
    .operands_max = 1,
    .needs = SR_NEEDS_CONFIG | SR_NEEDS_CONTEXT | SR_NEEDS_AUDIT,
    .looks_up = 1,
    .acts = 1,
    .run = run,
};
