#include "config.h"
#include "core/source/pg_filter.h"
#include "core/source/pg_restore.h"
#include "core/source/pg_statement.h"
#include "core/util/buf.h"
#include "core/util/cleanup.h"
#include "tests/unit/unit.h"

#include <string.h>

#define _cleanup_buf_ _cleanup_(sr_buf_done)

static int collect(void *ctx, const void *data, size_t len, struct sr_error *err)
{
    return sr_buf_add(ctx, data, len) == SR_OK ? SR_OK : sr_fail(err, SR_E_NO_SPACE, "full");
}

/* Filters in pieces of step bytes, each of them in memory of its own, so that a sanitizer sees a
 * filter that looks at a piece after its time. */
static int filtered(unsigned flags, const char *in, size_t len, size_t step, struct sr_buf *out,
                    struct sr_error *err)
{
    struct sr_pg_filter *f = NULL;
    sr_buf_init(out, 16 << 20);
    int rc = sr_pg_filter_new(flags, collect, out, &f, err);
    for (size_t i = 0; i < len && rc == SR_OK; i += step) {
        size_t n = len - i < step ? len - i : step;
        _cleanup_free_ char *piece = malloc(n);
        if (!piece)
            abort();
        memcpy(piece, in + i, n);
        rc = sr_pg_filter_feed(f, piece, n, err);
    }
    if (rc == SR_OK)
        rc = sr_pg_filter_end(f, err);
    sr_pg_filter_free(f);
    return rc;
}

/* All splits into equal pieces, and into two at each place. */
static void expect(unsigned flags, const char *in, const char *out)
{
    size_t len = strlen(in);
    for (size_t step = 1; step <= len; step++) {
        _cleanup_buf_ struct sr_buf got;
        struct sr_error err = SR_ERROR_INIT;
        ASSERT_OK(filtered(flags, in, len, step, &got, &err), err);
        if (strcmp(sr_buf_str(&got), out) != 0) {
            (void)fprintf(stderr, "pieces of %zu:\n%s\ngave\n%s\n", step, in, sr_buf_str(&got));
            CU_FAIL("filtered text differs");
            return;
        }
    }
    CU_PASS("same in all splits");
}

static void expect_failure(const char *in, int code, const char *text)
{
    for (size_t step = 1; step <= strlen(in); step++) {
        _cleanup_buf_ struct sr_buf got;
        struct sr_error err = SR_ERROR_INIT;
        CU_ASSERT_EQUAL(filtered(0, in, strlen(in), step, &got, &err), code);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, text));
    }
}

#define ALL (SR_FILTER_OWNERS | SR_FILTER_ACLS | SR_FILTER_TRANSACTIONS)

static void restrict_lines_go(void)
{
    expect(0,
           "--\n-- PostgreSQL database dump\n--\n\n\\restrict abc123\n\nSELECT 1;\n"
           "\\unrestrict abc123\n\n",
           "--\n-- PostgreSQL database dump\n--\n\n\n\nSELECT 1;\n\n\n");
    expect(0, "\\restrict abc\r\nSELECT 1;\r\n\\unrestrict abc", "\nSELECT 1;\r\n");
    /* What comes behind it on the line goes too. */
    expect_failure("\\restrict x \\! rm -rf /\nSELECT 1;\n", SR_E_CORRUPT, "is a command to psql");
    expect(0, "\xef\xbb\xbf-- edited\n\\restrict x\n", "-- edited\n\n");
}

static void restrict_in_data_stays(void)
{
    const char *dump = "COPY public.a (t) FROM stdin;\n\\restrict x\n\\.x\n\\N\n\\.\n"
                       "COMMENT ON TABLE a IS '\n\\restrict x\n';\n"
                       "DO $$\n\\restrict x\n$$;\n/* \n\\restrict x\n*/\n";
    expect(ALL, dump, dump);
}

static void owners_go(void)
{
    const char *dump = "CREATE TABLE public.a (\n    id integer\n);\n\n\n"
                       "ALTER TABLE public.a OWNER TO postgres;\n\n"
                       "ALTER FUNCTION public.f(x integer, OUT y text) OWNER TO \"the boss\";\n"
                       "ALTER TABLE public.\"OWNER TO\nx\" OWNER TO a;\n"
                       "SET SESSION AUTHORIZATION 'alice';\n"
                       "SET SESSION AUTHORIZATION DEFAULT;\n"
                       "ALTER TABLE ONLY public.a ALTER COLUMN owner SET DEFAULT 'OWNER TO x';\n"
                       "GRANT SELECT ON TABLE public.a TO bob;\nSELECT 2;\n";
    expect(SR_FILTER_OWNERS, dump,
           "CREATE TABLE public.a (\n    id integer\n);\n\n\n\n\n\n\n\n\n\n"
           "ALTER TABLE ONLY public.a ALTER COLUMN owner SET DEFAULT 'OWNER TO x';\n"
           "GRANT SELECT ON TABLE public.a TO bob;\nSELECT 2;\n");
    expect(SR_FILTER_TRANSACTIONS, dump, dump);
}

