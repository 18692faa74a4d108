#include "config.h"
#include "core/engine/context.h"
#include "core/engine/guard.h"
#include "core/engine/journal.h"
#include "core/engine/lock.h"
#include "core/engine/object_input.h"
#include "core/engine/spool.h"
#include "core/engine/transfer.h"
#include "core/store/stores.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[] = "/tmp/sr-test-engine-XXXXXX";

#define RUN "0123456789abcdef0123456789abcdef"

static int woken;

static void wake(void *arg)
{
    woken += *(int *)arg;
}

static void cancellation_reaches_early_and_late(void)
{
    struct sr_context ctx;
    struct sr_error err = SR_ERROR_INIT;
    int one = 1, ten = 10, hundred = 100;
    sr_context_init(&ctx, NULL, &sr_clock_system, NULL, "cli");
    CU_ASSERT_EQUAL(sr_context_check(&ctx, &err), SR_OK);
    sr_context_on_cancel(&ctx, wake, &one);
    sr_context_on_cancel(&ctx, wake, &ten);
    sr_context_off_cancel(&ctx, wake, &one);
    sr_context_cancel(&ctx, SIGTERM);
    CU_ASSERT_EQUAL(woken, 10);
    sr_context_on_cancel(&ctx, wake, &hundred); /* after the fact: at once */
    CU_ASSERT_EQUAL(woken, 110);
    CU_ASSERT_EQUAL(sr_context_check(&ctx, &err), SR_E_CANCELLED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "15"));
    sr_context_done(&ctx);
}

static void lock_is_exclusive_and_names_its_owner(void)
{
    struct sr_lock *a = NULL, *b = NULL;
    struct sr_error err = SR_ERROR_INIT;
    char pid[32];
    ASSERT_OK(sr_lock_take(dir, "app", &a, &err), err);
    CU_ASSERT_EQUAL(sr_lock_take(dir, "app", &b, &err), SR_E_BUSY);
    (void)snprintf(pid, sizeof pid, "process %ld ", (long)getpid());
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, pid));
    ASSERT_OK(sr_lock_take(dir, "other", &b, &err), err);
    sr_lock_release(b);
    sr_lock_release(a);
    ASSERT_OK(sr_lock_take(dir, "app", &a, &err), err);
    sr_lock_release(a);
    sr_lock_release(NULL);
}

static void lock_of_a_dead_owner_is_free(void)
{
    int ready[2];
    char c = 0;
    struct sr_lock *l = NULL;
    struct sr_error err = SR_ERROR_INIT;
    CU_ASSERT_EQUAL_FATAL(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int rc = sr_lock_take(dir, "dead", &l, NULL);
        c = rc == SR_OK ? 'y' : 'n';
        if (write(ready[1], &c, 1) != 1)
            _exit(2);
        pause();
        _exit(0);
    }
    CU_ASSERT_EQUAL(read(ready[0], &c, 1), 1);
    CU_ASSERT_EQUAL(c, 'y');
    CU_ASSERT_EQUAL(sr_lock_take(dir, "dead", &l, &err), SR_E_BUSY);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    ASSERT_OK(sr_lock_take(dir, "dead", &l, &err), err);
    sr_lock_release(l);
    close(ready[0]);
    close(ready[1]);
}

struct seen {
    int n, clear;
    char set[SR_SET_MAX], store[64];
};

static int see(void *ctx, const struct sr_journal_entry *e)
{
    struct seen *s = ctx;
    s->n++;
    (void)snprintf(s->set, sizeof s->set, "%s", e->set);
    (void)snprintf(s->store, sizeof s->store, "%s", e->stores.len > 1 ? e->stores.items[1] : "");
    return s->clear;
}

static void journal_of_a_live_run_is_left_alone(void)
{
    struct sr_journal *j = NULL, *k = NULL;
    struct sr_strlist stores = {0};
    struct sr_error err = SR_ERROR_INIT;
    struct seen s = {0};
    sr_strlist_add(&stores, "local");
    sr_strlist_add(&stores, "dr");
    ASSERT_OK(sr_journal_begin(dir, "app-20261120130501", "app", RUN, &stores, &j, &err), err);
    CU_ASSERT_EQUAL(sr_journal_begin(dir, "app-20261120130501", "other", RUN, &stores, &k, &err),
                    SR_E_EXISTS);
    ASSERT_OK(sr_journal_dead(dir, see, &s, &err), err);
    CU_ASSERT_EQUAL(s.n, 0);
    /* Ended without being cleared: the next sweep sees it, until it could clear up. */
    sr_journal_end(j, 0);
    ASSERT_OK(sr_journal_dead(dir, see, &s, &err), err);
    CU_ASSERT_EQUAL(s.n, 1);
    CU_ASSERT_STRING_EQUAL(s.set, "app-20261120130501");
    CU_ASSERT_STRING_EQUAL(s.store, "dr");
    s.clear = 1;
    ASSERT_OK(sr_journal_dead(dir, see, &s, &err), err);
    CU_ASSERT_EQUAL(s.n, 2);
    ASSERT_OK(sr_journal_dead(dir, see, &s, &err), err);
    CU_ASSERT_EQUAL(s.n, 2);
    ASSERT_OK(sr_journal_begin(dir, "app-20261120130501", "app", RUN, &stores, &j, &err), err);
    sr_journal_end(j, 1);
    sr_strlist_done(&stores);
}

