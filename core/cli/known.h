/* Every setting there is, core's and those of the configured stores as their plugins declare them,
 * with the values that count: what `config` shows and completion offers.
 *
 *     sr_known_each(cfg, emit, ctx, &err);
 */
#ifndef SR_CLI_KNOWN_H
#define SR_CLI_KNOWN_H

#include "core/config/config.h"

#include <strongroom/storage.h>

struct sr_known {
    const char *name;     /* BACKUP_DR_BUCKET */
    const char *store;    /* NULL: core's */
    const char *kind;     /* "whole number 1 to 9", "size": words of docs/settings.md */
    const char *choices;  /* "auto|path|virtual", or NULL */
    const char *fallback; /* the default; NULL: none */
    const char *names;    /* other names it answers to, blanks between them; NULL: none */
    const char *since;    /* the plugin's version it came in; NULL: unknown, or core's */
    const char *help;     /* NULL: none */
    int secret, required, is_path, is_bool;
    int has_file;      /* NAME_FILE is read */
    const char *value; /* fit to be shown: secrets masked; NULL: unset, or wrong */
    const char
        *origin; /* "environment", ".env:12", "default", with the name where another gave it */
};

/* Calls emit for each, core's first; strings are valid during the call only. A store whose plugin
 * cannot be loaded is warned about and left out: the other settings are of use all the same. What
 * is wrong with the settings of a store is returned as SR_E_CONFIG, the first one, after everything
 * was emitted. Another result of emit than SR_OK ends it. */
int sr_known_each(const struct sr_config *cfg,
                  int (*emit)(void *ctx, const struct sr_known *k, struct sr_error *err), void *ctx,
                  struct sr_error *err);

/* "choice", "size 5 MiB to 5 GiB", "secret": what a row of a plugin's table takes. */
#define SR_KIND_MAX 96
void sr_known_kind(const struct sr_storage_setting *row, char out[SR_KIND_MAX]);

#endif
