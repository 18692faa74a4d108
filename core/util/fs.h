/* Files: whole reads with a bound, whole writes, durable folders.
 *
 * Descriptors are opened O_CLOEXEC. Functions that take an sr_error name the
 * path in it. Any thread. */
#ifndef SR_UTIL_FS_H
#define SR_UTIL_FS_H

#include "core/util/buf.h"
#include "core/util/error.h"

#include <stddef.h>
#include <sys/types.h>

/* Writes all len bytes, going on after short writes and EINTR; 0, or -1 with errno. */
int sr_write_full(int fd, const void *data, size_t len);
/* Reads until len bytes or the end; the count, or -1 with errno. */
ssize_t sr_read_full(int fd, void *data, size_t len);

/* Appends the file's content to b, whose ceiling bounds it. SR_E_NO_SPACE names
 * the ceiling. A folder or a device is refused. A pipe (shells' <(command)) is waited for while it
 * has a writer, at most a minute in all: SR_E_TIMEOUT. */
int sr_fs_read_file(const char *path, struct sr_buf *b, struct sr_error *err);
/* The same with another time in milliseconds. */
int sr_fs_read_file_within(const char *path, struct sr_buf *b, int wait_ms, struct sr_error *err);
/* Makes path and its missing parents with this mode; existing folders are fine. */
int sr_fs_mkdirs(const char *path, mode_t mode, struct sr_error *err);
/* fsync of a folder, so that a rename or an unlink in it lasts. */
int sr_fs_sync_dir(const char *path, struct sr_error *err);
/* dir + "/" + name, or name alone when it is absolute or dir empty; malloc'd, NULL: no memory. */
char *sr_fs_join(const char *dir, const char *name);
/* Free bytes for us on the file system of path. */
int sr_fs_free_bytes(const char *path, unsigned long long *ret, struct sr_error *err);

#endif