static void acls_go(void)
{
    const char *dump = "REVOKE ALL ON SCHEMA public FROM PUBLIC;\n"
                       "grant all ON TABLE public.\"x;y\" TO \"a;b\" WITH GRANT OPTION;\n"
                       "SET SESSION AUTHORIZATION alice;\nGRANT SELECT(id) ON TABLE a TO x;\n"
                       "RESET SESSION AUTHORIZATION;\n"
                       "ALTER DEFAULT PRIVILEGES FOR ROLE a GRANT SELECT ON TABLES  TO b;\n"
                       "ALTER TABLE a OWNER TO b;\nSET default_tablespace = '';\n";
    expect(SR_FILTER_ACLS, dump,
           "\n\n\n\n\n\nALTER TABLE a OWNER TO b;\nSET default_tablespace = '';\n");
    expect(SR_FILTER_OWNERS | SR_FILTER_ACLS, dump, "\n\n\n\n\n\n\nSET default_tablespace = '';\n");
    expect(0, dump, dump);
}

static void transactions_go(void)
{
    expect(SR_FILTER_TRANSACTIONS, "BEGIN;\n\nSELECT lo_open(1, 2);\n\nCOMMIT;\n",
           "\n\nSELECT lo_open(1, 2);\n\n\n");
    expect(SR_FILTER_TRANSACTIONS, "COMMIT PREPARED 'x';\n BEGIN;\n",
           "COMMIT PREPARED 'x';\n BEGIN;\n");
}

static void what_only_looks_like_it_stays(void)
{
    const char *dump =
        "COMMENT ON TABLE a IS 'it''s\nGRANT x TO y;\n';\n"
        "COMMENT ON TABLE a IS E'\\'\nGRANT x TO y;\n';\n"
        "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $_$\nGRANT x TO y;\n$ $_ $_$;\n"
        "CREATE FUNCTION g() RETURNS void LANGUAGE sql AS $a$ $b$\nGRANT x TO y;\n$b$ $$ $a$;\n"
        "CREATE FUNCTION h(int) RETURNS int LANGUAGE sql AS 'SELECT $1';\n"
        "CREATE RULE r AS ON INSERT TO a DO ALSO (DELETE FROM b;\nGRANT x TO y;\n);\n"
        "/* /* nested */\nGRANT x TO y;\n*/\n-- GRANT x TO y;\n"
        "CREATE VIEW \"\nGRANT x TO y;\n\" AS\n SELECT 1 - 2 / 3 AS x;\n"
        "CREATE VIEW v AS SELECT\nGRANT;\n"
        " GRANT x TO y;\n"
        "COPY a FROM stdin;\nGRANT x TO y;\n\\.\n"
        "COPY \"stdin\" TO STDOUT;\n"
        "SELECT a$b, $1, e'', date'2000-01-01';\n";
    expect(ALL, dump, dump);
}

static void copy_data_ends_where_psql_ends_it(void)
{
    static const struct {
        const char *copy, *end;
    } forms[] = {
        {"COPY a FROM stdin;\n", "\\.\n"},
        {"copy public.\"FROM\" (a, \"b;c\") from STDIN with (format csv);\n", "\\.\r\n"},
        {"/* first */ COPY a FROM stdin;\n", "\\.\n"},
        {"COPY a FROM stdin; -- data\n", "\\.\n"},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        char in[512], out[512];
        (void)snprintf(in, sizeof in, "%s%s%sGRANT x TO y;\n", forms[i].copy,
                       "GRANT a TO b;\n\\N\n \\.\n\\.\\.\n\\\\.\n'\n", forms[i].end);
        size_t keep = strlen(in) - strlen("GRANT x TO y;\n");
        memcpy(out, in, keep);
        (void)snprintf(out + keep, sizeof out - keep, "\n");
        expect(ALL, in, out);
    }
}

static void strings_follow_standard_conforming_strings(void)
{
    expect(ALL,
           "SET standard_conforming_strings = on;\nSELECT 'a\\';\nGRANT x TO y;\n"
           "SET standard_conforming_strings = off;\nSELECT 'a\\';\nGRANT x TO y;\n';\n"
           "GRANT x TO y;\n",
           "SET standard_conforming_strings = on;\nSELECT 'a\\';\n\n"
           "SET standard_conforming_strings = off;\nSELECT 'a\\';\nGRANT x TO y;\n';\n\n");
}

