#include "config.h"
#include "core/cli/session.h"
#include "core/cli/crash.h"
#include "core/cli/progress.h"
#include "core/cli/signals.h"
#include "core/config/config.h"
#include "core/engine/audit.h"
#include "core/engine/context.h"
#include "core/plugin/search.h"
#include "core/store/stores.h"
#include "core/util/cleanup.h"
#include "core/util/log.h"

#include <string.h>
#include <unistd.h>

/* --verbose and --quiet are counted here, as LOG_LEVEL, which has more steps than VERBOSE. */
static int level_flags(const struct sr_args *a, struct sr_strlist *flags)
{
    int verbose = sr_args_flag(a, "verbose");
    if (verbose > 0)
        return sr_strlist_addf(flags, "LOG_LEVEL=%s", verbose == 1 ? "verbose" : "debug");
    return sr_args_flag(a, "quiet") ? sr_strlist_add(flags, "LOG_LEVEL=warning") : SR_OK;
}

/* Of those that cannot be found it is not known what they are called; that is told elsewhere. */
static void plugins_find(const struct sr_config *cfg, struct sr_strlist *ret)
{
    (void)sr_plugin_names(sr_config_str(cfg, "BACKUP_PLUGIN_PATH"), ret, NULL);
}

static int secret_refuse(const char *name, struct sr_error *err)
{
    return sr_fail(err, SR_E_USAGE,
                   "--set %s: a secret on a command line can be read by every user of the machine; "
                   "set it in the environment, or %s_FILE to a file that holds it",
                   name, name);
}

static int store_secrets_refuse(void *ctx, const struct sr_store_configured *s,
                                struct sr_error *err)
{
    int rc = SR_OK;
    for (const struct sr_storage_setting *r = s->view->table; rc == SR_OK && r && r->key; r++) {
        _cleanup_free_ char *name = NULL;
        if (!(r->flags & SR_STORAGE_SETTING_SECRET))
            continue;
        rc = sr_setting_name(s->view->store, r->key, &name, err);
        if (rc == SR_OK && sr_config_has_flag(ctx, name))
            rc = secret_refuse(name, err);
    }
    return rc;
}

/* Secrets are refused although it is too late for this one: it must not become a habit. */
static int secrets_refuse(const struct sr_config *cfg, struct sr_error *err)
{
    struct sr_strlist bad = {0};
    for (const struct sr_setting *s = sr_settings; s->name; s++) {
        const char *value = sr_config_str(cfg, s->name);
        _cleanup_free_ char *shown = sr_config_shown(s, value);
        /* A URL is a secret when there is a password in it. */
        if (sr_config_has_flag(cfg, s->name) && shown && strcmp(shown, value) != 0)
            return secret_refuse(s->name, err);
    }
    int rc = sr_stores_each(cfg, &bad, store_secrets_refuse, (void *)(uintptr_t)cfg, err);
    sr_strlist_done(&bad); /* told when the stores are opened */
    return rc;
}

/* What --set says. What is mistyped here was meant to count. */
static int set_judge(const struct sr_config *cfg, struct sr_error *err)
{
    struct sr_strlist unknown = {0}, plugins = {0};
    plugins_find(cfg, &plugins);
    int rc = sr_config_unknown_flags(cfg, &plugins, &unknown);
    sr_strlist_done(&plugins);
    if (rc != SR_OK)
        rc = sr_fail(err, rc, "out of memory while reading the settings");
    else if (unknown.len > 0)
        rc = sr_fail(err, SR_E_USAGE, "%s", unknown.items[0]);
    sr_strlist_done(&unknown);
    return rc == SR_OK ? secrets_refuse(cfg, err) : rc;
}

static int config_read(const struct sr_args *a, struct sr_config **ret, struct sr_error *err)
{
    struct sr_strlist flags = {0};
    int set = sr_args_flag(a, "set");
    if (sr_args_list(a, "set", &flags) != SR_OK || sr_args_settings(a, &flags) != SR_OK ||
        level_flags(a, &flags) != SR_OK) {
        sr_strlist_done(&flags);
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory while reading the settings");
    }
    struct sr_config_options o = {
        .config_file = sr_args_str(a, "config"),
        .env_file = sr_args_str(a, "env-file"),
        .flags = &flags,
    };
    int rc = sr_config_new(&o, ret, err);
    sr_strlist_done(&flags);
    if (rc != SR_OK || !set)
        return rc;
    rc = set_judge(*ret, err);
    if (rc != SR_OK) {
        sr_config_free(*ret);
        *ret = NULL;
    }
    return rc;
}

