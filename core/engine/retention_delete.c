#include "config.h"
#include "core/engine/retention_delete.h"
#include "core/engine/claim.h"
#include "core/engine/retention_policy.h"
#include "core/engine/trust.h"
#include "core/util/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct deleting {
    struct sr_context *ctx;
    struct sr_store_rw *store;
    const struct sr_catalog_set *set;
    const struct sr_manifest *m;
    struct sr_prune_item *it;
    char manifest[SR_KEY_MAX], hold[SR_KEY_MAX], pruning[SR_KEY_MAX], claim[SR_KEY_MAX];
    int marked;         /* the mark is there */
    struct sr_buf text; /* of the manifest, as it is stored */
};

static int keys_make(struct deleting *d, struct sr_error *err)
{
    const char *set = d->set->set, *source = d->set->source;
    int rc = sr_beside_key(set, source, "manifest.json", d->manifest, sizeof d->manifest, err);
    if (rc == SR_OK)
        rc = sr_beside_key(set, source, "hold", d->hold, sizeof d->hold, err);
    if (rc == SR_OK)
        rc = sr_beside_key(set, source, "pruning", d->pruning, sizeof d->pruning, err);
    return rc == SR_OK ? sr_claim_key(set, d->claim, sizeof d->claim, err) : rc;
}

/* until: as a store tells it; 0: it does not say, INT64_MAX: for ever. */
static int say_locked(struct sr_prune_item *it, int64_t until, struct sr_error *err)
{
    char when[SR_TIME_ISO_SIZE] = "", *reason = NULL;
    if (until > 0 && until < INT64_MAX)
        sr_time_iso(until, when);
    if (asprintf(&reason, "locked by the store %s%s; %s", *when ? "until " : "",
                 *when       ? when
                 : until > 0 ? "until a hold is lifted"
                             : "for a time that it does not tell",
                 it->reason) < 0)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    free(it->reason);
    it->reason = reason;
    it->outcome = SR_PRUNE_LOCKED;
    it->kept_until = until == INT64_MAX ? SR_RETENTION_FOREVER : until;
    return SR_OK;
}

static int locked_emit(void *ctx, const struct sr_store_entry *entry)
{
    *(int64_t *)ctx = entry->locked_until;
    return 1;
}

/* Looks at one key; SR_OK also when it is gone, or may not be looked at: then deleting tells. */
static int look_for_lock(struct sr_store *store, const char *key, int64_t at,
                         struct sr_prune_item *it, struct sr_error *err)
{
    struct sr_error e = SR_ERROR_INIT;
    int64_t until = 0;
    int rc = sr_store_stat(store, key, locked_emit, &until, &e);
    if (rc == SR_OK && until > at)
        return say_locked(it, until, err);
    return rc == SR_OK || rc == SR_E_NOT_FOUND || rc == SR_E_DENIED ? SR_OK
                                                                    : sr_error_copy(err, &e);
}

int sr_prune_look_for_lock(struct sr_store *store, const struct sr_catalog_set *set, int64_t at,
                           struct sr_prune_item *it, struct sr_error *err)
{
    char key[SR_KEY_MAX];
    int rc = sr_beside_key(set->set, set->source, "manifest.json", key, sizeof key, err);
    return rc == SR_OK ? look_for_lock(store, key, at, it, err) : rc;
}

/* Deletes one key and lets the worst answer of the set stand. SR_OK also when the store keeps it
 * locked, which ret_locked (may be NULL) tells. */
static int delete_key(struct deleting *d, const char *key, int *ret_locked, struct sr_error *err)
{
    enum sr_store_deletion how = SR_DELETION_DONE;
    int64_t until = 0;
    int rc = sr_store_delete(d->store, key, &how, &until, err);
    if (rc != SR_OK)
        return rc;
    if (how == SR_DELETION_LOCKED) {
        if (d->it->outcome != SR_PRUNE_LOCKED)
            rc = say_locked(d->it, until, err);
    } else if (how == SR_DELETION_HIDDEN && d->it->outcome == SR_PRUNE_DROPPED) {
        d->it->outcome = SR_PRUNE_HIDDEN;
    }
    if (ret_locked)
        *ret_locked = how == SR_DELETION_LOCKED;
    return rc;
}

