/* core/store on the real local plugin, loaded as users load it. */
#include "config.h"
#include "core/config/config.h"
#include "core/store/open.h"
#include "core/store/store_private.h"
#include "core/store/stores.h"
#include "core/util/buf.h"
#include "core/util/log.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
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

/* Gives len bytes, and fails in their place when the text has fewer. */
struct bytes {
    const char *text;
    size_t len;
};

static int pull_bytes(void *ctx, void *buf, size_t cap, int timeout_ms, size_t *ret_len,
                      struct sr_error *err)
{
    struct bytes *b = ctx;
    size_t n = strlen(b->text);
    (void)timeout_ms;
    if (n == 0 && b->len > 0)
        return sr_fail(err, SR_E_CORRUPT, "the test's bytes break off");
    CU_ASSERT_FATAL(cap >= n);
    memcpy(buf, b->text, n);
    b->text += n;
    b->len -= n;
    *ret_len = n;
    return SR_OK;
}

static void assert_holds(struct sr_store *s, const char *key, const char *wanted)
{
    struct sr_buf b;
    struct sr_error err = SR_ERROR_INIT;
    sr_buf_init(&b, 100);
    ASSERT_OK(sr_store_fetch_small(s, key, &b, &err), err);
    CU_ASSERT_STRING_EQUAL(sr_buf_str(&b), wanted);
    sr_buf_done(&b);
}

/* What is damaged can be replaced, as a whole and only when that is asked for. */
static void replacing(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct opened o = open_local("replaced");
    struct bytes good = {"good", 4}, cut = {"half", 8};
    struct sr_store_object object = {.key = "a", .size_hint = 4};
    put(o.rw, "a", "bad");
    CU_ASSERT_EQUAL(sr_store_save(o.rw, &object, pull_bytes, &good, NULL, &err), SR_E_EXISTS);
    assert_holds(o.s, "a", "bad");
    object.replace = 1;
    sr_error_clear(&err);
    CU_ASSERT_EQUAL(sr_store_save(o.rw, &object, pull_bytes, &cut, NULL, &err), SR_E_CORRUPT);
    assert_holds(o.s, "a", "bad");
    good = (struct bytes){"good", 4};
    sr_error_clear(&err);
    ASSERT_OK(sr_store_save(o.rw, &object, pull_bytes, &good, NULL, &err), err);
    assert_holds(o.s, "a", "good");
    object.key = NULL;
    CU_ASSERT_EQUAL(sr_store_save(o.rw, &object, pull_bytes, &good, NULL, &err), SR_E_INTERNAL);
    close_local(&o);
}

/* Between two stores that differ in their prefix alone. */
static void copying(void)
{
    struct sr_error err = SR_ERROR_INIT;
    const char *const pairs[] = {"BACKUP_STORAGE_ADAPTER=local,b=local,else=local",
                                 pair("BACKUP_DIR", "copied"),
                                 pair("BACKUP_B_DIR", "copied"),
                                 pair("BACKUP_ELSE_DIR", "elsewhere"),
                                 "BACKUP_LOCAL_PREFIX=one",
                                 "BACKUP_B_PREFIX=two",
                                 NULL};
    struct sr_config *cfg = config_of(pairs);
    struct sr_stores s = {0};
    struct sr_store_saved saved = {.size = 0};
    struct sr_store_object object = {.key = "a/x"};
    ASSERT_OK(sr_stores_open(cfg, NULL, &s, &err), err);
    CU_ASSERT_EQUAL_FATAL(s.len, 3);
    put(s.items[0], "a/x", "bytes");
    ASSERT_OK(sr_store_copy(s.items[1], sr_store_ro(s.items[0]), &object, &saved, &err), err);
    CU_ASSERT_STRING_EQUAL(saved.key, "a/x");
    assert_holds(sr_store_ro(s.items[1]), "a/x", "bytes");
    CU_ASSERT_EQUAL(sr_store_copy(s.items[1], sr_store_ro(s.items[0]), &object, &saved, &err),
                    SR_E_EXISTS);
    object.replace = 1;
    sr_error_clear(&err);
    ASSERT_OK(sr_store_copy(s.items[1], sr_store_ro(s.items[0]), &object, &saved, &err), err);
    object.key = "nosuch";
    CU_ASSERT_EQUAL(sr_store_copy(s.items[1], sr_store_ro(s.items[0]), &object, &saved, &err),
                    SR_E_NOT_FOUND);
    object.key = "a/x";
    sr_error_clear(&err);
    CU_ASSERT_EQUAL(sr_store_copy(s.items[2], sr_store_ro(s.items[0]), &object, &saved, &err),
                    SR_E_UNSUPPORTED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "by itself"));
    assert_listed(sr_store_ro(s.items[2]), NULL, NULL, "");
    sr_stores_close(&s);
    sr_config_free(cfg);
}

