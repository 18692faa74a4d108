/* The proof ladder: names and their order, where a set stands after passes and failures, and what
 * is written in a proof. */
#include "config.h"
#include "core/catalog/manifest_json.h"
#include "core/catalog/names.h"
#include "core/catalog/proof.h"
#include "core/engine/verify.h"
#include "core/util/clock.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void rung_names(void)
{
    static const char *const names[] = {"dumped", "stored",   "re-read",
                                        "opened", "restored", "compared"};
    for (size_t i = 0; i < 6; i++) {
        enum sr_rung r = (enum sr_rung)(i + 1);
        CU_ASSERT_STRING_EQUAL(sr_rung_name(r), names[i]);
        CU_ASSERT_EQUAL(sr_rung_of(sr_rung_name(r)), r);
        CU_ASSERT_EQUAL(sr_rung_of(sr_rung_word(r)), r);
    }
    CU_ASSERT(SR_RUNG_REREAD < SR_RUNG_OPENED && SR_RUNG_OPENED < SR_RUNG_RESTORED &&
              SR_RUNG_RESTORED < SR_RUNG_COMPARED);
    CU_ASSERT_EQUAL(sr_rung_of("none"), SR_RUNG_NONE);
    CU_ASSERT_EQUAL(sr_rung_of(""), SR_RUNG_NONE);
    CU_ASSERT_EQUAL(sr_rung_of("REREAD"), SR_RUNG_NONE);
    CU_ASSERT_STRING_EQUAL(sr_rung_name((enum sr_rung)99), "none");
}

