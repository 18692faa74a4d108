/* Two stores kept in step, on places in memory whose calls fail by number. */
#include "config.h"
#include "core/catalog/mark.h"
#include "core/engine/sync.h"
#include "core/store/stores.h"
#include "core/util/log.h"
#include "core/util/text.h"
#include "tests/unit/unit.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/sr-test-sync-XXXXXX";
static unsigned round_number; /* each test has places of its own */

#define NOW INT64_C(1795000000) /* 2026-11-18T11:06:40Z */

static int64_t now_fixed(void *ctx)
{
    (void)ctx;
    return NOW;
}
static int64_t mono(void *ctx)
{
    (void)ctx;
    return sr_clock_monotonic(&sr_clock_system);
}
static const struct sr_clock fixed = {now_fixed, mono, NULL};

/* --- a configuration of two stores, a and b --- */

struct hand {
    struct sr_config *cfg;
    struct sr_context ctx;
    struct sr_sync_result r;
    struct sr_error err;
    int rc;
};

/* more: further NAME=VALUE, ended by NULL. */
static void hand_open(struct hand *h, const char *const *more)
{
    struct sr_strlist flags = {0};
    char *none[] = {NULL};
    memset(h, 0, sizeof *h);
    (void)sr_strlist_addf(&flags, "BACKUP_PLUGIN_PATH=%s/tests/abi/.libs", getenv("SR_BUILDDIR"));
    (void)sr_strlist_add(&flags, "BACKUP_STORAGE_ADAPTER=a=faulty,b=faulty");
    (void)sr_strlist_addf(&flags, "BACKUP_DIR=%s", root);
    (void)sr_strlist_addf(&flags, "BACKUP_A_PLACE=a%u", round_number);
    (void)sr_strlist_addf(&flags, "BACKUP_B_PLACE=b%u", round_number);
    for (; more && *more; more++)
        (void)sr_strlist_add(&flags, *more);
    const struct sr_config_options o = {
        .config_file = "/dev/null", .env_file = "/dev/null", .flags = &flags, .environ_ = none};
    ASSERT_OK(sr_config_new(&o, &h->cfg, &h->err), h->err);
    sr_context_init(&h->ctx, h->cfg, &fixed, NULL, "cli");
    sr_strlist_done(&flags);
}

static void hand_close(struct hand *h)
{
    sr_sync_result_done(&h->r);
    sr_context_done(&h->ctx);
    sr_config_free(h->cfg);
}

static struct sr_store_rw *store_open(struct hand *h, const char *name, struct sr_stores *s)
{
    ASSERT_OK(sr_stores_open(h->cfg, name, s, &h->err), h->err);
    CU_ASSERT_EQUAL_FATAL(s->len, 1);
    return s->items[0];
}

/* One sync; the hand is left open for its result. */
static void sync_with(struct hand *h, const struct sr_sync_options *o, const char *const *more)
{
    struct sr_sync_options own = *o;
    hand_open(h, more);
    own.from = own.from ? own.from : "a";
    own.to = own.to ? own.to : "b";
    h->rc = sr_sync_run(&h->ctx, &own, &h->r, &h->err);
}

/* The same to its end: what it came to. */
static int synced(const struct sr_sync_options *o, const char *const *more)
{
    struct hand h;
    sync_with(&h, o, more);
    int rc = h.rc;
    hand_close(&h);
    return rc;
}

static const struct sr_sync_options plain = {0};

static void keep_silent(void)
{
    sr_log_setup(SR_LOG_ERROR, SR_LOG_TEXT);
}

/* --- what is in the stores --- */

static void digest(const void *data, size_t len, char hex[65])
{
    unsigned char sum[32];
    CU_ASSERT_EQUAL(EVP_Digest(data, len, sum, NULL, EVP_sha256(), NULL), 1);
    sr_hex(sum, 32, hex);
}

static void put(struct sr_store_rw *s, const char *key, const char *text)
{
    struct sr_error err = SR_ERROR_INIT;
    ASSERT_OK(sr_store_save_small(s, key, text, strlen(text), &err), err);
}

static void drop(const char *store, const char *key)
{
    struct hand h;
    struct sr_stores s = {0};
    hand_open(&h, NULL);
    ASSERT_OK(sr_store_delete(store_open(&h, store, &s), key, NULL, NULL, &h.err), h.err);
    sr_stores_close(&s);
    hand_close(&h);
}

static void put_in(const char *store, const char *key, const char *text)
{
    struct hand h;
    struct sr_stores s = {0};
    hand_open(&h, NULL);
    put(store_open(&h, store, &s), key, text);
    sr_stores_close(&s);
    hand_close(&h);
}

static char *read_of(const char *store, const char *key)
{
    struct hand h;
    struct sr_stores s = {0};
    struct sr_buf b;
    hand_open(&h, NULL);
    sr_buf_init(&b, 1 << 20);
    struct sr_store *ro = sr_store_ro(store_open(&h, store, &s));
    char *text = sr_store_fetch_small(ro, key, &b, NULL) == SR_OK ? sr_buf_steal(&b) : NULL;
    sr_buf_done(&b);
    sr_stores_close(&s);
    hand_close(&h);
    return text;
}

static int there(const char *store, const char *key)
{
    char *text = read_of(store, key);
    free(text);
    return text != NULL;
}

#define PLAIN 1
#define NO_CLAIM 2
#define LIES 4 /* says that it is encrypted, and is not */
#define BARE 8 /* neither detail nor sums */

