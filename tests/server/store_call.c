/* One call of a store, as core makes it: the settings are those of the environment.
 *
 *     store_call save KEY FILE     fetch KEY [OFFSET LENGTH]     stat KEY     list [PREFIX]
 *                replace KEY FILE  delete KEY...                 sweep SECONDS
 *
 * Exit status: the code of core/util/error.h (20 exists, 120 in doubt, ...), its text on standard
 * error; the log, all levels, on standard error too. Standard output: what was fetched, or a line
 * for each entry. TERM cancels the call, as it does in the program. */
#include "config.h"
#include "core/config/config.h"
#include "core/store/stores.h"
#include "core/util/log.h"
#include "core/util/strlist.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int pull(void *ctx, void *buf, size_t cap, int timeout_ms, size_t *ret_len,
                struct sr_error *err)
{
    FILE *f = ctx;
    (void)timeout_ms;
    *ret_len = fread(buf, 1, cap, f);
    return ferror(f) ? sr_fail_errno(err, errno, "reading") : SR_OK;
}

static int save(struct sr_store_rw *rw, const char *key, const char *file, int replace,
                struct sr_error *err)
{
    const struct sr_store_object o = {.key = key, .size_hint = SR_SIZE_UNKNOWN, .replace = replace};
    struct sr_store_saved saved = {.size = 0};
    FILE *f = fopen(file, "re");
    if (!f)
        return sr_fail_errno(err, errno, "opening %s", file);
    int rc = sr_store_save(rw, &o, pull, f, &saved, err);
    (void)fclose(f);
    if (rc == SR_OK)
        (void)printf("%s %" PRIu64 "%s\n", saved.key, saved.size,
                     saved.size_confirmed ? " confirmed" : "");
    return rc;
}

static int write_out(void *ctx, const void *data, size_t len, struct sr_error *err)
{
    (void)ctx;
    return fwrite(data, 1, len, stdout) == len ? SR_OK : sr_fail_errno(err, errno, "writing");
}

static int show(void *ctx, const struct sr_store_entry *e)
{
    (void)ctx;
    (void)printf("%s %" PRIu64 "\n", e->key, e->size);
    return 0;
}

static int delete_key(struct sr_store_rw *rw, const char *key, struct sr_error *err)
{
    static const char *const words[] = {"", "deleted", "hidden", "kept"};
    enum sr_store_deletion how = SR_DELETION_DONE;
    int64_t until = 0;
    int rc = sr_store_delete(rw, key, &how, &until, err);
    if (rc == SR_OK)
        (void)printf("%s %s %" PRId64 "\n", key, words[how], until);
    return rc;
}

static int call(struct sr_store_rw *rw, int argc, char **argv, struct sr_error *err)
{
    const char *what = argv[1], *key = argc > 2 ? argv[2] : "";
    struct sr_store *s = sr_store_ro(rw);
    if ((strcmp(what, "save") == 0 || strcmp(what, "replace") == 0) && argc == 4)
        return save(rw, key, argv[3], *what == 'r', err);
    if (strcmp(what, "fetch") == 0 && (argc == 3 || argc == 5))
        return sr_store_fetch(s, key, argc == 5 ? strtoull(argv[3], NULL, 10) : 0,
                              argc == 5 ? strtoull(argv[4], NULL, 10) : SR_SIZE_UNKNOWN, write_out,
                              NULL, err);
    if (strcmp(what, "stat") == 0 && argc == 3)
        return sr_store_stat(s, key, show, NULL, err);
    if (strcmp(what, "list") == 0)
        return sr_store_list(s, key, NULL, show, NULL, err);
    if (strcmp(what, "sweep") == 0 && argc == 3)
        return sr_store_sweep(rw, strtoull(key, NULL, 10), 0, show, NULL, err);
    int rc = strcmp(what, "delete") == 0 ? SR_OK : sr_fail(err, SR_E_USAGE, "unknown: %s", what);
    for (int i = 2; i < argc && rc == SR_OK; i++)
        rc = delete_key(rw, argv[i], err);
    return rc;
}

static void *cancel_on_term(void *ctx)
{
    sigset_t set;
    int sig = 0;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    if (sigwait(&set, &sig) == 0)
        sr_store_cancel(ctx);
    return NULL;
}

static int run(int argc, char **argv, struct sr_error *err)
{
    const struct sr_config_options o = {.config_file = "/dev/null", .env_file = "/dev/null"};
    struct sr_config *cfg = NULL;
    struct sr_stores stores = {0};
    pthread_t waiter;
    int rc = sr_config_new(&o, &cfg, err);
    if (rc == SR_OK)
        rc = sr_stores_open(cfg, NULL, &stores, err);
    if (rc == SR_OK && pthread_create(&waiter, NULL, cancel_on_term, stores.items[0]) == 0) {
        rc = call(stores.items[0], argc, argv, err);
        (void)pthread_cancel(waiter);
        (void)pthread_join(waiter, NULL);
    }
    sr_stores_close(&stores);
    sr_config_free(cfg);
    return rc;
}

int main(int argc, char **argv)
{
    struct sr_error err = SR_ERROR_INIT;
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    sr_log_setup(SR_LOG_DEBUG, SR_LOG_TEXT);
    int rc = argc > 1 ? run(argc, argv, &err) : SR_E_USAGE;
    if (rc == SR_OK && fflush(stdout) == 0)
        return 0;
    (void)fprintf(stderr, "store_call: %s: %s\n", sr_code_name(rc), err.text);
    return rc < 256 ? rc : 255;
}
