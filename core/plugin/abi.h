/* Negotiation: from what a plugin's entry returned to a struct of the host's own.
 *
 * The host copies the smaller of both sizes into a zeroed struct of its own; every row of the table
 * of settings likewise. What breaks a promise is refused with the file, the promise and both
 * numbers. Pure but for reading the plugin's memory. */
#ifndef SR_PLUGIN_ABI_H
#define SR_PLUGIN_ABI_H

#include "core/util/error.h"

#include <strongroom/storage.h>

struct sr_abi {
    struct sr_storage_plugin table;      /* size is the host's; settings points at rows */
    struct sr_storage_setting *settings; /* owned; ended by a NULL key */
    uint64_t declared_size;              /* what the plugin said of itself */
};

/* SR_E_CONFIG when the plugin is refused. from may be NULL (a promise broken). */
int sr_abi_take(const struct sr_storage_plugin *from, const char *file, struct sr_abi *ret,
                struct sr_error *err);
void sr_abi_done(struct sr_abi *a);

#endif
