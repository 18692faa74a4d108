/* example.c: a storage plugin to copy from. It keeps objects in one archive file.
 *
 *     cc $(pkg-config --cflags strongroom) -shared -fPIC -o example.so example.c
 *     strongroom-plugin-check ./example.so file=/tmp/try.archive
 *
 * THE ARCHIVE, in blocks of 4096 bytes
 *
 *     block 0        struct super: where the last record ends
 *     then records   struct record, alone in its block, and the object's bytes in whole blocks
 *     beyond `end`   what a saver that died was writing
 *
 * What a reader may see lies below `end`, a single word that moves once all before it is on the
 * disk: so an object becomes visible all at once. A deletion turns the record's `state`, also a
 * single word, and gives its blocks back to the file system; nothing is ever moved or written over.
 * Hence readers need no lock. Savers collect an object in a file without a name, which vanishes
 * with them, and hold the archive's lock only while they append it. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <strongroom/storage.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK UINT64_C(4096)
#define CHUNK (UINT64_C(1) << 20) /* bytes that are read and written at a time */
#define WAIT_MS 200               /* so often a call that waits looks whether it shall go on */

#define SUPER_MAGIC UINT64_C(0x6572616d70736572) /* in another byte order no archive at all */
#define RECORD_MAGIC UINT64_C(0x64726f6365725f73)
enum { LIVE = 1, DEAD = 2 };

struct super {
    uint64_t magic, end;
};

struct record {
    uint64_t magic, state, size;
    int64_t saved; /* UTC seconds */
    char key[SR_STORAGE_KEY_MAX];
};
_Static_assert(sizeof(struct record) <= BLOCK, "a record fits its block");

/* A handle. Each has a descriptor of its own, so that locks keep handles apart as well. */
struct archive {
    const struct sr_storage_host *host;
    int fd, folder;
    uint64_t limit; /* of its bytes on the disk; 0: none */
    char path[PATH_MAX];
};

/* --- errors: said once, where they happen; the caller cleans up and returns the code --- */

__attribute__((format(printf, 3, 4))) static int32_t fail(const struct archive *a, int32_t code,
                                                          const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    a->host->set_error(a->host, code, text);
    return code;
}

/* What was tried, on what, where, and what came back (in errno). */
static int32_t fail_errno(const struct archive *a, const char *tried, const char *key)
{
    int32_t code = SR_STORAGE_E_UNAVAILABLE;
    if (errno == ENOENT)
        code = SR_STORAGE_E_NOT_FOUND;
    else if (errno == EACCES || errno == EPERM || errno == EROFS)
        code = SR_STORAGE_E_DENIED;
    else if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
        code = SR_STORAGE_E_NO_SPACE;
    return fail(a, code, "%s %s in %s: %m", tried, key, a->path);
}

/* Between any two pieces of work: may the call go on? */
static int32_t go_on(const struct archive *a)
{
    uint64_t deadline = a->host->deadline(a->host);
    if (a->host->is_cancelled(a->host))
        return fail(a, SR_STORAGE_E_CANCELLED, "working on %s: cancelled", a->path);
    if (deadline && a->host->monotonic(a->host) >= deadline)
        return fail(a, SR_STORAGE_E_TIMEOUT, "working on %s: out of time", a->path);
    return SR_STORAGE_OK;
}

/* --- bytes: all of them, or -1 and errno --- */

static int read_all(int fd, void *buf, uint64_t len, uint64_t at)
{
    for (uint64_t done = 0; done < len;) {
        ssize_t n = pread(fd, (char *)buf + done, len - done, (off_t)(at + done));
        if (n == 0)
            errno = EIO; /* shorter than it says */
        if (n == 0 || (n < 0 && errno != EINTR))
            return -1;
        done += n > 0 ? (uint64_t)n : 0;
    }
    return 0;
}

static int write_all(int fd, const void *buf, uint64_t len, uint64_t at)
{
    for (uint64_t done = 0; done < len;) {
        ssize_t n = pwrite(fd, (const char *)buf + done, len - done, (off_t)(at + done));
        if (n < 0 && errno != EINTR)
            return -1;
        done += n > 0 ? (uint64_t)n : 0;
    }
    return 0;
}

