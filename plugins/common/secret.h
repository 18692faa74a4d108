/* A secret that is not printed by accident and is overwritten when it goes.
 *
 *     struct sc_secret key = SC_SECRET_INIT;
 *     sc_secret_set(&key, text, len, &err);     copies; overwrites what was there
 *     hmac(sc_secret_bytes(&key), key.len, ...) the one way to the bytes, easily searched for
 *     sc_secret_done(&key);
 *
 * It is a struct, so that no printf form takes it. One thread at a time. */
#ifndef SC_SECRET_H
#define SC_SECRET_H

#include "common/error.h"

#include <stddef.h>

#define SC_SECRET_MAX 65536 /* bytes: session tokens have passed 8 KiB already */

struct sc_secret {
    char *hidden_;
    size_t len;
};

#define SC_SECRET_INIT \
    {                  \
        NULL, 0        \
    }

/* Copies len bytes. E_CONFIG past SC_SECRET_MAX, E_UNAVAILABLE without memory: s then stays. */
int32_t sc_secret_set(struct sc_secret *s, const void *data, size_t len, struct sc_error *err);
int32_t sc_secret_copy(struct sc_secret *to, const struct sc_secret *from, struct sc_error *err);
/* Overwrites, frees, leaves it empty. */
void sc_secret_done(struct sc_secret *s);
/* The bytes, NUL-terminated; "" when empty. Valid until the next change. */
const char *sc_secret_bytes(const struct sc_secret *s);
/* Nonzero when both are equal; takes a time that depends on the lengths alone. */
int sc_secret_equal(const struct sc_secret *a, const struct sc_secret *b);
/* Reads the host's setting into s. E_NOT_FOUND when it is unset; what the host said when it cannot
 * be read. A value with a control character (a line break above all) is E_CONFIG: it would end up
 * in a header. On the thread of the call. */
int32_t sc_secret_setting(struct sc_secret *s, const struct sr_storage_host *host, const char *key,
                          struct sc_error *err);
/* The bytes of a file, read anew each time; at most max of them. E_CONFIG for a file that cannot be
 * read, since one that is set and missing is a mistake, not a source that is not set up. */
int32_t sc_secret_file(struct sc_secret *s, const char *path, size_t max, struct sc_error *err);
/* A token from its file: without the line break at its end; E_CONFIG too when it is empty or has a
 * blank or a control character in it. */
int32_t sc_secret_token(struct sc_secret *s, const char *path, struct sc_error *err);
/* Overwrites memory in a way that the compiler keeps. */
void sc_wipe(void *p, size_t len);

#endif
