/* A running pg_dump (or pg_dumpall --globals-only) as an input.
 *
 *     sr_pg_dump_start(&opts, &d, &err);
 *     sr_pg_dump_read(d, ...) until *ret_len == 0     // clean end: exit status 0 and, for plain,
 *                                                     // the "dump complete" marker seen
 *     sr_pg_dump_free(d)                              // ends a child that still runs
 *
 * The child runs in its own process group, dies with us together with all that it forks (it is
 * watched, see subprocess.h), and its backend with it. Start and free belong to one thread; read
 * may be on another; interrupt on any.
 */
#ifndef SR_SOURCE_PG_DUMP_H
#define SR_SOURCE_PG_DUMP_H

#include "core/source/pg_conn.h"
#include "core/source/pg_tools.h"

#include <stddef.h>
#include <stdint.h>

enum sr_dump_format {
    SR_DUMP_PLAIN,
    SR_DUMP_CUSTOM,  /* uncompressed inside: compression is a step of the pipeline */
    SR_DUMP_GLOBALS, /* roles, grants on them, tablespaces */
};

struct sr_pg_dump_options {
    const struct sr_pg_conn *conn;
    const struct sr_pg_tool *tool;
    enum sr_dump_format format;
    const char *app;      /* application_name of its backend: "strongroom/<run>" */
    const char *snapshot; /* exported snapshot, or NULL */
    const struct sr_strlist *exclude_tables, *exclude_table_data, *schemas,
        *extra;         /* may be NULL */
    uint64_t lock_wait; /* seconds; 0: server's default */
    uint64_t stall;     /* seconds without a byte before giving up; 0: never */
    int no_role_passwords;
};

struct sr_pg_dump;

/* Refuses options in `extra` that would break what we promise (--file, --format, --jobs,
 * --compress, connection options, ...): SR_E_USAGE names it and what to use instead. */
int sr_pg_dump_check_extra(const struct sr_strlist *extra, struct sr_error *err);
int sr_pg_dump_start(const struct sr_pg_dump_options *o, struct sr_pg_dump **ret,
                     struct sr_error *err);
/* Shape of sr_input.read. Failure carries the last lines of the child's standard error. */
int sr_pg_dump_read(void *dump, void *buf, size_t cap, size_t *ret_len, struct sr_error *err);
void sr_pg_dump_interrupt(void *dump);
/* Nonzero after a read that failed with SR_E_TIMEOUT because a table's lock was not to be had in
 * time: sr_pg_lock_holders (pg_locked.h) says who has it. */
int sr_pg_dump_locked_out(const struct sr_pg_dump *d);
/* What the child printed on standard error (warnings), at most a few KiB; owned by d. */
const char *sr_pg_dump_stderr(const struct sr_pg_dump *d);
void sr_pg_dump_free(struct sr_pg_dump *d);

#endif
