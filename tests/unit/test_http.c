/* plugins/common/http against the scripted server: answers, faults, tries. */
#include "tests/unit/http_fixture.h"

#include <stdlib.h>
#include <string.h>

static struct scripted server, elsewhere;

#define LARGE (32u << 20) /* more than the sockets of both sides take in */
static char *large;

static struct sc_call call_to(const struct scripted *s, const char *method, const char *path)
{
    struct sc_call c = SC_CALL_INIT;
    struct sc_error err = SC_ERROR_INIT;
    ASSERT_OK(sc_request_target(&c.request, method, "http", "127.0.0.1", s->port, &err), err);
    sc_buf_adds(&c.request.path, path);
    c.retry = &quick;
    return c;
}

static void an_answer_is_taken(void)
{
    struct fixture f;
    begin(&f, NULL);
    scripted_rules(&server, "[{'match': 'GET', 'reply': {'headers': [['X-A', '1'], ['x-a', '2'],"
                            "['Date', 'Sun, 06 Nov 1994 08:49:37 GMT']], 'body': 'hello'}}]");
    struct sc_call c = call_to(&server, "GET", "/a/../b//c/./%7E");
    sc_query_add(&c.request.query, "x", "y z");
    ASSERT_OK(sc_headers_add(&c.request.headers, "X-Amz-Date", "now", &f.err), f.err);
    ASSERT_OK(sc_headers_add(&c.request.headers, "x-empty", "", &f.err), f.err);
    ASSERT_OK(sc_http_run(f.http, &c, &f.err), f.err);
    CU_ASSERT_EQUAL(c.response.status, 200);
    CU_ASSERT_EQUAL(c.response.phase, SC_PHASE_DONE);
    CU_ASSERT_EQUAL(c.response.length, 5);
    CU_ASSERT_EQUAL(c.response.received, 5);
    CU_ASSERT_EQUAL(c.response.http_version, 11);
    CU_ASSERT_EQUAL(c.response.date, 784111777);
    CU_ASSERT_FALSE(c.response.date_trusted);
    CU_ASSERT_STRING_EQUAL(sc_buf_str(&c.response.body), "hello");
    size_t pos = 0;
    CU_ASSERT_STRING_EQUAL(sc_headers_next(&c.response.headers, "x-A", &pos), "1");
    CU_ASSERT_STRING_EQUAL(sc_headers_next(&c.response.headers, "x-A", &pos), "2");
    CU_ASSERT_EQUAL(c.tries, 1);
    json_t *got = scripted_requests(&server);
    char host[64];
    (void)snprintf(host, sizeof host, "127.0.0.1:%u", server.port);
    CU_ASSERT_STRING_EQUAL(scripted_field(got, 0, "target"), "/a/../b//c/./%7E?x=y%20z");
    CU_ASSERT_STRING_EQUAL(scripted_header(got, 0, "host"), host);
    CU_ASSERT_STRING_EQUAL(scripted_header(got, 0, "x-amz-date"), "now");
    CU_ASSERT_STRING_EQUAL(scripted_header(got, 0, "x-empty"), "");
    CU_ASSERT_STRING_EQUAL(scripted_header(got, 0, "user-agent"), "strongroom");
    static const char *const never[] = {
        "accept-encoding",   "accept",         "expect",      "cookie",
        "transfer-encoding", "content-length", "content-type"};
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        CU_ASSERT_PTR_NULL(scripted_header(got, 0, never[i]));
    json_decref(got);
    sc_call_done(&c);
    end(&f);
}

