/* A plain dump into psql: filter, guard, pipe. */
#include "config.h"
#include "core/source/pg_restore.h"

#include "core/source/pg_clean.h"
#include "core/source/pg_feed.h"
#include "core/source/pg_filter.h"
#include "core/source/pg_scan.h"
#include "core/util/buf.h"
#include "core/util/cleanup.h"
#include "core/util/text.h"

#include <stdlib.h>
#include <string.h>

#define TOKEN_BYTES 24

struct sr_pg_psql {
    struct sr_pg_feed feed;
    struct sr_pg_interrupt stop;
    struct sr_pg_scan *scan;
    struct sr_pg_filter *filter;
    unsigned long lines_before; /* lines of ours before the dump's first */
    int single_transaction;
    char token[TOKEN_BYTES * 2 + 1]; /* of \restrict; "" where psql does not know it */
    struct sr_error failed;          /* the first failure: the only one that is told */
};

/* \restrict came with the fixes of CVE-2025-8714 to every supported major version. */
static int knows_restrict(int version)
{
    static const int since[] = {130022, 140019, 150014, 160010, 170006};
    for (size_t i = 0; i < sizeof since / sizeof *since; i++)
        if (version / 10000 == since[i] / 10000)
            return version >= since[i];
    return version >= 180000;
}

/* Ends psql before its input is closed, so that it cannot commit what came so far. */
static int fail(struct sr_pg_psql *r, const struct sr_error *why, struct sr_error *err)
{
    sr_pg_feed_done(&r->feed);
    sr_error_copy(&r->failed, why);
    return sr_error_copy(err, why);
}

/* psql reads no more: it has stopped at an error, which it tells. */
static int psql_left(struct sr_pg_psql *r, struct sr_error *err)
{
    int status = 0;
    struct sr_error why = SR_ERROR_INIT;
    if (sr_pg_feed_finish(&r->feed, &r->stop, -1, &status, &why) == SR_OK)
        sr_pg_feed_failure(&r->feed, status, r->lines_before, &why);
    return fail(r, &why, err);
}

/* The guard stands last, so that it sees what psql gets: whatever the filter made of the dump. */
static int guarded_emit(void *ctx, const void *data, size_t len, struct sr_error *err)
{
    struct sr_pg_psql *r = ctx;
    int rc = sr_pg_scan_feed(r->scan, data, len, err);
    return rc == SR_OK ? sr_pg_feed_write(&r->feed, &r->stop, data, len, err) : rc;
}

static int send_text(struct sr_pg_psql *r, const char *text, struct sr_error *err)
{
    int rc = sr_pg_feed_write(&r->feed, &r->stop, text, strlen(text), err);
    return rc == SR_E_CHILD ? psql_left(r, err) : rc;
}

static int add_set_role(struct sr_buf *b, const char *role)
{
    int rc = sr_buf_adds(b, "SET ROLE \"");
    for (; *role && rc == SR_OK; role++)
        rc = *role == '"' ? sr_buf_adds(b, "\"\"") : sr_buf_addc(b, *role);
    return rc == SR_OK ? sr_buf_adds(b, "\";\n") : rc;
}

/* What is said before the dump. The transaction is opened here and not by --single-transaction,
 * which commits at the end of the input, whatever ended it: should we be killed, psql sees such an
 * end, and the COMMIT that sr_pg_psql_finish sends has not come. */
static int preamble(struct sr_pg_psql *r, const struct sr_pg_restore_options *o,
                    struct sr_error *err)
{
    struct sr_buf b;
    sr_buf_init(&b, 4096 + SR_PG_CLEAN_SQL_MAX);
    int rc = SR_OK;
    if (r->token[0])
        rc = sr_buf_printf(&b, "\\restrict %s\n", r->token);
    /* What the scanner takes for granted; a role's own setting may be another. */
    if (rc == SR_OK)
        rc = sr_buf_adds(&b, "SET standard_conforming_strings = on;\n");
    if (rc == SR_OK && r->single_transaction)
        rc = sr_buf_adds(&b, "BEGIN;\n");
    if (rc == SR_OK && o->clean)
        rc = sr_pg_clean_sql(o->conn, &b);
    if (rc == SR_OK && o->role)
        rc = add_set_role(&b, o->role);
    for (size_t i = 0; i < b.len; i++)
        r->lines_before += b.data[i] == '\n';
    rc = rc == SR_OK ? send_text(r, sr_buf_str(&b), err)
                     : sr_fail(err, rc, "cannot prepare psql: the role's name is too long");
    sr_buf_done(&b);
    return rc;
}

static int psql_spawn(struct sr_pg_psql *r, const struct sr_pg_restore_options *o,
                      struct sr_error *err)
{
    static const char *const arguments[] = {
        "--no-psqlrc", "--quiet", "--no-password", "--set", "ON_ERROR_STOP=1", "--file", "-"};
    struct sr_strlist argv = {0}, env = {0};
    int added = sr_strlist_add(&argv, o->tool->path);
    for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++)
        added |= sr_strlist_add(&argv, arguments[i]);
    int rc = sr_pg_child_env(o->conn, o->app, NULL, &env, err);
    if (rc == SR_OK && (added != SR_OK || sr_strlist_add(&env, "LC_ALL=C") != SR_OK))
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    if (rc == SR_OK)
        rc = sr_pg_feed_start(
            &r->feed,
            &(struct sr_pg_feed_options){
                .argv = argv.items, .env = &env, .in = SR_CHILD_PIPE, .name = "psql"},
            err);
    sr_pg_env_wipe(&env);
    sr_strlist_done(&argv);
    return rc;
}

