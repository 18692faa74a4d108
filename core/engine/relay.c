#include "config.h"
#include "core/engine/relay.h"
#include "core/engine/object_input.h"
#include "core/pipeline/pipeline.h"
#include "core/pipeline/step.h"

#include <string.h>

struct relay {
    const struct sr_relay *r;
    struct sr_pipeline *pipeline;
    struct sr_step *sha, *count;
};

static int feed(void *ctx, const void *data, size_t len, struct sr_error *err)
{
    (void)ctx;
    (void)data;
    (void)len;
    (void)err;
    return SR_OK;
}

/* Before the other side sees the end. */
static int finish(void *ctx, struct sr_error *err)
{
    const struct relay *y = ctx;
    char sha[SR_SHA256_HEX];
    uint64_t size = sr_step_count_result(y->count);
    sr_step_sha256_result(y->sha, sha);
    const char *store = sr_store_name(sr_store_ro(y->r->from));
    if (size != y->r->size)
        return sr_fail(err, SR_E_CORRUPT, "store %s: %s has %llu bytes where there should be %llu",
                       store, y->r->key, (unsigned long long)size, (unsigned long long)y->r->size);
    if (strcmp(sha, y->r->sha256) != 0)
        return sr_fail(err, SR_E_CORRUPT, "store %s: %s is damaged: its digest is %s, not %s",
                       store, y->r->key, sha, y->r->sha256);
    return SR_OK;
}

static int build(struct relay *y, struct sr_error *err)
{
    const struct sr_pipeline_options po = {.outlets = 1};
    int rc = sr_pipeline_new(&po, &y->pipeline, err);
    if (rc == SR_OK)
        rc = sr_pipeline_add(y->pipeline, y->count = sr_step_count_new(SR_PHASE_BACK_STORED), err);
    if (rc == SR_OK)
        rc = sr_pipeline_add(y->pipeline, y->sha = sr_step_sha256_new(SR_PHASE_BACK_STORED), err);
    if (rc == SR_OK)
        rc = sr_pipeline_add(y->pipeline,
                             sr_step_observe_new(SR_PHASE_BACK_STORED, feed, finish, y), err);
    return rc;
}

static int pull(void *ctx, void *buf, size_t cap, int timeout_ms, size_t *ret_len,
                struct sr_error *err)
{
    struct relay *y = ctx;
    int rc = sr_pipeline_read(y->pipeline, 0, buf, cap, timeout_ms, ret_len, err);
    sr_context_progress(y->r->ctx, y->r->key, sr_pipeline_taken(y->pipeline), y->r->size);
    return rc;
}

static void wake(void *pipeline)
{
    sr_pipeline_cancel(pipeline, NULL);
}

int sr_relay_run(const struct sr_relay *r, const struct sr_store_object *object,
                 struct sr_store_rw *to, struct sr_store_saved *ret, struct sr_error *err)
{
    struct relay y = {.r = r};
    struct sr_object_input *in = NULL;
    struct sr_store_object o = *object;
    o.size_hint = r->size;
    int rc = build(&y, err);
    if (rc == SR_OK)
        rc = sr_object_input_store(r->from, r->key, &in, err);
    if (rc == SR_OK)
        rc = sr_pipeline_start(y.pipeline, sr_object_input_get(in), err);
    if (rc == SR_OK) {
        sr_context_on_cancel(r->ctx, wake, y.pipeline);
        rc = sr_store_save(to, &o, pull, &y, ret, err);
        sr_context_off_cancel(r->ctx, wake, y.pipeline);
    }
    if (rc != SR_OK && sr_context_check(r->ctx, NULL) != SR_OK)
        rc = sr_context_check(r->ctx, err);
    sr_pipeline_free(y.pipeline);
    sr_object_input_free(in);
    return rc;
}
