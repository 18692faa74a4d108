/* Signs what comes as one JSON object per line, and answers each with one line of JSON: what goes
 * on the wire. For tests/unit/sigv4_botocore.py. */
#include "common/encode.h"
#include "common/sigv4.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text(const json_t *v, const char *name)
{
    const char *s = json_string_value(json_object_get(v, name));
    return s ? s : "";
}

static int fail(const char *what, const struct sc_error *err)
{
    (void)fprintf(stderr, "sigv4_lines: %s: %s\n", what, err->text);
    return 1;
}

/* Fills r from the line: raw path, raw pairs of the query, headers in order. */
static int32_t request_of(const json_t *v, struct sc_request *r, struct sc_error *err)
{
    size_t i = 0;
    json_t *pair = NULL;
    int32_t rc = sc_request_target(r, text(v, "method"), text(v, "scheme"), text(v, "host"),
                                   (uint16_t)json_integer_value(json_object_get(v, "port")), err);
    sc_percent_encode_str(&r->path, text(v, "path"), 1);
    json_array_foreach(json_object_get(v, "query"), i, pair)
        sc_query_add(&r->query, json_string_value(json_array_get(pair, 0)),
                     json_string_value(json_array_get(pair, 1)));
    json_array_foreach(json_object_get(v, "headers"), i, pair) if (rc == SR_STORAGE_OK) rc =
        sc_headers_add(&r->headers, json_string_value(json_array_get(pair, 0)),
                       json_string_value(json_array_get(pair, 1)), err);
    return rc;
}

static int one(const char *line, struct sc_sigv4_keys *keys)
{
    struct sc_error err = SC_ERROR_INIT;
    json_t *v = json_loads(line, 0, NULL);
    if (!v)
        return fail("no JSON", &err);
    struct sc_request r = SC_REQUEST_INIT;
    struct sc_cred *c = sc_cred_new();
    const struct sc_sigv4_scope where = {text(v, "region"), text(v, "service"),
                                         strcmp(text(v, "service"), "s3") == 0 ? SC_SIGV4_S3
                                                                               : SC_SIGV4_GENERAL};
    char payload[SC_SIGV4_PAYLOAD_SIZE];
    const char *body = text(v, "body"), *sent = payload;
    int32_t rc = c ? request_of(v, &r, &err) : sc_fail_memory(&err);
    if (rc == SR_STORAGE_OK)
        rc = sc_sigv4_payload(payload, body, strlen(body), &err);
    if (json_is_true(json_object_get(v, "unsigned")))
        sent = SC_SIGV4_UNSIGNED;
    if (rc == SR_STORAGE_OK) {
        (void)snprintf(c->id, sizeof c->id, "%s", text(v, "id"));
        rc = sc_secret_set(&c->secret, text(v, "secret"), strlen(text(v, "secret")), &err);
    }
    if (rc == SR_STORAGE_OK)
        rc = sc_secret_set(&c->token, text(v, "token"), strlen(text(v, "token")), &err);
    if (rc == SR_STORAGE_OK)
        rc = sc_sigv4_sign(&r, &where, c, sent, json_integer_value(json_object_get(v, "now")), keys,
                           &err);
    if (rc == SR_STORAGE_OK) {
        json_t *out = json_pack("{s:s, s:s, s:s}", "authorization",
                                sc_headers_get(&r.headers, "authorization"), "path",
                                sc_buf_str(&r.path), "query", sc_buf_str(&r.query));
        if (!out || json_dumpf(out, stdout, JSON_COMPACT) != 0)
            rc = sc_fail(&err, SR_STORAGE_E_INTERNAL, "cannot print");
        (void)putchar('\n');
        json_decref(out);
    }
    sc_request_done(&r);
    sc_cred_unref(c);
    json_decref(v);
    return rc == SR_STORAGE_OK ? 0 : fail("signing", &err);
}

int main(void)
{
    struct sc_sigv4_keys *keys = sc_sigv4_keys_new();
    char *line = NULL;
    size_t cap = 0;
    int rc = 0;
    while (rc == 0 && getline(&line, &cap, stdin) > 0)
        rc = one(line, keys);
    free(line);
    sc_sigv4_keys_free(keys);
    return rc;
}
