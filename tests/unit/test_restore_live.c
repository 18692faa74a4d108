/* Plain dumps into a real PostgreSQL, and emptying a database. */
#include "config.h"
#include "core/source/pg_clean.h"
#include "tests/unit/restore_live.h"

#include <pthread.h>
#include <time.h>

SR_DEFINE_CLEANUP(struct sr_pg_psql *, sr_pg_psql_free);

static int psql_feed(const struct restore *r, const char *data, size_t len, size_t step,
                     struct sr_error *err)
{
    _cleanup_(sr_pg_psql_freep) struct sr_pg_psql *p = NULL;
    int rc = sr_pg_psql_start(&r->o, &p, err);
    for (size_t i = 0; i < len && rc == SR_OK; i += step)
        rc = sr_pg_psql_write(p, data + i, len - i < step ? len - i : step, err);
    return rc == SR_OK ? sr_pg_psql_finish(p, err) : rc;
}

static int psql_text(const char *db, const char *text, struct sr_error *err)
{
    struct restore r;
    restore_init(&r, db, "psql");
    int rc = psql_feed(&r, text, strlen(text), 4096, err);
    restore_done(&r);
    return rc;
}

/* --- plain dumps ----------------------------------------------------------------------------- */

static void plain_comes_back(void)
{
    _cleanup_buf_ struct sr_buf dump;
    source_dump("-Fp", &dump);
    static const size_t steps[] = {1 << 20, 1000, 61, 7};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        for (int single = 0; single < 2; single++) {
            struct sr_error err = SR_ERROR_INIT;
            struct restore r;
            database_new("target");
            restore_init(&r, "target", "psql");
            r.o.single_transaction = single;
            ASSERT_OK(psql_feed(&r, dump.data, dump.len, steps[i], &err), err);
            restore_done(&r);
            same_dumps("source", "target");
        }
}

/* What the filter leaves out is what pg_dump leaves out. */
static void owners_and_grants_as_pg_dump_would(void)
{
    static const struct {
        const char *option;
        int no_owner, no_acl;
    } cases[] = {{"--no-owner", 1, 0}, {"--no-acl", 0, 1}, {"-Ox", 1, 1}};
    _cleanup_buf_ struct sr_buf dump;
    source_dump("-Fp", &dump);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sr_error err = SR_ERROR_INIT;
        struct restore r;
        _cleanup_buf_ struct sr_buf want;
        sr_buf_init(&want, DUMP_MAX);
        run_into(&want, "pg_dump", "-d", "source", cases[i].option, NULL);
        database_new("wanted");
        restore_init(&r, "wanted", "psql");
        ASSERT_OK(psql_feed(&r, want.data, want.len, 4096, &err), err);
        restore_done(&r);

        database_new("target");
        restore_init(&r, "target", "psql");
        r.o.no_owner = cases[i].no_owner;
        r.o.no_acl = cases[i].no_acl;
        ASSERT_OK(psql_feed(&r, dump.data, dump.len, 333, &err), err);
        restore_done(&r);
        same_dumps("wanted", "target");
    }
}

static void role_owns_what_is_made(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct restore r;
    database_new("target");
    sql("target", "DROP ROLE IF EXISTS \"a \"\"role\"");
    sql("target", "CREATE ROLE \"a \"\"role\"; GRANT CREATE ON SCHEMA public TO \"a \"\"role\"");
    restore_init(&r, "target", "psql");
    r.o.role = "a \"role";
    const char *text = "CREATE TABLE public.t ();\nSELECT 1/0;\n";
    CU_ASSERT_EQUAL(psql_feed(&r, text, strlen(text), 3, &err), SR_E_CHILD);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "line 2 of the dump: ERROR:  division by zero"));
    ASSERT_OK(psql_feed(&r, text, strlen("CREATE TABLE public.t ();\n"), 3, &err), err);
    restore_done(&r);
    value_is("target", "SELECT tableowner FROM pg_tables WHERE tablename = 't'", "a \"role");
}

