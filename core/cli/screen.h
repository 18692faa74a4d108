/* Text fit for a terminal: what came from outside made harmless, and how wide it is. Pure. */
#ifndef SR_CLI_SCREEN_H
#define SR_CLI_SCREEN_H

#include "core/util/buf.h"

#include <stddef.h>
#include <stdint.h>

/* Appends s with everything that could drive a terminal or turn text around spelled out: control
 * characters (also C1 and bytes that are no UTF-8) as \xHH, direction marks as \u{HHHH}. Newlines
 * and tabs are spelled out too unless keep_lines. SR_OK, SR_E_NO_SPACE, SR_E_NO_MEMORY. */
int sr_screen_add(struct sr_buf *b, const char *s, int keep_lines);
/* The same as a string of its own, malloc'd; NULL: no memory. NULL counts as "". */
char *sr_screen_clean(const char *s);

/* Columns that s takes on a terminal: wide characters count two, combining marks none. */
size_t sr_screen_width(const char *s);
/* Bytes of the longest beginning of s that is at most width columns wide. */
size_t sr_screen_cut(const char *s, size_t width);

/* Decodes one character of at most len bytes; its length, or 0 when s begins no valid UTF-8. */
size_t sr_utf8_decode(const char *s, size_t len, uint32_t *ret);

/* Appends text wrapped at width columns, each line after indent blanks. A blank line separates
 * paragraphs; a line that begins with a blank is kept as it is. */
int sr_screen_wrap(struct sr_buf *b, const char *text, size_t indent, size_t width);

#endif
