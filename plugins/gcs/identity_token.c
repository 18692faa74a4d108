/* Tokens for what a credentials file holds. */
#include "gcs/identity.h"

#include "common/cleanup.h"
#include "common/encode.h"
#include "common/jwt.h"
#include "common/oauth.h"
#include "common/timefmt.h"

#include <stdio.h>
#include <string.h>

/* An assertion is dated back a little, since clocks differ; it lives for an hour at most. */
#define BACK_S 60
#define LIFE_S 3600
#define GRANT_JWT "urn:ietf:params:oauth:grant-type:jwt-bearer"
#define GRANT_EXCHANGE "urn:ietf:params:oauth:grant-type:token-exchange"
#define TYPE_ACCESS "urn:ietf:params:oauth:token-type:access_token"

struct form {
    const struct gcs_file *f;
    const char *scope;
    const char *subject; /* external: its own token */
};

static int32_t service_form(void *ctx, int64_t now, struct sc_buf *form, struct sc_error *err)
{
    const struct form *a = ctx;
    _cleanup_(sc_buf_done) struct sc_buf assertion = SC_BUF_SECRET_INIT(SC_JWT_MAX);
    const struct sc_jwt t = {.kid = a->f->key_id,
                             .iss = a->f->email,
                             .scope = a->scope,
                             .aud = a->f->token_url,
                             .iat = now - BACK_S,
                             .exp = now - BACK_S + LIFE_S};
    int32_t rc = sc_jwt_rs256(&t, a->f->key, strlen(a->f->key), &assertion, err);
    if (rc != SR_STORAGE_OK)
        return sc_error_wrap(err, "the private_key of %s", a->f->email);
    sc_oauth_field(form, "grant_type", GRANT_JWT);
    sc_oauth_field(form, "assertion", sc_buf_str(&assertion));
    return rc;
}

static int32_t user_form(void *ctx, int64_t now, struct sc_buf *form, struct sc_error *err)
{
    const struct form *a = ctx;
    (void)now, (void)err;
    sc_oauth_field(form, "grant_type", "refresh_token");
    sc_oauth_field(form, "client_id", a->f->client_id);
    sc_oauth_field(form, "client_secret", a->f->client_secret);
    sc_oauth_field(form, "refresh_token", a->f->refresh_token);
    return SR_STORAGE_OK;
}

static int32_t exchange_form(void *ctx, int64_t now, struct sc_buf *form, struct sc_error *err)
{
    const struct form *a = ctx;
    (void)now;
    sc_oauth_field(form, "grant_type", GRANT_EXCHANGE);
    sc_oauth_field(form, "audience", a->f->audience);
    sc_oauth_field(form, "scope", a->scope);
    sc_oauth_field(form, "requested_token_type", TYPE_ACCESS);
    sc_oauth_field(form, "subject_token_type", a->f->subject_type);
    sc_oauth_field(form, "subject_token", a->subject);
    if (!a->f->user_project)
        return SR_STORAGE_OK;
    json_t *o = json_pack("{s:s}", "userProject", a->f->user_project);
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    json_decref(o);
    if (!text)
        return sc_fail_memory(err);
    sc_oauth_field(form, "options", text);
    free(text);
    return SR_STORAGE_OK;
}

static int32_t ask(struct gcs_identity *a, const struct sr_storage_host *host,
                   const struct sc_oauth_ask *how, struct sc_cred **ret, struct sc_error *err)
{
    struct sc_http *http = NULL;
    int32_t rc = gcs_identity_client(a, host, &http, err);
    return rc == SR_STORAGE_OK ? sc_oauth_post(http, host, how, ret, err) : rc;
}

int32_t gcs_token_service(struct gcs_identity *a, const struct sr_storage_host *host,
                          const struct gcs_file *f, const char *scope, struct sc_cred **ret,
                          struct sc_error *err)
{
    struct form form = {.f = f, .scope = scope};
    const struct sc_oauth_ask how = {.who = "Google's token endpoint",
                                     .url = f->token_url,
                                     .form = service_form,
                                     .ctx = &form,
                                     .clock = a->clock};
    return ask(a, host, &how, ret, err);
}

int32_t gcs_token_user(struct gcs_identity *a, const struct sr_storage_host *host,
                       const struct gcs_file *f, struct sc_cred **ret, struct sc_error *err)
{
    struct form form = {.f = f};
    const struct sc_oauth_ask how = {
        .who = "Google's token endpoint", .url = f->token_url, .form = user_form, .ctx = &form};
    int32_t rc = ask(a, host, &how, ret, err);
    if (rc == SR_STORAGE_E_DENIED)
        (void)sc_error_append(err, "; log in again: gcloud auth application-default login");
    return rc;
}

