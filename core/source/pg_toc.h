/* The table of contents of a pg_dump custom archive, read as the bytes pass.
 *
 *     sr_pg_toc_new(&t, &err);
 *     sr_pg_toc_feed(t, data, len) ...      // never fails; sr_pg_toc_state says how far it got
 *     sr_pg_toc_end(t, &err);               // the archive is whole, as far as can be told
 *     for (i = 0; sr_pg_toc_patch(t, i, &p); i++)   pwrite(fd, p.bytes, p.len, p.at);
 *
 * An archive that pg_dump wrote to a pipe does not say where each table's data begins, so that
 * every worker of `pg_restore -j` has to search for it. The blocks are seen anyway while they pass:
 * the patches are the offsets that pg_dump would have filled in, had it been able to seek.
 *
 * Where a table's block lies is known as soon as it begins, so that its rows can be restored while
 * they still arrive (pg_follow.h); the entry is then marked as taken, and its patch says that it
 * has no data: pg_restore passes it over.
 *
 * Knows archive versions 1.12 to 1.16 (pg_dump 9.0 to 18). The input is hostile: any split gives
 * the same result, memory is bounded (32 bytes an entry, at most a million of them), and whatever
 * is not understood leads to no patches at all rather than to wrong ones. One thread at a time.
 */
#ifndef SR_SOURCE_PG_TOC_H
#define SR_SOURCE_PG_TOC_H

#include "core/util/error.h"

#include <stddef.h>
#include <stdint.h>

struct sr_pg_toc;

enum sr_pg_toc_state {
    SR_TOC_READING, /* the table of contents is not complete yet */
    SR_TOC_READ,    /* complete: what follows is data */
    SR_TOC_UNKNOWN, /* not understood; sr_pg_toc_problem says why */
};

int sr_pg_toc_new(struct sr_pg_toc **ret, struct sr_error *err);
void sr_pg_toc_feed(struct sr_pg_toc *t, const void *data, size_t len);
enum sr_pg_toc_state sr_pg_toc_state(const struct sr_pg_toc *t);
/* Bytes from the beginning to the end of the table of contents; 0 until it has been read. */
uint64_t sr_pg_toc_size(const struct sr_pg_toc *t);
/* Why no patches can be given ("archive version 1.17 is not known"), or NULL. A constant or owned
 * by t. */
const char *sr_pg_toc_problem(const struct sr_pg_toc *t);
/* After the last byte. SR_E_CORRUPT when the archive was understood and ends too early, or the data
 * of an entry never came; SR_OK also where nothing can be said. */
int sr_pg_toc_end(const struct sr_pg_toc *t, struct sr_error *err);

struct sr_pg_toc_patch {
    uint64_t at; /* where in the archive */
    size_t len;
    unsigned char bytes[9]; /* a flag and the offset, least byte first */
};

/* The i-th patch: 1, or 0 when there are no more. To be asked after sr_pg_toc_end said SR_OK. */
int sr_pg_toc_patch(const struct sr_pg_toc *t, size_t i, struct sr_pg_toc_patch *ret);

/* The table whose rows are passing now: 1, with its number and where its block begins; 0 between
 * tables, within large objects, and for entries whose offset is set already. */
int sr_pg_toc_passing(const struct sr_pg_toc *t, int *ret_id, uint64_t *ret_at);
/* The first byte after the block of that entry; 0 while it has not passed. */
uint64_t sr_pg_toc_block_end(const struct sr_pg_toc *t, int id);
/* The rows of that entry were restored by somebody else. Nothing for an entry that is not known. */
void sr_pg_toc_taken(struct sr_pg_toc *t, int id);
void sr_pg_toc_free(struct sr_pg_toc *t);

#endif