static void errors_name_the_line_of_the_dump(void)
{
    struct sr_error err = SR_ERROR_INIT;
    database_new("target");
    const char *text = "--\n-- by hand\n\\restrict abc\nCREATE TABLE public.t (x integer);\n"
                       "COPY public.t FROM stdin;\n1\ntwo\n\\.\nSELECT 1;\n";
    CU_ASSERT_EQUAL(psql_text("target", text, &err), SR_E_CHILD);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "psql failed (exit status 3): line 8 of the dump: "
                                            "ERROR:  invalid input syntax for type integer: "
                                            "\"two\"; CONTEXT:  COPY t, line 2"));
    value_is("target", "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", "0");
}

/* psql stops at the first line; what follows no longer finds a reader. */
static void an_early_end_of_psql_is_told(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct restore r;
    _cleanup_buf_ struct sr_buf text;
    database_new("target");
    sr_buf_init(&text, DUMP_MAX);
    sr_buf_adds(&text, "SELECT nonsense;\n");
    for (int i = 0; i < 200000; i++)
        sr_buf_adds(&text, "SELECT 'some text that nobody will ever read';\n");
    restore_init(&r, "target", "psql");
    CU_ASSERT_EQUAL(psql_feed(&r, text.data, text.len, 65536, &err), SR_E_CHILD);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "line 1 of the dump: ERROR:  column \"nonsense\""));
    restore_done(&r);
}

static void a_talkative_psql_does_not_block(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct restore r;
    _cleanup_buf_ struct sr_buf text;
    database_new("target");
    sr_buf_init(&text, DUMP_MAX);
    for (int i = 0; i < 5000; i++)
        sr_buf_adds(&text, "DO $$ BEGIN RAISE WARNING '%', repeat('x', 500); END $$;\n");
    sr_buf_adds(&text, "SELECT 1/0;\n");
    restore_init(&r, "target", "psql");
    CU_ASSERT_EQUAL(psql_feed(&r, text.data, text.len, 65536, &err), SR_E_CHILD);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "line 5001 of the dump: ERROR:  division by zero"));
    restore_done(&r);
}

static void hidden_commands_do_not_run(void)
{
    static const char *const commands[] = {"\\! touch %s/ran", "\\o %s/ran", "SELECT 1 \\g %s/ran",
                                           "\\unrestrict x \\! touch %s/ran"};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        struct sr_error err = SR_ERROR_INIT;
        _cleanup_buf_ struct sr_buf text;
        sr_buf_init(&text, 4096);
        sr_buf_adds(&text, "CREATE TABLE public.t ();\nCOPY public.t FROM stdin;\n\\.\n");
        const char *at = strstr(commands[i], "%s");
        sr_buf_add(&text, commands[i], (size_t)(at - commands[i]));
        sr_buf_printf(&text, "%s%s\n", spool, at + 2);
        database_new("target");
        int rc = psql_text("target", text.data, &err);
        CU_ASSERT_EQUAL(rc, SR_E_CORRUPT);
        CU_ASSERT(is_empty_dir(spool));
        value_is("target", "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", "0");
    }
}

/* pg_dump -C names a database of its own; the target is the operator's choice. */
static void a_dump_that_connects_elsewhere_is_refused(void)
{
    struct sr_error err = SR_ERROR_INIT;
    _cleanup_buf_ struct sr_buf dump;
    sr_buf_init(&dump, DUMP_MAX);
    run_into(&dump, "pg_dump", "-C", "-d", "source", NULL);
    database_new("target");
    CU_ASSERT_NOT_EQUAL(psql_text("target", dump.data, &err), SR_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "connect"));
    value_is("target", "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", "0");
}

/* The database is replaced as a whole, or not at all. */
static void cleaning_is_part_of_the_restore(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct restore r;
    const char *good = "CREATE TABLE public.fresh ();\n";
    const char *bad = "CREATE TABLE public.fresh ();\nSELECT 1/0;\n";
    database_new("target");
    sql("target", "CREATE TABLE public.old (); CREATE SCHEMA other; CREATE TABLE other.t ()");
    restore_init(&r, "target", "psql");
    r.o.clean = 1;
    CU_ASSERT_EQUAL(psql_feed(&r, bad, strlen(bad), 4096, &err), SR_E_CHILD);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "line 2 of the dump"));
    value_is("target",
             "SELECT string_agg(tablename, ',' ORDER BY 1) FROM pg_tables"
             " WHERE schemaname IN ('public', 'other')",
             "old,t");
    ASSERT_OK(psql_feed(&r, good, strlen(good), 4096, &err), err);
    restore_done(&r);
    value_is("target",
             "SELECT string_agg(tablename, ',' ORDER BY 1) FROM pg_tables"
             " WHERE schemaname IN ('public', 'other')",
             "fresh");
}

