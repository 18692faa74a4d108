#include "common/aws_private.h"
#include "common/http.h"

#include <stdio.h>
#include <string.h>

#define ECS_HOST "169.254.170.2"
#define EKS_HOST "169.254.170.23"
#define EKS_HOST6 "fd00:ec2::23"
#define URL_MAX 4096
#define TIME_LIMIT_MS 10000

/* The authorization token must not go to a place that somebody else could stand in for: over plain
 * HTTP only to this machine and the two addresses that never leave it. */
static int is_agent(const struct sc_request *r)
{
    return strcmp(r->scheme, "https") == 0 || sc_host_is_loopback(r->host) ||
           strcmp(r->host, ECS_HOST) == 0 || strcmp(r->host, EKS_HOST) == 0 ||
           strcmp(r->host, EKS_HOST6) == 0;
}

int32_t sc_aws_container_url(const char *relative, const char *full, struct sc_buf *ret,
                             struct sc_error *err)
{
    if (relative) {
        if (*relative != '/')
            return sc_fail(err, SR_STORAGE_E_CONFIG,
                           "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI must begin with a slash");
        (void)sc_buf_addf(ret, "http://" ECS_HOST "%s", relative);
        return sc_buf_check(ret, err, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    }
    _cleanup_(sc_request_done) struct sc_request r = SC_REQUEST_INIT;
    int32_t rc = sc_request_url(&r, "GET", full, err);
    if (rc != SR_STORAGE_OK)
        return sc_error_wrap(err, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (!is_agent(&r))
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "AWS_CONTAINER_CREDENTIALS_FULL_URI names %s://%s: credentials are asked "
                       "for over https, or from this machine, " ECS_HOST ", " EKS_HOST
                       " or " EKS_HOST6,
                       r.scheme, r.host);
    (void)sc_buf_adds(ret, full);
    return sc_buf_check(ret, err, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
}

/* Adds the Authorization header, if there is a token. */
static int32_t add_token(const struct sr_storage_host *host, struct sc_request *r,
                         struct sc_error *err)
{
    _cleanup_(sc_secret_done) struct sc_secret token = SC_SECRET_INIT;
    int32_t rc = sc_secret_setting(&token, host, "container_authorization_token", err);
    if (rc == SR_STORAGE_E_NOT_FOUND)
        return SR_STORAGE_OK;
    return rc == SR_STORAGE_OK
               ? sc_headers_set(&r->headers, "Authorization", sc_secret_bytes(&token), err)
               : rc;
}

/* The agent tells its reasons in the body; a 404 of it is no missing source but a refusal. */
static void judge(struct sc_call *call, struct sc_verdict *v)
{
    if (call->response.phase != SC_PHASE_DONE || v->cls != SC_FINAL)
        return;
    v->code = SR_STORAGE_E_DENIED;
    if (call->response.body.len > 0)
        (void)snprintf(v->text, sizeof v->text, "HTTP %d: %.300s", call->response.status,
                       sc_buf_str(&call->response.body));
}

static int32_t fetch(struct sc_aws *a, const struct sr_storage_host *host, const char *url,
                     struct sc_cred **ret, struct sc_error *err)
{
    struct sc_http *http = NULL;
    _cleanup_(sc_call_done) struct sc_call call = SC_CALL_INIT;
    int32_t rc = sc_aws_metadata_client(a, host, &http, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_request_url(&call.request, "GET", url, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_headers_add(&call.request.headers, "Accept", "application/json", err);
    if (rc == SR_STORAGE_OK)
        rc = add_token(host, &call.request, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    call.request.flags |= SC_REQUEST_NO_PROXY | SC_REQUEST_PLAIN_OK;
    call.retry = &sc_retry_short;
    call.time_limit_ms = TIME_LIMIT_MS;
    call.reply_max = SC_AWS_DOCUMENT_MAX;
    call.judge = judge;
    rc = sc_http_run(http, &call, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_aws_document_parse(SC_AWS_DIALECT_CONTAINER, "the container's agent",
                                   sc_buf_str(&call.response.body), call.response.body.len, ret,
                                   err);
    if (rc == SR_STORAGE_OK)
        sc_aws_cred_source(*ret, "the container's agent at %s", call.request.host);
    return rc;
}

int32_t sc_aws_from_container(void *ctx, const struct sr_storage_host *host, struct sc_cred **ret,
                              struct sc_error *err)
{
    _cleanup_free_ char *relative = NULL, *full = NULL;
    _cleanup_(sc_buf_done) struct sc_buf url = SC_BUF_INIT(URL_MAX);
    int32_t rc = sc_aws_setting(host, "container_credentials_relative_uri", &relative, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_aws_setting(host, "container_credentials_full_uri", &full, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    if (!relative && !full)
        return sc_fail(err, SR_STORAGE_E_NOT_FOUND,
                       "neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor ..._FULL_URI is set");
    rc = sc_aws_container_url(relative, full, &url, err);
    if (rc == SR_STORAGE_OK)
        rc = fetch(ctx, host, sc_buf_str(&url), ret, err);
    return rc == SR_STORAGE_OK
               ? rc
               : sc_error_wrap(err, "cannot get credentials from the container's agent");
}
