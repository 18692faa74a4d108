/* The threads of a sync. Each has a handle of both stores and takes one set after the other; the
 * thread that runs the sync tells the progress meanwhile. */
#include "config.h"
#include "core/engine/audit.h"
#include "core/engine/sync_private.h"
#include "core/engine/watch.h"
#include "core/util/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* So many failures without a success between them, of a kind that the next set will meet as well,
 * end the run: each may have cost minutes of tries. */
#define GIVE_UP_AFTER 3

static int is_of_a_store(int rc)
{
    return rc == SR_E_UNAVAILABLE || rc == SR_E_TIMEOUT || rc == SR_E_THROTTLED ||
           rc == SR_E_DENIED || rc == SR_E_NO_SPACE || rc == SR_E_INTERNAL;
}

/* --- one set after the other --- */

static void keep_first(struct sr_error *first, const struct sr_error *e)
{
    if (first->code == SR_OK)
        *first = *e;
}

static void judge(struct sr_sync *s, const struct sr_sync_item *it, int rc,
                  const struct sr_error *e)
{
    (void)pthread_mutex_lock(&s->lock);
    if (it->outcome == SR_SYNC_CORRUPT)
        keep_first(&s->corrupt, e);
    else if (it->outcome == SR_SYNC_REFUSED)
        keep_first(&s->refused, e);
    else if (it->outcome == SR_SYNC_FAILED)
        keep_first(&s->first, e);
    (void)pthread_mutex_unlock(&s->lock);
    if (!is_of_a_store(rc))
        atomic_store(&s->in_a_row, 0);
    else if (atomic_fetch_add(&s->in_a_row, 1) + 1 >= GIVE_UP_AFTER)
        atomic_store(&s->given_up, 1);
}

static void tell(const struct sr_sync *s, const struct sr_sync_item *it, int rc)
{
    char bytes[32], objects[32];
    if (rc != SR_OK)
        sr_log(SR_LOG_WARN, "%s of %s was not brought into store %s: %s", it->set, it->source,
               s->to.name, it->reason ? it->reason : "out of memory");
    if (s->o->dry_run || (rc == SR_OK && it->objects == 0))
        return;
    (void)snprintf(bytes, sizeof bytes, "%" PRIu64, it->bytes);
    (void)snprintf(objects, sizeof objects, "%zu", it->objects);
    sr_audit_event(s->ctx->audit, "db_backup_synced", "trigger", s->ctx->trigger, "outcome",
                   rc == SR_OK ? "success" : "failure", "set", it->set, "source", it->source,
                   "from", s->from.name, "to", s->to.name, "#objects", objects, "#size_bytes",
                   bytes, rc == SR_OK ? "reason" : "error", it->reason, NULL);
}

static void do_one(struct sr_sync_lane *l, size_t i)
{
    struct sr_sync *s = l->s;
    struct sr_sync_item *it = &s->result->items[i];
    struct sr_error e = SR_ERROR_INIT;
    (void)pthread_mutex_lock(&s->lock);
    (void)snprintf(s->what, sizeof s->what, "%s to %s", it->set, s->to.name);
    (void)pthread_mutex_unlock(&s->lock);
    int rc = sr_sync_set(l, &s->work[i], it, &e);
    if (rc == SR_E_CANCELLED || sr_context_check(s->ctx, NULL) != SR_OK) {
        if (rc != SR_OK)
            sr_sync_say(it, SR_SYNC_FAILED, "cut off; the next sync goes on with it");
        return;
    }
    judge(s, it, rc, &e);
    tell(s, it, rc);
}

static int has_work(const struct sr_sync *s, size_t i)
{
    /* What is missing as a whole is told by the listings: a dry run need not open it. */
    return s->work[i].todo == SR_SYNC_INSPECT ||
           (s->work[i].todo == SR_SYNC_WHOLE && !s->o->dry_run);
}

