/* A plugin for tests: versions of objects in memory, with every slot and every capability; and, as
 * told by its setting `breaks`, one broken promise at a time. tests/contract/model.sh shows with it
 * that the contract suite notices each of them. Its server is a pretence: the setting `server` says
 * how it fares. */
#include <strongroom/storage.h>

#include <locale.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PAGE 20 /* keys of one answer of the server that is pretended */

struct version {
    char key[SR_STORAGE_KEY_MAX];
    char id[24];
    unsigned char *data;
    uint64_t len;
    int64_t locked_until;
    const void *locker; /* while this handle is open: a test need not wait for a date */
    int marker, unfinished;
    struct version *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct version *all; /* the newest first */
static unsigned long long next_id;
static unsigned opened;

struct handle {
    const struct sr_storage_host *host;
    char breaks[48], server[24];
    struct sr_storage_reader kept; /* of the last save, to misuse */
    unsigned number;
    pthread_t thread;
    int has_thread, stray;
    int stop;
};

static int breaks(const struct handle *h, const char *what)
{
    return strcmp(h->breaks, what) == 0;
}

static int32_t fail(const struct handle *h, int32_t code, const char *text)
{
    if (!breaks(h, "unsaid"))
        h->host->set_error(h->host, code, text);
    return code;
}

static void pause_ms(int ms)
{
    (void)poll(NULL, 0, ms);
}

/* --- the server that is pretended --- */

static int32_t ask_server(const struct handle *h)
{
    char token[64] = "";
    (void)h->host->setting(h->host, "token", token, sizeof token);
    if (h->host->is_cancelled(h->host) && !breaks(h, "cancel-deaf"))
        return fail(h, SR_STORAGE_E_CANCELLED, "cancelled");
    if (strcmp(token, "wrong-token") == 0 && !breaks(h, "wrong-passes"))
        return fail(h, SR_STORAGE_E_DENIED,
                    breaks(h, "secret") ? "the token wrong-token is not known"
                                        : "the token is not known");
    if (strcmp(h->server, "gone") == 0)
        return fail(h, breaks(h, "gone-denied") ? SR_STORAGE_E_DENIED : SR_STORAGE_E_UNAVAILABLE,
                    "nobody answers");
    if (strcmp(h->server, "silent") != 0)
        return SR_STORAGE_OK;
    struct pollfd p = {.fd = h->host->cancel_fd(h->host), .events = POLLIN};
    (void)poll(breaks(h, "silent-deaf") ? NULL : &p, !breaks(h, "silent-deaf"), 6000);
    return fail(h, SR_STORAGE_E_CANCELLED, "cancelled while waiting");
}

/* --- objects --- */

static int same_key(const struct handle *h, const char *a, const char *b)
{
    if (breaks(h, "case"))
        return strcasecmp(a, b) == 0;
    if (breaks(h, "long-keys"))
        return strncmp(a, b, 255) == 0;
    return strcmp(a, b) == 0;
}

/* The version id, or (NULL) the current one; NULL: none. */
static struct version *find(const struct handle *h, const char *key, const char *id)
{
    for (struct version *v = all; v; v = v->next) {
        if (v->unfinished || !same_key(h, v->key, key))
            continue;
        if (!id)
            return v->marker ? NULL : v;
        if (strcmp(v->id, id) == 0)
            return v->marker ? NULL : v;
    }
    return NULL;
}

static void drop(struct version *gone)
{
    struct version **at = &all;
    while (*at != gone)
        at = &(*at)->next;
    *at = gone->next;
    free(gone->data);
    free(gone);
}

static struct version *add(const char *key, unsigned char *data, uint64_t len)
{
    struct version *v = calloc(1, sizeof *v);
    if (!v)
        abort();
    (void)snprintf(v->key, sizeof v->key, "%s", key);
    (void)snprintf(v->id, sizeof v->id, "v%llu", ++next_id);
    v->data = data;
    v->len = len;
    v->next = all;
    all = v;
    return v;
}

/* --- life --- */

static void nothing(int sig)
{
    (void)sig;
}

/* What a plugin may not do to the process that it is in. */
static void misbehave(const struct handle *h)
{
    char path[4096];
    if (breaks(h, "signal"))
        (void)signal(SIGUSR2, nothing);
    if (breaks(h, "mask")) {
        sigset_t set;
        (void)sigemptyset(&set);
        (void)sigaddset(&set, SIGUSR2);
        (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    }
    if (breaks(h, "locale"))
        (void)setlocale(LC_ALL, "C.UTF-8");
    if (breaks(h, "umask"))
        (void)umask(0);
    if (breaks(h, "chdir"))
        (void)!chdir("/");
    if (breaks(h, "environment"))
        (void)setenv("MODEL_WAS_HERE", "1", 1);
    if (breaks(h, "stdout"))
        (void)printf("hello from the model\n");
    if (breaks(h, "stdin"))
        (void)!read(0, path, 1);
    if (breaks(h, "close-stdout"))
        (void)close(1);
    if (breaks(h, "cwd"))
        (void)!mkdir("model-was-here", 0700);
    if (breaks(h, "tmp") && getenv("TMPDIR")) {
        (void)snprintf(path, sizeof path, "%s/model-was-here", getenv("TMPDIR"));
        (void)!mkdir(path, 0700);
    }
    char beside[2048] = "";
    if (breaks(h, "beside") && h->host->setting(h->host, "dir", beside, sizeof beside) > 0) {
        (void)snprintf(path, sizeof path, "%s-beside", beside);
        (void)!mkdir(path, 0700);
    }
    if (breaks(h, "descriptor"))
        (void)!dup(2);
    if (breaks(h, "leak-open") && !malloc(1000))
        abort();
}

static void *outlive(void *ctx)
{
    struct handle *h = ctx;
    while (!__atomic_load_n(&h->stop, __ATOMIC_ACQUIRE)) {
        if (breaks(h, "service-late"))
            h->host->log(h->host, SR_STORAGE_LOG_DEBUG, "still here");
        else
            pause_ms(2);
    }
    return NULL;
}

static int32_t model_open(const struct sr_storage_host *host,
                          const struct sr_storage_open_options *options, void **ret_handle)
{
    struct handle *h = calloc(1, sizeof *h);
    (void)options;
    if (!h)
        return SR_STORAGE_E_UNAVAILABLE;
    h->host = host;
    (void)host->setting(host, "breaks", h->breaks, sizeof h->breaks);
    (void)host->setting(host, "server", h->server, sizeof h->server);
    h->number = __atomic_fetch_add(&opened, 1, __ATOMIC_SEQ_CST);
    if (breaks(h, "few-handles") && h->number >= 3) {
        int32_t rc = fail(h, SR_STORAGE_E_UNAVAILABLE, "no more handles");
        free(h);
        __atomic_fetch_sub(&opened, 1, __ATOMIC_SEQ_CST);
        return rc;
    }
    misbehave(h);
    h->stray = breaks(h, "thread");
    if (h->stray || breaks(h, "service-late"))
        h->has_thread = pthread_create(&h->thread, NULL, outlive, h) == 0;
    *ret_handle = h;
    return SR_STORAGE_OK;
}

static void model_close(void *handle)
{
    struct handle *h = handle;
    __atomic_fetch_sub(&opened, 1, __ATOMIC_SEQ_CST);
    pthread_mutex_lock(&lock);
    for (struct version *v = all; v; v = v->next)
        if (v->locker == h)
            v->locked_until = 0;
    pthread_mutex_unlock(&lock);
    if (h->stray)
        return; /* its thread goes on using it */
    __atomic_store_n(&h->stop, 1, __ATOMIC_RELEASE);
    if (h->has_thread)
        (void)pthread_join(h->thread, NULL);
    free(h);
}

static int32_t model_caps(void *handle, uint64_t *ret_capabilities)
{
    const struct handle *h = handle;
    if (breaks(h, "caps-more"))
        *ret_capabilities |= UINT64_C(1) << 30;
    if (breaks(h, "caps-differ") && h->number % 2)
        *ret_capabilities &= ~SR_CAP_RANGES;
    return SR_STORAGE_OK;
}

static int32_t model_place(void *handle, char *buf, uint64_t cap)
{
    const struct handle *h = handle;
    char text[128] = "model:", token[64] = "";
    if (breaks(h, "place-secret") && h->host->setting(h->host, "token", token, sizeof token) > 0)
        (void)snprintf(text, sizeof text, "model:%s", token);
    if (breaks(h, "place-differs"))
        (void)snprintf(text, sizeof text, "model:%u", h->number);
    if (strlen(text) >= cap && !breaks(h, "place-overflows"))
        return fail(h, SR_STORAGE_E_INTERNAL, "no room");
    memcpy(buf, text, breaks(h, "place-overflows") ? 2 : strlen(text) + 1);
    return SR_STORAGE_OK;
}

/* --- saving --- */

static int32_t pull(struct handle *h, const struct sr_storage_reader *reader, unsigned char **data,
                    uint64_t *len, uint64_t hint)
{
    uint64_t cap = 0;
    for (;;) {
        if (h->host->is_cancelled(h->host) && !breaks(h, "cancel-deaf"))
            return fail(h, SR_STORAGE_E_CANCELLED, "cancelled");
        uint64_t end = h->host->deadline(h->host);
        if (end && h->host->monotonic(h->host) >= end && !breaks(h, "deadline-deaf"))
            return fail(h, SR_STORAGE_E_TIMEOUT, "too late");
        if (cap == *len) {
            cap = cap ? 2 * cap : 65536;
            unsigned char *more = realloc(*data, cap);
            if (!more)
                return fail(h, SR_STORAGE_E_NO_SPACE, "out of memory");
            *data = more;
        }
        int64_t n = reader->read(reader->ctx, *data + *len, cap - *len, 1000);
        if (n == SR_STORAGE_READ_AGAIN && !breaks(h, "again-is-end"))
            continue;
        if (n == SR_STORAGE_READ_FAILED) {
            int32_t rc = fail(h, SR_STORAGE_E_CANCELLED, "the reader failed");
            if (breaks(h, "call-after-error"))
                (void)reader->read(reader->ctx, *data + *len, 1, 0);
            return rc;
        }
        if (n <= 0)
            break;
        *len += (uint64_t)n;
    }
    if (breaks(h, "hint-cuts") && hint && *len > hint)
        *len = hint;
    if (breaks(h, "part-cuts") && *len && *len % (3 << 20) == 0)
        --*len;
    return SR_STORAGE_OK;
}

static void confirm(const struct handle *h, const struct version *v, struct sr_storage_saved *ret)
{
    ret->confirmed = SR_STORAGE_CONFIRMED_SIZE | SR_STORAGE_CONFIRMED_VERSION;
    ret->object_size = v->len;
    (void)snprintf(ret->version, sizeof ret->version, "%s",
                   breaks(h, "version-other") ? "v0" : v->id);
    if (breaks(h, "sum-empty"))
        ret->confirmed |= SR_STORAGE_CONFIRMED_CHECKSUM;
    if (breaks(h, "writes-past"))
        memset((char *)ret + sizeof *ret, 0, (size_t)ret->size - sizeof *ret);
}

/* Visible from here on. */
static int32_t commit(struct handle *h, const char *key, uint64_t flags, int64_t retain_until,
                      unsigned char *data, uint64_t len, struct sr_storage_saved *ret)
{
    int replace = (flags & SR_STORAGE_SAVE_REPLACE) != 0;
    pthread_mutex_lock(&lock);
    struct version *was = find(h, key, NULL);
    if (breaks(h, "race")) {
        pthread_mutex_unlock(&lock);
        pause_ms(1); /* what was seen may be true no more */
        pthread_mutex_lock(&lock);
    }
    if (was && !replace) {
        pthread_mutex_unlock(&lock);
        return fail(h, SR_STORAGE_E_EXISTS, "the key is taken");
    }
    if (was && breaks(h, "version-lost"))
        drop(was);
    struct version *v = add(key, data, len);
    v->locker = h;
    v->locked_until = breaks(h, "lock-ignored") ? 0 : retain_until;
    confirm(h, v, ret);
    pthread_mutex_unlock(&lock);
    if (strcmp(h->server, "forgetful") == 0)
        return fail(h, breaks(h, "doubt-denied") ? SR_STORAGE_E_UNAVAILABLE : SR_STORAGE_E_IN_DOUBT,
                    "the answer was lost");
    return SR_STORAGE_OK;
}

/* What of the process goes with a plugin that does this. */
static void fall(const struct handle *h)
{
    if (breaks(h, "crash"))
        abort();
    if (breaks(h, "exit"))
        exit(0);
    while (breaks(h, "hang"))
        pause_ms(1000);
}

static int32_t model_save(void *handle, const struct sr_storage_object *object,
                          const struct sr_storage_reader *reader,
                          const struct sr_storage_save_options *options,
                          struct sr_storage_saved *ret_saved)
{
    struct handle *h = handle;
    char late[SR_STORAGE_KEY_MAX] = "";
    const char *key = object->key;
    unsigned char *data = NULL;
    uint64_t len = 0;
    struct version *early = NULL;
    fall(h);
    if (breaks(h, "call-late") && h->kept.read)
        (void)h->kept.read(h->kept.ctx, late, 1, 0);
    h->kept = *reader;
    int32_t rc = ask_server(h);
    if (rc != SR_STORAGE_OK)
        return rc;
    if (breaks(h, "leak") && !malloc(100))
        abort();
    if (!key && breaks(h, "late-early"))
        (void)reader->late_key(reader->ctx, late, sizeof late);
    pthread_mutex_lock(&lock);
    if (key && (breaks(h, "visible-early") || breaks(h, "sweep-live") || breaks(h, "keeps-part"))) {
        early = add(key, NULL, 0);
        early->unfinished = !breaks(h, "visible-early");
    }
    pthread_mutex_unlock(&lock);
    rc = pull(h, reader, &data, &len, object->size_hint);
    if (rc == SR_STORAGE_OK && !key && !*late) {
        rc = reader->late_key(reader->ctx, late, sizeof late);
        if (rc != SR_STORAGE_OK)
            (void)fail(h, rc, "it got no name");
    }
    if (rc == SR_STORAGE_OK && breaks(h, "large-fails") &&
        object->size_hint == SR_STORAGE_SIZE_UNKNOWN && len > 2 << 20)
        rc = fail(h, SR_STORAGE_E_NO_SPACE, "too large");
    pthread_mutex_lock(&lock);
    if (early && breaks(h, "sweep-live")) {
        const struct version *v = all;
        while (v && v != early)
            v = v->next;
        if (!v)
            rc = fail(h, SR_STORAGE_E_INTERNAL, "it was swept away"), early = NULL;
    }
    if (early && !(breaks(h, "keeps-part") && rc != SR_STORAGE_OK))
        drop(early);
    pthread_mutex_unlock(&lock);
    if (rc == SR_STORAGE_OK) {
        rc = commit(h, key ? key : late, options->flags, options->retain_until, data, len,
                    ret_saved);
        if (rc == SR_STORAGE_OK || rc == SR_STORAGE_E_IN_DOUBT || rc == SR_STORAGE_E_UNAVAILABLE)
            data = NULL;
    }
    free(data);
    return rc;
}

/* --- listing --- */

struct snapshot {
    struct version *items;
    size_t len;
};

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct version *)a)->key, ((const struct version *)b)->key);
}

