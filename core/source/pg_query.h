/* Queries over a control connection, for the files of this floor that read whole result sets. */
#ifndef SR_SOURCE_PG_QUERY_H
#define SR_SOURCE_PG_QUERY_H

#include "core/source/pg_conn.h"
#include "core/source/pg_params.h"
#include "core/util/cleanup.h"

#include <libpq-fe.h>

struct sr_pg_conn {
    PGconn *pg;
    struct sr_pg_params params; /* what it was opened with */
    char *text;                 /* user@host:port/database */
    char version_text[32];
    int checks_client; /* the server takes client_connection_check_interval */
    int old_strings;   /* sessions begin with standard_conforming_strings off */
    /* Of sr_pg_open_startup: settings that the user gives when connecting, or NULL, and whether
     * those that we add reach the server. */
    char *own_options;
    int takes_options;
};

/* Runs sql with text parameters (NULL-terminated, or NULL). Rows or "command done", else
 * SR_E_DATABASE with what the server said. PQclear is the caller's. */
int sr_pg_query(struct sr_pg_conn *c, const char *sql, const char *const *args, PGresult **ret,
                struct sr_error *err);
/* The same for a statement whose result does not matter. */
int sr_pg_command(struct sr_pg_conn *c, const char *sql, struct sr_error *err);
/* The server's (or libpq's) message as one line, cut to `cap`. */
void sr_pg_message(const char *said, char *out, size_t cap);
/* A connection with exactly these parameters, and `app` as its application_name. */
int sr_pg_open(const struct sr_pg_params *params, const char *app, const char *timeout,
               struct sr_pg_conn **ret, struct sr_error *err);

/* The same, and finds out whether the way to the server takes settings when connecting; where it
 * refuses them, a second try goes without ours. */
int sr_pg_open_startup(const struct sr_pg_params *params, const char *app, const char *timeout,
                       struct sr_pg_conn **ret, struct sr_error *err);
/* Logs what is missing where it does not. After the session is set up. */
void sr_pg_startup_warn(const struct sr_pg_conn *c);

SR_DEFINE_CLEANUP(PGresult *, PQclear);

#endif
