#include "config.h"
#include "core/plugin/host.h"
#include "core/plugin/inside.h"
#include "core/util/cleanup.h"
#include "core/util/log.h"
#include "core/util/text.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#define TEXT_MAX 1024
/* Shorter secrets (an empty one, a single digit) would blank out half of a message. */
#define SECRET_MIN 4
/* A verbose line that begins so tells what a plugin chose by itself. */
#define CHOICE "using "
#define CHOICES_MAX 8

struct sr_host {
    struct sr_storage_host services; /* first: what plugins point at */
    char label[128], file[512];
    const struct sr_clock *clock;
    const struct sr_setting_view *values;
    pthread_mutex_t lock; /* error, secrets, choices */
    int32_t code;
    char text[TEXT_MAX];
    struct sr_strlist secrets;
    struct sr_strlist choices; /* bounded by CHOICES_MAX */
    pthread_mutex_t call_lock; /* held by a callback while it runs */
    void *call;
    atomic_int active, cancelled, accused;
    atomic_uint_fast64_t deadline;
    int cancel_fd;
    struct sr_host *next; /* in the line of retired ones */
};

/* Retired hosts, oldest first. Part of what dlopen without dlclose means: code that stays in the
 * process may call at any time, and must then find memory that is a host. */
#define RETIRED_MAX 256
static struct {
    pthread_mutex_t lock;
    struct sr_host *first, **last;
    unsigned len;
} retired = {PTHREAD_MUTEX_INITIALIZER, NULL, NULL, 0};

static struct sr_host *host_of(const struct sr_storage_host *services)
{
    return (struct sr_host *)(uintptr_t)services;
}

static int in_call(struct sr_host *h, const char *what)
{
    if (atomic_load(&h->active))
        return 1;
    if (!atomic_exchange(&h->accused, 1))
        sr_log(SR_LOG_WARN,
               "plugin %s broke a promise: it called %s when no call was under way on that handle; "
               "ignored",
               h->file, what);
    return 0;
}

/* --- services --- */

static void service_set_error(const struct sr_storage_host *s, int32_t code, const char *text)
{
    struct sr_host *h = host_of(s);
    if (!in_call(h, "set_error"))
        return;
    pthread_mutex_lock(&h->lock);
    h->code = code;
    (void)snprintf(h->text, sizeof h->text, "%s", text ? text : "");
    pthread_mutex_unlock(&h->lock);
}

static void remember_choice(struct sr_host *h, const char *text)
{
    if (strncmp(text, CHOICE, strlen(CHOICE)) != 0)
        return;
    pthread_mutex_lock(&h->lock);
    if (h->choices.len < CHOICES_MAX && !sr_strlist_has(&h->choices, text))
        (void)sr_strlist_add(&h->choices, text);
    pthread_mutex_unlock(&h->lock);
}

static void service_log(const struct sr_storage_host *s, int32_t level, const char *text)
{
    struct sr_host *h = host_of(s);
    if (!text || !in_call(h, "log"))
        return;
    enum sr_log_level l = level < SR_STORAGE_LOG_ERROR   ? SR_LOG_ERROR
                          : level > SR_STORAGE_LOG_DEBUG ? SR_LOG_DEBUG
                                                         : (enum sr_log_level)level;
    if (l != SR_LOG_VERBOSE && !sr_log_enabled(l))
        return;
    char copy[TEXT_MAX];
    (void)snprintf(copy, sizeof copy, "%s", text);
    sr_host_redact(h, copy);
    if (l == SR_LOG_VERBOSE)
        remember_choice(h, copy);
    sr_log(l, "%s: %s", h->label, copy);
}

static void service_progress(const struct sr_storage_host *s, uint64_t bytes)
{
    /* Core counts on its own side of the border; a plugin's figure is of use in a trace only. */
    struct sr_host *h = host_of(s);
    if (in_call(h, "progress"))
        sr_log(SR_LOG_DEBUG, "%s: %llu bytes safe", h->label, (unsigned long long)bytes);
}

static int64_t service_now(const struct sr_storage_host *s)
{
    return sr_clock_now(host_of(s)->clock);
}

static uint64_t service_monotonic(const struct sr_storage_host *s)
{
    return (uint64_t)sr_clock_monotonic(host_of(s)->clock);
}

static int32_t service_random(const struct sr_storage_host *s, void *buf, uint64_t len)
{
    (void)s;
    return sr_random(buf, (size_t)len) == 0 ? SR_STORAGE_OK : SR_STORAGE_E_INTERNAL;
}

