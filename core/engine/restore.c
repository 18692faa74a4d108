#include "config.h"
#include "core/engine/audit.h"
#include "core/engine/restore_run.h"
#include "core/engine/watch.h"
#include "core/util/cleanup.h"
#include "core/util/fs.h"
#include "core/util/log.h"
#include "core/util/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the unlinked archive goes: the spool folder, or TMPDIR on a host without a usable
 * BACKUP_DIR. */
static int spool_choose(struct sr_restoring *r, struct sr_error *err)
{
    const char *tmp = getenv("TMPDIR");
    _cleanup_free_ char *state = NULL;
    int rc = SR_OK;
    if (sr_config_str(r->ctx->cfg, "BACKUP_SPOOL_DIR"))
        return sr_config_path(r->ctx->cfg, "BACKUP_SPOOL_DIR", &r->spool_dir, err);
    rc = sr_config_state_dir(r->ctx->cfg, &state, err);
    if (rc == SR_OK && !(r->spool_dir = sr_fs_join(state, "spool")))
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    if (rc == SR_OK && sr_fs_mkdirs(r->spool_dir, 0700, NULL) != SR_OK &&
        sr_set_string(&r->spool_dir, tmp && *tmp == '/' ? tmp : "/tmp") != SR_OK)
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    return rc;
}

/* A custom archive is unpacked before several jobs can seek in it: the room is asked for first. */
static int spool_room(const struct sr_restoring *r, struct sr_error *err)
{
    unsigned long long have = 0;
    uint64_t need = r->object ? r->object->raw_size : 0;
    if (r->kind != SR_RESTORE_CUSTOM || r->o->jobs == 1 || need == 0 ||
        sr_fs_free_bytes(r->spool_dir, &have, NULL) != SR_OK || have >= need)
        return SR_OK;
    char a[SR_SIZE_TEXT], b[SR_SIZE_TEXT];
    sr_format_size(need, a);
    sr_format_size(have, b);
    return sr_fail(
        err, SR_E_NO_SPACE,
        "unpacking %s needs %s in %s and %s are free; set BACKUP_SPOOL_DIR to a folder with room",
        r->result->what, a, r->spool_dir, b);
}

int sr_restore_spool(struct sr_restoring *r, struct sr_error *err)
{
    int rc = spool_choose(r, err);
    return rc == SR_OK ? spool_room(r, err) : rc;
}

int sr_restore_head(struct sr_restoring *r, struct sr_opening *op, char *head, size_t *ret_len,
                    struct sr_error *err)
{
    size_t len = 0, n = 1;
    while (len < SR_RESTORE_HEAD && n > 0) {
        int rc = sr_opening_read(op, head + len, SR_RESTORE_HEAD - len, &n, err);
        if (rc != SR_OK)
            return rc;
        len += n;
    }
    *ret_len = len;
    int rc = sr_pg_restore_kind(head, len, &r->kind, err);
    return rc == SR_OK ? SR_OK : sr_error_wrap(err, "%s", r->result->what);
}

static int tables_after(struct sr_restoring *r, struct sr_error *err)
{
    struct sr_strlist *notes = &r->result->notes;
    int rc = sr_restore_tables(r->conn, &r->result->tables, err);
    if (rc != SR_OK)
        return rc;
    if (sr_strlist_add(notes,
                       "run your application's migrations if its code is newer than this backup") !=
        SR_OK)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    return SR_OK;
}

/* The same again, without a transaction around it: the server could not lock as many tables at
 * once. Nothing of the first attempt was kept. */
