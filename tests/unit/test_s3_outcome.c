/* What comes of a call of the s3 plugin when the store's answers are lost, late or odd: the plugin
 * itself against the scripted server. The host's randomness is zeros, so the mark of every upload
 * is known and no retry waits. */
#include "s3/s3.h"

#include "common/digest.h"
#include "tests/unit/cloud_host.h"
#include "tests/unit/scripted.h"

#define MARK "00000000000000000000000000000000"
#define PART (UINT64_C(5) << 20)
#define HEAD_OURS(length)                                     \
    "{'status':200,'length':" length ",'headers':{'ETag':'e'" \
    ",'x-amz-meta-strongroom-upload':'" MARK "'}}"

extern const struct sr_storage_plugin *sr_storage_plugin_entry(void);

struct rig {
    struct test_host host;
    struct scripted server;
    char endpoint[40];
    const char *settings[40];
    const struct sr_storage_plugin *plugin;
    void *handle;
};

/* The plugin's defaults, as a host hands them over. */
static int64_t setting(const struct sr_storage_host *host, const char *key, char *buf, uint64_t cap)
{
    int64_t n = test_setting(host, key, buf, cap);
    for (const struct sr_storage_setting *row = s3_setting_rows; n < 0 && row->key; row++)
        if (strcmp(row->key, key) == 0 && row->fallback) {
            const char *v = strcmp(row->fallback, "true") == 0    ? "1"
                            : strcmp(row->fallback, "false") == 0 ? "0"
                                                                  : row->fallback;
            n = snprintf(buf, cap, "%s", v);
        }
    return n;
}

/* more: name, value, ..., NULL; or NULL. */
static void rig_begin(struct rig *r, const char *rules, const char *const *more)
{
    memset(r, 0, sizeof *r);
    scripted_start(&r->server, NULL);
    scripted_rules(&r->server, rules);
    (void)snprintf(r->endpoint, sizeof r->endpoint, "http://127.0.0.1:%u", r->server.port);
    const char *const base[] = {"bucket",        "shop",    "endpoint_url",      r->endpoint,
                                "access_key_id", "AKIA",    "secret_access_key", "secret",
                                "credentials",   "keys",    "concurrency",       "1",
                                "part_size",     "5242880", "create_only",       "auto"};
    size_t n = 0;
    for (; more && *more; more++)
        r->settings[n++] = *more;
    for (size_t i = 0; i < sizeof base / sizeof *base; i++)
        r->settings[n++] = base[i];
    test_host_init(&r->host);
    r->host.random = 0;
    r->host.settings = r->settings;
    r->host.host.setting = setting;
    r->plugin = sr_storage_plugin_entry();
    const struct sr_storage_open_options o = {.size = sizeof o, .store = "s3"};
    CU_ASSERT_EQUAL_FATAL(r->plugin->load(&r->host.host), SR_STORAGE_OK);
    CU_ASSERT_EQUAL_FATAL(r->plugin->open(&r->host.host, &o, &r->handle), SR_STORAGE_OK);
}

static void rig_end(struct rig *r)
{
    r->plugin->close(r->handle);
    test_host_done(&r->host);
    scripted_stop(&r->server);
}

/* How many requests had that method and that in their target. */
static int sent(struct rig *r, const char *method, const char *what)
{
    json_t *all = scripted_requests(&r->server);
    int n = 0;
    for (size_t i = 0; i < json_array_size(json_object_get(all, "requests")); i++)
        n += strcmp(scripted_field(all, i, "method"), method) == 0 &&
             strstr(scripted_field(all, i, "target"), what) != NULL;
    json_decref(all);
    return n;
}

/* That header of the last such request; "" when it has none, "-" when there is no such request. */
static const char *header_of(struct rig *r, const char *method, const char *what, const char *name)
{
    static char value[256];
    json_t *all = scripted_requests(&r->server);
    (void)snprintf(value, sizeof value, "-");
    for (size_t i = 0; i < json_array_size(json_object_get(all, "requests")); i++)
        if (strcmp(scripted_field(all, i, "method"), method) == 0 &&
            strstr(scripted_field(all, i, "target"), what)) {
            const char *v = scripted_header(all, i, name);
            (void)snprintf(value, sizeof value, "%s", v ? v : "");
        }
    json_decref(all);
    return value;
}

struct source {
    uint64_t left;
    int never; /* neither bytes nor an end */
};

static int64_t source_read(void *ctx, void *buf, uint64_t cap, int32_t timeout_ms)
{
    struct source *s = ctx;
    if (s->never) {
        (void)usleep((useconds_t)(timeout_ms > 20 ? 20 : timeout_ms) * 1000);
        return SR_STORAGE_READ_AGAIN;
    }
    uint64_t n = s->left < cap ? s->left : cap;
    memset(buf, 'x', n);
    s->left -= n;
    return (int64_t)n;
}

static struct sr_storage_saved saved; /* by the last save */

