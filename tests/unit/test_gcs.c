/* plugins/gcs without a network: settings, endpoints, sums, what answers and credentials files
 * mean, objects, pages. */
#include "common/digest.h"
#include "gcs/gcs.h"
#include "gcs/identity.h"
#include "gcs/page.h"
#include "tests/unit/cloud_host.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

struct rig {
    struct test_host h;
    struct gcs s;
    struct sc_error err;
    const char *settings[80];
};

/* As the host hands them over; the overrides (key, value, ..., NULL) come first and so win. */
static int32_t rig_open(struct rig *x, const char *const *overrides)
{
    static const char *const usual[] = {"bucket",
                                        "backups",
                                        "upload",
                                        "auto",
                                        "part_size",
                                        "8388608",
                                        "concurrency",
                                        "4",
                                        "max_parts",
                                        "10000",
                                        "custom_time",
                                        "0",
                                        "hold",
                                        "none",
                                        "object_lock_mode",
                                        "Unlocked",
                                        "object_lock_days",
                                        "0",
                                        "credentials",
                                        "auto",
                                        "no_metadata",
                                        "1",
                                        "service_account",
                                        "default",
                                        "verify_tls",
                                        "1",
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
    (void)snprintf(x->s.label, sizeof x->s.label, "gcs");
    int32_t rc = gcs_settings_read(&x->h.host, &x->s.set, &x->err);
    return rc == SR_STORAGE_OK ? gcs_auth_open(&x->s, &x->err) : rc;
}

static void rig_done(struct rig *x)
{
    gcs_auth_close(&x->s);
    gcs_settings_done(&x->s.set);
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
        {"bucket", "Upper", "bucket"},
        {"bucket", "line\nbreak", "control character"},
        {"endpoint_url", "ftp://host", "endpoint_url"},
        {"endpoint_url", "https://user@host/", "endpoint_url"},
        {"endpoint_url", "https://host/?x=y", "endpoint_url"},
        {"emulator_host", "host/?x", "emulator_host"},
        {"upload", "sideways", "upload"},
        {"part_size", "5242879", "part_size"},
        {"part_size", "5368709121", "part_size"},
        {"concurrency", "0", "concurrency"},
        {"concurrency", "65", "concurrency"},
        {"max_parts", "1", "max_parts"},
        {"customer_key", "c2hvcnQ=", "customer_key"},
        {"hold", "maybe", "hold"},
        {"object_lock_days", "-1", "object_lock_days"},
        {"user_project", "a\r\nx-evil: 1", "user_project"},
        {"verify_tls", "", "verify_tls"},
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
    CU_ASSERT_EQUAL(rig_open(&x, WITH("customer_key", key, "kms_key_name", "projects/p")),
                    SR_STORAGE_E_CONFIG);
    rig_done(&x);
    CU_ASSERT_EQUAL(rig_open(&x, WITH("hold", "event", "upload", "multipart")),
                    SR_STORAGE_E_CONFIG);
    rig_done(&x);
}

static void where_the_store_is(void)
{
    static const struct {
        const char *endpoint, *emulator, *scheme, *host, *base;
        unsigned port;
        int google, credentials;
    } rows[] = {
        {"", "", "https", "storage.googleapis.com", "", 0, 1, 1},
        {"https://storage-x.p.googleapis.com", "", "https", "storage-x.p.googleapis.com", "", 0, 1,
         1},
        {"https://gcs.example:4443/deep//", "", "https", "gcs.example", "/deep", 4443, 0, 1},
        {"https://evilgoogleapis.com", "", "https", "evilgoogleapis.com", "", 0, 0, 1},
        {"", "localhost:9000", "http", "localhost", "", 9000, 0, 0},
        {"", "http://emulator", "http", "emulator", "", 0, 0, 0},
        {"https://gcs.example", "localhost:9000", "https", "gcs.example", "", 0, 0, 1},
    };
    struct rig x;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ASSERT_OK(
            rig_open(&x, WITH("endpoint_url", rows[i].endpoint, "emulator_host", rows[i].emulator)),
            x.err);
        CU_ASSERT_STRING_EQUAL(x.s.scheme, rows[i].scheme);
        CU_ASSERT_STRING_EQUAL(x.s.host_name, rows[i].host);
        CU_ASSERT_STRING_EQUAL(x.s.base_path, rows[i].base);
        CU_ASSERT_EQUAL(x.s.port, rows[i].port);
        CU_ASSERT_EQUAL(x.s.google, rows[i].google);
        CU_ASSERT_EQUAL(x.s.creds != NULL, rows[i].credentials);
        rig_done(&x);
    }
    ASSERT_OK(rig_open(&x, WITH("credentials", "none")), x.err);
    CU_ASSERT_PTR_NULL(x.s.creds);
    rig_done(&x);
}

