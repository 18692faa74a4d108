/* What comes of a call of the s3 plugin when the store's answers are lost, late or odd: the plugin
 * itself against the scripted server. The host's randomness is zeros, so the mark of every upload
 * is known and no retry waits. */
#include "s3/s3.h"

#include "common/digest.h"
#include "tests/unit/cloud_rig.h"

#define PART (UINT64_C(5) << 20)
#define HEAD_OURS(length)                                     \
    "{'status':200,'length':" length ",'headers':{'ETag':'e'" \
    ",'x-amz-meta-strongroom-upload':'" RIG_MARK "'}}"

#define ERROR(status, code) "{'status':" status ",'body':'<Error><Code>" code "</Code></Error>'}"
#define NO_SUCH "{'status':404,'headers':{'x-amz-request-id':'1'}}" /* to HEAD */
#define NO_KEY ERROR("404", "NoSuchKey")
#define NO_UPLOAD ERROR("404", "NoSuchUpload")

/* more: name, value, ..., NULL; or NULL. */
static void rig_begin(struct rig *r, const char *rules, const char *const *more)
{
    static const char *const base[] = {"bucket",
                                       "shop",
                                       "access_key_id",
                                       "AKIA",
                                       "credentials",
                                       "keys",
                                       "concurrency",
                                       "1",
                                       "part_size",
                                       "5242880",
                                       "create_only",
                                       "auto",
                                       "secret_access_key",
                                       "secret",
                                       NULL};
    rig_open(r, s3_setting_rows, rules, base, more);
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
    CU_ASSERT_EQUAL(rig_save_small(&r, SR_STORAGE_SAVE_REPLACE), SR_STORAGE_OK);
    rig_end(&r);
}

static void answers_that_confirm_nothing(void)
{
    struct rig r;
    rig_begin(&r,
              "[{'match':'PUT','reply':{'status':200}},"
              "{'match':'HEAD','reply':" HEAD_OURS("4") "}]",
              NULL);
    CU_ASSERT_EQUAL(rig_save_small(&r, SR_STORAGE_SAVE_REPLACE), SR_STORAGE_OK);
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
    CU_ASSERT_EQUAL(rig_save_small(&r, SR_STORAGE_SAVE_REPLACE), SR_STORAGE_E_UNSUPPORTED);
    CU_ASSERT_EQUAL(rig_sent(&r, "HEAD", "/k"), 0);
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
    CU_ASSERT_EQUAL(rig_save_small(&r, SR_STORAGE_SAVE_REPLACE), SR_STORAGE_E_CORRUPT);
    CU_ASSERT_EQUAL(rig_sent(&r, "DELETE", "/k"), 1);
    rig_end(&r);
}

/* Somebody else was faster while the source took its time. */
static void looks_again(void)
{
    static const char *const look[] = {"create_only", "look", NULL};
    struct rig r;
    rig_begin(&r,
              "[{'match':'HEAD','times':1,'reply':" NO_SUCH "},"
              "{'match':'HEAD','reply':{'status':200,'length':9}},"
              "{'match':'PUT','reply':{'status':200,'headers':{'ETag':'e'}}}]",
              look);
    CU_ASSERT_EQUAL(rig_save_small(&r, 0), SR_STORAGE_E_EXISTS);
    CU_ASSERT_EQUAL(rig_sent(&r, "PUT", "/k"), 0);
    rig_end(&r);
}

#define PARTS                                                                                \
    "{'match':'POST uploads=','reply':{'status':200,'body':'<InitiateMultipartUploadResult>" \
    "<UploadId>u</UploadId></InitiateMultipartUploadResult>'}},"                             \
    "{'match':'PUT partNumber','reply':{'status':200,'headers':{'ETag':'e'}}},"              \
    "{'match':'DELETE uploadId','reply':{'status':204}},"                                    \
    "{'match':'GET uploadId','reply':" NO_UPLOAD "},"

