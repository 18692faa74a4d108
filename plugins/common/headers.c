#include "common/headers.h"
#include "common/cleanup.h"
#include "common/secret.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define TOKEN "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static int name_is_good(const char *name)
{
    return name[0] != '\0' && name[strspn(name, TOKEN)] == '\0';
}

static int value_is_good(const char *value)
{
    for (const char *c = value; *c; c++)
        if (((unsigned char)*c < 0x20 && *c != '\t') || *c == 0x7f)
            return 0;
    return 1;
}

static void forget(struct sc_header *item)
{
    free(item->name);
    sc_wipe(item->value, strlen(item->value));
    free(item->value);
}

static int32_t make_room(struct sc_headers *h, struct sc_error *err)
{
    if (h->len < h->cap)
        return SR_STORAGE_OK;
    size_t cap = h->cap ? h->cap * 2 : 16;
    struct sc_header *items = realloc(h->items, cap * sizeof *items); /* pointers, no secrets */
    if (!items)
        return sc_fail_memory(err);
    h->items = items;
    h->cap = cap;
    return SR_STORAGE_OK;
}

int32_t sc_headers_add(struct sc_headers *h, const char *name, const char *value,
                       struct sc_error *err)
{
    /* The value may be a secret and the name what a server sent: only a good name is shown. */
    if (!name_is_good(name))
        return sc_fail(err, SR_STORAGE_E_CONFIG, "a header's name holds what no name may");
    if (!value_is_good(value))
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "the value for header %s holds a control character (a line break?)", name);
    value += strspn(value, " \t");
    size_t n = strlen(value);
    while (n > 0 && (value[n - 1] == ' ' || value[n - 1] == '\t'))
        n--;
    size_t bytes = strlen(name) + n;
    if (h->len >= SC_HEADERS_MAX || bytes > SC_HEADERS_BYTES - h->bytes)
        return sc_fail(err, SR_STORAGE_E_CORRUPT, "more than %d headers, or %d bytes of them",
                       SC_HEADERS_MAX, SC_HEADERS_BYTES);
    if (make_room(h, err) != SR_STORAGE_OK)
        return SR_STORAGE_E_UNAVAILABLE;
    struct sc_header item = {strdup(name), strndup(value, n)};
    if (!item.name || !item.value) {
        free(item.name);
        free(item.value);
        return sc_fail_memory(err);
    }
    h->items[h->len++] = item;
    h->bytes += bytes;
    return SR_STORAGE_OK;
}

int32_t sc_headers_addf(struct sc_headers *h, struct sc_error *err, const char *name,
                        const char *fmt, ...)
{
    char *value = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&value, fmt, ap);
    va_end(ap);
    if (n < 0)
        return sc_fail_memory(err);
    int32_t rc = sc_headers_add(h, name, value, err);
    sc_wipe(value, (size_t)n);
    free(value);
    return rc;
}

int32_t sc_headers_set(struct sc_headers *h, const char *name, const char *value,
                       struct sc_error *err)
{
    sc_headers_remove(h, name);
    return sc_headers_add(h, name, value, err);
}

void sc_headers_remove(struct sc_headers *h, const char *name)
{
    size_t kept = 0;
    for (size_t i = 0; i < h->len; i++) {
        if (strcasecmp(h->items[i].name, name) != 0) {
            h->items[kept++] = h->items[i];
            continue;
        }
        h->bytes -= strlen(h->items[i].name) + strlen(h->items[i].value);
        forget(&h->items[i]);
    }
    h->len = kept;
}

const char *sc_headers_next(const struct sc_headers *h, const char *name, size_t *pos)
{
    while (*pos < h->len) {
        const struct sc_header *item = &h->items[(*pos)++];
        if (strcasecmp(item->name, name) == 0)
            return item->value;
    }
    return NULL;
}

const char *sc_headers_get(const struct sc_headers *h, const char *name)
{
    size_t pos = 0;
    return sc_headers_next(h, name, &pos);
}

void sc_headers_done(struct sc_headers *h)
{
    for (size_t i = 0; i < h->len; i++)
        forget(&h->items[i]);
    free(h->items);
    *h = (struct sc_headers)SC_HEADERS_INIT;
}
