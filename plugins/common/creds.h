/* Credentials that are found once, kept while they live, and renewed before they end.
 *
 *     struct sc_creds *c;
 *     sc_creds_new(&(struct sc_creds_options){.advisory_s = 900, .mandatory_s = 600}, &c, &err);
 *     sc_creds_add(c, &(struct sc_provider){"environment", from_env, NULL, ctx}, &err);  in order
 *     ...
 *     struct sc_cred *cred;
 *     if (sc_creds_get(c, host, &cred, &err) == SR_STORAGE_OK) {     before each try
 *         sign(request, cred);
 *         sc_cred_unref(cred);
 *     }
 *     on "expired token": sc_creds_refuse(c, cred), and try again    the next get renews
 *
 * The first provider that has something is kept; from then on it alone is asked again. A provider
 * that is set up but fails stops the search: falling through silently would end in the wrong
 * account. Within the advisory time before the end a renewal is tried, and its failure logged while
 * the old credentials still live (asked again after SC_CREDS_PAUSE_S; within the mandatory time
 * after SC_CREDS_HASTE_S), until they are dead. Both times are shortened for credentials that live
 * short: to a third and a sixth of what they had left when they came. After the first success the
 * name of the source is logged (verbose). Any thread may get; one renews at a time, others use what
 * lives, or wait. Providers that ask host->setting tie get to the thread of the call. */
#ifndef SC_CREDS_H
#define SC_CREDS_H

#include "common/cleanup.h"
#include "common/secret.h"

#include <stdatomic.h>
#include <stdint.h>

#define SC_CREDS_PAUSE_S 60
#define SC_CREDS_HASTE_S 5

/* One set; immutable once handed over, shared by reference. */
struct sc_cred {
    atomic_uint refs_;
    char source[160];        /* for people: "profile 'backup' of /root/.aws/credentials" */
    char id[256];            /* access key id, client e-mail, account; "" where there is none */
    struct sc_secret secret; /* secret access key, account key */
    struct sc_secret token;  /* session or bearer token; empty: none */
    int64_t expires;         /* UTC seconds; 0: never */
};

/* A new empty set with one reference, or NULL without memory. */
struct sc_cred *sc_cred_new(void);
struct sc_cred *sc_cred_ref(struct sc_cred *c);
void sc_cred_unref(struct sc_cred *c); /* the last one overwrites and frees; NULL is nothing */
SC_DEFINE_CLEANUP(struct sc_cred *, sc_cred_unref);

struct sc_provider {
    const char *name; /* static: "environment", "instance metadata (IMDSv2)" */
    /* Makes a set. SR_STORAGE_E_NOT_FOUND: nothing is set up here, ask the next one; any other
     * error ends the search. Called with no lock held, by one thread at a time. */
    int32_t (*fetch)(void *ctx, const struct sr_storage_host *host, struct sc_cred **ret,
                     struct sc_error *err);
    void (*free)(void *ctx); /* with sc_creds_free; or NULL */
    void *ctx;
};

struct sc_creds_options {
    int64_t advisory_s;  /* try to renew so long before the end */
    int64_t mandatory_s; /* and in haste so long before it */
    /* Seconds to add to the host's clock, as far as the server's is known (common/aws_clock.h); it
     * may change, and lives as long as the chain. NULL: none. */
    const _Atomic int64_t *offset;
};

struct sc_creds;

int32_t sc_creds_new(const struct sc_creds_options *options, struct sc_creds **ret,
                     struct sc_error *err);
void sc_creds_free(struct sc_creds *c);
/* Copies the struct; ctx belongs to c from now on, also when this fails (it is then freed). */
int32_t sc_creds_add(struct sc_creds *c, const struct sc_provider *provider, struct sc_error *err);
/* The set to use now, with a reference for the caller. E_DENIED, with a list of what was asked,
 * when no provider has anything. E_CANCELLED when the call was cancelled while another thread
 * renewed. */
int32_t sc_creds_get(struct sc_creds *c, const struct sr_storage_host *host, struct sc_cred **ret,
                     struct sc_error *err);
/* The server said that this set is dead: the next get renews, and fails if it cannot. Does nothing
 * when a newer one is there already. */
void sc_creds_refuse(struct sc_creds *c, const struct sc_cred *cred);
/* The server said that this set is wrong: reads it again where it came from, which may take as long
 * as sc_creds_get. Nonzero when another one is there, so that a further try makes sense: a key that
 * was replaced in its file is found so. */
int sc_creds_replaced(struct sc_creds *c, const struct sr_storage_host *host,
                      const struct sc_cred *refused);
/* Where the present set came from, for doctor; "" before the first. out has cap bytes. */
void sc_creds_source(struct sc_creds *c, char *out, size_t cap);

#endif
