#include "common/buf.h"
#include "common/secret.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sc_buf_done(struct sc_buf *b)
{
    if (b->secret)
        sc_wipe(b->data, b->cap);
    free(b->data);
    *b = (struct sc_buf){.max = b->max, .secret = b->secret};
}

void sc_buf_reset(struct sc_buf *b)
{
    if (b->secret)
        sc_wipe(b->data, b->cap);
    b->len = 0;
    b->state = SC_BUF_GOOD;
    if (b->data)
        b->data[0] = '\0';
}

/* What sc_buf_check will tell about. */
static int32_t marked(const struct sc_buf *b)
{
    return b->state == SC_BUF_FULL ? SR_STORAGE_E_CORRUPT : SR_STORAGE_E_UNAVAILABLE;
}

static int32_t mark(struct sc_buf *b, enum sc_buf_state state)
{
    b->state = state;
    return marked(b);
}

/* Room for len bytes more and the NUL. */
static int32_t reserve(struct sc_buf *b, size_t len)
{
    if (b->state != SC_BUF_GOOD)
        return marked(b);
    if (len > b->max - b->len)
        return mark(b, SC_BUF_FULL);
    if (b->data && len < b->cap - b->len)
        return SR_STORAGE_OK;
    size_t want = b->len + len + 1, cap = b->cap ? b->cap : 64;
    while (cap < want)
        cap = cap > b->max / 2 ? b->max + 1 : cap * 2;
    char *data = NULL;
    if (b->secret) { /* realloc would leave a copy behind */
        data = malloc(cap);
        if (data && b->data) {
            memcpy(data, b->data, b->len);
            sc_wipe(b->data, b->cap);
            free(b->data);
        }
    } else {
        data = realloc(b->data, cap);
    }
    if (!data)
        return mark(b, SC_BUF_NO_MEMORY);
    b->data = data;
    b->cap = cap;
    return SR_STORAGE_OK;
}

int32_t sc_buf_add(struct sc_buf *b, const void *data, size_t len)
{
    int32_t rc = reserve(b, len);
    if (rc != SR_STORAGE_OK)
        return rc;
    if (len > 0)
        memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
    return SR_STORAGE_OK;
}

int32_t sc_buf_adds(struct sc_buf *b, const char *s)
{
    return sc_buf_add(b, s, strlen(s));
}

int32_t sc_buf_addc(struct sc_buf *b, char c)
{
    return sc_buf_add(b, &c, 1);
}

int32_t sc_buf_addf(struct sc_buf *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    int32_t rc = n < 0 ? mark(b, SC_BUF_NO_MEMORY) : reserve(b, (size_t)n);
    if (rc == SR_STORAGE_OK) {
        (void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
    return rc;
}

int32_t sc_buf_check(const struct sc_buf *b, struct sc_error *err, const char *what)
{
    switch (b->state) {
    case SC_BUF_GOOD:
        return SR_STORAGE_OK;
    case SC_BUF_FULL:
        return sc_fail(err, SR_STORAGE_E_CORRUPT, "%s: more than %zu bytes", what, b->max);
    case SC_BUF_NO_MEMORY:
    default:
        return sc_fail_memory(err);
    }
}

const char *sc_buf_str(const struct sc_buf *b)
{
    return b->data ? b->data : "";
}

char *sc_buf_steal(struct sc_buf *b)
{
    if (b->state != SC_BUF_GOOD || reserve(b, 0) != SR_STORAGE_OK)
        return NULL;
    b->data[b->len] = '\0';
    char *data = b->data;
    *b = (struct sc_buf){.max = b->max, .secret = b->secret};
    return data;
}
