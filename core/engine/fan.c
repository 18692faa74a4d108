#include "config.h"
#include "core/engine/fan.h"
#include "core/engine/spool.h"
#include "core/util/clock.h"
#include "core/util/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BLOCK (256u << 10)            /* moved to the disk at a time */
#define GIVE_BACK (UINT64_C(8) << 20) /* of disk at a time */

struct reader {
    const char *name;
    uint64_t at;      /* next byte to read */
    uint64_t spooled; /* bytes it took from the disk */
    int deferred, left, copying, told;
    struct sr_error error; /* why it gets no more; code SR_OK: it does */
};

struct sr_fan {
    atomic_uint refs;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned char *ring; /* NULL once settled */
    size_t size;
    uint64_t head, tail; /* of the stream: bytes written, first byte in the ring */
    int ended, failed, no_room;
    int moving;            /* a block is being written to the disk */
    struct sr_error error; /* of the writer, once failed */
    struct sr_spool *spool;
    uint64_t dropped; /* of the stream: what is before was given back */
    char *spool_dir, *what;
    struct reader *readers;
    unsigned len;
};

int sr_fan_new(size_t ring, unsigned readers, const char *spool_dir, const char *what,
               struct sr_fan **ret, struct sr_error *err)
{
    struct sr_fan *f = calloc(1, sizeof *f);
    pthread_condattr_t ca;
    if (!f)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    atomic_init(&f->refs, 1);
    pthread_condattr_init(&ca);
    pthread_condattr_setclock(&ca, CLOCK_MONOTONIC);
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->changed, &ca);
    pthread_condattr_destroy(&ca);
    f->size = ring;
    f->len = readers;
    f->ring = malloc(ring);
    f->readers = calloc(readers, sizeof *f->readers);
    f->spool_dir = strdup(spool_dir ? spool_dir : "");
    f->what = strdup(what);
    if (!f->ring || !f->readers || !f->spool_dir || !f->what) {
        sr_fan_unref(f);
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory for the last %zu bytes of %s", ring,
                       what);
    }
    *ret = f;
    return SR_OK;
}

void sr_fan_defer(struct sr_fan *f, unsigned reader)
{
    f->readers[reader].deferred = 1;
}

void sr_fan_name(struct sr_fan *f, unsigned reader, const char *name)
{
    f->readers[reader].name = name;
}

struct sr_fan *sr_fan_ref(struct sr_fan *f)
{
    atomic_fetch_add(&f->refs, 1);
    return f;
}

void sr_fan_unref(struct sr_fan *f)
{
    if (!f || atomic_fetch_sub(&f->refs, 1) != 1)
        return;
    sr_spool_free(f->spool);
    pthread_cond_destroy(&f->changed);
    pthread_mutex_destroy(&f->lock);
    free(f->ring);
    free(f->readers);
    free(f->spool_dir);
    free(f->what);
    free(f);
}

/* --- waiting --- */

/* Waits for any change; nonzero when the time is up. until NULL: without limit. */
static int wait_change(struct sr_fan *f, const struct timespec *until)
{
    return until ? pthread_cond_timedwait(&f->changed, &f->lock, until) != 0
                 : pthread_cond_wait(&f->changed, &f->lock) != 0;
}

/* --- who is where; under the lock --- */

static int reads(const struct reader *r)
{
    return !r->left && r->error.code == SR_OK;
}

static uint64_t slowest(const struct sr_fan *f)
{
    uint64_t at = f->head;
    for (unsigned i = 0; i < f->len; i++)
        if (reads(&f->readers[i]) && f->readers[i].at < at)
            at = f->readers[i].at;
    return at;
}

/* Somebody may have to begin again: nothing is over yet, however far all have read. */
static int may_rewind(const struct sr_fan *f)
{
    for (unsigned i = 0; i < f->len; i++)
        if (reads(&f->readers[i]) && f->readers[i].deferred)
            return 1;
    return 0;
}

static unsigned active(const struct sr_fan *f)
{
    unsigned n = 0;
    for (unsigned i = 0; i < f->len; i++)
        n += (unsigned)reads(&f->readers[i]);
    return n;
}

/* Somebody has read all there is while another has not, or needs everything on the disk anyway. */
static int must_move(const struct sr_fan *f)
{
    for (unsigned i = 0; i < f->len; i++) {
        const struct reader *r = &f->readers[i];
        if (reads(r) && r->deferred)
            return 1;
        if (reads(r) && r->at == f->head)
            return 1;
        if (f->ended && r->left && r->at == f->head) /* it has come to the end and is gone */
            return 1;
    }
    return 0;
}

static int copies_before(const struct sr_fan *f, uint64_t end)
{
    for (unsigned i = 0; i < f->len; i++)
        if (f->readers[i].copying && f->readers[i].at < end)
            return 1;
    return 0;
}

/* --- the disk --- */

