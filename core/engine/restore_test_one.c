#include "config.h"
#include "core/engine/restore_run.h"
#include "core/engine/restore_test_run.h"
#include "core/source/pg_tables.h"
#include "core/util/cleanup.h"
#include "core/util/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int out_of_memory(struct sr_error *err)
{
    return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
}

static double since(const struct sr_testing *t, int64_t started)
{
    return (double)(sr_clock_monotonic(t->ctx->clock) - started) / 1e9;
}

/* The backup is not what it should be: fell from this rung, for this reason. */
static int failed(struct sr_tested *ret, enum sr_rung fell, const char *why, struct sr_error *err)
{
    ret->outcome = SR_TEST_FAILED;
    ret->fell = fell;
    return why && sr_set_string(&ret->reason, why) != SR_OK ? out_of_memory(err) : SR_OK;
}

/* --- restoring -------------------------------------------------------------------------------- */

/* Whose fault it is that the dump could not be restored. What is the server's is returned. */
static int judge(struct sr_testing *t, const struct sr_error *e, struct sr_tested *ret,
                 struct sr_error *err)
{
    char what[SR_BLAME_TEXT], text[2 * SR_BLAME_TEXT + 128];
    /* Damage that the digests tell of; what the child said of its input is then no news. */
    if (e->code == SR_E_CORRUPT)
        return failed(ret, SR_RUNG_RESTORED, e->text, err);
    if (e->code != SR_E_CHILD)
        return sr_error_copy(err, e);
    switch (sr_restore_test_blame(e->text, what)) {
    case SR_BLAME_SERVER:
        return sr_error_copy(err, e);
    case SR_BLAME_BACKUP:
        return failed(ret, SR_RUNG_RESTORED, e->text, err);
    case SR_BLAME_MISSING:
        break;
    }
    ret->outcome = SR_TEST_UNTESTABLE;
    (void)snprintf(text, sizeof text, "cannot be tested here: %s (on %s)", what, t->result->server);
    sr_log(SR_LOG_INFO, "%s", e->text);
    return sr_set_string(&ret->reason, text) == SR_OK ? SR_OK : out_of_memory(err);
}

static int restore(struct sr_testing *t, struct sr_restoring *r, struct sr_error *err)
{
    struct sr_opening *op = NULL;
    char head[SR_RESTORE_HEAD];
    size_t head_len = 0;
    int rc = sr_restore_open(r, "restoring", &op, err);
    if (rc == SR_OK)
        rc = sr_restore_head(r, op, head, &head_len, err);
    if (rc == SR_OK)
        rc = sr_pg_tool_find(t->ctx->cfg, r->kind == SR_RESTORE_PLAIN ? SR_PG_PSQL : SR_PG_RESTORE,
                             sr_pg_server_version(r->conn), &r->tool, err);
    if (rc == SR_OK)
        rc = sr_restore_spool(r, err);
    if (rc == SR_OK)
        rc = sr_pg_app_make(r->app, err);
    if (rc == SR_OK)
        rc = sr_restore_pour(r, &op, head, head_len, err);
    sr_opening_free(op);
    return rc;
}

/* --- comparing -------------------------------------------------------------------------------- */

static int stop_ask(void *ctx, struct sr_error *err)
{
    struct sr_testing *t = ctx;
    sr_context_progress(t->ctx, "comparing", 0, SR_SIZE_UNKNOWN);
    return sr_context_check(t->ctx, err);
}

static const struct sr_detail_object *counts_of(const struct sr_manifest *m, const char *key)
{
    for (size_t i = 0; m->detail && i < m->detail->objects_len; i++) {
        const struct sr_detail_object *d = &m->detail->objects[i];
        if (d->key && strcmp(d->key, key) == 0)
            return d->rows_len > 0 ? d : NULL;
    }
    return NULL;
}

/* Findings of kinds that the settings accept are told, and change nothing. */
static int accept(const struct sr_testing *t, struct sr_tested *ret)
{
    struct sr_pg_findings *f = &ret->findings;
    size_t kept = 0;
    for (size_t i = 0; i < f->len; i++) {
        if (!sr_strlist_has(&t->accept, sr_pg_finding_word(f->items[i].kind))) {
            f->items[kept++] = f->items[i];
            continue;
        }
        int rc = sr_strlist_add(&ret->accepted, f->items[i].text);
        free(f->items[i].text);
        f->items[i].text = NULL;
        if (rc != SR_OK) {
            for (i++; i < f->len; i++)
                free(f->items[i].text);
            f->len = kept;
            return rc;
        }
    }
    f->len = kept;
    return SR_OK;
}

/* Past the bounds of what counts tables (pg_tables.h) there may be some that were not counted. */
static int is_all(const struct sr_detail_object *d)
{
    size_t names = 0;
    for (size_t i = 0; i < d->rows_len; i++)
        names += strlen(d->rows[i].table);
    return d->rows_len < SR_PG_TABLES_MAX && names < (size_t)SR_PG_TABLES_NAMES_MAX - 1024;
}