static void suffixes(void)
{
    char out[SR_PROOF_SUFFIX_MAX];
    struct sr_proof_name n = {.rung = SR_RUNG_REREAD, .time = 1795179901}, m;
    CU_ASSERT_EQUAL(sr_proof_suffix(&n, out), SR_OK);
    CU_ASSERT_STRING_EQUAL(out, "proof-reread-20261120130501.json");
    n.failed = 1;
    n.rung = SR_RUNG_COMPARED;
    CU_ASSERT_EQUAL(sr_proof_suffix(&n, out), SR_OK);
    CU_ASSERT_STRING_EQUAL(out, "proof-failed-compared-20261120130501.json");
    CU_ASSERT_EQUAL(sr_beside_kind(out), SR_KEY_PROOF);
    CU_ASSERT_EQUAL(sr_proof_name_read(out, &m), SR_OK);
    CU_ASSERT(m.failed == 1 && m.rung == SR_RUNG_COMPARED && m.time == n.time);
    /* Nobody writes a proof of what the manifest itself is. */
    n.rung = SR_RUNG_STORED;
    CU_ASSERT_EQUAL(sr_proof_suffix(&n, out), SR_E_CONFIG);
    static const char *const bad[] = {"",
                                      "proof-",
                                      "proof-reread",
                                      "proof-reread-",
                                      "proof-reread-20261120130501",
                                      "proof-reread-20261120130501.jsonx",
                                      "proof-reread-20261320130501.json",
                                      "proof-re-read-20261120130501.json",
                                      "proof-stored-20261120130501.json",
                                      "proof-failed-20261120130501.json",
                                      "proof-failed-failed-20261120130501.json",
                                      "proof-failed-failed-reread-20261120130501.json",
                                      "proof-rows-compared-20261120130501.json",
                                      "proof--20261120130501.json",
                                      "hold",
                                      "manifest.json"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CU_ASSERT_EQUAL(sr_proof_name_read(bad[i], &m), SR_E_CORRUPT);
    char longer[200];
    memset(longer, 'a', sizeof longer);
    memcpy(longer, "proof-", 6);
    longer[199] = '\0';
    CU_ASSERT_EQUAL(sr_proof_name_read(longer, &m), SR_E_CORRUPT);
}

#define STORY_NOW 1500

/* "r10 O20 !c30": passes and failures (!) of a rung at a time in seconds. */
static void standing(const char *story, struct sr_standing *ret)
{
    struct sr_strlist l = {0}, words = {0};
    (void)sr_strlist_split(&words, story, ' ');
    for (size_t i = 0; i < words.len; i++) {
        const char *w = words.items[i];
        char out[SR_PROOF_SUFFIX_MAX];
        struct sr_proof_name n = {.failed = *w == '!'};
        w += n.failed;
        n.rung = *w == 'r'   ? SR_RUNG_REREAD
                 : *w == 'o' ? SR_RUNG_OPENED
                 : *w == 't' ? SR_RUNG_RESTORED
                             : SR_RUNG_COMPARED;
        (void)sscanf(w + 1, "%ld", (long *)&n.time);
        CU_ASSERT_EQUAL(sr_proof_suffix(&n, out), SR_OK);
        (void)sr_strlist_add(&l, out);
    }
    sr_standing_of(&l, STORY_NOW, ret);
    sr_strlist_done(&words);
    sr_strlist_done(&l);
}

static void standings(void)
{
    static const struct {
        const char *story;
        enum sr_rung rung;
        int64_t since;
        enum sr_rung failed;
        int64_t failed_at, checked_at;
    } cases[] = {
        {"", SR_RUNG_STORED, -1, SR_RUNG_NONE, -1, -1},
        {"r10", SR_RUNG_REREAD, 10, SR_RUNG_NONE, -1, 10},
        /* A lower rung climbed later takes nothing back. */
        {"c10 r20", SR_RUNG_COMPARED, 10, SR_RUNG_NONE, -1, 20},
        {"o10 o30 o20", SR_RUNG_OPENED, 30, SR_RUNG_NONE, -1, 30},
        /* Damage takes everything back that was said before. */
        {"r10 o11 c12 !r20", SR_RUNG_STORED, -1, SR_RUNG_REREAD, 20, 20},
        {"c12 !r12", SR_RUNG_STORED, -1, SR_RUNG_REREAD, 12, 12},
        /* Rows that differ leave what was opened as it is. */
        {"o10 c12 !c20", SR_RUNG_RESTORED, 12, SR_RUNG_COMPARED, 20, 20},
        {"o10 !c20", SR_RUNG_OPENED, 10, SR_RUNG_COMPARED, 20, 20},
        {"o10 t12 !c20 r30", SR_RUNG_RESTORED, 12, SR_RUNG_COMPARED, 20, 30},
        /* A later pass of the rung, or of a higher one, clears it. */
        {"c12 !r20 r30", SR_RUNG_REREAD, 30, SR_RUNG_NONE, -1, 30},
        {"!r20 c30", SR_RUNG_COMPARED, 30, SR_RUNG_NONE, -1, 30},
        {"!c20 o30", SR_RUNG_OPENED, 30, SR_RUNG_COMPARED, 20, 30},
        {"!o20 !c25 c22", SR_RUNG_RESTORED, 22, SR_RUNG_COMPARED, 25, 25},
        /* The lowest failure that stands is told. */
        {"!r20 !c25", SR_RUNG_STORED, -1, SR_RUNG_REREAD, 20, 25},
        /* A pass by a clock that ran ahead clears nothing, nor does it put off the next check. */
        {"c2000 !r20", SR_RUNG_STORED, -1, SR_RUNG_REREAD, 20, 20},
        {"c1000 !r20", SR_RUNG_COMPARED, 1000, SR_RUNG_NONE, -1, 1000},
        {"r10 c2000 !r20", SR_RUNG_STORED, -1, SR_RUNG_REREAD, 20, 20},
        {"!r20 r30 c2000 !c40", SR_RUNG_REREAD, 30, SR_RUNG_COMPARED, 40, 40},
        {"r10 c2000", SR_RUNG_COMPARED, STORY_NOW, SR_RUNG_NONE, -1, 10},
        {"o2000", SR_RUNG_OPENED, STORY_NOW, SR_RUNG_NONE, -1, 0},
        {"r10 !o2000", SR_RUNG_REREAD, 10, SR_RUNG_OPENED, 2000, 2000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sr_standing s;
        standing(cases[i].story, &s);
        if (s.rung != cases[i].rung || s.failed != cases[i].failed)
            (void)fprintf(stderr, "%s: %s, failed %s\n", cases[i].story, sr_rung_name(s.rung),
                          sr_rung_name(s.failed));
        CU_ASSERT_EQUAL(s.rung, cases[i].rung);
        CU_ASSERT_EQUAL(s.since, cases[i].since);
        CU_ASSERT_EQUAL(s.failed, cases[i].failed);
        CU_ASSERT_EQUAL(s.failed_at, cases[i].failed_at);
        CU_ASSERT_EQUAL(s.checked_at, cases[i].checked_at);
    }
    struct sr_strlist odd = {0};
    struct sr_standing s;
    (void)sr_strlist_add(&odd, "proof-flown-20261120130501.json");
    (void)sr_strlist_add(&odd, "rubbish");
    sr_standing_of(&odd, STORY_NOW, &s);
    CU_ASSERT(s.rung == SR_RUNG_STORED && s.checked_at == -1);
    sr_strlist_done(&odd);
}

#define SET "nightly-20261120130501"
#define MANIFEST "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define OTHER "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static const struct sr_proof_where here = {SET, "app", "proof-failed-opened-20261120130501.json",
                                           MANIFEST};

static void fill(struct sr_proof *p)
{
    *p = (struct sr_proof){.set = SET,
                           .source = "app",
                           .manifest = MANIFEST,
                           .name = {SR_RUNG_OPENED, 1, 1795179901},
                           .bytes = 12,
                           .seconds = 3};
    CU_ASSERT_EQUAL(sr_set_string(&p->host, "there") | sr_set_string(&p->store, "local") |
                        sr_set_string(&p->strongroom_version, "0.1") |
                        sr_set_string(&p->error, "no end") | sr_strlist_add(&p->checked, "all"),
                    SR_OK);
}

static void proof_text(struct sr_buf *b)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_proof p;
    fill(&p);
    sr_buf_init(b, SR_PROOF_MAX);
    ASSERT_OK(sr_proof_write(&p, b, &err), err);
    sr_proof_done(&p);
}

