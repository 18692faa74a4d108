/* Scope-bound clean-up: `_cleanup_free_ char *s = NULL;`, `_cleanup_close_ int fd = -1;`.
 *
 * Every destructor named here accepts the empty value (NULL, -1). To hand an
 * owned value to the caller, take it out with sr_steal_ptr / sr_steal_fd. */
#ifndef SR_UTIL_CLEANUP_H
#define SR_UTIL_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void sr_cleanup_free(void *p)
{
    free(*(void **)p);
}
static inline void sr_cleanup_close(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}
static inline void sr_cleanup_fclose(FILE **f)
{
    if (*f)
        (void)fclose(*f);
}

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _cleanup_free_ _cleanup_(sr_cleanup_free)
#define _cleanup_close_ _cleanup_(sr_cleanup_close)
#define _cleanup_fclose_ _cleanup_(sr_cleanup_fclose)

/* DEFINE_CLEANUP(struct sr_x *, sr_x_free): makes sr_x_freep for _cleanup_(sr_x_freep). */
#define SR_DEFINE_CLEANUP(type, func)   \
    static inline void func##p(type *p) \
    {                                   \
        if (*p)                         \
            func(*p);                   \
    }                                   \
    struct sr_eat_semicolon

#define sr_steal_ptr(p)                \
    (__extension__({                   \
        __typeof__(p) sr_steal_ = (p); \
        (p) = NULL;                    \
        sr_steal_;                     \
    }))

static inline int sr_steal_fd(int *fd)
{
    int v = *fd;
    *fd = -1;
    return v;
}

#endif
