/* plugins/common/creds: the search, renewal ahead of time, failures on the way, many threads. */
#include "common/creds.h"
#include "tests/unit/cloud_host.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

/* A provider whose next answer the test chooses. */
struct source {
    int32_t code; /* what fetch answers */
    int64_t expires;
    atomic_int asked;
    atomic_int inside, most_inside;
    int slow_ms;
    int freed;
};

static int32_t fetch(void *ctx, const struct sr_storage_host *host, struct sc_cred **ret,
                     struct sc_error *err)
{
    struct source *s = ctx;
    (void)host;
    int inside = atomic_fetch_add(&s->inside, 1) + 1;
    if (inside > atomic_load(&s->most_inside))
        atomic_store(&s->most_inside, inside);
    int n = atomic_fetch_add(&s->asked, 1) + 1;
    if (s->slow_ms)
        (void)usleep((unsigned)s->slow_ms * 1000);
    atomic_fetch_sub(&s->inside, 1);
    if (s->code != SR_STORAGE_OK)
        return sc_fail(err, s->code, "the source said no");
    struct sc_cred *c = sc_cred_new();
    (void)snprintf(c->id, sizeof c->id, "key-%d", n);
    c->expires = s->expires;
    *ret = c;
    return sc_secret_set(&c->secret, "s3cret", 6, err);
}

static void forget(void *ctx)
{
    ((struct source *)ctx)->freed++;
}

static struct sc_creds *chain(struct source *sources, size_t n)
{
    static const char *const names[] = {"environment", "profile", "instance metadata"};
    struct sc_error err = SC_ERROR_INIT;
    struct sc_creds *c = NULL;
    ASSERT_OK(
        sc_creds_new(&(struct sc_creds_options){.advisory_s = 900, .mandatory_s = 600}, &c, &err),
        err);
    for (size_t i = 0; i < n; i++)
        ASSERT_OK(
            sc_creds_add(c, &(struct sc_provider){names[i], fetch, forget, &sources[i]}, &err),
            err);
    return c;
}

/* The id of what get gives, or "code text". */
static const char *got(struct sc_creds *c, struct test_host *h)
{
    static char said[SC_ERROR_TEXT_MAX + 16];
    struct sc_error err = SC_ERROR_INIT;
    struct sc_cred *cred = NULL;
    if (sc_creds_get(c, &h->host, &cred, &err) != SR_STORAGE_OK)
        (void)snprintf(said, sizeof said, "%s: %s", sc_code_name(err.code), err.text);
    else
        (void)snprintf(said, sizeof said, "%s", cred->id);
    sc_cred_unref(cred);
    return said;
}

static void the_first_that_has_something(void)
{
    struct test_host h;
    struct source s[3] = {{.code = SR_STORAGE_E_NOT_FOUND}, {.code = 0}, {.code = 0}};
    char source[160];
    test_host_init(&h);
    struct sc_creds *c = chain(s, 3);
    sc_creds_source(c, source, sizeof source);
    CU_ASSERT_STRING_EQUAL(source, "");
    CU_ASSERT_STRING_EQUAL(got(c, &h), "key-1");
    CU_ASSERT_STRING_EQUAL(got(c, &h), "key-1"); /* it never expires: not asked again */
    CU_ASSERT_EQUAL(s[0].asked, 1);
    CU_ASSERT_EQUAL(s[1].asked, 1);
    CU_ASSERT_EQUAL(s[2].asked, 0);
    sc_creds_source(c, source, sizeof source);
    CU_ASSERT_STRING_EQUAL(source, "profile");
    CU_ASSERT_PTR_NOT_NULL(strstr(sc_buf_str(&h.log), "3 using credentials from profile\n"));
    CU_ASSERT_PTR_NULL(strstr(sc_buf_str(&h.log), "s3cret"));
    sc_creds_free(c);
    CU_ASSERT_EQUAL(s[0].freed + s[1].freed + s[2].freed, 3);
    test_host_done(&h);
}

