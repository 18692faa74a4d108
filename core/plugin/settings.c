#include "config.h"
#include "core/plugin/settings.h"
#include "core/util/cleanup.h"
#include "core/util/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct sr_storage_setting *sr_setting_row(const struct sr_setting_view *v, const char *key)
{
    for (const struct sr_storage_setting *r = v->table; r && r->key; r++)
        if (strcmp(r->key, key) == 0)
            return r;
    return NULL;
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

static int lookup(const struct sr_setting_view *v, const char *name, char **ret,
                  struct sr_error *err)
{
    _cleanup_free_ char *value = NULL;
    int rc = v->lookup->get(v->lookup->ctx, name, &value, err);
    if (rc == SR_OK && value && *value)
        *ret = sr_steal_ptr(value);
    return rc;
}

/* The raw text and the name that gave it. */
static int find(const struct sr_setting_view *v, const struct sr_storage_setting *row, char **ret,
                char **ret_name, struct sr_error *err)
{
    _cleanup_free_ char *name = NULL;
    int rc = sr_setting_name(v->store, row->key, &name, err);
    if (rc == SR_OK)
        rc = lookup(v, name, ret, err);
    if (rc != SR_OK)
        return rc;
    if (*ret) {
        *ret_name = sr_steal_ptr(name);
        return SR_OK;
    }
    if (!row->names || ((row->flags & SR_STORAGE_SETTING_PLACE) && strcmp(v->store, v->plugin)))
        return SR_OK;
    struct sr_strlist names = {0};
    rc = sr_strlist_split(&names, row->names, ' ');
    for (size_t i = 0; rc == SR_OK && !*ret && i < names.len; i++) {
        rc = lookup(v, names.items[i], ret, err);
        if (rc == SR_OK && *ret && !(*ret_name = strdup(names.items[i])))
            rc = sr_fail(err, SR_E_NO_MEMORY, "store %s: out of memory", v->store);
    }
    sr_strlist_done(&names);
    return rc;
}

struct raw {
    const struct sr_storage_setting *row;
    const char *name; /* that gave it; NULL: the default */
    const char *text;
};

static int bad(const struct sr_setting_view *v, const struct raw *r, const char *allowed,
               struct sr_error *err)
{
    _cleanup_free_ char *own = NULL;
    if (!r->name && sr_setting_name(v->store, r->row->key, &own, err) != SR_OK)
        return err ? err->code : SR_E_NO_MEMORY;
    return sr_fail(err, SR_E_CONFIG, "store %s: %s%s is '%s': %s", v->store,
                   r->name ? "" : "the default of ", r->name ? r->name : own,
                   (r->row->flags & SR_STORAGE_SETTING_SECRET) ? "***" : r->text, allowed);
}

static int in_range(const struct sr_storage_setting *row, int64_t n)
{
    return (row->min == 0 && row->max == 0) || (n >= row->min && n <= row->max);
}

static int number(const struct sr_setting_view *v, const struct raw *r, int64_t n, char **ret,
                  struct sr_error *err)
{
    if (!in_range(r->row, n)) {
        char allowed[96];
        (void)snprintf(allowed, sizeof allowed, "must be within %" PRId64 " and %" PRId64,
                       r->row->min, r->row->max);
        return bad(v, r, allowed, err);
    }
    return asprintf(ret, "%" PRId64, n) < 0
               ? sr_fail(err, SR_E_NO_MEMORY, "store %s: out of memory", v->store)
               : SR_OK;
}

static int is_choice(const char *choices, const char *text)
{
    size_t n = strlen(text);
    for (const char *c = choices; *c;) {
        size_t len = strcspn(c, "|");
        if (len == n && memcmp(c, text, n) == 0)
            return 1;
        c += len + (c[len] == '|');
    }
    return 0;
}

static int whole(const char *s, int64_t *ret)
{
    char *end = NULL;
    errno = 0;
    long long n = strtoll(s, &end, 10);
    if (errno || *end || !(isdigit((unsigned char)*s) || (*s == '-' && s[1])))
        return -1;
    *ret = n;
    return 0;
}

/* Checks and brings into the form that plugins get. */
static int convert(const struct sr_setting_view *v, const struct raw *r, char **ret,
                   struct sr_error *err)
{
    uint64_t n = 0;
    int64_t i = 0;
    int b = 0;
    switch (r->row->type) {
    case SR_STORAGE_TYPE_BOOL:
        if (sr_parse_bool(r->text, &b) != SR_OK)
            return bad(v, r, "must be on or off", err);
        *ret = strdup(b ? "1" : "0");
        break;
    case SR_STORAGE_TYPE_INT:
        if (whole(r->text, &i) != 0)
            return bad(v, r, "must be a whole number", err);
        return number(v, r, i, ret, err);
    case SR_STORAGE_TYPE_SIZE:
        if (sr_parse_size(r->text, &n) != SR_OK || n > INT64_MAX)
            return bad(v, r, "must be a size such as 10, 64K, 8MiB, 2GB", err);
        return number(v, r, (int64_t)n, ret, err);
    case SR_STORAGE_TYPE_DURATION:
        if (sr_parse_duration(r->text, &n) != SR_OK || n > INT64_MAX)
            return bad(v, r, "must be a time such as 90s, 15m, 24h, 7d", err);
        return number(v, r, (int64_t)n, ret, err);
    case SR_STORAGE_TYPE_CHOICE:
        if (!is_choice(r->row->choices, r->text)) {
            char allowed[256];
            (void)snprintf(allowed, sizeof allowed, "must be one of %s", r->row->choices);
            return bad(v, r, allowed, err);
        }
        *ret = strdup(r->text);
        break;
    case SR_STORAGE_TYPE_PATH:
        return v->lookup->path(v->lookup->ctx, r->name, r->text, ret, err);
    default:
        *ret = strdup(r->text);
        break;
    }
    return *ret ? SR_OK : sr_fail(err, SR_E_NO_MEMORY, "store %s: out of memory", v->store);
}

static void free_secret(char *s)
{
    if (s)
        explicit_bzero(s, strlen(s));
    free(s);
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
        rc = convert(v, &(struct raw){row, name, text}, &value, err);
    free_secret(text);
    if (rc == SR_OK) {
        *ret = value;
        if (ret_name)
            *ret_name = sr_steal_ptr(name);
    }
    free(name);
    return rc;
}

static int required_check(const struct sr_setting_view *v, const struct sr_storage_setting *row,
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

/* Nonzero when name belongs to a store whose own prefix is longer than ours. */
static int other_owns(const char *name, size_t prefix_len, const struct sr_strlist *stores)
{
    for (size_t i = 0; stores && i < stores->len; i++) {
        char *other = NULL;
        if (sr_setting_name(stores->items[i], "", &other, NULL) != SR_OK)
            continue;
        size_t n = strlen(other);
        int owns = n > prefix_len && strncmp(name, other, n) == 0;
        free(other);
        if (owns)
            return 1;
    }
    return 0;
}

static int add_known(const struct sr_setting_view *v, const char *key, struct sr_strlist *known,
                     struct sr_error *err)
{
    _cleanup_free_ char *name = NULL;
    int rc = sr_setting_name(v->store, key, &name, err);
    if (rc == SR_OK)
        rc = sr_strlist_add(known, name);
    if (rc == SR_OK)
        rc = sr_strlist_addf(known, "%s_FILE", name);
    return rc;
}

static int unknown_check(const struct sr_setting_view *v, const struct sr_strlist *stores,
                         struct sr_error *err)
{
    struct sr_strlist known = {0}, set = {0};
    _cleanup_free_ char *prefix = NULL;
    int rc = sr_setting_name(v->store, "", &prefix, err);
    if (rc == SR_OK)
        rc = add_known(v, "prefix", &known, err);
    for (const struct sr_storage_setting *r = v->table; rc == SR_OK && r && r->key; r++)
        rc = add_known(v, r->key, &known, err);
    if (rc == SR_OK)
        rc = v->lookup->names(v->lookup->ctx, prefix, &set);
    for (size_t i = 0; rc == SR_OK && i < set.len; i++) {
        const char *name = set.items[i];
        if (sr_strlist_has(&known, name) || other_owns(name, strlen(prefix), stores))
            continue;
        const char *near = sr_nearest(name, (const char *const *)known.items);
        rc = sr_fail(err, SR_E_CONFIG, "store %s (plugin %s) knows no setting %s", v->store,
                     v->plugin, name);
        if (near)
            sr_error_append(err, "; did you mean %s?", near);
        else
            sr_error_append(err, "; `strongroom plugins %s` lists what it knows", v->plugin);
    }
    sr_strlist_done(&known);
    sr_strlist_done(&set);
    return rc;
}

int sr_setting_check_all(const struct sr_setting_view *v, const struct sr_strlist *other_stores,
                         struct sr_error *err)
{
    int rc = unknown_check(v, other_stores, err);
    for (const struct sr_storage_setting *r = v->table; rc == SR_OK && r && r->key; r++) {
        char *value = NULL;
        rc = sr_setting_get(v, r->key, &value, NULL, err);
        if (rc == SR_OK && !value && (r->flags & SR_STORAGE_SETTING_REQUIRED))
            rc = required_check(v, r, err);
        free_secret(value);
    }
    return rc;
}
