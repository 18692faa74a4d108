#include "config.h"
#include "core/pipeline/queue.h"
#include "core/util/clock.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

struct consumer {
    uint64_t next; /* number of the chunk it gets next */
    int left;
};

struct sr_queue {
    pthread_mutex_t lock;
    pthread_cond_t data;  /* a chunk came, the end, an abort */
    pthread_cond_t space; /* the slowest moved on, an abort */
    struct sr_chunk **slots;
    unsigned len;
    uint64_t head; /* chunks pushed so far */
    int producer_waits;
    unsigned consumers_wait;
    int ended;
    int aborted;
    unsigned consumers;
    struct consumer consumer[];
};

int sr_queue_new(unsigned len, unsigned consumers, struct sr_queue **ret, struct sr_error *err)
{
    struct sr_queue *q = calloc(1, sizeof *q + consumers * sizeof q->consumer[0]);
    struct sr_chunk **slots = calloc(len, sizeof *slots);
    if (!q || !slots) {
        free(q);
        free(slots);
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory for a queue of %u chunks", len);
    }
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&q->data, &attr);
    pthread_cond_init(&q->space, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&q->lock, NULL);
    q->slots = slots;
    q->len = len;
    q->consumers = consumers;
    *ret = q;
    return SR_OK;
}

/* Gives back what one consumer has not taken. */
static void drop_rest(struct sr_queue *q, struct consumer *c)
{
    for (; c->next < q->head; c->next++)
        sr_chunk_unref(q->slots[c->next % q->len]);
}

void sr_queue_free(struct sr_queue *q)
{
    if (!q)
        return;
    for (unsigned i = 0; i < q->consumers; i++)
        drop_rest(q, &q->consumer[i]);
    pthread_cond_destroy(&q->data);
    pthread_cond_destroy(&q->space);
    pthread_mutex_destroy(&q->lock);
    free(q->slots);
    free(q);
}

/* Chunks that the slowest consumer still has to take; *ret_active: how many have not left. */
static uint64_t backlog(const struct sr_queue *q, unsigned *ret_active)
{
    uint64_t most = 0;
    unsigned active = 0;
    for (unsigned i = 0; i < q->consumers; i++) {
        if (q->consumer[i].left)
            continue;
        active++;
        if (q->head - q->consumer[i].next > most)
            most = q->head - q->consumer[i].next;
    }
    *ret_active = active;
    return most;
}

int sr_queue_push(struct sr_queue *q, struct sr_chunk *c)
{
    unsigned active = 0;
    pthread_mutex_lock(&q->lock);
    while (!q->aborted && backlog(q, &active) >= q->len) {
        q->producer_waits = 1;
        pthread_cond_wait(&q->space, &q->lock);
    }
    q->producer_waits = 0;
    int aborted = q->aborted;
    if (aborted || active == 0) {
        pthread_mutex_unlock(&q->lock);
        sr_chunk_unref(c);
        return aborted ? SR_E_CANCELLED : SR_OK;
    }
    if (active > 1)
        sr_chunk_ref(c, active - 1);
    q->slots[q->head % q->len] = c;
    q->head++;
    for (unsigned i = 0; i < q->consumers; i++)
        if (q->consumer[i].left)
            q->consumer[i].next = q->head;
    int wake = q->consumers_wait > 0;
    pthread_mutex_unlock(&q->lock);
    if (wake)
        pthread_cond_broadcast(&q->data);
    return SR_OK;
}

void sr_queue_end(struct sr_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->ended = 1;
    pthread_cond_broadcast(&q->data);
    pthread_mutex_unlock(&q->lock);
}

int sr_queue_pop(struct sr_queue *q, unsigned consumer, int timeout_ms, struct sr_chunk **ret)
{
    struct consumer *c = &q->consumer[consumer];
    struct timespec until = {0};
    int late = timeout_ms == 0;
    if (timeout_ms > 0)
        sr_clock_deadline(timeout_ms, &until);
    pthread_mutex_lock(&q->lock);
    while (!q->aborted && !c->left && c->next == q->head && !q->ended && !late) {
        q->consumers_wait++;
        if (timeout_ms < 0)
            pthread_cond_wait(&q->data, &q->lock);
        else
            late = pthread_cond_timedwait(&q->data, &q->lock, &until) != 0;
        q->consumers_wait--;
    }
    int rc = SR_OK;
    if (q->aborted || c->left)
        rc = SR_E_CANCELLED;
    else if (c->next < q->head)
        *ret = q->slots[c->next++ % q->len];
    else if (q->ended)
        *ret = NULL;
    else
        rc = SR_E_AGAIN;
    unsigned active;
    if (rc == SR_OK && q->producer_waits && backlog(q, &active) <= q->len / 2)
        pthread_cond_signal(&q->space);
    pthread_mutex_unlock(&q->lock);
    return rc;
}

unsigned sr_queue_leave(struct sr_queue *q, unsigned consumer)
{
    unsigned active;
    pthread_mutex_lock(&q->lock);
    q->consumer[consumer].left = 1;
    drop_rest(q, &q->consumer[consumer]);
    (void)backlog(q, &active);
    pthread_cond_signal(&q->space);
    pthread_cond_broadcast(&q->data);
    pthread_mutex_unlock(&q->lock);
    return active;
}

void sr_queue_abort(struct sr_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->aborted = 1;
    pthread_cond_broadcast(&q->data);
    pthread_cond_broadcast(&q->space);
    pthread_mutex_unlock(&q->lock);
}