/* A slash in a name is part of one segment in JSON, and a slash in XML; a token never goes over
 * plain HTTP to another host. */
static void requests(void)
{
    struct rig x;
    struct gcs_call c;
    ASSERT_OK(rig_open(&x, WITH("user_project", "payer", "endpoint_url", "http://gcs.example")),
              x.err);
    ASSERT_OK(gcs_call_begin(&c, &x.s, "GET", GCS_API_OBJECT, "a/b c+.%", &x.err), x.err);
    CU_ASSERT_STRING_EQUAL(sc_buf_str(&c.call.request.path),
                           "/storage/v1/b/backups/o/a%2Fb%20c%2B.%25");
    CU_ASSERT_STRING_EQUAL(sc_headers_get(&c.call.request.headers, "x-goog-user-project"), "payer");
    gcs_call_end(&c);
    ASSERT_OK(gcs_call_begin(&c, &x.s, "PUT", GCS_API_XML, "a/b c", &x.err), x.err);
    CU_ASSERT_STRING_EQUAL(sc_buf_str(&c.call.request.path), "/backups/a/b%20c");
    gcs_call_end(&c);
    ASSERT_OK(gcs_call_begin(&c, &x.s, "POST", GCS_API_UPLOAD, "a/b", &x.err), x.err);
    CU_ASSERT_STRING_EQUAL(sc_buf_str(&c.call.request.path), "/upload/storage/v1/b/backups/o");
    CU_ASSERT_STRING_EQUAL(sc_buf_str(&c.call.request.query), "name=a%2Fb");
    gcs_call_end(&c);
    rig_done(&x);
    static const char key[] = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    ASSERT_OK(rig_open(&x, WITH("customer_key", key, "endpoint_url", "http://gcs.example",
                                "credentials", "none")),
              x.err);
    ASSERT_OK(gcs_call_begin(&c, &x.s, "GET", GCS_API_OBJECT, "k", &x.err), x.err);
    ASSERT_OK(gcs_call_customer_key(&c, &x.err), x.err);
    CU_ASSERT_STRING_EQUAL(sc_headers_get(&c.call.request.headers, "x-goog-encryption-key"), key);
    CU_ASSERT_EQUAL(gcs_call_run(&c, &x.err), SR_STORAGE_E_CONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(x.err.text, "use https://"));
    gcs_call_end(&c);
    rig_done(&x);
}

/* --- answers --------------------------------------------------------------------------------- */

