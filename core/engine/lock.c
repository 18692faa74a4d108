#include "config.h"
#include "core/engine/lock.h"
#include "core/util/cleanup.h"
#include "core/util/fs.h"

#include <errno.h>
#include <fcntl.h>
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
        char owner[64] = "";
        if (errno != EAGAIN)
            return sr_fail_errno(err, errno, "cannot lock %s", path);
        ssize_t n = pread(fd, owner, sizeof owner - 1, 0);
        owner[n > 0 ? n : 0] = '\0';
        owner[strspn(owner, "0123456789")] = '\0';
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

void sr_lock_release(struct sr_lock *l)
{
    if (!l)
        return;
    (void)close(l->fd);
    free(l);
}
