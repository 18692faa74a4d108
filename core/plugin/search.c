#include "config.h"
#include "core/plugin/search.h"
#include "core/plugin/plugin.h"
#include "core/util/cleanup.h"
#include "core/util/fs.h"
#include "core/util/log.h"
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
    if (path && *path && privileges_borrowed())
        sr_log(SR_LOG_WARN,
               "BACKUP_PLUGIN_PATH is ignored: strongroom runs with the rights of another user "
               "than the one who called it, and then loads from %s alone",
               SR_PLUGIN_DIR);
    else if (path)
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

int sr_plugin_names(const char *path, struct sr_strlist *ret, struct sr_error *err)
{
    struct sr_strlist folders = {0}, files = {0};
    int rc = sr_plugin_folders(path, &folders, err);
    int found = rc;
    for (size_t i = 0; rc == SR_OK && i < folders.len; i++)
        rc = add_names(folders.items[i], &files);
    for (size_t i = 0; rc == SR_OK && i < files.len; i++)
        if (sr_plugin_name_ok(files.items[i]) && !sr_strlist_has(ret, files.items[i]))
            rc = sr_strlist_add(ret, files.items[i]);
    sr_strlist_done(&folders);
    sr_strlist_done(&files);
    if (rc == SR_OK)
        sr_strlist_sort(ret);
    return rc == SR_OK || found != SR_OK
               ? rc
               : sr_fail(err, rc, "cannot list the plugins: out of memory");
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
    return sr_plugin_file_resolve(which, ret, err);
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
            rc = sr_plugin_file_resolve(candidate, &file, err);
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
