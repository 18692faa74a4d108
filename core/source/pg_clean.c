#include "config.h"
#include "core/source/pg_clean.h"

#include "core/util/buf.h"
#include "core/util/cleanup.h"

#include <string.h>

#define FIRST_USER_OID "16384" /* FirstNormalObjectId: what initdb made is below */

/* Each gives one statement a row. One class may take members of the next along, so that each is
 * asked after the one before was dropped. */
static const char *const drops[] = {
    "SELECT pg_catalog.format('DROP EVENT TRIGGER %I', evtname)"
    " FROM pg_catalog.pg_event_trigger e WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d"
    " WHERE d.classid = 'pg_catalog.pg_event_trigger'::pg_catalog.regclass"
    " AND d.objid = e.oid AND d.deptype = 'e')",

    "SELECT 'SELECT pg_catalog.count(pg_catalog.lo_unlink(oid))"
    " FROM pg_catalog.pg_largeobject_metadata'",

    "SELECT pg_catalog.format('DROP EXTENSION IF EXISTS %I CASCADE', extname)"
    " FROM pg_catalog.pg_extension WHERE extname <> 'plpgsql'",

    "SELECT pg_catalog.format('DROP SCHEMA %I CASCADE', nspname)"
    " FROM pg_catalog.pg_namespace"
    " WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'",

    "SELECT pg_catalog.format('DROP SERVER %I CASCADE', srvname)"
    " FROM pg_catalog.pg_foreign_server",

    "SELECT pg_catalog.format('DROP FOREIGN DATA WRAPPER %I CASCADE', fdwname)"
    " FROM pg_catalog.pg_foreign_data_wrapper",

    "SELECT pg_catalog.format('DROP LANGUAGE %I CASCADE', lanname)"
    " FROM pg_catalog.pg_language WHERE oid >= " FIRST_USER_OID,

    "SELECT pg_catalog.format('DROP CAST (%s AS %s) CASCADE',"
    " pg_catalog.format_type(castsource, NULL), pg_catalog.format_type(casttarget, NULL))"
    " FROM pg_catalog.pg_cast WHERE oid >= " FIRST_USER_OID,

    "SELECT pg_catalog.format('DROP ACCESS METHOD %I CASCADE', amname)"
    " FROM pg_catalog.pg_am WHERE oid >= " FIRST_USER_OID,
};

static int run(struct sr_pg_conn *c, const char *sql, struct sr_error *err)
{
    _cleanup_free_ char *ignored = NULL;
    return sr_pg_value(c, sql, NULL, &ignored, err);
}

static int refuse_replication(struct sr_pg_conn *c, struct sr_error *err)
{
    _cleanup_(sr_strlist_done) struct sr_strlist found = {0};
    int rc = sr_pg_column(c,
                          "SELECT 'publication ' || pubname FROM pg_catalog.pg_publication"
                          " UNION ALL SELECT 'subscription ' || s.subname"
                          " FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d"
                          " ON d.oid = s.subdbid WHERE d.datname = pg_catalog.current_database()"
                          " ORDER BY 1",
                          NULL, &found, err);
    if (rc != SR_OK || found.len == 0)
        return rc;
    struct sr_buf list;
    sr_buf_init(&list, 1024);
    /* A list that does not fit is cut; the message says how many there are. */
    for (size_t i = 0; i < found.len; i++)
        if (sr_buf_printf(&list, "%s%s", i ? ", " : "", found.items[i]) != SR_OK)
            break;
    rc = sr_fail(err, SR_E_REFUSED,
                 "database %s takes part in logical replication (%zu: %s); drop these by hand "
                 "before it is cleaned",
                 sr_pg_database(c), found.len, sr_buf_str(&list));
    sr_buf_done(&list);
    return rc;
}

/* public as initdb makes it. Before version 15 it belongs to the bootstrap superuser, which only a
 * superuser can arrange; it is ours then. */
static const char public_since_15[] = "  CREATE SCHEMA public;\n"
                                      "  ALTER SCHEMA public OWNER TO pg_database_owner;\n"
                                      "  GRANT USAGE ON SCHEMA public TO PUBLIC;\n"
                                      "  COMMENT ON SCHEMA public IS 'standard public schema';\n";
static const char public_before_15[] =
    "  CREATE SCHEMA public;\n"
    "  IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN\n"
    "    EXECUTE pg_catalog.format('ALTER SCHEMA public OWNER TO %I',"
    " pg_catalog.pg_get_userbyid(10));\n"
    "  END IF;\n"
    "  GRANT ALL ON SCHEMA public TO PUBLIC;\n"
    "  COMMENT ON SCHEMA public IS 'standard public schema';\n";

int sr_pg_clean_sql(const struct sr_pg_conn *c, struct sr_buf *out)
{
    int rc = sr_buf_adds(out, "DO $strongroom_clean$\nDECLARE statement text;\nBEGIN\n");
    for (size_t i = 0; i < sizeof drops / sizeof *drops && rc == SR_OK; i++)
        rc = sr_buf_printf(out, "  FOR statement IN %s LOOP EXECUTE statement; END LOOP;\n",
                           drops[i]);
    if (rc == SR_OK)
        rc = sr_buf_adds(out,
                         sr_pg_server_version(c) >= 150000 ? public_since_15 : public_before_15);
    return rc == SR_OK ? sr_buf_adds(out, "END $strongroom_clean$;\n") : rc;
}

int sr_pg_clean_check(struct sr_pg_conn *c, struct sr_error *err)
{
    return refuse_replication(c, err);
}

int sr_pg_clean_database(struct sr_pg_conn *c, struct sr_error *err)
{
    struct sr_buf sql;
    int rc = sr_pg_clean_check(c, err);
    if (rc != SR_OK)
        return rc;
    sr_buf_init(&sql, SR_PG_CLEAN_SQL_MAX);
    if (sr_pg_clean_sql(c, &sql) != SR_OK)
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    else
        rc = run(c, sr_buf_str(&sql), err);
    sr_buf_done(&sql);
    if (rc == SR_OK)
        return SR_OK;
    sr_error_wrap(err, "cleaning database %s (nothing was dropped)", sr_pg_database(c));
    if (err && strstr(err->text, "out of shared memory"))
        sr_error_append(err, "; it has more objects than one transaction can lock: drop and create "
                             "the database, or raise max_locks_per_transaction");
    return rc;
}