#define COMPLETE(inner)                                                             \
    "{'match':'POST uploadId','reply':{'headers':{'x-amz-version-id':'v7'},'body':" \
    "'<CompleteMultipartUploadResult><ETag>e</ETag>" inner "</CompleteMultipartUploadResult>'}}"

/* The store puts the parts together when the upload has ended already. */
static void completed_late(void)
{
    struct rig r;
    rig_begin(&r,
              "[" PARTS "{'match':'POST uploadId','at':'request','end':'close'},"
              "{'match':'HEAD','times':6,'reply':" NO_SUCH "},"
              "{'match':'HEAD','reply':" HEAD_OURS("5242884") "}]",
              NULL);
    CU_ASSERT_EQUAL(rig_save(&r, (struct source){.left = PART + 4}, SR_STORAGE_SAVE_REPLACE, 0),
                    SR_STORAGE_OK);
    CU_ASSERT_EQUAL(rig_sent(&r, "DELETE", "uploadId=u"), 1);
    rig_end(&r);
}

/* Something happens when a line of the log has that in it, once. */
static struct {
    struct rig *rig;
    const char *word;
    int cancel;
    uint64_t jump_s; /* the clock goes forward */
} hook;

static void hooked_log(const struct sr_storage_host *host, int32_t level, const char *text)
{
    test_log(host, level, text);
    if (!hook.word || !strstr(text, hook.word))
        return;
    hook.word = NULL;
    if (hook.cancel)
        test_host_cancel(&hook.rig->host);
    atomic_fetch_add(&hook.rig->host.ahead, hook.jump_s * UINT64_C(1000000000));
}

/* A server that was sent all of a request and does not answer may be at it still. */
static void made_after_the_looks_began(void)
{
    enum { FOR_EVER = 99 };
    static const struct {
        const char *name, *lost;      /* what the request that makes the object visible comes to */
        int parts, cancelled, absent; /* so many looks find nothing */
        int32_t code;
        int looks, removed;
    } rows[] = {
        {"a PUT", "'at':'request','end':'close'", 0, 0, 4, SR_STORAGE_OK, 5, 0},
        {"a PUT, cancelled", "'at':'request','end':'close'", 0, 1, 4, SR_STORAGE_E_CANCELLED, 5, 1},
        {"a PUT, never", "'at':'request','end':'close'", 0, 0, FOR_EVER, SR_STORAGE_E_IN_DOUBT, 7,
         0},
        {"a PUT, cancelled, never", "'at':'request','end':'close'", 0, 1, FOR_EVER,
         SR_STORAGE_E_IN_DOUBT, 7, 0},
        {"a PUT behind a gateway", "'reply':{'status':504}", 0, 0, 4, SR_STORAGE_OK, 5, 0},
        {"a PUT that failed", "'reply':{'status':500}", 0, 0, FOR_EVER, SR_STORAGE_E_UNAVAILABLE, 2,
         0},
        {"a PUT that was refused", "'reply':" ERROR("403", "AccessDenied"), 0, 0, FOR_EVER,
         SR_STORAGE_E_DENIED, 0, 0},
        {"parts", "'at':'request','end':'close'", 1, 0, 4, SR_STORAGE_OK, 5, 0},
        {"parts, when their upload has ended", "'at':'request','end':'close'", 1, 0, 6,
         SR_STORAGE_OK, 7, 0},
        {"parts, cancelled", "'at':'request','end':'close'", 1, 1, 4, SR_STORAGE_E_CANCELLED, 5, 1},
        {"parts, never", "'at':'request','end':'close'", 1, 0, FOR_EVER, SR_STORAGE_E_IN_DOUBT, 7,
         0},
        {"parts that failed", "'reply':{'status':500}", 1, 0, FOR_EVER, SR_STORAGE_E_UNAVAILABLE, 2,
         0},
    };
    char rules[2048];
    struct rig r;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int parts = rows[i].parts;
        (void)snprintf(
            rules, sizeof rules,
            "[" PARTS "{'match':'%s',%s},"
            "{'match':'HEAD','times':%d,'reply':" NO_SUCH "},"
            "{'match':'HEAD','reply':" HEAD_OURS("%s") "},"
                                                       "{'match':'DELETE','reply':{'status':204}}]",
            parts ? "POST uploadId" : "PUT", rows[i].lost, rows[i].absent, parts ? "5242884" : "4");
        rig_begin(&r, rules, NULL);
        hook.rig = &r;
        hook.word = rows[i].cancelled ? "again in" : NULL;
        hook.cancel = 1;
        hook.jump_s = 0;
        r.host.host.log = hooked_log;
        uint64_t began = test_ms();
        int32_t rc =
            rig_save(&r, (struct source){.left = parts ? PART + 4 : 4}, SR_STORAGE_SAVE_REPLACE, 0);
        int looks = rig_sent(&r, "HEAD", "/k"),
            removed = rig_sent(&r, "DELETE", "/shop/k") - rig_sent(&r, "DELETE", "uploadId=u");
        if (rc != rows[i].code || looks != rows[i].looks || removed != rows[i].removed)
            (void)fprintf(stderr, "%s: %d, %d looks, removed %d: %s\n", rows[i].name, (int)rc,
                          looks, removed, r.host.text);
        CU_ASSERT_EQUAL(rc, rows[i].code);
        CU_ASSERT_EQUAL(looks, rows[i].looks);
        CU_ASSERT_EQUAL(removed, rows[i].removed);
        CU_ASSERT(test_ms() - began < 10000); /* the waits are the test's clock's */
        CU_ASSERT_EQUAL((saved.confirmed & SR_STORAGE_CONFIRMED_SIZE) != 0, rc == SR_STORAGE_OK);
        rig_end(&r);
    }
}

