/* A plugin for tests: objects in memory, with the required slots and nothing else, so that the
 * host's own defaults are at work; and, as told by its setting `how`, one broken promise at a time.
 *
 * Built against the released header of version 1.0 (tests/abi/1.0), in four ways: as it is, with
 * MEMORY_LARGER (as if by a later header: longer structs, bits and types nobody knows today), with
 * MEMORY_SMALLER (as if by one that ended at the last required slot), with MEMORY_CAPS 0 (for all
 * that it declares, two savers of one key may both succeed). */
#include <strongroom/storage.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef MEMORY_CAPS
#define MEMORY_CAPS SR_CAP_ATOMIC_CREATE
#endif

struct object {
    char key[SR_STORAGE_KEY_MAX];
    unsigned char *data;
    uint64_t len;
    unsigned readers; /* fetches under way: the bytes stay although the name goes */
    int gone;
    struct object *next;
};

static struct object *objects;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const struct sr_storage_emitter *late_emitter;

struct handle {
    const struct sr_storage_host *host;
    char how[64];
    char gate[256]; /* "save:.manifest.json:/tmp/x": see gate_wait */
};

static int how(const struct handle *h, const char *what)
{
    return strcmp(h->how, what) == 0;
}

static int32_t fail(const struct handle *h, int32_t code, const char *text)
{
    h->host->set_error(h->host, code, text);
    return code;
}

/* Where the gate names this verb and the end of this key: makes FOLDER/reached, then waits until
 * FOLDER/go is there, the call is cancelled, or a minute is over. */
static void gate_wait(struct handle *h, const char *verb, const char *key)
{
    char path[512];
    size_t v = strlen(verb), k = strlen(key);
    const char *end = h->gate + v + 1, *folder = strncmp(h->gate, verb, v) == 0 && h->gate[v] == ':'
                                                     ? strchr(end, ':')
                                                     : NULL;
    size_t n = folder ? (size_t)(folder - end) : 0;
    if (!folder || k < n || memcmp(key + k - n, end, n) != 0)
        return;
    (void)snprintf(path, sizeof path, "%s/reached", folder + 1);
    FILE *f = fopen(path, "we");
    if (f)
        (void)fclose(f);
    (void)snprintf(path, sizeof path, "%s/go", folder + 1);
    const struct timespec pause = {.tv_nsec = 10000000};
    for (int i = 0; i < 6000 && access(path, F_OK) != 0; i++) {
        if (h->host->is_cancelled(h->host))
            return;
        (void)nanosleep(&pause, NULL);
    }
}

static struct object **find(const char *key)
{
    struct object **o = &objects;
    while (*o && ((*o)->gone || strcmp((*o)->key, key) != 0))
        o = &(*o)->next;
    return o;
}

static void drop(struct object **at)
{
    struct object *o = *at;
    o->gone = 1;
    if (o->readers == 0) {
        *at = o->next;
        free(o->data);
        free(o);
    }
}

static int32_t memory_open(const struct sr_storage_host *host,
                           const struct sr_storage_open_options *options, void **ret_handle)
{
    struct handle *h = calloc(1, sizeof *h);
    (void)options;
    if (!h)
        return SR_STORAGE_E_UNAVAILABLE;
    h->host = host;
    if (host->setting(host, "how", h->how, sizeof h->how) < 0)
        h->how[0] = '\0';
    if (host->setting(host, "gate", h->gate, sizeof h->gate) < 0)
        h->gate[0] = '\0';
    if (how(h, "open-null")) {
        free(h);
        return SR_STORAGE_OK;
    }
    if (how(h, "open-fails")) {
        char secret[64] = "", text[128];
        (void)host->setting(host, "token", secret, sizeof secret);
        (void)snprintf(text, sizeof text, "the server does not like the token %s", secret);
        (void)fail(h, SR_STORAGE_E_DENIED, text);
        free(h);
        return SR_STORAGE_E_DENIED;
    }
    *ret_handle = h;
    return SR_STORAGE_OK;
}

static void memory_close(void *handle)
{
    free(handle);
}

static int32_t pull(struct handle *h, const struct sr_storage_reader *reader, unsigned char **data,
                    uint64_t *len)
{
    uint64_t cap = 0;
    for (;;) {
        if (h->host->is_cancelled(h->host))
            return fail(h, SR_STORAGE_E_CANCELLED, "cancelled");
        if (h->host->deadline(h->host) != 0 &&
            h->host->monotonic(h->host) >= h->host->deadline(h->host))
            return fail(h, SR_STORAGE_E_TIMEOUT, "the time for it is over");
        if (cap - *len < 65536) {
            cap = cap ? 2 * cap : 65536;
            unsigned char *more = realloc(*data, cap);
            if (!more)
                return fail(h, SR_STORAGE_E_NO_SPACE, "out of memory");
            *data = more;
        }
        int64_t n = reader->read(reader->ctx, *data + *len, cap - *len, 1000);
        if (n == 0)
            return SR_STORAGE_OK;
        if (n == SR_STORAGE_READ_AGAIN)
            continue;
        if (n < 0)
            return fail(h, SR_STORAGE_E_CANCELLED, "the reader failed");
        *len += (uint64_t)n;
        if (how(h, "success-half"))
            return SR_STORAGE_OK;
    }
}

