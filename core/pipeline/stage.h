/* Stages: which steps share a thread, and the threads.
 *
 *     sr_stages_plan(steps, &stages, &n, &err);    // then the caller gives each its queues
 *     sr_stages_start(stages, n, run, ctx, &err);  // run(ctx, stage), one thread each
 *     sr_stages_join(stages, n);
 *
 * The rule: the reader has a thread, and so has each transformer. Observers run where a chunk is
 * consumed, because the stage after a busy transformer has time to spare: those in front of the
 * first transformer with the reader (which mostly waits for a pipe), those between two transformers
 * with the second, those after the last with it when it mostly waits for gpg, otherwise on a thread
 * of their own unless all are light.
 */
#ifndef SR_PIPELINE_STAGE_H
#define SR_PIPELINE_STAGE_H

#include "core/pipeline/flow.h"

#include <pthread.h>

struct sr_stage {
    struct sr_step *step; /* a transformer, or NULL: the reader, or observers alone */
    struct sr_flow flow;
    /* the threads' own */
    pthread_t thread;
    int running;
    void (*run)(void *ctx, struct sr_stage *st);
    void *ctx;
};

/* At least the reader. *ret is malloc'd; steps stay the caller's. SR_E_NO_MEMORY. */
int sr_stages_plan(struct sr_step *steps, struct sr_stage **ret, size_t *ret_len,
                   struct sr_error *err);
/* When one cannot be started, those before it run and must be ended and joined by the caller. The
 * threads take no signals, so that a handler never runs in one. */
int sr_stages_start(struct sr_stage *stages, size_t n, void (*run)(void *ctx, struct sr_stage *st),
                    void *ctx, struct sr_error *err);
void sr_stages_join(struct sr_stage *stages, size_t n);

#endif
