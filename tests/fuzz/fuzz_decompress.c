/* Decompression of hostile bytes: gzip by every library that is built in, zstd, and the step's own
 * headers. The first byte chooses the codec and how input and output are cut. Beyond not crashing:
 * where ISA-L and zlib both come to a clean end, they agree on every byte.
 */
#include "config.h"
#include "core/pipeline/codec.h"
#include "core/pipeline/openpgp.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OUT_MAX ((size_t)1 << 20) /* enough to find faults; a bomb is only longer */

struct result {
    int rc;
    int whole;
    size_t len;
    unsigned char *bytes;
};

static void drive(struct sr_codec *c, const uint8_t *in, size_t len, size_t in_piece,
                  size_t out_piece, struct result *r)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_codec_io io = {0};
    size_t at = 0;
    *r = (struct result){.bytes = malloc(OUT_MAX)};
    if (!c || !r->bytes)
        abort();
    while (r->rc == SR_OK && !io.done && r->len < OUT_MAX) {
        if (io.in_len == 0 && at < len) {
            io.in = in + at;
            io.in_len = len - at < in_piece ? len - at : in_piece;
            at += io.in_len;
        }
        size_t room = OUT_MAX - r->len < out_piece ? OUT_MAX - r->len : out_piece;
        size_t before = io.in_len;
        int stuck = io.eof;
        io.eof = at == len;
        io.out = r->bytes + r->len;
        io.out_cap = room;
        r->rc = c->ops->process(c, &io, &err);
        r->len += room - io.out_cap;
        if (r->rc == SR_OK && !io.done && stuck && io.out_cap == room && io.in_len == before)
            abort(); /* neither progress nor an end: would loop for ever */
    }
    r->whole = r->rc == SR_OK && io.done;
    sr_codec_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t pieces[] = {1, 2, 3, 17, 300, 4096, 65536, 1 << 20};
    if (size < 2)
        return 0;
    size_t in_piece = pieces[data[0] & 7], out_piece = pieces[data[0] >> 3 & 7];
    int zstd = data[0] >> 7;
    struct sr_openpgp_head head;
    struct result a, b;
    data++;
    size--;
    (void)sr_openpgp_form(data, size);
    (void)sr_openpgp_head_read(data, size, &head);
    if (zstd) {
        drive(sr_codec_unzstd_new(), data, size, in_piece, out_piece, &a);
        free(a.bytes);
        return 0;
    }
    drive(sr_codec_gunzip_new(), data, size, in_piece, out_piece, &a);
    drive(sr_codec_gunzip_zlib_new(), data, size, out_piece, in_piece, &b);
    if (a.whole && b.whole && (a.len != b.len || memcmp(a.bytes, b.bytes, a.len) != 0))
        abort();
    free(a.bytes);
    free(b.bytes);
    return 0;
}
