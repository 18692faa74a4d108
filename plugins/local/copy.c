/* Copying inside the store: saving from a file of its own. */
#include "local.h"

#include <errno.h>
#include <unistd.h>

struct source {
    int fd;
    uint64_t at, end;
};

static int64_t source_read(void *ctx, void *buf, uint64_t cap, int32_t timeout_ms)
{
    struct source *s = ctx;
    (void)timeout_ms;
    for (;;) {
        uint64_t left = s->end - s->at;
        ssize_t n = left ? pread(s->fd, buf, (size_t)(left < cap ? left : cap), (off_t)s->at) : 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || (n == 0 && left))
            return SR_STORAGE_READ_FAILED;
        s->at += (uint64_t)n;
        return n;
    }
}

/* A real copy and not a second link to one file: two objects must not be damaged by one bad block.
 */
int32_t local_copy(void *handle, const struct sr_storage_copy_options *options,
                   struct sr_storage_saved *ret_saved)
{
    const struct local *l = handle;
    struct stat st;
    struct source source = {.fd = -1};
    int32_t rc = local_open_object(l, options->from, options->from_version, &source.fd, &st);
    if (rc != SR_STORAGE_OK)
        return rc;
    source.end = (uint64_t)st.st_size;
    const struct sr_storage_object object = {
        .size = sizeof object, .key = options->to, .size_hint = source.end};
    const struct sr_storage_reader reader = {
        .size = sizeof reader, .ctx = &source, .read = source_read};
    const struct sr_storage_save_options how = {
        .size = sizeof how, .flags = options->flags, .retain_until = options->retain_until};
    rc = local_save(handle, &object, &reader, &how, ret_saved);
    if (rc == SR_STORAGE_E_CANCELLED && source.at < source.end && !l->host->is_cancelled(l->host))
        rc = local_fail(l, SR_STORAGE_E_CHANGED, "%s in %s could not be read to its end",
                        options->from, l->dir);
    (void)close(source.fd);
    return rc;
}
