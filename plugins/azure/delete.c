/* Deleting; and what a store that keeps the bytes all the same says of it. */
#include "azure/azure.h"

#include <string.h>

static int is_locked(const struct azure_call *c, int32_t rc)
{
    return rc == SR_STORAGE_E_LOCKED && c->azure_code[0] != '\0';
}

static void kept(struct sr_storage_deletion *d, int64_t until)
{
    d->outcome = SR_STORAGE_KEPT;
    d->locked_until = until;
}

/* What the store says of the very object that is to go. Where versions are kept a deletion that
 * names none succeeds although the object is locked: it makes a previous version of it, and what
 * was to be kept is out of sight. Who may not look, or finds nothing, deletes all the same (*ret is
 * then empty); a server that does not answer is not asked again right away. */
static int32_t look_first(struct azure *s, const char *key, struct azure_head *ret,
                          struct sc_error *err)
{
    struct sc_error why = SC_ERROR_INIT;
    int32_t rc = azure_head(s, key, NULL, 0, ret, &why);
    if (rc == SR_STORAGE_E_UNAVAILABLE || rc == SR_STORAGE_E_TIMEOUT ||
        rc == SR_STORAGE_E_THROTTLED || rc == SR_STORAGE_E_CANCELLED) {
        *err = why;
        return rc;
    }
    return SR_STORAGE_OK;
}

/* Whether the bytes of what was deleted without a version named stay. Versions may have been
 * switched on after the object was made: then nothing of it told, and what is left of it does, once
 * for all of them. */
static int is_hidden(struct azure *s, const char *key)
{
    if (s->has_versions || s->deletions_known)
        return s->has_versions;
    int left = azure_left(s, key);
    if (left < 0)
        sc_log(s->host, SR_STORAGE_LOG_VERBOSE,
               "whether container %s keeps versions of what was deleted cannot be seen",
               s->set.container);
    s->deletions_known = 1;
    s->has_versions |= left > 0;
    return s->has_versions;
}

/* Soft delete is told by the answer, a version that stays is not. */
static uint64_t outcome_of(const struct azure_call *c, const char *key, const char *version,
                           int own)
{
    const char *permanent = sc_headers_get(&c->call.response.headers, "x-ms-delete-type-permanent");
    if (permanent && strcmp(permanent, "false") == 0)
        return SR_STORAGE_HIDDEN;
    return !own && !version && is_hidden(c->s, key) ? SR_STORAGE_HIDDEN : SR_STORAGE_DELETED;
}

/* etag: of our own object, which is to go only while it is that; NULL: whatever is there. */
static int32_t delete_one(struct azure *s, const char *key, const char *version, const char *etag,
                          struct sr_storage_deletion *ret, struct sc_error *err)
{
    struct azure_call c;
    struct azure_head h = {0};
    int own = etag != NULL;
    int32_t rc = own || version ? SR_STORAGE_OK : look_first(s, key, &h, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    if (h.locked_until != 0) {
        kept(ret, h.locked_until);
        return SR_STORAGE_OK;
    }
    rc = azure_call_begin(&c, s, "DELETE", key, err);
    if (own)
        azure_call_cleaning_up(&c);
    if (version)
        sc_query_add(&c.query, "versionid", version);
    else if (rc == SR_STORAGE_OK)
        rc = azure_call_header(&c, err, "x-ms-delete-snapshots", "include");
    if (rc == SR_STORAGE_OK && own)
        rc = azure_call_header(&c, err, "if-match", "\"%s\"", etag);
    if (rc == SR_STORAGE_OK)
        rc = azure_call_run(&c, err);
    if (rc == SR_STORAGE_OK) {
        ret->outcome = outcome_of(&c, key, version, own);
    } else if (rc == SR_STORAGE_E_NOT_FOUND && strcmp(c.azure_code, "BlobNotFound") == 0) {
        ret->outcome = SR_STORAGE_DELETED;
        rc = SR_STORAGE_OK;
    } else if (own && strcmp(c.azure_code, "ConditionNotMet") == 0) {
        /* Somebody has put another one in its place: ours is there no more. */
        ret->outcome = SR_STORAGE_DELETED;
        rc = SR_STORAGE_OK;
    } else if (!own && is_locked(&c, rc)) {
        /* Until when, as far as the object itself tells: a policy of the container does not. */
        kept(ret, azure_head(s, key, version, 1, &h, NULL) == SR_STORAGE_OK ? h.locked_until : 0);
        rc = SR_STORAGE_OK;
    }
    azure_call_end(&c);
    return rc;
}

int32_t azure_remove_own(struct azure *s, const char *key, const char *etag, struct sc_error *err)
{
    struct sr_storage_deletion d = {.size = sizeof d};
    if (!*etag)
        return sc_fail(err, SR_STORAGE_E_UNSUPPORTED,
                       "the store does not say by which ETag it could be told from another one");
    return delete_one(s, key, NULL, etag, &d, err);
}

int32_t azure_delete(void *handle, const struct sr_storage_delete_options *options,
                     struct sr_storage_deletion *ret_deletion)
{
    struct azure *s = handle;
    struct sc_error err = SC_ERROR_INIT;
    int32_t rc = delete_one(s, options->key, options->version, NULL, ret_deletion, &err);
    return azure_report(s, rc, &err, "deleting %s from container %s", options->key,
                        s->set.container);
}
