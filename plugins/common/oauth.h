/* Tokens from an OAuth 2.0 endpoint, as members of the credential cache (common/creds.h).
 *
 *     const struct sc_oauth_ask ask = {.who = "the token endpoint", .url = token_uri,
 *                                      .form = my_form, .ctx = my_own, .clock = &clock};
 *     inside a provider's fetch:
 *     sc_oauth_post(http, host, &ask, &cred, &err)     a form there, a bearer token back
 *
 *     int32_t my_form(void *ctx, int64_t now, struct sc_buf *form, struct sc_error *err)
 *     {                                                before each try, so that an assertion is as
 *         sc_oauth_field(form, "grant_type", ...);     fresh as the try
 *         sc_oauth_field(form, "assertion", ...);
 *     }
 *
 *     a GET, or a body of another kind: set up a struct sc_call of its own, and
 *     sc_oauth_run(http, host, &call, "the metadata server", &cred, &err)
 *
 * RFC 6749 4 and 5, RFC 7523, RFC 8693. What comes back is JSON of at most SC_OAUTH_REPLY_MAX bytes
 * with access_token (which must be fit for a header), token_type Bearer where it is told, and
 * expires_in, a number or, as Azure has it, a text; else expires_on; else it counts as living for
 * SC_OAUTH_LIFE_UNTOLD seconds. A refusal is E_DENIED with error and
 * error_description, cut to a length; what the server says may be shown, what it was sent never
 * is. Everything goes over https or to this machine alone (SC_REQUEST_TLS_ONLY), no redirect is
 * followed. On the thread of the call, since providers are. */
#ifndef SC_OAUTH_H
#define SC_OAUTH_H

#include "common/aws_clock.h"
#include "common/creds.h"

#define SC_OAUTH_REPLY_MAX ((size_t)256 << 10)
#define SC_OAUTH_FORM_MAX (4 * SC_SECRET_MAX)
#define SC_OAUTH_TIME_LIMIT_MS 60000 /* for all tries */
#define SC_OAUTH_LIFE_MAX 86400      /* seconds; what claims to live longer is asked for again */
#define SC_OAUTH_LIFE_UNTOLD 300

struct sc_oauth_ask {
    const char *who; /* for messages: "Google's token endpoint" */
    const char *url;
    /* Appends fields to an empty form; now is by the server's clock as far as that is known. An
     * error ends the request with it. */
    int32_t (*form)(void *ctx, int64_t now, struct sc_buf *form, struct sc_error *err);
    void *ctx;
    const char *authorization;  /* header of that name, for clients with a secret of their own; or
                                   NULL */
    struct sc_aws_clock *clock; /* learns when an assertion is refused and the server's Date differs
                                   from ours; NULL: nothing is learnt */
};

/* Appends name=value, with '&' where it is needed; value NULL: nothing. */
void sc_oauth_field(struct sc_buf *form, const char *name, const char *value);

/* *ret has token and expires, its id and source are empty: the caller names them. E_CONFIG for a
 * URL that may not be, E_DENIED for a refusal, E_CORRUPT for an answer that is none, else how the
 * request failed. */
int32_t sc_oauth_post(struct sc_http *http, const struct sr_storage_host *host,
                      const struct sc_oauth_ask *ask, struct sc_cred **ret, struct sc_error *err);

/* Runs a call that the caller has set up (target, headers, body, retry; judge NULL:
 * sc_oauth_judge), and reads its answer. TLS_ONLY is the caller's to set. */
int32_t sc_oauth_run(struct sc_http *http, const struct sr_storage_host *host, struct sc_call *call,
                     const char *who, struct sc_cred **ret, struct sc_error *err);
/* For judges of the caller's own: error and error_description into the verdict's text; code and
 * class by them. */
void sc_oauth_judge(struct sc_call *call, struct sc_verdict *v);
/* Reads an answer; pure. now is what expires_in counts from. */
int32_t sc_oauth_parse(const char *who, const char *text, size_t len, int64_t now,
                       struct sc_cred **ret, struct sc_error *err);

/* A set of credentials with that bearer token: E_CORRUPT when it is empty or cannot stand in a
 * header. expires 0: never. */
int32_t sc_oauth_cred_new(const char *who, const char *token, int64_t expires, struct sc_cred **ret,
                          struct sc_error *err);

#endif
