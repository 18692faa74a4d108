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
 *   - the newest good set and the min_keep newest good ones stay, whatever their age;
 *   - a set goes when it is older than `days` days of 86400 seconds; one whose label is critical
 * when it is older than the longer of `days` and critical_days; 0 days keep for ever.
 */
#ifndef SR_ENGINE_RETENTION_POLICY_H
#define SR_ENGINE_RETENTION_POLICY_H

#include "core/util/error.h"
#include "core/util/strlist.h"

#include <stddef.h>
#include <stdint.h>

#define SR_RETENTION_FOREVER (-1)
#define SR_RETENTION_REASON_MAX 192 /* bytes with NUL */

struct sr_retention_options {
    int64_t days;                      /* 0: for ever */
    size_t min_keep;                   /* counted as at least 1 */
    const struct sr_strlist *critical; /* patterns with * and ?; may be NULL */
    int64_t critical_days;             /* 0 or SR_RETENTION_FOREVER: for ever */
};

struct sr_retention_input {
    const char *set;
    const char *source; /* sets are grouped by it */
    const char *label;  /* what patterns are compared with */
    int64_t time;       /* UTC seconds; 0 or less: unknown */
    int held;
    int has_manifest;
    int good; /* nothing is known against it */
};

struct sr_retention_verdict {
    int keep;
    int64_t kept_until; /* UTC seconds; SR_RETENTION_FOREVER also where it depends on later sets */
    char reason[SR_RETENTION_REASON_MAX]; /* "kept: 3 of 7 days old", "dropped: ..." */
};

/* now in UTC seconds. verdicts has room for n and is the caller's. SR_OK or SR_E_NO_MEMORY, and
 * then the verdicts are all "keep". */
int sr_retention_judge(const struct sr_retention_input *inputs, size_t n, int64_t now,
                       const struct sr_retention_options *options,
                       struct sr_retention_verdict *verdicts, struct sr_error *err);

#endif