static void methods_and_bodies(void)
{
    static const struct {
        const char *method, *body, *length;
    } rows[] = {
        {"PUT", "0123456789", "10"}, {"PUT", "", "0"},    {"POST", "<Complete/>", "11"},
        {"POST", "", "0"},           {"GET", NULL, NULL}, {"DELETE", NULL, NULL},
        {"HEAD", NULL, NULL},
    };
    struct fixture f;
    begin(&f, NULL);
    scripted_rules(&server, "[{'match': 'HEAD', 'reply': {'status': 200, 'body': 'unsent'}},"
                            " {'match': 'DELETE', 'reply': {'status': 204}},"
                            " {'reply': {'body': 'fine'}}]");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sc_call c = call_to(&server, rows[i].method, "/k");
        c.request.body = rows[i].body;
        c.request.body_len = rows[i].body ? strlen(rows[i].body) : 0;
        ASSERT_OK(sc_http_run(f.http, &c, &f.err), f.err);
        sc_call_done(&c);
    }
    json_t *got = scripted_requests(&server);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *length = scripted_header(got, i, "content-length");
        CU_ASSERT_STRING_EQUAL(scripted_field(got, i, "method"), rows[i].method);
        CU_ASSERT_STRING_EQUAL(scripted_field(got, i, "body"), rows[i].body ? rows[i].body : "");
        CU_ASSERT(rows[i].length ? length && strcmp(length, rows[i].length) == 0 : !length);
        CU_ASSERT_PTR_NULL(scripted_header(got, i, "expect"));
        CU_ASSERT_PTR_NULL(scripted_header(got, i, "transfer-encoding"));
        CU_ASSERT_PTR_NULL(scripted_header(got, i, "content-type"));
    }
    json_decref(got);
    CU_ASSERT_EQUAL(scripted_count(&server, "connections"), 1); /* all of it on one */
    end(&f);
}

#define ANY (-1) /* the reset may come before, while or after the request is sent */

