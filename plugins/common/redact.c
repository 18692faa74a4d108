#include "common/redact.h"
#include "common/cleanup.h"
#include "common/encode.h"

#include <string.h>
#include <strings.h>

static const char *const secret_headers[] = {
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-amz-security-token",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-server-side-encryption-customer-key-md5",
    "x-amz-copy-source-server-side-encryption-customer-key",
    "x-amz-copy-source-server-side-encryption-customer-key-md5",
    "x-aws-ec2-metadata-token",
    "x-goog-encryption-key",
    "x-goog-copy-source-encryption-key",
    "x-ms-encryption-key",
    "x-ms-copy-source-authorization",
};

static const char *const secret_queries[] = {
    "sig",
    "signature",
    "x-amz-signature",
    "x-amz-credential",
    "x-amz-security-token",
    "x-goog-signature",
    "x-goog-credential",
    "awsaccesskeyid",
    "webidentitytoken",
    "upload_id",
    "assertion",
    "code",
    "subject_token",
    "samlassertion",
    "skoid",
};

/* Looks like one of the above by its end, but is not. */
static const char *const harmless[] = {
    "continuation-token", "next-continuation-token", "nexttoken", "pagetoken", "nextpagetoken",
};

static const char *const endings[] = {
    "token",      "secret",      "signature", "password", "passwd",
    "credential", "credentials", "-key",      "_key",     "apikey",
};

/* Where a URL is the value, its query is what matters. */
static const char *const url_headers[] = {"location", "content-location", "x-ms-copy-source",
                                          "x-goog-copy-source", "referer"};

#define IN_LIST(list, name) in_list(list, sizeof(list) / sizeof *(list), name)
static int in_list(const char *const *list, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(list[i], name) == 0)
            return 1;
    return 0;
}

static int ends_like_a_secret(const char *name)
{
    size_t len = strlen(name);
    if (IN_LIST(harmless, name))
        return 0;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t n = strlen(endings[i]);
        if (len >= n && strcasecmp(name + len - n, endings[i]) == 0)
            return 1;
    }
    return 0;
}

int sc_redact_is_secret_header(const char *name)
{
    return IN_LIST(secret_headers, name) || ends_like_a_secret(name);
}

int sc_redact_is_secret_query(const char *key, size_t len)
{
    _cleanup_(sc_buf_done) struct sc_buf plain = SC_BUF_INIT(256);
    /* A key that cannot be read is hidden rather than shown. */
    if (sc_percent_decode(&plain, key, len, 1) != SR_STORAGE_OK)
        return 1;
    const char *name = sc_buf_str(&plain);
    return IN_LIST(secret_queries, name) || strcasecmp(name, "key") == 0 ||
           ends_like_a_secret(name);
}

void sc_redact_header(struct sc_buf *out, const char *name, const char *value)
{
    if (sc_redact_is_secret_header(name))
        sc_buf_adds(out, SC_REDACTED);
    else if (IN_LIST(url_headers, name))
        sc_redact_url(out, value);
    else
        sc_buf_adds(out, value);
}

void sc_redact_query(struct sc_buf *out, const char *query)
{
    while (*query) {
        size_t n = strcspn(query, "&;"), k = strcspn(query, "=&;");
        sc_buf_add(out, query, k);
        if (k < n && sc_redact_is_secret_query(query, k))
            sc_buf_adds(out, "=" SC_REDACTED);
        else
            sc_buf_add(out, query + k, n - k);
        query += n;
        if (*query)
            sc_buf_addc(out, *query++);
    }
}

void sc_redact_url(struct sc_buf *out, const char *url)
{
    const char *authority = strstr(url, "://");
    size_t path = strcspn(url, "?#");
    if (authority && (size_t)(authority - url) < path) {
        authority += 3;
        const char *at = NULL;
        for (const char *c = authority; *c && !strchr("/?#", *c); c++)
            if (*c == '@')
                at = c;
        if (at) {
            sc_buf_add(out, url, (size_t)(authority - url));
            sc_buf_adds(out, SC_REDACTED);
            path -= (size_t)(at - url);
            url = at;
        }
    }
    sc_buf_add(out, url, path);
    url += path;
    if (*url == '?') {
        size_t n = strcspn(url, "#");
        char *query = strndup(url + 1, n - 1);
        sc_buf_addc(out, '?');
        if (query)
            sc_redact_query(out, query);
        free(query);
        url += n;
    }
    if (*url == '#') /* some put tokens there */
        sc_buf_adds(out, "#" SC_REDACTED);
}
