/* Tokens of Entra ID by client credentials: "OAuth 2.0 client credentials flow" of the Microsoft
 * identity platform; the certificate's assertion: "application authentication certificate
 * credentials". */
#include "azure/sources.h"

#include "common/jwt.h"
#include "common/oauth.h"
#include "common/setting.h"

#include <stdio.h>
#include <string.h>

#define WHO "Entra ID"
#define SCOPE AZURE_RESOURCE ".default"
#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#define ASSERTION_S 540 /* ten minutes are the most that are advised */
#define SKEW_S 60
#define PEM_MAX 65536
#define ID_MAX 128

struct asking {
    struct azure *s;
    char tenant[ID_MAX], client[ID_MAX];
    char *url;
    struct sc_secret secret;    /* the client's; or */
    struct sc_secret pem;       /* certificate and key; or */
    struct sc_secret assertion; /* somebody else's token */
};

static void asking_done(struct asking *a)
{
    free(a->url);
    sc_secret_done(&a->secret);
    sc_secret_done(&a->pem);
    sc_secret_done(&a->assertion);
}

static int is_plain(const char *text)
{
    return text[0] && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                   "-._") == strlen(text);
}

static int32_t ids_read(struct asking *a, const char *with, struct sc_error *err)
{
    const struct sr_storage_host *host = a->s->host;
    int32_t rc = sc_setting_text(host, "tenant_id", a->tenant, sizeof a->tenant, NULL, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_text(host, "client_id", a->client, sizeof a->client, NULL, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    if (!a->tenant[0] || !a->client[0])
        return sc_fail(err, SR_STORAGE_E_CONFIG, "%s is set without %s", with,
                       a->tenant[0] ? "AZURE_CLIENT_ID" : "AZURE_TENANT_ID");
    if (!is_plain(a->tenant) || !is_plain(a->client))
        return sc_fail(err, SR_STORAGE_E_CONFIG, "%s is no id",
                       is_plain(a->tenant) ? "AZURE_CLIENT_ID" : "AZURE_TENANT_ID");
    return rc;
}

/* AZURE_AUTHORITY_HOST comes with or without its scheme, and with a slash at its end or none. */
static int32_t url_make(struct asking *a, struct sc_error *err)
{
    _cleanup_free_ char *authority = NULL;
    int32_t rc = sc_setting_string(a->s->host, "authority_host", &authority, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    const char *base = authority ? authority : azure_authority_of(a->s->host_name);
    size_t len = strlen(base);
    while (len > 0 && base[len - 1] == '/')
        len--;
    if (asprintf(&a->url, "%s%.*s/%s/oauth2/v2.0/token", strstr(base, "://") ? "" : "https://",
                 (int)len, base, a->tenant) < 0) {
        a->url = NULL;
        return sc_fail_memory(err);
    }
    return rc;
}

static int32_t assertion_make(struct asking *a, int64_t now, struct sc_buf *out,
                              struct sc_error *err)
{
    _cleanup_(sc_buf_done) struct sc_buf x5t = SC_BUF_INIT(64);
    const char *pem = sc_secret_bytes(&a->pem);
    uint8_t raw[16];
    char id[2 * sizeof raw + 1];
    int32_t rc = sc_jwt_x5t(pem, a->pem.len, &x5t, err);
    if (rc == SR_STORAGE_OK && a->s->host->random(a->s->host, raw, sizeof raw) != SR_STORAGE_OK)
        rc = sc_fail(err, SR_STORAGE_E_UNAVAILABLE, "no random bytes");
    if (rc != SR_STORAGE_OK)
        return rc;
    sc_hex(id, raw, sizeof raw);
    const struct sc_jwt t = {.x5t = sc_buf_str(&x5t),
                             .iss = a->client,
                             .sub = a->client,
                             .aud = a->url,
                             .jti = id,
                             .iat = now,
                             .nbf = now - SKEW_S,
                             .exp = now + ASSERTION_S};
    return sc_jwt_rs256(&t, pem, a->pem.len, out, err);
}

static int32_t form_make(void *ctx, int64_t now, struct sc_buf *form, struct sc_error *err)
{
    struct asking *a = ctx;
    _cleanup_(sc_buf_done) struct sc_buf made = SC_BUF_SECRET_INIT(SC_JWT_MAX);
    int32_t rc = SR_STORAGE_OK;
    sc_oauth_field(form, "grant_type", "client_credentials");
    sc_oauth_field(form, "scope", SCOPE);
    sc_oauth_field(form, "client_id", a->client);
    if (a->secret.len > 0) {
        sc_oauth_field(form, "client_secret", sc_secret_bytes(&a->secret));
        return rc;
    }
    if (a->pem.len > 0)
        rc = assertion_make(a, now, &made, err);
    sc_oauth_field(form, "client_assertion_type", ASSERTION_TYPE);
    sc_oauth_field(form, "client_assertion",
                   a->pem.len > 0 ? sc_buf_str(&made) : sc_secret_bytes(&a->assertion));
    return rc;
}

void azure_cred_bearer(struct sc_cred *c, const char *source, const char *client_id)
{
    (void)snprintf(c->id, sizeof c->id, AZURE_BY_BEARER);
    (void)snprintf(c->source, sizeof c->source, "%s%s%s", source, *client_id ? ", client " : "",
                   client_id);
}

static int32_t client_of(struct azure *s, struct sc_error *err)
{
    const struct sc_http_options o = {.label = s->label,
                                      .ca_file = s->set.ca_file,
                                      .ca_setting = "ca_file",
                                      .insecure = s->set.insecure,
                                      .connections_max = 1};
    return s->tokens ? SR_STORAGE_OK : sc_http_new(s->host, &o, &s->tokens, err);
}

/* with: the setting that made this source one that is set up. */
static int32_t token_ask(struct asking *a, const char *with, const char *source,
                         struct sc_cred **ret, struct sc_error *err)
{
    int32_t rc = ids_read(a, with, err);
    if (rc == SR_STORAGE_OK)
        rc = url_make(a, err);
    if (rc == SR_STORAGE_OK)
        rc = client_of(a->s, err);
    const struct sc_oauth_ask ask = {
        .who = WHO, .url = a->url, .form = form_make, .ctx = a, .clock = &a->s->clock};
    if (rc == SR_STORAGE_OK)
        rc = sc_oauth_post(a->s->tokens, a->s->host, &ask, ret, err);
    if (rc == SR_STORAGE_OK)
        azure_cred_bearer(*ret, source, a->client);
    /* It is set up: whatever is wrong now must not look like "not set up". */
    if (rc == SR_STORAGE_E_NOT_FOUND && err)
        err->code = SR_STORAGE_E_DENIED;
    return rc == SR_STORAGE_E_NOT_FOUND ? SR_STORAGE_E_DENIED : rc;
}

int32_t azure_from_client_secret(void *ctx, const struct sr_storage_host *host,
                                 struct sc_cred **ret, struct sc_error *err)
{
    _cleanup_(asking_done) struct asking a = {.s = ctx};
    int32_t rc = sc_secret_setting(&a.secret, host, "client_secret", err);
    if (rc == SR_STORAGE_E_NOT_FOUND)
        return sc_fail(err, rc, "AZURE_CLIENT_SECRET is not set");
    return rc == SR_STORAGE_OK ? token_ask(&a, "AZURE_CLIENT_SECRET", "a client secret", ret, err)
                               : rc;
}

int32_t azure_from_client_certificate(void *ctx, const struct sr_storage_host *host,
                                      struct sc_cred **ret, struct sc_error *err)
{
    _cleanup_(asking_done) struct asking a = {.s = ctx};
    _cleanup_free_ char *path = NULL;
    int32_t rc = sc_setting_string(host, "client_certificate_path", &path, err);
    if (rc == SR_STORAGE_OK && !path)
        return sc_fail(err, SR_STORAGE_E_NOT_FOUND, "AZURE_CLIENT_CERTIFICATE_PATH is not set");
    if (rc == SR_STORAGE_OK)
        rc = sc_secret_file(&a.pem, path, PEM_MAX, err);
    if (rc == SR_STORAGE_OK && a.pem.len == 0)
        rc = sc_fail(err, SR_STORAGE_E_CONFIG, "the file %s is empty", path);
    return rc == SR_STORAGE_OK
               ? token_ask(&a, "AZURE_CLIENT_CERTIFICATE_PATH", "a client certificate", ret, err)
               : rc;
}

int32_t azure_from_workload_identity(void *ctx, const struct sr_storage_host *host,
                                     struct sc_cred **ret, struct sc_error *err)
{
    _cleanup_(asking_done) struct asking a = {.s = ctx};
    _cleanup_free_ char *path = NULL;
    int32_t rc = sc_setting_string(host, "federated_token_file", &path, err);
    if (rc == SR_STORAGE_OK && !path)
        return sc_fail(err, SR_STORAGE_E_NOT_FOUND, "AZURE_FEDERATED_TOKEN_FILE is not set");
    if (rc == SR_STORAGE_OK)
        rc = sc_secret_token(&a.assertion, path, err);
    return rc == SR_STORAGE_OK
               ? token_ask(&a, "AZURE_FEDERATED_TOKEN_FILE", "workload identity", ret, err)
               : rc;
}
