#include "config.h"
#include "core/engine/databases.h"
#include "core/engine/run.h"
#include "core/engine/spool.h"
#include "core/engine/watch.h"
#include "core/source/pg_preflight.h"
#include "core/util/cleanup.h"
#include "core/util/fs.h"
#include "core/util/log.h"
#include "core/util/text.h"

#include <stdio.h>
#include <string.h>

/* Settings and command line name things to leave out; both count. */
static int merge_list(const struct sr_config *cfg, const char *setting,
                      const struct sr_strlist *given, struct sr_strlist *ret, struct sr_error *err)
{
    const char *text = sr_config_str(cfg, setting);
    if ((text && sr_strlist_split(ret, text, ',') != SR_OK) || sr_strlist_copy(ret, given) != SR_OK)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    return SR_OK;
}

static int plan_formats(struct sr_run *r, struct sr_error *err)
{
    const char *text = r->o->format ? r->o->format : sr_config_str(r->ctx->cfg, "BACKUP_FORMAT");
    struct sr_strlist names = {0};
    int rc = sr_strlist_split(&names, text, ',') == SR_OK ? SR_OK : SR_E_NO_MEMORY;
    for (size_t i = 0; rc == SR_OK && i < names.len; i++) {
        if (strcmp(names.items[i], "plain") == 0)
            r->plain = 1;
        else if (strcmp(names.items[i], "custom") == 0)
            r->custom = 1;
        else
            rc = sr_fail(err, SR_E_USAGE,
                         "--format %s: '%s' is no format; allowed: plain, custom, or both", text,
                         names.items[i]);
    }
    if (rc == SR_OK && !r->plain && !r->custom)
        rc = sr_fail(err, SR_E_USAGE, "--format names no format; allowed: plain, custom, or both");
    sr_strlist_done(&names);
    return rc;
}

int sr_run_store_demands(const struct sr_run *r, struct sr_target *t, struct sr_error *err)
{
    struct sr_store *s = sr_store_ro(t->store);
    int rc = sr_store_check_encryption(s, "this backup", r->protection.encryption, err);
    if (rc == SR_E_CONFIG)
        sr_error_append(err, "; set BACKUP_ENCRYPTION_ENABLED=on");
    if (rc == SR_OK)
        rc = sr_store_lock_until(s, sr_clock_now(r->ctx->clock), &t->retain_until, err);
    return rc;
}

/* Opens the stores; each gets a target. */
static int plan_stores(struct sr_run *r, struct sr_error *err)
{
    int64_t min = sr_config_int(r->ctx->cfg, "BACKUP_MIN_STORES");
    /* A dry run tells of each that would fail; a run goes on with those that are left. */
    int rc = r->o->dry_run ? sr_stores_open(r->ctx->cfg, r->o->to, &r->stores, err)
                           : sr_stores_open_reachable(r->ctx->cfg, r->o->to, 0, &r->stores, err);
    if (rc != SR_OK)
        return rc;
    sr_watch_stores(r->ctx, &r->stores);
    size_t total = r->stores.len + r->stores.closed_len;
    r->targets = calloc(total, sizeof *r->targets);
    r->result->stores = calloc(total, sizeof *r->result->stores);
    if (!r->targets || !r->result->stores)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    r->crew = (struct sr_crew){.ctx = r->ctx, .targets = r->targets, .len = r->stores.len};
    for (size_t i = 0; rc == SR_OK && i < r->stores.len; i++) {
        r->targets[i].store = r->stores.items[i];
        rc = sr_run_store_demands(r, &r->targets[i], err);
    }
    if (rc != SR_OK)
        return rc;
    if (min > (int64_t)total)
        return sr_fail(err, SR_E_CONFIG,
                       "BACKUP_MIN_STORES is %lld but only %zu stores are written to",
                       (long long)min, total);
    if (min > (int64_t)r->stores.len)
        return sr_fail(err, SR_E_UNAVAILABLE,
                       "only %zu of %zu stores can be used and BACKUP_MIN_STORES is %lld: %s",
                       r->stores.len, total, (long long)min, r->stores.closed[0].error.text);
    r->result->stores_len = total;
    for (size_t i = 0; i < r->stores.closed_len; i++) {
        struct sr_backup_store *s = &r->result->stores[r->stores.len + i];
        memcpy(s->name, r->stores.closed[i].name, sizeof s->name);
        (void)snprintf(s->error, sizeof s->error, "%s", r->stores.closed[i].error.text);
    }
    for (size_t i = 0; i < r->stores.len; i++)
        (void)snprintf(r->result->stores[i].name, sizeof r->result->stores[i].name, "%s",
                       sr_store_name(sr_store_ro(r->stores.items[i])));
    return SR_OK;
}

