#include "s3/page.h"

#include "common/encode.h"
#include "common/timefmt.h"

#include <string.h>

#define EMPTY_PAGES_MAX 1000 /* in a row: legal, but not for ever */

/* The text as a key, decoded where the answer says that it is encoded. */
static int32_t key_read(struct s3_listing *l, const char *text, struct sc_buf *out,
                        struct sc_error *err)
{
    int32_t rc;
    sc_buf_reset(out);
    if (!text)
        return sc_fail(err, SR_STORAGE_E_CORRUPT, "the listing holds an entry without a key");
    rc = l->encoded ? sc_percent_decode(out, text, strlen(text), 1) : sc_buf_adds(out, text);
    if (rc != SR_STORAGE_OK || sc_buf_check(out, NULL, "") != SR_STORAGE_OK)
        return sc_fail(err, SR_STORAGE_E_CORRUPT, "the listing holds a key that cannot be read");
    return SR_STORAGE_OK;
}

static int32_t copy(struct sc_buf *to, const char *text, const char *what, struct sc_error *err)
{
    sc_buf_reset(to);
    sc_buf_adds(to, text);
    return sc_buf_check(to, err, what);
}

static int same(const struct sc_buf *a, const struct sc_buf *b)
{
    return b->len > 0 && strcmp(sc_buf_str(a), sc_buf_str(b)) == 0;
}

/* An endless listing is one that comes back to where it was: Brent's way finds that with one name
 * kept, whatever the tokens say. The first entry of the page before is the short way to the most
 * common case. */
static int32_t round_check(struct s3_listing *l, const char *version, int first,
                           struct sc_error *err)
{
    static const char what[] = "a key of the listing";
    int32_t rc = copy(&l->name, sc_buf_str(&l->key), what, err);
    if (rc == SR_STORAGE_OK && version) {
        sc_buf_addc(&l->name, '\n');
        sc_buf_adds(&l->name, version);
        rc = sc_buf_check(&l->name, err, what);
    }
    if (rc != SR_STORAGE_OK)
        return rc;
    if (same(&l->name, &l->seen) || (first && same(&l->name, &l->head)))
        return sc_fail(err, SR_STORAGE_E_CORRUPT, "the listing goes round: %.200s comes again",
                       sc_buf_str(&l->key));
    if (l->sorted && l->last.len > 0 &&
        strcmp(sc_buf_str(&l->key), sc_buf_str(&l->last)) <
            (l->kind == S3_LISTING_VERSIONS ? 0 : 1))
        return sc_fail(err, SR_STORAGE_E_CORRUPT,
                       "the listing goes round: %.200s comes after %.200s", sc_buf_str(&l->key),
                       sc_buf_str(&l->last));
    if (first)
        rc = copy(&l->head, sc_buf_str(&l->name), what, err);
    l->count++;
    if (rc == SR_STORAGE_OK && (l->count & (l->count - 1)) == 0)
        rc = copy(&l->seen, sc_buf_str(&l->name), what, err);
    return rc;
}

