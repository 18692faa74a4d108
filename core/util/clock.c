#include "config.h"
#include "core/util/clock.h"
#include "core/util/error.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t system_now(void *ctx)
{
    (void)ctx;
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec;
}

static int64_t system_monotonic(void *ctx)
{
    (void)ctx;
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

const struct sr_clock sr_clock_system = {system_now, system_monotonic, NULL};

int64_t sr_clock_now(const struct sr_clock *c)
{
    return c->now(c->ctx);
}

void sr_clock_deadline(int timeout_ms, struct timespec *ret)
{
    (void)clock_gettime(CLOCK_MONOTONIC, ret);
    ret->tv_sec += timeout_ms / 1000;
    ret->tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (ret->tv_nsec >= 1000000000) {
        ret->tv_sec++;
        ret->tv_nsec -= 1000000000;
    }
}

int64_t sr_clock_monotonic(const struct sr_clock *c)
{
    return c->monotonic(c->ctx);
}

#define YEAR_0 (-62167219200)  /* 0000-01-01T00:00:00Z */
#define YEAR_9999 253402300799 /* 9999-12-31T23:59:59Z */

static struct tm broken_down(int64_t t)
{
    struct tm tm = {0};
    time_t tt = (time_t)(t < YEAR_0 ? YEAR_0 : t > YEAR_9999 ? YEAR_9999 : t);
    gmtime_r(&tt, &tm);
    return tm;
}

/* Digits by hand: the compiler cannot see that the fields are in range. */
static char *put(char *p, int v, int digits)
{
    for (int i = digits - 1; i >= 0; i--, v /= 10)
        p[i] = (char)('0' + v % 10);
    return p + digits;
}

void sr_time_iso(int64_t t, char out[SR_TIME_ISO_SIZE])
{
    struct tm tm = broken_down(t);
    char *p = put(out, tm.tm_year + 1900, 4);
    *p++ = '-';
    p = put(p, tm.tm_mon + 1, 2);
    *p++ = '-';
    p = put(p, tm.tm_mday, 2);
    *p++ = 'T';
    p = put(p, tm.tm_hour, 2);
    *p++ = ':';
    p = put(p, tm.tm_min, 2);
    *p++ = ':';
    p = put(p, tm.tm_sec, 2);
    *p++ = 'Z';
    *p = '\0';
}

void sr_time_stamp(int64_t t, char out[SR_TIME_STAMP_SIZE])
{
    struct tm tm = broken_down(t);
    char *p = put(out, tm.tm_year + 1900, 4);
    p = put(p, tm.tm_mon + 1, 2);
    p = put(p, tm.tm_mday, 2);
    p = put(p, tm.tm_hour, 2);
    p = put(p, tm.tm_min, 2);
    p = put(p, tm.tm_sec, 2);
    *p = '\0';
}

static int number(const char *s, int digits)
{
    int v = 0;
    for (int i = 0; i < digits; i++)
        v = v * 10 + (s[i] - '0');
    return v;
}

int sr_time_parse_stamp(const char *s, size_t len, int64_t *ret)
{
    if (len != 14 || strspn(s, "0123456789") < 14)
        return SR_E_CONFIG;
    struct tm in = {.tm_year = number(s, 4) - 1900,
                    .tm_mon = number(s + 4, 2) - 1,
                    .tm_mday = number(s + 6, 2),
                    .tm_hour = number(s + 8, 2),
                    .tm_min = number(s + 10, 2),
                    .tm_sec = number(s + 12, 2)};
    struct tm tm = in;
    time_t t = timegm(&tm);
    /* timegm normalises 31 February to March; what comes back must be what went in. */
    if (tm.tm_year != in.tm_year || tm.tm_mon != in.tm_mon || tm.tm_mday != in.tm_mday ||
        tm.tm_hour != in.tm_hour || tm.tm_min != in.tm_min || tm.tm_sec != in.tm_sec)
        return SR_E_CONFIG;
    *ret = (int64_t)t;
    return SR_OK;
}

int sr_time_parse(const char *s, int64_t *ret)
{
    static const char *const shapes[] = {"dddd-dd-dd", "dddd-dd-ddTdd:dd:dd",
                                         "dddd-dd-ddTdd:dd:ddZ", "dddddddddddddd"};
    size_t n = strlen(s);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (strlen(shapes[i]) != n)
            continue;
        char digits[15] = "00000000000000";
        size_t d = 0, j = 0;
        for (; j < n; j++) {
            int is_digit = s[j] >= '0' && s[j] <= '9';
            if (shapes[i][j] == 'd' ? !is_digit : s[j] != shapes[i][j])
                break;
            if (is_digit)
                digits[d++] = s[j];
        }
        if (j == n)
            return sr_time_parse_stamp(digits, 14, ret);
    }
    return SR_E_CONFIG;
}
