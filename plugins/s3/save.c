#include "s3/save.h"

#include "common/timefmt.h"

#include <stdio.h>
#include <string.h>

#define DAY 86400

static int32_t lock_headers(const struct s3_saving *v, struct s3_call *c, struct sc_error *err)
{
    char until[SC_TIME_ISO_SIZE];
    if (v->retain_until == 0)
        return SR_STORAGE_OK;
    sc_time_iso(v->retain_until, until);
    int32_t rc = s3_call_header(c, err, "x-amz-object-lock-mode", "%s", v->s->set.lock_mode);
    if (rc == SR_STORAGE_OK)
        rc = s3_call_header(c, err, "x-amz-object-lock-retain-until-date", "%s", until);
    return rc;
}

int32_t s3_saving_headers(const struct s3_saving *v, struct s3_call *c, struct sc_error *err)
{
    const struct s3_settings *set = &v->s->set;
    const struct {
        const char *name, *value;
    } plain[] = {
        {"x-amz-storage-class", set->storage_class},
        {"x-amz-tagging", set->tags},
        {"x-amz-server-side-encryption", set->sse},
        {"x-amz-server-side-encryption-aws-kms-key-id", set->sse_kms_key_id},
    };
    char name[128];
    int32_t rc = s3_call_header(c, err, "content-type", "application/octet-stream");
    if (rc == SR_STORAGE_OK)
        rc = s3_call_header(c, err, S3_MARK_HEADER, "%s", v->settled.mark);
    for (size_t i = 0; i < sizeof plain / sizeof *plain && rc == SR_STORAGE_OK; i++)
        if (plain[i].value)
            rc = s3_call_header(c, err, plain[i].name, "%s", plain[i].value);
    const char *const *pair = v->object->metadata;
    for (; pair && pair[0] && pair[1] && rc == SR_STORAGE_OK; pair += 2) {
        (void)snprintf(name, sizeof name, "x-amz-meta-%.100s", pair[0]);
        rc = s3_call_header(c, err, name, "%s", pair[1]);
    }
    if (rc == SR_STORAGE_OK)
        rc = lock_headers(v, c, err);
    return rc == SR_STORAGE_OK ? s3_call_sse_c(c, err) : rc;
}

int s3_saving_condition(const struct s3_saving *v)
{
    return !v->replace && !v->unconditional && v->s->set.create != S3_CREATE_LOOK &&
           !v->s->no_condition;
}

int s3_saving_guarded(const struct s3_saving *v)
{
    const struct s3 *s = v->s;
    return v->replace ||
           (s3_saving_condition(v) && (s->amazon || s->set.create == S3_CREATE_CONDITION));
}

int32_t s3_saving_look(struct s3_saving *v, struct sc_error *err)
{
    struct s3_head h;
    struct sc_error why = SC_ERROR_INIT;
    int32_t rc = s3_head(v->s, v->key, NULL, 0, &h, &why);
    if (rc == SR_STORAGE_OK)
        return sc_fail(err, SR_STORAGE_E_EXISTS, "there is an object of that name already");
    if (rc == SR_STORAGE_E_DENIED)
        sc_log(v->s->host, SR_STORAGE_LOG_VERBOSE,
               "no right to see whether %s exists already; the store itself must refuse it",
               v->key);
    else if (rc != SR_STORAGE_E_NOT_FOUND) {
        *err = why;
        return rc;
    }
    return SR_STORAGE_OK;
}

int s3_saving_refused(const struct s3_saving *v, const struct s3_call *c, struct sc_error *err)
{
    /* What stores say to a header that they do not know, besides 501; and to much else. */
    static const char *const codes[] = {"InvalidArgument", "InvalidRequest", "MethodNotAllowed"};
    int may = c->call.code == SR_STORAGE_E_UNSUPPORTED;
    if (c->call.code == SR_STORAGE_OK || s3_call_outcome_open(c))
        return 0;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        may |= strcmp(c->aws_code, codes[i]) == 0;
    if (may && v->s->set.create == S3_CREATE_CONDITION) {
        (void)sc_error_append(err, "; create_only=condition demands If-None-Match, which this "
                                   "store may not know");
        return 0;
    }
    return may;
}

