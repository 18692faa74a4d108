/* AWS Signature Version 4 in its header form: a pure function of request, credentials and time.
 *
 *     struct sc_sigv4_keys *keys = sc_sigv4_keys_new();       once per handle; NULL is fine too
 *     struct sc_sigv4_scope where = {"eu-west-1", "s3", SC_SIGV4_S3};
 *     build the request r; sum the body: sc_sigv4_payload(payload, body, len, &err)
 *     sc_sigv4_sign(&r, &where, cred, payload, now, keys, &err)
 *     send r as it is now; for another try sign it again, with the time of that try
 *
 * Invariants. What goes on the wire is what was signed: signing rewrites r->query in its canonical
 * order ("uploads" becomes "uploads="), refuses a path or query that is not encoded in the one
 * canonical way, and every header of r but those that sc_sigv4_skips names is part of the
 * signature. The headers that the signature brings (x-amz-date, x-amz-content-sha256,
 * x-amz-security-token, Authorization) are put into r->headers in place of older ones; Host is
 * signed as sc_request_host_header makes it. Nothing is cut to a fixed size.
 *
 * The two flavours differ in the path and in one header. S3 encodes the path once and leaves "//"
 * and ".." as they are, since they are parts of keys, and wants the payload's hash as a header;
 * every other service signs the path normalised and encoded a second time, while the wire carries
 * the plain encoding. */
#ifndef SC_SIGV4_H
#define SC_SIGV4_H

#include "common/creds.h"
#include "common/request.h"

#include <stddef.h>
#include <stdint.h>

/* Bytes of a canonical request, far above what any service takes. */
#define SC_SIGV4_MAX ((size_t)1 << 20)

#define SC_SIGV4_PAYLOAD_SIZE 65
/* In place of the payload's hash: the body is not signed. Refused for http://. */
#define SC_SIGV4_UNSIGNED "UNSIGNED-PAYLOAD"
/* The hash of no body. */
#define SC_SIGV4_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

enum sc_sigv4_flavour { SC_SIGV4_S3, SC_SIGV4_GENERAL };

struct sc_sigv4_scope {
    const char *region, *service; /* "us-east-1", "s3" */
    enum sc_sigv4_flavour flavour;
};

/* The last signing key, remembered under a digest of secret, date, region and service. Threads may
 * share one. NULL when out of memory, which sc_sigv4_sign takes as "remember nothing". */
struct sc_sigv4_keys;
struct sc_sigv4_keys *sc_sigv4_keys_new(void);
void sc_sigv4_keys_free(struct sc_sigv4_keys *keys); /* overwrites; NULL is fine */

/* Writes the lower-case hex of the SHA-256 of the body. */
int32_t sc_sigv4_payload(char out[SC_SIGV4_PAYLOAD_SIZE], const void *body, size_t len,
                         struct sc_error *err);

/* Signs r at now (UTC seconds of the server's clock, as far as that is known: sc_aws_clock_now).
 * payload: what sc_sigv4_payload wrote, SC_SIGV4_EMPTY or SC_SIGV4_UNSIGNED; kept nowhere.
 * E_CONFIG: a region, key or path that cannot be sent; E_INTERNAL: a fault of the caller;
 * E_UNAVAILABLE: no memory. On failure r has lost its signature but is otherwise as it was. Any
 * thread, each with a request of its own. */
int32_t sc_sigv4_sign(struct sc_request *r, const struct sc_sigv4_scope *where,
                      const struct sc_cred *cred, const char *payload, int64_t now,
                      struct sc_sigv4_keys *keys, struct sc_error *err);

/* Nonzero for a header that is sent unsigned because things on the way change it: user-agent,
 * connection, expect, transfer-encoding, accept-encoding, x-amzn-trace-id. Any case. */
int sc_sigv4_skips(const char *header);

#endif