/* The mark's own deletion says nothing about the set. */
static void mark_remove(struct deleting *d)
{
    struct sr_error e = SR_ERROR_INIT;
    if (d->marked && sr_store_delete(d->store, d->pruning, NULL, NULL, &e) != SR_OK)
        sr_log(SR_LOG_WARN, "%s stays behind, for `strongroom sweep`: %s", d->pruning, e.text);
}

static int modified_emit(void *ctx, const struct sr_store_entry *entry)
{
    *(int64_t *)ctx = entry->modified;
    return 1;
}

/* A mark that a dead prune left would tell a hold nothing of this one: it is made anew. */
static int mark_renew(struct deleting *d, const struct sr_buf *text, struct sr_error *err)
{
    int64_t modified = 0;
    int rc = sr_store_stat(sr_store_ro(d->store), d->pruning, modified_emit, &modified, err);
    if (rc == SR_OK && modified > sr_clock_now(d->ctx->clock) - SR_PRUNING_STALE)
        return SR_OK;
    if (rc == SR_OK)
        rc = sr_store_delete(d->store, d->pruning, NULL, NULL, err);
    if (rc != SR_OK && rc != SR_E_NOT_FOUND)
        return rc;
    rc = sr_store_save_small(d->store, d->pruning, text->data, text->len, err);
    return rc == SR_E_EXISTS ? SR_OK : rc; /* kept by the store, or another prune's */
}

static int mark_fill(const struct deleting *d, struct sr_mark *mark, struct sr_error *err)
{
    int rc = sr_run_id_make(mark->run, err);
    memcpy(mark->source, d->set->source, sizeof mark->source);
    for (size_t i = 0; rc == SR_OK && i < d->m->objects_len; i++)
        rc = sr_mark_add(mark, d->m->objects[i].key);
    if (rc == SR_OK && d->m->detail_key)
        rc = sr_mark_add(mark, d->m->detail_key);
    for (size_t i = 0; rc == SR_OK && i < d->set->beside.len; i++)
        rc = sr_mark_add(mark, d->set->beside.items[i]);
    return rc == SR_E_NO_MEMORY ? sr_fail(err, rc, "out of memory") : rc;
}

/* The store has just written the mark, by its own clock: one that is far behind ours makes it ours
 * that is wrong, or at least no ground to delete on. */
static int clock_check(struct deleting *d, struct sr_error *err)
{
    int64_t modified = 0, now = sr_clock_now(d->ctx->clock);
    if (sr_config_bool(d->ctx->cfg, "BACKUP_RETENTION_TRUST_CLOCK") ||
        sr_store_stat(sr_store_ro(d->store), d->pruning, modified_emit, &modified, NULL) != SR_OK ||
        modified <= 0 || now - modified <= SR_PRUNING_CLOCK_AHEAD)
        return SR_OK;
    return sr_fail(err, SR_E_REFUSED,
                   "this host's clock is %" PRId64 " days ahead of that of store %s, so that what "
                   "looks old may not be; set the clock right (where the store's is the wrong one: "
                   "`prune --trust-clock`, BACKUP_RETENTION_TRUST_CLOCK)",
                   (now - modified) / 86400, sr_store_name(sr_store_ro(d->store)));
}

