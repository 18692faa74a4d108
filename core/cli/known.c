#include "config.h"
#include "core/cli/known.h"
#include "core/plugin/plugin.h"
#include "core/plugin/settings.h"
#include "core/store/stores.h"
#include "core/util/cleanup.h"
#include "core/util/log.h"
#include "core/util/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct emitting {
    const struct sr_config *cfg;
    int (*emit)(void *ctx, const struct sr_known *k, struct sr_error *err);
    void *ctx;
    struct sr_error wrong; /* the first thing that is wrong with a store's settings */
};

static int no_memory(struct sr_error *err)
{
    return sr_fail(err, SR_E_NO_MEMORY, "out of memory while showing the settings");
}

/* --- kinds --- */

static void size_text(int64_t n, char out[SR_SIZE_TEXT])
{
    sr_format_size(n > 0 ? (uint64_t)n : 0, out);
}

void sr_known_kind(const struct sr_storage_setting *row, char out[SR_KIND_MAX])
{
    int bounded = row->min != 0 || row->max != 0;
    if (row->flags & SR_STORAGE_SETTING_SECRET) {
        (void)snprintf(out, SR_KIND_MAX, "secret");
    } else if (bounded && row->type == SR_STORAGE_TYPE_SIZE) {
        char min[SR_SIZE_TEXT], max[SR_SIZE_TEXT];
        size_text(row->min, min);
        size_text(row->max, max);
        (void)snprintf(out, SR_KIND_MAX, "size %s to %s", min, max);
    } else if (row->type == SR_SETTING_TYPE_DAYS) {
        (void)snprintf(out, SR_KIND_MAX, "days %" PRId64 " to %" PRId64 ", or forever", row->min,
                       row->max);
    } else if (bounded &&
               (row->type == SR_STORAGE_TYPE_INT || row->type == SR_STORAGE_TYPE_DURATION)) {
        (void)snprintf(out, SR_KIND_MAX, "%s %" PRId64 " to %" PRId64 "%s",
                       sr_plugin_type_name(row->type), row->min, row->max,
                       row->type == SR_STORAGE_TYPE_DURATION ? " seconds" : "");
    } else {
        (void)snprintf(out, SR_KIND_MAX, "%s", sr_plugin_type_name(row->type));
    }
}

static void core_kind(const struct sr_setting *s, char out[SR_KIND_MAX])
{
    static const uint64_t types[] = {
        [SR_TYPE_STRING] = SR_STORAGE_TYPE_STRING,     [SR_TYPE_BOOL] = SR_STORAGE_TYPE_BOOL,
        [SR_TYPE_INT] = SR_STORAGE_TYPE_INT,           [SR_TYPE_SIZE] = SR_STORAGE_TYPE_SIZE,
        [SR_TYPE_DURATION] = SR_STORAGE_TYPE_DURATION, [SR_TYPE_CHOICE] = SR_STORAGE_TYPE_CHOICE,
        [SR_TYPE_LIST] = SR_STORAGE_TYPE_LIST,         [SR_TYPE_PATH] = SR_STORAGE_TYPE_PATH,
        [SR_TYPE_URL] = SR_STORAGE_TYPE_URL,           [SR_TYPE_DAYS] = SR_SETTING_TYPE_DAYS};
    const struct sr_storage_setting row = {.type = types[s->type],
                                           .flags = s->secret ? SR_STORAGE_SETTING_SECRET : 0,
                                           .min = s->min,
                                           .max = s->max};
    sr_known_kind(&row, out);
}

/* --- core's --- */

static int core_emit(const struct emitting *e, const struct sr_setting *s, struct sr_error *err)
{
    _cleanup_free_ char *value = NULL, *origin = NULL;
    char kind[SR_KIND_MAX];
    if (sr_config_describe(e->cfg, s, &value, &origin) != SR_OK)
        return no_memory(err);
    core_kind(s, kind);
    const struct sr_known k = {
        .name = s->name,
        .kind = kind,
        .choices = s->type == SR_TYPE_CHOICE ? s->choices : NULL,
        .fallback = s->fallback,
        .names = s->alias,
        .help = s->help,
        .secret = s->secret,
        .is_path = s->type == SR_TYPE_PATH,
        .is_bool = s->type == SR_TYPE_BOOL,
        .has_file = s->secret || s->type == SR_TYPE_URL,
        .value = value,
        .origin = origin,
    };
    return e->emit(e->ctx, &k, err);
}

