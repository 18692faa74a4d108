#include "config.h"
#include "core/engine/retention_policy.h"
#include "core/util/clock.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#define DAY INT64_C(86400)

static int64_t at(const char *stamp)
{
    int64_t t = 0;
    CU_ASSERT_EQUAL_FATAL(sr_time_parse(stamp, &t), SR_OK);
    return t;
}

static struct sr_retention_input good(const char *source, const char *label, int64_t time)
{
    return (struct sr_retention_input){
        .set = label, .source = source, .label = label, .time = time, .has_manifest = 1, .good = 1};
}

static void judge(const struct sr_retention_input *in, size_t n, int64_t now,
                  const struct sr_retention_options *o, struct sr_retention_verdict *v)
{
    struct sr_error err = SR_ERROR_INIT;
    ASSERT_OK(sr_retention_judge(in, n, now, o, v, &err), err);
}

static void is_verdict(const struct sr_retention_verdict *v, int keep, int64_t until,
                       const char *reason)
{
    CU_ASSERT_EQUAL(v->keep, keep);
    CU_ASSERT_EQUAL(v->kept_until, until);
    if (strcmp(v->reason, reason) != 0)
        (void)fprintf(stderr, "got \"%s\"\nnot \"%s\"\n", v->reason, reason);
    CU_ASSERT_STRING_EQUAL(v->reason, reason);
}

static void age_decides_to_the_second(void)
{
    int64_t now = at("2026-11-20T02:00:30Z");
    struct sr_retention_options o = {.days = 7, .min_keep = 1};
    struct sr_retention_input in[] = {
        good("app", "a", now),           good("app", "b", now - 7 * DAY + 1),
        good("app", "c", now - 7 * DAY), good("app", "d", now - 7 * DAY - 1),
        good("app", "e", now - 9 * DAY),
    };
    struct sr_retention_verdict v[5];
    judge(in, 5, now, &o, v);
    is_verdict(&v[0], 1, now + 7 * DAY, "kept: 0 of 7 days old");
    is_verdict(&v[1], 1, now + 1, "kept: 6 of 7 days old");
    is_verdict(&v[2], 1, now, "kept: 7 of 7 days old");
    is_verdict(&v[3], 0, now - 1, "dropped: 7 days old, older than 7 days");
    is_verdict(&v[4], 0, now - 2 * DAY, "dropped: 9 days old, older than 7 days");
}

static void nothing_is_fine(void)
{
    struct sr_retention_options o = {.days = 7, .min_keep = 1};
    struct sr_error err = SR_ERROR_INIT;
    ASSERT_OK(sr_retention_judge(NULL, 0, 0, &o, NULL, &err), err);
}

static void zero_days_keep_for_ever(void)
{
    int64_t now = at("2026-11-20");
    struct sr_strlist critical = {0};
    CU_ASSERT_EQUAL(sr_strlist_add(&critical, "crit*"), SR_OK);
    struct sr_retention_options o = {
        .days = 0, .min_keep = 1, .critical = &critical, .critical_days = 3};
    struct sr_retention_input in[] = {good("app", "a", 1), good("app", "crit", 2),
                                      good("app", "b", now)};
    struct sr_retention_verdict v[3];
    judge(in, 3, now, &o, v);
    for (int i = 0; i < 3; i++)
        is_verdict(&v[i], 1, SR_RETENTION_FOREVER, "kept: everything is kept (0 days)");
    sr_strlist_done(&critical);
}

static void the_newest_good_set_stays(void)
{
    int64_t now = at("2026-11-20");
    struct sr_retention_options o = {.days = 7, .min_keep = 1};
    struct sr_retention_input in[] = {good("app", "old", now - 400 * DAY),
                                      good("app", "older", now - 500 * DAY),
                                      good("shop", "old", now - 300 * DAY)};
    struct sr_retention_verdict v[3];
    judge(in, 3, now, &o, v);
    is_verdict(&v[0], 1, SR_RETENTION_NEWER, "kept: newest good set of app");
    CU_ASSERT_EQUAL(v[1].keep, 0);
    is_verdict(&v[2], 1, SR_RETENTION_NEWER, "kept: newest good set of shop");
}

