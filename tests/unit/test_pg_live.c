/* The PostgreSQL source against a real server; run by pg_live.sh, which starts one and sets PGHOST,
 * PGPORT, PGUSER (a superuser) and PGPASSWORD. */
#include "config.h"
#include "core/config/config.h"
#include "core/source/pg_conn.h"
#include "core/source/pg_dump.h"
#include "core/source/pg_preflight.h"
#include "core/source/pg_query.h"
#include "core/source/pg_rows.h"
#include "core/source/pg_scratch.h"
#include "core/source/pg_tools.h"
#include "core/util/buf.h"
#include "core/util/clock.h"
#include "core/util/fs.h"
#include "core/util/log.h"
#include "core/util/subprocess.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ODD "a b'\"=%@#:/?\\"
#define ODD_PASSWORD "p@s/s #%'\"\\w=:?"
#define WAIT_SECONDS 40

#define OK(call)                                             \
    do {                                                     \
        struct sr_error ok_err = SR_ERROR_INIT;              \
        struct sr_error *e_ = &ok_err;                       \
        int ok_rc = (call);                                  \
        if (ok_rc != SR_OK)                                  \
            fprintf(stderr, "%d: %s\n", __LINE__, e_->text); \
        CU_ASSERT_EQUAL_FATAL(ok_rc, SR_OK);                 \
    } while (0)

/* --- the server --- */

static struct sr_pg_target *target_of(const char *conninfo)
{
    struct sr_pg_target *t = NULL;
    OK(sr_pg_target_from_url(conninfo, &t, e_));
    return t;
}

static struct sr_pg_conn *connect_to(const char *conninfo)
{
    struct sr_pg_target *t = target_of(conninfo);
    struct sr_pg_conn *c = NULL;
    OK(sr_pg_connect(t, NULL, &c, e_));
    sr_pg_target_free(t);
    return c;
}

static void sql(struct sr_pg_conn *c, const char *text)
{
    OK(sr_pg_command(c, text, e_));
}

static long number(struct sr_pg_conn *c, const char *text)
{
    char *value = NULL;
    OK(sr_pg_value(c, text, NULL, &value, e_));
    long n = value ? atol(value) : -1;
    free(value);
    return n;
}

/* Asks until the answer is `want`, at most WAIT_SECONDS; nonzero when it came. */
static int becomes(struct sr_pg_conn *c, const char *text, long want)
{
    int64_t end = sr_clock_monotonic(&sr_clock_system) + (int64_t)WAIT_SECONDS * 1000000000;
    while (number(c, text) != want) {
        struct timespec pause = {0, 20000000};
        if (sr_clock_monotonic(&sr_clock_system) > end)
            return 0;
        nanosleep(&pause, NULL);
    }
    return 1;
}

/* A database of its own for a test, made anew. */
static struct sr_pg_conn *fresh(const char *name)
{
    struct sr_pg_conn *admin = connect_to("dbname=postgres");
    char *quoted = sr_pg_quote_ident(admin, name), text[512];
    snprintf(text, sizeof text, "DROP DATABASE IF EXISTS %s WITH (FORCE)", quoted);
    sql(admin, text);
    snprintf(text, sizeof text, "CREATE DATABASE %s", quoted);
    sql(admin, text);
    sr_pg_close(admin);
    free(quoted);
    struct sr_pg_target *t = target_of("dbname=postgres");
    struct sr_pg_conn *c = NULL;
    OK(sr_pg_connect(t, name, &c, e_));
    sr_pg_target_free(t);
    return c;
}

static struct sr_config *config_with(const char *const *settings)
{
    struct sr_strlist flags = {0};
    struct sr_config *c = NULL;
    for (; settings && *settings; settings++)
        sr_strlist_add(&flags, *settings);
    struct sr_config_options o = {
        .config_file = "/dev/null", .env_file = "/dev/null", .flags = &flags};
    OK(sr_config_new(&o, &c, e_));
    sr_strlist_done(&flags);
    return c;
}

static struct sr_pg_tool tool(enum sr_pg_tool_kind kind)
{
    struct sr_config *cfg = config_with(NULL);
    struct sr_pg_tool t = {0};
    OK(sr_pg_tool_find(cfg, kind, 0, &t, e_));
    sr_config_free(cfg);
    return t;
}

/* --- connecting --- */

static void odd_names_and_passwords(void)
{
    struct sr_pg_conn *c = fresh(ODD), *mine = NULL;
    struct sr_strlist env = {0};
    struct sr_buf out;
    char *user = sr_pg_quote_ident(c, ODD), *password = PQescapeLiteral(c->pg, ODD_PASSWORD, 15);
    char text[512], url[512];
    char *found = NULL;
    CU_ASSERT_EQUAL(strlen(ODD_PASSWORD), 15);
    snprintf(text, sizeof text, "CREATE ROLE %s LOGIN PASSWORD %s", user, password);
    sql(c, text);
    /* The password as it is, the database as it must be in a URL. */
    snprintf(url, sizeof url,
             "postgresql+asyncpg://a%%20b'%%22%%3D%%25%%40%%23%%3A%%2F%%3F%%5C:%s@%s:%s/"
             "a%%20b'\"=%%25@#:%%2F%%3F\\",
             ODD_PASSWORD, sr_pg_host(c), sr_pg_port(c));
    mine = connect_to(url);
    CU_ASSERT_STRING_EQUAL(sr_pg_database(mine), ODD);
    CU_ASSERT_STRING_EQUAL(sr_pg_user(mine), ODD);
    OK(sr_pg_child_env(mine, "app", "-c work_mem=1234", &env, e_));
    sr_buf_init(&out, 4096);
    OK(sr_program_find("psql", &found, e_));
    struct sr_pg_tool psql = tool(SR_PG_PSQL);
    char *const argv[] = {psql.path, (char *)"-XAtc",
                          (char *)"SELECT current_database(), current_user, "
                                  "current_setting('application_name'), "
                                  "current_setting('work_mem')",
                          NULL};
    /* What the environment says must not matter any more. */
    setenv("PGSERVICE", "none", 1);
    OK(sr_child_run(argv, &env, 30000, &out, e_));
    unsetenv("PGSERVICE");
    CU_ASSERT_STRING_EQUAL(sr_buf_str(&out), ODD "|" ODD "|app|1234kB\n");
    sr_buf_done(&out);
    sr_strlist_done(&env);
    sr_pg_tool_done(&psql);
    sr_pg_close(mine);
    PQfreemem(password);
    free(user);
    free(found);
    sr_pg_close(c);
}