static int token_make(struct sr_pg_psql *r, const struct sr_pg_tool *psql, struct sr_error *err)
{
    unsigned char random[TOKEN_BYTES];
    if (!knows_restrict(psql->version))
        return SR_OK;
    if (sr_random(random, sizeof random) != 0)
        return sr_fail(err, SR_E_INTERNAL, "the kernel gives no random bytes");
    sr_hex(random, sizeof random, r->token);
    return SR_OK;
}

int sr_pg_psql_start(const struct sr_pg_restore_options *o, struct sr_pg_psql **ret,
                     struct sr_error *err)
{
    struct sr_pg_psql *r = calloc(1, sizeof *r);
    if (!r)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    r->feed = (struct sr_pg_feed)SR_PG_FEED_INIT;
    r->stop.fd = -1;
    r->single_transaction = o->single_transaction;
    unsigned flags = (o->no_owner ? SR_FILTER_OWNERS : 0u) | (o->no_acl ? SR_FILTER_ACLS : 0u) |
                     (o->single_transaction ? SR_FILTER_TRANSACTIONS : 0u);
    unsigned guard = SR_SCAN_GUARD | (o->single_transaction ? SR_SCAN_WHOLE : 0u);
    int rc = sr_pg_interrupt_init(&r->stop, err);
    if (rc == SR_OK)
        rc = token_make(r, o->tool, err);
    if (rc == SR_OK && !r->token[0])
        guard |= SR_SCAN_STRICT;
    if (rc == SR_OK)
        rc = sr_pg_scan_new(guard, &r->scan, err);
    if (rc == SR_OK)
        rc = sr_pg_filter_new(flags, guarded_emit, r, &r->filter, err);
    if (rc == SR_OK)
        rc = psql_spawn(r, o, err);
    if (rc == SR_OK)
        rc = preamble(r, o, err);
    if (rc != SR_OK) {
        sr_pg_psql_free(r);
        return rc;
    }
    *ret = r;
    return SR_OK;
}

int sr_pg_psql_write(struct sr_pg_psql *r, const void *data, size_t len, struct sr_error *err)
{
    struct sr_error why = SR_ERROR_INIT;
    if (r->failed.code != SR_OK)
        return sr_error_copy(err, &r->failed);
    int rc = sr_pg_filter_feed(r->filter, data, len, &why);
    if (rc == SR_OK)
        return SR_OK;
    return rc == SR_E_CHILD ? psql_left(r, err) : fail(r, &why, err);
}

/* The dump is whole, and all of it has been handed over. */
static int dump_end(struct sr_pg_psql *r, struct sr_error *err)
{
    int rc = sr_pg_filter_end(r->filter, err);
    if (rc == SR_OK)
        rc = sr_pg_scan_end(r->scan, err);
    if (rc == SR_OK && sr_pg_scan_is_dump(r->scan) && !sr_pg_scan_complete(r->scan))
        rc = sr_fail(err, SR_E_CORRUPT,
                     "the dump is cut off: it does not end with pg_dump's \"dump complete\"%s",
                     r->single_transaction ? "; nothing of it was kept" : "");
    return rc;
}

static int trailer(struct sr_pg_psql *r, struct sr_error *err)
{
    struct sr_buf b;
    sr_buf_init(&b, 256);
    /* The ; ends a last statement that has none, which would take the COMMIT for a name. */
    int rc = r->single_transaction ? sr_buf_adds(&b, "\n;\nCOMMIT;\n") : SR_OK;
    if (rc == SR_OK && r->token[0])
        rc = sr_buf_printf(&b, "\n\\unrestrict %s\n", r->token);
    rc = rc == SR_OK ? sr_pg_feed_write(&r->feed, &r->stop, sr_buf_str(&b), b.len, err)
                     : sr_fail(err, rc, "out of memory");
    sr_buf_done(&b);
    return rc;
}

int sr_pg_psql_finish(struct sr_pg_psql *r, struct sr_error *err)
{
    struct sr_error why = SR_ERROR_INIT;
    int status = 0;
    if (r->failed.code != SR_OK)
        return sr_error_copy(err, &r->failed);
    int rc = dump_end(r, &why);
    if (rc == SR_OK)
        rc = trailer(r, &why);
    if (rc == SR_E_CHILD)
        return psql_left(r, err);
    if (rc == SR_OK)
        rc = sr_pg_feed_finish(&r->feed, &r->stop, -1, &status, &why);
    if (rc == SR_OK && status != 0)
        rc = sr_pg_feed_failure(&r->feed, status, r->lines_before, &why);
    return rc == SR_OK ? SR_OK : fail(r, &why, err);
}

void sr_pg_psql_interrupt(struct sr_pg_psql *r)
{
    sr_pg_interrupt_set(&r->stop);
}

void sr_pg_psql_free(struct sr_pg_psql *r)
{
    if (!r)
        return;
    sr_pg_feed_done(&r->feed);
    sr_pg_scan_free(r->scan);
    sr_pg_filter_free(r->filter);
    sr_pg_interrupt_done(&r->stop);
    free(r);
}
