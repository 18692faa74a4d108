#include "config.h"
#include "core/catalog/manifest_json.h"
#include "core/catalog/names.h"
#include "core/store/store.h"

#include <stdlib.h>
#include <string.h>

#define WORD_MAX 32

/* A lower-case word, as kinds and methods are: later versions may bring words that are new to us.
 */
static int copy_word(const json_t *o, const char *name, char **ret, struct sr_error *err)
{
    const char *s = NULL;
    int rc = sr_json_get_string(o, name, SR_JSON_REQUIRED, WORD_MAX, &s, err);
    if (rc != SR_OK)
        return rc;
    if (!*s || s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-")])
        return sr_fail(err, SR_E_CORRUPT, "member \"%s\" is no word of a-z, 0-9 and dash", name);
    return sr_json_copy(o, name, SR_JSON_REQUIRED, WORD_MAX, ret, err);
}

/* A key that is legal and belongs to set. */
static int copy_key(const json_t *o, const char *name, enum sr_json_need need, const char *set,
                    char **ret, struct sr_error *err)
{
    const char *key = NULL;
    int rc = sr_json_get_string(o, name, need, SR_KEY_MAX - 1, &key, err);
    if (rc != SR_OK || !key)
        return rc;
    struct sr_error why = SR_ERROR_INIT;
    if (sr_key_check(key, &why) != SR_OK)
        return sr_fail(err, SR_E_CORRUPT, "member \"%s\" is no legal key: %s", name, why.text);
    if (strchr(key, '/') || !sr_key_belongs(key, set))
        return sr_fail(err, SR_E_CORRUPT,
                       "member \"%s\" names %s, which does not belong to the set", name, key);
    return sr_json_copy(o, name, need, SR_KEY_MAX - 1, ret, err);
}

static int read_object(const json_t *j, const char *set, struct sr_manifest_object *o,
                       struct sr_error *err)
{
    struct sr_key_parts parts;
    if (!json_is_object(j))
        return sr_fail(err, SR_E_CORRUPT, "it is no object");
    int rc = copy_key(j, "key", SR_JSON_REQUIRED, set, &o->key, err);
    if (rc == SR_OK) {
        sr_key_parse(o->key, &parts);
        /* Whoever deletes what a manifest names must not be led to a manifest or a hold. */
        if (parts.kind != SR_KEY_OBJECT && parts.kind != SR_KEY_OTHER)
            rc = sr_fail(err, SR_E_CORRUPT, "%s is no data", o->key);
    }
    if (rc == SR_OK)
        rc = copy_word(j, "kind", &o->kind, err);
    if (rc == SR_OK)
        rc = sr_json_copy(j, "database", SR_JSON_OPTIONAL, SR_MANIFEST_TEXT_MAX, &o->database, err);
    if (rc == SR_OK)
        rc = copy_word(j, "compression", &o->compression, err);
    if (rc == SR_OK)
        rc = copy_word(j, "encryption", &o->encryption, err);
    if (rc == SR_OK)
        rc = sr_json_get_u64(j, "size", SR_JSON_REQUIRED, INT64_MAX, &o->size, err);
    if (rc == SR_OK)
        rc = sr_json_get_sha256(j, "sha256", SR_JSON_REQUIRED, o->sha256, err);
    if (rc == SR_OK)
        rc = sr_json_get_u64(j, "plain_size", SR_JSON_OPTIONAL, INT64_MAX, &o->plain_size, err);
    if (rc == SR_OK)
        rc = sr_json_get_sha256(j, "plain_sha256", SR_JSON_OPTIONAL, o->plain_sha256, err);
    if (rc == SR_OK)
        rc = sr_json_get_u64(j, "raw_size", SR_JSON_OPTIONAL, INT64_MAX, &o->raw_size, err);
    return rc;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int keys_differ(const struct sr_manifest *m, struct sr_error *err)
{
    const char **keys = calloc(m->objects_len, sizeof *keys);
    int rc = SR_OK;
    if (!keys)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < m->objects_len; i++)
        keys[i] = m->objects[i].key;
    qsort(keys, m->objects_len, sizeof *keys, by_key);
    for (size_t i = 1; rc == SR_OK && i < m->objects_len; i++)
        if (strcmp(keys[i - 1], keys[i]) == 0)
            rc = sr_fail(err, SR_E_CORRUPT, "object %s is named twice", keys[i]);
    free(keys);
    return rc;
}

static int read_objects(const json_t *root, struct sr_manifest *m, struct sr_error *err)
{
    json_t *list = NULL;
    int rc = sr_json_get(root, "objects", SR_JSON_REQUIRED, JSON_ARRAY, &list, err);
    if (rc == SR_OK && json_array_size(list) == 0)
        return sr_fail(err, SR_E_CORRUPT, "it names no objects");
    for (size_t i = 0; rc == SR_OK && i < json_array_size(list); i++) {
        struct sr_manifest_object *o = sr_manifest_add_object(m);
        if (!o)
            return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
        rc = read_object(json_array_get(list, i), m->set, o, err);
        if (rc != SR_OK)
            return sr_error_wrap(err, "object %zu", i + 1);
    }
    return rc == SR_OK ? keys_differ(m, err) : rc;
}

/* Set and source must be names that would be written so: they become parts of keys. */
static int read_names(const json_t *root, struct sr_manifest *m, struct sr_error *err)
{
    char key[SR_KEY_COMPONENT_MAX + 1];
    int rc = sr_json_copy(root, "set", SR_JSON_REQUIRED, SR_SET_MAX - 1, &m->set, err);
    if (rc == SR_OK)
        rc = sr_json_copy(root, "source", SR_JSON_REQUIRED, SR_SOURCE_MAX - 1, &m->source, err);
    if (rc == SR_OK &&
        sr_beside_key(m->set, m->source, "manifest.json", key, sizeof key, NULL) != SR_OK)
        rc = sr_fail(err, SR_E_CORRUPT, "members \"set\" and \"source\" are no names of ours");
    if (rc == SR_OK)
        rc = sr_json_copy_text(root, "label", SR_JSON_REQUIRED, SR_LABEL_TEXT_MAX - 1, &m->label,
                               err);
    return rc;
}

static int read_members(const json_t *root, struct sr_manifest *m, struct sr_error *err)
{
    json_t *detail = NULL;
    int rc = read_names(root, m, err);
    if (rc == SR_OK)
        rc = sr_json_get_time(root, "created_at", SR_JSON_REQUIRED, &m->created_at, err);
    if (rc == SR_OK)
        rc = sr_json_get_time(root, "finished_at", SR_JSON_OPTIONAL, &m->finished_at, err);
    if (rc == SR_OK)
        rc = sr_json_copy_text(root, "trigger", SR_JSON_OPTIONAL, SR_MANIFEST_TEXT_MAX, &m->trigger,
                               err);
    if (rc == SR_OK)
        rc = sr_json_copy_text(root, "strongroom", SR_JSON_OPTIONAL, SR_MANIFEST_TEXT_MAX,
                               &m->strongroom_version, err);
    if (rc == SR_OK)
        rc = sr_json_copy_text(root, "host", SR_JSON_OPTIONAL, SR_MANIFEST_TEXT_MAX, &m->host, err);
    if (rc == SR_OK)
        rc = read_objects(root, m, err);
    if (rc == SR_OK)
        rc = sr_json_get_strings(root, "recipients", SR_JSON_OPTIONAL, SR_MANIFEST_TEXT_MAX,
                                 &m->recipients, err);
    if (rc == SR_OK)
        rc = sr_json_get_strings(root, "tools", SR_JSON_OPTIONAL, SR_MANIFEST_TEXT_MAX, &m->tools,
                                 err);
    if (rc == SR_OK)
        rc = sr_json_get_strings(root, "notes", SR_JSON_OPTIONAL, SR_MANIFEST_TEXT_MAX, &m->notes,
                                 err);
    if (rc == SR_OK)
        rc = copy_key(root, "detail_key", SR_JSON_OPTIONAL, m->set, &m->detail_key, err);
    if (rc == SR_OK)
        rc = sr_json_get(root, "detail", SR_JSON_OPTIONAL, JSON_OBJECT, &detail, err);
    if (rc == SR_OK && detail)
        rc = sr_detail_from_json(detail, &m->detail, err);
    return rc;
}

static int check_format(const json_t *root, struct sr_error *err)
{
    uint64_t format = 0;
    int rc = sr_json_get_u64(root, "format", SR_JSON_REQUIRED, INT64_MAX, &format, err);
    if (rc != SR_OK)
        return rc;
    if (format == 0)
        return sr_fail(err, SR_E_CORRUPT, "format 0");
    if (format > SR_MANIFEST_FORMAT)
        return sr_fail(err, SR_E_UNSUPPORTED,
                       "it has format %llu, this strongroom reads up to %d; use a newer one",
                       (unsigned long long)format, SR_MANIFEST_FORMAT);
    return SR_OK;
}

static int check_digest(json_t *root, char real[65], struct sr_error *err)
{
    char claimed[65] = "";
    int rc = sr_json_get_sha256(root, "digest", SR_JSON_REQUIRED, claimed, err);
    if (rc == SR_OK)
        (void)json_object_del(root, "digest");
    if (rc == SR_OK)
        rc = sr_manifest_digest(root, real, err);
    if (rc == SR_OK && strcmp(claimed, real) != 0)
        rc = sr_fail(err, SR_E_CORRUPT,
                     "it was damaged or changed: its digest is %s, but it should be %s", claimed,
                     real);
    return rc;
}

int sr_manifest_read(const void *text, size_t len, struct sr_manifest **ret, struct sr_error *err)
{
    json_t *root = NULL;
    struct sr_manifest *m = NULL;
    char digest[65] = "";
    if (len > SR_MANIFEST_MAX)
        return sr_fail(err, SR_E_CORRUPT, "a manifest of %zu bytes; at most %u are allowed", len,
                       SR_MANIFEST_MAX);
    int rc = sr_json_load(text, len, SR_MANIFEST_VALUES_MAX, &root, err);
    if (rc == SR_OK)
        rc = check_format(root, err);
    if (rc == SR_OK)
        rc = check_digest(root, digest, err);
    if (rc == SR_OK && sr_manifest_new(&m) != SR_OK)
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    if (rc == SR_OK)
        memcpy(m->digest, digest, sizeof m->digest);
    if (rc == SR_OK)
        rc = read_members(root, m, err);
    json_decref(root);
    if (rc != SR_OK) {
        sr_manifest_free(m);
        return rc;
    }
    *ret = m;
    return SR_OK;
}
