#include "config.h"
#include "core/util/date.h"

/* The calendar repeats every 400 years, which are so many days; years are counted from March, so
 * that the leap day is the last. The arithmetic is Howard Hinnant's "chrono-compatible low-level
 * date algorithms". */
#define ERA_DAYS 146097
#define EPOCH_DAYS 719468 /* 0000-03-01 to 1970-01-01 */

int64_t sr_floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t sr_date_day(int64_t year, int64_t month, int64_t day)
{
    year += sr_floor_div(month - 1, 12);
    month -= sr_floor_div(month - 1, 12) * 12;
    if (month <= 2)
        year--;
    int64_t era = sr_floor_div(year, 400), of_era = year - era * 400;
    int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH_DAYS;
}

struct sr_date sr_date_of(int64_t day)
{
    day += EPOCH_DAYS;
    int64_t era = sr_floor_div(day, ERA_DAYS), of_era = day - era * ERA_DAYS;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / (ERA_DAYS - 1)) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t march = (5 * of_year + 2) / 153; /* months since March */
    struct sr_date d = {.year = year + era * 400,
                        .month = (int)(march < 10 ? march + 3 : march - 9),
                        .day = (int)(of_year - (153 * march + 2) / 5 + 1)};
    d.year += d.month <= 2;
    return d;
}

int sr_date_weekday(int64_t day)
{
    return (int)(day + 4 - sr_floor_div(day + 4, 7) * 7);
}
