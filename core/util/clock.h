/* Time: wall clock for names and ages, monotonic clock for durations.
 *
 * The clock is handed in (struct sr_clock), so that retention, naming and
 * signing can be tested at any moment in history. All times are UTC; wall times
 * are seconds since 1970, monotonic ones nanoseconds. Any thread. */
#ifndef SR_UTIL_CLOCK_H
#define SR_UTIL_CLOCK_H

#include <stddef.h>
#include <stdint.h>

struct sr_clock {
    int64_t (*now)(void *ctx);       /* UTC seconds */
    int64_t (*monotonic)(void *ctx); /* nanoseconds, never goes back */
    void *ctx;
};

extern const struct sr_clock sr_clock_system;

int64_t sr_clock_now(const struct sr_clock *c);
int64_t sr_clock_monotonic(const struct sr_clock *c);

struct timespec;
/* The moment so many milliseconds from now on CLOCK_MONOTONIC, for waits on conditions. */
void sr_clock_deadline(int timeout_ms, struct timespec *ret);

#define SR_TIME_ISO_SIZE 21   /* 2026-11-20T13:05:01Z and NUL */
#define SR_TIME_STAMP_SIZE 15 /* 20261120130501 and NUL */

/* Years 0000 to 9999; a time outside is written as the nearest that fits. */
void sr_time_iso(int64_t t, char out[SR_TIME_ISO_SIZE]);
void sr_time_stamp(int64_t t, char out[SR_TIME_STAMP_SIZE]);

/* Exactly 14 digits of an existing moment (no 31 February, no second 60);
 * SR_OK or SR_E_CONFIG. */
int sr_time_parse_stamp(const char *s, size_t len, int64_t *ret);
/* 2026-11-20, 2026-11-20T13:05:01Z, with or without the Z, or a stamp. */
int sr_time_parse(const char *s, int64_t *ret);

#endif
