/* The sweep on the real local plugin: what is ours and left over goes, everything else stays. */
#include "config.h"
#include "core/engine/claim.h"
#include "core/engine/journal.h"
#include "core/engine/sweep.h"
#include "core/util/fs.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SET "scheduled-20261120130501"
#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define RUN "0123456789abcdef0123456789abcdef"
#define OTHER_RUN "fedcba9876543210fedcba9876543210"
#define DAY 86400

static char root[] = "/tmp/sr-test-sweep-XXXXXX";
static int folders;

/* A store of its own for each test; where it is local its folder is BACKUP_DIR as well. */
struct place {
    char dir[128], state[160];
    struct sr_config *cfg;
    struct sr_stores stores;
    struct sr_context ctx;
};

static void place_open_with(struct place *p, const char *adapter, const char *setting,
                            const char *more)
{
    struct sr_strlist flags = {0};
    struct sr_error err = SR_ERROR_INIT;
    char *none[] = {NULL};
    memset(p, 0, sizeof *p);
    (void)snprintf(p->dir, sizeof p->dir, "%s/%d", root, folders++);
    (void)snprintf(p->state, sizeof p->state, "%s/.strongroom", p->dir);
    (void)sr_strlist_addf(&flags, "BACKUP_PLUGIN_PATH=%s/plugins/.libs:%s/tests/abi/.libs",
                          getenv("SR_BUILDDIR"), getenv("SR_BUILDDIR"));
    (void)sr_strlist_addf(&flags, "BACKUP_DIR=%s", p->dir);
    (void)sr_strlist_addf(&flags, "BACKUP_STORAGE_ADAPTER=%s", adapter);
    (void)sr_strlist_add(&flags, setting);
    if (more)
        (void)sr_strlist_add(&flags, more);
    const struct sr_config_options o = {
        .config_file = "/dev/null", .env_file = "/dev/null", .flags = &flags, .environ_ = none};
    ASSERT_OK(sr_config_new(&o, &p->cfg, &err), err);
    ASSERT_OK(sr_stores_open(p->cfg, NULL, &p->stores, &err), err);
    sr_context_init(&p->ctx, p->cfg, &sr_clock_system, NULL, "cli");
    sr_strlist_done(&flags);
}

static void place_open_as(struct place *p, const char *adapter, const char *setting)
{
    place_open_with(p, adapter, setting, NULL);
}

static void place_open(struct place *p)
{
    place_open_as(p, "local", "BACKUP_GLOBALS=off");
}

static void place_close(struct place *p)
{
    sr_context_done(&p->ctx);
    sr_stores_close(&p->stores);
    sr_config_free(p->cfg);
}

/* Puts a file there that was last changed so many days ago. */
static void put(struct place *p, const char *key, const char *text, int days)
{
    char path[512];
    struct sr_error err = SR_ERROR_INIT;
    const struct timespec t[2] = {{.tv_sec = time(NULL) - days * DAY - 10},
                                  {.tv_sec = time(NULL) - days * DAY - 10}};
    ASSERT_OK(sr_store_save_small(p->stores.items[0], key, text, strlen(text), &err), err);
    (void)snprintf(path, sizeof path, "%s/%s", p->dir, key);
    CU_ASSERT_EQUAL(utimensat(AT_FDCWD, path, t, 0), 0);
}

static void put_mark(struct place *p, enum sr_key_kind kind, const char *run, const char *key,
                     const char *names, int days)
{
    struct sr_mark m = {.kind = kind, .source = "app"};
    struct sr_buf text;
    struct sr_error err = SR_ERROR_INIT;
    memcpy(m.run, run, sizeof m.run);
    ASSERT_OK(sr_strlist_split(&m.keys, names, ' '), err);
    sr_buf_init(&text, SR_MARK_MAX);
    ASSERT_OK(sr_mark_write(&m, &text, &err), err);
    put(p, key, sr_buf_str(&text), days);
    sr_buf_done(&text);
    sr_mark_done(&m);
}

static int there(const struct place *p, const char *key)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", p->dir, key);
    return access(path, F_OK) == 0;
}

