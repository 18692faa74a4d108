#include "config.h"
#include "core/engine/audit.h"
#include "core/engine/listing.h"
#include "core/engine/retention.h"
#include "core/engine/retention_delete.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* A prune has its mark there for a few requests; it is waited for so long. */
#define CONFIRM_PAUSE_MS 200
#define CONFIRM_TRIES 50
#define CONFIRM_STALE_TRIES 5

/* Finds the same set in one store; SR_E_NOT_FOUND when it is not there. */
static int find_same(struct sr_store_rw *store, const struct sr_catalog_set *want, int *ret_held,
                     struct sr_error *err)
{
    struct sr_catalog *c = NULL;
    int rc = sr_catalog_read(sr_store_ro(store), &c, err);
    if (rc != SR_OK)
        return rc;
    rc = SR_E_NOT_FOUND;
    for (size_t i = 0; i < c->len; i++)
        if (strcmp(c->sets[i].set, want->set) == 0 &&
            strcmp(c->sets[i].source, want->source) == 0 && c->sets[i].has_manifest) {
            *ret_held = c->sets[i].held;
            rc = SR_OK;
        }
    sr_catalog_free(c);
    return rc;
}

static int modified_emit(void *ctx, const struct sr_store_entry *entry)
{
    *(int64_t *)ctx = entry->modified;
    return 1;
}

/* What a hold that was just written sees. The mark is looked for first: a prune that saw no hold
 * has its mark there until the manifest is gone. */
struct seen {
    int pruning, manifest;
    int64_t since; /* of the mark; 0: unknown */
};

static int look(struct sr_store *store, const struct sr_catalog_set *set, struct seen *ret,
                struct sr_error *err)
{
    struct sr_error e = SR_ERROR_INIT;
    char key[SR_KEY_MAX];
    *ret = (struct seen){0};
    int rc = sr_beside_key(set->set, set->source, "pruning", key, sizeof key, &e);
    if (rc == SR_OK)
        rc = sr_store_stat(store, key, modified_emit, &ret->since, &e);
    ret->pruning = rc == SR_OK;
    if (rc == SR_OK || rc == SR_E_NOT_FOUND) {
        rc = sr_beside_key(set->set, set->source, "manifest.json", key, sizeof key, &e);
        if (rc == SR_OK)
            rc = sr_store_stat(store, key, NULL, NULL, &e);
        ret->manifest = rc == SR_OK;
    }
    if (rc == SR_OK || rc == SR_E_NOT_FOUND)
        return SR_OK;
    sr_error_copy(err, &e);
    return sr_error_wrap(err, "the hold is written, but whether it came in time is not known");
}

/* Waits until no prune that may have overlooked the hold is at the set. */
static int confirm(struct sr_context *ctx, struct sr_store *store, const struct sr_catalog_set *set,
                   struct sr_error *err)
{
    const struct timespec pause = {.tv_nsec = CONFIRM_PAUSE_MS * 1000000};
    struct seen seen = {0};
    char since[SR_TIME_ISO_SIZE];
    for (int i = 0; i < CONFIRM_TRIES; i++) {
        int rc = sr_context_check(ctx, err);
        if (rc == SR_OK)
            rc = look(store, set, &seen, err);
        if (rc != SR_OK)
            return rc;
        if (!seen.manifest)
            return sr_fail(err, SR_E_NOT_FOUND,
                           "store %s: %s was deleted by a prune at this moment; there is nothing "
                           "left to hold",
                           sr_store_name(store), set->set);
        /* A prune that died long ago will not go on; one more look costs little. */
        int stale = seen.since > 0 && seen.since < sr_clock_now(ctx->clock) - SR_PRUNING_STALE;
        if (!seen.pruning || (stale && i > CONFIRM_STALE_TRIES))
            return SR_OK;
        (void)nanosleep(&pause, NULL);
    }
    sr_time_iso(seen.since, since);
    return sr_fail(err, SR_E_BUSY,
                   "store %s: a prune has begun to delete %s (%s) and has not ended: the hold is "
                   "there, but may have come too late; run `strongroom hold` again",
                   sr_store_name(store), set->set, since);
}

