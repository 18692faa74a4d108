#include "config.h"
#include "core/source/pg_conn.h"
#include "core/source/pg_query.h"
#include "core/source/pg_target.h"
#include "core/util/buf.h"
#include "core/util/cleanup.h"
#include "core/util/log.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTROL_APP "strongroom control"
#define CONNECT_TIMEOUT "10"

void sr_pg_message(const char *said, char *out, size_t cap)
{
    size_t n = 0;
    int blank = 0;
    for (; said && *said && n + 2 < cap; said++) {
        if (isspace((unsigned char)*said) || iscntrl((unsigned char)*said)) {
            blank = n > 0;
            continue;
        }
        if (blank)
            out[n++] = ' ';
        blank = 0;
        out[n++] = *said;
    }
    out[n] = '\0';
}

/* libpq would print notices on standard error. */
static void notice_log(void *ctx, const char *message)
{
    (void)ctx;
    char line[512];
    sr_pg_message(message, line, sizeof line);
    sr_log(SR_LOG_VERBOSE, "server: %s", line);
}

/* What protects the session and makes its answers independent of the server's settings. search_path
 * is emptied against operators planted in public. */
static int session_setup(struct sr_pg_conn *c, struct sr_error *err)
{
    const char *strings = PQparameterStatus(c->pg, "standard_conforming_strings");
    c->old_strings = strings && strcmp(strings, "on") != 0;
    int rc =
        sr_pg_command(c,
                      "SELECT pg_catalog.set_config('search_path', '', false),"
                      " pg_catalog.set_config('statement_timeout', '0', false),"
                      " pg_catalog.set_config('lock_timeout', '0', false),"
                      " pg_catalog.set_config('idle_in_transaction_session_timeout', '0', false),"
                      " pg_catalog.set_config('standard_conforming_strings', 'on', false)",
                      err);
    if (rc == SR_OK && PQserverVersion(c->pg) >= 140000) {
        rc = sr_pg_command(c, "SET idle_session_timeout = 0", err);
        /* Refused where the server's system cannot tell that a client is gone. */
        c->checks_client =
            sr_pg_command(c, "SET client_connection_check_interval = '10s'", NULL) == SR_OK;
    }
    /* It would end the transaction whose snapshot the dumps share. */
    if (rc == SR_OK && PQserverVersion(c->pg) >= 170000)
        rc = sr_pg_command(c, "SET transaction_timeout = 0", err);
    if (rc == SR_OK && PQsetClientEncoding(c->pg, "UTF8") != 0)
        rc = sr_fail(err, SR_E_DATABASE, "the server does not take client encoding UTF8");
    return rc;
}

int sr_pg_open(const struct sr_pg_params *params, const char *app, const char *timeout,
               struct sr_pg_conn **ret, struct sr_error *err)
{
    struct sr_pg_conn *c = calloc(1, sizeof *c);
    int rc = c ? sr_pg_params_copy(&c->params, params) : SR_E_NO_MEMORY;
    if (rc == SR_OK)
        rc = sr_pg_params_set(&c->params, "application_name", app);
    if (rc == SR_OK && timeout && !sr_pg_params_get(&c->params, "connect_timeout") &&
        !getenv("PGCONNECT_TIMEOUT"))
        rc = sr_pg_params_set(&c->params, "connect_timeout", timeout);
    if (rc == SR_OK && !(c->text = sr_pg_params_text(&c->params)))
        rc = SR_E_NO_MEMORY;
    if (rc != SR_OK) {
        sr_pg_close(c);
        return sr_fail(err, rc, "connecting to the database: out of memory");
    }
    /* Not expanded: a database may be called "a=b" or "postgres://x". */
    c->pg = PQconnectdbParams((const char *const *)c->params.keys.items,
                              (const char *const *)c->params.values.items, 0);
    if (!c->pg || PQstatus(c->pg) != CONNECTION_OK) {
        char said[1024];
        sr_pg_message(c->pg ? PQerrorMessage(c->pg) : "out of memory", said, sizeof said);
        rc = sr_fail(err, SR_E_DATABASE, "cannot connect to %s: %s", c->text, said);
        sr_pg_close(c);
        return rc;
    }
    (void)PQsetNoticeProcessor(c->pg, notice_log, NULL);
    int v = PQserverVersion(c->pg);
    if (v >= 100000)
        (void)snprintf(c->version_text, sizeof c->version_text, "%d.%d", v / 10000, v % 10000);
    else
        (void)snprintf(c->version_text, sizeof c->version_text, "%d.%d.%d", v / 10000,
                       v / 100 % 100, v % 100);
    *ret = c;
    return SR_OK;
}

