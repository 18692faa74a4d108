/* The end of a plain dump: pg_dump's and pg_dumpall's closing words.
 *
 *     struct sr_pg_marker m = {0};
 *     sr_pg_marker_feed(&m, data, len) ...      // any split
 *     sr_pg_marker_seen(&m)
 *
 * Keeps the last bytes only. Judges text alone: whether they stand outside a COPY block is the
 * scanner's to know. */
#ifndef SR_SOURCE_PG_MARKER_H
#define SR_SOURCE_PG_MARKER_H

#include <stddef.h>

#define SR_PG_MARKER_KEEP 512 /* the closing lines, and \unrestrict with its token after them */

struct sr_pg_marker {
    size_t len;
    char tail[SR_PG_MARKER_KEEP];
};

void sr_pg_marker_feed(struct sr_pg_marker *m, const void *data, size_t len);
/* Nonzero when "-- PostgreSQL database dump complete" (or "cluster dump complete") came last;
 * after it may only come its own "--", blank lines and a \unrestrict line. */
int sr_pg_marker_seen(const struct sr_pg_marker *m);

#endif
