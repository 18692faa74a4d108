/* Rows per table of a custom-format archive as it flows by: a pg_restore -f - beside the stream,
 * read by a thread of its own. Shape of sr_step_observe_new's callbacks: feed, then end. A slow or
 * failed pg_restore fails the run: an archive that pg_restore cannot read is no backup.
 *
 *     sr_pg_rows_start(tool, &rows, &err);      // on the thread that outlives the child
 *     sr_pg_rows_feed(rows, data, len, &err) ...; sr_pg_rows_end(rows, &err)   // on one thread
 *     sr_pg_rows_scan(rows); sr_pg_rows_free(rows)
 */
#ifndef SR_SOURCE_PG_ROWS_H
#define SR_SOURCE_PG_ROWS_H

#include "core/source/pg_scan.h"
#include "core/source/pg_tools.h"

struct sr_pg_rows;
int sr_pg_rows_start(const struct sr_pg_tool *pg_restore, struct sr_pg_rows **ret,
                     struct sr_error *err);
/* With pg_restore's own words when it gave up: SR_E_CORRUPT, as for a plain dump that is cut off;
 * SR_E_UNSUPPORTED when it says that it is too old for the archive or was built without what it
 * needs; SR_E_CHILD when it was killed or had no memory. */
int sr_pg_rows_feed(void *rows, const void *data, size_t len, struct sr_error *err);
/* Waits for pg_restore; the same, and SR_E_CORRUPT when what it wrote is no whole dump. */
int sr_pg_rows_end(void *rows, struct sr_error *err);
const struct sr_pg_scan *sr_pg_rows_scan(const struct sr_pg_rows *r); /* after end; owned by r */
void sr_pg_rows_free(struct sr_pg_rows *r);

#endif
