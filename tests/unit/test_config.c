#include "config.h"
#include "core/config/config.h"
#include "core/config/dotenv.h"
#include "core/util/buf.h"
#include "core/util/fs.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- frame: a folder of its own, an environment of its own --------------------------------- */

static char folder[64];

static void file_write(const char *name, const char *text, size_t len, mode_t mode)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    (void)unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CU_ASSERT_FATAL(fd >= 0 && sr_write_full(fd, text, len) == 0 && fchmod(fd, mode) == 0);
    (void)close(fd);
}

static const char *in_folder(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *p = paths[next++ % 4];
    (void)snprintf(p, 256, "%s/%s", folder, name);
    return p;
}

/* Files "env" and "conf" of the folder are read when their text is given. */
struct given {
    const char *env_file, *conf_file;
    const char *environ_[8];
    const char *flags[4];
};

static int config_of(const struct given *g, struct sr_config **ret, struct sr_error *err)
{
    struct sr_strlist flags = {0};
    char *const *env = (char *const *)(const void *)g->environ_;
    if (g->env_file)
        file_write("env", g->env_file, strlen(g->env_file), 0600);
    if (g->conf_file)
        file_write("conf", g->conf_file, strlen(g->conf_file), 0600);
    for (size_t i = 0; i < 4 && g->flags[i]; i++)
        CU_ASSERT_EQUAL(sr_strlist_add(&flags, g->flags[i]), SR_OK);
    struct sr_config_options o = {
        .config_file = g->conf_file ? in_folder("conf") : "/dev/null",
        .env_file = g->env_file ? in_folder("env") : "/dev/null",
        .flags = &flags,
        .environ_ = env,
    };
    int rc = sr_config_new(&o, ret, err);
    sr_strlist_done(&flags);
    return rc;
}

static struct sr_config *config_ok(const struct given *g)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_config *c = NULL;
    ASSERT_OK(config_of(g, &c, &err), err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    return c;
}

#define GIVEN(...) (&(const struct given){__VA_ARGS__})

static void refused(const struct given *g, const char *expected)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_config *c = NULL;
    CU_ASSERT_EQUAL(config_of(g, &c, &err), SR_E_CONFIG);
    CU_ASSERT_EQUAL(err.code, SR_E_CONFIG);
    CU_ASSERT_PTR_NULL(c);
    if (!strstr(err.text, expected)) {
        (void)fprintf(stderr, "expected \"%s\" in: %s\n", expected, err.text);
        CU_FAIL("message");
    }
}

/* --- dotenv ----------------------------------------------------------------------------------- */

static int collect(void *ctx, const char *name, const char *value, unsigned line,
                   struct sr_error *err)
{
    (void)err;
    return sr_buf_printf(ctx, "%u:%s=<%s>;", line, name, value);
}

static void parsed(const char *text, size_t len, const char *expected)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_buf out;
    sr_buf_init(&out, 1 << 20);
    ASSERT_OK(sr_dotenv_parse("f", text, len, collect, &out, &err), err);
    if (strcmp(sr_buf_str(&out), expected) != 0)
        (void)fprintf(stderr, "got %s\nnot %s\n", sr_buf_str(&out), expected);
    CU_ASSERT_STRING_EQUAL(sr_buf_str(&out), expected);
    sr_buf_done(&out);
}

#define PARSED(text, expected) parsed(text, sizeof text - 1, expected)

static void dotenv_reads_the_usual_forms(void)
{
    PARSED("", "");
    PARSED("\n\n# only\n  # comments\n\t\n", "");
    PARSED("A=1\nB=2", "1:A=<1>;2:B=<2>;");
    PARSED("\xef\xbb\xbf"
           "A=1\r\nB='x'\r\n\r\nC=\"y\" # c\r\n",
           "1:A=<1>;2:B=<x>;4:C=<y>;");
    PARSED("  export  A = b c \t# d\n", "1:A=<b c>;");
    PARSED("export=1\nexport =2\nexported=3\n", "1:export=<1>;2:export=<2>;3:exported=<3>;");
    PARSED("A=\nB=  \nC=#x\nD= # x\nE=''\nF=\"\"\n", "1:A=<>;2:B=<>;3:C=<>;4:D=<>;5:E=<>;6:F=<>;");
    PARSED("A=a#b\nB=a #b\nC=a\t#b\n", "1:A=<a#b>;2:B=<a>;3:C=<a>;");
    PARSED("A=a\"b\"'c'\n", "1:A=<a\"b\"'c'>;");
    PARSED("A=$HOME/${X}\nB=\"$HOME\"\nC='$(id)'\n", "1:A=<$HOME/${X}>;2:B=<$HOME>;3:C=<$(id)>;");
    PARSED("A='a\\n#\"b'\n", "1:A=<a\\n#\"b>;");
    PARSED("A=\"a\\nb\\\"c\\\\d\\$e\\tf\\\"\" #x\n", "1:A=<a\nb\"c\\d$e\\tf\">;");
    PARSED("A=\"1\r\n2\n3\"\nB='x\ny'\nC=z", "1:A=<1\n2\n3>;4:B=<x\ny>;6:C=<z>;");
    PARSED("A=1\nA=2\n", "1:A=<1>;2:A=<2>;");
    PARSED("spring.a-b=1\n", "1:spring.a-b=<1>;");
    PARSED("A=b=c==\n", "1:A=<b=c==>;");
}

static void not_parsed(const char *text, size_t len, const char *expected)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_buf out;
    sr_buf_init(&out, 1 << 20);
    CU_ASSERT_EQUAL(sr_dotenv_parse("f", text, len, collect, &out, &err), SR_E_CONFIG);
    if (!strstr(err.text, expected))
        (void)fprintf(stderr, "expected \"%s\" in: %s\n", expected, err.text);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, expected));
    CU_ASSERT_PTR_NULL(strstr(err.text, "hunter2"));
    sr_buf_done(&out);
}

#define NOT_PARSED(text, expected) not_parsed(text, sizeof text - 1, expected)

