#include "config.h"
#include "core/cli/session.h"
#include "core/cli/progress.h"
#include "core/cli/signals.h"
#include "core/config/config.h"
#include "core/engine/audit.h"
#include "core/engine/context.h"
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

static int config_read(const struct sr_args *a, struct sr_config **ret, struct sr_error *err)
{
    struct sr_strlist flags = {0};
    if (sr_args_settings(a, &flags) != SR_OK || level_flags(a, &flags) != SR_OK) {
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
    struct sr_strlist warnings = {0};
    if (sr_config_unknown(cfg, &warnings) == SR_OK)
        for (size_t i = 0; i < warnings.len; i++)
            sr_log(SR_LOG_WARN, "%s", warnings.items[i]);
    sr_strlist_done(&warnings);
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
