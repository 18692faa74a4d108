/* What lies beside the objects of a set that is synced: the claim, which comes first, and sums,
 * detail, hold, proofs, which come after the objects and before the manifest. */
#include "config.h"
#include "core/catalog/mark.h"
#include "core/catalog/sums.h"
#include "core/engine/sync_private.h"

#include <stdio.h>
#include <string.h>

int sr_sync_moved(struct sr_sync_moving *v, const char *key, uint64_t size, int beside,
                  const char *why, struct sr_error *err)
{
    v->it->objects++;
    v->it->bytes += size;
    v->repaired += !beside;
    v->added += beside != 0;
    if (!v->first_why || (!beside && v->repaired == 1)) {
        (void)snprintf(v->first, sizeof v->first, "%s", key);
        v->first_why = why;
    }
    if (!v->l->s->o->dry_run && !v->committed && sr_strlist_add(&v->made.saved, key) != SR_OK)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    return SR_OK;
}

/* One small object, as it is. SR_OK also when one was put there meanwhile. Sums and the like are
 * locked where TO locks; what comes and goes (holds, proofs) is not. */
static int copy_small(struct sr_sync_moving *v, const char *key, const struct sr_buf *text,
                      int replace, const char *why, struct sr_error *err)
{
    struct sr_key_parts parts;
    sr_key_parse(key, &parts);
    int64_t until =
        parts.kind == SR_KEY_SUMS || parts.kind == SR_KEY_DETAIL || parts.kind == SR_KEY_SIGNATURE
            ? v->l->s->lock_until
            : 0;
    struct sr_error e = SR_ERROR_INIT;
    int rc = SR_OK;
    if (!v->l->s->o->dry_run && replace)
        rc = sr_store_delete(v->l->to, key, NULL, NULL, &e);
    if (rc == SR_OK && !v->l->s->o->dry_run)
        rc = sr_store_save_locked(v->l->to, key, sr_buf_str(text), text->len, until, &e);
    if (rc == SR_E_EXISTS)
        return SR_OK;
    return rc == SR_OK ? sr_sync_moved(v, key, text->len, 1, why, err) : sr_error_copy(err, &e);
}

static int fetch_small(struct sr_sync_moving *v, struct sr_store_rw *store, const char *key,
                       struct sr_buf *text, struct sr_error *err)
{
    int rc = sr_context_check(v->l->s->ctx, err);
    return rc == SR_OK ? sr_store_fetch_small(sr_store_ro(store), key, text, err) : rc;
}

/* --- the claim --- */

/* Who has the name in a store: the run of the claim there, "" where there is none. A file of that
 * name that strongroom did not write says nothing, and stays where it is. */
static int claim_read(struct sr_sync_moving *v, struct sr_store_rw *store, const char *key,
                      struct sr_buf *text, char run[SR_RUN_ID_SIZE], struct sr_error *err)
{
    struct sr_mark m = {.kind = SR_KEY_OTHER};
    struct sr_error e = SR_ERROR_INIT;
    int rc = fetch_small(v, store, key, text, &e);
    if (rc == SR_OK)
        rc = sr_mark_read(sr_buf_str(text), text->len, v->set->set, &m, &e);
    if (rc == SR_OK && m.kind == SR_KEY_CLAIM)
        memcpy(run, m.run, SR_RUN_ID_SIZE);
    sr_mark_done(&m);
    return rc == SR_OK || rc == SR_E_CORRUPT || rc == SR_E_UNSUPPORTED || rc == SR_E_NOT_FOUND
               ? SR_OK
               : sr_error_copy(err, &e);
}

static int name_taken(const struct sr_sync_moving *v, struct sr_error *err)
{
    return sr_fail(err, SR_E_EXISTS,
                   "the name %s is another backup's in store %s; nothing there is touched",
                   v->set->set, v->l->s->to.name);
}

/* Without claims to tell whose the name is: no other source's manifest in TO may name a key of
 * this set. */