static void remember_secret(struct sr_host *h, const char *value)
{
    pthread_mutex_lock(&h->lock);
    if (strlen(value) >= SECRET_MIN && !sr_strlist_has(&h->secrets, value))
        (void)sr_strlist_add(&h->secrets, value);
    pthread_mutex_unlock(&h->lock);
}

static int64_t service_setting(const struct sr_storage_host *s, const char *key, char *buf,
                               uint64_t cap)
{
    struct sr_host *h = host_of(s);
    if (!in_call(h, "setting") || !h->values || !key)
        return -1;
    char *value = NULL;
    struct sr_error err = SR_ERROR_INIT;
    if (sr_setting_get(h->values, key, &value, NULL, &err) != SR_OK) {
        service_set_error(s, err.code < 200 ? err.code : SR_STORAGE_E_CONFIG, err.text);
        return -2;
    }
    if (!value)
        return -1;
    const struct sr_storage_setting *row = sr_setting_row(h->values, key);
    if (row && (row->flags & SR_STORAGE_SETTING_SECRET))
        remember_secret(h, value);
    size_t n = strlen(value);
    if (n < cap)
        memcpy(buf, value, n + 1);
    explicit_bzero(value, n);
    free(value);
    return (int64_t)n;
}

static int32_t service_is_cancelled(const struct sr_storage_host *s)
{
    return sr_host_is_cancelled(host_of(s));
}

static int32_t service_cancel_fd(const struct sr_storage_host *s)
{
    return host_of(s)->cancel_fd;
}

static uint64_t service_deadline(const struct sr_storage_host *s)
{
    return atomic_load(&host_of(s)->deadline);
}

static const struct sr_storage_host all_services = {
    .size = sizeof(struct sr_storage_host),
    .api_version = SR_STORAGE_API_VERSION,
    .set_error = service_set_error,
    .log = service_log,
    .progress = service_progress,
    .now = service_now,
    .monotonic = service_monotonic,
    .random = service_random,
    .setting = service_setting,
    .is_cancelled = service_is_cancelled,
    .cancel_fd = service_cancel_fd,
    .deadline = service_deadline,
};

/* --- life --- */

static struct sr_host *take_retired(void)
{
    struct sr_host *h = NULL;
    pthread_mutex_lock(&retired.lock);
    if (retired.len >= RETIRED_MAX) {
        h = retired.first;
        retired.first = h->next;
        retired.len--;
    }
    pthread_mutex_unlock(&retired.lock);
    return h;
}

int sr_host_new(const struct sr_host_options *o, struct sr_host **ret, struct sr_error *err)
{
    struct sr_host *h = take_retired();
    if (!h) {
        h = calloc(1, sizeof *h);
        if (!h)
            return sr_fail(err, SR_E_NO_MEMORY, "%s: out of memory", o->label);
        pthread_mutex_init(&h->lock, NULL);
        pthread_mutex_init(&h->call_lock, NULL);
        h->services = all_services;
    }
    h->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (h->cancel_fd < 0) {
        int e = errno;
        sr_host_retire(h);
        return sr_fail_errno(err, e, "%s: cannot make a descriptor for cancelling", o->label);
    }
    (void)snprintf(h->label, sizeof h->label, "%s", o->label);
    (void)snprintf(h->file, sizeof h->file, "%s", o->file);
    h->clock = o->clock;
    h->values = o->values;
    h->code = 0;
    h->text[0] = '\0';
    h->next = NULL;
    atomic_store(&h->cancelled, 0);
    atomic_store(&h->accused, 0);
    atomic_store(&h->deadline, 0);
    *ret = h;
    return SR_OK;
}

void sr_host_retire(struct sr_host *h)
{
    if (!h)
        return;
    atomic_store(&h->active, 0);
    sr_host_call_set(h, NULL);
    pthread_mutex_lock(&h->lock);
    for (size_t i = 0; i < h->secrets.len; i++)
        explicit_bzero(h->secrets.items[i], strlen(h->secrets.items[i]));
    sr_strlist_done(&h->secrets);
    sr_strlist_done(&h->choices);
    h->values = NULL;
    h->clock = &sr_clock_system;
    pthread_mutex_unlock(&h->lock);
    if (h->cancel_fd >= 0)
        (void)close(h->cancel_fd);
    h->cancel_fd = -1;
    h->next = NULL;
    pthread_mutex_lock(&retired.lock);
    *(retired.first ? retired.last : &retired.first) = h;
    retired.last = &h->next;
    retired.len++;
    pthread_mutex_unlock(&retired.lock);
}

