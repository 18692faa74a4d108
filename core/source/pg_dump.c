#include "config.h"
#include "core/source/pg_dump.h"
#include "core/source/pg_locked.h"
#include "core/source/pg_marker.h"
#include "core/source/pg_query.h"
#include "core/util/buf.h"
#include "core/util/cleanup.h"
#include "core/util/clock.h"
#include "core/util/excerpt.h"
#include "core/util/subprocess.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <time.h>

#define PIPE_SIZE (1 << 20) /* what an unprivileged user may ask for: fewer switches per byte */
#define GRACE_MS 2000
#define BATCH_BYTES (64 << 10)
#define BATCH_WAIT_NS 200000
#define END_MS 60000 /* between the last byte and the end of the process */
#define SAID_LINES 5
#define MAGIC "PGDMP"
#define MAGIC_LEN 5

struct sr_pg_dump {
    struct sr_child child;
    enum sr_dump_format format;
    int64_t stall_ns; /* 0: never */
    int64_t began;    /* monotonic */
    uint64_t lock_wait;
    int locked_out; /* it ended for want of a lock on a table */
    int wake;       /* eventfd: readable once interrupted */
    atomic_int interrupted;
    int ended; /* clean end reached */
    uint64_t total;
    char magic[MAGIC_LEN];
    struct sr_pg_marker marker;
    struct sr_excerpt said;
    struct sr_buf said_text;
};

static const char *name_of(const struct sr_pg_dump *d)
{
    return d->format == SR_DUMP_GLOBALS ? "pg_dumpall" : "pg_dump";
}

/* --- start --- */

static int add_each(struct sr_strlist *args, const char *option, const struct sr_strlist *values)
{
    int rc = SR_OK;
    for (size_t i = 0; values && i < values->len && rc == SR_OK; i++)
        rc = sr_strlist_addf(args, "%s=%s", option, values->items[i]);
    return rc;
}

static int dump_args(const struct sr_pg_dump_options *o, struct sr_strlist *args)
{
    int rc = sr_strlist_add(args, "--no-password");
    if (rc == SR_OK && o->format == SR_DUMP_CUSTOM)
        rc = sr_strlist_add(args, "--format=custom");
    else if (rc == SR_OK)
        rc = sr_strlist_add(args, "--format=plain");
    if (rc == SR_OK)
        rc = sr_strlist_add(args, "--compress=0");
    if (rc == SR_OK && o->lock_wait > 0)
        rc = sr_strlist_addf(args, "--lock-wait-timeout=%llu",
                             (unsigned long long)o->lock_wait * 1000);
    if (rc == SR_OK && o->snapshot)
        rc = sr_strlist_addf(args, "--snapshot=%s", o->snapshot);
    if (rc == SR_OK)
        rc = add_each(args, "--exclude-table", o->exclude_tables);
    if (rc == SR_OK)
        rc = add_each(args, "--exclude-table-data", o->exclude_table_data);
    if (rc == SR_OK)
        rc = add_each(args, "--schema", o->schemas);
    for (size_t i = 0; o->extra && i < o->extra->len && rc == SR_OK; i++)
        rc = sr_strlist_add(args, o->extra->items[i]);
    return rc;
}

/* pg_dumpall would connect to "postgres", which the role may not be let into. */
static int globals_args(const struct sr_pg_dump_options *o, struct sr_strlist *args)
{
    _cleanup_free_ char *database = NULL;
    int rc = sr_pg_dbname_arg(sr_pg_database(o->conn), &database, NULL);
    if (rc == SR_OK)
        rc = sr_strlist_add(args, "--globals-only");
    if (rc == SR_OK)
        rc = sr_strlist_add(args, "--no-password");
    if (rc == SR_OK)
        rc = sr_strlist_addf(args, "--database=%s", database);
    if (rc == SR_OK && o->no_role_passwords)
        rc = sr_strlist_add(args, "--no-role-passwords");
    return rc;
}

