/* One HTTP request as it goes over the wire: what is signed, sent and logged.
 *
 *     struct sc_request r = SC_REQUEST_INIT;
 *     sc_request_target(&r, "PUT", "https", "bucket.s3.eu-west-1.amazonaws.com", 0, &err);
 *     sc_percent_encode_str(&r.path, key, 1);          path begins with '/', already encoded
 *     sc_query_add(&r.query, "partNumber", "3");       encoded, without '?'; may stay empty
 *     sc_headers_add(&r.headers, ...);
 *     r.body = part, r.body_len = n;                   borrowed; or r.read with a known length
 *     sc_request_done(&r);
 *
 * Path and query are sent exactly as they stand here: what was signed is what goes out. Host and
 * Content-Length are not among the headers: the client makes them from host, port and body_len. One
 * thread at a time. */
#ifndef SC_REQUEST_H
#define SC_REQUEST_H

#include "common/buf.h"
#include "common/headers.h"

#include <stddef.h>
#include <stdint.h>

#define SC_PATH_MAX 16384
#define SC_QUERY_MAX 65536

/* SC_REQUEST_*: flags */
#define SC_REQUEST_NO_PROXY (1u << 0) /* never through a proxy: metadata endpoints */
#define SC_REQUEST_PLAIN_OK (1u << 1) /* http:// is meant: no warning */
#define SC_REQUEST_TLS_ONLY                                             \
    (1u << 2) /* carries what must not go over http:// but to loopback: \
                 refused with E_CONFIG before anything is sent */
#define SC_REQUEST_EVEN_CANCELLED                                      \
    (1u << 3) /* cleaning up: goes on after the call was cancelled and \
                 past its deadline, for the call's time_limit_ms */

struct sc_request {
    char method[16];
    char scheme[6]; /* http or https */
    char host[256]; /* a name, an IPv4 address, or an IPv6 address without brackets */
    uint16_t port;  /* 0: the scheme's own */
    unsigned flags;
    struct sc_buf path;
    struct sc_buf query;
    struct sc_headers headers;
    const void *body; /* NULL: none, or read */
    uint64_t body_len;
    /* Instead of body: fills buf with up to cap bytes, from position at on (at grows by what was
     * returned, and is 0 again at the start of each try). 0 or less before body_len: the request is
     * given up with E_CANCELLED. Must not block. */
    int64_t (*read)(void *ctx, uint64_t at, void *buf, size_t cap);
    void *read_ctx;
};

#define SC_REQUEST_INIT                                                             \
    {                                                                               \
        .path = SC_BUF_INIT(SC_PATH_MAX), .query = SC_BUF_SECRET_INIT(SC_QUERY_MAX) \
    }

void sc_request_done(struct sc_request *r);
/* Sets method, scheme, host and port. E_CONFIG when one of them may not be. */
int32_t sc_request_target(struct sc_request *r, const char *method, const char *scheme,
                          const char *host, uint16_t port, struct sc_error *err);
/* Sets scheme, host and port from a URL, and puts its path, as it stands, into r->path and its
 * query into r->query. User information or a fragment in it is E_CONFIG. */
int32_t sc_request_url(struct sc_request *r, const char *method, const char *url,
                       struct sc_error *err);
/* Checks that the request can be sent: path and query of printable ASCII, and so on. The client
 * does it itself. */
int32_t sc_request_check(const struct sc_request *r, struct sc_error *err);
/* The value of the Host header, as it goes out and is signed: with a port that is not the
 * scheme's own, IPv6 in brackets. */
#define SC_HOST_HEADER_MAX 272
void sc_request_host_header(const struct sc_request *r, char out[SC_HOST_HEADER_MAX]);
/* Nonzero for localhost, *.localhost, 127.0.0.0/8 and ::1, by the name alone. */
int sc_host_is_loopback(const char *host);
/* Appends the whole URL; redacted: for people. */
void sc_request_url_text(const struct sc_request *r, struct sc_buf *out, int redacted);

#endif
