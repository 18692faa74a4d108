/* Times as HTTP and the stores write them. UTC seconds since 1970, years 1970 to 9999; pure, no
 * locale, no time zone of the machine; any thread. Parsers take the whole text, return 0, or -1
 * when it is no such time (31 February, second 61, another zone). */
#ifndef SC_TIMEFMT_H
#define SC_TIMEFMT_H

#include <stdint.h>

#define SC_TIME_HTTP_SIZE 30  /* Sun, 06 Nov 1994 08:49:37 GMT and NUL */
#define SC_TIME_ISO_SIZE 21   /* 1994-11-06T08:49:37Z and NUL */
#define SC_TIME_BASIC_SIZE 17 /* 19941106T084937Z and NUL */

void sc_time_http(int64_t t, char out[SC_TIME_HTTP_SIZE]);
void sc_time_iso(int64_t t, char out[SC_TIME_ISO_SIZE]);
void sc_time_basic(int64_t t, char out[SC_TIME_BASIC_SIZE]);
/* The three forms of RFC 9110: the usual, RFC 850's and asctime's. */
int sc_time_http_parse(const char *s, int64_t *ret);
/* 2026-11-21T10:00:00Z with or without a fraction, which is dropped; or an offset like +01:00. */
int sc_time_iso_parse(const char *s, int64_t *ret);

#endif
