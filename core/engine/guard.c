#include "config.h"
#include "core/engine/guard.h"
#include "core/util/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

int sr_guard_check(const struct sr_config *cfg, const char *host, const char *database, int force,
                   struct sr_error *err)
{
    const char *env = sr_config_str(cfg, "ENV");
    int production = env && strcasecmp(env, "production") == 0;
    struct sr_strlist list = {0};
    char target[512];
    const char *matched = NULL;
    if (sr_config_list(cfg, "BACKUP_PRODUCTION_TARGETS", &list) != SR_OK)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    (void)snprintf(target, sizeof target, "%s/%s", !*host || *host == '/' ? "localhost" : host,
                   database);
    for (size_t i = 0; i < list.len && !matched; i++)
        if (sr_glob_match(list.items[i], target))
            matched = list.items[i];
    int rc = SR_OK;
    if ((production || matched) && !(production && force)) {
        if (matched)
            rc = sr_fail(err, SR_E_REFUSED,
                         "refused: %s matches BACKUP_PRODUCTION_TARGETS (%s); a restore into "
                         "production needs "
                         "ENV=production and --force",
                         target, matched);
        else
            rc = sr_fail(
                err, SR_E_REFUSED,
                "refused: ENV=production; a restore into production (%s) needs --force as well",
                target);
    }
    sr_strlist_done(&list);
    return rc;
}
