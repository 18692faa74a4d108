/* A plugin for tests: the example's archive behind a connection that is slow, breaks off or hangs
 * where it is told to, and locks that the example does not know.
 *
 *     fails   STAGE:END, where a save of a key that ends so goes wrong: begin, middle (after
 * 100,000 bytes), last (at the end of the bytes), doubt (it is stored, and the answer is lost).
 *             Other stages: open:, list:, delete:END. A dump that gets its name late ends as any.
 *     once    a file: things go wrong only while it is there, and the first time takes it away
 *     pace    bytes a second that a save takes
 *     gate    STAGE:END:FOLDER, where a save makes FOLDER/reached and waits for FOLDER/go
 *     late    off: it cannot be told a name after the bytes
 *     locks   a file: retain_until is honoured, and kept there
 */
#define SR_STORAGE_STATIC
#include "plugins/example/example.c" /* NOLINT: its table is wrapped below */
#undef SR_STORAGE_STATIC

#include <time.h>

struct trouble {
    const struct sr_storage_host *host;
    void *inner;
    char fails[64], once[256], gate[256], locks[256];
    uint64_t pace;
    int late;
};

struct passing { /* one save */
    struct trouble *t;
    const struct sr_storage_reader *reader;
    const char *key; /* NULL: late */
    uint64_t taken;
    struct timespec start;
    int broken;
};

static struct sr_storage_setting trouble_settings[16];

static int says(const char *text, const char *stage, const char *key)
{
    size_t n = strlen(stage), k = key ? strlen(key) : 0;
    if (strncmp(text, stage, n) != 0 || text[n] != ':')
        return 0;
    const char *end = text + n + 1;
    size_t e = strcspn(end, ":");
    return !key || (e <= k && memcmp(key + k - e, end, e) == 0);
}

static void wait_at(const struct trouble *t, const char *stage, const char *key)
{
    char path[512];
    const char *folder = strrchr(t->gate, ':');
    if (!folder || !says(t->gate, stage, key))
        return;
    (void)snprintf(path, sizeof path, "%s/reached", folder + 1);
    FILE *f = fopen(path, "we");
    if (f)
        (void)fclose(f);
    (void)snprintf(path, sizeof path, "%s/go", folder + 1);
    const struct timespec pause = {.tv_nsec = 10000000};
    for (int i = 0; i < 6000 && access(path, F_OK) != 0 && !t->host->is_cancelled(t->host); i++)
        (void)nanosleep(&pause, NULL);
}

/* Nonzero when this goes wrong now. */
static int trouble_at(const struct trouble *t, const char *stage, const char *key)
{
    wait_at(t, stage, key);
    return says(t->fails, stage, key) && (!*t->once || unlink(t->once) == 0);
}

static int32_t broke(const struct trouble *t, int32_t code, const char *where)
{
    char text[128];
    (void)snprintf(text, sizeof text, "the connection broke (%s)", where);
    t->host->set_error(t->host, code, text);
    return code;
}

static void text_setting(const struct sr_storage_host *host, const char *key, char *out, size_t cap)
{
    if (host->setting(host, key, out, cap) < 0)
        *out = '\0';
}

static int32_t trouble_open(const struct sr_storage_host *host,
                            const struct sr_storage_open_options *options, void **ret_handle)
{
    char number[32];
    struct trouble *t = calloc(1, sizeof *t);
    if (!t)
        return SR_STORAGE_E_UNAVAILABLE;
    t->host = host;
    text_setting(host, "fails", t->fails, sizeof t->fails);
    text_setting(host, "once", t->once, sizeof t->once);
    text_setting(host, "gate", t->gate, sizeof t->gate);
    text_setting(host, "locks", t->locks, sizeof t->locks);
    text_setting(host, "pace", number, sizeof number);
    t->pace = strtoull(number, NULL, 10);
    text_setting(host, "late", number, sizeof number);
    t->late = *number == '1';
    int32_t rc = trouble_at(t, "open", NULL) ? broke(t, SR_STORAGE_E_UNAVAILABLE, "open")
                                             : example_open(host, options, &t->inner);
    if (rc == SR_STORAGE_OK)
        *ret_handle = t;
    else
        free(t);
    return rc;
}

