#include "config.h"
#include "core/source/pg_conn.h"
#include "core/source/pg_dump.h"
#include "core/source/pg_marker.h"
#include "core/source/pg_params.h"
#include "core/source/pg_pattern.h"
#include "core/source/pg_locked.h"
#include "core/source/pg_scan.h"
#include "core/source/pg_tools.h"
#include "core/util/log.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- connection strings --- */

struct url_case {
    const char *text;
    const char *user, *password, *host, *port, *dbname, *sslmode;
};

static void expect(const struct sr_pg_params *p, const char *key, const char *want,
                   const char *text)
{
    const char *got = sr_pg_params_get(p, key);
    if ((got == NULL) != (want == NULL) || (got && strcmp(got, want) != 0)) {
        fprintf(stderr, "%s: %s is %s, should be %s\n", text, key, got ? got : "(none)",
                want ? want : "(none)");
        CU_FAIL("parameter differs");
    }
    CU_ASSERT(1);
}

static void urls_are_taken_apart(void)
{
    static const struct url_case cases[] = {
        {"postgres://u:p@h:5433/db", "u", "p", "h", "5433", "db", NULL},
        {"postgresql://u@h/db", "u", NULL, "h", NULL, "db", NULL},
        {"postgresql+asyncpg://u:p@h/db", "u", "p", "h", NULL, "db", NULL},
        {"postgresql+psycopg2://u:p@h/db?sslmode=require", "u", "p", "h", NULL, "db", "require"},
        {"  postgresql://u:p@h/db\n", "u", "p", "h", NULL, "db", NULL},
        {"POSTGRES://u:p@h/db", "u", "p", "h", NULL, "db", NULL},
        {"jdbc:postgresql://h:1/db?user=u&password=p%26q", "u", "p&q", "h", "1", "db", NULL},
        {"pgsql://h", NULL, NULL, "h", NULL, NULL, NULL},
        {"postgresql://", NULL, NULL, NULL, NULL, NULL, NULL},
        {"postgresql:///db?host=/var/run/postgresql&port=5433", NULL, NULL, "/var/run/postgresql",
         "5433", "db", NULL},
        {"postgresql://%2Fvar%2Frun%2Fpg:5433/db", NULL, NULL, "/var/run/pg", "5433", "db", NULL},
        {"postgresql://u:p@[::1]:5433/db", "u", "p", "::1", "5433", "db", NULL},
        {"postgresql://u:p@a:1,b,[fe80::1%25eth0]:3/db", "u", "p", "a,b,fe80::1%eth0", "1,,3", "db",
         NULL},
        /* percent-encoding */
        {"postgresql://us%65r:p%40%3A%2F%23@h/d%20b", "user", "p@:/#", "h", NULL, "d b", NULL},
        {"postgresql://u:100%@h/db", "u", "100%", "h", NULL, "db", NULL},
        {"postgresql://u:a%zz%4@h/db", "u", "a%zz%4", "h", NULL, "db", NULL},
        {"postgresql://u:a%00b@h/db", "u", "a%00b", "h", NULL, "db", NULL},
        /* passwords as they are in real life */
        {"postgresql://u:p@ss@h/db", "u", "p@ss", "h", NULL, "db", NULL},
        {"postgresql://u@srv:p@s@s@h:1/db", "u@srv:p@s@s", NULL, NULL, NULL, NULL, NULL},
        {"postgresql://u:p#w@h/db", "u", "p#w", "h", NULL, "db", NULL},
        {"postgresql://u:p w'\"@h/db", "u", "p w'\"", "h", NULL, "db", NULL},
        {"postgresql://u:p/w@h/db", "u", "p/w", "h", NULL, "db", NULL},
        {"postgresql://u:12/3@h/db", "u", "12/3", "h", NULL, "db", NULL},
        {"postgresql://u:p@s/s@h/db", "u", "p@s/s", "h", NULL, "db", NULL},
        {"postgresql://u:p?w@h:5432/db?sslmode=disable", "u", "p?w", "h", "5432", "db", "disable"},
        {"postgresql://u:5?w@h/db", "u", "5?w", "h", NULL, "db", NULL},
        {"postgresql://u:a:b:c@h/db", "u", "a:b:c", "h", NULL, "db", NULL},
        {"postgresql://:p@h/db", NULL, "p", "h", NULL, "db", NULL},
        {"postgresql://u:@h/db", "u", NULL, "h", NULL, "db", NULL},
        /* databases */
        {"postgresql://h/a b'\"=%23@x", NULL, NULL, "h", NULL, "a b'\"=#@x", NULL},
        {"postgresql://u:p@h/d#b", "u", "p", "h", NULL, "d#b", NULL},
        {"postgresql://u:p@h/db?user=a@b", "a@b", "p", "h", NULL, "db", NULL},
        /* what ORMs add */
        {"postgresql://u:p@h/db?schema=public&pgbouncer=true&connection_limit=5", "u", "p", "h",
         NULL, "db", NULL},
        {"postgresql://u:p@h/db?ssl=true", "u", "p", "h", NULL, "db", "require"},
        {"postgresql://u:p@h/db?ssl=verify-full", "u", "p", "h", NULL, "db", "verify-full"},
        {"postgresql://u:p@h/db?ssl=false&", "u", "p", "h", NULL, "db", NULL},
        /* conninfo */
        {"host=h port=1 user=u password='p w\\'' dbname='a b'", "u", "p w'", "h", "1", "a b", NULL},
    };
    sr_log_setup(SR_LOG_ERROR, SR_LOG_TEXT);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct url_case *c = &cases[i];
        struct sr_pg_params p = {0};
        struct sr_error err = SR_ERROR_INIT;
        int rc = sr_pg_params_from_text(c->text, "DATABASE_URL", &p, &err);
        if (strstr(c->text, "u@srv")) {
            /* A user with an @ and a password with one: the first colon parts them. */
            expect(&p, "user", "u@srv", c->text);
            expect(&p, "password", "p@s@s", c->text);
            sr_pg_params_done(&p);
            continue;
        }
        if (rc != SR_OK)
            fprintf(stderr, "%s: %s\n", c->text, err.text);
        CU_ASSERT_EQUAL(rc, SR_OK);
        expect(&p, "user", c->user, c->text);
        expect(&p, "password", c->password, c->text);
        expect(&p, "host", c->host, c->text);
        expect(&p, "port", c->port, c->text);
        expect(&p, "dbname", c->dbname, c->text);
        expect(&p, "sslmode", c->sslmode, c->text);
        sr_pg_params_done(&p);
    }
}

