/* Fetching a range, resumed under If-Match; and what the store says of an object. */
#include "azure/azure.h"

#include "common/timefmt.h"

#include <stdio.h>
#include <string.h>

struct fetching {
    struct azure_call c; /* first */
    struct sc_resume resume;
};

static int32_t fetch_prepare(struct sc_call *call, struct sc_error *err)
{
    struct fetching *f = (struct fetching *)call;
    char range[SC_RANGE_MAX];
    int32_t rc = SR_STORAGE_OK;
    sc_headers_remove(&call->request.headers, "x-ms-range");
    sc_headers_remove(&call->request.headers, "if-match");
    if (sc_resume_range(&f->resume, range))
        rc = sc_headers_add(&call->request.headers, "x-ms-range", range, err);
    if (rc == SR_STORAGE_OK && f->resume.tag[0])
        rc = azure_call_header(&f->c, err, "if-match", "\"%s\"", f->resume.tag);
    return rc == SR_STORAGE_OK ? azure_call_prepare(call, err) : rc;
}

static int32_t fetch_head(struct sc_call *call, struct sc_error *err)
{
    struct fetching *f = (struct fetching *)call;
    char etag[AZURE_ETAG_MAX];
    azure_etag_copy(&call->response, etag);
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
    azure_answer_judge(call, v);
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
        sc_query_add(&f->c.query, "versionid", o->version);
    int32_t rc = azure_call_customer_key(&f->c, err);
    return rc == SR_STORAGE_OK ? sc_resume_end(&f->resume, azure_call_run(&f->c, err), err) : rc;
}

int32_t azure_fetch(void *handle, const struct sr_storage_fetch_options *options,
                    const struct sr_storage_writer *writer)
{
    struct azure *s = handle;
    struct sc_error err = SC_ERROR_INIT;
    struct fetching f = {0};
    int32_t rc;
    sc_resume_init(&f.resume, options, writer);
    if (options->length == 0) {
        struct azure_head h;
        rc = azure_head(s, options->key, options->version, 0, &h, &err);
    } else {
        rc = azure_call_begin(&f.c, s, "GET", options->key, &err);
        if (rc == SR_STORAGE_OK)
            rc = fetch_run(&f, options, &err);
        azure_call_end(&f.c);
    }
    return azure_report(s, rc, &err, "fetching %s from container %s", options->key,
                        s->set.container);
}

/* --- HEAD ------------------------------------------------------------------------------------ */

static void copy_header(const struct sc_response *r, const char *name, char *out, size_t cap)
{
    const char *v = sc_headers_get(&r->headers, name);
    (void)snprintf(out, cap, "%s", v && strlen(v) < cap ? v : "");
}

static int64_t locked_until(const struct azure *s, const struct sc_response *r)
{
    const char *hold = sc_headers_get(&r->headers, "x-ms-legal-hold");
    const char *until = sc_headers_get(&r->headers, "x-ms-immutability-policy-until-date");
    int64_t t = 0;
    if (hold && strcmp(hold, "true") == 0)
        return INT64_MAX;
    return until && sc_time_http_parse(until, &t) == 0 && t > sc_aws_clock_now(&s->clock, s->host)
               ? t
               : 0;
}

int32_t azure_head(struct azure *s, const char *key, const char *version, int quick,
                   struct azure_head *ret, struct sc_error *err)
{
    struct azure_call c;
    *ret = (struct azure_head){0};
    int32_t rc = azure_call_begin(&c, s, "HEAD", key, err);
    if (quick)
        azure_call_cleaning_up(&c);
    if (version)
        sc_query_add(&c.query, "versionid", version);
    if (rc == SR_STORAGE_OK)
        rc = azure_call_customer_key(&c, err);
    if (rc == SR_STORAGE_OK)
        rc = azure_call_run(&c, err);
    const struct sc_response *r = &c.call.response;
    const char *modified = sc_headers_get(&r->headers, "last-modified");
    if (rc == SR_STORAGE_OK && r->length < 0)
        rc = sc_fail(err, SR_STORAGE_E_UNAVAILABLE, "the store does not say how large it is");
    if (rc == SR_STORAGE_OK) {
        ret->size = (uint64_t)r->length;
        if (!modified || sc_time_http_parse(modified, &ret->modified) != 0)
            ret->modified = 0;
        ret->locked_until = locked_until(s, r);
        azure_etag_copy(r, ret->etag);
        copy_header(r, "x-ms-version-id", ret->version, sizeof ret->version);
        copy_header(r, AZURE_MARK_HEADER, ret->mark, sizeof ret->mark);
        s->has_versions |= ret->version[0] != '\0';
    }
    azure_call_end(&c);
    return rc;
}

int32_t azure_stat(void *handle, const struct sr_storage_fetch_options *options,
                   const struct sr_storage_emitter *emitter)
{
    struct azure *s = handle;
    struct sc_error err = SC_ERROR_INIT;
    struct azure_head h;
    int32_t rc = azure_head(s, options->key, options->version, 0, &h, &err);
    if (rc == SR_STORAGE_OK) {
        const struct sr_storage_entry entry = {.size = sizeof entry,
                                               .key = options->key,
                                               .object_size = h.size,
                                               .modified = h.modified,
                                               .locked_until = h.locked_until,
                                               .version = h.version[0] ? h.version : NULL};
        (void)emitter->emit(emitter->ctx, &entry);
    }
    return azure_report(s, rc, &err, "looking at %s in container %s", options->key,
                        s->set.container);
}
