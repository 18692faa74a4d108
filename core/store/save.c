/* Saving: core's pull function as a reader, and what a plugin's success is held against. */
#include "config.h"
#include "core/store/store_private.h"
#include "core/util/log.h"
#include "core/util/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct save_call {
    struct sr_store *s;
    const struct sr_store_object *object;
    sr_store_pull_fn pull;
    void *pull_ctx;
    uint64_t taken;
    int ended, failed, named;
    struct sr_error err;   /* of the reader, once failed */
    char full[SR_KEY_MAX]; /* with the prefix; "" until the late key is known */
    char key[SR_KEY_MAX];  /* without */
};

static int64_t read_answer(struct save_call *c, void *buf, uint64_t cap, int32_t timeout_ms)
{
    size_t len = 0;
    if (c->failed)
        return SR_STORAGE_READ_FAILED;
    if (c->ended)
        return 0;
    if (!buf || cap == 0 || cap > INT64_MAX) {
        c->failed = sr_fail(&c->err, SR_E_INTERNAL,
                            "store %s: plugin %s broke a promise: it asked the reader for %" PRIu64
                            " bytes",
                            c->s->name, sr_plugin_file(c->s->plugin), cap);
        return SR_STORAGE_READ_FAILED;
    }
    if (sr_host_is_cancelled(c->s->host)) {
        c->failed = sr_fail(&c->err, SR_E_CANCELLED, "store %s: saving: cancelled", c->s->name);
        return SR_STORAGE_READ_FAILED;
    }
    int rc = c->pull(c->pull_ctx, buf, (size_t)cap, (int)timeout_ms, &len, &c->err);
    if (rc == SR_E_AGAIN) {
        sr_error_clear(&c->err);
        return SR_STORAGE_READ_AGAIN;
    }
    if (rc != SR_OK) {
        c->failed = rc;
        return SR_STORAGE_READ_FAILED;
    }
    c->taken += len;
    c->ended = len == 0;
    return (int64_t)len;
}

static int64_t border_read(void *ctx, void *buf, uint64_t cap, int32_t timeout_ms)
{
    struct save_call *c = sr_host_call_get(ctx, "a reader");
    if (!c)
        return SR_STORAGE_READ_FAILED;
    int64_t n = read_answer(c, buf, cap, timeout_ms);
    sr_host_call_put(ctx);
    return n;
}

static int late_answer(struct save_call *c, char *buf, uint64_t cap)
{
    if (c->object->key || !c->ended || c->named)
        return sr_fail(&c->err, SR_E_INTERNAL,
                       "store %s: plugin %s broke a promise: it asked for the late key %s",
                       c->s->name, sr_plugin_file(c->s->plugin),
                       c->object->key ? "of an object that had one"
                       : c->named     ? "twice"
                                      : "before the end of the bytes");
    c->named = 1;
    int rc = c->object->late_key(c->object->late_ctx, c->key, sizeof c->key, &c->err);
    if (rc == SR_OK)
        rc = sr_store_full_key(c->s, c->key, c->full, &c->err);
    size_t n = strlen(c->full);
    if (rc == SR_OK && n >= cap)
        rc = sr_fail(&c->err, SR_E_INTERNAL,
                     "store %s: plugin %s broke a promise: it has room for a late key of %" PRIu64
                     " bytes, %d are promised",
                     c->s->name, sr_plugin_file(c->s->plugin), cap, SR_STORAGE_KEY_MAX);
    if (rc == SR_OK)
        memcpy(buf, c->full, n + 1);
    return rc;
}

static int32_t border_late_key(void *ctx, char *buf, uint64_t cap)
{
    struct save_call *c = sr_host_call_get(ctx, "a reader's late_key");
    if (!c)
        return SR_STORAGE_E_INTERNAL;
    int rc = late_answer(c, buf, cap);
    if (rc != SR_OK)
        c->failed = rc;
    sr_host_call_put(ctx);
    return rc == SR_OK ? SR_STORAGE_OK : SR_STORAGE_E_CANCELLED;
}

