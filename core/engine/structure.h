/* Is what comes out of an opening a dump that could be restored? Judged without touching any
 * database.
 *
 *     sr_structure_new(cfg, &s, &err);
 *     sr_structure_feed(s, data, len, &err)...   // the raw dump
 *     sr_structure_end(s, &err)                  // SR_E_CORRUPT: cut off, unreadable, or hostile
 *     sr_structure_free(s)
 *
 * A plain dump must end in its "dump complete" line and hold no psql commands but its own; a custom
 * archive must be readable by pg_restore from end to end.
 */
#ifndef SR_ENGINE_STRUCTURE_H
#define SR_ENGINE_STRUCTURE_H

#include "core/config/config.h"
#include "core/source/pg_restore.h"
#include "core/source/pg_scan.h"

struct sr_structure;
int sr_structure_new(const struct sr_config *cfg, struct sr_structure **ret, struct sr_error *err);
int sr_structure_feed(struct sr_structure *s, const void *data, size_t len, struct sr_error *err);
int sr_structure_end(struct sr_structure *s, struct sr_error *err);
enum sr_restore_kind sr_structure_kind(const struct sr_structure *s);     /* after a feed */
const struct sr_pg_scan *sr_structure_scan(const struct sr_structure *s); /* rows; after end */
/* "" or what could not be checked here ("pg_restore is not installed: ..."). */
const char *sr_structure_note(const struct sr_structure *s);
void sr_structure_free(struct sr_structure *s);

#endif
