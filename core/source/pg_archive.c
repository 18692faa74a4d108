/* A custom archive into pg_restore: streamed to one that works alone, or unpacked into an unlinked
 * file for several.
 *
 * With several jobs nobody waits for the unpacking. Pre-data is restored as soon as the table of
 * contents has passed; then each table whose rows are many gets a pg_restore of its own (ahead),
 * which takes them as they arrive. What is left is restored from the whole file: its data beside
 * the tables that still run ahead, post-data when every row is in. */
#include "config.h"
#include "core/source/pg_restore.h"

#include "core/source/pg_feed.h"
#include "core/source/pg_follow.h"
#include "core/source/pg_toc.h"
#include "core/util/cleanup.h"
#include "core/util/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_FD 3 /* what a child keeps must not be one of its standard streams */
#define AHEAD_MAX 16
#define AHEAD_BYTES \
    (UINT64_C(8) << 20) /* below that, starting a pg_restore costs more than it gains */
#define LOOK_MS 50

enum part {
    PART_ALL,
    PART_PRE_DATA,
    PART_ONE, /* one table's data, from standard input */
    PART_DATA,
    PART_POST_DATA,
    PART_REST, /* data and post-data */
};

struct sr_pg_archive {
    struct sr_pg_restore_options o;
    struct sr_pg_interrupt stop;
    struct sr_pg_toc *toc;
    int fd; /* the unlinked file; -1 when streaming */
    uint64_t size;
    struct sr_pg_feed early, main; /* early: pre-data, while the rest is unpacked */
    int early_runs, early_done;
    struct sr_pg_follow *ahead[AHEAD_MAX]; /* NULL: free */
    unsigned ahead_begun;
    int last_ahead; /* the last entry that was given away; 0: none, ids begin at 1 */
    int left;       /* pg_restore has read all it wants and ended well */
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

static void ahead_free(struct sr_pg_archive *a)
{
    for (size_t i = 0; i < AHEAD_MAX; i++)
        sr_pg_follow_free(sr_steal_ptr(a->ahead[i]));
}

static int fail(struct sr_pg_archive *a, const struct sr_error *why, struct sr_error *err)
{
    ahead_free(a);
    sr_pg_feed_done(&a->early);
    sr_pg_feed_done(&a->main);
    sr_error_copy(&a->failed, why);
    return sr_error_copy(err, why);
}

/* --- the unlinked file ----------------------------------------------------------------------- */

/* The same file under a descriptor that no standard stream uses; closes fd if it must. */
static int fd_raise(int fd)
{
    int high = fd >= FIRST_FD || fd < 0 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FD);
    if (high != fd)
        (void)close(fd);
    return high;
}

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
    if ((fd = fd_raise(fd)) < 0)
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

static unsigned ahead_count(const struct sr_pg_archive *a)
{
    unsigned n = 0;
    for (size_t i = 0; i < AHEAD_MAX; i++)
        n += a->ahead[i] != NULL;
    return n;
}

/* list_fd: of PART_ONE, which entry. */
static int arguments(const struct sr_pg_archive *a, enum part part, int list_fd,
                     struct sr_strlist *argv, struct sr_error *err)
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
    if (part == PART_ONE || part == PART_DATA || part == PART_REST)
        rc |= sr_strlist_add(argv, "--section=data");
    if (part == PART_POST_DATA || part == PART_REST)
        rc |= sr_strlist_add(argv, "--section=post-data");
    if (part == PART_ONE) {
        rc |= sr_strlist_addf(argv, "--use-list=/proc/self/fd/%d", list_fd);
    } else if (!streams(a)) {
        unsigned busy = part == PART_DATA ? ahead_count(a) : 0;
        if (part != PART_PRE_DATA)
            rc |= sr_strlist_addf(argv, "--jobs=%u", busy < o->jobs ? o->jobs - busy : 1);
        rc |= sr_strlist_addf(argv, "/proc/self/fd/%d", a->fd);
    }
    return rc == SR_OK ? SR_OK : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
}

