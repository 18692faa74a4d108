/* Marks: what is read names nothing but keys of its set, and reads the same when it is written
 * again. */
#include "config.h"
#include "core/catalog/mark.h"
#include "core/store/store.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

static void read_mark(const char *text, size_t len, const char *set)
{
    struct sr_mark m, again;
    struct sr_buf out;
    if (sr_mark_read(text, len, set, &m, NULL) == SR_OK) {
        for (size_t i = 0; i < m.keys.len; i++) {
            struct sr_key_parts p;
            sr_key_parse(m.keys.items[i], &p);
            check(sr_key_check(m.keys.items[i], NULL) == SR_OK);
            check(sr_key_belongs(m.keys.items[i], set));
            check(p.kind != SR_KEY_MANIFEST && p.kind != SR_KEY_OTHER);
            check(sr_mark_covers(&m, set, m.keys.items[i]));
        }
        sr_buf_init(&out, SR_MARK_MAX);
        check(sr_mark_write(&m, &out, NULL) == SR_OK);
        check(sr_mark_read(out.data, out.len, set, &again, NULL) == SR_OK);
        check(again.kind == m.kind && strcmp(again.run, m.run) == 0);
        check(again.keys.len == m.keys.len && again.ends.len == m.ends.len);
        sr_mark_done(&again);
        sr_buf_done(&out);
    }
    sr_mark_done(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_mark((const char *)data, size, "nightly-20261120130501");
    read_mark((const char *)data, size, "v1.2");
    return 0;
}
