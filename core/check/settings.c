/* Settings of a plugin under test: those of the point being tried, then arguments, then the
 * environment, as a store of the plugin's own name would get them. */
#include "config.h"
#include "core/check/check.h"
#include "core/util/buf.h"
#include "core/util/cleanup.h"
#include "core/util/fs.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The value that list (KEY=VALUE ...) has for the setting called name; NULL: none. */
static int look_in(const struct check *c, const struct sr_strlist *list, const char *name,
                   const char **ret, struct sr_error *err)
{
    for (size_t i = 0; i < list->len && !*ret; i++) {
        const char *eq = strchr(list->items[i], '=');
        _cleanup_free_ char *key = strndup(list->items[i], (size_t)(eq - list->items[i]));
        _cleanup_free_ char *full = NULL;
        if (!key || sr_setting_name(c->view.store, key, &full, err) != SR_OK)
            return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
        if (strcmp(full, name) == 0)
            *ret = eq + 1;
    }
    return SR_OK;
}

static char *absolute(const struct check *c, const char *path)
{
    return *path == '/' || !c->cwd ? strdup(path) : sr_fs_join(c->cwd, path);
}

static int read_secret(const struct check *c, const char *path, char **ret, struct sr_error *err)
{
    _cleanup_free_ char *full = absolute(c, path);
    struct sr_buf b;
    sr_buf_init(&b, 65536);
    int rc = full ? sr_fs_read_file(full, &b, err) : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    while (rc == SR_OK && b.len && b.data[b.len - 1] == '\n')
        b.data[--b.len] = '\0';
    if (rc == SR_OK && !(*ret = sr_buf_steal(&b)))
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    sr_buf_wipe(&b);
    return rc;
}

static int get(void *ctx, const char *name, char **ret, struct sr_error *err)
{
    const struct check *c = ctx;
    const char *value = NULL;
    int rc = c->alt_now >= 0 ? look_in(c, &c->alt[c->alt_now], name, &value, err) : SR_OK;
    if (rc == SR_OK && !value)
        rc = look_in(c, &c->values, name, &value, err);
    if (rc != SR_OK)
        return rc;
    if (!value)
        value = getenv(name);
    *ret = value ? strdup(value) : NULL;
    if (value || strlen(name) > 200)
        return value && !*ret ? sr_fail(err, SR_E_NO_MEMORY, "out of memory") : SR_OK;
    char file[256];
    (void)snprintf(file, sizeof file, "%s_FILE", name);
    const char *path = getenv(file);
    return path ? read_secret(c, path, ret, err) : SR_OK;
}

static int path(void *ctx, const char *name, const char *value, char **ret, struct sr_error *err)
{
    (void)name;
    *ret = absolute(ctx, value);
    return *ret ? SR_OK : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
}

static int add_names(const struct check *c, const struct sr_strlist *list, struct sr_strlist *ret)
{
    for (size_t i = 0; i < list->len; i++) {
        _cleanup_free_ char *key = strdup(list->items[i]), *full = NULL;
        if (!key)
            return SR_E_NO_MEMORY;
        key[strcspn(key, "=")] = '\0';
        if (sr_setting_name(c->view.store, key, &full, NULL) != SR_OK ||
            sr_strlist_add(ret, full) != SR_OK)
            return SR_E_NO_MEMORY;
    }
    return SR_OK;
}

static int names(void *ctx, const char *prefix, struct sr_strlist *ret)
{
    const struct check *c = ctx;
    int rc = add_names(c, &c->values, ret);
    for (int i = 0; rc == SR_OK && i < CHECK_ALTS; i++)
        rc = add_names(c, &c->alt[i], ret);
    for (char **e = environ; rc == SR_OK && *e; e++)
        if (strncmp(*e, prefix, strlen(prefix)) == 0)
            rc = sr_strlist_addn(ret, *e, strcspn(*e, "="));
    return rc;
}

struct sr_setting_lookup check_lookup(struct check *c)
{
    return (struct sr_setting_lookup){.ctx = c, .get = get, .path = path, .names = names};
}

int check_is_secret(const struct check *c, const char *text)
{
    int found = 0;
    for (const struct sr_storage_setting *r = c->t->settings; r && r->key && !found; r++) {
        char *value = NULL;
        if (!(r->flags & SR_STORAGE_SETTING_SECRET) ||
            sr_setting_get(&c->view, r->key, &value, NULL, NULL) != SR_OK || !value)
            continue;
        found = strlen(value) >= 4 && strstr(text, value) != NULL;
        explicit_bzero(value, strlen(value));
        free(value);
    }
    return found;
}
