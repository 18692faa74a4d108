/* The retention policy (retention_policy.h, pure) asked about what a catalogue holds.
 *
 * Two questions: judge_names goes by names alone, for `list`; judge_store also opens the manifests
 * that a deletion would rely on: the newest set of each source and, where any set of it would go,
 * those that stay in its place (by number, proof or tier; a damaged one counts for nothing). It
 * drops nothing of a source whose newest set is not whole, and logs what a gap holds back. As of a
 * day to come gaps hold nothing back. Where a key to check signatures with is set (signer.h), every
 * set that stays while another of its source goes is opened as well, and one that is forged counts
 * for no rule; what would go only because a proof speaks of damage stays. Verdicts come as one
 * malloc'd array, in the order of c->sets.
 */
#ifndef SR_ENGINE_RETENTION_JUDGE_H
#define SR_ENGINE_RETENTION_JUDGE_H

#include "core/catalog/catalog.h"
#include "core/engine/context.h"
#include "core/engine/retention_policy.h"

/* By the rules of store (retention_rules.h), which nothing is asked otherwise: c may be of another,
 * to see what store would keep of it. at: UTC seconds. */
int sr_retention_judge_names(struct sr_context *ctx, const struct sr_store *store,
                             const struct sr_catalog *c, int64_t at,
                             struct sr_retention_verdict **ret, struct sr_error *err);
/* The same of sets that are of no one catalogue; verdicts in their order. */
int sr_retention_judge_sets(struct sr_context *ctx, const struct sr_store *store,
                            const struct sr_catalog_set *const *sets, size_t n, int64_t at,
                            struct sr_retention_verdict **ret, struct sr_error *err);
int sr_retention_judge_store(struct sr_context *ctx, struct sr_store *store,
                             const struct sr_catalog *c, int64_t at,
                             struct sr_retention_verdict **ret, struct sr_error *err);

#endif
