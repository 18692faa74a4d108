/* Sums: what is found is a digest that stands in a line of its own before that very key, and what
 * was written is found. */
#include "config.h"
#include "core/catalog/sums.h"

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
    static const char key[] = "s-20261120130501.sql.gz.gpg", other[] = "t.sql";
    static const char sha[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    const char *text = (const char *)data;
    char hex[65];
    struct sr_buf b;
    sr_sums_find(text, size, key, hex);
    if (*hex) {
        check(strlen(hex) == 64 && strspn(hex, "0123456789abcdef") == 64);
        check(memmem(data, size, hex, 64) != NULL && memmem(data, size, key, strlen(key)) != NULL);
    }
    sr_buf_init(&b, SR_SUMS_MAX);
    check(sr_buf_add(&b, data, size) == SR_OK);
    check(sr_buf_adds(&b, "\n") == SR_OK && sr_sums_add(&b, sha, other, NULL) == SR_OK);
    char before[65];
    sr_sums_find(text, size, other, before);
    sr_sums_find(b.data, b.len, other, hex);
    check(*before || strcmp(hex, sha) == 0 || memmem(data, size, other, strlen(other)) != NULL);
    sr_buf_done(&b);
    return 0;
}
