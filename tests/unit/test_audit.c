#include "config.h"
#include "core/engine/audit.h"
#include "core/util/buf.h"
#include "core/util/fs.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static int64_t fixed_now(void *ctx)
{
    (void)ctx;
    return 1795179901;
}
static const struct sr_clock fixed = {fixed_now, NULL, NULL};

/* An audit log of the settings given, as if from flags. */
static struct sr_audit *audit_of(const char *a, const char *b)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_config *cfg = NULL;
    struct sr_audit *audit = NULL;
    struct sr_strlist flags = {0};
    char *none[] = {NULL};
    char dir[128];
    (void)snprintf(dir, sizeof dir, "BACKUP_DIR=%s/store", folder);
    CU_ASSERT_EQUAL(sr_strlist_add(&flags, dir), SR_OK);
    if (a)
        CU_ASSERT_EQUAL(sr_strlist_add(&flags, a), SR_OK);
    if (b)
        CU_ASSERT_EQUAL(sr_strlist_add(&flags, b), SR_OK);
    struct sr_config_options o = {
        .config_file = "/dev/null", .env_file = "/dev/null", .flags = &flags, .environ_ = none};
    ASSERT_OK(sr_config_new(&o, &cfg, &err), err);
    ASSERT_OK(sr_audit_open(cfg, &fixed, &audit, &err), err);
    sr_config_free(cfg);
    sr_strlist_done(&flags);
    CU_ASSERT_PTR_NOT_NULL_FATAL(audit);
    return audit;
}

/* malloc'd; "" when there is none. */
static char *content_of(const char *name)
{
    char path[256];
    struct sr_buf b;
    sr_buf_init(&b, 1 << 20);
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    (void)sr_fs_read_file(path, &b, NULL);
    return sr_buf_steal(&b);
}

#define LOG "store/.strongroom/audit.log"

static void lines_are_what_grep_looks_for(void)
{
    struct sr_audit *a = audit_of(NULL, NULL);
    sr_audit_event(a, "db_backup_started", "trigger", "cli", "dump_path", "k.sql.gz", NULL);
    sr_audit_event(a, "db_backup_succeeded", "trigger", "cli", "outcome", "success", "dump_path",
                   "k.sql.gz", "dump_hash", NULL, "#size_bytes", "1234", NULL);
    sr_audit_event(a, "db_backup_failed", "trigger", "scheduled", "outcome", "failure", "error",
                   "a \"quoted\" \\ line\nand \x01 caf\xc3\xa9 \xff", NULL);
    char *text = content_of(LOG);
    CU_ASSERT_STRING_EQUAL(
        text,
        "{\"time\":\"2026-11-20T13:05:01Z\",\"action\":\"db_backup_started\",\"trigger\":\"cli\","
        "\"dump_path\":\"k.sql.gz\"}\n"
        "{\"time\":\"2026-11-20T13:05:01Z\",\"action\":\"db_backup_succeeded\",\"trigger\":\"cli\","
        "\"outcome\":\"success\",\"dump_path\":\"k.sql.gz\",\"size_bytes\":1234}\n"
        "{\"time\":\"2026-11-20T13:05:01Z\",\"action\":\"db_backup_failed\",\"trigger\":"
        "\"scheduled\",\"outcome\":\"failure\",\"error\":\"a \\\"quoted\\\" \\\\ line\\nand "
        "\\u0001 "
        "caf\xc3\xa9 \\\\xFF\"}\n");
    free(text);
    char command[512];
    (void)snprintf(command, sizeof command,
                   "grep -q '\"action\":\"db_backup_failed\"' %s/" LOG
                   " && grep '\"outcome\":\"success\"' %s/" LOG " | grep -q db_backup_succeeded",
                   folder, folder);
    CU_ASSERT_EQUAL(system(command), 0);
    struct stat st;
    (void)snprintf(command, sizeof command, "%s/" LOG, folder);
    CU_ASSERT_EQUAL(stat(command, &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 0777, 0600);
    *strrchr(command, '/') = '\0';
    CU_ASSERT_EQUAL(stat(command, &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 0777, 0700);
    sr_audit_close(a);
    sr_audit_close(NULL);
    sr_audit_event(NULL, "nothing", NULL);
}

static void numbers_are_numbers_or_text(void)
{
    char path[128];
    (void)snprintf(path, sizeof path, "BACKUP_AUDIT_LOG=%s/n/numbers", folder);
    struct sr_audit *a = audit_of(path, NULL);
    sr_audit_event(a, "x", "#a", "12", "#b", "1.5", "#c", "-3", "#d", "12x", "#e", "", "#f", "[1]",
                   "#g", "true", NULL);
    char *text = content_of("n/numbers");
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"a\":12,\"b\":1.5,\"c\":-3,\"d\":\"12x\",\"e\":\"\","
                                        "\"f\":\"[1]\",\"g\":\"true\"}\n"));
    free(text);
    sr_audit_close(a);
}