static void dotenv_refuses_what_it_cannot_mean(void)
{
    NOT_PARSED("A=1\nhunter2\n", "f:2: NAME=VALUE is expected");
    NOT_PARSED("A hunter2=1\n", "f:1: NAME=VALUE is expected");
    NOT_PARSED("export A\n", "f:1: NAME=VALUE");
    NOT_PARSED("=hunter2\n", "f:1: the name before = must begin");
    NOT_PARSED("9A=hunter2\n", "f:1: the name before = must begin");
    NOT_PARSED("\xc3\xa9=hunter2\n", "f:1: NAME=VALUE");
    NOT_PARSED("A=\"hunter2\nB=1\n", "f:1: the closing \" is missing");
    NOT_PARSED("\nA='hunter2", "f:2: the closing ' is missing");
    NOT_PARSED("A=\"x\\\"", "f:1: the closing \" is missing");
    NOT_PARSED("A=\"x\"hunter2\n", "f:1: there is text after the closing quote");
    NOT_PARSED("A='x\n\ny' z\n", "f:3: there is text after the closing quote");
    NOT_PARSED("A=hunter2\rB=2\n", "f:1: there is a carriage return");
    NOT_PARSED("A=hunter2\0\n", "NUL byte");
    NOT_PARSED("\xff\xfe"
               "A\0=\0",
               "NUL byte");
}

static void dotenv_is_bounded(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_buf b, out;
    sr_buf_init(&b, 4u << 20);
    sr_buf_init(&out, 4u << 20);
    (void)sr_buf_adds(&b, "A=");
    for (size_t i = 0; i < SR_DOTENV_VALUE_MAX; i++)
        (void)sr_buf_addc(&b, 'x');
    ASSERT_OK(sr_dotenv_parse("f", b.data, b.len, collect, &out, &err), err);
    (void)sr_buf_addc(&b, 'x');
    not_parsed(b.data, b.len, "f:1: the value is longer than 65536 bytes");
    sr_buf_reset(&b);
    for (size_t i = 0; i < SR_DOTENV_NAME_MAX + 1; i++)
        (void)sr_buf_addc(&b, 'N');
    (void)sr_buf_adds(&b, "=1");
    not_parsed(b.data, b.len, "f:1: the name is longer than 128 bytes");
    parsed(b.data + 2, 0, "");
    sr_buf_reset(&b);
    for (int i = 0; i < SR_DOTENV_PAIRS_MAX; i++)
        (void)sr_buf_adds(&b, "A=1\n");
    ASSERT_OK(sr_dotenv_parse("f", b.data, b.len, collect, &out, &err), err);
    (void)sr_buf_adds(&b, "A=1\n");
    not_parsed(b.data, b.len, "f:4097: more than 4096 settings");
    while (b.len <= SR_DOTENV_MAX)
        (void)sr_buf_adds(&b, "# a comment\n");
    not_parsed(b.data, b.len, "longer than 1048576 bytes");
    sr_buf_done(&b);
    sr_buf_done(&out);
}

static int count_and_stop(void *ctx, const char *name, const char *value, unsigned line,
                          struct sr_error *err)
{
    (void)name, (void)value, (void)line;
    return ++*(int *)ctx == 2 ? sr_fail(err, SR_E_CANCELLED, "enough") : SR_OK;
}

static void dotenv_stops_when_told(void)
{
    struct sr_error err = SR_ERROR_INIT;
    int seen = 0;
    CU_ASSERT_EQUAL(sr_dotenv_parse("f", "A=1\nB=2\nC=3\n", 12, count_and_stop, &seen, &err),
                    SR_E_CANCELLED);
    CU_ASSERT_EQUAL(seen, 2);
}

/* --- levels
 * --------------------------------------------------------------------------------------- */

static void higher_levels_win(void)
{
    struct given g = {.env_file = "BACKUP_COMPRESSION_LEVEL=3\nBACKUP_SOURCE_NAME=dotenv\n",
                      .conf_file = "BACKUP_COMPRESSION_LEVEL=2\nBACKUP_MIN_STORES=2\n",
                      .environ_ = {"BACKUP_COMPRESSION_LEVEL=4", "novalue", "=x", NULL},
                      .flags = {"BACKUP_COMPRESSION_LEVEL=5", "BACKUP_COMPRESSION_LEVEL=6"}};
    struct sr_config *c = config_ok(&g);
    CU_ASSERT_EQUAL(sr_config_int(c, "BACKUP_COMPRESSION_LEVEL"), 6);
    CU_ASSERT_EQUAL(sr_config_origin(c, "BACKUP_COMPRESSION_LEVEL"), SR_ORIGIN_FLAG);
    CU_ASSERT_STRING_EQUAL(sr_config_str(c, "BACKUP_SOURCE_NAME"), "dotenv");
    CU_ASSERT_EQUAL(sr_config_origin(c, "BACKUP_SOURCE_NAME"), SR_ORIGIN_DOTENV);
    CU_ASSERT_EQUAL(sr_config_int(c, "BACKUP_MIN_STORES"), 2);
    CU_ASSERT_EQUAL(sr_config_origin(c, "BACKUP_MIN_STORES"), SR_ORIGIN_FILE);
    CU_ASSERT_EQUAL(sr_config_int(c, "BACKUP_RETENTION_DAYS"), 7);
    CU_ASSERT_EQUAL(sr_config_origin(c, "BACKUP_RETENTION_DAYS"), SR_ORIGIN_DEFAULT);
    CU_ASSERT(sr_config_is_set(c, "BACKUP_MIN_STORES"));
    CU_ASSERT(!sr_config_is_set(c, "BACKUP_RETENTION_DAYS"));
    CU_ASSERT_PTR_NULL(sr_config_str(c, "DATABASE_URL"));
    sr_config_free(c);
    g.flags[0] = NULL;
    c = config_ok(&g);
    CU_ASSERT_EQUAL(sr_config_int(c, "BACKUP_COMPRESSION_LEVEL"), 4);
    CU_ASSERT_EQUAL(sr_config_raw_origin(c, "BACKUP_COMPRESSION_LEVEL"), SR_ORIGIN_ENVIRONMENT);
    sr_config_free(c);
    sr_config_free(NULL);
}

