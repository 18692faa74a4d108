/* Trying a plugin in a child process first.
 *
 * strongroom-probe FILE (pkglibexecdir, beside strongroom-child) does everything that loading does
 * up to the end of `load`, and says on a descriptor of its own how far it got. A constructor or a
 * `load` that crashes, exits or hangs takes that process down and not this one; one that writes to
 * the standard output or replaces a standard stream, which would spoil what strongroom prints, is
 * found out. What a plugin does to memory afterwards cannot be contained.
 */
#ifndef SR_PLUGIN_PROBE_H
#define SR_PLUGIN_PROBE_H

#include "core/util/error.h"

#define SR_PROBE_DEADLINE_MS 10000

/* SR_OK, or SR_E_CONFIG with the file, the step it was at and what happened to the child. */
int sr_plugin_probe(const char *file, int deadline_ms, struct sr_error *err);

#endif