static void encryption_required(void)
{
    struct sr_error err = SR_ERROR_INIT;
    const char *const pairs[] = {"BACKUP_STORAGE_ADAPTER=local,b=local", pair("BACKUP_DIR", "open"),
                                 pair("BACKUP_B_DIR", "closed"), "BACKUP_B_REQUIRE_ENCRYPTION=yes",
                                 NULL};
    struct sr_config *cfg = config_of(pairs);
    struct sr_stores s = {0};
    ASSERT_OK(sr_stores_open(cfg, NULL, &s, &err), err);
    ASSERT_OK(sr_store_check_encryption(sr_store_ro(s.items[0]), "it", "none", &err), err);
    ASSERT_OK(sr_store_check_encryption(sr_store_ro(s.items[1]), "it", "gpg-public", &err), err);
    CU_ASSERT_EQUAL(sr_store_check_encryption(sr_store_ro(s.items[1]), "it", "none", &err),
                    SR_E_CONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "BACKUP_B_REQUIRE_ENCRYPTION"));
    sr_stores_close(&s);
    sr_config_free(cfg);
}

/* --- several stores --- */

static int open_fails(const char *const *pairs, const char *only, const char *wanted)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_stores s = {0};
    struct sr_config *cfg = config_of(pairs);
    int rc = sr_stores_open(cfg, only, &s, &err);
    CU_ASSERT_NOT_EQUAL(rc, SR_OK);
    CU_ASSERT_EQUAL(rc, err.code);
    CU_ASSERT_PTR_NULL(s.items);
    if (!strstr(err.text, wanted))
        (void)fprintf(stderr, "wanted '%s', got: %s\n", wanted, err.text);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, wanted));
    sr_stores_close(&s);
    sr_config_free(cfg);
    return rc;
}

static void named_stores(void)
{
    struct sr_error err = SR_ERROR_INIT;
    const char *const pairs[] = {pair("BACKUP_DIR", "named"), pair("BACKUP_MIRROR_DIR", "mirror"),
                                 "BACKUP_STORAGE_ADAPTER=local, mirror=local", NULL};
    struct sr_config *cfg = config_of(pairs);
    struct sr_stores s = {0};
    ASSERT_OK(sr_stores_open(cfg, NULL, &s, &err), err);
    CU_ASSERT_EQUAL_FATAL(s.len, 2);
    CU_ASSERT_PTR_EQUAL(sr_stores_find(&s, "mirror"), s.items[1]);
    CU_ASSERT_PTR_NULL(sr_stores_find(&s, "other"));
    CU_ASSERT_STRING_EQUAL(sr_store_plugin(sr_store_ro(s.items[1])), "local");
    put(s.items[1], "x", "1");
    assert_listed(sr_store_ro(s.items[0]), NULL, NULL, "");
    assert_listed(sr_store_ro(s.items[1]), NULL, NULL, "x:1 ");
    struct sr_store_rw *second = NULL;
    ASSERT_OK(sr_stores_reopen(cfg, "mirror", &second, &err), err);
    assert_listed(sr_store_ro(second), NULL, NULL, "x:1 ");
    sr_store_close(second);
    CU_ASSERT_EQUAL(sr_stores_reopen(cfg, "other", &second, &err), SR_E_CONFIG);
    CU_ASSERT_EQUAL(sr_stores_reopen(cfg, "local,mirror", &second, &err), SR_E_CONFIG);
    sr_stores_close(&s);
    sr_stores_close(&s);
    ASSERT_OK(sr_stores_open(cfg, "mirror,mirror", &s, &err), err);
    CU_ASSERT_EQUAL(s.len, 1);
    sr_stores_close(&s);
    sr_config_free(cfg);
}

