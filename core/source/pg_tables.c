#include "config.h"
#include "core/source/pg_tables.h"
#include "core/util/error.h"

#include <stdlib.h>
#include <string.h>

static size_t hash(const char *name, size_t len)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)name[i]) * 1099511628211u;
    return (size_t)(h ^ (h >> 32));
}

/* Makes room for one more name; half of the slots stay free. */
static int slots_grow(struct sr_pg_tables *t)
{
    if ((t->len + 1) * 2 <= t->slot_count)
        return SR_OK;
    size_t count = t->slot_count ? t->slot_count * 2 : 256;
    size_t *slots = calloc(count, sizeof *slots);
    if (!slots)
        return SR_E_NO_MEMORY;
    for (size_t i = 0; i < t->len; i++) {
        size_t at = hash(t->items[i].name, strlen(t->items[i].name)) % count;
        while (slots[at])
            at = (at + 1) % count;
        slots[at] = i + 1;
    }
    free(t->slots);
    t->slots = slots;
    t->slot_count = count;
    return SR_OK;
}

static int add(struct sr_pg_tables *t, const char *name, size_t len, size_t slot)
{
    if (t->len == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 64;
        struct sr_pg_table *grown = realloc(t->items, cap * sizeof *grown);
        if (!grown)
            return SR_E_NO_MEMORY;
        t->items = grown;
        t->cap = cap;
    }
    char *copy = strndup(name, len);
    if (!copy)
        return SR_E_NO_MEMORY;
    t->items[t->len] = (struct sr_pg_table){copy, 0};
    t->names_len += len;
    t->slots[slot] = ++t->len;
    return SR_OK;
}

int sr_pg_tables_at(struct sr_pg_tables *t, const char *name, size_t len, size_t *ret)
{
    if (slots_grow(t) != SR_OK)
        return SR_E_NO_MEMORY;
    size_t at = hash(name, len) % t->slot_count;
    for (; t->slots[at]; at = (at + 1) % t->slot_count) {
        const char *have = t->items[t->slots[at] - 1].name;
        if (strlen(have) == len && memcmp(have, name, len) == 0) {
            *ret = t->slots[at] - 1;
            return SR_OK;
        }
    }
    if (t->len >= SR_PG_TABLES_MAX || t->names_len + len > SR_PG_TABLES_NAMES_MAX) {
        t->cut = 1;
        *ret = SIZE_MAX;
        return SR_OK;
    }
    *ret = t->len;
    return add(t, name, len, at);
}

void sr_pg_tables_done(struct sr_pg_tables *t)
{
    for (size_t i = 0; i < t->len; i++)
        free(t->items[i].name);
    free(t->items);
    free(t->slots);
    *t = (struct sr_pg_tables){0};
}
