#include "config.h"
#include "core/catalog/catalog_builder.h"
#include "core/catalog/sums.h"
#include "core/util/buf.h"
#include "core/util/clock.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* A catalogue of keys, each of 10 bytes and of the same modification time, ended by NULL. */
static struct sr_catalog *catalog_of(const char *const *keys)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_catalog_builder *b = NULL;
    struct sr_catalog *c = NULL;
    ASSERT_OK(sr_catalog_builder_new(&b, &err), err);
    for (; *keys; keys++) {
        struct sr_store_entry e = {.key = *keys, .size = 10, .modified = 1000, .version = ""};
        ASSERT_OK(sr_catalog_builder_add(b, &e, &err), err);
    }
    ASSERT_OK(sr_catalog_builder_finish(b, &c, &err), err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    return c;
}

static void sets_are_made_of_keys(void)
{
    static const char *const keys[] = {"RECOVER.txt",
                                       "a-20261120130501-" SHA ".globals.sql.gz.gpg",
                                       "a-20261120130501-" SHA ".sql.gz.gpg",
                                       "a-20261120130501.app.detail.json.gz.gpg",
                                       "a-20261120130501.app.hold",
                                       "a-20261120130501.app.manifest.json",
                                       "a-20261120130501.app.proof-reread-20261121000000.json",
                                       "a-20261120130501.app.sha256",
                                       "b-20261119130501.sql.gz",
                                       "b-20261119130501.app.manifest.json",
                                       "bare.app.manifest.json",
                                       "bare.shop.sql.gz",
                                       "c-20261121130501.app.sha256",
                                       "d-20261122130501.sql.gz",
                                       "folder/x.sql.gz",
                                       NULL};
    struct sr_catalog *c = catalog_of(keys);
    CU_ASSERT_EQUAL_FATAL(c->len, 4);
    const struct sr_catalog_set *bare = &c->sets[0], *b = &c->sets[1], *a = &c->sets[2],
                                *unmade = &c->sets[3];
    CU_ASSERT_STRING_EQUAL(bare->set, "bare");
    CU_ASSERT_EQUAL(bare->time, 1000);
    CU_ASSERT_EQUAL(bare->data_objects, 1);
    CU_ASSERT_STRING_EQUAL(b->set, "b-20261119130501");
    CU_ASSERT_EQUAL(b->data_size, 10);
    CU_ASSERT(!b->encrypted && !b->held && b->has_manifest);
    CU_ASSERT_STRING_EQUAL(a->set, "a-20261120130501");
    CU_ASSERT_STRING_EQUAL(a->label, "a");
    CU_ASSERT_STRING_EQUAL(a->source, "app");
    CU_ASSERT_EQUAL(a->time, 1795179901);
    CU_ASSERT(a->has_manifest && a->held && a->encrypted);
    CU_ASSERT_EQUAL(a->manifest_size, 10);
    CU_ASSERT_EQUAL(a->data_objects, 2);
    CU_ASSERT_EQUAL(a->data_size, 20);
    CU_ASSERT_EQUAL_FATAL(a->proofs.len, 1);
    CU_ASSERT_STRING_EQUAL(a->proofs.items[0], "proof-reread-20261121000000.json");
    CU_ASSERT_EQUAL(a->beside.len, 4);
    CU_ASSERT(sr_strlist_has(&a->beside, "a-20261120130501.app.sha256"));
    CU_ASSERT_STRING_EQUAL(unmade->set, "c-20261121130501");
    CU_ASSERT(!unmade->has_manifest && unmade->data_objects == 0);
    CU_ASSERT_EQUAL(c->objects.len, 5);
    CU_ASSERT(sr_strlist_has(&c->objects, "d-20261122130501.sql.gz"));
    sr_catalog_free(c);
    sr_catalog_free(NULL);
}

static void order_of_the_listing_does_not_matter(void)
{
    static const char *const keys[] = {"a-20261120130501.app.sha256",
                                       "b-20261119130501.app.manifest.json",
                                       "a-20261120130501.app.manifest.json",
                                       "z.app.hold",
                                       "a-20261120130501.shop.manifest.json",
                                       "a-20261120130501.app.proof-a-20261121000000.json",
                                       "a-20261120130501.app.hold",
                                       "z.app.manifest.json",
                                       NULL};
    struct sr_catalog *c = catalog_of(keys);
    CU_ASSERT_EQUAL_FATAL(c->len, 4);
    CU_ASSERT_STRING_EQUAL(c->sets[0].set, "z");
    CU_ASSERT(c->sets[0].held && c->sets[0].has_manifest);
    CU_ASSERT_EQUAL(c->sets[0].time, 1000);
    CU_ASSERT_STRING_EQUAL(c->sets[1].set, "b-20261119130501");
    CU_ASSERT_STRING_EQUAL(c->sets[2].source, "app");
    CU_ASSERT_STRING_EQUAL(c->sets[3].source, "shop");
    CU_ASSERT_EQUAL(c->sets[2].beside.len, 3);
    CU_ASSERT_EQUAL(c->sets[2].proofs.len, 1);
    CU_ASSERT(c->sets[2].held && c->sets[2].has_manifest && !c->sets[3].held);
    sr_catalog_free(c);
}