static void commands_are_refused(void)
{
    expect_failure("SELECT 1;\n\\connect other\n", SR_E_UNSUPPORTED, "line 2 of the dump: it conn");
    expect_failure("\n\n\\c other\n", SR_E_UNSUPPORTED, "line 3 of the dump");
    expect_failure("\\! rm -rf /\n", SR_E_CORRUPT, "\"\\!\" is a command");
    expect_failure("\\! rm -rf /", SR_E_CORRUPT, "\"\\!\" is a command");
    expect_failure("COPY a FROM stdin;\nx\n\\.\n\\copy x\n", SR_E_CORRUPT, "line 4 of the dump");
    expect_failure("SELECT 1 \\gexec\n", SR_E_CORRUPT, "in the middle");
    expect_failure("SELECT 1\n\\restrict x\n", SR_E_CORRUPT, "in the middle");
    expect_failure(" \\restrict x\n", SR_E_CORRUPT, "in the middle");
}

static void long_statements_pass_in_bounded_memory(void)
{
    size_t n = SR_FILTER_HELD_MAX + 5000;
    for (int i = 0; i < 2; i++) {
        _cleanup_buf_ struct sr_buf in, got;
        struct sr_error err = SR_ERROR_INIT;
        sr_buf_init(&in, 8 << 20);
        sr_buf_adds(&in, i ? "COPY t (" : "ALTER TABLE a ADD CHECK (");
        for (size_t k = 0; k < n; k++)
            sr_buf_addc(&in, 'x');
        sr_buf_adds(&in, i ? ") FROM stdin;\n\\.\n" : ");\nGRANT x TO y;\nSELECT 1;\n");
        int rc = filtered(ALL, in.data, in.len, 4096, &got, &err);
        CU_ASSERT_EQUAL(rc, i ? SR_E_CORRUPT : SR_OK);
        if (i == 0) {
            CU_ASSERT_EQUAL(got.len, in.len - strlen("GRANT x TO y;"));
            CU_ASSERT_PTR_NOT_NULL(strstr(got.data, ");\n\nSELECT 1;\n"));
        } else {
            CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "longer than"));
        }
    }
}

static int refuse(void *ctx, const void *data, size_t len, struct sr_error *err)
{
    (void)ctx;
    (void)data;
    (void)len;
    return sr_fail(err, SR_E_CHILD, "gone");
}

static void the_outlets_failure_is_the_feeds(void)
{
    struct sr_pg_filter *f = NULL;
    struct sr_error err = SR_ERROR_INIT;
    ASSERT_OK(sr_pg_filter_new(ALL, refuse, NULL, &f, &err), err);
    CU_ASSERT_EQUAL(sr_pg_filter_feed(f, "SELECT 1;\n", 10, &err), SR_E_CHILD);
    CU_ASSERT_STRING_EQUAL(err.text, "gone");
    sr_pg_filter_free(f);
    sr_pg_filter_free(NULL);
}

static void statements_are_told_apart(void)
{
    static const struct {
        const char *sql;
        enum sr_pg_statement kind;
    } cases[] = {
        {"ALTER LARGE OBJECT 12 OWNER TO \"OWNER\";", SR_STATEMENT_OWNER},
        {"ALTER DATABASE x OWNER TO y;", SR_STATEMENT_OWNER},
        {"ALTER OPERATOR public.=== (integer, integer) OWNER TO y;", SR_STATEMENT_OWNER},
        {"ALTER TABLE a OWNER TO y", SR_STATEMENT_OTHER},
        {"ALTER TABLE a RENAME owner TO y;", SR_STATEMENT_OTHER},
        {"ALTER TABLE a RENAME COLUMN owner TO y;", SR_STATEMENT_OTHER},
        {"ALTER;", SR_STATEMENT_OTHER},
        {"SET SESSION AUTHORIZATION 'x';", SR_STATEMENT_OWNER},
        {"SET SESSION AUTHORIZATION default;", SR_STATEMENT_OWNER},
        {"SET SESSION AUTHORIZATION \"default\";", SR_STATEMENT_ACL},
        {"SET standard_conforming_strings = ON;", SR_STATEMENT_STRINGS_ON},
        {"SET standard_conforming_strings = 'x';", SR_STATEMENT_OTHER},
        {"COPY a FROM stdin;", SR_STATEMENT_COPY_IN},
        {"COPY a (\"FROM\", stdin) FROM PROGRAM 'FROM stdin';", SR_STATEMENT_OTHER},
        {"COPY (SELECT FROM stdin) TO stdout;", SR_STATEMENT_OTHER},
        {"COPY a FROM \"stdin\";", SR_STATEMENT_OTHER},
        {"\"GRANT\" x;", SR_STATEMENT_OTHER},
        {"GRANT", SR_STATEMENT_OTHER},
        {"'unfinished", SR_STATEMENT_OTHER},
        {"", SR_STATEMENT_OTHER},
        {"COMMIT;", SR_STATEMENT_TRANSACTION},
        {"COMMIT AND CHAIN;", SR_STATEMENT_OTHER},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (sr_pg_statement_kind(cases[i].sql, strlen(cases[i].sql)) != cases[i].kind) {
            (void)fprintf(stderr, "%s\n", cases[i].sql);
            CU_FAIL("statement misread");
        }
    }
    CU_ASSERT(sr_pg_statement_may_matter("grant", 5));
    CU_ASSERT(!sr_pg_statement_may_matter("GRAN", 4));
}

