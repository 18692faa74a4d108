#include "config.h"
#include "core/cli/known.h"
#include "core/cli/options.h"
#include "core/cli/output.h"
#include "core/cli/table.h"
#include "core/cli/verbs.h"
#include "core/config/config.h"
#include "core/plugin/plugin.h"
#include "core/plugin/settings.h"
#include "core/util/cleanup.h"
#include "core/util/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAPS_MAX 64

static json_t *caps_json(const struct sr_storage_plugin *t)
{
    const char *caps[CAPS_MAX];
    size_t n = sr_plugin_cap_names(t->capabilities, caps, CAPS_MAX);
    json_t *a = json_array();
    for (size_t i = 0; a && i < n; i++)
        sr_json_append(&a, json_string(caps[i]));
    return a;
}

/* Its name for a store that is called as the plugin. */
static char *row_name(const struct sr_storage_plugin *t, const struct sr_storage_setting *r)
{
    char *name = NULL;
    return sr_setting_name(t->name, r->key, &name, NULL) == SR_OK ? name : NULL;
}

static json_t *row_json(const struct sr_storage_plugin *t, const struct sr_storage_setting *r)
{
    _cleanup_free_ char *name = row_name(t, r);
    char kind[SR_KIND_MAX];
    sr_known_kind(r, kind);
    return json_pack("{s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:I, s:I, s:b, s:b, s:b, s:o, s:o}",
                     "key", sr_json_text_or_null(r->key), "setting", sr_json_text_or_null(name),
                     "type", sr_plugin_type_name(r->type), "kind", kind, "default",
                     sr_json_text_or_null(r->fallback), "choices", sr_json_text_or_null(r->choices),
                     "names", sr_json_text_or_null(r->names), "min", (json_int_t)r->min, "max",
                     (json_int_t)r->max, "required", (r->flags & SR_STORAGE_SETTING_REQUIRED) != 0,
                     "secret", (r->flags & SR_STORAGE_SETTING_SECRET) != 0, "place",
                     (r->flags & SR_STORAGE_SETTING_PLACE) != 0, "since",
                     sr_json_text_or_null(r->since), "help", sr_json_text_or_null(r->help));
}

static json_t *settings_json(const struct sr_storage_plugin *t)
{
    json_t *a = json_array();
    for (const struct sr_storage_setting *r = sr_setting_host_rows; a && r->key; r++)
        sr_json_append(&a, row_json(t, r));
    for (const struct sr_storage_setting *r = t->settings; a && r && r->key; r++)
        sr_json_append(&a, row_json(t, r));
    return a;
}

static json_t *found_json(const struct sr_plugin_found *f)
{
    if (!f->plugin)
        return json_pack("{s:o, s:o, s:b, s:o}", "name", sr_json_text_or_null(f->name), "file",
                         sr_json_text_or_null(f->file), "loads", 0, "reason",
                         sr_json_text_or_null(f->reason));
    const struct sr_storage_plugin *t = sr_plugin_table(f->plugin);
    return json_pack("{s:o, s:o, s:b, s:o, s:o, s:o, s:I, s:o, s:o}", "name",
                     sr_json_text_or_null(f->name), "file", sr_json_text_or_null(f->file), "loads",
                     1, "version", sr_json_text_or_null(t->version), "description",
                     sr_json_text_or_null(t->description), "license",
                     sr_json_text_or_null(t->license), "api_version", (json_int_t)t->api_version,
                     "capabilities", caps_json(t), "settings", settings_json(t));
}

static void survey_print(struct sr_output *o, const struct sr_plugin_survey *s)
{
    static const struct sr_column columns[] = {
        {"PLUGIN", 0}, {"VERSION", 0}, {"FILE", 0}, {"WHAT", 0}};
    struct sr_table t;
    sr_table_init(&t, columns, 4);
    for (size_t i = 0; i < s->len; i++) {
        const struct sr_plugin_found *f = &s->items[i];
        const struct sr_storage_plugin *p = f->plugin ? sr_plugin_table(f->plugin) : NULL;
        sr_table_cell(&t, f->name);
        sr_table_cell(&t, p ? p->version : NULL);
        sr_table_cell(&t, f->file);
        if (p)
            sr_table_cell(&t, p->description);
        else
            sr_table_cellf(&t, "refused: %s", f->reason);
    }
    sr_table_print(&t, o);
    sr_table_done(&t);
    for (size_t i = 0; i < s->folders.len; i++)
        sr_output_line(o, "looked into %s", s->folders.items[i]);
}

static void row_print(struct sr_table *t, const struct sr_storage_plugin *p,
                      const struct sr_storage_setting *r)
{
    _cleanup_free_ char *name = row_name(p, r);
    char kind[SR_KIND_MAX];
    sr_known_kind(r, kind);
    sr_table_cell(t, name);
    sr_table_cell(t, r->choices ? r->choices : kind);
    sr_table_cell(t, r->fallback);
    sr_table_cell(t, r->names);
    sr_table_cell(t, r->since);
    sr_table_cellf(t, "%s%s", r->help ? r->help : "",
                   r->flags & SR_STORAGE_SETTING_REQUIRED ? " (required)" : "");
}

