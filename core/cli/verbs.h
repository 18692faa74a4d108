/* The verbs, each defined in its verb_NAME.c. */
#ifndef SR_CLI_VERBS_H
#define SR_CLI_VERBS_H

#include "core/cli/verb.h"

extern const struct sr_verb sr_verb_config;
extern const struct sr_verb sr_verb_help;
extern const struct sr_verb sr_verb_version;

#endif
