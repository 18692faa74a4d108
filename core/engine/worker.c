#include "config.h"
#include "core/engine/worker.h"

#include <stdlib.h>
#include <time.h>

struct queued {
    struct sr_job job;
    struct queued *next;
};

struct sr_worker {
    struct sr_target *target;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct queued *first, **last; /* the first is the one under way */
    size_t pending;               /* posted, and its end has not been called */
    int stopping;
};

static void job_done(struct sr_worker *w, int rc, const struct sr_error *e)
{
    if (rc != SR_OK)
        sr_target_fail(w->target, e);
    pthread_mutex_lock(&w->lock);
    struct queued *q = w->first;
    w->first = q->next;
    if (!w->first)
        w->last = &w->first;
    pthread_mutex_unlock(&w->lock);
    if (q->job.end)
        q->job.end(q->job.arg);
    free(q);
    pthread_mutex_lock(&w->lock);
    w->pending--;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

static void *worker_main(void *arg)
{
    struct sr_worker *w = arg;
    for (;;) {
        struct sr_error e = SR_ERROR_INIT;
        pthread_mutex_lock(&w->lock);
        while (!w->first && !w->stopping)
            pthread_cond_wait(&w->changed, &w->lock);
        struct queued *q = w->first;
        pthread_mutex_unlock(&w->lock);
        if (!q)
            return NULL;
        int rc = w->target->failed ? SR_OK : q->job.run(w->target, q->job.arg, &e);
        job_done(w, rc, &e);
    }
}

static int worker_new(struct sr_target *t, struct sr_error *err)
{
    struct sr_worker *w = calloc(1, sizeof *w);
    pthread_condattr_t ca;
    if (!w)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    pthread_condattr_init(&ca);
    pthread_condattr_setclock(&ca, CLOCK_MONOTONIC);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, &ca);
    pthread_condattr_destroy(&ca);
    w->target = t;
    w->last = &w->first;
    int e = pthread_create(&w->thread, NULL, worker_main, w);
    if (e != 0) {
        pthread_cond_destroy(&w->changed);
        pthread_mutex_destroy(&w->lock);
        free(w);
        return sr_fail_errno(err, e, "cannot start a thread");
    }
    t->worker = w;
    return SR_OK;
}

int sr_worker_post(struct sr_target *t, const struct sr_job *job, struct sr_error *err)
{
    int rc = t->worker ? SR_OK : worker_new(t, err);
    if (rc != SR_OK)
        return rc;
    struct queued *q = calloc(1, sizeof *q);
    if (!q)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    q->job = *job;
    struct sr_worker *w = t->worker;
    pthread_mutex_lock(&w->lock);
    *w->last = q;
    w->last = &q->next;
    w->pending++;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    return SR_OK;
}

int sr_worker_wait(struct sr_target *t, int timeout_ms)
{
    struct sr_worker *w = t->worker;
    struct timespec until;
    int late = 0;
    if (!w)
        return 1;
    sr_clock_deadline(timeout_ms, &until);
    pthread_mutex_lock(&w->lock);
    while (w->pending > 0 && !late)
        late = pthread_cond_timedwait(&w->changed, &w->lock, &until) != 0;
    int idle = w->pending == 0;
    pthread_mutex_unlock(&w->lock);
    return idle;
}

void sr_worker_abort(struct sr_target *t, const struct sr_error *why)
{
    struct sr_worker *w = t->worker;
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    int busy = w->pending > 0;
    for (struct queued *q = w->first; q; q = q->next)
        if (q->job.wake)
            q->job.wake(q->job.arg, why);
    pthread_mutex_unlock(&w->lock);
    if (busy)
        sr_store_cancel(t->store);
}

void sr_worker_stop(struct sr_target *t)
{
    struct sr_worker *w = t->worker;
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->stopping = 1;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    (void)pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    free(w);
    t->worker = NULL;
}
