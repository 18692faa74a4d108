#include "config.h"
#include "core/util/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Cuts a text that filled its buffer at the last whole UTF-8 character. */
static void text_trim_partial(char *text)
{
    size_t n = strlen(text), back = 0;
    if (n + 1 < SR_ERROR_TEXT_MAX)
        return;
    while (n > 0 && back < 4 && ((unsigned char)text[n - 1] & 0xC0) == 0x80) {
        n--;
        back++;
    }
    if (n > 0 && ((unsigned char)text[n - 1] & 0xC0) == 0xC0)
        text[n - 1] = '\0';
}

static __attribute__((format(printf, 2, 0))) void text_set(struct sr_error *err, const char *fmt,
                                                           va_list ap)
{
    char out[SR_ERROR_TEXT_MAX];
    /* Formatted aside first: an argument may point into err->text. */
    (void)vsnprintf(out, sizeof out, fmt, ap);
    memcpy(err->text, out, sizeof out);
    text_trim_partial(err->text);
}

int sr_fail(struct sr_error *err, int code, const char *fmt, ...)
{
    if (err) {
        va_list ap;
        va_start(ap, fmt);
        text_set(err, fmt, ap);
        va_end(ap);
        err->code = code;
    }
    return code;
}

int sr_fail_errno(struct sr_error *err, int errnum, const char *fmt, ...)
{
    int code = sr_code_from_errno(errnum);
    if (err) {
        va_list ap;
        va_start(ap, fmt);
        text_set(err, fmt, ap);
        va_end(ap);
        err->code = code;
        char buf[128];
        sr_error_append(err, ": %s", strerror_r(errnum, buf, sizeof buf));
    }
    return code;
}

int sr_error_wrap(struct sr_error *err, const char *fmt, ...)
{
    if (!err)
        return SR_E_INTERNAL;
    char inner[SR_ERROR_TEXT_MAX];
    memcpy(inner, err->text, sizeof inner);
    va_list ap;
    va_start(ap, fmt);
    text_set(err, fmt, ap);
    va_end(ap);
    return sr_error_append(err, ": %s", inner);
}

int sr_error_append(struct sr_error *err, const char *fmt, ...)
{
    if (!err)
        return SR_E_INTERNAL;
    size_t n = strlen(err->text);
    if (n + 1 < sizeof err->text) {
        va_list ap;
        va_start(ap, fmt);
        (void)vsnprintf(err->text + n, sizeof err->text - n, fmt, ap);
        va_end(ap);
        text_trim_partial(err->text);
    }
    return err->code;
}

void sr_error_clear(struct sr_error *err)
{
    if (err) {
        err->code = SR_OK;
        err->text[0] = '\0';
    }
}

int sr_error_copy(struct sr_error *to, const struct sr_error *from)
{
    if (to && to != from)
        *to = *from;
    return from->code;
}

const char *sr_code_name(int code)
{
    switch ((enum sr_code)code) {
    case SR_OK:
        return "ok";
    case SR_E_NOT_FOUND:
        return "not-found";
    case SR_E_EXISTS:
        return "exists";
    case SR_E_DENIED:
        return "denied";
    case SR_E_CONFIG:
        return "config";
    case SR_E_UNAVAILABLE:
        return "unavailable";
    case SR_E_TIMEOUT:
        return "timeout";
    case SR_E_THROTTLED:
        return "throttled";
    case SR_E_NO_SPACE:
        return "no-space";
    case SR_E_CORRUPT:
        return "corrupt";
    case SR_E_LOCKED:
        return "locked";
    case SR_E_CHANGED:
        return "changed";
    case SR_E_IN_DOUBT:
        return "in-doubt";
    case SR_E_CANCELLED:
        return "cancelled";
    case SR_E_UNSUPPORTED:
        return "unsupported";
    case SR_E_INTERNAL:
        return "internal";
    case SR_E_USAGE:
        return "usage";
    case SR_E_REFUSED:
        return "refused";
    case SR_E_BUSY:
        return "busy";
    case SR_E_KEY:
        return "key";
    case SR_E_PARTIAL:
        return "partial";
    case SR_E_CHILD:
        return "child";
    case SR_E_DATABASE:
        return "database";
    case SR_E_IO:
        return "io";
    case SR_E_NO_MEMORY:
        return "no-memory";
    case SR_E_AGAIN:
        return "again";
    case SR_E_UNTESTABLE:
        return "untestable";
    }
    return "unknown";
}

int sr_code_from_errno(int errnum)
{
    switch (errnum) {
    case ENOENT:
    case ENOTDIR:
        return SR_E_NOT_FOUND;
    case EEXIST:
    case ENOTEMPTY:
        return SR_E_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS:
        return SR_E_DENIED;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return SR_E_NO_SPACE;
    case ETIMEDOUT:
        return SR_E_TIMEOUT;
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
        return SR_E_UNAVAILABLE;
    case ECANCELED:
        return SR_E_CANCELLED;
    case ENOMEM:
        return SR_E_NO_MEMORY;
    default:
        return SR_E_IO;
    }
}
