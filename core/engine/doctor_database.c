/* The databases that a backup takes, the server that they are on, and PostgreSQL's programs. */
#include "config.h"
#include "core/engine/databases.h"
#include "core/engine/doctor_private.h"
#include "core/source/pg_conn.h"
#include "core/source/pg_preflight.h"
#include "core/source/pg_tools.h"
#include "core/util/cleanup.h"
#include "core/util/text.h"

#include <stdlib.h>
#include <string.h>

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

/* The server of restore tests; NULL where none is set, or it cannot be reached, which is told. */
static struct sr_pg_conn *test_server(struct sr_doctor *d)
{
    struct sr_pg_target *t = NULL;
    struct sr_pg_conn *server = NULL;
    struct sr_error e = SR_ERROR_INIT;
    const char *url = sr_config_str(d->ctx->cfg, "BACKUP_RESTORE_TEST_URL");
    if (!url)
        return NULL;
    int rc = sr_pg_target_from_url(url, &t, &e);
    if (rc == SR_OK)
        rc = sr_pg_connect(t, NULL, &server, &e);
    if (rc != SR_OK)
        sr_doctor_add(d, SR_DOCTOR_NOTE, "restore-test server", "see BACKUP_RESTORE_TEST_URL", "%s",
                      e.text);
    sr_pg_target_free(t);
    return server;
}

/* What it weighs, for when no backup of it tells. */
static void take_size(struct sr_doctor *d, struct sr_pg_conn *c)
{
    _cleanup_free_ char *text = NULL;
    const struct sr_protection p = {.compress = d->compress};
    uint64_t bytes = 0;
    if (sr_pg_value(c, "SELECT pg_catalog.pg_database_size(pg_catalog.current_database())", NULL,
                    &text, NULL) != SR_OK ||
        !text || sr_parse_u64(text, &bytes) != SR_OK)
        return;
    uint64_t dump = sr_protection_estimate(&p, bytes);
    const char *format = sr_config_str(d->ctx->cfg, "BACKUP_FORMAT");
    d->on_server += bytes;
    d->estimate += dump * (strchr(format, ',') ? 2 : 1);
    d->estimate_largest = dump > d->estimate_largest ? dump : d->estimate_largest;
}

/* One of the databases; first is a connection to one of them; test may be NULL. */
static void check_database(struct sr_doctor *d, struct sr_pg_target *t, struct sr_pg_conn *first,
                           struct sr_pg_conn *test, const char *name)
{
    struct sr_pg_conn *own = NULL;
    struct sr_error e = SR_ERROR_INIT;
    if (strcmp(sr_pg_database(first), name) != 0 && sr_pg_connect(t, name, &own, &e) != SR_OK) {
        sr_doctor_add(d, SR_DOCTOR_BLOCKER, "database", NULL, "%s", e.text);
        return;
    }
    struct sr_pg_conn *c = own ? own : first;
    /* Looked at and not taken: a backup may begin at this moment. */
    if (sr_pg_lock_look(c, &e) != SR_OK)
        sr_doctor_add(d, SR_DOCTOR_NOTE, "lock",
                      "wait for that run; if its host is gone, end the server process: SELECT "
                      "pg_terminate_backend(PID)",
                      "%s", e.text);
    check_objects(d, c);
    check_extensions(d, c, c, "its server");
    if (test)
        check_extensions(d, c, test, "the server of restore tests");
    take_size(d, c);
    sr_pg_close(own);
}

/* How stores group what this host backs up: earlier backups are found by it. */
static void take_source(struct sr_doctor *d, struct sr_pg_conn *c, const struct sr_strlist *list,
                        int all)
{
    _cleanup_free_ char *name = sr_databases_source(d->ctx->cfg, c, list, all);
    struct sr_error e = SR_ERROR_INIT;
    if (!name)
        d->out_of_memory = 1;
    else if (sr_source_escape(name, d->source, &e) != SR_OK)
        sr_doctor_add(d, SR_DOCTOR_BLOCKER, "source", "set BACKUP_SOURCE_NAME", "%s", e.text);
}

static void check_tools(struct sr_doctor *d, int version)
{
    const char *format = sr_config_str(d->ctx->cfg, "BACKUP_FORMAT");
    check_tool(d, SR_PG_DUMP, "pg_dump", version, SR_DOCTOR_BLOCKER);
    if (sr_config_bool(d->ctx->cfg, "BACKUP_GLOBALS"))
        check_tool(d, SR_PG_DUMPALL, "pg_dumpall", version, SR_DOCTOR_BLOCKER);
    /* Rows of a custom-format dump are counted by pg_restore. */
    check_tool(d, SR_PG_RESTORE, "pg_restore", version,
               strstr(format, "custom") ? SR_DOCTOR_BLOCKER : SR_DOCTOR_NOTE);
    check_tool(d, SR_PG_PSQL, "psql", version, SR_DOCTOR_NOTE);
}

void sr_doctor_databases(struct sr_doctor *d)
{
    const struct sr_config *cfg = d->ctx->cfg;
    const struct sr_strlist given = {0};
    struct sr_strlist list = {0};
    struct sr_pg_target *t = NULL;
    struct sr_pg_conn *c = NULL;
    struct sr_error e = SR_ERROR_INIT;
    _cleanup_free_ char *note = NULL;
    int version = 0, all = sr_databases_all(cfg, &given);
    int rc = sr_pg_target_from_config(cfg, &note, &t, &e);
    if (rc == SR_OK && note)
        sr_doctor_add(d, SR_DOCTOR_NOTE, "connection", NULL, "%s", note);
    if (rc == SR_OK)
        rc = sr_databases_connect(cfg, t, &given, all, &c, &e);
    if (rc == SR_OK) {
        version = sr_pg_server_version(c);
        sr_doctor_add(d, SR_DOCTOR_OK, "database", NULL, "%s, PostgreSQL %s", sr_pg_target_text(t),
                      sr_pg_server_version_text(c));
        check_server_clock(d, c);
        rc = sr_databases_list(cfg, c, &given, all, &list, &e);
    }
    if (rc != SR_OK)
        sr_doctor_add(d, SR_DOCTOR_BLOCKER, "database", NULL, "%s", e.text);
    else
        take_source(d, c, &list, all);
    struct sr_pg_conn *test = rc == SR_OK ? test_server(d) : NULL;
    for (size_t i = 0; rc == SR_OK && i < list.len; i++)
        check_database(d, t, c, test, list.items[i]);
    sr_pg_close(test);
    check_tools(d, version);
    sr_strlist_done(&list);
    sr_pg_close(c);
    sr_pg_target_free(t);
}