static void a_minimum_of_good_sets_stays(void)
{
    int64_t now = at("2026-11-20");
    struct sr_retention_options o = {.days = 7, .min_keep = 3};
    struct sr_retention_input in[6];
    struct sr_retention_verdict v[6];
    static const char *const names[] = {"1", "2", "3", "4", "5", "6"};
    for (int i = 0; i < 6; i++)
        in[i] = good("app", names[i], now - (20 + i) * DAY);
    in[1].good = 0;
    judge(in, 6, now, &o, v);
    is_verdict(&v[0], 1, SR_RETENTION_NEWER, "kept: newest good set of app");
    CU_ASSERT_EQUAL(v[1].keep, 0);
    is_verdict(&v[2], 1, SR_RETENTION_NEWER, "kept: one of the 3 newest good sets of app");
    is_verdict(&v[3], 1, SR_RETENTION_NEWER, "kept: one of the 3 newest good sets of app");
    CU_ASSERT(!v[4].keep && !v[5].keep);
    o.min_keep = 0; /* counts as 1 */
    judge(in, 6, now, &o, v);
    CU_ASSERT(v[0].keep && !v[2].keep);
    o.min_keep = 100;
    judge(in, 6, now, &o, v);
    CU_ASSERT(v[0].keep && !v[1].keep && v[5].keep);
}

static void critical_labels_live_longer(void)
{
    int64_t now = at("2026-11-20");
    struct sr_strlist critical = {0};
    CU_ASSERT_EQUAL(sr_strlist_split(&critical, "pre-migration*,pre_release?", ','), SR_OK);
    struct sr_retention_options o = {
        .days = 7, .min_keep = 1, .critical = &critical, .critical_days = SR_RETENTION_FOREVER};
    struct sr_retention_input in[] = {
        good("app", "a", now - DAY), good("app", "pre-migration-12", now - 3000 * DAY),
        good("app", "pre_release1", now - 40 * DAY), good("app", "pre_release12", now - 40 * DAY),
        good("app", "xpre-migration", now - 40 * DAY)};
    struct sr_retention_verdict v[5];
    judge(in, 5, now, &o, v);
    is_verdict(&v[1], 1, SR_RETENTION_FOREVER, "kept: label matches pre-migration*");
    is_verdict(&v[2], 1, SR_RETENTION_FOREVER, "kept: label matches pre_release?");
    CU_ASSERT(!v[3].keep && !v[4].keep);
    o.critical_days = 40;
    judge(in, 5, now, &o, v);
    is_verdict(&v[1], 0, now - 2960 * DAY,
               "dropped: 3000 days old, older than 40 days, label matches pre-migration*");
    is_verdict(&v[2], 1, now, "kept: 40 of 40 days old, label matches pre_release?");
    /* The longer of both: a critical label never shortens a life. */
    o.critical_days = 3;
    in[2].time = now - 5 * DAY;
    judge(in, 5, now, &o, v);
    is_verdict(&v[2], 1, now + 2 * DAY, "kept: 5 of 7 days old");
    o.critical_days = 0;
    judge(in, 5, now, &o, v);
    CU_ASSERT(v[1].keep);
    sr_strlist_done(&critical);
}

static void held_undated_and_future_sets_stay(void)
{
    int64_t now = at("2026-11-20");
    struct sr_retention_options o = {.days = 7, .min_keep = 1};
    struct sr_retention_input in[] = {
        good("app", "now", now),           good("app", "held", now - 90 * DAY),
        good("app", "undated", 0),         good("app", "undated2", -1),
        good("app", "future", now + 1),    good("app", "no manifest", now - 90 * DAY),
        good("app", "old", now - 90 * DAY)};
    in[1].held = 1;
    in[5].has_manifest = 0;
    struct sr_retention_verdict v[7];
    judge(in, 7, now, &o, v);
    is_verdict(&v[1], 1, SR_RETENTION_FOREVER, "kept: hold");
    is_verdict(&v[2], 1, SR_RETENTION_FOREVER, "kept: its time is unknown");
    is_verdict(&v[3], 1, SR_RETENTION_FOREVER, "kept: its time is unknown");
    is_verdict(&v[4], 1, SR_RETENTION_FOREVER, "kept: its time is in the future (clock?)");
    is_verdict(&v[5], 1, SR_RETENTION_FOREVER, "kept: no manifest, so it is no backup");
    CU_ASSERT_EQUAL(v[6].keep, 0);
}

