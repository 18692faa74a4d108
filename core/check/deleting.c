/* Deleting, and the slots that may be absent. */
#include "config.h"
#include "core/check/check.h"

#include <stdio.h>
#include <string.h>

static int deleted(const struct check *c, int32_t code, const struct sr_storage_deletion *d)
{
    return code == SR_STORAGE_OK &&
           (d->outcome == SR_STORAGE_DELETED ||
            (d->outcome == SR_STORAGE_HIDDEN && (c->a.caps & SR_CAP_VERSIONS)));
}

static void check_delete(struct check *c)
{
    char key[SR_STORAGE_KEY_MAX], other[SR_STORAGE_KEY_MAX];
    struct sr_storage_deletion d;
    struct sink s = SINK(0, 0);
    (void)check_put(c, check_key(c, "deleted", key), 10, 1);
    (void)snprintf(other, sizeof other, "%.900s-longer", key);
    (void)check_put(c, other, 20, 2);
    int32_t code = call_delete(c, &c->a, key, &d);
    check_that(c, deleted(c, code, &d), "an object is deleted (code %d, outcome %d)", (int)code,
               (int)d.outcome);
    check_that(c, check_visible(c, key, NULL) == 0, "and is listed no more");
    check_that(c,
               call_fetch(c, &c->a, key, 0, SR_STORAGE_SIZE_UNKNOWN, &s) == SR_STORAGE_E_NOT_FOUND,
               "and cannot be fetched");
    check_that(c, check_holds(c, other, 20, 2), "one whose key begins alike stays");
    code = call_delete(c, &c->a, key, &d);
    check_that(c, deleted(c, code, &d), "deleting it again is fine (code %d)", (int)code);
    code = call_delete(c, &c->a, check_key(c, "never", key), &d);
    check_that(c, deleted(c, code, &d), "as is deleting what never was (code %d)", (int)code);
    code = call_delete(c, &c->a, check_key(c, "never/in/there", key), &d);
    check_that(c, deleted(c, code, &d), "also where not even a folder is (code %d)", (int)code);
    (void)check_put(c, check_key(c, "again", key), 10, 1);
    code = call_delete(c, &c->a, key, &d);
    check_that(c, deleted(c, code, &d) && check_put(c, key, 30, 3) && check_holds(c, key, 30, 3),
               "a key that was deleted can be saved again");
}

struct answers {
    unsigned count, good;
};

static void answer(void *ctx, uint64_t index, int32_t code, const char *text,
                   const struct sr_storage_deletion *deletion)
{
    struct answers *a = ctx;
    (void)index;
    (void)text;
    a->count++;
    a->good += code == SR_STORAGE_OK && deletion && deletion->outcome != SR_STORAGE_KEPT;
}

static void check_delete_many(struct check *c)
{
    enum { MANY = 12 };
    static char keys[MANY][SR_STORAGE_KEY_MAX];
    struct sr_storage_delete_options items[MANY];
    struct answers got = {0};
    int gone = 1;
    if (!c->t->delete_many) {
        check_skip(c, "several objects are deleted at once", "the plugin has no delete_many");
        return;
    }
    for (unsigned i = 0; i < MANY; i++) {
        check_key(c, "many", keys[i]);
        items[i] = (struct sr_storage_delete_options){.size = sizeof *items, .key = keys[i]};
        if (i % 3)
            (void)check_put(c, keys[i], i, i);
    }
    const struct sr_storage_answers a = {.size = sizeof a, .ctx = &got, .answer = answer};
    sr_host_enter(c->a.host);
    int32_t code = c->t->delete_many(c->a.handle, items, MANY, &a);
    sr_host_leave(c->a.host);
    for (unsigned i = 0; i < MANY; i++)
        gone &= check_visible(c, keys[i], NULL) == 0;
    check_that(c, code == SR_STORAGE_OK && got.count == MANY && got.good == MANY && gone,
               "several objects are deleted at once, with an answer for each");
}

struct seen {
    unsigned count;
    uint64_t size;
    char key[SR_STORAGE_KEY_MAX];
};

static int32_t see(void *ctx, const struct sr_storage_entry *e)
{
    struct seen *s = ctx;
    s->count++;
    s->size = e->object_size;
    (void)snprintf(s->key, sizeof s->key, "%s", e->key);
    return 0;
}

static int32_t call_stat(struct check *c, const char *key, struct seen *s)
{
    const struct sr_storage_fetch_options o = {.size = sizeof o, .key = key};
    const struct sr_storage_emitter e = {.size = sizeof e, .ctx = s, .emit = see};
    *s = (struct seen){0};
    sr_host_enter(c->a.host);
    int32_t code = c->t->stat(c->a.handle, &o, &e);
    sr_host_leave(c->a.host);
    return code;
}

static void check_stat(struct check *c)
{
    char key[SR_STORAGE_KEY_MAX];
    struct seen s;
    if (!c->t->stat) {
        check_skip(c, "stat", "the plugin has no stat");
        return;
    }
    (void)check_put(c, check_key(c, "stat", key), 4321, 1);
    int32_t code = call_stat(c, key, &s);
    check_that(c, code == SR_STORAGE_OK && s.count == 1 && s.size == 4321 && !strcmp(s.key, key),
               "stat emits the one entry");
    key[strlen(key) - 1] = '\0';
    code = call_stat(c, key, &s);
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
    sr_host_enter(c->a.host);
    int32_t code = c->t->check(c->a.handle, &r);
    sr_host_leave(c->a.host);
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
    sr_host_enter(c->a.host);
    int32_t code = c->t->copy(c->a.handle, &o, &saved);
    sr_host_leave(c->a.host);
    check_that(c, code == SR_STORAGE_OK && check_holds(c, to, 3000000, 8), "an object is copied");
    sr_host_enter(c->a.host);
    code = c->t->copy(c->a.handle, &o, &saved);
    sr_host_leave(c->a.host);
    check_that(c, code == SR_STORAGE_E_EXISTS, "not over one that is there (code %d)", (int)code);
    o.from = check_key(c, "never", never);
    o.to = from;
    sr_host_enter(c->a.host);
    code = c->t->copy(c->a.handle, &o, &saved);
    sr_host_leave(c->a.host);
    check_that(c, code != SR_STORAGE_OK && check_holds(c, from, 3000000, 8),
               "what never was is not copied");
}

void check_deleting(struct check *c)
{
    check_delete(c);
    check_delete_many(c);
    check_stat(c);
    check_rights(c);
    check_copy(c);
    unsigned n = 0;
    if (c->t->sweep)
        check_that(c, call_sweep(c, &c->a, 0, 0, &n) == SR_STORAGE_OK && n == 0,
                   "after all this nothing unfinished is there to sweep");
    else
        check_skip(c, "nothing unfinished is there to sweep", "the plugin has no sweep");
}
