/* Chunks: fixed pieces of memory that travel through a pipeline and are shared, not copied.
 *
 *     sr_chunk_pool_new(256 << 10, 18, &pool, &err);
 *     struct sr_chunk *c = sr_chunk_get(pool);    // one reference, len 0
 *     ... fill c->data, set c->len ...
 *     sr_chunk_ref(c, 2);                         // for two more readers
 *     sr_chunk_unref(c);                          // each of the three, when done
 *
 * Whoever fills a chunk is alone with it until it is handed on; from then on it is read-only. The
 * pool is one allocation and hands out the chunk that came back last, whose memory is most likely
 * still in a cache; chunks that are never needed are never touched and cost no resident memory.
 * Any thread.
 */
#ifndef SR_PIPELINE_CHUNK_H
#define SR_PIPELINE_CHUNK_H

#include "core/util/error.h"

#include <stdatomic.h>
#include <stddef.h>

struct sr_chunk_pool;

struct sr_chunk {
    unsigned char *data;
    size_t len; /* bytes filled */
    size_t cap;
    /* the pool's own */
    atomic_uint refs;
    struct sr_chunk *next;
    struct sr_chunk_pool *pool;
};

/* count chunks of size bytes each, both at least 1. SR_E_NO_MEMORY. */
int sr_chunk_pool_new(size_t size, size_t count, struct sr_chunk_pool **ret, struct sr_error *err);
/* Every chunk must have come back; NULL is fine. */
void sr_chunk_pool_free(struct sr_chunk_pool *p);

/* An empty chunk with one reference; NULL when all are out. Never blocks: a pipeline's pool is as
 * large as all its queues and threads can hold together. */
struct sr_chunk *sr_chunk_get(struct sr_chunk_pool *p);
void sr_chunk_ref(struct sr_chunk *c, unsigned n);
void sr_chunk_unref(struct sr_chunk *c); /* NULL is fine */

#endif
