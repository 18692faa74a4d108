#include "config.h"
#include "core/cli/report.h"
#include "core/cli/report_rows.h"
#include "core/cli/table.h"
#include "core/util/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DIGEST_SHOWN 16

/* "plain", "custom" or "plain,custom", by the objects that are there. */
static const char *format_of(const struct sr_manifest *m)
{
    int plain = 0, custom = 0;
    for (size_t i = 0; i < m->objects_len; i++) {
        plain |= strcmp(m->objects[i].kind, "plain") == 0;
        custom |= strcmp(m->objects[i].kind, "custom") == 0;
    }
    return plain && custom ? "plain,custom" : custom ? "custom" : "plain";
}

/* stored: a failed run has taken its objects out again, so no store holds the set then. */
static json_t *stores_json(const struct sr_backup_result *r, int stored)
{
    json_t *a = json_array();
    for (size_t i = 0; a && i < r->stores_len; i++) {
        const struct sr_backup_store *s = &r->stores[i];
        json_t *e = json_pack("{s:o, s:b, s:o, s:o, s:b, s:I, s:o}", "name",
                              sr_json_text_or_null(s->name), "ok", s->ok && stored, "error",
                              sr_json_text_or_null(*s->error ? s->error : NULL), "seconds",
                              sr_json_seconds(s->seconds), "retried", s->retried, "spooled_bytes",
                              (json_int_t)s->spooled, "locked_until",
                              s->retain_until ? sr_json_time(s->retain_until) : json_null());
        sr_json_append(&a, e);
    }
    return a;
}

static json_t *failed_json(const struct sr_backup_result *r)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "stores", stores_json(r, 0), "problems",
                     sr_json_strings(&r->problems), "grants", sr_json_strings(&r->grants),
                     "duration_seconds", sr_json_seconds(r->seconds));
}

static json_t *backup_json(const struct sr_backup_result *r)
{
    const struct sr_manifest *m = r->manifest;
    char label[SR_LABEL_TEXT_MAX];
    sr_report_label(m->label, label);
    return json_pack("{s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "set",
                     sr_json_text_or_null(m->set), "label", sr_json_text_or_null(label), "source",
                     sr_json_text_or_null(m->source), "created_at", sr_json_time(m->created_at),
                     "format", format_of(m), "trigger", sr_json_text_or_null(m->trigger),
                     "duration_seconds", sr_json_seconds(r->seconds), "objects",
                     sr_objects_json(m, r->detail ? r->detail : m->detail), "stores",
                     stores_json(r, 1), "pruned", sr_json_strings(&r->pruned));
}

/* What was out of the ordinary. */
static void store_notes(const struct sr_backup_store *s, char *out, size_t cap)
{
    char size[SR_SIZE_TEXT], until[SR_TIME_ISO_SIZE];
    int n = 0;
    *out = '\0';
    if (s->spooled > 0) {
        sr_format_size(s->spooled, size);
        n += snprintf(out, cap, ", %s by way of the spool", size);
    }
    if (s->retried)
        n += snprintf(out + n, cap - (size_t)n, ", at a second attempt");
    if (s->retain_until) {
        sr_time_iso(s->retain_until, until);
        (void)snprintf(out + n, cap - (size_t)n, ", locked until %s", until);
    }
}

static void stores_print(struct sr_output *o, const struct sr_backup_result *r, int stored)
{
    for (size_t i = 0; i < r->stores_len; i++) {
        const struct sr_backup_store *s = &r->stores[i];
        char took[SR_SPAN_TEXT], notes[160];
        sr_report_seconds(s->seconds, took);
        store_notes(s, notes, sizeof notes);
        if (s->ok && stored)
            sr_output_line(o, "store %s: holds it (%s%s)", s->name, took, notes);
        else if (*s->error)
            sr_output_line(o, "store %s: FAILED: %s", s->name, s->error);
        /* else it kept nothing, because the run failed elsewhere: the message says where */
    }
}

static void backup_print(struct sr_output *o, const struct sr_backup_result *r)
{
    static const struct sr_column columns[] = {{"SIZE", 1}, {"SHA-256", 0}, {"OBJECT", 0}};
    const struct sr_manifest *m = r->manifest;
    const struct sr_detail *d = r->detail ? r->detail : m->detail;
    struct sr_table t;
    char size[SR_SIZE_TEXT], took[SR_SPAN_TEXT];
    size_t tables = 0;
    uint64_t rows = sr_rows_total(d, &tables);

    sr_report_seconds(r->seconds, took);
    sr_output_line(o, "backup %s of %s done in %s", m->set, m->source, took);
    sr_table_init(&t, columns, 3);
    for (size_t i = 0; i < m->objects_len; i++) {
        sr_format_size(m->objects[i].size, size);
        sr_table_cell(&t, size);
        sr_table_cellf(&t, "%.*s", DIGEST_SHOWN, m->objects[i].sha256);
        sr_table_cell(&t, m->objects[i].key);
    }
    sr_table_print(&t, o);
    sr_table_done(&t);
    if (tables > 0)
        sr_output_line(o, "rows: %" PRIu64 " in %zu table%s", rows, tables, tables == 1 ? "" : "s");
    for (size_t i = 0; i < m->notes.len; i++)
        sr_output_line(o, "note: %s", m->notes.items[i]);
    stores_print(o, r, 1);
    for (size_t i = 0; i < r->pruned.len; i++)
        sr_output_line(o, "pruned: %s", r->pruned.items[i]);
}

void sr_report_backup(struct sr_output *o, const struct sr_backup_result *r, int rc)
{
    int stored = (rc == SR_OK || rc == SR_E_PARTIAL) && r->manifest;
    if (o->json)
        sr_output_document(o, stored ? backup_json(r) : failed_json(r));
    else if (stored)
        backup_print(o, r);
    else
        stores_print(o, r, 0);
}

void sr_report_plan(struct sr_output *o, const struct sr_backup_result *r)
{
    if (o->json)
        sr_output_document(
            o, json_pack("{s:b, s:o}", "dry_run", 1, "plan", sr_json_strings(&r->plan)));
    for (size_t i = 0; i < r->plan.len; i++)
        sr_output_line(o, "%s", r->plan.items[i]);
}
