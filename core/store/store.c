#include "config.h"
#include "core/plugin/search.h"
#include "core/store/open.h"
#include "core/store/store_private.h"
#include "core/util/buf.h"
#include "core/util/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAME(x) _Static_assert((int)SR_STORAGE_##x == (int)SR_##x, #x " has two numbers")
SAME(OK);
SAME(E_NOT_FOUND);
SAME(E_EXISTS);
SAME(E_DENIED);
SAME(E_CONFIG);
SAME(E_UNAVAILABLE);
SAME(E_TIMEOUT);
SAME(E_THROTTLED);
SAME(E_NO_SPACE);
SAME(E_CORRUPT);
SAME(E_LOCKED);
SAME(E_CHANGED);
SAME(E_IN_DOUBT);
SAME(E_CANCELLED);
SAME(E_UNSUPPORTED);
SAME(E_INTERNAL);
_Static_assert(SR_KEY_MAX == SR_STORAGE_KEY_MAX, "keys have two lengths");
_Static_assert(SR_SIZE_UNKNOWN == SR_STORAGE_SIZE_UNKNOWN, "unknown sizes differ");

int sr_store_begin(struct sr_store *s, const char *doing, void *call, struct sr_error *err)
{
    if (atomic_exchange(&s->busy, 1))
        return sr_fail(err, SR_E_INTERNAL, "store %s: %s: another call is under way on this handle",
                       s->name, doing);
    if (sr_host_is_cancelled(s->host)) {
        atomic_store(&s->busy, 0);
        return sr_fail(err, SR_E_CANCELLED, "store %s: %s: cancelled", s->name, doing);
    }
    sr_host_enter(s->host);
    sr_host_call_set(s->host, call);
    return SR_OK;
}

void sr_store_end(struct sr_store *s)
{
    sr_host_leave(s->host);
    atomic_store(&s->busy, 0);
}

int sr_store_full_key(const struct sr_store *s, const char *key, char *out, struct sr_error *err)
{
    int rc = sr_key_check(key, err);
    if (rc != SR_OK)
        return sr_error_wrap(err, "store %s", s->name);
    size_t p = strlen(s->prefix), n = strlen(key);
    if (p + n >= SR_KEY_MAX)
        return sr_fail(err, SR_E_CONFIG,
                       "store %s: the key %.40s... is longer than %d bytes with the prefix %s",
                       s->name, key, SR_KEY_MAX - 1, s->prefix);
    memcpy(out, s->prefix, p);
    memcpy(out + p, key, n + 1);
    return SR_OK;
}

/* --- opening --- */

static int take_prefix(struct sr_store *s, const char *prefix, struct sr_error *err)
{
    if (!prefix || !*prefix)
        return SR_OK;
    size_t n = strlen(prefix);
    while (n > 0 && prefix[n - 1] == '/')
        n--;
    /* Room must be left for a key below it. */
    if (n + 2 + SR_KEY_COMPONENT_MAX >= SR_KEY_MAX)
        return sr_fail(err, SR_E_CONFIG, "store %s: its prefix is too long", s->name);
    memcpy(s->prefix, prefix, n);
    s->prefix[n] = '\0';
    if (sr_key_check(s->prefix, err) != SR_OK)
        return sr_error_wrap(err, "store %s: its prefix cannot be part of a key", s->name);
    s->prefix[n] = '/';
    s->prefix[n + 1] = '\0';
    return SR_OK;
}

static int open_handle(struct sr_store *s, struct sr_error *err)
{
    const struct sr_storage_open_options o = {
        .size = sizeof o,
        .store = s->name,
        .flags = s->read_only ? SR_STORAGE_OPEN_READ_ONLY : 0,
    };
    int rc = sr_store_begin(s, "opening", NULL, err);
    if (rc != SR_OK)
        return rc;
    int32_t code = s->table->open(sr_host_services(s->host), &o, &s->handle);
    if (code != SR_STORAGE_OK) {
        s->handle = NULL;
        rc = sr_host_error(s->host, code, "cannot be opened", err);
    } else if (!s->handle) {
        rc = sr_fail(err, SR_E_INTERNAL,
                     "store %s: plugin %s broke a promise: open succeeded without a handle",
                     s->name, sr_plugin_file(s->plugin));
    }
    sr_store_end(s);
    return rc;
}

static int ask_caps(struct sr_store *s, struct sr_error *err)
{
    uint64_t caps = s->table->capabilities;
    if (s->table->ask_capabilities) {
        int rc = sr_store_begin(s, "asking for capabilities", NULL, err);
        if (rc != SR_OK)
            return rc;
        int32_t code = s->table->ask_capabilities(s->handle, &caps);
        rc = sr_host_error(s->host, code, "cannot say what it can do", err);
        sr_store_end(s);
        if (rc != SR_OK)
            return rc;
    }
    if (caps & ~s->table->capabilities)
        sr_log(SR_LOG_WARN,
               "store %s: plugin %s broke a promise: the handle claims capabilities 0x%llx, the "
               "plugin declared 0x%llx; what was not declared is not used",
               s->name, sr_plugin_file(s->plugin), (unsigned long long)caps,
               (unsigned long long)s->table->capabilities);
    s->caps = caps & s->table->capabilities;
    return SR_OK;
}

static int place_from_settings(struct sr_store *s, struct sr_buf *b, struct sr_error *err)
{
    int rc = sr_buf_printf(b, "%s:", s->table->name);
    for (const struct sr_storage_setting *r = s->table->settings; rc == SR_OK && r->key; r++) {
        if (!(r->flags & SR_STORAGE_SETTING_PLACE) || (r->flags & SR_STORAGE_SETTING_SECRET))
            continue;
        char *value = NULL;
        rc = sr_setting_get(&s->view, r->key, &value, NULL, err);
        if (rc == SR_OK)
            rc = sr_buf_printf(b, "//%s", value ? value : "");
        free(value);
    }
    return rc;
}

