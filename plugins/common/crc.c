/* CRC-32C and CRC-64/NVME, both bit-reflected, beginning and ending with all ones. Eight bytes at
 * a time by eight tables, which are filled once; CRC-32C by the processor's instruction where it
 * has one. */
#include "common/digest.h"

#include <endian.h>
#include <pthread.h>
#include <string.h>

#define POLY32C UINT64_C(0x82f63b78)
#define POLY64NVME UINT64_C(0x9a6c9329ac4bc9b5)

/* [k][b]: what byte b does when k bytes follow it in the same step. */
static struct {
    pthread_once_t once;
    uint32_t t32[8][256];
    uint64_t t64[8][256];
} tables = {.once = PTHREAD_ONCE_INIT};

static uint64_t shift_byte(uint64_t v, uint64_t poly)
{
    for (int k = 0; k < 8; k++)
        v = v & 1 ? v >> 1 ^ poly : v >> 1;
    return v;
}

static void fill(void)
{
    for (unsigned b = 0; b < 256; b++) {
        tables.t32[0][b] = (uint32_t)shift_byte(b, POLY32C);
        tables.t64[0][b] = shift_byte(b, POLY64NVME);
    }
    for (unsigned k = 1; k < 8; k++) {
        for (unsigned b = 0; b < 256; b++) {
            uint32_t v = tables.t32[k - 1][b];
            uint64_t w = tables.t64[k - 1][b];
            tables.t32[k][b] = v >> 8 ^ tables.t32[0][v & 255];
            tables.t64[k][b] = w >> 8 ^ tables.t64[0][w & 255];
        }
    }
}

static uint64_t load64(const uint8_t *p)
{
    uint64_t v = 0;
    memcpy(&v, p, sizeof v);
    return le64toh(v);
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc32c_hardware(uint32_t crc, const uint8_t *p,
                                                                  size_t len)
{
    uint64_t v = crc;
    for (; len >= 8; p += 8, len -= 8)
        v = __builtin_ia32_crc32di(v, load64(p));
    crc = (uint32_t)v;
    for (; len > 0; p++, len--)
        crc = __builtin_ia32_crc32qi(crc, *p);
    return crc;
}
static int has_hardware(void)
{
    return __builtin_cpu_supports("sse4.2");
}
#else
static uint32_t crc32c_hardware(uint32_t crc, const uint8_t *p, size_t len)
{
    (void)p;
    (void)len;
    return crc;
}
static int has_hardware(void)
{
    return 0;
}
#endif

static uint32_t crc32c_tables(uint32_t crc, const uint8_t *p, size_t len)
{
    (void)pthread_once(&tables.once, fill);
    for (; len >= 8; p += 8, len -= 8) {
        uint64_t v = load64(p) ^ crc;
        crc = 0;
        for (unsigned k = 0; k < 8; k++)
            crc ^= tables.t32[7 - k][v >> (8 * k) & 255];
    }
    for (; len > 0; p++, len--)
        crc = crc >> 8 ^ tables.t32[0][(crc ^ *p) & 255];
    return crc;
}

uint32_t sc_crc32c(uint32_t crc, const void *data, size_t len)
{
    return ~(has_hardware() ? crc32c_hardware(~crc, data, len) : crc32c_tables(~crc, data, len));
}

uint64_t sc_crc64nvme(uint64_t crc, const void *data, size_t len)
{
    const uint8_t *p = data;
    (void)pthread_once(&tables.once, fill);
    crc = ~crc;
    for (; len >= 8; p += 8, len -= 8) {
        uint64_t v = load64(p) ^ crc;
        crc = tables.t64[7][v & 255] ^ tables.t64[6][v >> 8 & 255] ^ tables.t64[5][v >> 16 & 255] ^
              tables.t64[4][v >> 24 & 255] ^ tables.t64[3][v >> 32 & 255] ^
              tables.t64[2][v >> 40 & 255] ^ tables.t64[1][v >> 48 & 255] ^ tables.t64[0][v >> 56];
    }
    for (; len > 0; p++, len--)
        crc = crc >> 8 ^ tables.t64[0][(crc ^ *p) & 255];
    return ~crc;
}

/* The product of two polynomials modulo the third, all reflected: the highest bit is x^0. */
static uint64_t multiply(uint64_t a, uint64_t b, uint64_t poly, uint64_t top)
{
    uint64_t product = 0;
    for (uint64_t m = top; m; m >>= 1) {
        if (a & m)
            product ^= b;
        b = b & 1 ? b >> 1 ^ poly : b >> 1;
    }
    return product;
}

/* The CRC of len zero bytes after a is a * x^(8 len); the ones at both ends cancel out. */
static uint64_t combine(uint64_t a, uint64_t b, uint64_t len, uint64_t poly, uint64_t top)
{
    uint64_t power = top >> 8, shift = top;
    for (; len > 0; len >>= 1) {
        if (len & 1)
            shift = multiply(shift, power, poly, top);
        power = multiply(power, power, poly, top);
    }
    return multiply(shift, a, poly, top) ^ b;
}

uint64_t sc_crc64nvme_combine(uint64_t a, uint64_t b, uint64_t len_b)
{
    return combine(a, b, len_b, POLY64NVME, UINT64_C(1) << 63);
}

uint32_t sc_crc32c_combine(uint32_t a, uint32_t b, uint64_t len_b)
{
    return (uint32_t)combine(a, b, len_b, POLY32C, UINT64_C(1) << 31);
}
