/* Every backup in every store, merged: what `list` shows and BACKUP arguments are looked up in.
 *
 *     sr_listing_read(&ctx, &stores, &l, &err);   // names only; no manifest is fetched
 *     sr_listing_trust(&ctx, &stores, l, &err)    // two small objects a copy, where a key is set
 *     sr_listing_free(l)
 *
 * A store that cannot be listed is an error (SR_E_PARTIAL with the others filled when some could
 * be: *ret is set then too), never an empty list.
 */
#ifndef SR_ENGINE_LISTING_H
#define SR_ENGINE_LISTING_H

#include "core/catalog/catalog.h"
#include "core/catalog/rung.h"
#include "core/engine/context.h"
#include "core/engine/signer.h"
#include "core/store/stores.h"

struct sr_listing_entry {
    char set[SR_SET_MAX];
    char source[SR_SOURCE_MAX];
    char label[SR_LABEL_TEXT_MAX]; /* unescaped */
    int64_t time;                  /* UTC seconds */
    const char *trigger;           /* "scheduled" or "cli", as the label tells */
    uint64_t size;                 /* bytes of its data objects in one store */
    int encrypted;
    int held;
    struct sr_strlist stores;  /* names of the stores that hold it with a manifest */
    struct sr_strlist proofs;  /* suffixes, of all these stores; as their names tell (rung.h) */
    enum sr_rung rung;         /* the highest that stands in any of them */
    int64_t rung_since;        /* -1: no proof */
    struct sr_strlist failing; /* names of the stores where a check failed last */
    int64_t kept_until;        /* UTC seconds; SR_RETENTION_FOREVER, _NEWER; 0: goes now */
    char *kept_because;
    size_t unsigned_copies; /* beside which no signature lies */
    struct sr_trust *trust; /* of sr_listing_trust, the worst of its copies; NULL: not checked */
};

struct sr_listing {
    struct sr_listing_entry *items; /* newest first */
    size_t len;
    int has_keys; /* of sr_listing_trust: signatures can be checked here */
};

int sr_listing_read(struct sr_context *ctx, const struct sr_stores *stores,
                    const char *label_prefix, struct sr_listing **ret, struct sr_error *err);
void sr_listing_free(struct sr_listing *l);

/* Checks the signatures of the newest BACKUP_SIGN_LIST entries in every store that holds them, and
 * warns about bad ones. Nothing is fetched where no key is set. A copy that cannot be read now
 * counts as not checked. SR_E_CANCELLED, SR_E_NO_MEMORY. */
int sr_listing_trust(struct sr_context *ctx, const struct sr_stores *stores, struct sr_listing *l,
                     struct sr_error *err);
/* What is known of an entry: checked, or as names tell (SR_TRUST_UNSIGNED, SR_TRUST_UNCHECKED). */
enum sr_trust_state sr_listing_trust_of(const struct sr_listing *l,
                                        const struct sr_listing_entry *e);

/* Looks BACKUP up in the opened stores: "[STORE:]label|set|key|unique beginning|latest". The store
 * that holds it first (in the order of the settings) wins. On success *ret_store is one of stores,
 * *ret_set is filled, *ret_object is the object's key or "" for the whole set. SR_E_NOT_FOUND names
 * the nearest. */
int sr_backup_locate(struct sr_context *ctx, const struct sr_stores *stores, const char *backup,
                     const char *database, const char *label, struct sr_store_rw **ret_store,
                     struct sr_catalog_set *ret_set, char ret_object[SR_KEY_MAX],
                     struct sr_error *err);

#endif
