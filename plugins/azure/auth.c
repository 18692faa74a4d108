/* Where requests go, and the sources of credentials in their order. */
#include "azure/azure.h"

#include "azure/sas.h"
#include "azure/sources.h"
#include "common/setting.h"

#include <stdio.h>
#include <string.h>

/* A renewal is tried so long before the end, and in haste so long before it. */
#define ADVISORY_S 600
#define MANDATORY_S 300
#define KEY_MAX 1024

/* --- the sources that need no request --------------------------------------------------------- */

static int32_t by_key(struct azure *s, const char *account, const struct sc_secret *text,
                      const char *source, struct sc_cred **ret, struct sc_error *err)
{
    _cleanup_(sc_buf_done) struct sc_buf raw = SC_BUF_SECRET_INIT(KEY_MAX);
    _cleanup_(sc_cred_unrefp) struct sc_cred *c = sc_cred_new();
    if (!account || !account[0])
        account = s->account;
    if (!c)
        return sc_fail_memory(err);
    if (!account[0])
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "there is an account key, and no account: set account or "
                       "AZURE_STORAGE_ACCOUNT");
    if (sc_base64_decode(&raw, sc_secret_bytes(text), text->len) != SR_STORAGE_OK || raw.len == 0)
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "%s is no base64: it was cut, or is something else", source);
    (void)snprintf(c->id, sizeof c->id, "%s", account);
    (void)snprintf(c->source, sizeof c->source, "%s", source);
    int32_t rc = sc_secret_set(&c->secret, raw.data, raw.len, err);
    if (rc == SR_STORAGE_OK)
        *ret = sc_steal_ptr(c);
    return rc;
}

static int32_t by_sas(struct azure *s, const struct sc_secret *text, const char *source,
                      struct sc_cred **ret, struct sc_error *err)
{
    _cleanup_(sc_cred_unrefp) struct sc_cred *c = sc_cred_new();
    const char *sas = sc_secret_bytes(text);
    if (!c)
        return sc_fail_memory(err);
    sas += *sas == '?';
    int32_t rc = azure_sas_check(sas, sc_aws_clock_now(&s->clock, s->host), &c->expires, err);
    (void)snprintf(c->id, sizeof c->id, AZURE_BY_SAS);
    (void)snprintf(c->source, sizeof c->source, "%s", source);
    if (rc == SR_STORAGE_OK)
        rc = sc_secret_set(&c->token, sas, strlen(sas), err);
    if (rc == SR_STORAGE_OK)
        *ret = sc_steal_ptr(c);
    return rc;
}

/* *ret all empty when there is no connection string. */
static int32_t connection_read(const struct sr_storage_host *host, struct azure_connection *ret,
                               int *ret_set, struct sc_error *err)
{
    _cleanup_(sc_secret_done) struct sc_secret text = SC_SECRET_INIT;
    *ret = (struct azure_connection){0};
    int32_t rc = sc_secret_setting(&text, host, "connection_string", err);
    *ret_set = rc == SR_STORAGE_OK;
    if (rc == SR_STORAGE_E_NOT_FOUND)
        return SR_STORAGE_OK;
    return rc == SR_STORAGE_OK ? azure_connection_parse(ret, sc_secret_bytes(&text), err) : rc;
}

