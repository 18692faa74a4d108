#include "config.h"
#include "core/cli/report.h"
#include "core/cli/table.h"
#include "core/util/text.h"

static const char *rung_name(enum sr_verify_rung rung)
{
    switch (rung) {
    case SR_VERIFY_FAILED:
        return "failed";
    case SR_VERIFY_REREAD:
        return "re-read";
    case SR_VERIFY_OPENED:
        return "opened";
    }
    return "unknown";
}

/* The proofs that were written. */
static json_t *recorded_json(const struct sr_verify_result *r)
{
    json_t *a = json_array();
    if (a && r->passed != SR_RUNG_NONE)
        sr_json_append(
            &a, json_pack("{s:s, s:s}", "rung", sr_rung_name(r->passed), "outcome", "passed"));
    if (a && r->failed != SR_RUNG_NONE)
        sr_json_append(
            &a, json_pack("{s:s, s:s}", "rung", sr_rung_name(r->failed), "outcome", "failed"));
    return a;
}

static json_t *one_json(const struct sr_verified *v)
{
    json_t *a = json_array();
    for (size_t i = 0; a && i < v->result.len; i++) {
        const struct sr_verify_object *o = &v->result.objects[i];
        json_t *e = json_pack("{s:o, s:s, s:o, s:o}", "key", sr_json_text_or_null(o->key), "rung",
                              rung_name(o->rung), "size", sr_json_size(o->size), "note",
                              sr_json_text_or_null(o->note));
        sr_json_append(&a, e);
    }
    return json_pack("{s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "set",
                     sr_json_text_or_null(v->result.set), "source", sr_json_text_or_null(v->source),
                     "store", sr_json_text_or_null(v->store), "rung",
                     v->not_looked ? "unknown" : rung_name(v->result.rung), "objects", a,
                     "recorded", recorded_json(&v->result), "not_recorded",
                     sr_json_text_or_null(v->result.not_recorded), "duration_seconds",
                     sr_json_seconds(v->result.seconds), "signature",
                     sr_trust_json(&v->result.trust), "error", sr_json_text_or_null(v->error));
}

static json_t *verified_json(const struct sr_verified *v, size_t len, size_t left)
{
    json_t *a = json_array();
    for (size_t i = 0; a && i < len; i++)
        sr_json_append(&a, one_json(&v[i]));
    return json_pack("{s:o, s:o}", "verified", a, "left", sr_json_size(left));
}

void sr_report_verified(struct sr_output *o, const struct sr_verified *v, size_t len, size_t left)
{
    static const struct sr_column columns[] = {
        {"RUNG", 0}, {"SIZE", 1}, {"STORE", 0}, {"OBJECT", 0}, {"NOTE", 0}};
    struct sr_table t;
    if (o->json) {
        sr_output_document(o, verified_json(v, len, left));
        return;
    }
    sr_table_init(&t, columns, 5);
    for (size_t i = 0; i < len; i++) {
        if (v[i].error && (v[i].not_looked || v[i].result.len == 0)) {
            sr_table_cell(&t, v[i].not_looked ? "UNKNOWN" : "FAILED");
            sr_table_cell(&t, NULL);
            sr_table_cell(&t, v[i].store);
            sr_table_cell(&t, v[i].result.set);
            sr_table_cell(&t, v[i].error);
        }
        for (size_t k = 0; k < v[i].result.len; k++) {
            const struct sr_verify_object *x = &v[i].result.objects[k];
            char size[SR_SIZE_TEXT];
            sr_format_size(x->size, size);
            sr_table_cell(&t, x->rung == SR_VERIFY_FAILED ? "FAILED" : rung_name(x->rung));
            sr_table_cell(&t, size);
            sr_table_cell(&t, v[i].store);
            sr_table_cell(&t, x->key);
            sr_table_cell(&t, x->note);
        }
    }
    sr_table_print(&t, o);
    sr_table_done(&t);
    for (size_t i = 0; i < len; i++) {
        char text[SR_TRUST_TEXT];
        if (v[i].result.trust.state == SR_TRUST_UNCHECKED)
            continue;
        sr_trust_text(&v[i].result.trust, text);
        sr_output_line(o, "signature of %s in %s: %s", v[i].result.set, v[i].store, text);
    }
    if (left > 0)
        sr_output_line(o, "%zu more are left for another time", left);
}
