/* The verbs, each defined in its verb_NAME.c (hold and release in verb_hold.c). */
#ifndef SR_CLI_VERBS_H
#define SR_CLI_VERBS_H

#include "core/cli/verb.h"

extern const struct sr_verb sr_verb_backup;
extern const struct sr_verb sr_verb_list;
extern const struct sr_verb sr_verb_show;
extern const struct sr_verb sr_verb_verify;
extern const struct sr_verb sr_verb_restore;
extern const struct sr_verb sr_verb_restore_test;
extern const struct sr_verb sr_verb_fetch;
extern const struct sr_verb sr_verb_adopt;
extern const struct sr_verb sr_verb_prune;
extern const struct sr_verb sr_verb_hold;
extern const struct sr_verb sr_verb_release;
extern const struct sr_verb sr_verb_sync;
extern const struct sr_verb sr_verb_sweep;
extern const struct sr_verb sr_verb_plugins;
extern const struct sr_verb sr_verb_config;
extern const struct sr_verb sr_verb_doctor;
extern const struct sr_verb sr_verb_help;
extern const struct sr_verb sr_verb_version;

#endif
