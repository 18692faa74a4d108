/* One object's way from an input to every store at once.
 *
 *     struct sr_crew crew = {.ctx = ctx, .targets = targets, .len = n};
 *     struct sr_transfer t = {.set = ..., .kind = "sql", .input = ..., .protection = ...};
 *     sr_transfer_run(&crew, &t, &object, &err);      // object after object
 *     sr_crew_post(&crew, commit, arg, &err);         // in each store, after its objects
 *     sr_crew_wait(&crew);                            // now every target's failed, error, saved
 * hold sr_crew_done(&crew);
 *
 * The input is read once, on the calling thread (the children's); each store has a thread, which
 * does what it is given in order, so that a slow store is at the first object while another has the
 * last (fan.h keeps for it what it has not read). A store that fails is marked in its target, skips
 * the rest, and never stops the others. Where the name carries a digest and a store cannot be told
 * it late, it gets the finished bytes from the spool. The targets' stores are watched by the caller
 * (watch.h), so that a signal ends every save at once.
 *
 * Memory, beside what each store needs: the pipeline's 4.5 MiB and the last bytes for the stores
 * that are behind, 8 MiB for several stores and 1 MiB for one, however many objects and stores.
 */
#ifndef SR_ENGINE_TRANSFER_H
#define SR_ENGINE_TRANSFER_H

#include "core/catalog/manifest.h"
#include "core/catalog/names.h"
#include "core/engine/context.h"
#include "core/engine/protection.h"
#include "core/pipeline/pipeline.h"
#include "core/store/store.h"

#include <pthread.h>
#include <stdatomic.h>

struct sr_fan;

/* A store in the course of a run. While its thread works, only `failed` may be looked at. */
struct sr_target {
    struct sr_store_rw *store;
    int64_t retain_until; /* what is saved is locked until then, UTC seconds; 0: not */
    atomic_int failed;
    struct sr_error error;   /* why, when failed */
    struct sr_strlist saved; /* keys this run put there, in order */
    int doubtful;            /* the last of saved may be there, or be there wrong */
    int64_t busy_ns;         /* time spent in saves */
    uint64_t spooled;        /* bytes that waited on the disk for this store */
    atomic_ullong sent;      /* bytes of objects that the store has taken, for progress */
    struct sr_worker *worker;
};

/* The targets of a run and what they share. */
struct sr_crew {
    struct sr_context *ctx;
    struct sr_target *targets;
    size_t len;
    struct sr_fan *last; /* of the object before */
    uint64_t bytes;      /* of all objects so far, as stored */
};

struct sr_transfer_observer {
    int (*feed)(void *ctx, const void *data, size_t len, struct sr_error *err);
    int (*finish)(void *ctx, struct sr_error *err);
    void *ctx;
};

struct sr_transfer {
    const char *what; /* for progress: "dumping app" */
    const char *set;
    const char *database; /* escaped part of the name, or NULL */
    const char *kind;     /* "sql", "dump", "globals.sql" */
    int digest_in_name;
    const struct sr_protection *protection;
    const struct sr_input *input;
    const struct sr_transfer_observer *observers; /* see the raw bytes */
    size_t observers_len;
    uint64_t min_plain_size; /* bytes below which the object is refused as no dump */
    uint64_t expected_size;  /* raw bytes, for progress; SR_SIZE_UNKNOWN */
    const char *spool_dir;   /* made when needed */
    /* Told each key before an object is written under it, on the threads of the stores; anything
     * but SR_OK fails the save. NULL: nobody. Must work until sr_crew_wait. */
    int (*note)(void *ctx, const char *key, struct sr_error *err);
    void *note_ctx;
};

/* Fills *ret (key, sizes, digests, compression, encryption; strings owned by it). SR_OK when the
 * input ended well and at least one store has not failed; its saves may still be under way. When
 * all stores failed the first one's error comes back; when the input or a step failed, that error,
 * and no store will hold anything of it. */
int sr_transfer_run(struct sr_crew *crew, const struct sr_transfer *t,
                    struct sr_manifest_object *ret, struct sr_error *err);

/* Compresses and encrypts (as p says) from memory into memory: the detail object. */
int sr_transfer_seal(const struct sr_protection *p, const void *data, size_t len,
                     struct sr_buf *out, struct sr_error *err);

/* Has work done in every target that has not failed, on its thread, after what was given before; a
 * target's failure (anything but SR_OK) fails that target and nothing else. arg is used by all
 * threads and must live until sr_crew_wait. SR_E_NO_MEMORY, or no thread could be started. */
int sr_crew_post(struct sr_crew *crew,
                 int (*work)(struct sr_target *t, void *arg, struct sr_error *err), void *arg,
                 struct sr_error *err);
/* Waits until every thread has done its work, telling the progress. */
void sr_crew_wait(struct sr_crew *crew);
/* Stops what is under way in every store, with this error, and waits. */
void sr_crew_stop(struct sr_crew *crew, const struct sr_error *why);
/* Stops and ends the threads; the targets are the caller's. */
void sr_crew_done(struct sr_crew *crew);
/* The first failure among the targets, for when none is left. */
int sr_crew_error(const struct sr_crew *crew, struct sr_error *err);

/* Saves a small object from memory, locked as the target says, and notes it in saved. */
int sr_target_save(struct sr_target *t, const char *key, const void *data, size_t len,
                   struct sr_error *err);
/* Notes in saved what the target holds or, doubtful, may hold. */
int sr_target_record(struct sr_target *t, const char *key, int doubtful, struct sr_error *err);
/* Takes what this run saved out of the target again, newest first. What cannot be removed is left
 * to the sweep and logged; nonzero when all is gone. */
int sr_target_rollback(struct sr_target *t);
/* Is an object that was saved still there, with its size? SR_E_CHANGED when it is not; anything
 * else when the store could not be asked. The last look before a manifest vouches for it. */
int sr_store_still_holds(struct sr_store *s, const struct sr_manifest_object *o,
                         struct sr_error *err);
/* Nonzero for failures that may be over at a second attempt: not what is wrong for good (rights,
 * settings, room, a name that is taken, a plugin that breaks promises), nor what another hand
 * deletes as soon as it is there. */
int sr_target_worth_again(int code);
/* Marks the target failed, once. */
void sr_target_fail(struct sr_target *t, const struct sr_error *why);
size_t sr_targets_alive(const struct sr_target *targets, size_t len);
void sr_target_done(struct sr_target *t);

#endif
