/* Restoring a backup to see whether it can be: into a scratch database, compared, dropped again.
 *
 *     struct sr_restore_test_options o = {.backup = "latest", ...};
 *     rc = sr_restore_test_run(&ctx, &o, &r, &err);
 *     sr_restore_test_result_done(&r)
 *
 * Order: what, and the key to it; where (BACKUP_RESTORE_TEST_URL, else the server of the settings,
 * which the production guard protects); what dead tests left there is removed; extensions; then for
 * each database of the set: the stored bytes against the manifest, a scratch database
 * (core/source/pg_scratch.h), stubs for roles that are not there, the restore, every table's rows
 * against what was counted when it was dumped, indexes, keys, sequences, and away with it, whatever
 * came. What was found is recorded beside the backup (prover.h) and in the audit log. */
#ifndef SR_ENGINE_RESTORE_TEST_H
#define SR_ENGINE_RESTORE_TEST_H

#include "core/catalog/catalog.h"
#include "core/catalog/rung.h"
#include "core/engine/context.h"
#include "core/source/pg_compare.h"

enum sr_test_outcome {
    SR_TEST_NOT_RUN, /* something else failed before */
    SR_TEST_PASSED,
    SR_TEST_FAILED,     /* the backup is not what it should be */
    SR_TEST_UNTESTABLE, /* this server lacks what the backup needs */
};
const char *sr_test_outcome_word(enum sr_test_outcome o); /* "passed"; a constant */

/* One database of the set. */
struct sr_tested {
    char *key;      /* the object */
    char *database; /* as it was called; NULL: not known */
    char *scratch;  /* the database it was restored into */
    enum sr_test_outcome outcome;
    enum sr_rung rung; /* the highest that was reached: SR_RUNG_STORED: none of this test's */
    enum sr_rung fell; /* where it failed */
    char *reason;      /* why it failed or could not be tested; NULL: see the findings */
    int compared;      /* rows were: the backup has counts of them */
    struct sr_pg_findings findings;
    struct sr_strlist accepted; /* findings of kinds that the settings accept */
    uint64_t bytes;             /* read from the store */
    double check_seconds, restore_seconds, compare_seconds;
};

struct sr_restore_test_result {
    char set[SR_SET_MAX], source[SR_SOURCE_MAX];
    char *store, *server;
    int encrypted;
    enum sr_test_outcome outcome; /* the worst */
    struct sr_tested *items;
    size_t len;
    struct sr_strlist stubs;   /* roles that were made for the test */
    struct sr_strlist removed; /* what dead tests had left */
    struct sr_strlist left;    /* what this one could not remove */
    struct sr_strlist notes;
    char *not_recorded; /* why no proof was written, or not all; NULL: nothing to say */
    enum sr_rung recorded, recorded_failed; /* SR_RUNG_NONE: none */
    double seconds;
};

struct sr_restore_test_options {
    const char *backup;   /* as for restore; no file */
    const char *store;    /* --store; NULL: any */
    const char *database; /* narrows latest, and picks one of several in a set */
    const char *label;
    unsigned jobs; /* 0: cores, at most 4 */
    int force;     /* for the production guard, where no server for tests is named */
};

/* SR_OK: it passed. SR_E_CORRUPT: it did not; SR_E_UNTESTABLE: "cannot be tested here: extension
 * postgis is missing ..."; SR_E_KEY; others: the test itself went wrong, and says nothing of the
 * backup. *ret is filled as far as it went. */
int sr_restore_test_run(struct sr_context *ctx, const struct sr_restore_test_options *o,
                        struct sr_restore_test_result *ret, struct sr_error *err);
void sr_restore_test_result_done(struct sr_restore_test_result *r);

/* Removes what tests of this host that died have left on the server, if any did: a note in
 * BACKUP_DIR/.strongroom says so. What was removed (or would be, with dry_run) is added to ret. */
int sr_restore_test_sweep(struct sr_context *ctx, int dry_run, struct sr_strlist *ret,
                          struct sr_error *err);

/* --- pure, for the tests --- */

enum sr_test_blame {
    SR_BLAME_BACKUP,  /* the dump itself */
    SR_BLAME_MISSING, /* what this server lacks: told in `what` */
    SR_BLAME_SERVER,  /* disk full, connection lost: says nothing of the backup */
};
#define SR_BLAME_TEXT 256
/* Whose fault a failed restore is, by what the server or the program said. */
enum sr_test_blame sr_restore_test_blame(const char *said, char what[SR_BLAME_TEXT]);

#endif
