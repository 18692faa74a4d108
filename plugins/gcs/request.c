#include "gcs/gcs.h"

#include "common/digest.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int32_t token_add(struct gcs_call *c, struct sc_error *err)
{
    struct sc_request *r = &c->call.request;
    struct sc_cred *cred = NULL;
    struct sc_buf value = SC_BUF_SECRET_INIT(SC_SECRET_MAX + 8);
    if (!c->s->creds)
        return SR_STORAGE_OK;
    int32_t rc = sc_creds_get(c->s->creds, c->s->host, &cred, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    sc_cred_unref(c->cred);
    c->cred = cred;
    /* A bearer token is as good as the account to whoever reads it. */
    r->flags |= SC_REQUEST_TLS_ONLY;
    sc_buf_adds(&value, "Bearer ");
    sc_buf_add(&value, sc_secret_bytes(&cred->token), cred->token.len);
    rc = sc_buf_check(&value, err, "a token");
    if (rc == SR_STORAGE_OK)
        rc = sc_headers_set(&r->headers, "Authorization", sc_buf_str(&value), err);
    sc_buf_done(&value);
    return rc;
}

int32_t gcs_call_prepare(struct sc_call *call, struct sc_error *err)
{
    struct gcs_call *c = (struct gcs_call *)call;
    sc_xml_free(sc_steal_ptr(c->xml));
    json_decref(sc_steal_ptr(c->json));
    c->reason[0] = '\0';
    return token_add(c, err);
}

static void path_build(const struct gcs *s, enum gcs_api api, const char *key, struct sc_buf *path)
{
    sc_buf_adds(path, s->base_path);
    switch (api) {
    case GCS_API_BUCKET:
        sc_buf_addf(path, "/storage/v1/b/%s", s->set.bucket);
        break;
    case GCS_API_OBJECT:
        sc_buf_addf(path, "/storage/v1/b/%s/o", s->set.bucket);
        if (key) {
            sc_buf_addc(path, '/');
            sc_percent_encode_str(path, key, 0);
        }
        break;
    case GCS_API_UPLOAD:
        sc_buf_addf(path, "/upload/storage/v1/b/%s/o", s->set.bucket);
        break;
    case GCS_API_XML:
        sc_buf_addf(path, "/%s", s->set.bucket);
        if (key) {
            sc_buf_addc(path, '/');
            sc_percent_encode_str(path, key, 1);
        }
        break;
    case GCS_API_SESSION:
        sc_buf_reset(path);
        break;
    }
}

int32_t gcs_call_begin(struct gcs_call *c, struct gcs *s, const char *method, enum gcs_api api,
                       const char *key, struct sc_error *err)
{
    *c = (struct gcs_call){.call = SC_CALL_INIT, .s = s};
    struct sc_request *r = &c->call.request;
    c->call.prepare = gcs_call_prepare;
    c->call.judge = gcs_answer_judge;
    c->call.reply_max = GCS_REPLY_MAX;
    int32_t rc = sc_request_target(r, method, s->scheme, s->host_name, s->port, err);
    path_build(s, api, key, &r->path);
    if (api == GCS_API_UPLOAD)
        sc_query_add(&r->query, "name", key);
    if (rc == SR_STORAGE_OK)
        rc = sc_buf_check(&r->path, err, "the path of a request");
    if (rc == SR_STORAGE_OK && s->set.user_project)
        rc = gcs_call_header(c, err, "x-goog-user-project", "%s", s->set.user_project);
    return rc;
}

int32_t gcs_call_header(struct gcs_call *c, struct sc_error *err, const char *name, const char *fmt,
                        ...)
{
    char *value = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&value, fmt, ap);
    va_end(ap);
    if (n < 0)
        return sc_fail_memory(err);
    int32_t rc = sc_headers_set(&c->call.request.headers, name, value, err);
    sc_wipe(value, (size_t)n);
    free(value);
    return rc;
}

int32_t gcs_call_customer_key(struct gcs_call *c, struct sc_error *err)
{
    const struct sc_secret *key = &c->s->set.customer_key;
    struct sc_buf text = SC_BUF_SECRET_INIT(64), sum = SC_BUF_INIT(64);
    uint8_t digest[SC_SHA256_LEN];
    if (key->len == 0)
        return SR_STORAGE_OK;
    c->call.request.flags |= SC_REQUEST_TLS_ONLY;
    int32_t rc = sc_sha256(sc_secret_bytes(key), key->len, digest, err);
    sc_base64_encode(&text, sc_secret_bytes(key), key->len);
    sc_base64_encode(&sum, digest, sizeof digest);
    if (rc == SR_STORAGE_OK)
        rc = sc_buf_check(&text, err, "a key");
    if (rc == SR_STORAGE_OK)
        rc = gcs_call_header(c, err, "x-goog-encryption-algorithm", "AES256");
    if (rc == SR_STORAGE_OK)
        rc = gcs_call_header(c, err, "x-goog-encryption-key", "%s", sc_buf_str(&text));
    if (rc == SR_STORAGE_OK)
        rc = gcs_call_header(c, err, "x-goog-encryption-key-sha256", "%s", sc_buf_str(&sum));
    sc_buf_done(&text);
    sc_buf_done(&sum);
    return rc;
}

int32_t gcs_call_run(struct gcs_call *c, struct sc_error *err)
{
    return sc_http_run(c->s->http, &c->call, err);
}

int gcs_call_outcome_open(const struct gcs_call *c)
{
    /* Whatever the last try came to, an earlier one may have been the one that counted. */
    return c->lost || c->call.in_doubt || c->call.response.phase == SC_PHASE_REPLY;
}

void gcs_call_cleaning_up(struct gcs_call *c)
{
    c->call.request.flags |= SC_REQUEST_EVEN_CANCELLED;
    c->call.retry = &sc_retry_short;
    c->call.time_limit_ms = 30000;
}

void gcs_call_end(struct gcs_call *c)
{
    sc_xml_free(sc_steal_ptr(c->xml));
    json_decref(sc_steal_ptr(c->json));
    sc_cred_unref(sc_steal_ptr(c->cred));
    sc_call_done(&c->call);
}
