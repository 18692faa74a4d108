/* A session that takes chunks one after the other: "Resumable uploads" in Google's documentation.
 *
 * The session's URI is a credential of its own: it is in no log and no error, and only its path and
 * query are used, so that no answer sends our bytes to another host. What Google says that it has
 * (308 with a Range) is all that counts: it may be less than was sent, or nothing. After a lost
 * answer it is asked (a PUT of nothing) before anything is sent again. */
#include "gcs/save.h"

#include <stdio.h>
#include <string.h>

#define CLIENT_CLOSED 499 /* the answer to a session that was given up */

/* A lost answer costs two tries: asking, and sending again. */
static const struct sc_retry_policy chunk_retry = {16, 100, 10000, 60000, 300000};
static const struct sc_retry_policy last_retry = {16, 100, 10000, 60000, 900000};

struct chunk {
    struct gcs_call c; /* first */
    struct gcs_saving *v;
    const char *data;
    uint64_t base; /* where it begins in the object */
    uint64_t len;
    int last;                 /* ends the object */
    int asking;               /* what Google has, before anything is sent again */
    struct sc_verdict failed; /* why it is asked */
};

/* --- the session ----------------------------------------------------------------------------- */

static void start_judge(struct sc_call *call, struct sc_verdict *v)
{
    gcs_answer_judge(call, v);
    if (v->cls == SC_DONE && !sc_headers_get(&call->response.headers, "location")) {
        *v = (struct sc_verdict){.cls = SC_RETRY, .code = SR_STORAGE_E_UNAVAILABLE};
        (void)snprintf(v->text, sizeof v->text, "HTTP %d without a Location",
                       call->response.status);
    }
}

/* Path and query of where the session is; its host is not asked. */
static int32_t location_read(struct gcs_saving *v, const char *location, struct sc_error *err)
{
    struct sc_request r = SC_REQUEST_INIT;
    int32_t rc = sc_request_url(&r, "PUT", location, NULL);
    if (rc == SR_STORAGE_OK) {
        sc_buf_adds(&v->session_path, sc_buf_str(&r.path));
        sc_buf_adds(&v->session_query, sc_buf_str(&r.query));
    }
    sc_request_done(&r);
    if (rc != SR_STORAGE_OK || v->session_path.state != SC_BUF_GOOD ||
        v->session_query.state != SC_BUF_GOOD)
        return sc_fail(err, SR_STORAGE_E_UNAVAILABLE, "Google began an upload at no usable URL");
    return SR_STORAGE_OK;
}

static int32_t start(struct gcs_saving *v, struct sc_error *err)
{
    struct gcs_call c;
    _cleanup_free_ char *description = NULL;
    int32_t rc = gcs_call_begin(&c, v->s, "POST", GCS_API_UPLOAD, v->key, err);
    c.call.judge = start_judge;
    sc_query_add(&c.call.request.query, "uploadType", "resumable");
    if (rc == SR_STORAGE_OK)
        rc = gcs_saving_begin(v, &c, err);
    if (rc == SR_STORAGE_OK)
        rc = gcs_saving_describe(v, NULL, &description, err);
    if (rc == SR_STORAGE_OK)
        rc = gcs_call_header(&c, err, "content-type", "application/json; charset=UTF-8");
    if (rc == SR_STORAGE_OK)
        rc = gcs_call_header(&c, err, "x-upload-content-type", "application/octet-stream");
    c.call.request.body = description;
    c.call.request.body_len = description ? strlen(description) : 0;
    if (rc == SR_STORAGE_OK)
        rc = gcs_call_run(&c, err);
    const char *location = sc_headers_get(&c.call.response.headers, "location");
    if (rc == SR_STORAGE_OK)
        rc = location_read(v, location ? location : "", err);
    gcs_call_end(&c);
    return rc == SR_STORAGE_OK ? rc : sc_error_wrap(err, "beginning a resumable upload");
}

static int32_t session_call(struct gcs_saving *v, struct gcs_call *c, const char *method,
                            struct sc_error *err)
{
    int32_t rc = gcs_call_begin(c, v->s, method, GCS_API_SESSION, NULL, err);
    sc_buf_adds(&c->call.request.path, sc_buf_str(&v->session_path));
    sc_buf_adds(&c->call.request.query, sc_buf_str(&v->session_query));
    return rc == SR_STORAGE_OK ? gcs_call_customer_key(c, err) : rc;
}

static void cancel_judge(struct sc_call *call, struct sc_verdict *v)
{
    int status = call->response.status;
    gcs_answer_judge(call, v);
    if (status == CLIENT_CLOSED || status == 404 || status == 410) {
        v->cls = SC_DONE;
        v->code = SR_STORAGE_OK;
    }
}

