/* Reads a plain SQL dump as it flows by: rows per table, the end marker, hidden commands.
 *
 *     sr_pg_scan_new(flags, &s);
 *     sr_pg_scan_feed(s, data, len, &err) ...
 *     sr_pg_scan_end(s, &err);
 *     sr_pg_scan_rows / _complete
 *
 * A state machine over COPY blocks and SQL (pg_lex.h), any split of the input gives the same
 * result, memory is bounded whatever the input. The input is hostile: with SR_SCAN_GUARD a dump
 * that psql might read otherwise than this scanner is refused, not guessed at. One thread at a
 * time.
 *
 * A dump that changes databases (pg_dump -C, pg_dumpall) writes \connect at the start of a line.
 * That leaves the target the operator chose, so it is refused unless SR_SCAN_CONNECT allows it, and
 * then only as "\connect NAME" or pg_dump's "\connect -reuse-previous=on "dbname='NAME'"", never
 * with a host.
 */
#ifndef SR_SOURCE_PG_SCAN_H
#define SR_SOURCE_PG_SCAN_H

#include "core/util/error.h"

#include <stddef.h>
#include <stdint.h>

enum sr_pg_scan_flags {
    SR_SCAN_ROWS = 1 << 0,    /* count rows of COPY blocks per table */
    SR_SCAN_GUARD = 1 << 1,   /* a psql meta-command other than \restrict, \unrestrict and \. fails
                                 the feed: SR_E_CORRUPT with the line's number; so does a statement
                                 that begins or ends a transaction, but for the BEGIN; and COMMIT;
                                 that pg_dump writes around large objects */
    SR_SCAN_CONNECT = 1 << 2, /* with GUARD: \connect to a database by name is fine */
    SR_SCAN_WHOLE = 1 << 4,   /* with GUARD, for what goes into one transaction of ours: those two
                                 are refused, too */
    SR_SCAN_STRICT = 1 << 3,  /* with GUARD, for a psql that knows no \restrict: also refuse what
                                 hangs on settings a dump can change unseen
                                 (standard_conforming_strings, client_encoding, psql's variables):
                                 SR_E_REFUSED, as honest dumps hold it, too: 'C:\' */
};

struct sr_pg_scan;
int sr_pg_scan_new(unsigned flags, struct sr_pg_scan **ret, struct sr_error *err);
/* SR_E_CORRUPT (guard), SR_E_REFUSED (strict), SR_E_NO_MEMORY; a scanner that failed keeps failing.
 */
int sr_pg_scan_feed(struct sr_pg_scan *s, const void *data, size_t len, struct sr_error *err);
/* SR_E_CORRUPT when the input ended within a COPY block, a quote or a comment. */
int sr_pg_scan_end(struct sr_pg_scan *s, struct sr_error *err);
/* Nonzero when "-- PostgreSQL database dump complete" (or "cluster dump complete") came last. */
int sr_pg_scan_complete(const struct sr_pg_scan *s);
/* Nonzero when the text looked like pg_dump's from its first lines. */
int sr_pg_scan_is_dump(const struct sr_pg_scan *s);
/* Tables in the order they came, as the dump spells them (schema.table, quoted where needed), each
 * once. A dump made with --inserts has none. At most SR_PG_TABLES_MAX (pg_tables.h) are kept; _cut
 * tells whether there were more. */
int sr_pg_scan_cut(const struct sr_pg_scan *s);
size_t sr_pg_scan_tables(const struct sr_pg_scan *s);
const char *sr_pg_scan_table(const struct sr_pg_scan *s, size_t i, uint64_t *ret_rows);
void sr_pg_scan_free(struct sr_pg_scan *s);

#endif
