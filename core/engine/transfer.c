#include "config.h"
#include "core/engine/transfer.h"
#include "core/engine/spool.h"
#include "core/pipeline/step.h"
#include "core/util/log.h"

#include <errno.h>
#include <string.h>
#include <stdlib.h>
#include <time.h>

/* What one run of this file shares between its threads. */
struct flow {
    struct sr_context *ctx;
    const struct sr_transfer *t;
    struct sr_pipeline *pipeline;
    struct sr_step *plain_sha, *plain_count, *stored_sha, *stored_count, *raw_count;
    pthread_mutex_t lock;
    pthread_cond_t done;
    size_t running; /* outlets still being read */
    uint64_t plain_seen;
};

/* One outlet and who reads it: a store, or (target NULL) the spool. */
struct outlet {
    struct flow *flow;
    unsigned number;
    struct sr_target *target;
    struct sr_spool *spool;
    char key[SR_KEY_MAX]; /* "" until the late name was asked for */
    struct sr_store_saved saved;
    int rc;
    struct sr_error error;
    int64_t busy_ns;
    pthread_t thread;
    int started;
};

static int object_key(const struct flow *f, char *out, size_t cap, struct sr_error *err)
{
    char sha[SR_SHA256_HEX];
    struct sr_object_name n = {.set = f->t->set,
                               .database = f->t->database,
                               .kind = f->t->kind,
                               .compression = f->t->protection->extension,
                               .encrypted = sr_protection_encrypts(f->t->protection)};
    if (f->t->digest_in_name) {
        sr_step_sha256_result(f->plain_sha, sha);
        n.sha256 = sha;
    }
    return sr_object_key(&n, out, cap, err);
}

static int note_key(const struct flow *f, const char *key, struct sr_error *err)
{
    return f->t->note ? f->t->note(f->t->note_ctx, key, err) : SR_OK;
}

/* Asked after the end of the bytes, when the digest is known. */
static int late_key(void *ctx, char *buf, size_t cap, struct sr_error *err)
{
    struct outlet *o = ctx;
    int rc = object_key(o->flow, o->key, sizeof o->key, err);
    size_t n = strlen(o->key);
    if (rc == SR_OK && n >= cap)
        rc = sr_fail(err, SR_E_INTERNAL, "no room for the name %s", o->key);
    if (rc == SR_OK)
        rc = note_key(o->flow, o->key, err);
    if (rc == SR_OK)
        memcpy(buf, o->key, n + 1);
    return rc;
}

static int outlet_pull(void *ctx, void *buf, size_t cap, int timeout_ms, size_t *ret_len,
                       struct sr_error *err)
{
    struct outlet *o = ctx;
    return sr_pipeline_read(o->flow->pipeline, o->number, buf, cap, timeout_ms, ret_len, err);
}

static int outlet_to_spool(struct outlet *o)
{
    char buf[65536];
    for (;;) {
        size_t n = 0;
        int rc = sr_pipeline_read(o->flow->pipeline, o->number, buf, sizeof buf, -1, &n, &o->error);
        if (rc != SR_OK || n == 0)
            return rc;
        rc = sr_spool_write(o->spool, buf, n, &o->error);
        if (rc != SR_OK)
            return rc;
    }
}

