/* The frame of a unit test program:
 *
 *     static void manifest_roundtrip(void) { CU_ASSERT_EQUAL(...); }
 *     static const struct unit_test tests[] = {{"manifest roundtrip", manifest_roundtrip}, {0}};
 *     int main(void) { return unit_main("catalog", tests); }
 *
 * Exit status 0 only when at least one assertion ran and none failed. */
#ifndef SR_TESTS_UNIT_H
#define SR_TESTS_UNIT_H

#include <CUnit/Basic.h>
#include <CUnit/CUnit.h>

struct unit_test {
    const char *name;
    void (*run)(void);
};

static inline int unit_main(const char *suite_name, const struct unit_test *tests)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    CU_pSuite suite = CU_add_suite(suite_name, NULL, NULL);
    for (; tests->name; tests++)
        if (!suite || !CU_add_test(suite, tests->name, tests->run))
            return 2;
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    unsigned failed = CU_get_number_of_failures() + CU_get_number_of_tests_failed();
    unsigned asserted = CU_get_number_of_asserts();
    CU_cleanup_registry();
    return failed == 0 && asserted > 0 ? 0 : 1;
}

#define ASSERT_OK(call, err)                                                      \
    do {                                                                          \
        int rc_ = (call);                                                         \
        if (rc_ != 0)                                                             \
            (void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, (err).text); \
        CU_ASSERT_EQUAL(rc_, 0);                                                  \
    } while (0)

#endif
