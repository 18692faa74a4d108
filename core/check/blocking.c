/* Calls that wait: they end when they are cancelled and when their time is up. */
#include "config.h"
#include "core/check/check.h"

#include <pthread.h>
#include <semaphore.h>

#define MIB (UINT64_C(1) << 20)
#define SECOND_NS UINT64_C(1000000000)

struct blocked {
    struct check *c;
    sem_t waiting;
    unsigned agains;
};

/* A source that has nothing more to give, for ever. */
static int block_here(struct source *s)
{
    struct blocked *b = s->ctx;
    /* A plugin that never looks up must not hang the whole suite. */
    if (++b->agains > 4000)
        return 0;
    if (b->agains == 3)
        (void)sem_post(&b->waiting);
    return 1;
}

static void *cancel_thread(void *ctx)
{
    struct blocked *b = ctx;
    while (sem_wait(&b->waiting) != 0)
        continue;
    sr_host_cancel(b->c->a.host);
    if (b->c->t->cancel)
        b->c->t->cancel(b->c->a.handle);
    return NULL;
}

static void check_cancel_blocked(struct check *c)
{
    char key[SR_STORAGE_KEY_MAX];
    struct blocked b = {.c = c};
    struct source s = SOURCE(2 * MIB, 3);
    pthread_t thread;
    s.hook = block_here;
    s.hook_at = MIB;
    s.ctx = &b;
    if (sem_init(&b.waiting, 0, 0) != 0 || pthread_create(&thread, NULL, cancel_thread, &b) != 0) {
        check_that(c, 0, "a thread can be made");
        return;
    }
    int32_t code = call_save(c, &c->a, check_key(c, "blocked", key), &s, s.size, 0, NULL);
    (void)sem_post(&b.waiting);
    (void)pthread_join(thread, NULL);
    (void)sem_destroy(&b.waiting);
    sr_host_resume(c->a.host);
    check_that(c, code == SR_STORAGE_E_CANCELLED && check_left_nothing(c, key),
               "a save that waits for bytes is cancelled from another thread (code %d)", (int)code);
}

static int never(struct source *s)
{
    struct blocked *b = s->ctx;
    return ++b->agains <= 4000;
}

static void check_deadline(struct check *c)
{
    char key[SR_STORAGE_KEY_MAX];
    struct blocked b = {.c = c};
    struct source s = SOURCE(2 * MIB, 4);
    s.hook = never;
    s.hook_at = MIB;
    s.ctx = &b;
    uint64_t end = (uint64_t)sr_clock_monotonic(&sr_clock_system) + SECOND_NS / 2;
    sr_host_deadline(c->a.host, end);
    int32_t code = call_save(c, &c->a, check_key(c, "deadline", key), &s, s.size, 0, NULL);
    uint64_t now = (uint64_t)sr_clock_monotonic(&sr_clock_system);
    sr_host_deadline(c->a.host, 0);
    check_that(
        c, code == SR_STORAGE_E_TIMEOUT && now < end + 10 * SECOND_NS && check_left_nothing(c, key),
        "a save whose deadline passes is a timeout and leaves nothing (code %d)", (int)code);
}

void check_blocking(struct check *c)
{
    check_cancel_blocked(c);
    check_deadline(c);
}
