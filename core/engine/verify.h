/* Reading stored bytes again: digests of every stored byte; with the key also what is inside.
 *
 *     sr_verify_set(&ctx, store, &set, &v, &err);
 *     sr_verify_result_done(&v)
 *
 * Rungs: re-read (stored digest and size agree), opened (decrypted, decompressed, plaintext digest
 * and size agree, structure parsed: end marker of a plain dump, table of contents of an archive). A
 * missing secret key leaves an encrypted object at "re-read", which is no failure and is told.
 */
#ifndef SR_ENGINE_VERIFY_H
#define SR_ENGINE_VERIFY_H

#include "core/catalog/catalog.h"
#include "core/engine/context.h"

enum sr_verify_rung {
    SR_VERIFY_FAILED = 0,
    SR_VERIFY_REREAD = 1,
    SR_VERIFY_OPENED = 2,
};

struct sr_verify_object {
    char *key;
    enum sr_verify_rung rung;
    uint64_t size;
    char *note; /* what failed, or why it stopped at re-read; NULL: nothing to say */
};

struct sr_verify_result {
    char set[SR_SET_MAX];
    struct sr_verify_object *objects;
    size_t len;
    enum sr_verify_rung rung; /* the lowest of its objects */
};

/* SR_OK also when nothing could be opened for want of a key; SR_E_CORRUPT when any object is
 * damaged or missing (the result is filled). */
int sr_verify_set(struct sr_context *ctx, struct sr_store_rw *store,
                  const struct sr_catalog_set *set, struct sr_verify_result *ret,
                  struct sr_error *err);
void sr_verify_result_done(struct sr_verify_result *v);

#endif