/* A completion that has taken all the time that it may take without a byte is tried again. */
static void stalled_completion_is_tried_again(void)
{
    struct rig r;
    rig_begin(&r,
              "[" PARTS "{'match':'POST uploadId','times':1,'at':'request','end':'close'},"
              "{'match':'HEAD','reply':" HEAD_OURS("5242884") "}," COMPLETE("") "]",
              NULL);
    hook.rig = &r;
    hook.word = "no answer came";
    hook.cancel = 0;
    hook.jump_s = SC_COMMIT_STALL_S + 1;
    r.host.host.log = hooked_log;
    CU_ASSERT_EQUAL(rig_save(&r, (struct source){.left = PART + 4}, SR_STORAGE_SAVE_REPLACE, 0),
                    SR_STORAGE_OK);
    CU_ASSERT_EQUAL(rig_sent(&r, "POST", "uploadId="), 2);
    rig_end(&r);
}

#define NO_PARTS "{'body':'<ListPartsResult><IsTruncated>false</IsTruncated></ListPartsResult>'}"
#define BEGUN(id, when) \
    "<Upload><Key>k</Key><UploadId>" id "</UploadId><Initiated>" when "</Initiated></Upload>"
#define BEGUN_LIST(uploads)                                                                    \
    "{'headers':{'Date':'Sat, 03 Jan 2026 00:00:01 GMT'},'body':'<ListMultipartUploadsResult>" \
    "<IsTruncated>false</IsTruncated>" uploads "</ListMultipartUploadsResult>'}"

/* The answer to the beginning of an upload was lost: what may be another host's stays. The save
 * begins at 00:00:00 on this machine's clock. */
