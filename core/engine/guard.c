#include "config.h"
#include "core/engine/guard.h"
#include "core/util/cleanup.h"
#include "core/util/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The pattern of BACKUP_PRODUCTION_TARGETS that host/database matches, malloc'd, or NULL. */
static int matched_pattern(const struct sr_config *cfg, const char *target, char **ret,
                           struct sr_error *err)
{
    struct sr_strlist list = {0};
    int rc = sr_config_list(cfg, "BACKUP_PRODUCTION_TARGETS", &list);
    *ret = NULL;
    for (size_t i = 0; rc == SR_OK && i < list.len && !*ret; i++)
        if (sr_glob_match(list.items[i], target) && !(*ret = strdup(list.items[i])))
            rc = SR_E_NO_MEMORY;
    sr_strlist_done(&list);
    return rc == SR_OK ? rc : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
}

static void target_text(const char *host, const char *database, char out[512])
{
    (void)snprintf(out, 512, "%s/%s", !*host || *host == '/' ? "localhost" : host, database);
}

int sr_guard_check(const struct sr_config *cfg, const char *host, const char *database, int force,
                   struct sr_error *err)
{
    const char *env = sr_config_str(cfg, "ENV");
    int production = env && strcasecmp(env, "production") == 0;
    _cleanup_free_ char *matched = NULL;
    char target[512];
    target_text(host, database, target);
    int rc = matched_pattern(cfg, target, &matched, err);
    if (rc != SR_OK || !(production || matched) || (production && force))
        return rc;
    if (matched)
        return sr_fail(err, SR_E_REFUSED,
                       "refused: %s matches BACKUP_PRODUCTION_TARGETS (%s); a restore into "
                       "production needs "
                       "ENV=production and --force",
                       target, matched);
    return sr_fail(err, SR_E_REFUSED,
                   "refused: ENV=production; a restore into production (%s) needs --force as well",
                   target);
}

int sr_guard_check_named(const struct sr_config *cfg, const char *host, const char *database,
                         struct sr_error *err)
{
    _cleanup_free_ char *matched = NULL;
    char target[512];
    target_text(host, database, target);
    int rc = matched_pattern(cfg, target, &matched, err);
    return rc == SR_OK && matched
               ? sr_fail(err, SR_E_REFUSED, "refused: %s matches BACKUP_PRODUCTION_TARGETS (%s)",
                         target, matched)
               : rc;
}
