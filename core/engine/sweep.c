#include "config.h"
#include "core/engine/sweep.h"
#include "core/catalog/catalog.h"
#include "core/engine/audit.h"
#include "core/engine/journal.h"
#include "core/util/cleanup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sweep {
    struct sr_context *ctx;
    const struct sr_stores *stores;
    uint64_t older_than;
    int dry_run;
    struct sr_sweep_result *result;
    const char *store;      /* whose plugin is sweeping */
    struct sr_strlist dead; /* stores that a dead run wrote to */
    struct sr_strlist live; /* sets that a run on this host is writing now */
    int64_t now;            /* UTC seconds, taken before live */
    int rc;
    struct sr_error error; /* the first failure; the rest goes on */
};

static void sweep_failed(struct sweep *s, const struct sr_error *e)
{
    if (s->rc == SR_OK) {
        s->rc = e->code;
        s->error = *e;
    }
}

static void sweep_note(struct sweep *s, const char *store, const char *key, uint64_t size,
                       const char *why)
{
    struct sr_sweep_result *r = s->result;
    struct sr_swept *items = reallocarray(r->items, r->len + 1, sizeof *items);
    if (!items)
        return; /* what was swept is swept; only its line is lost */
    r->items = items;
    items[r->len] = (struct sr_swept){strdup(store), strdup(key), size, strdup(why)};
    if (!items[r->len].store || !items[r->len].key || !items[r->len].why) {
        free(items[r->len].store);
        free(items[r->len].key);
        free(items[r->len].why);
        return;
    }
    r->len++;
    if (!s->dry_run)
        sr_audit_event(s->ctx->audit, "db_backup_swept", "trigger", s->ctx->trigger, "store", store,
                       "key", key, "why", why, NULL);
}

/* Keys that begin with a set's name, copied: deleting while listing would disturb some stores. */
struct found {
    struct sr_strlist keys;
    int has_manifest;
    const char *set;
    int failed;
};

static int found_emit(void *ctx, const struct sr_store_entry *entry)
{
    struct found *f = ctx;
    struct sr_key_parts parts;
    sr_key_parse(entry->key, &parts);
    if (parts.kind == SR_KEY_OTHER || strcmp(parts.set, f->set) != 0)
        return 0;
    if (parts.kind == SR_KEY_MANIFEST)
        f->has_manifest = 1;
    f->failed = sr_strlist_add(&f->keys, entry->key) != SR_OK;
    return f->failed;
}

static int remove_key(struct sweep *s, struct sr_store_rw *store, const char *key, const char *why)
{
    struct sr_error e = SR_ERROR_INIT;
    enum sr_store_deletion how = SR_DELETION_DONE;
    if (!s->dry_run && sr_store_delete(store, key, &how, NULL, &e) != SR_OK) {
        sweep_failed(s, &e);
        return 0;
    }
    sweep_note(s, sr_store_name(sr_store_ro(store)), key, 0, why);
    return 1;
}

/* Everything that a dead run left of its set, unless a manifest made it a backup after all.
 * Nonzero: clear. */
static int sweep_set(struct sweep *s, struct sr_store_rw *store, const char *set)
{
    struct found f = {.set = set};
    struct sr_error e = SR_ERROR_INIT;
    int clear = 1;
    if (sr_store_list(sr_store_ro(store), set, NULL, found_emit, &f, &e) != SR_OK) {
        sweep_failed(s, &e);
        clear = 0;
    } else if (f.failed) {
        clear = 0;
    } else if (!f.has_manifest) {
        for (size_t i = 0; i < f.keys.len; i++)
            clear &= remove_key(s, store, f.keys.items[i], "left by a run that was cut off");
    }
    sr_strlist_done(&f.keys);
    return clear;
}

static int dead_journal(void *ctx, const struct sr_journal_entry *entry)
{
    struct sweep *s = ctx;
    int clear = 1;
    for (size_t i = 0; i < entry->stores.len; i++) {
        struct sr_store_rw *store = sr_stores_find(s->stores, entry->stores.items[i]);
        (void)sr_strlist_add(&s->dead, entry->stores.items[i]); /* not noted: swept by age */
        clear &= store ? sweep_set(s, store, entry->set) : 0;   /* not opened now: another time */
    }
    if (clear)
        sweep_note(s, "", entry->path, 0, "journal of a run that was cut off");
    return clear && !s->dry_run;
}

static int upload_emit(void *ctx, const struct sr_store_entry *entry)
{
    struct sweep *s = ctx;
    sweep_note(s, s->store, entry->key, entry->size, "unfinished upload");
    return 0;
}

