#include "config.h"
#include "core/source/pg_scratch.h"
#include "core/source/pg_query.h"
#include "core/util/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Two halves of the advisory lock's key: "SrTe" read as a number, and one. */
#define LOCK_KEY "1400001637::pg_catalog.int4, 1::pg_catalog.int4"

#define DATABASE_OID "SELECT oid FROM pg_catalog.pg_database WHERE datname = $1"

struct sr_scratch {
    const struct sr_pg_target *target;
    struct sr_pg_conn *control;
    char name[SR_SCRATCH_NAME_SIZE * 2];
    char oid[16]; /* of the database of that name: another one may come to bear it */
    int superuser, may_create_roles, may_create_databases;
};

/* A statement with one quoted name at its end, and a quoted text after that (or NULL). */
static int ddl(struct sr_pg_conn *c, const char *before, const char *name, const char *between,
               const char *text, struct sr_error *err)
{
    char *literal = text ? PQescapeLiteral(c->pg, text, strlen(text)) : NULL;
    _cleanup_free_ char *quoted = sr_pg_quote_ident(c, name);
    _cleanup_free_ char *sql = NULL;
    int rc;
    if (!quoted || (text && !literal) ||
        asprintf(&sql, "%s %s%s%s", before, quoted, between, literal ? literal : "") < 0) {
        sql = NULL;
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    } else {
        rc = sr_pg_command(c, sql, err);
    }
    PQfreemem(literal);
    return rc;
}

/* --- what is marked --- */

