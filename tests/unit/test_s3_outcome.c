/* What comes of a call of the s3 plugin when the store's answers are lost, late or odd: the plugin
 * itself against the scripted server. The host's randomness is zeros, so the mark of every upload
 * is known and no retry waits. */
#include "s3/s3.h"
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

static int32_t save(struct rig *r, struct source source, uint64_t flags, int64_t until)
{
    struct sr_storage_saved saved = {.size = sizeof saved};
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
    (void)alarm(20);
    CU_ASSERT_EQUAL(save(&r, forever, SR_STORAGE_SAVE_REPLACE, 0), SR_STORAGE_E_TIMEOUT);
    (void)alarm(0);
    CU_ASSERT(test_ms() - began < 5000);
    rig_end(&r);
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

static int32_t take(void *ctx, const void *data, uint64_t len)
{
    (void)data;
    *(uint64_t *)ctx += len;
    return 0;
}

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
    {"fewer at once, and more again", fewer_at_once_and_more_again},
    {"a deadline while the source stalls", deadline_while_the_source_stalls},
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
