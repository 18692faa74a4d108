/* Parts in parallel: "XML API multipart uploads" in Google's documentation. No precondition guards
 * their completion; when this is used all the same is said in save.h. */
#include "gcs/save.h"

#include "common/timefmt.h"

#include <stdio.h>
#include <string.h>

#define LIST_MAX ((size_t)4 << 20)
#define ABORTS_MAX 5

struct upload {
    struct gcs_saving *v;
    struct sc_upload *u;
};

/* --- parts ----------------------------------------------------------------------------------- */

static int32_t part_sealed(void *ctx, unsigned number, struct sc_error *err)
{
    struct gcs_saving *v = ctx;
    if (number > v->parts_cap) {
        unsigned cap = v->parts_cap ? v->parts_cap * 2 : 64;
        struct gcs_part *p = realloc(v->parts, cap * sizeof *p);
        if (!p)
            return sc_fail_memory(err);
        memset(p + v->parts_cap, 0, (cap - v->parts_cap) * sizeof *p);
        v->parts = p;
        v->parts_cap = cap;
    }
    v->parts[number - 1].crc32c = v->part_crc32c;
    v->parts[number - 1].len = v->part_len;
    v->part_crc32c = 0;
    v->part_len = 0;
    return SR_STORAGE_OK;
}

static int32_t part_request(void *ctx, unsigned number, const void *data, size_t len, void *call,
                            struct sc_error *err)
{
    struct gcs_saving *v = ctx;
    struct gcs_call *c = call;
    char text[16], crc[GCS_CRC_TEXT];
    (void)snprintf(text, sizeof text, "%u", number);
    gcs_crc_text(v->parts[number - 1].crc32c, crc);
    int32_t rc = gcs_call_begin(c, v->s, "PUT", GCS_API_XML, v->key, err);
    c->wants_etag = 1;
    sc_query_add(&c->call.request.query, "partNumber", text);
    sc_query_add(&c->call.request.query, "uploadId", v->upload_id);
    c->call.request.body = data;
    c->call.request.body_len = len;
    if (rc == SR_STORAGE_OK)
        rc = gcs_call_header(c, err, "x-goog-hash", "crc32c=%s", crc);
    return rc == SR_STORAGE_OK ? gcs_call_customer_key(c, err) : rc;
}

static int32_t part_done(void *ctx, unsigned number, void *call, struct sc_error *err)
{
    struct gcs_saving *v = ctx;
    const struct gcs_call *c = call;
    struct gcs_part *part = &v->parts[number - 1];
    const char *etag = sc_headers_get(&c->call.response.headers, "etag");
    uint32_t crc = 0;
    if (gcs_crc_stated(&c->call.response.headers, &crc) == 0 && crc != part->crc32c)
        return sc_fail(err, SR_STORAGE_E_CORRUPT,
                       "Google states another crc32c than that of what was sent");
    part->etag = strdup(etag ? etag : "");
    return part->etag ? SR_STORAGE_OK : sc_fail_memory(err);
}

static void part_end(void *call)
{
    gcs_call_end(call);
}

const struct sc_upload_ops gcs_part_ops = {.call_size = sizeof(struct gcs_call),
                                           .took = gcs_saving_took,
                                           .sealed = part_sealed,
                                           .part = part_request,
                                           .done = part_done,
                                           .end = part_end};

/* --- begin ----------------------------------------------------------------------------------- */

static int32_t lock_headers(const struct gcs_saving *v, struct gcs_call *c, struct sc_error *err)
{
    char until[SC_TIME_ISO_SIZE];
    if (v->retain_until == 0)
        return SR_STORAGE_OK;
    sc_time_iso(v->retain_until, until);
    int locked = strcmp(v->s->set.lock_mode, "Locked") == 0;
    int32_t rc = gcs_call_header(c, err, "x-goog-object-lock-mode", "%s",
                                 locked ? "COMPLIANCE" : "GOVERNANCE");
    return rc == SR_STORAGE_OK
               ? gcs_call_header(c, err, "x-goog-object-lock-retain-until-date", "%s", until)
               : rc;
}

/* What gcs_saving_describe says in JSON. */
static int32_t headers(const struct gcs_saving *v, struct gcs_call *c, struct sc_error *err)
{
    const struct gcs_settings *set = &v->s->set;
    char name[128], now[SC_TIME_ISO_SIZE];
    sc_time_iso(v->s->host->now(v->s->host), now);
    const struct {
        const char *name, *value;
    } plain[] = {
        {"content-type", "application/octet-stream"},
        {"x-goog-meta-" GCS_MARK_NAME, v->settled.mark},
        {"x-goog-storage-class", set->storage_class},
        {"x-goog-encryption-kms-key-name", set->kms_key},
        {"x-goog-custom-time", set->custom_time ? now : NULL},
    };
    int32_t rc = SR_STORAGE_OK;
    for (size_t i = 0; i < sizeof plain / sizeof *plain && rc == SR_STORAGE_OK; i++)
        if (plain[i].value)
            rc = gcs_call_header(c, err, plain[i].name, "%s", plain[i].value);
    const char *const *pair = v->object->metadata;
    for (; pair && pair[0] && pair[1] && rc == SR_STORAGE_OK; pair += 2) {
        (void)snprintf(name, sizeof name, "x-goog-meta-%.100s", pair[0]);
        rc = gcs_call_header(c, err, name, "%s", pair[1]);
    }
    if (rc == SR_STORAGE_OK)
        rc = lock_headers(v, c, err);
    return rc == SR_STORAGE_OK ? gcs_call_customer_key(c, err) : rc;
}

