#include "config.h"
#include "core/catalog/manifest_json.h"
#include "core/util/buf.h"
#include "core/util/json.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#define SHA_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SHA_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define SET "pre-migration-20261120130501"

static void object_fill(struct sr_manifest_object *o, const char *key, const char *kind)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(o);
    CU_ASSERT_EQUAL(sr_set_string(&o->key, key), SR_OK);
    CU_ASSERT_EQUAL(sr_set_string(&o->kind, kind), SR_OK);
    CU_ASSERT_EQUAL(sr_set_string(&o->compression, "gzip"), SR_OK);
    CU_ASSERT_EQUAL(sr_set_string(&o->encryption, "none"), SR_OK);
    memcpy(o->sha256, SHA_A, 65);
    memcpy(o->plain_sha256, SHA_B, 65);
    o->size = o->plain_size = 1234;
    o->raw_size = UINT64_C(9007199254740993);
}

static struct sr_manifest *manifest_full(void)
{
    struct sr_manifest *m = NULL;
    CU_ASSERT_EQUAL_FATAL(sr_manifest_new(&m), SR_OK);
    int rc = sr_set_string(&m->set, SET) | sr_set_string(&m->label, "pre \"migration\" \xc3\xa9") |
             sr_set_string(&m->source, "shop") | sr_set_string(&m->trigger, "cli") |
             sr_set_string(&m->strongroom_version, "0.1.0") | sr_set_string(&m->host, "db1") |
             sr_strlist_add(&m->tools, "pg_dump 15.20") | sr_strlist_add(&m->notes, "a\nnote") |
             sr_strlist_add(&m->recipients, "0123456789ABCDEF0123456789ABCDEF01234567");
    CU_ASSERT_EQUAL(rc, SR_OK);
    m->created_at = 1795179901;
    m->finished_at = 1795179999;
    object_fill(sr_manifest_add_object(m), SET "-" SHA_B ".sql.gz", "plain");
    CU_ASSERT_EQUAL(sr_set_string(&m->objects[0].database, "shop"), SR_OK);
    object_fill(sr_manifest_add_object(m), SET "-" SHA_B ".globals.sql.gz", "globals");
    m->objects[1].raw_size = 0;
    m->objects[1].plain_sha256[0] = '\0';
    m->objects[1].plain_size = 0;
    CU_ASSERT_EQUAL(sr_detail_new(&m->detail), SR_OK);
    struct sr_detail_object *o = sr_detail_add_object(m->detail);
    CU_ASSERT_PTR_NOT_NULL_FATAL(o);
    rc = sr_set_string(&m->detail->host, "db1") | sr_set_string(&m->detail->server, "15.20") |
         sr_set_string(&m->detail->user, "u") | sr_set_string(&m->detail->set, SET) |
         sr_set_string(&o->key, m->objects[0].key) | sr_set_string(&o->database, "shop") |
         sr_detail_add_rows(o, "public.users", 12) | sr_detail_add_rows(o, "public.empty", 0) |
         sr_strlist_add(&m->detail->roles, "app") |
         sr_strlist_add(&m->detail->extensions, "citext");
    CU_ASSERT_EQUAL(rc, SR_OK);
    return m;
}

static char *text_of(const struct sr_manifest *m)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_buf b;
    sr_buf_init(&b, SR_MANIFEST_MAX);
    ASSERT_OK(sr_manifest_write(m, &b, &err), err);
    return sr_buf_steal(&b);
}

