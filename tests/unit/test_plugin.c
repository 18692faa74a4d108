/* core/plugin: what may be loaded, how settings are found, what the host's side of the border does.
 */
#include "config.h"
#include "core/plugin/abi.h"
#include "core/plugin/host.h"
#include "core/plugin/plugin.h"
#include "core/plugin/search.h"
#include "core/plugin/settings.h"
#include "core/util/log.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64];

static char *below(const char *name)
{
    static char text[4][256];
    static unsigned next;
    char *out = text[next++ % 4];
    (void)snprintf(out, sizeof text[0], "%s/%s", root, name);
    return out;
}

static void touch(const char *path, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(fchmod(fd, mode), 0);
    (void)close(fd);
}

static void names(void)
{
    CU_ASSERT(sr_plugin_name_ok("s3"));
    CU_ASSERT(sr_plugin_name_ok("a"));
    CU_ASSERT(sr_plugin_name_ok("dr-2"));
    CU_ASSERT(sr_plugin_name_ok("abcdefghijklmnopqrstuvwxyzabcdef"));
    CU_ASSERT_FALSE(sr_plugin_name_ok("abcdefghijklmnopqrstuvwxyzabcdefg"));
    CU_ASSERT_FALSE(sr_plugin_name_ok(""));
    CU_ASSERT_FALSE(sr_plugin_name_ok("3s"));
    CU_ASSERT_FALSE(sr_plugin_name_ok("-s"));
    CU_ASSERT_FALSE(sr_plugin_name_ok("S3"));
    CU_ASSERT_FALSE(sr_plugin_name_ok("a/b"));
    CU_ASSERT_FALSE(sr_plugin_name_ok("a.b"));
    CU_ASSERT_FALSE(sr_plugin_name_ok("../a"));
    CU_ASSERT_FALSE(sr_plugin_name_ok("a_b"));
}

static void folders(void)
{
    struct sr_strlist l = {0};
    struct sr_error err;
    CU_ASSERT_EQUAL(sr_plugin_folders(NULL, &l, &err), SR_OK);
    CU_ASSERT_EQUAL(l.len, 1);
    CU_ASSERT_STRING_EQUAL(l.items[0], SR_PLUGIN_DIR);
    sr_strlist_done(&l);
    CU_ASSERT_EQUAL(sr_plugin_folders("/a:/b/c:", &l, &err), SR_OK);
    CU_ASSERT_EQUAL(l.len, 3);
    CU_ASSERT_STRING_EQUAL(l.items[1], "/b/c");
    sr_strlist_done(&l);
    static const char *const relative[] = {".", "a", "/a:b", "./a", "~/a"};
    for (size_t i = 0; i < sizeof relative / sizeof *relative; i++) {
        CU_ASSERT_EQUAL(sr_plugin_folders(relative[i], &l, &err), SR_E_CONFIG);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "not an absolute path"));
        sr_strlist_done(&l);
    }
}