static void passfile_and_service(void)
{
    char dir[] = "/tmp/sr-live-XXXXXX", pass[256], service[256], text[512];
    struct sr_pg_conn *admin = connect_to("dbname=postgres"), *c = NULL;
    struct sr_pg_target *t = NULL;
    struct sr_strlist env = {0};
    char *note = NULL, *old = strdup(getenv("PGPASSWORD"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
    snprintf(pass, sizeof pass, "%s/pass", dir);
    snprintf(service, sizeof service, "%s/service", dir);
    FILE *f = fopen(pass, "w");
    fprintf(f, "*:*:*:%s:%s\n", getenv("PGUSER"), old);
    fclose(f);
    chmod(pass, 0600);
    f = fopen(service, "w");
    fprintf(f, "[live]\nhost=%s\nport=%s\ndbname=template1\n", sr_pg_host(admin),
            sr_pg_port(admin));
    fclose(f);
    unsetenv("PGPASSWORD");
    char pf[300], sf[300];
    snprintf(pf, sizeof pf, "PGPASSFILE=%s", pass);
    snprintf(sf, sizeof sf, "PGSERVICEFILE=%s", service);
    const char *settings[] = {pf, sf, "PGSERVICE=live", NULL};
    struct sr_config *cfg = config_with(settings);
    OK(sr_pg_target_from_config(cfg, &note, &t, e_));
    free(note);
    OK(sr_pg_connect(t, NULL, &c, e_));
    CU_ASSERT_STRING_EQUAL(sr_pg_database(c), "template1");
    OK(sr_pg_child_env(c, "app", NULL, &env, e_));
    snprintf(text, sizeof text, "PGPASSWORD=%s", old);
    CU_ASSERT(sr_strlist_has(&env, text));
    CU_ASSERT(sr_strlist_has(&env, "PGSERVICE"));
    CU_ASSERT(sr_strlist_has(&env, "PGDATABASE=template1"));
    setenv("PGPASSWORD", old, 1);
    sr_config_free(cfg);
    sr_pg_target_free(t);
    sr_pg_close(c);
    sr_pg_close(admin);
    sr_strlist_done(&env);
    free(old);
    unlink(pass);
    unlink(service);
    rmdir(dir);
}

static void failures_to_connect_are_told(void)
{
    struct sr_pg_conn *c = NULL;
    struct sr_error err = SR_ERROR_INIT;
    struct sr_pg_target *t = target_of("postgres://someone:SECRET@127.0.0.1:1/gone");
    CU_ASSERT_EQUAL(sr_pg_connect(t, NULL, &c, &err), SR_E_DATABASE);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "someone@127.0.0.1:1/gone"));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "refused"));
    CU_ASSERT_PTR_NULL(strstr(err.text, "SECRET"));
    CU_ASSERT_STRING_EQUAL(sr_pg_target_text(t), "someone@127.0.0.1:1/gone");
    sr_pg_target_free(t);
    t = target_of("dbname=no_such_database");
    CU_ASSERT_EQUAL(sr_pg_connect(t, NULL, &c, &err), SR_E_DATABASE);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "no_such_database"));
    sr_pg_target_free(t);
    c = connect_to("dbname=postgres");
    CU_ASSERT_EQUAL(sr_pg_command(c, "SELECT 1/0", &err), SR_E_DATABASE);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "division by zero"));
    sr_pg_close(c);
}

static void databases_and_facts(void)
{
    struct sr_pg_conn *c = fresh("live facts");
    struct sr_strlist all = {0}, extensions = {0}, owners = {0};
    uint64_t size = 0;
    OK(sr_pg_databases(c, &all, e_));
    CU_ASSERT(sr_strlist_has(&all, "live facts") && sr_strlist_has(&all, "postgres"));
    CU_ASSERT(!sr_strlist_has(&all, "template0") && !sr_strlist_has(&all, "template1"));
    OK(sr_pg_facts(c, &extensions, &owners, &size, e_));
    CU_ASSERT(extensions.len >= 1 && strncmp(extensions.items[0], "plpgsql ", 8) == 0);
    CU_ASSERT(sr_strlist_has(&owners, getenv("PGUSER")));
    CU_ASSERT(size > 1000000);
    CU_ASSERT(sr_pg_server_version(c) >= 90600);
    CU_ASSERT_EQUAL(atoi(sr_pg_server_version_text(c)), sr_pg_server_version(c) / 10000);
    sr_strlist_done(&all);
    sr_strlist_done(&extensions);
    sr_strlist_done(&owners);
    sr_pg_close(c);
}

static void one_run_per_database(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_pg_conn *a = fresh("live lock"), *b = connect_to("dbname='live lock'"),
                      *other = connect_to("dbname=postgres");
    OK(sr_pg_lock(a, e_));
    CU_ASSERT_EQUAL(sr_pg_lock(b, &err), SR_E_BUSY);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "live lock"));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "strongroom control"));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "Z"));
    OK(sr_pg_lock(other, e_));
    sr_pg_close(a);
    /* Closing is seen by the server a moment later. */
    CU_ASSERT(becomes(b,
                      "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
                      "WHERE l.locktype = 'advisory' AND d.datname = 'live lock'",
                      0));
    OK(sr_pg_lock(b, e_));
    sr_pg_close(b);
    sr_pg_close(other);
}