static void *lane_run(void *arg)
{
    struct sr_sync_lane *l = arg;
    struct sr_sync *s = l->s;
    for (;;) {
        size_t i = atomic_fetch_add(&s->next, 1);
        if (i >= s->result->len)
            break;
        if (!has_work(s, i))
            continue;
        if (sr_context_check(s->ctx, NULL) != SR_OK)
            sr_sync_say(&s->result->items[i], SR_SYNC_FAILED, "not begun: the run was ended");
        else if (atomic_load(&s->given_up))
            sr_sync_say(&s->result->items[i], SR_SYNC_FAILED,
                        "not begun, after %d failures in a row", GIVE_UP_AFTER);
        else
            do_one(l, i);
        s->work[i].todo = SR_SYNC_NOTHING;
    }
    (void)pthread_mutex_lock(&s->lock);
    s->running--;
    (void)pthread_cond_signal(&s->changed);
    (void)pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* --- the lanes --- */

/* The first lane has the handles that listed. Others open their own; a plugin says how many there
 * may be, and with fewer there are fewer lanes. */
static int lane_open(struct sr_sync_lane *l, struct sr_sync *s, size_t number, struct sr_error *err)
{
    const struct sr_config *cfg = s->ctx->cfg;
    *l = (struct sr_sync_lane){.s = s, .from = s->from.rw, .to = s->to.rw};
    if (number == 0)
        return SR_OK;
    int rc = sr_stores_open_as(cfg, s->from.name, 1, &l->from_stores, err);
    if (rc == SR_OK) {
        sr_watch_stores(s->ctx, &l->from_stores);
        rc = sr_stores_open_as(cfg, s->to.name, s->o->dry_run, &l->to_stores, err);
    }
    if (rc != SR_OK)
        return rc;
    sr_watch_stores(s->ctx, &l->to_stores);
    l->from = l->from_stores.items[0];
    l->to = l->to_stores.items[0];
    return SR_OK;
}

static void lane_close(struct sr_sync_lane *l)
{
    sr_unwatch_stores(l->s->ctx, &l->from_stores);
    sr_unwatch_stores(l->s->ctx, &l->to_stores);
    sr_stores_close(&l->from_stores);
    sr_stores_close(&l->to_stores);
}

static void wait_for_all(struct sr_sync *s)
{
    (void)pthread_mutex_lock(&s->lock);
    while (s->running > 0) {
        struct timespec until;
        char what[sizeof s->what];
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += 200000000;
        if (until.tv_nsec >= 1000000000) {
            until.tv_sec++;
            until.tv_nsec -= 1000000000;
        }
        (void)pthread_cond_timedwait(&s->changed, &s->lock, &until);
        memcpy(what, s->what, sizeof what);
        (void)pthread_mutex_unlock(&s->lock);
        if (*what)
            sr_context_progress(s->ctx, what, atomic_load(&s->done), atomic_load(&s->total));
        (void)pthread_mutex_lock(&s->lock);
    }
    (void)pthread_mutex_unlock(&s->lock);
}

static size_t lanes_wanted(const struct sr_sync *s)
{
    size_t n = 0, most = s->o->jobs ? s->o->jobs : 1;
    for (size_t i = 0; i < s->result->len && n < most; i++)
        n += has_work(s, i) != 0;
    return n < SR_SYNC_JOBS_MAX ? n : SR_SYNC_JOBS_MAX;
}

int sr_sync_lanes_run(struct sr_sync *s, struct sr_error *err)
{
    size_t wanted = lanes_wanted(s), n = 0;
    struct sr_error e = SR_ERROR_INIT;
    pthread_condattr_t ca;
    if (wanted == 0)
        return SR_OK;
    struct sr_sync_lane *lanes = calloc(wanted, sizeof *lanes);
    if (!lanes)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < s->result->len; i++)
        if (has_work(s, i))
            atomic_fetch_add(&s->total, s->result->items[i].bytes);
    (void)pthread_condattr_init(&ca);
    (void)pthread_condattr_setclock(&ca, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&s->lock, NULL);
    (void)pthread_cond_init(&s->changed, &ca);
    (void)pthread_condattr_destroy(&ca);
    /* All are opened before one begins: s->running is then never seen too low. */
    int rc = SR_OK;
    for (; n < wanted && rc == SR_OK; n += rc == SR_OK)
        if ((rc = lane_open(&lanes[n], s, n, &e)) != SR_OK)
            lane_close(&lanes[n]);
    if (n < wanted)
        sr_log(SR_LOG_VERBOSE, "syncing %zu sets at a time and not %zu: %s", n, wanted, e.text);
    s->running = n;
    size_t started = 0;
    for (; started < n; started++) {
        int no = pthread_create(&lanes[started].thread, NULL, lane_run, &lanes[started]);
        if (no != 0) {
            (void)pthread_mutex_lock(&s->lock);
            s->running -= n - started;
            (void)pthread_mutex_unlock(&s->lock);
            rc = started > 0 ? SR_OK : sr_fail_errno(err, no, "cannot start a thread");
            break;
        }
        rc = SR_OK;
    }
    wait_for_all(s);
    for (size_t i = 0; i < started; i++)
        (void)pthread_join(lanes[i].thread, NULL);
    for (size_t i = 0; i < n; i++)
        lane_close(&lanes[i]);
    free(lanes);
    (void)pthread_cond_destroy(&s->changed);
    (void)pthread_mutex_destroy(&s->lock);
    return rc;
}
