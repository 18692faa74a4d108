#include "common/aws_clock.h"

#include <inttypes.h>
#include <string.h>

/* AWS takes 15 minutes; a difference below this is the way's delay and no clock's fault. */
#define WORTH_S 30

int64_t sc_aws_clock_now(const struct sc_aws_clock *clock, const struct sr_storage_host *host)
{
    return host->now(host) + (clock ? atomic_load(&clock->offset) : 0);
}

static int worth_it(int64_t seconds)
{
    return seconds >= WORTH_S || seconds <= -WORTH_S;
}

int sc_aws_clock_moved(const struct sc_aws_clock *clock, int64_t offset)
{
    return clock && worth_it(atomic_load(&clock->offset) - offset);
}

int sc_aws_clock_learn(struct sc_aws_clock *clock, const struct sr_storage_host *host,
                       const struct sc_response *response)
{
    if (!clock || response->date <= 0)
        return 0;
    int64_t offset = response->date - host->now(host);
    if (!worth_it(offset - atomic_load(&clock->offset)))
        return 0;
    if (!response->date_trusted) {
        sc_log(host, SR_STORAGE_LOG_WARN,
               "the server's clock is %" PRId64 " s from this machine's; that is not allowed for, "
               "since the server was not verified (https): set this machine's clock",
               offset);
        return 0;
    }
    atomic_store(&clock->offset, offset);
    sc_log(host, SR_STORAGE_LOG_WARN,
           "the server's clock is %" PRId64 " s from this machine's; requests are signed by the "
           "server's from now on: set this machine's clock",
           offset);
    return 1;
}

int sc_aws_clock_is_skew(const char *code)
{
    static const char *const codes[] = {"RequestTimeTooSkewed", "RequestExpired",
                                        "InvalidSignatureException", "SignatureDoesNotMatch"};
    /* The last two are what STS says; they mean other things as well, and then the Date shows no
     * difference worth an offset. */
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strcmp(code, codes[i]) == 0)
            return 1;
    return 0;
}
