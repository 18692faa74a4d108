/* Listing: a walk in the bytewise order of keys, in memory that does not grow with the folder.
 *
 * Of a large folder only the next NAMES_KEPT names in order are held at a time (and at most as many
 * that may follow them: with names of 100 bytes some 30 MiB); the folder is read again for those
 * that follow. */
#include "local.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAMES_KEPT 131072u

struct walk {
    const struct local *l;
    const struct sr_storage_list_options *options;
    const struct sr_storage_emitter *emitter;
    int stopped;
    size_t len;                    /* of path */
    char path[SR_STORAGE_KEY_MAX]; /* the folder being walked, "" or ending at a slash */
};

/* Names of one folder. A folder's name ends at a slash, as it does in the keys below it, so that
 * sorting names sorts keys. */
struct names {
    char **items;
    size_t len;
    int more; /* names were left out, all of them after the last one kept */
};

static int32_t walk_folder(struct walk *w, int fd);

static void names_cut(struct names *n, size_t len)
{
    while (n->len > len)
        free(n->items[--n->len]);
}

static void names_done(struct names *n)
{
    names_cut(n, 0);
    free(n->items);
    n->items = NULL;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void names_sort(struct names *n)
{
    if (n->len > 1)
        qsort(n->items, n->len, sizeof *n->items, by_bytes);
}

/* Whether key, or any key below it when it ends at a slash, can be asked for. */
static int wanted(const struct walk *w, const char *name)
{
    char key[SR_STORAGE_KEY_MAX];
    size_t n = strlen(name), prefix = strlen(w->options->prefix);
    if (w->len + n >= sizeof key)
        return 0; /* longer than a key may be */
    memcpy(key, w->path, w->len);
    memcpy(key + w->len, name, n + 1);
    size_t len = w->len + n, common = len < prefix ? len : prefix;
    int folder = key[len - 1] == '/';
    if (memcmp(key, w->options->prefix, common) != 0 || (!folder && len < prefix))
        return 0;
    const char *after = w->options->start_after;
    return strcmp(key, after) > 0 || (folder && strncmp(after, key, len) == 0);
}

/* 1: a folder, 0: a file, -1: neither, or gone. Links count as neither. */
static int kind_of(int fd, const struct dirent *e)
{
    if (e->d_type == DT_REG || e->d_type == DT_DIR)
        return e->d_type == DT_DIR;
    struct stat st;
    if (e->d_type != DT_UNKNOWN || fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return -1;
    return S_ISDIR(st.st_mode) ? 1 : S_ISREG(st.st_mode) ? 0 : -1;
}

/* Takes the name in, when it is after `after` and not beyond what is kept; -1: no memory. */
static int names_add(const struct walk *w, struct names *n, const char *after, const char *name,
                     int folder)
{
    char full[NAME_MAX + 2];
    size_t len = strlen(name);
    memcpy(full, name, len);
    full[len] = '/';
    full[len + (size_t)folder] = '\0';
    if (strcmp(full, after) <= 0 || !wanted(w, full))
        return 0;
    /* With more set, the first NAMES_KEPT are sorted, and nothing past the last of them matters. */
    if (n->more && strcmp(full, n->items[NAMES_KEPT - 1]) > 0)
        return 0;
    if (!(n->items[n->len] = strdup(full)))
        return -1;
    if (++n->len == 2 * (size_t)NAMES_KEPT) {
        names_sort(n);
        names_cut(n, NAMES_KEPT);
        n->more = 1;
    }
    return 0;
}

/* The next names after `after`, sorted. d is read from its start. */
static int32_t names_read(struct walk *w, DIR *d, const char *after, struct names *n)
{
    rewinddir(d);
    n->more = 0;
    for (;;) {
        errno = 0;
        struct dirent *e = readdir(d);
        if (!e && errno)
            return local_fail_errno(w->l, errno, "reading folder %s/%s", w->l->dir, w->path);
        if (!e)
            break;
        if (!local_name_is_key(e->d_name))
            continue;
        int kind = kind_of(dirfd(d), e);
        if (kind >= 0 && names_add(w, n, after, e->d_name, kind) != 0)
            return local_fail(w->l, SR_STORAGE_E_UNAVAILABLE, "out of memory");
    }
    names_sort(n);
    if (n->len > NAMES_KEPT) {
        names_cut(n, NAMES_KEPT);
        n->more = 1;
    }
    return SR_STORAGE_OK;
}

static int32_t walk_file(struct walk *w, int fd, const char *name)
{
    struct stat st;
    if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT)
            return SR_STORAGE_OK; /* deleted since */
        return local_fail_errno(w->l, errno, "looking at %s/%s%s", w->l->dir, w->path, name);
    }
    if (!S_ISREG(st.st_mode))
        return SR_STORAGE_OK;
    size_t n = strlen(name);
    memcpy(w->path + w->len, name, n + 1); /* `wanted` saw that it fits */
    struct sr_storage_entry entry;
    local_entry(w->path, &st, &entry);
    w->stopped = w->emitter->emit(w->emitter->ctx, &entry) != 0;
    w->path[w->len] = '\0';
    return SR_STORAGE_OK;
}

static int32_t walk_below(struct walk *w, int fd, const char *name)
{
    size_t n = strlen(name);
    char plain[NAME_MAX + 1];
    memcpy(plain, name, n - 1);
    plain[n - 1] = '\0';
    int below = local_open_folder(fd, plain);
    if (below < 0 && errno == ENOENT)
        return SR_STORAGE_OK;
    if (below < 0)
        return local_fail_errno(w->l, errno, "cannot open folder %s/%s%s", w->l->dir, w->path,
                                plain);
    memcpy(w->path + w->len, name, n + 1);
    w->len += n;
    int32_t rc = walk_folder(w, below);
    w->len -= n;
    w->path[w->len] = '\0';
    return rc;
}

/* Takes fd. */
static int32_t walk_folder(struct walk *w, int fd)
{
    DIR *d = fdopendir(fd);
    if (!d) {
        int e = errno;
        (void)close(fd);
        return local_fail_errno(w->l, e, "cannot read folder %s/%s", w->l->dir, w->path);
    }
    struct names n = {.items = calloc(2 * (size_t)NAMES_KEPT, sizeof *n.items)};
    char after[NAME_MAX + 2] = "";
    int32_t rc =
        n.items ? SR_STORAGE_OK : local_fail(w->l, SR_STORAGE_E_UNAVAILABLE, "out of memory");
    do {
        if (rc == SR_STORAGE_OK)
            rc = names_read(w, d, after, &n);
        for (size_t i = 0; rc == SR_STORAGE_OK && !w->stopped && i < n.len; i++) {
            const char *name = n.items[i];
            rc = local_cancelled(w->l, "listing", w->l->dir);
            if (rc == SR_STORAGE_OK)
                rc = name[strlen(name) - 1] == '/' ? walk_below(w, fd, name)
                                                   : walk_file(w, fd, name);
        }
        if (n.more)
            (void)strcpy(after, n.items[n.len - 1]);
        names_cut(&n, 0);
    } while (rc == SR_STORAGE_OK && !w->stopped && n.more);
    names_done(&n);
    (void)closedir(d);
    return rc;
}

int32_t local_list(void *handle, const struct sr_storage_list_options *options,
                   const struct sr_storage_emitter *emitter)
{
    struct walk w = {.l = handle, .options = options, .emitter = emitter};
    int fd = local_open_folder(w.l->fd, ".");
    if (fd < 0)
        return local_fail_errno(w.l, errno, "cannot open folder %s", w.l->dir);
    return walk_folder(&w, fd);
}
