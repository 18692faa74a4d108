/* Settings of stores, from real levels of settings (environment, files) to what a plugin is handed.
 */
#include "config.h"
#include "core/config/config.h"
#include "core/plugin/host.h"
#include "core/plugin/settings.h"
#include "core/store/stores.h"
#include "core/util/fs.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static const char *in_folder(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *p = paths[next++ % 4];
    (void)snprintf(p, 256, "%s/%s", folder, name);
    return p;
}

static void file_write(const char *name, const char *text)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s", in_folder(name));
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CU_ASSERT_FATAL(fd >= 0 && sr_write_full(fd, text, strlen(text)) == 0);
    (void)close(fd);
}

/* --- frame: a table, and a view of it under settings that a test gives --- */

#define ROW .size = sizeof(struct sr_storage_setting), .help = "What it is"
static const struct sr_storage_setting table[] = {
    {ROW, .key = "bucket", .flags = SR_STORAGE_SETTING_PLACE, .names = "CLOUD_BUCKET"},
    {ROW, .key = "key_id", .names = "CLOUD_KEY_ID"},
    {ROW, .key = "secret", .flags = SR_STORAGE_SETTING_SECRET, .names = "CLOUD_SECRET"},
    {ROW, .key = "session", .flags = SR_STORAGE_SETTING_SECRET, .names = "CLOUD_SESSION"},
    {ROW, .key = "customer_key", .flags = SR_STORAGE_SETTING_SECRET},
    {ROW, .key = "style", .type = SR_STORAGE_TYPE_CHOICE, .choices = "auto|path|virtual"},
    {ROW, .key = "endpoint", .type = SR_STORAGE_TYPE_URL},
    {ROW, .key = "folder", .type = SR_STORAGE_TYPE_PATH},
    {ROW, .key = "tries", .type = SR_STORAGE_TYPE_INT, .min = 1, .max = 9, .fallback = "3"},
    {0},
};

struct given {
    const char *env_file;
    const char *environ_[12];
};
#define GIVEN(...) (&(struct given){__VA_ARGS__})

struct frame {
    struct sr_config *cfg;
    struct sr_setting_lookup lookup;
    struct sr_setting_view view;
};

static void frame_make(struct frame *f, const char *store, const struct given *g)
{
    struct sr_error err = SR_ERROR_INIT;
    if (g->env_file)
        file_write("env", g->env_file);
    const struct sr_config_options o = {
        .config_file = "/dev/null",
        .env_file = g->env_file ? in_folder("env") : "/dev/null",
        .environ_ = (char *const *)(const void *)g->environ_,
    };
    f->cfg = NULL;
    ASSERT_OK(sr_config_new(&o, &f->cfg, &err), err);
    f->lookup = sr_stores_lookup(f->cfg);
    f->view = (struct sr_setting_view){store, "cloud", table, &f->lookup};
}

/* Every problem of the store dr, one a line. */
static void problems_are(const struct given *g, const char *wanted)
{
    struct frame f;
    struct sr_strlist found = {0}, stores = {0};
    struct sr_error err = SR_ERROR_INIT;
    char all[8192] = "";
    size_t at = 0;
    frame_make(&f, "dr", g);
    (void)sr_strlist_add(&stores, "dr");
    (void)sr_strlist_add(&stores, "dr-key");
    ASSERT_OK(sr_setting_problems(&f.view, &stores, &found, &err), err);
    for (size_t i = 0; i < found.len && at < sizeof all; i++)
        at += (size_t)snprintf(all + at, sizeof all - at, "%s\n", found.items[i]);
    if (strcmp(all, wanted) != 0)
        (void)fprintf(stderr, "got:    %swanted: %s\n", all, wanted);
    CU_ASSERT_STRING_EQUAL(all, wanted);
    CU_ASSERT_PTR_NULL(strstr(all, "hunter2"));
    CU_ASSERT_EQUAL(sr_setting_check_all(&f.view, &stores, &err), found.len ? SR_E_CONFIG : SR_OK);
    if (found.len)
        CU_ASSERT_EQUAL(strncmp(err.text, found.items[0], strlen(found.items[0])), 0);
    sr_strlist_done(&found);
    sr_strlist_done(&stores);
    sr_config_free(f.cfg);
}

/* --- what is unknown, wrong or missing --- */

