/* A growable byte buffer with a ceiling.
 *
 *     struct sr_buf b;
 *     sr_buf_init(&b, 1 << 20);            // never more than 1 MiB of content
 *     if (sr_buf_printf(&b, "%s\n", line, ...) ...
 *     use b.data (always NUL-terminated once non-empty), b.len
 *     sr_buf_done(&b);
 *
 * The ceiling is chosen at birth because most content comes from outside.
 * Functions return SR_OK, SR_E_NO_SPACE (past the ceiling) or SR_E_NO_MEMORY,
 * and leave the content as it was when they fail. */
#ifndef SR_UTIL_BUF_H
#define SR_UTIL_BUF_H

#include <stdarg.h>
#include <stddef.h>

struct sr_buf {
    char *data; /* NULL while nothing was added; else len bytes and a NUL */
    size_t len;
    size_t cap;
    size_t max;
};

void sr_buf_init(struct sr_buf *b, size_t max);
void sr_buf_done(struct sr_buf *b); /* frees, leaves an empty buffer with the same ceiling */
void sr_buf_wipe(struct sr_buf *b); /* like done, overwriting the content first (secrets) */
void sr_buf_reset(struct sr_buf *b);

int sr_buf_add(struct sr_buf *b, const void *data, size_t len);
int sr_buf_adds(struct sr_buf *b, const char *s);
int sr_buf_addc(struct sr_buf *b, char c);
int sr_buf_printf(struct sr_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The text, "" when empty; valid until the next change. */
const char *sr_buf_str(const struct sr_buf *b);
/* Hands the text (malloc'd, at least "") to the caller; NULL when out of memory. */
char *sr_buf_steal(struct sr_buf *b);

#endif
