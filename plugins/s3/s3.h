/* The inside of the s3 plugin: one handle, and how a request is made.
 *
 *     plugin.c      registration, open and close, what the store is and can do
 *     settings.c    the table of settings, and their values read and judged into struct s3_settings
 *     auth.c        credentials, region, clock: everything that signing needs to know
 *     request.c     one request: where it goes, what it carries, how it is signed
 *     answer.c      what an answer means: error codes of S3 and its clones, and what to do about
 *                   each
 *     sums.c        the checksums that go with a body, and those that come back
 *     save.c        one object: a single request when it is small, else multipart.c
 *     multipart.c   an upload in parts (common/upload.h): beginning, completion, abort
 *     list.c fetch.c delete.c sweep.c   the slots of those names
 *     page.c        a listing's pages, read (pure)
 *     caps.c        what this bucket can do: versions, locks
 *
 *     struct s3_call c;
 *     rc = s3_call_begin(&c, s, "GET", key, &err);        key NULL: the bucket itself
 *     sc_query_add(&c.call.request.query, "uploads", NULL);
 *     s3_call_header(&c, &err, "if-match", "%s", etag);
 *     s3_call_body(&c, data, len, sums, &err);            or none
 *     rc = s3_call_run(&c, &err);                         or sc_http_add(s->http, &c.call, &err)
 *     c.aws_code, c.call.response
 *     s3_call_end(&c);
 *
 * A call is signed anew before each try, with the credentials, region and clock of that moment
 * (common/aws_signer.h), so nothing but method, key, query and its own headers is set by the
 * caller. One thread at a time, as everything on a handle. Errors are struct sc_error until the
 * slot's last line, which hands them to the host (s3_report). */
#ifndef S3_H
#define S3_H

#include "common/aws.h"
#include "common/aws_signer.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/encode.h"
#include "common/http.h"
#include "common/resume.h"
#include "common/settle.h"
#include "common/xml.h"

#include <strongroom/storage.h>

#define S3_LABEL_MAX 64
#define S3_REGION_MAX 64
#define S3_BUCKET_MAX 64
#define S3_ETAG_MAX SC_TAG_MAX
#define S3_UPLOAD_ID_MAX 1024
#define S3_CODE_MAX 64
#define S3_PART_LEAST (UINT64_C(5) << 20) /* but for the last one */
#define S3_PART_MOST (UINT64_C(5) << 30)
#define S3_PARTS_MOST 10000u

/* The object's metadata that holds the mark of the upload that made it: by it a lost answer is
 * cleared up. */
#define S3_MARK_HEADER "x-amz-meta-strongroom-upload"

enum s3_style { S3_STYLE_AUTO, S3_STYLE_PATH, S3_STYLE_VIRTUAL };
enum s3_sum {
    S3_SUM_AUTO,
    S3_SUM_MD5,
    S3_SUM_CRC64NVME,
    S3_SUM_CRC32C,
    S3_SUM_SHA256,
    S3_SUM_NONE
};
enum s3_create { S3_CREATE_AUTO, S3_CREATE_CONDITION, S3_CREATE_LOOK };
enum s3_list { S3_LIST_AUTO, S3_LIST_V2, S3_LIST_V1 };

struct s3_settings {
    char bucket[S3_BUCKET_MAX];
    char *endpoint; /* NULL: Amazon's own */
    enum s3_style style;
    enum s3_sum sum;
    enum s3_create create;
    enum s3_list list;
    int url_encoding; /* listings are asked to encode their keys */
    uint64_t part_size;
    unsigned concurrency, max_parts;
    int constant_parts;
    char *storage_class, *tags; /* NULL: none */
    char *sse, *sse_kms_key_id;
    struct sc_secret sse_key; /* SSE-C: 32 bytes; empty: not */
    char *lock_mode;          /* "GOVERNANCE" or "COMPLIANCE" */
    unsigned lock_days;       /* 0: only when the host asks */
    int requester_pays;
    int sign_payload; /* the body too, also where TLS protects it */
    char *ca_file;
    int insecure;
};

struct s3 {
    const struct sr_storage_host *host;
    char label[S3_LABEL_MAX]; /* the store's name, for messages */
    int read_only;
    struct s3_settings set;