/* Each fault, and what must come of it. tries: how many the server saw. */
static void faults(void)
{
    static const struct {
        const char *name, *rules, *method;
        int sends_large;
        int32_t code;
        int phase, tries, in_doubt;
        const char *text; /* in the error, or in the body where there is none */
    } rows[] = {
        {"500 twice", "{'times': 2, 'reply': {'status': 500}}, {'reply': {'body': 'ok'}}", "PUT", 0,
         SR_STORAGE_OK, SC_PHASE_DONE, 3, 1, "ok"},
        {"500 for ever", "{'reply': {'status': 500}}", "PUT", 0, SR_STORAGE_E_UNAVAILABLE,
         SC_PHASE_DONE, 3, 1, "HTTP 500 (3 tries in 0.0 s; as often as allowed)"},
        {"503", "{'times': 1, 'reply': {'status': 503}}, {'reply': {}}", "GET", 0, SR_STORAGE_OK,
         SC_PHASE_DONE, 2, 1, ""},
        {"429", "{'reply': {'status': 429}}", "GET", 0, SR_STORAGE_E_THROTTLED, SC_PHASE_DONE, 3, 0,
         "HTTP 429"},
        {"408", "{'reply': {'status': 408}}", "GET", 0, SR_STORAGE_E_UNAVAILABLE, SC_PHASE_DONE, 3,
         1, "HTTP 408"},
        {"404", "{'reply': {'status': 404}}", "GET", 0, SR_STORAGE_E_NOT_FOUND, SC_PHASE_DONE, 1, 0,
         "HTTP 404"},
        {"403", "{'reply': {'status': 403}}", "GET", 0, SR_STORAGE_E_DENIED, SC_PHASE_DONE, 1, 0,
         "HTTP 403"},
        {"reset when accepted", "{'at': 'accept'}", "GET", 0, SR_STORAGE_E_UNAVAILABLE, ANY, 0, ANY,
         ""},
        {"reset after the head", "{'at': 'head'}", "PUT", 1, SR_STORAGE_E_UNAVAILABLE,
         SC_PHASE_SEND, 3, 0, "while sending"},
        {"reset in the body", "{'at': 'body', 'after': 100000}", "PUT", 1, SR_STORAGE_E_UNAVAILABLE,
         SC_PHASE_SEND, 3, 0, "while sending"},
        {"closed in the body", "{'at': 'body', 'after': 100000, 'end': 'close'}", "PUT", 1,
         SR_STORAGE_E_UNAVAILABLE, SC_PHASE_SEND, 3, 0, "while sending"},
        {"reset after the body", "{'at': 'request'}", "PUT", 0, SR_STORAGE_E_UNAVAILABLE,
         SC_PHASE_REPLY, 3, 1, "no answer came"},
        {"reset after a large body", "{'times': 1, 'at': 'request'}, {'reply': {}}", "PUT", 1,
         SR_STORAGE_OK, SC_PHASE_DONE, 2, 1, ""},
        {"closed after the body", "{'at': 'request', 'end': 'close'}", "PUT", 0,
         SR_STORAGE_E_UNAVAILABLE, SC_PHASE_REPLY, 3, 1, "no answer came"},
        {"reset in the answer's head", "{'at': 'reply-head', 'after': 9, 'reply': {}}", "GET", 0,
         SR_STORAGE_E_UNAVAILABLE, SC_PHASE_REPLY, 3, 1, ""},
        {"reset in the answer", "{'at': 'reply-body', 'after': 4, 'reply': {'body': '0123456789'}}",
         "GET", 0, SR_STORAGE_E_UNAVAILABLE, SC_PHASE_REPLY, 3, 1, "cut short"},
        {"closed in the answer",
         "{'at': 'reply-body', 'after': 4, 'end': 'close', 'reply': {'body': '0123456789'}}", "GET",
         0, SR_STORAGE_E_UNAVAILABLE, SC_PHASE_REPLY, 3, 1, "cut short"},
        {"a length too large", "{'reply': {'body': '01234', 'length': 9, 'close': true}}", "GET", 0,
         SR_STORAGE_E_UNAVAILABLE, SC_PHASE_REPLY, 3, 1, "cut short"},
        {"a length too small", "{'times': 1, 'reply': {'body': '0123456789', 'length': 5}}", "GET",
         0, SR_STORAGE_OK, SC_PHASE_DONE, 1, 0, "01234"},
        {"a refusal that is cut",
         "{'at': 'reply-body', 'after': 4, 'reply': {'status': 403, 'body': '<Error/>'}}", "GET", 0,
         SR_STORAGE_E_DENIED, SC_PHASE_REPLY, 3, 1, "HTTP 403, cut short"},
        {"no length, ended by closing", "{'reply': {'body': 'open', 'length': null}}", "GET", 0,
         SR_STORAGE_OK, SC_PHASE_DONE, 1, 0, "open"},
        {"chunked", "{'reply': {'body': 'in pieces', 'chunked': true}}", "GET", 0, SR_STORAGE_OK,
         SC_PHASE_DONE, 1, 0, "in pieces"},
        {"chunk extensions", "{'reply': {'body': 'in pieces', 'chunked': 'extension'}}", "GET", 0,
         SR_STORAGE_OK, SC_PHASE_DONE, 1, 0, "in pieces"},
        {"trailers", "{'reply': {'body': 'in pieces', 'chunked': 'trailer'}}", "GET", 0,
         SR_STORAGE_OK, SC_PHASE_DONE, 1, 0, "in pieces"},
        {"no last chunk", "{'reply': {'body': 'in pieces', 'chunked': 'cut'}}", "GET", 0,
         SR_STORAGE_E_UNAVAILABLE, SC_PHASE_REPLY, 3, 1, "cut short"},
        {"a chunk of no size", "{'reply': {'body': 'in pieces', 'chunked': 'bad'}}", "GET", 0,
         SR_STORAGE_E_UNAVAILABLE, SC_PHASE_REPLY, 3, 1, "cut short"},
        {"interim answers", "{'reply': {'interim': [100, 102, 103], 'body': 'final'}}", "PUT", 0,
         SR_STORAGE_OK, SC_PHASE_DONE, 1, 0, "final"},
        {"interim answers for ever",
         "{'reply': {'interim': [102,102,102,102,102,102,102,102,102,102,102,102,102,102,102,102,"
         "102,102,102,102,102,102]}}",
         "GET", 0, SR_STORAGE_E_CORRUPT, SC_PHASE_REPLY, 1, 1, "without end"},
        {"another protocol", "{'reply': {'raw': 'SSH-2.0-OpenSSH_9.2\\r\\n'}}", "GET", 0,
         SR_STORAGE_E_UNAVAILABLE, SC_PHASE_REPLY, 3, 1, ""},
        {"an answer too long", "{'reply': {'repeat': ['0123456789abcdef', 70000]}}", "GET", 0,
         SR_STORAGE_E_CORRUPT, SC_PHASE_REPLY, 1, 1, "more than 1048576 bytes"},
        {"a refusal too long", "{'reply': {'status': 503, 'repeat': ['0123456789abcdef', 70000]}}",
         "GET", 0, SR_STORAGE_E_UNAVAILABLE, SC_PHASE_DONE, 3, 1, "HTTP 503"},
        {"refused early", "{'reply': {'status': 403, 'early': true, 'body': 'no'}}", "PUT", 1,
         SR_STORAGE_E_DENIED, SC_PHASE_DONE, 1, 0, "HTTP 403"},
        {"stalled before the answer",
         "{'times': 1, 'at': 'request', 'end': 'stall'}, {'reply': {}}", "PUT", 0, SR_STORAGE_OK,
         SC_PHASE_DONE, 2, 1, ""},
        {"stalled while sending",
         "{'times': 1, 'at': 'body', 'after': 99, 'end': 'stall'}, "
         "{'reply': {}}",
         "PUT", 1, SR_STORAGE_OK, SC_PHASE_DONE, 2, 0, ""},
        {"stalled in the answer",
         "{'times': 1, 'at': 'reply-body', 'after': 3, 'end': 'stall', 'reply': {'body': 'abcdef'}}"
         ", {'reply': {'body': 'abcdef'}}",
         "GET", 0, SR_STORAGE_OK, SC_PHASE_DONE, 2, 1, "abcdef"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture f;
        char rules[2048];
        begin(&f, NULL);
        (void)snprintf(rules, sizeof rules, "[%s]", rows[i].rules);
        scripted_rules(&server, rules);
        struct sc_call c = call_to(&server, rows[i].method, "/k");
        if (strcmp(rows[i].method, "PUT") == 0) {
            c.request.body = large;
            c.request.body_len = rows[i].sends_large ? LARGE : 1000;
        }
        if (strncmp(rows[i].name, "stalled", 7) == 0)
            c.stall_s = 1;
        int32_t code = sc_http_run(f.http, &c, &f.err);
        int tries = scripted_count(&server, "requests");
        int good = code == rows[i].code && code == c.code &&
                   (rows[i].phase == ANY || (int)c.response.phase == rows[i].phase) &&
                   tries == rows[i].tries &&
                   (rows[i].in_doubt == ANY || c.in_doubt == rows[i].in_doubt) &&
                   (code == SR_STORAGE_OK ? strcmp(sc_buf_str(&c.response.body), rows[i].text) == 0
                                          : strstr(f.err.text, rows[i].text) != NULL);
        if (!good)
            (void)fprintf(stderr, "%s: %s, phase %d, %d tries, in doubt %d: %s%s\n", rows[i].name,
                          sc_code_name(code), c.response.phase, tries, c.in_doubt, f.err.text,
                          sc_buf_str(&c.response.body));
        CU_ASSERT(good);
        sc_call_done(&c);
        end(&f);
    }
}

/* Bytes that came after an answer are not the next answer, or not taken for one. */
static void nothing_is_left_over_for_the_next(void)
{
    struct fixture f;
    begin(&f, NULL);
    scripted_rules(&server,
                   "[{'times': 1, 'reply': {'length': 2, 'body': 'ok, and what is too much'}},"
                   " {'reply': {'body': 'good'}}]");
    static const char *const want[] = {"ok", "good"};
    for (int i = 0; i < 2; i++) {
        struct sc_call c = call_to(&server, "GET", "/k");
        ASSERT_OK(sc_http_run(f.http, &c, &f.err), f.err);
        CU_ASSERT_STRING_EQUAL(sc_buf_str(&c.response.body), want[i]);
        sc_call_done(&c);
    }
    end(&f);
}

static void headers_are_bounded(void)
{
    struct fixture f;
    struct sc_buf rules = SC_BUF_INIT(4 << 20);
    begin(&f, NULL);
    for (int large_ones = 0; large_ones < 3; large_ones++) {
        sc_buf_reset(&rules);
        sc_buf_adds(&rules, "[{'reply': {'headers': [");
        int n = large_ones == 0 ? 200 : large_ones == 1 ? 30 : 1;
        size_t len = large_ones == 0 ? 1 : large_ones == 1 ? 8000 : 300000;
        for (int i = 0; i < n; i++) {
            sc_buf_addf(&rules, "%s['x-%d', '", i ? "," : "", i);
            for (size_t k = 0; k < len; k++)
                sc_buf_addc(&rules, 'v');
            sc_buf_adds(&rules, "']");
        }
        sc_buf_adds(&rules, "]}}]");
        scripted_rules(&server, sc_buf_str(&rules));
        struct sc_call c = call_to(&server, "GET", "/k");
        int32_t code = sc_http_run(f.http, &c, &f.err);
        /* The longest is beyond libcurl's own limit for one. */
        CU_ASSERT_EQUAL(code, large_ones == 2 ? SR_STORAGE_E_UNAVAILABLE : SR_STORAGE_E_CORRUPT);
        CU_ASSERT_PTR_NOT_NULL(strstr(f.err.text, "header"));
        CU_ASSERT_EQUAL(scripted_count(&server, "requests"), 1);
        sc_call_done(&c);
    }
    sc_buf_done(&rules);
    end(&f);
}

static int32_t number_it(struct sc_call *c, struct sc_error *err)
{
    char text[16];
    int *prepared = c->ctx;
    (void)snprintf(text, sizeof text, "%d", ++*prepared);
    return sc_headers_set(&c->request.headers, "x-try", text, err);
}

static void each_try_is_prepared(void)
{
    struct fixture f;
    int prepared = 0;
    begin(&f, NULL);
    scripted_rules(&server, "[{'times': 2, 'reply': {'status': 503}}, {'reply': {}}]");
    struct sc_call c = call_to(&server, "PUT", "/k");
    c.request.body = "body";
    c.request.body_len = 4;
    c.prepare = number_it;
    c.ctx = &prepared;
    ASSERT_OK(sc_http_run(f.http, &c, &f.err), f.err);
    json_t *got = scripted_requests(&server);
    CU_ASSERT_STRING_EQUAL(scripted_header(got, 0, "x-try"), "1");
    CU_ASSERT_STRING_EQUAL(scripted_header(got, 1, "x-try"), "2");
    CU_ASSERT_STRING_EQUAL(scripted_header(got, 2, "x-try"), "3");
    CU_ASSERT_STRING_EQUAL(scripted_field(got, 2, "body"), "body");
    json_decref(got);
    CU_ASSERT_EQUAL(c.tries, 3);
    sc_call_done(&c);
    end(&f);
}

static void judge_expired(struct sc_call *c, struct sc_verdict *v)
{
    if (c->response.status == 400 && strstr(sc_buf_str(&c->response.body), "ExpiredToken"))
        *v = (struct sc_verdict){SC_AGAIN, SR_STORAGE_E_DENIED, "ExpiredToken"};
}

static void what_the_judge_met_is_tried_at_once(void)
{
    static const struct sc_retry_policy slow = {2, 60000, 60000, 60000, 0};
    struct fixture f;
    begin(&f, NULL);
    scripted_rules(&server, "[{'times': 1, 'reply': {'status': 400, 'body': '<Code>ExpiredToken'}},"
                            "{'reply': {}}]");
    struct sc_call c = call_to(&server, "GET", "/k");
    c.judge = judge_expired;
    c.retry = &slow;
    ASSERT_OK(sc_http_run(f.http, &c, &f.err), f.err);
    scripted_rules(&server, "[{'reply': {'status': 400, 'body': '<Code>ExpiredToken'}}]");
    CU_ASSERT_EQUAL(sc_http_run(f.http, &c, &f.err), SR_STORAGE_E_DENIED);
    CU_ASSERT_EQUAL(scripted_count(&server, "requests"), SC_AGAIN_MAX + 1);
    sc_call_done(&c);
    end(&f);
}

static void the_server_says_when(void)
{
    static const struct {
        const char *header;
        int least_ms;
    } rows[] = {
        {"['Retry-After', '1']", 50}, /* capped */
        {"['retry-after-ms', '30']", 30},
        {"['Retry-After', 'Fri, 31 Dec 9999 23:59:59 GMT']", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture f;
        char rules[256];
        begin(&f, NULL);
        (void)snprintf(rules, sizeof rules,
                       "[{'times': 1, 'reply': {'status': 503, 'headers': [%s]}}, {'reply': {}}]",
                       rows[i].header);
        scripted_rules(&server, rules);
        struct sc_call c = call_to(&server, "GET", "/k");
        uint64_t began = test_ms();
        ASSERT_OK(sc_http_run(f.http, &c, &f.err), f.err);
        CU_ASSERT(test_ms() - began >= (uint64_t)rows[i].least_ms);
        CU_ASSERT_EQUAL(scripted_count(&server, "requests"), 2);
        sc_call_done(&c);
        end(&f);
    }
}

/* Neither the request nor its secrets go where a redirect points. */
static void redirects_are_not_followed(void)
{
    static const int statuses[] = {301, 302, 303, 307, 308};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        struct fixture f;
        char rules[256];
        begin(&f, NULL);
        (void)snprintf(rules, sizeof rules,
                       "[{'reply': {'status': %d, 'headers': [['Location', "
                       "'http://127.0.0.1:%u/elsewhere?X-Amz-Signature=5ec'], ['Refresh', '0']]}}]",
                       statuses[i], elsewhere.port);
        scripted_rules(&server, rules);
        scripted_rules(&elsewhere, "[]");
        struct sc_call c = call_to(&server, "PUT", "/k");
        c.request.body = "b";
        c.request.body_len = 1;
        ASSERT_OK(sc_headers_add(&c.request.headers, "Authorization", "AWS4 s3cret", &f.err),
                  f.err);
        ASSERT_OK(sc_headers_add(&c.request.headers, "x-amz-security-token", "s3cret", &f.err),
                  f.err);
        sc_query_add(&c.request.query, "X-Amz-Credential", "s3cret");
        CU_ASSERT_EQUAL(sc_http_run(f.http, &c, &f.err), SR_STORAGE_E_CONFIG);
        CU_ASSERT_EQUAL(c.response.status, statuses[i]);
        CU_ASSERT_EQUAL(scripted_count(&server, "requests"), 1);
        CU_ASSERT_EQUAL(scripted_count(&elsewhere, "connections"), 0);
        CU_ASSERT_PTR_NULL(strstr(f.err.text, "s3cret"));
        CU_ASSERT_PTR_NOT_NULL(strstr(f.err.text, "X-Amz-Credential=***"));
        CU_ASSERT_PTR_NULL(strstr(sc_buf_str(&f.h.log), "s3cret"));
        CU_ASSERT_PTR_NOT_NULL(strstr(sc_buf_str(&f.h.log), "4 test: PUT http://127.0.0.1"));
        sc_call_done(&c);
        end(&f);
    }
}

static void what_cannot_be_sent_is_not(void)
{
    struct fixture f;
    begin(&f, NULL);
    scripted_rules(&server, "[]");
    static const char *const paths[] = {"/a b", "/a\r\nX-Evil: 1", "/a?b", "/a#b", "nothing", ""};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct sc_call c = call_to(&server, "GET", paths[i]);
        CU_ASSERT_EQUAL(sc_http_run(f.http, &c, &f.err), SR_STORAGE_E_CONFIG);
        CU_ASSERT_EQUAL(c.response.phase, SC_PHASE_NONE);
        sc_call_done(&c);
    }
    struct sc_call c = call_to(&server, "GET", "/k");
    CU_ASSERT_EQUAL(sc_headers_add(&c.request.headers, "x-a", "1\r\nX-Evil: 1", &f.err),
                    SR_STORAGE_E_CONFIG);
    c.request.flags = SC_REQUEST_TLS_ONLY;
    ASSERT_OK(sc_request_target(&c.request, "GET", "http", "store.example", 0, &f.err), f.err);
    CU_ASSERT_EQUAL(sc_http_run(f.http, &c, &f.err), SR_STORAGE_E_CONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(f.err.text, "use https://"));
    sc_call_done(&c);
    CU_ASSERT_EQUAL(scripted_count(&server, "connections"), 0);
    end(&f);
}