static int32_t from_connection(void *ctx, const struct sr_storage_host *host, struct sc_cred **ret,
                               struct sc_error *err)
{
    struct azure_connection c;
    int set = 0;
    int32_t rc = connection_read(host, &c, &set, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    if (c.key.len > 0)
        rc = by_key(ctx, c.account, &c.key, "the connection string's account key", ret, err);
    else if (c.sas.len > 0)
        rc = by_sas(ctx, &c.sas, "the connection string's SAS", ret, err);
    else
        rc = sc_fail(err, SR_STORAGE_E_NOT_FOUND,
                     set ? "the connection string holds neither key nor SAS"
                         : "AZURE_STORAGE_CONNECTION_STRING is not set");
    azure_connection_done(&c);
    return rc;
}

static int32_t from_key(void *ctx, const struct sr_storage_host *host, struct sc_cred **ret,
                        struct sc_error *err)
{
    _cleanup_(sc_secret_done) struct sc_secret text = SC_SECRET_INIT;
    int32_t rc = sc_secret_setting(&text, host, "account_key", err);
    if (rc == SR_STORAGE_E_NOT_FOUND)
        return sc_fail(err, rc, "AZURE_STORAGE_KEY is not set");
    return rc == SR_STORAGE_OK ? by_key(ctx, NULL, &text, "the account key", ret, err) : rc;
}

static int32_t from_sas(void *ctx, const struct sr_storage_host *host, struct sc_cred **ret,
                        struct sc_error *err)
{
    _cleanup_(sc_secret_done) struct sc_secret text = SC_SECRET_INIT;
    int32_t rc = sc_secret_setting(&text, host, "sas_token", err);
    if (rc == SR_STORAGE_E_NOT_FOUND)
        return sc_fail(err, rc, "AZURE_STORAGE_SAS_TOKEN is not set");
    return rc == SR_STORAGE_OK ? by_sas(ctx, &text, "the SAS token", ret, err) : rc;
}

static const struct {
    const char *choice; /* of the setting credentials */
    struct sc_provider provider;
} sources[] = {
    {"connection-string", {.name = "connection string", .fetch = from_connection}},
    {"key", {.name = "account key", .fetch = from_key}},
    {"sas", {.name = "SAS token", .fetch = from_sas}},
    {"client-secret", {.name = "client secret", .fetch = azure_from_client_secret}},
    {"client-certificate", {.name = "client certificate", .fetch = azure_from_client_certificate}},
    {"workload-identity", {.name = "workload identity", .fetch = azure_from_workload_identity}},
    {"managed-identity", {.name = "managed identity", .fetch = azure_from_managed_identity}},
};

static int32_t chain_make(struct azure *s, struct sc_error *err)
{
    const struct sc_creds_options times = {
        .advisory_s = ADVISORY_S, .mandatory_s = MANDATORY_S, .offset = &s->clock.offset};
    char choice[32];
    int32_t rc = sc_setting_text(s->host, "credentials", choice, sizeof choice, NULL, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_creds_new(&times, &s->creds, err);
    size_t added = 0;
    for (size_t i = 0; i < sizeof sources / sizeof *sources && rc == SR_STORAGE_OK; i++) {
        if (choice[0] && strcmp(choice, "auto") != 0 && strcmp(choice, sources[i].choice) != 0)
            continue;
        struct sc_provider p = sources[i].provider;
        p.ctx = s;
        added++;
        rc = sc_creds_add(s->creds, &p, err);
    }
    if (rc == SR_STORAGE_OK && added == 0)
        rc = sc_fail(err, SR_STORAGE_E_CONFIG, "the setting credentials is '%s': no such source",
                     choice);
    return rc;
}

/* --- the endpoint ---------------------------------------------------------------------------- */

static int32_t endpoint_read(struct azure *s, const char *url, struct sc_error *err)
{
    struct sc_request r = SC_REQUEST_INIT;
    int32_t rc = sc_request_url(&r, "GET", url, err);
    if (rc == SR_STORAGE_OK && r.query.len > 0)
        rc = sc_fail(err, SR_STORAGE_E_CONFIG, "it has a query");
    if (rc != SR_STORAGE_OK) {
        sc_request_done(&r);
        return sc_error_wrap(err, "the endpoint (endpoint_url, or BlobEndpoint of the connection "
                                  "string) cannot be used");
    }
    memcpy(s->scheme, r.scheme, sizeof s->scheme);
    memcpy(s->host_name, r.host, sizeof s->host_name);
    s->port = r.port;
    s->microsoft = azure_is_microsoft(r.host);
    while (r.path.len > 0 && r.path.data[r.path.len - 1] == '/')
        r.path.data[--r.path.len] = '\0';
    s->base_path = strdup(sc_buf_str(&r.path));
    sc_request_done(&r);
    return s->base_path ? SR_STORAGE_OK : sc_fail_memory(err);
}

/* endpoint_url, else what the connection string says, else by account and cloud. */
static int32_t endpoint_choose(struct azure *s, const struct azure_connection *c,
                               struct sc_error *err)
{
    _cleanup_free_ char *own = NULL, *suffix = NULL;
    _cleanup_(sc_buf_done) struct sc_buf url = SC_BUF_INIT(512);
    int32_t rc = sc_setting_string(s->host, "endpoint_url", &own, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_string(s->host, "endpoint_suffix", &suffix, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    if (own || c->blob_endpoint)
        return endpoint_read(s, own ? own : c->blob_endpoint, err);
    if (!s->account[0])
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "no storage account is named: set account, AZURE_STORAGE_ACCOUNT, "
                       "endpoint_url or a connection string");
    rc = azure_account_endpoint(s->account, c->suffix ? c->suffix : suffix, c->protocol, &url, err);
    return rc == SR_STORAGE_OK ? endpoint_read(s, sc_buf_str(&url), err) : rc;
}

static int32_t account_choose(struct azure *s, const struct azure_connection *c,
                              struct sc_error *err)
{
    char own[AZURE_ACCOUNT_MAX];
    int32_t rc = sc_setting_text(s->host, "account", own, sizeof own, NULL, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    if (c->account && strlen(c->account) >= sizeof s->account)
        return sc_fail(err, SR_STORAGE_E_CONFIG, "the account's name is too long");
    if (c->account && own[0] && strcmp(c->account, own) != 0)
        sc_log(s->host, SR_STORAGE_LOG_VERBOSE,
               "the connection string's account %s is used, not %s", c->account, own);
    (void)snprintf(s->account, sizeof s->account, "%s", c->account ? c->account : own);
    if (strspn(s->account, "abcdefghijklmnopqrstuvwxyz0123456789") != strlen(s->account))
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "the account '%.80s' cannot be: its name has small letters and digits",
                       s->account);
    return rc;
}

int32_t azure_auth_open(struct azure *s, struct sc_error *err)
{
    struct azure_connection c;
    int set = 0;
    int32_t rc = connection_read(s->host, &c, &set, err);
    if (rc == SR_STORAGE_OK)
        rc = account_choose(s, &c, err);
    if (rc == SR_STORAGE_OK)
        rc = endpoint_choose(s, &c, err);
    azure_connection_done(&c);
    if (rc != SR_STORAGE_OK)
        return rc;
    if (!s->account[0])
        azure_account_of(s->host_name, s->base_path, s->account);
    s->clock = (struct sc_aws_clock)SC_AWS_CLOCK_INIT;
    rc = chain_make(s, err);
    const struct sc_http_options http = {.label = s->label,
                                         .ca_file = s->set.ca_file,
                                         .ca_setting = "ca_file",
                                         .insecure = s->set.insecure,
                                         /* Each block has a connection of its own in any case. */
                                         .version = SC_HTTP_1_1,
                                         .connections_max = s->set.concurrency + 1};
    return rc == SR_STORAGE_OK ? sc_http_new(s->host, &http, &s->http, err) : rc;
}

void azure_auth_close(struct azure *s)
{
    sc_http_free(s->http);
    sc_http_free(s->tokens);
    sc_http_free(s->metadata);
    sc_creds_free(s->creds);
    free(s->base_path);
}
