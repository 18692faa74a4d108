/* Years of simulated sets and what must stay of them, by the answers in tests/data/retention.cases,
 * which were worked out by another program (tests/lib/retention_cases.py). The same suite runs
 * against stores in tests/contract/retention.sh. */
#include "config.h"
#include "core/engine/retention_rules.h"
#include "tests/unit/unit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { SETS_MAX = 4096, LINE = 1024 };

struct world {
    char name[64];
    struct text {
        char set[96], source[64], label[96];
    } texts[SETS_MAX];
    struct sr_retention_input in[SETS_MAX];
    struct sr_retention_verdict v[SETS_MAX], want[SETS_MAX];
    size_t len;
    struct sr_strlist with;
    char title[128];
    int64_t at;
    unsigned asked, kept, dropped, wrong;
};

static struct world w;

static void judge(struct sr_retention_input *in, struct sr_retention_verdict *v)
{
    char *none[] = {NULL};
    struct sr_config *cfg = NULL;
    struct sr_retention_rules rules = {0};
    struct sr_error err = SR_ERROR_INIT;
    const struct sr_config_options o = {
        .config_file = "/dev/null", .env_file = "/dev/null", .flags = &w.with, .environ_ = none};
    /* All of it asks as of some day, on which nothing newer is there. */
    CU_ASSERT_EQUAL(sr_strlist_add(&w.with, "BACKUP_RETENTION_TRUST_CLOCK=on"), SR_OK);
    ASSERT_OK(sr_config_new(&o, &cfg, &err), err);
    ASSERT_OK(sr_retention_rules_read(cfg, NULL, &rules, &err), err);
    ASSERT_OK(sr_retention_judge(in, w.len, w.at, &rules.options, v, &err), err);
    sr_retention_rules_done(&rules);
    sr_config_free(cfg);
}

/* What the last question's lines said, against the verdicts. */
static void question_end(void)
{
    if (!*w.title)
        return;
    judge(w.in, w.v);
    for (size_t i = 0; i < w.len; i++) {
        const struct sr_retention_verdict *got = &w.v[i], *want = &w.want[i];
        int future = w.in[i].time > w.at;
        int same = future       ? got->keep && got->kept_until == SR_RETENTION_FOREVER
                   : want->keep ? got->keep && got->kept_until == want->kept_until &&
                                      strcmp(got->reason, want->reason) == 0
                                : !got->keep && strncmp(got->reason, "dropped: ", 9) == 0;
        w.kept += got->keep != 0;
        w.dropped += !got->keep;
        if (!same && w.wrong++ < 10)
            (void)fprintf(stderr, "%s, %s: %s\n  got    %" PRId64 " %s\n  wanted %" PRId64 " %s\n",
                          w.name, w.title, w.texts[i].set, got->kept_until, got->reason,
                          want->kept_until, want->keep ? want->reason : "dropped");
    }
    w.asked++;
    *w.title = '\0';
    sr_strlist_done(&w.with);
    memset(w.want, 0, sizeof w.want);
}

static void set_line(const char *line)
{
    struct text *t = &w.texts[w.len];
    struct sr_retention_input *in = &w.in[w.len];
    struct sr_strlist proofs = {0};
    struct sr_standing standing;
    char held[8];
    int used = 0;
    CU_ASSERT_FATAL(w.len < SETS_MAX);
    *in = (struct sr_retention_input){
        .set = t->set, .source = t->source, .label = t->label, .has_manifest = 1};
    CU_ASSERT_EQUAL_FATAL(sscanf(line, "set %95s %63s %95s %" SCNd64 " %" SCNu64 " %7s%n", t->set,
                                 t->source, t->label, &in->time, &in->size, held, &used),
                          6);
    in->held = strcmp(held, "held") == 0;
    CU_ASSERT_EQUAL(sr_strlist_split(&proofs, line + used, ' '), SR_OK);
    sr_standing_of(&proofs, w.at, &standing);
    in->rung = standing.rung;
    in->good = standing.failed == SR_RUNG_NONE;
    in->fault = standing.failed >= SR_RUNG_RESTORED ? "has failed its restore test" : NULL;
    sr_strlist_done(&proofs);
    w.len++;
}