/* Which databases, and the name that retention groups them by. */
static int plan_databases(struct sr_run *r, struct sr_error *err)
{
    int all = r->o->all_databases || sr_databases_all(r->ctx->cfg, &r->o->databases);
    int rc = sr_databases_list(r->ctx->cfg, r->conn, &r->o->databases, all, &r->databases, err);
    if (rc != SR_OK)
        return rc;
    r->source_name = sr_databases_source(r->ctx->cfg, r->conn, &r->databases, all);
    if (!r->source_name)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    return sr_source_escape(r->source_name, r->source, err);
}

static int plan_folders(struct sr_run *r, struct sr_error *err)
{
    int rc = sr_config_state_dir(r->ctx->cfg, &r->state_dir, err);
    if (rc != SR_OK)
        return rc;
    if (sr_config_str(r->ctx->cfg, "BACKUP_SPOOL_DIR"))
        rc = sr_config_path(r->ctx->cfg, "BACKUP_SPOOL_DIR", &r->spool_dir, err);
    else if (!(r->spool_dir = sr_fs_join(r->state_dir, "spool")))
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    return rc == SR_OK ? sr_fs_mkdirs(r->state_dir, 0700, err) : rc;
}

static int plan_server(struct sr_run *r, struct sr_error *err)
{
    const struct sr_config *cfg = r->ctx->cfg;
    _cleanup_free_ char *note = NULL;
    int rc = sr_pg_target_from_config(cfg, &note, &r->pg, err);
    if (rc != SR_OK)
        return rc;
    if (note)
        sr_log(SR_LOG_INFO, "%s", note);
    int all = r->o->all_databases || sr_databases_all(cfg, &r->o->databases);
    rc = sr_databases_connect(cfg, r->pg, &r->o->databases, all, &r->conn, err);
    if (rc != SR_OK)
        return rc;
    int version = sr_pg_server_version(r->conn);
    rc = sr_pg_tool_find(cfg, SR_PG_DUMP, version, &r->dump, err);
    if (rc == SR_OK && sr_config_bool(cfg, "BACKUP_GLOBALS"))
        rc = sr_pg_tool_find(cfg, SR_PG_DUMPALL, version, &r->dumpall, err);
    if (rc == SR_OK && r->custom)
        rc = sr_pg_tool_find(cfg, SR_PG_RESTORE, version, &r->restore, err);
    if (rc == SR_OK && r->dump.version / 10000 > version / 10000)
        sr_log(SR_LOG_WARN,
               "pg_dump %s is newer than the server (%s): the dump may not restore into servers of "
               "version %d",
               r->dump.version_text, sr_pg_server_version_text(r->conn), version / 10000);
    return rc;
}

int sr_run_database_open(struct sr_run *r, const char *database, struct sr_error *err)
{
    struct sr_strlist *problems = &r->result->problems, *grants = &r->result->grants;
    int rc = SR_OK;
    if (r->conn && strcmp(sr_pg_database(r->conn), database) != 0)
        sr_run_database_close(r);
    if (r->conn_checked)
        return SR_OK;
    if (!r->conn)
        rc = sr_pg_connect(r->pg, database, &r->conn, err);
    if (rc == SR_OK)
        rc = sr_pg_lock(r->conn, err);
    if (rc == SR_OK)
        rc = sr_pg_preflight(r->conn, &r->exclude_tables, &r->exclude_table_data, &r->schemas,
                             problems, grants, err);
    if (rc == SR_OK && problems->len > 0 && r->o->pg_dump_options.len > 0) {
        /* pg_dump's own options may leave these out, in ways that only pg_dump knows. */
        sr_log(
            SR_LOG_WARN,
            "%zu objects of %s cannot be read by %s; unless the options after -- leave them out, "
            "pg_dump will stop: %s",
            problems->len, database, sr_pg_user(r->conn), problems->items[0]);
        sr_strlist_done(problems);
        sr_strlist_done(grants);
    }
    if (rc == SR_OK && problems->len > 0)
        rc = sr_fail(
            err, SR_E_DENIED,
            "%zu object%s of database %s cannot be read by %s, so pg_dump would stop: %s%s; "
            "grant access (the statements are listed), or leave them out with --exclude-table",
            problems->len, problems->len == 1 ? "" : "s", database, sr_pg_user(r->conn),
            problems->items[0], problems->len > 1 ? " and others" : "");
    r->conn_checked = rc == SR_OK;
    return rc;
}

void sr_run_database_close(struct sr_run *r)
{
    sr_pg_close(r->conn);
    r->conn = NULL;
    r->conn_checked = 0;
}

/* Every database is tried before the first byte is read: locks, rights, versions. */
static int plan_preflight(struct sr_run *r, struct sr_error *err)
{
    r->database_size = 0;
    for (size_t i = 0; i < r->databases.len; i++) {
        _cleanup_free_ char *size = NULL;
        uint64_t bytes = 0;
        int rc = sr_run_database_open(r, r->databases.items[i], err);
        if (rc != SR_OK)
            return rc;
        if (sr_pg_value(r->conn, "SELECT pg_database_size(current_database())", NULL, &size,
                        NULL) == SR_OK &&
            size && sr_parse_u64(size, &bytes) == SR_OK)
            r->database_size += bytes;
        rc = sr_context_check(r->ctx, err);
        if (rc != SR_OK)
            return rc;
    }
    return SR_OK;
}

