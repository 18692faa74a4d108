/* What dead runs left: unfinished uploads, objects without a manifest, spools, journals.
 *
 * Only what strongroom's own names claim, only when no run of that source is alive, and only when a
 * journal of a dead run names it or it is older than older_than seconds. */
#ifndef SR_ENGINE_SWEEP_H
#define SR_ENGINE_SWEEP_H

#include "core/engine/context.h"
#include "core/store/stores.h"

struct sr_swept {
    char *store, *key; /* store "": a spool or journal here */
    uint64_t size;
    char *why;
};
struct sr_sweep_result {
    struct sr_swept *items;
    size_t len;
};
int sr_sweep_run(struct sr_context *ctx, const struct sr_stores *stores, uint64_t older_than,
                 int dry_run, struct sr_sweep_result *ret, struct sr_error *err);
void sr_sweep_result_done(struct sr_sweep_result *r);

#endif