static int mark_write(struct deleting *d, struct sr_error *err)
{
    struct sr_mark mark = {.kind = SR_KEY_PRUNING};
    struct sr_error e = SR_ERROR_INIT;
    struct sr_buf text;
    sr_buf_init(&text, SR_MARK_MAX);
    int rc = mark_fill(d, &mark, &e);
    if (rc == SR_OK)
        rc = sr_mark_write(&mark, &text, &e);
    if (rc == SR_OK)
        rc = sr_store_save_small(d->store, d->pruning, text.data, text.len, &e);
    const int fresh = rc == SR_OK;
    if (rc == SR_E_EXISTS)
        rc = mark_renew(d, &text, &e);
    d->marked = rc == SR_OK;
    if (fresh)
        rc = clock_check(d, &e);
    if (rc == SR_E_NO_SPACE || rc == SR_E_DENIED) {
        sr_log(SR_LOG_VERBOSE, "deleting %s without a mark: %s", d->set->set, e.text);
        rc = SR_OK;
    }
    sr_buf_done(&text);
    sr_mark_done(&mark);
    return rc == SR_OK ? SR_OK : sr_error_copy(err, &e);
}

/* SR_OK: not held. */
static int look_for_hold(struct deleting *d, int *ret_held, struct sr_error *err)
{
    struct sr_error e = SR_ERROR_INIT;
    int rc = sr_store_stat(sr_store_ro(d->store), d->hold, NULL, NULL, &e);
    *ret_held = rc == SR_OK;
    return rc == SR_OK || rc == SR_E_NOT_FOUND ? SR_OK : sr_error_copy(err, &e);
}

static int keep_held(struct deleting *d, struct sr_error *err)
{
    char *reason = strdup("kept: hold");
    if (!reason)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    free(d->it->reason);
    d->it->reason = reason;
    d->it->outcome = SR_PRUNE_KEPT;
    d->it->kept_until = SR_RETENTION_FOREVER;
    return SR_OK;
}

/* A locked object keeps the whole set: without its manifest it would be neither a backup nor gone.
 */
static int look_for_locks(struct deleting *d, struct sr_error *err)
{
    struct sr_store *store = sr_store_ro(d->store);
    int64_t now = sr_clock_now(d->ctx->clock);
    int rc = SR_OK;
    if (!(sr_store_caps(store) & SR_STORE_CAP_LOCK))
        return SR_OK;
    for (size_t i = 0; rc == SR_OK && i < d->m->objects_len && d->it->outcome != SR_PRUNE_LOCKED;
         i++)
        rc = look_for_lock(store, d->m->objects[i].key, now, d->it, err);
    return rc;
}

static int reason_add(struct deleting *d, const char *more, const char *key, struct sr_error *err)
{
    char *reason = NULL;
    if (asprintf(&reason, "%s; %s%s", d->it->reason, key, more) < 0)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    free(d->it->reason);
    d->it->reason = reason;
    return SR_OK;
}

/* The first object is locked after all: the set becomes a backup again. */
static int put_back(struct deleting *d, const char *key, struct sr_error *err)
{
    struct sr_error e = SR_ERROR_INIT;
    int rc = sr_store_save_small(d->store, d->manifest, d->text.data, d->text.len, &e);
    if (rc == SR_OK || rc == SR_E_EXISTS)
        return reason_add(d, " was put back", d->manifest, err);
    return sr_fail(err, rc,
                   "the store keeps %s locked, and %s, which was deleted before that was known, "
                   "could not be put back: %s. It is no backup any more, and what is left of it is "
                   "for `strongroom sweep`",
                   key, d->manifest, e.text);
}

