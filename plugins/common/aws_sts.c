#include "common/aws_private.h"
#include "common/encode.h"
#include "common/http.h"
#include "common/sigv4.h"
#include "common/timefmt.h"
#include "common/xml.h"

#include <stdio.h>
#include <string.h>

#define VERSION "2011-06-15"
#define FORM_MAX (2 * SC_SECRET_MAX)
#define TIME_LIMIT_MS 60000
#define REPLY_MAX ((size_t)256 << 10)

/* --- where --- */

static int begins(const char *s, const char *start)
{
    return strncmp(s, start, strlen(start)) == 0;
}

/* eu-west-1, us-gov-east-1: what AWS calls regions, and no clone does. */
static int is_aws_region(const char *region)
{
    size_t n = strlen(region), dashes = 0;
    for (size_t i = 0; i < n; i++) {
        if (region[i] == '-')
            dashes++;
        else if (!((region[i] >= 'a' && region[i] <= 'z') ||
                   (region[i] >= '0' && region[i] <= '9')))
            return 0;
    }
    return dashes >= 2 && region[n - 1] >= '0' && region[n - 1] <= '9';
}

int32_t sc_aws_sts_host(const char *region, int legacy, struct sc_buf *ret, const char **ret_region)
{
    /* Each partition of AWS has a domain of its own. */
    static const struct {
        const char *start, *domain;
    } domains[] = {{"cn-", "amazonaws.com.cn"},
                   {"us-isob-", "sc2s.sgov.gov"},
                   {"us-iso-", "c2s.ic.gov"},
                   {"", "amazonaws.com"}};
    if (!region || !is_aws_region(region))
        legacy = 1;
    size_t i = 0;
    while (region && !begins(region, domains[i].start))
        i++;
    /* The one global STS is that of the first partition alone. */
    if (legacy && (!region || !*domains[i].start) && (!region || !begins(region, "us-gov-"))) {
        (void)sc_buf_adds(ret, "sts.amazonaws.com");
        *ret_region = "us-east-1";
    } else {
        (void)sc_buf_addf(ret, "sts.%s.%s", region, domains[i].domain);
        *ret_region = region;
    }
    return ret->state == SC_BUF_GOOD ? SR_STORAGE_OK : SR_STORAGE_E_CONFIG;
}

/* The region that was asked for, or the one of the settings. */
static int32_t find_region(const struct sr_storage_host *host, const struct sc_aws_role *role,
                           char **ret, struct sc_error *err)
{
    if (!role->region)
        return sc_aws_setting(host, "region", ret, err);
    return (*ret = strdup(role->region)) ? SR_STORAGE_OK : sc_fail_memory(err);
}

