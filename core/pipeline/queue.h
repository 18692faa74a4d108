/* A bounded queue of chunks: one producer, one or more consumers that each see every chunk.
 *
 *     sr_queue_new(4, 2, &q, &err);
 *     producer: sr_queue_push(q, chunk) ... sr_queue_end(q)
 *     consumer i: sr_queue_pop(q, i, -1, &chunk) until chunk is NULL; sr_chunk_unref(chunk) each
 *     sr_queue_abort(q)      // any thread: everybody wakes and gets SR_E_CANCELLED
 *     sr_queue_free(q)       // when no thread uses it any more
 *
 * The producer waits while the slowest consumer that has not left is `len` chunks behind, and is
 * woken when half of that is free again, so that the two sides do not take turns chunk by chunk.
 */
#ifndef SR_PIPELINE_QUEUE_H
#define SR_PIPELINE_QUEUE_H

#include "core/pipeline/chunk.h"

struct sr_queue;

/* len and consumers are at least 1. SR_E_NO_MEMORY. */
int sr_queue_new(unsigned len, unsigned consumers, struct sr_queue **ret, struct sr_error *err);
/* Gives back the chunks that are still queued; NULL is fine. */
void sr_queue_free(struct sr_queue *q);

/* Takes the caller's reference whatever comes back. SR_OK, or SR_E_CANCELLED after an abort. With
 * no consumer left, chunks are dropped. */
int sr_queue_push(struct sr_queue *q, struct sr_chunk *c);
/* The clean end: consumers get NULL once they have had every chunk. */
void sr_queue_end(struct sr_queue *q);
/* SR_OK with a chunk (the caller's reference) or NULL at the end; SR_E_AGAIN when timeout_ms passed
 * (< 0: no limit); SR_E_CANCELLED after an abort, even when chunks are queued. */
int sr_queue_pop(struct sr_queue *q, unsigned consumer, int timeout_ms, struct sr_chunk **ret);
/* This consumer pops no more. Returns how many remain. Leaving twice is fine. */
unsigned sr_queue_leave(struct sr_queue *q, unsigned consumer);
void sr_queue_abort(struct sr_queue *q);

#endif