static int is_current(const struct version *v)
{
    for (const struct version *w = all; w != v; w = w->next)
        if (!w->unfinished && strcmp(w->key, v->key) == 0)
            return 0;
    return 1;
}

/* Copies, because an emitter may come back through another handle. marker: of no interest later. */
static struct snapshot look(const struct sr_storage_list_options *o)
{
    struct snapshot s = {0};
    size_t n = 0;
    for (const struct version *v = all; v; v = v->next)
        n++;
    s.items = calloc(n + 1, sizeof *s.items);
    for (const struct version *v = all; s.items && v; v = v->next) {
        int current = is_current(v);
        if (v->unfinished || strncmp(v->key, o->prefix, strlen(o->prefix)) != 0 ||
            strcmp(v->key, o->start_after) <= 0 ||
            ((!current || v->marker) && !(o->flags & SR_STORAGE_LIST_VERSIONS)))
            continue;
        s.items[s.len] = *v;
        s.items[s.len++].unfinished = !current; /* here: old */
    }
    if (s.items)
        qsort(s.items, s.len, sizeof *s.items, by_key);
    return s;
}

struct emission {
    const struct sr_storage_emitter *to;
    const struct sr_storage_entry *entry;
    int32_t stop;
};

static void *emit_elsewhere(void *ctx)
{
    struct emission *e = ctx;
    e->stop = e->to->emit(e->to->ctx, e->entry);
    return NULL;
}

