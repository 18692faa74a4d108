/* Manifests: whatever is read is written and read back the same. Because no fuzzer guesses a
 * digest, the text is also read as a forger would hand it in, with a digest that fits. */
#include "config.h"
#include "core/catalog/manifest_json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_and_read(const struct sr_manifest *m)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_manifest *again = NULL;
    struct sr_buf once, twice;
    sr_buf_init(&once, SR_MANIFEST_MAX);
    sr_buf_init(&twice, SR_MANIFEST_MAX);
    if (sr_manifest_write(m, &once, &err) != SR_OK ||
        sr_manifest_read(once.data, once.len, &again, &err) != SR_OK ||
        sr_manifest_write(again, &twice, &err) != SR_OK || strcmp(once.data, twice.data) != 0)
        abort();
    sr_manifest_free(again);
    sr_buf_done(&once);
    sr_buf_done(&twice);
}

static void read_forged(const uint8_t *data, size_t size)
{
    struct sr_manifest *m = NULL;
    struct sr_buf text;
    char hex[65];
    json_t *root = NULL;
    if (sr_json_load(data, size, SR_MANIFEST_VALUES_MAX, &root, NULL) != SR_OK)
        return;
    sr_buf_init(&text, SR_MANIFEST_MAX);
    (void)json_object_del(root, "digest");
    if (sr_manifest_digest(root, hex, NULL) == SR_OK && sr_json_put(root, "digest", hex) == 0 &&
        sr_json_write(root, &text, NULL) == SR_OK &&
        sr_manifest_read(text.data, text.len, &m, NULL) == SR_OK)
        write_and_read(m);
    sr_manifest_free(m);
    sr_buf_done(&text);
    json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sr_manifest *m = NULL;
    struct sr_detail *d = NULL;
    if (sr_manifest_read(data, size, &m, NULL) == SR_OK)
        write_and_read(m);
    sr_manifest_free(m);
    read_forged(data, size);
    (void)sr_detail_read(data, size, &d, NULL);
    sr_detail_free(d);
    return 0;
}
