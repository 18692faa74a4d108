/* The pages of a listing: what one says, and where the next begins (pure: no network).
 *
 *     struct s3_listing l = {.o = options, .emitter = emitter, .kind = S3_LISTING_V2,
 * S3_LISTING_BUFS}; while (more) { ask for the page after l.token and l.version_mark;
 *         s3_page_read(&l, root, &more, &err)        emits its entries
 *     }
 *     s3_listing_done(&l)
 *
 * A listing does not go round: where it is sorted every page begins after the one before; elsewhere
 * no page begins as the one before, and an entry that comes again, however far away, is found when
 * the round is made the second time at the latest; and the mark of the next page is another than
 * that of this one. Else reading it is E_CORRUPT. What is not below the prefix that was asked for
 * is passed over. One thread at a time. */
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
    int sorted;         /* the store promises the order of keys */
    struct sc_buf last; /* the last key of the page before */
    struct sc_buf key;  /* the one being looked at */
    struct sc_buf name; /* the same with its version: no other entry has it */
    struct sc_buf head; /* the name that this page began with */
    struct sc_buf seen; /* the name that came as the count reached a power of two */
    uint64_t count;     /* entries so far */
    unsigned empty;
    int stopped; /* the emitter wants no more */
};

#define S3_LISTING_BUFS                                                            \
    .token = SC_BUF_INIT(S3_TOKEN_MAX), .version_mark = SC_BUF_INIT(S3_TOKEN_MAX), \
    .last = SC_BUF_INIT(S3_TOKEN_MAX), .key = SC_BUF_INIT(S3_TOKEN_MAX),           \
    .name = SC_BUF_INIT(2 * S3_TOKEN_MAX), .head = SC_BUF_INIT(2 * S3_TOKEN_MAX),  \
    .seen = SC_BUF_INIT(2 * S3_TOKEN_MAX)

/* Emits the entries of the page whose XML has that root. *ret_more: there is another page, after
 * l->token and l->version_mark. E_CORRUPT for a page that cannot be read or leads nowhere. */
int32_t s3_page_read(struct s3_listing *l, const struct sc_xml_node *root, int *ret_more,
                     struct sc_error *err);
void s3_listing_done(struct s3_listing *l);

#endif
