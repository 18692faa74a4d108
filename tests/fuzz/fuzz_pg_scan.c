/* The dump scanner: any split of the input gives the same result, with and without the guard. */
#include "config.h"
#include "core/source/pg_scan.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    int feed, end, complete, is_dump;
    size_t tables;
    uint64_t rows, names;
};

static struct outcome scan(const uint8_t *data, size_t size, unsigned flags, size_t step)
{
    struct outcome o = {0};
    struct sr_pg_scan *s = NULL;
    if (sr_pg_scan_new(flags, &s, NULL) != SR_OK)
        abort();
    for (size_t i = 0; i < size && o.feed == SR_OK; i += step) {
        size_t n = size - i < step ? size - i : step;
        uint8_t *piece = malloc(n);
        if (!piece)
            abort();
        memcpy(piece, data + i, n);
        o.feed = sr_pg_scan_feed(s, piece, n, NULL);
        free(piece);
    }
    o.end = sr_pg_scan_end(s, NULL);
    /* After a refusal the pieces not yet fed are unknown to the scanner. */
    if (o.feed == SR_OK) {
        o.complete = sr_pg_scan_complete(s);
        o.is_dump = sr_pg_scan_is_dump(s);
        o.tables = sr_pg_scan_tables(s);
        for (size_t i = 0; i < o.tables; i++) {
            uint64_t rows = 0;
            o.names += strlen(sr_pg_scan_table(s, i, &rows));
            o.rows += rows * (i + 1);
        }
    }
    sr_pg_scan_free(s);
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned kinds[] = {
        SR_SCAN_ROWS, SR_SCAN_ROWS | SR_SCAN_GUARD, SR_SCAN_GUARD | SR_SCAN_WHOLE,
        SR_SCAN_ROWS | SR_SCAN_GUARD | SR_SCAN_STRICT | SR_SCAN_CONNECT};
    size_t step = size > 0 ? data[0] % 17u + 1 : 1;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct outcome whole = scan(data, size, kinds[i], size > 0 ? size : 1);
        struct outcome bytes = scan(data, size, kinds[i], 1);
        struct outcome pieces = scan(data, size, kinds[i], step);
        if (memcmp(&whole, &bytes, sizeof whole) != 0 || memcmp(&whole, &pieces, sizeof whole) != 0)
            abort();
    }
    return 0;
}