static void written_is_read_back(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_manifest *m = manifest_full(), *r = NULL;
    char *text = text_of(m);
    ASSERT_OK(sr_manifest_read(text, strlen(text), &r, &err), err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    CU_ASSERT_EQUAL(r->format, SR_MANIFEST_FORMAT);
    CU_ASSERT_STRING_EQUAL(r->set, SET);
    CU_ASSERT_STRING_EQUAL(r->label, "pre \"migration\" \xc3\xa9");
    CU_ASSERT_STRING_EQUAL(r->source, "shop");
    CU_ASSERT_STRING_EQUAL(r->trigger, "cli");
    CU_ASSERT_STRING_EQUAL(r->strongroom_version, "0.1.0");
    CU_ASSERT_STRING_EQUAL(r->host, "db1");
    CU_ASSERT_EQUAL(r->created_at, 1795179901);
    CU_ASSERT_EQUAL(r->finished_at, 1795179999);
    CU_ASSERT_EQUAL_FATAL(r->objects_len, 2);
    CU_ASSERT_STRING_EQUAL(r->objects[0].key, SET "-" SHA_B ".sql.gz");
    CU_ASSERT_STRING_EQUAL(r->objects[0].database, "shop");
    CU_ASSERT_STRING_EQUAL(r->objects[0].kind, "plain");
    CU_ASSERT_STRING_EQUAL(r->objects[0].sha256, SHA_A);
    CU_ASSERT_STRING_EQUAL(r->objects[0].plain_sha256, SHA_B);
    CU_ASSERT_EQUAL(r->objects[0].raw_size, UINT64_C(9007199254740993));
    CU_ASSERT_PTR_NULL(r->objects[1].database);
    CU_ASSERT_STRING_EQUAL(r->objects[1].plain_sha256, "");
    CU_ASSERT(sr_strlist_has(&r->notes, "a note"));
    CU_ASSERT(sr_strlist_has(&r->tools, "pg_dump 15.20"));
    CU_ASSERT_EQUAL(r->recipients.len, 1);
    CU_ASSERT_PTR_NULL(r->detail_key);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r->detail);
    CU_ASSERT_EQUAL_FATAL(r->detail->objects_len, 1);
    CU_ASSERT_EQUAL_FATAL(r->detail->objects[0].rows_len, 2);
    CU_ASSERT_STRING_EQUAL(r->detail->objects[0].rows[0].table, "public.users");
    CU_ASSERT_EQUAL(r->detail->objects[0].rows[0].rows, 12);
    CU_ASSERT(sr_strlist_has(&r->detail->roles, "app"));
    char *again = text_of(r);
    CU_ASSERT_STRING_EQUAL(again, text);
    free(again);
    free(text);
    sr_manifest_free(r);
    sr_manifest_free(m);
    sr_manifest_free(NULL);
    sr_detail_free(NULL);
}

/* Computed by another implementation, as the header has it; in Python:
 * json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False). */
static void digest_is_the_documented_one(void)
{
    struct sr_manifest *m = manifest_full();
    char *text = text_of(m);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "\n  \"digest\": "
                     "\"cf55bc8a4a1f61b5dfaa37fa416a2c76101a489cb87f755ce0a9a94fba216ad8\"\n}\n"));
    CU_ASSERT_EQUAL(strncmp(text, "{\n  \"format\": 1,\n  \"set\": \"" SET "\",\n", 40), 0);
    free(text);
    sr_manifest_free(m);
}

/* --- hostile texts -------------------------------------------------------------------------------
 */

/* Signs a document (given without digest) as a forger would, and reads it. */
static int read_forged(const char *json, struct sr_error *err)
{
    json_error_t je;
    struct sr_manifest *r = NULL;
    char hex[65];
    json_t *root = json_loads(json, 0, &je);
    if (!root)
        (void)fprintf(stderr, "%s in %s\n", je.text, json);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    CU_ASSERT_EQUAL_FATAL(sr_manifest_digest(root, hex, err), SR_OK);
    CU_ASSERT_EQUAL(json_object_set_new(root, "digest", json_string(hex)), 0);
    char *text = json_dumps(root, 0);
    int rc = sr_manifest_read(text, strlen(text), &r, err);
    CU_ASSERT((rc == SR_OK) == (r != NULL));
    sr_manifest_free(r);
    free(text);
    json_decref(root);
    return rc;
}

#define OBJECT(key, more)                                                                       \
    "{\"key\":\"" key "\",\"kind\":\"plain\",\"compression\":\"gzip\",\"encryption\":\"none\"," \
    "\"size\":1,\"sha256\":\"" SHA_A "\"" more "}"
