/* Deleting one set from one store, so that a hold placed at that moment is never passed over and
 * nothing is left that nobody knows.
 *
 * In this order: the mark <set>.<source>.pruning, which names everything that will go; the time at
 * which the store says that it wrote the mark, which shows a clock that runs ahead; a last look for
 * a hold; the manifest, from which on it is no backup; what the manifest names; what lies beside;
 * the set's claim; the mark. Where the store keeps the first object for a lock that it did not tell
 * of, the manifest is put back: the set is a backup again. A hold is written first and looks for
 * the mark and then for the manifest (hold.c): whatever the order, one of the two sees the other.
 * Where the mark cannot be written for want of space or of the right to, deleting goes on without
 * it, since that is what makes space; the last look stays.
 *
 * Before all that the manifest is looked at, which is the last of a set to be stored and so the
 * last to be let go, and, where the store can lock, what it names. While any of it is locked
 * nothing is begun: a mark beside it may be kept as long where a bucket locks all it gets, and
 * where versions are kept a deletion would "succeed" and take a backup out of sight that nobody is
 * rid of.
 *
 * Cut off anywhere, a sweep ends it by the mark (sweep.h).
 */
#ifndef SR_ENGINE_RETENTION_DELETE_H
#define SR_ENGINE_RETENTION_DELETE_H

#include "core/engine/retention.h"

/* Seconds after which a pruning mark is one that a dead prune left. */
#define SR_PRUNING_STALE 3600

/* A clock that is so much ahead of a store's deletes nothing there. */
#define SR_PRUNING_CLOCK_AHEAD 86400

/* Does the store keep the set locked at a time (UTC seconds)? Then outcome, kept_until (FOREVER:
 * until a hold is lifted) and reason of *it say so. SR_OK also when it is gone, or may not be
 * looked at: then deleting tells. */
int sr_prune_look_for_lock(struct sr_store *store, const struct sr_catalog_set *set, int64_t at,
                           struct sr_prune_item *it, struct sr_error *err);

/* m: the set's manifest. last: no other source has a manifest under the set's name, so its claim
 * goes too. Sets outcome, kept_until and freed of *it, and reason where a hold or a lock was found;
 * SR_OK for every answer of the store, locked too. SR_E_REFUSED: this host's clock is ahead of the
 * store's, and nothing was deleted (not with BACKUP_RETENTION_TRUST_CLOCK). */
int sr_prune_delete(struct sr_context *ctx, struct sr_store_rw *store,
                    const struct sr_catalog_set *set, const struct sr_manifest *m, int last,
                    struct sr_prune_item *it, struct sr_error *err);

#endif