static void wrong_urls_never_show_a_password(void)
{
    static const char *const cases[] = {
        "",
        "   ",
        "mysql://u:SECRET@h/db",
        "sqlite:///SECRET",
        "just-a-name-SECRET",
        "host=h password='SECRET",
        "postgresql://u:SECRET@h:port/db",
        "postgresql://u:SECRET@h:123456/db",
        "postgresql://u:SECRET@[::1/db",
        "postgresql://u:SECRET@h/db?replication=database",
        "postgresql://u:x@h/db?what=SECRET",
        "postgresql://u:x@h/db?SECRET",
        "postgresql://u:x@h/db?SECRETx=nas@[::=true@host/db",
        /* Each of these may be the middle of a password that nobody encoded. */
        "postgresql://u:12?SECRET=x",
        "postgresql://u:x@h/db?SECRET=1",
        "postgresql://u:p@ss?timeout=1&SECRET=1",
        "postgresql://u:p@ss/w?sslmode=disable&SECRET%41=&x=1",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sr_pg_params p = {0};
        struct sr_error err = SR_ERROR_INIT;
        int rc = sr_pg_params_from_text(cases[i], "DATABASE_URL", &p, &err);
        if (rc == SR_OK)
            fprintf(stderr, "accepted: %s\n", cases[i]);
        CU_ASSERT_EQUAL(rc, SR_E_CONFIG);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "DATABASE_URL"));
        CU_ASSERT_PTR_NULL(strstr(err.text, "SECRET"));
        CU_ASSERT_EQUAL(p.keys.len, 0);
        sr_pg_params_done(&p);
    }
    char *big = malloc(70001);
    memset(big, 'x', 70000);
    big[70000] = '\0';
    struct sr_pg_params p = {0};
    CU_ASSERT_EQUAL(sr_pg_params_from_text(big, "X", &p, NULL), SR_E_CONFIG);
    free(big);
}

static void an_unknown_parameter_is_told_by_its_place(void)
{
    struct sr_pg_params p = {0};
    struct sr_error err = SR_ERROR_INIT;
    CU_ASSERT_EQUAL(sr_pg_params_from_text("postgresql://u:x@h/db?&sslmode=disable&timeout=1&no=1",
                                           "DATABASE_URL", &p, &err),
                    SR_E_CONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "parameter 3 after the ?"));
    sr_pg_params_done(&p);
}

static void families_come_in_order(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_pg_params p = {0};
    char *note = NULL;
    struct sr_pg_names n = {.db_host = "dbh",
                            .postgres_db = "pgdb",
                            .postgres_user = "pu",
                            .postgres_password = "pp",
                            .pghost = "pgh",
                            .pgport = "6000",
                            .pguser = "other",
                            .pgpassword = "otherpw",
                            .pgsslmode = "require"};
    CU_ASSERT_EQUAL(sr_pg_params_from_names(&n, &p, &note, &err), SR_OK);
    expect(&p, "host", "dbh", "db");
    expect(&p, "dbname", "pgdb", "db");
    expect(&p, "password", "pp", "db");
    expect(&p, "sslmode", "require", "db");
    /* PGPORT belongs to PGHOST, and libpq must not take it from the environment either. */
    expect(&p, "port", "5432", "db");
    CU_ASSERT_PTR_NOT_NULL_FATAL(note);
    CU_ASSERT_PTR_NOT_NULL(strstr(note, "PGHOST"));
    CU_ASSERT_PTR_NOT_NULL(strstr(note, "PGPASSWORD"));
    CU_ASSERT_PTR_NULL(strstr(note, "otherpw"));
    free(note);
    n.database_url = "postgres://u@url/x";
    CU_ASSERT_EQUAL(sr_pg_params_from_names(&n, &p, &note, &err), SR_OK);
    expect(&p, "host", "url", "url");
    expect(&p, "user", "u", "url");
    expect(&p, "password", NULL, "a password goes with its user");
    CU_ASSERT_PTR_NOT_NULL_FATAL(note);
    CU_ASSERT_PTR_NOT_NULL(strstr(note, "DATABASE_URL is used"));
    CU_ASSERT_PTR_NOT_NULL(strstr(note, "DB_HOST"));
    free(note);
    n = (struct sr_pg_names){.database_url = "postgres://h/x", .postgres_password = "pw"};
    CU_ASSERT_EQUAL(sr_pg_params_from_names(&n, &p, &note, &err), SR_OK);
    expect(&p, "password", "pw", "fills in");
    CU_ASSERT_PTR_NULL(note);
    n = (struct sr_pg_names){.db_name = "a", .postgres_db = "b"};
    CU_ASSERT_EQUAL(sr_pg_params_from_names(&n, &p, &note, &err), SR_OK);
    expect(&p, "dbname", "a", "DB_NAME beats POSTGRES_DB");
    CU_ASSERT_PTR_NOT_NULL(note);
    free(note);
    note = NULL;
    n = (struct sr_pg_names){.db_host = "h", .pghostaddr = "10.0.0.1"};
    CU_ASSERT_EQUAL(sr_pg_params_from_names(&n, &p, &note, &err), SR_E_CONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "PGHOSTADDR"));
    n = (struct sr_pg_names){.database_url = "nonsense"};
    CU_ASSERT_EQUAL(sr_pg_params_from_names(&n, &p, &note, &err), SR_E_CONFIG);
    n = (struct sr_pg_names){0};
    CU_ASSERT_EQUAL(sr_pg_params_from_names(&n, &p, &note, &err), SR_OK);
    CU_ASSERT_EQUAL(p.keys.len, 0);
    sr_pg_params_done(&p);
}

