/* Header fields of a request or an answer: an ordered multi-map with bounds.
 *
 *     struct sc_headers h = SC_HEADERS_INIT;
 *     sc_headers_add(&h, "x-amz-date", date, &err);   copies both
 *     value = sc_headers_get(&h, "X-Amz-Date");       the first of that name, case ignored; or NULL
 *     sc_headers_done(&h);                            overwrites what it frees: values are secrets
 *
 * A name is a token of RFC 9110; a value has no CR, LF, NUL or other control character but the tab,
 * so nothing can be smuggled in behind it. Leading and trailing white space is dropped. At most
 * SC_HEADERS_MAX fields and SC_HEADERS_BYTES bytes. One thread at a time. */
#ifndef SC_HEADERS_H
#define SC_HEADERS_H

#include "common/error.h"

#include <stddef.h>

#define SC_HEADERS_MAX 128
#define SC_HEADERS_BYTES 131072 /* names and values together */

struct sc_header {
    char *name; /* as given */
    char *value;
};

struct sc_headers {
    struct sc_header *items; /* in order of arrival */
    size_t len;
    size_t cap;
    size_t bytes;
};

#define SC_HEADERS_INIT \
    {                   \
        NULL, 0, 0, 0   \
    }

/* E_CONFIG for a name or value that may not be; E_CORRUPT past a bound. */
int32_t sc_headers_add(struct sc_headers *h, const char *name, const char *value,
                       struct sc_error *err);
int32_t sc_headers_addf(struct sc_headers *h, struct sc_error *err, const char *name,
                        const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Replaces all of that name by one. */
int32_t sc_headers_set(struct sc_headers *h, const char *name, const char *value,
                       struct sc_error *err);
void sc_headers_remove(struct sc_headers *h, const char *name);
const char *sc_headers_get(const struct sc_headers *h, const char *name);
/* The next of that name after *pos, which begins at 0; NULL when there is no more. */
const char *sc_headers_next(const struct sc_headers *h, const char *name, size_t *pos);
void sc_headers_done(struct sc_headers *h);

#endif
