#include "config.h"
#include "core/catalog/names.h"
#include "core/store/store.h"
#include "tests/unit/unit.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define NOW 1795179901 /* 2026-11-20 13:05:01 */

/* A small generator of its own, so that a failure can be repeated. */
static uint64_t state = 88172645463325252u;
static unsigned pick(unsigned below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)((state >> 33) % below);
}

static void label_gives(const char *label, const char *escaped)
{
    struct sr_error err = SR_ERROR_INIT;
    char out[SR_LABEL_MAX + 1] = "", back[512] = "";
    ASSERT_OK(sr_label_escape(label, out, &err), err);
    CU_ASSERT_STRING_EQUAL(out, escaped);
    ASSERT_OK(sr_name_unescape(out, back, sizeof back, &err), err);
    CU_ASSERT_STRING_EQUAL(back, label);
    CU_ASSERT_EQUAL(sr_key_check(out, NULL), SR_OK);
}

static void labels_are_escaped(void)
{
    label_gives("pre-migration", "pre-migration");
    label_gives("pre_migration", "pre_migration");
    label_gives("v1.2.3", "v1.2.3");
    label_gives("/", "_x2F");
    label_gives("..", "_x2E.");
    label_gives("../../etc/passwd", "_x2E._x2F.._x2Fetc_x2Fpasswd");
    label_gives(".hidden", "_x2Ehidden");
    label_gives("-rf", "_x2Drf");
    label_gives("a b", "a_x20b");
    label_gives("caf\xc3\xa9", "caf_xC3_xA9");
    label_gives("_x41", "_x5Fx41");
    label_gives("__x41_x4_xg", "__x5Fx41_x4_xg");
    label_gives("_", "_");
    label_gives("a.globals", "a_x2Eglobals");
    label_gives("a.globals.b", "a.globals.b");
    label_gives("x-20261120130501", "x-20261120130501");
    label_gives("x-20261120130501.y", "x-20261120130501_x2Ey");
    label_gives("\xff\xfe", "_xFF_xFE");
}

static void label_refused(const char *label, const char *expected)
{
    struct sr_error err = SR_ERROR_INIT;
    char out[SR_LABEL_MAX + 1] = "kept";
    CU_ASSERT_EQUAL(sr_label_escape(label, out, &err), SR_E_CONFIG);
    if (!strstr(err.text, expected))
        (void)fprintf(stderr, "expected \"%s\" in: %s\n", expected, err.text);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, expected));
    CU_ASSERT_STRING_EQUAL(out, "kept");
}

static void bad_labels_are_refused(void)
{
    char text[301];
    label_refused("", "the label is empty");
    label_refused("a\nb", "control character in it (byte 2)");
    label_refused("\x7f", "control character");
    memset(text, 'x', 300);
    text[300] = '\0';
    label_refused(text, "300 bytes long, 236 more than the 64 allowed");
    memset(text, '/', 17);
    text[17] = '\0';
    label_refused(text, "68 bytes, 4 more than the 64 allowed");
    text[16] = '\0';
    char out[SR_LABEL_MAX + 1];
    CU_ASSERT_EQUAL(sr_label_escape(text, out, NULL), SR_OK);
}

static void source_gives(const char *name, const char *escaped)
{
    struct sr_error err = SR_ERROR_INIT;
    char out[SR_SOURCE_MAX] = "", back[512] = "";
    ASSERT_OK(sr_source_escape(name, out, &err), err);
    CU_ASSERT_STRING_EQUAL(out, escaped);
    ASSERT_OK(sr_name_unescape(out, back, sizeof back, &err), err);
    CU_ASSERT_STRING_EQUAL(back, name);
}

static void sources_are_escaped(void)
{
    source_gives("app", "app");
    source_gives("my.app", "my_x2Eapp");
    source_gives("a b@c#d%e'\"", "a_x20b_x40c_x23d_x25e_x27_x22");
    source_gives("globals", "_x67lobals");
    source_gives("redis", "_x72edis");
    source_gives("manifest", "_x6Danifest");
    source_gives("globals2", "globals2");
    source_gives("a\nb", "a_x0Ab");
    source_gives("x-20261120130501", "x_x2D20261120130501");
    source_gives("x-20261120130501-y", "x-20261120130501-y");
    char out[SR_SOURCE_MAX];
    CU_ASSERT_EQUAL(sr_source_escape("", out, NULL), SR_E_CONFIG);
    char *huge = malloc(5000);
    CU_ASSERT_PTR_NOT_NULL_FATAL(huge);
    memset(huge, 'x', 4999);
    huge[4999] = '\0';
    CU_ASSERT_EQUAL(sr_source_escape(huge, out, NULL), SR_E_CONFIG);
    free(huge);
}

