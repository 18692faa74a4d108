/* Saves that must fail, and what they leave: nothing. */
#include "config.h"
#include "core/check/check.h"

#include <inttypes.h>
#include <stdio.h>

#define MIB (UINT64_C(1) << 20)

int check_left_nothing(struct check *c, const char *key)
{
    unsigned unfinished = 0;
    int good = check_visible(c, key, NULL) == 0;
    if (!good)
        check_note(c, "%s is visible", key);
    if (c->t->sweep && (call_sweep(c, &c->a, 0, 1, &unfinished) != SR_STORAGE_OK || unfinished)) {
        check_note(c, "%u unfinished objects are left", unfinished);
        good = 0;
    }
    return good && check_put(c, key, 100, 50) && check_holds(c, key, 100, 50);
}

static void check_reader_fails(struct check *c)
{
    const uint64_t size = 6 * MIB;
    const struct {
        uint64_t at;
        const char *where;
    } cases[] = {
        {0, "first"}, {size / 2, "middle"}, {size - 1, "last"}, {size, "byte after the last"}};
    char key[SR_STORAGE_KEY_MAX];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct source s = SOURCE(size, i);
        s.fail_at = cases[i].at;
        check_key(c, "reader-fails", key);
        int32_t code = call_save(c, &c->a, key, &s, size, 0, NULL);
        check_that(c, code != SR_STORAGE_OK && check_left_nothing(c, key),
                   "a reader that fails at the %s byte fails the save and leaves nothing (code %d)",
                   cases[i].where, (int)code);
    }
}

static int cancel_here(struct source *s)
{
    struct check_handle *h = s->ctx;
    sr_host_cancel(h->host);
    s->hook = NULL;
    return 0;
}

static void check_cancel_midway(struct check *c)
{
    char key[SR_STORAGE_KEY_MAX];
    const struct {
        uint64_t at;
        const char *when;
    } cases[] = {
        {0, "before the first byte"}, {3 * MIB, "half-way"}, {6 * MIB - 1, "at the last byte"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct source s = SOURCE(6 * MIB, i);
        s.hook = cancel_here;
        s.hook_at = cases[i].at;
        s.ctx = &c->a;
        int32_t code = call_save(c, &c->a, check_key(c, "cancelled", key), &s, s.size, 0, NULL);
        sr_host_resume(c->a.host);
        check_that(c, code == SR_STORAGE_E_CANCELLED && check_left_nothing(c, key),
                   "a save cancelled %s leaves nothing (code %d)", cases[i].when, (int)code);
    }
    /* So late it may come too late; but either all or nothing is there. */
    struct source s = SOURCE(6 * MIB, 9);
    s.hook = cancel_here;
    s.hook_at = s.size;
    s.ctx = &c->a;
    int32_t code = call_save(c, &c->a, check_key(c, "cancelled", key), &s, s.size, 0, NULL);
    sr_host_resume(c->a.host);
    check_that(c,
               code == SR_STORAGE_OK ? check_holds(c, key, s.size, 9)
                                     : code == SR_STORAGE_E_CANCELLED && check_left_nothing(c, key),
               "a save cancelled at its end is done or leaves nothing (code %d)", (int)code);
}

struct watching {
    struct check *c;
    const char *key;
    int visible;
    int32_t swept;
};

#define AN_HOUR 3600

static int watch_here(struct source *s)
{
    struct watching *w = s->ctx;
    s->hook = NULL;
    w->visible = check_visible(w->c, w->key, NULL);
    unsigned n = 0;
    /* Where savers leave no sign of life only their age tells. */
    uint64_t older = w->c->a.caps & SR_CAP_SURE_SWEEP ? 0 : AN_HOUR;
    if (w->c->t->sweep)
        w->swept = call_sweep(w->c, &w->c->b, older, 0, &n);
    return 0;
}

static void check_not_before_the_end(struct check *c)
{
    char key[SR_STORAGE_KEY_MAX];
    if (!c->b.handle) {
        check_skip(c, "an object is not visible before its end", "needs a second handle");
        return;
    }
    struct watching w = {.c = c, .key = check_key(c, "watched", key)};
    struct source s = SOURCE(6 * MIB, 9);
    s.hook = watch_here;
    s.hook_at = 6 * MIB - 1;
    s.ctx = &w;
    int32_t code = call_save(c, &c->a, key, &s, s.size, 0, NULL);
    check_that(c, w.visible == 0, "an object is not visible before its end");
    check_that(c,
               code == SR_STORAGE_OK && w.swept == SR_STORAGE_OK && check_holds(c, key, 6 * MIB, 9),
               "a sweep of everything leaves what a live saver is writing");
}

void check_failing(struct check *c)
{
    check_reader_fails(c);
    check_cancel_midway(c);
    check_not_before_the_end(c);
}
