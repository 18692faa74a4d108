/* Finds AWS credentials as a plugin does, under settings that a test gives. For
 * tests/unit/aws_sources.py, which plays the other side.
 *
 * Standard input, a JSON object per line: first {"settings": {NAME: value}, "ca_file": ...}, where
 * a NAME is a key of the table or one of its well-known names, or one of them with _FILE; then
 * questions: {} (what is used now), {"advance": seconds} before it, {"refuse": true} for what was
 * used last, {"region": true}. Each question is answered by a line. The log goes to standard
 * error. */
#include "common/aws.h"
#include "common/aws_settings.h"
#include "tests/unit/cloud_host.h"

#include <jansson.h>
#include <stdlib.h>

static const struct sr_storage_setting table[] = {SC_AWS_SETTINGS{0}};

struct asker {
    struct test_host base; /* first */
    const json_t *settings;
    int64_t ahead;
};

static const char *given(const struct asker *a, const char *name)
{
    static char value[70000];
    char file_name[256];
    const char *plain = json_string_value(json_object_get(a->settings, name));
    (void)snprintf(file_name, sizeof file_name, "%s_FILE", name);
    const char *path = json_string_value(json_object_get(a->settings, file_name));
    if (plain || !path)
        return plain;
    FILE *f = fopen(path, "re");
    size_t n = f ? fread(value, 1, sizeof value - 1, f) : 0;
    if (f)
        (void)fclose(f);
    while (n > 0 && value[n - 1] == '\n')
        n--;
    value[n] = '\0';
    return value;
}

static int64_t setting(const struct sr_storage_host *host, const char *key, char *buf, uint64_t cap)
{
    const struct asker *a = (const struct asker *)(const void *)host;
    const struct sr_storage_setting *row = table;
    while (row->key && strcmp(row->key, key) != 0)
        row++;
    if (!row->key) {
        (void)fprintf(stderr, "aws_ask: the table has no setting %s\n", key);
        abort();
    }
    const char *value = given(a, key);
    char names[256];
    (void)snprintf(names, sizeof names, "%s", row->names ? row->names : "");
    char *rest = names;
    for (char *n = strsep(&rest, " "); n && !value; n = strsep(&rest, " "))
        value = *n ? given(a, n) : NULL;
    if (!value)
        value = row->fallback;
    if (value && row->type == SR_STORAGE_TYPE_BOOL)
        value = strcmp(value, "true") == 0 ? "1" : "0";
    if (!value || !*value)
        return -1;
    size_t len = strlen(value);
    if (len < cap)
        memcpy(buf, value, len + 1);
    return (int64_t)len;
}

static int64_t now(const struct sr_storage_host *host)
{
    return (int64_t)time(NULL) + ((const struct asker *)(const void *)host)->ahead;
}

static void say(const struct sr_storage_host *host, int32_t level, const char *text)
{
    (void)host;
    (void)fprintf(stderr, "%d %s\n", level, text);
}

static void answer(json_t *out)
{
    if (!out || json_dumpf(out, stdout, JSON_COMPACT) != 0)
        abort();
    json_decref(out);
    (void)putchar('\n');
    (void)fflush(stdout);
}

static json_t *error_of(const struct sc_error *err)
{
    return json_pack("{s:s, s:s}", "code", sc_code_name(err->code), "error", err->text);
}

/* The next line; NULL at the end. */
static json_t *read_line(void)
{
    static char line[1 << 18];
    if (!fgets(line, sizeof line, stdin))
        return NULL;
    json_t *v = json_loads(line, 0, NULL);
    if (!v)
        abort();
    return v;
}

static void ask(const struct sr_storage_host *host, struct sc_creds *creds, struct sc_cred **last)
{
    struct sc_error err = SC_ERROR_INIT;
    struct sc_cred *c = NULL;
    char source[160];
    if (sc_creds_get(creds, host, &c, &err) != SR_STORAGE_OK) {
        answer(error_of(&err));
        return;
    }
    sc_cred_unref(*last);
    *last = c;
    sc_creds_source(creds, source, sizeof source);
    answer(json_pack("{s:s, s:s, s:s, s:s, s:I}", "id", c->id, "secret",
                     sc_secret_bytes(&c->secret), "token", sc_secret_bytes(&c->token), "source",
                     source, "expires", (json_int_t)c->expires));
}

static void ask_region(const struct sr_storage_host *host)
{
    struct sc_error err = SC_ERROR_INIT;
    char *region = NULL;
    if (sc_aws_region(host, &region, &err) != SR_STORAGE_OK)
        answer(error_of(&err));
    else
        answer(json_pack("{s:s?}", "region", region));
    free(region);
}

int main(void)
{
    struct asker a = {0};
    struct sc_error err = SC_ERROR_INIT;
    struct sc_creds *creds = NULL;
    struct sc_cred *last = NULL;
    struct sc_aws_clock clock = SC_AWS_CLOCK_INIT;
    json_t *first = read_line(), *q = NULL;
    if (!first)
        return 2;
    test_host_init(&a.base);
    a.base.host.setting = setting;
    a.base.host.now = now;
    a.base.host.log = say;
    a.settings = json_object_get(first, "settings");
    a.ahead = json_integer_value(json_object_get(first, "ahead"));
    const struct sr_storage_host *host = &a.base.host;
    const struct sc_aws_options options = {.label = "s3",
                                           .ca_file =
                                               json_string_value(json_object_get(first, "ca_file")),
                                           .ca_setting = "AWS_CA_BUNDLE",
                                           .clock = &clock};
    if (sc_http_global_init(&err) != SR_STORAGE_OK ||
        sc_aws_creds_new(host, &options, &creds, &err) != SR_STORAGE_OK) {
        answer(error_of(&err));
        return 1;
    }
    while ((q = read_line())) {
        a.ahead += json_integer_value(json_object_get(q, "advance"));
        if (json_is_true(json_object_get(q, "refuse")) && last)
            sc_creds_refuse(creds, last);
        if (json_is_true(json_object_get(q, "region")))
            ask_region(host);
        else
            ask(host, creds, &last);
        json_decref(q);
    }
    sc_cred_unref(last);
    sc_creds_free(creds);
    json_decref(first);
    test_host_done(&a.base);
    return 0;
}
