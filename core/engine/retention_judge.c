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

static struct sr_retention_input input_of(const struct sr_catalog_set *set, const char *label,
                                          int bad)
{
    struct sr_standing standing;
    sr_standing_of(&set->proofs, &standing);
    const char *fault = fault_of(&standing);
    return (struct sr_retention_input){.set = set->set,
                                       .source = set->source,
                                       .label = label,
                                       .time = set->time,
                                       .held = set->held,
                                       .has_manifest = set->has_manifest,
                                       .good = set->has_manifest && !bad && !fault,
                                       .fault = fault,
                                       .rung = standing.rung,
                                       .size = set->data_size};
}

static int judge(struct sr_context *ctx, const struct sr_store *store,
                 const struct sr_catalog_set *const *sets, size_t n, const unsigned char *bad,
                 int64_t at, struct sr_retention_verdict **ret, struct sr_error *err)
{
    struct sr_retention_rules rules = {0};
    struct sr_strlist unescaped = {0};
    struct sr_retention_input *in = calloc(n + 1, sizeof *in);
    struct sr_retention_verdict *v = calloc(n + 1, sizeof *v);
    int rc = in && v ? SR_OK : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    if (rc == SR_OK)
        rc = sr_retention_rules_read(ctx->cfg, store, &rules, err);
    for (size_t i = 0; rc == SR_OK && i < n; i++) {
        const char *label = label_of(sets[i], &unescaped);
        if (label)
            in[i] = input_of(sets[i], label, bad && bad[i]);
        else
            rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    if (rc == SR_OK)
        rc = sr_retention_judge(in, n, at, &rules.options, v, err);
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
    return judge(ctx, store, sets, n, NULL, at, ret, err);
}

static int judge_catalog(struct sr_context *ctx, const struct sr_store *store,
                         const struct sr_catalog *c, const unsigned char *bad, int64_t at,
                         struct sr_retention_verdict **ret, struct sr_error *err)
{
    const struct sr_catalog_set **sets = calloc(c->len + 1, sizeof *sets);
    if (!sets)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < c->len; i++)
        sets[i] = &c->sets[i];
    int rc = judge(ctx, store, sets, c->len, bad, at, ret, err);
    free(sets);
    return rc;
}

int sr_retention_judge_names(struct sr_context *ctx, const struct sr_store *store,
                             const struct sr_catalog *c, int64_t at,
                             struct sr_retention_verdict **ret, struct sr_error *err)
{
    return judge_catalog(ctx, store, c, NULL, at, ret, err);
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

int sr_retention_judge_store(struct sr_context *ctx, struct sr_store *store,
                             const struct sr_catalog *c, int64_t at,
                             struct sr_retention_verdict **ret, struct sr_error *err)
{
    unsigned char *bad = calloc(c->len + 1, 1);
    struct sr_strlist settled = {0}; /* sources whose newest whole set was found */
    int rc = bad ? SR_OK : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    /* From the newest back, each source until a whole set is found: those are what the rules rely
     * on. */
    for (size_t i = c->len; rc == SR_OK && i-- > 0;) {
        const struct sr_catalog_set *set = &c->sets[i];
        struct sr_error why = SR_ERROR_INIT;
        int whole = 0;
        if (!set->has_manifest || sr_strlist_has(&settled, set->source))
            continue;
        rc = sr_context_check(ctx, err);
        if (rc != SR_OK)
            break;
        rc = set_is_whole(ctx, store, c, set, &whole, &why);
        if (rc != SR_OK) {
            sr_error_copy(err, &why);
            break;
        }
        if (!whole)
            sr_log(SR_LOG_WARN, "store %s: backup %s of %s is not whole: %s", sr_store_name(store),
                   set->set, set->source, why.text);
        bad[i] = !whole;
        if (whole && set->time <= at && sr_strlist_add(&settled, set->source) != SR_OK)
            rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    sr_strlist_done(&settled);
    if (rc == SR_OK)
        rc = judge_catalog(ctx, store, c, bad, at, ret, err);
    free(bad);
    return rc;
}
