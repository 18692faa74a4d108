/* What a step is made of; for core/pipeline alone.
 *
 * A step embeds struct sr_step as its first member and points to a constant table of operations.
 * Life: constructor → start (caller's thread, may refuse) → observe... finish, or run, each on one
 * thread of the pipeline → free. interrupt may come from any thread between start and free.
 */
#ifndef SR_PIPELINE_STEP_PRIVATE_H
#define SR_PIPELINE_STEP_PRIVATE_H

#include "core/pipeline/flow.h"
#include "core/pipeline/step.h"

struct sr_step_ops {
    const char *name;
    /* What can be found wrong before any byte flows; may be NULL. */
    int (*start)(struct sr_step *s, struct sr_error *err);
    /* An observer has observe and perhaps finish; a transformer has run. */
    int (*observe)(struct sr_step *s, const void *data, size_t len, struct sr_error *err);
    int (*finish)(struct sr_step *s, struct sr_error *err);
    /* Takes its input from f to the end and puts its output there. */
    int (*run)(struct sr_step *s, struct sr_flow *f, struct sr_error *err);
    /* Ends what run may be waiting for apart from its flow; may be NULL. */
    void (*interrupt)(struct sr_step *s);
    void (*free)(struct sr_step *s);
    /* An observer that costs next to nothing needs no thread of its own; a transformer that waits
     * for another process has time to spare for the observers after it. */
    int light;
};

struct sr_step {
    const struct sr_step_ops *ops;
    enum sr_phase phase;
    struct sr_step *next;
};

#endif
