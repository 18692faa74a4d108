/* Taking a set's name in a store, and reading who has it (core/catalog/mark.h).
 *
 *     sr_claim_take(store, set, &mark, &err)      // SR_E_EXISTS: another run's; nothing was
 * changed
 *     ... the run; on failure the claim is rolled back last ...
 *     sr_mark_fetch(store, key, set, &mark, &err)
 *
 * Of any number of runs that take one name, on whatever hosts, exactly one succeeds where the store
 * creates atomically (SR_STORE_CAP_ATOMIC_CREATE). Elsewhere the claim is read back, which leaves a
 * moment in which two can both find their own; that store is named in the log.
 */
#ifndef SR_ENGINE_CLAIM_H
#define SR_ENGINE_CLAIM_H

#include "core/catalog/mark.h"
#include "core/store/store.h"

/* Writes the claim of set; mark is of the kind SR_KEY_CLAIM. A claim of the same run that is there
 * already (its answer was lost) is one that was taken. */
int sr_claim_take(struct sr_store_rw *store, const char *set, const struct sr_mark *mark,
                  struct sr_error *err);

/* Fetches and reads a mark, claim or pruning. SR_E_NOT_FOUND: none; SR_E_CORRUPT: not ours. *ret is
 * the caller's, to be emptied with sr_mark_done, on success only. */
int sr_mark_fetch(struct sr_store *store, const char *key, const char *set, struct sr_mark *ret,
                  struct sr_error *err);

#endif