static int32_t aim(const struct sr_storage_host *host, const char *region, struct sc_request *r,
                   const char **ret_region, struct sc_error *err)
{
    _cleanup_free_ char *url = NULL, *mode = NULL;
    int32_t rc = sc_aws_setting(host, "sts_endpoint_url", &url, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_aws_setting(host, "sts_regional_endpoints", &mode, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    _cleanup_(sc_buf_done) struct sc_buf name = SC_BUF_INIT(255);
    if (sc_aws_sts_host(region, mode && strcmp(mode, "legacy") == 0, &name, ret_region) !=
        SR_STORAGE_OK)
        return sc_buf_check(&name, err, "the name of the region");
    rc = url ? sc_request_url(r, "POST", url, err)
             : sc_request_target(r, "POST", "https", sc_buf_str(&name), 0, err);
    if (rc == SR_STORAGE_OK && r->path.len == 0) {
        (void)sc_buf_addc(&r->path, '/');
        rc = sc_buf_check(&r->path, err, "the path of STS");
    }
    return rc;
}

/* --- the call --- */

struct sts {
    struct sc_aws *aws;
    const struct sr_storage_host *host;
    const struct sc_cred *with; /* NULL: unsigned */
    struct sc_sigv4_scope where;
    char payload[SC_SIGV4_PAYLOAD_SIZE];
};

static int32_t prepare(struct sc_call *call, struct sc_error *err)
{
    const struct sts *s = call->ctx;
    if (!s->with)
        return SR_STORAGE_OK;
    return sc_sigv4_sign(&call->request, &s->where, s->with, s->payload,
                         sc_aws_clock_now(s->aws->clock, s->host), NULL, err);
}

static int is_one_of(const char *code, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(code, *list) == 0)
            return 1;
    return 0;
}

static void judge(struct sc_call *call, struct sc_verdict *v)
{
    static const char *const slow[] = {"Throttling", "ThrottlingException", "RequestLimitExceeded",
                                       NULL};
    static const char *const later[] = {"IDPCommunicationError", "InternalFailure",
                                        "ServiceUnavailable", NULL};
    const struct sts *s = call->ctx;
    if (call->response.phase != SC_PHASE_DONE || call->response.status / 100 == 2)
        return;
    struct sc_xml *x = NULL;
    if (sc_xml_parse(call->response.body.data, call->response.body.len, &x, NULL) != SR_STORAGE_OK)
        return;
    const char *code = sc_xml_text(sc_xml_root(x), "Error/Code");
    const char *message = sc_xml_text(sc_xml_root(x), "Error/Message");
    if (code) {
        (void)snprintf(v->text, sizeof v->text, "%d %.64s: %.384s", call->response.status, code,
                       message ? message : "no message");
        if (is_one_of(code, slow))
            v->cls = SC_THROTTLED, v->code = SR_STORAGE_E_THROTTLED;
        else if (is_one_of(code, later))
            v->cls = SC_RETRY, v->code = SR_STORAGE_E_UNAVAILABLE;
        else if (call->response.status / 100 == 4)
            v->cls = s->with && sc_aws_clock_is_skew(code) &&
                             sc_aws_clock_learn(s->aws->clock, s->host, &call->response)
                         ? SC_AGAIN
                         : SC_FINAL,
            v->code = SR_STORAGE_E_DENIED;
    }
    sc_xml_free(x);
}

static int32_t read_answer(const struct sc_response *response, const char *result,
                           struct sc_cred **ret, struct sc_error *err)
{
    struct sc_xml *x = NULL;
    int32_t rc = sc_xml_parse(response->body.data, response->body.len, &x, err);
    if (rc != SR_STORAGE_OK)
        return sc_error_wrap(err, "the answer of STS");
    const struct sc_xml_node *n = sc_xml_child(sc_xml_child(sc_xml_root(x), result), "Credentials");
    const char *id = n ? sc_xml_text(n, "AccessKeyId") : NULL;
    const char *secret = n ? sc_xml_text(n, "SecretAccessKey") : NULL;
    const char *token = n ? sc_xml_text(n, "SessionToken") : NULL;
    const char *end = n ? sc_xml_text(n, "Expiration") : NULL;
    int64_t expires = 0;
    if (!id || !secret || !token || !*token || !end || sc_time_iso_parse(end, &expires) != 0 ||
        expires <= 0)
        rc = sc_fail(err, SR_STORAGE_E_CORRUPT,
                     "STS answered without AccessKeyId, SecretAccessKey, SessionToken and "
                     "Expiration in %s/Credentials",
                     result);
    else
        rc = sc_aws_cred_new(id, secret, token, expires, ret, err);
    sc_xml_free(x);
    return rc;
}

static void form_add(struct sc_buf *form, const char *name, const char *value)
{
    if (!value)
        return;
    (void)sc_buf_addf(form, "&%s=", name);
    sc_percent_encode_str(form, value, 0);
}

static int32_t check_role(const struct sc_aws_role *role, struct sc_error *err)
{
    uint64_t seconds = 0;
    if (role->duration &&
        (sc_parse_u64(role->duration, &seconds) != 0 || seconds < 900 || seconds > 43200))
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "duration_seconds of role %s is '%.32s': it must be within 900 and 43200",
                       role->arn, role->duration);
    return SR_STORAGE_OK;
}

