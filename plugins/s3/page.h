/* The pages of a listing: what one says, and where the next begins (pure: no network).
 *
 *     struct s3_listing l = {.o = options, .emitter = emitter, .kind = S3_LISTING_V2,
 * S3_LISTING_BUFS}; while (more) { ask for the page after l.token and l.version_mark;
 *         s3_page_read(&l, root, &more, &err)        emits its entries
 *     }
 *     s3_listing_done(&l)
 *
 * A listing always ends: every page begins after the one before, and the mark of the next page is
 * another than that of this one, or reading it is E_CORRUPT. What is not below the prefix that was
 * asked for is passed over. One thread at a time. */
#ifndef S3_PAGE_H
#define S3_PAGE_H

#include "common/buf.h"
#include "common/xml.h"

#include <strongroom/storage.h>

#define S3_TOKEN_MAX 4096

enum s3_listing_kind { S3_LISTING_V2, S3_LISTING_V1, S3_LISTING_VERSIONS };

struct s3_listing {
    const struct sr_storage_list_options *o;
    const struct sr_storage_emitter *emitter;
    enum s3_listing_kind kind;
    int encoded;         /* this page's keys are percent-encoded */
    struct sc_buf token; /* of the next page: continuation token, or key to go on after */
    struct sc_buf version_mark;
    struct sc_buf last; /* the greatest key of the pages before */
    struct sc_buf key;  /* the one being looked at */
    unsigned empty;
    int stopped; /* the emitter wants no more */
};

#define S3_LISTING_BUFS                                                            \
    .token = SC_BUF_INIT(S3_TOKEN_MAX), .version_mark = SC_BUF_INIT(S3_TOKEN_MAX), \
    .last = SC_BUF_INIT(S3_TOKEN_MAX), .key = SC_BUF_INIT(S3_TOKEN_MAX)

/* Emits the entries of the page whose XML has that root. *ret_more: there is another page, after
 * l->token and l->version_mark. E_CORRUPT for a page that cannot be read or leads nowhere. */
int32_t s3_page_read(struct s3_listing *l, const struct sc_xml_node *root, int *ret_more,
                     struct sc_error *err);
void s3_listing_done(struct s3_listing *l);

#endif
