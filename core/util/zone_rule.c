#include "config.h"
#include "core/util/zone_rule.h"
#include "core/util/date.h"

#include <ctype.h>
#include <string.h>

#define HOUR 3600
#define DAY 86400

struct text {
    const char *p, *end;
};

static int peek(const struct text *t)
{
    return t->p < t->end ? (unsigned char)*t->p : -1;
}

static int take(struct text *t, int c)
{
    if (peek(t) != c)
        return 0;
    t->p++;
    return 1;
}

/* At most three digits, within min and max; -1: none. */
static int number(struct text *t, int min, int max, int *ret)
{
    int n = 0, digits = 0;
    for (; digits < 3 && isdigit(peek(t)); digits++)
        n = n * 10 + (*t->p++ - '0');
    if (digits == 0 || isdigit(peek(t)) || n < min || n > max)
        return -1;
    *ret = n;
    return 0;
}

/* Three letters or more, or anything but a bracket between brackets. */
static int name(struct text *t)
{
    size_t n = 0;
    int quoted = take(t, '<');
    for (; quoted ? isalnum(peek(t)) || peek(t) == '+' || peek(t) == '-' : isalpha(peek(t)); n++)
        t->p++;
    return n >= 3 && (!quoted || take(t, '>')) ? 0 : -1;
}

/* [+-]h[hh][:mm[:ss]] in seconds. */
static int clock_time(struct text *t, int max_hours, int32_t *ret)
{
    int negative = take(t, '-'), h = 0, m = 0, s = 0;
    if (!negative)
        (void)take(t, '+');
    if (number(t, 0, max_hours, &h) != 0 || (take(t, ':') && number(t, 0, 59, &m) != 0) ||
        (peek(t) == ':' && take(t, ':') && number(t, 0, 59, &s) != 0))
        return -1;
    *ret = (int32_t)(h * HOUR + m * 60 + s) * (negative ? -1 : 1);
    return 0;
}

static int change(struct text *t, struct sr_zone_change *c)
{
    int rc;
    *c = (struct sr_zone_change){.kind = 'n', .seconds = 2 * HOUR};
    if (take(t, 'M')) {
        c->kind = 'M';
        rc = number(t, 1, 12, &c->month) == 0 && take(t, '.') && number(t, 1, 5, &c->week) == 0 &&
                     take(t, '.') && number(t, 0, 6, &c->day) == 0
                 ? 0
                 : -1;
    } else if (take(t, 'J')) {
        c->kind = 'J';
        rc = number(t, 1, 365, &c->day);
    } else {
        rc = number(t, 0, 365, &c->day);
    }
    /* TZif allows a week in either direction. */
    if (rc == 0 && take(t, '/'))
        rc = clock_time(t, 167, &c->seconds);
    return rc;
}

int sr_zone_rule_parse(const char *text, size_t len, struct sr_zone_rule *ret)
{
    struct text t = {text, text + len};
    struct sr_zone_rule r = {0};
    int32_t west = 0;
    if (name(&t) != 0 || clock_time(&t, 24, &west) != 0)
        return -1;
    r.standard = -west;
    if (t.p < t.end) {
        r.has_summer = 1;
        r.summer = r.standard + HOUR;
        if (name(&t) != 0)
            return -1;
        if (peek(&t) != ',') {
            if (clock_time(&t, 24, &west) != 0)
                return -1;
            r.summer = -west;
        }
        if (!take(&t, ',') || change(&t, &r.start) != 0 || !take(&t, ',') ||
            change(&t, &r.end) != 0 || t.p != t.end)
            return -1;
    }
    *ret = r;
    return 0;
}

/* Local seconds since 1970 at which the change happens, by the clock before it. */
static int64_t change_at(const struct sr_zone_change *c, int64_t year)
{
    int64_t day;
    if (c->kind == 'M') {
        int64_t first = sr_date_day(year, c->month, 1), next = sr_date_day(year, c->month + 1, 1);
        day = first + (c->day - sr_date_weekday(first) + 7) % 7 + (int64_t)(c->week - 1) * 7;
        if (day >= next)
            day -= 7;
    } else {
        int64_t january = sr_date_day(year, 1, 1);
        int leap = sr_date_day(year + 1, 1, 1) - january == 366;
        day = january + c->day;
        if (c->kind == 'J') /* 60 is 1 March in every year */
            day -= !(leap && c->day >= 60);
    }
    return day * DAY + c->seconds;
}

int32_t sr_zone_rule_offset(const struct sr_zone_rule *r, int64_t t)
{
    if (!r->has_summer)
        return r->standard;
    int64_t year = sr_date_of(sr_floor_div(t + r->standard, DAY)).year;
    int64_t start = change_at(&r->start, year) - r->standard;
    int64_t end = change_at(&r->end, year) - r->summer;
    int summer = start < end ? t >= start && t < end : t >= start || t < end;
    return summer ? r->summer : r->standard;
}
