/* Tokens of a managed identity: "How to use managed identities" for App Service (2019-08-01), for
 * servers enabled by Arc (2019-11-01) and for virtual machines (2018-02-01). */
#include "azure/sources.h"

#include "common/oauth.h"
#include "common/setting.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define IMDS "http://169.254.169.254"
#define CONNECT_MS 1000
#define STALL_S 5
#define CLIENT_MAX 128
#define CHALLENGE_MAX 4096 /* bytes of the file that Arc names, and of its path */

/* A service that is being updated says so for up to 70 seconds. */
static const struct sc_retry_policy patient = {
    .tries_max = 24, .base_ms = 1000, .cap_ms = 10000, .after_cap_ms = 60000, .total_ms = 100000};

struct asking {
    struct sc_call call; /* first */
    struct azure *s;
    char client[CLIENT_MAX];
    struct sc_secret header; /* App Service's */
};

static void asking_done(struct asking *a)
{
    sc_call_done(&a->call);
    sc_secret_done(&a->header);
}

static int32_t client_of(struct azure *s, struct sc_error *err)
{
    const struct sc_http_options o = {.label = s->label,
                                      .ca_file = s->set.ca_file,
                                      .ca_setting = "ca_file",
                                      .proxy = "",
                                      .version = SC_HTTP_1_1,
                                      .connect_ms = CONNECT_MS,
                                      .stall_s = STALL_S,
                                      .connections_max = 1};
    return s->metadata ? SR_STORAGE_OK : sc_http_new(s->host, &o, &s->metadata, err);
}

/* Secrets go to this machine, to addresses that never leave the link, or over https. */
static int is_near(const struct sc_request *r)
{
    struct in_addr four;
    return strcmp(r->scheme, "https") == 0 || sc_host_is_loopback(r->host) ||
           (inet_pton(AF_INET, r->host, &four) == 1 && ntohl(four.s_addr) >> 16 == 0xa9fe);
}

static int32_t aim(struct asking *a, const char *url, const char *api, struct sc_error *err)
{
    struct sc_request *r = &a->call.request;
    int32_t rc = sc_request_url(r, "GET", url, err);
    if (rc == SR_STORAGE_OK && !is_near(r))
        rc = sc_fail(err, SR_STORAGE_E_CONFIG,
                     "the managed identity's endpoint is %s://%s: it is asked over https, or on "
                     "this machine",
                     r->scheme, r->host);
    if (rc != SR_STORAGE_OK)
        return rc;
    sc_query_add(&r->query, "api-version", api);
    sc_query_add(&r->query, "resource", AZURE_RESOURCE);
    if (a->client[0])
        sc_query_add(&r->query, "client_id", a->client);
    r->flags |= SC_REQUEST_NO_PROXY | SC_REQUEST_PLAIN_OK;
    a->call.retry = &sc_retry_short;
    return client_of(a->s, err);
}

static int32_t ask(struct asking *a, const char *who, const char *source, struct sc_cred **ret,
                   struct sc_error *err)
{
    int32_t rc = sc_oauth_run(a->s->metadata, a->s->host, &a->call, who, ret, err);
    if (rc == SR_STORAGE_OK)
        azure_cred_bearer(*ret, source, a->client);
    return rc;
}

/* --- App Service, Functions, Container Apps --------------------------------------------------- */

static int32_t from_app_service(struct asking *a, const char *endpoint, struct sc_cred **ret,
                                struct sc_error *err)
{
    int32_t rc = aim(a, endpoint, "2019-08-01", err);
    if (rc == SR_STORAGE_OK)
        rc = sc_headers_add(&a->call.request.headers, "X-IDENTITY-HEADER",
                            sc_secret_bytes(&a->header), err);
    return rc == SR_STORAGE_OK
               ? ask(a, "App Service", "the managed identity of App Service", ret, err)
               : rc;
}

/* --- Arc -------------------------------------------------------------------------------------- */

int32_t azure_arc_file(const char *challenge, const char *folder, struct sc_buf *ret,
                       struct sc_error *err)
{
    const char *path = challenge ? strstr(challenge, "realm=") : NULL;
    size_t in = strlen(folder);
    if (!path || strncmp(challenge, "Basic ", 6) != 0)
        return sc_fail(err, SR_STORAGE_E_DENIED, "Arc's agent named no file to prove who we are");
    path += strlen("realm=");
    size_t len = strlen(path);
    if (len >= 2 && path[0] == '"' && path[len - 1] == '"') {
        path++;
        len -= 2;
    }
    while (in > 0 && folder[in - 1] == '/')
        in--;
    if (len < in + 6 || len > CHALLENGE_MAX || strncmp(path, folder, in) != 0 || path[in] != '/' ||
        memchr(path + in + 1, '/', len - in - 1) || path[in + 1] == '.' ||
        strncmp(path + len - 4, ".key", 4) != 0)
        return sc_fail(err, SR_STORAGE_E_DENIED,
                       "Arc's agent named a file that is none of its own: it is a .key in %s",
                       folder);
    sc_buf_add(ret, path, len);
    return sc_buf_check(ret, err, "the file that Arc's agent names");
}

/* The first answer is a refusal that names the file. */
static void arc_judge(struct sc_call *call, struct sc_verdict *v)
{
    sc_oauth_judge(call, v);
    if (call->response.status == 401 && !sc_headers_get(&call->request.headers, "Authorization"))
        v->cls = SC_FINAL;
}

