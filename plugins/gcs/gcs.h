/* The inside of the gcs plugin: one handle, and how a request is made.
 *
 *     plugin.c      registration, open and close, what the store is and can do
 *     settings.c    the table of settings, and their values read and judged into struct
 * gcs_settings auth.c        the endpoint, the client, who we are there (identity.h) request.c one
 * request: where it goes, what it carries, whose token goes with it answer.c      what an answer
 * means: reasons of Google's JSON and codes of its XML object.c      an object as Google describes
 * it in JSON (pure) sums.c        CRC-32C as Google writes it save.c        one object: a single
 * request when it is small, else one of resumable.c   chunks one after the other, in a session
 *     multipart.c   parts in parallel, by the XML interface
 *     list.c fetch.c delete.c sweep.c   the slots of those names
 *     page.c        a listing's pages, read (pure)
 *     caps.c        what this bucket can do
 *
 *     struct gcs_call c;
 *     rc = gcs_call_begin(&c, s, "GET", GCS_API_OBJECT, key, &err);
 *     sc_query_add(&c.call.request.query, "fields", "name,size");
 *     c.wants_json = 1;
 *     rc = gcs_call_run(&c, &err);                        or sc_http_add(s->http, &c.call, &err)
 *     c.json, c.reason, c.call.response
 *     gcs_call_end(&c);
 *
 * The token of the moment is put into the request before each try. One thread at a time, as
 * everything on a handle. Errors are struct sc_error until the slot's last line, which hands them
 * to the host (gcs_report). The interfaces: "Cloud Storage JSON API" and "XML API multipart
 * uploads" in Google's documentation. */
#ifndef GCS_H
#define GCS_H

#include "common/aws_clock.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/creds.h"
#include "common/encode.h"
#include "common/http.h"
#include "common/json.h"
#include "common/xml.h"
#include "gcs/object.h"

#include <strongroom/storage.h>

#define GCS_LABEL_MAX 64
#define GCS_BUCKET_MAX 223 /* 222 characters with dots, and NUL */
#define GCS_REASON_MAX 64
#define GCS_UPLOAD_ID_MAX 1024
#define GCS_REPLY_MAX ((size_t)4 << 20) /* a page of a listing */

enum gcs_upload { GCS_UPLOAD_AUTO, GCS_UPLOAD_RESUMABLE, GCS_UPLOAD_MULTIPART };
enum gcs_hold { GCS_HOLD_NONE, GCS_HOLD_TEMPORARY, GCS_HOLD_EVENT };

struct gcs_settings {
    char bucket[GCS_BUCKET_MAX];
    char *endpoint; /* NULL: Google's own */
    int emulator;   /* the endpoint is an emulator's: no credentials go there */
    enum gcs_upload upload;
    uint64_t part_size;
    unsigned concurrency, max_parts;
    char *storage_class, *kms_key, *user_project; /* NULL: none */
    struct sc_secret customer_key;                /* 32 bytes; empty: none */
    int custom_time;                              /* objects bear the time of their saving */
    enum gcs_hold hold;
    char *lock_mode;    /* "Unlocked" or "Locked" */
    unsigned lock_days; /* 0: only when the host asks */
    char *ca_file;
    int insecure;
};

/* What the bucket says of itself; asked once. */
struct gcs_bucket {
    int known;       /* 0: not asked yet; 1: this is so; -1: we may not ask */
    int versions;    /* what is replaced or deleted stays as an old generation */
    int soft_delete; /* what is deleted stays for a while */
    int lockable;    /* objects may have a retention of their own */
};

struct gcs {
    const struct sr_storage_host *host;
    char label[GCS_LABEL_MAX]; /* the store's name, for messages */
    int read_only;
    struct gcs_settings set;

    /* The endpoint, taken apart. */
    char scheme[6];
    char host_name[256];
    uint16_t port;
    char *base_path; /* encoded, without a slash at its end; "" */
    int google;      /* the host is Google's own */

    struct sc_aws_clock clock;
    struct sc_creds *creds; /* NULL: requests go without any (emulators, public buckets) */
    struct sc_http *http;

    struct gcs_bucket bucket;
    int told_unknown; /* whether deleted bytes stay was said to be unknown, once */
};

/* plugin.c */

/* Puts what was being done before the message and hands it to the host; returns its code. The last
 * line of a slot: return gcs_report(s, rc, &err, "saving %s", key). SR_STORAGE_OK passes through.
 */
