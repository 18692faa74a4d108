/* Sweeping: temporary files whose writer is dead. */
#include "local.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct sweep {
    const struct local *l;
    const struct sr_storage_sweep_options *options;
    const struct sr_storage_emitter *emitter;
    int stopped;
};

static int32_t sweep_folder(struct sweep *s, int fd, const char *path);

/* Nonzero when nobody holds the lock that a writer takes. *ret_fd keeps the lock. */
static int writer_is_dead(int folder, const char *name, int *ret_fd)
{
    int fd = openat(folder, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
        *ret_fd = fd;
        return 1;
    }
    if (fd >= 0)
        (void)close(fd);
    return 0;
}

static int32_t sweep_file(struct sweep *s, int folder, const char *path, const char *name)
{
    struct stat st;
    char shown[SR_STORAGE_KEY_MAX + NAME_MAX];
    int fd = -1;
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
        return SR_STORAGE_OK;
    int64_t age = s->l->host->now(s->l->host) - st.st_mtim.tv_sec;
    if (age < 0 ? s->options->older_than > 0 : (uint64_t)age < s->options->older_than)
        return SR_STORAGE_OK;
    if (!writer_is_dead(folder, name, &fd))
        return SR_STORAGE_OK;
    int32_t rc = SR_STORAGE_OK;
    if (!(s->options->flags & SR_STORAGE_SWEEP_DRY_RUN) && unlinkat(folder, name, 0) != 0 &&
        errno != ENOENT)
        rc =
            local_fail_errno(s->l, errno, "removing the unfinished %s/%s%s", s->l->dir, path, name);
    (void)close(fd);
    if (rc == SR_STORAGE_OK) {
        struct sr_storage_entry entry;
        (void)snprintf(shown, sizeof shown, "%s%s", path, name);
        local_entry(shown, &st, &entry);
        s->stopped = s->emitter->emit(s->emitter->ctx, &entry) != 0;
    }
    return rc;
}

/* Whether keys below path (which ends at a slash) can begin with the prefix. */
static int may_hold(const struct sweep *s, const char *path)
{
    size_t n = strlen(path), p = strlen(s->options->prefix);
    return memcmp(path, s->options->prefix, n < p ? n : p) == 0;
}

static int32_t sweep_below(struct sweep *s, int fd, const char *path, const char *name)
{
    char below[SR_STORAGE_KEY_MAX];
    int n = snprintf(below, sizeof below, "%s%s/", path, name);
    if (n < 0 || (size_t)n >= sizeof below || !may_hold(s, below))
        return SR_STORAGE_OK;
    int sub = local_open_folder(fd, name);
    if (sub < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == ELOOP
                   ? SR_STORAGE_OK
                   : local_fail_errno(s->l, errno, "cannot open folder %s/%s", s->l->dir, below);
    return sweep_folder(s, sub, below);
}

/* Takes fd. */
static int32_t sweep_folder(struct sweep *s, int fd, const char *path)
{
    DIR *d = fdopendir(fd);
    if (!d) {
        int e = errno;
        (void)close(fd);
        return local_fail_errno(s->l, e, "cannot read folder %s/%s", s->l->dir, path);
    }
    int32_t rc = SR_STORAGE_OK;
    struct dirent *e;
    errno = 0;
    while (rc == SR_STORAGE_OK && !s->stopped && (e = readdir(d)) != NULL) {
        rc = local_cancelled(s->l, "sweeping", s->l->dir);
        if (rc != SR_STORAGE_OK)
            break;
        if (local_name_is_temp(e->d_name))
            rc = sweep_file(s, fd, path, e->d_name);
        else if (local_name_is_key(e->d_name) && (e->d_type == DT_DIR || e->d_type == DT_UNKNOWN))
            rc = sweep_below(s, fd, path, e->d_name);
        errno = 0;
    }
    if (rc == SR_STORAGE_OK && !s->stopped && errno)
        rc = local_fail_errno(s->l, errno, "reading folder %s/%s", s->l->dir, path);
    (void)closedir(d);
    return rc;
}

int32_t local_sweep(void *handle, const struct sr_storage_sweep_options *options,
                    const struct sr_storage_emitter *emitter)
{
    struct sweep s = {.l = handle, .options = options, .emitter = emitter};
    int fd = local_open_folder(s.l->fd, ".");
    if (fd < 0)
        return local_fail_errno(s.l, errno, "cannot open folder %s", s.l->dir);
    return sweep_folder(&s, fd, "");
}