/* A download that breaks twice and goes on where it was; tries are counted from each progress. */
struct download {
    uint64_t at;
    uint32_t sum;
};

static int32_t ask_for_the_rest(struct sc_call *c, struct sc_error *err)
{
    struct download *d = c->ctx;
    char range[64];
    if (d->at == 0)
        return SR_STORAGE_OK;
    (void)snprintf(range, sizeof range, "bytes=%llu-", (unsigned long long)d->at);
    return sc_headers_set(&c->request.headers, "Range", range, err);
}

static int32_t check_range(struct sc_call *c, struct sc_error *err)
{
    struct download *d = c->ctx;
    if (d->at > 0 && c->response.status != 206)
        return sc_fail(err, SR_STORAGE_E_CHANGED, "asked for a range, got the whole");
    return SR_STORAGE_OK;
}

static int32_t take(struct sc_call *c, const void *data, size_t len, struct sc_error *err)
{
    struct download *d = c->ctx;
    (void)err;
    for (size_t i = 0; i < len; i++)
        d->sum = d->sum * 31 + ((const unsigned char *)data)[i];
    d->at += len;
    return SR_STORAGE_OK;
}

static int32_t take_no_more(struct sc_call *c, const void *data, size_t len, struct sc_error *err)
{
    (void)data, (void)len, (void)err;
    struct download *d = c->ctx;
    return ++d->at > 2 ? SR_STORAGE_E_CANCELLED : SR_STORAGE_OK;
}

