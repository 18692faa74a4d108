#include "config.h"
#include "core/cli/report_proofs.h"
#include "core/util/clock.h"

static const char *outcome(const struct sr_proof_name *n)
{
    return n->failed ? "failed" : "passed";
}

json_t *sr_proof_names_json(const struct sr_strlist *suffixes)
{
    json_t *a = json_array();
    struct sr_proof_name n;
    for (size_t i = 0; a && i < suffixes->len; i++)
        if (sr_proof_name_read(suffixes->items[i], &n) == SR_OK)
            sr_json_append(&a, json_pack("{s:s, s:s, s:o}", "rung", sr_rung_name(n.rung), "outcome",
                                         outcome(&n), "time", sr_json_time(n.time)));
    return a;
}

static json_t *seen_json(const struct sr_proof_seen *s)
{
    const struct sr_proof *p = &s->proof;
    struct sr_proof_name n = {0};
    int known = sr_proof_name_read(s->suffix, &n) == SR_OK;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "rung",
                     known ? json_string(sr_rung_name(n.rung)) : json_null(), "outcome",
                     known ? json_string(outcome(&n)) : json_null(), "time",
                     known ? sr_json_time(n.time) : json_null(), "problem",
                     sr_json_text_or_null(s->bad), "host", sr_json_text_or_null(p->host), "store",
                     sr_json_text_or_null(p->store), "bytes", sr_json_size(p->bytes),
                     "duration_seconds", sr_json_size(p->seconds), "checked",
                     sr_json_strings(&p->checked), "error", sr_json_text_or_null(p->error));
}

json_t *sr_proofs_json(const struct sr_proofs *p)
{
    json_t *a = json_array();
    for (size_t i = 0; a && i < p->len; i++)
        sr_json_append(&a, seen_json(&p->items[i]));
    return a;
}

void sr_proofs_print(struct sr_output *o, const struct sr_proofs *p)
{
    for (size_t i = 0; i < p->len; i++) {
        const struct sr_proof_seen *s = &p->items[i];
        const struct sr_proof *q = &s->proof;
        const char *title = i == 0 ? "proofs" : "";
        char when[SR_TIME_ISO_SIZE];
        if (s->bad) {
            sr_output_line(o, "%-11s %s counts for nothing: %s", title, s->suffix, s->bad);
            continue;
        }
        sr_time_iso(q->name.time, when);
        sr_output_line(o, "%-11s %s %s%s%s%s%s%s", title, when, sr_rung_name(q->name.rung),
                       q->name.failed ? " FAILED" : "", q->host ? " on " : "",
                       q->host ? q->host : "", q->error ? ": " : "", q->error ? q->error : "");
        for (size_t k = 0; k < q->checked.len; k++)
            sr_output_line(o, "%-11s   %s", "", q->checked.items[k]);
    }
    if (p->left > 0)
        sr_output_line(o, "%-11s and %zu older one%s", "", p->left, p->left == 1 ? "" : "s");
}
