/* Two savers of one key. */
#include "config.h"
#include "core/check/check.h"

#include <pthread.h>

#define ROUNDS 20
#define SIZE UINT64_C(300000)

struct racer {
    struct check *c;
    struct check_handle *h;
    const char *key;
    pthread_barrier_t *start;
    uint64_t seed;
    int32_t code;
};

/* Both come to their ends at the same moment. */
static int wait_here(struct source *s)
{
    struct racer *r = s->ctx;
    s->hook = NULL;
    (void)pthread_barrier_wait(r->start);
    return 0;
}

static void *race(void *ctx)
{
    struct racer *r = ctx;
    struct source s = SOURCE(SIZE, r->seed);
    s.hook = wait_here;
    s.hook_at = SIZE;
    s.ctx = r;
    r->code = call_save(r->c, r->h, r->key, &s, SIZE, 0, NULL);
    if (s.hook)
        (void)pthread_barrier_wait(r->start); /* refused before its end: the other must not wait */
    return NULL;
}

static int round_is_good(struct check *c, const struct racer *x, const struct racer *y)
{
    int strict = (c->a.caps & SR_CAP_ATOMIC_CREATE) != 0;
    int wins = (x->code == SR_STORAGE_OK) + (y->code == SR_STORAGE_OK);
    const struct racer *loser = x->code == SR_STORAGE_OK ? y : x;
    if (wins == 0 || (strict && (wins != 1 || loser->code != SR_STORAGE_E_EXISTS))) {
        check_note(c, "the savers came back with the codes %d and %d", (int)x->code, (int)y->code);
        return 0;
    }
    if (wins == 1)
        return check_holds(c, x->key, SIZE, x->code == SR_STORAGE_OK ? x->seed : y->seed);
    struct sink s = SINK(x->seed, 0);
    int32_t code = call_fetch(c, &c->a, x->key, 0, SR_STORAGE_SIZE_UNKNOWN, &s);
    return (code == SR_STORAGE_OK && !s.wrong && s.count == SIZE) ||
           check_holds(c, x->key, SIZE, y->seed);
}

void check_racing(struct check *c)
{
    const char *what = c->a.caps & SR_CAP_ATOMIC_CREATE
                           ? "of two savers of one key exactly one succeeds, whole"
                           : "of two savers of one key at least one succeeds, whole";
    if (!c->b.handle) {
        check_skip(c, what, "needs a second handle");
        return;
    }
    char key[SR_STORAGE_KEY_MAX];
    pthread_barrier_t start;
    int good = 1;
    if (pthread_barrier_init(&start, NULL, 2) != 0)
        good = 0;
    for (unsigned i = 0; good && i < ROUNDS; i++) {
        check_key(c, "race", key);
        struct racer x = {c, &c->a, key, &start, 1000 + i, -1};
        struct racer y = {c, &c->b, key, &start, 2000 + i, -1};
        pthread_t thread;
        good = pthread_create(&thread, NULL, race, &y) == 0;
        if (!good)
            break;
        (void)race(&x);
        (void)pthread_join(thread, NULL);
        good = round_is_good(c, &x, &y);
    }
    check_that(c, good, "%s", what);
}