/* --- dumping --- */

struct dumped {
    struct sr_buf all;
    int rc;
    struct sr_error err;
};

static int read_all(struct sr_pg_dump *d, struct sr_buf *all, struct sr_error *err)
{
    static char chunk[1 << 16];
    for (;;) {
        size_t n = 0;
        int rc = sr_pg_dump_read(d, chunk, sizeof chunk, &n, err);
        if (rc != SR_OK || n == 0)
            return rc;
        if (all && sr_buf_add(all, chunk, n) != SR_OK)
            return sr_fail(err, SR_E_NO_SPACE, "more than the test takes");
    }
}

static struct sr_pg_dump_options options(struct sr_pg_conn *c, const struct sr_pg_tool *t,
                                         enum sr_dump_format format)
{
    return (struct sr_pg_dump_options){
        .conn = c, .tool = t, .format = format, .app = "strongroom/live", .lock_wait = 30};
}

static struct dumped dump(const struct sr_pg_dump_options *o)
{
    struct dumped r = {.rc = SR_OK};
    struct sr_pg_dump *d = NULL;
    sr_buf_init(&r.all, 64 << 20);
    r.rc = sr_pg_dump_start(o, &d, &r.err);
    if (r.rc == SR_OK)
        r.rc = read_all(d, &r.all, &r.err);
    if (r.rc == SR_OK) {
        size_t n = 1;
        /* The end stays the end. */
        CU_ASSERT_EQUAL(sr_pg_dump_read(d, &n, sizeof n, &n, NULL), SR_OK);
        CU_ASSERT_EQUAL(n, 0);
        CU_ASSERT_STRING_EQUAL(sr_pg_dump_stderr(d), "");
    }
    sr_pg_dump_free(d);
    return r;
}

static uint64_t rows_of(const struct sr_pg_scan *s, const char *table)
{
    for (size_t i = 0; i < sr_pg_scan_tables(s); i++) {
        uint64_t rows = 0;
        if (strcmp(sr_pg_scan_table(s, i, &rows), table) == 0)
            return rows;
    }
    return UINT64_MAX;
}

static struct sr_pg_conn *filled(const char *name)
{
    struct sr_pg_conn *c = fresh(name);
    sql(c, "CREATE TABLE public.users (id serial PRIMARY KEY, name text)");
    sql(c, "INSERT INTO public.users (name) SELECT E'\\\\.\\n' || i FROM "
           "generate_series(1, 20000) i");
    sql(c, "CREATE SCHEMA \"My Schema\"");
    sql(c, "CREATE TABLE \"My Schema\".\"a \"\"b\" (x text)");
    sql(c, "INSERT INTO \"My Schema\".\"a \"\"b\" VALUES ('it''s'), (E'\\\\! x')");
    sql(c, "CREATE TABLE public.empty (x text)");
    sql(c, "CREATE FUNCTION public.f() RETURNS text LANGUAGE sql AS $_$ SELECT '\\! $$'::text $_$");
    return c;
}

static void check_rows(const struct sr_pg_scan *s)
{
    CU_ASSERT_EQUAL(sr_pg_scan_tables(s), 3);
    CU_ASSERT_EQUAL(rows_of(s, "public.users"), 20000);
    CU_ASSERT_EQUAL(rows_of(s, "public.empty"), 0);
    CU_ASSERT_EQUAL(rows_of(s, "\"My Schema\".\"a \"\"b\""), 2);
}

static void plain_and_custom_and_globals(void)
{
    struct sr_pg_conn *c = filled("live ='dump");
    struct sr_pg_tool dump_tool = tool(SR_PG_DUMP), all_tool = tool(SR_PG_DUMPALL),
                      restore_tool = tool(SR_PG_RESTORE);
    struct sr_pg_dump_options o = options(c, &dump_tool, SR_DUMP_PLAIN);
    struct sr_pg_scan *s = NULL;
    struct dumped r = dump(&o);
    CU_ASSERT_STRING_EQUAL(r.err.text, "");
    CU_ASSERT_EQUAL_FATAL(r.rc, SR_OK);
    OK(sr_pg_scan_new(SR_SCAN_ROWS | SR_SCAN_GUARD | SR_SCAN_STRICT, &s, e_));
    OK(sr_pg_scan_feed(s, r.all.data, r.all.len, e_));
    OK(sr_pg_scan_end(s, e_));
    CU_ASSERT(sr_pg_scan_complete(s) && sr_pg_scan_is_dump(s));
    check_rows(s);
    sr_pg_scan_free(s);
    sr_buf_done(&r.all);

    o.format = SR_DUMP_CUSTOM;
    r = dump(&o);
    CU_ASSERT_EQUAL_FATAL(r.rc, SR_OK);
    struct sr_pg_rows *rows = NULL;
    OK(sr_pg_rows_start(&restore_tool, &rows, e_));
    for (size_t i = 0; i < r.all.len; i += 10000)
        OK(sr_pg_rows_feed(rows, r.all.data + i, r.all.len - i < 10000 ? r.all.len - i : 10000,
                           e_));
    OK(sr_pg_rows_end(rows, e_));
    check_rows(sr_pg_rows_scan(rows));
    sr_pg_rows_free(rows);

    /* An archive cut off, or damaged, fails; one that is left alone ends quietly. */
    struct sr_error err = SR_ERROR_INIT;
    OK(sr_pg_rows_start(&restore_tool, &rows, e_));
    OK(sr_pg_rows_feed(rows, r.all.data, r.all.len / 2, e_));
    CU_ASSERT_EQUAL(sr_pg_rows_end(rows, &err), SR_E_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "pg_restore"));
    sr_pg_rows_free(rows);
    OK(sr_pg_rows_start(&restore_tool, &rows, e_));
    static char garbage[1 << 21];
    memset(garbage, 'x', sizeof garbage);
    int rc = sr_pg_rows_feed(rows, garbage, sizeof garbage, &err);
    if (rc == SR_OK)
        rc = sr_pg_rows_end(rows, &err);
    CU_ASSERT_EQUAL(rc, SR_E_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "not appear to be a valid archive"));
    sr_pg_rows_free(rows);
    OK(sr_pg_rows_start(&restore_tool, &rows, e_));
    OK(sr_pg_rows_feed(rows, r.all.data, 100, e_));
    sr_pg_rows_free(rows);
    sr_buf_done(&r.all);

    o.format = SR_DUMP_GLOBALS;
    o.tool = &all_tool;
    r = dump(&o);
    CU_ASSERT_STRING_EQUAL(r.err.text, "");
    CU_ASSERT_EQUAL_FATAL(r.rc, SR_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(r.all.data, "PASSWORD 'SCRAM"));
    sr_buf_done(&r.all);
    o.no_role_passwords = 1;
    r = dump(&o);
    CU_ASSERT_EQUAL_FATAL(r.rc, SR_OK);
    CU_ASSERT_PTR_NULL(strstr(r.all.data, "PASSWORD 'SCRAM"));
    sr_buf_done(&r.all);
    sr_pg_tool_done(&dump_tool);
    sr_pg_tool_done(&all_tool);
    sr_pg_tool_done(&restore_tool);
    sr_pg_close(c);
}

