/* Errors as data.
 *
 * Every fallible function of core returns an int (SR_OK or one of enum sr_code)
 * and takes a struct sr_error * as its last argument, which may be NULL:
 *
 *     struct sr_error err = SR_ERROR_INIT;
 *     if (sr_manifest_read(..., &err) != SR_OK)
 *         return sr_error_wrap(&err, "reading the manifest of %s", set);
 *
 * Invariants: a function that returns SR_OK leaves *err as it was; one that
 * returns anything else has filled it, and `return` value equals err->code.
 * Outputs named ret_* are set on success only. Nothing in here allocates, so an
 * error can be reported when memory is out. Any thread may use its own sr_error.
 */
#ifndef SR_UTIL_ERROR_H
#define SR_UTIL_ERROR_H

#include <stddef.h>

/* What callers branch on. The first group has the same numbers as the codes of
 * the storage interface (strongroom/storage.h); core/store asserts that. */
enum sr_code {
    SR_OK = 0,
    SR_E_NOT_FOUND = 10,
    SR_E_EXISTS = 20,
    SR_E_DENIED = 30,
    SR_E_CONFIG = 40, /* wrong setting or usage found below the command line */
    SR_E_UNAVAILABLE = 50,
    SR_E_TIMEOUT = 60,
    SR_E_THROTTLED = 70,
    SR_E_NO_SPACE = 80,
    SR_E_CORRUPT = 90,
    SR_E_LOCKED = 100, /* the store keeps an object until a date */
    SR_E_CHANGED = 110,
    SR_E_IN_DOUBT = 120,
    SR_E_CANCELLED = 130,
    SR_E_UNSUPPORTED = 140,
    SR_E_INTERNAL = 150,

    SR_E_USAGE = 200,   /* wrong command line */
    SR_E_REFUSED = 210, /* a guard refused, or a question was not answered with yes */
    SR_E_BUSY = 220,    /* another run holds the lock */
    SR_E_KEY = 230,     /* key missing, unusable, or decryption failed */
    SR_E_PARTIAL = 240, /* some stores hold the set, another failed */
    SR_E_CHILD = 250,   /* a child process (pg_dump, psql, gpg) failed */
    SR_E_DATABASE = 260,
    SR_E_IO = 270,
    SR_E_NO_MEMORY = 280,
    SR_E_AGAIN = 290,      /* nothing within the time given; not a failure */
    SR_E_UNTESTABLE = 300, /* cannot be tested here */
};

#define SR_ERROR_TEXT_MAX 2048

struct sr_error {
    int code;
    char text[SR_ERROR_TEXT_MAX]; /* one message for people, outermost context first */
};

#define SR_ERROR_INIT \
    {                 \
        0, ""         \
    }

/* Sets code and message (printf form) and returns code, so that it can stand in
 * a return statement. A message that does not fit is cut at a character
 * boundary. err may be NULL. */
int sr_fail(struct sr_error *err, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Like sr_fail, with ": " and the text of errnum appended; the code is chosen
 * from errnum (ENOENT not-found, EACCES denied, ENOSPC no-space, ...). */
int sr_fail_errno(struct sr_error *err, int errnum, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "what was being done: " before the message that is there; keeps and
 * returns the code. */
int sr_error_wrap(struct sr_error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Appends to the message that is there (advice, the next step); returns the code. */
int sr_error_append(struct sr_error *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

void sr_error_clear(struct sr_error *err);

/* Copies *from into *to when to is not NULL; returns from->code. */
int sr_error_copy(struct sr_error *to, const struct sr_error *from);

/* A short constant name for logs and JSON ("not-found"); never NULL. */
const char *sr_code_name(int code);

/* The code that fits an errno value; SR_E_IO where none does better. */
int sr_code_from_errno(int errnum);

#endif
