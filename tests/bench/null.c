/* A storage plugin that keeps nothing: save drops the bytes, fetch hands out bytes that were made
 * once, list makes keys up, in no order. What is left is the cost of the border itself. */
#include <strongroom/storage.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define PIECE (UINT64_C(1) << 20) /* bytes at once, as plugins/local reads and writes them */

struct handle {
    uint64_t bytes, keys;
    unsigned char piece[PIECE];
};

static const struct sr_storage_setting settings[] = {
    {.size = sizeof settings[0],
     .key = "bytes",
     .type = SR_STORAGE_TYPE_SIZE,
     .fallback = "1MiB",
     .help = "size of every object"},
    {.size = sizeof settings[0],
     .key = "keys",
     .type = SR_STORAGE_TYPE_INT,
     .fallback = "0",
     .help = "how many objects are listed"},
    {.size = sizeof settings[0]},
};

static uint64_t number(const struct sr_storage_host *host, const char *key)
{
    char text[32];
    int64_t n = host->setting(host, key, text, sizeof text);
    return n > 0 && n < (int64_t)sizeof text ? strtoull(text, NULL, 10) : 0;
}

static int32_t null_open(const struct sr_storage_host *host,
                         const struct sr_storage_open_options *options, void **ret_handle)
{
    struct handle *h = calloc(1, sizeof *h);
    (void)options;
    if (!h)
        return SR_STORAGE_E_UNAVAILABLE;
    h->bytes = number(host, "bytes");
    h->keys = number(host, "keys");
    for (size_t i = 0; i < PIECE; i++)
        h->piece[i] = (unsigned char)(i * 31);
    *ret_handle = h;
    return SR_STORAGE_OK;
}

static void null_close(void *handle)
{
    free(handle);
}

static int32_t null_place(void *handle, char *buf, uint64_t cap)
{
    (void)handle;
    (void)snprintf(buf, (size_t)cap, "null:");
    return SR_STORAGE_OK;
}

static int32_t null_save(void *handle, const struct sr_storage_object *object,
                         const struct sr_storage_reader *reader,
                         const struct sr_storage_save_options *options,
                         struct sr_storage_saved *ret_saved)
{
    struct handle *h = handle;
    int64_t n;
    (void)object;
    (void)options;
    (void)ret_saved;
    while ((n = reader->read(reader->ctx, h->piece, PIECE, -1)) != 0)
        if (n == SR_STORAGE_READ_FAILED)
            return SR_STORAGE_E_CANCELLED;
    return SR_STORAGE_OK;
}

static int32_t null_fetch(void *handle, const struct sr_storage_fetch_options *options,
                          const struct sr_storage_writer *writer)
{
    struct handle *h = handle;
    (void)options;
    for (uint64_t left = h->bytes; left > 0;) {
        uint64_t n = left < PIECE ? left : PIECE;
        if (writer->write(writer->ctx, h->piece, n) != 0)
            return SR_STORAGE_E_CANCELLED;
        left -= n;
    }
    return SR_STORAGE_OK;
}

static int32_t null_list(void *handle, const struct sr_storage_list_options *options,
                         const struct sr_storage_emitter *emitter)
{
    struct handle *h = handle;
    char key[64];
    struct sr_storage_entry e = {.size = sizeof e, .key = key, .modified = 1};
    (void)options;
    for (uint64_t i = 0; i < h->keys; i++) {
        /* An odd number does not share a factor with 2^32: no key comes twice. */
        uint32_t scattered = (uint32_t)i * UINT32_C(2654435761);
        (void)snprintf(key, sizeof key, "scheduled-%010" PRIu32 ".shop.manifest.json", scattered);
        e.object_size = i;
        if (emitter->emit(emitter->ctx, &e) != 0)
            break;
    }
    return SR_STORAGE_OK;
}

static int32_t null_delete(void *handle, const struct sr_storage_delete_options *options,
                           struct sr_storage_deletion *ret_deletion)
{
    (void)handle;
    (void)options;
    ret_deletion->outcome = SR_STORAGE_DELETED;
    return SR_STORAGE_OK;
}

static struct sr_storage_plugin plugin = {
    .name = "null",
    .version = "1",
    .description = "keeps nothing",
    .license = "MIT",
    .settings = settings,
    .open = null_open,
    .close = null_close,
    .place = null_place,
    .save = null_save,
    .list = null_list,
    .fetch = null_fetch,
    .delete_object = null_delete,
};
SR_STORAGE_REGISTER(null, plugin);
