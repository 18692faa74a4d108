#include "config.h"
#include "core/engine/prover.h"
#include "core/store/stores.h"
#include "core/util/cleanup.h"
#include "core/util/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GATHERED 2000    /* names looked at when trimming: the rest is for another time */
#define SECONDS_TRIED 30 /* so many hosts may prove one rung of one set in one second */

/* A store that was opened to be written to, or could not be. */
struct hand {
    char *name;
    struct sr_store_rw *store; /* NULL: why */
    char *why;
};

struct sr_prover {
    struct sr_context *ctx;
    struct hand *hands;
    size_t len;
    char host[256];
};

static void wake(void *store)
{
    sr_store_cancel(store);
}

int sr_prover_new(struct sr_context *ctx, struct sr_prover **ret, struct sr_error *err)
{
    struct sr_prover *p = calloc(1, sizeof *p);
    if (!p)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    p->ctx = ctx;
    if (gethostname(p->host, sizeof p->host - 1) != 0)
        p->host[0] = '\0';
    *ret = p;
    return SR_OK;
}

void sr_prover_free(struct sr_prover *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->len; i++) {
        if (p->hands[i].store)
            sr_context_off_cancel(p->ctx, wake, p->hands[i].store);
        sr_store_close(p->hands[i].store);
        free(p->hands[i].name);
        free(p->hands[i].why);
    }
    free(p->hands);
    free(p);
}

/* From now on nothing is tried with this store; what was said first is what is told. */
static int hand_give_up(struct hand *h, const char *why)
{
    if (h->why)
        return SR_OK;
    sr_log(SR_LOG_WARN, "store %s: what is proven is not recorded here: %s", h->name, why);
    h->why = strdup(why);
    return h->why ? SR_OK : SR_E_NO_MEMORY;
}

static int hand_of(struct sr_prover *p, const char *store, struct hand **ret, struct sr_error *err)
{
    struct sr_error e = SR_ERROR_INIT;
    for (size_t i = 0; i < p->len; i++)
        if (strcmp(p->hands[i].name, store) == 0) {
            *ret = &p->hands[i];
            return SR_OK;
        }
    struct hand *grown = reallocarray(p->hands, p->len + 1, sizeof *grown);
    if (!grown)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    p->hands = grown;
    struct hand *h = &p->hands[p->len];
    *h = (struct hand){.name = strdup(store)};
    if (!h->name)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    p->len++;
    if (sr_stores_reopen(p->ctx->cfg, store, &h->store, &e) == SR_OK)
        sr_context_on_cancel(p->ctx, wake, h->store);
    else if (hand_give_up(h, e.text) != SR_OK)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    *ret = h;
    return SR_OK;
}

static int proof_fill(const struct sr_prover *p, const char *store,
                      const struct sr_catalog_set *set, const char *manifest,
                      struct sr_proof *proof, struct sr_error *err)
{
    memcpy(proof->set, set->set, sizeof proof->set);
    memcpy(proof->source, set->source, sizeof proof->source);
    (void)snprintf(proof->manifest, sizeof proof->manifest, "%s", manifest);
    proof->name.time = sr_clock_now(p->ctx->clock);
    if (sr_set_string(&proof->store, store) != SR_OK ||
        sr_set_string(&proof->host, *p->host ? p->host : NULL) != SR_OK ||
        sr_set_string(&proof->strongroom_version, PACKAGE_VERSION) != SR_OK)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    return SR_OK;
}

/* Saves it under the first second from now on that is free. */
static int proof_save(struct sr_store_rw *store, struct sr_proof *proof, char key[SR_KEY_MAX],
                      struct sr_error *err)
{
    int rc = SR_E_EXISTS;
    for (int i = 0; rc == SR_E_EXISTS && i < SECONDS_TRIED; i++, proof->name.time++) {
        char suffix[SR_PROOF_SUFFIX_MAX];
        struct sr_buf text;
        sr_error_clear(err);
        sr_buf_init(&text, SR_PROOF_MAX);
        rc = sr_proof_suffix(&proof->name, suffix) == SR_OK
                 ? sr_proof_write(proof, &text, err)
                 : sr_fail(err, SR_E_INTERNAL, "a proof of no rung");
        if (rc == SR_OK)
            rc = sr_beside_key(proof->set, proof->source, suffix, key, SR_KEY_MAX, err);
        if (rc == SR_OK)
            rc = sr_store_save_small(store, key, text.data, text.len, err);
        sr_buf_done(&text);
    }
    return rc;
}

/* A set that retention deleted while it was looked at leaves no proof behind. */
static int still_there(struct sr_store_rw *store, const struct sr_proof *proof, const char *key,
                       struct sr_error *err)
{
    char manifest[SR_KEY_MAX];
    int rc =
        sr_beside_key(proof->set, proof->source, "manifest.json", manifest, sizeof manifest, err);
    if (rc == SR_OK)
        rc = sr_store_stat(sr_store_ro(store), manifest, NULL, NULL, err);
    if (rc != SR_E_NOT_FOUND)
        return SR_OK; /* there, or nobody knows: the proof does no harm */
    (void)sr_store_delete(store, key, NULL, NULL, NULL);
    return sr_fail(err, SR_E_NOT_FOUND, "the backup was deleted meanwhile");
}

struct misdated {
    const struct sr_proof *failure;
    struct sr_strlist keys;
};

static int misdated_emit(void *ctx, const struct sr_store_entry *e)
{
    struct misdated *m = ctx;
    struct sr_key_parts parts;
    struct sr_proof_name n;
    sr_key_parse(e->key, &parts);
    if (parts.kind != SR_KEY_PROOF || strcmp(parts.set, m->failure->set) != 0 ||
        strcmp(parts.source, m->failure->source) != 0 ||
        sr_proof_name_read(parts.suffix, &n) != SR_OK || n.failed ||
        n.rung < m->failure->name.rung || n.time <= m->failure->name.time)
        return 0;
    return sr_strlist_add(&m->keys, e->key) != SR_OK;
}

