#include "common/oauth.h"
#include "common/encode.h"
#include "common/json.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

void sc_oauth_field(struct sc_buf *form, const char *name, const char *value)
{
    if (value)
        sc_query_add(form, name, value);
}

/* --- the answer --- */

int32_t sc_oauth_cred_new(const char *who, const char *token, int64_t expires, struct sc_cred **ret,
                          struct sc_error *err)
{
    /* It goes into a header: a line break must never get there. */
    for (const char *p = token; *p; p++)
        if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 127)
            return sc_fail(err, SR_STORAGE_E_CORRUPT,
                           "%s gave a token with a character in it that no token has", who);
    if (!*token)
        return sc_fail(err, SR_STORAGE_E_CORRUPT, "%s gave an empty token", who);
    _cleanup_(sc_cred_unrefp) struct sc_cred *c = sc_cred_new();
    int32_t rc = c ? sc_secret_set(&c->token, token, strlen(token), err) : sc_fail_memory(err);
    if (rc == SR_STORAGE_E_CONFIG)
        rc = sc_fail(err, SR_STORAGE_E_CORRUPT, "%s gave a token of more than %d bytes", who,
                     SC_SECRET_MAX);
    if (rc != SR_STORAGE_OK)
        return rc;
    c->expires = expires;
    *ret = sc_steal_ptr(c);
    return rc;
}