/* Given up, a session takes nothing more, and nothing comes of what it has. */
static void cancel(struct gcs_saving *v)
{
    struct gcs_call c;
    struct sc_error why = SC_ERROR_INIT;
    int32_t rc = session_call(v, &c, "DELETE", &why);
    gcs_call_cleaning_up(&c);
    c.call.judge = cancel_judge;
    if (rc == SR_STORAGE_OK)
        rc = gcs_call_run(&c, &why);
    gcs_call_end(&c);
    if (rc != SR_STORAGE_OK)
        sc_log(v->s->host, SR_STORAGE_LOG_VERBOSE,
               "the unfinished upload of %s could not be given up (%s); Google forgets it after a "
               "week, and bills nothing for it",
               v->key, why.text);
}

/* --- chunks ---------------------------------------------------------------------------------- */

/* "bytes=0-N" is N + 1 bytes; no Range: nothing. -1: something else. */
static int persisted_read(const struct sc_response *r, uint64_t *ret)
{
    const char *range = sc_headers_get(&r->headers, "range");
    *ret = 0;
    if (!range)
        return 0;
    if (strncmp(range, "bytes=", 6) == 0)
        range += 6;
    if (strncmp(range, "0-", 2) != 0 || sc_parse_u64(range + 2, ret) != 0 || *ret == UINT64_MAX)
        return -1;
    ++*ret;
    return 0;
}

static uint64_t chunk_end(const struct chunk *k)
{
    return k->base + k->len;
}

/* Where to send from: Google passes over what it has already, and every chunk but the last must be
 * a multiple of the unit. */
static uint64_t chunk_from(const struct chunk *k)
{
    uint64_t from = k->v->persisted > k->base ? k->v->persisted : k->base;
    return k->last ? from : from / GCS_CHUNK_UNIT * GCS_CHUNK_UNIT;
}

static int32_t chunk_range(struct chunk *k, struct sc_error *err)
{
    struct sc_request *r = &k->c.call.request;
    uint64_t from = chunk_from(k), end = chunk_end(k);
    char total[24] = "*";
    if (k->last)
        (void)snprintf(total, sizeof total, "%llu", (unsigned long long)end);
    int empty = k->asking || from == end;
    r->body = empty ? NULL : k->data + (from - k->base);
    r->body_len = empty ? 0 : end - from;
    if (empty)
        return gcs_call_header(&k->c, err, "content-range", "bytes */%s", total);
    return gcs_call_header(&k->c, err, "content-range", "bytes %llu-%llu/%s",
                           (unsigned long long)from, (unsigned long long)(end - 1), total);
}

static int32_t chunk_prepare(struct sc_call *call, struct sc_error *err)
{
    struct chunk *k = (struct chunk *)call;
    int32_t rc = chunk_range(k, err);
    if (rc == SR_STORAGE_OK && k->last) {
        char crc[GCS_CRC_TEXT];
        gcs_crc_text(k->v->crc32c, crc);
        rc = gcs_call_header(&k->c, err, "x-goog-hash", "crc32c=%s", crc);
    }
    return rc == SR_STORAGE_OK ? gcs_call_prepare(call, err) : rc;
}

static void set(struct sc_verdict *v, enum sc_class cls, int32_t code)
{
    v->cls = cls;
    v->code = code;
}

/* 308: what Google has. */
static void judge_progress(struct chunk *k, struct sc_verdict *v)
{
    const struct sc_response *r = &k->c.call.response;
    const char *range = sc_headers_get(&r->headers, "range");
    uint64_t has = 0, end = chunk_end(k);
    (void)snprintf(v->text, sizeof v->text, "HTTP 308 with %s%.64s", range ? "Range " : "no Range",
                   range ? range : "");
    if (persisted_read(r, &has) != 0) {
        set(v, SC_FINAL, SR_STORAGE_E_CORRUPT);
    } else if (has < k->v->persisted || has < k->base || has > end) {
        set(v, SC_FINAL, SR_STORAGE_E_CORRUPT);
        size_t n = strlen(v->text);
        (void)snprintf(v->text + n, sizeof v->text - n,
                       ": the session has %s, %llu bytes were confirmed and %llu sent",
                       has > end ? "more than it was sent" : "lost what it had confirmed",
                       (unsigned long long)k->v->persisted, (unsigned long long)end);
    } else if (has > k->v->persisted && (has < end || !k->last)) {
        k->v->persisted = has;
        set(v, SC_DONE, SR_STORAGE_OK); /* what is left goes out in a request of its own */
    } else if (has == end && !k->last) {
        set(v, SC_DONE, SR_STORAGE_OK);
    } else {
        /* Nothing new, or all of it and no end yet. */
        k->v->persisted = has;
        if (k->asking)
            *v = k->failed;
        else
            set(v, SC_RETRY, SR_STORAGE_E_UNAVAILABLE);
    }
    k->asking = 0;
}

