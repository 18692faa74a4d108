/* The metadata server of a machine at Google: a token of the service account it runs as. */
#include "gcs/identity.h"

#include "common/cleanup.h"
#include "common/encode.h"
#include "common/oauth.h"
#include "common/setting.h"

#include <stdio.h>
#include <string.h>

#define HOST "metadata.google.internal"
#define CONNECT_MS 1000
#define STALL_S 5
#define TIME_LIMIT_MS 15000

int32_t gcs_identity_metadata(struct gcs_identity *a, const struct sr_storage_host *host,
                              struct sc_http **ret, struct sc_error *err)
{
    const struct sc_http_options o = {.label = a->label,
                                      .proxy = "",
                                      .version = SC_HTTP_1_1,
                                      .connect_ms = CONNECT_MS,
                                      .stall_s = STALL_S,
                                      .connections_max = 1};
    int32_t rc = a->metadata ? SR_STORAGE_OK : sc_http_new(host, &o, &a->metadata, err);
    *ret = a->metadata;
    return rc;
}

/* Whoever else answers at that address knows nothing of this header. */
static int is_google(const struct sc_response *r)
{
    const char *flavor = sc_headers_get(&r->headers, "metadata-flavor");
    return flavor && strcmp(flavor, "Google") == 0;
}

static int32_t head(struct sc_call *call, struct sc_error *err)
{
    if (is_google(&call->response))
        return SR_STORAGE_OK;
    return sc_fail(err, SR_STORAGE_E_UNAVAILABLE,
                   "what answers at %s is no metadata server: it sends no Metadata-Flavor: Google",
                   call->request.host);
}

static void judge(struct sc_call *call, struct sc_verdict *v)
{
    sc_oauth_judge(call, v);
    if (call->response.status == 404 && is_google(&call->response))
        (void)snprintf(v->text, sizeof v->text,
                       "HTTP 404: the machine has no such service account; check service_account");
}

/* host, host:port; a scheme or a path would be another place. */
static int32_t target(const struct sr_storage_host *host, struct sc_request *r, int *ret_told,
                      struct sc_error *err)
{
    _cleanup_free_ char *where = NULL, *account = NULL;
    _cleanup_(sc_buf_done) struct sc_buf url = SC_BUF_INIT(1024);
    int32_t rc = sc_setting_string(host, "metadata_host", &where, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_string(host, "service_account", &account, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    *ret_told = where != NULL;
    if (where && strpbrk(where, "/?#@"))
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "GCE_METADATA_HOST is a host and perhaps a port, nothing else");
    sc_buf_addf(&url, "http://%s/computeMetadata/v1/instance/service-accounts/",
                where ? where : HOST);
    sc_percent_encode_str(&url, account ? account : "default", 0);
    sc_buf_adds(&url, "/token");
    rc = sc_buf_check(&url, err, "the URL of the metadata server");
    return rc == SR_STORAGE_OK ? sc_request_url(r, "GET", sc_buf_str(&url), err) : rc;
}

int32_t gcs_from_metadata(void *ctx, const struct sr_storage_host *host, struct sc_cred **ret,
                          struct sc_error *err)
{
    struct gcs_identity *a = ctx;
    struct sc_http *http = NULL;
    _cleanup_free_ char *choice = NULL;
    _cleanup_(sc_call_done) struct sc_call call = SC_CALL_INIT;
    int told = 0, off = 0;
    int32_t rc = sc_setting_flag(host, "no_metadata", &off, err);
    if (rc == SR_STORAGE_OK && off)
        return sc_fail(err, SR_STORAGE_E_NOT_FOUND, "the metadata server is not to be asked");
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_string(host, "credentials", &choice, err);
    if (rc == SR_STORAGE_OK)
        rc = target(host, &call.request, &told, err);
    if (rc == SR_STORAGE_OK)
        rc = gcs_identity_metadata(a, host, &http, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_headers_add(&call.request.headers, "Metadata-Flavor", "Google", err);
    if (rc != SR_STORAGE_OK)
        return rc;
    call.request.flags |= SC_REQUEST_NO_PROXY | SC_REQUEST_PLAIN_OK;
    call.retry = &sc_retry_short;
    call.time_limit_ms = TIME_LIMIT_MS;
    call.head = head;
    call.judge = judge;
    rc = sc_oauth_run(http, host, &call, "the metadata server", ret, err);
    if (rc == SR_STORAGE_OK)
        (void)snprintf((*ret)->source, sizeof(*ret)->source, "the metadata server at %.64s",
                       call.request.host);
    /* Nobody there: this is no machine of Google's, unless somebody said so. */
    told |= choice && strcmp(choice, "metadata") == 0;
    if (rc != SR_STORAGE_OK && call.response.status == 0 && !told && rc != SR_STORAGE_E_CANCELLED) {
        if (err)
            err->code = SR_STORAGE_E_NOT_FOUND;
        return SR_STORAGE_E_NOT_FOUND;
    }
    return rc;
}
