/* The syntax of .env files and of the configuration file.
 *
 *     sr_dotenv_parse(".env", text, len, pair, ctx, &err);     // pair is called for each
 * NAME=VALUE
 *
 *   NAME=VALUE          blanks around '=' and at the end are dropped; `export ` may stand before
 *   # comment           at the start of a line or after a blank; not inside quotes
 *   'literal'           nothing is special but the closing quote
 *   "with \n \" \\ \$"  any other backslash stays; a quoted value may run over several lines
 *
 * No variable is expanded: `$HOME` is five characters. A byte order mark and CRLF are fine.
 * The text is hostile: its length, the lines and the number of pairs are bounded, and messages name
 * file and line but never a value. Pure; any thread.
 */
#ifndef SR_CONFIG_DOTENV_H
#define SR_CONFIG_DOTENV_H

#include "core/util/error.h"

#include <stddef.h>

#define SR_DOTENV_MAX (1u << 20)        /* bytes of a file */
#define SR_DOTENV_VALUE_MAX (64u << 10) /* bytes of one value */
#define SR_DOTENV_NAME_MAX 128          /* bytes of one name */
#define SR_DOTENV_PAIRS_MAX 4096

/* name and value are valid during the call only; line counts from 1 and is the one that the name
 * stands in. SR_OK to go on; anything else ends the parse, which returns it. */
typedef int (*sr_dotenv_pair_fn)(void *ctx, const char *name, const char *value, unsigned line,
                                 struct sr_error *err);

/* Calls pair for each NAME=VALUE in order, repeated names included. SR_E_CONFIG "<file>:<line>:
 * reason" for what is no such line; pairs before it were handed out already. */
int sr_dotenv_parse(const char *file, const char *text, size_t len, sr_dotenv_pair_fn pair,
                    void *ctx, struct sr_error *err);

#endif
