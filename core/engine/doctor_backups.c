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

#define DAY 86400 /* seconds */

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

/* What retention drops and the store keeps all the same. */
static void check_lock(struct sr_doctor *d, const char *what, const struct sr_store *s,
                       const struct sr_retention_options *o)
{
    struct sr_strlist told = {0};
    int64_t seconds = 0;
    /* From the beginning of time: so long. That a store cannot lock was told with its rights. */
    if (sr_store_lock_until(s, 0, &seconds, NULL) != SR_OK)
        return;
    if (sr_retention_rules_locked(o, seconds / DAY, &told) != SR_OK)
        d->out_of_memory = 1;
    for (size_t i = 0; i < told.len; i++)
        sr_doctor_add(d, SR_DOCTOR_NOTE, what,
                      "lower LOCK_DAYS, or have retention keep for as long; what is locked already "
                      "stays until its time",
                      "%s", told.items[i]);
    sr_strlist_done(&told);
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
    check_lock(d, what.text, sr_store_ro(s), &rules.options);
    sr_strlist_done(&told);
    sr_retention_rules_done(&rules);
}

/* --- size --- */

struct night {
    uint64_t sum, largest;
    int ours; /* a backup of what this host backs up is there */
};

/* The newest set of each source, added up: what a night brings. */
static struct night night_of(const struct sr_catalog *c, const char *source)
{
    struct sr_strlist met = {0};
    struct night n = {0};
    for (size_t i = c->len; i-- > 0;) {
        const struct sr_catalog_set *set = &c->sets[i];
        if (!set->has_manifest || sr_strlist_has(&met, set->source))
            continue;
        if (sr_strlist_add(&met, set->source) != SR_OK)
            break;
        n.sum += set->data_size;
        n.largest = set->data_size > n.largest ? set->data_size : n.largest;
        n.ours |= strcmp(set->source, source) == 0;
    }
    sr_strlist_done(&met);
    return n;
}

struct words {
    char text[128];
};

/* How large, and how that is known; "newest backups" or "newest backup". */
static struct words weight(const struct sr_doctor *d, uint64_t bytes, const char *newest)
{
    struct words w;
    char size[SR_SIZE_TEXT];
    sr_format_size(bytes, size);
    if (d->estimated)
        (void)snprintf(w.text, sizeof w.text, "the next backup is estimated at %s", size);
    else
        (void)snprintf(w.text, sizeof w.text, "the newest %s %s", newest, size);
    return w;
}

/* Without an earlier backup the databases themselves are what is known. */
static void take_estimate(struct sr_doctor *d)
{
    char size[SR_SIZE_TEXT], there[SR_SIZE_TEXT];
    if (d->estimate == 0)
        return;
    d->estimated = 1;
    d->night += d->estimate;
    d->largest = d->estimate_largest > d->largest ? d->estimate_largest : d->largest;
    sr_format_size(d->estimate, size);
    sr_format_size(d->on_server, there);
    sr_doctor_add(d, SR_DOCTOR_OK, "size", NULL,
                  "no store holds an earlier backup of %s: the first is estimated at %s%s, as the "
                  "databases take %s on the server",
                  d->source, size, d->compress.kind == SR_COMPRESS_NONE ? "" : " compressed",
                  there);
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
    char holds[SR_SIZE_TEXT];
    if (part == 0 || most == 0 || __builtin_mul_overflow(part, most, &largest) ||
        largest >= d->largest)
        return;
    int fixed = sr_store_setting(sr_store_ro(s), "part_growth", &growth, NULL) == SR_OK && growth &&
                strcmp(growth, "off") == 0;
    sr_format_size(largest, holds);
    sr_doctor_add(d, fixed ? SR_DOCTOR_BLOCKER : SR_DOCTOR_NOTE, about("store", s).text,
                  "raise its PART_SIZE", "PART_SIZE times MAX_PARTS is %s, and %s%s", holds,
                  weight(d, d->largest, "backup has").text,
                  fixed ? "" : ": later parts will have to grow");
}

static void check_space(struct sr_doctor *d, const char *what, const char *folder)
{
    unsigned long long bytes = 0;
    char have[SR_SIZE_TEXT];
    if (d->night == 0 || sr_fs_free_bytes(folder, &bytes, NULL) != SR_OK || bytes >= d->night)
        return;
    sr_format_size(bytes, have);
    sr_doctor_add(d, SR_DOCTOR_BLOCKER, what, "free space there, or use another folder",
                  "%s free in %s, and %s", have, folder, weight(d, d->night, "backups have").text);
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
    int ours = 0;
    for (size_t i = 0; i < stores->len; i++) {
        struct sr_catalog *c = NULL;
        struct night n = {0};
        /* That it cannot be listed was told when its rights were tried. */
        if (sr_catalog_read(sr_store_ro(stores->items[i]), &c, NULL) == SR_OK) {
            n = night_of(c, d->source);
            sr_trust_notice(d->ctx, sr_store_ro(stores->items[i]), c);
        }
        sr_catalog_free(c);
        check_rules(d, stores->items[i], n.largest);
        d->night = n.sum > d->night ? n.sum : d->night;
        d->largest = n.largest > d->largest ? n.largest : d->largest;
        ours |= n.ours;
    }
    if (!ours)
        take_estimate(d);
    for (size_t i = 0; i < stores->len; i++) {
        _cleanup_free_ char *dir = NULL;
        check_parts(d, stores->items[i]);
        if (sr_store_setting(sr_store_ro(stores->items[i]), "dir", &dir, NULL) == SR_OK && dir)
            check_space(d, about("store", stores->items[i]).text, dir);
    }
    check_spool(d, stores);
}
