#include "config.h"
#include "core/util/log.h"
#include "core/util/buf.h"
#include "core/util/clock.h"
#include "core/util/error.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static atomic_int most = SR_LOG_INFO;
static atomic_int shape = SR_LOG_TEXT;
static void (*_Atomic hook)(void);

static const char *const names[] = {"error", "warning", "info", "verbose", "debug"};

void sr_log_setup(enum sr_log_level level, enum sr_log_format format)
{
    atomic_store(&most, (int)level);
    atomic_store(&shape, (int)format);
}

enum sr_log_level sr_log_level(void)
{
    return (enum sr_log_level)atomic_load(&most);
}

int sr_log_enabled(enum sr_log_level level)
{
    return (int)level <= atomic_load(&most);
}

void sr_log_set_hook(void (*before_line)(void))
{
    atomic_store(&hook, before_line);
}

/* Escapes what could forge a line or drive a terminal; JSON needs quotes escaped too. */
static void add_escaped(struct sr_buf *b, const char *s, int json)
{
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (json && (c == '"' || c == '\\'))
            (void)sr_buf_printf(b, "\\%c", c);
        else if (c == '\n')
            (void)sr_buf_adds(b, json ? "\\n" : "\n    ");
        else if (c < 0x20 || c == 0x7f)
            (void)sr_buf_printf(b, json ? "\\u%04x" : "\\x%02x", c);
        else
            (void)sr_buf_addc(b, (char)c);
    }
}

void sr_log(enum sr_log_level level, const char *fmt, ...)
{
    if (!sr_log_enabled(level))
        return;
    char text[4096], when[SR_TIME_ISO_SIZE];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    sr_time_iso(sr_clock_now(&sr_clock_system), when);

    struct sr_buf b;
    sr_buf_init(&b, 32768);
    if (atomic_load(&shape) == SR_LOG_JSON) {
        (void)sr_buf_printf(&b, "{\"time\":\"%s\",\"level\":\"%s\",\"message\":\"", when,
                            names[level]);
        add_escaped(&b, text, 1);
        (void)sr_buf_adds(&b, "\"}\n");
    } else {
        (void)sr_buf_printf(&b, "%s strongroom: %s%s", when,
                            level <= SR_LOG_WARN ? names[level] : "",
                            level <= SR_LOG_WARN ? ": " : "");
        add_escaped(&b, text, 0);
        (void)sr_buf_addc(&b, '\n');
    }
    void (*before)(void) = atomic_load(&hook);
    if (before)
        before();
    size_t off = 0;
    while (off < b.len) {
        ssize_t n = write(STDERR_FILENO, b.data + off, b.len - off);
        if (n <= 0)
            break; /* a log that cannot be written has nowhere to say so */
        off += (size_t)n;
    }
    sr_buf_done(&b);
}

int sr_log_level_parse(const char *s, enum sr_log_level *ret)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(s, names[i]) == 0) {
            *ret = (enum sr_log_level)i;
            return SR_OK;
        }
    if (strcasecmp(s, "warn") == 0) {
        *ret = SR_LOG_WARN;
        return SR_OK;
    }
    if (strcasecmp(s, "critical") == 0) {
        *ret = SR_LOG_ERROR;
        return SR_OK;
    }
    return SR_E_CONFIG;
}
