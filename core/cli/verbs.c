#include "config.h"
#include "core/cli/verbs.h"

#include <stddef.h>

const struct sr_verb *const sr_verbs[] = {
    &sr_verb_backup,
    &sr_verb_list,
    &sr_verb_show,
    &sr_verb_verify,
    &sr_verb_restore,
    &sr_verb_restore_test,
    &sr_verb_fetch,
    &sr_verb_adopt,
    &sr_verb_prune,
    &sr_verb_hold,
    &sr_verb_release,
    &sr_verb_sync,
    &sr_verb_sweep,
    &sr_verb_plugins,
    &sr_verb_config,
    &sr_verb_doctor,
    &sr_verb_help,
    &sr_verb_version,
    NULL,
};

const struct sr_option sr_common_options[] = {
    {.name = "json", .help = "print one JSON document with \"schema\": 1 instead of text"},
    {.name = "quiet",
     .letter = 'q',
     .not_with = "verbose",
     .help = "print warnings and errors, and answers that were asked for, but no report of success "
             "and no progress"},
    {.name = "verbose",
     .letter = 'v',
     .help = "log more; twice: still more (also VERBOSE=1, LOG_LEVEL)"},
    {.name = "config",
     .kind = SR_OPTION_VALUE,
     .arg = "FILE",
     .help = "read this configuration file (default: /etc/strongroom.conf if there)"},
    {.name = "env-file",
     .kind = SR_OPTION_VALUE,
     .arg = "FILE",
     .help = "read this .env file (default: ./.env if there)"},
    {.name = "set",
     .kind = SR_OPTION_LIST,
     .arg = "NAME=VALUE",
     .help = "set any setting but a secret for this run, as the environment would"},
    {.name = "no-progress", .help = "show no progress on standard error"},
    {.name = "help", .letter = 'h', .help = "tell about the program, or about the verb"},
    {.name = "version", .help = "print the version"},
    {.name = NULL},
};