static int names_apart(struct sr_sync_moving *v, struct sr_error *err)
{
    const struct sr_catalog *c = v->l->s->to.catalog;
    for (size_t i = 0; i < c->len; i++) {
        struct sr_manifest *m = NULL;
        if (!c->sets[i].has_manifest || strcmp(c->sets[i].set, v->set->set) != 0 ||
            strcmp(c->sets[i].source, v->set->source) == 0)
            continue;
        int rc = sr_catalog_manifest(sr_store_ro(v->l->to), &c->sets[i], &m, err);
        for (size_t a = 0; rc == SR_OK && a < m->objects_len; a++)
            for (size_t b = 0; rc == SR_OK && b < v->m->objects_len; b++)
                if (strcmp(m->objects[a].key, v->m->objects[b].key) == 0)
                    rc = name_taken(v, err);
        sr_manifest_free(m);
        if (rc != SR_OK)
            return rc;
    }
    return SR_OK;
}

/* Puts FROM's claim into TO. *ret_there: one is there already. */
static int claim_move(struct sr_sync_moving *v, const char *key, const struct sr_buf *text,
                      int *ret_there, struct sr_error *err)
{
    struct sr_error e = SR_ERROR_INIT;
    int rc = SR_OK;
    if (!v->l->s->o->dry_run)
        rc = sr_store_save_small(v->l->to, key, text->data, text->len, &e);
    *ret_there = rc == SR_E_EXISTS;
    if (rc == SR_OK)
        return sr_sync_moved(v, key, text->len, 1, "missing", err);
    return rc == SR_E_EXISTS ? SR_OK : sr_error_copy(err, &e);
}

int sr_sync_claim(struct sr_sync_moving *v, struct sr_error *err)
{
    const struct sr_sync *s = v->l->s;
    struct sr_buf ours, theirs;
    char key[SR_KEY_MAX], from[SR_RUN_ID_SIZE] = "", to[SR_RUN_ID_SIZE] = "";
    sr_buf_init(&ours, SR_MARK_MAX);
    sr_buf_init(&theirs, SR_MARK_MAX);
    int rc = sr_claim_key(v->set->set, key, sizeof key, err);
    int there = rc == SR_OK && sr_sync_find(&s->to.index, key, NULL);
    if (rc == SR_OK && sr_sync_find(&s->from.index, key, NULL))
        rc = claim_read(v, v->l->from, key, &ours, from, err);
    if (rc == SR_OK && *from && !there)
        rc = claim_move(v, key, &ours, &there, err);
    if (rc == SR_OK && there)
        rc = claim_read(v, v->l->to, key, &theirs, to, err);
    /* Of a set that TO holds already the manifests told that it is the same. */
    if (rc == SR_OK && !v->committed && there && strcmp(from, to) != 0)
        rc = name_taken(v, err);
    if (rc == SR_OK && !v->committed && !*from)
        rc = names_apart(v, err);
    sr_buf_done(&ours);
    sr_buf_done(&theirs);
    return rc;
}

/* --- after the objects --- */

struct besides {
    struct sr_sync_moving *v;
    char sums[SR_KEY_MAX];
    int rc;
    struct sr_error *err;
};

/* The sums of FROM, which must agree with the manifest in every object; empty where there are none
 * (an adopted set). */
static int sums_read(struct sr_sync_moving *v, const char *key, struct sr_buf *sums,
                     struct sr_error *err)
{
    if (!sr_sync_find(&v->l->s->from.index, key, NULL))
        return SR_OK;
    int rc = fetch_small(v, v->l->from, key, sums, err);
    for (size_t i = 0; rc == SR_OK && i < v->m->objects_len; i++) {
        char hex[65];
        sr_sums_find(sr_buf_str(sums), sums->len, v->m->objects[i].key, hex);
        if (strcmp(hex, v->m->objects[i].sha256) != 0) {
            v->source_bad = 1;
            rc = sr_fail(err, SR_E_CORRUPT, "store %s: %s does not agree with the manifest on %s",
                         v->l->s->from.name, key, v->m->objects[i].key);
        }
    }
    return rc;
}

