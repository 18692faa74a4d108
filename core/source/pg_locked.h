/* A dump that did not get its locks: knowing it by pg_dump's words, and who stands in the way.
 *
 *     sr_pg_said_locked(said, waited)             // pure
 *     sr_pg_lock_holders(conn, err)               // what to do goes behind the message that is
 * there
 *
 * pg_dump locks every table it dumps in ACCESS SHARE mode before it reads the first, from version
 * 16 on many in one LOCK TABLE, where it does not say which of them it waited for. Only ACCESS
 * EXCLUSIVE stands against that mode, held or waited for: who asks later waits behind it.
 */
#ifndef SR_SOURCE_PG_LOCKED_H
#define SR_SOURCE_PG_LOCKED_H

#include "core/source/pg_conn.h"

#define SR_PG_LOCKED_WHAT 256 /* bytes with NUL */

/* Nonzero when `said`, what pg_dump printed, tells of a LOCK TABLE that ran into its timeout. The
 * server may speak any language; then it is told by waited: the dump had run at least as long as it
 * may wait for a lock. what gets the tables that were to be locked, as pg_dump names them, or
 * "every table" where they do not fit. */
int sr_pg_said_locked(const char *said, int waited, char what[SR_PG_LOCKED_WHAT]);

/* Appends to err's message which tables of c's database are locked so, by whom and since when, and
 * what to do; keeps err's code. What the server does not tell is left out. Blocks for one query. */
void sr_pg_lock_holders(struct sr_pg_conn *c, struct sr_error *err);

#endif
