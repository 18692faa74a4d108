#include "config.h"
#include "core/util/strlist.h"
#include "core/util/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Takes s, freeing it when there is no room. */
static int list_take(struct sr_strlist *l, char *s)
{
    if (!s)
        return SR_E_NO_MEMORY;
    if (l->len + 2 > l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 8;
        char **items = reallocarray(l->items, cap, sizeof *items);
        if (!items) {
            free(s);
            return SR_E_NO_MEMORY;
        }
        l->items = items;
        l->cap = cap;
    }
    l->items[l->len++] = s;
    l->items[l->len] = NULL;
    return SR_OK;
}

int sr_strlist_add(struct sr_strlist *l, const char *s)
{
    return list_take(l, strdup(s));
}

int sr_strlist_addn(struct sr_strlist *l, const char *s, size_t n)
{
    return list_take(l, strndup(s, n));
}

int sr_strlist_addf(struct sr_strlist *l, const char *fmt, ...)
{
    char *s = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&s, fmt, ap);
    va_end(ap);
    return list_take(l, n < 0 ? NULL : s);
}

int sr_strlist_split(struct sr_strlist *l, const char *s, char sep)
{
    while (*s) {
        const char *end = strchrnul(s, sep), *a = s, *b = end;
        while (a < b && strchr(" \t\r\n", *a))
            a++;
        while (b > a && strchr(" \t\r\n", b[-1]))
            b--;
        if (b > a) {
            int rc = sr_strlist_addn(l, a, (size_t)(b - a));
            if (rc != SR_OK)
                return rc;
        }
        s = *end ? end + 1 : end;
    }
    return SR_OK;
}

int sr_strlist_copy(struct sr_strlist *to, const struct sr_strlist *from)
{
    for (size_t i = 0; i < from->len; i++) {
        int rc = sr_strlist_add(to, from->items[i]);
        if (rc != SR_OK)
            return rc;
    }
    return SR_OK;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void sr_strlist_sort(struct sr_strlist *l)
{
    if (l->len > 1)
        qsort(l->items, l->len, sizeof *l->items, by_bytes);
}

void sr_strlist_remove(struct sr_strlist *l, size_t i)
{
    free(l->items[i]);
    memmove(l->items + i, l->items + i + 1, (l->len - i) * sizeof *l->items);
    l->len--;
}

int sr_strlist_has(const struct sr_strlist *l, const char *s)
{
    for (size_t i = 0; i < l->len; i++)
        if (strcmp(l->items[i], s) == 0)
            return 1;
    return 0;
}

void sr_strlist_done(struct sr_strlist *l)
{
    for (size_t i = 0; i < l->len; i++)
        free(l->items[i]);
    free(l->items);
    *l = (struct sr_strlist){0};
}