static int32_t store(struct handle *h, const char *key, int replace, unsigned char *data,
                     uint64_t len)
{
    struct object *o = calloc(1, sizeof *o);
    if (!o)
        return fail(h, SR_STORAGE_E_NO_SPACE, "out of memory");
    (void)snprintf(o->key, sizeof o->key, "%s", key);
    o->data = data;
    o->len = len;
    pthread_mutex_lock(&lock);
    struct object **at = find(key);
    if (*at && !replace && !how(h, "replaces")) {
        pthread_mutex_unlock(&lock);
        free(o);
        return fail(h, SR_STORAGE_E_EXISTS, "the key is taken");
    }
    if (*at)
        drop(at);
    o->next = objects;
    objects = o;
    pthread_mutex_unlock(&lock);
    return SR_STORAGE_OK;
}

static int32_t memory_save(void *handle, const struct sr_storage_object *object,
                           const struct sr_storage_reader *reader,
                           const struct sr_storage_save_options *options,
                           struct sr_storage_saved *ret_saved)
{
    struct handle *h = handle;
    unsigned char *data = NULL;
    uint64_t len = 0;
    if (options->retain_until != 0)
        return fail(h, SR_STORAGE_E_UNSUPPORTED, "no locks here");
    char before[64] = "", after[64] = "";
    (void)h->host->setting(h->host, "token", before, sizeof before);
    gate_wait(h, "save", object->key);
    (void)h->host->setting(h->host, "token", after, sizeof after);
    if (strcmp(before, after) != 0)
        h->host->log(h->host, SR_STORAGE_LOG_WARN, "another token came during the call");
    if (how(h, "success-unread"))
        return SR_STORAGE_OK;
    if (how(h, "code-unknown"))
        return 12345;
    if (how(h, "code-negative"))
        return -1;
    if (how(h, "in-doubt"))
        return fail(h, SR_STORAGE_E_IN_DOUBT, "the answer was lost");
    if (how(h, "read-zero")) {
        unsigned char byte;
        (void)reader->read(reader->ctx, &byte, 0, 0);
    }
    int32_t rc = pull(h, reader, &data, &len);
    if (rc != SR_STORAGE_OK && how(h, "success-failed"))
        rc = SR_STORAGE_OK;
    if (rc != SR_STORAGE_OK && how(h, "keeps-half"))
        (void)store(h, object->key, 1, data, len), data = NULL;
    if (rc == SR_STORAGE_OK && how(h, "loses-last") && len)
        len--;
    if (rc == SR_STORAGE_OK) {
        rc = store(h, object->key, (options->flags & SR_STORAGE_SAVE_REPLACE) != 0, data, len);
        if (rc == SR_STORAGE_OK)
            data = NULL;
    }
    free(data);
    if (rc == SR_STORAGE_OK && how(h, "size-wrong")) {
        ret_saved->confirmed = SR_STORAGE_CONFIRMED_SIZE;
        ret_saved->object_size = len + 1;
    }
    if (rc == SR_STORAGE_OK && how(h, "sha256")) {
        ret_saved->confirmed = SR_STORAGE_CONFIRMED_CHECKSUM;
        ret_saved->checksum_kind = SR_STORAGE_SUM_SHA256;
        ret_saved->checksum_len = 32;
        memset(ret_saved->checksum, 0xab, 32);
    }
    if (rc == SR_STORAGE_OK && how(h, "sum-length")) {
        ret_saved->confirmed = SR_STORAGE_CONFIRMED_CHECKSUM;
        ret_saved->checksum_len = 1000;
    }
    return rc;
}

/* What is there, as copies: an emitter may come back into the store through another handle. */
static struct sr_storage_entry *snapshot(uint64_t *ret_count)
{
    uint64_t n = 0;
    for (const struct object *o = objects; o; o = o->next)
        n += !o->gone;
    struct sr_storage_entry *all = calloc(n ? n : 1, sizeof *all);
    n = 0;
    for (const struct object *o = objects; all && o; o = o->next)
        if (!o->gone)
            all[n++] = (struct sr_storage_entry){.size = sizeof *all,
                                                 .key = strdup(o->key),
                                                 .object_size = o->len,
                                                 .modified = time(NULL)};
    *ret_count = n;
    return all;
}

