#include "config.h"
#include "core/cli/complete.h"
#include "core/cli/known.h"
#include "core/cli/options.h"
#include "core/cli/output.h"
#include "core/cli/table.h"
#include "core/cli/verbs.h"
#include "core/util/text.h"

#include <stdlib.h>
#include <string.h>

struct showing {
    struct sr_output *out;
    const struct sr_strlist *asked; /* names; empty: all */
    struct sr_strlist names;        /* of all, for the nearest */
    char *met;                      /* per name that was asked for: nonzero when it was there */
    json_t *list;
    struct sr_table table;
};

static json_t *known_json(const struct sr_known *k)
{
    return json_pack("{s:s, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:b, s:b, s:o, s:o}", "name",
                     k->name, "value", sr_json_text_or_null(k->value), "origin",
                     sr_json_text_or_null(k->origin), "store", sr_json_text_or_null(k->store),
                     "type", k->kind, "choices", sr_json_text_or_null(k->choices), "default",
                     sr_json_text_or_null(k->fallback), "names", sr_json_text_or_null(k->names),
                     "secret", k->secret, "required", k->required, "since",
                     sr_json_text_or_null(k->since), "help", sr_json_text_or_null(k->help));
}

static void known_row(struct sr_table *t, const struct sr_known *k)
{
    /* The default is what is shown unless something else was set. */
    int differs = k->fallback && (!k->value || strcmp(k->value, k->fallback) != 0);
    sr_table_cell(t, k->name);
    sr_table_cell(t, k->choices ? k->choices : k->kind);
    sr_table_cell(t, k->origin);
    sr_table_cellf(t, "%s%s%s%s", k->value ? k->value : "-", differs ? " (default: " : "",
                   differs ? k->fallback : "", differs ? ")" : "");
}

/* One setting that was asked for by name: everything about it. */
static void known_print(struct sr_output *o, const struct sr_known *k)
{
    sr_output_line(o, "setting      %s", k->name);
    sr_output_line(o, "what         %s%s", k->help ? k->help : "-",
                   k->required ? " (required)" : "");
    sr_output_line(o, "kind         %s", k->kind);
    if (k->choices)
        sr_output_line(o, "one of       %s", k->choices);
    sr_output_line(o, "default      %s", k->fallback ? k->fallback : "-");
    if (k->names)
        sr_output_line(o, "also         %s", k->names);
    if (k->has_file)
        sr_output_line(o, "from a file  %s_FILE", k->name);
    sr_output_line(o, "value        %s", k->value ? k->value : "-");
    sr_output_line(o, "from         %s", k->origin);
}

static int show(void *ctx, const struct sr_known *k, struct sr_error *err)
{
    struct showing *to = ctx;
    int wanted = to->asked->len == 0;
    for (size_t i = 0; i < to->asked->len; i++)
        if (strcmp(to->asked->items[i], k->name) == 0)
            wanted = to->met[i] = 1;
    if (to->asked->len > 0 && sr_strlist_add(&to->names, k->name) != SR_OK)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory while showing the settings");
    if (!wanted)
        return SR_OK;
    if (to->out->json)
        sr_json_append(&to->list, known_json(k));
    else if (to->asked->len > 0)
        known_print(to->out, k);
    else
        known_row(&to->table, k);
    return SR_OK;
}

static int all_met(const struct showing *to, struct sr_error *err)
{
    for (size_t i = 0; i < to->asked->len; i++) {
        const char *name = to->asked->items[i];
        if (to->met[i])
            continue;
        const char *near = sr_nearest(name, (const char *const *)to->names.items);
        sr_fail(err, SR_E_NOT_FOUND, "there is no setting '%.100s'", name);
        return near ? sr_error_append(err, "; did you mean %s?", near)
                    : sr_error_append(err, "; `strongroom config` lists them");
    }
    return SR_OK;
}

static int run(struct sr_cli *cli, struct sr_error *err)
{
    static const struct sr_column columns[] = {
        {"SETTING", 0}, {"KIND", 0}, {"FROM", 0}, {"VALUE", 0}};
    const char *complete = sr_args_str(cli->args, "complete");
    struct showing to = {.out = cli->out, .asked = &cli->args->operands, .list = json_array()};
    if (complete) {
        json_decref(to.list);
        return sr_complete_run(cli, complete, err);
    }
    if (!(to.met = calloc(to.asked->len + 1, 1)))
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory while showing the settings");
    sr_table_init(&to.table, columns, 4);
    int rc = sr_known_each(cli->cfg, show, &to, err);
    /* What is known is shown also when a store's setting is wrong. */
    sr_table_print(&to.table, cli->out);
    if (cli->out->json)
        sr_output_document(cli->out, json_pack("{s:o}", "settings", to.list));
    else
        json_decref(to.list);
    sr_table_done(&to.table);
    if (rc == SR_OK)
        rc = all_met(&to, err);
    sr_strlist_done(&to.names);
    free(to.met);
    return rc;
}

static const struct sr_option options[] = {
    /* For the shells' completions, which call it at each press of a key. */
    {.name = "complete",
     .kind = SR_OPTION_VALUE,
     .arg = "KIND",
     .help = "print what could stand there, one a line",
     .hidden = 1},
    {.name = NULL},
};

const struct sr_verb sr_verb_config = {
    .name = "config",
    .summary = "every setting, its value and where it came from",
    .synopsis = "[SETTING...]",
    .about =
        "Shows what counts after flags, environment, .env file, configuration file and defaults "
        "have been put over one another, in that order, and then the settings of the stores that "
        "BACKUP_STORAGE_ADAPTER names, as their plugins declare them. Secrets are masked. A "
        "setting "
        "that is wrong is an error that names it and what is allowed.\n\n"
        "With names of settings, tells all about these: what they mean, kind, default, the other "
        "names that they answer to, value and origin.",
    .examples = "strongroom config\nstrongroom config BACKUP_RETENTION_DAYS\nstrongroom config "
                "--env-file /srv/app/.env --json",
    .options = options,
    .operand = "SETTING",
    .operands_max = -1,
    .needs = SR_NEEDS_CONFIG,
    .run = run,
};
