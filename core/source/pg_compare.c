#include "config.h"
#include "core/source/pg_compare.h"
#include "core/source/pg_query.h"
#include "core/util/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- findings --- */

const char *sr_pg_finding_word(enum sr_pg_finding_kind k)
{
    switch (k) {
    case SR_FINDING_ROWS:
        return "rows";
    case SR_FINDING_INDEX:
        return "index";
    case SR_FINDING_FOREIGN_KEY:
        return "foreign-key";
    case SR_FINDING_CONSTRAINT:
        return "constraint";
    case SR_FINDING_SEQUENCE:
        return "sequence";
    }
    return "unknown";
}

int sr_pg_findings_add(struct sr_pg_findings *f, enum sr_pg_finding_kind kind, const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    if (f->len == SR_FINDINGS_MAX) {
        f->left++;
        return SR_OK;
    }
    struct sr_pg_finding *grown = reallocarray(f->items, f->len + 1, sizeof *grown);
    if (!grown)
        return SR_E_NO_MEMORY;
    f->items = grown;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0)
        return SR_E_NO_MEMORY;
    f->items[f->len++] = (struct sr_pg_finding){kind, text};
    return SR_OK;
}

void sr_pg_findings_done(struct sr_pg_findings *f)
{
    for (size_t i = 0; i < f->len; i++)
        free(f->items[i].text);
    free(f->items);
    *f = (struct sr_pg_findings){0};
}

/* --- names and counts --- */

/* One part of a name at *s, which is moved behind it. Malloc'd; NULL: none, or no memory. */
static char *part_take(const char **s)
{
    const char *p = *s;
    char *out = malloc(strlen(p) + 1);
    size_t n = 0;
    int closed = 0;
    if (!out)
        return NULL;
    if (*p == '"') {
        for (p++; *p && !closed; p++)
            if (*p != '"')
                out[n++] = *p;
            else if (p[1] == '"')
                out[n++] = *p++;
            else
                closed = 1;
    } else {
        while (*p && *p != '.' && *p != '"')
            out[n++] = *p++;
        closed = 1;
    }
    out[n] = '\0';
    *s = p;
    if (closed && n > 0)
        return out;
    free(out);
    return NULL;
}

int sr_pg_name_split(const char *spelled, char **ret_schema, char **ret_table)
{
    char *schema = part_take(&spelled), *table = NULL;
    if (schema && *spelled == '.') {
        spelled++;
        table = part_take(&spelled);
    }
    if (schema && table && *spelled == '\0') {
        *ret_schema = schema;
        *ret_table = table;
        return SR_OK;
    }
    free(schema);
    free(table);
    return SR_E_CORRUPT;
}

int sr_pg_rows_judge(struct sr_pg_findings *f, const char *table, uint64_t want, uint64_t have,
                     int at_least)
{
    if (have == want || (at_least && have > want))
        return SR_OK;
    uint64_t by = have < want ? want - have : have - want;
    return sr_pg_findings_add(f, SR_FINDING_ROWS,
                              "table %s holds %" PRIu64 " rows, the backup was counted to have "
                              "%" PRIu64 ": %" PRIu64 " %s",
                              table, have, want, by, have < want ? "are lost" : "too many");
}

/* --- tables of the server --- */

struct here {
    const char *schema, *table; /* of the result */
    const char *quoted;
    char kind;     /* r or p */
    int partition; /* part of another table */
    int extension; /* an extension's own */
    int seen;
};

static int by_name(const void *a, const void *b)
{
    const struct here *x = a, *y = b;
    int c = strcmp(x->schema, y->schema);
    return c ? c : strcmp(x->table, y->table);
}

static int no_memory(struct sr_error *err)
{
    return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
}

static const char tables_sql[] =
    "SELECT n.nspname, c.relname, pg_catalog.format('%I.%I', n.nspname, c.relname), c.relkind, "
    "CASE WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid) THEN 't' "
    "ELSE 'f' END, CASE WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = "
    "'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e') THEN 't' "
    "ELSE 'f' END FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = "
    "c.relnamespace WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname NOT "
    "LIKE "
    "'pg\\_%' AND n.nspname <> 'information_schema'";

