/* For tests of pipelines: an input out of memory that can fail anywhere, and readers that collect.
 */
#ifndef SR_TESTS_PIPELINE_UTIL_H
#define SR_TESTS_PIPELINE_UTIL_H

#include "core/pipeline/step.h"
#include "core/util/buf.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOB_MAX ((size_t)1 << 30)

/* Gives data in pieces; after fail_at bytes it fails with fail_code instead of going on. */
struct memory_input {
    const unsigned char *data;
    size_t len, at;
    size_t piece; /* 0: as much as fits */
    size_t fail_at;
    int fail_code;
    struct sr_input input;
};

static int memory_read(void *ctx, void *buf, size_t cap, size_t *ret_len, struct sr_error *err)
{
    struct memory_input *m = ctx;
    size_t n = m->len - m->at;
    if (m->fail_code != 0 && m->at >= m->fail_at)
        return sr_fail(err, m->fail_code, "the test's input failed at %zu", m->at);
    if (m->fail_code != 0 && n > m->fail_at - m->at)
        n = m->fail_at - m->at;
    if (n > cap)
        n = cap;
    if (m->piece > 0 && n > m->piece)
        n = m->piece;
    if (n > 0)
        memcpy(buf, m->data + m->at, n);
    m->at += n;
    *ret_len = n;
    return SR_OK;
}

static inline void memory_input_init(struct memory_input *m, const void *data, size_t len)
{
    *m = (struct memory_input){.data = data, .len = len};
    m->input = (struct sr_input){.read = memory_read, .ctx = m};
}

/* One outlet read to its end on a thread of its own. */
struct collector {
    struct sr_pipeline *p;
    unsigned outlet;
    size_t cap;         /* of each read; 0: 64 KiB */
    size_t leave_after; /* bytes; 0: never */
    struct sr_buf got;
    int rc;
    struct sr_error err;
    pthread_t thread;
};

static void *collect(void *arg)
{
    struct collector *c = arg;
    char buf[65536];
    size_t cap = c->cap ? c->cap : sizeof buf;
    for (;;) {
        size_t n = 0;
        c->rc = sr_pipeline_read(c->p, c->outlet, buf, cap, -1, &n, &c->err);
        if (c->rc != SR_OK || n == 0)
            return NULL;
        if (sr_buf_add(&c->got, buf, n) != SR_OK)
            abort();
        if (c->leave_after > 0 && c->got.len >= c->leave_after) {
            sr_pipeline_leave(c->p, c->outlet);
            return NULL;
        }
    }
}

static inline void collector_start(struct collector *c, struct sr_pipeline *p, unsigned outlet)
{
    c->p = p;
    c->outlet = outlet;
    sr_buf_init(&c->got, BLOB_MAX);
    if (pthread_create(&c->thread, NULL, collect, c) != 0)
        abort();
}

static inline void collector_join(struct collector *c)
{
    (void)pthread_join(c->thread, NULL);
}

/* Runs data through steps (n of them, taken) with one outlet; the result is appended to out. */
static inline int run_steps(const void *data, size_t len, size_t chunk, struct sr_step **steps,
                            size_t n, struct sr_buf *out, struct sr_error *err)
{
    struct sr_pipeline_options o = {.chunk_size = chunk, .outlets = 1};
    struct sr_pipeline *p = NULL;
    struct memory_input in;
    memory_input_init(&in, data, len);
    int rc = sr_pipeline_new(&o, &p, err);
    for (size_t i = 0; rc == SR_OK && i < n; i++)
        rc = sr_pipeline_add(p, steps[i], err);
    if (rc == SR_OK)
        rc = sr_pipeline_start(p, &in.input, err);
    if (rc == SR_OK) {
        struct collector c = {0};
        collector_start(&c, p, 0);
        collector_join(&c);
        rc = sr_pipeline_finish(p, err);
        if (rc != c.rc)
            abort(); /* an outlet must see what finish says */
        if (rc == SR_OK && sr_buf_add(out, c.got.data, c.got.len) != SR_OK)
            abort();
        sr_buf_done(&c.got);
    }
    sr_pipeline_free(p);
    return rc;
}

/* Like run_steps with a single step. */
static inline int run_step(const void *data, size_t len, size_t chunk, struct sr_step *s,
                           struct sr_buf *out, struct sr_error *err)
{
    return run_steps(data, len, chunk, &s, 1, out, err);
}

/* Bytes that compress about as well as a dump does; the same for the same seed. */
static inline unsigned char *dump_like(size_t len, uint64_t seed)
{
    unsigned char *b = malloc(len + 64);
    if (!b)
        abort();
    uint64_t x = seed * 2862933555777941757u + 3037000493u;
    for (size_t at = 0; at < len;) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        int n = snprintf((char *)b + at, 64, "%llu\tuser%llu@example.org\t%s\n",
                         (unsigned long long)(at / 30), (unsigned long long)((x >> 33) % 1000000),
                         (x >> 20) & 1 ? "t" : "f");
        at += (size_t)n;
    }
    return b;
}

static inline unsigned char *noise(size_t len, uint64_t seed)
{
    unsigned char *b = malloc(len + 1);
    if (!b)
        abort();
    uint64_t x = seed + 88172645463325252u;
    for (size_t i = 0; i < len; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        b[i] = (unsigned char)(x >> 32);
    }
    return b;
}

#endif