static int32_t save(struct rig *r, struct source source, uint64_t flags, int64_t until)
{
    saved = (struct sr_storage_saved){.size = sizeof saved};
    const struct sr_storage_object o = {
        .size = sizeof o, .key = "k", .size_hint = SR_STORAGE_SIZE_UNKNOWN};
    const struct sr_storage_reader reader = {
        .size = sizeof reader, .ctx = &source, .read = source_read};
    const struct sr_storage_save_options options = {
        .size = sizeof options, .flags = flags, .retain_until = until};
    return r->plugin->save(r->handle, &o, &reader, &options, &saved);
}

static int32_t save_small(struct rig *r, uint64_t flags)
{
    return save(r, (struct source){.left = 4}, flags, 0);
}

static int32_t take(void *ctx, const void *data, uint64_t len)
{
    (void)data;
    *(uint64_t *)ctx += len;
    return 0;
}

/* --- saving ---------------------------------------------------------------------------------- */

static void denied_after_a_lost_answer(void)
{
    struct rig r;
    rig_begin(&r,
              "[{'match':'PUT','times':1,'at':'request','end':'close'},"
              "{'match':'PUT','reply':{'status':403}},"
              "{'match':'HEAD','reply':" HEAD_OURS("4") "}]",
              NULL);
    CU_ASSERT_EQUAL(save_small(&r, SR_STORAGE_SAVE_REPLACE), SR_STORAGE_OK);
    rig_end(&r);
}

static void answers_that_confirm_nothing(void)
{
    struct rig r;
    rig_begin(&r,
              "[{'match':'PUT','reply':{'status':200}},"
              "{'match':'HEAD','reply':" HEAD_OURS("4") "}]",
              NULL);
    CU_ASSERT_EQUAL(save_small(&r, SR_STORAGE_SAVE_REPLACE), SR_STORAGE_OK);
    rig_end(&r);
}

/* Refused for what the store cannot do at all: nothing is in doubt, and no look is spent on it. */
static void not_implemented(void)
{
    struct rig r;
    rig_begin(&r,
              "[{'match':'PUT','reply':{'status':501}},"
              "{'match':'HEAD','reply':{'status':403}}]",
              NULL);
    CU_ASSERT_EQUAL(save_small(&r, SR_STORAGE_SAVE_REPLACE), SR_STORAGE_E_UNSUPPORTED);
    CU_ASSERT_EQUAL(sent(&r, "HEAD", "/k"), 0);
    rig_end(&r);
}

static void damaged_in_the_store(void)
{
    static const char *const crc[] = {"checksum", "crc32c", NULL};
    struct rig r;
    rig_begin(&r,
              "[{'match':'PUT','reply':{'status':200,'headers':{'ETag':'e',"
              "'x-amz-checksum-crc32c':'AAAAAA=='}}},"
              "{'match':'DELETE','reply':{'status':204}}]",
              crc);
    CU_ASSERT_EQUAL(save_small(&r, SR_STORAGE_SAVE_REPLACE), SR_STORAGE_E_CORRUPT);
    CU_ASSERT_EQUAL(sent(&r, "DELETE", "/k"), 1);
    rig_end(&r);
}

/* Somebody else was faster while the source took its time. */
static void looks_again(void)
{
    static const char *const look[] = {"create_only", "look", NULL};
    struct rig r;
    rig_begin(&r,
              "[{'match':'HEAD','times':1,'reply':{'status':404}},"
              "{'match':'HEAD','reply':{'status':200,'length':9}},"
              "{'match':'PUT','reply':{'status':200,'headers':{'ETag':'e'}}}]",
              look);
    CU_ASSERT_EQUAL(save_small(&r, 0), SR_STORAGE_E_EXISTS);
    CU_ASSERT_EQUAL(sent(&r, "PUT", "/k"), 0);
    rig_end(&r);
}

#define PARTS                                                                                \
    "{'match':'POST uploads=','reply':{'status':200,'body':'<InitiateMultipartUploadResult>" \
    "<UploadId>u</UploadId></InitiateMultipartUploadResult>'}},"                             \
    "{'match':'PUT partNumber','reply':{'status':200,'headers':{'ETag':'e'}}},"              \
    "{'match':'DELETE uploadId','reply':{'status':204}},"                                    \
    "{'match':'GET uploadId','reply':{'status':404}},"

/* The store puts the parts together while we have long given up waiting for its answer. */
static void completed_late(void)
{
    struct rig r;
    rig_begin(&r,
              "[" PARTS "{'match':'POST uploadId','at':'request','end':'close'},"
              "{'match':'HEAD','times':1,'reply':{'status':404}},"
              "{'match':'HEAD','reply':" HEAD_OURS("5242884") "}]",
              NULL);
    CU_ASSERT_EQUAL(save(&r, (struct source){.left = PART + 4}, SR_STORAGE_SAVE_REPLACE, 0),
                    SR_STORAGE_OK);
    CU_ASSERT_EQUAL(sent(&r, "DELETE", "uploadId=u"), 1);
    rig_end(&r);
}

