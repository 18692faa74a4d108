/* Feeding a dump back: psql for plain dumps, pg_restore for custom archives.
 *
 * Plain:
 *     sr_pg_psql_start(&opts, &r, &err); sr_pg_psql_write(r, data, len, &err)...;
 * sr_pg_psql_finish(r, &err) psql runs -X with ON_ERROR_STOP, restricted against meta-commands (its
 * own \restrict where it knows it, and in any case the scanner's guard), in a single transaction
 * where possible. The dump's own \restrict pair is taken out and replaced by ours. Custom:
 *     sr_pg_archive_new(&opts, &a, &err); sr_pg_archive_write(a, ...)...; sr_pg_archive_finish(a,
 * &err) The archive goes to an unlinked file of mode 0600 (pg_restore -j must seek); as soon as its
 * table of contents has passed, pre-data is restored from it while the rest is still unpacking;
 * then data and post-data in parallel. Missing data offsets (archives written to a pipe) are filled
 * in. Children as in pg_dump.h: own process group, die with us. pg_restore's exit status 1 is a
 * failure.
 */
#ifndef SR_SOURCE_PG_RESTORE_H
#define SR_SOURCE_PG_RESTORE_H

#include "core/source/pg_conn.h"
#include "core/source/pg_tools.h"

#include <stddef.h>

struct sr_pg_restore_options {
    const struct sr_pg_conn *conn; /* the target database */
    const struct sr_pg_tool *tool; /* psql or pg_restore */
    const char *app;
    const char *spool_dir; /* for the unlinked archive */
    const char *role;      /* --role, or NULL */
    int clean, if_exists, no_owner, no_acl;
    int single_transaction;
    unsigned jobs;
};

struct sr_pg_psql;
int sr_pg_psql_start(const struct sr_pg_restore_options *o, struct sr_pg_psql **ret,
                     struct sr_error *err);
int sr_pg_psql_write(struct sr_pg_psql *r, const void *data, size_t len, struct sr_error *err);
int sr_pg_psql_finish(struct sr_pg_psql *r, struct sr_error *err);
void sr_pg_psql_interrupt(struct sr_pg_psql *r); /* any thread */
void sr_pg_psql_free(struct sr_pg_psql *r);

struct sr_pg_archive;
int sr_pg_archive_new(const struct sr_pg_restore_options *o, struct sr_pg_archive **ret,
                      struct sr_error *err);
int sr_pg_archive_write(struct sr_pg_archive *a, const void *data, size_t len,
                        struct sr_error *err);
int sr_pg_archive_finish(struct sr_pg_archive *a, struct sr_error *err);
void sr_pg_archive_interrupt(struct sr_pg_archive *a);
void sr_pg_archive_free(struct sr_pg_archive *a);

/* plain, custom ("PGDMP"), or neither (SR_E_UNSUPPORTED names what it looks like), by the first
 * bytes. */
enum sr_restore_kind {
    SR_RESTORE_PLAIN,
    SR_RESTORE_CUSTOM,
};
int sr_pg_restore_kind(const void *head, size_t len, enum sr_restore_kind *ret,
                       struct sr_error *err);

#endif