static void env_wipe(struct sr_strlist *env)
{
    for (size_t i = 0; i < env->len; i++)
        explicit_bzero(env->items[i], strlen(env->items[i]));
    sr_strlist_done(env);
}

/* pg_dump writes strings the way the session takes them, and the old way cannot be told from an
 * attack when it is restored. */
static const char *session_options(const struct sr_pg_conn *c)
{
    return c->old_strings ? "-c standard_conforming_strings=on" : NULL;
}

static int spawn(struct sr_pg_dump *d, const struct sr_pg_dump_options *o, struct sr_error *err)
{
    struct sr_strlist args = {0}, env = {0};
    if (o->conn->old_strings && !o->conn->takes_options)
        return sr_fail(
            err, SR_E_CONFIG,
            "sessions of this server begin with standard_conforming_strings off, in which "
            "no dump can be restored safely, and the pooler before it takes no settings "
            "when connecting; go past the pooler, or ALTER ROLE ... SET "
            "standard_conforming_strings = on");
    int rc = sr_strlist_add(&args, o->tool->path);
    if (rc == SR_OK)
        rc = o->format == SR_DUMP_GLOBALS ? globals_args(o, &args) : dump_args(o, &args);
    if (rc != SR_OK)
        rc = sr_fail(err, rc, "preparing %s: %s", name_of(d), sr_code_name(rc));
    if (rc == SR_OK)
        rc = sr_pg_child_env(o->conn, o->app, session_options(o->conn), &env, err);
    if (rc == SR_OK) {
        struct sr_child_options co = {.argv = args.items,
                                      .env = &env,
                                      .in = SR_CHILD_NULL,
                                      .out = SR_CHILD_PIPE,
                                      .err = SR_CHILD_PIPE,
                                      .pipe_size = PIPE_SIZE,
                                      .watch = 1};
        rc = sr_child_spawn(&co, &d->child, err);
    }
    sr_strlist_done(&args);
    env_wipe(&env);
    return rc;
}

int sr_pg_dump_start(const struct sr_pg_dump_options *o, struct sr_pg_dump **ret,
                     struct sr_error *err)
{
    int rc = sr_pg_dump_check_extra(o->extra, err);
    if (rc != SR_OK)
        return rc;
    struct sr_pg_dump *d = calloc(1, sizeof *d);
    if (!d)
        return sr_fail(err, SR_E_NO_MEMORY, "starting pg_dump: out of memory");
    d->child = (struct sr_child)SR_CHILD_INIT;
    d->format = o->format;
    d->began = sr_clock_monotonic(&sr_clock_system);
    d->lock_wait = o->lock_wait;
    d->stall_ns = o->stall > INT64_MAX / 1000000000 ? 0 : (int64_t)o->stall * 1000000000;
    sr_buf_init(&d->said_text, SR_EXCERPT_HEAD + SR_EXCERPT_TAIL + 128);
    d->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    rc = d->wake < 0 ? sr_fail_errno(err, errno, "starting %s", name_of(d)) : spawn(d, o, err);
    if (rc == SR_OK && (fcntl(d->child.out, F_SETFL, O_NONBLOCK) != 0 ||
                        fcntl(d->child.err, F_SETFL, O_NONBLOCK) != 0))
        rc = sr_fail_errno(err, errno, "starting %s", name_of(d));
    if (rc != SR_OK) {
        sr_pg_dump_free(d);
        return rc;
    }
    *ret = d;
    return SR_OK;
}

/* --- read --- */

static void drain_said(struct sr_pg_dump *d)
{
    char chunk[4096];
    while (d->child.err >= 0) {
        ssize_t n = read(d->child.err, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            (void)close(sr_steal_fd(&d->child.err));
            return;
        }
        sr_excerpt_add(&d->said, chunk, (size_t)n);
    }
}

static int cancelled(const struct sr_pg_dump *d, struct sr_error *err)
{
    return sr_fail(err, SR_E_CANCELLED, "%s was interrupted", name_of(d));
}

