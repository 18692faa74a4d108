/* strongroom/storage.h: the storage interface, version 1.
 *
 * A storage plugin is a shared object that keeps objects (a key and its bytes) for strongroom. It
 * exports one function, made by SR_STORAGE_REGISTER at the end of one source file, which returns a
 * static struct sr_storage_plugin. This header needs nothing but the C standard library's own
 * <stddef.h> and <stdint.h>, in C11 or C++17. In C++ the struct is filled by assignment (its
 * designated initialisers came with C++20); no exception and no longjmp may cross the border.
 *
 * CALLING SEQUENCE
 *
 *     entry()                                once per process
 *     load(host)                             once per process, before anything else
 *     open(host, options, &handle)           once per handle
 *         ask_capabilities, place            after open
 *         save list fetch delete_object ...  any number of times, in any order, one at a time
 *         cancel                             from any thread, also while another call is under way
 *     close(handle)
 *
 * The library is never unloaded. A handle on which a call failed or was cancelled stays usable.
 *
 * COMPATIBILITY
 *
 * Every struct that crosses the border begins with its size in bytes, as the side that made it
 * knows it, and neither side reads or writes past that. Fields are only ever added at the end; no
 * field ever changes its meaning or goes away. What the other side does not know reads as zero, and
 * zero always means "as it was before this field existed". So a plugin built against this header
 * loads for as long as strongroom exists, and a plugin built against a later one loads here. A
 * plugin that wants anything that came later than version 1.0 asks SR_STORAGE_HAS first: for a
 * service of the host, a field of an option, a field of a struct it is to fill. Structs that the
 * host asks the plugin to fill arrive zeroed, with their size set, which stays as it is.
 *
 * Bits of flags and of capabilities, kinds and types that a side does not know are passed over: an
 * unknown setting type counts as a string, an unknown checksum as none. Whatever must not be passed
 * over comes with a capability, and is asked only of those who declare it.
 *
 * Every field has a fixed width or is a pointer, and the layout is what the platform's C ABI makes
 * of it: any compiler that keeps to that ABI fits any other. LP64 (x86_64, aarch64 ...) and ILP32
 * each have a layout of their own, and a plugin is built for the one that its host was built for.
 * No later field will lie in what is padding today. Numbers and texts are in the byte order of the
 * machine and in UTF-8.
 *
 * OWNERSHIP
 *
 * No memory crosses the border for the other side to free. Pointers handed to a call are valid
 * until that call returns; pointers that the plugin hands to a callback must be valid until the
 * callback returns. The plugin's struct, its strings and its table of settings are static. The host
 * struct given to load is valid until load returns, the one given to open until close has returned.
 *
 * THREADS
 *
 * One handle is used by one thread at a time, though not always the same one; cancel alone may come
 * at any moment between open and close. Different handles may be used at once, up to max_handles,
 * also from within a callback (an emitter that deletes through a second handle): a plugin holds no
 * lock while it calls back that another of its handles needs.
 *
 * Readers, writers, emitters and answers are called on the thread that the call came on and at no
 * time but during it. What a plugin does with threads of its own is its affair, but none of them
 * may call a host service outside a call of the interface on that handle, and none may live on
 * after close.
 *
 * THE PROCESS
 *
 * It belongs to the host, which starts other programs in it. A plugin changes no signal handler or
 * mask of a thread that is not its own, no locale, no umask, no working folder and no environment.
 * It closes only what it opened and opens close-on-exec; reads and writes none of the three
 * standard streams (host->log is there for that); does not end the process. SIGPIPE is ignored by
 * strongroom, but other hosts may not: sockets are written with MSG_NOSIGNAL.
 *
 * ERRORS
 *
 * A call returns SR_STORAGE_OK or one of SR_STORAGE_E_*. Before it returns an error it calls
 * host->set_error with the same code and one message for people: what was tried, on what, what came
 * back. The message never holds a secret. Once it is set the call only cleans up and returns: no
 * reader, writer or emitter is called any more. Where none was set, the host makes one from the
 * code. A code that the host does not know counts as SR_STORAGE_E_INTERNAL. A plugin tries again
 * what is worth trying again (throttling, a lost connection) before it reports; the host does not
 * retry. A call that finds is_cancelled true, from its start or later, ends with E_CANCELLED, one
 * whose deadline has passed with E_TIMEOUT; neither looks like a success with less.
 *
 * KEYS
 *
 * Bytes of [A-Za-z0-9._/-]; components between slashes of 1 to 200 bytes, none beginning with a
 * dot; at most SR_STORAGE_KEY_MAX bytes with the NUL. Two keys are one only when all their bytes
 * are the same: upper and lower case differ. The host checks keys before they get here. Of two keys
 * of which one is the other and a slash and more ("a", "a/b") a store may refuse the second with
 * an error.
 */
