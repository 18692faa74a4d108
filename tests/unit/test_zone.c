/* Dates and time zones: the calendar against timegm, zones against the C library's. */
#include "config.h"
#include "core/util/clock.h"
#include "core/util/date.h"
#include "core/util/zone.h"
#include "core/util/zone_rule.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY INT64_C(86400)

static int64_t at(const char *stamp)
{
    int64_t t = 0;
    CU_ASSERT_EQUAL_FATAL(sr_time_parse(stamp, &t), SR_OK);
    return t;
}

static void every_day_of_eight_centuries(void)
{
    unsigned wrong = 0;
    for (int64_t day = sr_date_day(1600, 1, 1); day < sr_date_day(2400, 1, 1); day++) {
        time_t t = (time_t)(day * DAY);
        struct tm tm;
        struct sr_date d = sr_date_of(day);
        gmtime_r(&t, &tm);
        wrong += d.year != tm.tm_year + 1900 || d.month != tm.tm_mon + 1 || d.day != tm.tm_mday ||
                 sr_date_weekday(day) != tm.tm_wday || sr_date_day(d.year, d.month, d.day) != day;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(sr_date_day(2026, 13, 1), sr_date_day(2027, 1, 1));
    CU_ASSERT_EQUAL(sr_date_day(2026, 0, 1), sr_date_day(2025, 12, 1));
    CU_ASSERT_EQUAL(sr_date_day(2026, -11, 1), sr_date_day(2025, 1, 1));
    CU_ASSERT(sr_floor_div(-1, 7) == -1 && sr_floor_div(-7, 7) == -1 && sr_floor_div(6, 7) == 0);
}

static struct sr_zone *load(const char *name)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_zone *z = NULL;
    ASSERT_OK(sr_zone_load(name, &z, &err), err);
    return z;
}

/* Every six hours and at odd seconds between, 1901 to 2120: transitions, and years that only the
 * rule at the end of the file knows. */
static void zones_are_as_the_c_library_has_them(void)
{
    static const char *const names[] = {
        "Europe/Berlin",     "America/New_York", "Asia/Kolkata",      "Australia/Lord_Howe",
        "America/Sao_Paulo", "Pacific/Apia",     "Africa/Casablanca", "Europe/Dublin",
        "America/Nuuk",      "Antarctica/Troll", "Asia/Tehran",       "Pacific/Chatham"};
    const int64_t from = at("1901-01-01"), to = at("2120-01-01");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        unsigned wrong = 0, days = 0;
        struct sr_zone *z = load(names[i]);
        CU_ASSERT_EQUAL_FATAL(setenv("TZ", names[i], 1), 0);
        tzset();
        for (int64_t t = from; t < to; t += 6 * 3600 - 7) {
            time_t tt = (time_t)t;
            struct tm tm;
            localtime_r(&tt, &tm);
            wrong += sr_zone_offset(z, t) != (int32_t)tm.tm_gmtoff;
            wrong += sr_date_of(sr_zone_day(z, t)).day != tm.tm_mday;
        }
        for (int64_t day = sr_date_day(1970, 1, 1); day < sr_date_day(2100, 1, 1); day++) {
            int64_t start = sr_zone_day_start(z, day);
            days += sr_zone_day(z, start) < day || sr_zone_day(z, start - 1) >= day;
        }
        if (wrong || days)
            (void)fprintf(stderr, "%s: %u offsets, %u days\n", names[i], wrong, days);
        CU_ASSERT(wrong == 0 && days == 0);
        sr_zone_free(z);
    }
    (void)unsetenv("TZ");
    tzset();
}