void sr_store_discard(struct sr_store *s, const char *full_key)
{
    /* Only where create-only is strict: elsewhere the object under that key might be an older one.
     */
    if (!*full_key || !(s->caps & SR_CAP_ATOMIC_CREATE))
        return;
    const struct sr_storage_delete_options o = {.size = sizeof o, .key = full_key};
    struct sr_storage_deletion d = {.size = sizeof d};
    if (sr_store_begin(s, "removing a bad object", NULL, NULL) != SR_OK)
        return;
    int32_t code = s->table->delete_object(s->handle, &o, &d);
    sr_store_end(s);
    sr_log(SR_LOG_WARN, "store %s: %s was not saved as it should be and %s", s->name, full_key,
           code == SR_STORAGE_OK ? "is removed" : "could not be removed");
}

static int broken(const struct save_call *c, const char *what, uint64_t got, uint64_t wanted,
                  struct sr_error *err)
{
    return sr_fail(err, SR_E_INTERNAL,
                   "store %s: plugin %s broke a promise: %s (%" PRIu64 " and %" PRIu64 " bytes)",
                   c->s->name, sr_plugin_file(c->s->plugin), what, got, wanted);
}

/* How much was to come is known only where the caller knew it before. */
static int unread(const struct save_call *c, struct sr_error *err)
{
    char expected[64] = "how many there would be was not known";
    if (c->object->size_hint != SR_SIZE_UNKNOWN)
        (void)snprintf(expected, sizeof expected, "%" PRIu64 " were expected",
                       c->object->size_hint);
    return sr_fail(err, SR_E_INTERNAL,
                   "store %s: plugin %s broke a promise: save succeeded without reading to the "
                   "end: it took %" PRIu64 " bytes, %s",
                   c->s->name, sr_plugin_file(c->s->plugin), c->taken, expected);
}

/* What is promised of a save that says it went well. */
static int success_check(const struct save_call *c, const struct sr_storage_saved *saved,
                         struct sr_error *err)
{
    if (c->failed)
        return broken(c, "save succeeded although the reader failed", c->taken, c->taken, err);
    if (!c->ended)
        return unread(c, err);
    if (!c->object->key && !c->named)
        return broken(c, "save succeeded without asking for the object's name", c->taken, c->taken,
                      err);
    if ((saved->confirmed & SR_STORAGE_CONFIRMED_SIZE) && saved->object_size != c->taken)
        return sr_fail(
            err, SR_E_CORRUPT,
            "store %s: %" PRIu64 " bytes of %s were handed over, the store says it holds "
            "%" PRIu64 " (plugin %s)",
            c->s->name, c->taken, c->key, saved->object_size, sr_plugin_file(c->s->plugin));
    if ((saved->confirmed & SR_STORAGE_CONFIRMED_CHECKSUM) &&
        (saved->checksum_len == 0 || saved->checksum_len > SR_STORAGE_CHECKSUM_MAX))
        return broken(c, "the checksum that the store confirmed has no possible length",
                      saved->checksum_len, SR_STORAGE_CHECKSUM_MAX, err);
    return SR_OK;
}

static void take_result(const struct save_call *c, const struct sr_storage_saved *saved,
                        struct sr_store_saved *ret)
{
    *ret = (struct sr_store_saved){
        .size = c->taken,
        .size_confirmed = (saved->confirmed & SR_STORAGE_CONFIRMED_SIZE) != 0,
    };
    memcpy(ret->key, c->key, sizeof ret->key);
    if ((saved->confirmed & SR_STORAGE_CONFIRMED_CHECKSUM) &&
        saved->checksum_kind == SR_STORAGE_SUM_SHA256 && saved->checksum_len == 32) {
        ret->sha256_confirmed = 1;
        sr_hex(saved->checksum, 32, ret->sha256);
    }
}