static void selections_and_snapshot(void)
{
    struct sr_pg_conn *c = filled("live select"), *other = connect_to("dbname='live select'");
    struct sr_pg_tool t = tool(SR_PG_DUMP);
    struct sr_pg_dump_options o = options(c, &t, SR_DUMP_PLAIN);
    struct sr_strlist tables = {0}, data = {0}, schemas = {0}, extra = {0};
    char *snapshot = NULL;
    OK(sr_pg_snapshot_export(c, &snapshot, e_));
    sql(other, "INSERT INTO public.empty VALUES ('too late for the snapshot')");
    sr_strlist_add(&tables, "public.us*");
    sr_strlist_add(&data, "\"My Schema\".*");
    sr_strlist_add(&extra, "--no-comments");
    o.exclude_tables = &tables;
    o.exclude_table_data = &data;
    o.extra = &extra;
    o.snapshot = snapshot;
    struct dumped r = dump(&o);
    CU_ASSERT_EQUAL_FATAL(r.rc, SR_OK);
    CU_ASSERT_PTR_NULL(strstr(r.all.data, "CREATE TABLE public.users"));
    CU_ASSERT_PTR_NOT_NULL(strstr(r.all.data, "CREATE TABLE \"My Schema\""));
    CU_ASSERT_PTR_NULL(strstr(r.all.data, "it's"));
    CU_ASSERT_PTR_NULL(strstr(r.all.data, "too late"));
    sr_buf_done(&r.all);
    sr_strlist_add(&schemas, "public");
    o = options(c, &t, SR_DUMP_PLAIN);
    o.schemas = &schemas;
    r = dump(&o);
    CU_ASSERT_EQUAL_FATAL(r.rc, SR_OK);
    CU_ASSERT_PTR_NULL(strstr(r.all.data, "My Schema"));
    CU_ASSERT_PTR_NOT_NULL(strstr(r.all.data, "too late"));
    sr_buf_done(&r.all);
    sr_strlist_add(&extra, "--file=x");
    o.extra = &extra;
    CU_ASSERT_EQUAL(dump(&o).rc, SR_E_USAGE);
    free(snapshot);
    sr_strlist_done(&tables);
    sr_strlist_done(&data);
    sr_strlist_done(&schemas);
    sr_strlist_done(&extra);
    sr_pg_tool_done(&t);
    sr_pg_close(other);
    sr_pg_close(c);
}

static void a_failed_dump_never_ends_cleanly(void)
{
    struct sr_pg_conn *c = fresh("live fail"), *holder = connect_to("dbname='live fail'");
    struct sr_pg_tool t = tool(SR_PG_DUMP);
    struct sr_pg_dump_options o = options(c, &t, SR_DUMP_PLAIN);
    sql(c, "CREATE TABLE public.locked (x int)");
    sql(holder, "BEGIN");
    sql(holder, "LOCK TABLE public.locked");
    /* Another holds the lock for longer than we wait. */
    o.lock_wait = 1;
    struct dumped r = dump(&o);
    CU_ASSERT_EQUAL(r.rc, SR_E_TIMEOUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(r.err.text, "could not lock public.locked"));
    CU_ASSERT_PTR_NOT_NULL(strstr(r.err.text, "within 1 seconds (BACKUP_LOCK_WAIT)"));
    sr_buf_done(&r.all);
    /* No byte comes. */
    o.lock_wait = 0;
    o.stall = 1;
    r = dump(&o);
    CU_ASSERT_EQUAL(r.rc, SR_E_TIMEOUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(r.err.text, "1 seconds"));
    CU_ASSERT_PTR_NOT_NULL(strstr(r.err.text, "BACKUP_STALL_TIMEOUT"));
    sr_buf_done(&r.all);
    /* Its backend waits for the lock a little longer; the next one must not be taken for it. */
    sr_pg_end_backends(c, "strongroom/live");
    CU_ASSERT(becomes(c,
                      "SELECT count(*) FROM pg_stat_activity WHERE application_name = "
                      "'strongroom/live'",
                      0));
    /* The server ends the backend. */
    o.stall = 0;
    struct sr_pg_dump *d = NULL;
    OK(sr_pg_dump_start(&o, &d, e_));
    CU_ASSERT(becomes(c,
                      "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
                      "application_name = 'strongroom/live'",
                      1));
    sr_pg_end_backends(c, "strongroom/live");
    struct sr_error err = SR_ERROR_INIT;
    CU_ASSERT_EQUAL(read_all(d, NULL, &err), SR_E_CHILD);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "terminating connection"));
    sr_pg_dump_free(d);
    sr_pg_tool_done(&t);
    sr_pg_close(holder);
    sr_pg_close(c);
}

