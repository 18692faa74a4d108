#include "config.h"
#include "core/engine/retention.h"
#include "core/engine/audit.h"
#include "core/engine/run.h"
#include "core/engine/sweep.h"
#include "core/engine/watch.h"
#include "core/source/pg_preflight.h"
#include "core/util/cleanup.h"
#include "core/util/log.h"
#include "core/util/text.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What dead runs left goes first: it may hold the disk space that this one needs. */
static void sweep_leftovers(struct sr_run *r)
{
    struct sr_sweep_result swept = {0};
    struct sr_error e = SR_ERROR_INIT;
    uint64_t age = (uint64_t)sr_config_int(r->ctx->cfg, "BACKUP_SWEEP_AGE");
    if (sr_sweep_run(r->ctx, &r->stores, age, 0, &swept, &e) != SR_OK)
        sr_log(SR_LOG_WARN, "leftovers of earlier runs were not all swept: %s", e.text);
    for (size_t i = 0; i < swept.len; i++)
        sr_log(SR_LOG_INFO, "swept %s%s%s (%s)", swept.items[i].store,
               *swept.items[i].store ? ":" : "", swept.items[i].key, swept.items[i].why);
    sr_sweep_result_done(&swept);
}

static int fill_detail(struct sr_run *r, struct sr_error *err)
{
    struct sr_detail *d = r->result->detail;
    char here[256] = "";
    const char *host = sr_pg_host(r->conn);
    if ((!*host || *host == '/') && gethostname(here, sizeof here - 1) == 0)
        host = here;
    if (sr_set_string(&d->set, r->set) != SR_OK || sr_set_string(&d->host, host) != SR_OK ||
        sr_set_string(&d->server, sr_pg_server_version_text(r->conn)) != SR_OK ||
        sr_set_string(&d->user, sr_pg_user(r->conn)) != SR_OK)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    return SR_OK;
}

