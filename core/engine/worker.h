/* The thread of one store: does what it is given, one thing after the other.
 *
 *     sr_worker_post(t, &job, &err)    // the thread starts with the first
 *     sr_worker_wait(t, 200)           // nonzero: all is done
 *     sr_worker_stop(t)                // joins; afterwards t is the caller's alone
 *
 * When a job fails, the target is marked failed and the jobs after it are only skipped. job.end is
 * called exactly once for each, on the thread, whether it ran or not.
 */
#ifndef SR_ENGINE_WORKER_H
#define SR_ENGINE_WORKER_H

#include "core/engine/transfer.h"

struct sr_job {
    int (*run)(struct sr_target *t, void *arg, struct sr_error *err);
    void (*end)(void *arg); /* may be NULL */
    void *arg;
    /* The run was told to stop: makes a blocked run return soon. Any thread, before end. NULL: it
     * cannot block on anything but the store. */
    void (*wake)(void *arg, const struct sr_error *why);
};

/* Takes the job on success only. */
int sr_worker_post(struct sr_target *t, const struct sr_job *job, struct sr_error *err);
/* Nonzero when nothing is left to do. */
int sr_worker_wait(struct sr_target *t, int timeout_ms);
/* Wakes everything that was posted, with this reason, and cancels the store's call under way. The
 * store stays cancelled until sr_store_resume. */
void sr_worker_abort(struct sr_target *t, const struct sr_error *why);
void sr_worker_stop(struct sr_target *t);

#endif
