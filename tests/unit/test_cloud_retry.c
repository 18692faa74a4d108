/* plugins/common/retry: every decision by table; what a server may write into Retry-After. */
#include "common/retry.h"
#include "common/timefmt.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#define HALF UINT32_C(0x80000000)
#define ALL UINT32_MAX

static void decisions(void)
{
    static const struct sc_retry_policy p = {
        .tries_max = 5, .base_ms = 100, .cap_ms = 1000, .after_cap_ms = 5000, .total_ms = 60000};
    static const struct {
        const char *name;
        enum sc_class cls;
        struct sc_retry_state state; /* tries, few, agains, elapsed, left, after */
        uint32_t random;
        int again;
        uint64_t wait_ms;
        const char *why_not;
    } rows[] = {
        {"done", SC_DONE, {1, 0, 0, 0, UINT64_MAX, -1}, ALL, 0, 0, NULL},
        {"final", SC_FINAL, {1, 0, 0, 0, UINT64_MAX, -1}, ALL, 0, 0, NULL},
        {"first wait", SC_RETRY, {1, 0, 0, 0, UINT64_MAX, -1}, ALL, 1, 99, NULL},
        {"half of it", SC_RETRY, {1, 0, 0, 0, UINT64_MAX, -1}, HALF, 1, 50, NULL},
        {"none of it", SC_RETRY, {1, 0, 0, 0, UINT64_MAX, -1}, 0, 1, 0, NULL},
        {"doubles", SC_RETRY, {3, 0, 0, 0, UINT64_MAX, -1}, HALF, 1, 200, NULL},
        {"up to the cap", SC_RETRY, {4, 0, 0, 0, UINT64_MAX, -1}, HALF, 1, 400, NULL},
        {"last try", SC_RETRY, {5, 0, 0, 0, UINT64_MAX, -1}, HALF, 0, 0, "as often"},
        {"throttled: wider", SC_THROTTLED, {1, 0, 0, 0, UINT64_MAX, -1}, HALF, 1, 200, NULL},
        {"throttled: capped", SC_THROTTLED, {3, 0, 0, 0, UINT64_MAX, -1}, HALF, 1, 500, NULL},
        {"asked for more", SC_RETRY, {1, 0, 0, 0, UINT64_MAX, 3000}, ALL, 1, 3000, NULL},
        {"asked for less", SC_RETRY, {3, 0, 0, 0, UINT64_MAX, 10}, HALF, 1, 200, NULL},
        {"asked for none", SC_RETRY, {3, 0, 0, 0, UINT64_MAX, 0}, HALF, 1, 200, NULL},
        {"asked for an hour", SC_RETRY, {1, 0, 0, 0, UINT64_MAX, 3600000}, ALL, 1, 5000, NULL},
        {"time is up", SC_RETRY, {2, 0, 0, 59950, UINT64_MAX, -1}, HALF, 0, 0, "as long"},
        {"just in time", SC_RETRY, {2, 0, 0, 59900, UINT64_MAX, -1}, HALF, 1, 100, NULL},
        {"deadline", SC_RETRY, {2, 0, 0, 0, 100, -1}, HALF, 0, 0, "deadline"},
        {"before the deadline", SC_RETRY, {2, 0, 0, 0, 101, -1}, HALF, 1, 100, NULL},
        {"deadline by request", SC_RETRY, {1, 0, 0, 0, 2000, 3000}, 0, 0, 0, "deadline"},
        {"damage", SC_FEW, {3, 3, 0, 0, UINT64_MAX, -1}, HALF, 1, 200, NULL},
        {"damage again and again", SC_FEW, {4, 4, 0, 0, UINT64_MAX, -1}, HALF, 0, 0, "several"},
        {"met at once", SC_AGAIN, {1, 0, 1, 0, UINT64_MAX, -1}, ALL, 1, 0, NULL},
        {"met for the last time", SC_AGAIN, {4, 0, 4, 0, UINT64_MAX, -1}, ALL, 1, 0, NULL},
        {"no more", SC_AGAIN, {5, 0, 5, 0, UINT64_MAX, -1}, ALL, 0, 0, "dealt with"},
        {"not counted", SC_RETRY, {5, 0, 1, 0, UINT64_MAX, -1}, HALF, 1, 400, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sc_retry_next next;
        sc_retry_decide(&p, &rows[i].state, rows[i].cls, rows[i].random, &next);
        int good = next.again == rows[i].again &&
                   (!next.again || next.wait_ms == rows[i].wait_ms) &&
                   (rows[i].why_not ? next.why_not && strstr(next.why_not, rows[i].why_not)
                                    : !next.why_not);
        if (!good)
            (void)fprintf(stderr, "%s: again %d, wait %llu, %s\n", rows[i].name, next.again,
                          (unsigned long long)next.wait_ms, next.why_not ? next.why_not : "-");
        CU_ASSERT(good);
    }
}

/* However often and with whatever numbers it is asked, no wait passes the caps. */
static void waits_are_bounded(void)
{
    for (uint32_t tries = 1; tries < 200; tries++) {
        static const struct sc_retry_policy p = {UINT32_MAX, UINT32_MAX / 2, 20000, 60000, 0};
        struct sc_retry_state s = {tries, 0, 0, UINT64_MAX / 2, UINT64_MAX, INT64_MAX};
        struct sc_retry_next next;
        sc_retry_decide(&p, &s, SC_THROTTLED, UINT32_MAX, &next);
        CU_ASSERT(next.again && next.wait_ms == 60000);
        s.after_ms = -1;
        sc_retry_decide(&p, &s, SC_RETRY, UINT32_MAX, &next);
        CU_ASSERT(next.again && next.wait_ms < 20000);
    }
}

static void what_the_server_asks_for(void)
{
    static const struct {
        const char *name, *value;
        int64_t want;
    } rows[] = {
        {"Retry-After", "0", 0},
        {"Retry-After", "120", 120000},
        {"retry-after", "Sun, 06 Nov 1994 08:49:47 GMT", 10000},
        {"Retry-After", "Sunday, 06-Nov-94 08:49:38 GMT", 1000},
        {"Retry-After", "Sun, 06 Nov 1994 08:00:00 GMT", 0}, /* gone by */
        {"Retry-After", "Sun, 06 Nov 2994 08:00:00 GMT", -1},
        {"Retry-After", "-5", -1},
        {"Retry-After", "1.5", -1},
        {"Retry-After", "soon", -1},
        {"Retry-After", "", -1},
        {"Retry-After", "99999999999999999999", -1},
        {"Retry-After", "18446744073709551615", -1},
        {"retry-after-ms", "250", 250},
        {"x-ms-retry-after-ms", "251", 251},
        {"x-amz-retry-after", "252", 252},
        {"x-amz-retry-after", "x", -1},
        {"X-Else", "7", -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sc_error err = SC_ERROR_INIT;
        struct sc_headers h = SC_HEADERS_INIT;
        ASSERT_OK(sc_headers_add(&h, rows[i].name, rows[i].value, &err), err);
        CU_ASSERT_EQUAL(sc_retry_after(&h, 784111777), rows[i].want);
        sc_headers_done(&h);
    }
    struct sc_error err = SC_ERROR_INIT;
    struct sc_headers h = SC_HEADERS_INIT;
    ASSERT_OK(sc_headers_add(&h, "Retry-After", "9", &err), err);
    ASSERT_OK(sc_headers_add(&h, "Retry-After-Ms", "20", &err), err);
    CU_ASSERT_EQUAL(sc_retry_after(&h, 0), 20); /* the finer one counts */
    sc_headers_done(&h);
}

static void statuses(void)
{
    static const struct {
        int status;
        enum sc_class cls;
        int32_t code;
    } rows[] = {
        {200, SC_DONE, SR_STORAGE_OK},
        {204, SC_DONE, SR_STORAGE_OK},
        {206, SC_DONE, SR_STORAGE_OK},
        {301, SC_FINAL, SR_STORAGE_E_CONFIG},
        {304, SC_FINAL, SR_STORAGE_E_CONFIG},
        {307, SC_FINAL, SR_STORAGE_E_CONFIG},
        {400, SC_FINAL, SR_STORAGE_E_INTERNAL},
        {401, SC_FINAL, SR_STORAGE_E_DENIED},
        {403, SC_FINAL, SR_STORAGE_E_DENIED},
        {404, SC_FINAL, SR_STORAGE_E_NOT_FOUND},
        {408, SC_RETRY, SR_STORAGE_E_UNAVAILABLE},
        {409, SC_FINAL, SR_STORAGE_E_EXISTS},
        {412, SC_FINAL, SR_STORAGE_E_EXISTS},
        {416, SC_FINAL, SR_STORAGE_E_INTERNAL},
        {429, SC_THROTTLED, SR_STORAGE_E_THROTTLED},
        {500, SC_RETRY, SR_STORAGE_E_UNAVAILABLE},
        {501, SC_FINAL, SR_STORAGE_E_UNSUPPORTED},
        {502, SC_RETRY, SR_STORAGE_E_UNAVAILABLE},
        {503, SC_RETRY, SR_STORAGE_E_UNAVAILABLE},
        {507, SC_FINAL, SR_STORAGE_E_NO_SPACE},
        {599, SC_RETRY, SR_STORAGE_E_UNAVAILABLE},
        {999, SC_RETRY, SR_STORAGE_E_UNAVAILABLE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sc_verdict v;
        char text[16];
        sc_verdict_of_status(rows[i].status, &v);
        CU_ASSERT_EQUAL(v.cls, rows[i].cls);
        CU_ASSERT_EQUAL(v.code, rows[i].code);
        (void)snprintf(text, sizeof text, "HTTP %d", rows[i].status);
        CU_ASSERT_STRING_EQUAL(v.text, text);
    }
}

static const struct unit_test tests[] = {
    {"decisions", decisions},
    {"waits are bounded", waits_are_bounded},
    {"what the server asks for", what_the_server_asks_for},
    {"statuses", statuses},
    {0},
};

int main(void)
{
    return unit_main("cloud: retry", tests);
}
