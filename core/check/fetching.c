#include "config.h"
#include "core/check/check.h"

#include <inttypes.h>

#define MIB (UINT64_C(1) << 20)
#define SIZE (5 * MIB + 123)

static void check_ranges(struct check *c, const char *key)
{
    static const uint64_t edges[] = {0,        1,        511,  MIB - 1,  MIB,      MIB + 1,
                                     SIZE / 2, SIZE - 1, SIZE, SIZE + 1, 2 * SIZE, 1ULL << 62};
    const uint64_t unknown = SR_STORAGE_SIZE_UNKNOWN;
    int good = 1;
    if (!(c->a.caps & SR_CAP_RANGES)) {
        check_skip(c, "ranges at all edges", "the handle lacks SR_CAP_RANGES");
        return;
    }
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        for (size_t j = 0; j <= sizeof edges / sizeof *edges; j++) {
            uint64_t from = edges[i], len = j == 0 ? unknown : edges[j - 1];
            uint64_t left = from < SIZE ? SIZE - from : 0, wanted = len < left ? len : left;
            struct sink s = SINK(77, from);
            int32_t code = call_fetch(c, &c->a, key, from, len, &s);
            if (code == SR_STORAGE_OK && s.count == wanted && !s.wrong)
                continue;
            check_note(c,
                       "from %" PRIu64 ", length %" PRIu64 ": code %d, %" PRIu64 " of %" PRIu64
                       " bytes",
                       from, len, (int)code, s.count, wanted);
            good = 0;
        }
    check_that(c, good, "ranges at all edges, also past the end");
}

static void check_stops(struct check *c, const char *key)
{
    static const uint64_t stops[] = {1, MIB, SIZE};
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        struct sink s = SINK(77, 0);
        s.stop_at = stops[i];
        int32_t code = call_fetch(c, &c->a, key, 0, SR_STORAGE_SIZE_UNKNOWN, &s);
        check_that(c, code == SR_STORAGE_E_CANCELLED && !s.after_stop && !s.wrong,
                   "a writer that stops after %" PRIu64 " bytes gets no more (code %d)", stops[i],
                   (int)code);
    }
}

static void cancel_here(struct sink *s)
{
    struct check_handle *h = s->ctx;
    sr_host_cancel(h->host);
}

static void check_cancel(struct check *c, const char *key)
{
    struct sink s = SINK(77, 0);
    s.hook = cancel_here;
    s.hook_at = 1;
    s.ctx = &c->a;
    int32_t code = call_fetch(c, &c->a, key, 0, SR_STORAGE_SIZE_UNKNOWN, &s);
    sr_host_resume(c->a.host);
    check_that(c, code == SR_STORAGE_E_CANCELLED && s.count < SIZE,
               "a fetch that is cancelled ends before its end (code %d)", (int)code);
}

static void check_missing(struct check *c)
{
    char key[SR_STORAGE_KEY_MAX];
    struct sink s = SINK(0, 0);
    int32_t code = call_fetch(c, &c->a, check_key(c, "never", key), 0, SR_STORAGE_SIZE_UNKNOWN, &s);
    check_that(c, code == SR_STORAGE_E_NOT_FOUND && s.count == 0,
               "fetching what never was is not-found (code %d)", (int)code);
    code = call_fetch(c, &c->a, check_key(c, "never/in/there", key), 0, 1, &s);
    check_that(c, code == SR_STORAGE_E_NOT_FOUND && s.count == 0,
               "also where not even a folder is (code %d)", (int)code);
}

struct changing {
    struct check *c;
    const char *key;
    int at_once; /* by one save, not by a deletion and a save */
    int32_t deleted, saved;
};

static void change_here(struct sink *s)
{
    struct changing *g = s->ctx;
    struct sr_storage_deletion d;
    struct source other = SOURCE(SIZE, 78);
    if (!g->at_once)
        g->deleted = call_delete(g->c, &g->c->b, g->key, &d);
    g->saved = call_save(g->c, &g->c->b, g->key, &other, SIZE,
                         g->at_once ? SR_STORAGE_SAVE_REPLACE : 0, NULL);
}

static void check_change(struct check *c, int at_once)
{
    const char *how = at_once ? "replaced" : "deleted and saved anew";
    char key[SR_STORAGE_KEY_MAX];
    if (!c->b.handle) {
        check_skip(c, "an object that changes while it is fetched", "needs a second handle");
        return;
    }
    struct changing g = {.c = c, .key = check_key(c, "changing", key), .at_once = at_once};
    struct sink s = SINK(77, 0);
    int put = check_put(c, key, SIZE, 77);
    s.hook = change_here;
    s.hook_at = 1;
    s.ctx = &g;
    int32_t code = call_fetch(c, &c->a, key, 0, SR_STORAGE_SIZE_UNKNOWN, &s);
    if (at_once && g.saved == SR_STORAGE_E_UNSUPPORTED) {
        check_skip(c, "an object that is replaced while it is fetched",
                   "the store does not replace");
        return;
    }
    int whole = code == SR_STORAGE_OK && s.count == SIZE;
    int refused = code == SR_STORAGE_E_CHANGED || code == SR_STORAGE_E_NOT_FOUND;
    check_that(c,
               put && g.deleted == SR_STORAGE_OK && g.saved == SR_STORAGE_OK && !s.wrong &&
                   (whole || refused),
               "an object that is %s while it is fetched comes whole or is an error, and never "
               "mixed (code %d)",
               how, (int)code);
    check_that(c, check_holds(c, key, SIZE, 78), "and the new one is there afterwards");
}

void check_fetching(struct check *c)
{
    char key[SR_STORAGE_KEY_MAX];
    if (!check_that(c, check_put(c, check_key(c, "fetched", key), SIZE, 77),
                    "an object of %" PRIu64 " bytes to fetch from", (uint64_t)SIZE))
        return;
    check_ranges(c, key);
    check_stops(c, key);
    check_cancel(c, key);
    check_missing(c);
    check_change(c, 0);
    check_change(c, 1);
    check_that(c, check_holds(c, key, SIZE, 77), "after all that the object is what it was");
}