#define DOCUMENT(set, source, objects, more)                                       \
    "{\"format\":1,\"set\":\"" set "\",\"source\":\"" source "\",\"label\":\"l\"," \
    "\"created_at\":\"2026-11-20T13:05:01Z\",\"objects\":[" objects "]" more "}"
#define FINE DOCUMENT("s", "app", OBJECT("s.sql.gz", ""), "")

static void forged(const char *json, int code, const char *expected)
{
    struct sr_error err = SR_ERROR_INIT;
    int rc = read_forged(json, &err);
    CU_ASSERT_EQUAL(rc, code);
    if (code == SR_OK)
        return;
    if (!strstr(err.text, expected))
        (void)fprintf(stderr, "expected \"%s\" in: %s\n", expected, err.text);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, expected));
}

static void hostile_members_are_refused(void)
{
    forged(FINE, SR_OK, "");
    forged(DOCUMENT("s", "app", OBJECT("s.sql.gz", ""), ",\"later\":{\"x\":[1,2.5,null]}"), SR_OK,
           "");
    forged(DOCUMENT("s", "app", OBJECT("s.sql.gz", ",\"later\":1"), ",\"host\":null"), SR_OK, "");
    forged("{}", SR_E_CORRUPT, "\"format\" is missing");
    forged("{\"format\":2}", SR_E_UNSUPPORTED, "format 2, this strongroom reads up to 1");
    forged("{\"format\":0}", SR_E_CORRUPT, "format 0");
    forged("{\"format\":-1}", SR_E_CORRUPT, "not a number from 0");
    forged("{\"format\":\"1\"}", SR_E_CORRUPT, "is not a whole number");
    forged("{\"format\":1.0}", SR_E_CORRUPT, "is not a whole number");
    forged("{\"format\":1}", SR_E_CORRUPT, "\"set\" is missing");
    forged(DOCUMENT("../s", "app", OBJECT("s.sql.gz", ""), ""), SR_E_CORRUPT, "no names of ours");
    forged(DOCUMENT("s", "a.b", OBJECT("s.sql.gz", ""), ""), SR_E_CORRUPT, "no names of ours");
    forged(DOCUMENT("", "app", OBJECT("s.sql.gz", ""), ""), SR_E_CORRUPT, "no names of ours");
    forged(DOCUMENT(SHA_A SHA_A, "app", OBJECT("s.sql.gz", ""), ""), SR_E_CORRUPT,
           "\"set\" is longer than 79 bytes");
    forged(DOCUMENT("s", SHA_A, OBJECT("s.sql.gz", ""), ""), SR_E_CORRUPT, "\"source\" is longer");
    forged(DOCUMENT("s", "app", "", ""), SR_E_CORRUPT, "it names no objects");
    forged(DOCUMENT("s", "app", "7", ""), SR_E_CORRUPT, "object 1: it is no object");
    forged(DOCUMENT("s", "app", OBJECT("t.sql.gz", ""), ""), SR_E_CORRUPT,
           "object 1: member \"key\" names t.sql.gz, which does not belong to the set");
    forged(DOCUMENT("s", "app", OBJECT("s-20261120130501.sql.gz", ""), ""), SR_E_CORRUPT,
           "does not belong");
    forged(DOCUMENT("s", "app", OBJECT("s./../../etc/passwd", ""), ""), SR_E_CORRUPT,
           "no legal key");
    forged(DOCUMENT("s", "app", OBJECT("s.d/x.sql.gz", ""), ""), SR_E_CORRUPT, "does not belong");
    forged(DOCUMENT("s", "app", OBJECT("s.other.manifest.json", ""), ""), SR_E_CORRUPT,
           "is no data");
    forged(DOCUMENT("s", "app", OBJECT("s.app.hold", ""), ""), SR_E_CORRUPT, "is no data");
    forged(DOCUMENT("s", "app", OBJECT("s.sql.gz", "") "," OBJECT("s.sql.gz", ""), ""),
           SR_E_CORRUPT, "object s.sql.gz is named twice");
    forged(DOCUMENT("s", "app", OBJECT("s.sql.gz", ",\"plain_size\":-1"), ""), SR_E_CORRUPT,
           "\"plain_size\" is not a number");
    forged(DOCUMENT("s", "app", OBJECT("s.sql.gz", ",\"plain_sha256\":\"ABC\""), ""), SR_E_CORRUPT,
           "\"plain_sha256\" is no SHA-256");
    forged(DOCUMENT("s", "app", OBJECT("s.sql.gz", ",\"database\":[]"), ""), SR_E_CORRUPT,
           "\"database\" is not a string");
    forged(DOCUMENT("s", "app", "{\"key\":\"s.sql.gz\",\"kind\":\"Pl in\"}", ""), SR_E_CORRUPT,
           "\"kind\" is no word");
    forged(DOCUMENT("s", "app", OBJECT("s.sql.gz", ""), ",\"host\":\"a\\u001b[2J\""), SR_E_CORRUPT,
           "\"host\" has a control character");
    forged(DOCUMENT("s", "app", OBJECT("s.sql.gz", ""), ",\"finished_at\":\"soon\""), SR_E_CORRUPT,
           "\"finished_at\" is no time");
    forged(DOCUMENT("s", "app", OBJECT("s.sql.gz", ""), ",\"tools\":[1]"), SR_E_CORRUPT,
           "\"tools\" holds something other");
    forged(DOCUMENT("s", "app", OBJECT("s.sql.gz", ""), ",\"notes\":{}"), SR_E_CORRUPT,
           "\"notes\" is not an array");
    forged(DOCUMENT("s", "app", OBJECT("s.sql.gz", ""), ",\"detail_key\":\"t.app.detail.json.gz\""),
           SR_E_CORRUPT, "does not belong");
    forged(DOCUMENT("s", "app", OBJECT("s.sql.gz", ""), ",\"detail\":[]"), SR_E_CORRUPT,
           "\"detail\" is not an object");
    forged(DOCUMENT("s", "app", OBJECT("s.sql.gz", ""), ",\"detail\":{\"format\":1}"), SR_E_CORRUPT,
           "the detail: member \"objects\" is missing");
    forged(DOCUMENT("s", "app", OBJECT("s.sql.gz", ""),
                    ",\"detail\":{\"format\":1,\"objects\":[{\"key\":\"s.sql.gz\",\"rows\":"
                    "{\"t\":-1}}]}"),
           SR_E_CORRUPT, "a number of rows that is none");
    forged(DOCUMENT("s", "app", OBJECT("s.sql.gz", ""),
                    ",\"detail\":{\"format\":1,\"objects\":[{\"key\":\"/\"}]}"),
           SR_E_CORRUPT, "the detail: object 1");
    forged(DOCUMENT("s", "app", OBJECT("s.sql.gz", ""), ",\"detail\":{\"format\":9}"),
           SR_E_UNSUPPORTED, "format 9");
}

