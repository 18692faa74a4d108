#include "config.h"
#include "core/util/excerpt.h"
#include "core/util/error.h"

#include <string.h>

void sr_excerpt_add(struct sr_excerpt *e, const void *data, size_t len)
{
    const char *p = data;
    if (e->total < SR_EXCERPT_HEAD) {
        size_t n = SR_EXCERPT_HEAD - (size_t)e->total;
        if (n > len)
            n = len;
        memcpy(e->head + e->total, p, n);
        e->total += n;
        p += n;
        len -= n;
    }
    if (len > SR_EXCERPT_TAIL) {
        e->total += len - SR_EXCERPT_TAIL;
        p += len - SR_EXCERPT_TAIL;
        len = SR_EXCERPT_TAIL;
    }
    while (len > 0) {
        size_t at = (size_t)((e->total - SR_EXCERPT_HEAD) % SR_EXCERPT_TAIL);
        size_t n = SR_EXCERPT_TAIL - at;
        if (n > len)
            n = len;
        memcpy(e->tail + at, p, n);
        e->total += n;
        p += n;
        len -= n;
    }
}

/* Appends the bytes after the head that are still there. */
static int tail_add(const struct sr_excerpt *e, struct sr_buf *out)
{
    uint64_t after = e->total > SR_EXCERPT_HEAD ? e->total - SR_EXCERPT_HEAD : 0;
    if (after <= SR_EXCERPT_TAIL)
        return sr_buf_add(out, e->tail, (size_t)after);
    size_t at = (size_t)(after % SR_EXCERPT_TAIL);
    int rc = sr_buf_add(out, e->tail + at, SR_EXCERPT_TAIL - at);
    return rc != SR_OK ? rc : sr_buf_add(out, e->tail, at);
}

int sr_excerpt_text(const struct sr_excerpt *e, struct sr_buf *out)
{
    size_t head = e->total < SR_EXCERPT_HEAD ? (size_t)e->total : SR_EXCERPT_HEAD;
    int rc = sr_buf_add(out, e->head, head);
    if (rc == SR_OK && e->total > SR_EXCERPT_HEAD + SR_EXCERPT_TAIL)
        rc = sr_buf_printf(
            out, "\n[... %llu bytes left out ...]\n",
            (unsigned long long)(e->total - (uint64_t)SR_EXCERPT_HEAD - SR_EXCERPT_TAIL));
    return rc == SR_OK ? tail_add(e, out) : rc;
}

int sr_excerpt_last_lines(const struct sr_excerpt *e, unsigned n, struct sr_buf *out)
{
    struct sr_buf all;
    sr_buf_init(&all, SR_EXCERPT_HEAD + SR_EXCERPT_TAIL + 128);
    int rc = sr_excerpt_text(e, &all);
    if (rc != SR_OK || all.len == 0 || n == 0) {
        sr_buf_done(&all);
        return rc;
    }
    char *text = all.data;
    size_t len = all.len, start = len;
    for (size_t i = 0; i < len; i++)
        if (text[i] != '\n' && ((unsigned char)text[i] < 0x20 || text[i] == 0x7f))
            text[i] = ' ';
    /* Backwards over lines; a blank one does not count. */
    int has_word = 0;
    unsigned lines = 0;
    for (size_t i = len; i-- > 0 && lines < n;) {
        if (text[i] == '\n') {
            lines += has_word ? 1u : 0u;
            has_word = 0;
        } else if (text[i] != ' ') {
            has_word = 1;
        }
        if (lines < n)
            start = i;
    }
    int first = 1;
    while (start < len && rc == SR_OK) {
        const char *line = text + start;
        const char *nl = memchr(line, '\n', len - start);
        size_t line_len = nl ? (size_t)(nl - line) : len - start;
        start += line_len + 1;
        while (line_len > 0 && line[line_len - 1] == ' ')
            line_len--;
        if (line_len == 0)
            continue;
        if (!first)
            rc = sr_buf_adds(out, "; ");
        first = 0;
        if (rc == SR_OK)
            rc = sr_buf_add(out, line, line_len);
    }
    sr_buf_done(&all);
    return rc;
}