static int save_possible(const struct sr_store *s, const struct sr_store_object *o,
                         struct sr_error *err)
{
    if (s->read_only)
        return sr_fail(err, SR_E_DENIED, "store %s was opened to be read only", s->name);
    if (!o->key && !(s->caps & SR_CAP_LATE_KEY))
        return sr_fail(err, SR_E_UNSUPPORTED,
                       "store %s must be told the name of an object before its bytes", s->name);
    if (o->replace && !o->key)
        return sr_fail(err, SR_E_INTERNAL, "store %s: what is replaced has a name", s->name);
    if (o->retain_until && !(s->caps & SR_CAP_LOCK))
        return sr_fail(err, SR_E_UNSUPPORTED,
                       "store %s cannot keep an object from being deleted until a date", s->name);
    return SR_OK;
}

static int run(struct save_call *c, struct sr_storage_saved *saved, struct sr_error *err)
{
    struct sr_store *s = c->s;
    const struct sr_store_object *o = c->object;
    const struct sr_storage_object object = {
        .size = sizeof object,
        .key = o->key ? c->full : NULL,
        .size_hint = o->size_hint,
        .metadata = o->metadata,
    };
    const struct sr_storage_reader reader = {
        .size = sizeof reader,
        .ctx = s->host,
        .read = border_read,
        .late_key = border_late_key,
    };
    const struct sr_storage_save_options options = {
        .size = sizeof options,
        .flags = o->replace ? SR_STORAGE_SAVE_REPLACE : 0,
        .retain_until = o->retain_until,
    };
    char doing[64 + SR_KEY_MAX];
    int rc = sr_store_begin(s, "saving", c, err);
    if (rc != SR_OK)
        return rc;
    int32_t code = s->table->save(s->handle, &object, &reader, &options, saved);
    sr_host_call_set(s->host, NULL);
    (void)snprintf(doing, sizeof doing, "saving %s", o->key ? o->key : c->key);
    if (code == SR_STORAGE_OK)
        rc = success_check(c, saved, err);
    else if (c->failed && code != SR_STORAGE_E_IN_DOUBT)
        rc = sr_error_copy(err, &c->err);
    else
        rc = sr_host_error(s->host, code, doing, err);
    sr_store_end(s);
    if (rc != SR_OK && code == SR_STORAGE_OK)
        sr_store_discard(s, c->full);
    return rc;
}

int sr_store_save(struct sr_store_rw *rw, const struct sr_store_object *object,
                  sr_store_pull_fn pull, void *pull_ctx, struct sr_store_saved *ret,
                  struct sr_error *err)
{
    struct sr_store *s = &rw->s;
    struct save_call c = {
        .s = s, .object = object, .pull = pull, .pull_ctx = pull_ctx, .err = SR_ERROR_INIT};
    int rc = save_possible(s, object, err);
    if (rc == SR_OK && object->key) {
        rc = sr_store_full_key(s, object->key, c.full, err);
        if (rc == SR_OK)
            memcpy(c.key, object->key, strlen(object->key) + 1);
    }
    if (rc != SR_OK)
        return rc;
    struct sr_storage_saved saved = {.size = sizeof saved};
    rc = run(&c, &saved, err);
    if (rc == SR_OK && ret)
        take_result(&c, &saved, ret);
    return rc;
}

struct memory {
    const char *data;
    size_t len;
};

static int pull_memory(void *ctx, void *buf, size_t cap, int timeout_ms, size_t *ret_len,
                       struct sr_error *err)
{
    struct memory *m = ctx;
    (void)timeout_ms;
    (void)err;
    size_t n = m->len < cap ? m->len : cap;
    if (n)
        memcpy(buf, m->data, n);
    m->data += n;
    m->len -= n;
    *ret_len = n;
    return SR_OK;
}

int sr_store_save_locked(struct sr_store_rw *s, const char *key, const void *data, size_t len,
                         int64_t retain_until, struct sr_error *err)
{
    struct memory m = {data, len};
    const struct sr_store_object o = {.key = key, .size_hint = len, .retain_until = retain_until};
    return sr_store_save(s, &o, pull_memory, &m, NULL, err);
}

int sr_store_save_small(struct sr_store_rw *s, const char *key, const void *data, size_t len,
                        struct sr_error *err)
{
    return sr_store_save_locked(s, key, data, len, 0, err);
}
