/* What is around a plugin and none of its business: streams, folders, memory. */
#include "config.h"
#include "core/check/watch.h"
#include "core/util/cleanup.h"
#include "core/util/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct beside {
    char *folder;
    char *own; /* the one name in it that is the plugin's */
    struct sr_strlist names;
};

struct check_around {
    struct stat streams[3];
    struct beside *beside;
    size_t beside_len;
};

/* A descriptor that stands for a standard stream: what is written to it or read from it shows. */
static int stand_in(int fd, const char *name)
{
    int mem = memfd_create(name, MFD_CLOEXEC);
    if (mem < 0)
        return -1;
    int bad = (fd == 0 && (ftruncate(mem, 4096) != 0)) || dup2(mem, fd) < 0;
    (void)close(mem);
    return bad ? -1 : 0;
}

static int own_folders(const struct check *c)
{
    char path[sizeof c->scratch + 8];
    (void)snprintf(path, sizeof path, "%s/cwd", c->scratch);
    if (mkdir(path, 0700) != 0 || chdir(path) != 0)
        return -1;
    (void)snprintf(path, sizeof path, "%s/tmp", c->scratch);
    return mkdir(path, 0700) != 0 || setenv("TMPDIR", path, 1) != 0 ? -1 : 0;
}

int check_around_begin(struct check *c, struct sr_error *err)
{
    struct check_around *a = calloc(1, sizeof *a);
    c->around = a;
    c->cwd = getcwd(NULL, 0);
    int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
    if (!a || !c->cwd || out < 0 || !(c->out = fdopen(out, "w")))
        return sr_fail_errno(err, errno, "cannot prepare the trial");
    (void)setvbuf(c->out, NULL, _IOLBF, 0);
    if (stand_in(0, "stdin") != 0 || stand_in(1, "stdout") != 0 || own_folders(c) != 0)
        return sr_fail_errno(err, errno, "cannot prepare the trial in %s", c->scratch);
    for (int fd = 0; fd < 3; fd++)
        (void)fstat(fd, &a->streams[fd]);
    return SR_OK;
}

static int list_names(const char *folder, const char *but, struct sr_strlist *ret)
{
    DIR *d = opendir(folder);
    if (!d)
        return -1;
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
            (!but || strcmp(e->d_name, but) != 0))
            (void)sr_strlist_add(ret, e->d_name);
    (void)closedir(d);
    sr_strlist_sort(ret);
    return 0;
}

/* path: of a setting. Only in a folder that is ours alone: elsewhere others come and go. */
static void watch_beside(struct check_around *a, char *path)
{
    struct stat st;
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        path[--n] = '\0';
    char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return;
    struct beside *grown = reallocarray(a->beside, a->beside_len + 1, sizeof *grown);
    if (!grown)
        return;
    a->beside = grown;
    struct beside b = {.folder = strndup(path, (size_t)(slash - path)), .own = strdup(slash + 1)};
    if (b.folder && b.own && stat(b.folder, &st) == 0 && st.st_uid == geteuid() &&
        !(st.st_mode & S_IWOTH) && list_names(b.folder, b.own, &b.names) == 0) {
        a->beside[a->beside_len++] = b;
        return;
    }
    free(b.folder);
    free(b.own);
}

void check_around_folders(struct check *c)
{
    for (const struct sr_storage_setting *r = c->t->settings; r && r->key; r++) {
        _cleanup_free_ char *value = NULL;
        if (r->type == SR_STORAGE_TYPE_PATH && (r->flags & SR_STORAGE_SETTING_PLACE) &&
            sr_setting_get(&c->view, r->key, &value, NULL, NULL) == SR_OK && value)
            watch_beside(c->around, value);
    }
}

static void streams_end(struct check *c)
{
    static const char *const names[] = {"input", "output", "error"};
    int same = 1;
    for (int fd = 0; fd < 3; fd++) {
        struct stat now;
        const struct stat *was = &c->around->streams[fd];
        if (fstat(fd, &now) != 0 || now.st_dev != was->st_dev || now.st_ino != was->st_ino) {
            check_note(c, "standard %s is closed or another file now", names[fd]);
            same = 0;
        }
    }
    check_that(c, same, "the standard streams are what they were");
    (void)fflush(stdout);
    off_t read = lseek(0, 0, SEEK_CUR), written = lseek(1, 0, SEEK_END);
    if (!check_that(c, !same || (read == 0 && written == 0),
                    "nothing is read from standard input or written to standard output"))
        check_note(c, "%lld bytes were read, %lld written", (long long)read, (long long)written);
}

static int is_empty(struct check *c, const char *name)
{
    char path[sizeof c->scratch + 8];
    struct sr_strlist names = {0};
    (void)snprintf(path, sizeof path, "%s/%s", c->scratch, name);
    int bad = list_names(path, NULL, &names);
    if (names.len > 0)
        check_note(c, "%s is left there", names.items[0]);
    int empty = bad == 0 && names.len == 0;
    sr_strlist_done(&names);
    return empty;
}

static int same_names(struct check *c, const struct beside *b)
{
    struct sr_strlist now = {0};
    int same = list_names(b->folder, b->own, &now) == 0;
    for (size_t i = 0; i < now.len; i++)
        if (!sr_strlist_has(&b->names, now.items[i])) {
            check_note(c, "%s/%s was not there before", b->folder, now.items[i]);
            same = 0;
        }
    for (size_t i = 0; i < b->names.len; i++)
        if (!sr_strlist_has(&now, b->names.items[i])) {
            check_note(c, "%s/%s is gone", b->folder, b->names.items[i]);
            same = 0;
        }
    sr_strlist_done(&now);
    return same;
}

void check_around_end(struct check *c)
{
    struct check_around *a = c->around;
    streams_end(c);
    check_that(c, is_empty(c, "cwd"), "nothing was made in the working folder");
    check_that(c, is_empty(c, "tmp"), "nothing is left in the folder for temporary files");
    int same = 1;
    for (size_t i = 0; i < a->beside_len; i++)
        same &= same_names(c, &a->beside[i]);
    if (a->beside_len)
        check_that(c, same, "nothing was made or removed beside the plugin's own place");
    else
        check_skip(c, "nothing was made or removed beside the plugin's own place",
                   "no setting names a path in a folder that is ours alone");
}

void check_around_done(struct check *c)
{
    struct check_around *a = c->around;
    for (size_t i = 0; a && i < a->beside_len; i++) {
        free(a->beside[i].folder);
        free(a->beside[i].own);
        sr_strlist_done(&a->beside[i].names);
    }
    if (a)
        free(a->beside);
    free(a);
    free(c->cwd);
    c->around = NULL;
    c->cwd = NULL;
    if (c->out)
        (void)fclose(c->out);
    c->out = NULL;
}