/* Sweeps what is older than a day; how many were swept. */
static size_t sweep(struct place *p)
{
    struct sr_sweep_result r = {0};
    struct sr_error err = SR_ERROR_INIT;
    ASSERT_OK(sr_sweep_run(&p->ctx, &p->stores, DAY, 0, &r, &err), err);
    size_t n = r.len;
    sr_sweep_result_done(&r);
    return n;
}

static void files_of_others_stay(void)
{
    static const char *const keys[] = {
        SET ".sql.gz",        "nightly.sql.gz",         "app.sql.gz.sha256",  "site-1.tar.sha256",
        "x.y.detail.json",    SET ".shop.sha256",       "theirs.claim",       "theirs.sql.gz",
        "theirs.app.pruning", "nightly-" SHA ".sql.gz", SET "-" SHA ".sql.gz"};
    struct place p;
    place_open(&p);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        put(&p, keys[i], "theirs\n", 400);
    CU_ASSERT_EQUAL(sweep(&p), 0);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (!there(&p, keys[i]))
            (void)fprintf(stderr, "%s was swept\n", keys[i]);
        CU_ASSERT(there(&p, keys[i]));
    }
    place_close(&p);
}

static void what_a_claim_names_goes_by_age(void)
{
    static const char names[] = SET ".sql.gz " SET ".app.sha256";
    struct place p;
    for (int days = 0; days < 3; days++) {
        place_open(&p);
        put_mark(&p, SR_KEY_CLAIM, RUN, SET ".claim", names, 2);
        put(&p, SET ".sql.gz", "ours", days);
        put(&p, SET ".app.sha256", "ours", 2);
        put(&p, SET ".dump.gz", "theirs", 2); /* the claim does not name it */
        CU_ASSERT_EQUAL(sweep(&p), days > 0 ? 3 : 0);
        CU_ASSERT_EQUAL(there(&p, SET ".sql.gz"), days == 0);
        CU_ASSERT_EQUAL(there(&p, SET ".claim"), days == 0);
        CU_ASSERT(there(&p, SET ".dump.gz"));
        place_close(&p);
    }
}

static void what_is_a_backup_or_held_stays(void)
{
    static const char *const marks[] = {SET ".app.manifest.json", SET ".app.hold"};
    struct place p;
    for (size_t i = 0; i < 2; i++) {
        place_open(&p);
        put_mark(&p, SR_KEY_CLAIM, RUN, SET ".claim", SET ".sql.gz", 9);
        put(&p, SET ".sql.gz", "ours", 9);
        put(&p, marks[i], "whatever is in it", 9);
        CU_ASSERT_EQUAL(sweep(&p), 0);
        CU_ASSERT(there(&p, SET ".sql.gz"));
        place_close(&p);
    }
}

static void a_prune_that_was_cut_off_is_ended(void)
{
    struct place p;
    place_open(&p);
    put_mark(&p, SR_KEY_CLAIM, RUN, SET ".claim", SET ".sql.gz", 9);
    put_mark(&p, SR_KEY_PRUNING, RUN, SET ".app.pruning", SET ".sql.gz " SET ".app.sha256", 2);
    put(&p, SET ".sql.gz", "ours", 9);
    put(&p, SET ".app.sha256", "ours", 9);
    put(&p, SET ".dump.gz", "theirs", 9);
    CU_ASSERT_EQUAL(sweep(&p), 4);
    CU_ASSERT(!there(&p, SET ".sql.gz"));
    CU_ASSERT(!there(&p, SET ".claim"));
    CU_ASSERT(!there(&p, SET ".app.pruning"));
    CU_ASSERT(there(&p, SET ".dump.gz"));
    place_close(&p);

    /* Adopted: there never was a claim. */
    place_open(&p);
    put_mark(&p, SR_KEY_PRUNING, RUN, "weekly.app.pruning", "weekly.dump", 2);
    put(&p, "weekly.dump", "adopted once", 9);
    put(&p, "weekly.sql", "never", 9);
    CU_ASSERT_EQUAL(sweep(&p), 2);
    CU_ASSERT(!there(&p, "weekly.dump"));
    CU_ASSERT(there(&p, "weekly.sql"));
    place_close(&p);

    /* It had not begun to delete. */
    place_open(&p);
    put_mark(&p, SR_KEY_PRUNING, RUN, SET ".app.pruning", SET ".sql.gz", 2);
    put(&p, SET ".sql.gz", "ours", 9);
    put(&p, SET ".app.manifest.json", "{}", 9);
    CU_ASSERT_EQUAL(sweep(&p), 1);
    CU_ASSERT(there(&p, SET ".sql.gz"));
    CU_ASSERT(!there(&p, SET ".app.pruning"));
    place_close(&p);
}

