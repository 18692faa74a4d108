/* Emptying a database before a plain dump is restored into it.
 *
 *     sr_pg_clean_database(conn, &err);
 *
 * In one transaction, so that a failure leaves everything as it was, it drops
 *   - event triggers, large objects,
 *   - extensions other than plpgsql,
 *   - every schema but those of the system, with all that is in it,
 *   - foreign servers and data wrappers, procedural languages, casts and access methods that were
 *     added to the system's own,
 * and makes the schema public anew with the owner, the grants and the comment that it has in a
 * database just created by this server's version.
 *
 * It leaves alone what belongs to the database rather than in it: its owner, grants, comment and
 * settings (ALTER DATABASE ... SET), default privileges that name no schema, and what was added to
 * pg_catalog by hand. Roles and tablespaces are not in a database at all.
 */
#ifndef SR_SOURCE_PG_CLEAN_H
#define SR_SOURCE_PG_CLEAN_H

#include "core/source/pg_conn.h"

/* c must not be in a transaction; one thread. SR_E_REFUSED lists publications and subscriptions
 * that are there: dropping them would break replication elsewhere, which is for people to decide. A
 * failure of the server names the statement. */
int sr_pg_clean_database(struct sr_pg_conn *c, struct sr_error *err);

#endif
