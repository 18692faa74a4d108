#include "config.h"
#include "core/catalog/manifest_json.h"
#include "core/util/cleanup.h"
#include "core/util/text.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

static int digest_add(const char *data, size_t len, void *ctx)
{
    return EVP_DigestUpdate(ctx, data, len) == 1 ? 0 : -1;
}

int sr_manifest_digest(const json_t *root, char ret[65], struct sr_error *err)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    int ok = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 &&
             json_dump_callback(root, digest_add, md, JSON_COMPACT | JSON_SORT_KEYS) == 0 &&
             EVP_DigestFinal_ex(md, digest, &len) == 1;
    EVP_MD_CTX_free(md);
    if (!ok)
        return sr_fail(err, SR_E_INTERNAL, "cannot compute the digest of a manifest");
    sr_hex(digest, 32, ret);
    return SR_OK;
}

struct writing {
    struct sr_buf *out;
    int rc;
};

static int text_add(const char *data, size_t len, void *ctx)
{
    struct writing *w = ctx;
    w->rc = sr_buf_add(w->out, data, len);
    return w->rc == SR_OK ? 0 : -1;
}

int sr_json_write(const json_t *root, struct sr_buf *out, struct sr_error *err)
{
    struct writing w = {out, SR_OK};
    size_t before = out->len;
    if (json_dump_callback(root, text_add, &w, JSON_INDENT(2)) == 0 && text_add("\n", 1, &w) == 0)
        return SR_OK;
    out->len = before;
    if (out->data)
        out->data[before] = '\0';
    if (w.rc == SR_E_NO_SPACE)
        return sr_fail(err, w.rc, "larger than %zu bytes", out->max);
    return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
}

int sr_json_put(json_t *o, const char *name, const char *value)
{
    return value ? json_object_set_new(o, name, sr_json_text(value)) : 0;
}

/* malloc'd; NULL: no memory. */
static char *without_control(const char *value)
{
    char *text = strdup(value);
    for (char *p = text; p && *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = ' ';
    return text;
}

int sr_json_put_text(json_t *o, const char *name, const char *value)
{
    if (!value)
        return 0;
    _cleanup_free_ char *text = without_control(value);
    return text ? sr_json_put(o, name, text) : -1;
}

int sr_json_put_texts(json_t *o, const char *name, const struct sr_strlist *l)
{
    json_t *a = json_array();
    int bad = json_object_set_new(o, name, a);
    for (size_t i = 0; !bad && i < l->len; i++) {
        _cleanup_free_ char *text = without_control(l->items[i]);
        bad = text ? json_array_append_new(a, sr_json_text(text)) : -1;
    }
    return bad;
}

int sr_json_put_u64(json_t *o, const char *name, uint64_t v)
{
    return v > INT64_MAX ? -1 : json_object_set_new(o, name, json_integer((json_int_t)v));
}

int sr_json_copy(const json_t *o, const char *name, enum sr_json_need need, size_t max, char **ret,
                 struct sr_error *err)
{
    const char *s = NULL;
    int rc = sr_json_get_string(o, name, need, max, &s, err);
    if (rc == SR_OK && s && sr_set_string(ret, s) != SR_OK)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    return rc;
}

int sr_json_copy_text(const json_t *o, const char *name, enum sr_json_need need, size_t max,
                      char **ret, struct sr_error *err)
{
    const char *s = NULL;
    int rc = sr_json_get_string(o, name, need, max, &s, err);
    for (size_t i = 0; rc == SR_OK && s && s[i]; i++)
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
            return sr_fail(err, SR_E_CORRUPT, "member \"%s\" has a control character in it", name);
    return rc == SR_OK ? sr_json_copy(o, name, need, max, ret, err) : rc;
}
