#include "config.h"
#include "core/catalog/manifest_json.h"
#include "core/util/clock.h"

#include <string.h>

static int put_time(json_t *o, const char *name, int64_t t)
{
    char iso[SR_TIME_ISO_SIZE];
    sr_time_iso(t, iso);
    return json_object_set_new(o, name, json_string(iso));
}

static int put_object(json_t *list, const struct sr_manifest_object *o)
{
    json_t *j = json_object();
    int bad = json_array_append_new(list, j);
    bad = bad || sr_json_put(j, "key", o->key) || sr_json_put(j, "kind", o->kind) ||
          sr_json_put(j, "database", o->database) ||
          sr_json_put(j, "compression", o->compression) ||
          sr_json_put(j, "encryption", o->encryption) || sr_json_put_u64(j, "size", o->size) ||
          sr_json_put(j, "sha256", o->sha256);
    if (*o->plain_sha256)
        bad = bad || sr_json_put_u64(j, "plain_size", o->plain_size) ||
              sr_json_put(j, "plain_sha256", o->plain_sha256);
    if (o->raw_size)
        bad = bad || sr_json_put_u64(j, "raw_size", o->raw_size);
    return bad;
}

static json_t *manifest_to_json(const struct sr_manifest *m, int with_rows)
{
    json_t *root = json_object(), *objects = json_array();
    struct sr_strlist notes = {0};
    int bad = !root || sr_json_put_u64(root, "format", SR_MANIFEST_FORMAT) ||
              sr_json_put(root, "set", m->set) || sr_json_put_text(root, "label", m->label) ||
              sr_json_put(root, "source", m->source) || put_time(root, "created_at", m->created_at);
    if (m->finished_at)
        bad = bad || put_time(root, "finished_at", m->finished_at);
    bad = bad || sr_json_put_text(root, "trigger", m->trigger) ||
          sr_json_put_text(root, "strongroom", m->strongroom_version) ||
          sr_json_put_text(root, "host", m->host) || json_object_set(root, "objects", objects);
    for (size_t i = 0; !bad && i < m->objects_len; i++)
        bad = put_object(objects, &m->objects[i]);
    bad = bad || sr_strlist_copy(&notes, &m->notes) != SR_OK ||
          (!with_rows &&
           sr_strlist_add(&notes, "row counts left out: there are too many tables") != SR_OK) ||
          sr_json_put_texts(root, "recipients", &m->recipients) ||
          sr_json_put_texts(root, "tools", &m->tools) || sr_json_put_texts(root, "notes", &notes) ||
          sr_json_put(root, "detail_key", m->detail_key);
    if (m->detail)
        bad = bad || json_object_set_new(root, "detail", sr_detail_to_json(m->detail, with_rows));
    sr_strlist_done(&notes);
    json_decref(objects);
    if (!bad)
        return root;
    json_decref(root);
    return NULL;
}

static int write_once(const struct sr_manifest *m, int with_rows, struct sr_buf *out,
                      struct sr_error *err)
{
    char digest[65];
    json_t *root = manifest_to_json(m, with_rows);
    if (!root)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    int rc = sr_manifest_digest(root, digest, err);
    if (rc == SR_OK && sr_json_put(root, "digest", digest) != 0)
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    if (rc == SR_OK)
        rc = sr_json_write(root, out, err);
    json_decref(root);
    return rc;
}

int sr_manifest_write(const struct sr_manifest *m, struct sr_buf *out, struct sr_error *err)
{
    struct sr_manifest *again = NULL;
    struct sr_buf text;
    sr_buf_init(&text, SR_MANIFEST_MAX);
    struct sr_error first = SR_ERROR_INIT;
    int rc = write_once(m, 1, &text, &first);
    if (rc == SR_E_NO_SPACE && m->detail)
        rc = write_once(m, 0, &text, err);
    else if (rc != SR_OK)
        (void)sr_error_copy(err, &first);
    /* A manifest that nobody can read would make the set no backup; better to know now. */
    if (rc == SR_OK && sr_manifest_read(sr_buf_str(&text), text.len, &again, err) != SR_OK) {
        (void)sr_error_wrap(err, "the manifest of %s cannot be read back", m->set ? m->set : "?");
        if (err)
            err->code = SR_E_INTERNAL;
        rc = SR_E_INTERNAL;
    }
    sr_manifest_free(again);
    if (rc == SR_OK && (rc = sr_buf_add(out, text.data, text.len)) != SR_OK)
        (void)sr_fail(err, rc, "the manifest of %s does not fit", m->set);
    sr_buf_done(&text);
    return rc;
}
