/* Bytes on their way to a store, kept in an unlinked file: as they will be stored, so encrypted
 * where the backup is.
 *
 *     sr_spool_new(dir, &s, &err);
 *     sr_spool_put(s, offset, data, len, &err)     // one writer, any offset: holes cost nothing
 *     sr_spool_get(s, offset, buf, len, &err)      // any thread, what was put before
 *     sr_spool_drop(s, offset, len)                // the disk space is free again
 *     sr_spool_free(s)
 *
 * The file has no name (O_TMPFILE, or unlinked at once), so a crash leaves nothing. A spool never
 * takes the last of a disk: other things live there, the local store perhaps.
 */
#ifndef SR_ENGINE_SPOOL_H
#define SR_ENGINE_SPOOL_H

#include "core/util/error.h"

#include <stdint.h>

struct sr_spool;
/* Makes dir when it is not there. */
int sr_spool_new(const char *dir, struct sr_spool **ret, struct sr_error *err);
/* SR_E_NO_SPACE, with nothing written, when less would stay free than sr_spool_room keeps. */
int sr_spool_put(struct sr_spool *s, uint64_t offset, const void *data, size_t len,
                 struct sr_error *err);
/* All len bytes, or SR_E_CORRUPT where they are not there any more. */
int sr_spool_get(const struct sr_spool *s, uint64_t offset, void *buf, size_t len,
                 struct sr_error *err);
/* Nonzero when the file system gave the space back; one that cannot do so in the middle of a file
 * keeps it until sr_spool_clear. */
int sr_spool_drop(struct sr_spool *s, uint64_t offset, uint64_t len);
/* Everything that was put goes; the spool can be used again. */
void sr_spool_clear(struct sr_spool *s);
void sr_spool_free(struct sr_spool *s); /* NULL is fine */

/* Bytes that a spool in dir may take now: what is free without the part that is kept, a twentieth
 * of the disk or 256 MiB, whichever is less. dir need not be there yet. */
int sr_spool_room(const char *dir, uint64_t *ret, struct sr_error *err);

#endif
