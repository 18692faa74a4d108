#include "config.h"
#include "core/cli/report.h"
#include "core/util/text.h"

#include <inttypes.h>

void sr_report_restore(struct sr_output *o, const struct sr_restore_result *r)
{
    char size[SR_SIZE_TEXT], took[SR_SPAN_TEXT];
    if (o->json) {
        sr_output_document(
            o, json_pack("{s:o, s:o, s:o, s:o, s:i, s:o, s:o}", "what",
                         sr_json_text_or_null(r->what), "target", sr_json_text_or_null(r->target),
                         "tables", sr_json_size(r->tables), "bytes", sr_json_size(r->bytes),
                         "connections_ended", r->connections_ended, "duration_seconds",
                         sr_json_seconds(r->seconds), "notes", sr_json_strings(&r->notes)));
        return;
    }
    sr_format_size(r->bytes, size);
    sr_report_seconds(r->seconds, took);
    if (r->what && r->target)
        sr_output_line(o, "restored %s into %s: %" PRIu64 " tables, %s read, %s", r->what,
                       r->target, r->tables, size, took);
    if (r->connections_ended > 0)
        sr_output_line(o, "ended %d other connection%s of that database", r->connections_ended,
                       r->connections_ended == 1 ? "" : "s");
    for (size_t i = 0; i < r->notes.len; i++)
        sr_output_line(o, "note: %s", r->notes.items[i]);
}
