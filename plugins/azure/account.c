#include "azure/account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SUFFIX "core.windows.net"
#define EMULATOR "http://127.0.0.1"
#define PROXY_MAX 512

/* --- connection strings ---------------------------------------------------------------------- */

struct parsing {
    struct azure_connection *c;
    int development;
    char *proxy; /* DevelopmentStorageProxyUri */
};

/* Of other services; known, and of no use here. */
static const char *const others[] = {
    "BlobSecondaryEndpoint",  "FileEndpoint",  "FileSecondaryEndpoint", "QueueEndpoint",
    "QueueSecondaryEndpoint", "TableEndpoint", "TableSecondaryEndpoint"};

static int is(const char *name, size_t len, const char *known)
{
    return strlen(known) == len && strncasecmp(name, known, len) == 0;
}

static int32_t keep(char **to, const char *value, size_t len, unsigned place, struct sc_error *err)
{
    if (*to)
        return sc_fail(err, SR_STORAGE_E_CONFIG, "part %u names what an earlier one named", place);
    *to = strndup(value, len);
    return *to ? SR_STORAGE_OK : sc_fail_memory(err);
}

static int32_t keep_secret(struct sc_secret *to, const char *value, size_t len, unsigned place,
                           struct sc_error *err)
{
    if (to->len > 0)
        return sc_fail(err, SR_STORAGE_E_CONFIG, "part %u names what an earlier one named", place);
    return sc_secret_set(to, value, len, err);
}

static int32_t pair(struct parsing *p, const char *name, size_t name_len, const char *value,
                    size_t len, unsigned place, struct sc_error *err)
{
    struct azure_connection *c = p->c;
    if (is(name, name_len, "AccountName"))
        return keep(&c->account, value, len, place, err);
    if (is(name, name_len, "AccountKey"))
        return keep_secret(&c->key, value, len, place, err);
    if (is(name, name_len, "BlobEndpoint"))
        return keep(&c->blob_endpoint, value, len, place, err);
    if (is(name, name_len, "EndpointSuffix"))
        return keep(&c->suffix, value, len, place, err);
    if (is(name, name_len, "DefaultEndpointsProtocol"))
        return keep(&c->protocol, value, len, place, err);
    if (is(name, name_len, "DevelopmentStorageProxyUri"))
        return keep(&p->proxy, value, len, place, err);
    if (is(name, name_len, "SharedAccessSignature")) {
        int mark = len > 0 && value[0] == '?';
        return keep_secret(&c->sas, value + mark, len - (size_t)mark, place, err);
    }
    if (is(name, name_len, "UseDevelopmentStorage")) {
        if (!is(value, len, "true"))
            return sc_fail(err, SR_STORAGE_E_CONFIG,
                           "part %u: UseDevelopmentStorage can only be true", place);
        p->development = 1;
        return SR_STORAGE_OK;
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (is(name, name_len, others[i]))
            return SR_STORAGE_OK;
    return sc_fail(err, SR_STORAGE_E_CONFIG,
                   "part %u of it begins with a name that is none of a connection string", place);
}

static int32_t pieces(struct parsing *p, const char *text, struct sc_error *err)
{
    int32_t rc = SR_STORAGE_OK;
    unsigned place = 0;
    for (const char *at = text; *at && rc == SR_STORAGE_OK;) {
        size_t len = strcspn(at, ";");
        const char *equals = memchr(at, '=', len);
        place++;
        if (len > 0 && !equals)
            return sc_fail(err, SR_STORAGE_E_CONFIG, "part %u of it has no '='", place);
        if (len > 0) {
            size_t name_len = (size_t)(equals - at);
            rc = pair(p, at, name_len, equals + 1, len - name_len - 1, place, err);
        }
        at += len + (at[len] == ';');
    }
    if (rc == SR_STORAGE_OK && place == 0)
        rc = sc_fail(err, SR_STORAGE_E_CONFIG, "it is empty");
    return rc;
}

static int32_t development(struct parsing *p, struct sc_error *err)
{
    struct azure_connection *c = p->c;
    char url[PROXY_MAX + 64];
    const char *base = p->proxy ? p->proxy : EMULATOR;
    size_t len = strlen(base);
    if (c->account || c->key.len > 0 || c->blob_endpoint || c->sas.len > 0)
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "UseDevelopmentStorage=true stands for an account of its own: no other "
                       "goes with it");
    while (len > 0 && base[len - 1] == '/')
        len--;
    if (len > PROXY_MAX)
        return sc_fail(err, SR_STORAGE_E_CONFIG, "DevelopmentStorageProxyUri is too long");
    (void)snprintf(url, sizeof url, "%.*s:10000/" AZURE_EMULATOR_ACCOUNT, (int)len, base);
    c->account = strdup(AZURE_EMULATOR_ACCOUNT);
    c->blob_endpoint = strdup(url);
    if (!c->account || !c->blob_endpoint)
        return sc_fail_memory(err);
    return sc_secret_set(&c->key, AZURE_EMULATOR_KEY, strlen(AZURE_EMULATOR_KEY), err);
}

