#include "config.h"
#include "core/engine/retention_policy.h"
#include "core/util/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY 86400

/* How many distances between sets tell what is usual, and how much longer a gap is. Sets that are
 * closer together count as one. */
#define GAPS_LOOKED_AT 16
#define GAPS_NEEDED 3
#define GAP_TIMES 4
#define GAP_LEAST 3600

/* Periods are computed for the years 1970 to 9999 alone. */
#define TIER_TIME_MAX 253402300799

struct judging {
    const struct sr_retention_options *o;
    int64_t now;
    size_t min_keep;
    int has_tiers;
};

/* One set of the source that is being judged. */
struct item {
    const struct sr_retention_input *in;
    struct sr_retention_verdict *v;
    int firm;    /* the budget takes no notice of it */
    int in_tier; /* it is the first of a period of this tier, the one that lasts longest */
    enum sr_tier tier;
    int64_t period, tier_until;
};

static void verdict(struct sr_retention_verdict *v, int keep, int64_t until, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void verdict(struct sr_retention_verdict *v, int keep, int64_t until, const char *fmt, ...)
{
    va_list ap;
    v->keep = keep;
    v->kept_until = until;
    va_start(ap, fmt);
    (void)vsnprintf(v->reason, sizeof v->reason, fmt, ap);
    va_end(ap);
}

static int is_dated(const struct sr_retention_input *in)
{
    return in->time > 0;
}

static int in_future(const struct judging *j, const struct sr_retention_input *in)
{
    return in->time > j->now;
}

static int is_good(const struct judging *j, const struct sr_retention_input *in)
{
    return in->has_manifest && in->good && is_dated(in) && !in_future(j, in);
}

static const char *critical_pattern(const struct sr_retention_options *o, const char *label)
{
    for (size_t i = 0; o->critical && i < o->critical->len; i++)
        if (sr_glob_match(o->critical->items[i], label))
            return o->critical->items[i];
    return NULL;
}

/* Days as a number, or 0 for ever. */
static int64_t longer(int64_t days, int64_t critical_days)
{
    if (days <= 0 || critical_days <= 0)
        return 0;
    return days > critical_days ? days : critical_days;
}

static int64_t end_of_days(int64_t from, int64_t days)
{
    int64_t span, end;
    if (__builtin_mul_overflow(days, (int64_t)DAY, &span) ||
        __builtin_add_overflow(from, span, &end))
        return INT64_MAX;
    return end;
}

/* What no rule keeps: the text names all of those that could have. */
static void drop(const struct judging *j, const struct item *it, int64_t days, int64_t until,
                 const char *because)
{
    char last[48] = "";
    if (j->o->last > 0)
        (void)snprintf(last, sizeof last, ", not one of the last %zu", j->o->last);
    if (it->in_tier && it->tier_until > until)
        until = it->tier_until;
    verdict(it->v, 0, until, "dropped: %lld days old, older than %lld days%s%s%s",
            (long long)((j->now - it->in->time) / DAY), (long long)days, because, last,
            j->has_tiers ? ", kept by no tier" : "");
}

/* The rules that a budget may overrule, and the label's say in them. */
static void judge_rules(const struct judging *j, struct item *it, size_t good_newer)
{
    const char *pattern = critical_pattern(j->o, it->in->label);
    int64_t days = j->o->days > 0 ? j->o->days : 0, age = (j->now - it->in->time) / DAY;
    char because[128] = "", tier[SR_TIER_TEXT];
    if (pattern) {
        days = longer(days, j->o->critical_days);
        it->firm =
            j->o->critical_days <= 0 || j->now <= end_of_days(it->in->time, j->o->critical_days);
    }
    if (days == 0) {
        if (pattern && j->o->days > 0)
            verdict(it->v, 1, SR_RETENTION_FOREVER, "kept: label matches %.100s", pattern);
        else
            verdict(it->v, 1, SR_RETENTION_FOREVER, "kept: everything is kept (0 days)");
        return;
    }
    int64_t until = end_of_days(it->in->time, days);
    int tier_keeps = it->in_tier && j->now < it->tier_until;
    if (pattern && days != j->o->days)
        (void)snprintf(because, sizeof because, ", label matches %.100s", pattern);
    if (tier_keeps && (j->now > until || it->tier_until > until)) {
        sr_tier_text(it->tier, it->period, tier);
        verdict(it->v, 1, it->tier_until, "kept: %s, %s", sr_tier_name(it->tier), tier);
    } else if (j->now <= until) {
        verdict(it->v, 1, until, "kept: %lld of %lld days old%s", (long long)age, (long long)days,
                because);
    } else if (it->in->good && good_newer < j->o->last) {
        verdict(it->v, 1, SR_RETENTION_NEWER, "kept: one of the last %zu", j->o->last);
    } else {
        drop(j, it, days, until, because);
    }
}

/* What stays whatever its age and size. */
static void judge_floor(const struct judging *j, struct item *it, size_t good_newer, int best)
{
    const struct sr_retention_input *in = it->in;
    it->firm |= good_newer < j->min_keep || best;
    if (it->v->keep)
        return;
    if (good_newer == 0)
        verdict(it->v, 1, SR_RETENTION_NEWER, "kept: newest good set of %.100s", in->source);
    else if (good_newer < j->min_keep)
        verdict(it->v, 1, SR_RETENTION_NEWER, "kept: one of the %zu newest good sets of %.100s",
                j->min_keep, in->source);
    else if (best)
        verdict(it->v, 1, SR_RETENTION_NEWER,
                "kept: newest set of %.100s with the highest proof (%s)", in->source,
                sr_rung_name(in->rung));
}

static void judge_one(const struct judging *j, struct item *it, size_t good_newer, int best)
{
    const struct sr_retention_input *in = it->in;
    const char *text = NULL;
    if (!in->has_manifest)
        text = "kept: no manifest, so it is no backup";
    else if (in->held)
        text = "kept: hold";
    else if (!is_dated(in))
        text = "kept: its time is unknown";
    else if (in_future(j, in))
        text = "kept: its time is in the future (clock?)";
    if (text) {
        it->firm = 1;
        verdict(it->v, 1, SR_RETENTION_FOREVER, "%s", text);
        return;
    }
    judge_rules(j, it, good_newer);
    if (!in->good)
        return;
    judge_floor(j, it, good_newer, best);
    it->v->relied = good_newer < j->min_keep || good_newer < j->o->last || best || it->in_tier;
}

/* --- gaps --- */

static int shows_time(const struct judging *j, const struct sr_retention_input *in)
{
    return in->has_manifest && is_dated(in) && !in_future(j, in);
}

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The median distance of the sets from items[i] on; -1 where there are too few to tell. */
static int64_t usual_distance(const struct judging *j, const struct item *items, size_t n, size_t i)
{
    int64_t gaps[GAPS_LOOKED_AT];
    size_t len = 0, last = i;
    for (i++; i < n && len < GAPS_LOOKED_AT; i++)
        if (shows_time(j, items[i].in) && items[last].in->time - items[i].in->time >= GAP_LEAST) {
            gaps[len++] = items[last].in->time - items[i].in->time;
            last = i;
        }
    if (len < GAPS_NEEDED)
        return -1;
    qsort(gaps, len, sizeof *gaps, by_number);
    return gaps[(len - 1) / 2];
}

/* The first item from before a gap that holds it back, and in *ret_since the one that ended it
 * (NULL: none did); n: there is none. */
static size_t find_gap(const struct judging *j, const struct item *items, size_t n,
                       const struct sr_retention_input **ret_since)
{
    const struct sr_retention_input *since = NULL;
    int64_t end = j->now;
    for (size_t i = 0; i < n && j->o->hold_gaps && j->o->days > 0; i++) {
        if (!shows_time(j, items[i].in))
            continue;
        int64_t gap = end - items[i].in->time, usual;
        /* What was made since the gaps further back is old enough by now. */
        if (j->now > end_of_days(end, j->o->days))
            return n;
        if (end > end_of_days(items[i].in->time, j->o->days) &&
            (usual = usual_distance(j, items, n, i)) >= 0 && gap / GAP_TIMES > usual &&
            gap - DAY > GAP_TIMES * usual) {
            *ret_since = since;
            return i;
        }
        since = items[i].in;
        end = since->time;
    }
    return n;
}

static void hold_back(const struct judging *j, struct item *it,
                      const struct sr_retention_input *last, const struct sr_retention_input *since)
{
    long long days = ((since ? since->time : j->now) - last->time) / DAY;
    if (!since)
        verdict(it->v, 1, SR_RETENTION_NEWER,
                "kept: nothing new of %.60s for %lld days, far longer than usual: backups stopped, "
                "or the clock is wrong",
                it->in->source, days);
    else
        verdict(it->v, 1, SR_RETENTION_NEWER,
                "kept: from before a gap of %lld days, until what came since is older than %lld "
                "days: backups failed, or the clock is wrong",
                days, (long long)j->o->days);
    it->v->held_back = 1;
}

/* The first good set of each period, found from the oldest on. */
static void find_tiers(const struct judging *j, struct item *items, size_t n)
{
    int64_t seen[SR_TIERS] = {INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN};
    for (size_t i = n; j->has_tiers && i-- > 0;) {
        struct item *it = &items[i];
        if (!is_good(j, it->in) || it->in->time > TIER_TIME_MAX)
            continue;
        for (int t = 0; t < SR_TIERS; t++) {
            if (j->o->tiers[t] <= 0)
                continue;
            int64_t period = sr_tier_period((enum sr_tier)t, j->o->zone, it->in->time);
            if (period == seen[t])
                continue;
            seen[t] = period;
            int64_t until =
                sr_tier_period_start((enum sr_tier)t, j->o->zone, period + j->o->tiers[t]);
            if (it->in_tier && until <= it->tier_until)
                continue;
            it->in_tier = 1;
            it->tier = (enum sr_tier)t;
            it->period = period;
            it->tier_until = until;
        }
    }
}

/* The newest good set on the highest rung that a proof reaches; n: there is no proof. */
static size_t find_best(const struct judging *j, const struct item *items, size_t n)
{
    size_t best = n;
    for (size_t i = 0; i < n; i++)
        if (is_good(j, items[i].in) && items[i].in->rung >= SR_RUNG_REREAD &&
            (best == n || items[i].in->rung > items[best].in->rung))
            best = i;
    return best;
}

/* The oldest first, until the rest fits. */
static void apply_budget(const struct judging *j, struct item *items, size_t n)
{
    uint64_t total = 0;
    char budget[SR_SIZE_TEXT];
    for (size_t i = 0; i < n; i++)
        if (items[i].in->has_manifest && items[i].v->keep &&
            __builtin_add_overflow(total, items[i].in->size, &total))
            total = UINT64_MAX;
    sr_format_size(j->o->size, budget);
    for (size_t i = n; total > j->o->size && i-- > 0;) {
        const struct item *it = &items[i];
        if (!it->v->keep || it->firm || it->in->size == 0)
            continue;
        verdict(it->v, 0, j->now, "dropped: %lld days old, the oldest over the budget of %s",
                (long long)((j->now - it->in->time) / DAY), budget);
        total -= it->in->size;
    }
}

enum objection {
    OBJECTION_NONE,
    OBJECTION_UNCOMMITTED, /* the newest set has no manifest */
    OBJECTION_DAMAGED,     /* the newest set is not good */
    OBJECTION_NO_GOOD,     /* no set is */
};

/* Why nothing of this source may go, and *ret_newest where it is about that set. Items are newest
 * first. */
static enum objection objection(const struct judging *j, const struct item *items, size_t n,
                                const struct sr_retention_input **ret_newest)
{
    const struct sr_retention_input *newest = NULL;
    size_t good = 0;
    for (size_t i = 0; i < n; i++) {
        if (!newest && is_dated(items[i].in) && !in_future(j, items[i].in))
            newest = items[i].in;
        good += is_good(j, items[i].in) != 0;
    }
    *ret_newest = newest;
    if (newest && !newest->has_manifest)
        return OBJECTION_UNCOMMITTED;
    if (newest && !newest->good)
        return OBJECTION_DAMAGED;
    return good == 0 ? OBJECTION_NO_GOOD : OBJECTION_NONE;
}

static void object(enum objection why, const struct item *it,
                   const struct sr_retention_input *newest)
{
    const char *source = it->in->source;
    if (why == OBJECTION_NO_GOOD)
        verdict(it->v, 1, SR_RETENTION_NEWER, "kept: %.100s has no good set", source);
    else
        verdict(it->v, 1, SR_RETENTION_NEWER, "kept: the newest set of %.100s %.60s", source,
                why == OBJECTION_UNCOMMITTED ? "has no manifest"
                : newest->fault              ? newest->fault
                                             : "is damaged");
}

static void judge_source(const struct judging *j, struct item *items, size_t n)
{
    const struct sr_retention_input *newest = NULL;
    enum objection why = objection(j, items, n, &newest);
    size_t good_newer = 0, best = find_best(j, items, n);
    const struct sr_retention_input *since = NULL;
    size_t gap = find_gap(j, items, n, &since);
    find_tiers(j, items, n);
    for (size_t i = 0; i < n; i++) {
        judge_one(j, &items[i], good_newer, i == best);
        if (!items[i].v->keep && why)
            object(why, &items[i], newest);
        else if (!items[i].v->keep && i >= gap)
            hold_back(j, &items[i], items[gap].in, since);
        good_newer += is_good(j, items[i].in) != 0;
    }
    if (j->o->size > 0 && !why)
        apply_budget(j, items, n);
}

static int by_source_newest_first(const void *a, const void *b)
{
    const struct sr_retention_input *x = ((const struct item *)a)->in,
                                    *y = ((const struct item *)b)->in;
    int c = strcmp(x->source, y->source);
    if (c)
        return c;
    if (x->time != y->time)
        return x->time > y->time ? -1 : 1;
    /* Of two from one second, which happens, the order of names decides: always the same way. */
    return strcmp(y->set, x->set);
}

int sr_retention_judge(const struct sr_retention_input *inputs, size_t n, int64_t now,
                       const struct sr_retention_options *options,
                       struct sr_retention_verdict *verdicts, struct sr_error *err)
{
    struct judging j = {options, now, options->min_keep ? options->min_keep : 1, 0};
    for (int t = 0; t < SR_TIERS; t++)
        j.has_tiers |= options->tiers[t] > 0;
    struct item *items = calloc(n ? n : 1, sizeof *items);
    for (size_t i = 0; i < n; i++) {
        verdicts[i] = (struct sr_retention_verdict){0};
        verdict(&verdicts[i], 1, SR_RETENTION_FOREVER, "kept: not judged");
    }
    if (!items)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++)
        items[i] = (struct item){.in = &inputs[i], .v = &verdicts[i]};
    if (n > 1)
        qsort(items, n, sizeof *items, by_source_newest_first);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && strcmp(items[end].in->source, items[i].in->source) == 0; end++)
            ;
        judge_source(&j, items + i, end - i);
    }
    free(items);
    return SR_OK;
}
