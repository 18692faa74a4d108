/* Listing: version 2 of the call, version 1 where the store knows no other, and old versions. */
#include "s3/s3.h"

#include "s3/page.h"

#include <string.h>

#define PAGE "1000"

static void query_build(const struct s3 *s, const struct s3_listing *l, struct sc_buf *query)
{
    const char *after = l->token.len ? sc_buf_str(&l->token) : "";
    if (l->kind == S3_LISTING_V2)
        sc_query_add(query, "list-type", "2");
    if (l->kind == S3_LISTING_VERSIONS)
        sc_query_add(query, "versions", NULL);
    if (*l->o->prefix)
        sc_query_add(query, "prefix", l->o->prefix);
    if (s->set.url_encoding)
        sc_query_add(query, "encoding-type", "url");
    sc_query_add(query, "max-keys", PAGE);
    if (l->kind == S3_LISTING_V2) {
        if (*after)
            sc_query_add(query, "continuation-token", after);
        else if (*l->o->start_after)
            sc_query_add(query, "start-after", l->o->start_after);
    } else if (*after || *l->o->start_after) {
        sc_query_add(query, l->kind == S3_LISTING_V1 ? "marker" : "key-marker",
                     *after ? after : l->o->start_after);
    }
    if (l->kind == S3_LISTING_VERSIONS && l->version_mark.len)
        sc_query_add(query, "version-id-marker", sc_buf_str(&l->version_mark));
}

/* Some stores answer the second version with the first, or with a refusal. */
static int knows_no_v2(const struct s3_listing *l, const struct s3_call *c, int32_t rc)
{
    if (l->kind != S3_LISTING_V2 || c->s->set.list != S3_LIST_AUTO || l->token.len > 0)
        return 0;
    if (rc == SR_STORAGE_E_UNSUPPORTED || strcmp(c->aws_code, "InvalidArgument") == 0)
        return 1;
    const struct sc_xml_node *root = rc == SR_STORAGE_OK ? sc_xml_root(c->xml) : NULL;
    const char *more = sc_xml_text(root, "IsTruncated");
    return more && strcmp(more, "true") == 0 && !sc_xml_text(root, "NextContinuationToken");
}

static int32_t page(struct s3 *s, struct s3_listing *l, int *ret_more, struct sc_error *err)
{
    struct s3_call c;
    int32_t rc = s3_call_begin(&c, s, "GET", NULL, err);
    c.root = l->kind == S3_LISTING_VERSIONS ? "ListVersionsResult" : "ListBucketResult";
    c.call.reply_max = SC_XML_BYTES;
    query_build(s, l, &c.call.request.query);
    if (rc == SR_STORAGE_OK)
        rc = s3_call_run(&c, err);
    if (knows_no_v2(l, &c, rc)) {
        sc_log(s->host, SR_STORAGE_LOG_VERBOSE, "the store lists by version 1");
        s->list_v1 = 1;
        l->kind = S3_LISTING_V1;
        *ret_more = 1;
        rc = SR_STORAGE_OK;
    } else if (rc == SR_STORAGE_OK) {
        rc = s3_page_read(l, sc_xml_root(c.xml), ret_more, err);
    }
    s3_call_end(&c);
    return rc;
}

int s3_lists_sorted(const struct s3 *s)
{
    /* Directory buckets (S3 Express One Zone) list in no order. */
    size_t len = strlen(s->set.bucket);
    return s->amazon && (len < 6 || strcmp(s->set.bucket + len - 6, "--x-s3") != 0);
}

static int32_t list(struct s3 *s, const struct sr_storage_list_options *options,
                    const struct sr_storage_emitter *emitter, struct sc_error *err)
{
    struct s3_listing l = {.o = options,
                           .emitter = emitter,
                           .kind = s->set.list == S3_LIST_V1 || s->list_v1 ? S3_LISTING_V1
                                                                           : S3_LISTING_V2,
                           .sorted = s3_lists_sorted(s),
                           S3_LISTING_BUFS};
    int32_t rc = SR_STORAGE_OK;
    if (options->flags & SR_STORAGE_LIST_VERSIONS)
        l.kind = S3_LISTING_VERSIONS;
    for (int more = 1; more && rc == SR_STORAGE_OK;) {
        if (s->host->is_cancelled(s->host))
            rc = sc_fail(err, SR_STORAGE_E_CANCELLED, "cancelled");
        else
            rc = page(s, &l, &more, err);
    }
    s3_listing_done(&l);
    return rc;
}

int32_t s3_list(void *handle, const struct sr_storage_list_options *options,
                const struct sr_storage_emitter *emitter)
{
    struct s3 *s = handle;
    struct sc_error err = SC_ERROR_INIT;
    int32_t rc = list(s, options, emitter, &err);
    if (rc == SR_STORAGE_E_DENIED)
        (void)sc_error_append(&err,
                              "; without the right s3:%s nothing here can be found again, "
                              "verified or deleted: let a lifecycle rule of the bucket "
                              "delete what is old",
                              options->flags & SR_STORAGE_LIST_VERSIONS ? "ListBucketVersions"
                                                                        : "ListBucket");
    return s3_report(s, rc, &err, "listing bucket %s", s->set.bucket);
}

struct looking {
    const char *key;
    int found;
};

static int32_t is_version(void *ctx, const struct sr_storage_entry *e)
{
    struct looking *l = ctx;
    l->found = strcmp(e->key, l->key) == 0 && !(e->flags & SR_STORAGE_ENTRY_MARKER);
    return l->found;
}

int32_t s3_has_versions(struct s3 *s, const char *key, int *ret, struct sc_error *err)
{
    struct looking l = {.key = key};
    const struct sr_storage_list_options o = {
        .size = sizeof o, .flags = SR_STORAGE_LIST_VERSIONS, .prefix = key, .start_after = ""};
    const struct sr_storage_emitter emitter = {
        .size = sizeof emitter, .ctx = &l, .emit = is_version};
    int32_t rc = list(s, &o, &emitter, err);
    if (rc == SR_STORAGE_OK)
        *ret = l.found;
    return rc;
}
