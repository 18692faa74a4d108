#include "config.h"
#include "core/cli/report.h"

#include <inttypes.h>
#include <stdio.h>

void sr_report_label(const char *escaped, char *out)
{
    if (sr_name_unescape(escaped, out, SR_LABEL_TEXT_MAX, NULL) != SR_OK)
        (void)snprintf(out, SR_LABEL_TEXT_MAX, "%s", escaped);
}

void sr_report_age(int64_t seconds, char out[SR_AGE_TEXT])
{
    static const struct {
        int64_t from, unit;
        const char *name;
    } steps[] = {{2 * 365 * 86400, 365 * 86400, "y"},
                 {2 * 86400, 86400, "d"},
                 {2 * 3600, 3600, "h"},
                 {120, 60, "min"},
                 {0, 1, "s"}};
    if (seconds < 0) {
        /* A clock that was set back, or another host's. */
        (void)snprintf(out, SR_AGE_TEXT, "future");
        return;
    }
    size_t i = 0;
    while (seconds < steps[i].from)
        i++;
    (void)snprintf(out, SR_AGE_TEXT, "%" PRId64 " %s", seconds / steps[i].unit, steps[i].name);
}

void sr_report_seconds(double seconds, char out[SR_SPAN_TEXT])
{
    if (!(seconds >= 0))
        seconds = 0;
    if (seconds > 1e9)
        seconds = 1e9;
    if (seconds < 60) {
        (void)snprintf(out, SR_SPAN_TEXT, "%.1f s", seconds);
        return;
    }
    long whole = (long)(seconds + 0.5);
    if (whole < 3600)
        (void)snprintf(out, SR_SPAN_TEXT, "%ld min %ld s", whole / 60, whole % 60);
    else
        (void)snprintf(out, SR_SPAN_TEXT, "%ld h %ld min", whole / 3600, whole / 60 % 60);
}
