/* Which sets may go. Pure: nothing is read and nothing deleted here.
 *
 *     sr_retention_judge(inputs, n, now, &options, verdicts, &err);
 *     verdicts[i] is about inputs[i]: keep, until when, and why
 *
 * The rules, each source by itself:
 *   - only sets with a manifest are backups; others are none of retention's business and kept here;
 *   - nothing goes when the source's newest set is damaged or has no manifest, or none is good;
 *   - held sets, sets without a time and sets from the future stay; the latter do not count as
 * newest (a clock that once ran ahead must not make old backups look superfluous);
 *   - the newest good set, the min_keep newest good ones, and the newest good one with the highest
 * proof stay, whatever their age and size;
 *   - a set whose label is critical stays for the longer of `days` and critical_days;
 *   - otherwise a set stays while any of these keeps it: it is at most `days` days of 86400 seconds
 * old; it is one of the `last` newest good ones; it is the first good one of a day, week, month or
 * year (retention_period.h) among the last tiers[] of them, the present one included. 0 days keep
 * for ever;
 *   - of what only these last keep the oldest go as long as all sets of the source together are
 * larger than `size`;
 *   - with hold_gaps, where nothing was made for longer than `days` and far longer than usual (four
 * times the median distance of the sets before, of which there must be four more than an hour
 * apart, and a day), age drops nothing from before that gap until a set made since is itself older
 * than `days`. To a clock that jumped ahead everything looks old, what it stamps itself looks
 * fresh, and so it is after backups failed for a while: for `days` days somebody can look.
 */
#ifndef SR_ENGINE_RETENTION_POLICY_H
#define SR_ENGINE_RETENTION_POLICY_H

#include "core/catalog/rung.h"
#include "core/engine/retention_period.h"
#include "core/util/error.h"
#include "core/util/strlist.h"

#include <stddef.h>
#include <stdint.h>

#define SR_RETENTION_FOREVER (-1)
#define SR_RETENTION_NEWER (-2)     /* until newer sets take its place */
#define SR_RETENTION_REASON_MAX 192 /* bytes with NUL */

struct sr_retention_options {
    int64_t days;                      /* 0: for ever */
    size_t min_keep;                   /* counted as at least 1 */
    const struct sr_strlist *critical; /* patterns with * and ?; may be NULL */
    int64_t critical_days;             /* 0 or SR_RETENTION_FOREVER: for ever */
    size_t last;                       /* 0: no such rule */
    int64_t tiers[SR_TIERS];           /* so many days, weeks, months, years; 0: no such tier */
    const struct sr_zone *zone;        /* of the tiers; NULL: UTC */
    uint64_t size;                     /* bytes of one source; 0: unbounded */
    int hold_gaps;                     /* 0: the clock is to be believed */
};

struct sr_retention_input {
    const char *set;
    const char *source; /* sets are grouped by it */
    const char *label;  /* what patterns are compared with */
    int64_t time;       /* UTC seconds; 0 or less: unknown */
    int held;
    int has_manifest;
    int good;          /* nothing is known against it */
    const char *fault; /* why it is not good: "is damaged"; NULL: that */
    enum sr_rung rung; /* the highest that its proofs have; below SR_RUNG_REREAD: none */
    uint64_t size;     /* bytes of its objects */
};

struct sr_retention_verdict {
    int keep;
    /* UTC seconds; SR_RETENTION_FOREVER; SR_RETENTION_NEWER. Of a set that goes: since when. */
    int64_t kept_until;
    int relied;                           /* others may go because this one is good and stays */
    int held_back;                        /* only a gap keeps it, which somebody should look at */
    char reason[SR_RETENTION_REASON_MAX]; /* "kept: 3 of 7 days old", "dropped: ..." */
};

/* now in UTC seconds. verdicts has room for n and is the caller's. SR_OK or SR_E_NO_MEMORY, and
 * then the verdicts are all "keep". */
int sr_retention_judge(const struct sr_retention_input *inputs, size_t n, int64_t now,
                       const struct sr_retention_options *options,
                       struct sr_retention_verdict *verdicts, struct sr_error *err);

#endif
