/* A prune on a store in memory whose calls can be stopped or answer as stores do: a hold that comes
 * while it is at the set, a listing that is not whole, locks, clocks, sets that are not what their
 * names say. */
#include "config.h"
#include "core/catalog/catalog.h"
#include "core/engine/context.h"
#include "core/engine/retention.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OLD "nightly-20200101000000"
#define YOUNG "nightly-20260101000000"

static char root[] = "/tmp/sr-test-hold-XXXXXX";

struct hand {
    struct sr_config *cfg;
    struct sr_stores stores;
    struct sr_context ctx;
    pthread_t thread;
    int rc;
    struct sr_error err;
    struct sr_prune_result pruned;
};

/* more: further NAME=VALUE, ended by NULL. */
static void hand_open_as(struct hand *h, const char *adapter, const char *const *more)
{
    struct sr_strlist flags = {0};
    struct sr_error err = SR_ERROR_INIT;
    char *none[] = {NULL};
    memset(h, 0, sizeof *h);
    (void)sr_strlist_addf(&flags, "BACKUP_PLUGIN_PATH=%s/tests/abi/.libs", getenv("SR_BUILDDIR"));
    (void)sr_strlist_addf(&flags, "BACKUP_STORAGE_ADAPTER=%s", adapter);
    (void)sr_strlist_add(&flags, "BACKUP_RETENTION_DAYS=7");
    (void)sr_strlist_addf(&flags, "BACKUP_DIR=%s", root);
    for (; more && *more; more++)
        (void)sr_strlist_add(&flags, *more);
    const struct sr_config_options o = {
        .config_file = "/dev/null", .env_file = "/dev/null", .flags = &flags, .environ_ = none};
    ASSERT_OK(sr_config_new(&o, &h->cfg, &err), err);
    ASSERT_OK(sr_stores_open(h->cfg, NULL, &h->stores, &err), err);
    sr_context_init(&h->ctx, h->cfg, &sr_clock_system, NULL, "cli");
    sr_strlist_done(&flags);
}

static void hand_open(struct hand *h, const char *gate)
{
    char setting[256];
    (void)snprintf(setting, sizeof setting, "BACKUP_MEMORY_GATE=%s:%s", gate ? gate : "", root);
    hand_open_as(h, "memory", gate ? (const char *const[]){setting, NULL} : NULL);
}

static void hand_close(struct hand *h)
{
    sr_prune_result_done(&h->pruned);
    sr_context_done(&h->ctx);
    sr_stores_close(&h->stores);
    sr_config_free(h->cfg);
}

/* The set's one object is locked until then; 0: it is not. */
static void put_set_locked(struct hand *h, const char *set, int64_t until)
{
    struct sr_manifest *m = NULL;
    struct sr_buf text;
    struct sr_error err = SR_ERROR_INIT;
    char key[128], label[SR_SET_MAX];
    sr_buf_init(&text, SR_MANIFEST_MAX);
    ASSERT_OK(sr_manifest_new(&m), err);
    struct sr_manifest_object *o = sr_manifest_add_object(m);
    (void)snprintf(key, sizeof key, "%s.sql", set);
    ASSERT_OK(sr_store_save_locked(h->stores.items[0], key, "bytes", 5, until, &err), err);
    m->format = SR_MANIFEST_FORMAT;
    sr_set_split(set, label, &m->created_at);
    m->finished_at = m->created_at;
    o->size = o->plain_size = 5;
    memset(o->sha256, 'a', 64);
    memset(o->plain_sha256, 'a', 64);
    CU_ASSERT_EQUAL(sr_set_string(&m->set, set) | sr_set_string(&m->label, label) |
                        sr_set_string(&m->source, "app") | sr_set_string(&m->trigger, "cli") |
                        sr_set_string(&m->strongroom_version, "0") | sr_set_string(&o->key, key) |
                        sr_set_string(&o->kind, "plain") | sr_set_string(&o->compression, "none") |
                        sr_set_string(&o->encryption, "none"),
                    SR_OK);
    ASSERT_OK(sr_manifest_write(m, &text, &err), err);
    (void)snprintf(key, sizeof key, "%s.app.manifest.json", set);
    ASSERT_OK(sr_store_save_small(h->stores.items[0], key, text.data, text.len, &err), err);
    sr_buf_done(&text);
    sr_manifest_free(m);
}

static void put_set(struct hand *h, const char *set)
{
    put_set_locked(h, set, 0);
}

static int there(struct hand *h, const char *key)
{
    return sr_store_stat(sr_store_ro(h->stores.items[0]), key, NULL, NULL, NULL) == SR_OK;
}

