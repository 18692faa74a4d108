#include "config.h"
#include "core/engine/retention_judge.h"
#include "core/engine/retention_rules.h"
#include "core/engine/trust.h"
#include "core/util/log.h"

#include <stdlib.h>
#include <string.h>

/* A label as people wrote it, because the patterns are people's too. Most are stored as they were
 * written; the others are kept in `unescaped`. NULL: no memory. */
static const char *label_of(const struct sr_catalog_set *set, struct sr_strlist *unescaped)
{
    char text[SR_LABEL_TEXT_MAX];
    if (!strstr(set->label, "_x") || /* how an escape begins (names.h) */
        sr_name_unescape(set->label, text, sizeof text, NULL) != SR_OK)
        return set->label;
    return sr_strlist_add(unescaped, text) == SR_OK ? unescaped->items[unescaped->len - 1] : NULL;
}

/* A check that found the backup bad: it is not to be relied on. */
static const char *fault_of(const struct sr_standing *s)
{
    switch (s->failed) {
    case SR_RUNG_REREAD:
    case SR_RUNG_OPENED:
        return "is damaged";
    case SR_RUNG_RESTORED:
    case SR_RUNG_COMPARED:
        return "has failed its restore test";
    case SR_RUNG_NONE:
    case SR_RUNG_DUMPED:
    case SR_RUNG_STORED:
        break;
    }
    return NULL;
}

enum {
    SET_GOOD,
    SET_BAD,
    SET_NOTHING, /* and not even its size counts: it may be another's, put there to use up room */
};

enum faults {
    FAULTS_HEARD,
    FAULTS_UNHEARD, /* what proofs say of damage does not count */
};

static struct sr_retention_input input_of(const struct sr_catalog_set *set, const char *label,
                                          int bad, enum faults faults, int64_t now)
{
    struct sr_standing standing;
    sr_standing_of(&set->proofs, now, &standing);
    const char *fault = faults == FAULTS_HEARD ? fault_of(&standing) : NULL;
    return (struct sr_retention_input){.set = set->set,
                                       .source = set->source,
                                       .label = label,
                                       .time = set->time,
                                       .held = set->held,
                                       .has_manifest = set->has_manifest,
                                       .good = set->has_manifest && !bad && !fault,
                                       .fault = fault,
                                       .rung = standing.rung,
                                       .size = bad == SET_NOTHING ? 0 : set->data_size};
}

static int judge(struct sr_context *ctx, const struct sr_store *store,
                 const struct sr_catalog_set *const *sets, size_t n, const unsigned char *bad,
                 enum faults faults, int64_t at, struct sr_retention_verdict **ret,
                 struct sr_error *err)
{
    struct sr_retention_rules rules = {0};
    struct sr_strlist unescaped = {0};
    const int64_t now = sr_clock_now(ctx->clock);
    struct sr_retention_input *in = calloc(n + 1, sizeof *in);
    struct sr_retention_verdict *v = calloc(n + 1, sizeof *v);
    int rc = in && v ? SR_OK : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    if (rc == SR_OK)
        rc = sr_retention_rules_read(ctx->cfg, store, &rules, err);
    for (size_t i = 0; rc == SR_OK && i < n; i++) {
        const char *label = label_of(sets[i], &unescaped);
        if (label)
            in[i] = input_of(sets[i], label, bad ? bad[i] : SET_GOOD, faults, now);
        else
            rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    if (rc == SR_OK) {
        /* Who asks of a later day knows that nothing of the days between is there yet. */
        if (at > now)
            rules.options.hold_gaps = 0;
        rc = sr_retention_judge(in, n, at, &rules.options, v, err);
    }
    sr_strlist_done(&unescaped);
    free(in);
    sr_retention_rules_done(&rules);
    if (rc != SR_OK) {
        free(v);
        return rc;
    }
    *ret = v;
    return SR_OK;
}

int sr_retention_judge_sets(struct sr_context *ctx, const struct sr_store *store,
                            const struct sr_catalog_set *const *sets, size_t n, int64_t at,
                            struct sr_retention_verdict **ret, struct sr_error *err)
{
    return judge(ctx, store, sets, n, NULL, FAULTS_HEARD, at, ret, err);
}

static int judge_catalog(struct sr_context *ctx, const struct sr_store *store,
                         const struct sr_catalog *c, const unsigned char *bad, enum faults faults,
                         int64_t at, struct sr_retention_verdict **ret, struct sr_error *err)
{
    const struct sr_catalog_set **sets = calloc(c->len + 1, sizeof *sets);
    if (!sets)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < c->len; i++)
        sets[i] = &c->sets[i];
    int rc = judge(ctx, store, sets, c->len, bad, faults, at, ret, err);
    free(sets);
    return rc;
}