static void services(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_pg_params p = {0}, svc = {0};
    char *note = NULL;
    static const char file[] = "# a comment\n[other]\nhost=no\n[ prod]\n\n[prod]\r\n host=svc\r\n"
                               "port=7000\nhost=second\n#user=x\npassword=a=b c\n[last]\nhost=no";
    CU_ASSERT_EQUAL(sr_pg_service_parse(file, "prod", &svc, &err), SR_OK);
    expect(&svc, "host", "svc", "service");
    expect(&svc, "password", "a=b c", "service");
    expect(&svc, "user", NULL, "service");
    CU_ASSERT_EQUAL(sr_pg_service_parse(file, "gone", &p, &err), SR_E_CONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "[gone]"));
    struct sr_pg_names n = {.pgservice = "prod", .service = &svc, .pghost = "pgh", .pguser = "u"};
    CU_ASSERT_EQUAL(sr_pg_params_from_names(&n, &p, &note, &err), SR_OK);
    expect(&p, "host", "svc", "service beats PGHOST");
    expect(&p, "user", "u", "PGUSER fills in");
    expect(&p, "service", NULL, "resolved");
    free(note);
    /* Left to libpq: what would wrongly beat the service is not handed over. */
    n = (struct sr_pg_names){.pgservice = "prod", .pghost = "pgh", .pgpassword = "pw"};
    CU_ASSERT_EQUAL(sr_pg_params_from_names(&n, &p, &note, &err), SR_OK);
    expect(&p, "host", NULL, "service");
    expect(&p, "service", "prod", "service");
    expect(&p, "password", "pw", "service");
    free(note);
    sr_pg_params_done(&p);
    sr_pg_params_done(&svc);
}

static void dbname_argument_is_quoted(void)
{
    char *arg = NULL;
    CU_ASSERT_EQUAL(sr_pg_dbname_arg("a'b\\c =d", &arg, NULL), SR_OK);
    CU_ASSERT_STRING_EQUAL(arg, "dbname='a\\'b\\\\c =d'");
    free(arg);
}

/* --- tools and options --- */

static void versions_are_read(void)
{
    static const struct {
        const char *text;
        int version;
    } cases[] = {
        {"pg_dump (PostgreSQL) 15.20 (Debian 15.20-1.pgdg120+1)\n", 150020},
        {"psql (PostgreSQL) 17devel\n", 170000},
        {"pg_dump (PostgreSQL) 16beta1", 160000},
        {"pg_dump (PostgreSQL) 9.6.24\n", 90624},
        {"pg_dump (PostgreSQL) 10.1", 100001},
        {"pg_dump (EnterpriseDB) 15", 0},
        {"pg_dump (PostgreSQL) x", 0},
        {"pg_dump (PostgreSQL) 99999999999.1", 0},
        {"", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sr_pg_tool t = {0};
        int rc = sr_pg_tool_version_parse(cases[i].text, &t);
        CU_ASSERT_EQUAL(rc, cases[i].version ? SR_OK : SR_E_CONFIG);
        CU_ASSERT_EQUAL(t.version, cases[i].version);
    }
}

static int extra_rc(const char *a, const char *b, struct sr_error *err)
{
    struct sr_strlist l = {0};
    sr_strlist_add(&l, a);
    if (b)
        sr_strlist_add(&l, b);
    int rc = sr_pg_dump_check_extra(&l, err);
    sr_strlist_done(&l);
    return rc;
}

static void options_that_would_break_promises(void)
{
    static const char *const bad[] = {"-f",          "-fout",      "--file=x",
                                      "--file",      "--fi=x",     "-Fd",
                                      "--format=d",  "--form=d",   "-j4",
                                      "--jobs=2",    "-Z9",        "--compress=9",
                                      "-dx",         "--dbname=x", "-hx",
                                      "--host=x",    "-p1",        "-Ux",
                                      "-W",          "-w",         "--password",
                                      "--snapshot=", "-C",         "--create",
                                      "-sOFc",       "-xOf",       "--lock-wait-timeout=1",
                                      "--version",   "-V",         "-?",
                                      "--help",      "mydb",       "-",
                                      "--",          "--sch"};
    struct sr_error err = SR_ERROR_INIT;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int rc = extra_rc(bad[i], NULL, &err);
        if (rc != SR_E_USAGE)
            fprintf(stderr, "accepted: %s\n", bad[i]);
        CU_ASSERT_EQUAL(rc, SR_E_USAGE);
    }
    static const char *const good[][2] = {{"-s", NULL},
                                          {"-xO", NULL},
                                          {"-t", "-f"},
                                          {"-tfoo", NULL},
                                          {"-nFj", NULL},
                                          {"--schema", "x"},
                                          {"--schema=x", "-a"},
                                          {"--no-comments", NULL},
                                          {"--inserts", NULL},
                                          {"-E", "UTF8"},
                                          {"--schema-only", NULL},
                                          {"--verbose", "-v"},
                                          {"--exclude-table-data", "mydb"}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int rc = extra_rc(good[i][0], good[i][1], &err);
        if (rc != SR_OK)
            fprintf(stderr, "refused: %s: %s\n", good[i][0], err.text);
        CU_ASSERT_EQUAL(rc, SR_OK);
    }
    CU_ASSERT_EQUAL(extra_rc("--schema", NULL, &err), SR_E_USAGE);
    CU_ASSERT_EQUAL(extra_rc("-t", NULL, &err), SR_E_USAGE);
    CU_ASSERT_EQUAL(extra_rc("--schema=x", "mydb", &err), SR_E_USAGE);
    CU_ASSERT_EQUAL(sr_pg_dump_check_extra(NULL, &err), SR_OK);
}

