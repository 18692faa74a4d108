#include "azure/save.h"

#include "common/timefmt.h"

#include <stdio.h>
#include <string.h>

#define DAY 86400

static int32_t lock_headers(const struct azure_saving *v, struct azure_call *c,
                            struct sc_error *err)
{
    char until[SC_TIME_HTTP_SIZE];
    int32_t rc = SR_STORAGE_OK;
    if (v->retain_until != 0) {
        sc_time_http(v->retain_until, until);
        rc = azure_call_header(c, err, "x-ms-immutability-policy-until-date", "%s", until);
        if (rc == SR_STORAGE_OK)
            rc = azure_call_header(c, err, "x-ms-immutability-policy-mode", "%s",
                                   v->s->set.immutability_mode);
    }
    if (rc == SR_STORAGE_OK && v->s->set.legal_hold)
        rc = azure_call_header(c, err, "x-ms-legal-hold", "true");
    return rc;
}

int32_t azure_saving_headers(const struct azure_saving *v, struct azure_call *c,
                             struct sc_error *err)
{
    const struct azure_settings *set = &v->s->set;
    const struct {
        const char *name, *value;
    } plain[] = {
        {"x-ms-blob-content-type", "application/octet-stream"},
        {AZURE_MARK_HEADER, v->settled.mark},
        {"x-ms-access-tier", set->access_tier},
        {"x-ms-encryption-scope", set->encryption_scope},
    };
    char name[128];
    int32_t rc = SR_STORAGE_OK;
    for (size_t i = 0; i < sizeof plain / sizeof *plain && rc == SR_STORAGE_OK; i++)
        if (plain[i].value)
            rc = azure_call_header(c, err, plain[i].name, "%s", plain[i].value);
    const char *const *pair = v->object->metadata;
    for (; pair && pair[0] && pair[1] && rc == SR_STORAGE_OK; pair += 2) {
        (void)snprintf(name, sizeof name, "x-ms-meta-%.100s", pair[0]);
        rc = azure_call_header(c, err, name, "%s", pair[1]);
    }
    /* Also heeded by a commit: of two writers of a name one is refused. */
    if (rc == SR_STORAGE_OK && !v->replace)
        rc = azure_call_header(c, err, "if-none-match", "*");
    if (rc == SR_STORAGE_OK)
        rc = lock_headers(v, c, err);
    return rc == SR_STORAGE_OK ? azure_call_customer_key(c, err) : rc;
}

void azure_saving_version(const struct azure_saving *v, const struct sc_response *r)
{
    const char *version = sc_headers_get(&r->headers, "x-ms-version-id");
    if (!version || strlen(version) >= sizeof v->saved->version)
        return;
    memcpy(v->saved->version, version, strlen(version) + 1);
    v->saved->confirmed |= SR_STORAGE_CONFIRMED_VERSION;
}

/* Whether the key is taken: early, so that hours of sending are not spent on it. The store itself
 * refuses it in the end in any case. */