int sr_retention_judge_names(struct sr_context *ctx, const struct sr_store *store,
                             const struct sr_catalog *c, int64_t at,
                             struct sr_retention_verdict **ret, struct sr_error *err)
{
    return judge_catalog(ctx, store, c, NULL, FAULTS_HEARD, at, ret, err);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, *(char *const *)b);
}

/* Nonzero when the manifest reads, is not forged, and every object that it names was listed. */
static int set_is_whole(struct sr_context *ctx, struct sr_store *store, const struct sr_catalog *c,
                        const struct sr_catalog_set *set, int *ret_whole, struct sr_error *err)
{
    struct sr_manifest *m = NULL;
    int rc = sr_trust_manifest(ctx, store, set, SR_TRUST_TO_LOOK, NULL, &m, NULL, err);
    *ret_whole = rc == SR_OK;
    for (size_t i = 0; rc == SR_OK && i < m->objects_len; i++)
        if (!c->objects.len || !bsearch(m->objects[i].key, c->objects.items, c->objects.len,
                                        sizeof *c->objects.items, by_text)) {
            sr_fail(err, SR_E_CORRUPT, "its object %s is missing", m->objects[i].key);
            *ret_whole = 0;
        }
    sr_manifest_free(m);
    /* What could not be looked at now is no verdict on the set. */
    if (rc == SR_E_CORRUPT || rc == SR_E_NOT_FOUND || rc == SR_E_UNSUPPORTED)
        rc = SR_OK;
    return rc;
}

/* What is known of a catalogue's sets while they are judged, by their index. */
struct judging {
    struct sr_context *ctx;
    struct sr_store *store;
    const struct sr_catalog *c;
    int64_t at;
    int keyed;                 /* signatures can be checked here */
    unsigned char *bad, *seen; /* SET_*, of what was opened; opened at all */
};

static int open_one(struct judging *j, size_t i, struct sr_error *err)
{
    const struct sr_catalog_set *set = &j->c->sets[i];
    struct sr_error why = SR_ERROR_INIT;
    int whole = 0, rc = sr_context_check(j->ctx, err);
    if (rc != SR_OK)
        return rc;
    rc = set_is_whole(j->ctx, j->store, j->c, set, &whole, &why);
    if (rc != SR_OK)
        return sr_error_copy(err, &why);
    if (!whole)
        sr_log(SR_LOG_WARN, "store %s: backup %s of %s is not whole: %s", sr_store_name(j->store),
               set->set, set->source, why.text);
    j->seen[i] = 1;
    j->bad[i] = whole ? SET_GOOD : j->keyed ? SET_NOTHING : SET_BAD;
    return SR_OK;
}

/* From the newest back, each source until a whole set is found: those are what the rules rely on.
 */