static void beginning_lost(void)
{
    static const struct {
        const char *name, *list, *parts; /* of the uploads of that key; of the one called v */
        int ended, told;
    } rows[] = {
        {"ours", BEGUN_LIST(BEGUN("v", "2026-01-03T00:00:01.000Z")), NO_PARTS, 1, 0},
        {"none", BEGUN_LIST(""), NO_PARTS, 0, 0},
        {"the one that was begun after it", BEGUN_LIST(BEGUN("u", "2026-01-03T00:00:01.500Z")),
         NO_PARTS, 0, 0},
        {"one that was begun before", BEGUN_LIST(BEGUN("v", "2026-01-03T00:00:00.900Z")), NO_PARTS,
         0, 0},
        {"one that has a part", BEGUN_LIST(BEGUN("v", "2026-01-03T00:00:01.000Z")),
         "{'body':'<ListPartsResult><IsTruncated>false</IsTruncated><Part><PartNumber>1"
         "</PartNumber></Part></ListPartsResult>'}",
         0, 0},
        {"parts that may not be seen", BEGUN_LIST(BEGUN("v", "2026-01-03T00:00:01.000Z")),
         ERROR("403", "AccessDenied"), 0, 1},
        {"two that may be ours",
         BEGUN_LIST(BEGUN("v", "2026-01-03T00:00:01.000Z") BEGUN("w", "2026-01-03T00:00:01.000Z")),
         NO_PARTS, 0, 1},
        {"ours and an older one",
         BEGUN_LIST(BEGUN("w", "2026-01-02T23:30:00.000Z") BEGUN("v", "2026-01-03T00:00:01.000Z")),
         NO_PARTS, 1, 0},
    };
    char rules[3072];
    struct rig r;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        (void)snprintf(rules, sizeof rules,
                       "[{'match':'POST uploads=','times':1,'at':'request','end':'close'},"
                       "{'match':'GET uploads=','reply':%s},"
                       "{'match':'GET max-parts=1.*uploadId=[vw]','reply':" NO_UPLOAD "},"
                       "{'match':'GET uploadId=[vw]','reply':%s}," PARTS COMPLETE(
                           "") ","
                               "{'match':'HEAD','reply':" HEAD_OURS("5242884") "}]",
                       rows[i].list, rows[i].parts);
        rig_begin(&r, rules, NULL);
        r.host.wall = 1767398400; /* 2026-01-03T00:00:00Z; the server is a second ahead */
        CU_ASSERT_EQUAL(rig_save(&r, (struct source){.left = PART + 4}, SR_STORAGE_SAVE_REPLACE, 0),
                        SR_STORAGE_OK);
        int ended = rig_sent(&r, "DELETE", "uploadId=v") + rig_sent(&r, "DELETE", "uploadId=w");
        int told = strstr(sc_buf_str(&r.host.log), "an empty one may be left") != NULL;
        if (ended != rows[i].ended || told != rows[i].told)
            (void)fprintf(stderr, "%s: %d ended, told %d\n", rows[i].name, ended, told);
        CU_ASSERT_EQUAL(ended, rows[i].ended);
        CU_ASSERT_EQUAL(told, rows[i].told);
        CU_ASSERT_EQUAL(rig_sent(&r, "DELETE", "uploadId=u"), 0);
        rig_end(&r);
    }
}

