/* Calendar days of the proleptic Gregorian calendar, as numbers. Pure functions; any thread.
 *
 * A day is counted from 1970-01-01, which is 0 and a Thursday. Years 1 to 9999 are meant; farther
 * days are computed alike, without overflow for |day| below 2^40. */
#ifndef SR_UTIL_DATE_H
#define SR_UTIL_DATE_H

#include <stdint.h>

struct sr_date {
    int64_t year;
    int month; /* 1 to 12 */
    int day;   /* 1 to 31 */
};

/* month may be any number: 13 is January of the next year. */
int64_t sr_date_day(int64_t year, int64_t month, int64_t day);
struct sr_date sr_date_of(int64_t day);
/* 0: Sunday. */
int sr_date_weekday(int64_t day);
/* a / b and its rest, rounded down also below zero; b above 0. */
int64_t sr_floor_div(int64_t a, int64_t b);

#endif