static int32_t emit(const struct handle *h, const struct sr_storage_emitter *to,
                    const struct version *v)
{
    const struct sr_storage_entry entry = {
        .size = sizeof entry,
        .key = v->key,
        .object_size = v->len + (breaks(h, "size-listed") && v->len == 3),
        .modified = 1,
        .locked_until = breaks(h, "lock-listed") && v->locked_until ? 1 : v->locked_until,
        .version = breaks(h, "version-same") ? "v" : v->id,
        .flags =
            (v->unfinished ? SR_STORAGE_ENTRY_OLD : 0) | (v->marker ? SR_STORAGE_ENTRY_MARKER : 0),
    };
    struct emission e = {to, &entry, 0};
    pthread_t thread;
    if (breaks(h, "foreign") && pthread_create(&thread, NULL, emit_elsewhere, &e) == 0)
        (void)pthread_join(thread, NULL);
    else
        (void)emit_elsewhere(&e);
    return e.stop;
}

static int32_t model_list(void *handle, const struct sr_storage_list_options *options,
                          const struct sr_storage_emitter *emitter)
{
    struct handle *h = handle;
    int32_t rc = ask_server(h), stop = 0;
    if (rc != SR_STORAGE_OK)
        return breaks(h, "error-empty") ? SR_STORAGE_OK : rc;
    pthread_mutex_lock(&lock);
    struct snapshot s = look(options);
    pthread_mutex_unlock(&lock);
    for (size_t i = 0; i < s.len && !stop; i++) {
        if (breaks(h, "one-page") && i == PAGE)
            break;
        const struct version *v = &s.items[breaks(h, "unsorted") ? s.len - 1 - i : i];
        stop = emit(h, emitter, v);
        if (breaks(h, "stop-deaf"))
            stop = 0;
        else if (breaks(h, "page-twice") && i == PAGE)
            stop = stop || emit(h, emitter, v);
    }
    free(s.items);
    if (stop && breaks(h, "stop-fails"))
        return fail(h, SR_STORAGE_E_CANCELLED, "stopped");
    return SR_STORAGE_OK;
}

