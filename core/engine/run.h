/* The inside of a backup run, shared by the files backup*.c; nobody else includes it.
 *
 *     backup.c          the order of things, and what is undone when one fails
 *     backup_plan.c     settings, stores, databases, tools, locks
 *     backup_name.c     the set's name, and the claim to it in every store
 *     backup_dump.c     one database (each format) or the globals into the stores
 *     backup_commit.c   sums, detail, signature, manifest, RECOVER.txt
 *     backup_retry.c    stores that failed, from one that did not
 */
#ifndef SR_ENGINE_RUN_H
#define SR_ENGINE_RUN_H

#include "core/engine/backup.h"
#include "core/engine/journal.h"
#include "core/engine/lock.h"
#include "core/engine/protection.h"
#include "core/engine/transfer.h"
#include "core/engine/trust.h"
#include "core/source/pg_conn.h"
#include "core/source/pg_dump.h"
#include "core/source/pg_tools.h"
#include "core/store/stores.h"
#include "core/util/buf.h"

#define SR_DETAIL_SUFFIX "detail.json.gz.gpg" /* of an encrypted set */

struct sr_run {
    struct sr_context *ctx;
    const struct sr_backup_options *o;
    struct sr_backup_result *result;

    struct sr_protection protection;
    const struct sr_signer *signer; /* of the context; NULL: nothing is signed */
    struct sr_stores stores;
    struct sr_target *targets; /* one a store, same order; room for those that did not open */
    struct sr_crew crew;       /* of the targets */

    struct sr_pg_target *pg;
    int conn_checked;        /* conn is locked and passed the preflight */
    struct sr_pg_conn *conn; /* open while its database is worked on; holds the advisory lock */
    struct sr_pg_tool dump, dumpall, restore;
    struct sr_strlist databases;
    int plain, custom; /* formats */
    struct sr_strlist exclude_tables, exclude_table_data, schemas;
    uint64_t database_size; /* bytes, as the server counts them; for progress */
    uint64_t spool_need;    /* bytes the spool is likely to take; 0: nothing has to be spooled */

    char *state_dir, *spool_dir;
    struct sr_lock *lock;
    struct sr_journal *journal;
    char app[SR_PG_APP_SIZE];   /* application_name of the children's backends */
    char *source_name;          /* as the operator knows it */
    char source[SR_SOURCE_MAX]; /* as keys spell it */
    char set[SR_SET_MAX];
    char id[SR_RUN_ID_SIZE]; /* in the journal and in the claims */
    int64_t created_at;
    char *dump_path; /* for the audit log */

    /* What is written beside the objects, the same in every store. */
    struct sr_buf detail, sums, signature, manifest;
    char detail_key[SR_KEY_MAX]; /* "" : no such object */
    char sums_key[SR_KEY_MAX], signature_key[SR_KEY_MAX], manifest_key[SR_KEY_MAX];
    struct sr_error unsigned_why; /* it was to be signed and could not be */
};

/* Everything before the first byte is read. */
int sr_run_plan(struct sr_run *r, struct sr_error *err);
/* Nonzero when objects of this run carry their digest in the name. */
int sr_run_digest_in_name(const struct sr_run *r);
/* Chooses the set's name and reserves it: looks into the stores, begins the journal, claims the
 * name in every store. A label that leaves another name to choose is never SR_E_EXISTS. */
int sr_run_name(struct sr_run *r, struct sr_error *err);
/* Connects to a database, takes its lock, finds what would stop the dump. */
int sr_run_database_open(struct sr_run *r, const char *database, struct sr_error *err);
void sr_run_database_close(struct sr_run *r);

int sr_run_dump_database(struct sr_run *r, const char *database, struct sr_error *err);
int sr_run_dump_globals(struct sr_run *r, struct sr_error *err);

/* Sums, detail, signature and manifest into every store, each as soon as it has all objects; waits
 * for all. SR_OK when one holds the set. */
int sr_run_commit(struct sr_run *r, struct sr_error *err);
/* The same in one store; a job of its thread, arg is the run. What is there already is passed over.
 */
int sr_run_commit_in(struct sr_target *t, void *run, struct sr_error *err);
/* Claims the set's name in one store, unless this run has it there. */
int sr_run_claim(struct sr_run *r, struct sr_target *t, struct sr_error *err);
/* After the commit: a second attempt for each store that failed, where it may help. Tells the
 * result and the audit log. */
void sr_run_retry(struct sr_run *r);
/* What the store's settings demand: encryption, a lock. Fills t->retain_until. */
int sr_run_store_demands(const struct sr_run *r, struct sr_target *t, struct sr_error *err);

#endif
