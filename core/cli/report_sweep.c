#include "config.h"
#include "core/cli/report.h"
#include "core/cli/table.h"
#include "core/util/text.h"

static json_t *sweep_json(const struct sr_sweep_result *r, int dry_run)
{
    json_t *a = json_array();
    for (size_t i = 0; a && i < r->len; i++) {
        const struct sr_swept *s = &r->items[i];
        json_t *e = json_pack("{s:o, s:o, s:o, s:o}", "store",
                              sr_json_text_or_null(s->store && *s->store ? s->store : NULL), "key",
                              sr_json_text_or_null(s->key), "size", sr_json_size(s->size), "reason",
                              sr_json_text_or_null(s->why));
        sr_json_append(&a, e);
    }
    return json_pack("{s:b, s:o}", "dry_run", dry_run != 0, "swept", a);
}

void sr_report_sweep(struct sr_output *o, const struct sr_sweep_result *r, int dry_run)
{
    static const struct sr_column columns[] = {{"WHERE", 0}, {"SIZE", 1}, {"WHAT", 0}, {"WHY", 0}};
    struct sr_table t;
    char size[SR_SIZE_TEXT];
    if (o->json) {
        sr_output_document(o, sweep_json(r, dry_run));
        return;
    }
    sr_table_init(&t, columns, 4);
    for (size_t i = 0; i < r->len; i++) {
        const struct sr_swept *s = &r->items[i];
        sr_format_size(s->size, size);
        sr_table_cell(&t, s->store && *s->store ? s->store : "here");
        sr_table_cell(&t, size);
        sr_table_cell(&t, s->key);
        sr_table_cell(&t, s->why);
    }
    sr_table_print(&t, o);
    sr_table_done(&t);
    if (r->len == 0)
        sr_output_line(o, "nothing to sweep");
    else
        sr_output_line(o, "%zu %s", r->len, dry_run ? "would be swept" : "swept");
}
