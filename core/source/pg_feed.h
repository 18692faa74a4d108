/* psql or pg_restore as a child that eats a dump.
 *
 *     sr_pg_interrupt_init(&stop, &err);
 *     sr_pg_feed_start(&f, &options, &err);
 *     sr_pg_feed_write(&f, &stop, data, len, &err) ...
 *     sr_pg_feed_finish(&f, &stop, -1, &status, &err);   // its input ends here
 *     if (status != 0) return sr_pg_feed_failure(&f, status, 0, &err);
 *     sr_pg_feed_done(&f); sr_pg_interrupt_done(&stop);
 *
 * What the child prints on standard error is read by a thread of its own, so that neither side can
 * wait for the other, and kept in bounded memory. sr_pg_feed_done ends a child that still runs
 * before it closes the child's input: psql must not take our leaving for the end of the dump.
 * A struct sr_pg_feed stays where it is from start to done. One thread at a time, but for
 * sr_pg_interrupt_set. */
#ifndef SR_SOURCE_PG_FEED_H
#define SR_SOURCE_PG_FEED_H

#include "core/util/excerpt.h"
#include "core/util/subprocess.h"

#include <pthread.h>
#include <stdatomic.h>

/* A request to stop that ends blocked writes and waits; any thread, any number of children. */
struct sr_pg_interrupt {
    int fd; /* readable once set */
    atomic_int set;
};

int sr_pg_interrupt_init(struct sr_pg_interrupt *i, struct sr_error *err);
void sr_pg_interrupt_set(struct sr_pg_interrupt *i);
int sr_pg_interrupt_is_set(const struct sr_pg_interrupt *i);
void sr_pg_interrupt_done(struct sr_pg_interrupt *i);

struct sr_pg_feed {
    struct sr_child child;
    const char *name; /* "psql", for messages */
    pthread_t reader;
    int has_reader;
    int stop_fd; /* tells the reader that the child is gone */
    struct sr_excerpt said;
};

/* What sr_pg_feed_done accepts where nothing was started. */
#define SR_PG_FEED_INIT                       \
    {                                         \
        .child = SR_CHILD_INIT, .stop_fd = -1 \
    }

struct sr_pg_feed_options {
    char *const *argv;
    const struct sr_strlist *env;
    enum sr_child_stream in; /* SR_CHILD_PIPE, or SR_CHILD_NULL where it reads a file */
    const int *keep_fds;     /* ended by -1, or NULL */
    const char *name;        /* lives as long as the feed */
};

int sr_pg_feed_start(struct sr_pg_feed *f, const struct sr_pg_feed_options *o,
                     struct sr_error *err);
/* SR_E_CHILD: the child is gone or reads no more; finish has its status. SR_E_CANCELLED. */
int sr_pg_feed_write(struct sr_pg_feed *f, const struct sr_pg_interrupt *stop, const void *data,
                     size_t len, struct sr_error *err);
/* Ends the child's input and waits for it, at most timeout_ms (< 0: for ever; SR_E_AGAIN).
 * SR_E_CANCELLED ends the child. SR_OK: *ret_status is as waitpid gives it, and all that it printed
 * is here. */
int sr_pg_feed_finish(struct sr_pg_feed *f, const struct sr_pg_interrupt *stop, int timeout_ms,
                      int *ret_status, struct sr_error *err);
/* SR_E_CHILD with how the child ended and the first error it printed. psql counts lines of what it
 * was fed: lines_before are ours, not the dump's. Call after finish. */
int sr_pg_feed_failure(const struct sr_pg_feed *f, int status, unsigned long lines_before,
                       struct sr_error *err);
/* Ends the child. A sr_pg_feed_write that another thread is in then returns SR_E_CHILD: the one
 * call that may be made beside it. done is still to come, once that thread is gone. */
void sr_pg_feed_kill(struct sr_pg_feed *f);
void sr_pg_feed_done(struct sr_pg_feed *f);
/* Overwrites and frees an environment that holds a password. */
void sr_pg_env_wipe(struct sr_strlist *env);

#endif