/* Waits until fd (-1: none) or standard error has something; SR_OK, cancelled, or too late. */
static int wait_more(struct sr_pg_dump *d, int fd, int64_t deadline, struct sr_error *err)
{
    struct pollfd fds[3] = {{.fd = fd, .events = POLLIN},
                            {.fd = d->child.err, .events = POLLIN},
                            {.fd = d->wake, .events = POLLIN}};
    int timeout = -1;
    if (deadline > 0) {
        int64_t left = deadline - sr_clock_monotonic(&sr_clock_system);
        int64_t ms = left <= 0 ? 0 : (left + 999999) / 1000000;
        timeout = ms > 3600000 ? 3600000 : (int)ms;
    }
    int n = poll(fds, 3, timeout);
    if (n < 0 && errno != EINTR)
        return sr_fail_errno(err, errno, "waiting for %s", name_of(d));
    if (n > 0 && fds[2].revents)
        return cancelled(d, err);
    if (n > 0 && fds[1].revents)
        drain_said(d);
    if (n == 0 && sr_clock_monotonic(&sr_clock_system) >= deadline)
        return SR_E_TIMEOUT;
    return SR_OK;
}

static int failed(struct sr_pg_dump *d, int code, const char *how, struct sr_error *err)
{
    struct sr_buf lines;
    sr_buf_init(&lines, SR_ERROR_TEXT_MAX);
    drain_said(d);
    (void)sr_excerpt_last_lines(&d->said, SAID_LINES, &lines);
    int rc = sr_fail(err, code, "%s %s%s%s", name_of(d), how, lines.len > 0 ? ": " : "",
                     sr_buf_str(&lines));
    sr_buf_done(&lines);
    return rc;
}

/* pg_dump tells only that a statement was cancelled. */
static int find_locked_out(struct sr_pg_dump *d, char what[SR_PG_LOCKED_WHAT])
{
    struct sr_buf said;
    int64_t ran = (sr_clock_monotonic(&sr_clock_system) - d->began) / 1000000000;
    if (d->lock_wait == 0)
        return 0;
    sr_buf_init(&said, SR_EXCERPT_HEAD + SR_EXCERPT_TAIL + 128);
    drain_said(d);
    d->locked_out = sr_excerpt_text(&d->said, &said) == SR_OK &&
                    sr_pg_said_locked(sr_buf_str(&said), (uint64_t)ran >= d->lock_wait, what);
    sr_buf_done(&said);
    return d->locked_out;
}

/* Standard output has ended: everything that vouches for what was read. */
static int check_end(struct sr_pg_dump *d, struct sr_error *err)
{
    int64_t deadline = sr_clock_monotonic(&sr_clock_system) + (int64_t)END_MS * 1000000;
    int status = 0, rc = SR_OK;
    while (d->child.err >= 0 && rc == SR_OK)
        rc = wait_more(d, -1, deadline, err);
    if (rc == SR_OK)
        rc = sr_child_wait(&d->child, END_MS, &status, err);
    if (rc == SR_E_TIMEOUT || rc == SR_E_AGAIN)
        return failed(d, SR_E_TIMEOUT, "closed its output but did not end", err);
    if (rc != SR_OK)
        return rc;
    char what[SR_PG_LOCKED_WHAT];
    if (status != 0 && find_locked_out(d, what))
        return sr_fail(err, SR_E_TIMEOUT,
                       "%s could not lock %s for reading (ACCESS SHARE) within %llu seconds "
                       "(BACKUP_LOCK_WAIT)",
                       name_of(d), what, (unsigned long long)d->lock_wait);
    if (status != 0) {
        char text[SR_CHILD_STATUS_TEXT], how[SR_CHILD_STATUS_TEXT + 16];
        sr_child_status_text(status, text, sizeof text);
        (void)snprintf(how, sizeof how, "failed (%s)", text);
        return failed(d, SR_E_CHILD, how, err);
    }
    if (d->format == SR_DUMP_CUSTOM &&
        (d->total < MAGIC_LEN || memcmp(d->magic, MAGIC, MAGIC_LEN) != 0))
        return failed(d, SR_E_CORRUPT, "succeeded but what it wrote is no archive", err);
    if (d->format != SR_DUMP_CUSTOM && !sr_pg_marker_seen(&d->marker))
        return failed(d, SR_E_CORRUPT,
                      "succeeded but its output lacks the closing \"dump complete\" line", err);
    sr_buf_reset(&d->said_text);
    (void)sr_excerpt_text(&d->said, &d->said_text);
    d->ended = 1;
    return SR_OK;
}

