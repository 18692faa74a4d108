/* Which databases a backup takes, and the name that retention groups their sets by.
 *
 *     sr_databases_connect(cfg, pg, &given, all, &conn, &err);       // to the first of them
 *     sr_databases_list(cfg, conn, &given, all, &list, &err);
 *     name = sr_databases_source(cfg, conn, &list, all);
 *
 * given: what the command line named, maybe nothing; all: sr_databases_all. The settings say the
 * rest. Nothing here keeps anything; conn and the lists are the caller's. */
#ifndef SR_ENGINE_DATABASES_H
#define SR_ENGINE_DATABASES_H

#include "core/config/config.h"
#include "core/source/pg_conn.h"
#include "core/util/strlist.h"

/* Nonzero when BACKUP_ALL_DATABASES is what counts. */
int sr_databases_all(const struct sr_config *cfg, const struct sr_strlist *given);
/* All of them are asked for at the server's own, as pg_dumpall does, when the connection's is not
 * there. Errors as of sr_pg_connect; *ret is the caller's to close. */
int sr_databases_connect(const struct sr_config *cfg, struct sr_pg_target *pg,
                         const struct sr_strlist *given, int all, struct sr_pg_conn **ret,
                         struct sr_error *err);
/* Each once, in order. SR_E_CONFIG when there is none. ret is empty before. */
int sr_databases_list(const struct sr_config *cfg, struct sr_pg_conn *conn,
                      const struct sr_strlist *given, int all, struct sr_strlist *ret,
                      struct sr_error *err);
/* BACKUP_SOURCE_NAME, else the one database's name, else the server's host: as the operator knows
 * it, not escaped; malloc'd, NULL: no memory. */
char *sr_databases_source(const struct sr_config *cfg, const struct sr_pg_conn *conn,
                          const struct sr_strlist *list, int all);

#endif
