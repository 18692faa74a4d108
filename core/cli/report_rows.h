/* Objects of a manifest with the rows that a detail knows about them. Pure. */
#ifndef SR_CLI_REPORT_ROWS_H
#define SR_CLI_REPORT_ROWS_H

#include "core/catalog/manifest.h"

#include <jansson.h>

/* An array, an object each; "rows" is null where d (may be NULL) knows nothing about the object. */
json_t *sr_objects_json(const struct sr_manifest *m, const struct sr_detail *d);
/* Rows of all tables, each database counted once (a plain and a custom dump of one snapshot hold
 * the same rows); *ret_tables: how many tables. */
uint64_t sr_rows_total(const struct sr_detail *d, size_t *ret_tables);

#endif
