/* Deleting; and what a store that keeps the bytes all the same says of it. */
#include "azure/azure.h"

#include <string.h>

static int is_locked(const struct azure_call *c, int32_t rc)
{
    return rc == SR_STORAGE_E_LOCKED && c->azure_code[0] != '\0';
}

/* Whether the deletion freed the bytes: soft delete is told by the answer, a version that stays is
 * not. */
static uint64_t outcome_of(const struct azure_call *c, const char *version)
{
    const char *permanent = sc_headers_get(&c->call.response.headers, "x-ms-delete-type-permanent");
    if (permanent && strcmp(permanent, "false") == 0)
        return SR_STORAGE_HIDDEN;
    return !version && c->s->has_versions ? SR_STORAGE_HIDDEN : SR_STORAGE_DELETED;
}

/* Whether the account keeps versions, once: then a deletion hides. Who may not look deletes all the
 * same; a server that does not answer is not asked again right away. */
static int32_t versions_learn(struct azure *s, const char *key, struct sc_error *err)
{
    struct azure_head h;
    struct sc_error why = SC_ERROR_INIT;
    int32_t rc = s->versions_known ? SR_STORAGE_OK : azure_head(s, key, NULL, 0, &h, &why);
    if (rc == SR_STORAGE_E_UNAVAILABLE || rc == SR_STORAGE_E_TIMEOUT ||
        rc == SR_STORAGE_E_THROTTLED || rc == SR_STORAGE_E_CANCELLED) {
        *err = why;
        return rc;
    }
    return SR_STORAGE_OK;
}

static int32_t delete_one(struct azure *s, const char *key, const char *version, int own,
                          struct sr_storage_deletion *ret, struct sc_error *err)
{
    struct azure_call c;
    struct azure_head h;
    int32_t rc = own || version ? SR_STORAGE_OK : versions_learn(s, key, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    rc = azure_call_begin(&c, s, "DELETE", key, err);
    if (own)
        azure_call_cleaning_up(&c);
    if (version)
        sc_query_add(&c.query, "versionid", version);
    else if (rc == SR_STORAGE_OK)
        rc = azure_call_header(&c, err, "x-ms-delete-snapshots", "include");
    if (rc == SR_STORAGE_OK)
        rc = azure_call_run(&c, err);
    if (rc == SR_STORAGE_OK) {
        ret->outcome = outcome_of(&c, version);
    } else if (rc == SR_STORAGE_E_NOT_FOUND && strcmp(c.azure_code, "BlobNotFound") == 0) {
        ret->outcome = SR_STORAGE_DELETED;
        rc = SR_STORAGE_OK;
    } else if (!own && is_locked(&c, rc)) {
        /* Until when, as far as the object itself tells: a policy of the container does not. */
        ret->outcome = SR_STORAGE_KEPT;
        ret->locked_until =
            azure_head(s, key, version, 1, &h, NULL) == SR_STORAGE_OK ? h.locked_until : 0;
        rc = SR_STORAGE_OK;
    }
    azure_call_end(&c);
    return rc;
}

int32_t azure_remove_own(struct azure *s, const char *key, const char *version,
                         struct sc_error *err)
{
    struct sr_storage_deletion d = {.size = sizeof d};
    (void)version; /* the current one: a current version cannot be deleted by its id */
    return delete_one(s, key, NULL, 1, &d, err);
}

int32_t azure_delete(void *handle, const struct sr_storage_delete_options *options,
                     struct sr_storage_deletion *ret_deletion)
{
    struct azure *s = handle;
    struct sc_error err = SC_ERROR_INIT;
    int32_t rc = delete_one(s, options->key, options->version, 0, ret_deletion, &err);
    return azure_report(s, rc, &err, "deleting %s from container %s", options->key,
                        s->set.container);
}
