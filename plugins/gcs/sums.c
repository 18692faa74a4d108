/* CRC-32C as Google writes it: base64 of four bytes, most significant first. */
#include "gcs/object.h"

#include "common/digest.h"
#include "common/encode.h"
#include "common/headers.h"

#include <stdio.h>
#include <string.h>

void gcs_crc_text(uint32_t crc, char out[GCS_CRC_TEXT])
{
    uint8_t raw[GCS_CRC_LEN];
    struct sc_buf b = SC_BUF_INIT(GCS_CRC_TEXT);
    sc_put_be(raw, sizeof raw, crc);
    sc_base64_encode(&b, raw, sizeof raw);
    (void)snprintf(out, GCS_CRC_TEXT, "%s", sc_buf_str(&b));
    sc_buf_done(&b);
}

static int crc_parse(const char *text, size_t len, uint32_t *ret)
{
    struct sc_buf raw = SC_BUF_INIT(16);
    int good = len < 16 && sc_base64_decode(&raw, text, len) == SR_STORAGE_OK &&
               raw.state == SC_BUF_GOOD && raw.len == GCS_CRC_LEN;
    if (good) {
        *ret = 0;
        for (size_t i = 0; i < GCS_CRC_LEN; i++)
            *ret = *ret << 8 | (uint8_t)raw.data[i];
    }
    sc_buf_done(&raw);
    return good ? 0 : -1;
}

int gcs_crc_parse(const char *text, uint32_t *ret)
{
    return crc_parse(text, strlen(text), ret);
}

int gcs_crc_stated(const struct sc_headers *h, uint32_t *ret)
{
    static const char name[] = "crc32c=";
    size_t pos = 0;
    for (const char *v; (v = sc_headers_next(h, "x-goog-hash", &pos)) != NULL;)
        for (const char *p = v; *p;) {
            p += strspn(p, ", \t");
            size_t n = strcspn(p, ", \t");
            if (n > strlen(name) && strncmp(p, name, strlen(name)) == 0)
                return crc_parse(p + strlen(name), n - strlen(name), ret);
            p += n;
        }
    return -1;
}
