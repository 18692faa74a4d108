#include "config.h"
#include "core/pipeline/codec.h"

#include <isa-l.h>
#include <limits.h>
#include <stdlib.h>

struct gunzip {
    struct sr_codec codec;
    struct inflate_state z;
    int between; /* a member ended; another may follow, or the end */
    int members;
};

static int damaged(const struct gunzip *g, int rc, struct sr_error *err)
{
    const char *what = "invalid deflate data";
    if (rc == ISAL_INVALID_WRAPPER || rc == ISAL_UNSUPPORTED_METHOD)
        what = "no gzip header";
    else if (rc == ISAL_INCORRECT_CHECKSUM)
        what = "checksum or length differ";
    return sr_fail(err, SR_E_CORRUPT, "the gzip data is damaged%s: %s",
                   g->members > 0 ? " after its end (trailing bytes?)" : "", what);
}

/* Bytes that ISA-L took into its bit buffer belong to what follows a member. It gives them back
 * when it checks the trailer, so that next_in points right behind it. */
static void member_end(struct gunzip *g)
{
    isal_inflate_reset(&g->z);
    g->z.crc_flag = ISAL_GZIP;
    g->between = 1;
    g->members = 1;
}

static int gunzip_process(struct sr_codec *c, struct sr_codec_io *io, struct sr_error *err)
{
    struct gunzip *g = (struct gunzip *)c;
    struct inflate_state *z = &g->z;
    if (g->between && io->in_len == 0) {
        io->done = io->eof;
        return SR_OK;
    }
    g->between = 0;
    uint32_t in = io->in_len < INT_MAX ? (uint32_t)io->in_len : INT_MAX;
    uint32_t out = io->out_cap < INT_MAX ? (uint32_t)io->out_cap : INT_MAX;
    z->next_in = (uint8_t *)io->in; /* ISA-L reads only */
    z->avail_in = in;
    z->next_out = io->out;
    z->avail_out = out;
    int rc = isal_inflate(z);
    if (rc < 0 || rc == ISAL_NEED_DICT)
        return damaged(g, rc, err);
    io->in += in - z->avail_in;
    io->in_len -= in - z->avail_in;
    io->out += out - z->avail_out;
    io->out_cap -= out - z->avail_out;
    if (z->block_state == ISAL_BLOCK_FINISH) {
        member_end(g);
        io->done = io->eof && io->in_len == 0;
        return SR_OK;
    }
    if (io->eof && io->in_len == 0 && io->out_cap > 0)
        return sr_fail(err, SR_E_CORRUPT, "the gzip data is cut off");
    return SR_OK;
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
    g->between = 0;
    isal_inflate_init(&g->z);
    g->z.crc_flag = ISAL_GZIP; /* header, trailer, CRC and length are read and checked */
    return &g->codec;
}