static void an_empty_store_is_an_empty_catalogue(void)
{
    static const char *const none[] = {NULL};
    struct sr_catalog *c = catalog_of(none);
    const struct sr_catalog_set *set = NULL;
    struct sr_error err = SR_ERROR_INIT;
    CU_ASSERT_EQUAL(c->len, 0);
    CU_ASSERT_EQUAL(sr_catalog_find(c, "latest", NULL, NULL, &set, NULL, &err), SR_E_NOT_FOUND);
    CU_ASSERT_STRING_EQUAL(err.text, "there is no backup yet");
    CU_ASSERT_EQUAL(sr_catalog_find(c, "", NULL, NULL, &set, NULL, &err), SR_E_CONFIG);
    sr_catalog_free(c);
    struct sr_catalog_builder *b = NULL;
    ASSERT_OK(sr_catalog_builder_new(&b, &err), err);
    struct sr_store_entry e = {.key = "a.app.hold", .version = ""}, o = {.key = "a.sql.gz"};
    ASSERT_OK(sr_catalog_builder_add(b, &e, &err), err);
    ASSERT_OK(sr_catalog_builder_add(b, &o, &err), err);
    sr_catalog_builder_free(b);
    sr_catalog_builder_free(NULL);
}

static void a_hundred_thousand_sets_fit(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_catalog_builder *b = NULL;
    struct sr_catalog *c = NULL;
    static const char *const suffixes[] = {".app.detail.json.gz.gpg", ".app.manifest.json",
                                           ".app.sha256"};
    CU_ASSERT(sizeof(struct sr_catalog_set) <= 384);
    ASSERT_OK(sr_catalog_builder_new(&b, &err), err);
    for (int64_t i = 0; i < 100000; i++) {
        char stamp[SR_TIME_STAMP_SIZE], key[256];
        sr_time_stamp(1600000000 + i * 3600, stamp);
        struct sr_store_entry e = {.key = key, .size = 7, .version = ""};
        (void)snprintf(key, sizeof key, "scheduled-%s.sql.gz.gpg", stamp);
        CU_ASSERT_EQUAL_FATAL(sr_catalog_builder_add(b, &e, &err), SR_OK);
        for (int k = 0; k < 3; k++) {
            (void)snprintf(key, sizeof key, "scheduled-%s%s", stamp, suffixes[k]);
            CU_ASSERT_EQUAL_FATAL(sr_catalog_builder_add(b, &e, &err), SR_OK);
        }
    }
    ASSERT_OK(sr_catalog_builder_finish(b, &c, &err), err);
    CU_ASSERT_EQUAL_FATAL(c->len, 100000);
    CU_ASSERT_EQUAL(c->objects.len, 100000);
    CU_ASSERT_EQUAL(c->sets[99999].data_size, 7);
    const struct sr_catalog_set *set = NULL;
    ASSERT_OK(sr_catalog_find(c, "latest", NULL, NULL, &set, NULL, &err), err);
    CU_ASSERT_PTR_EQUAL(set, &c->sets[99999]);
    sr_catalog_free(c);
}

/* --- looking up
 * ------------------------------------------------------------------------------------- */

static const char *const shelf[] = {"daily-20261118000000.app.manifest.json",
                                    "daily-20261118000000.sql.gz",
                                    "daily-20261119000000.app.manifest.json",
                                    "daily-20261119000000.sql.gz",
                                    "daily-20261119000000.globals.sql.gz",
                                    "daily-20261119000000.shop.manifest.json",
                                    "pre-migration-20261117120000-" SHA ".sql.gz",
                                    "pre-migration-20261117120000-" SHA ".globals.sql.gz",
                                    "pre-migration-20261117120000.app.manifest.json",
                                    "pre-migration-20261117120000.app.sha256",
                                    "caf_xC3_xA9-20261116000000.app.manifest.json",
                                    "caf_xC3_xA9-20261116000000-" SHA ".sql.gz",
                                    "broken-20261201000000.sql.gz",
                                    "broken-20261201000000.app.sha256",
                                    "bare.app.manifest.json",
                                    "bare.sql.gz",
                                    NULL};

