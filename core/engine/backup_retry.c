/* A second attempt for the stores that failed, from one that has the whole set. */
#include "config.h"
#include "core/engine/audit.h"
#include "core/engine/relay.h"
#include "core/engine/run.h"
#include "core/engine/watch.h"
#include "core/util/log.h"

#include <string.h>

static struct sr_target *first_good(struct sr_run *r)
{
    for (size_t i = 0; i < r->crew.len; i++)
        if (!r->targets[i].failed)
            return &r->targets[i];
    return NULL;
}

/* What may be there and may be wrong goes first: nothing is ever replaced. */
static int clear_doubt(struct sr_target *t, struct sr_error *err)
{
    enum sr_store_deletion how = SR_DELETION_DONE;
    if (!t->doubtful || t->saved.len == 0)
        return SR_OK;
    const char *key = t->saved.items[t->saved.len - 1];
    int rc = sr_store_delete(t->store, key, &how, NULL, err);
    if (rc == SR_OK && how == SR_DELETION_LOCKED)
        rc = sr_fail(err, SR_E_LOCKED, "store %s keeps %s locked",
                     sr_store_name(sr_store_ro(t->store)), key);
    if (rc != SR_OK)
        return rc;
    sr_strlist_remove(&t->saved, t->saved.len - 1);
    t->doubtful = 0;
    return SR_OK;
}

static int copy_object(struct sr_run *r, struct sr_target *from, struct sr_target *t,
                       const struct sr_manifest_object *o, struct sr_error *err)
{
    const struct sr_relay relay = {r->ctx, from->store, o->key, o->size, o->sha256};
    const struct sr_store_object how = {.key = o->key, .retain_until = t->retain_until};
    struct sr_store_saved saved = {0};
    if (sr_strlist_has(&t->saved, o->key))
        return SR_OK;
    int rc = sr_journal_key(r->journal, o->key, err);
    if (rc != SR_OK)
        return rc;
    rc = sr_relay_run(&relay, &how, t->store, &saved, err);
    if (rc == SR_OK && saved.sha256_confirmed && strcmp(saved.sha256, o->sha256) != 0)
        rc = sr_fail(err, SR_E_CORRUPT, "store %s says that %s has the digest %s, and it is %s",
                     sr_store_name(sr_store_ro(t->store)), o->key, saved.sha256, o->sha256);
    if (rc == SR_OK || rc == SR_E_IN_DOUBT || *saved.key) {
        int noted = sr_target_record(t, o->key, rc != SR_OK, err);
        rc = rc == SR_OK ? noted : rc;
    }
    return rc;
}

static int once_more(struct sr_run *r, struct sr_target *from, struct sr_target *t,
                     struct sr_error *err)
{
    const struct sr_manifest *m = r->result->manifest;
    int rc = clear_doubt(t, err);
    if (rc == SR_OK)
        rc = sr_run_claim(r, t, err);
    for (size_t i = 0; rc == SR_OK && i < m->objects_len; i++)
        rc = copy_object(r, from, t, &m->objects[i], err);
    return rc == SR_OK ? sr_run_commit_in(t, r, err) : rc;
}

static void retry_one(struct sr_run *r, size_t i)
{
    struct sr_target *t = &r->targets[i], *from = first_good(r);
    struct sr_error first = t->error, again = SR_ERROR_INIT;
    const char *name = r->result->stores[i].name, *source = NULL;
    int64_t start = sr_clock_monotonic(r->ctx->clock);
    if (!from || sr_context_check(r->ctx, NULL) != SR_OK)
        return;
    source = sr_store_name(sr_store_ro(from->store));
    sr_log(SR_LOG_WARN, "store %s failed; once more, from store %s: %s", name, source, first.text);
    t->failed = 0;
    sr_error_clear(&t->error);
    int rc = once_more(r, from, t, &again);
    t->busy_ns += sr_clock_monotonic(r->ctx->clock) - start;
    r->result->stores[i].retried = 1;
    if (rc != SR_OK) {
        sr_error_append(&first, "; a second attempt, from store %s: %s", source, again.text);
        if (again.code == SR_E_CANCELLED)
            first.code = SR_E_CANCELLED;
        sr_target_fail(t, &first);
        return;
    }
    sr_log(SR_LOG_INFO, "store %s has the backup now", name);
    sr_audit_event(r->ctx->audit, "db_backup_store_retried", "trigger", r->ctx->trigger, "outcome",
                   "success", "store", name, "from", source, "set", r->set, "error", first.text,
                   NULL);
}

/* A store that could not be opened, opened now; it takes the place after those that could. */
static int reopen(struct sr_run *r, size_t k, struct sr_error *err)
{
    size_t at = r->stores.len;
    struct sr_backup_store told = r->result->stores[at + k];
    struct sr_error first = r->stores.closed[k].error;
    int rc = sr_stores_retry(r->ctx->cfg, &r->stores, k, err);
    if (rc != SR_OK)
        return rc;
    memmove(&r->result->stores[at + 1], &r->result->stores[at], k * sizeof told);
    r->result->stores[at] = told;
    r->targets[at] = (struct sr_target){.store = r->stores.items[at]};
    r->crew.len = r->stores.len;
    sr_target_fail(&r->targets[at], &first);
    sr_watch_store(r->ctx, r->stores.items[at]);
    rc = sr_run_store_demands(r, &r->targets[at], err);
    if (rc != SR_OK)
        sr_error_copy(&r->targets[at].error, err);
    return rc;
}

void sr_run_retry(struct sr_run *r)
{
    size_t opened = r->stores.len;
    if (!first_good(r))
        return;
    for (size_t k = 0; k < r->stores.closed_len;) {
        struct sr_error e = SR_ERROR_INIT;
        size_t before = r->stores.len;
        if (!sr_target_worth_again(r->stores.closed[k].error.code) ||
            sr_context_check(r->ctx, NULL) != SR_OK) {
            k++;
            continue;
        }
        int rc = reopen(r, k, &e);
        if (r->stores.len == before) {
            sr_log(SR_LOG_WARN, "store %s could not be opened at a second attempt either: %s",
                   r->stores.closed[k].name, e.text);
            k++;
        } else if (rc == SR_OK) {
            retry_one(r, before);
        }
    }
    for (size_t i = 0; i < opened; i++)
        if (r->targets[i].failed && sr_target_worth_again(r->targets[i].error.code))
            retry_one(r, i);
}
