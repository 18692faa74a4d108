/* Custom archives into a real PostgreSQL. */
#include "config.h"
#include "tests/unit/restore_live.h"

#include <pthread.h>
#include <time.h>

SR_DEFINE_CLEANUP(struct sr_pg_archive *, sr_pg_archive_free);

static int archive_feed(const struct restore *r, const char *data, size_t len, size_t step,
                        struct sr_error *err)
{
    _cleanup_(sr_pg_archive_freep) struct sr_pg_archive *a = NULL;
    int rc = sr_pg_archive_new(&r->o, &a, err);
    for (size_t i = 0; i < len && rc == SR_OK; i += step)
        rc = sr_pg_archive_write(a, data + i, len - i < step ? len - i : step, err);
    return rc == SR_OK ? sr_pg_archive_finish(a, err) : rc;
}

/* --- archives -------------------------------------------------------------------------------- */

static void archives_come_back(void)
{
    _cleanup_buf_ struct sr_buf dump;
    source_dump("-Fc", &dump);
    static const struct {
        unsigned jobs;
        int single;
        size_t step;
    } cases[] = {{1, 1, 1 << 20}, {0, 0, 100}, {2, 1, 1 << 20}, {2, 0, 101}, {4, 0, 4096}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sr_error err = SR_ERROR_INIT;
        struct restore r;
        database_new("target");
        restore_init(&r, "target", "pg_restore");
        r.o.jobs = cases[i].jobs;
        r.o.single_transaction = cases[i].single;
        ASSERT_OK(archive_feed(&r, dump.data, dump.len, cases[i].step, &err), err);
        restore_done(&r);
        same_dumps("source", "target");
        CU_ASSERT(is_empty_dir(spool));
    }
}

static void clean_replaces_what_is_there(void)
{
    _cleanup_buf_ struct sr_buf dump;
    source_dump("-Fc", &dump);
    for (unsigned jobs = 1; jobs <= 2; jobs++) {
        struct sr_error err = SR_ERROR_INIT;
        struct restore r;
        database_new("target");
        restore_init(&r, "target", "pg_restore");
        r.o.jobs = jobs;
        r.o.clean = r.o.if_exists = 1;
        ASSERT_OK(archive_feed(&r, dump.data, dump.len, 4096, &err), err);
        sql("target", "DELETE FROM public.\"b \"\"c\"; UPDATE public.a SET t = 'changed'");
        ASSERT_OK(archive_feed(&r, dump.data, dump.len, 4096, &err), err);
        r.o.clean = 0;
        CU_ASSERT_EQUAL(archive_feed(&r, dump.data, dump.len, 4096, &err), SR_E_CHILD);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "already exists"));
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "pg_restore failed (exit status 1): pg_restore: "
                                                "error: could not execute query: ERROR:"));
        restore_done(&r);
        same_dumps("source", "target");
    }
}

static void archives_without_owners_and_grants(void)
{
    _cleanup_buf_ struct sr_buf dump;
    source_dump("-Fc", &dump);
    struct sr_error err = SR_ERROR_INIT;
    struct restore r;
    database_new("target");
    sql("target", "GRANT ALL ON DATABASE target TO reader; GRANT ALL ON SCHEMA public TO reader");
    restore_init(&r, "target", "pg_restore");
    r.o.jobs = 2;
    r.o.no_owner = r.o.no_acl = 1;
    r.o.role = "reader";
    int rc = archive_feed(&r, dump.data, dump.len, 4096, &err);
    ASSERT_OK(rc, err);
    restore_done(&r);
    value_is("target",
             "SELECT string_agg(DISTINCT tableowner, ',') FROM pg_tables"
             " WHERE schemaname = 'public'",
             "reader");
    value_is("target",
             "SELECT count(relacl) FROM pg_class c JOIN pg_namespace n"
             " ON n.oid = relnamespace WHERE nspname = 'public'",
             "0");
}