/* At each length, so that the cut falls on every byte of an escape. */
static void long_sources_are_cut_apart(void)
{
    for (size_t len = 16; len < 200; len++) {
        char a[201], b[201], ea[SR_SOURCE_MAX], eb[SR_SOURCE_MAX];
        memset(a, '.', len);
        a[0] = 'a';
        for (size_t i = 1; i < len; i += 1 + len % 4)
            a[i] = 'b';
        a[len] = '\0';
        memcpy(b, a, len + 1);
        b[len - 1] = '!';
        CU_ASSERT_EQUAL(sr_source_escape(a, ea, NULL), SR_OK);
        CU_ASSERT_EQUAL(sr_source_escape(b, eb, NULL), SR_OK);
        CU_ASSERT(strlen(ea) < SR_SOURCE_MAX && strlen(eb) < SR_SOURCE_MAX);
        CU_ASSERT_STRING_NOT_EQUAL(ea, eb);
        char key[256];
        CU_ASSERT_EQUAL(sr_beside_key("s", ea, "hold", key, sizeof key, NULL), SR_OK);
        CU_ASSERT_EQUAL(sr_name_unescape(ea, key, sizeof key, NULL), SR_OK);
    }
    char out[SR_SOURCE_MAX];
    CU_ASSERT_EQUAL(
        sr_source_escape("datenbank.datenbank.datenbank.datenbank.datenbank.dddddd", out, NULL),
        SR_OK);
    CU_ASSERT_EQUAL(strlen(out), 63);
    CU_ASSERT_EQUAL(out[54], '-');
}

static void wrong_escapes_are_corrupt(void)
{
    static const char *const wrong[] = {"", "a b", "_x00", "a_x00b", "a/b", "\xc3\xa9"};
    char out[8] = "kept";
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CU_ASSERT_EQUAL(sr_name_unescape(wrong[i], out, sizeof out, NULL), SR_E_CORRUPT);
    CU_ASSERT_EQUAL(sr_name_unescape("12345678", out, sizeof out, NULL), SR_E_CORRUPT);
    CU_ASSERT_STRING_EQUAL(out, "kept");
    CU_ASSERT_EQUAL(sr_name_unescape("1234567", out, sizeof out, NULL), SR_OK);
}

static void sets_get_one_time(void)
{
    struct sr_error err = SR_ERROR_INIT;
    static const struct {
        const char *label;
        int timestamp;
        const char *set, *split;
        int64_t time;
    } cases[] = {
        {"app", 1, "app-20261120130501", "app", NOW},
        {"app", 0, "app", "app", -1},
        {"scheduled-20260101000000", 1, "scheduled-20260101000000", "scheduled", 1767225600},
        {"x-20260231000000", 1, "x-20260231000000-20261120130501", "x-20260231000000", NOW},
        {"20260101000000", 1, "20260101000000-20261120130501", "20260101000000", NOW},
        {"x-202601010000001", 1, "x-202601010000001-20261120130501", "x-202601010000001", NOW},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char set[SR_SET_MAX], label[SR_SET_MAX];
        int64_t t = 0;
        ASSERT_OK(sr_set_make(cases[i].label, NOW, cases[i].timestamp, set, &err), err);
        CU_ASSERT_STRING_EQUAL(set, cases[i].set);
        sr_set_split(set, label, &t);
        CU_ASSERT_STRING_EQUAL(label, cases[i].split);
        CU_ASSERT_EQUAL(t, cases[i].time);
    }
    char set[SR_SET_MAX];
    CU_ASSERT_EQUAL(sr_set_make("", NOW, 1, set, &err), SR_E_CONFIG);
    CU_ASSERT_EQUAL(sr_set_make("a/b", NOW, 1, set, &err), SR_E_CONFIG);
    CU_ASSERT_EQUAL(sr_set_make(".a", NOW, 1, set, &err), SR_E_CONFIG);
}