static void found(const char *backup, const char *source, const char *label, const char *set,
                  const char *set_source, const char *object)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_catalog *c = catalog_of(shelf);
    const struct sr_catalog_set *s = NULL;
    const char *o = NULL;
    ASSERT_OK(sr_catalog_find(c, backup, source, label, &s, &o, &err), err);
    if (s) {
        CU_ASSERT_STRING_EQUAL(s->set, set);
        CU_ASSERT_STRING_EQUAL(s->source, set_source);
        CU_ASSERT((o == NULL) == (object == NULL));
        if (o && object)
            CU_ASSERT_STRING_EQUAL(o, object);
        const struct sr_catalog_set *again = NULL;
        CU_ASSERT_EQUAL(sr_catalog_find(c, backup, source, label, &again, NULL, NULL), SR_OK);
        CU_ASSERT_PTR_EQUAL(again, s);
    }
    sr_catalog_free(c);
}

static void not_found(const char *backup, const char *source, const char *label, int code,
                      const char *expected)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_catalog *c = catalog_of(shelf);
    const struct sr_catalog_set *s = NULL;
    const char *o = NULL;
    CU_ASSERT_EQUAL(sr_catalog_find(c, backup, source, label, &s, &o, &err), code);
    CU_ASSERT_PTR_NULL(s);
    CU_ASSERT_PTR_NULL(o);
    if (!strstr(err.text, expected))
        (void)fprintf(stderr, "expected \"%s\" in: %s\n", expected, err.text);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, expected));
    CU_ASSERT_EQUAL(sr_catalog_find(c, backup, source, label, &s, NULL, NULL), code);
    sr_catalog_free(c);
}

static void backups_are_found_by_what_people_type(void)
{
    found("latest", "app", NULL, "daily-20261119000000", "app", NULL);
    found("latest", "shop", NULL, "daily-20261119000000", "shop", NULL);
    found("latest", NULL, "pre-", "pre-migration-20261117120000", "app", NULL);
    found("latest", NULL, "caf\xc3\xa9", "caf_xC3_xA9-20261116000000", "app", NULL);
    found("pre-migration", NULL, NULL, "pre-migration-20261117120000", "app", NULL);
    found("caf\xc3\xa9", NULL, NULL, "caf_xC3_xA9-20261116000000", "app", NULL);
    found("pre-migration-20261117120000", NULL, NULL, "pre-migration-20261117120000", "app", NULL);
    found("pre-m", NULL, NULL, "pre-migration-20261117120000", "app", NULL);
    found("daily-20261118", NULL, NULL, "daily-20261118000000", "app", NULL);
    found("daily-20261119000000.shop", NULL, NULL, "daily-20261119000000", "shop", NULL);
    found("daily-20261119000000.shop.manifest.json", NULL, NULL, "daily-20261119000000", "shop",
          NULL);
    found("daily-20261119000000", "shop", NULL, "daily-20261119000000", "shop", NULL);
    found("daily-20261118000000.sql.gz", NULL, NULL, "daily-20261118000000", "app",
          "daily-20261118000000.sql.gz");
    found("daily-20261119000000.globals.sql.gz", "app", NULL, "daily-20261119000000", "app",
          "daily-20261119000000.globals.sql.gz");
    found("pre-migration-20261117120000-" SHA ".sq", NULL, NULL, "pre-migration-20261117120000",
          "app", "pre-migration-20261117120000-" SHA ".sql.gz");
    found("pre-migration-20261117120000-0123", NULL, NULL, "pre-migration-20261117120000", "app",
          NULL);
    found("bare", NULL, NULL, "bare", "app", NULL);
    found("bare.sql.gz", NULL, NULL, "bare", "app", "bare.sql.gz");
    found("b", NULL, NULL, "bare", "app", NULL);
}

static void several_are_an_ambiguity(void)
{
    not_found("latest", NULL, NULL, SR_E_CONFIG,
              "\"latest\" could be one of 2 backups: daily-20261119000000 of shop, "
              "daily-20261119000000 of app; name one of them whole, or add --database");
    not_found("daily", "app", NULL, SR_E_CONFIG, "or take latest with --label");
    not_found("daily", NULL, NULL, SR_E_CONFIG, "could be one of 3 backups");
    not_found("daily-20261119000000", NULL, NULL, SR_E_CONFIG, "add --database");
    not_found("d", NULL, NULL, SR_E_CONFIG, "could be one of 3");
    not_found("daily-20261119000000.sql.gz", NULL, NULL, SR_E_CONFIG, "could be one of 2");
    not_found("daily-20261119000000.sq", NULL, NULL, SR_E_CONFIG, "could be one of 2");
}

