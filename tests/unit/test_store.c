/* core/store on the real local plugin, loaded as users load it. */
#include "config.h"
#include "core/store/open.h"
#include "core/store/store_private.h"
#include "tests/unit/store_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

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
    {NULL, NULL},
};

int main(void)
{
    return store_fixture_main("store", tests);
}
