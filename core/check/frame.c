#include "config.h"
#include "core/check/check.h"
#include "core/util/buf.h"
#include "core/util/cleanup.h"
#include "core/util/fs.h"
#include "core/util/text.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

/* --- TAP --- */

int check_that(struct check *c, int good, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)printf("%s %u - ", good ? "ok" : "not ok", ++c->number);
    (void)vprintf(fmt, ap);
    (void)printf("\n");
    va_end(ap);
    c->failed += !good;
    return good;
}

void check_skip(struct check *c, const char *what, const char *why)
{
    (void)printf("ok %u - %s # SKIP %s\n", ++c->number, what, why);
    c->skipped++;
}

void check_note(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)printf("# ");
    (void)vprintf(fmt, ap);
    (void)printf("\n");
    va_end(ap);
}

/* --- settings: arguments first, then the environment --- */

static int get(void *ctx, const char *name, char **ret, struct sr_error *err)
{
    const struct check *c = ctx;
    const char *value = NULL;
    for (size_t i = 0; i < c->values.len && !value; i++) {
        const char *eq = strchr(c->values.items[i], '=');
        _cleanup_free_ char *key = strndup(c->values.items[i], (size_t)(eq - c->values.items[i]));
        _cleanup_free_ char *full = NULL;
        if (!key || sr_setting_name(c->view.store, key, &full, err) != SR_OK)
            return SR_E_NO_MEMORY;
        if (strcmp(full, name) == 0)
            value = eq + 1;
    }
    if (!value)
        value = getenv(name);
    *ret = value ? strdup(value) : NULL;
    if (value || strlen(name) > 200)
        return value && !*ret ? sr_fail(err, SR_E_NO_MEMORY, "out of memory") : SR_OK;
    char file[256];
    (void)snprintf(file, sizeof file, "%s_FILE", name);
    const char *path = getenv(file);
    if (!path)
        return SR_OK;
    struct sr_buf b;
    sr_buf_init(&b, 65536);
    int rc = sr_fs_read_file(path, &b, err);
    while (rc == SR_OK && b.len && b.data[b.len - 1] == '\n')
        b.data[--b.len] = '\0';
    if (rc == SR_OK && !(*ret = sr_buf_steal(&b)))
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    sr_buf_wipe(&b);
    return rc;
}

static int path(void *ctx, const char *name, const char *value, char **ret, struct sr_error *err)
{
    (void)ctx;
    (void)name;
    _cleanup_free_ char *cwd = *value == '/' ? NULL : getcwd(NULL, 0);
    *ret = sr_fs_join(cwd ? cwd : "", value);
    return *ret ? SR_OK : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
}