/* Backups between which leftovers lie, in every order that names can have. */
static void leftovers_among_backups_are_found(void)
{
    static const char *const stays[] = {"a-20260101000000-" SHA ".sql.gz",
                                        "a-20260101000000.app.manifest.json",
                                        "a-20260101000000.claim",
                                        "a-20260101000002-" SHA ".globals.sql.gz",
                                        "a-20260101000002-" SHA ".sql.gz",
                                        "a-20260101000002.shop.manifest.json",
                                        "a-20260101000002.claim",
                                        "v1.claim",
                                        "v1.2.claim",
                                        "v1.2.app.manifest.json",
                                        "v1.app.manifest.json",
                                        "v1.sql.gz",
                                        "a-20260101000004-" SHA ".sql.gz",
                                        "a-20260101000004.app.hold"};
    static const char *const goes[] = {"a-20260101000001-" SHA ".sql.gz",
                                       "a-20260101000003-" SHA ".globals.sql.gz",
                                       "a-20260101000003-" SHA ".sql.gz"};
    struct place p;
    place_open(&p);
    for (size_t i = 0; i < sizeof stays / sizeof *stays; i++)
        put(&p, stays[i], "{}", 9);
    for (size_t i = 0; i < sizeof goes / sizeof *goes; i++)
        put(&p, goes[i], "ours", 9);
    put_mark(&p, SR_KEY_CLAIM, RUN, "a-20260101000001.claim", goes[0], 9);
    put_mark(&p, SR_KEY_CLAIM, RUN, "a-20260101000003.claim",
             "a-20260101000003-" SHA ".globals.sql.gz a-20260101000003-" SHA ".sql.gz", 9);
    put_mark(&p, SR_KEY_CLAIM, RUN, "v1.1.claim", "v1.1.sql.gz", 9);
    put(&p, "v1.1.sql.gz", "ours", 9);
    CU_ASSERT_EQUAL(sweep(&p), 7);
    for (size_t i = 0; i < sizeof stays / sizeof *stays; i++)
        CU_ASSERT(there(&p, stays[i]));
    for (size_t i = 0; i < sizeof goes / sizeof *goes; i++)
        CU_ASSERT(!there(&p, goes[i]));
    CU_ASSERT(!there(&p, "v1.1.sql.gz"));
    place_close(&p);
}

static int64_t later_now(void *ctx)
{
    (void)ctx;
    return sr_clock_now(&sr_clock_system) + 3 * (int64_t)DAY;
}

static int64_t later_mono(void *ctx)
{
    (void)ctx;
    return sr_clock_monotonic(&sr_clock_system);
}

static const struct sr_clock days_later = {later_now, later_mono, NULL};

/* A journal as an older version wrote it. */
static void old_journal(struct place *p, const char *store)
{
    char runs[200], path[300], text[128];
    struct sr_error err = SR_ERROR_INIT;
    (void)snprintf(runs, sizeof runs, "%s/runs", p->state);
    ASSERT_OK(sr_fs_mkdirs(runs, 0700, &err), err);
    (void)snprintf(path, sizeof path, "%s/" SET ".run", runs);
    int n = snprintf(text, sizeof text, SET "\napp\n%s\n", store);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(write(fd, text, (size_t)n), n);
    (void)close(fd);
}

/* A dead run's journal in this place's state, with these keys told. */
static void dead_journal_of(struct place *p, const char *store, const char *const *keys)
{
    struct sr_strlist stores = {0};
    struct sr_journal *j = NULL;
    struct sr_error err = SR_ERROR_INIT;
    (void)sr_strlist_add(&stores, store);
    ASSERT_OK(sr_journal_begin(p->state, SET, "app", RUN, &stores, &j, &err), err);
    for (; *keys; keys++)
        ASSERT_OK(sr_journal_key(j, *keys, &err), err);
    sr_journal_end(j, 0);
    sr_strlist_done(&stores);
}