static void file_checks(void)
{
    struct sr_error err = SR_ERROR_INIT;
    (void)mkdir(below("safe"), 0755);
    (void)mkdir(below("open"), 0700);
    touch(below("safe/a.so"), 0755);
    ASSERT_OK(sr_plugin_file_check(below("safe/a.so"), &err), err);
    static const mode_t bad[] = {0775, 0757, 0777, 0602};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        touch(below("safe/a.so"), bad[i]);
        CU_ASSERT_EQUAL(sr_plugin_file_check(below("safe/a.so"), &err), SR_E_DENIED);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "others may write"));
    }
    touch(below("safe/a.so"), 0644);
    touch(below("open/b.so"), 0644);
    CU_ASSERT_EQUAL(chmod(below("open"), 0777), 0);
    CU_ASSERT_EQUAL(sr_plugin_file_check(below("open/b.so"), &err), SR_E_DENIED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, below("open")));
    /* A folder further up. */
    (void)mkdir(below("open/inner"), 0755);
    touch(below("open/inner/c.so"), 0644);
    CU_ASSERT_EQUAL(sr_plugin_file_check(below("open/inner/c.so"), &err), SR_E_DENIED);
    CU_ASSERT_EQUAL(chmod(below("open"), 01777), 0);
    ASSERT_OK(sr_plugin_file_check(below("open/inner/c.so"), &err), err);
    /* By a link: where it is and where it leads count both. */
    CU_ASSERT_EQUAL(symlink(below("safe/a.so"), below("open/link.so")), 0);
    ASSERT_OK(sr_plugin_file_check(below("open/link.so"), &err), err);
    CU_ASSERT_EQUAL(chmod(below("open"), 0777), 0);
    CU_ASSERT_EQUAL(sr_plugin_file_check(below("open/link.so"), &err), SR_E_DENIED);
    CU_ASSERT_EQUAL(symlink(below("open/b.so"), below("safe/link.so")), 0);
    CU_ASSERT_EQUAL(sr_plugin_file_check(below("safe/link.so"), &err), SR_E_DENIED);
    /* A link in the middle of others: from a safe folder to a safe folder through an open one. */
    touch(below("safe/real.so"), 0644);
    CU_ASSERT_EQUAL(symlink(below("safe/real.so"), below("open/middle.so")), 0);
    CU_ASSERT_EQUAL(symlink("../open/middle.so", below("safe/first.so")), 0);
    CU_ASSERT_EQUAL(sr_plugin_file_check(below("safe/first.so"), &err), SR_E_DENIED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, below("open")));
    CU_ASSERT_EQUAL(chmod(below("open"), 0755), 0);
    char *real = NULL;
    ASSERT_OK(sr_plugin_file_resolve(below("safe/./../safe//first.so"), &real, &err), err);
    CU_ASSERT_STRING_EQUAL(real, below("safe/real.so"));
    free(real);
    CU_ASSERT_EQUAL(symlink("loop.so", below("safe/loop.so")), 0);
    CU_ASSERT_NOT_EQUAL(sr_plugin_file_check(below("safe/loop.so"), &err), SR_OK);
    /* Absolute, and yet the working folder or what happens to be open. */
    char *cwd = getcwd(NULL, 0);
    CU_ASSERT_EQUAL(chdir(below("safe")), 0);
    CU_ASSERT_EQUAL(sr_plugin_file_check("/proc/self/cwd/real.so", &err), SR_E_DENIED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "depends on the working folder"));
    CU_ASSERT_EQUAL(chdir(cwd), 0);
    free(cwd);
    CU_ASSERT_EQUAL(sr_plugin_file_check(below("safe"), &err), SR_E_CONFIG);
    CU_ASSERT_EQUAL(sr_plugin_file_check(below("safe/none.so"), &err), SR_E_NOT_FOUND);
    CU_ASSERT_EQUAL(sr_plugin_file_check("safe/a.so", &err), SR_E_CONFIG);
    if (geteuid() == 0) {
        CU_ASSERT_EQUAL(chown(below("safe/a.so"), 12345, 12345), 0);
        CU_ASSERT_EQUAL(sr_plugin_file_check(below("safe/a.so"), &err), SR_E_DENIED);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "user id 12345"));
        CU_ASSERT_EQUAL(chown(below("safe/a.so"), 0, 0), 0);
    }
}

static void finding(void)
{
    struct sr_error err = SR_ERROR_INIT;
    char *file = NULL, path[512];
    (void)mkdir(below("one"), 0755);
    (void)mkdir(below("two"), 0755);
    touch(below("two/hello.so"), 0644);
    (void)snprintf(path, sizeof path, "%s:%s", below("one"), below("two"));
    ASSERT_OK(sr_plugin_find("hello", path, &file, &err), err);
    CU_ASSERT_STRING_EQUAL(file, below("two/hello.so"));
    free(file);
    touch(below("one/hello.so"), 0644);
    ASSERT_OK(sr_plugin_find("hello", path, &file, &err), err);
    CU_ASSERT_STRING_EQUAL(file, below("one/hello.so"));
    free(file);
    /* A bad one in front is not passed over. */
    touch(below("one/hello.so"), 0666);
    CU_ASSERT_EQUAL(sr_plugin_find("hello", path, &file, &err), SR_E_DENIED);
    CU_ASSERT_EQUAL(sr_plugin_find("hallo", path, &file, &err), SR_E_CONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "did you mean 'hello'"));
    CU_ASSERT_EQUAL(sr_plugin_find("./hello", path, &file, &err), SR_E_CONFIG);
    CU_ASSERT_EQUAL(sr_plugin_find("../one/hello", path, &file, &err), SR_E_CONFIG);
    CU_ASSERT_EQUAL(sr_plugin_find("", path, &file, &err), SR_E_CONFIG);
    ASSERT_OK(sr_plugin_find(below("two/hello.so"), NULL, &file, &err), err);
    free(file);
    /* Never the working folder. */
    char *cwd = getcwd(NULL, 0);
    CU_ASSERT_EQUAL(chdir(below("two")), 0);
    CU_ASSERT_EQUAL(sr_plugin_find("hello", NULL, &file, &err), SR_E_CONFIG);
    CU_ASSERT_EQUAL(sr_plugin_find("hello", ".", &file, &err), SR_E_CONFIG);
    CU_ASSERT_EQUAL(chdir(cwd), 0);
    free(cwd);
}