static void a_cut_archive_is_found(void)
{
    _cleanup_buf_ struct sr_buf dump;
    source_dump("-Fc", &dump);
    for (unsigned jobs = 1; jobs <= 2; jobs++) {
        for (size_t cut = 0; cut < dump.len; cut += 1 + dump.len / 7) {
            struct sr_error err = SR_ERROR_INIT;
            struct restore r;
            database_new("target");
            restore_init(&r, "target", "pg_restore");
            r.o.jobs = jobs;
            int rc = archive_feed(&r, dump.data, cut, 4096, &err);
            CU_ASSERT(rc == SR_E_CORRUPT || rc == SR_E_CHILD);
            restore_done(&r);
            if (jobs == 1)
                value_is("target", "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'",
                         "0");
        }
    }
}

static void an_unknown_version_is_left_to_pg_restore(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct restore r;
    _cleanup_buf_ struct sr_buf dump;
    source_dump("-Fc", &dump);
    dump.data[6] = 99;
    database_new("target");
    restore_init(&r, "target", "pg_restore");
    r.o.jobs = 2;
    CU_ASSERT_EQUAL(archive_feed(&r, dump.data, dump.len, 4096, &err), SR_E_CHILD);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "unsupported version (1.99) in file header"));
    restore_done(&r);
}

static void the_spool_is_needed_and_named(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct restore r;
    struct sr_pg_archive *a = NULL;
    restore_init(&r, "source", "pg_restore");
    r.o.jobs = 2;
    r.o.spool_dir = "/nonexistent";
    CU_ASSERT_EQUAL(sr_pg_archive_new(&r.o, &a, &err), SR_E_NOT_FOUND);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/nonexistent"));
    CU_ASSERT_PTR_NULL(a);
    restore_done(&r);
    sr_pg_archive_free(NULL);
}

static void interrupt_ends_an_archive(void)
{
    _cleanup_buf_ struct sr_buf dump;
    source_dump("-Fc", &dump);
    for (unsigned jobs = 1; jobs <= 2; jobs++) {
        struct sr_error err = SR_ERROR_INIT;
        struct restore r;
        struct sr_pg_archive *a = NULL;
        database_new("target");
        restore_init(&r, "target", "pg_restore");
        r.o.jobs = jobs;
        ASSERT_OK(sr_pg_archive_new(&r.o, &a, &err), err);
        ASSERT_OK(sr_pg_archive_write(a, dump.data, dump.len / 2, &err), err);
        sr_pg_archive_interrupt(a);
        CU_ASSERT_EQUAL(sr_pg_archive_write(a, dump.data, 1, &err), SR_E_CANCELLED);
        CU_ASSERT_EQUAL(sr_pg_archive_finish(a, &err), SR_E_CANCELLED);
        sr_pg_archive_free(a);
        sr_pg_end_backends(r.conn, APP);
        restore_done(&r);
    }
}

/* --- tables that are restored while the archive unpacks -------------------------------------- */

/* Two large tables of which one refers to the other, and small ones around them. */
static void large_dump(struct sr_buf *out)
{
    database_new("large");
    sql("large", "CREATE TABLE public.a_small (x integer PRIMARY KEY);"
                 "CREATE TABLE public.b_large (id integer PRIMARY KEY, t text);"
                 "CREATE TABLE public.c_large (id integer REFERENCES public.b_large, t text);"
                 "CREATE TABLE public.d_small (x serial);"
                 "INSERT INTO public.a_small SELECT generate_series(1, 10);"
                 "INSERT INTO public.b_large SELECT g, repeat('x', 200)"
                 " FROM generate_series(1, 60000) g;"
                 "INSERT INTO public.c_large SELECT g, repeat('y', 200)"
                 " FROM generate_series(1, 60000) g;"
                 "INSERT INTO public.d_small SELECT FROM generate_series(1, 7);"
                 "SELECT lo_from_bytea(0, 'content')");
    sr_buf_init(out, DUMP_MAX);
    run_into(out, "pg_dump", "-d", "large", "-Fc", "-Z0", NULL);
}