static uint64_t in_blocks(uint64_t size)
{
    return (size + BLOCK - 1) / BLOCK * BLOCK;
}

/* --- the archive --- */

static int32_t read_end(const struct archive *a, uint64_t *ret)
{
    struct super s;
    struct stat st;
    if (read_all(a->fd, &s, sizeof s, 0) != 0 || fstat(a->fd, &st) != 0)
        return fail_errno(a, "reading", "the first block");
    if (s.magic != SUPER_MAGIC || s.end % BLOCK || s.end < BLOCK || s.end > (uint64_t)st.st_size)
        return fail(a, SR_STORAGE_E_CORRUPT, "%s is no archive, or a damaged one", a->path);
    *ret = s.end;
    return SR_STORAGE_OK;
}

/* What is read is believed only as far as it keeps us inside the archive. */
static int32_t read_record(const struct archive *a, uint64_t at, uint64_t end, struct record *ret)
{
    if (read_all(a->fd, ret, sizeof *ret, at) != 0)
        return fail_errno(a, "reading", "a record");
    if (ret->magic == RECORD_MAGIC && (ret->state == LIVE || ret->state == DEAD) &&
        ret->size <= end - at - BLOCK && memchr(ret->key, '\0', sizeof ret->key))
        return SR_STORAGE_OK;
    return fail(a, SR_STORAGE_E_CORRUPT, "%s is damaged at byte %llu", a->path,
                (unsigned long long)at);
}

/* A walk over the records that live. Memory does not grow with the archive. */
struct walk {
    uint64_t next, end; /* begins with next at BLOCK and end 0 */
    uint64_t at;
    struct record record; /* the one at `at` */
    int found;            /* 0: there are no more */
};

static int32_t walk_step(const struct archive *a, struct walk *w)
{
    int32_t rc = w->end ? SR_STORAGE_OK : read_end(a, &w->end);
    w->found = 0;
    while (rc == SR_STORAGE_OK && !w->found) {
        rc = go_on(a);
        if (rc != SR_STORAGE_OK || w->next >= w->end)
            break;
        w->at = w->next;
        rc = read_record(a, w->at, w->end, &w->record);
        w->next += BLOCK + in_blocks(w->record.size);
        w->found = rc == SR_STORAGE_OK && w->record.state == LIVE;
    }
    return rc;
}

static int32_t find(const struct archive *a, const char *key, struct walk *w)
{
    int32_t rc;
    *w = (struct walk){.next = BLOCK};
    do
        rc = walk_step(a, w);
    while (rc == SR_STORAGE_OK && w->found && strcmp(w->record.key, key) != 0);
    return rc;
}

/* Nonzero when the lock was to be had. It ends with the descriptor: a dead saver holds none. */
static int try_lock(const struct archive *a, short type)
{
    struct flock l = {.l_type = type, .l_whence = SEEK_SET};
    return fcntl(a->fd, F_OFD_SETLK, &l) == 0;
}

static int32_t lock(const struct archive *a)
{
    while (!try_lock(a, F_WRLCK)) {
        if (errno != EAGAIN && errno != EACCES && errno != EINTR)
            return fail_errno(a, "locking", "the records");
        int32_t rc = go_on(a);
        if (rc != SR_STORAGE_OK)
            return rc;
        /* Woken at once when the call is cancelled. */
        struct pollfd cancel = {.fd = a->host->cancel_fd(a->host), .events = POLLIN};
        (void)poll(&cancel, 1, WAIT_MS);
    }
    return SR_STORAGE_OK;
}

static void unlock(const struct archive *a)
{
    (void)try_lock(a, F_UNLCK);
}

/* --- save --- */

static int32_t taken(const struct archive *a, const char *key, uint64_t flags)
{
    if (flags & SR_STORAGE_SAVE_REPLACE)
        return fail(a, SR_STORAGE_E_UNSUPPORTED, "%s exists; %s replaces nothing", key, a->path);
    return fail(a, SR_STORAGE_E_EXISTS, "%s exists already in %s", key, a->path);
}