/* Uploads were or may have been begun whose ids we were never told. */
static void end_lost(const struct gcs_saving *v, int64_t since)
{
    struct sc_error why = SC_ERROR_INIT;
    if (gcs_sweep_lost(v->s, v->key, v->upload_id, since, &why) != SR_STORAGE_OK)
        sc_log(v->s->host, SR_STORAGE_LOG_WARN,
               "the answer to the beginning of an upload of %s was lost, and an empty one may be "
               "left (%s); strongroom sweep ends it when it is old, and so does a lifecycle rule "
               "for incomplete uploads",
               v->key, why.text);
}

static int32_t initiate(struct gcs_saving *v, struct sc_error *err)
{
    struct gcs_call c;
    const int64_t since = v->s->host->now(v->s->host);
    int32_t rc = gcs_call_begin(&c, v->s, "POST", GCS_API_XML, v->key, err);
    c.root = "InitiateMultipartUploadResult";
    sc_query_add(&c.call.request.query, "uploads", NULL);
    if (rc == SR_STORAGE_OK)
        rc = headers(v, &c, err);
    if (rc == SR_STORAGE_OK)
        rc = gcs_call_run(&c, err);
    const char *id = rc == SR_STORAGE_OK ? sc_xml_text(sc_xml_root(c.xml), "UploadId") : NULL;
    if (rc == SR_STORAGE_OK && (!id || !*id || strlen(id) >= sizeof v->upload_id))
        rc = sc_fail(err, SR_STORAGE_E_UNAVAILABLE, "Google began an upload without a usable id");
    if (rc == SR_STORAGE_OK)
        memcpy(v->upload_id, id, strlen(id) + 1);
    if (c.call.in_doubt || gcs_call_outcome_open(&c) || (rc != SR_STORAGE_OK && c.xml))
        end_lost(v, since);
    gcs_call_end(&c);
    return rc == SR_STORAGE_OK ? rc : sc_error_wrap(err, "beginning an upload in parts");
}

/* --- complete -------------------------------------------------------------------------------- */

static void complete_body(const struct upload *u, struct sc_buf *b)
{
    sc_buf_adds(b, "<CompleteMultipartUpload>");
    for (unsigned i = 0; i < sc_upload_count(u->u); i++) {
        sc_buf_addf(b, "<Part><PartNumber>%u</PartNumber><ETag>", i + 1);
        sc_xml_escape(b, u->v->parts[i].etag);
        sc_buf_adds(b, "</ETag></Part>");
    }
    sc_buf_adds(b, "</CompleteMultipartUpload>");
}

/* Success names what was made. */
static void complete_judge(struct sc_call *call, struct sc_verdict *v)
{
    const struct gcs_call *c = (const struct gcs_call *)call;
    gcs_answer_judge(call, v);
    const struct sc_xml_node *root = v->cls == SC_DONE && c->xml ? sc_xml_root(c->xml) : NULL;
    const char *etag = sc_xml_text(root, "ETag");
    if (root && (!etag || !*etag)) {
        *v = (struct sc_verdict){.cls = SC_RETRY, .code = SR_STORAGE_E_UNAVAILABLE};
        (void)snprintf(v->text, sizeof v->text, "HTTP %d that names nothing that was made",
                       call->response.status);
    }
}

/* What was made, as far as we may look; the answer itself states the sum alone. */
static int32_t made(struct gcs_saving *v, const struct gcs_call *c, struct sc_error *err)
{
    struct gcs_object o;
    struct sc_error why = SC_ERROR_INIT;
    const struct sc_headers *h = &c->call.response.headers;
    const char *generation = sc_headers_get(h, "x-goog-generation");
    uint32_t crc = 0;
    if (gcs_crc_stated(h, &crc) == 0 && crc != v->crc32c) {
        (void)sc_fail(err, SR_STORAGE_E_CORRUPT,
                      "Google states another crc32c than that of what was sent");
        return gcs_saving_spoilt(v, generation, err);
    }
    int32_t rc = gcs_look(v->s, v->key, NULL, 1, &o, &why);
    if (rc == SR_STORAGE_OK && strcmp(o.mark, v->settled.mark) == 0)
        return gcs_saving_confirm(v, &o, err);
    sc_log(v->s->host, SR_STORAGE_LOG_VERBOSE, "the size of %s cannot be confirmed: %s", v->key,
           rc == SR_STORAGE_OK ? "another object is there" : why.text);
    return SR_STORAGE_OK;
}

