#include "config.h"
#include "core/pipeline/gpg.h"
#include "core/pipeline/keys_private.h"

#include "core/util/buf.h"
#include "core/util/clock.h"
#include "core/util/strlist.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CANDIDATES_MAX 32
#define PATTERN_MAX 512

/* How a recipient was named, and the pattern that makes gpg look for it. */
struct spec {
    const char *text; /* as given */
    int is_mail;
    char plain[PATTERN_MAX];       /* upper-case hex digits, or the address */
    char pattern[PATTERN_MAX + 4]; /* for gpg: its search is wider than what we accept */
};

struct candidates {
    gpgme_key_t keys[CANDIDATES_MAX];
    size_t len;
};

static void candidates_done(struct candidates *c)
{
    for (size_t i = 0; i < c->len; i++)
        gpgme_key_unref(c->keys[i]);
    c->len = 0;
}

/* Hex digits without 0x and blanks into out; 0 when it is no key id or fingerprint. */
static int hex_of(const char *s, char *out)
{
    size_t n = 0;
    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
        s += 2;
    for (; *s; s++) {
        if (*s == ' ' || *s == '\t' || *s == ':')
            continue;
        if (!isxdigit((unsigned char)*s) || n == 64)
            return 0;
        out[n++] = (char)toupper((unsigned char)*s);
    }
    out[n] = '\0';
    return n == 8 || n == 16 || n == 40 || n == 64;
}

static int spec_read(const char *text, struct spec *ret, struct sr_error *err)
{
    *ret = (struct spec){.text = text};
    if (text[0] == '-')
        return sr_fail(err, SR_E_KEY, "the recipient \"%s\" begins with a dash; name a key", text);
    if (hex_of(text, ret->plain)) {
        (void)snprintf(ret->pattern, sizeof ret->pattern, "0x%s", ret->plain);
        return SR_OK;
    }
    const char *at = strchr(text, '@');
    size_t len = strlen(text);
    if (!at || at == text || !at[1] || len > PATTERN_MAX - 4)
        return sr_fail(err, SR_E_KEY,
                       "the recipient \"%s\" is neither a fingerprint (40 hex digits) nor a key id "
                       "(16 or 8) nor an e-mail address",
                       text);
    /* Take the address out of "Name <address>". */
    const char *open = strrchr(text, '<');
    if (open && text[len - 1] == '>')
        (void)snprintf(ret->plain, sizeof ret->plain, "%.*s", (int)(text + len - open - 2),
                       open + 1);
    else
        (void)snprintf(ret->plain, sizeof ret->plain, "%s", text);
    ret->is_mail = 1;
    (void)snprintf(ret->pattern, sizeof ret->pattern, "<%s>", ret->plain);
    return SR_OK;
}

/* A user id of the key is exactly this address and was not taken back, unless the whole key was:
 * then that is what has to be told. */
static int has_address(gpgme_key_t key, const char *address)
{
    for (gpgme_user_id_t u = key->uids; u; u = u->next)
        if ((key->revoked || (!u->revoked && !u->invalid)) && u->address &&
            strcasecmp(u->address, address) == 0)
            return 1;
    return 0;
}

static int has_id(gpgme_key_t key, const char *hex)
{
    size_t n = strlen(hex);
    for (gpgme_subkey_t s = key->subkeys; s; s = s->next) {
        size_t len = s->fpr ? strlen(s->fpr) : 0;
        if (len >= n && strcasecmp(s->fpr + len - n, hex) == 0)
            return 1;
    }
    return 0;
}

static int past(long int expires, int64_t now)
{
    return expires > 0 && expires <= now;
}

/* Why nothing can be encrypted to it, NULL when all is well. */
static const char *unusable(gpgme_key_t key, int64_t now)
{
    if (key->revoked)
        return "revoked";
    if (key->expired || (key->subkeys && past(key->subkeys->expires, now)))
        return "expired";
    if (key->disabled)
        return "disabled";
    if (key->invalid || !key->subkeys || !key->subkeys->fpr)
        return "invalid";
    int encrypting = 0, revoked = 0;
    for (gpgme_subkey_t s = key->subkeys; s; s = s->next) {
        if (!s->can_encrypt)
            continue;
        encrypting = 1;
        if (s->revoked)
            revoked = 1;
        else if (!s->expired && !s->disabled && !s->invalid && !past(s->expires, now))
            return NULL;
    }
    if (!encrypting)
        return "without a subkey for encryption";
    return revoked ? "left with a revoked subkey for encryption only"
                   : "left with an expired subkey for encryption only";
}

