/* Detached OpenPGP signatures of small texts, by gpgme, without a question to anybody.
 *
 *     sr_gpg_signing_key(fingerprint, now, &key, &err)            // before there is work to lose
 *     sr_gpg_sign(fingerprint, passphrase, data, len, &out, &err)
 *     sr_gpg_verify(sig, sig_len, data, len, &who, &err)          // sig is hostile
 *
 * Keys are those of the user's keyring (GNUPGHOME is honoured). A key that only a pinentry could
 * unlock is SR_E_KEY: what asks would hang a run at night. Owner trust is not asked for: whose
 * signatures count is the caller's list of fingerprints. Blocking; any thread. */
#ifndef SR_PIPELINE_GPG_SIGN_H
#define SR_PIPELINE_GPG_SIGN_H

#include "core/pipeline/keys.h"
#include "core/util/buf.h"

struct sr_gpg_key {
    char fingerprint[65]; /* of the primary key, upper-case hex */
    char uid[128];        /* the first; "" none */
    int64_t expires;      /* UTC seconds; 0: never */
};

/* The key that signs. SR_E_KEY: no secret key here, expired at `now`, revoked, disabled, or one
 * that cannot sign; SR_E_UNAVAILABLE: no gpg. */
int sr_gpg_signing_key(const char *fingerprint, int64_t now, struct sr_gpg_key *ret,
                       struct sr_error *err);
/* Appends the signature (binary, SHA-256 or better) to out; it was verified at once. pass unlocks
 * the key; NULL: it must need none, or the agent must have it. SR_E_KEY, SR_E_UNAVAILABLE. */
int sr_gpg_sign(const char *fingerprint, const struct sr_passphrase *pass, const void *data,
                size_t len, struct sr_buf *out, struct sr_error *err);

/* Nonzero when the public key (or that of a subkey) is in the keyring. */
int sr_gpg_has_key(const char *fingerprint);

struct sr_gpg_signer {
    struct sr_gpg_key key;
    char subkey[65]; /* the one that signed; may be the primary */
    int64_t made;    /* UTC seconds, as the signature says */
};
/* SR_OK: good, by a key that was not revoked, and that had not expired when it was made.
 * SR_E_CORRUPT: it is not, with the reason; SR_E_KEY: the public key is not in the keyring, and
 * ret->subkey is what the signature says of it. */
int sr_gpg_verify(const void *sig, size_t sig_len, const void *data, size_t len,
                  struct sr_gpg_signer *ret, struct sr_error *err);

#endif
