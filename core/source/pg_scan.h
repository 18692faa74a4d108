/* Reads a plain SQL dump as it flows by: rows per table, the end marker, hidden commands.
 *
 *     sr_pg_scan_new(flags, &s);
 *     sr_pg_scan_feed(s, data, len, &err) ...
 *     sr_pg_scan_end(s, &err);
 *     sr_pg_scan_rows / _complete
 *
 * A state machine over COPY blocks and SQL (quotes, dollar quotes, comments), any split of the
 * input gives the same result, memory is bounded whatever the input (a longest kept line and a
 * bounded number of tables). The input is hostile.
 */
#ifndef SR_SOURCE_PG_SCAN_H
#define SR_SOURCE_PG_SCAN_H

#include "core/util/error.h"

#include <stddef.h>
#include <stdint.h>

enum sr_pg_scan_flags {
    SR_SCAN_ROWS = 1 << 0,  /* count rows of COPY blocks per table */
    SR_SCAN_GUARD = 1 << 1, /* a psql meta-command other than \restrict, \unrestrict, \. and
                               \connect of pg_dump -C fails the feed: SR_E_CORRUPT */
};

struct sr_pg_scan;
int sr_pg_scan_new(unsigned flags, struct sr_pg_scan **ret, struct sr_error *err);
int sr_pg_scan_feed(struct sr_pg_scan *s, const void *data, size_t len, struct sr_error *err);
int sr_pg_scan_end(struct sr_pg_scan *s, struct sr_error *err);
/* Nonzero when "-- PostgreSQL database dump complete" (or "cluster dump complete") came last. */
int sr_pg_scan_complete(const struct sr_pg_scan *s);
/* Nonzero when the text looked like pg_dump's from its first lines. */
int sr_pg_scan_is_dump(const struct sr_pg_scan *s);
/* Tables in the order they came, as the dump spells them (schema.table, quoted where needed). */
size_t sr_pg_scan_tables(const struct sr_pg_scan *s);
const char *sr_pg_scan_table(const struct sr_pg_scan *s, size_t i, uint64_t *ret_rows);
void sr_pg_scan_free(struct sr_pg_scan *s);

#endif
