/* One set of a sync: what is missing or damaged in TO comes from FROM, the manifest last. */
#include "config.h"
#include "core/engine/sync_private.h"
#include "core/util/log.h"
#include "core/util/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the manifests --- */

static int manifests_read(struct sr_sync_moving *v, const struct sr_catalog_set *to,
                          struct sr_error *err)
{
    struct sr_manifest *theirs = NULL;
    struct sr_error e = SR_ERROR_INIT;
    struct sr_buf text;
    int rc = sr_trust_manifest(v->l->s->ctx, sr_store_ro(v->l->from), v->set, SR_TRUST_TO_LOOK,
                               &v->text, &v->m, &v->trust, err);
    if (rc == SR_E_CORRUPT && v->trust.state == SR_TRUST_UNSIGNED) {
        rc = SR_E_REFUSED; /* nothing is damaged */
        if (err)
            err->code = rc;
    }
    v->source_bad = rc == SR_E_CORRUPT || rc == SR_E_NOT_FOUND;
    if (rc != SR_OK || !to)
        return rc;
    sr_buf_init(&text, SR_MANIFEST_MAX);
    rc = sr_catalog_manifest_text(sr_store_ro(v->l->to), to, &text, &theirs, &e);
    if (rc == SR_OK &&
        (text.len != v->text.len || memcmp(sr_buf_str(&text), sr_buf_str(&v->text), text.len) != 0))
        rc = sr_fail(err, SR_E_EXISTS,
                     "store %s holds another backup under the name %s of %s; nothing of it is "
                     "touched",
                     v->l->s->to.name, to->set, to->source);
    else if (rc == SR_OK)
        v->committed = 1;
    else if (rc == SR_E_CORRUPT)
        v->manifest_bad = 1, rc = SR_OK;
    else if (rc == SR_E_NOT_FOUND)
        rc = SR_OK; /* gone since it was listed */
    else
        sr_error_copy(err, &e);
    sr_manifest_free(theirs);
    sr_buf_done(&text);
    return rc;
}

/* As the least protected of its objects. */
static const char *encryption_of(const struct sr_manifest *m)
{
    const char *all = m->objects_len ? m->objects[0].encryption : "none";
    for (size_t i = 0; i < m->objects_len; i++)
        if (strcmp(m->objects[i].encryption, "none") == 0)
            all = "none";
    return all;
}

static int encryption_check(struct sr_sync_moving *v, int *ret_demanded, struct sr_error *err)
{
    char what[SR_SET_MAX + 16];
    (void)snprintf(what, sizeof what, "backup %s", v->set->set);
    /* Of what is said to be encrypted it is made sure, where that is demanded. */
    *ret_demanded =
        sr_store_check_encryption(sr_store_ro(v->l->to), what, "none", NULL) == SR_E_CONFIG;
    int rc = sr_store_check_encryption(sr_store_ro(v->l->to), what, encryption_of(v->m), err);
    if (rc == SR_E_CONFIG) {
        rc = SR_E_REFUSED;
        if (err)
            err->code = rc;
    }
    return rc;
}

/* --- the objects --- */

enum there { NOT_THERE, THERE_WHOLE, THERE_DAMAGED };

struct stated {
    int has;
    char sha256[65];
};

static int stat_emit(void *ctx, const struct sr_store_entry *e)
{
    struct stated *s = ctx;
    if (e->sum_kind == SR_SUM_SHA256 && e->sum_len == 32) {
        s->has = 1;
        sr_hex(e->sum, 32, s->sha256);
    }
    return 1;
}

/* What TO itself says, listed or asked for, and else what reading its bytes says. */
static int look(struct sr_sync_moving *v, const struct sr_manifest_object *o, enum there *ret,
                struct sr_error *err)
{
    const struct sr_sync *s = v->l->s;
    struct sr_sync_entry from, to;
    struct stated stated = {0};
    struct sr_error e = SR_ERROR_INIT;
    int whole = 0;
    *ret = NOT_THERE;
    if (!sr_sync_find(&s->to.index, o->key, &to))
        return SR_OK;
    if (to.sum_kind == SR_SUM_SHA256 && to.sum_len == 32) {
        stated.has = 1;
        sr_hex(to.sum, 32, stated.sha256);
    }
    int same = sr_sync_find(&s->from.index, o->key, &from) ? sr_sync_same(&from, &to) : -1;
    int sized = to.size == o->size;
    const int again = s->o->reread || v->suspect != SR_RUNG_NONE;
    int rc = SR_OK;
    if (!again && sized && !stated.has) {
        /* Of a committed set that nothing speaks against enough is known. */
        if (same == 1 || (same == -1 && v->committed)) {
            *ret = THERE_WHOLE;
            return SR_OK;
        }
        rc = sr_store_stat(sr_store_ro(v->l->to), o->key, stat_emit, &stated, &e);
    }
    if (rc == SR_OK && stated.has && !again) {
        *ret = strcmp(stated.sha256, o->sha256) == 0 ? THERE_WHOLE : THERE_DAMAGED;
        return SR_OK;
    }
    if (rc == SR_OK)
        rc = sr_sync_reread(v->l, v->l->to, o->key, o->sha256, &whole, &e);
    if (rc == SR_E_NOT_FOUND)
        return SR_OK;
    if (rc == SR_E_CORRUPT) /* the store itself cannot give it back as it was */
        rc = SR_OK;
    else if (rc != SR_OK)
        return sr_error_copy(err, &e);
    *ret = whole ? THERE_WHOLE : THERE_DAMAGED;
    return SR_OK;
}