static void object_reads_back(const char *set, const char *sha, const char *db, const char *kind,
                              const char *compression, int encrypted)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_object_name n = {set, sha, db, kind, compression, encrypted};
    struct sr_key_parts p;
    char key[SR_KEY_MAX] = "";
    ASSERT_OK(sr_object_key(&n, key, sizeof key, &err), err);
    ASSERT_OK(sr_key_check(key, &err), err);
    sr_key_parse(key, &p);
    CU_ASSERT_EQUAL(p.kind, SR_KEY_OBJECT);
    if (strcmp(p.set, set) != 0 || strcmp(p.sha256, sha ? sha : "") != 0)
        (void)fprintf(stderr, "%s read as set %s\n", key, p.set);
    CU_ASSERT_STRING_EQUAL(p.set, set);
    CU_ASSERT_STRING_EQUAL(p.sha256, sha ? sha : "");
    CU_ASSERT_STRING_EQUAL(p.source, "");
    if (db && strlen(db) <= SR_DATABASE_PART_MAX)
        CU_ASSERT_STRING_EQUAL(p.database, db);
    if (!db)
        CU_ASSERT_STRING_EQUAL(p.database, "");
    CU_ASSERT(strncmp(p.suffix, kind, strlen(kind)) == 0);
    CU_ASSERT(sr_key_belongs(key, set));
}

static void objects_read_back(void)
{
    static const char *const sets[] = {"app-20261120130501", "v1.2-20261120130501",
                                       "a.sql.gz-20261120130501", "_x2E.-20261120130501",
                                       "x-20261120130501_x2Ey-20261121000000"};
    static const char *const kinds[] = {"sql", "dump"}, *const compressions[] = {"", "gz", "zst"};
    for (size_t s = 0; s < 5; s++)
        for (size_t k = 0; k < 2; k++)
            for (size_t c = 0; c < 3; c++)
                for (int e = 0; e < 2; e++) {
                    object_reads_back(sets[s], NULL, NULL, kinds[k], compressions[c], e);
                    object_reads_back(sets[s], SHA, NULL, kinds[k], compressions[c], e);
                    object_reads_back(sets[s], NULL, "shop", kinds[k], compressions[c], e);
                    object_reads_back(sets[s], SHA, "shop", kinds[k], compressions[c], e);
                    object_reads_back(sets[s], SHA, NULL, "globals.sql", compressions[c], e);
                    object_reads_back(sets[s], NULL, NULL, "redis.rdb", compressions[c], e);
                }
    object_reads_back("bare", NULL, NULL, "sql", "gz", 0);
    object_reads_back("v1.2", NULL, NULL, "sql", "gz", 0);
    object_reads_back("v1.2", SHA, "shop", "sql", "gz", 0);
    char db[SR_SOURCE_MAX];
    memset(db, 'd', sizeof db - 1);
    db[sizeof db - 1] = '\0';
    char set[SR_SET_MAX];
    memset(set, 's', sizeof set - 1);
    memcpy(set + sizeof set - 16, "-20261120130501", 16);
    object_reads_back(set, SHA, db, "dump", "zst", 1);
}

static void objects_need_sound_parts(void)
{
    static const struct sr_object_name wrong[] = {
        {"", NULL, NULL, "sql", "gz", 0},     {"a/b", NULL, NULL, "sql", "gz", 0},
        {".a", NULL, NULL, "sql", "gz", 0},   {"a", "12", NULL, "sql", "gz", 0},
        {"a", SHA "0", NULL, "sql", "gz", 0}, {"a", NULL, "b.c", "sql", "gz", 0},
        {"a", NULL, "", "sql", "gz", 0},      {"a", NULL, NULL, "exe", "gz", 0},
        {"a", NULL, NULL, "sql", "bz2", 0},
    };
    char key[64] = "kept", small[8];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CU_ASSERT_EQUAL(sr_object_key(&wrong[i], key, sizeof key, NULL), SR_E_CONFIG);
    struct sr_object_name fine = {"a", NULL, NULL, "sql", "gz", 0};
    CU_ASSERT_EQUAL(sr_object_key(&fine, small, 7, NULL), SR_E_CONFIG);
    CU_ASSERT_EQUAL(sr_object_key(&fine, small, sizeof small, NULL), SR_E_CONFIG);
    CU_ASSERT_EQUAL(sr_object_key(&fine, key, sizeof key, NULL), SR_OK);
    CU_ASSERT_STRING_EQUAL(key, "a.sql.gz");
}

