#include "config.h"
#include "core/cli/report.h"
#include "core/cli/report_rows.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHA_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SHA_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define WHEN 1763640301 /* 2025-11-20T12:05:01Z */

struct capture {
    char *text;
    size_t len;
    struct sr_output out;
};

static void begin(struct capture *c, int json)
{
    c->text = NULL;
    FILE *f = open_memstream(&c->text, &c->len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    sr_output_init(&c->out, f, json, 0);
}

/* The text; freed by the caller. */
static char *end_text(struct capture *c)
{
    struct sr_error err = SR_ERROR_INIT;
    ASSERT_OK(sr_output_finish(&c->out, NULL, 0, &err), err);
    return c->text;
}

/* The document; released by the caller. */
static json_t *end_json(struct capture *c)
{
    char *text = end_text(c);
    json_t *j = json_loads(text, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(j);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(j, "schema")), 1);
    free(text);
    return j;
}

#define HAS(text, part)                                                             \
    do {                                                                            \
        if (!strstr(text, part))                                                    \
            (void)fprintf(stderr, "%d: no '%s' in:\n%s\n", __LINE__, (part), text); \
        CU_ASSERT_PTR_NOT_NULL(strstr(text, part));                                 \
    } while (0)

/* Names of an object, in order, joined by blanks. */
static void names_are(const json_t *object, const char *want)
{
    char got[1024] = "";
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        size_t n = strlen(got);
        (void)snprintf(got + n, sizeof got - n, "%s%s", n ? " " : "", key);
    }
    CU_ASSERT_STRING_EQUAL(got, want);
}

static const char *text_of(const json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));
    return s ? s : "(no text)";
}

static struct sr_manifest *manifest_make(void)
{
    struct sr_manifest *m = NULL;
    CU_ASSERT_EQUAL_FATAL(sr_manifest_new(&m), SR_OK);
    m->format = 1;
    m->created_at = WHEN;
    m->finished_at = WHEN + 75;
    CU_ASSERT_EQUAL(sr_set_string(&m->set, "v1_x2F2-20251120120501"), SR_OK);
    CU_ASSERT_EQUAL(sr_set_string(&m->label, "v1_x2F2"), SR_OK);
    CU_ASSERT_EQUAL(sr_set_string(&m->source, "app"), SR_OK);
    CU_ASSERT_EQUAL(sr_set_string(&m->trigger, "cli"), SR_OK);
    CU_ASSERT_EQUAL(sr_set_string(&m->strongroom_version, "0.1.0"), SR_OK);
    static const char *const kinds[] = {"plain", "custom", "globals"};
    for (size_t i = 0; i < 3; i++) {
        struct sr_manifest_object *o = sr_manifest_add_object(m);
        CU_ASSERT_PTR_NOT_NULL_FATAL(o);
        char key[64];
        (void)snprintf(key, sizeof key, "key-%zu", i);
        CU_ASSERT_EQUAL(sr_set_string(&o->key, key), SR_OK);
        CU_ASSERT_EQUAL(sr_set_string(&o->kind, kinds[i]), SR_OK);
        CU_ASSERT_EQUAL(sr_set_string(&o->compression, "gzip"), SR_OK);
        CU_ASSERT_EQUAL(sr_set_string(&o->encryption, i == 1 ? "gpg-public" : "none"), SR_OK);
        o->size = 3u << 20;
        o->plain_size = 2u << 20;
        o->raw_size = i == 2 ? 0 : 1u << 30;
        memcpy(o->sha256, SHA_A, 65);
        memcpy(o->plain_sha256, SHA_B, 65);
    }
    CU_ASSERT_EQUAL(sr_strlist_add(&m->recipients, "FINGERPRINT"), SR_OK);
    CU_ASSERT_EQUAL(sr_strlist_add(&m->tools, "pg_dump 15.20"), SR_OK);
    CU_ASSERT_EQUAL(sr_strlist_add(&m->notes, "globals without role passwords"), SR_OK);
    return m;
}

