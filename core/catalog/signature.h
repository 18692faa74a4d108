/* Signature objects: who vouches for the manifest of a set.
 *
 *     struct sr_statement st = {.set = ..., .source = ..., .manifest = <SHA-256 of its bytes>};
 *     sr_statement_write(&st, &buf, &err)           // the bytes that keys sign
 *     sr_signature_add(&sig, kind, key, data, len, &err)
 *     sr_signature_write(&sig, &buf, &err)          // saved under <set>.<source>.signature
 *     sr_signature_read(text, len, &sig, &err)      // hostile: bounded, strict, one form only
 *     sr_signature_done(&sig)
 *
 * The text is the statement, six lines in this order, and then a line for each key that signed it:
 *
 *     strongroom signature 1
 *     set <set>
 *     source <source>
 *     manifest <SHA-256 of the manifest's bytes as they are stored>
 *     detail <SHA-256 of the detail object's bytes> | none
 *     end
 *     hmac-sha256 <key id> <HMAC-SHA256 over the statement, in hex>
 *     openpgp <fingerprint> <detached OpenPGP signature of the statement, in base64>
 *
 * Because the statement names set and source, a signature fits no other set; because the manifest
 * names every object with size and digest, and set and source as well, nothing of the set can be
 * exchanged for anything of another. What is read is exactly what would be written of it again.
 * Whether a key really signed it is not judged here (core/engine/signer.h). Pure functions; any
 * thread. */
#ifndef SR_CATALOG_SIGNATURE_H
#define SR_CATALOG_SIGNATURE_H

#include "core/catalog/names.h"
#include "core/util/buf.h"

#define SR_SIGNATURE_MAX (128u << 10)     /* bytes of text */
#define SR_SIGNATURE_KEYS_MAX 4           /* keys that sign one statement */
#define SR_SIGNATURE_DATA_MAX (16u << 10) /* bytes of one OpenPGP signature */
#define SR_SIGNATURE_KEY_SIZE 65          /* a fingerprint and NUL */
#define SR_HMAC_SIZE 32                   /* bytes */
#define SR_HMAC_ID_SIZE 17                /* 16 hex digits and NUL */
#define SR_SIGNATURE_SUFFIX "signature"

struct sr_statement {
    char set[SR_SET_MAX];
    char source[SR_SOURCE_MAX]; /* escaped */
    char manifest[65];
    char detail[65]; /* "": no such object */
};

enum sr_signed_with {
    SR_SIGNED_HMAC,
    SR_SIGNED_OPENPGP,
};

/* What one key made of the statement. */
struct sr_signed_by {
    enum sr_signed_with kind;
    char key[SR_SIGNATURE_KEY_SIZE]; /* id, or fingerprint in upper-case hex */
    unsigned char *data;
    size_t len; /* bytes */
};

struct sr_signature {
    struct sr_statement statement;
    struct sr_signed_by by[SR_SIGNATURE_KEYS_MAX];
    size_t len;
};

/* Appends the statement to out. SR_E_CONFIG for names and digests that are none, SR_E_NO_MEMORY. */
int sr_statement_write(const struct sr_statement *s, struct sr_buf *out, struct sr_error *err);
/* Adds a copy. SR_E_CONFIG: too many, or no key or data of this kind. */
int sr_signature_add(struct sr_signature *s, enum sr_signed_with kind, const char *key,
                     const void *data, size_t len, struct sr_error *err);
/* Appends statement and signatures; SR_E_CONFIG when there is none. */
int sr_signature_write(const struct sr_signature *s, struct sr_buf *out, struct sr_error *err);
/* *ret is the caller's, to be emptied with sr_signature_done, on success only. SR_E_CORRUPT;
 * SR_E_UNSUPPORTED: of a later version. */
int sr_signature_read(const char *text, size_t len, struct sr_signature *ret, struct sr_error *err);
void sr_signature_done(struct sr_signature *s);

/* Nonzero for 40 or 64 upper-case hex digits. */
int sr_is_fingerprint(const char *s);

#endif