/* The archive up to its middle, where the first large table passes; pre-data is in then. */
static struct sr_pg_archive *half_way(const struct restore *r, const struct sr_buf *dump,
                                      size_t *ret_fed)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_pg_archive *a = NULL;
    struct sr_pg_archive_progress p = {0};
    const struct timespec moment = {0, 1000000};
    *ret_fed = 1 << 20;
    ASSERT_OK(sr_pg_archive_new(&r->o, &a, &err), err);
    ASSERT_OK(sr_pg_archive_write(a, dump->data, *ret_fed, &err), err);
    for (int i = 0; i < 60000 && !p.pre_data_done; i++) {
        ASSERT_OK(sr_pg_archive_write(a, "", 0, &err), err);
        sr_pg_archive_progress(a, &p);
        (void)nanosleep(&moment, NULL);
    }
    CU_ASSERT_FATAL(p.pre_data_done);
    return a;
}

/* In pieces; SR_OK, or the first failure. */
static int feed_on(struct sr_pg_archive *a, const struct sr_buf *dump, size_t from, size_t to,
                   struct sr_error *err)
{
    int rc = SR_OK;
    for (size_t n; from < to && rc == SR_OK; from += n) {
        n = to - from < 100000 ? to - from : 100000;
        rc = sr_pg_archive_write(a, dump->data + from, n, err);
    }
    return rc;
}

static unsigned tables_ahead(const struct sr_pg_archive *a)
{
    struct sr_pg_archive_progress p;
    sr_pg_archive_progress(a, &p);
    return p.tables_ahead;
}

static void large_tables_do_not_wait_for_the_unpacking(void)
{
    _cleanup_buf_ struct sr_buf dump;
    large_dump(&dump);
    for (unsigned jobs = 2; jobs <= 3; jobs++) {
        struct sr_error err = SR_ERROR_INIT;
        struct restore r;
        size_t fed = 0;
        database_new("target");
        restore_init(&r, "target", "pg_restore");
        r.o.jobs = jobs;
        struct sr_pg_archive *a = half_way(&r, &dump, &fed);
        ASSERT_OK(feed_on(a, &dump, fed, dump.len, &err), err);
        CU_ASSERT_EQUAL(tables_ahead(a), 2);
        ASSERT_OK(sr_pg_archive_finish(a, &err), err);
        sr_pg_archive_free(a);
        restore_done(&r);
        same_dumps("large", "target");
    }
}

/* Nothing is lost and nothing comes twice, whenever a table that runs ahead comes to its end. */
static void a_table_may_end_before_the_archive_does(void)
{
    _cleanup_buf_ struct sr_buf dump;
    large_dump(&dump);
    struct sr_error err = SR_ERROR_INIT;
    struct restore r;
    size_t fed = 0;
    database_new("target");
    restore_init(&r, "target", "pg_restore");
    r.o.jobs = 2;
    struct sr_pg_archive *a = half_way(&r, &dump, &fed);
    char *second = memmem(dump.data, dump.len, "yyyyyyyy", 8);
    CU_ASSERT_PTR_NOT_NULL_FATAL(second);
    size_t stop = (size_t)(second - dump.data) + 1000;
    ASSERT_OK(feed_on(a, &dump, fed, stop, &err), err);
    CU_ASSERT_EQUAL(tables_ahead(a), 1);
    _cleanup_(sr_pg_closep) struct sr_pg_conn *c = connect_to("target");
    _cleanup_free_ char *rows = NULL;
    for (int i = 0; i < 60000 && (!rows || strcmp(rows, "60000") != 0); i++) {
        ASSERT_OK(sr_pg_archive_write(a, "", 0, &err), err);
        free(sr_steal_ptr(rows));
        ASSERT_OK(sr_pg_value(c, "SELECT count(*) FROM public.b_large", NULL, &rows, &err), err);
    }
    CU_ASSERT_STRING_EQUAL(rows, "60000");
    ASSERT_OK(feed_on(a, &dump, stop, dump.len, &err), err);
    ASSERT_OK(sr_pg_archive_finish(a, &err), err);
    sr_pg_archive_free(a);
    restore_done(&r);
    same_dumps("large", "target");
}

/* Holds up the rows of c_large until everything else that may be restored beside them is there. */
#define LOOKS 2000
struct holder {
    struct sr_pg_conn *conn;
    int index_seen;
};

