#include "config.h"
#include "core/source/pg_tools.h"
#include "core/config/config.h"
#include "core/util/buf.h"
#include "core/util/cleanup.h"
#include "core/util/subprocess.h"

#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION_TIMEOUT_MS 10000
#define VERSION_TEXT_MAX 4096

static const struct {
    const char *name, *setting;
} kinds[] = {
    [SR_PG_DUMP] = {"pg_dump", "BACKUP_PGDUMP_PATH"},
    [SR_PG_DUMPALL] = {"pg_dumpall", "BACKUP_PGDUMP_PATH"},
    [SR_PG_RESTORE] = {"pg_restore", "BACKUP_PGRESTORE_PATH"},
    [SR_PG_PSQL] = {"psql", "BACKUP_PSQL_PATH"},
};

/* Where several majors live side by side. */
static const char *const places[] = {"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin",
                                     "/usr/lib64/pgsql/bin",      "/usr/local/pgsql/bin",
                                     "/opt/postgresql*/bin",      "/opt/pgsql*/bin",
                                     "/usr/libexec/postgresql*"};

void sr_pg_tool_done(struct sr_pg_tool *t)
{
    free(t->path);
    memset(t, 0, sizeof *t);
}

int sr_pg_tool_version_parse(const char *text, struct sr_pg_tool *ret)
{
    const char *p = strstr(text, "(PostgreSQL) ");
    if (!p)
        return SR_E_CONFIG;
    p += strlen("(PostgreSQL) ");
    size_t len = strcspn(p, " \r\n");
    unsigned part[3] = {0};
    int parts = 0;
    const char *q = p;
    while (parts < 3 && isdigit((unsigned char)*q)) {
        while (isdigit((unsigned char)*q) && part[parts] < 10000)
            part[parts] = part[parts] * 10 + (unsigned)(*q++ - '0');
        parts++;
        if (*q != '.')
            break;
        q++;
    }
    if (parts == 0 || len >= sizeof ret->version_text || part[0] == 0 || part[0] > 999 ||
        part[1] > 9999 || part[2] > 99)
        return SR_E_CONFIG;
    /* Two-part majors ended with 9.6. */
    ret->version = part[0] >= 10 ? (int)(part[0] * 10000 + part[1])
                                 : (int)(part[0] * 10000 + (part[1] % 100) * 100 + part[2]);
    memcpy(ret->version_text, p, len);
    ret->version_text[len] = '\0';
    return SR_OK;
}

/* Majors as numbers that compare: 15 gives 1500, 9.6 gives 906. */
static int major_of(int version)
{
    return version >= 100000 ? version / 10000 * 100 : version / 100;
}

/* Asks the program at path for its version; takes the path. */
static int tool_ask(char *path, struct sr_pg_tool *ret, struct sr_error *err)
{
    struct sr_buf out;
    struct sr_pg_tool t = {0};
    char version[] = "--version";
    char *const argv[] = {path, version, NULL};
    struct sr_strlist env = {0};
    sr_buf_init(&out, VERSION_TEXT_MAX);
    int rc = sr_strlist_add(&env, "LC_ALL=C");
    if (rc == SR_OK)
        rc = sr_child_run(argv, &env, VERSION_TIMEOUT_MS, &out, err);
    if (rc == SR_OK && sr_pg_tool_version_parse(sr_buf_str(&out), &t) != SR_OK)
        rc = sr_fail(err, SR_E_CONFIG, "%s --version does not answer as a PostgreSQL program does",
                     path);
    sr_buf_done(&out);
    sr_strlist_done(&env);
    if (rc != SR_OK) {
        free(path);
        return rc;
    }
    t.path = path;
    *ret = t;
    return SR_OK;
}

static int is_dump(enum sr_pg_tool_kind kind)
{
    return kind == SR_PG_DUMP || kind == SR_PG_DUMPALL;
}

/* Nonzero when a fits the server better than b; b without a path is worse than all. */
static int fits_better(const struct sr_pg_tool *a, const struct sr_pg_tool *b, int server)
{
    int am = major_of(a->version), bm = major_of(b->version), sm = major_of(server);
    if (!b->path)
        return 1;
    if (server == 0 || (am < sm && bm < sm))
        return a->version > b->version;
    if (am < sm || bm < sm)
        return bm < sm && am >= sm;
    return am != bm && am < bm;
}

/* Debian's /usr/bin/pg_dump and friends. */
static int is_wrapper(const char *path)
{
    _cleanup_free_ char *real = realpath(path, NULL);
    const char *slash = real ? strrchr(real, '/') : NULL;
    return slash && strcmp(slash, "/pg_wrapper") == 0;
}

