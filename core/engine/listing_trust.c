/* Signatures in a listing: of the newest backups they are checked, of the rest names tell. */
#include "config.h"
#include "core/engine/listing.h"
#include "core/engine/trust.h"
#include "core/util/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The copy in one store. What cannot be told now is no verdict. */
static int look(struct sr_context *ctx, struct sr_store *store, const struct sr_listing_entry *e,
                struct sr_trust *ret, struct sr_error *err)
{
    struct sr_catalog_set set = {.time = e->time, .has_manifest = 1};
    struct sr_manifest *m = NULL;
    struct sr_error why = SR_ERROR_INIT;
    struct sr_buf text;
    memcpy(set.set, e->set, sizeof set.set);
    memcpy(set.source, e->source, sizeof set.source);
    *ret = (struct sr_trust){.state = SR_TRUST_UNCHECKED};
    sr_buf_init(&text, SR_MANIFEST_MAX);
    int rc = sr_catalog_manifest_text(store, &set, &text, &m, &why);
    if (rc == SR_E_CORRUPT)
        ret->state = SR_TRUST_BAD;
    if (rc == SR_OK)
        rc = sr_trust_look(ctx, store, &set, sr_buf_str(&text), text.len, m, ret, &why);
    sr_manifest_free(m);
    sr_buf_done(&text);
    if (rc == SR_E_CANCELLED || rc == SR_E_NO_MEMORY)
        return sr_error_copy(err, &why);
    if (rc != SR_OK)
        (void)snprintf(ret->why, sizeof ret->why, "%.500s", why.text);
    if (ret->state == SR_TRUST_BAD)
        sr_log(SR_LOG_WARN, "backup %s of %s in store %s is not to be trusted: %s", e->set,
               e->source, sr_store_name(store), ret->why);
    return SR_OK;
}

/* Of several copies the worst is told: bad, unsigned, unchecked, signed. */
static int worse(enum sr_trust_state a, enum sr_trust_state b)
{
    static const int order[] = {[SR_TRUST_SIGNED] = 0,
                                [SR_TRUST_UNCHECKED] = 1,
                                [SR_TRUST_UNSIGNED] = 2,
                                [SR_TRUST_BAD] = 3};
    return order[a] > order[b];
}

static int check_entry(struct sr_context *ctx, const struct sr_stores *stores,
                       struct sr_listing_entry *e, struct sr_error *err)
{
    struct sr_trust *all = calloc(1, sizeof *all);
    int rc = all ? SR_OK : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    for (size_t i = 0; rc == SR_OK && i < e->stores.len; i++) {
        struct sr_store_rw *store = sr_stores_find(stores, e->stores.items[i]);
        struct sr_trust one;
        rc = sr_context_check(ctx, err);
        if (rc == SR_OK && store)
            rc = look(ctx, sr_store_ro(store), e, &one, err);
        if (rc == SR_OK && store && (i == 0 || worse(one.state, all->state)))
            *all = one;
    }
    if (rc == SR_OK)
        e->trust = all;
    else
        free(all);
    return rc;
}

int sr_listing_trust(struct sr_context *ctx, const struct sr_stores *stores, struct sr_listing *l,
                     struct sr_error *err)
{
    const struct sr_signer *keys = NULL;
    struct sr_error e = SR_ERROR_INIT;
    size_t most = (size_t)sr_config_int(ctx->cfg, "BACKUP_SIGN_LIST");
    int rc = sr_trust_keys(ctx, &keys, &e);
    if (rc != SR_OK) {
        /* What the stores hold is worth showing all the same. */
        sr_log(SR_LOG_WARN, "signatures are not checked: %s", e.text);
        return SR_OK;
    }
    l->has_keys = keys != NULL;
    for (size_t i = 0; keys && rc == SR_OK && i < l->len && (most == 0 || i < most); i++)
        rc = check_entry(ctx, stores, &l->items[i], err);
    return rc;
}

enum sr_trust_state sr_listing_trust_of(const struct sr_listing *l,
                                        const struct sr_listing_entry *e)
{
    if (e->trust)
        return e->trust->state;
    return l->has_keys && e->unsigned_copies > 0 ? SR_TRUST_UNSIGNED : SR_TRUST_UNCHECKED;
}
