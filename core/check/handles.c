/* Several handles, the same call over and over, and structs from a later header. */
#include "config.h"
#include "core/check/check.h"

#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define HANDLES 8
#define ROUNDS 16
#define SIZE UINT64_C(200000)

/* --- at once --- */

struct worker {
    struct check *c;
    struct check_handle *h;
    uint64_t seed;
    char keys[ROUNDS][SR_STORAGE_KEY_MAX];
    int good;
};

static void *work(void *ctx)
{
    struct worker *w = ctx;
    w->good = 1;
    for (unsigned i = 0; w->good && i < ROUNDS; i++) {
        struct source s = SOURCE(SIZE + i, w->seed + i);
        struct sink got = SINK(w->seed + i, 0);
        struct sr_storage_deletion d;
        w->good =
            call_save(w->c, w->h, w->keys[i], &s, SIZE + i, 0, NULL) == SR_STORAGE_OK &&
            call_fetch(w->c, w->h, w->keys[i], 0, SR_STORAGE_SIZE_UNKNOWN, &got) == SR_STORAGE_OK &&
            !got.wrong && got.count == SIZE + i &&
            call_delete(w->c, w->h, w->keys[i], &d) == SR_STORAGE_OK;
    }
    return NULL;
}

static void check_at_once(struct check *c)
{
    static struct worker x, y;
    const char *what = "two handles save, fetch and delete at once, each its own";
    pthread_t thread;
    if (!c->b.handle) {
        check_skip(c, what, "the plugin bears one handle only");
        return;
    }
    x = (struct worker){.c = c, .h = &c->a, .seed = 5000};
    y = (struct worker){.c = c, .h = &c->b, .seed = 6000};
    for (unsigned i = 0; i < ROUNDS; i++) {
        check_key(c, "one", x.keys[i]);
        check_key(c, "other", y.keys[i]);
    }
    if (pthread_create(&thread, NULL, work, &y) != 0) {
        check_that(c, 0, "a thread can be made");
        return;
    }
    (void)work(&x);
    (void)pthread_join(thread, NULL);
    check_that(c, x.good && y.good, "%s", what);
}

static void check_most(struct check *c)
{
    struct check_handle more[HANDLES] = {{0}};
    struct sr_error err = SR_ERROR_INIT;
    unsigned open = 1 + (c->b.handle != NULL), made = 0;
    uint64_t most = c->t->max_handles && c->t->max_handles < HANDLES ? c->t->max_handles : HANDLES;
    int good = 1;
    for (; good && open < most; open++)
        if ((good = check_open(c, &more[made], NULL, &err) == SR_OK))
            made++;
        else
            check_note(c, "handle %u: %s", open + 1, err.text);
    for (unsigned i = 0; i < made; i++) {
        char key[SR_STORAGE_KEY_MAX];
        struct source s = SOURCE(10, i);
        good &=
            call_save(c, &more[i], check_key(c, "handle", key), &s, 10, 0, NULL) == SR_STORAGE_OK &&
            check_holds(c, key, 10, i);
    }
    for (unsigned i = made; i-- > 0;)
        check_close(c, &more[i]);
    check_that(c, good,
               "%" PRIu64
               " handles can be open at once and each of them works (max_handles %" PRIu64 ")",
               most, c->t->max_handles);
}

/* --- over and over --- */

