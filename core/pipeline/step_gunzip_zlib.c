#include "config.h"
#include "core/pipeline/codec.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

struct gunzip {
    struct sr_codec codec;
    z_stream z;
    int between; /* a member ended; another may follow, or the end */
    int members;
};

static int gunzip_process(struct sr_codec *c, struct sr_codec_io *io, struct sr_error *err)
{
    struct gunzip *g = (struct gunzip *)c;
    z_stream *z = &g->z;
    if (g->between && io->in_len == 0) {
        io->done = io->eof;
        return SR_OK;
    }
    uInt in = io->in_len < INT_MAX ? (uInt)io->in_len : INT_MAX;
    uInt out = io->out_cap < INT_MAX ? (uInt)io->out_cap : INT_MAX;
    z->next_in = (Bytef *)io->in; /* zlib reads only */
    z->avail_in = in;
    z->next_out = io->out;
    z->avail_out = out;
    int rc = inflate(z, Z_NO_FLUSH); /* checks CRC and length at the end of a member */
    if (rc == Z_MEM_ERROR)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory for decompression");
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
        return sr_fail(err, SR_E_CORRUPT, "the gzip data is damaged%s: %s",
                       g->members > 0 ? " after its end (trailing bytes?)" : "",
                       z->msg ? z->msg : "invalid stream");
    sr_codec_advance(io, in - z->avail_in, out - z->avail_out);
    g->between = rc == Z_STREAM_END;
    if (g->between) {
        (void)inflateReset(z);
        g->members = 1;
        io->done = io->eof && io->in_len == 0;
        return SR_OK;
    }
    if (io->eof && io->in_len == 0 && io->out_cap > 0)
        return sr_fail(err, SR_E_CORRUPT, "the gzip data is cut off");
    return SR_OK;
}

static void gunzip_free(struct sr_codec *c)
{
    (void)inflateEnd(&((struct gunzip *)c)->z);
    free(c);
}

static const struct sr_codec_ops gunzip_ops = {gunzip_process, gunzip_free};

struct sr_codec *sr_codec_gunzip_zlib_new(void)
{
    struct gunzip *g = calloc(1, sizeof *g);
    if (g && inflateInit2(&g->z, 15 + 16) != Z_OK) {
        free(g);
        return NULL;
    }
    if (g)
        g->codec.ops = &gunzip_ops;
    return g ? &g->codec : NULL;
}
