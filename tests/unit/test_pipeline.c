#include "config.h"
#include "core/pipeline/pipeline.h"
#include "core/pipeline/step.h"
#include "tests/unit/pipeline_util.h"
#include "tests/unit/unit.h"

#include <openssl/evp.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static struct sr_pipeline *new_pipeline(size_t chunk, unsigned outlets)
{
    struct sr_pipeline_options o = {.chunk_size = chunk, .queue_len = 2, .outlets = outlets};
    struct sr_pipeline *p = NULL;
    struct sr_error err = SR_ERROR_INIT;
    ASSERT_OK(sr_pipeline_new(&o, &p, &err), err);
    return p;
}

static void sha_hex(const void *data, size_t len, char out[SR_SHA256_HEX])
{
    unsigned char sum[32];
    EVP_Digest(data, len, sum, NULL, EVP_sha256(), NULL);
    for (size_t i = 0; i < 32; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", sum[i]);
}

/* Every outlet gets every byte, in order, whatever the sizes; count and digest agree. */
static void bytes_arrive_whole(void)
{
    static const size_t sizes[] = {0, 1, 6, 7, 8, 13, 14, 15, 1000, 100003};
    static const size_t chunks[] = {1, 7, 4096, 0};
    unsigned char *data = noise(100003, 1);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (size_t k = 0; k < sizeof chunks / sizeof *chunks; k++) {
            if (chunks[k] == 1 && sizes[i] > 1000)
                continue;
            struct sr_error err = SR_ERROR_INIT;
            struct sr_pipeline *p = new_pipeline(chunks[k], 3);
            struct sr_step *count = sr_step_count_new(SR_PHASE_RAW);
            struct sr_step *sha = sr_step_sha256_new(SR_PHASE_PLAIN);
            ASSERT_OK(sr_pipeline_add(p, count, &err), err);
            ASSERT_OK(sr_pipeline_add(p, sha, &err), err);
            struct memory_input in;
            memory_input_init(&in, data, sizes[i]);
            in.piece = k == 2 ? 100 : 0;
            ASSERT_OK(sr_pipeline_start(p, &in.input, &err), err);
            struct collector c[3] = {{.cap = 1}, {.cap = 1000}, {0}};
            if (sizes[i] > 1000)
                c[0].cap = 11;
            for (unsigned o = 0; o < 3; o++)
                collector_start(&c[o], p, o);
            for (unsigned o = 0; o < 3; o++) {
                collector_join(&c[o]);
                ASSERT_OK(c[o].rc, c[o].err);
                CU_ASSERT_EQUAL(c[o].got.len, sizes[i]);
                CU_ASSERT(sizes[i] == 0 || memcmp(c[o].got.data, data, sizes[i]) == 0);
                sr_buf_done(&c[o].got);
            }
            ASSERT_OK(sr_pipeline_finish(p, &err), err);
            char want[SR_SHA256_HEX], got[SR_SHA256_HEX];
            sha_hex(data, sizes[i], want);
            sr_step_sha256_result(sha, got);
            CU_ASSERT_STRING_EQUAL(got, want);
            CU_ASSERT_EQUAL(sr_step_count_result(count), sizes[i]);
            CU_ASSERT_EQUAL(sr_pipeline_taken(p), sizes[i]);
            sr_pipeline_free(p);
        }
    }
    free(data);
}

/* Adds what a backup without encryption has: count, gzip, count, digest. */
static void add_backup_steps(struct sr_pipeline *p)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_compress_options gz = {.kind = SR_COMPRESS_GZIP};
    ASSERT_OK(sr_pipeline_add(p, sr_step_count_new(SR_PHASE_RAW), &err), err);
    ASSERT_OK(sr_pipeline_add(p, sr_step_compress_new(&gz), &err), err);
    ASSERT_OK(sr_pipeline_add(p, sr_step_count_new(SR_PHASE_PLAIN), &err), err);
    ASSERT_OK(sr_pipeline_add(p, sr_step_sha256_new(SR_PHASE_PLAIN), &err), err);
}

