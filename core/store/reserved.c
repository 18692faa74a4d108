#include "config.h"
#include "core/store/reserved.h"
#include "core/config/config.h"

#include <ctype.h>
#include <string.h>

/* Families that core keeps for itself, also where no setting of theirs exists yet: a name that a
 * store has today must not become a setting tomorrow. */
static const char *const families[] = {
    "BACKUP_ALERT_*",       "BACKUP_ALL_*",       "BACKUP_API_*",       "BACKUP_AUDIT_*",
    "BACKUP_COMPRESSION_*", "BACKUP_DATABASE_*",  "BACKUP_DATABASES_*", "BACKUP_DIR_*",
    "BACKUP_ENCRYPTION_*",  "BACKUP_EXCLUDE_*",   "BACKUP_FORMAT_*",    "BACKUP_GLOBALS_*",
    "BACKUP_GPG_*",         "BACKUP_HTTP_*",      "BACKUP_INCLUDE_*",   "BACKUP_JOBS_*",
    "BACKUP_KEY_*",         "BACKUP_LABEL_*",     "BACKUP_LOCK_*",      "BACKUP_LOG_*",
    "BACKUP_METRICS_*",     "BACKUP_MIN_*",       "BACKUP_MAX_*",       "BACKUP_NOTIFICATION_*",
    "BACKUP_PGDUMP_*",      "BACKUP_PGRESTORE_*", "BACKUP_PLUGIN_*",    "BACKUP_PRODUCTION_*",
    "BACKUP_PSQL_*",        "BACKUP_REDIS_*",     "BACKUP_RESTORE_*",   "BACKUP_RETENTION_*",
    "BACKUP_SCHEDULE_*",    "BACKUP_SCHEMA_*",    "BACKUP_SOURCE_*",    "BACKUP_SPOOL_*",
    "BACKUP_STALL_*",       "BACKUP_STORAGE_*",   "BACKUP_STORE_*",     "BACKUP_STORES_*",
    "BACKUP_STREAM_*",      "BACKUP_SWEEP_*",     "BACKUP_SYNC_*",      "BACKUP_TRACE_*",
    "BACKUP_USER_*",        "BACKUP_VERIFY_*",    "BACKUP_WAL_*",       "BACKUP_IP_*",
};

/* Nonzero when setting is BACKUP_<NAME> or begins with BACKUP_<NAME>_. */
static int collides(const char *setting, const char *name)
{
    static const char start[] = "BACKUP_";
    size_t n = sizeof start - 1;
    if (strncmp(setting, start, n) != 0)
        return 0;
    const char *s = setting + n;
    for (; *name; name++, s++)
        if (*s != (*name == '-' ? '_' : (char)toupper((unsigned char)*name)))
            return 0;
    return *s == '\0' || *s == '_';
}

const char *sr_store_name_reserved(const char *name)
{
    for (const struct sr_setting *s = sr_settings; s->name; s++) {
        if (collides(s->name, name))
            return s->name;
        if (s->alias && collides(s->alias, name))
            return s->alias;
    }
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (collides(families[i], name))
            return families[i];
    return NULL;
}
