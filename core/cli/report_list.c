#include "config.h"
#include "core/cli/report.h"
#include "core/cli/report_proofs.h"
#include "core/cli/table.h"
#include "core/engine/retention_policy.h"
#include "core/util/text.h"

#include <stdio.h>

json_t *sr_trust_json(const struct sr_trust *t)
{
    return json_pack("{s:s, s:o, s:o}", "state", sr_trust_name(t->state), "by",
                     sr_json_text_or_null(*t->by ? t->by : NULL), "why",
                     sr_json_text_or_null(*t->why ? t->why : NULL));
}

void sr_trust_text(const struct sr_trust *t, char out[SR_TRUST_TEXT])
{
    const char *state = t->state == SR_TRUST_UNCHECKED ? "not checked" : sr_trust_name(t->state);
    (void)snprintf(out, SR_TRUST_TEXT, "%s%s%s%s%s", state, *t->by ? " by " : "", t->by,
                   *t->why ? ": " : "", t->why);
}

static json_t *trust_json(const struct sr_listing *l, const struct sr_listing_entry *e)
{
    const struct sr_trust known = {.state = sr_listing_trust_of(l, e)};
    return sr_trust_json(e->trust ? e->trust : &known);
}

static json_t *entry_json(const struct sr_listing *l, const struct sr_listing_entry *e, int64_t now)
{
    /* For ever, or until newer ones come, is null; what would go now is kept until now. */
    json_t *until = e->kept_until < 0    ? json_null()
                    : e->kept_until == 0 ? sr_json_time(now)
                                         : sr_json_time(e->kept_until);
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o}", "set",
        sr_json_text_or_null(e->set), "label", sr_json_text_or_null(e->label), "source",
        sr_json_text_or_null(e->source), "created_at", sr_json_time(e->time), "trigger",
        sr_json_text_or_null(e->trigger), "size", sr_json_size(e->size), "encrypted",
        e->encrypted != 0, "stores", sr_json_strings(&e->stores), "proofs",
        sr_proof_names_json(&e->proofs), "rung",
        e->rung == SR_RUNG_NONE ? json_null() : json_string(sr_rung_name(e->rung)), "rung_since",
        e->rung_since < 0 ? json_null() : sr_json_time(e->rung_since), "failing",
        sr_json_strings(&e->failing), "hold", e->held != 0, "kept_until", until, "kept_because",
        sr_json_text_or_null(e->kept_because), "signature", trust_json(l, e));
}

struct listed {
    const struct sr_listing *l;
    int64_t now;
};

static json_t *listed_json(const void *ctx, size_t i)
{
    const struct listed *d = ctx;
    return entry_json(d->l, &d->l->items[i], d->now);
}

static void joined_cell(struct sr_table *t, const struct sr_strlist *l)
{
    struct sr_buf b;
    sr_buf_init(&b, 65536);
    for (size_t i = 0; i < l->len; i++)
        (void)sr_buf_printf(&b, "%s%s", i ? "," : "", l->items[i]);
    sr_table_cell(t, sr_buf_str(&b));
    sr_buf_done(&b);
}

/* "compared", or "re-read; FAILED in dr". */
static void proofs_cell(struct sr_table *t, const struct sr_listing_entry *e)
{
    struct sr_buf b;
    sr_buf_init(&b, 65536);
    if (e->rung != SR_RUNG_NONE)
        (void)sr_buf_adds(&b, sr_rung_name(e->rung));
    for (size_t i = 0; i < e->failing.len; i++)
        (void)sr_buf_printf(&b, "%s%s", i ? "," : "; FAILED in ", e->failing.items[i]);
    sr_table_cell(t, sr_buf_str(&b));
    sr_buf_done(&b);
}

/* Only where a key is set: elsewhere nobody could tell. */
static void signed_cell(struct sr_table *t, const struct sr_listing *l,
                        const struct sr_listing_entry *e)
{
    static const char *const words[] = {[SR_TRUST_UNCHECKED] = "?",
                                        [SR_TRUST_SIGNED] = "yes",
                                        [SR_TRUST_UNSIGNED] = "no",
                                        [SR_TRUST_BAD] = "BAD"};
    if (l->has_keys)
        sr_table_cell(t, words[sr_listing_trust_of(l, e)]);
}

static void entry_row(struct sr_table *t, const struct sr_listing *l,
                      const struct sr_listing_entry *e, int64_t now)
{
    char created[SR_TIME_ISO_SIZE], until[SR_TIME_ISO_SIZE], age[SR_AGE_TEXT], size[SR_SIZE_TEXT];
    sr_time_iso(e->time, created);
    sr_time_iso(e->kept_until, until);
    sr_report_age(now - e->time, age);
    sr_format_size(e->size, size);
    sr_table_cell(t, e->set);
    sr_table_cell(t, e->source);
    sr_table_cell(t, created);
    sr_table_cell(t, age);
    sr_table_cell(t, size);
    sr_table_cell(t, e->encrypted ? "yes" : "no");
    signed_cell(t, l, e);
    joined_cell(t, &e->stores);
    proofs_cell(t, e);
    sr_table_cell(t, e->kept_until == SR_RETENTION_NEWER ? "newer ones"
                     : e->kept_until < 0                 ? "for ever"
                     : e->kept_until == 0                ? "goes next"
                                                         : until);
    sr_table_cell(t, e->kept_because);
}

void sr_report_list(struct sr_output *o, const struct sr_listing *l,
                    const struct sr_strlist *missed, int64_t now)
{
    static const struct sr_column columns[] = {
        {"SET", 0}, {"SOURCE", 0}, {"CREATED", 0}, {"AGE", 1},        {"SIZE", 1},
        {"ENC", 0}, {"STORES", 0}, {"PROOFS", 0},  {"KEPT UNTIL", 0}, {"WHY", 0}};
    static const struct sr_column with_signed[] = {
        {"SET", 0},    {"SOURCE", 0}, {"CREATED", 0}, {"AGE", 1},        {"SIZE", 1}, {"ENC", 0},
        {"SIGNED", 0}, {"STORES", 0}, {"PROOFS", 0},  {"KEPT UNTIL", 0}, {"WHY", 0}};
    struct sr_table t;
    if (o->json) {
        static const struct sr_strlist none = {0};
        const struct listed d = {l, now};
        sr_output_stream(o, "backups", l->len, listed_json, &d);
        sr_output_stream_member(o, "missed", sr_json_strings(missed ? missed : &none));
        return;
    }
    if (l->len == 0)
        sr_output_line(o, "no backups");
    if (l->has_keys)
        sr_table_init(&t, with_signed, sizeof with_signed / sizeof *with_signed);
    else
        sr_table_init(&t, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < l->len; i++)
        entry_row(&t, l, &l->items[i], now);
    sr_table_print(&t, o);
    sr_table_done(&t);
}