static void patterns_as_pg_dump_reads_them(void)
{
    static const struct {
        const char *pattern, *schema, *name;
    } cases[] = {
        {"users", NULL, "^(users)$"},
        {"Public.Users_*", "^(public)$", "^(users_.*)$"},
        {"\"My Schema\".\"a.b*\"\"c\"", "^(My Schema)$", "^(a\\.b\\*\"c)$"},
        {"a?b$[0-9]", NULL, "^(a.b\\$[0-9])$"},
        {"a|b", NULL, "^(a|b)$"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *schema = NULL, *name = NULL;
        CU_ASSERT_EQUAL(sr_pg_pattern_read(cases[i].pattern, &schema, &name, NULL), SR_OK);
        CU_ASSERT_STRING_EQUAL(name, cases[i].name);
        CU_ASSERT((schema == NULL) == (cases[i].schema == NULL));
        if (schema && cases[i].schema)
            CU_ASSERT_STRING_EQUAL(schema, cases[i].schema);
        free(schema);
        free(name);
    }
}

/* --- the end of a dump --- */

static void closing_words(void)
{
    static const struct {
        const char *text;
        int seen;
    } cases[] = {
        {"x\n--\n-- PostgreSQL database dump complete\n--\n\n", 1},
        {"x\n--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict abcDEF123\n\n", 1},
        {"--\n-- PostgreSQL database cluster dump complete\n--\n", 1},
        {"--\r\n-- PostgreSQL database dump complete\r\n--\r\n\r\n", 1},
        {"-- PostgreSQL database dump complete\n--", 0},
        {"-- PostgreSQL database dump complete\n", 0},
        {"-- PostgreSQL database dump complete\n--\nSELECT 1;\n", 0},
        {"-- PostgreSQL database dump complete\n--\n-- x\n", 0},
        {"", 0},
        {"\n\n\n", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t len = strlen(cases[i].text);
        for (size_t cut = 0; cut <= len; cut++) {
            struct sr_pg_marker m = {0};
            char filler[700];
            memset(filler, '\n', sizeof filler);
            sr_pg_marker_feed(&m, filler, cut % 3 == 0 ? 0 : sizeof filler - cut);
            sr_pg_marker_feed(&m, cases[i].text, cut);
            sr_pg_marker_feed(&m, cases[i].text + cut, len - cut);
            CU_ASSERT_EQUAL(sr_pg_marker_seen(&m), cases[i].seen);
        }
    }
}

static void a_lock_not_had_is_known(void)
{
    static const char lock[] = "pg_dump: detail: Query was: LOCK TABLE a.b IN ACCESS SHARE MODE";
    static const struct {
        const char *said;
        int waited, locked;
    } cases[] = {
        {"pg_dump: error: query failed: ERROR:  canceling statement due to statement timeout\n", 0,
         1},
        {"pg_dump: error: query failed: ERROR:  canceling statement due to lock timeout\n", 0, 1},
        {"pg_dump: error: query failed: FEHLER:  storniere Anfrage\n", 1, 1},
        {"pg_dump: error: query failed: FEHLER:  keine Berechtigung\n", 0, 0},
        {"pg_dump: error: query failed: ERROR:  permission denied for table b\n", 1, 0},
    };
    char what[SR_PG_LOCKED_WHAT], many[2000];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char said[512];
        (void)snprintf(said, sizeof said, "%s%s\n", cases[i].said, lock);
        CU_ASSERT_EQUAL(sr_pg_said_locked(said, cases[i].waited, what), cases[i].locked);
        CU_ASSERT_STRING_EQUAL(what, "a.b");
        CU_ASSERT(!sr_pg_said_locked(cases[i].said, 1, what)); /* another query's */
    }
    (void)snprintf(many, sizeof many,
                   "statement timeout\nLOCK TABLE %01500d IN ACCESS SHARE MODE\n", 0);
    CU_ASSERT(sr_pg_said_locked(many, 0, what));
    CU_ASSERT_STRING_EQUAL(what, "every table");
}

/* --- the scanner --- */

struct outcome {
    int rc, end_rc, complete, is_dump;
    size_t tables;
    char names[512];
};

static struct outcome scan(const char *text, size_t len, unsigned flags, size_t step)
{
    struct outcome o = {0};
    struct sr_pg_scan *s = NULL;
    struct sr_error err = SR_ERROR_INIT;
    CU_ASSERT_EQUAL_FATAL(sr_pg_scan_new(flags, &s, &err), SR_OK);
    for (size_t i = 0; i < len && o.rc == SR_OK; i += step) {
        /* A copy of its own: a read past the piece is seen by valgrind and sanitizers. */
        size_t n = len - i < step ? len - i : step;
        char *piece = malloc(n);
        memcpy(piece, text + i, n);
        o.rc = sr_pg_scan_feed(s, piece, n, &err);
        free(piece);
    }
    o.end_rc = sr_pg_scan_end(s, &err);
    o.complete = sr_pg_scan_complete(s);
    o.is_dump = sr_pg_scan_is_dump(s);
    o.tables = sr_pg_scan_tables(s);
    size_t at = 0;
    for (size_t i = 0; i < o.tables; i++) {
        uint64_t rows = 0;
        const char *name = sr_pg_scan_table(s, i, &rows);
        at += (size_t)snprintf(o.names + at, sizeof o.names - at, "%s=%llu;", name,
                               (unsigned long long)rows);
    }
    sr_pg_scan_free(s);
    return o;
}

static int same_outcome(const struct outcome *a, const struct outcome *b)
{
    return a->rc == b->rc && a->end_rc == b->end_rc && a->complete == b->complete &&
           a->is_dump == b->is_dump && a->tables == b->tables && strcmp(a->names, b->names) == 0;
}

/* The same for the whole text at once and for pieces of several sizes. */
static struct outcome scan_split(const char *text, unsigned flags)
{
    size_t len = strlen(text);
    struct outcome whole = scan(text, len, flags, len ? len : 1);
    for (size_t step = 1; step < 12; step++) {
        struct outcome o = scan(text, len, flags, step);
        if (!same_outcome(&whole, &o)) {
            fprintf(stderr, "split by %zu differs: %s\n", step, text);
            CU_FAIL("split differs");
        }
    }
    return whole;
}

#define HEAD "--\n-- PostgreSQL database dump\n--\n\n\\restrict abc123\n\n"
#define TAIL "--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict abc123\n\n"

static void rows_are_counted(void)
{
    static const char text[] =
        HEAD "SET standard_conforming_strings = on;\nSET client_encoding = 'UTF8';\n"
             "CREATE FUNCTION public.f() RETURNS text AS $_$ select 'COPY x FROM stdin;\n"
             "\\\\ $$ it''s' $_$ LANGUAGE sql;\n"
             "COMMENT ON TABLE x IS E'a\\'b\\\\';\n"
             "COPY public.users (id, \"a b\") FROM stdin;\n1\t\\N\n2\t\\\\.\n\\\\.\n\\.\n\n"
             "--\n-- a comment; COPY y FROM stdin;\n--\n"
             "COPY public.empty FROM stdin;\n\\.\n\n"
             "COPY \"My Schema\".\"a \"\"(b\" (x) FROM stdin;\nSELECT; '\n$$\n\\.x\n\\.\n"
             "CREATE RULE r AS ON INSERT TO x DO ALSO (DELETE FROM y; DELETE FROM z);\n"
             "SELECT pg_catalog.setval('public.s', 1, true);\n" TAIL;
    struct outcome o = scan_split(text, SR_SCAN_ROWS | SR_SCAN_GUARD | SR_SCAN_STRICT);
    CU_ASSERT_EQUAL(o.rc, SR_OK);
    CU_ASSERT_EQUAL(o.end_rc, SR_OK);
    CU_ASSERT(o.complete && o.is_dump);
    CU_ASSERT_STRING_EQUAL(o.names, "public.users=3;public.empty=0;\"My Schema\".\"a \"\"(b\"=3;");
    o = scan_split(text, 0);
    CU_ASSERT_EQUAL(o.tables, 0);
    CU_ASSERT(o.complete);
}

static void cut_dumps_are_noticed(void)
{
    static const char text[] = HEAD "COPY t (a) FROM stdin;\n--\n"
                                    "-- PostgreSQL database dump complete\n--\n\n\\.\n"
                                    "SELECT 'x';\n" TAIL;
    size_t len = strlen(text), completes = 0;
    for (size_t n = 0; n < len; n++) {
        struct outcome o = scan(text, n, SR_SCAN_ROWS, n ? n : 1);
        completes += o.complete != 0;
        /* Rows that look like the closing words do not close the dump. */
        if (o.complete)
            CU_ASSERT(n > len - 30);
    }
    CU_ASSERT(completes > 0);
    CU_ASSERT_EQUAL(scan("COPY t FROM stdin;\n1\n", 21, SR_SCAN_ROWS, 21).end_rc, SR_E_CORRUPT);
    CU_ASSERT_EQUAL(scan("COPY t FROM stdin;", 18, SR_SCAN_ROWS, 18).end_rc, SR_E_CORRUPT);
    CU_ASSERT_EQUAL(scan("SELECT 'a", 9, 0, 9).end_rc, SR_E_CORRUPT);
    CU_ASSERT_EQUAL(scan("SELECT $a$ b", 12, 0, 12).end_rc, SR_E_CORRUPT);
    CU_ASSERT_EQUAL(scan("/* /* */", 8, 0, 8).end_rc, SR_E_CORRUPT);
    CU_ASSERT_EQUAL(scan("/* /* */*/", 10, 0, 10).end_rc, SR_OK);
    CU_ASSERT_EQUAL(scan("", 0, 0, 1).end_rc, SR_OK);
}

static void hidden_commands_are_refused(void)
{
    static const char *const cases[] = {
        "\\! touch /tmp/x\n",
        "SELECT 1; \\! x\n",
        "SELECT 1 \\gexec\n",
        "SELECT 1 \\\\ \\! x\n",
        "  \\! x\n",
        "\\!",
        "SELECT 1\\;\n",
        "\\restrict a b\n",
        "\\restrict `x`\n",
        "\\restrict\n",
        "\\unrestrict \n",
        "\\restrictx abc\n",
        "SELECT 1\n\\restrict abc\n",
        "\\. x\n",
        "\\connect other\n",
        "\\connect\n",
        "\\c x\n",
        "-- a comment\r\\! x\n",
        "/* a */ \\! x\n",
        "/* /* */ */ \\! x\n",
        "SELECT 'a' \\! x\n",
        "SELECT 'a''b' \\! x\n",
        "SELECT E'a\\'' \\! x '\n",
        "SELECT e'\\\\' \\! x\n",
        "SELECT fooe'\\' \\! x\n",
        "SELECT \"a\"\"b\\\" \\! x\n",
        "SELECT $$a$$ \\! x\n",
        "SELECT $a$ $b$ $a$ \\! x\n",
        "SELECT $a$ $a$a$ \\! x\n",
        "SELECT a$b$ \\! x $b$\n",
        "SELECT $1 \\! x\n",
        "SELECT 1$a$ x $a$\n",
        "SELECT :x$a$ x $a$\n",
        "SELECT 1e'a'\n",
        "SELECT 1begin\n",
        "SELECT u&'a'\n",
        "SELECT U&\"a\"\n",
        "COPY t FROM stdin; \\! x\n1\n\\.\n",
        "COPY t FROM stdin; SELECT 1;\n1\n\\.\n",
        "SELECT 1; COPY t FROM stdin;\n1\n\\.\n",
        "COPY t FROM stdin;\n1\n\\.\n\\! x\n",
        "COPY t FROM stdin;\n1\n\\.\r\n\\! x\n",
        /* not the beginning of data for psql */
        "COPY t TO stdout;\n\\! x\n",
        /* data for psql; we would read it as SQL */
        "COPY t FROM stdin DELIMITER ',';\n'\n\\.\nROLLBACK;\n--';\n",
        "COPY t FROM stdin WITH (FORMAT csv);\n1\n\\.\n",
        "COPY (SELECT * FROM stdin) TO stdout;\n\\! x\n",
        "COPY t FROM 'stdin';\n\\! x\n",
        "COPY t FROM \"stdin\";\n\\! x\n",
        "COPY t FROM program stdin;\n\\! x\n",
        "'COPY t FROM stdin;\n';\\! x\n",
        "-- COPY t FROM stdin;\n\\! x\n",
        "/*\nCOPY t FROM stdin;\n*/\\! x\n",
        "SELECT (1;\nCOPY t FROM stdin;\n\\! x\n",
        "CREATE FUNCTION f() BEGIN ATOMIC\nSELECT 1;\nCOPY t FROM stdin;\n\\! x\n",
        ("CREATE OR REPLACE PROCEDURE f() BEGIN ATOMIC SELECT CASE WHEN 1 THEN 2 END;\n"
         "COPY t FROM stdin;\n\\! x\n"),
        "CREATE :x FUNCTION f() BEGIN\n;\nCOPY t FROM stdin;\n\\! x\n",
        "CREATE E'x' FUNCTION f() BEGIN\n;\nCOPY t FROM stdin;\n\\! x\n",
        "CREATE 1.e5 FUNCTION f() BEGIN\n;\nCOPY t FROM stdin;\n\\! x\n",
        /* settings */
        "SET standard_conforming_strings = off;\n",
        "SET standard_conforming_strings TO 'off';\n",
        "set session STANDARD_conforming_strings=0;\n",
        "SET standard_conforming_strings = DEFAULT;\n",
        "SELECT 'a\r\n'; \r \n",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct outcome o = scan_split(cases[i], SR_SCAN_GUARD | SR_SCAN_ROWS);
        int rc = o.rc != SR_OK ? o.rc : o.end_rc;
        if (rc != SR_E_CORRUPT)
            fprintf(stderr, "let through: %s\n", cases[i]);
        CU_ASSERT_EQUAL(rc, SR_E_CORRUPT);
        /* Counting alone refuses nothing. */
        CU_ASSERT_EQUAL(scan_split(cases[i], SR_SCAN_ROWS).rc, SR_OK);
    }
    CU_ASSERT_EQUAL(scan("SELECT\0 1;", 10, SR_SCAN_GUARD, 10).rc, SR_E_CORRUPT);
    CU_ASSERT_EQUAL(scan("COPY t FROM stdin;\na\0b\n\\.\n", 26, SR_SCAN_GUARD, 26).rc,
                    SR_E_CORRUPT);
    CU_ASSERT_EQUAL(scan("\\restrict\0a\n", 12, SR_SCAN_GUARD, 12).rc, SR_E_CORRUPT);
}

static void honest_dumps_pass_the_guard(void)
{
    static const char *const cases[] = {
        "\\restrict aB3\nSELECT 1;\n\\unrestrict aB3\n",
        "SELECT '\\! x';\n",
        "SELECT 'C:\\';\n",
        "SELECT E'\\'\\! x';\n",
        "SELECT $$\\! x$$, $_$ \\gexec $_$, $a1$\\$a1$;\n",
        "SELECT \"\\\";\n",
        "-- \\! x\n/* \\! x */ SELECT 1;\n",
        "SELECT 'a\n\\.\n';\n",
        "SELECT $$a\n\\.\r\n$$;\n",
        "\xef\xbb\xbf--\n\\restrict aB3\nCOPY t FROM stdin;\n1\n\\.\n",
        "SELECT a[1:2], b::text, (x)[lo:hi], :'v', 1.5e-05, 1e+10, .5, $1;\n",
        "COPY t FROM stdin;\n\\! x\n\\\\.\n\\.\nSELECT 1;\n",
        "COPY t (a, b) FROM stdin;\r\n1\r\n\\.\r\nSELECT 1;\r\n",
        "copy t from STDIN ;\n1\n\\.\n",
        "SELECT 1;\n\\.\n",
        "SET standard_conforming_strings = on;\nset standard_conforming_strings to 'ON';\n",
        "SELECT 'SET standard_conforming_strings = off';\n",
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN true THEN 1 "
         "END; END;\nCOPY t FROM stdin;\n\\x\n\\.\n"),
        "CREATE TABLE begin (a int);\nCOPY t FROM stdin;\n\\x\n\\.\n",
        "SELECT a - b, a / b, '-' || '--', u & 3, a$b;\n",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct outcome o = scan_split(cases[i], SR_SCAN_GUARD);
        if (o.rc != SR_OK || o.end_rc != SR_OK)
            fprintf(stderr, "refused: %s\n", cases[i]);
        CU_ASSERT_EQUAL(o.rc, SR_OK);
        CU_ASSERT_EQUAL(o.end_rc, SR_OK);
    }
}