static void beside_reads_back(void)
{
    static const struct {
        const char *suffix;
        enum sr_key_kind kind;
    } cases[] = {{"manifest.json", SR_KEY_MANIFEST},
                 {"detail.json.gz.gpg", SR_KEY_DETAIL},
                 {"detail.json.gz", SR_KEY_DETAIL},
                 {"sha256", SR_KEY_SUMS},
                 {"hold", SR_KEY_HOLD},
                 {"pruning", SR_KEY_PRUNING},
                 {"proof-reread-20261120130501.json", SR_KEY_PROOF},
                 {"proof-rows-compared-20261120130501.json", SR_KEY_PROOF}};
    static const char *const sets[] = {"a-20261120130501", "v1.2", "x.app.manifest.json",
                                       "a.b.hold"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t s = 0; s < 4; s++) {
            struct sr_error err = SR_ERROR_INIT;
            struct sr_key_parts p;
            char key[256];
            ASSERT_OK(sr_beside_key(sets[s], "app", cases[i].suffix, key, sizeof key, &err), err);
            sr_key_parse(key, &p);
            CU_ASSERT_EQUAL(p.kind, cases[i].kind);
            CU_ASSERT_STRING_EQUAL(p.set, sets[s]);
            CU_ASSERT_STRING_EQUAL(p.source, "app");
            CU_ASSERT_STRING_EQUAL(p.suffix, cases[i].suffix);
            CU_ASSERT(sr_key_belongs(key, sets[s]));
        }
    static const char *const wrong[] = {"",
                                        "json",
                                        "proof-",
                                        "proof-x.json",
                                        "proof--20261120130501.json",
                                        "proof-X-20261120130501.json",
                                        "manifest.json.gz",
                                        "../hold"};
    char key[256];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CU_ASSERT_EQUAL(sr_beside_key("a", "b", wrong[i], key, sizeof key, NULL), SR_E_CONFIG);
    CU_ASSERT_EQUAL(sr_beside_key("a", "b.c", "hold", key, sizeof key, NULL), SR_E_CONFIG);
    CU_ASSERT_EQUAL(sr_beside_key("app", "sql", "sha256", key, sizeof key, NULL), SR_E_CONFIG);
    CU_ASSERT_EQUAL(sr_beside_key("a", "b", "hold", key, 8, NULL), SR_E_CONFIG);
    CU_ASSERT_EQUAL(sr_beside_key("a", "b", "hold", key, 9, NULL), SR_OK);
}

static void claims_read_back(void)
{
    static const char *const sets[] = {"a-20261120130501", "v1.2", "x.claim", "claim"};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        struct sr_error err = SR_ERROR_INIT;
        struct sr_key_parts p;
        char key[256];
        ASSERT_OK(sr_claim_key(sets[i], key, sizeof key, &err), err);
        sr_key_parse(key, &p);
        CU_ASSERT_EQUAL(p.kind, SR_KEY_CLAIM);
        CU_ASSERT_STRING_EQUAL(p.set, sets[i]);
        CU_ASSERT_STRING_EQUAL(p.source, "");
        CU_ASSERT(sr_key_belongs(key, sets[i]));
    }
    CU_ASSERT_EQUAL(sr_claim_key("../x", (char[64]){0}, 64, NULL), SR_E_CONFIG);
    CU_ASSERT_EQUAL(sr_claim_key("abc", (char[64]){0}, 9, NULL), SR_E_CONFIG);
}

static void foreign_keys_are_other(void)
{
    static const char *const keys[] = {"",
                                       "RECOVER.txt",
                                       "a/b.sql.gz",
                                       "a.txt",
                                       ".sql.gz",
                                       ".a.sql.gz",
                                       "a..manifest.json",
                                       ".a.hold",
                                       "manifest.json",
                                       "a.manifest.json",
                                       "a b.sql.gz",
                                       "a.sql.gz\n",
                                       "\xc3\xa9.sql.gz",
                                       "sql.gz",
                                       "a.sql.bz2",
                                       "app.sql.gz.sha256",
                                       "app.sql.sha256",
                                       ".claim",
                                       "claim",
                                       "-a.claim",
                                       "-" SHA ".sql.gz"};
    struct sr_key_parts p;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        sr_key_parse(keys[i], &p);
        if (p.kind != SR_KEY_OTHER)
            (void)fprintf(stderr, "%s read as kind %d\n", keys[i], (int)p.kind);
        CU_ASSERT_EQUAL(p.kind, SR_KEY_OTHER);
        CU_ASSERT_STRING_EQUAL(p.set, "");
    }
    char big[400];
    memset(big, 'a', sizeof big);
    memcpy(big + sizeof big - 8, ".sql.gz", 8);
    sr_key_parse(big, &p);
    CU_ASSERT_EQUAL(p.kind, SR_KEY_OTHER);
    sr_key_parse(big + 300, &p); /* the set alone is too long */
    CU_ASSERT_EQUAL(p.kind, SR_KEY_OTHER);
    sr_key_parse(big + sizeof big - 8 - (SR_SET_MAX - 1), &p);
    CU_ASSERT_EQUAL(p.kind, SR_KEY_OBJECT);
}

