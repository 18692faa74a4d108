#include "common/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A message ends where it is full, but not inside a character; and a server's line breaks do not
 * make lines of a log. */
static void tidy(char *text, size_t cap, size_t wanted)
{
    size_t n = strlen(text);
    if (wanted >= cap) {
        while (n > 0 && ((unsigned char)text[n - 1] & 0xc0) == 0x80)
            n--;
        if (n > 0 && ((unsigned char)text[n - 1] & 0x80) != 0)
            n--;
        text[n] = '\0';
    }
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
}

__attribute__((format(printf, 4, 0))) static void put(char *text, size_t cap, size_t at,
                                                      const char *fmt, va_list ap)
{
    int n = vsnprintf(text + at, cap - at, fmt, ap);
    tidy(text, cap, n < 0 ? at : at + (size_t)n);
}

int32_t sc_fail(struct sc_error *err, int32_t code, const char *fmt, ...)
{
    if (!err)
        return code;
    va_list ap;
    va_start(ap, fmt);
    put(err->text, sizeof err->text, 0, fmt, ap);
    va_end(ap);
    err->host_told = 0;
    return err->code = code;
}

int32_t sc_fail_setting(struct sc_error *err, const char *key)
{
    (void)sc_fail(err, SR_STORAGE_E_CONFIG, "the setting %s cannot be read", key);
    if (err)
        err->host_told = 1;
    return SR_STORAGE_E_CONFIG;
}

static int32_t code_of(int errnum)
{
    switch (errnum) {
    case ENOENT:
    case ENOTDIR:
        return SR_STORAGE_E_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EISDIR:
    case ELOOP:
        return SR_STORAGE_E_DENIED;
    case ENAMETOOLONG:
    case EINVAL:
        return SR_STORAGE_E_CONFIG;
    case ENOSPC:
    case EDQUOT:
        return SR_STORAGE_E_NO_SPACE;
    case ETIMEDOUT:
        return SR_STORAGE_E_TIMEOUT;
    default: /* the machine's affair, not a fault of ours */
        return SR_STORAGE_E_UNAVAILABLE;
    }
}

int32_t sc_fail_errno(struct sc_error *err, int errnum, const char *fmt, ...)
{
    char why[128];
    int32_t code = code_of(errnum);
    if (!err)
        return code;
    va_list ap;
    va_start(ap, fmt);
    put(err->text, sizeof err->text, 0, fmt, ap);
    va_end(ap);
    err->host_told = 0;
    err->code = code;
    return sc_error_append(err, ": %s", strerror_r(errnum, why, sizeof why));
}

int32_t sc_fail_memory(struct sc_error *err)
{
    return sc_fail(err, SR_STORAGE_E_UNAVAILABLE, "out of memory");
}

int32_t sc_error_wrap(struct sc_error *err, const char *fmt, ...)
{
    if (!err)
        return SR_STORAGE_E_INTERNAL;
    char was[SC_ERROR_TEXT_MAX];
    memcpy(was, err->text, sizeof was);
    va_list ap;
    va_start(ap, fmt);
    put(err->text, sizeof err->text, 0, fmt, ap);
    va_end(ap);
    return sc_error_append(err, ": %s", was);
}

int32_t sc_error_append(struct sc_error *err, const char *fmt, ...)
{
    if (!err)
        return SR_STORAGE_E_INTERNAL;
    va_list ap;
    va_start(ap, fmt);
    put(err->text, sizeof err->text, strlen(err->text), fmt, ap);
    va_end(ap);
    return err->code;
}

int32_t sc_error_report(const struct sr_storage_host *host, const struct sc_error *err)
{
    if (!err->host_told)
        host->set_error(host, err->code, err->text);
    return err->code;
}

const char *sc_code_name(int32_t code)
{
    static const struct {
        int32_t code;
        const char *name;
    } names[] = {
        {SR_STORAGE_OK, "ok"},
        {SR_STORAGE_E_NOT_FOUND, "not-found"},
        {SR_STORAGE_E_EXISTS, "exists"},
        {SR_STORAGE_E_DENIED, "denied"},
        {SR_STORAGE_E_CONFIG, "config"},
        {SR_STORAGE_E_UNAVAILABLE, "unavailable"},
        {SR_STORAGE_E_TIMEOUT, "timeout"},
        {SR_STORAGE_E_THROTTLED, "throttled"},
        {SR_STORAGE_E_NO_SPACE, "no-space"},
        {SR_STORAGE_E_CORRUPT, "corrupt"},
        {SR_STORAGE_E_LOCKED, "locked"},
        {SR_STORAGE_E_CHANGED, "changed"},
        {SR_STORAGE_E_IN_DOUBT, "in-doubt"},
        {SR_STORAGE_E_CANCELLED, "cancelled"},
        {SR_STORAGE_E_UNSUPPORTED, "unsupported"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].code == code)
            return names[i].name;
    return "internal";
}

void sc_log(const struct sr_storage_host *host, int32_t level, const char *fmt, ...)
{
    char text[SC_ERROR_TEXT_MAX];
    if (!host)
        return;
    va_list ap;
    va_start(ap, fmt);
    put(text, sizeof text, 0, fmt, ap);
    va_end(ap);
    host->log(host, level, text);
}
