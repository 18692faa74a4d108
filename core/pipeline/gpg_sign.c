#include "config.h"
#include "core/pipeline/gpg_sign.h"
#include "core/pipeline/gpg.h"
#include "core/pipeline/openpgp.h"

#include "core/util/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- keys --- */

static const char *where(void)
{
    return getenv("GNUPGHOME") ? "GNUPGHOME is set" : "~/.gnupg";
}

static void key_tell(gpgme_key_t key, struct sr_gpg_key *ret)
{
    const char *uid = key->uids && key->uids->uid ? key->uids->uid : "";
    (void)snprintf(ret->fingerprint, sizeof ret->fingerprint, "%s",
                   key->subkeys && key->subkeys->fpr ? key->subkeys->fpr : "");
    (void)snprintf(ret->uid, sizeof ret->uid, "%s", uid);
    /* It is shown on terminals. */
    for (char *c = ret->uid; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
    ret->expires = key->subkeys ? key->subkeys->expires : 0;
}

/* Why nothing can be signed with it; NULL when all is well. *ret_until: until when, 0: for ever. */
static const char *unusable(gpgme_key_t key, int64_t now, int64_t *ret_until)
{
    const char *why = "without a key that signs";
    if (key->revoked)
        return "revoked";
    if (key->expired || (key->subkeys && key->subkeys->expires > 0 && key->subkeys->expires <= now))
        return "expired";
    if (key->disabled || key->invalid)
        return "disabled or invalid";
    for (gpgme_subkey_t s = key->subkeys; s; s = s->next) {
        if (!s->can_sign)
            continue;
        if (s->revoked)
            why = "left with a revoked subkey for signing only";
        else if (s->expired || (s->expires > 0 && s->expires <= now))
            why = "left with an expired subkey for signing only";
        else if (!s->secret)
            why = "here without the secret part that signs";
        else if (!s->disabled && !s->invalid) {
            int64_t whole = key->subkeys->expires, own = s->expires;
            *ret_until = own > 0 && (whole <= 0 || own < whole) ? own : whole;
            return NULL;
        }
    }
    return why;
}

static int key_find(gpgme_ctx_t ctx, const char *fingerprint, int64_t now, gpgme_key_t *ret,
                    struct sr_gpg_key *ret_told, struct sr_error *err)
{
    gpgme_key_t key = NULL;
    int64_t until = 0;
    gpgme_error_t e = gpgme_get_key(ctx, fingerprint, &key, 1);
    if (gpgme_err_code(e) == GPG_ERR_EOF || gpgme_err_code(e) == GPG_ERR_NO_SECKEY)
        return sr_fail(err, SR_E_KEY, "no secret key %s is in the keyring (%s)", fingerprint,
                       where());
    if (e)
        return sr_gpg_fail(err, SR_E_KEY, e, "gpg cannot look the signing key up");
    const char *why = unusable(key, now, &until);
    if (why) {
        gpgme_key_unref(key);
        return sr_fail(err, SR_E_KEY, "the key %s cannot sign: it is %s; renew it or name another",
                       fingerprint, why);
    }
    key_tell(key, ret_told);
    ret_told->expires = until;
    *ret = key;
    return SR_OK;
}

int sr_gpg_signing_key(const char *fingerprint, int64_t now, struct sr_gpg_key *ret,
                       struct sr_error *err)
{
    gpgme_ctx_t ctx = NULL;
    gpgme_key_t key = NULL;
    int rc = sr_gpg_open(&ctx, err);
    if (rc == SR_OK)
        rc = key_find(ctx, fingerprint, now, &key, ret, err);
    if (key)
        gpgme_key_unref(key);
    gpgme_release(ctx);
    return rc;
}

int sr_gpg_has_key(const char *fingerprint)
{
    gpgme_ctx_t ctx = NULL;
    gpgme_key_t key = NULL;
    if (sr_gpg_open(&ctx, NULL) != SR_OK)
        return 0;
    int has = gpgme_get_key(ctx, fingerprint, &key, 0) == 0;
    if (key)
        gpgme_key_unref(key);
    gpgme_release(ctx);
    return has;
}

/* --- signing --- */

static int sign_failed(gpgme_error_t e, const char *fingerprint, struct sr_error *err)
{
    switch (gpgme_err_code(e)) {
    case GPG_ERR_BAD_PASSPHRASE:
    case GPG_ERR_CANCELED:
    case GPG_ERR_NO_PIN_ENTRY:
    case GPG_ERR_FULLY_CANCELED:
        return sr_fail(err, SR_E_KEY,
                       "the key %s is locked, and nobody is asked: a passphrase is missing or "
                       "wrong (BACKUP_SIGN_GPG_PASSPHRASE)",
                       fingerprint);
    default:
        return sr_gpg_fail(err, SR_E_KEY, e, "gpg cannot sign");
    }
}

static int take_out(gpgme_data_t sig, struct sr_buf *out, struct sr_error *err)
{
    char piece[4096];
    ssize_t n;
    if (gpgme_data_seek(sig, 0, SEEK_SET) != 0)
        return sr_fail(err, SR_E_INTERNAL, "gpgme gives a signature that cannot be read");
    while ((n = gpgme_data_read(sig, piece, sizeof piece)) > 0)
        if (sr_buf_add(out, piece, (size_t)n) != SR_OK)
            return sr_fail(err, SR_E_KEY, "gpg made a signature of more than %zu bytes", out->max);
    return n == 0 && out->len > 0 ? SR_OK : sr_fail(err, SR_E_KEY, "gpg made no signature");
}

int sr_gpg_sign(const char *fingerprint, const struct sr_passphrase *pass, const void *data,
                size_t len, struct sr_buf *out, struct sr_error *err)
{
    gpgme_ctx_t ctx = NULL;
    gpgme_key_t key = NULL;
    gpgme_data_t in = NULL, sig = NULL;
    struct sr_gpg_key told;
    struct sr_gpg_signer who;
    int rc = sr_gpg_open(&ctx, err);
    if (rc == SR_OK)
        rc = key_find(ctx, fingerprint, sr_clock_now(&sr_clock_system), &key, &told, err);
    if (rc == SR_OK) {
        sr_gpg_set_passphrase(ctx, pass);
        gpgme_error_t e = gpgme_signers_add(ctx, key);
        if (!e)
            e = gpgme_data_new_from_mem(&in, data, len, 0);
        if (!e)
            e = gpgme_data_new(&sig);
        if (!e)
            e = gpgme_op_sign(ctx, in, sig, GPGME_SIG_MODE_DETACH);
        rc = e ? sign_failed(e, fingerprint, err) : take_out(sig, out, err);
    }
    gpgme_data_release(in);
    gpgme_data_release(sig);
    if (key)
        gpgme_key_unref(key);
    gpgme_release(ctx);
    /* What gpg.conf may do to it (a weak digest, an end in a week) is found now, not on the day of
     * the restore. */
    if (rc == SR_OK && (rc = sr_gpg_verify(out->data, out->len, data, len, &who, err)) != SR_OK) {
        sr_error_wrap(err, "a signature that was just made with %s does not hold", fingerprint);
        rc = SR_E_KEY;
        if (err)
            err->code = rc;
    }
    return rc;
}

/* --- verifying --- */

static int is_weak(gpgme_hash_algo_t a)
{
    return a != GPGME_MD_SHA256 && a != GPGME_MD_SHA384 && a != GPGME_MD_SHA512;
}

static int judge(gpgme_ctx_t ctx, gpgme_signature_t s, struct sr_gpg_signer *ret,
                 struct sr_error *err)
{
    gpgme_key_t key = NULL;
    char iso[SR_TIME_ISO_SIZE];
    const char *fpr = s->fpr ? s->fpr : "?";
    gpgme_err_code_t status = gpgme_err_code(s->status);
    (void)snprintf(ret->subkey, sizeof ret->subkey, "%s", fpr);
    if (status == GPG_ERR_NO_PUBKEY)
        return sr_fail(err, SR_E_KEY,
                       "the public key %s is not in the keyring (%s); import it with gpg --import",
                       fpr, where());
    if (status == GPG_ERR_CERT_REVOKED)
        return sr_fail(err, SR_E_CORRUPT, "the key %s that signed it is revoked", fpr);
    if (status == GPG_ERR_SIG_EXPIRED)
        return sr_fail(err, SR_E_CORRUPT, "the OpenPGP signature itself has expired");
    if (status != GPG_ERR_NO_ERROR && status != GPG_ERR_KEY_EXPIRED)
        return sr_fail(err, SR_E_CORRUPT, "the OpenPGP signature by %s does not fit", fpr);
    if (is_weak(s->hash_algo))
        return sr_fail(err, SR_E_CORRUPT, "the OpenPGP signature is made with a weak digest (%s)",
                       gpgme_hash_algo_name(s->hash_algo));
    if (s->exp_timestamp > 0)
        return sr_fail(err, SR_E_CORRUPT, "the OpenPGP signature is one that expires");
    gpgme_error_t e = gpgme_get_key(ctx, fpr, &key, 0);
    if (e)
        return sr_gpg_fail(err, SR_E_KEY, e, "gpg cannot look the signer's key up");
    int rc = SR_OK;
    key_tell(key, &ret->key);
    ret->made = (int64_t)s->timestamp;
    for (gpgme_subkey_t k = key->subkeys; rc == SR_OK && k; k = k->next) {
        int used = k == key->subkeys || (k->fpr && strcmp(k->fpr, fpr) == 0);
        if (used && k->revoked)
            rc = sr_fail(err, SR_E_CORRUPT, "the key %s that signed it is revoked", fpr);
        else if (used && k->expires > 0 && ret->made >= k->expires) {
            sr_time_iso(k->expires, iso);
            rc = sr_fail(err, SR_E_CORRUPT, "the key %s had expired (%s) when it signed", fpr, iso);
        }
    }
    if (rc == SR_OK && key->revoked)
        rc = sr_fail(err, SR_E_CORRUPT, "the key %s that signed it is revoked", fpr);
    gpgme_key_unref(key);
    return rc;
}

int sr_gpg_verify(const void *sig, size_t sig_len, const void *data, size_t len,
                  struct sr_gpg_signer *ret, struct sr_error *err)
{
    gpgme_ctx_t ctx = NULL;
    gpgme_data_t s = NULL, d = NULL;
    *ret = (struct sr_gpg_signer){.made = 0};
    /* gpg would look into whatever else it is given: a few hundred bytes of packed zeros keep it
     * busy for minutes. */
    if (!sr_openpgp_is_signature(sig, sig_len))
        return sr_fail(err, SR_E_CORRUPT, "it holds no OpenPGP signature that gpg can read");
    int rc = sr_gpg_open(&ctx, err);
    if (rc != SR_OK)
        return rc;
    gpgme_error_t e = gpgme_data_new_from_mem(&s, sig, sig_len, 0);
    if (!e)
        e = gpgme_data_new_from_mem(&d, data, len, 0);
    if (e) {
        rc = sr_gpg_fail(err, SR_E_NO_MEMORY, e, "cannot set up GnuPG's data");
    } else {
        e = gpgme_op_verify(ctx, s, d, NULL);
        gpgme_verify_result_t r = e ? NULL : gpgme_op_verify_result(ctx);
        if (e && gpgme_err_code(e) != GPG_ERR_NO_DATA && gpgme_err_code(e) != GPG_ERR_BAD_DATA)
            rc = sr_gpg_fail(err, SR_E_UNAVAILABLE, e, "gpg cannot check a signature");
        else if (!r || !r->signatures || r->signatures->next)
            rc = sr_fail(err, SR_E_CORRUPT, "it holds no OpenPGP signature that gpg can read");
        else
            rc = judge(ctx, r->signatures, ret, err);
    }
    gpgme_data_release(s);
    gpgme_data_release(d);
    gpgme_release(ctx);
    return rc;
}
