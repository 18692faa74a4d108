/* The inside of a restore, shared by restore*.c and the restore test; nobody else includes it.
 *
 *     restore.c          the order of things
 *     restore_source.c   what is restored: file, set or object; and its checks before the target is
 * touched restore_target.c   where it goes: database, guard, question, connections restore_feed.c
 * the bytes into psql or pg_restore
 */
#ifndef SR_ENGINE_RESTORE_RUN_H
#define SR_ENGINE_RESTORE_RUN_H

#include "core/catalog/catalog.h"
#include "core/catalog/manifest.h"
#include "core/engine/opening.h"
#include "core/engine/restore.h"
#include "core/source/pg_conn.h"
#include "core/source/pg_restore.h"
#include "core/source/pg_tools.h"
#include "core/store/stores.h"

#define SR_RESTORE_HEAD 4096

struct sr_restoring {
    struct sr_context *ctx;
    const struct sr_restore_options *o;
    struct sr_restore_result *result;

    /* what */
    struct sr_stores stores;
    struct sr_store_rw *store; /* NULL: a file */
    struct sr_manifest *manifest;
    const struct sr_manifest_object *object; /* in manifest, or NULL */
    char *key;                               /* the object's, or NULL */
    const char *file;
    struct sr_passphrase *passphrase;
    struct sr_witness *witness; /* of the check: what is restored is what was checked */
    enum sr_restore_kind kind;

    /* where */
    struct sr_pg_target *pg;
    struct sr_pg_conn *conn;
    char *database;
    int made; /* this run created the database */
    struct sr_pg_tool tool;
    char app[SR_PG_APP_SIZE];
    char *spool_dir;
    int piecewise; /* one transaction cannot hold all the locks: each statement for itself */
};

int sr_restore_find(struct sr_restoring *r, struct sr_error *err);
/* Stored bytes against the manifest's digest; or, where nothing vouches for them, the whole
 * structure. */
int sr_restore_check(struct sr_restoring *r, struct sr_error *err);
/* An opening of what is restored, at raw depth. */
int sr_restore_open(struct sr_restoring *r, const char *what, struct sr_opening **ret,
                    struct sr_error *err);

int sr_restore_target(struct sr_restoring *r, struct sr_error *err);
/* Tables of the database's own, as the question and the report count them. */
int sr_restore_tables(struct sr_pg_conn *c, uint64_t *ret, struct sr_error *err);
/* Asks, creates or drops, ends other connections. The last thing before bytes flow. */
int sr_restore_prepare(struct sr_restoring *r, struct sr_error *err);

/* Drops the database again when this run made it and failed: the same command can then be given
 * again. */
void sr_restore_unmake(struct sr_restoring *r);

/* The first bytes of the dump (SR_RESTORE_HEAD at most): a wrong key shows here, and what kind of
 * dump it is. */
int sr_restore_head(struct sr_restoring *r, struct sr_opening *op, char *head, size_t *ret_len,
                    struct sr_error *err);
/* Where an archive is unpacked for several jobs, and whether there is room. */
int sr_restore_spool(struct sr_restoring *r, struct sr_error *err);
/* The dump into r->conn's database, a second time without a single transaction where the server
 * cannot lock as many tables; *op is then another one. */
int sr_restore_pour(struct sr_restoring *r, struct sr_opening **op, const void *head,
                    size_t head_len, struct sr_error *err);

int sr_restore_feed(struct sr_restoring *r, struct sr_opening *op, const void *head,
                    size_t head_len, struct sr_error *err);

#endif