static void refused_stores(void)
{
    const char *dir = pair("BACKUP_DIR", "refused");
    const struct {
        const char *adapter, *more, *only, *wanted;
    } cases[] = {
        {"mirror=local", "BACKUP_X=", NULL, "store mirror needs the setting BACKUP_MIRROR_DIR"},
        {"local,local", "BACKUP_X=", NULL, "names the store 'local' twice"},
        {"locl", "BACKUP_X=", NULL, "did you mean 'local'?"},
        {"local", "BACKUP_X=", "locl",
         "there is no store 'locl'; BACKUP_STORAGE_ADAPTER names: local"},
        {"dir=local", "BACKUP_X=", NULL, "cannot be called 'dir'"},
        {"retention=local", "BACKUP_X=", NULL, "cannot be called 'retention'"},
        {"min-stores=local", "BACKUP_X=", NULL, "BACKUP_MIN_STORES"},
        {"schedule=local", "BACKUP_X=", NULL, "BACKUP_SCHEDULE"},
        {"wal=local", "BACKUP_X=", NULL, "BACKUP_WAL_*"},
        {"Mirror=local", "BACKUP_X=", NULL, "'Mirror' is no name for a store"},
        {"=local", "BACKUP_X=", NULL, "'' is no name for a store"},
        {"mirror=", "BACKUP_X=", NULL, "give a plugin's name"},
        {"../x", "BACKUP_X=", NULL, "is no name for a store"},
        {"mirror=./x.so", "BACKUP_X=", NULL, "absolute path"},
        {"mirror=/no/such.so", "BACKUP_X=", NULL, "/no/such.so"},
        {"local", "BACKUP_LOCAL_DIRR=/x", NULL, "did you mean BACKUP_LOCAL_DIR?"},
        {"local", "BACKUP_LOCAL_PREFIX=../x", NULL, "its prefix cannot be part of a key"},
        {"local", "BACKUP_LOCAL_DIR=/dev/null", NULL, "/dev/null"},
        {",", "BACKUP_X=", NULL, "names no store"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char adapter[128];
        (void)snprintf(adapter, sizeof adapter, "BACKUP_STORAGE_ADAPTER=%s", cases[i].adapter);
        const char *const pairs[] = {dir, adapter, cases[i].more, NULL};
        (void)open_fails(pairs, cases[i].only, cases[i].wanted);
    }
    /* Two names of one place, also by way of a link. */
    char path[128];
    (void)snprintf(path, sizeof path, "%s/real", root);
    CU_ASSERT_EQUAL(mkdir(path, 0700), 0);
    char link[128];
    (void)snprintf(link, sizeof link, "%s/link", root);
    CU_ASSERT_EQUAL(symlink(path, link), 0);
    const char *const one[] = {pair("BACKUP_DIR", "real"), pair("BACKUP_MIRROR_DIR", "link"),
                               "BACKUP_STORAGE_ADAPTER=local,mirror=local", NULL};
    (void)open_fails(one, NULL, "the stores local and mirror are one place");
}

static void read_only(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_stores s = {0};
    const char *const pairs[] = {pair("BACKUP_DIR", "not/there"), NULL};
    struct sr_config *cfg = config_of(pairs);
    CU_ASSERT_EQUAL(sr_stores_open_as(cfg, NULL, 1, &s, &err), SR_E_NOT_FOUND);
    CU_ASSERT_EQUAL(access(strchr(pairs[0], '/'), F_OK), -1);
    ASSERT_OK(sr_stores_open(cfg, NULL, &s, &err), err);
    put(s.items[0], "x", "1");
    sr_stores_close(&s);
    ASSERT_OK(sr_stores_open_as(cfg, NULL, 1, &s, &err), err);
    CU_ASSERT_EQUAL(sr_store_save_small(s.items[0], "y", "", 0, &err), SR_E_DENIED);
    CU_ASSERT_EQUAL(sr_store_delete(s.items[0], "x", NULL, NULL, &err), SR_E_DENIED);
    CU_ASSERT_EQUAL(sr_store_sweep(s.items[0], 0, 0, NULL, NULL, &err), SR_E_DENIED);
    assert_listed(sr_store_ro(s.items[0]), NULL, NULL, "x:1 ");
    sr_stores_close(&s);
    sr_config_free(cfg);
}

/* --- saving --- */

struct feed {
    const char *data;
    size_t len, at, step;
    int fail_at_end, again;
    struct sr_store_rw *cancel;
    const char *late;
};

static int feed_pull(void *ctx, void *buf, size_t cap, int timeout_ms, size_t *ret_len,
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

static int feed_late(void *ctx, char *buf, size_t cap, struct sr_error *err)
{
    struct feed *f = ctx;
    if (!f->late)
        return sr_fail(err, SR_E_IO, "no digest");
    CU_ASSERT_EQUAL(f->at, f->len);
    (void)snprintf(buf, cap, "%s", f->late);
    return SR_OK;
}

static void saving(void)
{
    struct opened o = open_local("saving");
    struct sr_error err = SR_ERROR_INIT;
    struct sr_store_saved saved;
    struct feed f = {.data = "0123456789", .len = 10, .step = 3, .again = 1};
    struct sr_store_object obj = {.key = "a/b", .size_hint = SR_SIZE_UNKNOWN};
    ASSERT_OK(sr_store_save(o.rw, &obj, feed_pull, &f, &saved, &err), err);
    CU_ASSERT_STRING_EQUAL(saved.key, "a/b");
    CU_ASSERT_EQUAL(saved.size, 10);
    CU_ASSERT_EQUAL(saved.size_confirmed, 1);
    CU_ASSERT_EQUAL(saved.sha256_confirmed, 0);

    /* The reader's own error comes back, and nothing is left. */
    f = (struct feed){.data = "0123456789", .len = 10, .step = 10, .fail_at_end = 1};
    obj.key = "failed/x";
    CU_ASSERT_EQUAL(sr_store_save(o.rw, &obj, feed_pull, &f, &saved, &err), SR_E_CHILD);
    CU_ASSERT_STRING_EQUAL(err.text, "pg_dump failed: exit status 1");
    f = (struct feed){.data = "0123456789", .len = 10, .step = 1, .cancel = o.rw};
    CU_ASSERT_EQUAL(sr_store_save(o.rw, &obj, feed_pull, &f, &saved, &err), SR_E_CANCELLED);
    CU_ASSERT_EQUAL(sr_store_save_small(o.rw, "later", "x", 1, &err), SR_E_CANCELLED);
    CU_ASSERT_EQUAL(sr_store_list(o.s, NULL, NULL, gather, NULL, &err), SR_E_CANCELLED);
    sr_store_resume(o.rw);
    assert_listed(o.s, NULL, NULL, "a/b:10 ");

    f = (struct feed){.data = "0123456789", .len = 10, .step = 10, .late = "late-abc.sql.gz"};
    obj = (struct sr_store_object){
        .late_key = feed_late, .late_ctx = &f, .size_hint = SR_SIZE_UNKNOWN};
    ASSERT_OK(sr_store_save(o.rw, &obj, feed_pull, &f, &saved, &err), err);
    CU_ASSERT_STRING_EQUAL(saved.key, "late-abc.sql.gz");
    f.at = 0;
    CU_ASSERT_EQUAL(sr_store_save(o.rw, &obj, feed_pull, &f, &saved, &err), SR_E_EXISTS);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "late-abc.sql.gz exists"));
    f = (struct feed){.data = "0", .len = 1, .step = 1};
    CU_ASSERT_EQUAL(sr_store_save(o.rw, &obj, feed_pull, &f, &saved, &err), SR_E_IO);
    CU_ASSERT_STRING_EQUAL(err.text, "no digest");
    f = (struct feed){.data = "0", .len = 1, .step = 1, .late = "../out"};
    CU_ASSERT_EQUAL(sr_store_save(o.rw, &obj, feed_pull, &f, &saved, &err), SR_E_CONFIG);
    obj = (struct sr_store_object){.key = "locked", .retain_until = 4102444800};
    CU_ASSERT_EQUAL(sr_store_save(o.rw, &obj, feed_pull, &f, &saved, &err), SR_E_UNSUPPORTED);
    assert_listed(o.s, NULL, NULL, "a/b:10 late-abc.sql.gz:10 ");
    close_local(&o);
}