static void learn_no_condition(struct s3_saving *v)
{
    if (!v->s->no_condition)
        sc_log(v->s->host, SR_STORAGE_LOG_WARN,
               "the store knows no If-None-Match; that nothing is replaced rests on looking "
               "first, which two hosts at once can defeat");
    v->s->no_condition = 1;
}

int32_t s3_saving_try(struct s3_saving *v, const struct s3_saving_once *o, struct sc_error *err)
{
    int refused = 0;
    int32_t rc = o->once(v, o->ctx, &refused, err);
    if (!refused)
        return rc;
    v->unconditional = 1;
    rc = s3_saving_look(v, err);
    if (rc == SR_STORAGE_OK)
        rc = o->once(v, o->ctx, &refused, err);
    if (rc == SR_STORAGE_OK)
        learn_no_condition(v);
    return rc;
}

void s3_saving_version(struct s3_saving *v, const struct sc_response *r)
{
    const char *version = sc_headers_get(&r->headers, "x-amz-version-id");
    if (!version || !*version || strlen(version) >= sizeof v->saved->version)
        return;
    memcpy(v->saved->version, version, strlen(version) + 1);
    v->saved->confirmed |= SR_STORAGE_CONFIRMED_VERSION;
}

int32_t s3_saving_spoilt(struct s3_saving *v, const struct sc_response *r, struct sc_error *err)
{
    const struct sc_seen made = sc_seen_of(sc_headers_get(&r->headers, "x-amz-version-id"), NULL);
    return sc_settle_spoilt(&v->settled, &made, err);
}

static int32_t look(void *ctx, const char *key, struct sc_seen *ret, struct sc_error *err)
{
    struct s3_head h;
    int32_t rc = s3_head(ctx, key, NULL, 1, &h, err);
    ret->size = h.size;
    memcpy(ret->version, h.version, sizeof ret->version);
    memcpy(ret->mark, h.mark, sizeof ret->mark);
    return rc;
}

static int32_t remove_own(void *ctx, const char *key, const struct sc_seen *what,
                          struct sc_error *err)
{
    return s3_remove_own(ctx, key, what->version, err);
}

/* One PUT. The body is here, so that it can be sent again as often as need be. */
static int32_t put_once(struct s3_saving *v, void *ctx, int *ret_refused, struct sc_error *err)
{
    const struct sc_buffer *b = ctx;
    const struct s3_sums *sums = &v->parts[0].sums;
    struct s3_call c;
    int condition = s3_saving_condition(v);
    int32_t rc = s3_call_begin(&c, v->s, "PUT", v->key, err);
    c.wants_etag = 1;
    if (rc == SR_STORAGE_OK)
        rc = s3_saving_headers(v, &c, err);
    if (rc == SR_STORAGE_OK && condition)
        rc = s3_call_header(&c, err, "if-none-match", "*");
    if (rc == SR_STORAGE_OK)
        rc = s3_call_body(&c, b->data, b->len, sums, err);
    if (rc == SR_STORAGE_OK)
        rc = s3_call_run(&c, err);
    *ret_refused = condition && rc != SR_STORAGE_OK && s3_saving_refused(v, &c, err);
    if (rc != SR_STORAGE_OK && s3_call_outcome_open(&c))
        rc = sc_settle_lost(&v->settled, b->len, c.call.unanswered, err);
    else if (rc == SR_STORAGE_OK)
        rc = s3_sums_confirm(&c.call.response, sums, s3_sum_kind(v->s), v->saved, err);
    if (c.call.code == SR_STORAGE_OK && rc == SR_STORAGE_E_CORRUPT)
        rc = s3_saving_spoilt(v, &c.call.response, err);
    if (c.call.code == SR_STORAGE_OK && rc == SR_STORAGE_OK)
        s3_saving_version(v, &c.call.response);
    s3_call_end(&c);
    return rc;
}

