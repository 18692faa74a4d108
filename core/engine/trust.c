#include "config.h"
#include "core/engine/trust.h"
#include "core/engine/newest.h"
#include "core/util/cleanup.h"
#include "core/util/log.h"
#include "core/util/text.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AHEAD_MAX 86400 /* seconds that a set may be ahead of our clock and be remembered */

int sr_trust_keys(struct sr_context *ctx, const struct sr_signer **ret, struct sr_error *err)
{
    int rc = SR_OK;
    pthread_mutex_lock(&ctx->lock);
    if (!ctx->signer_read && (rc = sr_signer_from_config(ctx->cfg, &ctx->signer, err)) == SR_OK)
        ctx->signer_read = 1;
    if (rc == SR_OK)
        *ret = ctx->signer;
    pthread_mutex_unlock(&ctx->lock);
    return rc;
}

enum sr_trust_use sr_trust_use_of(const char *backup, const char *label)
{
    const char *colon = strchr(backup, ':');
    if (strcmp(colon ? colon + 1 : backup, "latest") != 0)
        return SR_TRUST_TO_USE;
    return label ? SR_TRUST_TO_USE_SOME : SR_TRUST_TO_USE_LATEST;
}

int sr_trust_sha256(const void *data, size_t len, char ret[65], struct sr_error *err)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (EVP_Digest(data, len, sum, &n, EVP_sha256(), NULL) != 1 || n != 32)
        return sr_fail(err, SR_E_INTERNAL, "SHA-256 is not to be had from OpenSSL");
    sr_hex(sum, n, ret);
    return SR_OK;
}

/* --- looking --- */

static void bad(struct sr_trust *t, const char *why)
{
    *t = (struct sr_trust){.state = SR_TRUST_BAD};
    (void)snprintf(t->why, sizeof t->why, "%s", why);
}

/* *ret_there: the text is in out; else *t says what is there instead. */
static int fetch(struct sr_store *store, const struct sr_catalog_set *set, struct sr_buf *out,
                 struct sr_trust *t, int *ret_there, struct sr_error *err)
{
    char key[SR_KEY_MAX];
    struct sr_error e = SR_ERROR_INIT;
    int rc = sr_beside_key(set->set, set->source, SR_SIGNATURE_SUFFIX, key, sizeof key, err);
    if (rc != SR_OK)
        return rc;
    rc = sr_store_fetch_small(store, key, out, &e);
    *ret_there = rc == SR_OK;
    if (rc == SR_E_NOT_FOUND)
        t->state = SR_TRUST_UNSIGNED;
    else if (rc == SR_E_CORRUPT)
        bad(t, "it is too large to be a signature, or damaged");
    else if (rc != SR_OK) {
        sr_error_wrap(&e, "store %s: fetching %s", sr_store_name(store), key);
        return sr_error_copy(err, &e);
    }
    return SR_OK;
}

int sr_trust_look(struct sr_context *ctx, struct sr_store *store, const struct sr_catalog_set *set,
                  const void *text, size_t len, struct sr_manifest *m, struct sr_trust *ret,
                  struct sr_error *err)
{
    const struct sr_signer *keys = NULL;
    struct sr_trust t = {.state = SR_TRUST_UNCHECKED, .why = "no key to check with is set here"};
    struct sr_statement want = {.detail = ""};
    struct sr_buf sig;
    int there = 0;
    int rc = sr_trust_keys(ctx, &keys, err);
    m->detail_sha256[0] = '\0';
    if (rc != SR_OK || !keys) {
        *ret = t;
        return rc;
    }
    t.why[0] = '\0';
    memcpy(want.set, set->set, sizeof want.set);
    memcpy(want.source, set->source, sizeof want.source);
    sr_buf_init(&sig, SR_SIGNATURE_MAX);
    rc = sr_trust_sha256(text, len, want.manifest, err);
    if (rc == SR_OK)
        rc = fetch(store, set, &sig, &t, &there, err);
    if (rc == SR_OK && there)
        rc = sr_signer_check(keys, sr_buf_str(&sig), sig.len, &want, &t, err);
    if (rc != SR_OK)
        sr_error_wrap(err, "the signature of %s of %s", set->set, set->source);
    else if (t.state == SR_TRUST_SIGNED && !m->detail_key != !*t.detail)
        bad(&t, "what it says of the detail is not what the manifest says");
    else if (t.state == SR_TRUST_SIGNED) {
        memcpy(m->detail_sha256, t.detail, sizeof m->detail_sha256);
        sr_trust_made(ctx, store, m->set, m->source, m->created_at);
    }
    sr_buf_done(&sig);
    if (rc == SR_OK)
        *ret = t;
    return rc;
}

