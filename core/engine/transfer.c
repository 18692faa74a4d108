#include "config.h"
#include "core/engine/transfer.h"
#include "core/engine/fan.h"
#include "core/engine/worker.h"
#include "core/pipeline/step.h"
#include "core/util/log.h"

#include <stdlib.h>
#include <string.h>

/* How far a store may be behind the first before its bytes go to the disk; with one store, how far
 * the pipeline may be ahead of it. */
#define LEAD_SEVERAL (8u << 20)
#define LEAD_ONE (1u << 20)
#define TICK_MS 200

/* What an object's way through one run of this file needs, on the calling thread. */
struct flow {
    struct sr_crew *crew;
    const struct sr_transfer *t;
    struct sr_pipeline *pipeline;
    struct sr_step *plain_sha, *plain_count, *stored_sha, *stored_count, *raw_count;
    struct shared *shared;
    int64_t told; /* when progress was last told */
    uint64_t plain_seen;
};

/* What the stores' threads need of it; lives until the last store is done with the object. key,
 * sha256 and size are there once the fan has ended. */
struct shared {
    atomic_uint refs;
    struct sr_fan *fan;
    int digest_in_name;
    int (*note)(void *ctx, const char *key, struct sr_error *err);
    void *note_ctx;
    char key[SR_KEY_MAX];
    char sha256[SR_SHA256_HEX];
    uint64_t size;
};

/* One store's part in it. */
struct passage {
    struct shared *shared;
    struct sr_target *target;
    unsigned reader;
    int deferred;
    int asked; /* the late name was told to the store */
};

static void shared_unref(struct shared *s)
{
    if (!s || atomic_fetch_sub(&s->refs, 1) != 1)
        return;
    sr_fan_unref(s->fan);
    free(s);
}

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

/* --- on the threads of the stores --- */

static int note_key(const struct shared *s, struct sr_error *err)
{
    return s->note ? s->note(s->note_ctx, s->key, err) : SR_OK;
}

/* Asked after the end of the bytes, when the digest is known. */
static int late_key(void *ctx, char *buf, size_t cap, struct sr_error *err)
{
    struct passage *p = ctx;
    size_t n = strlen(p->shared->key);
    if (n >= cap)
        return sr_fail(err, SR_E_INTERNAL, "no room for the name %s", p->shared->key);
    int rc = note_key(p->shared, err);
    if (rc == SR_OK) {
        memcpy(buf, p->shared->key, n + 1);
        p->asked = 1;
    }
    return rc;
}

static int passage_pull(void *ctx, void *buf, size_t cap, int timeout_ms, size_t *ret_len,
                        struct sr_error *err)
{
    struct passage *p = ctx;
    int rc = sr_fan_read(p->shared->fan, p->reader, buf, cap, timeout_ms, ret_len, err);
    if (rc == SR_OK)
        atomic_fetch_add(&p->target->sent, *ret_len);
    return rc;
}

static int save_once(struct passage *p, struct sr_error *err)
{
    struct shared *s = p->shared;
    struct sr_store_saved saved = {0};
    struct sr_store_object object = {.size_hint = SR_SIZE_UNKNOWN,
                                     .retain_until = p->target->retain_until};
    const char *store = sr_store_name(sr_store_ro(p->target->store));
    if (s->digest_in_name && !p->deferred) {
        object.late_key = late_key;
        object.late_ctx = p;
    } else {
        object.key = s->key;
    }
    if (p->deferred)
        object.size_hint = s->size;
    int rc = sr_store_save(p->target->store, &object, passage_pull, p, &saved, err);
    int there = rc == SR_OK, doubtful = rc == SR_E_IN_DOUBT && (object.key || p->asked);
    if (rc == SR_OK && saved.size != s->size)
        rc = sr_fail(err, SR_E_INTERNAL, "store %s took %llu bytes of %llu", store,
                     (unsigned long long)saved.size, (unsigned long long)s->size);
    if (rc == SR_OK && saved.sha256_confirmed && strcmp(saved.sha256, s->sha256) != 0)
        rc = sr_fail(err, SR_E_CORRUPT, "store %s says that %s has the digest %s, and it is %s",
                     store, s->key, saved.sha256, s->sha256);
    if (there || doubtful) {
        int noted = sr_target_record(p->target, s->key, rc != SR_OK, err);
        rc = rc == SR_OK ? noted : rc;
    }
    return rc;
}