/* --- what lies in the folder already --- */

static int in_folder(const char *below, const char *name)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s/%s", root, below, name);
    return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

static void foreign_files(void)
{
    struct opened o = open_local("foreign");
    struct sr_error err = SR_ERROR_INIT;
    char path[256], outside[256];
    put(o.rw, "a/mine", "1");
    static const char *const names[] = {"old.sql.gz", ".hidden", "with space", "a/.sr-x.tmp"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        (void)close(in_folder("foreign", names[i]));
    (void)snprintf(outside, sizeof outside, "%s/outside", root);
    CU_ASSERT_EQUAL(mkdir(outside, 0700), 0);
    (void)close(in_folder("outside", "secret"));
    (void)snprintf(path, sizeof path, "%s/foreign/way-out", root);
    CU_ASSERT_EQUAL(symlink(outside, path), 0);
    (void)snprintf(path, sizeof path, "%s/foreign/link", root);
    CU_ASSERT_EQUAL(symlink("../outside/secret", path), 0);
    (void)snprintf(path, sizeof path, "%s/foreign/fifo", root);
    CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
    (void)snprintf(path, sizeof path, "%s/foreign/lost+found", root);
    CU_ASSERT_EQUAL(mkdir(path, 0), 0);
    assert_listed(o.s, NULL, NULL, "a/mine:1 old.sql.gz:0 ");
    struct sr_buf b;
    sr_buf_init(&b, 100);
    CU_ASSERT_EQUAL(sr_store_fetch_small(o.s, "way-out/secret", &b, &err), SR_E_DENIED);
    CU_ASSERT_EQUAL(sr_store_fetch_small(o.s, "link", &b, &err), SR_E_DENIED);
    CU_ASSERT_EQUAL(sr_store_fetch_small(o.s, "fifo", &b, &err), SR_E_NOT_FOUND);
    CU_ASSERT_EQUAL(sr_store_fetch_small(o.s, "a", &b, &err), SR_E_NOT_FOUND);
    CU_ASSERT_EQUAL(sr_store_stat(o.s, "link", gather, &b, &err), SR_E_NOT_FOUND);
    CU_ASSERT_EQUAL(sr_store_save_small(o.rw, "way-out/x", "x", 1, &err), SR_E_DENIED);
    CU_ASSERT_EQUAL(sr_store_save_small(o.rw, "way-out", "x", 1, &err), SR_E_EXISTS);
    CU_ASSERT_EQUAL(sr_store_save_small(o.rw, "link", "x", 1, &err), SR_E_EXISTS);
    CU_ASSERT_EQUAL(sr_store_save_small(o.rw, "a", "x", 1, &err), SR_E_EXISTS);
    CU_ASSERT_NOT_EQUAL(sr_store_save_small(o.rw, "a/mine/x", "x", 1, &err), SR_OK);
    CU_ASSERT_EQUAL(sr_store_delete(o.rw, "way-out/secret", NULL, NULL, &err), SR_E_DENIED);
    ASSERT_OK(sr_store_delete(o.rw, "link", NULL, NULL, &err), err);
    (void)snprintf(path, sizeof path, "%s/outside/secret", root);
    CU_ASSERT_EQUAL(access(path, F_OK), 0);
    (void)snprintf(path, sizeof path, "%s/outside/x", root);
    CU_ASSERT_EQUAL(access(path, F_OK), -1);
    (void)snprintf(path, sizeof path, "%s/foreign/link", root);
    CU_ASSERT_EQUAL(readlink(path, outside, sizeof outside) > 0, 1);
    sr_buf_done(&b);
    close_local(&o);
}

/* What the host checks before, the plugin holds against as well. */
static void keys_that_lead_out(void)
{
    struct opened o = open_local("leading/out");
    struct sr_error err = SR_ERROR_INIT;
    static const char *const keys[] = {"../x", "a/../../x", "../made/x", "a/../../made/x"};
    char path[256];
    put(o.rw, "a/mine", "1");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct sr_storage_saved saved = {.size = sizeof saved};
        const struct sr_storage_copy_options how = {
            .size = sizeof how, .from = "a/mine", .to = keys[i]};
        ASSERT_OK(sr_store_begin(o.s, "copying", NULL, &err), err);
        CU_ASSERT_NOT_EQUAL(o.s->table->copy(o.s->handle, &how, &saved), SR_STORAGE_OK);
        sr_store_end(o.s);
    }
    (void)snprintf(path, sizeof path, "%s/leading/x", root);
    CU_ASSERT_EQUAL(access(path, F_OK), -1);
    (void)snprintf(path, sizeof path, "%s/leading/made", root);
    CU_ASSERT_EQUAL(access(path, F_OK), -1);
    close_local(&o);
}

