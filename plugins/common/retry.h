/* Whether and when something is tried again. Decisions are pure; the loop is in common/http.h.
 *
 *     sc_verdict_default(&response, &v);          what an answer means, by its status alone
 *     ... the provider refines v from the body ...
 *     sc_retry_decide(policy, &state, &v, random, &next);
 *     if (next.again) wait next.wait_ms, then try with a fresh date and signature
 *
 * Waiting is "full jitter": a random part of min(base * 2^n, cap), n counting the tries so far, so
 * that many clients do not come back at the same moment. What the server asks for with Retry-After
 * is a lower bound, up to after_cap_ms. Tries are bounded by number and by time together. */
#ifndef SC_RETRY_H
#define SC_RETRY_H

#include "common/headers.h"

#include <stdint.h>

enum sc_class {
    SC_DONE = 0,      /* success */
    SC_FINAL = 1,     /* a failure that a further try would not change */
    SC_RETRY = 2,     /* lost connection, 408, 5xx: later, with growing waits */
    SC_THROTTLED = 3, /* 429, SlowDown: the same, from a base four times as long; also counted
                         apart, so that the caller can do less at once */
    SC_FEW = 4,       /* damage on the way (BadDigest, IncompleteBody): like SC_RETRY, at most
                         SC_FEW_MAX times */
    SC_AGAIN = 5      /* judge changed something (credentials, region, clock): at once, at most
                         SC_AGAIN_MAX times */
};
#define SC_FEW_MAX 3
#define SC_AGAIN_MAX 4

struct sc_verdict {
    enum sc_class cls;
    int32_t code;   /* SR_STORAGE_OK for SC_DONE; else what the call ends with if it ends here */
    char text[512]; /* what came back, for people: "503 SlowDown: please reduce your rate" */
};

struct sc_retry_policy {
    uint32_t tries_max; /* 1: never again */
    uint32_t base_ms;
    uint32_t cap_ms;
    uint32_t after_cap_ms; /* for Retry-After */
    uint64_t total_ms;     /* from the first try to the start of the last; 0: no limit */
};

/* 8 tries, base 200 ms, cap 20 s, Retry-After up to 60 s, 5 minutes in all. */
extern const struct sc_retry_policy sc_retry_default;
/* The same with 15 minutes in all: for requests that may take minutes to answer, more than twice
 * SC_COMMIT_STALL_S (common/http.h). */
extern const struct sc_retry_policy sc_retry_commit;
/* 3 tries, base 100 ms, cap 1 s: metadata endpoints, cleaning up. */
extern const struct sc_retry_policy sc_retry_short;

struct sc_retry_state {
    uint32_t tries;       /* made so far, the one just judged included; at least 1 */
    uint32_t few, agains; /* how many of them were SC_FEW, SC_AGAIN */
    uint64_t elapsed_ms;  /* since the first began */
    uint64_t left_ms;     /* until the deadline of the whole call; UINT64_MAX: none */
    int64_t after_ms;     /* what the server asked for; -1: nothing */
};

struct sc_retry_next {
    int again;
    uint64_t wait_ms;
    const char *why_not; /* static: "8 tries", "no time for another try"; NULL when again, or when
                            the class rules it out */
};

/* random: uniform in [0, 2^32), from the host. */
void sc_retry_decide(const struct sc_retry_policy *policy, const struct sc_retry_state *state,
                     enum sc_class cls, uint32_t random, struct sc_retry_next *ret);

/* What the headers ask for, in ms: retry-after-ms, x-ms-retry-after-ms, x-amz-retry-after (ms),
 * Retry-After in seconds or as an HTTP date against now; -1: nothing, or nothing sensible. */
int64_t sc_retry_after(const struct sc_headers *h, int64_t now);

/* The class and code of a status: 2xx DONE; 404 and 410 NOT_FOUND; 401, 403 DENIED; 408, 5xx RETRY
 * with UNAVAILABLE (501, 505: FINAL, UNSUPPORTED; 507: FINAL, NO_SPACE); 409, 412 FINAL, EXISTS;
 * 429 THROTTLED; 413, 416 ... FINAL, INTERNAL; 3xx FINAL, CONFIG. Sets the text to "HTTP <status>".
 */
void sc_verdict_of_status(int status, struct sc_verdict *ret);
/* A "not found" that is not in the store's own words: a proxy's page, or that of a server which is
 * none. Nothing is known of the object then: FEW, UNAVAILABLE, and the text says so. Any other
 * verdict stays. */
void sc_verdict_not_its_own(struct sc_verdict *v);

#endif