/* --- settings --- */

static const char *const *environment;

static int env_get(void *ctx, const char *name, char **ret, struct sr_error *err)
{
    (void)ctx;
    (void)err;
    *ret = NULL;
    for (const char *const *e = environment; *e; e++) {
        size_t n = strlen(name);
        if (strncmp(*e, name, n) == 0 && (*e)[n] == '=')
            *ret = strdup(*e + n + 1);
    }
    return SR_OK;
}

static int env_path(void *ctx, const char *name, const char *value, char **ret,
                    struct sr_error *err)
{
    (void)ctx;
    (void)err;
    return asprintf(ret, "/%s/%s", name ? "set" : "default", value) < 0 ? SR_E_NO_MEMORY : SR_OK;
}

static int env_names(void *ctx, const char *prefix, struct sr_strlist *ret)
{
    (void)ctx;
    for (const char *const *e = environment; *e; e++)
        if (strncmp(*e, prefix, strlen(prefix)) == 0)
            (void)sr_strlist_addn(ret, *e, strcspn(*e, "="));
    return SR_OK;
}

static const struct sr_setting_lookup lookup = {NULL, env_get, env_path, env_names, NULL};

#define ROW .size = sizeof(struct sr_storage_setting), .help = "what it is"
static const struct sr_storage_setting table[] = {
    {ROW, .key = "bucket", .flags = SR_STORAGE_SETTING_PLACE | SR_STORAGE_SETTING_REQUIRED,
     .names = "CLOUD_BUCKET"},
    {ROW, .key = "region", .names = "CLOUD_REGION CLOUD_DEFAULT_REGION", .fallback = "here"},
    {ROW, .key = "secret", .flags = SR_STORAGE_SETTING_SECRET, .names = "CLOUD_SECRET"},
    {ROW, .key = "tls", .type = SR_STORAGE_TYPE_BOOL, .fallback = "on"},
    {ROW, .key = "tries", .type = SR_STORAGE_TYPE_INT, .min = 1, .max = 9, .fallback = "3"},
    {ROW, .key = "offset", .type = SR_STORAGE_TYPE_INT},
    {ROW, .key = "part", .type = SR_STORAGE_TYPE_SIZE, .min = 5 << 20, .max = 5LL << 30},
    {ROW, .key = "wait", .type = SR_STORAGE_TYPE_DURATION},
    {ROW, .key = "style", .type = SR_STORAGE_TYPE_CHOICE, .choices = "auto|path|virtual"},
    {ROW, .key = "ca", .type = SR_STORAGE_TYPE_PATH, .fallback = "ca.pem"},
    {0},
};
static const struct sr_setting_view s3 = {"s3", "s3", table, &lookup};
static const struct sr_setting_view dr = {"dr-eu", "s3", table, &lookup};

static void assert_value(const struct sr_setting_view *v, const char *key, const char *wanted,
                         const char *from)
{
    struct sr_error err = SR_ERROR_INIT;
    char *value = NULL, *name = NULL;
    ASSERT_OK(sr_setting_get(v, key, &value, &name, &err), err);
    if (wanted)
        CU_ASSERT_STRING_EQUAL(value ? value : "(unset)", wanted)
    else
        CU_ASSERT_PTR_NULL(value);
    if (from)
        CU_ASSERT_STRING_EQUAL(name ? name : "(default)", from)
    else
        CU_ASSERT_PTR_NULL(name);
    free(value);
    free(name);
}

