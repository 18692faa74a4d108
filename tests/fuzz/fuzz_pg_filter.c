/* Plain dumps: any bytes, any flags, and no difference between any two splits. The first byte has
 * the flags, the second says how the rest is split. */
#include "config.h"
#include "core/source/pg_filter.h"
#include "core/util/buf.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int collect(void *ctx, const void *data, size_t len, struct sr_error *err)
{
    (void)err;
    return sr_buf_add(ctx, data, len);
}

/* Pieces are copied into memory of their own size, so that reading past one is seen. */
static int filtered(unsigned flags, const uint8_t *data, size_t size, size_t step,
                    struct sr_buf *out)
{
    struct sr_pg_filter *f = NULL;
    sr_buf_init(out, 2 * size + 16);
    int rc = sr_pg_filter_new(flags, collect, out, &f, NULL);
    for (size_t i = 0; i < size && rc == SR_OK; i += step) {
        size_t n = size - i < step ? size - i : step;
        uint8_t *piece = malloc(n);
        if (!piece)
            abort();
        memcpy(piece, data + i, n);
        rc = sr_pg_filter_feed(f, piece, n, NULL);
        free(piece);
    }
    if (rc == SR_OK)
        rc = sr_pg_filter_end(f, NULL);
    sr_pg_filter_free(f);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    unsigned flags = data[0] & 7u;
    size_t step = (size_t)data[1] + 1;
    struct sr_buf whole, split;
    int a = filtered(flags, data + 2, size - 2, size, &whole);
    int b = filtered(flags, data + 2, size - 2, step, &split);
    if (a != b || (a == SR_OK && (whole.len != split.len || whole.len > size ||
                                  (whole.len && memcmp(whole.data, split.data, whole.len) != 0))))
        abort();
    sr_buf_done(&whole);
    sr_buf_done(&split);
    return 0;
}