static void *interrupt_soon(void *dump_)
{
    struct sr_pg_conn *c = connect_to("dbname='live interrupt'");
    /* Only once it is blocked for good. */
    CU_ASSERT(becomes(c,
                      "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
                      "application_name = 'strongroom/live'",
                      1));
    sr_pg_dump_interrupt(dump_);
    sr_pg_close(c);
    return NULL;
}

static void interrupt_ends_a_blocked_read(void)
{
    struct sr_pg_conn *c = fresh("live interrupt"), *holder = connect_to("dbname='live interrupt'");
    struct sr_pg_tool t = tool(SR_PG_DUMP);
    struct sr_pg_dump_options o = options(c, &t, SR_DUMP_PLAIN);
    struct sr_pg_dump *d = NULL;
    struct sr_error err = SR_ERROR_INIT;
    pthread_t thread;
    o.lock_wait = 0;
    sql(c, "CREATE TABLE public.locked (x int)");
    sql(holder, "BEGIN");
    sql(holder, "LOCK TABLE public.locked");
    OK(sr_pg_dump_start(&o, &d, e_));
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, interrupt_soon, d), 0);
    CU_ASSERT_EQUAL(read_all(d, NULL, &err), SR_E_CANCELLED);
    pthread_join(thread, NULL);
    sr_pg_dump_free(d);
    sr_pg_end_backends(c, "strongroom/live");
    CU_ASSERT(becomes(c,
                      "SELECT count(*) FROM pg_stat_activity WHERE application_name = "
                      "'strongroom/live'",
                      0));
    sr_pg_tool_done(&t);
    sr_pg_close(holder);
    sr_pg_close(c);
}

static long parent_of(long pid)
{
    char path[64];
    long parent = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *f = fopen(path, "r");
    if (f && fscanf(f, "%*d (%*[^)]) %*c %ld", &parent) != 1)
        parent = 0;
    if (f)
        fclose(f);
    return parent;
}

/* The pid of the `name` that the watcher, our child, runs; 0 when there is none. */
static pid_t child_called(const char *name)
{
    DIR *proc = opendir("/proc");
    pid_t found = 0;
    for (struct dirent *e; proc && (e = readdir(proc)) != NULL && !found;) {
        char path[300], comm[64] = "";
        long pid = strtol(e->d_name, NULL, 10), parent = 0;
        snprintf(path, sizeof path, "/proc/%ld/stat", pid);
        FILE *f = pid > 0 ? fopen(path, "r") : NULL;
        if (f && fscanf(f, "%*d (%63[^)]) %*c %ld", comm, &parent) == 2 &&
            strcmp(comm, name) == 0 && parent_of(parent) == getpid())
            found = (pid_t)pid;
        if (f)
            fclose(f);
    }
    if (proc)
        closedir(proc);
    return found;
}

static void a_killed_pg_dump_fails_the_read(void)
{
    struct sr_pg_conn *c = fresh("live killed");
    struct sr_pg_tool t = tool(SR_PG_DUMP);
    struct sr_pg_dump *d = NULL;
    struct sr_error err = SR_ERROR_INIT;
    sql(c,
        "CREATE TABLE public.big AS SELECT repeat('x', 1000) AS x FROM generate_series(1, 30000)");
    for (int format = SR_DUMP_PLAIN; format <= SR_DUMP_CUSTOM; format++) {
        struct sr_pg_dump_options o = options(c, &t, (enum sr_dump_format)format);
        char some[4096];
        size_t n = 0;
        OK(sr_pg_dump_start(&o, &d, e_));
        /* 30 MB do not fit the pipe: it is in the middle of the table. */
        for (int i = 0; i < 10; i++)
            OK(sr_pg_dump_read(d, some, sizeof some, &n, e_));
        pid_t pid = child_called("pg_dump");
        CU_ASSERT_FATAL(pid > 0);
        kill(pid, SIGKILL);
        CU_ASSERT_EQUAL(read_all(d, NULL, &err), SR_E_CHILD);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "signal 9"));
        sr_pg_dump_free(d);
    }
    sr_pg_tool_done(&t);
    sr_pg_close(c);
}

/* kill -9 of the process that dumps, while its pg_dump waits for a lock: neither pg_dump nor its
 * backend may go on. */
static void nothing_survives_our_death(void)
{
    struct sr_pg_conn *c = fresh("live death"), *holder = connect_to("dbname='live death'");
    struct sr_pg_tool t = tool(SR_PG_DUMP);
    static const char ours[] =
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'strongroom/death'";
    sql(c, "CREATE TABLE public.locked (x int)");
    sql(holder, "BEGIN");
    sql(holder, "LOCK TABLE public.locked");
    pid_t pid = fork();
    if (pid == 0) {
        /* Connections are not shared between processes: this one makes its own. */
        struct sr_pg_conn *mine = connect_to("dbname='live death'");
        struct sr_pg_dump_options o = options(mine, &t, SR_DUMP_PLAIN);
        struct sr_pg_dump *d = NULL;
        o.app = "strongroom/death";
        o.lock_wait = 0;
        if (sr_pg_lock(mine, NULL) != SR_OK || sr_pg_dump_start(&o, &d, NULL) != SR_OK)
            _exit(1);
        (void)read_all(d, NULL, NULL);
        _exit(2);
    }
    CU_ASSERT(becomes(c,
                      "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
                      "application_name = 'strongroom/death'",
                      1));
    kill(pid, SIGKILL);
    int status = 0;
    waitpid(pid, &status, 0);
    CU_ASSERT(WIFSIGNALED(status));
    CU_ASSERT(becomes(c, ours, 0));
    /* The advisory lock went with its connection. */
    OK(sr_pg_lock(c, e_));
    sr_pg_tool_done(&t);
    sr_pg_close(holder);
    sr_pg_close(c);
}

