#include "gcs/save.h"

#include "common/digest.h"
#include "common/timefmt.h"

#include <stdio.h>
#include <string.h>

#define DAY 86400
#define BOUNDARY_TEXT "strongroom-" /* and the upload's mark, which is random */

/* --- what the object is ---------------------------------------------------------------------- */

static int put(json_t *o, const char *name, json_t *value)
{
    return json_object_set_new(o, name, value);
}

static json_t *metadata_of(const struct gcs_saving *v)
{
    json_t *m = json_object();
    int bad = put(m, GCS_MARK_NAME, json_string(v->settled.mark));
    const char *const *pair = v->object->metadata;
    for (; pair && pair[0] && pair[1]; pair += 2)
        bad |= put(m, pair[0], json_string(pair[1]));
    if (bad) {
        json_decref(m);
        return NULL;
    }
    return m;
}

int32_t gcs_saving_describe(const struct gcs_saving *v, const uint32_t *crc32c, char **ret,
                            struct sc_error *err)
{
    const struct gcs_settings *set = &v->s->set;
    char until[SC_TIME_ISO_SIZE], now[SC_TIME_ISO_SIZE], crc[GCS_CRC_TEXT];
    json_t *o = json_object();
    int bad = put(o, "contentType", json_string("application/octet-stream")) |
              put(o, "metadata", metadata_of(v));
    if (set->storage_class)
        bad |= put(o, "storageClass", json_string(set->storage_class));
    if (set->custom_time) {
        sc_time_iso(v->s->host->now(v->s->host), now);
        bad |= put(o, "customTime", json_string(now));
    }
    if (set->hold != GCS_HOLD_NONE)
        bad |=
            put(o, set->hold == GCS_HOLD_EVENT ? "eventBasedHold" : "temporaryHold", json_true());
    if (v->retain_until != 0) {
        sc_time_iso(v->retain_until, until);
        bad |= put(o, "retention",
                   json_pack("{s:s, s:s}", "mode", set->lock_mode, "retainUntilTime", until));
    }
    if (crc32c) {
        gcs_crc_text(*crc32c, crc);
        bad |= put(o, "crc32c", json_string(crc));
    }
    *ret = bad ? NULL : json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII);
    json_decref(o);
    return *ret ? SR_STORAGE_OK
                : sc_fail(err, SR_STORAGE_E_INTERNAL,
                          "the object's description is no UTF-8, or memory is short");
}

int32_t gcs_saving_begin(const struct gcs_saving *v, struct gcs_call *c, struct sc_error *err)
{
    if (!v->replace)
        sc_query_add(&c->call.request.query, "ifGenerationMatch", "0");
    if (v->s->set.kms_key)
        sc_query_add(&c->call.request.query, "kmsKeyName", v->s->set.kms_key);
    return gcs_call_customer_key(c, err);
}

void gcs_saving_took(void *ctx, const void *data, size_t len)
{
    struct gcs_saving *v = ctx;
    v->crc32c = sc_crc32c(v->crc32c, data, len);
    v->len += len;
    if (v->in_parts) {
        v->part_crc32c = sc_crc32c(v->part_crc32c, data, len);
        v->part_len += len;
    }
}

int32_t gcs_saving_spoilt(struct gcs_saving *v, const char *generation, struct sc_error *err)
{
    const struct sc_seen made = sc_seen_of(generation, NULL);
    return sc_settle_spoilt(&v->settled, made.version[0] ? &made : NULL, err);
}

int32_t gcs_saving_confirm(struct gcs_saving *v, const struct gcs_object *o, struct sc_error *err)
{
    if (o->size != v->len)
        (void)sc_fail(err, SR_STORAGE_E_CORRUPT,
                      "%llu bytes were sent, Google says that it holds %llu",
                      (unsigned long long)v->len, (unsigned long long)o->size);
    else if (o->has_crc32c && o->crc32c != v->crc32c)
        (void)sc_fail(err, SR_STORAGE_E_CORRUPT,
                      "Google states another crc32c than that of what was sent");
    if (o->size != v->len || (o->has_crc32c && o->crc32c != v->crc32c))
        return gcs_saving_spoilt(v, o->generation, err);
    v->saved->confirmed |= SR_STORAGE_CONFIRMED_SIZE | SR_STORAGE_CONFIRMED_VERSION;
    v->saved->object_size = o->size;
    memcpy(v->saved->version, o->generation, sizeof o->generation);
    if (o->has_crc32c) {
        v->saved->confirmed |= SR_STORAGE_CONFIRMED_CHECKSUM;
        v->saved->checksum_kind = SR_STORAGE_SUM_CRC32C;
        v->saved->checksum_len = GCS_CRC_LEN;
        sc_put_be(v->saved->checksum, GCS_CRC_LEN, o->crc32c);
    }
    return SR_STORAGE_OK;
}

