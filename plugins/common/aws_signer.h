/* A request's signature with the credentials of the moment, and what is done when the server says
 * that they or the clock are off: between sc_creds, sc_sigv4, sc_aws_clock and a call's callbacks.
 *
 *     struct sc_aws_signer signer = {.host = host, .creds = creds, .keys = keys, .clock = &clock,
 *                                    .where = {region, "s3", SC_SIGV4_S3}};      one per handle
 *     struct sc_aws_use use = SC_AWS_USE_INIT;                                   one per call
 *     prepare: return sc_aws_signer_sign(&signer, &use, &call->request, payload, err);
 *     judge:   if (sc_aws_signer_mends(&signer, &use, &call->response, code)) v->cls = SC_AGAIN;
 *     sc_aws_use_done(&use)
 *
 * Each remedy is tried once per call. Called on the thread of the call, since credentials may come
 * from host->setting. */
#ifndef SC_AWS_SIGNER_H
#define SC_AWS_SIGNER_H

#include "common/aws_clock.h"
#include "common/sigv4.h"

/* All borrowed; they live as long as the signer is used. */
struct sc_aws_signer {
    const struct sr_storage_host *host;
    struct sc_creds *creds;
    struct sc_sigv4_keys *keys;
    struct sc_aws_clock *clock;
    struct sc_sigv4_scope where; /* its region may be changed between tries */
};

struct sc_aws_use {
    struct sc_cred *cred; /* of the last try; a reference */
    int64_t offset;       /* of the clock, likewise */
    int renewed, set;     /* which remedies were tried */
};

#define SC_AWS_USE_INIT \
    {                   \
        NULL, 0, 0, 0   \
    }

void sc_aws_use_done(struct sc_aws_use *use);

/* Gets credentials, which may renew them, and signs. As sc_creds_get and sc_sigv4_sign. */
int32_t sc_aws_signer_sign(const struct sc_aws_signer *s, struct sc_aws_use *use,
                           struct sc_request *r, const char *payload, struct sc_error *err);

/* Nonzero when the answer's error code (NULL: none, as for HEAD) says that credentials have expired
 * or are wrong, or that the clock is off, and something was changed that makes another try worth it
 * at once. Of several requests that were on their way with what is off, each is mended. Wrong ones
 * are read again where they came from, which may take as long as sc_creds_get: a key that was
 * replaced in its file is found so. */
int sc_aws_signer_mends(const struct sc_aws_signer *s, struct sc_aws_use *use,
                        const struct sc_response *response, const char *code);

#endif
