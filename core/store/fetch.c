#include "config.h"
#include "core/store/store_private.h"
#include "core/util/buf.h"

#include <inttypes.h>
#include <stdio.h>

struct fetch_call {
    struct sr_store *s;
    sr_store_write_fn write;
    void *ctx;
    uint64_t skip; /* bytes to pass over: the plugin cannot begin in the middle */
    uint64_t left; /* bytes still wanted; SR_SIZE_UNKNOWN: all */
    int enough;    /* the plugin was stopped because all that is wanted is here */
    int code;      /* of err */
    struct sr_error err;
};

static int take(struct fetch_call *c, const char *data, uint64_t len)
{
    if (c->code != SR_OK || c->enough)
        return 1;
    if (!data || len == 0 || len > INT64_MAX) {
        c->code =
            sr_fail(&c->err, SR_E_INTERNAL,
                    "store %s: plugin %s broke a promise: it handed over %" PRIu64 " bytes at once",
                    c->s->name, sr_plugin_file(c->s->plugin), len);
        return 1;
    }
    uint64_t over = len < c->skip ? len : c->skip;
    c->skip -= over;
    data += over;
    len -= over;
    int ranges = (c->s->caps & SR_CAP_RANGES) != 0;
    if (len > c->left && ranges) {
        c->code = sr_fail(&c->err, SR_E_INTERNAL,
                          "store %s: plugin %s broke a promise: of %" PRIu64
                          " bytes that were left to fetch it handed over %" PRIu64,
                          c->s->name, sr_plugin_file(c->s->plugin), c->left, len);
        return 1;
    }
    if (len > c->left)
        len = c->left;
    if (len > 0)
        c->code = c->write(c->ctx, data, (size_t)len, &c->err);
    if (c->left != SR_SIZE_UNKNOWN)
        c->left -= len;
    c->enough = c->left == 0 && !ranges;
    return c->code != SR_OK || c->enough;
}

static int32_t border_write(void *host, const void *data, uint64_t len)
{
    struct fetch_call *c = sr_host_call_get(host, "a writer");
    if (!c)
        return 1;
    int stop = take(c, data, len);
    sr_host_call_put(host);
    return stop;
}

int sr_store_fetch(struct sr_store *s, const char *key, uint64_t offset, uint64_t length,
                   sr_store_write_fn write, void *ctx, struct sr_error *err)
{
    char full_key[SR_KEY_MAX], doing[32 + SR_KEY_MAX];
    int rc = sr_store_full_key(s, key, full_key, err);
    if (rc != SR_OK)
        return rc;
    int ranges = (s->caps & SR_CAP_RANGES) != 0;
    struct fetch_call c = {
        .s = s, .write = write, .ctx = ctx, .skip = ranges ? 0 : offset, .left = length};
    const struct sr_storage_fetch_options o = {
        .size = sizeof o,
        .key = full_key,
        .offset = ranges ? offset : 0,
        .length = ranges ? length : SR_STORAGE_SIZE_UNKNOWN,
    };
    const struct sr_storage_writer w = {.size = sizeof w, .ctx = s->host, .write = border_write};
    (void)snprintf(doing, sizeof doing, "fetching %s", key);
    rc = sr_store_begin(s, doing, &c, err);
    if (rc != SR_OK)
        return rc;
    int32_t code = s->table->fetch(s->handle, &o, &w);
    sr_host_call_set(s->host, NULL);
    if (c.code != SR_OK)
        rc = sr_error_copy(err, &c.err);
    else if (code != SR_STORAGE_OK && !c.enough)
        rc = sr_host_error(s->host, code, doing, err);
    sr_store_end(s);
    return rc;
}

struct small {
    struct sr_buf *b;
    const struct sr_store *s;
    const char *key;
};

static int write_small(void *ctx, const void *data, size_t len, struct sr_error *err)
{
    const struct small *m = ctx;
    int rc = sr_buf_add(m->b, data, len);
    if (rc == SR_E_NO_SPACE)
        return sr_fail(err, SR_E_CORRUPT,
                       "store %s: %s is larger than %zu bytes, which such an "
                       "object never is",
                       m->s->name, m->key, m->b->max);
    return rc == SR_OK ? rc : sr_fail(err, rc, "store %s: %s: out of memory", m->s->name, m->key);
}

int sr_store_fetch_small(struct sr_store *s, const char *key, struct sr_buf *b,
                         struct sr_error *err)
{
    struct small m = {b, s, key};
    return sr_store_fetch(s, key, 0, SR_SIZE_UNKNOWN, write_small, &m, err);
}
