#include "config.h"
#include "core/engine/context.h"
#include "core/engine/signer.h"

#include <signal.h>
#include <string.h>

void sr_context_init(struct sr_context *c, const struct sr_config *cfg,
                     const struct sr_clock *clock, struct sr_audit *audit, const char *trigger)
{
    memset(c, 0, sizeof *c);
    c->cfg = cfg;
    c->clock = clock;
    c->audit = audit;
    c->trigger = trigger;
    atomic_init(&c->cancelled, 0);
    pthread_mutex_init(&c->lock, NULL);
}

void sr_context_done(struct sr_context *c)
{
    sr_signer_free(c->signer);
    sr_strlist_done(&c->missed);
    sr_strlist_done(&c->missed_from);
    pthread_mutex_destroy(&c->lock);
}

void sr_context_cancel(struct sr_context *c, int signo)
{
    pthread_mutex_lock(&c->lock);
    atomic_store(&c->cancelled, signo ? signo : SIGTERM);
    for (size_t i = 0; i < c->handlers_len; i++)
        c->handlers[i].wake(c->handlers[i].arg);
    pthread_mutex_unlock(&c->lock);
}

void sr_context_on_cancel(struct sr_context *c, void (*wake)(void *arg), void *arg)
{
    pthread_mutex_lock(&c->lock);
    /* Operations register a handful of handlers; when the table were full, the loops that look at
     * `cancelled` still end the run, only later. */
    if (c->handlers_len < SR_CANCEL_HANDLERS_MAX)
        c->handlers[c->handlers_len++] = (struct sr_cancel_handler){wake, arg};
    if (atomic_load(&c->cancelled))
        wake(arg);
    pthread_mutex_unlock(&c->lock);
}

void sr_context_off_cancel(struct sr_context *c, void (*wake)(void *arg), void *arg)
{
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->handlers_len; i++)
        if (c->handlers[i].wake == wake && c->handlers[i].arg == arg) {
            c->handlers[i] = c->handlers[--c->handlers_len];
            break;
        }
    pthread_mutex_unlock(&c->lock);
}

int sr_context_check(const struct sr_context *c, struct sr_error *err)
{
    int signo = atomic_load(&c->cancelled);
    if (!signo)
        return SR_OK;
    return sr_fail(err, SR_E_CANCELLED, "ended by signal %d (%s)", signo, strsignal(signo));
}

void sr_context_progress(const struct sr_context *c, const char *what, uint64_t bytes,
                         uint64_t total)
{
    if (c->progress)
        c->progress(c->progress_ctx, what, bytes, total);
}