static int compare_all(struct sr_testing *t, struct sr_pg_conn *c, const struct sr_detail_object *d,
                       struct sr_tested *ret, struct sr_error *err)
{
    const struct sr_pg_stop stop = {stop_ask, t};
    struct sr_pg_want *want = calloc(d ? d->rows_len + 1 : 1, sizeof *want);
    if (!want)
        return out_of_memory(err);
    for (size_t i = 0; d && i < d->rows_len; i++)
        want[i] = (struct sr_pg_want){d->rows[i].table, d->rows[i].rows};
    int rc = SR_OK;
    if (d)
        rc = sr_pg_compare_rows(c, want, d->rows_len, is_all(d), &stop, &ret->findings, err);
    if (rc == SR_OK)
        rc = sr_pg_compare_integrity(c, &stop, &ret->findings, err);
    free(want);
    ret->compared = d != NULL;
    return rc;
}

static int compare(struct sr_testing *t, struct sr_pg_conn *c, const struct sr_manifest_object *o,
                   struct sr_tested *ret, struct sr_error *err)
{
    const struct sr_detail_object *d = counts_of(t->manifest, o->key);
    struct sr_pg_canceller *k = NULL;
    int rc = sr_pg_canceller_new(c, &k, err);
    if (rc != SR_OK)
        return rc;
    sr_context_on_cancel(t->ctx, sr_pg_canceller_wake, k);
    rc = compare_all(t, c, d, ret, err);
    sr_context_off_cancel(t->ctx, sr_pg_canceller_wake, k);
    sr_pg_canceller_free(k);
    if (sr_context_check(t->ctx, NULL) != SR_OK)
        return sr_context_check(t->ctx, err);
    if (rc == SR_OK && accept(t, ret) != SR_OK)
        rc = out_of_memory(err);
    if (rc != SR_OK)
        return rc;
    if (ret->findings.len > 0)
        return failed(ret, SR_RUNG_COMPARED, NULL, err);
    ret->outcome = SR_TEST_PASSED;
    if (ret->compared)
        ret->rung = SR_RUNG_COMPARED;
    return SR_OK;
}

/* --- one database ----------------------------------------------------------------------------- */

static int in_scratch(struct sr_testing *t, struct sr_restoring *r,
                      const struct sr_manifest_object *o, struct sr_tested *ret,
                      struct sr_error *err)
{
    struct sr_error e = SR_ERROR_INIT;
    int rc = sr_set_string(&ret->scratch, sr_scratch_name(t->scratch)) == SR_OK &&
                     sr_set_string(&r->database, sr_scratch_name(t->scratch)) == SR_OK
                 ? sr_pg_connect(t->pg, r->database, &r->conn, err)
                 : out_of_memory(err);
    if (rc != SR_OK)
        return rc;
    int64_t started = sr_clock_monotonic(t->ctx->clock);
    rc = restore(t, r, &e);
    ret->restore_seconds = since(t, started);
    if (rc != SR_OK)
        return judge(t, &e, ret, err);
    ret->rung = SR_RUNG_RESTORED;
    started = sr_clock_monotonic(t->ctx->clock);
    rc = compare(t, r->conn, o, ret, err);
    ret->compare_seconds = since(t, started);
    return rc;
}

/* Stored bytes against the manifest, before anything is made. */
static int stored(struct sr_testing *t, struct sr_restoring *r, struct sr_tested *ret,
                  struct sr_error *err)
{
    struct sr_error e = SR_ERROR_INIT;
    int64_t started = sr_clock_monotonic(t->ctx->clock);
    int rc = sr_restore_check(r, &e);
    ret->check_seconds = since(t, started);
    ret->bytes = r->result->bytes;
    if (rc == SR_E_CORRUPT)
        return failed(ret, SR_RUNG_REREAD, e.text, err);
    if (rc != SR_OK)
        return sr_error_copy(err, &e);
    ret->rung = SR_RUNG_REREAD;
    return SR_OK;
}

int sr_test_one(struct sr_testing *t, const struct sr_manifest_object *o, struct sr_tested *ret,
                struct sr_error *err)
{
    /* Where nobody knows which roles the dump names, all of it is restored as our own. */
    int mapped = !sr_scratch_is_superuser(t->scratch) || !sr_test_knows_roles(t);
    const struct sr_restore_options ro = {
        .backup = o->key, .jobs = t->o->jobs, .no_owner = mapped, .no_acl = mapped};
    struct sr_restore_result rr = {0};
    struct sr_restoring r = {.ctx = t->ctx,
                             .o = &ro,
                             .result = &rr,
                             .store = t->store,
                             .manifest = t->manifest,
                             .object = o,
                             .passphrase = t->passphrase,
                             .pg = t->pg,
                             .made = 1};
    int rc = sr_set_string(&rr.what, o->key) == SR_OK && sr_set_string(&r.key, o->key) == SR_OK &&
                     sr_set_string(&ret->key, o->key) == SR_OK
                 ? SR_OK
                 : out_of_memory(err);
    ret->rung = SR_RUNG_STORED;
    if (rc == SR_OK)
        rc = stored(t, &r, ret, err);
    if (rc == SR_OK && ret->outcome == SR_TEST_NOT_RUN)
        rc = sr_scratch_make(t->scratch, sr_config_str(t->ctx->cfg, "TEST_DB_NAME"), err);
    if (rc == SR_OK && ret->outcome == SR_TEST_NOT_RUN)
        rc = in_scratch(t, &r, o, ret, err);
    sr_pg_close(r.conn);
    sr_pg_tool_done(&r.tool);
    sr_witness_free(r.witness);
    free(r.key);
    free(r.database);
    free(r.spool_dir);
    sr_restore_result_done(&rr);
    /* What cannot be dropped now is tried again at the end, and told there. */
    (void)sr_scratch_drop(t->scratch, NULL);
    return rc;
}