static void a_download_goes_on(void)
{
    static const struct sc_retry_policy few = {3, 1, 1, 1, 10000};
    struct fixture f;
    struct download d = {0}, want = {0};
    begin(&f, NULL);
    for (int i = 0; i < 100000; i++)
        for (const char *s = "abcdefghij"; *s; s++)
            want.sum = want.sum * 31 + (unsigned char)*s;
    scripted_rules(&server,
                   "[{'match': 'GET', 'header': {'range': '^bytes=300000-$'}, 'at': 'reply-body',"
                   "  'after': 200000, 'end': 'close', 'reply': {'status': 206, 'repeat': "
                   "['abcdefghij', 70000]}},"
                   " {'match': 'GET', 'header': {'range': '^bytes=500000-$'}, 'times': 1,"
                   "  'reply': {'status': 503, 'body': 'not for the sink'}},"
                   " {'match': 'GET', 'header': {'range': '^bytes=500000-$'},"
                   "  'reply': {'status': 206, 'repeat': ['abcdefghij', 50000]}},"
                   " {'match': 'GET', 'at': 'reply-body', 'after': 300000, 'end': 'close',"
                   "  'reply': {'repeat': ['abcdefghij', 100000]}}]");
    struct sc_call c = call_to(&server, "GET", "/k");
    c.prepare = ask_for_the_rest;
    c.head = check_range;
    c.sink = take;
    c.ctx = &d;
    c.retry = &few;
    ASSERT_OK(sc_http_run(f.http, &c, &f.err), f.err);
    CU_ASSERT_EQUAL(d.at, 1000000);
    CU_ASSERT_EQUAL(d.sum, want.sum);
    CU_ASSERT_EQUAL(scripted_count(&server, "requests"), 4);
    /* The range is ignored: the head is refused, not a byte goes to the sink. */
    scripted_rules(&server, "[{'reply': {'repeat': ['abcdefghij', 100000]}}]");
    d = (struct download){.at = 7};
    CU_ASSERT_EQUAL(sc_http_run(f.http, &c, &f.err), SR_STORAGE_E_CHANGED);
    CU_ASSERT_EQUAL(d.at, 7);
    CU_ASSERT_EQUAL(scripted_count(&server, "requests"), 1);
    d = (struct download){0};
    c.head = NULL;
    c.prepare = NULL;
    c.sink = take_no_more;
    CU_ASSERT_EQUAL(sc_http_run(f.http, &c, &f.err), SR_STORAGE_E_CANCELLED);
    CU_ASSERT_PTR_NOT_NULL(strstr(f.err.text, "asked for the end"));
    sc_call_done(&c);
    end(&f);
}

