/* What the plugin border costs, through tests/bench/null.c.
 *
 *     bench_border PLUGIN-FOLDER copy MIB    seconds of four ways, one line each: "save-plain S",
 *                                            "save S", "fetch-plain S", "fetch S"
 *     bench_border PLUGIN-FOLDER list KEYS   "list S", "keys N" that arrived in order, and peak
 *                                            memory, "before KIB" and "after KIB"
 *
 * save: bytes made in memory go through a pipeline that counts them, and are pulled at its end in
 * pieces of 1 MiB, by the plugin's save or by a plain loop. fetch: pieces of 1 MiB are copied by a
 * writer that the plugin's fetch or a plain loop calls. Each of the four is the best of many
 * rounds, taken in turn, and every byte is counted.
 */
#include "config.h"
#include "core/config/config.h"
#include "core/pipeline/pipeline.h"
#include "core/pipeline/step.h"
#include "core/store/stores.h"
#include "core/util/cleanup.h"
#include "core/util/clock.h"
#include "core/util/strlist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define PIECE ((size_t)1 << 20)
#define ROUNDS 25 /* one takes well below a tenth of a second, which others easily disturb */

static unsigned char block[PIECE], target[PIECE];

struct source {
    uint64_t left;
};

static int source_read(void *ctx, void *buf, size_t cap, size_t *ret_len, struct sr_error *err)
{
    struct source *s = ctx;
    size_t n = cap < PIECE ? cap : PIECE;
    (void)err;
    if (n > s->left)
        n = (size_t)s->left;
    memcpy(buf, block, n);
    s->left -= n;
    *ret_len = n;
    return SR_OK;
}

static int pull(void *ctx, void *buf, size_t cap, int timeout_ms, size_t *ret_len,
                struct sr_error *err)
{
    return sr_pipeline_read(ctx, 0, buf, cap, timeout_ms, ret_len, err);
}

static int pull_all(struct sr_pipeline *p, uint64_t *ret_taken, struct sr_error *err)
{
    size_t n = 1;
    int rc = SR_OK;
    while (rc == SR_OK && n > 0) {
        rc = pull(p, target, sizeof target, -1, &n, err);
        *ret_taken += n;
    }
    return rc;
}

static int save_bytes(struct sr_store_rw *store, uint64_t bytes, struct sr_error *err)
{
    const struct sr_pipeline_options po = {.outlets = 1};
    const struct sr_store_object o = {.key = "object", .size_hint = SR_SIZE_UNKNOWN};
    struct source s = {bytes};
    const struct sr_input in = {.read = source_read, .ctx = &s};
    struct sr_pipeline *p = NULL;
    struct sr_store_saved saved = {.size = 0};
    int rc = sr_pipeline_new(&po, &p, err);
    if (rc == SR_OK)
        rc = sr_pipeline_add(p, sr_step_count_new(SR_PHASE_RAW), err);
    if (rc == SR_OK)
        rc = sr_pipeline_start(p, &in, err);
    if (rc == SR_OK)
        rc = store ? sr_store_save(store, &o, pull, p, &saved, err) : pull_all(p, &saved.size, err);
    if (rc == SR_OK)
        rc = sr_pipeline_finish(p, err);
    if (rc == SR_OK && saved.size != bytes)
        rc = sr_fail(err, SR_E_CORRUPT, "%llu bytes were saved", (unsigned long long)saved.size);
    sr_pipeline_free(p);
    return rc;
}

static int copy_out(void *ctx, const void *data, size_t len, struct sr_error *err)
{
    uint64_t *taken = ctx;
    (void)err;
    memcpy(target, data, len < sizeof target ? len : sizeof target);
    *taken += len;
    return SR_OK;
}

