/* A plugin for tests: places in memory, shared by all handles of the process, in which the call
 * with a given number fails.
 *
 *     place     name of the place; two stores of one name hold the same objects
 *     fail      the number of the call that fails (of all handles of the place, counted from 1
 *               since none was open); 0: none
 *     down      every later one fails as well
 *     late      that call fails after it has done its work (a lost answer)
 *     sums      listings, saves and copies tell the SHA-256 of each object
 *     locks     objects can be locked, and are then neither deleted nor replaced
 *     copies    objects can be copied inside the place
 *     vanish    objects whose keys end so are gone when they are fetched
 *     spoil     a fetch of keys that end so gives one bit turned
 *     unlisted  keys that end so are in no listing
 *     silent    what is asked about an object does not tell its lock
 *     behind    so many days the store's clock is behind; it tells when an object was changed
 *
 * Calls that count: save, list, fetch, delete, stat, copy. */
#include <strongroom/storage.h>

#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct object {
    char *key;
    unsigned char *data;
    uint64_t len;
    int64_t locked_until;
};

struct place {
    char name[64];
    struct object *objects; /* sorted by key */
    size_t len;
    unsigned open;
    long calls;
    struct place *next;
};

static struct place *places;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct handle {
    const struct sr_storage_host *host;
    struct place *place;
    long fail;
    int down, late, sums, copies, locks, silent;
    long behind;
    char spoil[128], vanish[128], unlisted[128];
};

static int32_t fail(const struct handle *h, int32_t code, const char *text)
{
    h->host->set_error(h->host, code, text);
    return code;
}

static long number(const struct sr_storage_host *host, const char *key)
{
    char text[32];
    return host->setting(host, key, text, sizeof text) > 0 ? strtol(text, NULL, 10) : 0;
}

static int32_t faulty_open(const struct sr_storage_host *host,
                           const struct sr_storage_open_options *options, void **ret_handle)
{
    struct handle *h = calloc(1, sizeof *h);
    char name[64] = "";
    (void)options;
    if (!h)
        return SR_STORAGE_E_UNAVAILABLE;
    h->host = host;
    (void)host->setting(host, "place", name, sizeof name);
    if (host->setting(host, "spoil", h->spoil, sizeof h->spoil) < 0)
        h->spoil[0] = '\0';
    if (host->setting(host, "vanish", h->vanish, sizeof h->vanish) < 0)
        h->vanish[0] = '\0';
    if (host->setting(host, "unlisted", h->unlisted, sizeof h->unlisted) < 0)
        h->unlisted[0] = '\0';
    h->silent = number(host, "silent") != 0;
    h->behind = number(host, "behind");
    h->fail = number(host, "fail");
    h->down = number(host, "down") != 0;
    h->late = number(host, "late") != 0;
    h->sums = number(host, "sums") != 0;
    h->copies = number(host, "copies") != 0;
    h->locks = number(host, "locks") != 0;
    (void)pthread_mutex_lock(&lock);
    struct place *p = places;
    while (p && strcmp(p->name, name) != 0)
        p = p->next;
    if (!p && (p = calloc(1, sizeof *p)) != NULL) {
        memcpy(p->name, name, sizeof p->name);
        p->next = places;
        places = p;
    }
    if (p && p->open++ == 0)
        p->calls = 0;
    (void)pthread_mutex_unlock(&lock);
    h->place = p;
    *ret_handle = h;
    return p ? SR_STORAGE_OK : SR_STORAGE_E_UNAVAILABLE;
}

static void faulty_close(void *handle)
{
    struct handle *h = handle;
    (void)pthread_mutex_lock(&lock);
    h->place->open--;
    (void)pthread_mutex_unlock(&lock);
    free(h);
}

/* Counts a call. Nonzero: this one is to fail. */
static int falls(struct handle *h)
{
    (void)pthread_mutex_lock(&lock);
    long now = ++h->place->calls;
    (void)pthread_mutex_unlock(&lock);
    return h->fail > 0 && (now == h->fail || (h->down && now > h->fail));
}