static int passage_run(struct sr_target *t, void *arg, struct sr_error *err)
{
    struct passage *p = arg;
    struct sr_error first = SR_ERROR_INIT;
    int64_t start = sr_clock_monotonic(&sr_clock_system);
    int rc = SR_OK;
    if (p->deferred && (rc = sr_fan_await(p->shared->fan, p->reader, err)) == SR_OK)
        rc = note_key(p->shared, err);
    if (rc == SR_OK)
        rc = save_once(p, &first);
    if (p->deferred && !t->doubtful && sr_target_worth_again(rc)) {
        sr_log(SR_LOG_WARN, "once more from the spool: %s", first.text);
        sr_fan_rewind(p->shared->fan, p->reader);
        rc = save_once(p, err);
    } else if (first.code != SR_OK) {
        sr_error_copy(err, &first);
    }
    t->busy_ns += sr_clock_monotonic(&sr_clock_system) - start;
    /* Where the bytes never came to their end, that is not the store's fault. */
    return rc != SR_OK && sr_fan_gave_up(p->shared->fan) ? SR_OK : rc;
}

static void passage_end(void *arg)
{
    struct passage *p = arg;
    p->target->spooled += sr_fan_spooled(p->shared->fan, p->reader);
    sr_fan_leave(p->shared->fan, p->reader);
    shared_unref(p->shared);
    free(p);
}

static void passage_wake(void *arg, const struct sr_error *why)
{
    const struct passage *p = arg;
    sr_fan_fail(p->shared->fan, why);
}

/* --- on the calling thread --- */

static void tick(struct flow *f)
{
    int64_t now = sr_clock_monotonic(f->crew->ctx->clock);
    if (f->told && now - f->told < (int64_t)TICK_MS * 1000000)
        return;
    f->told = now;
    sr_context_progress(f->crew->ctx, f->t->what, f->pipeline ? sr_pipeline_taken(f->pipeline) : 0,
                        f->t->expected_size);
}