const struct sr_storage_host *sr_host_services(const struct sr_host *h)
{
    return &h->services;
}

/* --- calls --- */

void sr_host_enter(struct sr_host *h)
{
    pthread_mutex_lock(&h->lock);
    h->code = 0;
    h->text[0] = '\0';
    pthread_mutex_unlock(&h->lock);
    atomic_store(&h->active, 1);
    (void)sr_plugin_inside_set(h->file);
}

void sr_host_leave(struct sr_host *h)
{
    (void)sr_plugin_inside_set(NULL);
    atomic_store(&h->active, 0);
    sr_host_call_set(h, NULL);
}

void sr_host_call_set(struct sr_host *h, void *call)
{
    pthread_mutex_lock(&h->call_lock);
    h->call = call;
    pthread_mutex_unlock(&h->call_lock);
}

void *sr_host_call_get(struct sr_host *h, const char *what)
{
    if (!in_call(h, what))
        return NULL;
    pthread_mutex_lock(&h->call_lock);
    if (h->call)
        return h->call;
    pthread_mutex_unlock(&h->call_lock);
    return NULL;
}

void sr_host_call_put(struct sr_host *h)
{
    pthread_mutex_unlock(&h->call_lock);
}

static int code_known(int32_t code)
{
    return code >= SR_STORAGE_E_NOT_FOUND && code <= SR_STORAGE_E_INTERNAL && code % 10 == 0;
}

int sr_host_error(struct sr_host *h, int32_t code, const char *doing, struct sr_error *err)
{
    if (code == SR_STORAGE_OK)
        return SR_OK;
    pthread_mutex_lock(&h->lock);
    char text[TEXT_MAX];
    memcpy(text, h->text, sizeof text);
    pthread_mutex_unlock(&h->lock);
    sr_host_redact(h, text);
    if (!code_known(code))
        return sr_fail(err, SR_E_INTERNAL,
                       "%s: %s: plugin %s broke a promise: it returned the code %d, which is not "
                       "in the storage interface%s%s",
                       h->label, doing, h->file, (int)code, *text ? ": " : "", text);
    return sr_fail(err, code, "%s: %s: %s", h->label, doing, *text ? text : sr_code_name(code));
}

int sr_host_was_misused(const struct sr_host *h)
{
    return atomic_load(&((struct sr_host *)(uintptr_t)h)->accused);
}

int32_t sr_host_said(const struct sr_host *h, const char **ret_text)
{
    *ret_text = h->text;
    return h->code;
}

const struct sr_strlist *sr_host_choices(const struct sr_host *h)
{
    return &h->choices;
}

void sr_host_cancel(struct sr_host *h)
{
    atomic_store(&h->cancelled, 1);
    uint64_t one = 1;
    ssize_t n = write(h->cancel_fd, &one, sizeof one);
    (void)n; /* full means readable already */
}

void sr_host_resume(struct sr_host *h)
{
    uint64_t n;
    ssize_t got = read(h->cancel_fd, &n, sizeof n);
    (void)got;
    atomic_store(&h->cancelled, 0);
}

int sr_host_is_cancelled(const struct sr_host *h)
{
    return atomic_load(&((struct sr_host *)(uintptr_t)h)->cancelled);
}

void sr_host_deadline(struct sr_host *h, uint64_t deadline)
{
    atomic_store(&h->deadline, deadline);
}

/* A secret that the end of the text cut through: what is left of it goes. */
static void redact_end(char *text, const char *secret, size_t n)
{
    size_t len = strlen(text);
    for (size_t part = n - 1; part > 0; part--)
        if (part <= len && memcmp(text + len - part, secret, part) == 0) {
            text[len - part] = '\0';
            return;
        }
}

void sr_host_redact(const struct sr_host *h, char *text)
{
    struct sr_host *own = host_of(&h->services);
    int cut = strlen(text) + 1 >= TEXT_MAX;
    pthread_mutex_lock(&own->lock);
    for (size_t i = 0; i < own->secrets.len; i++) {
        const char *secret = own->secrets.items[i];
        size_t n = strlen(secret);
        for (char *at = text; (at = strstr(at, secret)) != NULL; at += 3) {
            /* A secret has SECRET_MIN bytes or more, so the text only ever gets shorter. */
            memcpy(at, "***", 3);
            memmove(at + 3, at + n, strlen(at + n) + 1);
        }
        if (cut)
            redact_end(text, secret, n);
    }
    pthread_mutex_unlock(&own->lock);
}