static void keep_line(const char *line)
{
    char set[96];
    int64_t until = 0;
    int used = 0;
    CU_ASSERT_EQUAL_FATAL(sscanf(line, "keep %95s %" SCNd64 " %n", set, &until, &used), 2);
    for (size_t i = 0; i < w.len; i++)
        if (strcmp(w.texts[i].set, set) == 0) {
            w.want[i].keep = 1;
            w.want[i].kept_until = until;
            (void)snprintf(w.want[i].reason, sizeof w.want[i].reason, "%s", line + used);
            return;
        }
    CU_FAIL("keep names no set of the world");
}

static void read_line(const char *line)
{
    if (strncmp(line, "world ", 6) == 0) {
        question_end();
        (void)snprintf(w.name, sizeof w.name, "%.60s", line + 6);
        w.len = 0;
    } else if (strncmp(line, "set ", 4) == 0) {
        set_line(line);
    } else if (strncmp(line, "ask ", 4) == 0) {
        question_end();
        (void)snprintf(w.title, sizeof w.title, "%.120s", line + 4);
    } else if (strncmp(line, "at ", 3) == 0) {
        w.at = strtoll(line + 3, NULL, 10);
    } else if (strncmp(line, "with ", 5) == 0) {
        CU_ASSERT_EQUAL(sr_strlist_addf(&w.with, "BACKUP_RETENTION_%s", line + 5), SR_OK);
    } else if (strncmp(line, "keep ", 5) == 0) {
        keep_line(line);
    } else {
        CU_ASSERT_EQUAL(*line, '#');
    }
}

static void the_suite(void)
{
    char path[512], line[LINE];
    const char *top = getenv("SR_SRCDIR");
    (void)snprintf(path, sizeof path, "%s/tests/data/retention.cases", top ? top : ".");
    FILE *f = fopen(path, "re");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        read_line(line);
    }
    (void)fclose(f);
    question_end();
    CU_ASSERT(w.asked >= 28 && w.kept > 1000 && w.dropped > 10000);
    CU_ASSERT_EQUAL(w.wrong, 0);
}

/* Night after night, each judged by what the nights before have left: at every moment all that the
 * tiers promise is there, and no more. The world is the last one that was read. */
static void deleting_as_time_goes_by_loses_nothing(void)
{
    enum { NIGHTS = 5 * 366 };
    static char names[NIGHTS][32];
    static struct sr_retention_input all[NIGHTS], left[NIGHTS];
    static struct sr_retention_verdict v[NIGHTS];
    struct sr_zone *zone = NULL;
    struct sr_error err = SR_ERROR_INIT;
    ASSERT_OK(sr_zone_load("Europe/Berlin", &zone, &err), err);
    struct sr_retention_options o = {
        .days = 3, .min_keep = 2, .tiers = {10, 6, 12, 4}, .zone = zone};
    size_t n = 0, most = 0;
    unsigned differ = 0;
    for (size_t night = 0; night < NIGHTS; night++) {
        int64_t now = INT64_C(1703469600) + (int64_t)night * 86400;
        (void)snprintf(names[night], sizeof names[night], "n%zu", night);
        all[night] = left[n++] = (struct sr_retention_input){.set = names[night],
                                                             .source = "app",
                                                             .label = "nightly",
                                                             .time = now,
                                                             .has_manifest = 1,
                                                             .good = 1};
        ASSERT_OK(sr_retention_judge(left, n, now + 60, &o, v, &err), err);
        size_t kept = 0;
        for (size_t i = 0; i < n; i++)
            if (v[i].keep)
                left[kept++] = left[i];
        n = kept;
        most = n > most ? n : most;
        if (night % 97 != 0)
            continue;
        /* Who had never deleted anything would keep the very same now. */
        ASSERT_OK(sr_retention_judge(all, night + 1, now + 60, &o, v, &err), err);
        kept = 0;
        for (size_t i = 0; i <= night; i++)
            if (v[i].keep)
                differ += kept >= n || strcmp(left[kept++].set, all[i].set) != 0;
        differ += kept != n;
    }
    CU_ASSERT_EQUAL(differ, 0);
    CU_ASSERT(most > 20 && most <= 10 + 6 + 12 + 4 + 3);
    sr_zone_free(zone);
}