/* A run of the year 2030, by a clock that was wrong, must not make today's sets superfluous. */
static void future_sets_are_not_the_newest(void)
{
    int64_t now = at("2026-11-20");
    struct sr_retention_options o = {.days = 7, .min_keep = 2};
    struct sr_retention_input in[] = {
        good("app", "f", now + 1000 * DAY), good("app", "a", now - 10 * DAY),
        good("app", "b", now - 11 * DAY), good("app", "c", now - 12 * DAY)};
    struct sr_retention_verdict v[4];
    judge(in, 4, now, &o, v);
    CU_ASSERT(v[0].keep && v[1].keep && v[2].keep && !v[3].keep);
    is_verdict(&v[1], 1, SR_RETENTION_NEWER, "kept: newest good set of app");
    /* Clock set back before everything: all of it is future. */
    judge(in, 4, now - 100 * DAY, &o, v);
    for (int i = 0; i < 4; i++)
        is_verdict(&v[i], 1, SR_RETENTION_FOREVER, "kept: its time is in the future (clock?)");
    /* A damaged one of the future says nothing about today. */
    in[0].good = 0;
    judge(in, 4, now, &o, v);
    CU_ASSERT(v[0].keep && !v[3].keep);
}

static void nothing_goes_behind_a_damaged_newest_set(void)
{
    int64_t now = at("2026-11-20");
    struct sr_retention_options o = {.days = 7, .min_keep = 1};
    struct sr_retention_input in[] = {good("app", "new", now), good("app", "mid", now - 20 * DAY),
                                      good("app", "old", now - 30 * DAY), good("shop", "new", now),
                                      good("shop", "old", now - 30 * DAY)};
    struct sr_retention_verdict v[5];
    in[0].good = 0;
    judge(in, 5, now, &o, v);
    CU_ASSERT_EQUAL(v[0].keep, 1);
    is_verdict(&v[1], 1, SR_RETENTION_NEWER, "kept: newest good set of app");
    is_verdict(&v[2], 1, SR_RETENTION_NEWER, "kept: the newest set of app is damaged");
    CU_ASSERT_EQUAL(v[4].keep, 0);
    in[0].good = 1;
    in[0].has_manifest = 0;
    judge(in, 5, now, &o, v);
    is_verdict(&v[2], 1, SR_RETENTION_NEWER, "kept: the newest set of app has no manifest");
    /* No good one at all, though the newest is only undated: nothing to fall back to. */
    in[0] = in[1] = in[2];
    in[0].time = 0;
    in[1].good = in[2].good = 0;
    in[1].time--;
    judge(in, 3, now, &o, v);
    CU_ASSERT(v[0].keep && v[1].keep && v[2].keep);
}

static void same_second_is_judged_the_same_way(void)
{
    int64_t now = at("2026-11-20");
    struct sr_retention_options o = {.days = 7, .min_keep = 1};
    struct sr_retention_input in[] = {good("app", "a", now - 30 * DAY),
                                      good("app", "b", now - 30 * DAY)};
    struct sr_retention_input turned[] = {in[1], in[0]};
    struct sr_retention_verdict v[2], w[2];
    judge(in, 2, now, &o, v);
    judge(turned, 2, now, &o, w);
    CU_ASSERT(!v[0].keep && v[1].keep && w[0].keep && !w[1].keep);
}

static void extreme_numbers_do_not_overflow(void)
{
    struct sr_retention_options o = {.days = INT64_MAX, .min_keep = SIZE_MAX};
    struct sr_retention_input in[] = {good("app", "a", INT64_MAX - 1), good("app", "b", 1),
                                      good("app", "c", INT64_MIN)};
    struct sr_retention_verdict v[3];
    judge(in, 3, INT64_MAX, &o, v);
    CU_ASSERT(v[0].keep && v[1].keep && v[2].keep);
    CU_ASSERT_EQUAL(v[1].kept_until, INT64_MAX);
    judge(in, 3, INT64_MIN, &o, v);
    CU_ASSERT(v[0].keep && v[1].keep && v[2].keep);
}

/* Years of nightly runs with failures, leap days and a purge after each good one: what the store
 * holds is bounded by the days, and a good set is there at every moment. */
static void years_of_nights(void)
{
    enum { NIGHTS = 5 * 366, MOST = 64 };
    struct sr_retention_options o = {.days = 7, .min_keep = 2};
    struct sr_retention_input held[MOST];
    struct sr_retention_verdict v[MOST];
    static char names[NIGHTS][16];
    size_t n = 0, most = 0;
    unsigned damaged = 0;
    int64_t now = at("2023-12-30T02:00:00Z");
    for (int night = 0; night < NIGHTS; night++, now += DAY) {
        if (night % 50 >= 30 && night % 50 < 45)
            continue; /* fifteen nights without a run: longer than the days */
        (void)snprintf(names[night], sizeof names[night], "n%d", night);
        CU_ASSERT_FATAL(n < MOST);
        held[n] = good("app", names[night], now);
        held[n].good = night % 11 != 10;
        int newest_good = held[n].good;
        damaged += !newest_good;
        n++;
        judge(held, n, now + 30, &o, v);
        size_t left = 0, good_left = 0;
        for (size_t i = 0; i < n; i++) {
            CU_ASSERT_EQUAL(strncmp(v[i].reason, v[i].keep ? "kept: " : "dropped: ", 6), 0);
            if (!newest_good)
                CU_ASSERT(v[i].keep);
            if (!v[i].keep)
                CU_ASSERT(now + 30 - held[i].time > 7 * DAY);
            if (v[i].keep) {
                held[left++] = held[i];
                good_left += held[i].good != 0;
            }
        }
        n = left;
        most = n > most ? n : most;
        CU_ASSERT_FATAL(good_left >= (night > 1 ? 2 : 1));
    }
    CU_ASSERT(damaged > 100);
    CU_ASSERT(most <= 10);
}