/* Wherever the input fails, every outlet and finish say the same, and nobody hangs. */
static void input_failure_reaches_everybody(void)
{
    enum { LEN = 300000 };
    unsigned char *data = noise(LEN, 2);
    static const size_t where[] = {0, 1, 4095, 4096, 4097, LEN / 2, LEN - 1, LEN};
    for (size_t i = 0; i < sizeof where / sizeof *where; i++) {
        struct sr_error err = SR_ERROR_INIT;
        struct sr_pipeline *p = new_pipeline(4096, 2);
        add_backup_steps(p);
        struct memory_input in;
        memory_input_init(&in, data, LEN);
        in.fail_at = where[i];
        in.fail_code = SR_E_CHILD;
        ASSERT_OK(sr_pipeline_start(p, &in.input, &err), err);
        struct collector c[2] = {{0}, {.cap = 777}};
        for (unsigned o = 0; o < 2; o++)
            collector_start(&c[o], p, o);
        for (unsigned o = 0; o < 2; o++) {
            collector_join(&c[o]);
            CU_ASSERT_EQUAL(c[o].rc, SR_E_CHILD);
            CU_ASSERT_PTR_NOT_NULL(strstr(c[o].err.text, "the test's input failed"));
            sr_buf_done(&c[o].got);
        }
        CU_ASSERT_EQUAL(sr_pipeline_finish(p, &err), SR_E_CHILD);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "the test's input failed"));
        sr_pipeline_free(p);
    }
    free(data);
}

struct picky {
    size_t seen, fail_at;
    int fail_finish;
    int finished;
};

static int picky_observe(void *ctx, const void *data, size_t len, struct sr_error *err)
{
    struct picky *k = ctx;
    (void)data;
    k->seen += len;
    return k->seen > k->fail_at ? sr_fail(err, SR_E_CORRUPT, "too much at %zu", k->seen) : SR_OK;
}

static int picky_finish(void *ctx, struct sr_error *err)
{
    struct picky *k = ctx;
    k->finished++;
    return k->fail_finish ? sr_fail(err, SR_E_CORRUPT, "not at the end") : SR_OK;
}

static void observer_failure_reaches_everybody(void)
{
    enum { LEN = 100000 };
    unsigned char *data = noise(LEN, 3);
    static const enum sr_phase phases[] = {SR_PHASE_RAW, SR_PHASE_PLAIN};
    for (size_t ph = 0; ph < 2; ph++) {
        for (int at_end = 0; at_end < 2; at_end++) {
            struct sr_error err = SR_ERROR_INIT;
            struct sr_pipeline *p = new_pipeline(1024, 1);
            struct picky k = {.fail_at = at_end ? SIZE_MAX : LEN / 2, .fail_finish = at_end};
            struct sr_step *observer =
                sr_step_observe_new(phases[ph], picky_observe, picky_finish, &k);
            struct sr_compress_options gz = {.kind = SR_COMPRESS_GZIP};
            if (phases[ph] == SR_PHASE_RAW)
                ASSERT_OK(sr_pipeline_add(p, observer, &err), err);
            ASSERT_OK(sr_pipeline_add(p, sr_step_compress_new(&gz), &err), err);
            if (phases[ph] == SR_PHASE_PLAIN)
                ASSERT_OK(sr_pipeline_add(p, observer, &err), err);
            struct memory_input in;
            memory_input_init(&in, data, LEN);
            ASSERT_OK(sr_pipeline_start(p, &in.input, &err), err);
            struct collector c = {0};
            collector_start(&c, p, 0);
            collector_join(&c);
            CU_ASSERT_EQUAL(c.rc, SR_E_CORRUPT);
            CU_ASSERT_EQUAL(sr_pipeline_finish(p, &err), SR_E_CORRUPT);
            CU_ASSERT_PTR_NOT_NULL(strstr(err.text, at_end ? "not at the end" : "too much"));
            CU_ASSERT_EQUAL(k.finished, at_end);
            sr_buf_done(&c.got);
            sr_pipeline_free(p);
        }
    }
    free(data);
}

