#include "config.h"
#include "core/cli/report.h"
#include "core/cli/table.h"
#include "core/util/text.h"

static const char *outcome_name(enum sr_prune_outcome outcome)
{
    switch (outcome) {
    case SR_PRUNE_KEPT:
        return "kept";
    case SR_PRUNE_DROPPED:
        return "dropped";
    case SR_PRUNE_HIDDEN:
        return "hidden";
    case SR_PRUNE_LOCKED:
        return "locked";
    case SR_PRUNE_FAILED:
        return "failed";
    }
    return "unknown";
}

static json_t *prune_json(const struct sr_prune_result *r, int dry_run, int64_t at)
{
    json_t *a = json_array();
    for (size_t i = 0; a && i < r->len; i++) {
        const struct sr_prune_item *p = &r->items[i];
        json_t *e = json_pack(
            "{s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o}", "set", sr_json_text_or_null(p->set),
            "source", sr_json_text_or_null(p->source), "store", sr_json_text_or_null(p->store),
            "created_at", sr_json_time(p->time), "outcome", outcome_name(p->outcome), "kept_until",
            p->kept_until > 0 ? sr_json_time(p->kept_until) : json_null(), "reason",
            sr_json_text_or_null(p->reason), "freed", sr_json_size(p->freed));
        sr_json_append(&a, e);
    }
    return json_pack("{s:b, s:o, s:o}", "dry_run", dry_run != 0, "at", sr_json_time(at), "sets", a);
}

void sr_report_prune(struct sr_output *o, const struct sr_prune_result *r, int dry_run, int64_t at)
{
    static const struct sr_column columns[] = {{"STORE", 0},   {"SET", 0},   {"SOURCE", 0},
                                               {"OUTCOME", 0}, {"FREED", 1}, {"WHY", 0}};
    struct sr_table t;
    char size[SR_SIZE_TEXT];
    uint64_t freed = 0;
    size_t gone = 0;
    if (o->json) {
        sr_output_document(o, prune_json(r, dry_run, at));
        return;
    }
    sr_table_init(&t, columns, 6);
    for (size_t i = 0; i < r->len; i++) {
        const struct sr_prune_item *p = &r->items[i];
        int dropped = p->outcome == SR_PRUNE_DROPPED;
        gone += dropped || p->outcome == SR_PRUNE_HIDDEN;
        freed += p->freed;
        sr_format_size(p->freed, size);
        sr_table_cell(&t, p->store);
        sr_table_cell(&t, p->set);
        sr_table_cell(&t, p->source);
        sr_table_cell(&t, dropped && dry_run ? "would go" : outcome_name(p->outcome));
        sr_table_cell(&t, p->freed ? size : NULL);
        sr_table_cell(&t, p->reason);
    }
    sr_table_print(&t, o);
    sr_table_done(&t);
    sr_format_size(freed, size);
    sr_output_line(o, "%zu of %zu %s, %s %s", gone, r->len,
                   dry_run ? "would be dropped" : "dropped", size, dry_run ? "in all" : "freed");
}
