/* The inside of the azure plugin: one handle, and how a request is made.
 *
 *     plugin.c      registration, open and close, what the store is and can do
 *     settings.c    the table of settings, and their values read and judged into struct
 * azure_settings account.c     connection strings and endpoints, taken apart (pure) auth.c where
 * requests go and the chain of credentials sharedkey.c   the signature with an account's key (pure)
 *     sas.c         shared access signatures: their end (pure)
 *     entra.c       tokens of Entra ID: client secret, client certificate, workload identity
 *     identity.c    tokens of a managed identity: App Service, Arc, instance metadata
 *     request.c     one request: where it goes, what it carries, how it is authorised
 *     answer.c      what an answer means: error codes of Azure, and what to do about each
 *     sums.c        the checksums that go with a body, and those that come back
 *     save.c        one object: a single request when it is small, else blocks.c
 *     blocks.c      an upload in blocks (common/upload.h), and the list that commits them
 *     list.c fetch.c delete.c sweep.c   the slots of those names
 *     page.c        a listing's pages, read (pure)
 *     caps.c        what this container can do: versions, locks
 *
 *     struct azure_call c;
 *     rc = azure_call_begin(&c, s, "GET", key, &err);     key NULL: the container itself
 *     sc_query_add(&c.query, "comp", "blocklist");
 *     azure_call_header(&c, &err, "if-match", "\"%s\"", etag);
 *     azure_call_body(&c, data, len, sums, &err);         or none
 *     rc = azure_call_run(&c, &err);                      or the engine of common/upload.h
 *     c.azure_code, c.call.response
 *     azure_call_end(&c);
 *
 * A call is authorised anew before each try, with the credentials and clock of that moment, so
 * nothing but method, key, query and its own headers is set by the caller. One thread at a time, as
 * everything on a handle. Errors are struct sc_error until the slot's last line, which hands them
 * to the host (azure_report). Source: the REST reference of Azure Blob Storage, version
 * AZURE_API_VERSION. */
#ifndef AZURE_H
#define AZURE_H

#include "azure/account.h"
#include "common/aws_clock.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/creds.h"
#include "common/digest.h"
#include "common/encode.h"
#include "common/http.h"
#include "common/resume.h"
#include "common/settle.h"
#include "common/xml.h"

#include <strongroom/storage.h>

#define AZURE_API_VERSION "2021-12-02"
#define AZURE_LABEL_MAX 64
#define AZURE_CONTAINER_MAX 64
#define AZURE_CODE_MAX 64
#define AZURE_ETAG_MAX SC_TAG_MAX
#define AZURE_BLOCK_MOST (UINT64_C(4000) << 20)
#define AZURE_BLOCKS_MOST 50000u

/* The object's metadata that holds the mark of the upload that made it: by it a lost answer is
 * cleared up. Names of metadata are identifiers of C#: no '-'. */
#define AZURE_MARK_HEADER "x-ms-meta-strongroomupload"

enum azure_sum { AZURE_SUM_AUTO, AZURE_SUM_CRC64, AZURE_SUM_MD5, AZURE_SUM_NONE };

struct azure_settings {
    char container[AZURE_CONTAINER_MAX];
    enum azure_sum sum;
    int content_md5; /* the whole object's MD5 is recorded as its Content-MD5 */
    uint64_t part_size;
    unsigned concurrency, max_parts;
    char *access_tier, *encryption_scope; /* NULL: none */
    struct sc_secret customer_key;        /* 32 bytes; empty: none */
    unsigned immutability_days;           /* 0: only when the host asks */
    char *immutability_mode;              /* "Unlocked" or "Locked" */
    int legal_hold;
    char *ca_file;
    int insecure;
};

/* How requests are authorised; the id of a set of credentials says which (auth.c). */
#define AZURE_BY_SAS ":sas"       /* the set's token is the signature, appended to each query */
#define AZURE_BY_BEARER ":bearer" /* its token goes into Authorization */
                                  /* else: id is the account, secret its key, decoded */

struct azure {
    const struct sr_storage_host *host;
    char label[AZURE_LABEL_MAX]; /* the store's name, for messages */
    int read_only;
    struct azure_settings set;

    /* The endpoint, taken apart. */
    char scheme[6];
    char host_name[256];
    uint16_t port;
    char *base_path;                 /* encoded, without a slash at its end; "" */
    char account[AZURE_ACCOUNT_MAX]; /* "" when it is not known, nor needed */
    int microsoft; /* the host is one of Azure's own: known to do what its manual says */

    struct sc_creds *creds;
    struct sc_aws_clock clock; /* how far the server's is from ours */
    struct sc_http *http;
    struct sc_http *tokens, *metadata; /* of the sources that ask for tokens; made when needed */

    /* Learnt from answers. Versions are only ever learnt to be there: an object that was made
     * before they were switched on has none, and says nothing of the account. */
    int has_versions;
    int deletions_known; /* what a deletion leaves of an object without a version was looked for */
    int container_known, has_locks;
};

/* plugin.c */

/* Puts what was being done before the message and hands it to the host; returns its code. The last
 * line of a slot: return azure_report(s, rc, &err, "saving %s", key). SR_STORAGE_OK passes through.
 */
