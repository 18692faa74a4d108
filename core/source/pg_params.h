/* Connection parameters as libpq's keywords and values, and how settings become them.
 *
 *     struct sr_pg_params p = {0};
 *     sr_pg_params_from_text(url_or_conninfo, "DATABASE_URL", &p, &err);   // or
 *     sr_pg_params_from_names(&names, &p, &note, &err);
 *     PQconnectdbParams(p.keys.items, p.values.items, 0);
 *     sr_pg_params_done(&p);
 *
 * Pure: nothing here reads the environment or a file. Values hold secrets; no message repeats one.
 * A keyword is there at most once. Any thread, one at a time per list.
 */
#ifndef SR_SOURCE_PG_PARAMS_H
#define SR_SOURCE_PG_PARAMS_H

#include "core/util/error.h"
#include "core/util/strlist.h"

struct sr_pg_params {
    struct sr_strlist keys, values; /* same length */
};

/* Sets or replaces; an empty or NULL value takes the keyword out. SR_OK or SR_E_NO_MEMORY. */
int sr_pg_params_set(struct sr_pg_params *p, const char *key, const char *value);
/* The value, owned by p, or NULL. */
const char *sr_pg_params_get(const struct sr_pg_params *p, const char *key);
int sr_pg_params_copy(struct sr_pg_params *to, const struct sr_pg_params *from);
void sr_pg_params_done(struct sr_pg_params *p); /* overwrites the values first */

/* Reads a URL (postgres://, postgresql://, either with +DRIVER, also after jdbc:) or a conninfo
 * string ("host=db user=app"). Passwords that hold @ # % / ? or quotes without being
 * percent-encoded are understood where they can be told apart from the rest: the userinfo goes up
 * to the last @ before the host. Parameters that belong to an ORM or a pool (schema, pgbouncer,
 * connection_limit ...) are left out with a line in the log; others that libpq does not know are
 * SR_E_CONFIG. `setting` is how messages call the text. Adds to *p. */
int sr_pg_params_from_text(const char *text, const char *setting, struct sr_pg_params *p,
                           struct sr_error *err);

/* What the settings say, NULL or "" where unset. */
struct sr_pg_names {
    const char *database_url;
    const char *db_host, *db_port;
    const char *postgres_db, *db_name;
    const char *postgres_user, *db_user;
    const char *postgres_password, *db_password;
    /* libpq's own names */
    const char *pghost, *pghostaddr, *pgport, *pgdatabase, *pguser, *pgpassword, *pgpassfile,
        *pgservice, *pgsslmode, *pgsslrootcert, *pgsslcert, *pgsslkey;
    /* What PGSERVICE's section of PGSERVICEFILE says (sr_pg_service_parse), or NULL; it takes
     * PGSERVICE's place. */
    const struct sr_pg_params *service;
};

/* Reads section `service` of a service file's text. SR_E_CONFIG when it is not there. */
int sr_pg_service_parse(const char *text, const char *service, struct sr_pg_params *ret,
                        struct sr_error *err);

/* DATABASE_URL over DB_*, POSTGRES_* over a service file over PG*, keyword by keyword, with two
 * exceptions: a port goes with its host, and a password with its user, when a lower family names
 * another one. *ret_note (malloc'd) says what is used where names disagree, else NULL. */
int sr_pg_params_from_names(const struct sr_pg_names *n, struct sr_pg_params *ret, char **ret_note,
                            struct sr_error *err);

#endif
