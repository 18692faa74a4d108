#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int32_t make_dirs(const struct local *l, char *path)
{
    for (char *p = path + 1;; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        char c = *p;
        *p = '\0';
        int failed = mkdir(path, 0700) != 0 && errno != EEXIST;
        int e = errno;
        struct stat st;
        /* A parent that we may not write into answers EACCES or EROFS for a folder that is there.
         */
        if (failed && (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)))
            return local_fail_errno(l, e, "cannot make folder %s", path);
        *p = c;
        if (c == '\0')
            return SR_STORAGE_OK;
    }
}

static int32_t open_dir(struct local *l, char *path, int read_only)
{
    l->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (l->fd < 0 && errno == ENOENT && !read_only) {
        int32_t rc = make_dirs(l, path);
        if (rc != SR_STORAGE_OK)
            return rc;
        l->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (l->fd < 0)
        return local_fail_errno(l, errno, "cannot open folder %s", path);
    l->dir = realpath(path, NULL);
    if (!l->dir)
        return local_fail_errno(l, errno, "cannot resolve folder %s", path);
    struct stat st;
    if (fstat(l->fd, &st) == 0 && (st.st_mode & S_IWOTH)) {
        char text[PATH_MAX + 64];
        (void)snprintf(text, sizeof text, "everybody may write folder %s; chmod o-w it", l->dir);
        l->host->log(l->host, SR_STORAGE_LOG_WARN, text);
    }
    return SR_STORAGE_OK;
}

static void local_close(void *handle)
{
    struct local *l = handle;
    if (l->fd >= 0)
        (void)close(l->fd);
    free(l->dir);
    free(l);
}

static int32_t local_open(const struct sr_storage_host *host,
                          const struct sr_storage_open_options *options, void **ret_handle)
{
    struct local *l = calloc(1, sizeof *l);
    if (!l) {
        host->set_error(host, SR_STORAGE_E_UNAVAILABLE, "out of memory");
        return SR_STORAGE_E_UNAVAILABLE;
    }
    l->host = host;
    l->fd = -1;
    char path[PATH_MAX];
    int64_t n = host->setting(host, "dir", path, sizeof path);
    int32_t rc;
    if (n == -2)
        rc = SR_STORAGE_E_CONFIG; /* the host has said why */
    else if (n < 1 || n >= (int64_t)sizeof path || path[0] != '/')
        rc = local_fail(l, SR_STORAGE_E_CONFIG, "the setting dir is %s",
                        n < 1               ? "missing"
                        : n >= PATH_MAX - 1 ? "too long for a path"
                                            : "not an absolute path");
    else
        rc = open_dir(l, path, (options->flags & SR_STORAGE_OPEN_READ_ONLY) != 0);
    if (rc != SR_STORAGE_OK) {
        local_close(l);
        return rc;
    }
    *ret_handle = l;
    return SR_STORAGE_OK;
}

static int32_t local_place(void *handle, char *buf, uint64_t cap)
{
    struct local *l = handle;
    int n = snprintf(buf, (size_t)cap, "file://%s", l->dir);
    if (n < 0 || (uint64_t)n >= cap)
        return local_fail(l, SR_STORAGE_E_CONFIG, "the path of folder %s is too long", l->dir);
    return SR_STORAGE_OK;
}

static const struct sr_storage_setting settings[] = {
    {
        .size = sizeof(struct sr_storage_setting),
        .key = "dir",
        .type = SR_STORAGE_TYPE_PATH,
        .flags = SR_STORAGE_SETTING_REQUIRED | SR_STORAGE_SETTING_PLACE,
        .names = "BACKUP_DIR",
        .help = "Folder that holds the objects; made (mode 0700) when it is missing",
        .since = "1.0",
    },
    {0},
};

static struct sr_storage_plugin plugin = {
    .name = "local",
    .version = "1.0",
    .description = "Files below a folder of this machine",
    .license = "MIT",
    .capabilities = SR_CAP_LATE_KEY | SR_CAP_ATOMIC_CREATE | SR_CAP_RANGES | SR_CAP_SORTED_LIST |
                    SR_CAP_COPY | SR_CAP_SURE_SWEEP,
    .settings = settings,
    .open = local_open,
    .close = local_close,
    .place = local_place,
    .save = local_save,
    .list = local_list,
    .fetch = local_fetch,
    .delete_object = local_delete,
    .stat = local_stat,
    .sweep = local_sweep,
    .copy = local_copy,
};

SR_STORAGE_REGISTER(local, plugin);