static void journals_of_live_runs_are_told(void)
{
    struct sr_journal *j = NULL, *k = NULL;
    struct sr_strlist stores = {0}, live = {0};
    struct sr_error err = SR_ERROR_INIT;
    ASSERT_OK(sr_journal_live("/nonexistent", &live, &err), err);
    CU_ASSERT_EQUAL(live.len, 0);
    sr_strlist_add(&stores, "local");
    ASSERT_OK(sr_journal_begin(dir, "app-20261120130501", "app", RUN, &stores, &j, &err), err);
    ASSERT_OK(sr_journal_begin(dir, "app-20261120130502", "app", RUN, &stores, &k, &err), err);
    sr_journal_end(k, 0); /* dead */
    ASSERT_OK(sr_journal_live(dir, &live, &err), err);
    CU_ASSERT_EQUAL(live.len, 1);
    CU_ASSERT_TRUE(sr_strlist_has(&live, "app-20261120130501"));
    sr_journal_end(j, 1);
    struct seen s = {.clear = 1};
    ASSERT_OK(sr_journal_dead(dir, see, &s, &err), err);
    CU_ASSERT_EQUAL(s.n, 1);
    sr_strlist_done(&live);
    sr_strlist_done(&stores);
}

struct told {
    int n;
    char keys[512], run[SR_RUN_ID_SIZE];
};

static int see_keys(void *ctx, const struct sr_journal_entry *e)
{
    struct told *t = ctx;
    t->n++;
    t->keys[0] = '\0';
    memcpy(t->run, e->run, sizeof t->run);
    for (size_t i = 0; i < e->keys.len; i++) {
        size_t n = strlen(t->keys);
        (void)snprintf(t->keys + n, sizeof t->keys - n, "%s ", e->keys.items[i]);
    }
    return 0;
}

static void journal_tells_keys_before_they_are_written(void)
{
    static const char set[] = "app-20261120130501";
    struct sr_journal *j = NULL;
    struct sr_strlist stores = {0};
    struct sr_error err = SR_ERROR_INIT;
    struct told t = {0};
    char path[128];
    sr_strlist_add(&stores, "local");
    (void)snprintf(path, sizeof path, "%s/runs/%s.run", dir, set);
    ASSERT_OK(sr_journal_begin(dir, set, "app", RUN, &stores, &j, &err), err);
    ASSERT_OK(sr_journal_key(j, "app-20261120130501.sql.gz", &err), err);
    ASSERT_OK(sr_journal_key(j, "app-20261120130501.sql.gz", &err), err);
    ASSERT_OK(sr_journal_key(j, "app-20261120130501.app.sha256", &err), err);
    sr_journal_end(j, 0);
    ASSERT_OK(sr_journal_key(NULL, "nowhere", &err), err);
    /* A line that was being written when the run died. */
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    CU_ASSERT_EQUAL(write(fd, "key app-2026", 12), 12);
    close(fd);
    ASSERT_OK(sr_journal_dead(dir, see_keys, &t, &err), err);
    CU_ASSERT_EQUAL(t.n, 1);
    CU_ASSERT_STRING_EQUAL(t.run, RUN);
    CU_ASSERT_STRING_EQUAL(t.keys, "app-20261120130501.sql.gz app-20261120130501.app.sha256 ");
    (void)unlink(path);
    sr_strlist_done(&stores);
}

#define HEAD "app-20261120130501\napp\nlocal\n"