static const char *first_uid(gpgme_key_t key)
{
    return key->uids && key->uids->uid ? key->uids->uid : "no user id";
}

/* "FINGERPRINT Name <address>, made 2026-01-31" */
static void describe(struct sr_buf *b, gpgme_key_t key)
{
    char iso[SR_TIME_ISO_SIZE];
    sr_time_iso(key->subkeys ? key->subkeys->timestamp : 0, iso);
    (void)sr_buf_printf(b, "%s %.100s, made %.10s",
                        key->subkeys && key->subkeys->fpr ? key->subkeys->fpr : "?", first_uid(key),
                        iso);
}

/* All keys that really have what spec names, whatever state they are in. */
static int find(gpgme_ctx_t ctx, const struct spec *spec, struct candidates *ret,
                struct sr_error *err)
{
    gpgme_error_t e = gpgme_op_keylist_start(ctx, spec->pattern, 0);
    while (!e) {
        gpgme_key_t key = NULL;
        e = gpgme_op_keylist_next(ctx, &key);
        if (e)
            break;
        int match = spec->is_mail ? has_address(key, spec->plain) : has_id(key, spec->plain);
        if (match && ret->len < CANDIDATES_MAX)
            ret->keys[ret->len++] = key;
        else
            gpgme_key_unref(key);
    }
    (void)gpgme_op_keylist_end(ctx);
    if (gpgme_err_code(e) == GPG_ERR_EOF || gpgme_err_code(e) == GPG_ERR_NO_PUBKEY)
        return SR_OK;
    return sr_gpg_fail(err, SR_E_KEY, e, "gpg cannot list the keys");
}

static int ambiguous(const struct spec *spec, const struct candidates *c, int64_t now,
                     struct sr_error *err)
{
    struct sr_buf b;
    sr_buf_init(&b, SR_ERROR_TEXT_MAX);
    for (size_t i = 0; i < c->len; i++) {
        if (unusable(c->keys[i], now))
            continue;
        (void)sr_buf_adds(&b, b.len ? "; " : "");
        describe(&b, c->keys[i]);
    }
    int rc = sr_fail(err, SR_E_KEY,
                     "the recipient \"%s\" fits more than one key: %s. Name the fingerprint of the "
                     "one you mean",
                     spec->text, sr_buf_str(&b));
    sr_buf_done(&b);
    return rc;
}

static int none_usable(const struct spec *spec, const struct candidates *c, int64_t now,
                       struct sr_error *err)
{
    struct sr_buf b;
    sr_buf_init(&b, SR_ERROR_TEXT_MAX);
    for (size_t i = 0; i < c->len; i++) {
        (void)sr_buf_adds(&b, b.len ? "; " : "");
        describe(&b, c->keys[i]);
        (void)sr_buf_printf(&b, ", is %s", unusable(c->keys[i], now));
    }
    int rc = sr_fail(err, SR_E_KEY,
                     "the key of recipient \"%s\" cannot be encrypted to: %s. Renew it or name "
                     "another",
                     spec->text, sr_buf_str(&b));
    sr_buf_done(&b);
    return rc;
}

/* The one usable key among the candidates; it stays theirs. */
static int choose(const struct spec *spec, const struct candidates *c, int64_t now,
                  gpgme_key_t *ret, struct sr_error *err)
{
    gpgme_key_t found = NULL;
    size_t usable = 0;
    for (size_t i = 0; i < c->len; i++) {
        if (unusable(c->keys[i], now))
            continue;
        found = c->keys[i];
        usable++;
    }
    if (usable > 1)
        return ambiguous(spec, c, now, err);
    if (usable == 1) {
        *ret = found;
        return SR_OK;
    }
    if (c->len > 0)
        return none_usable(spec, c, now, err);
    return sr_fail(err, SR_E_KEY,
                   "no public key for recipient \"%s\" is in the keyring (%s); import it with gpg "
                   "--import",
                   spec->text, getenv("GNUPGHOME") ? "GNUPGHOME is set" : "~/.gnupg");
}