static void too_many_locks_are_told_apart(void)
{
    struct sr_error err = SR_ERROR_INIT;
    database_new("target");
    const char *text = "DO $$ BEGIN FOR i IN 1..20000 LOOP EXECUTE"
                       " format('CREATE TABLE public.t%s ()', i); END LOOP; END $$;\n";
    CU_ASSERT_EQUAL(psql_text("target", text, &err), SR_E_CHILD);
    CU_ASSERT(sr_pg_restore_needs_locks(&err));
    CU_ASSERT_EQUAL(psql_text("target", "SELECT 1/0;\n", &err), SR_E_CHILD);
    CU_ASSERT(!sr_pg_restore_needs_locks(&err));
}

static void a_cut_dump_leaves_nothing(void)
{
    _cleanup_buf_ struct sr_buf dump;
    source_dump("-Fp", &dump);
    char *marker = strstr(dump.data, "-- PostgreSQL database dump complete");
    char *copy = strstr(dump.data, "COPY public.a ");
    CU_ASSERT_FATAL(marker && copy);
    const size_t cuts[] = {(size_t)(marker - dump.data), (size_t)(marker - dump.data) + 20,
                           (size_t)(copy - dump.data) + 500};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        struct sr_error err = SR_ERROR_INIT;
        struct restore r;
        database_new("target");
        restore_init(&r, "target", "psql");
        CU_ASSERT_EQUAL(psql_feed(&r, dump.data, cuts[i], 4096, &err), SR_E_CORRUPT);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "cut off"));
        restore_done(&r);
        value_is("target", "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", "0");
    }
}

/* What ends before finish is not kept, although psql sees a clean end of its input. */
static void an_abandoned_restore_leaves_nothing(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct restore r;
    struct sr_pg_psql *p = NULL;
    const char *text = "CREATE TABLE public.t ();\n";
    database_new("target");
    restore_init(&r, "target", "psql");
    ASSERT_OK(sr_pg_psql_start(&r.o, &p, &err), err);
    ASSERT_OK(sr_pg_psql_write(p, text, strlen(text), &err), err);
    sr_pg_psql_free(p);
    sr_pg_end_backends(r.conn, APP);
    restore_done(&r);
    value_is("target", "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", "0");
    sr_pg_psql_free(NULL);
}

static void *interrupt_soon(void *arg)
{
    struct timespec t = {0, 300 * 1000 * 1000};
    (void)nanosleep(&t, NULL);
    sr_pg_psql_interrupt(arg);
    return NULL;
}

static void interrupt_ends_what_blocks(void)
{
    const char *forms[] = {"SELECT pg_sleep(600);\n", "SELECT pg_sleep(600);\n"};
    for (size_t i = 0; i < 2; i++) {
        struct sr_error err = SR_ERROR_INIT;
        struct restore r;
        struct sr_pg_psql *p = NULL;
        pthread_t thread;
        database_new("target");
        restore_init(&r, "target", "psql");
        ASSERT_OK(sr_pg_psql_start(&r.o, &p, &err), err);
        ASSERT_OK(sr_pg_psql_write(p, forms[i], strlen(forms[i]), &err), err);
        CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, interrupt_soon, p), 0);
        int rc = SR_OK;
        /* Once in finish, once in a write to a full pipe. */
        _cleanup_free_ char *filler = calloc(1, 1 << 20);
        CU_ASSERT_PTR_NOT_NULL_FATAL(filler);
        memset(filler, ' ', 1 << 20);
        for (int k = 0; k < 64 && i == 1 && rc == SR_OK; k++)
            rc = sr_pg_psql_write(p, filler, 1 << 20, &err);
        if (i == 0)
            rc = sr_pg_psql_finish(p, &err);
        CU_ASSERT_EQUAL(rc, SR_E_CANCELLED);
        CU_ASSERT_EQUAL(sr_pg_psql_finish(p, &err), SR_E_CANCELLED);
        (void)pthread_join(thread, NULL);
        sr_pg_psql_free(p);
        sr_pg_end_backends(r.conn, APP);
        restore_done(&r);
    }
}

