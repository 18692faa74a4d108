#include "config.h"
#include "core/engine/transfer.h"
#include "core/pipeline/step.h"

#include <string.h>

struct memory_input {
    const char *data;
    size_t left;
};

static int memory_read(void *ctx, void *buf, size_t cap, size_t *ret_len, struct sr_error *err)
{
    struct memory_input *m = ctx;
    (void)err;
    size_t n = m->left < cap ? m->left : cap;
    memcpy(buf, m->data, n);
    m->data += n;
    m->left -= n;
    *ret_len = n;
    return SR_OK;
}

static void memory_interrupt(void *ctx)
{
    (void)ctx; /* never blocks */
}

int sr_transfer_seal(const struct sr_protection *p, const void *data, size_t len,
                     struct sr_buf *out, struct sr_error *err)
{
    struct sr_pipeline *pipe = NULL;
    struct memory_input m = {data, len};
    struct sr_input input = {memory_read, memory_interrupt, &m};
    struct sr_pipeline_options po = {.outlets = 1};
    struct sr_compress_options gz = {.kind = SR_COMPRESS_GZIP};
    char buf[16384];
    size_t n = 1;
    int rc = sr_pipeline_new(&po, &pipe, err);
    if (rc == SR_OK)
        rc = sr_pipeline_add(pipe, sr_step_compress_new(&gz), err);
    if (rc == SR_OK && sr_protection_encrypts(p))
        rc = sr_pipeline_add(pipe, sr_step_encrypt_new(p->recipients, p->passphrase), err);
    if (rc == SR_OK)
        rc = sr_pipeline_start(pipe, &input, err);
    while (rc == SR_OK && n > 0) {
        rc = sr_pipeline_read(pipe, 0, buf, sizeof buf, -1, &n, err);
        if (rc == SR_OK && sr_buf_add(out, buf, n) != SR_OK)
            rc = sr_fail(err, SR_E_NO_SPACE, "the detail of this set is larger than %zu bytes",
                         out->max);
    }
    if (rc == SR_OK)
        rc = sr_pipeline_finish(pipe, err);
    sr_pipeline_free(pipe);
    return rc;
}
