/* Days, weeks, months and years by the calendar of a time zone, for the tiers of retention. Pure
 * functions.
 *
 * A week begins on Sunday, a month on its first, a year on 1 January, each at midnight there. The
 * set that a tier keeps is the first of its period: that of Sunday, of the first of the month, or,
 * where none was made then, the next one. So what is kept never changes when newer sets come. */
#ifndef SR_ENGINE_RETENTION_PERIOD_H
#define SR_ENGINE_RETENTION_PERIOD_H

#include "core/util/zone.h"

#include <stddef.h>
#include <stdint.h>

enum sr_tier {
    SR_TIER_DAILY,
    SR_TIER_WEEKLY,
    SR_TIER_MONTHLY,
    SR_TIER_YEARLY,
    SR_TIERS,
};

/* "daily"; a constant. */
const char *sr_tier_name(enum sr_tier t);
/* The period that the moment t (UTC seconds) is in, as a number that grows by one each period. */
int64_t sr_tier_period(enum sr_tier tier, const struct sr_zone *z, int64_t t);
/* Its first moment, UTC seconds. */
int64_t sr_tier_period_start(enum sr_tier tier, const struct sr_zone *z, int64_t period);

#define SR_TIER_TEXT 64 /* bytes with NUL */
/* "the first of 2026-11-20", "the first since Sunday 2026-11-15", "the first of 2026-11". */
void sr_tier_text(enum sr_tier tier, int64_t period, char out[SR_TIER_TEXT]);

#endif