/* A store that may pass If-None-Match over in silence is looked at before the parts become one. */
static void looks_before_completing(void)
{
    struct rig r;
    rig_begin(&r,
              "[" PARTS "{'match':'HEAD','times':1,'reply':" NO_SUCH "},"
              "{'match':'HEAD','reply':{'status':200,'length':9}}]",
              NULL);
    CU_ASSERT_EQUAL(rig_save(&r, (struct source){.left = PART + 4}, 0, 0), SR_STORAGE_E_EXISTS);
    CU_ASSERT_EQUAL(rig_sent(&r, "POST", "uploadId="), 0);
    CU_ASSERT_EQUAL(rig_sent(&r, "DELETE", "uploadId=u"), 1);
    rig_end(&r);
}

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
        CU_ASSERT_EQUAL(rig_save(&r, (struct source){.left = PART + 4}, SR_STORAGE_SAVE_REPLACE, 0),
                        wrong ? SR_STORAGE_E_CORRUPT : SR_STORAGE_OK);
        CU_ASSERT_EQUAL(rig_sent(&r, "DELETE", "versionId=v7"), wrong);
        if (!wrong) {
            CU_ASSERT_EQUAL(saved.confirmed, SR_STORAGE_CONFIRMED_SIZE |
                                                 SR_STORAGE_CONFIRMED_CHECKSUM |
                                                 SR_STORAGE_CONFIRMED_VERSION);
            CU_ASSERT_STRING_EQUAL(saved.version, "v7");
            CU_ASSERT_STRING_EQUAL(rig_header(&r, "HEAD", "/k", "x-amz-checksum-mode"), "ENABLED");
            CU_ASSERT_EQUAL(memcmp(saved.checksum, be, 4), 0);
            CU_ASSERT_STRING_EQUAL(rig_header(&r, "POST", "uploadId", "x-amz-mp-object-size"),
                                   "5242884");
        }
        CU_ASSERT_STRING_EQUAL(rig_header(&r, "POST", "uploadId", "content-md5"), "");
        rig_end(&r);
    }
    /* A store that may know none of the modern headers gets none. */
    rig_begin(&r, "[" PARTS COMPLETE("") ",{'match':'HEAD','reply':" HEAD_OURS("5242884") "}]",
              NULL);
    CU_ASSERT_EQUAL(rig_save(&r, (struct source){.left = PART + 4}, SR_STORAGE_SAVE_REPLACE, 0),
                    SR_STORAGE_OK);
    CU_ASSERT_STRING_EQUAL(rig_header(&r, "POST", "uploadId", "x-amz-mp-object-size"), "");
    CU_ASSERT_STRING_EQUAL(rig_header(&r, "HEAD", "/k", "x-amz-checksum-mode"), "");
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
    CU_ASSERT_EQUAL(rig_save(&r, (struct source){.left = PART + 4}, SR_STORAGE_SAVE_REPLACE, 0),
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
    CU_ASSERT_STRING_EQUAL(rig_header(&r, "GET", "/k", "if-match"), "\"abc\"");
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
                           "{'match':'HEAD','reply':" NO_SUCH "}]",
                           always ? "" : "'header':{'if-none-match':'.'},", rows[i].status,
                           rows[i].code);
            rig_begin(&r, rules, NULL);
            int32_t rc = rig_save_small(&r, 0);
            CU_ASSERT((rc == SR_STORAGE_OK) == !always);
            CU_ASSERT_EQUAL(rig_sent(&r, "PUT", "/k"), 2);
            CU_ASSERT_EQUAL(strstr(sc_buf_str(&r.host.log), "knows no If-None-Match") != NULL,
                            !always);
            /* Only what has been shown is remembered. */
            (void)rig_save_small(&r, 0);
            CU_ASSERT_EQUAL(rig_sent(&r, "PUT", "/k"), always ? 4 : 3);
            rig_end(&r);
        }
    /* Who demands the condition gets it, or the store's own words. */
    static const char *const demanded[] = {"create_only", "condition", NULL};
    rig_begin(&r,
              "[{'match':'PUT','reply':{'status':400,'body':'<Error><Code>InvalidArgument</Code>"
              "<Message>mind your tags</Message></Error>'}},"
              "{'match':'HEAD','reply':" NO_SUCH "}]",
              demanded);
    CU_ASSERT_EQUAL(rig_save_small(&r, 0), SR_STORAGE_E_CONFIG);
    CU_ASSERT_EQUAL(rig_sent(&r, "PUT", "/k"), 1);
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
    CU_ASSERT_EQUAL(rig_save(&r, (struct source){.left = 4}, SR_STORAGE_SAVE_REPLACE, 4102444800),
                    SR_STORAGE_OK);
    CU_ASSERT_STRING_EQUAL(rig_header(&r, "PUT", "/k", "content-md5"), "6kFu0HWdRqjeWPY6WQd0mQ==");
    CU_ASSERT_EQUAL(rig_save_small(&r, SR_STORAGE_SAVE_REPLACE), SR_STORAGE_OK);
    CU_ASSERT_STRING_EQUAL(rig_header(&r, "PUT", "/k", "content-md5"), "");
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
    CU_ASSERT_EQUAL(rig_save(&r, (struct source){.left = 7 * PART + 4}, SR_STORAGE_SAVE_REPLACE, 0),
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
    CU_ASSERT_EQUAL(rig_save(&r, forever, SR_STORAGE_SAVE_REPLACE, 0), SR_STORAGE_E_TIMEOUT);
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
        {"PUT", "head", 0, SR_STORAGE_E_IN_DOUBT, 0},
        {"PUT", "body", 0, SR_STORAGE_E_IN_DOUBT, 0},
        {"PUT", "request", 0, SR_STORAGE_E_IN_DOUBT, 0},
        {"PUT", "reply-head", 0, SR_STORAGE_E_IN_DOUBT, 0},
        {"POST uploads=", "head", 1, SR_STORAGE_E_TIMEOUT, 0},
        {"POST uploads=", "request", 1, SR_STORAGE_E_TIMEOUT, 0},
        {"POST uploads=", "reply-body", 1, SR_STORAGE_E_TIMEOUT, 0},
        {"PUT partNumber=1", "head", 1, SR_STORAGE_E_TIMEOUT, 1},
        {"PUT partNumber=1", "body", 1, SR_STORAGE_E_TIMEOUT, 1},
        {"PUT partNumber=2", "request", 1, SR_STORAGE_E_TIMEOUT, 1},
        {"PUT partNumber=2", "reply-head", 1, SR_STORAGE_E_TIMEOUT, 1},
        {"POST uploadId", "head", 1, SR_STORAGE_E_IN_DOUBT, 1},
        {"POST uploadId", "request", 1, SR_STORAGE_E_IN_DOUBT, 1},
        {"POST uploadId", "reply-body", 1, SR_STORAGE_E_IN_DOUBT, 1},
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
            "{'match':'HEAD','reply':" NO_SUCH "}," COMPLETE("") "]",
            rows[i].match, rows[i].at);
        rig_begin(&r, rules, NULL);
        r.host.deadline = test_monotonic(NULL) + UINT64_C(700000000);
        uint64_t began = test_ms();
        (void)alarm(50);
        int32_t rc = rig_save(&r, (struct source){.left = rows[i].parts ? PART + 4 : 4}, 0, 0);
        (void)alarm(0);
        CU_ASSERT_EQUAL(rc, rows[i].code);
        CU_ASSERT_EQUAL(rig_sent(&r, "DELETE", "uploadId=u") > 0, rows[i].aborted);
        CU_ASSERT(test_ms() - began < 40000);
        if (rc != rows[i].code || (rig_sent(&r, "DELETE", "uploadId=u") > 0) != rows[i].aborted)
            (void)fprintf(stderr, "%s at %s: %d %s\n", rows[i].match, rows[i].at, (int)rc,
                          r.host.text);
        rig_end(&r);
    }
}

