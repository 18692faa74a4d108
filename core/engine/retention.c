#include "config.h"
#include "core/engine/retention.h"
#include "core/engine/audit.h"
#include "core/engine/retention_judge.h"
#include "core/util/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct sr_prune_item *item_add(struct sr_prune_result *r, const char *store,
                                      const struct sr_catalog_set *set, const char *reason)
{
    struct sr_prune_item *items = reallocarray(r->items, r->len + 1, sizeof *items);
    if (!items)
        return NULL;
    r->items = items;
    struct sr_prune_item *it = &items[r->len];
    *it = (struct sr_prune_item){.time = set->time, .reason = strdup(reason)};
    if (!it->reason)
        return NULL;
    r->len++;
    memcpy(it->set, set->set, sizeof it->set);
    memcpy(it->source, set->source, sizeof it->source);
    (void)snprintf(it->store, sizeof it->store, "%s", store);
    return it;
}

static int reason_set(struct sr_prune_item *it, const char *text)
{
    char *copy = strdup(text);
    if (!copy)
        return SR_E_NO_MEMORY;
    free(it->reason);
    it->reason = copy;
    return SR_OK;
}

/* Deletes one key and lets the worst answer of the set stand. SR_OK also when the store keeps it
 * locked. */
static int delete_key(struct sr_store_rw *store, const char *key, struct sr_prune_item *it,
                      struct sr_error *err)
{
    enum sr_store_deletion how = SR_DELETION_DONE;
    int64_t until = 0;
    int rc = sr_store_delete(store, key, &how, &until, err);
    if (rc != SR_OK)
        return rc;
    if (how == SR_DELETION_LOCKED) {
        it->outcome = SR_PRUNE_LOCKED;
        it->kept_until = until;
    } else if (how == SR_DELETION_HIDDEN && it->outcome == SR_PRUNE_DROPPED) {
        it->outcome = SR_PRUNE_HIDDEN;
    }
    return SR_OK;
}

/* Manifest first: from then on it is no backup, whatever interrupts the rest. A manifest that the
 * store keeps locked keeps the whole set. */
static int delete_set(struct sr_store_rw *store, const struct sr_catalog_set *set,
                      const struct sr_manifest *m, struct sr_prune_item *it, struct sr_error *err)
{
    char key[SR_KEY_MAX];
    int rc = sr_beside_key(set->set, set->source, "manifest.json", key, sizeof key, err);
    if (rc == SR_OK)
        rc = delete_key(store, key, it, err);
    if (rc != SR_OK || it->outcome == SR_PRUNE_LOCKED)
        return rc;
    for (size_t i = 0; rc == SR_OK && i < m->objects_len; i++) {
        rc = delete_key(store, m->objects[i].key, it, err);
        it->freed += m->objects[i].size;
    }
    if (rc == SR_OK && m->detail_key)
        rc = delete_key(store, m->detail_key, it, err);
    for (size_t i = 0; rc == SR_OK && i < set->beside.len; i++)
        rc = delete_key(store, set->beside.items[i], it, err);
    return rc;
}

static void audit_purge(struct sr_context *ctx, const struct sr_prune_item *it,
                        const struct sr_error *e)
{
    int failed = it->outcome == SR_PRUNE_FAILED;
    sr_audit_event(ctx->audit, failed ? "DB_BACKUP_PURGE_FAILED" : "DB_BACKUP_PURGED", "trigger",
                   ctx->trigger, "outcome", failed ? "failure" : "success", "store", it->store,
                   "set", it->set, "reason", it->reason, "error", failed ? e->text : NULL, NULL);
}