static int object_move(struct sr_sync_moving *v, const struct sr_manifest_object *m, int encrypted,
                       struct sr_error *err)
{
    struct sr_sync_lane *l = v->l;
    struct sr_error e = SR_ERROR_INIT;
    enum there there = NOT_THERE;
    int bad = 0, whole = 0;
    int rc = sr_context_check(l->s->ctx, err);
    if (rc == SR_OK)
        rc = look(v, m, &there, err);
    if (rc != SR_OK || there == THERE_WHOLE) {
        if (rc == SR_OK && !v->committed)
            atomic_fetch_add(&l->s->done, m->size);
        return rc;
    }
    if (v->committed)
        atomic_fetch_add(&l->s->total, m->size);
    const struct sr_sync_object o = {.key = m->key,
                                     .size = m->size,
                                     .sha256 = m->sha256,
                                     .replace = there == THERE_DAMAGED,
                                     .encrypted = encrypted};
    if (!l->s->o->dry_run)
        rc = sr_sync_copy(l, &o, &bad, &e);
    v->source_bad |= bad;
    /* Another host is syncing the same set: what it put there is as good, if it is. */
    if (rc == SR_E_EXISTS && sr_sync_reread(l, l->to, m->key, m->sha256, &whole, NULL) == SR_OK &&
        whole)
        return SR_OK;
    if (rc != SR_OK)
        return sr_error_copy(err, &e);
    return sr_sync_moved(v, m->key, m->size, 0, o.replace ? "damaged" : "missing", err);
}

/* --- the end --- */

static int manifest_write(struct sr_sync_moving *v, struct sr_error *err)
{
    struct sr_store_rw *to = v->l->to;
    struct sr_error e = SR_ERROR_INIT;
    char key[SR_KEY_MAX];
    int rc = sr_context_check(v->l->s->ctx, err);
    /* Whatever was there, found or copied, must be there now. */
    for (size_t i = 0; rc == SR_OK && i < v->m->objects_len; i++)
        rc = sr_store_still_holds(sr_store_ro(to), &v->m->objects[i], err);
    if (rc == SR_OK)
        rc = sr_beside_key(v->set->set, v->set->source, "manifest.json", key, sizeof key, err);
    if (rc != SR_OK)
        return rc;
    if (v->manifest_bad)
        rc = sr_store_delete(to, key, NULL, NULL, &e);
    if (rc == SR_OK)
        rc = sr_store_save_locked(to, key, v->text.data, v->text.len, v->l->s->lock_until, &e);
    if (rc == SR_E_EXISTS) {
        struct sr_buf text;
        sr_buf_init(&text, SR_MANIFEST_MAX);
        sr_error_clear(&e);
        rc = sr_store_fetch_small(sr_store_ro(to), key, &text, &e);
        if (rc == SR_OK && (text.len != v->text.len ||
                            memcmp(sr_buf_str(&text), sr_buf_str(&v->text), text.len) != 0))
            rc = sr_fail(&e, SR_E_EXISTS, "store %s: another manifest was written to %s meanwhile",
                         v->l->s->to.name, key);
        sr_buf_done(&text);
    }
    if (rc == SR_OK) {
        v->it->objects++;
        v->it->bytes += v->text.len;
        atomic_store(&v->l->s->wrote, 1);
        if (v->trust.state == SR_TRUST_SIGNED)
            sr_trust_made(v->l->s->ctx, sr_store_ro(to), v->m->set, v->m->source, v->m->created_at);
    }
    return rc == SR_OK ? SR_OK : sr_error_copy(err, &e);
}

/* What TO's own check found stands until TO's own check clears it. */
static void say_suspect(struct sr_sync_moving *v)
{
    char *said = v->it->reason;
    v->it->reason = NULL;
    sr_sync_say(v->it, v->it->outcome,
                "%s; every byte of it was looked at, because a check (%s) had failed there: "
                "`strongroom verify %s:%s` says that it is good",
                said ? said : "", sr_rung_name(v->suspect), v->l->s->to.name, v->set->set);
    free(said);
}