/* The observer's finish comes before any outlet sees the end. */
static void finish_comes_before_the_end(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_pipeline *p = new_pipeline(16, 1);
    struct picky k = {.fail_at = SIZE_MAX};
    ASSERT_OK(sr_pipeline_add(p, sr_step_observe_new(SR_PHASE_RAW, picky_observe, picky_finish, &k),
                              &err),
              err);
    struct memory_input in;
    memory_input_init(&in, "twelve bytes", 12);
    ASSERT_OK(sr_pipeline_start(p, &in.input, &err), err);
    char buf[64];
    size_t n = 0;
    ASSERT_OK(sr_pipeline_read(p, 0, buf, sizeof buf, -1, &n, &err), err);
    CU_ASSERT_EQUAL(n, 12);
    for (int i = 0; i < 3; i++) { /* and the end stays the end */
        n = 1;
        ASSERT_OK(sr_pipeline_read(p, 0, buf, sizeof buf, -1, &n, &err), err);
        CU_ASSERT_EQUAL(n, 0);
        CU_ASSERT_EQUAL(k.finished, 1);
    }
    sr_pipeline_leave(p, 0); /* after the end: no failure */
    ASSERT_OK(sr_pipeline_finish(p, &err), err);
    ASSERT_OK(sr_pipeline_finish(p, &err), err);
    sr_pipeline_free(p);
}

/* One outlet leaves early, one is slow: the others get everything. */
static void leaving_holds_back_nobody(void)
{
    enum { LEN = 400000 };
    unsigned char *data = noise(LEN, 4);
    struct sr_error err = SR_ERROR_INIT;
    struct sr_pipeline *p = new_pipeline(1000, 3);
    struct memory_input in;
    memory_input_init(&in, data, LEN);
    ASSERT_OK(sr_pipeline_start(p, &in.input, &err), err);
    struct collector c[3] = {{0}, {.leave_after = 5000}, {.cap = 3}};
    for (unsigned o = 0; o < 3; o++)
        collector_start(&c[o], p, o);
    for (unsigned o = 0; o < 3; o++)
        collector_join(&c[o]);
    ASSERT_OK(sr_pipeline_finish(p, &err), err);
    CU_ASSERT_EQUAL(c[0].got.len, LEN);
    CU_ASSERT(memcmp(c[0].got.data, data, LEN) == 0);
    CU_ASSERT(c[1].got.len < LEN);
    CU_ASSERT_EQUAL(c[2].got.len, LEN);
    CU_ASSERT(memcmp(c[2].got.data, data, LEN) == 0);
    char b;
    size_t n;
    CU_ASSERT_EQUAL(sr_pipeline_read(p, 1, &b, 1, -1, &n, &err), SR_E_CANCELLED);
    for (unsigned o = 0; o < 3; o++)
        sr_buf_done(&c[o].got);
    sr_pipeline_free(p);
    free(data);
}

static void all_leaving_cancels(void)
{
    struct sr_error err = SR_ERROR_INIT;
    unsigned char *data = noise(1 << 20, 5);
    struct sr_pipeline *p = new_pipeline(1000, 2);
    struct memory_input in;
    memory_input_init(&in, data, 1 << 20);
    ASSERT_OK(sr_pipeline_start(p, &in.input, &err), err);
    sr_pipeline_leave(p, 0);
    sr_pipeline_leave(p, 0);
    sr_pipeline_leave(p, 1);
    CU_ASSERT_EQUAL(sr_pipeline_finish(p, &err), SR_E_CANCELLED);
    sr_pipeline_free(p);
    free(data);
}

/* Blocks until it is interrupted, as a read from a pipe would. */
struct stuck {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    int interrupted;
    int given;
};