static int drop_one(struct sr_context *ctx, struct sr_store_rw *store,
                    const struct sr_catalog_set *set, struct sr_prune_item *it, int dry_run)
{
    struct sr_manifest *m = NULL;
    struct sr_error e = SR_ERROR_INIT;
    int rc = sr_catalog_manifest(sr_store_ro(store), set, &m, &e);
    if (rc != SR_OK)
        sr_error_wrap(&e, "its manifest cannot be read, so what belongs to it is not known and "
                          "nothing is deleted");
    it->outcome = SR_PRUNE_DROPPED;
    if (rc == SR_OK && !dry_run)
        rc = delete_set(store, set, m, it, &e);
    else if (rc == SR_OK)
        for (size_t i = 0; i < m->objects_len; i++)
            it->freed += m->objects[i].size;
    sr_manifest_free(m);
    if (rc != SR_OK) {
        it->outcome = SR_PRUNE_FAILED;
        if (reason_set(it, e.text) != SR_OK)
            return SR_E_NO_MEMORY;
        sr_log(SR_LOG_WARN, "store %s: %s was not deleted: %s", it->store, set->set, e.text);
    }
    if (!dry_run && it->outcome != SR_PRUNE_LOCKED)
        audit_purge(ctx, it, &e);
    return SR_OK;
}

static int prune_store(struct sr_context *ctx, struct sr_store_rw *store, const char *source,
                       const char *spare, int64_t at, int dry_run, struct sr_prune_result *ret,
                       size_t *ret_failed, struct sr_error *err)
{
    struct sr_catalog *c = NULL;
    struct sr_retention_verdict *verdicts = NULL;
    const char *name = sr_store_name(sr_store_ro(store));
    int rc = sr_catalog_read(sr_store_ro(store), &c, err);
    if (rc == SR_OK)
        rc = sr_retention_judge_store(ctx, sr_store_ro(store), c, at, &verdicts, err);
    for (size_t i = 0; rc == SR_OK && i < c->len; i++) {
        const struct sr_catalog_set *set = &c->sets[i];
        if (!set->has_manifest || (source && strcmp(source, set->source) != 0) ||
            (spare && strcmp(spare, set->set) == 0))
            continue;
        struct sr_prune_item *it = item_add(ret, name, set, verdicts[i].reason);
        if (!it) {
            rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
            break;
        }
        it->kept_until = verdicts[i].kept_until;
        if (!verdicts[i].keep && drop_one(ctx, store, set, it, dry_run) != SR_OK)
            rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
        *ret_failed += it->outcome == SR_PRUNE_FAILED;
        if (rc == SR_OK)
            rc = sr_context_check(ctx, err);
    }
    free(verdicts);
    sr_catalog_free(c);
    return rc;
}

int sr_prune_run(struct sr_context *ctx, const struct sr_stores *stores, const char *source,
                 const char *spare, int64_t at, int dry_run, struct sr_prune_result *ret,
                 struct sr_error *err)
{
    size_t failed = 0;
    struct sr_error first = SR_ERROR_INIT;
    if (at != 0)
        dry_run = 1;
    for (size_t i = 0; i < stores->len; i++) {
        struct sr_error e = SR_ERROR_INIT;
        int rc = prune_store(ctx, stores->items[i], source, spare,
                             at ? at : sr_clock_now(ctx->clock), dry_run, ret, &failed, &e);
        if (rc == SR_E_CANCELLED)
            return sr_error_copy(err, &e);
        if (rc == SR_OK)
            continue;
        sr_error_wrap(&e, "nothing is deleted in store %s",
                      sr_store_name(sr_store_ro(stores->items[i])));
        sr_audit_event(ctx->audit, "DB_BACKUP_PURGE_FAILED", "trigger", ctx->trigger, "outcome",
                       "failure", "store", sr_store_name(sr_store_ro(stores->items[i])), "error",
                       e.text, NULL);
        if (first.code == SR_OK)
            first = e;
    }
    if (first.code != SR_OK)
        return sr_error_copy(err, &first);
    if (failed > 0)
        return sr_fail(err, SR_E_PARTIAL, "%zu backup%s could not be deleted", failed,
                       failed == 1 ? "" : "s");
    return SR_OK;
}

void sr_prune_result_done(struct sr_prune_result *r)
{
    for (size_t i = 0; i < r->len; i++)
        free(r->items[i].reason);
    free(r->items);
    *r = (struct sr_prune_result){0};
}
