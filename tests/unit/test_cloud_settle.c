/* plugins/common/settle: whose work an object is, and whether anybody still waits for it. And
 * plugins/common/resume: what 416 may mean. */
#include "common/resume.h"
#include "common/settle.h"
#include "tests/unit/cloud_host.h"
#include "tests/unit/unit.h"

struct store {
    struct sc_seen seen, taken;
    int32_t looking; /* what a look ends with */
    int from;        /* before that look, and there is nothing, or before_mark */
    const char *before_mark;
    int looks, removed;
};

static int32_t look(void *ctx, const char *key, struct sc_seen *ret, struct sc_error *err)
{
    struct store *s = ctx;
    (void)key;
    if (++s->looks < s->from && !s->before_mark)
        return sc_fail(err, SR_STORAGE_E_NOT_FOUND, "not there");
    *ret = s->seen;
    if (s->looks < s->from)
        (void)snprintf(ret->mark, sizeof ret->mark, "%s", s->before_mark);
    return s->looking == SR_STORAGE_OK ? SR_STORAGE_OK : sc_fail(err, s->looking, "not seen");
}

static int32_t take_away(void *ctx, const char *key, const struct sc_seen *what,
                         struct sc_error *err)
{
    struct store *s = ctx;
    (void)key, (void)err;
    s->removed++;
    s->taken = *what;
    return SR_STORAGE_OK;
}

enum { WAITS, CANCELLED, PAST_ITS_DEADLINE };

