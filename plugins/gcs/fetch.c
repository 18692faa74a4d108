/* Fetching a range, resumed at the same generation; and what the store says of an object. */
#include "gcs/gcs.h"

#include "common/digest.h"
#include "common/resume.h"

#include <stdio.h>
#include <string.h>

struct fetching {
    struct gcs_call c; /* first */
    struct sc_resume resume;
    const struct sr_storage_writer *writer; /* the host's */
    size_t query_len;                       /* of the query without what pins the generation */
    uint32_t crc32c, stated;                /* of what was handed over; of the object */
    int is_stated;
};

/* What is handed over is summed on its way. */
static int32_t summed_write(void *ctx, const void *data, uint64_t len)
{
    struct fetching *f = ctx;
    f->crc32c = sc_crc32c(f->crc32c, data, (size_t)len);
    return f->writer->write(f->writer->ctx, data, len);
}

static int32_t fetch_prepare(struct sc_call *call, struct sc_error *err)
{
    struct fetching *f = (struct fetching *)call;
    struct sc_buf *query = &call->request.query;
    char range[SC_RANGE_MAX];
    int32_t rc = SR_STORAGE_OK;
    query->len = f->query_len;
    query->data[query->len] = '\0';
    sc_headers_remove(&call->request.headers, "range");
    if (f->resume.tag[0])
        sc_query_add(query, "ifGenerationMatch", f->resume.tag);
    else if (f->resume.done > 0)
        return sc_fail(err, SR_STORAGE_E_UNAVAILABLE,
                       "it broke off, and without a generation the rest may be another object's");
    if (sc_resume_range(&f->resume, range))
        rc = gcs_call_header(&f->c, err, "range", "%s", range);
    return rc == SR_STORAGE_OK ? gcs_call_prepare(call, err) : rc;
}

static int32_t fetch_head(struct sc_call *call, struct sc_error *err)
{
    struct fetching *f = (struct fetching *)call;
    const struct sc_headers *h = &call->response.headers;
    const char *generation = sc_headers_get(h, "x-goog-generation");
    f->is_stated = gcs_crc_stated(h, &f->stated) == 0;
    return sc_resume_head(&f->resume, &call->response,
                          generation && strlen(generation) < GCS_GENERATION_MAX ? generation : "",
                          err);
}

static int32_t fetch_sink(struct sc_call *call, const void *data, size_t len, struct sc_error *err)
{
    struct fetching *f = (struct fetching *)call;
    return sc_resume_sink(&f->resume, data, len, err);
}

static void fetch_judge(struct sc_call *call, struct sc_verdict *v)
{
    struct fetching *f = (struct fetching *)call;
    gcs_answer_judge(call, v);
    sc_resume_judge(&f->resume, &call->response, v);
    /* Gone since the first byte: a further try would find another object, or none. */
    if (call->response.status == 404 && f->resume.done > 0)
        v->code = SR_STORAGE_E_CHANGED;
}

/* The stated sum is that of the whole object, whatever range was asked for. */
static int32_t sum_check(const struct fetching *f, struct sc_error *err)
{
    int whole = f->resume.offset == 0 && f->resume.done == f->resume.total;
    if (!whole || !f->is_stated || f->stated == f->crc32c)
        return SR_STORAGE_OK;
    return sc_fail(err, SR_STORAGE_E_CORRUPT,
                   "what came has another crc32c than the one that Google states");
}

static int32_t fetch_run(struct fetching *f, const struct sr_storage_fetch_options *o,
                         struct sc_error *err)
{
    struct sc_call *call = &f->c.call;
    call->prepare = fetch_prepare;
    call->judge = fetch_judge;
    call->head = fetch_head;
    call->sink = fetch_sink;
    sc_query_add(&call->request.query, "alt", "media");
    if (o->version)
        sc_query_add(&call->request.query, "generation", o->version);
    f->query_len = call->request.query.len;
    int32_t rc = sc_buf_check(&call->request.query, err, "the query of a request");
    /* The bytes as they are stored, should somebody have stored them compressed. */
    if (rc == SR_STORAGE_OK)
        rc = gcs_call_header(&f->c, err, "accept-encoding", "gzip");
    if (rc == SR_STORAGE_OK)
        rc = gcs_call_customer_key(&f->c, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_resume_end(&f->resume, gcs_call_run(&f->c, err), err);
    return rc == SR_STORAGE_OK ? sum_check(f, err) : rc;
}

int32_t gcs_fetch(void *handle, const struct sr_storage_fetch_options *options,
                  const struct sr_storage_writer *writer)
{
    struct gcs *s = handle;
    struct sc_error err = SC_ERROR_INIT;
    struct fetching f = {.writer = writer};
    const struct sr_storage_writer summed = {
        .size = sizeof summed, .ctx = &f, .write = summed_write};
    int32_t rc;
    if (options->length == 0) {
        struct gcs_object o;
        rc = gcs_look(s, options->key, options->version, 0, &o, &err);
    } else {
        rc = gcs_call_begin(&f.c, s, "GET", GCS_API_OBJECT, options->key, &err);
        sc_resume_init(&f.resume, options, &summed);
        if (rc == SR_STORAGE_OK)
            rc = fetch_run(&f, options, &err);
        gcs_call_end(&f.c);
    }
    return gcs_report(s, rc, &err, "fetching %s from bucket %s", options->key, s->set.bucket);
}

/* --- what it is ------------------------------------------------------------------------------ */

int32_t gcs_look(struct gcs *s, const char *key, const char *version, int quick,
                 struct gcs_object *ret, struct sc_error *err)
{
    struct gcs_call c;
    *ret = (struct gcs_object){0};
    int32_t rc = gcs_call_begin(&c, s, "GET", GCS_API_OBJECT, key, err);
    c.wants_json = 1;
    if (quick)
        gcs_call_cleaning_up(&c);
    sc_query_add(&c.call.request.query, "fields", GCS_OBJECT_FIELDS);
    if (version && *version)
        sc_query_add(&c.call.request.query, "generation", version);
    if (rc == SR_STORAGE_OK)
        rc = gcs_call_customer_key(&c, err);
    if (rc == SR_STORAGE_OK)
        rc = gcs_call_run(&c, err);
    if (rc == SR_STORAGE_OK)
        rc = gcs_object_read(c.json, ret, err);
    if (rc == SR_STORAGE_OK && strcmp(ret->name, key) != 0)
        rc = sc_fail(err, SR_STORAGE_E_CORRUPT, "the answer describes another object: %.200s",
                     ret->name);
    ret->name = NULL;
    gcs_call_end(&c);
    return rc;
}

int32_t gcs_stat(void *handle, const struct sr_storage_fetch_options *options,
                 const struct sr_storage_emitter *emitter)
{
    struct gcs *s = handle;
    struct sc_error err = SC_ERROR_INIT;
    struct gcs_object o;
    uint8_t sum[GCS_CRC_LEN];
    int32_t rc = gcs_look(s, options->key, options->version, 0, &o, &err);
    if (rc == SR_STORAGE_OK) {
        const struct sr_storage_entry entry = gcs_object_entry(&o, options->key, sum);
        (void)emitter->emit(emitter->ctx, &entry);
    }
    return gcs_report(s, rc, &err, "looking at %s in bucket %s", options->key, s->set.bucket);
}