static void locks_that_cannot_be_asked_for(void)
{
    struct rig r;
    rig_begin(&r, "[{'match':'GET object-lock','reply':{'status':500}}]", NULL);
    CU_ASSERT_EQUAL(rig_save(&r, (struct source){.left = 4}, SR_STORAGE_SAVE_REPLACE, 4102444800),
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
    CU_ASSERT_EQUAL(rig_save(&r, (struct source){.left = 4}, SR_STORAGE_SAVE_REPLACE, 4102444800),
                    SR_STORAGE_E_UNSUPPORTED);
    CU_ASSERT_PTR_NOT_NULL(strstr(r.host.text, "was made without"));
    CU_ASSERT_EQUAL(rig_sent(&r, "PUT", ""), 0);
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
    CU_ASSERT_EQUAL(rig_sent(&r, "GET", "/k"), 9); /* one that came on, and eight that did not */
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
                                                                         "2026-01-01T00:30:00."
                                                                         "000Z",
                                                                         "true") ","
                                                                                 "{'match':'"
                                                                                 "GET "
                                                                                 "uploadId=u3',"
                                                                                 "'times':1,'"
                                                                                 "reply'"
                                                                                 ":" NO_PARTS "},"
                                                                                 "{'match':'"
                                                                                 "GET "
                                                                                 "uploadId=u3',"
                                                                                 "'reply'"
                                                                                 ":" NO_UPLOAD "},"
                                                                                 "{'match':'"
                                                                                 "DELETE "
                                                                                 "uploadId=u2',"
                                                                                 "'reply'"
                                                                                 ":" ERROR(
                                                                                     "403",
                                                                                     "AccessDen"
                                                                                     "ied") "},"
                                                                                            "{'"
                                                                                            "ma"
                                                                                            "tc"
                                                                                            "h'"
                                                                                            ":'"
                                                                                            "DE"
                                                                                            "LE"
                                                                                            "TE"
                                                                                            " u"
                                                                                            "pl"
                                                                                            "oa"
                                                                                            "dI"
                                                                                            "d="
                                                                                            "u3"
                                                                                            "',"
                                                                                            "'r"
                                                                                            "ep"
                                                                                            "ly"
                                                                                            "':"
                                                                                            "{'"
                                                                                            "st"
                                                                                            "at"
                                                                                            "us"
                                                                                            "':"
                                                                                            "20"
                                                                                            "4}"
                                                                                            "}"
                                                                                            "]",
        NULL);
    r.host.wall = 1767398400; /* 2026-01-03T00:00:00Z */
    const struct sr_storage_sweep_options o = {.size = sizeof o, .prefix = "", .older_than = 86400};
    const struct sr_storage_emitter emitter = {.size = sizeof emitter, .ctx = keys, .emit = gather};
    CU_ASSERT_EQUAL(r.plugin->sweep(r.handle, &o, &emitter), SR_STORAGE_E_DENIED);
    CU_ASSERT_STRING_EQUAL(keys, "dead ");
    CU_ASSERT_EQUAL(rig_sent(&r, "DELETE", "uploadId=u1"), 0);
    CU_ASSERT_EQUAL(rig_sent(&r, "DELETE", "uploadId=u4"), 0);
    CU_ASSERT_EQUAL(rig_sent(&r, "DELETE", "uploadId=u5"), 0);
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
        CU_ASSERT_EQUAL(rig_sent(&r, "DELETE", "versionId=m1"), rows[i].removed);
        rig_end(&r);
    }
}

