/* Fetching a range, resumed under If-Match; and what the store says of an object. */
#include "s3/s3.h"

#include "common/resume.h"
#include "common/timefmt.h"
#include "s3/sums.h"

#include <stdio.h>
#include <string.h>

struct fetching {
    struct s3_call c; /* first */
    struct sc_resume resume;
};

static int32_t fetch_prepare(struct sc_call *call, struct sc_error *err)
{
    struct fetching *f = (struct fetching *)call;
    char range[SC_RANGE_MAX];
    int32_t rc = SR_STORAGE_OK;
    sc_headers_remove(&call->request.headers, "range");
    sc_headers_remove(&call->request.headers, "if-match");
    if (sc_resume_range(&f->resume, range))
        rc = sc_headers_add(&call->request.headers, "range", range, err);
    if (rc == SR_STORAGE_OK && f->resume.tag[0])
        rc = s3_call_header(&f->c, err, "if-match", "\"%s\"", f->resume.tag);
    return rc == SR_STORAGE_OK ? s3_call_prepare(call, err) : rc;
}

static int32_t fetch_head(struct sc_call *call, struct sc_error *err)
{
    struct fetching *f = (struct fetching *)call;
    char etag[S3_ETAG_MAX];
    s3_etag_copy(&call->response, etag);
    return sc_resume_head(&f->resume, &call->response, etag, err);
}

static int32_t fetch_sink(struct sc_call *call, const void *data, size_t len, struct sc_error *err)
{
    struct fetching *f = (struct fetching *)call;
    return sc_resume_sink(&f->resume, data, len, err);
}

static void fetch_judge(struct sc_call *call, struct sc_verdict *v)
{
    struct fetching *f = (struct fetching *)call;
    s3_answer_judge(call, v);
    sc_resume_judge(&f->resume, &call->response, v);
}

static int32_t fetch_run(struct fetching *f, const struct sr_storage_fetch_options *o,
                         struct sc_error *err)
{
    struct sc_call *call = &f->c.call;
    call->prepare = fetch_prepare;
    call->judge = fetch_judge;
    call->head = fetch_head;
    call->sink = fetch_sink;
    if (o->version)
        sc_query_add(&call->request.query, "versionId", o->version);
    int32_t rc = s3_call_sse_c(&f->c, err);
    return rc == SR_STORAGE_OK ? sc_resume_end(&f->resume, s3_call_run(&f->c, err), err) : rc;
}

int32_t s3_fetch(void *handle, const struct sr_storage_fetch_options *options,
                 const struct sr_storage_writer *writer)
{
    struct s3 *s = handle;
    struct sc_error err = SC_ERROR_INIT;
    struct fetching f = {0};
    int32_t rc;
    sc_resume_init(&f.resume, options, writer);
    if (options->length == 0) {
        struct s3_head h;
        rc = s3_head(s, options->key, options->version, 0, &h, &err);
    } else {
        rc = s3_call_begin(&f.c, s, "GET", options->key, &err);
        if (rc == SR_STORAGE_OK)
            rc = fetch_run(&f, options, &err);
        s3_call_end(&f.c);
    }
    return s3_report(s, rc, &err, "fetching %s from bucket %s", options->key, s->set.bucket);
}

/* --- HEAD ------------------------------------------------------------------------------------ */

static void copy_header(const struct sc_response *r, const char *name, char *out, size_t cap)
{
    const char *v = sc_headers_get(&r->headers, name);
    (void)snprintf(out, cap, "%s", v && strlen(v) < cap ? v : "");
}

static int64_t locked_until(const struct sc_response *r)
{
    const char *hold = sc_headers_get(&r->headers, "x-amz-object-lock-legal-hold");
    const char *until = sc_headers_get(&r->headers, "x-amz-object-lock-retain-until-date");
    int64_t t = 0;
    if (hold && strcmp(hold, "ON") == 0)
        return INT64_MAX;
    return until && sc_time_iso_parse(until, &t) == 0 ? t : 0;
}

/* What stores put into every answer, and proxies do not. */
static int is_the_stores(const struct sc_response *r)
{
    return sc_headers_get(&r->headers, "x-amz-request-id") ||
           sc_headers_get(&r->headers, "x-amz-id-2");
}

