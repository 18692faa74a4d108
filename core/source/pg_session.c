/* What the control connection holds and may end: advisory lock, snapshot, backends. */
#include "config.h"
#include "core/source/pg_conn.h"
#include "core/source/pg_query.h"

#include "core/util/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Half of the advisory lock's key: "SrBk" read as a number. The other half is the database's oid,
 * brought into the range of a signed int4. */
#define LOCK_SPACE "1400000107"
#define LOCK_DATABASE                                                                  \
    "(SELECT (d.oid::pg_catalog.int8 - CASE WHEN d.oid::pg_catalog.int8 > 2147483647 " \
    "THEN 4294967296 ELSE 0 END)::pg_catalog.int4 FROM pg_catalog.pg_database d "      \
    "WHERE d.datname = pg_catalog.current_database())"
#define END_TIMEOUT "5"
#define END_ROUNDS 100
#define END_ROUND_NS 100000000 /* 100 ms: ending takes as long as the backend's current page */

int sr_pg_databases(struct sr_pg_conn *c, struct sr_strlist *ret, struct sr_error *err)
{
    /* datconnlimit -2 marks what a DROP DATABASE left half done. */
    return sr_pg_column(c,
                        "SELECT datname FROM pg_catalog.pg_database WHERE datallowconn AND NOT "
                        "datistemplate AND datconnlimit <> -2 ORDER BY datname COLLATE \"C\"",
                        NULL, ret, err);
}

int sr_pg_lock_look(struct sr_pg_conn *c, struct sr_error *err)
{
    _cleanup_(PQclearp) PGresult *r = NULL;
    int rc = sr_pg_query(
        c,
        "SELECT l.pid, coalesce(nullif(a.application_name, ''), 'unknown program'),"
        " coalesce(pg_catalog.host(a.client_addr), 'a local socket'),"
        " coalesce(pg_catalog.to_char(a.backend_start AT TIME ZONE 'UTC',"
        " 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), 'an unknown time')"
        " FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid"
        " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2"
        " AND l.classid::pg_catalog.int8 = " LOCK_SPACE
        " AND l.database = (SELECT oid FROM pg_catalog.pg_database"
        " WHERE datname = pg_catalog.current_database()) LIMIT 1",
        NULL, &r, err);
    if (rc != SR_OK)
        return rc;
    if (PQntuples(r) == 0)
        return SR_OK;
    return sr_fail(err, SR_E_BUSY,
                   "another run is backing up database %s: \"%s\" (server process %s) from %s, "
                   "since %s",
                   sr_pg_database(c), PQgetvalue(r, 0, 1), PQgetvalue(r, 0, 0), PQgetvalue(r, 0, 2),
                   PQgetvalue(r, 0, 3));
}

int sr_pg_lock(struct sr_pg_conn *c, struct sr_error *err)
{
    _cleanup_free_ char *got = NULL;
    int rc = sr_pg_value(c,
                         "SELECT pg_catalog.pg_try_advisory_lock(" LOCK_SPACE
                         "::pg_catalog.int4, " LOCK_DATABASE ")",
                         NULL, &got, err);
    if (rc != SR_OK)
        return sr_error_wrap(err, "taking the lock of database %s", sr_pg_database(c));
    if (got && *got == 't')
        return SR_OK;
    rc = sr_pg_lock_look(c, err);
    return rc != SR_OK ? rc
                       : sr_fail(err, SR_E_BUSY,
                                 "another run held the lock of database %s until just now; try "
                                 "again",
                                 sr_pg_database(c));
}

int sr_pg_snapshot_export(struct sr_pg_conn *c, char **ret, struct sr_error *err)
{
    char *id = NULL;
    int rc = sr_pg_command(c, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err);
    if (rc == SR_OK)
        rc = sr_pg_value(c, "SELECT pg_catalog.pg_export_snapshot()", NULL, &id, err);
    if (rc == SR_OK && !id)
        rc = sr_fail(err, SR_E_DATABASE, "the server gave no snapshot");
    if (rc != SR_OK)
        return sr_error_wrap(err, "exporting a snapshot");
    *ret = id;
    return SR_OK;
}

struct sr_pg_canceller {
    PGcancel *handle;
};