static struct sr_detail *detail_make(void)
{
    struct sr_detail *d = NULL;
    CU_ASSERT_EQUAL_FATAL(sr_detail_new(&d), SR_OK);
    for (size_t i = 0; i < 2; i++) {
        struct sr_detail_object *o = sr_detail_add_object(d);
        CU_ASSERT_PTR_NOT_NULL_FATAL(o);
        CU_ASSERT_EQUAL(sr_set_string(&o->key, i ? "key-1" : "key-0"), SR_OK);
        CU_ASSERT_EQUAL(sr_set_string(&o->database, "app"), SR_OK);
        CU_ASSERT_EQUAL(sr_detail_add_rows(o, "public.users", 40), SR_OK);
        CU_ASSERT_EQUAL(sr_detail_add_rows(o, "public.\xFFodd\n", 2), SR_OK);
    }
    CU_ASSERT_EQUAL(sr_set_string(&d->host, "db1"), SR_OK);
    CU_ASSERT_EQUAL(sr_set_string(&d->server, "15.20"), SR_OK);
    return d;
}

static void backup_make(struct sr_backup_result *r)
{
    memset(r, 0, sizeof *r);
    r->manifest = manifest_make();
    r->detail = detail_make();
    r->seconds = 4.25;
    r->stores = calloc(2, sizeof *r->stores);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r->stores);
    r->stores_len = 2;
    (void)snprintf(r->stores[0].name, sizeof r->stores[0].name, "local");
    r->stores[0].ok = 1;
    r->stores[0].seconds = 4;
    (void)snprintf(r->stores[1].name, sizeof r->stores[1].name, "dr");
    (void)snprintf(r->stores[1].error, sizeof r->stores[1].error, "disk\033full");
    CU_ASSERT_EQUAL(sr_strlist_add(&r->pruned, "old-20250101000000"), SR_OK);
    CU_ASSERT_EQUAL(sr_strlist_add(&r->grants, "GRANT SELECT ON t TO u;"), SR_OK);
}

static void backup_drop(struct sr_backup_result *r)
{
    sr_manifest_free(r->manifest);
    sr_detail_free(r->detail);
    free(r->stores);
    sr_strlist_done(&r->pruned);
    sr_strlist_done(&r->plan);
    sr_strlist_done(&r->problems);
    sr_strlist_done(&r->grants);
}

static void backup_json(void)
{
    struct capture c;
    struct sr_backup_result r;
    backup_make(&r);
    begin(&c, 1);
    sr_report_backup(&c.out, &r, SR_E_PARTIAL);
    json_t *j = end_json(&c);
    names_are(j, "schema set label source created_at format trigger duration_seconds objects "
                 "stores pruned");
    CU_ASSERT_STRING_EQUAL(text_of(j, "set"), "v1_x2F2-20251120120501");
    CU_ASSERT_STRING_EQUAL(text_of(j, "label"), "v1/2");
    CU_ASSERT_STRING_EQUAL(text_of(j, "created_at"), "2025-11-20T12:05:01Z");
    CU_ASSERT_STRING_EQUAL(text_of(j, "format"), "plain,custom");
    CU_ASSERT_EQUAL(json_number_value(json_object_get(j, "duration_seconds")), 4.25);
    const json_t *o = json_array_get(json_object_get(j, "objects"), 0);
    names_are(o, "key kind database compression encryption size sha256 plain_sha256 plain_size "
                 "raw_size rows");
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(o, "size")), 3 << 20);
    CU_ASSERT_STRING_EQUAL(text_of(o, "sha256"), SHA_A);
    CU_ASSERT_STRING_EQUAL(text_of(o, "plain_sha256"), SHA_B);
    CU_ASSERT_STRING_EQUAL(text_of(o, "database"), "app");
    const json_t *rows = json_object_get(o, "rows");
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(rows, "public.users")), 40);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(rows, "public.\\xFFodd\n")), 2);
    o = json_array_get(json_object_get(j, "objects"), 2);
    CU_ASSERT(json_is_null(json_object_get(o, "rows")));
    CU_ASSERT(json_is_null(json_object_get(o, "raw_size")));
    const json_t *s = json_array_get(json_object_get(j, "stores"), 0);
    names_are(s, "name ok error seconds retried spooled_bytes locked_until");
    CU_ASSERT(json_is_true(json_object_get(s, "ok")));
    CU_ASSERT(json_is_null(json_object_get(s, "error")));
    s = json_array_get(json_object_get(j, "stores"), 1);
    CU_ASSERT(json_is_false(json_object_get(s, "ok")));
    CU_ASSERT_STRING_EQUAL(text_of(s, "error"), "disk\033full");
    json_decref(j);
    backup_drop(&r);
}