#ifndef STRONGROOM_STORAGE_H
#define STRONGROOM_STORAGE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SR_STORAGE_API_VERSION 1

#define SR_STORAGE_KEY_MAX 1024
#define SR_STORAGE_VERSION_MAX 1032 /* an object's version, with NUL; Amazon's may have 1,024 */
#define SR_STORAGE_CHECKSUM_MAX 64  /* bytes */
#define SR_STORAGE_SIZE_UNKNOWN UINT64_MAX

/* Nonzero when the struct p points at is large enough to have field: the question to ask before
 * anything that came after version 1.0 is used. */
#define SR_STORAGE_HAS(p, type, field) ((p)->size >= offsetof(type, field) + sizeof((p)->field))

/* What a call returns. The gaps are for codes to come. */
enum {
    SR_STORAGE_OK = 0,
    SR_STORAGE_E_NOT_FOUND = 10,    /* no such object (or bucket, or folder: say which) */
    SR_STORAGE_E_EXISTS = 20,       /* the key is taken and may not be replaced */
    SR_STORAGE_E_DENIED = 30,       /* credentials wrong, expired, or without the right */
    SR_STORAGE_E_CONFIG = 40,       /* a setting is wrong or missing */
    SR_STORAGE_E_UNAVAILABLE = 50,  /* no connection, or the server answers 5xx */
    SR_STORAGE_E_TIMEOUT = 60,      /* the deadline, or a time limit of the plugin, passed */
    SR_STORAGE_E_THROTTLED = 70,    /* the server asks for fewer requests, still after retries */
    SR_STORAGE_E_NO_SPACE = 80,     /* disk or quota full */
    SR_STORAGE_E_CORRUPT = 90,      /* what came back is not what was stored */
    SR_STORAGE_E_LOCKED = 100,      /* kept by the store until a date */
    SR_STORAGE_E_CHANGED = 110,     /* the object changed while it was read */
    SR_STORAGE_E_IN_DOUBT = 120,    /* the answer was lost and what happened cannot be found out */
    SR_STORAGE_E_CANCELLED = 130,   /* is_cancelled, or a callback asked for the end */
    SR_STORAGE_E_UNSUPPORTED = 140, /* this store cannot do what was asked */
    SR_STORAGE_E_INTERNAL = 150     /* anything else: a fault of the plugin */
};

/* What a plugin or, after open, a handle can do. */
#define SR_CAP_LATE_KEY (UINT64_C(1) << 0)      /* save can be told the key after the bytes */
#define SR_CAP_ATOMIC_CREATE (UINT64_C(1) << 1) /* of two savers of a key exactly one succeeds */
#define SR_CAP_RANGES (UINT64_C(1) << 2)        /* fetch honours offset and length */
#define SR_CAP_SORTED_LIST (UINT64_C(1) << 3)   /* list emits in bytewise order of keys */
#define SR_CAP_LOCK (UINT64_C(1) << 4)          /* save honours retain_until */
#define SR_CAP_COPY (UINT64_C(1) << 5)          /* copy happens inside the store */
#define SR_CAP_VERSIONS (UINT64_C(1) << 6)      /* what was replaced or deleted can remain */
#define SR_CAP_METADATA (UINT64_C(1) << 7)      /* save keeps the metadata pairs */
#define SR_CAP_SURE_SWEEP (UINT64_C(1) << 8)    /* sweep knows dead savers whatever their age */