/* The sums in TO: what is there must be the same bytes. */
static int sums_move(struct sr_sync_moving *v, const char *key, const struct sr_buf *sums,
                     struct sr_error *err)
{
    struct sr_sync_entry from, to;
    struct sr_buf there;
    if (!sr_sync_find(&v->l->s->from.index, key, &from))
        return SR_OK;
    if (!sr_sync_find(&v->l->s->to.index, key, &to))
        return copy_small(v, key, sums, 0, "missing", err);
    int same = sr_sync_same(&from, &to);
    if (same == 1)
        return SR_OK;
    sr_buf_init(&there, SR_SUMS_MAX);
    struct sr_error e = SR_ERROR_INIT;
    int rc = fetch_small(v, v->l->to, key, &there, &e);
    int differs = rc == SR_E_CORRUPT || rc == SR_E_NOT_FOUND ||
                  (rc == SR_OK && (there.len != sums->len ||
                                   memcmp(sr_buf_str(&there), sr_buf_str(sums), sums->len) != 0));
    sr_buf_done(&there);
    if (rc != SR_OK && !differs)
        return sr_error_copy(err, &e);
    return differs ? copy_small(v, key, sums, rc != SR_E_NOT_FOUND, "damaged", err) : SR_OK;
}

/* Detail is the one thing beside a set that can be large and that only the sums vouch for. */
static int detail_move(struct sr_sync_moving *v, const struct sr_sync_entry *from, const char *sha,
                       struct sr_error *err)
{
    struct sr_sync_lane *l = v->l;
    struct sr_sync_entry to;
    int there = sr_sync_find(&l->s->to.index, from->key, &to), whole = 0, bad = 0;
    int rc = SR_OK;
    int same = there ? sr_sync_same(from, &to) : 0;
    const int again = l->s->o->reread || v->suspect != SR_RUNG_NONE;
    if (there && !again && (same == 1 || (same == -1 && v->committed)))
        return SR_OK;
    if (there)
        rc = sr_sync_reread(l, l->to, from->key, sha, &whole, err);
    if (rc == SR_E_NOT_FOUND) {
        there = 0;
        rc = SR_OK;
        sr_error_clear(err);
    }
    if (rc != SR_OK || whole)
        return rc;
    const struct sr_sync_object o = {
        .key = from->key, .size = from->size, .sha256 = sha, .replace = there};
    if (!l->s->o->dry_run)
        rc = sr_sync_copy(l, &o, &bad, err);
    v->source_bad |= bad;
    return rc == SR_OK
               ? sr_sync_moved(v, from->key, from->size, 1, there ? "damaged" : "missing", err)
               : rc;
}

/* The signature in TO: where the one of FROM was checked, what is there must be the same bytes, or
 * TO's copy would be refused. It is copied as it is; nothing is ever signed here. */
static int signature_move(struct sr_sync_moving *v, struct sr_error *err)
{
    struct sr_error e = SR_ERROR_INIT;
    struct sr_buf ours, theirs;
    char key[SR_KEY_MAX];
    if (v->trust.state != SR_TRUST_SIGNED)
        return SR_OK; /* what is missing comes with the rest */
    int rc = sr_beside_key(v->set->set, v->set->source, SR_SIGNATURE_SUFFIX, key, sizeof key, err);
    if (rc != SR_OK || !sr_sync_find(&v->l->s->to.index, key, NULL))
        return rc;
    sr_buf_init(&ours, SR_SIGNATURE_MAX);
    sr_buf_init(&theirs, SR_SIGNATURE_MAX);
    rc = fetch_small(v, v->l->from, key, &ours, &e);
    int there = rc == SR_OK ? fetch_small(v, v->l->to, key, &theirs, &e) : rc;
    int differs =
        there == SR_E_CORRUPT || there == SR_E_NOT_FOUND ||
        (there == SR_OK &&
         (ours.len != theirs.len || memcmp(sr_buf_str(&ours), sr_buf_str(&theirs), ours.len) != 0));
    if (rc == SR_OK && there != SR_OK && !differs)
        rc = there;
    if (rc == SR_OK && differs) {
        sr_error_clear(&e);
        rc = copy_small(v, key, &ours, there != SR_E_NOT_FOUND, "damaged", &e);
    }
    sr_buf_done(&ours);
    sr_buf_done(&theirs);
    return rc == SR_OK ? SR_OK : sr_error_copy(err, &e);
}

