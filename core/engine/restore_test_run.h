/* The inside of a restore test, shared by restore_test*.c; nobody else includes it.
 *
 *     restore_test.c         the order of things, what is recorded and told
 *     restore_test_what.c    the backup, and which of its objects are restored
 *     restore_test_where.c   the server, what it lacks, and the note that a test is going on
 *     restore_test_one.c     one database: restored and compared
 *     restore_test_blame.c   whose fault a failure is
 */
#ifndef SR_ENGINE_RESTORE_TEST_RUN_H
#define SR_ENGINE_RESTORE_TEST_RUN_H

#include "core/engine/protection.h"
#include "core/engine/restore_test.h"
#include "core/source/pg_scratch.h"
#include "core/store/stores.h"

struct sr_testing {
    struct sr_context *ctx;
    const struct sr_restore_test_options *o;
    struct sr_restore_test_result *result;

    /* what */
    struct sr_stores stores;
    struct sr_store_rw *store;
    struct sr_catalog_set set;
    struct sr_manifest *manifest; /* with its detail, where there is one */
    const struct sr_manifest_object **objects;
    size_t objects_len;
    int whole; /* every database of the set is among them */
    struct sr_passphrase *passphrase;
    struct sr_strlist accept; /* kinds of findings */

    /* where */
    struct sr_pg_target *pg;
    struct sr_scratch *scratch;
    char *note; /* path of the file that says that a test is going on; NULL: none */
};

int sr_test_find(struct sr_testing *t, struct sr_error *err);

/* Connects, guards, clears up after the dead. */
int sr_test_where(struct sr_testing *t, struct sr_error *err);
/* SR_E_UNTESTABLE names what the backup needs and the server lacks. */
int sr_test_able(struct sr_testing *t, struct sr_error *err);
/* Nonzero when the backup tells which roles it names: each database has an owner at least. */
int sr_test_knows_roles(const struct sr_testing *t);
/* Takes everything away again. */
void sr_test_leave(struct sr_testing *t);

/* Restores and compares; what came is in *ret. An error that is not about the backup is returned,
 * with the outcome left as it was. */
int sr_test_one(struct sr_testing *t, const struct sr_manifest_object *o, struct sr_tested *ret,
                struct sr_error *err);

#endif
