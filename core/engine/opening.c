#include "config.h"
#include "core/engine/opening.h"
#include "core/engine/object_input.h"
#include "core/pipeline/step.h"

#include <stdlib.h>
#include <string.h>

struct sr_opening {
    struct sr_context *ctx;
    struct sr_opening_options o;
    struct sr_object_input *input;
    struct sr_witness_input *witnessed; /* in front of it; NULL: none */
    struct sr_pipeline *pipeline;
    struct sr_step *stored_count, *stored_sha, *decrypt, *plain_count, *plain_sha, *decompress,
        *raw_count;
    int finished;
    int64_t told; /* when progress was told last; monotonic nanoseconds */
};

static void wake(void *arg)
{
    sr_pipeline_cancel(arg, NULL);
}

static const char *opening_name(const struct sr_opening *op)
{
    return op->o.file ? op->o.file : op->o.key;
}

static int opening_build(struct sr_opening *op, struct sr_error *err)
{
    struct sr_pipeline_options po = {.outlets = 1};
    int rc = sr_pipeline_new(&po, &op->pipeline, err);
    struct sr_pipeline *p = op->pipeline;
    if (rc == SR_OK)
        rc = sr_pipeline_add(p, op->stored_count = sr_step_count_new(SR_PHASE_BACK_STORED), err);
    if (rc == SR_OK)
        rc = sr_pipeline_add(p, op->stored_sha = sr_step_sha256_new(SR_PHASE_BACK_STORED), err);
    if (rc != SR_OK || op->o.depth == SR_OPEN_STORED)
        return rc;
    rc = sr_pipeline_add(p, op->decrypt = sr_step_decrypt_new(op->o.passphrase), err);
    if (rc == SR_OK && op->o.never_ask)
        sr_step_decrypt_never_ask(op->decrypt);
    if (rc == SR_OK)
        rc = sr_pipeline_add(p, op->plain_count = sr_step_count_new(SR_PHASE_BACK_PLAIN), err);
    if (rc == SR_OK)
        rc = sr_pipeline_add(p, op->plain_sha = sr_step_sha256_new(SR_PHASE_BACK_PLAIN), err);
    if (rc != SR_OK || op->o.depth == SR_OPEN_PLAIN)
        return rc;
    rc = sr_pipeline_add(p, op->decompress = sr_step_decompress_new(), err);
    if (rc == SR_OK)
        rc = sr_pipeline_add(p, op->raw_count = sr_step_count_new(SR_PHASE_BACK_RAW), err);
    return rc;
}

/* The input as the pipeline takes it. */
static int opening_input(struct sr_opening *op, const struct sr_input **ret, struct sr_error *err)
{
    const struct sr_opening_options *o = &op->o;
    int rc = o->file ? sr_object_input_file(o->file, &op->input, err)
                     : sr_object_input_store(o->store, o->key, &op->input, err);
    if (rc != SR_OK)
        return rc;
    *ret = sr_object_input_get(op->input);
    if (o->note)
        rc = sr_witness_note(o->note, *ret, &op->witnessed, err);
    else if (o->hold)
        rc = sr_witness_hold(o->hold, *ret, &op->witnessed, err);
    if (rc == SR_OK && op->witnessed)
        *ret = sr_witness_input(op->witnessed);
    return rc;
}

int sr_opening_start(struct sr_context *ctx, const struct sr_opening_options *o,
                     struct sr_opening **ret, struct sr_error *err)
{
    struct sr_opening *op = calloc(1, sizeof *op);
    if (!op)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    op->ctx = ctx;
    op->o = *o;
    const struct sr_input *input = NULL;
    int rc = opening_input(op, &input, err);
    if (rc == SR_OK)
        rc = opening_build(op, err);
    if (rc == SR_OK)
        rc = sr_pipeline_start(op->pipeline, input, err);
    if (rc != SR_OK) {
        sr_pipeline_free(op->pipeline);
        sr_witness_input_free(op->witnessed);
        sr_object_input_free(op->input);
        free(op);
        return rc;
    }
    sr_context_on_cancel(ctx, wake, op->pipeline);
    *ret = op;
    return SR_OK;
}