static void *hold_then_release(void *arg)
{
    struct holder *h = arg;
    struct sr_error err = SR_ERROR_INIT;
    int looks = 0;
    /* Once the small table after it is in, a restore that does not wait begins with the indexes. */
    for (int i = 0; i < 60000 && looks < LOOKS; i++) {
        _cleanup_free_ char *rows = NULL, *indexes = NULL;
        if (sr_pg_value(h->conn, "SELECT count(*) FROM public.d_small", NULL, &rows, &err) !=
                SR_OK ||
            sr_pg_value(h->conn,
                        "SELECT count(*) FROM pg_index WHERE indrelid::regclass::text"
                        " LIKE 'public.%_large'",
                        NULL, &indexes, &err) != SR_OK)
            break;
        looks += strcmp(rows, "7") == 0;
        h->index_seen |= strcmp(indexes, "0") != 0;
    }
    if (looks < LOOKS)
        h->index_seen = -1;
    _cleanup_free_ char *ignored = NULL;
    (void)sr_pg_value(h->conn, "SELECT pg_advisory_unlock(1)", NULL, &ignored, &err);
    return NULL;
}

static void no_index_is_made_before_its_rows_are_there(void)
{
    _cleanup_buf_ struct sr_buf dump;
    large_dump(&dump);
    struct sr_error err = SR_ERROR_INIT;
    struct restore r;
    size_t fed = 0;
    pthread_t thread;
    database_new("target");
    restore_init(&r, "target", "pg_restore");
    r.o.jobs = 2;
    struct sr_pg_archive *a = half_way(&r, &dump, &fed);
    _cleanup_(sr_pg_closep) struct sr_pg_conn *c = connect_to("target");
    struct holder h = {.conn = c};
    sql("target", "CREATE FUNCTION public.wait() RETURNS trigger LANGUAGE plpgsql AS"
                  " 'BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NEW; END';"
                  "CREATE TRIGGER wait BEFORE INSERT ON public.c_large FOR EACH ROW"
                  " EXECUTE FUNCTION public.wait()");
    _cleanup_free_ char *locked = NULL;
    ASSERT_OK(sr_pg_value(c, "SELECT pg_advisory_lock(1)", NULL, &locked, &err), err);
    ASSERT_OK(feed_on(a, &dump, fed, dump.len, &err), err);
    CU_ASSERT_EQUAL(tables_ahead(a), 2);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, hold_then_release, &h), 0);
    ASSERT_OK(sr_pg_archive_finish(a, &err), err);
    (void)pthread_join(thread, NULL);
    CU_ASSERT_EQUAL(h.index_seen, 0);
    sr_pg_archive_free(a);
    restore_done(&r);
    sql("target", "DROP TRIGGER wait ON public.c_large; DROP FUNCTION public.wait()");
    same_dumps("large", "target");
}

/* Rows that cannot go in end the restore; the archive that still comes is not fed on. */
static void a_table_ahead_that_fails_ends_the_restore(void)
{
    _cleanup_buf_ struct sr_buf dump;
    large_dump(&dump);
    struct sr_error err = SR_ERROR_INIT;
    struct restore r;
    size_t fed = 0;
    database_new("target");
    restore_init(&r, "target", "pg_restore");
    r.o.jobs = 2;
    struct sr_pg_archive *a = half_way(&r, &dump, &fed);
    sql("target", "ALTER TABLE public.b_large ADD CONSTRAINT less CHECK (id < 1000)");
    int rc = feed_on(a, &dump, fed, dump.len, &err);
    if (rc == SR_OK)
        rc = sr_pg_archive_finish(a, &err);
    CU_ASSERT_EQUAL(rc, SR_E_CHILD);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "violates check constraint \"less\""));
    CU_ASSERT_EQUAL(sr_pg_archive_finish(a, &err), SR_E_CHILD);
    sr_pg_archive_free(a);
    restore_done(&r);
}