/* A whole set as a backup leaves it: claim, two objects, detail, sums, hold, proof, manifest. */
static void make_set(const char *store, const char *set, const char *source, unsigned how)
{
    static const char armor[] = "-----BEGIN PGP MESSAGE-----\n";
    struct hand h;
    struct sr_stores s = {0};
    struct sr_manifest *m = NULL;
    struct sr_mark mark = {.kind = SR_KEY_CLAIM};
    struct sr_buf text, sums;
    char key[256], body[512], label[SR_SET_MAX], hex[65];
    hand_open(&h, NULL);
    struct sr_store_rw *rw = store_open(&h, store, &s);
    sr_buf_init(&text, SR_MANIFEST_MAX);
    sr_buf_init(&sums, 1 << 16);
    ASSERT_OK(sr_manifest_new(&m), h.err);
    int rc = SR_OK;
    (void)snprintf(body, sizeof body, "%s.%s", set, source);
    digest(body, strlen(body), hex);
    memcpy(mark.run, hex, SR_RUN_ID_SIZE - 1);
    (void)snprintf(mark.source, sizeof mark.source, "%s", source);
    for (int i = 0; i < 2; i++) {
        struct sr_manifest_object *o = sr_manifest_add_object(m);
        (void)snprintf(key, sizeof key, "%s.%ssql%s", set, i ? "globals." : "",
                       how & PLAIN ? "" : ".gpg");
        (void)snprintf(body, sizeof body, "%s%s of %s %d", how & (PLAIN | LIES) ? "" : armor, set,
                       source, i);
        put(rw, key, body);
        rc |= sr_mark_add(&mark, key);
        o->size = o->plain_size = strlen(body);
        digest(body, o->size, o->sha256);
        memcpy(o->plain_sha256, o->sha256, 65);
        rc |= sr_set_string(&o->key, key) | sr_set_string(&o->kind, i ? "globals" : "plain") |
              sr_set_string(&o->compression, "none") |
              sr_set_string(&o->encryption, how & PLAIN ? "none" : "gpg-public");
        rc |= sr_buf_printf(&sums, "%s  %s\n", o->sha256, key);
    }
    m->format = SR_MANIFEST_FORMAT;
    sr_set_split(set, label, &m->created_at);
    m->finished_at = m->created_at;
    rc |= sr_set_string(&m->set, set) | sr_set_string(&m->label, label) |
          sr_set_string(&m->source, source) | sr_set_string(&m->trigger, "cli") |
          sr_set_string(&m->strongroom_version, "0");
    if (!(how & BARE)) {
        (void)snprintf(key, sizeof key, "%s.%s.detail.json.gz.gpg", set, source);
        (void)snprintf(body, sizeof body, "detail of %s", set);
        put(rw, key, body);
        digest(body, strlen(body), hex);
        rc |= sr_buf_printf(&sums, "%s  %s\n", hex, key);
        rc |= sr_set_string(&m->detail_key, key);
        (void)snprintf(key, sizeof key, "%s.%s.sha256", set, source);
        put(rw, key, sr_buf_str(&sums));
    }
    (void)snprintf(key, sizeof key, "%s.%s.hold", set, source);
    if (strstr(set, "held"))
        put(rw, key, "held since\n");
    (void)snprintf(key, sizeof key, "%s.%s.proof-opened-20261101000000.json", set, source);
    if (strstr(set, "proven"))
        put(rw, key, "{}");
    CU_ASSERT_EQUAL(rc, SR_OK);
    if (!(how & NO_CLAIM)) {
        ASSERT_OK(sr_mark_write(&mark, &text, &h.err), h.err);
        ASSERT_OK(sr_claim_key(set, key, sizeof key, &h.err), h.err);
        put(rw, key, sr_buf_str(&text));
    }
    sr_buf_reset(&text);
    ASSERT_OK(sr_manifest_write(m, &text, &h.err), h.err);
    (void)snprintf(key, sizeof key, "%s.%s.manifest.json", set, source);
    put(rw, key, sr_buf_str(&text));
    sr_mark_done(&mark);
    sr_buf_done(&text);
    sr_buf_done(&sums);
    sr_manifest_free(m);
    sr_stores_close(&s);
    hand_close(&h);
}

static int gather(void *ctx, const struct sr_store_entry *e)
{
    (void)sr_strlist_add(ctx, e->key);
    return 0;
}

/* Every key and its bytes, as one text; RECOVER.txt, which each store has, left out. */
static char *content(const char *store)
{
    struct hand h;
    struct sr_stores s = {0};
    struct sr_strlist keys = {0};
    struct sr_buf all, one;
    hand_open(&h, NULL);
    sr_buf_init(&all, 1 << 20);
    sr_buf_init(&one, 1 << 20);
    struct sr_store *ro = sr_store_ro(store_open(&h, store, &s));
    ASSERT_OK(sr_store_list(ro, "", NULL, gather, &keys, &h.err), h.err);
    for (size_t i = 0; i < keys.len; i++) {
        if (strcmp(keys.items[i], "RECOVER.txt") == 0)
            continue;
        sr_buf_reset(&one);
        ASSERT_OK(sr_store_fetch_small(ro, keys.items[i], &one, &h.err), h.err);
        (void)sr_buf_printf(&all, "%s: %s\n", keys.items[i], sr_buf_str(&one));
    }
    char *text = sr_buf_steal(&all);
    sr_buf_done(&one);
    sr_strlist_done(&keys);
    sr_stores_close(&s);
    hand_close(&h);
    return text;
}

static void assert_same_content(int line)
{
    char *a = content("a"), *b = content("b");
    CU_ASSERT_STRING_EQUAL(a, b);
    if (strcmp(a, b) != 0)
        (void)fprintf(stderr, "line %d:\n--- a\n%s--- b\n%s", line, a, b);
    free(a);
    free(b);
}

/* Every set with a manifest has all its objects, and each has its digest. */
static void assert_whole(const char *store, int line)
{
    struct hand h;
    struct sr_stores s = {0};
    struct sr_catalog *c = NULL;
    hand_open(&h, NULL);
    struct sr_store *ro = sr_store_ro(store_open(&h, store, &s));
    ASSERT_OK(sr_catalog_read(ro, &c, &h.err), h.err);
    for (size_t i = 0; c && i < c->len; i++) {
        struct sr_manifest *m = NULL;
        if (!c->sets[i].has_manifest)
            continue;
        ASSERT_OK(sr_catalog_manifest(ro, &c->sets[i], &m, &h.err), h.err);
        for (size_t k = 0; m && k < m->objects_len; k++) {
            struct sr_buf b;
            char hex[65] = "";
            sr_buf_init(&b, 1 << 20);
            if (sr_store_fetch_small(ro, m->objects[k].key, &b, &h.err) == SR_OK)
                digest(sr_buf_str(&b), b.len, hex);
            if (strcmp(hex, m->objects[k].sha256) != 0)
                (void)fprintf(stderr, "line %d: %s in %s\n", line, m->objects[k].key, store);
            CU_ASSERT_STRING_EQUAL(hex, m->objects[k].sha256);
            sr_buf_done(&b);
        }
        sr_manifest_free(m);
    }
    sr_catalog_free(c);
    sr_stores_close(&s);
    hand_close(&h);
}

