/* How an object is cut into parts: pure numbers. */
#include "common/parts.h"
#include "tests/unit/unit.h"

#include <stdint.h>

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define UNKNOWN UINT64_MAX
#define PART_MOST (5 * GIB)

/* What a sender with these buffers would do: the largest object, part by part. */
static uint64_t sum_of_parts(const struct sc_plan *p)
{
    uint64_t sum = 0, size;
    for (unsigned n = 1; (size = sc_plan_size(p, n)) > 0; n++)
        sum += size;
    return sum;
}

static void check_plan(const struct sc_limits *l, uint64_t hint)
{
    struct sc_plan p;
    int fits = sc_plan_make(l, hint, &p) == 0;
    uint64_t before = 0;
    CU_ASSERT_EQUAL(p.memory, l->part_size * (l->concurrency + 1));
    CU_ASSERT_EQUAL(p.largest, sum_of_parts(&p));
    CU_ASSERT_EQUAL(fits, hint == UNKNOWN || hint <= p.largest);
    for (unsigned n = 1; n <= l->max_parts; n++) {
        uint64_t size = sc_plan_size(&p, n);
        CU_ASSERT(size >= l->part_size && size <= PART_MOST);
        /* Two at least in memory, so that one fills while another is on its way. */
        CU_ASSERT(2 * size <= p.memory);
        CU_ASSERT(size >= before);
        CU_ASSERT(!l->constant || before == 0 || size == before);
        before = size;
    }
    CU_ASSERT_EQUAL(sc_plan_size(&p, 0), 0);
    CU_ASSERT_EQUAL(sc_plan_size(&p, l->max_parts + 1), 0);
}

static void plans_keep_to_memory_and_number(void)
{
    static const uint64_t sizes[] = {5 * MIB, 8 * MIB, 16 * MIB + 1, 64 * MIB, GIB, 5 * GIB};
    static const unsigned jobs[] = {1, 2, 4, 7, 64}, parts[] = {2, 3, 4, 999, 1000, 10000};
    static const uint64_t hints[] = {0,           1,      5 * MIB, 100 * GIB, UINT64_C(5) << 40,
                                     UNKNOWN - 1, UNKNOWN};
    for (size_t a = 0; a < sizeof sizes / sizeof *sizes; a++)
        for (size_t b = 0; b < sizeof jobs / sizeof *jobs; b++)
            for (size_t c = 0; c < sizeof parts / sizeof *parts; c++)
                for (size_t d = 0; d < sizeof hints / sizeof *hints; d++)
                    for (int constant = 0; constant < 2; constant++) {
                        const struct sc_limits l = {sizes[a], PART_MOST, jobs[b], parts[c],
                                                    constant};
                        check_plan(&l, hints[d]);
                    }
}

/* What the documents state. */
static void the_default_reaches_120_gib(void)
{
    const struct sc_limits l = {8 * MIB, PART_MOST, 4, 10000, 0},
                           alike = {8 * MIB, PART_MOST, 4, 10000, 1};
    struct sc_plan p;
    CU_ASSERT_EQUAL(sc_plan_make(&l, UNKNOWN, &p), 0);
    CU_ASSERT_EQUAL(p.memory, 40 * MIB);
    CU_ASSERT_EQUAL(sc_plan_size(&p, 1), 8 * MIB);
    CU_ASSERT_EQUAL(sc_plan_size(&p, 5000), 8 * MIB);
    CU_ASSERT_EQUAL(sc_plan_size(&p, 5001), 40 * MIB / 3);
    CU_ASSERT_EQUAL(sc_plan_size(&p, 7501), 20 * MIB);
    CU_ASSERT_EQUAL(sc_plan_size(&p, 10000), 20 * MIB);
    CU_ASSERT(p.largest > 120 * GIB && p.largest < 121 * GIB);
    CU_ASSERT_EQUAL(sc_plan_make(&alike, UNKNOWN, &p), 0);
    CU_ASSERT_EQUAL(p.largest, 80000 * MIB);
}

/* A known length makes parts that are large enough, and no larger; or says no before anything is
 * sent. */
static void a_known_length_is_met_or_refused(void)
{
    const struct sc_limits l = {8 * MIB, PART_MOST, 4, 10000, 0},
                           few = {8 * MIB, PART_MOST, 4, 1000, 0};
    struct sc_plan p;
    CU_ASSERT_EQUAL(sc_plan_make(&l, 150 * GIB, &p), 0);
    CU_ASSERT_EQUAL(sc_plan_size(&p, 1), 16 * MIB);
    CU_ASSERT_EQUAL(sc_plan_size(&p, 10000), 16 * MIB);
    CU_ASSERT_EQUAL(sc_plan_make(&l, 200000 * MIB, &p), 0);
    CU_ASSERT_EQUAL(p.largest, 200000 * MIB);
    CU_ASSERT_NOT_EQUAL(sc_plan_make(&l, 200000 * MIB + 1, &p), 0);
    CU_ASSERT_EQUAL(p.largest, 200000 * MIB);
    CU_ASSERT_EQUAL(sc_plan_make(&few, 20000 * MIB, &p), 0);
    CU_ASSERT_NOT_EQUAL(sc_plan_make(&few, 20001 * MIB, &p), 0);
}

static const struct unit_test tests[] = {
    {"plans keep to memory and number", plans_keep_to_memory_and_number},
    {"the default reaches 120 GiB", the_default_reaches_120_gib},
    {"a known length is met or refused", a_known_length_is_met_or_refused},
    {0},
};

int main(void)
{
    return unit_main("cloud parts", tests);
}
