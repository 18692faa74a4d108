#include "config.h"
#include "core/util/fs.h"
#include "core/util/cleanup.h"
#include "core/util/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* How long a pipe's writer may take in all: a password manager that has to be unlocked first. */
#define PIPE_WAIT_MS 60000

int sr_write_full(int fd, const void *data, size_t len)
{
    const char *p = data;
    while (len > 0) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

ssize_t sr_read_full(int fd, void *data, size_t len)
{
    char *p = data;
    size_t got = 0;
    while (got < len) {
        ssize_t n = read(fd, p + got, len - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        got += (size_t)n;
    }
    return (ssize_t)got;
}

/* read(2) that waits until the deadline (monotonic ns) when a pipe is empty but still has a writer.
 */
static ssize_t read_waiting(int fd, void *data, size_t len, int64_t deadline)
{
    for (;;) {
        ssize_t n = read(fd, data, len);
        int64_t left = (deadline - sr_clock_monotonic(&sr_clock_system)) / 1000000;
        if (n >= 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
            return n;
        struct pollfd p = {.fd = fd, .events = POLLIN};
        /* In all: one that sends a byte now and then would start the time anew for ever. */
        if (left <= 0 || (errno == EAGAIN && poll(&p, 1, (int)left) == 0)) {
            errno = ETIMEDOUT;
            return -1;
        }
    }
}

static int read_all(int fd, const char *path, struct sr_buf *b, int64_t deadline,
                    struct sr_error *err)
{
    char chunk[16384];
    for (;;) {
        ssize_t n = read_waiting(fd, chunk, sizeof chunk, deadline);
        if (n < 0 && errno == ETIMEDOUT)
            return sr_fail(err, SR_E_TIMEOUT,
                           "cannot read %s: whoever writes it did not come to the end in time",
                           path);
        if (n < 0)
            return sr_fail_errno(err, errno, "cannot read %s", path);
        if (n == 0)
            return SR_OK;
        int rc = sr_buf_add(b, chunk, (size_t)n);
        explicit_bzero(chunk, (size_t)n);
        if (rc == SR_E_NO_SPACE)
            return sr_fail(err, rc, "cannot read %s: it is larger than %zu bytes", path, b->max);
        if (rc != SR_OK)
            return sr_fail(err, rc, "cannot read %s: out of memory", path);
    }
}

int sr_fs_read_file_within(const char *path, struct sr_buf *b, int wait_ms, struct sr_error *err)
{
    int64_t deadline = sr_clock_monotonic(&sr_clock_system) + (int64_t)wait_ms * 1000000;
    /* O_NONBLOCK: opening a FIFO that nobody writes must not hang. */
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return sr_fail_errno(err, errno, "cannot read %s", path);
    if (S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode))
        return sr_fail(err, SR_E_IO, "cannot read %s: it is not a file", path);
    return read_all(fd, path, b, deadline, err);
}

int sr_fs_read_file(const char *path, struct sr_buf *b, struct sr_error *err)
{
    return sr_fs_read_file_within(path, b, PIPE_WAIT_MS, err);
}

int sr_fs_mkdirs(const char *path, mode_t mode, struct sr_error *err)
{
    _cleanup_free_ char *copy = strdup(path);
    if (!copy)
        return sr_fail(err, SR_E_NO_MEMORY, "cannot make folder %s: out of memory", path);
    for (char *p = copy + (*copy == '/');; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        char c = *p;
        *p = '\0';
        if (*copy && mkdir(copy, mode) != 0 && errno != EEXIST) {
            int e = errno;
            struct stat st;
            /* A read-only parent answers EROFS or EACCES for a folder that is there. */
            if (stat(copy, &st) != 0 || !S_ISDIR(st.st_mode))
                return sr_fail_errno(err, e, "cannot make folder %s", copy);
        }
        *p = c;
        if (c == '\0')
            break;
    }
    struct stat st;
    if (stat(path, &st) != 0)
        return sr_fail_errno(err, errno, "cannot make folder %s", path);
    if (!S_ISDIR(st.st_mode))
        return sr_fail(err, SR_E_EXISTS, "cannot make folder %s: a file of that name is there",
                       path);
    return SR_OK;
}

int sr_fs_sync_dir(const char *path, struct sr_error *err)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        return sr_fail_errno(err, errno, "cannot make changes in folder %s last", path);
    return SR_OK;
}

char *sr_fs_join(const char *dir, const char *name)
{
    if (!*dir || *name == '/')
        return strdup(name);
    char *out = NULL;
    const char *slash = dir[strlen(dir) - 1] == '/' ? "" : "/";
    return asprintf(&out, "%s%s%s", dir, slash, name) < 0 ? NULL : out;
}

int sr_fs_free_bytes(const char *path, unsigned long long *ret, struct sr_error *err)
{
    struct statvfs v;
    if (statvfs(path, &v) != 0)
        return sr_fail_errno(err, errno, "cannot ask for free space on %s", path);
    *ret = (unsigned long long)v.f_bavail * v.f_frsize;
    return SR_OK;
}