static void dead_journal(struct place *p, const char *const *keys)
{
    dead_journal_of(p, "local", keys);
}

static void a_dead_run_loses_only_its_own(void)
{
    static const char *const keys[] = {SET ".sql.gz", SET ".app.sha256", NULL};
    struct place p;
    /* The claim is its own. */
    place_open(&p);
    dead_journal(&p, keys);
    put_mark(&p, SR_KEY_CLAIM, RUN, SET ".claim", SET ".sql.gz", 0);
    put(&p, SET ".sql.gz", "ours", 0);
    put(&p, SET ".other.sha256", "not told to the journal", 0);
    CU_ASSERT_EQUAL(sweep(&p), 3); /* object, claim, journal */
    CU_ASSERT(!there(&p, SET ".sql.gz"));
    CU_ASSERT(!there(&p, SET ".claim"));
    CU_ASSERT(there(&p, SET ".other.sha256"));
    CU_ASSERT(!there(&p, ".strongroom/runs/" SET ".run"));
    place_close(&p);

    /* Another host has the name: what lies there is that host's, who may be about to commit it. */
    place_open(&p);
    dead_journal(&p, keys);
    put_mark(&p, SR_KEY_CLAIM, OTHER_RUN, SET ".claim", SET ".sql.gz", 0);
    put(&p, SET ".sql.gz", "theirs", 0);
    CU_ASSERT_EQUAL(sweep(&p), 1);
    CU_ASSERT(there(&p, SET ".sql.gz"));
    CU_ASSERT(there(&p, SET ".claim"));
    CU_ASSERT(!there(&p, ".strongroom/runs/" SET ".run"));
    place_close(&p);
}

/* Eventually consistent: what was committed a moment ago is asked for, not looked up. */
static void a_listing_that_lags_costs_no_backup(void)
{
    static const char *const keys[] = {SET ".sql.gz", NULL};
    static const char *const stays[] = {SET ".sql.gz", SET ".app.manifest.json", SET ".claim"};
    char setting[128];
    /* By a dead run's journal, by the claim's age, by a prune's mark, by a journal without a run.
     */
    for (int how = 0; how < 4; how++) {
        struct place p;
        struct sr_error err = SR_ERROR_INIT;
        (void)snprintf(setting, sizeof setting, "BACKUP_FAULTY_PLACE=lag%d", how);
        place_open_with(&p, "faulty", setting, "BACKUP_FAULTY_UNLISTED=.manifest.json");
        struct sr_store_rw *store = p.stores.items[0];
        struct sr_mark m = {.kind = SR_KEY_CLAIM, .source = "app", .run = RUN};
        (void)sr_mark_add(&m, SET ".sql.gz");
        if (how == 0)
            dead_journal_of(&p, "faulty", keys);
        if (how == 2) {
            struct sr_buf text;
            sr_buf_init(&text, SR_MARK_MAX);
            m.kind = SR_KEY_PRUNING;
            ASSERT_OK(sr_mark_write(&m, &text, &err), err);
            ASSERT_OK(sr_store_save_small(store, SET ".app.pruning", text.data, text.len, &err),
                      err);
            sr_buf_done(&text);
            m.kind = SR_KEY_CLAIM;
        }
        if (how == 3)
            old_journal(&p, "faulty");
        if (how != 3)
            ASSERT_OK(sr_claim_take(store, SET, &m, &err), err);
        ASSERT_OK(sr_store_save_small(store, SET ".sql.gz", "ours", 4, &err), err);
        ASSERT_OK(sr_store_save_small(store, SET ".app.manifest.json", "{}", 2, &err), err);
        p.ctx.clock = &days_later;
        (void)sweep(&p);
        for (size_t i = 0; i < 3 - (how == 3); i++)
            CU_ASSERT_EQUAL(sr_store_stat(sr_store_ro(store), stays[i], NULL, NULL, NULL), SR_OK);
        /* And where there is none, it goes. */
        ASSERT_OK(sr_store_delete(store, SET ".app.manifest.json", NULL, NULL, &err), err);
        if (how == 0)
            dead_journal_of(&p, "faulty", keys);
        if (how == 3)
            old_journal(&p, "faulty");
        (void)sweep(&p);
        CU_ASSERT_EQUAL(sr_store_stat(sr_store_ro(store), SET ".sql.gz", NULL, NULL, NULL),
                        SR_E_NOT_FOUND);
        sr_mark_done(&m);
        place_close(&p);
    }
}