/* Everything that is beside the set in FROM and not in TO. What is in both and differs (another
 * host's words in a hold) is TO's own. */
static int rest_move(void *ctx, const struct sr_sync_entry *e, enum sr_key_kind kind)
{
    struct besides *b = ctx;
    struct sr_sync_moving *v = b->v;
    struct sr_buf text;
    if (kind == SR_KEY_OBJECT || kind == SR_KEY_CLAIM || kind == SR_KEY_SUMS ||
        (v->m->detail_key && strcmp(e->key, v->m->detail_key) == 0) ||
        sr_sync_stays(e->key, kind, v->suspect) || sr_sync_find(&v->l->s->to.index, e->key, NULL))
        return 0;
    struct sr_error why = SR_ERROR_INIT;
    sr_buf_init(&text, SR_DETAIL_MAX);
    int rc = fetch_small(v, v->l->from, e->key, &text, &why);
    if (rc == SR_OK)
        rc = copy_small(v, e->key, &text, 0, "missing", &why);
    else if (rc == SR_E_NOT_FOUND)
        rc = SR_OK; /* released, or pruned, since it was listed */
    sr_buf_done(&text);
    if (rc != SR_OK)
        b->rc = sr_error_copy(b->err, &why);
    return rc != SR_OK;
}

int sr_sync_beside(struct sr_sync_moving *v, struct sr_error *err)
{
    struct besides b = {.v = v, .rc = SR_OK, .err = err};
    struct sr_sync_entry detail;
    struct sr_buf sums;
    char sha[65];
    sr_buf_init(&sums, SR_SUMS_MAX);
    int rc = sr_beside_key(v->set->set, v->set->source, "sha256", b.sums, sizeof b.sums, err);
    if (rc == SR_OK)
        rc = sums_read(v, b.sums, &sums, err);
    if (rc == SR_OK && v->m->detail_key) {
        sr_sums_find(sr_buf_str(&sums), sums.len, v->m->detail_key, sha);
        if (!sr_sync_find(&v->l->s->from.index, v->m->detail_key, &detail) || !*sha) {
            v->source_bad = 1;
            rc = sr_fail(err, SR_E_CORRUPT, "store %s: %s is missing, or nothing vouches for it",
                         v->l->s->from.name, v->m->detail_key);
        } else if (v->trust.state == SR_TRUST_SIGNED && strcmp(sha, v->trust.detail) != 0) {
            /* The sums vouch for it against damage, not against whoever wrote them. */
            v->source_bad = 1;
            rc = sr_fail(err, SR_E_CORRUPT, "store %s: %s is not the one that was signed",
                         v->l->s->from.name, v->m->detail_key);
        } else {
            rc = detail_move(v, &detail, sha, err);
        }
    }
    if (rc == SR_OK)
        rc = sums_move(v, b.sums, &sums, err);
    if (rc == SR_OK)
        rc = signature_move(v, err);
    if (rc == SR_OK) {
        sr_sync_each_key(&v->l->s->from.index, v->set->set, v->set->source, rest_move, &b);
        rc = b.rc;
    }
    sr_buf_done(&sums);
    return rc;
}
