/* Writing proofs beside sets, and reading those that lie there.
 *
 *     sr_prover_new(&ctx, &p, &err);
 *     struct sr_proof proof = {.name = {SR_RUNG_REREAD, 0, 0}, .bytes = ...};
 *     sr_prover_record(p, "local", &set, manifest->digest, &proof, &why, &err);
 *     ... why ? it says why there is no record of it : it is recorded ...
 *     sr_prover_free(p)
 *
 * Proofs are checked from stores that are opened to be read only; for the small object that says
 * how it came out a second handle is opened, once a store. A host without the right to write says
 * so and goes on: the check was made all the same. One thread. */
#ifndef SR_ENGINE_PROVER_H
#define SR_ENGINE_PROVER_H

#include "core/catalog/catalog.h"
#include "core/catalog/proof.h"
#include "core/engine/context.h"

struct sr_prover;
/* Records nothing, and says why, where BACKUP_PROOFS is off. ctx outlives it. */
int sr_prover_new(struct sr_context *ctx, struct sr_prover **ret, struct sr_error *err);
/* Fills the proof's set, source, manifest, store, host, program and time, and saves it in the store
 * of that name. Another one of the same second is never replaced: this one then bears the next.
 * Where the set was deleted meanwhile the proof is taken away again. A failure takes with it passes
 * of its rung and above that bear a later time: a clock that ran ahead wrote them. *ret_why:
 * malloc'd, the caller's; NULL: recorded. SR_E_CANCELLED, SR_E_NO_MEMORY. */
int sr_prover_record(struct sr_prover *p, const char *store, const struct sr_catalog_set *set,
                     const char *manifest, struct sr_proof *proof, char **ret_why,
                     struct sr_error *err);
/* Deletes proofs of the set that say nothing any more: of each rung and outcome all but the latest
 * SR_PROOFS_KEPT, which leaves where the set stands as it is. What may not be deleted stays; that
 * is no failure. For a set that has gathered more than SR_PROOFS_MANY. SR_E_CANCELLED,
 * SR_E_NO_MEMORY. */
#define SR_PROOFS_KEPT 10
#define SR_PROOFS_MANY 50
int sr_prover_trim(struct sr_prover *p, const char *store, const struct sr_catalog_set *set,
                   struct sr_error *err);
void sr_prover_free(struct sr_prover *p);

#define SR_PROOFS_READ_MAX 100 /* of one set, the latest first */

struct sr_proof_seen {
    char suffix[SR_PROOF_SUFFIX_MAX * 2];
    char *bad; /* why it counts for nothing; NULL: it is a proof of this manifest */
    struct sr_proof proof;
};
struct sr_proofs {
    struct sr_proof_seen *items; /* latest first, those with unknown names last */
    size_t len;
    size_t left;                 /* not read: there are more than SR_PROOFS_READ_MAX */
    struct sr_standing standing; /* by those that are proofs of this manifest */
};
/* Reads the proofs of a set, as the catalogue lists them, against its manifest. One that cannot be
 * fetched or read is told in its place, never an error. SR_E_CANCELLED, SR_E_NO_MEMORY. */
int sr_proofs_read(struct sr_context *ctx, struct sr_store *store, const struct sr_catalog_set *set,
                   const struct sr_manifest *m, struct sr_proofs *ret, struct sr_error *err);
void sr_proofs_done(struct sr_proofs *p);

#endif
