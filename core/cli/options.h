/* The command line, read by the tables of verb.h.
 *
 *     struct sr_args a = {0};
 *     rc = sr_args_parse(sr_verbs, sr_common_options, argc, argv, &a, &err);
 *     a.verb; sr_args_flag(&a, "json"); sr_args_str(&a, "label"); a.operands; a.tail
 *     sr_args_done(&a);
 *
 * Long options take `--name value` or `--name=value`; letters are flags and may be joined (-qv).
 * Options and operands mix, also before the verb; `--` ends options. There are no abbreviations: a
 * script that used one would break with the next option that begins alike. A value that begins with
 * a dash needs the `=` form, so that a forgotten value does not swallow the next option.
 * Pure: neither prints nor exits. Strings point into argv, which must outlive the result. */
#ifndef SR_CLI_OPTIONS_H
#define SR_CLI_OPTIONS_H

#include "core/cli/verb.h"
#include "core/util/strlist.h"

#include <stdint.h>

struct sr_given {
    const struct sr_option *option;
    const char *value; /* NULL for a flag */
};

struct sr_args {
    const struct sr_verb *verb; /* NULL: none was named */
    const struct sr_option *common;
    struct sr_given *given;
    size_t given_len;
    struct sr_strlist operands;
    struct sr_strlist tail;
};

/* SR_E_USAGE says what is wrong, the nearest word that exists, and where to read on. Operands are
 * not counted when --help or --version is there. *ret must be zeroed; it needs sr_args_done
 * whatever comes back. */
int sr_args_parse(const struct sr_verb *const *verbs, const struct sr_option *common, int argc,
                  char *const *argv, struct sr_args *ret, struct sr_error *err);
void sr_args_done(struct sr_args *a);

/* Asking for an option that neither the verb nor the common table has is a bug and aborts. */
int sr_args_flag(const struct sr_args *a, const char *name);        /* times given */
const char *sr_args_str(const struct sr_args *a, const char *name); /* NULL: not given */
/* Adds each value of a repeatable option to ret; SR_OK or SR_E_NO_MEMORY. */
int sr_args_list(const struct sr_args *a, const char *name, struct sr_strlist *ret);
/* Value of an option whose type is number or duration; fallback when it was not given. */
uint64_t sr_args_number(const struct sr_args *a, const char *name, uint64_t fallback);

/* NAME=VALUE of every given option that stands for a setting, in the order given. */
int sr_args_settings(const struct sr_args *a, struct sr_strlist *ret);

/* Looks a verb up by name; SR_E_USAGE with the nearest. */
int sr_verb_find(const struct sr_verb *const *verbs, const char *name, const struct sr_verb **ret,
                 struct sr_error *err);

/* Nonzero when argv asks for JSON, as far as that can be told from a command line that could not
 * be read. */
int sr_args_wants_json(int argc, char *const *argv);

#endif
