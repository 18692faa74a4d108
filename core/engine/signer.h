/* The keys that sign backups and that signatures are checked with, from the settings.
 *
 *     sr_signer_from_config(cfg, &s, &err);        // NULL in s: no key is set
 *     sr_signer_try(s, now, &err);                 // a run begins only when signing would work
 *     sr_signer_sign(s, &statement, &buf, &err);   // the text of the signature object
 *     sr_signer_check(s, text, len, &statement, &trust, &err);
 *     sr_signer_free(s);
 *
 * BACKUP_SIGN_KEY_FILE (HMAC-SHA256) and BACKUP_SIGN_GPG_KEY sign, both where both are set, and
 * count when checking; BACKUP_SIGN_ACCEPT names more that count (rotation; hosts that only check).
 * An HMAC key is the content of its file, without one line end at its end: 32 to 4096 bytes. Its
 * file must be ours or root's, of a mode that lets no other user read it and no group write it.
 * Immutable once made: any thread. */
#ifndef SR_ENGINE_SIGNER_H
#define SR_ENGINE_SIGNER_H

#include "core/catalog/signature.h"
#include "core/config/config.h"

#define SR_HMAC_KEY_MIN 32   /* bytes */
#define SR_HMAC_KEY_MAX 4096 /* likewise */

enum sr_trust_state {
    SR_TRUST_UNCHECKED, /* no key to check with is set here, or it was not looked at */
    SR_TRUST_SIGNED,    /* by a key that counts here */
    SR_TRUST_UNSIGNED,  /* there is no signature */
    SR_TRUST_BAD,       /* there is one, and it is not to be relied on */
};

struct sr_trust {
    enum sr_trust_state state;
    char by[256];    /* SIGNED: "HMAC key 0123456789abcdef, GPG key ..." */
    char why[512];   /* BAD, UNCHECKED: the reason; SIGNED: what is worth knowing; else "" */
    char detail[65]; /* SIGNED: SHA-256 of the detail object, "": there is none */
};

struct sr_signer;

/* *ret is NULL where no key is set. SR_E_KEY: a file that is missing, too short, or that others may
 * read; SR_E_CONFIG: BACKUP_REQUIRE_SIGNATURE without a key, or a name that is no key. */
int sr_signer_from_config(const struct sr_config *cfg, struct sr_signer **ret,
                          struct sr_error *err);
/* Nonzero when there is a key that signs. NULL: no. */
int sr_signer_signs(const struct sr_signer *s);
/* Signs something of its own and checks it; so nothing asks, and nothing is missing. *ret_expires
 * (may be NULL): when the first of the keys expires, UTC seconds, 0: never. SR_E_KEY,
 * SR_E_UNAVAILABLE. */
int sr_signer_try(const struct sr_signer *s, int64_t now, int64_t *ret_expires,
                  struct sr_error *err);
/* Who signs, as in struct sr_trust. */
void sr_signer_tell(const struct sr_signer *s, char *out, size_t cap);
/* Appends the text of the signature object to out. */
int sr_signer_sign(const struct sr_signer *s, const struct sr_statement *statement,
                   struct sr_buf *out, struct sr_error *err);
/* Is text a signature of exactly this set, source and manifest (want->detail does not count), by a
 * key that counts? *ret says so; of several keys none may be wrong and one must be right. An error
 * only where it cannot be told: SR_E_UNAVAILABLE, SR_E_KEY (a public key that is not here),
 * SR_E_NO_MEMORY. */
int sr_signer_check(const struct sr_signer *s, const char *text, size_t len,
                    const struct sr_statement *want, struct sr_trust *ret, struct sr_error *err);
void sr_signer_free(struct sr_signer *s); /* wipes the keys; NULL is fine */

/* For JSON: "signed", "unsigned", "bad", "unchecked". */
const char *sr_trust_name(enum sr_trust_state state);

#endif
