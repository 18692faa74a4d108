#include "config.h"
#include "core/cli/options.h"
#include "core/cli/output.h"
#include "core/cli/table.h"
#include "core/cli/verbs.h"
#include "core/config/config.h"
#include "core/util/cleanup.h"

struct shown {
    json_t *list;
    struct sr_table table;
};

static int setting_show(struct sr_cli *cli, struct shown *to, const struct sr_setting *s,
                        struct sr_error *err)
{
    _cleanup_free_ char *value = NULL, *origin = NULL;
    if (sr_config_describe(cli->cfg, s, &value, &origin) != SR_OK)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory while showing the settings");
    if (cli->out->json)
        return json_array_append_new(to->list, json_pack("{s:s, s:o, s:o, s:s}", "name", s->name,
                                                         "value", sr_json_text(value), "origin",
                                                         sr_json_text(origin), "help", s->help)) ==
                       0
                   ? SR_OK
                   : sr_fail(err, SR_E_NO_MEMORY, "out of memory while showing the settings");
    sr_table_cell(&to->table, s->name);
    sr_table_cell(&to->table, origin);
    sr_table_cell(&to->table, value);
    return SR_OK;
}

static int run(struct sr_cli *cli, struct sr_error *err)
{
    static const struct sr_column columns[] = {{"SETTING", 0}, {"FROM", 0}, {"VALUE", 0}};
    struct shown to = {.list = json_array()};
    int rc = SR_OK;
    sr_table_init(&to.table, columns, 3);
    for (const struct sr_setting *s = sr_settings; s->name && rc == SR_OK; s++)
        rc = setting_show(cli, &to, s, err);
    if (rc == SR_OK) {
        sr_table_print(&to.table, cli->out);
        if (cli->out->json)
            sr_output_document(cli->out, json_pack("{s:O}", "settings", to.list));
    }
    sr_table_done(&to.table);
    json_decref(to.list);
    return rc;
}

const struct sr_verb sr_verb_config = {
    .name = "config",
    .summary = "every setting, its value and where it came from",
    .synopsis = "",
    .about =
        "Shows what counts after flags, environment, .env file, configuration file and defaults "
        "have been put over one another, in that order. Secrets are masked. A setting that is "
        "wrong is an error that names it and what is allowed.",
    .examples = "strongroom config\nstrongroom config --env-file /srv/app/.env --json",
    .needs = SR_NEEDS_CONFIG,
    .run = run,
};
