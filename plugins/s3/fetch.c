/* Fetching a range, resumed under If-Match; and what the store says of an object. */
#include "s3/s3.h"

#include "common/timefmt.h"
#include "s3/sums.h"

#include <stdio.h>
#include <string.h>

struct fetching {
    struct s3_call c; /* first */
    const struct sr_storage_writer *writer;
    uint64_t offset; /* of the range asked for */
    uint64_t length; /* of it; SR_STORAGE_SIZE_UNKNOWN: to the end */
    uint64_t done;   /* bytes of it handed over */
    uint64_t skip;   /* bytes still to be passed over: the server began too early */
    uint64_t total;  /* of the object; SR_STORAGE_SIZE_UNKNOWN until it is told */
    char etag[S3_ETAG_MAX];
    int stopped; /* the writer wants no more */
};

static int ranged(const struct fetching *f)
{
    return f->offset + f->done > 0 || f->length != SR_STORAGE_SIZE_UNKNOWN;
}

/* Each try asks for what is still missing, of the object as it was at the first. */
static int32_t fetch_prepare(struct sc_call *call, struct sc_error *err)
{
    struct fetching *f = (struct fetching *)call;
    uint64_t from = f->offset + f->done;
    uint64_t left = f->length - f->done;
    char text[64];
    int32_t rc = SR_STORAGE_OK;
    f->skip = 0;
    sc_headers_remove(&call->request.headers, "range");
    sc_headers_remove(&call->request.headers, "if-match");
    if (f->length == SR_STORAGE_SIZE_UNKNOWN || left > UINT64_MAX - from)
        (void)snprintf(text, sizeof text, "bytes=%llu-", (unsigned long long)from);
    else
        (void)snprintf(text, sizeof text, "bytes=%llu-%llu", (unsigned long long)from,
                       (unsigned long long)(from + left - 1));
    if (ranged(f))
        rc = sc_headers_add(&call->request.headers, "range", text, err);
    if (rc == SR_STORAGE_OK && f->etag[0])
        rc = s3_call_header(&f->c, err, "if-match", "\"%s\"", f->etag);
    return rc == SR_STORAGE_OK ? s3_call_prepare(call, err) : rc;
}

/* "bytes 5-9/100"; the total may be "*". */
static int content_range(const char *value, uint64_t *ret_from, uint64_t *ret_total)
{
    char from[24], upto[24], total[24];
    uint64_t last;
    if (!value || sscanf(value, "bytes %23[0-9]-%23[0-9]/%23[0-9*]", from, upto, total) != 3 ||
        sc_parse_u64(from, ret_from) != 0 || sc_parse_u64(upto, &last) != 0 || last < *ret_from)
        return -1;
    if (strcmp(total, "*") == 0) {
        *ret_total = SR_STORAGE_SIZE_UNKNOWN;
        return 0;
    }
    return sc_parse_u64(total, ret_total) == 0 && last < *ret_total ? 0 : -1;
}

/* Is what begins here what was asked for? */
static int32_t fetch_head(struct sc_call *call, struct sc_error *err)
{
    struct fetching *f = (struct fetching *)call;
    const struct sc_response *r = &call->response;
    uint64_t from = 0, total = SR_STORAGE_SIZE_UNKNOWN, want = f->offset + f->done;
    char etag[S3_ETAG_MAX];
    if (r->status == 206) {
        const char *value = sc_headers_get(&r->headers, "content-range");
        if (content_range(value, &from, &total) != 0 || from > want)
            return sc_fail(err, SR_STORAGE_E_CORRUPT,
                           "byte %llu was asked for, and the answer begins with '%.64s'",
                           (unsigned long long)want, value ? value : "");
    } else if (r->length >= 0) {
        total = (uint64_t)r->length;
    }
    s3_etag_copy(r, etag);
    if ((f->etag[0] && strcmp(f->etag, etag) != 0) ||
        (f->total != SR_STORAGE_SIZE_UNKNOWN && total != SR_STORAGE_SIZE_UNKNOWN &&
         f->total != total))
        return sc_fail(err, SR_STORAGE_E_CHANGED, "the object changed while it was read");
    memcpy(f->etag, etag, sizeof f->etag);
    if (total != SR_STORAGE_SIZE_UNKNOWN)
        f->total = total;
    /* A server that ignores the range sends everything: what comes before it is passed over. */
    f->skip = want - from;
    return SR_STORAGE_OK;
}