/* --- cleaning -------------------------------------------------------------------------------- */

static void cleaning_empties_a_database(void)
{
    struct sr_error err = SR_ERROR_INIT;
    _cleanup_buf_ struct sr_buf dump;
    source_dump("-Fp", &dump);
    database_new("fresh");
    database_new("target");
    struct restore r;
    restore_init(&r, "target", "psql");
    ASSERT_OK(psql_feed(&r, dump.data, dump.len, 4096, &err), err);
    restore_done(&r);
    sql("target", "CREATE FUNCTION app.e() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';"
                  "CREATE EVENT TRIGGER \"e t\" ON sql_drop EXECUTE FUNCTION app.e();"
                  "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER srv FOREIGN DATA WRAPPER w;"
                  "CREATE CAST (integer AS public.mood) WITH INOUT;"
                  "DROP SCHEMA public CASCADE");
    _cleanup_(sr_pg_closep) struct sr_pg_conn *c = connect_to("target");
    ASSERT_OK(sr_pg_clean_database(c, &err), err);
    same_dumps("fresh", "target");
    value_is("target", "SELECT count(*) FROM pg_largeobject_metadata", "0");
    restore_init(&r, "target", "psql");
    ASSERT_OK(psql_feed(&r, dump.data, dump.len, 4096, &err), err);
    restore_done(&r);
    same_dumps("source", "target");
}

static void cleaning_stops_at_replication(void)
{
    struct sr_error err = SR_ERROR_INIT;
    database_new("target");
    sql("target", "CREATE TABLE public.t (); CREATE PUBLICATION \"p q\"");
    _cleanup_(sr_pg_closep) struct sr_pg_conn *c = connect_to("target");
    CU_ASSERT_EQUAL(sr_pg_clean_database(c, &err), SR_E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "1: publication p q"));
    value_is("target", "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", "1");
}

static void a_failed_cleaning_changes_nothing(void)
{
    struct sr_error err = SR_ERROR_INIT;
    database_new("target");
    sql("target", "CREATE SCHEMA mine; CREATE TABLE mine.t (); CREATE TABLE public.t ();"
                  "ALTER SCHEMA public OWNER TO reader");
    _cleanup_(sr_pg_closep) struct sr_pg_conn *c = connect_to("target");
    _cleanup_free_ char *ignored = NULL;
    ASSERT_OK(sr_pg_value(c, "SET ROLE reader", NULL, &ignored, &err), err);
    CU_ASSERT_EQUAL(sr_pg_clean_database(c, &err), SR_E_DATABASE);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "nothing was dropped"));
    value_is("target", "SELECT count(*) FROM pg_tables WHERE tablename = 't'", "2");
}

static const struct unit_test tests[] = {
    {"plain comes back", plain_comes_back},
    {"owners and grants as pg_dump would", owners_and_grants_as_pg_dump_would},
    {"role owns what is made", role_owns_what_is_made},
    {"errors name the line of the dump", errors_name_the_line_of_the_dump},
    {"an early end of psql is told", an_early_end_of_psql_is_told},
    {"a talkative psql does not block", a_talkative_psql_does_not_block},
    {"hidden commands do not run", hidden_commands_do_not_run},
    {"a dump that connects elsewhere is refused", a_dump_that_connects_elsewhere_is_refused},
    {"cleaning is part of the restore", cleaning_is_part_of_the_restore},
    {"too many locks are told apart", too_many_locks_are_told_apart},
    {"a cut dump leaves nothing", a_cut_dump_leaves_nothing},
    {"an abandoned restore leaves nothing", an_abandoned_restore_leaves_nothing},
    {"interrupt ends what blocks", interrupt_ends_what_blocks},
    {"cleaning empties a database", cleaning_empties_a_database},
    {"cleaning stops at replication", cleaning_stops_at_replication},
    {"a failed cleaning changes nothing", a_failed_cleaning_changes_nothing},
    {0},
};

int main(void)
{
    return live_main("restore", tests);
}