static const struct sr_sync_item *item(const struct hand *h, const char *set)
{
    for (size_t i = 0; i < h->r.len; i++)
        if (strcmp(h->r.items[i].set, set) == 0)
            return &h->r.items[i];
    return NULL;
}

static void assert_item(const struct hand *h, const char *set, enum sr_sync_outcome wanted,
                        const char *reason, int line)
{
    const struct sr_sync_item *it = item(h, set);
    if (!it || it->outcome != wanted || !it->reason || !strstr(it->reason, reason))
        (void)fprintf(stderr, "line %d: %s: outcome %d, %s; %s\n", line, set,
                      it ? (int)it->outcome : -1, it && it->reason ? it->reason : "(none)",
                      h->err.text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(it);
    CU_ASSERT_EQUAL(it->outcome, wanted);
    CU_ASSERT(it->reason && strstr(it->reason, reason));
}

#define SAME_CONTENT() assert_same_content(__LINE__)
#define WHOLE(store) assert_whole(store, __LINE__)
#define ITEM(h, set, outcome, reason) assert_item(h, set, outcome, reason, __LINE__)
#define MORE(...) ((const char *const[]){__VA_ARGS__, NULL})

#define ONE "held-20261116000000"
#define TWO "proven-20261117000000"
#define THREE "x-20261118000000"

static void make_three(void)
{
    round_number++;
    make_set("a", ONE, "app", 0);
    make_set("a", TWO, "app", 0);
    make_set("a", THREE, "other", PLAIN);
}

/* --- tests --- */

static void everything_travels(void)
{
    struct hand h;
    make_three();
    put_in("a", "notes.txt", "not ours");
    sync_with(&h, &plain, NULL);
    ASSERT_OK(h.rc, h.err);
    CU_ASSERT_EQUAL(h.r.counts[SR_SYNC_COPIED], 3);
    ITEM(&h, ONE, SR_SYNC_COPIED, "missing in b");
    CU_ASSERT_STRING_EQUAL(h.r.items[0].set, THREE);
    CU_ASSERT_EQUAL(item(&h, ONE)->objects, 7);
    hand_close(&h);
    CU_ASSERT(there("b", "RECOVER.txt"));
    drop("a", "notes.txt");
    SAME_CONTENT();
    sync_with(&h, &plain, NULL);
    ASSERT_OK(h.rc, h.err);
    CU_ASSERT_EQUAL(h.r.counts[SR_SYNC_SAME], 3);
    CU_ASSERT_EQUAL(h.r.bytes, 0);
    hand_close(&h);
    /* A proof and a hold that come later. */
    put_in("a", THREE ".other.hold", "held\n");
    put_in("a", THREE ".other.proof-restored-20261118000000.json", "{}");
    /* What speaks of one copy alone, and what is only a prune's. */
    put_in("a", TWO ".app.proof-failed-reread-20261118000000.json", "{}");
    put_in("a", TWO ".app.pruning", "x");
    sync_with(&h, &plain, NULL);
    ASSERT_OK(h.rc, h.err);
    ITEM(&h, THREE, SR_SYNC_ADDED, "and 1 more");
    ITEM(&h, TWO, SR_SYNC_SAME, "");
    hand_close(&h);
    put_in("a", TWO ".app.hold", "held\n");
    sync_with(&h, &plain, NULL);
    ASSERT_OK(h.rc, h.err);
    ITEM(&h, TWO, SR_SYNC_ADDED, "hold was missing in b");
    hand_close(&h);
    CU_ASSERT(there("b", THREE ".other.hold"));
    CU_ASSERT(!there("b", TWO ".app.proof-failed-reread-20261118000000.json"));
    CU_ASSERT(!there("b", TWO ".app.pruning"));
}

static void several_at_a_time(void)
{
    static const struct sr_sync_options four = {.jobs = 4};
    round_number++;
    for (int i = 10; i < 30; i++) {
        char set[SR_SET_MAX];
        (void)snprintf(set, sizeof set, "n-202611180000%02d", i);
        make_set("a", set, "app", 0);
    }
    CU_ASSERT_EQUAL(synced(&four, NULL), SR_OK);
    SAME_CONTENT();
}

/* Whatever call fails, on whichever side and in whichever way: no set in TO lacks anything, and the
 * next run makes all of it good. */
static void every_call_can_fail(void)
{
    static const char *const sides[] = {"A", "B"};
    static const char *const lates[] = {"off", "on"};
    for (size_t side = 0; side < 2; side++)
        for (size_t late = 0; late < 2; late++) {
            int rc = SR_E_UNAVAILABLE, n = 1;
            for (; n < 200 && rc != SR_OK; n++) {
                char fail[64], how[64];
                struct hand h;
                make_three();
                (void)snprintf(fail, sizeof fail, "BACKUP_%s_FAIL=%d", sides[side], n);
                (void)snprintf(how, sizeof how, "BACKUP_%s_LATE=%s", sides[side], lates[late]);
                sync_with(&h, &plain, MORE(fail, how));
                rc = h.rc;
                hand_close(&h);
                WHOLE("b");
                CU_ASSERT_EQUAL(synced(&plain, NULL), SR_OK);
                SAME_CONTENT();
            }
            CU_ASSERT(n > 15 && n < 200); /* each call was met, and at last there were no more */
        }
}

/* What is whole in TO already is not sent again. */
static void going_on(void)
{
    struct hand h;
    make_three();
    /* Claim, first object, then the second object's save breaks. */
    sync_with(&h, &plain, MORE("BACKUP_B_FAIL=4"));
    CU_ASSERT_EQUAL(h.rc, SR_E_PARTIAL);
    ITEM(&h, THREE, SR_SYNC_FAILED, "refused");
    hand_close(&h);
    CU_ASSERT(there("b", THREE ".sql"));
    CU_ASSERT(!there("b", THREE ".other.manifest.json"));
    sync_with(&h, &plain, NULL);
    ASSERT_OK(h.rc, h.err);
    ITEM(&h, THREE, SR_SYNC_COPIED, "missing");
    CU_ASSERT_EQUAL(item(&h, THREE)->objects, 4); /* globals, detail, sums, manifest */
    hand_close(&h);
    SAME_CONTENT();
    /* What lies there and is not what it should be is not taken for it. */
    make_three();
    put_in("b", THREE ".sql", "half");
    put_in("b", THREE ".globals.sql", THREE " of ghost 1"); /* of the same size */
    CU_ASSERT_EQUAL(synced(&plain, NULL), SR_OK);
    SAME_CONTENT();
    make_three();
    CU_ASSERT_EQUAL(synced(&plain, MORE("BACKUP_A_SUMS=on", "BACKUP_B_SUMS=on")), SR_OK);
    SAME_CONTENT();
}

static void spoil_in_b(const char *key)
{
    char *text = read_of("b", key);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    text[strlen(text) / 2] ^= 1;
    drop("b", key);
    put_in("b", key, text);
    free(text);
}

static void damage_is_mended(void)
{
    static const struct sr_sync_options reread = {.reread = 1};
    struct hand h;
    make_three();
    CU_ASSERT_EQUAL(synced(&plain, NULL), SR_OK);
    /* A checksum that the store tells is enough; */
    spoil_in_b(TWO ".sql.gpg");
    sync_with(&h, &plain, MORE("BACKUP_A_SUMS=on", "BACKUP_B_SUMS=on"));
    ASSERT_OK(h.rc, h.err);
    ITEM(&h, TWO, SR_SYNC_REPAIRED, TWO ".sql.gpg was damaged in b");
    CU_ASSERT_EQUAL(item(&h, TWO)->objects, 1);
    hand_close(&h);
    SAME_CONTENT();
    /* a size is none: */
    spoil_in_b(TWO ".sql.gpg");
    sync_with(&h, &plain, NULL);
    ITEM(&h, TWO, SR_SYNC_SAME, "list the same");
    hand_close(&h);
    /* then the bytes have to be read. */
    sync_with(&h, &reread, NULL);
    ASSERT_OK(h.rc, h.err);
    ITEM(&h, TWO, SR_SYNC_REPAIRED, TWO ".sql.gpg was damaged in b");
    ITEM(&h, ONE, SR_SYNC_SAME, "whole in b");
    hand_close(&h);
    SAME_CONTENT();
    /* Another size makes it look; what is missing is seen by itself, the rest of a set too. */
    drop("b", ONE ".sql.gpg");
    put_in("b", ONE ".sql.gpg", "cut");
    drop("b", ONE ".globals.sql.gpg");
    drop("b", ONE ".app.hold");
    drop("b", TWO ".app.sha256");
    put_in("b", TWO ".app.sha256", "rubbish");
    spoil_in_b(THREE ".other.manifest.json");
    drop("b", THREE ".other.detail.json.gz.gpg");
    sync_with(&h, &reread, NULL);
    ASSERT_OK(h.rc, h.err);
    ITEM(&h, ONE, SR_SYNC_REPAIRED, "and 1 more");
    ITEM(&h, TWO, SR_SYNC_ADDED, "sha256 was damaged");
    ITEM(&h, THREE, SR_SYNC_REPAIRED, "manifest was damaged");
    hand_close(&h);
    SAME_CONTENT();
}

static void a_damaged_source_stays(void)
{
    struct hand h;
    make_three();
    sync_with(&h, &plain, MORE("BACKUP_A_SPOIL=" TWO ".globals.sql.gpg"));
    CU_ASSERT_EQUAL(h.rc, SR_E_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(h.err.text, "1 backup is damaged in store a"));
    ITEM(&h, TWO, SR_SYNC_CORRUPT, "the manifest says");
    ITEM(&h, ONE, SR_SYNC_COPIED, "");
    ITEM(&h, THREE, SR_SYNC_COPIED, "");
    hand_close(&h);
    WHOLE("b");
    char *b = content("b");
    CU_ASSERT_PTR_NULL(strstr(b, TWO));
    free(b);
    /* Nor is what is whole in TO replaced by it. */
    CU_ASSERT_EQUAL(synced(&plain, NULL), SR_OK);
    CU_ASSERT_EQUAL(synced(&plain, MORE("BACKUP_A_SPOIL=" TWO ".globals.sql.gpg")), SR_OK);
    SAME_CONTENT();
    /* A damaged object of TO stays what it is when FROM has none better. */
    spoil_in_b(TWO ".globals.sql.gpg");
    char *before = content("b");
    sync_with(
        &h, &plain,
        MORE("BACKUP_A_SPOIL=" TWO ".globals.sql.gpg", "BACKUP_A_SUMS=on", "BACKUP_B_SUMS=on"));
    CU_ASSERT_EQUAL(h.rc, SR_E_CORRUPT);
    hand_close(&h);
    b = content("b");
    CU_ASSERT_STRING_EQUAL(b, before);
    free(b);
    free(before);
    /* An object that is missing, a manifest that cannot be read. */
    make_three();
    drop("a", ONE ".sql.gpg");
    drop("a", THREE ".other.manifest.json");
    put_in("a", THREE ".other.manifest.json", "{}");
    sync_with(&h, &plain, NULL);
    CU_ASSERT_EQUAL(h.rc, SR_E_CORRUPT);
    ITEM(&h, ONE, SR_SYNC_CORRUPT, "");
    ITEM(&h, THREE, SR_SYNC_CORRUPT, "");
    ITEM(&h, TWO, SR_SYNC_COPIED, "");
    hand_close(&h);
}

/* A prune is at work in FROM meanwhile. */
static void what_is_deleted_meanwhile(void)
{
    struct hand h;
    make_three();
    sync_with(&h, &plain, MORE("BACKUP_A_VANISH=" TWO ".app.manifest.json"));
    ASSERT_OK(h.rc, h.err);
    ITEM(&h, TWO, SR_SYNC_SKIPPED, "was deleted from a since");
    ITEM(&h, ONE, SR_SYNC_COPIED, "");
    hand_close(&h);
    CU_ASSERT(!there("b", TWO ".sql.gpg"));
    CU_ASSERT(!there("b", TWO ".claim"));
    make_three();
    sync_with(&h, &plain, MORE("BACKUP_A_VANISH=" TWO ".sql.gpg"));
    CU_ASSERT_EQUAL(h.rc, SR_E_CORRUPT);
    ITEM(&h, TWO, SR_SYNC_CORRUPT, "no such object");
    hand_close(&h);
}

static void inside_one_place(void)
{
    static const struct sr_sync_options o = {.from = "a", .to = "c"};
    struct hand h;
    char place[64];
    make_three();
    (void)snprintf(place, sizeof place, "BACKUP_C_PLACE=a%u", round_number);
    const char *more[] = {"BACKUP_STORAGE_ADAPTER=a=faulty,b=faulty,c=faulty",
                          place,
                          "BACKUP_C_PREFIX=copy",
                          "BACKUP_C_COPIES=on",
                          NULL,
                          NULL};
    sync_with(&h, &o, more);
    ASSERT_OK(h.rc, h.err);
    CU_ASSERT_EQUAL(h.r.counts[SR_SYNC_COPIED], 3);
    hand_close(&h);
    char *one = read_of("a", ONE ".sql.gpg"), *copy = read_of("a", "copy/" ONE ".sql.gpg");
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    CU_ASSERT_STRING_EQUAL(one, copy);
    free(one);
    free(copy);
    /* A copy of what is damaged is found out, and does not stay. */
    make_three();
    (void)snprintf(place, sizeof place, "BACKUP_C_PLACE=a%u", round_number);
    char *bad = read_of("a", ONE ".sql.gpg");
    CU_ASSERT_PTR_NOT_NULL_FATAL(bad);
    bad[5] ^= 1;
    drop("a", ONE ".sql.gpg");
    put_in("a", ONE ".sql.gpg", bad);
    free(bad);
    for (int sums = 0; sums < 2; sums++) {
        more[4] = sums ? "BACKUP_C_SUMS=on" : NULL;
        sync_with(&h, &o, more);
        CU_ASSERT_EQUAL(h.rc, SR_E_CORRUPT);
        ITEM(&h, ONE, SR_SYNC_CORRUPT, "its SHA-256 is not the manifest's");
        hand_close(&h);
        CU_ASSERT(!there("a", "copy/" ONE ".sql.gpg"));
        CU_ASSERT(there("a", "copy/" TWO ".sql.gpg"));
    }
}

static void retention_of_the_target(void)
{
    struct hand h;
    round_number++;
    make_set("a", "n-20260101000000", "app", 0);
    make_set("a", "n-20261101000000", "app", 0);
    make_set("a", "held-20260102000000", "app", 0);
    make_set("a", "n-20261118000000", "app", 0);
    make_set("a", "n-20260103000000", "rare", 0);
    sync_with(&h, &plain, MORE("BACKUP_RETENTION_DAYS=7"));
    ASSERT_OK(h.rc, h.err);
    ITEM(&h, "n-20260101000000", SR_SYNC_SKIPPED, "b would drop it at once: ");
    ITEM(&h, "n-20261101000000", SR_SYNC_SKIPPED, "older than 7 days");
    ITEM(&h, "held-20260102000000", SR_SYNC_COPIED, "");
    ITEM(&h, "n-20261118000000", SR_SYNC_COPIED, "");
    ITEM(&h, "n-20260103000000", SR_SYNC_COPIED, ""); /* the newest there is */
    hand_close(&h);
    CU_ASSERT(!there("b", "n-20260101000000.sql.gpg"));
}

static void deleting(void)
{
    static const struct sr_sync_options with = {.delete_gone = 1};
    static const struct sr_sync_options dry = {.delete_gone = 1, .dry_run = 1};
    static const char *const week[] = {"BACKUP_RETENTION_DAYS=7", NULL};
    struct hand h;
    round_number++;
    make_set("b", "n-20260101000000", "app", 0);
    make_set("b", "proven-20260102000000", "app", 0);
    make_set("b", "held-20260103000000", "app", 0);
    make_set("b", "n-20261115000000", "app", 0);
    make_set("b", "lone-20260101000000", "lone", 0);
    make_set("a", "n-20261118000000", "app", 0);
    make_set("b", "n-20261117000000", "app", 0);
    make_set("a", "n-20261117000000", "app", 0);
    char *before = content("b");
    sync_with(&h, &dry, week);
    ASSERT_OK(h.rc, h.err);
    ITEM(&h, "proven-20260102000000", SR_SYNC_KEPT, "most proven");
    ITEM(&h, "held-20260103000000", SR_SYNC_KEPT, "hold");
    ITEM(&h, "n-20261115000000", SR_SYNC_KEPT, "of 7 days old");
    CU_ASSERT_EQUAL(h.r.counts[SR_SYNC_DELETED], 1);
    CU_ASSERT_EQUAL(h.r.counts[SR_SYNC_KEPT], 4);
    hand_close(&h);
    char *after = content("b");
    CU_ASSERT_STRING_EQUAL(before, after);
    free(before);
    free(after);
    /* The newest did not arrive: nothing goes. */
    sync_with(&h, &with,
              MORE("BACKUP_RETENTION_DAYS=7", "BACKUP_A_SPOIL=n-20261118000000.sql.gpg"));
    CU_ASSERT_EQUAL(h.rc, SR_E_CORRUPT);
    CU_ASSERT_EQUAL(h.r.counts[SR_SYNC_DELETED], 0);
    hand_close(&h);
    CU_ASSERT(there("b", "n-20260101000000.app.manifest.json"));
    /* It is there, and not whole, which its manifest tells and no listing. */
    CU_ASSERT_EQUAL(synced(&plain, week), SR_OK);
    char *gone = read_of("a", "n-20261118000000.sql.gpg");
    CU_ASSERT_PTR_NOT_NULL_FATAL(gone);
    drop("a", "n-20261118000000.sql.gpg");
    drop("b", "n-20261118000000.sql.gpg");
    sync_with(&h, &with, week);
    CU_ASSERT_EQUAL(h.r.counts[SR_SYNC_DELETED], 0);
    hand_close(&h);
    put_in("a", "n-20261118000000.sql.gpg", gone);
    free(gone);
    sync_with(&h, &with, week);
    ASSERT_OK(h.rc, h.err);
    CU_ASSERT_EQUAL(h.r.counts[SR_SYNC_DELETED], 1);
    hand_close(&h);
    CU_ASSERT(!there("b", "n-20260101000000.app.manifest.json"));
    CU_ASSERT(!there("b", "n-20260101000000.app.sha256"));
    CU_ASSERT(there("b", "lone-20260101000000.lone.manifest.json"));
    CU_ASSERT(there("b", "proven-20260102000000.app.manifest.json"));
    CU_ASSERT(there("b", "held-20260103000000.app.manifest.json"));
    CU_ASSERT(there("b", "n-20261115000000.app.manifest.json"));
}

static void deleting_is_held_back(void)
{
    static const struct sr_sync_options with = {.delete_gone = 1};
    struct hand h;
    round_number++;
    for (int i = 1; i < 7; i++) {
        char set[SR_SET_MAX];
        (void)snprintf(set, sizeof set, "n-202601010000%02d", i);
        make_set("b", set, "app", 0);
    }
    /* An empty store. */
    put_in("a", "RECOVER.txt", "as every store has");
    sync_with(&h, &with, MORE("BACKUP_RETENTION_DAYS=7"));
    CU_ASSERT_EQUAL(h.rc, SR_E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(h.err.text, "holds no backup at all"));
    hand_close(&h);
    /* One that is behind. */
    make_set("a", "n-20251201000000", "app", 0);
    sync_with(&h, &with, MORE("BACKUP_RETENTION_DAYS=7"));
    ASSERT_OK(h.rc, h.err);
    CU_ASSERT_EQUAL(h.r.counts[SR_SYNC_DELETED], 0);
    ITEM(&h, "n-20260101000001", SR_SYNC_KEPT, "the newest backup of app in b is not in a");
    hand_close(&h);
    /* Too much at once. */
    make_set("a", "n-20260101000006", "app", 0);
    char *before = content("b");
    sync_with(&h, &with, MORE("BACKUP_RETENTION_DAYS=7"));
    CU_ASSERT_EQUAL(h.rc, SR_E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(h.err.text, "BACKUP_SYNC_MAX_DELETE"));
    hand_close(&h);
    char *after = content("b");
    CU_ASSERT_STRING_EQUAL(before, after);
    free(before);
    free(after);
    CU_ASSERT_EQUAL(synced(&with, MORE("BACKUP_RETENTION_DAYS=7", "BACKUP_SYNC_MAX_DELETE=100")),
                    SR_OK);
    CU_ASSERT(!there("b", "n-20260101000001.app.manifest.json"));
    CU_ASSERT(there("b", "n-20260101000006.app.manifest.json"));
}

/* What TO's own check found is not talked away by what FROM knows of its copy. */
static void a_copy_that_was_found_bad_stays_so(void)
{
    static const struct sr_sync_options dry = {.dry_run = 1};
    static const char failed[] = TWO ".app.proof-failed-reread-20261117120000.json",
                      pass[] = TWO ".app.proof-reread-20261117130000.json",
                      higher[] = TWO ".app.proof-compared-20261117130001.json";
    for (int sums = 0; sums < 2; sums++) {
        /* Both stores tell the checksums of what was saved once, whatever became of it. */
        const char *tells = sums ? "BACKUP_B_SUMS=on" : "BACKUP_B_SUMS=off";
        struct hand h;
        make_three();
        CU_ASSERT_EQUAL(synced(&plain, NULL), SR_OK);
        put_in("b", failed, "{}");
        put_in("a", pass, "{}");
        put_in("a", higher, "{}");
        char *before = content("b");
        sync_with(&h, &dry, MORE(tells));
        ASSERT_OK(h.rc, h.err);
        ITEM(&h, TWO, SR_SYNC_SAME, "a check (re-read) had failed there");
        hand_close(&h);
        sync_with(&h, &plain, MORE(tells));
        ASSERT_OK(h.rc, h.err);
        ITEM(&h, TWO, SR_SYNC_SAME, "whole in b; every byte of it was looked at");
        ITEM(&h, ONE, SR_SYNC_SAME, "both list the same");
        hand_close(&h);
        char *after = content("b");
        CU_ASSERT_STRING_EQUAL(before, after);
        free(before);
        free(after);
        /* Of the same size, and nobody but the reader of its bytes can tell. */
        char *bad = read_of("b", TWO ".sql.gpg");
        CU_ASSERT_PTR_NOT_NULL_FATAL(bad);
        bad[40] ^= 1;
        drop("b", TWO ".sql.gpg");
        put_in("b", TWO ".sql.gpg", bad);
        free(bad);
        sync_with(&h, &plain, NULL);
        ASSERT_OK(h.rc, h.err);
        ITEM(&h, TWO, SR_SYNC_REPAIRED, "was damaged in b; every byte");
        hand_close(&h);
        WHOLE("b");
        CU_ASSERT(!there("b", pass) && !there("b", higher));
        /* TO's own check clears it, and then what FROM knows comes too. */
        put_in("b", TWO ".app.proof-opened-20261117140000.json", "{}");
        sync_with(&h, &plain, NULL);
        ASSERT_OK(h.rc, h.err);
        ITEM(&h, TWO, SR_SYNC_ADDED, "");
        hand_close(&h);
        CU_ASSERT(there("b", pass) && there("b", higher));
    }
    /* A restore test that failed speaks of both copies, and so does the one that passed since. */
    struct hand h;
    make_three();
    put_in("a", TWO ".app.proof-failed-restored-20261117120000.json", "{}");
    CU_ASSERT_EQUAL(synced(&plain, NULL), SR_OK);
    CU_ASSERT(there("b", TWO ".app.proof-failed-restored-20261117120000.json"));
    put_in("a", higher, "{}");
    sync_with(&h, &plain, NULL);
    ASSERT_OK(h.rc, h.err);
    ITEM(&h, TWO, SR_SYNC_ADDED, "");
    hand_close(&h);
    CU_ASSERT(there("b", higher));
}

/* FROM's disk is not mounted: the empty folder is not taken for a store without backups. */
static void an_empty_from_is_no_store(void)
{
    struct hand h;
    round_number++;
    make_set("b", ONE, "app", 0);
    sync_with(&h, &plain, NULL);
    CU_ASSERT_EQUAL(h.rc, SR_E_NOT_FOUND);
    CU_ASSERT_PTR_NOT_NULL(strstr(h.err.text, "store a (faulty"));
    CU_ASSERT_PTR_NOT_NULL(strstr(h.err.text, "not even the RECOVER.txt"));
    CU_ASSERT_EQUAL(h.r.len, 0);
    hand_close(&h);
    put_in("a", "RECOVER.txt", "as it was");
    CU_ASSERT_EQUAL(synced(&plain, NULL), SR_OK);
}

/* A clock that ends the run when it is asked for the time so often. */
struct ending {
    struct sr_context *ctx;
    int asked, when;
};

static int64_t ending_now(void *ctx)
{
    struct ending *e = ctx;
    if (++e->asked == e->when)
        sr_context_cancel(e->ctx, 15);
    return NOW;
}

static int64_t ending_mono(void *ctx)
{
    (void)ending_now(ctx);
    return sr_clock_monotonic(&sr_clock_system);
}

/* Whenever a run is ended: what it says to have deleted or copied is so, and nothing else is. */
static void what_a_run_that_was_ended_says_is_so(void)
{
    static const struct sr_sync_options with = {.delete_gone = 1, .from = "a", .to = "b"};
    int rc = SR_E_CANCELLED, deleted_some = 0, kept_some = 0;
    for (int when = 1; rc != SR_OK && when < 400; when++) {
        struct hand h;
        round_number++;
        for (int i = 1; i < 5; i++) {
            char set[SR_SET_MAX];
            (void)snprintf(set, sizeof set, "n-202601010000%02d", i);
            make_set("b", set, "app", BARE);
        }
        make_set("b", "n-20261117000000", "app", BARE);
        make_set("a", "n-20261117000000", "app", BARE);
        make_set("a", "n-20261118000000", "app", BARE);
        hand_open(&h, MORE("BACKUP_RETENTION_DAYS=7", "BACKUP_SYNC_MAX_DELETE=100"));
        struct ending e = {.ctx = &h.ctx, .when = when};
        const struct sr_clock clock = {ending_now, ending_mono, &e};
        h.ctx.clock = &clock;
        rc = sr_sync_run(&h.ctx, &with, &h.r, &h.err);
        h.ctx.clock = &fixed;
        for (size_t i = 0; i < h.r.len; i++) {
            const struct sr_sync_item *it = &h.r.items[i];
            char key[SR_SET_MAX + 32];
            if (it->outcome == SR_SYNC_FAILED) /* within: whatever is there, no success is told */
                continue;
            (void)snprintf(key, sizeof key, "%s.app.manifest.json", it->set);
            CU_ASSERT_EQUAL(there("b", key), it->outcome == SR_SYNC_COPIED ||
                                                 it->outcome == SR_SYNC_SAME ||
                                                 it->outcome == SR_SYNC_KEPT);
            if (it->outcome == SR_SYNC_KEPT)
                CU_ASSERT_EQUAL(it->bytes, 0);
        }
        deleted_some |= rc != SR_OK && h.r.counts[SR_SYNC_DELETED] > 0;
        kept_some |= h.r.counts[SR_SYNC_KEPT] > 0;
        hand_close(&h);
    }
    CU_ASSERT_EQUAL(rc, SR_OK);
    CU_ASSERT(deleted_some && kept_some);
}

static void a_name_belongs_to_one(void)
{
    struct hand h;
    round_number++;
    make_set("a", ONE, "app", 0);
    make_set("b", ONE, "shop", 0); /* another run's claim, the same keys */
    make_set("a", TWO, "app", 0);
    char *before = content("b");
    sync_with(&h, &plain, NULL);
    CU_ASSERT_EQUAL(h.rc, SR_E_PARTIAL);
    ITEM(&h, ONE, SR_SYNC_FAILED, "another backup's");
    ITEM(&h, TWO, SR_SYNC_COPIED, "");
    hand_close(&h);
    char *after = content("b");
    CU_ASSERT_PTR_NOT_NULL(strstr(after, before));
    free(before);
    free(after);
    /* Without claims the manifests tell. */
    round_number++;
    make_set("a", ONE, "app", NO_CLAIM);
    make_set("b", ONE, "shop", NO_CLAIM);
    CU_ASSERT_EQUAL(synced(&plain, NULL), SR_E_EXISTS);
    /* The same name of the same source, made by two runs. */
    round_number++;
    make_set("a", ONE, "app", 0);
    make_set("b", ONE, "app", PLAIN);
    sync_with(&h, &plain, NULL);
    CU_ASSERT_EQUAL(h.rc, SR_E_EXISTS);
    ITEM(&h, ONE, SR_SYNC_FAILED, "another backup under the name");
    hand_close(&h);
}

static void encryption_is_demanded(void)
{
    struct hand h;
    make_three();
    make_set("a", "liar-20261118000001", "app", LIES);
    sync_with(&h, &plain, MORE("BACKUP_B_REQUIRE_ENCRYPTION=on"));
    CU_ASSERT_EQUAL(h.rc, SR_E_CORRUPT);
    ITEM(&h, THREE, SR_SYNC_REFUSED, "not encrypted");
    ITEM(&h, "liar-20261118000001", SR_SYNC_CORRUPT, "is said to be encrypted and is not");
    ITEM(&h, ONE, SR_SYNC_COPIED, "");
    hand_close(&h);
    char *b = content("b");
    CU_ASSERT_PTR_NULL(strstr(b, THREE));
    CU_ASSERT_PTR_NULL(strstr(b, "liar"));
    free(b);
    round_number++;
    make_set("a", THREE, "app", PLAIN);
    CU_ASSERT_EQUAL(synced(&plain, MORE("BACKUP_B_REQUIRE_ENCRYPTION=on")), SR_E_REFUSED);
}

static int locked_emit(void *ctx, const struct sr_store_entry *e)
{
    (void)sr_buf_printf(ctx, "%s%s\n", e->locked_until == NOW + INT64_C(3) * 86400 ? "locked " : "",
                        e->key);
    return 0;
}

/* What TO is to keep from being deleted is locked with the very request that stores it. */
static void locks_of_the_target(void)
{
    struct hand h;
    struct sr_stores s = {0};
    struct sr_buf b;
    round_number++;
    make_set("a", "held-proven-20261117000000", "app", 0);
    CU_ASSERT_EQUAL(synced(&plain, MORE("BACKUP_B_LOCK_DAYS=3")), SR_E_CONFIG);
    char *none = content("b");
    CU_ASSERT_STRING_EQUAL(none, "");
    free(none);
    CU_ASSERT_EQUAL(synced(&plain, MORE("BACKUP_B_LOCK_DAYS=3", "BACKUP_B_LOCKS=on")), SR_OK);
    hand_open(&h, NULL);
    sr_buf_init(&b, 1 << 16);
    ASSERT_OK(
        sr_store_list(sr_store_ro(store_open(&h, "b", &s)), "held", NULL, locked_emit, &b, &h.err),
        h.err);
    static const char *const kept[] = {"app.detail.json.gz.gpg", "app.manifest.json", "app.sha256",
                                       "globals.sql.gpg", "sql.gpg"},
                             *const free_[] = {"app.hold", "app.proof-opened-20261101000000.json",
                                               "claim"};
    char want[256];
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        (void)snprintf(want, sizeof want, "locked held-proven-20261117000000.%s\n", kept[i]);
        CU_ASSERT_PTR_NOT_NULL(strstr(sr_buf_str(&b), want));
    }
    for (size_t i = 0; i < sizeof free_ / sizeof *free_; i++) {
        (void)snprintf(want, sizeof want, "\nheld-proven-20261117000000.%s\n", free_[i]);
        CU_ASSERT_PTR_NOT_NULL(strstr(sr_buf_str(&b), want));
    }
    sr_buf_done(&b);
    sr_stores_close(&s);
    hand_close(&h);
    SAME_CONTENT();
}