static int file_there(const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", root, name);
    return access(path, F_OK) == 0;
}

static void file_make(const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", root, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CU_ASSERT(fd >= 0);
    (void)close(fd);
}

/* Bounded: a test that waits for what does not come fails. */
#define WAIT_FOR(what)                               \
    do {                                             \
        for (int i_ = 0; i_ < 2000 && !(what); i_++) \
            (void)usleep(5000);                      \
        CU_ASSERT(what);                             \
    } while (0)

static void *prune(void *arg)
{
    struct hand *h = arg;
    h->rc = sr_prune_run(&h->ctx, &h->stores, NULL, NULL, 0, 0, &h->pruned, &h->err);
    return NULL;
}

static void *hold(void *arg)
{
    struct hand *h = arg;
    char set[SR_SET_MAX];
    size_t n = 0;
    h->rc = sr_hold_set(&h->ctx, &h->stores, OLD, 1, set, &n, &h->err);
    return NULL;
}

static void begin(struct hand *pruner, struct hand *holder, const char *gate)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/reached", root);
    (void)unlink(path);
    (void)snprintf(path, sizeof path, "%s/go", root);
    (void)unlink(path);
    hand_open(pruner, gate);
    hand_open(holder, NULL);
    put_set(holder, OLD);
    put_set(holder, YOUNG);
    CU_ASSERT_EQUAL(pthread_create(&pruner->thread, NULL, prune, pruner), 0);
    WAIT_FOR(file_there("reached"));
}

