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
    use->offset = s->clock ? atomic_load(&s->clock->offset) : 0;
    return sc_sigv4_sign(r, &s->where, cred, payload, sc_aws_clock_now(s->clock, s->host), s->keys,
                         err);
}

static int is_one_of(const char *code, const char *const *codes)
{
    for (; *codes; codes++)
        if (strcmp(code, *codes) == 0)
            return 1;
    return 0;
}

static int says_expired(const char *code)
{
    static const char *const codes[] = {"ExpiredToken", "ExpiredTokenException", "InvalidToken",
                                        "TokenRefreshRequired", NULL};
    return is_one_of(code, codes);
}

static int says_wrong(const char *code)
{
    static const char *const codes[] = {"InvalidAccessKeyId", "SignatureDoesNotMatch", NULL};
    return is_one_of(code, codes);
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
        (sc_aws_clock_learn(s->clock, s->host, response) ||
         sc_aws_clock_moved(s->clock, use->offset))) {
        use->set = 1;
        return 1;
    }
    if (says_wrong(code) && !use->renewed && use->cred) {
        use->renewed = 1;
        return sc_creds_replaced(s->creds, s->host, use->cred);
    }
    return 0;
}