static void a_failing_source_is_not_passed_over(void)
{
    struct test_host h;
    struct source s[3] = {
        {.code = SR_STORAGE_E_NOT_FOUND}, {.code = SR_STORAGE_E_CONFIG}, {.code = 0}};
    test_host_init(&h);
    struct sc_creds *c = chain(s, 3);
    CU_ASSERT_STRING_EQUAL(got(c, &h), "config: credentials from profile: the source said no");
    CU_ASSERT_EQUAL(s[2].asked, 0);
    s[1].code = SR_STORAGE_E_NOT_FOUND;
    s[2].code = SR_STORAGE_E_NOT_FOUND;
    CU_ASSERT_STRING_EQUAL(got(c, &h), "denied: no credentials found; asked: environment, profile, "
                                       "instance metadata (the source said "
                                       "no)");
    sc_creds_free(c);
    test_host_done(&h);
}

/* What lives for 15 minutes, as a role may, is not renewed at every get. */
static void short_lives(void)
{
    struct test_host h;
    struct source s = {.expires = 10900};
    test_host_init(&h);
    struct sc_creds *c = chain(&s, 1);
    h.wall = 10000;
    CU_ASSERT_STRING_EQUAL(got(c, &h), "key-1");
    h.wall = 10599;
    CU_ASSERT_STRING_EQUAL(got(c, &h), "key-1");
    CU_ASSERT_EQUAL(s.asked, 1);
    h.wall = 10600;
    CU_ASSERT_STRING_EQUAL(got(c, &h), "key-2");
    /* The same set again, as metadata services give it: not asked for at once. */
    CU_ASSERT_STRING_EQUAL(got(c, &h), "key-2");
    h.wall = 10799;
    CU_ASSERT_STRING_EQUAL(got(c, &h), "key-2");
    h.wall = 10800;
    CU_ASSERT_STRING_EQUAL(got(c, &h), "key-3");
    sc_creds_free(c);
    test_host_done(&h);
}

static void renewal(void)
{
    struct test_host h;
    struct source s = {.expires = 10000};
    test_host_init(&h);
    struct sc_creds *c = chain(&s, 1);
    h.wall = 1000;
    CU_ASSERT_STRING_EQUAL(got(c, &h), "key-1");
    h.wall = 10000 - 901; /* not yet */
    CU_ASSERT_STRING_EQUAL(got(c, &h), "key-1");
    h.wall = 10000 - 900;
    s.code = SR_STORAGE_E_UNAVAILABLE; /* advisory: the failure is logged, the old ones serve */
    CU_ASSERT_STRING_EQUAL(got(c, &h), "key-1");
    CU_ASSERT_EQUAL(s.asked, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(sc_buf_str(&h.log), "the old ones live for 900 s more"));
    CU_ASSERT_STRING_EQUAL(got(c, &h), "key-1"); /* and the source is left alone for a while */
    CU_ASSERT_EQUAL(s.asked, 2);
    h.wall += SC_CREDS_PAUSE_S;
    CU_ASSERT_STRING_EQUAL(got(c, &h), "key-1");
    CU_ASSERT_EQUAL(s.asked, 3);
    h.wall = 10000 - 600; /* mandatory: in haste */
    CU_ASSERT_STRING_EQUAL(got(c, &h), "key-1");
    CU_ASSERT_STRING_EQUAL(got(c, &h), "key-1");
    CU_ASSERT_EQUAL(s.asked, 4);
    h.wall += SC_CREDS_HASTE_S;
    CU_ASSERT_STRING_EQUAL(got(c, &h), "key-1");
    CU_ASSERT_EQUAL(s.asked, 5);
    s.code = SR_STORAGE_OK;
    s.expires = 20000;
    h.wall += SC_CREDS_HASTE_S;
    CU_ASSERT_STRING_EQUAL(got(c, &h), "key-6");
    CU_ASSERT_STRING_EQUAL(got(c, &h), "key-6");
    h.wall = 20000; /* dead, and no renewal */
    s.code = SR_STORAGE_E_UNAVAILABLE;
    CU_ASSERT_STRING_EQUAL(got(c, &h),
                           "unavailable: credentials from environment: the source said no");
    s.code = SR_STORAGE_E_NOT_FOUND;
    CU_ASSERT_STRING_EQUAL(got(c, &h), "denied: credentials from environment are there no more");
    sc_creds_free(c);
    test_host_done(&h);
}

