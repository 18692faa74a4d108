/* Help, made of the verbs' tables. Pure: text and JSON come out as values. */
#ifndef SR_CLI_HELP_H
#define SR_CLI_HELP_H

#include "core/cli/verb.h"
#include "core/util/buf.h"

#include <jansson.h>

/* The verbs in a line each, the common options, where to read on. */
int sr_help_general(const struct sr_verb *const *verbs, const struct sr_option *common,
                    struct sr_buf *b);
/* One verb: synopsis, what it does, its options, the common ones, examples, exit codes. */
int sr_help_verb(const struct sr_verb *v, const struct sr_option *common, struct sr_buf *b);
/* verb<TAB>option<TAB>argument, one a line; common options under the verb "*". For comparing
 * man page and completion with what is accepted. */
int sr_help_dump(const struct sr_verb *const *verbs, const struct sr_option *common,
                 struct sr_buf *b);
/* {"verbs": [{"name", "summary", "synopsis", "options": [...]}], "options": [...]}; NULL: no
 * memory. */
json_t *sr_help_json(const struct sr_verb *const *verbs, const struct sr_option *common);

#endif