static size_t in_use(void)
{
    const struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

static int count_nothing(void *ctx, const struct sr_storage_entry *e)
{
    (void)ctx;
    (void)e;
    return 0;
}

/* So that a store that keeps versions keeps none of these. */
static const char *version_of(const struct check *c, const struct sr_storage_saved *saved)
{
    int known = (c->a.caps & SR_CAP_VERSIONS) && (saved->confirmed & SR_STORAGE_CONFIRMED_VERSION);
    return known ? saved->version : NULL;
}

static int one_round(struct check *c, const char *key)
{
    struct source s = SOURCE(70000, 3), bad = SOURCE(70000, 3);
    struct sink got = SINK(3, 0), none = SINK(3, 0);
    struct sr_storage_saved saved;
    struct sr_storage_deletion d;
    bad.fail_at = 60000;
    return call_save(c, &c->a, key, &bad, 70000, 0, NULL) != SR_STORAGE_OK &&
           call_save(c, &c->a, key, &s, 70000, 0, &saved) == SR_STORAGE_OK &&
           call_list(c, &c->a, key, "", count_nothing, NULL) == SR_STORAGE_OK &&
           call_fetch(c, &c->a, key, 0, SR_STORAGE_SIZE_UNKNOWN, &got) == SR_STORAGE_OK &&
           call_delete_version(c, &c->a, key, version_of(c, &saved), &d) == SR_STORAGE_OK &&
           call_fetch(c, &c->a, key, 0, SR_STORAGE_SIZE_UNKNOWN, &none) != SR_STORAGE_OK;
}

static int open_and_close(struct check *c, const char *key)
{
    struct check_handle h = {0};
    (void)key;
    if (check_open(c, &h, NULL, NULL) != SR_OK)
        return 0;
    check_close(c, &h);
    return 1;
}

struct batch {
    struct check *c;
    int (*round)(struct check *c, const char *key);
    char key[SR_STORAGE_KEY_MAX];
    int good;
};

static void *batch_run(void *ctx)
{
    struct batch *b = ctx;
    b->good = 1;
    for (unsigned i = 0; i < ROUNDS && b->good; i++)
        b->good = b->round(b->c, b->key);
    return NULL;
}

/* A cache fills once; a leak grows in every batch. Each batch has a thread of its own, since glibc
 * counts as in use what was freed and lies in the thread's own cache (tcache), until that ends: up
 * to seven blocks of each of 64 sizes, which fill for many rounds where sizes differ a little. */
static int grows(struct check *c, int (*round)(struct check *, const char *), size_t *ret_least)
{
    enum { BATCHES = 4 };
    struct batch b = {.c = c, .round = round};
    check_key(c, "round", b.key);
    *ret_least = SIZE_MAX;
    for (unsigned batch = 0; batch < BATCHES; batch++) {
        size_t before = in_use(), own = c->own;
        pthread_t thread;
        if (pthread_create(&thread, NULL, batch_run, &b) != 0)
            return -1;
        (void)pthread_join(thread, NULL);
        if (!b.good)
            return -1;
        size_t after = in_use() - (c->own - own), more = after > before ? after - before : 0;
        if (batch > 0 && more < *ret_least)
            *ret_least = more;
    }
    return *ret_least >= ROUNDS * c->slack;
}

static void check_leak(struct check *c, int (*round)(struct check *, const char *),
                       const char *what)
{
    size_t least = 0;
    int leaks = grows(c, round, &least);
    if (leaks > 0)
        check_note(c, "%d more rounds take %zu more bytes at least", ROUNDS, least);
    else if (leaks < 0)
        check_note(c, "a round did not go as it should");
    check_that(c, leaks == 0, "%s takes no more memory each time", what);
}

/* --- structs of a later header --- */

#define LATER          \
    struct {           \
        uint64_t a, b; \
    } later
#define JUNK                                                       \
    {                                                              \
        UINT64_C(0xA5A5A5A5A5A5A5A5), UINT64_C(0x5A5A5A5A5A5A5A5A) \
    }

static int untouched(uint64_t size, uint64_t wanted, uint64_t a, uint64_t b)
{
    return size == wanted && a == UINT64_C(0xA5A5A5A5A5A5A5A5) && b == UINT64_C(0x5A5A5A5A5A5A5A5A);
}

static int64_t read_nothing(void *ctx, void *buf, uint64_t cap, int32_t timeout_ms)
{
    (void)buf;
    (void)cap;
    (void)timeout_ms;
    return check_through(ctx) ? 0 : SR_STORAGE_READ_FAILED;
}

static void check_later(struct check *c)
{
    char key[SR_STORAGE_KEY_MAX];
    check_key(c, "later", key);
    struct {
        struct sr_storage_object now;
        LATER;
    } object = {{.size = sizeof object, .key = key}, JUNK};
    struct {
        struct sr_storage_reader now;
        LATER;
    } reader = {{.size = sizeof reader, .read = read_nothing}, JUNK};
    struct {
        struct sr_storage_save_options now;
        LATER;
    } options = {{.size = sizeof options, .flags = UINT64_C(1) << 63}, JUNK};
    struct {
        struct sr_storage_saved now;
        LATER;
    } saved = {{.size = sizeof saved}, JUNK};
    struct {
        struct sr_storage_delete_options now;
        LATER;
    } item = {{.size = sizeof item, .key = key}, JUNK};
    struct {
        struct sr_storage_deletion now;
        LATER;
    } deletion = {{.size = sizeof deletion}, JUNK};
    reader.now.ctx = check_gate(c, &c->a, &reader);
    check_enter(c, &c->a, "save");
    int32_t code = check_leave(
        c, &c->a, c->t->save(c->a.handle, &object.now, &reader.now, &options.now, &saved.now));
    int good = code == SR_STORAGE_OK && check_visible(c, key, NULL) == 1 &&
               untouched(saved.now.size, sizeof saved, saved.later.a, saved.later.b);
    check_enter(c, &c->a, "delete_object");
    code = check_leave(c, &c->a, c->t->delete_object(c->a.handle, &item.now, &deletion.now));
    good &= code == SR_STORAGE_OK && check_visible(c, key, NULL) == 0 &&
            untouched(deletion.now.size, sizeof deletion, deletion.later.a, deletion.later.b);
    check_that(c, good,
               "of structs and flags from a later header it leaves alone what it does not "
               "know");
}

void check_handles(struct check *c)
{
    check_at_once(c);
    check_most(c);
    check_later(c);
    check_leak(c, one_round, "saving, listing, fetching, deleting, also in vain,");
    if (c->b.handle && c->t->max_handles != 2)
        check_leak(c, open_and_close, "opening and closing");
    else
        check_skip(c, "opening and closing takes no more memory each time",
                   "no further handle may be open");
}
