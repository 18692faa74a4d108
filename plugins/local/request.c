#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TEXT_MAX 1024

__attribute__((format(printf, 4, 0))) static void fail_text(const struct local *l, int32_t code,
                                                            const char *why, const char *fmt,
                                                            va_list ap)
{
    char text[TEXT_MAX];
    int n = vsnprintf(text, sizeof text, fmt, ap);
    if (why && n >= 0 && (size_t)n < sizeof text)
        (void)snprintf(text + n, sizeof text - (size_t)n, ": %s", why);
    l->host->set_error(l->host, code, text);
}

int32_t local_fail(const struct local *l, int32_t code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fail_text(l, code, NULL, fmt, ap);
    va_end(ap);
    return code;
}

static int32_t code_of(int errnum)
{
    switch (errnum) {
    case ENOENT:
        return SR_STORAGE_E_NOT_FOUND;
    case EEXIST:
        return SR_STORAGE_E_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP: /* a symbolic link where a folder or a file must be */
    case EXDEV:
    case ENOTDIR:
    case EISDIR:
        return SR_STORAGE_E_DENIED;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return SR_STORAGE_E_NO_SPACE;
    case ENAMETOOLONG:
    case EINVAL:
        return SR_STORAGE_E_CONFIG;
    case ETIMEDOUT:
        return SR_STORAGE_E_TIMEOUT;
    default: /* EIO, ESTALE, EMFILE, ENOMEM: the machine's affair, not a fault of ours */
        return SR_STORAGE_E_UNAVAILABLE;
    }
}

int32_t local_fail_errno(const struct local *l, int errnum, const char *fmt, ...)
{
    char why[128];
    int32_t code = code_of(errnum);
    va_list ap;
    va_start(ap, fmt);
    fail_text(l, code, strerror_r(errnum, why, sizeof why), fmt, ap);
    va_end(ap);
    return code;
}

int32_t local_cancelled(const struct local *l, const char *what, const char *key)
{
    uint64_t end = l->host->deadline(l->host);
    if (end != 0 && l->host->monotonic(l->host) >= end)
        return local_fail(l, SR_STORAGE_E_TIMEOUT, "%s %s: the time for it is over", what, key);
    if (!l->host->is_cancelled(l->host))
        return SR_STORAGE_OK;
    return local_fail(l, SR_STORAGE_E_CANCELLED, "%s %s: cancelled", what, key);
}

int local_name_is_key(const char *name)
{
    return name[0] != '.' && name[0] != '\0' &&
           name[strspn(
               name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")] == '\0';
}

int local_name_is_temp(const char *name)
{
    size_t n = strlen(name), p = sizeof LOCAL_TEMP_PREFIX - 1, s = sizeof LOCAL_TEMP_SUFFIX - 1;
    return n > p + s && memcmp(name, LOCAL_TEMP_PREFIX, p) == 0 &&
           memcmp(name + n - s, LOCAL_TEMP_SUFFIX, s) == 0;
}

int local_open_folder(int fd, const char *name)
{
    return openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* The whole way in one step, where the kernel can promise that no link is followed on it. */
static int open_beneath(int fd, const char *path)
{
    struct open_how how = {
        .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    return (int)syscall(SYS_openat2, fd, path, &how, sizeof how);
}

static int step_into(int at, const char *name, int make)
{
    struct stat st;
    int fd = local_open_folder(at, name);
    /* A link is told as openat2 tells it: with O_DIRECTORY, openat calls it no folder. */
    if (fd < 0 && errno == ENOTDIR)
        errno = fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode) ? ELOOP
                                                                                        : ENOTDIR;
    if (fd >= 0 || errno != ENOENT || !make)
        return fd;
    if (mkdirat(at, name, 0700) == 0) {
        /* The new folder's own entry must survive a crash as much as what will be in it. */
        if (fsync(at) != 0)
            return -1;
    } else if (errno != EEXIST) {
        return -1;
    }
    return local_open_folder(at, name);
}

/* One component after the other; also where openat2 is missing or forbidden. */
static int walk(int top, const char *path, int make)
{
    int at = fcntl(top, F_DUPFD_CLOEXEC, 3);
    while (at >= 0 && *path) {
        char name[NAME_MAX + 1] = "";
        size_t n = strcspn(path, "/");
        int next = -1;
        if (n < sizeof name)
            memcpy(name, path, n);
        if (n < sizeof name && local_name_is_key(name)) {
            next = step_into(at, name, make);
        } else if (n < sizeof name) {
            errno = EINVAL; /* "..", which here nobody else would stop */
        } else {
            errno = ENAMETOOLONG;
        }
        int e = errno;
        (void)close(at);
        errno = e;
        at = next;
        path += n + (path[n] == '/');
    }
    return at;
}

int32_t local_parent(const struct local *l, const char *key, int make, int *ret_fd,
                     const char **ret_leaf)
{
    char path[SR_STORAGE_KEY_MAX];
    const char *slash = strrchr(key, '/'), *leaf = slash ? slash + 1 : key;
    size_t n = slash ? (size_t)(slash - key) : 0;
    /* The host checked the key; a late one came straight from it as well. Once more costs nothing,
     * and what a key may not be is here what would lead out of the folder. */
    if (n >= sizeof path || !local_name_is_key(leaf))
        return local_fail(l, SR_STORAGE_E_CONFIG, "'%s' is no key that a file can have", key);
    memcpy(path, key, n);
    path[n] = '\0';
    int fd = -1;
    if (n == 0) {
        fd = fcntl(l->fd, F_DUPFD_CLOEXEC, 3);
    } else {
        fd = open_beneath(l->fd, path);
        if (fd < 0 && (make || errno == ENOSYS || errno == EPERM))
            fd = walk(l->fd, path, make);
    }
    if (fd < 0 && errno == ENOTDIR && !make)
        errno = ENOENT; /* a file where the key has a folder: there is no such object */
    if (fd < 0)
        return local_fail_errno(l, errno, "cannot open folder %s/%s", l->dir, path);
    *ret_fd = fd;
    *ret_leaf = leaf;
    return SR_STORAGE_OK;
}

void local_entry(const char *key, const struct stat *st, struct sr_storage_entry *ret)
{
    *ret = (struct sr_storage_entry){
        .size = sizeof *ret,
        .key = key,
        .object_size = (uint64_t)st->st_size,
        .modified = st->st_mtim.tv_sec,
    };
}
