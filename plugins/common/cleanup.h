/* Scope-bound clean-up for plugins: `_cleanup_(sc_buf_done) struct sc_buf b = ...;`.
 *
 * Every destructor named with it takes a pointer to the variable and accepts the empty value (a
 * zeroed struct, NULL, -1). What is to live on is taken out with sc_steal_ptr. */
#ifndef SC_CLEANUP_H
#define SC_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

static inline void sc_cleanup_free(void *p)
{
    free(*(void **)p);
}
static inline void sc_cleanup_close(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _cleanup_free_ _cleanup_(sc_cleanup_free)
#define _cleanup_close_ _cleanup_(sc_cleanup_close)

/* SC_DEFINE_CLEANUP(struct sc_x *, sc_x_free): makes sc_x_freep for _cleanup_(sc_x_freep). */
#define SC_DEFINE_CLEANUP(type, func)   \
    static inline void func##p(type *p) \
    {                                   \
        if (*p)                         \
            func(*p);                   \
    }                                   \
    struct sc_eat_semicolon

#define sc_steal_ptr(p)                \
    (__extension__({                   \
        __typeof__(p) sc_steal_ = (p); \
        (p) = NULL;                    \
        sc_steal_;                     \
    }))

#endif
