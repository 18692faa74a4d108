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
 * Set to nothing is not set: the next lower level counts. Within a level a name beats its alias; a
 * higher level's alias beats a lower level's name. Both files have the syntax of dotenv.h.
 * Secrets and URLs may be given as NAME_FILE, the name of a file that holds the value (one newline
 * at its end is dropped).
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
    SR_TYPE_CHOICE,   /* one of choices ("gzip|zstd|none"), in any case */
    SR_TYPE_LIST,     /* comma-separated */
    SR_TYPE_PATH,
    SR_TYPE_URL,  /* may carry a password, which is masked when shown */
    SR_TYPE_DAYS, /* whole number within min..max, or "forever", which sr_config_int gives as -1 */
};

struct sr_setting {
    const char *name;
    const char *alias; /* older name, or NULL */
    enum sr_setting_type type;
    const char *fallback; /* default as text; NULL: unset */
    const char *choices;  /* for SR_TYPE_CHOICE */
    int64_t min, max;     /* for SR_TYPE_INT and _DAYS; 0,0: any */
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

/* SR_E_CONFIG for everything that is wrong with files and values; messages hold no secrets. A
 * missing file is an error when it was named, an unreadable one always. The caller frees *ret. */
int sr_config_new(const struct sr_config_options *o, struct sr_config **ret, struct sr_error *err);
void sr_config_free(struct sr_config *c); /* overwrites the values; NULL is fine */

/* Values of declared settings (asking for an undeclared name aborts: a bug). Strings are owned by
 * the config; sr_config_str gives NULL when unset without default, and a choice in the spelling of
 * its declaration. */
const char *sr_config_str(const struct sr_config *c, const char *name);
int sr_config_bool(const struct sr_config *c, const char *name);
int64_t sr_config_int(const struct sr_config *c, const char *name); /* int, size, duration */
int sr_config_is_set(const struct sr_config *c, const char *name);  /* other than by default */
enum sr_origin sr_config_origin(const struct sr_config *c, const char *name);
/* Adds the pieces of a comma-separated value to ret; nothing when it is unset. SR_OK or
 * SR_E_NO_MEMORY. */
int sr_config_list(const struct sr_config *c, const char *name, struct sr_strlist *ret);

/* For showing what counts: the value (secrets masked, NULL when unset) and where it came from:
 * "flag", "environment", ".env:12", "default", with the name added where an alias or NAME_FILE
 * brought it: "environment (RETENTION_DAYS)". Both malloc'd, the caller's. SR_OK or
 * SR_E_NO_MEMORY. */
int sr_config_describe(const struct sr_config *c, const struct sr_setting *s, char **ret_value,
                       char **ret_origin);

/* A raw name (a plugin's setting, PG*, AWS_*...): value or NULL; no alias, no default, no type.
 * NAME_FILE is read, anew at each call (rotated secrets), when no higher level sets NAME: malloc'd
 * *ret, NULL when neither is set. SR_E_CONFIG when both are set at the same level, or the file
 * cannot be read, is empty, larger than 64 KiB or holds a NUL byte. */
int sr_config_raw(const struct sr_config *c, const char *name, char **ret, struct sr_error *err);
/* value, which the raw name gave (NULL: a default), made absolute by the rule of sr_config_path;
 * malloc'd. */
int sr_config_raw_path(const struct sr_config *c, const char *name, const char *value, char **ret,
                       struct sr_error *err);
/* Where the raw name is set, at the level that counts: "environment", ".env:12"; "" when nowhere.
 */
void sr_config_raw_where(const struct sr_config *c, const char *name, char *out, size_t cap);
/* The file that gives the raw name (NAME_FILE at the level that counts): malloc'd absolute path,
 * NULL when none does. SR_E_CONFIG as for sr_config_raw. */
int sr_config_raw_file(const struct sr_config *c, const char *name, char **ret,
                       struct sr_error *err);
/* Nonzero when a flag sets name. */
int sr_config_has_flag(const struct sr_config *c, const char *name);
enum sr_origin sr_config_raw_origin(const struct sr_config *c, const char *name);
/* Adds every raw name that is set and begins with prefix to ret, which is sorted as a whole; not
 * those that a container runtime sets for a service of such a name (injected.c). SR_OK or
 * SR_E_NO_MEMORY. */
int sr_config_names(const struct sr_config *c, const char *prefix, struct sr_strlist *ret);

/* A path made absolute; malloc'd, NULL when it is unset. A relative one that a file set counts from
 * that file's folder; one from a flag or the environment from the working folder; a default from
 * the folder of the .env file or, when there is none, from the working folder. SR_E_CONFIG when the
 * working folder is gone. */
int sr_config_path(const struct sr_config *c, const char *name, char **ret, struct sr_error *err);

/* BACKUP_DIR and what strongroom itself keeps in it: BACKUP_DIR/.strongroom (locks, spool,
 * journals, audit log). malloc'd absolute paths. */
int sr_config_backup_dir(const struct sr_config *c, char **ret, struct sr_error *err);
int sr_config_state_dir(const struct sr_config *c, char **ret, struct sr_error *err);

/* Text fit to be shown: secrets as "***", passwords inside URLs replaced. malloc'd or NULL. */
char *sr_config_shown(const struct sr_setting *s, const char *value);

/* Adds to warnings what was odd in the files (a name set twice, secrets that every user may read),
 * and what is set but not understood, with the nearest known name (BACKUP_RETENTION_DAY ->
 * BACKUP_RETENTION_DAYS). Judged are BACKUP_* everywhere and every name of the configuration file;
 * settings of stores are judged by their plugins' tables, those of stores that are not in use not
 * at all: plugins are the names of plugins that exist (may be NULL). SR_OK or SR_E_NO_MEMORY. */
int sr_config_unknown(const struct sr_config *c, const struct sr_strlist *plugins,
                      struct sr_strlist *warnings);
/* The same for what flags set: what is mistyped on a command line was meant to count now. */
int sr_config_unknown_flags(const struct sr_config *c, const struct sr_strlist *plugins,
                            struct sr_strlist *ret);

#endif