/* --- stores' --- */

static int row_emit(const struct emitting *e, const struct sr_setting_view *v,
                    const struct sr_storage_setting *r, struct sr_error *err)
{
    const struct sr_setting as = {.type =
                                      r->type == SR_STORAGE_TYPE_URL ? SR_TYPE_URL : SR_TYPE_STRING,
                                  .secret = (r->flags & SR_STORAGE_SETTING_SECRET) != 0};
    _cleanup_free_ char *name = NULL, *from = NULL, *shown = NULL, *origin = NULL;
    char kind[SR_KIND_MAX], where[256] = "";
    char *value = NULL;
    int rc = sr_setting_name(v->store, r->key, &name, err);
    if (rc != SR_OK)
        return rc;
    /* A value that does not fit is told at the end; its row is shown without. */
    int wrong = sr_setting_get(v, r->key, &value, &from, NULL) != SR_OK;
    shown = sr_config_shown(&as, value);
    int lost = value && !shown;
    if (value)
        explicit_bzero(value, strlen(value));
    free(value);
    if (from || wrong)
        sr_config_raw_where(e->cfg, from ? from : name, where, sizeof where);
    int other = from && strcmp(from, name) != 0;
    if (lost || asprintf(&origin, "%s%s%s%s", *where ? where : "default", other ? " (" : "",
                         other ? from : "", other ? ")" : "") < 0) {
        origin = NULL;
        return no_memory(err);
    }
    sr_known_kind(r, kind);
    const struct sr_known k = {
        .name = name,
        .store = v->store,
        .kind = kind,
        .choices = r->type == SR_STORAGE_TYPE_CHOICE ? r->choices : NULL,
        .fallback = r->fallback,
        .names = r->names,
        .since = r->since,
        .help = r->help,
        .secret = as.secret,
        .required = (r->flags & SR_STORAGE_SETTING_REQUIRED) != 0,
        .is_path = r->type == SR_STORAGE_TYPE_PATH,
        .is_bool = r->type == SR_STORAGE_TYPE_BOOL,
        .has_file = 1,
        .value = shown,
        .origin = origin,
    };
    return e->emit(e->ctx, &k, err);
}

static int store_emit(void *ctx, const struct sr_store_configured *s, struct sr_error *err)
{
    struct emitting *e = ctx;
    int rc = SR_OK;
    for (const struct sr_storage_setting *r = sr_setting_host_rows; rc == SR_OK && r->key; r++)
        rc = row_emit(e, s->view, r, err);
    for (const struct sr_storage_setting *r = s->view->table; rc == SR_OK && r && r->key; r++)
        rc = row_emit(e, s->view, r, err);
    if (rc == SR_OK && e->wrong.code == SR_OK)
        (void)sr_setting_check_all(s->view, s->names, &e->wrong);
    return rc;
}

int sr_known_each(const struct sr_config *cfg,
                  int (*emit)(void *ctx, const struct sr_known *k, struct sr_error *err), void *ctx,
                  struct sr_error *err)
{
    struct emitting e = {cfg, emit, ctx, SR_ERROR_INIT};
    struct sr_strlist bad = {0};
    int rc = SR_OK;
    for (const struct sr_setting *s = sr_settings; rc == SR_OK && s->name; s++)
        rc = core_emit(&e, s, err);
    if (rc == SR_OK)
        rc = sr_stores_each(cfg, &bad, store_emit, &e, err);
    for (size_t i = 0; i < bad.len; i++)
        sr_log(SR_LOG_WARN, "settings of a store are not shown: %s", bad.items[i]);
    sr_strlist_done(&bad);
    return rc == SR_OK ? sr_error_copy(err, &e.wrong) : rc;
}
