/* The rule of a TZif footer, as POSIX writes it: "CET-1CEST,M3.5.0,M10.5.0/3". Pure functions.
 * Private to core/util/zone.c and its tests. */
#ifndef SR_UTIL_ZONE_RULE_H
#define SR_UTIL_ZONE_RULE_H

#include <stddef.h>
#include <stdint.h>

struct sr_zone_change {
    char kind; /* 'M': month, week, weekday; 'J': day 1 to 365, never a leap day; 'n': 0 to 365 */
    int month, week, day;
    int32_t seconds; /* after midnight, local time before the change */
};

struct sr_zone_rule {
    int32_t standard, summer; /* seconds east of UTC */
    int has_summer;
    struct sr_zone_change start, end;
};

/* 0, or -1 when text is no such rule. */
int sr_zone_rule_parse(const char *text, size_t len, struct sr_zone_rule *ret);
/* Seconds east of UTC at t. */
int32_t sr_zone_rule_offset(const struct sr_zone_rule *r, int64_t t);

#endif