/* SETTINGS
 *
 * A plugin declares its settings as a table and asks the host for their values; it never looks into
 * the environment itself. For a store named dr, the setting with key "bucket" is BACKUP_DR_BUCKET.
 * The host checks types before open, masks secrets when it shows them, reads secrets from files
 * where BACKUP_DR_BUCKET_FILE is set, and makes help and documentation from the table. */
enum {
    SR_STORAGE_TYPE_STRING = 0,
    SR_STORAGE_TYPE_BOOL = 1,     /* arrives as "1" or "0" */
    SR_STORAGE_TYPE_INT = 2,      /* decimal, within min and max unless both are 0 */
    SR_STORAGE_TYPE_SIZE = 3,     /* arrives as decimal bytes; people write 8MiB */
    SR_STORAGE_TYPE_DURATION = 4, /* arrives as decimal seconds; people write 15m */
    SR_STORAGE_TYPE_CHOICE = 5,   /* one of choices, as written there */
    SR_STORAGE_TYPE_LIST = 6,     /* comma-separated, as it was set */
    SR_STORAGE_TYPE_PATH = 7,     /* arrives absolute */
    SR_STORAGE_TYPE_URL = 8       /* shown with any password in it masked */
};

#define SR_STORAGE_SETTING_REQUIRED (UINT64_C(1) << 0)
#define SR_STORAGE_SETTING_SECRET (UINT64_C(1) << 1) /* masked; *_FILE is the advised way */
/* Part of where the store is (bucket, folder): its well-known names count only for the store that
 * bears the plugin's own name, so that a second store never lands in the first one's place. */
#define SR_STORAGE_SETTING_PLACE (UINT64_C(1) << 2)

/* One row. A table ends with a row whose key is NULL, after at most 256 others; all rows before it
 * declare the same size. Of secrets with well-known names a store takes either its own or the
 * well-known ones, never some of each. A setting that says how large the parts of an upload are is
 * called part_size and is of type SIZE: strongroom-plugin-check then knows which sizes are worth
 * trying. */
struct sr_storage_setting {
    uint64_t size;        /* sizeof(struct sr_storage_setting) */
    const char *key;      /* [a-z][a-z0-9_]*, at most 64 bytes; not "prefix", "retention..." or
                             "require_...", which are the host's, nor "x_file" beside "x" */
    uint64_t type;        /* SR_STORAGE_TYPE_* */
    uint64_t flags;       /* SR_STORAGE_SETTING_* */
    const char *fallback; /* the default, as people would write it; NULL: unset */
    const char *choices;  /* for CHOICE: "auto|path|virtual"; else NULL */
    int64_t min, max;     /* for INT, SIZE, DURATION; both 0: any */
    const char *names;    /* well-known names it answers to, best first: "AWS_REGION
                             AWS_DEFAULT_REGION"; NULL: none */
    const char *help;     /* one line of at most 512 bytes, no full stop */
    const char *since;    /* the plugin's version it came in, or NULL */
};

/* HOST SERVICES
 *
 * Each takes the host pointer first. Only during a call of the interface with this host (load, or
 * a call on the handle that was opened with it); then from any thread of the plugin, but for
 * set_error and setting, which belong to the thread that the call came on. */
enum {
    SR_STORAGE_LOG_ERROR = 0, /* something an operator must know although the call goes on */
    SR_STORAGE_LOG_WARN = 1,
    SR_STORAGE_LOG_INFO = 2,
    SR_STORAGE_LOG_VERBOSE = 3,
    SR_STORAGE_LOG_DEBUG = 4 /* each request; never a secret */
};

struct sr_storage_host {
    uint64_t size;
    uint64_t api_version; /* that the host speaks */

