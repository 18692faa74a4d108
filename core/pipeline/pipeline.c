#include "config.h"
#include "core/pipeline/pipeline.h"

#include "core/pipeline/chunk.h"
#include "core/pipeline/flow.h"
#include "core/pipeline/queue.h"
#include "core/pipeline/stage.h"
#include "core/pipeline/step_private.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Measured on two cores over 315 MB, gzip and encryption on (tests/bench/bench_pipeline backup):
 * the processor time is the same within 5 % from 128 KiB to 1 MiB; what differs are context
 * switches (64 KiB x 4: 8055, 128 x 4: 4153, 256 x 4: 2880, 512 x 4: 3046) and memory (256 x 4
 * keeps the whole process at 18 MiB, 1024 x 8 at 29). */
#define DEFAULT_CHUNK (256u << 10)
#define DEFAULT_QUEUE 4u

/* One reader of the result. Used by its own thread alone, but for `state` under the lock. */
struct outlet {
    struct sr_chunk *chunk; /* being read */
    size_t at;
    enum { OUTLET_ACTIVE, OUTLET_ENDED, OUTLET_LEFT } state;
};

struct sr_pipeline {
    struct sr_pipeline_options options;
    struct sr_step *steps, **last;
    struct sr_chunk_pool *pool;
    struct sr_stage *stages;
    size_t stages_len;
    struct outlet *outlets;
    const struct sr_input *input;
    _Atomic uint64_t taken;
    pthread_mutex_t lock; /* failed, first, outlets' state */
    int failed;
    struct sr_error first;
    /* Held while interrupt of input and steps runs, so that neither goes away meanwhile. */
    pthread_mutex_t interrupting;
    int started, finished;
};

int sr_pipeline_new(const struct sr_pipeline_options *o, struct sr_pipeline **ret,
                    struct sr_error *err)
{
    if (o->outlets == 0)
        return sr_fail(err, SR_E_INTERNAL, "a pipeline needs an outlet");
    struct sr_pipeline *p = calloc(1, sizeof *p);
    struct outlet *outlets = calloc(o->outlets, sizeof *outlets);
    if (!p || !outlets) {
        free(p);
        free(outlets);
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory for a pipeline");
    }
    p->options = *o;
    if (p->options.chunk_size == 0)
        p->options.chunk_size = DEFAULT_CHUNK;
    if (p->options.queue_len == 0)
        p->options.queue_len = DEFAULT_QUEUE;
    p->outlets = outlets;
    p->last = &p->steps;
    pthread_mutex_init(&p->lock, NULL);
    pthread_mutex_init(&p->interrupting, NULL);
    *ret = p;
    return SR_OK;
}

int sr_pipeline_add(struct sr_pipeline *p, struct sr_step *step, struct sr_error *err)
{
    if (!step)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory for a step of the pipeline");
    enum sr_phase phase = step->phase;
    int back = 0;
    for (const struct sr_step *s = p->steps; s; s = s->next)
        back = back || s->phase > phase;
    if (back || p->started) {
        const char *name = step->ops->name;
        step->ops->free(step);
        return sr_fail(err, SR_E_INTERNAL, "the step %s (phase %d) comes too late", name,
                       (int)phase);
    }
    *p->last = step;
    p->last = &step->next;
    return SR_OK;
}

static void interrupt_all(struct sr_pipeline *p)
{
    pthread_mutex_lock(&p->interrupting);
    if (p->started && !p->finished) {
        for (size_t i = 0; i < p->stages_len; i++)
            sr_queue_abort(p->stages[i].flow.out);
        if (p->input->interrupt)
            p->input->interrupt(p->input->ctx);
        for (struct sr_step *s = p->steps; s; s = s->next)
            if (s->ops->interrupt)
                s->ops->interrupt(s);
    }
    pthread_mutex_unlock(&p->interrupting);
}

/* Only the first failure is kept and interrupts; those it causes come here too and are dropped. */
static void pipeline_fail(struct sr_pipeline *p, const struct sr_error *why)
{
    pthread_mutex_lock(&p->lock);
    int is_first = !p->failed;
    if (is_first) {
        p->failed = 1;
        p->first = *why;
    }
    pthread_mutex_unlock(&p->lock);
    if (is_first)
        interrupt_all(p);
}

/* SR_OK, or the first failure. */
static int pipeline_state(struct sr_pipeline *p, struct sr_error *err)
{
    int rc = SR_OK;
    pthread_mutex_lock(&p->lock);
    if (p->failed)
        rc = sr_error_copy(err, &p->first);
    pthread_mutex_unlock(&p->lock);
    return rc;
}