/* --- preflight --- */

static struct sr_pg_conn *as_reader(struct sr_pg_conn *super, const char *database)
{
    char url[512];
    snprintf(url, sizeof url, "host=%s port=%s user='live reader' password=pw dbname='%s'",
             sr_pg_host(super), sr_pg_port(super), database);
    return connect_to(url);
}

static void show(const char *what, const struct sr_strlist *l)
{
    for (size_t i = 0; i < l->len; i++)
        fprintf(stderr, "%s: %s\n", what, l->items[i]);
}

static void blockers_are_listed_with_their_remedy(void)
{
    struct sr_pg_conn *c = fresh("live preflight");
    struct sr_pg_tool t = tool(SR_PG_DUMP);
    struct sr_strlist problems = {0}, grants = {0}, no_tables = {0}, no_data = {0}, schemas = {0};
    if (number(c, "SELECT count(*) FROM pg_roles WHERE rolname = 'live reader'") == 0)
        sql(c, "CREATE ROLE \"live reader\" LOGIN PASSWORD 'pw'");
    sql(c, "ALTER ROLE \"live reader\" NOBYPASSRLS");
    sql(c, "CREATE TABLE public.fine (x int)");
    sql(c, "GRANT SELECT ON public.fine TO PUBLIC");
    sql(c, "CREATE TABLE public.secret (id serial)");
    sql(c, "CREATE SCHEMA \"Hidden X\"");
    sql(c, "CREATE TABLE \"Hidden X\".\"Odd \"\"t\" (x int)");
    sql(c, "CREATE TABLE public.rls (x int)");
    sql(c, "GRANT SELECT ON public.rls TO PUBLIC");
    sql(c, "ALTER TABLE public.rls ENABLE ROW LEVEL SECURITY");
    sql(c, "CREATE TABLE public.parts (x int) PARTITION BY RANGE (x)");
    sql(c, "CREATE TABLE public.part1 PARTITION OF public.parts FOR VALUES FROM (0) TO (9)");
    sql(c, "CREATE VIEW public.v AS SELECT 1 AS x");
    sql(c, "SELECT lo_create(424242)");
    struct sr_pg_conn *r = as_reader(c, "live preflight");
    OK(sr_pg_preflight(r, NULL, NULL, NULL, &problems, &grants, e_));
    static const char *const want[] = {"schema \"Hidden X\": no USAGE privilege",
                                       "table \"Hidden X\".\"Odd \"\"t\": permission denied",
                                       "table public.secret: permission denied",
                                       "sequence public.secret_id_seq: permission denied",
                                       "table public.parts: permission denied",
                                       "table public.part1: permission denied",
                                       "large object 424242: permission denied"};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        if (!sr_strlist_has(&problems, want[i])) {
            fprintf(stderr, "missing: %s\n", want[i]);
            CU_FAIL("problem missing");
        }
    CU_ASSERT_EQUAL(problems.len, 8);
    if (problems.len != 8)
        show("problem", &problems);
    /* It is true: pg_dump fails. */
    struct sr_pg_dump_options o = options(r, &t, SR_DUMP_PLAIN);
    struct dumped d = dump(&o);
    CU_ASSERT_EQUAL(d.rc, SR_E_CHILD);
    CU_ASSERT_PTR_NOT_NULL(strstr(d.err.text, "permission denied"));
    sr_buf_done(&d.all);
    /* Leaving out what may not be read helps both. */
    sr_strlist_add(&no_tables, "secret*");
    sr_strlist_add(&no_tables, "part*");
    sr_strlist_add(&no_tables, "\"Hidden X\".*");
    sr_strlist_add(&no_data, "public.RLS");
    sr_strlist_add(&schemas, "public");
    sr_strlist_add(&schemas, "\"Hidden X\"");
    sr_strlist_done(&problems);
    struct sr_strlist ignored = {0};
    OK(sr_pg_preflight(r, &no_tables, &no_data, &schemas, &problems, &ignored, e_));
    show("unexpected", &problems);
    CU_ASSERT_EQUAL(problems.len, 0);
    o.exclude_tables = &no_tables;
    o.exclude_table_data = &no_data;
    o.schemas = &schemas;
    d = dump(&o);
    CU_ASSERT_STRING_EQUAL(d.err.text, "");
    CU_ASSERT_EQUAL(d.rc, SR_OK);
    sr_buf_done(&d.all);
    /* The remedies, pasted. */
    for (size_t i = 0; i < grants.len; i++)
        sql(c, grants.items[i]);
    OK(sr_pg_preflight(r, NULL, NULL, NULL, &problems, &ignored, e_));
    show("left", &problems);
    CU_ASSERT_EQUAL(problems.len, 0);
    o = options(r, &t, SR_DUMP_PLAIN);
    d = dump(&o);
    CU_ASSERT_STRING_EQUAL(d.err.text, "");
    CU_ASSERT_EQUAL(d.rc, SR_OK);
    sr_buf_done(&d.all);
    sr_pg_close(r);
    sql(c, "SELECT lo_unlink(424242)");
    /* More large objects than anyone wants to read about. */
    sql(c, "SELECT lo_create(500000 + i) FROM generate_series(1, 30) i");
    r = as_reader(c, "live preflight");
    sr_strlist_done(&grants);
    OK(sr_pg_preflight(r, NULL, NULL, NULL, &problems, &grants, e_));
    CU_ASSERT_EQUAL(problems.len, 21);
    CU_ASSERT_EQUAL(grants.len, 1);
    sql(c, grants.items[0]);
    sr_strlist_done(&problems);
    OK(sr_pg_preflight(r, NULL, NULL, NULL, &problems, &grants, e_));
    CU_ASSERT_EQUAL(problems.len, 0);
    sr_strlist_done(&problems);
    sr_strlist_done(&grants);
    sr_strlist_done(&ignored);
    sr_strlist_done(&no_tables);
    sr_strlist_done(&no_data);
    sr_strlist_done(&schemas);
    sr_pg_close(r);
    sr_pg_tool_done(&t);
    sr_pg_close(c);
}

