#include "common/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

struct sc_digest {
    EVP_MD *md;
    EVP_MD_CTX *ctx;
    int broken;
};

int32_t sc_digest_new(uint64_t kind, struct sc_digest **ret, struct sc_error *err)
{
    const char *name = kind == SR_STORAGE_SUM_MD5      ? "MD5"
                       : kind == SR_STORAGE_SUM_SHA1   ? "SHA1"
                       : kind == SR_STORAGE_SUM_SHA256 ? "SHA256"
                                                       : NULL;
    if (!name)
        return sc_fail(err, SR_STORAGE_E_UNSUPPORTED, "checksum %llu is none that OpenSSL makes",
                       (unsigned long long)kind);
    struct sc_digest *d = calloc(1, sizeof *d);
    if (!d)
        return sc_fail_memory(err);
    /* Not for secrecy: a policy of FIPS providers alone need not rule MD5 out here. */
    d->md = EVP_MD_fetch(NULL, name, "-fips");
    d->ctx = EVP_MD_CTX_new();
    if (!d->md || !d->ctx || EVP_DigestInit_ex2(d->ctx, d->md, NULL) != 1) {
        sc_digest_free(d);
        return sc_fail(err, SR_STORAGE_E_UNSUPPORTED, "OpenSSL on this machine does not offer %s",
                       name);
    }
    *ret = d;
    return SR_STORAGE_OK;
}

void sc_digest_add(struct sc_digest *d, const void *data, size_t len)
{
    if (EVP_DigestUpdate(d->ctx, data, len) != 1)
        d->broken = 1;
}

size_t sc_digest_end(struct sc_digest *d, uint8_t out[SC_DIGEST_MAX])
{
    unsigned n = 0;
    if (EVP_DigestFinal_ex(d->ctx, out, &n) != 1 || d->broken)
        n = 0;
    d->broken = EVP_DigestInit_ex2(d->ctx, d->md, NULL) != 1;
    return n;
}

void sc_digest_free(struct sc_digest *d)
{
    if (!d)
        return;
    EVP_MD_CTX_free(d->ctx);
    EVP_MD_free(d->md);
    free(d);
}

static int32_t in_one_go(uint64_t kind, const void *data, size_t len, uint8_t *out,
                         struct sc_error *err)
{
    struct sc_digest *d = NULL;
    uint8_t sum[SC_DIGEST_MAX];
    int32_t rc = sc_digest_new(kind, &d, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    sc_digest_add(d, data, len);
    size_t n = sc_digest_end(d, sum);
    sc_digest_free(d);
    if (n == 0)
        return sc_fail(err, SR_STORAGE_E_INTERNAL, "OpenSSL failed to make a checksum");
    for (size_t i = 0; i < n; i++)
        out[i] = sum[i];
    return SR_STORAGE_OK;
}

int32_t sc_md5(const void *data, size_t len, uint8_t out[SC_MD5_LEN], struct sc_error *err)
{
    return in_one_go(SR_STORAGE_SUM_MD5, data, len, out, err);
}

int32_t sc_sha256(const void *data, size_t len, uint8_t out[SC_SHA256_LEN], struct sc_error *err)
{
    return in_one_go(SR_STORAGE_SUM_SHA256, data, len, out, err);
}

int32_t sc_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
                       uint8_t out[SC_SHA256_LEN], struct sc_error *err)
{
    unsigned n = 0;
    if (key_len > INT32_MAX || !HMAC(EVP_sha256(), key_len ? key : "", (int)key_len,
                                     len ? data : (const void *)"", len, out, &n))
        return sc_fail(err, SR_STORAGE_E_INTERNAL, "OpenSSL failed to make an HMAC");
    return SR_STORAGE_OK;
}

void sc_put_be(uint8_t *out, size_t n, uint64_t v)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
}

int sc_equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}
