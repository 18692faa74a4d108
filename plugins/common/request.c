#include "common/request.h"
#include "common/encode.h"
#include "common/redact.h"
#include "common/secret.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void sc_request_done(struct sc_request *r)
{
    sc_buf_done(&r->path);
    sc_buf_done(&r->query);
    sc_headers_done(&r->headers);
    *r = (struct sc_request)SC_REQUEST_INIT;
}

static int method_is_good(const char *m)
{
    size_t n = strspn(m, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    return n > 0 && m[n] == '\0' && n < sizeof(((struct sc_request *)0)->method);
}

static int host_is_good(const char *host)
{
    static const char name[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";
    struct in6_addr six;
    size_t n = strlen(host);
    if (n == 0 || n >= sizeof(((struct sc_request *)0)->host))
        return 0;
    if (strchr(host, ':'))
        return inet_pton(AF_INET6, host, &six) == 1;
    return host[strspn(host, name)] == '\0' && host[0] != '.' && host[0] != '-';
}

int32_t sc_request_target(struct sc_request *r, const char *method, const char *scheme,
                          const char *host, uint16_t port, struct sc_error *err)
{
    if (!method_is_good(method))
        return sc_fail(err, SR_STORAGE_E_CONFIG, "'%s' is no HTTP method", method);
    if (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0)
        return sc_fail(err, SR_STORAGE_E_CONFIG, "'%s' is neither http nor https", scheme);
    if (!host_is_good(host))
        return sc_fail(err, SR_STORAGE_E_CONFIG, "'%s' is no host name", host);
    (void)snprintf(r->method, sizeof r->method, "%s", method);
    (void)snprintf(r->scheme, sizeof r->scheme, "%s", scheme);
    (void)snprintf(r->host, sizeof r->host, "%s", host);
    r->port = port;
    return SR_STORAGE_OK;
}

/* host, host:port, [v6], [v6]:port. */
static int split_authority(char *authority, char **ret_host, uint16_t *ret_port)
{
    uint64_t port = 0;
    char *host = authority, *end = NULL;
    if (*host == '[') {
        end = strchr(++host, ']');
        if (!end || !memchr(host, ':', (size_t)(end - host)))
            return -1;
        *end++ = '\0';
    } else {
        end = host + strcspn(host, ":");
    }
    if (*end == ':') {
        *end = '\0';
        if (sc_parse_u64(end + 1, &port) != 0 || port == 0 || port > UINT16_MAX)
            return -1;
    } else if (*end != '\0') {
        return -1;
    }
    *ret_host = host;
    *ret_port = (uint16_t)port;
    return 0;
}

int32_t sc_request_url(struct sc_request *r, const char *method, const char *url,
                       struct sc_error *err)
{
    char scheme[6] = "", authority[300] = "", *host = NULL;
    uint16_t port = 0;
    const char *p = strstr(url, "://");
    size_t n = p ? (size_t)(p - url) : 0;
    if (n == 0 || n >= sizeof scheme)
        return sc_fail(err, SR_STORAGE_E_CONFIG, "a URL must begin with https:// or http://");
    for (size_t i = 0; i < n; i++)
        scheme[i] = (char)(url[i] | 0x20);
    p += 3;
    n = strcspn(p, "/?#");
    /* The URL is not shown here: what is wrong with it may be a password in the wrong place. */
    if (n >= sizeof authority || memchr(p, '@', n))
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "a URL here has no user name or password in it; give them as settings");
    memcpy(authority, p, n);
    if (split_authority(authority, &host, &port) != 0)
        return sc_fail(err, SR_STORAGE_E_CONFIG, "'%s' is no host and port", authority);
    p += n;
    if (strchr(p, '#'))
        return sc_fail(err, SR_STORAGE_E_CONFIG, "a URL here has no '#' in it");
    int32_t rc = sc_request_target(r, method, scheme, host, port, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    sc_buf_reset(&r->path);
    sc_buf_reset(&r->query);
    n = strcspn(p, "?");
    sc_buf_add(&r->path, n ? p : "/", n ? n : 1);
    if (p[n] == '?')
        sc_buf_adds(&r->query, p + n + 1);
    return sc_request_check(r, err);
}

static int is_wire_text(const struct sc_buf *b, const char *but)
{
    for (size_t i = 0; i < b->len; i++)
        if (b->data[i] <= 0x20 || b->data[i] > 0x7e || strchr(but, b->data[i]))
            return 0;
    return 1;
}

int32_t sc_request_check(const struct sc_request *r, struct sc_error *err)
{
    int32_t rc = sc_buf_check(&r->path, err, "the path of a request");
    if (rc == SR_STORAGE_OK)
        rc = sc_buf_check(&r->query, err, "the query of a request");
    if (rc != SR_STORAGE_OK)
        return rc;
    if (r->host[0] == '\0')
        return sc_fail(err, SR_STORAGE_E_INTERNAL, "a request without a target");
    if (r->path.len == 0 || r->path.data[0] != '/' || !is_wire_text(&r->path, "?#"))
        return sc_fail(err, SR_STORAGE_E_CONFIG, "the path of a request is not encoded");
    if (!is_wire_text(&r->query, "#"))
        return sc_fail(err, SR_STORAGE_E_CONFIG, "the query of a request is not encoded");
    if (!r->body && !r->read && r->body_len > 0)
        return sc_fail(err, SR_STORAGE_E_INTERNAL, "a request with a length and no body");
    static const char *const ours[] = {"Host", "Content-Length", "Transfer-Encoding", "Expect",
                                       "Connection"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (sc_headers_get(&r->headers, ours[i]))
            return sc_fail(err, SR_STORAGE_E_INTERNAL, "header %s is the client's to set", ours[i]);
    if ((r->flags & SC_REQUEST_TLS_ONLY) && strcmp(r->scheme, "https") != 0 &&
        !sc_host_is_loopback(r->host))
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "refused to send a secret to %s over http://: use https://", r->host);
    return SR_STORAGE_OK;
}

void sc_request_host_header(const struct sc_request *r, char out[SC_HOST_HEADER_MAX])
{
    int six = strchr(r->host, ':') != NULL;
    uint16_t usual = strcmp(r->scheme, "https") == 0 ? 443 : 80;
    int n = snprintf(out, SC_HOST_HEADER_MAX, "%s%s%s", six ? "[" : "", r->host, six ? "]" : "");
    if (r->port != 0 && r->port != usual && n >= 0)
        (void)snprintf(out + n, (size_t)(SC_HOST_HEADER_MAX - n), ":%u", r->port);
}

int sc_host_is_loopback(const char *host)
{
    struct in_addr four;
    struct in6_addr six;
    size_t n = strlen(host);
    if (strcasecmp(host, "localhost") == 0 ||
        (n > 10 && strcasecmp(host + n - 10, ".localhost") == 0))
        return 1;
    if (inet_pton(AF_INET, host, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

void sc_request_url_text(const struct sc_request *r, struct sc_buf *out, int redacted)
{
    char host[SC_HOST_HEADER_MAX];
    sc_request_host_header(r, host);
    sc_buf_adds(out, r->scheme);
    sc_buf_adds(out, "://");
    sc_buf_adds(out, host);
    sc_buf_adds(out, sc_buf_str(&r->path));
    if (r->query.len == 0)
        return;
    sc_buf_addc(out, '?');
    if (redacted)
        sc_redact_query(out, sc_buf_str(&r->query));
    else
        sc_buf_adds(out, sc_buf_str(&r->query));
}
