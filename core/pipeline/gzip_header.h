/* The header of a gzip member (RFC 1952), read and skipped however it is cut into pieces.
 *
 *     struct sr_gzip_header h = {0};
 *     while ((rc = sr_gzip_header_feed(&h, &in, &in_len)) == 0)
 *         ... more input ...
 *
 * ISA-L 2.30 reads headers too, but fails on those with a checksum that arrive in pieces.
 */
#ifndef SR_PIPELINE_GZIP_HEADER_H
#define SR_PIPELINE_GZIP_HEADER_H

#include <stddef.h>

struct sr_gzip_header {
    int state;
    size_t at;   /* bytes of the present field */
    size_t skip; /* length of the extra field */
    unsigned flags;
};

/* Advances in and in_len. 1: behind the header; 0: all taken, more is needed; -1: no gzip header.
 * Name, comment and the header's own checksum are skipped: the data has its own. */
int sr_gzip_header_feed(struct sr_gzip_header *h, const unsigned char **in, size_t *in_len);

#endif
