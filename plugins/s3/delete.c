/* Deleting, one and many; and what a store that keeps the bytes all the same says of it. */
#include "s3/s3.h"

#include "common/timefmt.h"

#include <stdio.h>
#include <string.h>

#define MANY_MAX 1000
#define DENIED_ADVICE "; where deleting is not allowed, let a lifecycle rule of the bucket do it"
#define BODY_MAX ((size_t)4 << 20)

/* Until when the object is locked, where the store tells; 0: not, or it does not tell. A refusal to
 * delete is looked into, so that "locked" and "denied" are told apart. */
static int64_t locked_until(struct s3 *s, const char *key, const char *version)
{
    static const char *const about[][2] = {{"legal-hold", "LegalHold"}, {"retention", "Retention"}};
    int64_t until = 0;
    for (size_t i = 0; i < 2 && until == 0; i++) {
        struct s3_call c;
        int32_t rc = s3_call_begin(&c, s, "GET", key, NULL);
        c.root = about[i][1];
        c.call.retry = &sc_retry_short;
        sc_query_add(&c.call.request.query, about[i][0], NULL);
        if (version)
            sc_query_add(&c.call.request.query, "versionId", version);
        if (rc == SR_STORAGE_OK)
            rc = s3_call_run(&c, NULL);
        const struct sc_xml_node *root = rc == SR_STORAGE_OK ? sc_xml_root(c.xml) : NULL;
        const char *status = sc_xml_text(root, "Status"),
                   *date = sc_xml_text(root, "RetainUntilDate");
        int64_t t = 0;
        if (status && strcmp(status, "ON") == 0)
            until = INT64_MAX;
        else if (date && sc_time_iso_parse(date, &t) == 0 && t > s->host->now(s->host))
            until = t;
        s3_call_end(&c);
    }
    return until;
}

static void kept(struct sr_storage_deletion *d, int64_t until)
{
    d->outcome = SR_STORAGE_KEPT;
    d->locked_until = until;
}

/* MinIO calls a lock an invalid request, the others say that access is denied. */
static int may_be_locked(const struct s3_call *c, int32_t rc)
{
    return rc == SR_STORAGE_E_DENIED || strcmp(c->aws_code, "InvalidRequest") == 0;
}

/* A store with versions puts a marker also where there never was anything: then nothing is hidden,
 * and the marker, which stands for nothing, is taken away again. Who may not look is told that the
 * bytes may be there still. */
static uint64_t hidden_or_nothing(struct s3 *s, const char *key, const char *marker)
{
    int any = 1;
    if (s3_has_versions(s, key, &any, NULL) != SR_STORAGE_OK || any)
        return SR_STORAGE_HIDDEN;
    if (marker && *marker)
        (void)s3_remove_own(s, key, marker, NULL);
    return SR_STORAGE_DELETED;
}

/* Where objects are locked a deletion that names no version "succeeds" with a marker before them,
 * and what was to be kept is out of sight. 0: not locked, or that cannot be seen. */
static int64_t current_locked_until(struct s3 *s, const char *key)
{
    struct s3_head h;
    if (!s->has_locks || s3_head(s, key, NULL, 0, &h, NULL) != SR_STORAGE_OK)
        return 0;
    return h.locked_until > sc_aws_clock_now(&s->clock, s->host) ? h.locked_until : 0;
}

/* Nothing but the store's own word for it: another 404 says nothing about the object. */
static int was_never_there(const struct s3_call *c)
{
    return strcmp(c->aws_code, "NoSuchKey") == 0 || strcmp(c->aws_code, "NoSuchVersion") == 0;
}

