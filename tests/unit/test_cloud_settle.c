/* plugins/common/settle: whose work an object is, and whether anybody still waits for it. And
 * plugins/common/resume: what 416 may mean. */
#include "common/resume.h"
#include "common/settle.h"
#include "tests/unit/cloud_host.h"
#include "tests/unit/unit.h"

struct store {
    struct sc_seen seen;
    int32_t looking; /* what a look ends with */
    int removed;
};

static int32_t look(void *ctx, const char *key, struct sc_seen *ret, struct sc_error *err)
{
    struct store *s = ctx;
    (void)key;
    *ret = s->seen;
    return s->looking == SR_STORAGE_OK ? SR_STORAGE_OK : sc_fail(err, s->looking, "not seen");
}

static int32_t take_away(void *ctx, const char *key, const char *version, struct sc_error *err)
{
    (void)key, (void)version, (void)err;
    ((struct store *)ctx)->removed++;
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
        struct store s = {.seen = {.size = rows[i].size}, .looking = rows[i].looking};
        struct sc_settling v = {.key = "k",
                                .mark = "ours",
                                .saved = &saved,
                                .look = look,
                                .remove = take_away,
                                .ctx = &s};
        test_host_init(&h);
        v.host = &h.host;
        (void)snprintf(s.seen.mark, sizeof s.seen.mark, "%s", rows[i].mark);
        if (rows[i].host == CANCELLED)
            test_host_cancel(&h);
        if (rows[i].host == PAST_ITS_DEADLINE)
            h.deadline = test_monotonic(NULL) - 1;
        (void)sc_fail(&err, rows[i].lost, "lost");
        int32_t code = sc_settle_lost(&v, 10, &err);
        if (code != rows[i].code || s.removed != rows[i].removed)
            (void)fprintf(stderr, "%s: %d, removed %d\n", rows[i].name, (int)code, s.removed);
        CU_ASSERT_EQUAL(code, rows[i].code);
        CU_ASSERT_EQUAL(s.removed, rows[i].removed);
        CU_ASSERT_EQUAL((saved.confirmed & SR_STORAGE_CONFIRMED_SIZE) != 0, code == SR_STORAGE_OK);
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
    {"there is no such range", no_such_range},
    {0},
};

int main(void)
{
    return unit_main("cloud: settling", tests);
}