static void empty_is_not_set(void)
{
    struct sr_config *c =
        config_ok(GIVEN(.env_file = "BACKUP_DIR=\nBACKUP_MIN_STORES=\n",
                        .conf_file = "BACKUP_DIR=/var/conf\n",
                        .environ_ = {"BACKUP_DIR=", "DATABASE_URL="}, .flags = {"BACKUP_DIR="}));
    CU_ASSERT_STRING_EQUAL(sr_config_str(c, "BACKUP_DIR"), "/var/conf");
    CU_ASSERT_EQUAL(sr_config_int(c, "BACKUP_MIN_STORES"), 1);
    CU_ASSERT_PTR_NULL(sr_config_str(c, "DATABASE_URL"));
    sr_config_free(c);
}

static void first_of_two_in_the_environment_wins(void)
{
    struct sr_config *c =
        config_ok(GIVEN(.environ_ = {"BACKUP_SOURCE_NAME=a", "BACKUP_SOURCE_NAME=b"}));
    CU_ASSERT_STRING_EQUAL(sr_config_str(c, "BACKUP_SOURCE_NAME"), "a");
    sr_config_free(c);
}

static void alias_yields_to_the_name_of_its_level(void)
{
    struct sr_config *c =
        config_ok(GIVEN(.environ_ = {"RETENTION_DAYS=3", "BACKUP_RETENTION_DAYS=4"}));
    CU_ASSERT_EQUAL(sr_config_int(c, "BACKUP_RETENTION_DAYS"), 4);
    sr_config_free(c);
    c = config_ok(GIVEN(.env_file = "BACKUP_RETENTION_DAYS=4\n", .environ_ = {"RETENTION_DAYS=3"}));
    CU_ASSERT_EQUAL(sr_config_int(c, "BACKUP_RETENTION_DAYS"), 3);
    sr_config_free(c);
    c = config_ok(GIVEN(.environ_ = {"ENVIRONMENT=production"}));
    CU_ASSERT_STRING_EQUAL(sr_config_str(c, "ENV"), "production");
    sr_config_free(c);
    refused(GIVEN(.environ_ = {"RETENTION_DAYS=x"}),
            "BACKUP_RETENTION_DAYS=x (environment, RETENTION_DAYS)");
}

/* --- types --------------------------------------------------------------------------------------
 */

static void types_are_read(void)
{
    struct sr_config *c =
        config_ok(GIVEN(.environ_ = {"LOG_LEVEL=WARNING", "BACKUP_LOCK_WAIT=2m", "VERBOSE=1",
                                     "BACKUP_MIN_SIZE=1KiB", "BACKUP_RETENTION_CRITICAL_DAYS=90",
                                     "BACKUP_FORMAT=Plain,Custom", "BACKUP_DATABASES= a, b ,,c"}));
    CU_ASSERT_STRING_EQUAL(sr_config_str(c, "LOG_LEVEL"), "warning");
    CU_ASSERT_EQUAL(sr_config_int(c, "BACKUP_LOCK_WAIT"), 120);
    CU_ASSERT_EQUAL(sr_config_bool(c, "VERBOSE"), 1);
    CU_ASSERT_EQUAL(sr_config_int(c, "BACKUP_MIN_SIZE"), 1024);
    CU_ASSERT_EQUAL(sr_config_int(c, "BACKUP_RETENTION_CRITICAL_DAYS"), 90);
    CU_ASSERT_STRING_EQUAL(sr_config_str(c, "BACKUP_FORMAT"), "plain,custom");
    CU_ASSERT_EQUAL(sr_config_int(c, "BACKUP_STALL_TIMEOUT"), 900);
    CU_ASSERT_EQUAL(sr_config_bool(c, "BACKUP_GLOBALS"), 1);
    CU_ASSERT_EQUAL(sr_config_bool(c, "BACKUP_ENCRYPTION_ENABLED"), 0);
    struct sr_strlist l = {0};
    CU_ASSERT_EQUAL(sr_config_list(c, "BACKUP_DATABASES", &l), SR_OK);
    CU_ASSERT_EQUAL_FATAL(l.len, 3);
    CU_ASSERT_STRING_EQUAL(l.items[2], "c");
    CU_ASSERT_EQUAL(sr_config_list(c, "BACKUP_SCHEMA", &l), SR_OK);
    CU_ASSERT_EQUAL(l.len, 3);
    sr_strlist_done(&l);
    sr_config_free(c);
    c = config_ok(GIVEN(.environ_ = {NULL}));
    CU_ASSERT_EQUAL(sr_config_int(c, "BACKUP_RETENTION_CRITICAL_DAYS"), -1);
    sr_config_free(c);
}