static int32_t delete_one(struct s3 *s, const char *key, const char *version, int own,
                          struct sr_storage_deletion *ret, struct sc_error *err)
{
    struct s3_call c;
    int64_t locked = !own && !version ? current_locked_until(s, key) : 0;
    if (locked != 0) {
        kept(ret, locked);
        return SR_STORAGE_OK;
    }
    int32_t rc = s3_call_begin(&c, s, "DELETE", key, err);
    if (own)
        s3_call_cleaning_up(&c);
    if (version)
        sc_query_add(&c.call.request.query, "versionId", version);
    if (rc == SR_STORAGE_OK)
        rc = s3_call_run(&c, err);
    const char *marker = sc_headers_get(&c.call.response.headers, "x-amz-delete-marker");
    int64_t until = 0;
    int marked = rc == SR_STORAGE_OK && !version && marker && strcmp(marker, "true") == 0;
    if (rc == SR_STORAGE_OK)
        ret->outcome =
            marked && !own
                ? hidden_or_nothing(s, key,
                                    sc_headers_get(&c.call.response.headers, "x-amz-version-id"))
            : marked ? SR_STORAGE_HIDDEN
                     : SR_STORAGE_DELETED;
    else if (rc == SR_STORAGE_E_NOT_FOUND && was_never_there(&c)) {
        ret->outcome = SR_STORAGE_DELETED;
        rc = SR_STORAGE_OK;
    } else if (!own && may_be_locked(&c, rc) && (until = locked_until(s, key, version)) != 0) {
        kept(ret, until);
        rc = SR_STORAGE_OK;
    }
    s3_call_end(&c);
    return rc;
}

int32_t s3_remove_own(struct s3 *s, const char *key, const char *version, struct sc_error *err)
{
    struct sr_storage_deletion d = {.size = sizeof d};
    return delete_one(s, key, version && *version ? version : NULL, 1, &d, err);
}

int32_t s3_delete(void *handle, const struct sr_storage_delete_options *options,
                  struct sr_storage_deletion *ret_deletion)
{
    struct s3 *s = handle;
    struct sc_error err = SC_ERROR_INIT;
    int32_t rc = delete_one(s, options->key, options->version, 0, ret_deletion, &err);
    if (rc == SR_STORAGE_E_DENIED)
        (void)sc_error_append(&err, DENIED_ADVICE);
    return s3_report(s, rc, &err, "deleting %s from bucket %s", options->key, s->set.bucket);
}

/* --- many ------------------------------------------------------------------------------------ */

/* The host's rows may be longer than ours. */
static const struct sr_storage_delete_options *item(const struct sr_storage_delete_options *items,
                                                    uint64_t i)
{
    return (const void *)((const char *)items + i * items->size);
}

struct many {
    struct s3 *s;
    const struct sr_storage_delete_options *items;
    const struct sr_storage_answers *answers;
    uint64_t from, count; /* of this request */
    unsigned char answered[MANY_MAX];
};

/* An error: the whole call is over, and this one is not answered for. */
static int32_t one_by_one(struct many *m, uint64_t i, struct sc_error *over)
{
    const struct sr_storage_delete_options *o = item(m->items, m->from + i);
    struct sr_storage_deletion d = {.size = sizeof d};
    struct sc_error err = SC_ERROR_INIT;
    int32_t rc = delete_one(m->s, o->key, o->version, 0, &d, &err);
    int32_t end = rc == SR_STORAGE_OK ? rc : sc_wait(m->s->host, 0, over);
    if (end != SR_STORAGE_OK)
        return end;
    if (rc == SR_STORAGE_E_DENIED)
        (void)sc_error_append(&err, DENIED_ADVICE);
    m->answered[i] = 1;
    m->answers->answer(m->answers->ctx, m->from + i, rc, rc == SR_STORAGE_OK ? NULL : err.text,
                       rc == SR_STORAGE_OK ? &d : NULL);
    return SR_STORAGE_OK;
}

