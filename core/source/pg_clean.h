/* Emptying a database before a plain dump is restored into it.
 *
 *     sr_pg_clean_database(conn, &err);   or, inside the restore's own transaction,
 *     sr_pg_clean_check(conn, &err); sr_pg_clean_sql(conn, &buf);
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
#include "core/util/buf.h"

#define SR_PG_CLEAN_SQL_MAX 16384 /* bytes that sr_pg_clean_sql adds at most */

/* SR_E_REFUSED lists publications and subscriptions that are there: dropping them would break
 * replication elsewhere, which is for people to decide. One thread. */
int sr_pg_clean_check(struct sr_pg_conn *c, struct sr_error *err);
/* Adds the one statement (a DO block) that cleans a database of c's server version, for a session
 * that goes on in the same transaction: a restore that fails then drops nothing. */
int sr_pg_clean_sql(const struct sr_pg_conn *c, struct sr_buf *out);
/* Check and statement at once, over c, which must not be in a transaction. A failure leaves
 * everything as it was. */
int sr_pg_clean_database(struct sr_pg_conn *c, struct sr_error *err);

#endif