static void refused_by_the_server(void)
{
    struct test_host h;
    struct sc_error err = SC_ERROR_INIT;
    struct source s = {.expires = 0};
    struct sc_cred *first = NULL;
    test_host_init(&h);
    struct sc_creds *c = chain(&s, 1);
    ASSERT_OK(sc_creds_get(c, &h.host, &first, &err), err);
    sc_creds_refuse(c, first);
    CU_ASSERT_STRING_EQUAL(got(c, &h), "key-2");
    sc_creds_refuse(c, first); /* a slower part learns of it late: the new ones stay */
    CU_ASSERT_STRING_EQUAL(got(c, &h), "key-2");
    CU_ASSERT_EQUAL(s.asked, 2);
    CU_ASSERT_STRING_EQUAL(sc_secret_bytes(&first->secret), "s3cret"); /* still held */
    sc_cred_unref(first);
    sc_creds_free(c);
    test_host_done(&h);
}

struct crowd {
    struct sc_creds *c;
    struct test_host *h;
    atomic_int good, bad;
};

static void *member(void *ctx)
{
    struct crowd *w = ctx;
    for (int i = 0; i < 50; i++) {
        struct sc_error err = SC_ERROR_INIT;
        struct sc_cred *cred = NULL;
        int32_t rc = sc_creds_get(w->c, &w->h->host, &cred, &err);
        if (rc == SR_STORAGE_OK && i % 10 == 0)
            sc_creds_refuse(w->c, cred);
        atomic_fetch_add(rc == SR_STORAGE_OK ? &w->good : &w->bad, 1);
        sc_cred_unref(cred);
    }
    return NULL;
}

static void one_renews_at_a_time(void)
{
    struct test_host h;
    struct source s = {.slow_ms = 3};
    pthread_t threads[6];
    test_host_init(&h);
    struct crowd w = {.c = chain(&s, 1), .h = &h};
    for (size_t i = 0; i < 6; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, member, &w), 0);
    for (size_t i = 0; i < 6; i++)
        (void)pthread_join(threads[i], NULL);
    CU_ASSERT_EQUAL(atomic_load(&w.good), 300);
    CU_ASSERT_EQUAL(atomic_load(&w.bad), 0);
    CU_ASSERT_EQUAL(atomic_load(&s.most_inside), 1);
    CU_ASSERT(s.asked <= 31);
    sc_creds_free(w.c);
    test_host_done(&h);
}

/* This machine's clock is two hours ahead, and the server has told so. */
static void by_the_servers_clock(void)
{
    struct test_host h;
    struct sc_error err = SC_ERROR_INIT;
    struct source s = {.expires = 10000 + 3600};
    struct sc_creds *c = NULL;
    _Atomic int64_t offset = 0;
    test_host_init(&h);
    h.wall = 10000 + 7200;
    ASSERT_OK(
        sc_creds_new(&(struct sc_creds_options){.advisory_s = 900, .offset = &offset}, &c, &err),
        err);
    ASSERT_OK(sc_creds_add(c, &(struct sc_provider){"test", fetch, NULL, &s}, &err), err);
    CU_ASSERT_STRING_EQUAL(got(c, &h), "key-1");
    atomic_store(&offset, -7200);
    CU_ASSERT_STRING_EQUAL(got(c, &h), "key-1");
    CU_ASSERT_STRING_EQUAL(got(c, &h), "key-1");
    h.wall += 3600;
    s.expires += 3600;
    CU_ASSERT_STRING_EQUAL(got(c, &h), "key-2");
    CU_ASSERT_STRING_EQUAL(got(c, &h), "key-2");
    sc_creds_free(c);
    test_host_done(&h);
}

static const struct unit_test tests[] = {
    {"the first that has something is used", the_first_that_has_something},
    {"a failing source is not passed over", a_failing_source_is_not_passed_over},
    {"renewal ahead of the end", renewal},
    {"short lives", short_lives},
    {"refused by the server", refused_by_the_server},
    {"by the server's clock", by_the_servers_clock},
    {"one renews at a time", one_renews_at_a_time},
    {0},
};

int main(void)
{
    return unit_main("cloud: credentials", tests);
}
