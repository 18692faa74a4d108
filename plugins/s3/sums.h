/* The checksums that go with a body, made while its bytes come in.
 *
 *     struct s3_summing *m;
 *     s3_summing_new(s, &m, &err)                 knows from the settings which ones are needed
 *     s3_summing_add(m, data, len) ...            each piece once, in order
 *     s3_summing_end(m, &sums, &err)              of all since the last end; m begins anew
 *     s3_summing_free(m)
 *
 *     s3_sums_whole(...)                          the whole object's, out of its parts'
 *
 * What is sent: a checksum header, by which the store refuses what was damaged on the way, and
 * x-amz-content-sha256, which is signed. Over https the latter is UNSIGNED-PAYLOAD where a checksum
 * goes along: TLS keeps others from changing the bytes. Over http the body is always signed. */
#ifndef S3_SUMS_H
#define S3_SUMS_H

#include "common/digest.h"
#include "s3/s3.h"

struct s3_sums {
    uint64_t len; /* bytes summed */
    uint8_t md5[SC_MD5_LEN], sha256[SC_SHA256_LEN];
    uint64_t crc64nvme;
    uint32_t crc32c;
};

struct s3_summing;

/* Never S3_SUM_AUTO. With none, objects that are to be locked get MD5 all the same: their requests
 * must have a digest ("PutObject" in the S3 API reference). */
enum s3_sum s3_sum_kind(const struct s3 *s);
/* Nonzero when bodies are not signed. */
int s3_payload_unsigned(const struct s3 *s);
/* The checksum's name in headers, "crc64nvme"; NULL for MD5 and none, which have no such header. */
const char *s3_sum_name(enum s3_sum kind);

int32_t s3_summing_new(const struct s3 *s, struct s3_summing **ret, struct sc_error *err);
void s3_summing_add(struct s3_summing *m, const void *data, size_t len);
int32_t s3_summing_end(struct s3_summing *m, struct s3_sums *ret, struct sc_error *err);
void s3_summing_free(struct s3_summing *m);

/* The value for a header: base64 of the checksum of that kind, "" for none. */
#define S3_SUM_TEXT_SIZE 48
void s3_sum_text(const struct s3_sums *sums, enum s3_sum kind, char out[S3_SUM_TEXT_SIZE]);
/* Extends whole, zeroed at first, by the part that follows it; CRCs only: the other kinds have no
 * sum of the whole object that is known from its parts. */
void s3_sums_append(struct s3_sums *whole, const struct s3_sums *part);
/* What the answer states about the object it stored: fills ret's checksum when it is one of the
 * whole object. E_CORRUPT when it differs from ours. */
int32_t s3_sums_confirm(const struct sc_response *answer, const struct s3_sums *ours,
                        enum s3_sum kind, struct sr_storage_saved *ret, struct sc_error *err);
/* The same of the answer to a completion, whose XML root names the checksum; CRCs only. */
int32_t s3_sums_confirm_whole(const struct sc_xml_node *root, const struct s3_sums *ours,
                              enum s3_sum kind, struct sr_storage_saved *ret, struct sc_error *err);
/* A checksum of the whole object out of an answer's headers; 0 when there is none. */
int s3_sums_stated(const struct sc_response *answer, uint64_t *ret_kind, uint8_t *ret_sum,
                   uint64_t *ret_len);

#endif
