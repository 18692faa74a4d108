/* Unfinished uploads: billed by the store, listed by nobody else. */
#include "s3/s3.h"

#include "common/timefmt.h"

#include <stdio.h>
#include <string.h>

#define MARK_MAX 4096
#define LOST_S 3600 /* longer than all tries of one request, and clocks that S3 takes, can make */

struct sweeping {
    struct s3 *s;
    const struct sr_storage_sweep_options *o;
    const struct sr_storage_emitter *emitter;
    struct sc_buf key, key_mark, id_mark;
    const char *only_key, *except; /* s3_sweep_lost: of this key, but for this upload */
    int stopped;
};

static int32_t text_read(struct sc_buf *out, const char *text, int encoded, struct sc_error *err)
{
    sc_buf_reset(out);
    if (!text || (encoded ? sc_percent_decode(out, text, strlen(text), 1)
                          : sc_buf_adds(out, text)) != SR_STORAGE_OK)
        return sc_fail(err, SR_STORAGE_E_CORRUPT, "the list of uploads cannot be read");
    return sc_buf_check(out, err, "a key in the list of uploads");
}

/* Begun by a try of this save: nobody else writes this key now, and older ones are sweep's. */
static int is_lost(const struct sweeping *w, const char *key, const char *id, int64_t begun)
{
    int64_t now = sc_aws_clock_now(&w->s->clock, w->s->host);
    return strcmp(key, w->only_key) == 0 && strcmp(id, w->except) != 0 && begun > now - LOST_S;
}

/* One upload: old enough to be a dead saver's? Its age is that of its beginning, which is all that
 * S3 tells: older_than must be longer than a backup takes. */
static int32_t upload(struct sweeping *w, const struct sc_xml_node *n, int encoded,
                      struct sc_error *err)
{
    const char *id = sc_xml_text(n, "UploadId"), *begun = sc_xml_text(n, "Initiated");
    int64_t t = 0, now = w->s->host->now(w->s->host);
    int32_t rc = text_read(&w->key, sc_xml_text(n, "Key"), encoded, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    const char *key = sc_buf_str(&w->key);
    if (!id || !*id || strlen(id) >= S3_UPLOAD_ID_MAX || !begun ||
        sc_time_iso_parse(begun, &t) != 0)
        return rc;
    if (w->only_key)
        return is_lost(w, key, id, t) ? s3_upload_abort(w->s, key, id, err) : rc;
    if (strncmp(key, w->o->prefix, strlen(w->o->prefix)) != 0 || t > now ||
        (uint64_t)(now - t) < w->o->older_than)
        return rc;
    if (!(w->o->flags & SR_STORAGE_SWEEP_DRY_RUN))
        rc = s3_upload_abort(w->s, key, id, err);
    if (rc != SR_STORAGE_OK)
        return sc_error_wrap(err, "ending the unfinished upload of %.200s", key);
    const struct sr_storage_entry entry = {.size = sizeof entry, .key = key, .modified = t};
    w->stopped = w->emitter->emit(w->emitter->ctx, &entry) != 0;
    return rc;
}

static int32_t page(struct sweeping *w, int *ret_more, struct sc_error *err)
{
    struct s3_call c;
    struct sc_buf key = SC_BUF_INIT(MARK_MAX);
    int32_t rc = s3_call_begin(&c, w->s, "GET", NULL, err);
    c.root = "ListMultipartUploadsResult";
    if (w->only_key)
        s3_call_cleaning_up(&c);
    c.call.reply_max = SC_XML_BYTES;
    sc_query_add(&c.call.request.query, "uploads", NULL);
    if (*w->o->prefix)
        sc_query_add(&c.call.request.query, "prefix", w->o->prefix);
    if (w->s->set.url_encoding)
        sc_query_add(&c.call.request.query, "encoding-type", "url");
    if (w->key_mark.len)
        sc_query_add(&c.call.request.query, "key-marker", sc_buf_str(&w->key_mark));
    if (w->id_mark.len)
        sc_query_add(&c.call.request.query, "upload-id-marker", sc_buf_str(&w->id_mark));
    if (rc == SR_STORAGE_OK)
        rc = s3_call_run(&c, err);
    const struct sc_xml_node *root = rc == SR_STORAGE_OK ? sc_xml_root(c.xml) : NULL;
    const char *more = sc_xml_text(root, "IsTruncated"),
               *encoding = sc_xml_text(root, "EncodingType");
    int encoded = encoding && strcmp(encoding, "url") == 0;
    *ret_more = more && strcmp(more, "true") == 0;
    for (const struct sc_xml_node *n = sc_xml_child(root, "Upload");
         n && rc == SR_STORAGE_OK && !w->stopped; n = sc_xml_next(n, "Upload"))
        rc = upload(w, n, encoded, err);
    if (rc == SR_STORAGE_OK && *ret_more) {
        const char *id = sc_xml_text(root, "NextUploadIdMarker");
        rc = text_read(&key, sc_xml_text(root, "NextKeyMarker"), encoded, err);
        if (rc == SR_STORAGE_OK && strcmp(sc_buf_str(&key), sc_buf_str(&w->key_mark)) == 0 &&
            strcmp(id ? id : "", sc_buf_str(&w->id_mark)) == 0)
            rc = sc_fail(err, SR_STORAGE_E_CORRUPT, "the list of uploads goes round");
        if (rc == SR_STORAGE_OK)
            rc = text_read(&w->key_mark, sc_buf_str(&key), 0, err);
        if (rc == SR_STORAGE_OK)
            rc = text_read(&w->id_mark, id ? id : "", 0, err);
    }
    s3_call_end(&c);
    sc_buf_done(&key);
    return rc;
}

static int32_t sweep(struct sweeping *w, struct sc_error *err)
{
    const struct sr_storage_host *host = w->s->host;
    int32_t rc = SR_STORAGE_OK;
    for (int more = 1; more && !w->stopped && rc == SR_STORAGE_OK;) {
        if (!w->only_key && host->is_cancelled(host))
            rc = sc_fail(err, SR_STORAGE_E_CANCELLED, "cancelled");
        else
            rc = page(w, &more, err);
    }
    sc_buf_done(&w->key);
    sc_buf_done(&w->key_mark);
    sc_buf_done(&w->id_mark);
    return rc;
}

int32_t s3_sweep_lost(struct s3 *s, const char *key, const char *except, struct sc_error *err)
{
    const struct sr_storage_sweep_options o = {.size = sizeof o, .prefix = key};
    struct sweeping w = {.s = s,
                         .o = &o,
                         .key = SC_BUF_INIT(MARK_MAX),
                         .key_mark = SC_BUF_INIT(MARK_MAX),
                         .id_mark = SC_BUF_INIT(MARK_MAX),
                         .only_key = key,
                         .except = except};
    return sweep(&w, err);
}

int32_t s3_sweep(void *handle, const struct sr_storage_sweep_options *options,
                 const struct sr_storage_emitter *emitter)
{
    struct s3 *s = handle;
    struct sc_error err = SC_ERROR_INIT;
    struct sweeping w = {.s = s,
                         .o = options,
                         .emitter = emitter,
                         .key = SC_BUF_INIT(MARK_MAX),
                         .key_mark = SC_BUF_INIT(MARK_MAX),
                         .id_mark = SC_BUF_INIT(MARK_MAX)};
    int32_t rc = sweep(&w, &err);
    return s3_report(s, rc, &err, "sweeping bucket %s", s->set.bucket);
}
