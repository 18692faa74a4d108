/* A custom archive into pg_restore: streamed to one that works alone, or unpacked into an unlinked
 * file for several. */
#include "config.h"
#include "core/source/pg_restore.h"

#include "core/source/pg_feed.h"
#include "core/source/pg_toc.h"
#include "core/util/cleanup.h"
#include "core/util/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_FD 3 /* what a child keeps must not be one of its standard streams */

enum part {
    PART_ALL,
    PART_PRE_DATA,
    PART_REST,
};

struct sr_pg_archive {
    struct sr_pg_restore_options o;
    struct sr_pg_interrupt stop;
    struct sr_pg_toc *toc;
    int fd; /* the unlinked file; -1 when streaming */
    uint64_t size;
    struct sr_pg_feed early, main; /* early: pre-data, while the rest is unpacked */
    int early_runs, early_done;
    int left; /* pg_restore has read all it wants and ended well */
    struct sr_error failed;
};

static int streams(const struct sr_pg_archive *a)
{
    return a->fd < 0;
}

/* --clean must drop in the reverse order of everything, constraints before tables; pg_restore can
 * do that only when it sees all sections at once. */
static int splits(const struct sr_pg_archive *a)
{
    return !streams(a) && !a->o.clean;
}

static int fail(struct sr_pg_archive *a, const struct sr_error *why, struct sr_error *err)
{
    sr_pg_feed_done(&a->early);
    sr_pg_feed_done(&a->main);
    sr_error_copy(&a->failed, why);
    return sr_error_copy(err, why);
}

/* --- the unlinked file ----------------------------------------------------------------------- */

static int spool_open(const char *dir, int *ret, struct sr_error *err)
{
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
        /* A file system without O_TMPFILE. */
        _cleanup_free_ char *path = sr_fs_join(dir, ".unpacked-XXXXXX");
        if (!path)
            return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
        fd = mkostemp(path, O_CLOEXEC);
        if (fd >= 0 && unlink(path) != 0) {
            int e = errno;
            (void)close(fd);
            return sr_fail_errno(err, e, "removing the name of %s", path);
        }
    }
    if (fd >= 0 && fd < FIRST_FD) {
        int low = fd;
        fd = fcntl(low, F_DUPFD_CLOEXEC, FIRST_FD);
        (void)close(low);
    }
    if (fd < 0)
        return sr_fail_errno(err, errno, "making a file to unpack the archive in %s", dir);
    *ret = fd;
    return SR_OK;
}

static int spool_write(struct sr_pg_archive *a, const void *data, size_t len, struct sr_error *err)
{
    if (sr_write_full(a->fd, data, len) != 0) {
        int rc = sr_fail_errno(err, errno, "unpacking the archive in %s (%llu bytes so far)",
                               a->o.spool_dir, (unsigned long long)a->size);
        if (rc == SR_E_NO_SPACE)
            rc = sr_error_append(err, "; make room there, or restore with one job, which needs "
                                      "no room");
        return rc;
    }
    a->size += len;
    return SR_OK;
}

static int spool_patch(struct sr_pg_archive *a, struct sr_error *err)
{
    struct sr_pg_toc_patch p;
    for (size_t i = 0; sr_pg_toc_patch(a->toc, i, &p); i++)
        if (pwrite(a->fd, p.bytes, p.len, (off_t)p.at) != (ssize_t)p.len)
            return sr_fail_errno(err, errno, "completing the unpacked archive's table of contents");
    return SR_OK;
}

/* --- pg_restore ------------------------------------------------------------------------------ */

static int arguments(const struct sr_pg_archive *a, enum part part, struct sr_strlist *argv,
                     struct sr_error *err)
{
    const struct sr_pg_restore_options *o = &a->o;
    _cleanup_free_ char *db = NULL;
    int rc = sr_pg_dbname_arg(sr_pg_database(o->conn), &db, err);
    if (rc != SR_OK)
        return rc;
    rc |= sr_strlist_add(argv, o->tool->path);
    rc |= sr_strlist_add(argv, "--no-password");
    rc |= sr_strlist_add(argv, "--exit-on-error");
    rc |= sr_strlist_addf(argv, "--dbname=%s", db);
    if (o->role)
        rc |= sr_strlist_addf(argv, "--role=%s", o->role);
    if (o->no_owner)
        rc |= sr_strlist_add(argv, "--no-owner");
    if (o->no_acl)
        rc |= sr_strlist_add(argv, "--no-acl");
    if (o->clean)
        rc |= sr_strlist_add(argv, "--clean");
    if (o->clean && o->if_exists)
        rc |= sr_strlist_add(argv, "--if-exists");
    if (streams(a) && o->single_transaction)
        rc |= sr_strlist_add(argv, "--single-transaction");
    if (part == PART_PRE_DATA)
        rc |= sr_strlist_add(argv, "--section=pre-data");
    if (part == PART_REST) {
        rc |= sr_strlist_add(argv, "--section=data");
        rc |= sr_strlist_add(argv, "--section=post-data");
    }
    if (!streams(a) && part != PART_PRE_DATA)
        rc |= sr_strlist_addf(argv, "--jobs=%u", o->jobs);
    if (!streams(a))
        rc |= sr_strlist_addf(argv, "/proc/self/fd/%d", a->fd);
    return rc == SR_OK ? SR_OK : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
}