static void answers_by_table(void)
{
    static const struct {
        int status;
        const char *body;
        enum sc_class cls;
        int32_t error;
    } rows[] = {
#define J(reason) "{\"error\":{\"message\":\"m\",\"errors\":[{\"reason\":\"" reason "\"}]}}"
#define X(code) "<?xml version='1.0'?><Error><Code>" code "</Code><Message>m</Message></Error>"
        {403, J("forbidden"), SC_FINAL, SR_STORAGE_E_DENIED},
        {403, J("rateLimitExceeded"), SC_THROTTLED, SR_STORAGE_E_THROTTLED},
        {403, J("userRateLimitExceeded"), SC_THROTTLED, SR_STORAGE_E_THROTTLED},
        {403, J("retentionPolicyNotMet"), SC_FINAL, SR_STORAGE_E_LOCKED},
        {403, J("objectUnderActiveHold"), SC_FINAL, SR_STORAGE_E_LOCKED},
        {403, J("quotaExceeded"), SC_FINAL, SR_STORAGE_E_THROTTLED},
        {404, J("notFound"), SC_FINAL, SR_STORAGE_E_NOT_FOUND},
        {404, "", SC_FEW, SR_STORAGE_E_UNAVAILABLE},
        {404, "<html>", SC_FEW, SR_STORAGE_E_UNAVAILABLE},
        {404, "{\"error\":{\"message\":\"no such route\"}}", SC_FEW, SR_STORAGE_E_UNAVAILABLE},
        {412, J("conditionNotMet"), SC_FINAL, SR_STORAGE_E_EXISTS},
        {429, J("rateLimitExceeded"), SC_THROTTLED, SR_STORAGE_E_THROTTLED},
        {429, "", SC_THROTTLED, SR_STORAGE_E_THROTTLED},
        {500, J("backendError"), SC_RETRY, SR_STORAGE_E_UNAVAILABLE},
        {503, "<html>", SC_RETRY, SR_STORAGE_E_UNAVAILABLE},
        {408, "", SC_RETRY, SR_STORAGE_E_UNAVAILABLE},
        {400, J("invalid"), SC_FINAL, SR_STORAGE_E_CONFIG},
        {400, J("userProjectMissing"), SC_FINAL, SR_STORAGE_E_CONFIG},
        {401, J("authError"), SC_FINAL, SR_STORAGE_E_DENIED},
        {307, "", SC_FINAL, SR_STORAGE_E_CONFIG},
        {403, X("AccessDenied"), SC_FINAL, SR_STORAGE_E_DENIED},
        {404, X("NoSuchUpload"), SC_FINAL, SR_STORAGE_E_NOT_FOUND},
        {400, X("BadDigest"), SC_FEW, SR_STORAGE_E_CORRUPT},
        {400, X("EntityTooSmall"), SC_FINAL, SR_STORAGE_E_CONFIG},
        {200, "{\"name\":\"k\"}", SC_DONE, SR_STORAGE_OK},
        {200, "", SC_RETRY, SR_STORAGE_E_UNAVAILABLE},
        {200, "{\"name\":", SC_RETRY, SR_STORAGE_E_UNAVAILABLE},
        {200, "<html>Welcome to the hotel</html>", SC_RETRY, SR_STORAGE_E_UNAVAILABLE},
        {200, J("backendError"), SC_RETRY, SR_STORAGE_E_UNAVAILABLE},
        {200, J("neverHeardOf"), SC_RETRY, SR_STORAGE_E_UNAVAILABLE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig x;
        struct gcs_call c;
        struct sc_verdict v;
        ASSERT_OK(rig_open(&x, NULL), x.err);
        ASSERT_OK(gcs_call_begin(&c, &x.s, "GET", GCS_API_OBJECT, "k", &x.err), x.err);
        struct sc_response *r = &c.call.response;
        r->status = rows[i].status;
        r->phase = SC_PHASE_DONE;
        r->body = (struct sc_buf)SC_BUF_INIT(4096);
        sc_buf_adds(&r->body, rows[i].body);
        c.wants_json = 1;
        sc_verdict_of_status(r->status, &v);
        gcs_answer_judge(&c.call, &v);
        CU_ASSERT_EQUAL(v.cls, rows[i].cls);
        CU_ASSERT_EQUAL(v.code, rows[i].error);
        if (v.cls != rows[i].cls || v.code != rows[i].error)
            (void)fprintf(stderr, "%d %s: class %d, code %d\n", rows[i].status, rows[i].body,
                          (int)v.cls, (int)v.code);
        gcs_call_end(&c);
        rig_done(&x);
    }
}

/* --- sums ------------------------------------------------------------------------------------ */

/* The check values of RFC 3720 B.4 and of the catalogue of CRCs. */
static void crc32c_as_published(void)
{
    unsigned char zeros[32] = {0}, ones[32], up[32], down[32];
    memset(ones, 0xff, sizeof ones);
    for (unsigned i = 0; i < 32; i++) {
        up[i] = (unsigned char)i;
        down[i] = (unsigned char)(31 - i);
    }
    const struct {
        const void *data;
        size_t len;
        uint32_t crc;
        const char *text;
    } rows[] = {{"", 0, 0, "AAAAAA=="},
                {"123456789", 9, 0xe3069283, "4waSgw=="},
                {zeros, 32, 0x8a9136aa, "ipE2qg=="},
                {ones, 32, 0x62a8ab43, "YqirQw=="},
                {up, 32, 0x46dd794e, "Rt15Tg=="},
                {down, 32, 0x113fdb5c, "ET/bXA=="}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[GCS_CRC_TEXT];
        uint32_t back = 1;
        CU_ASSERT_EQUAL(sc_crc32c(0, rows[i].data, rows[i].len), rows[i].crc);
        gcs_crc_text(rows[i].crc, text);
        CU_ASSERT_STRING_EQUAL(text, rows[i].text);
        CU_ASSERT_EQUAL(gcs_crc_parse(text, &back), 0);
        CU_ASSERT_EQUAL(back, rows[i].crc);
    }
    uint32_t back = 7;
    CU_ASSERT_EQUAL(gcs_crc_parse("4waS", &back), -1);
    CU_ASSERT_EQUAL(gcs_crc_parse("4waSgw", &back), -1);
    CU_ASSERT_EQUAL(gcs_crc_parse("", &back), -1);
    CU_ASSERT_EQUAL(gcs_crc_parse("4waSg4waSg4waSgw=", &back), -1);
    CU_ASSERT_EQUAL(back, 7);
}

static void sums_in_headers(void)
{
    static const struct {
        const char *one, *two;
        int rc;
    } rows[] = {{"crc32c=4waSgw==", NULL, 0},
                {"crc32c=4waSgw==,md5=JfnnlDI7RTiF9RgfG2JNCw==", NULL, 0},
                {"md5=JfnnlDI7RTiF9RgfG2JNCw==, crc32c=4waSgw==", NULL, 0},
                {"md5=JfnnlDI7RTiF9RgfG2JNCw==", "crc32c=4waSgw==", 0},
                {"md5=JfnnlDI7RTiF9RgfG2JNCw==", NULL, -1},
                {"crc32c=", NULL, -1},
                {"crc32c=nonsense", NULL, -1},
                {",,,", NULL, -1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sc_headers h = SC_HEADERS_INIT;
        struct sc_error err = SC_ERROR_INIT;
        uint32_t crc = 0;
        ASSERT_OK(sc_headers_add(&h, "X-Goog-Hash", rows[i].one, &err), err);
        if (rows[i].two)
            ASSERT_OK(sc_headers_add(&h, "x-goog-hash", rows[i].two, &err), err);
        CU_ASSERT_EQUAL(gcs_crc_stated(&h, &crc), rows[i].rc);
        CU_ASSERT_EQUAL(crc, rows[i].rc == 0 ? 0xe3069283 : 0);
        sc_headers_done(&h);
    }
}

/* --- objects and pages ----------------------------------------------------------------------- */

static json_t *json(const char *text)
{
    char *copy = strdup(text);
    for (char *c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    json_t *v = json_loads(copy, 0, NULL);
    if (!v)
        (void)fprintf(stderr, "no JSON: %s\n", copy);
    CU_ASSERT_PTR_NOT_NULL_FATAL(v);
    free(copy);
    return v;
}

static void objects(void)
{
    static const struct {
        const char *text;
        int32_t code;
        int64_t locked;
    } rows[] = {
        {"{'name':'k','size':'5','generation':'17'}", 0, 0},
        {"{'name':'k','size':5,'generation':17}", 0, 0},
        {"{'name':'k','size':'5','generation':'17','temporaryHold':true}", 0, INT64_MAX},
        {"{'name':'k','size':'5','generation':'17','eventBasedHold':true}", 0, INT64_MAX},
        {"{'name':'k','size':'5','generation':'17','temporaryHold':false}", 0, 0},
        {"{'name':'k','size':'5','generation':'17','retentionExpirationTime':"
         "'2026-11-21T10:00:00.123Z'}",
         0, 1795255200},
        {"{'name':'k','size':'5','generation':'17','retentionExpirationTime':'2026-11-21T10:00:00Z"
         "','retention':{'mode':'Locked','retainUntilTime':'2026-11-21T10:00:01Z'}}",
         0, 1795255201},
        {"{'name':'k','generation':'17'}", SR_STORAGE_E_CORRUPT, 0},
        {"{'name':'k','size':'-5','generation':'17'}", SR_STORAGE_E_CORRUPT, 0},
        {"{'name':'k','size':'5'}", SR_STORAGE_E_CORRUPT, 0},
        {"{'name':'k','size':'5','generation':'../x'}", SR_STORAGE_E_CORRUPT, 0},
        {"{'name':'','size':'5','generation':'17'}", SR_STORAGE_E_CORRUPT, 0},
        {"{'size':'5','generation':'17'}", SR_STORAGE_E_CORRUPT, 0},
        {"{'name':['k'],'size':'5','generation':'17'}", SR_STORAGE_E_CORRUPT, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct gcs_object o;
        struct sc_error err = SC_ERROR_INIT;
        json_t *v = json(rows[i].text);
        CU_ASSERT_EQUAL(gcs_object_read(v, &o, &err), rows[i].code);
        if (rows[i].code == SR_STORAGE_OK) {
            CU_ASSERT_EQUAL(o.size, 5);
            CU_ASSERT_STRING_EQUAL(o.generation, "17");
            CU_ASSERT_EQUAL(o.locked_until, rows[i].locked);
            CU_ASSERT_FALSE(o.has_crc32c);
        }
        json_decref(v);
    }
}

static int32_t count(void *ctx, const struct sr_storage_entry *e)
{
    struct sc_buf *seen = ctx;
    sc_buf_addf(seen, "%s%s ", e->key, e->flags & SR_STORAGE_ENTRY_OLD ? "(old)" : "");
    return strcmp(e->key, "stop") == 0;
}

static void pages(void)
{
#define O(name) "{'name':'" name "','size':'1','generation':'1'}"
#define OLD(name) \
    "{'name':'" name "','size':'1','generation':'1','timeDeleted':'2026-11-21T10:00:00Z'}"
    static const struct {
        const char *first, *second;
        int32_t code;
        const char *seen;
        uint64_t flags;
        const char *prefix, *after;
    } rows[] = {
        {"{}", NULL, 0, "", 0, "", ""},
        {"{'items':[" O("a") "," O("b") "]}", NULL, 0, "a b ", 0, "", ""},
        {"{'items':[" O("a") "],'nextPageToken':'t'}", "{'items':[" O("b") "]}", 0, "a b ", 0, "",
         ""},
        {"{'nextPageToken':'t'}", "{'items':[" O("b") "]}", 0, "b ", 0, "", ""},
        {"{'items':[" O("a") "],'nextPageToken':'t'}", "{'items':[" O("a") "]}",
         SR_STORAGE_E_CORRUPT, "a ", 0, "", ""},
        {"{'items':[" O("b") "," O("a") "]}", NULL, SR_STORAGE_E_CORRUPT, "b ", 0, "", ""},
        {"{'items':[" O("a") "],'nextPageToken':'t'}", "{'items':[" O("b") "],'nextPageToken':'t'}",
         SR_STORAGE_E_CORRUPT, "a b ", 0, "", ""},
        {"{'items':[" O("a") "],'nextPageToken':''}", NULL, SR_STORAGE_E_CORRUPT, "a ", 0, "", ""},
        {"{'items':[" O("a") "],'nextPageToken':7}", NULL, SR_STORAGE_E_CORRUPT, "", 0, "", ""},
        {"{'items':{}}", NULL, SR_STORAGE_E_CORRUPT, "", 0, "", ""},
        {"{'items':[17]}", NULL, SR_STORAGE_E_CORRUPT, "", 0, "", ""},
        {"{'items':[" O("p/a") "," O("q") "]}", NULL, 0, "p/a ", 0, "p/", ""},
        {"{'items':[" O("a") "," O("b") "]}", NULL, 0, "b ", 0, "", "a"},
        {"{'items':[" O("stop") "," O("x") "],'nextPageToken':'t'}", NULL, 0, "stop ", 0, "", ""},
        {"{'items':[" OLD("a") "," O("a") "]}", NULL, 0, "a(old) a ", SR_STORAGE_LIST_VERSIONS, "",
         ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sc_buf seen = SC_BUF_INIT(4096);
        const struct sr_storage_emitter emitter = {
            .size = sizeof emitter, .ctx = &seen, .emit = count};
        const struct sr_storage_list_options o = {.size = sizeof o,
                                                  .prefix = rows[i].prefix,
                                                  .start_after = rows[i].after,
                                                  .flags = rows[i].flags};
        struct gcs_listing l = {.o = &o, .emitter = &emitter, GCS_LISTING_BUFS};
        struct sc_error err = SC_ERROR_INIT;
        const char *texts[] = {rows[i].first, rows[i].second};
        int more = 1;
        int32_t rc = SR_STORAGE_OK;
        for (size_t k = 0; k < 2 && more && texts[k] && rc == SR_STORAGE_OK; k++) {
            json_t *v = json(texts[k]);
            rc = gcs_page_read(&l, v, &more, &err);
            json_decref(v);
        }
        CU_ASSERT_EQUAL(rc, rows[i].code);
        CU_ASSERT_STRING_EQUAL(sc_buf_str(&seen), rows[i].seen);
        gcs_listing_done(&l);
        sc_buf_done(&seen);
    }
}

static void empty_pages_end(void)
{
    const struct sr_storage_emitter emitter = {.size = sizeof emitter, .emit = count};
    const struct sr_storage_list_options o = {.size = sizeof o, .prefix = "", .start_after = ""};
    struct gcs_listing l = {.o = &o, .emitter = &emitter, GCS_LISTING_BUFS};
    struct sc_error err = SC_ERROR_INIT;
    int32_t rc = SR_STORAGE_OK;
    int more = 1, n = 0;
    for (; n < 5000 && rc == SR_STORAGE_OK; n++) {
        json_t *v = json_pack("{s:o}", "nextPageToken", json_sprintf("t%d", n));
        rc = gcs_page_read(&l, v, &more, &err);
        json_decref(v);
    }
    CU_ASSERT_EQUAL(rc, SR_STORAGE_E_CORRUPT);
    CU_ASSERT_EQUAL(n, 1001);
    gcs_listing_done(&l);
}

/* --- credentials files ----------------------------------------------------------------------- */

#define AZURE_TOKEN "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=r"
#define EXTERNAL \
    "'type':'external_account','audience':'a','subject_token_type':'t','token_url':'https://sts/'"

static void files(void)
{
    static const struct {
        const char *text;
        int32_t code;
        const char *says;
    } rows[] = {
        {"{'type':'service_account','client_email':'e','private_key':'k'}", 0, NULL},
        {"{'type':'service_account','client_email':'e','private_key':'hunter2',"
         "'token_uri':'http://169.254.169.254/'}",
         SR_STORAGE_E_CONFIG, "token_uri"},
        {"{'type':'service_account','client_email':'e','private_key':'k',"
         "'token_uri':'http://127.0.0.1:5/t'}",
         0, NULL},
        {"{'type':'service_account','client_email':'e','private_key':'k',"
         "'token_uri':'file:///etc/passwd'}",
         SR_STORAGE_E_CONFIG, "token_uri"},
        {"{'type':'service_account','client_email':'e','private_key':'k',"
         "'token_uri':'https://me:hunter2@host/'}",
         SR_STORAGE_E_CONFIG, "token_uri"},
        {"{'type':'service_account','private_key':'hunter2'}", SR_STORAGE_E_CONFIG, "client_email"},
        {"{'type':'service_account','client_email':'e'}", SR_STORAGE_E_CONFIG, "private_key"},
        {"{'type':'service_account','client_email':'e','private_key':'k','universe_domain':'x.y'}",
         SR_STORAGE_E_UNSUPPORTED, "universe_domain"},
        {"{'type':'authorized_user','client_id':'i','client_secret':'hunter2',"
         "'refresh_token':'r'}",
         0, NULL},
        {"{'type':'authorized_user','client_id':'i','client_secret':'hunter2'}",
         SR_STORAGE_E_CONFIG, "refresh_token"},
        {"{" EXTERNAL ",'credential_source':{'file':'/x'}}", 0, NULL},
        {"{" EXTERNAL ",'credential_source':{'url':'https://x/'}}", 0, NULL},
        {"{" EXTERNAL ",'credential_source':{'url':'http://169.254.169.254/x'}}",
         SR_STORAGE_E_CONFIG, "credential_source.url"},
        {"{" EXTERNAL ",'credential_source':{'url':'http://169.254.169.254/x','format':"
         "{'type':'json','subject_token_field_name':'v'}}}",
         SR_STORAGE_E_CONFIG, "credential_source.url"},
        {"{" EXTERNAL ",'credential_source':{'url':'http://169.254.169.254" AZURE_TOKEN "',"
         "'headers':{'Metadata':'True'}}}",
         0, NULL},
        {"{" EXTERNAL
         ",'credential_source':{'url':'http://169.254.169.254/latest/meta-data" AZURE_TOKEN "'}}",
         SR_STORAGE_E_CONFIG, "only Azure's"},
        {"{" EXTERNAL ",'credential_source':{'url':'https://169.254.169.254/latest'}}",
         SR_STORAGE_E_CONFIG, "only Azure's"},
        {"{" EXTERNAL ",'credential_source':{'url':'http://169.253.169.254" AZURE_TOKEN "'}}",
         SR_STORAGE_E_CONFIG, "neither over https"},
        {"{" EXTERNAL ",'credential_source':{'url':'http://169.254.169.254.evil.example" AZURE_TOKEN
         "'}}",
         SR_STORAGE_E_CONFIG, "neither over https"},
        {"{" EXTERNAL ",'credential_source':{'url':'http://me@169.254.169.254" AZURE_TOKEN "'}}",
         SR_STORAGE_E_CONFIG, "credential_source.url"},
        {"{" EXTERNAL ",'service_account_impersonation_url':'http://169.254.169.254" AZURE_TOKEN
         "','credential_source':{'file':'/x'}}",
         SR_STORAGE_E_CONFIG, "service_account_impersonation_url"},
        {"{'type':'service_account','client_email':'e','private_key':'k',"
         "'token_uri':'http://169.254.169.254" AZURE_TOKEN "'}",
         SR_STORAGE_E_CONFIG, "token_uri"},
        {"{" EXTERNAL ",'credential_source':{'file':'/x','url':'https://x/'}}", SR_STORAGE_E_CONFIG,
         "either file or url"},
        {"{" EXTERNAL ",'credential_source':{}}", SR_STORAGE_E_CONFIG, "either file or url"},
        {"{" EXTERNAL "}", SR_STORAGE_E_CONFIG, "either file or url"},
        {"{" EXTERNAL ",'credential_source':{'file':'/x','format':{'type':'json'}}}",
         SR_STORAGE_E_CONFIG, "subject_token_field_name"},
        {"{" EXTERNAL ",'credential_source':{'file':'/x','format':{'type':'xml'}}}",
         SR_STORAGE_E_UNSUPPORTED, "xml"},
        {"{" EXTERNAL ",'credential_source':{'environment_id':'aws1'}}", SR_STORAGE_E_UNSUPPORTED,
         "environment_id"},
        {"{" EXTERNAL ",'credential_source':{'executable':{'command':'/bin/sh'}}}",
         SR_STORAGE_E_UNSUPPORTED, "executable"},
        {"{" EXTERNAL ",'service_account_impersonation_url':'http://x/','credential_source':"
         "{'file':'/x'}}",
         SR_STORAGE_E_CONFIG, "service_account_impersonation_url"},
        {"{" EXTERNAL ",'service_account_impersonation':{'token_lifetime_seconds':1},"
         "'credential_source':{'file':'/x'}}",
         SR_STORAGE_E_CONFIG, "token_lifetime_seconds"},
        {"{'type':'impersonated_service_account','service_account_impersonation_url':'https://x/',"
         "'source_credentials':{}}",
         0, NULL},
        {"{'type':'impersonated_service_account','service_account_impersonation_url':'https://x/'}",
         SR_STORAGE_E_CONFIG, "source_credentials"},
        {"{'type':'gdch_service_account'}", SR_STORAGE_E_UNSUPPORTED, "gdch_service_account"},
        {"{'type':''}", SR_STORAGE_E_CONFIG, "type"},
        {"{'type':['x']}", SR_STORAGE_E_CONFIG, "type"},
        {"{}", SR_STORAGE_E_CONFIG, "type"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct gcs_file f;
        struct sc_error err = SC_ERROR_INIT;
        json_t *v = json(rows[i].text);
        CU_ASSERT_EQUAL(gcs_file_read(v, "F", &f, &err), rows[i].code);
        if (rows[i].says && !strstr(err.text, rows[i].says))
            (void)fprintf(stderr, "%s: %s\n", rows[i].text, err.text);
        CU_ASSERT(!rows[i].says || strstr(err.text, rows[i].says) != NULL);
        CU_ASSERT_PTR_NULL(strstr(err.text, "hunter2"));
        json_decref(v);
    }
}

static const struct unit_test tests[] = {
    {"each wrong setting is named", each_wrong_setting_is_named},
    {"where the store is", where_the_store_is},
    {"requests", requests},
    {"answers by table", answers_by_table},
    {"crc32c as published", crc32c_as_published},
    {"sums in headers", sums_in_headers},
    {"objects", objects},
    {"pages", pages},
    {"empty pages end", empty_pages_end},
    {"credentials files", files},
    {0},
};

int main(void)
{
    return unit_main("gcs", tests);
}