static void remember(struct sr_pg_dump *d, const char *data, size_t len)
{
    if (d->total < MAGIC_LEN) {
        size_t n = MAGIC_LEN - (size_t)d->total;
        memcpy(d->magic + d->total, data, n < len ? n : len);
    }
    d->total += len;
    if (d->format != SR_DUMP_CUSTOM)
        sr_pg_marker_feed(&d->marker, data, len);
}

/* pg_dump writes 4 KiB at a time. Woken for each of them, both sides would spend more on waking
 * than on copying; so a read that finds little waits a moment for more, which the pipe has room
 * for. */
static ssize_t read_batch(struct sr_pg_dump *d, void *buf, size_t cap)
{
    int there = 0;
    if (cap > BATCH_BYTES && ioctl(d->child.out, FIONREAD, &there) == 0 && there > 0 &&
        there < BATCH_BYTES) {
        struct timespec pause = {0, BATCH_WAIT_NS};
        (void)nanosleep(&pause, NULL);
    }
    return read(d->child.out, buf, cap);
}

int sr_pg_dump_read(void *dump, void *buf, size_t cap, size_t *ret_len, struct sr_error *err)
{
    struct sr_pg_dump *d = dump;
    /* Only the time in here counts: a reader that is held up is not pg_dump's fault. */
    int64_t deadline = d->stall_ns ? sr_clock_monotonic(&sr_clock_system) + d->stall_ns : 0;
    while (!d->ended) {
        if (atomic_load_explicit(&d->interrupted, memory_order_relaxed))
            return cancelled(d, err);
        ssize_t n = read_batch(d, buf, cap);
        if (n > 0) {
            remember(d, buf, (size_t)n);
            *ret_len = (size_t)n;
            return SR_OK;
        }
        int rc = SR_OK;
        if (n == 0)
            rc = check_end(d, err);
        else if (errno == EAGAIN)
            rc = wait_more(d, d->child.out, deadline, err);
        else if (errno != EINTR)
            return sr_fail_errno(err, errno, "reading from %s", name_of(d));
        if (rc == SR_E_TIMEOUT && n < 0) {
            char how[160];
            (void)snprintf(how, sizeof how,
                           "gave no byte for %lld seconds (BACKUP_STALL_TIMEOUT); look at "
                           "pg_stat_activity for what it waits for",
                           (long long)(d->stall_ns / 1000000000));
            return failed(d, SR_E_TIMEOUT, how, err);
        }
        if (rc != SR_OK)
            return rc;
    }
    *ret_len = 0;
    return SR_OK;
}

void sr_pg_dump_interrupt(void *dump)
{
    struct sr_pg_dump *d = dump;
    uint64_t one = 1;
    atomic_store_explicit(&d->interrupted, 1, memory_order_relaxed);
    (void)!write(d->wake, &one, sizeof one);
}

int sr_pg_dump_locked_out(const struct sr_pg_dump *d)
{
    return d->locked_out;
}

const char *sr_pg_dump_stderr(const struct sr_pg_dump *d)
{
    return sr_buf_str(&d->said_text);
}

void sr_pg_dump_free(struct sr_pg_dump *d)
{
    if (!d)
        return;
    sr_child_kill(&d->child, GRACE_MS);
    sr_child_done(&d->child);
    if (d->wake >= 0)
        (void)close(d->wake);
    sr_buf_done(&d->said_text);
    free(d);
}
