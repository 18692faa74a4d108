#include "common/http_private.h"
#include "common/cleanup.h"
#include "common/encode.h"
#include "common/secret.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define REPLY_MAX_DEFAULT ((size_t)1 << 20)
#define HEADS_MAX 20 /* interim answers (1xx) before the final one */
#define LARGE_BODY (1 << 20)
#define LARGE_BUFFER (256 * 1024L) /* per transfer, where there is much to send or take */

/* CALLBACKS. Each runs inside libcurl: it notes in t->stopped why it ends the try. */

static size_t on_read(char *buf, size_t one, size_t n, void *ctx)
{
    struct sc_transfer *t = ctx;
    struct sc_request *r = &t->call->request;
    uint64_t left = r->body_len - t->at;
    size_t cap = one * n;
    if (cap > left)
        cap = (size_t)left;
    if (cap == 0)
        return 0;
    if (r->body) {
        memcpy(buf, (const char *)r->body + t->at, cap);
    } else {
        int64_t got = r->read(r->read_ctx, t->at, buf, cap);
        if (got <= 0 || (uint64_t)got > cap) {
            (void)sc_fail(&t->stopped, SR_STORAGE_E_CANCELLED,
                          "the bytes to send ended %llu before the length that was told",
                          (unsigned long long)left);
            return CURL_READFUNC_ABORT;
        }
        cap = (size_t)got;
    }
    t->at += cap;
    if (t->most_at < t->at)
        t->most_at = t->at;
    return cap;
}

static int on_seek(void *ctx, curl_off_t offset, int origin)
{
    struct sc_transfer *t = ctx;
    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > t->call->request.body_len)
        return CURL_SEEKFUNC_FAIL;
    t->at = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

/* libcurl sends a request again by itself when a kept connection turns out to be dead, though the
 * server may have seen it. Here that is a further try, judged and signed like any other. */