/* Everything but the manifest, which is gone. *ret_back: it is there again, and so is all else. */
static int delete_rest(struct deleting *d, int last, int *ret_back, struct sr_error *err)
{
    const char *kept = NULL;
    int rc = SR_OK;
    for (size_t i = 0; rc == SR_OK && i < d->m->objects_len; i++) {
        const struct sr_manifest_object *o = &d->m->objects[i];
        int locked = 0;
        rc = delete_key(d, o->key, &locked, err);
        /* Where another prune took the manifest there is none to put back. */
        if (rc == SR_OK && locked && i == 0 && d->text.len > 0) {
            rc = put_back(d, o->key, err);
            *ret_back = rc == SR_OK;
            return rc;
        }
        if (locked)
            kept = o->key;
        else
            d->it->freed += o->size;
    }
    if (rc == SR_OK && kept)
        rc = reason_add(d, " is all that is left of it, for `strongroom sweep`", kept, err);
    if (rc == SR_OK && d->m->detail_key)
        rc = delete_key(d, d->m->detail_key, NULL, err);
    for (size_t i = 0; rc == SR_OK && i < d->set->beside.len; i++)
        rc = delete_key(d, d->set->beside.items[i], NULL, err);
    if (rc != SR_OK || !last || d->it->outcome == SR_PRUNE_LOCKED)
        return rc;
    struct sr_mark claim = {.kind = SR_KEY_OTHER};
    struct sr_error e = SR_ERROR_INIT;
    int found = sr_mark_fetch(sr_store_ro(d->store), d->claim, d->set->set, &claim, &e);
    sr_mark_done(&claim);
    if (found == SR_OK)
        return delete_key(d, d->claim, NULL, err);
    /* None, or somebody else's file. */
    return found == SR_E_NOT_FOUND || found == SR_E_CORRUPT || found == SR_E_UNSUPPORTED
               ? SR_OK
               : sr_error_copy(err, &e);
}

/* The manifest, after whose deletion it is no backup. SR_OK: gone, or kept for a lock. */
static int manifest_delete(struct deleting *d, struct sr_error *err)
{
    struct sr_error e = SR_ERROR_INIT;
    int rc = sr_store_fetch_small(sr_store_ro(d->store), d->manifest, &d->text, &e);
    if (rc != SR_OK && rc != SR_E_NOT_FOUND) /* not there: another prune was faster */
        return sr_error_copy(err, &e);
    return delete_key(d, d->manifest, NULL, err);
}

static int delete_set(struct deleting *d, int last, struct sr_error *err)
{
    int held = 0, back = 0;
    int rc = keys_make(d, err);
    if (rc == SR_OK)
        rc = sr_prune_look_for_lock(sr_store_ro(d->store), d->set, sr_clock_now(d->ctx->clock),
                                    d->it, err);
    if (rc == SR_OK && d->it->outcome != SR_PRUNE_LOCKED)
        rc = look_for_locks(d, err);
    if (rc != SR_OK || d->it->outcome == SR_PRUNE_LOCKED)
        return rc;
    rc = mark_write(d, err);
    if (rc == SR_OK)
        rc = look_for_hold(d, &held, err);
    if (rc == SR_OK && held)
        rc = keep_held(d, err);
    else if (rc == SR_OK)
        rc = manifest_delete(d, err);
    /* A manifest that the store keeps locked keeps the whole set. */
    if (rc != SR_OK || held || d->it->outcome == SR_PRUNE_LOCKED) {
        if (rc == SR_OK ||
            sr_store_stat(sr_store_ro(d->store), d->manifest, NULL, NULL, NULL) == SR_OK)
            mark_remove(d);
        return rc;
    }
    rc = delete_rest(d, last, &back, err);
    if (!back)
        sr_trust_deleted(d->ctx, sr_store_ro(d->store), d->set->set, d->set->source);
    /* What could not be deleted now stays known. */
    if (rc == SR_OK && (back || d->it->outcome != SR_PRUNE_LOCKED))
        mark_remove(d);
    return rc;
}

int sr_prune_delete(struct sr_context *ctx, struct sr_store_rw *store,
                    const struct sr_catalog_set *set, const struct sr_manifest *m, int last,
                    struct sr_prune_item *it, struct sr_error *err)
{
    struct deleting d = {.ctx = ctx, .store = store, .set = set, .m = m, .it = it};
    sr_buf_init(&d.text, SR_MANIFEST_MAX);
    int rc = delete_set(&d, last, err);
    sr_buf_done(&d.text);
    return rc;
}