static void *outlet_thread(void *arg)
{
    struct outlet *o = arg;
    struct flow *f = o->flow;
    int64_t start = sr_clock_monotonic(f->ctx->clock);
    if (o->target) {
        struct sr_store_object object = {.size_hint = SR_SIZE_UNKNOWN};
        if (f->t->digest_in_name) {
            object.late_key = late_key;
            object.late_ctx = o;
        } else {
            object.key = o->key;
        }
        o->rc = sr_store_save(o->target->store, &object, outlet_pull, o, &o->saved, &o->error);
    } else {
        o->rc = outlet_to_spool(o);
    }
    if (o->rc != SR_OK)
        sr_pipeline_leave(f->pipeline, o->number);
    o->busy_ns = sr_clock_monotonic(f->ctx->clock) - start;
    pthread_mutex_lock(&f->lock);
    f->running--;
    pthread_cond_signal(&f->done);
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

static void wake_pipeline(void *arg)
{
    struct sr_error why = SR_ERROR_INIT;
    sr_fail(&why, SR_E_CANCELLED, "the run was ended by a signal");
    sr_pipeline_cancel(arg, &why);
}

/* A dump that is too short to be one fails the pipeline before any store sees its end. */
static int short_feed(void *ctx, const void *data, size_t len, struct sr_error *err)
{
    struct flow *f = ctx;
    (void)data;
    (void)err;
    f->plain_seen += len;
    return SR_OK;
}

static int short_finish(void *ctx, struct sr_error *err)
{
    const struct flow *f = ctx;
    if (f->plain_seen >= f->t->min_plain_size)
        return SR_OK;
    return sr_fail(
        err, SR_E_CORRUPT,
        "%s gave only %llu bytes, less than BACKUP_MIN_SIZE (%llu): not kept as a backup",
        f->t->what, (unsigned long long)f->plain_seen, (unsigned long long)f->t->min_plain_size);
}

/* Count, rows, compress, count and digest, encrypt, count and digest. */
static int flow_build(struct flow *f, unsigned outlets, struct sr_error *err)
{
    const struct sr_transfer *t = f->t;
    struct sr_pipeline_options po = {.outlets = outlets};
    int rc = sr_pipeline_new(&po, &f->pipeline, err);
    if (rc != SR_OK)
        return rc;
    f->raw_count = sr_step_count_new(SR_PHASE_RAW);
    rc = sr_pipeline_add(f->pipeline, f->raw_count, err);
    for (size_t i = 0; rc == SR_OK && i < t->observers_len; i++)
        rc = sr_pipeline_add(f->pipeline,
                             sr_step_observe_new(SR_PHASE_RAW, t->observers[i].feed,
                                                 t->observers[i].finish, t->observers[i].ctx),
                             err);
    if (rc == SR_OK && t->protection->compress.kind != SR_COMPRESS_NONE)
        rc = sr_pipeline_add(f->pipeline, sr_step_compress_new(&t->protection->compress), err);
    if (rc == SR_OK)
        rc = sr_pipeline_add(f->pipeline, f->plain_count = sr_step_count_new(SR_PHASE_PLAIN), err);
    if (rc == SR_OK)
        rc = sr_pipeline_add(f->pipeline, f->plain_sha = sr_step_sha256_new(SR_PHASE_PLAIN), err);
    if (rc == SR_OK && t->min_plain_size > 0)
        rc = sr_pipeline_add(f->pipeline,
                             sr_step_observe_new(SR_PHASE_PLAIN, short_feed, short_finish, f), err);
    if (rc != SR_OK)
        return rc;
    if (!sr_protection_encrypts(t->protection)) {
        /* What is stored is the plaintext: one digest serves as both. */
        f->stored_sha = f->plain_sha;
        f->stored_count = f->plain_count;
        return SR_OK;
    }
    rc = sr_pipeline_add(f->pipeline,
                         sr_step_encrypt_new(t->protection->recipients, t->protection->passphrase),
                         err);
    if (rc == SR_OK)
        rc =
            sr_pipeline_add(f->pipeline, f->stored_count = sr_step_count_new(SR_PHASE_STORED), err);
    if (rc == SR_OK)
        rc = sr_pipeline_add(f->pipeline, f->stored_sha = sr_step_sha256_new(SR_PHASE_STORED), err);
    return rc;
}

/* Waits for every outlet, telling the progress a few times a second. */
static void flow_wait(struct flow *f)
{
    pthread_mutex_lock(&f->lock);
    while (f->running > 0) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += 200000000;
        if (until.tv_nsec >= 1000000000) {
            until.tv_sec++;
            until.tv_nsec -= 1000000000;
        }
        pthread_cond_timedwait(&f->done, &f->lock, &until);
        pthread_mutex_unlock(&f->lock);
        sr_context_progress(f->ctx, f->t->what, sr_pipeline_taken(f->pipeline),
                            f->t->expected_size);
        pthread_mutex_lock(&f->lock);
    }
    pthread_mutex_unlock(&f->lock);
}

