/* What dead runs left: unfinished uploads, objects without a manifest, spools, journals.
 *
 * Only what is provably strongroom's own and belongs to no backup is touched:
 *
 *   at once    what the journal of a dead run of this host names, where the claim in the store
 *              carries that run's id
 *   by age     (older than older_than seconds, all of a set) what a claim without a manifest, or
 *              the mark of a prune that was cut off, speaks for (core/catalog/mark.h)
 *
 * never what a live run of this host is writing, what is on hold, or a dump that another program
 * put beside: other scripts, too, write a time and a digest into a dump's name, so that no name is
 * proof. What a store keeps locked stays, and is tried again another time.
 */
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