/* A store that may pass If-None-Match over in silence is looked at before the parts become one. */
static void looks_before_completing(void)
{
    struct rig r;
    rig_begin(&r,
              "[" PARTS "{'match':'HEAD','times':1,'reply':{'status':404}},"
              "{'match':'HEAD','reply':{'status':200,'length':9}}]",
              NULL);
    CU_ASSERT_EQUAL(save(&r, (struct source){.left = PART + 4}, 0, 0), SR_STORAGE_E_EXISTS);
    CU_ASSERT_EQUAL(sent(&r, "POST", "uploadId="), 0);
    CU_ASSERT_EQUAL(sent(&r, "DELETE", "uploadId=u"), 1);
    rig_end(&r);
}

#define COMPLETE(inner)                                                             \
    "{'match':'POST uploadId','reply':{'headers':{'x-amz-version-id':'v7'},'body':" \
    "'<CompleteMultipartUploadResult><ETag>e</ETag>" inner "</CompleteMultipartUploadResult>'}}"

/* What the answer tells of the object is confirmed, or tells that it is another. */
static void completion_tells(void)
{
    static const char *const crc[] = {"checksum", "crc32c", NULL};
    struct rig r;
    uint8_t *whole = malloc(PART + 4), be[4];
    char rules[2048], text[16];
    memset(whole, 'x', PART + 4);
    sc_put_be(be, 4, sc_crc32c(0, whole, PART + 4));
    free(whole);
    struct sc_buf b = SC_BUF_INIT(16);
    sc_base64_encode(&b, be, 4);
    (void)snprintf(text, sizeof text, "%s", sc_buf_str(&b));
    sc_buf_done(&b);
    for (int wrong = 0; wrong < 2; wrong++) {
        (void)snprintf(
            rules, sizeof rules,
            "[" PARTS COMPLETE(
                "<ChecksumCRC32C>%s</ChecksumCRC32C>"
                "<ChecksumType>FULL_OBJECT</ChecksumType>") ","
                                                            "{'match':'HEAD','reply':" HEAD_OURS(
                                                                "5242884") "},"
                                                                           "{'match':'DELETE','"
                                                                           "reply':{'status':204}}"
                                                                           "]",
            wrong ? "AAAAAA==" : text);
        rig_begin(&r, rules, crc);
        CU_ASSERT_EQUAL(save(&r, (struct source){.left = PART + 4}, SR_STORAGE_SAVE_REPLACE, 0),
                        wrong ? SR_STORAGE_E_CORRUPT : SR_STORAGE_OK);
        CU_ASSERT_EQUAL(sent(&r, "DELETE", "versionId=v7"), wrong);
        if (!wrong) {
            CU_ASSERT_EQUAL(saved.confirmed, SR_STORAGE_CONFIRMED_SIZE |
                                                 SR_STORAGE_CONFIRMED_CHECKSUM |
                                                 SR_STORAGE_CONFIRMED_VERSION);
            CU_ASSERT_STRING_EQUAL(saved.version, "v7");
            CU_ASSERT_STRING_EQUAL(header_of(&r, "HEAD", "/k", "x-amz-checksum-mode"), "ENABLED");
            CU_ASSERT_EQUAL(memcmp(saved.checksum, be, 4), 0);
            CU_ASSERT_STRING_EQUAL(header_of(&r, "POST", "uploadId", "x-amz-mp-object-size"),
                                   "5242884");
        }
        CU_ASSERT_STRING_EQUAL(header_of(&r, "POST", "uploadId", "content-md5"), "");
        rig_end(&r);
    }
    /* A store that may know none of the modern headers gets none. */
    rig_begin(&r, "[" PARTS COMPLETE("") ",{'match':'HEAD','reply':" HEAD_OURS("5242884") "}]",
              NULL);
    CU_ASSERT_EQUAL(save(&r, (struct source){.left = PART + 4}, SR_STORAGE_SAVE_REPLACE, 0),
                    SR_STORAGE_OK);
    CU_ASSERT_STRING_EQUAL(header_of(&r, "POST", "uploadId", "x-amz-mp-object-size"), "");
    CU_ASSERT_STRING_EQUAL(header_of(&r, "HEAD", "/k", "x-amz-checksum-mode"), "");
    rig_end(&r);
}

/* Weak ETags, which proxies make of the store's own. */
static void weak_etags(void)
{
    struct rig r;
    uint64_t got = 0;
    rig_begin(
        &r,
        "[{'match':'POST uploads=','reply':{'status':200,'body':"
        "'<InitiateMultipartUploadResult><UploadId>u</UploadId>"
        "</InitiateMultipartUploadResult>'}},"
        "{'match':'PUT partNumber','reply':{'status':200,'headers':{'ETag':'W/\\'abc\\''}}},"
        "{'match':'HEAD','reply':" HEAD_OURS("5242884") "}," COMPLETE(
            "") ","
                "{'match':'GET','times':1,'at':'reply-body','after':5,'end':'close',"
                "'reply':{'status':200,'headers':{'ETag':'W/\\'abc\\''},'body':'0123456789'}},"
                "{'match':'GET','reply':{'status':206,'headers':{'ETag':'W/\\'abc\\'',"
                "'Content-Range':'bytes 5-9/10'},'body':'56789'}}]",
        NULL);
    CU_ASSERT_EQUAL(save(&r, (struct source){.left = PART + 4}, SR_STORAGE_SAVE_REPLACE, 0),
                    SR_STORAGE_OK);
    json_t *all = scripted_requests(&r.server);
    int named = 0;
    for (size_t i = 0; i < json_array_size(json_object_get(all, "requests")); i++) {
        const char *body = scripted_field(all, i, "body");
        named += body && strstr(body, "<ETag>\"abc\"</ETag>") != NULL;
    }
    json_decref(all);
    CU_ASSERT_EQUAL(named, 1);
    const struct sr_storage_fetch_options o = {
        .size = sizeof o, .key = "k", .length = SR_STORAGE_SIZE_UNKNOWN};
    const struct sr_storage_writer w = {.size = sizeof w, .ctx = &got, .write = take};
    CU_ASSERT_EQUAL(r.plugin->fetch(r.handle, &o, &w), SR_STORAGE_OK);
    CU_ASSERT_EQUAL(got, 10);
    CU_ASSERT_STRING_EQUAL(header_of(&r, "GET", "/k", "if-match"), "\"abc\"");
    rig_end(&r);
}