static void days_that_begin_oddly(void)
{
    struct sr_zone *berlin = load("Europe/Berlin"), *brazil = load("America/Sao_Paulo"),
                   *samoa = load("Pacific/Apia");
    CU_ASSERT_EQUAL(sr_zone_day_start(NULL, sr_date_day(2026, 3, 29)), at("2026-03-29"));
    CU_ASSERT_EQUAL(sr_zone_day_start(berlin, sr_date_day(2026, 3, 29)),
                    at("2026-03-28T23:00:00Z"));
    CU_ASSERT_EQUAL(sr_zone_day_start(berlin, sr_date_day(2026, 3, 30)),
                    at("2026-03-29T22:00:00Z"));
    /* Midnight itself is jumped over, and comes twice. */
    CU_ASSERT_EQUAL(sr_zone_day_start(brazil, sr_date_day(2018, 11, 4)),
                    at("2018-11-04T03:00:00Z"));
    CU_ASSERT_EQUAL(sr_zone_day_start(brazil, sr_date_day(2018, 2, 18)),
                    at("2018-02-18T03:00:00Z"));
    /* A date that never was. */
    CU_ASSERT_EQUAL(sr_zone_day_start(samoa, sr_date_day(2011, 12, 30)),
                    sr_zone_day_start(samoa, sr_date_day(2011, 12, 31)));
    sr_zone_free(berlin);
    sr_zone_free(brazil);
    sr_zone_free(samoa);
}

static void names_that_are_none(void)
{
    static const char *const bad[] = {"Europe/Berlinn", "../../etc/passwd", "/etc/localtime",
                                      "Europe/../UTC",  "Europe",           "CEST-2 x",
                                      "zone.tab",       "tzdata.zi"};
    struct sr_zone *z = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sr_error err = SR_ERROR_INIT;
        CU_ASSERT_EQUAL(sr_zone_load(bad[i], &z, &err), SR_E_CONFIG);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, bad[i]));
    }
    z = (struct sr_zone *)&z;
    CU_ASSERT_EQUAL(sr_zone_load("utc", &z, NULL), SR_OK);
    CU_ASSERT_PTR_NULL(z);
}

static void rules(void)
{
    static const char *const good[] = {"UTC0",
                                       "CET-1CEST,M3.5.0,M10.5.0/3",
                                       "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
                                       "IST-1GMT0,M10.5.0,M3.5.0/1",
                                       "XXX3EDT4,0/0,J365/23",
                                       "<-02>2<-01>,M3.5.0/-1,M10.5.0/0"};
    static const char *const bad[] = {"",
                                      "U",
                                      "UTC",
                                      "UTC25",
                                      "UTC0:60",
                                      "UTC0x",
                                      "CET-1CEST",
                                      "CET-1CEST,M3.5.0",
                                      "CET-1CEST,M13.5.0,M10.5.0",
                                      "CET-1CEST,M3.6.0,M10.5.0",
                                      "CET-1CEST,M3.5.7,M10.5.0",
                                      "CET-1CEST,J0,J10",
                                      "CET-1CEST,J366,J10",
                                      "CET-1CEST,366,J10",
                                      "CET-1CEST,M3.5.0/168,M10.5.0",
                                      "CET-1CEST,M3.5.0,M10.5.0 ",
                                      "<+01-1"};
    struct sr_zone_rule r;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        CU_ASSERT_EQUAL(sr_zone_rule_parse(good[i], strlen(good[i]), &r), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CU_ASSERT_EQUAL(sr_zone_rule_parse(bad[i], strlen(bad[i]), &r), -1);
    /* J60 is 1 March in leap years too, 59 (from 0) is 29 February then. */
    CU_ASSERT_EQUAL(sr_zone_rule_parse("AAA0BBB,J60/0,J300/0", 20, &r), 0);
    CU_ASSERT(sr_zone_rule_offset(&r, at("2028-02-29T12:00:00Z")) == 0 &&
              sr_zone_rule_offset(&r, at("2028-03-01")) == 3600);
    CU_ASSERT_EQUAL(sr_zone_rule_parse("AAA0BBB,59/0,300/0", 18, &r), 0);
    CU_ASSERT(sr_zone_rule_offset(&r, at("2028-02-29")) == 3600 &&
              sr_zone_rule_offset(&r, at("2027-02-28T23:00:00Z")) == 0);
}

static const struct unit_test tests[] = {
    {"every day of eight centuries", every_day_of_eight_centuries},
    {"zones are as the C library has them", zones_are_as_the_c_library_has_them},
    {"days that begin oddly", days_that_begin_oddly},
    {"names that are none", names_that_are_none},
    {"rules", rules},
    {NULL, NULL},
};

int main(void)
{
    return unit_main("zone", tests);
}