static void say_done(struct sr_sync_moving *v)
{
    const char *to = v->l->s->to.name;
    if (v->manifest_bad)
        sr_sync_say(v->it, SR_SYNC_REPAIRED, "its manifest was damaged in %s", to);
    else if (!v->committed)
        sr_sync_say(v->it, SR_SYNC_COPIED, "missing in %s", to);
    else if (v->repaired > 1)
        sr_sync_say(v->it, SR_SYNC_REPAIRED, "%s was %s in %s, and %zu more", v->first,
                    v->first_why, to, v->repaired - 1);
    else if (v->repaired)
        sr_sync_say(v->it, SR_SYNC_REPAIRED, "%s was %s in %s", v->first, v->first_why, to);
    else if (v->added > 1)
        sr_sync_say(v->it, SR_SYNC_ADDED, "%s was %s in %s, and %zu more", v->first, v->first_why,
                    to, v->added - 1);
    else if (v->added)
        sr_sync_say(v->it, SR_SYNC_ADDED, "%s was %s in %s", v->first, v->first_why, to);
    else
        sr_sync_say(v->it, SR_SYNC_SAME, "whole in %s", to);
    if (v->suspect != SR_RUNG_NONE)
        say_suspect(v);
}

static int being_pruned(const struct sr_sync *s, const struct sr_catalog_set *set)
{
    char key[SR_KEY_MAX];
    return sr_beside_key(set->set, set->source, "pruning", key, sizeof key, NULL) == SR_OK &&
           sr_sync_find(&s->to.index, key, NULL);
}

static int move(struct sr_sync_moving *v, const struct sr_catalog_set *to, struct sr_error *err)
{
    const struct sr_sync *s = v->l->s;
    int encrypted = 0;
    int rc = manifests_read(v, to, err);
    if (rc == SR_OK)
        rc = encryption_check(v, &encrypted, err);
    if (rc == SR_OK)
        rc = sr_sync_claim(v, err);
    for (size_t i = 0; rc == SR_OK && i < v->m->objects_len; i++)
        rc = object_move(v, &v->m->objects[i], encrypted, err);
    if (rc == SR_OK)
        rc = sr_sync_beside(v, err);
    if (rc == SR_OK && !v->committed && !s->o->dry_run)
        rc = manifest_write(v, err);
    return rc;
}

/* A prune takes the manifest first: what then fails is no damage. */
static int gone_meanwhile(const struct sr_sync_moving *v)
{
    char key[SR_KEY_MAX];
    return v->source_bad &&
           sr_beside_key(v->set->set, v->set->source, "manifest.json", key, sizeof key, NULL) ==
               SR_OK &&
           sr_store_stat(sr_store_ro(v->l->from), key, NULL, NULL, NULL) == SR_E_NOT_FOUND;
}

int sr_sync_set(struct sr_sync_lane *l, const struct sr_sync_work *w, struct sr_sync_item *it,
                struct sr_error *err)
{
    struct sr_sync_moving v = {.l = l,
                               .set = w->from,
                               .it = it,
                               .suspect = sr_sync_suspect(l->s, w->from),
                               .made = {.store = l->to}};
    if (being_pruned(l->s, w->from)) {
        sr_sync_say(it, SR_SYNC_SKIPPED,
                    "a prune is deleting it in %s (one that was cut off: `strongroom sweep`)",
                    l->s->to.name);
        return SR_OK;
    }
    sr_buf_init(&v.text, SR_MANIFEST_MAX);
    it->bytes = 0; /* what the plan knew from the listing */
    it->objects = 0;
    int rc = move(&v, w->to, err);
    if (rc == SR_OK) {
        say_done(&v);
    } else if (gone_meanwhile(&v)) {
        rc = SR_OK;
        sr_sync_say(it, SR_SYNC_SKIPPED, "it was deleted from %s since that was listed",
                    l->s->from.name);
    } else {
        enum sr_sync_outcome o = v.source_bad         ? SR_SYNC_CORRUPT
                                 : rc == SR_E_REFUSED ? SR_SYNC_REFUSED
                                                      : SR_SYNC_FAILED;
        sr_sync_say(it, o, "%s", err->text);
    }
    /* What cannot become a backup is not left lying about; what was cut off is, to go on from. */
    if (v.source_bad && !v.committed && v.made.saved.len > 0)
        (void)sr_target_rollback(&v.made);
    sr_target_done(&v.made);
    sr_manifest_free(v.m);
    sr_buf_done(&v.text);
    return rc;
}