static int tables_here(struct sr_pg_conn *c, PGresult **ret_rows, struct here **ret,
                       size_t *ret_len, struct sr_error *err)
{
    PGresult *r = NULL;
    int rc = sr_pg_query(c, tables_sql, NULL, &r, err);
    if (rc != SR_OK)
        return rc;
    size_t len = (size_t)PQntuples(r);
    struct here *h = calloc(len + 1, sizeof *h);
    if (!h) {
        PQclear(r);
        return no_memory(err);
    }
    for (size_t i = 0; i < len; i++)
        h[i] = (struct here){.schema = PQgetvalue(r, (int)i, 0),
                             .table = PQgetvalue(r, (int)i, 1),
                             .quoted = PQgetvalue(r, (int)i, 2),
                             .kind = *PQgetvalue(r, (int)i, 3),
                             .partition = *PQgetvalue(r, (int)i, 4) == 't',
                             .extension = *PQgetvalue(r, (int)i, 5) == 't'};
    qsort(h, len, sizeof *h, by_name);
    *ret_rows = r;
    *ret = h;
    *ret_len = len;
    return SR_OK;
}

static int ask(const struct sr_pg_stop *stop, struct sr_error *err)
{
    return stop && stop->ask ? stop->ask(stop->ctx, err) : SR_OK;
}

static int count(struct sr_pg_conn *c, const struct here *h, uint64_t *ret, struct sr_error *err)
{
    _cleanup_free_ char *sql = NULL, *text = NULL;
    /* What inherits from a table is counted by itself; rows of a partitioned one are in its parts.
     */
    if (asprintf(&sql, "SELECT pg_catalog.count(*) FROM %s%s", h->kind == 'p' ? "" : "ONLY ",
                 h->quoted) < 0) {
        sql = NULL;
        return no_memory(err);
    }
    int rc = sr_pg_value(c, sql, NULL, &text, err);
    if (rc == SR_OK && (!text || sr_parse_u64(text, ret) != SR_OK))
        rc = sr_fail(err, SR_E_DATABASE, "the server counted rows as '%s'", text ? text : "");
    return rc;
}

static int compare_one(struct sr_pg_conn *c, const struct sr_pg_want *want, struct here *tables,
                       size_t len, struct sr_pg_findings *f, struct sr_error *err)
{
    _cleanup_free_ char *schema = NULL, *table = NULL;
    uint64_t have = 0;
    struct here *h = NULL;
    if (sr_pg_name_split(want->table, &schema, &table) == SR_OK) {
        const struct here key = {.schema = schema, .table = table};
        h = bsearch(&key, tables, len, sizeof *tables, by_name);
    }
    if (!h)
        return sr_pg_findings_add(f, SR_FINDING_ROWS,
                                  "table %s is missing; the backup was counted to have %" PRIu64
                                  " rows of it",
                                  want->table, want->rows) == SR_OK
                   ? SR_OK
                   : no_memory(err);
    h->seen = 1;
    int rc = count(c, h, &have, err);
    if (rc != SR_OK)
        return rc;
    f->tables++;
    f->rows += have;
    return sr_pg_rows_judge(f, want->table, want->rows, have, h->extension) == SR_OK
               ? SR_OK
               : no_memory(err);
}

/* Rows that the backup was not counted to have. A partition may have got them by way of its parent,
 * an extension's table from the extension. */
static int compare_unseen(struct sr_pg_conn *c, const struct here *h, struct sr_pg_findings *f,
                          struct sr_error *err)
{
    uint64_t have = 0;
    int rc = count(c, h, &have, err);
    if (rc != SR_OK)
        return rc;
    f->tables++;
    f->rows += have;
    return sr_pg_rows_judge(f, h->quoted, 0, have, 0) == SR_OK ? SR_OK : no_memory(err);
}

int sr_pg_compare_rows(struct sr_pg_conn *c, const struct sr_pg_want *want, size_t len, int all,
                       const struct sr_pg_stop *stop, struct sr_pg_findings *f,
                       struct sr_error *err)
{
    _cleanup_(PQclearp) PGresult *r = NULL;
    struct here *tables = NULL;
    size_t tables_len = 0;
    int rc = sr_pg_command(c, "SET row_security = off", err);
    if (rc == SR_OK)
        rc = tables_here(c, &r, &tables, &tables_len, err);
    for (size_t i = 0; rc == SR_OK && i < len; i++) {
        rc = ask(stop, err);
        if (rc == SR_OK)
            rc = compare_one(c, &want[i], tables, tables_len, f, err);
    }
    for (size_t i = 0; all && rc == SR_OK && i < tables_len; i++) {
        const struct here *h = &tables[i];
        if (h->seen || h->partition || h->extension || h->kind == 'p')
            continue;
        rc = ask(stop, err);
        if (rc == SR_OK)
            rc = compare_unseen(c, h, f, err);
    }
    free(tables);
    return rc == SR_OK ? rc : sr_error_wrap(err, "comparing rows");
}

/* --- what the server can tell --- */

#define OWN "n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"