static int names(void *ctx, const char *prefix, struct sr_strlist *ret)
{
    const struct check *c = ctx;
    for (size_t i = 0; i < c->values.len; i++) {
        _cleanup_free_ char *key = strdup(c->values.items[i]), *full = NULL;
        if (!key)
            return SR_E_NO_MEMORY;
        key[strcspn(key, "=")] = '\0';
        if (sr_setting_name(c->view.store, key, &full, NULL) != SR_OK ||
            sr_strlist_add(ret, full) != SR_OK)
            return SR_E_NO_MEMORY;
    }
    for (char **e = environ; *e; e++)
        if (strncmp(*e, prefix, strlen(prefix)) == 0 &&
            sr_strlist_addn(ret, *e, strcspn(*e, "=")) != SR_OK)
            return SR_E_NO_MEMORY;
    return SR_OK;
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

int check_open(struct check *c, struct check_handle *h, struct sr_error *err)
{
    const struct sr_host_options o = {
        .label = "plugin under test",
        .file = sr_plugin_file(c->plugin),
        .clock = &sr_clock_system,
        .values = &c->view,
    };
    const struct sr_storage_open_options options = {.size = sizeof options, .store = c->t->name};
    int rc = sr_host_new(&o, &h->host, err);
    if (rc != SR_OK)
        return rc;
    sr_host_enter(h->host);
    int32_t code = c->t->open(sr_host_services(h->host), &options, &h->handle);
    h->caps = c->t->capabilities;
    if (code == SR_STORAGE_OK && c->t->ask_capabilities)
        code = c->t->ask_capabilities(h->handle, &h->caps);
    sr_host_leave(h->host);
    if (code == SR_STORAGE_OK && h->handle)
        return SR_OK;
    rc = code == SR_STORAGE_OK
             ? sr_fail(err, SR_E_INTERNAL, "open succeeded without making a handle")
             : sr_host_error(h->host, code, "cannot be opened", err);
    h->handle = NULL;
    sr_host_retire(h->host);
    h->host = NULL;
    return rc;
}

void check_close(struct check *c, struct check_handle *h)
{
    if (!h->handle)
        return;
    sr_host_enter(h->host);
    c->t->close(h->handle);
    sr_host_leave(h->host);
    sr_host_retire(h->host);
    h->handle = NULL;
    h->host = NULL;
}

int check_begin(struct check *c, const char *search_path, struct sr_error *err)
{
    unsigned char random[6];
    char hex[2 * sizeof random + 1];
    _cleanup_free_ char *real = strchr(c->which, '/') ? realpath(c->which, NULL) : NULL;
    c->before = check_process_now();
    int rc = sr_plugin_load(real ? real : c->which, search_path, &c->plugin, err);
    if (rc != SR_OK)
        return rc;
    if (sr_random(random, sizeof random) != 0)
        return sr_fail(err, SR_E_INTERNAL, "no random bytes");
    sr_hex(random, sizeof random, hex);
    (void)snprintf(c->base, sizeof c->base, "plugin-check-%s/", hex);
    c->t = sr_plugin_table(c->plugin);
    c->lookup = (struct sr_setting_lookup){c, get, path, names};
    c->view = (struct sr_setting_view){c->t->name, c->t->name, c->t->settings, &c->lookup};
    rc = sr_setting_check_all(&c->view, NULL, err);
    if (rc != SR_OK)
        return rc;
    c->descriptors = entries("/proc/self/fd");
    c->threads = entries("/proc/self/task");
    check_note("%s %s: %s (%s)", c->t->name, c->t->version, c->t->description,
               sr_plugin_file(c->plugin));
    rc = check_open(c, &c->a, err);
    if (rc == SR_OK && c->t->max_handles != 1)
        rc = check_open(c, &c->b, err);
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

/* Deletes everything below base; the keys that were used are not remembered. */
static int clean(struct check *c)
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
        if (strcmp(key, before) == 0)
            return -1; /* a deletion that deletes nothing */
        if (call_delete(c, &c->a, key, &d) != SR_STORAGE_OK || d.outcome == SR_STORAGE_KEPT)
            return -1;
    }
}

int check_end(struct check *c)
{
    struct sr_error err = SR_ERROR_INIT;
    if (check_open(c, &c->a, &err) == SR_OK) {
        check_that(c, clean(c) == 0, "everything that was stored can be deleted");
        check_close(c, &c->a);
    } else {
        check_that(c, 0, "the plugin can be opened again: %s", err.text);
    }
    (void)printf("1..%u\n", c->number);
    check_note("%u promises tried, %u broken, %u not tried", c->number - c->skipped, c->failed,
               c->skipped);
    return c->failed ? 1 : 0;
}

void check_done(struct check *c)
{
    check_close(c, &c->a);
    check_close(c, &c->b);
    sr_strlist_done(&c->values);
    free(c->before);
    c->before = NULL;
}

void check_ending(struct check *c)
{
    check_close(c, &c->a);
    check_close(c, &c->b);
    int fds = entries("/proc/self/fd"), threads = entries("/proc/self/task");
    if (!check_that(c, fds <= c->descriptors, "no descriptor is left after close"))
        check_note("%d before open, %d after close", c->descriptors, fds);
    if (!check_that(c, threads <= c->threads, "no thread is left after close"))
        check_note("%d before open, %d after close", c->threads, threads);
    check_skip(c, "the code for a wrong credential is denied", "needs a server to refuse it");
    check_skip(c, "the code for a server out of reach is unavailable or timeout",
               "needs a server to be out of reach");
    check_skip(c, "a lost answer that cannot be cleared up is in doubt",
               "needs a server that loses answers");
}
