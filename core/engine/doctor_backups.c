/* What the stores hold already tells about tonight: how large a backup is, whether it fits, and
 * what retention's rules make of each other. */
#include "config.h"
#include "core/catalog/catalog.h"
#include "core/engine/doctor_private.h"
#include "core/engine/retention_rules.h"
#include "core/engine/trust.h"
#include "core/util/cleanup.h"
#include "core/util/fs.h"
#include "core/util/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct what {
    char text[96];
};

static struct what about(const char *kind, const struct sr_store_rw *s)
{
    struct what w;
    const struct sr_store *ro = sr_store_ro((struct sr_store_rw *)(uintptr_t)s);
    (void)snprintf(w.text, sizeof w.text, "%s %s", kind, sr_store_name(ro));
    return w;
}

/* --- retention --- */

/* MIN_KEEP and the budget can contradict each other only by what sets weigh. */
static void check_budget(struct sr_doctor *d, const char *what, uint64_t newest,
                         const struct sr_retention_options *o)
{
    char size[SR_SIZE_TEXT], budget[SR_SIZE_TEXT];
    uint64_t floor;
    if (o->size == 0 || newest == 0)
        return;
    if (__builtin_mul_overflow(newest, (uint64_t)(o->min_keep ? o->min_keep : 1), &floor))
        floor = UINT64_MAX;
    if (floor <= o->size)
        return;
    sr_format_size(newest, size);
    sr_format_size(o->size, budget);
    sr_doctor_add(
        d, SR_DOCTOR_NOTE, what, "raise SIZE, or lower MIN_KEEP",
        "SIZE=%s cannot be kept: the newest backup has %s, and MIN_KEEP=%zu keeps as many", budget,
        size, o->min_keep);
}

static void check_rules(struct sr_doctor *d, struct sr_store_rw *s, uint64_t newest)
{
    struct sr_retention_rules rules = {0};
    struct sr_strlist told = {0};
    struct sr_error e = SR_ERROR_INIT;
    const struct what what = about("retention of store", s);
    if (sr_retention_rules_read(d->ctx->cfg, sr_store_ro(s), &rules, &e) != SR_OK) {
        sr_doctor_add(d, SR_DOCTOR_BLOCKER, what.text, NULL, "%s", e.text);
        return;
    }
    if (sr_retention_rules_conflicts(&rules.options, &told) != SR_OK)
        d->out_of_memory = 1;
    for (size_t i = 0; i < told.len; i++)
        sr_doctor_add(d, SR_DOCTOR_NOTE, what.text, "see BACKUP_RETENTION_* and BACKUP_<STORE>_*",
                      "%s", told.items[i]);
    check_budget(d, what.text, newest, &rules.options);
    sr_strlist_done(&told);
    sr_retention_rules_done(&rules);
}

/* --- size --- */

/* The newest set of each source, added up: what a night brings. */
static uint64_t night_of(const struct sr_catalog *c, uint64_t *ret_largest)
{
    struct sr_strlist met = {0};
    uint64_t sum = 0;
    *ret_largest = 0;
    for (size_t i = c->len; i-- > 0;) {
        const struct sr_catalog_set *set = &c->sets[i];
        if (!set->has_manifest || sr_strlist_has(&met, set->source))
            continue;
        if (sr_strlist_add(&met, set->source) != SR_OK)
            break;
        sum += set->data_size;
        *ret_largest = set->data_size > *ret_largest ? set->data_size : *ret_largest;
    }
    sr_strlist_done(&met);
    return sum;
}

static uint64_t number_of(struct sr_store_rw *s, const char *key)
{
    _cleanup_free_ char *text = NULL;
    return sr_store_setting(sr_store_ro(s), key, &text, NULL) == SR_OK && text
               ? strtoull(text, NULL, 10)
               : 0;
}

/* Stores that take objects in parts take so many of them. */
static void check_parts(struct sr_doctor *d, struct sr_store_rw *s)
{
    _cleanup_free_ char *growth = NULL;
    uint64_t part = number_of(s, "part_size"), most = number_of(s, "max_parts"), largest;
    char need[SR_SIZE_TEXT], holds[SR_SIZE_TEXT];
    if (part == 0 || most == 0 || __builtin_mul_overflow(part, most, &largest) ||
        largest >= d->largest)
        return;
    int fixed = sr_store_setting(sr_store_ro(s), "part_growth", &growth, NULL) == SR_OK && growth &&
                strcmp(growth, "off") == 0;
    sr_format_size(d->largest, need);
    sr_format_size(largest, holds);
    sr_doctor_add(d, fixed ? SR_DOCTOR_BLOCKER : SR_DOCTOR_NOTE, about("store", s).text,
                  "raise its PART_SIZE",
                  "PART_SIZE times MAX_PARTS is %s, and the newest backup has %s%s", holds, need,
                  fixed ? "" : ": later parts will have to grow");
}

static void check_space(struct sr_doctor *d, const char *what, const char *folder)
{
    unsigned long long bytes = 0;
    char have[SR_SIZE_TEXT], need[SR_SIZE_TEXT];
    if (d->night == 0 || sr_fs_free_bytes(folder, &bytes, NULL) != SR_OK || bytes >= d->night)
        return;
    sr_format_size(bytes, have);
    sr_format_size(d->night, need);
    sr_doctor_add(d, SR_DOCTOR_BLOCKER, what, "free space there, or use another folder",
                  "%s free in %s, and the newest backups have %s", have, folder, need);
}

static void check_spool(struct sr_doctor *d, const struct sr_stores *stores)
{
    _cleanup_free_ char *spool = NULL;
    int needed = 0;
    /* A store that wants the name first is fed from a spool. */
    for (size_t i = 0; i < stores->len; i++)
        needed |= !(sr_store_caps(sr_store_ro(stores->items[i])) & SR_STORE_CAP_LATE_KEY);
    if (!needed || sr_config_path(d->ctx->cfg, "BACKUP_SPOOL_DIR", &spool, NULL) != SR_OK ||
        (!spool && sr_config_state_dir(d->ctx->cfg, &spool, NULL) != SR_OK))
        return;
    check_space(d, "spool", spool);
}

void sr_doctor_backups(struct sr_doctor *d, const struct sr_stores *stores)
{
    for (size_t i = 0; i < stores->len; i++) {
        struct sr_catalog *c = NULL;
        uint64_t largest = 0, night = 0;
        /* That it cannot be listed was told when its rights were tried. */
        if (sr_catalog_read(sr_store_ro(stores->items[i]), &c, NULL) == SR_OK) {
            night = night_of(c, &largest);
            sr_trust_notice(d->ctx, sr_store_ro(stores->items[i]), c);
        }
        sr_catalog_free(c);
        check_rules(d, stores->items[i], largest);
        d->night = night > d->night ? night : d->night;
        d->largest = largest > d->largest ? largest : d->largest;
    }
    for (size_t i = 0; i < stores->len; i++) {
        _cleanup_free_ char *dir = NULL;
        check_parts(d, stores->items[i]);
        if (sr_store_setting(sr_store_ro(stores->items[i]), "dir", &dir, NULL) == SR_OK && dir)
            check_space(d, about("store", stores->items[i]).text, dir);
    }
    check_spool(d, stores);
}
