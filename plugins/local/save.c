/* Saving: temporary name, write, fsync, rename without replacing, fsync of the folder. */
#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define CHUNK (UINT64_C(1) << 20)
/* How often the kernel is told to start writing back, so that the fsync at the end finds little
 * left to do. */
#define WRITEBACK (UINT64_C(8) << 20)
#define PULL_MS 500

struct saving {
    const struct local *l;
    const char *key; /* NULL until it is known */
    int folder;      /* where the temporary file is */
    int fd;          /* of the temporary file */
    char temp[64];   /* its name; "" once it is gone */
    char *chunk;
    uint64_t written;
};

static const char *shown(const struct saving *s)
{
    return s->key ? s->key : "an object named at its end";
}

static int32_t temp_make(struct saving *s)
{
    for (int tries = 0; tries < 16; tries++) {
        unsigned char r[8];
        if (s->l->host->random(s->l->host, r, sizeof r) != SR_STORAGE_OK)
            return local_fail(s->l, SR_STORAGE_E_UNAVAILABLE, "no random bytes for a file's name");
        (void)snprintf(s->temp, sizeof s->temp,
                       LOCAL_TEMP_PREFIX "%02x%02x%02x%02x%02x%02x%02x%02x" LOCAL_TEMP_SUFFIX, r[0],
                       r[1], r[2], r[3], r[4], r[5], r[6], r[7]);
        s->fd =
            openat(s->folder, s->temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (s->fd < 0 && errno == EEXIST)
            continue;
        if (s->fd < 0) {
            int e = errno;
            s->temp[0] = '\0';
            return local_fail_errno(s->l, e, "cannot make a file in %s", s->l->dir);
        }
        /* The lock tells a sweep that the writer lives. Should one have been faster than the lock,
         * the file is gone, and another is made. */
        struct stat st;
        if (flock(s->fd, LOCK_EX | LOCK_NB) == 0 && fstat(s->fd, &st) == 0 && st.st_nlink > 0)
            return SR_STORAGE_OK;
        (void)unlinkat(s->folder, s->temp, 0);
        (void)close(s->fd);
        s->fd = -1;
    }
    s->temp[0] = '\0';
    return local_fail(s->l, SR_STORAGE_E_UNAVAILABLE,
                      "cannot make a locked temporary file in %s after 16 tries", s->l->dir);
}

static int32_t write_all(struct saving *s, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(s->fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return local_fail_errno(s->l, errno, "writing %s in %s after %llu bytes", shown(s),
                                    s->l->dir, (unsigned long long)s->written);
        data += n;
        len -= (size_t)n;
        s->written += (uint64_t)n;
    }
    return SR_STORAGE_OK;
}

static int32_t pull(struct saving *s, const struct sr_storage_reader *reader)
{
    uint64_t started = 0;
    for (;;) {
        int32_t rc = local_cancelled(s->l, "saving", shown(s));
        if (rc != SR_STORAGE_OK)
            return rc;
        int64_t n = reader->read(reader->ctx, s->chunk, CHUNK, PULL_MS);
        if (n == 0)
            return SR_STORAGE_OK;
        if (n == SR_STORAGE_READ_AGAIN)
            continue;
        if (n < 0 || (uint64_t)n > CHUNK)
            return local_fail(s->l, SR_STORAGE_E_CANCELLED, "saving %s: the bytes ended early",
                              shown(s));
        rc = write_all(s, s->chunk, (size_t)n);
        if (rc != SR_STORAGE_OK)
            return rc;
        if (s->written - started >= WRITEBACK) {
            (void)sync_file_range(s->fd, (off_t)started, (off_t)(s->written - started),
                                  SYNC_FILE_RANGE_WRITE);
            started = s->written;
        }
    }
}

static int32_t taken(const struct saving *s, int32_t code)
{
    return local_fail(s->l, code, "%s exists already in %s", s->key, s->l->dir);
}

static int rename_new(int from, const char *name, int to, const char *leaf)
{
    if (renameat2(from, name, to, leaf, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    /* A file system without that flag. A link fails as well when the name is taken. */
    if (linkat(from, name, to, leaf, 0) != 0)
        return -1;
    /* The object is there; a name that stays behind is a dead writer's to a later sweep. */
    (void)unlinkat(from, name, 0);
    return 0;
}

/* Gives the finished file its name, and makes that last. */
static int32_t commit(struct saving *s, int folder, const char *leaf, int replace)
{
    int failed = replace ? renameat(s->folder, s->temp, folder, leaf)
                         : rename_new(s->folder, s->temp, folder, leaf);
    if (failed && errno == EEXIST)
        return taken(s, SR_STORAGE_E_EXISTS);
    if (failed)
        return local_fail_errno(s->l, errno, "naming %s in %s", s->key, s->l->dir);
    s->temp[0] = '\0';
    if (fsync(folder) == 0)
        return SR_STORAGE_OK;
    int e = errno;
    /* Whether the name survives a crash is unknown; a save that fails must not be visible. */
    if (!replace && unlinkat(folder, leaf, 0) == 0)
        return local_fail_errno(s->l, e, "making %s last in %s", s->key, s->l->dir);
    (void)local_fail_errno(s->l, e, "making %s last in %s, where it is visible now", s->key,
                           s->l->dir);
    return SR_STORAGE_E_IN_DOUBT;
}

static int32_t finish(struct saving *s, const char *key, int replace, uint64_t *ret_size)
{
    struct stat st;
    if (fsync(s->fd) != 0 || fstat(s->fd, &st) != 0)
        return local_fail_errno(s->l, errno, "making the %llu bytes of %s last in %s",
                                (unsigned long long)s->written, shown(s), s->l->dir);
    if ((uint64_t)st.st_size != s->written)
        return local_fail(s->l, SR_STORAGE_E_CORRUPT, "%s: %llu bytes were written, %lld are there",
                          shown(s), (unsigned long long)s->written, (long long)st.st_size);
    s->key = key;
    int32_t rc = local_cancelled(s->l, "saving", key);
    int folder = -1;
    const char *leaf = NULL;
    if (rc == SR_STORAGE_OK)
        rc = local_parent(s->l, key, 1, &folder, &leaf);
    if (rc != SR_STORAGE_OK)
        return rc;
    rc = commit(s, folder, leaf, replace);
    (void)close(folder);
    if (rc == SR_STORAGE_OK)
        *ret_size = (uint64_t)st.st_size;
    return rc;
}

/* Early, so that hours of writing are not spent on a name that is taken; commit decides. */
static int32_t begin(struct saving *s, int replace)
{
    const char *leaf = NULL;
    struct stat st;
    if (!s->key) {
        s->folder = fcntl(s->l->fd, F_DUPFD_CLOEXEC, 3);
        return s->folder >= 0 ? SR_STORAGE_OK
                              : local_fail_errno(s->l, errno, "cannot open folder %s", s->l->dir);
    }
    int32_t rc = local_parent(s->l, s->key, 1, &s->folder, &leaf);
    if (rc == SR_STORAGE_OK && !replace && fstatat(s->folder, leaf, &st, AT_SYMLINK_NOFOLLOW) == 0)
        rc = taken(s, SR_STORAGE_E_EXISTS);
    return rc;
}

int32_t local_save(void *handle, const struct sr_storage_object *object,
                   const struct sr_storage_reader *reader,
                   const struct sr_storage_save_options *options,
                   struct sr_storage_saved *ret_saved)
{
    struct saving s = {.l = handle, .key = object->key, .folder = -1, .fd = -1};
    char late[SR_STORAGE_KEY_MAX];
    int replace = (options->flags & SR_STORAGE_SAVE_REPLACE) != 0;
    if (options->retain_until != 0)
        return local_fail(s.l, SR_STORAGE_E_UNSUPPORTED,
                          "a folder cannot keep an object from being deleted until a date");
    int32_t rc = begin(&s, replace);
    if (rc == SR_STORAGE_OK && !(s.chunk = malloc(CHUNK)))
        rc = local_fail(s.l, SR_STORAGE_E_UNAVAILABLE, "out of memory");
    if (rc == SR_STORAGE_OK)
        rc = temp_make(&s);
    if (rc == SR_STORAGE_OK)
        rc = pull(&s, reader);
    if (rc == SR_STORAGE_OK && !object->key) {
        late[0] = '\0';
        rc = reader->late_key(reader->ctx, late, sizeof late);
        if (rc != SR_STORAGE_OK)
            (void)local_fail(s.l, rc, "saving %s: it got no name", shown(&s));
    }
    uint64_t size = 0;
    if (rc == SR_STORAGE_OK)
        rc = finish(&s, object->key ? object->key : late, replace, &size);
    if (rc == SR_STORAGE_OK) {
        ret_saved->confirmed = SR_STORAGE_CONFIRMED_SIZE;
        ret_saved->object_size = size;
    }
    if (s.temp[0])
        (void)unlinkat(s.folder, s.temp, 0);
    if (s.fd >= 0)
        (void)close(s.fd);
    if (s.folder >= 0)
        (void)close(s.folder);
    free(s.chunk);
    return rc;
}
