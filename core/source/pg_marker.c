#include "config.h"
#include "core/source/pg_marker.h"

#include <string.h>

void sr_pg_marker_feed(struct sr_pg_marker *m, const void *data, size_t len)
{
    const char *p = data;
    if (len >= SR_PG_MARKER_KEEP) {
        memcpy(m->tail, p + len - SR_PG_MARKER_KEEP, SR_PG_MARKER_KEEP);
        m->len = SR_PG_MARKER_KEEP;
        return;
    }
    size_t keep = SR_PG_MARKER_KEEP - len;
    if (m->len > keep) {
        memmove(m->tail, m->tail + m->len - keep, keep);
        m->len = keep;
    }
    memcpy(m->tail + m->len, p, len);
    m->len += len;
}

static int is_line(const char *line, size_t len, const char *text)
{
    return len == strlen(text) && memcmp(line, text, len) == 0;
}

int sr_pg_marker_seen(const struct sr_pg_marker *m)
{
    static const char unrestrict[] = "\\unrestrict ";
    int dashes = 0;
    size_t end = m->len;
    /* The last line must have its end, or it may have been cut. */
    if (end == 0 || m->tail[end - 1] != '\n')
        return 0;
    while (end > 0) {
        size_t stop = end - 1, at = stop;
        while (at > 0 && m->tail[at - 1] != '\n')
            at--;
        const char *line = m->tail + at;
        size_t len = stop - at;
        end = at;
        /* A dump that went through a Windows tool. */
        if (len > 0 && line[len - 1] == '\r')
            len--;
        if (len == 0 || (!dashes && len > sizeof unrestrict - 1 &&
                         memcmp(line, unrestrict, sizeof unrestrict - 1) == 0))
            continue;
        if (!dashes && is_line(line, len, "--")) {
            dashes = 1;
            continue;
        }
        return dashes && (is_line(line, len, "-- PostgreSQL database dump complete") ||
                          is_line(line, len, "-- PostgreSQL database cluster dump complete"));
    }
    return 0;
}
