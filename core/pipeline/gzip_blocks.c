#include "config.h"
#include "core/pipeline/gzip_blocks.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Independent blocks lose matches across their borders: at 512 KiB that costs about half a percent
 * of the size. */
#define BLOCK (512u << 10)
/* What does not compress is stored with 5 bytes a 64 KiB; the rest is for flush markers. */
#define BLOCK_OUT (BLOCK + BLOCK / 16 + 4096)

struct job {
    unsigned char *in, *out;
    size_t in_len, out_len;
    uint32_t crc;
    int last;
    int done;
    int failed;
};

struct worker {
    struct blocks *blocks;
    struct sr_deflater *deflater;
    pthread_t thread;
    int running;
};

/* Jobs form a ring; written <= taken <= filled, all counted from the start. */
struct blocks {
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    struct job *jobs;
    size_t jobs_len;
    uint64_t filled, taken, written;
    int stop;
    struct worker *workers;
    unsigned workers_len;
    uint32_t crc;
    uint32_t size; /* modulo 2^32, as gzip has it */
};

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    struct blocks *b = w->blocks;
    pthread_mutex_lock(&b->lock);
    for (;;) {
        while (!b->stop && b->taken == b->filled)
            pthread_cond_wait(&b->work, &b->lock);
        if (b->stop)
            break;
        struct job *j = &b->jobs[b->taken++ % b->jobs_len];
        pthread_mutex_unlock(&b->lock);
        j->crc = (uint32_t)crc32(0, j->in, (uInt)j->in_len);
        j->failed = w->deflater->block(w->deflater, j->in, j->in_len, j->last, j->out, BLOCK_OUT,
                                       &j->out_len);
        pthread_mutex_lock(&b->lock);
        j->done = 1;
        pthread_cond_signal(&b->done);
    }
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

static void blocks_stop(struct blocks *b)
{
    pthread_mutex_lock(&b->lock);
    b->stop = 1;
    pthread_cond_broadcast(&b->work);
    pthread_mutex_unlock(&b->lock);
    for (unsigned i = 0; i < b->workers_len; i++) {
        if (b->workers[i].running)
            (void)pthread_join(b->workers[i].thread, NULL);
        if (b->workers[i].deflater)
            b->workers[i].deflater->free(b->workers[i].deflater);
    }
    for (size_t i = 0; b->jobs && i < b->jobs_len; i++)
        free(b->jobs[i].in);
    free(b->jobs);
    free(b->workers);
    pthread_cond_destroy(&b->work);
    pthread_cond_destroy(&b->done);
    pthread_mutex_destroy(&b->lock);
}

static struct sr_deflater *deflater_new(int level, int isal)
{
#ifdef HAVE_ISAL
    if (isal)
        return sr_deflater_isal_new(level);
#else
    (void)isal;
#endif
    return sr_deflater_zlib_new(level);
}

static int blocks_start(struct blocks *b, int level, int isal, unsigned threads,
                        struct sr_error *err)
{
    *b = (struct blocks){.jobs_len = threads + 2, .workers_len = threads};
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->work, NULL);
    pthread_cond_init(&b->done, NULL);
    b->jobs = calloc(b->jobs_len, sizeof *b->jobs);
    b->workers = calloc(threads, sizeof *b->workers);
    if (!b->workers)
        b->workers_len = 0;
    int ok = b->jobs && b->workers;
    for (size_t i = 0; ok && i < b->jobs_len; i++) {
        b->jobs[i].in = malloc(BLOCK + BLOCK_OUT);
        ok = b->jobs[i].in != NULL;
        if (ok)
            b->jobs[i].out = b->jobs[i].in + BLOCK;
    }
    for (unsigned i = 0; ok && i < threads; i++) {
        b->workers[i].blocks = b;
        b->workers[i].deflater = deflater_new(level, isal);
        ok = b->workers[i].deflater != NULL;
    }
    if (!ok)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory for %u compression threads", threads);
    for (unsigned i = 0; i < threads; i++) {
        int e = pthread_create(&b->workers[i].thread, NULL, worker_main, &b->workers[i]);
        if (e != 0)
            return sr_fail_errno(err, e, "cannot start compression thread %u", i + 1);
        b->workers[i].running = 1;
    }
    return SR_OK;
}

/* Waits for the oldest job and writes it. */
static int write_oldest(struct blocks *b, struct sr_flow *f, struct sr_error *err)
{
    struct job *j = &b->jobs[b->written % b->jobs_len];
    pthread_mutex_lock(&b->lock);
    while (!j->done)
        pthread_cond_wait(&b->done, &b->lock);
    pthread_mutex_unlock(&b->lock);
    b->written++;
    if (j->failed)
        return sr_fail(err, SR_E_INTERNAL, "a block of %zu bytes could not be compressed",
                       j->in_len);
    b->crc = (uint32_t)crc32_combine(b->crc, j->crc, (z_off_t)j->in_len);
    b->size += (uint32_t)j->in_len;
    return sr_flow_write(f, j->out, j->out_len, err);
}

/* A job to fill, after writing what stands in its place. */
static int job_get(struct blocks *b, struct sr_flow *f, struct job **ret, struct sr_error *err)
{
    if (b->filled - b->written == b->jobs_len) {
        int rc = write_oldest(b, f, err);
        if (rc != SR_OK)
            return rc;
    }
    struct job *j = &b->jobs[b->filled % b->jobs_len];
    j->in_len = 0;
    j->done = 0;
    *ret = j;
    return SR_OK;
}

static void job_submit(struct blocks *b, struct job *j, int last)
{
    pthread_mutex_lock(&b->lock);
    j->last = last;
    b->filled++;
    pthread_cond_signal(&b->work);
    pthread_mutex_unlock(&b->lock);
}

static int blocks_feed(struct blocks *b, struct sr_flow *f, struct sr_error *err)
{
    struct job *j = NULL;
    int rc = job_get(b, f, &j, err);
    while (rc == SR_OK) {
        const unsigned char *data = NULL;
        size_t len = 0;
        rc = sr_flow_take(f, &data, &len, err);
        if (rc != SR_OK || len == 0)
            break;
        while (rc == SR_OK && len > 0) {
            size_t n = len < BLOCK - j->in_len ? len : BLOCK - j->in_len;
            memcpy(j->in + j->in_len, data, n);
            j->in_len += n;
            data += n;
            len -= n;
            if (j->in_len == BLOCK) {
                job_submit(b, j, 0);
                rc = job_get(b, f, &j, err);
            }
        }
    }
    if (rc != SR_OK)
        return rc;
    job_submit(b, j, 1);
    while (rc == SR_OK && b->written < b->filled)
        rc = write_oldest(b, f, err);
    return rc;
}

static void put_le32(unsigned char *to, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        to[i] = (unsigned char)(v >> (8 * i));
}

int sr_gzip_blocks_run(int level, int isal, unsigned threads, struct sr_flow *f,
                       struct sr_error *err)
{
    /* magic, deflate, no flags, no time, no hint, system unknown */
    static const unsigned char header[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff};
    struct blocks b;
    int rc = blocks_start(&b, level, isal, threads, err);
    if (rc == SR_OK)
        rc = sr_flow_write(f, header, sizeof header, err);
    if (rc == SR_OK)
        rc = blocks_feed(&b, f, err);
    if (rc == SR_OK) {
        unsigned char trailer[8];
        put_le32(trailer, b.crc);
        put_le32(trailer + 4, b.size);
        rc = sr_flow_write(f, trailer, sizeof trailer, err);
    }
    blocks_stop(&b);
    return rc;
}