static void setting_order(void)
{
    static const char *const env[] = {
        "CLOUD_BUCKET=shared", "CLOUD_DEFAULT_REGION=second", "BACKUP_DR_EU_TRIES=5",
        "BACKUP_S3_REGION=",   "BACKUP_DR_EU_CA=mine.pem",    NULL};
    environment = env;
    assert_value(&s3, "bucket", "shared", "CLOUD_BUCKET");
    assert_value(&dr, "bucket", NULL, NULL); /* a place is never inherited */
    assert_value(&s3, "region", "second", "CLOUD_DEFAULT_REGION");
    assert_value(&dr, "region", "second", "CLOUD_DEFAULT_REGION");
    assert_value(&s3, "tries", "3", NULL);
    assert_value(&dr, "tries", "5", "BACKUP_DR_EU_TRIES");
    assert_value(&s3, "ca", "/default/ca.pem", NULL);
    assert_value(&dr, "ca", "/set/mine.pem", "BACKUP_DR_EU_CA");
    assert_value(&s3, "tls", "1", NULL);
    assert_value(&s3, "secret", NULL, NULL);
    static const char *const own[] = {"CLOUD_REGION=first", "CLOUD_DEFAULT_REGION=second",
                                      "BACKUP_DR_EU_REGION=own", NULL};
    environment = own;
    assert_value(&s3, "region", "first", "CLOUD_REGION");
    assert_value(&dr, "region", "own", "BACKUP_DR_EU_REGION");
    static const char *const none[] = {NULL};
    environment = none;
    assert_value(&s3, "region", "here", NULL);
    struct sr_error err;
    char *value = NULL;
    CU_ASSERT_EQUAL(sr_setting_get(&s3, "nothing", &value, NULL, &err), SR_E_INTERNAL);
}

static void setting_types(void)
{
    static const struct {
        const char *set, *key, *wanted; /* NULL: refused */
    } cases[] = {
        {"BACKUP_S3_TLS=off", "tls", "0"},
        {"BACKUP_S3_TLS=maybe", "tls", NULL},
        {"BACKUP_S3_TRIES=9", "tries", "9"},
        {"BACKUP_S3_TRIES=10", "tries", NULL},
        {"BACKUP_S3_TRIES=0", "tries", NULL},
        {"BACKUP_S3_TRIES=3x", "tries", NULL},
        {"BACKUP_S3_TRIES= 3", "tries", NULL},
        {"BACKUP_S3_TRIES=99999999999999999999", "tries", NULL},
        {"BACKUP_S3_OFFSET=-7", "offset", "-7"},
        {"BACKUP_S3_OFFSET=-", "offset", NULL},
        {"BACKUP_S3_PART=8MiB", "part", "8388608"},
        {"BACKUP_S3_PART=8", "part", NULL},
        {"BACKUP_S3_PART=8 apples", "part", NULL},
        {"BACKUP_S3_PART=99999999999T", "part", NULL},
        {"BACKUP_S3_WAIT=15m", "wait", "900"},
        {"BACKUP_S3_WAIT=soon", "wait", NULL},
        {"BACKUP_S3_STYLE=path", "style", "path"},
        {"BACKUP_S3_STYLE=pat", "style", NULL},
        {"BACKUP_S3_STYLE=auto|path", "style", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const env[] = {cases[i].set, NULL};
        struct sr_error err = SR_ERROR_INIT;
        char *value = NULL;
        environment = env;
        int rc = sr_setting_get(&s3, cases[i].key, &value, NULL, &err);
        if (cases[i].wanted) {
            ASSERT_OK(rc, err);
            CU_ASSERT_STRING_EQUAL(value ? value : "", cases[i].wanted);
        } else {
            CU_ASSERT_EQUAL(rc, SR_E_CONFIG);
            CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "BACKUP_S3_"));
        }
        free(value);
    }
}

