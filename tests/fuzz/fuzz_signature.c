/* Signature objects: what is read is exactly what is written of it again, and is signed by
 * somebody.
 */
#include "config.h"
#include "core/catalog/signature.h"
#include "core/pipeline/openpgp.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sr_signature s;
    struct sr_key_parts parts;
    struct sr_buf out;
    char key[256];
    (void)sr_openpgp_is_signature(data, size);
    if (sr_signature_read((const char *)data, size, &s, NULL) != SR_OK)
        return 0;
    check(s.len > 0 && s.len <= SR_SIGNATURE_KEYS_MAX);
    sr_buf_init(&out, SR_SIGNATURE_MAX);
    check(sr_signature_write(&s, &out, NULL) == SR_OK);
    check(out.len == size && memcmp(out.data, data, size) == 0);
    check(sr_beside_key(s.statement.set, s.statement.source, SR_SIGNATURE_SUFFIX, key, sizeof key,
                        NULL) == SR_OK);
    sr_key_parse(key, &parts);
    check(parts.kind == SR_KEY_SIGNATURE);
    sr_buf_done(&out);
    sr_signature_done(&s);
    return 0;
}
