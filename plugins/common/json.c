#include "common/json.h"
#include "common/encode.h"
#include "common/secret.h"

#include <string.h>

int32_t sc_json_read(const char *who, const char *text, size_t len, size_t max, json_t **ret,
                     struct sc_error *err)
{
    json_error_t why;
    if (len > max)
        return sc_fail(err, SR_STORAGE_E_CORRUPT, "%s answered with more than %zu bytes", who, max);
    json_t *v = len > 0 ? json_loadb(text, len, JSON_REJECT_DUPLICATES, &why) : NULL;
    if (!json_is_object(v)) {
        sc_json_wipe(&v);
        return sc_fail(err, SR_STORAGE_E_CORRUPT, "%s did not answer with a JSON object", who);
    }
    *ret = v;
    return SR_STORAGE_OK;
}

const char *sc_json_text(const json_t *v, const char *name)
{
    const json_t *text = json_object_get(v, name);
    const char *s = json_string_value(text);
    return s && strlen(s) == json_string_length(text) ? s : NULL;
}

int sc_json_u64(const json_t *v, const char *name, uint64_t *ret)
{
    const json_t *number = json_object_get(v, name);
    const char *text = sc_json_text(v, name);
    if (text)
        return sc_parse_u64(text, ret);
    if (!json_is_integer(number) || json_integer_value(number) < 0)
        return -1;
    *ret = (uint64_t)json_integer_value(number);
    return 0;
}

/* As deep as jansson lets a text nest, which bounds it. Its strings are its own copies, never
 * literals. */
static void wipe(const json_t *v)
{
    const char *name;
    json_t *child;
    size_t i;
    if (json_is_string(v))
        sc_wipe((char *)(uintptr_t)json_string_value(v), json_string_length(v));
    json_array_foreach(v, i, child) wipe(child);
    json_object_foreach((json_t *)(uintptr_t)v, name, child) wipe(child);
}

void sc_json_wipe(json_t **v)
{
    if (*v)
        wipe(*v);
    json_decref(*v);
    *v = NULL;
}
