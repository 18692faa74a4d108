#include "config.h"
#include "core/engine/doctor.h"
#include "core/engine/doctor_private.h"
#include "core/engine/protection.h"
#include "core/pipeline/keys.h"
#include "core/source/pg_conn.h"
#include "core/source/pg_preflight.h"
#include "core/source/pg_tools.h"
#include "core/util/cleanup.h"
#include "core/util/fs.h"
#include "core/util/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLOCK_NOTICE 300               /* seconds */
#define KEY_EXPIRY_NOTICE (30 * 86400) /* seconds */

void sr_doctor_add(struct sr_doctor *d, enum sr_doctor_level level, const char *what,
                   const char *remedy, const char *fmt, ...)
{
    struct sr_doctor_result *r = d->result;
    struct sr_doctor_line *lines = reallocarray(r->lines, r->len + 1, sizeof *lines);
    struct sr_doctor_line l = {.level = level};
    va_list ap;
    if (!lines) {
        d->out_of_memory = 1;
        return;
    }
    r->lines = lines;
    va_start(ap, fmt);
    if (vasprintf(&l.finding, fmt, ap) < 0)
        l.finding = NULL;
    va_end(ap);
    l.what = strdup(what);
    l.remedy = remedy ? strdup(remedy) : NULL;
    if (!l.what || !l.finding)
        d->out_of_memory = 1;
    r->blockers += level == SR_DOCTOR_BLOCKER;
    r->lines[r->len++] = l;
}

void sr_doctor_clock(struct sr_doctor *d, const char *what, int64_t theirs, int64_t now)
{
    int64_t off = theirs - now;
    if (off > -CLOCK_NOTICE && off < CLOCK_NOTICE)
        return;
    sr_doctor_add(d, SR_DOCTOR_NOTE, what, "set the clocks (NTP): names and ages are made of them",
                  "its clock is %lld s %s this host's", (long long)(off < 0 ? -off : off),
                  off < 0 ? "behind" : "ahead of");
}

static void check_protection(struct sr_doctor *d)
{
    struct sr_protection p = {0};
    struct sr_error e = SR_ERROR_INIT;
    int64_t now = sr_clock_now(d->ctx->clock);
    if (sr_protection_from_config(d->ctx->cfg, now, &p, &e) != SR_OK) {
        sr_doctor_add(d, SR_DOCTOR_BLOCKER, "protection", NULL, "%s", e.text);
        return;
    }
    if (!sr_protection_encrypts(&p))
        sr_doctor_add(d, SR_DOCTOR_NOTE, "encryption",
                      "set BACKUP_ENCRYPTION_ENABLED=true and GPG_RECIPIENT_KEY_ID",
                      "off: whoever can read the store can read the data");
    for (size_t i = 0; p.recipients && i < sr_recipients_len(p.recipients); i++) {
        const char *fpr = sr_recipients_fingerprint(p.recipients, i);
        int64_t expires = sr_recipients_expires(p.recipients, i);
        char when[SR_TIME_ISO_SIZE] = "never";
        if (expires > 0)
            sr_time_iso(expires, when);
        sr_doctor_add(
            d, expires > 0 && expires < now + KEY_EXPIRY_NOTICE ? SR_DOCTOR_NOTE : SR_DOCTOR_OK,
            "recipient", NULL, "%s (%s), expires: %s; its secret key is %s", fpr,
            sr_recipients_uid(p.recipients, i), when,
            sr_secret_key_here(&fpr, 1) ? "here, so backups can be opened on this host"
                                        : "not here");
    }
    sr_doctor_add(d, SR_DOCTOR_OK, "compression", NULL, "%s", p.compression);
    sr_doctor_drill(d, &p);
    sr_protection_done(&p);
}

static void check_tool(struct sr_doctor *d, enum sr_pg_tool_kind kind, const char *name, int server,
                       enum sr_doctor_level missing)
{
    struct sr_pg_tool t = {0};
    struct sr_error e = SR_ERROR_INIT;
    if (sr_pg_tool_find(d->ctx->cfg, kind, server, &t, &e) != SR_OK)
        sr_doctor_add(d, missing, name, NULL, "%s", e.text);
    else
        sr_doctor_add(d, SR_DOCTOR_OK, name, NULL, "%s (%s)", t.version_text, t.path);
    sr_pg_tool_done(&t);
}

