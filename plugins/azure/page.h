/* The pages of a listing: what one says, and where the next begins (pure: no network).
 *
 *     struct azure_listing l = {.o = options, .emitter = emitter, AZURE_LISTING_BUFS};
 *     while (more) {
 *         ask for the page after l.marker
 *         azure_page_read(&l, root, &more, &err)         emits its entries
 *     }
 *     azure_listing_done(&l)
 *
 * A listing always ends: the mark of the next page is another than that of this one, a page does
 * not begin where the one before did, and empty pages in a row are bounded; else reading it is
 * E_CORRUPT. What is not below the prefix, or not after the key to start after, is passed over.
 * Order is not relied on: accounts with a hierarchical namespace have one of their own. One thread
 * at a time. */
#ifndef AZURE_PAGE_H
#define AZURE_PAGE_H

#include "common/buf.h"
#include "common/xml.h"

#include <strongroom/storage.h>

#define AZURE_MARKER_MAX 8192

struct azure_listing {
    const struct sr_storage_list_options *o;
    const struct sr_storage_emitter *emitter;
    struct sc_buf marker; /* of the next page */
    struct sc_buf first;  /* key and version that the page before began with */
    unsigned empty;
    int stopped; /* the emitter wants no more */
};

#define AZURE_LISTING_BUFS \
    .marker = SC_BUF_INIT(AZURE_MARKER_MAX), .first = SC_BUF_INIT(AZURE_MARKER_MAX)

/* Emits the entries of the page whose XML has that root. *ret_more: there is another page, after
 * l->marker. E_CORRUPT for a page that cannot be read or leads nowhere. */
int32_t azure_page_read(struct azure_listing *l, const struct sc_xml_node *root, int *ret_more,
                        struct sc_error *err);
void azure_listing_done(struct azure_listing *l);

#endif