static void trouble_close(void *handle)
{
    struct trouble *t = handle;
    example_close(t->inner);
    free(t);
}

static int32_t trouble_capabilities(void *handle, uint64_t *ret)
{
    const struct trouble *t = handle;
    *ret = SR_CAP_ATOMIC_CREATE | SR_CAP_RANGES | SR_CAP_SURE_SWEEP |
           (t->late ? SR_CAP_LATE_KEY : 0) | (*t->locks ? SR_CAP_LOCK : 0);
    return SR_STORAGE_OK;
}

static int32_t trouble_place(void *handle, char *buf, uint64_t cap)
{
    return example_place(((struct trouble *)handle)->inner, buf, cap);
}

/* Sleeps until so many bytes are due at that pace. */
static void keep_pace(const struct passing *p)
{
    struct timespec now;
    const struct timespec pause = {.tv_nsec = 5000000};
    if (p->t->pace == 0)
        return;
    for (;;) {
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        double passed =
            (double)(now.tv_sec - p->start.tv_sec) + (double)(now.tv_nsec - p->start.tv_nsec) / 1e9;
        if (passed * (double)p->t->pace >= (double)p->taken || p->t->host->is_cancelled(p->t->host))
            return;
        (void)nanosleep(&pause, NULL);
    }
}

static int64_t passing_read(void *ctx, void *buf, uint64_t cap, int32_t timeout_ms)
{
    struct passing *p = ctx;
    if (p->broken)
        return SR_STORAGE_READ_FAILED;
    int64_t n = p->reader->read(p->reader->ctx, buf, cap < 32768 ? cap : 32768, timeout_ms);
    if (n > 0)
        p->taken += (uint64_t)n;
    keep_pace(p);
    p->broken = (n > 0 && p->taken > 100000 && p->taken - (uint64_t)n <= 100000 &&
                 trouble_at(p->t, "middle", p->key)) ||
                (n == 0 && trouble_at(p->t, "last", p->key));
    return p->broken ? SR_STORAGE_READ_FAILED : n;
}

static int32_t passing_late(void *ctx, char *buf, uint64_t cap)
{
    const struct passing *p = ctx;
    return p->reader->late_key(p->reader->ctx, buf, cap);
}

static void note_lock(const struct trouble *t, const char *key, int64_t until)
{
    FILE *f = fopen(t->locks, "ae");
    if (!f)
        abort();
    (void)fprintf(f, "%s %lld\n", key, (long long)until);
    (void)fclose(f);
}

static int64_t locked_until(const struct trouble *t, const char *key)
{
    char line[SR_STORAGE_KEY_MAX];
    long long until = 0, found = 0;
    FILE *f = *t->locks ? fopen(t->locks, "re") : NULL;
    while (f && fscanf(f, "%1023s %lld", line, &until) == 2)
        if (strcmp(line, key) == 0)
            found = until;
    if (f)
        (void)fclose(f);
    return found > t->host->now(t->host) ? found : 0;
}

static int32_t trouble_save(void *handle, const struct sr_storage_object *object,
                            const struct sr_storage_reader *reader,
                            const struct sr_storage_save_options *options,
                            struct sr_storage_saved *ret_saved)
{
    struct trouble *t = handle;
    struct passing p = {.t = t, .reader = reader, .key = object->key};
    struct sr_storage_reader mine = {sizeof mine, &p, passing_read, passing_late};
    struct sr_storage_save_options o = *options;
    (void)clock_gettime(CLOCK_MONOTONIC, &p.start);
    o.retain_until = 0;
    if (options->retain_until && !object->key)
        abort(); /* a test must give late names to stores without locks */
    if (trouble_at(t, "begin", object->key))
        return broke(t, SR_STORAGE_E_UNAVAILABLE, "begin");
    int32_t rc = example_save(t->inner, object, &mine, &o, ret_saved);
    if (p.broken)
        return broke(t, SR_STORAGE_E_UNAVAILABLE, "on the way");
    if (rc == SR_STORAGE_OK && options->retain_until)
        note_lock(t, object->key, options->retain_until);
    if (rc == SR_STORAGE_OK && trouble_at(t, "doubt", object->key))
        return broke(t, SR_STORAGE_E_IN_DOUBT, "the answer is lost");
    return rc;
}

