/* A host for tests of plugins/common: its clock, randomness, settings and cancellation are the
 * test's.
 *
 *     struct test_host h;
 *     test_host_init(&h);             real clocks, no settings, no deadline, random bits all ones
 *     h.wall = 1000;                  nonzero: host->now is this
 *     h.settings = (const char *[]){"token", "abc", NULL};
 *     h.unreadable = "secret";        that one cannot be read, and the error is set, as hosts do
 *     h.hasty = 1;                    no wait takes any time: a line of the log that says "again in
 *                                     N ms" sets the monotonic clock forward by N
 *     ... h.host is the struct sr_storage_host ...  h.log.data: "level text\n" of each line
 *     test_host_cancel(&h);           from any thread
 *     test_host_done(&h); */
#ifndef SR_TESTS_CLOUD_HOST_H
#define SR_TESTS_CLOUD_HOST_H

#include "common/buf.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct test_host {
    struct sr_storage_host host; /* first */
    int64_t wall;
    uint64_t deadline; /* monotonic ns */
    uint32_t random;
    int hasty;
    _Atomic uint64_t ahead; /* of the monotonic clock, ns */
    const char *const *settings;
    const char *unreadable;
    atomic_int cancelled;
    int fd;
    pthread_mutex_t lock;
    struct sc_buf log;
    int32_t code;
    char text[1024];
};

static inline struct test_host *test_host_of(const struct sr_storage_host *host)
{
    return (struct test_host *)(uintptr_t)host;
}

static inline uint64_t test_monotonic(const struct sr_storage_host *host)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec +
           (host ? atomic_load(&test_host_of(host)->ahead) : 0);
}

static inline uint64_t test_ms(void)
{
    return test_monotonic(NULL) / 1000000;
}

static inline void test_set_error(const struct sr_storage_host *host, int32_t code,
                                  const char *text)
{
    struct test_host *h = test_host_of(host);
    h->code = code;
    (void)snprintf(h->text, sizeof h->text, "%s", text);
}

static inline void test_log(const struct sr_storage_host *host, int32_t level, const char *text)
{
    struct test_host *h = test_host_of(host);
    const char *wait = h->hasty ? strstr(text, "again in ") : NULL;
    if (wait)
        atomic_fetch_add(&h->ahead, strtoull(wait + 9, NULL, 10) * 1000000);
    (void)pthread_mutex_lock(&h->lock);
    sc_buf_addf(&h->log, "%d %s\n", level, text);
    (void)pthread_mutex_unlock(&h->lock);
}

static inline void test_progress(const struct sr_storage_host *host, uint64_t bytes)
{
    (void)host, (void)bytes;
}

static inline int64_t test_now(const struct sr_storage_host *host)
{
    struct test_host *h = test_host_of(host);
    return h->wall ? h->wall : (int64_t)time(NULL);
}

static inline int32_t test_random(const struct sr_storage_host *host, void *buf, uint64_t len)
{
    for (uint64_t i = 0; i < len; i++)
        ((uint8_t *)buf)[i] = (uint8_t)(test_host_of(host)->random >> (8 * (i % 4)));
    return SR_STORAGE_OK;
}

static inline int64_t test_setting(const struct sr_storage_host *host, const char *key, char *buf,
                                   uint64_t cap)
{
    const char *const *s = test_host_of(host)->settings;
    const char *unreadable = test_host_of(host)->unreadable;
    if (unreadable && strcmp(unreadable, key) == 0) {
        test_set_error(host, SR_STORAGE_E_CONFIG, "store s3: BACKUP_S3_..._FILE names no file");
        return -2;
    }
    for (; s && *s; s += 2) {
        size_t n = strlen(s[1]);
        if (strcmp(s[0], key) != 0)
            continue;
        if (n < cap)
            memcpy(buf, s[1], n + 1);
        return (int64_t)n;
    }
    return -1;
}

static inline int32_t test_is_cancelled(const struct sr_storage_host *host)
{
    return atomic_load(&test_host_of(host)->cancelled);
}

static inline int32_t test_cancel_fd(const struct sr_storage_host *host)
{
    return test_host_of(host)->fd;
}

static inline uint64_t test_deadline(const struct sr_storage_host *host)
{
    return test_host_of(host)->deadline;
}

static inline void test_host_init(struct test_host *h)
{
    *h = (struct test_host){
        .host = {.size = sizeof h->host,
                 .api_version = SR_STORAGE_API_VERSION,
                 .set_error = test_set_error,
                 .log = test_log,
                 .progress = test_progress,
                 .now = test_now,
                 .monotonic = test_monotonic,
                 .random = test_random,
                 .setting = test_setting,
                 .is_cancelled = test_is_cancelled,
                 .cancel_fd = test_cancel_fd,
                 .deadline = test_deadline},
        .random = UINT32_MAX,
        .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
        .log = SC_BUF_INIT(1 << 20),
    };
    (void)pthread_mutex_init(&h->lock, NULL);
}

static inline void test_host_cancel(struct test_host *h)
{
    uint64_t one = 1;
    atomic_store(&h->cancelled, 1);
    if (write(h->fd, &one, sizeof one) != (ssize_t)sizeof one)
        perror("eventfd");
}

static inline void test_host_done(struct test_host *h)
{
    (void)close(h->fd);
    sc_buf_done(&h->log);
    (void)pthread_mutex_destroy(&h->lock);
}

#endif
