/* What the files of sync share; nobody else includes it.
 *
 *     sync.c          the order of things, and what the run came to
 *     sync_side.c     one store: opened, listed, its entries looked up
 *     sync_plan.c     what is to be done, by names alone; what may be deleted
 *     sync_lanes.c    threads, each with a handle of both stores
 *     sync_set.c      one set, from its claim to its manifest
 *     sync_beside.c   what lies beside the objects of a set
 *     sync_copy.c     one object: copied, or read again
 *     sync_delete.c   what is not in FROM any more
 */
#ifndef SR_ENGINE_SYNC_PRIVATE_H
#define SR_ENGINE_SYNC_PRIVATE_H

#include "core/engine/retention_policy.h"
#include "core/engine/sync.h"
#include "core/engine/transfer.h"
#include "core/engine/trust.h"
#include "core/store/stores.h"

#include <pthread.h>
#include <stdatomic.h>

/* --- one store --- */

/* An entry of a listing. Pointers are into the index. */
struct sr_sync_entry {
    const char *key;
    uint64_t size;
    enum sr_sum_kind sum_kind;
    size_t sum_len; /* 0: the store tells none */
    const unsigned char *sum;
};

/* Keys of ours as they were listed, in one piece of memory: a store may hold a million. */
struct sr_sync_index {
    char *text; /* key, NUL, checksum ... */
    size_t text_len, text_cap;
    struct sr_sync_slot {
        size_t at;
        uint64_t size;
        uint8_t sum_kind, sum_len;
    } * slots; /* sorted by key */
    size_t len, cap;
};

struct sr_sync_side {
    struct sr_stores stores; /* one */
    struct sr_store_rw *rw;
    struct sr_store *store;
    const char *name;
    struct sr_catalog *catalog;
    struct sr_sync_index index;
    const struct sr_catalog_set **by_name; /* of catalog, sorted by set and source */
};

/* Opens the one store of that name. The caller closes, whatever comes back. */
int sr_sync_side_open(struct sr_sync_side *side, struct sr_context *ctx, const char *name,
                      int read_only, struct sr_error *err);
/* Lists it whole, once; warns when its newest sets are gone (trust.h). */
int sr_sync_side_list(struct sr_sync_side *side, struct sr_context *ctx, struct sr_error *err);
void sr_sync_side_close(struct sr_sync_side *side, struct sr_context *ctx);
/* The listed set; NULL: none, or without a manifest unless any is nonzero. */
const struct sr_catalog_set *sr_sync_side_set(const struct sr_sync_side *side, const char *set,
                                              const char *source, int any);
/* Nonzero when the key was listed; ret may be NULL. */
int sr_sync_find(const struct sr_sync_index *x, const char *key, struct sr_sync_entry *ret);
/* Calls each for every listed key that can belong to the set: its claim, data objects, and what
 * lies beside it for this source, but for the manifest and the mark of a prune. Nonzero ends. */
void sr_sync_each_key(const struct sr_sync_index *x, const char *set, const char *source,
                      int (*each)(void *ctx, const struct sr_sync_entry *e, enum sr_key_kind kind),
                      void *ctx);
/* For the listing (sr_catalog_read_with) and tests: keys come in order. */
int sr_sync_index_add(void *index, const struct sr_store_entry *e, struct sr_error *err);
void sr_sync_index_done(struct sr_sync_index *x);

/* Do two entries tell the same of their bytes? 1, 0, or -1 where only sizes can be compared and
 * these are equal. */
int sr_sync_same(const struct sr_sync_entry *a, const struct sr_sync_entry *b);

/* --- the run --- */

enum sr_sync_todo {
    SR_SYNC_NOTHING,
    SR_SYNC_WHOLE,   /* TO has no manifest of it */
    SR_SYNC_INSPECT, /* it has, and the listings differ, or all is to be read again */
    SR_SYNC_GONE,    /* in TO alone, and may be deleted by TO's retention */
};

struct sr_sync_work {
    enum sr_sync_todo todo;
    const struct sr_catalog_set *from, *to; /* NULL: not there */
};

struct sr_sync {
    struct sr_context *ctx;
    const struct sr_sync_options *o;
    struct sr_sync_result *result;
    struct sr_sync_side from, to;
    struct sr_sync_work *work;      /* one for each item of the result, which stay where they are */
    int64_t now;                    /* UTC seconds: what retention is judged for */
    int64_t lock_until;             /* what TO is to keep from being deleted; UTC seconds, 0: not */
    struct sr_sync_source *sources; /* of the plan */
    size_t sources_len;

