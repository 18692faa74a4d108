/* The contract suite: every promise of strongroom/storage.h, tried against one plugin, as TAP.
 *
 *     struct check c;
 *     check_begin(&c, ...)                  loads the plugin, opens two handles
 *     check_saving(&c) ... check_ending(&c) groups of tests, each of which leaves its keys behind
 *     check_end(&c)                         deletes them, closes, prints the plan
 *
 * The plugin's slots are called directly, not through core/store, which would contain what is to be
 * seen here. Every key is below a prefix of this run's own. */
#ifndef SR_CHECK_CHECK_H
#define SR_CHECK_CHECK_H

#include "core/plugin/host.h"
#include "core/plugin/plugin.h"

#include <strongroom/storage.h>

#include <stdarg.h>
#include <stdint.h>

#define CHECK_BASE_MAX 64
#define CHECK_LARGE (UINT64_C(64) << 20)

struct check_handle {
    struct sr_host *host;
    void *handle;
    uint64_t caps;
};

struct check {
    const char *which;        /* as given */
    struct sr_strlist values; /* KEY=VALUE */
    struct sr_setting_lookup lookup;
    struct sr_setting_view view;
    struct sr_plugin *plugin;
    const struct sr_storage_plugin *t;
    struct check_handle a, b;  /* b: a second handle; handle NULL where only one may be open */
    char base[CHECK_BASE_MAX]; /* of every key; ends at a slash */
    uint64_t large;            /* bytes of the large object */
    unsigned keys;             /* of the long listing */
    unsigned number, failed, skipped;
    unsigned next;                /* for fresh keys */
    int descriptors, threads;     /* before the first open */
    struct check_process *before; /* before the plugin was loaded */
};

/* --- one line of TAP each --- */
/* Nonzero when good. The text says what is promised; notes say what came instead. */
int check_that(struct check *c, int good, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void check_skip(struct check *c, const char *what, const char *why);
void check_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* --- bytes --- */
/* A source gives size bytes of a pattern that depends on seed and position alone. */
struct source {
    uint64_t size, seed;
    uint64_t chunk;                /* most bytes per read; 0: as many as are asked for */
    int again_every;               /* every n-th read answers "again"; 0: none does */
    uint64_t fail_at;              /* fails once so many bytes went out; UINT64_MAX: never */
    uint64_t hook_at;              /* hook runs once so many bytes went out */
    int (*hook)(struct source *s); /* nonzero: answer "again" instead of bytes */
    void *ctx;
    const char *late_key; /* NULL: late_key fails */
    int64_t retain_until;
    uint64_t at;
    unsigned reads, late_asked;
    int ended, late_early; /* late_key before the end */
};
#define SOURCE(n, s)                                                           \
    (struct source)                                                            \
    {                                                                          \
        .size = (n), .seed = (s), .fail_at = UINT64_MAX, .hook_at = UINT64_MAX \
    }

struct sink {
    uint64_t seed, at; /* where in the pattern the next byte belongs */
    uint64_t count;    /* bytes taken */
    uint64_t stop_at;  /* refuses once so many were taken; UINT64_MAX: never */
    uint64_t hook_at;
    void (*hook)(struct sink *s);
    void *ctx;
    int wrong, after_stop, stopped;
};
#define SINK(s, from)                                                           \
    (struct sink)                                                               \
    {                                                                           \
        .seed = (s), .at = (from), .stop_at = UINT64_MAX, .hook_at = UINT64_MAX \
    }

/* --- calls, each between sr_host_enter and sr_host_leave --- */
int32_t call_save(struct check *c, struct check_handle *h, const char *key, struct source *s,
                  uint64_t hint, uint64_t flags, struct sr_storage_saved *ret);
int32_t call_fetch(struct check *c, struct check_handle *h, const char *key, uint64_t offset,
                   uint64_t length, struct sink *s);
typedef int (*seen_fn)(void *ctx, const struct sr_storage_entry *e);
int32_t call_list(struct check *c, struct check_handle *h, const char *prefix, const char *after,
                  seen_fn seen, void *ctx);
int32_t call_delete(struct check *c, struct check_handle *h, const char *key,
                    struct sr_storage_deletion *ret);
int32_t call_sweep(struct check *c, struct check_handle *h, uint64_t older_than, int dry_run,
                   unsigned *ret_count);

/* --- what several groups ask --- */
/* A key below base that was not used yet; out has SR_STORAGE_KEY_MAX bytes. */
const char *check_key(struct check *c, const char *name, char *out);
/* How often key is listed, its size in *ret_size; -1 when listing fails. By the second handle where
 * there is one. */
int check_visible(struct check *c, const char *key, uint64_t *ret_size);
/* Saves size bytes of pattern seed; nonzero when that went well. Notes what did not. */
int check_put(struct check *c, const char *key, uint64_t size, uint64_t seed);
/* Nonzero when key holds exactly size bytes of pattern seed. */
int check_holds(struct check *c, const char *key, uint64_t size, uint64_t seed);
int check_open(struct check *c, struct check_handle *h, struct sr_error *err);
void check_close(struct check *c, struct check_handle *h);

/* What a plugin may not change of the process; taken before it is loaded. malloc'd. */
struct check_process *check_process_now(void);

int check_begin(struct check *c, const char *search_path, struct sr_error *err);
void check_describing(struct check *c);
void check_saving(struct check *c);
void check_failing(struct check *c);
void check_racing(struct check *c);
void check_listing(struct check *c);
void check_fetching(struct check *c);
void check_deleting(struct check *c);
void check_ending(struct check *c);
int check_end(struct check *c);   /* exit status */
void check_done(struct check *c); /* frees, wherever it ended */

#endif
