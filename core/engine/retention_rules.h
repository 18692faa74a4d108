/* The rules of retention as the settings give them: BACKUP_<STORE>_RETENTION_* where that is set,
 * else BACKUP_RETENTION_*.
 *
 *     struct sr_retention_rules rules = {0};
 *     sr_retention_rules_read(cfg, store, &rules, &err);
 *     sr_retention_judge(inputs, n, now, &rules.options, verdicts, &err);
 *     sr_retention_rules_done(&rules);
 *
 * options points into the struct, which therefore stays where it is. */
#ifndef SR_ENGINE_RETENTION_RULES_H
#define SR_ENGINE_RETENTION_RULES_H

#include "core/config/config.h"
#include "core/engine/retention_policy.h"
#include "core/store/store.h"

struct sr_retention_rules {
    struct sr_retention_options options;
    struct sr_strlist critical;
    struct sr_zone *zone;
};

/* store NULL: those for all stores. SR_E_CONFIG names the setting (a time zone that does not
 * exist); *ret is then as before. */
int sr_retention_rules_read(const struct sr_config *cfg, const struct sr_store *store,
                            struct sr_retention_rules *ret, struct sr_error *err);
void sr_retention_rules_done(struct sr_retention_rules *r);

/* Adds one text to ret for each rule that another one makes pointless. SR_OK or SR_E_NO_MEMORY. */
int sr_retention_rules_conflicts(const struct sr_retention_options *o, struct sr_strlist *ret);
/* The same for what these rules drop while the store itself keeps it: for lock_days from when it
 * was stored (0: it locks nothing). */
int sr_retention_rules_locked(const struct sr_retention_options *o, int64_t lock_days,
                              struct sr_strlist *ret);

#endif
