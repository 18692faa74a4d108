/* A cloud plugin, opened by its own entry, against the scripted server.
 *
 *     struct rig r;
 *     rig_open(&r, s3_setting_rows, rules, base, more);     settings: name, value, ..., NULL; more
 *                                                           (or NULL) goes before base, which goes
 *                                                           before the plugin's own defaults
 *     rig_save(&r, (struct source){.left = 4}, flags, 0)    an object "k"; what is confirmed: saved
 *     rig_sent(&r, "PUT", "/k")                             requests of that method, with that in
 *                                                           their target
 *     rig_end(&r);
 *
 * The server's address is the setting endpoint_url. The host's randomness is zeros, so the mark of
 * every upload is RIG_MARK; and no wait takes any time (cloud_host.h: hasty). */
#ifndef SR_TESTS_CLOUD_RIG_H
#define SR_TESTS_CLOUD_RIG_H

#include "tests/unit/cloud_host.h"
#include "tests/unit/scripted.h"

#define RIG_MARK "00000000000000000000000000000000"

extern const struct sr_storage_plugin *sr_storage_plugin_entry(void);

struct rig {
    struct test_host host;
    struct scripted server;
    char endpoint[40];
    const char *settings[40];
    const struct sr_storage_plugin *plugin;
    void *handle;
};

static const struct sr_storage_setting *rig_rows;

/* The plugin's defaults, as a host hands them over. */
static inline int64_t rig_setting(const struct sr_storage_host *host, const char *key, char *buf,
                                  uint64_t cap)
{
    int64_t n = test_setting(host, key, buf, cap);
    for (const struct sr_storage_setting *row = rig_rows; n < 0 && row->key; row++)
        if (strcmp(row->key, key) == 0 && row->fallback) {
            const char *v = strcmp(row->fallback, "true") == 0    ? "1"
                            : strcmp(row->fallback, "false") == 0 ? "0"
                                                                  : row->fallback;
            n = snprintf(buf, cap, "%s", v);
        }
    return n;
}

static inline void rig_open(struct rig *r, const struct sr_storage_setting *rows, const char *rules,
                            const char *const *base, const char *const *more)
{
    size_t n = 0;
    memset(r, 0, sizeof *r);
    rig_rows = rows;
    scripted_start(&r->server, NULL);
    scripted_rules(&r->server, rules);
    (void)snprintf(r->endpoint, sizeof r->endpoint, "http://127.0.0.1:%u", r->server.port);
    for (; more && *more; more++)
        r->settings[n++] = *more;
    for (; *base; base++)
        r->settings[n++] = *base;
    r->settings[n++] = "endpoint_url";
    r->settings[n++] = r->endpoint;
    test_host_init(&r->host);
    r->host.random = 0;
    r->host.hasty = 1;
    r->host.settings = r->settings;
    r->host.host.setting = rig_setting;
    r->plugin = sr_storage_plugin_entry();
    const struct sr_storage_open_options o = {.size = sizeof o, .store = r->plugin->name};
    CU_ASSERT_EQUAL_FATAL(r->plugin->load(&r->host.host), SR_STORAGE_OK);
    CU_ASSERT_EQUAL_FATAL(r->plugin->open(&r->host.host, &o, &r->handle), SR_STORAGE_OK);
}

static inline void rig_end(struct rig *r)
{
    r->plugin->close(r->handle);
    test_host_done(&r->host);
    scripted_stop(&r->server);
}

static inline int rig_sent(struct rig *r, const char *method, const char *what)
{
    json_t *all = scripted_requests(&r->server);
    int n = 0;
    for (size_t i = 0; i < json_array_size(json_object_get(all, "requests")); i++)
        n += strcmp(scripted_field(all, i, "method"), method) == 0 &&
             strstr(scripted_field(all, i, "target"), what) != NULL;
    json_decref(all);
    return n;
}

/* That header of the last such request; "" when it has none, "-" when there is no such request. */
static inline const char *rig_header(struct rig *r, const char *method, const char *what,
                                     const char *name)
{
    static char value[256];
    json_t *all = scripted_requests(&r->server);
    (void)snprintf(value, sizeof value, "-");
    for (size_t i = 0; i < json_array_size(json_object_get(all, "requests")); i++)
        if (strcmp(scripted_field(all, i, "method"), method) == 0 &&
            strstr(scripted_field(all, i, "target"), what)) {
            const char *v = scripted_header(all, i, name);
            (void)snprintf(value, sizeof value, "%s", v ? v : "");
        }
    json_decref(all);
    return value;
}