static void a_journal_of_an_older_version_waits_for_age(void)
{
    struct place p;
    for (int days = 0; days < 3; days += 2) {
        place_open(&p);
        old_journal(&p, "local");
        put(&p, SET ".sql.gz", "somebody's", days);
        CU_ASSERT_EQUAL(sweep(&p), days ? 2 : 0);
        CU_ASSERT_EQUAL(there(&p, SET ".sql.gz"), !days);
        CU_ASSERT_EQUAL(there(&p, ".strongroom/runs/" SET ".run"), !days);
        place_close(&p);
    }
}

static void marks_are_hostile(void)
{
    static const char *const bad[] = {
        "",
        "strongroom claim 1",
        "strongroom claim 1\n",
        "strongroom claim 1\nrun " RUN "\n",
        "strongroom hold 1\nrun " RUN "\nsource app\n",
        "strongroom claim 1\nrun x\nsource app\n",
        "strongroom claim 1\nrun " RUN "\nrun " RUN "\nsource app\n",
        "strongroom claim 1\nrun " RUN "\nsource app\nkey other-20261120130501.sql.gz\n",
        "strongroom claim 1\nrun " RUN "\nsource app\nkey ../" SET ".sql.gz\n",
        "strongroom claim 1\nrun " RUN "\nsource app\nkey " SET ".app.manifest.json\n",
        "strongroom claim 1\nrun " RUN "\nsource app\nkey " SET ".claim\n",
        "strongroom claim 1\nrun " RUN "\nsource app\nend .txt\n",
        "strongroom claim 1\nrun " RUN "\nsource app\nend /x.sql.gz\n",
        "strongroom claim 1\nrun " RUN "\nsource app\nsize 5\n",
        "strongroom claim 1\nrun " RUN "\nsource app\n\n"};
    static const char later[] = "strongroom claim 2\nanything\n";
    static const char good[] = "strongroom claim 1\nrun " RUN "\nsource app\nkey " SET
                               ".app.sha256\nend .sql.gz.gpg\nend .shop.dump\n";
    struct sr_error err = SR_ERROR_INIT;
    struct sr_mark m;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CU_ASSERT_EQUAL(sr_mark_read(bad[i], strlen(bad[i]), SET, &m, &err), SR_E_CORRUPT);
        sr_mark_done(&m);
    }
    CU_ASSERT_EQUAL(sr_mark_read(later, strlen(later), SET, &m, &err), SR_E_UNSUPPORTED);
    sr_mark_done(&m);
    ASSERT_OK(sr_mark_read(good, strlen(good), SET, &m, &err), err);
    CU_ASSERT(sr_mark_covers(&m, SET, SET "-" SHA ".sql.gz.gpg"));
    CU_ASSERT(sr_mark_covers(&m, SET, SET "-" SHA ".shop.dump"));
    CU_ASSERT(sr_mark_covers(&m, SET, SET ".app.sha256"));
    CU_ASSERT(!sr_mark_covers(&m, SET, SET ".sql.gz.gpg"));
    CU_ASSERT(!sr_mark_covers(&m, SET, SET "-" SHA ".sql.gz"));
    CU_ASSERT(!sr_mark_covers(&m, "bare", "bare-" SHA ".sql.gz.gpg"));
    sr_mark_done(&m);
}

/* Of two runs that take one name at once exactly one gets it. */
static void a_claim_is_given_once(void)
{
    struct place p;
    struct sr_error err = SR_ERROR_INIT;
    struct sr_mark mine = {.kind = SR_KEY_CLAIM, .run = RUN, .source = "app"};
    struct sr_mark theirs = {.kind = SR_KEY_CLAIM, .run = OTHER_RUN, .source = "other"};
    place_open(&p);
    ASSERT_OK(sr_claim_take(p.stores.items[0], SET, &mine, &err), err);
    CU_ASSERT_EQUAL(sr_claim_take(p.stores.items[0], SET, &theirs, &err), SR_E_EXISTS);
    /* The answer to the first was lost, say. */
    ASSERT_OK(sr_claim_take(p.stores.items[0], SET, &mine, &err), err);
    place_close(&p);
}