/* --- what was there --- */

static int where_of(struct sr_context *ctx, const struct sr_store *store, const char *source,
                    char **ret_state, struct sr_newest_where *ret, struct sr_error *err)
{
    *ret = (struct sr_newest_where){sr_store_name(store), sr_store_place(store), source};
    return sr_config_state_dir(ctx->cfg, ret_state, err);
}

void sr_trust_made(struct sr_context *ctx, const struct sr_store *store, const char *set,
                   const char *source, int64_t created_at)
{
    _cleanup_free_ char *state = NULL;
    struct sr_newest_where w;
    struct sr_error e = SR_ERROR_INIT;
    /* A clock that once was wrong is not to make everything look old from then on. */
    if (created_at > sr_clock_now(ctx->clock) + AHEAD_MAX)
        return;
    if (where_of(ctx, store, source, &state, &w, &e) != SR_OK ||
        sr_newest_note(state, &w, set, created_at, &e) != SR_OK)
        sr_log(SR_LOG_VERBOSE, "that %s is in store %s is not remembered here: %s", set, w.store,
               e.text);
}

void sr_trust_deleted(struct sr_context *ctx, const struct sr_store *store, const char *set,
                      const char *source)
{
    _cleanup_free_ char *state = NULL;
    struct sr_newest_where w;
    if (where_of(ctx, store, source, &state, &w, NULL) == SR_OK)
        sr_newest_forget(state, &w, set);
}

struct noticing {
    struct sr_context *ctx;
    const struct sr_store *store;
    const struct sr_catalog *c;
};

/* Says it, and once only. */
static void miss(struct sr_context *ctx, const char *store, const char *source, const char *text)
{
    pthread_mutex_lock(&ctx->lock);
    int told = sr_strlist_has(&ctx->missed, text);
    if (!told) {
        (void)sr_strlist_add(&ctx->missed, text);
        (void)sr_strlist_addf(&ctx->missed_from, "%s@%s", store, source);
    }
    pthread_mutex_unlock(&ctx->lock);
    if (!told)
        sr_log(SR_LOG_WARN, "%s", text);
}

static int notice(void *ctx, const char *source, const struct sr_newest *n)
{
    const struct noticing *v = ctx;
    const struct sr_catalog_set *newest = NULL;
    char then[SR_TIME_ISO_SIZE], text[1024];
    for (size_t i = v->c->len; i-- > 0;) {
        const struct sr_catalog_set *s = &v->c->sets[i];
        if (!s->has_manifest || !s->has_signature || strcmp(s->source, source) != 0)
            continue;
        if (s->time >= n->time || strcmp(s->set, n->set) == 0)
            return 0;
        newest = newest ? newest : s;
    }
    sr_time_iso(n->time, then);
    (void)snprintf(
        text, sizeof text,
        "store %s: the newest signed backup of %s was %s (%s) when this host last looked, "
        "and is gone without a prune of this host; now it is %s. Did somebody delete it?",
        sr_store_name(v->store), source, n->set, then, newest ? newest->set : "none");
    miss(v->ctx, sr_store_name(v->store), source, text);
    return 0;
}

void sr_trust_notice(struct sr_context *ctx, const struct sr_store *store,
                     const struct sr_catalog *c)
{
    const struct sr_signer *keys = NULL;
    _cleanup_free_ char *state = NULL;
    struct sr_newest_where w;
    struct noticing v = {ctx, store, c};
    if (sr_trust_keys(ctx, &keys, NULL) != SR_OK || !keys ||
        where_of(ctx, store, "", &state, &w, NULL) != SR_OK)
        return;
    (void)sr_newest_each(state, &w, notice, &v, NULL);
}