static void journal_text_is_hostile(void)
{
    static const char *const texts[] = {"",
                                        "a\n",
                                        "../../etc/passwd\napp\nlocal\n",
                                        "app-20261120130501\n\nlocal\n",
                                        "app-20261120130501\napp\nlocal\nmore\n",
                                        "app-20261120130501\napp\nlocal",
                                        HEAD "run x\n",
                                        HEAD "key app-20261120130501.sql.gz\n",
                                        HEAD "run " RUN,
                                        HEAD "run " RUN "\nkey other.sql.gz\n",
                                        HEAD "run " RUN "\nkey app-20261120130501/../x\n",
                                        HEAD "run " RUN
                                             "\nkey app-20261120130501.app.manifest.json\n",
                                        HEAD "run " RUN "\nmore\n",
                                        "\n\n\n"};
    struct sr_error err = SR_ERROR_INIT;
    struct seen s = {.clear = 1};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s/runs/x.run", dir);
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        CU_ASSERT_FATAL(fd >= 0);
        CU_ASSERT_EQUAL(write(fd, texts[i], strlen(texts[i])), (ssize_t)strlen(texts[i]));
        close(fd);
        ASSERT_OK(sr_journal_dead(dir, see, &s, &err), err);
        CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);
    }
    CU_ASSERT_EQUAL(s.n, 0);
}

static int guard_with(const char *env, const char *targets, const char *host, int force)
{
    char a[64], b[128];
    char *vars[3] = {NULL, NULL, NULL};
    size_t n = 0;
    struct sr_config *cfg = NULL;
    struct sr_error err = SR_ERROR_INIT;
    if (env) {
        (void)snprintf(a, sizeof a, "%s", env);
        vars[n++] = a;
    }
    if (targets) {
        (void)snprintf(b, sizeof b, "BACKUP_PRODUCTION_TARGETS=%s", targets);
        vars[n++] = b;
    }
    struct sr_config_options o = {.env_file = "/dev/null", .environ_ = vars};
    ASSERT_OK(sr_config_new(&o, &cfg, &err), err);
    int rc = sr_guard_check(cfg, host, "app", force, &err);
    sr_config_free(cfg);
    return rc;
}

static void production_is_guarded(void)
{
    CU_ASSERT_EQUAL(guard_with(NULL, NULL, "db", 0), SR_OK);
    CU_ASSERT_EQUAL(guard_with("ENV=staging", NULL, "db", 0), SR_OK);
    CU_ASSERT_EQUAL(guard_with("ENV=production", NULL, "db", 0), SR_E_REFUSED);
    CU_ASSERT_EQUAL(guard_with("ENVIRONMENT=production", NULL, "db", 0), SR_E_REFUSED);
    CU_ASSERT_EQUAL(guard_with("ENV=production", NULL, "db", 1), SR_OK);
    CU_ASSERT_EQUAL(guard_with(NULL, "db.*/app,prod-*/*", "db.example.org", 0), SR_E_REFUSED);
    CU_ASSERT_EQUAL(guard_with(NULL, "db.*/app", "db.example.org", 1), SR_E_REFUSED);
    CU_ASSERT_EQUAL(guard_with("ENV=production", "db.*/app", "db.example.org", 1), SR_OK);
    CU_ASSERT_EQUAL(guard_with(NULL, "db.*/other", "db.example.org", 0), SR_OK);
    CU_ASSERT_EQUAL(guard_with(NULL, "localhost/app", "/var/run/postgresql", 0), SR_E_REFUSED);
}

static void spool_gives_back_what_it_took(void)
{
    struct sr_spool *s = NULL;
    struct sr_error err = SR_ERROR_INIT;
    char buf[16];
    uint64_t room = 0;
    ASSERT_OK(sr_spool_new(dir, &s, &err), err);
    ASSERT_OK(sr_spool_put(s, 1 << 20, "hello, ", 7, &err), err);
    ASSERT_OK(sr_spool_put(s, (1 << 20) + 7, "spool", 5, &err), err);
    for (int i = 0; i < 2; i++) {
        ASSERT_OK(sr_spool_get(s, (1 << 20) + 5, buf, 7, &err), err);
        CU_ASSERT_EQUAL(memcmp(buf, ", spool", 7), 0);
    }
    CU_ASSERT_EQUAL(sr_spool_get(s, (1 << 20) + 5, buf, 8, &err), SR_E_CORRUPT);
    sr_spool_clear(s);
    CU_ASSERT_EQUAL(sr_spool_get(s, 1 << 20, buf, 1, &err), SR_E_CORRUPT);
    sr_spool_free(s);
    sr_spool_free(NULL);
    CU_ASSERT_NOT_EQUAL(sr_spool_new("/dev/null/x", &s, &err), SR_OK);
    ASSERT_OK(sr_spool_room("/not/there/yet", &room, &err), err);
    CU_ASSERT_TRUE(room > 0);
}

