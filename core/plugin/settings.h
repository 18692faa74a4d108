/* Values of a plugin's settings, for one store.
 *
 *     struct sr_setting_view v = {"dr", "s3", table->settings, &lookup};
 *     sr_setting_check_all(&v, others, &err)         // before open: types, required, unknown names
 *     sr_setting_get(&v, "bucket", &value, &err)     // any time, any thread
 *
 * Order: BACKUP_<STORE>_<KEY>, then the well-known names of the row (for a PLACE setting only when
 * the store bears the plugin's own name), then the row's default. Set to nothing counts as unset.
 * This floor knows no configuration: names are looked up through three functions that are handed
 * in.
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
};

struct sr_setting_view {
    const char *store;                      /* "dr" */
    const char *plugin;                     /* "s3" */
    const struct sr_storage_setting *table; /* ended by a NULL key; NULL: none */
    const struct sr_setting_lookup *lookup;
};

const struct sr_storage_setting *sr_setting_row(const struct sr_setting_view *v, const char *key);

/* BACKUP_DR_BUCKET; SR_E_NO_MEMORY. malloc'd. */
int sr_setting_name(const char *store, const char *key, char **ret, struct sr_error *err);

/* The checked value in the form that plugins get it (bytes, seconds, 1/0, absolute path): malloc'd,
 * NULL when unset without default. ret_name, when not NULL: the name it came from (malloc'd; NULL:
 * a default or unset). SR_E_CONFIG names the setting, the value (unless secret) and what is
 * allowed. */
int sr_setting_get(const struct sr_setting_view *v, const char *key, char **ret, char **ret_name,
                   struct sr_error *err);

/* Every setting of the store: types, required ones, and names BACKUP_<STORE>_* that nobody knows
 * (with the nearest known one). other_stores: names of all stores, whose settings may look like
 * ours (stores dr and dr-s3); may be NULL. */
int sr_setting_check_all(const struct sr_setting_view *v, const struct sr_strlist *other_stores,
                         struct sr_error *err);

#endif
