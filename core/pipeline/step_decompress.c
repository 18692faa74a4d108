#include "config.h"
#include "core/pipeline/codec.h"
#include "core/pipeline/step_private.h"

#include <stdlib.h>
#include <string.h>

struct decompress {
    struct sr_step step;
    enum sr_compression kind;
};

/* gzip by its two magic bytes; zstd by the magic of a frame or of a skippable one. */
static enum sr_compression kind_of(const unsigned char *b, size_t len)
{
    if (len >= 2 && b[0] == 0x1f && b[1] == 0x8b)
        return SR_COMPRESS_GZIP;
    if (len >= 4 && memcmp(b, "\x28\xb5\x2f\xfd", 4) == 0)
        return SR_COMPRESS_ZSTD;
    if (len >= 4 && (b[0] & 0xf0) == 0x50 && memcmp(b + 1, "\x2a\x4d\x18", 3) == 0)
        return SR_COMPRESS_ZSTD;
    return SR_COMPRESS_NONE;
}

static int decompress_run(struct sr_step *s, struct sr_flow *f, struct sr_error *err)
{
    struct decompress *d = (struct decompress *)s;
    unsigned char magic[4];
    size_t len = 0;
    int rc = sr_flow_peek(f, sizeof magic, magic, &len, err);
    if (rc != SR_OK)
        return rc;
    d->kind = kind_of(magic, len);
    if (d->kind == SR_COMPRESS_NONE)
        return sr_flow_pass(f, err);
    struct sr_codec *c =
        d->kind == SR_COMPRESS_GZIP ? sr_codec_gunzip_new() : sr_codec_unzstd_new();
    if (!c)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory for decompression");
    rc = sr_codec_run(c, f, err);
    sr_codec_free(c);
    return rc;
}

static void decompress_free(struct sr_step *s)
{
    free(s);
}

static const struct sr_step_ops decompress_ops = {
    .name = "decompress", .run = decompress_run, .free = decompress_free};

struct sr_step *sr_step_decompress_new(void)
{
    struct decompress *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->step.ops = &decompress_ops;
    d->step.phase = SR_PHASE_DECOMPRESS;
    return &d->step;
}

enum sr_compression sr_step_decompress_kind(const struct sr_step *s)
{
    return ((const struct decompress *)s)->kind;
}