static void wrong_values_say_what_is_allowed(void)
{
    refused(GIVEN(.environ_ = {"BACKUP_RETENTION_DAYS=-1"}),
            "BACKUP_RETENTION_DAYS=-1 (environment) does not fit: expected is a whole number from "
            "0 to 36500");
    refused(GIVEN(.environ_ = {"BACKUP_RETENTION_DAYS=36501"}), "from 0 to 36500");
    refused(GIVEN(.environ_ = {"BACKUP_RETENTION_DAYS=99999999999999999999"}), "from 0 to");
    refused(GIVEN(.environ_ = {"BACKUP_RETENTION_MIN_KEEP=0"}), "from 1 to");
    refused(GIVEN(.env_file = "\nDB_PORT=65536\n"), "/env:2) does not fit");
    refused(GIVEN(.flags = {"BACKUP_COMPRESSION_LEVEL=23"}), "(flag) does not fit");
    refused(GIVEN(.conf_file = "BACKUP_GLOBALS=maybe\n"), "expected is on or off");
    refused(GIVEN(.environ_ = {"BACKUP_COMPRESSION=gzib"}),
            "one of gzip|zstd|none; did you mean gzip?");
    refused(GIVEN(.environ_ = {"BACKUP_COMPRESSION=brotli"}), "one of gzip|zstd|none");
    refused(GIVEN(.environ_ = {"BACKUP_LOCK_WAIT=soon"}), "a time as in 90s");
    refused(GIVEN(.environ_ = {"BACKUP_LOCK_WAIT=36501d"}), "at most 36500d");
    refused(GIVEN(.environ_ = {"BACKUP_MIN_SIZE=big"}), "a size in bytes");
    refused(GIVEN(.environ_ = {"BACKUP_MIN_SIZE=9223372036854775808"}), "a size in bytes");
    refused(GIVEN(.environ_ = {"BACKUP_RETENTION_CRITICAL_DAYS=never"}), "\"forever\" or a whole");
    refused(GIVEN(.environ_ = {"BACKUP_DIR=a\nb"}), "BACKUP_DIR=a?b (environment)");
    refused(GIVEN(.flags = {"BACKUP_DIR"}), "must be NAME=VALUE");
    refused(GIVEN(.flags = {"=x"}), "must be NAME=VALUE");
}

static void every_typed_setting_refuses_nonsense(void)
{
    for (const struct sr_setting *s = sr_settings; s->name; s++) {
        char pair[256];
        struct given g = {.environ_ = {pair, NULL}};
        if (s->type == SR_TYPE_STRING || s->type == SR_TYPE_LIST)
            continue;
        (void)snprintf(pair, sizeof pair, "%s=\x01nonsense", s->name);
        refused(&g, s->name);
    }
}

static void huge_values_are_refused(void)
{
    static char pair[(64 << 10) + 64];
    struct given g = {.environ_ = {pair, NULL}};
    memset(pair, 'x', sizeof pair - 1);
    memcpy(pair, "BACKUP_SOURCE_NAME=", 19);
    refused(&g, "is 65580 bytes long; at most 65536");
    memcpy(pair, "DB_PASSWORD=", 12);
    refused(&g, "DB_PASSWORD (environment) is");
}

static void secrets_stay_out_of_messages(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_config *c = NULL;
    CU_ASSERT_EQUAL(
        config_of(GIVEN(.environ_ = {"DATABASE_URL=postgres://u:hunter2@h/d\n"}), &c, &err),
        SR_E_CONFIG);
    CU_ASSERT_PTR_NULL(strstr(err.text, "hunter2"));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "DATABASE_URL=***"));
}

/* --- files ---------------------------------------------------------------------------------- */

static void named_files_must_be_there(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_config *c = NULL;
    struct sr_config_options o = {.config_file = "/dev/null", .env_file = in_folder("missing")};
    CU_ASSERT_EQUAL(sr_config_new(&o, &c, &err), SR_E_CONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "missing: No such file"));
    o = (struct sr_config_options){.config_file = folder, .env_file = "/dev/null"};
    CU_ASSERT_EQUAL(sr_config_new(&o, &c, &err), SR_E_CONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "it is not a file"));
    refused(GIVEN(.env_file = "A=1\nBACKUP_DIR\n"), "/env:2: NAME=VALUE");
}

static void dotenv_of_the_working_folder_is_optional(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_config *c = NULL;
    char back[4096];
    char *none[] = {NULL};
    struct sr_config_options o = {.config_file = "/dev/null", .environ_ = none};
    CU_ASSERT_PTR_NOT_NULL_FATAL(getcwd(back, sizeof back));
    CU_ASSERT_EQUAL_FATAL(chdir(folder), 0);
    ASSERT_OK(sr_config_new(&o, &c, &err), err);
    sr_config_free(c);

    file_write(".env", "BACKUP_DIR=store\n", 17, 0600);
    ASSERT_OK(sr_config_new(&o, &c, &err), err);
    char *dir = NULL;
    ASSERT_OK(sr_config_backup_dir(c, &dir, &err), err);
    CU_ASSERT_STRING_EQUAL(dir, in_folder("store"));
    free(dir);
    char *value = NULL, *origin = NULL;
    for (const struct sr_setting *s = sr_settings; s->name; s++) {
        if (strcmp(s->name, "BACKUP_DIR") != 0)
            continue;
        CU_ASSERT_EQUAL(sr_config_describe(c, s, &value, &origin), SR_OK);
        CU_ASSERT_STRING_EQUAL(origin, ".env:1");
        CU_ASSERT_STRING_EQUAL(value, "store");
        free(value);
        free(origin);
    }
    sr_config_free(c);

    CU_ASSERT_EQUAL(unlink(".env"), 0);
    CU_ASSERT_EQUAL(mkdir(".env", 0700), 0);
    ASSERT_OK(sr_config_new(&o, &c, &err), err);
    struct sr_strlist w = {0};
    CU_ASSERT_EQUAL(sr_config_unknown(c, NULL, &w), SR_OK);
    CU_ASSERT_EQUAL_FATAL(w.len, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.items[0], ".env is a folder"));
    sr_strlist_done(&w);
    sr_config_free(c);
    CU_ASSERT_EQUAL(rmdir(".env"), 0);

    CU_ASSERT_EQUAL(symlink("loop", "loop"), 0);
    CU_ASSERT_EQUAL(rename("loop", ".env"), 0);
    c = NULL;
    CU_ASSERT_EQUAL(symlink(".env", "other"), 0);
    CU_ASSERT_EQUAL(rename("other", ".env"), 0);
    CU_ASSERT_EQUAL(sr_config_new(&o, &c, &err), SR_E_CONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "cannot read the settings file .env"));
    CU_ASSERT_EQUAL(unlink(".env"), 0);
    CU_ASSERT_EQUAL(chdir(back), 0);
}