static void strict_refuses_what_settings_decide(void)
{
    static const char *const cases[] = {
        "SELECT '\\'' \\! x ';\n",
        /* psql would be reading data where we read a quote */
        "SELECT 'a\n\\.\n';\n",
        "SELECT $$a\n\\.\r\n$$;\n",
        "SELECT 'C:\\';\n",
        "SELECT E'\x83\\'';\n",
        "SELECT :HOST;\n",
        "SELECT :'HOST';\n",
        "SELECT :\"DBNAME\";\n",
        "SET client_encoding = 'SJIS';\n",
        "SET NAMES 'gb18030';\n",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        /* Not damage: the dump may be an honest one. */
        CU_ASSERT_EQUAL(scan_split(cases[i], SR_SCAN_GUARD | SR_SCAN_STRICT).rc, SR_E_REFUSED);
        struct outcome o = scan_split(cases[i], SR_SCAN_GUARD);
        CU_ASSERT_EQUAL(o.rc, SR_OK);
    }
    CU_ASSERT_EQUAL(
        scan_split("SELECT 'a\\\\', E'\xc3\xa9\\n', a::B;\nSET client_encoding = 'UTF8';\n",
                   SR_SCAN_GUARD | SR_SCAN_STRICT)
            .rc,
        SR_OK);
}