static void leap_days_are_days(void)
{
    struct sr_retention_options o = {.days = 1, .min_keep = 1};
    struct sr_retention_input in[] = {good("app", "a", at("2028-02-28T12:00:00Z")),
                                      good("app", "b", at("2028-02-29T12:00:00Z"))};
    struct sr_retention_verdict v[2];
    judge(in, 2, at("2028-02-29T12:00:00Z"), &o, v);
    CU_ASSERT(v[0].keep);
    judge(in, 2, at("2028-03-01T12:00:00Z"), &o, v);
    CU_ASSERT(!v[0].keep && v[1].keep);
    is_verdict(&v[1], 1, at("2028-03-01T12:00:00Z"), "kept: 1 of 1 days old");
}

/* Nights of a source up to a day; the newest first. */
static size_t nights(struct sr_retention_input *in, size_t n, int64_t last, int64_t apart)
{
    static char names[64][24];
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(names[i], sizeof names[i], "n%02zu", i);
        in[i] = good("app", names[i], last - (int64_t)i * apart);
    }
    return n;
}

static size_t kept(const struct sr_retention_verdict *v, size_t n)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        k += v[i].keep != 0;
    return k;
}

static void a_clock_that_jumped_ahead_drops_nothing(void)
{
    int64_t now = at("2026-11-20T02:00:30Z");
    struct sr_retention_options o = {.days = 7, .min_keep = 1, .hold_gaps = 1};
    struct sr_retention_input in[32];
    struct sr_retention_verdict v[32];
    size_t n = nights(in, 20, now, DAY);
    judge(in, n, now, &o, v);
    CU_ASSERT_EQUAL(kept(v, n), 8); /* while it is right: as ever */
    CU_ASSERT_EQUAL(v[19].held_back, 0);
    /* Five years ahead: the newest itself is past its time. */
    judge(in, n, now + 5 * 365 * DAY, &o, v);
    CU_ASSERT_EQUAL(kept(v, n), n);
    is_verdict(&v[19], 1, SR_RETENTION_NEWER,
               "kept: nothing new of app for 1825 days, far longer than usual: backups stopped, or "
               "the clock is wrong");
    CU_ASSERT(v[19].held_back && !v[0].held_back);
    o.hold_gaps = 0;
    judge(in, n, now + 5 * 365 * DAY, &o, v);
    CU_ASSERT_EQUAL(kept(v, n), 1);
    o.hold_gaps = 1;
    /* A day more than the days will do; less is not known from a pause. */
    judge(in, n, now + 8 * DAY, &o, v);
    CU_ASSERT_EQUAL(kept(v, n), n);
    judge(in, n, now + 6 * DAY, &o, v);
    CU_ASSERT_EQUAL(kept(v, n), 2);
    /* Each source by itself. */
    in[19] = good("shop", "s", now - DAY);
    judge(in, n, now + 8 * DAY, &o, v);
    is_verdict(&v[19], 1, SR_RETENTION_NEWER, "kept: newest good set of shop");
    CU_ASSERT_EQUAL(kept(v, n), n);
}

/* What it stamps itself looks fresh: that is no witness, for as many days as sets stay. */
static void backups_of_the_wrong_time_let_nothing_go(void)
{
    int64_t now = at("2026-11-20T02:00:30Z"), ahead = now + 1000 * DAY;
    struct sr_retention_options o = {.days = 7, .min_keep = 2, .hold_gaps = 1};
    struct sr_retention_input in[64];
    struct sr_retention_verdict v[64];
    size_t n = nights(in, 20, now, DAY);
    for (int64_t night = 0; night <= 7; night++) {
        in[n++] = good("app", "ahead", ahead + night * DAY);
        judge(in, n, ahead + night * DAY + 60, &o, v);
        if (night < 7) {
            CU_ASSERT_EQUAL(kept(v, n), n);
            is_verdict(&v[19], 1, SR_RETENTION_NEWER,
                       "kept: from before a gap of 1000 days, until what came since is older than "
                       "7 days: backups failed, or the clock is wrong");
        }
    }
    CU_ASSERT_EQUAL(kept(v, n), 7); /* somebody had seven days to look */
    /* A fresh one that is damaged: nothing goes, as before, and for that reason. */
    in[n - 1].good = 0;
    judge(in, n, ahead + 7 * DAY + 60, &o, v);
    is_verdict(&v[19], 1, SR_RETENTION_NEWER, "kept: the newest set of app is damaged");
}