static int restore_start(struct sr_pg_archive *a, enum part part, int list_fd, struct sr_pg_feed *f,
                         struct sr_error *err)
{
    struct sr_strlist argv = {0}, env = {0};
    const int piped = streams(a) || part == PART_ONE;
    const int keep[] = {part == PART_ONE ? list_fd : a->fd, -1};
    int rc = arguments(a, part, list_fd, &argv, err);
    if (rc == SR_OK)
        rc = sr_pg_child_env(a->o.conn, a->o.app, NULL, &env, err);
    if (rc == SR_OK && sr_strlist_add(&env, "LC_ALL=C") != SR_OK)
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    if (rc == SR_OK) {
        struct sr_pg_feed_options fo = {.argv = argv.items,
                                        .env = &env,
                                        .in = piped ? SR_CHILD_PIPE : SR_CHILD_NULL,
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
        rc = restore_start(a, PART_PRE_DATA, -1, &a->early, err);
        a->early_runs = rc == SR_OK;
    }
    if (rc == SR_OK)
        rc = restore_end(a, &a->early, timeout_ms, err);
    a->early_done = rc == SR_OK;
    return rc == SR_E_AGAIN ? SR_OK : rc;
}

/* --- tables that are restored while the archive still unpacks -------------------------------- */

/* A file that names the one entry, as pg_restore --use-list reads it. */
static int list_make(int id, int *ret, struct sr_error *err)
{
    int fd = fd_raise(memfd_create("strongroom-list", MFD_CLOEXEC));
    if (fd < 0 || dprintf(fd, "%d;\n", id) < 0) {
        int e = errno;
        if (fd >= 0)
            (void)close(fd);
        return sr_fail_errno(err, e, "making a list for pg_restore");
    }
    *ret = fd;
    return SR_OK;
}

static int ahead_begin(struct sr_pg_archive *a, int id, uint64_t at, struct sr_error *err)
{
    const struct sr_pg_follow_where where = {
        .fd = a->fd, .id = id, .toc_size = sr_pg_toc_size(a->toc), .block_at = at};
    size_t slot = 0;
    int list = -1;
    while (a->ahead[slot])
        slot++;
    int rc = sr_pg_follow_new(&where, &a->stop, &a->ahead[slot], err);
    if (rc == SR_OK)
        rc = list_make(id, &list, err);
    if (rc == SR_OK)
        rc = restore_start(a, PART_ONE, list, sr_pg_follow_feed(a->ahead[slot]), err);
    if (rc == SR_OK)
        rc = sr_pg_follow_start(a->ahead[slot], err);
    if (list >= 0)
        (void)close(list);
    sr_pg_toc_taken(a->toc, id);
    a->last_ahead = id;
    a->ahead_begun++;
    return rc;
}

/* Tells those that run ahead what has arrived, and takes leave of those that are done. SR_OK also
 * when some go on. */
static int ahead_look(struct sr_pg_archive *a, struct sr_error *err)
{
    for (size_t i = 0; i < AHEAD_MAX; i++) {
        struct sr_pg_follow *f = a->ahead[i];
        if (!f)
            continue;
        sr_pg_follow_grown(f, a->size, sr_pg_toc_block_end(a->toc, sr_pg_follow_id(f)));
        int rc = sr_pg_follow_poll(f, 0, err);
        if (rc == SR_OK)
            sr_pg_follow_free(sr_steal_ptr(a->ahead[i]));
        else if (rc != SR_E_AGAIN)
            return rc;
    }
    return SR_OK;
}

/* After each piece of the archive. */
static int ahead_step(struct sr_pg_archive *a, struct sr_error *err)
{
    int id = 0;
    uint64_t at = 0;
    /* What was restored cannot be taken back, and without patches it would come a second time. */
    if (a->ahead_begun && sr_pg_toc_problem(a->toc))
        return sr_fail(err, SR_E_CORRUPT,
                       "what follows the rows that were restored is no archive: %s",
                       sr_pg_toc_problem(a->toc));
    int rc = ahead_look(a, err);
    if (rc != SR_OK || !a->early_done || !sr_pg_toc_passing(a->toc, &id, &at) ||
        id == a->last_ahead || a->size - at < AHEAD_BYTES)
        return rc;
    unsigned most = a->o.jobs < AHEAD_MAX ? a->o.jobs : AHEAD_MAX;
    return ahead_count(a) < most ? ahead_begin(a, id, at, err) : SR_OK;
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
                         : restore_start(a, PART_ALL, -1, &a->main, err);
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
    if (rc == SR_OK)
        rc = ahead_step(a, &why);
    return rc == SR_OK ? SR_OK : fail(a, &why, err);
}

/* One pg_restore on the whole file, from its start to its end, beside those that still run ahead.
 */
static int spool_part(struct sr_pg_archive *a, enum part part, struct sr_error *err)
{
    int rc = restore_start(a, part, -1, &a->main, err);
    int again = rc == SR_OK;
    while (again) {
        rc = restore_end(a, &a->main, LOOK_MS, err);
        again = rc == SR_E_AGAIN;
        if (rc == SR_OK || again)
            rc = ahead_look(a, err);
        again = again && rc == SR_OK;
    }
    if (rc == SR_OK)
        sr_pg_feed_done(&a->main);
    return rc;
}

/* Until no table runs ahead any more. */
static int ahead_end(struct sr_pg_archive *a, struct sr_error *err)
{
    for (size_t i = 0; i < AHEAD_MAX; i++) {
        int rc = SR_E_AGAIN;
        while (a->ahead[i] && rc == SR_E_AGAIN)
            rc = sr_pg_follow_poll(a->ahead[i], LOOK_MS, err);
        if (a->ahead[i] && rc != SR_OK)
            return rc;
        sr_pg_follow_free(sr_steal_ptr(a->ahead[i]));
    }
    return SR_OK;
}

/* Everything is in the file. An index must not be made before its table's rows are there: as long
 * as one runs ahead, only data can be restored beside it. */
static int spool_finish(struct sr_pg_archive *a, struct sr_error *err)
{
    int rc = early_step(a, -1, err);
    if (rc == SR_OK)
        rc = ahead_look(a, err);
    if (rc == SR_OK)
        rc = spool_patch(a, err);
    if (rc == SR_OK && ahead_count(a) == 0)
        return spool_part(a, a->early_done ? PART_REST : PART_ALL, err);
    if (rc == SR_OK)
        rc = spool_part(a, PART_DATA, err);
    if (rc == SR_OK)
        rc = ahead_end(a, err);
    return rc == SR_OK ? spool_part(a, PART_POST_DATA, err) : rc;
}

int sr_pg_archive_finish(struct sr_pg_archive *a, struct sr_error *err)
{
    struct sr_error why = SR_ERROR_INIT;
    if (a->failed.code != SR_OK)
        return sr_error_copy(err, &a->failed);
    int rc = sr_pg_toc_end(a->toc, &why);
    if (rc == SR_OK && !streams(a))
        rc = spool_finish(a, &why);
    else if (rc == SR_OK && !a->left)
        rc = restore_end(a, &a->main, -1, &why);
    return rc == SR_OK ? SR_OK : fail(a, &why, err);
}

void sr_pg_archive_progress(const struct sr_pg_archive *a, struct sr_pg_archive_progress *ret)
{
    *ret = (struct sr_pg_archive_progress){.pre_data_done = a->early_done,
                                           .tables_ahead = a->ahead_begun};
}

void sr_pg_archive_interrupt(struct sr_pg_archive *a)
{
    sr_pg_interrupt_set(&a->stop);
}

void sr_pg_archive_free(struct sr_pg_archive *a)
{
    if (!a)
        return;
    ahead_free(a);
    sr_pg_feed_done(&a->early);
    sr_pg_feed_done(&a->main);
    if (a->fd >= 0)
        (void)close(a->fd);
    sr_pg_toc_free(a->toc);
    sr_pg_interrupt_done(&a->stop);
    free(a);
}