static int32_t model_stat(void *handle, const struct sr_storage_fetch_options *options,
                          const struct sr_storage_emitter *emitter)
{
    struct handle *h = handle;
    struct version copy = {0};
    int32_t rc = ask_server(h);
    if (rc != SR_STORAGE_OK)
        return rc;
    pthread_mutex_lock(&lock);
    const struct version *v = find(h, options->key, options->version);
    for (const struct version *w = all; !v && w && breaks(h, "stat-prefix"); w = w->next)
        if (strncmp(w->key, options->key, strlen(options->key)) == 0)
            v = w;
    if (v)
        copy = *v;
    pthread_mutex_unlock(&lock);
    if (!v)
        return fail(h, SR_STORAGE_E_NOT_FOUND, "no such object");
    (void)emit(h, emitter, &copy);
    return SR_STORAGE_OK;
}

/* --- fetching --- */

/* Bytes of the version, copied under the lock: it may go at any time. 0: it is gone. */
static uint64_t some(const struct handle *h, const char *key, const char *id, uint64_t at,
                     unsigned char *out, uint64_t cap, uint64_t *ret_len)
{
    pthread_mutex_lock(&lock);
    const struct version *v = find(h, key, id);
    uint64_t n = v && at < v->len ? v->len - at : 0;
    if (n > cap)
        n = cap;
    if (n)
        memcpy(out, v->data + at, n);
    *ret_len = v ? v->len : 0;
    pthread_mutex_unlock(&lock);
    return n;
}

