#include "gcs/page.h"

#include <string.h>

#define EMPTY_PAGES_MAX 1000 /* in a row: legal, but not for ever */

static int32_t entry_emit(struct gcs_listing *l, const json_t *item, struct sc_error *err)
{
    struct gcs_object o;
    uint8_t sum[GCS_CRC_LEN];
    const int versions = (l->o->flags & SR_STORAGE_LIST_VERSIONS) != 0;
    int32_t rc = gcs_object_read(item, &o, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    /* Every entry comes after the one before; a listing that does not might never end. */
    if (l->last.len > 0 && strcmp(o.name, sc_buf_str(&l->last)) < (versions ? 0 : 1))
        return sc_fail(err, SR_STORAGE_E_CORRUPT,
                       "the listing goes round: %.200s comes after %.200s", o.name,
                       sc_buf_str(&l->last));
    sc_buf_reset(&l->last);
    sc_buf_adds(&l->last, o.name);
    rc = sc_buf_check(&l->last, err, "a name in the listing");
    if (rc != SR_STORAGE_OK)
        return rc;
    if (strncmp(o.name, l->o->prefix, strlen(l->o->prefix)) != 0 ||
        (*l->o->start_after && strcmp(o.name, l->o->start_after) <= 0))
        return rc;
    struct sr_storage_entry e = gcs_object_entry(&o, NULL, sum);
    l->stopped = l->emitter->emit(l->emitter->ctx, &e) != 0;
    return rc;
}

static int32_t next_page(struct gcs_listing *l, const char *token, struct sc_error *err)
{
    if (!*token)
        return sc_fail(err, SR_STORAGE_E_CORRUPT,
                       "the listing is cut off and does not say how it goes on");
    if (strcmp(token, sc_buf_str(&l->token)) == 0)
        return sc_fail(err, SR_STORAGE_E_CORRUPT,
                       "the listing goes round: the next page is this one");
    sc_buf_reset(&l->token);
    sc_buf_adds(&l->token, token);
    return sc_buf_check(&l->token, err, "the mark of the next page");
}

int32_t gcs_page_read(struct gcs_listing *l, const json_t *page, int *ret_more,
                      struct sc_error *err)
{
    const json_t *items = json_object_get(page, "items"),
                 *next = json_object_get(page, "nextPageToken");
    const char *token = sc_json_text(page, "nextPageToken");
    int32_t rc = SR_STORAGE_OK;
    size_t i;
    json_t *item;
    /* An answer of another kind must not look like an empty store. */
    if ((items && !json_is_array(items)) || (next && !token))
        return sc_fail(err, SR_STORAGE_E_CORRUPT, "the listing cannot be read");
    json_array_foreach(items, i, item)
    {
        rc = entry_emit(l, item, err);
        if (rc != SR_STORAGE_OK || l->stopped)
            break;
    }
    *ret_more = token != NULL && !l->stopped;
    l->empty = json_array_size(items) > 0 ? 0 : l->empty + 1;
    if (rc == SR_STORAGE_OK && l->empty > EMPTY_PAGES_MAX)
        rc = sc_fail(err, SR_STORAGE_E_CORRUPT, "the listing has %d empty pages in a row",
                     EMPTY_PAGES_MAX);
    return rc == SR_STORAGE_OK && *ret_more ? next_page(l, token, err) : rc;
}

void gcs_listing_done(struct gcs_listing *l)
{
    sc_buf_done(&l->token);
    sc_buf_done(&l->last);
}
