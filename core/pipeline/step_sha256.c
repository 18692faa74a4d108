#include "config.h"
#include "core/pipeline/step_private.h"

#include "core/util/text.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct sha256 {
    struct sr_step step;
    EVP_MD_CTX *md; /* OpenSSL uses the processor's SHA instructions where it has them */
    char hex[SR_SHA256_HEX];
};

static int failed(struct sr_error *err)
{
    return sr_fail(err, SR_E_INTERNAL,
                   "OpenSSL cannot compute SHA-256 (is a FIPS or other provider "
                   "configured that lacks it?)");
}

static int sha256_start(struct sr_step *s, struct sr_error *err)
{
    struct sha256 *h = (struct sha256 *)s;
    return EVP_DigestInit_ex(h->md, EVP_sha256(), NULL) == 1 ? SR_OK : failed(err);
}

static int sha256_observe(struct sr_step *s, const void *data, size_t len, struct sr_error *err)
{
    struct sha256 *h = (struct sha256 *)s;
    return EVP_DigestUpdate(h->md, data, len) == 1 ? SR_OK : failed(err);
}

static int sha256_finish(struct sr_step *s, struct sr_error *err)
{
    struct sha256 *h = (struct sha256 *)s;
    unsigned char sum[SR_SHA256_SIZE];
    if (EVP_DigestFinal_ex(h->md, sum, NULL) != 1)
        return failed(err);
    sr_hex(sum, sizeof sum, h->hex);
    return SR_OK;
}

static void sha256_free(struct sr_step *s)
{
    struct sha256 *h = (struct sha256 *)s;
    EVP_MD_CTX_free(h->md);
    free(h);
}

static const struct sr_step_ops sha256_ops = {.name = "sha256",
                                              .start = sha256_start,
                                              .observe = sha256_observe,
                                              .finish = sha256_finish,
                                              .free = sha256_free};

struct sr_step *sr_step_sha256_new(enum sr_phase phase)
{
    struct sha256 *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->step.ops = &sha256_ops;
    h->step.phase = phase;
    h->md = EVP_MD_CTX_new();
    if (!h->md) {
        free(h);
        return NULL;
    }
    return &h->step;
}

void sr_step_sha256_result(const struct sr_step *s, char hex[SR_SHA256_HEX])
{
    memcpy(hex, ((const struct sha256 *)s)->hex, SR_SHA256_HEX);
}
