/* pg_dump, pg_dumpall, pg_restore and psql: which binary, which version.
 *
 * A tool fits a server when its major version is the same or, failing that, the nearest newer.
 * An explicitly set path (BACKUP_PGDUMP_PATH, BACKUP_PGRESTORE_PATH) is obeyed or refused, never
 * replaced; pg_dumpall is then the one beside pg_dump. Searched: PATH, then the places where
 * distributions keep several majors side by side. Debian's wrapper script in PATH is passed over:
 * it would choose a version by rules of its own, and the signal that ends a child with us would
 * reach the script alone. Any thread. */
#ifndef SR_SOURCE_PG_TOOLS_H
#define SR_SOURCE_PG_TOOLS_H

#include "core/util/error.h"

struct sr_config;

enum sr_pg_tool_kind {
    SR_PG_DUMP,
    SR_PG_DUMPALL,
    SR_PG_RESTORE,
    SR_PG_PSQL,
};

struct sr_pg_tool {
    char *path;
    int version; /* 150020 */
    char version_text[32];
};

/* server_version as sr_pg_server_version gives it; 0: any, the newest wins. SR_E_CONFIG
 * names the Debian package to install, or the path that is set and both versions. psql and
 * pg_restore may be older than the server when nothing better is there. */
int sr_pg_tool_find(const struct sr_config *cfg, enum sr_pg_tool_kind kind, int server_version,
                    struct sr_pg_tool *ret, struct sr_error *err);
/* Reads "pg_dump (PostgreSQL) 15.20 (Debian ...)"; SR_E_CONFIG when it is something else. */
int sr_pg_tool_version_parse(const char *text, struct sr_pg_tool *ret);
void sr_pg_tool_done(struct sr_pg_tool *t);

#endif