static int replaced(const struct handle *h, const char *key, const char *id)
{
    pthread_mutex_lock(&lock);
    const struct version *v = find(h, key, NULL);
    int other = !v || strcmp(v->id, id) != 0;
    pthread_mutex_unlock(&lock);
    return other;
}

static int32_t model_fetch(void *handle, const struct sr_storage_fetch_options *options,
                           const struct sr_storage_writer *writer)
{
    struct handle *h = handle;
    static _Thread_local unsigned char chunk[65536];
    char id[sizeof((struct version *)0)->id] = "";
    int32_t rc = ask_server(h);
    if (rc != SR_STORAGE_OK)
        return rc;
    pthread_mutex_lock(&lock);
    const struct version *v = find(h, options->key, options->version);
    uint64_t len = v ? v->len : 0;
    if (v)
        memcpy(id, v->id, sizeof id);
    pthread_mutex_unlock(&lock);
    if (!v)
        return breaks(h, "missing-passes") ? SR_STORAGE_OK
                                           : fail(h, SR_STORAGE_E_NOT_FOUND, "no such object");
    uint64_t at = options->offset + (breaks(h, "range-shifted") && options->offset);
    uint64_t left = at < len ? len - at : 0;
    if (options->length < left)
        left = options->length;
    if (options->offset > len && breaks(h, "range-past-fails"))
        return fail(h, SR_STORAGE_E_CONFIG, "416");
    while (left > 0 && rc == SR_STORAGE_OK) {
        uint64_t n = some(h, options->key, breaks(h, "mixed") ? NULL : id, at, chunk,
                          left < sizeof chunk ? left : sizeof chunk, &len);
        if (n == 0)
            return fail(h, SR_STORAGE_E_CHANGED, "it is another object now");
        if (breaks(h, "change-passes") && replaced(h, options->key, id))
            break;
        rc = ask_server(h);
        if (rc == SR_STORAGE_OK && writer->write(writer->ctx, chunk, n) != 0 &&
            !breaks(h, "write-deaf"))
            rc = fail(h, SR_STORAGE_E_CANCELLED, "stopped");
        at += n;
        left -= n;
    }
    return rc;
}