static void proof_roundtrip(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_buf b, twice;
    struct sr_proof p;
    proof_text(&b);
    ASSERT_OK(sr_proof_read(b.data, b.len, &here, &p, &err), err);
    CU_ASSERT_STRING_EQUAL(p.set, SET);
    CU_ASSERT_STRING_EQUAL(p.source, "app");
    CU_ASSERT_STRING_EQUAL(p.manifest, MANIFEST);
    CU_ASSERT(p.name.rung == SR_RUNG_OPENED && p.name.failed && p.name.time == 1795179901);
    CU_ASSERT(p.bytes == 12 && p.seconds == 3);
    CU_ASSERT_STRING_EQUAL(p.host, "there");
    CU_ASSERT_STRING_EQUAL(p.store, "local");
    CU_ASSERT_STRING_EQUAL(p.error, "no end");
    CU_ASSERT_EQUAL_FATAL(p.checked.len, 1);
    CU_ASSERT_STRING_EQUAL(p.checked.items[0], "all");
    sr_buf_init(&twice, SR_PROOF_MAX);
    ASSERT_OK(sr_proof_write(&p, &twice, &err), err);
    CU_ASSERT_STRING_EQUAL(b.data, twice.data);
    sr_proof_done(&p);
    sr_buf_done(&b);
    sr_buf_done(&twice);
}

/* A proof that was laid somewhere else, or whose set was replaced, proves nothing. */
static void proof_bound(void)
{
    static const struct {
        struct sr_proof_where where;
        int rc;
        const char *says;
    } cases[] = {
        {{"nightly-20261121130501", "app", "proof-failed-opened-20261120130501.json", MANIFEST},
         SR_E_CORRUPT,
         "another backup"},
        {{SET, "shop", "proof-failed-opened-20261120130501.json", MANIFEST},
         SR_E_CORRUPT,
         "another backup"},
        {{SET, "app", "proof-failed-opened-20261120130501.json", OTHER},
         SR_E_CORRUPT,
         "another manifest"},
        {{SET, "app", "proof-opened-20261120130501.json", MANIFEST}, SR_E_CORRUPT, "its name"},
        {{SET, "app", "proof-failed-reread-20261120130501.json", MANIFEST},
         SR_E_CORRUPT,
         "its name"},
        {{SET, "app", "proof-failed-opened-20261120130502.json", MANIFEST},
         SR_E_CORRUPT,
         "its name"},
        {{SET, "app", "proof-flown-20261120130501.json", MANIFEST}, SR_E_UNSUPPORTED, "known here"},
        {{SET, "app", "proof-failed-opened-20261120130501.json", ""}, SR_E_CORRUPT, "no set"},
    };
    struct sr_buf b;
    proof_text(&b);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sr_error err = SR_ERROR_INIT;
        struct sr_proof p;
        CU_ASSERT_EQUAL(sr_proof_read(b.data, b.len, &cases[i].where, &p, &err), cases[i].rc);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, cases[i].says));
    }
    sr_buf_done(&b);
}

