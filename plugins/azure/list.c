/* Listing. */
#include "azure/azure.h"

#include "azure/page.h"

#define PAGE "5000"

static int32_t page(struct azure *s, struct azure_listing *l, int *ret_more, struct sc_error *err)
{
    struct azure_call c;
    int versions = (l->o->flags & SR_STORAGE_LIST_VERSIONS) != 0;
    int32_t rc = azure_call_begin(&c, s, "GET", NULL, err);
    c.root = "EnumerationResults";
    c.call.reply_max = SC_XML_BYTES;
    sc_query_add(&c.query, "restype", "container");
    sc_query_add(&c.query, "comp", "list");
    sc_query_add(&c.query, "maxresults", PAGE);
    if (*l->o->prefix)
        sc_query_add(&c.query, "prefix", l->o->prefix);
    if (versions || s->has_locks)
        sc_query_add(&c.query, "include",
                     !s->has_locks ? "versions"
                     : versions    ? "versions,immutabilitypolicy,legalhold"
                                   : "immutabilitypolicy,legalhold");
    if (l->marker.len > 0)
        sc_query_add(&c.query, "marker", sc_buf_str(&l->marker));
    if (rc == SR_STORAGE_OK)
        rc = azure_call_run(&c, err);
    if (rc == SR_STORAGE_OK)
        rc = azure_page_read(l, sc_xml_root(c.xml), ret_more, err);
    azure_call_end(&c);
    return rc;
}

int32_t azure_list(void *handle, const struct sr_storage_list_options *options,
                   const struct sr_storage_emitter *emitter)
{
    struct azure *s = handle;
    struct sc_error err = SC_ERROR_INIT;
    struct azure_listing l = {.o = options, .emitter = emitter, AZURE_LISTING_BUFS};
    int32_t rc = SR_STORAGE_OK;
    for (int more = 1; more && rc == SR_STORAGE_OK;) {
        if (s->host->is_cancelled(s->host))
            rc = sc_fail(&err, SR_STORAGE_E_CANCELLED, "cancelled");
        else
            rc = page(s, &l, &more, &err);
    }
    azure_listing_done(&l);
    return azure_report(s, rc, &err, "listing container %s", s->set.container);
}
