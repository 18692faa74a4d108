#include "config.h"
#include "core/engine/lock.h"
#include "core/util/cleanup.h"
#include "core/util/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

struct sr_lock {
    int fd;
};

int sr_lock_fd(int fd)
{
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int rc;
    do
        rc = fcntl(fd, F_OFD_SETLK, &fl);
    while (rc != 0 && errno == EINTR);
    if (rc != 0 && errno == EACCES)
        errno = EAGAIN;
    return rc;
}

#define OWNER_SIZE 64

/* The number that the holder wrote, or "". */
static void owner_read(int fd, char owner[OWNER_SIZE])
{
    ssize_t n = pread(fd, owner, OWNER_SIZE - 1, 0);
    owner[n > 0 ? n : 0] = '\0';
    owner[strspn(owner, "0123456789")] = '\0';
}

int sr_lock_take(const char *state_dir, const char *name, struct sr_lock **ret,
                 struct sr_error *err)
{
    _cleanup_free_ char *dir = sr_fs_join(state_dir, "locks");
    _cleanup_free_ char *path = NULL;
    if (!dir || asprintf(&path, "%s/%s.lock", dir, name) < 0)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    int rc = sr_fs_mkdirs(dir, 0700, err);
    if (rc != SR_OK)
        return rc;
    _cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return sr_fail_errno(err, errno, "cannot open lock file %s", path);
    if (sr_lock_fd(fd) != 0) {
        char owner[OWNER_SIZE];
        if (errno != EAGAIN)
            return sr_fail_errno(err, errno, "cannot lock %s", path);
        owner_read(fd, owner);
        return sr_fail(err, SR_E_BUSY,
                       "another run of %s is alive here (process %s holds %s); wait for it to end",
                       name, *owner ? owner : "unknown", path);
    }
    /* The number is only for the message above; the lock itself does not depend on it. */
    char text[32];
    int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)n, 0) != n)
        return sr_fail_errno(err, errno, "cannot write lock file %s", path);
    struct sr_lock *l = malloc(sizeof *l);
    if (!l)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    l->fd = sr_steal_fd(&fd);
    *ret = l;
    return SR_OK;
}

/* One file of the folder of locks. */
static int look(int dir, const char *file, int (*each)(void *ctx, const char *, const char *),
                void *ctx)
{
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char owner[OWNER_SIZE], name[NAME_MAX + 1];
    size_t n = strlen(file);
    _cleanup_close_ int fd = -1;
    if (n <= 5 || strcmp(file + n - 5, ".lock") != 0)
        return 0;
    fd = openat(dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || fcntl(fd, F_OFD_GETLK, &fl) != 0 || fl.l_type == F_UNLCK)
        return 0;
    owner_read(fd, owner);
    (void)snprintf(name, sizeof name, "%.*s", (int)(n - 5), file);
    return each(ctx, name, owner);
}

int sr_lock_each(const char *state_dir, int (*each)(void *ctx, const char *name, const char *owner),
                 void *ctx, struct sr_error *err)
{
    _cleanup_free_ char *path = sr_fs_join(state_dir, "locks");
    const struct dirent *de;
    if (!path)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    DIR *d = opendir(path);
    if (!d)
        return errno == ENOENT
                   ? SR_OK
                   : sr_fail_errno(err, errno, "cannot read the folder of locks %s", path);
    int end = 0;
    while (!end && (de = readdir(d)))
        end = look(dirfd(d), de->d_name, each, ctx);
    (void)closedir(d);
    return SR_OK;
}

void sr_lock_release(struct sr_lock *l)
{
    if (!l)
        return;
    (void)close(l->fd);
    free(l);
}