static void setting_check(void)
{
    static const struct {
        const char *set, *wanted; /* NULL: fine */
        const char *also;
    } cases[] = {
        {"BACKUP_DR_EU_BUCKET=b", NULL, NULL},
        {"BACKUP_DR_EU_PREFIX=p", "needs the setting BACKUP_DR_EU_BUCKET: what it is", NULL},
        {"BACKUP_DR_EU_BUCKETT=b", "did you mean BACKUP_DR_EU_BUCKET?", NULL},
        {"BACKUP_DR_EU_SECRET_FILE=/x", "needs the setting BACKUP_DR_EU_BUCKET", NULL},
        {"BACKUP_DR_EU_SOMETHING_ELSE=1", "`strongroom plugins s3` lists", NULL},
        {"BACKUP_DR_EU_TLS=x", "BACKUP_DR_EU_TLS is 'x': must be on or off",
         "BACKUP_DR_EU_BUCKET=b"},
        {"CLOUD_BUCKET=b", "needs the setting BACKUP_DR_EU_BUCKET", NULL},
        {"BACKUP_DR_EU_OLD_BUCKET=b", "needs the setting BACKUP_DR_EU_BUCKET", NULL},
    };
    struct sr_strlist stores = {0};
    (void)sr_strlist_add(&stores, "dr-eu");
    (void)sr_strlist_add(&stores, "dr-eu-old"); /* its settings look like ours */
    (void)sr_strlist_add(&stores, "dr");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const env[] = {cases[i].set, cases[i].also, NULL};
        struct sr_error err = SR_ERROR_INIT;
        environment = env;
        int rc = sr_setting_check_all(&dr, &stores, &err);
        if (!cases[i].wanted) {
            ASSERT_OK(rc, err);
            continue;
        }
        CU_ASSERT_EQUAL(rc, SR_E_CONFIG);
        if (!strstr(err.text, cases[i].wanted))
            (void)fprintf(stderr, "%s: %s\n", cases[i].set, err.text);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, cases[i].wanted));
    }
    sr_strlist_done(&stores);
    static const struct sr_storage_setting choosy[] = {
        {ROW, .key = "mode", .type = SR_STORAGE_TYPE_CHOICE, .choices = "a|b",
         .flags = SR_STORAGE_SETTING_SECRET},
        {0}};
    static const struct sr_setting_view v = {"x", "x", choosy, &lookup};
    static const char *const secret[] = {"BACKUP_X_MODE=hunter2", NULL};
    struct sr_error err;
    environment = secret;
    CU_ASSERT_EQUAL(sr_setting_check_all(&v, NULL, &err), SR_E_CONFIG);
    CU_ASSERT_PTR_NULL(strstr(err.text, "hunter2"));
}

/* --- host --- */

static struct sr_host *host_new(const struct sr_setting_view *values)
{
    const struct sr_host_options o = {
        .label = "store x", .file = "/x.so", .clock = &sr_clock_system, .values = values};
    struct sr_error err = SR_ERROR_INIT;
    struct sr_host *h = NULL;
    ASSERT_OK(sr_host_new(&o, &h, &err), err);
    return h;
}

static void host_errors(void)
{
    struct sr_host *h = host_new(NULL);
    const struct sr_storage_host *s = sr_host_services(h);
    struct sr_error err = SR_ERROR_INIT;
    CU_ASSERT_EQUAL(s->size, sizeof *s);
    CU_ASSERT_EQUAL(s->api_version, SR_STORAGE_API_VERSION);
    s->set_error(s, SR_STORAGE_E_DENIED, "outside of a call");
    sr_host_enter(h);
    CU_ASSERT_EQUAL(sr_host_error(h, SR_STORAGE_OK, "x", &err), SR_OK);
    CU_ASSERT_EQUAL(sr_host_error(h, SR_STORAGE_E_DENIED, "saving", &err), SR_E_DENIED);
    CU_ASSERT_STRING_EQUAL(err.text, "store x: saving: denied");
    s->set_error(s, SR_STORAGE_E_DENIED, "no");
    s->set_error(s, SR_STORAGE_E_DENIED, "key expired");
    CU_ASSERT_EQUAL(sr_host_error(h, SR_STORAGE_E_DENIED, "saving", &err), SR_E_DENIED);
    CU_ASSERT_STRING_EQUAL(err.text, "store x: saving: key expired");
    static const int32_t unknown[] = {-1, 1, 15, 160, 200, 270, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        CU_ASSERT_EQUAL(sr_host_error(h, unknown[i], "saving", &err), SR_E_INTERNAL);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "not in the storage interface"));
    }
    s->set_error(s, SR_STORAGE_E_DENIED, NULL);
    CU_ASSERT_EQUAL(sr_host_error(h, SR_STORAGE_E_DENIED, "saving", &err), SR_E_DENIED);
    char longest[5000];
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    s->set_error(s, SR_STORAGE_E_DENIED, longest);
    CU_ASSERT_EQUAL(sr_host_error(h, SR_STORAGE_E_DENIED, "saving", &err), SR_E_DENIED);
    s->log(s, 99, "too fine a level");
    s->log(s, -5, NULL);
    s->progress(s, 5);
    sr_host_leave(h);
    sr_host_enter(h);
    const char *said = NULL;
    CU_ASSERT_EQUAL(sr_host_said(h, &said), 0);
    CU_ASSERT_STRING_EQUAL(said, "");
    sr_host_leave(h);
    sr_host_retire(h);
    sr_host_retire(NULL);
}