static void paths_count_from_where_they_were_set(void)
{
    struct sr_error err = SR_ERROR_INIT;
    char cwd[4096], expected[5000];
    char *dir = NULL;
    CU_ASSERT_PTR_NOT_NULL_FATAL(getcwd(cwd, sizeof cwd));

    struct sr_config *c = config_ok(GIVEN(.env_file = "", .environ_ = {"BACKUP_SPOOL_DIR=./s"}));
    ASSERT_OK(sr_config_backup_dir(c, &dir, &err), err);
    CU_ASSERT_STRING_EQUAL(dir, in_folder("backups"));
    free(dir);
    ASSERT_OK(sr_config_state_dir(c, &dir, &err), err);
    CU_ASSERT_STRING_EQUAL(dir, in_folder("backups/.strongroom"));
    free(dir);
    ASSERT_OK(sr_config_path(c, "BACKUP_SPOOL_DIR", &dir, &err), err);
    (void)snprintf(expected, sizeof expected, "%s/s", cwd);
    CU_ASSERT_STRING_EQUAL(dir, expected);
    free(dir);
    sr_config_free(c);

    c = config_ok(GIVEN(.conf_file = "BACKUP_DIR=b\n", .flags = {"BACKUP_SPOOL_DIR=/abs"}));
    ASSERT_OK(sr_config_backup_dir(c, &dir, &err), err);
    CU_ASSERT_STRING_EQUAL(dir, in_folder("b"));
    free(dir);
    ASSERT_OK(sr_config_path(c, "BACKUP_SPOOL_DIR", &dir, &err), err);
    CU_ASSERT_STRING_EQUAL(dir, "/abs");
    free(dir);
    sr_config_free(c);

    c = config_ok(GIVEN(.flags = {"BACKUP_DIR=."}));
    ASSERT_OK(sr_config_backup_dir(c, &dir, &err), err);
    CU_ASSERT_STRING_EQUAL(dir, cwd);
    free(dir);
    ASSERT_OK(sr_config_path(c, "BACKUP_SPOOL_DIR", &dir, &err), err);
    CU_ASSERT_PTR_NULL(dir);
    sr_config_free(c);
}

static void a_relative_env_file_has_an_absolute_folder(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_config *c = NULL;
    char back[4096], *dir = NULL;
    char *none[] = {NULL};
    CU_ASSERT_PTR_NOT_NULL_FATAL(getcwd(back, sizeof back));
    CU_ASSERT_EQUAL(mkdir(in_folder("sub"), 0700), 0);
    file_write("sub/.env", "BACKUP_DIR=b\n", 13, 0600);
    CU_ASSERT_EQUAL_FATAL(chdir(folder), 0);
    struct sr_config_options o = {
        .config_file = "/dev/null", .env_file = "sub/.env", .environ_ = none};
    ASSERT_OK(sr_config_new(&o, &c, &err), err);
    CU_ASSERT_EQUAL_FATAL(chdir(back), 0);
    ASSERT_OK(sr_config_backup_dir(c, &dir, &err), err);
    CU_ASSERT_STRING_EQUAL(dir, in_folder("sub/b"));
    free(dir);
    sr_config_free(c);
}

/* --- NAME_FILE ------------------------------------------------------------------------------- */

static void secrets_come_from_files(void)
{
    struct sr_error err = SR_ERROR_INIT;
    char a[300], b[300];
    char *value = NULL;
    file_write("pw", "hunter2\n", 8, 0600);
    file_write("url", "postgres://u:p@h/d\r\n", 20, 0600);
    (void)snprintf(a, sizeof a, "DB_PASSWORD_FILE=%s", in_folder("pw"));
    (void)snprintf(b, sizeof b, "DATABASE_URL_FILE=%s", in_folder("url"));
    struct sr_config *c = config_ok(GIVEN(.environ_ = {a, b}));
    CU_ASSERT_STRING_EQUAL(sr_config_str(c, "DB_PASSWORD"), "hunter2");
    CU_ASSERT_STRING_EQUAL(sr_config_str(c, "DATABASE_URL"), "postgres://u:p@h/d");
    ASSERT_OK(sr_config_raw(c, "DB_PASSWORD", &value, &err), err);
    CU_ASSERT_STRING_EQUAL(value, "hunter2");
    free(value);
    file_write("pw", "rotated\n\n", 9, 0600);
    ASSERT_OK(sr_config_raw(c, "DB_PASSWORD", &value, &err), err);
    CU_ASSERT_STRING_EQUAL(value, "rotated\n");
    free(value);
    CU_ASSERT_STRING_EQUAL(sr_config_str(c, "DB_PASSWORD"), "hunter2");
    CU_ASSERT_EQUAL(sr_config_raw_origin(c, "DB_PASSWORD"), SR_ORIGIN_ENVIRONMENT);
    (void)unlink(in_folder("pw"));
    value = NULL;
    CU_ASSERT_EQUAL(sr_config_raw(c, "DB_PASSWORD", &value, &err), SR_E_CONFIG);
    CU_ASSERT_PTR_NULL(value);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "DB_PASSWORD_FILE (environment): cannot read"));
    ASSERT_OK(sr_config_raw(c, "AWS_SECRET_ACCESS_KEY", &value, &err), err);
    CU_ASSERT_PTR_NULL(value);
    sr_config_free(c);
}

static void a_file_setting_counts_from_its_own_file(void)
{
    struct sr_error err = SR_ERROR_INIT;
    char *value = NULL;
    file_write("secret", "k", 1, 0600);
    struct sr_config *c = config_ok(GIVEN(.env_file = "AWS_SECRET_ACCESS_KEY_FILE=secret\n"));
    ASSERT_OK(sr_config_raw(c, "AWS_SECRET_ACCESS_KEY", &value, &err), err);
    CU_ASSERT_STRING_EQUAL(value, "k");
    free(value);
    sr_config_free(c);
}

