/* What this host remembers of a store: the newest signed set of each source that it has seen there
 * or put there. Somebody who deletes what is newer, so that an old set is `latest`, is found by it.
 *
 *     sr_newest_note(state_dir, &where, set, time, &err)   // kept when it is newer than what was
 *     sr_newest_read(state_dir, &where, &newest, &err)     // SR_E_NOT_FOUND: nothing is remembered
 *     sr_newest_forget(state_dir, &where, set)             // our own retention deleted it
 *
 * One file a store and source, BACKUP_DIR/.strongroom/newest/<store>@<source>, replaced as a whole;
 * lines "strongroom newest 1", place, set, time. It counts only for the place that it names (a
 * store's name may come to mean another bucket), and only while it reads: losing it costs the
 * memory. Of two processes that note at once the older one may win; whoever looks next mends it.
 * Any thread.
 */
#ifndef SR_ENGINE_NEWEST_H
#define SR_ENGINE_NEWEST_H

#include "core/catalog/names.h"
#include "core/util/error.h"

struct sr_newest_where {
    const char *store;  /* its name */
    const char *place;  /* sr_store_place */
    const char *source; /* escaped */
};

struct sr_newest {
    char set[SR_SET_MAX];
    int64_t time; /* UTC seconds: when it was made */
};

/* Makes the folders below state_dir's own parent, which must be there: whoever only looks at a
 * store makes no BACKUP_DIR. SR_E_NOT_FOUND then. */
int sr_newest_note(const char *state_dir, const struct sr_newest_where *w, const char *set,
                   int64_t time, struct sr_error *err);
/* SR_E_NOT_FOUND also for what cannot be read or is of another place. */
int sr_newest_read(const char *state_dir, const struct sr_newest_where *w, struct sr_newest *ret,
                   struct sr_error *err);
void sr_newest_forget(const char *state_dir, const struct sr_newest_where *w, const char *set);
/* Calls each for every source that is remembered of the store; w->source is not used. Nonzero ends
 * it. SR_OK also when there is none. */
int sr_newest_each(const char *state_dir, const struct sr_newest_where *w,
                   int (*each)(void *ctx, const char *source, const struct sr_newest *n), void *ctx,
                   struct sr_error *err);

#endif
