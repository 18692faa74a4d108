#include "common/creds.h"
#include "common/cleanup.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PROVIDERS_MAX 16

struct sc_creds {
    struct sc_creds_options options;
    struct sc_provider providers[PROVIDERS_MAX];
    size_t n_providers;
    pthread_mutex_t lock; /* everything below */
    pthread_cond_t changed;
    struct sc_cred *current; /* NULL before the first */
    size_t chosen;           /* index of the provider it came from */
    int refused;             /* the server said that current is dead */
    int renewing;
    int64_t not_before; /* after a failed renewal: when to try again */
    int64_t lifetime;   /* of current, when it came */
};

struct sc_cred *sc_cred_new(void)
{
    struct sc_cred *c = calloc(1, sizeof *c);
    if (c)
        atomic_init(&c->refs_, 1);
    return c;
}

struct sc_cred *sc_cred_ref(struct sc_cred *c)
{
    if (c)
        atomic_fetch_add(&c->refs_, 1);
    return c;
}

void sc_cred_unref(struct sc_cred *c)
{
    if (!c || atomic_fetch_sub(&c->refs_, 1) != 1)
        return;
    sc_secret_done(&c->secret);
    sc_secret_done(&c->token);
    sc_wipe(c, sizeof *c);
    free(c);
}

int32_t sc_creds_new(const struct sc_creds_options *options, struct sc_creds **ret,
                     struct sc_error *err)
{
    pthread_condattr_t attr;
    struct sc_creds *c = calloc(1, sizeof *c);
    if (!c)
        return sc_fail_memory(err);
    c->options = *options;
    (void)pthread_mutex_init(&c->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&c->changed, &attr);
    (void)pthread_condattr_destroy(&attr);
    *ret = c;
    return SR_STORAGE_OK;
}

void sc_creds_free(struct sc_creds *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n_providers; i++)
        if (c->providers[i].free)
            c->providers[i].free(c->providers[i].ctx);
    sc_cred_unref(c->current);
    (void)pthread_cond_destroy(&c->changed);
    (void)pthread_mutex_destroy(&c->lock);
    free(c);
}

int32_t sc_creds_add(struct sc_creds *c, const struct sc_provider *provider, struct sc_error *err)
{
    if (c->n_providers == PROVIDERS_MAX) {
        if (provider->free)
            provider->free(provider->ctx);
        return sc_fail(err, SR_STORAGE_E_INTERNAL, "more than %d sources of credentials",
                       PROVIDERS_MAX);
    }
    c->providers[c->n_providers++] = *provider;
    return SR_STORAGE_OK;
}

static int32_t ask(const struct sc_provider *p, const struct sr_storage_host *host,
                   struct sc_cred **ret, struct sc_error *err)
{
    int32_t rc = p->fetch(p->ctx, host, ret, err);
    if (rc == SR_STORAGE_OK && (*ret)->source[0] == '\0')
        (void)snprintf((*ret)->source, sizeof(*ret)->source, "%s", p->name);
    if (rc != SR_STORAGE_OK && rc != SR_STORAGE_E_NOT_FOUND)
        (void)sc_error_wrap(err, "credentials from %s", p->name);
    return rc;
}

/* The first time: all in order. Later: the one that was found, alone. */
static int32_t search(struct sc_creds *c, const struct sr_storage_host *host, int first_time,
                      size_t *chosen, struct sc_cred **ret, struct sc_error *err)
{
    int32_t rc = SR_STORAGE_E_NOT_FOUND;
    char asked[512] = "", last[SC_ERROR_TEXT_MAX] = "";
    if (!first_time) {
        const struct sc_provider *p = &c->providers[*chosen];
        rc = ask(p, host, ret, err);
        if (rc == SR_STORAGE_E_NOT_FOUND)
            rc =
                sc_fail(err, SR_STORAGE_E_DENIED, "credentials from %s are there no more", p->name);
        return rc;
    }
    for (size_t i = 0; i < c->n_providers; i++) {
        struct sc_error why = SC_ERROR_INIT;
        rc = ask(&c->providers[i], host, ret, &why);
        if (rc != SR_STORAGE_E_NOT_FOUND) {
            if (rc != SR_STORAGE_OK && err)
                *err = why;
            *chosen = i;
            return rc;
        }
        size_t n = strlen(asked);
        (void)snprintf(asked + n, sizeof asked - n, "%s%s", n ? ", " : "", c->providers[i].name);
        sc_log(host, SR_STORAGE_LOG_DEBUG, "no credentials from %s: %s", c->providers[i].name,
               why.text);
        (void)snprintf(last, sizeof last, "%s", why.text);
    }
    return sc_fail(err, SR_STORAGE_E_DENIED, "no credentials found; asked: %s%s%s%s", asked,
                   *last ? " (" : "", last, *last ? ")" : "");
}