static void context_is_added(void)
{
    char path[128];
    (void)snprintf(path, sizeof path, "BACKUP_AUDIT_LOG=%s/context", folder);
    struct sr_audit *a = audit_of(path, "BACKUP_TRACE_ID=t\"1");
    sr_audit_event(a, "x", "k", "v", NULL);
    char *text = content_of("context");
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"action\":\"x\",\"k\":\"v\",\"trace_id\":\"t\\\"1\"}\n"));
    CU_ASSERT_PTR_NULL(strstr(text, "user_id"));
    free(text);
    sr_audit_close(a);
}

static void off_writes_nothing(void)
{
    struct sr_audit *a = audit_of("BACKUP_AUDIT_LOG=OFF", NULL);
    char *before = content_of(LOG);
    sr_audit_event(a, "x", NULL);
    char *after = content_of(LOG);
    CU_ASSERT_STRING_EQUAL(before, after);
    free(before);
    free(after);
    sr_audit_close(a);
}

/* Runs f with standard error in the file stderr of the folder, and returns what came; malloc'd. */
static char *stderr_of(void (*f)(struct sr_audit *), struct sr_audit *a)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/stderr", folder);
    (void)fflush(stderr);
    int saved = dup(2), fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CU_ASSERT_FATAL(saved >= 0 && fd >= 0 && dup2(fd, 2) == 2);
    f(a);
    (void)fflush(stderr);
    CU_ASSERT_EQUAL(dup2(saved, 2), 2);
    (void)close(saved);
    (void)close(fd);
    return content_of("stderr");
}

static void two_events(struct sr_audit *a)
{
    sr_audit_event(a, "one", NULL);
    sr_audit_event(a, "two", NULL);
}

static void dash_is_standard_error(void)
{
    struct sr_audit *a = audit_of("BACKUP_AUDIT_LOG=-", NULL);
    char *text = stderr_of(two_events, a);
    CU_ASSERT_STRING_EQUAL(text, "{\"time\":\"2026-11-20T13:05:01Z\",\"action\":\"one\"}\n"
                                 "{\"time\":\"2026-11-20T13:05:01Z\",\"action\":\"two\"}\n");
    free(text);
    sr_audit_close(a);
}

static void a_log_that_cannot_be_written_is_told_once(void)
{
    struct sr_audit *a = audit_of("BACKUP_AUDIT_LOG=/dev/null/x/audit", NULL);
    char *text = stderr_of(two_events, a);
    const char *first = strstr(text, "the audit log cannot be written");
    CU_ASSERT_PTR_NOT_NULL_FATAL(first);
    CU_ASSERT_PTR_NULL(strstr(first + 1, "the audit log cannot be written"));
    free(text);
    sr_audit_close(a);
    a = audit_of("BACKUP_AUDIT_LOG=/dev/full", NULL);
    text = stderr_of(two_events, a);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "No space left"));
    free(text);
    sr_audit_close(a);
}

