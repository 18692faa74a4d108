/* What every operation of the engine is handed: settings, clock, who asked, and the way to stop.
 *
 *     struct sr_context ctx;
 *     sr_context_init(&ctx, cfg, &sr_clock_system, audit, "cli");
 *     ... sr_backup_run(&ctx, ...) ...              // on the thread that lives longest: children
 * are
 *                                                   // bound to the thread that starts them
 *     on a signal, from a watcher thread: sr_context_cancel(&ctx, SIGTERM)
 *     sr_context_done(&ctx)
 *
 * Operations register what must be woken to stop (a pipeline, a store, a child) with
 * sr_context_on_cancel; a registration made after the cancellation is called at once, so that no
 * moment is lost between looking and registering. Handlers run on the cancelling thread under the
 * context's lock: they only wake, never wait, and never call back into the context.
 */
#ifndef SR_ENGINE_CONTEXT_H
#define SR_ENGINE_CONTEXT_H

#include "core/config/config.h"
#include "core/util/clock.h"
#include "core/util/strlist.h"

#include <pthread.h>
#include <stdatomic.h>

struct sr_audit;
struct sr_signer;

#define SR_CANCEL_HANDLERS_MAX 64

struct sr_cancel_handler {
    void (*wake)(void *arg);
    void *arg;
};

struct sr_context {
    const struct sr_config *cfg;
    const struct sr_clock *clock;
    struct sr_audit *audit; /* may be NULL */
    const char *trigger;    /* cli, scheduled, api */
    atomic_int cancelled;   /* the signal that asked for the end; 0: none */
    /* What is happening now, bytes so far, total or SR_SIZE_UNKNOWN; may be NULL. Called on the
     * thread that runs the operation, a few times a second. */
    void (*progress)(void *ctx, const char *what, uint64_t bytes, uint64_t total);
    void *progress_ctx;
    pthread_mutex_t lock;
    struct sr_cancel_handler handlers[SR_CANCEL_HANDLERS_MAX];
    size_t handlers_len;
    /* Of trust.h; guarded by the lock. */
    struct sr_signer *signer; /* the keys, once they were read; NULL: none is set */
    int signer_read;
    struct sr_strlist missed;      /* what was warned about: newest sets that are gone */
    struct sr_strlist missed_from; /* "store@source" of each */
};

void sr_context_init(struct sr_context *c, const struct sr_config *cfg,
                     const struct sr_clock *clock, struct sr_audit *audit, const char *trigger);
void sr_context_done(struct sr_context *c);
/* Sets cancelled and wakes everything registered. Any thread, not from a signal handler. */
void sr_context_cancel(struct sr_context *c, int signo);
void sr_context_on_cancel(struct sr_context *c, void (*wake)(void *arg), void *arg);
/* After it returns, wake is not running and will not be called with arg. */
void sr_context_off_cancel(struct sr_context *c, void (*wake)(void *arg), void *arg);
/* SR_E_CANCELLED when the end was asked for, else SR_OK. */
int sr_context_check(const struct sr_context *c, struct sr_error *err);
void sr_context_progress(const struct sr_context *c, const char *what, uint64_t bytes,
                         uint64_t total);

#endif