static void end(struct hand *pruner, struct hand *holder)
{
    static const char *const keys[] = {OLD ".sql", OLD ".app.manifest.json", OLD ".app.hold",
                                       YOUNG ".sql", YOUNG ".app.manifest.json"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        (void)sr_store_delete(pruner->stores.items[0], keys[i], NULL, NULL, NULL);
    hand_close(pruner);
    if (holder)
        hand_close(holder);
}

/* The prune has looked for holds for the last time. */
static void a_hold_that_comes_too_late_says_so(void)
{
    struct hand pruner, holder;
    begin(&pruner, &holder, "delete:" OLD ".app.manifest.json");
    CU_ASSERT_EQUAL(pthread_create(&holder.thread, NULL, hold, &holder), 0);
    struct hand looker;
    hand_open(&looker, NULL);
    WAIT_FOR(there(&looker, OLD ".app.hold"));
    hand_close(&looker);
    file_make("go");
    (void)pthread_join(holder.thread, NULL);
    (void)pthread_join(pruner.thread, NULL);
    CU_ASSERT_EQUAL(holder.rc, SR_E_NOT_FOUND);
    CU_ASSERT_PTR_NOT_NULL(strstr(holder.err.text, "deleted by a prune"));
    ASSERT_OK(pruner.rc, pruner.err);
    CU_ASSERT(!there(&holder, OLD ".app.manifest.json"));
    CU_ASSERT(!there(&holder, OLD ".app.hold"));
    CU_ASSERT(!there(&holder, OLD ".app.pruning"));
    CU_ASSERT(!there(&holder, OLD ".sql"));
    end(&pruner, &holder);
}

/* The prune has read the store, has judged the set, and is about to begin. */
static void a_hold_that_comes_in_time_wins(void)
{
    struct hand pruner, holder;
    begin(&pruner, &holder, "save:" OLD ".app.pruning");
    (void)hold(&holder);
    ASSERT_OK(holder.rc, holder.err);
    file_make("go");
    (void)pthread_join(pruner.thread, NULL);
    ASSERT_OK(pruner.rc, pruner.err);
    CU_ASSERT_EQUAL(pruner.pruned.len, 2);
    CU_ASSERT_EQUAL(pruner.pruned.items[0].outcome, SR_PRUNE_KEPT);
    CU_ASSERT_STRING_EQUAL(pruner.pruned.items[0].reason, "kept: hold");
    CU_ASSERT(there(&holder, OLD ".app.manifest.json"));
    CU_ASSERT(there(&holder, OLD ".app.hold"));
    CU_ASSERT(there(&holder, OLD ".sql"));
    CU_ASSERT(!there(&holder, OLD ".app.pruning"));
    end(&pruner, &holder);
}

/* The backup was stored a moment ago, and the listing does not have it. */
static void a_listing_that_is_not_whole_prunes_nothing(void)
{
    struct hand h;
    hand_open(&h, NULL);
    put_set(&h, OLD);
    put_set(&h, YOUNG);
    CU_ASSERT_EQUAL(
        sr_prune_run(&h.ctx, &h.stores, NULL, "nightly-20260101000001", 0, 0, &h.pruned, &h.err),
        SR_E_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(h.err.text, "does not show nightly-20260101000001"));
    CU_ASSERT_EQUAL(h.pruned.len, 0);
    CU_ASSERT(there(&h, OLD ".app.manifest.json"));
    ASSERT_OK(sr_prune_run(&h.ctx, &h.stores, NULL, YOUNG, 0, 0, &h.pruned, &h.err), h.err);
    CU_ASSERT(!there(&h, OLD ".app.manifest.json") && there(&h, YOUNG ".app.manifest.json"));
    end(&h, NULL);
}

/* --- what a store keeps, and what it says of that --- */

static const struct sr_prune_item *pruned(const struct hand *h, const char *set)
{
    for (size_t i = 0; i < h->pruned.len; i++)
        if (strcmp(h->pruned.items[i].set, set) == 0)
            return &h->pruned.items[i];
    CU_FAIL_FATAL("no such set was judged");
    return NULL;
}

#define MORE(...) ((const char *const[]){__VA_ARGS__, NULL})
#define UNTIL INT64_C(4102444800) /* 2100-01-01 */

static void a_locked_object_keeps_its_manifest(void)
{
    static const char *const silent[] = {"off", "on"};
    for (int i = 0; i < 2; i++) {
        char place[64], quiet[64];
        struct hand h;
        (void)snprintf(place, sizeof place, "BACKUP_FAULTY_PLACE=locked%d", i);
        (void)snprintf(quiet, sizeof quiet, "BACKUP_FAULTY_SILENT=%s", silent[i]);
        hand_open_as(&h, "faulty", MORE(place, quiet, "BACKUP_FAULTY_LOCKS=on"));
        put_set_locked(&h, OLD, UNTIL);
        put_set(&h, YOUNG);
        (void)prune(&h);
        ASSERT_OK(h.rc, h.err);
        const struct sr_prune_item *it = pruned(&h, OLD);
        CU_ASSERT_EQUAL(it->outcome, SR_PRUNE_LOCKED);
        CU_ASSERT_EQUAL(it->freed, 0);
        CU_ASSERT_PTR_NOT_NULL(strstr(it->reason, "locked by the store"));
        CU_ASSERT_EQUAL(strstr(it->reason, "2100-01-01") != NULL, i == 0);
        CU_ASSERT_EQUAL(strstr(it->reason, "manifest.json was put back") != NULL, i == 1);
        CU_ASSERT(there(&h, OLD ".app.manifest.json") && there(&h, OLD ".sql"));
        CU_ASSERT(!there(&h, OLD ".app.pruning"));
        /* It is the very same. */
        struct sr_catalog *c = NULL;
        struct sr_manifest *m = NULL;
        ASSERT_OK(sr_catalog_read(sr_store_ro(h.stores.items[0]), &c, &h.err), h.err);
        ASSERT_OK(sr_catalog_manifest(sr_store_ro(h.stores.items[0]), &c->sets[0], &m, &h.err),
                  h.err);
        sr_manifest_free(m);
        sr_catalog_free(c);
        hand_close(&h);
    }
}

static int64_t days_ahead;

static int64_t wrong_now(void *ctx)
{
    (void)ctx;
    return sr_clock_now(&sr_clock_system) + days_ahead * 86400;
}

static int64_t wrong_mono(void *ctx)
{
    (void)ctx;
    return sr_clock_monotonic(&sr_clock_system);
}

static void a_store_whose_clock_is_behind_loses_nothing(void)
{
    static const struct sr_clock wrong = {wrong_now, wrong_mono, NULL};
    struct hand h;
    hand_open_as(&h, "faulty", MORE("BACKUP_FAULTY_PLACE=behind", "BACKUP_FAULTY_BEHIND=3"));
    put_set(&h, OLD);
    put_set(&h, YOUNG);
    (void)prune(&h);
    CU_ASSERT_EQUAL(h.rc, SR_E_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(h.err.text, "nothing is deleted in store faulty"));
    CU_ASSERT_PTR_NOT_NULL(strstr(h.err.text, "clock is 3 days ahead"));
    CU_ASSERT_EQUAL(pruned(&h, OLD)->outcome, SR_PRUNE_KEPT);
    CU_ASSERT(there(&h, OLD ".app.manifest.json") && !there(&h, OLD ".app.pruning"));
    /* As far ahead of a clock that is right; a few hours are nothing. */
    days_ahead = -2;
    h.ctx.clock = &wrong;
    sr_prune_result_done(&h.pruned);
    (void)prune(&h);
    CU_ASSERT_EQUAL(h.rc, SR_OK);
    CU_ASSERT(!there(&h, OLD ".app.manifest.json"));
    hand_close(&h);
    hand_open_as(&h, "faulty",
                 MORE("BACKUP_FAULTY_PLACE=trusted", "BACKUP_FAULTY_BEHIND=3",
                      "BACKUP_RETENTION_TRUST_CLOCK=on"));
    put_set(&h, OLD);
    put_set(&h, YOUNG);
    (void)prune(&h);
    ASSERT_OK(h.rc, h.err);
    CU_ASSERT(!there(&h, OLD ".app.manifest.json"));
    hand_close(&h);
}

/* --- sets that are not what their names say --- */

static void nothing_goes_for_a_set_that_nobody_can_read(void)
{
    struct hand h;
    struct sr_error err = SR_ERROR_INIT;
    hand_open_as(&h, "faulty",
                 MORE("BACKUP_FAULTY_PLACE=read", "BACKUP_RETENTION_MIN_KEEP=2",
                      "BACKUP_RETENTION_TRUST_CLOCK=on"));
    struct sr_store_rw *store = h.stores.items[0];
    put_set(&h, OLD);
    put_set(&h, "nightly-20200201000000");
    put_set(&h, "nightly-20200301000000");
    put_set(&h, YOUNG);
    /* Its name says as much as the others'. */
    ASSERT_OK(sr_store_delete(store, "nightly-20200301000000.sql", NULL, NULL, &err), err);
    /* The most proven one, whose manifest is rubbish. */
    ASSERT_OK(sr_store_delete(store, OLD ".app.manifest.json", NULL, NULL, &err), err);
    ASSERT_OK(sr_store_save_small(store, OLD ".app.manifest.json", "{", 1, &err), err);
    ASSERT_OK(
        sr_store_save_small(store, OLD ".app.proof-compared-20200102000000.json", "{}", 2, &err),
        err);
    /* The one that it took the place of. */
    put_set(&h, "nightly-20191201000000");
    ASSERT_OK(sr_store_save_small(store,
                                  "nightly-20191201000000.app.proof-opened-20200102000000.json",
                                  "{}", 2, &err),
              err);
    put_set(&h, "nightly-20191101000000");
    (void)prune(&h);
    CU_ASSERT_EQUAL(h.rc, SR_E_PARTIAL); /* what belongs to the unreadable one is not known */
    CU_ASSERT_EQUAL(pruned(&h, "nightly-20200201000000")->outcome, SR_PRUNE_KEPT);
    CU_ASSERT_STRING_EQUAL(pruned(&h, "nightly-20200201000000")->reason,
                           "kept: one of the 2 newest good sets of app");
    CU_ASSERT_EQUAL(pruned(&h, "nightly-20191201000000")->outcome, SR_PRUNE_KEPT);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(pruned(&h, "nightly-20191201000000")->reason, "highest proof (opened)"));
    CU_ASSERT_EQUAL(pruned(&h, "nightly-20200301000000")->outcome, SR_PRUNE_DROPPED);
    CU_ASSERT_EQUAL(pruned(&h, "nightly-20191101000000")->outcome, SR_PRUNE_DROPPED);
    CU_ASSERT_EQUAL(pruned(&h, OLD)->outcome, SR_PRUNE_FAILED);
    hand_close(&h);
}