static void transaction_control_is_refused(void)
{
    static const char *const bad[] = {
        "ROLLBACK;\n",
        "commit work;\n",
        "COMMIT AND CHAIN;\n",
        "COMMIT PREPARED 'x';\n",
        "Abort;\n",
        "END;\n",
        "END TRANSACTION;\n",
        "START TRANSACTION;\n",
        "BEGIN ISOLATION LEVEL SERIALIZABLE;\n",
        "PREPARE TRANSACTION 'x';\n",
        "PREPARE/**/transaction 'x';\n",
        "ROLLBACK TO SAVEPOINT a;\n",
        "/* a */ ROLLBACK;\n",
        "-- a\n ROLLBACK ;\n",
        ";ROLLBACK;\n",
        "SELECT 1; ROLLBACK;\n",
        "ROLLBACK\n",
        "ROLLBACK",
        /* what the filter does not take for pg_dump's own */
        "SELECT 1; COMMIT;\n",
        " COMMIT;\n",
        "/**/COMMIT;\n",
        "COMMIT/**/;\n",
        "COMMIT--\n;\n",
        "COMMIT ;\n",
        "COMMIT",
        "COPY t FROM stdin;\n1\n\\.\nROLLBACK;\n",
        /* a psql that takes a name for the beginning of a body sends all this at once */
        "CREATE FUNCTION begin.f() RETURNS int LANGUAGE sql AS 'select 1'; END;\n",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET x TO begin; COMMIT; END;\n",
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT begin atomic FROM t; "
         "END; COMMIT; END;\n"),
    };
    static const char *const good[] = {
        "BEGIN;\n\nSELECT pg_catalog.lo_open('1', 131072);\nCOMMIT;\n",
        "begin;\ncommit;\n",
        "COPY t FROM stdin;\nROLLBACK;\nCOMMIT;\n\\.\n",
        "SELECT 'a\nROLLBACK;\n', $$\nCOMMIT;\n$$, \"\nEND;\n\";\n",
        "-- ROLLBACK;\n/*\nROLLBACK;\n*/\n",
        "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\nRETURN 1;\nEND;\n$$;\n",
        "CREATE PROCEDURE p() LANGUAGE plpgsql AS 'BEGIN COMMIT; END;';\n",
        ("CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql\n    BEGIN ATOMIC\n SELECT CASE "
         "WHEN true THEN 1 END;\nEND;\n"),
        "CREATE TABLE rollback (\"end\" int, commit int);\nINSERT INTO commit VALUES (1);\n",
        "COMMENT ON TABLE t IS 'x'; SELECT commit FROM t;\n",
        "SAVEPOINT a;\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct outcome o = scan_split(bad[i], SR_SCAN_GUARD);
        int rc = o.rc != SR_OK ? o.rc : o.end_rc;
        if (rc != SR_E_CORRUPT)
            fprintf(stderr, "let through: %s\n", bad[i]);
        CU_ASSERT_EQUAL(rc, SR_E_CORRUPT);
        CU_ASSERT_EQUAL(scan_split(bad[i], SR_SCAN_ROWS).rc, SR_OK);
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct outcome o = scan_split(good[i], SR_SCAN_GUARD | SR_SCAN_STRICT);
        if (o.rc != SR_OK || o.end_rc != SR_OK)
            fprintf(stderr, "refused: %s\n", good[i]);
        CU_ASSERT_EQUAL(o.rc, SR_OK);
        CU_ASSERT_EQUAL(o.end_rc, SR_OK);
    }
}