static void a_listing_that_breaks_stops_all(void)
{
    struct hand h;
    make_three();
    make_set("b", ONE, "shop", NO_CLAIM | BARE);
    char *before = content("b");
    for (int side = 0; side < 2; side++) {
        sync_with(&h, &plain, MORE(side ? "BACKUP_A_FAIL=1" : "BACKUP_B_FAIL=1"));
        CU_ASSERT_EQUAL(h.rc, SR_E_UNAVAILABLE);
        CU_ASSERT_PTR_NOT_NULL(strstr(h.err.text, "listing store"));
        CU_ASSERT_EQUAL(h.r.len, 0);
        hand_close(&h);
    }
    char *after = content("b");
    CU_ASSERT_STRING_EQUAL(before, after);
    free(before);
    free(after);
}

static void a_dry_run_does_nothing(void)
{
    static const struct sr_sync_options dry = {.dry_run = 1};
    struct hand h;
    make_three();
    CU_ASSERT_EQUAL(synced(&plain, NULL), SR_OK);
    make_set("a", "n-20261118000007", "app", 0);
    drop("b", ONE ".sql.gpg");
    drop("b", TWO ".app.proof-opened-20261101000000.json");
    char *before = content("b");
    sync_with(&h, &dry, NULL);
    ASSERT_OK(h.rc, h.err);
    ITEM(&h, ONE, SR_SYNC_REPAIRED, ONE ".sql.gpg was missing in b");
    ITEM(&h, TWO, SR_SYNC_ADDED, "proof-opened");
    ITEM(&h, THREE, SR_SYNC_SAME, "");
    ITEM(&h, "n-20261118000007", SR_SYNC_COPIED, "missing in b");
    hand_close(&h);
    char *after = content("b");
    CU_ASSERT_STRING_EQUAL(before, after);
    free(before);
    free(after);
    CU_ASSERT_EQUAL(synced(&plain, NULL), SR_OK);
    SAME_CONTENT();
}

