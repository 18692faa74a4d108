/* Time zones by name, without the process's own TZ (which is global, and another thread's too).
 *
 *     sr_zone_load("Europe/Berlin", &zone, &err);
 *     day = sr_zone_day(zone, t);               // the local date of a moment
 *     t = sr_zone_day_start(zone, day);         // and back: its first moment
 *     sr_zone_free(zone);
 *
 * NULL is UTC everywhere. Zones are read from the system's database (TZif files, RFC 8536: the
 * transitions, and the POSIX rule of the footer for the time after them). A name that is not in
 * there is an error, never silently UTC. Immutable once loaded: any thread. */
#ifndef SR_UTIL_ZONE_H
#define SR_UTIL_ZONE_H

#include "core/util/error.h"

#include <stddef.h>
#include <stdint.h>

struct sr_zone;

/* "UTC" (in any case) and "" give NULL without looking at a file. SR_E_CONFIG: no such zone. The
 * caller frees *ret. */
int sr_zone_load(const char *name, struct sr_zone **ret, struct sr_error *err);
/* The same of a TZif file's bytes. SR_E_CORRUPT for what is none, SR_E_UNSUPPORTED for one that
 * counts leap seconds. */
int sr_zone_read(const void *data, size_t len, struct sr_zone **ret, struct sr_error *err);
void sr_zone_free(struct sr_zone *z);

/* Seconds east of UTC at t (UTC seconds). */
int32_t sr_zone_offset(const struct sr_zone *z, int64_t t);
/* The local date at t, as in date.h. */
int64_t sr_zone_day(const struct sr_zone *z, int64_t t);
/* The first moment (UTC seconds) of which the local date is day or, where the clocks jump over that
 * date, a later one; from then on no earlier date comes back. */
int64_t sr_zone_day_start(const struct sr_zone *z, int64_t day);

#endif