static int64_t now_of(const struct sc_creds *c, const struct sr_storage_host *host)
{
    return host->now(host) + (c->options.offset ? atomic_load(c->options.offset) : 0);
}

static int is_alive(const struct sc_creds *c, int64_t now)
{
    return c->current && !c->refused && (c->current->expires == 0 || c->current->expires > now);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Short-lived credentials would be within the times of the options from the start, and be renewed
 * at every get: a third of a lifetime is early enough, a sixth is late. */
static int64_t advisory_s(const struct sc_creds *c)
{
    return least(c->options.advisory_s, c->lifetime / 3);
}

static int64_t mandatory_s(const struct sc_creds *c)
{
    return least(c->options.mandatory_s, c->lifetime / 6);
}

static int wants_renewal(const struct sc_creds *c, int64_t now)
{
    if (!is_alive(c, now))
        return 1;
    return c->current->expires != 0 && c->current->expires - now <= advisory_s(c) &&
           now >= c->not_before;
}

/* With the lock held; gives it up while a provider is asked. */
static int32_t renew(struct sc_creds *c, const struct sr_storage_host *host, struct sc_error *err)
{
    struct sc_cred *fresh = NULL;
    struct sc_error why = SC_ERROR_INIT;
    size_t chosen = c->chosen;
    int first_time = c->current == NULL;
    c->renewing = 1;
    (void)pthread_mutex_unlock(&c->lock);
    int32_t rc = search(c, host, first_time, &chosen, &fresh, &why);
    (void)pthread_mutex_lock(&c->lock);
    c->renewing = 0;
    (void)pthread_cond_broadcast(&c->changed);
    if (rc == SR_STORAGE_OK) {
        sc_log(host, first_time ? SR_STORAGE_LOG_VERBOSE : SR_STORAGE_LOG_DEBUG,
               "%s credentials from %s", first_time ? "using" : "renewed", fresh->source);
        sc_cred_unref(c->current);
        c->current = fresh;
        c->chosen = chosen;
        c->refused = 0;
        c->not_before = 0;
        c->lifetime = fresh->expires - now_of(c, host);
        return SR_STORAGE_OK;
    }
    int64_t now = now_of(c, host);
    if (!is_alive(c, now)) {
        if (err)
            *err = why;
        return rc;
    }
    c->not_before =
        now + (c->current->expires - now <= mandatory_s(c) ? SC_CREDS_HASTE_S : SC_CREDS_PAUSE_S);
    sc_log(host, SR_STORAGE_LOG_WARN, "%s; the old ones live for %lld s more", why.text,
           (long long)(c->current->expires - now));
    return SR_STORAGE_OK;
}

/* Until the renewing thread is through, or a moment passed: cancellation wakes no condition. */
static void wait_a_moment(struct sc_creds *c)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += 50000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    (void)pthread_cond_timedwait(&c->changed, &c->lock, &until);
}

int32_t sc_creds_get(struct sc_creds *c, const struct sr_storage_host *host, struct sc_cred **ret,
                     struct sc_error *err)
{
    int32_t rc = SR_STORAGE_OK;
    (void)pthread_mutex_lock(&c->lock);
    while (c->renewing && !is_alive(c, now_of(c, host)) && rc == SR_STORAGE_OK) {
        wait_a_moment(c);
        if (host->is_cancelled(host))
            rc = sc_fail(err, SR_STORAGE_E_CANCELLED, "cancelled while waiting for credentials");
    }
    if (rc == SR_STORAGE_OK && !c->renewing && wants_renewal(c, now_of(c, host)))
        rc = renew(c, host, err);
    if (rc == SR_STORAGE_OK)
        *ret = sc_cred_ref(c->current);
    (void)pthread_mutex_unlock(&c->lock);
    return rc;
}

void sc_creds_refuse(struct sc_creds *c, const struct sc_cred *cred)
{
    (void)pthread_mutex_lock(&c->lock);
    if (c->current == cred)
        c->refused = 1;
    (void)pthread_mutex_unlock(&c->lock);
}

int sc_creds_replaced(struct sc_creds *c, const struct sr_storage_host *host,
                      const struct sc_cred *refused)
{
    struct sc_cred *now = NULL;
    sc_creds_refuse(c, refused);
    if (sc_creds_get(c, host, &now, NULL) != SR_STORAGE_OK)
        return 0;
    int others = strcmp(now->id, refused->id) != 0 ||
                 !sc_secret_equal(&now->secret, &refused->secret) ||
                 !sc_secret_equal(&now->token, &refused->token);
    sc_cred_unref(now);
    return others;
}

void sc_creds_source(struct sc_creds *c, char *out, size_t cap)
{
    (void)pthread_mutex_lock(&c->lock);
    (void)snprintf(out, cap, "%s", c->current ? c->current->source : "");
    (void)pthread_mutex_unlock(&c->lock);
}