/* Takes path; keeps the better of it and *best. What does not answer is passed over. */
static void consider(char *path, int server, struct sr_pg_tool *best)
{
    struct sr_pg_tool t = {0};
    if (is_wrapper(path)) {
        free(path);
        return;
    }
    if (tool_ask(path, &t, NULL) != SR_OK)
        return;
    if (fits_better(&t, best, server)) {
        sr_pg_tool_done(best);
        *best = t;
    } else {
        sr_pg_tool_done(&t);
    }
}

static void search(const char *name, int server, struct sr_pg_tool *best)
{
    char *path = NULL;
    if (sr_program_find(name, &path, NULL) == SR_OK)
        consider(path, server, best);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char pattern[128];
        glob_t found = {0};
        (void)snprintf(pattern, sizeof pattern, "%s/%s", places[i], name);
        if (glob(pattern, 0, NULL, &found) == 0)
            for (size_t j = 0; j < found.gl_pathc; j++)
                if (access(found.gl_pathv[j], X_OK) == 0 && (path = strdup(found.gl_pathv[j])))
                    consider(path, server, best);
        globfree(&found);
    }
}

/* The path that was set, or for pg_dumpall what lies beside it; NULL in *ret when that is not
 * there. */
static int explicit_path(const struct sr_config *cfg, enum sr_pg_tool_kind kind, char **ret,
                         struct sr_error *err)
{
    const char *set = sr_config_str(cfg, kinds[kind].setting);
    if (!set)
        set = kinds[kind == SR_PG_DUMPALL ? SR_PG_DUMP : kind].name;
    char *path = NULL;
    /* A relative path counts from where it was set, as every path among the settings does. */
    int rc = strchr(set, '/') ? sr_config_path(cfg, kinds[kind].setting, &path, err)
                              : sr_program_find(set, &path, err);
    if (rc != SR_OK) {
        if (err)
            err->code = SR_E_CONFIG;
        sr_error_wrap(err, "%s", kinds[kind].setting);
        return SR_E_CONFIG;
    }
    if (kind == SR_PG_DUMPALL) {
        char *beside = NULL;
        int n = asprintf(&beside, "%.*s/pg_dumpall", (int)(strrchr(path, '/') - path), path);
        free(path);
        if (n < 0)
            return sr_fail(err, SR_E_NO_MEMORY, "looking for pg_dumpall: out of memory");
        path = beside;
        if (access(path, X_OK) != 0) {
            free(path);
            path = NULL;
        }
    }
    *ret = path;
    return SR_OK;
}

static void major_text(int version, char out[16])
{
    if (version >= 100000)
        (void)snprintf(out, 16, "%d", version / 10000);
    else
        (void)snprintf(out, 16, "%d.%d", version / 10000, version / 100 % 100);
}

int sr_pg_tool_find(const struct sr_config *cfg, enum sr_pg_tool_kind kind, int server_version,
                    struct sr_pg_tool *ret, struct sr_error *err)
{
    const char *name = kinds[kind].name, *setting = kinds[kind].setting;
    struct sr_pg_tool t = {0};
    char server[16], have[16];
    major_text(server_version, server);
    if (cfg && sr_config_is_set(cfg, setting)) {
        char *path = NULL;
        int rc = explicit_path(cfg, kind, &path, err);
        if (rc != SR_OK)
            return rc;
        if (path) {
            rc = tool_ask(path, &t, err);
            if (rc != SR_OK) {
                if (err)
                    err->code = SR_E_CONFIG;
                sr_error_wrap(err, "%s", setting);
                return SR_E_CONFIG;
            }
            if (is_dump(kind) && major_of(t.version) < major_of(server_version)) {
                rc = sr_fail(err, SR_E_CONFIG,
                             "%s names %s, version %s, which cannot dump a server of version %s; "
                             "set it to %s %s or newer, or unset it to have one chosen",
                             setting, t.path, t.version_text, server, name, server);
                sr_pg_tool_done(&t);
                return rc;
            }
            *ret = t;
            return SR_OK;
        }
    }
    search(name, server_version, &t);
    if (t.path && is_dump(kind) && major_of(t.version) < major_of(server_version)) {
        major_text(t.version, have);
        sr_pg_tool_done(&t);
        return sr_fail(err, SR_E_CONFIG,
                       "the newest %s here is version %s, which cannot dump a server of version "
                       "%s; on Debian: apt-get install postgresql-client-%s",
                       name, have, server, server);
    }
    if (!t.path)
        return sr_fail(
            err, SR_E_CONFIG,
            "cannot find %s in PATH or where PostgreSQL is usually installed; on Debian: "
            "apt-get install postgresql-client%s%s",
            name, server_version ? "-" : "", server_version ? server : "");
    *ret = t;
    return SR_OK;
}
