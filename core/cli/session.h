/* What surrounds a verb: settings read, log set up, audit log open, signals watched, progress
 * shown.
 *
 *     struct sr_session s = {0};
 *     rc = sr_session_run(&args, &out, &s, &err);     // all of it, around args.verb->run
 *
 * Only what the verb needs (enum sr_verb_needs) is set up; all of it is taken down again. */
#ifndef SR_CLI_SESSION_H
#define SR_CLI_SESSION_H

#include "core/cli/options.h"
#include "core/cli/output.h"

struct sr_session {
    int signo;    /* the signal that asked for the end; 0: none */
    int log_json; /* LOG_FORMAT=json: a failure is reported as a log line */
};

int sr_session_run(const struct sr_args *a, struct sr_output *out, struct sr_session *ret,
                   struct sr_error *err);

#endif
