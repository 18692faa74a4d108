/* The way of a byte: one input, steps in a fixed order, one or more outlets.
 *
 *     sr_pipeline_new(&opts, &p, &err);
 *     sr_pipeline_add(p, sr_step_count_new(SR_PHASE_RAW), &err);      // takes the step
 *     sr_pipeline_add(p, sr_step_compress_new(...), &err);
 *     ...
 *     sr_pipeline_start(p, &input, &err);
 *     each outlet, on a thread of its own: sr_pipeline_read(p, outlet, ...) until *ret_len == 0
 *     sr_pipeline_finish(p, &err);      // joins; the first failure anywhere
 *     results of steps; sr_pipeline_free(p)
 *
 * Invariants: memory is fixed at sr_pipeline_start (chunks come from a pool and are shared between
 * outlets, not copied: 4.5 MiB for a backup to one store with the default sizes); an outlet sees
 * the clean end only after the input ended cleanly and every step has; phases never go back, so
 * encrypt-before-compress cannot be built; after a failure or cancellation every outlet's read
 * returns the first failure's error. A slow outlet holds the others back by no more than the pool;
 * one that leaves holds back nobody.
 */
#ifndef SR_PIPELINE_PIPELINE_H
#define SR_PIPELINE_PIPELINE_H

#include "core/util/error.h"

#include <stddef.h>
#include <stdint.h>

enum sr_phase {
    /* towards a store */
    SR_PHASE_RAW = 10, /* the dump itself: count, rows */
    SR_PHASE_COMPRESS = 20,
    SR_PHASE_PLAIN = 30, /* compressed plaintext: count, digest in the name */
    SR_PHASE_ENCRYPT = 40,
    SR_PHASE_STORED = 50, /* as stored: count, stored digest */
    /* back from a store */
    SR_PHASE_BACK_STORED = 110,
    SR_PHASE_DECRYPT = 120,
    SR_PHASE_BACK_PLAIN = 130,
    SR_PHASE_DECOMPRESS = 140,
    SR_PHASE_BACK_RAW = 150,
};

/* Where bytes come from. read blocks; SR_OK with *ret_len 0 is the clean end, for which everything
 * that vouches for the bytes (a child's exit status, an end marker) has been checked. interrupt may
 * come from any thread and makes a blocked read return SR_E_CANCELLED soon. */
struct sr_input {
    int (*read)(void *ctx, void *buf, size_t cap, size_t *ret_len, struct sr_error *err);
    void (*interrupt)(void *ctx);
    void *ctx;
};

struct sr_step; /* see step.h */
struct sr_pipeline;

struct sr_pipeline_options {
    size_t chunk_size;  /* bytes; 0: a measured default */
    unsigned queue_len; /* chunks between stages; 0: default */
    unsigned outlets;   /* 1 or more */
};

int sr_pipeline_new(const struct sr_pipeline_options *o, struct sr_pipeline **ret,
                    struct sr_error *err);
/* Takes the step whatever comes back; a NULL step (its constructor failed) is refused with
 * SR_E_NO_MEMORY. SR_E_INTERNAL when its phase goes back. */
int sr_pipeline_add(struct sr_pipeline *p, struct sr_step *step, struct sr_error *err);
/* Asks each step whether it can work (levels, gpg), then starts the threads. *input and what it
 * points to must live until finish. After a failure only sr_pipeline_free remains. */
int sr_pipeline_start(struct sr_pipeline *p, const struct sr_input *input, struct sr_error *err);
/* SR_OK with *ret_len > 0; SR_OK with 0 at the clean end; SR_E_AGAIN after timeout_ms (< 0: wait);
 * else the pipeline's first failure. One thread per outlet. */
int sr_pipeline_read(struct sr_pipeline *p, unsigned outlet, void *buf, size_t cap, int timeout_ms,
                     size_t *ret_len, struct sr_error *err);
/* This outlet reads no more; when the last one leaves and none came to the end, the pipeline is
 * cancelled. Its own thread; twice is fine. */
void sr_pipeline_leave(struct sr_pipeline *p, unsigned outlet);
/* Any thread, at any time until sr_pipeline_free, but no signal handler; why is copied (NULL:
 * SR_E_CANCELLED). The first failure wins, so it is nothing after one. Calls the input's interrupt,
 * which must not call the pipeline. */
void sr_pipeline_cancel(struct sr_pipeline *p, const struct sr_error *why);
/* Waits for all threads; the first failure, or SR_OK when the input was read to its clean end and
 * every step ended well. */
int sr_pipeline_finish(struct sr_pipeline *p, struct sr_error *err);
/* Bytes taken from the input so far; any thread (progress). */
uint64_t sr_pipeline_taken(const struct sr_pipeline *p);
void sr_pipeline_free(
    struct sr_pipeline *p); /* cancels and finishes when that was not done; NULL is fine */

#endif
