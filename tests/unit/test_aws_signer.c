/* plugins/common/aws_signer: credentials that end and clocks that are off, met once per call. */
#include "common/aws_signer.h"
#include "tests/unit/cloud_host.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

struct source {
    int asked;
    int same; /* each time what it gave first */
    int64_t expires;
};

static int32_t fetch(void *ctx, const struct sr_storage_host *host, struct sc_cred **ret,
                     struct sc_error *err)
{
    struct source *s = ctx;
    struct sc_cred *c = sc_cred_new();
    (void)host;
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    s->asked++;
    (void)snprintf(c->id, sizeof c->id, "KEY%d", s->same ? 1 : s->asked);
    c->expires = s->expires;
    *ret = c;
    return sc_secret_set(&c->secret, "secret", 6, err);
}

struct rig {
    struct test_host h;
    struct source source;
    struct sc_aws_clock clock;
    struct sc_aws_signer signer;
    struct sc_aws_use use;
    struct sc_request r;
};

static void rig_init(struct rig *x)
{
    struct sc_error err = SC_ERROR_INIT;
    *x = (struct rig){.r = SC_REQUEST_INIT};
    test_host_init(&x->h);
    x->h.wall = 1795255200;
    x->signer = (struct sc_aws_signer){.host = &x->h.host,
                                       .clock = &x->clock,
                                       .keys = sc_sigv4_keys_new(),
                                       .where = {"us-east-1", "s3", SC_SIGV4_S3}};
    ASSERT_OK(sc_creds_new(&(struct sc_creds_options){.advisory_s = 900}, &x->signer.creds, &err),
              err);
    ASSERT_OK(
        sc_creds_add(x->signer.creds, &(struct sc_provider){"test", fetch, NULL, &x->source}, &err),
        err);
    ASSERT_OK(sc_request_target(&x->r, "PUT", "https", "b.example", 0, &err), err);
    (void)sc_buf_adds(&x->r.path, "/k");
}

static void rig_done(struct rig *x)
{
    sc_aws_use_done(&x->use);
    sc_request_done(&x->r);
    sc_creds_free(x->signer.creds);
    sc_sigv4_keys_free(x->signer.keys);
    test_host_done(&x->h);
}

static int signed_with(struct rig *x, const char *word)
{
    struct sc_error err = SC_ERROR_INIT;
    ASSERT_OK(sc_aws_signer_sign(&x->signer, &x->use, &x->r, SC_SIGV4_EMPTY, &err), err);
    const char *a = sc_headers_get(&x->r.headers, "authorization");
    return a && strstr(a, word) != NULL;
}

static void expired(void)
{
    static const char *const codes[] = {"ExpiredToken", "ExpiredTokenException", "InvalidToken",
                                        "TokenRefreshRequired"};
    struct rig x;
    const struct sc_response r = {.status = 400};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        rig_init(&x);
        CU_ASSERT(signed_with(&x, "KEY1"));
        CU_ASSERT(sc_aws_signer_mends(&x.signer, &x.use, &r, codes[i]));
        CU_ASSERT(signed_with(&x, "KEY2"));
        rig_done(&x);
    }
    rig_init(&x);
    CU_ASSERT(signed_with(&x, "Credential=KEY1/20261121/"));
    CU_ASSERT(sc_aws_signer_mends(&x.signer, &x.use, &r, "ExpiredToken"));
    CU_ASSERT(signed_with(&x, "Credential=KEY2/"));
    CU_ASSERT_FALSE(sc_aws_signer_mends(&x.signer, &x.use, &r, "ExpiredToken")); /* once per call */
    CU_ASSERT(signed_with(&x, "Credential=KEY2/"));
    /* A call that was signed before the renewal does not throw the new ones away. */
    struct sc_aws_use late = SC_AWS_USE_INIT;
    late.cred = sc_cred_new();
    CU_ASSERT(sc_aws_signer_mends(&x.signer, &late, &r, "ExpiredToken"));
    CU_ASSERT(signed_with(&x, "Credential=KEY2/"));
    sc_aws_use_done(&late);
    rig_done(&x);
}

/* Each part takes what lives now: an upload outlives its first credentials. */
static void renewed_on_the_way(void)
{
    struct rig x;
    rig_init(&x);
    x.source.expires = x.h.wall + 3600;
    CU_ASSERT(signed_with(&x, "Credential=KEY1/"));
    x.h.wall += 3600 - 900;
    x.source.expires = x.h.wall + 3600;
    CU_ASSERT(signed_with(&x, "Credential=KEY2/"));
    CU_ASSERT(signed_with(&x, "Credential=KEY2/"));
    rig_done(&x);
}