int32_t gcs_report(const struct gcs *s, int32_t rc, struct sc_error *err, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* settings.c */

extern const struct sr_storage_setting gcs_setting_rows[];
/* E_CONFIG with the name of the setting that is wrong. set is zeroed before; gcs_settings_done also
 * after a failure. */
int32_t gcs_settings_read(const struct sr_storage_host *host, struct gcs_settings *set,
                          struct sc_error *err);
void gcs_settings_done(struct gcs_settings *set);

/* auth.c */

/* Takes the endpoint apart, finds out which sources of credentials are to be asked. Connects to
 * nothing. */
int32_t gcs_auth_open(struct gcs *s, struct sc_error *err);
void gcs_auth_close(struct gcs *s);

/* request.c */

enum gcs_api {
    GCS_API_BUCKET, /* /storage/v1/b/BUCKET; key: NULL */
    GCS_API_OBJECT, /* /storage/v1/b/BUCKET/o, and the key's own path unless it is NULL */
    GCS_API_UPLOAD, /* /upload/storage/v1/b/BUCKET/o; key: for the query */
    GCS_API_XML,    /* /BUCKET, and /KEY unless it is NULL */
    GCS_API_SESSION /* nothing: the caller sets path and query */
};

struct gcs_call {
    struct sc_call call; /* first: sc_http_poll gives it back */
    struct gcs *s;
    struct sc_cred *cred;        /* of the last try; a reference; NULL: none */
    int renewed;                 /* its token was refused once */
    char reason[GCS_REASON_MAX]; /* of the last answer's error: "conditionNotMet"; "" */
    int lost; /* an answer said that the object is there already, or the upload no more, after a try
                 whose answer was lost: it may be our own work */
    /* Set by the caller where a 2xx answer must be a JSON object, or XML with a root of that name:
     * anything else is judged as the failure it is. json or xml then holds the answer. */
    int wants_json;
    const char *root;
    json_t *json;
    struct sc_xml *xml;
    int wants_etag; /* likewise: a 2xx without an ETag confirms nothing */
};

int32_t gcs_call_begin(struct gcs_call *c, struct gcs *s, const char *method, enum gcs_api api,
                       const char *key, struct sc_error *err);
int32_t gcs_call_header(struct gcs_call *c, struct sc_error *err, const char *name, const char *fmt,
                        ...) __attribute__((format(printf, 4, 5)));
/* The headers by which Google encrypts with our key; on everything that touches the bytes. */
int32_t gcs_call_customer_key(struct gcs_call *c, struct sc_error *err);
/* What a call's prepare does; for callers that put more before it. */
int32_t gcs_call_prepare(struct sc_call *call, struct sc_error *err);
int32_t gcs_call_run(struct gcs_call *c, struct sc_error *err);
/* Nonzero when a failed call may have done its deed all the same: its answer, or an earlier try's,
 * was lost, or says what our own success would make it say. */
int gcs_call_outcome_open(const struct gcs_call *c);
/* Nothing of it matters much: few tries, and it goes on after a cancellation, for at most 30 s. */
void gcs_call_cleaning_up(struct gcs_call *c);
void gcs_call_end(struct gcs_call *c);

/* answer.c */

/* The judge of every call; see common/http.h. */
void gcs_answer_judge(struct sc_call *call, struct sc_verdict *v);

/* fetch.c */

/* What the store says of an object, version NULL: the current one. E_NOT_FOUND; E_DENIED also where
 * there may be none: without the right to list, Google does not tell. quick: few tries (cleaning
 * up, or a look that only spares work). ret->name is NULL. */
int32_t gcs_look(struct gcs *s, const char *key, const char *version, int quick,
                 struct gcs_object *ret, struct sc_error *err);

/* delete.c */

/* Removes the generation that this handle itself has just made, also after a cancellation. Never
 * without its number: the current one may be somebody else's by now. */
int32_t gcs_remove_own(struct gcs *s, const char *key, const char *generation,
                       struct sc_error *err);

/* multipart.c */

/* Ends an upload that is not to be, again until Google lists no part of it, also after a
 * cancellation. One that is gone already is SR_STORAGE_OK. */
int32_t gcs_upload_abort(struct gcs *s, const char *key, const char *upload_id,
                         struct sc_error *err);

/* sweep.c */

/* Ends the upload of that key that a request of ours began whose answer was lost, so that nobody
 * knows its id: the one that was begun since (UTC seconds, on our clock) the first try, has no
 * part, and is not except. Where several are so, another host's may be among them: all stay, and
 * that is an error. Also after a cancellation. */
int32_t gcs_sweep_lost(struct gcs *s, const char *key, const char *except, int64_t since,
                       struct sc_error *err);

/* caps.c */

int32_t gcs_ask_capabilities(void *handle, uint64_t *ret_capabilities);
/* Asks the bucket what it is, once. Who may not ask gets SR_STORAGE_OK and bucket.known == -1. */
int32_t gcs_bucket_ask(struct gcs *s, struct sc_error *err);
/* E_UNSUPPORTED when the bucket lets no object be locked, so that no lock that was asked for is
 * silently not there. */
int32_t gcs_locks_needed(struct gcs *s, struct sc_error *err);

/* The slots. */
int32_t gcs_save(void *handle, const struct sr_storage_object *object,
                 const struct sr_storage_reader *reader,
                 const struct sr_storage_save_options *options, struct sr_storage_saved *ret_saved);
int32_t gcs_list(void *handle, const struct sr_storage_list_options *options,
                 const struct sr_storage_emitter *emitter);
int32_t gcs_fetch(void *handle, const struct sr_storage_fetch_options *options,
                  const struct sr_storage_writer *writer);
int32_t gcs_stat(void *handle, const struct sr_storage_fetch_options *options,
                 const struct sr_storage_emitter *emitter);
int32_t gcs_delete(void *handle, const struct sr_storage_delete_options *options,
                   struct sr_storage_deletion *ret_deletion);
int32_t gcs_sweep(void *handle, const struct sr_storage_sweep_options *options,
                  const struct sr_storage_emitter *emitter);

#endif
