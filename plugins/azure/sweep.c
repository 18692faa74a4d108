/* Blocks that were never committed. Azure lists the names they lie under and drops them by itself,
 * a week after the last block of a name. No request removes them without making an object of that
 * name visible (see blocks.c), and no answer tells their age: so this tells what is there, and
 * takes nothing away. */
#include "azure/azure.h"

#include "azure/page.h"

#include <string.h>

struct sweeping {
    struct azure *s;
    struct azure_listing l;
    int32_t rc;
    struct sc_error *err;
};

/* An object of no bytes may be one that is committed: looked at, that one is there. */
static int32_t look(void *ctx, const struct sr_storage_entry *e)
{
    struct sweeping *w = ctx;
    struct azure_head h;
    struct sc_error why = SC_ERROR_INIT;
    if (e->object_size > 0)
        return 0;
    int32_t rc = azure_head(w->s, e->key, NULL, 1, &h, &why);
    if (rc == SR_STORAGE_E_NOT_FOUND) {
        sc_log(w->s->host, SR_STORAGE_LOG_INFO,
               "uncommitted blocks lie under %s; Azure drops them a week after the last one",
               e->key);
    } else if (rc != SR_STORAGE_OK) {
        w->rc = rc;
        *w->err = why;
    }
    return w->rc != SR_STORAGE_OK;
}

static int32_t page(struct sweeping *w, int *ret_more, struct sc_error *err)
{
    struct azure_call c;
    int32_t rc = azure_call_begin(&c, w->s, "GET", NULL, err);
    c.root = "EnumerationResults";
    c.call.reply_max = SC_XML_BYTES;
    sc_query_add(&c.query, "restype", "container");
    sc_query_add(&c.query, "comp", "list");
    sc_query_add(&c.query, "include", "uncommittedblobs");
    if (*w->l.o->prefix)
        sc_query_add(&c.query, "prefix", w->l.o->prefix);
    if (w->l.marker.len > 0)
        sc_query_add(&c.query, "marker", sc_buf_str(&w->l.marker));
    if (rc == SR_STORAGE_OK)
        rc = azure_call_run(&c, err);
    if (rc == SR_STORAGE_OK)
        rc = azure_page_read(&w->l, sc_xml_root(c.xml), ret_more, err);
    azure_call_end(&c);
    return rc == SR_STORAGE_OK ? w->rc : rc;
}

int32_t azure_sweep(void *handle, const struct sr_storage_sweep_options *options,
                    const struct sr_storage_emitter *emitter)
{
    struct azure *s = handle;
    struct sc_error err = SC_ERROR_INIT;
    const struct sr_storage_list_options o = {
        .size = sizeof o, .prefix = options->prefix, .start_after = ""};
    struct sweeping w = {.s = s, .err = &err};
    const struct sr_storage_emitter looker = {.size = sizeof looker, .ctx = &w, .emit = look};
    int32_t rc = SR_STORAGE_OK;
    (void)emitter;
    w.l = (struct azure_listing){.o = &o, .emitter = &looker, AZURE_LISTING_BUFS};
    for (int more = 1; more && rc == SR_STORAGE_OK;) {
        if (s->host->is_cancelled(s->host))
            rc = sc_fail(&err, SR_STORAGE_E_CANCELLED, "cancelled");
        else
            rc = page(&w, &more, &err);
    }
    azure_listing_done(&w.l);
    return azure_report(s, rc, &err, "sweeping container %s", s->set.container);
}
