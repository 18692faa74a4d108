/* One PostgreSQL server and database: what the settings mean, a control connection, facts.
 *
 *     sr_pg_target_from_config(cfg, NULL, &target, &err);   // DATABASE_URL > DB_*, POSTGRES_* >
 * PG* sr_pg_connect(target, NULL, &conn, &err); sr_pg_child_env(conn, ...)      // what a child
 * needs to reach the very same server sr_pg_close(conn); sr_pg_target_free(target)
 *
 * The control connection holds the advisory lock, the exported snapshot and the power to end our
 * own backends; children (pg_dump, psql) connect by themselves, pinned to the host and port that
 * the control connection reached. Passwords travel in the children's environment, never in argv.
 * One thread at a time per connection.
 */
#ifndef SR_SOURCE_PG_CONN_H
#define SR_SOURCE_PG_CONN_H

#include "core/util/error.h"
#include "core/util/strlist.h"

#include <stdint.h>

struct sr_config;
struct sr_pg_target;
struct sr_pg_conn;

/* Accepts postgres://, postgresql://, postgresql+DRIVER:// and conninfo strings in DATABASE_URL.
 * SR_E_CONFIG names the setting. Where the naming families disagree, *ret_note (malloc'd, may be
 * NULL) says in one line what is used. */
int sr_pg_target_from_config(const struct sr_config *cfg, char **ret_note,
                             struct sr_pg_target **ret, struct sr_error *err);
/* From one connection string (--into as a URL, BACKUP_RESTORE_TEST_URL). */
int sr_pg_target_from_url(const char *url, struct sr_pg_target **ret, struct sr_error *err);
void sr_pg_target_free(struct sr_pg_target *t);
/* "user@host:port/db" without secrets, for messages; owned by the target. */
const char *sr_pg_target_text(const struct sr_pg_target *t);
/* The database that is meant, as libpq would choose it: the one named, else the user's name; owned
 * by the target. */
const char *sr_pg_target_database(const struct sr_pg_target *t);

/* Connects to target's database, or to `database` on the same server. The message of a failure
 * names host, port, user and database and what the server said. Sets what protects the session
 * (idle_in_transaction_session_timeout = 0, client_encoding, search_path). */
int sr_pg_connect(const struct sr_pg_target *t, const char *database, struct sr_pg_conn **ret,
                  struct sr_error *err);
void sr_pg_close(struct sr_pg_conn *c);

int sr_pg_server_version(const struct sr_pg_conn *c);              /* 150020; major is /10000 */
const char *sr_pg_server_version_text(const struct sr_pg_conn *c); /* "15.20" */
const char *sr_pg_database(const struct sr_pg_conn *c);
const char *sr_pg_host(const struct sr_pg_conn *c); /* "" : local socket default */
const char *sr_pg_user(const struct sr_pg_conn *c);
const char *sr_pg_port(const struct sr_pg_conn *c);

/* NAME=VALUE additions for a child's environment (PGHOST ... PGPASSWORD, PGAPPNAME = app), so that
 * it reaches the server and database of c; what must be unset is added as NAME alone. options:
 * server settings for PGOPTIONS ("-c lock_timeout=60000"), or NULL, beside those that end the
 * child's backend when the child is gone; where the way to the server takes none (a pooler),
 * neither is in it. Contains secrets: wipe. */
int sr_pg_child_env(const struct sr_pg_conn *c, const char *app, const char *options,
                    struct sr_strlist *ret, struct sr_error *err);
/* "dbname='...'" quoted as a conninfo value, for tools that take a database only in argv. */
int sr_pg_dbname_arg(const char *database, char **ret, struct sr_error *err);

/* Every database that allows connections and is no template, sorted. */
int sr_pg_databases(struct sr_pg_conn *c, struct sr_strlist *ret, struct sr_error *err);
/* Runs sql, gives the first column of the first row (malloc'd; NULL: no row or NULL). args: text
 * parameters, NULL-terminated, or NULL. */
int sr_pg_value(struct sr_pg_conn *c, const char *sql, const char *const *args, char **ret,
                struct sr_error *err);
/* Runs sql; first column of each row. */
int sr_pg_column(struct sr_pg_conn *c, const char *sql, const char *const *args,
                 struct sr_strlist *ret, struct sr_error *err);
/* Quoted identifier, malloc'd. */
char *sr_pg_quote_ident(struct sr_pg_conn *c, const char *name);

/* Session-level advisory lock that says "strongroom backs this database up". SR_E_BUSY with who
 * holds it (application name, client address, since when) when another run does. Released by close,
 * also by a crash. */
int sr_pg_lock(struct sr_pg_conn *c, struct sr_error *err);
/* Only looks: SR_E_BUSY with who holds it, SR_OK when nobody does. Takes nothing, so that a run
 * that begins meanwhile gets its lock. */
int sr_pg_lock_look(struct sr_pg_conn *c, struct sr_error *err);
/* Opens a REPEATABLE READ READ ONLY transaction and exports its snapshot (malloc'd id). */
int sr_pg_snapshot_export(struct sr_pg_conn *c, char **ret, struct sr_error *err);
#define SR_PG_APP_SIZE 48 /* bytes with NUL */
/* An application_name of one run's own, "strongroom/<12 hex digits>": what its backends are found
 * by. */
int sr_pg_app_make(char out[SR_PG_APP_SIZE], struct sr_error *err);
/* What ends the statement that c is at, from another thread (for sr_context_on_cancel). Made by the
 * thread that owns c, while nothing runs; freed before c is closed. */
struct sr_pg_canceller;
int sr_pg_canceller_new(const struct sr_pg_conn *c, struct sr_pg_canceller **ret,
                        struct sr_error *err);
/* Any thread; arg is a struct sr_pg_canceller. Asks the server over a connection of its own;
 * nothing running is fine. */
void sr_pg_canceller_wake(void *arg);
void sr_pg_canceller_free(struct sr_pg_canceller *k); /* NULL is fine */
/* Ends every backend of ours whose application_name is app. Best effort; opens its own connection,
 * so that it works from a signal-driven abort while c is busy. */
void sr_pg_end_backends(const struct sr_pg_conn *c, const char *app);
/* Ends all other connections of `database`; the count in *ret. */
int sr_pg_end_connections(struct sr_pg_conn *c, const char *database, int *ret,
                          struct sr_error *err);

#endif
