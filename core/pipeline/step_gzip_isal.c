#include "config.h"
#include "core/pipeline/codec.h"
#include "core/pipeline/gzip_blocks.h"

#include <isa-l.h>
#include <limits.h>
#include <stdlib.h>

/* Working memory that the caller provides, by level. */
static const uint32_t level_buf_sizes[] = {ISAL_DEF_LVL0_DEFAULT, ISAL_DEF_LVL1_DEFAULT,
                                           ISAL_DEF_LVL2_DEFAULT, ISAL_DEF_LVL3_DEFAULT};

struct gzip {
    struct sr_codec codec;
    struct isal_zstream z;
    uint8_t level_buf[];
};

static int gzip_process(struct sr_codec *c, struct sr_codec_io *io, struct sr_error *err)
{
    struct isal_zstream *z = &((struct gzip *)c)->z;
    uint32_t in = io->in_len < INT_MAX ? (uint32_t)io->in_len : INT_MAX;
    uint32_t out = io->out_cap < INT_MAX ? (uint32_t)io->out_cap : INT_MAX;
    z->next_in = (uint8_t *)io->in; /* ISA-L reads only; its interface lacks the const */
    z->avail_in = in;
    z->next_out = io->out;
    z->avail_out = out;
    z->end_of_stream = io->eof && in == io->in_len;
    int rc = isal_deflate(z);
    if (rc != COMP_OK)
        return sr_fail(err, SR_E_INTERNAL, "ISA-L cannot compress (%d)", rc);
    sr_codec_advance(io, in - z->avail_in, out - z->avail_out);
    io->done = z->internal_state.state == ZSTATE_END;
    return SR_OK;
}

static void gzip_free(struct sr_codec *c)
{
    free(c);
}

static const struct sr_codec_ops gzip_ops = {gzip_process, gzip_free};

struct sr_codec *sr_codec_gzip_isal_new(int level)
{
    uint32_t extra = level_buf_sizes[level];
    struct gzip *g = aligned_alloc(64, (sizeof *g + extra + 63) & ~(size_t)63);
    if (!g)
        return NULL;
    g->codec.ops = &gzip_ops;
    isal_deflate_init(&g->z);
    g->z.level = (uint32_t)level;
    g->z.level_buf = g->level_buf;
    g->z.level_buf_size = extra;
    g->z.gzip_flag = IGZIP_GZIP; /* no name, no time: the same input gives the same file */
    g->z.flush = NO_FLUSH;
    return &g->codec;
}

struct deflater {
    struct sr_deflater deflater;
    uint32_t level;
    uint32_t level_buf_size;
    struct isal_zstream z;
    uint8_t level_buf[];
};

static int deflater_block(struct sr_deflater *d, const unsigned char *in, size_t len, int last,
                          unsigned char *out, size_t cap, size_t *ret_len)
{
    struct deflater *self = (struct deflater *)d;
    struct isal_zstream *z = &self->z;
    isal_deflate_init(z);
    z->level = self->level;
    z->level_buf = self->level_buf;
    z->level_buf_size = self->level_buf_size;
    z->gzip_flag = IGZIP_DEFLATE;
    z->flush = FULL_FLUSH;
    z->end_of_stream = last != 0;
    z->next_in = (uint8_t *)in;
    z->avail_in = (uint32_t)len;
    z->next_out = out;
    z->avail_out = (uint32_t)cap;
    int rc = isal_deflate(z);
    *ret_len = cap - z->avail_out;
    return rc == COMP_OK && z->avail_in == 0 && z->avail_out > 0 ? 0 : -1;
}

static void deflater_free(struct sr_deflater *d)
{
    free(d);
}

struct sr_deflater *sr_deflater_isal_new(int level)
{
    struct deflater *d = aligned_alloc(64, (sizeof *d + level_buf_sizes[level] + 63) & ~(size_t)63);
    if (!d)
        return NULL;
    d->deflater.block = deflater_block;
    d->deflater.free = deflater_free;
    d->level = (uint32_t)level;
    d->level_buf_size = level_buf_sizes[level];
    return &d->deflater;
}
