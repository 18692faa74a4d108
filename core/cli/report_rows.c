#include "config.h"
#include "core/cli/report_rows.h"
#include "core/cli/output.h"

#include <string.h>

static const struct sr_detail_object *detail_of(const struct sr_detail *d, const char *key)
{
    for (size_t i = 0; d && i < d->objects_len; i++)
        if (d->objects[i].key && strcmp(d->objects[i].key, key) == 0)
            return &d->objects[i];
    return NULL;
}

static json_t *rows_json(const struct sr_detail_object *o)
{
    if (!o || o->rows_len == 0)
        return json_null();
    json_t *rows = json_object();
    for (size_t i = 0; rows && i < o->rows_len; i++) {
        /* By way of a JSON string: a table's name need not be UTF-8. */
        json_t *name = sr_json_text_or_null(o->rows[i].table);
        int bad = !name || json_object_set_new(rows, json_string_value(name),
                                               sr_json_size(o->rows[i].rows)) != 0;
        json_decref(name);
        if (bad) {
            json_decref(rows);
            return NULL;
        }
    }
    return rows;
}

json_t *sr_objects_json(const struct sr_manifest *m, const struct sr_detail *d)
{
    json_t *a = json_array();
    for (size_t i = 0; a && i < m->objects_len; i++) {
        const struct sr_manifest_object *o = &m->objects[i];
        const struct sr_detail_object *known = detail_of(d, o->key);
        const char *database = o->database ? o->database : known ? known->database : NULL;
        json_t *e = json_pack(
            "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "key",
            sr_json_text_or_null(o->key), "kind", sr_json_text_or_null(o->kind), "database",
            sr_json_text_or_null(database), "compression", sr_json_text_or_null(o->compression),
            "encryption", sr_json_text_or_null(o->encryption), "size", sr_json_size(o->size),
            "sha256", sr_json_text_or_null(o->sha256), "plain_sha256",
            sr_json_text_or_null(*o->plain_sha256 ? o->plain_sha256 : NULL), "plain_size",
            sr_json_size(o->plain_size), "raw_size",
            o->raw_size ? sr_json_size(o->raw_size) : json_null(), "rows", rows_json(known));
        sr_json_append(&a, e);
    }
    return a;
}

static int counted_before(const struct sr_detail *d, size_t i)
{
    const char *database = d->objects[i].database;
    for (size_t j = 0; j < i; j++)
        if (d->objects[j].rows_len > 0 && database && d->objects[j].database &&
            strcmp(d->objects[j].database, database) == 0)
            return 1;
    return 0;
}

uint64_t sr_rows_total(const struct sr_detail *d, size_t *ret_tables)
{
    uint64_t total = 0;
    size_t tables = 0;
    for (size_t i = 0; d && i < d->objects_len; i++) {
        if (counted_before(d, i))
            continue;
        tables += d->objects[i].rows_len;
        for (size_t k = 0; k < d->objects[i].rows_len; k++)
            total += d->objects[i].rows[k].rows;
    }
    *ret_tables = tables;
    return total;
}
