#include "config.h"
#include "core/pipeline/codec.h"
#include "core/pipeline/gzip_header.h"

#include <isa-l.h>
#include <limits.h>
#include <stdlib.h>

struct gunzip {
    struct sr_codec codec;
    struct inflate_state z;
    struct sr_gzip_header header;
    int in_header; /* of the member that begins, or may begin, here */
    int begun;     /* some of its header was seen */
    int members;   /* at least one is complete */
};

static int damaged(const struct gunzip *g, const char *what, struct sr_error *err)
{
    return sr_fail(err, SR_E_CORRUPT, "the gzip data is damaged%s: %s",
                   g->members && g->in_header ? " after its end (trailing bytes?)" : "", what);
}

static void member_begin(struct gunzip *g)
{
    isal_inflate_reset(&g->z);
    g->z.crc_flag = ISAL_GZIP_NO_HDR_VER; /* checks CRC and length behind the data */
    g->header = (struct sr_gzip_header){0};
    g->in_header = 1;
    g->begun = 0;
}

/* SR_OK with in_header still set: the input is used up. */
static int read_header(struct gunzip *g, struct sr_codec_io *io, struct sr_error *err)
{
    g->begun = g->begun || io->in_len > 0;
    int rc = sr_gzip_header_feed(&g->header, &io->in, &io->in_len);
    if (rc < 0)
        return damaged(g, "no gzip header", err);
    g->in_header = rc == 0;
    if (!g->in_header || !io->eof)
        return SR_OK;
    if (!g->members || g->begun)
        return sr_fail(err, SR_E_CORRUPT, "the gzip data is cut off");
    io->done = 1;
    return SR_OK;
}

static int read_data(struct gunzip *g, struct sr_codec_io *io, struct sr_error *err)
{
    struct inflate_state *z = &g->z;
    uint32_t in = io->in_len < INT_MAX ? (uint32_t)io->in_len : INT_MAX;
    uint32_t out = io->out_cap < INT_MAX ? (uint32_t)io->out_cap : INT_MAX;
    z->next_in = (uint8_t *)io->in; /* ISA-L reads only */
    z->avail_in = in;
    z->next_out = io->out;
    z->avail_out = out;
    int rc = isal_inflate(z);
    if (rc < 0 || rc == ISAL_NEED_DICT)
        return damaged(
            g, rc == ISAL_INCORRECT_CHECKSUM ? "checksum or length differ" : "invalid deflate data",
            err);
    sr_codec_advance(io, in - z->avail_in, out - z->avail_out);
    if (z->block_state == ISAL_BLOCK_FINISH) {
        g->members = 1;
        member_begin(g);
        io->done = io->eof && io->in_len == 0;
    } else if (io->eof && io->in_len == 0 && io->out_cap > 0) {
        return sr_fail(err, SR_E_CORRUPT, "the gzip data is cut off");
    }
    return SR_OK;
}

static int gunzip_process(struct sr_codec *c, struct sr_codec_io *io, struct sr_error *err)
{
    struct gunzip *g = (struct gunzip *)c;
    if (g->in_header) {
        int rc = read_header(g, io, err);
        if (rc != SR_OK || g->in_header)
            return rc;
    }
    return read_data(g, io, err);
}

static void gunzip_free(struct sr_codec *c)
{
    free(c);
}

static const struct sr_codec_ops gunzip_ops = {gunzip_process, gunzip_free};

struct sr_codec *sr_codec_gunzip_isal_new(void)
{
    struct gunzip *g = aligned_alloc(64, (sizeof *g + 63) & ~(size_t)63);
    if (!g)
        return NULL;
    g->codec.ops = &gunzip_ops;
    g->members = 0;
    isal_inflate_init(&g->z);
    member_begin(g);
    return &g->codec;
}