/* --- others --- */

static void connections_are_ended(void)
{
    struct sr_pg_conn *c = fresh("live ended"), *admin = connect_to("dbname=postgres");
    struct sr_error err = SR_ERROR_INIT;
    int ended = -1;
    OK(sr_pg_end_connections(admin, "live ended", &ended, e_));
    CU_ASSERT_EQUAL(ended, 1);
    CU_ASSERT_EQUAL(sr_pg_command(c, "SELECT 1", &err), SR_E_DATABASE);
    OK(sr_pg_end_connections(admin, "live ended", &ended, e_));
    CU_ASSERT_EQUAL(ended, 0);
    sr_pg_close(c);
    sr_pg_close(admin);
}

static void script_write(const char *path, const char *version)
{
    FILE *f = fopen(path, "w");
    fprintf(f, "#!/bin/sh\necho 'pg_dump (PostgreSQL) %s'\n", version);
    fclose(f);
    chmod(path, 0700);
}

static void tools_are_chosen_by_version(void)
{
    char dir[] = "/tmp/sr-tools-XXXXXX", path[256], setting[300];
    struct sr_error err = SR_ERROR_INIT;
    struct sr_pg_tool t = {0};
    struct sr_pg_conn *c = connect_to("dbname=postgres");
    int server = sr_pg_server_version(c);
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/pg_dump", dir);
    snprintf(setting, sizeof setting, "BACKUP_PGDUMP_PATH=%s", path);
    const char *settings[] = {setting, NULL};
    struct sr_config *cfg = config_with(settings), *plain = config_with(NULL);
    /* By itself: fits the server. */
    OK(sr_pg_tool_find(plain, SR_PG_DUMP, server, &t, e_));
    CU_ASSERT(t.version / 10000 >= server / 10000);
    sr_pg_tool_done(&t);
    CU_ASSERT_EQUAL(sr_pg_tool_find(plain, SR_PG_DUMP, 990000, &t, &err), SR_E_CONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "postgresql-client-99"));
    /* psql may be older than the server. */
    OK(sr_pg_tool_find(plain, SR_PG_PSQL, 990000, &t, e_));
    sr_pg_tool_done(&t);
    /* Set, but not there; too old; no PostgreSQL program; fine. */
    CU_ASSERT_EQUAL(sr_pg_tool_find(cfg, SR_PG_DUMP, server, &t, &err), SR_E_CONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "BACKUP_PGDUMP_PATH"));
    script_write(path, "9.6.24");
    CU_ASSERT_EQUAL(sr_pg_tool_find(cfg, SR_PG_DUMP, server, &t, &err), SR_E_CONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "9.6.24"));
    snprintf(setting, sizeof setting, "version %d", server / 10000);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, setting));
    script_write(path, "x");
    CU_ASSERT_EQUAL(sr_pg_tool_find(cfg, SR_PG_DUMP, server, &t, &err), SR_E_CONFIG);
    script_write(path, "98.7");
    OK(sr_pg_tool_find(cfg, SR_PG_DUMP, server, &t, e_));
    CU_ASSERT_STRING_EQUAL(t.path, path);
    CU_ASSERT_STRING_EQUAL(t.version_text, "98.7");
    sr_pg_tool_done(&t);
    /* pg_dumpall lies beside it, or is searched. */
    OK(sr_pg_tool_find(cfg, SR_PG_DUMPALL, server, &t, e_));
    CU_ASSERT_PTR_NULL(strstr(t.path, dir));
    sr_pg_tool_done(&t);
    /* In PATH: only when it fits better. */
    char *old = strdup(getenv("PATH"));
    setenv("PATH", dir, 1);
    OK(sr_pg_tool_find(plain, SR_PG_DUMP, server, &t, e_));
    CU_ASSERT_STRING_NOT_EQUAL(t.version_text, "98.7");
    sr_pg_tool_done(&t);
    OK(sr_pg_tool_find(plain, SR_PG_DUMP, 970000, &t, e_));
    CU_ASSERT_STRING_EQUAL(t.version_text, "98.7");
    sr_pg_tool_done(&t);
    setenv("PATH", old, 1);
    free(old);
    const char *bare[] = {"BACKUP_PGDUMP_PATH=no_such_pg_dump", NULL};
    struct sr_config *missing = config_with(bare);
    CU_ASSERT_EQUAL(sr_pg_tool_find(missing, SR_PG_DUMP, server, &t, &err), SR_E_CONFIG);
    sr_config_free(missing);
    unlink(path);
    rmdir(dir);
    sr_config_free(cfg);
    sr_config_free(plain);
    sr_pg_close(c);
}

/* --- scratch databases --- */

static struct sr_scratch *scratch_open(struct sr_pg_target *t)
{
    struct sr_scratch *s = NULL;
    OK(sr_scratch_open(t, NULL, &s, e_));
    return s;
}

static long count_named(struct sr_pg_conn *c, const char *name)
{
    char text[200];
    (void)snprintf(text, sizeof text, "SELECT count(*) FROM pg_database WHERE datname = '%s'",
                   name);
    return number(c, text);
}