static void host_services(void)
{
    struct sr_host *h = host_new(NULL);
    const struct sr_storage_host *s = sr_host_services(h);
    unsigned char a[32] = {0}, b[32] = {0};
    char value[8] = "keep";
    sr_host_enter(h);
    CU_ASSERT(s->now(s) > 1700000000);
    uint64_t before = s->monotonic(s);
    CU_ASSERT(s->monotonic(s) >= before);
    CU_ASSERT_EQUAL(s->random(s, a, sizeof a), SR_STORAGE_OK);
    CU_ASSERT_EQUAL(s->random(s, b, sizeof b), SR_STORAGE_OK);
    CU_ASSERT(memcmp(a, b, sizeof a) != 0);
    CU_ASSERT_EQUAL(s->setting(s, "bucket", value, sizeof value), -1);
    CU_ASSERT_EQUAL(s->deadline(s), 0);
    sr_host_deadline(h, 77);
    CU_ASSERT_EQUAL(s->deadline(s), 77);
    struct pollfd p = {.fd = s->cancel_fd(s), .events = POLLIN};
    CU_ASSERT_EQUAL(poll(&p, 1, 0), 0);
    CU_ASSERT_EQUAL(s->is_cancelled(s), 0);
    sr_host_cancel(h);
    sr_host_cancel(h);
    CU_ASSERT(s->is_cancelled(s) != 0);
    CU_ASSERT_EQUAL(poll(&p, 1, 0), 1);
    sr_host_resume(h);
    CU_ASSERT_EQUAL(s->is_cancelled(s), 0);
    CU_ASSERT_EQUAL(poll(&p, 1, 0), 0);
    sr_host_leave(h);
    /* After the end nothing answers, and nothing breaks. */
    sr_host_retire(h);
    s->set_error(s, SR_STORAGE_E_DENIED, "late");
    s->log(s, SR_STORAGE_LOG_ERROR, "late");
    CU_ASSERT_EQUAL(s->setting(s, "bucket", value, sizeof value), -1);
    CU_ASSERT_EQUAL(s->cancel_fd(s), -1);
    CU_ASSERT(s->now(s) > 1700000000);
    CU_ASSERT_PTR_NULL(sr_host_call_get(h, "a reader"));
    CU_ASSERT_STRING_EQUAL(value, "keep");
}

static void host_settings(void)
{
    static const char *const env[] = {"BACKUP_S3_BUCKET=12345678",
                                      "BACKUP_S3_SECRET=hunter2hunter2", "BACKUP_S3_TLS=perhaps",
                                      NULL};
    environment = env;
    struct sr_host *h = host_new(&s3);
    const struct sr_storage_host *s = sr_host_services(h);
    struct sr_error err = SR_ERROR_INIT;
    char value[64] = "keep";
    CU_ASSERT_EQUAL(s->setting(s, "bucket", value, sizeof value), -1); /* outside of a call */
    sr_host_enter(h);
    CU_ASSERT_EQUAL(s->setting(s, "bucket", value, 8), 8);
    CU_ASSERT_STRING_EQUAL(value, "keep");
    CU_ASSERT_EQUAL(s->setting(s, "bucket", NULL, 0), 8);
    CU_ASSERT_EQUAL(s->setting(s, "bucket", value, 9), 8);
    CU_ASSERT_STRING_EQUAL(value, "12345678");
    CU_ASSERT_EQUAL(s->setting(s, "style", value, sizeof value), -1);
    CU_ASSERT_EQUAL(s->setting(s, NULL, value, sizeof value), -1);
    CU_ASSERT_EQUAL(s->setting(s, "tls", value, sizeof value), -2);
    CU_ASSERT_EQUAL(sr_host_error(h, SR_STORAGE_E_CONFIG, "opening", &err), SR_E_CONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "BACKUP_S3_TLS"));
    CU_ASSERT_EQUAL(s->setting(s, "no_such", value, sizeof value), -2);
    CU_ASSERT_EQUAL(s->setting(s, "secret", value, sizeof value), 14);
    CU_ASSERT_STRING_EQUAL(value, "hunter2hunter2");
    s->set_error(s, SR_STORAGE_E_DENIED, "hunter2hunter2: wrong: 'hunter2hunter2'!");
    CU_ASSERT_EQUAL(sr_host_error(h, SR_STORAGE_E_DENIED, "opening", &err), SR_E_DENIED);
    CU_ASSERT_STRING_EQUAL(err.text, "store x: opening: ***: wrong: '***'!");
    /* One that the end of a long text cuts through. */
    char text[1100];
    for (size_t shown = 1; shown <= 14; shown++) {
        memset(text, '-', sizeof text);
        memcpy(text + 1023 - shown, "hunter2hunter2", 15);
        s->set_error(s, SR_STORAGE_E_DENIED, text);
        (void)sr_host_error(h, SR_STORAGE_E_DENIED, "opening", &err);
        CU_ASSERT_PTR_NULL(strstr(err.text, "hunt"));
    }
    sr_host_leave(h);
    sr_host_retire(h);
}

