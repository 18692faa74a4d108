/* Which plugin the calling thread is in, for whoever must say so when it crashes there.
 *
 *     const char *before = sr_plugin_inside_set(file);   // ... code of the plugin runs ...
 *     (void)sr_plugin_inside_set(before);
 *
 * A thread that a plugin has started is in none. Both may be called by a signal handler. */
#ifndef SR_PLUGIN_INSIDE_H
#define SR_PLUGIN_INSIDE_H

/* file must stay valid until the next set on this thread; NULL: in none. Returns what was set. */
const char *sr_plugin_inside_set(const char *file);
const char *sr_plugin_inside(void); /* NULL: in none */

#endif
