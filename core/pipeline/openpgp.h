/* The outside of an OpenPGP message (RFC 4880, RFC 9580): enough to tell one from other files and
 * to see for whom and how it is encrypted, without any key. Pure functions on hostile bytes.
 */
#ifndef SR_PIPELINE_OPENPGP_H
#define SR_PIPELINE_OPENPGP_H

#include <stddef.h>
#include <stdint.h>

#define SR_OPENPGP_PEEK 16

enum sr_openpgp_form { SR_OPENPGP_NO, SR_OPENPGP_BINARY, SR_OPENPGP_ARMOR };

/* Told by the first SR_OPENPGP_PEEK bytes (fewer only at the end of the data). */
enum sr_openpgp_form sr_openpgp_form(const unsigned char *b, size_t len);

#define SR_OPENPGP_AES256 9

struct sr_openpgp_head {
    unsigned public_keys; /* sessions keys for public keys */
    unsigned passphrases; /* session keys for passphrases */
    int cipher;           /* of the last passphrase: RFC 4880 9.2; 9 is AES256 */
    int s2k;              /* of the last passphrase: 3 is iterated and salted */
    int integrity;        /* the data that follows is protected against changes */
};

/* Reads the packets in front of the encrypted data. 1: complete; 0: more bytes are needed; -1: this
 * is not an encrypted message. */
int sr_openpgp_head_read(const unsigned char *b, size_t len, struct sr_openpgp_head *ret);

/* Nonzero when these bytes are one signature packet and nothing else: neither text around it, nor
 * a second one, nor anything that would have to be unpacked to be looked at. Whether it is a good
 * one is not judged. */
int sr_openpgp_is_signature(const unsigned char *b, size_t len);

#endif