/* --- judging --- */

/* What this host remembers of the source; SR_E_NOT_FOUND: nothing. */
static int remembered(struct sr_context *ctx, const struct sr_store *store, const char *source,
                      struct sr_newest *ret)
{
    _cleanup_free_ char *state = NULL;
    struct sr_newest_where w;
    int rc = where_of(ctx, store, source, &state, &w, NULL);
    return rc == SR_OK ? sr_newest_read(state, &w, ret, NULL) : rc;
}

static int judge_floor(struct sr_context *ctx, struct sr_store *store, const struct sr_manifest *m,
                       struct sr_error *err)
{
    const char *floor = sr_config_str(ctx->cfg, "BACKUP_SIGN_NOT_BEFORE");
    int64_t oldest = 0;
    char made[SR_TIME_ISO_SIZE];
    if (floor && sr_time_parse(floor, &oldest) != SR_OK)
        return sr_fail(err, SR_E_CONFIG,
                       "BACKUP_SIGN_NOT_BEFORE is no time: \"%.60s\"; write 2026-11-20 or "
                       "2026-11-20T13:05:01Z",
                       floor);
    if (!floor || m->created_at >= oldest)
        return SR_OK;
    sr_time_iso(m->created_at, made);
    return sr_fail(err, SR_E_REFUSED,
                   "the latest backup of %s in store %s is %s (%s), older than "
                   "BACKUP_SIGN_NOT_BEFORE (%s): are newer ones gone? Name the backup to take "
                   "it all the same",
                   m->source, sr_store_name(store), m->set, made, floor);
}

/* Nonzero when the remembered set is still there, and m is another one for a good reason: `latest`
 * of a label, or names that tell the times. Where names tell none the store's own times decide, and
 * whoever writes there makes those. */
static int is_there(struct sr_store *store, const struct sr_newest *n, const struct sr_manifest *m)
{
    char key[SR_KEY_MAX], label[SR_SET_MAX];
    int64_t named = -1;
    sr_set_split(m->set, label, &named);
    return named > 0 &&
           sr_beside_key(n->set, m->source, "manifest.json", key, sizeof key, NULL) == SR_OK &&
           sr_store_stat(store, key, NULL, NULL, NULL) == SR_OK;
}

/* Nonzero when the listing had nothing as new as what is remembered. */
static int is_missed(struct sr_context *ctx, const struct sr_store *store, const char *source)
{
    char from[SR_SOURCE_MAX + 80];
    (void)snprintf(from, sizeof from, "%s@%s", sr_store_name(store), source);
    pthread_mutex_lock(&ctx->lock);
    int missed = sr_strlist_has(&ctx->missed_from, from);
    pthread_mutex_unlock(&ctx->lock);
    return missed;
}

/* When an unsigned one was made is what whoever put it there says. */
static int judge_age(struct sr_context *ctx, struct sr_store *store, const struct sr_manifest *m,
                     const struct sr_trust *t, enum sr_trust_use use, struct sr_error *err)
{
    struct sr_newest n;
    char made[SR_TIME_ISO_SIZE], then[SR_TIME_ISO_SIZE];
    if (t->state == SR_TRUST_UNCHECKED || remembered(ctx, store, m->source, &n) != SR_OK ||
        strcmp(n.set, m->set) == 0 || (t->state == SR_TRUST_SIGNED && n.time <= m->created_at) ||
        is_there(store, &n, m) ||
        (use == SR_TRUST_TO_USE_SOME && !is_missed(ctx, store, m->source)))
        return SR_OK;
    sr_time_iso(m->created_at, made);
    sr_time_iso(n.time, then);
    return sr_fail(
        err, SR_E_REFUSED,
        "the latest backup of %s in store %s is %s (%s), but %s (%s) was there, signed, when this "
        "host last looked, and is gone without a prune of this host: did somebody delete "
        "it? Look in other stores, or name the backup to take it all the same",
        m->source, sr_store_name(store), m->set, made, n.set, then);
}

