/* What could stand at a place of the command line, for the completions of the shells: asked of the
 * program, so that what is offered is what the plugins that are really there declare.
 *
 *     strongroom config --complete store
 *                                  plugin
 *                                  setting
 *                                  assignment [WORD]      NAME=VALUE for --set
 *                                  key PLUGIN [WORD]      KEY=VALUE for strongroom-plugin-check
 *
 * A candidate and, behind a tab, what it is, one a line. Candidates consist of [A-Za-z0-9] and
 * "._,:/=@%+-" alone (others are left out: shells would take them apart), are at most 1000, and no
 * secret is among them. Ends by itself after three seconds, with nothing said. */
#ifndef SR_CLI_COMPLETE_H
#define SR_CLI_COMPLETE_H

#include "core/cli/verb.h"

/* Prints the candidates of kind for the verb's operands. SR_E_USAGE: no such kind. */
int sr_complete_run(struct sr_cli *cli, const char *kind, struct sr_error *err);

#endif
