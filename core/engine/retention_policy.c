#include "config.h"
#include "core/engine/retention_policy.h"
#include "core/util/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY 86400

struct judging {
    const struct sr_retention_options *o;
    int64_t now;
    size_t min_keep;
};

/* One set of the source that is being judged. */
struct item {
    const struct sr_retention_input *in;
    struct sr_retention_verdict *v;
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

/* The age rule alone, with the label's say in it. */
static void judge_age(const struct judging *j, const struct item *it)
{
    const char *pattern = critical_pattern(j->o, it->in->label);
    int64_t days = j->o->days > 0 ? j->o->days : 0, until = 0, span;
    if (pattern)
        days = longer(days, j->o->critical_days);
    if (days == 0) {
        if (pattern && j->o->days > 0)
            verdict(it->v, 1, SR_RETENTION_FOREVER, "kept: label matches %.100s", pattern);
        else
            verdict(it->v, 1, SR_RETENTION_FOREVER, "kept: everything is kept (0 days)");
        return;
    }
    if (__builtin_mul_overflow(days, (int64_t)DAY, &span) ||
        __builtin_add_overflow(it->in->time, span, &until))
        until = INT64_MAX;
    long long age = (j->now - it->in->time) / DAY;
    char because[128] = "";
    if (pattern && days != j->o->days)
        (void)snprintf(because, sizeof because, ", label matches %.100s", pattern);
    if (j->now <= until)
        verdict(it->v, 1, until, "kept: %lld of %lld days old%s", age, (long long)days, because);
    else
        verdict(it->v, 0, until, "dropped: %lld days old, older than %lld days%s", age,
                (long long)days, because);
}

static void judge_one(const struct judging *j, const struct item *it, size_t good_newer)
{
    const struct sr_retention_input *in = it->in;
    if (!in->has_manifest)
        verdict(it->v, 1, SR_RETENTION_FOREVER, "kept: no manifest, so it is no backup");
    else if (in->held)
        verdict(it->v, 1, SR_RETENTION_FOREVER, "kept: hold");
    else if (!is_dated(in))
        verdict(it->v, 1, SR_RETENTION_FOREVER, "kept: its time is unknown");
    else if (in_future(j, in))
        verdict(it->v, 1, SR_RETENTION_FOREVER, "kept: its time is in the future (clock?)");
    else
        judge_age(j, it);
    if (it->v->keep || !in->good)
        return;
    if (good_newer == 0)
        verdict(it->v, 1, SR_RETENTION_FOREVER, "kept: newest good set of %.100s", in->source);
    else if (good_newer < j->min_keep)
        verdict(it->v, 1, SR_RETENTION_FOREVER, "kept: one of the %zu newest good sets of %.100s",
                j->min_keep, in->source);
}

enum objection {
    OBJECTION_NONE,
    OBJECTION_UNCOMMITTED, /* the newest set has no manifest */
    OBJECTION_DAMAGED,     /* the newest set is not good */
    OBJECTION_NO_GOOD,     /* no set is */
};

static const char *const objection_texts[][2] = {
    [OBJECTION_UNCOMMITTED] = {"the newest set of ", " has no manifest"},
    [OBJECTION_DAMAGED] = {"the newest set of ", " is damaged"},
    [OBJECTION_NO_GOOD] = {"", " has no good set"},
};

/* Why nothing of this source may go. Items are newest first. */
static enum objection objection(const struct judging *j, const struct item *items, size_t n)
{
    const struct sr_retention_input *newest = NULL;
    size_t good = 0;
    for (size_t i = 0; i < n; i++) {
        if (!newest && is_dated(items[i].in) && !in_future(j, items[i].in))
            newest = items[i].in;
        good += is_good(j, items[i].in) != 0;
    }
    if (newest && !newest->has_manifest)
        return OBJECTION_UNCOMMITTED;
    if (newest && !newest->good)
        return OBJECTION_DAMAGED;
    return good == 0 ? OBJECTION_NO_GOOD : OBJECTION_NONE;
}

static void judge_source(const struct judging *j, const struct item *items, size_t n)
{
    enum objection why = objection(j, items, n);
    size_t good_newer = 0;
    for (size_t i = 0; i < n; i++) {
        judge_one(j, &items[i], good_newer);
        if (!items[i].v->keep && why)
            verdict(items[i].v, 1, SR_RETENTION_FOREVER, "kept: %s%.100s%s",
                    objection_texts[why][0], items[i].in->source, objection_texts[why][1]);
        good_newer += is_good(j, items[i].in) != 0;
    }
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
    struct judging j = {options, now, options->min_keep ? options->min_keep : 1};
    struct item *items = calloc(n ? n : 1, sizeof *items);
    for (size_t i = 0; i < n; i++)
        verdict(&verdicts[i], 1, SR_RETENTION_FOREVER, "kept: not judged");
    if (!items)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++)
        items[i] = (struct item){&inputs[i], &verdicts[i]};
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
