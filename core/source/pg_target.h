/* What a target is made of; for pg_conn.c. The contract is in pg_conn.h. */
#ifndef SR_SOURCE_PG_TARGET_H
#define SR_SOURCE_PG_TARGET_H

#include "core/source/pg_conn.h"
#include "core/source/pg_params.h"

struct sr_pg_target {
    struct sr_pg_params params;
    char *text;
};

/* "user@host:port/database" of parameters, with what libpq would fill in for those not given;
 * malloc'd, NULL: no memory. */
char *sr_pg_params_text(const struct sr_pg_params *p);

#endif