/* Reads the proof with one member replaced, under a digest that fits. */
static int forged(const char *member, json_t *value, struct sr_error *err)
{
    struct sr_buf b, out;
    struct sr_proof p = {0};
    char digest[65];
    json_t *root = NULL;
    proof_text(&b);
    sr_buf_init(&out, 1u << 20);
    CU_ASSERT_EQUAL(sr_json_load(b.data, b.len, 1000, &root, NULL), SR_OK);
    (void)json_object_del(root, "digest");
    (void)json_object_set_new(root, member, value);
    CU_ASSERT_EQUAL(sr_manifest_digest(root, digest, NULL), SR_OK);
    (void)sr_json_put(root, "digest", digest);
    CU_ASSERT_EQUAL(sr_json_write(root, &out, NULL), SR_OK);
    int rc = sr_proof_read(out.data, out.len, &here, &p, err);
    if (rc == SR_OK)
        sr_proof_done(&p);
    json_decref(root);
    sr_buf_done(&b);
    sr_buf_done(&out);
    return rc;
}

static void proof_hostile(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_proof p;
    struct sr_buf b;
    char *big = malloc(70000);
    memset(big, 'x', 70000);
    big[69999] = '\0';
    json_t *many = json_array();
    for (int i = 0; i < SR_PROOF_CHECKED_MAX + 1; i++)
        (void)json_array_append_new(many, json_string("x"));
    CU_ASSERT_EQUAL(forged("more", json_string("of a later version"), &err), SR_OK);
    CU_ASSERT_EQUAL(forged("format", json_integer(2), &err), SR_E_UNSUPPORTED);
    CU_ASSERT_EQUAL(forged("format", json_string("1"), &err), SR_E_CORRUPT);
    CU_ASSERT_EQUAL(forged("bytes", json_integer(-1), &err), SR_E_CORRUPT);
    CU_ASSERT_EQUAL(forged("host", json_string("a\x1b[2Jb"), &err), SR_E_CORRUPT);
    CU_ASSERT_EQUAL(forged("host", json_stringn(big, 5000), &err), SR_E_CORRUPT);
    CU_ASSERT_EQUAL(forged("checked", json_string("x"), &err), SR_E_CORRUPT);
    CU_ASSERT_EQUAL(forged("checked", many, &err), SR_E_CORRUPT);
    CU_ASSERT_EQUAL(forged("error", json_string(big), &err), SR_E_CORRUPT);
    CU_ASSERT_EQUAL(sr_proof_read(big, 70000, &here, &p, &err), SR_E_CORRUPT);
    CU_ASSERT_EQUAL(sr_proof_read("", 0, &here, &p, &err), SR_E_CORRUPT);
    CU_ASSERT_EQUAL(sr_proof_read("[]", 2, &here, &p, &err), SR_E_CORRUPT);
    CU_ASSERT_EQUAL(sr_proof_read("{}", 2, &here, &p, &err), SR_E_CORRUPT);
    /* One changed byte. */
    proof_text(&b);
    char *at = strstr(b.data, "there");
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    *at = 'w';
    CU_ASSERT_EQUAL(sr_proof_read(b.data, b.len, &here, &p, &err), SR_E_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "digest"));
    sr_buf_done(&b);
    free(big);
}