static int fetch_bytes(struct sr_store_rw *store, uint64_t bytes, struct sr_error *err)
{
    uint64_t taken = 0;
    int rc = SR_OK;
    if (store)
        rc =
            sr_store_fetch(sr_store_ro(store), "object", 0, SR_SIZE_UNKNOWN, copy_out, &taken, err);
    while (!store && taken < bytes && rc == SR_OK)
        rc = copy_out(&taken, block, bytes - taken < PIECE ? (size_t)(bytes - taken) : PIECE, err);
    if (rc == SR_OK && taken != bytes)
        rc = sr_fail(err, SR_E_CORRUPT, "%llu bytes were fetched", (unsigned long long)taken);
    return rc;
}

static double now(void)
{
    return (double)sr_clock_monotonic(&sr_clock_system) / 1e9;
}

static int bench_copy(struct sr_store_rw *store, uint64_t bytes, struct sr_error *err)
{
    static const char *const names[] = {"save-plain", "save", "fetch-plain", "fetch"};
    double best[4] = {1e9, 1e9, 1e9, 1e9};
    for (int round = 0; round < ROUNDS; round++)
        for (int way = 0; way < 4; way++) {
            struct sr_store_rw *through = way % 2 ? store : NULL;
            double began = now();
            int rc = way < 2 ? save_bytes(through, bytes, err) : fetch_bytes(through, bytes, err);
            if (rc != SR_OK)
                return rc;
            double took = now() - began;
            best[way] = took < best[way] ? took : best[way];
        }
    for (int way = 0; way < 4; way++)
        (void)printf("%s %.4f\n", names[way], best[way]);
    return SR_OK;
}

struct order {
    char last[SR_KEY_MAX];
    uint64_t keys;
};

static int in_order(void *ctx, const struct sr_store_entry *e)
{
    struct order *o = ctx;
    if (strcmp(e->key, o->last) <= 0)
        return 1;
    (void)snprintf(o->last, sizeof o->last, "%s", e->key);
    o->keys++;
    return 0;
}

/* Peak resident memory of this process so far, KiB. */
static long peak(void)
{
    struct rusage u = {0};
    (void)getrusage(RUSAGE_SELF, &u);
    return u.ru_maxrss;
}

static int bench_list(struct sr_store_rw *store, struct sr_error *err)
{
    struct order o = {.keys = 0};
    long before = peak();
    double began = now();
    int rc = sr_store_list(sr_store_ro(store), "", NULL, in_order, &o, err);
    if (rc == SR_OK)
        (void)printf("list %.3f\nkeys %llu\nbefore %ld\nafter %ld\n", now() - began,
                     (unsigned long long)o.keys, before, peak());
    return rc;
}

static int run(const char *folder, const char *what, const char *amount, struct sr_error *err)
{
    _cleanup_(sr_strlist_done) struct sr_strlist flags = {0};
    struct sr_config *cfg = NULL;
    struct sr_stores stores = {0};
    char *none[] = {NULL};
    int list = strcmp(what, "list") == 0;
    int rc = sr_strlist_add(&flags, "BACKUP_STORAGE_ADAPTER=null");
    if (rc == SR_OK)
        rc = sr_strlist_addf(&flags, "BACKUP_PLUGIN_PATH=%s", folder);
    if (rc == SR_OK)
        rc = sr_strlist_addf(&flags, list ? "BACKUP_NULL_KEYS=%s" : "BACKUP_NULL_BYTES=%sMiB",
                             amount);
    const struct sr_config_options o = {
        .config_file = "/dev/null", .env_file = "/dev/null", .flags = &flags, .environ_ = none};
    if (rc == SR_OK)
        rc = sr_config_new(&o, &cfg, err);
    if (rc == SR_OK)
        rc = sr_stores_open(cfg, NULL, &stores, err);
    if (rc == SR_OK)
        rc = list ? bench_list(stores.items[0], err)
                  : bench_copy(stores.items[0], strtoull(amount, NULL, 10) << 20, err);
    sr_stores_close(&stores);
    sr_config_free(cfg);
    return rc;
}

int main(int argc, char **argv)
{
    struct sr_error err = SR_ERROR_INIT;
    if (argc != 4)
        return 2;
    if (run(argv[1], argv[2], argv[3], &err) == SR_OK)
        return 0;
    (void)fprintf(stderr, "bench_border: %s\n", err.text);
    return 1;
}