struct source {
    uint64_t left;
    int never; /* neither bytes nor an end */
};

static inline int64_t source_read(void *ctx, void *buf, uint64_t cap, int32_t timeout_ms)
{
    struct source *s = ctx;
    if (s->never) {
        (void)usleep((useconds_t)(timeout_ms > 20 ? 20 : timeout_ms) * 1000);
        return SR_STORAGE_READ_AGAIN;
    }
    uint64_t n = s->left < cap ? s->left : cap;
    memset(buf, 'x', n);
    s->left -= n;
    return (int64_t)n;
}

static struct sr_storage_saved saved; /* by the last save */

static inline int32_t rig_save(struct rig *r, struct source source, uint64_t flags, int64_t until)
{
    saved = (struct sr_storage_saved){.size = sizeof saved};
    const struct sr_storage_object o = {
        .size = sizeof o, .key = "k", .size_hint = SR_STORAGE_SIZE_UNKNOWN};
    const struct sr_storage_reader reader = {
        .size = sizeof reader, .ctx = &source, .read = source_read};
    const struct sr_storage_save_options options = {
        .size = sizeof options, .flags = flags, .retain_until = until};
    return r->plugin->save(r->handle, &o, &reader, &options, &saved);
}

static inline int32_t rig_save_small(struct rig *r, uint64_t flags)
{
    return rig_save(r, (struct source){.left = 4}, flags, 0);
}

/* What a deletion of "k" comes to: the code, or with SR_STORAGE_OK minus the outcome. */
static inline int32_t rig_delete(struct rig *r)
{
    const struct sr_storage_delete_options o = {.size = sizeof o, .key = "k"};
    struct sr_storage_deletion d = {.size = sizeof d};
    int32_t rc = r->plugin->delete_object(r->handle, &o, &d);
    return rc == SR_STORAGE_OK ? -(int32_t)d.outcome : rc;
}

static inline int32_t rig_ignore(void *ctx, const struct sr_storage_entry *e)
{
    (void)ctx, (void)e;
    return 0;
}

static inline int32_t rig_ignore_bytes(void *ctx, const void *data, uint64_t len)
{
    (void)ctx, (void)data, (void)len;
    return 0;
}

static inline int32_t rig_stat(struct rig *r)
{
    const struct sr_storage_fetch_options o = {.size = sizeof o, .key = "k"};
    const struct sr_storage_emitter e = {.size = sizeof e, .emit = rig_ignore};
    return r->plugin->stat(r->handle, &o, &e);
}

static inline int32_t rig_fetch(struct rig *r)
{
    const struct sr_storage_fetch_options o = {
        .size = sizeof o, .key = "k", .length = SR_STORAGE_SIZE_UNKNOWN};
    const struct sr_storage_writer w = {.size = sizeof w, .write = rig_ignore_bytes};
    return r->plugin->fetch(r->handle, &o, &w);
}

/* A 404 that is not the store's own word for "no such object" tells nothing about the object. Each
 * of the rows is the reply to everything; "" is the end. */
struct rig_absence {
    const char *reply;
    int32_t deleted, fetched, looked;
};

static inline void rig_absences(struct rig *r, const struct rig_absence *row)
{
    for (; row->reply[0]; row++) {
        char rules[1024];
        (void)snprintf(rules, sizeof rules, "[{'match':'','reply':{%s}}]", row->reply);
        scripted_rules(&r->server, rules);
        int32_t d = rig_delete(r), f = rig_fetch(r), l = rig_stat(r);
        if (d != row->deleted || f != row->fetched || l != row->looked)
            (void)fprintf(stderr, "%s: deleted %d, fetched %d, looked %d: %s\n", row->reply, (int)d,
                          (int)f, (int)l, r->host.text);
        CU_ASSERT_EQUAL(d, row->deleted);
        CU_ASSERT_EQUAL(f, row->fetched);
        CU_ASSERT_EQUAL(l, row->looked);
        if (l == SR_STORAGE_E_UNAVAILABLE)
            CU_ASSERT_PTR_NOT_NULL(strstr(r->host.text, "HTTP 4"));
    }
}

#endif