/* What the manifest names and the store does not have is damage, not a backup that never was. */
static int reading_failed(const struct sr_opening *op, int rc, struct sr_error *err)
{
    if (rc == SR_E_NOT_FOUND && op->o.expect) {
        rc = SR_E_CORRUPT;
        if (err)
            err->code = rc;
    }
    sr_error_wrap(err, "reading %s", opening_name(op));
    return rc;
}

int sr_opening_read(struct sr_opening *op, void *buf, size_t cap, size_t *ret_len,
                    struct sr_error *err)
{
    uint64_t total = op->o.expect ? op->o.expect->size : sr_object_input_size(op->input);
    int64_t now = sr_clock_monotonic(op->ctx->clock);
    if (now - op->told > 200000000) {
        op->told = now;
        sr_context_progress(op->ctx, op->o.what, sr_pipeline_taken(op->pipeline), total);
    }
    int rc = sr_context_check(op->ctx, err);
    if (rc == SR_OK)
        rc = sr_pipeline_read(op->pipeline, 0, buf, cap, -1, ret_len, err);
    if (rc != SR_OK && sr_context_check(op->ctx, NULL) != SR_OK)
        return sr_context_check(op->ctx, err);
    return rc == SR_OK ? SR_OK : reading_failed(op, rc, err);
}

/* One of the two comparisons that a manifest allows. */
static int compare(const struct sr_opening *op, const char *which, uint64_t want_size,
                   const char *want_sha, uint64_t size, const char *sha, struct sr_error *err)
{
    if (*want_sha && strcmp(want_sha, sha) != 0)
        return sr_fail(
            err, SR_E_CORRUPT,
            "%s is damaged: its %s bytes (%llu) have SHA-256 %s, the manifest says %llu and %s; "
            "use another copy or another backup",
            opening_name(op), which, (unsigned long long)size, sha, (unsigned long long)want_size,
            want_sha);
    if (*want_sha && want_size != size)
        return sr_fail(err, SR_E_CORRUPT, "%s is damaged: %llu %s bytes, the manifest says %llu",
                       opening_name(op), (unsigned long long)size, which,
                       (unsigned long long)want_size);
    return SR_OK;
}

int sr_opening_end(struct sr_opening *op, struct sr_error *err)
{
    sr_context_off_cancel(op->ctx, wake, op->pipeline);
    op->finished = 1;
    int rc = sr_pipeline_finish(op->pipeline, err);
    if (rc != SR_OK)
        return reading_failed(op, rc, err);
    const struct sr_manifest_object *e = op->o.expect;
    struct sr_opening_seen seen;
    sr_opening_seen(op, &seen);
    if (e)
        rc = compare(op, "stored", e->size, e->sha256, seen.stored_size, seen.stored_sha256, err);
    if (rc == SR_OK && e && op->o.depth != SR_OPEN_STORED)
        rc = compare(op, "decrypted", e->plain_size, e->plain_sha256, seen.plain_size,
                     seen.plain_sha256, err);
    return rc;
}

void sr_opening_seen(const struct sr_opening *op, struct sr_opening_seen *ret)
{
    *ret = (struct sr_opening_seen){0};
    ret->stored_size = sr_step_count_result(op->stored_count);
    sr_step_sha256_result(op->stored_sha, ret->stored_sha256);
    if (op->o.depth == SR_OPEN_STORED)
        return;
    ret->was_encrypted = sr_step_decrypt_was_encrypted(op->decrypt);
    ret->plain_size = sr_step_count_result(op->plain_count);
    sr_step_sha256_result(op->plain_sha, ret->plain_sha256);
    if (op->o.depth == SR_OPEN_PLAIN)
        return;
    ret->compression = (int)sr_step_decompress_kind(op->decompress);
    ret->raw_size = sr_step_count_result(op->raw_count);
}

void sr_opening_free(struct sr_opening *op)
{
    if (!op)
        return;
    if (!op->finished)
        sr_context_off_cancel(op->ctx, wake, op->pipeline);
    sr_pipeline_free(op->pipeline);
    sr_witness_input_free(op->witnessed);
    sr_object_input_free(op->input);
    free(op);
}