static void a_value_and_a_file_exclude_each_other(void)
{
    struct sr_error err = SR_ERROR_INIT;
    char *value = NULL;
    refused(GIVEN(.environ_ = {"DB_PASSWORD=a", "DB_PASSWORD_FILE=b"}),
            "both DB_PASSWORD (environment) and DB_PASSWORD_FILE (environment) are set");
    struct sr_config *c = config_ok(
        GIVEN(.env_file = "X_FILE=nowhere\nY=low\n", .environ_ = {"X=high", "Z=1", "Z_FILE=2"}));
    ASSERT_OK(sr_config_raw(c, "X", &value, &err), err);
    CU_ASSERT_STRING_EQUAL(value, "high");
    free(value);
    CU_ASSERT_EQUAL(sr_config_raw(c, "Z", &value, &err), SR_E_CONFIG);
    sr_config_free(c);
}

static void bad_secret_files_are_refused(void)
{
    static char big[(64 << 10) + 1];
    static const struct {
        const char *text;
        size_t len;
        const char *expected;
    } cases[] = {{"", 0, "is empty"},
                 {"\n", 1, "is empty"},
                 {"\r\n", 2, "is empty"},
                 {"a\0b", 3, "has a NUL byte"},
                 {big, sizeof big, "larger than 65536 bytes"}};
    char pair[300];
    struct given g = {.environ_ = {pair, NULL}};
    memset(big, 'x', sizeof big);
    (void)snprintf(pair, sizeof pair, "DB_PASSWORD_FILE=%s", in_folder("pw"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        file_write("pw", cases[i].text, cases[i].len, 0600);
        refused(&g, cases[i].expected);
    }
    file_write("pw", "", 0, 0600);
    refused(&g, "DB_PASSWORD_FILE (environment)");
}

/* --- showing and warning ------------------------------------------------------------------------
 */

static void passwords_in_urls_are_masked(void)
{
    static const struct sr_setting url = {.name = "U", .type = SR_TYPE_URL};
    static const struct sr_setting secret = {.name = "S", .type = SR_TYPE_STRING, .secret = 1};
    static const char *const pairs[][2] = {
        {"postgres://h/d", "postgres://h/d"},
        {"postgres://u@h:5432/d?sslmode=require", "postgres://u@h:5432/d?sslmode=require"},
        {"postgres://u:pw@h:1/d", "postgres://u:***@h:1/d"},
        {"postgres://u:p@w/o?r:d@h/d", "postgres://u:***@h/d"},
        {"postgres://h/d?user=u&password=pw&x=1", "postgres://h/d?user=u&password=***&x=1"},
        {"postgres://h/d?sslPassword=pw", "postgres://h/d?sslPassword=***"},
        {"postgres://u:p@h/d?password=q", "postgres://u:***@h/d?password=***"},
        /* An '@' in a query is libpq's to take, and where a password ends cannot be told. */
        {"postgres://h/d?password=p@ss", "postgres://h/d?***"},
        {"postgres://h:1/d?sslmode=require&password=p@ss&x=1", "postgres://h:***"},
        {"postgres://u@h/d?password=p@s?s", "postgres://u@h/d?***"},
        {"postgres://h/d?application_name=a@b", "postgres://h/d?application_name=a@b"},
        {"host=h password=pw", "***"},
        {"dbname", "dbname"},
        {"u:pw@h", "***"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char *shown = sr_config_shown(&url, pairs[i][0]);
        CU_ASSERT_STRING_EQUAL(shown, pairs[i][1]);
        free(shown);
    }
    char *shown = sr_config_shown(&secret, "pw");
    CU_ASSERT_STRING_EQUAL(shown, "***");
    free(shown);
    CU_ASSERT_PTR_NULL(sr_config_shown(&secret, NULL));
}

static void every_setting_can_be_described(void)
{
    struct sr_config *c =
        config_ok(GIVEN(.env_file = "\nDB_PASSWORD=hunter2\nDB_HOST=h\n",
                        .conf_file = "BACKUP_MIN_STORES=2\n",
                        .environ_ = {"RETENTION_DAYS=3", "DATABASE_URL=postgres://u:hunter2@h/d"},
                        .flags = {"BACKUP_DIR=/x"}));
    struct sr_buf all;
    sr_buf_init(&all, 1 << 20);
    for (const struct sr_setting *s = sr_settings; s->name; s++) {
        char *value = NULL, *origin = NULL;
        CU_ASSERT_EQUAL(sr_config_describe(c, s, &value, &origin), SR_OK);
        (void)sr_buf_printf(&all, "%s=%s [%s]\n", s->name, value ? value : "(unset)", origin);
        free(value);
        free(origin);
    }
    const char *text = sr_buf_str(&all);
    char line[400];
    CU_ASSERT_PTR_NULL(strstr(text, "hunter2"));
    (void)snprintf(line, sizeof line, "\nDB_PASSWORD=*** [%s:2]\n", in_folder("env"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, line));
    (void)snprintf(line, sizeof line, "\nBACKUP_MIN_STORES=2 [%s:1]\n", in_folder("conf"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, line));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "DATABASE_URL=postgres://u:***@h/d [environment]\n"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "\nBACKUP_RETENTION_DAYS=3 [environment (RETENTION_DAYS)]\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nBACKUP_DIR=/x [flag]\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nBACKUP_COMPRESSION=gzip [default]\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nDB_USER=(unset) [default]\n"));
    sr_buf_done(&all);
    sr_config_free(c);
}

static void warnings_of(const struct given *g, const char *expected)
{
    struct sr_config *c = config_ok(g);
    struct sr_strlist w = {0};
    struct sr_buf all;
    sr_buf_init(&all, 1 << 20);
    CU_ASSERT_EQUAL(sr_config_unknown(c, NULL, &w), SR_OK);
    for (size_t i = 0; i < w.len; i++)
        (void)sr_buf_printf(&all, "%s\n", w.items[i]);
    if (expected ? !strstr(sr_buf_str(&all), expected) : all.len != 0) {
        (void)fprintf(stderr, "expected \"%s\" in: %s\n", expected ? expected : "(nothing)",
                      sr_buf_str(&all));
        CU_FAIL("warnings");
    }
    CU_ASSERT_PTR_NULL(strstr(sr_buf_str(&all), "hunter2"));
    sr_buf_done(&all);
    sr_strlist_done(&w);
    sr_config_free(c);
}

