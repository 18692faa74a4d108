#include "config.h"
#include "core/engine/object_input.h"
#include "core/util/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct sr_object_input {
    struct sr_input input;
    char *name;

    int fd; /* file */
    uint64_t size;

    struct sr_store_rw *store; /* store */
    pthread_t thread;
    int started;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char *room; /* the waiting reader's buffer, or NULL; filled of cap bytes are in it */
    size_t cap, filled;
    int ended; /* the fetch returned rc */
    int rc;
    struct sr_error error;
    int stopped; /* nobody reads any more */
};

/* Called by the fetch: fills the reader's buffer and waits for the next one while something is
 * left. The reader is woken for a full buffer only: stores hand over pieces of a few KiB, and a
 * turn of two threads for each would cost more than the bytes do. */
static int piece_offer(void *ctx, const void *data, size_t len, struct sr_error *err)
{
    struct sr_object_input *in = ctx;
    const char *piece = data;
    pthread_mutex_lock(&in->lock);
    while (len > 0 && !in->stopped) {
        size_t room = in->room ? in->cap - in->filled : 0;
        if (room == 0) {
            pthread_cond_wait(&in->changed, &in->lock);
            continue;
        }
        size_t n = len < room ? len : room;
        memcpy(in->room + in->filled, piece, n);
        in->filled += n;
        piece += n;
        len -= n;
        if (n == room)
            pthread_cond_broadcast(&in->changed);
    }
    int stopped = in->stopped;
    pthread_mutex_unlock(&in->lock);
    return stopped ? sr_fail(err, SR_E_CANCELLED, "reading %s was stopped", in->name) : SR_OK;
}

static void *fetch_thread(void *arg)
{
    struct sr_object_input *in = arg;
    struct sr_error e = SR_ERROR_INIT;
    int rc =
        sr_store_fetch(sr_store_ro(in->store), in->name, 0, SR_SIZE_UNKNOWN, piece_offer, in, &e);
    pthread_mutex_lock(&in->lock);
    in->ended = 1;
    in->rc = rc;
    in->error = e;
    pthread_cond_broadcast(&in->changed);
    pthread_mutex_unlock(&in->lock);
    return NULL;
}

static int store_read(void *ctx, void *buf, size_t cap, size_t *ret_len, struct sr_error *err)
{
    struct sr_object_input *in = ctx;
    int rc = SR_OK;
    pthread_mutex_lock(&in->lock);
    if (!in->started && !in->stopped) {
        int e = pthread_create(&in->thread, NULL, fetch_thread, in);
        if (e != 0) {
            pthread_mutex_unlock(&in->lock);
            return sr_fail_errno(err, e, "cannot start a thread");
        }
        in->started = 1;
    }
    in->room = buf;
    in->cap = cap;
    in->filled = 0;
    pthread_cond_broadcast(&in->changed);
    while (in->filled < cap && !in->ended && !in->stopped)
        pthread_cond_wait(&in->changed, &in->lock);
    in->room = NULL;
    if (in->stopped)
        rc = sr_fail(err, SR_E_CANCELLED, "reading %s was stopped", in->name);
    else if (in->filled == 0 && in->rc != SR_OK)
        rc = sr_error_copy(err, &in->error);
    else /* what came before a failure is handed over first */
        *ret_len = in->filled;
    pthread_mutex_unlock(&in->lock);
    return rc;
}

static void store_interrupt(void *ctx)
{
    struct sr_object_input *in = ctx;
    pthread_mutex_lock(&in->lock);
    in->stopped = 1;
    pthread_cond_broadcast(&in->changed);
    pthread_mutex_unlock(&in->lock);
    sr_store_cancel(in->store);
}

static int file_read(void *ctx, void *buf, size_t cap, size_t *ret_len, struct sr_error *err)
{
    struct sr_object_input *in = ctx;
    ssize_t n;
    do
        n = read(in->fd, buf, cap);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return sr_fail_errno(err, errno, "cannot read %s", in->name);
    *ret_len = (size_t)n;
    return SR_OK;
}

static void file_interrupt(void *ctx)
{
    (void)ctx; /* a regular file never makes one wait */
}

static int input_new(const char *name, struct sr_object_input **ret, struct sr_error *err)
{
    struct sr_object_input *in = calloc(1, sizeof *in);
    if (!in || !(in->name = strdup(name))) {
        free(in);
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    in->fd = -1;
    in->size = SR_SIZE_UNKNOWN;
    pthread_mutex_init(&in->lock, NULL);
    pthread_cond_init(&in->changed, NULL);
    *ret = in;
    return SR_OK;
}

int sr_object_input_store(struct sr_store_rw *store, const char *key, struct sr_object_input **ret,
                          struct sr_error *err)
{
    struct sr_object_input *in = NULL;
    int rc = input_new(key, &in, err);
    if (rc != SR_OK)
        return rc;
    in->store = store;
    in->input = (struct sr_input){store_read, store_interrupt, in};
    *ret = in;
    return SR_OK;
}

int sr_object_input_file(const char *path, struct sr_object_input **ret, struct sr_error *err)
{
    struct sr_object_input *in = NULL;
    struct stat st;
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) != 0)
        return sr_fail_errno(err, errno, "cannot read %s", path);
    if (!S_ISREG(st.st_mode))
        return sr_fail(err, SR_E_UNSUPPORTED, "cannot read %s: it is %s", path,
                       S_ISDIR(st.st_mode) ? "a folder (directory-format dumps: use pg_restore)"
                                           : "not a regular file");
    int rc = input_new(path, &in, err);
    if (rc != SR_OK)
        return rc;
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    in->fd = sr_steal_fd(&fd);
    in->size = (uint64_t)st.st_size;
    in->input = (struct sr_input){file_read, file_interrupt, in};
    *ret = in;
    return SR_OK;
}

const struct sr_input *sr_object_input_get(const struct sr_object_input *in)
{
    return &in->input;
}

uint64_t sr_object_input_size(const struct sr_object_input *in)
{
    return in->size;
}

void sr_object_input_free(struct sr_object_input *in)
{
    if (!in)
        return;
    if (in->started) {
        pthread_mutex_lock(&in->lock);
        int running = !in->ended;
        in->stopped = 1;
        pthread_cond_broadcast(&in->changed);
        pthread_mutex_unlock(&in->lock);
        if (running)
            sr_store_cancel(in->store);
        (void)pthread_join(in->thread, NULL);
    }
    if (in->store)
        sr_store_resume(in->store);
    if (in->fd >= 0)
        (void)close(in->fd);
    pthread_cond_destroy(&in->changed);
    pthread_mutex_destroy(&in->lock);
    free(in->name);
    free(in);
}
