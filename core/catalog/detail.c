#include "config.h"
#include "core/catalog/manifest_json.h"
#include "core/catalog/names.h"
#include "core/store/store.h"
#include "core/util/cleanup.h"

#include <stdlib.h>
#include <string.h>

static int put_rows(json_t *o, const struct sr_detail_object *d)
{
    json_t *rows = json_object();
    int bad = json_object_set_new(o, "rows", rows);
    for (size_t i = 0; !bad && i < d->rows_len; i++) {
        _cleanup_free_ char *table = sr_utf8_clean(d->rows[i].table);
        if (!table)
            return -1;
        json_t *had = json_object_get(rows, table);
        uint64_t n = d->rows[i].rows + (had ? (uint64_t)json_integer_value(had) : 0);
        bad = sr_json_put_u64(rows, table, n);
    }
    return bad;
}

static int put_names(json_t *o, const char *name, const struct sr_strlist *l)
{
    json_t *a = json_array();
    int bad = json_object_set_new(o, name, a);
    for (size_t i = 0; !bad && i < l->len; i++)
        bad = json_array_append_new(a, sr_json_text(l->items[i]));
    return bad;
}

json_t *sr_detail_to_json(const struct sr_detail *d, int with_rows)
{
    json_t *root = json_object(), *objects = json_array();
    int bad = !root || sr_json_put_u64(root, "format", SR_MANIFEST_FORMAT) ||
              sr_json_put(root, "set", d->set) || sr_json_put(root, "host", d->host) ||
              sr_json_put(root, "server", d->server) || sr_json_put(root, "user", d->user) ||
              json_object_set(root, "objects", objects);
    for (size_t i = 0; !bad && i < d->objects_len; i++) {
        json_t *o = json_object();
        bad = json_array_append_new(objects, o);
        bad = bad || sr_json_put(o, "key", d->objects[i].key) ||
              sr_json_put(o, "database", d->objects[i].database) ||
              (with_rows && put_rows(o, &d->objects[i]));
    }
    bad =
        bad || put_names(root, "roles", &d->roles) || put_names(root, "extensions", &d->extensions);
    json_decref(objects);
    if (!bad)
        return root;
    json_decref(root);
    return NULL;
}

static int read_rows(json_t *rows, struct sr_detail_object *o, struct sr_error *err)
{
    const char *table;
    json_t *v;
    json_object_foreach(rows, table, v)
    {
        if (!json_is_integer(v) || json_integer_value(v) < 0)
            return sr_fail(err, SR_E_CORRUPT, "a number of rows that is none");
        if (sr_detail_add_rows(o, table, (uint64_t)json_integer_value(v)) != SR_OK)
            return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    return SR_OK;
}

static int read_object(const json_t *j, struct sr_detail_object *o, struct sr_error *err)
{
    json_t *rows = NULL;
    if (!json_is_object(j))
        return sr_fail(err, SR_E_CORRUPT, "it is no object");
    int rc = sr_json_copy(j, "key", SR_JSON_REQUIRED, SR_KEY_MAX - 1, &o->key, err);
    if (rc == SR_OK)
        rc = sr_key_check(o->key, err);
    if (rc == SR_OK)
        rc = sr_json_copy(j, "database", SR_JSON_OPTIONAL, SR_MANIFEST_TEXT_MAX, &o->database, err);
    if (rc == SR_OK)
        rc = sr_json_get(j, "rows", SR_JSON_OPTIONAL, JSON_OBJECT, &rows, err);
    return rc == SR_OK && rows ? read_rows(rows, o, err) : rc;
}

static int read_members(const json_t *root, struct sr_detail *d, struct sr_error *err)
{
    json_t *objects = NULL;
    uint64_t format = 0;
    int rc = sr_json_get_u64(root, "format", SR_JSON_REQUIRED, INT64_MAX, &format, err);
    if (rc == SR_OK && format > SR_MANIFEST_FORMAT)
        return sr_fail(err, SR_E_UNSUPPORTED,
                       "it has format %llu, this strongroom reads up to %d; use a newer one",
                       (unsigned long long)format, SR_MANIFEST_FORMAT);
    if (rc == SR_OK)
        rc = sr_json_copy(root, "set", SR_JSON_OPTIONAL, SR_SET_MAX - 1, &d->set, err);
    if (rc == SR_OK)
        rc = sr_json_copy(root, "host", SR_JSON_OPTIONAL, SR_MANIFEST_TEXT_MAX, &d->host, err);
    if (rc == SR_OK)
        rc = sr_json_copy(root, "server", SR_JSON_OPTIONAL, SR_MANIFEST_TEXT_MAX, &d->server, err);
    if (rc == SR_OK)
        rc = sr_json_copy(root, "user", SR_JSON_OPTIONAL, SR_MANIFEST_TEXT_MAX, &d->user, err);
    if (rc == SR_OK)
        rc = sr_json_get(root, "objects", SR_JSON_REQUIRED, JSON_ARRAY, &objects, err);
    for (size_t i = 0; rc == SR_OK && i < json_array_size(objects); i++) {
        struct sr_detail_object *o = sr_detail_add_object(d);
        if (!o)
            return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
        rc = read_object(json_array_get(objects, i), o, err);
        if (rc != SR_OK)
            return sr_error_wrap(err, "object %zu", i + 1);
    }
    if (rc == SR_OK)
        rc = sr_json_get_strings(root, "roles", SR_JSON_OPTIONAL, SR_MANIFEST_TEXT_MAX, &d->roles,
                                 err);
    if (rc == SR_OK)
        rc = sr_json_get_strings(root, "extensions", SR_JSON_OPTIONAL, SR_MANIFEST_TEXT_MAX,
                                 &d->extensions, err);
    return rc;
}

int sr_detail_from_json(const json_t *o, struct sr_detail **ret, struct sr_error *err)
{
    struct sr_detail *d = NULL;
    if (sr_detail_new(&d) != SR_OK)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    int rc = read_members(o, d, err);
    if (rc != SR_OK) {
        sr_detail_free(d);
        if (rc != SR_E_NO_MEMORY && rc != SR_E_UNSUPPORTED)
            rc = SR_E_CORRUPT;
        (void)sr_error_wrap(err, "the detail");
        if (err)
            err->code = rc;
        return rc;
    }
    *ret = d;
    return SR_OK;
}

int sr_detail_write(const struct sr_detail *d, struct sr_buf *out, struct sr_error *err)
{
    json_t *root = sr_detail_to_json(d, 1);
    int rc = root ? sr_json_write(root, out, err) : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    json_decref(root);
    return rc;
}

int sr_detail_read(const void *text, size_t len, struct sr_detail **ret, struct sr_error *err)
{
    json_t *root = NULL;
    if (len > SR_DETAIL_MAX)
        return sr_fail(err, SR_E_CORRUPT, "a detail of %zu bytes; at most %u are allowed", len,
                       SR_DETAIL_MAX);
    int rc = sr_json_load(text, len, SR_DETAIL_VALUES_MAX, &root, err);
    if (rc == SR_OK)
        rc = sr_detail_from_json(root, ret, err);
    json_decref(root);
    return rc;
}
