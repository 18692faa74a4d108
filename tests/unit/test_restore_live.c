/* Real dumps into a real PostgreSQL; run by test_restore_live.sh, which starts one. */
#include "config.h"
#include "core/source/pg_clean.h"
#include "core/source/pg_restore.h"
#include "core/util/buf.h"
#include "core/util/cleanup.h"
#include "core/util/fs.h"
#include "core/util/subprocess.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define DUMP_MAX (64 << 20)
#define APP "strongroom/test-restore"

#define _cleanup_buf_ _cleanup_(sr_buf_done)
SR_DEFINE_CLEANUP(struct sr_pg_target *, sr_pg_target_free);
SR_DEFINE_CLEANUP(struct sr_pg_conn *, sr_pg_close);
SR_DEFINE_CLEANUP(struct sr_pg_psql *, sr_pg_psql_free);
SR_DEFINE_CLEANUP(struct sr_pg_archive *, sr_pg_archive_free);

static const char *need(const char *name)
{
    const char *v = getenv(name);
    if (!v) {
        (void)fprintf(stderr, "%s is not set: start test_restore_live.sh\n", name);
        exit(2);
    }
    return v;
}

static char *bin(const char *tool)
{
    return sr_fs_join(need("SR_PG_BIN"), tool);
}

/* --- the server ------------------------------------------------------------------------------ */

/* Ends the program when a command that prepares a test fails. */
__attribute__((sentinel)) static void run_into(struct sr_buf *out, const char *tool, ...)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_strlist argv = {0};
    _cleanup_free_ char *path = bin(tool);
    sr_strlist_add(&argv, path);
    va_list ap;
    va_start(ap, tool);
    for (const char *a; (a = va_arg(ap, const char *));)
        sr_strlist_add(&argv, a);
    va_end(ap);
    if (sr_child_run(argv.items, NULL, 120000, out, &err) != SR_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        exit(2);
    }
    sr_strlist_done(&argv);
}

static void sql(const char *db, const char *text)
{
    run_into(NULL, "psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", db, "-c", text, NULL);
}

static void database_new(const char *db)
{
    _cleanup_free_ char *drop = NULL, *create = NULL;
    if (asprintf(&drop, "DROP DATABASE IF EXISTS %s WITH (FORCE)", db) < 0 ||
        asprintf(&create, "CREATE DATABASE %s TEMPLATE template0", db) < 0)
        abort();
    sql("postgres", drop);
    sql("postgres", create);
}