/* Starts one thread an outlet, waits for all, joins the pipeline. */
static int flow_run(struct flow *f, struct outlet *outlets, size_t n, struct sr_error *err)
{
    int rc = sr_pipeline_start(f->pipeline, f->t->input, err);
    if (rc != SR_OK)
        return rc;
    sr_context_on_cancel(f->ctx, wake_pipeline, f->pipeline);
    f->running = n;
    for (size_t i = 0; i < n; i++) {
        int e = pthread_create(&outlets[i].thread, NULL, outlet_thread, &outlets[i]);
        outlets[i].started = e == 0;
        if (e != 0) {
            outlets[i].rc = sr_fail_errno(&outlets[i].error, e, "cannot start a thread");
            sr_pipeline_leave(f->pipeline, outlets[i].number);
            pthread_mutex_lock(&f->lock);
            f->running--;
            pthread_mutex_unlock(&f->lock);
        }
    }
    flow_wait(f);
    for (size_t i = 0; i < n; i++)
        if (outlets[i].started)
            (void)pthread_join(outlets[i].thread, NULL);
    rc = sr_pipeline_finish(f->pipeline, err);
    sr_context_off_cancel(f->ctx, wake_pipeline, f->pipeline);
    if (sr_context_check(f->ctx, NULL) != SR_OK)
        return sr_context_check(f->ctx, err);
    return rc;
}

static void record_saved(struct sr_target *t, const char *key, int64_t busy_ns)
{
    struct sr_error e = SR_ERROR_INIT;
    t->busy_ns += busy_ns;
    if (sr_strlist_add(&t->saved, key) != SR_OK) {
        sr_fail(&e, SR_E_NO_MEMORY, "out of memory");
        sr_target_fail(t, &e);
    }
}

/* Tells the targets what they hold, or may hold (in doubt), so that a rollback knows the key. A run
 * can be ended after one store has the whole object and before another does. */
static void flow_record(struct outlet *outlets, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct outlet *o = &outlets[i];
        if (o->target && *o->key && (o->rc == SR_OK || o->rc == SR_E_IN_DOUBT))
            record_saved(o->target, o->key, o->busy_ns);
    }
}

/* What each outlet came to, after flow_record. */
static void flow_judge(struct outlet *outlets, size_t n, uint64_t size)
{
    for (size_t i = 0; i < n; i++) {
        struct outlet *o = &outlets[i];
        if (!o->target)
            continue;
        if (o->rc == SR_OK && o->saved.size != size)
            o->rc = sr_fail(&o->error, SR_E_INTERNAL, "store %s took %llu bytes of %llu",
                            sr_store_name(sr_store_ro(o->target->store)),
                            (unsigned long long)o->saved.size, (unsigned long long)size);
        if (o->rc != SR_OK)
            sr_target_fail(o->target, &o->error);
    }
}

/* Saves the spool in the stores that could not be named late. */
static int spool_to_stores(struct sr_context *ctx, struct sr_spool *spool, const char *key,
                           struct sr_target *targets, size_t n, const int *from_spool,
                           struct sr_error *err)
{
    int rc = SR_OK;
    for (size_t i = 0; i < n && rc == SR_OK; i++) {
        struct sr_target *t = &targets[i];
        if (!from_spool[i] || t->failed)
            continue;
        struct sr_error e = SR_ERROR_INIT;
        struct sr_store_saved saved;
        struct sr_store_object object = {.key = key, .size_hint = sr_spool_size(spool)};
        int64_t start = sr_clock_monotonic(ctx->clock);
        sr_context_progress(ctx, sr_store_name(sr_store_ro(t->store)), 0, sr_spool_size(spool));
        sr_spool_rewind(spool);
        int one = sr_store_save(t->store, &object, sr_spool_pull, spool, &saved, &e);
        rc = sr_context_check(ctx, err);
        if (one == SR_OK || one == SR_E_IN_DOUBT)
            record_saved(t, key, sr_clock_monotonic(ctx->clock) - start);
        if (one != SR_OK)
            sr_target_fail(t, &e);
    }
    return rc;
}

static int fill_object(const struct flow *f, const char *key, struct sr_manifest_object *o,
                       struct sr_error *err)
{
    if (sr_set_string(&o->key, key) != SR_OK ||
        sr_set_string(&o->compression, f->t->protection->compression) != SR_OK ||
        sr_set_string(&o->encryption, f->t->protection->encryption) != SR_OK)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    sr_step_sha256_result(f->stored_sha, o->sha256);
    sr_step_sha256_result(f->plain_sha, o->plain_sha256);
    o->size = sr_step_count_result(f->stored_count);
    o->plain_size = sr_step_count_result(f->plain_count);
    o->raw_size = sr_step_count_result(f->raw_count);
    return SR_OK;
}

