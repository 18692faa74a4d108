#include "config.h"
#include "core/util/buf.h"
#include "core/util/error.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sr_buf_init(struct sr_buf *b, size_t max)
{
    *b = (struct sr_buf){.max = max < SIZE_MAX ? max : SIZE_MAX - 1};
}

void sr_buf_done(struct sr_buf *b)
{
    free(b->data);
    b->data = NULL;
    b->len = b->cap = 0;
}

void sr_buf_wipe(struct sr_buf *b)
{
    if (b->data)
        explicit_bzero(b->data, b->cap);
    sr_buf_done(b);
}

void sr_buf_reset(struct sr_buf *b)
{
    b->len = 0;
    if (b->data)
        b->data[0] = '\0';
}

static int buf_reserve(struct sr_buf *b, size_t extra)
{
    if (extra > b->max - b->len)
        return SR_E_NO_SPACE;
    size_t need = b->len + extra + 1;
    if (need <= b->cap)
        return SR_OK;
    size_t cap = b->cap ? b->cap : 64;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    if (cap > b->max + 1)
        cap = b->max + 1;
    /* Not realloc: a buffer that holds a secret must not leave copies behind. */
    char *data = malloc(cap);
    if (!data)
        return SR_E_NO_MEMORY;
    if (b->data) {
        memcpy(data, b->data, b->len + 1);
        explicit_bzero(b->data, b->cap);
        free(b->data);
    } else {
        data[0] = '\0';
    }
    b->data = data;
    b->cap = cap;
    return SR_OK;
}

int sr_buf_add(struct sr_buf *b, const void *data, size_t len)
{
    int rc = buf_reserve(b, len);
    if (rc != SR_OK)
        return rc;
    if (len)
        memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
    return SR_OK;
}

int sr_buf_adds(struct sr_buf *b, const char *s)
{
    return sr_buf_add(b, s, strlen(s));
}

int sr_buf_addc(struct sr_buf *b, char c)
{
    return sr_buf_add(b, &c, 1);
}

int sr_buf_printf(struct sr_buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        return SR_E_INTERNAL;
    int rc = buf_reserve(b, (size_t)n);
    if (rc != SR_OK)
        return rc;
    va_start(ap, fmt);
    (void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->len += (size_t)n;
    return SR_OK;
}

const char *sr_buf_str(const struct sr_buf *b)
{
    return b->data ? b->data : "";
}

char *sr_buf_steal(struct sr_buf *b)
{
    char *s = b->data ? b->data : calloc(1, 1);
    b->data = NULL;
    b->len = b->cap = 0;
    return s;
}
