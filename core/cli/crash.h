/* A crash that names the plugin it happened in.
 *
 * A plugin is tried in another process before it is loaded (core/plugin/probe.h); one that crashes
 * later takes this process with it. What can still be done is to say whose code it was. */
#ifndef SR_CLI_CRASH_H
#define SR_CLI_CRASH_H

/* Once, before plugins are loaded. Signals that somebody else (a sanitizer) handles are left. Also
 * sees to it that neither we nor our children leave a core file: it would hold secrets. */
void sr_crash_watch(void);

#endif
