#include "config.h"
#include "core/engine/retention_period.h"
#include "core/util/date.h"

#include <stdio.h>

#define SUNDAY 4 /* 1970-01-01 less so many days was one */

const char *sr_tier_name(enum sr_tier t)
{
    static const char *const names[SR_TIERS] = {"daily", "weekly", "monthly", "yearly"};
    return names[t];
}

static int64_t period_of_day(enum sr_tier tier, int64_t day)
{
    struct sr_date d;
    switch (tier) {
    case SR_TIER_WEEKLY:
        return sr_floor_div(day + SUNDAY, 7);
    case SR_TIER_MONTHLY:
        d = sr_date_of(day);
        return d.year * 12 + d.month - 1;
    case SR_TIER_YEARLY:
        return sr_date_of(day).year;
    case SR_TIER_DAILY:
    case SR_TIERS:
        break;
    }
    return day;
}

static int64_t first_day(enum sr_tier tier, int64_t period)
{
    switch (tier) {
    case SR_TIER_WEEKLY:
        return period * 7 - SUNDAY;
    case SR_TIER_MONTHLY:
        return sr_date_day(0, period + 1, 1);
    case SR_TIER_YEARLY:
        return sr_date_day(period, 1, 1);
    case SR_TIER_DAILY:
    case SR_TIERS:
        break;
    }
    return period;
}

int64_t sr_tier_period(enum sr_tier tier, const struct sr_zone *z, int64_t t)
{
    return period_of_day(tier, sr_zone_day(z, t));
}

int64_t sr_tier_period_start(enum sr_tier tier, const struct sr_zone *z, int64_t period)
{
    return sr_zone_day_start(z, first_day(tier, period));
}

void sr_tier_text(enum sr_tier tier, int64_t period, char out[SR_TIER_TEXT])
{
    struct sr_date d = sr_date_of(first_day(tier, period));
    long long year = d.year;
    switch (tier) {
    case SR_TIER_WEEKLY:
        (void)snprintf(out, SR_TIER_TEXT, "the first since Sunday %04lld-%02d-%02d", year, d.month,
                       d.day);
        return;
    case SR_TIER_MONTHLY:
        (void)snprintf(out, SR_TIER_TEXT, "the first of %04lld-%02d", year, d.month);
        return;
    case SR_TIER_YEARLY:
        (void)snprintf(out, SR_TIER_TEXT, "the first of %04lld", year);
        return;
    case SR_TIER_DAILY:
    case SR_TIERS:
        break;
    }
    (void)snprintf(out, SR_TIER_TEXT, "the first of %04lld-%02d-%02d", year, d.month, d.day);
}