static void one_transaction_has_none_of_the_dumps(void)
{
    static const char own[] = "BEGIN;\nSELECT 1;\nCOMMIT;\n";
    CU_ASSERT_EQUAL(scan_split(own, SR_SCAN_GUARD).rc, SR_OK);
    CU_ASSERT_EQUAL(scan_split(own, SR_SCAN_GUARD | SR_SCAN_WHOLE).rc, SR_E_CORRUPT);
    CU_ASSERT_EQUAL(scan_split("\n\nSELECT 1;\n", SR_SCAN_GUARD | SR_SCAN_WHOLE).rc, SR_OK);
}

static void a_statement_that_is_cut_is_noticed(void)
{
    CU_ASSERT_EQUAL(scan_split("SELECT (1\n", SR_SCAN_GUARD).end_rc, SR_E_CORRUPT);
    CU_ASSERT_EQUAL(
        scan_split("CREATE FUNCTION f() BEGIN ATOMIC\n SELECT 1;\n", SR_SCAN_GUARD).end_rc,
        SR_E_CORRUPT);
    CU_ASSERT_EQUAL(scan_split("SELECT 1\n", SR_SCAN_GUARD).end_rc, SR_OK);
}

static void connect_only_by_name(void)
{
    static const struct {
        const char *text;
        int fine;
    } cases[] = {
        {"\\connect other\n", 1},
        {"\\connect -reuse-previous=on \"dbname='a b'\"\n", 1},
        {"\\connect other\r\n", 1},
        {"\\connect a b\n", 0},
        {"\\connect host=evil\n", 0},
        {"\\connect postgres://evil\n", 0},
        {"\\connect `x`\n", 0},
        {"\\connect -reuse-previous=on \"dbname='a' host='evil'\"\n", 0},
        {"\\connect -reuse-previous=on \"dbname='`x`'\"\n", 0},
        {"\\connect :HOST\n", 0},
        {"\\connect \n", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct outcome o = scan_split(cases[i].text, SR_SCAN_GUARD | SR_SCAN_CONNECT);
        if ((o.rc == SR_OK) != cases[i].fine)
            fprintf(stderr, "wrong: %s\n", cases[i].text);
        CU_ASSERT_EQUAL(o.rc, cases[i].fine ? SR_OK : SR_E_CORRUPT);
    }
}

static void refusal_names_the_line(void)
{
    struct sr_pg_scan *s = NULL;
    struct sr_error err = SR_ERROR_INIT;
    static const char text[] =
        "SELECT 1;\nCOPY t FROM stdin;\n1\n2\n\\.\n-- x\n\\! rm\nSELECT 2;\n";
    CU_ASSERT_EQUAL_FATAL(sr_pg_scan_new(SR_SCAN_GUARD, &s, &err), SR_OK);
    CU_ASSERT_EQUAL(sr_pg_scan_feed(s, text, strlen(text), &err), SR_E_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "line 7 "));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "\\!"));
    sr_error_clear(&err);
    CU_ASSERT_EQUAL(sr_pg_scan_feed(s, "x", 1, &err), SR_E_CORRUPT);
    CU_ASSERT_EQUAL(sr_pg_scan_end(s, &err), SR_E_CORRUPT);
    CU_ASSERT(!sr_pg_scan_complete(s));
    sr_pg_scan_free(s);
}

