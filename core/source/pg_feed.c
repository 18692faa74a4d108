#include "config.h"
#include "core/source/pg_feed.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define GRACE_MS 5000 /* pg_restore cancels what its workers run */
#define LOOK_MS 100   /* how soon a wait for the child notices an interrupt */
#define MESSAGE_LINES 5

int sr_pg_interrupt_init(struct sr_pg_interrupt *i, struct sr_error *err)
{
    atomic_init(&i->set, 0);
    i->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return i->fd < 0 ? sr_fail_errno(err, errno, "making an event descriptor") : SR_OK;
}

void sr_pg_interrupt_set(struct sr_pg_interrupt *i)
{
    const uint64_t one = 1;
    atomic_store(&i->set, 1);
    /* Full means that it is readable already. */
    ssize_t n = write(i->fd, &one, sizeof one);
    (void)n;
}

int sr_pg_interrupt_is_set(const struct sr_pg_interrupt *i)
{
    return atomic_load(&i->set);
}

void sr_pg_interrupt_done(struct sr_pg_interrupt *i)
{
    if (i->fd >= 0)
        (void)close(i->fd);
    i->fd = -1;
}

/* Reads until the child closes its standard error, or until it is gone and nothing more is there:
 * somebody it left behind may hold the descriptor open. */
static void *reader_main(void *arg)
{
    struct sr_pg_feed *f = arg;
    char chunk[4096];
    for (;;) {
        struct pollfd fds[2] = {{.fd = f->child.err, .events = POLLIN},
                                {.fd = f->stop_fd, .events = POLLIN}};
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return NULL;
        ssize_t n = read(f->child.err, chunk, sizeof chunk);
        if (n > 0)
            sr_excerpt_add(&f->said, chunk, (size_t)n);
        else if (n == 0 || (errno != EAGAIN && errno != EINTR) || fds[1].revents)
            return NULL;
    }
}

static void reader_end(struct sr_pg_feed *f)
{
    const uint64_t one = 1;
    if (f->has_reader) {
        ssize_t n = write(f->stop_fd, &one, sizeof one);
        (void)n;
        (void)pthread_join(f->reader, NULL);
    }
    f->has_reader = 0;
    if (f->stop_fd >= 0)
        (void)close(f->stop_fd);
    f->stop_fd = -1;
}