static void rules_that_do_nothing_are_told(void)
{
    static const struct {
        struct sr_retention_options o;
        const char *told;
    } cases[] = {
        {{.days = 7, .min_keep = 1}, ""},
        {{.days = 7, .min_keep = 1, .tiers = {30, 13, 12, 5}, .last = 10}, ""},
        {{.days = 0, .min_keep = 1, .last = 3},
         "LAST=3 does nothing: DAYS=0 keeps everything for ever"},
        {{.days = 0, .min_keep = 1, .tiers = {0, 2, 0, 0}},
         "WEEKLY=2 does nothing: DAYS=0 keeps everything for ever"},
        {{.days = 30, .min_keep = 1, .tiers = {7, 0, 0, 0}},
         "DAILY=7 does nothing: DAYS=30 keeps all of that anyway"},
        {{.days = 7, .min_keep = 1, .tiers = {30, 4, 0, 0}},
         "WEEKLY=4 does nothing: DAILY=30 keeps a set for longer"},
        {{.days = 7, .min_keep = 5, .last = 5},
         "LAST=5 does nothing: MIN_KEEP=5 keeps these anyway"},
        {{.days = 30, .min_keep = 1, .critical_days = 30},
         "CRITICAL_DAYS=30 does nothing: DAYS=30 keeps every set as long"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sr_strlist told = {0};
        CU_ASSERT_EQUAL(sr_retention_rules_conflicts(&cases[i].o, &told), SR_OK);
        CU_ASSERT_EQUAL(told.len, *cases[i].told ? 1 : 0);
        if (told.len == 1)
            CU_ASSERT_STRING_EQUAL(told.items[0], cases[i].told);
        sr_strlist_done(&told);
    }
}

static void what_a_lock_keeps_all_the_same_is_told(void)
{
    static const struct {
        struct sr_retention_options o;
        int64_t days;
        const char *told;
    } cases[] = {
        {{.days = 7, .size = 5}, 0, ""},
        {{.days = 7}, 7, ""},
        {{.days = 0}, 3650, ""},
        {{.days = 7, .tiers = {30, 0, 0, 0}},
         8,
         "LOCK_DAYS=8 keeps for longer than DAYS=7: what is dropped in between stays, and is paid "
         "for, until it is 8 days old"},
        {{.days = 7, .size = 5},
         2,
         "SIZE cannot be kept by deleting what is younger than LOCK_DAYS=2: the store lets nothing "
         "go before"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sr_strlist told = {0};
        CU_ASSERT_EQUAL(sr_retention_rules_locked(&cases[i].o, cases[i].days, &told), SR_OK);
        CU_ASSERT_EQUAL(told.len, *cases[i].told ? 1 : 0);
        if (told.len == 1)
            CU_ASSERT_STRING_EQUAL(told.items[0], cases[i].told);
        sr_strlist_done(&told);
    }
}

static const struct unit_test tests[] = {
    {"the suite", the_suite},
    {"deleting as time goes by loses nothing", deleting_as_time_goes_by_loses_nothing},
    {"rules that do nothing are told", rules_that_do_nothing_are_told},
    {"what a lock keeps all the same is told", what_a_lock_keeps_all_the_same_is_told},
    {NULL, NULL},
};

int main(void)
{
    return unit_main("retention suite", tests);
}