static void log_setup(const struct sr_config *cfg, struct sr_session *s)
{
    enum sr_log_level level = SR_LOG_INFO;
    const char *format = sr_config_str(cfg, "LOG_FORMAT"), *text = sr_config_str(cfg, "LOG_LEVEL");
    if (text)
        (void)sr_log_level_parse(text, &level);
    /* VERBOSE=1 counts unless LOG_LEVEL was said at a level that beats it. */
    if (sr_config_bool(cfg, "VERBOSE") && level < SR_LOG_VERBOSE &&
        sr_config_origin(cfg, "VERBOSE") >= sr_config_origin(cfg, "LOG_LEVEL"))
        level = SR_LOG_VERBOSE;
    s->log_json = format && strcmp(format, "json") == 0;
    sr_log_setup(level, s->log_json ? SR_LOG_JSON : SR_LOG_TEXT);
}

static void warn_unknown(const struct sr_config *cfg)
{
    struct sr_strlist warnings = {0}, plugins = {0};
    plugins_find(cfg, &plugins);
    if (sr_config_unknown(cfg, &plugins, &warnings) == SR_OK)
        for (size_t i = 0; i < warnings.len; i++)
            sr_log(SR_LOG_WARN, "%s", warnings.items[i]);
    sr_strlist_done(&warnings);
    sr_strlist_done(&plugins);
}

/* Where the audit log lies by default must not stop a restore on an empty host whose disk is read
 * only; one that was asked for by name is a promise. */
static int audit_open(const struct sr_config *cfg, struct sr_audit **ret, struct sr_error *err)
{
    struct sr_error e = SR_ERROR_INIT;
    int rc = sr_audit_open(cfg, &sr_clock_system, ret, &e);
    if (rc == SR_OK)
        return SR_OK;
    if (sr_config_is_set(cfg, "BACKUP_AUDIT_LOG"))
        return sr_error_copy(err, &e);
    sr_log(SR_LOG_WARN, "going on without an audit log: %s", e.text);
    *ret = NULL;
    return SR_OK;
}

static int run_in_context(struct sr_cli *cli, struct sr_session *s, struct sr_error *err)
{
    const struct sr_verb *verb = cli->args->verb;
    struct sr_audit *audit = NULL;
    struct sr_signals signals;
    struct sr_progress progress;
    struct sr_context ctx;

    int rc = verb->needs & SR_NEEDS_AUDIT ? audit_open(cli->cfg, &audit, err) : SR_OK;
    if (rc != SR_OK)
        return rc;
    sr_signals_prepare(&signals);
    sr_context_init(&ctx, cli->cfg, &sr_clock_system, audit, "cli");
    rc = sr_signals_watch(&signals, &ctx, err);
    if (rc == SR_OK) {
        int wanted = !sr_args_flag(cli->args, "quiet") && !sr_args_flag(cli->args, "no-progress");
        sr_progress_init(&progress, STDERR_FILENO, &sr_clock_system, wanted);
        ctx.progress = sr_progress_show;
        ctx.progress_ctx = &progress;
        cli->ctx = &ctx;
        rc = verb->run(cli, err);
        cli->ctx = NULL;
        sr_progress_done(&progress);
    }
    sr_signals_done(&signals);
    s->signo = atomic_load(&ctx.cancelled);
    sr_context_done(&ctx);
    sr_audit_close(audit);
    return rc;
}

int sr_session_run(const struct sr_args *a, struct sr_output *out, struct sr_session *ret,
                   struct sr_error *err)
{
    struct sr_config *cfg = NULL;
    struct sr_cli cli = {.args = a, .out = out};
    sr_crash_watch();
    if (a->verb->needs) {
        int rc = config_read(a, &cfg, err);
        if (rc != SR_OK)
            return rc;
        cli.cfg = cfg;
        log_setup(cfg, ret);
        warn_unknown(cfg);
    }
    int rc = a->verb->needs & SR_NEEDS_CONTEXT ? run_in_context(&cli, ret, err)
                                               : a->verb->run(&cli, err);
    sr_config_free(cfg);
    return rc;
}
