/* Is a restored database what was backed up? Rows against what the dump was counted to hold, and
 * what the server itself can tell of keys, indexes and sequences.
 *
 *     struct sr_pg_findings f = {0};
 *     sr_pg_compare_rows(conn, want, len, 1, &stop, &f, &err);
 *     sr_pg_compare_integrity(conn, &stop, &f, &err);
 *     for (i = 0; i < f.len; i++) f.items[i].kind, .text
 *     sr_pg_findings_done(&f);
 *
 * A finding is no error: the checks go on to the end. Names in `want` are foreign: they are taken
 * apart and looked up, never put into a statement; every statement is made of names that the server
 * gave and quoted. No text holds a value of the data, only names and counts. conn is to see every
 * row: row-level security is switched off, which fails where it would hide some. It must not be in
 * a transaction. One thread; `stop` is asked between statements. */
#ifndef SR_SOURCE_PG_COMPARE_H
#define SR_SOURCE_PG_COMPARE_H

#include "core/source/pg_conn.h"

enum sr_pg_finding_kind {
    SR_FINDING_ROWS,        /* a table is missing, or holds other than it should */
    SR_FINDING_INDEX,       /* one that the server would not use */
    SR_FINDING_FOREIGN_KEY, /* rows without the row they refer to */
    SR_FINDING_CONSTRAINT,  /* rows that a check does not allow */
    SR_FINDING_SEQUENCE,    /* its next value is there already */
};
/* "rows", "index", "foreign-key", "constraint", "sequence": constants. */
const char *sr_pg_finding_word(enum sr_pg_finding_kind k);

struct sr_pg_finding {
    enum sr_pg_finding_kind kind;
    char *text;
};

#define SR_FINDINGS_MAX 1000 /* kept; the rest is counted */

struct sr_pg_findings {
    struct sr_pg_finding *items;
    size_t len;
    size_t left; /* found, and not kept */
    /* What was looked at. */
    uint64_t tables, rows, indexes, foreign_keys, sequences;
};

struct sr_pg_want {
    const char *table; /* as a dump spells it: schema.table, quoted where needed */
    uint64_t rows;
};

typedef int (*sr_pg_stop_fn)(void *ctx, struct sr_error *err); /* other than SR_OK ends it */
struct sr_pg_stop {
    sr_pg_stop_fn ask; /* NULL: never */
    void *ctx;
};

/* all: every table of the dump is in want, so that rows of another one are a finding. */
int sr_pg_compare_rows(struct sr_pg_conn *c, const struct sr_pg_want *want, size_t len, int all,
                       const struct sr_pg_stop *stop, struct sr_pg_findings *f,
                       struct sr_error *err);
int sr_pg_compare_integrity(struct sr_pg_conn *c, const struct sr_pg_stop *stop,
                            struct sr_pg_findings *f, struct sr_error *err);
void sr_pg_findings_done(struct sr_pg_findings *f);
/* SR_OK or SR_E_NO_MEMORY. */
int sr_pg_findings_add(struct sr_pg_findings *f, enum sr_pg_finding_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* --- pure parts, for the tests --- */

/* Takes "schema"."ta""ble" apart; both malloc'd. SR_E_CORRUPT: no name of two parts. */
int sr_pg_name_split(const char *spelled, char **ret_schema, char **ret_table);
/* The finding for one table: SR_OK and nothing added when it is as it should be. at_least: rows
 * that its extension brings itself may be there as well. */
int sr_pg_rows_judge(struct sr_pg_findings *f, const char *table, uint64_t want, uint64_t have,
                     int at_least);

#endif
