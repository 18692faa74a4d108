#include "config.h"
#include "core/engine/retention_rules.h"
#include "core/util/cleanup.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reading {
    const struct sr_config *cfg;
    const struct sr_store *store;
    struct sr_error *err;
    int rc;
};

/* "BACKUP_RETENTION_DAYS" from "retention_days". */
static void general_name(const char *key, char out[64])
{
    (void)snprintf(out, 64, "BACKUP_%s", key);
    for (char *p = out; *p; p++)
        *p = (char)toupper((unsigned char)*p);
}

/* The store's own value, malloc'd, or NULL. */
static char *own_text(struct reading *r, const char *key)
{
    char *text = NULL;
    if (r->rc == SR_OK && r->store)
        r->rc = sr_store_setting(r->store, key, &text, r->err);
    return text;
}

static int64_t number(struct reading *r, const char *key)
{
    char name[64];
    _cleanup_free_ char *own = own_text(r, key);
    general_name(key, name);
    return own ? strtoll(own, NULL, 10) : sr_config_int(r->cfg, name);
}

static char *text(struct reading *r, const char *key)
{
    char name[64];
    char *own = own_text(r, key);
    general_name(key, name);
    const char *general = own ? NULL : sr_config_str(r->cfg, name);
    if (r->rc != SR_OK || own)
        return own;
    char *copy = strdup(general ? general : "");
    if (!copy)
        r->rc = sr_fail(r->err, SR_E_NO_MEMORY, "out of memory");
    return copy;
}

static void zone_read(struct reading *r, struct sr_zone **ret)
{
    _cleanup_free_ char *name = text(r, "retention_timezone");
    if (r->rc == SR_OK && (r->rc = sr_zone_load(name, ret, r->err)) != SR_OK)
        (void)sr_error_wrap(r->err, "BACKUP_RETENTION_TIMEZONE");
}

static void critical_read(struct reading *r, struct sr_strlist *ret)
{
    _cleanup_free_ char *labels = text(r, "retention_critical_labels");
    if (r->rc == SR_OK && sr_strlist_split(ret, labels, ',') != SR_OK)
        r->rc = sr_fail(r->err, SR_E_NO_MEMORY, "out of memory");
}

int sr_retention_rules_read(const struct sr_config *cfg, const struct sr_store *store,
                            struct sr_retention_rules *ret, struct sr_error *err)
{
    struct reading r = {.cfg = cfg, .store = store, .err = err};
    struct sr_retention_rules rules = {
        .options = {.days = number(&r, "retention_days"),
                    .min_keep = (size_t)number(&r, "retention_min_keep"),
                    .critical_days = number(&r, "retention_critical_days"),
                    .last = (size_t)number(&r, "retention_last"),
                    .tiers = {[SR_TIER_DAILY] = number(&r, "retention_daily"),
                              [SR_TIER_WEEKLY] = number(&r, "retention_weekly"),
                              [SR_TIER_MONTHLY] = number(&r, "retention_monthly"),
                              [SR_TIER_YEARLY] = number(&r, "retention_yearly")},
                    .size = (uint64_t)number(&r, "retention_size"),
                    .hold_gaps = !sr_config_bool(cfg, "BACKUP_RETENTION_TRUST_CLOCK")}};
    zone_read(&r, &rules.zone);
    critical_read(&r, &rules.critical);
    if (r.rc != SR_OK) {
        sr_retention_rules_done(&rules);
        return r.rc;
    }
    *ret = rules;
    ret->options.critical = &ret->critical;
    ret->options.zone = ret->zone;
    return SR_OK;
}

void sr_retention_rules_done(struct sr_retention_rules *r)
{
    sr_strlist_done(&r->critical);
    sr_zone_free(r->zone);
    *r = (struct sr_retention_rules){0};
}

/* Never more than the days that a tier keeps: the shortest month, the shortest year. */
static int64_t tier_days(const struct sr_retention_options *o, int tier)
{
    static const int64_t days[SR_TIERS] = {1, 7, 31, 366};
    return o->tiers[tier] * days[tier];
}

int sr_retention_rules_conflicts(const struct sr_retention_options *o, struct sr_strlist *ret)
{
    static const char *const words[SR_TIERS] = {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"};
    int rc = SR_OK;
    for (int t = 0; rc == SR_OK && t < SR_TIERS; t++) {
        if (o->tiers[t] <= 0)
            continue;
        if (o->days <= 0)
            rc = sr_strlist_addf(ret, "%s=%lld does nothing: DAYS=0 keeps everything for ever",
                                 words[t], (long long)o->tiers[t]);
        else if (tier_days(o, t) <= o->days)
            rc = sr_strlist_addf(ret, "%s=%lld does nothing: DAYS=%lld keeps all of that anyway",
                                 words[t], (long long)o->tiers[t], (long long)o->days);
        for (int s = 0; rc == SR_OK && s < t; s++)
            if (o->days > 0 && o->tiers[s] > 0 && tier_days(o, t) > o->days &&
                tier_days(o, t) <= tier_days(o, s))
                rc = sr_strlist_addf(ret, "%s=%lld does nothing: %s=%lld keeps a set for longer",
                                     words[t], (long long)o->tiers[t], words[s],
                                     (long long)o->tiers[s]);
    }
    if (rc == SR_OK && o->last > 0 && o->days <= 0)
        rc = sr_strlist_addf(ret, "LAST=%zu does nothing: DAYS=0 keeps everything for ever",
                             o->last);
    else if (rc == SR_OK && o->last > 0 && o->last <= o->min_keep)
        rc = sr_strlist_addf(ret, "LAST=%zu does nothing: MIN_KEEP=%zu keeps these anyway", o->last,
                             o->min_keep);
    if (rc == SR_OK && o->critical_days > 0 && o->days > 0 && o->critical_days <= o->days)
        rc = sr_strlist_addf(ret,
                             "CRITICAL_DAYS=%lld does nothing: DAYS=%lld keeps every set as long",
                             (long long)o->critical_days, (long long)o->days);
    return rc;
}

int sr_retention_rules_locked(const struct sr_retention_options *o, int64_t lock_days,
                              struct sr_strlist *ret)
{
    int rc = SR_OK;
    if (lock_days <= 0)
        return SR_OK;
    if (o->days > 0 && o->days < lock_days)
        rc = sr_strlist_addf(ret,
                             "LOCK_DAYS=%lld keeps for longer than DAYS=%lld: what is dropped in "
                             "between stays, and is paid for, until it is %lld days old",
                             (long long)lock_days, (long long)o->days, (long long)lock_days);
    if (rc == SR_OK && o->size > 0)
        rc = sr_strlist_addf(ret,
                             "SIZE cannot be kept by deleting what is younger than LOCK_DAYS=%lld: "
                             "the store lets nothing go before",
                             (long long)lock_days);
    return rc;
}