static void backup_text(void)
{
    struct capture c;
    struct sr_backup_result r;
    backup_make(&r);
    begin(&c, 0);
    sr_report_backup(&c.out, &r, SR_OK);
    char *text = end_text(&c);
    HAS(text, "backup v1_x2F2-20251120120501 of app done in 4.2 s\n");
    HAS(text, "3.00 MiB  aaaaaaaaaaaaaaaa  key-0\n");
    /* A plain and a custom dump of one database: its rows count once. */
    HAS(text, "rows: 42 in 2 tables\n");
    HAS(text, "store dr: FAILED: disk\\x1Bfull\n");
    HAS(text, "pruned: old-20250101000000\n");
    HAS(text, "note: globals without role passwords\n");
    free(text);
    backup_drop(&r);
}

static void backup_failed(void)
{
    struct capture c;
    struct sr_backup_result r;
    backup_make(&r);
    begin(&c, 1);
    sr_report_backup(&c.out, &r, SR_E_DENIED);
    json_t *j = end_json(&c);
    names_are(j, "schema stores problems grants duration_seconds");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_array_get(json_object_get(j, "grants"), 0)),
                           "GRANT SELECT ON t TO u;");
    CU_ASSERT(
        json_is_false(json_object_get(json_array_get(json_object_get(j, "stores"), 0), "ok")));
    json_decref(j);
    begin(&c, 0);
    sr_report_backup(&c.out, &r, SR_E_IO);
    char *text = end_text(&c);
    HAS(text, "store dr: FAILED");
    CU_ASSERT_PTR_NULL(strstr(text, "done in"));
    CU_ASSERT_PTR_NULL(strstr(text, "holds it"));
    CU_ASSERT_PTR_NULL(strstr(text, "local"));
    free(text);
    backup_drop(&r);
    /* As it is when the run did not come to anything. */
    memset(&r, 0, sizeof r);
    begin(&c, 1);
    sr_report_backup(&c.out, &r, SR_E_CONFIG);
    json_decref(end_json(&c));
}

static void backup_plan(void)
{
    struct capture c;
    struct sr_backup_result r;
    memset(&r, 0, sizeof r);
    CU_ASSERT_EQUAL(sr_strlist_add(&r.plan, "set x"), SR_OK);
    begin(&c, 1);
    sr_report_plan(&c.out, &r);
    json_t *j = end_json(&c);
    names_are(j, "schema dry_run plan");
    json_decref(j);
    begin(&c, 0);
    sr_report_plan(&c.out, &r);
    char *text = end_text(&c);
    CU_ASSERT_STRING_EQUAL(text, "set x\n");
    free(text);
    sr_strlist_done(&r.plan);
}

