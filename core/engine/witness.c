#include "config.h"
#include "core/engine/witness.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define SUM_SIZE 32 /* SHA-256 */

struct sr_witness {
    unsigned char (*sums)[SUM_SIZE]; /* of each block, the last may be short */
    size_t len, cap;
    uint64_t size; /* bytes */
    int whole;     /* the end was seen */
};

struct sr_witness_input {
    struct sr_input input;
    const struct sr_input *behind;
    struct sr_witness *w;
    EVP_MD_CTX *md;
    size_t in_block; /* noting: bytes of the block that md has */
    /* holding */
    unsigned char *block;
    size_t have, given, at; /* bytes in block, of these handed on; the next block's index */
    uint64_t taken;         /* bytes from behind */
    int ended;
};

int sr_witness_new(struct sr_witness **ret, struct sr_error *err)
{
    struct sr_witness *w = calloc(1, sizeof *w);
    if (!w)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    *ret = w;
    return SR_OK;
}

void sr_witness_free(struct sr_witness *w)
{
    if (!w)
        return;
    free(w->sums);
    free(w);
}

static int no_digest(struct sr_error *err)
{
    return sr_fail(err, SR_E_INTERNAL, "SHA-256 is not to be had from OpenSSL");
}

/* --- noting --- */

static int block_done(struct sr_witness_input *in, struct sr_error *err)
{
    struct sr_witness *w = in->w;
    if (w->len == w->cap) {
        size_t cap = w->cap ? w->cap * 2 : 64;
        void *sums = reallocarray(w->sums, cap, sizeof *w->sums);
        if (!sums)
            return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
        w->sums = sums;
        w->cap = cap;
    }
    if (EVP_DigestFinal_ex(in->md, w->sums[w->len], NULL) != 1 ||
        EVP_DigestInit_ex(in->md, EVP_sha256(), NULL) != 1)
        return no_digest(err);
    w->len++;
    in->in_block = 0;
    return SR_OK;
}

static int note_read(void *ctx, void *buf, size_t cap, size_t *ret_len, struct sr_error *err)
{
    struct sr_witness_input *in = ctx;
    int rc = in->behind->read(in->behind->ctx, buf, cap, ret_len, err);
    if (rc != SR_OK)
        return rc;
    const unsigned char *at = buf;
    for (size_t left = *ret_len, n; rc == SR_OK && left > 0; at += n, left -= n) {
        n = SR_WITNESS_BLOCK - in->in_block < left ? SR_WITNESS_BLOCK - in->in_block : left;
        if (EVP_DigestUpdate(in->md, at, n) != 1)
            return no_digest(err);
        in->in_block += n;
        if (in->in_block == SR_WITNESS_BLOCK)
            rc = block_done(in, err);
    }
    in->w->size += *ret_len;
    if (rc == SR_OK && *ret_len == 0 && !in->w->whole) {
        if (in->in_block > 0)
            rc = block_done(in, err);
        in->w->whole = rc == SR_OK;
    }
    return rc;
}

/* --- holding --- */

static int differs(struct sr_error *err)
{
    return sr_fail(err, SR_E_CORRUPT,
                   "it is not what it was when it was checked a moment ago: something has replaced "
                   "or changed it meanwhile, and nothing of that is used");
}

/* The next block, whole, and only when it is the one that was noted. */
static int block_take(struct sr_witness_input *in, struct sr_error *err)
{
    const struct sr_witness *w = in->w;
    unsigned char sum[EVP_MAX_MD_SIZE];
    in->have = in->given = 0;
    while (in->have < SR_WITNESS_BLOCK) {
        size_t n = 0;
        int rc = in->behind->read(in->behind->ctx, in->block + in->have,
                                  SR_WITNESS_BLOCK - in->have, &n, err);
        if (rc != SR_OK)
            return rc;
        if (n == 0)
            break;
        in->have += n;
    }
    in->taken += in->have;
    if (in->have < SR_WITNESS_BLOCK) {
        in->ended = 1;
        if (in->taken != w->size)
            return differs(err);
    }
    if (in->have == 0)
        return SR_OK;
    if (in->at >= w->len)
        return differs(err);
    if (EVP_Digest(in->block, in->have, sum, NULL, EVP_sha256(), NULL) != 1)
        return no_digest(err);
    return memcmp(sum, w->sums[in->at++], SUM_SIZE) == 0 ? SR_OK : differs(err);
}

static int hold_read(void *ctx, void *buf, size_t cap, size_t *ret_len, struct sr_error *err)
{
    struct sr_witness_input *in = ctx;
    if (!in->w->whole)
        return sr_fail(err, SR_E_INTERNAL, "what is to be read was not checked to its end before");
    if (in->given == in->have && !in->ended) {
        int rc = block_take(in, err);
        if (rc != SR_OK)
            return rc;
    }
    size_t n = in->have - in->given < cap ? in->have - in->given : cap;
    if (n > 0)
        memcpy(buf, in->block + in->given, n);
    in->given += n;
    *ret_len = n;
    return SR_OK;
}

/* --- both --- */

static void interrupt(void *ctx)
{
    const struct sr_witness_input *in = ctx;
    in->behind->interrupt(in->behind->ctx);
}

static int input_new(struct sr_witness *w, const struct sr_input *behind, int holds,
                     struct sr_witness_input **ret, struct sr_error *err)
{
    struct sr_witness_input *in = calloc(1, sizeof *in);
    if (!in)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    in->input = (struct sr_input){holds ? hold_read : note_read, interrupt, in};
    in->behind = behind;
    in->w = w;
    if (holds)
        in->block = malloc(SR_WITNESS_BLOCK);
    else
        in->md = EVP_MD_CTX_new();
    if (!in->block && !in->md) {
        sr_witness_input_free(in);
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    if (in->md && EVP_DigestInit_ex(in->md, EVP_sha256(), NULL) != 1) {
        sr_witness_input_free(in);
        return no_digest(err);
    }
    *ret = in;
    return SR_OK;
}

int sr_witness_note(struct sr_witness *w, const struct sr_input *behind,
                    struct sr_witness_input **ret, struct sr_error *err)
{
    w->len = 0;
    w->size = 0;
    w->whole = 0;
    return input_new(w, behind, 0, ret, err);
}

int sr_witness_hold(struct sr_witness *w, const struct sr_input *behind,
                    struct sr_witness_input **ret, struct sr_error *err)
{
    return input_new(w, behind, 1, ret, err);
}

const struct sr_input *sr_witness_input(const struct sr_witness_input *in)
{
    return &in->input;
}

void sr_witness_input_free(struct sr_witness_input *in)
{
    if (!in)
        return;
    EVP_MD_CTX_free(in->md);
    free(in->block);
    free(in);
}
