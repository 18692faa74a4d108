#include "config.h"
#include "core/source/pg_preflight.h"
#include "core/source/pg_pattern.h"
#include "core/source/pg_query.h"
#include "core/util/buf.h"
#include "core/util/cleanup.h"
#include "core/util/text.h"

#include <stdlib.h>
#include <string.h>

#define SQL_MAX (1 << 20)
#define LARGE_OBJECTS_SHOWN 20

/* A statement that grows with the patterns, and its parameters. */
struct query {
    struct sr_buf sql;
    struct sr_strlist args;
};

static void query_done(struct query *q)
{
    sr_buf_done(&q->sql);
    sr_strlist_done(&q->args);
}

/* Adds "(schema matches AND name matches)"; without a schema, as in pg_dump, what is visible. */
static int match_table(struct query *q, const char *pattern, struct sr_error *err)
{
    _cleanup_free_ char *schema = NULL, *name = NULL;
    int rc = sr_pg_pattern_read(pattern, &schema, &name, err);
    if (rc != SR_OK)
        return rc;
    if (schema && (rc = sr_strlist_add(&q->args, schema)) == SR_OK)
        rc = sr_buf_printf(&q->sql, "(n.nspname OPERATOR(pg_catalog.~) $%zu AND ", q->args.len);
    else if (!schema)
        rc = sr_buf_adds(&q->sql, "(pg_catalog.pg_table_is_visible(c.oid) AND ");
    if (rc == SR_OK)
        rc = sr_strlist_add(&q->args, name);
    if (rc == SR_OK)
        rc = sr_buf_printf(&q->sql, "c.relname OPERATOR(pg_catalog.~) $%zu)", q->args.len);
    return rc;
}

static int match_schema(struct query *q, const char *pattern, struct sr_error *err)
{
    _cleanup_free_ char *schema = NULL, *name = NULL;
    int rc = sr_pg_pattern_read(pattern, &schema, &name, err);
    if (rc == SR_OK)
        rc = sr_strlist_add(&q->args, name);
    return rc == SR_OK
               ? sr_buf_printf(&q->sql, "n.nspname OPERATOR(pg_catalog.~) $%zu", q->args.len)
               : rc;
}

/* "(a OR b ...)", or `without` when there are no patterns. */
static int match_any(struct query *q, const struct sr_strlist *patterns,
                     int (*match)(struct query *, const char *, struct sr_error *),
                     const char *without, struct sr_error *err)
{
    if (!patterns || patterns->len == 0)
        return sr_buf_adds(&q->sql, without);
    int rc = SR_OK;
    for (size_t i = 0; i < patterns->len && rc == SR_OK; i++) {
        rc = sr_buf_adds(&q->sql, i == 0 ? "(" : " OR ");
        if (rc == SR_OK)
            rc = match(q, patterns->items[i], err);
    }
    return rc == SR_OK ? sr_buf_adds(&q->sql, ")") : rc;
}

/* Tables and sequences that pg_dump would lock or read, and what is wrong with each. What belongs
 * to an extension is made by CREATE EXTENSION, except the tables it registered as its users' data.
 */
static int relations_query(struct query *q, const struct sr_strlist *exclude_tables,
                           const struct sr_strlist *exclude_table_data,
                           const struct sr_strlist *schemas, struct sr_error *err)
{
    int rc = sr_buf_adds(
        &q->sql,
        "SELECT pg_catalog.quote_ident(n.nspname), pg_catalog.quote_ident(c.relname), c.relkind,"
        " pg_catalog.has_schema_privilege(n.oid, 'USAGE'),"
        " CASE WHEN c.relkind = 'S' THEN pg_catalog.has_sequence_privilege(c.oid, 'SELECT')"
        " ELSE pg_catalog.has_table_privilege(c.oid, 'SELECT') END,"
        " c.relrowsecurity AND pg_catalog.row_security_active(c.oid) AND NOT ");
    if (rc == SR_OK)
        rc = match_any(q, exclude_table_data, match_table, "false", err);
    if (rc == SR_OK)
        rc = sr_buf_adds(
            &q->sql,
            " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind IN ('r', 'p', 'S') AND c.relpersistence <> 't'"
            " AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
            " AND (NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid ="
            " 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')"
            " OR c.oid IN (SELECT pg_catalog.unnest(e.extconfig) FROM pg_catalog.pg_extension e))"
            " AND NOT (pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND CASE WHEN c.relkind = "
            "'S' THEN pg_catalog.has_sequence_privilege(c.oid, 'SELECT') ELSE"
            " pg_catalog.has_table_privilege(c.oid, 'SELECT') AND NOT c.relrowsecurity END)"
            " AND ");
    if (rc == SR_OK)
        rc = match_any(q, schemas, match_schema, "true", err);
    if (rc == SR_OK)
        rc = sr_buf_adds(&q->sql, " AND NOT ");
    if (rc == SR_OK)
        rc = match_any(q, exclude_tables, match_table, "false", err);
    if (rc == SR_OK)
        rc = sr_buf_adds(&q->sql, " ORDER BY 1, 2");
    return rc;
}

