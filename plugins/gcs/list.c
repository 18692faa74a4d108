/* Listing, old generations too where they are asked for. */
#include "gcs/gcs.h"

#include "gcs/page.h"

#include <string.h>

#define PAGE "1000"
#define KIND "storage#objects"

static void query_build(const struct gcs_listing *l, struct sc_buf *query)
{
    sc_query_add(query, "fields", "kind,nextPageToken,items(" GCS_OBJECT_FIELDS ")");
    sc_query_add(query, "maxResults", PAGE);
    if (*l->o->prefix)
        sc_query_add(query, "prefix", l->o->prefix);
    if (l->o->flags & SR_STORAGE_LIST_VERSIONS)
        sc_query_add(query, "versions", "true");
    /* From this name on, itself included; it is passed over when it comes. */
    if (*l->o->start_after)
        sc_query_add(query, "startOffset", l->o->start_after);
    if (l->token.len)
        sc_query_add(query, "pageToken", sc_buf_str(&l->token));
}

static int32_t page(struct gcs *s, struct gcs_listing *l, int *ret_more, struct sc_error *err)
{
    struct gcs_call c;
    int32_t rc = gcs_call_begin(&c, s, "GET", GCS_API_OBJECT, NULL, err);
    c.wants_json = 1;
    query_build(l, &c.call.request.query);
    if (rc == SR_STORAGE_OK)
        rc = gcs_call_run(&c, err);
    if (rc == SR_STORAGE_OK) {
        const char *kind = sc_json_text(c.json, "kind");
        rc = kind && strcmp(kind, KIND) == 0
                 ? gcs_page_read(l, c.json, ret_more, err)
                 : sc_fail(err, SR_STORAGE_E_CORRUPT, "what came is no listing: it is no " KIND);
    }
    gcs_call_end(&c);
    return rc;
}

int32_t gcs_list(void *handle, const struct sr_storage_list_options *options,
                 const struct sr_storage_emitter *emitter)
{
    struct gcs *s = handle;
    struct sc_error err = SC_ERROR_INIT;
    struct gcs_listing l = {.o = options, .emitter = emitter, GCS_LISTING_BUFS};
    int32_t rc = SR_STORAGE_OK;
    for (int more = 1; more && rc == SR_STORAGE_OK;) {
        if (s->host->is_cancelled(s->host))
            rc = sc_fail(&err, SR_STORAGE_E_CANCELLED, "cancelled");
        else
            rc = page(s, &l, &more, &err);
    }
    gcs_listing_done(&l);
    return gcs_report(s, rc, &err, "listing bucket %s", s->set.bucket);
}