int sr_pg_canceller_new(const struct sr_pg_conn *c, struct sr_pg_canceller **ret,
                        struct sr_error *err)
{
    struct sr_pg_canceller *k = calloc(1, sizeof *k);
    if (k)
        k->handle = PQgetCancel(c->pg);
    if (!k || !k->handle) {
        free(k);
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    *ret = k;
    return SR_OK;
}

void sr_pg_canceller_wake(void *arg)
{
    struct sr_pg_canceller *k = arg;
    char said[256];
    (void)PQcancel(k->handle, said, sizeof said);
}

void sr_pg_canceller_free(struct sr_pg_canceller *k)
{
    if (!k)
        return;
    PQfreeCancel(k->handle);
    free(k);
}

void sr_pg_end_backends(const struct sr_pg_conn *c, const char *app)
{
    struct sr_pg_params p = {0};
    struct sr_pg_conn *mine = NULL;
    const char *args[] = {app, NULL};
    PGresult *r = NULL;
    /* The very server c reached, should its name stand for several. */
    int rc = sr_pg_params_copy(&p, &c->params);
    if (rc == SR_OK)
        rc = sr_pg_params_set(&p, "host", PQhost(c->pg));
    if (rc == SR_OK)
        rc = sr_pg_params_set(&p, "hostaddr", PQhostaddr(c->pg));
    if (rc == SR_OK)
        rc = sr_pg_params_set(&p, "port", PQport(c->pg));
    if (rc == SR_OK)
        rc = sr_pg_params_set(&p, "connect_timeout", END_TIMEOUT);
    if (rc == SR_OK)
        rc = sr_pg_open(&p, "strongroom abort", END_TIMEOUT, &mine, NULL);
    if (rc == SR_OK)
        /* The server keeps 63 bytes of an application's name. */
        rc = sr_pg_query(mine,
                         "SELECT pg_catalog.pg_terminate_backend(pid) FROM "
                         "pg_catalog.pg_stat_activity WHERE application_name = "
                         "pg_catalog.left($1, 63) AND usename = current_user AND pid <> "
                         "pg_catalog.pg_backend_pid()",
                         args, &r, NULL);
    PQclear(r);
    sr_pg_close(mine);
    sr_pg_params_done(&p);
}

int sr_pg_end_connections(struct sr_pg_conn *c, const char *database, int *ret,
                          struct sr_error *err)
{
    const char *args[] = {database, NULL};
    _cleanup_free_ char *count = NULL;
    int rc = sr_pg_value(
        c,
        "SELECT pg_catalog.count(pg_catalog.pg_terminate_backend(pid)) FROM "
        "pg_catalog.pg_stat_activity WHERE datname = $1 AND pid <> pg_catalog.pg_backend_pid()"
        " AND backend_type = 'client backend'",
        args, &count, err);
    if (rc != SR_OK)
        return sr_error_wrap(err, "ending the connections to database %s", database);
    /* Told to end is not ended: what follows (DROP DATABASE) needs them gone. */
    for (int i = 0; i < END_ROUNDS; i++) {
        _cleanup_free_ char *left = NULL;
        rc = sr_pg_value(
            c,
            "SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity WHERE datname = $1 AND "
            "pid <> pg_catalog.pg_backend_pid() AND backend_type = 'client backend'",
            args, &left, err);
        if (rc != SR_OK)
            return sr_error_wrap(err, "ending the connections to database %s", database);
        if (left && strcmp(left, "0") == 0) {
            *ret = count ? atoi(count) : 0;
            return SR_OK;
        }
        struct timespec pause = {0, END_ROUND_NS};
        (void)nanosleep(&pause, NULL);
    }
    return sr_fail(err, SR_E_DATABASE,
                   "connections to database %s did not end within 10 seconds, or new ones keep "
                   "coming; stop the programs that use it",
                   database);
}

int sr_pg_app_make(char out[SR_PG_APP_SIZE], struct sr_error *err)
{
    unsigned char rnd[6];
    char hex[2 * sizeof rnd + 1];
    if (sr_random(rnd, sizeof rnd) != 0)
        return sr_fail_errno(err, errno, "cannot get random bytes");
    sr_hex(rnd, sizeof rnd, hex);
    (void)snprintf(out, SR_PG_APP_SIZE, "strongroom/%s", hex);
    return SR_OK;
}