static void sweeping(void)
{
    struct opened o = open_local("sweeping");
    struct sr_error err = SR_ERROR_INIT;
    struct sr_buf b;
    put(o.rw, "a/keep", "1");
    (void)close(in_folder("sweeping", ".sr-dead.tmp"));
    (void)close(in_folder("sweeping", "a/.sr-dead2.tmp"));
    (void)close(in_folder("sweeping", ".other.tmp"));
    int live = in_folder("sweeping", ".sr-live.tmp");
    CU_ASSERT_EQUAL(flock(live, LOCK_EX), 0);
    sr_buf_init(&b, 1000);
    ASSERT_OK(sr_store_sweep(o.rw, 3600, 0, gather, &b, &err), err);
    CU_ASSERT_EQUAL(b.len, 0); /* too young */
    ASSERT_OK(sr_store_sweep(o.rw, 0, 1, gather, &b, &err), err);
    CU_ASSERT_PTR_NOT_NULL(strstr(sr_buf_str(&b), ".sr-dead.tmp:0 "));
    CU_ASSERT_PTR_NOT_NULL(strstr(sr_buf_str(&b), "a/.sr-dead2.tmp:0 "));
    CU_ASSERT_PTR_NULL(strstr(sr_buf_str(&b), "live"));
    CU_ASSERT_PTR_NULL(strstr(sr_buf_str(&b), "other"));
    sr_buf_reset(&b);
    ASSERT_OK(sr_store_sweep(o.rw, 0, 0, gather, &b, &err), err);
    CU_ASSERT_PTR_NOT_NULL(strstr(sr_buf_str(&b), "dead2"));
    sr_buf_reset(&b);
    ASSERT_OK(sr_store_sweep(o.rw, 0, 0, gather, &b, &err), err);
    CU_ASSERT_EQUAL(b.len, 0);
    (void)close(live);
    ASSERT_OK(sr_store_sweep(o.rw, 0, 0, NULL, NULL, &err), err);
    assert_listed(o.s, NULL, NULL, "a/keep:1 ");
    sr_buf_done(&b);
    close_local(&o);
}

static void no_space(void)
{
    struct opened o = open_local("full");
    struct sr_error err = SR_ERROR_INIT;
    char *data = calloc(1, 300000);
    struct rlimit before, small;
    CU_ASSERT_EQUAL(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){100000, before.rlim_max};
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &small), 0);
    int rc = sr_store_save_small(o.rw, "big", data, 300000, &err);
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, handler);
    CU_ASSERT_EQUAL(rc, SR_E_NO_SPACE);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "saving big: writing big in "));
    assert_listed(o.s, NULL, NULL, "");
    ASSERT_OK(sr_store_sweep(o.rw, 0, 1, gather, NULL, &err), err); /* would crash on an entry */
    free(data);
    close_local(&o);
}

