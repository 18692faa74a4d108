/* What may be shown of a request: everything that logs or reports one goes through here.
 *
 * Shown are names and harmless values; the values of headers and query keys that carry or make
 * credentials become "***": Authorization and its kin, security tokens, SSE-C and CPK keys, the
 * query keys sig, X-Amz-Signature, X-Amz-Credential, X-Amz-Security-Token, WebIdentityToken,
 * upload_id, assertion and more. A name is compared without regard to case, a query key also after
 * percent-decoding. What is not known to be harmless by its name but ends in token, secret,
 * signature, password, credential or key-like words is hidden as well. Pure functions; any
 * thread. */
#ifndef SC_REDACT_H
#define SC_REDACT_H

#include "common/buf.h"

#include <stddef.h>

#define SC_REDACTED "***"

/* Nonzero when the value of a header of that name is never shown. */
int sc_redact_is_secret_header(const char *name);
/* Nonzero when the value of that query key (encoded or not, len bytes) is never shown. */
int sc_redact_is_secret_query(const char *key, size_t len);
/* Appends value, or "***". */
void sc_redact_header(struct sc_buf *out, const char *name, const char *value);
/* Appends an encoded query (without the question mark) with secret values replaced. */
void sc_redact_query(struct sc_buf *out, const char *query);
/* Appends a URL: a password in its authority and secret query values replaced. */
void sc_redact_url(struct sc_buf *out, const char *url);

#endif