struct lists {
    struct sr_strlist *problems, *grants;
    const char *role;    /* as an identifier */
    const char *literal; /* as a string */
};

static int is_true(const PGresult *r, int row, int column)
{
    return PQgetvalue(r, row, column)[0] == 't';
}

static int relation_judge(const PGresult *r, int i, const char **last_schema, struct lists *l)
{
    const char *schema = PQgetvalue(r, i, 0), *name = PQgetvalue(r, i, 1);
    int sequence = PQgetvalue(r, i, 2)[0] == 'S', rc = SR_OK;
    if (!is_true(r, i, 3) && (!*last_schema || strcmp(*last_schema, schema) != 0)) {
        rc = sr_strlist_addf(l->problems, "schema %s: no USAGE privilege", schema);
        if (rc == SR_OK)
            rc = sr_strlist_addf(l->grants, "GRANT USAGE ON SCHEMA %s TO %s;", schema, l->role);
        *last_schema = schema;
    }
    if (rc == SR_OK && !is_true(r, i, 4)) {
        rc = sr_strlist_addf(l->problems, "%s %s.%s: permission denied",
                             sequence ? "sequence" : "table", schema, name);
        if (rc == SR_OK)
            rc = sr_strlist_addf(l->grants, "GRANT SELECT ON %s %s.%s TO %s;",
                                 sequence ? "SEQUENCE" : "TABLE", schema, name, l->role);
    }
    if (rc == SR_OK && is_true(r, i, 5)) {
        _cleanup_free_ char *grant = NULL;
        rc = sr_strlist_addf(l->problems, "table %s.%s: row-level security would hide rows from %s",
                             schema, name, l->role);
        if (rc == SR_OK && asprintf(&grant, "ALTER ROLE %s BYPASSRLS;", l->role) < 0) {
            grant = NULL;
            rc = SR_E_NO_MEMORY;
        }
        if (rc == SR_OK && !sr_strlist_has(l->grants, grant))
            rc = sr_strlist_add(l->grants, grant);
    }
    return rc;
}

static int relations_check(struct sr_pg_conn *c, struct query *q, struct lists *l,
                           struct sr_error *err)
{
    _cleanup_(PQclearp) PGresult *r = NULL;
    const char *schema = NULL;
    int rc = sr_pg_query(c, sr_buf_str(&q->sql), (const char *const *)q->args.items, &r, err);
    if (rc != SR_OK)
        return rc;
    for (int i = 0; i < PQntuples(r) && rc == SR_OK; i++)
        rc = relation_judge(r, i, &schema, l);
    return rc == SR_OK ? rc : sr_fail(err, rc, "checking privileges: out of memory");
}

/* Large objects are dumped unless schemas were chosen. There may be millions, so a few are shown
 * and the grant for all is one statement. */
static int large_objects_check(struct sr_pg_conn *c, struct lists *l, struct sr_error *err)
{
    _cleanup_(PQclearp) PGresult *r = NULL;
    /* Owner and members of the owning role may read; else the ACL must say so. */
    int rc = sr_pg_query(
        c,
        "SELECT m.oid, pg_catalog.count(*) OVER () FROM pg_catalog.pg_largeobject_metadata m"
        " WHERE pg_catalog.current_setting('lo_compat_privileges') = 'off'"
        " AND NOT pg_catalog.pg_has_role(m.lomowner, 'USAGE')"
        " AND NOT EXISTS (SELECT 1 FROM pg_catalog.aclexplode(m.lomacl) a WHERE"
        " a.privilege_type = 'SELECT' AND (a.grantee = 0 OR"
        " pg_catalog.pg_has_role(a.grantee, 'USAGE')))"
        " AND NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)"
        " ORDER BY 1 LIMIT 20",
        NULL, &r, err);
    if (rc != SR_OK)
        return rc;
    int n = PQntuples(r);
    for (int i = 0; i < n && rc == SR_OK; i++)
        rc =
            sr_strlist_addf(l->problems, "large object %s: permission denied", PQgetvalue(r, i, 0));
    uint64_t all = 0;
    if (rc == SR_OK && n > 0 && sr_parse_u64(PQgetvalue(r, 0, 1), &all) == SR_OK &&
        all > LARGE_OBJECTS_SHOWN)
        rc = sr_strlist_addf(l->problems, "and %llu more large objects: permission denied",
                             (unsigned long long)(all - LARGE_OBJECTS_SHOWN));
    for (int i = 0; i < n && all <= LARGE_OBJECTS_SHOWN && rc == SR_OK; i++)
        rc = sr_strlist_addf(l->grants, "GRANT SELECT ON LARGE OBJECT %s TO %s;",
                             PQgetvalue(r, i, 0), l->role);
    if (rc == SR_OK && all > LARGE_OBJECTS_SHOWN)
        rc = sr_strlist_addf(l->grants,
                             "DO $$ DECLARE o oid; BEGIN FOR o IN SELECT oid FROM "
                             "pg_largeobject_metadata LOOP EXECUTE format('GRANT SELECT ON LARGE "
                             "OBJECT %%s TO %%I', o, %s); END LOOP; END $$;",
                             l->literal);
    return rc == SR_OK ? rc : sr_fail(err, rc, "checking privileges: out of memory");
}

