/* The proof ladder: names and their order, where a set stands after passes and failures. */
#include "config.h"
#include "core/catalog/names.h"
#include "core/catalog/rung.h"
#include "core/util/clock.h"
#include "tests/unit/unit.h"

#include <stdio.h>
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
    sr_standing_of(&l, ret);
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
    sr_standing_of(&odd, &s);
    CU_ASSERT(s.rung == SR_RUNG_STORED && s.checked_at == -1);
    sr_strlist_done(&odd);
}

static const struct unit_test tests[] = {{"names of rungs, and their order", rung_names},
                                         {"suffixes of proofs", suffixes},
                                         {"where a set stands", standings},
                                         {0}};

int main(void)
{
    return unit_main("proof", tests);
}
