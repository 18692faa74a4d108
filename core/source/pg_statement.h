/* What kind of statement a piece of SQL is, as far as pg_filter needs to know. Pure; the text need
 * not be NUL-terminated. */
#ifndef SR_SOURCE_PG_STATEMENT_H
#define SR_SOURCE_PG_STATEMENT_H

#include <stddef.h>

enum sr_pg_statement {
    SR_STATEMENT_OTHER,
    SR_STATEMENT_OWNER,       /* ALTER ... OWNER TO; SET SESSION AUTHORIZATION 'x' or DEFAULT */
    SR_STATEMENT_ACL,         /* GRANT; REVOKE; ALTER DEFAULT PRIVILEGES; the SET and RESET SESSION
                                 AUTHORIZATION that pg_dump puts around another grantor's grants */
    SR_STATEMENT_TRANSACTION, /* BEGIN; COMMIT */
    SR_STATEMENT_COPY_IN,     /* COPY ... FROM STDIN: data follows on the next line */
    SR_STATEMENT_STRINGS_ON,  /* SET standard_conforming_strings = on */
    SR_STATEMENT_STRINGS_OFF,
};

/* sql is one statement, its ";" included, comments before it not. */
enum sr_pg_statement sr_pg_statement_kind(const char *sql, size_t len);
/* Nonzero when a statement that begins with this word may be anything but OTHER. */
int sr_pg_statement_may_matter(const char *word, size_t len);

#endif