static void refused_text(const char *text, size_t len, const char *expected)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_manifest *r = NULL;
    CU_ASSERT_EQUAL(sr_manifest_read(text, len, &r, &err), SR_E_CORRUPT);
    CU_ASSERT_PTR_NULL(r);
    if (!strstr(err.text, expected))
        (void)fprintf(stderr, "expected \"%s\" in: %s\n", expected, err.text);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, expected));
}

#define REFUSED(text, expected) refused_text(text, sizeof text - 1, expected)

static void hostile_texts_are_refused(void)
{
    REFUSED("", "no valid JSON");
    REFUSED("[]", "no JSON object");
    REFUSED("{\"a\":1,\"a\":2}", "duplicate");
    REFUSED("{\"a\":\"\\u0000\"}", "no valid JSON");
    REFUSED("{\"a\":\"\xff\"}", "no valid JSON");
    REFUSED("{} x", "no valid JSON");
    REFUSED("{\"a\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}", "nested deeper than 16");
    REFUSED("\"[[[[[[[[[[[[[[[[[[[[[[[[\"", "no valid JSON");
    struct sr_buf b;
    sr_buf_init(&b, 64 << 20);
    (void)sr_buf_adds(&b, "{\"a\":[0");
    for (int i = 0; i < 1000001; i++)
        (void)sr_buf_adds(&b, ",0");
    (void)sr_buf_adds(&b, "]}");
    refused_text(b.data, b.len, "more than 1000000 values");
    while (b.len <= SR_MANIFEST_MAX)
        (void)sr_buf_adds(&b, "                                                                ");
    refused_text(b.data, b.len, "at most 16777216 are allowed");
    sr_buf_done(&b);
}

