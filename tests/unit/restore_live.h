/* Real dumps into a real PostgreSQL: what the live restore tests share. Run through
 * tests/with-pg.sh, which starts one. */
#ifndef SR_TESTS_RESTORE_LIVE_H
#define SR_TESTS_RESTORE_LIVE_H

#include "core/source/pg_restore.h"
#include "core/util/buf.h"
#include "core/util/cleanup.h"
#include "core/util/fs.h"
#include "core/util/subprocess.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#define DUMP_MAX (64 << 20)
#define APP "strongroom/test-restore"

#define _cleanup_buf_ _cleanup_(sr_buf_done)
SR_DEFINE_CLEANUP(struct sr_pg_target *, sr_pg_target_free);
SR_DEFINE_CLEANUP(struct sr_pg_conn *, sr_pg_close);

static inline const char *need(const char *name)
{
    const char *v = getenv(name);
    if (!v) {
        (void)fprintf(stderr, "%s is not set: run it through tests/with-pg.sh\n", name);
        exit(2);
    }
    return v;
}

static inline char *bin(const char *tool)
{
    return sr_fs_join(need("SR_PG_BIN"), tool);
}

/* --- the server ------------------------------------------------------------------------------ */

/* Ends the program when a command that prepares a test fails. */
__attribute__((sentinel)) static inline void run_into(struct sr_buf *out, const char *tool, ...)
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

static inline void sql(const char *db, const char *text)
{
    run_into(NULL, "psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", db, "-c", text, NULL);
}

static inline void database_new(const char *db)
{
    _cleanup_free_ char *drop = NULL, *create = NULL;
    if (asprintf(&drop, "DROP DATABASE IF EXISTS %s WITH (FORCE)", db) < 0 ||
        asprintf(&create, "CREATE DATABASE %s TEMPLATE template0", db) < 0)
        abort();
    sql("postgres", drop);
    sql("postgres", create);
}

static inline struct sr_pg_conn *connect_to(const char *db)
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

static inline void value_is(const char *db, const char *query, const char *want)
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
static inline void dump_text(const char *db, struct sr_buf *out)
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

static inline void same_dumps(const char *a, const char *b)
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

static inline void source_dump(const char *format, struct sr_buf *out)
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

static inline void restore_init(struct restore *r, const char *db, const char *tool)
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

static inline void restore_done(struct restore *r)
{
    sr_pg_close(r->conn);
    free(r->tool.path);
}

static inline int is_empty_dir(const char *path)
{
    DIR *d = opendir(path);
    int n = 0;
    while (d && readdir(d))
        n++;
    if (d)
        (void)closedir(d);
    return n == 2;
}

/* Makes the spool folder and the database "source"; the tests' exit status. */
static inline int live_main(const char *suite, const struct unit_test *tests)
{
    _cleanup_free_ char *data = sr_fs_join(need("SR_SRCDIR"), "tests/unit/data/restore.sql");
    if (!mkdtemp(spool))
        return 2;
    database_new("source");
    run_into(NULL, "psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", "source", "-f", data, NULL);
    int rc = unit_main(suite, tests);
    (void)rmdir(spool);
    return rc;
}

#endif