/* Nonzero when this host has seen the signature of this very backup. */
static int was_signed(struct sr_context *ctx, const struct sr_store *store,
                      const struct sr_manifest *m)
{
    struct sr_newest n;
    return remembered(ctx, store, m->source, &n) == SR_OK && strcmp(n.set, m->set) == 0;
}

int sr_trust_judge(struct sr_context *ctx, struct sr_store *store, const struct sr_manifest *m,
                   const struct sr_trust *t, enum sr_trust_use use, struct sr_error *err)
{
    const char *latest =
        use == SR_TRUST_TO_USE_LATEST || use == SR_TRUST_TO_USE_SOME
            ? "; it is the latest, and nothing older is taken in its place unasked: "
              "name another backup"
            : "; use another copy or another backup";
    if (t->state == SR_TRUST_BAD)
        return sr_fail(err, SR_E_CORRUPT,
                       "backup %s of %s in store %s is not to be trusted, its signature is bad: "
                       "%s%s",
                       m->set, m->source, sr_store_name(store), t->why, latest);
    if (t->state == SR_TRUST_UNSIGNED && sr_config_bool(ctx->cfg, "BACKUP_REQUIRE_SIGNATURE"))
        return sr_fail(err, SR_E_CORRUPT,
                       "backup %s of %s in store %s is not signed, and BACKUP_REQUIRE_SIGNATURE "
                       "demands it%s",
                       m->set, m->source, sr_store_name(store), latest);
    if (t->state == SR_TRUST_UNSIGNED && was_signed(ctx, store, m))
        return sr_fail(err, SR_E_CORRUPT,
                       "backup %s of %s in store %s was signed when this host last looked, and "
                       "its signature is gone: somebody has taken it away%s",
                       m->set, m->source, sr_store_name(store), latest);
    if (t->state == SR_TRUST_UNSIGNED && use != SR_TRUST_TO_LOOK)
        sr_log(SR_LOG_WARN,
               "backup %s of %s in store %s is not signed: nothing tells who made it "
               "(BACKUP_REQUIRE_SIGNATURE=on refuses such)",
               m->set, m->source, sr_store_name(store));
    if (use != SR_TRUST_TO_USE_LATEST && use != SR_TRUST_TO_USE_SOME)
        return SR_OK;
    int rc = judge_floor(ctx, store, m, err);
    return rc == SR_OK ? judge_age(ctx, store, m, t, use, err) : rc;
}

int sr_trust_manifest(struct sr_context *ctx, struct sr_store *store,
                      const struct sr_catalog_set *set, enum sr_trust_use use, struct sr_buf *text,
                      struct sr_manifest **ret, struct sr_trust *ret_trust, struct sr_error *err)
{
    struct sr_manifest *m = NULL;
    struct sr_trust t = {.state = SR_TRUST_UNCHECKED};
    struct sr_buf own;
    sr_buf_init(&own, SR_MANIFEST_MAX);
    if (!text)
        text = &own;
    int rc = sr_catalog_manifest_text(store, set, text, &m, err);
    if (rc == SR_OK)
        rc = sr_trust_look(ctx, store, set, sr_buf_str(text), text->len, m, &t, err);
    if (rc == SR_OK)
        rc = sr_trust_judge(ctx, store, m, &t, use, err);
    sr_buf_done(&own);
    if (ret_trust)
        *ret_trust = t;
    if (rc == SR_OK)
        *ret = m;
    else
        sr_manifest_free(m);
    return rc;
}

/* --- signing --- */

int sr_trust_sign(const struct sr_signer *s, const char *set, const char *source,
                  const struct sr_buf *manifest, const struct sr_buf *detail, struct sr_buf *out,
                  struct sr_error *err)
{
    struct sr_statement st = {.detail = ""};
    (void)snprintf(st.set, sizeof st.set, "%s", set);
    (void)snprintf(st.source, sizeof st.source, "%s", source);
    int rc = sr_trust_sha256(manifest->data, manifest->len, st.manifest, err);
    if (rc == SR_OK && detail)
        rc = sr_trust_sha256(detail->data, detail->len, st.detail, err);
    return rc == SR_OK ? sr_signer_sign(s, &st, out, err) : rc;
}
