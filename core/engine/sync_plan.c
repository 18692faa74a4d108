/* What a sync has to do, as far as names, sizes and the stores' own checksums tell. */
#include "config.h"
#include "core/catalog/rung.h"
#include "core/engine/retention_judge.h"
#include "core/engine/sync_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sr_sync_say(struct sr_sync_item *it, enum sr_sync_outcome outcome, const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        text = NULL;
    va_end(ap);
    it->outcome = outcome;
    free(it->reason);
    it->reason = text;
}

/* --- what is in both --- */

struct comparing {
    const struct sr_sync *s;
    enum sr_rung suspect;
    int differs;
};

enum sr_rung sr_sync_suspect(const struct sr_sync *s, const struct sr_catalog_set *set)
{
    const struct sr_catalog_set *to = sr_sync_side_set(&s->to, set->set, set->source, 1);
    struct sr_strlist own = {0};
    struct sr_standing standing;
    char key[SR_KEY_MAX];
    int rc = SR_OK;
    for (size_t i = 0; to && rc == SR_OK && i < to->proofs.len; i++) {
        struct sr_proof_name n;
        const char *suffix = to->proofs.items[i];
        if (sr_proof_name_read(suffix, &n) != SR_OK)
            continue;
        /* Of stored bytes each store speaks for itself. */
        int shared = n.failed && n.rung > SR_RUNG_REREAD &&
                     sr_beside_key(set->set, set->source, suffix, key, sizeof key, NULL) == SR_OK &&
                     sr_sync_find(&s->from.index, key, NULL);
        if (!shared)
            rc = sr_strlist_add(&own, suffix);
    }
    sr_standing_of(&own, s->now, &standing);
    sr_strlist_done(&own);
    return rc == SR_OK ? standing.failed : SR_RUNG_REREAD; /* no memory: nothing is believed */
}

int sr_sync_stays(const char *key, enum sr_key_kind kind, enum sr_rung suspect)
{
    struct sr_key_parts parts;
    struct sr_proof_name n;
    if (kind != SR_KEY_PROOF)
        return 0;
    sr_key_parse(key, &parts);
    if (sr_proof_name_read(parts.suffix, &n) != SR_OK)
        return 0;
    return n.failed ? n.rung <= SR_RUNG_REREAD : suspect != SR_RUNG_NONE;
}

static int compare_key(void *ctx, const struct sr_sync_entry *e, enum sr_key_kind kind)
{
    struct comparing *c = ctx;
    struct sr_sync_entry there;
    if (!sr_sync_find(&c->s->to.index, e->key, &there))
        c->differs = !sr_sync_stays(e->key, kind, c->suspect);
    else /* of a hold or a proof it only matters that it is there */
        c->differs = kind != SR_KEY_HOLD && kind != SR_KEY_PROOF && sr_sync_same(e, &there) == 0;
    return c->differs;
}

/* Nonzero when the listings differ in anything that belongs to the set. */
static int differs(const struct sr_sync *s, const struct sr_catalog_set *set)
{
    struct comparing c = {.s = s, .suspect = sr_sync_suspect(s, set)};
    struct sr_sync_entry from, to;
    char key[SR_KEY_MAX];
    if (sr_beside_key(set->set, set->source, "manifest.json", key, sizeof key, NULL) != SR_OK ||
        !sr_sync_find(&s->from.index, key, &from) || !sr_sync_find(&s->to.index, key, &to) ||
        sr_sync_same(&from, &to) == 0 || c.suspect != SR_RUNG_NONE)
        return 1;
    sr_sync_each_key(&s->from.index, set->set, set->source, compare_key, &c);
    return c.differs;
}

/* --- what TO's retention says of what it would hold --- */

/* The sets of TO and those that would come, in the order of a catalogue; they belong to the
 * catalogues. */
struct merged {
    const struct sr_catalog_set **sets;
    size_t len;
    struct sr_retention_verdict *verdicts; /* of each */
};

static int by_time(const void *a, const void *b)
{
    const struct sr_catalog_set *x = *(const struct sr_catalog_set *const *)a,
                                *y = *(const struct sr_catalog_set *const *)b;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    int c = strcmp(x->set, y->set);
    return c ? c : strcmp(x->source, y->source);
}

