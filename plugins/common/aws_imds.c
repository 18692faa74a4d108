#include "common/aws_private.h"
#include "common/encode.h"
#include "common/http.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define ENDPOINT "http://169.254.169.254"
#define ENDPOINT6 "http://[fd00:ec2::254]"
#define TOKEN_PATH "/latest/api/token"
#define ROLE_PATH "/latest/meta-data/iam/security-credentials/"
#define TOKEN_TTL_S "21600" /* the longest there is */
#define TOKEN_TIME_MS 2000
#define TIME_LIMIT_MS 6000
#define EXTENSION_S 900

/* The token's answer is sent with a time to live of one hop unless the instance says otherwise, so
 * that it never reaches a container behind a bridge. */
#define HOP_HINT                                                                            \
    "in a container this is what the hop limit of 1 does; allow one more with `aws ec2 "    \
    "modify-instance-metadata-options --http-put-response-hop-limit 2 --instance-id ...`, " \
    "or give the pod or task a role of its own"

/* A lost or refused token is no reason to try it for long: it tells which version is spoken. */
static const struct sc_retry_policy once = {.tries_max = 1, .base_ms = 100, .cap_ms = 100};

static void set_up(struct sc_call *call, const struct sc_retry_policy *retry, uint64_t limit_ms)
{
    call->request.flags |= SC_REQUEST_NO_PROXY | SC_REQUEST_PLAIN_OK;
    call->retry = retry;
    call->time_limit_ms = limit_ms;
    call->reply_max = SC_AWS_DOCUMENT_MAX;
}