    /* Says why the call is about to fail. The text is copied; the last one before return counts. */
    void (*set_error)(const struct sr_storage_host *host, int32_t code, const char *text);
    void (*log)(const struct sr_storage_host *host, int32_t level, const char *text);
    /* So many bytes of the object, from its beginning, are safe now or have been fetched; never
     * needed. */
    void (*progress)(const struct sr_storage_host *host, uint64_t bytes);
    /* The wall clock, UTC seconds since 1970. */
    int64_t (*now)(const struct sr_storage_host *host);
    /* Nanoseconds of a clock that never goes back. */
    uint64_t (*monotonic)(const struct sr_storage_host *host);
    /* Fills buf with unpredictable bytes; SR_STORAGE_OK, or an error with nothing usable in buf. */
    int32_t (*random)(const struct sr_storage_host *host, void *buf, uint64_t len);
    /* Copies the value with its NUL when it fits cap and returns its length without the NUL; -1
     * when it is not set and has no default; -2 when it cannot be read now (the error is set). A
     * result of cap or more means that nothing was copied: ask again with more room. May be asked
     * again at any time: a secret kept in a file is read anew, so a rotated one arrives. During
     * load every setting is unset. */
    int64_t (*setting)(const struct sr_storage_host *host, const char *key, char *buf,
                       uint64_t cap);
    /* Nonzero once the call under way should end with SR_STORAGE_E_CANCELLED, soon. */
    int32_t (*is_cancelled)(const struct sr_storage_host *host);
    /* Becomes readable at the same moment, for poll (also the way to wait before a retry); not to
     * be read or closed. -1: none. */
    int32_t (*cancel_fd)(const struct sr_storage_host *host);
    /* When the call under way must have returned, on the monotonic clock; 0: no limit. */
    uint64_t (*deadline)(const struct sr_storage_host *host);
};

/* SAVING */

#define SR_STORAGE_READ_AGAIN (-1)  /* nothing came within the time given; ask again */
#define SR_STORAGE_READ_FAILED (-2) /* the bytes will never be whole: end with E_CANCELLED */

struct sr_storage_reader {
    uint64_t size;
    void *ctx;
    /* Fills buf with up to cap (at least 1) bytes and returns how many; 0 at the end; AGAIN when
     * nothing came within timeout_ms (0: do not wait, below 0: as long as it takes); or FAILED. Any
     * number of bytes up to cap may come at any time. After 0 or FAILED the answer stays the same.
     * Only on the thread that save was called on. */
    int64_t (*read)(void *ctx, void *buf, uint64_t cap, int32_t timeout_ms);
    /* Only when the object's key is NULL, and only after read returned 0: writes the key, with its
     * NUL, into buf, whose cap is at least SR_STORAGE_KEY_MAX. SR_STORAGE_OK, or an error with
     * which save must fail. Once. */
    int32_t (*late_key)(void *ctx, char *buf, uint64_t cap);
};

struct sr_storage_object {
    uint64_t size;
    const char *key;             /* NULL (only with SR_CAP_LATE_KEY): ask the reader at the end */
    uint64_t size_hint;          /* expected bytes; SR_STORAGE_SIZE_UNKNOWN; may be wrong */
    const char *const *metadata; /* name, value, name, value, NULL; names [a-z0-9]; or NULL */
};

#define SR_STORAGE_SAVE_REPLACE (UINT64_C(1) << 0) /* an object of that key may be replaced */

struct sr_storage_save_options {
    uint64_t size;
    uint64_t flags;       /* SR_STORAGE_SAVE_*; without REPLACE a taken key is E_EXISTS */
    int64_t retain_until; /* UTC seconds: locked against deletion until then, from the moment it is
                             stored; 0: not. E_UNSUPPORTED where the store cannot */
};

#define SR_STORAGE_CONFIRMED_SIZE (UINT64_C(1) << 0)
#define SR_STORAGE_CONFIRMED_CHECKSUM (UINT64_C(1) << 1)
#define SR_STORAGE_CONFIRMED_VERSION (UINT64_C(1) << 2)

enum {
    SR_STORAGE_SUM_NONE = 0,
    SR_STORAGE_SUM_MD5 = 1,
    SR_STORAGE_SUM_CRC32C = 2,    /* 4 bytes, most significant first */
    SR_STORAGE_SUM_CRC64NVME = 3, /* 8 bytes, most significant first */
    SR_STORAGE_SUM_SHA1 = 4,
    SR_STORAGE_SUM_SHA256 = 5
};

/* What the store itself said about the object it now holds: not what the plugin sent. */
struct sr_storage_saved {
    uint64_t size;
    uint64_t confirmed; /* SR_STORAGE_CONFIRMED_*: which of the following the store stated */
    uint64_t object_size;
    uint64_t checksum_kind; /* SR_STORAGE_SUM_*, of the whole object */
    uint64_t checksum_len;
    uint8_t checksum[SR_STORAGE_CHECKSUM_MAX];
    char version[SR_STORAGE_VERSION_MAX];
};

