/* The steps of loading one file, the same in the probe and in the program itself. */
#ifndef SR_PLUGIN_ATTACH_H
#define SR_PLUGIN_ATTACH_H

#include "core/plugin/abi.h"

/* dlopen, entry, negotiation, load. step, when not NULL, is told what comes next, so that a crash
 * can be placed. The library stays in the process whatever comes back. file: absolute, checked. */
int sr_plugin_attach(const char *file, void (*step)(void *ctx, const char *what), void *ctx,
                     struct sr_abi *ret, struct sr_error *err);

#endif
