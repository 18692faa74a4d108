#include "config.h"
#include "core/source/pg_locked.h"
#include "core/source/pg_query.h"
#include "core/util/buf.h"

#include <stdio.h>
#include <string.h>

#define SHOWN_MAX 3

int sr_pg_said_locked(const char *said, int waited, char what[SR_PG_LOCKED_WHAT])
{
    static const char lock[] = "LOCK TABLE ";
    const char *tables = strstr(said, lock);
    if (!tables)
        return 0;
    tables += sizeof lock - 1;
    const char *end = strstr(tables, " IN ACCESS SHARE MODE");
    if (end && (size_t)(end - tables) < SR_PG_LOCKED_WHAT) {
        char name[SR_PG_LOCKED_WHAT];
        memcpy(name, tables, (size_t)(end - tables));
        name[end - tables] = '\0';
        sr_pg_message(name, what, SR_PG_LOCKED_WHAT);
    } else {
        (void)snprintf(what, SR_PG_LOCKED_WHAT, "every table");
    }
    if (strstr(said, "statement timeout") || strstr(said, "lock timeout"))
        return 1;
    return waited && !strstr(said, "ERROR:");
}

/* Waiting ones are told with whom they wait for: that is the session to look at. The texts of other
 * people's queries may hold secrets, and are not asked for. */
static const char holders_sql[] =
    "SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), l.pid,"
    " coalesce(a.usename, 'unknown'), coalesce(nullif(a.application_name, ''), 'unknown program'),"
    " coalesce(pg_catalog.host(a.client_addr), 'a local socket'), coalesce(a.state, 'state "
    "unknown'),"
    " coalesce(pg_catalog.to_char(a.xact_start AT TIME ZONE 'UTC', "
    "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
    " 'an unknown time'), l.granted,"
    " pg_catalog.array_to_string(pg_catalog.pg_blocking_pids(l.pid), ', ')"
    " FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c ON c.oid = l.relation"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid"
    " WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.database ="
    " (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())"
    " AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND l.pid <> pg_catalog.pg_backend_pid()"
    " AND n.nspname !~ '^pg_' ORDER BY l.granted DESC, a.xact_start, 1";

static int holder_add(struct sr_buf *b, const PGresult *r, int i)
{
    int granted = PQgetvalue(r, i, 7)[0] == 't';
    const char *others = PQgetvalue(r, i, 8);
    int rc = sr_buf_printf(
        b,
        "%s%s is %s in ACCESS EXCLUSIVE mode by server process %s (user %s, \"%s\" from %s, %s,"
        " in a transaction since %s)",
        i > 0 ? "; " : "", PQgetvalue(r, i, 0), granted ? "locked" : "waited for",
        PQgetvalue(r, i, 1), PQgetvalue(r, i, 2), PQgetvalue(r, i, 3), PQgetvalue(r, i, 4),
        PQgetvalue(r, i, 5), PQgetvalue(r, i, 6));
    if (rc == SR_OK && !granted && *others)
        rc = sr_buf_printf(b, ", which itself waits for process %s", others);
    return rc;
}

void sr_pg_lock_holders(struct sr_pg_conn *c, struct sr_error *err)
{
    _cleanup_(PQclearp) PGresult *r = NULL;
    struct sr_buf b;
    sr_buf_init(&b, SR_ERROR_TEXT_MAX);
    int rc = sr_pg_query(c, holders_sql, NULL, &r, NULL);
    int n = rc == SR_OK ? PQntuples(r) : 0;
    for (int i = 0; i < n && i < SHOWN_MAX && rc == SR_OK; i++)
        rc = holder_add(&b, r, i);
    if (rc == SR_OK && n > SHOWN_MAX)
        rc = sr_buf_printf(&b, "; and %d more", n - SHOWN_MAX);
    if (rc == SR_OK && n > 0)
        sr_error_append(err,
                        ": %s; wait until that transaction ends, or end it (SELECT "
                        "pg_terminate_backend(%s)), then run again; BACKUP_LOCK_WAIT says how long "
                        "the dump waits",
                        sr_buf_str(&b), PQgetvalue(r, 0, 1));
    else
        sr_error_append(err, "; nobody is seen to hold such a lock now: run again, or let the dump "
                             "wait longer with BACKUP_LOCK_WAIT");
    sr_buf_done(&b);
}