static void list_both(void)
{
    struct capture c;
    struct sr_listing_entry e[3];
    memset(e, 0, sizeof e);
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(e[i].set, sizeof e[i].set, "set-%zu", i);
        (void)snprintf(e[i].source, sizeof e[i].source, "app");
        (void)snprintf(e[i].label, sizeof e[i].label, "v1/2");
        e[i].time = WHEN;
        e[i].trigger = "cli";
        e[i].size = 512;
        e[i].encrypted = 4; /* any nonzero */
        e[i].kept_until = i == 0 ? -1 : i == 1 ? 0 : WHEN + 86400;
        CU_ASSERT_EQUAL(sr_strlist_add(&e[i].stores, "local"), SR_OK);
        CU_ASSERT_EQUAL(sr_strlist_add(&e[i].stores, "dr"), SR_OK);
    }
    e[0].held = 1;
    e[2].rung = SR_RUNG_OPENED;
    CU_ASSERT_EQUAL(sr_strlist_add(&e[2].proofs, "proof-opened-20251120120501.json") |
                        sr_strlist_add(&e[2].proofs, "proof-failed-reread-20251120120502.json") |
                        sr_strlist_add(&e[2].proofs, "proof-flown-20251120120502.json") |
                        sr_strlist_add(&e[2].failing, "dr"),
                    SR_OK);
    e[0].kept_because = (char *)(uintptr_t) "on hold";
    const struct sr_listing l = {.items = e, .len = 3}, none = {.len = 0};
    begin(&c, 1);
    sr_report_list(&c.out, &l, NULL, WHEN + 7200);
    json_t *j = end_json(&c);
    names_are(j, "schema backups missed");
    const json_t *a = json_object_get(j, "backups");
    CU_ASSERT_EQUAL(json_array_size(a), 3);
    const json_t *b = json_array_get(a, 0);
    names_are(b, "set label source created_at trigger size encrypted stores proofs rung rung_since "
                 "failing hold kept_until "
                 "kept_because signature");
    CU_ASSERT_STRING_EQUAL(text_of(json_object_get(b, "signature"), "state"), "unchecked");
    CU_ASSERT(json_is_true(json_object_get(b, "hold")));
    CU_ASSERT(json_is_true(json_object_get(b, "encrypted")));
    CU_ASSERT(json_is_null(json_object_get(b, "kept_until")));
    CU_ASSERT_STRING_EQUAL(text_of(b, "kept_because"), "on hold");
    CU_ASSERT_STRING_EQUAL(text_of(json_array_get(a, 1), "kept_until"), "2025-11-20T14:05:01Z");
    b = json_array_get(a, 2);
    CU_ASSERT_STRING_EQUAL(text_of(b, "kept_until"), "2025-11-21T12:05:01Z");
    CU_ASSERT_STRING_EQUAL(text_of(b, "rung"), "opened");
    const json_t *proofs = json_object_get(b, "proofs");
    CU_ASSERT_EQUAL(json_array_size(proofs), 2);
    names_are(json_array_get(proofs, 1), "rung outcome time");
    CU_ASSERT_STRING_EQUAL(text_of(json_array_get(proofs, 1), "rung"), "re-read");
    CU_ASSERT_STRING_EQUAL(text_of(json_array_get(proofs, 1), "outcome"), "failed");
    CU_ASSERT_STRING_EQUAL(text_of(json_array_get(proofs, 0), "time"), "2025-11-20T12:05:01Z");
    json_decref(j);

    begin(&c, 0);
    sr_report_list(&c.out, &l, NULL, WHEN + 7200);
    char *text = end_text(&c);
    HAS(text,
        "SET    SOURCE  CREATED               AGE   SIZE  ENC  STORES    PROOFS                "
        "KEPT UNTIL");
    HAS(text, "set-0  app     2025-11-20T12:05:01Z  2 h  512 B  yes  local,dr  -             "
              "        for ever              on hold\n");
    HAS(text, "goes next");
    HAS(text, "opened; FAILED in dr");
    free(text);

    /* A host that can check them: of what was not looked at, names tell. */
    struct sr_trust forged = {.state = SR_TRUST_BAD, .why = "it does not fit"};
    const struct sr_listing keys = {.items = e, .len = 3, .has_keys = 1};
    struct sr_strlist missed = {0};
    CU_ASSERT_EQUAL(sr_strlist_add(&missed, "the newest is gone"), SR_OK);
    e[0].trust = &forged;
    e[1].unsigned_copies = 1;
    begin(&c, 0);
    sr_report_list(&c.out, &keys, &missed, WHEN + 7200);
    text = end_text(&c);
    HAS(text, "ENC  SIGNED  STORES");
    HAS(text, " yes  BAD     local,dr");
    HAS(text, " no      ");
    HAS(text, " ?       ");
    free(text);
    begin(&c, 1);
    sr_report_list(&c.out, &keys, &missed, WHEN + 7200);
    j = end_json(&c);
    b = json_object_get(json_array_get(json_object_get(j, "backups"), 0), "signature");
    names_are(b, "state by why");
    CU_ASSERT_STRING_EQUAL(text_of(b, "state"), "bad");
    CU_ASSERT_STRING_EQUAL(text_of(b, "why"), "it does not fit");
    CU_ASSERT_EQUAL(json_array_size(json_object_get(j, "missed")), 1);
    json_decref(j);
    sr_strlist_done(&missed);

    begin(&c, 0);
    sr_report_list(&c.out, &none, NULL, WHEN);
    text = end_text(&c);
    CU_ASSERT_STRING_EQUAL(text, "no backups\n");
    free(text);
    begin(&c, 1);
    sr_report_list(&c.out, &none, NULL, WHEN);
    j = end_json(&c);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(j, "backups")), 0);
    CU_ASSERT(json_is_array(json_object_get(j, "backups")));
    json_decref(j);
    for (size_t i = 0; i < 3; i++) {
        sr_strlist_done(&e[i].stores);
        sr_strlist_done(&e[i].proofs);
        sr_strlist_done(&e[i].failing);
    }
}