static void an_empty_place_is_no_store(void)
{
    struct hand h;
    struct sr_error err = SR_ERROR_INIT;
    hand_open_as(&h, "faulty", MORE("BACKUP_FAULTY_PLACE=empty"));
    (void)prune(&h);
    CU_ASSERT_EQUAL(h.rc, SR_E_NOT_FOUND);
    CU_ASSERT_PTR_NOT_NULL(strstr(h.err.text, "holds nothing that strongroom wrote"));
    ASSERT_OK(sr_store_save_small(h.stores.items[0], "RECOVER.txt", "x", 1, &err), err);
    (void)prune(&h);
    ASSERT_OK(h.rc, h.err);
    hand_close(&h);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"a hold that comes too late says so", a_hold_that_comes_too_late_says_so},
        {"a hold that comes in time wins", a_hold_that_comes_in_time_wins},
        {"a listing that is not whole prunes nothing", a_listing_that_is_not_whole_prunes_nothing},
        {"a locked object keeps its manifest", a_locked_object_keeps_its_manifest},
        {"a store whose clock is behind loses nothing",
         a_store_whose_clock_is_behind_loses_nothing},
        {"nothing goes for a set that nobody can read",
         nothing_goes_for_a_set_that_nobody_can_read},
        {"an empty place is no store", an_empty_place_is_no_store},
        {NULL, NULL}};
    if (!mkdtemp(root))
        return 2;
    return unit_main("hold", tests);
}
