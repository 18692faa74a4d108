#include "config.h"
#include "core/cli/options.h"
#include "core/cli/output.h"
#include "core/cli/store_settings.h"
#include "core/cli/table.h"
#include "core/cli/verbs.h"
#include "core/util/cleanup.h"

struct showing {
    int json;
    json_t *list;
    struct sr_table table;
};

static int setting_show(void *ctx, const struct sr_store_setting *s, struct sr_error *err)
{
    struct showing *to = ctx;
    (void)err; /* what runs out of memory is told at the end, by the output */
    if (to->json)
        sr_json_append(&to->list, json_pack("{s:s, s:o, s:o, s:o}", "name", s->name, "value",
                                            sr_json_text_or_null(s->value), "origin",
                                            sr_json_text_or_null(s->origin), "help",
                                            sr_json_text_or_null(s->help)));
    else {
        sr_table_cell(&to->table, s->name);
        sr_table_cell(&to->table, s->origin);
        sr_table_cell(&to->table, s->value);
    }
    return SR_OK;
}

static int core_show(const struct sr_config *cfg, const struct sr_setting *s, struct showing *to,
                     struct sr_error *err)
{
    _cleanup_free_ char *value = NULL, *origin = NULL;
    if (sr_config_describe(cfg, s, &value, &origin) != SR_OK)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory while showing the settings");
    const struct sr_store_setting shown = {s->name, value, origin, s->help};
    return setting_show(to, &shown, err);
}

static int run(struct sr_cli *cli, struct sr_error *err)
{
    static const struct sr_column columns[] = {{"SETTING", 0}, {"FROM", 0}, {"VALUE", 0}};
    struct showing to = {.json = cli->out->json, .list = json_array()};
    int rc = SR_OK;
    sr_table_init(&to.table, columns, 3);
    for (const struct sr_setting *s = sr_settings; s->name && rc == SR_OK; s++)
        rc = core_show(cli->cfg, s, &to, err);
    if (rc == SR_OK)
        rc = sr_store_settings_each(cli->cfg, setting_show, &to, err);
    /* What is known is shown also when a store's setting is wrong. */
    sr_table_print(&to.table, cli->out);
    if (to.json)
        sr_output_document(cli->out, json_pack("{s:o}", "settings", to.list));
    else
        json_decref(to.list);
    sr_table_done(&to.table);
    return rc;
}

const struct sr_verb sr_verb_config = {
    .name = "config",
    .summary = "every setting, its value and where it came from",
    .synopsis = "",
    .about =
        "Shows what counts after flags, environment, .env file, configuration file and defaults "
        "have been put over one another, in that order, and then the settings of the stores that "
        "BACKUP_STORAGE_ADAPTER names, as their plugins declare them. Secrets are masked. A "
        "setting "
        "that is wrong is an error that names it and what is allowed.",
    .examples = "strongroom config\nstrongroom config --env-file /srv/app/.env --json",
    .needs = SR_NEEDS_CONFIG,
    .run = run,
};