static void large_folder(void)
{
    /* More names than are held at a time. */
    enum { MANY = 40000 };
    struct opened o = open_local("large");
    struct sr_error err = SR_ERROR_INIT;
    for (unsigned i = 0; i < MANY; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "k%05u", (i * 7919u) % MANY);
        (void)close(in_folder("large", name));
    }
    struct sr_buf b;
    sr_buf_init(&b, 1 << 20);
    ASSERT_OK(sr_store_list(o.s, NULL, NULL, gather, &b, &err), err);
    char wanted[16];
    const char *at = sr_buf_str(&b);
    unsigned i = 0;
    for (; i < MANY; i++) {
        int n = snprintf(wanted, sizeof wanted, "k%05u:0 ", i);
        if (strncmp(at, wanted, (size_t)n) != 0)
            break;
        at += n;
    }
    CU_ASSERT_EQUAL(i, MANY);
    CU_ASSERT_STRING_EQUAL(at, "");
    sr_buf_done(&b);
    assert_listed(o.s, "k3999", NULL,
                  "k39990:0 k39991:0 k39992:0 k39993:0 k39994:0 k39995:0 k39996:0 k39997:0 "
                  "k39998:0 k39999:0 ");
    close_local(&o);
}

/* --- a plugin that breaks promises --- */

static struct opened open_memory(const char *how)
{
    struct opened o = {0};
    struct sr_error err = SR_ERROR_INIT;
    char setting[128];
    (void)snprintf(setting, sizeof setting, "BACKUP_MEMORY_HOW=%s", how);
    const char *const pairs[] = {pair("BACKUP_DIR", "memory"), "BACKUP_STORAGE_ADAPTER=memory",
                                 setting, "BACKUP_MEMORY_TOKEN=hunter2hunter2", NULL};
    o.cfg = config_of(pairs);
    if (sr_stores_open(o.cfg, NULL, &o.stores, &err) != SR_OK) {
        CU_ASSERT_PTR_NULL(strstr(err.text, "hunter2"));
        (void)fprintf(stderr, "%s: %s\n", how, err.text);
        return o;
    }
    o.rw = o.stores.items[0];
    o.s = sr_store_ro(o.rw);
    return o;
}

static void defaults(void)
{
    /* A plugin with the required slots alone. */
    struct opened o = open_memory("");
    struct sr_error err = SR_ERROR_INIT;
    struct sr_buf b;
    CU_ASSERT_PTR_NOT_NULL_FATAL(o.s);
    CU_ASSERT_EQUAL(sr_store_caps(o.s), SR_STORE_CAP_ATOMIC_CREATE);
    put(o.rw, "b", "0123456789");
    put(o.rw, "a/x", "12");
    put(o.rw, "ab", "1");
    assert_listed(o.s, NULL, NULL, "a/x:2 ab:1 b:10 ");
    assert_listed(o.s, "a", "a/x", "ab:1 ");
    sr_buf_init(&b, 100);
    ASSERT_OK(sr_store_stat(o.s, "ab", gather, &b, &err), err);
    CU_ASSERT_STRING_EQUAL(sr_buf_str(&b), "ab:1 ");
    CU_ASSERT_EQUAL(sr_store_stat(o.s, "a", gather, &b, &err), SR_E_NOT_FOUND);
    sr_buf_done(&b);
    struct sr_store_rights r;
    ASSERT_OK(sr_store_check(o.rw, &r, &err), err);
    CU_ASSERT(r.write == 0 && r.list == 0 && r.read == 0 && r.del == 0);
    ASSERT_OK(sr_store_sweep(o.rw, 0, 0, gather, NULL, &err), err);
    struct sr_store_object late = {.late_key = feed_late};
    struct feed f = {.data = "", .late = "x"};
    CU_ASSERT_EQUAL(sr_store_save(o.rw, &late, feed_pull, &f, NULL, &err), SR_E_UNSUPPORTED);
    ASSERT_OK(sr_store_delete(o.rw, "a/x", NULL, NULL, &err), err);
    ASSERT_OK(sr_store_delete(o.rw, "ab", NULL, NULL, &err), err);
    ASSERT_OK(sr_store_delete(o.rw, "b", NULL, NULL, &err), err);
    close_local(&o);
}

static int take(void *ctx, const void *data, size_t len, struct sr_error *err)
{
    (void)err;
    return sr_buf_add(ctx, data, len);
}

static int take_none(void *ctx, const void *data, size_t len, struct sr_error *err)
{
    (void)ctx;
    (void)data;
    (void)len;
    return sr_fail(err, SR_E_KEY, "cannot decrypt");
}