static int open_newest(struct judging *j, struct sr_error *err)
{
    struct sr_strlist settled = {0}; /* sources whose newest whole set was found */
    int rc = SR_OK;
    for (size_t i = j->c->len; rc == SR_OK && i-- > 0;) {
        const struct sr_catalog_set *set = &j->c->sets[i];
        if (!set->has_manifest || sr_strlist_has(&settled, set->source))
            continue;
        rc = open_one(j, i, err);
        if (rc == SR_OK && j->bad[i] == SET_GOOD && set->time <= j->at &&
            sr_strlist_add(&settled, set->source) != SR_OK)
            rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    sr_strlist_done(&settled);
    return rc;
}

/* Opens what the rules count of one source: so many of its newest, all where tiers or a budget look
 * at all, and what proofs put first. */
static int open_counted(struct judging *j, const struct sr_retention_verdict *v, const char *source,
                        const struct sr_retention_options *o, int *ret_more, struct sr_error *err)
{
    size_t most = o->last > o->min_keep ? o->last : o->min_keep, counted = 0;
    int all = o->size > 0, rc = SR_OK;
    for (int t = 0; t < SR_TIERS; t++)
        all |= o->tiers[t] > 0;
    for (size_t i = j->c->len; rc == SR_OK && i-- > 0;) {
        const struct sr_catalog_set *set = &j->c->sets[i];
        if (!set->has_manifest || j->bad[i] != SET_GOOD || strcmp(set->source, source) != 0 ||
            set->time <= 0 || set->time > j->at)
            continue;
        if (counted++ >= most && !all && set->proofs.len == 0)
            continue;
        if (v[i].keep && !j->seen[i])
            rc = open_one(j, i, err);
        *ret_more |= rc == SR_OK && j->bad[i] != SET_GOOD;
    }
    return rc;
}

/* Adds the sources of which something goes. */
static int losing_sources(const struct judging *j, const struct sr_retention_verdict *v,
                          struct sr_strlist *ret, struct sr_error *err)
{
    for (size_t i = 0; i < j->c->len; i++)
        if (!v[i].keep && !sr_strlist_has(ret, j->c->sets[i].source) &&
            sr_strlist_add(ret, j->c->sets[i].source) != SR_OK)
            return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    return SR_OK;
}

/* Where a key tells which sets are real: those that stay while others of their source go are
 * opened, because a forged one among them would push out a real one. *ret_more: one was bad. */
static int open_kept(struct judging *j, const struct sr_retention_verdict *v, int *ret_more,
                     struct sr_error *err)
{
    struct sr_retention_rules rules = {0};
    struct sr_strlist losing = {0};
    int rc = sr_retention_rules_read(j->ctx->cfg, j->store, &rules, err);
    if (rc == SR_OK)
        rc = losing_sources(j, v, &losing, err);
    for (size_t i = 0; rc == SR_OK && i < losing.len; i++)
        rc = open_counted(j, v, losing.items[i], &rules.options, ret_more, err);
    sr_strlist_done(&losing);
    sr_retention_rules_done(&rules);
    return rc;
}

/* Without a key: those that others go for by a rule, which a set that cannot be read or lacks an
 * object does not bear. *ret_more as above. */
static int open_relied(struct judging *j, const struct sr_retention_verdict *v, int *ret_more,
                       struct sr_error *err)
{
    struct sr_strlist losing = {0};
    int rc = losing_sources(j, v, &losing, err);
    for (size_t i = 0; rc == SR_OK && i < j->c->len; i++)
        if (v[i].relied && !j->seen[i] && sr_strlist_has(&losing, j->c->sets[i].source)) {
            rc = open_one(j, i, err);
            *ret_more |= j->bad[i] != SET_GOOD;
        }
    sr_strlist_done(&losing);
    return rc;
}

static void tell_held_back(const struct judging *j, const struct sr_retention_verdict *v)
{
    size_t n = 0, first = 0;
    for (size_t i = j->c->len; i-- > 0;)
        if (v[i].held_back) {
            n++;
            first = i;
        }
    if (n > 0)
        sr_log(SR_LOG_WARN,
               "store %s: %zu backup%s old enough to go stay%s; %s is %s. If the clock is right, "
               "`prune --trust-clock` (BACKUP_RETENTION_TRUST_CLOCK) lets them go",
               sr_store_name(j->store), n, n == 1 ? "" : "s", n == 1 ? "s" : "",
               j->c->sets[first].set, v[first].reason);
}

/* Who can write can also write that a check failed. What goes only because of such words stays. */
static int spare_blamed(struct judging *j, struct sr_retention_verdict *v, struct sr_error *err)
{
    struct sr_retention_verdict *all = NULL;
    int rc = judge_catalog(j->ctx, j->store, j->c, j->bad, FAULTS_UNHEARD, j->at, &all, err);
    for (size_t i = 0; rc == SR_OK && i < j->c->len; i++)
        if (!v[i].keep && all[i].keep)
            v[i] = all[i];
    free(all);
    return rc;
}

static int judge_signed(struct judging *j, struct sr_retention_verdict **ret, struct sr_error *err)
{
    struct sr_retention_verdict *v = NULL;
    int more = 1, rc = SR_OK;
    while (rc == SR_OK && more) {
        free(v);
        v = NULL;
        more = 0;
        rc = judge_catalog(j->ctx, j->store, j->c, j->bad, FAULTS_HEARD, j->at, &v, err);
        if (rc == SR_OK && j->keyed)
            rc = spare_blamed(j, v, err);
        if (rc == SR_OK)
            rc = j->keyed ? open_kept(j, v, &more, err) : open_relied(j, v, &more, err);
    }
    if (rc == SR_OK) {
        tell_held_back(j, v);
        *ret = v;
    } else {
        free(v);
    }
    return rc;
}

int sr_retention_judge_store(struct sr_context *ctx, struct sr_store *store,
                             const struct sr_catalog *c, int64_t at,
                             struct sr_retention_verdict **ret, struct sr_error *err)
{
    const struct sr_signer *keys = NULL;
    int rc = sr_trust_keys(ctx, &keys, err);
    struct judging j = {
        ctx, store, c, at, keys != NULL, calloc(c->len + 1, 1), calloc(c->len + 1, 1)};
    if (rc == SR_OK && (!j.bad || !j.seen))
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    if (rc == SR_OK)
        rc = open_newest(&j, err);
    if (rc == SR_OK)
        rc = judge_signed(&j, ret, err);
    free(j.bad);
    free(j.seen);
    return rc;
}
