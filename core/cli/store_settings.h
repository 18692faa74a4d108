/* Settings of the configured stores, as their plugins declare them, with the values that count. */
#ifndef SR_CLI_STORE_SETTINGS_H
#define SR_CLI_STORE_SETTINGS_H

#include "core/config/config.h"

struct sr_store_setting {
    const char *name;   /* BACKUP_DR_BUCKET */
    const char *value;  /* fit to be shown: secrets masked; NULL: unset */
    const char *origin; /* "environment", with the name where a well-known one gave it */
    const char *help;
};

/* Calls emit for every setting of every store of BACKUP_STORAGE_ADAPTER; strings are valid during
 * the call only. A store whose plugin cannot be loaded is warned about and left out: the other
 * settings are of use all the same. SR_E_CONFIG for a value that does not fit. */
int sr_store_settings_each(const struct sr_config *cfg,
                           int (*emit)(void *ctx, const struct sr_store_setting *s,
                                       struct sr_error *err),
                           void *ctx, struct sr_error *err);

/* "flag", "environment", ".env", "configuration file", "default". */
const char *sr_origin_name(enum sr_origin origin);

#endif