static int merge(const struct sr_sync *s, struct merged *ret, struct sr_error *err)
{
    const struct sr_catalog *from = s->from.catalog, *to = s->to.catalog;
    ret->sets = calloc(from->len + to->len + 1, sizeof *ret->sets);
    if (!ret->sets)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < to->len; i++)
        /* What a sync that was cut off left of a set that comes now is not judged beside it. */
        if (to->sets[i].has_manifest ||
            !sr_sync_side_set(&s->from, to->sets[i].set, to->sets[i].source, 0))
            ret->sets[ret->len++] = &to->sets[i];
    for (size_t i = 0; i < from->len; i++)
        if (from->sets[i].has_manifest &&
            !sr_sync_side_set(&s->to, from->sets[i].set, from->sets[i].source, 0))
            ret->sets[ret->len++] = &from->sets[i];
    if (ret->len > 1)
        qsort(ret->sets, ret->len, sizeof *ret->sets, by_time);
    return sr_retention_judge_sets(s->ctx, s->to.store, ret->sets, ret->len, s->now, &ret->verdicts,
                                   err);
}

static void merged_done(struct merged *m)
{
    free(m->sets);
    free(m->verdicts);
}

/* The verdict on one of the merged sets, or NULL. */
static const struct sr_retention_verdict *verdict_on(const struct merged *m,
                                                     const struct sr_catalog_set *set)
{
    const struct sr_catalog_set **at = bsearch(&set, m->sets, m->len, sizeof *m->sets, by_time);
    return at ? &m->verdicts[at - m->sets] : NULL;
}

/* --- what may go --- */

/* What is never deleted of a source, found once. */
struct sr_sync_source {
    char source[SR_SOURCE_MAX];
    const struct sr_catalog_set *ours, *theirs; /* the newest in FROM and TO */
    const struct sr_catalog_set *proven;        /* in TO */
};

static const struct sr_catalog_set *newest_of(const struct sr_catalog *c, const char *source,
                                              int64_t now)
{
    for (size_t i = c->len; i-- > 0;)
        if (c->sets[i].has_manifest && c->sets[i].time > 0 && c->sets[i].time <= now &&
            strcmp(c->sets[i].source, source) == 0)
            return &c->sets[i];
    return NULL;
}

/* Of those that stand highest on the ladder the newest. */
static const struct sr_catalog_set *most_proven_of(const struct sr_catalog *c, const char *source,
                                                   int64_t at)
{
    const struct sr_catalog_set *best = NULL;
    enum sr_rung rung = SR_RUNG_STORED;
    for (size_t i = c->len; i-- > 0;) {
        struct sr_standing now;
        if (!c->sets[i].has_manifest || strcmp(c->sets[i].source, source) != 0)
            continue;
        sr_standing_of(&c->sets[i].proofs, at, &now);
        if (now.rung > rung) {
            best = &c->sets[i];
            rung = now.rung;
        }
    }
    return best;
}

static const struct sr_sync_source *source_of(struct sr_sync *s, const char *source)
{
    for (size_t i = s->sources_len; i-- > 0;)
        if (strcmp(s->sources[i].source, source) == 0)
            return &s->sources[i];
    struct sr_sync_source *all = reallocarray(s->sources, s->sources_len + 1, sizeof *all);
    if (!all)
        return NULL;
    s->sources = all;
    struct sr_sync_source *now = &all[s->sources_len++];
    (void)snprintf(now->source, sizeof now->source, "%s", source);
    now->ours = newest_of(s->from.catalog, source, s->now);
    now->theirs = newest_of(s->to.catalog, source, s->now);
    now->proven = most_proven_of(s->to.catalog, source, s->now);
    return now;
}

/* Why the set must stay whatever retention says; "" where nothing speaks against it. */
static void objection(struct sr_sync *s, const struct sr_catalog_set *set, char *out, size_t cap)
{
    const struct sr_sync_source *of = source_of(s, set->source);
    *out = '\0';
    if (!of)
        (void)snprintf(out, cap, "out of memory");
    else if (!of->ours)
        (void)snprintf(out, cap, "%s holds no backup of %s", s->from.name, set->source);
    else if (!of->theirs || !sr_sync_side_set(&s->from, of->theirs->set, of->theirs->source, 0))
        (void)snprintf(out, cap, "the newest backup of %s in %s is not in %s", set->source,
                       s->to.name, s->from.name);
    else if (set == of->proven)
        (void)snprintf(out, cap, "it is the most proven of %s", set->source);
}

/* A set that TO alone holds. */
static void plan_gone(struct sr_sync *s, const struct sr_catalog_set *set,
                      const struct sr_retention_verdict *v, struct sr_sync_work *w,
                      struct sr_sync_item *it)
{
    char why[256];
    objection(s, set, why, sizeof why);
    if (*why)
        sr_sync_say(it, SR_SYNC_KEPT, "not in %s, but %s", s->from.name, why);
    else if (!v || v->keep)
        sr_sync_say(it, SR_SYNC_KEPT, "not in %s, but %s", s->from.name,
                    v ? v->reason : "not judged");
    else {
        w->todo = SR_SYNC_GONE;
        it->bytes = set->data_size;
        sr_sync_say(it, SR_SYNC_DELETED, "not in %s, and %s", s->from.name, v->reason);
    }
}

