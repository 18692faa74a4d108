/* The contract suite: every promise of strongroom/storage.h, tried against one plugin, as TAP.
 *
 *     struct check c;
 *     check_begin(&c, ...)                  loads the plugin, opens two handles
 *     check_saving(&c) ... check_ending(&c) groups of tests, each of which leaves its keys behind
 *     check_end(&c)                         deletes them, closes, prints the plan
 *
 * All of this happens in a child process (watch.h): a plugin that crashes, exits or hangs takes
 * that one down, and its parent says in which call. The plugin's slots are called directly, not
 * through core/store, which would contain what is to be seen here. Every key is below a prefix of
 * this run's own. */
#ifndef SR_CHECK_CHECK_H
#define SR_CHECK_CHECK_H

#include "core/plugin/host.h"
#include "core/plugin/plugin.h"

#include <strongroom/storage.h>

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

#define CHECK_BASE_MAX 64
#define CHECK_LARGE (UINT64_C(1) << 30)
#define CHECK_QUICK (UINT64_C(64) << 20)

struct check_handle {
    struct sr_host *host;
    void *handle;
    uint64_t caps;
    const char *what, *outer; /* the call under way; the one that it came out of */
};

/* Settings given for one point alone, over those of the run. */
enum check_alt { CHECK_WRONG, CHECK_UNREACHABLE, CHECK_SILENT, CHECK_FORGETFUL, CHECK_ALTS };

/* What a callback gets as its ctx: it stays in memory after the call, so that one that is used too
 * late is seen and does no harm. */
struct check_gate {
    struct check *c;
    _Atomic(struct check_handle *) h;
    void *real;
    pthread_t thread;
    atomic_int live;
};
#define CHECK_GATES 256
/* For so long something is locked where a store can do that. */
#define CHECK_LOCK_SECONDS 20

/* Promises that hold for every call; counted all along, told at the end. */
struct check_always {
    atomic_uint late, foreign; /* callbacks after the return; on another thread */
    atomic_uint after_error;   /* callbacks after set_error */
    atomic_uint shapeless;     /* entries that are too short, or have no key */
    atomic_uint unsaid;        /* errors without their code and a message */
    atomic_uint unknown;       /* codes that the interface does not have */
    atomic_uint secrets;       /* messages with a secret in them */
    unsigned misused;          /* hosts used outside a call */
    char first[200];           /* of unsaid, unknown and secrets: which call */
};

struct check_watch;
struct check_around;

struct check {
    const char *which;        /* as given */
    struct sr_strlist values; /* KEY=VALUE */
    struct sr_strlist alt[CHECK_ALTS];
    int alt_now;      /* whose values count now; -1: nobody's */
    const char *only; /* names of groups, comma-separated; NULL: all */
    int quick;
    uint64_t patience; /* seconds without a sign of life */
    uint64_t slack;    /* bytes that a round may keep without being called a leak */
    FILE *out;         /* where TAP goes */
    char *cwd;         /* that relative paths count from */
    char scratch[64];  /* a folder of this run's own, removed by the parent */
    struct check_watch *watch;
    struct check_around *around;
    struct check_always always;
    struct check_gate gates[CHECK_GATES];
    atomic_uint next_gate;
    int64_t locked_until; /* of what was locked; 0: nothing was */
    size_t own;           /* bytes of memory that hosts took, not the plugin */
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
void check_note(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

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
    unsigned reads, late_asked, empty_asked;
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
    unsigned empty; /* writes of no bytes */
};
#define SINK(s, from)                                                           \
    (struct sink)                                                               \
    {                                                                           \
        .seed = (s), .at = (from), .stop_at = UINT64_MAX, .hook_at = UINT64_MAX \
    }

/* --- calls, each between check_enter and check_leave --- */
/* what: the slot, static. leave gives code back, after it was held against what was said of it. */
void check_enter(struct check *c, struct check_handle *h, const char *what);
int32_t check_leave(struct check *c, struct check_handle *h, int32_t code);
/* A ctx for the callbacks of the call that was entered; good until check_leave. */
void *check_gate(struct check *c, struct check_handle *h, void *real);
/* In a callback: what check_gate was given, NULL when the call is over. */
void *check_through(void *ctx);
/* Nonzero when s is a setting's value that must not be told. */
int check_is_secret(const struct check *c, const char *text);
int32_t call_save(struct check *c, struct check_handle *h, const char *key, struct source *s,
                  uint64_t hint, uint64_t flags, struct sr_storage_saved *ret);
int32_t call_fetch(struct check *c, struct check_handle *h, const char *key, uint64_t offset,
                   uint64_t length, struct sink *s);
int32_t call_fetch_version(struct check *c, struct check_handle *h, const char *key,
                           const char *version, struct sink *s);
typedef int (*seen_fn)(void *ctx, const struct sr_storage_entry *e);
int32_t call_list_flags(struct check *c, struct check_handle *h, const char *prefix,
                        const char *after, uint64_t flags, seen_fn seen, void *ctx);
int32_t call_stat(struct check *c, struct check_handle *h, const char *key, seen_fn seen,
                  void *ctx);
int32_t call_list(struct check *c, struct check_handle *h, const char *prefix, const char *after,
                  seen_fn seen, void *ctx);
int32_t call_delete(struct check *c, struct check_handle *h, const char *key,
                    struct sr_storage_deletion *ret);
int32_t call_delete_version(struct check *c, struct check_handle *h, const char *key,
                            const char *version, struct sr_storage_deletion *ret);
int32_t call_sweep(struct check *c, struct check_handle *h, uint64_t older_than, int dry_run,
                   unsigned *ret_count);

/* --- what several groups ask --- */
/* A key below base that was not used yet; out has SR_STORAGE_KEY_MAX bytes. */
const char *check_key(struct check *c, const char *name, char *out);
/* How often key is listed, its size in *ret_size; -1 when listing fails. By the second handle where
 * there is one. */
int check_visible(struct check *c, const char *key, uint64_t *ret_size);
/* Nonzero when nothing is visible under key, nothing unfinished is left, and the key is free. */
int check_left_nothing(struct check *c, const char *key);
/* Saves size bytes of pattern seed; nonzero when that went well. Notes what did not. */
int check_put(struct check *c, const char *key, uint64_t size, uint64_t seed);
/* Nonzero when key holds exactly size bytes of pattern seed. */
int check_holds(struct check *c, const char *key, uint64_t size, uint64_t seed);
/* *ret_code, when not NULL: what open or ask_capabilities returned. */
int check_open(struct check *c, struct check_handle *h, int32_t *ret_code, struct sr_error *err);
void check_close(struct check *c, struct check_handle *h);

/* What a plugin may not change of the process; taken before it is loaded. malloc'd. */
struct check_process *check_process_now(void);

/* The plugin's settings as arguments and environment give them (settings.c). */
struct sr_setting_lookup check_lookup(struct check *c);

int check_begin(struct check *c, const char *search_path, struct sr_error *err);
void check_describing(struct check *c);
void check_saving(struct check *c);
void check_keys(struct check *c);
void check_failing(struct check *c);
void check_blocking(struct check *c);
void check_racing(struct check *c);
void check_listing(struct check *c);
void check_fetching(struct check *c);
void check_deleting(struct check *c);
void check_optional(struct check *c);
void check_versions(struct check *c);
void check_handles(struct check *c);
void check_trouble(struct check *c);
void check_ending(struct check *c); /* closes both handles */
int check_end(struct check *c);     /* exit status */
void check_done(struct check *c);   /* frees, wherever it ended */

#endif