static int32_t there_after_all(struct sc_call *call, struct sc_error *err)
{
    (void)call;
    return sc_fail(err, SR_STORAGE_E_UNAVAILABLE,
                   "it is not there to HEAD (404), and is there to GET: the answers are not those "
                   "of one store");
}

/* "Not found" to HEAD, which has no body, may be anybody's word; GET is told in the store's own. */
static int32_t absence_confirm(struct s3 *s, const char *key, const char *version, int quick,
                               struct sc_error *err)
{
    struct s3_call c;
    int32_t rc = s3_call_begin(&c, s, "GET", key, err);
    if (quick)
        s3_call_cleaning_up(&c);
    c.call.head = there_after_all;
    if (version)
        sc_query_add(&c.call.request.query, "versionId", version);
    if (rc == SR_STORAGE_OK)
        rc = s3_call_header(&c, err, "range", "bytes=0-0");
    if (rc == SR_STORAGE_OK)
        rc = s3_call_sse_c(&c, err);
    if (rc == SR_STORAGE_OK)
        rc = s3_call_run(&c, err);
    s3_call_end(&c);
    return rc;
}

int32_t s3_head(struct s3 *s, const char *key, const char *version, int quick, struct s3_head *ret,
                struct sc_error *err)
{
    struct s3_call c;
    *ret = (struct s3_head){0};
    int32_t rc = s3_call_begin(&c, s, "HEAD", key, err);
    if (quick)
        s3_call_cleaning_up(&c);
    if (version)
        sc_query_add(&c.call.request.query, "versionId", version);
    if (rc == SR_STORAGE_OK && s3_sum_name(s3_sum_kind(s)))
        rc = s3_call_header(&c, err, "x-amz-checksum-mode", "ENABLED");
    if (rc == SR_STORAGE_OK)
        rc = s3_call_sse_c(&c, err);
    if (rc == SR_STORAGE_OK)
        rc = s3_call_run(&c, err);
    const struct sc_response *r = &c.call.response;
    const char *modified = sc_headers_get(&r->headers, "last-modified");
    if (rc == SR_STORAGE_E_NOT_FOUND && !is_the_stores(r))
        rc = absence_confirm(s, key, version, quick, err);
    if (rc == SR_STORAGE_OK && r->length < 0)
        rc = sc_fail(err, SR_STORAGE_E_UNAVAILABLE, "the store does not say how large it is");
    if (rc == SR_STORAGE_OK) {
        ret->size = (uint64_t)r->length;
        if (!modified || sc_time_http_parse(modified, &ret->modified) != 0)
            ret->modified = 0;
        ret->locked_until = locked_until(r);
        s3_etag_copy(r, ret->etag);
        copy_header(r, "x-amz-version-id", ret->version, sizeof ret->version);
        copy_header(r, S3_MARK_HEADER, ret->mark, sizeof ret->mark);
        (void)s3_sums_stated(r, &ret->sum_kind, ret->sum, &ret->sum_len);
    }
    s3_call_end(&c);
    return rc;
}

int32_t s3_stat(void *handle, const struct sr_storage_fetch_options *options,
                const struct sr_storage_emitter *emitter)
{
    struct s3 *s = handle;
    struct sc_error err = SC_ERROR_INIT;
    struct s3_head h;
    int32_t rc = s3_head(s, options->key, options->version, 0, &h, &err);
    if (rc == SR_STORAGE_OK) {
        const struct sr_storage_entry entry = {.size = sizeof entry,
                                               .key = options->key,
                                               .object_size = h.size,
                                               .modified = h.modified,
                                               .locked_until = h.locked_until,
                                               .version = h.version[0] ? h.version : NULL,
                                               .checksum_kind = h.sum_kind,
                                               .checksum_len = h.sum_len,
                                               .checksum = h.sum_len ? h.sum : NULL};
        (void)emitter->emit(emitter->ctx, &entry);
    }
    return s3_report(s, rc, &err, "looking at %s in bucket %s", options->key, s->set.bucket);
}
