/* Listings: whole, filtered, stopped, and errors that are no empty lists. */
#include "config.h"
#include "core/check/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONG_SIZE 3

struct tally {
    const char *prefix, *after; /* what was asked for */
    unsigned char *seen;        /* per number of a long key */
    unsigned keys, found, twice, strange, unordered;
    uint64_t wrong_size;
    char last[SR_STORAGE_KEY_MAX];
    unsigned stop_after, emitted, after_stop;
};

/* The number in PREFIXnumber/NNNNNN; -1: some other key. */
static long number_of(const struct tally *t, const char *base, const char *key)
{
    size_t n = strlen(base);
    char *end = NULL;
    if (strncmp(key, base, n) != 0)
        return -1;
    const char *digits = strrchr(key, '-');
    long i = digits ? strtol(digits + 1, &end, 10) : -1;
    return end && !*end && i >= 0 && (unsigned long)i < t->keys ? i : -1;
}

static int tally_one(void *ctx, const struct sr_storage_entry *e)
{
    struct tally *t = ctx;
    if (t->stop_after && t->emitted >= t->stop_after) {
        t->after_stop++;
        return 1;
    }
    t->emitted++;
    t->unordered += *t->last && strcmp(e->key, t->last) <= 0;
    (void)snprintf(t->last, sizeof t->last, "%s", e->key);
    /* More than asked for may come; it does not count. */
    if (strncmp(e->key, t->prefix, strlen(t->prefix)) == 0 && strcmp(e->key, t->after) > 0) {
        long i = number_of(t, t->prefix, e->key);
        if (i < 0) {
            t->strange++;
        } else {
            t->twice += t->seen[i];
            t->found += !t->seen[i];
            t->seen[i] = 1;
            t->wrong_size += e->object_size != LONG_SIZE;
        }
    }
    return t->stop_after && t->emitted >= t->stop_after;
}

static int32_t tally_list(struct check *c, struct tally *t, const char *prefix, const char *after)
{
    memset(t->seen, 0, c->keys);
    t->prefix = prefix;
    t->after = after;
    t->found = t->twice = t->strange = t->unordered = t->emitted = t->after_stop = 0;
    t->wrong_size = 0;
    t->last[0] = '\0';
    return call_list(c, &c->a, prefix, after, tally_one, t);
}

static void long_key(const char *folder, unsigned i, char *out)
{
    (void)snprintf(out, SR_STORAGE_KEY_MAX, "%sn-%06u", folder, i);
}

static int make_long(struct check *c, const char *folder)
{
    char key[SR_STORAGE_KEY_MAX];
    for (unsigned i = 0; i < c->keys; i++) {
        /* Not in their order. */
        long_key(folder, (unsigned)((uint64_t)i * 7919 % c->keys), key);
        struct source s = SOURCE(LONG_SIZE, 1);
        int32_t code = call_save(c, &c->a, key, &s, LONG_SIZE, 0, NULL);
        /* keys may share a factor with the stride: then some numbers come twice. */
        if (code != SR_STORAGE_OK && code != SR_STORAGE_E_EXISTS)
            return -1;
    }
    for (unsigned i = 0; c->keys % 7919 == 0 && i < c->keys; i++) {
        struct source s = SOURCE(LONG_SIZE, 1);
        long_key(folder, i, key);
        int32_t code = call_save(c, &c->a, key, &s, LONG_SIZE, 0, NULL);
        if (code != SR_STORAGE_OK && code != SR_STORAGE_E_EXISTS)
            return -1;
    }
    return 0;
}

static int whole(struct check *c, const struct tally *t, unsigned wanted)
{
    if (t->found == wanted && !t->twice && !t->strange && !t->wrong_size)
        return 1;
    check_note(c, "%u of %u keys, %u twice, %u strange, %" PRIu64 " with a wrong size", t->found,
               wanted, t->twice, t->strange, t->wrong_size);
    return 0;
}

static void check_long(struct check *c, struct tally *t)
{
    char folder[SR_STORAGE_KEY_MAX / 2], prefix[SR_STORAGE_KEY_MAX], after[SR_STORAGE_KEY_MAX];
    (void)snprintf(folder, sizeof folder, "%slong/", c->base);
    if (!check_that(c, make_long(c, folder) == 0, "%u objects are saved", c->keys))
        return;
    int32_t code = tally_list(c, t, folder, "");
    check_that(c, code == SR_STORAGE_OK && whole(c, t, c->keys), "and listed, each of them once");
    if (c->a.caps & SR_CAP_SORTED_LIST)
        check_that(c, t->unordered == 0, "in the bytewise order of their keys");
    else
        check_skip(c, "in the bytewise order of their keys", "the handle lacks SR_CAP_SORTED_LIST");

    unsigned half = c->keys / 2;
    long_key(folder, half, after);
    code = tally_list(c, t, folder, after);
    check_that(c, code == SR_STORAGE_OK && whole(c, t, c->keys - half - 1),
               "start_after leaves out that key and those before it");
    (void)snprintf(after, sizeof after, "%sn-%06ux", folder, half);
    code = tally_list(c, t, folder, after);
    check_that(c, code == SR_STORAGE_OK && whole(c, t, c->keys - half - 1),
               "start_after need not be a key that is there");
    code = tally_list(c, t, folder, folder);
    check_that(c, code == SR_STORAGE_OK && whole(c, t, c->keys),
               "nor lie beyond the first of them");
    (void)snprintf(after, sizeof after, "%szzz", folder);
    code = tally_list(c, t, folder, after);
    check_that(c, code == SR_STORAGE_OK && whole(c, t, 0), "beyond the last there is nothing");
    (void)snprintf(prefix, sizeof prefix, "%sn-00000", folder);
    code = tally_list(c, t, prefix, "");
    check_that(c, code == SR_STORAGE_OK && whole(c, t, c->keys < 10 ? c->keys : 10),
               "a prefix that ends within a name");

    static const unsigned stops[] = {1, 2, 500};
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        t->stop_after = stops[i];
        code = tally_list(c, t, folder, "");
        if (c->keys > stops[i])
            check_that(c, code == SR_STORAGE_OK && t->emitted == stops[i] && t->after_stop == 0,
                       "a listing stopped after %u entries ends well and emits no more", stops[i]);
        t->stop_after = 0;
    }
}

static void check_empty(struct check *c, struct tally *t)
{
    char prefix[SR_STORAGE_KEY_MAX];
    (void)snprintf(prefix, sizeof prefix, "%snever/was", c->base);
    int32_t code = tally_list(c, t, prefix, "");
    check_that(c, code == SR_STORAGE_OK && whole(c, t, 0),
               "a prefix that no key has lists nothing");
    (void)snprintf(prefix, sizeof prefix, "%slong/n-000000/below", c->base);
    code = tally_list(c, t, prefix, "");
    check_that(c, code == SR_STORAGE_OK && whole(c, t, 0), "nor does one below an object");
    sr_host_cancel(c->a.host);
    code = tally_list(c, t, c->base, "");
    sr_host_resume(c->a.host);
    check_that(c, code == SR_STORAGE_E_CANCELLED, "a listing that is cancelled is no empty list");
}

void check_listing(struct check *c)
{
    struct tally t = {.keys = c->keys, .seen = calloc(c->keys ? c->keys : 1, 1)};
    if (t.seen && c->keys > 0) {
        check_long(c, &t);
        check_empty(c, &t);
    }
    free(t.seen);
}