static void wake_flow(void *arg)
{
    const struct flow *f = arg;
    struct sr_error why = SR_ERROR_INIT;
    sr_fail(&why, SR_E_CANCELLED, "the run was ended by a signal");
    sr_pipeline_cancel(f->pipeline, &why);
    sr_fan_fail(f->shared->fan, &why);
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
static int flow_build(struct flow *f, struct sr_error *err)
{
    const struct sr_transfer *t = f->t;
    struct sr_pipeline_options po = {.outlets = 1};
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

/* From the pipeline's end to the stores, until the clean end or a failure. */
static int pump(struct flow *f, struct sr_error *err)
{
    char buf[65536];
    for (;;) {
        size_t n = 0;
        int rc = sr_pipeline_read(f->pipeline, 0, buf, sizeof buf, TICK_MS, &n, err);
        tick(f);
        if (rc == SR_E_AGAIN)
            continue;
        if (rc != SR_OK || n == 0)
            return rc;
        for (size_t at = 0, m = 0; at < n; at += m) {
            m = 0;
            rc = sr_fan_write(f->shared->fan, buf + at, n - at, TICK_MS, &m, err);
            tick(f);
            if (rc != SR_OK && rc != SR_E_AGAIN)
                return rc;
        }
    }
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

/* The object before gives its memory back first, so that there is never more than one in it. */
static int settle_last(struct flow *f, struct sr_error *err)
{
    struct sr_crew *crew = f->crew;
    int rc = SR_OK;
    while (crew->last && rc == SR_OK && sr_fan_settle(crew->last, TICK_MS) != SR_OK) {
        tick(f);
        rc = sr_context_check(crew->ctx, err);
    }
    sr_fan_unref(crew->last);
    crew->last = NULL;
    return rc;
}

static int shared_new(struct flow *f, unsigned readers, struct sr_error *err)
{
    struct shared *s = calloc(1, sizeof *s);
    if (!s)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    atomic_init(&s->refs, 1);
    s->digest_in_name = f->t->digest_in_name;
    s->note = f->t->note;
    s->note_ctx = f->t->note_ctx;
    f->shared = s;
    int rc = sr_fan_new(readers > 1 ? LEAD_SEVERAL : LEAD_ONE, readers, f->t->spool_dir, f->t->what,
                        &s->fan, err);
    if (rc == SR_OK && !s->digest_in_name)
        rc = object_key(f, s->key, sizeof s->key, err);
    if (rc == SR_OK && !s->digest_in_name)
        rc = note_key(s, err);
    return rc;
}

/* Gives every store that has not failed its part; one that cannot start fails alone. */
static void crew_begin(struct flow *f, const int *takes_part)
{
    unsigned reader = 0;
    for (size_t i = 0; i < f->crew->len; i++) {
        struct sr_target *t = &f->crew->targets[i];
        struct sr_error e = SR_ERROR_INIT;
        if (!takes_part[i])
            continue;
        struct passage *p = calloc(1, sizeof *p);
        const struct sr_job job = {passage_run, passage_end, p, passage_wake};
        if (p) {
            *p = (struct passage){.shared = f->shared, .target = t, .reader = reader};
            p->deferred = f->t->digest_in_name &&
                          !(sr_store_caps(sr_store_ro(t->store)) & SR_STORE_CAP_LATE_KEY);
            if (p->deferred)
                sr_fan_defer(f->shared->fan, reader);
            sr_fan_name(f->shared->fan, reader, sr_store_name(sr_store_ro(t->store)));
            atomic_fetch_add(&f->shared->refs, 1);
        }
        int rc = p ? sr_worker_post(t, &job, &e) : sr_fail(&e, SR_E_NO_MEMORY, "out of memory");
        if (rc != SR_OK) {
            sr_fan_leave(f->shared->fan, reader);
            sr_target_fail(t, &e);
            if (p)
                shared_unref(f->shared);
            free(p);
        }
        reader++;
    }
}

/* Reads the input to its end; then the object's name and digests are known to everybody. */
static int flow_run(struct flow *f, struct sr_manifest_object *ret, struct sr_error *err)
{
    struct sr_context *ctx = f->crew->ctx;
    struct shared *s = f->shared;
    struct sr_error e = SR_ERROR_INIT;
    sr_context_on_cancel(ctx, wake_flow, f);
    int rc = pump(f, err);
    /* Nobody is left to take it: the stores' own words are the cause. */
    int alone = rc != SR_OK && sr_targets_alive(f->crew->targets, f->crew->len) == 0;
    if (rc != SR_OK)
        sr_pipeline_cancel(f->pipeline, err);
    int ended = sr_pipeline_finish(f->pipeline, &e);
    sr_context_off_cancel(ctx, wake_flow, f);
    if (rc == SR_OK && ended != SR_OK)
        rc = sr_error_copy(err, &e);
    if (sr_context_check(ctx, NULL) != SR_OK)
        rc = sr_context_check(ctx, err);
    else if (alone)
        rc = sr_crew_error(f->crew, err);
    if (rc == SR_OK)
        rc = object_key(f, s->key, sizeof s->key, err);
    if (rc == SR_OK)
        rc = fill_object(f, s->key, ret, err);
    if (rc != SR_OK) {
        sr_fan_fail(s->fan, err);
        return rc;
    }
    memcpy(s->sha256, ret->sha256, sizeof s->sha256);
    s->size = ret->size;
    f->crew->bytes += ret->size;
    sr_fan_end(s->fan);
    f->crew->last = sr_fan_ref(s->fan);
    return SR_OK;
}

int sr_transfer_run(struct sr_crew *crew, const struct sr_transfer *t,
                    struct sr_manifest_object *ret, struct sr_error *err)
{
    struct flow f = {.crew = crew, .t = t};
    struct sr_error own = SR_ERROR_INIT;
    unsigned n = 0;
    int *takes_part = calloc(crew->len ? crew->len : 1, sizeof *takes_part);
    err = err ? err : &own; /* the stores are told why */
    int rc = takes_part ? settle_last(&f, err) : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    for (size_t i = 0; rc == SR_OK && i < crew->len; i++)
        n += (unsigned)(takes_part[i] = !crew->targets[i].failed);
    if (rc == SR_OK && n == 0)
        rc = sr_crew_error(crew, err);
    if (rc == SR_OK)
        rc = flow_build(&f, err);
    if (rc == SR_OK)
        rc = shared_new(&f, n, err);
    if (rc == SR_OK)
        rc = sr_pipeline_start(f.pipeline, t->input, err);
    if (rc == SR_OK) {
        crew_begin(&f, takes_part);
        rc = flow_run(&f, ret, err);
    }
    if (rc == SR_OK && sr_targets_alive(crew->targets, crew->len) == 0)
        rc = sr_crew_error(crew, err);
    sr_pipeline_free(f.pipeline);
    shared_unref(f.shared);
    free(takes_part);
    return rc;
}
