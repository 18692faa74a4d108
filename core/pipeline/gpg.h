/* gpgme as this floor uses it: contexts, data that flow through a pipeline, cancellation.
 *
 *     sr_gpg_open(&ctx, &err);                          // or a failure that names the package
 *     struct sr_gpg_io io = {.flow = f, .sink = ...};
 *     sr_gpg_run(&io, ctx, operation, arg, &err);       // gpg reads from and writes to the flow
 *     gpgme_release(ctx)
 *
 * gpgme starts a gpg process that is fed through pipes and ends when these are closed, so it cannot
 * outlive us. The user's own gpg.conf is read by gpg and cannot be switched off; what it may do to
 * the output is checked by whoever needs it (step_encrypt.c).
 */
#ifndef SR_PIPELINE_GPG_H
#define SR_PIPELINE_GPG_H

#include "core/pipeline/flow.h"
#include "core/pipeline/keys.h"

#include <gpgme.h>
#include <pthread.h>

/* OpenPGP, offline, binary, no pinentry. SR_E_UNAVAILABLE when there is no gpg. */
int sr_gpg_open(gpgme_ctx_t *ret, struct sr_error *err);
/* SR_OK when a gpg can be started. */
int sr_gpg_check(struct sr_error *err);
/* sr_fail with ": " and gpgme's text for e appended; the code is as given, but memory and a missing
 * agent are told apart. */
int sr_gpg_fail(struct sr_error *err, int code, gpgme_error_t e, const char *what);

/* Answers gpg's questions with this passphrase, once each; pass NULL: refuses to answer. */
void sr_gpg_set_passphrase(gpgme_ctx_t ctx, const struct sr_passphrase *pass);

/* Guards a context that another thread may want to cancel. */
struct sr_gpg_cancel {
    pthread_mutex_t lock;
    gpgme_ctx_t ctx; /* while an operation runs */
    int cancelled;
};
void sr_gpg_cancel_init(struct sr_gpg_cancel *c);
void sr_gpg_cancel_done(struct sr_gpg_cancel *c);
/* Any thread: ends the running operation, or the next one at its start. */
void sr_gpg_cancel(struct sr_gpg_cancel *c);

struct sr_gpg_io {
    struct sr_flow *flow;
    struct sr_gpg_cancel *cancel;
    /* Gets what gpg writes; NULL: straight into the flow. */
    int (*sink)(void *ctx, const void *data, size_t len, struct sr_error *err);
    void *sink_ctx;
    /* set by sr_gpg_run */
    int rc; /* the first failure of flow or sink */
    struct sr_error error;
    const unsigned char *piece; /* being handed to gpg */
    size_t piece_len;
    int input_ended;
};

/* Calls operation(ctx, in, out, arg) with data objects over io. SR_OK: look at *ret_gpg for what
 * gpgme said; else flow or sink failed, or it was cancelled. */
int sr_gpg_run(struct sr_gpg_io *io, gpgme_ctx_t ctx,
               gpgme_error_t (*operation)(gpgme_ctx_t ctx, gpgme_data_t in, gpgme_data_t out,
                                          void *arg),
               void *arg, gpgme_error_t *ret_gpg, struct sr_error *err);

#endif
