/* What a store's settings demand of whoever writes backups into it. */
#include "config.h"
#include "core/store/store_private.h"

#include <stdlib.h>
#include <string.h>

#define DAY 86400

int sr_store_check_encryption(const struct sr_store *s, const char *what, const char *encryption,
                              struct sr_error *err)
{
    char *value = NULL, *name = NULL;
    if (strcmp(encryption, "none") != 0)
        return SR_OK;
    int rc = sr_store_setting(s, "require_encryption", &value, err);
    if (rc == SR_OK && value && strcmp(value, "1") == 0)
        rc = sr_setting_name(s->name, "require_encryption", &name, err);
    if (rc == SR_OK && name)
        rc = sr_fail(err, SR_E_CONFIG,
                     "store %s takes nothing that is not encrypted (%s), and %s is not", s->name,
                     name, what);
    free(name);
    free(value);
    return rc;
}

int sr_store_lock_until(const struct sr_store *s, int64_t now, int64_t *ret, struct sr_error *err)
{
    char *value = NULL, *name = NULL;
    int64_t days = 0;
    *ret = 0;
    if (sr_setting_is_plugins(&s->view, "lock_days"))
        return SR_OK;
    int rc = sr_store_setting(s, "lock_days", &value, err);
    if (rc == SR_OK && value)
        days = strtoll(value, NULL, 10); /* checked when the store was opened */
    if (rc == SR_OK && days > 0 && !(s->caps & SR_CAP_LOCK) &&
        (rc = sr_setting_name(s->name, "lock_days", &name, err)) == SR_OK)
        rc =
            sr_fail(err, SR_E_CONFIG,
                    "store %s cannot keep a backup from being deleted (%s is %s), and a copy "
                    "without the lock that is counted on is none: %s was made without object lock, "
                    "or these credentials may not ask; unset %s to go on without",
                    s->name, name, value, s->place, name);
    if (rc == SR_OK && days > 0)
        *ret = now + days * DAY;
    free(name);
    free(value);
    return rc;
}