/* The reader's bytes into the spool, up to the reader's end. */
static int32_t pull(const struct archive *a, const struct sr_storage_reader *reader, int spool,
                    char *chunk, uint64_t *ret_size)
{
    for (;;) {
        int32_t rc = go_on(a);
        if (rc != SR_STORAGE_OK)
            return rc;
        int64_t n = reader->read(reader->ctx, chunk, CHUNK, WAIT_MS);
        if (n == 0)
            return SR_STORAGE_OK;
        if (n == SR_STORAGE_READ_AGAIN)
            continue; /* a slow dump is no end */
        if (n < 0)
            return fail(a, SR_STORAGE_E_CANCELLED, "saving into %s: the bytes broke off", a->path);
        if (write_all(spool, chunk, (uint64_t)n, *ret_size) != 0)
            return fail_errno(a, "collecting", "an object");
        *ret_size += (uint64_t)n;
    }
}

/* Record and bytes to beyond the end, and onto the disk. Nobody sees them yet. */
static int32_t write_record(const struct archive *a, const struct record *r, int spool, uint64_t at,
                            char *chunk)
{
    int bad = write_all(a->fd, r, sizeof *r, at) != 0;
    for (uint64_t done = 0; !bad && done < r->size;) {
        int32_t rc = go_on(a);
        if (rc != SR_STORAGE_OK)
            return rc;
        uint64_t n = r->size - done < CHUNK ? r->size - done : CHUNK;
        bad = read_all(spool, chunk, n, done) != 0 ||
              write_all(a->fd, chunk, n, at + BLOCK + done) != 0;
        done += n;
    }
    if (bad || ftruncate(a->fd, (off_t)(at + BLOCK + in_blocks(r->size))) != 0 || fsync(a->fd) != 0)
        return fail_errno(a, "writing", r->key);
    return SR_STORAGE_OK;
}

/* The moment at which the object becomes visible. */
static int32_t move_end(const struct archive *a, uint64_t from, uint64_t to, const char *key)
{
    const uint64_t where = offsetof(struct super, end);
    if (write_all(a->fd, &to, sizeof to, where) == 0 && fsync(a->fd) == 0)
        return SR_STORAGE_OK;
    int32_t rc = fail_errno(a, "making visible", key);
    if (write_all(a->fd, &from, sizeof from, where) == 0 && fsync(a->fd) == 0)
        return rc;
    return fail(a, SR_STORAGE_E_IN_DOUBT, "%s may be in %s or not: the disk fails", key, a->path);
}

/* Under the lock, so that of two savers of one key the second one finds the first one's record. */
static int32_t append(const struct archive *a, const struct record *r, uint64_t flags, int spool,
                      char *chunk)
{
    const uint64_t room = BLOCK + in_blocks(r->size);
    struct stat st;
    struct walk w;
    int32_t rc = find(a, r->key, &w);
    if (rc != SR_STORAGE_OK)
        return rc;
    if (w.found)
        return taken(a, r->key, flags);
    /* Away first with what a dead saver may have left there. */
    if (ftruncate(a->fd, (off_t)w.end) != 0 || fstat(a->fd, &st) != 0)
        return fail_errno(a, "making room for", r->key);
    if (a->limit && (uint64_t)st.st_blocks * 512 + room > a->limit)
        return fail(a, SR_STORAGE_E_NO_SPACE, "%s does not fit below the limit of %s", r->key,
                    a->path);
    rc = write_record(a, r, spool, w.end, chunk);
    if (rc == SR_STORAGE_OK)
        rc = move_end(a, w.end, w.end + room, r->key);
    if (rc != SR_STORAGE_OK && rc != SR_STORAGE_E_IN_DOUBT)
        (void)!ftruncate(a->fd, (off_t)w.end); /* what stays all the same is for sweep */
    return rc;
}

