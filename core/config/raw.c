#include <config.h> /* not the one of this folder */
#include "core/config/config_private.h"
#include "core/util/buf.h"
#include "core/util/cleanup.h"
#include "core/util/fs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int sr_config_find(const struct sr_config *c, const char *name, const char *alias, int with_file,
                   struct sr_found *ret, struct sr_error *err)
{
    char file_name[256];
    int n = snprintf(file_name, sizeof file_name, "%s_FILE", name);
    if (n < 0 || (size_t)n >= sizeof file_name)
        with_file = 0;
    for (size_t i = 0; i < SR_CONFIG_LAYERS; i++) {
        const struct sr_layer *l = &c->layers[i];
        const struct sr_pair *plain = sr_layer_get(l, name);
        const struct sr_pair *file = with_file ? sr_layer_get(l, file_name) : NULL;
        if (plain && file) {
            char a[512], b[512];
            sr_layer_origin_text(l, plain, a, sizeof a);
            sr_layer_origin_text(l, file, b, sizeof b);
            return sr_fail(err, SR_E_CONFIG, "both %s (%s) and %s (%s) are set; keep one of them",
                           name, a, file_name, b);
        }
        if (!plain && !file && alias)
            plain = sr_layer_get(l, alias);
        if (plain || file) {
            *ret = (struct sr_found){l, plain ? plain : file, file != NULL};
            return SR_OK;
        }
    }
    *ret = (struct sr_found){0};
    return SR_OK;
}

int sr_config_absolute(const struct sr_config *c, const struct sr_layer *layer, const char *path,
                       char **ret, struct sr_error *err)
{
    const char *base = c->cwd;
    if (layer && layer->file) {
        base = layer->folder;
    } else if (!layer) {
        for (size_t i = 0; i < SR_CONFIG_LAYERS; i++)
            if (c->layers[i].origin == SR_ORIGIN_DOTENV && c->layers[i].file)
                base = c->layers[i].folder;
    }
    if (*path != '/' && !base)
        return sr_fail(err, SR_E_CONFIG,
                       "the relative path %s cannot be used: the working folder is gone or may not "
                       "be read",
                       path);
    while (path[0] == '.' && path[1] == '/')
        path += 2;
    char *full = *path == '/'                       ? strdup(path)
                 : strcmp(path, ".") == 0 || !*path ? strdup(base)
                                                    : sr_fs_join(base, path);
    if (!full)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    *ret = full;
    return SR_OK;
}

/* A file that cannot be used is the operator's mistake, whatever errno says. */
static int config_error(struct sr_error *err, const char *name, const char *where)
{
    (void)sr_error_wrap(err, "%s_FILE (%s)", name, where);
    if (err)
        err->code = SR_E_CONFIG;
    return SR_E_CONFIG;
}

int sr_config_load(const struct sr_config *c, const char *name, const struct sr_found *f,
                   char **ret, struct sr_error *err)
{
    if (!f->is_file) {
        char *copy = strdup(f->pair->value);
        if (!copy)
            return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
        *ret = copy;
        return SR_OK;
    }
    char where[512];
    sr_layer_origin_text(f->layer, f->pair, where, sizeof where);
    _cleanup_free_ char *path = NULL;
    int rc = sr_config_absolute(c, f->layer, f->pair->value, &path, err);
    if (rc != SR_OK)
        return rc == SR_E_CONFIG ? config_error(err, name, where) : rc;
    struct sr_buf text;
    sr_buf_init(&text, SR_CONFIG_VALUE_MAX);
    rc = sr_fs_read_file(path, &text, err);
    if (rc == SR_OK) {
        size_t len = text.len;
        if (len && text.data[len - 1] == '\n')
            len -= len > 1 && text.data[len - 2] == '\r' ? 2 : 1;
        if (len == 0)
            rc = sr_fail(err, SR_E_CONFIG, "%s is empty", path);
        else if (memchr(text.data, '\0', len))
            rc = sr_fail(err, SR_E_CONFIG, "%s has a NUL byte in it", path);
        else if (!(*ret = strndup(text.data, len)))
            rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    sr_buf_wipe(&text);
    return rc == SR_OK || rc == SR_E_NO_MEMORY ? rc : config_error(err, name, where);
}

int sr_config_raw(const struct sr_config *c, const char *name, char **ret, struct sr_error *err)
{
    struct sr_found f;
    int rc = sr_config_find(c, name, NULL, 1, &f, err);
    if (rc != SR_OK)
        return rc;
    if (f.layer)
        return sr_config_load(c, name, &f, ret, err);
    *ret = NULL;
    return SR_OK;
}

int sr_config_raw_path(const struct sr_config *c, const char *name, const char *value, char **ret,
                       struct sr_error *err)
{
    struct sr_found f = {0};
    int rc = name ? sr_config_find(c, name, NULL, 1, &f, err) : SR_OK;
    if (rc == SR_OK)
        rc = sr_config_absolute(c, f.layer, value, ret, err);
    return rc == SR_OK || !name ? rc : sr_error_wrap(err, "%s", name);
}

void sr_config_raw_where(const struct sr_config *c, const char *name, char *out, size_t cap)
{
    struct sr_found f = {0};
    *out = '\0';
    if (sr_config_find(c, name, NULL, 1, &f, NULL) == SR_OK && f.layer)
        sr_layer_origin_text(f.layer, f.pair, out, cap);
}

int sr_config_raw_file(const struct sr_config *c, const char *name, char **ret,
                       struct sr_error *err)
{
    struct sr_found f = {0};
    int rc = sr_config_find(c, name, NULL, 1, &f, err);
    *ret = NULL;
    if (rc == SR_OK && f.is_file)
        rc = sr_config_absolute(c, f.layer, f.pair->value, ret, err);
    return rc;
}

int sr_config_has_flag(const struct sr_config *c, const char *name)
{
    for (size_t i = 0; i < SR_CONFIG_LAYERS; i++)
        if (c->layers[i].origin == SR_ORIGIN_FLAG && sr_layer_get(&c->layers[i], name))
            return 1;
    return 0;
}

enum sr_origin sr_config_raw_origin(const struct sr_config *c, const char *name)
{
    struct sr_found f = {0};
    (void)sr_config_find(c, name, NULL, 1, &f, NULL);
    return f.layer ? f.layer->origin : SR_ORIGIN_DEFAULT;
}

int sr_config_names(const struct sr_config *c, const char *prefix, struct sr_strlist *ret)
{
    size_t len = strlen(prefix);
    for (size_t i = 0; i < SR_CONFIG_LAYERS; i++) {
        for (size_t j = 0; j < c->layers[i].len; j++) {
            const struct sr_pair *p = &c->layers[i].pairs[j];
            int seen = 0;
            if (strncmp(p->name, prefix, len) != 0 || !*p->value ||
                sr_layer_is_injected(&c->layers[i], p->name))
                continue;
            for (size_t k = 0; k < i && !seen; k++)
                seen = sr_layer_get(&c->layers[k], p->name) != NULL;
            if (!seen && sr_strlist_add(ret, p->name) != SR_OK)
                return SR_E_NO_MEMORY;
        }
    }
    sr_strlist_sort(ret);
    return SR_OK;
}
