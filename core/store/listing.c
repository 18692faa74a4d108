#include "config.h"
#include "core/store/listing.h"
#include "core/util/log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Of a million objects a million are held: the version stands behind the key's NUL and the checksum
 * behind the version's, so that an object takes one piece of memory. */
struct sr_gathered {
    char *key;
    uint64_t size;
    int64_t modified, locked_until;
    uint32_t sum_at; /* behind the version's NUL */
    uint8_t sum_kind, sum_len;
};

static int broken(struct sr_listing *l, const char *what, const char *key)
{
    l->code =
        sr_fail(&l->err, SR_E_INTERNAL, "store %s: plugin %s broke a promise: it %s%s%s",
                l->s->name, sr_plugin_file(l->s->plugin), what, key ? " " : "", key ? key : "");
    return 1;
}

/* Whether the caller asked for this one. A plugin may emit more than was asked for. */
static int asked_for(const struct sr_listing *l, const char *key)
{
    if (l->only)
        return strcmp(key, l->only) == 0;
    return strncmp(key, l->s->prefix, strlen(l->s->prefix)) == 0 &&
           strncmp(key, l->prefix, strlen(l->prefix)) == 0 && strcmp(key, l->start_after) > 0 &&
           (l->any_name || sr_key_check(key + strlen(l->s->prefix), NULL) == SR_OK);
}

static int hand_on(struct sr_listing *l, const struct sr_store_entry *e)
{
    if (l->emit && l->emit(l->ctx, e) != 0)
        l->stopped = 1;
    return l->stopped;
}

static int gather(struct sr_listing *l, const struct sr_store_entry *e)
{
    if (l->len == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 256;
        struct sr_gathered *g = reallocarray(l->gathered, cap, sizeof *g);
        if (!g)
            goto no_memory;
        l->gathered = g;
        l->cap = cap;
    }
    size_t key = strlen(e->key) + 1, version = strlen(e->version) + 1;
    struct sr_gathered g = {.key = malloc(key + version + e->sum_len),
                            .size = e->size,
                            .modified = e->modified,
                            .locked_until = e->locked_until,
                            .sum_at = (uint32_t)(key + version),
                            .sum_kind = (uint8_t)e->sum_kind,
                            .sum_len = (uint8_t)e->sum_len};
    if (g.key) {
        memcpy(g.key, e->key, key);
        memcpy(g.key + key, e->version, version);
        if (e->sum_len)
            memcpy(g.key + g.sum_at, e->sum, e->sum_len);
        l->gathered[l->len++] = g;
        return 0;
    }
no_memory:
    l->code = sr_fail(&l->err, SR_E_NO_MEMORY, "store %s: listing: out of memory after %zu entries",
                      l->s->name, l->len);
    return 1;
}

/* A listing in order is bounded like one that is gathered: its callers gather, too. */
static int too_many(struct sr_listing *l, const struct sr_storage_entry *e)
{
    l->bytes += sizeof(struct sr_gathered) + strlen(e->key) + (e->version ? strlen(e->version) : 0);
    if (l->bytes <= SR_LISTING_MAX)
        return 0;
    l->code = sr_fail(&l->err, SR_E_CORRUPT,
                      "store %s: the listing does not end: the names of %" PRIu64
                      " objects are more than the %u MiB that are taken; if that many are there, "
                      "give the backups a prefix of their own",
                      l->s->name, l->passed, (unsigned)(SR_LISTING_MAX >> 20));
    return 1;
}

static int accept_entry(struct sr_listing *l, const struct sr_storage_entry *from)
{
    const char *said = NULL;
    if (l->stopped || l->code != SR_OK) {
        sr_log(
            SR_LOG_WARN,
            "store %s: plugin %s broke a promise: it emitted an entry after it was told to stop; "
            "ignored",
            l->s->name, sr_plugin_file(l->s->plugin));
        return 1;
    }
    if (sr_host_said(l->s->host, &said) != 0)
        return broken(l, "emitted an entry after it had set an error:", said);
    struct sr_storage_entry e = {0};
    uint64_t least = offsetof(struct sr_storage_entry, modified);
    if (!from || from->size < least)
        return broken(l, "emitted an entry that is shorter than its key and size", NULL);
    memcpy(&e, from, from->size < sizeof e ? (size_t)from->size : sizeof e);
    if (!e.key || strnlen(e.key, SR_KEY_MAX) >= SR_KEY_MAX)
        return broken(l, "emitted an entry without a key that ends", NULL);
    if ((e.flags & (SR_STORAGE_ENTRY_OLD | SR_STORAGE_ENTRY_MARKER)) || !asked_for(l, e.key))
        return 0;
    if (!l->must_sort && !l->any_name) {
        if (*l->last && strcmp(e.key, l->last) <= 0)
            return broken(l, "says that it lists in order, but emitted out of order:", e.key);
        memcpy(l->last, e.key, strlen(e.key) + 1);
    }
    l->passed++;
    if (too_many(l, &e))
        return 1;
    size_t prefix = strlen(l->s->prefix);
    int summed = e.checksum && e.checksum_len > 0 && e.checksum_len <= SR_SUM_MAX &&
                 e.checksum_kind > 0 && e.checksum_kind <= UINT8_MAX;
    const struct sr_store_entry out = {
        .key = strncmp(e.key, l->s->prefix, prefix) == 0 ? e.key + prefix : e.key,
        .size = e.object_size,
        .modified = e.modified,
        .locked_until = e.locked_until,
        .version = e.version ? e.version : "",
        .sum_kind = summed ? (enum sr_sum_kind)e.checksum_kind : SR_SUM_NONE,
        .sum_len = summed ? (size_t)e.checksum_len : 0,
        .sum = summed ? e.checksum : NULL,
    };
    return l->must_sort ? gather(l, &out) : hand_on(l, &out);
}

int32_t sr_listing_emit(void *host, const struct sr_storage_entry *entry)
{
    struct sr_listing *l = sr_host_call_get(host, "an emitter");
    if (!l)
        return 1;
    int stop = accept_entry(l, entry);
    sr_host_call_put(host);
    return stop;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct sr_gathered *)a)->key, ((const struct sr_gathered *)b)->key);
}

int sr_listing_flush(struct sr_listing *l, struct sr_error *err)
{
    if (l->code != SR_OK)
        return sr_error_copy(err, &l->err);
    if (l->len > 1)
        qsort(l->gathered, l->len, sizeof *l->gathered, by_key);
    for (size_t i = 0; i < l->len && !l->stopped; i++) {
        const struct sr_gathered *g = &l->gathered[i];
        /* Pages of a store that changes meanwhile may overlap. */
        if (i > 0 && strcmp(g->key, l->gathered[i - 1].key) == 0)
            continue;
        const struct sr_store_entry e = {
            .key = g->key,
            .size = g->size,
            .modified = g->modified,
            .locked_until = g->locked_until,
            .version = g->key + strlen(g->key) + 1,
            .sum_kind = (enum sr_sum_kind)g->sum_kind,
            .sum_len = g->sum_len,
            .sum = g->sum_len ? (const unsigned char *)g->key + g->sum_at : NULL};
        (void)hand_on(l, &e);
    }
    return SR_OK;
}

void sr_listing_done(struct sr_listing *l)
{
    for (size_t i = 0; i < l->len; i++)
        free(l->gathered[i].key);
    free(l->gathered);
    l->gathered = NULL;
    l->len = l->cap = 0;
}