static int32_t arc_prove(struct asking *a, struct sc_error *err)
{
    _cleanup_(sc_buf_done) struct sc_buf path = SC_BUF_INIT(CHALLENGE_MAX);
    _cleanup_(sc_buf_done) struct sc_buf value = SC_BUF_SECRET_INIT(CHALLENGE_MAX + 16);
    _cleanup_(sc_secret_done) struct sc_secret key = SC_SECRET_INIT;
    _cleanup_free_ char *folder = NULL;
    const char *challenge = sc_headers_get(&a->call.response.headers, "www-authenticate");
    int32_t rc = sc_setting_string(a->s->host, "arc_token_folder", &folder, err);
    if (rc == SR_STORAGE_OK)
        rc = azure_arc_file(challenge, folder ? folder : "", &path, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_secret_file(&key, sc_buf_str(&path), CHALLENGE_MAX, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    sc_buf_addf(&value, "Basic %s", sc_secret_bytes(&key));
    rc = sc_buf_check(&value, err, "Arc's proof");
    return rc == SR_STORAGE_OK
               ? sc_headers_set(&a->call.request.headers, "Authorization", sc_buf_str(&value), err)
               : rc;
}

static int32_t from_arc(struct asking *a, const char *endpoint, struct sc_cred **ret,
                        struct sc_error *err)
{
    struct sc_error why = SC_ERROR_INIT;
    if (a->client[0]) {
        sc_log(a->s->host, SR_STORAGE_LOG_VERBOSE,
               "Arc knows the machine's own identity alone; AZURE_CLIENT_ID is not sent");
        a->client[0] = '\0';
    }
    int32_t rc = aim(a, endpoint, "2019-11-01", err);
    if (rc == SR_STORAGE_OK)
        rc = sc_headers_add(&a->call.request.headers, "Metadata", "true", err);
    if (rc != SR_STORAGE_OK)
        return rc;
    a->call.judge = arc_judge;
    rc = sc_http_run(a->s->metadata, &a->call, &why);
    if (a->call.response.status != 401) {
        if (rc == SR_STORAGE_OK)
            return sc_fail(err, SR_STORAGE_E_DENIED,
                           "Arc's agent gave a token to somebody who proved nothing");
        *err = why;
        return rc;
    }
    rc = arc_prove(a, err);
    return rc == SR_STORAGE_OK ? ask(a, "Arc's agent", "the managed identity of Arc", ret, err)
                               : rc;
}

/* --- instance metadata ------------------------------------------------------------------------ */

/* No connection: there is no such service here. 404 and 410: it is being updated. */
static void imds_judge(struct sc_call *call, struct sc_verdict *v)
{
    const struct sc_response *r = &call->response;
    if (r->status == 0 && (r->phase == SC_PHASE_CONNECT || r->phase == SC_PHASE_NONE)) {
        v->cls = SC_FINAL;
        v->code = SR_STORAGE_E_NOT_FOUND;
        return;
    }
    if (r->status == 0) {
        v->cls = SC_FEW;
        return;
    }
    sc_oauth_judge(call, v);
    if (r->status == 404 || r->status == 410) {
        v->cls = SC_RETRY;
        v->code = SR_STORAGE_E_UNAVAILABLE;
    }
}

static int32_t from_imds(struct asking *a, struct sc_cred **ret, struct sc_error *err)
{
    _cleanup_free_ char *base = NULL, *url = NULL;
    int32_t rc = sc_setting_string(a->s->host, "metadata_endpoint", &base, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    size_t len = strlen(base ? base : IMDS);
    while (len > 0 && (base ? base : IMDS)[len - 1] == '/')
        len--;
    if (asprintf(&url, "%.*s/metadata/identity/oauth2/token", (int)len, base ? base : IMDS) < 0) {
        url = NULL;
        return sc_fail_memory(err);
    }
    rc = aim(a, url, "2018-02-01", err);
    if (rc == SR_STORAGE_OK)
        rc = sc_headers_add(&a->call.request.headers, "Metadata", "true", err);
    if (rc != SR_STORAGE_OK)
        return rc;
    a->call.judge = imds_judge;
    a->call.retry = &patient;
    a->call.time_limit_ms = patient.total_ms + 20000;
    return ask(a, "the metadata service", "the managed identity of this instance", ret, err);
}

int32_t azure_from_managed_identity(void *ctx, const struct sr_storage_host *host,
                                    struct sc_cred **ret, struct sc_error *err)
{
    _cleanup_(asking_done) struct asking a = {.call = SC_CALL_INIT, .s = ctx};
    _cleanup_free_ char *endpoint = NULL, *arc = NULL;
    int32_t rc = sc_setting_text(host, "client_id", a.client, sizeof a.client, NULL, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_string(host, "identity_endpoint", &endpoint, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_string(host, "arc_endpoint", &arc, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_secret_setting(&a.header, host, "identity_header", err);
    if (rc != SR_STORAGE_OK && rc != SR_STORAGE_E_NOT_FOUND)
        return rc;
    if (endpoint && a.header.len > 0)
        rc = from_app_service(&a, endpoint, ret, err);
    else if (endpoint && arc)
        rc = from_arc(&a, endpoint, ret, err);
    else if (endpoint)
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "IDENTITY_ENDPOINT is set without IDENTITY_HEADER (App Service) or "
                       "IMDS_ENDPOINT (Arc)");
    else
        return from_imds(&a, ret, err);
    /* It is set up: whatever is wrong now must not look like "not set up". */
    if (rc == SR_STORAGE_E_NOT_FOUND && err)
        err->code = SR_STORAGE_E_DENIED;
    return rc == SR_STORAGE_E_NOT_FOUND ? SR_STORAGE_E_DENIED : rc;
}
