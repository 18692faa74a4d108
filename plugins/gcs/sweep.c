/* Unfinished uploads in parts: billed by Google, listed by nobody else. Sessions cannot be listed;
 * Google forgets them after a week, and bills nothing for them. */
#include "gcs/gcs.h"

#include "common/timefmt.h"

#include <stdio.h>
#include <string.h>

#define MARK_MAX 4096
#define PART_PAGES_MAX 10 /* of 1,000 parts each */
#define FAILURES_MAX 5    /* in a row, but for denials: then it is the store and not an upload */

struct lost {
    const char *key, *except;
    int64_t since;
};

struct sweeping {
    struct gcs *s;
    const struct sr_storage_sweep_options *o;
    const struct sr_storage_emitter *emitter;
    struct sc_buf key, key_mark, id_mark;
    const struct lost *lost; /* gcs_sweep_lost */
    int64_t ahead;           /* of our clock, Google's */
    unsigned fits;           /* uploads that may be the lost one */
    char fit[GCS_UPLOAD_ID_MAX];
    int stopped;
    unsigned failed, in_row; /* uploads that could not be ended */
    struct sc_error first;   /* why the first could not */
};

#define SWEEPING_BUFS                                                \
    .key = SC_BUF_INIT(MARK_MAX), .key_mark = SC_BUF_INIT(MARK_MAX), \
    .id_mark = SC_BUF_INIT(MARK_MAX)

static int32_t text_read(struct sc_buf *out, const char *text, int encoded, struct sc_error *err)
{
    sc_buf_reset(out);
    if (!text || (encoded ? sc_percent_decode(out, text, strlen(text), 1)
                          : sc_buf_adds(out, text)) != SR_STORAGE_OK)
        return sc_fail(err, SR_STORAGE_E_CORRUPT, "the list of uploads cannot be read");
    return sc_buf_check(out, err, "a key in the list of uploads");
}

/* One page of an upload's parts: how many there are, the newest time into *newest, the number to go
 * on after into marker ("": that was the last page). */
static int32_t part_page(const struct sweeping *w, const char *key, const char *id, char marker[16],
                         unsigned *ret_count, int64_t *newest, struct sc_error *err)
{
    struct gcs_call c;
    int32_t rc = gcs_call_begin(&c, w->s, "GET", GCS_API_XML, key, err);
    c.root = "ListPartsResult";
    *ret_count = 0;
    sc_query_add(&c.call.request.query, "uploadId", id);
    if (w->lost) { /* whether there is one at all */
        gcs_call_cleaning_up(&c);
        sc_query_add(&c.call.request.query, "max-parts", "1");
    }
    if (*marker)
        sc_query_add(&c.call.request.query, "part-number-marker", marker);
    if (rc == SR_STORAGE_OK)
        rc = gcs_call_run(&c, err);
    const struct sc_xml_node *root = rc == SR_STORAGE_OK ? sc_xml_root(c.xml) : NULL;
    const char *more = sc_xml_text(root, "IsTruncated"),
               *next = sc_xml_text(root, "NextPartNumberMarker");
    for (const struct sc_xml_node *n = sc_xml_child(root, "Part"); n; n = sc_xml_next(n, "Part")) {
        const char *modified = sc_xml_text(n, "LastModified");
        int64_t t = 0;
        if (modified && sc_time_iso_parse(modified, &t) == 0 && t > *newest)
            *newest = t;
        ++*ret_count;
    }
    int on = more && strcmp(more, "true") == 0 && next && strcmp(next, marker) != 0;
    (void)snprintf(marker, 16, "%s", on && strlen(next) < 16 ? next : "");
    gcs_call_end(&c);
    return rc;
}

/* When the upload last showed life: *t, its beginning, or later, when a part came. */
static int32_t last_sign(const struct sweeping *w, const char *key, const char *id, int64_t *t,
                         struct sc_error *err)
{
    char marker[16] = "";
    unsigned count = 0;
    int32_t rc = SR_STORAGE_OK;
    int pages = 0;
    do
        rc = part_page(w, key, id, marker, &count, t, err);
    while (rc == SR_STORAGE_OK && *marker && ++pages < PART_PAGES_MAX);
    return rc;
}

/* *ret_ended nonzero when it was old, and is ended now (or would be, in a dry run). *t: when it
 * began, and then its last sign of life. */
