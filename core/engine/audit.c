#include "config.h"
#include "core/engine/audit.h"
#include "core/util/cleanup.h"
#include "core/util/fs.h"
#include "core/util/json.h"
#include "core/util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes of one value; an error text is at most 2 KiB, names are shorter. */
#define VALUE_MAX 8192

static const char *const context_names[] = {"user_id", "ip_address", "trace_id"};
static const char *const context_settings[] = {"BACKUP_USER_ID", "BACKUP_IP_ADDRESS",
                                               "BACKUP_TRACE_ID"};
#define CONTEXTS (sizeof context_names / sizeof *context_names)

struct sr_audit {
    const struct sr_clock *clock;
    char *path; /* NULL: standard error, or nowhere */
    int off;
    int to_stderr;
    char *context[CONTEXTS];
    pthread_mutex_t lock; /* of warned, and between the look at the file's end and the write */
    int warned;
};

static int choose_place(const struct sr_config *cfg, struct sr_audit *a, struct sr_error *err)
{
    const char *where = sr_config_str(cfg, "BACKUP_AUDIT_LOG");
    if (where && strcasecmp(where, "off") == 0) {
        a->off = 1;
        return SR_OK;
    }
    if (where && strcmp(where, "-") == 0) {
        a->to_stderr = 1;
        return SR_OK;
    }
    if (where)
        return sr_config_path(cfg, "BACKUP_AUDIT_LOG", &a->path, err);
    _cleanup_free_ char *dir = NULL;
    int rc = sr_config_state_dir(cfg, &dir, err);
    if (rc != SR_OK)
        return rc;
    a->path = sr_fs_join(dir, "audit.log");
    return a->path ? SR_OK : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
}

int sr_audit_open(const struct sr_config *cfg, const struct sr_clock *clock, struct sr_audit **ret,
                  struct sr_error *err)
{
    struct sr_audit *a = calloc(1, sizeof *a);
    if (!a)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    a->clock = clock;
    (void)pthread_mutex_init(&a->lock, NULL);
    int rc = choose_place(cfg, a, err);
    for (size_t i = 0; rc == SR_OK && i < CONTEXTS; i++) {
        const char *value = sr_config_str(cfg, context_settings[i]);
        if (value && !(a->context[i] = strdup(value)))
            rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    if (rc != SR_OK) {
        sr_audit_close(a);
        return sr_error_wrap(err, "the audit log");
    }
    *ret = a;
    return SR_OK;
}

void sr_audit_close(struct sr_audit *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < CONTEXTS; i++)
        free(a->context[i]);
    (void)pthread_mutex_destroy(&a->lock);
    free(a->path);
    free(a);
}

/* A number as it is written, if it is one, else a string. */
static json_t *number(const char *value)
{
    json_t *v = json_loads(value, JSON_DECODE_ANY, NULL);
    if (json_is_number(v))
        return v;
    json_decref(v);
    return sr_json_text(value);
}

static int add_pair(json_t *line, const char *name, const char *value)
{
    char cut[VALUE_MAX + 1];
    size_t len = strnlen(value, VALUE_MAX + 1);
    if (len > VALUE_MAX) {
        memcpy(cut, value, VALUE_MAX);
        /* Not within a character: UTF-8 goes on with bytes 10xxxxxx. */
        len = VALUE_MAX;
        while (len > VALUE_MAX - 4 && ((unsigned char)value[len] & 0xc0) == 0x80)
            len--;
        cut[len] = '\0';
        value = cut;
    }
    if (*name == '#')
        return json_object_set_new(line, name + 1, number(value));
    return json_object_set_new(line, name, sr_json_text(value));
}

/* One line with its newline, malloc'd; NULL: no memory. */
static char *line_make(const struct sr_audit *a, const char *action, va_list pairs)
{
    char now[SR_TIME_ISO_SIZE];
    json_t *line = json_object();
    sr_time_iso(sr_clock_now(a->clock), now);
    int bad = !line || add_pair(line, "time", now) || add_pair(line, "action", action);
    for (const char *name; !bad && (name = va_arg(pairs, const char *));) {
        const char *value = va_arg(pairs, const char *);
        bad = value && add_pair(line, name, value);
    }
    for (size_t i = 0; !bad && i < CONTEXTS; i++)
        bad = a->context[i] && add_pair(line, context_names[i], a->context[i]);
    _cleanup_free_ char *text = bad ? NULL : json_dumps(line, JSON_COMPACT);
    json_decref(line);
    char *out = NULL;
    return text && asprintf(&out, "%s\n", text) > 0 ? out : NULL;
}

/* A line that the disk took only half of must not swallow the next one. */
static int ends_open(int fd)
{
    struct stat st;
    char last = '\n';
    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
           pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n';
}

/* Opened anew for each line, so that a rotated log is followed. */
static int line_write(const struct sr_audit *a, const char *line, struct sr_error *err)
{
    if (a->to_stderr)
        return sr_write_full(STDERR_FILENO, line, strlen(line)) == 0
                   ? SR_OK
                   : sr_fail_errno(err, errno, "standard error");
    const char *slash = strrchr(a->path, '/');
    _cleanup_free_ char *folder =
        slash && slash > a->path ? strndup(a->path, (size_t)(slash - a->path)) : NULL;
    int rc = folder ? sr_fs_mkdirs(folder, 0700, err) : SR_OK;
    if (rc != SR_OK)
        return rc;
    /* O_NONBLOCK: a FIFO that nobody reads must not stop a backup. */
    _cleanup_close_ int fd =
        open(a->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
    if (fd < 0)
        return sr_fail_errno(err, errno, "%s", a->path);
    /* Writers take turns: one that looks at the end must not see half of another's line. A file
     * system without locks leaves that to chance, as it would be without this. */
    (void)flock(fd, LOCK_EX);
    if ((ends_open(fd) && sr_write_full(fd, "\n", 1) != 0) ||
        sr_write_full(fd, line, strlen(line)) != 0)
        return sr_fail_errno(err, errno, "%s", a->path);
    return SR_OK;
}

void sr_audit_event(struct sr_audit *a, const char *action, ...)
{
    struct sr_error err = SR_ERROR_INIT;
    if (!a || a->off)
        return;
    va_list pairs;
    va_start(pairs, action);
    _cleanup_free_ char *line = line_make(a, action, pairs);
    va_end(pairs);
    (void)pthread_mutex_lock(&a->lock);
    int rc = line ? line_write(a, line, &err) : sr_fail(&err, SR_E_NO_MEMORY, "out of memory");
    int first = rc != SR_OK && !a->warned;
    a->warned |= rc != SR_OK;
    (void)pthread_mutex_unlock(&a->lock);
    if (first)
        sr_log(SR_LOG_WARN,
               "the audit log cannot be written: %s; operations go on without it (set "
               "BACKUP_AUDIT_LOG to another file, - or off)",
               err.text);
}
