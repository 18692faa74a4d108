#include "config.h"
#include "core/plugin/abi.h"
#include "core/plugin/plugin.h"
#include "core/plugin/search.h"
#include "core/plugin/settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A struct that claims more is garbage, not the future. */
#define PLUGIN_SIZE_MAX 65536u
#define SETTINGS_MAX 256u
#define TEXT_MAX 512u

/* Version 1.0 ended with these; a struct that does not reach so far lacks what is required. */
#define PLUGIN_SIZE_MIN                                  \
    (offsetof(struct sr_storage_plugin, delete_object) + \
     sizeof(((struct sr_storage_plugin *)0)->delete_object))
#define SETTING_SIZE_MIN \
    (offsetof(struct sr_storage_setting, flags) + sizeof(((struct sr_storage_setting *)0)->flags))

static int text_check(const char *file, const char *what, const char *text, struct sr_error *err)
{
    if (!text)
        return sr_fail(err, SR_E_CONFIG, "plugin %s refused: it gives no %s", file, what);
    size_t n = strnlen(text, TEXT_MAX + 1);
    if (n > TEXT_MAX)
        return sr_fail(err, SR_E_CONFIG,
                       "plugin %s refused: its %s is longer than %u bytes, the most allowed", file,
                       what, TEXT_MAX);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return sr_fail(err, SR_E_CONFIG,
                           "plugin %s refused: its %s holds the control character 0x%02x", file,
                           what, (unsigned)(unsigned char)text[i]);
    return SR_OK;
}

static int slots_check(const struct sr_storage_plugin *t, const char *file, struct sr_error *err)
{
    const struct {
        const char *name;
        int there;
    } required[] = {
        {"open", t->open != NULL},   {"close", t->close != NULL},
        {"save", t->save != NULL},   {"list", t->list != NULL},
        {"fetch", t->fetch != NULL}, {"delete_object", t->delete_object != NULL},
    };
    for (size_t i = 0; i < sizeof required / sizeof *required; i++)
        if (!required[i].there)
            return sr_fail(err, SR_E_CONFIG, "plugin %s refused: the required slot %s is empty",
                           file, required[i].name);
    return SR_OK;
}

static int key_ok(const char *key)
{
    size_t n = strnlen(key, 65);
    return n >= 1 && n <= 64 && key[0] >= 'a' && key[0] <= 'z' &&
           strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_") == n;
}

/* A text of a row ends up on terminals and in completions; NULL is fine. */
static int row_text_check(const char *file, const char *key, const char *what, const char *text,
                          struct sr_error *err)
{
    char name[128];
    (void)snprintf(name, sizeof name, "setting %s's %s", key, what);
    return text ? text_check(file, name, text, err) : SR_OK;
}

static int row_texts_check(const struct sr_storage_setting *row, const char *file,
                           struct sr_error *err)
{
    const struct {
        const char *what, *text;
    } texts[] = {{"default", row->fallback},
                 {"choices", row->choices},
                 {"well-known names", row->names},
                 {"help", row->help},
                 {"first version", row->since}};
    int rc = SR_OK;
    for (size_t i = 0; rc == SR_OK && i < sizeof texts / sizeof *texts; i++)
        rc = row_text_check(file, row->key, texts[i].what, texts[i].text, err);
    return rc;
}

/* token and token_file: BACKUP_X_TOKEN_FILE would be the file of one and the value of the other. */
static int file_twin_check(const struct sr_storage_setting *rows, size_t n, const char *key,
                           const char *file, struct sr_error *err)
{
    for (size_t i = 0; i < n; i++) {
        const char *a = rows[i].key, *b = key;
        size_t al = strlen(a), bl = strlen(b), shorter = al < bl ? al : bl;
        if (strncmp(a, b, shorter) == 0 && strcmp((al < bl ? b : a) + shorter, "_file") == 0)
            return sr_fail(err, SR_E_CONFIG,
                           "plugin %s refused: it declares the settings %s and %s, but every "
                           "setting can be read from the file that its name and _FILE give",
                           file, a, b);
    }
    return SR_OK;
}

static int row_check(struct sr_storage_setting *row, size_t i, const char *file,
                     struct sr_error *err)
{
    if (!key_ok(row->key))
        return sr_fail(err, SR_E_CONFIG,
                       "plugin %s refused: the key of its setting %zu is not allowed "
                       "([a-z][a-z0-9_]*, at most 64 bytes)",
                       file, i);
    if (sr_setting_is_hosts(row->key))
        return sr_fail(err, SR_E_CONFIG,
                       "plugin %s refused: the key of its setting %zu is '%s', which is the host's "
                       "own: not 'prefix', 'retention...' or 'require_...', which every store has",
                       file, i, row->key);
    int rc = row_texts_check(row, file, err);
    if (rc != SR_OK)
        return rc;
    /* A type of a later header: its text is passed on as it is, and the plugin judges it. */
    if (row->type > SR_STORAGE_TYPE_URL)
        row->type = SR_STORAGE_TYPE_STRING;
    if (row->type == SR_STORAGE_TYPE_CHOICE && (!row->choices || !*row->choices))
        return sr_fail(err, SR_E_CONFIG, "plugin %s refused: its setting %s is a choice of nothing",
                       file, row->key);
    return SR_OK;
}

