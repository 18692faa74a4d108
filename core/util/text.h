/* Small text jobs: numbers with units, nearest known word, sizes for people. */
#ifndef SR_UTIL_TEXT_H
#define SR_UTIL_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Whole number without sign, blanks or leading "+"; SR_OK or SR_E_CONFIG. */
int sr_parse_u64(const char *s, uint64_t *ret);
/* 10, 64K, 8MiB, 2GB, 1T (powers of 1024 for K/KiB, of 1000 for KB); bytes. */
int sr_parse_size(const char *s, uint64_t *ret);
/* 90, 90s, 15m, 24h, 7d, 2w; seconds. */
int sr_parse_duration(const char *s, uint64_t *ret);
/* 1/0, true/false, yes/no, on/off in any case. */
int sr_parse_bool(const char *s, int *ret);

#define SR_SIZE_TEXT 16
/* "512 B", "1.5 KiB", "241 MiB". */
void sr_format_size(uint64_t bytes, char out[SR_SIZE_TEXT]);

/* The word of words (NULL-terminated) nearest to s by edit distance, or NULL
 * when none is near enough to be a plausible slip. */
const char *sr_nearest(const char *s, const char *const *words);

/* Lower-case hex of len bytes; out has room for 2 * len + 1. */
void sr_hex(const unsigned char *data, size_t len, char *out);

/* Nonzero when glob pattern (with * and ?) matches the whole of s. */
int sr_glob_match(const char *pattern, const char *s);

/* Compares len bytes in a time that does not depend on where they differ; nonzero when equal. */
int sr_equal_secret(const void *a, const void *b, size_t len);

/* Fills buf with random bytes from the kernel; 0 or -1 with errno. */
int sr_random(void *buf, size_t len);

#endif
