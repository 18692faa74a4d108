/* Stores: opened plugins, seen in core's own terms.
 *
 * Calling sequence:
 *     sr_store_open(spec, settings, ...)  -> struct sr_store_rw *   (may write)
 *     sr_store_ro(rw)                     -> struct sr_store *      (reads only)
 *     ... list, stat, fetch, save, delete ...
 *     sr_store_close(rw)
 *
 * This floor is the only code that sees the plugin interface. Keys are given
 * and returned without the store's prefix, which is added and taken off here.
 * One handle serves one thread at a time; sr_store_cancel may come from any.
 * An error is never an empty list. Every entry handed out was filtered: its key
 * is legal, below the prefix, and after start_after.
 */
#ifndef SR_STORE_STORE_H
#define SR_STORE_STORE_H

#include "core/util/error.h"
#include "core/util/strlist.h"

#include <stddef.h>
#include <stdint.h>

struct sr_store;    /* what list, verify and restore get: cannot change anything */
struct sr_store_rw; /* what backup and retention get */

#define SR_SIZE_UNKNOWN UINT64_MAX
#define SR_KEY_MAX 1024          /* bytes with NUL, prefix included */
#define SR_KEY_COMPONENT_MAX 200 /* bytes between slashes */

enum sr_store_cap {
    SR_STORE_CAP_LATE_KEY = 1 << 0,
    SR_STORE_CAP_ATOMIC_CREATE = 1 << 1,
    SR_STORE_CAP_SURE_SWEEP = 1 << 2, /* a sweep of any age takes nothing from a live saver */
    SR_STORE_CAP_LOCK = 1 << 3,       /* an object can be kept from being deleted until a time */
};

/* [A-Za-z0-9._/-], no empty component, none beginning with a dot, component and
 * total length bounded. SR_OK, or SR_E_CONFIG naming what is wrong. */
int sr_key_check(const char *key, struct sr_error *err);

const char *sr_store_name(const struct sr_store *s);   /* "local", "dr" */
const char *sr_store_plugin(const struct sr_store *s); /* "local", "s3" */
/* Canonical identity of the place, for refusing two names of one place; never NULL. */
const char *sr_store_place(const struct sr_store *s);
/* What its plugin chose by itself so far, as texts for people ("using credentials from ..."); valid
 * until the next call on the store (see sr_host_choices). */
const struct sr_strlist *sr_store_choices(const struct sr_store *s);
unsigned sr_store_caps(const struct sr_store *s); /* of enum sr_store_cap */
struct sr_store *sr_store_ro(struct sr_store_rw *s);
/* The value of one of the host's own settings of this store (BACKUP_<STORE>_<KEY>), checked and in
 * the form that plugins get (core/plugin/settings.h): malloc'd, NULL when it is unset. */
int sr_store_setting(const struct sr_store *s, const char *key, char **ret, struct sr_error *err);
/* SR_E_CONFIG when BACKUP_<STORE>_REQUIRE_ENCRYPTION is on and encryption ("none", "gpg-public"...
 * as a manifest says it) is none: what is not encrypted must not be put there. what names it for
 * the message ("backup app-..."). Asked by every writer of backups before it writes. */
int sr_store_check_encryption(const struct sr_store *s, const char *what, const char *encryption,
                              struct sr_error *err);

/* Until when what is saved now is to be locked, by BACKUP_<STORE>_LOCK_DAYS: UTC seconds from now,
 * 0: not at all. SR_E_CONFIG when days are set and the store cannot lock: whoever counts on a lock
 * must not get a copy without one. A plugin with a setting of that name of its own sees to it
 * itself: 0. Asked by every writer of backups before it writes; what is small and may have to go
 * (claims, holds, marks) is never locked. */
int sr_store_lock_until(const struct sr_store *s, int64_t now, int64_t *ret, struct sr_error *err);

/* Numbers as in the storage interface; kinds of later versions pass as they come. */
enum sr_sum_kind {
    SR_SUM_NONE = 0,
    SR_SUM_SHA256 = 5, /* the one that a manifest names too */
};
#define SR_SUM_MAX 64 /* bytes */

struct sr_store_entry {
    const char *key;      /* valid during the call only */
    uint64_t size;        /* bytes */
    int64_t modified;     /* UTC seconds; 0: unknown */
    int64_t locked_until; /* UTC seconds; 0: not locked or unknown */
    const char *version;  /* "" : none */
    /* What the store itself says of the whole object's bytes. */
    enum sr_sum_kind sum_kind;
    size_t sum_len;           /* bytes; 0: it says nothing */
    const unsigned char *sum; /* NULL then */
};

/* Nonzero stops the listing, which then returns SR_OK. */
typedef int (*sr_store_emit_fn)(void *ctx, const struct sr_store_entry *entry);
/* SR_OK to go on; anything else stops the fetch, which returns that code with *err filled
 * by the callback. */
typedef int (*sr_store_write_fn)(void *ctx, const void *data, size_t len, struct sr_error *err);
/* Fills buf with up to cap bytes; *ret_len 0 with SR_OK is the clean end. SR_E_AGAIN when
 * nothing came within timeout_ms. Any other code fails the save with that error. */