static void belonging_needs_a_border(void)
{
    CU_ASSERT(sr_key_belongs("a.sql.gz", "a"));
    CU_ASSERT(sr_key_belongs("a-" SHA ".sql.gz", "a"));
    CU_ASSERT(!sr_key_belongs("ab.sql.gz", "a"));
    CU_ASSERT(!sr_key_belongs("a-b.sql.gz", "a"));
    CU_ASSERT(!sr_key_belongs("a-20261120130501.sql.gz", "a"));
    CU_ASSERT(!sr_key_belongs("a-" SHA "0.sql.gz", "a"));
    CU_ASSERT(!sr_key_belongs("a", "a"));
}

/* Any label and any database come back from every key that is made of them. */
static void random_names_make_the_round_trip(void)
{
    static const char common[] = "._x-0123456789ABCDEFab20261120130501.globals/ \xc3\xa9";
    unsigned made = 0;
    for (int round = 0; round < 20000; round++) {
        char label[80], db[80], el[SR_LABEL_MAX + 1], ed[SR_SOURCE_MAX], back[512];
        size_t n = 1 + pick(24), m = 1 + pick(24);
        for (size_t i = 0; i < n; i++)
            label[i] = pick(4) ? common[pick(sizeof common - 1)] : (char)(1 + pick(255));
        for (size_t i = 0; i < m; i++)
            db[i] = pick(4) ? common[pick(sizeof common - 1)] : (char)(1 + pick(255));
        label[n] = db[m] = '\0';
        if (pick(8) == 0 && n < 40) {
            memcpy(label + n, "-20261120130501", 16);
            if (pick(2))
                memcpy(label + n + 15, ".q", 3);
        }
        if (sr_label_escape(label, el, NULL) != SR_OK)
            continue;
        CU_ASSERT_EQUAL_FATAL(sr_name_unescape(el, back, sizeof back, NULL), SR_OK);
        CU_ASSERT_STRING_EQUAL_FATAL(back, label);
        CU_ASSERT_EQUAL_FATAL(sr_source_escape(db, ed, NULL), SR_OK);
        if (strlen(ed) < 55) {
            CU_ASSERT_EQUAL_FATAL(sr_name_unescape(ed, back, sizeof back, NULL), SR_OK);
            CU_ASSERT_STRING_EQUAL_FATAL(back, db);
        }
        char set[SR_SET_MAX];
        CU_ASSERT_EQUAL_FATAL(sr_set_make(el, NOW, 1, set, NULL), SR_OK);
        int with_db = (int)pick(2);
        object_reads_back(set, pick(2) ? SHA : NULL, with_db ? ed : NULL, "sql", "gz",
                          (int)pick(2));
        char key[256];
        struct sr_key_parts p;
        CU_ASSERT_EQUAL_FATAL(sr_beside_key(set, ed, "manifest.json", key, sizeof key, NULL),
                              SR_OK);
        sr_key_parse(key, &p);
        CU_ASSERT_STRING_EQUAL_FATAL(p.set, set);
        CU_ASSERT_STRING_EQUAL_FATAL(p.source, ed);
        made++;
    }
    CU_ASSERT(made > 1000);
}

static const struct unit_test tests[] = {
    {"labels are escaped", labels_are_escaped},
    {"bad labels are refused", bad_labels_are_refused},
    {"sources are escaped", sources_are_escaped},
    {"long sources are cut apart", long_sources_are_cut_apart},
    {"wrong escapes are corrupt", wrong_escapes_are_corrupt},
    {"sets get one time", sets_get_one_time},
    {"objects read back", objects_read_back},
    {"objects need sound parts", objects_need_sound_parts},
    {"what lies beside reads back", beside_reads_back},
    {"claims read back", claims_read_back},
    {"foreign keys are other", foreign_keys_are_other},
    {"belonging needs a border", belonging_needs_a_border},
    {"random names make the round trip", random_names_make_the_round_trip},
    {NULL, NULL},
};

int main(void)
{
    return unit_main("names", tests);
}
