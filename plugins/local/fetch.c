#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define CHUNK (UINT64_C(512) << 10)

int32_t local_open_object(const struct local *l, const char *key, const char *version, int *ret_fd,
                          struct stat *ret_st)
{
    int folder = -1;
    const char *leaf = NULL;
    if (version && *version)
        return local_fail(l, SR_STORAGE_E_NOT_FOUND, "%s has no versions in %s", key, l->dir);
    int32_t rc = local_parent(l, key, 0, &folder, &leaf);
    if (rc != SR_STORAGE_OK)
        return rc;
    /* NONBLOCK: a FIFO put here must not hang us. */
    int fd = openat(folder, leaf, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    int e = errno;
    (void)close(folder);
    if (fd < 0)
        return local_fail_errno(l, e, "cannot open %s in %s", key, l->dir);
    if (fstat(fd, ret_st) != 0 || !S_ISREG(ret_st->st_mode)) {
        (void)close(fd);
        return local_fail(l, SR_STORAGE_E_NOT_FOUND, "%s in %s is not a file", key, l->dir);
    }
    *ret_fd = fd;
    return SR_STORAGE_OK;
}

static int same(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int32_t hand_over(const struct local *l, const struct sr_storage_fetch_options *o, int fd,
                         uint64_t end, char *chunk, const struct sr_storage_writer *writer)
{
    for (uint64_t at = o->offset; at < end;) {
        int32_t rc = local_cancelled(l, "fetching", o->key);
        if (rc != SR_STORAGE_OK)
            return rc;
        size_t want = end - at < CHUNK ? (size_t)(end - at) : (size_t)CHUNK;
        ssize_t n = pread(fd, chunk, want, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return local_fail_errno(l, errno, "reading %s in %s at byte %llu", o->key, l->dir,
                                    (unsigned long long)at);
        if (n == 0)
            return local_fail(l, SR_STORAGE_E_CHANGED, "%s in %s became shorter while it was read",
                              o->key, l->dir);
        if (writer->write(writer->ctx, chunk, (uint64_t)n) != 0)
            return local_fail(l, SR_STORAGE_E_CANCELLED, "fetching %s: stopped", o->key);
        at += (uint64_t)n;
    }
    return SR_STORAGE_OK;
}

int32_t local_fetch(void *handle, const struct sr_storage_fetch_options *options,
                    const struct sr_storage_writer *writer)
{
    const struct local *l = handle;
    struct stat before, after;
    int fd = -1;
    int32_t rc = local_open_object(l, options->key, options->version, &fd, &before);
    if (rc != SR_STORAGE_OK)
        return rc;
    (void)posix_fadvise(fd, (off_t)(options->offset & INT64_MAX), 0, POSIX_FADV_SEQUENTIAL);
    uint64_t end = (uint64_t)before.st_size;
    if (options->offset < end && options->length < end - options->offset)
        end = options->offset + options->length;
    char *chunk = malloc(CHUNK);
    rc = chunk ? hand_over(l, options, fd, end, chunk, writer)
               : local_fail(l, SR_STORAGE_E_UNAVAILABLE, "out of memory");
    if (rc == SR_STORAGE_OK && (fstat(fd, &after) != 0 || !same(&before, &after)))
        rc = local_fail(l, SR_STORAGE_E_CHANGED, "%s in %s changed while it was read", options->key,
                        l->dir);
    free(chunk);
    (void)close(fd);
    return rc;
}

int32_t local_stat(void *handle, const struct sr_storage_fetch_options *options,
                   const struct sr_storage_emitter *emitter)
{
    const struct local *l = handle;
    struct sr_storage_entry entry;
    struct stat st;
    int folder = -1;
    const char *leaf = NULL;
    if (options->version && *options->version)
        return local_fail(l, SR_STORAGE_E_NOT_FOUND, "%s has no versions in %s", options->key,
                          l->dir);
    int32_t rc = local_parent(l, options->key, 0, &folder, &leaf);
    if (rc != SR_STORAGE_OK)
        return rc;
    int failed = fstatat(folder, leaf, &st, AT_SYMLINK_NOFOLLOW);
    int e = errno;
    (void)close(folder);
    if (failed)
        return local_fail_errno(l, e, "looking at %s in %s", options->key, l->dir);
    if (!S_ISREG(st.st_mode))
        return local_fail(l, SR_STORAGE_E_NOT_FOUND, "%s in %s is not a file", options->key,
                          l->dir);
    local_entry(options->key, &st, &entry);
    (void)emitter->emit(emitter->ctx, &entry);
    return SR_STORAGE_OK;
}