static int hold_in(struct sr_context *ctx, struct sr_store_rw *store,
                   const struct sr_catalog_set *set, const char *text, struct sr_error *err)
{
    char key[SR_KEY_MAX];
    int rc = sr_beside_key(set->set, set->source, "hold", key, sizeof key, err);
    if (rc == SR_OK)
        rc = sr_store_save_small(store, key, text, strlen(text), err);
    if (rc == SR_E_EXISTS)
        rc = SR_OK;
    if (rc == SR_OK)
        rc = confirm(ctx, sr_store_ro(store), set, err);
    if (rc == SR_E_NOT_FOUND && sr_store_delete(store, key, NULL, NULL, NULL) != SR_OK)
        sr_error_append(err, " (and %s stays behind)", key);
    return rc;
}

static int release_in(struct sr_store_rw *store, const struct sr_catalog_set *set,
                      struct sr_error *err)
{
    char key[SR_KEY_MAX];
    enum sr_store_deletion how = SR_DELETION_DONE;
    int64_t until = 0;
    int rc = sr_beside_key(set->set, set->source, "hold", key, sizeof key, err);
    if (rc == SR_OK)
        rc = sr_store_delete(store, key, &how, &until, err);
    if (rc == SR_OK && how == SR_DELETION_LOCKED)
        rc = sr_fail(err, SR_E_LOCKED, "store %s keeps %s locked, so the hold stays",
                     sr_store_name(sr_store_ro(store)), key);
    return rc;
}

int sr_hold_set(struct sr_context *ctx, const struct sr_stores *stores, const char *backup,
                int hold, char ret_set[SR_SET_MAX], size_t *ret_stores, struct sr_error *err)
{
    struct sr_store_rw *where = NULL;
    struct sr_catalog_set set;
    char object[SR_KEY_MAX], text[SR_TIME_ISO_SIZE + 32], when[SR_TIME_ISO_SIZE];
    struct sr_error first = SR_ERROR_INIT;
    size_t done = 0;
    int rc = sr_backup_locate(ctx, stores, backup, NULL, NULL, &where, &set, object, err);
    sr_time_iso(sr_clock_now(ctx->clock), when);
    (void)snprintf(text, sizeof text, "held since %s\n", when);
    for (size_t i = 0; rc == SR_OK && i < stores->len; i++) {
        int held = 0;
        struct sr_error e = SR_ERROR_INIT;
        int one = find_same(stores->items[i], &set, &held, &e);
        if (one == SR_E_NOT_FOUND)
            continue;
        /* One that is there is looked after again: its own run may not have known. */
        if (one == SR_OK && hold)
            one = hold_in(ctx, stores->items[i], &set, text, &e);
        else if (one == SR_OK && held)
            one = release_in(stores->items[i], &set, &e);
        if (one == SR_OK)
            done++;
        else if (first.code == SR_OK)
            first = e;
    }
    if (rc == SR_OK && first.code != SR_OK) {
        rc = sr_error_copy(err, &first);
        if (done > 0 && rc != SR_E_CANCELLED)
            rc = sr_fail(err, SR_E_PARTIAL, "%s is %s in %zu store%s: %s", set.set,
                         hold ? "held" : "released", done, done == 1 ? " only" : "s", first.text);
    }
    if (rc != SR_OK)
        return rc;
    sr_audit_event(ctx->audit, hold ? "db_backup_held" : "db_backup_released", "trigger",
                   ctx->trigger, "outcome", "success", "set", set.set, NULL);
    memcpy(ret_set, set.set, SR_SET_MAX);
    *ret_stores = done;
    return SR_OK;
}
