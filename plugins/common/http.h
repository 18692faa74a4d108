/* HTTP over libcurl: tries, waits, many transfers at once, on one thread.
 *
 *     sc_http_global_init(&err);                          in the plugin's load
 *     sc_http_new(host, &options, &http, &err);           one per handle
 *
 *     struct sc_call call = SC_CALL_INIT;                 one thing asked, with all its tries
 *     sc_request_target(&call.request, "GET", ...);
 *     call.prepare = sign_it;                             before each try: date, signature
 *     call.judge = read_s3_error;                         after each try: what the answer means
 *     if (sc_http_run(http, &call, &err) == SR_STORAGE_OK)
 *         use call.response.status, .headers, .body
 *     sc_call_done(&call);
 *
 *     several at once:
 *     sc_http_add(http, &calls[i], &err);
 *     while (sc_http_busy(http) > 0) {
 *         n = reader->read(ctx, buf, cap, 10);            short timeouts while calls are under way
 *         sc_http_poll(http, 0, &finished, &err);         moves them all; *finished, or NULL
 *     }
 *     sc_http_free(http);                                 ends what is left
 *
 * WHY THE MULTI INTERFACE ON ONE THREAD, and no pool: host->setting, which credentials are renewed
 * from, the reader and set_error belong to the thread of the call, and prepare needs the first; a
 * body stays in the caller's buffer until its call is over, so memory is what the caller allocated
 * and nothing else; cancellation is one descriptor more in the poll set; and nothing is to be
 * joined, so nothing can outlive close. Each transfer has a connection of its own (no multiplexing:
 * parts are there to fill several TCP windows), and connections are reused between calls.
 *
 * INVARIANTS. Redirects are never followed: 301 and 307 are answers. Path and query go out as they
 * stand. No Expect, no Accept-Encoding, no cookies, no netrc, no body that is decoded. Every try is
 * made by this client, never silently by libcurl, so each is judged, counted and freshly signed.
 * The name in the certificate is always checked unless options say otherwise, which is logged as a
 * warning. What is logged or put into errors went through common/redact.h. The callbacks run inside
 * sc_http_poll and sc_http_run on their thread. A call that was added is not touched by the caller
 * until it is finished or removed. prepare and judge may use ANOTHER sc_http (credentials do), not
 * this one.
 *
 * CANCELLATION AND TIME. Host's is_cancelled ends every call that is under way or waiting with
 * E_CANCELLED at once, and host's deadline with E_TIMEOUT; SC_REQUEST_EVEN_CANCELLED exempts a call
 * (cleaning up), which its own time_limit_ms then bounds. Only the lookup of a name can delay this:
 * libcurl waits for the system's resolver to return.
 *
 * One sc_http is used by one thread at a time, and only during a call of the host it was made with
 * (sc_http_free alone also outside). */
#ifndef SC_HTTP_H
#define SC_HTTP_H

#include "common/request.h"
#include "common/retry.h"

struct sc_http;

enum sc_http_version { SC_HTTP_ANY = 0, SC_HTTP_1_1 = 1, SC_HTTP_2_PLAIN = 2 };

struct sc_http_options {
    const char *label;      /* the store, for logs: "s3"; copied, as all strings here */
    const char *user_agent; /* NULL: "strongroom" */
    const char *ca_file;    /* replaces the system's authorities; NULL or "": theirs */
    const char *ca_path;
    const char *ca_setting; /* the name of the setting people use for it, for error messages */
    int insecure;           /* do not verify the server; warned of loudly */
    const char *proxy;      /* NULL: by the environment (https_proxy, no_proxy ...); "": none */
    enum sc_http_version version;
    uint32_t connect_ms;      /* 0: 15 s, name lookup and TLS included */
    uint32_t stall_s;         /* 0: 60 s without a byte end a try */
    uint32_t connections_max; /* kept open; 0: 8 */
};

/* How far a try came; what makes an outcome ambiguous. */
enum sc_phase {
    SC_PHASE_NONE = 0,    /* refused here, nothing was begun */
    SC_PHASE_CONNECT = 1, /* no request byte can have reached the server */
    SC_PHASE_SEND = 2,    /* the request was not sent whole */
    SC_PHASE_REPLY = 3,   /* sent whole; the answer did not come, or not whole */
    SC_PHASE_DONE = 4     /* the answer is whole, as far as its framing tells */
};

struct sc_response {
    int status; /* of the last try; 0: there was no answer */
    enum sc_phase phase;
    struct sc_headers headers;
    struct sc_buf body; /* what did not go to a sink; at most reply_max bytes */
    uint64_t received;  /* bytes of body in this try */
    int64_t length;     /* Content-Length; -1: not told */
    int64_t date;       /* of the Date header; 0: none */
    int date_trusted;   /* it came over verified TLS */
    int http_version;   /* 10, 11, 20 */
};

