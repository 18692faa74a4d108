/* plugins/s3 without a network: settings, endpoints, checksums, what answers mean, pages. */
#include "s3/s3.h"
#include "s3/sums.h"
#include "tests/unit/cloud_host.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

struct rig {
    struct test_host h;
    struct s3 s;
    struct sc_error err;
    const char *settings[80];
};

/* As the host hands them over; the overrides (key, value, ..., NULL) come first and so win. */
static int32_t rig_open(struct rig *x, const char *const *overrides)
{
    static const char *const usual[] = {"bucket",
                                        "backups",
                                        "addressing",
                                        "auto",
                                        "part_size",
                                        "8388608",
                                        "concurrency",
                                        "4",
                                        "max_parts",
                                        "10000",
                                        "part_growth",
                                        "auto",
                                        "checksum",
                                        "auto",
                                        "sign_payload",
                                        "0",
                                        "create_only",
                                        "auto",
                                        "list_version",
                                        "auto",
                                        "list_encoding",
                                        "1",
                                        "sse",
                                        "none",
                                        "object_lock_mode",
                                        "GOVERNANCE",
                                        "object_lock_days",
                                        "0",
                                        "requester_pays",
                                        "0",
                                        "verify_tls",
                                        "1",
                                        "credentials",
                                        "keys",
                                        "access_key_id",
                                        "AKID",
                                        "secret_access_key",
                                        "secret",
                                        NULL};
    size_t n = 0;
    *x = (struct rig){.err = SC_ERROR_INIT};
    test_host_init(&x->h);
    for (; overrides && *overrides; overrides++)
        x->settings[n++] = *overrides;
    for (size_t i = 0; usual[i]; i++)
        x->settings[n++] = usual[i];
    x->h.settings = x->settings;
    x->h.wall = 1795255200;
    x->s.host = &x->h.host;
    (void)snprintf(x->s.label, sizeof x->s.label, "s3");
    int32_t rc = s3_settings_read(&x->h.host, &x->s.set, &x->err);
    return rc == SR_STORAGE_OK ? s3_auth_open(&x->s, &x->err) : rc;
}

static void rig_done(struct rig *x)
{
    s3_auth_close(&x->s);
    s3_settings_done(&x->s.set);
    test_host_done(&x->h);
}

#define WITH(...) ((const char *const[]){__VA_ARGS__, NULL})

static void each_wrong_setting_is_named(void)
{
    static const struct {
        const char *key, *value, *says;
    } rows[] = {
        {"bucket", "ab", "bucket"},
        {"bucket", "a/b", "bucket"},
        {"bucket", "a..b", "bucket"},
        {"bucket", "-abc", "bucket"},
        {"bucket", "line\nbreak", "control character"},
        {"endpoint_url", "ftp://host", "endpoint_url"},
        {"endpoint_url", "https://user@host/", "endpoint_url"},
        {"endpoint_url", "https://host/?x=y", "endpoint_url"},
        {"addressing", "sideways", "addressing"},
        {"part_size", "5242879", "part_size"},
        {"part_size", "5368709121", "part_size"},
        {"part_size", "many", "part_size"},
        {"concurrency", "0", "concurrency"},
        {"concurrency", "65", "concurrency"},
        {"max_parts", "1", "max_parts"},
        {"max_parts", "10001", "max_parts"},
        {"part_growth", "maybe", "part_growth"},
        {"checksum", "sha1", "checksum"},
        {"sign_payload", "yes", "sign_payload"},
        {"create_only", "never", "create_only"},
        {"list_version", "3", "list_version"},
        {"list_encoding", "x", "list_encoding"},
        {"tags", "a=b\r\nx-evil: 1", "tags"},
        {"sse_customer_key", "c2hvcnQ=", "sse_customer_key"},
        {"sse_kms_key_id", "arn", "sse_kms_key_id"},
        {"object_lock_days", "-1", "object_lock_days"},
        {"verify_tls", "", "verify_tls"},
        {"region", "eu west", "region"},
        {"region", "evil.example/", "region"},
        {"credentials", "guess", "credentials"},
    };
    struct rig x;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CU_ASSERT_EQUAL(rig_open(&x, WITH(rows[i].key, rows[i].value)), SR_STORAGE_E_CONFIG);
        CU_ASSERT_PTR_NOT_NULL(strstr(x.err.text, rows[i].says));
        if (!strstr(x.err.text, rows[i].says))
            (void)fprintf(stderr, "%s=%s: %s\n", rows[i].key, rows[i].value, x.err.text);
        rig_done(&x);
    }
    static const char key[] = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    CU_ASSERT_EQUAL(rig_open(&x, WITH("sse_customer_key", key, "sse", "AES256")),
                    SR_STORAGE_E_CONFIG);
    rig_done(&x);
    ASSERT_OK(rig_open(&x, WITH("sse_customer_key", key)), x.err);
    CU_ASSERT_EQUAL(x.s.set.sse_key.len, 32);
    rig_done(&x);
}