static int32_t end_if_old(const struct sweeping *w, const char *key, const char *id, int64_t *t,
                          int *ret_ended, struct sc_error *err)
{
    int32_t rc = SR_STORAGE_OK;
    /* The times in the list are Google's, and so must be the one that they are held against: this
     * machine's clock may be a day ahead, and every live upload would be old. */
    const int64_t now = w->s->host->now(w->s->host) + w->ahead;
    if (*t > now || (uint64_t)(now - *t) < w->o->older_than)
        return rc;
    rc = last_sign(w, key, id, t, err);
    if (rc != SR_STORAGE_OK)
        return sc_error_wrap(err, "looking when its last part came");
    if (*t > now || (uint64_t)(now - *t) < w->o->older_than)
        return rc;
    if (!(w->o->flags & SR_STORAGE_SWEEP_DRY_RUN))
        rc = gcs_upload_abort(w->s, key, id, err);
    *ret_ended = rc == SR_STORAGE_OK;
    return rc;
}

/* Nonzero when the sweep goes on after such a failure: the other uploads may fare better. */
static int goes_on(struct sweeping *w, int32_t rc, const char *key, const struct sc_error *err)
{
    if (rc == SR_STORAGE_E_NOT_FOUND)
        return 1; /* somebody else has ended it, or completed it */
    if (rc == SR_STORAGE_E_CANCELLED || rc == SR_STORAGE_E_TIMEOUT)
        return 0;
    if (w->failed++ == 0)
        w->first = *err;
    sc_log(w->s->host, SR_STORAGE_LOG_WARN, "the unfinished upload of %s cannot be ended: %s", key,
           err->text);
    w->in_row = rc == SR_STORAGE_E_DENIED ? 0 : w->in_row + 1;
    return w->in_row < FAILURES_MAX;
}

/* The lost one has no part, and was not begun before our first try; nor are those that another host
 * has just begun. */
static int32_t lost_note(struct sweeping *w, const char *key, const char *id, int64_t begun,
                         struct sc_error *err)
{
    char marker[16] = "";
    unsigned parts = 0;
    int64_t newest = 0;
    if (strcmp(key, w->lost->key) != 0 || strcmp(id, w->lost->except) == 0 ||
        begun < w->lost->since + w->ahead)
        return SR_STORAGE_OK;
    int32_t rc = part_page(w, key, id, marker, &parts, &newest, err);
    if (rc == SR_STORAGE_OK && parts == 0) {
        (void)snprintf(w->fit, sizeof w->fit, "%s", id);
        w->stopped = ++w->fits > 1;
    }
    return rc == SR_STORAGE_E_NOT_FOUND ? SR_STORAGE_OK : rc; /* it has ended meanwhile */
}