static int32_t trouble_list(void *handle, const struct sr_storage_list_options *options,
                            const struct sr_storage_emitter *emitter)
{
    const struct trouble *t = handle;
    if (trouble_at(t, "list", options->prefix))
        return broke(t, SR_STORAGE_E_UNAVAILABLE, "list");
    return example_list(t->inner, options, emitter);
}

static int32_t trouble_fetch(void *handle, const struct sr_storage_fetch_options *options,
                             const struct sr_storage_writer *writer)
{
    return example_fetch(((struct trouble *)handle)->inner, options, writer);
}

static int32_t trouble_delete(void *handle, const struct sr_storage_delete_options *options,
                              struct sr_storage_deletion *ret)
{
    const struct trouble *t = handle;
    int64_t until = locked_until(t, options->key);
    if (trouble_at(t, "delete", options->key))
        return broke(t, SR_STORAGE_E_UNAVAILABLE, "delete");
    if (until) {
        ret->outcome = SR_STORAGE_KEPT;
        ret->locked_until = until;
        return SR_STORAGE_OK;
    }
    return example_delete(t->inner, options, ret);
}

static int32_t trouble_sweep(void *handle, const struct sr_storage_sweep_options *options,
                             const struct sr_storage_emitter *emitter)
{
    return example_sweep(((struct trouble *)handle)->inner, options, emitter);
}

#define TROUBLE_ROW(k, ty, fb, h)                                                              \
    {                                                                                          \
        .size = sizeof(struct sr_storage_setting), .key = (k), .type = (ty), .fallback = (fb), \
        .help = (h)                                                                            \
    }

static struct sr_storage_plugin trouble = {
    .name = "trouble",
    .version = "1.0",
    .description = "The example behind a bad connection, for tests",
    .license = "MIT",
    .capabilities =
        SR_CAP_LATE_KEY | SR_CAP_ATOMIC_CREATE | SR_CAP_RANGES | SR_CAP_SURE_SWEEP | SR_CAP_LOCK,
    .settings = trouble_settings,
    .open = trouble_open,
    .close = trouble_close,
    .ask_capabilities = trouble_capabilities,
    .place = trouble_place,
    .save = trouble_save,
    .list = trouble_list,
    .fetch = trouble_fetch,
    .delete_object = trouble_delete,
    .sweep = trouble_sweep,
};

SR_STORAGE_EXPORT const struct sr_storage_plugin *sr_storage_plugin_entry(void);
const struct sr_storage_plugin *sr_storage_plugin_entry(void)
{
    static const struct sr_storage_setting own[] = {
        TROUBLE_ROW("fails", SR_STORAGE_TYPE_STRING, NULL, "STAGE:END, what goes wrong"),
        TROUBLE_ROW("once", SR_STORAGE_TYPE_STRING, NULL, "File that says that it does"),
        TROUBLE_ROW("pace", SR_STORAGE_TYPE_INT, "0", "Bytes a second; 0: any"),
        TROUBLE_ROW("gate", SR_STORAGE_TYPE_STRING, NULL, "STAGE:END:FOLDER, where a save waits"),
        TROUBLE_ROW("late", SR_STORAGE_TYPE_BOOL, "on", "Late names"),
        TROUBLE_ROW("locks", SR_STORAGE_TYPE_STRING, NULL, "File of locks"),
    };
    size_t n = 0;
    for (const struct sr_storage_setting *r = settings; r->key; r++)
        trouble_settings[n++] = *r;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        trouble_settings[n++] = own[i];
    trouble.size = sizeof trouble;
    trouble.api_version = SR_STORAGE_API_VERSION;
    return &trouble;
}