    /* The endpoint, taken apart. */
    char scheme[6];
    char host_name[256];
    uint16_t port;
    char *base_path; /* encoded, without a slash at its end; "" */
    int amazon;      /* the host is Amazon's own: known to do what its manual says */
    int virtual_host;

    char region[S3_REGION_MAX];
    int region_adopted; /* once: a server that keeps sending us elsewhere is not followed */
    struct sc_aws_clock clock;
    struct sc_aws_signer signer; /* owns its creds and keys; its region is the one above */
    struct sc_http *http;

    /* Learnt from answers; each once. */
    int no_condition;   /* If-None-Match is not known there: looking is all there is */
    int list_v1;        /* the second version of listing is not known there */
    int no_delete_many; /* one by one */
    int locks_known, has_locks;

    int locking; /* the save under way puts a lock on its object */
};

/* plugin.c */

/* Puts what was being done before the message and hands it to the host; returns its code. The last
 * line of a slot: return s3_report(s, rc, &err, "saving %s", key). SR_STORAGE_OK passes through. */
int32_t s3_report(const struct s3 *s, int32_t rc, struct sc_error *err, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* settings.c */

extern const struct sr_storage_setting s3_setting_rows[];
/* E_CONFIG with the name of the setting that is wrong. set is zeroed before; s3_settings_done also
 * after a failure. */
int32_t s3_settings_read(const struct sr_storage_host *host, struct s3_settings *set,
                         struct sc_error *err);
void s3_settings_done(struct s3_settings *set);

/* auth.c */

/* Takes the endpoint apart, chooses region and style, makes the chain of credentials. Connects to
 * nothing. */
int32_t s3_auth_open(struct s3 *s, struct sc_error *err);
void s3_auth_close(struct s3 *s);
/* The host that requests of this handle go to, by style and region as they are now. */
void s3_auth_host(const struct s3 *s, char out[256]);
/* Takes over the region that an answer names; nonzero when it changed, so that a further try makes
 * sense. Never the host that an answer names: secrets stay with the one we were told. */
int s3_auth_adopt_region(struct s3 *s, const char *region);

/* sums.c: see sums.h. */
struct s3_sums;

/* request.c */

struct s3_call {
    struct sc_call call; /* first: sc_http_poll gives it back */
    struct s3 *s;
    char payload[SC_SIGV4_PAYLOAD_SIZE];
    struct sc_aws_use use;
    char aws_code[S3_CODE_MAX]; /* of the last answer's error; "" */
    int lost; /* an answer said that the object is there, or no upload of that id any more, after a
                 try whose answer was lost: it may be our own work */
    /* Set by the caller where a 2xx answer must be XML with this root: anything else, an <Error> in
     * a 200 above all, is judged as the failure it is. xml then holds the answer. */
    const char *root;
    const char *root_else; /* a root that is an answer as well, or NULL */
    struct sc_xml *xml;
    int wants_etag; /* likewise: a 2xx without an ETag confirms nothing */
};

int32_t s3_call_begin(struct s3_call *c, struct s3 *s, const char *method, const char *key,
                      struct sc_error *err);
int32_t s3_call_header(struct s3_call *c, struct sc_error *err, const char *name, const char *fmt,
                       ...) __attribute__((format(printf, 4, 5)));
/* The body, borrowed until the end of the call, and its sums, which were made while the bytes came
 * in. sums NULL: a small request that is no object; its signature alone covers it. */
int32_t s3_call_body(struct s3_call *c, const void *data, size_t len, const struct s3_sums *sums,
                     struct sc_error *err);
/* The same with a checksum made here, for the calls that demand one. */
int32_t s3_call_body_checked(struct s3_call *c, const void *data, size_t len, struct sc_error *err);
/* The headers by which the store encrypts with our key; on everything that touches the bytes. */
int32_t s3_call_sse_c(struct s3_call *c, struct sc_error *err);
int32_t s3_call_run(struct s3_call *c, struct sc_error *err);
/* What a call's prepare does; for callers that put more before it. */
int32_t s3_call_prepare(struct sc_call *call, struct sc_error *err);
/* Nonzero when a failed call may have done its deed all the same: its answer, or an earlier try's,
 * was lost, or says what our own success would make it say. */
int s3_call_outcome_open(const struct s3_call *c);
/* Nothing of it matters much: few tries, and it goes on after a cancellation, for at most 30 s. */
void s3_call_cleaning_up(struct s3_call *c);
void s3_call_end(struct s3_call *c);
/* The answer's header without its quotes and bounded; "" when there is none. A weak one (W/"...")
 * is what a proxy made of the store's own, and is taken for that. */
void s3_etag_copy(const struct sc_response *r, char out[S3_ETAG_MAX]);

/* answer.c */

/* The judge of every call; see common/http.h. */
void s3_answer_judge(struct sc_call *call, struct sc_verdict *v);

/* fetch.c */

struct s3_head {
    uint64_t size;
    int64_t modified, locked_until;
    char etag[S3_ETAG_MAX], version[SR_STORAGE_VERSION_MAX], mark[SC_MARK_SIZE];
    uint64_t sum_kind, sum_len; /* of the whole object, as the store states it */
    uint8_t sum[SR_STORAGE_CHECKSUM_MAX];
};

/* What the store says of an object, version NULL: the current one. E_NOT_FOUND; E_DENIED also where
 * there may be none: without the right to list, S3 does not tell. quick: few tries (cleaning up, or
 * a look that only spares work). */
int32_t s3_head(struct s3 *s, const char *key, const char *version, int quick, struct s3_head *ret,
                struct sc_error *err);

/* list.c */

/* Nonzero when listings come in the order of their keys, by the store's own promise. */
int s3_lists_sorted(const struct s3 *s);
/* Whether the store still has bytes of that key: a version that is no marker. */
int32_t s3_has_versions(struct s3 *s, const char *key, int *ret, struct sc_error *err);

/* delete.c */

/* Removes what this handle itself has just made, also after a cancellation. */
int32_t s3_remove_own(struct s3 *s, const char *key, const char *version, struct sc_error *err);

/* multipart.c */

/* Ends an upload that is not to be, again until the store lists no part of it, also after a
 * cancellation. One that is gone already is SR_STORAGE_OK. */
int32_t s3_upload_abort(struct s3 *s, const char *key, const char *upload_id, struct sc_error *err);

/* sweep.c */

/* Ends the upload of that key that a request of ours began whose answer was lost, so that nobody
 * knows its id: the one that was begun since (UTC seconds, on our clock) the first try, has no
 * part, and is not except. Where several are so, another host's may be among them: all stay, and
 * that is an error. Also after a cancellation. */
int32_t s3_sweep_lost(struct s3 *s, const char *key, const char *except, int64_t since,
                      struct sc_error *err);

/* caps.c */

int32_t s3_ask_capabilities(void *handle, uint64_t *ret_capabilities);
/* E_UNSUPPORTED when the bucket was made without object lock, so that no lock that was asked for is
 * silently not there. Asked of the store once. */
int32_t s3_locks_needed(struct s3 *s, struct sc_error *err);

/* The slots. */
int32_t s3_save(void *handle, const struct sr_storage_object *object,
                const struct sr_storage_reader *reader,
                const struct sr_storage_save_options *options, struct sr_storage_saved *ret_saved);
int32_t s3_list(void *handle, const struct sr_storage_list_options *options,
                const struct sr_storage_emitter *emitter);
int32_t s3_fetch(void *handle, const struct sr_storage_fetch_options *options,
                 const struct sr_storage_writer *writer);
int32_t s3_stat(void *handle, const struct sr_storage_fetch_options *options,
                const struct sr_storage_emitter *emitter);
int32_t s3_delete(void *handle, const struct sr_storage_delete_options *options,
                  struct sr_storage_deletion *ret_deletion);
int32_t s3_delete_many(void *handle, const struct sr_storage_delete_options *items, uint64_t count,
                       const struct sr_storage_answers *answers);
int32_t s3_sweep(void *handle, const struct sr_storage_sweep_options *options,
                 const struct sr_storage_emitter *emitter);

#endif
