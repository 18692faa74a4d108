/* Digests and checksums that stores ask for. Any thread, each with objects of its own.
 *
 *     struct sc_digest *d;                     a running one; MD5, SHA-1, SHA-256
 *     sc_digest_new(SR_STORAGE_SUM_SHA256, &d, &err);
 *     sc_digest_add(d, data, len);  ...  n = sc_digest_end(d, sum);  sc_digest_free(d);
 *
 *     uint64_t crc = 0;                        CRCs are plain numbers, extended piece by piece
 *     crc = sc_crc64nvme(crc, data, len);
 *     sc_put_be(out, 8, crc);                  as SR_STORAGE_SUM_CRC64NVME has them
 *
 * MD5 serves integrity on the way (Content-MD5), never secrecy; it works where a machine's policy
 * forbids MD5 only if OpenSSL still offers it, else sc_digest_new is E_UNSUPPORTED. */
#ifndef SC_DIGEST_H
#define SC_DIGEST_H

#include "common/error.h"

#include <stddef.h>
#include <stdint.h>

#define SC_MD5_LEN 16
#define SC_SHA1_LEN 20
#define SC_SHA256_LEN 32
#define SC_DIGEST_MAX 32

struct sc_digest;

/* kind: SR_STORAGE_SUM_MD5, SHA1 or SHA256. The caller frees. */
int32_t sc_digest_new(uint64_t kind, struct sc_digest **ret, struct sc_error *err);
void sc_digest_add(struct sc_digest *d, const void *data, size_t len);
/* Writes the sum and returns its length; d begins anew. 0 when OpenSSL failed on the way. */
size_t sc_digest_end(struct sc_digest *d, uint8_t out[SC_DIGEST_MAX]);
void sc_digest_free(struct sc_digest *d);

/* In one go. */
int32_t sc_md5(const void *data, size_t len, uint8_t out[SC_MD5_LEN], struct sc_error *err);
int32_t sc_sha256(const void *data, size_t len, uint8_t out[SC_SHA256_LEN], struct sc_error *err);
int32_t sc_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
                       uint8_t out[SC_SHA256_LEN], struct sc_error *err);

/* crc: 0 to begin, else what the last call returned. */
uint32_t sc_crc32c(uint32_t crc, const void *data, size_t len);
uint64_t sc_crc64nvme(uint64_t crc, const void *data, size_t len);
/* The CRC of a followed by b, from both and the length of b: parts summed apart. */
uint64_t sc_crc64nvme_combine(uint64_t a, uint64_t b, uint64_t len_b);
uint32_t sc_crc32c_combine(uint32_t a, uint32_t b, uint64_t len_b);

/* The low n bytes of v, most significant first; n at most 8. */
void sc_put_be(uint8_t *out, size_t n, uint64_t v);
/* Nonzero when equal, in a time that depends on len alone. */
int sc_equal(const void *a, const void *b, size_t len);

#endif
