/* Whether a backup is what somebody with the key made: asked before anything is done with it.
 *
 *     sr_trust_manifest(&ctx, store, &set, SR_TRUST_TO_USE, &text, &m, &trust, &err)
 *                              // in place of sr_catalog_manifest: refuses what is not to be
 * trusted sr_trust_look(&ctx, store, &set, text, len, m, &trust, &err)    // says it, refuses
 * nothing sr_trust_notice(&ctx, store, catalog)     // warns when the newest sets of a store are
 * gone
 *
 * Where no key is set (signer.h) nothing is fetched and everything is SR_TRUST_UNCHECKED. Otherwise
 * the signature object is fetched beside the manifest, and what it says is held against the
 * manifest's very bytes, which in their turn are held against every object's. A bad signature is
 * refused always; a missing one by BACKUP_REQUIRE_SIGNATURE. Nothing else is ever taken in place of
 * what was refused.
 *
 * `latest` is also held against what this host remembers of the store (newest.h) and against
 * BACKUP_SIGN_NOT_BEFORE. */
#ifndef SR_ENGINE_TRUST_H
#define SR_ENGINE_TRUST_H

#include "core/catalog/catalog.h"
#include "core/engine/context.h"
#include "core/engine/signer.h"

enum sr_trust_use {
    SR_TRUST_TO_LOOK,       /* verify, sync */
    SR_TRUST_TO_USE,        /* restore, fetch, restore-test: what is unsigned is warned about */
    SR_TRUST_TO_USE_LATEST, /* the same, and the backup was asked for as `latest` */
    SR_TRUST_TO_USE_SOME,   /* as `latest` of a label: newer ones of the source may well be there */
};

/* The keys, read at the first call and kept in ctx; NULL: none is set. Any thread. */
int sr_trust_keys(struct sr_context *ctx, const struct sr_signer **ret, struct sr_error *err);

/* Fetches the signature and judges the manifest, text as it is stored and m what was read of it;
 * m->detail_sha256 is filled where it is signed. An error only where it cannot be told. */
int sr_trust_look(struct sr_context *ctx, struct sr_store *store, const struct sr_catalog_set *set,
                  const void *text, size_t len, struct sr_manifest *m, struct sr_trust *ret,
                  struct sr_error *err);
/* Refuses by what was seen: SR_E_CORRUPT, bad, or missing and required, or missing where this host
 * has seen it; SR_E_REFUSED, `latest` that is older than what was there; SR_E_CONFIG. */
int sr_trust_judge(struct sr_context *ctx, struct sr_store *store, const struct sr_manifest *m,
                   const struct sr_trust *t, enum sr_trust_use use, struct sr_error *err);
/* sr_catalog_manifest_text, sr_trust_look and sr_trust_judge in one; text and ret_trust may be
 * NULL. *ret_trust is filled also when the backup is refused, *ret is not. */
int sr_trust_manifest(struct sr_context *ctx, struct sr_store *store,
                      const struct sr_catalog_set *set, enum sr_trust_use use, struct sr_buf *text,
                      struct sr_manifest **ret, struct sr_trust *ret_trust, struct sr_error *err);

/* As statements and manifests have it: hex, of all bytes. SR_E_INTERNAL. */
int sr_trust_sha256(const void *data, size_t len, char ret[65], struct sr_error *err);
/* The signature object's text for a manifest, appended to out; detail may be NULL. What was signed
 * is noted with sr_trust_made. */
int sr_trust_sign(const struct sr_signer *s, const char *set, const char *source,
                  const struct sr_buf *manifest, const struct sr_buf *detail, struct sr_buf *out,
                  struct sr_error *err);
/* Remembers a signed set that was put into the store, or seen there; says nothing when it cannot.
 */
void sr_trust_made(struct sr_context *ctx, const struct sr_store *store, const char *set,
                   const char *source, int64_t created_at);
/* Retention deleted the set: it is not missed. */
void sr_trust_deleted(struct sr_context *ctx, const struct sr_store *store, const char *set,
                      const char *source);

/* Warns, once a run, for each source whose newest signed set is older than the one that this host
 * remembers; the words are in ctx->missed too. c is all that the store holds. */
void sr_trust_notice(struct sr_context *ctx, const struct sr_store *store,
                     const struct sr_catalog *c);

/* SR_TRUST_TO_USE_LATEST when BACKUP, as the command line takes it, says `latest`;
 * _SOME when a label (NULL: none) narrows that. */
enum sr_trust_use sr_trust_use_of(const char *backup, const char *label);

#endif
