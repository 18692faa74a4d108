/* Whose work an object is, when the answer to the request that made it visible was lost.
 *
 *     struct sc_settling v = {.host = host, .key = key, .replace = replace, .saved = ret_saved,
 *                             .look = head_of_it, .remove = delete_it, .ctx = s};
 *     sc_mark_make(host, v.mark, &err)         goes with the upload, into the object's metadata
 *     ... the request's outcome is open: rc = sc_settle_lost(&v, size, &err)
 *     ... it succeeded: rc = sc_settle_confirm(&v, size, &err)
 *
 * Each upload has a random mark. An object that bears it is ours; with another it is somebody
 * else's; where looking is not allowed the outcome is in doubt, never a success. Looking and
 * removing go on after a cancellation, for a bounded time: what is ours and wanted no more, or not
 * what was sent, does not stay. On the thread of the call. */
#ifndef SC_SETTLE_H
#define SC_SETTLE_H

#include "common/error.h"

#define SC_MARK_SIZE 33 /* in hex, with its NUL */

struct sc_seen {
    uint64_t size;
    char version[SR_STORAGE_VERSION_MAX]; /* "": none */
    char mark[SC_MARK_SIZE];              /* "": none */
};

struct sc_settling {
    const struct sr_storage_host *host;
    const char *key;
    int replace;
    char mark[SC_MARK_SIZE];
    struct sr_storage_saved *saved;
    /* What is there now; E_NOT_FOUND. Few tries. */
    int32_t (*look)(void *ctx, const char *key, struct sc_seen *ret, struct sc_error *err);
    /* version "" or NULL: the current one. */
    int32_t (*remove)(void *ctx, const char *key, const char *version, struct sc_error *err);
    void *ctx;
};

int32_t sc_mark_make(const struct sr_storage_host *host, char out[SC_MARK_SIZE],
                     struct sc_error *err);
/* The answer was lost, or says what may be our own work. SR_STORAGE_OK: it is there, whole, and
 * ours (its size is then confirmed, and its version where it has one). Else how it failed: *err,
 * which holds why the answer was lost, is what stays when the object is not there. */
int32_t sc_settle_lost(struct sc_settling *v, uint64_t size, struct sc_error *err);
/* After success: what the store says it holds. E_CORRUPT, and the object is removed, when it is not
 * what was sent; else never fails: who may only write cannot look. */
int32_t sc_settle_confirm(struct sc_settling *v, uint64_t size, struct sc_error *err);
/* What the store holds is not what was sent: nobody shall find it. Keeps the code of err. */
int32_t sc_settle_spoilt(struct sc_settling *v, const char *version, struct sc_error *err);

#endif
