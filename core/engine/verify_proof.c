/* What a verification proves and where it is written; and which backup to look at next. */
#include "config.h"
#include "core/engine/verify.h"
#include "core/engine/audit.h"
#include "core/engine/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum sr_rung sr_verify_failed(const struct sr_verify_result *v)
{
    enum sr_rung fell = SR_RUNG_NONE;
    for (size_t i = 0; i < v->len; i++)
        if (v->objects[i].fell != SR_RUNG_NONE &&
            (fell == SR_RUNG_NONE || v->objects[i].fell < fell))
            fell = v->objects[i].fell;
    return fell;
}

/* The stored bytes of all objects agree where nothing fell below that, also when something failed
 * to open. */
enum sr_rung sr_verify_passed(const struct sr_verify_result *v)
{
    if (v->len == 0 || sr_verify_failed(v) == SR_RUNG_REREAD)
        return SR_RUNG_NONE;
    return v->rung == SR_VERIFY_OPENED ? SR_RUNG_OPENED : SR_RUNG_REREAD;
}

static const struct sr_verify_object *first_fallen(const struct sr_verify_result *v)
{
    for (size_t i = 0; i < v->len; i++)
        if (v->objects[i].fell == sr_verify_failed(v))
            return &v->objects[i];
    return NULL;
}

static int describe(const struct sr_verify_result *v, enum sr_rung rung, int failed,
                    struct sr_proof *p)
{
    const struct sr_verify_object *bad = failed ? first_fallen(v) : NULL;
    int rc = sr_strlist_addf(&p->checked, "stored bytes of %zu object%s: digests and sizes", v->len,
                             v->len == 1 ? "" : "s");
    if (rc == SR_OK && rung == SR_RUNG_OPENED)
        rc = sr_strlist_add(&p->checked, "decrypted and decompressed: digests and sizes; structure "
                                         "parsed to its end");
    for (size_t i = 0; rc == SR_OK && i < v->len; i++)
        rc = sr_strlist_add(&p->checked, v->objects[i].key);
    /* What a parser says of an encrypted dump may quote it. */
    if (rc == SR_OK && bad)
        rc = sr_set_string(&p->error, v->encrypted && rung > SR_RUNG_REREAD
                                          ? "what is inside is no whole dump"
                                          : bad->note);
    return rc;
}

static int record_one(struct sr_prover *prover, const char *store, const struct sr_catalog_set *set,
                      struct sr_verify_result *v, enum sr_rung rung, int failed,
                      struct sr_error *err)
{
    char *why = NULL;
    struct sr_proof p = {
        .name = {rung, failed, 0}, .bytes = v->bytes, .seconds = (uint64_t)(v->seconds + 0.5)};
    int rc = describe(v, rung, failed, &p);
    rc = rc == SR_OK ? sr_prover_record(prover, store, set, v->manifest, &p, &why, err)
                     : sr_fail(err, rc, "out of memory");
    sr_proof_done(&p);
    if (rc != SR_OK)
        return rc;
    if (why) {
        free(v->not_recorded);
        v->not_recorded = why;
    } else if (failed) {
        v->failed = rung;
    } else {
        v->passed = rung;
    }
    return SR_OK;
}

int sr_verify_record(struct sr_context *ctx, struct sr_prover *prover, const char *store,
                     const struct sr_catalog_set *set, struct sr_verify_result *v,
                     struct sr_error *err)
{
    enum sr_rung passed = sr_verify_passed(v), failed = sr_verify_failed(v);
    int rc = SR_OK;
    sr_audit_event(ctx->audit, "db_backup_verified", "trigger", ctx->trigger, "outcome",
                   v->rung == SR_VERIFY_FAILED ? "failure" : "success", "set", set->set, "store",
                   store, "rung", passed == SR_RUNG_NONE ? NULL : sr_rung_name(passed), NULL);
    if (!*v->manifest) /* nothing to bind a proof to */
        return SR_OK;
    if (passed != SR_RUNG_NONE)
        rc = record_one(prover, store, set, v, passed, 0, err);
    if (rc == SR_OK && failed != SR_RUNG_NONE)
        rc = record_one(prover, store, set, v, failed, 1, err);
    return rc;
}

int sr_verify_need(const void *a, const void *b)
{
    const struct sr_verify_pick *x = a, *y = b;
    int new_x = x->standing.checked_at < 0, new_y = y->standing.checked_at < 0;
    if (new_x != new_y)
        return new_x ? -1 : 1;
    if (new_x && x->time != y->time)
        return x->time > y->time ? -1 : 1;
    if (x->standing.checked_at != y->standing.checked_at)
        return x->standing.checked_at < y->standing.checked_at ? -1 : 1;
    if (x->standing.rung != y->standing.rung)
        return x->standing.rung < y->standing.rung ? -1 : 1;
    int c = strcmp(x->set, y->set);
    if (c == 0)
        c = strcmp(x->source, y->source);
    return c ? c : x->store < y->store ? -1 : x->store > y->store;
}

static int picks_of(struct sr_verify_picks *p, size_t *cap, size_t store,
                    const struct sr_catalog *c, int64_t now, struct sr_error *err)
{
    for (size_t i = 0; i < c->len; i++) {
        const struct sr_catalog_set *s = &c->sets[i];
        if (!s->has_manifest)
            continue;
        if (p->len == *cap) {
            size_t more = *cap ? *cap * 2 : 64;
            struct sr_verify_pick *grown = reallocarray(p->items, more, sizeof *grown);
            if (!grown)
                return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
            p->items = grown;
            *cap = more;
        }
        struct sr_verify_pick *pick = &p->items[p->len++];
        *pick = (struct sr_verify_pick){.store = store, .time = s->time, .proofs = s->proofs.len};
        memcpy(pick->set, s->set, sizeof pick->set);
        memcpy(pick->source, s->source, sizeof pick->source);
        sr_standing_of(&s->proofs, now, &pick->standing);
    }
    return SR_OK;
}

int sr_verify_picks(struct sr_context *ctx, const struct sr_stores *stores,
                    struct sr_verify_picks *ret, struct sr_error *err)
{
    size_t cap = 0;
    int rc = SR_OK;
    *ret = (struct sr_verify_picks){0};
    for (size_t i = 0; rc == SR_OK && i < stores->len; i++) {
        struct sr_catalog *c = NULL;
        rc = sr_context_check(ctx, err);
        if (rc == SR_OK)
            rc = sr_catalog_read(sr_store_ro(stores->items[i]), &c, err);
        if (rc == SR_OK)
            sr_trust_notice(ctx, sr_store_ro(stores->items[i]), c);
        if (rc == SR_OK)
            rc = picks_of(ret, &cap, i, c, sr_clock_now(ctx->clock), err);
        sr_catalog_free(c);
    }
    if (ret->len > 1)
        qsort(ret->items, ret->len, sizeof *ret->items, sr_verify_need);
    return rc;
}

void sr_verify_picks_done(struct sr_verify_picks *p)
{
    free(p->items);
    *p = (struct sr_verify_picks){0};
}
