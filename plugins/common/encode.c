#include "common/encode.h"

#include <string.h>

static int is_unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void sc_percent_encode(struct sc_buf *out, const void *data, size_t len, int keep_slash)
{
    static const char digits[] = "0123456789ABCDEF";
    const unsigned char *p = data;
    for (size_t i = 0; i < len; i++) {
        if (is_unreserved(p[i]) || (keep_slash && p[i] == '/')) {
            sc_buf_addc(out, (char)p[i]);
        } else {
            char three[3] = {'%', digits[p[i] >> 4], digits[p[i] & 15]};
            sc_buf_add(out, three, sizeof three);
        }
    }
}

void sc_percent_encode_str(struct sc_buf *out, const char *s, int keep_slash)
{
    sc_percent_encode(out, s, strlen(s), keep_slash);
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Checked before anything is written, so that a failure leaves the output as it was. */
static int percent_is_good(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '\0')
            return 0;
        if (s[i] != '%')
            continue;
        if (len - i < 3 || digit_of(s[i + 1]) < 0 || digit_of(s[i + 2]) < 0 ||
            (s[i + 1] == '0' && s[i + 2] == '0'))
            return 0;
        i += 2;
    }
    return 1;
}

int32_t sc_percent_decode(struct sc_buf *out, const char *s, size_t len, int plus)
{
    if (!percent_is_good(s, len))
        return SR_STORAGE_E_CORRUPT;
    int32_t rc = sc_buf_add(out, "", 0);
    for (size_t i = 0; i < len && rc == SR_STORAGE_OK; i++) {
        char c = s[i];
        if (c == '%') {
            c = (char)(digit_of(s[i + 1]) * 16 + digit_of(s[i + 2]));
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        rc = sc_buf_addc(out, c);
    }
    return rc;
}

void sc_query_add(struct sc_buf *query, const char *key, const char *value)
{
    if (query->len > 0)
        sc_buf_addc(query, '&');
    sc_percent_encode_str(query, key, 0);
    if (!value)
        return;
    sc_buf_addc(query, '=');
    sc_percent_encode_str(query, value, 0);
}

static void base64(struct sc_buf *out, const void *data, size_t len, const char alphabet[64],
                   int pad)
{
    const unsigned char *p = data;
    for (size_t i = 0; i < len; i += 3) {
        size_t n = len - i < 3 ? len - i : 3;
        uint32_t v = (uint32_t)p[i] << 16;
        if (n > 1)
            v |= (uint32_t)p[i + 1] << 8;
        if (n > 2)
            v |= p[i + 2];
        char four[4] = {alphabet[v >> 18], alphabet[(v >> 12) & 63],
                        n > 1 ? alphabet[(v >> 6) & 63] : '=', n > 2 ? alphabet[v & 63] : '='};
        sc_buf_add(out, four, pad ? 4 : n + 1);
    }
}

void sc_base64_encode(struct sc_buf *out, const void *data, size_t len)
{
    base64(out, data, len, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 1);
}

void sc_base64url_encode(struct sc_buf *out, const void *data, size_t len)
{
    base64(out, data, len, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 0);
}

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int32_t sc_base64_decode(struct sc_buf *out, const char *s, size_t len)
{
    size_t pad = 0;
    if (len % 4 != 0)
        return SR_STORAGE_E_CORRUPT;
    while (pad < 2 && pad < len && s[len - pad - 1] == '=')
        pad++;
    for (size_t i = 0; i < len - pad; i++)
        if (value_of(s[i]) < 0)
            return SR_STORAGE_E_CORRUPT;
    int32_t rc = sc_buf_add(out, "", 0);
    for (size_t i = 0; i < len && rc == SR_STORAGE_OK; i += 4) {
        size_t n = i + 4 == len ? 3 - pad : 3;
        uint32_t v = 0;
        for (size_t k = 0; k < 4; k++)
            v = v << 6 | (k <= n ? (uint32_t)value_of(s[i + k]) : 0);
        unsigned char three[3] = {(unsigned char)(v >> 16), (unsigned char)(v >> 8),
                                  (unsigned char)v};
        rc = sc_buf_add(out, three, n);
    }
    return rc;
}

void sc_hex(char *out, const void *data, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = data;
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15];
    }
    out[2 * len] = '\0';
}

int sc_unhex(void *out, size_t len, const char *s, size_t slen)
{
    unsigned char *p = out;
    if (slen != 2 * len)
        return -1;
    for (size_t i = 0; i < slen; i++)
        if (digit_of(s[i]) < 0)
            return -1;
    for (size_t i = 0; i < len; i++)
        p[i] = (unsigned char)(digit_of(s[2 * i]) * 16 + digit_of(s[2 * i + 1]));
    return 0;
}

int sc_parse_u64(const char *s, uint64_t *ret)
{
    uint64_t v = 0;
    if (*s == '\0')
        return -1;
    for (; *s; s++) {
        unsigned d = (unsigned)(*s - '0');
        if (*s < '0' || *s > '9' || v > (UINT64_MAX - d) / 10)
            return -1;
        v = v * 10 + d;
    }
    *ret = v;
    return 0;
}