static void show_both(void)
{
    struct capture c;
    struct sr_manifest *m = manifest_make();
    struct sr_catalog_set set;
    struct sr_proof_seen seen[2];
    struct sr_proofs proofs = {.items = seen, .len = 2, .left = 3};
    static const char closed[] = "encrypted; the key is not here";
    const struct sr_trust trust = {.state = SR_TRUST_SIGNED, .by = "HMAC key 0123456789abcdef"};
    memset(&set, 0, sizeof set);
    set.held = 1;
    memset(seen, 0, sizeof seen);
    (void)snprintf(seen[0].suffix, sizeof seen[0].suffix, "%s", "proof-opened-20251120120501.json");
    seen[0].proof.name = (struct sr_proof_name){SR_RUNG_OPENED, 0, WHEN};
    seen[0].proof.host = (char *)(uintptr_t) "vault";
    (void)snprintf(seen[1].suffix, sizeof seen[1].suffix, "%s", "proof-reread-20251120120501.json");
    seen[1].bad = (char *)(uintptr_t) "it is a proof of another backup";
    proofs.standing.rung = SR_RUNG_OPENED;
    begin(&c, 1);
    sr_report_manifest(&c.out, "dr", &set, m, &proofs, &trust, NULL);
    json_t *j = end_json(&c);
    names_are(
        j, "schema format set label source created_at finished_at trigger strongroom_version "
           "store encrypted host hold proofs recipients tools notes detail detail_closed objects "
           "rung signature");
    CU_ASSERT(json_is_true(json_object_get(j, "encrypted")));
    CU_ASSERT(json_is_true(json_object_get(j, "hold")));
    CU_ASSERT(json_is_null(json_object_get(j, "detail")));
    CU_ASSERT_STRING_EQUAL(text_of(j, "rung"), "opened");
    const json_t *one = json_array_get(json_object_get(j, "proofs"), 0);
    names_are(one, "rung outcome time problem host store bytes duration_seconds checked error");
    CU_ASSERT_STRING_EQUAL(text_of(one, "rung"), "opened");
    CU_ASSERT_STRING_EQUAL(text_of(one, "outcome"), "passed");
    CU_ASSERT_STRING_EQUAL(text_of(one, "host"), "vault");
    CU_ASSERT_STRING_EQUAL(text_of(json_array_get(json_object_get(j, "proofs"), 1), "problem"),
                           seen[1].bad);
    json_decref(j);

    CU_ASSERT_EQUAL(sr_set_string(&m->detail_key, "x.detail.json.gz.gpg"), SR_OK);
    begin(&c, 0);
    sr_report_manifest(&c.out, "dr", &set, m, &proofs, &trust, closed);
    char *text = end_text(&c);
    HAS(text, "label       v1/2\n");
    HAS(text, "created     2025-11-20T12:05:01Z\nfinished    2025-11-20T12:06:16Z\n");
    HAS(text, "hold        kept until it is released\n");
    HAS(text, "proven      opened\nproofs      2025-11-20T12:05:01Z opened on vault\n"
              "            proof-reread-20251120120501.json counts for nothing: it is a proof of "
              "another backup\n            and 3 older ones\n");
    HAS(text, "  stored    3.00 MiB (3145728 bytes), SHA-256 " SHA_A "\n");
    HAS(text, "host, tables and rows: encrypted; the key is not here (x.detail.json.gz.gpg)\n");
    free(text);
    begin(&c, 1);
    sr_report_manifest(&c.out, "dr", &set, m, &proofs, &trust, closed);
    j = end_json(&c);
    CU_ASSERT_STRING_EQUAL(text_of(j, "detail_closed"), closed);
    json_decref(j);

    m->detail = detail_make();
    begin(&c, 0);
    sr_report_manifest(&c.out, "dr", &set, m, &proofs, &trust, NULL);
    text = end_text(&c);
    HAS(text, "server      15.20\n");
    HAS(text, "  40  public.users");
    HAS(text, "public.\\xFFodd\\n");
    free(text);
    begin(&c, 1);
    sr_report_manifest(&c.out, "dr", &set, m, &proofs, &trust, NULL);
    j = end_json(&c);
    CU_ASSERT_STRING_EQUAL(text_of(json_object_get(j, "detail"), "host"), "db1");
    CU_ASSERT(json_is_null(json_object_get(j, "detail_closed")));
    json_decref(j);
    sr_manifest_free(m);
}

