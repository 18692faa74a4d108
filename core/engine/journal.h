/* The journal of a run: which set is being written, so that the next run can clear up after a
 * crash.
 *
 *     sr_journal_begin(state_dir, set, source, stores, &j, &err);  // SR_E_EXISTS: the set's name
 * is taken here
 *     ... objects, manifest ...
 *     sr_journal_end(j, 1);     // nothing is left to clear up; 0 keeps the file for the next sweep
 *
 *     sr_journal_dead(state_dir, each, ctx, &err)   // journals whose owner is gone
 *     sr_journal_live(state_dir, &sets, &err)       // sets that are being written on this host
 *
 * One file BACKUP_DIR/.strongroom/runs/<set>.run, made whole (linked into place) and locked for as
 * long as the run lives; an unlocked one belongs to a dead run. It also reserves the set's name on
 * this host. Its content is read as hostile. Losing it costs nothing but the early sweep.
 */
#ifndef SR_ENGINE_JOURNAL_H
#define SR_ENGINE_JOURNAL_H

#include "core/catalog/names.h"
#include "core/util/error.h"
#include "core/util/strlist.h"

struct sr_journal;

int sr_journal_begin(const char *state_dir, const char *set, const char *source,
                     const struct sr_strlist *stores, struct sr_journal **ret,
                     struct sr_error *err);
void sr_journal_end(struct sr_journal *j, int cleared);

struct sr_journal_entry {
    char set[SR_SET_MAX];
    char source[SR_SOURCE_MAX];
    struct sr_strlist stores;
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
