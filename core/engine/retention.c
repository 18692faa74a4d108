#include "config.h"
#include "core/engine/retention.h"
#include "core/engine/audit.h"
#include "core/engine/recover_text.h"
#include "core/engine/retention_delete.h"
#include "core/engine/retention_judge.h"
#include "core/engine/trust.h"
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

static void audit_purge(struct sr_context *ctx, const struct sr_prune_item *it,
                        const struct sr_error *e)
{
    int failed = it->outcome == SR_PRUNE_FAILED;
    sr_audit_event(ctx->audit, failed ? "DB_BACKUP_PURGE_FAILED" : "DB_BACKUP_PURGED", "trigger",
                   ctx->trigger, "outcome", failed ? "failure" : "success", "store", it->store,
                   "set", it->set, "reason", it->reason, "error", failed ? e->text : NULL, NULL);
}

/* SR_E_REFUSED: nothing is to be deleted in this store. */
static int delete_one(struct sr_context *ctx, struct sr_store_rw *store,
                      const struct sr_catalog_set *set, int last, struct sr_prune_item *it,
                      struct sr_error *err)
{
    struct sr_manifest *m = NULL;
    struct sr_error e = SR_ERROR_INIT;
    int rc = sr_catalog_manifest(sr_store_ro(store), set, &m, &e);
    if (rc != SR_OK)
        sr_error_wrap(&e, "its manifest cannot be read, so what belongs to it is not known and "
                          "nothing is deleted");
    it->outcome = SR_PRUNE_DROPPED;
    if (rc == SR_OK)
        rc = sr_prune_delete(ctx, store, set, m, last, it, &e);
    sr_manifest_free(m);
    if (rc == SR_E_REFUSED) {
        it->outcome = SR_PRUNE_KEPT;
        rc = reason_set(it, "kept: the clock is ahead of the store's");
        return rc == SR_OK ? sr_error_copy(err, &e) : sr_fail(err, rc, "out of memory");
    }
    if (rc != SR_OK) {
        it->outcome = SR_PRUNE_FAILED;
        if (reason_set(it, e.text) != SR_OK)
            return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
        sr_log(SR_LOG_WARN, "store %s: %s was not deleted: %s", it->store, set->set, e.text);
    }
    if (it->outcome != SR_PRUNE_LOCKED && it->outcome != SR_PRUNE_KEPT)
        audit_purge(ctx, it, &e);
    return SR_OK;
}

/* A dry run goes by the listing: no manifest is fetched for what it only tells. Only where a store
 * locks, and most do not, is each asked about what would go. */
static int drop_one(struct sr_context *ctx, struct sr_store_rw *store, const struct sr_catalog *c,
                    size_t i, int64_t at, struct sr_prune_item *it, int dry_run,
                    struct sr_error *err)
{
    struct sr_error e = SR_ERROR_INIT;
    if (!dry_run)
        return delete_one(ctx, store, &c->sets[i], sr_catalog_is_last(c, i), it, err);
    if ((sr_store_caps(sr_store_ro(store)) & SR_STORE_CAP_LOCK) &&
        sr_prune_look_for_lock(sr_store_ro(store), &c->sets[i], at, it, &e) != SR_OK) {
        it->outcome = SR_PRUNE_FAILED;
        return reason_set(it, e.text) == SR_OK ? SR_OK
                                               : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    if (it->outcome == SR_PRUNE_LOCKED)
        return SR_OK;
    it->outcome = SR_PRUNE_DROPPED;
    it->freed = c->sets[i].data_size;
    return SR_OK;
}

/* A listing that lacks what was stored a moment ago is not whole, whatever it says. */
static int shows(const struct sr_catalog *c, const char *set, struct sr_error *err)
{
    for (size_t i = c->len; i-- > 0;)
        if (c->sets[i].has_manifest && strcmp(c->sets[i].set, set) == 0)
            return SR_OK;
    return sr_fail(err, SR_E_CORRUPT, "its listing does not show %s, which was just stored there",
                   set);
}

static int prune_store(struct sr_context *ctx, struct sr_store_rw *store, const char *source,
                       const char *spare, int64_t at, int dry_run, struct sr_prune_result *ret,
                       size_t *ret_failed, struct sr_error *err)
{
    struct sr_catalog *c = NULL;
    struct sr_retention_verdict *verdicts = NULL;
    const char *name = sr_store_name(sr_store_ro(store));
    int rc = sr_catalog_read(sr_store_ro(store), &c, err);
    if (rc == SR_OK && c->len == 0 && c->objects.len == 0)
        rc = sr_recover_text_check(sr_store_ro(store), err);
    if (rc == SR_OK)
        sr_trust_notice(ctx, sr_store_ro(store), c);
    if (rc == SR_OK && spare)
        rc = shows(c, spare, err);
    if (rc == SR_OK)
        rc = sr_retention_judge_store(ctx, sr_store_ro(store), c, at, &verdicts, err);
    for (size_t i = 0; rc == SR_OK && i < c->len; i++) {
        struct sr_catalog_set *set = &c->sets[i];
        if (!set->has_manifest || (source && strcmp(source, set->source) != 0) ||
            (spare && strcmp(spare, set->set) == 0))
            continue;
        struct sr_prune_item *it = item_add(ret, name, set, verdicts[i].reason);
        if (!it) {
            rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
            break;
        }
        it->kept_until = verdicts[i].kept_until;
        if (!verdicts[i].keep)
            rc = drop_one(ctx, store, c, i, at, it, dry_run, err);
        if (it->outcome == SR_PRUNE_DROPPED || it->outcome == SR_PRUNE_HIDDEN)
            set->has_manifest = 0;
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