static void chunk_judge(struct sc_call *call, struct sc_verdict *v)
{
    struct chunk *k = (struct chunk *)call;
    const struct sc_response *r = &call->response;
    if (r->phase == SC_PHASE_DONE && r->status == 308) {
        judge_progress(k, v);
        return;
    }
    gcs_answer_judge(call, v);
    if (v->cls == SC_DONE && (!k->last || !k->c.json)) {
        set(v, SC_FINAL, SR_STORAGE_E_CORRUPT);
        (void)snprintf(v->text, sizeof v->text, "HTTP %d: the session ended before the object did",
                       r->status);
    } else if (r->status == 404 || r->status == 410) {
        size_t n = strlen(v->text);
        set(v, SC_FINAL, SR_STORAGE_E_UNAVAILABLE);
        (void)snprintf(v->text + n, sizeof v->text - n,
                       ": the upload's session is gone with what it had, and what was sent cannot "
                       "be had again");
    } else if (v->cls == SC_RETRY || v->cls == SC_THROTTLED || v->cls == SC_FEW) {
        /* Asking is a try like others, and as long as nothing comes on ends as this one did. */
        if (!k->asking)
            k->failed = *v;
        k->asking = 1;
    }
}

static int32_t chunk_sealed(void *ctx, unsigned number, struct sc_error *err)
{
    (void)ctx, (void)number, (void)err;
    return SR_STORAGE_OK;
}

static int32_t chunk_begin(struct chunk *k, struct gcs_saving *v, struct sc_error *err)
{
    int32_t rc = session_call(v, &k->c, "PUT", err);
    k->v = v;
    k->c.wants_json = k->last;
    k->c.call.retry = &chunk_retry;
    k->c.call.prepare = chunk_prepare;
    k->c.call.judge = chunk_judge;
    if (k->last) {
        sc_call_commits(&k->c.call);
        k->c.call.retry = &last_retry;
    }
    return rc;
}

static int32_t chunk_request(void *ctx, unsigned number, const void *data, size_t len, void *call,
                             struct sc_error *err)
{
    struct gcs_saving *v = ctx;
    struct chunk *k = call;
    k->base = (uint64_t)(number - 1) * v->plan.first;
    k->len = len;
    k->data = data;
    /* Only the last one can be short. When it is not, an empty one ends the object. */
    k->last = len < v->plan.first;
    v->open = v->late = 0;
    return chunk_begin(k, v, err);
}

/* The answer to the last one describes the object. */
static int32_t object_made(struct gcs_saving *v, const json_t *json, struct sc_error *err)
{
    int32_t rc = gcs_object_read(json, &v->made_as, err);
    v->made_as.name = NULL;
    v->made = rc == SR_STORAGE_OK;
    v->open = !v->made;
    return rc;
}

static int32_t chunk_done(void *ctx, unsigned number, void *call, struct sc_error *err)
{
    struct gcs_saving *v = ctx;
    struct chunk *k = call;
    (void)number;
    if (k->c.call.response.status == 308)
        return v->persisted < chunk_end(k) ? SC_UPLOAD_AGAIN : SR_STORAGE_OK;
    v->persisted = chunk_end(k);
    return object_made(v, k->c.json, err);
}

static void chunk_end_call(void *call)
{
    struct chunk *k = call;
    /* Whatever the upload comes to, what became of the last chunk must be known then. */
    if (k->last && !k->v->made && gcs_call_outcome_open(&k->c)) {
        k->v->open = 1;
        k->v->late = k->c.call.unanswered;
    }
    gcs_call_end(&k->c);
}

const struct sc_upload_ops gcs_chunk_ops = {.call_size = sizeof(struct chunk),
                                            .took = gcs_saving_took,
                                            .sealed = chunk_sealed,
                                            .part = chunk_request,
                                            .done = chunk_done,
                                            .end = chunk_end_call};

/* --- the end --------------------------------------------------------------------------------- */

/* The object ended with a full chunk: the session is told so. */
static int32_t finish(struct gcs_saving *v, struct sc_error *err)
{
    struct chunk k = {.base = v->len, .last = 1};
    int32_t rc = chunk_begin(&k, v, err);
    if (rc == SR_STORAGE_OK)
        rc = gcs_call_run(&k.c, err);
    if (rc == SR_STORAGE_OK)
        rc = object_made(v, k.c.json, err);
    chunk_end_call(&k);
    return rc == SR_STORAGE_OK ? rc : sc_error_wrap(err, "ending the upload");
}

int32_t gcs_resumable(struct gcs_saving *v, struct sc_upload *u, struct sc_error *err)
{
    int32_t rc = start(v, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    rc = sc_upload_run(u, err);
    if (rc == SR_STORAGE_OK && !v->made)
        rc = finish(v, err);
    if (rc == SR_STORAGE_OK)
        return gcs_saving_confirm(v, &v->made_as, err);
    sc_upload_stop(u);
    /* First the session ends, so that as little as can be is made after the look. */
    cancel(v);
    return v->open ? sc_settle_lost(&v->settled, v->len, v->late, err) : rc;
}