/* Something is wrong where most of a store is to go: a wrong bucket, a store that was emptied. */
static int share_check(const struct sr_sync *s, struct sr_error *err)
{
    int64_t most = sr_config_int(s->ctx->cfg, "BACKUP_SYNC_MAX_DELETE");
    size_t gone = 0, held = 0, ours = 0;
    for (size_t i = 0; i < s->result->len; i++)
        gone += s->work[i].todo == SR_SYNC_GONE;
    for (size_t i = 0; i < s->to.catalog->len; i++)
        held += s->to.catalog->sets[i].has_manifest != 0;
    for (size_t i = 0; i < s->from.catalog->len; i++)
        ours += s->from.catalog->sets[i].has_manifest != 0;
    if (held > 0 && ours == 0)
        return sr_fail(err, SR_E_REFUSED,
                       "store %s holds no backup at all, so nothing is deleted in %s: is it the "
                       "right place?",
                       s->from.name, s->to.name);
    if ((double)gone * 100 <= (double)held * (double)most)
        return SR_OK;
    return sr_fail(
        err, SR_E_REFUSED,
        "%zu of the %zu backups in store %s would be deleted, more than the %lld percent "
        "of BACKUP_SYNC_MAX_DELETE; nothing was done. Look with --dry-run, and raise it "
        "for one run (--set BACKUP_SYNC_MAX_DELETE=100) if they are meant to go",
        gone, held, s->to.name, (long long)most);
}

/* --- all of it --- */

static void item_of(struct sr_sync_item *it, const struct sr_catalog_set *set)
{
    memcpy(it->set, set->set, sizeof it->set);
    memcpy(it->source, set->source, sizeof it->source);
    it->time = set->time;
}

static void plan_set(const struct sr_sync *s, const struct sr_catalog_set *set,
                     const struct merged *merged, struct sr_sync_work *w, struct sr_sync_item *it)
{
    item_of(it, set);
    w->from = set;
    w->to = sr_sync_side_set(&s->to, set->set, set->source, 0);
    if (w->to) {
        w->todo = s->o->reread || differs(s, set) ? SR_SYNC_INSPECT : SR_SYNC_NOTHING;
        sr_sync_say(it, SR_SYNC_SAME, "%s", "both list the same");
        return;
    }
    const struct sr_retention_verdict *v = verdict_on(merged, set);
    if (v && !v->keep) {
        sr_sync_say(it, SR_SYNC_SKIPPED, "%s would drop it at once: %s", s->to.name,
                    strncmp(v->reason, "dropped: ", 9) == 0 ? v->reason + 9 : v->reason);
        return;
    }
    w->todo = SR_SYNC_WHOLE;
    it->bytes = set->data_size;
    it->objects = set->data_objects;
    sr_sync_say(it, SR_SYNC_COPIED, "missing in %s", s->to.name);
    if (!set->encrypted && sr_store_check_encryption(s->to.store, set->set, "none", NULL) != SR_OK)
        sr_sync_say(it, SR_SYNC_REFUSED, "it is not encrypted, and %s demands that", s->to.name);
}

int sr_sync_plan(struct sr_sync *s, struct sr_error *err)
{
    const struct sr_catalog *from = s->from.catalog, *to = s->to.catalog;
    struct merged merged = {0};
    struct sr_sync_result *r = s->result;
    r->items = calloc(from->len + to->len + 1, sizeof *r->items);
    s->work = calloc(from->len + to->len + 1, sizeof *s->work);
    int rc = r->items && s->work ? SR_OK : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    if (rc == SR_OK)
        rc = merge(s, &merged, err);
    for (size_t i = from->len; rc == SR_OK && i-- > 0;)
        if (from->sets[i].has_manifest) {
            plan_set(s, &from->sets[i], &merged, &s->work[r->len], &r->items[r->len]);
            r->len++;
        }
    for (size_t i = to->len; rc == SR_OK && s->o->delete_gone && i-- > 0;)
        if (to->sets[i].has_manifest &&
            !sr_sync_side_set(&s->from, to->sets[i].set, to->sets[i].source, 0)) {
            struct sr_sync_work *w = &s->work[r->len];
            w->to = &to->sets[i];
            item_of(&r->items[r->len], w->to);
            plan_gone(s, w->to, verdict_on(&merged, w->to), w, &r->items[r->len]);
            r->len++;
        }
    merged_done(&merged);
    if (rc == SR_OK && s->o->delete_gone)
        rc = share_check(s, err);
    return rc;
}
