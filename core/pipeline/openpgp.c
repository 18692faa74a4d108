#include "config.h"
#include "core/pipeline/openpgp.h"

#include <string.h>

enum {
    TAG_PKESK = 1,
    TAG_SIGNATURE = 2,
    TAG_SKESK = 3,
    TAG_SED = 9, /* encrypted without integrity protection */
    TAG_MARKER = 10,
    TAG_SEIPD = 18,
    TAG_AEAD = 20, /* GnuPG's OCB mode */
};

struct packet {
    int tag;
    size_t body;     /* where it begins */
    size_t body_len; /* unknown for partial and indeterminate lengths */
    int bounded;
};

/* 1, 0: more bytes are needed, -1: no packet. */
static int packet_read(const unsigned char *b, size_t len, struct packet *ret)
{
    if (len < 1)
        return 0;
    if (!(b[0] & 0x80))
        return -1;
    struct packet p = {.bounded = 1};
    if (!(b[0] & 0x40)) { /* old format */
        unsigned kind = b[0] & 3u;
        size_t n = (size_t)1 << kind;
        p.tag = (b[0] >> 2) & 15;
        p.bounded = kind != 3;
        p.body = p.bounded ? 1 + n : 1;
        if (len < p.body)
            return 0;
        for (size_t i = 1; i < p.body; i++)
            p.body_len = p.body_len << 8 | b[i];
    } else {
        p.tag = b[0] & 63;
        if (len < 2)
            return 0;
        if (b[1] < 192) {
            p.body = 2;
            p.body_len = b[1];
        } else if (b[1] < 224) {
            p.body = 3;
            if (len < p.body)
                return 0;
            p.body_len = ((size_t)(b[1] - 192) << 8) + b[2] + 192;
        } else if (b[1] < 255) { /* partial */
            p.body = 2;
            p.bounded = 0;
        } else {
            p.body = 6;
            if (len < p.body)
                return 0;
            for (size_t i = 2; i < 6; i++)
                p.body_len = p.body_len << 8 | b[i];
        }
    }
    *ret = p;
    return 1;
}

enum sr_openpgp_form sr_openpgp_form(const unsigned char *b, size_t len)
{
    static const char armor[] = "-----BEGIN PGP M"; /* ESSAGE----- */
    if (len >= sizeof armor - 1 && memcmp(b, armor, sizeof armor - 1) == 0)
        return SR_OPENPGP_ARMOR;
    struct packet p;
    if (packet_read(b, len, &p) != 1 || p.body >= len)
        return SR_OPENPGP_NO;
    /* Text in some 8-bit character set can begin with a byte that looks like a packet; the version
     * that follows tells. */
    unsigned version = b[p.body];
    switch (p.tag) {
    case TAG_PKESK:
        return version == 2 || version == 3 || version == 6 ? SR_OPENPGP_BINARY : SR_OPENPGP_NO;
    case TAG_SKESK:
        return version >= 4 && version <= 6 ? SR_OPENPGP_BINARY : SR_OPENPGP_NO;
    case TAG_SEIPD:
    case TAG_AEAD:
        return version == 1 || version == 2 ? SR_OPENPGP_BINARY : SR_OPENPGP_NO;
    case TAG_MARKER:
        return len >= p.body + 3 && memcmp(b + p.body, "PGP", 3) == 0 ? SR_OPENPGP_BINARY
                                                                      : SR_OPENPGP_NO;
    default:
        return SR_OPENPGP_NO;
    }
}

int sr_openpgp_head_read(const unsigned char *b, size_t len, struct sr_openpgp_head *ret)
{
    struct sr_openpgp_head h = {0};
    for (;;) {
        struct packet p;
        int rc = packet_read(b, len, &p);
        if (rc != 1)
            return rc;
        if (p.tag == TAG_SEIPD || p.tag == TAG_AEAD || p.tag == TAG_SED) {
            h.integrity = p.tag != TAG_SED;
            *ret = h;
            return 1;
        }
        if ((p.tag != TAG_PKESK && p.tag != TAG_SKESK && p.tag != TAG_MARKER) || !p.bounded)
            return -1;
        if (p.body_len > len - p.body)
            return 0;
        const unsigned char *body = b + p.body;
        if (p.tag == TAG_PKESK) {
            h.public_keys++;
        } else if (p.tag == TAG_SKESK) {
            if (p.body_len < 4)
                return -1;
            h.passphrases++;
            h.cipher = body[1];
            /* version 5 has the AEAD algorithm in between */
            h.s2k = body[0] == 5 ? body[3] : body[2];
        }
        b += p.body + p.body_len;
        len -= p.body + p.body_len;
    }
}

int sr_openpgp_is_signature(const unsigned char *b, size_t len)
{
    struct packet p;
    return packet_read(b, len, &p) == 1 && p.tag == TAG_SIGNATURE && p.bounded && p.body < len &&
           p.body_len == len - p.body;
}
