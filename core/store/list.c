#include "config.h"
#include "core/store/listing.h"
#include "core/util/cleanup.h"

#include <stdio.h>
#include <string.h>

/* Common end of every call that emits: the caller's own stop is no failure, a broken promise is one
 * whatever the plugin says. */
static int listing_result(struct sr_listing *l, int32_t code, const char *doing,
                          struct sr_error *err)
{
    int rc;
    sr_host_call_set(l->s->host, NULL);
    if (l->code != SR_OK)
        rc = sr_error_copy(err, &l->err);
    else if (code != SR_STORAGE_OK && !l->stopped)
        rc = sr_host_error(l->s->host, code, doing, err);
    else
        rc = SR_OK;
    sr_store_end(l->s);
    return rc;
}

static int full(const struct sr_store *s, const char *part, char *out, struct sr_error *err)
{
    int n = snprintf(out, SR_KEY_MAX, "%s%s", s->prefix, part);
    return n >= 0 && n < SR_KEY_MAX
               ? SR_OK
               : sr_fail(err, SR_E_CONFIG, "store %s: '%.40s...' is longer than a key may be",
                         s->name, part);
}

static int list_call(struct sr_listing *l, const char *doing, struct sr_error *err)
{
    const struct sr_storage_list_options o = {
        .size = sizeof o, .prefix = l->prefix, .start_after = l->start_after};
    const struct sr_storage_emitter e = {
        .size = sizeof e, .ctx = l->s->host, .emit = sr_listing_emit};
    int rc = sr_store_begin(l->s, doing, l, err);
    if (rc != SR_OK)
        return rc;
    return listing_result(l, l->s->table->list(l->s->handle, &o, &e), doing, err);
}

int sr_store_list(struct sr_store *s, const char *prefix, const char *start_after,
                  sr_store_emit_fn emit, void *ctx, struct sr_error *err)
{
    char full_prefix[SR_KEY_MAX], full_after[SR_KEY_MAX] = "";
    int rc = full(s, prefix ? prefix : "", full_prefix, err);
    if (rc == SR_OK && start_after && *start_after)
        rc = full(s, start_after, full_after, err);
    if (rc != SR_OK)
        return rc;
    _cleanup_(sr_listing_done) struct sr_listing l = {
        .s = s,
        .prefix = full_prefix,
        .start_after = full_after,
        .must_sort = !(s->caps & SR_CAP_SORTED_LIST),
        .emit = emit,
        .ctx = ctx,
    };
    rc = list_call(&l, "listing", err);
    /* Only a listing that came to its end is handed on: half of one, in order, looks whole. */
    return rc == SR_OK && l.must_sort ? sr_listing_flush(&l, err) : rc;
}

int sr_store_stat(struct sr_store *s, const char *key, sr_store_emit_fn emit, void *ctx,
                  struct sr_error *err)
{
    char full_key[SR_KEY_MAX], doing[32 + SR_KEY_MAX];
    int rc = sr_store_full_key(s, key, full_key, err);
    if (rc != SR_OK)
        return rc;
    _cleanup_(sr_listing_done) struct sr_listing l = {
        .s = s,
        .prefix = full_key,
        .start_after = "",
        .only = full_key,
        .must_sort = 1,
        .emit = emit,
        .ctx = ctx,
    };
    (void)snprintf(doing, sizeof doing, "looking for %s", key);
    if (s->table->stat) {
        const struct sr_storage_fetch_options o = {
            .size = sizeof o, .key = full_key, .length = SR_STORAGE_SIZE_UNKNOWN};
        const struct sr_storage_emitter e = {
            .size = sizeof e, .ctx = s->host, .emit = sr_listing_emit};
        rc = sr_store_begin(s, doing, &l, err);
        if (rc == SR_OK)
            rc = listing_result(&l, s->table->stat(s->handle, &o, &e), doing, err);
    } else {
        rc = list_call(&l, doing, err);
    }
    if (rc == SR_OK && l.passed == 0)
        rc = sr_fail(err, SR_E_NOT_FOUND, "store %s: there is no object %s", s->name, key);
    return rc == SR_OK ? sr_listing_flush(&l, err) : rc;
}

int sr_store_sweep(struct sr_store_rw *rw, uint64_t older_than, int dry_run, sr_store_emit_fn emit,
                   void *ctx, struct sr_error *err)
{
    struct sr_store *s = &rw->s;
    if (!s->table->sweep)
        return SR_OK;
    if (s->read_only)
        return sr_fail(err, SR_E_DENIED, "store %s was opened to be read only", s->name);
    _cleanup_(sr_listing_done) struct sr_listing l = {
        .s = s,
        .prefix = s->prefix,
        .start_after = "",
        .any_name = 1,
        .emit = emit,
        .ctx = ctx,
    };
    const struct sr_storage_sweep_options o = {
        .size = sizeof o,
        .prefix = s->prefix,
        .older_than = older_than,
        .flags = dry_run ? SR_STORAGE_SWEEP_DRY_RUN : 0,
    };
    const struct sr_storage_emitter e = {.size = sizeof e, .ctx = s->host, .emit = sr_listing_emit};
    int rc = sr_store_begin(s, "sweeping", &l, err);
    if (rc != SR_OK)
        return rc;
    return listing_result(&l, s->table->sweep(s->handle, &o, &e), "sweeping", err);
}