static void unknown_names(void)
{
    problems_are(GIVEN(.environ_ = {"BACKUP_DR_BUCKET=b", "BACKUP_DR_PREFIX=p"}), "");
    problems_are(GIVEN(.environ_ = {"BACKUP_DR_BUCKT=hunter2"}),
                 "BACKUP_DR_BUCKT (environment) is no setting of the store dr (plugin cloud); did "
                 "you mean BACKUP_DR_BUCKET?\n");
    problems_are(GIVEN(.environ_ = {"BACKUP_DR_PREFX=x"}),
                 "BACKUP_DR_PREFX (environment) is no setting of the store dr (plugin cloud); did "
                 "you mean BACKUP_DR_PREFIX?\n");
    problems_are(GIVEN(.environ_ = {"BACKUP_DR_SECRT_FILE=/x"}),
                 "BACKUP_DR_SECRT_FILE (environment) is no setting of the store dr (plugin cloud); "
                 "did you mean BACKUP_DR_SECRET_FILE?\n");
    problems_are(GIVEN(.environ_ = {"BACKUP_DR_SOMETHING_ELSE=1"}),
                 "BACKUP_DR_SOMETHING_ELSE (environment) is no setting of the store dr (plugin "
                 "cloud); `strongroom plugins cloud` lists them\n");
    /* From a file, with its line; set to nothing is not set. */
    char wanted[512];
    (void)snprintf(wanted, sizeof wanted,
                   "BACKUP_DR_STILE (%s:2) is no setting of the store dr (plugin cloud); did you "
                   "mean BACKUP_DR_STYLE?\n",
                   in_folder("env"));
    problems_are(GIVEN(.env_file = "BACKUP_DR_ALIEN=\nBACKUP_DR_STILE=auto\n"), wanted);
    /* Those of a store whose name begins with ours are its own, and must not be both's. */
    problems_are(GIVEN(.environ_ = {"BACKUP_DR_KEY_ANYTHING=1"}), "");
    problems_are(GIVEN(.environ_ = {"BACKUP_DR_KEY_ID=1"}),
                 "BACKUP_DR_KEY_ID would be a setting of the store dr and of the store dr-key; "
                 "call one of them something else in BACKUP_STORAGE_ADAPTER\n");
}

static void service_variables(void)
{
    /* What Kubernetes sets for a service called backup-dr. */
    problems_are(
        GIVEN(.environ_ = {"BACKUP_DR_SERVICE_HOST=10.0.0.1", "BACKUP_DR_SERVICE_PORT=9000",
                           "BACKUP_DR_SERVICE_PORT_S3=9000", "BACKUP_DR_PORT=tcp://10.0.0.1:9000",
                           "BACKUP_DR_PORT_9000_TCP=tcp://10.0.0.1:9000",
                           "BACKUP_DR_PORT_9000_TCP_ADDR=10.0.0.1"}),
        "");
    /* Without the service they are somebody's mistake; and nobody but the runtime sets them. */
    problems_are(GIVEN(.environ_ = {"BACKUP_DR_PORT=9000"}),
                 "BACKUP_DR_PORT (environment) is no setting of the store dr (plugin cloud); "
                 "`strongroom plugins cloud` lists them\n");
    struct frame f;
    struct sr_strlist names = {0};
    frame_make(&f, "dr", GIVEN(.env_file = "BACKUP_DR_SERVICE_HOST=h\nBACKUP_DR_SERVICE_PORT=1\n"));
    CU_ASSERT_EQUAL(sr_config_names(f.cfg, "BACKUP_DR_", &names), SR_OK);
    CU_ASSERT_EQUAL(names.len, 2);
    sr_strlist_done(&names);
    sr_config_free(f.cfg);
}