int32_t azure_connection_parse(struct azure_connection *c, const char *text, struct sc_error *err)
{
    struct parsing p = {.c = c};
    *c = (struct azure_connection){0};
    int32_t rc =
        strlen(text) > AZURE_CONNECTION_MAX
            ? sc_fail(err, SR_STORAGE_E_CONFIG, "it has more than %d bytes", AZURE_CONNECTION_MAX)
            : pieces(&p, text, err);
    if (rc == SR_STORAGE_OK && p.development)
        rc = development(&p, err);
    else if (rc == SR_STORAGE_OK && p.proxy)
        rc = sc_fail(err, SR_STORAGE_E_CONFIG,
                     "DevelopmentStorageProxyUri goes with UseDevelopmentStorage=true alone");
    if (rc == SR_STORAGE_OK && !c->account && !c->blob_endpoint)
        rc = sc_fail(err, SR_STORAGE_E_CONFIG, "it names neither AccountName nor BlobEndpoint");
    if (rc == SR_STORAGE_OK && c->key.len > 0 && !c->account)
        rc = sc_fail(err, SR_STORAGE_E_CONFIG, "it has an AccountKey without an AccountName");
    free(p.proxy);
    if (rc != SR_STORAGE_OK) {
        azure_connection_done(c);
        (void)sc_error_wrap(err, "the connection string cannot be used");
    }
    return rc;
}

void azure_connection_done(struct azure_connection *c)
{
    free(c->account);
    free(c->blob_endpoint);
    free(c->suffix);
    free(c->protocol);
    sc_secret_done(&c->key);
    sc_secret_done(&c->sas);
    *c = (struct azure_connection){0};
}

/* --- endpoints ------------------------------------------------------------------------------- */

static int is_plain(const char *text, const char *letters, size_t least, size_t most)
{
    size_t len = strlen(text);
    return len >= least && len <= most && strspn(text, letters) == len;
}

int32_t azure_account_endpoint(const char *account, const char *suffix, const char *protocol,
                               struct sc_buf *ret, struct sc_error *err)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    const char *scheme = protocol ? protocol : "https";
    if (!is_plain(account, name, 3, 24))
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "the account '%.80s' cannot be: its name has 3 to 24 small letters and "
                       "digits",
                       account);
    if (suffix && (!is_plain(suffix, "abcdefghijklmnopqrstuvwxyz0123456789-.", 3, 128) ||
                   suffix[0] == '.' || strstr(suffix, "..")))
        return sc_fail(err, SR_STORAGE_E_CONFIG, "the suffix '%.80s' is no part of a host's name",
                       suffix);
    if (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0)
        return sc_fail(err, SR_STORAGE_E_CONFIG, "the protocol '%.16s' is neither https nor http",
                       scheme);
    sc_buf_addf(ret, "%s://%s.blob.%s", scheme, account, suffix ? suffix : SUFFIX);
    return sc_buf_check(ret, err, "the endpoint");
}

/* The public cloud, China, the government of the USA, Germany's former one. */
static const struct {
    const char *suffix, *authority;
} clouds[] = {
    {".core.windows.net", "https://login.microsoftonline.com"},
    {".storage.azure.net", "https://login.microsoftonline.com"}, /* accounts with DNS zones */
    {".core.chinacloudapi.cn", "https://login.chinacloudapi.cn"},
    {".core.usgovcloudapi.net", "https://login.microsoftonline.us"},
    {".core.cloudapi.de", "https://login.microsoftonline.de"},
};

static const char *cloud_of(const char *host)
{
    size_t len = strlen(host);
    for (size_t i = 0; i < sizeof clouds / sizeof *clouds; i++) {
        size_t n = strlen(clouds[i].suffix);
        if (len > n && strcasecmp(host + len - n, clouds[i].suffix) == 0)
            return clouds[i].authority;
    }
    return NULL;
}

int azure_is_microsoft(const char *host)
{
    return cloud_of(host) != NULL;
}

const char *azure_authority_of(const char *host)
{
    const char *authority = cloud_of(host);
    return authority ? authority : clouds[0].authority;
}

void azure_account_of(const char *host, const char *base_path, char ret[AZURE_ACCOUNT_MAX])
{
    const char *from = azure_is_microsoft(host) ? host : base_path + (base_path[0] == '/');
    size_t len = strcspn(from, azure_is_microsoft(host) ? "." : "/");
    if (len >= AZURE_ACCOUNT_MAX)
        len = 0;
    memcpy(ret, from, len);
    ret[len] = '\0';
}
