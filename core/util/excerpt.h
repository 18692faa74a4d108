/* The beginning and the end of a text of any length, in fixed memory.
 *
 *     struct sr_excerpt e = {0};
 *     sr_excerpt_add(&e, chunk, len) ...     // what a child prints on standard error
 *     sr_excerpt_text(&e, &buf)              // head, "[... N bytes left out ...]", tail
 *     sr_excerpt_last_lines(&e, 3, &buf)     // for a message
 *
 * The first error is often the cause and the last one the reason to stop, so both ends are kept.
 * One thread at a time. */
#ifndef SR_UTIL_EXCERPT_H
#define SR_UTIL_EXCERPT_H

#include "core/util/buf.h"

#include <stddef.h>
#include <stdint.h>

#define SR_EXCERPT_HEAD 2048
#define SR_EXCERPT_TAIL 4096

struct sr_excerpt {
    uint64_t total; /* bytes added */
    char head[SR_EXCERPT_HEAD];
    char tail[SR_EXCERPT_TAIL]; /* ring of what came after the head */
};

void sr_excerpt_add(struct sr_excerpt *e, const void *data, size_t len);
/* Appends to out; SR_OK or the buffer's code. */
int sr_excerpt_text(const struct sr_excerpt *e, struct sr_buf *out);
/* Appends the last n lines that are not blank, joined by "; ", for a one-line message; control
 * characters become blanks. Nothing when there are none. */
int sr_excerpt_last_lines(const struct sr_excerpt *e, unsigned n, struct sr_buf *out);

#endif