static void verify_both(void)
{
    struct capture c;
    struct sr_verify_object o[3];
    memset(o, 0, sizeof o);
    for (size_t i = 0; i < 3; i++) {
        o[i].key = (char *)(uintptr_t) "key";
        o[i].size = 10;
        o[i].rung = (enum sr_verify_rung)i;
    }
    o[0].note = (char *)(uintptr_t) "digest differs";
    struct sr_verified v;
    memset(&v, 0, sizeof v);
    v.store = "local";
    v.result.objects = o;
    v.result.len = 3;
    begin(&c, 1);
    sr_report_verified(&c.out, &v, 1, 7);
    json_t *j = end_json(&c);
    const json_t *one = json_array_get(json_object_get(j, "verified"), 0);
    names_are(one, "set source store rung objects recorded not_recorded duration_seconds signature "
                   "error");
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(j, "left")), 7);
    CU_ASSERT_STRING_EQUAL(text_of(one, "rung"), "failed");
    const json_t *objects = json_object_get(one, "objects");
    names_are(json_array_get(objects, 0), "key rung size note");
    CU_ASSERT_STRING_EQUAL(text_of(json_array_get(objects, 1), "rung"), "re-read");
    CU_ASSERT_STRING_EQUAL(text_of(json_array_get(objects, 2), "rung"), "opened");
    json_decref(j);
    begin(&c, 0);
    sr_report_verified(&c.out, &v, 1, 7);
    char *text = end_text(&c);
    HAS(text, "FAILED   10 B  local  key     digest differs\n");
    HAS(text, "opened   10 B  local  key     -\n");
    HAS(text, "7 more are left for another time\n");
    free(text);
}

