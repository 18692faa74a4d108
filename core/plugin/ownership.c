#include "config.h"
#include "core/plugin/search.h"
#include "core/util/cleanup.h"

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as many as the kernel follows */

static int owner_check(const struct stat *st, const char *what, const char *file,
                       struct sr_error *err)
{
    if (st->st_uid == 0 || st->st_uid == geteuid())
        return SR_OK;
    return sr_fail(err, SR_E_DENIED,
                   "plugin %s refused: %s belongs to user id %u, who could change what is run; "
                   "it must belong to root or to the user strongroom runs as",
                   file, what, (unsigned)st->st_uid);
}

static int inode_check(const struct stat *st, const char *what, const char *file,
                       struct sr_error *err)
{
    int rc = owner_check(st, what, file, err);
    int sticky = S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX);
    if (rc == SR_OK && (st->st_mode & (S_IWGRP | S_IWOTH)) && !sticky)
        rc = sr_fail(err, SR_E_DENIED,
                     "plugin %s refused: others may write %s (mode %04o); chmod go-w %s", file,
                     what, (unsigned)(st->st_mode & 07777), what);
    return rc;
}

/* The way to a file, taken as the kernel takes it: done is resolved and checked, rest is not. */
struct way {
    const char *file; /* for messages */
    char done[PATH_MAX], rest[PATH_MAX];
    unsigned links;
};

static int too_long(const struct way *w, struct sr_error *err)
{
    return sr_fail(err, SR_E_CONFIG, "cannot load plugin %s: its path is too long", w->file);
}

/* link, in the folder done, goes on at its target. */
static int follow(struct way *w, const char *link, struct sr_error *err)
{
    char target[PATH_MAX], rest[PATH_MAX];
    struct statfs fs;
    ssize_t n = readlink(link, target, sizeof target - 1);
    if (n < 0)
        return sr_fail_errno(err, errno, "cannot load plugin %s: reading the link %s", w->file,
                             link);
    target[n] = '\0';
    if (++w->links > LINKS_MAX)
        return sr_fail_errno(err, ELOOP, "cannot load plugin %s", w->file);
    /* /proc/self/cwd, /dev/fd/3: what these are depends on who looks. */
    if (statfs(*w->done ? w->done : "/", &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC)
        return sr_fail(err, SR_E_DENIED,
                       "plugin %s refused: %s is another place for each process; plugins are "
                       "never loaded from a place that depends on the working folder or on open "
                       "files",
                       w->file, link);
    int len = snprintf(rest, sizeof rest, "%s/%s", target, w->rest);
    if (len < 0 || (size_t)len >= sizeof rest)
        return too_long(w, err);
    memcpy(w->rest, rest, (size_t)len + 1);
    if (*target == '/')
        w->done[0] = '\0';
    return SR_OK;
}

/* One component of rest. */
static int step(struct way *w, const char *name, struct stat *st, struct sr_error *err)
{
    char next[PATH_MAX];
    if (strcmp(name, ".") == 0)
        return SR_OK;
    if (strcmp(name, "..") == 0) {
        char *slash = strrchr(w->done, '/');
        if (slash)
            *slash = '\0';
        return SR_OK;
    }
    int n = snprintf(next, sizeof next, "%s/%s", w->done, name);
    if (n < 0 || (size_t)n >= sizeof next)
        return too_long(w, err);
    if (lstat(next, st) != 0)
        return sr_fail_errno(err, errno, "cannot load plugin %s: looking at %s", w->file, next);
    if (S_ISLNK(st->st_mode)) {
        /* Whoever may replace a link on the way chooses the file as well. */
        int rc = owner_check(st, next, w->file, err);
        return rc == SR_OK ? follow(w, next, err) : rc;
    }
    memcpy(w->done, next, (size_t)n + 1);
    return inode_check(st, next, w->file, err);
}

int sr_plugin_file_resolve(const char *file, char **ret, struct sr_error *err)
{
    struct way w = {.file = file};
    struct stat st;
    if (*file != '/')
        return sr_fail(err, SR_E_CONFIG, "plugin %s refused: not an absolute path", file);
    if (strlen(file) >= sizeof w.rest)
        return too_long(&w, err);
    memcpy(w.rest, file, strlen(file) + 1);
    if (stat("/", &st) != 0)
        return sr_fail_errno(err, errno, "cannot load plugin %s: looking at /", file);
    int rc = inode_check(&st, "/", file, err);
    while (rc == SR_OK && *w.rest) {
        char name[PATH_MAX];
        size_t skip = strspn(w.rest, "/"), len = strcspn(w.rest + skip, "/");
        memcpy(name, w.rest + skip, len);
        name[len] = '\0';
        memmove(w.rest, w.rest + skip + len, strlen(w.rest + skip + len) + 1);
        if (len > 0)
            rc = step(&w, name, &st, err);
    }
    if (rc != SR_OK)
        return rc;
    if (stat(w.done, &st) != 0)
        return sr_fail_errno(err, errno, "cannot load plugin %s", file);
    if (!S_ISREG(st.st_mode))
        return sr_fail(err, SR_E_CONFIG, "plugin %s refused: not a regular file", file);
    *ret = strdup(w.done);
    return *ret ? SR_OK
                : sr_fail(err, SR_E_NO_MEMORY, "cannot check plugin %s: out of memory", file);
}

int sr_plugin_file_check(const char *file, struct sr_error *err)
{
    _cleanup_free_ char *real = NULL;
    return sr_plugin_file_resolve(file, &real, err);
}