static int32_t complete(struct upload *u, struct sc_error *err)
{
    struct gcs_saving *v = u->v;
    struct sc_buf body = SC_BUF_INIT(LIST_MAX);
    struct gcs_call c;
    complete_body(u, &body);
    int32_t rc = sc_buf_check(&body, err, "the list of parts");
    /* Hours may have passed since the look at the beginning. */
    if (rc == SR_STORAGE_OK && !v->replace)
        rc = gcs_saving_look(v, err);
    if (rc != SR_STORAGE_OK) {
        sc_buf_done(&body);
        return rc;
    }
    rc = gcs_call_begin(&c, v->s, "POST", GCS_API_XML, v->key, err);
    c.root = "CompleteMultipartUploadResult";
    c.call.judge = complete_judge;
    sc_call_commits(&c.call);
    sc_query_add(&c.call.request.query, "uploadId", v->upload_id);
    c.call.request.body = body.data;
    c.call.request.body_len = body.len;
    if (rc == SR_STORAGE_OK)
        rc = gcs_call_header(&c, err, "content-type", "application/xml");
    if (rc == SR_STORAGE_OK)
        rc = gcs_call_customer_key(&c, err);
    if (rc == SR_STORAGE_OK)
        rc = gcs_call_run(&c, err);
    if (rc != SR_STORAGE_OK && gcs_call_outcome_open(&c))
        rc = sc_settle_lost(&v->settled, v->len, c.call.unanswered, err);
    else if (rc == SR_STORAGE_OK)
        rc = made(v, &c, err);
    gcs_call_end(&c);
    sc_buf_done(&body);
    return rc == SR_STORAGE_OK
               ? rc
               : sc_error_wrap(err, "putting its %u parts together", sc_upload_count(u->u));
}

/* --- abort ----------------------------------------------------------------------------------- */

/* One DELETE; then whether a part is still there: one that was on its way can arrive after it. */
static int32_t abort_once(struct gcs *s, const char *key, const char *id, int *ret_left,
                          struct sc_error *err)
{
    struct gcs_call c;
    int32_t rc = gcs_call_begin(&c, s, "DELETE", GCS_API_XML, key, err);
    gcs_call_cleaning_up(&c);
    sc_query_add(&c.call.request.query, "uploadId", id);
    if (rc == SR_STORAGE_OK)
        rc = gcs_call_run(&c, err);
    gcs_call_end(&c);
    *ret_left = 0;
    if (rc != SR_STORAGE_OK)
        return rc == SR_STORAGE_E_NOT_FOUND ? SR_STORAGE_OK : rc;
    rc = gcs_call_begin(&c, s, "GET", GCS_API_XML, key, err);
    gcs_call_cleaning_up(&c);
    c.root = "ListPartsResult";
    sc_query_add(&c.call.request.query, "uploadId", id);
    sc_query_add(&c.call.request.query, "max-parts", "1");
    if (rc == SR_STORAGE_OK)
        rc = gcs_call_run(&c, err);
    *ret_left = rc == SR_STORAGE_OK && sc_xml_child(sc_xml_root(c.xml), "Part") != NULL;
    gcs_call_end(&c);
    if (rc == SR_STORAGE_E_DENIED)
        sc_log(s->host, SR_STORAGE_LOG_VERBOSE,
               "the upload of %s was ended; no right to see whether a part is left of it", key);
    /* Not found is what an upload that ended looks like. */
    return rc == SR_STORAGE_E_NOT_FOUND || rc == SR_STORAGE_E_DENIED ? SR_STORAGE_OK : rc;
}

int32_t gcs_upload_abort(struct gcs *s, const char *key, const char *upload_id,
                         struct sc_error *err)
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
        gcs_upload_abort(u->v->s, u->v->key, u->v->upload_id, &err) != SR_STORAGE_OK)
        sc_log(u->v->s->host, SR_STORAGE_LOG_WARN,
               "the unfinished upload of %s could not be ended (%s); strongroom sweep does it "
               "later, and so does a lifecycle rule for incomplete uploads",
               u->v->key, err.text);
}

int32_t gcs_multipart(struct gcs_saving *v, struct sc_upload *u, struct sc_error *err)
{
    struct upload up = {.v = v, .u = u};
    int32_t rc = initiate(v, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_upload_run(u, err);
    if (rc == SR_STORAGE_OK)
        rc = complete(&up, err);
    if (rc != SR_STORAGE_OK)
        give_up(&up);
    return rc;
}