static void hosts_by_style_and_region(void)
{
    static const struct {
        const char *endpoint, *style, *bucket, *region, *host, *base;
        unsigned port;
    } rows[] = {
        {"", "auto", "backups", "", "backups.s3.us-east-1.amazonaws.com", "", 0},
        {"", "auto", "backups", "eu-west-1", "backups.s3.eu-west-1.amazonaws.com", "", 0},
        {"", "path", "backups", "eu-west-1", "s3.eu-west-1.amazonaws.com", "", 0},
        {"", "auto", "with.dots", "eu-west-1", "s3.eu-west-1.amazonaws.com", "", 0},
        {"", "auto", "UpperCase", "", "s3.us-east-1.amazonaws.com", "", 0},
        {"", "auto", "backups", "cn-north-1", "backups.s3.cn-north-1.amazonaws.com.cn", "", 0},
        {"https://s3.example:9000", "auto", "backups", "", "s3.example", "", 9000},
        {"https://s3.example", "virtual", "backups", "", "backups.s3.example", "", 0},
        {"http://127.0.0.1:8080/deep/er//", "auto", "backups", "", "127.0.0.1", "/deep/er", 8080},
    };
    struct rig x;
    char host[256];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ASSERT_OK(rig_open(&x, WITH("endpoint_url", rows[i].endpoint, "addressing", rows[i].style,
                                    "bucket", rows[i].bucket, "region", rows[i].region)),
                  x.err);
        s3_auth_host(&x.s, host);
        CU_ASSERT_STRING_EQUAL(host, rows[i].host);
        CU_ASSERT_STRING_EQUAL(x.s.base_path, rows[i].base);
        CU_ASSERT_EQUAL(x.s.port, rows[i].port);
        rig_done(&x);
    }
    ASSERT_OK(rig_open(&x, WITH("endpoint_url", "https://a.r2.cloudflarestorage.com")), x.err);
    CU_ASSERT_STRING_EQUAL(x.s.region, "auto");
    CU_ASSERT(x.s.set.constant_parts);
    rig_done(&x);
}

extern const struct sr_storage_plugin *sr_storage_plugin_entry(void);

/* Two ways to write one place are one place. */
static void places(void)
{
    static const struct {
        const char *endpoint, *place;
    } rows[] = {
        {"", "s3://amazonaws.com/backups"},
        {"https://s3.eu-west-1.amazonaws.com", "s3://amazonaws.com/backups"},
        {"https://s3.example", "s3://s3.example/backups"},
        {"https://S3.Example:443/", "s3://s3.example/backups"},
        {"http://s3.example:80", "s3://s3.example/backups"},
        {"https://s3.example.", "s3://s3.example/backups"},
        {"https://s3.example:80", "s3://s3.example:80/backups"},
        {"https://s3.example:9000/Deep", "s3://s3.example:9000/Deep/backups"},
    };
    struct rig x;
    char place[256];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ASSERT_OK(rig_open(&x, WITH("endpoint_url", rows[i].endpoint)), x.err);
        ASSERT_OK(sr_storage_plugin_entry()->place(&x.s, place, sizeof place), x.err);
        CU_ASSERT_STRING_EQUAL(place, rows[i].place);
        rig_done(&x);
    }
}