static int restore_start(struct sr_pg_archive *a, enum part part, struct sr_pg_feed *f,
                         struct sr_error *err)
{
    struct sr_strlist argv = {0}, env = {0};
    const int keep[] = {a->fd, -1};
    int rc = arguments(a, part, &argv, err);
    if (rc == SR_OK)
        rc = sr_pg_child_env(a->o.conn, a->o.app, NULL, &env, err);
    if (rc == SR_OK && sr_strlist_add(&env, "LC_ALL=C") != SR_OK)
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    if (rc == SR_OK) {
        struct sr_pg_feed_options fo = {.argv = argv.items,
                                        .env = &env,
                                        .in = streams(a) ? SR_CHILD_PIPE : SR_CHILD_NULL,
                                        .keep_fds = streams(a) ? NULL : keep,
                                        .name = "pg_restore"};
        rc = sr_pg_feed_start(f, &fo, err);
    }
    sr_pg_env_wipe(&env);
    sr_strlist_done(&argv);
    return rc;
}

/* Waits for one pg_restore; SR_E_AGAIN when it goes on after timeout_ms. */
static int restore_end(struct sr_pg_archive *a, struct sr_pg_feed *f, int timeout_ms,
                       struct sr_error *err)
{
    int status = 0;
    int rc = sr_pg_feed_finish(f, &a->stop, timeout_ms, &status, err);
    if (rc == SR_OK && status != 0)
        rc = sr_pg_feed_failure(f, status, 0, err);
    return rc;
}

/* Starts pre-data as soon as the table of contents is in the file, and notices early when it fails.
 * pg_restore reads that far and no further. */
static int early_step(struct sr_pg_archive *a, int timeout_ms, struct sr_error *err)
{
    int rc = SR_OK;
    if (!splits(a) || a->early_done || sr_pg_toc_state(a->toc) != SR_TOC_READ)
        return SR_OK;
    if (!a->early_runs) {
        rc = restore_start(a, PART_PRE_DATA, &a->early, err);
        a->early_runs = rc == SR_OK;
    }
    if (rc == SR_OK)
        rc = restore_end(a, &a->early, timeout_ms, err);
    a->early_done = rc == SR_OK;
    return rc == SR_E_AGAIN ? SR_OK : rc;
}

/* --- the interface --------------------------------------------------------------------------- */

int sr_pg_archive_new(const struct sr_pg_restore_options *o, struct sr_pg_archive **ret,
                      struct sr_error *err)
{
    struct sr_pg_archive *a = calloc(1, sizeof *a);
    if (!a)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    a->o = *o;
    a->fd = a->stop.fd = -1;
    a->early = a->main = (struct sr_pg_feed)SR_PG_FEED_INIT;
    int rc = sr_pg_interrupt_init(&a->stop, err);
    if (rc == SR_OK)
        rc = sr_pg_toc_new(&a->toc, err);
    if (rc == SR_OK)
        rc = o->jobs > 1 ? spool_open(o->spool_dir, &a->fd, err)
                         : restore_start(a, PART_ALL, &a->main, err);
    if (rc != SR_OK) {
        sr_pg_archive_free(a);
        return rc;
    }
    *ret = a;
    return SR_OK;
}

static int stream_write(struct sr_pg_archive *a, const void *data, size_t len, struct sr_error *err)
{
    if (a->left)
        return SR_OK;
    int rc = sr_pg_feed_write(&a->main, &a->stop, data, len, err);
    if (rc != SR_E_CHILD)
        return rc;
    /* It may need nothing of what is left of the archive; its exit status tells. */
    rc = restore_end(a, &a->main, -1, err);
    a->left = rc == SR_OK;
    return rc;
}

int sr_pg_archive_write(struct sr_pg_archive *a, const void *data, size_t len, struct sr_error *err)
{
    struct sr_error why = SR_ERROR_INIT;
    if (a->failed.code != SR_OK)
        return sr_error_copy(err, &a->failed);
    int rc = sr_pg_interrupt_is_set(&a->stop) ? sr_fail(&why, SR_E_CANCELLED, "cancelled") : SR_OK;
    if (rc == SR_OK)
        sr_pg_toc_feed(a->toc, data, len);
    if (rc == SR_OK)
        rc = streams(a) ? stream_write(a, data, len, &why) : spool_write(a, data, len, &why);
    if (rc == SR_OK)
        rc = early_step(a, 0, &why);
    return rc == SR_OK ? SR_OK : fail(a, &why, err);
}

static int spool_finish(struct sr_pg_archive *a, struct sr_error *err)
{
    int rc = early_step(a, -1, err);
    if (rc == SR_OK)
        rc = spool_patch(a, err);
    if (rc == SR_OK)
        rc = restore_start(a, a->early_done ? PART_REST : PART_ALL, &a->main, err);
    return rc;
}

int sr_pg_archive_finish(struct sr_pg_archive *a, struct sr_error *err)
{
    struct sr_error why = SR_ERROR_INIT;
    if (a->failed.code != SR_OK)
        return sr_error_copy(err, &a->failed);
    int rc = sr_pg_toc_end(a->toc, &why);
    if (rc == SR_OK && !streams(a))
        rc = spool_finish(a, &why);
    if (rc == SR_OK && !a->left)
        rc = restore_end(a, &a->main, -1, &why);
    return rc == SR_OK ? SR_OK : fail(a, &why, err);
}

void sr_pg_archive_interrupt(struct sr_pg_archive *a)
{
    sr_pg_interrupt_set(&a->stop);
}

void sr_pg_archive_free(struct sr_pg_archive *a)
{
    if (!a)
        return;
    sr_pg_feed_done(&a->early);
    sr_pg_feed_done(&a->main);
    if (a->fd >= 0)
        (void)close(a->fd);
    sr_pg_toc_free(a->toc);
    sr_pg_interrupt_done(&a->stop);
    free(a);
}
