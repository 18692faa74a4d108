#include "config.h"
#include "core/engine/guard.h"
#include "core/engine/restore_run.h"
#include "core/source/pg_clean.h"
#include "core/util/cleanup.h"
#include "core/util/fs.h"
#include "core/util/log.h"
#include "core/util/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char count_tables[] = "SELECT count(*) FROM pg_catalog.pg_class c JOIN "
                                   "pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
                                   "WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\\_%' "
                                   "AND n.nspname <> 'information_schema'";

int sr_restore_tables(struct sr_pg_conn *c, uint64_t *ret, struct sr_error *err)
{
    _cleanup_free_ char *text = NULL;
    int rc = sr_pg_value(c, count_tables, NULL, &text, err);
    if (rc == SR_OK && (!text || sr_parse_u64(text, ret) != SR_OK))
        rc = sr_fail(err, SR_E_DATABASE, "the server counted its tables as '%s'", text ? text : "");
    return rc;
}

/* Connects to a database that surely is there, to ask for and to make the target. */
static int connect_maintenance(const struct sr_restoring *r, struct sr_pg_conn **ret,
                               struct sr_error *err)
{
    static const char *const names[] = {"postgres", "template1"};
    int rc = SR_E_INTERNAL;
    for (size_t i = 0; i < 2; i++) {
        sr_error_clear(err);
        rc = sr_pg_connect(r->pg, names[i], ret, err);
        if (rc == SR_OK)
            return rc;
    }
    return sr_error_wrap(err, "connecting to look for database %s", r->database);
}

static int database_exists(struct sr_pg_conn *c, const char *name, int *ret, struct sr_error *err)
{
    _cleanup_free_ char *found = NULL;
    const char *args[] = {name, NULL};
    int rc = sr_pg_value(c, "SELECT 1 FROM pg_catalog.pg_database WHERE datname = $1", args, &found,
                         err);
    if (rc == SR_OK)
        *ret = found != NULL;
    return rc;
}