static void ranges(struct opened *o)
{
    static const struct {
        uint64_t from, len;
        const char *wanted;
    } cases[] = {
        {0, SR_SIZE_UNKNOWN, "0123456789"},
        {3, SR_SIZE_UNKNOWN, "3456789"},
        {3, 2, "34"},
        {0, 1, "0"},
        {9, 1, "9"},
        {9, 5, "9"},
        {10, 1, ""},
        {11, SR_SIZE_UNKNOWN, ""},
        {0, 0, ""},
        {5, 0, ""},
        {0, 10, "0123456789"},
        {0, 11, "0123456789"},
    };
    struct sr_error err = SR_ERROR_INIT;
    put(o->rw, "ranges", "0123456789");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sr_buf b;
        sr_buf_init(&b, 100);
        ASSERT_OK(sr_store_fetch(o->s, "ranges", cases[i].from, cases[i].len, take, &b, &err), err);
        CU_ASSERT_STRING_EQUAL(sr_buf_str(&b), cases[i].wanted);
        sr_buf_done(&b);
    }
    CU_ASSERT_EQUAL(sr_store_fetch(o->s, "ranges", 0, SR_SIZE_UNKNOWN, take_none, NULL, &err),
                    SR_E_KEY);
    CU_ASSERT_STRING_EQUAL(err.text, "cannot decrypt");
    ASSERT_OK(sr_store_delete(o->rw, "ranges", NULL, NULL, &err), err);
}

static void fetch_ranges(void)
{
    struct opened o = open_local("ranges");
    ranges(&o);
    close_local(&o);
    o = open_memory("");
    ranges(&o);
    close_local(&o);
}

static void broken_saves(void)
{
    static const struct {
        const char *how;
        int code;
        const char *wanted;
    } cases[] = {
        {"success-unread", SR_E_INTERNAL,
         "save succeeded without reading to the end: it took 0 bytes, 10 were expected"},
        {"success-half", SR_E_INTERNAL,
         "save succeeded without reading to the end: it took 10 bytes, 10 were expected"},
        {"size-wrong", SR_E_CORRUPT, "10 bytes of x were handed over, the store says it holds 11"},
        {"code-unknown", SR_E_INTERNAL, "it returned the code 12345"},
        {"code-negative", SR_E_INTERNAL, "it returned the code -1"},
        {"in-doubt", SR_E_IN_DOUBT, "the answer was lost"},
        {"read-zero", SR_E_INTERNAL, "asked the reader for 0 bytes"},
        {"sum-length", SR_E_INTERNAL, "no possible length (1000 and 64"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct opened o = open_memory(cases[i].how);
        struct sr_error err = SR_ERROR_INIT;
        CU_ASSERT_PTR_NOT_NULL_FATAL(o.s);
        CU_ASSERT_EQUAL(sr_store_save_small(o.rw, "x", "0123456789", 10, &err), cases[i].code);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, cases[i].wanted));
        if (!strstr(err.text, cases[i].wanted))
            (void)fprintf(stderr, "%s: %s\n", cases[i].how, err.text);
        /* What such a save left is gone. */
        assert_listed(o.s, NULL, NULL, "");
        close_local(&o);
    }
    struct opened o = open_memory("success-failed");
    struct sr_error err = SR_ERROR_INIT;
    struct feed f = {.data = "0123456789", .len = 10, .step = 10, .fail_at_end = 1};
    struct sr_store_object obj = {.key = "x"};
    CU_ASSERT_EQUAL(sr_store_save(o.rw, &obj, feed_pull, &f, NULL, &err), SR_E_INTERNAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "although the reader failed"));
    assert_listed(o.s, NULL, NULL, "");
    close_local(&o);
    o = open_memory("sha256");
    struct sr_store_saved saved;
    f = (struct feed){.data = "0123456789", .len = 10, .step = 10};
    ASSERT_OK(sr_store_save(o.rw, &obj, feed_pull, &f, &saved, &err), err);
    CU_ASSERT_EQUAL(saved.sha256_confirmed, 1);
    CU_ASSERT_EQUAL(strlen(saved.sha256), 64);
    CU_ASSERT_EQUAL(strncmp(saved.sha256, "abab", 4), 0);
    ASSERT_OK(sr_store_delete(o.rw, "x", NULL, NULL, &err), err);
    close_local(&o);
}

static int stop_at_once(void *ctx, const struct sr_store_entry *e)
{
    (void)e;
    ++*(unsigned *)ctx;
    return 1;
}