static int feed_piecewise(struct sr_restoring *r, struct sr_opening **op, struct sr_error *err)
{
    char head[SR_RESTORE_HEAD];
    size_t head_len = 0;
    sr_log(SR_LOG_WARN,
           "%s has more tables than one transaction may lock (max_locks_per_transaction); starting "
           "again without a single transaction",
           r->result->what);
    r->piecewise = 1;
    sr_error_clear(err);
    sr_opening_free(sr_steal_ptr(*op));
    int rc = sr_restore_open(r, "restoring", op, err);
    if (rc == SR_OK)
        rc = sr_restore_head(r, *op, head, &head_len, err);
    if (rc == SR_OK)
        rc = sr_restore_feed(r, *op, head, head_len, err);
    if (rc != SR_OK)
        sr_error_append(err, "; what was restored before that is in the database");
    return rc;
}

int sr_restore_pour(struct sr_restoring *r, struct sr_opening **op, const void *head,
                    size_t head_len, struct sr_error *err)
{
    int rc = sr_restore_feed(r, *op, head, head_len, err);
    if (rc != SR_OK && !r->piecewise && sr_pg_restore_needs_locks(err))
        rc = feed_piecewise(r, op, err);
    return rc;
}

static int restore_all(struct sr_restoring *r, struct sr_error *err)
{
    struct sr_opening *op = NULL;
    char head[SR_RESTORE_HEAD];
    size_t head_len = 0;
    int rc = sr_restore_find(r, err);
    if (rc == SR_OK)
        rc = sr_restore_check(r, err);
    if (rc == SR_OK)
        rc = sr_restore_open(r, "restoring", &op, err);
    if (rc == SR_OK)
        rc = sr_restore_head(r, op, head, &head_len, err);
    if (rc == SR_OK)
        rc = sr_restore_target(r, err);
    if (rc == SR_OK)
        rc = sr_restore_spool(r, err);
    if (rc == SR_OK)
        rc = sr_pg_app_make(r->app, err);
    if (rc == SR_OK)
        rc = sr_restore_prepare(r, err);
    if (rc == SR_OK) {
        sr_audit_event(r->ctx->audit, "db_restore_started", "trigger", r->ctx->trigger, "dump_path",
                       r->result->what, "target", r->result->target, NULL);
        rc = sr_restore_pour(r, &op, head, head_len, err);
    }
    if (rc == SR_OK)
        rc = tables_after(r, err);
    sr_opening_free(op);
    if (rc != SR_OK)
        sr_restore_unmake(r);
    return rc;
}

static void restoring_done(struct sr_restoring *r)
{
    sr_manifest_free(r->manifest);
    sr_unwatch_stores(r->ctx, &r->stores);
    sr_stores_close(&r->stores);
    sr_passphrase_free(r->passphrase);
    sr_pg_close(r->conn);
    sr_pg_target_free(r->pg);
    sr_pg_tool_done(&r->tool);
    sr_witness_free(r->witness);
    free(r->key);
    free(r->database);
    free(r->spool_dir);
}

int sr_restore_run(struct sr_context *ctx, const struct sr_restore_options *o,
                   struct sr_restore_result *ret, struct sr_error *err)
{
    struct sr_error own = SR_ERROR_INIT;
    struct sr_restoring r = {.ctx = ctx, .o = o, .result = ret};
    int64_t started = sr_clock_monotonic(ctx->clock);
    if (!err)
        err = &own;
    int rc = restore_all(&r, err);
    ret->seconds = (double)(sr_clock_monotonic(ctx->clock) - started) / 1e9;
    if (rc == SR_OK)
        sr_audit_event(ctx->audit, "db_restore_succeeded", "trigger", ctx->trigger, "outcome",
                       "success", "dump_path", ret->what, "target", ret->target, NULL);
    else
        sr_audit_event(ctx->audit, "db_restore_failed", "trigger", ctx->trigger, "outcome",
                       "failure", "dump_path", ret->what ? ret->what : o->backup, "target",
                       ret->target, "error", err->text, NULL);
    restoring_done(&r);
    return rc;
}

void sr_restore_result_done(struct sr_restore_result *r)
{
    free(r->what);
    free(r->target);
    sr_strlist_done(&r->notes);
    *r = (struct sr_restore_result){0};
}