static void settings_print(struct sr_output *o, const struct sr_storage_plugin *p)
{
    static const struct sr_column columns[] = {{"SETTING", 0}, {"KIND", 0},  {"DEFAULT", 0},
                                               {"ALSO", 0},    {"SINCE", 0}, {"WHAT", 0}};
    struct sr_table t;
    sr_table_init(&t, columns, 6);
    for (const struct sr_storage_setting *r = sr_setting_host_rows; r->key; r++)
        row_print(&t, p, r);
    for (const struct sr_storage_setting *r = p->settings; r && r->key; r++)
        row_print(&t, p, r);
    sr_table_print(&t, o);
    sr_table_done(&t);
}

static void one_print(struct sr_output *o, const struct sr_plugin_found *f)
{
    sr_output_line(o, "plugin       %s", f->name);
    sr_output_line(o, "file         %s", f->file);
    if (!f->plugin) {
        sr_output_line(o, "refused      %s", f->reason);
        return;
    }
    const struct sr_storage_plugin *t = sr_plugin_table(f->plugin);
    const char *caps[CAPS_MAX];
    size_t n = sr_plugin_cap_names(t->capabilities, caps, CAPS_MAX);
    sr_output_line(o, "version      %s, interface version %llu", t->version ? t->version : "-",
                   (unsigned long long)t->api_version);
    sr_output_line(o, "what         %s", t->description ? t->description : "-");
    sr_output_line(o, "licence      %s", t->license ? t->license : "-");
    for (size_t i = 0; i < n; i++)
        sr_output_line(o, "%s%s", i == 0 ? "can          " : "             ", caps[i]);
    sr_output_line(o, "%s", "");
    sr_output_line(o,
                   "Settings of a store called %s (of a store dr=%s: BACKUP_DR_*); each may be "
                   "given as a file, NAME_FILE:",
                   t->name, t->name);
    settings_print(o, t);
}

/* The plugins called name, the one in use first, kept at the beginning of the survey. */
static int survey_narrow(struct sr_plugin_survey *s, const char *name, struct sr_error *err)
{
    size_t kept = 0;
    const char **words = calloc(s->len + 1, sizeof *words);
    if (!words)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory while listing the plugins");
    for (size_t i = 0; i < s->len; i++)
        words[i] = s->items[i].name;
    const char *near = sr_nearest(name, words);
    char nearest[64];
    (void)snprintf(nearest, sizeof nearest, "%s", near ? near : "");
    free(words);
    for (size_t i = 0; i < s->len; i++)
        if (strcmp(s->items[i].name, name) == 0) {
            struct sr_plugin_found f = s->items[i];
            s->items[i] = s->items[kept];
            s->items[kept++] = f;
        }
    if (kept > 0) {
        for (size_t i = kept; i < s->len; i++) {
            free(s->items[i].name);
            free(s->items[i].file);
            free(s->items[i].reason);
        }
        s->len = kept;
        return SR_OK;
    }
    (void)sr_fail(err, SR_E_NOT_FOUND, "there is no plugin '%.100s'", name);
    if (*nearest)
        (void)sr_error_append(err, "; did you mean %s?", nearest);
    return sr_error_append(err, "; `strongroom plugins` lists them and where was looked");
}

static json_t *survey_json(const struct sr_plugin_survey *s)
{
    json_t *a = json_array();
    for (size_t i = 0; a && i < s->len; i++)
        sr_json_append(&a, found_json(&s->items[i]));
    return json_pack("{s:o, s:o}", "plugins", a, "folders", sr_json_strings(&s->folders));
}

static int run(struct sr_cli *cli, struct sr_error *err)
{
    const struct sr_strlist *operands = &cli->args->operands;
    struct sr_plugin_survey s = {0};
    int rc = sr_plugin_survey_make(sr_config_str(cli->cfg, "BACKUP_PLUGIN_PATH"), &s, err);
    if (rc == SR_OK && operands->len > 0)
        rc = survey_narrow(&s, operands->items[0], err);
    if (rc == SR_OK && cli->out->json)
        sr_output_document(cli->out, survey_json(&s));
    else if (rc == SR_OK && operands->len == 0)
        survey_print(cli->out, &s);
    for (size_t i = 0; rc == SR_OK && operands->len > 0 && i < s.len; i++)
        one_print(cli->out, &s.items[i]);
    sr_plugin_survey_done(&s);
    return rc;
}

const struct sr_verb sr_verb_plugins = {
    .name = "plugins",
    .summary = "what can be loaded, from where, its settings",
    .synopsis = "[PLUGIN]",
    .about = "Lists the storage plugins in BACKUP_PLUGIN_PATH and in the plugin folder of the "
             "installation, also those that were refused and why. With a name, shows that plugin: "
             "what it can do and its settings with their kinds, defaults and the well-known names "
             "that they answer to.",
    .examples = "strongroom plugins\nstrongroom plugins local",
    .operand = "PLUGIN",
    .operands_max = 1,
    .needs = SR_NEEDS_CONFIG,
    .run = run,
};
