#include "config.h"
#include "core/engine/journal.h"
#include "core/engine/lock.h"
#include "core/store/store.h"
#include "core/util/buf.h"
#include "core/util/cleanup.h"
#include "core/util/fs.h"
#include "core/util/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define JOURNAL_MAX (4u << 20) /* bytes: the keys of some ten thousand databases */

struct sr_journal {
    int fd;
    char *path;
    pthread_mutex_t lock;   /* keys come from the threads of several stores */
    struct sr_strlist keys; /* told so far */
    size_t size;            /* bytes of the file */
};

/* What it begins with; nothing in it is free text. */
static int journal_text(const char *set, const char *source, const char *run,
                        const struct sr_strlist *stores, struct sr_buf *b)
{
    if (sr_buf_printf(b, "%s\n%s\n", set, source) != SR_OK)
        return SR_E_NO_MEMORY;
    for (size_t i = 0; i < stores->len; i++)
        if (sr_buf_printf(b, "%s%s", i ? "," : "", stores->items[i]) != SR_OK)
            return SR_E_NO_MEMORY;
    return sr_buf_printf(b, "\nrun %s\n", run);
}

int sr_journal_begin(const char *state_dir, const char *set, const char *source, const char *run,
                     const struct sr_strlist *stores, struct sr_journal **ret, struct sr_error *err)
{
    _cleanup_free_ char *dir = sr_fs_join(state_dir, "runs");
    _cleanup_free_ char *path = NULL, *tmp = NULL;
    unsigned char rnd[8];
    char hex[17];
    struct sr_buf text;
    sr_buf_init(&text, JOURNAL_MAX);
    if (sr_random(rnd, sizeof rnd) != 0)
        return sr_fail_errno(err, errno, "cannot get random bytes");
    sr_hex(rnd, sizeof rnd, hex);
    if (!dir || asprintf(&path, "%s/%s.run", dir, set) < 0 ||
        asprintf(&tmp, "%s/.%s.tmp", dir, hex) < 0)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    int rc = sr_fs_mkdirs(dir, 0700, err);
    if (rc != SR_OK)
        return rc;

    _cleanup_close_ int fd = open(tmp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return sr_fail_errno(err, errno, "cannot write the journal %s", path);
    if (journal_text(set, source, run, stores, &text) != SR_OK)
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    else if (sr_lock_fd(fd) != 0 || sr_write_full(fd, text.data, text.len) != 0 || fsync(fd) != 0)
        rc = sr_fail_errno(err, errno, "cannot write the journal %s", path);
    /* Locked before it has its name: nobody can take it for a dead run's. */
    else if (link(tmp, path) != 0)
        rc = errno == EEXIST
                 ? sr_fail(err, SR_E_EXISTS, "a run of the set %s is under way or was cut off", set)
                 : sr_fail_errno(err, errno, "cannot write the journal %s", path);
    (void)unlink(tmp);
    size_t size = text.len;
    sr_buf_done(&text);
    if (rc != SR_OK)
        return rc;

    struct sr_journal *j = calloc(1, sizeof *j);
    if (!j) {
        (void)unlink(path);
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    j->fd = sr_steal_fd(&fd);
    j->path = sr_steal_ptr(path);
    j->size = size;
    pthread_mutex_init(&j->lock, NULL);
    *ret = j;
    return SR_OK;
}

static int key_append(struct sr_journal *j, const char *key, struct sr_error *err)
{
    char line[SR_KEY_MAX + 8];
    int n = snprintf(line, sizeof line, "key %s\n", key);
    if (n < 0 || (size_t)n >= sizeof line || j->size + (size_t)n > JOURNAL_MAX)
        return sr_fail(err, SR_E_NO_SPACE, "no room in the journal %s for %s", j->path, key);
    if (sr_write_full(j->fd, line, (size_t)n) != 0 || fdatasync(j->fd) != 0) {
        int e = errno;
        /* Half a line would spoil the next one. */
        if (ftruncate(j->fd, (off_t)j->size) == 0)
            (void)lseek(j->fd, (off_t)j->size, SEEK_SET);
        return sr_fail_errno(err, e, "cannot write %s into the journal %s", key, j->path);
    }
    j->size += (size_t)n;
    return sr_strlist_add(&j->keys, key) == SR_OK ? SR_OK
                                                  : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
}

int sr_journal_key(struct sr_journal *j, const char *key, struct sr_error *err)
{
    int rc = SR_OK;
    if (!j)
        return SR_OK;
    pthread_mutex_lock(&j->lock);
    if (!sr_strlist_has(&j->keys, key))
        rc = key_append(j, key, err);
    pthread_mutex_unlock(&j->lock);
    return rc;
}

void sr_journal_end(struct sr_journal *j, int cleared)
{
    if (!j)
        return;
    if (cleared)
        (void)unlink(j->path);
    (void)close(j->fd);
    pthread_mutex_destroy(&j->lock);
    sr_strlist_done(&j->keys);
    free(j->path);
    free(j);
}

/* The lines after the third. A last one without its end was being written when the run died: its
 * object was never begun. */
static int parse_keys(char *p, struct sr_journal_entry *e)
{
    for (char *nl; (nl = strchr(p, '\n')); p = nl + 1) {
        struct sr_key_parts parts;
        *nl = '\0';
        if (!*e->run) {
            if (strncmp(p, "run ", 4) != 0 || !sr_run_id_ok(p + 4))
                return SR_E_CORRUPT;
            memcpy(e->run, p + 4, sizeof e->run);
            continue;
        }
        if (strncmp(p, "key ", 4) != 0 || !sr_key_belongs(p + 4, e->set))
            return SR_E_CORRUPT;
        sr_key_parse(p + 4, &parts);
        if (parts.kind == SR_KEY_OTHER || parts.kind == SR_KEY_MANIFEST)
            return SR_E_CORRUPT;
        if (sr_strlist_add(&e->keys, p + 4) != SR_OK)
            return SR_E_NO_MEMORY;
    }
    return *p && !*e->run ? SR_E_CORRUPT : SR_OK;
}

/* SR_OK only for what journal_text and key_append write. */
static int journal_parse(char *text, struct sr_journal_entry *e)
{
    char *lines[3], *p = text;
    for (int i = 0; i < 3; i++) {
        char *nl = strchr(p, '\n');
        if (!nl)
            return SR_E_CORRUPT;
        *nl = '\0';
        lines[i] = p;
        p = nl + 1;
    }
    if (!*lines[0] || strlen(lines[0]) >= sizeof e->set || strlen(lines[1]) >= sizeof e->source)
        return SR_E_CORRUPT;
    struct sr_key_parts parts;
    char key[SR_SET_MAX + SR_SOURCE_MAX + 32];
    if (sr_beside_key(lines[0], lines[1], "manifest.json", key, sizeof key, NULL) != SR_OK)
        return SR_E_CORRUPT;
    sr_key_parse(key, &parts);
    if (parts.kind != SR_KEY_MANIFEST || strcmp(parts.set, lines[0]) != 0 ||
        strcmp(parts.source, lines[1]) != 0)
        return SR_E_CORRUPT;
    memcpy(e->set, lines[0], strlen(lines[0]) + 1);
    memcpy(e->source, lines[1], strlen(lines[1]) + 1);
    int rc = parse_keys(p, e);
    return rc == SR_OK ? sr_strlist_split(&e->stores, lines[2], ',') : rc;
}

/* Nonzero when path still names the file behind fd: a run may have ended between readdir and the
 * lock. */
static int same_file(int fd, const char *path)
{
    struct stat a, b;
    return fstat(fd, &a) == 0 && lstat(path, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

static void journal_visit(const char *dir, const char *name,
                          int (*each)(void *ctx, const struct sr_journal_entry *entry), void *ctx)
{
    _cleanup_free_ char *path = sr_fs_join(dir, name);
    if (!path)
        return;
    _cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || sr_lock_fd(fd) != 0 || !same_file(fd, path))
        return;
    if (name[0] == '.') { /* a temporary one whose writer died */
        (void)unlink(path);
        return;
    }
    struct stat st;
    size_t cap = fstat(fd, &st) == 0 && st.st_size <= (off_t)JOURNAL_MAX ? (size_t)st.st_size : 0;
    _cleanup_free_ char *text = malloc(cap + 1);
    ssize_t n = text ? sr_read_full(fd, text, cap) : -1;
    if (n < 0)
        return;
    text[n] = '\0';
    struct sr_journal_entry e = {.path = path};
    int rc = journal_parse(text, &e);
    /* One that cannot be read names nothing that could be cleared up: the age rule is left. */
    if (rc != SR_E_NO_MEMORY && (rc != SR_OK || each(ctx, &e)))
        (void)unlink(path);
    sr_strlist_done(&e.stores);
    sr_strlist_done(&e.keys);
}

/* Names in the folder of journals: "<set>.run", and temporary ones (".<random>.tmp"). */
static int journal_names(const char *dir, struct sr_strlist *ret, struct sr_error *err)
{
    DIR *d = opendir(dir);
    if (!d)
        return errno == ENOENT
                   ? SR_OK
                   : sr_fail_errno(err, errno, "cannot read the folder of journals %s", dir);
    int rc = SR_OK;
    struct dirent *de;
    while (rc == SR_OK && (de = readdir(d))) {
        size_t n = strlen(de->d_name);
        if (n > 4 && (strcmp(de->d_name + n - 4, ".run") == 0 ||
                      (de->d_name[0] == '.' && strcmp(de->d_name + n - 4, ".tmp") == 0)))
            rc = sr_strlist_add(ret, de->d_name);
    }
    (void)closedir(d);
    return rc == SR_OK ? SR_OK : sr_fail(err, rc, "out of memory");
}

int sr_journal_dead(const char *state_dir,
                    int (*each)(void *ctx, const struct sr_journal_entry *entry), void *ctx,
                    struct sr_error *err)
{
    _cleanup_free_ char *dir = sr_fs_join(state_dir, "runs");
    if (!dir)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    struct sr_strlist names = {0};
    int rc = journal_names(dir, &names, err);
    for (size_t i = 0; rc == SR_OK && i < names.len; i++)
        journal_visit(dir, names.items[i], each, ctx);
    sr_strlist_done(&names);
    return rc;
}

int sr_journal_live(const char *state_dir, struct sr_strlist *ret_sets, struct sr_error *err)
{
    _cleanup_free_ char *dir = sr_fs_join(state_dir, "runs");
    if (!dir)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    struct sr_strlist names = {0};
    int rc = journal_names(dir, &names, err);
    for (size_t i = 0; rc == SR_OK && i < names.len; i++) {
        char *name = names.items[i];
        _cleanup_free_ char *path = sr_fs_join(dir, name);
        _cleanup_close_ int fd =
            path ? open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
        /* One that cannot be opened may be anybody's: taken as live, so that nothing is lost. */
        if (name[0] == '.' || (fd < 0 && path && errno == ENOENT) ||
            (fd >= 0 && sr_lock_fd(fd) == 0))
            continue;
        name[strlen(name) - 4] = '\0';
        if (sr_strlist_add(ret_sets, name) != SR_OK)
            rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    sr_strlist_done(&names);
    return rc;
}