/* What a plugin chose by itself is kept for whoever asks, whatever the level of the log is. */
static void host_choices(void)
{
    static const char *const env[] = {"BACKUP_S3_SECRET=hunter2hunter2", NULL};
    environment = env;
    struct sr_host *h = host_new(&s3);
    const struct sr_storage_host *s = sr_host_services(h);
    char value[64], text[2000];
    s->log(s, SR_STORAGE_LOG_VERBOSE, "using nothing: outside of a call");
    sr_host_enter(h);
    CU_ASSERT_EQUAL(sr_host_choices(h)->len, 0);
    CU_ASSERT_EQUAL(s->setting(s, "secret", value, sizeof value), 14);
    s->log(s, SR_STORAGE_LOG_VERBOSE, "using credentials from hunter2hunter2");
    s->log(s, SR_STORAGE_LOG_VERBOSE, "using credentials from hunter2hunter2");
    s->log(s, SR_STORAGE_LOG_VERBOSE, "something else");
    s->log(s, SR_STORAGE_LOG_DEBUG, "using a debugger");
    s->log(s, SR_STORAGE_LOG_INFO, "using this level");
    CU_ASSERT_EQUAL_FATAL(sr_host_choices(h)->len, 1);
    CU_ASSERT_STRING_EQUAL(sr_host_choices(h)->items[0], "using credentials from ***");
    for (int i = 0; i < 100; i++) {
        memset(text, 'x', sizeof text);
        (void)snprintf(text, 32, "using %d", i);
        text[strlen(text)] = 'x';
        text[sizeof text - 1] = '\0';
        s->log(s, SR_STORAGE_LOG_VERBOSE, text);
    }
    CU_ASSERT_EQUAL(sr_host_choices(h)->len, 8);
    sr_host_leave(h);
    CU_ASSERT_EQUAL(sr_host_choices(h)->len, 8);
    sr_host_retire(h);
    CU_ASSERT_EQUAL(sr_host_choices(h)->len, 0);
}

static void *late_callback(void *ctx)
{
    struct sr_host *h = ctx;
    int *call = sr_host_call_get(h, "a reader");
    if (call) {
        *call += 1;
        sr_host_call_put(h);
    }
    return NULL;
}

static void host_calls(void)
{
    struct sr_host *h = host_new(NULL);
    int call = 0;
    CU_ASSERT_PTR_NULL(sr_host_call_get(h, "a reader"));
    sr_host_enter(h);
    CU_ASSERT_PTR_NULL(sr_host_call_get(h, "a reader"));
    sr_host_call_set(h, &call);
    pthread_t t;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&t, NULL, late_callback, h), 0);
    (void)pthread_join(t, NULL);
    CU_ASSERT_EQUAL(call, 1);
    sr_host_leave(h);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&t, NULL, late_callback, h), 0);
    (void)pthread_join(t, NULL);
    CU_ASSERT_EQUAL(call, 1);
    sr_host_retire(h);
    /* Memory comes round again after many handles, and not before. */
    struct sr_host *seen = NULL;
    int reused_soon = 0;
    for (int i = 0; i < 600; i++) {
        struct sr_host *next = host_new(NULL);
        reused_soon |= next == seen;
        seen = next;
        sr_host_retire(next);
    }
    CU_ASSERT_FALSE(reused_soon);
}

/* --- loading --- */