/* A store that refuses If-None-Match in words of its own; that it was the condition is known only
 * when the same goes through without. */
static void conditions_refused(void)
{
    static const struct {
        const char *status, *code;
    } rows[] = {{"501", "NotImplemented"},
                {"400", "InvalidArgument"},
                {"400", "InvalidRequest"},
                {"405", "MethodNotAllowed"}};
    char rules[1024];
    struct rig r;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int always = 0; always < 2; always++) {
            (void)snprintf(rules, sizeof rules,
                           "[{'match':'PUT',%s'reply':{'status':%s,'body':"
                           "'<Error><Code>%s</Code></Error>'}},"
                           "{'match':'PUT','reply':{'status':200,'headers':{'ETag':'e'}}},"
                           "{'match':'HEAD','reply':{'status':404}}]",
                           always ? "" : "'header':{'if-none-match':'.'},", rows[i].status,
                           rows[i].code);
            rig_begin(&r, rules, NULL);
            int32_t rc = save_small(&r, 0);
            CU_ASSERT((rc == SR_STORAGE_OK) == !always);
            CU_ASSERT_EQUAL(sent(&r, "PUT", "/k"), 2);
            CU_ASSERT_EQUAL(strstr(sc_buf_str(&r.host.log), "knows no If-None-Match") != NULL,
                            !always);
            /* Only what has been shown is remembered. */
            (void)save_small(&r, 0);
            CU_ASSERT_EQUAL(sent(&r, "PUT", "/k"), always ? 4 : 3);
            rig_end(&r);
        }
    /* Who demands the condition gets it, or the store's own words. */
    static const char *const demanded[] = {"create_only", "condition", NULL};
    rig_begin(&r,
              "[{'match':'PUT','reply':{'status':400,'body':'<Error><Code>InvalidArgument</Code>"
              "<Message>mind your tags</Message></Error>'}},"
              "{'match':'HEAD','reply':{'status':404}}]",
              demanded);
    CU_ASSERT_EQUAL(save_small(&r, 0), SR_STORAGE_E_CONFIG);
    CU_ASSERT_EQUAL(sent(&r, "PUT", "/k"), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(r.host.text, "mind your tags"));
    rig_end(&r);
}

/* Object lock wants a digest of each body, whatever else is not wanted. */
static void locked_without_checksums(void)
{
    static const char *const none[] = {"checksum", "none", NULL};
    struct rig r;
    rig_begin(&r,
              "[{'match':'GET object-lock','reply':{'body':'<ObjectLockConfiguration>"
              "<ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>'}},"
              "{'match':'PUT','reply':{'status':200,'headers':{'ETag':'e'}}}]",
              none);
    CU_ASSERT_EQUAL(save(&r, (struct source){.left = 4}, SR_STORAGE_SAVE_REPLACE, 4102444800),
                    SR_STORAGE_OK);
    CU_ASSERT_STRING_EQUAL(header_of(&r, "PUT", "/k", "content-md5"), "6kFu0HWdRqjeWPY6WQd0mQ==");
    CU_ASSERT_EQUAL(save_small(&r, SR_STORAGE_SAVE_REPLACE), SR_STORAGE_OK);
    CU_ASSERT_STRING_EQUAL(header_of(&r, "PUT", "/k", "content-md5"), "");
    rig_end(&r);
}

/* Fewer parts at once when the store asks for it; more again when it has stopped asking. */
static void fewer_at_once_and_more_again(void)
{
    static const char *const two[] = {"concurrency", "2", NULL};
    struct rig r;
    rig_begin(
        &r,
        "[{'match':'PUT partNumber=1&','times':1,'reply':{'status':503,'headers':"
        "{'Retry-After':'0'},'body':'<Error><Code>SlowDown</Code></Error>'}}," PARTS
        "{'match':'HEAD','reply':" HEAD_OURS(
            "36700164") "},"
                        "{'match':'POST uploadId','reply':{'body':'<CompleteMultipartUploadResult>"
                        "<ETag>e</ETag></CompleteMultipartUploadResult>'}}]",
        two);
    CU_ASSERT_EQUAL(save(&r, (struct source){.left = 7 * PART + 4}, SR_STORAGE_SAVE_REPLACE, 0),
                    SR_STORAGE_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(sc_buf_str(&r.host.log), "; 1 parts at once from now on"));
    CU_ASSERT_PTR_NOT_NULL(strstr(sc_buf_str(&r.host.log), "2 parts at once again"));
    rig_end(&r);
}

