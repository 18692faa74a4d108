/* What this container can do, where that depends on it. */
#include "azure/azure.h"

#include <string.h>

#define STALL_S 5 /* nothing that can be done depends on the answers */
#define VERSIONS_LOOK "100"

static int says(const struct azure_call *c, const char *name, const char *value)
{
    const char *said = sc_headers_get(&c->call.response.headers, name);
    return said && strcmp(said, value) == 0;
}

static int32_t ask(struct azure *s, struct azure_call *c, const char *method, struct sc_error *err)
{
    int32_t rc = azure_call_begin(c, s, method, NULL, err);
    c->call.retry = &sc_retry_short;
    c->call.stall_s = STALL_S;
    return rc;
}

static int32_t container_ask(struct azure *s, struct sc_error *err)
{
    struct azure_call c;
    if (s->container_known)
        return SR_STORAGE_OK;
    int32_t rc = ask(s, &c, "GET", err);
    sc_query_add(&c.query, "restype", "container");
    if (rc == SR_STORAGE_OK)
        rc = azure_call_run(&c, err);
    s->container_known = rc == SR_STORAGE_OK;
    if (rc == SR_STORAGE_OK)
        s->has_locks = says(&c, "x-ms-immutable-storage-with-versioning-enabled", "true");
    azure_call_end(&c);
    return rc;
}

int32_t azure_locks_needed(struct azure *s, struct sc_error *err)
{
    int32_t rc = container_ask(s, err);
    if (rc == SR_STORAGE_E_DENIED || (rc == SR_STORAGE_OK && s->has_locks))
        return SR_STORAGE_OK;
    if (rc != SR_STORAGE_OK)
        return sc_error_wrap(err, "asking whether container %s can lock objects", s->set.container);
    return sc_fail(err, SR_STORAGE_E_UNSUPPORTED,
                   "container %s keeps no single object from being deleted: it was made without "
                   "support for version-level immutability",
                   s->set.container);
}

/* The first objects, and versions of objects, whose names begin with prefix: *ret_name nonzero when
 * the first has that very name. */
static int32_t versions_list(struct azure *s, const char *prefix, const char *most, int *ret_name,
                             struct sc_error *err)
{
    struct azure_call c;
    int32_t rc = ask(s, &c, "GET", err);
    c.root = "EnumerationResults";
    sc_query_add(&c.query, "restype", "container");
    sc_query_add(&c.query, "comp", "list");
    sc_query_add(&c.query, "include", "versions");
    sc_query_add(&c.query, "maxresults", most);
    if (*prefix)
        sc_query_add(&c.query, "prefix", prefix);
    if (rc == SR_STORAGE_OK)
        rc = azure_call_run(&c, err);
    const struct sc_xml_node *root = rc == SR_STORAGE_OK ? sc_xml_root(c.xml) : NULL;
    const struct sc_xml_node *blob = sc_xml_child(sc_xml_child(root, "Blobs"), "Blob");
    const char *name = sc_xml_text(blob, "Name"), *next = sc_xml_text(root, "NextMarker");
    *ret_name = name && strcmp(name, prefix) == 0;
    for (const struct sc_xml_node *n = blob; n; n = sc_xml_next(n, "Blob")) {
        const char *version = sc_xml_text(n, "VersionId");
        s->has_versions |= version && *version;
    }
    /* An empty page with a mark of a next one says nothing. */
    if (rc == SR_STORAGE_OK && !blob && (!next || *next))
        rc = sc_fail(err, SR_STORAGE_E_UNAVAILABLE, "the listing's first page is empty");
    azure_call_end(&c);
    return rc;
}

/* Whether the account keeps versions is told only with objects of it, and by none that is older
 * than their being switched on. */
static int32_t versions_ask(struct azure *s, struct sc_error *err)
{
    int named = 0;
    return s->has_versions ? SR_STORAGE_OK : versions_list(s, "", VERSIONS_LOOK, &named, err);
}

int azure_left(struct azure *s, const char *key)
{
    struct sc_error why = SC_ERROR_INIT;
    int named = 0;
    return versions_list(s, key, "1", &named, &why) == SR_STORAGE_OK ? named : -1;
}

/* A hierarchical namespace sorts by folders. */
static int is_flat(struct azure *s)
{
    struct azure_call c;
    int32_t rc = ask(s, &c, "GET", NULL);
    sc_query_add(&c.query, "restype", "account");
    sc_query_add(&c.query, "comp", "properties");
    if (rc == SR_STORAGE_OK)
        rc = azure_call_run(&c, NULL);
    int flat = rc == SR_STORAGE_OK && sc_headers_get(&c.call.response.headers, "x-ms-sku-name") &&
               !says(&c, "x-ms-is-hns-enabled", "true");
    azure_call_end(&c);
    return flat;
}

/* A server that does not answer leaves a question open; a host whose own time is up wants an end.
 */
static int is_over(const struct azure *s, int32_t rc)
{
    uint64_t end = s->host->deadline(s->host);
    return rc == SR_STORAGE_E_CANCELLED ||
           (rc == SR_STORAGE_E_TIMEOUT && end != 0 && s->host->monotonic(s->host) >= end);
}

int32_t azure_ask_capabilities(void *handle, uint64_t *ret_capabilities)
{
    struct azure *s = handle;
    struct sc_error err = SC_ERROR_INIT;
    uint64_t caps = SR_CAP_ATOMIC_CREATE | SR_CAP_RANGES | SR_CAP_METADATA;
    int32_t rc = container_ask(s, &err);
    if (rc == SR_STORAGE_OK)
        rc = versions_ask(s, &err);
    if (rc == SR_STORAGE_OK && is_flat(s))
        caps |= SR_CAP_SORTED_LIST;
    if (s->has_versions)
        caps |= SR_CAP_VERSIONS;
    if (s->has_locks)
        caps |= SR_CAP_LOCK;
    *ret_capabilities = caps;
    /* Whoever may not ask gets the least. */
    if (rc != SR_STORAGE_OK && !is_over(s, rc)) {
        sc_log(s->host, SR_STORAGE_LOG_VERBOSE,
               "whether container %s has versions and locks is not known: %s", s->set.container,
               err.text);
        rc = SR_STORAGE_OK;
    }
    return azure_report(s, rc, &err, "asking what container %s can do", s->set.container);
}
