#include "config.h"
#include "core/engine/newest.h"
#include "core/util/buf.h"
#include "core/util/cleanup.h"
#include "core/util/fs.h"
#include "core/util/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_MAX 8192 /* bytes of a file */

static const char head[] = "strongroom newest 1\n";

/* --- one file --- */

static int path_of(const char *state_dir, const struct sr_newest_where *w, char **ret,
                   struct sr_error *err)
{
    if (asprintf(ret, "%s/newest/%s@%s", state_dir, w->store, w->source) >= 0)
        return SR_OK;
    *ret = NULL;
    return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
}

/* Takes "name value\n" off *text; 0 when another line stands there. */
static int take(char **text, const char *name, char **ret)
{
    size_t n = strlen(name);
    char *nl = strchr(*text, '\n');
    if (!nl || strncmp(*text, name, n) != 0 || (*text)[n] != ' ')
        return 0;
    *nl = '\0';
    *ret = *text + n + 1;
    *text = nl + 1;
    return 1;
}

static int parse(struct sr_buf *b, const char *place, struct sr_newest *ret)
{
    char *at, *where, *set, *time;
    uint64_t t = 0;
    if (b->len < sizeof head || memchr(b->data, '\0', b->len) ||
        strncmp(b->data, head, sizeof head - 1) != 0)
        return 0;
    at = b->data + sizeof head - 1;
    if (!take(&at, "place", &where) || !take(&at, "set", &set) || !take(&at, "time", &time) ||
        *at || strcmp(where, place) != 0 || !*set || strlen(set) >= sizeof ret->set ||
        sr_parse_u64(time, &t) != SR_OK || t > INT64_MAX / 2)
        return 0;
    memcpy(ret->set, set, strlen(set) + 1);
    ret->time = (int64_t)t;
    return 1;
}

static int read_at(const char *path, const char *place, struct sr_newest *ret, struct sr_error *err)
{
    struct sr_buf b;
    sr_buf_init(&b, TEXT_MAX);
    int rc = sr_fs_read_file(path, &b, NULL);
    if (rc != SR_E_NO_MEMORY)
        rc = rc == SR_OK && parse(&b, place, ret) ? SR_OK : SR_E_NOT_FOUND;
    sr_buf_done(&b);
    return rc == SR_OK ? SR_OK : sr_fail(err, rc, "nothing that can be read is in %s", path);
}

int sr_newest_read(const char *state_dir, const struct sr_newest_where *w, struct sr_newest *ret,
                   struct sr_error *err)
{
    _cleanup_free_ char *path = NULL;
    int rc = path_of(state_dir, w, &path, err);
    return rc == SR_OK ? read_at(path, w->place, ret, err) : rc;
}

/* --- writing --- */

static int folder(const char *path, struct sr_error *err)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return SR_OK;
    return sr_fail_errno(err, errno, "cannot make %s", path);
}

/* Whole under a name of its own, then renamed: nobody reads half of it. */
static int replace(const char *dir, const char *path, const struct sr_buf *b, struct sr_error *err)
{
    _cleanup_free_ char *temp = NULL;
    if (asprintf(&temp, "%s/.new-XXXXXX", dir) < 0) {
        temp = NULL;
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    _cleanup_close_ int fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0)
        return sr_fail_errno(err, errno, "cannot write in %s", dir);
    if (sr_write_full(fd, b->data, b->len) == 0 && fsync(fd) == 0 && rename(temp, path) == 0)
        return sr_fs_sync_dir(dir, err);
    int rc = sr_fail_errno(err, errno, "cannot write %s", path);
    (void)unlink(temp);
    return rc;
}

int sr_newest_note(const char *state_dir, const struct sr_newest_where *w, const char *set,
                   int64_t time, struct sr_error *err)
{
    _cleanup_free_ char *path = NULL, *dir = sr_fs_join(state_dir, "newest");
    struct sr_newest had;
    struct sr_buf b;
    if (!dir)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    int rc = path_of(state_dir, w, &path, err);
    if (rc == SR_OK && read_at(path, w->place, &had, NULL) == SR_OK && had.time >= time)
        return SR_OK;
    if (rc == SR_OK)
        rc = folder(state_dir, err);
    if (rc == SR_OK)
        rc = folder(dir, err);
    if (rc != SR_OK)
        return rc;
    sr_buf_init(&b, TEXT_MAX);
    if (strchr(w->place, '\n') || sr_buf_printf(&b, "%splace %s\nset %s\ntime %lld\n", head,
                                                w->place, set, (long long)time) != SR_OK)
        rc = sr_fail(err, SR_E_NO_MEMORY, "no room for the name of a place");
    if (rc == SR_OK)
        rc = replace(dir, path, &b, err);
    sr_buf_done(&b);
    return rc;
}

void sr_newest_forget(const char *state_dir, const struct sr_newest_where *w, const char *set)
{
    _cleanup_free_ char *path = NULL;
    struct sr_newest had;
    if (path_of(state_dir, w, &path, NULL) == SR_OK &&
        read_at(path, w->place, &had, NULL) == SR_OK && strcmp(had.set, set) == 0)
        (void)unlink(path);
}

/* --- all of a store --- */

int sr_newest_each(const char *state_dir, const struct sr_newest_where *w,
                   int (*each)(void *ctx, const char *source, const struct sr_newest *n), void *ctx,
                   struct sr_error *err)
{
    _cleanup_free_ char *dir = sr_fs_join(state_dir, "newest");
    size_t n = strlen(w->store);
    if (!dir)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    DIR *d = opendir(dir);
    if (!d)
        return errno == ENOENT ? SR_OK : sr_fail_errno(err, errno, "cannot read %s", dir);
    int rc = SR_OK, end = 0;
    for (struct dirent *e; rc == SR_OK && !end && (e = readdir(d)) != NULL;) {
        struct sr_newest now;
        struct sr_newest_where one = {w->store, w->place, e->d_name + n + 1};
        if (strncmp(e->d_name, w->store, n) != 0 || e->d_name[n] != '@')
            continue;
        rc = sr_newest_read(state_dir, &one, &now, err);
        if (rc == SR_OK)
            end = each(ctx, one.source, &now);
        else if (rc == SR_E_NOT_FOUND)
            rc = SR_OK;
    }
    (void)closedir(d);
    return rc;
}
