#include "config.h"
#include "core/cli/signals.h"
#include "core/cli/exit.h"
#include "core/engine/context.h"
#include "core/util/log.h"

#include <string.h>
#include <unistd.h>

void sr_signals_prepare(struct sr_signals *s)
{
    static const int wanted[] = {SIGINT, SIGTERM, SIGHUP};
    memset(s, 0, sizeof *s);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGPIPE, &ignore, NULL);
    (void)sigemptyset(&s->watched);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        struct sigaction now;
        if (sigaction(wanted[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
            (void)sigaddset(&s->watched, wanted[i]);
    }
    (void)pthread_sigmask(SIG_BLOCK, &s->watched, &s->before);
}

static void *watch(void *arg)
{
    struct sr_signals *s = arg;
    int first = 0;
    for (;;) {
        int signo = 0, off;
        if (sigwait(&s->watched, &signo) != 0)
            continue;
        /* Not to be ended between a lock and its release: only the wait is a place to stop. */
        (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &off);
        if (first)
            _exit(SR_EXIT_SIGNAL + signo);
        first = signo;
        sr_log(SR_LOG_WARN, "got %s: stopping and cleaning up; a second signal ends at once",
               signo == SIGINT    ? "SIGINT"
               : signo == SIGTERM ? "SIGTERM"
                                  : "SIGHUP");
        sr_context_cancel(s->ctx, signo);
        (void)pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &off);
    }
    return NULL;
}

int sr_signals_watch(struct sr_signals *s, struct sr_context *ctx, struct sr_error *err)
{
    s->ctx = ctx;
    int rc = pthread_create(&s->thread, NULL, watch, s);
    if (rc != 0)
        return sr_fail_errno(err, rc, "cannot start the thread that watches for signals");
    s->running = 1;
    return SR_OK;
}

void sr_signals_done(struct sr_signals *s)
{
    if (s->running) {
        (void)pthread_cancel(s->thread);
        (void)pthread_join(s->thread, NULL);
        s->running = 0;
    }
    (void)pthread_sigmask(SIG_SETMASK, &s->before, NULL);
}