/* Reads into the chunk that goes out next; there is no copy between a pipe and the compressor. */
static int read_input(struct sr_pipeline *p, struct sr_flow *f, struct sr_error *err)
{
    for (;;) {
        unsigned char *out = NULL;
        size_t cap = 0, n = 0;
        int rc = sr_flow_room(f, &out, &cap, err);
        if (rc == SR_OK)
            rc = p->input->read(p->input->ctx, out, cap, &n, err);
        if (rc != SR_OK || n == 0)
            return rc;
        if (n > cap)
            return sr_fail(err, SR_E_INTERNAL, "the input gave %zu bytes where %zu fit", n, cap);
        atomic_fetch_add_explicit(&p->taken, n, memory_order_relaxed);
        rc = sr_flow_put(f, n, err);
        if (rc != SR_OK)
            return rc;
    }
}

static void stage_run(void *ctx, struct sr_stage *st)
{
    struct sr_pipeline *p = ctx;
    struct sr_error err = SR_ERROR_INIT;
    int rc;
    if (!st->flow.in)
        rc = read_input(p, &st->flow, &err);
    else if (st->step)
        rc = st->step->ops->run(st->step, &st->flow, &err);
    else
        rc = sr_flow_pass(&st->flow, &err);
    if (rc == SR_OK && st->flow.in && !st->flow.in_ended)
        rc = sr_fail(&err, SR_E_INTERNAL, "the step %s ended before its input did",
                     st->step ? st->step->ops->name : "observer");
    if (rc == SR_OK)
        rc = sr_flow_end(&st->flow, &err);
    sr_flow_done(&st->flow);
    if (rc != SR_OK) {
        err.code = rc;
        pipeline_fail(p, &err);
    }
}

int sr_pipeline_start(struct sr_pipeline *p, const struct sr_input *input, struct sr_error *err)
{
    if (p->started)
        return sr_fail(err, SR_E_INTERNAL, "the pipeline was started before");
    for (struct sr_step *s = p->steps; s; s = s->next) {
        int rc = s->ops->start ? s->ops->start(s, err) : SR_OK;
        if (rc != SR_OK)
            return rc;
    }
    int rc = sr_stages_plan(p->steps, &p->stages, &p->stages_len, err);
    if (rc != SR_OK)
        return rc;
    /* What all queues and threads can hold together: sr_chunk_get then never fails. */
    size_t chunks = 0;
    for (size_t i = 0; rc == SR_OK && i < p->stages_len; i++) {
        unsigned readers = i + 1 == p->stages_len ? p->options.outlets : 1;
        rc = sr_queue_new(p->options.queue_len, readers, &p->stages[i].flow.out, err);
        if (i + 1 < p->stages_len)
            p->stages[i + 1].flow.in = p->stages[i].flow.out;
        chunks += p->options.queue_len + readers + 1;
    }
    if (rc == SR_OK)
        rc = sr_chunk_pool_new(p->options.chunk_size, chunks, &p->pool, err);
    if (rc != SR_OK)
        return rc;
    for (size_t i = 0; i < p->stages_len; i++)
        p->stages[i].flow.pool = p->pool;
    p->input = input;
    pthread_mutex_lock(&p->interrupting);
    p->started = 1;
    pthread_mutex_unlock(&p->interrupting);
    /* A cancellation that came before the start found nothing to interrupt. */
    rc = pipeline_state(p, err);
    if (rc == SR_OK)
        rc = sr_stages_start(p->stages, p->stages_len, stage_run, p, err);
    if (rc != SR_OK) {
        struct sr_error why = SR_ERROR_INIT;
        sr_fail(&why, rc, "%s", err ? err->text : "the pipeline could not be started");
        pipeline_fail(p, &why);
        (void)sr_pipeline_finish(p, NULL);
    }
    return rc;
}

