#include "config.h"
#include "core/cli/report.h"
#include "core/cli/table.h"
#include "core/util/text.h"

#include <inttypes.h>

static json_t *findings_json(const struct sr_pg_findings *f)
{
    json_t *a = json_array();
    for (size_t i = 0; a && i < f->len; i++)
        sr_json_append(&a, json_pack("{s:s, s:o}", "kind", sr_pg_finding_word(f->items[i].kind),
                                     "text", sr_json_text_or_null(f->items[i].text)));
    return a;
}

static json_t *tested_json(const struct sr_tested *d)
{
    const struct sr_pg_findings *f = &d->findings;
    return json_pack(
        "{s:o, s:o, s:o, s:s, s:s, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
        "s:o, "
        "s:o}",
        "key", sr_json_text_or_null(d->key), "database", sr_json_text_or_null(d->database),
        "scratch", sr_json_text_or_null(d->scratch), "outcome", sr_test_outcome_word(d->outcome),
        "rung", sr_rung_name(d->rung), "reason", sr_json_text_or_null(d->reason), "compared",
        d->compared != 0, "findings", findings_json(f), "findings_left", sr_json_size(f->left),
        "accepted", sr_json_strings(&d->accepted), "tables", sr_json_size(f->tables), "rows",
        sr_json_size(f->rows), "indexes", sr_json_size(f->indexes), "foreign_keys",
        sr_json_size(f->foreign_keys), "sequences", sr_json_size(f->sequences), "bytes",
        sr_json_size(d->bytes), "check_seconds", sr_json_seconds(d->check_seconds),
        "restore_seconds", sr_json_seconds(d->restore_seconds), "compare_seconds",
        sr_json_seconds(d->compare_seconds));
}

static json_t *result_json(const struct sr_restore_test_result *r)
{
    json_t *a = json_array();
    for (size_t i = 0; a && i < r->len; i++)
        sr_json_append(&a, tested_json(&r->items[i]));
    json_t *proof =
        r->recorded_failed != SR_RUNG_NONE
            ? json_pack("{s:s, s:s}", "rung", sr_rung_name(r->recorded_failed), "outcome", "failed")
        : r->recorded != SR_RUNG_NONE
            ? json_pack("{s:s, s:s}", "rung", sr_rung_name(r->recorded), "outcome", "passed")
            : json_null();
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "set",
        sr_json_text_or_null(r->set), "source", sr_json_text_or_null(r->source), "store",
        sr_json_text_or_null(r->store), "server", sr_json_text_or_null(r->server), "outcome",
        sr_test_outcome_word(r->outcome), "databases", a, "stub_roles", sr_json_strings(&r->stubs),
        "removed", sr_json_strings(&r->removed), "left_behind", sr_json_strings(&r->left), "notes",
        sr_json_strings(&r->notes), "recorded", proof, "not_recorded",
        sr_json_text_or_null(r->not_recorded), "duration_seconds", sr_json_seconds(r->seconds));
}

static void tested_print(struct sr_output *o, const struct sr_tested *d)
{
    const struct sr_pg_findings *f = &d->findings;
    char size[SR_SIZE_TEXT], restore[SR_SPAN_TEXT], compare[SR_SPAN_TEXT];
    sr_format_size(d->bytes, size);
    sr_report_seconds(d->restore_seconds, restore);
    sr_report_seconds(d->compare_seconds, compare);
    sr_output_line(o, "%s%s%s: %s", d->key, d->database ? " of " : "",
                   d->database ? d->database : "",
                   d->outcome == SR_TEST_FAILED ? "FAILED" : sr_test_outcome_word(d->outcome));
    if (d->rung >= SR_RUNG_RESTORED) {
        sr_output_line(o, "  restored  %s read, in %s", size, restore);
        if (d->compared)
            sr_output_line(o, "  rows      %" PRIu64 " in %" PRIu64 " tables", f->rows, f->tables);
        else
            sr_output_line(o, "  rows      not compared: the backup has no counts of them");
        sr_output_line(o,
                       "  checked   %" PRIu64 " indexes, %" PRIu64 " foreign keys, %" PRIu64
                       " sequences, in %s",
                       f->indexes, f->foreign_keys, f->sequences, compare);
    }
    if (d->reason)
        sr_output_line(o, "  because   %s", d->reason);
    for (size_t i = 0; i < f->len; i++)
        sr_output_line(o, "  %-9s %s", sr_pg_finding_word(f->items[i].kind), f->items[i].text);
    if (f->left > 0)
        sr_output_line(o, "  and %zu more findings", f->left);
    for (size_t i = 0; i < d->accepted.len; i++)
        sr_output_line(o, "  accepted  %s", d->accepted.items[i]);
}

void sr_report_restore_test(struct sr_output *o, const struct sr_restore_test_result *r)
{
    char took[SR_SPAN_TEXT];
    if (o->json) {
        sr_output_document(o, result_json(r));
        return;
    }
    sr_report_seconds(r->seconds, took);
    sr_output_line(o, "%s of %s, from %s, on %s: %s, %s", r->set, r->source, r->store, r->server,
                   r->outcome == SR_TEST_FAILED ? "FAILED" : sr_test_outcome_word(r->outcome),
                   took);
    for (size_t i = 0; i < r->len; i++)
        tested_print(o, &r->items[i]);
    for (size_t i = 0; i < r->removed.len; i++)
        sr_output_line(o, "removed %s, which a test that died had left", r->removed.items[i]);
    for (size_t i = 0; i < r->left.len; i++)
        sr_output_line(o, "STAYS BEHIND: %s", r->left.items[i]);
    for (size_t i = 0; i < r->notes.len; i++)
        sr_output_line(o, "note: %s", r->notes.items[i]);
    if (r->not_recorded)
        sr_output_line(o, "not recorded: %s", r->not_recorded);
}