static int stuck_read(void *ctx, void *buf, size_t cap, size_t *ret_len, struct sr_error *err)
{
    struct stuck *s = ctx;
    if (s->given-- > 0) {
        memset(buf, 'x', cap);
        *ret_len = cap;
        return SR_OK;
    }
    pthread_mutex_lock(&s->lock);
    while (!s->interrupted)
        pthread_cond_wait(&s->cond, &s->lock);
    pthread_mutex_unlock(&s->lock);
    return sr_fail(err, SR_E_CANCELLED, "the read was interrupted");
}

static void stuck_interrupt(void *ctx)
{
    struct stuck *s = ctx;
    pthread_mutex_lock(&s->lock);
    s->interrupted = 1;
    pthread_cond_broadcast(&s->cond);
    pthread_mutex_unlock(&s->lock);
}

static void reading_times_out_and_cancel_interrupts(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct stuck s = {.lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER};
    struct sr_input input = {.read = stuck_read, .interrupt = stuck_interrupt, .ctx = &s};
    struct sr_pipeline *p = new_pipeline(100, 1);
    add_backup_steps(p);
    char b[8];
    size_t n = 99;
    CU_ASSERT_EQUAL(sr_pipeline_read(p, 0, b, sizeof b, 0, &n, &err), SR_E_INTERNAL);
    ASSERT_OK(sr_pipeline_start(p, &input, &err), err);
    CU_ASSERT_EQUAL(sr_pipeline_read(p, 0, b, sizeof b, 0, &n, &err), SR_E_AGAIN);
    CU_ASSERT_EQUAL(sr_pipeline_read(p, 0, b, sizeof b, 5, &n, &err), SR_E_AGAIN);
    CU_ASSERT_EQUAL(n, 99);
    struct sr_error why = SR_ERROR_INIT;
    sr_fail(&why, SR_E_TIMEOUT, "stalled");
    sr_pipeline_cancel(p, &why);
    sr_pipeline_cancel(p, NULL); /* the first one counts */
    CU_ASSERT_EQUAL(sr_pipeline_read(p, 0, b, sizeof b, -1, &n, &err), SR_E_TIMEOUT);
    CU_ASSERT_EQUAL(sr_pipeline_finish(p, &err), SR_E_TIMEOUT);
    CU_ASSERT_STRING_EQUAL(err.text, "stalled");
    sr_pipeline_free(p);
}

static void freeing_a_running_pipeline_ends_it(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct stuck s = {
        .lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER, .given = 50};
    struct sr_input input = {.read = stuck_read, .interrupt = stuck_interrupt, .ctx = &s};
    struct sr_pipeline *p = new_pipeline(100, 1);
    add_backup_steps(p);
    ASSERT_OK(sr_pipeline_start(p, &input, &err), err);
    sr_pipeline_free(p);
    CU_ASSERT(s.interrupted);
    p = new_pipeline(100, 1);
    add_backup_steps(p);
    sr_pipeline_free(p); /* never started */
    sr_pipeline_free(NULL);
}

static void cancelling_before_the_start(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_pipeline *p = new_pipeline(100, 1);
    struct memory_input in;
    memory_input_init(&in, "x", 1);
    sr_pipeline_cancel(p, NULL);
    CU_ASSERT_EQUAL(sr_pipeline_start(p, &in.input, &err), SR_E_CANCELLED);
    CU_ASSERT_EQUAL(sr_pipeline_finish(p, &err), SR_E_CANCELLED);
    sr_pipeline_free(p);
}