static int emit_one(const struct sr_storage_emitter *emitter, const struct sr_storage_entry *entry)
{
#ifdef MEMORY_LARGER
    struct {
        struct sr_storage_entry now;
        uint64_t later[4];
    } e = {.now = *entry, .later = {1, 2, 3, 4}};
    if (e.now.size == sizeof e.now)
        e.now.size = sizeof e;
    e.now.flags |= UINT64_C(1) << 40;
    return emitter->emit(emitter->ctx, &e.now) != 0;
#else
    return emitter->emit(emitter->ctx, entry) != 0;
#endif
}

static int32_t memory_list(void *handle, const struct sr_storage_list_options *options,
                           const struct sr_storage_emitter *emitter)
{
    struct handle *h = handle;
    uint64_t n = 0;
    int stop = 0;
    (void)options; /* more than asked for is allowed: all of it, in no order */
    if (h->host->is_cancelled(h->host) && !how(h, "empty-list"))
        return fail(h, SR_STORAGE_E_CANCELLED, "cancelled");
    if (how(h, "empty-list"))
        return SR_STORAGE_OK;
    if (how(h, "write-only"))
        return fail(h, SR_STORAGE_E_DENIED, "these credentials may only write");
    pthread_mutex_lock(&lock);
    struct sr_storage_entry *all = snapshot(&n);
    pthread_mutex_unlock(&lock);
    if (how(h, "emit-after-error"))
        (void)fail(h, SR_STORAGE_E_UNAVAILABLE, "the connection broke");
    for (uint64_t i = 0; all && i < n; i++) {
        if (how(h, "emit-short"))
            all[i].size = 8;
        if (!stop || how(h, "emit-after-stop"))
            stop |= emit_one(emitter, &all[i]);
        if (how(h, "emit-twice") && !stop)
            stop |= emitter->emit(emitter->ctx, &all[i]) != 0;
        free((char *)(uintptr_t)all[i].key);
    }
    free(all);
    if (how(h, "emit-no-key")) {
        const struct sr_storage_entry e = {.size = sizeof e};
        (void)emitter->emit(emitter->ctx, &e);
    }
    if (how(h, "emit-foreign")) {
        static const char *const keys[] = {"../outside", "/etc/passwd", "a b", ".hidden"};
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
            const struct sr_storage_entry e = {.size = sizeof e, .key = keys[i]};
            (void)emitter->emit(emitter->ctx, &e);
        }
    }
    static struct sr_storage_emitter kept;
    kept = *emitter;
    late_emitter = &kept;
    if (how(h, "list-breaks"))
        return fail(h, SR_STORAGE_E_UNAVAILABLE, "the connection broke");
    return how(h, "emit-after-error") ? SR_STORAGE_E_UNAVAILABLE : SR_STORAGE_OK;
}

static int32_t memory_fetch(void *handle, const struct sr_storage_fetch_options *options,
                            const struct sr_storage_writer *writer)
{
    struct handle *h = handle;
    int32_t rc = SR_STORAGE_OK;
    gate_wait(h, "fetch", options->key);
    if (how(h, "write-only"))
        return fail(h, SR_STORAGE_E_DENIED, "these credentials may only write");
    if (how(h, "late-emit") && late_emitter) {
        const struct sr_storage_entry e = {.size = sizeof e, .key = "late"};
        (void)late_emitter->emit(late_emitter->ctx, &e);
    }
    pthread_mutex_lock(&lock);
    struct object *o = *find(options->key);
    if (o)
        o->readers++;
    pthread_mutex_unlock(&lock);
    if (!o)
        return fail(h, SR_STORAGE_E_NOT_FOUND, "no such object");
    for (uint64_t at = 0; rc == SR_STORAGE_OK && at < o->len;) {
        uint64_t n = o->len - at < 100000 ? o->len - at : 100000;
        if (h->host->is_cancelled(h->host))
            rc = fail(h, SR_STORAGE_E_CANCELLED, "cancelled");
        else if (writer->write(writer->ctx, o->data + at, n) != 0)
            rc = fail(h, SR_STORAGE_E_CANCELLED, "stopped");
        at += n;
    }
    if (how(h, "write-more"))
        (void)writer->write(writer->ctx, "more", 4);
    if (how(h, "write-zero"))
        (void)writer->write(writer->ctx, "", 0);
    pthread_mutex_lock(&lock);
    o->readers--;
    for (struct object **at = &objects; o->gone && *at; at = &(*at)->next)
        if (*at == o) {
            drop(at);
            break;
        }
    pthread_mutex_unlock(&lock);
    return rc;
}

