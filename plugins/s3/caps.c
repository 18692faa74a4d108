/* What this bucket can do, where that depends on it. */
#include "s3/s3.h"

#include <string.h>

#define STALL_S 5 /* nothing that can be done depends on the answers */

/* *ret nonzero when GET ?about answers with that root and, at path, says Enabled. A store that does
 * not know the question may pass it over and answer with a listing (Swift does): that is a no. */
static int32_t asked(struct s3 *s, const char *about, const char *root, const char *path, int *ret,
                     struct sc_error *err)
{
    struct s3_call c;
    int32_t rc = s3_call_begin(&c, s, "GET", NULL, err);
    c.root = root;
    c.root_else = "ListBucketResult";
    c.call.retry = &sc_retry_short;
    c.call.stall_s = STALL_S;
    sc_query_add(&c.call.request.query, about, NULL);
    if (rc == SR_STORAGE_OK)
        rc = s3_call_run(&c, err);
    const char *said = rc == SR_STORAGE_OK ? sc_xml_text(sc_xml_root(c.xml), path) : NULL;
    *ret = said && strcmp(said, "Enabled") == 0;
    /* "There is no such configuration" is an answer. */
    if (rc == SR_STORAGE_E_NOT_FOUND || rc == SR_STORAGE_E_UNSUPPORTED)
        rc = SR_STORAGE_OK;
    s3_call_end(&c);
    return rc;
}

/* A store that knows no locks at all says not found, or not implemented: no. One that does not let
 * us ask leaves it open, and what is locked then is refused by the store itself if it cannot be. */
static int32_t locks_ask(struct s3 *s, struct sc_error *err)
{
    if (s->locks_known)
        return SR_STORAGE_OK;
    int32_t rc =
        asked(s, "object-lock", "ObjectLockConfiguration", "ObjectLockEnabled", &s->has_locks, err);
    s->locks_known = rc == SR_STORAGE_OK;
    return rc;
}

int32_t s3_locks_needed(struct s3 *s, struct sc_error *err)
{
    int32_t rc = locks_ask(s, err);
    if (rc == SR_STORAGE_E_DENIED || (rc == SR_STORAGE_OK && s->has_locks))
        return SR_STORAGE_OK;
    if (rc != SR_STORAGE_OK)
        return sc_error_wrap(err, "asking whether bucket %s can lock objects", s->set.bucket);
    return sc_fail(err, SR_STORAGE_E_UNSUPPORTED,
                   "bucket %s keeps no object from being deleted: it was made without object lock",
                   s->set.bucket);
}

/* A server that does not answer leaves a question open; a host whose own time is up wants an end.
 */
static int is_over(const struct s3 *s, int32_t rc)
{
    uint64_t end = s->host->deadline(s->host);
    return rc == SR_STORAGE_E_CANCELLED ||
           (rc == SR_STORAGE_E_TIMEOUT && end != 0 && s->host->monotonic(s->host) >= end);
}

int32_t s3_ask_capabilities(void *handle, uint64_t *ret_capabilities)
{
    struct s3 *s = handle;
    struct sc_error err = SC_ERROR_INIT;
    uint64_t caps = SR_CAP_RANGES | SR_CAP_METADATA;
    int versions = 0;
    /* What the store promises in its manual, or the operator in his settings. Elsewhere
     * If-None-Match is sent as well, but a store that passes it over in silence cannot be told from
     * one that heeds it. */
    if (s->set.create == S3_CREATE_CONDITION || (s->amazon && s->set.create == S3_CREATE_AUTO))
        caps |= SR_CAP_ATOMIC_CREATE;
    if (s3_lists_sorted(s))
        caps |= SR_CAP_SORTED_LIST;
    int32_t rc = asked(s, "versioning", "VersioningConfiguration", "Status", &versions, &err);
    /* Only a bucket with versions can have locks. */
    if (rc == SR_STORAGE_OK && versions)
        rc = locks_ask(s, &err);
    if (versions)
        caps |= SR_CAP_VERSIONS;
    if (s->has_locks)
        caps |= SR_CAP_LOCK;
    *ret_capabilities = caps;
    /* Whoever may not ask gets the least. */
    if (rc != SR_STORAGE_OK && !is_over(s, rc)) {
        sc_log(s->host, SR_STORAGE_LOG_VERBOSE,
               "whether bucket %s has versions and locks is not known: %s", s->set.bucket,
               err.text);
        rc = SR_STORAGE_OK;
    }
    return s3_report(s, rc, &err, "asking what bucket %s can do", s->set.bucket);
}
