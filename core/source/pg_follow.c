#include "config.h"
#include "core/source/pg_follow.h"

#include "core/util/cleanup.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PIECE 262144

struct sr_pg_follow {
    struct sr_pg_feed feed;
    struct sr_pg_follow_where where;
    const struct sr_pg_interrupt *stop;
    char *piece;

    pthread_t thread;
    int has_thread;
    pthread_mutex_t mutex;
    pthread_cond_t moved;
    /* under the mutex */
    uint64_t size, end;
    int abandoned; /* nobody waits for the rows any more */
    int fed;       /* the thread has ended; rc and why are its result */
    int rc;
    struct sr_error why;

    int loaded; /* the child ended well */
};

int sr_pg_follow_new(const struct sr_pg_follow_where *w, const struct sr_pg_interrupt *stop,
                     struct sr_pg_follow **ret, struct sr_error *err)
{
    struct sr_pg_follow *f = calloc(1, sizeof *f);
    char *piece = malloc(PIECE);
    pthread_condattr_t attr;
    if (!f || !piece) {
        free(f);
        free(piece);
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    f->feed = (struct sr_pg_feed)SR_PG_FEED_INIT;
    f->where = *w;
    f->stop = stop;
    f->piece = piece;
    f->why = (struct sr_error)SR_ERROR_INIT;
    (void)pthread_mutex_init(&f->mutex, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&f->moved, &attr);
    (void)pthread_condattr_destroy(&attr);
    *ret = f;
    return SR_OK;
}

struct sr_pg_feed *sr_pg_follow_feed(struct sr_pg_follow *f)
{
    return &f->feed;
}

int sr_pg_follow_id(const struct sr_pg_follow *f)
{
    return f->where.id;
}

/* Hands over what lies between from and to. */
static int hand_over(struct sr_pg_follow *f, uint64_t from, uint64_t to, struct sr_error *err)
{
    while (from < to) {
        size_t want = to - from < PIECE ? (size_t)(to - from) : PIECE;
        ssize_t n = pread(f->where.fd, f->piece, want, (off_t)from);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return sr_fail_errno(err, errno, "reading the unpacked archive at byte %llu",
                                 (unsigned long long)from);
        if (n == 0)
            return sr_fail(err, SR_E_IO, "the unpacked archive ends at byte %llu, too early",
                           (unsigned long long)from);
        int rc = sr_pg_feed_write(&f->feed, f->stop, f->piece, (size_t)n, err);
        if (rc != SR_OK)
            return rc;
        from += (uint64_t)n;
    }
    return SR_OK;
}

/* Waits until there is something after pos: the byte up to which it is there, or pos itself when
 * the block has come to its end or nobody waits for it. */
static uint64_t wait_for(struct sr_pg_follow *f, uint64_t pos)
{
    (void)pthread_mutex_lock(&f->mutex);
    for (;;) {
        uint64_t upto = f->end && f->end < f->size ? f->end : f->size;
        if (f->abandoned || upto > pos || f->end) {
            uint64_t there = f->abandoned || upto < pos ? pos : upto;
            (void)pthread_mutex_unlock(&f->mutex);
            return there;
        }
        (void)pthread_cond_wait(&f->moved, &f->mutex);
    }
}

static void *follow_main(void *arg)
{
    struct sr_pg_follow *f = arg;
    struct sr_error why = SR_ERROR_INIT;
    uint64_t pos = f->where.block_at;
    int rc = SR_OK;
    while (rc == SR_OK) {
        uint64_t there = wait_for(f, pos);
        if (there == pos)
            break;
        rc = hand_over(f, pos, there, &why);
        pos = there;
    }
    (void)pthread_mutex_lock(&f->mutex);
    f->fed = 1;
    f->rc = rc;
    sr_error_copy(&f->why, &why);
    (void)pthread_cond_broadcast(&f->moved);
    (void)pthread_mutex_unlock(&f->mutex);
    return NULL;
}

int sr_pg_follow_start(struct sr_pg_follow *f, struct sr_error *err)
{
    sigset_t all, before;
    int rc = hand_over(f, 0, f->where.toc_size, err);
    if (rc != SR_OK)
        return rc;
    /* One of ours alone: signals are for the program's own threads. */
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int e = pthread_create(&f->thread, NULL, follow_main, f);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    f->has_thread = e == 0;
    return e == 0 ? SR_OK
                  : sr_fail_errno(err, e,
                                  "cannot start a thread to restore a table while the "
                                  "archive unpacks");
}

void sr_pg_follow_grown(struct sr_pg_follow *f, uint64_t size, uint64_t end)
{
    (void)pthread_mutex_lock(&f->mutex);
    f->size = size;
    f->end = end;
    (void)pthread_cond_broadcast(&f->moved);
    (void)pthread_mutex_unlock(&f->mutex);
}

/* Nonzero when the thread has ended before timeout_ms passed. */
static int wait_fed(struct sr_pg_follow *f, int timeout_ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    (void)pthread_mutex_lock(&f->mutex);
    while (!f->fed && timeout_ms > 0 &&
           pthread_cond_timedwait(&f->moved, &f->mutex, &until) != ETIMEDOUT)
        ;
    int fed = f->fed;
    (void)pthread_mutex_unlock(&f->mutex);
    return fed;
}

int sr_pg_follow_poll(struct sr_pg_follow *f, int timeout_ms, struct sr_error *err)
{
    int status = 0;
    if (f->loaded)
        return SR_OK;
    if (sr_pg_interrupt_is_set(f->stop))
        return sr_fail(err, SR_E_CANCELLED, "cancelled");
    if (!wait_fed(f, timeout_ms))
        return sr_fail(err, SR_E_AGAIN, "still restoring");
    /* A child that reads no more says by its exit status why. */
    if (f->rc != SR_OK && f->rc != SR_E_CHILD)
        return sr_error_copy(err, &f->why);
    int rc = sr_pg_feed_finish(&f->feed, f->stop, f->rc == SR_OK ? timeout_ms : -1, &status, err);
    if (rc == SR_OK && status != 0)
        rc = sr_pg_feed_failure(&f->feed, status, 0, err);
    else if (rc == SR_OK && f->rc != SR_OK)
        rc = sr_fail(err, SR_E_CHILD, "%s ended before it had read all rows of its table",
                     f->feed.name);
    f->loaded = rc == SR_OK;
    return rc;
}

void sr_pg_follow_free(struct sr_pg_follow *f)
{
    if (!f)
        return;
    (void)pthread_mutex_lock(&f->mutex);
    f->abandoned = 1;
    (void)pthread_cond_broadcast(&f->moved);
    (void)pthread_mutex_unlock(&f->mutex);
    /* A thread that waits for the child to take bytes is free once it is gone. */
    sr_pg_feed_kill(&f->feed);
    if (f->has_thread)
        (void)pthread_join(f->thread, NULL);
    sr_pg_feed_done(&f->feed);
    (void)pthread_cond_destroy(&f->moved);
    (void)pthread_mutex_destroy(&f->mutex);
    free(f->piece);
    free(f);
}