static int32_t entry_emit(struct s3_listing *l, const struct sc_xml_node *n, int first,
                          struct sc_error *err)
{
    const char *size = sc_xml_text(n, "Size"), *modified = sc_xml_text(n, "LastModified");
    const char *version = l->kind == S3_LISTING_VERSIONS ? sc_xml_text(n, "VersionId") : NULL;
    const char *latest = sc_xml_text(n, "IsLatest");
    int marker = strcmp(n->name, "DeleteMarker") == 0;
    struct sr_storage_entry e = {.size = sizeof e};
    int32_t rc = key_read(l, sc_xml_text(n, "Key"), &l->key, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    if (!marker && (!size || sc_parse_u64(size, &e.object_size) != 0))
        return sc_fail(err, SR_STORAGE_E_CORRUPT, "the listing states no size for %.200s",
                       sc_buf_str(&l->key));
    if (!modified || sc_time_iso_parse(modified, &e.modified) != 0)
        e.modified = 0;
    e.key = sc_buf_str(&l->key);
    e.version = version && *version ? version : NULL;
    if (l->kind == S3_LISTING_VERSIONS && latest && strcmp(latest, "true") != 0)
        e.flags |= SR_STORAGE_ENTRY_OLD;
    if (marker)
        e.flags |= SR_STORAGE_ENTRY_MARKER;
    rc = round_check(l, e.version, first, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    if (strncmp(e.key, l->o->prefix, strlen(l->o->prefix)) != 0 ||
        (*l->o->start_after && strcmp(e.key, l->o->start_after) <= 0))
        return SR_STORAGE_OK;
    l->stopped = l->emitter->emit(l->emitter->ctx, &e) != 0;
    return SR_STORAGE_OK;
}

static int is_entry(const struct s3_listing *l, const struct sc_xml_node *n)
{
    if (l->kind == S3_LISTING_VERSIONS)
        return strcmp(n->name, "Version") == 0 || strcmp(n->name, "DeleteMarker") == 0;
    return strcmp(n->name, "Contents") == 0;
}

/* Where the next page begins. */
static int32_t next_page(struct s3_listing *l, const struct sc_xml_node *root, struct sc_error *err)
{
    const char *token = NULL;
    struct sc_buf decoded = SC_BUF_INIT(S3_TOKEN_MAX);
    int32_t rc = SR_STORAGE_OK;
    if (l->kind == S3_LISTING_V2) {
        token = sc_xml_text(root, "NextContinuationToken");
    } else {
        token = sc_xml_text(root, l->kind == S3_LISTING_V1 ? "NextMarker" : "NextKeyMarker");
        if (token && *token)
            rc = key_read(l, token, &decoded, err);
        /* Version 1 names the next marker only with a delimiter: else it is the last key. */
        token = token && *token            ? sc_buf_str(&decoded)
                : l->kind == S3_LISTING_V1 ? sc_buf_str(&l->key)
                                           : NULL;
    }
    const char *version = sc_xml_text(root, "NextVersionIdMarker");
    if (rc == SR_STORAGE_OK && (!token || !*token))
        rc = sc_fail(err, SR_STORAGE_E_CORRUPT,
                     "the listing is cut off and does not say how it goes on");
    else if (rc == SR_STORAGE_OK && strcmp(token, sc_buf_str(&l->token)) == 0 &&
             strcmp(version ? version : "", sc_buf_str(&l->version_mark)) == 0)
        rc =
            sc_fail(err, SR_STORAGE_E_CORRUPT, "the listing goes round: the next page is this one");
    if (rc == SR_STORAGE_OK)
        rc = copy(&l->token, token, "the mark of the next page", err);
    if (rc == SR_STORAGE_OK)
        rc = copy(&l->version_mark, version ? version : "", "the mark of the next page", err);
    sc_buf_done(&decoded);
    return rc;
}

int32_t s3_page_read(struct s3_listing *l, const struct sc_xml_node *root, int *ret_more,
                     struct sc_error *err)
{
    const char *more = sc_xml_text(root, "IsTruncated"),
               *encoding = sc_xml_text(root, "EncodingType");
    unsigned entries = 0;
    int32_t rc = SR_STORAGE_OK;
    /* A missing word is not "no": an answer that is cut off elsewhere would look complete. */
    if (!more || (strcmp(more, "true") != 0 && strcmp(more, "false") != 0))
        return sc_fail(err, SR_STORAGE_E_CORRUPT, "the listing does not say whether there is more");
    l->encoded = encoding && strcmp(encoding, "url") == 0;
    for (const struct sc_xml_node *n = root->first; n && rc == SR_STORAGE_OK && !l->stopped;
         n = n->sibling)
        if (is_entry(l, n)) {
            rc = entry_emit(l, n, entries == 0, err);
            entries++;
        }
    *ret_more = strcmp(more, "true") == 0 && !l->stopped;
    if (rc == SR_STORAGE_OK && entries > 0)
        rc = copy(&l->last, sc_buf_str(&l->key), "a key of the listing", err);
    l->empty = entries > 0 ? 0 : l->empty + 1;
    if (rc == SR_STORAGE_OK && l->empty > EMPTY_PAGES_MAX)
        rc = sc_fail(err, SR_STORAGE_E_CORRUPT, "the listing has %d empty pages in a row",
                     EMPTY_PAGES_MAX);
    return rc == SR_STORAGE_OK && *ret_more ? next_page(l, root, err) : rc;
}

void s3_listing_done(struct s3_listing *l)
{
    sc_buf_done(&l->token);
    sc_buf_done(&l->version_mark);
    sc_buf_done(&l->last);
    sc_buf_done(&l->key);
    sc_buf_done(&l->name);
    sc_buf_done(&l->head);
    sc_buf_done(&l->seen);
}