static void deadline_while_the_source_stalls(void)
{
    struct rig r;
    rig_begin(&r, "[]", NULL);
    r.host.deadline = test_monotonic(NULL) + UINT64_C(300000000);
    uint64_t began = test_ms();
    struct source forever = {.never = 1};
    /* Without a deadline of its own the test would never end. */
    (void)alarm(50);
    CU_ASSERT_EQUAL(save(&r, forever, SR_STORAGE_SAVE_REPLACE, 0), SR_STORAGE_E_TIMEOUT);
    (void)alarm(0);
    CU_ASSERT(test_ms() - began < 30000);
    rig_end(&r);
}

/* A server that goes silent, at each step of a save: the host's deadline ends it, nothing that was
 * begun is left, and what cannot be known is called in doubt. */
static void stalls(void)
{
    static const struct {
        const char *match, *at; /* the rule: which request, and how far it comes */
        int parts;              /* in parts, or one PUT */
        int32_t code;
        int aborted; /* the upload is ended all the same */
    } rows[] = {
        {"HEAD", "head", 0, SR_STORAGE_E_TIMEOUT, 0},
        {"PUT", "head", 0, SR_STORAGE_E_TIMEOUT, 0},
        {"PUT", "body", 0, SR_STORAGE_E_TIMEOUT, 0},
        {"PUT", "request", 0, SR_STORAGE_E_TIMEOUT, 0},
        {"PUT", "reply-head", 0, SR_STORAGE_E_TIMEOUT, 0},
        {"POST uploads=", "head", 1, SR_STORAGE_E_TIMEOUT, 0},
        {"POST uploads=", "request", 1, SR_STORAGE_E_TIMEOUT, 0},
        {"POST uploads=", "reply-body", 1, SR_STORAGE_E_TIMEOUT, 0},
        {"PUT partNumber=1", "head", 1, SR_STORAGE_E_TIMEOUT, 1},
        {"PUT partNumber=1", "body", 1, SR_STORAGE_E_TIMEOUT, 1},
        {"PUT partNumber=2", "request", 1, SR_STORAGE_E_TIMEOUT, 1},
        {"PUT partNumber=2", "reply-head", 1, SR_STORAGE_E_TIMEOUT, 1},
        {"POST uploadId", "head", 1, SR_STORAGE_E_TIMEOUT, 1},
        {"POST uploadId", "request", 1, SR_STORAGE_E_TIMEOUT, 1},
        {"POST uploadId", "reply-body", 1, SR_STORAGE_E_TIMEOUT, 1},
    };
    char rules[2048];
    struct rig r;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        (void)snprintf(
            rules, sizeof rules,
            "[{'match':'%s','times':1,'at':'%s','after':5,'end':'stall',"
            "'reply':{'status':200,'body':'<Initiate'}}," PARTS
            "{'match':'PUT','reply':{'status':200,'headers':{'ETag':'e'}}},"
            "{'match':'GET uploads=','reply':{'body':'<ListMultipartUploadsResult><IsTruncated>"
            "false</IsTruncated></ListMultipartUploadsResult>'}},"
            "{'match':'HEAD','reply':{'status':404}}," COMPLETE("") "]",
            rows[i].match, rows[i].at);
        rig_begin(&r, rules, NULL);
        r.host.deadline = test_monotonic(NULL) + UINT64_C(700000000);
        uint64_t began = test_ms();
        (void)alarm(50);
        int32_t rc = save(&r, (struct source){.left = rows[i].parts ? PART + 4 : 4}, 0, 0);
        (void)alarm(0);
        CU_ASSERT_EQUAL(rc, rows[i].code);
        CU_ASSERT_EQUAL(sent(&r, "DELETE", "uploadId=u") > 0, rows[i].aborted);
        CU_ASSERT(test_ms() - began < 40000);
        if (rc != rows[i].code || (sent(&r, "DELETE", "uploadId=u") > 0) != rows[i].aborted)
            (void)fprintf(stderr, "%s at %s: %d %s\n", rows[i].match, rows[i].at, (int)rc,
                          r.host.text);
        rig_end(&r);
    }
}

static void locks_that_cannot_be_asked_for(void)
{
    struct rig r;
    rig_begin(&r, "[{'match':'GET object-lock','reply':{'status':500}}]", NULL);
    CU_ASSERT_EQUAL(save(&r, (struct source){.left = 4}, SR_STORAGE_SAVE_REPLACE, 4102444800),
                    SR_STORAGE_E_UNAVAILABLE);
    CU_ASSERT_PTR_NULL(strstr(r.host.text, "was made without"));
    rig_end(&r);
}