static int ask_place(struct sr_store *s, struct sr_error *err)
{
    char text[4096] = "";
    struct sr_buf b;
    sr_buf_init(&b, 8192);
    int rc = SR_OK;
    if (s->table->place) {
        rc = sr_store_begin(s, "asking for its place", NULL, err);
        if (rc == SR_OK) {
            int32_t code = s->table->place(s->handle, text, sizeof text);
            rc = sr_host_error(s->host, code, "cannot say where it stores", err);
            sr_store_end(s);
        }
        text[sizeof text - 1] = '\0';
        sr_host_redact(s->host, text);
        if (rc == SR_OK)
            rc = sr_buf_adds(&b, text);
    } else {
        rc = place_from_settings(s, &b, err);
    }
    s->bare_len = b.len;
    if (rc == SR_OK && *s->prefix)
        rc = sr_buf_printf(&b, "/%s", s->prefix);
    if (rc == SR_OK && !(s->place = sr_buf_steal(&b)))
        rc = sr_fail(err, SR_E_NO_MEMORY, "store %s: out of memory", s->name);
    sr_buf_done(&b);
    return rc;
}

static int open_steps(struct sr_store *s, const struct sr_store_spec *spec, struct sr_error *err)
{
    char label[128];
    (void)snprintf(label, sizeof label, "store %s", s->name);
    const struct sr_host_options o = {
        .label = label,
        .file = sr_plugin_file(s->plugin),
        .clock = &sr_clock_system,
        .values = &s->view,
    };
    int rc = take_prefix(s, spec->prefix, err);
    if (rc == SR_OK)
        rc = sr_host_new(&o, &s->host, err);
    if (rc == SR_OK)
        rc = open_handle(s, err);
    if (rc == SR_OK)
        rc = ask_caps(s, err);
    return rc == SR_OK ? ask_place(s, err) : rc;
}

int sr_store_open(const struct sr_store_spec *spec, struct sr_store_rw **ret, struct sr_error *err)
{
    if (!sr_plugin_name_ok(spec->name))
        return sr_fail(err, SR_E_CONFIG,
                       "'%s' is no name for a store: [a-z][a-z0-9-]*, at most %d bytes", spec->name,
                       SR_PLUGIN_NAME_MAX);
    int rc = sr_plugin_handle_take(spec->plugin, err);
    if (rc != SR_OK)
        return rc;
    struct sr_store_rw *rw = calloc(1, sizeof *rw);
    if (!rw) {
        sr_plugin_handle_give(spec->plugin);
        return sr_fail(err, SR_E_NO_MEMORY, "store %s: out of memory", spec->name);
    }
    struct sr_store *s = &rw->s;
    s->plugin = spec->plugin;
    s->table = sr_plugin_table(spec->plugin);
    s->read_only = spec->read_only;
    s->lookup = *spec->lookup;
    memcpy(s->name, spec->name, strlen(spec->name) + 1);
    s->view = (struct sr_setting_view){s->name, s->table->name, s->table->settings, &s->lookup};
    rc = open_steps(s, spec, err);
    if (rc != SR_OK) {
        sr_store_close(rw);
        return rc;
    }
    *ret = rw;
    return SR_OK;
}

void sr_store_close(struct sr_store_rw *rw)
{
    if (!rw)
        return;
    struct sr_store *s = &rw->s;
    if (s->handle) {
        sr_host_enter(s->host);
        s->table->close(s->handle);
        sr_host_leave(s->host);
    }
    sr_host_retire(s->host);
    sr_plugin_handle_give(s->plugin);
    free(s->place);
    free(rw);
}

/* --- what it is --- */

struct sr_store *sr_store_ro(struct sr_store_rw *rw)
{
    return &rw->s;
}

const char *sr_store_name(const struct sr_store *s)
{
    return s->name;
}

const char *sr_store_plugin(const struct sr_store *s)
{
    return s->table->name;
}

int sr_store_setting(const struct sr_store *s, const char *key, char **ret, struct sr_error *err)
{
    return sr_setting_get(&s->view, key, ret, NULL, err);
}

const char *sr_store_place(const struct sr_store *s)
{
    return s->place;
}

const struct sr_strlist *sr_store_choices(const struct sr_store *s)
{
    return sr_host_choices(s->host);
}

unsigned sr_store_caps(const struct sr_store *s)
{
    return (s->caps & SR_CAP_LATE_KEY ? (unsigned)SR_STORE_CAP_LATE_KEY : 0u) |
           (s->caps & SR_CAP_ATOMIC_CREATE ? (unsigned)SR_STORE_CAP_ATOMIC_CREATE : 0u) |
           (s->caps & SR_CAP_SURE_SWEEP ? (unsigned)SR_STORE_CAP_SURE_SWEEP : 0u) |
           (s->caps & SR_CAP_LOCK ? (unsigned)SR_STORE_CAP_LOCK : 0u);
}

uint64_t sr_store_plugin_caps(const struct sr_store *s)
{
    return s->caps;
}

/* --- cancelling --- */

void sr_store_cancel(struct sr_store_rw *rw)
{
    sr_host_cancel(rw->s.host);
    if (rw->s.table->cancel)
        rw->s.table->cancel(rw->s.handle);
}

void sr_store_resume(struct sr_store_rw *rw)
{
    sr_host_resume(rw->s.host);
}
