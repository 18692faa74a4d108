#include "config.h"
#include "core/pipeline/gzip_header.h"

enum { FLAG_HCRC = 2, FLAG_EXTRA = 4, FLAG_NAME = 8, FLAG_COMMENT = 16, FLAGS_RESERVED = 0xe0 };
enum {
    STATE_FIXED,
    STATE_EXTRA_LEN,
    STATE_EXTRA,
    STATE_NAME,
    STATE_COMMENT,
    STATE_HCRC,
    STATE_END
};

static int has_field(const struct sr_gzip_header *h)
{
    switch (h->state) {
    case STATE_EXTRA_LEN:
        return (h->flags & FLAG_EXTRA) != 0;
    case STATE_EXTRA:
        return h->skip > 0;
    case STATE_NAME:
        return (h->flags & FLAG_NAME) != 0;
    case STATE_COMMENT:
        return (h->flags & FLAG_COMMENT) != 0;
    case STATE_HCRC:
        return (h->flags & FLAG_HCRC) != 0;
    default:
        return 1;
    }
}

static void next_field(struct sr_gzip_header *h)
{
    h->at = 0;
    do
        h->state++;
    while (!has_field(h));
}

static int fixed_byte(struct sr_gzip_header *h, unsigned char b)
{
    static const unsigned char start[] = {0x1f, 0x8b, 8};
    if (h->at < sizeof start && b != start[h->at])
        return -1;
    if (h->at == 3)
        h->flags = b;
    return h->flags & FLAGS_RESERVED ? -1 : h->at == 9;
}

/* 1: the field ends with b; 0: it goes on; -1: it is none. */
static int field_byte(struct sr_gzip_header *h, unsigned char b)
{
    switch (h->state) {
    case STATE_FIXED:
        return fixed_byte(h, b);
    case STATE_EXTRA_LEN:
        h->skip |= (size_t)b << (8 * h->at);
        return h->at == 1;
    case STATE_EXTRA:
        return h->at + 1 == h->skip;
    case STATE_HCRC:
        return h->at == 1;
    default:
        return b == 0;
    }
}

int sr_gzip_header_feed(struct sr_gzip_header *h, const unsigned char **in, size_t *in_len)
{
    while (h->state != STATE_END && *in_len > 0) {
        int rc = field_byte(h, **in);
        if (rc < 0)
            return -1;
        ++*in;
        --*in_len;
        h->at++;
        if (rc > 0)
            next_field(h);
    }
    return h->state == STATE_END;
}
