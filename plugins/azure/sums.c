#include "azure/sums.h"

#include <string.h>

#define CRC64_LEN 8

struct azure_summing {
    enum azure_sum kind;
    struct sc_digest *md5, *whole; /* NULL: not needed */
    struct azure_sums sums;
};

enum azure_sum azure_sum_kind(const struct azure *s)
{
    if (s->set.sum != AZURE_SUM_AUTO)
        return s->set.sum;
    return s->microsoft ? AZURE_SUM_CRC64 : AZURE_SUM_MD5;
}

const char *azure_sum_header(enum azure_sum kind)
{
    return kind == AZURE_SUM_CRC64 ? "x-ms-content-crc64"
           : kind == AZURE_SUM_MD5 ? "content-md5"
                                   : NULL;
}

int32_t azure_summing_new(const struct azure *s, struct azure_summing **ret, struct sc_error *err)
{
    struct azure_summing *m = calloc(1, sizeof *m);
    if (!m)
        return sc_fail_memory(err);
    m->kind = azure_sum_kind(s);
    int32_t rc =
        m->kind == AZURE_SUM_MD5 ? sc_digest_new(SR_STORAGE_SUM_MD5, &m->md5, err) : SR_STORAGE_OK;
    if (rc == SR_STORAGE_OK && s->set.content_md5)
        rc = sc_digest_new(SR_STORAGE_SUM_MD5, &m->whole, err);
    if (rc != SR_STORAGE_OK) {
        azure_summing_free(m);
        return rc;
    }
    *ret = m;
    return rc;
}

void azure_summing_free(struct azure_summing *m)
{
    if (!m)
        return;
    sc_digest_free(m->md5);
    sc_digest_free(m->whole);
    free(m);
}

void azure_summing_add(struct azure_summing *m, const void *data, size_t len)
{
    if (m->md5)
        sc_digest_add(m->md5, data, len);
    if (m->whole)
        sc_digest_add(m->whole, data, len);
    if (m->kind == AZURE_SUM_CRC64)
        m->sums.crc64 = sc_crc64nvme(m->sums.crc64, data, len);
    m->sums.len += len;
}

static int32_t md5_end(struct sc_digest *d, uint8_t out[SC_MD5_LEN], struct sc_error *err)
{
    uint8_t sum[SC_DIGEST_MAX];
    if (sc_digest_end(d, sum) != SC_MD5_LEN)
        return sc_fail(err, SR_STORAGE_E_INTERNAL, "OpenSSL cannot sum the body");
    memcpy(out, sum, SC_MD5_LEN);
    return SR_STORAGE_OK;
}

int32_t azure_summing_end(struct azure_summing *m, struct azure_sums *ret, struct sc_error *err)
{
    *ret = m->sums;
    m->sums = (struct azure_sums){0};
    return m->md5 ? md5_end(m->md5, ret->md5, err) : SR_STORAGE_OK;
}

/* The checksum's bytes as Azure writes them; their number. */
static size_t bytes_of(const struct azure_sums *sums, enum azure_sum kind, uint8_t out[SC_MD5_LEN])
{
    if (kind == AZURE_SUM_MD5) {
        memcpy(out, sums->md5, SC_MD5_LEN);
        return SC_MD5_LEN;
    }
    if (kind != AZURE_SUM_CRC64)
        return 0;
    for (unsigned i = 0; i < CRC64_LEN; i++)
        out[i] = (uint8_t)(sums->crc64 >> (8 * i));
    return CRC64_LEN;
}

static void base64(const uint8_t *raw, size_t len, char out[AZURE_SUM_TEXT_SIZE])
{
    struct sc_buf b = SC_BUF_INIT(AZURE_SUM_TEXT_SIZE - 1);
    sc_base64_encode(&b, raw, len);
    memcpy(out, sc_buf_str(&b), b.len);
    out[b.len] = '\0';
    sc_buf_done(&b);
}

void azure_sum_text(const struct azure_sums *sums, enum azure_sum kind,
                    char out[AZURE_SUM_TEXT_SIZE])
{
    uint8_t raw[SC_MD5_LEN];
    base64(raw, bytes_of(sums, kind, raw), out);
}

int32_t azure_summing_whole(struct azure_summing *m, char out[AZURE_SUM_TEXT_SIZE],
                            struct sc_error *err)
{
    uint8_t raw[SC_MD5_LEN];
    out[0] = '\0';
    int32_t rc = m->whole ? md5_end(m->whole, raw, err) : SR_STORAGE_OK;
    if (m->whole && rc == SR_STORAGE_OK)
        base64(raw, sizeof raw, out);
    return rc;
}

int azure_sums_differ(const struct sc_response *answer, const struct azure_sums *ours,
                      enum azure_sum kind)
{
    char mine[AZURE_SUM_TEXT_SIZE];
    const char *header = azure_sum_header(kind);
    const char *theirs = header ? sc_headers_get(&answer->headers, header) : NULL;
    azure_sum_text(ours, kind, mine);
    return theirs && strcmp(theirs, mine) != 0;
}

int32_t azure_sums_confirm(const struct sc_response *answer, const struct azure_sums *ours,
                           enum azure_sum kind, struct sr_storage_saved *ret, struct sc_error *err)
{
    const char *header = azure_sum_header(kind);
    if (azure_sums_differ(answer, ours, kind))
        return sc_fail(err, SR_STORAGE_E_CORRUPT,
                       "the store states another %s than that of what was sent", header);
    if (!header || !sc_headers_get(&answer->headers, header))
        return SR_STORAGE_OK;
    ret->confirmed |= SR_STORAGE_CONFIRMED_CHECKSUM;
    if (kind == AZURE_SUM_MD5) {
        ret->checksum_kind = SR_STORAGE_SUM_MD5;
        ret->checksum_len = SC_MD5_LEN;
        memcpy(ret->checksum, ours->md5, SC_MD5_LEN);
    } else {
        ret->checksum_kind = SR_STORAGE_SUM_CRC64NVME;
        ret->checksum_len = CRC64_LEN;
        sc_put_be(ret->checksum, CRC64_LEN, ours->crc64);
    }
    return SR_STORAGE_OK;
}