/* --- impersonation --------------------------------------------------------------------------- */

/* ahead: seconds that Google's clock is known to be ahead of this machine's, by which the cache
 * counts. */
static int32_t impersonation_read(const char *text, size_t len, int64_t ahead, struct sc_cred **ret,
                                  struct sc_error *err)
{
    static const char who[] = "the IAM Credentials service";
    _cleanup_(sc_json_wipe) json_t *v = NULL;
    int64_t expires = 0;
    int32_t rc = sc_json_read(who, text, len, SC_OAUTH_REPLY_MAX, &v, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    const char *token = sc_json_text(v, "accessToken"), *end = sc_json_text(v, "expireTime");
    if (!token || !end || sc_time_iso_parse(end, &expires) != 0 || expires <= 0)
        return sc_fail(err, SR_STORAGE_E_CORRUPT,
                       "%s answered without an accessToken and an expireTime", who);
    return sc_oauth_cred_new(who, token, expires - ahead, ret, err);
}

static int32_t impersonation_body(const struct gcs_file *f, struct sc_buf *ret,
                                  struct sc_error *err)
{
    char life[24];
    (void)snprintf(life, sizeof life, "%llus", (unsigned long long)f->lifetime);
    json_t *o = json_pack("{s:[s], s:s}", "scope", GCS_SCOPE, "lifetime", life);
    if (o && json_is_array(f->delegates))
        (void)json_object_set(o, "delegates", (json_t *)(uintptr_t)f->delegates);
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    json_decref(o);
    if (!text)
        return sc_fail_memory(err);
    (void)sc_buf_adds(ret, text);
    free(text);
    return sc_buf_check(ret, err, "the request for another account's token");
}

static int32_t bearer_add(struct sc_request *r, const struct sc_cred *c, struct sc_error *err)
{
    _cleanup_(sc_buf_done) struct sc_buf value = SC_BUF_SECRET_INIT(SC_SECRET_MAX + 8);
    sc_buf_adds(&value, "Bearer ");
    sc_buf_add(&value, sc_secret_bytes(&c->token), c->token.len);
    int32_t rc = sc_buf_check(&value, err, "a token");
    return rc == SR_STORAGE_OK
               ? sc_headers_set(&r->headers, "Authorization", sc_buf_str(&value), err)
               : rc;
}

int32_t gcs_token_impersonate(struct gcs_identity *a, const struct sr_storage_host *host,
                              const struct gcs_file *f, const struct sc_cred *base,
                              struct sc_cred **ret, struct sc_error *err)
{
    struct sc_http *http = NULL;
    _cleanup_(sc_buf_done) struct sc_buf body = SC_BUF_INIT(GCS_FILE_MAX);
    _cleanup_(sc_call_done) struct sc_call call = SC_CALL_INIT;
    int32_t rc = gcs_identity_client(a, host, &http, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_request_url(&call.request, "POST", f->impersonation_url, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_headers_add(&call.request.headers, "Content-Type", "application/json", err);
    if (rc == SR_STORAGE_OK)
        rc = bearer_add(&call.request, base, err);
    if (rc == SR_STORAGE_OK)
        rc = impersonation_body(f, &body, err);
    call.request.flags |= SC_REQUEST_TLS_ONLY;
    call.request.body = body.data;
    call.request.body_len = body.len;
    call.judge = sc_oauth_judge;
    call.reply_max = SC_OAUTH_REPLY_MAX;
    call.time_limit_ms = SC_OAUTH_TIME_LIMIT_MS;
    if (rc == SR_STORAGE_OK)
        rc = sc_http_run(http, &call, err);
    if (rc == SR_STORAGE_OK)
        rc = impersonation_read(sc_buf_str(&call.response.body), call.response.body.len,
                                sc_aws_clock_now(a->clock, host) - host->now(host), ret, err);
    sc_wipe(call.response.body.data, call.response.body.len);
    return rc == SR_STORAGE_OK ? rc : sc_error_wrap(err, "acting as another service account");
}

/* --- external accounts ----------------------------------------------------------------------- */

/* The subject's token out of what its source gave. */
static int32_t subject_read(const struct gcs_file *f, const char *where, const struct sc_buf *text,
                            struct sc_secret *ret, struct sc_error *err)
{
    _cleanup_(sc_json_wipe) json_t *v = NULL;
    const char *token = sc_buf_str(text);
    size_t len = text->len;
    if (f->source_field) {
        int32_t rc = sc_json_read(where, text->data, text->len, GCS_TOKEN_MAX, &v, err);
        if (rc != SR_STORAGE_OK)
            return rc;
        token = sc_json_text(v, f->source_field);
        if (!token)
            return sc_fail(err, SR_STORAGE_E_CONFIG, "%s has no text %.64s in it", where,
                           f->source_field);
        len = strlen(token);
    }
    while (len > 0 && strchr(" \t\r\n", token[len - 1]))
        len--;
    if (len == 0)
        return sc_fail(err, SR_STORAGE_E_CONFIG, "%s gave an empty token", where);
    return sc_secret_set(ret, token, len, err);
}

static int32_t headers_add(const struct gcs_file *f, struct sc_request *r, struct sc_error *err)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)f->source_headers, name, value)
    {
        const char *text = json_string_value(value);
        int32_t rc =
            text ? sc_headers_add(&r->headers, name, text, err)
                 : sc_fail(err, SR_STORAGE_E_CONFIG, "a header of credential_source is no text");
        if (rc != SR_STORAGE_OK)
            return rc;
    }
    return SR_STORAGE_OK;
}