int32_t azure_report(const struct azure *s, int32_t rc, struct sc_error *err, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* settings.c */

extern const struct sr_storage_setting azure_setting_rows[];
/* E_CONFIG with the name of the setting that is wrong. set is zeroed before; azure_settings_done
 * also after a failure. */
int32_t azure_settings_read(const struct sr_storage_host *host, struct azure_settings *set,
                            struct sc_error *err);
void azure_settings_done(struct azure_settings *set);

/* auth.c */

/* Finds the endpoint and the account, and makes the chain of credentials. Connects to nothing. */
int32_t azure_auth_open(struct azure *s, struct sc_error *err);
void azure_auth_close(struct azure *s);

/* sums.c: see sums.h. */

struct azure_sums {
    uint64_t len; /* bytes summed */
    uint8_t md5[SC_MD5_LEN];
    uint64_t crc64;
};

/* request.c */

struct azure_call {
    struct sc_call call; /* first: sc_http_poll gives it back */
    struct azure *s;
    struct sc_buf query;             /* of the caller; what authorises is added before each try */
    struct sc_cred *cred;            /* of the last try; a reference */
    int64_t offset;                  /* of the clock, likewise */
    int renewed, clock_set;          /* which remedies were tried */
    char azure_code[AZURE_CODE_MAX]; /* of the last answer's error; "" */
    int lost; /* an answer said that the object is there after a try whose answer was lost: it may
                 be our own work */
    /* Set by the caller where a 2xx answer must be XML with this root: anything else is judged as
     * the failure it is. xml then holds the answer. */
    const char *root;
    struct sc_xml *xml;
    const char *wants;      /* likewise: a 2xx without this header confirms nothing */
    struct azure_sums sums; /* of a block's body: the caller's own */
};

int32_t azure_call_begin(struct azure_call *c, struct azure *s, const char *method, const char *key,
                         struct sc_error *err);
int32_t azure_call_header(struct azure_call *c, struct sc_error *err, const char *name,
                          const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The body, borrowed until the end of the call, and its checksum: that of sums, which were made
 * while the bytes came in, or when it is NULL, an MD5 made here. */
int32_t azure_call_body(struct azure_call *c, const void *data, size_t len,
                        const struct azure_sums *sums, struct sc_error *err);
/* The headers by which the store encrypts with our key; on everything that touches the bytes. */
int32_t azure_call_customer_key(struct azure_call *c, struct sc_error *err);
int32_t azure_call_run(struct azure_call *c, struct sc_error *err);
/* What a call's prepare does; for callers that put more before it. */
int32_t azure_call_prepare(struct sc_call *call, struct sc_error *err);
/* Nonzero when a failed call may have done its deed all the same: its answer, or an earlier try's,
 * was lost, or says what our own success would make it say. */
int azure_call_outcome_open(const struct azure_call *c);
/* Of an open outcome: the server may be at it still, and its object there later. What timed out
 * inside of Azure is not cancelled there ("may or may not have succeeded on the server side",
 * Status and error codes). */
int azure_call_may_come_late(const struct azure_call *c);
/* Nothing of it matters much: few tries, and it goes on after a cancellation, for at most 30 s. */
void azure_call_cleaning_up(struct azure_call *c);
void azure_call_end(struct azure_call *c);
/* The answer's header without its quotes and bounded; "" when there is none. */
void azure_etag_copy(const struct sc_response *r, char out[AZURE_ETAG_MAX]);

/* answer.c */

/* The judge of every call; see common/http.h. */
void azure_answer_judge(struct sc_call *call, struct sc_verdict *v);

/* fetch.c */

struct azure_head {
    uint64_t size;
    int64_t modified, locked_until;
    char etag[AZURE_ETAG_MAX], version[SR_STORAGE_VERSION_MAX], mark[SC_MARK_SIZE];
};

/* What the store says of an object, version NULL: the current one. E_NOT_FOUND. quick: few tries
 * (cleaning up, or a look that only spares work). */
int32_t azure_head(struct azure *s, const char *key, const char *version, int quick,
                   struct azure_head *ret, struct sc_error *err);

/* delete.c */

/* Removes what this handle itself has just made, also after a cancellation: the current object, if
 * it is still the one with that etag; where another one is there already, nothing is done. */
int32_t azure_remove_own(struct azure *s, const char *key, const char *etag, struct sc_error *err);

/* caps.c */

int32_t azure_ask_capabilities(void *handle, uint64_t *ret_capabilities);
/* E_UNSUPPORTED when the container was made without immutable versions, so that no lock that was
 * asked for is silently not there. Asked of the store once. */
int32_t azure_locks_needed(struct azure *s, struct sc_error *err);
/* 1: an object of that name is there, or an old version of one; 0: neither; -1: who knows. */
int azure_left(struct azure *s, const char *key);

/* The slots. */
int32_t azure_save(void *handle, const struct sr_storage_object *object,
                   const struct sr_storage_reader *reader,
                   const struct sr_storage_save_options *options,
                   struct sr_storage_saved *ret_saved);
int32_t azure_list(void *handle, const struct sr_storage_list_options *options,
                   const struct sr_storage_emitter *emitter);
int32_t azure_fetch(void *handle, const struct sr_storage_fetch_options *options,
                    const struct sr_storage_writer *writer);
int32_t azure_stat(void *handle, const struct sr_storage_fetch_options *options,
                   const struct sr_storage_emitter *emitter);
int32_t azure_delete(void *handle, const struct sr_storage_delete_options *options,
                     struct sr_storage_deletion *ret_deletion);
int32_t azure_sweep(void *handle, const struct sr_storage_sweep_options *options,
                    const struct sr_storage_emitter *emitter);

#endif
