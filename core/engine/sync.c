#include "config.h"
#include "core/engine/sync.h"
#include "core/engine/audit.h"
#include "core/engine/lock.h"
#include "core/engine/recover_text.h"
#include "core/engine/sync_private.h"
#include "core/util/cleanup.h"
#include "core/util/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int open_both(struct sr_sync *s, struct sr_error *err)
{
    const struct sr_sync_options *o = s->o;
    if (strcmp(o->from, o->to) == 0)
        return sr_fail(err, SR_E_USAGE, "%s cannot be synced with itself; name two stores",
                       o->from);
    int rc = sr_sync_side_open(&s->from, s->ctx, o->from, 1, err);
    if (rc == SR_OK)
        rc = sr_sync_side_open(&s->to, s->ctx, o->to, o->dry_run, err);
    if (rc == SR_OK && strcmp(sr_store_place(s->from.store), sr_store_place(s->to.store)) == 0)
        rc = sr_fail(err, SR_E_CONFIG, "the stores %s and %s are one place, %s", s->from.name,
                     s->to.name, sr_store_place(s->to.store));
    if (rc == SR_OK)
        rc = sr_store_lock_until(s->to.store, s->now, &s->lock_until, err);
    return rc;
}

/* Two syncs into one store would only do each other's work twice. '@' is in no source's name, whose
 * locks lie in the same folder. */
static int lock_take(struct sr_sync *s, struct sr_lock **ret, struct sr_error *err)
{
    _cleanup_free_ char *state = NULL;
    char name[128];
    if (s->o->dry_run)
        return SR_OK;
    (void)snprintf(name, sizeof name, "sync@%s", s->to.name);
    int rc = sr_config_state_dir(s->ctx->cfg, &state, err);
    return rc == SR_OK ? sr_lock_take(state, name, ret, err) : rc;
}

static void count(struct sr_sync_result *r)
{
    for (size_t i = 0; i < r->len; i++) {
        enum sr_sync_outcome o = r->items[i].outcome;
        r->counts[o]++;
        if (o == SR_SYNC_COPIED || o == SR_SYNC_REPAIRED || o == SR_SYNC_ADDED)
            r->bytes += r->items[i].bytes;
    }
}

/* What was planned and not come to, because something ended the run: none of it happened. */
static void undone(struct sr_sync *s, const struct sr_error *why)
{
    for (size_t i = 0; i < s->result->len; i++) {
        struct sr_sync_item *it = &s->result->items[i];
        /* What a dry run would copy or delete whole it has said already. */
        if (s->work[i].todo == SR_SYNC_NOTHING ||
            (s->o->dry_run && s->work[i].todo != SR_SYNC_INSPECT))
            continue;
        it->bytes = 0;
        it->objects = 0;
        if (s->work[i].todo == SR_SYNC_GONE)
            sr_sync_say(it, SR_SYNC_KEPT, "not in %s, but the run ended before it was deleted: %s",
                        s->from.name, why->text);
        else
            sr_sync_say(it, SR_SYNC_FAILED, "not begun: %s", why->text);
    }
}

/* What the run came to, when nothing ended it. */
static int judge(const struct sr_sync *s, struct sr_error *err)
{
    const size_t *n = s->result->counts;
    size_t good = n[SR_SYNC_SAME] + n[SR_SYNC_COPIED] + n[SR_SYNC_REPAIRED] + n[SR_SYNC_ADDED] +
                  n[SR_SYNC_SKIPPED] + n[SR_SYNC_DELETED] + n[SR_SYNC_KEPT];
    size_t bad = n[SR_SYNC_FAILED] + n[SR_SYNC_REFUSED];
    if (n[SR_SYNC_CORRUPT] > 0)
        return sr_fail(err, SR_E_CORRUPT,
                       "%zu backup%s damaged in store %s and %s not copied; the first: %s",
                       n[SR_SYNC_CORRUPT], n[SR_SYNC_CORRUPT] == 1 ? " is" : "s are", s->from.name,
                       n[SR_SYNC_CORRUPT] == 1 ? "was" : "were", s->corrupt.text);
    if (bad == 0)
        return SR_OK;
    const struct sr_error *why = s->first.code != SR_OK ? &s->first : &s->refused;
    if (good > 0)
        return sr_fail(err, SR_E_PARTIAL, "%zu of %zu backups are not in step in store %s: %s", bad,
                       s->result->len, s->to.name, why->code != SR_OK ? why->text : "see the list");
    if (n[SR_SYNC_FAILED] == 0)
        return sr_fail(err, SR_E_REFUSED, "%s", why->code != SR_OK ? why->text : "see the list");
    return sr_error_copy(err, why);
}