/* An input that gives a few bytes once the run shows progress. */
struct late_end {
    atomic_int go;
    int given;
};

static int late_read(void *ctx, void *buf, size_t cap, size_t *ret_len, struct sr_error *err)
{
    struct late_end *l = ctx;
    (void)err;
    while (!atomic_load(&l->go))
        usleep(1000);
    *ret_len = l->given++ ? 0 : cap < 5 ? cap : 5;
    memcpy(buf, "bytes", *ret_len);
    return SR_OK;
}

static void late_interrupt(void *ctx)
{
    struct late_end *l = ctx;
    atomic_store(&l->go, 1);
}

static int folder_has(const char *folder, const char *end)
{
    char command[512];
    (void)snprintf(command, sizeof command, "ls '%s' 2>/dev/null | grep -q '%s$'", folder, end);
    return system(command) == 0;
}

static void late_progress(void *ctx, const char *what, uint64_t bytes, uint64_t total)
{
    (void)what, (void)bytes, (void)total;
    late_interrupt(ctx);
}

static struct sr_config *local_config(const char *folder)
{
    struct sr_strlist flags = {0};
    struct sr_config *cfg = NULL;
    struct sr_error err = SR_ERROR_INIT;
    char *none[] = {NULL};
    (void)sr_strlist_addf(&flags, "BACKUP_PLUGIN_PATH=%s/plugins/.libs", getenv("SR_BUILDDIR"));
    (void)sr_strlist_addf(&flags, "BACKUP_DIR=%s", folder);
    const struct sr_config_options o = {
        .config_file = "/dev/null", .env_file = "/dev/null", .flags = &flags, .environ_ = none};
    ASSERT_OK(sr_config_new(&o, &cfg, &err), err);
    sr_strlist_done(&flags);
    return cfg;
}

static void what_was_stored_before_the_end_is_rolled_back(void)
{
    char folder[256];
    struct sr_context ctx;
    struct sr_stores stores = {0};
    struct sr_error err = SR_ERROR_INIT;
    struct sr_manifest_object object = {0};
    (void)snprintf(folder, sizeof folder, "%s/late", dir);
    struct sr_config *cfg = local_config(folder);
    ASSERT_OK(sr_stores_open(cfg, NULL, &stores, &err), err);
    for (int digest = 0; digest < 2; digest++) {
        struct late_end l = {.given = 0};
        struct sr_target target = {.store = stores.items[0]};
        const struct sr_protection plain = {
            .compression = "none", .extension = "", .encryption = "none"};
        const struct sr_input input = {late_read, late_interrupt, &l};
        const struct sr_transfer t = {.what = "a test",
                                      .set = "late-20261120130501",
                                      .kind = "sql",
                                      .digest_in_name = digest,
                                      .protection = &plain,
                                      .input = &input,
                                      .expected_size = SR_SIZE_UNKNOWN,
                                      .spool_dir = folder};
        sr_context_init(&ctx, cfg, &sr_clock_system, NULL, "cli");
        ctx.progress = late_progress;
        ctx.progress_ctx = &l;
        struct sr_crew crew = {.ctx = &ctx, .targets = &target, .len = 1};
        ASSERT_OK(sr_transfer_run(&crew, &t, &object, &err), err);
        sr_crew_wait(&crew);
        sr_context_cancel(&ctx, SIGTERM);
        CU_ASSERT_TRUE(folder_has(folder, ".sql"));
        CU_ASSERT_EQUAL(target.saved.len, 1);
        free(object.key);
        free(object.compression);
        free(object.encryption);
        object = (struct sr_manifest_object){0};
        sr_crew_done(&crew);
        CU_ASSERT_EQUAL(sr_target_rollback(&target), 1);
        CU_ASSERT_FALSE(folder_has(folder, ".sql"));
        sr_target_done(&target);
        sr_context_done(&ctx);
    }
    sr_stores_close(&stores);
    sr_config_free(cfg);
}