typedef int (*sr_store_pull_fn)(void *ctx, void *buf, size_t cap, int timeout_ms, size_t *ret_len,
                                struct sr_error *err);

/* Sorted bytewise by key. Memory bounded by what is emitted where the store sorts itself; names
 * beyond some 256 MiB of them are SR_E_CORRUPT: such a listing does not end. */
int sr_store_list(struct sr_store *s, const char *prefix, const char *start_after,
                  sr_store_emit_fn emit, void *ctx, struct sr_error *err);
/* Calls emit once with the entry; SR_E_NOT_FOUND when there is none. */
int sr_store_stat(struct sr_store *s, const char *key, sr_store_emit_fn emit, void *ctx,
                  struct sr_error *err);
/* length SR_SIZE_UNKNOWN: to the end. SR_E_CHANGED when the object changed on the way. */
int sr_store_fetch(struct sr_store *s, const char *key, uint64_t offset, uint64_t length,
                   sr_store_write_fn write, void *ctx, struct sr_error *err);
/* Whole small object into b (bounded by its ceiling: SR_E_CORRUPT past it). */
struct sr_buf;
int sr_store_fetch_small(struct sr_store *s, const char *key, struct sr_buf *b,
                         struct sr_error *err);

struct sr_store_object {
    const char *key; /* NULL: late_key is asked after the end of the bytes */
    int (*late_key)(void *ctx, char *buf, size_t cap, struct sr_error *err);
    void *late_ctx;
    uint64_t size_hint;          /* SR_SIZE_UNKNOWN */
    const char *const *metadata; /* name, value, name, value, NULL; or NULL */
    int64_t retain_until;        /* UTC seconds; 0: none */
    int replace; /* an object of that key may be replaced, whole and at once (SR_E_UNSUPPORTED where
                    the store cannot): for one that is known to be damaged, and nothing else */
};

struct sr_store_saved {
    char key[SR_KEY_MAX];
    uint64_t size;        /* bytes handed over */
    int size_confirmed;   /* the store itself named this size */
    int sha256_confirmed; /* and a digest, which is in sha256 for the caller to compare */
    char sha256[65];      /* hex; "" when it named none */
};

/* Never replaces, unless object->replace: SR_E_EXISTS. After any failure nothing is visible under
 * the key; SR_E_IN_DOUBT when even that cannot be known. */
int sr_store_save(struct sr_store_rw *s, const struct sr_store_object *object,
                  sr_store_pull_fn pull, void *pull_ctx, struct sr_store_saved *ret,
                  struct sr_error *err);
/* Saves len bytes from memory under key. */
int sr_store_save_small(struct sr_store_rw *s, const char *key, const void *data, size_t len,
                        struct sr_error *err);
/* The same, locked until then (UTC seconds; 0: not). */
int sr_store_save_locked(struct sr_store_rw *s, const char *key, const void *data, size_t len,
                         int64_t retain_until, struct sr_error *err);

/* Copies the object under key of from, without its bytes passing through here, to the same key of
 * to. SR_E_UNSUPPORTED, with nothing tried, unless both are one place of one plugin that copies
 * inside itself (stores that differ in their prefix alone). Uses to's handle and credentials only.
 * Promises and results as of sr_store_save; of object count key, retain_until and replace. */
int sr_store_copy(struct sr_store_rw *to, const struct sr_store *from,
                  const struct sr_store_object *object, struct sr_store_saved *ret,
                  struct sr_error *err);

enum sr_store_deletion {
    SR_DELETION_DONE = 1, /* gone, or never was */
    SR_DELETION_HIDDEN,   /* a version or soft delete keeps the bytes */
    SR_DELETION_LOCKED,   /* kept until *ret_until */
};
/* Idempotent. ret_until may be NULL. */
int sr_store_delete(struct sr_store_rw *s, const char *key, enum sr_store_deletion *ret,
                    int64_t *ret_until, struct sr_error *err);

/* Unfinished uploads older than older_than seconds; emit is told each. SR_OK without doing
 * anything where the plugin has no sweep. */
int sr_store_sweep(struct sr_store_rw *s, uint64_t older_than, int dry_run, sr_store_emit_fn emit,
                   void *ctx, struct sr_error *err);

struct sr_store_rights {
    int write, list, read, del; /* SR_OK, the code that came back, or -1: not tried */
    int64_t modified; /* when that object was written by the store's clock; 0: it did not say */
};
/* Tries each with an object of its own that it removes. *ret is filled whatever comes back: SR_OK
 * when every right is there, else the code and text of the first that is not. */
int sr_store_check(struct sr_store_rw *s, struct sr_store_rights *ret, struct sr_error *err);

/* Ends a call that is under way on another thread with SR_E_CANCELLED; later calls fail the same
 * way until sr_store_resume. Any thread. Safe to call twice. */
void sr_store_cancel(struct sr_store_rw *s);
void sr_store_resume(struct sr_store_rw *s);
void sr_store_close(struct sr_store_rw *s); /* NULL is fine */

#endif
