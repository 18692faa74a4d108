#include "config.h"
#include "core/source/pg_rows.h"
#include "core/util/buf.h"
#include "core/util/cleanup.h"
#include "core/util/excerpt.h"
#include "core/util/subprocess.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define PIPE_SIZE (1 << 20)
#define CHUNK (256 << 10)
#define STALL_MS (15 * 60 * 1000) /* reading an archive waits for nobody but the disk */
#define SAID_LINES 5

struct sr_pg_rows {
    struct sr_child child;
    struct sr_pg_scan *scan;
    struct sr_excerpt said;
    pthread_t reader;
    int has_reader;
    struct sr_error why; /* the reader's failure, to be looked at after joining */
};

/* Reads until both streams end, also after a failure: a child that cannot write would never end. */
static void *read_all(void *ctx)
{
    struct sr_pg_rows *r = ctx;
    char *chunk = malloc(CHUNK);
    if (!chunk)
        sr_fail(&r->why, SR_E_NO_MEMORY, "reading from pg_restore: out of memory");
    while (chunk && (r->child.out >= 0 || r->child.err >= 0)) {
        struct pollfd fds[2] = {{.fd = r->child.out, .events = POLLIN},
                                {.fd = r->child.err, .events = POLLIN}};
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            break;
        for (int i = 0; i < 2; i++) {
            int *fd = i == 0 ? &r->child.out : &r->child.err;
            if (*fd < 0 || !fds[i].revents)
                continue;
            ssize_t n = read(*fd, chunk, CHUNK);
            if (n < 0 && errno == EINTR)
                continue;
            if (n <= 0)
                (void)close(sr_steal_fd(fd));
            else if (i == 1)
                sr_excerpt_add(&r->said, chunk, (size_t)n);
            else if (r->why.code == SR_OK)
                (void)sr_pg_scan_feed(r->scan, chunk, (size_t)n, &r->why);
        }
    }
    free(chunk);
    return NULL;
}

int sr_pg_rows_start(const struct sr_pg_tool *pg_restore, struct sr_pg_rows **ret,
                     struct sr_error *err)
{
    struct sr_pg_rows *r = calloc(1, sizeof *r);
    if (!r)
        return sr_fail(err, SR_E_NO_MEMORY, "starting pg_restore: out of memory");
    char file[] = "--file=-";
    char *const argv[] = {pg_restore->path, file, NULL};
    struct sr_strlist env = {0};
    r->child = (struct sr_child)SR_CHILD_INIT;
    int rc = sr_pg_scan_new(SR_SCAN_ROWS, &r->scan, err);
    if (rc == SR_OK && (sr_strlist_add(&env, "LC_ALL=C") != SR_OK ||
                        sr_strlist_add(&env, "PG_COLOR=never") != SR_OK))
        rc = sr_fail(err, SR_E_NO_MEMORY, "starting pg_restore: out of memory");
    if (rc == SR_OK) {
        struct sr_child_options o = {.argv = argv,
                                     .env = &env,
                                     .in = SR_CHILD_PIPE,
                                     .out = SR_CHILD_PIPE,
                                     .err = SR_CHILD_PIPE,
                                     .pipe_size = PIPE_SIZE};
        rc = sr_child_spawn(&o, &r->child, err);
    }
    if (rc == SR_OK) {
        int e = pthread_create(&r->reader, NULL, read_all, r);
        r->has_reader = e == 0;
        if (e != 0)
            rc = sr_fail_errno(err, e, "starting a thread that reads from pg_restore");
    }
    sr_strlist_done(&env);
    if (rc != SR_OK) {
        sr_pg_rows_free(r);
        return rc;
    }
    *ret = r;
    return SR_OK;
}

static void reader_join(struct sr_pg_rows *r)
{
    if (r->has_reader)
        (void)pthread_join(r->reader, NULL);
    r->has_reader = 0;
}

/* What a pg_restore that ended by itself means: the archive is bad, as a plain dump that is cut off
 * would be, unless it says that the fault is its own. */
static int why_ended(int status, const char *said, const char **ret_advice)
{
    *ret_advice = "";
    if (strstr(said, "unsupported version")) {
        *ret_advice = "; this pg_restore is older than the archive: set BACKUP_PGRESTORE_PATH to a "
                      "newer one";
        return SR_E_UNSUPPORTED;
    }
    /* An archive that is compressed inside, in a way this pg_restore was built without. */
    if (strstr(said, "not supported by this installation") || strstr(said, "not built with"))
        return SR_E_UNSUPPORTED;
    return !WIFEXITED(status) || strstr(said, "out of memory") ? SR_E_CHILD : SR_E_CORRUPT;
}

/* Ends the child's input, waits, and tells how it went. */
static int finish(struct sr_pg_rows *r, struct sr_error *err)
{
    int status = 0;
    sr_child_close_in(&r->child);
    reader_join(r);
    int rc = sr_child_wait(&r->child, STALL_MS, &status, err);
    if (rc != SR_OK)
        return rc;
    if (status != 0) {
        char text[SR_CHILD_STATUS_TEXT];
        const char *advice;
        struct sr_buf lines;
        sr_buf_init(&lines, SR_ERROR_TEXT_MAX);
        sr_child_status_text(status, text, sizeof text);
        (void)sr_excerpt_last_lines(&r->said, SAID_LINES, &lines);
        rc = why_ended(status, sr_buf_str(&lines), &advice);
        rc = sr_fail(err, rc, "pg_restore cannot read the archive (%s)%s%s%s", text,
                     lines.len > 0 ? ": " : "", sr_buf_str(&lines), advice);
        sr_buf_done(&lines);
        return rc;
    }
    return r->why.code != SR_OK ? sr_error_copy(err, &r->why) : SR_OK;
}

int sr_pg_rows_feed(void *rows, const void *data, size_t len, struct sr_error *err)
{
    struct sr_pg_rows *r = rows;
    int rc = sr_child_write(&r->child, data, len, -1, STALL_MS, err);
    if (rc != SR_E_CHILD || r->child.pid <= 0)
        return rc;
    /* It closed its input: why, it says itself. */
    rc = finish(r, err);
    return rc != SR_OK ? rc
                       : sr_fail(err, SR_E_CORRUPT,
                                 "pg_restore did not read the archive to its end: there is more in "
                                 "it than its table of contents says");
}

int sr_pg_rows_end(void *rows, struct sr_error *err)
{
    struct sr_pg_rows *r = rows;
    int rc = finish(r, err);
    if (rc == SR_OK)
        rc = sr_pg_scan_end(r->scan, err);
    if (rc == SR_OK && !sr_pg_scan_complete(r->scan))
        rc =
            sr_fail(err, SR_E_CORRUPT,
                    "what pg_restore made of the archive lacks the closing \"dump complete\" line");
    return rc;
}

const struct sr_pg_scan *sr_pg_rows_scan(const struct sr_pg_rows *r)
{
    return r->scan;
}

void sr_pg_rows_free(struct sr_pg_rows *r)
{
    if (!r)
        return;
    /* The reader owns out and err while it runs; the child's end ends it. */
    sr_child_close_in(&r->child);
    sr_child_kill(&r->child, 0);
    reader_join(r);
    sr_child_done(&r->child);
    sr_pg_scan_free(r->scan);
    free(r);
}
