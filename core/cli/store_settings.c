#include "config.h"
#include "core/cli/store_settings.h"
#include "core/plugin/plugin.h"
#include "core/plugin/settings.h"
#include "core/store/stores.h"
#include "core/util/cleanup.h"
#include "core/util/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct emitting {
    const struct sr_config *cfg;
    int (*emit)(void *ctx, const struct sr_store_setting *s, struct sr_error *err);
    void *ctx;
};

const char *sr_origin_name(enum sr_origin origin)
{
    switch (origin) {
    case SR_ORIGIN_DEFAULT:
        return "default";
    case SR_ORIGIN_FILE:
        return "configuration file";
    case SR_ORIGIN_DOTENV:
        return ".env";
    case SR_ORIGIN_ENVIRONMENT:
        return "environment";
    case SR_ORIGIN_FLAG:
        return "flag";
    }
    return "unknown";
}

/* name: the setting; from: the name that gave the value, or NULL. */
static int emit_one(const struct emitting *e, const char *name, const char *value, const char *from,
                    uint64_t type, int secret, const char *help, struct sr_error *err)
{
    const struct sr_setting as = {.name = name,
                                  .type =
                                      type == SR_STORAGE_TYPE_URL ? SR_TYPE_URL : SR_TYPE_STRING,
                                  .secret = secret};
    _cleanup_free_ char *shown = sr_config_shown(&as, value);
    _cleanup_free_ char *origin = NULL;
    const char *where = from ? sr_origin_name(sr_config_raw_origin(e->cfg, from)) : "default";
    int other = from && strcmp(from, name) != 0;
    if ((value && !shown) || asprintf(&origin, "%s%s%s%s", where, other ? " (" : "",
                                      other ? from : "", other ? ")" : "") < 0) {
        origin = NULL;
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory while showing the settings");
    }
    const struct sr_store_setting s = {name, shown, origin, help};
    return e->emit(e->ctx, &s, err);
}

static int prefix_emit(const struct emitting *e, const char *store, struct sr_error *err)
{
    _cleanup_free_ char *name = NULL, *value = NULL;
    int rc = sr_setting_name(store, "prefix", &name, err);
    if (rc == SR_OK)
        rc = sr_config_raw(e->cfg, name, &value, err);
    return rc == SR_OK ? emit_one(e, name, value, value ? name : NULL, SR_STORAGE_TYPE_STRING, 0,
                                  "comes before every key in this store", err)
                       : rc;
}

static int store_emit(const struct emitting *e, const char *store, struct sr_plugin *plugin,
                      struct sr_error *err)
{
    const struct sr_storage_plugin *t = sr_plugin_table(plugin);
    const struct sr_setting_lookup lookup = sr_stores_lookup(e->cfg);
    const struct sr_setting_view view = {store, t->name, t->settings, &lookup};
    int rc = prefix_emit(e, store, err);
    if (!t->settings)
        return rc;
    /* Rows are as large as the plugin's own header made them. */
    const char *row = (const char *)t->settings;
    for (; rc == SR_OK && ((const struct sr_storage_setting *)(const void *)row)->key;
         row += t->settings->size) {
        const struct sr_storage_setting *r = (const void *)row;
        _cleanup_free_ char *name = NULL, *value = NULL, *from = NULL;
        rc = sr_setting_name(store, r->key, &name, err);
        if (rc == SR_OK)
            rc = sr_setting_get(&view, r->key, &value, &from, err);
        if (rc == SR_OK)
            rc = emit_one(e, name, value, from, r->type,
                          (r->flags & SR_STORAGE_SETTING_SECRET) != 0, r->help, err);
    }
    return rc;
}

int sr_store_settings_each(const struct sr_config *cfg,
                           int (*emit)(void *ctx, const struct sr_store_setting *s,
                                       struct sr_error *err),
                           void *ctx, struct sr_error *err)
{
    const struct emitting e = {cfg, emit, ctx};
    struct sr_strlist stores = {0};
    int rc = sr_config_list(cfg, "BACKUP_STORAGE_ADAPTER", &stores);
    if (rc != SR_OK)
        rc = sr_fail(err, rc, "out of memory while showing the settings");
    for (size_t i = 0; rc == SR_OK && i < stores.len; i++) {
        char *eq = strchr(stores.items[i], '=');
        const char *which = eq ? eq + 1 : stores.items[i];
        struct sr_plugin *plugin = NULL;
        struct sr_error why = SR_ERROR_INIT;
        if (eq)
            *eq = '\0';
        if (sr_plugin_load(which, sr_config_str(cfg, "BACKUP_PLUGIN_PATH"), &plugin, &why) != SR_OK)
            sr_log(SR_LOG_WARN, "settings of store %s are not shown: %s", stores.items[i],
                   why.text);
        else
            rc = store_emit(&e,
                            eq || *which != '/' ? stores.items[i] : sr_plugin_table(plugin)->name,
                            plugin, err);
    }
    sr_strlist_done(&stores);
    return rc;
}