struct sc_call {
    /* Set by the caller, after SC_CALL_INIT. */
    struct sc_request request;
    const struct sc_retry_policy *retry; /* NULL: sc_retry_default */
    uint64_t time_limit_ms;              /* for all tries; 0: the host's deadline alone */
    uint32_t stall_s;                    /* 0: the client's; longer for slow commits */
    size_t reply_max;                    /* 0: 1 MiB */
    void *ctx;
    /* Before each try, the first too (call->tries counts those before): completes call->request. An
     * error ends the call with it. NULL: nothing to do. */
    int32_t (*prepare)(struct sc_call *call, struct sc_error *err);
    /* After a try with an answer or a lost one, v is what its status or phase says; may refine it.
     * NULL: that holds. */
    void (*judge)(struct sc_call *call, struct sc_verdict *v);
    /* The head of a 2xx answer is there, its body not yet: may refuse it (the call ends with that
     * error), as a 200 where a range was asked for. NULL: accepted. */
    int32_t (*head)(struct sc_call *call, struct sc_error *err);
    /* The body of a 2xx answer, as it comes, instead of response.body; an error ends the call with
     * it. Bytes handed over stay handed over: with a sink, prepare must ask for the rest on a
     * further try, and such progress makes the count of tries begin anew. */
    int32_t (*sink)(struct sc_call *call, const void *data, size_t len, struct sc_error *err);

    /* Set by the client; valid once the call is finished, and in the callbacks. */
    struct sc_response response;
    int32_t code;          /* what the call ended with; the verdict's code */
    struct sc_error error; /* why, with method, URL, tries and time */
    uint32_t tries;        /* finished ones, since the last progress of a sink */
    uint32_t throttled;    /* how many were told to slow down */
    int in_doubt;          /* an earlier try may have done the deed: it was sent whole, and answered
                              by nothing, 408 or 5xx. A 404, 409 or 412 now may be its work. */
    int unanswered;      /* likewise, and the server itself said nothing of how it ended (no answer,
                            or a gateway's): it may be at it still */
    uint64_t sent_bytes; /* of bodies, all tries */
    struct sc_transfer *transfer_; /* the client's own */
};

#define SC_CALL_INIT               \
    {                              \
        .request = SC_REQUEST_INIT \
    }

/* Frees what the call owns (request, response); removed from its client first. */
void sc_call_done(struct sc_call *call);

/* Once per process and plugin, and harmless when others did it: libcurl counts its users, and is
 * never asked to clean up, because other users may be alive. */
int32_t sc_http_global_init(struct sc_error *err);

/* host must live as long as the client. E_CONFIG for options that cannot be, naming them. */
int32_t sc_http_new(const struct sr_storage_host *host, const struct sc_http_options *options,
                    struct sc_http **ret, struct sc_error *err);
/* Ends what is under way; sc_call structs that were added are the caller's, with E_CANCELLED. */
void sc_http_free(struct sc_http *http);

/* Tries until it is over and returns call->code, with *err a copy of call->error. Calls added
 * before move on meanwhile; those that finish wait for the next sc_http_poll. */
int32_t sc_http_run(struct sc_http *http, struct sc_call *call, struct sc_error *err);

/* Begins. An error means that it was not added. */
int32_t sc_http_add(struct sc_http *http, struct sc_call *call, struct sc_error *err);
/* Moves everything, waiting up to timeout_ms (0: not at all) for something to finish; *ret_done is
 * a finished call, whose code tells how it went, or NULL. Called at least once a second while calls
 * are under way, or servers may think us gone. SR_STORAGE_OK, or E_INTERNAL when libcurl fails as a
 * whole; failures of calls are theirs. */
int32_t sc_http_poll(struct sc_http *http, int timeout_ms, struct sc_call **ret_done,
                     struct sc_error *err);
/* Takes a call out at once, whatever its state; its connection is closed when it was in use. */
void sc_http_remove(struct sc_http *http, struct sc_call *call);
/* Calls that were added and not yet given back. */
unsigned sc_http_busy(const struct sc_http *http);

/* The request that makes an object visible: the server may take its time, and a try that took all
 * the time it has is followed by another (sc_retry_commit). */
#define SC_COMMIT_STALL_S 300
void sc_call_commits(struct sc_call *call);

/* Waits ms; E_CANCELLED or E_TIMEOUT (the host's deadline) at once when that comes. */
int32_t sc_wait(const struct sr_storage_host *host, uint64_t ms, struct sc_error *err);
/* The same until the host's monotonic clock shows that many milliseconds. even_cancelled: nothing
 * ends it before, for what must be known though nobody waits for it any more. */
int32_t sc_wait_until(const struct sr_storage_host *host, uint64_t until_ms, int even_cancelled,
                      struct sc_error *err);

#endif
