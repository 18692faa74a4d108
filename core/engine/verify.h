/* Reading stored bytes again: digests of every stored byte; with the key also what is inside.
 *
 *     sr_verify_picks(&ctx, &stores, &p, &err);            // what there is to verify, in order
 *     sr_verify_set(&ctx, store, &set, &v, &err);
 *     sr_verify_record(&ctx, prover, "local", &set, &v, &err);   // beside the set
 *     sr_verify_result_done(&v)
 *
 * Rungs: re-read (stored digest and size agree), opened (decrypted, decompressed, plaintext digest
 * and size agree, structure parsed: end marker of a plain dump, table of contents of an archive). A
 * missing secret key leaves an encrypted object at "re-read", which is no failure and is told.
 */
#ifndef SR_ENGINE_VERIFY_H
#define SR_ENGINE_VERIFY_H

#include "core/catalog/catalog.h"
#include "core/catalog/rung.h"
#include "core/engine/context.h"
#include "core/engine/prover.h"
#include "core/engine/signer.h"
#include "core/pipeline/keys.h"
#include "core/store/stores.h"

enum sr_verify_rung {
    SR_VERIFY_FAILED = 0,
    SR_VERIFY_REREAD = 1,
    SR_VERIFY_OPENED = 2,
};

struct sr_verify_object {
    char *key;
    enum sr_verify_rung rung;
    /* Where it failed: SR_RUNG_REREAD, SR_RUNG_OPENED (the stored bytes agree), or SR_RUNG_NONE
     * when it did not, or what failed was not the object (a key that does not fit). */
    enum sr_rung fell;
    uint64_t size;
    char *note; /* what failed, or why it stopped at re-read; NULL: nothing to say */
};

struct sr_verify_result {
    char set[SR_SET_MAX];
    struct sr_verify_object *objects;
    size_t len;
    enum sr_verify_rung rung; /* the lowest of its objects */
    char manifest[65];        /* its digest; "" when it could not be read */
    int encrypted;            /* any of its objects */
    struct sr_trust trust;    /* its signature */
    uint64_t bytes;           /* stored bytes that were read and agree */
    double seconds;
    /* Of sr_verify_record. */
    enum sr_rung passed, failed; /* rungs that were recorded; SR_RUNG_NONE: none */
    char *not_recorded;          /* why nothing was, or not all; NULL: nothing to say */
};

/* SR_OK also when nothing could be opened for want of a key; SR_E_CORRUPT when any object is
 * damaged or missing, or the signature is not to be relied on and nothing was read (the result is
 * filled). */
int sr_verify_set(struct sr_context *ctx, struct sr_store_rw *store,
                  const struct sr_catalog_set *set, struct sr_verify_result *ret,
                  struct sr_error *err);
/* The rungs that a result proves: climbed, and fallen off from; SR_RUNG_NONE where there is none.
 * Pure. */
enum sr_rung sr_verify_passed(const struct sr_verify_result *v);
enum sr_rung sr_verify_failed(const struct sr_verify_result *v);
/* Writes them beside the set, and to the audit log, and says so in *v. A store that may not be
 * written to is no failure: v->not_recorded tells. SR_E_CANCELLED, SR_E_NO_MEMORY. */
int sr_verify_record(struct sr_context *ctx, struct sr_prover *p, const char *store,
                     const struct sr_catalog_set *set, struct sr_verify_result *v,
                     struct sr_error *err);

/* One set in one store that could be verified. */
struct sr_verify_pick {
    size_t store; /* index in the stores */
    char set[SR_SET_MAX], source[SR_SOURCE_MAX];
    int64_t time;
    struct sr_standing standing;
    size_t proofs; /* how many there are */
};
struct sr_verify_picks {
    struct sr_verify_pick *items;
    size_t len;
};
/* Every set with a manifest in every store, the one that needs it most first. From names alone.
 * *ret is emptied with sr_verify_picks_done whatever comes back. */
int sr_verify_picks(struct sr_context *ctx, const struct sr_stores *stores,
                    struct sr_verify_picks *ret, struct sr_error *err);
void sr_verify_picks_done(struct sr_verify_picks *p);
/* The order of need, as for qsort: what was never checked, the newest first; then by how long ago
 * it was checked, the longest first; of equals the least proven. So a run that is bounded comes
 * round to everything. Pure. */
int sr_verify_need(const void *a, const void *b);

/* One object of a manifest alone; ret is zeroed, its key is left to the caller, its note is freed
 * by the caller. SR_OK also where it stopped at re-read (ret->note says why). What comes back
 * otherwise says whether the object is bad: see sr_verify_is_damage. pass may be NULL. */
int sr_verify_object(struct sr_context *ctx, struct sr_store_rw *store, const struct sr_manifest *m,
                     const struct sr_manifest_object *o, const struct sr_passphrase *pass,
                     struct sr_verify_object *ret, struct sr_error *err);
/* Nonzero when a code tells that the object itself is bad, not that it could not be looked at now.
 */
int sr_verify_is_damage(int rc);
void sr_verify_result_done(struct sr_verify_result *v);

#endif