int sr_pg_preflight(struct sr_pg_conn *c, const struct sr_strlist *exclude_tables,
                    const struct sr_strlist *exclude_table_data, const struct sr_strlist *schemas,
                    struct sr_strlist *problems, struct sr_strlist *grants, struct sr_error *err)
{
    struct query q = {0};
    struct lists l = {.problems = problems, .grants = grants};
    _cleanup_free_ char *role = NULL, *literal = NULL;
    sr_buf_init(&q.sql, SQL_MAX);
    int rc = relations_query(&q, exclude_tables, exclude_table_data, schemas, err);
    if (rc != SR_OK) {
        query_done(&q);
        return sr_fail(err, rc,
                       "checking privileges: the exclude patterns are too many or too long");
    }
    rc = sr_pg_value(c, "SELECT pg_catalog.quote_ident(current_user)", NULL, &role, err);
    if (rc == SR_OK)
        rc = sr_pg_value(c, "SELECT pg_catalog.quote_literal(current_user)", NULL, &literal, err);
    l.role = role;
    l.literal = literal;
    /* A pattern without a schema means what the role sees by default, not what this session does.
     */
    if (rc == SR_OK)
        rc = sr_pg_command(c, "RESET search_path", err);
    if (rc == SR_OK) {
        rc = relations_check(c, &q, &l, err);
        int back = sr_pg_command(c, "SELECT pg_catalog.set_config('search_path', '', false)",
                                 rc == SR_OK ? err : NULL);
        rc = rc == SR_OK ? back : rc;
    }
    if (rc == SR_OK && (!schemas || schemas->len == 0))
        rc = large_objects_check(c, &l, err);
    query_done(&q);
    return rc == SR_OK ? rc : sr_error_wrap(err, "checking what %s may read", sr_pg_user(c));
}

int sr_pg_facts(struct sr_pg_conn *c, struct sr_strlist *extensions, struct sr_strlist *owners,
                uint64_t *ret_size, struct sr_error *err)
{
    _cleanup_free_ char *size = NULL;
    uint64_t bytes = 0;
    int rc = sr_pg_column(c,
                          "SELECT extname || ' ' || extversion FROM pg_catalog.pg_extension "
                          "ORDER BY extname",
                          NULL, extensions, err);
    if (rc == SR_OK)
        rc = sr_pg_column(
            c,
            "WITH own AS (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_' AND "
            "nspname <> 'information_schema') SELECT DISTINCT r.rolname FROM pg_catalog.pg_roles r "
            "JOIN (SELECT relowner FROM pg_catalog.pg_class WHERE relnamespace IN (SELECT oid FROM "
            "own) UNION SELECT proowner FROM pg_catalog.pg_proc WHERE pronamespace IN (SELECT oid "
            "FROM own) UNION SELECT typowner FROM pg_catalog.pg_type WHERE typnamespace IN (SELECT "
            "oid FROM own) UNION SELECT nspowner FROM pg_catalog.pg_namespace WHERE oid IN (SELECT "
            "oid FROM own) UNION SELECT lomowner FROM pg_catalog.pg_largeobject_metadata UNION "
            "SELECT datdba FROM pg_catalog.pg_database WHERE datname = "
            "pg_catalog.current_database() UNION SELECT d.refobjid FROM pg_catalog.pg_shdepend d "
            "JOIN pg_catalog.pg_database b ON b.oid = d.dbid WHERE d.refclassid = "
            "'pg_catalog.pg_authid'::pg_catalog.regclass AND b.datname = "
            "pg_catalog.current_database()) o(id) ON o.id = r.oid ORDER BY 1",
            NULL, owners, err);
    if (rc == SR_OK)
        rc = sr_pg_value(c, "SELECT pg_catalog.pg_database_size(pg_catalog.current_database())",
                         NULL, &size, err);
    if (rc == SR_OK && (!size || sr_parse_u64(size, &bytes) != SR_OK))
        rc = sr_fail(err, SR_E_DATABASE, "the server gave no size of the database");
    if (rc != SR_OK)
        return sr_error_wrap(err, "asking for facts about database %s", sr_pg_database(c));
    *ret_size = bytes;
    return SR_OK;
}