static void unknown_names_are_told(void)
{
    warnings_of(GIVEN(.environ_ = {"BACKUP_RETENTION_DAY=hunter2"}),
                "BACKUP_RETENTION_DAY (environment) is no setting of strongroom; did you mean "
                "BACKUP_RETENTION_DAYS?\n");
    warnings_of(GIVEN(.env_file = "BACKUP_QQQQQQQQQQQQQ=1\n"),
                "/env:1) is no setting of strongroom\n");
    warnings_of(GIVEN(.conf_file = "DATABASE_ULR=hunter2\n"), "did you mean DATABASE_URL?");
    /* The store's name mistyped; and what a plugin that is installed would take. */
    warnings_of(GIVEN(.environ_ = {"BACKUP_STORAGE_ADAPTER=offsite=x", "BACKUP_OFSITE_BUCKET=b"}),
                "did you mean BACKUP_OFFSITE_BUCKET?");
    struct sr_config *c = config_ok(
        GIVEN(.environ_ = {"BACKUP_FTP_HOST=h"}, .flags = {"LOG_LEVL=x", "BACKUP_FTP_HOST=h"}));
    struct sr_strlist ftp = {0}, w = {0};
    (void)sr_strlist_add(&ftp, "ftp");
    CU_ASSERT_EQUAL(sr_config_unknown(c, &ftp, &w), SR_OK);
    CU_ASSERT_EQUAL(w.len, 0);
    CU_ASSERT_EQUAL(sr_config_unknown(c, NULL, &w), SR_OK);
    CU_ASSERT_EQUAL(w.len, 1);
    sr_strlist_done(&w);
    CU_ASSERT_EQUAL(sr_config_unknown_flags(c, &ftp, &w), SR_OK);
    CU_ASSERT_EQUAL_FATAL(w.len, 1);
    CU_ASSERT_STRING_EQUAL(w.items[0],
                           "LOG_LEVL (flag) is no setting of strongroom; did you mean LOG_LEVEL?");
    sr_strlist_done(&w);
    sr_strlist_done(&ftp);
    sr_config_free(c);
    /* Of a service that a container runtime tells about. */
    warnings_of(GIVEN(.environ_ = {"BACKUP_SERVICE_HOST=h", "BACKUP_SERVICE_PORT=1",
                                   "BACKUP_PORT_1_TCP_ADDR=h"}),
                NULL);
    warnings_of(GIVEN(.environ_ = {"BACKUP_DIR_FILE=x"}), "BACKUP_DIR_FILE");
    warnings_of(GIVEN(.environ_ = {"BACKUP_S3X_BUCKET=x"}), "BACKUP_S3X_BUCKET");
    warnings_of(GIVEN(.environ_ = {"SECRET_KEY=x", "BACKUP_S3_BUCKET=b", "RETENTION_DAYS=1",
                                   "BACKUP_ENCRYPTION_PASSPHRASE_FILE="}),
                NULL);
    warnings_of(GIVEN(.env_file = "APP_DEBUG=1\nDATABSE_URL=x\n"), NULL);
    warnings_of(GIVEN(.conf_file = "REDIS_URL=x\nSLACK_WEBHOOK_URL=x\nNOTIFICATION_ENABLED=1\n"
                                   "AWS_ACCESS_KEY_ID=x\nPGSERVICE=x\nBACKUP_AZURE_CONTAINER=x\n"),
                NULL);
    warnings_of(GIVEN(.environ_ = {"BACKUP_STORAGE_ADAPTER=local,dr-2=s3,x", "BACKUP_DR_2_BUCKET=b",
                                   "BACKUP_X_DIR=b"}),
                NULL);
    warnings_of(GIVEN(.environ_ = {"BACKUP_STORAGE_ADAPTER=local,dr-2=s3", "BACKUP_DR_BUCKET=b"}),
                "BACKUP_DR_BUCKET");
}