static void answers_that_were_lost(void)
{
    static const struct {
        const char *name;
        int32_t lost; /* how the request ended */
        int host;     /* what the host wants by then */
        const char *mark;
        uint64_t size; /* 10 were sent */
        int32_t looking, code;
        int removed;
    } rows[] = {
        {"a reset", SR_STORAGE_E_UNAVAILABLE, WAITS, "ours", 10, 0, SR_STORAGE_OK, 0},
        {"a stalled answer to what was done", SR_STORAGE_E_TIMEOUT, WAITS, "ours", 10, 0,
         SR_STORAGE_OK, 0},
        {"cancelled", SR_STORAGE_E_CANCELLED, CANCELLED, "ours", 10, 0, SR_STORAGE_E_CANCELLED, 1},
        {"the host's deadline", SR_STORAGE_E_TIMEOUT, PAST_ITS_DEADLINE, "ours", 10, 0,
         SR_STORAGE_E_TIMEOUT, 1},
        {"less than was sent", SR_STORAGE_E_TIMEOUT, WAITS, "ours", 9, 0, SR_STORAGE_E_CORRUPT, 1},
        {"somebody else's", SR_STORAGE_E_TIMEOUT, WAITS, "other", 10, 0, SR_STORAGE_E_EXISTS, 0},
        {"somebody else's, cancelled", SR_STORAGE_E_CANCELLED, CANCELLED, "other", 10, 0,
         SR_STORAGE_E_EXISTS, 0},
        {"not there", SR_STORAGE_E_TIMEOUT, WAITS, "", 0, SR_STORAGE_E_NOT_FOUND,
         SR_STORAGE_E_TIMEOUT, 0},
        {"looking is not allowed", SR_STORAGE_E_TIMEOUT, WAITS, "", 0, SR_STORAGE_E_DENIED,
         SR_STORAGE_E_IN_DOUBT, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct test_host h;
        struct sc_error err = SC_ERROR_INIT;
        struct sr_storage_saved saved = {.size = sizeof saved};
        struct store s = {.seen = {.size = rows[i].size, .version = "7", .etag = "e"},
                          .looking = rows[i].looking};
        struct sc_settling v = {.key = "k",
                                .mark = "ours",
                                .saved = &saved,
                                .look = look,
                                .remove = take_away,
                                .ctx = &s};
        test_host_init(&h);
        h.hasty = 1;
        v.host = &h.host;
        (void)snprintf(s.seen.mark, sizeof s.seen.mark, "%s", rows[i].mark);
        if (rows[i].host == CANCELLED)
            test_host_cancel(&h);
        if (rows[i].host == PAST_ITS_DEADLINE)
            h.deadline = test_monotonic(NULL) - 1;
        (void)sc_fail(&err, rows[i].lost, "lost");
        int32_t code = sc_settle_lost(&v, 10, 0, &err);
        code = sc_settle_ended(&v, 10, code, &err);
        if (code != rows[i].code || s.removed != rows[i].removed)
            (void)fprintf(stderr, "%s: %d, removed %d\n", rows[i].name, (int)code, s.removed);
        CU_ASSERT_EQUAL(code, rows[i].code);
        CU_ASSERT_EQUAL(s.removed, rows[i].removed);
        /* That object which was seen, and not whatever is there by then. */
        CU_ASSERT_STRING_EQUAL(s.taken.version, s.removed ? "7" : "");
        CU_ASSERT_STRING_EQUAL(s.taken.etag, s.removed ? "e" : "");
        CU_ASSERT_EQUAL((saved.confirmed & SR_STORAGE_CONFIRMED_SIZE) != 0, code == SR_STORAGE_OK);
        test_host_done(&h);
    }
}

/* A store that was sent all and said nothing may make the object after a look that found none. */
static void looked_at_again(void)
{
    enum { LOOKS = 6 }; /* at the most, before the upload is ended; then one more */
    static const struct {
        const char *name;
        int late, host, replace, from;
        const char *before_mark;
        int32_t looking, code;
        int looks, removed, first; /* looks before the upload is ended */
    } rows[] = {
        {"at the third look", 1, WAITS, 0, 3, NULL, 0, SR_STORAGE_OK, 3, 0, 3},
        {"at the last one", 1, WAITS, 0, LOOKS, NULL, 0, SR_STORAGE_OK, LOOKS, 0, LOOKS},
        {"when the upload has ended", 1, WAITS, 0, LOOKS + 1, NULL, 0, SR_STORAGE_OK, LOOKS + 1, 0,
         LOOKS},
        {"never", 1, WAITS, 0, 99, NULL, 0, SR_STORAGE_E_IN_DOUBT, LOOKS + 1, 0, LOOKS},
        {"not late: never", 0, WAITS, 0, 99, NULL, 0, SR_STORAGE_E_UNAVAILABLE, 2, 0, 1},
        {"cancelled: the upload is ended first", 1, CANCELLED, 0, 4, NULL, 0,
         SR_STORAGE_E_UNAVAILABLE, 4, 1, 1},
        {"cancelled, never", 1, CANCELLED, 0, 99, NULL, 0, SR_STORAGE_E_IN_DOUBT, LOOKS + 1, 0, 1},
        {"past the deadline, never", 1, PAST_ITS_DEADLINE, 0, 99, NULL, 0, SR_STORAGE_E_IN_DOUBT,
         LOOKS + 1, 0, 1},
        {"in the place of another", 1, WAITS, 1, 3, "old", 0, SR_STORAGE_OK, 3, 0, 3},
        {"the other stays", 1, WAITS, 1, 99, "old", 0, SR_STORAGE_E_IN_DOUBT, LOOKS + 1, 0, LOOKS},
        {"somebody else was faster", 1, WAITS, 0, 99, "other", 0, SR_STORAGE_E_EXISTS, 1, 0, 1},
        {"no connection for a while", 0, WAITS, 0, 0, NULL, SR_STORAGE_E_UNAVAILABLE,
         SR_STORAGE_E_IN_DOUBT, LOOKS + 1, 0, LOOKS},
        {"looking is not allowed", 1, WAITS, 0, 0, NULL, SR_STORAGE_E_DENIED, SR_STORAGE_E_IN_DOUBT,
         1, 0, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct test_host h;
        struct sc_error err = SC_ERROR_INIT;
        struct sr_storage_saved saved = {.size = sizeof saved};
        struct store s = {.seen = {.size = 10, .mark = "ours"},
                          .looking = rows[i].looking,
                          .from = rows[i].from,
                          .before_mark = rows[i].before_mark};
        struct sc_settling v = {.key = "k",
                                .mark = "ours",
                                .replace = rows[i].replace,
                                .saved = &saved,
                                .look = look,
                                .remove = take_away,
                                .ctx = &s};
        test_host_init(&h);
        h.hasty = 1;
        v.host = &h.host;
        if (rows[i].host == CANCELLED)
            test_host_cancel(&h);
        if (rows[i].host == PAST_ITS_DEADLINE)
            h.deadline = test_monotonic(NULL) - 1;
        uint64_t began = test_ms();
        (void)sc_fail(&err, SR_STORAGE_E_UNAVAILABLE, "lost");
        int32_t code = sc_settle_lost(&v, 10, rows[i].late, &err);
        int first = s.looks;
        code = sc_settle_ended(&v, 10, code, &err);
        if (code != rows[i].code || s.looks != rows[i].looks || s.removed != rows[i].removed ||
            first != rows[i].first)
            (void)fprintf(stderr, "%s: %d, %d looks, %d of them first, removed %d: %s\n",
                          rows[i].name, (int)code, s.looks, first, s.removed, err.text);
        CU_ASSERT_EQUAL(code, rows[i].code);
        CU_ASSERT_EQUAL(s.looks, rows[i].looks);
        CU_ASSERT_EQUAL(first, rows[i].first);
        CU_ASSERT_EQUAL(s.removed, rows[i].removed);
        CU_ASSERT(test_ms() - began < 1000);
        CU_ASSERT(atomic_load(&h.ahead) <= SC_SETTLE_MS * UINT64_C(1000000));
        if (code == SR_STORAGE_E_IN_DOUBT)
            CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "the answer was lost (lost)"));
        test_host_done(&h);
    }
    /* What went well, and what failed for sure, stays as it is. */
    struct sc_settling none = {0};
    CU_ASSERT_EQUAL(sc_settle_ended(&none, 10, SR_STORAGE_OK, NULL), SR_STORAGE_OK);
    CU_ASSERT_EQUAL(sc_settle_ended(&none, 10, SR_STORAGE_E_DENIED, NULL), SR_STORAGE_E_DENIED);
}