/* libcurl would send again by itself when a kept connection ends without an answer. */
static void a_dead_connection_costs_a_try(void)
{
    struct fixture f;
    begin(&f, NULL);
    scripted_rules(&server, "[{'match': 'PUT', 'times': 1, 'at': 'request', 'end': 'close'},"
                            " {'reply': {}}]");
    struct sc_call c = call_to(&server, "GET", "/k");
    ASSERT_OK(sc_http_run(f.http, &c, &f.err), f.err);
    sc_call_done(&c);
    c = call_to(&server, "PUT", "/k");
    c.request.body = "b";
    c.request.body_len = 1;
    ASSERT_OK(sc_http_run(f.http, &c, &f.err), f.err);
    CU_ASSERT_EQUAL(c.tries, 2);
    CU_ASSERT(c.in_doubt);
    CU_ASSERT_EQUAL(scripted_count(&server, "requests"), 3);
    sc_call_done(&c);
    end(&f);
}

static int64_t from_nowhere(void *ctx, uint64_t at, void *buf, size_t cap)
{
    uint64_t *total = ctx;
    uint64_t left = at < *total ? *total - at : 0;
    size_t n = cap < left ? cap : (size_t)left;
    for (size_t i = 0; i < n; i++)
        ((char *)buf)[i] = (char)('a' + (at + i) % 26);
    return (int64_t)n;
}

