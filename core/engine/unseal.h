/* What an encrypted set's manifest does not tell (host, databases, tables, rows), from its detail
 * object where the key is here: the other way of seal.c.
 *
 *     sr_catalog_manifest(store, &set, &m, &err);
 *     sr_unseal_detail(&ctx, store, m, &why, &err);
 *     ... why ? it says why m is as it was : m->detail, m->host, m->objects[].database ...
 *     free(why)
 *
 * Nobody is asked for anything: an agent that would open a pinentry counts as a key that is not
 * here.
 */
#ifndef SR_ENGINE_UNSEAL_H
#define SR_ENGINE_UNSEAL_H

#include "core/catalog/manifest.h"
#include "core/engine/context.h"
#include "core/pipeline/keys.h"
#include "core/store/store.h"

/* Fills m as if the set were not encrypted; a set that has no such object, or whose detail is in
 * the manifest already, is left as it is. *ret_why (malloc'd, the caller's): why it stays closed,
 * "encrypted; the key is not here" or what is wrong with the object; else NULL. SR_E_CANCELLED,
 * SR_E_CONFIG (the passphrase's setting) and SR_E_NO_MEMORY are failures; all else is a reason.
 * Reads at most SR_DETAIL_MAX bytes. */
int sr_unseal_detail(struct sr_context *ctx, struct sr_store_rw *store, struct sr_manifest *m,
                     char **ret_why, struct sr_error *err);

enum sr_key_here {
    SR_KEY_HERE,      /* or none is needed */
    SR_KEY_NO_SECRET, /* no secret key of its recipients is in the keyring */
    SR_KEY_NO_PHRASE, /* it wants a passphrase, and none is set */
};
/* Whether an object of m that is encrypted so ("none", "gpg-public", "gpg-symmetric") can be opened
 * with what is here. pass may be NULL. */
enum sr_key_here sr_key_here(const struct sr_manifest *m, const char *encryption,
                             const struct sr_passphrase *pass);

/* The stored bytes of the detail against what was signed, where it was (m->detail_sha256); it is
 * not opened. SR_E_CORRUPT: another, or none. */
int sr_unseal_check(struct sr_context *ctx, struct sr_store_rw *store, const struct sr_manifest *m,
                    struct sr_error *err);

#endif
