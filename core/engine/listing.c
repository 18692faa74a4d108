#include "config.h"
#include "core/engine/listing.h"
#include "core/engine/retention_judge.h"
#include "core/engine/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b)
{
    const struct sr_listing_entry *x = a, *y = b;
    int c = strcmp(x->set, y->set);
    return c ? c : strcmp(x->source, y->source);
}

/* Among the first n, which are sorted by name. */
static struct sr_listing_entry *entry_find(struct sr_listing *l, size_t n,
                                           const struct sr_catalog_set *set)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        struct sr_listing_entry *e = &l->items[mid];
        int c = strcmp(e->set, set->set);
        c = c ? c : strcmp(e->source, set->source);
        if (c == 0)
            return e;
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

/* Appends; looking for an earlier one is left to the caller, which knows whether there can be one.
 */
static struct sr_listing_entry *entry_add(struct sr_listing *l, size_t *cap,
                                          const struct sr_catalog_set *set)
{
    if (l->len == *cap) {
        size_t more = *cap ? *cap * 2 : 64;
        struct sr_listing_entry *items = reallocarray(l->items, more, sizeof *items);
        if (!items)
            return NULL;
        l->items = items;
        *cap = more;
    }
    struct sr_listing_entry *e = &l->items[l->len++];
    *e = (struct sr_listing_entry){.time = set->time, .rung_since = -1};
    memcpy(e->set, set->set, sizeof e->set);
    memcpy(e->source, set->source, sizeof e->source);
    if (sr_name_unescape(set->label, e->label, sizeof e->label, NULL) != SR_OK)
        (void)snprintf(e->label, sizeof e->label, "%s", set->label);
    e->trigger = strcmp(set->label, "scheduled") == 0 ? "scheduled" : "cli";
    return e;
}

/* Proofs are of one copy: what failed in one store says nothing of the other. */
static int proofs_merge(struct sr_listing_entry *e, const struct sr_catalog_set *set,
                        const char *store, int64_t now)
{
    struct sr_standing s;
    sr_standing_of(&set->proofs, now, &s);
    if (s.rung > e->rung || (s.rung == e->rung && s.since > e->rung_since)) {
        e->rung = s.rung;
        e->rung_since = s.since;
    }
    for (size_t i = 0; i < set->proofs.len; i++)
        if (!sr_strlist_has(&e->proofs, set->proofs.items[i]) &&
            sr_strlist_add(&e->proofs, set->proofs.items[i]) != SR_OK)
            return SR_E_NO_MEMORY;
    return s.failed == SR_RUNG_NONE ? SR_OK : sr_strlist_add(&e->failing, store);
}

/* What one store adds to an entry. Of two stores the longer life is told. */
static int entry_merge(struct sr_listing_entry *e, const struct sr_catalog_set *set,
                       const char *store, const struct sr_retention_verdict *v, int64_t now)
{
    e->held |= set->held;
    e->unsigned_copies += !set->has_signature;
    e->encrypted |= set->encrypted;
    if (set->data_size > e->size)
        e->size = set->data_size;
    if (proofs_merge(e, set, store, now) != SR_OK)
        return SR_E_NO_MEMORY;
    int64_t until = v->keep ? v->kept_until : 0;
    int longer = !e->kept_because || (e->kept_until >= 0 && (until < 0 || until > e->kept_until));
    if (longer) {
        free(e->kept_because);
        e->kept_because = strdup(v->reason);
        e->kept_until = until;
        if (!e->kept_because)
            return SR_E_NO_MEMORY;
    }
    return sr_strlist_add(&e->stores, store);
}

static int list_store(struct sr_context *ctx, struct sr_store *store, const char *label_prefix,
                      struct sr_listing *l, size_t *cap, struct sr_error *err)
{
    struct sr_catalog *c = NULL;
    struct sr_retention_verdict *verdicts = NULL;
    const size_t earlier = l->len;
    const int64_t now = sr_clock_now(ctx->clock);
    if (earlier > 1)
        qsort(l->items, earlier, sizeof *l->items, by_name);
    int rc = sr_catalog_read(store, &c, err);
    if (rc == SR_OK)
        sr_trust_notice(ctx, store, c);
    if (rc == SR_OK)
        rc = sr_retention_judge_names(ctx, store, c, now, &verdicts, err);
    for (size_t i = c ? c->len : 0; rc == SR_OK && i-- > 0;) {
        const struct sr_catalog_set *set = &c->sets[i];
        if (!set->has_manifest ||
            (label_prefix && strncmp(set->label, label_prefix, strlen(label_prefix)) != 0))
            continue;
        struct sr_listing_entry *e = entry_find(l, earlier, set);
        if (!e)
            e = entry_add(l, cap, set);
        if (!e || entry_merge(e, set, sr_store_name(store), &verdicts[i], now) != SR_OK)
            rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    free(verdicts);
    sr_catalog_free(c);
    return rc;
}

static int newest_first(const void *a, const void *b)
{
    const struct sr_listing_entry *x = a, *y = b;
    return x->time != y->time ? (x->time < y->time ? 1 : -1) : strcmp(x->set, y->set);
}

int sr_listing_read(struct sr_context *ctx, const struct sr_stores *stores,
                    const char *label_prefix, struct sr_listing **ret, struct sr_error *err)
{
    struct sr_error first = SR_ERROR_INIT;
    size_t cap = 0, read = 0;
    char prefix[SR_LABEL_MAX + 1];
    if (label_prefix && *label_prefix) {
        int rc = sr_label_escape(label_prefix, prefix, err);
        if (rc != SR_OK)
            return rc;
        label_prefix = prefix;
    }
    struct sr_listing *l = calloc(1, sizeof *l);
    if (!l)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < stores->len; i++) {
        struct sr_error e = SR_ERROR_INIT;
        int rc = list_store(ctx, sr_store_ro(stores->items[i]), label_prefix, l, &cap, &e);
        if (rc == SR_OK)
            read++;
        else if (first.code == SR_OK)
            first = e;
    }
    if (first.code == SR_OK && stores->closed_len > 0)
        first = stores->closed[0].error;
    if (first.code != SR_OK && read == 0) {
        sr_listing_free(l);
        return sr_error_copy(err, &first);
    }
    if (l->len > 1)
        qsort(l->items, l->len, sizeof *l->items, newest_first);
    *ret = l;
    if (first.code != SR_OK)
        return sr_fail(err, SR_E_PARTIAL, "%zu of %zu stores could be listed: %s", read,
                       stores->len + stores->closed_len, first.text);
    return SR_OK;
}

void sr_listing_free(struct sr_listing *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->len; i++) {
        sr_strlist_done(&l->items[i].stores);
        sr_strlist_done(&l->items[i].proofs);
        sr_strlist_done(&l->items[i].failing);
        free(l->items[i].kept_because);
        free(l->items[i].trust);
    }
    free(l->items);
    free(l);
}
