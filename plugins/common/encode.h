/* Text forms of bytes: percent, base64, hex. Pure functions; any thread.
 *
 * Encoders append to a buffer, whose mark tells of failure (see common/buf.h). Decoders return
 * SR_STORAGE_OK, or E_CORRUPT with the output left as it was, when the text is not in that form. */
#ifndef SC_ENCODE_H
#define SC_ENCODE_H

#include "common/buf.h"

#include <stddef.h>
#include <stdint.h>

/* Everything but A-Z a-z 0-9 - . _ ~ becomes %XX, upper case; keep_slash: '/' stays too. */
void sc_percent_encode(struct sc_buf *out, const void *data, size_t len, int keep_slash);
void sc_percent_encode_str(struct sc_buf *out, const char *s, int keep_slash);
/* plus: '+' is a blank (forms, S3 listings). A '%' without two hex digits, or %00, is E_CORRUPT. */
int32_t sc_percent_decode(struct sc_buf *out, const char *s, size_t len, int plus);
/* Appends "key=value" to an encoded query, with '&' before it when query is not empty. value NULL:
 * "key" alone. */
void sc_query_add(struct sc_buf *query, const char *key, const char *value);

void sc_base64_encode(struct sc_buf *out, const void *data, size_t len);
/* The URL alphabet, without padding: JSON web tokens. */
void sc_base64url_encode(struct sc_buf *out, const void *data, size_t len);
/* Standard alphabet, with its padding; no white space. */
int32_t sc_base64_decode(struct sc_buf *out, const char *s, size_t len);

/* out has room for 2 * len + 1; lower case. */
void sc_hex(char *out, const void *data, size_t len);
/* Exactly 2 * len digits of either case; 0, or -1 when it is something else. */
int sc_unhex(void *out, size_t len, const char *s, size_t slen);

/* Unsigned decimal, all of s; 0, or -1 when it is something else or does not fit. */
int sc_parse_u64(const char *s, uint64_t *ret);

#endif