static void many_tables_and_long_names(void)
{
    struct sr_pg_scan *s = NULL;
    struct sr_error err = SR_ERROR_INIT;
    char text[4096];
    CU_ASSERT_EQUAL_FATAL(sr_pg_scan_new(SR_SCAN_ROWS | SR_SCAN_GUARD, &s, &err), SR_OK);
    for (int i = 0; i < 10000; i++) {
        int n =
            snprintf(text, sizeof text, "COPY public.t%d (a) FROM stdin;\n1\n2\n\\.\n", i % 5000);
        CU_ASSERT_EQUAL_FATAL(sr_pg_scan_feed(s, text, (size_t)n, &err), SR_OK);
    }
    CU_ASSERT_EQUAL(sr_pg_scan_tables(s), 5000);
    uint64_t rows = 0;
    CU_ASSERT_STRING_EQUAL(sr_pg_scan_table(s, 4999, &rows), "public.t4999");
    CU_ASSERT_EQUAL(rows, 4);
    /* A list of columns longer than what is kept of a statement; a name that is. */
    sr_pg_scan_feed(s, "COPY public.wide (", 18, &err);
    for (int i = 0; i < 2000; i++)
        sr_pg_scan_feed(s, "\"column\", ", 10, &err);
    static const char rest[] = "z) FROM stdin;\n1\n\\.\nCOPY ";
    sr_pg_scan_feed(s, rest, strlen(rest), &err);
    CU_ASSERT_EQUAL(sr_pg_scan_tables(s), 5001);
    for (int i = 0; i < 2000; i++)
        sr_pg_scan_feed(s, "long", 4, &err);
    static const char end[] = " FROM stdin;\n1\n\\.\n";
    CU_ASSERT_EQUAL(sr_pg_scan_feed(s, end, strlen(end), &err), SR_OK);
    CU_ASSERT_EQUAL(sr_pg_scan_end(s, &err), SR_OK);
    CU_ASSERT_EQUAL(sr_pg_scan_tables(s), 5001);
    CU_ASSERT(!sr_pg_scan_cut(s));
    sr_pg_scan_free(s);
    /* Tags and commands without end. */
    memset(text, 'a', sizeof text);
    CU_ASSERT_EQUAL_FATAL(sr_pg_scan_new(SR_SCAN_GUARD, &s, &err), SR_OK);
    text[0] = '$';
    CU_ASSERT_EQUAL(sr_pg_scan_feed(s, text, sizeof text, &err), SR_E_CORRUPT);
    sr_pg_scan_free(s);
    CU_ASSERT_EQUAL_FATAL(sr_pg_scan_new(SR_SCAN_GUARD, &s, &err), SR_OK);
    text[0] = '\\';
    CU_ASSERT_EQUAL(sr_pg_scan_feed(s, text, sizeof text, &err), SR_E_CORRUPT);
    sr_pg_scan_free(s);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"urls are taken apart", urls_are_taken_apart},
        {"wrong urls never show a password", wrong_urls_never_show_a_password},
        {"an unknown parameter is told by its place", an_unknown_parameter_is_told_by_its_place},
        {"families come in order", families_come_in_order},
        {"services", services},
        {"dbname argument is quoted", dbname_argument_is_quoted},
        {"versions are read", versions_are_read},
        {"options that would break promises", options_that_would_break_promises},
        {"patterns as pg_dump reads them", patterns_as_pg_dump_reads_them},
        {"a lock not had is known", a_lock_not_had_is_known},
        {"closing words", closing_words},
        {"rows are counted", rows_are_counted},
        {"cut dumps are noticed", cut_dumps_are_noticed},
        {"hidden commands are refused", hidden_commands_are_refused},
        {"honest dumps pass the guard", honest_dumps_pass_the_guard},
        {"strict refuses what settings decide", strict_refuses_what_settings_decide},
        {"transaction control is refused", transaction_control_is_refused},
        {"one transaction has none of the dump's", one_transaction_has_none_of_the_dumps},
        {"a statement that is cut is noticed", a_statement_that_is_cut_is_noticed},
        {"connect only by name", connect_only_by_name},
        {"refusal names the line", refusal_names_the_line},
        {"many tables and long names", many_tables_and_long_names},
        {NULL, NULL}};
    return unit_main("source", tests);
}
