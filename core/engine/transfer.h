/* One object's way from an input to every store at once.
 *
 *     struct sr_transfer t = {.set = ..., .kind = "sql", .input = ..., .protection = ...};
 *     sr_transfer_run(&ctx, &t, targets, n, &object, &err);
 *
 * The input is read once; each store pulls from an outlet of its own. A store that fails is marked
 * in its target and left out from then on; it never stops the others. Where the name carries a
 * digest and a store cannot be told it late, the finished bytes are spooled in an unlinked file and
 * saved from there. Runs on the calling thread (the children's), plus one thread a store. The
 * targets' stores are watched by the caller (watch.h), so that a signal ends every save at once.
 */
#ifndef SR_ENGINE_TRANSFER_H
#define SR_ENGINE_TRANSFER_H

#include "core/catalog/manifest.h"
#include "core/catalog/names.h"
#include "core/engine/context.h"
#include "core/engine/protection.h"
#include "core/pipeline/pipeline.h"
#include "core/store/store.h"

/* A store in the course of a run. */
struct sr_target {
    struct sr_store_rw *store;
    int failed;
    struct sr_error error;   /* why, when failed */
    struct sr_strlist saved; /* keys this run put there, in order */
    int64_t busy_ns;         /* time spent in saves */
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
    uint64_t expected_size;  /* raw bytes, for progress and the spool's need; SR_SIZE_UNKNOWN */
    const char *spool_dir;   /* made when needed */
    /* Told each key before an object is written under it, on the threads of the stores; anything
     * but SR_OK fails the save. NULL: nobody. */
    int (*note)(void *ctx, const char *key, struct sr_error *err);
    void *note_ctx;
};

/* Fills *ret (key, sizes, digests, compression, encryption; strings owned by it). SR_OK when at
 * least one store holds the object. When all stores failed the first one's error comes back; when
 * the input or a step failed, that error, and no store holds anything of it. */
int sr_transfer_run(struct sr_context *ctx, const struct sr_transfer *t, struct sr_target *targets,
                    size_t targets_len, struct sr_manifest_object *ret, struct sr_error *err);

/* Saves a small object from memory in every target that has not failed; same results as above. */
int sr_transfer_small(struct sr_context *ctx, const char *key, const void *data, size_t len,
                      struct sr_target *targets, size_t targets_len, struct sr_error *err);

/* Compresses and encrypts (as p says) from memory into memory: the detail object. */
int sr_transfer_seal(const struct sr_protection *p, const void *data, size_t len,
                     struct sr_buf *out, struct sr_error *err);

/* Takes what this run saved out of the target again, newest first. What cannot be removed is left
 * to the sweep and logged; nonzero when all is gone. */
int sr_target_rollback(struct sr_target *t);
/* Is an object that was saved still there, with its size? SR_E_CHANGED when it is not; anything
 * else when the store could not be asked. The last look before a manifest vouches for it. */
int sr_store_still_holds(struct sr_store *s, const struct sr_manifest_object *o,
                         struct sr_error *err);
/* Marks the target failed, once; logs it as a warning that the run goes on without it. */
void sr_target_fail(struct sr_target *t, const struct sr_error *why);
size_t sr_targets_alive(const struct sr_target *targets, size_t len);
void sr_target_done(struct sr_target *t);

#endif