static int32_t subject_fetch(struct gcs_identity *a, const struct sr_storage_host *host,
                             const struct gcs_file *f, struct sc_secret *ret, struct sc_error *err)
{
    struct sc_http *http = NULL;
    _cleanup_(sc_call_done) struct sc_call call = SC_CALL_INIT;
    int32_t rc = f->source_metadata ? gcs_identity_metadata(a, host, &http, err)
                                    : gcs_identity_client(a, host, &http, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_request_url(&call.request, "GET", f->source_url, err);
    if (rc == SR_STORAGE_OK)
        rc = headers_add(f, &call.request, err);
    call.request.flags |=
        f->source_metadata ? SC_REQUEST_NO_PROXY | SC_REQUEST_PLAIN_OK : SC_REQUEST_TLS_ONLY;
    call.retry = &sc_retry_short;
    call.reply_max = GCS_TOKEN_MAX;
    call.judge = sc_oauth_judge;
    call.time_limit_ms = SC_OAUTH_TIME_LIMIT_MS;
    if (rc == SR_STORAGE_OK)
        rc = sc_http_run(http, &call, err);
    if (rc == SR_STORAGE_OK)
        rc = subject_read(f, "the url of credential_source", &call.response.body, ret, err);
    sc_wipe(call.response.body.data, call.response.body.len);
    return rc;
}

/* Read anew each time: what put it there renews it. */
static int32_t subject_token(struct gcs_identity *a, const struct sr_storage_host *host,
                             const struct gcs_file *f, struct sc_secret *ret, struct sc_error *err)
{
    _cleanup_(sc_buf_done) struct sc_buf text = SC_BUF_SECRET_INIT(GCS_TOKEN_MAX);
    if (f->source_url)
        return subject_fetch(a, host, f, ret, err);
    int32_t rc = gcs_file_load(f->source_file, GCS_TOKEN_MAX, &text, err);
    if (rc == SR_STORAGE_OK)
        return subject_read(f, f->source_file, &text, ret, err);
    if (err)
        err->code = SR_STORAGE_E_CONFIG;
    return SR_STORAGE_E_CONFIG;
}

static int32_t basic_make(const struct gcs_file *f, struct sc_buf *ret, struct sc_error *err)
{
    _cleanup_(sc_buf_done) struct sc_buf pair = SC_BUF_SECRET_INIT(GCS_FILE_MAX);
    if (!f->client_id || !f->client_secret)
        return SR_STORAGE_OK;
    (void)sc_buf_addf(&pair, "%s:%s", f->client_id, f->client_secret);
    int32_t rc = sc_buf_check(&pair, err, "client_id and client_secret");
    sc_buf_adds(ret, "Basic ");
    sc_base64_encode(ret, pair.data, pair.len);
    return rc == SR_STORAGE_OK ? sc_buf_check(ret, err, "client_id and client_secret") : rc;
}

int32_t gcs_token_external(struct gcs_identity *a, const struct sr_storage_host *host,
                           const struct gcs_file *f, const char *scope, struct sc_cred **ret,
                           struct sc_error *err)
{
    _cleanup_(sc_secret_done) struct sc_secret subject = SC_SECRET_INIT;
    _cleanup_(sc_buf_done) struct sc_buf basic = SC_BUF_SECRET_INIT(2 * GCS_FILE_MAX);
    int32_t rc = subject_token(a, host, f, &subject, err);
    if (rc == SR_STORAGE_OK)
        rc = basic_make(f, &basic, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    struct form form = {.f = f, .scope = scope, .subject = sc_secret_bytes(&subject)};
    const struct sc_oauth_ask how = {.who = "the token exchange",
                                     .url = f->token_url,
                                     .form = exchange_form,
                                     .ctx = &form,
                                     .authorization = basic.len ? sc_buf_str(&basic) : NULL};
    return ask(a, host, &how, ret, err);
}