/* A pass that lies there already and bears a later time than a failure found now was written by a
 * clock that ran ahead. It goes, before its day comes and it speaks against the failure. */
static void misdated_remove(struct sr_store_rw *store, const struct sr_proof *failure)
{
    struct misdated m = {.failure = failure};
    char prefix[SR_SET_MAX + SR_SOURCE_MAX + 16];
    (void)snprintf(prefix, sizeof prefix, "%s.%s.proof-", failure->set, failure->source);
    (void)sr_store_list(sr_store_ro(store), prefix, NULL, misdated_emit, &m, NULL);
    for (size_t i = 0; i < m.keys.len; i++) {
        struct sr_error e = SR_ERROR_INIT;
        if (sr_store_delete(store, m.keys.items[i], NULL, NULL, &e) == SR_OK)
            sr_log(SR_LOG_INFO, "removed %s, which is dated later than the failure found now",
                   m.keys.items[i]);
        else
            sr_log(SR_LOG_WARN, "%s is dated later than the failure found now and stays: %s",
                   m.keys.items[i], e.text);
    }
    sr_strlist_done(&m.keys);
}

int sr_prover_record(struct sr_prover *p, const char *store, const struct sr_catalog_set *set,
                     const char *manifest, struct sr_proof *proof, char **ret_why,
                     struct sr_error *err)
{
    struct sr_error e = SR_ERROR_INIT;
    struct hand *h = NULL;
    char key[SR_KEY_MAX] = "";
    const char *why = NULL;
    int rc = proof_fill(p, store, set, manifest, proof, err);
    if (rc == SR_OK && !sr_config_bool(p->ctx->cfg, "BACKUP_PROOFS"))
        why = "BACKUP_PROOFS is off";
    if (rc == SR_OK && !why)
        rc = hand_of(p, store, &h, err);
    if (rc == SR_OK && h && !h->why) {
        int saved = proof_save(h->store, proof, key, &e);
        if (saved == SR_OK)
            saved = still_there(h->store, proof, key, &e);
        if (saved == SR_OK && proof->name.failed)
            misdated_remove(h->store, proof);
        if (saved != SR_OK)
            rc = sr_context_check(p->ctx, err);
        if (rc == SR_OK && saved != SR_OK)
            why = e.text;
        /* Where writing is not allowed it will not be for the next set either. */
        if (rc == SR_OK && saved == SR_E_DENIED && hand_give_up(h, e.text) != SR_OK)
            rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
        else if (rc == SR_OK && saved != SR_OK && saved != SR_E_DENIED)
            sr_log(SR_LOG_WARN, "store %s: what is proven of %s is not recorded: %s", store,
                   set->set, e.text);
    } else if (rc == SR_OK && h) {
        why = h->why;
    }
    *ret_why = rc == SR_OK && why ? strdup(why) : NULL;
    if (rc == SR_OK && why && !*ret_why)
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    return rc;
}

/* --- what has been said again since --- */

struct gathering {
    const struct sr_catalog_set *set;
    struct sr_strlist suffixes;
    int rc;
};

static int gather(void *ctx, const struct sr_store_entry *e)
{
    struct gathering *g = ctx;
    struct sr_key_parts parts;
    sr_key_parse(e->key, &parts);
    if (parts.kind == SR_KEY_PROOF && strcmp(parts.set, g->set->set) == 0 &&
        strcmp(parts.source, g->set->source) == 0)
        g->rc = sr_strlist_add(&g->suffixes, parts.suffix);
    return g->rc != SR_OK || g->suffixes.len == GATHERED;
}

/* How many of the same rung and outcome are later; of those of one second the names differ. */
static size_t later_ones(const struct sr_strlist *all, const struct sr_proof_name *n)
{
    size_t later = 0;
    struct sr_proof_name m;
    for (size_t i = 0; i < all->len; i++)
        if (sr_proof_name_read(all->items[i], &m) == SR_OK && m.rung == n->rung &&
            m.failed == n->failed && m.time > n->time)
            later++;
    return later;
}

int sr_prover_trim(struct sr_prover *p, const char *store, const struct sr_catalog_set *set,
                   struct sr_error *err)
{
    struct gathering g = {.set = set};
    struct sr_proof_name n;
    struct hand *h = NULL;
    char prefix[SR_SET_MAX + SR_SOURCE_MAX + 16], key[SR_KEY_MAX];
    int rc = sr_config_bool(p->ctx->cfg, "BACKUP_PROOFS") ? hand_of(p, store, &h, err) : SR_OK;
    if (rc != SR_OK || !h || h->why)
        return rc;
    (void)snprintf(prefix, sizeof prefix, "%s.%s.proof-", set->set, set->source);
    if (sr_store_list(sr_store_ro(h->store), prefix, NULL, gather, &g, NULL) == SR_OK)
        for (size_t i = 0; i < g.suffixes.len; i++) {
            if (sr_proof_name_read(g.suffixes.items[i], &n) != SR_OK ||
                later_ones(&g.suffixes, &n) < SR_PROOFS_KEPT)
                continue;
            if (sr_beside_key(set->set, set->source, g.suffixes.items[i], key, sizeof key, NULL) !=
                    SR_OK ||
                sr_store_delete(h->store, key, NULL, NULL, NULL) != SR_OK)
                break;
        }
    sr_strlist_done(&g.suffixes);
    return g.rc == SR_OK ? sr_context_check(p->ctx, err)
                         : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
}