/* Neither listing nor reading nor deleting is needed for that. */
static void a_claim_needs_only_the_right_to_write(void)
{
    static const struct {
        const char *adapter, *setting;
    } cases[] = {{"memory", "BACKUP_MEMORY_HOW=write-only"},
                 {"memory", "BACKUP_GLOBALS=off"},
                 {"weak", "BACKUP_GLOBALS=off"}};
    struct sr_mark mine = {.kind = SR_KEY_CLAIM, .run = RUN, .source = "app"};
    struct sr_mark theirs = {.kind = SR_KEY_CLAIM, .run = OTHER_RUN, .source = "other"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct place p;
        struct sr_error err = SR_ERROR_INIT;
        char set[SR_SET_MAX];
        (void)snprintf(set, sizeof set, "claimed-%zu", i);
        place_open_as(&p, cases[i].adapter, cases[i].setting);
        ASSERT_OK(sr_claim_take(p.stores.items[0], set, &mine, &err), err);
        CU_ASSERT_EQUAL(sr_claim_take(p.stores.items[0], set, &theirs, &err), SR_E_EXISTS);
        place_close(&p);
    }
}

struct taking {
    struct sr_store_rw *store;
    const char *set;
    const struct sr_mark *mark;
    int rc;
    pthread_t thread;
};

static void *take(void *arg)
{
    struct taking *t = arg;
    t->rc = sr_claim_take(t->store, t->set, t->mark, NULL);
    return NULL;
}

/* In a store that lets both write, who comes first finds the other's claim when it reads back. */
static void a_weak_store_is_read_back(void)
{
    struct place first, second;
    struct sr_error err = SR_ERROR_INIT;
    struct sr_mark mine = {.kind = SR_KEY_CLAIM, .run = RUN, .source = "app"};
    struct sr_mark theirs = {.kind = SR_KEY_CLAIM, .run = OTHER_RUN, .source = "other"};
    struct taking t = {.set = "both", .mark = &mine};
    char gate[64], go[96], reached[96], setting[128];
    (void)snprintf(gate, sizeof gate, "%s/gate", root);
    (void)snprintf(go, sizeof go, "%s/go", gate);
    (void)snprintf(reached, sizeof reached, "%s/reached", gate);
    (void)snprintf(setting, sizeof setting, "BACKUP_WEAK_GATE=fetch:both.claim:%s", gate);
    CU_ASSERT_EQUAL(mkdir(gate, 0700), 0);
    place_open_as(&first, "weak", setting);
    place_open_as(&second, "weak", "BACKUP_WEAK_HOW=replaces");
    t.store = first.stores.items[0];
    CU_ASSERT_EQUAL(pthread_create(&t.thread, NULL, take, &t), 0);
    for (int i = 0; i < 2000 && access(reached, F_OK) != 0; i++)
        (void)usleep(5000);
    CU_ASSERT_EQUAL(access(reached, F_OK), 0);
    ASSERT_OK(sr_claim_take(second.stores.items[0], "both", &theirs, &err), err);
    int fd = open(go, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    (void)close(fd);
    (void)pthread_join(t.thread, NULL);
    CU_ASSERT_EQUAL(t.rc, SR_E_EXISTS);
    place_close(&second);
    place_close(&first);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"files of others stay", files_of_others_stay},
        {"what a claim names goes by age", what_a_claim_names_goes_by_age},
        {"what is a backup or held stays", what_is_a_backup_or_held_stays},
        {"a prune that was cut off is ended", a_prune_that_was_cut_off_is_ended},
        {"leftovers among backups are found", leftovers_among_backups_are_found},
        {"a dead run loses only its own", a_dead_run_loses_only_its_own},
        {"a listing that lags costs no backup", a_listing_that_lags_costs_no_backup},
        {"a journal of an older version waits for age",
         a_journal_of_an_older_version_waits_for_age},
        {"marks are hostile", marks_are_hostile},
        {"a claim is given once", a_claim_is_given_once},
        {"a claim needs only the right to write", a_claim_needs_only_the_right_to_write},
        {"a weak store is read back", a_weak_store_is_read_back},
        {NULL, NULL}};
    if (!mkdtemp(root))
        return 2;
    return unit_main("sweep", tests);
}
