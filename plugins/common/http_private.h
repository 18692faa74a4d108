/* Inside the HTTP client: http.c (the client), http_run.c (the loop), http_easy.c (one try, as
 * libcurl is told of it), http_outcome.c (what came of a try). */
#ifndef SC_HTTP_PRIVATE_H
#define SC_HTTP_PRIVATE_H

#include "common/http.h"

#include <curl/curl.h>

enum sc_transfer_state { SC_WAITING, SC_RUNNING, SC_OVER };

struct sc_transfer {
    struct sc_http *http;
    struct sc_call *call;
    struct sc_transfer *next;
    enum sc_transfer_state state;
    CURL *easy;
    struct curl_slist *headers;
    uint64_t due_ms;   /* WAITING: when the next try begins */
    uint64_t began_ms; /* the first try, or the one after the last progress */
    uint64_t limit_ms; /* of the whole call; UINT64_MAX: none */
    struct sc_retry_state tally;
    char last[512]; /* what the last try came to, for messages */
    uint32_t all_tries;

    /* Of the try under way. */
    uint64_t try_began_ms;
    uint64_t at, most_at;    /* bytes of body handed to libcurl; before a rewind */
    uint32_t sends;          /* how often libcurl was about to send the request */
    uint32_t heads;          /* status lines seen */
    int head_done;           /* a final answer's head is there */
    int dropped;             /* the body of a refusal was too long and is not kept */
    struct sc_error stopped; /* why a callback ended the try */
    char why[CURL_ERROR_SIZE];
};

struct sc_http {
    const struct sr_storage_host *host;
    struct sc_http_options options; /* strings owned */
    CURLM *multi;
    struct sc_transfer *transfers; /* added and not given back */
    unsigned busy;
    int inside; /* a callback is running */
    int warned_plain;
};

/* http.c: milliseconds of the host's monotonic clock. */
uint64_t sc_http_clock(const struct sc_http *http);
/* The host's deadline on that clock; UINT64_MAX: none. */
uint64_t sc_http_deadline(const struct sr_storage_host *host);

/* http_easy.c: tells libcurl of the next try of t->call->request. */
int32_t sc_http_easy_setup(struct sc_transfer *t, struct sc_error *err);
/* Overwrites and frees the list of headers. */
void sc_http_easy_done(struct sc_transfer *t);

/* http_outcome.c: fills what the response does not have yet; rc as libcurl gave it. */
void sc_http_outcome(struct sc_transfer *t, CURLcode rc);
/* How far the try came; also asked while it is under way. */
enum sc_phase sc_http_phase(const struct sc_transfer *t, CURLcode rc);
/* What a try without a whole answer means. */
void sc_http_verdict_of_loss(const struct sc_transfer *t, CURLcode rc, struct sc_verdict *ret);
/* One line for the log at debug level. */
void sc_http_log_try(const struct sc_transfer *t, const char *outcome);

#endif