static int marked(struct sr_pg_conn *c, enum sr_scratch_kind kind, const char *sql,
                  struct sr_strlist *ret, struct sr_error *err)
{
    _cleanup_(PQclearp) PGresult *r = NULL;
    int rc = sr_pg_query(c, sql, NULL, &r, err);
    for (int i = 0; rc == SR_OK && i < PQntuples(r); i++) {
        const char *name = PQgetvalue(r, i, 0);
        int own = sr_scratch_comment_ok(kind, name, PQgetvalue(r, i, 1)) ||
                  (kind == SR_SCRATCH_DATABASE && sr_scratch_name_ok(name));
        if (own && sr_strlist_add(ret, name) != SR_OK)
            rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    return rc;
}

int sr_scratch_marked(struct sr_pg_conn *c, struct sr_strlist *ret_databases,
                      struct sr_strlist *ret_roles, struct sr_error *err)
{
    int rc = marked(c, SR_SCRATCH_DATABASE,
                    "SELECT datname, pg_catalog.shobj_description(oid, 'pg_database') FROM "
                    "pg_catalog.pg_database WHERE NOT datistemplate ORDER BY datname",
                    ret_databases, err);
    if (rc == SR_OK)
        rc = marked(c, SR_SCRATCH_ROLE,
                    "SELECT rolname, pg_catalog.shobj_description(oid, 'pg_authid') FROM "
                    "pg_catalog.pg_roles WHERE NOT rolcanlogin ORDER BY rolname",
                    ret_roles, err);
    return rc == SR_OK ? rc : sr_error_wrap(err, "looking for scratch databases");
}

/* --- removing --- */

/* A subscription that came with the dump keeps its database from being dropped. It was restored
 * without a connection; nothing is told to the server that it names. */
static int subscriptions_out(const struct sr_pg_target *t, struct sr_pg_conn *control,
                             const char *database, struct sr_error *err)
{
    struct sr_strlist names = {0};
    struct sr_pg_conn *c = NULL;
    const char *args[] = {database, NULL};
    int rc = sr_pg_server_version(control) < 100000
                 ? SR_OK
                 : sr_pg_column(control,
                                "SELECT subname FROM pg_catalog.pg_subscription WHERE subdbid = "
                                "(SELECT oid FROM pg_catalog.pg_database WHERE datname = $1)",
                                args, &names, NULL);
    if (names.len > 0)
        rc = sr_pg_connect(t, database, &c, err);
    for (size_t i = 0; rc == SR_OK && c && i < names.len; i++) {
        (void)ddl(c, "ALTER SUBSCRIPTION", names.items[i], " DISABLE", NULL, NULL);
        rc = ddl(c, "ALTER SUBSCRIPTION", names.items[i], " SET (slot_name = NONE)", NULL, err);
        if (rc == SR_OK)
            rc = ddl(c, "DROP SUBSCRIPTION", names.items[i], "", NULL, err);
    }
    sr_pg_close(c);
    sr_strlist_done(&names);
    return c || rc == SR_OK ? rc : SR_OK; /* where they cannot be asked for, the drop will tell */
}

static int database_drop(const struct sr_pg_target *t, struct sr_pg_conn *control, const char *name,
                         struct sr_error *err)
{
    int n = 0;
    int rc = subscriptions_out(t, control, name, err);
    if (rc == SR_OK)
        rc = sr_pg_end_connections(control, name, &n, err);
    if (rc == SR_OK)
        rc = ddl(control, "DROP DATABASE IF EXISTS", name, "", NULL, err);
    return rc;
}

/* 1: this session has the lock alone: no other run lives. */
static int alone(struct sr_pg_conn *c, int *ret, struct sr_error *err)
{
    _cleanup_free_ char *got = NULL;
    int rc =
        sr_pg_value(c, "SELECT pg_catalog.pg_try_advisory_lock(" LOCK_KEY ")", NULL, &got, err);
    if (rc == SR_OK)
        *ret = got && *got == 't';
    return rc;
}

static void no_longer_alone(struct sr_pg_conn *c)
{
    (void)sr_pg_command(c, "SELECT pg_catalog.pg_advisory_unlock(" LOCK_KEY ")", NULL);
}

static int removed_note(const char *what, const char *name, int quiet, struct sr_strlist *ret)
{
    if (!quiet)
        sr_log(SR_LOG_INFO, "removed %s %s, which a restore test that died left behind", what,
               name);
    return ret ? sr_strlist_addf(ret, "%s %s", what, name) : SR_OK;
}

enum removing {
    REMOVE_DEAD, /* what dead runs left, which is told */
    REMOVE_OWN,  /* at the end of the last run that lives: its own, almost always */
    REMOVE_NONE, /* says only what would go */
};

/* Everything that is marked, while this session has the lock alone. What cannot be removed is
 * logged and added to left. */
static int remove_marked(const struct sr_pg_target *t, struct sr_pg_conn *c, enum removing how,
                         struct sr_strlist *removed, struct sr_strlist *left, struct sr_error *err)
{
    struct sr_strlist databases = {0}, roles = {0};
    int rc = sr_scratch_marked(c, &databases, &roles, err);
    for (size_t i = 0; rc == SR_OK && i < databases.len + roles.len; i++) {
        struct sr_error e = SR_ERROR_INIT;
        int is_role = i >= databases.len;
        const char *what = is_role ? "role" : "database",
                   *name = is_role ? roles.items[i - databases.len] : databases.items[i];
        int one = how == REMOVE_NONE ? SR_OK
                  : is_role          ? ddl(c, "DROP ROLE IF EXISTS", name, "", NULL, &e)
                                     : database_drop(t, c, name, &e);
        if (one != SR_OK)
            sr_log(SR_LOG_WARN, "%s %s of a restore test stays behind: %s", what, name, e.text);
        if ((one == SR_OK && removed_note(what, name, how != REMOVE_DEAD, removed) != SR_OK) ||
            (one != SR_OK && left && sr_strlist_addf(left, "%s %s", what, name) != SR_OK))
            rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    sr_strlist_done(&databases);
    sr_strlist_done(&roles);
    return rc;
}

/* A database that surely is there. Advisory locks are its own, so all runs must agree on it:
 * another one does only where the server itself says that it has none called postgres. libpq tells
 * no SQLSTATE of a connection that was refused, and its words are in the server's language. */
static int connect_maintenance(const struct sr_pg_target *t, struct sr_pg_conn **ret,
                               struct sr_error *err)
{
    struct sr_error why = SR_ERROR_INIT;
    struct sr_pg_conn *c = NULL;
    _cleanup_free_ char *oid = NULL;
    const char *args[] = {"postgres", NULL};
    if (sr_pg_connect(t, args[0], ret, &why) == SR_OK)
        return SR_OK;
    if (sr_pg_connect(t, "template1", &c, NULL) == SR_OK &&
        sr_pg_value(c, DATABASE_OID, args, &oid, NULL) == SR_OK && !oid) {
        *ret = c;
        return SR_OK;
    }
    sr_pg_close(c);
    return sr_error_copy(err, &why);
}

int sr_scratch_sweep(const struct sr_pg_target *t, int dry_run, struct sr_strlist *ret,
                     int *ret_clear, struct sr_error *err)
{
    struct sr_pg_conn *c = NULL;
    struct sr_strlist left = {0};
    int is_alone = 0;
    int rc = connect_maintenance(t, &c, err);
    if (rc == SR_OK)
        rc = alone(c, &is_alone, err);
    if (rc == SR_OK && is_alone)
        rc = remove_marked(t, c, dry_run ? REMOVE_NONE : REMOVE_DEAD, ret, &left, err);
    else if (rc == SR_OK)
        sr_log(SR_LOG_INFO, "a restore test is running on %s; what others left there waits",
               sr_pg_target_text(t));
    if (rc == SR_OK)
        *ret_clear = is_alone && left.len == 0;
    sr_strlist_done(&left);
    sr_pg_close(c);
    return rc;
}

/* --- a run --- */

static int rights_read(struct sr_scratch *s, struct sr_error *err)
{
    _cleanup_free_ char *rights = NULL;
    int rc =
        sr_pg_value(s->control,
                    "SELECT CASE WHEN rolsuper THEN 's' ELSE '-' END || CASE WHEN rolcreaterole "
                    "THEN 'r' ELSE '-' END || CASE WHEN rolcreatedb THEN 'd' ELSE '-' END FROM "
                    "pg_catalog.pg_roles WHERE rolname = current_user",
                    NULL, &rights, err);
    if (rc != SR_OK || !rights || strlen(rights) != 3)
        return rc == SR_OK ? sr_fail(err, SR_E_DATABASE, "the server does not know its own user")
                           : rc;
    s->superuser = rights[0] == 's';
    s->may_create_roles = s->superuser || rights[1] == 'r';
    s->may_create_databases = s->superuser || rights[2] == 'd';
    return SR_OK;
}

int sr_scratch_open(const struct sr_pg_target *t, struct sr_strlist *removed,
                    struct sr_scratch **ret, struct sr_error *err)
{
    struct sr_scratch *s = calloc(1, sizeof *s);
    int is_alone = 0;
    if (!s)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    s->target = t;
    int rc = connect_maintenance(t, &s->control, err);
    if (rc == SR_OK)
        rc = rights_read(s, err);
    if (rc == SR_OK)
        rc = alone(s->control, &is_alone, err);
    if (rc == SR_OK && is_alone)
        rc = remove_marked(t, s->control, REMOVE_DEAD, removed, NULL, err);
    /* Another one has it alone for as long as it clears up, no longer. Of two locks of one session
     * the weaker is taken before the stronger is given back: so nobody comes between. */
    if (rc == SR_OK)
        rc = sr_pg_command(s->control, "SET lock_timeout = '60s'", err);
    if (rc == SR_OK)
        rc = sr_pg_command(s->control, "SELECT pg_catalog.pg_advisory_lock_shared(" LOCK_KEY ")",
                           err);
    if (rc == SR_OK)
        rc = sr_pg_command(s->control, "SET lock_timeout = 0", err);
    if (is_alone)
        no_longer_alone(s->control);
    if (rc != SR_OK) {
        sr_pg_close(s->control);
        free(s);
        return sr_error_wrap(err, "preparing a restore test");
    }
    *ret = s;
    return SR_OK;
}

struct sr_pg_conn *sr_scratch_control(struct sr_scratch *s)
{
    return s->control;
}

int sr_scratch_is_superuser(const struct sr_scratch *s)
{
    return s->superuser;
}

static int role_make(struct sr_scratch *s, const char *role, struct sr_error *err)
{
    char mark[SR_SCRATCH_COMMENT_SIZE];
    int rc = sr_scratch_comment_make(SR_SCRATCH_ROLE, role, mark, err);
    if (rc == SR_OK)
        rc = sr_pg_command(s->control, "BEGIN", err);
    if (rc != SR_OK)
        return rc;
    rc = ddl(s->control, "CREATE ROLE", role, " NOLOGIN", NULL, err);
    if (rc == SR_OK)
        rc = ddl(s->control, "COMMENT ON ROLE", role, " IS ", mark, err);
    int ended =
        sr_pg_command(s->control, rc == SR_OK ? "COMMIT" : "ROLLBACK", rc == SR_OK ? err : NULL);
    return rc == SR_OK ? ended : rc;
}

int sr_scratch_roles(struct sr_scratch *s, const struct sr_strlist *roles,
                     struct sr_strlist *ret_made, struct sr_strlist *ret_missing,
                     struct sr_error *err)
{
    int rc = SR_OK;
    for (size_t i = 0; rc == SR_OK && i < roles->len; i++) {
        struct sr_error e = SR_ERROR_INIT;
        _cleanup_free_ char *found = NULL;
        const char *args[] = {roles->items[i], NULL};
        rc = sr_pg_value(s->control, "SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = $1", args,
                         &found, err);
        if (rc != SR_OK || found)
            continue;
        int made = s->may_create_roles && role_make(s, roles->items[i], &e) == SR_OK;
        if (!made && e.code != SR_OK)
            sr_log(SR_LOG_VERBOSE, "role %s could not be made: %s", roles->items[i], e.text);
        if (sr_strlist_add(made ? ret_made : ret_missing, roles->items[i]) != SR_OK)
            rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    return rc;
}

/* What stands in the way of a database that is to have this name. One of a dead test's was removed
 * already, if no other test lives. */
static int name_free(struct sr_scratch *s, const char *name, struct sr_error *err)
{
    _cleanup_(PQclearp) PGresult *r = NULL;
    const char *args[] = {name, NULL};
    if (strlen(name) >= 64)
        return sr_fail(err, SR_E_CONFIG, "TEST_DB_NAME is longer than 63 bytes");
    int rc = sr_pg_query(s->control,
                         "SELECT pg_catalog.shobj_description(oid, 'pg_database') FROM "
                         "pg_catalog.pg_database WHERE datname = $1",
                         args, &r, err);
    if (rc != SR_OK || PQntuples(r) == 0)
        return rc;
    if (sr_scratch_comment_ok(SR_SCRATCH_DATABASE, name, PQgetvalue(r, 0, 0)))
        return sr_fail(err, SR_E_BUSY, "database %s (TEST_DB_NAME) is another restore test's",
                       name);
    return sr_fail(err, SR_E_EXISTS,
                   "database %s (TEST_DB_NAME) is there and was not made by a restore test; it was "
                   "not touched. Drop it, or choose a name that is free",
                   name);
}

static int oid_read(struct sr_scratch *s, struct sr_error *err)
{
    const char *args[] = {s->name, NULL};
    _cleanup_free_ char *oid = NULL;
    int rc = sr_pg_value(s->control, DATABASE_OID, args, &oid, err);
    if (rc == SR_OK && !oid)
        rc = sr_fail(err, SR_E_DATABASE, "database %s, made a moment ago, is gone", s->name);
    (void)snprintf(s->oid, sizeof s->oid, "%s", oid ? oid : "");
    return rc;
}

int sr_scratch_make(struct sr_scratch *s, const char *name, struct sr_error *err)
{
    char made[SR_SCRATCH_NAME_SIZE], mark[SR_SCRATCH_COMMENT_SIZE];
    if (!s->may_create_databases)
        return sr_fail(err, SR_E_UNTESTABLE,
                       "cannot be tested here: role %s may not create databases (ALTER ROLE %s "
                       "CREATEDB)",
                       sr_pg_user(s->control), sr_pg_user(s->control));
    /* The one before, should it still be there, must not be forgotten for the next. */
    int rc = sr_scratch_drop(s, err);
    if (rc == SR_OK && name)
        rc = name_free(s, name, err);
    if (rc == SR_OK)
        rc = sr_scratch_name_make(made, err);
    if (rc == SR_OK)
        rc = ddl(s->control, "CREATE DATABASE", made, " TEMPLATE template0", NULL, err);
    if (rc == SR_OK) {
        memcpy(s->name, made, sizeof made);
        s->oid[0] = '\0';
    }
    if (rc == SR_OK)
        rc = oid_read(s, err);
    if (rc == SR_OK)
        rc = sr_scratch_comment_make(SR_SCRATCH_DATABASE, name ? name : made, mark, err);
    if (rc == SR_OK)
        rc = ddl(s->control, "COMMENT ON DATABASE", made, " IS ", mark, err);
    if (rc == SR_OK && name) {
        _cleanup_free_ char *quoted = sr_pg_quote_ident(s->control, name);
        _cleanup_free_ char *to = NULL;
        if (!quoted || asprintf(&to, " RENAME TO %s", quoted) < 0) {
            to = NULL;
            return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
        }
        rc = ddl(s->control, "ALTER DATABASE", made, to, NULL, err);
        if (rc == SR_OK)
            (void)snprintf(s->name, sizeof s->name, "%s", name);
    }
    return rc == SR_OK ? rc : sr_error_wrap(err, "making a database to restore into");
}

const char *sr_scratch_name(const struct sr_scratch *s)
{
    return s->name;
}

/* Is the database of that name the one that this run made? One that somebody made under a name that
 * the operator chose, after ours was gone, is not touched. */
static int is_own(struct sr_scratch *s, int *ret, struct sr_error *err)
{
    const char *args[] = {s->name, NULL};
    _cleanup_free_ char *oid = NULL;
    int rc = sr_pg_value(s->control, DATABASE_OID, args, &oid, err);
    /* It was made and could not be asked for: its name cannot be anybody else's. */
    if (rc == SR_OK && oid && !*s->oid && sr_scratch_name_ok(s->name))
        (void)snprintf(s->oid, sizeof s->oid, "%s", oid);
    if (rc == SR_OK && oid && strcmp(oid, s->oid) != 0)
        sr_log(SR_LOG_WARN,
               "database %s is another one than this restore test made, which is gone; it was not "
               "touched",
               s->name);
    *ret = rc == SR_OK && oid && strcmp(oid, s->oid) == 0;
    return rc;
}

int sr_scratch_drop(struct sr_scratch *s, struct sr_error *err)
{
    int own = 0;
    if (!*s->name)
        return SR_OK;
    int rc = is_own(s, &own, err);
    if (rc == SR_OK && own)
        rc = database_drop(s->target, s->control, s->name, err);
    if (rc == SR_OK)
        s->name[0] = '\0';
    return rc == SR_OK ? rc : sr_error_wrap(err, "dropping scratch database %s", s->name);
}

void sr_scratch_close(struct sr_scratch *s, struct sr_strlist *left)
{
    struct sr_error e = SR_ERROR_INIT;
    int is_alone = 0;
    if (!s)
        return;
    if (sr_scratch_drop(s, &e) != SR_OK) {
        sr_log(SR_LOG_WARN, "%s", e.text);
        if (left)
            (void)sr_strlist_addf(left, "database %s", s->name);
    }
    /* The last one that lives takes away what others left and its own stubs, all of them by their
     * marks: a role that has meanwhile been dropped and made anew by somebody bears none. */
    if (alone(s->control, &is_alone, NULL) != SR_OK)
        is_alone = 0;
    if (is_alone)
        (void)remove_marked(s->target, s->control, REMOVE_OWN, NULL, *s->name ? NULL : left, NULL);
    sr_pg_close(s->control);
    free(s);
}
