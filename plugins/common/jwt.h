/* A JSON web token signed with RS256, by which a service proves who it is to a token endpoint.
 *
 *     const struct sc_jwt t = {.kid = key_id, .iss = email, .aud = token_uri, .scope = scope,
 *                              .iat = now - 60, .exp = now + 3540};
 *     _cleanup_(sc_buf_done) struct sc_buf assertion = SC_BUF_SECRET_INIT(SC_JWT_MAX);
 *     sc_jwt_rs256(&t, pem, pem_len, &assertion, &err)
 *     sc_oauth_field(&form, "assertion", sc_buf_str(&assertion));
 *
 * A pure function of claims, key and time: the same three give the same text (RS256 has no
 * randomness), the times are among the claims, and nothing is asked of clock or host. Any thread.
 * RFC 7515 (JWS), RFC 7518 3.3 (RS256), RFC 7519 (JWT), RFC 7523 (as an assertion).
 *
 * The key is PEM, PKCS#8 or PKCS#1, without a pass phrase: nobody is there to type one. No error
 * shows a byte of it. */
#ifndef SC_JWT_H
#define SC_JWT_H

#include "common/buf.h"

#include <stddef.h>
#include <stdint.h>

#define SC_JWT_MAX 16384 /* bytes of a token that is made here */
#define SC_JWT_KEY_BITS 2048

struct sc_jwt {
    /* Of the header, besides alg and typ; NULL: left out. */
    const char *kid; /* which of the service's keys: Google */
    const char *x5t; /* which certificate, by sc_jwt_x5t: Azure */
    /* Claims; NULL and 0: left out. Times in UTC seconds. */
    const char *iss, *sub, *aud, *scope, *jti;
    int64_t iat, nbf, exp;
};

/* Appends the token to out, which should be a secret buffer: until exp it is as good as the key.
 * E_CONFIG when pem holds no RSA key, one with a pass phrase, or one of fewer bits than
 * SC_JWT_KEY_BITS; E_INTERNAL when OpenSSL fails or a claim is no UTF-8. */
int32_t sc_jwt_rs256(const struct sc_jwt *t, const char *pem, size_t len, struct sc_buf *out,
                     struct sc_error *err);
/* Appends the SHA-1 thumbprint of the first certificate in pem, base64url (RFC 7515 4.1.7).
 * E_CONFIG when there is none. */
int32_t sc_jwt_x5t(const char *pem, size_t len, struct sc_buf *out, struct sc_error *err);

#endif