int32_t gcs_saving_look(struct gcs_saving *v, struct sc_error *err)
{
    struct gcs_object o;
    struct sc_error why = SC_ERROR_INIT;
    int32_t rc = gcs_look(v->s, v->key, NULL, 0, &o, &why);
    if (rc == SR_STORAGE_OK)
        return sc_fail(err, SR_STORAGE_E_EXISTS, "there is an object of that name already");
    if (rc == SR_STORAGE_E_DENIED)
        sc_log(v->s->host, SR_STORAGE_LOG_VERBOSE,
               "no right to see whether %s exists already; Google itself must refuse it", v->key);
    else if (rc != SR_STORAGE_E_NOT_FOUND) {
        *err = why;
        return rc;
    }
    return SR_STORAGE_OK;
}

/* For common/settle.h. What is found must be what was sent, sum and all. */
static int32_t look(void *ctx, const char *key, struct sc_seen *ret, struct sc_error *err)
{
    struct gcs_saving *v = ctx;
    struct gcs_object o;
    int32_t rc = gcs_look(v->s, key, NULL, 1, &o, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    ret->size = o.size;
    memcpy(ret->version, o.generation, sizeof o.generation);
    memcpy(ret->mark, o.mark, sizeof ret->mark);
    return rc;
}

static int32_t remove_own(void *ctx, const char *key, const struct sc_seen *what,
                          struct sc_error *err)
{
    const struct gcs_saving *v = ctx;
    return gcs_remove_own(v->s, key, what->version, err);
}

/* --- one request ----------------------------------------------------------------------------- */

/* The body is multipart/related: description, bytes, end; read out of three places. */
struct single {
    struct gcs_call c; /* first */
    char *description;
    struct sc_buf before, after;
    const struct sc_buffer *bytes;
};

static int64_t single_read(void *ctx, uint64_t at, void *buf, size_t cap)
{
    const struct single *p = ctx;
    const struct {
        const char *data;
        uint64_t len;
    } places[] = {{p->before.data, p->before.len},
                  {p->bytes->data, p->bytes->len},
                  {p->after.data, p->after.len}};
    for (size_t i = 0; i < 3; at -= places[i].len, i++)
        if (at < places[i].len) {
            uint64_t n = places[i].len - at;
            n = n < cap ? n : cap;
            memcpy(buf, places[i].data + at, (size_t)n);
            return (int64_t)n;
        }
    return 0;
}

static int32_t single_build(struct single *p, const struct gcs_saving *v, struct sc_error *err)
{
    struct sc_request *r = &p->c.call.request;
    const char *mark = v->settled.mark;
    int32_t rc = gcs_saving_describe(v, &v->crc32c, &p->description, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    sc_buf_addf(&p->before,
                "--" BOUNDARY_TEXT "%s\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n"
                "%s\r\n--" BOUNDARY_TEXT "%s\r\nContent-Type: application/octet-stream\r\n\r\n",
                mark, p->description, mark);
    sc_buf_addf(&p->after, "\r\n--" BOUNDARY_TEXT "%s--\r\n", mark);
    rc = sc_buf_check(&p->before, err, "the object's description");
    r->read = single_read;
    r->read_ctx = p;
    r->body_len = p->before.len + p->bytes->len + p->after.len;
    return rc == SR_STORAGE_OK
               ? gcs_call_header(&p->c, err, "content-type",
                                 "multipart/related; boundary=" BOUNDARY_TEXT "%s", mark)
               : rc;
}

static int32_t single(struct gcs_saving *v, const struct sc_buffer *b, struct sc_error *err)
{
    struct single p = {.bytes = b, .before = SC_BUF_INIT(65536), .after = SC_BUF_INIT(256)};
    struct gcs_object o;
    int32_t rc = gcs_call_begin(&p.c, v->s, "POST", GCS_API_UPLOAD, v->key, err);
    p.c.wants_json = 1;
    sc_query_add(&p.c.call.request.query, "uploadType", "multipart");
    if (rc == SR_STORAGE_OK)
        rc = gcs_saving_begin(v, &p.c, err);
    if (rc == SR_STORAGE_OK)
        rc = single_build(&p, v, err);
    if (rc == SR_STORAGE_OK)
        rc = gcs_call_run(&p.c, err);
    if (rc != SR_STORAGE_OK && gcs_call_outcome_open(&p.c))
        rc = sc_settle_lost(&v->settled, v->len, p.c.call.unanswered, err);
    else if (rc == SR_STORAGE_OK) {
        rc = gcs_object_read(p.c.json, &o, err);
        if (rc == SR_STORAGE_OK)
            rc = gcs_saving_confirm(v, &o, err);
        else /* something was made, and the answer does not say what */
            rc = sc_settle_lost(&v->settled, v->len, 0, err);
    }
    gcs_call_end(&p.c);
    free(p.description);
    sc_buf_done(&p.before);
    sc_buf_done(&p.after);
    return rc;
}

/* --- the save -------------------------------------------------------------------------------- */

static int wants_parts(const struct gcs_saving *v)
{
    const struct gcs_settings *set = &v->s->set;
    const uint64_t hint = v->object->size_hint;
    if (set->upload != GCS_UPLOAD_AUTO)
        return set->upload == GCS_UPLOAD_MULTIPART;
    /* An upload in parts cannot put its object under a hold; of one part there is no use. */
    if (set->hold != GCS_HOLD_NONE || v->s->set.emulator || hint <= set->part_size)
        return 0;
    return v->replace;
}

/* In a session one chunk is on its way while the next one fills: both take what parts would. */
static struct sc_limits limits_of(const struct gcs_saving *v)
{
    const struct gcs_settings *set = &v->s->set;
    if (v->in_parts)
        return (struct sc_limits){set->part_size, GCS_PART_MOST, set->concurrency, set->max_parts,
                                  0};
    uint64_t chunk = set->part_size * (set->concurrency + 1) / 2 / GCS_CHUNK_UNIT * GCS_CHUNK_UNIT;
    return (struct sc_limits){chunk, chunk, 1, (unsigned)(GCS_OBJECT_MOST / chunk), 1};
}

/* Early, so that hours of sending are not spent on a name that is taken. */
static int32_t begin(struct gcs_saving *v, struct sc_error *err)
{
    const struct gcs_settings *set = &v->s->set;
    if (!v->key)
        return sc_fail(err, SR_STORAGE_E_UNSUPPORTED,
                       "Google Cloud Storage must know an object's name first");
    if (v->retain_until == 0 && set->lock_days > 0)
        v->retain_until = v->s->host->now(v->s->host) + (int64_t)set->lock_days * DAY;
    int32_t rc = sc_mark_make(v->s->host, v->settled.mark, err);
    if (rc == SR_STORAGE_OK && v->retain_until != 0)
        rc = gcs_locks_needed(v->s, err);
    if (rc == SR_STORAGE_OK && !v->replace)
        rc = gcs_saving_look(v, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    v->in_parts = wants_parts(v);
    const struct sc_limits limits = limits_of(v);
    return sc_upload_plan(v->s->host, v->object, &limits, &v->plan, err);
}

static int32_t save(struct gcs_saving *v, struct sc_error *err)
{
    const struct sc_upload_options o = {.host = v->s->host,
                                        .reader = v->reader,
                                        .http = v->s->http,
                                        .ops = v->in_parts ? &gcs_part_ops : &gcs_chunk_ops,
                                        .ctx = v,
                                        .plan = &v->plan,
                                        .concurrency = v->in_parts ? v->s->set.concurrency : 1};
    const struct sc_buffer *whole = NULL;
    struct sc_upload *u = NULL;
    int32_t rc = sc_upload_new(&o, &u, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_upload_begin(u, &whole, err);
    if (rc == SR_STORAGE_OK && whole)
        rc = single(v, whole, err);
    else if (rc == SR_STORAGE_OK)
        rc = v->in_parts ? gcs_multipart(v, u, err) : gcs_resumable(v, u, err);
    sc_upload_free(u);
    return sc_settle_ended(&v->settled, v->len, rc, err);
}

int32_t gcs_save(void *handle, const struct sr_storage_object *object,
                 const struct sr_storage_reader *reader,
                 const struct sr_storage_save_options *options, struct sr_storage_saved *ret_saved)
{
    struct sc_error err = SC_ERROR_INIT;
    struct gcs_saving v = {.s = handle,
                           .key = object->key,
                           .object = object,
                           .reader = reader,
                           .replace = (options->flags & SR_STORAGE_SAVE_REPLACE) != 0,
                           .retain_until = options->retain_until,
                           .saved = ret_saved,
                           .session_path = SC_BUF_SECRET_INIT(SC_PATH_MAX),
                           .session_query = SC_BUF_SECRET_INIT(SC_QUERY_MAX)};
    v.settled = (struct sc_settling){.host = v.s->host,
                                     .key = v.key,
                                     .replace = v.replace,
                                     .saved = ret_saved,
                                     .look = look,
                                     .remove = remove_own,
                                     .ctx = &v};
    int32_t rc = begin(&v, &err);
    if (rc == SR_STORAGE_OK)
        rc = save(&v, &err);
    for (unsigned i = 0; i < v.parts_cap; i++)
        free(v.parts[i].etag);
    free(v.parts);
    sc_buf_done(&v.session_path);
    sc_buf_done(&v.session_query);
    if (rc != SR_STORAGE_OK)
        ret_saved->confirmed = 0;
    return gcs_report(v.s, rc, &err, "saving %s in bucket %s", v.key ? v.key : "an object",
                      v.s->set.bucket);
}
