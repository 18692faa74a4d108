#include "config.h"
#include "core/engine/claim.h"
#include "core/engine/sweep_private.h"
#include "core/util/log.h"

#include <string.h>

static const char unnamed[] = "old, and no manifest names it";

/* One listing of a whole store. It comes sorted, so that what belongs to one set lies together,
 * almost always: what a manifest makes a backup is struck out at once, and memory does not grow
 * with the store. Every candidate is looked at again by itself before anything is done. */
struct scan {
    struct sr_sweep *s;
    char settled[SR_SET_MAX];   /* the last set that was seen to be a backup, or held */
    struct sr_strlist claims;   /* sets with an old claim */
    struct sr_strlist prunings; /* old keys */
    int64_t before;             /* UTC seconds: modified earlier than this is old */
    int failed;
};

static int is_old(const struct scan *o, int64_t modified)
{
    return modified > 0 && modified < o->before;
}

static int scan_emit(void *ctx, const struct sr_store_entry *entry)
{
    struct scan *o = ctx;
    struct sr_key_parts parts;
    int rc = SR_OK, old = is_old(o, entry->modified);
    sr_key_parse(entry->key, &parts);
    if (parts.kind == SR_KEY_MANIFEST || parts.kind == SR_KEY_HOLD) {
        memcpy(o->settled, parts.set, sizeof o->settled);
        if (o->claims.len && strcmp(o->claims.items[o->claims.len - 1], parts.set) == 0)
            sr_strlist_remove(&o->claims, o->claims.len - 1);
        return 0;
    }
    if (parts.kind == SR_KEY_OTHER || !old || sr_strlist_has(&o->s->live, parts.set))
        return 0;
    if (parts.kind == SR_KEY_PRUNING)
        rc = sr_strlist_add(&o->prunings, entry->key);
    else if (strcmp(parts.set, o->settled) == 0)
        return 0;
    else if (parts.kind == SR_KEY_CLAIM)
        rc = sr_strlist_add(&o->claims, parts.set);
    o->failed = rc != SR_OK;
    return o->failed;
}

/* Nonzero when the mark is there and ours. A file of that name that is not is somebody else's. */
static int mark_is_ours(struct sr_sweep *s, struct sr_store_rw *store, const char *key,
                        const char *set, enum sr_key_kind kind, struct sr_mark *ret)
{
    struct sr_error e = SR_ERROR_INIT;
    int rc = sr_mark_fetch(sr_store_ro(store), key, set, ret, &e);
    if (rc == SR_OK && ret->kind == kind)
        return 1;
    if (rc == SR_OK)
        sr_mark_done(ret);
    else if (rc == SR_E_CORRUPT || rc == SR_E_UNSUPPORTED)
        sr_log(SR_LOG_VERBOSE, "left alone: %s", e.text);
    else if (rc != SR_E_NOT_FOUND)
        sr_sweep_failed(s, &e);
    return 0;
}

/* Removes what the mark speaks for of what is there; nonzero when nothing of that is left. */
static int remove_covered(struct sr_sweep *s, struct sr_store_rw *store,
                          const struct sr_leftovers *l, const struct sr_mark *m, const char *why)
{
    int clear = 1;
    for (size_t i = 0; i < l->keys.len; i++)
        if (sr_mark_covers(m, l->set, l->keys.items[i]))
            clear &= sr_sweep_remove(s, store, l->keys.items[i], why);
    return clear;
}

/* A set that a run claimed and never finished. The whole of it must be old. */
static void sweep_claimed(const struct scan *o, struct sr_store_rw *store, const char *set)
{
    struct sr_leftovers l = {0};
    struct sr_mark m = {.kind = SR_KEY_OTHER};
    char key[SR_KEY_MAX];
    if (sr_leftovers_read(o->s, store, set, &l) && l.claimed && !l.manifests.len &&
        !l.prunings.len && !l.holds.len && l.youngest < o->before &&
        sr_claim_key(set, key, sizeof key, NULL) == SR_OK &&
        mark_is_ours(o->s, store, key, set, SR_KEY_CLAIM, &m)) {
        if (sr_sweep_manifest(o->s, store, set, m.source) == 0 &&
            remove_covered(o->s, store, &l, &m, unnamed))
            (void)sr_sweep_remove(o->s, store, key, unnamed);
        sr_mark_done(&m);
    }
    sr_leftovers_done(&l);
}

/* What a prune that was cut off had begun to delete. While the manifest is there it deleted
 * nothing, and only its mark goes. */
static void sweep_pruned(const struct scan *o, struct sr_store_rw *store, const char *pruning)
{
    static const char why[] = "left by a prune that was cut off";
    struct sr_leftovers l = {0};
    struct sr_mark m = {.kind = SR_KEY_OTHER}, claim = {.kind = SR_KEY_OTHER};
    struct sr_key_parts parts;
    char key[SR_KEY_MAX];
    sr_key_parse(pruning, &parts);
    if (!sr_leftovers_read(o->s, store, parts.set, &l) ||
        !mark_is_ours(o->s, store, pruning, parts.set, SR_KEY_PRUNING, &m)) {
        sr_leftovers_done(&l);
        return;
    }
    int there = sr_strlist_has(&l.manifests, parts.source)
                    ? 1
                    : sr_sweep_manifest(o->s, store, parts.set, parts.source);
    int clear = there > 0 || (there == 0 && !sr_strlist_has(&l.holds, parts.source));
    if (!there && clear)
        clear = remove_covered(o->s, store, &l, &m, why);
    /* The claim goes with the last that is left of its set. */
    if (!there && clear && !l.manifests.len && l.prunings.len == 1 && l.claimed &&
        sr_claim_key(parts.set, key, sizeof key, NULL) == SR_OK &&
        mark_is_ours(o->s, store, key, parts.set, SR_KEY_CLAIM, &claim))
        clear = sr_sweep_remove(o->s, store, key, why);
    if (clear)
        (void)sr_sweep_remove(o->s, store, pruning, why);
    sr_mark_done(&claim);
    sr_mark_done(&m);
    sr_leftovers_done(&l);
}

void sr_sweep_old(struct sr_sweep *s, struct sr_store_rw *store)
{
    struct scan o = {.s = s, .before = s->now - (int64_t)s->older_than};
    struct sr_error e = SR_ERROR_INIT;
    int rc = sr_store_list(sr_store_ro(store), "", NULL, scan_emit, &o, &e);
    if (rc != SR_OK)
        sr_sweep_failed(s, &e);
    int go_on = rc == SR_OK && !o.failed;
    for (size_t i = 0; go_on && i < o.prunings.len; i++)
        sweep_pruned(&o, store, o.prunings.items[i]);
    for (size_t i = 0; go_on && i < o.claims.len; i++)
        sweep_claimed(&o, store, o.claims.items[i]);
    sr_strlist_done(&o.claims);
    sr_strlist_done(&o.prunings);
}