static void skewed(void)
{
    struct rig x;
    rig_init(&x);
    struct sc_response r = {.status = 403, .date = x.h.wall + 86400, .date_trusted = 1};
    CU_ASSERT(signed_with(&x, "/20261121/"));
    CU_ASSERT(sc_aws_signer_mends(&x.signer, &x.use, &r, "RequestTimeTooSkewed"));
    CU_ASSERT(signed_with(&x, "/20261122/"));
    CU_ASSERT_STRING_EQUAL(sc_headers_get(&x.r.headers, "x-amz-date"), "20261122T100000Z");
    CU_ASSERT_FALSE(sc_aws_signer_mends(&x.signer, &x.use, &r, "RequestTimeTooSkewed"));
    r.date += 86400; /* a server that wanders: not within this call */
    CU_ASSERT_FALSE(sc_aws_signer_mends(&x.signer, &x.use, &r, "RequestTimeTooSkewed"));
    rig_done(&x);
}

/* Several parts were on their way when the first of them learnt what the time is. */
static void skewed_in_flight(void)
{
    struct rig x;
    struct sc_error err = SC_ERROR_INIT;
    struct sc_aws_use late = SC_AWS_USE_INIT;
    rig_init(&x);
    struct sc_response r = {.status = 403, .date = x.h.wall + 86400, .date_trusted = 1};
    CU_ASSERT(signed_with(&x, "/20261121/"));
    ASSERT_OK(sc_aws_signer_sign(&x.signer, &late, &x.r, SC_SIGV4_EMPTY, &err), err);
    CU_ASSERT(sc_aws_signer_mends(&x.signer, &x.use, &r, "RequestTimeTooSkewed"));
    CU_ASSERT(sc_aws_signer_mends(&x.signer, &late, &r, "RequestTimeTooSkewed"));
    ASSERT_OK(sc_aws_signer_sign(&x.signer, &late, &x.r, SC_SIGV4_EMPTY, &err), err);
    CU_ASSERT_STRING_EQUAL(sc_headers_get(&x.r.headers, "x-amz-date"), "20261122T100000Z");
    CU_ASSERT_FALSE(sc_aws_signer_mends(&x.signer, &late, &r, "RequestTimeTooSkewed"));
    sc_aws_use_done(&late);
    rig_done(&x);
}

/* A key that was replaced in its file is read again, once; the same one again is no remedy. */
static void rotated(void)
{
    static const char *const codes[] = {"InvalidAccessKeyId", "SignatureDoesNotMatch"};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        struct rig x;
        rig_init(&x);
        const struct sc_response r = {.status = 403, .date = x.h.wall, .date_trusted = 1};
        CU_ASSERT(signed_with(&x, "KEY1/"));
        CU_ASSERT(sc_aws_signer_mends(&x.signer, &x.use, &r, codes[i]));
        CU_ASSERT(signed_with(&x, "KEY2/"));
        CU_ASSERT_FALSE(sc_aws_signer_mends(&x.signer, &x.use, &r, codes[i]));
        /* One that was signed with the old key takes what is there by now. */
        struct sc_aws_use late = SC_AWS_USE_INIT;
        late.cred = sc_cred_new();
        CU_ASSERT(sc_aws_signer_mends(&x.signer, &late, &r, codes[i]));
        CU_ASSERT_EQUAL(x.source.asked, 2);
        sc_aws_use_done(&late);
        rig_done(&x);
        rig_init(&x);
        x.source.same = 1;
        CU_ASSERT(signed_with(&x, "KEY1/"));
        CU_ASSERT_FALSE(sc_aws_signer_mends(&x.signer, &x.use, &r, codes[i]));
        CU_ASSERT_EQUAL(x.source.asked, 2);
        rig_done(&x);
    }
}

static void nothing_to_mend(void)
{
    struct rig x;
    rig_init(&x);
    struct sc_response r = {.status = 403, .date = x.h.wall, .date_trusted = 1};
    CU_ASSERT(signed_with(&x, "KEY1"));
    CU_ASSERT_FALSE(sc_aws_signer_mends(&x.signer, &x.use, &r, "AccessDenied"));
    CU_ASSERT_FALSE(sc_aws_signer_mends(&x.signer, &x.use, &r, NULL));
    r.status = 503;
    CU_ASSERT_FALSE(sc_aws_signer_mends(&x.signer, &x.use, &r, "ExpiredToken"));
    CU_ASSERT_EQUAL(x.source.asked, 1);
    rig_done(&x);
}

static const struct unit_test tests[] = {
    {"expired credentials", expired},
    {"renewed on the way", renewed_on_the_way},
    {"a clock that is off", skewed},
    {"a clock that is off, several at once", skewed_in_flight},
    {"a key that was replaced", rotated},
    {"nothing to mend", nothing_to_mend},
    {0},
};

int main(void)
{
    return unit_main("aws signer", tests);
}
