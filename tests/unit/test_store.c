/* core/store on the real local plugin, loaded as users load it. */
#include "config.h"
#include "core/config/config.h"
#include "core/store/open.h"
#include "core/store/stores.h"
#include "core/util/buf.h"
#include "core/util/log.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64];

/* A configuration of exactly these NAME=VALUE flags, and the build tree's plugins. */
static struct sr_config *config_of(const char *const *pairs)
{
    struct sr_strlist flags = {0};
    struct sr_config *cfg = NULL;
    struct sr_error err = SR_ERROR_INIT;
    char *none[] = {NULL};
    (void)sr_strlist_addf(&flags, "BACKUP_PLUGIN_PATH=%s/plugins/.libs", getenv("SR_BUILDDIR"));
    for (; *pairs; pairs++)
        (void)sr_strlist_add(&flags, *pairs);
    const struct sr_config_options o = {
        .config_file = "/dev/null", .env_file = "/dev/null", .flags = &flags, .environ_ = none};
    ASSERT_OK(sr_config_new(&o, &cfg, &err), err);
    sr_strlist_done(&flags);
    return cfg;
}

static char *pair(const char *name, const char *below)
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

static struct opened open_local(const char *below)
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

static void close_local(struct opened *o)
{
    sr_stores_close(&o->stores);
    sr_config_free(o->cfg);
}

static int gather(void *ctx, const struct sr_store_entry *e)
{
    (void)sr_buf_printf(ctx, "%s:%llu ", e->key, (unsigned long long)e->size);
    return 0;
}

static char *listed(struct sr_store *s, const char *prefix, const char *after)
{
    struct sr_buf b;
    struct sr_error err = SR_ERROR_INIT;
    sr_buf_init(&b, 1 << 20);
    ASSERT_OK(sr_store_list(s, prefix, after, gather, &b, &err), err);
    char *text = sr_buf_steal(&b);
    sr_buf_done(&b);
    return text;
}

static void assert_listed(struct sr_store *s, const char *prefix, const char *after,
                          const char *wanted)
{
    char *text = listed(s, prefix, after);
    CU_ASSERT_STRING_EQUAL(text, wanted);
    if (strcmp(text, wanted) != 0)
        (void)fprintf(stderr, "listed: %s\nwanted: %s\n", text, wanted);
    free(text);
}

static void put(struct sr_store_rw *rw, const char *key, const char *text)
{
    struct sr_error err = SR_ERROR_INIT;
    ASSERT_OK(sr_store_save_small(rw, key, text, strlen(text), &err), err);
}

