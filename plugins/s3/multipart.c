/* Parts in parallel. Memory is plan.memory: each buffer is a part that is on its way, or the one
 * that fills. See "Multipart upload" in the S3 user guide. */
#include "s3/save.h"

#include <stdio.h>
#include <string.h>

#define WAIT_MS 10           /* for the network, before the source is asked again */
#define IDLE_MS 500          /* for the source, while nothing is on its way */
#define COMPLETE_STALL_S 300 /* putting 10,000 parts together takes its time */
#define LIST_MAX ((size_t)4 << 20)
#define ABORTS_MAX 5
#define SLOTS_MAX 65 /* concurrency + 1 */

struct slot {
    struct s3_call call; /* first: finished calls are slots */
    struct s3_buffer buf;
    int busy;
};

struct done {
    char *etag;
    struct s3_sums sums;
};

struct upload {
    struct s3_saving *v;
    char id[S3_UPLOAD_ID_MAX];
    struct slot slots[SLOTS_MAX];
    unsigned slots_len;
    unsigned most; /* parts under way at once; fewer after the store asked for less */
    uint64_t held; /* bytes of all buffers */
    struct done *parts;
    unsigned parts_len, parts_cap;
    struct s3_sums whole;
    int open; /* the answer to the completion was lost, and no object was there then */
};

/* --- buffers --------------------------------------------------------------------------------- */

static void buffer_drop(struct upload *u, struct slot *slot)
{
    u->held -= slot->buf.cap;
    free(slot->buf.data);
    slot->buf = (struct s3_buffer){0};
}

static struct slot *slot_idle(struct upload *u, uint64_t size)
{
    struct slot *other = NULL;
    for (unsigned i = 0; i < u->slots_len; i++) {
        struct slot *slot = &u->slots[i];
        if (slot->busy)
            continue;
        if (slot->buf.cap == size)
            return slot;
        other = slot;
    }
    return other;
}

static unsigned busy(const struct upload *u)
{
    unsigned n = 0;
    for (unsigned i = 0; i < u->slots_len; i++)
        n += u->slots[i].busy != 0;
    return n;
}

/* Room for a part of that size within the memory; NULL: only when something on its way has come
 * back. */
static int32_t slot_take(struct upload *u, uint64_t size, struct slot **ret, struct sc_error *err)
{
    *ret = NULL;
    if (busy(u) >= u->slots_len)
        return SR_STORAGE_OK;
    struct slot *slot = slot_idle(u, size);
    if (slot->buf.cap != size) {
        /* A part has grown: buffers of the old size make room for one of the new. */
        for (unsigned i = 0; i < u->slots_len; i++)
            if (!u->slots[i].busy && u->slots[i].buf.cap != size)
                buffer_drop(u, &u->slots[i]);
        if (u->held + size > u->v->plan.memory && busy(u) > 0)
            return SR_STORAGE_OK;
        slot->buf.data = malloc((size_t)size);
        if (!slot->buf.data)
            return sc_fail_memory(err);
        slot->buf.cap = (size_t)size;
        u->held += size;
    }
    slot->buf.len = 0;
    *ret = slot;
    return SR_STORAGE_OK;
}

/* --- parts ----------------------------------------------------------------------------------- */

static int32_t part_new(struct upload *u, const struct s3_sums *sums, struct sc_error *err)
{
    if (u->parts_len == u->parts_cap) {
        unsigned cap = u->parts_cap ? u->parts_cap * 2 : 64;
        struct done *p = realloc(u->parts, cap * sizeof *p);
        if (!p)
            return sc_fail_memory(err);
        u->parts = p;
        u->parts_cap = cap;
    }
    u->parts[u->parts_len++] = (struct done){.sums = *sums};
    s3_sums_append(&u->whole, sums);
    return SR_STORAGE_OK;
}

