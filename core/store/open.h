/* Opening one store of a plugin that is loaded. What users write (`local,dr=s3`) is read by
 * stores.h, which calls this; tests and the plugin check call it with settings of their own. */
#ifndef SR_STORE_OPEN_H
#define SR_STORE_OPEN_H

#include "core/plugin/plugin.h"
#include "core/plugin/settings.h"
#include "core/store/store.h"

struct sr_store_spec {
    const char *name; /* of the store */
    struct sr_plugin *plugin;
    const struct sr_setting_lookup *lookup; /* copied; what ctx points at must outlive the store */
    const char *prefix;                     /* of every key; NULL: none */
    int read_only;                          /* the store is looked at only: nothing is made */
};

/* The caller closes *ret. Settings are to be checked before (sr_setting_check_all). */
int sr_store_open(const struct sr_store_spec *spec, struct sr_store_rw **ret, struct sr_error *err);

/* The handle's SR_CAP_* as the storage interface has them. */
uint64_t sr_store_plugin_caps(const struct sr_store *s);

#endif