int32_t sc_oauth_parse(const char *who, const char *text, size_t len, int64_t now,
                       struct sc_cred **ret, struct sc_error *err)
{
    _cleanup_(sc_json_wipe) json_t *v = NULL;
    uint64_t life = SC_OAUTH_LIFE_UNTOLD, until = 0;
    int32_t rc = sc_json_read(who, text, len, SC_OAUTH_REPLY_MAX, &v, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    const char *token = sc_json_text(v, "access_token"), *type = sc_json_text(v, "token_type");
    if (!token)
        return sc_fail(err, SR_STORAGE_E_CORRUPT, "%s answered without an access_token", who);
    if (type && strcasecmp(type, "Bearer") != 0)
        return sc_fail(err, SR_STORAGE_E_UNSUPPORTED, "%s gave a token of type %.32s, not Bearer",
                       who, type);
    if (json_object_get(v, "expires_in")) {
        if (sc_json_u64(v, "expires_in", &life) != 0)
            return sc_fail(err, SR_STORAGE_E_CORRUPT, "%s gave an expires_in that is no number",
                           who);
    } else if (sc_json_u64(v, "expires_on", &until) == 0) {
        life = until > (uint64_t)now ? until - (uint64_t)now : 0;
    }
    if (life > SC_OAUTH_LIFE_MAX)
        life = SC_OAUTH_LIFE_MAX;
    return sc_oauth_cred_new(who, token, now + (int64_t)life, ret, err);
}

/* --- refusals --- */

/* RFC 6749 5.2 and what the clouds add; every other name is a refusal for good. */
static int passes(const char *error)
{
    static const char *const later[] = {"temporarily_unavailable", "server_error",
                                        "internal_failure", "slow_down", "backend_error"};
    for (size_t i = 0; i < sizeof later / sizeof *later; i++)
        if (strcmp(error, later[i]) == 0)
            return 1;
    return 0;
}

static void judge_error(int status, const char *error, const char *about, struct sc_verdict *v)
{
    (void)snprintf(v->text, sizeof v->text, "HTTP %d %.64s%s%.384s", status, error,
                   about ? ": " : "", about ? about : "");
    if (passes(error)) {
        v->cls = SC_RETRY;
        v->code = SR_STORAGE_E_UNAVAILABLE;
    } else if (status / 100 == 4 && status != 408 && status != 429) {
        v->cls = SC_FINAL;
        v->code = SR_STORAGE_E_DENIED;
    }
}

void sc_oauth_judge(struct sc_call *call, struct sc_verdict *v)
{
    const struct sc_response *r = &call->response;
    if (r->phase != SC_PHASE_DONE || r->status / 100 == 2)
        return;
    _cleanup_(sc_json_wipe) json_t *body = NULL;
    if (sc_json_read("", sc_buf_str(&r->body), r->body.len, SC_OAUTH_REPLY_MAX, &body, NULL) !=
        SR_STORAGE_OK) {
        /* Nobody asks a token endpoint for a thing that may be missing. */
        if (v->cls == SC_FINAL && r->status / 100 == 4)
            v->code = SR_STORAGE_E_DENIED;
        return;
    }
    const json_t *nested = json_object_get(body, "error");
    const char *error = sc_json_text(body, "error");
    const char *about = sc_json_text(body, "error_description");
    if (json_is_object(nested)) { /* as Google's other interfaces answer */
        error = sc_json_text(nested, "status");
        about = sc_json_text(nested, "message");
        error = error ? error : "unnamed";
    }
    if (error)
        judge_error(r->status, error, about, v);
    else if (v->cls == SC_FINAL && r->status / 100 == 4)
        v->code = SR_STORAGE_E_DENIED;
}

/* --- asking --- */

int32_t sc_oauth_run(struct sc_http *http, const struct sr_storage_host *host, struct sc_call *call,
                     const char *who, struct sc_cred **ret, struct sc_error *err)
{
    call->reply_max = SC_OAUTH_REPLY_MAX;
    if (!call->judge)
        call->judge = sc_oauth_judge;
    if (call->time_limit_ms == 0)
        call->time_limit_ms = SC_OAUTH_TIME_LIMIT_MS;
    int32_t rc = sc_http_run(http, call, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_oauth_parse(who, sc_buf_str(&call->response.body), call->response.body.len,
                            host->now(host), ret, err);
    /* The answer was a secret, whatever else was in it. */
    sc_wipe(call->response.body.data, call->response.body.len);
    return rc;
}

struct posting {
    struct sc_call call; /* first */
    const struct sc_oauth_ask *ask;
    const struct sr_storage_host *host;
    struct sc_buf form;
};

static int32_t post_prepare(struct sc_call *call, struct sc_error *err)
{
    struct posting *p = (struct posting *)call;
    sc_buf_done(&p->form);
    int32_t rc = p->ask->form(p->ask->ctx, sc_aws_clock_now(p->ask->clock, p->host), &p->form, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_buf_check(&p->form, err, "the form for a token endpoint");
    call->request.body = p->form.data;
    call->request.body_len = p->form.len;
    return rc;
}

/* invalid_grant and invalid_client are what a wrong clock looks like, too. */
static void post_judge(struct sc_call *call, struct sc_verdict *v)
{
    struct posting *p = (struct posting *)call;
    sc_oauth_judge(call, v);
    if (v->code == SR_STORAGE_E_DENIED && v->cls == SC_FINAL && call->response.status / 100 == 4 &&
        sc_aws_clock_learn(p->ask->clock, p->host, &call->response))
        v->cls = SC_AGAIN;
}

int32_t sc_oauth_post(struct sc_http *http, const struct sr_storage_host *host,
                      const struct sc_oauth_ask *ask, struct sc_cred **ret, struct sc_error *err)
{
    struct posting p = {.call = SC_CALL_INIT,
                        .ask = ask,
                        .host = host,
                        .form = SC_BUF_SECRET_INIT(SC_OAUTH_FORM_MAX)};
    struct sc_request *r = &p.call.request;
    int32_t rc = sc_request_url(r, "POST", ask->url, err);
    r->flags |= SC_REQUEST_TLS_ONLY;
    if (rc == SR_STORAGE_OK)
        rc = sc_headers_add(&r->headers, "Content-Type", "application/x-www-form-urlencoded", err);
    if (rc == SR_STORAGE_OK)
        rc = sc_headers_add(&r->headers, "Accept", "application/json", err);
    if (rc == SR_STORAGE_OK && ask->authorization)
        rc = sc_headers_add(&r->headers, "Authorization", ask->authorization, err);
    p.call.prepare = post_prepare;
    p.call.judge = post_judge;
    if (rc == SR_STORAGE_OK)
        rc = sc_oauth_run(http, host, &p.call, ask->who, ret, err);
    sc_call_done(&p.call);
    sc_buf_done(&p.form);
    return rc == SR_STORAGE_OK ? rc : sc_error_wrap(err, "asking %s for a token", ask->who);
}
