#include "config.h"
#include "core/engine/run.h"
#include "core/pipeline/step.h"
#include "core/source/pg_locked.h"
#include "core/source/pg_rows.h"
#include "core/source/pg_scan.h"
#include "core/util/cleanup.h"
#include "core/util/log.h"

#include <stdio.h>
#include <string.h>

/* What watches the raw bytes of one dump. */
struct watch {
    struct sr_pg_scan *scan; /* plain */
    struct sr_pg_rows *rows; /* custom */
    const char *what;
};

static int plain_feed(void *ctx, const void *data, size_t len, struct sr_error *err)
{
    struct watch *w = ctx;
    return sr_pg_scan_feed(w->scan, data, len, err);
}

/* The end marker is looked for here as well as by the reader: whatever came out of the last stage
 * before compression must be whole. */
static int plain_finish(void *ctx, struct sr_error *err)
{
    struct watch *w = ctx;
    int rc = sr_pg_scan_end(w->scan, err);
    if (rc == SR_OK && !sr_pg_scan_complete(w->scan))
        rc = sr_fail(err, SR_E_CORRUPT,
                     "%s ended without its \"dump complete\" line: it is cut off", w->what);
    return rc;
}

static int custom_feed(void *ctx, const void *data, size_t len, struct sr_error *err)
{
    struct watch *w = ctx;
    return sr_pg_rows_feed(w->rows, data, len, err);
}

static int custom_finish(void *ctx, struct sr_error *err)
{
    struct watch *w = ctx;
    return sr_pg_rows_end(w->rows, err);
}

