#include "gcs/gcs.h"

#include "gcs/identity.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define GOOGLE "storage.googleapis.com"

static int is_google(const char *host)
{
    static const char tail[] = ".googleapis.com";
    size_t n = strlen(host), m = strlen(tail);
    return n > m && strcasecmp(host + n - m, tail) == 0;
}

static int32_t endpoint_read(struct gcs *s, struct sc_error *err)
{
    struct sc_request r = SC_REQUEST_INIT;
    const char *url = s->set.endpoint ? s->set.endpoint : "https://" GOOGLE;
    int32_t rc = sc_request_url(&r, "GET", url, err);
    if (rc == SR_STORAGE_OK && r.query.len > 0)
        rc = sc_fail(err, SR_STORAGE_E_CONFIG, "it has a query");
    if (rc != SR_STORAGE_OK) {
        sc_request_done(&r);
        return sc_error_wrap(err, "the setting %s cannot be used",
                             s->set.emulator ? "emulator_host" : "endpoint_url");
    }
    memcpy(s->scheme, r.scheme, sizeof s->scheme);
    memcpy(s->host_name, r.host, sizeof s->host_name);
    s->port = r.port;
    s->google = is_google(r.host);
    while (r.path.len > 0 && r.path.data[r.path.len - 1] == '/')
        r.path.data[--r.path.len] = '\0';
    s->base_path = strdup(sc_buf_str(&r.path));
    sc_request_done(&r);
    return s->base_path ? SR_STORAGE_OK : sc_fail_memory(err);
}

int32_t gcs_auth_open(struct gcs *s, struct sc_error *err)
{
    int32_t rc = endpoint_read(s, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    const struct gcs_identity_options who = {
        .label = s->label, .ca_file = s->set.ca_file, .ca_setting = "ca_file", .clock = &s->clock};
    if (!s->set.emulator)
        rc = gcs_identity_new(s->host, &who, &s->creds, err);
    if (rc == SR_STORAGE_OK && !s->creds)
        sc_log(s->host, SR_STORAGE_LOG_VERBOSE, "using no credentials for requests to %s (%s)",
               s->host_name, s->set.emulator ? "an emulator" : "credentials=none");
    const struct sc_http_options http = {.label = s->label,
                                         .ca_file = s->set.ca_file,
                                         .ca_setting = "ca_file",
                                         .insecure = s->set.insecure,
                                         /* Each part has a connection of its own in any case. */
                                         .version = SC_HTTP_1_1,
                                         .connections_max = s->set.concurrency + 1};
    return rc == SR_STORAGE_OK ? sc_http_new(s->host, &http, &s->http, err) : rc;
}

void gcs_auth_close(struct gcs *s)
{
    sc_http_free(s->http);
    sc_creds_free(s->creds);
    free(s->base_path);
}
