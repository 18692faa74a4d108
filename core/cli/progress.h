/* Progress of long work on standard error: one line that is drawn again on a terminal, otherwise a
 * log line at most once a minute.
 *
 *     sr_progress_init(&p, STDERR_FILENO, clock, wanted);
 *     ctx.progress = sr_progress_show; ctx.progress_ctx = &p;
 *     ... the operation calls it on its own thread ...
 *     sr_progress_done(&p);             // takes the line off the terminal
 *
 * Log lines from any thread clear the drawn line first (the logger's hook); it comes back with the
 * next call. One progress at a time in a process, because a process has one terminal. */
#ifndef SR_CLI_PROGRESS_H
#define SR_CLI_PROGRESS_H

#include "core/util/clock.h"

#include <stddef.h>
#include <stdint.h>

struct sr_progress {
    const struct sr_clock *clock;
    int fd;
    int terminal;
    int wanted;
    char what[128];
    int64_t began;  /* monotonic nanoseconds: when `what` began */
    int64_t shown;  /* when it was last shown */
    uint64_t first; /* bytes at `began`: a rate counts only what moved since */
    uint64_t last;
};

/* wanted 0: show nothing. Whether fd is a terminal decides about the form; TERM=dumb is none. */
void sr_progress_init(struct sr_progress *p, int fd, const struct sr_clock *clock, int wanted);
/* Shape of sr_context.progress; total UINT64_MAX: unknown. */
void sr_progress_show(void *progress, const char *what, uint64_t bytes, uint64_t total);
void sr_progress_done(struct sr_progress *p);
/* Takes a drawn line off its terminal until the next call of show; for what writes there itself. */
void sr_progress_clear(void);

/* The line's text, at most width columns (0: any): "app: 120 MiB of 768 MiB, 40.0 MiB/s, 0:16
 * left". moved bytes in seconds give the rate; without either it is left out. Pure. */
void sr_progress_text(const char *what, uint64_t bytes, uint64_t total, uint64_t moved,
                      double seconds, size_t width, char *out, size_t cap);

#endif
