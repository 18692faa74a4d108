#include "config.h"
#include "core/cli/report.h"
#include "core/cli/report_proofs.h"
#include "core/cli/report_rows.h"
#include "core/cli/table.h"
#include "core/util/text.h"

#include <inttypes.h>
#include <string.h>

static int is_encrypted(const struct sr_manifest *m)
{
    for (size_t i = 0; i < m->objects_len; i++)
        if (strcmp(m->objects[i].encryption, "none") != 0)
            return 1;
    return 0;
}

static json_t *detail_json(const struct sr_detail *d)
{
    if (!d)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "host", sr_json_text_or_null(d->host), "server",
                     sr_json_text_or_null(d->server), "user", sr_json_text_or_null(d->user),
                     "roles", sr_json_strings(&d->roles), "extensions",
                     sr_json_strings(&d->extensions));
}

static json_t *manifest_json(const char *store, const struct sr_catalog_set *set,
                             const struct sr_manifest *m, const struct sr_proofs *proofs,
                             const struct sr_trust *trust, const char *closed)
{
    char label[SR_LABEL_TEXT_MAX];
    sr_report_label(m->label, label);
    return json_pack(
        "{s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:b, s:o, s:o, s:o, "
        "s:o, s:o, s:o, s:o, s:s, s:o}",
        "format", m->format, "set", sr_json_text_or_null(m->set), "label",
        sr_json_text_or_null(label), "source", sr_json_text_or_null(m->source), "created_at",
        sr_json_time(m->created_at), "finished_at", sr_json_time(m->finished_at), "trigger",
        sr_json_text_or_null(m->trigger), "strongroom_version",
        sr_json_text_or_null(m->strongroom_version), "store", sr_json_text_or_null(store),
        "encrypted", is_encrypted(m), "host", sr_json_text_or_null(m->host), "hold", set->held != 0,
        "proofs", sr_proofs_json(proofs), "recipients", sr_json_strings(&m->recipients), "tools",
        sr_json_strings(&m->tools), "notes", sr_json_strings(&m->notes), "detail",
        detail_json(m->detail), "detail_closed", sr_json_text_or_null(m->detail ? NULL : closed),
        "objects", sr_objects_json(m, m->detail), "rung", sr_rung_name(proofs->standing.rung),
        "signature", sr_trust_json(trust));
}

static void strings_print(struct sr_output *o, const char *title, const struct sr_strlist *l)
{
    for (size_t i = 0; i < l->len; i++)
        sr_output_line(o, "%-11s %s", i == 0 ? title : "", l->items[i]);
}

static void text_print(struct sr_output *o, const char *title, const char *value)
{
    if (value && *value)
        sr_output_line(o, "%-11s %s", title, value);
}

static void object_print(struct sr_output *o, const struct sr_manifest_object *m)
{
    char stored[SR_SIZE_TEXT], plain[SR_SIZE_TEXT], raw[SR_SIZE_TEXT];
    sr_format_size(m->size, stored);
    sr_format_size(m->plain_size, plain);
    sr_format_size(m->raw_size, raw);
    sr_output_line(o, "%s", "");
    sr_output_line(o, "object      %s", m->key);
    sr_output_line(o, "  is        %s%s%s", m->kind, m->database ? " of " : "",
                   m->database ? m->database : "");
    sr_output_line(o, "  stored    %s (%" PRIu64 " bytes), SHA-256 %s", stored, m->size, m->sha256);
    if (*m->plain_sha256)
        sr_output_line(o, "  %-9s %s (%" PRIu64 " bytes), SHA-256 %s", m->compression, plain,
                       m->plain_size, m->plain_sha256);
    sr_output_line(o, "  encrypted %s", m->encryption);
    if (m->raw_size)
        sr_output_line(o, "  dump      %s (%" PRIu64 " bytes)", raw, m->raw_size);
}

static void rows_print(struct sr_output *o, const struct sr_detail *d)
{
    static const struct sr_column columns[] = {{"ROWS", 1}, {"TABLE", 0}, {"OBJECT", 0}};
    struct sr_table t;
    sr_table_init(&t, columns, 3);
    for (size_t i = 0; i < d->objects_len; i++)
        for (size_t k = 0; k < d->objects[i].rows_len; k++) {
            sr_table_cellf(&t, "%" PRIu64, d->objects[i].rows[k].rows);
            sr_table_cell(&t, d->objects[i].rows[k].table);
            sr_table_cell(&t, d->objects[i].key);
        }
    if (t.cells.len > 0)
        sr_output_line(o, "%s", "");
    sr_table_print(&t, o);
    sr_table_done(&t);
}

void sr_report_manifest(struct sr_output *o, const char *store, const struct sr_catalog_set *set,
                        const struct sr_manifest *m, const struct sr_proofs *proofs,
                        const struct sr_trust *trust, const char *closed)
{
    char label[SR_LABEL_TEXT_MAX], created[SR_TIME_ISO_SIZE], finished[SR_TIME_ISO_SIZE];
    char signature[SR_TRUST_TEXT];
    if (o->json) {
        sr_output_document(o, manifest_json(store, set, m, proofs, trust, closed));
        return;
    }
    sr_report_label(m->label, label);
    sr_time_iso(m->created_at, created);
    sr_time_iso(m->finished_at, finished);
    text_print(o, "set", m->set);
    text_print(o, "label", label);
    text_print(o, "source", m->source);
    text_print(o, "store", store);
    text_print(o, "created", created);
    text_print(o, "finished", finished);
    text_print(o, "trigger", m->trigger);
    text_print(o, "host", m->host);
    if (m->detail) {
        text_print(o, "server", m->detail->server);
        text_print(o, "user", m->detail->user);
        strings_print(o, "roles", &m->detail->roles);
        strings_print(o, "extensions", &m->detail->extensions);
    }
    strings_print(o, "recipients", &m->recipients);
    text_print(o, "made by", m->strongroom_version);
    strings_print(o, "with", &m->tools);
    strings_print(o, "notes", &m->notes);
    sr_trust_text(trust, signature);
    text_print(o, "signature", signature);
    text_print(o, "proven", sr_rung_name(proofs->standing.rung));
    sr_proofs_print(o, proofs);
    text_print(o, "hold", set->held ? "kept until it is released" : NULL);
    for (size_t i = 0; i < m->objects_len; i++)
        object_print(o, &m->objects[i]);
    if (m->detail)
        rows_print(o, m->detail);
    else if (m->detail_key)
        sr_output_line(o, "host, tables and rows: %s (%s)", closed ? closed : "encrypted",
                       m->detail_key);
}
