#include "config.h"
#include "core/catalog/manifest.h"

#include <stdlib.h>
#include <string.h>

int sr_set_string(char **field, const char *value)
{
    char *copy = NULL;
    if (value && !(copy = strdup(value)))
        return SR_E_NO_MEMORY;
    free(*field);
    *field = copy;
    return SR_OK;
}

/* Makes room for one more of size bytes each, zeroed. The arrays grow by doubling at powers of two,
 * so that their length alone tells their room. */
static void *grow(void *items, size_t len, size_t size)
{
    if (len == 0 || (len & (len - 1)) == 0)
        items = reallocarray(items, len ? 2 * len : 1, size);
    if (items)
        memset((char *)items + len * size, 0, size);
    return items;
}

int sr_manifest_new(struct sr_manifest **ret)
{
    struct sr_manifest *m = calloc(1, sizeof *m);
    if (!m)
        return SR_E_NO_MEMORY;
    m->format = SR_MANIFEST_FORMAT;
    *ret = m;
    return SR_OK;
}

struct sr_manifest_object *sr_manifest_add_object(struct sr_manifest *m)
{
    struct sr_manifest_object *objects = grow(m->objects, m->objects_len, sizeof *objects);
    if (!objects)
        return NULL;
    m->objects = objects;
    return &objects[m->objects_len++];
}

void sr_manifest_free(struct sr_manifest *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->objects_len; i++) {
        struct sr_manifest_object *o = &m->objects[i];
        free(o->key);
        free(o->kind);
        free(o->database);
        free(o->compression);
        free(o->encryption);
    }
    free(m->objects);
    free(m->set);
    free(m->label);
    free(m->source);
    free(m->trigger);
    free(m->strongroom_version);
    free(m->host);
    free(m->detail_key);
    sr_strlist_done(&m->recipients);
    sr_strlist_done(&m->tools);
    sr_strlist_done(&m->notes);
    sr_detail_free(m->detail);
    free(m);
}

int sr_detail_new(struct sr_detail **ret)
{
    struct sr_detail *d = calloc(1, sizeof *d);
    if (!d)
        return SR_E_NO_MEMORY;
    *ret = d;
    return SR_OK;
}

struct sr_detail_object *sr_detail_add_object(struct sr_detail *d)
{
    struct sr_detail_object *objects = grow(d->objects, d->objects_len, sizeof *objects);
    if (!objects)
        return NULL;
    d->objects = objects;
    return &objects[d->objects_len++];
}

int sr_detail_add_rows(struct sr_detail_object *o, const char *table, uint64_t rows)
{
    struct sr_rows *all = grow(o->rows, o->rows_len, sizeof *all);
    if (!all)
        return SR_E_NO_MEMORY;
    o->rows = all;
    if (sr_set_string(&all[o->rows_len].table, table) != SR_OK)
        return SR_E_NO_MEMORY;
    all[o->rows_len++].rows = rows;
    return SR_OK;
}

void sr_detail_free(struct sr_detail *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->objects_len; i++) {
        struct sr_detail_object *o = &d->objects[i];
        for (size_t j = 0; j < o->rows_len; j++)
            free(o->rows[j].table);
        free(o->rows);
        free(o->key);
        free(o->database);
    }
    free(d->objects);
    free(d->set);
    free(d->host);
    free(d->server);
    free(d->user);
    sr_strlist_done(&d->roles);
    sr_strlist_done(&d->extensions);
    free(d);
}
