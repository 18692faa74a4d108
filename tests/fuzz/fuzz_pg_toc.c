/* Tables of contents of custom archives: any bytes, and no difference between any two splits. The
 * first byte says how the rest is split. */
#include "config.h"
#include "core/source/pg_toc.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sr_pg_toc *toc_new(void)
{
    struct sr_pg_toc *t = NULL;
    if (sr_pg_toc_new(&t, NULL) != SR_OK)
        abort();
    return t;
}

static void same(int holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t step = (size_t)data[0] + 1;
    data++;
    size--;
    struct sr_pg_toc *whole = toc_new(), *split = toc_new();
    sr_pg_toc_feed(whole, data, size);
    for (size_t i = 0; i < size; i += step) {
        int id;
        uint64_t at;
        sr_pg_toc_feed(split, data + i, size - i < step ? size - i : step);
        /* What passes began after the table of contents and has not ended. */
        if (sr_pg_toc_passing(split, &id, &at)) {
            same(id > 0 && at >= sr_pg_toc_size(split) && at < size);
            same(sr_pg_toc_block_end(split, id) == 0);
            if (id % 2) {
                sr_pg_toc_taken(split, id);
                sr_pg_toc_taken(whole, id);
            }
        }
    }
    same(sr_pg_toc_state(whole) == sr_pg_toc_state(split));
    same(sr_pg_toc_size(whole) == sr_pg_toc_size(split));
    same(sr_pg_toc_end(whole, NULL) == sr_pg_toc_end(split, NULL));
    struct sr_pg_toc_patch a, b;
    for (size_t i = 0; sr_pg_toc_patch(whole, i, &a); i++) {
        same(sr_pg_toc_patch(split, i, &b) && a.at == b.at && a.len == b.len &&
             memcmp(a.bytes, b.bytes, a.len) == 0);
        same(a.at + a.len <= sr_pg_toc_size(whole));
    }
    sr_pg_toc_free(whole);
    sr_pg_toc_free(split);
    return 0;
}
