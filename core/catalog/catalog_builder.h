/* Makes a catalogue of listed entries; the store is left to the caller, so that this can be tested.
 *
 *     sr_catalog_builder_new(&b);
 *     sr_catalog_builder_add(b, &entry, &err)     for each entry of a listing, in any order
 *     sr_catalog_builder_finish(b, &cat, &err);   // frees b, whatever comes back
 *
 * Private to core/catalog and its tests. Keys that are none of ours are passed over. */
#ifndef SR_CATALOG_CATALOG_BUILDER_H
#define SR_CATALOG_CATALOG_BUILDER_H

#include "core/catalog/catalog.h"

struct sr_catalog_builder;

int sr_catalog_builder_new(struct sr_catalog_builder **ret, struct sr_error *err);
int sr_catalog_builder_add(struct sr_catalog_builder *b, const struct sr_store_entry *e,
                           struct sr_error *err);
int sr_catalog_builder_finish(struct sr_catalog_builder *b, struct sr_catalog **ret,
                              struct sr_error *err);
void sr_catalog_builder_free(struct sr_catalog_builder *b); /* instead of finishing; NULL is fine */

/* Parses text as the manifest of set; the second half of sr_catalog_manifest. */
int sr_catalog_manifest_check(const struct sr_catalog_set *set, const void *text, size_t len,
                              struct sr_manifest **ret, struct sr_error *err);

#endif