static int32_t fetch_sink(struct sc_call *call, const void *data, size_t len, struct sc_error *err)
{
    struct fetching *f = (struct fetching *)call;
    const char *p = data;
    if (f->skip > 0) {
        size_t n = f->skip < len ? (size_t)f->skip : len;
        f->skip -= n;
        p += n;
        len -= n;
    }
    if (f->length != SR_STORAGE_SIZE_UNKNOWN && len > f->length - f->done)
        len = (size_t)(f->length - f->done);
    if (len == 0)
        return SR_STORAGE_OK;
    if (f->writer->write(f->writer->ctx, p, len) != 0) {
        f->stopped = 1;
        return sc_fail(err, SR_STORAGE_E_CANCELLED, "cancelled by the reader of the bytes");
    }
    f->done += len;
    return SR_STORAGE_OK;
}

static void fetch_judge(struct sc_call *call, struct sc_verdict *v)
{
    struct fetching *f = (struct fetching *)call;
    s3_answer_judge(call, v);
    uint64_t at = f->offset + f->done;
    if (call->response.status == 416 && f->total != SR_STORAGE_SIZE_UNKNOWN && at < f->total) {
        v->cls = SC_FINAL;
        v->code = SR_STORAGE_E_CHANGED;
        (void)snprintf(v->text, sizeof v->text,
                       "the object changed while it was read: %llu bytes were announced, and there "
                       "is nothing from byte %llu on",
                       (unsigned long long)f->total, (unsigned long long)at);
    } else if (call->response.status == 416) {
        /* At or past the end there is nothing. */
        v->cls = SC_DONE;
        v->code = SR_STORAGE_OK;
        f->total = at;
    }
    if (call->response.status == 412) {
        v->cls = SC_FINAL;
        v->code = SR_STORAGE_E_CHANGED;
        (void)snprintf(v->text, sizeof v->text, "the object changed while it was read");
    }
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
    if (rc == SR_STORAGE_OK)
        rc = s3_call_run(&f->c, err);
    if (rc != SR_STORAGE_OK)
        return f->stopped ? SR_STORAGE_E_CANCELLED : rc;
    uint64_t end = f->total;
    if (f->length != SR_STORAGE_SIZE_UNKNOWN && f->total > f->offset &&
        f->length < f->total - f->offset)
        end = f->offset + f->length;
    if (end != SR_STORAGE_SIZE_UNKNOWN && end > f->offset && f->done != end - f->offset)
        return sc_fail(err, SR_STORAGE_E_CORRUPT,
                       "%llu bytes were announced, and %llu came, in an answer that looked whole",
                       (unsigned long long)(end - f->offset), (unsigned long long)f->done);
    return rc;
}

int32_t s3_fetch(void *handle, const struct sr_storage_fetch_options *options,
                 const struct sr_storage_writer *writer)
{
    struct s3 *s = handle;
    struct sc_error err = SC_ERROR_INIT;
    struct fetching f = {.writer = writer,
                         .offset = options->offset,
                         .length = options->length,
                         .total = SR_STORAGE_SIZE_UNKNOWN};
    int32_t rc;
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
    if (rc == SR_STORAGE_OK)
        rc = s3_call_header(&c, err, "x-amz-checksum-mode", "ENABLED");
    if (rc == SR_STORAGE_OK)
        rc = s3_call_sse_c(&c, err);
    if (rc == SR_STORAGE_OK)
        rc = s3_call_run(&c, err);
    const struct sc_response *r = &c.call.response;
    const char *modified = sc_headers_get(&r->headers, "last-modified");
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
