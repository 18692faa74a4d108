/* What a part is to S3; beginning, completion, abort. See "Multipart upload" in the S3 user guide.
 */
#include "s3/save.h"

#include <stdio.h>
#include <string.h>

#define LIST_MAX ((size_t)4 << 20)
#define ABORTS_MAX 5

struct upload {
    struct s3_saving *v;
    struct sc_upload *u;
};

/* --- parts ----------------------------------------------------------------------------------- */

static void part_took(void *ctx, const void *data, size_t len)
{
    const struct s3_saving *v = ctx;
    s3_summing_add(v->summing, data, len);
}

static int32_t part_sealed(void *ctx, unsigned number, struct sc_error *err)
{
    struct s3_saving *v = ctx;
    if (number > v->parts_cap) {
        unsigned cap = v->parts_cap ? v->parts_cap * 2 : 64;
        struct s3_part *p = realloc(v->parts, cap * sizeof *p);
        if (!p)
            return sc_fail_memory(err);
        memset(p + v->parts_cap, 0, (cap - v->parts_cap) * sizeof *p);
        v->parts = p;
        v->parts_cap = cap;
    }
    struct s3_part *part = &v->parts[number - 1];
    int32_t rc = s3_summing_end(v->summing, &part->sums, err);
    if (rc == SR_STORAGE_OK)
        s3_sums_append(&v->whole, &part->sums);
    return rc;
}

static int32_t part_request(void *ctx, unsigned number, const void *data, size_t len, void *call,
                            struct sc_error *err)
{
    struct s3_saving *v = ctx;
    struct s3_call *c = call;
    char text[16];
    (void)snprintf(text, sizeof text, "%u", number);
    int32_t rc = s3_call_begin(c, v->s, "PUT", v->key, err);
    c->wants_etag = 1;
    sc_query_add(&c->call.request.query, "partNumber", text);
    sc_query_add(&c->call.request.query, "uploadId", v->upload_id);
    if (rc == SR_STORAGE_OK)
        rc = s3_call_sse_c(c, err);
    return rc == SR_STORAGE_OK ? s3_call_body(c, data, len, &v->parts[number - 1].sums, err) : rc;
}

static int32_t part_done(void *ctx, unsigned number, void *call, struct sc_error *err)
{
    struct s3_saving *v = ctx;
    const struct s3_call *c = call;
    char etag[S3_ETAG_MAX];
    s3_etag_copy(&c->call.response, etag);
    v->parts[number - 1].etag = strdup(etag);
    return v->parts[number - 1].etag ? SR_STORAGE_OK : sc_fail_memory(err);
}

static void part_end(void *call)
{
    s3_call_end(call);
}

const struct sc_upload_ops s3_part_ops = {.call_size = sizeof(struct s3_call),
                                          .took = part_took,
                                          .sealed = part_sealed,
                                          .part = part_request,
                                          .done = part_done,
                                          .end = part_end};

/* --- begin, complete, abort ------------------------------------------------------------------ */

/* Uploads were or may have been begun whose ids we were never told. */
static void end_lost(struct upload *u, int64_t since)
{
    struct sc_error why = SC_ERROR_INIT;
    if (s3_sweep_lost(u->v->s, u->v->key, u->v->upload_id, since, &why) != SR_STORAGE_OK)
        sc_log(u->v->s->host, SR_STORAGE_LOG_WARN,
               "the answer to the beginning of an upload of %s was lost, and an empty one may be "
               "left (%s); strongroom sweep ends it when it is old, and so does a lifecycle rule "
               "for incomplete uploads",
               u->v->key, why.text);
}