/* The signer's region is the handle's; nothing that names a host is taken over. */
static void a_region_is_adopted_once(void)
{
    struct rig x;
    char host[256];
    ASSERT_OK(rig_open(&x, NULL), x.err);
    CU_ASSERT_FALSE(s3_auth_adopt_region(&x.s, NULL));
    CU_ASSERT_FALSE(s3_auth_adopt_region(&x.s, ""));
    CU_ASSERT_FALSE(s3_auth_adopt_region(&x.s, "us-east-1"));
    CU_ASSERT_FALSE(s3_auth_adopt_region(&x.s, "evil.example/"));
    CU_ASSERT(s3_auth_adopt_region(&x.s, "eu-west-3"));
    CU_ASSERT_STRING_EQUAL(x.s.signer.where.region, "eu-west-3");
    s3_auth_host(&x.s, host);
    CU_ASSERT_STRING_EQUAL(host, "backups.s3.eu-west-3.amazonaws.com");
    CU_ASSERT_FALSE(s3_auth_adopt_region(&x.s, "eu-west-1"));
    rig_done(&x);
}

/* A renewal that finds its setting unreadable ends the call before anything is sent, and what the
 * host said of it stands. */
static void the_hosts_words_stand(void)
{
    struct rig x;
    struct s3_call c;
    ASSERT_OK(rig_open(&x, NULL), x.err);
    x.h.unreadable = "secret_access_key";
    ASSERT_OK(s3_call_begin(&c, &x.s, "GET", "k", &x.err), x.err);
    CU_ASSERT_EQUAL(s3_call_run(&c, &x.err), SR_STORAGE_E_CONFIG);
    CU_ASSERT_EQUAL(c.call.response.phase, SC_PHASE_NONE);
    CU_ASSERT_EQUAL(s3_report(&x.s, SR_STORAGE_E_CONFIG, &x.err, "fetching k"),
                    SR_STORAGE_E_CONFIG);
    CU_ASSERT_STRING_EQUAL(x.h.text, "store s3: BACKUP_S3_..._FILE names no file");
    s3_call_end(&c);
    rig_done(&x);
}

/* --- answers --- */