static void a_body_can_be_pulled(void)
{
    struct fixture f;
    uint64_t total = 100000;
    begin(&f, NULL);
    scripted_rules(&server, "[{'times': 1, 'at': 'body', 'after': 5000}, {'reply': {}}]");
    struct sc_call c = call_to(&server, "PUT", "/k");
    c.request.read = from_nowhere;
    c.request.read_ctx = &total;
    c.request.body_len = total;
    ASSERT_OK(sc_http_run(f.http, &c, &f.err), f.err);
    json_t *got = scripted_requests(&server);
    CU_ASSERT_STRING_EQUAL(scripted_field(got, 1, "sha256"),
                           "bc634ceb27746878af610424e3afd5024f31e06f1f3479deda6cb33a21258bf7");
    json_decref(got);
    total = 99999; /* it ends early: the request is given up */
    CU_ASSERT_EQUAL(sc_http_run(f.http, &c, &f.err), SR_STORAGE_E_CANCELLED);
    CU_ASSERT_PTR_NOT_NULL(strstr(f.err.text, "ended 1 before"));
    sc_call_done(&c);
    end(&f);
}

static void nobody_there(void)
{
    struct fixture f;
    begin(&f, NULL);
    struct sc_call c = call_to(&server, "GET", "/k");
    ASSERT_OK(sc_request_target(&c.request, "GET", "http", "127.0.0.1", 1, &f.err), f.err);
    CU_ASSERT_EQUAL(sc_http_run(f.http, &c, &f.err), SR_STORAGE_E_UNAVAILABLE);
    CU_ASSERT_EQUAL(c.response.phase, SC_PHASE_CONNECT);
    CU_ASSERT_FALSE(c.in_doubt);
    CU_ASSERT_EQUAL(c.tries, 3);
    ASSERT_OK(sc_request_target(&c.request, "GET", "http", "no-such-host.invalid", 0, &f.err),
              f.err);
    CU_ASSERT_EQUAL(sc_http_run(f.http, &c, &f.err), SR_STORAGE_E_UNAVAILABLE);
    CU_ASSERT_PTR_NOT_NULL(strstr(f.err.text, "the name is not known"));
    CU_ASSERT_PTR_NOT_NULL(strstr(sc_buf_str(&f.h.log), "use https://"));
    CU_ASSERT_PTR_NULL(strstr(strstr(sc_buf_str(&f.h.log), "use https://") + 1, "use https://"));
    sc_call_done(&c);
    end(&f);
}

