/* Feeding a dump back: psql for plain dumps, pg_restore for custom archives.
 *
 * Plain:
 *     sr_pg_psql_start(&opts, &r, &err);
 *     sr_pg_psql_write(r, data, len, &err) ...
 *     sr_pg_psql_finish(r, &err);
 *     sr_pg_psql_free(r);
 * psql runs with ON_ERROR_STOP and without its start-up file, restricted against meta-commands: its
 * own \restrict where it knows it, and in any case the scanner's guard, which sees each piece
 * before psql does. The dump's own \restrict pair is taken out and replaced by ours. pg_dump's
 * "dump complete" must end what began as a dump of pg_dump. In a single transaction nothing is kept
 * of a restore that did not come to its end, whatever ended it; the BEGIN and COMMIT that pg_dump
 * puts around large objects are taken out for that.
 *
 * Custom:
 *     sr_pg_archive_new(&opts, &a, &err);
 *     sr_pg_archive_write(a, data, len, &err) ...
 *     sr_pg_archive_finish(a, &err);
 *     sr_pg_archive_free(a);
 * With one job the archive is streamed through pg_restore and touches no disk. With more, it goes
 * to an unlinked file of mode 0600, as they must seek; as soon as its table of contents has passed,
 * pre-data is restored from it while the rest is still unpacking, and large tables as their rows
 * arrive; then what is left of the data, and post-data, in parallel. Data offsets that are missing
 * (archives written to a pipe) are filled in. With clean, pg_restore runs once, after unpacking.
 * pg_restore stops at its first error, and any exit status but 0 is a failure.
 *
 * Both: children as in pg_dump.h: own process group, die with us. start/new, write, finish and free
 * are called by one thread that lives as long as the restore; interrupt by any thread between start
 * and free: what blocks returns SR_E_CANCELLED soon. The first failure ends the child and is what
 * every later call returns; SR_E_CHILD carries the first error that the child printed. The backend
 * of a child that was ended may go on for a moment: sr_pg_end_backends.
 */
#ifndef SR_SOURCE_PG_RESTORE_H
#define SR_SOURCE_PG_RESTORE_H

#include "core/source/pg_conn.h"
#include "core/source/pg_tools.h"

#include <stddef.h>

struct sr_pg_restore_options {
    const struct sr_pg_conn *conn; /* the target database */
    const struct sr_pg_tool *tool; /* psql or pg_restore */
    const char *app;               /* application_name of the children's sessions */
    const char *spool_dir;         /* for the unlinked archive; needed with jobs > 1 */
    const char *role;              /* SET ROLE before the rest, or NULL */
    int clean;                     /* custom: drop what the archive holds; plain: drop everything
                                      (pg_clean.h), in the restore's own transaction */
    int if_exists;                 /* custom only */
    int no_owner, no_acl;          /* leave out what pg_dump -O and -x would have left out */
    int single_transaction;        /* ignored with jobs > 1, where it cannot be had */
    unsigned jobs;                 /* custom only; 0 is 1 */
};

/* Everything in the options must live until free. */

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
/* How far a restore with several jobs got while the archive unpacks. A write of no bytes looks
 * after the children and moves it on. */
struct sr_pg_archive_progress {
    int pre_data_done;
    unsigned tables_ahead; /* that were begun before the archive was there as a whole */
};
void sr_pg_archive_progress(const struct sr_pg_archive *a, struct sr_pg_archive_progress *ret);
void sr_pg_archive_free(struct sr_pg_archive *a);

/* Nonzero when err is the server's refusal to lock as many objects as one transaction touches
 * (thousands of tables): nothing was kept, and the same restore without single_transaction can do
 * it. */
int sr_pg_restore_needs_locks(const struct sr_error *err);

/* By the first bytes (512 or more where there are so many) of what was decrypted and decompressed:
 * plain, custom ("PGDMP"), or neither: SR_E_UNSUPPORTED names what it looks like. */
enum sr_restore_kind {
    SR_RESTORE_PLAIN,
    SR_RESTORE_CUSTOM,
};
int sr_pg_restore_kind(const void *head, size_t len, enum sr_restore_kind *ret,
                       struct sr_error *err);

#endif
