/* The pages of a listing: what one says, and where the next begins (pure: no network).
 *
 *     struct gcs_listing l = {.o = options, .emitter = emitter, GCS_LISTING_BUFS};
 *     while (more) {
 *         ask for the page after l.token;
 *         gcs_page_read(&l, json, &more, &err)        emits its entries
 *     }
 *     gcs_listing_done(&l)
 *
 * A listing always ends: every page begins after the one before, and the token of the next page is
 * another than that of this one, or reading it is E_CORRUPT. What is not below the prefix that was
 * asked for is passed over. One thread at a time. */
#ifndef GCS_PAGE_H
#define GCS_PAGE_H

#include "common/buf.h"
#include "gcs/object.h"

#define GCS_TOKEN_TEXT_MAX 8192

struct gcs_listing {
    const struct sr_storage_list_options *o;
    const struct sr_storage_emitter *emitter;
    struct sc_buf token; /* of the next page */
    struct sc_buf last;  /* the greatest name so far */
    unsigned empty;
    int stopped; /* the emitter wants no more */
};

#define GCS_LISTING_BUFS \
    .token = SC_BUF_INIT(GCS_TOKEN_TEXT_MAX), .last = SC_BUF_INIT(GCS_TOKEN_TEXT_MAX)

/* Emits the entries of the page. *ret_more: there is another one, after l->token. E_CORRUPT for a
 * page that cannot be read or leads nowhere. */
int32_t gcs_page_read(struct gcs_listing *l, const json_t *page, int *ret_more,
                      struct sc_error *err);
void gcs_listing_done(struct gcs_listing *l);

#endif