static int run(struct sr_sync *s, struct sr_error *err)
{
    int rc = open_both(s, err);
    if (rc != SR_OK)
        return rc;
    _cleanup_(sr_lock_releasep) struct sr_lock *lock = NULL;
    rc = lock_take(s, &lock, err);
    if (rc == SR_OK) {
        sr_context_progress(s->ctx, "listing", 0, SR_SIZE_UNKNOWN);
        rc = sr_sync_side_list(&s->from, s->ctx, err);
    }
    /* An empty folder where a disk is not mounted, another bucket: not the store that was meant. */
    if (rc == SR_OK && s->from.index.len == 0)
        rc = sr_recover_text_check(s->from.store, err);
    if (rc == SR_OK)
        rc = sr_sync_side_list(&s->to, s->ctx, err);
    if (rc == SR_OK)
        rc = sr_context_check(s->ctx, err);
    if (rc == SR_OK)
        rc = sr_sync_plan(s, err);
    if (rc != SR_OK) {
        sr_sync_result_done(s->result); /* nothing was touched, so nothing of it is so */
        return rc;
    }
    if (s->result->len == 0)
        sr_log(SR_LOG_WARN, "store %s holds no backup: is it the right place?", s->from.name);
    rc = sr_sync_lanes_run(s, err);
    if (rc == SR_OK)
        rc = sr_context_check(s->ctx, err);
    if (rc == SR_OK && atomic_load(&s->wrote))
        sr_recover_text_save(s->to.rw);
    if (rc == SR_OK)
        rc = sr_sync_delete(s, err);
    if (rc != SR_OK)
        undone(s, err);
    count(s->result);
    return rc == SR_OK ? judge(s, err) : rc;
}

static void tell_end(const struct sr_sync *s, int rc, const struct sr_error *err)
{
    char copied[32], bytes[32], deleted[32];
    const size_t *n = s->result->counts;
    (void)snprintf(copied, sizeof copied, "%zu",
                   n[SR_SYNC_COPIED] + n[SR_SYNC_REPAIRED] + n[SR_SYNC_ADDED]);
    (void)snprintf(bytes, sizeof bytes, "%" PRIu64, s->result->bytes);
    (void)snprintf(deleted, sizeof deleted, "%zu", n[SR_SYNC_DELETED]);
    sr_audit_event(s->ctx->audit, rc == SR_OK ? "db_sync_succeeded" : "db_sync_failed", "trigger",
                   s->ctx->trigger, "outcome",
                   rc == SR_OK ? "success" : (rc == SR_E_PARTIAL ? "partial" : "failure"), "from",
                   s->o->from, "to", s->o->to, "#copied", copied, "#size_bytes", bytes, "#deleted",
                   deleted, "error", rc == SR_OK ? NULL : err->text, NULL);
}

int sr_sync_run(struct sr_context *ctx, const struct sr_sync_options *o, struct sr_sync_result *ret,
                struct sr_error *err)
{
    struct sr_error own = SR_ERROR_INIT;
    struct sr_sync s = {.ctx = ctx,
                        .o = o,
                        .result = ret,
                        .now = sr_clock_now(ctx->clock),
                        .first = SR_ERROR_INIT,
                        .corrupt = SR_ERROR_INIT,
                        .refused = SR_ERROR_INIT};
    if (!err)
        err = &own;
    if (!o->dry_run)
        sr_audit_event(ctx->audit, "db_sync_started", "trigger", ctx->trigger, "from", o->from,
                       "to", o->to, "delete", o->delete_gone ? "yes" : "no", NULL);
    int rc = run(&s, err);
    if (!o->dry_run)
        tell_end(&s, rc, err);
    sr_sync_side_close(&s.from, ctx);
    sr_sync_side_close(&s.to, ctx);
    free(s.work);
    free(s.sources);
    return rc;
}

void sr_sync_result_done(struct sr_sync_result *r)
{
    for (size_t i = 0; i < r->len; i++)
        free(r->items[i].reason);
    free(r->items);
    *r = (struct sr_sync_result){0};
}