static void half_a_line_does_not_swallow_the_next(void)
{
    char path[128], setting[160];
    (void)snprintf(path, sizeof path, "%s/half", folder);
    (void)snprintf(setting, sizeof setting, "BACKUP_AUDIT_LOG=%s", path);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CU_ASSERT_FATAL(fd >= 0 && sr_write_full(fd, "{\"time\":\"20", 11) == 0);
    (void)close(fd);
    struct sr_audit *a = audit_of(setting, NULL);
    sr_audit_event(a, "x", NULL);
    char *text = content_of("half");
    CU_ASSERT_EQUAL(strncmp(text, "{\"time\":\"20\n{\"time\":\"2026", 25), 0);
    free(text);
    sr_audit_close(a);
}

static void long_values_are_cut_at_a_character(void)
{
    char path[128];
    static char value[20001];
    (void)snprintf(path, sizeof path, "BACKUP_AUDIT_LOG=%s/long", folder);
    struct sr_audit *a = audit_of(path, NULL);
    for (size_t off = 0; off < 4; off++) {
        memset(value, 'x', off);
        for (size_t i = off; i + 4 < sizeof value; i += 4)
            memcpy(value + i, "\xf0\x9f\x90\x98", 4);
        sr_audit_event(a, "x", "v", value, NULL);
    }
    char *text = content_of("long");
    CU_ASSERT(strlen(text) > 4 * 8180 && strlen(text) < 4 * 8300);
    CU_ASSERT_PTR_NULL(strstr(text, "\\\\x"));
    free(text);
    sr_audit_close(a);
}

#define THREADS 4
#define EVENTS 100

static void *write_many(void *a)
{
    for (int i = 0; i < EVENTS; i++)
        sr_audit_event(a, "parallel", "value", "0123456789012345678901234567890123456789", NULL);
    return NULL;
}

static void lines_of_several_threads_stay_whole(void)
{
    char path[128];
    pthread_t t[THREADS];
    (void)snprintf(path, sizeof path, "BACKUP_AUDIT_LOG=%s/parallel", folder);
    struct sr_audit *a = audit_of(path, NULL), *b = audit_of(path, NULL);
    for (int i = 0; i < THREADS; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&t[i], NULL, write_many, i % 2 ? a : b), 0);
    for (int i = 0; i < THREADS; i++)
        CU_ASSERT_EQUAL(pthread_join(t[i], NULL), 0);
    char *text = content_of("parallel"), *p = text;
    int lines = 0;
    for (char *end; (end = strchr(p, '\n')); p = end + 1, lines++) {
        json_t *v = json_loadb(p, (size_t)(end - p), 0, NULL);
        CU_ASSERT(json_is_object(v));
        json_decref(v);
    }
    CU_ASSERT_EQUAL(lines, THREADS * EVENTS);
    free(text);
    sr_audit_close(a);
    sr_audit_close(b);
}

static const struct unit_test tests[] = {
    {"lines are what grep looks for", lines_are_what_grep_looks_for},
    {"numbers are numbers or text", numbers_are_numbers_or_text},
    {"context is added", context_is_added},
    {"off writes nothing", off_writes_nothing},
    {"dash is standard error", dash_is_standard_error},
    {"a log that cannot be written is told once", a_log_that_cannot_be_written_is_told_once},
    {"half a line does not swallow the next", half_a_line_does_not_swallow_the_next},
    {"long values are cut at a character", long_values_are_cut_at_a_character},
    {"lines of several threads stay whole", lines_of_several_threads_stay_whole},
    {NULL, NULL},
};

int main(void)
{
    (void)snprintf(folder, sizeof folder, "/tmp/test_audit.XXXXXX");
    if (!mkdtemp(folder))
        return 2;
    int rc = unit_main("audit", tests);
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command) == 0 ? rc : 2;
}