static int32_t example_save(void *handle, const struct sr_storage_object *object,
                            const struct sr_storage_reader *reader,
                            const struct sr_storage_save_options *options,
                            struct sr_storage_saved *ret_saved)
{
    const struct archive *a = handle;
    struct record r = {.magic = RECORD_MAGIC, .state = LIVE};
    struct walk w;
    int32_t rc = SR_STORAGE_OK;
    if (options->retain_until)
        return fail(a, SR_STORAGE_E_UNSUPPORTED, "%s cannot lock objects", a->path);
    if (object->key) {
        /* Early, so that hours are not spent on a name that is taken; append decides. */
        (void)snprintf(r.key, sizeof r.key, "%s", object->key);
        rc = find(a, r.key, &w);
        if (rc == SR_STORAGE_OK && w.found)
            rc = taken(a, r.key, options->flags);
        if (rc != SR_STORAGE_OK)
            return rc;
    }
    int spool = openat(a->folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (spool < 0)
        return fail_errno(a, "making a file without a name for", "an object");
    char *chunk = malloc(CHUNK);
    rc = chunk ? pull(a, reader, spool, chunk, &r.size)
               : fail(a, SR_STORAGE_E_UNAVAILABLE, "saving into %s: out of memory", a->path);
    if (rc == SR_STORAGE_OK && !object->key) {
        rc = reader->late_key(reader->ctx, r.key, sizeof r.key);
        if (rc != SR_STORAGE_OK)
            (void)fail(a, rc, "saving into %s: the object got no name", a->path);
    }
    if (rc == SR_STORAGE_OK && (rc = lock(a)) == SR_STORAGE_OK) {
        r.saved = a->host->now(a->host);
        rc = append(a, &r, options->flags, spool, chunk);
        unlock(a);
    }
    if (rc == SR_STORAGE_OK) {
        ret_saved->confirmed = SR_STORAGE_CONFIRMED_SIZE;
        ret_saved->object_size = r.size;
    }
    free(chunk);
    (void)close(spool);
    return rc;
}

/* --- list, fetch, delete --- */

static int32_t emit(const struct sr_storage_emitter *emitter, const struct record *r)
{
    const struct sr_storage_entry e = {
        .size = sizeof e, .key = r->key, .object_size = r->size, .modified = r->saved};
    return emitter->emit(emitter->ctx, &e);
}

static int32_t example_list(void *handle, const struct sr_storage_list_options *options,
                            const struct sr_storage_emitter *emitter)
{
    const struct archive *a = handle;
    const size_t n = strlen(options->prefix);
    struct walk w = {.next = BLOCK};
    int stop = 0;
    int32_t rc;
    do {
        rc = walk_step(a, &w);
        /* More than was asked for does no harm: start_after is left to the host. */
        if (rc == SR_STORAGE_OK && w.found && strncmp(w.record.key, options->prefix, n) == 0)
            stop = emit(emitter, &w.record) != 0;
    } while (rc == SR_STORAGE_OK && w.found && !stop);
    return rc;
}

static int32_t example_fetch(void *handle, const struct sr_storage_fetch_options *options,
                             const struct sr_storage_writer *writer)
{
    const struct archive *a = handle;
    struct walk w;
    int32_t rc = find(a, options->key, &w);
    if (rc == SR_STORAGE_OK && (!w.found || options->version))
        rc = fail(a, SR_STORAGE_E_NOT_FOUND, "there is no %s in %s", options->key, a->path);
    if (rc != SR_STORAGE_OK)
        return rc;
    uint64_t at = options->offset, end = w.record.size, state;
    if (at < end && options->length < end - at) /* never offset + length: it may overflow */
        end = at + options->length;
    char *chunk = malloc(CHUNK);
    if (!chunk)
        return fail(a, SR_STORAGE_E_UNAVAILABLE, "reading from %s: out of memory", a->path);
    while (rc == SR_STORAGE_OK && at < end) {
        uint64_t n = end - at < CHUNK ? end - at : CHUNK;
        if ((rc = go_on(a)) != SR_STORAGE_OK)
            break;
        /* A deletion turns the state before it takes the bytes: so these are whole if the record
         * lives after they were read. */
        if (read_all(a->fd, chunk, n, w.at + BLOCK + at) != 0 ||
            read_all(a->fd, &state, sizeof state, w.at + offsetof(struct record, state)) != 0)
            rc = fail_errno(a, "reading", options->key);
        else if (state != LIVE)
            rc = fail(a, SR_STORAGE_E_CHANGED, "%s was deleted while it was read", options->key);
        else if (writer->write(writer->ctx, chunk, n) != 0)
            rc = fail(a, SR_STORAGE_E_CANCELLED, "reading %s: stopped", options->key);
        at += n;
    }
    free(chunk);
    return rc;
}

static int32_t example_delete(void *handle, const struct sr_storage_delete_options *options,
                              struct sr_storage_deletion *ret_deletion)
{
    const struct archive *a = handle;
    const uint64_t dead = DEAD;
    struct walk w;
    int32_t rc = find(a, options->key, &w);
    if (rc == SR_STORAGE_OK && w.found && !options->version) {
        if (write_all(a->fd, &dead, sizeof dead, w.at + offsetof(struct record, state)) != 0 ||
            fsync(a->fd) != 0 ||
            (w.record.size && fallocate(a->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                        (off_t)(w.at + BLOCK), (off_t)in_blocks(w.record.size))))
            rc = fail_errno(a, "deleting", options->key);
    }
    if (rc == SR_STORAGE_OK)
        ret_deletion->outcome = SR_STORAGE_DELETED;
    return rc;
}

/* --- sweep: whoever has the lock knows that what lies beyond the end is a dead saver's --- */

static int32_t example_sweep(void *handle, const struct sr_storage_sweep_options *options,
                             const struct sr_storage_emitter *emitter)
{
    const struct archive *a = handle;
    struct record left = {.size = 0};
    struct stat st;
    uint64_t end = 0;
    if (!try_lock(a, F_WRLCK))
        return SR_STORAGE_OK; /* a saver is at work there */
    int32_t rc = go_on(a);
    if (rc == SR_STORAGE_OK)
        rc = read_end(a, &end);
    if (rc == SR_STORAGE_OK && fstat(a->fd, &st) != 0)
        rc = fail_errno(a, "looking at", "the archive");
    if (rc == SR_STORAGE_OK &&
        a->host->now(a->host) - st.st_mtim.tv_sec >= (int64_t)(options->older_than & INT64_MAX))
        left.size = (uint64_t)st.st_size - end;
    if (left.size && !(options->flags & SR_STORAGE_SWEEP_DRY_RUN) &&
        (ftruncate(a->fd, (off_t)end) != 0 || fsync(a->fd) != 0))
        rc = fail_errno(a, "clearing", "the end");
    unlock(a);
    if (rc == SR_STORAGE_OK && left.size) {
        (void)snprintf(left.key, sizeof left.key, "unfinished-at-%llu", (unsigned long long)end);
        left.saved = st.st_mtim.tv_sec;
        (void)emit(emitter, &left);
    }
    return rc;
}

/* --- open and close --- */

/* A new archive gets its name when it is whole; of two that make it, one does. */
static int32_t make_archive(const struct archive *a, const char *leaf)
{
    const struct super s = {SUPER_MAGIC, BLOCK};
    char proc[64];
    int fd = openat(a->folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    (void)snprintf(proc, sizeof proc, "/proc/self/fd/%d", fd);
    int bad =
        fd < 0 || write_all(fd, &s, sizeof s, 0) != 0 || ftruncate(fd, BLOCK) != 0 ||
        fsync(fd) != 0 ||
        (linkat(AT_FDCWD, proc, a->folder, leaf, AT_SYMLINK_FOLLOW) != 0 && errno != EEXIST) ||
        fsync(a->folder) != 0;
    int32_t rc = bad ? fail_errno(a, "making", "a new archive") : SR_STORAGE_OK;
    if (fd >= 0)
        (void)close(fd);
    return rc;
}

static int32_t open_files(struct archive *a, int read_only)
{
    const int flags = (read_only ? O_RDONLY : O_RDWR) | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    char folder[PATH_MAX];
    struct stat st;
    const char *leaf = strrchr(a->path, '/') + 1; /* a setting of type PATH arrives absolute */
    (void)snprintf(folder, sizeof folder, "%.*s", (int)(leaf - a->path), a->path);
    a->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (a->folder < 0)
        return fail_errno(a, "opening the folder of", leaf);
    a->fd = openat(a->folder, leaf, flags);
    if (a->fd < 0 && errno == ENOENT && !read_only) {
        int32_t rc = make_archive(a, leaf);
        if (rc != SR_STORAGE_OK)
            return rc;
        a->fd = openat(a->folder, leaf, flags);
    }
    if (a->fd < 0 || fstat(a->fd, &st) != 0)
        return fail_errno(a, "opening", leaf);
    /* Beyond the end this frees nothing, and tells whether deleting will be possible. */
    if (!read_only && fallocate(a->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                (off_t)in_blocks((uint64_t)st.st_size) + (1 << 30), BLOCK) != 0)
        return fail_errno(a, "trying to free blocks as a deletion does", "later");
    uint64_t end;
    return read_end(a, &end);
}

static void example_close(void *handle)
{
    struct archive *a = handle;
    if (a->fd >= 0)
        (void)close(a->fd);
    if (a->folder >= 0)
        (void)close(a->folder);
    free(a);
}

static int32_t example_open(const struct sr_storage_host *host,
                            const struct sr_storage_open_options *options, void **ret_handle)
{
    char limit[32];
    struct archive *a = calloc(1, sizeof *a);
    if (!a) {
        host->set_error(host, SR_STORAGE_E_UNAVAILABLE, "out of memory");
        return SR_STORAGE_E_UNAVAILABLE;
    }
    a->host = host; /* valid until close has returned */
    a->fd = a->folder = -1;
    int32_t rc = SR_STORAGE_OK;
    int64_t n = host->setting(host, "file", a->path, sizeof a->path);
    if (n < 1 || n >= PATH_MAX)
        rc = fail(a, SR_STORAGE_E_CONFIG, "the setting file is %s", n < 1 ? "missing" : "too long");
    /* The host has seen to it that a SIZE is a number of bytes. */
    n = host->setting(host, "limit", limit, sizeof limit);
    if (n > 0 && n < (int64_t)sizeof limit)
        a->limit = strtoull(limit, NULL, 10);
    if (rc == SR_STORAGE_OK)
        rc = open_files(a, (options->flags & SR_STORAGE_OPEN_READ_ONLY) != 0);
    if (rc == SR_STORAGE_OK)
        *ret_handle = a;
    else
        example_close(a);
    return rc;
}

static int32_t example_place(void *handle, char *buf, uint64_t cap)
{
    const struct archive *a = handle;
    char real[PATH_MAX];
    if (!realpath(a->path, real))
        return fail_errno(a, "resolving", "the path");
    if ((uint64_t)snprintf(buf, cap, "archive://%s", real) >= cap)
        return fail(a, SR_STORAGE_E_CONFIG, "the path %s is too long", a->path);
    return SR_STORAGE_OK;
}

/* --- the table; what is absent in it is told in the manual, strongroom-storage(3) --- */

static const struct sr_storage_setting settings[] = {
    {
        .size = sizeof(struct sr_storage_setting),
        .key = "file",
        .type = SR_STORAGE_TYPE_PATH,
        .flags = SR_STORAGE_SETTING_REQUIRED | SR_STORAGE_SETTING_PLACE,
        .help = "Archive that holds the objects; made (mode 0600) when it is missing",
        .since = "1.0",
    },
    {
        .size = sizeof(struct sr_storage_setting),
        .key = "limit",
        .type = SR_STORAGE_TYPE_SIZE,
        .fallback = "0",
        .help = "Room on the disk that the archive may take; 0: any",
        .since = "1.0",
    },
    {.size = 0}, /* the end */
};

static struct sr_storage_plugin plugin = {
    .name = "example",
    .version = "1.0",
    .description = "Objects in one archive file, as an example",
    .license = "MIT",
    .capabilities = SR_CAP_LATE_KEY | SR_CAP_ATOMIC_CREATE | SR_CAP_RANGES | SR_CAP_SURE_SWEEP,
    .settings = settings,
    .open = example_open,
    .close = example_close,
    .place = example_place,
    .save = example_save,
    .list = example_list,
    .fetch = example_fetch,
    .delete_object = example_delete,
    .sweep = example_sweep,
};
SR_STORAGE_REGISTER(example, plugin);
