#include "config.h"
#include "core/pipeline/step_private.h"

#include <stdlib.h>

struct observe {
    struct sr_step step;
    int (*fn)(void *ctx, const void *data, size_t len, struct sr_error *err);
    int (*finish)(void *ctx, struct sr_error *err);
    void *ctx;
};

static int observe_observe(struct sr_step *s, const void *data, size_t len, struct sr_error *err)
{
    struct observe *o = (struct observe *)s;
    return o->fn(o->ctx, data, len, err);
}

static int observe_finish(struct sr_step *s, struct sr_error *err)
{
    struct observe *o = (struct observe *)s;
    return o->finish ? o->finish(o->ctx, err) : SR_OK;
}

static void observe_free(struct sr_step *s)
{
    free(s);
}

static const struct sr_step_ops observe_ops = {
    .name = "observe", .observe = observe_observe, .finish = observe_finish, .free = observe_free};

struct sr_step *sr_step_observe_new(enum sr_phase phase,
                                    int (*fn)(void *ctx, const void *data, size_t len,
                                              struct sr_error *err),
                                    int (*finish)(void *ctx, struct sr_error *err), void *ctx)
{
    struct observe *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    o->step.ops = &observe_ops;
    o->step.phase = phase;
    o->fn = fn;
    o->finish = finish;
    o->ctx = ctx;
    return &o->step;
}