    atomic_size_t next;           /* item to be taken by the next lane that is free */
    _Atomic uint64_t done, total; /* bytes, for progress */
    atomic_int in_a_row;          /* failures of a store, without a success between */
    atomic_int given_up;
    atomic_int wrote;     /* a set was made in TO */
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    size_t running;                          /* lanes */
    char what[SR_SET_MAX + 64];              /* for progress */
    struct sr_error first, corrupt, refused; /* the first of each kind */
};

/* Sets the outcome and the reason (printf form). What cannot be told for want of memory is not. */
void sr_sync_say(struct sr_sync_item *it, enum sr_sync_outcome outcome, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The rung at which TO's own checks found its copy of the set bad, and no later one of them found
 * it good; SR_RUNG_NONE: nothing speaks against it. What was found of both copies, since FROM has
 * the very same word, is no word of TO's own. */
enum sr_rung sr_sync_suspect(const struct sr_sync *s, const struct sr_catalog_set *set);
/* Nonzero for what lies beside a set and speaks of FROM's copy alone, so that it must not travel:
 * the proof that stored bytes were found damaged; and, where TO's copy is suspect, every proof that
 * the backup is good, which would hide that. */
int sr_sync_stays(const char *key, enum sr_key_kind kind, enum sr_rung suspect);
/* Fills result and work. SR_E_REFUSED: more would be deleted than BACKUP_SYNC_MAX_DELETE allows. */
int sr_sync_plan(struct sr_sync *s, struct sr_error *err);

/* A thread's own handles. */
struct sr_sync_lane {
    struct sr_sync *s;
    struct sr_store_rw *from, *to;
    struct sr_stores from_stores, to_stores; /* empty: the run's own handles */
    pthread_t thread;
};

/* Does all the work that is planned, but for deleting. SR_OK unless threads or handles could not be
 * had at all, or the run was cancelled: what became of each set is in its item. */
int sr_sync_lanes_run(struct sr_sync *s, struct sr_error *err);
/* One set. *err is filled for the outcomes CORRUPT, REFUSED and FAILED, and its code returned. */
int sr_sync_set(struct sr_sync_lane *l, const struct sr_sync_work *w, struct sr_sync_item *it,
                struct sr_error *err);
/* After the lanes: deletes what is planned and still allowed. What it came to is no longer planned
 * (SR_SYNC_NOTHING); what it did not come to still is. */
int sr_sync_delete(struct sr_sync *s, struct sr_error *err);

/* --- one set --- */

/* One set on its way. */
struct sr_sync_moving {
    struct sr_sync_lane *l;
    const struct sr_catalog_set *set; /* in FROM */
    struct sr_sync_item *it;
    struct sr_manifest *m;
    struct sr_buf text;     /* of the manifest, as it is stored */
    int committed;          /* TO holds the same manifest */
    int manifest_bad;       /* TO holds one that cannot be read */
    struct sr_trust trust;  /* the signature in FROM */
    enum sr_rung suspect;   /* of sr_sync_suspect: nothing that TO tells of its copy is believed */
    int source_bad;         /* an object of FROM is damaged or missing */
    struct sr_target made;  /* what this run put into TO of this set, in order */
    size_t repaired, added; /* objects; things that lie beside */
    char first[SR_KEY_MAX]; /* what was found to be missing or damaged first */
    const char *first_why;
};

/* The claim, before the first object: the name must be free in TO, or this very backup's. */
int sr_sync_claim(struct sr_sync_moving *v, struct sr_error *err);
/* After the objects: detail, sums, hold, proofs, and whatever else lies beside. */
int sr_sync_beside(struct sr_sync_moving *v, struct sr_error *err);
/* Notes that a key came into TO (dry run: would). */
int sr_sync_moved(struct sr_sync_moving *v, const char *key, uint64_t size, int beside,
                  const char *why, struct sr_error *err);

/* --- one object --- */

struct sr_sync_object {
    const char *key;
    uint64_t size;      /* as the manifest says it; SR_SIZE_UNKNOWN */
    const char *sha256; /* hex */
    int replace;        /* one that is known to be damaged lies there */
    int encrypted;      /* its bytes must look it */
};

/* *ret_source_bad: FROM's bytes are not what they should be, or are not there. After a failure
 * nothing new is visible in TO. */
int sr_sync_copy(struct sr_sync_lane *l, const struct sr_sync_object *o, int *ret_source_bad,
                 struct sr_error *err);
/* Reads an object of a store to its end. *ret_whole: its digest is the one given. SR_E_NOT_FOUND.
 */
int sr_sync_reread(struct sr_sync_lane *l, struct sr_store_rw *store, const char *key,
                   const char *sha256, int *ret_whole, struct sr_error *err);

#endif
