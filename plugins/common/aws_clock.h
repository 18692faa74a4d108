/* How far the server's clock is from ours, so that a machine with a wrong clock still signs well.
 *
 *     struct sc_aws_clock clock = SC_AWS_CLOCK_INIT;           one per handle
 *     prepare: sc_sigv4_sign(..., sc_aws_clock_now(&clock, host), ...)
 *     judge, for RequestTimeTooSkewed and its kin:
 *         v->cls = sc_aws_clock_learn(&clock, host, &call->response) ? SC_AGAIN : SC_FINAL;
 *     common/aws_signer.h does both
 *
 * A Date is believed only from a server whose certificate was verified: over plain HTTP anybody on
 * the way could make us sign for another day. Adopted is only what differs from what is adopted
 * already, so a server that keeps complaining is believed once. Any thread. */
#ifndef SC_AWS_CLOCK_H
#define SC_AWS_CLOCK_H

#include "common/http.h"

#include <stdatomic.h>
#include <stdint.h>

struct sc_aws_clock {
    _Atomic int64_t offset; /* seconds to add to ours */
};

#define SC_AWS_CLOCK_INIT \
    {                     \
        0                 \
    }

/* UTC seconds by the server's clock, as far as it is known; clock NULL: by ours. */
int64_t sc_aws_clock_now(const struct sc_aws_clock *clock, const struct sr_storage_host *host);
/* Nonzero when an offset was adopted, which is logged as a warning: sign and try again. */
int sc_aws_clock_learn(struct sc_aws_clock *clock, const struct sr_storage_host *host,
                       const struct sc_response *response);
/* Nonzero when a time that was signed with that offset differs from what is known now: another
 * request has learnt it meanwhile. */
int sc_aws_clock_moved(const struct sc_aws_clock *clock, int64_t offset);
/* Nonzero for the error codes by which AWS says that the time of a signature is off. */
int sc_aws_clock_is_skew(const char *code);

#endif
