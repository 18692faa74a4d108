/* Where plugins are looked for, and which files may be loaded at all. */
#ifndef SR_PLUGIN_SEARCH_H
#define SR_PLUGIN_SEARCH_H

#include "core/util/error.h"
#include "core/util/strlist.h"

/* The folders, first to last: those of path (colon-separated, each absolute: SR_E_CONFIG), then the
 * installation's. path may be NULL. A process with borrowed privileges (setuid) looks into the
 * installation's folder alone. */
int sr_plugin_folders(const char *path, struct sr_strlist *ret, struct sr_error *err);

/* The file for which (a name, or an absolute path): malloc'd, absolute, links resolved, and allowed
 * by sr_plugin_file_check. SR_E_CONFIG. */
int sr_plugin_find(const char *which, const char *path, char **ret, struct sr_error *err);

/* Adds the names of what looks like a plugin in these folders, each once, and sorts ret. Nothing is
 * loaded or judged: for suggestions. SR_E_CONFIG for a path that is not absolute. */
int sr_plugin_names(const char *path, struct sr_strlist *ret, struct sr_error *err);

/* file with its links resolved (malloc'd), when it is a regular file and it, every folder and every
 * link on the way to it belong to root or to the user we run as and nobody else may write them (a
 * sticky folder such as /tmp may be written, what is in it must be ours). A way through /proc is
 * refused: what is there differs by process. SR_E_DENIED, SR_E_CONFIG, SR_E_NOT_FOUND.
 *
 * By path, and dlopen takes the resolved path afterwards: by these rules only root and the user we
 * run as could change it in between, who need no such trick. A descriptor (/proc/self/fd/N) would
 * cost more than it gives: the linker's messages and debuggers would no longer name the file, and
 * $ORIGIN in its RUNPATH would no longer be its folder. */
int sr_plugin_file_resolve(const char *file, char **ret, struct sr_error *err);
/* The same, for its verdict alone. */
int sr_plugin_file_check(const char *file, struct sr_error *err);

/* [a-z][a-z0-9-]*, at most SR_PLUGIN_NAME_MAX bytes: nonzero when so. */
int sr_plugin_name_ok(const char *name);

#endif