int sr_pg_connect(const struct sr_pg_target *t, const char *database, struct sr_pg_conn **ret,
                  struct sr_error *err)
{
    struct sr_pg_params p = {0};
    struct sr_pg_conn *c = NULL;
    int rc = sr_pg_params_copy(&p, &t->params);
    if (rc == SR_OK && database)
        rc = sr_pg_params_set(&p, "dbname", database);
    if (rc != SR_OK)
        rc = sr_fail(err, rc, "connecting to %s: out of memory", t->text);
    else
        rc = sr_pg_open_startup(&p, CONTROL_APP, CONNECT_TIMEOUT, &c, err);
    sr_pg_params_done(&p);
    if (rc == SR_OK) {
        rc = session_setup(c, err);
        if (rc != SR_OK)
            rc = sr_error_wrap(err, "preparing the session with %s", c->text);
    }
    if (rc != SR_OK) {
        sr_pg_close(c);
        return rc;
    }
    sr_pg_startup_warn(c);
    *ret = c;
    return SR_OK;
}

void sr_pg_close(struct sr_pg_conn *c)
{
    if (!c)
        return;
    PQfinish(c->pg);
    sr_pg_params_done(&c->params);
    free(c->text);
    free(c->own_options);
    free(c);
}

int sr_pg_server_version(const struct sr_pg_conn *c)
{
    return PQserverVersion(c->pg);
}

const char *sr_pg_server_version_text(const struct sr_pg_conn *c)
{
    return c->version_text;
}

static const char *text_or_empty(const char *s)
{
    return s ? s : "";
}

const char *sr_pg_database(const struct sr_pg_conn *c)
{
    return text_or_empty(PQdb(c->pg));
}

const char *sr_pg_host(const struct sr_pg_conn *c)
{
    return text_or_empty(PQhost(c->pg));
}

const char *sr_pg_user(const struct sr_pg_conn *c)
{
    return text_or_empty(PQuser(c->pg));
}

const char *sr_pg_port(const struct sr_pg_conn *c)
{
    return text_or_empty(PQport(c->pg));
}

/* --- queries --- */

int sr_pg_query(struct sr_pg_conn *c, const char *sql, const char *const *args, PGresult **ret,
                struct sr_error *err)
{
    int n = 0;
    while (args && args[n])
        n++;
    PGresult *r = PQexecParams(c->pg, sql, n, NULL, args, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(r);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
        *ret = r;
        return SR_OK;
    }
    char said[1024];
    sr_pg_message(r ? PQresultErrorMessage(r) : PQerrorMessage(c->pg), said, sizeof said);
    if (!*said)
        sr_pg_message(PQerrorMessage(c->pg), said, sizeof said);
    PQclear(r);
    return sr_fail(err, SR_E_DATABASE, "%s answers: %s", c->text, said);
}

int sr_pg_command(struct sr_pg_conn *c, const char *sql, struct sr_error *err)
{
    PGresult *r = NULL;
    int rc = sr_pg_query(c, sql, NULL, &r, err);
    PQclear(r);
    return rc;
}

int sr_pg_value(struct sr_pg_conn *c, const char *sql, const char *const *args, char **ret,
                struct sr_error *err)
{
    _cleanup_(PQclearp) PGresult *r = NULL;
    int rc = sr_pg_query(c, sql, args, &r, err);
    if (rc != SR_OK)
        return rc;
    char *value = NULL;
    if (PQntuples(r) > 0 && PQnfields(r) > 0 && !PQgetisnull(r, 0, 0)) {
        value = strdup(PQgetvalue(r, 0, 0));
        if (!value)
            return sr_fail(err, SR_E_NO_MEMORY, "reading an answer of %s: out of memory", c->text);
    }
    *ret = value;
    return SR_OK;
}

int sr_pg_column(struct sr_pg_conn *c, const char *sql, const char *const *args,
                 struct sr_strlist *ret, struct sr_error *err)
{
    _cleanup_(PQclearp) PGresult *r = NULL;
    int rc = sr_pg_query(c, sql, args, &r, err);
    for (int i = 0; rc == SR_OK && i < PQntuples(r); i++)
        if (sr_strlist_add(ret, PQgetvalue(r, i, 0)) != SR_OK)
            rc = sr_fail(err, SR_E_NO_MEMORY, "reading an answer of %s: out of memory", c->text);
    return rc;
}

char *sr_pg_quote_ident(struct sr_pg_conn *c, const char *name)
{
    char *quoted = PQescapeIdentifier(c->pg, name, strlen(name));
    char *copy = quoted ? strdup(quoted) : NULL;
    PQfreemem(quoted);
    return copy;
}
