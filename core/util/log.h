/* Levelled log on standard error, as text or JSON lines.
 *
 *     sr_log_setup(SR_LOG_INFO, SR_LOG_TEXT);
 *     sr_log(SR_LOG_WARN, "store %s is slow", name);
 *
 * The logger is core's one piece of global state. Library floors log what is of
 * use while things go on; a failure is returned, not logged, and reported once
 * by the command line. No secret may be passed in. Any thread; one call is one
 * write of one line (newlines and control characters in the text are escaped). */
#ifndef SR_UTIL_LOG_H
#define SR_UTIL_LOG_H

enum sr_log_level {
    SR_LOG_ERROR = 0,
    SR_LOG_WARN = 1,
    SR_LOG_INFO = 2,
    SR_LOG_VERBOSE = 3,
    SR_LOG_DEBUG = 4,
};

enum sr_log_format {
    SR_LOG_TEXT = 0,
    SR_LOG_JSON = 1,
};

void sr_log_setup(enum sr_log_level most, enum sr_log_format format);
enum sr_log_level sr_log_level(void);
/* Nonzero when a line of this level would be written. */
int sr_log_enabled(enum sr_log_level level);
void sr_log(enum sr_log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* error, warn(ing), info, verbose, debug in any case; SR_OK or SR_E_CONFIG. */
int sr_log_level_parse(const char *s, enum sr_log_level *ret);

/* Called before each line, to clear a progress line on the terminal; NULL: none. */
void sr_log_set_hook(void (*before_line)(void));

#endif