static void prune_both(void)
{
    struct capture c;
    struct sr_prune_item items[5];
    memset(items, 0, sizeof items);
    for (size_t i = 0; i < 5; i++) {
        (void)snprintf(items[i].set, sizeof items[i].set, "set-%zu", i);
        items[i].outcome = (enum sr_prune_outcome)i;
        items[i].time = WHEN;
        items[i].kept_until = i == 0 ? -1 : WHEN;
        items[i].reason = (char *)(uintptr_t) "rule";
    }
    items[1].freed = 2048;
    const struct sr_prune_result r = {items, 5};
    begin(&c, 1);
    sr_report_prune(&c.out, &r, 1, WHEN);
    json_t *j = end_json(&c);
    names_are(j, "schema dry_run at sets");
    const json_t *a = json_object_get(j, "sets");
    names_are(json_array_get(a, 0), "set source store created_at outcome kept_until reason freed");
    static const char *const names[] = {"kept", "dropped", "hidden", "locked", "failed"};
    for (size_t i = 0; i < 5; i++)
        CU_ASSERT_STRING_EQUAL(text_of(json_array_get(a, i), "outcome"), names[i]);
    CU_ASSERT(json_is_null(json_object_get(json_array_get(a, 0), "kept_until")));
    json_decref(j);
    begin(&c, 0);
    sr_report_prune(&c.out, &r, 1, WHEN);
    char *text = end_text(&c);
    HAS(text, "would go");
    HAS(text, "2 of 5 would be dropped, 2.00 KiB in all\n");
    free(text);
    begin(&c, 0);
    sr_report_prune(&c.out, &r, 0, WHEN);
    text = end_text(&c);
    HAS(text, "2 of 5 dropped, 2.00 KiB freed\n");
    free(text);
}

static void small_ones(void)
{
    struct capture c;
    struct sr_restore_result restored = {.what = (char *)(uintptr_t) "key",
                                         .target = (char *)(uintptr_t) "u@h:5432/d",
                                         .tables = 3,
                                         .bytes = 4096,
                                         .connections_ended = 1,
                                         .seconds = 3700};
    CU_ASSERT_EQUAL(sr_strlist_add(&restored.notes, "migrate"), SR_OK);
    begin(&c, 0);
    sr_report_restore(&c.out, &restored);
    char *text = end_text(&c);
    CU_ASSERT_STRING_EQUAL(text,
                           "restored key into u@h:5432/d: 3 tables, 4.00 KiB read, 1 h 1 min\n"
                           "ended 1 other connection of that database\n"
                           "note: migrate\n");
    free(text);
    begin(&c, 1);
    sr_report_restore(&c.out, &restored);
    json_t *j = end_json(&c);
    names_are(j, "schema what target tables bytes connections_ended duration_seconds notes");
    json_decref(j);
    sr_strlist_done(&restored.notes);

    struct sr_swept item = {(char *)(uintptr_t) "", (char *)(uintptr_t) "spool/x", 100,
                            (char *)(uintptr_t) "a dead run"};
    struct sr_sweep_result swept = {&item, 1};
    begin(&c, 0);
    sr_report_sweep(&c.out, &swept, 1);
    text = end_text(&c);
    HAS(text, "here   100 B  spool/x  a dead run\n1 would be swept\n");
    free(text);
    begin(&c, 1);
    sr_report_sweep(&c.out, &swept, 0);
    j = end_json(&c);
    names_are(j, "schema dry_run swept");
    CU_ASSERT(
        json_is_null(json_object_get(json_array_get(json_object_get(j, "swept"), 0), "store")));
    json_decref(j);
    swept.len = 0;
    begin(&c, 0);
    sr_report_sweep(&c.out, &swept, 0);
    text = end_text(&c);
    CU_ASSERT_STRING_EQUAL(text, "nothing to sweep\n");
    free(text);

    struct sr_doctor_line lines[] = {
        {SR_DOCTOR_OK, (char *)(uintptr_t) "store local", (char *)(uintptr_t) "fine", NULL},
        {SR_DOCTOR_NOTE, (char *)(uintptr_t) "disk", (char *)(uintptr_t) "narrow", NULL},
        {SR_DOCTOR_BLOCKER, (char *)(uintptr_t) "key", (char *)(uintptr_t) "expired",
         (char *)(uintptr_t) "make a new one"}};
    const struct sr_doctor_result d = {lines, 3, 1};
    begin(&c, 0);
    sr_report_doctor(&c.out, &d);
    text = end_text(&c);
    CU_ASSERT_STRING_EQUAL(text, "ok      store local: fine\nnote    disk: narrow\nBLOCKER key: "
                                 "expired\n        to do: make a new one\n");
    free(text);
    begin(&c, 1);
    sr_report_doctor(&c.out, &d);
    j = end_json(&c);
    names_are(j, "schema blockers checks");
    json_decref(j);
}