/* The first failure among the targets, when none is left. */
static int all_failed(const struct sr_target *targets, size_t n, struct sr_error *err)
{
    for (size_t i = 0; i < n; i++)
        if (targets[i].failed)
            return sr_error_copy(err, &targets[i].error);
    return sr_fail(err, SR_E_INTERNAL, "no store to save in");
}

int sr_transfer_run(struct sr_context *ctx, const struct sr_transfer *t, struct sr_target *targets,
                    size_t targets_len, struct sr_manifest_object *ret, struct sr_error *err)
{
    struct flow f = {.ctx = ctx, .t = t};
    struct sr_spool *spool = NULL;
    char key[SR_KEY_MAX] = "";
    size_t n = 0;
    int rc = SR_OK;
    struct outlet *outlets = calloc(targets_len + 1, sizeof *outlets);
    int *from_spool = calloc(targets_len + 1, sizeof *from_spool);
    pthread_condattr_t ca;
    pthread_condattr_init(&ca);
    pthread_condattr_setclock(&ca, CLOCK_MONOTONIC);
    pthread_mutex_init(&f.lock, NULL);
    pthread_cond_init(&f.done, &ca);
    pthread_condattr_destroy(&ca);
    if (!outlets || !from_spool) {
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
        goto out;
    }
    if (!t->digest_in_name)
        rc = object_key(&f, key, sizeof key, err);
    if (rc == SR_OK && *key)
        rc = note_key(&f, key, err);
    int need_spool = 0;
    for (size_t i = 0; i < targets_len && rc == SR_OK; i++) {
        if (targets[i].failed)
            continue;
        if (t->digest_in_name &&
            !(sr_store_caps(sr_store_ro(targets[i].store)) & SR_STORE_CAP_LATE_KEY)) {
            from_spool[i] = need_spool = 1;
            continue;
        }
        outlets[n] = (struct outlet){.flow = &f, .number = (unsigned)n, .target = &targets[i]};
        memcpy(outlets[n].key, key, sizeof key);
        n++;
    }
    if (rc == SR_OK && need_spool) {
        rc = sr_spool_new(t->spool_dir, &spool, err);
        outlets[n] = (struct outlet){.flow = &f, .number = (unsigned)n, .spool = spool};
        n++;
    }
    if (rc == SR_OK && n == 0)
        rc = all_failed(targets, targets_len, err);
    if (rc == SR_OK)
        rc = flow_build(&f, (unsigned)n, err);
    if (rc == SR_OK) {
        rc = flow_run(&f, outlets, n, err);
        flow_record(outlets, n);
        /* When every store gave up, the pipeline was cancelled for want of readers: the stores' own
         * words are the cause. */
        int input_failed = 0;
        for (size_t i = 0; i < n; i++)
            input_failed |= outlets[i].rc == SR_OK || outlets[i].rc == rc;
        if (rc != SR_OK && !input_failed && sr_context_check(ctx, NULL) == SR_OK) {
            flow_judge(outlets, n, 0);
            if (spool && outlets[n - 1].rc != SR_OK)
                rc = sr_error_copy(err, &outlets[n - 1].error);
            else
                rc = all_failed(targets, targets_len, err);
            goto out;
        }
    }
    if (rc == SR_OK)
        rc = object_key(&f, key, sizeof key, err);
    if (rc != SR_OK)
        goto out;
    flow_judge(outlets, n, sr_step_count_result(f.stored_count));
    rc = fill_object(&f, key, ret, err);
    if (rc != SR_OK)
        goto out;
    if (spool && (rc = note_key(&f, key, err)) != SR_OK)
        goto out;
    if (spool) {
        if (outlets[n - 1].rc != SR_OK)
            for (size_t i = 0; i < targets_len; i++)
                if (from_spool[i])
                    sr_target_fail(&targets[i], &outlets[n - 1].error);
        rc = spool_to_stores(ctx, spool, key, targets, targets_len, from_spool, err);
    }
    if (rc == SR_OK && sr_targets_alive(targets, targets_len) == 0)
        rc = all_failed(targets, targets_len, err);
out:
    sr_pipeline_free(f.pipeline);
    sr_spool_free(spool);
    free(outlets);
    free(from_spool);
    pthread_cond_destroy(&f.done);
    pthread_mutex_destroy(&f.lock);
    return rc;
}