/* As Swift does, which knows no locks and would take the headers without a word. */
static void locks_unheard_of(void)
{
    struct rig r;
    rig_begin(&r,
              "[{'match':'GET object-lock','reply':{'status':200,'body':'<ListBucketResult>"
              "<Name>b</Name><IsTruncated>false</IsTruncated></ListBucketResult>'}}]",
              NULL);
    CU_ASSERT_EQUAL(save(&r, (struct source){.left = 4}, SR_STORAGE_SAVE_REPLACE, 4102444800),
                    SR_STORAGE_E_UNSUPPORTED);
    CU_ASSERT_PTR_NOT_NULL(strstr(r.host.text, "was made without"));
    CU_ASSERT_EQUAL(sent(&r, "PUT", ""), 0);
    rig_end(&r);
}

/* --- fetching and deleting ------------------------------------------------------------------- */

static void nothing_where_more_was_announced(void)
{
    struct rig r;
    uint64_t got = 0;
    rig_begin(&r,
              "[{'match':'GET','times':1,'at':'reply-body','after':5,'end':'close',"
              "'reply':{'status':200,'body':'0123456789'}},"
              "{'match':'GET','reply':{'status':416}}]",
              NULL);
    const struct sr_storage_fetch_options o = {
        .size = sizeof o, .key = "k", .length = SR_STORAGE_SIZE_UNKNOWN};
    const struct sr_storage_writer w = {.size = sizeof w, .ctx = &got, .write = take};
    CU_ASSERT_EQUAL(r.plugin->fetch(r.handle, &o, &w), SR_STORAGE_E_CHANGED);
    CU_ASSERT_EQUAL(got, 5);
    rig_end(&r);
}

/* A server that sends everything each time, and breaks off before what is still missing. */
static void broken_off_at_the_same_byte(void)
{
    struct rig r;
    uint64_t got = 0;
    rig_begin(&r,
              "[{'match':'GET','at':'reply-body','after':5,'end':'close',"
              "'reply':{'status':200,'body':'0123456789'}}]",
              NULL);
    const struct sr_storage_fetch_options o = {
        .size = sizeof o, .key = "k", .length = SR_STORAGE_SIZE_UNKNOWN};
    const struct sr_storage_writer w = {.size = sizeof w, .ctx = &got, .write = take};
    (void)alarm(60);
    CU_ASSERT_EQUAL(r.plugin->fetch(r.handle, &o, &w), SR_STORAGE_E_UNAVAILABLE);
    (void)alarm(0);
    CU_ASSERT_EQUAL(got, 5);
    CU_ASSERT_EQUAL(sent(&r, "GET", "/k"), 9); /* one that came on, and eight that did not */
    CU_ASSERT_PTR_NOT_NULL(strstr(r.host.text, "nothing past byte 5"));
    rig_end(&r);
}

/* --- listing and sweeping -------------------------------------------------------------------- */

static int32_t gather(void *ctx, const struct sr_storage_entry *e)
{
    char *keys = ctx;
    size_t used = strlen(keys);
    (void)snprintf(keys + used, 256 - used, "%s ", e->key);
    return 0;
}

static int32_t listed(struct rig *r, const char *rules, char keys[256])
{
    const struct sr_storage_list_options o = {.size = sizeof o, .prefix = "", .start_after = ""};
    const struct sr_storage_emitter emitter = {.size = sizeof emitter, .ctx = keys, .emit = gather};
    keys[0] = '\0';
    rig_begin(r, rules, NULL);
    int32_t rc = r->plugin->list(r->handle, &o, &emitter);
    rig_end(r);
    return rc;
}

#define PAGE(times, token, entries)                                                  \
    "{'match':'GET list-type','times':" times ",'reply':{'body':'<ListBucketResult>" \
    "<IsTruncated>true</IsTruncated><NextContinuationToken>" token                   \
    "</NextContinuationToken>" entries "</ListBucketResult>'}},"
#define LAST(entries)                                              \
    "{'match':'GET list-type','reply':{'body':'<ListBucketResult>" \
    "<IsTruncated>false</IsTruncated>" entries "</ListBucketResult>'}}"
#define ENTRY(key) "<Contents><Key>" key "</Key><Size>1</Size></Contents>"

/* Only Amazon promises an order. */
static void pages_in_any_order(void)
{
    struct rig r;
    char keys[256];
    CU_ASSERT_EQUAL(listed(&r,
                           "[" PAGE("1", "t1", ENTRY("c") ENTRY("d")) PAGE("1", "t2", "")
                               PAGE("1", "t3", ENTRY("e") ENTRY("a")) LAST(ENTRY("b")) "]",
                           keys),
                    SR_STORAGE_OK);
    CU_ASSERT_STRING_EQUAL(keys, "c d e a b ");
}

