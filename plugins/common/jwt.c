#include "common/jwt.h"
#include "common/cleanup.h"
#include "common/encode.h"
#include "common/secret.h"

#include <jansson.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

SC_DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free);
SC_DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free);
SC_DEFINE_CLEANUP(BIO *, BIO_free_all);
SC_DEFINE_CLEANUP(X509 *, X509_free);

/* Without it OpenSSL would ask the terminal. */
static int no_pass_phrase(char *buf, int size, int rwflag, void *ctx)
{
    (void)buf, (void)size, (void)rwflag;
    *(int *)ctx = 1;
    return -1;
}

static int32_t key_read(const char *pem, size_t len, EVP_PKEY **ret, struct sc_error *err)
{
    int asked = 0;
    _cleanup_(BIO_free_allp) BIO *bio = len <= INT_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;
    _cleanup_(EVP_PKEY_freep) EVP_PKEY *key =
        bio ? PEM_read_bio_PrivateKey(bio, NULL, no_pass_phrase, &asked) : NULL;
    /* What OpenSSL has to say may quote the file. */
    ERR_clear_error();
    if (!key)
        return sc_fail(err, SR_STORAGE_E_CONFIG, "%s",
                       asked ? "the private key has a pass phrase; it must have none"
                             : "there is no private key in PEM form, or it is damaged");
    if (!EVP_PKEY_is_a(key, "RSA"))
        return sc_fail(err, SR_STORAGE_E_CONFIG, "the private key is no RSA key");
    if (EVP_PKEY_bits(key) < SC_JWT_KEY_BITS)
        return sc_fail(err, SR_STORAGE_E_CONFIG, "the private key has %d bits, fewer than %d",
                       EVP_PKEY_bits(key), SC_JWT_KEY_BITS);
    *ret = sc_steal_ptr(key);
    return SR_STORAGE_OK;
}

/* --- the text that is signed --- */

static int text_set(json_t *o, const char *name, const char *value)
{
    return value ? json_object_set_new(o, name, json_string(value)) : 0;
}

static int time_set(json_t *o, const char *name, int64_t value)
{
    return value ? json_object_set_new(o, name, json_integer(value)) : 0;
}

/* Appends the object as base64url. */
static int32_t add_encoded(struct sc_buf *out, const json_t *o, struct sc_error *err)
{
    char *text = json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII);
    if (!text)
        return sc_fail_memory(err);
    sc_base64url_encode(out, text, strlen(text));
    free(text);
    return SR_STORAGE_OK;
}

static int32_t input_make(const struct sc_jwt *t, struct sc_buf *out, struct sc_error *err)
{
    _cleanup_(json_decrefp) json_t *head = json_object();
    _cleanup_(json_decrefp) json_t *claims = json_object();
    int bad = text_set(head, "alg", "RS256") || text_set(head, "typ", "JWT") ||
              text_set(head, "kid", t->kid) || text_set(head, "x5t", t->x5t) ||
              text_set(claims, "iss", t->iss) || text_set(claims, "sub", t->sub) ||
              text_set(claims, "aud", t->aud) || text_set(claims, "scope", t->scope) ||
              text_set(claims, "jti", t->jti) || time_set(claims, "iat", t->iat) ||
              time_set(claims, "nbf", t->nbf) || time_set(claims, "exp", t->exp);
    if (bad)
        return sc_fail(err, SR_STORAGE_E_INTERNAL,
                       "a claim of the token is no UTF-8, or memory is short");
    int32_t rc = add_encoded(out, head, err);
    (void)sc_buf_addc(out, '.');
    return rc == SR_STORAGE_OK ? add_encoded(out, claims, err) : rc;
}

int32_t sc_jwt_rs256(const struct sc_jwt *t, const char *pem, size_t len, struct sc_buf *out,
                     struct sc_error *err)
{
    unsigned char signature[2048]; /* of a key of 16,384 bits */
    size_t n = sizeof signature;
    _cleanup_(EVP_PKEY_freep) EVP_PKEY *key = NULL;
    _cleanup_(EVP_MD_CTX_freep) EVP_MD_CTX *md = EVP_MD_CTX_new();
    _cleanup_(sc_buf_done) struct sc_buf input = SC_BUF_SECRET_INIT(SC_JWT_MAX);
    int32_t rc = md ? key_read(pem, len, &key, err) : sc_fail_memory(err);
    if (rc == SR_STORAGE_OK)
        rc = input_make(t, &input, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_buf_check(&input, err, "the claims of a token");
    if (rc != SR_STORAGE_OK)
        return rc;
    if ((size_t)EVP_PKEY_size(key) > sizeof signature ||
        EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key) != 1 ||
        EVP_DigestSign(md, signature, &n, (const unsigned char *)input.data, input.len) != 1) {
        ERR_clear_error();
        return sc_fail(err, SR_STORAGE_E_INTERNAL, "OpenSSL cannot sign a token");
    }
    (void)sc_buf_add(out, input.data, input.len);
    (void)sc_buf_addc(out, '.');
    sc_base64url_encode(out, signature, n);
    sc_wipe(signature, sizeof signature);
    return sc_buf_check(out, err, "a signed token");
}

int32_t sc_jwt_x5t(const char *pem, size_t len, struct sc_buf *out, struct sc_error *err)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    _cleanup_(BIO_free_allp) BIO *bio = len <= INT_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;
    _cleanup_(X509_freep) X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    int summed = cert && X509_digest(cert, EVP_sha1(), sum, &n) == 1;
    ERR_clear_error();
    if (!cert)
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "there is no certificate in PEM form, or it is damaged");
    if (!summed)
        return sc_fail(err, SR_STORAGE_E_INTERNAL, "OpenSSL cannot sum a certificate");
    sc_base64url_encode(out, sum, n);
    return sc_buf_check(out, err, "a thumbprint");
}