/* --- deleting --- */

static int32_t remove_one(struct handle *h, const char *key, const char *id,
                          struct sr_storage_deletion *ret)
{
    struct version *v = find(h, key, id);
    ret->outcome = SR_STORAGE_DELETED;
    if (!v)
        return breaks(h, "delete-strict") ? SR_STORAGE_E_NOT_FOUND : SR_STORAGE_OK;
    if (v->locked_until && !breaks(h, "lock-opens")) {
        ret->outcome = SR_STORAGE_KEPT;
        ret->locked_until = v->locked_until;
        return SR_STORAGE_OK;
    }
    if (id) {
        if (!breaks(h, "version-stays"))
            drop(v);
        return SR_STORAGE_OK;
    }
    if (breaks(h, "delete-lies"))
        return SR_STORAGE_OK;
    if (breaks(h, "delete-greedy"))
        for (struct version *w = all; w; w = w->next)
            if (strncmp(w->key, key, strlen(key)) == 0 && strcmp(w->key, key) != 0)
                w->marker = 1;
    add(key, NULL, 0)->marker = 1;
    ret->outcome = breaks(h, "hidden-lies") ? SR_STORAGE_DELETED : SR_STORAGE_HIDDEN;
    return SR_STORAGE_OK;
}

static int32_t model_delete(void *handle, const struct sr_storage_delete_options *options,
                            struct sr_storage_deletion *ret_deletion)
{
    struct handle *h = handle;
    int32_t rc = ask_server(h);
    if (rc != SR_STORAGE_OK)
        return rc;
    pthread_mutex_lock(&lock);
    rc = remove_one(h, options->key, options->version, ret_deletion);
    pthread_mutex_unlock(&lock);
    return rc == SR_STORAGE_OK ? rc : fail(h, rc, "no such object");
}

static int32_t model_delete_many(void *handle, const struct sr_storage_delete_options *items,
                                 uint64_t count, const struct sr_storage_answers *answers)
{
    struct handle *h = handle;
    uint64_t stride = breaks(h, "many-stride") ? sizeof *items : items->size;
    for (uint64_t i = 0; i < count; i++) {
        const struct sr_storage_delete_options *o =
            (const void *)((const char *)items + i * stride);
        struct sr_storage_deletion d = {.size = sizeof d};
        pthread_mutex_lock(&lock);
        int32_t rc = o->key && o->size == items->size ? remove_one(h, o->key, o->version, &d)
                                                      : SR_STORAGE_E_INTERNAL;
        pthread_mutex_unlock(&lock);
        answers->answer(answers->ctx, breaks(h, "many-twice") && i ? i - 1 : i, rc, NULL,
                        rc == SR_STORAGE_OK ? &d : NULL);
    }
    return SR_STORAGE_OK;
}

