/* Pages of a listing of Google Cloud Storage, as whoever stands in for it may send them. The first
 * byte chooses whether old generations are asked for; the same page comes twice, which must never
 * go on. */
#include "gcs/page.h"

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
    check(*e->version && strspn(e->version, "0123456789") == strlen(e->version));
    check(!e->checksum || e->checksum_len == GCS_CRC_LEN);
    return ++*emitted > 100;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned emitted = 0;
    const struct sr_storage_emitter emitter = {
        .size = sizeof emitter, .ctx = &emitted, .emit = emit};
    struct sc_error err = SC_ERROR_INIT;
    json_t *page = NULL;
    int more = 0;
    if (size == 0 ||
        sc_json_read("F", (const char *)data + 1, size - 1, 1 << 20, &page, &err) != SR_STORAGE_OK)
        return 0;
    const struct sr_storage_list_options o = {.size = sizeof o,
                                              .prefix = "shop/",
                                              .start_after = "shop/0",
                                              .flags = data[0] & 1 ? SR_STORAGE_LIST_VERSIONS : 0};
    struct gcs_listing l = {.o = &o, .emitter = &emitter, GCS_LISTING_BUFS};
    int32_t rc = gcs_page_read(&l, page, &more, &err);
    check(rc == SR_STORAGE_OK ? err.code == SR_STORAGE_OK : err.text[0] != '\0');
    if (rc == SR_STORAGE_OK && more) {
        check(l.token.len > 0 && !l.stopped);
        rc = gcs_page_read(&l, page, &more, &err);
        check(rc != SR_STORAGE_OK || !more);
    }
    gcs_listing_done(&l);
    json_decref(page);
    return 0;
}
