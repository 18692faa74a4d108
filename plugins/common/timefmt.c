#include "common/timefmt.h"

#include <stdio.h>
#include <string.h>

#define LAST INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

static const char day_names[7][10] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                      "Thursday", "Friday", "Saturday"};
static const char month_names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct moment {
    int year, month, day, hour, minute, second; /* month and day from 1 */
};

static int is_leap(int y)
{
    return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static int days_in(int year, int month)
{
    static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 1970-01-01 to the first of January. */
static int64_t days_before(int year)
{
    int64_t y = year - 1;
    return y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

static int to_seconds(const struct moment *m, int64_t *ret)
{
    if (m->year < 1970 || m->year > 9999 || m->month < 1 || m->month > 12 || m->day < 1 ||
        m->day > days_in(m->year, m->month) || m->hour < 0 || m->hour > 23 || m->minute < 0 ||
        m->minute > 59 || m->second < 0 || m->second > 59)
        return -1;
    int64_t days = days_before(m->year) + m->day - 1;
    for (int k = 1; k < m->month; k++)
        days += days_in(m->year, k);
    *ret = ((days * 24 + m->hour) * 60 + m->minute) * 60 + m->second;
    return 0;
}

static struct moment from_seconds(int64_t t, int *ret_weekday)
{
    struct moment m = {.year = 1970, .month = 1};
    t = t < 0 ? 0 : t > LAST ? LAST : t;
    int64_t days = t / 86400, rest = t % 86400;
    *ret_weekday = (int)((days + 4) % 7);
    m.year = 1970 + (int)(days / 366);
    while (days_before(m.year + 1) <= days)
        m.year++;
    days -= days_before(m.year);
    while (days >= days_in(m.year, m.month))
        days -= days_in(m.year, m.month++);
    m.day = (int)days + 1;
    m.hour = (int)(rest / 3600);
    m.minute = (int)(rest / 60 % 60);
    m.second = (int)(rest % 60);
    return m;
}

/* The bounds of from_seconds, said to the compiler, which else fears for the room. */
#define IN(v, n) ((unsigned)(v) % (n))

void sc_time_http(int64_t t, char out[SC_TIME_HTTP_SIZE])
{
    int weekday = 0;
    struct moment m = from_seconds(t, &weekday);
    (void)snprintf(out, SC_TIME_HTTP_SIZE, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT",
                   day_names[weekday], IN(m.day, 100), month_names[m.month - 1], IN(m.year, 10000),
                   IN(m.hour, 100), IN(m.minute, 100), IN(m.second, 100));
}

void sc_time_iso(int64_t t, char out[SC_TIME_ISO_SIZE])
{
    int weekday = 0;
    struct moment m = from_seconds(t, &weekday);
    (void)snprintf(out, SC_TIME_ISO_SIZE, "%04u-%02u-%02uT%02u:%02u:%02uZ", IN(m.year, 10000),
                   IN(m.month, 100), IN(m.day, 100), IN(m.hour, 100), IN(m.minute, 100),
                   IN(m.second, 100));
}

void sc_time_basic(int64_t t, char out[SC_TIME_BASIC_SIZE])
{
    int weekday = 0;
    struct moment m = from_seconds(t, &weekday);
    (void)snprintf(out, SC_TIME_BASIC_SIZE, "%04u%02u%02uT%02u%02u%02uZ", IN(m.year, 10000),
                   IN(m.month, 100), IN(m.day, 100), IN(m.hour, 100), IN(m.minute, 100),
                   IN(m.second, 100));
}

/* Reads s along a pattern: each of Y N D h m s is a digit of its field (N: the month), b a
 * month's name; the rest stands for itself.
 * Returns what is left of s, or NULL. */
static const char *match(const char *s, const char *pattern, struct moment *m)
{
    for (const char *p = pattern; *p; p++) {
        int *field = *p == 'Y'   ? &m->year
                     : *p == 'N' ? &m->month
                     : *p == 'D' ? &m->day
                     : *p == 'h' ? &m->hour
                     : *p == 'm' ? &m->minute
                     : *p == 's' ? &m->second
                                 : NULL;
        if (field) {
            if (*s < '0' || *s > '9')
                return NULL;
            *field = *field * 10 + (*s++ - '0');
        } else if (*p == 'b') {
            for (m->month = 1; m->month <= 12; m->month++)
                if (strncmp(s, month_names[m->month - 1], 3) == 0)
                    break;
            if (m->month > 12)
                return NULL;
            s += 3;
        } else if (*s++ != *p) {
            return NULL;
        }
    }
    return s;
}

/* The names of days carry nothing that the date does not: any of the right form will do. */
static const char *skip_day(const char *s, int whole)
{
    for (int k = 0; k < 7; k++) {
        size_t n = whole ? strlen(day_names[k]) : 3;
        if (strncmp(s, day_names[k], n) == 0)
            return s + n;
    }
    return NULL;
}

int sc_time_http_parse(const char *s, int64_t *ret)
{
    struct moment m = {0};
    const char *rest = NULL, *p = skip_day(s, 0);
    if (p && *p == ',') {
        rest = match(p, ", DD b YYYY hh:mm:ss GMT", &m);
    } else if (p && *p == ' ') {
        rest = p[1] && p[2] && p[3] && p[4] && p[5] == ' ' ? match(p, " b  D hh:mm:ss YYYY", &m)
                                                           : match(p, " b DD hh:mm:ss YYYY", &m);
    } else if ((p = skip_day(s, 1)) != NULL) {
        rest = match(p, ", DD-b-YY hh:mm:ss GMT", &m);
        m.year += m.year < 70 ? 2000 : 1900;
    }
    return rest && *rest == '\0' ? to_seconds(&m, ret) : -1;
}

int sc_time_iso_parse(const char *s, int64_t *ret)
{
    struct moment m = {0}, zone = {0};
    int64_t t = 0;
    const char *p = match(s, "YYYY-NN-DDThh:mm:ss", &m);
    if (!p || to_seconds(&m, &t) != 0)
        return -1;
    if (*p == '.') {
        size_t digits = strspn(p + 1, "0123456789");
        if (digits == 0)
            return -1;
        p += 1 + digits;
    }
    if (strcmp(p, "Z") == 0) {
        *ret = t;
        return 0;
    }
    int ahead = *p == '+';
    const char *rest = match(p, ahead ? "+hh:mm" : "-hh:mm", &zone);
    if (!rest || *rest != '\0' || zone.hour > 23 || zone.minute > 59)
        return -1;
    int64_t offset = (zone.hour * 60 + zone.minute) * 60;
    *ret = ahead ? t - offset : t + offset;
    return 0;
}
