/* One store of a sync: opened, listed once, its entries looked up. */
#include "config.h"
#include "core/engine/sync_private.h"
#include "core/engine/watch.h"

#include <stdlib.h>
#include <string.h>

/* --- the index --- */

static int room_for(struct sr_sync_index *x, size_t more)
{
    if (x->text_cap - x->text_len < more) {
        size_t cap = x->text_cap ? 2 * x->text_cap : 65536;
        while (cap - x->text_len < more)
            cap *= 2;
        char *text = realloc(x->text, cap);
        if (!text)
            return SR_E_NO_MEMORY;
        x->text = text;
        x->text_cap = cap;
    }
    if (x->len == x->cap) {
        size_t cap = x->cap ? 2 * x->cap : 1024;
        struct sr_sync_slot *slots = reallocarray(x->slots, cap, sizeof *slots);
        if (!slots)
            return SR_E_NO_MEMORY;
        x->slots = slots;
        x->cap = cap;
    }
    return SR_OK;
}

int sr_sync_index_add(void *index, const struct sr_store_entry *e, struct sr_error *err)
{
    struct sr_sync_index *x = index;
    struct sr_key_parts parts;
    sr_key_parse(e->key, &parts);
    if (parts.kind == SR_KEY_OTHER)
        return SR_OK;
    size_t key = strlen(e->key) + 1;
    if (room_for(x, key + e->sum_len) != SR_OK)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory after %zu entries", x->len);
    x->slots[x->len++] = (struct sr_sync_slot){.at = x->text_len,
                                               .size = e->size,
                                               .sum_kind = (uint8_t)e->sum_kind,
                                               .sum_len = (uint8_t)e->sum_len};
    memcpy(x->text + x->text_len, e->key, key);
    if (e->sum_len)
        memcpy(x->text + x->text_len + key, e->sum, e->sum_len);
    x->text_len += key + e->sum_len;
    return SR_OK;
}

void sr_sync_index_done(struct sr_sync_index *x)
{
    free(x->text);
    free(x->slots);
    *x = (struct sr_sync_index){0};
}

static struct sr_sync_entry entry_at(const struct sr_sync_index *x, size_t i)
{
    const struct sr_sync_slot *s = &x->slots[i];
    const char *key = x->text + s->at;
    return (struct sr_sync_entry){
        .key = key,
        .size = s->size,
        .sum_kind = (enum sr_sum_kind)s->sum_kind,
        .sum_len = s->sum_len,
        .sum = s->sum_len ? (const unsigned char *)key + strlen(key) + 1 : NULL,
    };
}

/* The first slot whose key is not below this one. */
static size_t lower_bound(const struct sr_sync_index *x, const char *key)
{
    size_t lo = 0, hi = x->len;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (strcmp(x->text + x->slots[mid].at, key) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

int sr_sync_find(const struct sr_sync_index *x, const char *key, struct sr_sync_entry *ret)
{
    size_t i = lower_bound(x, key);
    if (i == x->len || strcmp(x->text + x->slots[i].at, key) != 0)
        return 0;
    if (ret)
        *ret = entry_at(x, i);
    return 1;
}

void sr_sync_each_key(const struct sr_sync_index *x, const char *set, const char *source,
                      int (*each)(void *ctx, const struct sr_sync_entry *e, enum sr_key_kind kind),
                      void *ctx)
{
    static const char after[] = {'-', '.'};
    size_t n = strlen(set);
    for (size_t k = 0; k < sizeof after; k++) {
        char prefix[SR_SET_MAX + 1];
        memcpy(prefix, set, n);
        prefix[n] = after[k];
        prefix[n + 1] = '\0';
        for (size_t i = lower_bound(x, prefix);
             i < x->len && strncmp(x->text + x->slots[i].at, prefix, n + 1) == 0; i++) {
            struct sr_sync_entry e = entry_at(x, i);
            struct sr_key_parts parts;
            sr_key_parse(e.key, &parts);
            if (parts.kind == SR_KEY_OBJECT) {
                if (!sr_key_belongs(e.key, set))
                    continue;
            } else if (strcmp(parts.set, set) != 0 || parts.kind == SR_KEY_MANIFEST ||
                       parts.kind == SR_KEY_PRUNING ||
                       (parts.kind != SR_KEY_CLAIM && strcmp(parts.source, source) != 0)) {
                continue;
            }
            if (each(ctx, &e, parts.kind) != 0)
                return;
        }
    }
}

int sr_sync_same(const struct sr_sync_entry *a, const struct sr_sync_entry *b)
{
    if (a->size != b->size)
        return 0;
    if (a->sum_len == 0 || a->sum_len != b->sum_len || a->sum_kind != b->sum_kind)
        return -1;
    return memcmp(a->sum, b->sum, a->sum_len) == 0;
}

/* --- the store --- */

int sr_sync_side_open(struct sr_sync_side *side, struct sr_context *ctx, const char *name,
                      int read_only, struct sr_error *err)
{
    if (strchr(name, ','))
        return sr_fail(err, SR_E_USAGE, "'%s' is not the name of one store", name);
    int rc = sr_stores_open_as(ctx->cfg, name, read_only, &side->stores, err);
    if (rc != SR_OK)
        return rc;
    if (side->stores.len != 1)
        return sr_fail(err, SR_E_USAGE, "'%s' is not the name of one store", name);
    sr_watch_stores(ctx, &side->stores);
    side->rw = side->stores.items[0];
    side->store = sr_store_ro(side->rw);
    side->name = sr_store_name(side->store);
    return SR_OK;
}

static int by_name(const void *a, const void *b)
{
    const struct sr_catalog_set *x = *(const struct sr_catalog_set *const *)a,
                                *y = *(const struct sr_catalog_set *const *)b;
    int c = strcmp(x->set, y->set);
    return c ? c : strcmp(x->source, y->source);
}

int sr_sync_side_list(struct sr_sync_side *side, struct sr_context *ctx, struct sr_error *err)
{
    int rc =
        sr_catalog_read_with(side->store, sr_sync_index_add, &side->index, &side->catalog, err);
    if (rc != SR_OK)
        return rc;
    sr_trust_notice(ctx, side->store, side->catalog);
    side->by_name = calloc(side->catalog->len + 1, sizeof *side->by_name);
    if (!side->by_name)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < side->catalog->len; i++)
        side->by_name[i] = &side->catalog->sets[i];
    if (side->catalog->len > 1)
        qsort(side->by_name, side->catalog->len, sizeof *side->by_name, by_name);
    return SR_OK;
}

const struct sr_catalog_set *sr_sync_side_set(const struct sr_sync_side *side, const char *set,
                                              const char *source, int any)
{
    size_t lo = 0, hi = side->catalog->len;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = strcmp(side->by_name[mid]->set, set);
        if (c == 0)
            c = strcmp(side->by_name[mid]->source, source);
        if (c == 0)
            return any || side->by_name[mid]->has_manifest ? side->by_name[mid] : NULL;
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

void sr_sync_side_close(struct sr_sync_side *side, struct sr_context *ctx)
{
    sr_unwatch_stores(ctx, &side->stores);
    sr_stores_close(&side->stores);
    sr_catalog_free(side->catalog);
    sr_sync_index_done(&side->index);
    free(side->by_name);
    *side = (struct sr_sync_side){0};
}
