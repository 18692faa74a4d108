#include "config.h"
#include "core/util/json.h"
#include "core/util/buf.h"
#include "core/util/cleanup.h"
#include "core/util/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Counts without building; strings are skipped, everything else is left for the parser to judge. */
static int count_values(const char *p, size_t len, size_t values_max, struct sr_error *err)
{
    size_t depth = 0, values = 0;
    for (size_t i = 0; i < len; i++) {
        switch (p[i]) {
        case '"':
            for (i++; i < len && p[i] != '"'; i++)
                if (p[i] == '\\')
                    i++;
            break;
        case '{':
        case '[':
            if (++depth > SR_JSON_DEPTH_MAX)
                return sr_fail(err, SR_E_CORRUPT, "JSON nested deeper than %d levels",
                               SR_JSON_DEPTH_MAX);
            values++;
            break;
        case '}':
        case ']':
            depth -= depth > 0;
            break;
        case ',':
            values++;
            break;
        default:
            break;
        }
        if (values > values_max)
            return sr_fail(err, SR_E_CORRUPT, "JSON of more than %zu values", values_max);
    }
    return SR_OK;
}

int sr_json_load(const void *text, size_t len, size_t values_max, json_t **ret,
                 struct sr_error *err)
{
    json_error_t je;
    int rc = len ? count_values(text, len, values_max, err) : SR_OK;
    if (rc != SR_OK)
        return rc;
    json_t *root = json_loadb(text ? text : "", len, JSON_REJECT_DUPLICATES, &je);
    if (!root && json_error_code(&je) == json_error_out_of_memory)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    if (!root)
        return sr_fail(err, SR_E_CORRUPT, "no valid JSON, line %d: %s", je.line, je.text);
    if (!json_is_object(root)) {
        json_decref(root);
        return sr_fail(err, SR_E_CORRUPT, "no JSON object");
    }
    *ret = root;
    return SR_OK;
}

static const char *type_name(json_type t)
{
    switch (t) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "a whole number";
    default:
        return "something else";
    }
}

int sr_json_get(const json_t *o, const char *name, enum sr_json_need need, json_type type,
                json_t **ret, struct sr_error *err)
{
    json_t *v = json_object_get(o, name);
    if (!v || json_is_null(v)) {
        if (need == SR_JSON_REQUIRED)
            return sr_fail(err, SR_E_CORRUPT, "member \"%s\" is missing", name);
        *ret = NULL;
        return SR_OK;
    }
    if (json_typeof(v) != type)
        return sr_fail(err, SR_E_CORRUPT, "member \"%s\" is not %s", name, type_name(type));
    *ret = v;
    return SR_OK;
}

int sr_json_get_string(const json_t *o, const char *name, enum sr_json_need need, size_t max,
                       const char **ret, struct sr_error *err)
{
    json_t *v = NULL;
    int rc = sr_json_get(o, name, need, JSON_STRING, &v, err);
    if (rc != SR_OK || !v)
        return rc;
    if (json_string_length(v) > max)
        return sr_fail(err, SR_E_CORRUPT, "member \"%s\" is longer than %zu bytes", name, max);
    *ret = json_string_value(v);
    return SR_OK;
}

int sr_json_get_u64(const json_t *o, const char *name, enum sr_json_need need, uint64_t max,
                    uint64_t *ret, struct sr_error *err)
{
    json_t *v = NULL;
    int rc = sr_json_get(o, name, need, JSON_INTEGER, &v, err);
    if (rc != SR_OK || !v)
        return rc;
    json_int_t i = json_integer_value(v);
    if (i < 0 || (uint64_t)i > max)
        return sr_fail(err, SR_E_CORRUPT, "member \"%s\" is not a number from 0 to %llu", name,
                       (unsigned long long)max);
    *ret = (uint64_t)i;
    return SR_OK;
}

int sr_json_get_time(const json_t *o, const char *name, enum sr_json_need need, int64_t *ret,
                     struct sr_error *err)
{
    const char *s = NULL;
    int64_t t = 0;
    int rc = sr_json_get_string(o, name, need, SR_TIME_ISO_SIZE, &s, err);
    if (rc != SR_OK || !s)
        return rc;
    if (sr_time_parse(s, &t) != SR_OK)
        return sr_fail(err, SR_E_CORRUPT, "member \"%s\" is no time", name);
    *ret = t;
    return SR_OK;
}

int sr_is_sha256(const char *s)
{
    return strspn(s, "0123456789abcdef") == 64 && s[64] == '\0';
}

int sr_json_get_sha256(const json_t *o, const char *name, enum sr_json_need need, char ret[65],
                       struct sr_error *err)
{
    const char *s = NULL;
    int rc = sr_json_get_string(o, name, need, 64, &s, err);
    if (rc != SR_OK || !s)
        return rc;
    if (!sr_is_sha256(s))
        return sr_fail(err, SR_E_CORRUPT, "member \"%s\" is no SHA-256 (64 lower-case hex digits)",
                       name);
    memcpy(ret, s, 65);
    return SR_OK;
}

int sr_json_get_strings(const json_t *o, const char *name, enum sr_json_need need, size_t max,
                        struct sr_strlist *ret, struct sr_error *err)
{
    json_t *list = NULL;
    int rc = sr_json_get(o, name, need, JSON_ARRAY, &list, err);
    for (size_t i = 0; rc == SR_OK && list && i < json_array_size(list); i++) {
        const json_t *v = json_array_get(list, i);
        if (!json_is_string(v) || json_string_length(v) > max)
            return sr_fail(err, SR_E_CORRUPT,
                           "member \"%s\" holds something other than strings of at most %zu bytes",
                           name, max);
        if (sr_strlist_add(ret, json_string_value(v)) != SR_OK)
            return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    return rc;
}

/* Length of the well-formed character at s (no overlong form, no surrogate), or 0. */
static size_t utf8_length(const unsigned char *s)
{
    unsigned char c = s[0], lo = 0x80, hi = 0xbf;
    size_t n;
    if (c < 0x80)
        return 1;
    if (c >= 0xc2 && c <= 0xdf)
        n = 2;
    else if (c >= 0xe0 && c <= 0xef)
        n = 3;
    else if (c >= 0xf0 && c <= 0xf4)
        n = 4;
    else
        return 0;
    if (c == 0xe0)
        lo = 0xa0;
    else if (c == 0xed)
        hi = 0x9f;
    else if (c == 0xf0)
        lo = 0x90;
    else if (c == 0xf4)
        hi = 0x8f;
    for (size_t i = 1; i < n; i++, lo = 0x80, hi = 0xbf)
        if (s[i] < lo || s[i] > hi)
            return 0;
    return n;
}

char *sr_utf8_clean(const char *s)
{
    struct sr_buf b;
    int rc = SR_OK;
    sr_buf_init(&b, SIZE_MAX / 8);
    while (*s && rc == SR_OK) {
        size_t n = utf8_length((const unsigned char *)s);
        rc = n ? sr_buf_add(&b, s, n) : sr_buf_printf(&b, "\\x%02X", (unsigned char)*s);
        s += n ? n : 1;
    }
    char *out = rc == SR_OK ? sr_buf_steal(&b) : NULL;
    sr_buf_done(&b);
    return out;
}

json_t *sr_json_text(const char *s)
{
    _cleanup_free_ char *clean = sr_utf8_clean(s);
    return clean ? json_string_nocheck(clean) : NULL;
}