/* LISTING */

struct sr_storage_entry {
    uint64_t size;
    const char *key;
    uint64_t object_size;
    int64_t modified;       /* UTC seconds; 0: unknown */
    int64_t locked_until;   /* UTC seconds; 0: not locked, or unknown; INT64_MAX: for ever */
    const char *version;    /* NULL: none */
    uint64_t checksum_kind; /* SR_STORAGE_SUM_*, of the whole object; NONE: unknown */
    uint64_t checksum_len;
    const uint8_t *checksum; /* NULL: unknown */
    uint64_t flags;          /* SR_STORAGE_ENTRY_* */
};

#define SR_STORAGE_ENTRY_OLD (UINT64_C(1) << 0) /* a version that is no longer the current one */
/* No object: the mark of a versioned store that its key was deleted. With LIST_VERSIONS alone. */
#define SR_STORAGE_ENTRY_MARKER (UINT64_C(1) << 1)

struct sr_storage_emitter {
    uint64_t size;
    void *ctx;
    /* Takes one entry. Nonzero: emit no more; the call then returns SR_STORAGE_OK. */
    int32_t (*emit)(void *ctx, const struct sr_storage_entry *entry);
};

#define SR_STORAGE_LIST_VERSIONS (UINT64_C(1) << 0) /* old versions too (SR_CAP_VERSIONS) */

struct sr_storage_list_options {
    uint64_t size;
    const char *prefix;      /* keys that begin so; "": all. Need not end at a slash */
    const char *start_after; /* keys that sort bytewise after this one; "": from the start */
    uint64_t flags;          /* SR_STORAGE_LIST_* */
};

/* FETCHING */

struct sr_storage_fetch_options {
    uint64_t size;
    const char *key;
    const char *version; /* NULL: the current one */
    uint64_t offset;     /* bytes; at or past the end there is nothing to hand over, and no error */
    uint64_t length;     /* bytes; SR_STORAGE_SIZE_UNKNOWN, or past the end: to the end */
};

struct sr_storage_writer {
    uint64_t size;
    void *ctx;
    /* Takes the next len (1 or more) bytes, in order, without a gap. Nonzero: hand over no more and
     * return SR_STORAGE_E_CANCELLED. Only on the thread that fetch was called on. */
    int32_t (*write)(void *ctx, const void *data, uint64_t len);
};

/* DELETING */

struct sr_storage_delete_options {
    uint64_t size;
    const char *key;
    const char *version; /* NULL: the current one */
};

enum {
    SR_STORAGE_DELETED = 1, /* its bytes are gone, or never were */
    SR_STORAGE_HIDDEN = 2,  /* the key is free, but a version or soft delete keeps the bytes */
    SR_STORAGE_KEPT = 3     /* nothing happened: locked until locked_until */
};

struct sr_storage_deletion {
    uint64_t size;
    uint64_t outcome;     /* SR_STORAGE_DELETED, HIDDEN or KEPT */
    int64_t locked_until; /* UTC seconds; 0: unknown; INT64_MAX: until a hold is lifted */
};

struct sr_storage_answers {
    uint64_t size;
    void *ctx;
    /* The answer for the key with that index: a code, the text of an error (or NULL), and the
     * outcome where the code is SR_STORAGE_OK (else NULL). Once per index, in any order. */
    void (*answer)(void *ctx, uint64_t index, int32_t code, const char *text,
                   const struct sr_storage_deletion *deletion);
};

/* THE REST */

#define SR_STORAGE_OPEN_READ_ONLY                                   \
    (UINT64_C(1) << 0) /* only list, stat and fetch will be called: \
                          make nothing, ask for no right to write */

struct sr_storage_open_options {
    uint64_t size;
    const char *store; /* the name of the store, for messages: "s3", "dr" */
    uint64_t flags;    /* SR_STORAGE_OPEN_* */
};

