/* Codecs: compressors and decompressors as state machines over pieces of memory.
 *
 *     struct sr_codec_io io = {.in = ..., .in_len = ..., .out = ..., .out_cap = ..., .eof = ...};
 *     codec->ops->process(codec, &io, err)      // advances in, in_len, out, out_cap
 *     codec->ops->free(codec)
 *
 * process goes on until the input is used up or the output is full; after eof it is called until it
 * sets io->done. Output may be of any size from one byte, input of any from none: the state machine
 * may be split anywhere. A call that neither takes nor gives although both sides have room is a
 * fault, which sr_codec_run refuses, so nothing can loop for ever. One thread.
 */
#ifndef SR_PIPELINE_CODEC_H
#define SR_PIPELINE_CODEC_H

#include "core/pipeline/flow.h"
#include "core/pipeline/step.h"

struct sr_codec_io {
    const unsigned char *in;
    size_t in_len;
    unsigned char *out;
    size_t out_cap;
    int eof;  /* no input after in_len */
    int done; /* set by process: all output was given */
};

struct sr_codec;
struct sr_codec_ops {
    int (*process)(struct sr_codec *c, struct sr_codec_io *io, struct sr_error *err);
    void (*free)(struct sr_codec *c);
};
struct sr_codec {
    const struct sr_codec_ops *ops;
};

/* For process: so much was taken and given. in may be NULL where nothing is left to take, and no
 * step is made from that. */
static inline void sr_codec_advance(struct sr_codec_io *io, size_t taken, size_t given)
{
    if (taken > 0)
        io->in += taken;
    io->in_len -= taken;
    io->out += given;
    io->out_cap -= given;
}

/* Drives a codec from one end of the flow to the other. */
int sr_codec_run(struct sr_codec *c, struct sr_flow *f, struct sr_error *err);
void sr_codec_free(struct sr_codec *c); /* NULL is fine */

/* Constructors: NULL when memory is out. Levels were checked by sr_compress_check. */
struct sr_codec *sr_codec_gzip_zlib_new(int level);
struct sr_codec *sr_codec_gunzip_zlib_new(void);
#ifdef HAVE_ISAL
struct sr_codec *sr_codec_gzip_isal_new(int level); /* ISA-L's own levels, 0 to 3 */
struct sr_codec *sr_codec_gunzip_isal_new(void);
#endif
struct sr_codec *sr_codec_zstd_new(int level, unsigned threads);
struct sr_codec *sr_codec_unzstd_new(void);

/* gunzip by the fastest library that is built in. */
struct sr_codec *sr_codec_gunzip_new(void);

#endif
