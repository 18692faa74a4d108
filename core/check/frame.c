#include "config.h"
#include "core/check/check.h"
#include "core/check/watch.h"
#include "core/util/cleanup.h"
#include "core/util/text.h"

#include <dirent.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* --- TAP --- */

int check_that(struct check *c, int good, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)fprintf(c->out, "%s %u - ", good ? "ok" : "not ok", ++c->number);
    (void)vfprintf(c->out, fmt, ap);
    (void)fprintf(c->out, "\n");
    va_end(ap);
    c->failed += !good;
    check_beat(c);
    return good;
}

void check_skip(struct check *c, const char *what, const char *why)
{
    (void)fprintf(c->out, "ok %u - %s # SKIP %s\n", ++c->number, what, why);
    c->skipped++;
}

void check_note(struct check *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)fprintf(c->out, "# ");
    (void)vfprintf(c->out, fmt, ap);
    (void)fprintf(c->out, "\n");
    va_end(ap);
}

/* --- life --- */

static int entries(const char *folder)
{
    DIR *d = opendir(folder);
    int n = 0;
    while (d && readdir(d))
        n++;
    if (d)
        (void)closedir(d);
    return n;
}

static size_t in_use(void)
{
    const struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

int check_open(struct check *c, struct check_handle *h, int32_t *ret_code, struct sr_error *err)
{
    const struct sr_host_options o = {
        .label = "plugin under test",
        .file = sr_plugin_file(c->plugin),
        .clock = &sr_clock_system,
        .values = &c->view,
    };
    const struct sr_storage_open_options options = {.size = sizeof options, .store = c->t->name};
    size_t before = in_use();
    int rc = sr_host_new(&o, &h->host, err);
    c->own += in_use() - before;
    if (rc != SR_OK)
        return rc;
    h->handle = NULL;
    h->caps = c->t->capabilities;
    check_enter(c, h, "open");
    int32_t code = c->t->open(sr_host_services(h->host), &options, &h->handle);
    (void)check_leave(c, h, code);
    int opened = code == SR_STORAGE_OK && h->handle;
    if (opened && c->t->ask_capabilities) {
        check_enter(c, h, "ask_capabilities");
        code = check_leave(c, h, c->t->ask_capabilities(h->handle, &h->caps));
    }
    if (ret_code)
        *ret_code = code;
    if (code == SR_STORAGE_OK && h->handle)
        return SR_OK;
    rc = code == SR_STORAGE_OK
             ? sr_fail(err, SR_E_INTERNAL, "open succeeded without making a handle")
             : sr_host_error(h->host, code, "cannot be opened", err);
    if (opened) {
        check_close(c, h);
        return rc;
    }
    h->handle = NULL;
    sr_host_retire(h->host);
    h->host = NULL;
    return rc;
}

void check_close(struct check *c, struct check_handle *h)
{
    if (!h->handle)
        return;
    check_enter(c, h, "close");
    c->t->close(h->handle);
    (void)check_leave(c, h, SR_STORAGE_OK);
    c->always.misused += sr_host_was_misused(h->host) != 0;
    sr_host_retire(h->host);
    h->handle = NULL;
    h->host = NULL;
}

int check_begin(struct check *c, const char *search_path, struct sr_error *err)
{
    unsigned char random[6];
    char hex[2 * sizeof random + 1];
    _cleanup_free_ char *real = strchr(c->which, '/') ? realpath(c->which, NULL) : NULL;
    if (check_around_begin(c, err) != SR_OK)
        return err->code;
    c->before = check_process_now();
    int rc = sr_plugin_load(real ? real : c->which, search_path, &c->plugin, err);
    if (rc != SR_OK)
        return rc;
    if (sr_random(random, sizeof random) != 0)
        return sr_fail(err, SR_E_INTERNAL, "no random bytes");
    sr_hex(random, sizeof random, hex);
    (void)snprintf(c->base, sizeof c->base, "plugin-check-%s/", hex);
    c->t = sr_plugin_table(c->plugin);
    c->lookup = check_lookup(c);
    c->view = (struct sr_setting_view){c->t->name, c->t->name, c->t->settings, &c->lookup};
    rc = sr_setting_check_all(&c->view, NULL, err);
    if (rc != SR_OK)
        return rc;
    c->descriptors = entries("/proc/self/fd");
    c->threads = entries("/proc/self/task");
    check_note(c, "%s %s: %s (%s)", c->t->name, c->t->version, c->t->description,
               sr_plugin_file(c->plugin));
    check_around_folders(c);
    rc = check_open(c, &c->a, NULL, err);
    if (rc == SR_OK && c->t->max_handles != 1)
        rc = check_open(c, &c->b, NULL, err);
    return rc;
}

struct first {
    const char *base;
    char *key;
};

static int first_key(void *ctx, const struct sr_storage_entry *e)
{
    struct first *f = ctx;
    if (strncmp(e->key, f->base, strlen(f->base)) != 0)
        return 0; /* more than was asked for */
    (void)snprintf(f->key, SR_STORAGE_KEY_MAX, "%s", e->key);
    return 1;
}

/* One after the other from the front, each answered for. -1: a deletion that deletes nothing. */
static int clean(struct check *c, int64_t *ret_locked)
{
    char key[SR_STORAGE_KEY_MAX] = "", before[SR_STORAGE_KEY_MAX];
    struct first f = {c->base, key};
    struct sr_storage_deletion d;
    for (;;) {
        memcpy(before, key, sizeof before);
        key[0] = '\0';
        if (call_list(c, &c->a, c->base, "", first_key, &f) != SR_STORAGE_OK)
            return -1;
        if (!*key)
            return 0;
        if (strcmp(key, before) == 0 || call_delete(c, &c->a, key, &d) != SR_STORAGE_OK)
            return -1;
        if (d.outcome == SR_STORAGE_KEPT) {
            *ret_locked = d.locked_until;
            return -1;
        }
    }
}

/* What a point has locked is given time to come free, because it was locked for a short while. */
static int clean_patiently(struct check *c)
{
    const struct timespec second = {1, 0};
    for (unsigned i = 0;; i++) {
        int64_t locked = 0;
        int rc = clean(c, &locked);
        if (rc == 0 || locked == 0 || locked > c->locked_until || i > 2 * CHECK_LOCK_SECONDS)
            return rc;
        check_beat(c);
        (void)nanosleep(&second, NULL);
    }
}

int check_end(struct check *c)
{
    struct sr_error err = SR_ERROR_INIT;
    if (check_open(c, &c->a, NULL, &err) == SR_OK) {
        check_that(c, clean_patiently(c) == 0, "everything that was stored can be deleted");
        check_close(c, &c->a);
    } else {
        check_that(c, 0, "the plugin can be opened again: %s", err.text);
    }
    check_around_end(c);
    (void)fprintf(c->out, "1..%u\n", c->number);
    check_note(c, "%u promises tried, %u broken, %u not tried", c->number - c->skipped, c->failed,
               c->skipped);
    return c->failed ? 1 : 0;
}

void check_done(struct check *c)
{
    check_close(c, &c->a);
    check_close(c, &c->b);
    for (int i = 0; i < CHECK_ALTS; i++)
        sr_strlist_done(&c->alt[i]);
    sr_strlist_done(&c->values);
    check_around_done(c);
    free(c->before);
    c->before = NULL;
}

/* Told once all handles are closed: promises of every call. */
static void check_always(struct check *c)
{
    struct check_always *a = &c->always;
    if (!check_that(c, a->unsaid == 0, "every error comes with its code and a message"))
        check_note(c, "%u did not; %s", a->unsaid, a->first);
    if (!check_that(c, a->unknown == 0, "every code is one of the interface"))
        check_note(c, "%u were not; %s", a->unknown, a->first);
    if (!check_that(c, a->secrets == 0, "no message holds a secret"))
        check_note(c, "%u did; %s", a->secrets, a->first);
    if (!check_that(c, a->after_error == 0, "after set_error nothing is called back"))
        check_note(c, "%u times", a->after_error);
    if (!check_that(c, a->late == 0, "after a call has returned nothing of it is called back"))
        check_note(c, "%u times", a->late);
    if (!check_that(c, a->foreign == 0, "callbacks come on the thread of the call"))
        check_note(c, "%u did not", a->foreign);
    check_that(c, a->shapeless == 0, "every entry has its size and a key");
    check_that(c, a->misused == 0, "no service of the host is used outside of a call");
}

/* A thread that has ended may be in the list for a moment yet. */
static int threads_left(const struct check *c)
{
    const struct timespec wait = {0, 20000000};
    int now = entries("/proc/self/task");
    for (unsigned i = 0; i < 100 && now > c->threads; i++) {
        (void)nanosleep(&wait, NULL);
        now = entries("/proc/self/task");
    }
    return now;
}

void check_ending(struct check *c)
{
    check_close(c, &c->a);
    check_close(c, &c->b);
    int threads = threads_left(c), fds = entries("/proc/self/fd");
    if (!check_that(c, fds <= c->descriptors, "no descriptor is left after close"))
        check_note(c, "%d before open, %d after close", c->descriptors, fds);
    if (!check_that(c, threads <= c->threads, "no thread is left after close"))
        check_note(c, "%d before open, %d after close", c->threads, threads);
    check_always(c);
}
