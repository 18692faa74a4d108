/* One table's rows into a pg_restore of their own, while the archive that holds them still unpacks.
 *
 *     sr_pg_feed_start(&f->feed, ...)                 // pg_restore of one entry, reading its input
 *     sr_pg_follow_start(f, &where, &stop, &err)
 *     sr_pg_follow_grown(f, size, end) ...            // whenever more of the archive is there
 *     sr_pg_follow_poll(f, 0, &err)                   // SR_E_AGAIN until the rows are in
 *     sr_pg_follow_free(f)
 *
 * The child reads an archive that is made for it: the table of contents, then the block of its
 * table and nothing else, so that it need neither seek nor wait for other tables. A thread copies
 * the block from the unlinked file as it grows there; memory is one piece, whatever the table's
 * size.
 *
 * All calls on one thread, the one that started the feed and lives as long as it (subprocess.h).
 * grown may say less than the truth, never more: bytes below size are in the file and stay as they
 * are, but for the table of contents, which is read by start and not again. */
#ifndef SR_SOURCE_PG_FOLLOW_H
#define SR_SOURCE_PG_FOLLOW_H

#include "core/source/pg_feed.h"

#include <stdint.h>

struct sr_pg_follow;

struct sr_pg_follow_where {
    int fd;            /* the archive; stays the caller's, open until free */
    int id;            /* the entry's number in the archive */
    uint64_t toc_size; /* bytes before the first block */
    uint64_t block_at; /* where its block begins */
};

/* The feed, not started yet, is f->feed's to be: see sr_pg_follow_feed. */
int sr_pg_follow_new(const struct sr_pg_follow_where *w, const struct sr_pg_interrupt *stop,
                     struct sr_pg_follow **ret, struct sr_error *err);
/* Where the caller starts the child. Owned by f. */
struct sr_pg_feed *sr_pg_follow_feed(struct sr_pg_follow *f);
/* Hands the table of contents over (the child reads it at once) and starts the thread. The stop
 * ends it with SR_E_CANCELLED, as it ends every call here. */
int sr_pg_follow_start(struct sr_pg_follow *f, struct sr_error *err);
/* size: bytes of the archive that are there. end: the first byte after the block, 0 while unknown.
 */
void sr_pg_follow_grown(struct sr_pg_follow *f, uint64_t size, uint64_t end);
/* SR_OK once the child has taken the whole block and ended well; SR_E_AGAIN when it goes on after
 * timeout_ms; SR_E_CHILD with its first error; SR_E_IO and such when the archive cannot be read.
 * After SR_OK the answer stays the same. */
int sr_pg_follow_poll(struct sr_pg_follow *f, int timeout_ms, struct sr_error *err);
int sr_pg_follow_id(const struct sr_pg_follow *f);
/* Ends the child if it still runs, and the thread. NULL is fine. */
void sr_pg_follow_free(struct sr_pg_follow *f);

#endif