/* What has to be on the disk before a store can be told its name. The need is an estimate, told
 * beforehand; what surely has no room is refused here rather than in the middle of the night. */
static int plan_spool(struct sr_run *r, struct sr_error *err)
{
    const char *store = NULL;
    uint64_t room = 0;
    char need_text[SR_SIZE_TEXT], room_text[SR_SIZE_TEXT];
    for (size_t i = 0; i < r->stores.len && !store; i++)
        if (!(sr_store_caps(sr_store_ro(r->stores.items[i])) & SR_STORE_CAP_LATE_KEY))
            store = sr_store_name(sr_store_ro(r->stores.items[i]));
    if (!store || !sr_run_digest_in_name(r))
        return SR_OK;
    r->spool_need =
        sr_protection_estimate(&r->protection, r->database_size) * (uint64_t)(r->plain + r->custom);
    int rc = sr_spool_room(r->spool_dir, &room, err);
    if (rc != SR_OK)
        return rc;
    sr_format_size(r->spool_need, need_text);
    sr_format_size(room, room_text);
    if (r->spool_need > room)
        return sr_fail(
            err, SR_E_NO_SPACE,
            "store %s must know the names of objects before their bytes, so the dump "
            "is spooled: about %s in %s, where only %s may be used; free some space, set "
            "BACKUP_SPOOL_DIR to another disk, or use --stream",
            store, need_text, r->spool_dir, room_text);
    sr_log(r->o->dry_run ? SR_LOG_VERBOSE : SR_LOG_INFO,
           "store %s must know the names of objects before their bytes: the dump is spooled as it "
           "will be stored, about %s in %s (%s may be used there); --stream needs no disk",
           store, need_text, r->spool_dir, room_text);
    return SR_OK;
}

/* A key that is missing, locked or expired is found before the dump, not after it. */
static int plan_signer(struct sr_run *r, struct sr_error *err)
{
    const struct sr_signer *s = NULL;
    int rc = sr_trust_keys(r->ctx, &s, err);
    if (rc != SR_OK || !sr_signer_signs(s))
        return rc;
    r->signer = s;
    rc = sr_signer_try(s, sr_clock_now(r->ctx->clock), NULL, err);
    return rc == SR_OK ? SR_OK : sr_error_wrap(err, "this backup could not be signed");
}

int sr_run_plan(struct sr_run *r, struct sr_error *err)
{
    const struct sr_config *cfg = r->ctx->cfg;
    const struct sr_backup_options *o = r->o;
    int rc = plan_formats(r, err);
    if (rc == SR_OK && o->stream && o->spool)
        rc = sr_fail(err, SR_E_USAGE, "--stream and --spool contradict each other; give one");
    if (rc == SR_OK && o->scheduled && o->label)
        rc = sr_fail(err, SR_E_USAGE, "--scheduled makes its own label; leave --label out");
    if (rc == SR_OK)
        rc = sr_pg_dump_check_extra(&o->pg_dump_options, err);
    if (rc == SR_OK)
        rc = merge_list(cfg, "BACKUP_EXCLUDE_TABLE", &o->exclude_tables, &r->exclude_tables, err);
    if (rc == SR_OK)
        rc = merge_list(cfg, "BACKUP_EXCLUDE_TABLE_DATA", &o->exclude_table_data,
                        &r->exclude_table_data, err);
    if (rc == SR_OK)
        rc = merge_list(cfg, "BACKUP_SCHEMA", &o->schemas, &r->schemas, err);
    if (rc == SR_OK && o->label) {
        char escaped[SR_LABEL_MAX + 1];
        rc = sr_label_escape(o->label, escaped, err);
    }
    if (rc == SR_OK)
        rc = sr_protection_from_config(cfg, sr_clock_now(r->ctx->clock), &r->protection, err);
    if (rc == SR_OK)
        rc = plan_signer(r, err);
    if (rc == SR_OK)
        rc = plan_stores(r, err);
    if (rc == SR_OK)
        rc = plan_folders(r, err);
    if (rc == SR_OK)
        rc = sr_pg_app_make(r->app, err);
    if (rc == SR_OK)
        rc = plan_server(r, err);
    if (rc == SR_OK)
        rc = plan_databases(r, err);
    if (rc == SR_OK)
        rc = sr_lock_take(r->state_dir, r->source, &r->lock, err);
    if (rc == SR_OK)
        rc = plan_preflight(r, err);
    if (rc == SR_OK)
        rc = plan_spool(r, err);
    return rc;
}
