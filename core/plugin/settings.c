#include "config.h"
#include "core/plugin/settings.h"
#include "core/plugin/settings_private.h"
#include "core/util/cleanup.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAYS_MAX 36500
/* Retention of this store alone; where a row is not set, the setting for all stores counts. */
#define RETENTION(k, t, l, m, h)                                                          \
    {                                                                                     \
        .size = sizeof(struct sr_storage_setting), .key = "retention_" k, .type = (t),    \
        .help = h ", in this store; unset: as in all stores", .since = "1.0", .min = (l), \
        .max = (m),                                                                       \
    }

const struct sr_storage_setting sr_setting_host_rows[] = {
    {
        .size = sizeof(struct sr_storage_setting),
        .key = "prefix",
        .help = "Comes before every key in this store",
        .since = "1.0",
    },
    {
        .size = sizeof(struct sr_storage_setting),
        .key = "require_encryption",
        .type = SR_STORAGE_TYPE_BOOL,
        .fallback = "off",
        .help = "Refuse every backup that is not encrypted, from backup, adopt and sync alike",
        .since = "1.0",
    },
    RETENTION("days", SR_STORAGE_TYPE_INT, 0, DAYS_MAX,
              "Age in days at which a set may go (0: keep for ever)"),
    RETENTION("last", SR_STORAGE_TYPE_INT, 0, 1000000, "So many newest sets of a source stay"),
    RETENTION("daily", SR_STORAGE_TYPE_INT, 0, DAYS_MAX,
              "The first set of a day stays for so many days"),
    RETENTION("weekly", SR_STORAGE_TYPE_INT, 0, DAYS_MAX,
              "The first set from Sunday on stays for so many weeks"),
    RETENTION("monthly", SR_STORAGE_TYPE_INT, 0, DAYS_MAX,
              "The first set of a month stays for so many months"),
    RETENTION("yearly", SR_STORAGE_TYPE_INT, 0, DAYS_MAX,
              "The first set of a year stays for so many years"),
    RETENTION("size", SR_STORAGE_TYPE_SIZE, 0, 0,
              "The oldest sets of a source go while all are larger than this (0: unbounded)"),
    RETENTION("timezone", SR_STORAGE_TYPE_STRING, 0, 0,
              "Where days, weeks, months and years begin, as in Europe/Berlin"),
    RETENTION("min_keep", SR_STORAGE_TYPE_INT, 1, 1000000,
              "So many good sets of a source stay, whatever their age and size"),
    RETENTION("critical_labels", SR_STORAGE_TYPE_LIST, 0, 0,
              "Labels (patterns) that are kept longer (`-` for none)"),
    RETENTION("critical_days", SR_SETTING_TYPE_DAYS, 0, DAYS_MAX, "How long those are kept"),
    {
        .size = sizeof(struct sr_storage_setting),
        .key = "lock_days",
        .type = SR_STORAGE_TYPE_INT,
        .fallback = "0",
        .min = 0,
        .max = 36500,
        .help = "Days for which the store itself keeps a backup from being deleted; 0: not",
        .since = "1.0",
    },
    {0},
};

int sr_setting_is_hosts(const char *key)
{
    /* What a plugin of today calls its own could not become the host's tomorrow. lock_days, which
     * the interface does not keep for the host, is the plugin's where the plugin has it. */
    static const char *const families[] = {"retention", "require_"};
    if (strcmp(key, "prefix") == 0)
        return 1;
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (strncmp(key, families[i], strlen(families[i])) == 0)
            return 1;
    return 0;
}

static const struct sr_storage_setting *row_in(const struct sr_storage_setting *table,
                                               const char *key)
{
    for (const struct sr_storage_setting *r = table; r && r->key; r++)
        if (strcmp(r->key, key) == 0)
            return r;
    return NULL;
}

int sr_setting_is_plugins(const struct sr_setting_view *v, const char *key)
{
    return row_in(v->table, key) != NULL;
}

const struct sr_storage_setting *sr_setting_row(const struct sr_setting_view *v, const char *key)
{
    const struct sr_storage_setting *row = row_in(v->table, key);
    return row ? row : row_in(sr_setting_host_rows, key);
}

static char upper(char c)
{
    return c == '-' ? '_' : (char)toupper((unsigned char)c);
}

int sr_setting_name(const char *store, const char *key, char **ret, struct sr_error *err)
{
    char *s = NULL;
    if (asprintf(&s, "BACKUP_%s_%s", store, key) < 0)
        return sr_fail(err, SR_E_NO_MEMORY, "store %s: out of memory", store);
    for (char *p = s; *p; p++)
        *p = upper(*p);
    *ret = s;
    return SR_OK;
}

