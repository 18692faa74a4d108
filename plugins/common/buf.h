/* A growable byte buffer with a ceiling that is chosen at birth, because most content comes from
 * outside.
 *
 *     _cleanup_(sc_buf_done) struct sc_buf b = SC_BUF_INIT(1 << 20);
 *     sc_buf_adds(&b, "<Complete>");
 *     sc_buf_addf(&b, "%u", number);
 *     if (sc_buf_check(&b, &err, "the list of parts") != SR_STORAGE_OK) ...
 *     use b.data (NULL while empty; NUL-terminated else), b.len
 *
 * Nothing is ever cut. An addition that would pass the ceiling, or for which there is no memory,
 * leaves the content alone and marks the buffer; further additions do nothing, so a sequence of
 * them needs one check at its end. SC_BUF_SECRET_INIT makes a buffer whose memory is overwritten
 * before it is given back, also when it moves while growing. One thread at a time. */
#ifndef SC_BUF_H
#define SC_BUF_H

#include "common/error.h"

#include <stddef.h>

enum sc_buf_state { SC_BUF_GOOD = 0, SC_BUF_FULL = 1, SC_BUF_NO_MEMORY = 2 };

struct sc_buf {
    char *data;
    size_t len;
    size_t cap;
    size_t max; /* bytes of content, the NUL not counted */
    enum sc_buf_state state;
    int secret;
};

#define SC_BUF_INIT(ceiling) \
    {                        \
        .max = (ceiling)     \
    }
#define SC_BUF_SECRET_INIT(ceiling)   \
    {                                 \
        .max = (ceiling), .secret = 1 \
    }

/* Frees the content and leaves an empty, unmarked buffer with the same ceiling. */
void sc_buf_done(struct sc_buf *b);
/* Empties it, unmarks it and keeps its memory. */
void sc_buf_reset(struct sc_buf *b);
/* Each returns SR_STORAGE_OK, or an error code that sc_buf_check tells about. */
int32_t sc_buf_add(struct sc_buf *b, const void *data, size_t len);
int32_t sc_buf_adds(struct sc_buf *b, const char *s);
int32_t sc_buf_addc(struct sc_buf *b, char c);
int32_t sc_buf_addf(struct sc_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* SR_STORAGE_OK while unmarked; else E_CORRUPT ("what: more than N bytes") or E_UNAVAILABLE. */
int32_t sc_buf_check(const struct sc_buf *b, struct sc_error *err, const char *what);
/* The text, "" when empty; valid until the next change. */
const char *sc_buf_str(const struct sc_buf *b);
/* Hands the content to the caller (free; at least ""); NULL when out of memory or marked. */
char *sc_buf_steal(struct sc_buf *b);

#endif
