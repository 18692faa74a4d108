/* What the files about settings of stores share. */
#ifndef SR_PLUGIN_SETTINGS_PRIVATE_H
#define SR_PLUGIN_SETTINGS_PRIVATE_H

#include "core/plugin/settings.h"

/* A value as it was written. */
struct sr_setting_raw {
    const struct sr_storage_setting *row;
    const char *name; /* that gave it; NULL: the default */
    const char *text;
};

/* Checks r against the type of its row and brings it into the form that plugins get: malloc'd.
 * SR_E_CONFIG as for sr_setting_get. */
int sr_setting_convert(const struct sr_setting_view *v, const struct sr_setting_raw *r, char **ret,
                       struct sr_error *err);

/* " (environment)", or nothing where that is unknown. */
#define SR_SETTING_WHERE_MAX 512
void sr_setting_where(const struct sr_setting_view *v, const char *name,
                      char out[SR_SETTING_WHERE_MAX]);

/* Overwrites and frees; NULL is fine. */
void sr_setting_wipe(char *value);

#endif