static void odd_files_are_told(void)
{
    warnings_of(GIVEN(.env_file = "DB_HOST=a\n\nDB_HOST=hunter2\n"),
                "/env:3: DB_HOST is set again; line 1 no longer counts\n");
    struct sr_error err = SR_ERROR_INIT;
    static const struct {
        const char *text;
        mode_t mode;
        const char *expected;
    } cases[] = {
        {"DB_PASSWORD=hunter2\n", 0644, "every user may read it, and DB_PASSWORD in it looks"},
        {"DB_PASSWORD=hunter2\n", 0640, NULL},
        {"DB_PASSWORD=\nDB_HOST=h\n", 0644, NULL},
        {"MY_URL=redis://:hunter2@h\n", 0604, "MY_URL in it looks secret"},
        {"DB_HOST=h\n", 0602, "every user may change it"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *none[] = {NULL};
        struct sr_strlist w = {0};
        struct sr_config *c = NULL;
        file_write("modes", cases[i].text, strlen(cases[i].text), cases[i].mode);
        struct sr_config_options o = {
            .config_file = "/dev/null", .env_file = in_folder("modes"), .environ_ = none};
        ASSERT_OK(sr_config_new(&o, &c, &err), err);
        CU_ASSERT_EQUAL(sr_config_unknown(c, NULL, &w), SR_OK);
        CU_ASSERT_EQUAL(w.len, cases[i].expected ? 1 : 0);
        if (cases[i].expected && w.len)
            CU_ASSERT_PTR_NOT_NULL(strstr(w.items[0], cases[i].expected));
        sr_strlist_done(&w);
        sr_config_free(c);
    }
}

static void names_are_listed_once(void)
{
    struct sr_config *c = config_ok(GIVEN(.env_file = "BACKUP_DR_B=1\nBACKUP_DR_A=1\nOTHER=1\n",
                                          .conf_file = "BACKUP_DR_C=\n",
                                          .environ_ = {"BACKUP_DR_B=2", "BACKUP_DR_A="}));
    struct sr_strlist l = {0};
    CU_ASSERT_EQUAL(sr_config_names(c, "BACKUP_DR_", &l), SR_OK);
    CU_ASSERT_EQUAL_FATAL(l.len, 2);
    CU_ASSERT_STRING_EQUAL(l.items[0], "BACKUP_DR_A");
    CU_ASSERT_STRING_EQUAL(l.items[1], "BACKUP_DR_B");
    sr_strlist_done(&l);
    sr_config_free(c);
}

/* --- the declared table --------------------------------------------------------------------------
 */

static void the_table_is_sound(void)
{
    for (const struct sr_setting *s = sr_settings; s->name; s++) {
        CU_ASSERT(s->help && *s->help && !strchr(s->help, '|'));
        CU_ASSERT(s->min <= s->max);
        CU_ASSERT((s->type == SR_TYPE_CHOICE) == (s->choices != NULL));
        CU_ASSERT(!s->secret || !s->fallback);
        for (const struct sr_setting *t = s + 1; t->name; t++)
            CU_ASSERT(strcmp(s->name, t->name) != 0);
    }
}

/* The row of docs/settings.md that describes s. */
static void row_of(const struct sr_setting *s, struct sr_buf *row)
{
    static const char *const kinds[] = {
        [SR_TYPE_STRING] = "text", [SR_TYPE_BOOL] = "on/off",   [SR_TYPE_INT] = "whole number",
        [SR_TYPE_SIZE] = "size",   [SR_TYPE_DURATION] = "time", [SR_TYPE_CHOICE] = "choice:",
        [SR_TYPE_LIST] = "list",   [SR_TYPE_PATH] = "path",     [SR_TYPE_URL] = "URL",
        [SR_TYPE_DAYS] = "days"};
    sr_buf_reset(row);
    (void)sr_buf_printf(row, "| `%s`", s->name);
    if (s->alias)
        (void)sr_buf_printf(row, " (alias `%s`)", s->alias);
    (void)sr_buf_printf(row, " | %s", s->secret ? "secret" : kinds[s->type]);
    for (const char *c = s->choices; c && *c; c += strspn(c, "|")) {
        size_t n = strcspn(c, "|");
        (void)sr_buf_printf(row, " `%.*s`", (int)n, c);
        c += n;
    }
    if (s->min || s->max)
        (void)sr_buf_printf(row, " %lld to %lld", (long long)s->min, (long long)s->max);
    if (s->type == SR_TYPE_DAYS)
        (void)sr_buf_adds(row, ", or `forever`");
    if (s->fallback)
        (void)sr_buf_printf(row, " | `%s`", s->fallback);
    else
        (void)sr_buf_adds(row, " |");
    (void)sr_buf_printf(row, " | %s |\n", s->help);
}

static void the_documentation_agrees(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_buf doc, row;
    const char *top = getenv("SR_SRCDIR");
    char path[4096];
    size_t settings = 0, rows = 0;
    sr_buf_init(&doc, 1 << 20);
    sr_buf_init(&row, 1 << 12);
    (void)snprintf(path, sizeof path, "%s/docs/settings.md", top ? top : ".");
    ASSERT_OK(sr_fs_read_file(path, &doc, &err), err);
    for (const struct sr_setting *s = sr_settings; s->name; s++, settings++) {
        row_of(s, &row);
        if (!strstr(sr_buf_str(&doc), row.data)) {
            (void)fprintf(stderr, "docs/settings.md lacks this row:\n%s", row.data);
            CU_FAIL("documentation");
        }
    }
    for (const char *p = sr_buf_str(&doc); (p = strstr(p, "\n| `")); p++)
        rows++;
    CU_ASSERT_EQUAL(rows, settings);
    sr_buf_done(&doc);
    sr_buf_done(&row);
}

static const struct unit_test tests[] = {
    {"dotenv reads the usual forms", dotenv_reads_the_usual_forms},
    {"dotenv refuses what it cannot mean", dotenv_refuses_what_it_cannot_mean},
    {"dotenv is bounded", dotenv_is_bounded},
    {"dotenv stops when told", dotenv_stops_when_told},
    {"higher levels win", higher_levels_win},
    {"empty is not set", empty_is_not_set},
    {"the first of two in the environment wins", first_of_two_in_the_environment_wins},
    {"an alias yields to the name of its level", alias_yields_to_the_name_of_its_level},
    {"types are read", types_are_read},
    {"wrong values say what is allowed", wrong_values_say_what_is_allowed},
    {"every typed setting refuses nonsense", every_typed_setting_refuses_nonsense},
    {"huge values are refused", huge_values_are_refused},
    {"secrets stay out of messages", secrets_stay_out_of_messages},
    {"named files must be there", named_files_must_be_there},
    {"dotenv of the working folder is optional", dotenv_of_the_working_folder_is_optional},
    {"paths count from where they were set", paths_count_from_where_they_were_set},
    {"a relative env file has an absolute folder", a_relative_env_file_has_an_absolute_folder},
    {"secrets come from files", secrets_come_from_files},
    {"a file setting counts from its own file", a_file_setting_counts_from_its_own_file},
    {"a value and a file exclude each other", a_value_and_a_file_exclude_each_other},
    {"bad secret files are refused", bad_secret_files_are_refused},
    {"passwords in URLs are masked", passwords_in_urls_are_masked},
    {"every setting can be described", every_setting_can_be_described},
    {"unknown names are told", unknown_names_are_told},
    {"odd files are told", odd_files_are_told},
    {"names are listed once", names_are_listed_once},
    {"the table is sound", the_table_is_sound},
    {"the documentation agrees", the_documentation_agrees},
    {NULL, NULL},
};

int main(void)
{
    (void)snprintf(folder, sizeof folder, "/tmp/test_config.XXXXXX");
    if (!mkdtemp(folder))
        return 2;
    int rc = unit_main("config", tests);
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command) == 0 ? rc : 2;
}
