#include "config.h"
#include "core/cli/session.h"
#include "core/config/config.h"
#include "core/util/log.h"

#include <string.h>

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
    int rc = a->verb->run(&cli, err);
    sr_config_free(cfg);
    return rc;
}