static void absences(void)
{
    static const struct rig_absence rows[] = {
        {"'status':404,'body':'<Error><Code>NoSuchKey</Code></Error>'", -SR_STORAGE_DELETED,
         SR_STORAGE_E_NOT_FOUND, SR_STORAGE_E_NOT_FOUND},
        {"'status':404,'headers':{'x-amz-request-id':'1'},'body':'<Error><Code>NoSuchKey</Code>"
         "</Error>'",
         -SR_STORAGE_DELETED, SR_STORAGE_E_NOT_FOUND, SR_STORAGE_E_NOT_FOUND},
        {"'status':404,'body':'<Error><Code>NoSuchBucket</Code></Error>'", SR_STORAGE_E_NOT_FOUND,
         SR_STORAGE_E_NOT_FOUND, SR_STORAGE_E_NOT_FOUND},
        {"'status':404,'body':'<Error><Code>NoSuchRoute</Code></Error>'", SR_STORAGE_E_NOT_FOUND,
         SR_STORAGE_E_NOT_FOUND, SR_STORAGE_E_NOT_FOUND},
        {"'status':404", SR_STORAGE_E_UNAVAILABLE, SR_STORAGE_E_UNAVAILABLE,
         SR_STORAGE_E_UNAVAILABLE},
        {"'status':404,'body':'<html>default backend - 404</html>'", SR_STORAGE_E_UNAVAILABLE,
         SR_STORAGE_E_UNAVAILABLE, SR_STORAGE_E_UNAVAILABLE},
        {"'status':404,'body':'<Error/>'", SR_STORAGE_E_UNAVAILABLE, SR_STORAGE_E_UNAVAILABLE,
         SR_STORAGE_E_UNAVAILABLE},
        {"'status':410", SR_STORAGE_E_UNAVAILABLE, SR_STORAGE_E_UNAVAILABLE,
         SR_STORAGE_E_UNAVAILABLE},
        {.reply = ""},
    };
    struct rig r;
    rig_begin(&r, "[]", NULL);
    rig_absences(&r, rows);
    /* Two servers behind one name. */
    scripted_rules(&r.server, "[{'match':'HEAD','reply':{'status':404}},"
                              "{'match':'GET','reply':{'status':206,'body':'x'}}]");
    CU_ASSERT_EQUAL(rig_stat(&r), SR_STORAGE_E_UNAVAILABLE);
    rig_end(&r);
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

struct outcomes {
    uint64_t of[3];
};

static void note_outcome(void *ctx, uint64_t index, int32_t code, const char *text,
                         const struct sr_storage_deletion *deletion)
{
    (void)code, (void)text;
    ((struct outcomes *)ctx)->of[index] = deletion ? deletion->outcome : 0;
}

/* Many at once are told as each one alone is: what leaves nothing behind its marker is deleted, and
 * the marker taken away. */
static void deleting_many_with_versions(void)
{
    static const char version[] = "<Version><Key>there</Key><VersionId>v1</VersionId><Size>1</Size>"
                                  "</Version>";
    char rules[1536];
    struct rig r;
    (void)snprintf(rules, sizeof rules,
                   "[{'match':'POST delete','reply':{'body':'<DeleteResult>"
                   "<Deleted><Key>never</Key><DeleteMarker>true</DeleteMarker>"
                   "<DeleteMarkerVersionId>m1</DeleteMarkerVersionId></Deleted>"
                   "<Deleted><Key>there</Key><DeleteMarker>true</DeleteMarker>"
                   "<DeleteMarkerVersionId>m2</DeleteMarkerVersionId></Deleted>"
                   "<Deleted><Key>plain</Key></Deleted></DeleteResult>'}},"
                   "{'match':'GET prefix=there&.*versions','reply':{'body':'<ListVersionsResult>"
                   "<IsTruncated>false</IsTruncated>%s</ListVersionsResult>'}},"
                   "{'match':'GET versions','reply':{'body':'<ListVersionsResult>"
                   "<IsTruncated>false</IsTruncated></ListVersionsResult>'}},"
                   "{'match':'DELETE','reply':{'status':204}}]",
                   version);
    rig_begin(&r, rules, NULL);
    const struct sr_storage_delete_options items[] = {{sizeof *items, "never", NULL},
                                                      {sizeof *items, "there", NULL},
                                                      {sizeof *items, "plain", NULL}};
    struct outcomes got = {{0}};
    const struct sr_storage_answers answers = {
        .size = sizeof answers, .ctx = &got, .answer = note_outcome};
    CU_ASSERT_EQUAL(r.plugin->delete_many(r.handle, items, 3, &answers), SR_STORAGE_OK);
    CU_ASSERT_EQUAL(got.of[0], SR_STORAGE_DELETED);
    CU_ASSERT_EQUAL(got.of[1], SR_STORAGE_HIDDEN);
    CU_ASSERT_EQUAL(got.of[2], SR_STORAGE_DELETED);
    CU_ASSERT_EQUAL(rig_sent(&r, "DELETE", "never?versionId=m1"), 1);
    CU_ASSERT_EQUAL(rig_sent(&r, "DELETE", ""), 1);
    rig_end(&r);
}

static const struct unit_test tests[] = {
    {"made after the looks began", made_after_the_looks_began},
    {"a stalled completion is tried again", stalled_completion_is_tried_again},
    {"the answer to the beginning is lost", beginning_lost},
    {"404 in whose words", absences},
    {"deleting many, with versions", deleting_many_with_versions},
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