static int32_t initiate(struct upload *u, struct sc_error *err)
{
    struct s3_call c;
    enum s3_sum kind = s3_sum_kind(u->v->s);
    const int64_t since = u->v->s->host->now(u->v->s->host);
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
    if (rc == SR_STORAGE_OK && (!id || !*id || strlen(id) >= sizeof u->v->upload_id))
        rc =
            sc_fail(err, SR_STORAGE_E_UNAVAILABLE, "the store began an upload without a usable id");
    if (rc == SR_STORAGE_OK)
        memcpy(u->v->upload_id, id, strlen(id) + 1);
    if (c.call.in_doubt || s3_call_outcome_open(&c) || (rc != SR_STORAGE_OK && c.xml))
        end_lost(u, since);
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
    for (unsigned i = 0; i < sc_upload_count(u->u); i++) {
        sc_buf_adds(b, "<Part>");
        for (size_t k = 0; k < sizeof elements / sizeof *elements; k++)
            if (elements[k].kind == kind) {
                s3_sum_text(&u->v->parts[i].sums, kind, text);
                sc_buf_addf(b, "<%s>%s</%s>", elements[k].element, text, elements[k].element);
            }
        sc_buf_adds(b, "<ETag>\"");
        sc_xml_escape(b, u->v->parts[i].etag);
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

/* What is said of the whole object at its completion, by which the store refuses what is not that.
 */
static int32_t complete_headers(const struct s3_saving *v, struct s3_call *c, int condition,
                                struct sc_error *err)
{
    enum s3_sum kind = s3_sum_kind(v->s);
    int32_t rc = s3_call_header(c, err, "content-type", "application/xml");
    if (rc == SR_STORAGE_OK && condition)
        rc = s3_call_header(c, err, "if-none-match", "*");
    if (rc == SR_STORAGE_OK)
        rc = s3_call_sse_c(c, err);
    if (rc == SR_STORAGE_OK && (kind == S3_SUM_CRC64NVME || kind == S3_SUM_CRC32C)) {
        char name[48], text[S3_SUM_TEXT_SIZE];
        (void)snprintf(name, sizeof name, "x-amz-checksum-%s", s3_sum_name(kind));
        s3_sum_text(&v->whole, kind, text);
        rc = s3_call_header(c, err, name, "%s", text);
        if (rc == SR_STORAGE_OK)
            rc = s3_call_header(c, err, "x-amz-checksum-type", "FULL_OBJECT");
    }
    /* Known at Amazon, and where the modern checksums are; others might refuse what they do not
     * know. */
    if (rc == SR_STORAGE_OK && (v->s->amazon || s3_sum_name(kind)))
        rc = s3_call_header(c, err, "x-amz-mp-object-size", "%llu",
                            (unsigned long long)v->whole.len);
    return rc;
}

/* It is there: is it what was sent? */
static int32_t complete_confirm(struct s3_saving *v, const struct s3_call *c, struct sc_error *err)
{
    const struct sc_response *r = &c->call.response;
    int32_t rc =
        s3_sums_confirm_whole(sc_xml_root(c->xml), &v->whole, s3_sum_kind(v->s), v->saved, err);
    if (rc == SR_STORAGE_E_CORRUPT)
        return s3_saving_spoilt(v, r, err);
    s3_saving_version(v, r);
    return sc_settle_confirm(&v->settled, v->whole.len, err);
}

static int32_t complete_once(struct s3_saving *v, void *ctx, int *ret_refused, struct sc_error *err)
{
    const struct sc_buf *parts = ctx;
    struct s3_call c;
    int condition = s3_saving_condition(v);
    int32_t rc = s3_call_begin(&c, v->s, "POST", v->key, err);
    c.root = "CompleteMultipartUploadResult";
    c.call.judge = complete_judge;
    sc_call_commits(&c.call);
    sc_query_add(&c.call.request.query, "uploadId", v->upload_id);
    if (rc == SR_STORAGE_OK)
        rc = complete_headers(v, &c, condition, err);
    if (rc == SR_STORAGE_OK)
        rc = s3_call_body(&c, parts->data, parts->len, NULL, err);
    if (rc == SR_STORAGE_OK)
        rc = s3_call_run(&c, err);
    *ret_refused = condition && rc != SR_STORAGE_OK && s3_saving_refused(v, &c, err);
    if (rc != SR_STORAGE_OK && s3_call_outcome_open(&c))
        rc = sc_settle_lost(&v->settled, v->whole.len, c.call.unanswered, err);
    else if (rc == SR_STORAGE_OK)
        rc = complete_confirm(v, &c, err);
    s3_call_end(&c);
    return rc;
}

static int32_t complete(struct upload *u, struct sc_error *err)
{
    struct sc_buf parts = SC_BUF_INIT(LIST_MAX);
    const struct s3_saving_once once = {complete_once, &parts};
    complete_body(u, &parts);
    int32_t rc = sc_buf_check(&parts, err, "the list of parts");
    /* Hours may have passed since the look at the beginning. */
    if (rc == SR_STORAGE_OK && !s3_saving_guarded(u->v))
        rc = s3_saving_look(u->v, err);
    if (rc == SR_STORAGE_OK)
        rc = s3_saving_try(u->v, &once, err);
    sc_buf_done(&parts);
    return rc == SR_STORAGE_OK
               ? rc
               : sc_error_wrap(err, "putting its %u parts together", sc_upload_count(u->u));
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
    sc_upload_stop(u->u);
    if (u->v->upload_id[0] &&
        s3_upload_abort(u->v->s, u->v->key, u->v->upload_id, &err) != SR_STORAGE_OK)
        sc_log(u->v->s->host, SR_STORAGE_LOG_WARN,
               "the unfinished upload of %s could not be ended (%s); strongroom sweep does it "
               "later, and so does a lifecycle rule for incomplete uploads",
               u->v->key, err.text);
}

int32_t s3_multipart(struct s3_saving *v, struct sc_upload *parts, struct sc_error *err)
{
    struct upload up = {.v = v, .u = parts}, *u = &up;
    int32_t rc = initiate(u, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_upload_run(parts, err);
    if (rc == SR_STORAGE_OK)
        rc = complete(u, err);
    if (rc != SR_STORAGE_OK)
        give_up(u);
    return rc;
}