static void keys(void)
{
    static const char *const good[] = {"a", "a/b", "A-b_c.d", "0", "a/b/c.sql.gz", "-", "_"};
    static const char *const bad[] = {"",     "/",    "/a",  "a/",    "a//b", ".",    "..",
                                      "a/..", "../a", ".a",  "a/.b",  "a b",  "a\nb", "\xc3\xa4",
                                      "a\\b", "a:b",  "a%b", "a\x7f", "~"};
    struct sr_error err;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        CU_ASSERT_EQUAL(sr_key_check(good[i], &err), SR_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CU_ASSERT_EQUAL(sr_key_check(bad[i], &err), SR_E_CONFIG);
    char longest[SR_KEY_MAX + 8];
    memset(longest, 'a', sizeof longest);
    longest[SR_KEY_COMPONENT_MAX] = '\0';
    CU_ASSERT_EQUAL(sr_key_check(longest, &err), SR_OK);
    longest[SR_KEY_COMPONENT_MAX] = 'a';
    longest[SR_KEY_COMPONENT_MAX + 1] = '\0';
    CU_ASSERT_EQUAL(sr_key_check(longest, &err), SR_E_CONFIG);
    memset(longest, 'a', sizeof longest);
    for (size_t i = 100; i < sizeof longest; i += 100)
        longest[i] = '/';
    longest[SR_KEY_MAX - 1] = '\0';
    CU_ASSERT_EQUAL(sr_key_check(longest, &err), SR_OK);
    longest[SR_KEY_MAX - 1] = 'a';
    longest[SR_KEY_MAX] = '\0';
    CU_ASSERT_EQUAL(sr_key_check(longest, &err), SR_E_CONFIG);
}

static void round_trip(void)
{
    struct opened o = open_local("round");
    struct sr_error err = SR_ERROR_INIT;
    struct sr_buf b;
    CU_ASSERT_STRING_EQUAL(sr_store_name(o.s), "local");
    CU_ASSERT_STRING_EQUAL(sr_store_plugin(o.s), "local");
    CU_ASSERT(strstr(sr_store_place(o.s), "/round") != NULL);
    CU_ASSERT(sr_store_caps(o.s) & SR_STORE_CAP_LATE_KEY);
    CU_ASSERT(sr_store_caps(o.s) & SR_STORE_CAP_ATOMIC_CREATE);
    assert_listed(o.s, NULL, NULL, "");
    put(o.rw, "b", "hello");
    put(o.rw, "a/x", "12");
    put(o.rw, "a-z", "1");
    put(o.rw, "a.z", "");
    put(o.rw, "a0", "123");
    assert_listed(o.s, NULL, NULL, "a-z:1 a.z:0 a/x:2 a0:3 b:5 ");
    assert_listed(o.s, "a", NULL, "a-z:1 a.z:0 a/x:2 a0:3 ");
    assert_listed(o.s, "a/", NULL, "a/x:2 ");
    assert_listed(o.s, "a/x", NULL, "a/x:2 ");
    assert_listed(o.s, "a/xy", NULL, "");
    assert_listed(o.s, "a", "a.z", "a/x:2 a0:3 ");
    assert_listed(o.s, NULL, "a/x", "a0:3 b:5 ");
    assert_listed(o.s, NULL, "a/", "a/x:2 a0:3 b:5 ");
    assert_listed(o.s, NULL, "zz", "");

    sr_buf_init(&b, 100);
    ASSERT_OK(sr_store_fetch_small(o.s, "b", &b, &err), err);
    CU_ASSERT_STRING_EQUAL(sr_buf_str(&b), "hello");
    sr_buf_done(&b);
    sr_buf_init(&b, 4);
    CU_ASSERT_EQUAL(sr_store_fetch_small(o.s, "b", &b, &err), SR_E_CORRUPT);
    sr_buf_done(&b);
    sr_buf_init(&b, 100);
    ASSERT_OK(sr_store_stat(o.s, "a/x", gather, &b, &err), err);
    CU_ASSERT_STRING_EQUAL(sr_buf_str(&b), "a/x:2 ");
    CU_ASSERT_EQUAL(sr_store_stat(o.s, "a", gather, &b, &err), SR_E_NOT_FOUND);
    CU_ASSERT_EQUAL(sr_store_stat(o.s, "c", gather, &b, &err), SR_E_NOT_FOUND);
    CU_ASSERT_EQUAL(sr_store_stat(o.s, "b/c", gather, &b, &err), SR_E_NOT_FOUND);
    CU_ASSERT_EQUAL(sr_store_fetch_small(o.s, "c", &b, &err), SR_E_NOT_FOUND);
    CU_ASSERT(strstr(err.text, "store local: fetching c") != NULL);
    sr_buf_done(&b);

    CU_ASSERT_EQUAL(sr_store_save_small(o.rw, "b", "x", 1, &err), SR_E_EXISTS);
    CU_ASSERT_EQUAL(sr_store_save_small(o.rw, "../b", "x", 1, &err), SR_E_CONFIG);
    enum sr_store_deletion d = 0;
    ASSERT_OK(sr_store_delete(o.rw, "b", &d, NULL, &err), err);
    CU_ASSERT_EQUAL(d, SR_DELETION_DONE);
    ASSERT_OK(sr_store_delete(o.rw, "b", &d, NULL, &err), err);
    CU_ASSERT_EQUAL(d, SR_DELETION_DONE);
    ASSERT_OK(sr_store_delete(o.rw, "never/was", NULL, NULL, &err), err);
    assert_listed(o.s, "b", NULL, "");
    struct sr_store_rights r;
    ASSERT_OK(sr_store_check(o.rw, &r, &err), err);
    CU_ASSERT(r.write == SR_OK && r.list == SR_OK && r.read == SR_OK && r.del == SR_OK);
    assert_listed(o.s, "s", NULL, "");
    close_local(&o);
}

static void prefix(void)
{
    struct sr_error err = SR_ERROR_INIT;
    const char *const pairs[] = {pair("BACKUP_DIR", "prefixed"), "BACKUP_LOCAL_PREFIX=db/one/",
                                 NULL};
    struct sr_config *cfg = config_of(pairs);
    struct sr_stores s = {0};
    ASSERT_OK(sr_stores_open(cfg, NULL, &s, &err), err);
    put(s.items[0], "a/x", "1");
    put(s.items[0], "b", "22");
    assert_listed(sr_store_ro(s.items[0]), NULL, NULL, "a/x:1 b:2 ");
    assert_listed(sr_store_ro(s.items[0]), "a", NULL, "a/x:1 ");
    assert_listed(sr_store_ro(s.items[0]), NULL, "a/x", "b:2 ");
    sr_stores_close(&s);
    sr_config_free(cfg);
    struct opened o = open_local("prefixed");
    put(o.rw, "db/two/c", "3");
    assert_listed(o.s, NULL, NULL, "db/one/a/x:1 db/one/b:2 db/two/c:1 ");
    close_local(&o);
}

static const struct unit_test tests[] = {
    {"keys", keys},
    {"round trip", round_trip},
    {"prefix", prefix},
    {NULL, NULL},
};

int main(void)
{
    (void)snprintf(root, sizeof root, "/tmp/sr-test-store-XXXXXX");
    if (!mkdtemp(root))
        return 2;
    sr_log_setup(SR_LOG_ERROR, SR_LOG_TEXT);
    int rc = unit_main("store", tests);
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command) == 0 ? rc : 2;
}
