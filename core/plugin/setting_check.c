#include "config.h"
#include "core/plugin/settings_private.h"
#include "core/util/cleanup.h"
#include "core/util/text.h"

#include <stdlib.h>
#include <string.h>

static int required_missing(const struct sr_setting_view *v, const struct sr_storage_setting *row,
                            struct sr_error *err)
{
    _cleanup_free_ char *name = NULL;
    int rc = sr_setting_name(v->store, row->key, &name, err);
    if (rc != SR_OK)
        return rc;
    sr_fail(err, SR_E_CONFIG, "store %s needs the setting %s", v->store, name);
    if (row->flags & SR_STORAGE_SETTING_SECRET)
        sr_error_append(err, " (or %s_FILE)", name);
    if (row->help)
        sr_error_append(err, ": %s", row->help);
    return SR_E_CONFIG;
}

/* The store whose own prefix is longer than ours and begins name; NULL: none. */
static const char *other_owner(const char *name, size_t prefix_len, const struct sr_strlist *stores)
{
    for (size_t i = 0; stores && i < stores->len; i++) {
        _cleanup_free_ char *other = NULL;
        if (sr_setting_name(stores->items[i], "", &other, NULL) != SR_OK)
            continue;
        size_t n = strlen(other);
        if (n > prefix_len && strncmp(name, other, n) == 0)
            return stores->items[i];
    }
    return NULL;
}

static int known_add(const struct sr_setting_view *v, const struct sr_storage_setting *table,
                     struct sr_strlist *plain, struct sr_strlist *files, struct sr_error *err)
{
    int rc = SR_OK;
    for (const struct sr_storage_setting *r = table; rc == SR_OK && r && r->key; r++) {
        _cleanup_free_ char *name = NULL;
        rc = sr_setting_name(v->store, r->key, &name, err);
        if (rc == SR_OK)
            rc = sr_strlist_add(plain, name);
        if (rc == SR_OK)
            rc = sr_strlist_addf(files, "%s_FILE", name);
    }
    return rc;
}

static int ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

/* Only what follows the prefix is compared: that everything begins alike makes nothing near. */
static const char *nearest(const char *name, size_t prefix_len, const struct sr_strlist *known)
{
    const char **ends = calloc(known->len + 1, sizeof *ends);
    for (size_t i = 0; ends && i < known->len; i++)
        ends[i] = known->items[i] + prefix_len;
    const char *near = ends ? sr_nearest(name + prefix_len, ends) : NULL;
    free(ends);
    return near ? near - prefix_len : NULL;
}

static int unknown_say(const struct sr_setting_view *v, const char *name, size_t prefix_len,
                       const struct sr_strlist *known, struct sr_strlist *ret)
{
    char where[SR_SETTING_WHERE_MAX];
    const char *near = nearest(name, prefix_len, known);
    sr_setting_where(v, name, where);
    if (near)
        return sr_strlist_addf(ret,
                               "%.100s%s is no setting of the store %s (plugin %s); did you mean "
                               "%s?",
                               name, where, v->store, v->plugin, near);
    return sr_strlist_addf(ret,
                           "%.100s%s is no setting of the store %s (plugin %s); `strongroom "
                           "plugins %s` lists them",
                           name, where, v->store, v->plugin, v->plugin);
}

static int unknown_problems(const struct sr_setting_view *v, const struct sr_strlist *stores,
                            struct sr_strlist *ret, struct sr_error *err)
{
    struct sr_strlist plain = {0}, files = {0}, set = {0};
    _cleanup_free_ char *prefix = NULL;
    int rc = sr_setting_name(v->store, "", &prefix, err);
    if (rc == SR_OK)
        rc = known_add(v, v->table, &plain, &files, err);
    if (rc == SR_OK)
        rc = known_add(v, sr_setting_host_rows, &plain, &files, err);
    if (rc == SR_OK)
        rc = v->lookup->names(v->lookup->ctx, prefix, &set);
    for (size_t i = 0; rc == SR_OK && i < set.len; i++) {
        const char *name = set.items[i], *other = other_owner(name, strlen(prefix), stores);
        int known = sr_strlist_has(&plain, name) || sr_strlist_has(&files, name);
        if (known && other)
            rc = sr_strlist_addf(ret,
                                 "%.100s would be a setting of the store %s and of the store %s; "
                                 "call one of them something else in BACKUP_STORAGE_ADAPTER",
                                 name, v->store, other);
        else if (!known && !other)
            rc = unknown_say(v, name, strlen(prefix), ends_with(name, "_FILE") ? &files : &plain,
                             ret);
    }
    sr_strlist_done(&plain);
    sr_strlist_done(&files);
    sr_strlist_done(&set);
    return rc;
}

static int row_problem(const struct sr_setting_view *v, const struct sr_storage_setting *r,
                       struct sr_strlist *ret)
{
    struct sr_error e = SR_ERROR_INIT;
    char *value = NULL;
    int rc = sr_setting_get(v, r->key, &value, NULL, &e);
    if (rc == SR_OK && !value && (r->flags & SR_STORAGE_SETTING_REQUIRED))
        rc = required_missing(v, r, &e);
    sr_setting_wipe(value);
    if (rc == SR_OK || rc == SR_E_NO_MEMORY)
        return rc;
    return sr_strlist_add(ret, e.text);
}

int sr_setting_problems(const struct sr_setting_view *v, const struct sr_strlist *other_stores,
                        struct sr_strlist *ret, struct sr_error *err)
{
    int rc = unknown_problems(v, other_stores, ret, err);
    for (const struct sr_storage_setting *r = v->table; rc == SR_OK && r && r->key; r++)
        rc = row_problem(v, r, ret);
    for (const struct sr_storage_setting *r = sr_setting_host_rows; rc == SR_OK && r->key; r++)
        if (!sr_setting_is_plugins(v, r->key))
            rc = row_problem(v, r, ret);
    return rc == SR_OK ? SR_OK : sr_fail(err, rc, "store %s: out of memory", v->store);
}

int sr_setting_check_all(const struct sr_setting_view *v, const struct sr_strlist *other_stores,
                         struct sr_error *err)
{
    struct sr_strlist found = {0};
    int rc = sr_setting_problems(v, other_stores, &found, err);
    if (rc == SR_OK && found.len > 0)
        rc = sr_fail(err, SR_E_CONFIG, "%s", found.items[0]);
    if (found.len > 1)
        sr_error_append(err, " (and %zu more: `strongroom doctor` tells all)", found.len - 1);
    sr_strlist_done(&found);
    return rc;
}
