/* Locks on this host that a dead owner leaves free.
 *
 *     sr_lock_take(state_dir, "app", &lock, &err);   // BACKUP_DIR/.strongroom/locks/app.lock
 *     ...
 *     sr_lock_release(lock);
 *
 * An open-file-description lock: it belongs to the open file, so it ends with the process however
 * that ends, and no stale state can block the schedule. The file stays; removing it would let two
 * owners lock two files of one name. Any thread.
 */
#ifndef SR_ENGINE_LOCK_H
#define SR_ENGINE_LOCK_H

#include "core/util/cleanup.h"
#include "core/util/error.h"

struct sr_lock;

/* Does not wait. SR_E_BUSY names the process that holds it. name is an escaped source. */
int sr_lock_take(const char *state_dir, const char *name, struct sr_lock **ret,
                 struct sr_error *err);
void sr_lock_release(struct sr_lock *l); /* NULL is fine */
SR_DEFINE_CLEANUP(struct sr_lock *, sr_lock_release);

/* Calls each for every lock that a living process holds: its name, and the process as digits or "".
 * Takes none, so that a run that begins meanwhile gets its lock. Nonzero ends it. SR_OK also when
 * there is no folder. */
int sr_lock_each(const char *state_dir, int (*each)(void *ctx, const char *name, const char *owner),
                 void *ctx, struct sr_error *err);

/* Locks an open file without waiting: 0, or -1 with errno (EAGAIN: another holds it). */
int sr_lock_fd(int fd);

#endif