static void answers_by_table(void)
{
    static const struct {
        const char *method;
        int status;
        const char *code, *region;
        enum sc_class cls;
        int32_t error;
    } rows[] = {
        {"GET", 403, "AccessDenied", "", SC_FINAL, SR_STORAGE_E_DENIED},
        {"GET", 404, "NoSuchKey", "", SC_FINAL, SR_STORAGE_E_NOT_FOUND},
        {"GET", 404, "NoSuchBucket", "", SC_FINAL, SR_STORAGE_E_NOT_FOUND},
        {"PUT", 503, "SlowDown", "", SC_THROTTLED, SR_STORAGE_E_THROTTLED},
        {"PUT", 503, NULL, "", SC_THROTTLED, SR_STORAGE_E_UNAVAILABLE},
        {"PUT", 500, "InternalError", "", SC_RETRY, SR_STORAGE_E_UNAVAILABLE},
        {"PUT", 400, "RequestTimeout", "", SC_RETRY, SR_STORAGE_E_UNAVAILABLE},
        {"PUT", 400, "BadDigest", "", SC_FEW, SR_STORAGE_E_CORRUPT},
        {"PUT", 412, "PreconditionFailed", "", SC_FINAL, SR_STORAGE_E_EXISTS},
        {"PUT", 507, "InsufficientStorage", "", SC_FINAL, SR_STORAGE_E_NO_SPACE},
        {"PUT", 501, "NotImplemented", "", SC_FINAL, SR_STORAGE_E_UNSUPPORTED},
        {"PUT", 400, "KMS.DisabledException", "", SC_FINAL, SR_STORAGE_E_CONFIG},
        {"PUT", 400, "NeverHeardOf", "", SC_FINAL, SR_STORAGE_E_CONFIG},
        {"POST", 200, "InternalError", "", SC_RETRY, SR_STORAGE_E_UNAVAILABLE},
        {"POST", 200, "NeverHeardOf", "", SC_RETRY, SR_STORAGE_E_UNAVAILABLE},
        {"GET", 301, "PermanentRedirect", "", SC_FINAL, SR_STORAGE_E_CONFIG},
        {"GET", 400, "AuthorizationHeaderMalformed", "eu-west-1", SC_AGAIN, SR_STORAGE_E_CONFIG},
        {"GET", 400, "ExpiredToken", "", SC_AGAIN, SR_STORAGE_E_DENIED},
        {"HEAD", 400, NULL, "", SC_AGAIN, SR_STORAGE_E_CONFIG},
        {"GET", 400, NULL, "", SC_FINAL, SR_STORAGE_E_CONFIG},
        {"HEAD", 404, NULL, "", SC_FINAL, SR_STORAGE_E_NOT_FOUND},
        {"GET", 404, NULL, "", SC_FEW, SR_STORAGE_E_UNAVAILABLE},
        {"DELETE", 410, NULL, "", SC_FEW, SR_STORAGE_E_UNAVAILABLE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig x;
        struct s3_call c;
        struct sc_verdict v;
        ASSERT_OK(rig_open(&x, WITH("session_token", "token")), x.err);
        ASSERT_OK(s3_call_begin(&c, &x.s, rows[i].method, "k", &x.err), x.err);
        ASSERT_OK(s3_call_prepare(&c.call, &x.err), x.err);
        struct sc_response *r = &c.call.response;
        r->status = rows[i].status;
        r->body = (struct sc_buf)SC_BUF_INIT(4096);
        if (rows[i].code)
            sc_buf_addf(&r->body,
                        "<Error><Code>%s</Code><Message>m</Message><Region>%s</Region></Error>",
                        rows[i].code, rows[i].region);
        c.root = rows[i].status == 200 ? "CompleteMultipartUploadResult" : NULL;
        for (int again = 0; again < 2; again++) {
            sc_verdict_of_status(r->status, &v);
            s3_answer_judge(&c.call, &v);
            /* What was mended is mended once per call. */
            enum sc_class want = again && rows[i].cls == SC_AGAIN ? SC_FINAL : rows[i].cls;
            CU_ASSERT_EQUAL(v.cls, want);
            CU_ASSERT_EQUAL(v.code, rows[i].error);
            if (v.cls != want || v.code != rows[i].error)
                (void)fprintf(stderr, "%s %d %s: class %d, code %d\n", rows[i].method,
                              rows[i].status, rows[i].code ? rows[i].code : "", (int)v.cls,
                              (int)v.code);
        }
        s3_call_end(&c);
        rig_done(&x);
    }
}

/* --- checksums --- */

static void sums_of(struct rig *x, const char *text, struct s3_sums *ret)
{
    struct s3_summing *m = NULL;
    ASSERT_OK(s3_summing_new(&x->s, &m, &x->err), x->err);
    s3_summing_add(m, text, strlen(text));
    ASSERT_OK(s3_summing_end(m, ret, &x->err), x->err);
    s3_summing_free(m);
}

static void sums_as_text_and_combined(void)
{
    static const struct {
        const char *name, *text; /* of "123456789" */
        enum s3_sum kind;
    } rows[] = {
        {"md5", "JfnnlDI7RTiF9RgfG2JNCw==", S3_SUM_MD5},
        {"sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=", S3_SUM_SHA256},
        {"crc32c", "4waSgw==", S3_SUM_CRC32C},
        {"crc64nvme", "rosUhgp5mIg=", S3_SUM_CRC64NVME},
        {"none", "", S3_SUM_NONE},
    };
    char text[S3_SUM_TEXT_SIZE];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig x;
        struct s3_sums one, two, all, whole = {0};
        ASSERT_OK(rig_open(&x, WITH("checksum", rows[i].name)), x.err);
        CU_ASSERT_EQUAL(s3_sum_kind(&x.s), rows[i].kind);
        sums_of(&x, "123456789", &all);
        sums_of(&x, "1234", &one);
        sums_of(&x, "56789", &two);
        s3_sum_text(&all, rows[i].kind, text);
        CU_ASSERT_STRING_EQUAL(text, rows[i].text);
        s3_sums_append(&whole, &one);
        s3_sums_append(&whole, &two);
        CU_ASSERT_EQUAL(whole.len, 9);
        CU_ASSERT_EQUAL(whole.crc32c, all.crc32c);
        CU_ASSERT_EQUAL(whole.crc64nvme, all.crc64nvme);
        rig_done(&x);
    }
}

