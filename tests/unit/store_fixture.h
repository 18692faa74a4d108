/* Stores opened as users open them, for tests of core/store: from the build tree's plugins, in a
 * folder of the test's own.
 *
 *     int main(void) { return store_fixture_main("name", tests); }    makes the folder, runs,
 * removes it struct opened o = open_local("folder-below");  ... o.rw, o.s ...  close_local(&o);
 */
#ifndef SR_TESTS_STORE_FIXTURE_H
#define SR_TESTS_STORE_FIXTURE_H

#include "core/config/config.h"
#include "core/store/stores.h"
#include "core/util/buf.h"
#include "core/util/log.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char root[64];

/* A configuration of exactly these NAME=VALUE flags, and the build tree's plugins. */
static inline struct sr_config *config_of(const char *const *pairs)
{
    struct sr_strlist flags = {0};
    struct sr_config *cfg = NULL;
    struct sr_error err = SR_ERROR_INIT;
    char *none[] = {NULL};
    (void)sr_strlist_addf(&flags, "BACKUP_PLUGIN_PATH=%s/plugins/.libs:%s/tests/abi/.libs",
                          getenv("SR_BUILDDIR"), getenv("SR_BUILDDIR"));
    for (; *pairs; pairs++)
        (void)sr_strlist_add(&flags, *pairs);
    const struct sr_config_options o = {
        .config_file = "/dev/null", .env_file = "/dev/null", .flags = &flags, .environ_ = none};
    ASSERT_OK(sr_config_new(&o, &cfg, &err), err);
    sr_strlist_done(&flags);
    return cfg;
}

static inline char *pair(const char *name, const char *below)
{
    static char text[8][256];
    static unsigned next;
    char *out = text[next++ % 8];
    (void)snprintf(out, sizeof text[0], "%s=%s/%s", name, root, below);
    return out;
}

struct opened {
    struct sr_config *cfg;
    struct sr_stores stores;
    struct sr_store_rw *rw;
    struct sr_store *s;
};

static inline struct opened open_local(const char *below)
{
    struct opened o = {0};
    struct sr_error err = SR_ERROR_INIT;
    const char *const pairs[] = {pair("BACKUP_DIR", below), NULL};
    o.cfg = config_of(pairs);
    ASSERT_OK(sr_stores_open(o.cfg, NULL, &o.stores, &err), err);
    CU_ASSERT_EQUAL_FATAL(o.stores.len, 1);
    o.rw = o.stores.items[0];
    o.s = sr_store_ro(o.rw);
    return o;
}

static inline void close_local(struct opened *o)
{
    sr_stores_close(&o->stores);
    sr_config_free(o->cfg);
}

static inline int gather(void *ctx, const struct sr_store_entry *e)
{
    (void)sr_buf_printf(ctx, "%s:%llu ", e->key, (unsigned long long)e->size);
    return 0;
}

static inline char *listed(struct sr_store *s, const char *prefix, const char *after)
{
    struct sr_buf b;
    struct sr_error err = SR_ERROR_INIT;
    sr_buf_init(&b, 1 << 20);
    ASSERT_OK(sr_store_list(s, prefix, after, gather, &b, &err), err);
    char *text = sr_buf_steal(&b);
    sr_buf_done(&b);
    return text;
}

static inline void assert_listed(struct sr_store *s, const char *prefix, const char *after,
                                 const char *wanted)
{
    char *text = listed(s, prefix, after);
    CU_ASSERT_STRING_EQUAL(text, wanted);
    if (strcmp(text, wanted) != 0)
        (void)fprintf(stderr, "listed: %s\nwanted: %s\n", text, wanted);
    free(text);
}

static inline void put(struct sr_store_rw *rw, const char *key, const char *text)
{
    struct sr_error err = SR_ERROR_INIT;
    ASSERT_OK(sr_store_save_small(rw, key, text, strlen(text), &err), err);
}

/* What a save reads: len bytes in pieces of step. */
struct feed {
    const char *data;
    size_t len, at, step;
    int fail_at_end, again;
    struct sr_store_rw *cancel;
    const char *late;
};

static inline int feed_pull(void *ctx, void *buf, size_t cap, int timeout_ms, size_t *ret_len,
                            struct sr_error *err)
{
    struct feed *f = ctx;
    (void)timeout_ms;
    if (f->again && (f->again = !f->again, 1))
        return SR_E_AGAIN;
    if (f->at == f->len && f->fail_at_end)
        return sr_fail(err, SR_E_CHILD, "pg_dump failed: exit status 1");
    if (f->cancel && f->at)
        sr_store_cancel(f->cancel);
    size_t n = f->len - f->at < f->step ? f->len - f->at : f->step;
    n = n < cap ? n : cap;
    memcpy(buf, f->data + f->at, n);
    f->at += n;
    *ret_len = n;
    return SR_OK;
}

static inline int feed_late(void *ctx, char *buf, size_t cap, struct sr_error *err)
{
    struct feed *f = ctx;
    if (!f->late)
        return sr_fail(err, SR_E_IO, "no digest");
    CU_ASSERT_EQUAL(f->at, f->len);
    (void)snprintf(buf, cap, "%s", f->late);
    return SR_OK;
}

static inline int store_fixture_main(const char *name, const struct unit_test *tests)
{
    (void)snprintf(root, sizeof root, "/tmp/sr-test-store-XXXXXX");
    if (!mkdtemp(root))
        return 2;
    sr_log_setup(SR_LOG_ERROR, SR_LOG_TEXT);
    int rc = unit_main(name, tests);
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command) == 0 ? rc : 2;
}

#endif