/* Any single changed byte is found, or changes nothing that is said. */
static void each_damaged_byte_is_found(void)
{
    struct sr_manifest *m = manifest_full();
    char *text = text_of(m);
    size_t len = strlen(text), found = 0;
    for (size_t i = 0; i < len; i++) {
        struct sr_manifest *r = NULL;
        char was = text[i];
        text[i] = (char)(was ^ 1);
        if (sr_manifest_read(text, len, &r, NULL) != SR_OK) {
            found++;
        } else {
            text[i] = was;
            char *again = text_of(r);
            CU_ASSERT_STRING_EQUAL(again, text);
            free(again);
        }
        sr_manifest_free(r);
        text[i] = was;
        if (i < len - 1) /* the last newline says nothing */
            CU_ASSERT_NOT_EQUAL(sr_manifest_read(text, i, &r, NULL), SR_OK);
    }
    CU_ASSERT(found > len * 3 / 4);
    free(text);
    sr_manifest_free(m);
}

static void digest_covers_what_we_do_not_know(void)
{
    char text[2048];
    struct sr_manifest *r = NULL;
    struct sr_error err = SR_ERROR_INIT;
    (void)snprintf(text, sizeof text, "%.*s,\"digest\":\"" SHA_A "\"}", (int)strlen(FINE) - 1,
                   FINE);
    CU_ASSERT_EQUAL(sr_manifest_read(text, strlen(text), &r, &err), SR_E_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "damaged or changed"));
    CU_ASSERT_EQUAL(sr_manifest_read(FINE, strlen(FINE), &r, &err), SR_E_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "\"digest\" is missing"));
}

/* --- writing what is odd
 * --------------------------------------------------------------------------- */

static void odd_names_can_be_written(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_manifest *m = manifest_full(), *r = NULL;
    struct sr_detail_object *o = &m->detail->objects[0];
    CU_ASSERT_EQUAL(sr_detail_add_rows(o, "public.caf\xe9", 5), SR_OK);
    CU_ASSERT_EQUAL(sr_detail_add_rows(o, "public.\"a\nb\"", 6), SR_OK);
    CU_ASSERT_EQUAL(sr_detail_add_rows(o, "public.users", 30), SR_OK);
    CU_ASSERT_EQUAL(sr_set_string(&m->objects[0].database, "x\xff\xc3\xa9\xed\xa0\x80"), SR_OK);
    char *text = text_of(m);
    ASSERT_OK(sr_manifest_read(text, strlen(text), &r, &err), err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    CU_ASSERT_STRING_EQUAL(r->objects[0].database, "x\\xFF\xc3\xa9\\xED\\xA0\\x80");
    CU_ASSERT_EQUAL_FATAL(r->detail->objects[0].rows_len, 4);
    CU_ASSERT_EQUAL(r->detail->objects[0].rows[0].rows, 42);
    CU_ASSERT_STRING_EQUAL(r->detail->objects[0].rows[2].table, "public.caf\\xE9");
    CU_ASSERT_STRING_EQUAL(r->detail->objects[0].rows[3].table, "public.\"a\nb\"");
    free(text);
    sr_manifest_free(r);
    sr_manifest_free(m);
}

static void unreadable_is_not_written(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_manifest *m = manifest_full();
    struct sr_buf b;
    sr_buf_init(&b, SR_MANIFEST_MAX);
    CU_ASSERT_EQUAL(sr_set_string(&m->objects[0].key, "other.sql.gz"), SR_OK);
    CU_ASSERT_EQUAL(sr_manifest_write(m, &b, &err), SR_E_INTERNAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "cannot be read back"));
    CU_ASSERT_EQUAL(b.len, 0);
    CU_ASSERT_EQUAL(sr_manifest_write(m, &b, NULL), SR_E_INTERNAL);
    sr_manifest_free(m);
    CU_ASSERT_EQUAL_FATAL(sr_manifest_new(&m), SR_OK);
    CU_ASSERT_EQUAL(sr_manifest_write(m, &b, &err), SR_E_INTERNAL);
    sr_manifest_free(m);
    m = manifest_full();
    struct sr_buf small;
    sr_buf_init(&small, 100);
    CU_ASSERT_EQUAL(sr_manifest_write(m, &small, &err), SR_E_NO_SPACE);
    CU_ASSERT_EQUAL(small.len, 0);
    sr_buf_done(&small);
    sr_buf_done(&b);
    sr_manifest_free(m);
}

