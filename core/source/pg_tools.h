/* pg_dump, pg_dumpall, pg_restore and psql: which binary, which version.
 *
 * A tool fits a server when its major version is the same or, failing that, the nearest newer.
 * An explicitly set path (BACKUP_PGDUMP_PATH, BACKUP_PGRESTORE_PATH) is obeyed or refused, never
 * replaced. Searched: PATH, then /usr/lib/postgresql/N/bin, /usr/pgsql-N/bin, /opt/... */
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

/* server_version as sr_pg_server_version gives it; 0: any, the newest wins. SR_E_NOT_FOUND names
 * the Debian package to install. */
int sr_pg_tool_find(const struct sr_config *cfg, enum sr_pg_tool_kind kind, int server_version,
                    struct sr_pg_tool *ret, struct sr_error *err);
void sr_pg_tool_done(struct sr_pg_tool *t);

#endif