static int already_there(const struct sr_recipients *r, gpgme_key_t key)
{
    for (size_t i = 0; i < r->len; i++)
        if (strcmp(r->keys[i]->subkeys->fpr, key->subkeys->fpr) == 0)
            return 1;
    return 0;
}

static int resolve_one(gpgme_ctx_t ctx, const char *text, int64_t now, struct sr_recipients *r,
                       struct sr_error *err)
{
    struct spec spec;
    struct candidates c = {.len = 0};
    gpgme_key_t key = NULL;
    int rc = spec_read(text, &spec, err);
    if (rc == SR_OK)
        rc = find(ctx, &spec, &c, err);
    if (rc == SR_OK)
        rc = choose(&spec, &c, now, &key, err);
    if (rc == SR_OK && !already_there(r, key)) {
        gpgme_key_ref(key);
        r->keys[r->len++] = key;
    }
    candidates_done(&c);
    return rc;
}

int sr_recipients_resolve(const char *spec, int64_t now, struct sr_recipients **ret,
                          struct sr_error *err)
{
    struct sr_strlist names = {0};
    gpgme_ctx_t ctx = NULL;
    struct sr_recipients *r = calloc(1, sizeof *r);
    int rc = r && sr_strlist_split(&names, spec, ',') == SR_OK
                 ? SR_OK
                 : sr_fail(err, SR_E_NO_MEMORY, "out of memory for the recipients");
    if (rc == SR_OK && names.len == 0)
        rc = sr_fail(err, SR_E_KEY, "no recipient is named; set GPG_RECIPIENT_KEY_ID");
    if (rc == SR_OK) {
        r->keys = calloc(names.len + 1, sizeof(gpgme_key_t));
        if (!r->keys)
            rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory for the recipients");
    }
    if (rc == SR_OK)
        rc = sr_gpg_open(&ctx, err);
    for (size_t i = 0; rc == SR_OK && i < names.len; i++)
        rc = resolve_one(ctx, names.items[i], now, r, err);
    gpgme_release(ctx);
    sr_strlist_done(&names);
    if (rc != SR_OK) {
        sr_recipients_free(r);
        return rc;
    }
    *ret = r;
    return SR_OK;
}

size_t sr_recipients_len(const struct sr_recipients *r)
{
    return r->len;
}

const char *sr_recipients_fingerprint(const struct sr_recipients *r, size_t i)
{
    return r->keys[i]->subkeys->fpr;
}

const char *sr_recipients_uid(const struct sr_recipients *r, size_t i)
{
    return first_uid(r->keys[i]);
}

int64_t sr_recipients_expires(const struct sr_recipients *r, size_t i)
{
    /* The key as a whole, or the last of its subkeys for encryption, whichever ends first. */
    int64_t whole = r->keys[i]->subkeys->expires, last = 0;
    for (gpgme_subkey_t s = r->keys[i]->subkeys; s; s = s->next) {
        if (!s->can_encrypt || s->revoked || s->expired || s->disabled || s->invalid)
            continue;
        if (s->expires <= 0)
            return whole > 0 ? whole : 0;
        last = s->expires > last ? s->expires : last;
    }
    return whole > 0 && whole < last ? whole : last;
}

void sr_recipients_free(struct sr_recipients *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->len; i++)
        gpgme_key_unref(r->keys[i]);
    free(r->keys);
    free(r);
}

int sr_secret_key_here(const char *const *fingerprints, size_t n)
{
    gpgme_ctx_t ctx = NULL;
    int here = 0;
    if (sr_gpg_open(&ctx, NULL) != SR_OK)
        return 0;
    for (size_t i = 0; !here && i < n; i++) {
        gpgme_key_t key = NULL;
        here = gpgme_get_key(ctx, fingerprints[i], &key, 1) == 0;
        if (here)
            gpgme_key_unref(key);
    }
    gpgme_release(ctx);
    return here;
}
