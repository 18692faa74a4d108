/* The slots that may be absent. */
#include "config.h"
#include "core/check/check.h"

#include <stdio.h>
#include <string.h>

enum { MANY = 12 };

struct answers {
    unsigned count, good, once;
};

/* As if by a later header: the element size is what the first item says. */
struct long_item {
    struct sr_storage_delete_options now;
    uint64_t later[2];
};

static void answer(void *ctx, uint64_t index, int32_t code, const char *text,
                   const struct sr_storage_deletion *deletion)
{
    struct answers *a = check_through(ctx);
    (void)text;
    if (!a)
        return;
    a->count++;
    a->once |= index < MANY ? 1u << index : 0;
    a->good += code == SR_STORAGE_OK && deletion && deletion->outcome != SR_STORAGE_KEPT;
}

static void check_delete_many(struct check *c)
{
    static char keys[MANY][SR_STORAGE_KEY_MAX];
    struct long_item items[MANY];
    struct answers got = {0};
    int gone = 1;
    if (!c->t->delete_many) {
        check_skip(c, "several objects are deleted at once", "the plugin has no delete_many");
        return;
    }
    for (unsigned i = 0; i < MANY; i++) {
        check_key(c, "many", keys[i]);
        items[i] = (struct long_item){.now = {.size = sizeof *items, .key = keys[i]}};
        if (i % 3)
            (void)check_put(c, keys[i], i, i);
    }
    const struct sr_storage_answers a = {
        .size = sizeof a, .ctx = check_gate(c, &c->a, &got), .answer = answer};
    check_enter(c, &c->a, "delete_many");
    int32_t code = check_leave(c, &c->a, c->t->delete_many(c->a.handle, &items[0].now, MANY, &a));
    for (unsigned i = 0; i < MANY; i++)
        gone &= check_visible(c, keys[i], NULL) == 0;
    check_that(c,
               code == SR_STORAGE_OK && got.count == MANY && got.good == MANY &&
                   got.once == (1u << MANY) - 1 && gone,
               "several objects are deleted at once, with an answer for each");
}

struct seen {
    unsigned count;
    uint64_t size;
    char key[SR_STORAGE_KEY_MAX];
};

static int see(void *ctx, const struct sr_storage_entry *e)
{
    struct seen *s = ctx;
    s->count++;
    s->size = e->object_size;
    (void)snprintf(s->key, sizeof s->key, "%s", e->key);
    return 0;
}

static void check_stat(struct check *c)
{
    char key[SR_STORAGE_KEY_MAX];
    struct seen s = {0};
    if (!c->t->stat) {
        check_skip(c, "stat", "the plugin has no stat");
        return;
    }
    (void)check_put(c, check_key(c, "stat", key), 4321, 1);
    int32_t code = call_stat(c, &c->a, key, see, &s);
    check_that(c, code == SR_STORAGE_OK && s.count == 1 && s.size == 4321 && !strcmp(s.key, key),
               "stat emits the one entry");
    key[strlen(key) - 1] = '\0';
    s = (struct seen){0};
    code = call_stat(c, &c->a, key, see, &s);
    check_that(c, code == SR_STORAGE_E_NOT_FOUND && s.count == 0,
               "stat of a mere beginning of a key is not-found (code %d)", (int)code);
}

static void check_rights(struct check *c)
{
    if (!c->t->check) {
        check_skip(c, "check", "the plugin has no check; the host tries by itself");
        return;
    }
    struct sr_storage_rights r = {sizeof r, -1, -1, -1, -1};
    check_enter(c, &c->a, "check");
    int32_t code = check_leave(c, &c->a, c->t->check(c->a.handle, &r));
    check_that(c,
               code == SR_STORAGE_OK && r.may_write == 0 && r.may_list == 0 && r.may_read == 0 &&
                   r.may_delete == 0,
               "check finds every right that this run has used");
}

static void check_copy(struct check *c)
{
    char from[SR_STORAGE_KEY_MAX], to[SR_STORAGE_KEY_MAX], never[SR_STORAGE_KEY_MAX];
    if (!(c->a.caps & SR_CAP_COPY)) {
        check_skip(c, "copy", "the handle lacks SR_CAP_COPY");
        return;
    }
    (void)check_put(c, check_key(c, "from", from), 3000000, 8);
    struct sr_storage_saved saved = {.size = sizeof saved};
    struct sr_storage_copy_options o = {
        .size = sizeof o, .from = from, .to = check_key(c, "to", to)};
    check_enter(c, &c->a, "copy");
    int32_t code = check_leave(c, &c->a, c->t->copy(c->a.handle, &o, &saved));
    check_that(c, code == SR_STORAGE_OK && check_holds(c, to, 3000000, 8), "an object is copied");
    check_enter(c, &c->a, "copy");
    code = check_leave(c, &c->a, c->t->copy(c->a.handle, &o, &saved));
    check_that(c, code == SR_STORAGE_E_EXISTS, "not over one that is there (code %d)", (int)code);
    o.from = check_key(c, "never", never);
    o.to = from;
    check_enter(c, &c->a, "copy");
    code = check_leave(c, &c->a, c->t->copy(c->a.handle, &o, &saved));
    check_that(c, code != SR_STORAGE_OK && check_holds(c, from, 3000000, 8),
               "what never was is not copied");
}

static void check_unfinished(struct check *c)
{
    unsigned n = 0;
    if (!c->t->sweep) {
        check_skip(c, "after all this nothing unfinished is there to sweep",
                   "the plugin has no sweep");
        return;
    }
    check_that(c, call_sweep(c, &c->a, 0, 0, &n) == SR_STORAGE_OK && n == 0,
               "after all this nothing unfinished is there to sweep");
}

void check_optional(struct check *c)
{
    check_delete_many(c);
    check_stat(c);
    check_rights(c);
    check_copy(c);
    check_unfinished(c);
}
