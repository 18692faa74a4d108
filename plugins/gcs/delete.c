/* Deleting; and what a store that keeps the bytes all the same says of it. */
#include "gcs/gcs.h"

#include <string.h>

/* Google says that it will not, and not always why: what protects the object is looked up, so that
 * "locked" and "denied" are told apart. */
static int32_t refused(struct gcs *s, const char *key, const char *version, int32_t rc,
                       struct sr_storage_deletion *ret)
{
    struct gcs_object o;
    if (gcs_look(s, key, version, 1, &o, NULL) == SR_STORAGE_OK &&
        o.locked_until > s->host->now(s->host)) {
        ret->outcome = SR_STORAGE_KEPT;
        ret->locked_until = o.locked_until;
        return SR_STORAGE_OK;
    }
    if (rc != SR_STORAGE_E_LOCKED)
        return rc;
    ret->outcome = SR_STORAGE_KEPT; /* until when, we may not see */
    return SR_STORAGE_OK;
}

/* Who may not ask the bucket looks for what is left of the object itself: *ret 1, it is there; 0,
 * it is not; -1, who knows. */
static int left(struct gcs *s, const char *key, const char *kind)
{
    struct gcs_call c;
    int32_t rc = gcs_call_begin(&c, s, "GET", GCS_API_OBJECT, NULL, NULL);
    int found = -1;
    c.wants_json = 1;
    c.call.retry = &sc_retry_short;
    sc_query_add(&c.call.request.query, "fields", "items(name)");
    sc_query_add(&c.call.request.query, "maxResults", "1");
    sc_query_add(&c.call.request.query, "prefix", key);
    sc_query_add(&c.call.request.query, kind, "true");
    if (rc == SR_STORAGE_OK)
        rc = gcs_call_run(&c, NULL);
    if (rc == SR_STORAGE_OK) {
        const char *name =
            sc_json_text(json_array_get(json_object_get(c.json, "items"), 0), "name");
        found = name && strcmp(name, key) == 0;
    }
    gcs_call_end(&c);
    return found;
}

/* Whether the bytes of what was deleted stay. Deleting a generation by its number ends it but for
 * soft delete. */
static int is_hidden(struct gcs *s, const char *key, const char *version)
{
    struct sc_error why = SC_ERROR_INIT;
    int soft = -1, old = version ? 0 : -1;
    if (gcs_bucket_ask(s, &why) == SR_STORAGE_OK && s->bucket.known == 1)
        return s->bucket.soft_delete || (!version && s->bucket.versions);
    soft = left(s, key, "softDeleted");
    if (soft != 1 && !version)
        old = left(s, key, "versions");
    if (soft != 1 && old != 1 && (soft < 0 || old < 0) && !s->told_unknown) {
        s->told_unknown = 1;
        sc_log(s->host, SR_STORAGE_LOG_VERBOSE,
               "whether bucket %s keeps what was deleted (soft delete, versions) is not known: it "
               "takes the right storage.buckets.get to see",
               s->set.bucket);
    }
    return soft == 1 || old == 1;
}

static int32_t delete_one(struct gcs *s, const char *key, const char *version, int own,
                          struct sr_storage_deletion *ret, struct sc_error *err)
{
    struct gcs_call c;
    int32_t rc = gcs_call_begin(&c, s, "DELETE", GCS_API_OBJECT, key, err);
    if (own)
        gcs_call_cleaning_up(&c);
    if (version)
        sc_query_add(&c.call.request.query, "generation", version);
    if (rc == SR_STORAGE_OK)
        rc = gcs_call_run(&c, err);
    /* Google's own word for it, and not about the bucket; emulators give no reasons. */
    int gone = rc == SR_STORAGE_E_NOT_FOUND &&
               (strcmp(c.reason, "notFound") == 0 || s->set.emulator) &&
               !strstr(c.call.error.text, "bucket does not exist");
    /* A try whose answer was lost may have been the one that deleted it. */
    int deleted = rc == SR_STORAGE_OK || (gone && c.lost);
    gcs_call_end(&c);
    if (deleted || gone) {
        ret->outcome =
            deleted && !own && is_hidden(s, key, version) ? SR_STORAGE_HIDDEN : SR_STORAGE_DELETED;
        return SR_STORAGE_OK;
    }
    if (!own && (rc == SR_STORAGE_E_DENIED || rc == SR_STORAGE_E_LOCKED))
        rc = refused(s, key, version, rc, ret);
    return rc;
}

int32_t gcs_remove_own(struct gcs *s, const char *key, const char *generation, struct sc_error *err)
{
    struct sr_storage_deletion d = {.size = sizeof d};
    if (!*generation)
        return sc_fail(err, SR_STORAGE_E_INTERNAL, "which generation is ours is not known");
    return delete_one(s, key, generation, 1, &d, err);
}

int32_t gcs_delete(void *handle, const struct sr_storage_delete_options *options,
                   struct sr_storage_deletion *ret_deletion)
{
    struct gcs *s = handle;
    struct sc_error err = SC_ERROR_INIT;
    int32_t rc = delete_one(s, options->key, options->version, 0, ret_deletion, &err);
    return gcs_report(s, rc, &err, "deleting %s from bucket %s", options->key, s->set.bucket);
}
