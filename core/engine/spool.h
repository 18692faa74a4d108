/* An encrypted (or as the operator chose: plain) object on its way, kept in an unlinked file.
 *
 *     sr_spool_new(dir, &s, &err);
 *     sr_spool_write(s, data, len, &err) ...
 *     sr_spool_rewind(s); sr_spool_pull(s, ...)   // shape of sr_store_pull_fn, any number of times
 *     sr_spool_free(s)
 *
 * The file has no name (O_TMPFILE, or unlinked at once), so a crash leaves nothing. One thread at a
 * time.
 */
#ifndef SR_ENGINE_SPOOL_H
#define SR_ENGINE_SPOOL_H

#include "core/util/error.h"

#include <stdint.h>

struct sr_spool;
int sr_spool_new(const char *dir, struct sr_spool **ret, struct sr_error *err);
int sr_spool_write(struct sr_spool *s, const void *data, size_t len, struct sr_error *err);
uint64_t sr_spool_size(const struct sr_spool *s); /* bytes */
void sr_spool_rewind(struct sr_spool *s);
int sr_spool_pull(void *spool, void *buf, size_t cap, int timeout_ms, size_t *ret_len,
                  struct sr_error *err);
void sr_spool_free(struct sr_spool *s);

#endif