/* Under the names of what a run made somebody makes something else meanwhile. */
static void what_a_run_did_not_make_is_not_dropped(void)
{
    struct sr_pg_conn *c = connect_to("postgresql:///postgres");
    struct sr_pg_target *t = target_of("postgresql:///postgres");
    struct sr_strlist roles = {0}, made = {0}, missing = {0}, left = {0};
    (void)sr_strlist_add(&roles, "ghost");
    (void)sr_strlist_add(&roles, "spirit");
    struct sr_scratch *s = scratch_open(t);
    OK(sr_scratch_roles(s, &roles, &made, &missing, e_));
    CU_ASSERT_EQUAL(made.len, 2);
    OK(sr_scratch_make(s, "tried", e_));
    sql(c, "DROP DATABASE tried");
    sql(c, "CREATE DATABASE tried");
    sql(c, "DROP ROLE ghost");
    sql(c, "CREATE ROLE ghost");
    OK(sr_scratch_drop(s, e_));
    CU_ASSERT_EQUAL(count_named(c, "tried"), 1);
    CU_ASSERT_STRING_EQUAL(sr_scratch_name(s), "");
    sr_scratch_close(s, &left);
    CU_ASSERT_EQUAL(left.len, 0);
    CU_ASSERT_EQUAL(count_named(c, "tried"), 1);
    CU_ASSERT_EQUAL(number(c, "SELECT count(*) FROM pg_roles WHERE rolname = 'ghost'"), 1);
    CU_ASSERT_EQUAL(number(c, "SELECT count(*) FROM pg_roles WHERE rolname = 'spirit'"), 0);
    sql(c, "DROP DATABASE tried");
    sql(c, "DROP ROLE ghost");
    sr_strlist_done(&roles);
    sr_strlist_done(&made);
    sr_strlist_done(&missing);
    sr_pg_target_free(t);
    sr_pg_close(c);
}

/* One that could not be dropped is not forgotten for the next. */
static void a_scratch_database_that_stays_is_not_forgotten(void)
{
    struct sr_pg_conn *c = connect_to("postgresql:///postgres");
    struct sr_pg_target *t = target_of("postgresql:///postgres");
    struct sr_error err = SR_ERROR_INIT;
    struct sr_scratch *s = scratch_open(t);
    OK(sr_scratch_make(s, "first", e_));
    sql(c, "ALTER DATABASE first IS_TEMPLATE true"); /* which no DROP takes */
    CU_ASSERT_EQUAL(sr_scratch_drop(s, &err), SR_E_DATABASE);
    CU_ASSERT_EQUAL(sr_scratch_make(s, "second", &err), SR_E_DATABASE);
    CU_ASSERT_STRING_EQUAL(sr_scratch_name(s), "first");
    CU_ASSERT_EQUAL(count_named(c, "second"), 0);
    sql(c, "ALTER DATABASE first IS_TEMPLATE false");
    OK(sr_scratch_make(s, "second", e_));
    CU_ASSERT_EQUAL(count_named(c, "first"), 0);
    CU_ASSERT_EQUAL(count_named(c, "second"), 1);
    sr_scratch_close(s, NULL);
    CU_ASSERT_EQUAL(count_named(c, "second"), 0);
    sr_pg_target_free(t);
    sr_pg_close(c);
}

/* Two runs that hold their locks in two databases would know nothing of each other. */
static void template1_is_for_servers_without_postgres(void)
{
    struct sr_pg_conn *c = connect_to("postgresql:///template1");
    struct sr_pg_target *t = target_of("postgresql:///postgres");
    struct sr_scratch *s = NULL;
    struct sr_error err = SR_ERROR_INIT;
    sql(c, "ALTER DATABASE postgres ALLOW_CONNECTIONS false");
    int rc = sr_scratch_open(t, NULL, &s, &err);
    sql(c, "ALTER DATABASE postgres ALLOW_CONNECTIONS true");
    CU_ASSERT_EQUAL(rc, SR_E_DATABASE);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "postgres"));
    if (rc == SR_OK)
        sr_scratch_close(s, NULL);
    sql(c, "ALTER DATABASE postgres RENAME TO elsewhere");
    rc = sr_scratch_open(t, NULL, &s, &err);
    CU_ASSERT_EQUAL(rc, SR_OK);
    if (rc == SR_OK) {
        CU_ASSERT_STRING_EQUAL(sr_pg_database(sr_scratch_control(s)), "template1");
        sr_scratch_close(s, NULL);
    }
    sql(c, "ALTER DATABASE elsewhere RENAME TO postgres");
    sr_pg_target_free(t);
    sr_pg_close(c);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"odd names and passwords", odd_names_and_passwords},
        {"passfile and service", passfile_and_service},
        {"failures to connect are told", failures_to_connect_are_told},
        {"databases and facts", databases_and_facts},
        {"one run per database", one_run_per_database},
        {"plain and custom and globals", plain_and_custom_and_globals},
        {"selections and snapshot", selections_and_snapshot},
        {"a failed dump never ends cleanly", a_failed_dump_never_ends_cleanly},
        {"interrupt ends a blocked read", interrupt_ends_a_blocked_read},
        {"a killed pg_dump fails the read", a_killed_pg_dump_fails_the_read},
        {"nothing survives our death", nothing_survives_our_death},
        {"blockers are listed with their remedy", blockers_are_listed_with_their_remedy},
        {"connections are ended", connections_are_ended},
        {"tools are chosen by version", tools_are_chosen_by_version},
        {"what a run did not make is not dropped", what_a_run_did_not_make_is_not_dropped},
        {"a scratch database that stays is not forgotten",
         a_scratch_database_that_stays_is_not_forgotten},
        {"template1 is for servers without postgres", template1_is_for_servers_without_postgres},
        {NULL, NULL}};
    sr_log_setup(SR_LOG_ERROR, SR_LOG_TEXT);
    return unit_main("pg_live", tests);
}