static int count_into(struct sr_pg_conn *c, const char *sql, uint64_t *ret, struct sr_error *err)
{
    _cleanup_free_ char *text = NULL;
    int rc = sr_pg_value(c, sql, NULL, &text, err);
    if (rc == SR_OK && text)
        (void)sr_parse_u64(text, ret);
    return rc;
}

static int indexes(struct sr_pg_conn *c, struct sr_pg_findings *f, struct sr_error *err)
{
    _cleanup_(PQclearp) PGresult *r = NULL;
    int rc =
        count_into(c,
                   "SELECT pg_catalog.count(*) FROM pg_catalog.pg_index i JOIN "
                   "pg_catalog.pg_class x ON x.oid = i.indexrelid JOIN pg_catalog.pg_namespace "
                   "n ON n.oid = x.relnamespace WHERE " OWN,
                   &f->indexes, err);
    if (rc == SR_OK)
        rc = sr_pg_query(
            c,
            "SELECT pg_catalog.format('%I.%I', n.nspname, x.relname), pg_catalog.format('%I.%I', "
            "tn.nspname, t.relname) FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid "
            "= i.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid = x.relnamespace JOIN "
            "pg_catalog.pg_class t ON t.oid = i.indrelid JOIN pg_catalog.pg_namespace tn ON tn.oid "
            "= t.relnamespace WHERE NOT (i.indisvalid AND i.indisready) AND " OWN " ORDER BY 1",
            NULL, &r, err);
    for (int i = 0; rc == SR_OK && i < PQntuples(r); i++)
        if (sr_pg_findings_add(f, SR_FINDING_INDEX, "index %s of table %s is not valid",
                               PQgetvalue(r, i, 0), PQgetvalue(r, i, 1)) != SR_OK)
            rc = no_memory(err);
    return rc;
}

/* A constraint that the restore added was checked when it was added; one that was declared NOT
 * VALID is checked here. Nobody else uses this database. */
static int validate(struct sr_pg_conn *c, const char *table, const char *name, const char *kind,
                    struct sr_pg_findings *f, struct sr_error *err)
{
    _cleanup_free_ char *sql = NULL;
    if (asprintf(&sql, "ALTER TABLE %s VALIDATE CONSTRAINT %s", table, name) < 0) {
        sql = NULL;
        return no_memory(err);
    }
    _cleanup_(PQclearp) PGresult *r = PQexec(c->pg, sql);
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    if (PQresultStatus(r) == PGRES_COMMAND_OK)
        return SR_OK;
    /* Integrity constraint violations. The message quotes the row, so it is not told. */
    int rc = SR_OK;
    if (state && strncmp(state, "23", 2) == 0) {
        int foreign = *kind == 'f';
        rc = sr_pg_findings_add(f, foreign ? SR_FINDING_FOREIGN_KEY : SR_FINDING_CONSTRAINT,
                                "%s %s of table %s, which was declared NOT VALID, is broken: there "
                                "are rows %s",
                                foreign ? "foreign key" : "constraint", name, table,
                                foreign ? "without the row that they refer to"
                                        : "that it does not allow");
        return rc == SR_OK ? SR_OK : no_memory(err);
    }
    char said[512];
    sr_pg_message(r ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : PQerrorMessage(c->pg), said,
                  sizeof said);
    return sr_fail(err, SR_E_DATABASE, "%s answers: %s", c->text, said);
}

static int constraints(struct sr_pg_conn *c, const struct sr_pg_stop *stop,
                       struct sr_pg_findings *f, struct sr_error *err)
{
    _cleanup_(PQclearp) PGresult *r = NULL;
    int rc = count_into(c,
                        "SELECT pg_catalog.count(*) FROM pg_catalog.pg_constraint k JOIN "
                        "pg_catalog.pg_namespace n ON n.oid = k.connamespace WHERE k.contype = 'f' "
                        "AND " OWN,
                        &f->foreign_keys, err);
    if (rc == SR_OK)
        rc = sr_pg_query(
            c,
            "SELECT pg_catalog.format('%I.%I', n.nspname, t.relname), pg_catalog.format('%I', "
            "k.conname), k.contype FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class t ON "
            "t.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace WHERE "
            "k.contype IN ('f', 'c') AND NOT k.convalidated AND " OWN " ORDER BY 1, 2",
            NULL, &r, err);
    for (int i = 0; rc == SR_OK && i < PQntuples(r); i++) {
        rc = ask(stop, err);
        if (rc == SR_OK)
            rc = validate(c, PQgetvalue(r, i, 0), PQgetvalue(r, i, 1), PQgetvalue(r, i, 2), f, err);
    }
    return rc;
}

/* Each sequence with each column that it fills: owned by it (serial, identity), or its default. The
 * second column is a statement that gives the next value, and the furthest one that is there. */