static void what_is_missing_is_told_with_the_nearest(void)
{
    not_found("pre-migratoin", NULL, NULL, SR_E_NOT_FOUND, "did you mean pre-migration?");
    not_found("nothing-like-it", NULL, NULL, SR_E_NOT_FOUND,
              "no backup is called \"nothing-like-it\" or begins so, among 6; `strongroom list`");
    not_found("latest", "other", NULL, SR_E_NOT_FOUND, "no backup with that database or label");
    not_found("pre-migration", "shop", NULL, SR_E_NOT_FOUND, "no backup is called");
    not_found("broken", NULL, NULL, SR_E_NOT_FOUND, "no backup is called");
    not_found("broken-20261201000000.sql.gz", NULL, NULL, SR_E_NOT_FOUND,
              "is there, but there is no manifest for it: it is no complete backup");
    not_found("daily-20261118000000.sql.gz", "shop", NULL, SR_E_NOT_FOUND,
              "or not with that database");
    not_found("a/b\n", NULL, NULL, SR_E_NOT_FOUND, "no backup is called");
}

/* --- manifests
 * --------------------------------------------------------------------------------------- */

static void a_manifest_must_be_that_of_its_name(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_manifest *m = NULL, *r = NULL;
    struct sr_catalog_set set = {.set = "s", .source = "app"};
    struct sr_buf b;
    sr_buf_init(&b, SR_MANIFEST_MAX);
    CU_ASSERT_EQUAL_FATAL(sr_manifest_new(&m), SR_OK);
    struct sr_manifest_object *o = sr_manifest_add_object(m);
    CU_ASSERT_PTR_NOT_NULL_FATAL(o);
    CU_ASSERT_EQUAL(sr_set_string(&m->set, "s") | sr_set_string(&m->source, "app") |
                        sr_set_string(&m->label, "s") | sr_set_string(&o->key, "s.sql") |
                        sr_set_string(&o->kind, "plain") | sr_set_string(&o->compression, "none") |
                        sr_set_string(&o->encryption, "none"),
                    SR_OK);
    memcpy(o->sha256, SHA, sizeof SHA);
    ASSERT_OK(sr_manifest_write(m, &b, &err), err);
    ASSERT_OK(sr_catalog_manifest_check(&set, b.data, b.len, &r, &err), err);
    sr_manifest_free(r);
    r = NULL;
    memcpy(set.source, "shop", 5);
    CU_ASSERT_EQUAL(sr_catalog_manifest_check(&set, b.data, b.len, &r, &err), SR_E_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "the manifest of s of shop: it is the manifest of s of "
                                            "app"));
    CU_ASSERT_EQUAL(sr_catalog_manifest_check(&set, "{", 1, &r, &err), SR_E_CORRUPT);
    CU_ASSERT_PTR_NULL(r);
    sr_buf_done(&b);
    sr_manifest_free(m);
}

/* --- sums ---------------------------------------------------------------------------------------
 */

static void sums_are_found_by_whole_lines(void)
{
    static const char b[] = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    struct sr_error err = SR_ERROR_INIT;
    struct sr_buf text;
    char hex[65];
    sr_buf_init(&text, SR_SUMS_MAX);
    ASSERT_OK(sr_sums_add(&text, SHA, "s.sql", &err), err);
    ASSERT_OK(sr_sums_add(&text, b, "s.sql.gz", &err), err);
    CU_ASSERT_EQUAL(sr_buf_printf(&text, "%s *s.dump\nxx%s  s.bad\n%s  s.cut", b, b + 2, b), SR_OK);
    sr_sums_find(text.data, text.len, "s.sql", hex);
    CU_ASSERT_STRING_EQUAL(hex, SHA);
    sr_sums_find(text.data, text.len, "s.sql.gz", hex);
    CU_ASSERT_STRING_EQUAL(hex, b);
    sr_sums_find(text.data, text.len, "s.dump", hex);
    CU_ASSERT_STRING_EQUAL(hex, b);
    static const char *const none[] = {"s", "s.sql.g", "sql", "", "s.bad", "s.cut"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        sr_sums_find(text.data, text.len, none[i], hex);
        CU_ASSERT_STRING_EQUAL(hex, "");
    }
    sr_sums_find("", 0, "s.sql", hex);
    CU_ASSERT_STRING_EQUAL(hex, "");
    sr_buf_done(&text);
}

static const struct unit_test tests[] = {
    {"sets are made of keys", sets_are_made_of_keys},
    {"the order of the listing does not matter", order_of_the_listing_does_not_matter},
    {"an empty store is an empty catalogue", an_empty_store_is_an_empty_catalogue},
    {"a hundred thousand sets fit", a_hundred_thousand_sets_fit},
    {"backups are found by what people type", backups_are_found_by_what_people_type},
    {"several are an ambiguity", several_are_an_ambiguity},
    {"what is missing is told with the nearest", what_is_missing_is_told_with_the_nearest},
    {"a manifest must be that of its name", a_manifest_must_be_that_of_its_name},
    {"sums are found by whole lines", sums_are_found_by_whole_lines},
    {NULL, NULL},
};

int main(void)
{
    return unit_main("catalog", tests);
}
