#include "common/retry.h"
#include "common/encode.h"
#include "common/timefmt.h"

#include <stdio.h>
#include <string.h>

const struct sc_retry_policy sc_retry_default = {8, 200, 20000, 60000, 300000};
const struct sc_retry_policy sc_retry_commit = {8, 200, 20000, 60000, 900000};
const struct sc_retry_policy sc_retry_short = {3, 100, 1000, 2000, 10000};

/* Throttled clients begin further apart: the first waits of the others are what the server
 * complains about. */
#define THROTTLED_FACTOR 4

static uint64_t jitter(const struct sc_retry_policy *p, uint32_t tries, int throttled,
                       uint32_t random)
{
    uint64_t bound = (uint64_t)p->base_ms * (throttled ? THROTTLED_FACTOR : 1);
    for (uint32_t n = 1; n < tries && bound < p->cap_ms; n++)
        bound *= 2;
    if (bound > p->cap_ms)
        bound = p->cap_ms;
    return bound * random >> 32;
}

void sc_retry_decide(const struct sc_retry_policy *policy, const struct sc_retry_state *state,
                     enum sc_class cls, uint32_t random, struct sc_retry_next *ret)
{
    *ret = (struct sc_retry_next){0};
    switch (cls) {
    case SC_AGAIN:
        ret->again = state->agains <= SC_AGAIN_MAX;
        ret->why_not = ret->again ? NULL : "the same again after it was dealt with";
        return;
    case SC_FEW:
        if (state->few > SC_FEW_MAX) {
            ret->why_not = "the same several times";
            return;
        }
        break;
    case SC_RETRY:
    case SC_THROTTLED:
        break;
    case SC_DONE:
    case SC_FINAL:
    default:
        return;
    }
    /* Those that were met at once do not count. */
    uint32_t tries = state->tries > state->agains ? state->tries - state->agains : 1;
    if (tries >= policy->tries_max) {
        ret->why_not = "as often as allowed";
        return;
    }
    ret->wait_ms = jitter(policy, tries, cls == SC_THROTTLED, random);
    if (state->after_ms > 0) {
        uint64_t asked = (uint64_t)state->after_ms;
        if (asked > policy->after_cap_ms)
            asked = policy->after_cap_ms;
        if (ret->wait_ms < asked)
            ret->wait_ms = asked;
    }
    if (policy->total_ms != 0 && state->elapsed_ms + ret->wait_ms > policy->total_ms)
        ret->why_not = "as long as allowed";
    else if (ret->wait_ms >= state->left_ms)
        ret->why_not = "no time for another try before the deadline";
    else
        ret->again = 1;
}

int64_t sc_retry_after(const struct sc_headers *h, int64_t now)
{
    static const char *const in_ms[] = {"retry-after-ms", "x-ms-retry-after-ms",
                                        "x-amz-retry-after"};
    static const uint64_t sensible_s = 366 * 86400;
    uint64_t v = 0;
    int64_t t = 0;
    for (size_t i = 0; i < sizeof in_ms / sizeof *in_ms; i++) {
        const char *text = sc_headers_get(h, in_ms[i]);
        if (text && sc_parse_u64(text, &v) == 0 && v <= sensible_s * 1000)
            return (int64_t)v;
    }
    const char *text = sc_headers_get(h, "retry-after");
    if (!text)
        return -1;
    if (sc_parse_u64(text, &v) == 0)
        return v <= sensible_s ? (int64_t)v * 1000 : -1;
    if (sc_time_http_parse(text, &t) != 0)
        return -1;
    if (t <= now)
        return 0;
    return t - now <= (int64_t)sensible_s ? (t - now) * 1000 : -1;
}

void sc_verdict_of_status(int status, struct sc_verdict *ret)
{
    static const struct {
        int status;
        enum sc_class cls;
        int32_t code;
    } known[] = {
        {401, SC_FINAL, SR_STORAGE_E_DENIED},        {403, SC_FINAL, SR_STORAGE_E_DENIED},
        {404, SC_FINAL, SR_STORAGE_E_NOT_FOUND},     {410, SC_FINAL, SR_STORAGE_E_NOT_FOUND},
        {407, SC_FINAL, SR_STORAGE_E_CONFIG},        {408, SC_RETRY, SR_STORAGE_E_UNAVAILABLE},
        {409, SC_FINAL, SR_STORAGE_E_EXISTS},        {412, SC_FINAL, SR_STORAGE_E_EXISTS},
        {429, SC_THROTTLED, SR_STORAGE_E_THROTTLED}, {501, SC_FINAL, SR_STORAGE_E_UNSUPPORTED},
        {505, SC_FINAL, SR_STORAGE_E_UNSUPPORTED},   {507, SC_FINAL, SR_STORAGE_E_NO_SPACE},
    };
    (void)snprintf(ret->text, sizeof ret->text, "HTTP %d", status);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].status != status)
            continue;
        ret->cls = known[i].cls;
        ret->code = known[i].code;
        return;
    }
    if (status >= 200 && status <= 299) {
        ret->cls = SC_DONE;
        ret->code = SR_STORAGE_OK;
    } else if (status >= 500) {
        ret->cls = SC_RETRY;
        ret->code = SR_STORAGE_E_UNAVAILABLE;
    } else if (status >= 300 && status <= 399) {
        /* Another region, or a wrong endpoint: never followed. */
        ret->cls = SC_FINAL;
        ret->code = SR_STORAGE_E_CONFIG;
    } else {
        ret->cls = SC_FINAL;
        ret->code = SR_STORAGE_E_INTERNAL;
    }
}

void sc_verdict_not_its_own(struct sc_verdict *v)
{
    size_t n = strnlen(v->text, sizeof v->text);
    if (v->code != SR_STORAGE_E_NOT_FOUND)
        return;
    v->cls = SC_FEW;
    v->code = SR_STORAGE_E_UNAVAILABLE;
    (void)snprintf(v->text + n, sizeof v->text - n,
                   ", and not in the store's own words: a proxy's answer, or endpoint_url leads "
                   "elsewhere");
}