static int on_about_to_send(void *ctx, char *remote_ip, char *local_ip, int remote_port,
                            int local_port)
{
    (void)remote_ip, (void)local_ip, (void)remote_port, (void)local_port;
    struct sc_transfer *t = ctx;
    return ++t->sends == 1 ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

static int status_of(const struct sc_transfer *t)
{
    long status = 0;
    (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

static int32_t head_is_done(struct sc_transfer *t)
{
    struct sc_call *c = t->call;
    uint64_t length = 0;
    int status = status_of(t);
    if (status < 200)
        return SR_STORAGE_OK;
    t->head_done = 1;
    c->response.status = status;
    const char *text = sc_headers_get(&c->response.headers, "content-length");
    c->response.length =
        text && sc_parse_u64(text, &length) == 0 && length <= INT64_MAX ? (int64_t)length : -1;
    if (status > 299 || !c->head)
        return SR_STORAGE_OK;
    t->http->inside++;
    int32_t rc = c->head(c, &t->stopped);
    t->http->inside--;
    return rc;
}

static int32_t take_header(struct sc_transfer *t, const char *line, size_t len)
{
    struct sc_headers *h = &t->call->response.headers;
    const char *colon = memchr(line, ':', len);
    if (!colon)
        return SR_STORAGE_OK; /* harmless: it means nothing to anybody */
    _cleanup_free_ char *name = strndup(line, (size_t)(colon - line));
    char *value = strndup(colon + 1, len - (size_t)(colon + 1 - line));
    struct sc_error err = SC_ERROR_INIT;
    int32_t rc = name && value ? sc_headers_add(h, name, value, &err) : sc_fail_memory(&err);
    sc_wipe(value, value ? strlen(value) : 0);
    free(value);
    if (rc == SR_STORAGE_OK || rc == SR_STORAGE_E_CONFIG) /* malformed: as if it were not there */
        return SR_STORAGE_OK;
    return sc_fail(&t->stopped, rc, "the answer has %s", err.text);
}

static size_t on_header(char *line, size_t one, size_t n, void *ctx)
{
    struct sc_transfer *t = ctx;
    size_t len = one * n, whole = len;
    int32_t rc = SR_STORAGE_OK;
    if (t->head_done)
        return whole; /* trailers */
    while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
        len--;
    if (len == 0) {
        rc = head_is_done(t);
    } else if (len >= 5 && strncasecmp(line, "HTTP/", 5) == 0) {
        sc_headers_done(&t->call->response.headers);
        if (++t->heads > HEADS_MAX)
            rc = sc_fail(&t->stopped, SR_STORAGE_E_CORRUPT,
                         "the server sends interim answers without end");
    } else {
        rc = take_header(t, line, len);
    }
    return rc == SR_STORAGE_OK ? whole : 0;
}

static size_t on_body(char *data, size_t one, size_t n, void *ctx)
{
    struct sc_transfer *t = ctx;
    struct sc_call *c = t->call;
    size_t len = one * n;
    int good = c->response.status >= 200 && c->response.status <= 299;
    if (len == 0)
        return 0;
    /* A fast server can send all that is left before the loop looks for a cancellation again. */
    if (good && c->sink && !(c->request.flags & SC_REQUEST_EVEN_CANCELLED) &&
        t->http->host->is_cancelled(t->http->host)) {
        (void)sc_fail(&t->stopped, SR_STORAGE_E_CANCELLED, "cancelled");
        return 0;
    }
    if (good && c->sink) {
        t->http->inside++;
        int32_t rc = c->sink(c, data, len, &t->stopped);
        t->http->inside--;
        if (rc != SR_STORAGE_OK && t->stopped.code == SR_STORAGE_OK)
            (void)sc_fail(&t->stopped, rc, "its receiver asked for the end");
        if (rc != SR_STORAGE_OK)
            return 0;
    } else if (sc_buf_add(&c->response.body, data, len) != SR_STORAGE_OK) {
        /* A refusal counts by its status, whatever it goes on to say. */
        if (good)
            (void)sc_buf_check(&c->response.body, &t->stopped, "the answer");
        else
            t->dropped = 1;
        return 0;
    }
    c->response.received += len;
    return len;
}

static curl_socket_t on_open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *addr)
{
    (void)ctx, (void)purpose;
    return socket(addr->family, addr->socktype | SOCK_CLOEXEC, addr->protocol);
}

/* OPTIONS */

#define SET(option, value)                                   \
    do {                                                     \
        if (rc == CURLE_OK)                                  \
            rc = curl_easy_setopt(t->easy, option, (value)); \
    } while (0)

static int add_line(struct sc_transfer *t, const char *line)
{
    struct curl_slist *more = curl_slist_append(t->headers, line);
    if (!more)
        return -1;
    t->headers = more;
    return 0;
}

static int32_t set_headers(struct sc_transfer *t, struct sc_error *err)
{
    const struct sc_headers *h = &t->call->request.headers;
    _cleanup_(sc_buf_done) struct sc_buf line = SC_BUF_SECRET_INIT(SC_HEADERS_BYTES + 4);
    /* libcurl's own ideas: they would wait for a "continue", or not be what was signed. */
    if (add_line(t, "Expect:") != 0 || add_line(t, "Transfer-Encoding:") != 0 ||
        (!sc_headers_get(h, "accept") && add_line(t, "Accept:") != 0) ||
        (!sc_headers_get(h, "content-type") && add_line(t, "Content-Type:") != 0))
        return sc_fail_memory(err);
    for (size_t i = 0; i < h->len; i++) {
        const char *value = h->items[i].value;
        sc_buf_reset(&line);
        sc_buf_adds(&line, h->items[i].name);
        sc_buf_adds(&line, *value ? ": " : ";"); /* libcurl's way to an empty value */
        sc_buf_adds(&line, value);
        if (line.state != SC_BUF_GOOD || add_line(t, line.data) != 0)
            return sc_fail_memory(err);
    }
    CURLcode rc = CURLE_OK;
    SET(CURLOPT_HTTPHEADER, t->headers);
    return rc == CURLE_OK ? SR_STORAGE_OK : sc_fail_memory(err);
}

static CURLcode set_method_and_body(struct sc_transfer *t)
{
    const struct sc_request *r = &t->call->request;
    CURLcode rc = CURLE_OK;
    int has_body = r->body || r->read || strcmp(r->method, "PUT") == 0 ||
                   strcmp(r->method, "POST") == 0 || strcmp(r->method, "PATCH") == 0;
    if (strcmp(r->method, "HEAD") == 0) {
        SET(CURLOPT_NOBODY, 1L);
        return rc;
    }
    if (has_body) { /* also a POST: libcurl's own would add a form's content type */
        SET(CURLOPT_UPLOAD, 1L);
        SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->body_len);
        SET(CURLOPT_READFUNCTION, on_read);
        SET(CURLOPT_READDATA, t);
        SET(CURLOPT_SEEKFUNCTION, on_seek);
        SET(CURLOPT_SEEKDATA, t);
        if (r->body_len >= LARGE_BODY)
            SET(CURLOPT_UPLOAD_BUFFERSIZE, LARGE_BUFFER);
    } else {
        SET(CURLOPT_HTTPGET, 1L);
    }
    SET(CURLOPT_CUSTOMREQUEST, r->method);
    return rc;
}

static CURLcode set_server(struct sc_transfer *t)
{
    const struct sc_http_options *o = &t->http->options;
    const struct sc_request *r = &t->call->request;
    _cleanup_(sc_buf_done) struct sc_buf url =
        SC_BUF_SECRET_INIT(SC_PATH_MAX + SC_QUERY_MAX + 1024);
    CURLcode rc = CURLE_OK;
    sc_request_url_text(r, &url, 0);
    SET(CURLOPT_URL, sc_buf_str(&url));
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    SET(CURLOPT_HTTP_VERSION, o->version == SC_HTTP_1_1 ? (long)CURL_HTTP_VERSION_1_1
                              : o->version == SC_HTTP_2_PLAIN
                                  ? (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE
                                  : (long)CURL_HTTP_VERSION_2TLS);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, o->insecure ? 0L : 1L);
    SET(CURLOPT_SSL_VERIFYHOST, o->insecure ? 0L : 2L);
    /* The one that is given replaces the system's; libcurl else adds to them. */
    if (o->ca_file || o->ca_path) {
        SET(CURLOPT_CAINFO, o->ca_file);
        SET(CURLOPT_CAPATH, o->ca_path);
    }
    /* Secrets may go to this machine in plain text, and are then no proxy's to see. */
    int stays_here = strcmp(r->scheme, "http") == 0 && sc_host_is_loopback(r->host);
    if ((r->flags & SC_REQUEST_NO_PROXY) || stays_here)
        SET(CURLOPT_NOPROXY, "*");
    else if (o->proxy)
        SET(CURLOPT_PROXY, o->proxy);
    /* Credentials are the server's business, not the proxy's, and its headers are not the answer.
     */
    SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_USERAGENT, o->user_agent);
    return rc;
}

