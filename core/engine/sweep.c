#include "config.h"
#include "core/engine/sweep_private.h"
#include "core/engine/audit.h"
#include "core/engine/claim.h"
#include "core/engine/journal.h"
#include "core/engine/restore_test.h"
#include "core/util/cleanup.h"
#include "core/util/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sr_sweep_failed(struct sr_sweep *s, const struct sr_error *e)
{
    if (s->rc == SR_OK) {
        s->rc = e->code;
        s->error = *e;
    }
}

static void sweep_note(struct sr_sweep *s, const char *store, const char *key, uint64_t size,
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

static int leftovers_emit(void *ctx, const struct sr_store_entry *entry)
{
    struct sr_leftovers *l = ctx;
    struct sr_key_parts parts;
    int rc = SR_OK;
    sr_key_parse(entry->key, &parts);
    if (parts.kind == SR_KEY_OTHER ||
        (strcmp(parts.set, l->set) != 0 && !sr_key_belongs(entry->key, l->set)))
        return 0;
    int64_t changed = entry->modified > 0 ? entry->modified : INT64_MAX;
    if (changed > l->youngest)
        l->youngest = changed;
    /* Of another set whose name goes on after a dot, only data may be ours: a database part. */
    if (parts.kind == SR_KEY_OBJECT)
        rc = sr_strlist_add(&l->keys, entry->key);
    else if (strcmp(parts.set, l->set) != 0)
        return 0;
    else if (parts.kind == SR_KEY_MANIFEST)
        rc = sr_strlist_add(&l->manifests, parts.source);
    else if (parts.kind == SR_KEY_PRUNING)
        rc = sr_strlist_add(&l->prunings, parts.source);
    else if (parts.kind == SR_KEY_HOLD)
        rc = sr_strlist_add(&l->holds, parts.source);
    else if (parts.kind == SR_KEY_CLAIM)
        l->claimed = 1;
    else
        rc = sr_strlist_add(&l->keys, entry->key);
    l->failed = rc != SR_OK;
    return l->failed;
}

int sr_leftovers_read(struct sr_sweep *s, struct sr_store_rw *store, const char *set,
                      struct sr_leftovers *ret)
{
    struct sr_error e = SR_ERROR_INIT;
    *ret = (struct sr_leftovers){.set = set};
    if (sr_store_list(sr_store_ro(store), set, NULL, leftovers_emit, ret, &e) != SR_OK) {
        sr_sweep_failed(s, &e);
        ret->failed = 1;
    }
    return !ret->failed;
}

void sr_leftovers_done(struct sr_leftovers *l)
{
    sr_strlist_done(&l->keys);
    sr_strlist_done(&l->manifests);
    sr_strlist_done(&l->prunings);
    sr_strlist_done(&l->holds);
}

int sr_sweep_manifest(struct sr_sweep *s, struct sr_store_rw *store, const char *set,
                      const char *source)
{
    struct sr_error e = SR_ERROR_INIT;
    char key[SR_KEY_MAX];
    int rc = sr_beside_key(set, source, "manifest.json", key, sizeof key, &e);
    if (rc == SR_OK)
        rc = sr_store_stat(sr_store_ro(store), key, NULL, NULL, &e);
    if (rc == SR_OK)
        sr_log(SR_LOG_WARN,
               "store %s has %s, which its listing did not show; nothing of it is swept",
               sr_store_name(sr_store_ro(store)), key);
    else if (rc != SR_E_NOT_FOUND)
        sr_sweep_failed(s, &e);
    return rc == SR_OK ? 1 : rc == SR_E_NOT_FOUND ? 0 : -1;
}

int sr_sweep_remove(struct sr_sweep *s, struct sr_store_rw *store, const char *key, const char *why)
{
    struct sr_error e = SR_ERROR_INIT;
    enum sr_store_deletion how = SR_DELETION_DONE;
    if (!s->dry_run && sr_store_delete(store, key, &how, NULL, &e) != SR_OK) {
        sr_sweep_failed(s, &e);
        return 0;
    }
    if (how == SR_DELETION_LOCKED) {
        sr_log(SR_LOG_VERBOSE, "store %s keeps %s locked; it is swept later",
               sr_store_name(sr_store_ro(store)), key);
        return 0;
    }
    sweep_note(s, sr_store_name(sr_store_ro(store)), key, 0, why);
    return 1;
}

/* --- journals of dead runs --- */

static const char cut_off[] = "left by a run that was cut off";

/* A journal of an older version tells the set and not whose objects under its name are: only the
 * age can say that nobody is writing them. Nonzero: nothing more is to be done. */
static int sweep_old_journal(struct sr_sweep *s, struct sr_store_rw *store,
                             const struct sr_journal_entry *entry)
{
    struct sr_leftovers l;
    const char *set = entry->set;
    int clear = sr_leftovers_read(s, store, set, &l);
    int there = clear && !l.manifests.len ? sr_sweep_manifest(s, store, set, entry->source) : 1;
    clear &= there >= 0;
    if (clear && there == 0 && !l.manifests.len && !l.claimed && !l.prunings.len && !l.holds.len) {
        int old = l.youngest < s->now - (int64_t)s->older_than;
        for (size_t i = 0; i < l.keys.len; i++) {
            struct sr_key_parts parts;
            sr_key_parse(l.keys.items[i], &parts);
            if (strcmp(parts.set, set) == 0)
                clear &= old && sr_sweep_remove(s, store, l.keys.items[i], cut_off);
        }
    }
    sr_leftovers_done(&l);
    return clear;
}

/* Is the set in this store the dead run's own? 1, 0, or -1 when that cannot be found out now. */
static int is_its_own(struct sr_sweep *s, struct sr_store_rw *store,
                      const struct sr_journal_entry *entry, const char *claim)
{
    struct sr_mark m = {.kind = SR_KEY_OTHER};
    struct sr_error e = SR_ERROR_INIT;
    int rc = sr_mark_fetch(sr_store_ro(store), claim, entry->set, &m, &e);
    int own = rc == SR_OK && m.kind == SR_KEY_CLAIM && strcmp(m.run, entry->run) == 0;
    sr_mark_done(&m);
    if (rc == SR_OK || rc == SR_E_NOT_FOUND || rc == SR_E_CORRUPT || rc == SR_E_UNSUPPORTED)
        return own;
    sr_sweep_failed(s, &e);
    return -1;
}

/* What a dead run left of its set in one store, unless a manifest made it a backup after all. It
 * wrote nothing before it had its claim there. Nonzero: clear. */
static int sweep_journal(struct sr_sweep *s, struct sr_store_rw *store,
                         const struct sr_journal_entry *entry)
{
    struct sr_leftovers l;
    char claim[SR_KEY_MAX];
    if (!*entry->run)
        return sweep_old_journal(s, store, entry);
    if (sr_claim_key(entry->set, claim, sizeof claim, NULL) != SR_OK)
        return 1;
    int clear = sr_leftovers_read(s, store, entry->set, &l);
    if (clear && l.claimed && !l.manifests.len) {
        int own = is_its_own(s, store, entry, claim);
        int there = own > 0 ? sr_sweep_manifest(s, store, entry->set, entry->source) : 0;
        clear = own >= 0 && there >= 0;
        if (there != 0)
            own = 0;
        for (size_t i = 0; own > 0 && i < entry->keys.len; i++)
            if (sr_strlist_has(&l.keys, entry->keys.items[i]))
                clear &= sr_sweep_remove(s, store, entry->keys.items[i], cut_off);
        if (own > 0 && clear)
            clear = sr_sweep_remove(s, store, claim, cut_off);
    }
    sr_leftovers_done(&l);
    return clear;
}

static int dead_journal(void *ctx, const struct sr_journal_entry *entry)
{
    struct sr_sweep *s = ctx;
    int clear = 1;
    for (size_t i = 0; i < entry->stores.len; i++) {
        struct sr_store_rw *store = sr_stores_find(s->stores, entry->stores.items[i]);
        (void)sr_strlist_add(&s->dead, entry->stores.items[i]); /* not noted: swept by age */
        clear &= store ? sweep_journal(s, store, entry) : 0;    /* not opened now: another time */
    }
    if (clear)
        sweep_note(s, "", entry->path, 0, "journal of a run that was cut off");
    return clear && !s->dry_run;
}

/* --- unfinished uploads --- */

static int upload_emit(void *ctx, const struct sr_store_entry *entry)
{
    struct sr_sweep *s = ctx;
    sweep_note(s, s->store, entry->key, entry->size, "unfinished upload");
    return 0;
}

/* How old an unfinished upload must be. One of a run that is known to be dead need not wait, where
 * the store can tell it from those of the living. */
static uint64_t upload_age(const struct sr_sweep *s, struct sr_store_rw *store)
{
    int sure = (sr_store_caps(sr_store_ro(store)) & SR_STORE_CAP_SURE_SWEEP) != 0;
    return sure && sr_strlist_has(&s->dead, s->store) ? 0 : s->older_than;
}

/* --- scratch databases --- */

static void sweep_tests(struct sr_sweep *s)
{
    struct sr_strlist removed = {0};
    struct sr_error e = SR_ERROR_INIT;
    if (sr_restore_test_sweep(s->ctx, s->dry_run, &removed, &e) != SR_OK)
        sr_sweep_failed(s, &e);
    for (size_t i = 0; i < removed.len; i++)
        sweep_note(s, "", removed.items[i], 0, "left by a restore test that died");
    sr_strlist_done(&removed);
}

int sr_sweep_run(struct sr_context *ctx, const struct sr_stores *stores, uint64_t older_than,
                 int dry_run, struct sr_sweep_result *ret, struct sr_error *err)
{
    struct sr_sweep s = {
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
            sr_sweep_failed(&s, &e);
        sr_sweep_old(&s, stores->items[i]);
        rc = sr_context_check(ctx, err);
    }
    if (rc == SR_OK)
        sweep_tests(&s);
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
