#include "s3/sums.h"

#include <string.h>

struct s3_summing {
    struct sc_digest *md5, *sha256; /* NULL: not needed */
    int crc64nvme, crc32c;
    struct s3_sums sums;
};

enum s3_sum s3_sum_kind(const struct s3 *s)
{
    if (s->set.sum == S3_SUM_NONE && s->locking)
        return S3_SUM_MD5;
    if (s->set.sum != S3_SUM_AUTO)
        return s->set.sum;
    return s->amazon ? S3_SUM_CRC64NVME : S3_SUM_MD5;
}

int s3_payload_unsigned(const struct s3 *s)
{
    return strcmp(s->scheme, "https") == 0 && !s->set.sign_payload && !s->set.insecure &&
           s3_sum_kind(s) != S3_SUM_NONE;
}

const char *s3_sum_name(enum s3_sum kind)
{
    switch (kind) {
    case S3_SUM_CRC64NVME:
        return "crc64nvme";
    case S3_SUM_CRC32C:
        return "crc32c";
    case S3_SUM_SHA256:
        return "sha256";
    default:
        return NULL;
    }
}

int32_t s3_summing_new(const struct s3 *s, struct s3_summing **ret, struct sc_error *err)
{
    enum s3_sum kind = s3_sum_kind(s);
    struct s3_summing *m = calloc(1, sizeof *m);
    if (!m)
        return sc_fail_memory(err);
    int32_t rc = SR_STORAGE_OK;
    if (kind == S3_SUM_MD5)
        rc = sc_digest_new(SR_STORAGE_SUM_MD5, &m->md5, err);
    if (rc == SR_STORAGE_OK && (kind == S3_SUM_SHA256 || !s3_payload_unsigned(s)))
        rc = sc_digest_new(SR_STORAGE_SUM_SHA256, &m->sha256, err);
    m->crc64nvme = kind == S3_SUM_CRC64NVME;
    m->crc32c = kind == S3_SUM_CRC32C;
    if (rc != SR_STORAGE_OK) {
        s3_summing_free(m);
        return rc;
    }
    *ret = m;
    return rc;
}

void s3_summing_free(struct s3_summing *m)
{
    if (!m)
        return;
    sc_digest_free(m->md5);
    sc_digest_free(m->sha256);
    free(m);
}

void s3_summing_add(struct s3_summing *m, const void *data, size_t len)
{
    if (m->md5)
        sc_digest_add(m->md5, data, len);
    if (m->sha256)
        sc_digest_add(m->sha256, data, len);
    if (m->crc64nvme)
        m->sums.crc64nvme = sc_crc64nvme(m->sums.crc64nvme, data, len);
    if (m->crc32c)
        m->sums.crc32c = sc_crc32c(m->sums.crc32c, data, len);
    m->sums.len += len;
}

int32_t s3_summing_end(struct s3_summing *m, struct s3_sums *ret, struct sc_error *err)
{
    uint8_t out[SC_DIGEST_MAX];
    int failed = 0;
    *ret = m->sums;
    m->sums = (struct s3_sums){0};
    if (m->md5) {
        failed |= sc_digest_end(m->md5, out) != SC_MD5_LEN;
        memcpy(ret->md5, out, SC_MD5_LEN);
    }
    if (m->sha256) {
        failed |= sc_digest_end(m->sha256, out) != SC_SHA256_LEN;
        memcpy(ret->sha256, out, SC_SHA256_LEN);
    }
    return failed ? sc_fail(err, SR_STORAGE_E_INTERNAL, "OpenSSL cannot sum the body")
                  : SR_STORAGE_OK;
}

/* The checksum's bytes, most significant first; their number. */
static size_t bytes_of(const struct s3_sums *sums, enum s3_sum kind, uint8_t out[SC_DIGEST_MAX])
{
    switch (kind) {
    case S3_SUM_MD5:
        memcpy(out, sums->md5, SC_MD5_LEN);
        return SC_MD5_LEN;
    case S3_SUM_SHA256:
        memcpy(out, sums->sha256, SC_SHA256_LEN);
        return SC_SHA256_LEN;
    case S3_SUM_CRC64NVME:
        sc_put_be(out, 8, sums->crc64nvme);
        return 8;
    case S3_SUM_CRC32C:
        sc_put_be(out, 4, sums->crc32c);
        return 4;
    default:
        return 0;
    }
}

void s3_sum_text(const struct s3_sums *sums, enum s3_sum kind, char out[S3_SUM_TEXT_SIZE])
{
    uint8_t raw[SC_DIGEST_MAX];
    struct sc_buf b = SC_BUF_INIT(S3_SUM_TEXT_SIZE - 1);
    sc_base64_encode(&b, raw, bytes_of(sums, kind, raw));
    size_t len = b.len < S3_SUM_TEXT_SIZE ? b.len : S3_SUM_TEXT_SIZE - 1;
    memcpy(out, sc_buf_str(&b), len);
    out[len] = '\0';
    sc_buf_done(&b);
}