static void broken_lists(void)
{
    static const struct {
        const char *how;
        int code;
        const char *wanted; /* NULL: contained without an error */
    } cases[] = {
        {"emit-after-error", SR_E_INTERNAL, "after it had set an error: the connection broke"},
        {"list-breaks", SR_E_UNAVAILABLE, "the connection broke"},
        {"emit-short", SR_E_INTERNAL, "shorter than its key and size"},
        {"emit-no-key", SR_E_INTERNAL, "without a key that ends"},
        {"emit-after-stop", SR_OK, NULL},
        {"emit-twice", SR_OK, NULL},
        {"emit-foreign", SR_OK, NULL},
    };
    struct sr_error err = SR_ERROR_INIT;
    struct opened m = open_memory("");
    put(m.rw, "one", "1");
    put(m.rw, "two", "2");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct opened o = open_memory(cases[i].how);
        struct sr_buf b;
        unsigned count = 0;
        CU_ASSERT_PTR_NOT_NULL_FATAL(o.s);
        sr_buf_init(&b, 1000);
        CU_ASSERT_EQUAL(sr_store_list(o.s, NULL, NULL, gather, &b, &err), cases[i].code);
        if (cases[i].wanted) {
            CU_ASSERT_PTR_NOT_NULL(strstr(err.text, cases[i].wanted));
            /* Half a listing is never handed on as if it were whole. */
            CU_ASSERT_EQUAL(b.len, 0);
        } else {
            CU_ASSERT_STRING_EQUAL(sr_buf_str(&b), "one:1 two:1 ");
            ASSERT_OK(sr_store_list(o.s, NULL, NULL, stop_at_once, &count, &err), err);
            CU_ASSERT_EQUAL(count, 1);
        }
        sr_buf_done(&b);
        close_local(&o);
    }
    ASSERT_OK(sr_store_delete(m.rw, "one", NULL, NULL, &err), err);
    ASSERT_OK(sr_store_delete(m.rw, "two", NULL, NULL, &err), err);
    close_local(&m);
}

static void broken_rest(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_buf b;
    struct opened o = open_memory("");
    put(o.rw, "x", "0123456789");
    close_local(&o);
    sr_buf_init(&b, 100);

    o = open_memory("write-zero");
    CU_ASSERT_EQUAL(sr_store_fetch_small(o.s, "x", &b, &err), SR_E_INTERNAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "handed over 0 bytes"));
    close_local(&o);

    o = open_memory("late-emit");
    assert_listed(o.s, NULL, NULL, "x:10 ");
    sr_buf_reset(&b);
    /* The emitter of a listing that is over, in the middle of a fetch. */
    (void)sr_store_fetch_small(o.s, "x", &b, &err);
    assert_listed(o.s, NULL, NULL, "x:10 ");
    close_local(&o);

    o = open_memory("outcome-none");
    CU_ASSERT_EQUAL(sr_store_delete(o.rw, "x", NULL, NULL, &err), SR_E_INTERNAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "with the outcome 0"));
    close_local(&o);

    static const char *const locked[] = {"locked", "locked-code"};
    for (size_t i = 0; i < 2; i++) {
        enum sr_store_deletion d = 0;
        int64_t until = 0;
        o = open_memory(locked[i]);
        ASSERT_OK(sr_store_delete(o.rw, "x", &d, &until, &err), err);
        CU_ASSERT_EQUAL(d, SR_DELETION_LOCKED);
        CU_ASSERT_EQUAL(until, 4102444800);
        close_local(&o);
    }
    o = open_memory("open-null");
    CU_ASSERT_PTR_NULL(o.s);
    close_local(&o);
    o = open_memory("open-fails");
    CU_ASSERT_PTR_NULL(o.s);
    close_local(&o);
    o = open_memory("");
    ASSERT_OK(sr_store_delete(o.rw, "x", NULL, NULL, &err), err);
    close_local(&o);
    sr_buf_done(&b);
}

static int nest(void *ctx, const struct sr_store_entry *e)
{
    struct opened *o = ctx;
    struct sr_error err = SR_ERROR_INIT;
    struct sr_buf b;
    sr_buf_init(&b, 100);
    CU_ASSERT_EQUAL(sr_store_fetch_small(o->s, e->key, &b, &err), SR_E_INTERNAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "another call is under way"));
    sr_buf_done(&b);
    return 1;
}

static void one_call_at_a_time(void)
{
    struct opened o = open_local("nested");
    struct sr_error err = SR_ERROR_INIT;
    put(o.rw, "x", "1");
    ASSERT_OK(sr_store_list(o.s, NULL, NULL, nest, &o, &err), err);
    assert_listed(o.s, NULL, NULL, "x:1 ");
    close_local(&o);
}

static const struct unit_test tests[] = {
    {"keys", keys},
    {"round trip", round_trip},
    {"prefix", prefix},
    {"replacing", replacing},
    {"copying", copying},
    {"encryption required", encryption_required},
    {"named stores", named_stores},
    {"refused stores", refused_stores},
    {"read only", read_only},
    {"saving", saving},
    {"foreign files", foreign_files},
    {"keys that lead out", keys_that_lead_out},
    {"sweeping", sweeping},
    {"no space", no_space},
    {"large folder", large_folder},
    {"defaults", defaults},
    {"fetch ranges", fetch_ranges},
    {"broken saves", broken_saves},
    {"broken lists", broken_lists},
    {"broken rest", broken_rest},
    {"one call at a time", one_call_at_a_time},
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
