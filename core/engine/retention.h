/* Retention applied to a store: what the policy (retention_policy.h) says, carried out safely.
 *
 * Nothing is deleted when the listing failed, or when the newest set of a source is incomplete or
 * its manifest cannot be read. Manifest first, then the objects that the manifest names, then what
 * lies beside it (retention_delete.h). Only what a manifest of ours names is ever deleted, and
 * never what is on hold at the moment its turn comes. A store that holds nothing at all of
 * strongroom's is not an empty one but the wrong one, and an error (recover_text.h). */
#ifndef SR_ENGINE_RETENTION_H
#define SR_ENGINE_RETENTION_H

#include "core/catalog/catalog.h"
#include "core/engine/context.h"
#include "core/store/stores.h"

enum sr_prune_outcome {
    SR_PRUNE_KEPT,
    SR_PRUNE_DROPPED, /* deleted, or would be (dry run) */
    SR_PRUNE_HIDDEN,  /* deleted, but versions or soft delete keep the bytes */
    SR_PRUNE_LOCKED,  /* the store keeps it until a date */
    SR_PRUNE_FAILED,
};

struct sr_prune_item {
    char set[SR_SET_MAX];
    char source[SR_SOURCE_MAX];
    char store[64];
    int64_t time;
    enum sr_prune_outcome outcome;
    int64_t kept_until;
    char *reason; /* the rule, and for FAILED what came back */
    uint64_t freed;
};

struct sr_prune_result {
    struct sr_prune_item *items; /* by store, then oldest first */
    size_t len;
};

/* at: judge as of this moment (UTC seconds; 0: now); anything but now is a dry run. source NULL:
 * all. spare: a set that stays whatever its name says of its age, because it was made just now, and
 * that every store must show, or nothing goes there; NULL: none. */
int sr_prune_run(struct sr_context *ctx, const struct sr_stores *stores, const char *source,
                 const char *spare, int64_t at, int dry_run, struct sr_prune_result *ret,
                 struct sr_error *err);
void sr_prune_result_done(struct sr_prune_result *r);

/* Writes or removes the hold object of a set in every store that has the set; the number in
 * *ret_stores. A hold that comes while a prune is at the set wins or fails: SR_E_NOT_FOUND when the
 * backup is gone by then (and no hold is left), SR_E_BUSY when a prune that may have overlooked it
 * does not end within ten seconds. SR_E_PARTIAL: done in some stores, not in another. */
int sr_hold_set(struct sr_context *ctx, const struct sr_stores *stores, const char *backup,
                int hold, char ret_set[SR_SET_MAX], size_t *ret_stores, struct sr_error *err);

#endif