/* Objects of ours that no manifest covers, whatever run left them, once they are old. */
struct orphan_scan {
    struct sweep *s;
    struct sr_strlist keys, covered; /* covered: sets with a manifest, sorted after the listing */
    int64_t before;                  /* UTC seconds: modified earlier than this is old */
    int failed;
};

static int orphan_emit(void *ctx, const struct sr_store_entry *entry)
{
    struct orphan_scan *o = ctx;
    struct sr_key_parts parts;
    sr_key_parse(entry->key, &parts);
    if (parts.kind == SR_KEY_MANIFEST)
        o->failed |= sr_strlist_add(&o->covered, parts.set) != SR_OK;
    /* Only names that nothing else could have made: a digest or a time in the set's name, so that
     * dumps of other scripts (app.sql.gz) are never taken for ours. */
    else if (parts.kind != SR_KEY_OTHER && entry->modified > 0 && entry->modified < o->before) {
        char label[SR_SET_MAX];
        int64_t time = -1;
        sr_set_split(parts.set, label, &time);
        if (((parts.kind == SR_KEY_OBJECT && *parts.sha256 && time >= 0) ||
             parts.kind == SR_KEY_DETAIL || parts.kind == SR_KEY_SUMS) &&
            !sr_strlist_has(&o->s->live, parts.set))
            o->failed |= sr_strlist_add(&o->keys, entry->key) != SR_OK;
    }
    return o->failed;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, *(char *const *)b);
}

static void sweep_orphans(struct sweep *s, struct sr_store_rw *store)
{
    struct orphan_scan o = {.s = s};
    struct sr_error e = SR_ERROR_INIT;
    o.before = s->now - (int64_t)s->older_than;
    if (sr_store_list(sr_store_ro(store), "", NULL, orphan_emit, &o, &e) != SR_OK) {
        sweep_failed(s, &e);
    } else if (!o.failed) {
        sr_strlist_sort(&o.covered);
        for (size_t i = 0; i < o.keys.len; i++) {
            struct sr_key_parts parts;
            sr_key_parse(o.keys.items[i], &parts);
            if (!o.covered.len || !bsearch(parts.set, o.covered.items, o.covered.len,
                                           sizeof *o.covered.items, by_text))
                remove_key(s, store, o.keys.items[i], "old, and no manifest names it");
        }
    }
    sr_strlist_done(&o.keys);
    sr_strlist_done(&o.covered);
}

/* How old an unfinished upload must be. One of a run that is known to be dead need not wait, where
 * the store can tell it from those of the living. */
static uint64_t upload_age(const struct sweep *s, struct sr_store_rw *store)
{
    int sure = (sr_store_caps(sr_store_ro(store)) & SR_STORE_CAP_SURE_SWEEP) != 0;
    return sure && sr_strlist_has(&s->dead, s->store) ? 0 : s->older_than;
}

int sr_sweep_run(struct sr_context *ctx, const struct sr_stores *stores, uint64_t older_than,
                 int dry_run, struct sr_sweep_result *ret, struct sr_error *err)
{
    struct sweep s = {
        .ctx = ctx, .stores = stores, .older_than = older_than, .dry_run = dry_run, .result = ret};
    _cleanup_free_ char *state = NULL;
    int rc = sr_config_state_dir(ctx->cfg, &state, err);
    s.now = sr_clock_now(ctx->clock); /* what runs that begin after the next line make is younger */
    if (rc == SR_OK)
        rc = sr_journal_live(state, &s.live, err);
    if (rc == SR_OK)
        rc = sr_journal_dead(state, dead_journal, &s, err);
    for (size_t i = 0; rc == SR_OK && i < stores->len; i++) {
        struct sr_error e = SR_ERROR_INIT;
        s.store = sr_store_name(sr_store_ro(stores->items[i]));
        if (sr_store_sweep(stores->items[i], upload_age(&s, stores->items[i]), dry_run, upload_emit,
                           &s, &e) != SR_OK)
            sweep_failed(&s, &e);
        sweep_orphans(&s, stores->items[i]);
        rc = sr_context_check(ctx, err);
    }
    sr_strlist_done(&s.dead);
    sr_strlist_done(&s.live);
    if (rc == SR_OK && s.rc != SR_OK)
        rc = sr_error_copy(err, &s.error);
    return rc;
}

void sr_sweep_result_done(struct sr_sweep_result *r)
{
    for (size_t i = 0; i < r->len; i++) {
        free(r->items[i].store);
        free(r->items[i].key);
        free(r->items[i].why);
    }
    free(r->items);
    *r = (struct sr_sweep_result){0};
}
