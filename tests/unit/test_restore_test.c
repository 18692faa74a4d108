/* The pure parts of a restore test: marks of scratch databases, names of tables, counts compared,
 * and whose fault a failed restore is. */
#include "config.h"
#include "core/engine/restore_test.h"
#include "core/source/pg_compare.h"
#include "core/source/pg_scratch.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every other byte of a mark makes it none. */
static void each_byte_counts(const char *mark, int (*ok)(const char *mark))
{
    char changed[SR_SCRATCH_COMMENT_SIZE + 2];
    CU_ASSERT(ok(mark));
    for (size_t i = 0; mark[i]; i++) {
        (void)snprintf(changed, sizeof changed, "%s", mark);
        changed[i] = changed[i] == 'a' ? 'b' : 'a';
        CU_ASSERT_FALSE(ok(changed));
    }
    (void)snprintf(changed, sizeof changed, "%s0", mark);
    CU_ASSERT_FALSE(ok(changed));
    (void)snprintf(changed, sizeof changed, "%s", mark);
    changed[strlen(mark) - 1] = '\0';
    CU_ASSERT_FALSE(ok(changed));
}

static int comment_of_app(const char *mark)
{
    return sr_scratch_comment_ok(SR_SCRATCH_DATABASE, "app", mark);
}

static void marks(void)
{
    struct sr_error err = SR_ERROR_INIT;
    char name[SR_SCRATCH_NAME_SIZE], other[SR_SCRATCH_NAME_SIZE], mark[SR_SCRATCH_COMMENT_SIZE];
    ASSERT_OK(sr_scratch_name_make(name, &err), err);
    ASSERT_OK(sr_scratch_name_make(other, &err), err);
    CU_ASSERT_STRING_NOT_EQUAL(name, other);
    CU_ASSERT(strlen(name) < 64); /* what a server keeps of a name */
    CU_ASSERT_EQUAL(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(name));
    each_byte_counts(name, sr_scratch_name_ok);
    CU_ASSERT_FALSE(sr_scratch_name_ok(""));
    CU_ASSERT_FALSE(sr_scratch_name_ok("strongroom_test_"));
    CU_ASSERT_FALSE(sr_scratch_name_ok("strongroom_test_0123456789abcdef0123456789abcdef"));

    /* A comment marks one thing of one name. */
    ASSERT_OK(sr_scratch_comment_make(SR_SCRATCH_DATABASE, "app", mark, &err), err);
    CU_ASSERT_FALSE(sr_scratch_comment_ok(SR_SCRATCH_DATABASE, "apq", mark));
    CU_ASSERT_FALSE(sr_scratch_comment_ok(SR_SCRATCH_DATABASE, "ap", mark));
    CU_ASSERT_FALSE(sr_scratch_comment_ok(SR_SCRATCH_ROLE, "app", mark));
    CU_ASSERT_FALSE(sr_scratch_comment_ok(SR_SCRATCH_DATABASE, "app", NULL));
    CU_ASSERT_FALSE(sr_scratch_comment_ok(SR_SCRATCH_DATABASE, "app", ""));
    CU_ASSERT_FALSE(sr_scratch_comment_ok(SR_SCRATCH_DATABASE, "app", name));
    each_byte_counts(mark, comment_of_app);
}

static void names(void)
{
    static const struct {
        const char *spelled, *schema, *table;
    } good[] = {{"public.users", "public", "users"}, {"\"a b\".c", "a b", "c"},
                {"a.\"b.c\"", "a", "b.c"},           {"\"a\"\"b\".\"\"\"\"", "a\"b", "\""},
                {"\"a.b\".\"c\"", "a.b", "c"},       {"a.\xc3\xbc", "a", "\xc3\xbc"}};
    static const char *const bad[] = {"",     "a",     "a.",     ".a",       "a.b.c",     "\"a",
                                      "\"\"", "a.\"b", "a.\"\"", "a\"b\".c", "\"a\"b.\"c"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char *schema = NULL, *table = NULL;
        CU_ASSERT_EQUAL_FATAL(sr_pg_name_split(good[i].spelled, &schema, &table), SR_OK);
        CU_ASSERT_STRING_EQUAL(schema, good[i].schema);
        CU_ASSERT_STRING_EQUAL(table, good[i].table);
        free(schema);
        free(table);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *schema = NULL, *table = NULL;
        CU_ASSERT_EQUAL(sr_pg_name_split(bad[i], &schema, &table), SR_E_CORRUPT);
    }
}