/* What check found out: for each right SR_STORAGE_OK, the code that came back, or -1: not tried. */
struct sr_storage_rights {
    uint64_t size;
    int32_t may_write, may_list, may_read, may_delete;
};

#define SR_STORAGE_SWEEP_DRY_RUN (UINT64_C(1) << 0) /* emit, remove nothing */

struct sr_storage_sweep_options {
    uint64_t size;
    const char *prefix;  /* of keys; "": all */
    uint64_t older_than; /* seconds since the last sign of life */
    uint64_t flags;      /* SR_STORAGE_SWEEP_* */
};

struct sr_storage_copy_options {
    uint64_t size;
    const char *from;
    const char *from_version; /* NULL: the current one */
    const char *to;
    uint64_t flags; /* SR_STORAGE_SAVE_* */
    int64_t retain_until;
};

/* THE PLUGIN */

struct sr_storage_plugin {
    uint64_t size;        /* stamped by SR_STORAGE_REGISTER */
    uint64_t api_version; /* stamped by SR_STORAGE_REGISTER */

    const char *name;        /* [a-z0-9-], 1 to 32 bytes, beginning with a letter: becomes a path */
    const char *version;     /* the plugin's own, for people */
    const char *description; /* one line */
    const char *license;     /* SPDX identifier */
    uint64_t capabilities;   /* SR_CAP_*: what it can do at its best */
    uint64_t max_handles;    /* how many may be open at once; 0: any number */
    const struct sr_storage_setting *settings; /* NULL: none */

    /* Once per process, first of all. Global initialisation of libraries belongs here, done so that
     * it is harmless when another plugin did it already. May be run first in another process, to
     * see whether it comes back: it touches nothing outside. host->setting knows nothing yet.
     * Absent: nothing to do. */
    int32_t (*load)(const struct sr_storage_host *host);

    /* Makes a handle, any value but NULL. Reads and judges the settings; need not connect. On
     * failure *ret_handle is ignored and close is not called. Required. */
    int32_t (*open)(const struct sr_storage_host *host,
                    const struct sr_storage_open_options *options, void **ret_handle);

    /* Ends what is left under way, its threads included, and frees the handle. Required. */
    void (*close)(void *handle);

    /* What this handle can do, where that depends on the server; a subset of the plugin's. Asked
     * after open; may connect. Absent: the plugin's capabilities hold. */
    int32_t (*ask_capabilities)(void *handle, uint64_t *ret_capabilities);

    /* Writes text with its NUL that names where this handle stores, equal for two handles exactly
     * when they store in one place: scheme, endpoint, bucket; without credentials. cap is 4096 or
     * more; what does not fit is an error. Asked after open; does not connect. Absent: the values
     * of the settings with SR_STORAGE_SETTING_PLACE. */
    int32_t (*place)(void *handle, char *buf, uint64_t cap);

    /* Stores the bytes of the reader, pulled to the end, under the object's key.
     *
     * The object becomes visible, in list, stat and fetch, all at once, after the reader's end; it
     * must survive a crash of this machine once OK is returned. Without SR_STORAGE_SAVE_REPLACE a
     * taken key is E_EXISTS, found at the latest when the object would become visible, and the
     * object that is there stays untouched. After any failure or cancellation nothing is visible
     * under the key that was not before, and nothing unfinished is left where the store can tell;
     * what a crash leaves is for sweep. E_IN_DOUBT where the answer of the store was lost and
     * asking again did not help. The plugin passes a short timeout to read while transfers of its
     * own are in flight, so that they are not starved. Required. */
    int32_t (*save)(void *handle, const struct sr_storage_object *object,
                    const struct sr_storage_reader *reader,
                    const struct sr_storage_save_options *options,
                    struct sr_storage_saved *ret_saved);

    /* Emits every object below prefix and after start_after. More than asked for may be emitted
     * (the host filters), less never: where the whole truth cannot be had, an error is returned,
     * however many entries went out before. Unfinished objects are not emitted. Memory does not
     * grow with the number of objects. Required. */
    int32_t (*list)(void *handle, const struct sr_storage_list_options *options,
                    const struct sr_storage_emitter *emitter);

