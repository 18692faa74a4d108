/* Plugins: found, probed, loaded, and never unloaded.
 *
 *     sr_plugin_load("s3", search_path, &p, &err);     // or an absolute path
 *     sr_plugin_table(p)->open(...)                    // through core/store only
 *
 * A plugin is looked for as <folder>/<name>.so in the folders of search_path (the operator's
 * BACKUP_PLUGIN_PATH: absolute, colon-separated) and then in the installation's plugin folder;
 * never in the working folder. File and folders must belong to root or to us and be writable by
 * nobody else. It is first loaded by a child process with a deadline (probe.h), so that one that
 * hangs or crashes while loading costs a message; only then into this process.
 *
 * dlopen is a thing of the whole process, so what was loaded is remembered for the whole process:
 * asking again for the same file gives the same struct, and `load` runs once. Any thread.
 */
#ifndef SR_PLUGIN_PLUGIN_H
#define SR_PLUGIN_PLUGIN_H

#include "core/util/error.h"
#include "core/util/strlist.h"

#include <strongroom/storage.h>

#define SR_PLUGIN_NAME_MAX 32 /* bytes of a plugin's or store's name */

struct sr_plugin;

/* which: a name, or an absolute path of a file. SR_E_CONFIG: not found (says where was looked and
 * the nearest name), refused by a check, or breaking a promise (names file, promise and both
 * numbers). *ret lives as long as the process. */
int sr_plugin_load(const char *which, const char *search_path, struct sr_plugin **ret,
                   struct sr_error *err);

/* The host's own copy, in the host's size: slots that the plugin does not have are NULL. */
const struct sr_storage_plugin *sr_plugin_table(const struct sr_plugin *p);
const char *sr_plugin_file(const struct sr_plugin *p); /* absolute */

/* Counts an open handle against max_handles; SR_E_BUSY names the limit. */
int sr_plugin_handle_take(struct sr_plugin *p, struct sr_error *err);
void sr_plugin_handle_give(struct sr_plugin *p);

/* Everything in the search path that looks like a plugin, for people: what can be loaded, and what
 * was refused and why. Shadowed names (found again further down the path) are refused entries. */
struct sr_plugin_found {
    char *name;               /* from the file's name */
    char *file;               /* absolute */
    struct sr_plugin *plugin; /* NULL: refused */
    char *reason;             /* why; NULL unless refused */
};
struct sr_plugin_survey {
    struct sr_plugin_found *items; /* sorted by name */
    size_t len;
    struct sr_strlist folders; /* that were looked into, in order; a missing one has " (missing)" */
};
int sr_plugin_survey_make(const char *search_path, struct sr_plugin_survey *ret,
                          struct sr_error *err);
void sr_plugin_survey_done(struct sr_plugin_survey *s);

/* "late-key", "ranges", ... of each bit of caps, in bit order; names are static. Returns how many
 * were put into out. Bits without a name are left out. */
size_t sr_plugin_cap_names(uint64_t caps, const char **out, size_t cap);
/* "path", "size", ... of SR_STORAGE_TYPE_*: the words of docs/settings.md. */
const char *sr_plugin_type_name(uint64_t type);

#endif