static int32_t part_send(struct upload *u, struct slot *slot, const struct s3_sums *sums,
                         struct sc_error *err)
{
    struct s3_call *c = &slot->call;
    char number[16];
    int32_t rc = part_new(u, sums, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    (void)snprintf(number, sizeof number, "%u", u->parts_len);
    rc = s3_call_begin(c, u->v->s, "PUT", u->v->key, err);
    slot->busy = 1; /* from here on the call is ended with the slot */
    c->index = u->parts_len - 1;
    c->wants_etag = 1;
    sc_query_add(&c->call.request.query, "partNumber", number);
    sc_query_add(&c->call.request.query, "uploadId", u->id);
    if (rc == SR_STORAGE_OK)
        rc = s3_call_sse_c(c, err);
    if (rc == SR_STORAGE_OK)
        rc = s3_call_body(c, slot->buf.data, slot->buf.len, sums, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_http_add(u->v->s->http, &c->call, err);
    if (rc != SR_STORAGE_OK) {
        s3_call_end(c);
        slot->busy = 0;
    }
    return rc;
}

static int32_t part_finished(struct upload *u, struct slot *slot, struct sc_error *err)
{
    struct sc_call *call = &slot->call.call;
    char etag[S3_ETAG_MAX];
    int32_t rc = call->code;
    s3_etag_copy(&call->response, etag);
    if (rc != SR_STORAGE_OK) {
        *err = call->error;
        (void)sc_error_wrap(err, "part %u", slot->call.index + 1);
    } else if (!(u->parts[slot->call.index].etag = strdup(etag))) {
        rc = sc_fail_memory(err);
    }
    if (call->throttled > 0 && u->most > 1) {
        u->most--;
        sc_log(u->v->s->host, SR_STORAGE_LOG_VERBOSE,
               "the store asks for fewer requests; %u parts at once from now on", u->most);
    }
    slot->busy = 0;
    s3_call_end(&slot->call);
    return rc;
}

/* Moves what is on its way; waits up to timeout_ms for one part to come back. */
static int32_t turn(struct upload *u, int timeout_ms, struct sc_error *err)
{
    struct sc_call *finished = NULL;
    int32_t rc = SR_STORAGE_OK;
    do {
        rc = sc_http_poll(u->v->s->http, timeout_ms, &finished, err);
        if (rc == SR_STORAGE_OK && finished)
            rc = part_finished(u, (struct slot *)finished, err);
        timeout_ms = 0;
    } while (rc == SR_STORAGE_OK && finished);
    return rc;
}

/* The source must never wait for the network longer than a buffer takes, nor the network for the
 * source: neither is asked to wait while the other has something to do. */
static int32_t part_fill(struct upload *u, struct slot *slot, struct sc_error *err)
{
    int32_t rc = SR_STORAGE_OK;
    int again = 0;
    while (rc == SR_STORAGE_OK && !u->v->eof && slot->buf.len < slot->buf.cap) {
        int alone = busy(u) == 0;
        rc = s3_saving_pull(u->v, &slot->buf, alone ? IDLE_MS : 0, &again, err);
        if (rc == SR_STORAGE_OK && !alone)
            rc = turn(u, again ? WAIT_MS : 0, err);
    }
    return rc;
}

/* The next part's buffer, as soon as there is one. */
static int32_t slot_await(struct upload *u, uint64_t size, struct slot **ret, struct sc_error *err)
{
    int32_t rc = slot_take(u, size, ret, err);
    while (rc == SR_STORAGE_OK && !*ret) {
        rc = turn(u, IDLE_MS, err);
        if (rc == SR_STORAGE_OK)
            rc = slot_take(u, size, ret, err);
    }
    return rc;
}

static int32_t parts_send(struct upload *u, struct sc_error *err)
{
    struct s3_saving *v = u->v;
    struct s3_sums sums;
    int32_t rc = SR_STORAGE_OK;
    while (rc == SR_STORAGE_OK && !v->eof) {
        struct slot *slot = NULL;
        uint64_t size = s3_plan_size(&v->plan, u->parts_len + 1);
        if (size == 0)
            return sc_fail(
                err, SR_STORAGE_E_NO_SPACE,
                "it is larger than the %llu bytes that an object can have with part_size, "
                "concurrency and max_parts as they are; set a larger part_size",
                (unsigned long long)v->plan.largest);
        rc = slot_await(u, size, &slot, err);
        if (rc == SR_STORAGE_OK)
            rc = part_fill(u, slot, err);
        if (rc == SR_STORAGE_OK && slot->buf.len == 0)
            break; /* the object ended with the part before */
        if (rc == SR_STORAGE_OK)
            rc = s3_summing_end(v->summing, &sums, err);
        while (rc == SR_STORAGE_OK && busy(u) >= u->most)
            rc = turn(u, IDLE_MS, err);
        if (rc == SR_STORAGE_OK)
            rc = part_send(u, slot, &sums, err);
    }
    while (rc == SR_STORAGE_OK && busy(u) > 0)
        rc = turn(u, IDLE_MS, err);
    return rc;
}

/* --- begin, complete, abort ------------------------------------------------------------------ */

/* Uploads were or may have been begun whose ids we were never told. */
static void end_lost(struct upload *u)
{
    struct sc_error why = SC_ERROR_INIT;
    if (s3_sweep_lost(u->v->s, u->v->key, u->id, &why) != SR_STORAGE_OK)
        sc_log(u->v->s->host, SR_STORAGE_LOG_WARN,
               "the answer to the beginning of an upload of %s was lost, and whether an empty one "
               "is left cannot be seen (%s); strongroom sweep ends it, and so does a lifecycle "
               "rule for incomplete uploads",
               u->v->key, why.text);
}

static int32_t initiate(struct upload *u, struct sc_error *err)
{
    struct s3_call c;
    enum s3_sum kind = s3_sum_kind(u->v->s);
    int32_t rc = s3_call_begin(&c, u->v->s, "POST", u->v->key, err);
    c.root = "InitiateMultipartUploadResult";
    sc_query_add(&c.call.request.query, "uploads", NULL);
    if (rc == SR_STORAGE_OK)
        rc = s3_saving_headers(u->v, &c, err);
    if (rc == SR_STORAGE_OK && s3_sum_name(kind)) {
        char name[16];
        size_t n = 0;
        for (const char *p = s3_sum_name(kind); *p; p++)
            name[n++] = *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p;
        name[n] = '\0';
        rc = s3_call_header(&c, err, "x-amz-checksum-algorithm", "%s", name);
        if (rc == SR_STORAGE_OK)
            rc = s3_call_header(&c, err, "x-amz-checksum-type", "%s",
                                kind == S3_SUM_SHA256 ? "COMPOSITE" : "FULL_OBJECT");
    }
    if (rc == SR_STORAGE_OK)
        rc = s3_call_run(&c, err);
    const char *id = rc == SR_STORAGE_OK ? sc_xml_text(sc_xml_root(c.xml), "UploadId") : NULL;
    if (rc == SR_STORAGE_OK && (!id || !*id || strlen(id) >= sizeof u->id))
        rc =
            sc_fail(err, SR_STORAGE_E_UNAVAILABLE, "the store began an upload without a usable id");
    if (rc == SR_STORAGE_OK)
        memcpy(u->id, id, strlen(id) + 1);
    if (c.call.in_doubt || s3_call_outcome_open(&c) || (rc != SR_STORAGE_OK && c.xml))
        end_lost(u);
    s3_call_end(&c);
    return rc == SR_STORAGE_OK ? rc : sc_error_wrap(err, "beginning an upload in parts");
}

static void complete_body(const struct upload *u, struct sc_buf *b)
{
    static const struct {
        enum s3_sum kind;
        const char *element;
    } elements[] = {{S3_SUM_CRC64NVME, "ChecksumCRC64NVME"},
                    {S3_SUM_CRC32C, "ChecksumCRC32C"},
                    {S3_SUM_SHA256, "ChecksumSHA256"}};
    enum s3_sum kind = s3_sum_kind(u->v->s);
    char text[S3_SUM_TEXT_SIZE];
    sc_buf_adds(b, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (unsigned i = 0; i < u->parts_len; i++) {
        sc_buf_adds(b, "<Part>");
        for (size_t k = 0; k < sizeof elements / sizeof *elements; k++)
            if (elements[k].kind == kind) {
                s3_sum_text(&u->parts[i].sums, kind, text);
                sc_buf_addf(b, "<%s>%s</%s>", elements[k].element, text, elements[k].element);
            }
        sc_buf_adds(b, "<ETag>\"");
        sc_xml_escape(b, u->parts[i].etag);
        sc_buf_addf(b, "\"</ETag><PartNumber>%u</PartNumber></Part>", i + 1);
    }
    sc_buf_adds(b, "</CompleteMultipartUpload>");
}

/* A conflict with another writer ends an upload for good, where a single PUT may be tried again. */
static void complete_judge(struct sc_call *call, struct sc_verdict *v)
{
    struct s3_call *c = (struct s3_call *)call;
    s3_answer_judge(call, v);
    if (strcmp(c->aws_code, "ConditionalRequestConflict") == 0)
        v->cls = SC_FINAL;
    const struct sc_xml_node *root = v->cls == SC_DONE && c->xml ? sc_xml_root(c->xml) : NULL;
    const char *etag = sc_xml_text(root, "ETag");
    if (root && (!etag || !*etag)) {
        v->cls = SC_RETRY;
        v->code = SR_STORAGE_E_UNAVAILABLE;
        (void)snprintf(v->text, sizeof v->text, "HTTP %d that names nothing that was made",
                       call->response.status);
    }
}

static int32_t complete_once(struct upload *u, const struct sc_buf *body, int *ret_unsupported,
                             struct sc_error *err)
{
    struct s3_saving *v = u->v;
    struct s3_call c;
    enum s3_sum kind = s3_sum_kind(v->s);
    int condition = s3_saving_condition(v);
    int32_t rc = s3_call_begin(&c, v->s, "POST", v->key, err);
    c.root = "CompleteMultipartUploadResult";
    c.call.judge = complete_judge;
    c.call.stall_s = COMPLETE_STALL_S;
    sc_query_add(&c.call.request.query, "uploadId", u->id);
    if (rc == SR_STORAGE_OK)
        rc = s3_call_header(&c, err, "content-type", "application/xml");
    if (rc == SR_STORAGE_OK && condition)
        rc = s3_call_header(&c, err, "if-none-match", "*");
    if (rc == SR_STORAGE_OK)
        rc = s3_call_sse_c(&c, err);
    if (rc == SR_STORAGE_OK && (kind == S3_SUM_CRC64NVME || kind == S3_SUM_CRC32C)) {
        char name[48], text[S3_SUM_TEXT_SIZE];
        (void)snprintf(name, sizeof name, "x-amz-checksum-%s", s3_sum_name(kind));
        s3_sum_text(&u->whole, kind, text);
        rc = s3_call_header(&c, err, name, "%s", text);
        if (rc == SR_STORAGE_OK)
            rc = s3_call_header(&c, err, "x-amz-checksum-type", "FULL_OBJECT");
    }
    if (rc == SR_STORAGE_OK && v->s->amazon)
        rc = s3_call_header(&c, err, "x-amz-mp-object-size", "%llu",
                            (unsigned long long)u->whole.len);
    if (rc == SR_STORAGE_OK)
        rc = s3_call_body(&c, body->data, body->len, NULL, err);
    if (rc == SR_STORAGE_OK)
        rc = s3_call_run(&c, err);
    *ret_unsupported = condition && rc == SR_STORAGE_E_UNSUPPORTED;
    if (rc != SR_STORAGE_OK && s3_call_outcome_open(&c)) {
        rc = s3_saving_settle(v, u->whole.len, err);
        u->open = rc != SR_STORAGE_OK && rc != SR_STORAGE_E_EXISTS && rc != SR_STORAGE_E_IN_DOUBT;
    } else if (rc == SR_STORAGE_OK)
        rc = s3_saving_confirm_size(v, u->whole.len, err);
    s3_call_end(&c);
    return rc;
}

static int32_t complete(struct upload *u, struct sc_error *err)
{
    struct sc_buf body = SC_BUF_INIT(LIST_MAX);
    int unsupported = 0;
    complete_body(u, &body);
    int32_t rc = sc_buf_check(&body, err, "the list of parts");
    /* Hours may have passed since the look at the beginning. */
    if (rc == SR_STORAGE_OK && !s3_saving_guarded(u->v))
        rc = s3_saving_look(u->v, err);
    if (rc == SR_STORAGE_OK)
        rc = complete_once(u, &body, &unsupported, err);
    if (unsupported) {
        rc = s3_saving_no_condition(u->v, err);
        if (rc == SR_STORAGE_OK)
            rc = complete_once(u, &body, &unsupported, err);
    }
    sc_buf_done(&body);
    return rc == SR_STORAGE_OK ? rc
                               : sc_error_wrap(err, "putting its %u parts together", u->parts_len);
}

/* One DELETE; then whether a part is still there: one that was on its way can arrive after it. */
static int32_t abort_once(struct s3 *s, const char *key, const char *id, int *ret_left,
                          struct sc_error *err)
{
    struct s3_call c;
    int32_t rc = s3_call_begin(&c, s, "DELETE", key, err);
    s3_call_cleaning_up(&c);
    sc_query_add(&c.call.request.query, "uploadId", id);
    if (rc == SR_STORAGE_OK)
        rc = s3_call_run(&c, err);
    s3_call_end(&c);
    *ret_left = 0;
    if (rc != SR_STORAGE_OK)
        return rc == SR_STORAGE_E_NOT_FOUND ? SR_STORAGE_OK : rc;
    rc = s3_call_begin(&c, s, "GET", key, err);
    s3_call_cleaning_up(&c);
    c.root = "ListPartsResult";
    sc_query_add(&c.call.request.query, "uploadId", id);
    sc_query_add(&c.call.request.query, "max-parts", "1");
    if (rc == SR_STORAGE_OK)
        rc = s3_call_run(&c, err);
    *ret_left = rc == SR_STORAGE_OK && sc_xml_child(sc_xml_root(c.xml), "Part") != NULL;
    s3_call_end(&c);
    if (rc == SR_STORAGE_E_DENIED)
        sc_log(s->host, SR_STORAGE_LOG_VERBOSE,
               "the upload of %s was ended; no right to see whether a part is left of it", key);
    /* Not found is what an upload that ended looks like. */
    return rc == SR_STORAGE_E_NOT_FOUND || rc == SR_STORAGE_E_DENIED ? SR_STORAGE_OK : rc;
}

int32_t s3_upload_abort(struct s3 *s, const char *key, const char *upload_id, struct sc_error *err)
{
    int left = 1;
    int32_t rc = SR_STORAGE_OK;
    for (int i = 0; i < ABORTS_MAX && left && rc == SR_STORAGE_OK; i++)
        rc = abort_once(s, key, upload_id, &left, err);
    if (rc == SR_STORAGE_OK && left)
        rc = sc_fail(err, SR_STORAGE_E_UNAVAILABLE,
                     "parts are still there after %d requests to end it", ABORTS_MAX);
    return rc;
}

static void give_up(struct upload *u)
{
    struct sc_error err = SC_ERROR_INIT;
    for (unsigned i = 0; i < u->slots_len; i++) {
        struct slot *slot = &u->slots[i];
        if (!slot->busy)
            continue;
        sc_http_remove(u->v->s->http, &slot->call.call);
        s3_call_end(&slot->call);
        slot->busy = 0;
    }
    if (u->id[0] && s3_upload_abort(u->v->s, u->v->key, u->id, &err) != SR_STORAGE_OK)
        sc_log(u->v->s->host, SR_STORAGE_LOG_WARN,
               "the unfinished upload of %s could not be ended (%s); strongroom sweep does it "
               "later, and so does a lifecycle rule for incomplete uploads",
               u->v->key, err.text);
}

static void upload_done(struct upload *u)
{
    for (unsigned i = 0; i < u->slots_len; i++)
        free(u->slots[i].buf.data);
    for (unsigned i = 0; i < u->parts_len; i++)
        free(u->parts[i].etag);
    free(u->parts);
    free(u);
}

/* The two buffers that were filled to find out that there is more than one part. */
static int32_t begin_with(struct upload *u, struct s3_buffer *first, const struct s3_sums *sums,
                          struct s3_buffer *second, struct sc_error *err)
{
    struct s3_sums next;
    u->slots[0].buf = *first;
    u->slots[1].buf = *second;
    u->held = first->cap + second->cap;
    *first = *second = (struct s3_buffer){0};
    int32_t rc = part_send(u, &u->slots[0], sums, err);
    if (rc == SR_STORAGE_OK)
        rc = part_fill(u, &u->slots[1], err);
    if (rc == SR_STORAGE_OK)
        rc = s3_summing_end(u->v->summing, &next, err);
    while (rc == SR_STORAGE_OK && busy(u) >= u->most)
        rc = turn(u, IDLE_MS, err);
    return rc == SR_STORAGE_OK ? part_send(u, &u->slots[1], &next, err) : rc;
}

int32_t s3_multipart(struct s3_saving *v, struct s3_buffer *first, const struct s3_sums *first_sums,
                     struct s3_buffer *second, struct sc_error *err)
{
    struct upload *u = calloc(1, sizeof *u);
    if (!u)
        return sc_fail_memory(err);
    u->v = v;
    u->most = v->s->set.concurrency;
    u->slots_len = u->most + 1;
    int32_t rc = initiate(u, err);
    if (rc == SR_STORAGE_OK)
        rc = begin_with(u, first, first_sums, second, err);
    if (rc == SR_STORAGE_OK)
        rc = parts_send(u, err);
    if (rc == SR_STORAGE_OK)
        rc = complete(u, err);
    if (rc != SR_STORAGE_OK)
        give_up(u);
    /* A completion that was still under way at the first look has ended now, one way or the other.
     */
    if (rc != SR_STORAGE_OK && u->open)
        rc = s3_saving_settle(v, u->whole.len, err);
    upload_done(u);
    return rc;
}