static void wrong_use_is_refused(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_pipeline *p = NULL;
    struct sr_pipeline_options o = {0};
    CU_ASSERT_EQUAL(sr_pipeline_new(&o, &p, &err), SR_E_INTERNAL);
    CU_ASSERT_PTR_NULL(p);
    p = new_pipeline(0, 1);
    CU_ASSERT_EQUAL(sr_pipeline_add(p, NULL, &err), SR_E_NO_MEMORY);
    ASSERT_OK(sr_pipeline_add(p, sr_step_count_new(SR_PHASE_STORED), &err), err);
    struct sr_compress_options gz = {.kind = SR_COMPRESS_GZIP};
    CU_ASSERT_EQUAL(sr_pipeline_add(p, sr_step_compress_new(&gz), &err), SR_E_INTERNAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "compress"));
    CU_ASSERT_EQUAL(sr_pipeline_finish(p, &err), SR_E_INTERNAL);
    sr_pipeline_free(p);
    p = new_pipeline(0, 1);
    gz.level = 77;
    ASSERT_OK(sr_pipeline_add(p, sr_step_compress_new(&gz), &err), err);
    struct memory_input in;
    memory_input_init(&in, "x", 1);
    CU_ASSERT_EQUAL(sr_pipeline_start(p, &in.input, &err), SR_E_CONFIG);
    sr_pipeline_free(p);
}

/* Reads for ever, so that a cancellation finds the pipeline at any point of its work. */
static int endless_read(void *ctx, void *buf, size_t cap, size_t *ret_len, struct sr_error *err)
{
    atomic_int *stop = ctx;
    (void)err;
    if (*stop)
        return sr_fail(err, SR_E_CANCELLED, "interrupted");
    memset(buf, 'e', cap);
    *ret_len = cap;
    return SR_OK;
}

static void endless_interrupt(void *ctx)
{
    *(atomic_int *)ctx = 1;
}

static void *cancel_main(void *arg)
{
    struct sr_pipeline *p = arg;
    /* Between nothing and a few hundred steps of the others, by how the threads happen to run. */
    for (uint64_t until = sr_pipeline_taken(p) + (uintptr_t)p % 60000;
         sr_pipeline_taken(p) < until;)
        sched_yield();
    sr_pipeline_cancel(p, NULL);
    return NULL;
}

static void cancelling_at_any_moment(void)
{
    for (int round = 0; round < 150; round++) {
        struct sr_error err = SR_ERROR_INIT;
        atomic_int stop = 0;
        struct sr_input input = {
            .read = endless_read, .interrupt = endless_interrupt, .ctx = &stop};
        struct sr_pipeline *p = new_pipeline((size_t)(round % 5) * 300 + 16, 2);
        add_backup_steps(p);
        ASSERT_OK(sr_pipeline_start(p, &input, &err), err);
        struct collector c[2] = {{0}, {.leave_after = (size_t)round}};
        pthread_t thread;
        for (unsigned o = 0; o < 2; o++)
            collector_start(&c[o], p, o);
        CU_ASSERT_EQUAL(pthread_create(&thread, NULL, cancel_main, p), 0);
        (void)pthread_join(thread, NULL);
        for (unsigned o = 0; o < 2; o++) {
            collector_join(&c[o]);
            sr_buf_done(&c[o].got);
        }
        CU_ASSERT_EQUAL(c[0].rc, SR_E_CANCELLED);
        CU_ASSERT_EQUAL(sr_pipeline_finish(p, &err), SR_E_CANCELLED);
        sr_pipeline_free(p);
    }
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"bytes arrive whole", bytes_arrive_whole},
        {"input failure reaches everybody", input_failure_reaches_everybody},
        {"observer failure reaches everybody", observer_failure_reaches_everybody},
        {"finish comes before the end", finish_comes_before_the_end},
        {"leaving holds back nobody", leaving_holds_back_nobody},
        {"all leaving cancels", all_leaving_cancels},
        {"reading times out and cancel interrupts", reading_times_out_and_cancel_interrupts},
        {"freeing a running pipeline ends it", freeing_a_running_pipeline_ends_it},
        {"cancelling before the start", cancelling_before_the_start},
        {"wrong use is refused", wrong_use_is_refused},
        {"cancelling at any moment", cancelling_at_any_moment},
        {NULL, NULL}};
    return unit_main("pipeline", tests);
}