/* What is too long is cut when it is written, so that it can be read. */
static void proof_long(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_buf b;
    struct sr_proof p, q;
    char text[3001];
    fill(&p);
    for (size_t i = 0; i + 2 < sizeof text; i += 2)
        memcpy(text + i, "\xc3\xa4", 2); /* cut within none of them */
    text[3000] = '\0';
    CU_ASSERT_EQUAL(sr_set_string(&p.error, text) | sr_set_string(&p.host, "\xff\xfe\n"), SR_OK);
    for (int i = 0; i < 100; i++)
        CU_ASSERT_EQUAL(sr_strlist_add(&p.checked, text), SR_OK);
    sr_buf_init(&b, SR_PROOF_MAX);
    ASSERT_OK(sr_proof_write(&p, &b, &err), err);
    ASSERT_OK(sr_proof_read(b.data, b.len, &here, &q, &err), err);
    CU_ASSERT_EQUAL(strlen(q.error), 1000);
    CU_ASSERT_EQUAL(q.checked.len, SR_PROOF_CHECKED_MAX);
    CU_ASSERT_STRING_EQUAL(q.host, "\\xFF\\xFE ");
    sr_proof_done(&q);
    *p.manifest = 'X';
    CU_ASSERT_EQUAL(sr_proof_write(&p, &b, &err), SR_E_CONFIG);
    sr_proof_done(&p);
    sr_buf_done(&b);
}

/* Never checked first and the newest of them, then who waits longest, then the least proven. */
static void need(void)
{
    struct sr_verify_pick p[] = {
        {.set = "f", .time = 6, .standing = {SR_RUNG_OPENED, 60, SR_RUNG_NONE, -1, 60}},
        {.set = "e", .time = 5, .standing = {SR_RUNG_OPENED, 50, SR_RUNG_NONE, -1, 50}},
        {.set = "d", .time = 4, .standing = {SR_RUNG_REREAD, 50, SR_RUNG_NONE, -1, 50}},
        {.set = "a", .time = 1, .standing = {SR_RUNG_STORED, -1, SR_RUNG_NONE, -1, -1}},
        {.set = "b", .time = 2, .standing = {SR_RUNG_STORED, -1, SR_RUNG_NONE, -1, -1}},
        {.set = "b", .store = 1, .time = 2, .standing = {SR_RUNG_STORED, -1, 0, -1, -1}},
        {.set = "c", .time = 3, .standing = {SR_RUNG_STORED, -1, SR_RUNG_REREAD, 70, 70}},
    };
    char order[8] = "";
    qsort(p, 7, sizeof *p, sr_verify_need);
    for (size_t i = 0; i < 7; i++)
        order[i] = p[i].set[0];
    CU_ASSERT_STRING_EQUAL(order, "bbadefc");
    CU_ASSERT(p[0].store == 0 && p[1].store == 1);
}

/* What the objects of a set came to, as one rung climbed and one fallen off from. */
static void outcome(void)
{
    struct sr_verify_object o[2];
    struct sr_verify_result v = {.objects = o, .len = 2, .rung = SR_VERIFY_OPENED};
    memset(o, 0, sizeof o);
    CU_ASSERT(sr_verify_passed(&v) == SR_RUNG_OPENED && sr_verify_failed(&v) == SR_RUNG_NONE);
    v.rung = SR_VERIFY_REREAD;
    CU_ASSERT_EQUAL(sr_verify_passed(&v), SR_RUNG_REREAD);
    v.rung = SR_VERIFY_FAILED; /* a key that does not fit: the stored bytes agree all the same */
    CU_ASSERT(sr_verify_passed(&v) == SR_RUNG_REREAD && sr_verify_failed(&v) == SR_RUNG_NONE);
    o[0].fell = SR_RUNG_OPENED;
    CU_ASSERT(sr_verify_passed(&v) == SR_RUNG_REREAD && sr_verify_failed(&v) == SR_RUNG_OPENED);
    o[1].fell = SR_RUNG_REREAD;
    CU_ASSERT(sr_verify_passed(&v) == SR_RUNG_NONE && sr_verify_failed(&v) == SR_RUNG_REREAD);
    v.len = 0;
    CU_ASSERT(sr_verify_passed(&v) == SR_RUNG_NONE && sr_verify_failed(&v) == SR_RUNG_NONE);
}

static const struct unit_test tests[] = {{"names of rungs, and their order", rung_names},
                                         {"suffixes of proofs", suffixes},
                                         {"where a set stands", standings},
                                         {"a proof is written and read", proof_roundtrip},
                                         {"a proof is of one manifest", proof_bound},
                                         {"hostile proofs", proof_hostile},
                                         {"long texts", proof_long},
                                         {"which needs to be verified first", need},
                                         {"what a verification proves", outcome},
                                         {0}};

int main(void)
{
    return unit_main("proof", tests);
}
