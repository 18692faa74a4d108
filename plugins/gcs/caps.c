/* What this bucket can do, where that depends on it. */
#include "gcs/gcs.h"

#include <string.h>

#define STALL_S 5 /* nothing that can be done depends on the answers */

static int is_enabled(const json_t *v, const char *what, const char *name)
{
    const json_t *value = json_object_get(json_object_get(v, what), name);
    const char *text = json_string_value(value);
    return json_is_true(value) || (text && strcmp(text, "Enabled") == 0);
}

int32_t gcs_bucket_ask(struct gcs *s, struct sc_error *err)
{
    struct gcs_call c;
    uint64_t keeps = 0;
    if (s->bucket.known)
        return SR_STORAGE_OK;
    int32_t rc = gcs_call_begin(&c, s, "GET", GCS_API_BUCKET, NULL, err);
    c.wants_json = 1;
    c.call.retry = &sc_retry_short;
    c.call.stall_s = STALL_S;
    sc_query_add(&c.call.request.query, "fields",
                 "versioning,softDeletePolicy,objectRetention,retentionPolicy");
    if (rc == SR_STORAGE_OK)
        rc = gcs_call_run(&c, err);
    if (rc == SR_STORAGE_OK) {
        const json_t *soft = json_object_get(c.json, "softDeletePolicy");
        (void)sc_json_u64(soft, "retentionDurationSeconds", &keeps);
        s->bucket = (struct gcs_bucket){.known = 1,
                                        .versions = is_enabled(c.json, "versioning", "enabled"),
                                        .soft_delete = keeps > 0,
                                        .lockable = is_enabled(c.json, "objectRetention", "mode")};
    } else if (rc == SR_STORAGE_E_DENIED) {
        s->bucket.known = -1;
        rc = SR_STORAGE_OK;
    }
    gcs_call_end(&c);
    return rc;
}

int32_t gcs_locks_needed(struct gcs *s, struct sc_error *err)
{
    int32_t rc = gcs_bucket_ask(s, err);
    /* Who may not ask leaves it open: Google itself refuses what cannot be locked. */
    if (rc == SR_STORAGE_OK && (s->bucket.known < 0 || s->bucket.lockable))
        return rc;
    if (rc != SR_STORAGE_OK)
        return sc_error_wrap(err, "asking whether bucket %s can lock objects", s->set.bucket);
    return sc_fail(err, SR_STORAGE_E_UNSUPPORTED,
                   "bucket %s keeps no object from being deleted: object retention is not enabled "
                   "for it",
                   s->set.bucket);
}

/* A server that does not answer leaves a question open; a host whose own time is up wants an end.
 */
static int is_over(const struct gcs *s, int32_t rc)
{
    uint64_t end = s->host->deadline(s->host);
    return rc == SR_STORAGE_E_CANCELLED ||
           (rc == SR_STORAGE_E_TIMEOUT && end != 0 && s->host->monotonic(s->host) >= end);
}

int32_t gcs_ask_capabilities(void *handle, uint64_t *ret_capabilities)
{
    struct gcs *s = handle;
    struct sc_error err = SC_ERROR_INIT;
    uint64_t caps = SR_CAP_RANGES | SR_CAP_METADATA | SR_CAP_SORTED_LIST;
    /* With parts by the operator's own choice nothing but a look guards what is there. */
    if (s->set.upload != GCS_UPLOAD_MULTIPART)
        caps |= SR_CAP_ATOMIC_CREATE;
    int32_t rc = gcs_bucket_ask(s, &err);
    if (s->bucket.known == 1 && s->bucket.versions)
        caps |= SR_CAP_VERSIONS;
    if (s->bucket.known == 1 && s->bucket.lockable)
        caps |= SR_CAP_LOCK;
    *ret_capabilities = caps;
    /* Whoever may not ask gets the least. */
    if (rc != SR_STORAGE_OK && !is_over(s, rc)) {
        sc_log(s->host, SR_STORAGE_LOG_VERBOSE,
               "whether bucket %s has versions and locks is not known: %s", s->set.bucket,
               err.text);
        rc = SR_STORAGE_OK;
    }
    return gcs_report(s, rc, &err, "asking what bucket %s can do", s->set.bucket);
}