static int run_ddl(struct sr_pg_conn *c, const char *fmt, const char *name, struct sr_error *err)
{
    _cleanup_free_ char *quoted = sr_pg_quote_ident(c, name);
    _cleanup_free_ char *sql = NULL, *unused = NULL;
    if (!quoted || asprintf(&sql, "%s %s", fmt, quoted) < 0) {
        sql = NULL;
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    return sr_pg_value(c, sql, NULL, &unused, err);
}

static int target_from_into(struct sr_restoring *r, struct sr_error *err)
{
    _cleanup_free_ char *note = NULL;
    const char *into = r->o->into;
    if (into && strstr(into, "://"))
        return sr_pg_target_from_url(into, &r->pg, err);
    int rc = sr_pg_target_from_config(r->ctx->cfg, &note, &r->pg, err);
    if (rc == SR_OK && note)
        sr_log(SR_LOG_INFO, "%s", note);
    if (rc == SR_OK && into && sr_set_string(&r->database, into) != SR_OK)
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    return rc;
}

/* The major version of the server that the dump was taken from; 0: unknown. */
static int dumped_from(const struct sr_restoring *r)
{
    static const char word[] = "postgresql ";
    for (size_t i = 0; r->manifest && i < r->manifest->tools.len; i++)
        if (strncmp(r->manifest->tools.items[i], word, sizeof word - 1) == 0)
            return atoi(r->manifest->tools.items[i] + sizeof word - 1);
    return 0;
}

static int warn_versions(struct sr_restoring *r, struct sr_error *err)
{
    int from = dumped_from(r), to = sr_pg_server_version(r->conn) / 10000;
    if (from <= to)
        return SR_OK;
    if (sr_strlist_addf(
            &r->result->notes,
            "the dump is from PostgreSQL %d, the target is %d: older servers may refuse some of it",
            from, to) != SR_OK)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    sr_log(SR_LOG_WARN, "%s", r->result->notes.items[r->result->notes.len - 1]);
    return SR_OK;
}

/* Everything about the target that can be known without changing it. */
int sr_restore_target(struct sr_restoring *r, struct sr_error *err)
{
    struct sr_pg_conn *maintenance = NULL;
    int exists = 1;
    int rc = target_from_into(r, err);
    if (rc == SR_OK && r->o->create && !r->database) {
        /* The connection's own database is the target: its name is asked of the settings by
         * connecting nowhere; libpq's rule is the database named, else the user's name. */
        rc = sr_set_string(&r->database, sr_pg_target_database(r->pg)) == SR_OK
                 ? SR_OK
                 : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    if (rc == SR_OK && r->o->create) {
        rc = connect_maintenance(r, &maintenance, err);
        if (rc == SR_OK)
            rc = database_exists(maintenance, r->database, &exists, err);
        if (rc == SR_OK && exists && !r->o->clean)
            rc = sr_fail(err, SR_E_EXISTS,
                         "database %s exists already; leave --create out to restore into it, or "
                         "add --clean to "
                         "drop it and make it anew",
                         r->database);
    }
    if (rc == SR_OK && exists)
        rc = sr_pg_connect(r->pg, r->database, &r->conn, err);
    if (rc != SR_OK && exists && r->database && !r->o->create)
        sr_error_append(err, " (--create makes a database that is missing)");
    struct sr_pg_conn *asked = r->conn ? r->conn : maintenance;
    if (rc == SR_OK && !r->database &&
        sr_set_string(&r->database, sr_pg_database(r->conn)) != SR_OK)
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    if (rc == SR_OK && asprintf(&r->result->target, "%s@%s:%s/%s", sr_pg_user(asked),
                                *sr_pg_host(asked) ? sr_pg_host(asked) : "local", sr_pg_port(asked),
                                r->database) < 0) {
        r->result->target = NULL;
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    if (rc == SR_OK)
        rc = sr_guard_check(r->ctx->cfg, sr_pg_host(asked), r->database, r->o->force, err);
    if (rc == SR_OK)
        rc = sr_pg_tool_find(r->ctx->cfg, r->kind == SR_RESTORE_PLAIN ? SR_PG_PSQL : SR_PG_RESTORE,
                             sr_pg_server_version(asked), &r->tool, err);
    if (rc == SR_OK && r->conn)
        rc = warn_versions(r, err);
    sr_pg_close(maintenance);
    return rc;
}

static int confirm(struct sr_restoring *r, uint64_t tables, struct sr_error *err)
{
    char question[1024];
    if (r->o->yes || tables == 0)
        return SR_OK;
    (void)snprintf(question, sizeof question, "%s holds %llu tables. %s%s into it?",
                   r->result->target, (unsigned long long)tables,
                   r->o->clean ? "DROP what is there and restore " : "Restore ", r->result->what);
    if (!r->o->confirm)
        return sr_fail(
            err, SR_E_REFUSED,
            "%s holds %llu tables and nobody can be asked; give --yes to restore into it",
            r->result->target, (unsigned long long)tables);
    if (!r->o->confirm(r->o->confirm_ctx, question))
        return sr_fail(err, SR_E_REFUSED, "not confirmed; nothing was changed");
    return SR_OK;
}

static int end_others(struct sr_restoring *r, struct sr_pg_conn *c, struct sr_error *err)
{
    int n = 0;
    int rc = sr_pg_end_connections(c, r->database, &n, err);
    if (rc == SR_OK && n > 0)
        sr_log(SR_LOG_INFO, "ended %d other connection%s of %s", n, n == 1 ? "" : "s", r->database);
    if (rc == SR_OK)
        r->result->connections_ended += n;
    return rc;
}

int sr_restore_prepare(struct sr_restoring *r, struct sr_error *err)
{
    struct sr_pg_conn *maintenance = NULL;
    uint64_t tables = 0;
    int rc = r->conn ? sr_restore_tables(r->conn, &tables, err) : SR_OK;
    if (rc == SR_OK)
        rc = confirm(r, tables, err);
    if (rc == SR_OK)
        rc = sr_context_check(r->ctx, err);
    if (rc == SR_OK && r->conn && r->o->clean && !r->o->create && r->kind == SR_RESTORE_PLAIN)
        rc = sr_pg_clean_check(r->conn, err);
    if (rc == SR_OK && r->conn)
        rc = end_others(r, r->conn, err);
    if (rc == SR_OK && r->o->create) {
        rc = connect_maintenance(r, &maintenance, err);
        if (rc == SR_OK && r->conn) {
            sr_pg_close(r->conn);
            r->conn = NULL;
            rc = run_ddl(maintenance, "DROP DATABASE", r->database, err);
        }
        if (rc == SR_OK)
            rc = run_ddl(maintenance, "CREATE DATABASE", r->database, err);
        r->made = rc == SR_OK;
        sr_pg_close(maintenance);
        if (rc == SR_OK)
            rc = sr_pg_connect(r->pg, r->database, &r->conn, err);
        if (rc == SR_OK)
            rc = warn_versions(r, err);
    }
    return rc;
}

void sr_restore_unmake(struct sr_restoring *r)
{
    struct sr_pg_conn *maintenance = NULL;
    struct sr_error e = SR_ERROR_INIT;
    if (!r->made)
        return;
    sr_pg_close(r->conn);
    r->conn = NULL;
    int rc = connect_maintenance(r, &maintenance, &e);
    if (rc == SR_OK)
        rc = run_ddl(maintenance, "DROP DATABASE", r->database, &e);
    if (rc != SR_OK)
        sr_log(SR_LOG_WARN, "database %s, made for this restore, stays behind: %s", r->database,
               e.text);
    sr_pg_close(maintenance);
}