/* What was made is not what was sent: the answer names it, or it is looked for by its mark. */
static void what_was_spoilt(void)
{
    static const struct {
        const char *name;
        int named; /* by the answer */
        const char *mark;
        int32_t looking;
        int removed;
        const char *version, *says;
    } rows[] = {
        {"named", 1, "other", 0, 1, "3", ""},
        {"not named, and ours is there", 0, "ours", 0, 1, "7", ""},
        {"not named, and another is there", 0, "other", 0, 0, "", "this upload's mark"},
        {"not named, and one without a mark", 0, "", 0, 0, "", "this upload's mark"},
        {"not named, and it cannot be looked at", 0, "ours", SR_STORAGE_E_DENIED, 0, "",
         "not seen"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct test_host h;
        struct sc_error err = SC_ERROR_INIT;
        struct store s = {.seen = {.version = "7"}, .looking = rows[i].looking};
        struct sc_settling v = {
            .key = "k", .mark = "ours", .look = look, .remove = take_away, .ctx = &s};
        const struct sc_seen made = sc_seen_of("3", NULL);
        test_host_init(&h);
        v.host = &h.host;
        (void)snprintf(s.seen.mark, sizeof s.seen.mark, "%s", rows[i].mark);
        (void)sc_fail(&err, SR_STORAGE_E_CORRUPT, "damaged");
        CU_ASSERT_EQUAL(sc_settle_spoilt(&v, rows[i].named ? &made : NULL, &err),
                        SR_STORAGE_E_CORRUPT);
        CU_ASSERT_EQUAL(s.removed, rows[i].removed);
        CU_ASSERT_STRING_EQUAL(s.taken.version, rows[i].version);
        if (!strstr(err.text, rows[i].says))
            (void)fprintf(stderr, "%s: %s\n", rows[i].name, err.text);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, rows[i].says));
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "damaged"));
        test_host_done(&h);
    }
}

static void no_such_range(void)
{
    static const struct {
        uint64_t offset, length, total;
        int32_t code;
    } rows[] = {
        {0, SR_STORAGE_SIZE_UNKNOWN, SR_STORAGE_SIZE_UNKNOWN, SR_STORAGE_E_CORRUPT},
        {10, SR_STORAGE_SIZE_UNKNOWN, SR_STORAGE_SIZE_UNKNOWN, SR_STORAGE_OK},
        {0, 5, SR_STORAGE_SIZE_UNKNOWN, SR_STORAGE_OK}, /* an empty object */
        {10, SR_STORAGE_SIZE_UNKNOWN, 20, SR_STORAGE_E_CHANGED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char range[SC_RANGE_MAX];
        struct sc_resume f;
        const struct sr_storage_writer w = {.size = sizeof w};
        const struct sr_storage_fetch_options o = {
            .size = sizeof o, .key = "k", .offset = rows[i].offset, .length = rows[i].length};
        struct sc_response r = {.status = 416};
        struct sc_verdict v = {.cls = SC_FINAL, .code = SR_STORAGE_E_INTERNAL};
        sc_resume_init(&f, &o, &w);
        f.total = rows[i].total;
        (void)sc_resume_range(&f, range);
        sc_resume_judge(&f, &r, &v);
        CU_ASSERT_EQUAL(v.code, rows[i].code);
        CU_ASSERT_EQUAL(v.cls == SC_DONE, rows[i].code == SR_STORAGE_OK);
    }
}

static const struct unit_test tests[] = {
    {"answers that were lost", answers_that_were_lost},
    {"looked at again", looked_at_again},
    {"what was spoilt", what_was_spoilt},
    {"there is no such range", no_such_range},
    {0},
};

int main(void)
{
    return unit_main("cloud: settling", tests);
}