static void check_objects(struct sr_doctor *d, struct sr_pg_conn *c)
{
    struct sr_strlist problems = {0}, grants = {0};
    struct sr_error e = SR_ERROR_INIT;
    const struct sr_config *cfg = d->ctx->cfg;
    struct sr_strlist tables = {0}, data = {0}, schemas = {0};
    if (sr_config_list(cfg, "BACKUP_EXCLUDE_TABLE", &tables) != SR_OK ||
        sr_config_list(cfg, "BACKUP_EXCLUDE_TABLE_DATA", &data) != SR_OK ||
        sr_config_list(cfg, "BACKUP_SCHEMA", &schemas) != SR_OK)
        d->out_of_memory = 1;
    if (sr_pg_preflight(c, &tables, &data, &schemas, &problems, &grants, &e) != SR_OK)
        sr_doctor_add(d, SR_DOCTOR_BLOCKER, "rights", NULL, "%s", e.text);
    for (size_t i = 0; i < problems.len; i++)
        sr_doctor_add(d, SR_DOCTOR_BLOCKER, "rights", i < grants.len ? grants.items[i] : NULL, "%s",
                      problems.items[i]);
    if (problems.len == 0 && e.code == SR_OK)
        sr_doctor_add(d, SR_DOCTOR_OK, "rights", NULL, "everything in %s can be read by %s",
                      sr_pg_database(c), sr_pg_user(c));
    sr_strlist_done(&problems);
    sr_strlist_done(&grants);
    sr_strlist_done(&tables);
    sr_strlist_done(&data);
    sr_strlist_done(&schemas);
}

static void check_server_clock(struct sr_doctor *d, struct sr_pg_conn *c)
{
    _cleanup_free_ char *text = NULL;
    if (sr_pg_value(c, "SELECT extract(epoch FROM clock_timestamp())::bigint", NULL, &text, NULL) ==
            SR_OK &&
        text)
        sr_doctor_clock(d, "database", strtoll(text, NULL, 10), sr_clock_now(d->ctx->clock));
}

/* Extensions of the database that a server lacks the files of: a dump is made all the same, and a
 * restore there fails. */
static void check_extensions(struct sr_doctor *d, struct sr_pg_conn *c, struct sr_pg_conn *server,
                             const char *where)
{
    struct sr_strlist installed = {0}, available = {0};
    struct sr_error e = SR_ERROR_INIT;
    if (sr_pg_column(c, "SELECT extname FROM pg_catalog.pg_extension ORDER BY 1", NULL, &installed,
                     &e) != SR_OK ||
        sr_pg_column(server, "SELECT name FROM pg_catalog.pg_available_extensions", NULL,
                     &available, &e) != SR_OK)
        sr_doctor_add(d, SR_DOCTOR_NOTE, "extensions", NULL, "%s", e.text);
    for (size_t i = 0; e.code == SR_OK && i < installed.len; i++)
        if (!sr_strlist_has(&available, installed.items[i]))
            sr_doctor_add(d, SR_DOCTOR_NOTE, "extensions",
                          "install the package that has it on that server",
                          "%s uses %s, which %s does not have: a restore there would fail",
                          sr_pg_database(c), installed.items[i], where);
    sr_strlist_done(&installed);
    sr_strlist_done(&available);
}

/* The server of restore tests, where one is set. */
static void check_test_server(struct sr_doctor *d, struct sr_pg_conn *c)
{
    struct sr_pg_target *t = NULL;
    struct sr_pg_conn *server = NULL;
    struct sr_error e = SR_ERROR_INIT;
    const char *url = sr_config_str(d->ctx->cfg, "BACKUP_RESTORE_TEST_URL");
    if (!url)
        return;
    int rc = sr_pg_target_from_url(url, &t, &e);
    if (rc == SR_OK)
        rc = sr_pg_connect(t, NULL, &server, &e);
    if (rc != SR_OK)
        sr_doctor_add(d, SR_DOCTOR_NOTE, "restore-test server", "see BACKUP_RESTORE_TEST_URL", "%s",
                      e.text);
    else
        check_extensions(d, c, server, "the server of restore tests");
    sr_pg_close(server);
    sr_pg_target_free(t);
}

