/* plugins/common/sigv4: the worked examples of the S3 documentation, the traps around them, and
 * what is refused. tests/unit/sigv4_botocore.sh compares thousands of requests with another signer.
 */
#include "common/encode.h"
#include "common/sigv4.h"
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define DAY 1369353600 /* 2013-05-24T00:00:00Z */

static const struct sc_sigv4_scope s3 = {"us-east-1", "s3", SC_SIGV4_S3};
static const struct sc_sigv4_scope sts = {"us-east-1", "sts", SC_SIGV4_GENERAL};

static struct sc_cred *keys_of(const char *secret, const char *token)
{
    struct sc_cred *c = sc_cred_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    (void)snprintf(c->id, sizeof c->id, "AKIAIOSFODNN7EXAMPLE");
    CU_ASSERT_EQUAL(sc_secret_set(&c->secret, secret, strlen(secret), NULL), 0);
    CU_ASSERT_EQUAL(sc_secret_set(&c->token, token, strlen(token), NULL), 0);
    return c;
}

static struct sc_cred *example_keys(void)
{
    return keys_of("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "");
}

static void begin(struct sc_request *r, const char *method, const char *raw_path)
{
    *r = (struct sc_request)SC_REQUEST_INIT;
    CU_ASSERT_EQUAL(
        sc_request_target(r, method, "https", "examplebucket.s3.amazonaws.com", 0, NULL), 0);
    sc_percent_encode_str(&r->path, raw_path, 1);
}

static const char *authorization(const struct sc_request *r)
{
    const char *a = sc_headers_get(&r->headers, "Authorization");
    return a ? a : "";
}

static const char *signature(const struct sc_request *r)
{
    const char *s = strstr(authorization(r), "Signature=");
    return s ? s + strlen("Signature=") : "";
}

/* Signs, compares and ends r. */
static void expect(struct sc_request *r, const char *body, const char *wanted)
{
    struct sc_cred *c = example_keys();
    struct sc_error err = SC_ERROR_INIT;
    char payload[SC_SIGV4_PAYLOAD_SIZE];
    CU_ASSERT_EQUAL(sc_sigv4_payload(payload, body, strlen(body), &err), 0);
    ASSERT_OK(sc_sigv4_sign(r, &s3, c, payload, DAY, NULL, &err), err);
    CU_ASSERT_STRING_EQUAL(signature(r), wanted);
    sc_cred_unref(c);
    sc_request_done(r);
}

static void worked_examples(void)
{
    struct sc_request r;
    begin(&r, "GET", "/test.txt");
    (void)sc_headers_add(&r.headers, "Range", "bytes=0-9", NULL);
    expect(&r, "", "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");

    begin(&r, "PUT", "/test$file.text");
    (void)sc_headers_add(&r.headers, "Date", "Fri, 24 May 2013 00:00:00 GMT", NULL);
    (void)sc_headers_add(&r.headers, "x-amz-storage-class", "REDUCED_REDUNDANCY", NULL);
    expect(&r, "Welcome to Amazon S3.",
           "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");

    begin(&r, "GET", "/");
    sc_query_add(&r.query, "lifecycle", NULL);
    expect(&r, "", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");

    begin(&r, "GET", "/");
    sc_query_add(&r.query, "prefix", "J");
    sc_query_add(&r.query, "max-keys", "2");
    expect(&r, "", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

/* What goes out is what was signed. */
static void wire(void)
{
    struct sc_cred *c = keys_of("secret", "the/token+==");
    struct sc_request r;
    begin(&r, "POST", "/a//../b+c d");
    sc_query_add(&r.query, "Param", "2");
    sc_query_add(&r.query, "Param-3", "x y");
    sc_query_add(&r.query, "uploads", NULL);
    sc_query_add(&r.query, "Param", "1&=");
    (void)sc_headers_add(&r.headers, "User-Agent", "strongroom", NULL);
    (void)sc_headers_add(&r.headers, "Content-Type", "text/plain", NULL);
    ASSERT_OK(sc_sigv4_sign(&r, &s3, c, SC_SIGV4_UNSIGNED, DAY, NULL, NULL), (struct sc_error){0});
    CU_ASSERT_STRING_EQUAL(sc_buf_str(&r.path), "/a//../b%2Bc%20d");
    CU_ASSERT_STRING_EQUAL(sc_buf_str(&r.query), "Param=1%26%3D&Param=2&Param-3=x%20y&uploads=");
    CU_ASSERT_STRING_EQUAL(sc_headers_get(&r.headers, "x-amz-date"), "20130524T000000Z");
    CU_ASSERT_STRING_EQUAL(sc_headers_get(&r.headers, "x-amz-security-token"), "the/token+==");
    CU_ASSERT_STRING_EQUAL(sc_headers_get(&r.headers, "x-amz-content-sha256"), "UNSIGNED-PAYLOAD");
    CU_ASSERT_PTR_NOT_NULL(strstr(authorization(&r),
                                  "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/"
                                  "aws4_request, SignedHeaders=content-type;host;"
                                  "x-amz-content-sha256;x-amz-date;x-amz-security-token, "));
    sc_cred_unref(c);
    sc_request_done(&r);
}

static size_t count(const struct sc_request *r, const char *name)
{
    size_t pos = 0, n = 0;
    while (sc_headers_next(&r->headers, name, &pos))
        n++;
    return n;
}

/* A further try has the date of its own, one of each header, and no token that is gone. */
static void again(void)
{
    struct sc_cred *with = keys_of("secret", "token"), *without = example_keys();
    struct sc_request r, fresh;
    char first[128];
    begin(&r, "GET", "/k");
    ASSERT_OK(sc_sigv4_sign(&r, &s3, with, SC_SIGV4_EMPTY, DAY, NULL, NULL), (struct sc_error){0});
    (void)snprintf(first, sizeof first, "%s", signature(&r));
    ASSERT_OK(sc_sigv4_sign(&r, &s3, without, SC_SIGV4_EMPTY, DAY + 86400, NULL, NULL),
              (struct sc_error){0});
    CU_ASSERT_STRING_NOT_EQUAL(signature(&r), first);
    CU_ASSERT_EQUAL(count(&r, "authorization"), 1);
    CU_ASSERT_EQUAL(count(&r, "x-amz-date"), 1);
    CU_ASSERT_EQUAL(count(&r, "x-amz-content-sha256"), 1);
    CU_ASSERT_EQUAL(count(&r, "x-amz-security-token"), 0);
    begin(&fresh, "GET", "/k");
    ASSERT_OK(sc_sigv4_sign(&fresh, &s3, without, SC_SIGV4_EMPTY, DAY + 86400, NULL, NULL),
              (struct sc_error){0});
    CU_ASSERT_STRING_EQUAL(authorization(&fresh), authorization(&r));
    sc_request_done(&r);
    sc_request_done(&fresh);
    sc_cred_unref(with);
    sc_cred_unref(without);
}

/* A remembered key serves its own secret, day, region and service alone. */
static void key_cache(void)
{
    struct sc_cred *c[] = {keys_of("one", ""), keys_of("two", "")};
    const struct sc_sigv4_scope scopes[] = {
        s3, {"eu-west-1", "s3", SC_SIGV4_S3}, {"us-east-1", "s3-outposts", SC_SIGV4_S3}};
    struct sc_sigv4_keys *keys = sc_sigv4_keys_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(keys);
    for (size_t i = 0; i < 24; i++) {
        struct sc_request cached, plain;
        /* Each combination twice in a row, so that a remembered key is met as well. */
        const struct sc_cred *with = c[i / 2 % 2];
        const struct sc_sigv4_scope *where = &scopes[i / 4 % 3];
        int64_t now = DAY + (i >= 12 ? 86400 : 0);
        begin(&cached, "GET", "/k");
        begin(&plain, "GET", "/k");
        ASSERT_OK(sc_sigv4_sign(&cached, where, with, SC_SIGV4_EMPTY, now, keys, NULL),
                  (struct sc_error){0});
        ASSERT_OK(sc_sigv4_sign(&plain, where, with, SC_SIGV4_EMPTY, now, NULL, NULL),
                  (struct sc_error){0});
        CU_ASSERT_STRING_EQUAL(authorization(&cached), authorization(&plain));
        sc_request_done(&cached);
        sc_request_done(&plain);
    }
    sc_sigv4_keys_free(keys);
    sc_cred_unref(c[0]);
    sc_cred_unref(c[1]);
}

struct racer {
    struct sc_sigv4_keys *keys;
    const char *wanted;
    size_t wrong;
};

static void *race(void *arg)
{
    struct racer *x = arg;
    struct sc_cred *c = example_keys();
    for (int i = 0; i < 200; i++) {
        struct sc_request r;
        begin(&r, "GET", "/k");
        int64_t now = DAY + (i % 2) * 86400;
        if (sc_sigv4_sign(&r, &s3, c, SC_SIGV4_EMPTY, now, x->keys, NULL) != 0 ||
            (i % 2 == 0 && strcmp(signature(&r), x->wanted) != 0))
            x->wrong++;
        sc_request_done(&r);
    }
    sc_cred_unref(c);
    return NULL;
}

static void key_cache_threads(void)
{
    struct sc_cred *c = example_keys();
    struct sc_request r;
    begin(&r, "GET", "/k");
    ASSERT_OK(sc_sigv4_sign(&r, &s3, c, SC_SIGV4_EMPTY, DAY, NULL, NULL), (struct sc_error){0});
    struct sc_sigv4_keys *keys = sc_sigv4_keys_new();
    struct racer x[4];
    pthread_t t[4];
    for (int i = 0; i < 4; i++) {
        x[i] = (struct racer){keys, signature(&r), 0};
        CU_ASSERT_EQUAL_FATAL(pthread_create(&t[i], NULL, race, &x[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        (void)pthread_join(t[i], NULL);
        CU_ASSERT_EQUAL(x[i].wrong, 0);
    }
    sc_sigv4_keys_free(keys);
    sc_request_done(&r);
    sc_cred_unref(c);
}

/* Nothing is cut: what is longer than any buffer of the stack is signed whole. */
static void long_ones(void)
{
    struct sc_cred *c = example_keys();
    char *value = malloc(30001);
    CU_ASSERT_PTR_NOT_NULL_FATAL(value);
    memset(value, 'v', 30000);
    value[30000] = '\0';
    char seen[2][128] = {"", ""};
    for (int i = 0; i < 2; i++) {
        struct sc_request r;
        begin(&r, "GET", "/k");
        value[29999] = i ? 'x' : 'y';
        (void)sc_headers_add(&r.headers, "x-amz-meta-long", value, NULL);
        ASSERT_OK(sc_sigv4_sign(&r, &s3, c, SC_SIGV4_EMPTY, DAY, NULL, NULL), (struct sc_error){0});
        (void)snprintf(seen[i], sizeof seen[i], "%s", signature(&r));
        sc_request_done(&r);
    }
    CU_ASSERT_STRING_NOT_EQUAL(seen[0], seen[1]);
    free(value);
    sc_cred_unref(c);
}

static void refuse(struct sc_request *r, const struct sc_sigv4_scope *where,
                   const struct sc_cred *c, const char *payload, int32_t code, const char *word)
{
    struct sc_error err = SC_ERROR_INIT;
    CU_ASSERT_EQUAL(sc_sigv4_sign(r, where, c, payload, DAY, NULL, &err), code);
    if (!strstr(err.text, word))
        (void)fprintf(stderr, "wanted '%s', got '%s'\n", word, err.text);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, word));
    CU_ASSERT_PTR_NULL(sc_headers_get(&r->headers, "authorization"));
    sc_request_done(r);
}

static void refused(void)
{
    struct sc_cred *c = example_keys();
    struct sc_request r;
    static const char *const paths[] = {"",      "no-slash", "/a b", "/a%2", "/a%zz",
                                        "/a%2f", "/%41",     "/a+b", "/a?b", "/\xc3\xa4"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        begin(&r, "GET", "");
        (void)sc_buf_adds(&r.path, paths[i]);
        refuse(&r, &s3, c, SC_SIGV4_EMPTY, SR_STORAGE_E_CONFIG, "path");
    }
    begin(&r, "GET", "/k");
    (void)sc_buf_adds(&r.query, "a=b c");
    refuse(&r, &s3, c, SC_SIGV4_EMPTY, SR_STORAGE_E_CONFIG, "query");

    begin(&r, "GET", "/k");
    (void)snprintf(r.scheme, sizeof r.scheme, "http");
    refuse(&r, &s3, c, SC_SIGV4_UNSIGNED, SR_STORAGE_E_INTERNAL, "SHA-256");
    begin(&r, "GET", "/k");
    refuse(&r, &s3, c, "E3B0", SR_STORAGE_E_INTERNAL, "SHA-256");
    begin(&r, "GET", "/k");
    refuse(&r, &s3, c, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", SR_STORAGE_E_INTERNAL, "SHA-256");
    begin(&r, "GET", "/k");
    (void)sc_headers_add(&r.headers, "Host", "elsewhere", NULL);
    refuse(&r, &s3, c, SC_SIGV4_EMPTY, SR_STORAGE_E_INTERNAL, "Host");

    const struct sc_sigv4_scope nowhere = {"us east", "s3", SC_SIGV4_S3};
    const struct sc_sigv4_scope empty = {"", "s3", SC_SIGV4_S3};
    begin(&r, "GET", "/k");
    refuse(&r, &nowhere, c, SC_SIGV4_EMPTY, SR_STORAGE_E_CONFIG, "region");
    begin(&r, "GET", "/k");
    refuse(&r, &empty, c, SC_SIGV4_EMPTY, SR_STORAGE_E_CONFIG, "region");

    (void)snprintf(c->id, sizeof c->id, "AKIA/../x");
    begin(&r, "GET", "/k");
    refuse(&r, &s3, c, SC_SIGV4_EMPTY, SR_STORAGE_E_CONFIG, "access key id");
    sc_cred_unref(c);
}

/* The other flavour: no payload header, and a path that is normalised and encoded twice. */
static void general(void)
{
    struct sc_cred *c = example_keys();
    static const struct {
        const char *path, *same_as;
    } table[] = {{"/a/./b", "/a/b"}, {"/a//b", "/a/b"}, {"/a/x/../b", "/a/b"},
                 {"/..", "/"},       {"//", "/"},       {"/a/b/..", "/a"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct sc_request a, b;
        begin(&a, "GET", table[i].path);
        begin(&b, "GET", table[i].same_as);
        ASSERT_OK(sc_sigv4_sign(&a, &sts, c, SC_SIGV4_EMPTY, DAY, NULL, NULL),
                  (struct sc_error){0});
        ASSERT_OK(sc_sigv4_sign(&b, &sts, c, SC_SIGV4_EMPTY, DAY, NULL, NULL),
                  (struct sc_error){0});
        CU_ASSERT_STRING_EQUAL(signature(&a), signature(&b));
        CU_ASSERT_STRING_EQUAL(sc_buf_str(&a.path), table[i].path);
        CU_ASSERT_EQUAL(count(&a, "x-amz-content-sha256"), 0);
        sc_request_done(&a);
        sc_request_done(&b);
    }
    sc_cred_unref(c);
}

static void skips(void)
{
    CU_ASSERT(sc_sigv4_skips("User-Agent"));
    CU_ASSERT(sc_sigv4_skips("expect"));
    CU_ASSERT(sc_sigv4_skips("X-Amzn-Trace-Id"));
    CU_ASSERT_FALSE(sc_sigv4_skips("x-amz-meta-a"));
    CU_ASSERT_FALSE(sc_sigv4_skips("range"));
}

static const struct unit_test tests[] = {
    {"the four worked examples", worked_examples},
    {"what goes out is what was signed", wire},
    {"a further try", again},
    {"remembered signing keys", key_cache},
    {"remembered signing keys, threads", key_cache_threads},
    {"long headers", long_ones},
    {"what is refused", refused},
    {"the general flavour", general},
    {"headers that are not signed", skips},
    {0},
};

int main(void)
{
    return unit_main("sigv4", tests);
}
