#include "config.h"
#include "core/cli/complete.h"
#include "core/cli/known.h"
#include "core/cli/options.h"
#include "core/cli/output.h"
#include "core/cli/screen.h"
#include "core/plugin/plugin.h"
#include "core/plugin/search.h"
#include "core/util/cleanup.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CANDIDATES_MAX 1000
#define SECONDS_MAX 3

struct offering {
    struct sr_cli *cli;
    const char *word; /* what was typed so far */
    struct sr_buf text;
    size_t count;
};

static int is_plain(const char *s)
{
    return *s && s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                             "._,:/=@%+-")] == '\0';
}

/* key and value are joined by "=" when there is a value; "" leaves the "=" alone. */
static void offer(struct offering *o, const char *key, const char *value, const char *what)
{
    _cleanup_free_ char *word = NULL, *clean = sr_screen_clean(what);
    if (asprintf(&word, "%s%s%s", key, value ? "=" : "", value ? value : "") < 0)
        word = NULL;
    if (!word || !clean || !is_plain(word) || strncmp(word, o->word, strlen(o->word)) != 0 ||
        o->count >= CANDIDATES_MAX)
        return;
    o->count++;
    (void)sr_buf_printf(&o->text, "%s\t%.120s\n", word, clean);
}

/* --- values --- */

static void offer_choices(struct offering *o, const char *key, const char *choices)
{
    struct sr_strlist words = {0};
    if (sr_strlist_split(&words, choices, '|') == SR_OK)
        for (size_t i = 0; i < words.len; i++)
            offer(o, key, words.items[i], "");
    sr_strlist_done(&words);
}

static void offer_values(struct offering *o, const char *key, const char *choices, int is_bool,
                         const char *fallback)
{
    if (choices) {
        offer_choices(o, key, choices);
    } else if (is_bool) {
        offer(o, key, "on", "");
        offer(o, key, "off", "");
    } else if (fallback) {
        offer(o, key, fallback, "default");
    }
}

/* Nonzero when key is what stands before the "=" of the word. */
static int asks_for(const struct offering *o, const char *key)
{
    size_t n = strcspn(o->word, "=");
    return o->word[n] == '=' && strlen(key) == n && memcmp(o->word, key, n) == 0;
}

/* --- kinds --- */

static int offer_plugins(struct offering *o, const char *key, struct sr_error *err)
{
    struct sr_strlist names = {0};
    int rc = sr_plugin_names(sr_config_str(o->cli->cfg, "BACKUP_PLUGIN_PATH"), &names, err);
    for (size_t i = 0; rc == SR_OK && i < names.len; i++)
        offer(o, key ? key : names.items[i], key ? names.items[i] : NULL, "storage plugin");
    sr_strlist_done(&names);
    return rc;
}

static int offer_stores(struct offering *o, struct sr_error *err)
{
    struct sr_strlist pieces = {0};
    int rc = sr_config_list(o->cli->cfg, "BACKUP_STORAGE_ADAPTER", &pieces);
    for (size_t i = 0; rc == SR_OK && i < pieces.len; i++) {
        const char *eq = strchr(pieces.items[i], '=');
        _cleanup_free_ char *what = NULL;
        if (asprintf(&what, "store of plugin %s", eq ? eq + 1 : pieces.items[i]) < 0)
            what = NULL;
        pieces.items[i][strcspn(pieces.items[i], "=")] = '\0';
        if (*pieces.items[i] != '/')
            offer(o, pieces.items[i], NULL, what ? what : "");
    }
    sr_strlist_done(&pieces);
    return rc == SR_OK ? rc : sr_fail(err, rc, "out of memory");
}

static int offer_setting(void *ctx, const struct sr_known *k, struct sr_error *err)
{
    (void)err;
    offer(ctx, k->name, NULL, k->help ? k->help : "");
    return SR_OK;
}

static int offer_assignment(void *ctx, const struct sr_known *k, struct sr_error *err)
{
    struct offering *o = ctx;
    if (k->secret)
        return SR_OK; /* not on a command line */
    if (!asks_for(o, k->name))
        offer(o, k->name, "", k->help ? k->help : "");
    else if (strcmp(k->name, "BACKUP_STORAGE_ADAPTER") == 0)
        return offer_plugins(o, k->name, err);
    else
        offer_values(o, k->name, k->choices, k->is_bool, k->fallback);
    return SR_OK;
}

static int offer_keys(struct offering *o, const char *which, struct sr_error *err)
{
    struct sr_plugin *plugin = NULL;
    int rc = sr_plugin_load(which, sr_config_str(o->cli->cfg, "BACKUP_PLUGIN_PATH"), &plugin, err);
    if (rc != SR_OK)
        return rc;
    for (const struct sr_storage_setting *r = sr_plugin_table(plugin)->settings; r && r->key; r++) {
        if (r->flags & SR_STORAGE_SETTING_SECRET)
            continue;
        if (asks_for(o, r->key))
            offer_values(o, r->key, r->type == SR_STORAGE_TYPE_CHOICE ? r->choices : NULL,
                         r->type == SR_STORAGE_TYPE_BOOL, r->fallback);
        else
            offer(o, r->key, "", r->help ? r->help : "");
    }
    return SR_OK;
}

static int offer_kind(struct offering *o, const char *kind, struct sr_error *err)
{
    const struct sr_strlist *operands = &o->cli->args->operands;
    if (strcmp(kind, "store") == 0)
        return offer_stores(o, err);
    if (strcmp(kind, "plugin") == 0)
        return offer_plugins(o, NULL, err);
    if (strcmp(kind, "setting") == 0)
        return sr_known_each(o->cli->cfg, offer_setting, o, err);
    if (strcmp(kind, "assignment") == 0) {
        o->word = operands->len > 0 ? operands->items[0] : "";
        return sr_known_each(o->cli->cfg, offer_assignment, o, err);
    }
    if (strcmp(kind, "key") == 0 && operands->len > 0) {
        o->word = operands->len > 1 ? operands->items[1] : "";
        return offer_keys(o, operands->items[0], err);
    }
    return sr_fail(err, SR_E_USAGE, "there is nothing to complete called '%.40s'", kind);
}

/* A plugin that hangs, a folder on a server that is gone: the shell must have its prompt back. */
static void end_quietly(int signo)
{
    (void)signo;
    _exit(0);
}

int sr_complete_run(struct sr_cli *cli, const char *kind, struct sr_error *err)
{
    struct offering o = {.cli = cli, .word = ""};
    const struct sigaction end = {.sa_handler = end_quietly};
    (void)sigaction(SIGALRM, &end, NULL);
    (void)alarm(SECONDS_MAX);
    sr_buf_init(&o.text, 1 << 20);
    int rc = offer_kind(&o, kind, err);
    /* What is wrong with one store's settings is no reason to offer nothing of the others'. */
    if (rc == SR_E_CONFIG)
        rc = SR_OK;
    if (rc == SR_OK)
        sr_output_text(cli->out, sr_buf_str(&o.text));
    sr_buf_done(&o.text);
    return rc;
}
