/* Values of a plugin's settings, for one store.
 *
 *     struct sr_setting_view v = {"dr", "s3", table->settings, &lookup};
 *     sr_setting_check_all(&v, others, &err)         // before open: types, required, unknown names
 *     sr_setting_get(&v, "bucket", &value, NULL, &err)     // any time, any thread
 *
 * Order: BACKUP_<STORE>_<KEY>, then the well-known names of the row (for a PLACE setting only when
 * the store bears the plugin's own name), then the row's default. Set to nothing counts as unset.
 * Credentials are a group: once a store has one secret under a name of its own, the well-known
 * names of its other secrets no longer count, so that a session token from the environment never
 * joins a key pair that it does not belong to.
 * This floor knows no configuration: names are looked up through functions that are handed in.
 */
#ifndef SR_PLUGIN_SETTINGS_H
#define SR_PLUGIN_SETTINGS_H

#include "core/util/error.h"
#include "core/util/strlist.h"

#include <strongroom/storage.h>

/* All may be called from any thread. */
struct sr_setting_lookup {
    void *ctx;
    /* The value of an environment-style name, or of the file that NAME_FILE names (read anew):
     * malloc'd *ret, NULL when unset. */
    int (*get)(void *ctx, const char *name, char **ret, struct sr_error *err);
    /* value, which name gave (NULL: a default), made absolute; malloc'd. */
    int (*path)(void *ctx, const char *name, const char *value, char **ret, struct sr_error *err);
    /* Adds every name that is set and begins with prefix. */
    int (*names)(void *ctx, const char *prefix, struct sr_strlist *ret);
    /* Where name is set, for messages: "environment", ".env:12"; "" when it is not. NULL: nobody
     * can tell. */
    void (*where)(void *ctx, const char *name, char *out, size_t cap);
};

struct sr_setting_view {
    const char *store;                      /* "dr" */
    const char *plugin;                     /* "s3" */
    const struct sr_storage_setting *table; /* ended by a NULL key; NULL: none */
    const struct sr_setting_lookup *lookup;
};

/* A type of the host's rows alone: a number of days, or "forever", which arrives as -1. */
#define SR_SETTING_TYPE_DAYS (UINT64_C(1) << 63)

/* What every store can be told whatever its plugin: the host's own rows, ended by a NULL key. */
extern const struct sr_storage_setting sr_setting_host_rows[];
/* Nonzero when no plugin may declare key: it is the host's, or of a family that is kept for rows to
 * come. (A row of the host that the interface does not keep is the plugin's where the plugin has
 * one of that key.) */
int sr_setting_is_hosts(const char *key);

/* The plugin's row for key, or the host's; NULL: neither has one. */
/* Nonzero when the plugin declares this key itself: it is then the plugin's. */
int sr_setting_is_plugins(const struct sr_setting_view *v, const char *key);
const struct sr_storage_setting *sr_setting_row(const struct sr_setting_view *v, const char *key);

/* BACKUP_DR_BUCKET; SR_E_NO_MEMORY. malloc'd. */
int sr_setting_name(const char *store, const char *key, char **ret, struct sr_error *err);

/* The checked value in the form that plugins get it (bytes, seconds, 1/0, absolute path, a choice
 * as it is declared): malloc'd, NULL when unset without default; the caller overwrites secrets.
 * ret_name, when not NULL: the name it came from (malloc'd; NULL: a default or unset). SR_E_CONFIG
 * names the setting, the value (unless secret) and what is allowed. */
int sr_setting_get(const struct sr_setting_view *v, const char *key, char **ret, char **ret_name,
                   struct sr_error *err);

/* Adds one text to ret for everything that is wrong with the settings of the store: names
 * BACKUP_<STORE>_* that nobody knows (with the nearest known one), wrong types, required ones that
 * are missing. other_stores: names of all stores, whose settings may look like ours (stores dr and
 * dr-s3); may be NULL. SR_OK whatever was found; SR_E_NO_MEMORY. */
int sr_setting_problems(const struct sr_setting_view *v, const struct sr_strlist *other_stores,
                        struct sr_strlist *ret, struct sr_error *err);
/* The first of these as SR_E_CONFIG, with the number of the others. */
int sr_setting_check_all(const struct sr_setting_view *v, const struct sr_strlist *other_stores,
                         struct sr_error *err);

#endif
