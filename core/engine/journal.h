/* The journal of a run: which set is being written, and under which keys, so that the next run can
 * clear up after a crash.
 *
 *     sr_journal_begin(state_dir, set, source, run, stores, &j, &err);  // SR_E_EXISTS: the set's
 *                                                                        // name is taken here
 *     sr_journal_key(j, key, &err)   // before an object is written under that key
 *     ... objects, manifest ...
 *     sr_journal_end(j, 1);     // nothing is left to clear up; 0 keeps the file for the next sweep
 *
 *     sr_journal_dead(state_dir, each, ctx, &err)   // journals whose owner is gone
 *     sr_journal_live(state_dir, &sets, &err)       // sets that are being written on this host
 *
 * One file BACKUP_DIR/.strongroom/runs/<set>.run, made whole (linked into place) and locked for as
 * long as the run lives; an unlocked one belongs to a dead run. It also reserves the set's name on
 * this host. Keys are appended, each on the disk before its object is begun. Its content is read as
 * hostile. Losing it costs nothing but the early sweep.
 *
 * Lines: set, source, stores (comma-separated), "run <id>", "key <key>"...; journals of older
 * versions end after the third.
 */
#ifndef SR_ENGINE_JOURNAL_H
#define SR_ENGINE_JOURNAL_H

#include "core/catalog/mark.h"
#include "core/catalog/names.h"
#include "core/util/error.h"
#include "core/util/strlist.h"

struct sr_journal;

/* run: the run's id, which its claims in the stores carry too (sr_run_id_make). */
int sr_journal_begin(const char *state_dir, const char *set, const char *source, const char *run,
                     const struct sr_strlist *stores, struct sr_journal **ret,
                     struct sr_error *err);
/* Any thread; a key that was told before is not written again. SR_OK without doing anything where j
 * is NULL. On failure the object must not be written. */
int sr_journal_key(struct sr_journal *j, const char *key, struct sr_error *err);
void sr_journal_end(struct sr_journal *j, int cleared); /* NULL is fine */

struct sr_journal_entry {
    char set[SR_SET_MAX];
    char source[SR_SOURCE_MAX];
    char run[SR_RUN_ID_SIZE]; /* "": of an older version, which told neither this nor keys */
    struct sr_strlist stores;
    struct sr_strlist keys; /* of this set; objects of these may have been written, nothing else */
    const char *path;
};
/* Calls each for every journal of a dead run, which is locked meanwhile; each returns nonzero when
 * all was cleared up, and the file is removed. SR_OK also when the folder is not there. */
int sr_journal_dead(const char *state_dir,
                    int (*each)(void *ctx, const struct sr_journal_entry *entry), void *ctx,
                    struct sr_error *err);
/* Adds the set of every live run to ret_sets. A run that begins afterwards is not in it. SR_OK also
 * when the folder is not there. */
int sr_journal_live(const char *state_dir, struct sr_strlist *ret_sets, struct sr_error *err);

#endif
