/* Settings: flag > environment > .env file > configuration file > default.
 *
 *     sr_config_new(&opts, &cfg, &err);      // reads and checks everything, once
 *     sr_config_str(cfg, "BACKUP_DIR")       // by name; the names are the contract
 *     sr_config_free(cfg);
 *
 * Every setting of core is declared once, in core/config/settings.c, as data:
 * name, type, default, alias, secret, help. Storage plugins bring their own
 * tables; their values are found here by raw name (sr_config_raw).
 * A declared setting whose value does not fit its type is an error of
 * sr_config_new that names the setting, where it came from, and what is allowed.
 * Immutable after sr_config_new: any thread may read.
 */
#ifndef SR_CONFIG_CONFIG_H
#define SR_CONFIG_CONFIG_H

#include "core/util/error.h"
#include "core/util/strlist.h"

#include <stdint.h>

enum sr_setting_type {
    SR_TYPE_STRING,
    SR_TYPE_BOOL,
    SR_TYPE_INT,      /* whole number within min..max */
    SR_TYPE_SIZE,     /* bytes, with units */
    SR_TYPE_DURATION, /* seconds, with units */
    SR_TYPE_CHOICE,   /* one of choices ("gzip|zstd|none") */
    SR_TYPE_LIST,     /* comma-separated */
    SR_TYPE_PATH,
    SR_TYPE_URL, /* may carry a password, which is masked when shown */
};

struct sr_setting {
    const char *name;
    const char *alias; /* older name, or NULL */
    enum sr_setting_type type;
    const char *fallback; /* default as text; NULL: unset */
    const char *choices;  /* for SR_TYPE_CHOICE */
    int64_t min, max;     /* for SR_TYPE_INT; 0,0: any */
    int secret;           /* masked when shown; NAME_FILE names a file that holds it */
    const char *help;     /* one line */
};

/* Every setting of core, ended by a NULL name; also what docs and completion are made of. */
extern const struct sr_setting sr_settings[];

enum sr_origin {
    SR_ORIGIN_DEFAULT,
    SR_ORIGIN_FILE,
    SR_ORIGIN_DOTENV,
    SR_ORIGIN_ENVIRONMENT,
    SR_ORIGIN_FLAG,
};

struct sr_config_options {
    const char *config_file;        /* --config; NULL: /etc/strongroom.conf if there */
    const char *env_file;           /* --env-file; NULL: ./.env if there */
    const struct sr_strlist *flags; /* NAME=VALUE, from the command line; may be NULL */
    char *const *environ_;          /* the environment; NULL: environ */
};

struct sr_config;

int sr_config_new(const struct sr_config_options *o, struct sr_config **ret, struct sr_error *err);
void sr_config_free(struct sr_config *c);

/* Values of declared settings (asking for an undeclared name aborts: a bug). Strings are owned by
 * the config; sr_config_str gives NULL when unset without default or set to nothing. */
const char *sr_config_str(const struct sr_config *c, const char *name);
int sr_config_bool(const struct sr_config *c, const char *name);
int64_t sr_config_int(const struct sr_config *c, const char *name); /* int, size, duration */
int sr_config_is_set(const struct sr_config *c, const char *name);  /* other than by default */
enum sr_origin sr_config_origin(const struct sr_config *c, const char *name);

/* A raw name (a plugin's setting, PG*, AWS_*...): value or NULL. NAME_FILE is read, anew at each
 * call (rotated secrets), when NAME itself is not set: malloc'd *ret, NULL when neither is.
 * SR_E_CONFIG when both are set at the same level or the file cannot be read. */
int sr_config_raw(const struct sr_config *c, const char *name, char **ret, struct sr_error *err);
enum sr_origin sr_config_raw_origin(const struct sr_config *c, const char *name);
/* Every raw name that is set and begins with prefix, sorted. */
int sr_config_names(const struct sr_config *c, const char *prefix, struct sr_strlist *ret);

/* A path made absolute: relative ones count from the folder of the .env file that set them or, when
 * there is none, from the working folder. malloc'd. */
int sr_config_path(const struct sr_config *c, const char *name, char **ret, struct sr_error *err);

/* BACKUP_DIR and what strongroom itself keeps in it: BACKUP_DIR/.strongroom (locks, spool,
 * journals, audit log). malloc'd absolute paths. */
int sr_config_backup_dir(const struct sr_config *c, char **ret, struct sr_error *err);
int sr_config_state_dir(const struct sr_config *c, char **ret, struct sr_error *err);

/* Text fit to be shown: secrets as "***", passwords inside URLs replaced. malloc'd or NULL. */
char *sr_config_shown(const struct sr_setting *s, const char *value);

/* Writes into warnings what is set but not understood, with the nearest known name
 * (BACKUP_RETENTION_DAY -> BACKUP_RETENTION_DAYS); plugin tables are judged in core/store. */
int sr_config_unknown(const struct sr_config *c, struct sr_strlist *warnings);

#endif