static CURLcode set_times_and_callbacks(struct sc_transfer *t)
{
    const struct sc_http_options *o = &t->http->options;
    CURLcode rc = CURLE_OK;
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_NOPROGRESS, 1L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)o->connect_ms);
    SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
    SET(CURLOPT_LOW_SPEED_TIME, (long)(t->call->stall_s ? t->call->stall_s : o->stall_s));
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_TCP_KEEPIDLE, 30L);
    SET(CURLOPT_TCP_KEEPINTVL, 15L);
    SET(CURLOPT_ERRORBUFFER, t->why);
    SET(CURLOPT_PREREQFUNCTION, on_about_to_send);
    SET(CURLOPT_PREREQDATA, t);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, t);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, t);
    SET(CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    SET(CURLOPT_PRIVATE, t);
    if (t->call->sink)
        SET(CURLOPT_BUFFERSIZE, LARGE_BUFFER);
    return rc;
}

static void response_begin(struct sc_transfer *t)
{
    struct sc_response *r = &t->call->response;
    sc_headers_done(&r->headers);
    sc_buf_reset(&r->body);
    r->body.max = t->call->reply_max ? t->call->reply_max : REPLY_MAX_DEFAULT;
    r->body.secret = 1; /* the answers of metadata services are credentials */
    *r = (struct sc_response){.headers = r->headers, .body = r->body, .length = -1};
    t->at = t->most_at = 0;
    t->sends = t->heads = 0;
    t->head_done = t->dropped = 0;
    t->stopped = (struct sc_error)SC_ERROR_INIT;
    t->why[0] = '\0';
}

int32_t sc_http_easy_setup(struct sc_transfer *t, struct sc_error *err)
{
    sc_http_easy_done(t);
    response_begin(t);
    if (!t->easy)
        t->easy = curl_easy_init();
    if (!t->easy)
        return sc_fail_memory(err);
    curl_easy_reset(t->easy);
    CURLcode rc = set_server(t);
    if (rc == CURLE_OK)
        rc = set_method_and_body(t);
    if (rc == CURLE_OK)
        rc = set_times_and_callbacks(t);
    if (rc != CURLE_OK)
        return sc_fail(err, SR_STORAGE_E_INTERNAL, "libcurl refuses an option: %s",
                       curl_easy_strerror(rc));
    return set_headers(t, err);
}

void sc_http_easy_done(struct sc_transfer *t)
{
    for (struct curl_slist *s = t->headers; s; s = s->next)
        sc_wipe(s->data, strlen(s->data));
    curl_slist_free_all(t->headers);
    t->headers = NULL;
}