static int32_t look_first(struct azure_saving *v, struct sc_error *err)
{
    struct azure_head h;
    struct sc_error why = SC_ERROR_INIT;
    int32_t rc = azure_head(v->s, v->key, NULL, 0, &h, &why);
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

static int32_t look(void *ctx, const char *key, struct sc_seen *ret, struct sc_error *err)
{
    struct azure_head h;
    int32_t rc = azure_head(ctx, key, NULL, 1, &h, err);
    ret->size = h.size;
    memcpy(ret->version, h.version, sizeof ret->version);
    memcpy(ret->mark, h.mark, sizeof ret->mark);
    memcpy(ret->etag, h.etag, sizeof ret->etag);
    return rc;
}

static int32_t remove_own(void *ctx, const char *key, const struct sc_seen *what,
                          struct sc_error *err)
{
    return azure_remove_own(ctx, key, what->etag, err);
}

/* The store says that it made something else than was sent. */
static int32_t spoilt(struct azure_saving *v, const struct sc_response *r, struct sc_error *err)
{
    char etag[AZURE_ETAG_MAX];
    azure_etag_copy(r, etag);
    const struct sc_seen made = sc_seen_of(sc_headers_get(&r->headers, "x-ms-version-id"), etag);
    return sc_settle_spoilt(&v->settled, etag[0] ? &made : NULL, err);
}

/* Azurite takes blocks that were never committed for an object, and refuses Put Blob beside them;
 * Azure does not, and neither refuses to commit. */
static int is_only_blocks(struct azure_saving *v, const struct azure_call *c, int32_t rc)
{
    struct azure_head h;
    return rc == SR_STORAGE_E_EXISTS && strcmp(c->azure_code, "BlobAlreadyExists") == 0 &&
           azure_head(v->s, v->key, NULL, 1, &h, NULL) == SR_STORAGE_E_NOT_FOUND;
}

/* One Put Blob. The body is here, so that it can be sent again as often as need be. */
static int32_t put(struct azure_saving *v, const struct sc_buffer *b, struct sc_upload *u,
                   struct sc_error *err)
{
    const struct azure_sums *sums = &v->blocks[0];
    struct azure_call c;
    int32_t rc = azure_call_begin(&c, v->s, "PUT", v->key, err);
    const struct sc_response *answer = &c.call.response;
    c.wants = "etag";
    if (rc == SR_STORAGE_OK)
        rc = azure_call_header(&c, err, "x-ms-blob-type", "BlockBlob");
    if (rc == SR_STORAGE_OK)
        rc = azure_saving_headers(v, &c, err);
    if (rc == SR_STORAGE_OK)
        rc = azure_call_body(&c, b->data, b->len, sums, err);
    if (rc == SR_STORAGE_OK)
        rc = azure_call_run(&c, err);
    int only_blocks = 0;
    if (rc != SR_STORAGE_OK && azure_call_outcome_open(&c))
        rc = sc_settle_lost(&v->settled, b->len, azure_call_may_come_late(&c), err);
    else if (rc != SR_STORAGE_OK)
        only_blocks = is_only_blocks(v, &c, rc);
    else
        rc = azure_sums_confirm(answer, sums, azure_sum_kind(v->s), v->saved, err);
    if (c.call.code == SR_STORAGE_OK && rc == SR_STORAGE_E_CORRUPT)
        rc = spoilt(v, answer, err);
    if (rc == SR_STORAGE_OK)
        azure_saving_version(v, answer);
    azure_call_end(&c);
    return only_blocks ? azure_blocks(v, u, err) : rc;
}

static int32_t begin(struct azure_saving *v, struct sc_error *err)
{
    const struct azure_settings *set = &v->s->set;
    const struct sc_limits limits = {set->part_size, AZURE_BLOCK_MOST, set->concurrency,
                                     set->max_parts, 0};
    if (!v->key)
        return sc_fail(err, SR_STORAGE_E_UNSUPPORTED, "Azure must know an object's name first");
    if (v->retain_until == 0 && set->immutability_days > 0)
        v->retain_until = v->s->host->now(v->s->host) + (int64_t)set->immutability_days * DAY;
    int32_t rc = sc_upload_plan(v->s->host, v->object, &limits, &v->plan, err);
    if (rc == SR_STORAGE_OK && (v->retain_until != 0 || set->legal_hold))
        rc = azure_locks_needed(v->s, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_mark_make(v->s->host, v->settled.mark, err);
    if (rc == SR_STORAGE_OK &&
        v->s->host->random(v->s->host, v->upload, sizeof v->upload) != SR_STORAGE_OK)
        rc = sc_fail(err, SR_STORAGE_E_UNAVAILABLE, "no random bytes");
    if (rc == SR_STORAGE_OK && !v->replace)
        rc = look_first(v, err);
    return rc == SR_STORAGE_OK ? azure_summing_new(v->s, &v->summing, err) : rc;
}

static int32_t save(struct azure_saving *v, struct sc_error *err)
{
    const struct sc_upload_options o = {.host = v->s->host,
                                        .reader = v->reader,
                                        .http = v->s->http,
                                        .ops = &azure_block_ops,
                                        .ctx = v,
                                        .plan = &v->plan,
                                        .concurrency = v->s->set.concurrency};
    const struct sc_buffer *single = NULL;
    struct sc_upload *u = NULL;
    int32_t rc = sc_upload_new(&o, &u, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_upload_begin(u, &single, err);
    if (rc == SR_STORAGE_OK)
        rc = single ? put(v, single, u, err) : azure_blocks(v, u, err);
    sc_upload_free(u);
    return sc_settle_ended(&v->settled, v->size, rc, err);
}

int32_t azure_save(void *handle, const struct sr_storage_object *object,
                   const struct sr_storage_reader *reader,
                   const struct sr_storage_save_options *options,
                   struct sr_storage_saved *ret_saved)
{
    struct sc_error err = SC_ERROR_INIT;
    struct azure_saving v = {.s = handle,
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
    azure_summing_free(v.summing);
    free(v.blocks);
    if (rc != SR_STORAGE_OK)
        ret_saved->confirmed = 0;
    return azure_report(v.s, rc, &err, "saving %s in container %s", v.key ? v.key : "an object",
                        v.s->set.container);
}