/* One upload: a dead saver's? Without the right to see its parts nobody can tell, and it stays. */
static int32_t upload(struct sweeping *w, const struct sc_xml_node *n, int encoded,
                      struct sc_error *err)
{
    const char *id = sc_xml_text(n, "UploadId"), *begun = sc_xml_text(n, "Initiated");
    int64_t t = 0;
    int ended = 0;
    int32_t rc = text_read(&w->key, sc_xml_text(n, "Key"), encoded, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    const char *key = sc_buf_str(&w->key);
    if (!id || !*id || strlen(id) >= GCS_UPLOAD_ID_MAX || !begun ||
        sc_time_iso_parse(begun, &t) != 0)
        return rc;
    if (w->lost)
        return lost_note(w, key, id, t, err);
    if (strncmp(key, w->o->prefix, strlen(w->o->prefix)) != 0)
        return rc;
    rc = end_if_old(w, key, id, &t, &ended, err);
    if (rc != SR_STORAGE_OK)
        return goes_on(w, rc, key, err)
                   ? SR_STORAGE_OK
                   : sc_error_wrap(err, "ending the unfinished upload of %.200s", key);
    w->in_row = 0;
    if (!ended)
        return rc;
    const struct sr_storage_entry entry = {.size = sizeof entry, .key = key, .modified = t};
    w->stopped = w->emitter->emit(w->emitter->ctx, &entry) != 0;
    return rc;
}

static int32_t mark_next(struct sweeping *w, const struct sc_xml_node *root, int encoded,
                         struct sc_error *err)
{
    struct sc_buf key = SC_BUF_INIT(MARK_MAX);
    const char *id = sc_xml_text(root, "NextUploadIdMarker");
    int32_t rc = text_read(&key, sc_xml_text(root, "NextKeyMarker"), encoded, err);
    if (rc == SR_STORAGE_OK && strcmp(sc_buf_str(&key), sc_buf_str(&w->key_mark)) == 0 &&
        strcmp(id ? id : "", sc_buf_str(&w->id_mark)) == 0)
        rc = sc_fail(err, SR_STORAGE_E_CORRUPT, "the list of uploads goes round");
    if (rc == SR_STORAGE_OK)
        rc = text_read(&w->key_mark, sc_buf_str(&key), 0, err);
    if (rc == SR_STORAGE_OK)
        rc = text_read(&w->id_mark, id ? id : "", 0, err);
    sc_buf_done(&key);
    return rc;
}

static int32_t page(struct sweeping *w, int *ret_more, struct sc_error *err)
{
    struct gcs_call c;
    int32_t rc = gcs_call_begin(&c, w->s, "GET", GCS_API_XML, NULL, err);
    struct sc_buf *query = &c.call.request.query;
    c.root = "ListMultipartUploadsResult";
    if (w->lost)
        gcs_call_cleaning_up(&c);
    sc_query_add(query, "uploads", NULL);
    sc_query_add(query, "encoding-type", "url");
    if (*w->o->prefix)
        sc_query_add(query, "prefix", w->o->prefix);
    if (w->key_mark.len)
        sc_query_add(query, "key-marker", sc_buf_str(&w->key_mark));
    if (w->id_mark.len)
        sc_query_add(query, "upload-id-marker", sc_buf_str(&w->id_mark));
    if (rc == SR_STORAGE_OK)
        rc = gcs_call_run(&c, err);
    const struct sc_xml_node *root = rc == SR_STORAGE_OK ? sc_xml_root(c.xml) : NULL;
    const char *more = sc_xml_text(root, "IsTruncated"),
               *encoding = sc_xml_text(root, "EncodingType");
    int encoded = encoding && strcmp(encoding, "url") == 0;
    w->ahead = c.call.response.date ? c.call.response.date - w->s->host->now(w->s->host) : 0;
    *ret_more = more && strcmp(more, "true") == 0;
    for (const struct sc_xml_node *n = sc_xml_child(root, "Upload");
         n && rc == SR_STORAGE_OK && !w->stopped; n = sc_xml_next(n, "Upload"))
        rc = upload(w, n, encoded, err);
    if (rc == SR_STORAGE_OK && *ret_more)
        rc = mark_next(w, root, encoded, err);
    gcs_call_end(&c);
    return rc;
}

static int32_t sweep(struct sweeping *w, struct sc_error *err)
{
    const struct sr_storage_host *host = w->s->host;
    int32_t rc = SR_STORAGE_OK;
    for (int more = 1; more && !w->stopped && rc == SR_STORAGE_OK;) {
        if (!w->lost && host->is_cancelled(host))
            rc = sc_fail(err, SR_STORAGE_E_CANCELLED, "cancelled");
        else
            rc = page(w, &more, err);
    }
    sc_buf_done(&w->key);
    sc_buf_done(&w->key_mark);
    sc_buf_done(&w->id_mark);
    return rc;
}

int32_t gcs_sweep_lost(struct gcs *s, const char *key, const char *except, int64_t since,
                       struct sc_error *err)
{
    const struct lost lost = {key, except, since};
    const struct sr_storage_sweep_options o = {.size = sizeof o, .prefix = key};
    struct sweeping w = {.s = s, .o = &o, SWEEPING_BUFS, .lost = &lost};
    int32_t rc = sweep(&w, err);
    if (rc == SR_STORAGE_OK && w.fits > 1)
        return sc_fail(err, SR_STORAGE_E_IN_DOUBT,
                       "several empty ones were begun since, and another host's may be among them");
    return rc == SR_STORAGE_OK && w.fits == 1 ? gcs_upload_abort(s, key, w.fit, err) : rc;
}

int32_t gcs_sweep(void *handle, const struct sr_storage_sweep_options *options,
                  const struct sr_storage_emitter *emitter)
{
    struct gcs *s = handle;
    struct sc_error err = SC_ERROR_INIT;
    struct sweeping w = {.s = s, .o = options, .emitter = emitter, SWEEPING_BUFS};
    int32_t rc = sweep(&w, &err);
    if (rc == SR_STORAGE_OK && w.failed > 0) {
        err = w.first;
        rc = sc_error_wrap(&err, "%u of the unfinished uploads could not be ended; the first",
                           w.failed);
    }
    if (rc == SR_STORAGE_E_DENIED)
        (void)sc_error_append(&err, "; where that is not allowed, let a lifecycle rule for "
                                    "incomplete uploads end them");
    return gcs_report(s, rc, &err, "sweeping bucket %s", s->set.bucket);
}