static int32_t put(struct s3_saving *v, const struct sc_buffer *b, struct sc_error *err)
{
    struct sc_buffer body = *b;
    const struct s3_saving_once once = {put_once, &body};
    /* The source may have taken its time since the look at the beginning. */
    int32_t rc = v->replace || s3_saving_condition(v) ? SR_STORAGE_OK : s3_saving_look(v, err);
    return rc == SR_STORAGE_OK ? s3_saving_try(v, &once, err) : rc;
}

/* Early, so that hours of sending are not spent on a name that is taken. */
static int32_t begin(struct s3_saving *v, struct sc_error *err)
{
    const struct s3_settings *set = &v->s->set;
    if (!v->key)
        return sc_fail(err, SR_STORAGE_E_UNSUPPORTED, "S3 must know an object's name first");
    if (v->retain_until == 0 && set->lock_days > 0)
        v->retain_until = v->s->host->now(v->s->host) + (int64_t)set->lock_days * DAY;
    v->s->locking = v->retain_until != 0;
    const struct sc_limits limits = {set->part_size, S3_PART_MOST, set->concurrency, set->max_parts,
                                     set->constant_parts};
    int32_t rc = sc_upload_plan(v->s->host, v->object, &limits, &v->plan, err);
    if (rc == SR_STORAGE_OK && v->retain_until != 0)
        rc = s3_locks_needed(v->s, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_mark_make(v->s->host, v->settled.mark, err);
    if (rc == SR_STORAGE_OK && !v->replace)
        rc = s3_saving_look(v, err);
    return rc == SR_STORAGE_OK ? s3_summing_new(v->s, &v->summing, err) : rc;
}

static int32_t save(struct s3_saving *v, struct sc_error *err)
{
    const struct sc_upload_options o = {.host = v->s->host,
                                        .reader = v->reader,
                                        .http = v->s->http,
                                        .ops = &s3_part_ops,
                                        .ctx = v,
                                        .plan = &v->plan,
                                        .concurrency = v->s->set.concurrency};
    const struct sc_buffer *single = NULL;
    struct sc_upload *u = NULL;
    int32_t rc = sc_upload_new(&o, &u, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_upload_begin(u, &single, err);
    if (rc == SR_STORAGE_OK)
        rc = single ? put(v, single, err) : s3_multipart(v, u, err);
    sc_upload_free(u);
    return sc_settle_ended(&v->settled, v->whole.len, rc, err);
}

int32_t s3_save(void *handle, const struct sr_storage_object *object,
                const struct sr_storage_reader *reader,
                const struct sr_storage_save_options *options, struct sr_storage_saved *ret_saved)
{
    struct sc_error err = SC_ERROR_INIT;
    struct s3_saving v = {.s = handle,
                          .key = object->key,
                          .object = object,
                          .reader = reader,
                          .replace = (options->flags & SR_STORAGE_SAVE_REPLACE) != 0,
                          .retain_until = options->retain_until,
                          .saved = ret_saved};
    v.settled = (struct sc_settling){.host = v.s->host,
                                     .key = v.key,
                                     .replace = v.replace,
                                     .saved = ret_saved,
                                     .look = look,
                                     .remove = remove_own,
                                     .ctx = v.s};
    int32_t rc = begin(&v, &err);
    if (rc == SR_STORAGE_OK)
        rc = save(&v, &err);
    s3_summing_free(v.summing);
    for (unsigned i = 0; i < v.parts_cap; i++)
        free(v.parts[i].etag);
    free(v.parts);
    if (rc != SR_STORAGE_OK)
        ret_saved->confirmed = 0;
    return s3_report(v.s, rc, &err, "saving %s in bucket %s", v.key ? v.key : "an object",
                     v.s->set.bucket);
}
