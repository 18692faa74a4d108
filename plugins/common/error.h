/* Errors of cloud plugins as data: a code of the storage interface and one message for people.
 *
 * The prefix sc_ ("strongroom cloud") marks everything in plugins/common. It is linked into each
 * cloud plugin with hidden symbols, uses nothing of core, and knows of the host only what
 * <strongroom/storage.h> says.
 *
 *     struct sc_error err = SC_ERROR_INIT;
 *     if (sc_xml_parse(..., &err) != SR_STORAGE_OK)
 *         return (sc_error_wrap(&err, "listing bucket %s", bucket), sc_error_report(host, &err));
 *
 * A fallible function returns SR_STORAGE_OK and leaves *err as it was, or returns err->code after
 * filling it. err may be NULL. Outputs named ret_* are set on success only. No message holds a
 * secret: what comes from a request goes through common/redact.h. Nothing here allocates; any
 * thread, each with an error of its own. */
#ifndef SC_ERROR_H
#define SC_ERROR_H

#include <strongroom/storage.h>

#define SC_ERROR_TEXT_MAX 1024

struct sc_error {
    int32_t code;
    int host_told; /* the host has a better text of its own: see sc_fail_setting */
    char text[SC_ERROR_TEXT_MAX];
};

#define SC_ERROR_INIT \
    {                 \
        0, 0, ""      \
    }

/* Sets code and message and returns code. What does not fit is cut at a character's boundary;
 * control characters, which a server may have sent, become blanks. */
int32_t sc_fail(struct sc_error *err, int32_t code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* With ": " and the text of errnum behind it; the code is chosen from errnum. */
int32_t sc_fail_errno(struct sc_error *err, int errnum, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* host->setting answered -2: E_CONFIG. The host has set an error that says what is wrong in the
 * words of whoever made the setting, so sc_error_report leaves that one alone; the text here is for
 * logs. Whatever replaces this error replaces the host's as well. */
int32_t sc_fail_setting(struct sc_error *err, const char *key);
/* SR_STORAGE_E_UNAVAILABLE, "out of memory". */
int32_t sc_fail_memory(struct sc_error *err);
/* Puts "what was being done: " before the message; keeps and returns the code. */
int32_t sc_error_wrap(struct sc_error *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Appends advice; keeps and returns the code. */
int32_t sc_error_append(struct sc_error *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Hands the error to host->set_error, unless it is the host's own, and returns its code; only on
 * the thread of the call. */
int32_t sc_error_report(const struct sr_storage_host *host, const struct sc_error *err);
/* A short constant name for logs ("not-found"); never NULL. */
const char *sc_code_name(int32_t code);
/* host->log in printf form; any thread of the call under way. host may be NULL: nothing. */
void sc_log(const struct sr_storage_host *host, int32_t level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
