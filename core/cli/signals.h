/* Signals, watched on a thread of their own.
 *
 *     sr_signals_prepare(&s);            // before any thread: blocks them, SIGPIPE is ignored
 *     sr_signals_watch(&s, ctx, &err);   // the first one asks ctx to stop, a second ends at once
 *     ... the operation ...
 *     sr_signals_done(&s);               // ends the watcher, gives the signals back
 *
 * SIGINT, SIGTERM and SIGHUP, but for those that were ignored when the program began (nohup, a
 * shell's background job). Ending at once is safe: children die with this process, and what a run
 * leaves without its manifest is no backup and is swept later. */
#ifndef SR_CLI_SIGNALS_H
#define SR_CLI_SIGNALS_H

#include "core/util/error.h"

#include <pthread.h>
#include <signal.h>

struct sr_context;

struct sr_signals {
    sigset_t watched;
    sigset_t before;
    struct sr_context *ctx;
    pthread_t thread;
    int running;
};

void sr_signals_prepare(struct sr_signals *s);
/* ctx must live until sr_signals_done. */
int sr_signals_watch(struct sr_signals *s, struct sr_context *ctx, struct sr_error *err);
void sr_signals_done(struct sr_signals *s);

#endif
