#include "s3/save.h"

#include "common/timefmt.h"

#include <stdio.h>
#include <string.h>

#define PULL_MS 500
#define DAY 86400

int32_t s3_saving_pull(struct s3_saving *v, struct s3_buffer *b, int timeout_ms, int *ret_again,
                       struct sc_error *err)
{
    size_t room = b->cap - b->len;
    *ret_again = 0;
    /* A source that has nothing for hours must not outlast the deadline. */
    int32_t rc = sc_wait(v->s->host, 0, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    int64_t n = v->reader->read(v->reader->ctx, b->data + b->len, room, timeout_ms);
    if (n == SR_STORAGE_READ_AGAIN)
        *ret_again = 1;
    else if (n < 0 || (uint64_t)n > room)
        return sc_fail(err, SR_STORAGE_E_CANCELLED, "the bytes ended early");
    else if (n == 0)
        v->eof = 1;
    else {
        s3_summing_add(v->summing, b->data + b->len, (size_t)n);
        b->len += (size_t)n;
    }
    return SR_STORAGE_OK;
}

static int32_t fill(struct s3_saving *v, struct s3_buffer *b, struct sc_error *err)
{
    int32_t rc = SR_STORAGE_OK;
    int again = 0;
    while (rc == SR_STORAGE_OK && !v->eof && b->len < b->cap)
        rc = s3_saving_pull(v, b, PULL_MS, &again, err);
    return rc;
}

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
        rc = s3_call_header(c, err, S3_MARK_HEADER, "%s", v->mark);
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
    return !v->replace && v->s->set.create != S3_CREATE_LOOK && !v->s->no_condition;
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

int32_t s3_saving_no_condition(struct s3_saving *v, struct sc_error *err)
{
    if (v->s->set.create == S3_CREATE_CONDITION)
        return sc_fail(err, SR_STORAGE_E_UNSUPPORTED,
                       "the store knows no If-None-Match, which create_only=condition demands");
    if (!v->s->no_condition)
        sc_log(v->s->host, SR_STORAGE_LOG_WARN,
               "the store knows no If-None-Match; that nothing is replaced rests on looking "
               "first, which two hosts at once can defeat");
    v->s->no_condition = 1;
    return s3_saving_look(v, err);
}

/* What the store holds is not what was sent: nobody shall find it. Keeps the code of err. */
static int32_t spoilt(struct s3_saving *v, const char *version, struct sc_error *err)
{
    struct sc_error why = SC_ERROR_INIT;
    if (s3_remove_own(v->s, v->key, version, &why) != SR_STORAGE_OK)
        return sc_error_append(err, "; it cannot be removed: %.300s", why.text);
    return err->code;
}

static int32_t size_wrong(struct s3_saving *v, const struct s3_head *h, uint64_t size,
                          struct sc_error *err)
{
    (void)sc_fail(err, SR_STORAGE_E_CORRUPT,
                  "%llu bytes were sent, the store says that it holds %llu",
                  (unsigned long long)size, (unsigned long long)h->size);
    return spoilt(v, h->version, err);
}

int32_t s3_saving_settle(struct s3_saving *v, uint64_t size, struct sc_error *err)
{
    struct s3_head h;
    struct sc_error why = SC_ERROR_INIT;
    int32_t rc = s3_head(v->s, v->key, NULL, 1, &h, &why);
    int ours = rc == SR_STORAGE_OK && strcmp(h.mark, v->mark) == 0;
    if (ours && (err->code == SR_STORAGE_E_CANCELLED || err->code == SR_STORAGE_E_TIMEOUT)) {
        /* Nobody waits for it any more, and a save that fails leaves nothing. */
        if (s3_remove_own(v->s, v->key, h.version, &why) == SR_STORAGE_OK)
            return err->code;
        return sc_fail(err, SR_STORAGE_E_IN_DOUBT,
                       "cancelled too late: it is there, and cannot be "
                       "removed: %.400s",
                       why.text);
    }
    if (ours && h.size != size)
        return size_wrong(v, &h, size, err);
    if (ours) {
        sc_log(v->s->host, SR_STORAGE_LOG_INFO,
               "the answer about %s was lost; the object is there, whole, and ours", v->key);
        v->saved->confirmed |= SR_STORAGE_CONFIRMED_SIZE;
        v->saved->object_size = h.size;
        return SR_STORAGE_OK;
    }
    if (rc == SR_STORAGE_E_NOT_FOUND)
        return err->code;
    if (rc == SR_STORAGE_OK && !v->replace)
        return sc_fail(err, SR_STORAGE_E_EXISTS, "somebody else has made an object of that name");
    char lost[256];
    (void)snprintf(lost, sizeof lost, "%.255s", err->text);
    if (rc == SR_STORAGE_OK)
        return sc_fail(err, SR_STORAGE_E_IN_DOUBT,
                       "the answer was lost (%s), and another object is there now", lost);
    return sc_fail(
        err, SR_STORAGE_E_IN_DOUBT,
        "the answer was lost (%s), and whether the object is there cannot be seen: %.300s", lost,
        why.text);
}

int32_t s3_saving_confirm_size(struct s3_saving *v, uint64_t size, struct sc_error *err)
{
    struct s3_head h;
    struct sc_error why = SC_ERROR_INIT;
    int32_t rc = s3_head(v->s, v->key, NULL, 1, &h, &why);
    if (rc != SR_STORAGE_OK) {
        sc_log(v->s->host, SR_STORAGE_LOG_VERBOSE, "the size of %s cannot be confirmed: %s", v->key,
               why.text);
        return SR_STORAGE_OK;
    }
    if (strcmp(h.mark, v->mark) == 0 && h.size != size)
        return size_wrong(v, &h, size, err);
    if (strcmp(h.mark, v->mark) == 0) {
        v->saved->confirmed |= SR_STORAGE_CONFIRMED_SIZE;
        v->saved->object_size = h.size;
    }
    return SR_STORAGE_OK;
}

/* One PUT. The body is here, so that it can be sent again as often as need be. */
static int32_t put_once(struct s3_saving *v, const struct s3_buffer *b, const struct s3_sums *sums,
                        int *ret_unsupported, struct sc_error *err)
{
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
    *ret_unsupported = condition && rc == SR_STORAGE_E_UNSUPPORTED;
    if (rc != SR_STORAGE_OK && s3_call_outcome_open(&c))
        rc = s3_saving_settle(v, b->len, err);
    else if (rc == SR_STORAGE_OK)
        rc = s3_sums_confirm(&c.call.response, sums, s3_sum_kind(v->s), v->saved, err);
    const char *version = sc_headers_get(&c.call.response.headers, "x-amz-version-id");
    if (c.call.code == SR_STORAGE_OK && rc == SR_STORAGE_E_CORRUPT)
        rc = spoilt(v, version, err);
    if (rc == SR_STORAGE_OK && version && strlen(version) < sizeof v->saved->version) {
        memcpy(v->saved->version, version, strlen(version) + 1);
        v->saved->confirmed |= SR_STORAGE_CONFIRMED_VERSION;
    }
    s3_call_end(&c);
    return rc;
}

static int32_t put(struct s3_saving *v, const struct s3_buffer *b, const struct s3_sums *sums,
                   struct sc_error *err)
{
    int unsupported = 0;
    int32_t rc = SR_STORAGE_OK;
    /* The source may have taken its time since the look at the beginning. */
    if (!v->replace && !s3_saving_condition(v))
        rc = s3_saving_look(v, err);
    if (rc == SR_STORAGE_OK)
        rc = put_once(v, b, sums, &unsupported, err);
    if (unsupported) {
        rc = s3_saving_no_condition(v, err);
        if (rc == SR_STORAGE_OK)
            rc = put_once(v, b, sums, &unsupported, err);
    }
    return rc;
}

static int32_t buffer_make(struct s3_buffer *b, uint64_t size, struct sc_error *err)
{
    *b = (struct s3_buffer){.data = malloc((size_t)size), .cap = (size_t)size};
    return b->data ? SR_STORAGE_OK : sc_fail_memory(err);
}

static int32_t mark_make(struct s3_saving *v, struct sc_error *err)
{
    uint8_t raw[(S3_MARK_SIZE - 1) / 2];
    if (v->s->host->random(v->s->host, raw, sizeof raw) != SR_STORAGE_OK)
        return sc_fail(err, SR_STORAGE_E_UNAVAILABLE, "no random bytes");
    sc_hex(v->mark, raw, sizeof raw);
    return SR_STORAGE_OK;
}

static void say_size(char out[24], uint64_t bytes)
{
    if (bytes >> 40)
        (void)snprintf(out, 24, "%.1f TiB", (double)bytes / (double)(UINT64_C(1) << 40));
    else
        (void)snprintf(out, 24, "%.1f GiB", (double)bytes / (double)(UINT64_C(1) << 30));
}

static int32_t plan_make(struct s3_saving *v, struct sc_error *err)
{
    const struct s3_settings *set = &v->s->set;
    const struct s3_limits limits = {set->part_size, set->concurrency, set->max_parts,
                                     set->constant_parts};
    char most[24], size[24];
    int fits = s3_plan_make(&limits, v->object->size_hint, &v->plan) == 0;
    say_size(most, v->plan.largest);
    if (!fits) {
        say_size(size, v->object->size_hint);
        return sc_fail(
            err, SR_STORAGE_E_CONFIG,
            "it has about %s, and with part_size, concurrency and max_parts as they are an "
            "object has at most %s; set a larger part_size",
            size, most);
    }
    if (v->object->size_hint == SR_STORAGE_SIZE_UNKNOWN)
        sc_log(v->s->host, SR_STORAGE_LOG_VERBOSE,
               "%s can have up to %s (part_size, concurrency, max_parts)", v->key, most);
    return SR_STORAGE_OK;
}

/* Early, so that hours of sending are not spent on a name that is taken. */
static int32_t begin(struct s3_saving *v, struct sc_error *err)
{
    const struct s3_settings *set = &v->s->set;
    if (!v->key)
        return sc_fail(err, SR_STORAGE_E_UNSUPPORTED, "S3 must know an object's name first");
    if (v->retain_until == 0 && set->lock_days > 0)
        v->retain_until = v->s->host->now(v->s->host) + (int64_t)set->lock_days * DAY;
    int32_t rc = plan_make(v, err);
    if (rc == SR_STORAGE_OK && v->retain_until != 0)
        rc = s3_locks_needed(v->s, err);
    if (rc == SR_STORAGE_OK)
        rc = mark_make(v, err);
    if (rc == SR_STORAGE_OK && !v->replace)
        rc = s3_saving_look(v, err);
    return rc == SR_STORAGE_OK ? s3_summing_new(v->s, &v->summing, err) : rc;
}

/* The first part, and as much of a second as tells whether there is one. */
static int32_t save(struct s3_saving *v, struct sc_error *err)
{
    struct s3_buffer first = {0}, second = {0};
    struct s3_sums sums = {0};
    int32_t rc = buffer_make(&first, s3_plan_size(&v->plan, 1), err);
    if (rc == SR_STORAGE_OK)
        rc = fill(v, &first, err);
    if (rc == SR_STORAGE_OK)
        rc = s3_summing_end(v->summing, &sums, err);
    if (rc == SR_STORAGE_OK && !v->eof)
        rc = buffer_make(&second, s3_plan_size(&v->plan, 2), err);
    int again = 1;
    while (rc == SR_STORAGE_OK && !v->eof && second.len == 0)
        rc = s3_saving_pull(v, &second, PULL_MS, &again, err);
    if (rc == SR_STORAGE_OK && v->eof && second.len == 0)
        rc = put(v, &first, &sums, err);
    else if (rc == SR_STORAGE_OK)
        rc = s3_multipart(v, &first, &sums, &second, err);
    free(first.data);
    free(second.data);
    return rc;
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
    int32_t rc = begin(&v, &err);
    if (rc == SR_STORAGE_OK)
        rc = save(&v, &err);
    s3_summing_free(v.summing);
    if (rc != SR_STORAGE_OK)
        ret_saved->confirmed = 0;
    return s3_report(v.s, rc, &err, "saving %s in bucket %s", v.key ? v.key : "an object",
                     v.s->set.bucket);
}
