#include "s3/s3.h"

#include "common/digest.h"
#include "s3/sums.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Where the request goes may change between two tries (the region), and so may all that signs it.
 */
int32_t s3_call_prepare(struct sc_call *call, struct sc_error *err)
{
    struct s3_call *c = (struct s3_call *)call;
    struct s3 *s = c->s;
    char host[256], method[sizeof call->request.method];
    memcpy(method, call->request.method, sizeof method);
    s3_auth_host(s, host);
    sc_xml_free(sc_steal_ptr(c->xml));
    c->aws_code[0] = '\0';
    int32_t rc = sc_request_target(&call->request, method, s->scheme, host, s->port, err);
    return rc == SR_STORAGE_OK
               ? sc_aws_signer_sign(&s->signer, &c->use, &call->request, c->payload, err)
               : rc;
}

int32_t s3_call_begin(struct s3_call *c, struct s3 *s, const char *method, const char *key,
                      struct sc_error *err)
{
    *c = (struct s3_call){.call = SC_CALL_INIT, .s = s, .use = SC_AWS_USE_INIT};
    struct sc_request *r = &c->call.request;
    c->call.prepare = s3_call_prepare;
    c->call.judge = s3_answer_judge;
    (void)snprintf(c->payload, sizeof c->payload, "%s", SC_SIGV4_EMPTY);
    (void)snprintf(r->method, sizeof r->method, "%s", method);
    sc_buf_adds(&r->path, s->base_path);
    if (!s->virtual_host)
        sc_buf_addf(&r->path, "/%s", s->set.bucket);
    if (key || s->virtual_host)
        sc_buf_addc(&r->path, '/');
    if (key)
        sc_percent_encode_str(&r->path, key, 1);
    int32_t rc = sc_buf_check(&r->path, err, "the path of a request");
    if (rc == SR_STORAGE_OK && s->set.requester_pays)
        rc = s3_call_header(c, err, "x-amz-request-payer", "requester");
    return rc;
}

int32_t s3_call_header(struct s3_call *c, struct sc_error *err, const char *name, const char *fmt,
                       ...)
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

static int32_t sum_header(struct s3_call *c, const struct s3_sums *sums, enum s3_sum kind,
                          struct sc_error *err)
{
    char text[S3_SUM_TEXT_SIZE], name[48] = "content-md5";
    if (kind == S3_SUM_NONE)
        return SR_STORAGE_OK;
    if (kind != S3_SUM_MD5)
        (void)snprintf(name, sizeof name, "x-amz-checksum-%s", s3_sum_name(kind));
    s3_sum_text(sums, kind, text);
    return s3_call_header(c, err, name, "%s", text);
}

/* Over https the body need not be signed where a checksum goes with it; a small body of a request
 * that is no object (a list of keys, of parts) always is. */
int32_t s3_call_body(struct s3_call *c, const void *data, size_t len, const struct s3_sums *sums,
                     struct sc_error *err)
{
    c->call.request.body = len ? data : NULL;
    c->call.request.body_len = len;
    if (!sums)
        return sc_sigv4_payload(c->payload, data, len, err);
    if (s3_payload_unsigned(c->s))
        (void)snprintf(c->payload, sizeof c->payload, "%s", SC_SIGV4_UNSIGNED);
    else
        sc_hex(c->payload, sums->sha256, SC_SHA256_LEN);
    return sum_header(c, sums, s3_sum_kind(c->s), err);
}

int32_t s3_call_body_checked(struct s3_call *c, const void *data, size_t len, struct sc_error *err)
{
    enum s3_sum kind = s3_sum_name(s3_sum_kind(c->s)) ? s3_sum_kind(c->s) : S3_SUM_MD5;
    struct s3_sums sums = {.len = len};
    int32_t rc = s3_call_body(c, data, len, NULL, err);
    if (rc == SR_STORAGE_OK && kind == S3_SUM_MD5)
        rc = sc_md5(data, len, sums.md5, err);
    if (rc == SR_STORAGE_OK && kind == S3_SUM_SHA256)
        rc = sc_sha256(data, len, sums.sha256, err);
    sums.crc64nvme = kind == S3_SUM_CRC64NVME ? sc_crc64nvme(0, data, len) : 0;
    sums.crc32c = kind == S3_SUM_CRC32C ? sc_crc32c(0, data, len) : 0;
    return rc == SR_STORAGE_OK ? sum_header(c, &sums, kind, err) : rc;
}

int32_t s3_call_sse_c(struct s3_call *c, struct sc_error *err)
{
    static const char prefix[] = "x-amz-server-side-encryption-customer-";
    const struct sc_secret *key = &c->s->set.sse_key;
    struct sc_buf text = SC_BUF_SECRET_INIT(64);
    struct s3_sums sum = {0};
    char md5[S3_SUM_TEXT_SIZE], name[64];
    if (key->len == 0)
        return SR_STORAGE_OK;
    c->call.request.flags |= SC_REQUEST_TLS_ONLY;
    sc_base64_encode(&text, sc_secret_bytes(key), key->len);
    int32_t rc = sc_buf_check(&text, err, "a key");
    if (rc == SR_STORAGE_OK)
        rc = sc_md5(sc_secret_bytes(key), key->len, sum.md5, err);
    s3_sum_text(&sum, S3_SUM_MD5, md5);
    const char *const fields[][2] = {
        {"algorithm", "AES256"}, {"key", sc_buf_str(&text)}, {"key-MD5", md5}};
    for (size_t i = 0; i < 3 && rc == SR_STORAGE_OK; i++) {
        (void)snprintf(name, sizeof name, "%s%s", prefix, fields[i][0]);
        rc = s3_call_header(c, err, name, "%s", fields[i][1]);
    }
    sc_buf_done(&text);
    return rc;
}

int32_t s3_call_run(struct s3_call *c, struct sc_error *err)
{
    return sc_http_run(c->s->http, &c->call, err);
}

int s3_call_outcome_open(const struct s3_call *c)
{
    /* Whatever the last try came to (throttled, denied, a 200 that cannot be read), an earlier one
     * may have been the one that counted. What a store does not implement it never did. */
    return c->call.code != SR_STORAGE_E_UNSUPPORTED &&
           (c->lost || c->call.in_doubt || c->call.response.phase == SC_PHASE_REPLY);
}

void s3_call_cleaning_up(struct s3_call *c)
{
    c->call.request.flags |= SC_REQUEST_EVEN_CANCELLED;
    c->call.retry = &sc_retry_short;
    c->call.time_limit_ms = 30000;
}

void s3_call_end(struct s3_call *c)
{
    sc_xml_free(sc_steal_ptr(c->xml));
    sc_aws_use_done(&c->use);
    sc_call_done(&c->call);
}

void s3_etag_copy(const struct sc_response *r, char out[S3_ETAG_MAX])
{
    const char *v = sc_headers_get(&r->headers, "etag");
    if (v && strncmp(v, "W/", 2) == 0)
        v += 2;
    size_t len = v ? strlen(v) : 0;
    if (len >= 2 && v[0] == '"' && v[len - 1] == '"') {
        v++;
        len -= 2;
    }
    if (len >= S3_ETAG_MAX)
        len = 0;
    if (len > 0)
        memcpy(out, v, len);
    out[len] = '\0';
}
