#include "config.h"
#include "core/engine/spool.h"
#include "core/util/cleanup.h"
#include "core/util/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define KEPT_MAX (UINT64_C(256) << 20)
#define KEPT_SHARE 20 /* or a twentieth of the disk */

struct sr_spool {
    int fd;
    char *dir;
};

int sr_spool_new(const char *dir, struct sr_spool **ret, struct sr_error *err)
{
    int rc = sr_fs_mkdirs(dir, 0700, err);
    if (rc != SR_OK)
        return rc;
    _cleanup_close_ int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) {
        _cleanup_free_ char *path = NULL;
        if (asprintf(&path, "%s/.spool-XXXXXX", dir) < 0)
            return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
        fd = mkostemp(path, O_CLOEXEC);
        if (fd < 0)
            return sr_fail_errno(err, errno, "cannot make a spool file in %s", dir);
        (void)unlink(path);
    }
    struct sr_spool *s = calloc(1, sizeof *s);
    if (!s || asprintf(&s->dir, "%s", dir) < 0) {
        free(s);
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    s->fd = sr_steal_fd(&fd);
    *ret = s;
    return SR_OK;
}

static uint64_t room(const struct statvfs *v)
{
    uint64_t free_bytes = (uint64_t)v->f_bavail * v->f_frsize;
    uint64_t kept = (uint64_t)v->f_blocks * v->f_frsize / KEPT_SHARE;
    if (kept > KEPT_MAX)
        kept = KEPT_MAX;
    return free_bytes > kept ? free_bytes - kept : 0;
}

/* The nearest folder above that is there. */
static int stat_above(const char *dir, struct statvfs *v)
{
    _cleanup_free_ char *path = strdup(dir);
    if (!path) {
        errno = ENOMEM;
        return -1;
    }
    while (statvfs(path, v) != 0) {
        char *slash = strrchr(path, '/');
        if (errno != ENOENT || !slash)
            return -1;
        slash[slash == path] = '\0';
    }
    return 0;
}

int sr_spool_room(const char *dir, uint64_t *ret, struct sr_error *err)
{
    struct statvfs v;
    if (stat_above(dir, &v) != 0)
        return sr_fail_errno(err, errno, "cannot tell how much is free in %s", dir);
    *ret = room(&v);
    return SR_OK;
}

static int full(const struct sr_spool *s, uint64_t offset, struct sr_error *err)
{
    return sr_fail(err, SR_E_NO_SPACE, "no room to spool in %s after %llu bytes", s->dir,
                   (unsigned long long)offset);
}

int sr_spool_put(struct sr_spool *s, uint64_t offset, const void *data, size_t len,
                 struct sr_error *err)
{
    struct statvfs v;
    if (fstatvfs(s->fd, &v) == 0 && room(&v) < len)
        return full(s, offset, err);
    for (size_t at = 0; at < len;) {
        ssize_t n = pwrite(s->fd, (const char *)data + at, len - at, (off_t)(offset + at));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
            return full(s, offset, err);
        if (n < 0)
            return sr_fail_errno(err, errno, "cannot spool in %s", s->dir);
        at += (size_t)n;
    }
    return SR_OK;
}

int sr_spool_get(const struct sr_spool *s, uint64_t offset, void *buf, size_t len,
                 struct sr_error *err)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = pread(s->fd, (char *)buf + at, len - at, (off_t)(offset + at));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return sr_fail_errno(err, errno, "cannot read the spool in %s", s->dir);
        if (n == 0)
            return sr_fail(err, SR_E_CORRUPT, "the spool in %s lost bytes: %zu of %zu are at %llu",
                           s->dir, at, len, (unsigned long long)offset);
        at += (size_t)n;
    }
    return SR_OK;
}

int sr_spool_drop(struct sr_spool *s, uint64_t offset, uint64_t len)
{
    return fallocate(s->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
                     (off_t)len) == 0;
}

void sr_spool_clear(struct sr_spool *s)
{
    (void)!ftruncate(s->fd, 0);
}

void sr_spool_free(struct sr_spool *s)
{
    if (!s)
        return;
    (void)close(s->fd);
    free(s->dir);
    free(s);
}
