/* What would stop a dump, all at once: tables, sequences, large objects and schemas the user may
 * not read, row-level security that would hide rows, with the GRANT to paste. */
#ifndef SR_SOURCE_PG_PREFLIGHT_H
#define SR_SOURCE_PG_PREFLIGHT_H

#include "core/source/pg_conn.h"

/* Adds one line per blocker to problems ("table public.secret: permission denied") and one SQL
 * statement per remedy to grants. Honours the excludes. SR_OK also when there are blockers. */
int sr_pg_preflight(struct sr_pg_conn *c, const struct sr_strlist *exclude_tables,
                    const struct sr_strlist *exclude_table_data, const struct sr_strlist *schemas,
                    struct sr_strlist *problems, struct sr_strlist *grants, struct sr_error *err);
/* Facts for the detail object: extensions ("name version"), roles that own something or that grants
 * and policies name, size in bytes. */
int sr_pg_facts(struct sr_pg_conn *c, struct sr_strlist *extensions, struct sr_strlist *owners,
                uint64_t *ret_size, struct sr_error *err);

#endif
