#include "azure/page.h"

#include "common/encode.h"
#include "common/timefmt.h"

#include <string.h>

#define EMPTY_PAGES_MAX 1000 /* in a row: legal, but not for ever */

static int is_true(const char *text)
{
    return text && strcmp(text, "true") == 0;
}

static int64_t locked_until(const struct sc_xml_node *n)
{
    const char *until = sc_xml_text(n, "Properties/ImmutabilityPolicyUntilDate");
    int64_t t = 0;
    if (is_true(sc_xml_text(n, "Properties/LegalHold")))
        return INT64_MAX;
    return until && sc_time_http_parse(until, &t) == 0 ? t : 0;
}

static int32_t entry_emit(struct azure_listing *l, const struct sc_xml_node *n,
                          struct sc_error *err)
{
    const char *name = sc_xml_text(n, "Name"), *size = sc_xml_text(n, "Properties/Content-Length");
    const char *modified = sc_xml_text(n, "Properties/Last-Modified");
    const char *version = sc_xml_text(n, "VersionId"), *kind;
    struct sr_storage_entry e = {.size = sizeof e, .key = name};
    if (!name || !*name)
        return sc_fail(err, SR_STORAGE_E_CORRUPT, "the listing holds an entry without a name");
    /* Folders of a hierarchical namespace, snapshots and what was softly deleted are no objects. */
    kind = sc_xml_text(n, "Properties/ResourceType");
    if ((kind && strcmp(kind, "directory") == 0) || sc_xml_child(n, "Snapshot") ||
        is_true(sc_xml_text(n, "Deleted")))
        return SR_STORAGE_OK;
    if (!size || sc_parse_u64(size, &e.object_size) != 0)
        return sc_fail(err, SR_STORAGE_E_CORRUPT, "the listing states no size for %.200s", name);
    if (!modified || sc_time_http_parse(modified, &e.modified) != 0)
        e.modified = 0;
    e.locked_until = locked_until(n);
    e.version = version && *version ? version : NULL;
    if ((l->o->flags & SR_STORAGE_LIST_VERSIONS) && e.version &&
        !is_true(sc_xml_text(n, "IsCurrentVersion")))
        e.flags |= SR_STORAGE_ENTRY_OLD;
    if (strncmp(name, l->o->prefix, strlen(l->o->prefix)) != 0 ||
        (*l->o->start_after && strcmp(name, l->o->start_after) <= 0))
        return SR_STORAGE_OK;
    l->stopped = l->emitter->emit(l->emitter->ctx, &e) != 0;
    return SR_STORAGE_OK;
}

static int32_t copy(struct sc_buf *to, const char *text, struct sc_error *err)
{
    sc_buf_reset(to);
    sc_buf_adds(to, text);
    return sc_buf_check(to, err, "a mark in the listing");
}

/* A page that begins as the one before did would never end. */
static int32_t begins_anew(struct azure_listing *l, const struct sc_xml_node *n,
                           struct sc_error *err)
{
    struct sc_buf first = SC_BUF_INIT(AZURE_MARKER_MAX);
    static const char *const parts[] = {"Name", "VersionId", "Snapshot"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const char *text = sc_xml_text(n, parts[i]);
        sc_buf_addf(&first, "%s\n", text ? text : "");
    }
    int32_t rc = sc_buf_check(&first, err, "a name in the listing");
    if (rc == SR_STORAGE_OK && l->first.len > 0 &&
        strcmp(sc_buf_str(&first), sc_buf_str(&l->first)) == 0)
        rc = sc_fail(err, SR_STORAGE_E_CORRUPT,
                     "the listing goes round: two pages begin with the same entry");
    if (rc == SR_STORAGE_OK)
        rc = copy(&l->first, sc_buf_str(&first), err);
    sc_buf_done(&first);
    return rc;
}

int32_t azure_page_read(struct azure_listing *l, const struct sc_xml_node *root, int *ret_more,
                        struct sc_error *err)
{
    const struct sc_xml_node *blobs = sc_xml_child(root, "Blobs");
    const char *next = sc_xml_text(root, "NextMarker");
    const struct sc_xml_node *n = sc_xml_child(blobs, "Blob");
    int32_t rc = SR_STORAGE_OK;
    /* A missing word is not "no": an answer that is cut off elsewhere would look complete. */
    if (!blobs || !next)
        return sc_fail(err, SR_STORAGE_E_CORRUPT, "the listing does not say whether there is more");
    l->empty = n ? 0 : l->empty + 1;
    if (l->empty > EMPTY_PAGES_MAX)
        return sc_fail(err, SR_STORAGE_E_CORRUPT, "the listing has %d empty pages in a row",
                       EMPTY_PAGES_MAX);
    if (n)
        rc = begins_anew(l, n, err);
    for (; n && rc == SR_STORAGE_OK && !l->stopped; n = sc_xml_next(n, "Blob"))
        rc = entry_emit(l, n, err);
    *ret_more = *next && !l->stopped;
    if (rc != SR_STORAGE_OK || !*ret_more)
        return rc;
    if (strcmp(next, sc_buf_str(&l->marker)) == 0)
        return sc_fail(err, SR_STORAGE_E_CORRUPT,
                       "the listing goes round: the next page is this "
                       "one");
    return copy(&l->marker, next, err);
}

void azure_listing_done(struct azure_listing *l)
{
    sc_buf_done(&l->marker);
    sc_buf_done(&l->first);
}