static void wrong_values(void)
{
    static char huge[70000] = "BACKUP_DR_TRIES=", odd[] = "BACKUP_DR_TRIES=\033[2J\n1";
    problems_are(GIVEN(.environ_ = {"BACKUP_DR_TRIES=10"}),
                 "store dr: BACKUP_DR_TRIES (environment) is '10': must be within 1 and 9\n");
    problems_are(GIVEN(.environ_ = {"BACKUP_DR_STYLE=Virtual"}), "");
    problems_are(GIVEN(.environ_ = {"BACKUP_DR_STYLE=virtal"}),
                 "store dr: BACKUP_DR_STYLE (environment) is 'virtal': must be one of "
                 "auto|path|virtual; did you mean virtual?\n");
    problems_are(GIVEN(.environ_ = {odd}),
                 "store dr: BACKUP_DR_TRIES (environment) is '?[2J?1': must be a whole number\n");
    problems_are(GIVEN(.environ_ = {"BACKUP_DR_ENDPOINT=http://u:hunter2@h/\n"}),
                 "store dr: BACKUP_DR_ENDPOINT (environment) is '***': must be a URL without line "
                 "breaks and control characters\n");
    problems_are(GIVEN(.environ_ = {"BACKUP_DR_FOLDER=/a\nb"}),
                 "store dr: BACKUP_DR_FOLDER (environment) is '/a?b': must be a path without line "
                 "breaks and control characters\n");
    memset(huge + strlen(huge), '1', sizeof huge - 1 - strlen(huge));
    problems_are(GIVEN(.environ_ = {huge}),
                 "store dr: BACKUP_DR_TRIES (environment) is "
                 "'111111111111111111111111111111111111111111111111...': is longer than 65536 "
                 "bytes\n");
    /* All of them at once, and the first alone where one must do. */
    problems_are(GIVEN(.environ_ = {"BACKUP_DR_TRIES=x", "BACKUP_DR_STYLE=x"}),
                 "store dr: BACKUP_DR_STYLE (environment) is 'x': must be one of "
                 "auto|path|virtual\n"
                 "store dr: BACKUP_DR_TRIES (environment) is 'x': must be a whole number\n");
    struct frame f;
    struct sr_error err = SR_ERROR_INIT;
    frame_make(&f, "dr", GIVEN(.environ_ = {"BACKUP_DR_TRIES=x", "BACKUP_DR_STYLE=x"}));
    CU_ASSERT_EQUAL(sr_setting_check_all(&f.view, NULL, &err), SR_E_CONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "(and 1 more: `strongroom doctor` tells all)"));
    sr_config_free(f.cfg);
}

static void hosts_own_keys(void)
{
    static const char *const taken[] = {"prefix", "retention", "retention_days", "require_lock"};
    static const char *const free_[] = {"prefix_length", "lock_days", "required", "retain"};
    for (size_t i = 0; i < 4; i++) {
        CU_ASSERT_NOT_EQUAL(sr_setting_is_hosts(taken[i]), 0);
        CU_ASSERT_EQUAL(sr_setting_is_hosts(free_[i]), 0);
    }
}

/* --- what a named store takes from well-known names --- */

static void value_is(const struct frame *f, const char *key, const char *wanted)
{
    struct sr_error err = SR_ERROR_INIT;
    char *value = NULL;
    ASSERT_OK(sr_setting_get(&f->view, key, &value, NULL, &err), err);
    CU_ASSERT_STRING_EQUAL(value ? value : "(unset)", wanted);
    free(value);
}

static void credentials_are_a_group(void)
{
    struct frame f;
    frame_make(&f, "dr",
               GIVEN(.environ_ = {"CLOUD_BUCKET=b", "CLOUD_KEY_ID=i", "CLOUD_SECRET=s",
                                  "CLOUD_SESSION=t"}));
    value_is(&f, "bucket", "(unset)");
    value_is(&f, "key_id", "i");
    value_is(&f, "secret", "s");
    value_is(&f, "session", "t");
    sr_config_free(f.cfg);
    /* An own secret: the token of the environment belongs to another key. */
    frame_make(&f, "dr",
               GIVEN(.environ_ = {"BACKUP_DR_KEY_ID=mine", "BACKUP_DR_SECRET=own", "CLOUD_KEY_ID=i",
                                  "CLOUD_SESSION=t"}));
    value_is(&f, "key_id", "mine");
    value_is(&f, "secret", "own");
    value_is(&f, "session", "(unset)");
    sr_config_free(f.cfg);
    /* As a file, also when it is not there: then the store has lost its own, and takes no other. */
    frame_make(&f, "dr",
               GIVEN(.environ_ = {"BACKUP_DR_SECRET_FILE=/nonexistent", "CLOUD_SESSION=t"}));
    value_is(&f, "session", "(unset)");
    sr_config_free(f.cfg);
    /* A secret that has no well-known name is no part of the credentials. */
    frame_make(&f, "dr", GIVEN(.environ_ = {"BACKUP_DR_CUSTOMER_KEY=k", "CLOUD_SECRET=s"}));
    value_is(&f, "secret", "s");
    sr_config_free(f.cfg);
}

/* --- secrets in files, asked for again --- */

static struct sr_host *host_new(const struct frame *f)
{
    const struct sr_host_options o = {
        .label = "store dr", .file = "/x.so", .clock = &sr_clock_system, .values = &f->view};
    struct sr_error err = SR_ERROR_INIT;
    struct sr_host *h = NULL;
    ASSERT_OK(sr_host_new(&o, &h, &err), err);
    return h;
}