static void kinds_are_told_by_content(void)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *why; /* NULL: plain */
    } cases[] = {
        {"--\n-- PostgreSQL database dump\n--\n", 34, NULL},
        {"\xef\xbb\xbf-- text", 10, NULL},
        {"\xc3\xa9t\xc3\xa9", 5, NULL},
        {"", 0, "empty"},
        {"\x1f\x8b\x08", 3, "gzip"},
        {"\x28\xb5\x2f\xfd", 4, "zstd"},
        {"BZh9", 4, "bzip2"},
        {"\xfd"
         "7zXZ",
         5, "xz"},
        {"-----BEGIN PGP MESSAGE-----", 27, "OpenPGP"},
        {"\x85\x02\x0c\x03", 4, "OpenPGP"},
        {"\x8c\x0d\x04\x09", 4, "OpenPGP"},
        {"\xc3\x0d\x04\x09", 4, "OpenPGP"},
        {"PGDMP\1\16\0\4\10\5", 11, "directory or tar"},
        {"\xff\xfe-\0-\0", 6, "UTF-16"},
        {"SELECT\0", 7, "binary data"},
        {"REDIS0009", 9, "Redis"},
    };
    struct sr_error err = SR_ERROR_INIT;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum sr_restore_kind kind = SR_RESTORE_CUSTOM;
        int rc = sr_pg_restore_kind(cases[i].bytes, cases[i].len, &kind, &err);
        CU_ASSERT_EQUAL(rc, cases[i].why ? SR_E_UNSUPPORTED : SR_OK);
        CU_ASSERT_EQUAL(kind, cases[i].why ? SR_RESTORE_CUSTOM : SR_RESTORE_PLAIN);
        CU_ASSERT(!cases[i].why || strstr(err.text, cases[i].why));
    }
    enum sr_restore_kind kind = SR_RESTORE_PLAIN;
    ASSERT_OK(sr_pg_restore_kind("PGDMP\1\16\0\4\10\1", 11, &kind, &err), err);
    CU_ASSERT_EQUAL(kind, SR_RESTORE_CUSTOM);
    char tar[512] = "toc.dat";
    memcpy(tar + 257, "ustar", 5);
    CU_ASSERT_EQUAL(sr_pg_restore_kind(tar, sizeof tar, &kind, &err), SR_E_UNSUPPORTED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "tar format; use pg_restore"));
    tar[0] = 'x';
    CU_ASSERT_EQUAL(sr_pg_restore_kind(tar, sizeof tar, &kind, &err), SR_E_UNSUPPORTED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "a tar archive; unpack"));
}

static const struct unit_test tests[] = {
    {"restrict lines go", restrict_lines_go},
    {"restrict in data stays", restrict_in_data_stays},
    {"owners go", owners_go},
    {"acls go", acls_go},
    {"transactions go", transactions_go},
    {"what only looks like it stays", what_only_looks_like_it_stays},
    {"copy data ends where psql ends it", copy_data_ends_where_psql_ends_it},
    {"strings follow standard_conforming_strings", strings_follow_standard_conforming_strings},
    {"commands are refused", commands_are_refused},
    {"long statements pass in bounded memory", long_statements_pass_in_bounded_memory},
    {"the outlet's failure is the feed's", the_outlets_failure_is_the_feeds},
    {"statements are told apart", statements_are_told_apart},
    {"kinds are told by content", kinds_are_told_by_content},
    {0},
};

int main(void)
{
    return unit_main("filter", tests);
}