static void objects_stay_while_the_manifest_does(void)
{
    static const char object[] = "stay-20261120130501.sql";
    static const char manifest[] = "stay-20261120130501.app.manifest.json";
    char folder[256];
    struct sr_stores stores = {0}, closed = {0};
    struct sr_error err = SR_ERROR_INIT;
    (void)snprintf(folder, sizeof folder, "%s/stay", dir);
    struct sr_config *cfg = local_config(folder);
    ASSERT_OK(sr_stores_open(cfg, NULL, &stores, &err), err);
    struct sr_target target = {.store = stores.items[0]};
    ASSERT_OK(sr_store_save_small(target.store, object, "bytes", 5, &err), err);
    sr_strlist_add(&target.saved, object);
    sr_strlist_add(&target.saved, manifest);
    /* A store that lets nothing be deleted. */
    ASSERT_OK(sr_stores_open_as(cfg, NULL, 1, &closed, &err), err);
    target.store = closed.items[0];
    CU_ASSERT_EQUAL(sr_target_rollback(&target), 0);
    CU_ASSERT_EQUAL(target.saved.len, 2); /* the object was not tried */
    target.store = stores.items[0];
    CU_ASSERT_EQUAL(sr_target_rollback(&target), 1);
    CU_ASSERT_FALSE(folder_has(folder, "130501.sql"));
    sr_target_done(&target);
    sr_stores_close(&closed);
    sr_stores_close(&stores);
    sr_config_free(cfg);
}

/* Reads an object in pieces of cap bytes, at most `pieces` of them; returns how many bytes came,
 * all of them checked. */
static size_t read_object(struct sr_store_rw *rw, const char *key, const char *want, size_t len,
                          size_t cap, size_t pieces)
{
    struct sr_object_input *in = NULL;
    struct sr_error err = SR_ERROR_INIT;
    size_t done = 0, n = 1;
    char *buf = malloc(cap);
    CU_ASSERT_PTR_NOT_NULL_FATAL(buf);
    ASSERT_OK(sr_object_input_store(rw, key, &in, &err), err);
    const struct sr_input *i = sr_object_input_get(in);
    while (n > 0 && pieces-- > 0) {
        ASSERT_OK(i->read(i->ctx, buf, cap, &n, &err), err);
        CU_ASSERT_FATAL(done + n <= len);
        CU_ASSERT(memcmp(buf, want + done, n) == 0);
        CU_ASSERT(n == cap || done + n == len); /* full, or the end */
        done += n;
    }
    sr_object_input_free(in);
    free(buf);
    return done;
}

static void object_is_read_in_full_buffers(void)
{
    static const size_t caps[] = {7, 65537, 999999, 3000000, 5000000};
    enum { LEN = 3000000 };
    struct sr_stores stores;
    struct sr_error err = SR_ERROR_INIT;
    char folder[80], *bytes = malloc(LEN);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    for (size_t i = 0; i < LEN; i++)
        bytes[i] = (char)((i * 2654435761u) >> 13);
    (void)snprintf(folder, sizeof folder, "%s/read", dir);
    struct sr_config *cfg = local_config(folder);
    ASSERT_OK(sr_stores_open(cfg, NULL, &stores, &err), err);
    struct sr_store_rw *rw = stores.items[0];
    ASSERT_OK(sr_store_save_small(rw, "object", bytes, LEN, &err), err);
    for (size_t i = 0; i < sizeof caps / sizeof caps[0]; i++)
        CU_ASSERT_EQUAL(read_object(rw, "object", bytes, LEN, caps[i], SIZE_MAX), LEN);
    /* Left before its end, and not begun at all: the fetch ends, and the store can be used again.
     */
    CU_ASSERT_EQUAL(read_object(rw, "object", bytes, LEN, 1000, 3), 3000);
    CU_ASSERT_EQUAL(read_object(rw, "object", bytes, LEN, 1000, 0), 0);
    CU_ASSERT_EQUAL(read_object(rw, "object", bytes, LEN, 65536, SIZE_MAX), LEN);
    sr_stores_close(&stores);
    sr_config_free(cfg);
    free(bytes);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"cancellation reaches early and late", cancellation_reaches_early_and_late},
        {"lock is exclusive and names its owner", lock_is_exclusive_and_names_its_owner},
        {"lock of a dead owner is free", lock_of_a_dead_owner_is_free},
        {"journal of a live run is left alone", journal_of_a_live_run_is_left_alone},
        {"journals of live runs are told", journals_of_live_runs_are_told},
        {"journal tells keys before they are written", journal_tells_keys_before_they_are_written},
        {"journal text is hostile", journal_text_is_hostile},
        {"production is guarded", production_is_guarded},
        {"object is read in full buffers", object_is_read_in_full_buffers},
        {"spool gives back what it took", spool_gives_back_what_it_took},
        {"what was stored before the end is rolled back",
         what_was_stored_before_the_end_is_rolled_back},
        {"objects stay while the manifest does", objects_stay_while_the_manifest_does},
        {NULL, NULL}};
    if (!mkdtemp(dir))
        return 2;
    return unit_main("engine", tests);
}