static int32_t model_check(void *handle, struct sr_storage_rights *ret_rights)
{
    ret_rights->may_write = ret_rights->may_list = ret_rights->may_read = ret_rights->may_delete =
        breaks(handle, "rights-unknown") ? -1 : SR_STORAGE_OK;
    return SR_STORAGE_OK;
}

static int32_t model_sweep(void *handle, const struct sr_storage_sweep_options *options,
                           const struct sr_storage_emitter *emitter)
{
    struct handle *h = handle;
    struct version copy;
    pthread_mutex_lock(&lock);
    for (struct version *v = all, *next; v; v = next) {
        next = v->next;
        /* Only where its maker broke a promise is anything unfinished to be found. */
        if (!v->unfinished)
            continue;
        copy = *v;
        pthread_mutex_unlock(&lock);
        (void)emit(h, emitter, &copy);
        pthread_mutex_lock(&lock);
        if (!(options->flags & SR_STORAGE_SWEEP_DRY_RUN))
            drop(v);
    }
    pthread_mutex_unlock(&lock);
    return SR_STORAGE_OK;
}

static int32_t model_copy(void *handle, const struct sr_storage_copy_options *options,
                          struct sr_storage_saved *ret_saved)
{
    struct handle *h = handle;
    pthread_mutex_lock(&lock);
    const struct version *v = find(h, options->from, options->from_version);
    uint64_t len = v ? v->len : 0;
    unsigned char *data = v ? malloc(len + 1) : NULL;
    if (data && len)
        memcpy(data, v->data, len);
    pthread_mutex_unlock(&lock);
    if (!data && breaks(h, "copy-passes"))
        return SR_STORAGE_OK;
    if (!data)
        return fail(h, SR_STORAGE_E_NOT_FOUND, "no such object");
    int32_t rc = commit(h, options->to,
                        options->flags | (breaks(h, "copy-over") ? SR_STORAGE_SAVE_REPLACE : 0),
                        options->retain_until, data, len, ret_saved);
    if (rc != SR_STORAGE_OK)
        free(data);
    return rc;
}

#define ROW(k, ...)                                                                     \
    {                                                                                   \
        .size = sizeof(struct sr_storage_setting), .key = (k), .help = "x", __VA_ARGS__ \
    }
static const struct sr_storage_setting settings[] = {
    ROW("breaks", .since = "1.0"),
    ROW("server", .type = SR_STORAGE_TYPE_CHOICE, .choices = "well|gone|silent|forgetful"),
    ROW("token", .flags = SR_STORAGE_SETTING_SECRET),
    ROW("part_size", .type = SR_STORAGE_TYPE_SIZE, .fallback = "3MiB"),
    ROW("dir", .type = SR_STORAGE_TYPE_PATH, .flags = SR_STORAGE_SETTING_PLACE),
    {0},
};

static struct sr_storage_plugin plugin = {
    .name = "model",
    .version = "1.0",
    .description = "Versions of objects in memory, for tests",
    .license = "MIT",
    .capabilities = SR_CAP_LATE_KEY | SR_CAP_ATOMIC_CREATE | SR_CAP_RANGES | SR_CAP_SORTED_LIST |
                    SR_CAP_LOCK | SR_CAP_COPY | SR_CAP_VERSIONS,
    .settings = settings,
    .open = model_open,
    .close = model_close,
    .ask_capabilities = model_caps,
    .place = model_place,
    .save = model_save,
    .list = model_list,
    .fetch = model_fetch,
    .delete_object = model_delete,
    .delete_many = model_delete_many,
    .stat = model_stat,
    .check = model_check,
    .sweep = model_sweep,
    .copy = model_copy,
};
SR_STORAGE_REGISTER(model, plugin);