static int settings_take(const struct sr_storage_setting *from, const char *file,
                         struct sr_storage_setting **ret, struct sr_error *err)
{
    uint64_t stride = from && from->key ? from->size : 0;
    if (from && from->key && (stride < SETTING_SIZE_MIN || stride > PLUGIN_SIZE_MAX))
        return sr_fail(err, SR_E_CONFIG,
                       "plugin %s refused: its first setting says it is %" PRIu64
                       " bytes long, at least %zu are needed",
                       file, stride, SETTING_SIZE_MIN);
    struct sr_storage_setting *rows = calloc(SETTINGS_MAX + 1, sizeof *rows);
    if (!rows)
        return sr_fail(err, SR_E_NO_MEMORY, "cannot load plugin %s: out of memory", file);
    const char *at = (const char *)from;
    for (size_t i = 0; stride; i++, at += stride) {
        /* Only as far as the key: the row that ends the table may be shorter than the others. */
        struct sr_storage_setting row = {0};
        memcpy(&row, at, offsetof(struct sr_storage_setting, type));
        if (!row.key)
            break;
        int rc = SR_OK;
        if (i == SETTINGS_MAX)
            rc = sr_fail(err, SR_E_CONFIG,
                         "plugin %s refused: its table of settings has no end within %u rows", file,
                         SETTINGS_MAX);
        else if (row.size != stride)
            rc = sr_fail(err, SR_E_CONFIG,
                         "plugin %s refused: its setting %zu says it is %" PRIu64
                         " bytes long, the first said %" PRIu64,
                         file, i, row.size, stride);
        if (rc == SR_OK) {
            memcpy(&row, at, stride < sizeof row ? stride : sizeof row);
            row.size = sizeof row;
            rc = row_check(&row, i, file, err);
        }
        for (size_t k = 0; rc == SR_OK && k < i; k++)
            if (strcmp(rows[k].key, row.key) == 0)
                rc = sr_fail(err, SR_E_CONFIG, "plugin %s refused: it declares setting %s twice",
                             file, row.key);
        if (rc == SR_OK)
            rc = file_twin_check(rows, i, row.key, file, err);
        if (rc != SR_OK) {
            free(rows);
            return rc;
        }
        rows[i] = row;
    }
    *ret = rows;
    return SR_OK;
}

int sr_abi_take(const struct sr_storage_plugin *from, const char *file, struct sr_abi *ret,
                struct sr_error *err)
{
    if (!from)
        return sr_fail(err, SR_E_CONFIG,
                       "plugin %s refused: sr_storage_plugin_entry returned nothing", file);
    /* The version decides how the rest is read, so it comes before any judgement of the size. */
    if (from->size >= 16 && from->api_version != SR_STORAGE_API_VERSION)
        return sr_fail(err, SR_E_CONFIG,
                       "plugin %s refused: it speaks version %" PRIu64
                       " of the storage interface, this strongroom speaks version %d",
                       file, from->api_version, SR_STORAGE_API_VERSION);
    if (from->size < PLUGIN_SIZE_MIN || from->size > PLUGIN_SIZE_MAX)
        return sr_fail(err, SR_E_CONFIG,
                       "plugin %s refused: its struct says it is %" PRIu64
                       " bytes long; up to the last required slot it is %zu, and more than %u is "
                       "not believed",
                       file, from->size, PLUGIN_SIZE_MIN, PLUGIN_SIZE_MAX);
    struct sr_abi a = {.declared_size = from->size};
    memcpy(&a.table, from, from->size < sizeof a.table ? (size_t)from->size : sizeof a.table);
    a.table.size = sizeof a.table;

    const char *name = a.table.name;
    if (!name || strnlen(name, SR_PLUGIN_NAME_MAX + 1) > SR_PLUGIN_NAME_MAX ||
        !sr_plugin_name_ok(name))
        return sr_fail(err, SR_E_CONFIG,
                       "plugin %s refused: its name '%.*s' is not [a-z][a-z0-9-]* of at most %d "
                       "bytes",
                       file, SR_PLUGIN_NAME_MAX, name ? name : "", SR_PLUGIN_NAME_MAX);
    int rc = text_check(file, "version", a.table.version, err);
    if (rc == SR_OK)
        rc = text_check(file, "description", a.table.description, err);
    if (rc == SR_OK)
        rc = text_check(file, "licence", a.table.license, err);
    if (rc == SR_OK)
        rc = slots_check(&a.table, file, err);
    if (rc == SR_OK && (a.table.capabilities & SR_CAP_COPY) && !a.table.copy)
        rc = sr_fail(err, SR_E_CONFIG,
                     "plugin %s refused: it declares the capability copy but its slot is empty",
                     file);
    if (rc == SR_OK)
        rc = settings_take(a.table.settings, file, &a.settings, err);
    if (rc != SR_OK)
        return rc;
    a.table.settings = a.settings;
    *ret = a;
    return SR_OK;
}

void sr_abi_done(struct sr_abi *a)
{
    free(a->settings);
    a->settings = NULL;
}
