/* core/store against a plugin that breaks promises: tests/abi/memory.c, told how. */
#include "config.h"
#include "core/store/open.h"
#include "core/store/store_private.h"
#include "tests/unit/store_fixture.h"

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
    return store_fixture_main("store_promises", tests);
}
