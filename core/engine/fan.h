/* One stream of bytes for several readers, of which none waits for another.
 *
 *     sr_fan_new(ring, readers, spool_dir, "the dump of app", &f, &err);   // one reference
 *     sr_fan_defer(f, i)               // reader i needs to know something that the end tells
 *     writer: sr_fan_write(f, data, len, 200, &n, &err) ... sr_fan_end(f) or sr_fan_fail(f, &why)
 *     reader i, on a thread of its own: sr_fan_read(f, i, buf, cap, -1, &n, &err) until n is 0;
 *                                       sr_fan_leave(f, i) in any case
 *     writer, before it begins another fan: sr_fan_settle(f, 200)
 *     sr_fan_unref(f)                  // by each who holds a reference
 *
 * The last bytes (the ring) are in memory. A reader may be behind by as much as the ring holds.
 * When it is, and another reader waits for more, what it has not read is moved to a file (spool.h),
 * and it reads on from there at its own pace; when it comes to the ring again it reads from memory.
 * While all readers are behind, nobody waits for another, so the writer waits instead of the disk
 * filling. Where the disk has no room the writer waits too: a slow copy is better than none. For a
 * deferred reader everything is kept on the disk; without room it alone fails (SR_E_NO_SPACE).
 *
 * Memory: the ring, until the end has been read by all, or sr_fan_settle has moved what is left to
 * the disk. Disk: what the slowest reader has not read, where the file system gives back the middle
 * of a file; else what was moved since all had caught up.
 */
#ifndef SR_ENGINE_FAN_H
#define SR_ENGINE_FAN_H

#include "core/util/error.h"

#include <stddef.h>
#include <stdint.h>

struct sr_fan;

/* ring: bytes. readers: 1 or more. what: for the log. The strings are copied. */
int sr_fan_new(size_t ring, unsigned readers, const char *spool_dir, const char *what,
               struct sr_fan **ret, struct sr_error *err);
/* Before the first byte. Its reads wait for the end and then begin with the first byte. */
void sr_fan_defer(struct sr_fan *f, unsigned reader);
/* reader's name in the log ("dr"); a static string, or one that outlives f. */
void sr_fan_name(struct sr_fan *f, unsigned reader, const char *name);
struct sr_fan *sr_fan_ref(struct sr_fan *f);
/* The last one frees it. NULL is fine. */
void sr_fan_unref(struct sr_fan *f);

/* --- the writer; one thread --- */

/* Takes up to len (at least 1) bytes; *ret_len tells how many. SR_E_AGAIN when there was no room
 * within timeout_ms; SR_E_CANCELLED when no reader is left; the failure after sr_fan_fail. */
int sr_fan_write(struct sr_fan *f, const void *data, size_t len, int timeout_ms, size_t *ret_len,
                 struct sr_error *err);
/* What was written is all, and whole. Nothing after a failure. */
void sr_fan_end(struct sr_fan *f);
/* Readers get this error, those that have read everything too as long as sr_fan_end was not called.
 * Any thread; after the end it stops readers that are still at it. */
void sr_fan_fail(struct sr_fan *f, const struct sr_error *why);
/* After the end: gives the memory back once no reader needs it. Those that are behind while others
 * are done go on from the disk. SR_E_AGAIN when that could not be within timeout_ms. */
int sr_fan_settle(struct sr_fan *f, int timeout_ms);

/* --- a reader; one thread each --- */

/* SR_OK with *ret_len 0 at the end; SR_E_AGAIN after timeout_ms (< 0: wait). */
int sr_fan_read(struct sr_fan *f, unsigned reader, void *buf, size_t cap, int timeout_ms,
                size_t *ret_len, struct sr_error *err);
/* Waits until there is something to read, or the end: SR_OK. For a deferred reader: the end. */
int sr_fan_await(struct sr_fan *f, unsigned reader, struct sr_error *err);
/* A deferred reader begins again: all bytes are still there. */
void sr_fan_rewind(struct sr_fan *f, unsigned reader);
/* It reads no more and holds nobody up. Twice is fine. */
void sr_fan_leave(struct sr_fan *f, unsigned reader);

/* --- any thread --- */

uint64_t sr_fan_written(struct sr_fan *f);
/* Nonzero after sr_fan_fail. */
int sr_fan_gave_up(struct sr_fan *f);
/* Bytes that this reader took from the disk. */
uint64_t sr_fan_spooled(struct sr_fan *f, unsigned reader);

#endif
