/* Whose work an object is, when the answer to the request that made it visible was lost.
 *
 *     struct sc_settling v = {.host = host, .key = key, .replace = replace, .saved = ret_saved,
 *                             .look = head_of_it, .remove = delete_it, .ctx = s};
 *     sc_mark_make(host, v.mark, &err)         goes with the upload, into the object's metadata
 *     ... it succeeded: rc = sc_settle_confirm(&v, size, &err)
 *     ... its outcome is open: rc = sc_settle_lost(&v, size, call.unanswered, &err)
 *     ... the upload is ended at the store, where that can be done
 *     rc = sc_settle_ended(&v, size, rc, &err)                once, at the end of every save
 *
 * Each upload has a random mark. An object that bears it is ours; with another it is somebody
 * else's; where looking is not allowed the outcome is in doubt, never a success.
 *
 * A store that was sent all of a request and said nothing may be at it still, and make the object
 * after a look that found none. So it is looked again and again then, in waits that grow, for
 * SC_SETTLE_MS at the most; and when there is nothing even then, the outcome is in doubt too.
 *
 * Looking and removing go on after a cancellation, for that time: what is ours and wanted no more,
 * or not what was sent, does not stay. On the thread of the call. */
#ifndef SC_SETTLE_H
#define SC_SETTLE_H

#include "common/error.h"
#include "common/resume.h"

#define SC_MARK_SIZE 33     /* in hex, with its NUL */
#define SC_SETTLE_MS 15500u /* the waits between looks, together */

struct sc_seen {
    uint64_t size;
    char version[SR_STORAGE_VERSION_MAX]; /* "": none */
    char mark[SC_MARK_SIZE];              /* "": none */
    char etag[SC_TAG_MAX];                /* without quotes; "": none, or of no use to remove */
};

struct sc_settling {
    const struct sr_storage_host *host;
    const char *key;
    int replace;
    char mark[SC_MARK_SIZE];
    struct sr_storage_saved *saved;
    /* What is there now; E_NOT_FOUND. Few tries. */
    int32_t (*look)(void *ctx, const char *key, struct sc_seen *ret, struct sc_error *err);
    /* Takes away what was seen, and nothing else as far as the store can be told so: by version, or
     * on the condition of etag. */
    int32_t (*remove)(void *ctx, const char *key, const struct sc_seen *what, struct sc_error *err);
    void *ctx;

    int open;   /* set by sc_settle_lost: nothing of ours was there, and sc_settle_ended looks again
                 */
    int late;   /* and it may come yet */
    int waited; /* for as long as it is waited for */
};

int32_t sc_mark_make(const struct sr_storage_host *host, char out[SC_MARK_SIZE],
                     struct sc_error *err);
/* The answer was lost, or says what may be our own work; late: the store may be at it still.
 * SR_STORAGE_OK: it is there, whole, and ours (its size is then confirmed, and its version where it
 * has one). Else how it failed: *err, which holds why the answer was lost, is what stays when the
 * object is not there. Who is cancelled does not wait here, but in sc_settle_ended, when the upload
 * is ended. */
int32_t sc_settle_lost(struct sc_settling *v, uint64_t size, int late, struct sc_error *err);
/* The last word on a save that came to rc: looks again where that left something open, and returns
 * as sc_settle_lost does; E_IN_DOUBT where nothing is there and it may come yet. Else rc. */
int32_t sc_settle_ended(struct sc_settling *v, uint64_t size, int32_t rc, struct sc_error *err);
/* After success: what the store says it holds. E_CORRUPT, and the object is removed, when it is not
 * what was sent; else never fails: who may only write cannot look. */
int32_t sc_settle_confirm(struct sc_settling *v, uint64_t size, struct sc_error *err);
/* What the store holds is not what was sent: nobody shall find it. Keeps the code of err. made:
 * what the answer says of it (sc_seen_of); NULL: nothing by which it could be told from another
 * writer's, so it is looked for, and left, with a word in err, unless it bears our mark. */
int32_t sc_settle_spoilt(struct sc_settling *v, const struct sc_seen *made, struct sc_error *err);
/* Of headers that say what was made; NULL: none. What does not fit counts as none. */
struct sc_seen sc_seen_of(const char *version, const char *etag);

#endif
