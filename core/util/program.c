/* Finding programs: by PATH, and strongroom-child. */
#include "config.h"
#include "core/util/cleanup.h"
#include "core/util/program.h"
#include "core/util/subprocess.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HELPER "strongroom-child"

static int is_program(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

int sr_program_find(const char *name, char **ret, struct sr_error *err)
{
    if (!*name)
        return sr_fail(err, SR_E_NOT_FOUND, "a program's name is empty");
    if (strchr(name, '/')) {
        char *copy = strdup(name);
        if (!copy)
            return sr_fail(err, SR_E_NO_MEMORY, "cannot look for %s: out of memory", name);
        *ret = copy;
        return SR_OK;
    }
    const char *path = getenv("PATH");
    if (!path)
        path = "/usr/local/bin:/usr/bin:/bin";
    for (const char *p = path; *p;) {
        size_t n = strcspn(p, ":");
        char *candidate = NULL;
        if (*p == '/') {
            if (asprintf(&candidate, "%.*s/%s", (int)n, p, name) < 0)
                return sr_fail(err, SR_E_NO_MEMORY, "cannot look for %s: out of memory", name);
            if (is_program(candidate)) {
                *ret = candidate;
                return SR_OK;
            }
            free(candidate);
        }
        p += n + (p[n] == ':');
    }
    return sr_fail(err, SR_E_NOT_FOUND, "cannot find program %s in PATH", name);
}

/* A path made of the len first bytes of dir, and name below it; NULL when it is no program that we
 * may trust: one that everybody may replace is none. */
static char *helper_at(const char *dir, size_t len, const char *name)
{
    char *path = NULL;
    struct stat st;
    if (asprintf(&path, "%.*s/%s", (int)len, dir, name) < 0)
        return NULL;
    if (is_program(path) && stat(path, &st) == 0 && !(st.st_mode & S_IWOTH))
        return path;
    free(path);
    return NULL;
}

/* The length of path without its last part. */
static size_t parent_len(const char *path, size_t len)
{
    while (len > 0 && path[len - 1] != '/')
        len--;
    return len > 0 ? len - 1 : 0;
}

int sr_program_child_helper(const char *self, char **ret, struct sr_error *err)
{
    size_t dir = parent_len(self, strlen(self)), bin = strlen(SR_BIN_DIR);
    char *path = NULL;
    if (dir >= bin && memcmp(self + dir - bin, SR_BIN_DIR, bin) == 0) {
        /* Installed; in front of bindir may be a DESTDIR, which then holds for libexecdir too. */
        char *libexec = NULL;
        if (asprintf(&libexec, "%.*s%s", (int)(dir - bin), self, SR_LIBEXEC_DIR) < 0)
            return sr_fail(err, SR_E_NO_MEMORY, "cannot look for " HELPER ": out of memory");
        path = helper_at(libexec, strlen(libexec), HELPER);
        free(libexec);
    } else {
        /* A build tree: test programs lie up to two folders below its top. */
        for (int up = 0; up < 3 && dir > 0 && !path; up++) {
            path = helper_at(self, dir, HELPER);
            dir = parent_len(self, dir);
        }
        if (!path)
            path = helper_at(SR_LIBEXEC_DIR, strlen(SR_LIBEXEC_DIR), HELPER);
    }
    if (!path)
        return sr_fail(err, SR_E_NOT_FOUND,
                       "cannot find " HELPER ", through which programs are started, in %s: the "
                       "installation is not complete; install strongroom again",
                       SR_LIBEXEC_DIR);
    *ret = path;
    return SR_OK;
}

int sr_program_self(char **ret, struct sr_error *err)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0)
        return sr_fail_errno(err, errno,
                             "cannot find out which program this is: reading /proc/self/exe");
    self[n] = '\0';
    char *copy = strdup(self);
    if (!copy)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    *ret = copy;
    return SR_OK;
}
