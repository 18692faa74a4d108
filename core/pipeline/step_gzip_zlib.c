#include "config.h"
#include "core/pipeline/codec.h"
#include "core/pipeline/gzip_blocks.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

struct gzip {
    struct sr_codec codec;
    z_stream z;
};

static int gzip_process(struct sr_codec *c, struct sr_codec_io *io, struct sr_error *err)
{
    z_stream *z = &((struct gzip *)c)->z;
    uInt in = io->in_len < INT_MAX ? (uInt)io->in_len : INT_MAX;
    uInt out = io->out_cap < INT_MAX ? (uInt)io->out_cap : INT_MAX;
    z->next_in = (Bytef *)io->in; /* zlib reads only */
    z->avail_in = in;
    z->next_out = io->out;
    z->avail_out = out;
    int rc = deflate(z, io->eof && in == io->in_len ? Z_FINISH : Z_NO_FLUSH);
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
        return sr_fail(err, SR_E_INTERNAL, "zlib cannot compress (%d)", rc);
    sr_codec_advance(io, in - z->avail_in, out - z->avail_out);
    io->done = rc == Z_STREAM_END;
    return SR_OK;
}

static void gzip_free(struct sr_codec *c)
{
    (void)deflateEnd(&((struct gzip *)c)->z);
    free(c);
}

static const struct sr_codec_ops gzip_ops = {gzip_process, gzip_free};

struct sr_codec *sr_codec_gzip_zlib_new(int level)
{
    struct gzip *g = calloc(1, sizeof *g);
    /* 15 + 16: the largest window, a gzip header without name and time. */
    if (g && deflateInit2(&g->z, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(g);
        return NULL;
    }
    if (g)
        g->codec.ops = &gzip_ops;
    return g ? &g->codec : NULL;
}

struct deflater {
    struct sr_deflater deflater;
    z_stream z;
};

static int deflater_block(struct sr_deflater *d, const unsigned char *in, size_t len, int last,
                          unsigned char *out, size_t cap, size_t *ret_len)
{
    z_stream *z = &((struct deflater *)d)->z;
    z->next_in = (Bytef *)in;
    z->avail_in = (uInt)len;
    z->next_out = out;
    z->avail_out = (uInt)cap;
    int rc = deflate(z, last ? Z_FINISH : Z_FULL_FLUSH);
    *ret_len = cap - z->avail_out;
    /* A flush is complete only when it left room. */
    int ok = z->avail_in == 0 && z->avail_out > 0 && rc == (last ? Z_STREAM_END : Z_OK);
    (void)deflateReset(z);
    return ok ? 0 : -1;
}

static void deflater_free(struct sr_deflater *d)
{
    (void)deflateEnd(&((struct deflater *)d)->z);
    free(d);
}

struct sr_deflater *sr_deflater_zlib_new(int level)
{
    struct deflater *d = calloc(1, sizeof *d);
    if (d && deflateInit2(&d->z, level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(d);
        return NULL;
    }
    if (!d)
        return NULL;
    d->deflater.block = deflater_block;
    d->deflater.free = deflater_free;
    return &d->deflater;
}
