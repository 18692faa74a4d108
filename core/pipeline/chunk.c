#include "config.h"
#include "core/pipeline/chunk.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

struct sr_chunk_pool {
    pthread_mutex_t lock;
    struct sr_chunk *free; /* last in, first out */
    struct sr_chunk *chunks;
    void *memory;
    size_t memory_len;
};

int sr_chunk_pool_new(size_t size, size_t count, struct sr_chunk_pool **ret, struct sr_error *err)
{
    /* Lines of 64 bytes, so that two threads never write to one. */
    size_t stride = (size + 63) & ~(size_t)63;
    if (size == 0 || count == 0 || stride < size || count > SIZE_MAX / 2 / stride)
        return sr_fail(err, SR_E_NO_MEMORY, "cannot make a pool of %zu chunks of %zu bytes", count,
                       size);
    struct sr_chunk_pool *p = calloc(1, sizeof *p);
    struct sr_chunk *chunks = calloc(count, sizeof *chunks);
    void *memory =
        mmap(NULL, stride * count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!p || !chunks || memory == MAP_FAILED) {
        free(p);
        free(chunks);
        if (memory != MAP_FAILED)
            (void)munmap(memory, stride * count);
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory for %zu chunks of %zu bytes", count,
                       size);
    }
    pthread_mutex_init(&p->lock, NULL);
    p->chunks = chunks;
    p->memory = memory;
    p->memory_len = stride * count;
    for (size_t i = count; i-- > 0;) {
        chunks[i].data = (unsigned char *)memory + i * stride;
        chunks[i].cap = size;
        chunks[i].pool = p;
        chunks[i].next = p->free;
        p->free = &chunks[i];
    }
    *ret = p;
    return SR_OK;
}

void sr_chunk_pool_free(struct sr_chunk_pool *p)
{
    if (!p)
        return;
    pthread_mutex_destroy(&p->lock);
    (void)munmap(p->memory, p->memory_len);
    free(p->chunks);
    free(p);
}

struct sr_chunk *sr_chunk_get(struct sr_chunk_pool *p)
{
    pthread_mutex_lock(&p->lock);
    struct sr_chunk *c = p->free;
    if (c)
        p->free = c->next;
    pthread_mutex_unlock(&p->lock);
    if (c) {
        c->next = NULL;
        c->len = 0;
        atomic_store(&c->refs, 1);
    }
    return c;
}

void sr_chunk_ref(struct sr_chunk *c, unsigned n)
{
    atomic_fetch_add(&c->refs, n);
}

void sr_chunk_unref(struct sr_chunk *c)
{
    if (!c || atomic_fetch_sub(&c->refs, 1) != 1)
        return;
    struct sr_chunk_pool *p = c->pool;
    pthread_mutex_lock(&p->lock);
    c->next = p->free;
    p->free = c;
    pthread_mutex_unlock(&p->lock);
}