static void loading(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_plugin *p = NULL, *again = NULL;
    char path[512];
    (void)snprintf(path, sizeof path, "%s/tests/abi/.libs", getenv("SR_BUILDDIR"));
    ASSERT_OK(sr_plugin_load("memory", path, &p, &err), err);
    if (!p)
        return;
    ASSERT_OK(sr_plugin_load("memory", path, &again, &err), err);
    CU_ASSERT_PTR_EQUAL(p, again);
    CU_ASSERT_STRING_EQUAL(sr_plugin_table(p)->name, "memory");
    CU_ASSERT_EQUAL(sr_plugin_table(p)->size, sizeof(struct sr_storage_plugin));
    ASSERT_OK(sr_plugin_load("smaller", path, &p, &err), err);
    CU_ASSERT_PTR_NULL(sr_plugin_table(p)->stat);
    CU_ASSERT_PTR_NULL(sr_plugin_table(p)->cancel);
    ASSERT_OK(sr_plugin_load("larger", path, &p, &err), err);
    CU_ASSERT_PTR_NULL(sr_plugin_table(p)->stat);
    ASSERT_OK(sr_plugin_handle_take(p, &err), err);
    sr_plugin_handle_give(p);

    /* The same name from another file. */
    char command[1024];
    (void)snprintf(command, sizeof command, "cp %s/memory.so %s/copy.so", path, root);
    CU_ASSERT_EQUAL(system(command), 0);
    CU_ASSERT_EQUAL(sr_plugin_load(below("copy.so"), NULL, &again, &err), SR_E_CONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "is taken by the plugin loaded from"));
    /* A name that is not the file's. */
    CU_ASSERT_EQUAL(sr_plugin_load("copy", root, &again, &err), SR_E_CONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "its file is named for 'copy'"));
    touch(below("text.so"), 0644);
    CU_ASSERT_EQUAL(sr_plugin_load(below("text.so"), NULL, &again, &err), SR_E_CONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "text.so"));
}

static void survey(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_plugin_survey s;
    char path[512];
    int good = 0, refused = 0;
    (void)mkdir(below("survey"), 0755);
    touch(below("survey/memory.so"), 0644);
    touch(below("survey/Bad_Name.so"), 0644);
    touch(below("survey/writable.so"), 0666);
    touch(below("survey/readme.txt"), 0644);
    (void)snprintf(path, sizeof path, "%s/tests/abi/.libs:/no/such/folder:%s",
                   getenv("SR_BUILDDIR"), below("survey"));
    ASSERT_OK(sr_plugin_survey_make(path, &s, &err), err);
    CU_ASSERT_EQUAL(s.folders.len, 4);
    CU_ASSERT_STRING_EQUAL(s.folders.items[1], "/no/such/folder (missing)");
    for (size_t i = 0; i < s.len; i++) {
        CU_ASSERT(i == 0 || strcmp(s.items[i - 1].name, s.items[i].name) <= 0);
        CU_ASSERT((s.items[i].plugin == NULL) == (s.items[i].reason != NULL));
        good += s.items[i].plugin != NULL;
        refused += s.items[i].plugin == NULL;
        if (s.items[i].reason && strcmp(s.items[i].name, "memory") == 0)
            CU_ASSERT_PTR_NOT_NULL(strstr(s.items[i].reason, "comes first"));
        if (strcmp(s.items[i].name, "writable") == 0)
            CU_ASSERT_PTR_NOT_NULL(strstr(s.items[i].reason, "others may write"));
    }
    CU_ASSERT_EQUAL(good, 7);
    CU_ASSERT_EQUAL(refused, 3);
    sr_plugin_survey_done(&s);
    CU_ASSERT_EQUAL(sr_plugin_survey_make("relative", &s, &err), SR_E_CONFIG);
    const char *caps[8];
    CU_ASSERT_EQUAL(sr_plugin_cap_names(SR_CAP_LATE_KEY | SR_CAP_COPY | UINT64_C(1) << 40, caps, 8),
                    2);
    CU_ASSERT_STRING_EQUAL(caps[0], "late-key");
    CU_ASSERT_STRING_EQUAL(caps[1], "copy");
    CU_ASSERT_EQUAL(sr_plugin_cap_names(UINT64_MAX, caps, 3), 3);
    CU_ASSERT_STRING_EQUAL(sr_plugin_type_name(SR_STORAGE_TYPE_URL), "URL");
    CU_ASSERT_STRING_EQUAL(sr_plugin_type_name(99), "text");
}

static const struct unit_test tests[] = {
    {"names", names},
    {"folders", folders},
    {"file checks", file_checks},
    {"finding", finding},
    {"setting order", setting_order},
    {"setting types", setting_types},
    {"setting check", setting_check},
    {"host errors", host_errors},
    {"host services", host_services},
    {"host settings", host_settings},
    {"what a plugin chose", host_choices},
    {"host calls", host_calls},
    {"loading", loading},
    {"survey", survey},
    {NULL, NULL},
};

int main(void)
{
    (void)umask(022);
    (void)snprintf(root, sizeof root, "/tmp/sr-test-plugin-XXXXXX");
    if (!mkdtemp(root))
        return 2;
    sr_log_setup(SR_LOG_ERROR, SR_LOG_TEXT);
    int rc = unit_main("plugin", tests);
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command) == 0 ? rc : 2;
}
