#include "config.h"
#include "core/engine/spool.h"
#include "core/util/cleanup.h"
#include "core/util/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

struct sr_spool {
    int fd;
    uint64_t size;
    uint64_t at; /* next byte to pull */
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

int sr_spool_write(struct sr_spool *s, const void *data, size_t len, struct sr_error *err)
{
    if (sr_write_full(s->fd, data, len) != 0) {
        int e = errno;
        sr_fail_errno(err, e, "cannot spool in %s after %llu bytes", s->dir,
                      (unsigned long long)s->size);
        return sr_error_append(err, "; free some space, set BACKUP_SPOOL_DIR, or use --stream");
    }
    s->size += len;
    return SR_OK;
}

uint64_t sr_spool_size(const struct sr_spool *s)
{
    return s->size;
}

void sr_spool_rewind(struct sr_spool *s)
{
    s->at = 0;
}

int sr_spool_pull(void *spool, void *buf, size_t cap, int timeout_ms, size_t *ret_len,
                  struct sr_error *err)
{
    struct sr_spool *s = spool;
    (void)timeout_ms; /* a file never makes one wait */
    ssize_t n;
    do
        n = pread(s->fd, buf, cap, (off_t)s->at);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return sr_fail_errno(err, errno, "cannot read the spool in %s", s->dir);
    if (n == 0 && s->at != s->size)
        return sr_fail(err, SR_E_CORRUPT, "the spool in %s lost bytes: %llu of %llu are there",
                       s->dir, (unsigned long long)s->at, (unsigned long long)s->size);
    s->at += (uint64_t)n;
    *ret_len = (size_t)n;
    return SR_OK;
}

void sr_spool_free(struct sr_spool *s)
{
    if (!s)
        return;
    (void)close(s->fd);
    free(s->dir);
    free(s);
}