static void what_the_store_states(void)
{
    static const struct {
        const char *sum, *header, *value, *type;
        int32_t code;
        uint64_t kind; /* confirmed; 0: nothing */
    } rows[] = {
        {"crc64nvme", "x-amz-checksum-crc64nvme", "rosUhgp5mIg=", "FULL_OBJECT", SR_STORAGE_OK,
         SR_STORAGE_SUM_CRC64NVME},
        {"crc64nvme", "x-amz-checksum-crc64nvme", "rosUhgp5mIk=", "FULL_OBJECT",
         SR_STORAGE_E_CORRUPT, 0},
        {"crc32c", "x-amz-checksum-crc32c", "4waSgw==", NULL, SR_STORAGE_OK, SR_STORAGE_SUM_CRC32C},
        {"crc32c", "x-amz-checksum-crc32c", "4waSgw==", "COMPOSITE", SR_STORAGE_OK, 0},
        {"crc32c", "x-amz-checksum-crc32c", "4waSgw==-3", NULL, SR_STORAGE_OK, 0},
        {"crc32c", "x-amz-checksum-crc32c", "4waS", NULL, SR_STORAGE_OK, 0},
        {"md5", "etag", "\"25f9e794323b453885f5181f1b624d0b\"", NULL, SR_STORAGE_OK,
         SR_STORAGE_SUM_MD5},
        {"md5", "etag", "\"25f9e794323b453885f5181f1b624d0b-2\"", NULL, SR_STORAGE_OK, 0},
        {"md5", "etag", "\"00000000000000000000000000000000\"", NULL, SR_STORAGE_OK, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig x;
        struct s3_sums ours;
        struct sc_response r = {.status = 200};
        struct sr_storage_saved saved = {.size = sizeof saved};
        ASSERT_OK(rig_open(&x, WITH("checksum", rows[i].sum)), x.err);
        sums_of(&x, "123456789", &ours);
        ASSERT_OK(sc_headers_add(&r.headers, rows[i].header, rows[i].value, &x.err), x.err);
        if (rows[i].type)
            ASSERT_OK(sc_headers_add(&r.headers, "x-amz-checksum-type", rows[i].type, &x.err),
                      x.err);
        CU_ASSERT_EQUAL(s3_sums_confirm(&r, &ours, s3_sum_kind(&x.s), &saved, &x.err),
                        rows[i].code);
        CU_ASSERT_EQUAL(saved.checksum_kind, rows[i].kind);
        CU_ASSERT_EQUAL((saved.confirmed & SR_STORAGE_CONFIRMED_CHECKSUM) != 0, rows[i].kind != 0);
        sc_headers_done(&r.headers);
        rig_done(&x);
    }
}

static const struct unit_test tests[] = {
    {"each wrong setting is named", each_wrong_setting_is_named},
    {"hosts by style and region", hosts_by_style_and_region},
    {"places", places},
    {"a region is adopted once", a_region_is_adopted_once},
    {"the host's words stand", the_hosts_words_stand},
    {"answers by table", answers_by_table},
    {"sums as text, and combined", sums_as_text_and_combined},
    {"what the store states", what_the_store_states},
    {0},
};

int main(void)
{
    return unit_main("s3", tests);
}
