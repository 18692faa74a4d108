/* A list of owned strings.
 *
 *     struct sr_strlist l = {0};
 *     sr_strlist_add(&l, "pg_dump");
 *     execv(path, l.items);      // items is NULL-terminated once non-empty
 *     sr_strlist_done(&l);
 *
 * Adders copy; they return SR_OK or SR_E_NO_MEMORY. */
#ifndef SR_UTIL_STRLIST_H
#define SR_UTIL_STRLIST_H

#include <stddef.h>

struct sr_strlist {
    char **items;
    size_t len;
    size_t cap;
};

int sr_strlist_add(struct sr_strlist *l, const char *s);
int sr_strlist_addn(struct sr_strlist *l, const char *s, size_t n);
int sr_strlist_addf(struct sr_strlist *l, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Splits at each of sep, trims blanks, drops empty pieces. */
int sr_strlist_split(struct sr_strlist *l, const char *s, char sep);
int sr_strlist_copy(struct sr_strlist *to, const struct sr_strlist *from);
void sr_strlist_sort(struct sr_strlist *l);             /* bytewise */
void sr_strlist_remove(struct sr_strlist *l, size_t i); /* keeps the order */
/* Nonzero when s is there. */
int sr_strlist_has(const struct sr_strlist *l, const char *s);
void sr_strlist_done(struct sr_strlist *l);

#endif
