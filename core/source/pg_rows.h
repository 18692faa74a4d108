/* Rows per table of a custom-format archive as it flows by: a pg_restore -f - beside the stream,
 * read by a thread of its own. Shape of sr_step_observe_new's callbacks: feed, then end. A slow or
 * failed pg_restore fails the run: an archive that pg_restore cannot read is no backup. */
#ifndef SR_SOURCE_PG_ROWS_H
#define SR_SOURCE_PG_ROWS_H

#include "core/source/pg_scan.h"
#include "core/source/pg_tools.h"

struct sr_pg_rows;
int sr_pg_rows_start(const struct sr_pg_tool *pg_restore, struct sr_pg_rows **ret,
                     struct sr_error *err);
int sr_pg_rows_feed(void *rows, const void *data, size_t len, struct sr_error *err);
int sr_pg_rows_end(void *rows, struct sr_error *err);
const struct sr_pg_scan *sr_pg_rows_scan(const struct sr_pg_rows *r); /* after end */
void sr_pg_rows_free(struct sr_pg_rows *r);

#endif