/* The outlet's next chunk; SR_OK with o->chunk NULL at the end. */
static int outlet_next(struct sr_pipeline *p, unsigned number, int timeout_ms, struct sr_error *err)
{
    struct outlet *o = &p->outlets[number];
    struct sr_queue *q = p->stages[p->stages_len - 1].flow.out;
    sr_chunk_unref(o->chunk);
    o->chunk = NULL;
    o->at = 0;
    int rc = sr_queue_pop(q, number, timeout_ms, &o->chunk);
    if (rc == SR_E_AGAIN)
        return sr_fail(err, rc, "nothing came within %d ms", timeout_ms);
    if (rc != SR_OK) {
        /* Aborted (the failure is recorded before any queue is), or read after leaving. */
        rc = pipeline_state(p, err);
        return rc != SR_OK ? rc : sr_fail(err, SR_E_CANCELLED, "the outlet was left");
    }
    if (!o->chunk) {
        pthread_mutex_lock(&p->lock);
        if (o->state == OUTLET_ACTIVE)
            o->state = OUTLET_ENDED;
        pthread_mutex_unlock(&p->lock);
    }
    return SR_OK;
}

int sr_pipeline_read(struct sr_pipeline *p, unsigned outlet, void *buf, size_t cap, int timeout_ms,
                     size_t *ret_len, struct sr_error *err)
{
    if (outlet >= p->options.outlets || cap == 0 || !p->started)
        return sr_fail(err, SR_E_INTERNAL, "outlet %u cannot be read", outlet);
    struct outlet *o = &p->outlets[outlet];
    int rc = pipeline_state(p, err);
    if (rc == SR_OK && (!o->chunk || o->at == o->chunk->len))
        rc = outlet_next(p, outlet, timeout_ms, err);
    if (rc != SR_OK)
        return rc;
    size_t n = 0;
    if (o->chunk) {
        n = o->chunk->len - o->at < cap ? o->chunk->len - o->at : cap;
        memcpy(buf, o->chunk->data + o->at, n);
        o->at += n;
    }
    *ret_len = n;
    return SR_OK;
}

void sr_pipeline_leave(struct sr_pipeline *p, unsigned outlet)
{
    if (outlet >= p->options.outlets)
        return;
    struct outlet *o = &p->outlets[outlet];
    int nobody = 1;
    pthread_mutex_lock(&p->lock);
    if (o->state == OUTLET_ACTIVE)
        o->state = OUTLET_LEFT;
    for (unsigned i = 0; i < p->options.outlets; i++)
        nobody = nobody && p->outlets[i].state == OUTLET_LEFT;
    pthread_mutex_unlock(&p->lock);
    sr_chunk_unref(o->chunk);
    o->chunk = NULL;
    if (p->started)
        (void)sr_queue_leave(p->stages[p->stages_len - 1].flow.out, outlet);
    if (nobody) {
        struct sr_error why = SR_ERROR_INIT;
        sr_fail(&why, SR_E_CANCELLED, "nobody reads the result any more");
        pipeline_fail(p, &why);
    }
}

void sr_pipeline_cancel(struct sr_pipeline *p, const struct sr_error *why)
{
    struct sr_error cancelled = SR_ERROR_INIT;
    if (!why || why->code == SR_OK) {
        sr_fail(&cancelled, SR_E_CANCELLED, "cancelled");
        why = &cancelled;
    }
    pipeline_fail(p, why);
}

int sr_pipeline_finish(struct sr_pipeline *p, struct sr_error *err)
{
    if (!p->started) {
        int rc = pipeline_state(p, err);
        return rc != SR_OK ? rc : sr_fail(err, SR_E_INTERNAL, "the pipeline was not started");
    }
    if (!p->finished)
        sr_stages_join(p->stages, p->stages_len);
    pthread_mutex_lock(&p->interrupting);
    p->finished = 1;
    pthread_mutex_unlock(&p->interrupting);
    return pipeline_state(p, err);
}

uint64_t sr_pipeline_taken(const struct sr_pipeline *p)
{
    return atomic_load_explicit(&p->taken, memory_order_relaxed);
}

void sr_pipeline_free(struct sr_pipeline *p)
{
    if (!p)
        return;
    if (p->started && !p->finished) {
        sr_pipeline_cancel(p, NULL);
        (void)sr_pipeline_finish(p, NULL);
    }
    for (unsigned i = 0; i < p->options.outlets; i++)
        sr_chunk_unref(p->outlets[i].chunk);
    for (size_t i = 0; i < p->stages_len; i++)
        sr_queue_free(p->stages[i].flow.out);
    sr_chunk_pool_free(p->pool);
    for (struct sr_step *s = p->steps, *next; s; s = next) {
        next = s->next;
        s->ops->free(s);
    }
    free(p->stages);
    free(p->outlets);
    pthread_mutex_destroy(&p->lock);
    pthread_mutex_destroy(&p->interrupting);
    free(p);
}