static void words(void)
{
    char age[SR_AGE_TEXT], took[SR_SPAN_TEXT], label[SR_LABEL_TEXT_MAX];
    static const struct {
        int64_t seconds;
        const char *text;
    } ages[] = {{0, "0 s"},
                {119, "119 s"},
                {120, "2 min"},
                {7199, "119 min"},
                {7200, "2 h"},
                {172799, "47 h"},
                {172800, "2 d"},
                {-1, "future"},
                {86400 * 729, "729 d"},
                {INT64_C(86400) * 730, "2 y"}};
    for (size_t i = 0; i < sizeof ages / sizeof *ages; i++) {
        sr_report_age(ages[i].seconds, age);
        CU_ASSERT_STRING_EQUAL(age, ages[i].text);
    }
    sr_report_age(INT64_MAX, age);
    CU_ASSERT(strlen(age) < sizeof age);
    static const struct {
        double seconds;
        const char *text;
    } spans[] = {
        {0.04, "0.0 s"}, {-3, "0.0 s"}, {59.4, "59.4 s"}, {61, "1 min 1 s"}, {3600, "1 h 0 min"}};
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        sr_report_seconds(spans[i].seconds, took);
        CU_ASSERT_STRING_EQUAL(took, spans[i].text);
    }
    sr_report_seconds(1e300, took);
    CU_ASSERT(strlen(took) < sizeof took);
    sr_report_label("a_x2Fb", label);
    CU_ASSERT_STRING_EQUAL(label, "a/b");
}

static json_t *made(const void *ctx, size_t i)
{
    const char *const *names = ctx;
    return json_pack("{s:s, s:[i, i], s:[]}", "name", names[i], "numbers", (int)i, 7, "none");
}

/* Whether it was built or streamed, nobody can tell from the text. */
static void a_streamed_document_is_the_same(void)
{
    static const char *const names[] = {"a \"b\"\n\xc3\xa9", "", "c"};
    struct sr_error failure = SR_ERROR_INIT, err = SR_ERROR_INIT;
    sr_fail(&failure, SR_E_PARTIAL, "one of two");
    for (size_t n = 0; n <= 3; n += 3)
        for (int failed = 0; failed < 2; failed++) {
            struct capture built, streamed;
            json_t *a = json_array();
            begin(&built, 1);
            begin(&streamed, 1);
            for (size_t i = 0; i < n; i++)
                sr_json_append(&a, made(names, i));
            sr_output_document(&built.out, json_pack("{s:o, s:[s]}", "all", a, "more", "x"));
            sr_output_stream(&streamed.out, "all", n, made, names);
            sr_output_stream_member(&streamed.out, "more", json_pack("[s]", "x"));
            ASSERT_OK(sr_output_finish(&built.out, failed ? &failure : NULL, 3, &err), err);
            ASSERT_OK(sr_output_finish(&streamed.out, failed ? &failure : NULL, 3, &err), err);
            CU_ASSERT_STRING_EQUAL(built.text, streamed.text);
            free(built.text);
            free(streamed.text);
        }
}

static const struct unit_test tests[] = {
    {"a streamed document is the same", a_streamed_document_is_the_same},
    {"backup: JSON", backup_json},
    {"backup: text", backup_text},
    {"backup: failed", backup_failed},
    {"backup: plan", backup_plan},
    {"list", list_both},
    {"show", show_both},
    {"verify", verify_both},
    {"prune", prune_both},
    {"restore, sweep, doctor", small_ones},
    {"words", words},
    {NULL, NULL},
};

int main(void)
{
    return unit_main("report", tests);
}