static struct sr_pg_conn *connect_to(const char *db)
{
    struct sr_error err = SR_ERROR_INIT;
    _cleanup_(sr_pg_target_freep) struct sr_pg_target *t = NULL;
    struct sr_pg_conn *c = NULL;
    char url[512];
    (void)snprintf(url, sizeof url, "postgresql://%s:%s@%s:%s/%s", need("PGUSER"),
                   need("PGPASSWORD"), need("PGHOST"), need("PGPORT"), db);
    ASSERT_OK(sr_pg_target_from_url(url, &t, &err), err);
    ASSERT_OK(sr_pg_connect(t, NULL, &c, &err), err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    return c;
}

static void value_is(const char *db, const char *query, const char *want)
{
    struct sr_error err = SR_ERROR_INIT;
    _cleanup_(sr_pg_closep) struct sr_pg_conn *c = connect_to(db);
    _cleanup_free_ char *got = NULL;
    ASSERT_OK(sr_pg_value(c, query, NULL, &got, &err), err);
    if (!got || strcmp(got, want) != 0) {
        (void)fprintf(stderr, "%s: got %s, wanted %s\n", query, got ? got : "nothing", want);
        CU_FAIL("unexpected value");
    }
}

/* --- dumps ----------------------------------------------------------------------------------- */

/* The dump of db, without what differs from one pg_dump to the next. */
static void dump_text(const char *db, struct sr_buf *out)
{
    _cleanup_buf_ struct sr_buf raw;
    sr_buf_init(&raw, DUMP_MAX);
    sr_buf_init(out, DUMP_MAX);
    run_into(&raw, "pg_dump", "-d", db, NULL);
    for (char *p = raw.data, *end = p + raw.len, *nl; p < end; p = nl + 1) {
        nl = memchr(p, '\n', (size_t)(end - p));
        if (!nl)
            break;
        if (strncmp(p, "\\restrict ", 10) != 0 && strncmp(p, "\\unrestrict ", 12) != 0)
            sr_buf_add(out, p, (size_t)(nl - p) + 1);
    }
}

static void same_dumps(const char *a, const char *b)
{
    _cleanup_buf_ struct sr_buf x, y;
    dump_text(a, &x);
    dump_text(b, &y);
    CU_ASSERT(x.len > 500);
    if (strcmp(sr_buf_str(&x), sr_buf_str(&y)) != 0) {
        (void)fprintf(stderr, "--- %s\n%s\n--- %s\n%s\n", a, x.data, b, y.data);
        CU_FAIL("the databases differ");
    }
}

static void source_dump(const char *format, struct sr_buf *out)
{
    sr_buf_init(out, DUMP_MAX);
    run_into(out, "pg_dump", "-d", "source", format, "-Z0", NULL);
}

/* --- restoring ------------------------------------------------------------------------------- */

static char spool[] = "/tmp/restore-live-XXXXXX";

struct restore {
    struct sr_pg_conn *conn;
    struct sr_pg_tool tool;
    struct sr_pg_restore_options o;
};

static void restore_init(struct restore *r, const char *db, const char *tool)
{
    *r = (struct restore){.conn = connect_to(db)};
    r->tool.path = bin(tool);
    r->tool.version = sr_pg_server_version(r->conn);
    r->o = (struct sr_pg_restore_options){.conn = r->conn,
                                          .tool = &r->tool,
                                          .app = APP,
                                          .spool_dir = spool,
                                          .single_transaction = 1,
                                          .jobs = 1};
}

static void restore_done(struct restore *r)
{
    sr_pg_close(r->conn);
    free(r->tool.path);
}

static int psql_feed(const struct restore *r, const char *data, size_t len, size_t step,
                     struct sr_error *err)
{
    _cleanup_(sr_pg_psql_freep) struct sr_pg_psql *p = NULL;
    int rc = sr_pg_psql_start(&r->o, &p, err);
    for (size_t i = 0; i < len && rc == SR_OK; i += step)
        rc = sr_pg_psql_write(p, data + i, len - i < step ? len - i : step, err);
    return rc == SR_OK ? sr_pg_psql_finish(p, err) : rc;
}

static int archive_feed(const struct restore *r, const char *data, size_t len, size_t step,
                        struct sr_error *err)
{
    _cleanup_(sr_pg_archive_freep) struct sr_pg_archive *a = NULL;
    int rc = sr_pg_archive_new(&r->o, &a, err);
    for (size_t i = 0; i < len && rc == SR_OK; i += step)
        rc = sr_pg_archive_write(a, data + i, len - i < step ? len - i : step, err);
    return rc == SR_OK ? sr_pg_archive_finish(a, err) : rc;
}

static int psql_text(const char *db, const char *text, struct sr_error *err)
{
    struct restore r;
    restore_init(&r, db, "psql");
    int rc = psql_feed(&r, text, strlen(text), 4096, err);
    restore_done(&r);
    return rc;
}

static int is_empty_dir(const char *path)
{
    DIR *d = opendir(path);
    int n = 0;
    while (d && readdir(d))
        n++;
    if (d)
        (void)closedir(d);
    return n == 2;
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
    {"archives come back", archives_come_back},
    {"clean replaces what is there", clean_replaces_what_is_there},
    {"archives without owners and grants", archives_without_owners_and_grants},
    {"a cut archive is found", a_cut_archive_is_found},
    {"an unknown version is left to pg_restore", an_unknown_version_is_left_to_pg_restore},
    {"the spool is needed and named", the_spool_is_needed_and_named},
    {"interrupt ends an archive", interrupt_ends_an_archive},
    {"cleaning empties a database", cleaning_empties_a_database},
    {"cleaning stops at replication", cleaning_stops_at_replication},
    {"a failed cleaning changes nothing", a_failed_cleaning_changes_nothing},
    {0},
};

int main(void)
{
    _cleanup_free_ char *data = sr_fs_join(need("SR_SRCDIR"), "tests/unit/data/restore.sql");
    if (!mkdtemp(spool))
        return 2;
    database_new("source");
    run_into(NULL, "psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", "source", "-f", data, NULL);
    int rc = unit_main("restore", tests);
    (void)rmdir(spool);
    return rc;
}