/* They end all the same, when every page names another as the next. */
static void pages_that_come_again(void)
{
    struct rig r;
    char keys[256];
    CU_ASSERT_EQUAL(listed(&r,
                           "[" PAGE("1", "t1", ENTRY("c") ENTRY("d") ENTRY("e"))
                               PAGE("1", "t2", ENTRY("c") ENTRY("d") ENTRY("e")) LAST("") "]",
                           keys),
                    SR_STORAGE_E_CORRUPT);
    CU_ASSERT_EQUAL(listed(&r,
                           "[" PAGE("1", "t1", ENTRY("p")) PAGE("1", "t2", ENTRY("c") ENTRY("d"))
                               PAGE("1", "t3", ENTRY("a")) PAGE("1", "t4", ENTRY("c") ENTRY("d"))
                                   PAGE("1", "t5", ENTRY("a")) PAGE(
                                       "1", "t6", ENTRY("c") ENTRY("d")) PAGE("1", "t7", ENTRY("a"))
                                       PAGE("1", "t8", ENTRY("c") ENTRY("d")) LAST("") "]",
                           keys),
                    SR_STORAGE_E_CORRUPT);
}

#define UPLOAD(key, id)                                     \
    "<Upload><Key>" key "</Key><UploadId>" id "</UploadId>" \
    "<Initiated>2026-01-01T00:00:00.000Z</Initiated></Upload>"
#define PARTS_OF(id, last, more)                                                      \
    "{'match':'GET " id "','reply':{'body':'<ListPartsResult><IsTruncated>" more      \
    "</IsTruncated><NextPartNumberMarker>1</NextPartNumberMarker><Part><PartNumber>1" \
    "</PartNumber><LastModified>" last "</LastModified></Part></ListPartsResult>'}}"

/* An upload is as old as its last part; one that cannot be ended does not keep the others. */
static void sweeping(void)
{
    struct rig r;
    char keys[256] = "";
    rig_begin(
        &r,
        "[{'match':'GET uploads=','reply':{'body':'<ListMultipartUploadsResult>"
        "<IsTruncated>false</IsTruncated>" UPLOAD("live", "u1") UPLOAD("kept", "u2") UPLOAD(
            "page", "u4") UPLOAD("hidden", "u5")
            UPLOAD("dead", "u3") "</ListMultipartUploadsResult>'}}," PARTS_OF(
                "u1", "2026-01-02T23:30:00.000Z",
                "false") "," PARTS_OF("uploadId=u2", "2026-01-01T00:30:00.000Z",
                                      "false") ","
                                               "{'match':'GET "
                                               "uploadId=u5','reply':{'status':403}}," PARTS_OF(
                                                   "part-number-marker.*uploadId=u4",
                                                   "2026-01-02T23:30:00.000Z",
                                                   "false") "," PARTS_OF("uploadId=u4",
                                                                         "2026-01-01T00:30:00.000Z",
                                                                         "true") ","
                                                                                 "{'match':'GET "
                                                                                 "uploadId=u3','"
                                                                                 "times':1,'reply':"
                                                                                 "{'body':'<"
                                                                                 "ListPartsResult>"
                                                                                 "<IsTruncated>"
                                                                                 "false</"
                                                                                 "IsTruncated></"
                                                                                 "ListPartsResult>'"
                                                                                 "}},"
                                                                                 "{'match':'GET "
                                                                                 "uploadId=u3','"
                                                                                 "reply':{'status':"
                                                                                 "404}},"
                                                                                 "{'match':'DELETE "
                                                                                 "uploadId=u2','"
                                                                                 "reply':{'status':"
                                                                                 "403,'body':"
                                                                                 "'<Error><Code>"
                                                                                 "AccessDenied</"
                                                                                 "Code></Error>'}},"
                                                                                 "{'match':'DELETE "
                                                                                 "uploadId=u3','"
                                                                                 "reply':{'status':"
                                                                                 "204}}]",
        NULL);
    r.host.wall = 1767398400; /* 2026-01-03T00:00:00Z */
    const struct sr_storage_sweep_options o = {.size = sizeof o, .prefix = "", .older_than = 86400};
    const struct sr_storage_emitter emitter = {.size = sizeof emitter, .ctx = keys, .emit = gather};
    CU_ASSERT_EQUAL(r.plugin->sweep(r.handle, &o, &emitter), SR_STORAGE_E_DENIED);
    CU_ASSERT_STRING_EQUAL(keys, "dead ");
    CU_ASSERT_EQUAL(sent(&r, "DELETE", "uploadId=u1"), 0);
    CU_ASSERT_EQUAL(sent(&r, "DELETE", "uploadId=u4"), 0);
    CU_ASSERT_EQUAL(sent(&r, "DELETE", "uploadId=u5"), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(r.host.text, "2 of the unfinished uploads"));
    rig_end(&r);
}