static void usual_pauses_are_no_gaps(void)
{
    int64_t now = at("2026-11-20T02:00:30Z");
    struct sr_retention_options o = {.days = 1, .min_keep = 1, .hold_gaps = 1};
    struct sr_retention_input in[32];
    struct sr_retention_verdict v[32];
    /* Every week, kept for a day. */
    size_t n = nights(in, 10, now, 7 * DAY);
    judge(in, n, now, &o, v);
    CU_ASSERT_EQUAL(kept(v, n), 1);
    judge(in, n, now + 28 * DAY, &o, v);
    CU_ASSERT_EQUAL(kept(v, n), 1);
    judge(in, n, now + 30 * DAY, &o, v);
    CU_ASSERT_EQUAL(kept(v, n), n);
    /* Several of one night are no rhythm, nor are three. */
    n = nights(in, 10, now, 60);
    judge(in, n, now + 30 * DAY, &o, v);
    CU_ASSERT_EQUAL(kept(v, n), 1);
    n = nights(in, 3, now, DAY);
    judge(in, n, now + 30 * DAY, &o, v);
    CU_ASSERT_EQUAL(kept(v, n), 1);
    /* By age nothing goes at all, and a budget asks no clock. */
    o = (struct sr_retention_options){.days = 0, .min_keep = 1, .hold_gaps = 1, .size = 25};
    n = nights(in, 10, now, DAY);
    for (size_t i = 0; i < n; i++)
        in[i].size = 10;
    judge(in, n, now + 3000 * DAY, &o, v);
    CU_ASSERT_EQUAL(kept(v, n), 2);
    o.days = INT64_MAX;
    o.size = 0;
    judge(in, n, now + 3000 * DAY, &o, v);
    CU_ASSERT_EQUAL(kept(v, n), n);
}

static void it_is_told_what_others_go_for(void)
{
    int64_t now = at("2026-11-20");
    struct sr_retention_options o = {.days = 2, .min_keep = 2, .last = 3, .tiers = {0, 0, 2, 0}};
    struct sr_retention_input in[32];
    struct sr_retention_verdict v[32];
    size_t n = nights(in, 20, now, DAY);
    in[7].rung = SR_RUNG_OPENED;
    judge(in, n, now, &o, v);
    for (size_t i = 0; i < n; i++) /* the last three, the proven one, the first of November */
        CU_ASSERT_EQUAL(v[i].relied, i < 3 || i == 7 || i == 19);
    in[1].good = 0;
    judge(in, n, now, &o, v);
    CU_ASSERT(!v[1].relied && v[3].relied);
}

static const struct unit_test tests[] = {
    {"age decides to the second", age_decides_to_the_second},
    {"nothing is fine", nothing_is_fine},
    {"zero days keep for ever", zero_days_keep_for_ever},
    {"the newest good set stays", the_newest_good_set_stays},
    {"a minimum of good sets stays", a_minimum_of_good_sets_stays},
    {"critical labels live longer", critical_labels_live_longer},
    {"held, undated and future sets stay", held_undated_and_future_sets_stay},
    {"future sets are not the newest", future_sets_are_not_the_newest},
    {"nothing goes behind a damaged newest set", nothing_goes_behind_a_damaged_newest_set},
    {"same second is judged the same way", same_second_is_judged_the_same_way},
    {"extreme numbers do not overflow", extreme_numbers_do_not_overflow},
    {"years of nights", years_of_nights},
    {"leap days are days", leap_days_are_days},
    {"a clock that jumped ahead drops nothing", a_clock_that_jumped_ahead_drops_nothing},
    {"backups of the wrong time let nothing go", backups_of_the_wrong_time_let_nothing_go},
    {"usual pauses are no gaps", usual_pauses_are_no_gaps},
    {"it is told what others go for", it_is_told_what_others_go_for},
    {NULL, NULL},
};

int main(void)
{
    return unit_main("retention", tests);
}