static const char sequences_sql[] =
    "WITH pairs AS ("
    "SELECT d.objid AS seq, d.refobjid AS tab, d.refobjsubid AS col FROM pg_catalog.pg_depend d "
    "WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = "
    "'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0 "
    "UNION SELECT d.refobjid, a.adrelid, a.adnum FROM pg_catalog.pg_attrdef a JOIN "
    "pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND "
    "d.objid "
    "= a.oid AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass WHERE "
    "pg_catalog.pg_get_expr(a.adbin, a.adrelid) LIKE 'nextval(%') "
    "SELECT pg_catalog.format('%I.%I', sn.nspname, s.relname), pg_catalog.format('%I.%I', "
    "n.nspname, "
    "t.relname), pg_catalog.format('%I', a.attname), pg_catalog.format('SELECT q.next, q.last, "
    "CASE "
    "WHEN q.last %s q.next THEN ''t'' ELSE ''f'' END FROM (SELECT s.last_value::pg_catalog.numeric "
    "+ "
    "CASE WHEN s.is_called THEN %s ELSE 0 END AS next, (SELECT pg_catalog.%s(%I) FROM "
    "%I.%I)::pg_catalog.numeric AS last FROM %I.%I s) q', CASE WHEN p.seqincrement > 0 THEN '>=' "
    "ELSE '<=' END, p.seqincrement, CASE WHEN p.seqincrement > 0 THEN 'max' ELSE 'min' END, "
    "a.attname, n.nspname, t.relname, sn.nspname, s.relname) "
    "FROM pairs JOIN pg_catalog.pg_class s ON s.oid = pairs.seq AND s.relkind = 'S' JOIN "
    "pg_catalog.pg_sequence p ON p.seqrelid = s.oid AND NOT p.seqcycle JOIN "
    "pg_catalog.pg_namespace "
    "sn ON sn.oid = s.relnamespace JOIN pg_catalog.pg_class t ON t.oid = pairs.tab AND t.relkind "
    "IN "
    "('r', 'p') JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace JOIN "
    "pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = pairs.col AND a.atttypid IN "
    "('int2'::pg_catalog.regtype, 'int4'::pg_catalog.regtype, 'int8'::pg_catalog.regtype) "
    "WHERE " OWN " ORDER BY 1, 2, 3";

static int sequence(struct sr_pg_conn *c, const PGresult *all, int i, struct sr_pg_findings *f,
                    struct sr_error *err)
{
    _cleanup_(PQclearp) PGresult *r = NULL;
    int rc = sr_pg_query(c, PQgetvalue(all, i, 3), NULL, &r, err);
    if (rc != SR_OK)
        return rc;
    f->sequences++;
    if (PQntuples(r) != 1 || PQgetisnull(r, 0, 1) || *PQgetvalue(r, 0, 2) != 't')
        return SR_OK;
    /* How far it is behind is a number of rows at most, no value that means anything. */
    return sr_pg_findings_add(f, SR_FINDING_SEQUENCE,
                              "sequence %s is behind column %s of table %s: its next value is %s, "
                              "and %s is there already",
                              PQgetvalue(all, i, 0), PQgetvalue(all, i, 2), PQgetvalue(all, i, 1),
                              PQgetvalue(r, 0, 0), PQgetvalue(r, 0, 1)) == SR_OK
               ? SR_OK
               : no_memory(err);
}

static int sequences(struct sr_pg_conn *c, const struct sr_pg_stop *stop, struct sr_pg_findings *f,
                     struct sr_error *err)
{
    _cleanup_(PQclearp) PGresult *r = NULL;
    if (sr_pg_server_version(c) < 100000) /* what a sequence is was not to be asked for before */
        return SR_OK;
    int rc = sr_pg_query(c, sequences_sql, NULL, &r, err);
    for (int i = 0; rc == SR_OK && i < PQntuples(r); i++) {
        rc = ask(stop, err);
        if (rc == SR_OK)
            rc = sequence(c, r, i, f, err);
    }
    return rc;
}

int sr_pg_compare_integrity(struct sr_pg_conn *c, const struct sr_pg_stop *stop,
                            struct sr_pg_findings *f, struct sr_error *err)
{
    int rc = sr_pg_command(c, "SET row_security = off", err);
    if (rc == SR_OK)
        rc = ask(stop, err);
    if (rc == SR_OK)
        rc = indexes(c, f, err);
    if (rc == SR_OK)
        rc = constraints(c, stop, f, err);
    if (rc == SR_OK)
        rc = sequences(c, stop, f, err);
    return rc == SR_OK ? rc : sr_error_wrap(err, "checking keys, indexes and sequences");
}