/* Each failure may have cost minutes of tries. */
static void a_store_that_is_down_is_given_up(void)
{
    struct hand h;
    round_number++;
    for (int i = 10; i < 20; i++) {
        char set[SR_SET_MAX];
        (void)snprintf(set, sizeof set, "n-202611180000%02d", i);
        make_set("a", set, "app", 0);
    }
    sync_with(&h, &plain, MORE("BACKUP_B_FAIL=12", "BACKUP_B_DOWN=on"));
    CU_ASSERT_EQUAL(h.rc, SR_E_PARTIAL);
    CU_ASSERT_EQUAL(h.r.counts[SR_SYNC_COPIED], 1);
    ITEM(&h, "n-20261118000018", SR_SYNC_FAILED, "refused");
    ITEM(&h, "n-20261118000010", SR_SYNC_FAILED, "not begun, after 3 failures");
    hand_close(&h);
    WHOLE("b");
    CU_ASSERT_EQUAL(synced(&plain, MORE("BACKUP_B_FAIL=2", "BACKUP_B_DOWN=on")), SR_E_PARTIAL);
    CU_ASSERT_EQUAL(synced(&plain, NULL), SR_OK);
    SAME_CONTENT();
    /* Nothing at all could be done. */
    make_three();
    CU_ASSERT_EQUAL(synced(&plain, MORE("BACKUP_B_FAIL=2", "BACKUP_B_DOWN=on")), SR_E_UNAVAILABLE);
}