static void counts(void)
{
    struct sr_pg_findings f = {0};
    CU_ASSERT_EQUAL(sr_pg_rows_judge(&f, "a.b", 7, 7, 0), SR_OK);
    CU_ASSERT_EQUAL(sr_pg_rows_judge(&f, "a.b", 0, 0, 0), SR_OK);
    CU_ASSERT_EQUAL(sr_pg_rows_judge(&f, "a.b", 7, 9, 1), SR_OK);
    CU_ASSERT_EQUAL(f.len, 0);
    CU_ASSERT_EQUAL(sr_pg_rows_judge(&f, "a.b", 7, 6, 0), SR_OK);
    CU_ASSERT_EQUAL(sr_pg_rows_judge(&f, "a.b", 7, 6, 1), SR_OK);
    CU_ASSERT_EQUAL(sr_pg_rows_judge(&f, "a.b", 7, 9, 0), SR_OK);
    CU_ASSERT_EQUAL_FATAL(f.len, 3);
    CU_ASSERT_EQUAL(f.items[0].kind, SR_FINDING_ROWS);
    CU_ASSERT_STRING_EQUAL(f.items[0].text, "table a.b holds 6 rows, the backup was counted to "
                                            "have 7: 1 are lost");
    CU_ASSERT_PTR_NOT_NULL(strstr(f.items[2].text, "2 too many"));
    for (int i = 0; i < SR_FINDINGS_MAX; i++)
        CU_ASSERT_EQUAL(sr_pg_findings_add(&f, SR_FINDING_INDEX, "x"), SR_OK);
    CU_ASSERT(f.len == SR_FINDINGS_MAX && f.left == 3);
    sr_pg_findings_done(&f);
    CU_ASSERT(f.len == 0 && !f.items);
    CU_ASSERT_STRING_EQUAL(sr_pg_finding_word(SR_FINDING_FOREIGN_KEY), "foreign-key");
    CU_ASSERT_STRING_EQUAL(sr_pg_finding_word((enum sr_pg_finding_kind)99), "unknown");
}

static void blame(void)
{
    static const struct {
        const char *said;
        enum sr_test_blame blame;
        const char *what;
    } cases[] = {
        {"ERROR:  extension \"postgis\" is not available", SR_BLAME_MISSING,
         "extension postgis is missing"},
        {"ERROR:  could not open extension control file \"/usr/share/x.control\"", SR_BLAME_MISSING,
         "an extension is missing"},
        {"line 7 of the dump: ERROR:  role \"app owner\" does not exist", SR_BLAME_MISSING,
         "role app owner is missing"},
        {"ERROR:  tablespace \"fast\" does not exist", SR_BLAME_MISSING,
         "tablespace fast is missing"},
        {"ERROR:  invalid value for parameter \"default_tablespace\": \"fast\"", SR_BLAME_MISSING,
         "tablespace fast is missing"},
        {"ERROR:  unrecognized configuration parameter \"transaction_timeout\"", SR_BLAME_MISSING,
         "setting transaction_timeout is not known: the dump is of a newer PostgreSQL"},
        {"pg_restore: error: unsupported version (1.99) in file header", SR_BLAME_MISSING,
         "pg_restore is too old for archive version 1.99"},
        {"ERROR:  permission denied to create extension \"x\"", SR_BLAME_MISSING,
         "the role may not create extension x; use a superuser"},
        {"ERROR:  permission denied to create event trigger \"x\"\nHINT:  Must be superuser to "
         "create an event trigger.",
         SR_BLAME_MISSING, "the dump needs a superuser"},
        {"ERROR:  must be owner of extension plpgsql", SR_BLAME_MISSING,
         "the dump needs a superuser"},
        {"ERROR:  permission denied for language c", SR_BLAME_MISSING,
         "the dump needs rights that the role has not; use a superuser"},
        /* A name between others. */
        {"ERROR:  relation \"x\" and role \"y\" does not exist", SR_BLAME_MISSING,
         "role y is missing"},
        {"ERROR:  role \"x\" of relation \"y\" does not exist", SR_BLAME_BACKUP, ""},
        {"ERROR:  could not extend file: No space left on device", SR_BLAME_SERVER, ""},
        {"FATAL:  terminating connection due to administrator command", SR_BLAME_SERVER, ""},
        {"psql was killed by signal 9 (Killed)", SR_BLAME_SERVER, ""},
        {"ERROR:  insert or update on table \"a\" violates foreign key constraint \"b\"",
         SR_BLAME_BACKUP, ""},
        {"ERROR:  relation \"a\" does not exist", SR_BLAME_BACKUP, ""},
        {"ERROR:  role \"", SR_BLAME_BACKUP, ""},
        {"", SR_BLAME_BACKUP, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char what[SR_BLAME_TEXT];
        CU_ASSERT_EQUAL(sr_restore_test_blame(cases[i].said, what), cases[i].blame);
        CU_ASSERT_STRING_EQUAL(what, cases[i].what);
    }
    char *longest = malloc(5000), what[SR_BLAME_TEXT];
    memset(longest, 'x', 5000);
    memcpy(longest, "role \"", 6);
    memcpy(longest + 4000, "\" does not exist", 17);
    CU_ASSERT_EQUAL(sr_restore_test_blame(longest, what), SR_BLAME_BACKUP);
    free(longest);
}

static const struct unit_test tests[] = {{"marks of what may be dropped", marks},
                                         {"names of tables", names},
                                         {"counts compared", counts},
                                         {"whose fault it is", blame},
                                         {0}};

int main(void)
{
    return unit_main("restore test", tests);
}
