/* One stored object from a store that has it into one that does not, checked on the way.
 *
 *     struct sr_relay r = {.ctx = ctx, .from = a, .key = ..., .size = ..., .sha256 = ...};
 *     sr_relay_run(&r, &object, b, &saved, &err)
 *
 * Nothing is decrypted or spooled: memory is a pipeline's. What does not have the size and the
 * digest that it should have never becomes visible at the other end. Both handles belong to the
 * call; `to` and `from` are of different stores, or two handles.
 */
#ifndef SR_ENGINE_RELAY_H
#define SR_ENGINE_RELAY_H

#include "core/engine/context.h"
#include "core/store/store.h"

struct sr_relay {
    struct sr_context *ctx;
    struct sr_store_rw *from;
    const char *key;
    uint64_t size;      /* bytes that it must have */
    const char *sha256; /* hex digest that it must have, of the bytes as stored */
};

/* object: how it is saved (key, retain_until, replace; its size hint is filled in). SR_E_CORRUPT
 * when it is not what it should be, SR_E_CANCELLED when ctx was; else what either side said.
 * Results as of sr_store_save. */
int sr_relay_run(const struct sr_relay *r, const struct sr_store_object *object,
                 struct sr_store_rw *to, struct sr_store_saved *ret, struct sr_error *err);

#endif
