#include "common/resume.h"
#include "common/encode.h"

#include <stdio.h>
#include <string.h>

#define BARREN_MAX 8 /* as many tries as sc_retry_default has */

void sc_resume_init(struct sc_resume *f, const struct sr_storage_fetch_options *o,
                    const struct sr_storage_writer *writer)
{
    *f = (struct sc_resume){.writer = writer,
                            .offset = o->offset,
                            .length = o->length,
                            .total = SR_STORAGE_SIZE_UNKNOWN};
}

int sc_resume_range(struct sc_resume *f, char out[SC_RANGE_MAX])
{
    uint64_t from = f->offset + f->done;
    uint64_t left = f->length - f->done;
    f->skip = 0;
    f->begun = f->done;
    if (f->length == SR_STORAGE_SIZE_UNKNOWN || left > UINT64_MAX - from)
        (void)snprintf(out, SC_RANGE_MAX, "bytes=%llu-", (unsigned long long)from);
    else
        (void)snprintf(out, SC_RANGE_MAX, "bytes=%llu-%llu", (unsigned long long)from,
                       (unsigned long long)(from + left - 1));
    f->ranged = from > 0 || f->length != SR_STORAGE_SIZE_UNKNOWN;
    return f->ranged;
}

/* "bytes 5-9/100"; the total may be "*". Azurite calls what is at the end "bytes 100-99/100". */
static int content_range(const char *value, uint64_t *ret_from, uint64_t *ret_total)
{
    char from[24], upto[24], total[24];
    uint64_t last;
    if (!value || sscanf(value, "bytes %23[0-9]-%23[0-9]/%23[0-9*]", from, upto, total) != 3 ||
        sc_parse_u64(from, ret_from) != 0 || sc_parse_u64(upto, &last) != 0)
        return -1;
    if (strcmp(total, "*") == 0) {
        *ret_total = SR_STORAGE_SIZE_UNKNOWN;
        return last < *ret_from ? -1 : 0;
    }
    if (sc_parse_u64(total, ret_total) != 0 || last >= *ret_total)
        return -1;
    return last >= *ret_from || (*ret_from == *ret_total && last + 1 == *ret_from) ? 0 : -1;
}

int32_t sc_resume_head(struct sc_resume *f, const struct sc_response *r, const char *tag,
                       struct sc_error *err)
{
    uint64_t from = 0, total = SR_STORAGE_SIZE_UNKNOWN, want = f->offset + f->done;
    if (r->status == 206) {
        const char *value = sc_headers_get(&r->headers, "content-range");
        if (content_range(value, &from, &total) != 0 || from > want)
            return sc_fail(err, SR_STORAGE_E_CORRUPT,
                           "byte %llu was asked for, and the answer begins with '%.64s'",
                           (unsigned long long)want, value ? value : "");
    } else if (r->length >= 0) {
        total = (uint64_t)r->length;
    }
    if ((f->tag[0] && strcmp(f->tag, tag) != 0) ||
        (f->total != SR_STORAGE_SIZE_UNKNOWN && total != SR_STORAGE_SIZE_UNKNOWN &&
         f->total != total))
        return sc_fail(err, SR_STORAGE_E_CHANGED, "the object changed while it was read");
    (void)snprintf(f->tag, sizeof f->tag, "%s", tag);
    if (total != SR_STORAGE_SIZE_UNKNOWN)
        f->total = total;
    f->skip = want - from;
    return SR_STORAGE_OK;
}

int32_t sc_resume_sink(struct sc_resume *f, const void *data, size_t len, struct sc_error *err)
{
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

void sc_resume_judge(struct sc_resume *f, const struct sc_response *r, struct sc_verdict *v)
{
    uint64_t at = f->offset + f->done;
    f->barren = f->done > f->begun ? 0 : f->barren + 1;
    if (v->cls != SC_DONE && v->cls != SC_FINAL && r->received > 0 && f->barren >= BARREN_MAX) {
        size_t used = strlen(v->text);
        v->cls = SC_FINAL;
        (void)snprintf(v->text + used, sizeof v->text - used,
                       "; %u tries in a row brought nothing past byte %llu", f->barren,
                       (unsigned long long)at);
    }
    if (r->status == 416 && f->total != SR_STORAGE_SIZE_UNKNOWN && at < f->total) {
        v->cls = SC_FINAL;
        v->code = SR_STORAGE_E_CHANGED;
        (void)snprintf(v->text, sizeof v->text,
                       "the object changed while it was read: %llu bytes were announced, and there "
                       "is nothing from byte %llu on",
                       (unsigned long long)f->total, (unsigned long long)at);
    } else if (r->status == 416 && !f->ranged) {
        v->cls = SC_FINAL;
        v->code = SR_STORAGE_E_CORRUPT;
        (void)snprintf(v->text, sizeof v->text,
                       "HTTP 416, that there is no such range, to a request for all of it");
    } else if (r->status == 416) {
        /* At or past the end there is nothing. */
        v->cls = SC_DONE;
        v->code = SR_STORAGE_OK;
        f->total = at;
    }
    if (r->status == 412) {
        v->cls = SC_FINAL;
        v->code = SR_STORAGE_E_CHANGED;
        (void)snprintf(v->text, sizeof v->text, "the object changed while it was read");
    }
}

int32_t sc_resume_end(const struct sc_resume *f, int32_t rc, struct sc_error *err)
{
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