void sr_setting_where(const struct sr_setting_view *v, const char *name,
                      char out[SR_SETTING_WHERE_MAX])
{
    char where[SR_SETTING_WHERE_MAX - 8] = "";
    if (v->lookup->where)
        v->lookup->where(v->lookup->ctx, name, where, sizeof where);
    (void)snprintf(out, SR_SETTING_WHERE_MAX, *where ? " (%s)" : "%s", where);
}

void sr_setting_wipe(char *value)
{
    if (value)
        explicit_bzero(value, strlen(value));
    free(value);
}

static int lookup(const struct sr_setting_view *v, const char *name, char **ret,
                  struct sr_error *err)
{
    _cleanup_free_ char *value = NULL;
    int rc = v->lookup->get(v->lookup->ctx, name, &value, err);
    if (rc == SR_OK && value && *value)
        *ret = sr_steal_ptr(value);
    return rc;
}

/* A secret that others know by a name of their own: a part of credentials. */
static int is_credential(const struct sr_storage_setting *row)
{
    return (row->flags & SR_STORAGE_SETTING_SECRET) && row->names && *row->names;
}

/* Nonzero when the store has a credential of its own, as a value or as a file. */
static int has_own_credential(const struct sr_setting_view *v, int *ret, struct sr_error *err)
{
    struct sr_strlist set = {0};
    _cleanup_free_ char *prefix = NULL;
    int rc = sr_setting_name(v->store, "", &prefix, err);
    if (rc == SR_OK)
        rc = v->lookup->names(v->lookup->ctx, prefix, &set);
    for (const struct sr_storage_setting *r = v->table; rc == SR_OK && r && r->key; r++) {
        _cleanup_free_ char *name = NULL, *file = NULL;
        if (!is_credential(r))
            continue;
        rc = sr_setting_name(v->store, r->key, &name, err);
        if (rc == SR_OK && asprintf(&file, "%s_FILE", name) < 0) {
            file = NULL;
            rc = sr_fail(err, SR_E_NO_MEMORY, "store %s: out of memory", v->store);
        }
        if (rc == SR_OK && (sr_strlist_has(&set, name) || sr_strlist_has(&set, file)))
            *ret = 1;
    }
    sr_strlist_done(&set);
    return rc;
}

/* Whether the well-known names of row count for this store. */
static int names_count(const struct sr_setting_view *v, const struct sr_storage_setting *row,
                       int *ret, struct sr_error *err)
{
    int own = 0;
    *ret = 0;
    if (!row->names ||
        ((row->flags & SR_STORAGE_SETTING_PLACE) && strcmp(v->store, v->plugin) != 0))
        return SR_OK;
    int rc = is_credential(row) ? has_own_credential(v, &own, err) : SR_OK;
    *ret = !own;
    return rc;
}

/* The raw text and the name that gave it. */
static int find(const struct sr_setting_view *v, const struct sr_storage_setting *row, char **ret,
                char **ret_name, struct sr_error *err)
{
    _cleanup_free_ char *name = NULL;
    int count = 0;
    int rc = sr_setting_name(v->store, row->key, &name, err);
    if (rc == SR_OK)
        rc = lookup(v, name, ret, err);
    if (rc != SR_OK)
        return rc;
    if (*ret) {
        *ret_name = sr_steal_ptr(name);
        return SR_OK;
    }
    struct sr_strlist names = {0};
    rc = names_count(v, row, &count, err);
    if (rc == SR_OK && count)
        rc = sr_strlist_split(&names, row->names, ' ');
    for (size_t i = 0; rc == SR_OK && !*ret && i < names.len; i++) {
        rc = lookup(v, names.items[i], ret, err);
        if (rc == SR_OK && *ret && !(*ret_name = strdup(names.items[i])))
            rc = sr_fail(err, SR_E_NO_MEMORY, "store %s: out of memory", v->store);
    }
    sr_strlist_done(&names);
    return rc;
}

int sr_setting_get(const struct sr_setting_view *v, const char *key, char **ret, char **ret_name,
                   struct sr_error *err)
{
    const struct sr_storage_setting *row = sr_setting_row(v, key);
    if (!row)
        return sr_fail(err, SR_E_INTERNAL,
                       "store %s: plugin %s asks for the setting '%s', which is not in its table",
                       v->store, v->plugin, key);
    char *text = NULL, *name = NULL, *value = NULL;
    int rc = find(v, row, &text, &name, err);
    if (rc == SR_OK && !text && row->fallback && *row->fallback && !(text = strdup(row->fallback)))
        rc = sr_fail(err, SR_E_NO_MEMORY, "store %s: out of memory", v->store);
    if (rc == SR_OK && text)
        rc = sr_setting_convert(v, &(struct sr_setting_raw){row, name, text}, &value, err);
    sr_setting_wipe(text);
    if (rc == SR_OK) {
        *ret = value;
        if (ret_name)
            *ret_name = sr_steal_ptr(name);
    }
    free(name);
    return rc;
}