static void wrong_names(void)
{
    static const struct sr_sync_options same = {.from = "a", .to = "a"},
                                        none = {.from = "a", .to = "nosuch"},
                                        two = {.from = "a,b", .to = "b"};
    round_number++;
    CU_ASSERT_EQUAL(synced(&same, NULL), SR_E_USAGE);
    CU_ASSERT_EQUAL(synced(&none, NULL), SR_E_CONFIG);
    CU_ASSERT_EQUAL(synced(&two, NULL), SR_E_USAGE);
    char place[64];
    (void)snprintf(place, sizeof place, "BACKUP_B_PLACE=a%u", round_number);
    CU_ASSERT_EQUAL(synced(&plain, MORE(place)), SR_E_CONFIG);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"everything travels", everything_travels},
        {"several at a time", several_at_a_time},
        {"every call can fail", every_call_can_fail},
        {"going on", going_on},
        {"damage is mended", damage_is_mended},
        {"a damaged source stays", a_damaged_source_stays},
        {"what is deleted meanwhile", what_is_deleted_meanwhile},
        {"inside one place", inside_one_place},
        {"retention of the target", retention_of_the_target},
        {"deleting", deleting},
        {"deleting is held back", deleting_is_held_back},
        {"what a run that was ended says is so", what_a_run_that_was_ended_says_is_so},
        {"a copy that was found bad stays so", a_copy_that_was_found_bad_stays_so},
        {"an empty from is no store", an_empty_from_is_no_store},
        {"a name belongs to one", a_name_belongs_to_one},
        {"encryption is demanded", encryption_is_demanded},
        {"locks of the target", locks_of_the_target},
        {"a listing that breaks stops all", a_listing_that_breaks_stops_all},
        {"a dry run does nothing", a_dry_run_does_nothing},
        {"a store that is down is given up", a_store_that_is_down_is_given_up},
        {"wrong names", wrong_names},
        {NULL, NULL}};
    if (!mkdtemp(root))
        return 2;
    keep_silent();
    return unit_main("sync", tests);
}
