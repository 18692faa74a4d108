/* Pages of a listing, as a store or whoever stands in for it may send them; the same page comes
 * twice, which must never go on. */
#include "azure/page.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

static int32_t emit(void *ctx, const struct sr_storage_entry *e)
{
    unsigned *emitted = ctx;
    check(e->size == sizeof *e && strncmp(e->key, "shop/", 5) == 0 && strcmp(e->key, "shop/0") > 0);
    return ++*emitted > 100;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct sr_storage_list_options o = {.size = sizeof o,
                                              .prefix = "shop/",
                                              .start_after = "shop/0",
                                              .flags = size % 2 ? SR_STORAGE_LIST_VERSIONS : 0};
    unsigned emitted = 0;
    const struct sr_storage_emitter emitter = {
        .size = sizeof emitter, .ctx = &emitted, .emit = emit};
    struct sc_error err = SC_ERROR_INIT;
    struct sc_xml *x = NULL;
    int more = 0;
    if (sc_xml_parse(data, size, &x, NULL) != SR_STORAGE_OK)
        return 0;
    struct azure_listing l = {.o = &o, .emitter = &emitter, AZURE_LISTING_BUFS};
    int32_t rc = azure_page_read(&l, sc_xml_root(x), &more, &err);
    check(rc == SR_STORAGE_OK ? err.code == SR_STORAGE_OK : err.text[0] != '\0');
    if (rc == SR_STORAGE_OK && more) {
        check(l.marker.len > 0 && !l.stopped);
        rc = azure_page_read(&l, sc_xml_root(x), &more, &err);
        check(rc != SR_STORAGE_OK || !more);
    }
    azure_listing_done(&l);
    sc_xml_free(x);
    return 0;
}
