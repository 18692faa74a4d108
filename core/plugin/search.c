#include "config.h"
#include "core/plugin/search.h"
#include "core/plugin/plugin.h"
#include "core/util/cleanup.h"
#include "core/util/fs.h"
#include "core/util/text.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>

int sr_plugin_name_ok(const char *name)
{
    size_t n = strlen(name);
    if (n < 1 || n > SR_PLUGIN_NAME_MAX || name[0] < 'a' || name[0] > 'z')
        return 0;
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

/* A setuid caller chooses our environment and arguments but must not choose what code runs with our
 * rights. */
static int privileges_borrowed(void)
{
    return getauxval(AT_SECURE) != 0;
}

int sr_plugin_folders(const char *path, struct sr_strlist *ret, struct sr_error *err)
{
    struct sr_strlist pieces = {0};
    int rc = SR_OK;
    if (path && !privileges_borrowed())
        rc = sr_strlist_split(&pieces, path, ':');
    for (size_t i = 0; rc == SR_OK && i < pieces.len; i++) {
        if (pieces.items[i][0] != '/') {
            rc = sr_fail(err, SR_E_CONFIG,
                         "BACKUP_PLUGIN_PATH names the folder '%s', which is not an absolute path; "
                         "plugins are never loaded from a place that depends on the working folder",
                         pieces.items[i]);
            goto exit;
        }
        rc = sr_strlist_add(ret, pieces.items[i]);
    }
    if (rc == SR_OK)
        rc = sr_strlist_add(ret, SR_PLUGIN_DIR);
    if (rc != SR_OK)
        rc = sr_fail(err, rc, "cannot make the list of plugin folders: out of memory");
exit:
    sr_strlist_done(&pieces);
    return rc;
}

static int inode_check(const char *what, const char *file, struct sr_error *err)
{
    struct stat st;
    if (stat(what, &st) != 0)
        return sr_fail_errno(err, errno, "cannot load plugin %s: looking at %s", file, what);
    if (st.st_uid != 0 && st.st_uid != geteuid())
        return sr_fail(err, SR_E_DENIED,
                       "plugin %s refused: %s belongs to user id %u, who could change what is run; "
                       "it must belong to root or to the user strongroom runs as",
                       file, what, (unsigned)st.st_uid);
    int sticky = S_ISDIR(st.st_mode) && (st.st_mode & S_ISVTX);
    if ((st.st_mode & (S_IWGRP | S_IWOTH)) && !sticky)
        return sr_fail(err, SR_E_DENIED,
                       "plugin %s refused: others may write %s (mode %04o); chmod go-w %s", file,
                       what, (unsigned)(st.st_mode & 07777), what);
    return SR_OK;
}

/* The file and all folders above it, as spelled in path. */
static int chain_check(const char *path, const char *file, struct sr_error *err)
{
    _cleanup_free_ char *part = strdup(path);
    if (!part)
        return sr_fail(err, SR_E_NO_MEMORY, "cannot check plugin %s: out of memory", file);
    for (;;) {
        int rc = inode_check(part, file, err);
        if (rc != SR_OK)
            return rc;
        char *slash = strrchr(part, '/');
        if (!slash || part[1] == '\0')
            return SR_OK;
        slash[slash == part] = '\0';
    }
}

int sr_plugin_file_check(const char *file, struct sr_error *err)
{
    struct stat st;
    if (*file != '/')
        return sr_fail(err, SR_E_CONFIG, "plugin %s refused: not an absolute path", file);
    if (stat(file, &st) != 0)
        return sr_fail_errno(err, errno, "cannot load plugin %s", file);
    if (!S_ISREG(st.st_mode))
        return sr_fail(err, SR_E_CONFIG, "plugin %s refused: not a regular file", file);
    _cleanup_free_ char *real = realpath(file, NULL);
    if (!real)
        return sr_fail_errno(err, errno, "cannot load plugin %s", file);
    /* As spelled and as resolved: whoever may replace a link on the way chooses the file as well.
     */
    int rc = chain_check(file, file, err);
    return rc == SR_OK ? chain_check(real, file, err) : rc;
}

static int add_names(const char *folder, struct sr_strlist *names)
{
    DIR *d = opendir(folder);
    if (!d)
        return SR_OK;
    int rc = SR_OK;
    for (struct dirent *e; rc == SR_OK && (e = readdir(d)) != NULL;) {
        size_t n = strlen(e->d_name);
        if (n > 3 && strcmp(e->d_name + n - 3, ".so") == 0)
            rc = sr_strlist_addn(names, e->d_name, n - 3);
    }
    (void)closedir(d);
    return rc;
}

static int not_found(const char *which, const struct sr_strlist *folders, struct sr_error *err)
{
    struct sr_strlist names = {0};
    sr_fail(err, SR_E_CONFIG, "no storage plugin '%s' in", which);
    for (size_t i = 0; i < folders->len; i++) {
        sr_error_append(err, "%s %s", i ? "," : "", folders->items[i]);
        (void)add_names(folders->items[i], &names);
    }
    const char *near = names.len ? sr_nearest(which, (const char *const *)names.items) : NULL;
    if (near) {
        sr_error_append(err, "; did you mean '%s'?", near);
    } else if (names.len) {
        sr_strlist_sort(&names);
        sr_error_append(err, "; there are:");
        for (size_t i = 0; i < names.len && i < 20; i++)
            sr_error_append(err, " %s", names.items[i]);
    }
    sr_strlist_done(&names);
    return SR_E_CONFIG;
}

static int find_path(const char *which, char **ret, struct sr_error *err)
{
    if (*which != '/')
        return sr_fail(err, SR_E_CONFIG,
                       "storage plugin '%s': give a plugin's name ([a-z0-9-]) or an absolute path",
                       which);
    if (privileges_borrowed())
        return sr_fail(
            err, SR_E_DENIED,
            "plugin %s refused: strongroom runs with the rights of another user than the "
            "one who called it, and then loads from %s alone",
            which, SR_PLUGIN_DIR);
    int rc = sr_plugin_file_check(which, err);
    if (rc != SR_OK)
        return rc;
    *ret = realpath(which, NULL);
    return *ret ? SR_OK : sr_fail_errno(err, errno, "cannot load plugin %s", which);
}

int sr_plugin_find(const char *which, const char *path, char **ret, struct sr_error *err)
{
    if (!sr_plugin_name_ok(which))
        return find_path(which, ret, err);
    struct sr_strlist folders = {0};
    char *file = NULL;
    int rc = sr_plugin_folders(path, &folders, err);
    for (size_t i = 0; rc == SR_OK && !file && i < folders.len; i++) {
        char *candidate = NULL;
        struct stat st;
        if (asprintf(&candidate, "%s/%s.so", folders.items[i], which) < 0) {
            rc = sr_fail(err, SR_E_NO_MEMORY, "cannot look for plugin %s: out of memory", which);
        } else if (stat(candidate, &st) == 0) {
            /* One that is refused is not passed over for another further down: the operator must
             * hear of it. */
            rc = sr_plugin_file_check(candidate, err);
            if (rc == SR_OK && !(file = realpath(candidate, NULL)))
                rc = sr_fail_errno(err, errno, "cannot load plugin %s", candidate);
        }
        free(candidate);
    }
    if (rc == SR_OK && !file)
        rc = not_found(which, &folders, err);
    sr_strlist_done(&folders);
    if (rc == SR_OK)
        *ret = file;
    return rc;
}