static void check_database(struct sr_doctor *d)
{
    struct sr_pg_target *t = NULL;
    struct sr_pg_conn *c = NULL;
    struct sr_error e = SR_ERROR_INIT;
    _cleanup_free_ char *note = NULL;
    int version = 0;
    int rc = sr_pg_target_from_config(d->ctx->cfg, &note, &t, &e);
    if (rc == SR_OK && note)
        sr_doctor_add(d, SR_DOCTOR_NOTE, "connection", NULL, "%s", note);
    if (rc == SR_OK)
        rc = sr_pg_connect(t, NULL, &c, &e);
    if (rc != SR_OK) {
        sr_doctor_add(d, SR_DOCTOR_BLOCKER, "database", NULL, "%s", e.text);
    } else {
        version = sr_pg_server_version(c);
        sr_doctor_add(d, SR_DOCTOR_OK, "database", NULL, "%s, PostgreSQL %s", sr_pg_target_text(t),
                      sr_pg_server_version_text(c));
        if (sr_pg_lock(c, &e) != SR_OK)
            sr_doctor_add(d, SR_DOCTOR_NOTE, "lock", NULL, "%s", e.text);
        check_objects(d, c);
        check_server_clock(d, c);
        check_extensions(d, c, c, "its server");
        check_test_server(d, c);
    }
    check_tool(d, SR_PG_DUMP, "pg_dump", version, SR_DOCTOR_BLOCKER);
    if (sr_config_bool(d->ctx->cfg, "BACKUP_GLOBALS"))
        check_tool(d, SR_PG_DUMPALL, "pg_dumpall", version, SR_DOCTOR_BLOCKER);
    check_tool(d, SR_PG_RESTORE, "pg_restore", version, SR_DOCTOR_NOTE);
    check_tool(d, SR_PG_PSQL, "psql", version, SR_DOCTOR_NOTE);
    sr_pg_close(c);
    sr_pg_target_free(t);
}

static void check_folder(struct sr_doctor *d)
{
    _cleanup_free_ char *state = NULL;
    struct sr_error e = SR_ERROR_INIT;
    unsigned long long bytes = 0;
    char size[SR_SIZE_TEXT];
    if (sr_config_state_dir(d->ctx->cfg, &state, &e) != SR_OK ||
        sr_fs_mkdirs(state, 0700, &e) != SR_OK || sr_fs_free_bytes(state, &bytes, &e) != SR_OK) {
        sr_doctor_add(d, SR_DOCTOR_BLOCKER, "folder",
                      "set BACKUP_DIR to a folder that can be written", "%s", e.text);
        return;
    }
    if (access(state, W_OK) != 0) {
        sr_doctor_add(d, SR_DOCTOR_BLOCKER, "folder",
                      "set BACKUP_DIR to a folder that can be written", "%s cannot be written",
                      state);
        return;
    }
    sr_format_size(bytes, size);
    sr_doctor_add(d, bytes < (64u << 20) ? SR_DOCTOR_NOTE : SR_DOCTOR_OK, "folder", NULL,
                  "%s, %s free", state, size);
}

int sr_doctor_run(struct sr_context *ctx, struct sr_doctor_result *ret, struct sr_error *err)
{
    struct sr_doctor d = {.ctx = ctx, .result = ret};
    static void (*const checks[])(struct sr_doctor *) = {check_folder,      check_protection,
                                                         sr_doctor_signing, check_database,
                                                         sr_doctor_stores,  sr_doctor_missed};
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        int rc = sr_context_check(ctx, err);
        if (rc != SR_OK)
            return rc;
        checks[i](&d);
    }
    return d.out_of_memory ? sr_fail(err, SR_E_NO_MEMORY, "out of memory") : SR_OK;
}

void sr_doctor_result_done(struct sr_doctor_result *r)
{
    for (size_t i = 0; i < r->len; i++) {
        free(r->lines[i].what);
        free(r->lines[i].finding);
        free(r->lines[i].remedy);
    }
    free(r->lines);
    *r = (struct sr_doctor_result){0};
}
