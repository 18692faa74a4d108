/* Verbs and their options, as data.
 *
 * Each verb is one file, verb_NAME.c, which holds a struct sr_verb and its run function; verbs.c
 * lists them. The parser, `help`, and through `help --dump-options` the man page's and the
 * completion's tests all read the same tables, so that what is accepted and what is documented
 * cannot drift apart.
 *
 * A run function gets a struct sr_cli, prints its result through cli->out and returns SR_OK or a
 * code with *err filled; exit codes are chosen in exit.c alone. */
#ifndef SR_CLI_VERB_H
#define SR_CLI_VERB_H

#include "core/util/error.h"

struct sr_args;
struct sr_cli;
struct sr_config;
struct sr_context;
struct sr_output;

enum sr_option_kind {
    SR_OPTION_FLAG,  /* no value; may be repeated */
    SR_OPTION_VALUE, /* one value; repeating it is an error */
    SR_OPTION_LIST,  /* a value each time */
};

/* What a value must look like; checked by the parser. */
enum sr_option_type {
    SR_VALUE_TEXT, /* anything but nothing */
    SR_VALUE_CHOICE,
    SR_VALUE_NUMBER, /* 1 to SR_NUMBER_MAX */
    SR_VALUE_DURATION,
    SR_VALUE_TIME,
};

#define SR_NUMBER_MAX 1024

struct sr_option {
    const char *name; /* without the dashes; NULL ends a table */
    char letter;      /* -x of a flag; 0: none */
    enum sr_option_kind kind;
    enum sr_option_type type;
    const char *arg;      /* the value's name in help: "STORE" */
    const char *help;     /* a sentence without a full stop */
    const char *choices;  /* "plain|custom" for SR_VALUE_CHOICE */
    const char *setting;  /* the setting this option stands for, or NULL */
    const char *stands;   /* a flag: the value written to the setting */
    const char *not_with; /* names of options that exclude this one: "label,stream"; or NULL */
    const char *needs;    /* name of an option without which this one has no meaning; or NULL */
    int hidden;           /* accepted, not shown: for the tests of man page and completion */
};

enum sr_verb_needs {
    SR_NEEDS_CONFIG = 1 << 0,
    SR_NEEDS_CONTEXT = 1 << 1, /* signals, progress, struct sr_context; with the settings */
    SR_NEEDS_AUDIT = 1 << 2,
};

struct sr_verb {
    const char *name;
    const char *summary;  /* one line for the list of verbs */
    const char *synopsis; /* what follows "strongroom NAME" */
    const char *about;    /* paragraphs, separated by a blank line; wrapped when shown */
    const char *examples; /* one a line; or NULL */
    const struct sr_option *options;
    const char *operand; /* its name in messages: "BACKUP"; NULL: takes none */
    int operands_min;
    int operands_max; /* -1: any number */
    const char *tail; /* what follows `--` is collected apart, this is its name; NULL: operands */
    unsigned needs;   /* of enum sr_verb_needs */
    int looks_up;     /* not-found means "no such backup" (exit 10) */
    int acts;         /* --quiet leaves out the report on success: what was done is no answer */
    int (*run)(struct sr_cli *cli, struct sr_error *err);
};

/* Rows that several verbs have. */
#define SR_OPTION_STORE(text)                                                    \
    {                                                                            \
        .name = "store", .kind = SR_OPTION_VALUE, .arg = "STORE", .help = (text) \
    }
#define SR_OPTION_NARROW_DATABASE                                                            \
    {                                                                                        \
        .name = "database", .kind = SR_OPTION_VALUE, .arg = "DB",                            \
        .help = "only backups of this database count (for `latest` and beginnings of names)" \
    }
#define SR_OPTION_NARROW_LABEL                                     \
    {                                                              \
        .name = "label", .kind = SR_OPTION_VALUE, .arg = "PREFIX", \
        .help = "only backups whose label begins like this count"  \
    }

/* What BACKUP may be; ends the text about a verb that takes one. */
#define SR_ABOUT_BACKUP                                                                         \
    "BACKUP is a label, a set's name, an object's key, a unique beginning of any of these, or " \
    "`latest`; STORE: before it looks in that store alone."

/* What a verb is handed. */
struct sr_cli {
    const struct sr_args *args;
    struct sr_output *out;
    const struct sr_config *cfg; /* NULL without SR_NEEDS_CONFIG */
    struct sr_context *ctx;      /* NULL without SR_NEEDS_CONTEXT */
};

/* Every verb, ended by NULL, in the order in which help lists them. */
extern const struct sr_verb *const sr_verbs[];
/* The options that every verb takes; ended by a NULL name. */
extern const struct sr_option sr_common_options[];

#endif