static void rotated_secrets(void)
{
    struct frame f;
    struct sr_error err = SR_ERROR_INIT;
    char pair[300], value[64] = "";
    file_write("secret", "before2before\n");
    (void)snprintf(pair, sizeof pair, "BACKUP_DR_SECRET_FILE=%s", in_folder("secret"));
    frame_make(&f, "dr", GIVEN(.environ_ = {pair}));
    struct sr_host *h = host_new(&f);
    const struct sr_storage_host *s = sr_host_services(h);
    sr_host_enter(h);
    CU_ASSERT_EQUAL(s->setting(s, "secret", value, sizeof value), 13);
    CU_ASSERT_STRING_EQUAL(value, "before2before");
    file_write("new", "after2after\n");
    CU_ASSERT_EQUAL(rename(in_folder("new"), in_folder("secret")), 0);
    CU_ASSERT_EQUAL(s->setting(s, "secret", value, sizeof value), 11);
    CU_ASSERT_STRING_EQUAL(value, "after2after");
    /* Neither may be told: the store may quote the one that it was sent first. */
    s->set_error(s, SR_STORAGE_E_DENIED, "neither before2before nor after2after");
    CU_ASSERT_EQUAL(sr_host_error(h, SR_STORAGE_E_DENIED, "saving", &err), SR_E_DENIED);
    CU_ASSERT_STRING_EQUAL(err.text, "store dr: saving: neither *** nor ***");
    /* Gone in the middle of a rotation: the plugin hears it, and why. */
    CU_ASSERT_EQUAL(unlink(in_folder("secret")), 0);
    CU_ASSERT_EQUAL(s->setting(s, "secret", value, sizeof value), -2);
    CU_ASSERT_EQUAL(sr_host_error(h, SR_STORAGE_E_CONFIG, "saving", &err), SR_E_CONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "BACKUP_DR_SECRET_FILE (environment): cannot read"));
    sr_host_leave(h);
    sr_host_retire(h);
    sr_config_free(f.cfg);
}

/* The well-known name has its file as well. */
static void well_known_files(void)
{
    struct frame f;
    char pair[300];
    file_write("secret", "fromfile\n");
    (void)snprintf(pair, sizeof pair, "CLOUD_SECRET_FILE=%s", in_folder("secret"));
    frame_make(&f, "cloud", GIVEN(.environ_ = {pair}));
    value_is(&f, "secret", "fromfile");
    sr_config_free(f.cfg);
}

static atomic_int trickling;

static void *trickle(void *path)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    while (fd >= 0 && atomic_load(&trickling) && write(fd, "x", 1) == 1)
        (void)usleep(5000);
    if (fd >= 0)
        (void)close(fd);
    return NULL;
}

/* Each byte in time, and yet no end: the whole is bounded, not each piece. */
static void pipes_that_never_end(void)
{
    char path[256];
    struct sr_buf b;
    struct sr_error err = SR_ERROR_INIT;
    pthread_t t;
    (void)snprintf(path, sizeof path, "%s", in_folder("fifo"));
    CU_ASSERT_EQUAL_FATAL(mkfifo(path, 0600), 0);
    /* Held open, so that the reader does not find a pipe that nobody writes. */
    int keep = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    CU_ASSERT_FATAL(keep >= 0);
    sr_buf_init(&b, 1 << 20);
    CU_ASSERT_EQUAL(sr_fs_read_file_within(path, &b, 50, &err), SR_E_TIMEOUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, path));
    atomic_store(&trickling, 1);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&t, NULL, trickle, path), 0);
    CU_ASSERT_EQUAL(sr_fs_read_file_within(path, &b, 200, &err), SR_E_TIMEOUT);
    atomic_store(&trickling, 0);
    (void)pthread_join(t, NULL);
    CU_ASSERT(b.len < 1000);
    sr_buf_done(&b);
    (void)close(keep);
}

static const struct unit_test tests[] = {
    {"unknown names", unknown_names},
    {"service variables", service_variables},
    {"wrong values", wrong_values},
    {"the host's own keys", hosts_own_keys},
    {"credentials are a group", credentials_are_a_group},
    {"rotated secrets", rotated_secrets},
    {"files of well-known names", well_known_files},
    {"pipes that never end", pipes_that_never_end},
    {NULL, NULL},
};

int main(void)
{
    (void)umask(022);
    (void)snprintf(folder, sizeof folder, "/tmp/sr-test-settings-XXXXXX");
    if (!mkdtemp(folder))
        return 2;
    int rc = unit_main("settings", tests);
    static const char *const files[] = {"env", "secret", "new", "fifo"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        (void)unlink(in_folder(files[i]));
    return rmdir(folder) == 0 ? rc : 2;
}
