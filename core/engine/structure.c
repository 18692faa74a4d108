#include "config.h"
#include "core/engine/structure.h"
#include "core/source/pg_rows.h"
#include "core/source/pg_tools.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sr_structure {
    const struct sr_config *cfg;
    unsigned char head[64]; /* kept until the kind can be told */
    size_t head_len;
    int told;
    enum sr_restore_kind kind;
    struct sr_pg_scan *scan;
    struct sr_pg_rows *rows;
    struct sr_pg_tool tool;
    char note[256];
};

int sr_structure_new(const struct sr_config *cfg, struct sr_structure **ret, struct sr_error *err)
{
    struct sr_structure *s = calloc(1, sizeof *s);
    if (!s)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    s->cfg = cfg;
    *ret = s;
    return SR_OK;
}

static int pass_on(struct sr_structure *s, const void *data, size_t len, struct sr_error *err)
{
    if (s->scan)
        return sr_pg_scan_feed(s->scan, data, len, err);
    if (s->rows)
        return sr_pg_rows_feed(s->rows, data, len, err);
    return SR_OK;
}

/* Tells the kind from the head and starts what reads it. */
static int tell(struct sr_structure *s, struct sr_error *err)
{
    struct sr_error e = SR_ERROR_INIT;
    int rc = sr_pg_restore_kind(s->head, s->head_len, &s->kind, err);
    if (rc != SR_OK)
        return rc;
    s->told = 1;
    if (s->kind == SR_RESTORE_PLAIN) {
        rc = sr_pg_scan_new(SR_SCAN_ROWS | SR_SCAN_GUARD, &s->scan, err);
    } else if (sr_pg_tool_find(s->cfg, SR_PG_RESTORE, 0, &s->tool, &e) != SR_OK) {
        (void)snprintf(s->note, sizeof s->note, "archive not parsed: %.200s", e.text);
    } else {
        rc = sr_pg_rows_start(&s->tool, &s->rows, err);
    }
    return rc == SR_OK ? pass_on(s, s->head, s->head_len, err) : rc;
}

int sr_structure_feed(struct sr_structure *s, const void *data, size_t len, struct sr_error *err)
{
    const unsigned char *p = data;
    if (!s->told) {
        size_t n = sizeof s->head - s->head_len;
        n = n < len ? n : len;
        memcpy(s->head + s->head_len, p, n);
        s->head_len += n;
        p += n;
        len -= n;
        if (s->head_len < sizeof s->head)
            return SR_OK;
        int rc = tell(s, err);
        if (rc != SR_OK)
            return rc;
    }
    return len > 0 ? pass_on(s, p, len, err) : SR_OK;
}

int sr_structure_end(struct sr_structure *s, struct sr_error *err)
{
    int rc = SR_OK;
    if (!s->told && s->head_len == 0)
        return sr_fail(err, SR_E_CORRUPT, "it is empty: that is no dump");
    if (!s->told)
        rc = tell(s, err);
    if (rc == SR_OK && s->rows)
        rc = sr_pg_rows_end(s->rows, err);
    if (rc == SR_OK && s->scan) {
        rc = sr_pg_scan_end(s->scan, err);
        if (rc == SR_OK && !sr_pg_scan_complete(s->scan))
            rc = sr_fail(
                err, SR_E_CORRUPT,
                "it has no \"dump complete\" line at its end: it is cut off, or no pg_dump output");
    }
    return rc;
}

enum sr_restore_kind sr_structure_kind(const struct sr_structure *s)
{
    return s->kind;
}

const struct sr_pg_scan *sr_structure_scan(const struct sr_structure *s)
{
    return s->rows ? sr_pg_rows_scan(s->rows) : s->scan;
}

const char *sr_structure_note(const struct sr_structure *s)
{
    return s->note;
}

void sr_structure_free(struct sr_structure *s)
{
    if (!s)
        return;
    sr_pg_scan_free(s->scan);
    sr_pg_rows_free(s->rows);
    sr_pg_tool_done(&s->tool);
    free(s);
}