/* The reader is one of ours alone: signals are for the program's own threads. */
static int reader_start(struct sr_pg_feed *f)
{
    sigset_t all, before;
    sigfillset(&all);
    int rc = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (rc != 0)
        return rc;
    rc = pthread_create(&f->reader, NULL, reader_main, f);
    f->has_reader = rc == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

int sr_pg_feed_start(struct sr_pg_feed *f, const struct sr_pg_feed_options *o, struct sr_error *err)
{
    struct sr_child_options c = {.argv = o->argv,
                                 .env = o->env,
                                 .in = o->in,
                                 .out = SR_CHILD_NULL,
                                 .err = SR_CHILD_PIPE,
                                 .keep_fds = o->keep_fds,
                                 .pipe_size = 1 << 20,
                                 .watch = 1};
    *f = (struct sr_pg_feed)SR_PG_FEED_INIT;
    f->name = o->name;
    f->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (f->stop_fd < 0)
        return sr_fail_errno(err, errno, "making an event descriptor");
    int rc = sr_child_spawn(&c, &f->child, err);
    if (rc == SR_OK && fcntl(f->child.err, F_SETFL, O_NONBLOCK) != 0)
        rc = sr_fail_errno(err, errno, "cannot read what %s prints", f->name);
    if (rc == SR_OK) {
        int e = reader_start(f);
        if (e != 0)
            rc = sr_fail_errno(err, e, "cannot start a thread to read what %s prints", f->name);
    }
    if (rc != SR_OK)
        sr_pg_feed_done(f);
    return rc;
}

void sr_pg_feed_kill(struct sr_pg_feed *f)
{
    sr_child_kill(&f->child, GRACE_MS);
}

void sr_pg_feed_done(struct sr_pg_feed *f)
{
    sr_pg_feed_kill(f);
    reader_end(f);
    sr_child_done(&f->child);
}

void sr_pg_env_wipe(struct sr_strlist *env)
{
    for (size_t i = 0; i < env->len; i++)
        explicit_bzero(env->items[i], strlen(env->items[i]));
    sr_strlist_done(env);
}

int sr_pg_feed_write(struct sr_pg_feed *f, const struct sr_pg_interrupt *stop, const void *data,
                     size_t len, struct sr_error *err)
{
    return sr_child_write(&f->child, data, len, stop->fd, -1, err);
}

int sr_pg_feed_finish(struct sr_pg_feed *f, const struct sr_pg_interrupt *stop, int timeout_ms,
                      int *ret_status, struct sr_error *err)
{
    sr_child_close_in(&f->child);
    for (int waited = 0;; waited += LOOK_MS) {
        if (sr_pg_interrupt_is_set(stop)) {
            sr_child_kill(&f->child, GRACE_MS);
            return sr_fail(err, SR_E_CANCELLED, "cancelled");
        }
        int ms = timeout_ms < 0 || timeout_ms - waited > LOOK_MS ? LOOK_MS : timeout_ms - waited;
        int rc = sr_child_wait(&f->child, ms < 0 ? 0 : ms, ret_status, err);
        if (rc == SR_E_AGAIN && (timeout_ms < 0 || waited + LOOK_MS < timeout_ms))
            continue;
        if (rc == SR_OK)
            reader_end(f);
        return rc;
    }
}

/* --- messages -------------------------------------------------------------------------------- */

static int line_has(const char *line, size_t len, const char *what)
{
    return memmem(line, len, what, strlen(what)) != NULL;
}

static int is_error_line(const char *line, size_t len)
{
    return line_has(line, len, "ERROR:") || line_has(line, len, "FATAL:") ||
           line_has(line, len, "PANIC:") || line_has(line, len, "error:");
}

/* "psql:<stdin>:12: ERROR: ..." becomes "line 11 of the dump: ERROR: ...". */
static int add_line(struct sr_buf *out, const char *line, size_t len, unsigned long lines_before)
{
    static const char prefix[] = "psql:<stdin>:";
    size_t n = sizeof prefix - 1;
    if (len > n && memcmp(line, prefix, n) == 0) {
        unsigned long number = 0;
        while (n < len && line[n] >= '0' && line[n] <= '9')
            number = number * 10 + (unsigned long)(line[n++] - '0');
        int rc = SR_OK;
        if (number > lines_before)
            rc = sr_buf_printf(out, "line %lu of the dump", number - lines_before);
        if (rc != SR_OK)
            return rc;
        line += n;
        len -= n;
        if (number <= lines_before && len > 2) {
            line += 2;
            len -= 2;
        }
    }
    return sr_buf_add(out, line, len);
}

static void first_error(const struct sr_pg_feed *f, unsigned long lines_before, struct sr_buf *out)
{
    struct sr_buf all;
    sr_buf_init(&all, SR_EXCERPT_HEAD + SR_EXCERPT_TAIL + 128);
    (void)sr_excerpt_text(&f->said, &all);
    const char *p = sr_buf_str(&all), *end = p + all.len;
    int taken = 0, rc = SR_OK;
    while (p < end && taken < MESSAGE_LINES && rc == SR_OK) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        size_t len = (size_t)((nl ? nl : end) - p);
        int starts = is_error_line(p, len);
        if (len > 0 && (taken == 0 ? starts : !starts)) {
            if (taken > 0)
                rc = sr_buf_adds(out, "; ");
            if (rc == SR_OK)
                rc = add_line(out, p, len, lines_before);
            taken++;
        } else if (taken > 0) {
            break; /* the next error, or a blank line */
        }
        p += len + 1;
    }
    if (taken == 0)
        (void)sr_excerpt_last_lines(&f->said, 3, out);
    sr_buf_done(&all);
}

int sr_pg_feed_failure(const struct sr_pg_feed *f, int status, unsigned long lines_before,
                       struct sr_error *err)
{
    char how[SR_CHILD_STATUS_TEXT];
    struct sr_buf text;
    sr_buf_init(&text, SR_ERROR_TEXT_MAX);
    sr_child_status_text(status, how, sizeof how);
    first_error(f, lines_before, &text);
    int rc = sr_fail(err, SR_E_CHILD, "%s failed (%s)%s%s", f->name, how, text.len > 0 ? ": " : "",
                     sr_buf_str(&text));
    sr_buf_done(&text);
    return rc;
}