static const struct unit_test tests[] = {
    {"an answer is taken", an_answer_is_taken},
    {"methods and bodies", methods_and_bodies},
    {"faults", faults},
    {"nothing is left over for the next answer", nothing_is_left_over_for_the_next},
    {"headers are bounded", headers_are_bounded},
    {"each try is prepared", each_try_is_prepared},
    {"what the judge met is tried at once", what_the_judge_met_is_tried_at_once},
    {"the server says when", the_server_says_when},
    {"redirects are not followed", redirects_are_not_followed},
    {"what cannot be sent is not", what_cannot_be_sent_is_not},
    {"a download goes on", a_download_goes_on},
    {"a dead connection costs a try", a_dead_connection_costs_a_try},
    {"a body can be pulled", a_body_can_be_pulled},
    {"nobody there", nobody_there},
    {0},
};

int main(void)
{
    struct sc_error err = SC_ERROR_INIT;
    static const char *const proxies[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                          "ALL_PROXY"};
    for (size_t i = 0; i < sizeof proxies / sizeof *proxies; i++)
        (void)unsetenv(proxies[i]);
    if (sc_http_global_init(&err) != SR_STORAGE_OK)
        return 2;
    large = malloc(LARGE);
    memset(large, 'x', LARGE);
    scripted_start(&server, (char *)NULL);
    scripted_start(&elsewhere, (char *)NULL);
    int rc = unit_main("http", tests);
    scripted_stop(&server);
    scripted_stop(&elsewhere);
    free(large);
    return rc;
}
