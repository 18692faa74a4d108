#include "config.h"
#include "core/catalog/catalog_builder.h"

#include <stdlib.h>
#include <string.h>

struct object {
    char *key;
    uint64_t size;
};

struct sr_catalog_builder {
    struct sr_catalog_set *sets;
    size_t sets_len, sets_cap;
    struct object *objects;
    size_t objects_len, objects_cap;
};

static int no_memory(struct sr_error *err)
{
    return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
}

static void set_done(struct sr_catalog_set *s)
{
    sr_strlist_done(&s->proofs);
    sr_strlist_done(&s->beside);
}

int sr_catalog_builder_new(struct sr_catalog_builder **ret, struct sr_error *err)
{
    struct sr_catalog_builder *b = calloc(1, sizeof *b);
    if (!b)
        return no_memory(err);
    *ret = b;
    return SR_OK;
}

void sr_catalog_builder_free(struct sr_catalog_builder *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->sets_len; i++)
        set_done(&b->sets[i]);
    for (size_t i = 0; i < b->objects_len; i++)
        free(b->objects[i].key);
    free(b->sets);
    free(b->objects);
    free(b);
}

static int is_set(const struct sr_catalog_set *s, const char *set, const char *source)
{
    return strcmp(s->set, set) == 0 && strcmp(s->source, source) == 0;
}

/* What lies beside one set follows in one run of a sorted listing, almost always; a second entry
 * for the same set is joined when finishing. NULL: no memory. */
static struct sr_catalog_set *set_of(struct sr_catalog_builder *b, const struct sr_key_parts *p)
{
    if (b->sets_len && is_set(&b->sets[b->sets_len - 1], p->set, p->source))
        return &b->sets[b->sets_len - 1];
    if (b->sets_len == b->sets_cap) {
        size_t cap = b->sets_cap ? b->sets_cap * 2 : 64;
        struct sr_catalog_set *sets = reallocarray(b->sets, cap, sizeof *sets);
        if (!sets)
            return NULL;
        b->sets = sets;
        b->sets_cap = cap;
    }
    struct sr_catalog_set *s = &b->sets[b->sets_len++];
    memset(s, 0, sizeof *s);
    memcpy(s->set, p->set, sizeof s->set);
    memcpy(s->source, p->source, sizeof s->source);
    sr_set_split(s->set, s->label, &s->time);
    return s;
}

static int add_object(struct sr_catalog_builder *b, const struct sr_store_entry *e)
{
    if (b->objects_len == b->objects_cap) {
        size_t cap = b->objects_cap ? b->objects_cap * 2 : 64;
        struct object *objects = reallocarray(b->objects, cap, sizeof *objects);
        if (!objects)
            return SR_E_NO_MEMORY;
        b->objects = objects;
        b->objects_cap = cap;
    }
    char *key = strdup(e->key);
    if (!key)
        return SR_E_NO_MEMORY;
    b->objects[b->objects_len++] = (struct object){key, e->size};
    return SR_OK;
}

int sr_catalog_builder_add(struct sr_catalog_builder *b, const struct sr_store_entry *e,
                           struct sr_error *err)
{
    struct sr_key_parts p;
    sr_key_parse(e->key, &p);
    /* Marks make no backup, and say nothing about one. */
    if (p.kind == SR_KEY_OTHER || p.kind == SR_KEY_CLAIM || p.kind == SR_KEY_PRUNING)
        return SR_OK;
    if (p.kind == SR_KEY_OBJECT)
        return add_object(b, e) == SR_OK ? SR_OK : no_memory(err);
    struct sr_catalog_set *s = set_of(b, &p);
    if (!s)
        return no_memory(err);
    if (p.kind == SR_KEY_MANIFEST) {
        s->has_manifest = 1;
        s->manifest_size = e->size;
        if (s->time < 0)
            s->time = e->modified;
        return SR_OK;
    }
    if (p.kind == SR_KEY_HOLD)
        s->held = 1;
    if (p.kind == SR_KEY_SIGNATURE)
        s->has_signature = 1;
    if (p.kind == SR_KEY_PROOF && sr_strlist_add(&s->proofs, p.suffix) != SR_OK)
        return no_memory(err);
    return sr_strlist_add(&s->beside, e->key) == SR_OK ? SR_OK : no_memory(err);
}

static int by_name(const void *a, const void *b)
{
    const struct sr_catalog_set *x = a, *y = b;
    int c = strcmp(x->set, y->set);
    return c ? c : strcmp(x->source, y->source);
}

