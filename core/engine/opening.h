/* The way back of a byte: a stored object or file, decrypted and decompressed, told by content.
 *
 *     struct sr_opening_options oo = {.store = ..., .key = ..., .expect = manifest_object, ...};
 *     sr_opening_start(&ctx, &oo, &op, &err);
 *     while (sr_opening_read(op, buf, sizeof buf, &n, &err) == SR_OK && n > 0) ...
 *     sr_opening_end(op, &err)     // digests and sizes compared with what was expected
 *     sr_opening_free(op)
 *
 * Bytes are provisional until sr_opening_end said SR_OK. Nothing is written anywhere. What is
 * opened a second time, to be used, takes the witness of the first (witness.h): its bytes are those
 * that were checked, from the first one on.
 */
#ifndef SR_ENGINE_OPENING_H
#define SR_ENGINE_OPENING_H

#include "core/catalog/manifest.h"
#include "core/engine/context.h"
#include "core/engine/witness.h"
#include "core/pipeline/keys.h"
#include "core/store/store.h"

enum sr_opening_depth {
    SR_OPEN_STORED, /* bytes as they are stored */
    SR_OPEN_PLAIN,  /* decrypted, still compressed */
    SR_OPEN_RAW,    /* the dump itself */
};

struct sr_opening_options {
    const char *what;          /* for progress */
    struct sr_store_rw *store; /* and key; or file */
    const char *key;
    const char *file;
    enum sr_opening_depth depth;
    const struct sr_passphrase *passphrase;  /* may be NULL */
    int never_ask;                           /* a key that a pinentry would unlock is SR_E_KEY */
    const struct sr_manifest_object *expect; /* sizes and digests to compare with, or NULL */
    struct sr_witness *note, *hold;          /* of the stored bytes; one of them or none */
};

struct sr_opening;
int sr_opening_start(struct sr_context *ctx, const struct sr_opening_options *o,
                     struct sr_opening **ret, struct sr_error *err);
/* Blocks; SR_OK with *ret_len 0 at the end. */
int sr_opening_read(struct sr_opening *op, void *buf, size_t cap, size_t *ret_len,
                    struct sr_error *err);
/* SR_E_CORRUPT names the object, what was expected and what came. */
int sr_opening_end(struct sr_opening *op, struct sr_error *err);

/* After sr_opening_end: what was seen. Depths that were not opened leave 0 and "". */
struct sr_opening_seen {
    uint64_t stored_size, plain_size, raw_size;
    char stored_sha256[65], plain_sha256[65];
    int was_encrypted;
    int compression; /* enum sr_compression */
};
void sr_opening_seen(const struct sr_opening *op, struct sr_opening_seen *ret);
void sr_opening_free(struct sr_opening *op);

#endif