static void an_archive_that_is_cut_or_makes_no_sense_behind_it_fails(void)
{
    _cleanup_buf_ struct sr_buf dump;
    large_dump(&dump);
    const char *why[] = {"in the middle of a table's data", "is no archive: a block of data"};
    for (size_t i = 0; i < 2; i++) {
        struct sr_error err = SR_ERROR_INIT;
        struct restore r;
        size_t fed = 0;
        database_new("target");
        restore_init(&r, "target", "pg_restore");
        r.o.jobs = 2;
        struct sr_pg_archive *a = half_way(&r, &dump, &fed);
        char *second = memmem(dump.data, dump.len, "yyyyyyyy", 8);
        CU_ASSERT_PTR_NOT_NULL_FATAL(second);
        size_t stop = (size_t)(second - dump.data) - 5000;
        ASSERT_OK(feed_on(a, &dump, fed, stop, &err), err);
        CU_ASSERT_EQUAL(tables_ahead(a), 1);
        int rc = SR_OK;
        if (i == 1) {
            /* To the block's end, then what begins like no block. */
            char *last = memmem(dump.data + stop, dump.len - stop, "\n\0\0\0\0\0", 6);
            CU_ASSERT_PTR_NOT_NULL_FATAL(last);
            rc = feed_on(a, &dump, stop, (size_t)(last - dump.data) + 6, &err);
            if (rc == SR_OK)
                rc = sr_pg_archive_write(a, "\x09\x09\x09", 3, &err);
        }
        if (rc == SR_OK)
            rc = sr_pg_archive_finish(a, &err);
        CU_ASSERT_EQUAL(rc, SR_E_CORRUPT);
        if (!strstr(err.text, why[i])) {
            (void)fprintf(stderr, "got: %s\n", err.text);
            CU_FAIL("another message");
        }
        sr_pg_archive_free(a);
        sr_pg_end_backends(r.conn, APP);
        restore_done(&r);
    }
}

static void interrupt_ends_a_table_ahead(void)
{
    _cleanup_buf_ struct sr_buf dump;
    large_dump(&dump);
    struct sr_error err = SR_ERROR_INIT;
    struct restore r;
    size_t fed = 0;
    database_new("target");
    restore_init(&r, "target", "pg_restore");
    r.o.jobs = 2;
    struct sr_pg_archive *a = half_way(&r, &dump, &fed);
    ASSERT_OK(feed_on(a, &dump, fed, 10 << 20, &err), err);
    CU_ASSERT_EQUAL(tables_ahead(a), 1);
    sr_pg_archive_interrupt(a);
    CU_ASSERT_EQUAL(feed_on(a, &dump, 10 << 20, dump.len, &err), SR_E_CANCELLED);
    CU_ASSERT_EQUAL(sr_pg_archive_finish(a, &err), SR_E_CANCELLED);
    sr_pg_archive_free(a);
    sr_pg_end_backends(r.conn, APP);
    value_is("postgres", "SELECT count(*) FROM pg_stat_activity WHERE application_name = '" APP "'",
             "0");
    restore_done(&r);
}

static const struct unit_test tests[] = {
    {"archives come back", archives_come_back},
    {"clean replaces what is there", clean_replaces_what_is_there},
    {"archives without owners and grants", archives_without_owners_and_grants},
    {"a cut archive is found", a_cut_archive_is_found},
    {"an unknown version is left to pg_restore", an_unknown_version_is_left_to_pg_restore},
    {"the spool is needed and named", the_spool_is_needed_and_named},
    {"interrupt ends an archive", interrupt_ends_an_archive},
    {"large tables do not wait for the unpacking", large_tables_do_not_wait_for_the_unpacking},
    {"a table may end before the archive does", a_table_may_end_before_the_archive_does},
    {"no index is made before its rows are there", no_index_is_made_before_its_rows_are_there},
    {"a table ahead that fails ends the restore", a_table_ahead_that_fails_ends_the_restore},
    {"an archive that is cut or makes no sense behind it fails",
     an_archive_that_is_cut_or_makes_no_sense_behind_it_fails},
    {"interrupt ends a table ahead", interrupt_ends_a_table_ahead},
    {0},
};

int main(void)
{
    return live_main("archive", tests);
}