void s3_sums_append(struct s3_sums *whole, const struct s3_sums *part)
{
    whole->crc64nvme = sc_crc64nvme_combine(whole->crc64nvme, part->crc64nvme, part->len);
    whole->crc32c = sc_crc32c_combine(whole->crc32c, part->crc32c, part->len);
    whole->len += part->len;
}

static const struct {
    enum s3_sum kind;
    uint64_t stated;
    const char *header, *element;
    size_t len;
} headers[] = {
    {S3_SUM_CRC64NVME, SR_STORAGE_SUM_CRC64NVME, "x-amz-checksum-crc64nvme", "ChecksumCRC64NVME",
     8},
    {S3_SUM_CRC32C, SR_STORAGE_SUM_CRC32C, "x-amz-checksum-crc32c", "ChecksumCRC32C", 4},
    {S3_SUM_SHA256, SR_STORAGE_SUM_SHA256, "x-amz-checksum-sha256", "ChecksumSHA256",
     SC_SHA256_LEN},
};

/* A checksum of parts ends with their number ("...=-3") or is called composite: it is not one of
 * the bytes. */
static int read_stated(const char *value, const char *type, size_t which,
                       uint8_t out[SC_DIGEST_MAX])
{
    struct sc_buf raw = SC_BUF_INIT(SC_DIGEST_MAX);
    int good = value && (!type || strcmp(type, "FULL_OBJECT") == 0) &&
               sc_base64_decode(&raw, value, strlen(value)) == SR_STORAGE_OK &&
               raw.len == headers[which].len;
    if (good)
        memcpy(out, raw.data, raw.len);
    sc_buf_done(&raw);
    return good;
}

static int stated(const struct sc_response *answer, size_t which, uint8_t out[SC_DIGEST_MAX])
{
    return read_stated(sc_headers_get(&answer->headers, headers[which].header),
                       sc_headers_get(&answer->headers, "x-amz-checksum-type"), which, out);
}

int s3_sums_stated(const struct sc_response *answer, uint64_t *ret_kind, uint8_t *ret_sum,
                   uint64_t *ret_len)
{
    uint8_t out[SC_DIGEST_MAX];
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        if (stated(answer, i, out)) {
            *ret_kind = headers[i].stated;
            *ret_len = headers[i].len;
            memcpy(ret_sum, out, headers[i].len);
            return 1;
        }
    return 0;
}

static int32_t confirm(struct sr_storage_saved *ret, uint64_t kind, const uint8_t *sum, size_t len)
{
    ret->confirmed |= SR_STORAGE_CONFIRMED_CHECKSUM;
    ret->checksum_kind = kind;
    ret->checksum_len = len;
    memcpy(ret->checksum, sum, len);
    return SR_STORAGE_OK;
}

static int32_t compare(size_t which, const uint8_t *mine, const uint8_t *theirs,
                       struct sr_storage_saved *ret, struct sc_error *err)
{
    if (memcmp(mine, theirs, headers[which].len) != 0)
        return sc_fail(err, SR_STORAGE_E_CORRUPT,
                       "the store states another %s than that of what was sent",
                       s3_sum_name(headers[which].kind));
    return confirm(ret, headers[which].stated, theirs, headers[which].len);
}

int32_t s3_sums_confirm_whole(const struct sc_xml_node *root, const struct s3_sums *ours,
                              enum s3_sum kind, struct sr_storage_saved *ret, struct sc_error *err)
{
    uint8_t mine[SC_DIGEST_MAX], theirs[SC_DIGEST_MAX];
    (void)bytes_of(ours, kind, mine);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        if (headers[i].kind == kind && kind != S3_SUM_SHA256 &&
            read_stated(sc_xml_text(root, headers[i].element), sc_xml_text(root, "ChecksumType"), i,
                        theirs))
            return compare(i, mine, theirs, ret, err);
    return SR_STORAGE_OK;
}

int32_t s3_sums_confirm(const struct sc_response *answer, const struct s3_sums *ours,
                        enum s3_sum kind, struct sr_storage_saved *ret, struct sc_error *err)
{
    uint8_t mine[SC_DIGEST_MAX], theirs[SC_DIGEST_MAX];
    (void)bytes_of(ours, kind, mine);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        if (headers[i].kind == kind && stated(answer, i, theirs))
            return compare(i, mine, theirs, ret, err);
    }
    /* An ETag is the MD5 of the body where the store keeps it as it came; where it encrypts, it is
     * something else, so only equality tells anything. */
    char etag[S3_ETAG_MAX];
    s3_etag_copy(answer, etag);
    if (kind == S3_SUM_MD5 && sc_unhex(theirs, SC_MD5_LEN, etag, strlen(etag)) == 0 &&
        memcmp(mine, theirs, SC_MD5_LEN) == 0)
        return confirm(ret, SR_STORAGE_SUM_MD5, theirs, SC_MD5_LEN);
    return SR_STORAGE_OK;
}