    /* Hands the asked range to the writer. Resumes by itself after a lost connection, while the
     * object is the same one; E_CHANGED when it is not, E_NOT_FOUND when there is none. OK only
     * when all bytes of the range were handed over. Without SR_CAP_RANGES offset is 0 and length
     * unknown. Required. */
    int32_t (*fetch)(void *handle, const struct sr_storage_fetch_options *options,
                     const struct sr_storage_writer *writer);

    /* Deletes one object. Of a key that is not there: OK, SR_STORAGE_DELETED. Locked is an answer,
     * not an error. Required. */
    int32_t (*delete_object)(void *handle, const struct sr_storage_delete_options *options,
                             struct sr_storage_deletion *ret_deletion);

    /* Deletes count objects, answering for each. items is an array whose element size is
     * items->size. The call fails only when not every key was answered for. Absent: delete_object,
     * one by one. */
    int32_t (*delete_many)(void *handle, const struct sr_storage_delete_options *items,
                           uint64_t count, const struct sr_storage_answers *answers);

    /* Emits the entry of options->key (offset and length do not matter), or E_NOT_FOUND. Absent:
     * list with the key as prefix. */
    int32_t (*stat)(void *handle, const struct sr_storage_fetch_options *options,
                    const struct sr_storage_emitter *emitter);

    /* Tries what a backup and a restore need, with an object of its own that it removes. Returns OK
     * when it could find out, whatever it found; an error of the first right that failed is set.
     * Absent: the host tries with save, list, fetch and delete_object. */
    int32_t (*check)(void *handle, struct sr_storage_rights *ret_rights);

    /* Removes what savers that are dead left unfinished, once it is older than asked; emits each
     * under the key it would have had, or a name for people. What a live saver is writing stays.
     * Absent: nothing unfinished is ever left. */
    int32_t (*sweep)(void *handle, const struct sr_storage_sweep_options *options,
                     const struct sr_storage_emitter *emitter);

    /* Copies inside the store, with the promises of save. Absent: fetch and save. */
    int32_t (*copy)(void *handle, const struct sr_storage_copy_options *options,
                    struct sr_storage_saved *ret_saved);

    /* Wakes the call under way, if any, so that it sees is_cancelled now; returns at once. Called
     * after is_cancelled has become true. From any thread. Absent: the plugin watches is_cancelled
     * or cancel_fd itself. */
    void (*cancel)(void *handle);
};

/* REGISTRATION
 *
 *     static struct sr_storage_plugin plugin = {.name = "hello", .open = hello_open, ...};
 *     SR_STORAGE_REGISTER(hello, plugin);
 *
 * The struct is not const, because the macro writes size and version into it. It exports the one
 * symbol also where everything else is hidden (-fvisibility=hidden, which is advised). With
 * SR_STORAGE_STATIC defined the function is named sr_storage_plugin_entry_hello instead, so that
 * several plugins can be linked into one program, which declares and calls these entries itself. */
#if defined(__GNUC__) || defined(__clang__)
#define SR_STORAGE_EXPORT __attribute__((visibility("default")))
#else
#define SR_STORAGE_EXPORT
#endif

#ifdef __cplusplus
#define SR_STORAGE_EXTERN extern "C"
#else
#define SR_STORAGE_EXTERN extern
#endif

#ifdef SR_STORAGE_STATIC
#define SR_STORAGE_ENTRY(ident) sr_storage_plugin_entry_##ident
#else
#define SR_STORAGE_ENTRY(ident) sr_storage_plugin_entry
#endif

typedef const struct sr_storage_plugin *(*sr_storage_plugin_entry_fn)(void);

#define SR_STORAGE_REGISTER(ident, plugin)                                                       \
    SR_STORAGE_EXTERN SR_STORAGE_EXPORT const struct sr_storage_plugin *SR_STORAGE_ENTRY(ident)( \
        void);                                                                                   \
    const struct sr_storage_plugin *SR_STORAGE_ENTRY(ident)(void)                                \
    {                                                                                            \
        (plugin).size = sizeof(plugin);                                                          \
        (plugin).api_version = SR_STORAGE_API_VERSION;                                           \
        return &(plugin);                                                                        \
    }                                                                                            \
    struct sr_storage_registered_##ident

#ifdef __cplusplus
}
#endif

#endif
