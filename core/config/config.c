#include <config.h> /* not the one of this folder */
#include "core/config/config.h"
#include "core/config/config_private.h"
#include "core/util/cleanup.h"
#include "core/util/fs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_CONFIG_FILE "/etc/strongroom.conf"
#define DEFAULT_ENV_FILE ".env"

static size_t settings_count(void)
{
    size_t n = 0;
    while (sr_settings[n].name)
        n++;
    return n;
}

static int read_flags(struct sr_layer *l, const struct sr_strlist *flags, struct sr_error *err)
{
    for (size_t i = 0; flags && i < flags->len; i++) {
        const char *eq = strchr(flags->items[i], '=');
        if (!eq || eq == flags->items[i])
            return sr_fail(err, SR_E_CONFIG, "a setting given as flag must be NAME=VALUE");
        if (sr_layer_add(l, flags->items[i], (size_t)(eq - flags->items[i]), eq + 1, 0) != SR_OK)
            return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    (void)sr_layer_seal(l, 0, NULL);
    return SR_OK;
}

static int read_environment(struct sr_layer *l, char *const *env, struct sr_error *err)
{
    for (; env && *env; env++) {
        const char *eq = strchr(*env, '=');
        if (!eq || eq == *env)
            continue;
        if (sr_layer_add(l, *env, (size_t)(eq - *env), eq + 1, 0) != SR_OK)
            return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    /* Of two with one name getenv takes the first. */
    (void)sr_layer_seal(l, 1, NULL);
    return SR_OK;
}

static int read_layers(struct sr_config *c, const struct sr_config_options *o, struct sr_error *err)
{
    static const enum sr_origin order[SR_CONFIG_LAYERS] = {SR_ORIGIN_FLAG, SR_ORIGIN_ENVIRONMENT,
                                                           SR_ORIGIN_DOTENV, SR_ORIGIN_FILE};
    for (size_t i = 0; i < SR_CONFIG_LAYERS; i++)
        c->layers[i].origin = order[i];
    int rc = read_flags(&c->layers[0], o->flags, err);
    if (rc == SR_OK)
        rc = read_environment(&c->layers[1], o->environ_ ? o->environ_ : environ, err);
    if (rc == SR_OK)
        rc = sr_layer_read_file(&c->layers[2], o->env_file ? o->env_file : DEFAULT_ENV_FILE,
                                !o->env_file, c->cwd, &c->warnings, err);
    if (rc == SR_OK)
        rc =
            sr_layer_read_file(&c->layers[3], o->config_file ? o->config_file : DEFAULT_CONFIG_FILE,
                               !o->config_file, c->cwd, &c->warnings, err);
    return rc;
}

static int takes_file(const struct sr_setting *s)
{
    return s->secret || s->type == SR_TYPE_URL;
}

static void wipe(char *s)
{
    if (s)
        explicit_bzero(s, strlen(s));
    free(s);
}

static int resolve(struct sr_config *c, const struct sr_setting *s, struct sr_config_value *v,
                   struct sr_error *err)
{
    struct sr_found f;
    char where[640] = "default";
    char *text = NULL;
    int rc = sr_config_find(c, s->name, s->alias, takes_file(s), &f, err);
    if (rc == SR_OK && f.layer) {
        sr_layer_origin_text(f.layer, f.pair, where, 512);
        if (strcmp(f.pair->name, s->name) != 0)
            (void)snprintf(where + strlen(where), sizeof where - strlen(where), ", %s",
                           f.pair->name);
        rc = sr_config_load(c, s->name, &f, &text, err);
    } else if (rc == SR_OK && s->fallback) {
        text = strdup(s->fallback);
        rc = text ? SR_OK : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    if (rc == SR_OK && text) {
        rc = sr_value_parse(s, text, where, &v->text, &v->number, err);
        v->layer = f.layer;
        v->pair = f.pair;
    }
    wipe(text);
    return rc;
}

int sr_config_new(const struct sr_config_options *o, struct sr_config **ret, struct sr_error *err)
{
    struct sr_config *c = calloc(1, sizeof *c);
    size_t n = settings_count();
    if (!c || !(c->values = calloc(n, sizeof *c->values))) {
        free(c);
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    c->cwd = getcwd(NULL, 0);
    int rc = read_layers(c, o, err);
    for (size_t i = 0; rc == SR_OK && i < n; i++)
        rc = resolve(c, &sr_settings[i], &c->values[i], err);
    if (rc != SR_OK) {
        sr_config_free(c);
        return rc;
    }
    *ret = c;
    return SR_OK;
}

void sr_config_free(struct sr_config *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < settings_count(); i++)
        wipe(c->values[i].text);
    for (size_t i = 0; i < SR_CONFIG_LAYERS; i++)
        sr_layer_done(&c->layers[i]);
    sr_strlist_done(&c->warnings);
    free(c->values);
    free(c->cwd);
    free(c);
}

static const struct sr_config_value *value_of(const struct sr_config *c, const char *name)
{
    for (size_t i = 0; sr_settings[i].name; i++)
        if (strcmp(sr_settings[i].name, name) == 0)
            return &c->values[i];
    (void)fprintf(stderr, "strongroom: setting %s is not declared\n", name);
    abort();
}

const char *sr_config_str(const struct sr_config *c, const char *name)
{
    return value_of(c, name)->text;
}

int sr_config_bool(const struct sr_config *c, const char *name)
{
    return value_of(c, name)->number != 0;
}

int64_t sr_config_int(const struct sr_config *c, const char *name)
{
    return value_of(c, name)->number;
}

int sr_config_is_set(const struct sr_config *c, const char *name)
{
    return value_of(c, name)->layer != NULL;
}

enum sr_origin sr_config_origin(const struct sr_config *c, const char *name)
{
    const struct sr_config_value *v = value_of(c, name);
    return v->layer ? v->layer->origin : SR_ORIGIN_DEFAULT;
}

int sr_config_list(const struct sr_config *c, const char *name, struct sr_strlist *ret)
{
    const char *text = sr_config_str(c, name);
    return text ? sr_strlist_split(ret, text, ',') : SR_OK;
}

int sr_config_path(const struct sr_config *c, const char *name, char **ret, struct sr_error *err)
{
    const struct sr_config_value *v = value_of(c, name);
    if (!v->text) {
        *ret = NULL;
        return SR_OK;
    }
    int rc = sr_config_absolute(c, v->layer, v->text, ret, err);
    return rc == SR_OK ? SR_OK : sr_error_wrap(err, "%s", name);
}

int sr_config_backup_dir(const struct sr_config *c, char **ret, struct sr_error *err)
{
    return sr_config_path(c, "BACKUP_DIR", ret, err);
}

int sr_config_state_dir(const struct sr_config *c, char **ret, struct sr_error *err)
{
    _cleanup_free_ char *dir = NULL;
    int rc = sr_config_backup_dir(c, &dir, err);
    if (rc != SR_OK)
        return rc;
    char *state = sr_fs_join(dir, ".strongroom");
    if (!state)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    *ret = state;
    return SR_OK;
}
