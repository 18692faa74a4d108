#include "azure/azure.h"

#include "azure/sharedkey.h"
#include "azure/sums.h"
#include "common/timefmt.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int32_t by_sas(struct sc_request *r, const struct sc_cred *cred, struct sc_error *err)
{
    if (r->query.len > 0)
        sc_buf_addc(&r->query, '&');
    sc_buf_adds(&r->query, sc_secret_bytes(&cred->token));
    r->flags |= SC_REQUEST_TLS_ONLY;
    return sc_buf_check(&r->query, err, "the query of a request");
}

static int32_t by_bearer(struct sc_request *r, const struct sc_cred *cred, int64_t now,
                         struct sc_error *err)
{
    _cleanup_(sc_buf_done) struct sc_buf value = SC_BUF_SECRET_INIT(SC_SECRET_MAX + 16);
    char date[SC_TIME_HTTP_SIZE];
    sc_time_http(now, date);
    sc_buf_addf(&value, "Bearer %s", sc_secret_bytes(&cred->token));
    r->flags |= SC_REQUEST_TLS_ONLY;
    int32_t rc = sc_buf_check(&value, err, "a token");
    if (rc == SR_STORAGE_OK)
        rc = sc_headers_set(&r->headers, "x-ms-date", date, err);
    return rc == SR_STORAGE_OK
               ? sc_headers_set(&r->headers, "authorization", sc_buf_str(&value), err)
               : rc;
}

int32_t azure_call_prepare(struct sc_call *call, struct sc_error *err)
{
    struct azure_call *c = (struct azure_call *)call;
    struct azure *s = c->s;
    struct sc_request *r = &call->request;
    struct sc_cred *cred = NULL;
    sc_xml_free(sc_steal_ptr(c->xml));
    c->azure_code[0] = '\0';
    sc_headers_remove(&r->headers, "authorization");
    sc_buf_reset(&r->query);
    sc_buf_adds(&r->query, sc_buf_str(&c->query));
    int32_t rc = sc_creds_get(s->creds, s->host, &cred, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    sc_cred_unref(c->cred);
    c->cred = cred;
    c->offset = atomic_load(&s->clock.offset);
    int64_t now = s->host->now(s->host) + c->offset;
    if (strcmp(cred->id, AZURE_BY_SAS) == 0)
        return by_sas(r, cred, err);
    if (strcmp(cred->id, AZURE_BY_BEARER) == 0)
        return by_bearer(r, cred, now, err);
    return azure_sharedkey_sign(r, cred->id, sc_secret_bytes(&cred->secret), cred->secret.len, now,
                                err);
}

int32_t azure_call_begin(struct azure_call *c, struct azure *s, const char *method, const char *key,
                         struct sc_error *err)
{
    *c = (struct azure_call){
        .call = SC_CALL_INIT, .s = s, .query = SC_BUF_SECRET_INIT(SC_QUERY_MAX)};
    struct sc_request *r = &c->call.request;
    c->call.prepare = azure_call_prepare;
    c->call.judge = azure_answer_judge;
    int32_t rc = sc_request_target(r, method, s->scheme, s->host_name, s->port, err);
    sc_buf_addf(&r->path, "%s/%s", s->base_path, s->set.container);
    if (key) {
        sc_buf_addc(&r->path, '/');
        sc_percent_encode_str(&r->path, key, 1);
    }
    if (rc == SR_STORAGE_OK)
        rc = sc_buf_check(&r->path, err, "the path of a request");
    return rc == SR_STORAGE_OK ? azure_call_header(c, err, "x-ms-version", AZURE_API_VERSION) : rc;
}

int32_t azure_call_header(struct azure_call *c, struct sc_error *err, const char *name,
                          const char *fmt, ...)
{
    char *value = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&value, fmt, ap);
    va_end(ap);
    if (n < 0)
        return sc_fail_memory(err);
    int32_t rc = sc_headers_add(&c->call.request.headers, name, value, err);
    sc_wipe(value, (size_t)n);
    free(value);
    return rc;
}

int32_t azure_call_body(struct azure_call *c, const void *data, size_t len,
                        const struct azure_sums *sums, struct sc_error *err)
{
    enum azure_sum kind = sums ? azure_sum_kind(c->s) : AZURE_SUM_MD5;
    char text[AZURE_SUM_TEXT_SIZE];
    struct azure_sums own = {0};
    int32_t rc = SR_STORAGE_OK;
    c->call.request.body = len ? data : NULL;
    c->call.request.body_len = len;
    if (!sums) {
        rc = sc_md5(data, len, own.md5, err);
        sums = &own;
    }
    if (rc != SR_STORAGE_OK || kind == AZURE_SUM_NONE)
        return rc;
    azure_sum_text(sums, kind, text);
    return azure_call_header(c, err, azure_sum_header(kind), "%s", text);
}

int32_t azure_call_customer_key(struct azure_call *c, struct sc_error *err)
{
    const struct sc_secret *key = &c->s->set.customer_key;
    struct sc_buf text = SC_BUF_SECRET_INIT(64), sum_text = SC_BUF_SECRET_INIT(64);
    uint8_t sum[SC_SHA256_LEN];
    if (key->len == 0)
        return SR_STORAGE_OK;
    c->call.request.flags |= SC_REQUEST_TLS_ONLY;
    sc_base64_encode(&text, sc_secret_bytes(key), key->len);
    int32_t rc = sc_sha256(sc_secret_bytes(key), key->len, sum, err);
    sc_base64_encode(&sum_text, sum, sizeof sum);
    const char *const fields[][2] = {{"x-ms-encryption-algorithm", "AES256"},
                                     {"x-ms-encryption-key", sc_buf_str(&text)},
                                     {"x-ms-encryption-key-sha256", sc_buf_str(&sum_text)}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields && rc == SR_STORAGE_OK; i++)
        rc = azure_call_header(c, err, fields[i][0], "%s", fields[i][1]);
    sc_buf_done(&text);
    sc_buf_done(&sum_text);
    return rc;
}

int32_t azure_call_run(struct azure_call *c, struct sc_error *err)
{
    return sc_http_run(c->s->http, &c->call, err);
}

int azure_call_outcome_open(const struct azure_call *c)
{
    /* Whatever the last try came to, an earlier one may have been the one that counted. What a
     * store does not implement it never did. */
    return c->call.code != SR_STORAGE_E_UNSUPPORTED &&
           (c->lost || c->call.in_doubt || c->call.response.phase == SC_PHASE_REPLY);
}

int azure_call_may_come_late(const struct azure_call *c)
{
    return c->call.unanswered || strcmp(c->azure_code, "OperationTimedOut") == 0;
}

void azure_call_cleaning_up(struct azure_call *c)
{
    c->call.request.flags |= SC_REQUEST_EVEN_CANCELLED;
    c->call.retry = &sc_retry_short;
    c->call.time_limit_ms = 30000;
}

void azure_call_end(struct azure_call *c)
{
    sc_xml_free(sc_steal_ptr(c->xml));
    sc_cred_unref(sc_steal_ptr(c->cred));
    sc_buf_done(&c->query);
    sc_call_done(&c->call);
}

void azure_etag_copy(const struct sc_response *r, char out[AZURE_ETAG_MAX])
{
    const char *v = sc_headers_get(&r->headers, "etag");
    size_t len = v ? strlen(v) : 0;
    if (len >= 2 && v[0] == '"' && v[len - 1] == '"') {
        v++;
        len -= 2;
    }
    if (len >= AZURE_ETAG_MAX)
        len = 0;
    if (len > 0)
        memcpy(out, v, len);
    out[len] = '\0';
}