static void give_back(struct sr_fan *f, uint64_t least)
{
    uint64_t upto = may_rewind(f) ? 0 : slowest(f);
    if (upto > f->tail)
        upto = f->tail;
    if (!f->spool || f->moving || upto < f->dropped + least || upto == f->dropped)
        return;
    if (upto == f->tail) {
        sr_spool_clear(f->spool);
        f->dropped = upto;
    } else if (sr_spool_drop(f->spool, f->dropped, upto - f->dropped)) {
        f->dropped = upto;
    }
}

/* Tells once a reader that it is left behind. */
static void tell_spooled(struct sr_fan *f, uint64_t upto)
{
    for (unsigned i = 0; i < f->len; i++) {
        struct reader *r = &f->readers[i];
        if (!reads(r) || r->deferred || r->at >= upto || r->told || f->ended)
            continue;
        r->told = 1;
        sr_log(SR_LOG_INFO,
               "store %s is slower than the others with %s: what it has not taken yet is spooled "
               "in %s, as it will be stored",
               r->name ? r->name : "?", f->what, f->spool_dir);
    }
}

static void fail_behind(struct sr_fan *f, uint64_t upto, int deferred_only,
                        const struct sr_error *why)
{
    for (unsigned i = 0; i < f->len; i++) {
        struct reader *r = &f->readers[i];
        if (!reads(r) || r->at >= upto || (deferred_only && !r->deferred))
            continue;
        sr_error_copy(&r->error, why);
        if (r->deferred)
            sr_error_append(&r->error, "; free some space, set BACKUP_SPOOL_DIR to another disk, "
                                       "or use --stream");
    }
    pthread_cond_broadcast(&f->changed);
}

/* What the disk could not take. Room may come back as readers go on; deferred readers, for whom
 * nothing is given back, would wait for each other. Nonzero when there is reason to look again. */
static int not_moved(struct sr_fan *f, uint64_t upto, const struct sr_error *why)
{
    int room = why->code == SR_E_NO_SPACE;
    unsigned before = active(f);
    fail_behind(f, upto, room, why);
    if (active(f) != before)
        return 1;
    if (!f->no_room) {
        f->no_room = 1;
        sr_log(SR_LOG_WARN,
               "%s goes on at the pace of the slowest store: %s (BACKUP_SPOOL_DIR may be on "
               "another disk)",
               f->what, why->text);
    }
    return 0;
}

/* Moves the oldest block out of the ring: away when all have read it, else to the disk. Nonzero
 * when something changed; 0: wait. Lets go of the lock while it writes. */
static int make_room(struct sr_fan *f)
{
    struct sr_error e = SR_ERROR_INIT;
    uint64_t low = slowest(f), end = f->tail + BLOCK;
    if (low > f->tail && !may_rewind(f)) {
        f->tail = low;
        return 1;
    }
    if (end > f->head)
        end = f->head;
    size_t from = (size_t)(f->tail % f->size), len = (size_t)(end - f->tail);
    if (len > f->size - from)
        len = f->size - from;
    end = f->tail + len;
    if (len == 0 || !must_move(f))
        return 0;
    give_back(f, f->no_room ? 1 : GIVE_BACK);
    if (!f->spool && sr_spool_new(f->spool_dir, &f->spool, &e) != SR_OK) {
        e.code = SR_E_NO_SPACE; /* no disk to use: as one that is full */
        return not_moved(f, end, &e);
    }
    tell_spooled(f, end);
    /* Only this thread changes the ring and its tail. */
    f->moving = 1;
    pthread_mutex_unlock(&f->lock);
    int rc = sr_spool_put(f->spool, f->tail, f->ring + from, len, &e);
    pthread_mutex_lock(&f->lock);
    f->moving = 0;
    if (rc != SR_OK)
        return not_moved(f, end, &e);
    while (copies_before(f, end)) /* begun meanwhile; as short as a memcpy */
        (void)wait_change(f, NULL);
    f->tail = end;
    return 1;
}

/* --- the writer --- */

int sr_fan_write(struct sr_fan *f, const void *data, size_t len, int timeout_ms, size_t *ret_len,
                 struct sr_error *err)
{
    struct timespec until;
    int rc = SR_OK, late = 0;
    size_t n = 0, at = 0;
    sr_clock_deadline(timeout_ms, &until);
    pthread_mutex_lock(&f->lock);
    for (;;) {
        if (f->failed)
            rc = sr_error_copy(err, &f->error);
        else if (active(f) == 0)
            rc = sr_fail(err, SR_E_CANCELLED, "no store takes %s any more", f->what);
        else if (f->head - f->tail < f->size || late)
            break;
        if (rc != SR_OK)
            break;
        if (!make_room(f))
            late = wait_change(f, &until);
    }
    at = (size_t)(f->head % f->size);
    n = f->size - (size_t)(f->head - f->tail);
    if (n > len)
        n = len;
    if (n > f->size - at)
        n = f->size - at;
    pthread_mutex_unlock(&f->lock);
    if (rc != SR_OK)
        return rc;
    if (n == 0)
        return sr_fail(err, SR_E_AGAIN, "no room came within %d ms", timeout_ms);
    memcpy(f->ring + at, data, n);
    pthread_mutex_lock(&f->lock);
    f->head += n;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
    *ret_len = n;
    return SR_OK;
}