/* Where the first object of the run will be (or is): what the audit log calls dump_path. */
static int dump_path(struct sr_run *r, const char *key, struct sr_error *err)
{
    const char *place = sr_store_place(sr_store_ro(r->stores.items[0]));
    if (strncmp(place, "file://", 7) == 0)
        place += 7;
    free(r->dump_path);
    if (asprintf(&r->dump_path, "%s/%s", place, key) < 0) {
        r->dump_path = NULL;
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    return SR_OK;
}

static int plan_lines(struct sr_run *r, struct sr_error *err)
{
    struct sr_strlist *p = &r->result->plan;
    char size[SR_SIZE_TEXT];
    int rc = SR_OK;
    sr_format_size(r->database_size, size);
    rc |= sr_strlist_addf(p, "set        %s", r->set);
    rc |= sr_strlist_addf(p, "server     %s (PostgreSQL %s), read by pg_dump %s",
                          sr_pg_target_text(r->pg), sr_pg_server_version_text(r->conn),
                          r->dump.version_text);
    for (size_t i = 0; i < r->databases.len; i++)
        rc |= sr_strlist_addf(p, "database   %s%s%s", r->databases.items[i],
                              r->plain ? " plain" : "", r->custom ? " custom" : "");
    rc |= sr_strlist_addf(p, "size       %s on the server", size);
    rc |= sr_strlist_addf(p, "globals    %s",
                          sr_config_bool(r->ctx->cfg, "BACKUP_GLOBALS") ? "yes" : "no");
    rc |= sr_strlist_addf(p, "compress   %s", r->protection.compression);
    rc |= sr_strlist_addf(p, "encrypt    %s", r->protection.encryption);
    if (r->signer) {
        char who[256];
        sr_signer_tell(r->signer, who, sizeof who);
        rc |= sr_strlist_addf(p, "sign       %s", who);
    }
    for (size_t i = 0; i < r->stores.len; i++) {
        char until[SR_TIME_ISO_SIZE] = "";
        if (r->targets[i].retain_until)
            sr_time_iso(r->targets[i].retain_until, until);
        rc |= sr_strlist_addf(p, "store      %s (%s)%s%s", r->result->stores[i].name,
                              sr_store_place(sr_store_ro(r->stores.items[i])),
                              *until ? ", locked until " : "", until);
    }
    if (r->spool_need > 0) {
        sr_format_size(r->spool_need, size);
        rc |= sr_strlist_addf(p, "spool      about %s in %s", size, r->spool_dir);
    }
    return rc == SR_OK ? SR_OK : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
}

static int dump_everything(struct sr_run *r, struct sr_error *err)
{
    int rc = SR_OK;
    for (size_t i = 0; rc == SR_OK && i < r->databases.len; i++) {
        rc = sr_context_check(r->ctx, err);
        if (rc == SR_OK)
            rc = sr_run_database_open(r, r->databases.items[i], err);
        if (rc == SR_OK && i == 0)
            rc = fill_detail(r, err);
        if (rc == SR_OK) {
            uint64_t size = 0;
            rc = sr_pg_facts(r->conn, &r->result->detail->extensions, &r->result->detail->roles,
                             &size, err);
        }
        if (rc == SR_OK)
            rc = sr_run_dump_database(r, r->databases.items[i], err);
    }
    if (rc == SR_OK && sr_config_bool(r->ctx->cfg, "BACKUP_GLOBALS"))
        rc = sr_run_dump_globals(r, err);
    return rc;
}

/* Purges what retention says, in the stores that now hold the new set. A failure here never makes
 * the backup a failure: the backup is there. */
static void purge(struct sr_run *r)
{
    struct sr_stores good = {.items = calloc(r->stores.len, sizeof *good.items)};
    struct sr_prune_result pruned = {0};
    struct sr_error e = SR_ERROR_INIT;
    for (size_t i = 0; good.items && i < r->stores.len; i++)
        if (!r->targets[i].failed)
            good.items[good.len++] = r->stores.items[i];
    if (good.len > 0 && sr_prune_run(r->ctx, &good, r->source, r->set, 0, 0, &pruned, &e) != SR_OK)
        sr_log(SR_LOG_WARN, "the backup is stored, but retention did not run: %s", e.text);
    for (size_t i = 0; i < pruned.len; i++)
        if (pruned.items[i].outcome == SR_PRUNE_DROPPED ||
            pruned.items[i].outcome == SR_PRUNE_HIDDEN)
            (void)sr_strlist_add(&r->result->pruned, pruned.items[i].set);
    sr_prune_result_done(&pruned);
    free(good.items);
}

static void audit_uploaded(struct sr_run *r, const char *key)
{
    for (size_t i = 0; i < r->stores.len; i++)
        if (!r->targets[i].failed)
            sr_audit_event(r->ctx->audit, "DB_BACKUP_UPLOADED", "trigger", r->ctx->trigger, "store",
                           r->result->stores[i].name, "key", key, NULL);
}

static void audit_result(struct sr_run *r, int rc, const struct sr_error *err)
{
    const struct sr_manifest *m = r->result->manifest;
    for (size_t i = 0; (rc == SR_OK || rc == SR_E_PARTIAL) && i < m->objects_len; i++)
        audit_uploaded(r, m->objects[i].key);
    if (rc == SR_OK || rc == SR_E_PARTIAL) {
        char size[24];
        uint64_t total = 0;
        for (size_t i = 0; i < m->objects_len; i++)
            total += m->objects[i].size;
        (void)snprintf(size, sizeof size, "%llu", (unsigned long long)total);
        sr_audit_event(r->ctx->audit, "db_backup_succeeded", "trigger", r->ctx->trigger, "outcome",
                       rc == SR_OK ? "success" : "partial", "dump_path", r->dump_path, "dump_hash",
                       m->objects_len ? m->objects[0].plain_sha256 : NULL, "#size_bytes", size,
                       "set", r->set, NULL);
    }
    for (size_t i = 0; i < r->stores.len; i++)
        if (r->targets && r->targets[i].failed)
            sr_audit_event(r->ctx->audit, "db_backup_store_failed", "trigger", r->ctx->trigger,
                           "outcome", "failure", "store", r->result->stores[i].name, "set", r->set,
                           "error", r->targets[i].error.text, NULL);
    for (size_t i = 0; i < r->stores.closed_len; i++)
        sr_audit_event(r->ctx->audit, "db_backup_store_failed", "trigger", r->ctx->trigger,
                       "outcome", "failure", "store", r->stores.closed[i].name, "set",
                       *r->set ? r->set : NULL, "error", r->stores.closed[i].error.text, NULL);
    if (rc != SR_OK && rc != SR_E_PARTIAL) {
        sr_audit_event(r->ctx->audit, "db_backup_failed", "trigger", r->ctx->trigger, "outcome",
                       "failure", "dump_path", r->dump_path, "set", *r->set ? r->set : NULL,
                       "error", err->text, NULL);
        sr_audit_event(r->ctx->audit, "DB_BACKUP_FAILED", "trigger", r->ctx->trigger, "outcome",
                       "failure", "error", err->text, NULL);
    }
}

/* Takes out what failed stores (or, on failure, all stores) hold of this run. Nonzero: nothing is
 * left. */
static int undo(struct sr_run *r, int everything)
{
    int cleared = 1;
    for (size_t i = 0; r->targets && i < r->stores.len; i++)
        if (everything || r->targets[i].failed)
            cleared &= sr_target_rollback(&r->targets[i]);
    return cleared;
}

/* The verdict over all stores. */
static int verdict(struct sr_run *r, struct sr_error *err)
{
    size_t ok = sr_targets_alive(r->targets, r->stores.len);
    const char *name = NULL;
    const struct sr_error *first = NULL;
    for (size_t i = 0; i < r->stores.len && !first; i++)
        if (r->targets[i].failed) {
            name = r->result->stores[i].name;
            first = &r->targets[i].error;
        }
    if (!first && r->stores.closed_len > 0) {
        name = r->stores.closed[0].name;
        first = &r->stores.closed[0].error;
    }
    if (!first && r->unsigned_why.code != SR_OK)
        return sr_fail(err, SR_E_PARTIAL, "the backup %s is stored, but not signed: %s", r->set,
                       r->unsigned_why.text);
    if (!first)
        return SR_OK;
    int enough = (int64_t)ok >= sr_config_int(r->ctx->cfg, "BACKUP_MIN_STORES");
    /* Too few is a failure whatever came back, not "exists" or "damaged"; a signal stays one. */
    int code = first->code == SR_E_CANCELLED ? SR_E_CANCELLED : SR_E_UNAVAILABLE;
    return sr_fail(err, enough ? SR_E_PARTIAL : code,
                   "%zu of %zu stores hold the backup %s; %s failed: %s", ok, r->result->stores_len,
                   r->set, name, first->text);
}

static void fill_result(struct sr_run *r, int rc, int64_t started)
{
    struct sr_backup_result *res = r->result;
    for (size_t i = 0; r->targets && i < r->stores.len; i++) {
        res->stores[i].ok = (rc == SR_OK || rc == SR_E_PARTIAL) && !r->targets[i].failed;
        res->stores[i].seconds = (double)r->targets[i].busy_ns / 1e9;
        res->stores[i].spooled = r->targets[i].spooled;
        res->stores[i].retain_until = r->targets[i].retain_until;
        (void)snprintf(res->stores[i].error, sizeof res->stores[i].error, "%s",
                       r->targets[i].failed ? r->targets[i].error.text : "");
    }
    res->seconds = (double)(sr_clock_monotonic(r->ctx->clock) - started) / 1e9;
}

static void run_done(struct sr_run *r)
{
    sr_run_database_close(r);
    sr_buf_done(&r->detail);
    sr_buf_done(&r->sums);
    sr_buf_done(&r->signature);
    sr_buf_done(&r->manifest);
    for (size_t i = 0; r->targets && i < r->stores.len; i++)
        sr_target_done(&r->targets[i]);
    free(r->targets);
    sr_unwatch_stores(r->ctx, &r->stores);
    sr_stores_close(&r->stores);
    sr_protection_done(&r->protection);
    sr_pg_target_free(r->pg);
    sr_pg_tool_done(&r->dump);
    sr_pg_tool_done(&r->dumpall);
    sr_pg_tool_done(&r->restore);
    sr_strlist_done(&r->databases);
    sr_strlist_done(&r->exclude_tables);
    sr_strlist_done(&r->exclude_table_data);
    sr_strlist_done(&r->schemas);
    free(r->state_dir);
    free(r->spool_dir);
    free(r->source_name);
    free(r->dump_path);
    sr_lock_release(r->lock);
}

int sr_backup_run(struct sr_context *ctx, const struct sr_backup_options *o,
                  struct sr_backup_result *ret, struct sr_error *err)
{
    struct sr_error own = SR_ERROR_INIT;
    struct sr_run r = {.ctx = ctx, .o = o, .result = ret};
    int64_t started = sr_clock_monotonic(ctx->clock);
    if (!err)
        err = &own; /* the audit log needs the words */
    int rc = sr_manifest_new(&ret->manifest);
    if (rc == SR_OK)
        rc = sr_detail_new(&ret->detail);
    if (rc != SR_OK)
        return sr_fail(err, rc, "out of memory");

    rc = sr_run_plan(&r, err);
    if (rc == SR_OK && !o->dry_run)
        sweep_leftovers(&r);
    if (rc == SR_OK)
        rc = sr_run_name(&r, err);
    if (rc == SR_OK && o->dry_run) {
        rc = plan_lines(&r, err);
        sr_journal_end(r.journal, 1);
        run_done(&r);
        return rc;
    }
    if (rc == SR_OK)
        rc = dump_path(&r, r.set, err);
    if (rc == SR_OK) {
        if (o->scheduled)
            sr_audit_event(ctx->audit, "DB_BACKUP_SCHEDULED", "trigger", ctx->trigger, "dump_path",
                           r.dump_path, NULL);
        sr_audit_event(ctx->audit, "db_backup_started", "trigger", ctx->trigger, "dump_path",
                       r.dump_path, "set", r.set, NULL);
        rc = dump_everything(&r, err);
    }
    if (rc == SR_OK)
        rc = dump_path(&r, ret->manifest->objects[0].key, err);
    if (rc == SR_OK)
        rc = sr_run_commit(&r, err);
    int cleared = 1;
    if (rc == SR_OK)
        sr_run_retry(&r);
    else if (r.targets)
        sr_crew_stop(&r.crew, err);
    if (rc == SR_OK) {
        rc = verdict(&r, err);
        cleared = undo(&r, 0);
        if (rc == SR_OK || rc == SR_E_PARTIAL) /* too few copies of the new one: keep the old */
            purge(&r);
    } else {
        cleared = undo(&r, 1);
    }
    sr_crew_done(&r.crew);
    sr_journal_end(r.journal, cleared);
    fill_result(&r, rc, started);
    audit_result(&r, rc, err);
    run_done(&r);
    return rc;
}

void sr_backup_result_done(struct sr_backup_result *r)
{
    sr_manifest_free(r->manifest);
    sr_detail_free(r->detail);
    free(r->stores);
    sr_strlist_done(&r->pruned);
    sr_strlist_done(&r->plan);
    sr_strlist_done(&r->problems);
    sr_strlist_done(&r->grants);
    *r = (struct sr_backup_result){0};
}