/* A marker put where nothing ever was hides nothing. */
static void deleting_what_never_was(void)
{
    static const struct {
        const char *versions;
        uint64_t outcome;
        int removed;
    } rows[] = {
        {"'body':'<ListVersionsResult><IsTruncated>false</IsTruncated><DeleteMarker><Key>k</Key>"
         "<VersionId>m1</VersionId></DeleteMarker><Version><Key>k2</Key><VersionId>v1</VersionId>"
         "<Size>1</Size></Version></ListVersionsResult>'",
         SR_STORAGE_DELETED, 1},
        {"'body':'<ListVersionsResult><IsTruncated>false</IsTruncated><DeleteMarker><Key>k</Key>"
         "<VersionId>m1</VersionId></DeleteMarker><Version><Key>k</Key><VersionId>v1</VersionId>"
         "<Size>1</Size></Version></ListVersionsResult>'",
         SR_STORAGE_HIDDEN, 0},
        {"'status':403", SR_STORAGE_HIDDEN, 0},
    };
    char rules[1024];
    struct rig r;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        (void)snprintf(rules, sizeof rules,
                       "[{'match':'DELETE versionId=m1','reply':{'status':204}},"
                       "{'match':'DELETE','reply':{'status':204,'headers':{'x-amz-delete-marker':"
                       "'true','x-amz-version-id':'m1'}}},{'match':'GET versions','reply':{%s}}]",
                       rows[i].versions);
        rig_begin(&r, rules, NULL);
        const struct sr_storage_delete_options o = {.size = sizeof o, .key = "k"};
        struct sr_storage_deletion d = {.size = sizeof d};
        CU_ASSERT_EQUAL(r.plugin->delete_object(r.handle, &o, &d), SR_STORAGE_OK);
        CU_ASSERT_EQUAL(d.outcome, rows[i].outcome);
        CU_ASSERT_EQUAL(sent(&r, "DELETE", "versionId=m1"), rows[i].removed);
        rig_end(&r);
    }
}

/* As MinIO says it. */
static void locked_by_another_name(void)
{
    struct rig r;
    rig_begin(&r,
              "[{'match':'DELETE','reply':{'status':400,'body':'<Error><Code>InvalidRequest</Code>"
              "<Message>Object is WORM protected and cannot be overwritten</Message></Error>'}},"
              "{'match':'GET retention','reply':{'status':200,'body':'<Retention><Mode>COMPLIANCE"
              "</Mode><RetainUntilDate>2100-01-01T00:00:00Z</RetainUntilDate></Retention>'}}]",
              NULL);
    const struct sr_storage_delete_options o = {.size = sizeof o, .key = "k", .version = "v"};
    struct sr_storage_deletion d = {.size = sizeof d};
    CU_ASSERT_EQUAL(r.plugin->delete_object(r.handle, &o, &d), SR_STORAGE_OK);
    CU_ASSERT_EQUAL(d.outcome, SR_STORAGE_KEPT);
    CU_ASSERT_EQUAL(d.locked_until, 4102444800);
    rig_end(&r);
}

struct counted {
    struct rig *r;
    int answers;
};

static void cancel_at_the_first(void *ctx, uint64_t index, int32_t code, const char *text,
                                const struct sr_storage_deletion *deletion)
{
    struct counted *c = ctx;
    (void)index, (void)code, (void)text, (void)deletion;
    if (c->answers++ == 0)
        test_host_cancel(&c->r->host);
}

static void deletions_cancelled(void)
{
    struct rig r;
    rig_begin(&r,
              "[{'match':'POST delete','reply':{'status':501}},"
              "{'match':'DELETE','reply':{'status':204}}]",
              NULL);
    const struct sr_storage_delete_options items[] = {{sizeof *items, "a", NULL},
                                                      {sizeof *items, "b", NULL}};
    struct counted c = {&r, 0};
    const struct sr_storage_answers answers = {
        .size = sizeof answers, .ctx = &c, .answer = cancel_at_the_first};
    CU_ASSERT_EQUAL(r.plugin->delete_many(r.handle, items, 2, &answers), SR_STORAGE_E_CANCELLED);
    CU_ASSERT_EQUAL(c.answers, 1);
    rig_end(&r);
}

static const struct unit_test tests[] = {
    {"denied after a lost answer: looked at", denied_after_a_lost_answer},
    {"200 without an ETag, always: looked at", answers_that_confirm_nothing},
    {"not implemented is not in doubt", not_implemented},
    {"what the store damaged is removed", damaged_in_the_store},
    {"without a condition: looked at again before the PUT", looks_again},
    {"completed after the answer was given up", completed_late},
    {"looked at before the parts are put together", looks_before_completing},
    {"what the answer to a completion tells", completion_tells},
    {"weak ETags", weak_etags},
    {"a condition that is refused in other words", conditions_refused},
    {"locked, without checksums", locked_without_checksums},
    {"pages in any order", pages_in_any_order},
    {"pages that come again", pages_that_come_again},
    {"sweeping", sweeping},
    {"deleting what never was", deleting_what_never_was},
    {"fewer at once, and more again", fewer_at_once_and_more_again},
    {"a deadline while the source stalls", deadline_while_the_source_stalls},
    {"a server that goes silent, at each step", stalls},
    {"no word about locks is not a no", locks_that_cannot_be_asked_for},
    {"a listing where locks were asked for is a no", locks_unheard_of},
    {"broken off at the same byte, again and again", broken_off_at_the_same_byte},
    {"416 before the end that was announced", nothing_where_more_was_announced},
    {"a lock that is called an invalid request", locked_by_another_name},
    {"deleting many, cancelled on the way", deletions_cancelled},
    {0},
};

int main(void)
{
    return unit_main("s3: outcomes", tests);
}