/* The first that is not below key; with the lock. */
static size_t at(const struct place *p, const char *key)
{
    size_t lo = 0, hi = p->len;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (strcmp(p->objects[mid].key, key) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static struct object *find(const struct place *p, const char *key)
{
    size_t i = at(p, key);
    return i < p->len && strcmp(p->objects[i].key, key) == 0 ? &p->objects[i] : NULL;
}

/* With the lock. */
static void take_out(struct place *p, struct object *o)
{
    size_t i = (size_t)(o - p->objects);
    free(o->key);
    free(o->data);
    memmove(o, o + 1, (p->len - i - 1) * sizeof *o);
    p->len--;
}

static int ends_so(const char *key, const char *end)
{
    size_t k = strlen(key), n = strlen(end);
    return n && n <= k && strcmp(key + k - n, end) == 0;
}

static int32_t put(struct handle *h, const char *key, int replace, unsigned char *data,
                   uint64_t len, int64_t locked_until)
{
    struct place *p = h->place;
    int32_t rc = SR_STORAGE_OK;
    (void)pthread_mutex_lock(&lock);
    struct object *o = find(p, key);
    if (o && (!replace || o->locked_until)) {
        rc = SR_STORAGE_E_EXISTS;
    } else if (o) {
        free(o->data);
        o->data = data;
        o->len = len;
    } else {
        struct object *more = reallocarray(p->objects, p->len + 1, sizeof *more);
        char *copy = more ? strdup(key) : NULL;
        if (more)
            p->objects = more;
        if (copy) {
            size_t i = at(p, key);
            memmove(more + i + 1, more + i, (p->len - i) * sizeof *more);
            more[i] = (struct object){copy, data, len, locked_until};
            p->len++;
        } else {
            rc = SR_STORAGE_E_NO_SPACE;
        }
    }
    (void)pthread_mutex_unlock(&lock);
    return rc == SR_STORAGE_OK ? rc : fail(h, rc, "the key is taken, or there is no memory");
}

static void confirm(const struct handle *h, const unsigned char *data, uint64_t len,
                    struct sr_storage_saved *ret)
{
    ret->confirmed = SR_STORAGE_CONFIRMED_SIZE;
    ret->object_size = len;
    if (h->sums && EVP_Digest(data, len, ret->checksum, NULL, EVP_sha256(), NULL) == 1) {
        ret->confirmed |= SR_STORAGE_CONFIRMED_CHECKSUM;
        ret->checksum_kind = SR_STORAGE_SUM_SHA256;
        ret->checksum_len = 32;
    }
}

static int32_t faulty_save(void *handle, const struct sr_storage_object *object,
                           const struct sr_storage_reader *reader,
                           const struct sr_storage_save_options *options,
                           struct sr_storage_saved *ret_saved)
{
    struct handle *h = handle;
    int broken = falls(h);
    unsigned char *data = NULL;
    uint64_t len = 0, cap = 0;
    if (broken && !h->late)
        return fail(h, SR_STORAGE_E_UNAVAILABLE, "the connection was refused");
    for (int64_t n = 1; n != 0;) {
        if (cap - len < 4096) {
            cap = cap ? 2 * cap : 16384;
            unsigned char *more = realloc(data, cap);
            if (!more) {
                free(data);
                return fail(h, SR_STORAGE_E_NO_SPACE, "out of memory");
            }
            data = more;
        }
        n = reader->read(reader->ctx, data + len, cap - len, 200);
        if (n == SR_STORAGE_READ_AGAIN && !h->host->is_cancelled(h->host))
            continue;
        if (n < 0) {
            free(data);
            return fail(h, SR_STORAGE_E_CANCELLED, "the bytes broke off");
        }
        len += (uint64_t)n;
    }
    int32_t rc = put(h, object->key, (options->flags & SR_STORAGE_SAVE_REPLACE) != 0, data, len,
                     options->retain_until);
    if (rc != SR_STORAGE_OK) {
        free(data);
        return rc;
    }
    confirm(h, data, len, ret_saved);
    return broken ? fail(h, SR_STORAGE_E_IN_DOUBT, "the answer was lost") : SR_STORAGE_OK;
}

/* One entry by its place in the order, copied under the lock. Zero: there is none. */
static int entry_copy(struct handle *h, const char *after, char key[SR_STORAGE_KEY_MAX],
                      struct sr_storage_entry *e, unsigned char sum[32])
{
    (void)pthread_mutex_lock(&lock);
    size_t i = at(h->place, after);
    if (i < h->place->len && strcmp(h->place->objects[i].key, after) == 0)
        i++;
    int there = i < h->place->len;
    if (there) {
        const struct object *o = &h->place->objects[i];
        (void)snprintf(key, SR_STORAGE_KEY_MAX, "%s", o->key);
        *e = (struct sr_storage_entry){.size = sizeof *e,
                                       .key = key,
                                       .object_size = o->len,
                                       .modified = time(NULL),
                                       .locked_until = o->locked_until};
        if (h->sums && EVP_Digest(o->data, o->len, sum, NULL, EVP_sha256(), NULL) == 1) {
            e->checksum_kind = SR_STORAGE_SUM_SHA256;
            e->checksum_len = 32;
            e->checksum = sum;
        }
    }
    (void)pthread_mutex_unlock(&lock);
    return there;
}

static int32_t faulty_list(void *handle, const struct sr_storage_list_options *options,
                           const struct sr_storage_emitter *emitter)
{
    struct handle *h = handle;
    char key[SR_STORAGE_KEY_MAX], next[SR_STORAGE_KEY_MAX];
    unsigned char sum[32];
    struct sr_storage_entry e;
    int broken = falls(h), n = 0;
    (void)snprintf(key, sizeof key, "%s", options->start_after);
    while (entry_copy(h, key, next, &e, sum)) {
        memcpy(key, next, sizeof key);
        e.key = key;
        if (broken && ++n == 3)
            break;
        if (strncmp(key, options->prefix, strlen(options->prefix)) == 0 &&
            !ends_so(key, h->unlisted) && emitter->emit(emitter->ctx, &e) != 0)
            return SR_STORAGE_OK;
    }
    return broken ? fail(h, SR_STORAGE_E_UNAVAILABLE, "the listing broke off") : SR_STORAGE_OK;
}

static int32_t faulty_stat(void *handle, const struct sr_storage_fetch_options *options,
                           const struct sr_storage_emitter *emitter)
{
    struct handle *h = handle;
    unsigned char sum[32];
    struct sr_storage_entry e = {.size = sizeof e, .key = options->key};
    if (falls(h))
        return fail(h, SR_STORAGE_E_UNAVAILABLE, "the connection was refused");
    (void)pthread_mutex_lock(&lock);
    const struct object *o = find(h->place, options->key);
    if (o) {
        e.object_size = o->len;
        e.locked_until = h->silent ? 0 : o->locked_until;
        e.modified = h->behind ? time(NULL) - h->behind * 86400 : 0;
        if (h->sums && EVP_Digest(o->data, o->len, sum, NULL, EVP_sha256(), NULL) == 1) {
            e.checksum_kind = SR_STORAGE_SUM_SHA256;
            e.checksum_len = 32;
            e.checksum = sum;
        }
    }
    (void)pthread_mutex_unlock(&lock);
    if (!o)
        return fail(h, SR_STORAGE_E_NOT_FOUND, "no such object");
    (void)emitter->emit(emitter->ctx, &e);
    return SR_STORAGE_OK;
}

/* The object's bytes, copied; NULL: there is none. */
static unsigned char *bytes_of(struct handle *h, const char *key, uint64_t *ret_len)
{
    unsigned char *data = NULL;
    (void)pthread_mutex_lock(&lock);
    struct object *o = find(h->place, key);
    if (o && ends_so(key, h->vanish)) {
        take_out(h->place, o);
        o = NULL;
    }
    if (o && (data = malloc(o->len + 1)) != NULL) {
        memcpy(data, o->data, o->len);
        *ret_len = o->len;
    }
    (void)pthread_mutex_unlock(&lock);
    return data;
}

static int32_t faulty_fetch(void *handle, const struct sr_storage_fetch_options *options,
                            const struct sr_storage_writer *writer)
{
    struct handle *h = handle;
    uint64_t len = 0;
    int broken = falls(h);
    unsigned char *data = bytes_of(h, options->key, &len);
    int32_t rc = SR_STORAGE_OK;
    if (!data)
        return fail(h, SR_STORAGE_E_NOT_FOUND, "no such object");
    if (ends_so(options->key, h->spoil) && len)
        data[len / 2] ^= 1;
    uint64_t half = len / 2;
    if (half && writer->write(writer->ctx, data, half) != 0)
        rc = fail(h, SR_STORAGE_E_CANCELLED, "stopped");
    else if (broken)
        rc = fail(h, SR_STORAGE_E_UNAVAILABLE, "the connection broke");
    else if (len > half && writer->write(writer->ctx, data + half, len - half) != 0)
        rc = fail(h, SR_STORAGE_E_CANCELLED, "stopped");
    free(data);
    return rc;
}

static int32_t faulty_delete(void *handle, const struct sr_storage_delete_options *options,
                             struct sr_storage_deletion *ret_deletion)
{
    struct handle *h = handle;
    int broken = falls(h);
    if (broken && !h->late)
        return fail(h, SR_STORAGE_E_UNAVAILABLE, "the connection was refused");
    (void)pthread_mutex_lock(&lock);
    struct object *o = find(h->place, options->key);
    ret_deletion->outcome = o && o->locked_until ? SR_STORAGE_KEPT : SR_STORAGE_DELETED;
    if (o && !o->locked_until)
        take_out(h->place, o);
    (void)pthread_mutex_unlock(&lock);
    return broken ? fail(h, SR_STORAGE_E_UNAVAILABLE, "the answer was lost") : SR_STORAGE_OK;
}

static int32_t faulty_copy(void *handle, const struct sr_storage_copy_options *options,
                           struct sr_storage_saved *ret_saved)
{
    struct handle *h = handle;
    uint64_t len = 0;
    if (falls(h))
        return fail(h, SR_STORAGE_E_UNAVAILABLE, "the connection was refused");
    unsigned char *data = bytes_of(h, options->from, &len);
    if (!data)
        return fail(h, SR_STORAGE_E_NOT_FOUND, "no such object");
    int32_t rc = put(h, options->to, (options->flags & SR_STORAGE_SAVE_REPLACE) != 0, data, len,
                     options->retain_until);
    if (rc != SR_STORAGE_OK) {
        free(data);
        return rc;
    }
    confirm(h, data, len, ret_saved);
    return SR_STORAGE_OK;
}

static int32_t faulty_caps(void *handle, uint64_t *ret)
{
    const struct handle *h = handle;
    *ret = SR_CAP_ATOMIC_CREATE | SR_CAP_SORTED_LIST | (h->copies ? SR_CAP_COPY : 0) |
           (h->locks ? SR_CAP_LOCK : 0);
    return SR_STORAGE_OK;
}

#define ROW(name, kind, bits, text)                                                               \
    {                                                                                             \
        .size = sizeof(struct sr_storage_setting), .key = (name), .type = SR_STORAGE_TYPE_##kind, \
        .flags = (bits), .help = (text), .since = "1.0"                                           \
    }

static const struct sr_storage_setting settings[] = {
    ROW("place", STRING, SR_STORAGE_SETTING_REQUIRED | SR_STORAGE_SETTING_PLACE, "Its name"),
    ROW("fail", INT, 0, "Number of the call that fails"),
    ROW("down", BOOL, 0, "Later calls fail too"),
    ROW("late", BOOL, 0, "It fails after it has done its work"),
    ROW("sums", BOOL, 0, "Listings tell checksums"),
    ROW("copies", BOOL, 0, "Objects can be copied inside"),
    ROW("locks", BOOL, 0, "Objects can be locked"),
    ROW("vanish", STRING, 0, "Keys that end so are gone when they are fetched"),
    ROW("unlisted", STRING, 0, "Keys that end so are not listed"),
    ROW("silent", BOOL, 0, "It is not told that an object is locked"),
    ROW("behind", INT, 0, "Days that its clock is behind"),
    ROW("spoil", STRING, 0, "Fetches of keys that end so give wrong bytes"),
    {0},
};

static struct sr_storage_plugin plugin = {
    .name = "faulty",
    .version = "1.0",
    .description = "Places in memory whose calls fail by number",
    .license = "MIT",
    .capabilities = SR_CAP_ATOMIC_CREATE | SR_CAP_SORTED_LIST | SR_CAP_COPY | SR_CAP_LOCK,
    .settings = settings,
    .open = faulty_open,
    .close = faulty_close,
    .ask_capabilities = faulty_caps,
    .save = faulty_save,
    .list = faulty_list,
    .fetch = faulty_fetch,
    .delete_object = faulty_delete,
    .stat = faulty_stat,
    .copy = faulty_copy,
};
SR_STORAGE_REGISTER(faulty, plugin);
