/* gzip on several threads: blocks compressed apart, one ordinary member.
 *
 * Each block of input becomes raw deflate data that ends on a byte border (full flush) and refers
 * to nothing before it; put one after the other, with one header and the combined CRC, they are a
 * file like any other. What comes out depends on level and input alone, never on the number of
 * threads above one or on their timing.
 */
#ifndef SR_PIPELINE_GZIP_BLOCKS_H
#define SR_PIPELINE_GZIP_BLOCKS_H

#include "core/pipeline/flow.h"

/* Compresses single blocks; one per worker, used by its thread alone. */
struct sr_deflater {
    /* Raw deflate of all of in; nonzero when it failed or did not fit. last ends the stream. */
    int (*block)(struct sr_deflater *d, const unsigned char *in, size_t len, int last,
                 unsigned char *out, size_t cap, size_t *ret_len);
    void (*free)(struct sr_deflater *d);
};

struct sr_deflater *sr_deflater_zlib_new(int level); /* NULL: no memory */
#ifdef HAVE_ISAL
struct sr_deflater *sr_deflater_isal_new(int level);
#endif

/* Runs to the end of the flow with `threads` workers (2 or more) beside the calling thread. Holds
 * threads + 2 blocks of input and output, about 1.1 MiB each. */
int sr_gzip_blocks_run(int level, int isal, unsigned threads, struct sr_flow *f,
                       struct sr_error *err);

#endif
