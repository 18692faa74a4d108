#include "common/aws_signer.h"

#include <string.h>

void sc_aws_use_done(struct sc_aws_use *use)
{
    sc_cred_unref(use->cred);
    *use = (struct sc_aws_use)SC_AWS_USE_INIT;
}

int32_t sc_aws_signer_sign(const struct sc_aws_signer *s, struct sc_aws_use *use,
                           struct sc_request *r, const char *payload, struct sc_error *err)
{
    struct sc_cred *cred = NULL;
    int32_t rc = sc_creds_get(s->creds, s->host, &cred, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    sc_cred_unref(use->cred);
    use->cred = cred;
    return sc_sigv4_sign(r, &s->where, cred, payload, sc_aws_clock_now(s->clock, s->host), s->keys,
                         err);
}

static int says_expired(const char *code)
{
    static const char *const codes[] = {"ExpiredToken", "ExpiredTokenException", "InvalidToken",
                                        "TokenRefreshRequired"};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strcmp(code, codes[i]) == 0)
            return 1;
    return 0;
}

int sc_aws_signer_mends(const struct sc_aws_signer *s, struct sc_aws_use *use,
                        const struct sc_response *response, const char *code)
{
    if (!code || response->status / 100 != 4)
        return 0;
    if (says_expired(code) && !use->renewed && use->cred) {
        use->renewed = 1;
        sc_creds_refuse(s->creds, use->cred);
        return 1;
    }
    if (sc_aws_clock_is_skew(code) && !use->set &&
        sc_aws_clock_learn(s->clock, s->host, response)) {
        use->set = 1;
        return 1;
    }
    return 0;
}