/* Where it is, with a path behind it. */
static int32_t aim(const struct sr_storage_host *host, const char *method, const char *path,
                   struct sc_request *r, struct sc_error *err)
{
    _cleanup_free_ char *endpoint = NULL, *mode = NULL;
    int32_t rc = sc_aws_setting(host, "ec2_metadata_service_endpoint", &endpoint, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_aws_setting(host, "ec2_metadata_service_endpoint_mode", &mode, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    int six = mode && strcasecmp(mode, "ipv6") == 0;
    if (mode && !six && strcasecmp(mode, "ipv4") != 0)
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE is '%.32s': must be IPv4 or IPv6",
                       mode);
    const char *base = endpoint ? endpoint : six ? ENDPOINT6 : ENDPOINT;
    size_t n = strlen(base);
    while (n > 0 && base[n - 1] == '/')
        n--;
    _cleanup_(sc_buf_done) struct sc_buf url = SC_BUF_INIT(SC_PATH_MAX);
    (void)sc_buf_add(&url, base, n);
    (void)sc_buf_adds(&url, path);
    rc = sc_buf_check(&url, err, "the metadata service's URL");
    return rc == SR_STORAGE_OK ? sc_request_url(r, method, sc_buf_str(&url), err) : rc;
}

/* --- version 2's token --- */

enum version { IMDS_V2, IMDS_V1, IMDS_LOST }; /* LOST: the token's answer never came */

/* An error only where nothing more is to be tried; E_NOT_FOUND where there is no service. */
static int32_t get_token(struct sc_http *http, const struct sr_storage_host *host,
                         struct sc_secret *ret, enum version *ret_version, struct sc_error *err)
{
    _cleanup_(sc_call_done) struct sc_call call = SC_CALL_INIT;
    set_up(&call, &once, TOKEN_TIME_MS);
    int32_t rc = aim(host, "PUT", TOKEN_PATH, &call.request, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_headers_add(&call.request.headers, "x-aws-ec2-metadata-token-ttl-seconds",
                            TOKEN_TTL_S, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    struct sc_error why = SC_ERROR_INIT;
    rc = sc_http_run(http, &call, &why);
    const struct sc_response *r = &call.response;
    if (rc == SR_STORAGE_E_CANCELLED || rc == SR_STORAGE_E_CONFIG)
        return sc_fail(err, rc, "%s", why.text);
    if (rc == SR_STORAGE_OK && r->body.len > 0) {
        *ret_version = IMDS_V2;
        return sc_secret_set(ret, r->body.data, r->body.len, err);
    }
    if (r->status == 403 || r->status == 404 || r->status == 405) {
        *ret_version = IMDS_V1;
        return SR_STORAGE_OK;
    }
    if (r->phase == SC_PHASE_SEND || r->phase == SC_PHASE_REPLY) {
        *ret_version = IMDS_LOST;
        return SR_STORAGE_OK;
    }
    if (r->phase == SC_PHASE_CONNECT || r->phase == SC_PHASE_NONE)
        return sc_fail(err, SR_STORAGE_E_NOT_FOUND, "there is no metadata service here: %s",
                       why.text);
    return sc_fail(err, rc == SR_STORAGE_OK ? SR_STORAGE_E_CORRUPT : SR_STORAGE_E_UNAVAILABLE,
                   "no token: %s", rc == SR_STORAGE_OK ? "its answer is empty" : why.text);
}

/* --- the role --- */

static int32_t get(struct sc_http *http, const struct sr_storage_host *host, const char *path,
                   const struct sc_secret *token, struct sc_call *call, struct sc_error *err)
{
    set_up(call, &sc_retry_short, TIME_LIMIT_MS);
    int32_t rc = aim(host, "GET", path, &call->request, err);
    if (rc == SR_STORAGE_OK && token->len > 0)
        rc = sc_headers_add(&call->request.headers, "x-aws-ec2-metadata-token",
                            sc_secret_bytes(token), err);
    return rc == SR_STORAGE_OK ? sc_http_run(http, call, err) : rc;
}

/* The first line of the answer; names of roles are letters, digits and +=,.@_- alone. */
static int32_t read_role(const struct sc_buf *body, struct sc_buf *ret, struct sc_error *err)
{
    const char *s = sc_buf_str(body);
    size_t n = strcspn(s, "\r\n");
    int ok = n > 0 && n <= 128;
    for (size_t i = 0; i < n && ok; i++)
        ok = (s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= 'a' && s[i] <= 'z') ||
             (s[i] >= '0' && s[i] <= '9') || strchr("+=,.@_-", s[i]);
    if (!ok)
        return sc_fail(err, SR_STORAGE_E_CORRUPT,
                       "the metadata service answered with something that is no role's name");
    (void)sc_buf_add(ret, s, n);
    return sc_buf_check(ret, err, "the role's name");
}

static int32_t get_role(struct sc_http *http, const struct sr_storage_host *host,
                        const struct sc_secret *token, enum version version, struct sc_buf *ret,
                        struct sc_error *err)
{
    _cleanup_(sc_call_done) struct sc_call call = SC_CALL_INIT;
    int32_t rc = get(http, host, ROLE_PATH, token, &call, err);
    if (rc == SR_STORAGE_OK)
        return read_role(&call.response.body, ret, err);
    if (call.response.status == 404)
        return sc_fail(err, SR_STORAGE_E_NOT_FOUND, "no IAM role is attached to this instance");
    if (version == IMDS_LOST)
        return sc_error_append(err, "; the token of version 2 was asked for before that, and no "
                                    "answer came: " HOP_HINT);
    return rc;
}

/* While AWS itself cannot renew, it hands out what is expired already and goes on taking it. */
static void extend(const struct sr_storage_host *host, struct sc_cred *c)
{
    int64_t now = host->now(host);
    if (c->expires > now)
        return;
    sc_log(host, SR_STORAGE_LOG_WARN,
           "the metadata service gave credentials that have expired; they are used for another "
           "%d minutes, as AWS advises",
           EXTENSION_S / 60);
    c->expires = now + EXTENSION_S;
}

static int32_t fetch(struct sc_http *http, const struct sr_storage_host *host,
                     const struct sc_secret *token, enum version version, struct sc_cred **ret,
                     struct sc_error *err)
{
    _cleanup_(sc_buf_done) struct sc_buf role = SC_BUF_INIT(256), path = SC_BUF_INIT(1024);
    _cleanup_(sc_call_done) struct sc_call call = SC_CALL_INIT;
    int32_t rc = get_role(http, host, token, version, &role, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    (void)sc_buf_adds(&path, ROLE_PATH);
    sc_percent_encode_str(&path, sc_buf_str(&role), 0);
    rc = sc_buf_check(&path, err, "the role's path");
    if (rc == SR_STORAGE_OK)
        rc = get(http, host, sc_buf_str(&path), token, &call, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_aws_document_parse(SC_AWS_DIALECT_IMDS, "the metadata service",
                                   sc_buf_str(&call.response.body), call.response.body.len, ret,
                                   err);
    /* It is there, and answered: whatever is wrong now must not look like "not set up". */
    if (rc == SR_STORAGE_E_NOT_FOUND)
        rc = sc_fail(err, SR_STORAGE_E_DENIED, "it knows role %s no more", sc_buf_str(&role));
    if (rc != SR_STORAGE_OK)
        return rc;
    extend(host, *ret);
    sc_aws_cred_source(*ret, "instance metadata (IMDSv%d), role %s", version == IMDS_V2 ? 2 : 1,
                       sc_buf_str(&role));
    return SR_STORAGE_OK;
}

int32_t sc_aws_from_imds(void *ctx, const struct sr_storage_host *host, struct sc_cred **ret,
                         struct sc_error *err)
{
    _cleanup_(sc_secret_done) struct sc_secret token = SC_SECRET_INIT;
    struct sc_http *http = NULL;
    enum version version = IMDS_V2;
    int off = 0, no_v1 = 0;
    int32_t rc = sc_aws_setting_on(host, "ec2_metadata_disabled", &off, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_aws_setting_on(host, "ec2_metadata_v1_disabled", &no_v1, err);
    if (rc == SR_STORAGE_OK && off)
        return sc_fail(err, SR_STORAGE_E_NOT_FOUND, "AWS_EC2_METADATA_DISABLED is set");
    if (rc == SR_STORAGE_OK)
        rc = sc_aws_metadata_client(ctx, host, &http, err);
    if (rc == SR_STORAGE_OK)
        rc = get_token(http, host, &token, &version, err);
    if (rc == SR_STORAGE_E_NOT_FOUND)
        return rc;
    if (rc == SR_STORAGE_OK && version != IMDS_V2 && no_v1)
        rc = version == IMDS_LOST
                 ? sc_fail(err, SR_STORAGE_E_TIMEOUT,
                           "the token of version 2 was asked for, and no answer came: " HOP_HINT)
                 : sc_fail(err, SR_STORAGE_E_DENIED,
                           "it gives no token for version 2, and version 1 is switched off by "
                           "AWS_EC2_METADATA_V1_DISABLED");
    if (rc == SR_STORAGE_OK)
        rc = fetch(http, host, &token, version, ret, err);
    if (rc == SR_STORAGE_OK || rc == SR_STORAGE_E_NOT_FOUND)
        return rc;
    return sc_error_wrap(err, "cannot get credentials from the instance's metadata service");
}