/* Sends the form, signed with those credentials or (NULL) not at all. */
static int32_t ask(struct sc_aws *a, const struct sr_storage_host *host,
                   const struct sc_aws_role *role, const struct sc_buf *form, const char *result,
                   const struct sc_cred *with, struct sc_cred **ret, struct sc_error *err)
{
    struct sts s = {.aws = a, .host = host, .with = with};
    struct sc_http *http = NULL;
    _cleanup_free_ char *region = NULL;
    _cleanup_(sc_call_done) struct sc_call call = SC_CALL_INIT;
    int32_t rc = sc_buf_check(form, err, "the request to STS");
    if (rc == SR_STORAGE_OK)
        rc = sc_aws_sts_client(a, host, &http, err);
    if (rc == SR_STORAGE_OK)
        rc = find_region(host, role, &region, err);
    if (rc == SR_STORAGE_OK)
        rc = aim(host, region, &call.request, &s.where.region, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_headers_add(&call.request.headers, "Content-Type",
                            "application/x-www-form-urlencoded; charset=utf-8", err);
    if (rc == SR_STORAGE_OK)
        rc = sc_sigv4_payload(s.payload, form->data, form->len, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    s.where.service = "sts";
    s.where.flavour = SC_SIGV4_GENERAL;
    /* What comes back are keys, and the token that goes out is one. */
    call.request.flags |= SC_REQUEST_TLS_ONLY;
    call.request.body = form->data;
    call.request.body_len = form->len;
    call.reply_max = REPLY_MAX;
    call.time_limit_ms = TIME_LIMIT_MS;
    call.ctx = &s;
    call.prepare = prepare;
    call.judge = judge;
    rc = sc_http_run(http, &call, err);
    if (rc == SR_STORAGE_OK)
        rc = read_answer(&call.response, result, ret, err);
    return rc;
}

static void form_begin(struct sc_buf *form, const char *action, const struct sc_aws_role *role)
{
    (void)sc_buf_addf(form, "Action=%s&Version=" VERSION, action);
    form_add(form, "RoleArn", role->arn);
    form_add(form, "RoleSessionName", role->session_name ? role->session_name : "strongroom");
    form_add(form, "DurationSeconds", role->duration);
}

int32_t sc_aws_sts_assume(struct sc_aws *a, const struct sr_storage_host *host,
                          const struct sc_aws_role *role, const struct sc_cred *with,
                          struct sc_cred **ret, struct sc_error *err)
{
    _cleanup_(sc_buf_done) struct sc_buf form = SC_BUF_SECRET_INIT(FORM_MAX);
    int32_t rc = check_role(role, err);
    form_begin(&form, "AssumeRole", role);
    form_add(&form, "ExternalId", role->external_id);
    if (rc == SR_STORAGE_OK)
        rc = ask(a, host, role, &form, "AssumeRoleResult", with, ret, err);
    return rc == SR_STORAGE_OK ? rc : sc_error_wrap(err, "cannot take the role %s", role->arn);
}

int32_t sc_aws_sts_web_identity(struct sc_aws *a, const struct sr_storage_host *host,
                                const struct sc_aws_role *role, const char *token_file,
                                struct sc_cred **ret, struct sc_error *err)
{
    _cleanup_(sc_secret_done) struct sc_secret token = SC_SECRET_INIT;
    _cleanup_(sc_buf_done) struct sc_buf form = SC_BUF_SECRET_INIT(FORM_MAX);
    int32_t rc = check_role(role, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_secret_token(&token, token_file, err);
    form_begin(&form, "AssumeRoleWithWebIdentity", role);
    form_add(&form, "WebIdentityToken", sc_secret_bytes(&token));
    if (rc == SR_STORAGE_OK)
        rc = ask(a, host, role, &form, "AssumeRoleWithWebIdentityResult", NULL, ret, err);
    return rc == SR_STORAGE_OK
               ? rc
               : sc_error_wrap(err, "cannot take the role %s by web identity", role->arn);
}
