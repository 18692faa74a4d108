/* What goes wrong outside: a credential, the way to the server, an answer. Only the caller knows
 * settings that bring it about; each point is tried with those that were given for it. */
#include "config.h"
#include "core/check/check.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int nobody(void *ctx, const struct sr_storage_entry *e)
{
    (void)e;
    ++*(unsigned *)ctx;
    return 0;
}

struct codes {
    const char *what;
    int32_t one, other;
};

static int is_one(const struct codes *w, int32_t code)
{
    return code == w->one || code == w->other;
}

/* Every call must say what is wrong; one that cannot even be opened has said it. */
static void try_all(struct check *c, const struct codes *w)
{
    struct check_handle h = {0};
    struct sr_error err = SR_ERROR_INIT;
    char key[SR_STORAGE_KEY_MAX];
    int32_t code = SR_STORAGE_OK;
    if (check_open(c, &h, &code, &err) != SR_OK) {
        check_note(c, "%s", err.text);
        check_that(c, is_one(w, code), "%s: open says so (code %d)", w->what, (int)code);
        return;
    }
    unsigned emitted = 0;
    struct source s = SOURCE(1000, 1);
    struct sink got = SINK(1, 0);
    struct sr_storage_deletion d;
    check_key(c, "trouble", key);
    code = call_list(c, &h, c->base, "", nobody, &emitted);
    check_that(c, is_one(w, code), "%s: list says so and is no empty list (code %d)", w->what,
               (int)code);
    code = call_save(c, &h, key, &s, 1000, 0, NULL);
    check_that(c, is_one(w, code), "%s: save says so (code %d)", w->what, (int)code);
    code = call_fetch(c, &h, key, 0, SR_STORAGE_SIZE_UNKNOWN, &got);
    check_that(c, is_one(w, code), "%s: fetch says so (code %d)", w->what, (int)code);
    code = call_delete(c, &h, key, &d);
    check_that(c, is_one(w, code), "%s: delete_object says so (code %d)", w->what, (int)code);
    check_close(c, &h);
}

/* --- a server that takes connections and never answers --- */

struct impatient {
    struct check *c;
    struct check_handle *h;
    atomic_int done;
};

static void *cancel_soon(void *ctx)
{
    struct impatient *i = ctx;
    const struct timespec tenth = {0, 100000000};
    for (unsigned n = 0; n < 5 && !atomic_load(&i->done); n++)
        (void)nanosleep(&tenth, NULL);
    sr_host_cancel(i->h->host);
    if (i->c->t->cancel && i->h->handle && !atomic_load(&i->done))
        i->c->t->cancel(i->h->handle);
    return NULL;
}

static int32_t call_nth(struct check *c, struct check_handle *h, int n, const char *key)
{
    unsigned emitted = 0;
    struct source s = SOURCE(1000, 1);
    struct sink got = SINK(1, 0);
    struct sr_storage_deletion d;
    switch (n) {
    case 0:
        return call_list(c, h, c->base, "", nobody, &emitted);
    case 1:
        return call_save(c, h, key, &s, 1000, 0, NULL);
    case 2:
        return call_fetch(c, h, key, 0, SR_STORAGE_SIZE_UNKNOWN, &got);
    default:
        return call_delete(c, h, key, &d);
    }
}

static void try_silent(struct check *c, const char *what)
{
    static const char *const names[] = {"list", "save", "fetch", "delete_object"};
    struct check_handle h = {0};
    struct sr_error err = SR_ERROR_INIT;
    char key[SR_STORAGE_KEY_MAX];
    if (!check_that(c, check_open(c, &h, NULL, &err) == SR_OK, "%s: it can be opened", what)) {
        check_note(c, "%s; open need not connect", err.text);
        return;
    }
    check_key(c, "silent", key);
    for (int i = 0; i < 4; i++) {
        struct impatient p = {.c = c, .h = &h};
        pthread_t thread;
        int64_t start = sr_clock_monotonic(&sr_clock_system);
        if (pthread_create(&thread, NULL, cancel_soon, &p) != 0)
            break;
        int32_t code = call_nth(c, &h, i, key);
        int64_t took = sr_clock_monotonic(&sr_clock_system) - start;
        atomic_store(&p.done, 1);
        (void)pthread_join(thread, NULL);
        sr_host_resume(h.host);
        check_that(c, code == SR_STORAGE_E_CANCELLED && took < INT64_C(5000000000),
                   "%s: %s is cancelled while it waits (code %d)", what, names[i], (int)code);
    }
    check_close(c, &h);
}

/* --- a server whose answer to the last step of a save is lost --- */

static void try_forgetful(struct check *c, const char *what)
{
    struct check_handle h = {0};
    struct sr_error err = SR_ERROR_INIT;
    char key[SR_STORAGE_KEY_MAX];
    if (check_open(c, &h, NULL, &err) != SR_OK) {
        check_note(c, "%s", err.text);
        check_that(c, 0, "%s: it can be opened", what);
        return;
    }
    struct source s = SOURCE(1000, 1);
    int32_t code = call_save(c, &h, check_key(c, "forgotten", key), &s, 1000, 0, NULL);
    check_close(c, &h);
    c->alt_now = -1; /* the truth, from handles that hear every answer */
    int seen = check_visible(c, key, NULL);
    int true_word = code == SR_STORAGE_E_IN_DOUBT ||
                    (code == SR_STORAGE_OK ? seen == 1 && check_holds(c, key, 1000, 1) : seen == 0);
    check_that(c, true_word,
               "%s: save found out what happened, or says that it is in doubt (code %d, %s)", what,
               (int)code, seen == 1 ? "the object is there" : "there is no object");
}

void check_trouble(struct check *c)
{
    static const struct {
        const char *what, *option;
    } points[CHECK_ALTS] = {
        [CHECK_WRONG] = {"a wrong credential", "--wrong KEY=VALUE was not given"},
        [CHECK_UNREACHABLE] = {"a server out of reach", "--unreachable KEY=VALUE was not given"},
        [CHECK_SILENT] = {"a server that never answers", "--silent KEY=VALUE was not given"},
        [CHECK_FORGETFUL] = {"a lost answer", "--forgetful KEY=VALUE was not given"},
    };
    for (int i = 0; i < CHECK_ALTS; i++) {
        const char *what = points[i].what;
        if (c->alt[i].len == 0) {
            check_skip(c, what, points[i].option);
            continue;
        }
        if (c->t->max_handles && c->t->max_handles < 3) {
            check_skip(c, what, "needs a third handle");
            continue;
        }
        c->alt_now = i;
        if (i == CHECK_WRONG)
            try_all(c, &(struct codes){what, SR_STORAGE_E_DENIED, SR_STORAGE_E_DENIED});
        else if (i == CHECK_UNREACHABLE)
            try_all(c, &(struct codes){what, SR_STORAGE_E_UNAVAILABLE, SR_STORAGE_E_TIMEOUT});
        else if (i == CHECK_SILENT)
            try_silent(c, what);
        else
            try_forgetful(c, what);
        c->alt_now = -1;
    }
}
