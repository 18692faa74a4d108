#include "config.h"
#include "core/cli/report.h"
#include "core/cli/table.h"
#include "core/util/text.h"

static const struct {
    const char *name;  /* in JSON, and of what was done */
    const char *would; /* of a dry run, for people; NULL: the same */
} outcomes[] = {
    [SR_SYNC_SAME] = {"same", NULL},
    [SR_SYNC_COPIED] = {"copied", "would be copied"},
    [SR_SYNC_REPAIRED] = {"repaired", "would be repaired"},
    [SR_SYNC_ADDED] = {"added", "would be added to"},
    [SR_SYNC_SKIPPED] = {"skipped", NULL},
    [SR_SYNC_REFUSED] = {"refused", "would be refused"},
    [SR_SYNC_KEPT] = {"kept", NULL},
    [SR_SYNC_DELETED] = {"deleted", "would be deleted"},
    [SR_SYNC_CORRUPT] = {"corrupt", NULL},
    [SR_SYNC_FAILED] = {"failed", NULL},
};

static json_t *sync_json(const struct sr_sync_options *options, const struct sr_sync_result *r)
{
    json_t *a = json_array(), *counts = json_object();
    for (size_t i = 0; a && i < r->len; i++) {
        const struct sr_sync_item *it = &r->items[i];
        json_t *e = json_pack(
            "{s:o, s:o, s:o, s:s, s:o, s:o, s:o}", "set", sr_json_text_or_null(it->set), "source",
            sr_json_text_or_null(it->source), "created_at", sr_json_time(it->time), "outcome",
            outcomes[it->outcome].name, "objects", sr_json_size(it->objects), "bytes",
            sr_json_size(it->bytes), "reason", sr_json_text_or_null(it->reason));
        sr_json_append(&a, e);
    }
    for (size_t i = 0; counts && i < sizeof outcomes / sizeof *outcomes; i++)
        if (json_object_set_new(counts, outcomes[i].name, sr_json_size(r->counts[i])) != 0) {
            json_decref(counts);
            counts = NULL;
        }
    return json_pack("{s:o, s:o, s:b, s:o, s:o, s:o}", "from", sr_json_text_or_null(options->from),
                     "to", sr_json_text_or_null(options->to), "dry_run", options->dry_run, "bytes",
                     sr_json_size(r->bytes), "counts", counts, "sets", a);
}

void sr_report_sync(struct sr_output *o, const struct sr_sync_options *options,
                    const struct sr_sync_result *r)
{
    static const struct sr_column columns[] = {
        {"SET", 0}, {"SOURCE", 0}, {"OUTCOME", 0}, {"SIZE", 1}, {"WHY", 0}};
    struct sr_table t;
    char size[SR_SIZE_TEXT];
    if (o->json) {
        sr_output_document(o, sync_json(options, r));
        return;
    }
    sr_table_init(&t, columns, 5);
    for (size_t i = 0; i < r->len; i++) {
        const struct sr_sync_item *it = &r->items[i];
        const char *would = outcomes[it->outcome].would;
        sr_format_size(it->bytes, size);
        sr_table_cell(&t, it->set);
        sr_table_cell(&t, it->source);
        sr_table_cell(&t, options->dry_run && would ? would : outcomes[it->outcome].name);
        sr_table_cell(&t, it->bytes ? size : NULL);
        sr_table_cell(&t, it->reason);
    }
    sr_table_print(&t, o);
    sr_table_done(&t);
    size_t came =
        r->counts[SR_SYNC_COPIED] + r->counts[SR_SYNC_REPAIRED] + r->counts[SR_SYNC_ADDED];
    size_t lost =
        r->counts[SR_SYNC_REFUSED] + r->counts[SR_SYNC_CORRUPT] + r->counts[SR_SYNC_FAILED];
    sr_format_size(r->bytes, size);
    sr_output_line(o,
                   "%s%zu of %zu to %s, %s; %zu in step already, %zu skipped, %zu not copied, "
                   "%zu deleted",
                   options->dry_run ? "would bring " : "brought ", came, r->len, options->to, size,
                   r->counts[SR_SYNC_SAME], r->counts[SR_SYNC_SKIPPED], lost,
                   r->counts[SR_SYNC_DELETED]);
}