static int32_t memory_delete(void *handle, const struct sr_storage_delete_options *options,
                             struct sr_storage_deletion *ret_deletion)
{
    struct handle *h = handle;
    gate_wait(h, "delete", options->key);
    if (how(h, "write-only"))
        return fail(h, SR_STORAGE_E_DENIED, "these credentials may only write");
    if (how(h, "outcome-none"))
        return SR_STORAGE_OK;
    if (how(h, "locked") || how(h, "locked-code")) {
        ret_deletion->outcome = SR_STORAGE_KEPT;
        ret_deletion->locked_until = 4102444800;
        return how(h, "locked") ? SR_STORAGE_OK : SR_STORAGE_E_LOCKED;
    }
    pthread_mutex_lock(&lock);
    struct object **at = find(options->key);
    if (*at)
        drop(at);
    pthread_mutex_unlock(&lock);
    ret_deletion->outcome = SR_STORAGE_DELETED;
    return SR_STORAGE_OK;
}

struct row {
    struct sr_storage_setting now;
#ifdef MEMORY_LARGER
    const char *later;
#endif
};

static const struct row settings[] = {
    {.now = {.size = sizeof(struct row),
             .key = "how",
             .help = "The promise to break",
             .since = "1.0"}},
    {.now = {.size = sizeof(struct row),
             .key = "gate",
             .help = "VERB:END:FOLDER, where a call waits",
             .since = "1.0"}},
    {.now = {.size = sizeof(struct row),
             .key = "token",
             .flags = SR_STORAGE_SETTING_SECRET,
             .names = "MEMORY_TOKEN",
             .help = "A secret"}},
    {.now = {.size = sizeof(struct row),
             .key = "style",
             .type = SR_STORAGE_TYPE_CHOICE,
             .choices = "auto|path|virtual",
             .fallback = "auto",
             .help = "A choice"}},
    {.now = {.size = sizeof(struct row),
             .key = "loud",
             .type = SR_STORAGE_TYPE_BOOL,
             .help = "A switch"}},
    {.now = {.size = sizeof(struct row),
             .key = "parts",
             .type = SR_STORAGE_TYPE_SIZE,
             .fallback = "8MiB",
             .min = 5 << 20,
             .max = 5LL << 30,
             .help = "A size within bounds"}},
    {.now = {.size = sizeof(struct row),
             .key = "odd",
             .type = SR_STORAGE_TYPE_CHOICE,
             .choices = "plain|$(touch ran)|`touch ran`|a;touch ran|two words",
             .help = "Choices that a shell must not run"}},
#ifdef MEMORY_LARGER
    {.now = {.size = sizeof(struct row),
             .key = "later",
             .type = 1000,
             .flags = UINT64_C(1) << 50,
             .fallback = "whatever",
             .help = "Of a type that came later"},
     .later = "unheard of"},
#endif
    {.now = {0}},
};

#ifdef MEMORY_LARGER
/* What a header of some later year might have. */
static struct {
    struct sr_storage_plugin now;
    void (*later[8])(void);
    uint64_t much_later;
} plugin = {
    .much_later = 42,
    .now =
        {
#else
static struct sr_storage_plugin plugin = {
#endif
            .name = MEMORY_NAME,
            .version = "1.0",
            .description = "Objects in memory, for tests",
            .license = "MIT",
#ifdef MEMORY_LARGER
            .capabilities = SR_CAP_ATOMIC_CREATE | UINT64_C(1) << 60,
#else
    .capabilities = MEMORY_CAPS,
#endif
            .settings = &settings[0].now,
            .open = memory_open,
            .close = memory_close,
            .save = memory_save,
            .list = memory_list,
            .fetch = memory_fetch,
            .delete_object = memory_delete,
#ifdef MEMORY_SMALLER
            /* Beyond the size that is declared: must never be read, let alone called. */
            .stat = (int32_t(*)(void *, const struct sr_storage_fetch_options *,
                                const struct sr_storage_emitter *))(uintptr_t)1,
            .cancel = (void (*)(void *))(uintptr_t)1,
#endif
#ifdef MEMORY_LARGER
        },
#endif
};

SR_STORAGE_EXPORT const struct sr_storage_plugin *sr_storage_plugin_entry(void);
const struct sr_storage_plugin *sr_storage_plugin_entry(void)
{
    struct sr_storage_plugin *p = (struct sr_storage_plugin *)(void *)&plugin;
    p->size = sizeof plugin;
#ifdef MEMORY_SMALLER
    p->size = offsetof(struct sr_storage_plugin, delete_many);
#endif
    p->api_version = SR_STORAGE_API_VERSION;
    return p;
}