/* Copies rows per table into the detail. */
static int keep_rows(struct sr_run *r, const char *key, const char *database,
                     const struct sr_pg_scan *scan, struct sr_error *err)
{
    struct sr_detail_object *d = sr_detail_add_object(r->result->detail);
    if (!d || sr_set_string(&d->key, key) != SR_OK ||
        sr_set_string(&d->database, database) != SR_OK)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    for (size_t i = 0; scan && i < sr_pg_scan_tables(scan); i++) {
        uint64_t rows = 0;
        const char *table = sr_pg_scan_table(scan, i, &rows);
        if (sr_detail_add_rows(d, table, rows) != SR_OK)
            return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    return SR_OK;
}

int sr_run_digest_in_name(const struct sr_run *r)
{
    return !r->o->scheduled && !r->o->stream;
}

static int note_key(void *journal, const char *key, struct sr_error *err)
{
    return sr_journal_key(journal, key, err);
}

/* One pg_dump (or pg_dumpall) through the pipeline into the stores. */
static int dump_one(struct sr_run *r, const struct sr_pg_dump_options *po, const char *kind,
                    const char *manifest_kind, const char *database, const char *part,
                    struct sr_error *err)
{
    struct sr_pg_dump *d = NULL;
    struct watch w = {NULL, NULL, NULL};
    struct sr_manifest_object *object = NULL;
    _cleanup_free_ char *what = NULL;
    struct sr_transfer_observer observer = {plain_feed, plain_finish, &w};
    if (asprintf(&what, "%s %s",
                 po->format == SR_DUMP_GLOBALS  ? "the globals dump of"
                 : po->format == SR_DUMP_CUSTOM ? "the custom dump of"
                                                : "the dump of",
                 database) < 0) {
        what = NULL;
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    w.what = what;
    int rc = po->format == SR_DUMP_CUSTOM ? sr_pg_rows_start(&r->restore, &w.rows, err)
                                          : sr_pg_scan_new(SR_SCAN_ROWS, &w.scan, err);
    if (po->format == SR_DUMP_CUSTOM)
        observer = (struct sr_transfer_observer){custom_feed, custom_finish, &w};
    if (rc == SR_OK && !(object = sr_manifest_add_object(r->result->manifest)))
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    if (rc == SR_OK)
        rc = sr_pg_dump_start(po, &d, err);
    if (rc == SR_OK) {
        struct sr_input input = {sr_pg_dump_read, sr_pg_dump_interrupt, d};
        struct sr_transfer t = {
            .what = what,
            .set = r->set,
            .database = part,
            .kind = kind,
            .digest_in_name = sr_run_digest_in_name(r),
            .protection = &r->protection,
            .input = &input,
            .observers = &observer,
            .observers_len = 1,
            .min_plain_size = po->format == SR_DUMP_GLOBALS
                                  ? 1
                                  : (uint64_t)sr_config_int(r->ctx->cfg, "BACKUP_MIN_SIZE"),
            .expected_size = SR_SIZE_UNKNOWN,
            .spool_dir = r->spool_dir,
            .note = note_key,
            .note_ctx = r->journal,
        };
        rc = sr_transfer_run(&r->crew, &t, object, err);
        if (rc != SR_OK)
            sr_pg_dump_interrupt(d);
        else if (*sr_pg_dump_stderr(d))
            sr_log(SR_LOG_WARN, "pg_dump said: %s", sr_pg_dump_stderr(d));
    }
    if (rc == SR_E_TIMEOUT && d && r->conn && sr_pg_dump_locked_out(d))
        sr_pg_lock_holders(r->conn, err);
    sr_pg_dump_free(d);
    if (rc != SR_OK && r->conn)
        sr_pg_end_backends(r->conn, r->app);
    if (rc == SR_OK &&
        (sr_set_string(&object->kind, manifest_kind) != SR_OK ||
         (po->format != SR_DUMP_GLOBALS && sr_set_string(&object->database, database) != SR_OK)))
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    if (rc == SR_OK)
        rc = keep_rows(r, object->key, po->format == SR_DUMP_GLOBALS ? NULL : database,
                       w.rows ? sr_pg_rows_scan(w.rows)
                              : (po->format == SR_DUMP_GLOBALS ? NULL : w.scan),
                       err);
    sr_pg_rows_free(w.rows);
    sr_pg_scan_free(w.scan);
    return rc;
}

int sr_run_dump_database(struct sr_run *r, const char *database, struct sr_error *err)
{
    const struct sr_config *cfg = r->ctx->cfg;
    char part[SR_SOURCE_MAX] = "";
    _cleanup_free_ char *snapshot = NULL;
    struct sr_pg_dump_options po = {
        .conn = r->conn,
        .tool = &r->dump,
        .app = r->app,
        .exclude_tables = &r->exclude_tables,
        .exclude_table_data = &r->exclude_table_data,
        .schemas = &r->schemas,
        .extra = &r->o->pg_dump_options,
        .lock_wait = (uint64_t)sr_config_int(cfg, "BACKUP_LOCK_WAIT"),
        .stall = (uint64_t)sr_config_int(cfg, "BACKUP_STALL_TIMEOUT"),
    };
    int rc = SR_OK;
    if (r->databases.len > 1)
        rc = sr_source_escape(database, part, err);
    if (rc == SR_OK && r->plain && r->custom) {
        sr_log(SR_LOG_INFO,
               "two formats of %s: the database is read twice, on one snapshot (double load)",
               database);
        rc = sr_pg_snapshot_export(r->conn, &snapshot, err);
        po.snapshot = snapshot;
    }
    const char *named = *part ? part : NULL;
    if (rc == SR_OK && r->plain) {
        po.format = SR_DUMP_PLAIN;
        rc = dump_one(r, &po, "sql", "plain", database, named, err);
    }
    if (rc == SR_OK && r->custom) {
        po.format = SR_DUMP_CUSTOM;
        rc = dump_one(r, &po, "dump", "custom", database, named, err);
    }
    return rc;
}

int sr_run_dump_globals(struct sr_run *r, struct sr_error *err)
{
    _cleanup_free_ char *may = NULL;
    struct sr_pg_dump_options po = {
        .conn = r->conn,
        .tool = &r->dumpall,
        .format = SR_DUMP_GLOBALS,
        .app = r->app,
        .lock_wait = (uint64_t)sr_config_int(r->ctx->cfg, "BACKUP_LOCK_WAIT"),
        .stall = (uint64_t)sr_config_int(r->ctx->cfg, "BACKUP_STALL_TIMEOUT"),
    };
    int rc = sr_pg_value(r->conn, "SELECT has_table_privilege('pg_catalog.pg_authid', 'SELECT')",
                         NULL, &may, err);
    if (rc != SR_OK)
        return rc;
    if (!may || strcmp(may, "t") != 0) {
        po.no_role_passwords = 1;
        sr_log(SR_LOG_WARN,
               "%s may not read role passwords: the globals are saved WITHOUT them; after a "
               "restore each "
               "role needs its password set anew",
               sr_pg_user(r->conn));
        if (sr_strlist_add(&r->result->manifest->notes, "globals without role passwords") != SR_OK)
            return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    rc = dump_one(r, &po, "globals.sql", "globals", sr_pg_host(r->conn), NULL, err);
    if (rc != SR_OK)
        sr_error_append(err, " (BACKUP_GLOBALS=off leaves the globals out)");
    return rc;
}
