/* Signs what comes as one JSON object per line, and answers each with one line of JSON: what goes
 * on the wire. For tests/unit/sharedkey_azure.py. */
#include "azure/sharedkey.h"
#include "common/cleanup.h"
#include "common/encode.h"
#include "common/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text(const json_t *v, const char *name)
{
    const char *s = sc_json_text(v, name);
    return s ? s : "";
}

static int32_t request_of(const json_t *v, struct sc_request *r, struct sc_error *err)
{
    size_t i = 0;
    json_t *pair = NULL;
    int32_t rc = sc_request_target(r, text(v, "method"), "https", text(v, "host"), 0, err);
    sc_percent_encode_str(&r->path, text(v, "path"), 1);
    json_array_foreach(json_object_get(v, "query"), i, pair)
        sc_query_add(&r->query, json_string_value(json_array_get(pair, 0)),
                     json_string_value(json_array_get(pair, 1)));
    json_array_foreach(json_object_get(v, "headers"), i, pair) if (rc == SR_STORAGE_OK) rc =
        sc_headers_add(&r->headers, json_string_value(json_array_get(pair, 0)),
                       json_string_value(json_array_get(pair, 1)), err);
    r->body_len = (uint64_t)json_integer_value(json_object_get(v, "length"));
    return rc;
}

static int one(const char *line)
{
    struct sc_error err = SC_ERROR_INIT;
    struct sc_request r = SC_REQUEST_INIT;
    struct sc_buf key = SC_BUF_INIT(1024);
    json_t *v = json_loads(line, 0, NULL), *out = NULL;
    if (!v)
        return 1;
    int32_t rc = request_of(v, &r, &err);
    if (rc == SR_STORAGE_OK)
        rc = sc_base64_decode(&key, text(v, "key"), strlen(text(v, "key")));
    if (rc == SR_STORAGE_OK)
        rc = azure_sharedkey_sign(&r, text(v, "account"), key.data, key.len,
                                  json_integer_value(json_object_get(v, "now")), &err);
    if (rc == SR_STORAGE_OK)
        out = json_pack("{s:s, s:s, s:s, s:s}", "authorization",
                        sc_headers_get(&r.headers, "authorization"), "date",
                        sc_headers_get(&r.headers, "x-ms-date"), "path", sc_buf_str(&r.path),
                        "query", sc_buf_str(&r.query));
    if (rc != SR_STORAGE_OK)
        (void)fprintf(stderr, "sharedkey_lines: %s\n", err.text);
    else if (!out || json_dumpf(out, stdout, JSON_COMPACT) != 0 || putchar('\n') == EOF)
        rc = 1;
    json_decref(out);
    json_decref(v);
    sc_request_done(&r);
    sc_buf_done(&key);
    return rc != SR_STORAGE_OK;
}

int main(void)
{
    char *line = NULL;
    size_t cap = 0;
    int rc = 0;
    while (rc == 0 && getline(&line, &cap, stdin) > 0)
        rc = one(line);
    free(line);
    return rc;
}