static void too_many_tables_cost_only_the_counts(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_manifest *m = manifest_full(), *r = NULL;
    for (int i = 0; i < 150000; i++) {
        char table[160];
        (void)snprintf(table, sizeof table, "public.%0100d", i);
        CU_ASSERT_EQUAL_FATAL(sr_detail_add_rows(&m->detail->objects[0], table, 1), SR_OK);
    }
    char *text = text_of(m);
    ASSERT_OK(sr_manifest_read(text, strlen(text), &r, &err), err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    CU_ASSERT_EQUAL(r->detail->objects[0].rows_len, 0);
    CU_ASSERT(sr_strlist_has(&r->notes, "row counts left out: there are too many tables"));
    free(text);
    sr_manifest_free(r);
    sr_manifest_free(m);
}

static void detail_alone_makes_the_round_trip(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_manifest *m = manifest_full();
    struct sr_detail *d = NULL;
    struct sr_buf b, small;
    sr_buf_init(&b, SR_DETAIL_MAX);
    sr_buf_init(&small, 20);
    ASSERT_OK(sr_detail_write(m->detail, &b, &err), err);
    CU_ASSERT_EQUAL(sr_detail_write(m->detail, &small, &err), SR_E_NO_SPACE);
    ASSERT_OK(sr_detail_read(b.data, b.len, &d, &err), err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(d);
    CU_ASSERT_STRING_EQUAL(d->server, "15.20");
    CU_ASSERT_STRING_EQUAL(d->objects[0].database, "shop");
    CU_ASSERT(sr_strlist_has(&d->extensions, "citext"));
    sr_detail_free(d);
    for (size_t i = 0; i < b.len - 1; i++) {
        d = NULL;
        CU_ASSERT_NOT_EQUAL(sr_detail_read(b.data, i, &d, NULL), SR_OK);
        CU_ASSERT_PTR_NULL(d);
    }
    CU_ASSERT_EQUAL(sr_detail_read("{\"format\":2}", 12, &d, &err), SR_E_UNSUPPORTED);
    CU_ASSERT_EQUAL(sr_detail_read(b.data, SR_DETAIL_MAX + 1, &d, &err), SR_E_CORRUPT);
    sr_buf_done(&b);
    sr_buf_done(&small);
    sr_manifest_free(m);
}

static const struct unit_test tests[] = {
    {"written is read back", written_is_read_back},
    {"the digest is the documented one", digest_is_the_documented_one},
    {"hostile members are refused", hostile_members_are_refused},
    {"hostile texts are refused", hostile_texts_are_refused},
    {"each damaged byte is found", each_damaged_byte_is_found},
    {"the digest covers what we do not know", digest_covers_what_we_do_not_know},
    {"odd names can be written", odd_names_can_be_written},
    {"unreadable is not written", unreadable_is_not_written},
    {"too many tables cost only the counts", too_many_tables_cost_only_the_counts},
    {"a detail alone makes the round trip", detail_alone_makes_the_round_trip},
    {NULL, NULL},
};

int main(void)
{
    return unit_main("manifest", tests);
}
