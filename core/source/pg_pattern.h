/* pg_dump's name patterns (--exclude-table, --schema) as regular expressions of the server.
 *
 * Letters fold to lower case, * and ? are wildcards, a dot parts schema and name, double quotes
 * keep their content as it is; what else regular expressions know works as it does in pg_dump. */
#ifndef SR_SOURCE_PG_PATTERN_H
#define SR_SOURCE_PG_PATTERN_H

#include "core/util/error.h"

/* "sales.*_log": *ret_schema and *ret_name (malloc'd, anchored); *ret_schema NULL without a dot.
 * Of several dots the last counts. SR_E_NO_MEMORY. */
int sr_pg_pattern_read(const char *pattern, char **ret_schema, char **ret_name,
                       struct sr_error *err);

#endif
