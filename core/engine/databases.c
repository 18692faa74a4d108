#include "config.h"
#include "core/engine/databases.h"

#include <string.h>
#include <unistd.h>

int sr_databases_all(const struct sr_config *cfg, const struct sr_strlist *given)
{
    return given->len == 0 && sr_config_bool(cfg, "BACKUP_ALL_DATABASES");
}

int sr_databases_connect(const struct sr_config *cfg, struct sr_pg_target *pg,
                         const struct sr_strlist *given, int all, struct sr_pg_conn **ret,
                         struct sr_error *err)
{
    struct sr_strlist list = {0};
    struct sr_error first = SR_ERROR_INIT;
    int rc = SR_OK;
    if (!all && given->len == 0)
        rc = sr_config_list(cfg, "BACKUP_DATABASES", &list);
    const struct sr_strlist *from = given->len > 0 ? given : &list;
    const char *named = !all && from->len > 0 ? from->items[0] : NULL;
    if (rc == SR_OK)
        rc = sr_pg_connect(pg, named, ret, &first);
    else
        sr_fail(&first, rc, "out of memory");
    if (rc != SR_OK && all && sr_pg_connect(pg, "postgres", ret, NULL) == SR_OK)
        rc = SR_OK;
    if (rc != SR_OK)
        sr_error_copy(err, &first);
    sr_strlist_done(&list);
    return rc;
}

int sr_databases_list(const struct sr_config *cfg, struct sr_pg_conn *conn,
                      const struct sr_strlist *given, int all, struct sr_strlist *ret,
                      struct sr_error *err)
{
    int rc = SR_OK;
    if (all)
        rc = sr_pg_databases(conn, ret, err);
    else if (given->len > 0)
        rc = sr_strlist_copy(ret, given);
    else
        rc = sr_config_list(cfg, "BACKUP_DATABASES", ret);
    if (rc == SR_OK && ret->len == 0 && !all)
        rc = sr_strlist_add(ret, sr_pg_database(conn));
    if (rc == SR_E_NO_MEMORY)
        return sr_fail(err, rc, "out of memory");
    if (rc != SR_OK)
        return rc;
    for (size_t i = 0; i < ret->len; i++)
        for (size_t j = i + 1; j < ret->len;)
            if (strcmp(ret->items[i], ret->items[j]) == 0)
                sr_strlist_remove(ret, j);
            else
                j++;
    return ret->len > 0
               ? SR_OK
               : sr_fail(err, SR_E_CONFIG,
                         "no database to back up: the server has none that allows connections");
}

char *sr_databases_source(const struct sr_config *cfg, const struct sr_pg_conn *conn,
                          const struct sr_strlist *list, int all)
{
    const char *name = sr_config_str(cfg, "BACKUP_SOURCE_NAME");
    char host[256] = "local";
    if (!name)
        name = list->len == 1 && !all ? list->items[0] : sr_pg_host(conn);
    if (!*name || *name == '/') { /* several databases over a local socket: this host */
        if (gethostname(host, sizeof host - 1) != 0)
            memcpy(host, "local", 6);
        name = host;
    }
    return strdup(name);
}
