/* Takes single statements out of a plain dump on its way to psql.
 *
 *     sr_pg_filter_new(SR_FILTER_OWNERS | SR_FILTER_ACLS, emit, ctx, &f, &err);
 *     sr_pg_filter_feed(f, data, len, &err) ...     // calls emit with what stays
 *     sr_pg_filter_end(f, &err);
 *
 * What is always taken out: the dump's own \restrict and \unrestrict lines, and a byte order mark
 * before everything. What the flags add is
 * what pg_dump would have left out: with -O the owners, with -x the grants. Such statements are
 * recognised only where pg_dump puts them, at the beginning of a line and of a statement, never in
 * quotes, function bodies, comments or COPY data. Line ends inside what is taken out are kept, so
 * that psql's line numbers remain those of the dump. A \connect (pg_dump -C, pg_dumpall) fails the
 * feed: it would lead away from the target.
 *
 * Data is handed on from the caller's buffer without a copy; only a statement that might go and is
 * cut by the end of a buffer is kept, at most SR_FILTER_HELD_MAX bytes. Any split of the input
 * gives the same output. One thread at a time.
 */
#ifndef SR_SOURCE_PG_FILTER_H
#define SR_SOURCE_PG_FILTER_H

#include "core/util/error.h"

#include <stddef.h>

#define SR_FILTER_HELD_MAX (1 << 20)

enum sr_pg_filter_flags {
    SR_FILTER_OWNERS = 1 << 0, /* ALTER ... OWNER TO, SET SESSION AUTHORIZATION '...' */
    SR_FILTER_ACLS = 1 << 1,   /* GRANT, REVOKE, ALTER DEFAULT PRIVILEGES */
    /* BEGIN and COMMIT, which pg_dump puts around large objects and which would end the one
     * transaction that the whole restore is to be. */
    SR_FILTER_TRANSACTIONS = 1 << 2,
};

struct sr_pg_filter;
/* Its failure is the feed's. */
typedef int sr_pg_filter_emit(void *ctx, const void *data, size_t len, struct sr_error *err);

int sr_pg_filter_new(unsigned flags, sr_pg_filter_emit *emit, void *ctx, struct sr_pg_filter **ret,
                     struct sr_error *err);
/* SR_E_UNSUPPORTED (\connect), SR_E_CORRUPT (a backslash command where pg_dump writes none; a
 * statement longer than what is held), SR_E_NO_MEMORY, or what emit returned. */
int sr_pg_filter_feed(struct sr_pg_filter *f, const void *data, size_t len, struct sr_error *err);
/* Emits what is still held. */
int sr_pg_filter_end(struct sr_pg_filter *f, struct sr_error *err);
void sr_pg_filter_free(struct sr_pg_filter *f);

#endif
