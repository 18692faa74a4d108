/* The sums of a set, <set>.<source>.sha256: lines for `sha256sum -c`, of every object and the
 * detail.
 *
 *     sr_sums_add(&buf, sha256, key, &err)      // writing, a line each
 *     sr_sums_find(text, len, key, sha256)      // reading: hostile, any bytes
 *
 * Pure functions; any thread. */
#ifndef SR_CATALOG_SUMS_H
#define SR_CATALOG_SUMS_H

#include "core/util/buf.h"
#include "core/util/error.h"

#define SR_SUMS_MAX (16u << 20) /* bytes of text */

/* sha256: 64 lower-case hex digits. SR_E_NO_MEMORY, also past the ceiling of out. */
int sr_sums_add(struct sr_buf *out, const char *sha256, const char *key, struct sr_error *err);
/* The digest of the first line that is whole and of exactly this key, in lower-case hex; "" when
 * there is none. Both forms of sha256sum count ("DIGEST  KEY", "DIGEST *KEY"). */
void sr_sums_find(const char *text, size_t len, const char *key, char ret[65]);

#endif