static int same(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

/* The first unanswered item that the row of the answer is about; count: none. */
static uint64_t which(const struct many *m, const struct sc_xml_node *row)
{
    const char *key = sc_xml_text(row, "Key"), *version = sc_xml_text(row, "VersionId");
    for (uint64_t i = 0; i < m->count && key; i++) {
        const struct sr_storage_delete_options *o = item(m->items, m->from + i);
        if (!m->answered[i] && strcmp(o->key, key) == 0 &&
            (!o->version || same(o->version, version)))
            return i;
    }
    return m->count;
}

static int32_t row_answer(struct many *m, const struct sc_xml_node *row, struct sc_error *err)
{
    uint64_t i = which(m, row);
    const char *marker = sc_xml_text(row, "DeleteMarker");
    const char *marker_version = sc_xml_text(row, "DeleteMarkerVersionId");
    struct sr_storage_deletion d = {.size = sizeof d, .outcome = SR_STORAGE_DELETED};
    if (i == m->count)
        return SR_STORAGE_OK;
    /* Why it was refused is found out by asking for it alone. */
    if (strcmp(row->name, "Deleted") != 0)
        return one_by_one(m, i, err);
    const struct sr_storage_delete_options *o = item(m->items, m->from + i);
    if (!o->version && marker && strcmp(marker, "true") == 0)
        d.outcome = hidden_or_nothing(m->s, o->key, marker_version);
    m->answered[i] = 1;
    m->answers->answer(m->answers->ctx, m->from + i, SR_STORAGE_OK, NULL, &d);
    return SR_STORAGE_OK;
}

static void body_build(const struct many *m, struct sc_buf *b)
{
    sc_buf_adds(b, "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (uint64_t i = 0; i < m->count; i++) {
        const struct sr_storage_delete_options *o = item(m->items, m->from + i);
        sc_buf_adds(b, "<Object><Key>");
        sc_xml_escape(b, o->key);
        sc_buf_adds(b, "</Key>");
        if (o->version) {
            sc_buf_adds(b, "<VersionId>");
            sc_xml_escape(b, o->version);
            sc_buf_adds(b, "</VersionId>");
        }
        sc_buf_adds(b, "</Object>");
    }
    sc_buf_adds(b, "</Delete>");
}

/* One request for up to 1,000. What it does not answer for, and everything where the store does not
 * know the call, is deleted one by one. */
static int32_t some(struct many *m, struct sc_error *err)
{
    struct sc_buf body = SC_BUF_INIT(BODY_MAX);
    struct s3_call c;
    memset(m->answered, 0, sizeof m->answered);
    int32_t rc = s3_call_begin(&c, m->s, "POST", NULL, err);
    c.root = "DeleteResult";
    c.call.reply_max = BODY_MAX;
    sc_query_add(&c.call.request.query, "delete", NULL);
    body_build(m, &body);
    if (rc == SR_STORAGE_OK)
        rc = sc_buf_check(&body, err, "a list of keys");
    if (rc == SR_STORAGE_OK)
        rc = s3_call_header(&c, err, "content-type", "application/xml");
    if (rc == SR_STORAGE_OK)
        rc = s3_call_body_checked(&c, body.data, body.len, err);
    if (rc == SR_STORAGE_OK)
        rc = s3_call_run(&c, err);
    if (rc == SR_STORAGE_OK) {
        for (const struct sc_xml_node *n = sc_xml_root(c.xml)->first; n && rc == SR_STORAGE_OK;
             n = n->sibling)
            if (strcmp(n->name, "Deleted") == 0 || strcmp(n->name, "Error") == 0)
                rc = row_answer(m, n, err);
    } else if (rc == SR_STORAGE_E_UNSUPPORTED || rc == SR_STORAGE_E_CONFIG ||
               rc == SR_STORAGE_E_DENIED) {
        m->s->no_delete_many = rc == SR_STORAGE_E_UNSUPPORTED;
        rc = SR_STORAGE_OK;
    }
    s3_call_end(&c);
    sc_buf_done(&body);
    for (uint64_t i = 0; i < m->count && rc == SR_STORAGE_OK; i++)
        if (!m->answered[i])
            rc = one_by_one(m, i, err);
    return rc;
}

int32_t s3_delete_many(void *handle, const struct sr_storage_delete_options *items, uint64_t count,
                       const struct sr_storage_answers *answers)
{
    struct s3 *s = handle;
    struct sc_error err = SC_ERROR_INIT;
    struct many m = {.s = s, .items = items, .answers = answers};
    int32_t rc = SR_STORAGE_OK;
    for (; m.from < count && rc == SR_STORAGE_OK; m.from += m.count) {
        uint64_t left = count - m.from;
        /* Locks are looked for one by one. */
        int singly = s->no_delete_many || s->has_locks;
        m.count = singly ? 1 : left < MANY_MAX ? left : MANY_MAX;
        if (s->host->is_cancelled(s->host))
            rc = sc_fail(&err, SR_STORAGE_E_CANCELLED, "cancelled");
        else if (singly)
            rc = one_by_one(&m, 0, &err);
        else
            rc = some(&m, &err);
    }
    return s3_report(s, rc, &err, "deleting from bucket %s", s->set.bucket);
}
