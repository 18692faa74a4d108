#include "config.h"
#include "core/cli/report.h"
#include "core/cli/table.h"

static const char *level_name(enum sr_doctor_level level)
{
    switch (level) {
    case SR_DOCTOR_OK:
        return "ok";
    case SR_DOCTOR_NOTE:
        return "note";
    case SR_DOCTOR_BLOCKER:
        return "blocker";
    }
    return "unknown";
}

static json_t *doctor_json(const struct sr_doctor_result *r)
{
    json_t *a = json_array();
    for (size_t i = 0; a && i < r->len; i++) {
        const struct sr_doctor_line *l = &r->lines[i];
        json_t *e =
            json_pack("{s:s, s:o, s:o, s:o}", "level", level_name(l->level), "what",
                      sr_json_text_or_null(l->what), "finding", sr_json_text_or_null(l->finding),
                      "remedy", sr_json_text_or_null(l->remedy));
        sr_json_append(&a, e);
    }
    return json_pack("{s:i, s:o}", "blockers", r->blockers, "checks", a);
}

void sr_report_doctor(struct sr_output *o, const struct sr_doctor_result *r)
{
    if (o->json) {
        sr_output_document(o, doctor_json(r));
        return;
    }
    for (size_t i = 0; i < r->len; i++) {
        const struct sr_doctor_line *l = &r->lines[i];
        sr_output_line(o, "%-7s %s: %s",
                       l->level == SR_DOCTOR_BLOCKER ? "BLOCKER" : level_name(l->level), l->what,
                       l->finding);
        if (l->remedy)
            sr_output_line(o, "        to do: %s", l->remedy);
    }
}
