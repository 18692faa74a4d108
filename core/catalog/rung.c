#include "config.h"
#include "core/catalog/rung.h"
#include "core/catalog/names.h"
#include "core/util/clock.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *word;
} rungs[] = {
    [SR_RUNG_NONE] = {"none", "none"},
    [SR_RUNG_DUMPED] = {"dumped", "dumped"},
    [SR_RUNG_STORED] = {"stored", "stored"},
    [SR_RUNG_REREAD] = {"re-read", "reread"},
    [SR_RUNG_OPENED] = {"opened", "opened"},
    [SR_RUNG_RESTORED] = {"restored", "restored"},
    [SR_RUNG_COMPARED] = {"compared", "compared"},
};
#define RUNGS (sizeof rungs / sizeof *rungs)

static const char start[] = "proof-", failed[] = "failed-", end[] = ".json";

static size_t index_of(enum sr_rung r)
{
    return (size_t)r < RUNGS ? (size_t)r : SR_RUNG_NONE;
}

const char *sr_rung_name(enum sr_rung r)
{
    return rungs[index_of(r)].name;
}

const char *sr_rung_word(enum sr_rung r)
{
    return rungs[index_of(r)].word;
}

enum sr_rung sr_rung_of(const char *s)
{
    for (size_t i = SR_RUNG_DUMPED; i < RUNGS; i++)
        if (strcmp(s, rungs[i].name) == 0 || strcmp(s, rungs[i].word) == 0)
            return (enum sr_rung)i;
    return SR_RUNG_NONE;
}

int sr_proof_suffix(const struct sr_proof_name *n, char out[SR_PROOF_SUFFIX_MAX])
{
    char stamp[SR_TIME_STAMP_SIZE];
    if (n->rung < SR_RUNG_REREAD || (size_t)n->rung >= RUNGS)
        return SR_E_CONFIG;
    sr_time_stamp(n->time, stamp);
    (void)snprintf(out, SR_PROOF_SUFFIX_MAX, "%s%s%s-%s%s", start, n->failed ? failed : "",
                   sr_rung_word(n->rung), stamp, end);
    return sr_beside_kind(out) == SR_KEY_PROOF ? SR_OK : SR_E_CONFIG;
}

int sr_proof_name_read(const char *suffix, struct sr_proof_name *ret)
{
    struct sr_proof_name n = {0};
    char again[SR_PROOF_SUFFIX_MAX], word[SR_PROOF_SUFFIX_MAX];
    if (strlen(suffix) >= sizeof word || strncmp(suffix, start, sizeof start - 1) != 0)
        return SR_E_CORRUPT;
    const char *s = suffix + sizeof start - 1;
    if (strncmp(s, failed, sizeof failed - 1) == 0) {
        n.failed = 1;
        s += sizeof failed - 1;
    }
    size_t len = strcspn(s, "-");
    memcpy(word, s, len);
    word[len] = '\0';
    n.rung = sr_rung_of(word);
    if (s[len] != '-' || sr_time_parse_stamp(s + len + 1, SR_TIME_STAMP_SIZE - 1, &n.time) != SR_OK)
        return SR_E_CORRUPT;
    /* What would be written otherwise is not ours. */
    if (sr_proof_suffix(&n, again) != SR_OK || strcmp(again, suffix) != 0)
        return SR_E_CORRUPT;
    *ret = n;
    return SR_OK;
}

/* What the time of a proof is worth beside others'. */
static int64_t time_to_go_by(const struct sr_proof_name *n, int64_t now)
{
    return !n->failed && n->time > now ? 0 : n->time;
}

void sr_standing_of(const struct sr_strlist *suffixes, int64_t now, struct sr_standing *ret)
{
    int64_t passed_at[RUNGS], failed_at[RUNGS];
    struct sr_proof_name n;
    *ret = (struct sr_standing){
        .rung = SR_RUNG_STORED, .since = -1, .failed_at = -1, .checked_at = -1};
    for (size_t i = 0; i < RUNGS; i++)
        passed_at[i] = failed_at[i] = -1;
    for (size_t i = 0; i < suffixes->len; i++) {
        if (sr_proof_name_read(suffixes->items[i], &n) != SR_OK)
            continue;
        int64_t *at = n.failed ? &failed_at[n.rung] : &passed_at[n.rung];
        int64_t time = time_to_go_by(&n, now);
        *at = time > *at ? time : *at;
        if (time > ret->checked_at)
            ret->checked_at = time;
    }
    int64_t fell = -1; /* the latest failure of this rung or one below */
    for (size_t i = SR_RUNG_REREAD; i < RUNGS; i++) {
        int64_t since = -1; /* the latest pass of this rung or one above, which contains it */
        for (size_t k = i; k < RUNGS; k++)
            since = passed_at[k] > since ? passed_at[k] : since;
        if (failed_at[i] >= 0 && failed_at[i] >= since && ret->failed == SR_RUNG_NONE) {
            ret->failed = (enum sr_rung)i;
            ret->failed_at = failed_at[i];
        }
        fell = failed_at[i] > fell ? failed_at[i] : fell;
        if (since > fell) {
            ret->rung = (enum sr_rung)i;
            ret->since = since > 0 ? since : now;
        }
    }
}
