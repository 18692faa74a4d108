#include "config.h"
#include "core/pipeline/step_private.h"

#include <stdatomic.h>
#include <stdlib.h>

struct count {
    struct sr_step step;
    _Atomic uint64_t bytes; /* read by progress while it grows */
};

static int count_observe(struct sr_step *s, const void *data, size_t len, struct sr_error *err)
{
    (void)data;
    (void)err;
    atomic_fetch_add_explicit(&((struct count *)s)->bytes, len, memory_order_relaxed);
    return SR_OK;
}

static void count_free(struct sr_step *s)
{
    free(s);
}

static const struct sr_step_ops count_ops = {
    .name = "count", .observe = count_observe, .free = count_free, .light = 1};

struct sr_step *sr_step_count_new(enum sr_phase phase)
{
    struct count *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->step.ops = &count_ops;
    c->step.phase = phase;
    return &c->step;
}

uint64_t sr_step_count_result(const struct sr_step *s)
{
    return atomic_load_explicit(&((const struct count *)s)->bytes, memory_order_relaxed);
}
