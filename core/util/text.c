#include "config.h"
#include "core/util/text.h"
#include "core/util/error.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

/* Reads leading digits; the rest goes to *end. */
static int digits(const char *s, uint64_t *ret, const char **end)
{
    uint64_t v = 0;
    if (*s < '0' || *s > '9')
        return SR_E_CONFIG;
    for (; *s >= '0' && *s <= '9'; s++)
        if (__builtin_mul_overflow(v, 10u, &v) ||
            __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
            return SR_E_CONFIG;
    *ret = v;
    *end = s;
    return SR_OK;
}

int sr_parse_u64(const char *s, uint64_t *ret)
{
    uint64_t v = 0;
    const char *end = s;
    if (digits(s, &v, &end) != SR_OK || *end)
        return SR_E_CONFIG;
    *ret = v;
    return SR_OK;
}

struct unit {
    const char *name;
    uint64_t factor;
};

static int with_unit(const char *s, const struct unit *units, uint64_t *ret)
{
    uint64_t v = 0;
    const char *end = s;
    if (digits(s, &v, &end) != SR_OK)
        return SR_E_CONFIG;
    while (*end == ' ')
        end++;
    for (; units->name; units++)
        if (strcasecmp(end, units->name) == 0)
            return __builtin_mul_overflow(v, units->factor, ret) ? SR_E_CONFIG : SR_OK;
    return SR_E_CONFIG;
}

int sr_parse_size(const char *s, uint64_t *ret)
{
    static const struct unit units[] = {{"", 1},
                                        {"b", 1},
                                        {"k", 1ull << 10},
                                        {"kib", 1ull << 10},
                                        {"kb", 1000},
                                        {"m", 1ull << 20},
                                        {"mib", 1ull << 20},
                                        {"mb", 1000000},
                                        {"g", 1ull << 30},
                                        {"gib", 1ull << 30},
                                        {"gb", 1000000000},
                                        {"t", 1ull << 40},
                                        {"tib", 1ull << 40},
                                        {"tb", 1000000000000},
                                        {NULL, 0}};
    uint64_t v = 0;
    if (with_unit(s, units, &v) != SR_OK)
        return SR_E_CONFIG;
    *ret = v;
    return SR_OK;
}

int sr_parse_duration(const char *s, uint64_t *ret)
{
    static const struct unit units[] = {{"", 1},     {"s", 1},     {"m", 60},     {"min", 60},
                                        {"h", 3600}, {"d", 86400}, {"w", 604800}, {NULL, 0}};
    uint64_t v = 0;
    if (with_unit(s, units, &v) != SR_OK)
        return SR_E_CONFIG;
    *ret = v;
    return SR_OK;
}

int sr_parse_bool(const char *s, int *ret)
{
    static const char *const yes[] = {"1", "true", "yes", "on"};
    static const char *const no[] = {"0", "false", "no", "off"};
    for (size_t i = 0; i < 4; i++) {
        if (strcasecmp(s, yes[i]) == 0) {
            *ret = 1;
            return SR_OK;
        }
        if (strcasecmp(s, no[i]) == 0) {
            *ret = 0;
            return SR_OK;
        }
    }
    return SR_E_CONFIG;
}

void sr_format_size(uint64_t bytes, char out[SR_SIZE_TEXT])
{
    static const char units[][4] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes < 1024) {
        (void)snprintf(out, SR_SIZE_TEXT, "%u B", (unsigned)bytes);
        return;
    }
    double v = (double)bytes / 1024;
    size_t u = 0;
    while (v >= 1023.95 && u + 1 < sizeof units / sizeof *units) {
        v /= 1024;
        u++;
    }
    (void)snprintf(out, SR_SIZE_TEXT,
                   v < 9.995   ? "%.2f %s"
                   : v < 99.95 ? "%.1f %s"
                               : "%.0f %s",
                   v, units[u]);
}

#define NEAREST_MAX 64

/* Edit distance with swaps of neighbours counted once (optimal string alignment). */
static size_t distance(const char *a, size_t n, const char *b, size_t m)
{
    size_t d[3][NEAREST_MAX + 1];
    for (size_t j = 0; j <= m; j++)
        d[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *row = d[i % 3], *up = d[(i - 1) % 3], *up2 = d[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t v = up[j - 1] + (a[i - 1] != b[j - 1]);
            if (up[j] + 1 < v)
                v = up[j] + 1;
            if (row[j - 1] + 1 < v)
                v = row[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                up2[j - 2] + 1 < v)
                v = up2[j - 2] + 1;
            row[j] = v;
        }
    }
    return d[n % 3][m];
}

const char *sr_nearest(const char *s, const char *const *words)
{
    size_t n = strlen(s), best = SIZE_MAX;
    const char *found = NULL;
    if (n == 0 || n > NEAREST_MAX)
        return NULL;
    for (; *words; words++) {
        size_t m = strlen(*words);
        if (m > NEAREST_MAX)
            continue;
        size_t d = distance(s, n, *words, m);
        if (d < best) {
            best = d;
            found = *words;
        }
    }
    return best <= (n < 4 ? 1 : 1 + n / 4) ? found : NULL;
}

void sr_hex(const unsigned char *data, size_t len, char *out)
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = hex[data[i] >> 4];
        out[2 * i + 1] = hex[data[i] & 15];
    }
    out[2 * len] = '\0';
}

int sr_glob_match(const char *pattern, const char *s)
{
    return fnmatch(pattern, s, 0) == 0;
}

int sr_equal_secret(const void *a, const void *b, size_t len)
{
    const unsigned char *x = a, *y = b;
    unsigned char diff = 0;
    for (size_t i = 0; i < len; i++)
        diff = (unsigned char)(diff | (x[i] ^ y[i]));
    return diff == 0;
}

int sr_random(void *buf, size_t len)
{
    char *p = buf;
    while (len > 0) {
        ssize_t n = getrandom(p, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        p += n;
        len -= (size_t)n;
    }
    return 0;
}