static int by_time(const void *a, const void *b)
{
    const struct sr_catalog_set *x = a, *y = b;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return by_name(a, b);
}

static int by_key(const void *a, const void *b)
{
    const struct object *x = a, *y = b;
    return strcmp(x->key, y->key);
}

/* Adds what from holds to s; both name one set. */
static int join(struct sr_catalog_set *s, const struct sr_catalog_set *from)
{
    for (size_t i = 0; i < from->proofs.len; i++)
        if (sr_strlist_add(&s->proofs, from->proofs.items[i]) != SR_OK)
            return SR_E_NO_MEMORY;
    for (size_t i = 0; i < from->beside.len; i++)
        if (sr_strlist_add(&s->beside, from->beside.items[i]) != SR_OK)
            return SR_E_NO_MEMORY;
    s->held |= from->held;
    s->has_signature |= from->has_signature;
    if (from->has_manifest) {
        s->has_manifest = 1;
        s->manifest_size = from->manifest_size;
        if (s->time < 0)
            s->time = from->time;
    }
    return SR_OK;
}

static int join_doubles(struct sr_catalog_builder *b)
{
    size_t kept = 0, i = 0;
    int rc = SR_OK;
    for (; rc == SR_OK && i < b->sets_len; i++) {
        if (kept && by_name(&b->sets[kept - 1], &b->sets[i]) == 0) {
            rc = join(&b->sets[kept - 1], &b->sets[i]);
            set_done(&b->sets[i]);
        } else {
            b->sets[kept++] = b->sets[i];
        }
    }
    for (; i < b->sets_len; i++)
        set_done(&b->sets[i]);
    b->sets_len = kept;
    return rc;
}

/* The first of the sets, sorted by name, that is called set; or NULL. */
static struct sr_catalog_set *first_named(const struct sr_catalog_builder *b, const char *set)
{
    size_t lo = 0, hi = b->sets_len;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (strcmp(b->sets[mid].set, set) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < b->sets_len && strcmp(b->sets[lo].set, set) == 0 ? &b->sets[lo] : NULL;
}

static void count_object(const struct sr_catalog_builder *b, const struct object *o)
{
    struct sr_key_parts p;
    size_t len = strlen(o->key);
    sr_key_parse(o->key, &p);
    struct sr_catalog_set *s = first_named(b, p.set);
    /* The uncertain reading: the last part of a bare set's name may be a database. */
    char *dot = s ? NULL : strrchr(p.set, '.');
    if (dot) {
        *dot = '\0';
        s = first_named(b, p.set);
    }
    for (; s && s < b->sets + b->sets_len && strcmp(s->set, p.set) == 0; s++) {
        s->data_objects++;
        s->data_size += o->size;
        s->encrypted |= len > 4 && strcmp(o->key + len - 4, ".gpg") == 0;
    }
}

int sr_catalog_builder_finish(struct sr_catalog_builder *b, struct sr_catalog **ret,
                              struct sr_error *err)
{
    struct sr_catalog *c = calloc(1, sizeof *c);
    int rc = c ? SR_OK : SR_E_NO_MEMORY;
    if (b->sets_len > 1)
        qsort(b->sets, b->sets_len, sizeof *b->sets, by_name);
    if (rc == SR_OK)
        rc = join_doubles(b);
    if (b->objects_len > 1)
        qsort(b->objects, b->objects_len, sizeof *b->objects, by_key);
    for (size_t i = 0; i < b->objects_len; i++)
        count_object(b, &b->objects[i]);
    for (size_t i = 0; rc == SR_OK && i < b->objects_len; i++) {
        rc = sr_strlist_add(&c->objects, b->objects[i].key);
        free(b->objects[i].key);
        b->objects[i].key = NULL;
    }
    if (rc == SR_OK) {
        for (size_t i = 0; i < b->sets_len; i++) {
            if (b->sets[i].time < 0)
                b->sets[i].time = 0;
            sr_strlist_sort(&b->sets[i].proofs);
            sr_strlist_sort(&b->sets[i].beside);
        }
        if (b->sets_len > 1)
            qsort(b->sets, b->sets_len, sizeof *b->sets, by_time);
        c->sets = b->sets;
        c->len = b->sets_len;
        b->sets = NULL;
        b->sets_len = 0;
        *ret = c;
    } else {
        sr_catalog_free(c);
        rc = no_memory(err);
    }
    sr_catalog_builder_free(b);
    return rc;
}

void sr_catalog_free(struct sr_catalog *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->len; i++)
        set_done(&c->sets[i]);
    free(c->sets);
    sr_strlist_done(&c->objects);
    free(c);
}