void sr_fan_end(struct sr_fan *f)
{
    pthread_mutex_lock(&f->lock);
    f->ended = 1;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

void sr_fan_fail(struct sr_fan *f, const struct sr_error *why)
{
    pthread_mutex_lock(&f->lock);
    if (!f->failed) {
        f->failed = 1;
        f->error = *why;
    }
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

int sr_fan_settle(struct sr_fan *f, int timeout_ms)
{
    struct timespec until;
    int late = 0;
    sr_clock_deadline(timeout_ms, &until);
    pthread_mutex_lock(&f->lock);
    while (!late && !f->failed && f->tail < f->head && active(f) > 0)
        if (!make_room(f))
            late = wait_change(f, &until);
    int settled = f->failed || f->tail == f->head || active(f) == 0;
    if (settled && !copies_before(f, UINT64_MAX)) {
        free(f->ring);
        f->ring = NULL;
    }
    settled = f->ring == NULL;
    pthread_mutex_unlock(&f->lock);
    return settled ? SR_OK : SR_E_AGAIN;
}

/* --- a reader --- */

/* SR_OK when there is something to read, or the end. Under the lock. */
static int await_bytes(struct sr_fan *f, struct reader *r, int timeout_ms, struct sr_error *err)
{
    struct timespec until;
    int late = timeout_ms == 0;
    if (timeout_ms > 0)
        sr_clock_deadline(timeout_ms, &until);
    for (;;) {
        if (f->failed)
            return sr_error_copy(err, &f->error);
        if (r->error.code != SR_OK)
            return sr_error_copy(err, &r->error);
        if (f->ended || (r->at < f->head && !r->deferred))
            return SR_OK;
        if (late)
            return sr_fail(err, SR_E_AGAIN, "nothing came within %d ms", timeout_ms);
        late = wait_change(f, timeout_ms < 0 ? NULL : &until) && timeout_ms >= 0;
    }
}

int sr_fan_read(struct sr_fan *f, unsigned reader, void *buf, size_t cap, int timeout_ms,
                size_t *ret_len, struct sr_error *err)
{
    struct reader *r = &f->readers[reader];
    struct sr_error e = SR_ERROR_INIT;
    pthread_mutex_lock(&f->lock);
    int rc = await_bytes(f, r, timeout_ms, err);
    if (rc != SR_OK) {
        pthread_mutex_unlock(&f->lock);
        return rc;
    }
    int from_disk = r->at < f->tail;
    uint64_t end = from_disk ? f->tail : f->head;
    size_t n = end - r->at < cap ? (size_t)(end - r->at) : cap;
    size_t at = (size_t)(r->at % f->size);
    if (!from_disk && n > f->size - at)
        n = f->size - at;
    r->copying = n > 0;
    pthread_mutex_unlock(&f->lock);
    if (n > 0 && from_disk)
        rc = sr_spool_get(f->spool, r->at, buf, n, &e);
    else if (n > 0)
        memcpy(buf, f->ring + at, n);
    pthread_mutex_lock(&f->lock);
    r->copying = 0;
    if (rc == SR_OK) {
        r->at += n;
        r->spooled += from_disk ? n : 0;
        if (from_disk)
            give_back(f, GIVE_BACK);
    } else {
        r->error = e;
    }
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
    if (rc != SR_OK)
        return sr_error_copy(err, &e);
    *ret_len = n;
    return SR_OK;
}

int sr_fan_await(struct sr_fan *f, unsigned reader, struct sr_error *err)
{
    pthread_mutex_lock(&f->lock);
    int rc = await_bytes(f, &f->readers[reader], -1, err);
    pthread_mutex_unlock(&f->lock);
    return rc;
}

void sr_fan_rewind(struct sr_fan *f, unsigned reader)
{
    pthread_mutex_lock(&f->lock);
    if (f->readers[reader].deferred)
        f->readers[reader].at = 0;
    pthread_mutex_unlock(&f->lock);
}

void sr_fan_leave(struct sr_fan *f, unsigned reader)
{
    pthread_mutex_lock(&f->lock);
    f->readers[reader].left = 1;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

/* --- any thread --- */

uint64_t sr_fan_written(struct sr_fan *f)
{
    pthread_mutex_lock(&f->lock);
    uint64_t n = f->head;
    pthread_mutex_unlock(&f->lock);
    return n;
}

int sr_fan_gave_up(struct sr_fan *f)
{
    pthread_mutex_lock(&f->lock);
    int failed = f->failed;
    pthread_mutex_unlock(&f->lock);
    return failed;
}

uint64_t sr_fan_spooled(struct sr_fan *f, unsigned reader)
{
    pthread_mutex_lock(&f->lock);
    uint64_t n = f->readers[reader].spooled;
    pthread_mutex_unlock(&f->lock);
    return n;
}
