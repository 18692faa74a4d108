/* Keys: recipients that resolve to exactly one usable key each, and passphrases.
 *
 * Calling sequence: sr_recipients_resolve before the dump starts; its fingerprints go into log and
 * manifest; sr_step_encrypt_new takes it; sr_recipients_free after the pipeline.
 * GNUPGHOME is honoured. Nothing here prints or asks.
 */
#ifndef SR_PIPELINE_KEYS_H
#define SR_PIPELINE_KEYS_H

#include "core/util/error.h"

#include <stddef.h>
#include <stdint.h>

struct sr_recipients;

/* spec: comma-separated fingerprints, key ids (with or without 0x) or e-mails. Each must resolve to
 * exactly one key that can encrypt and is neither expired, revoked, disabled nor invalid at `now`
 * (UTC seconds); SR_E_KEY names the recipient, what is wrong, the candidates when ambiguous, and
 * what to do. Owner trust is not asked for: what was named is trusted as given. */
int sr_recipients_resolve(const char *spec, int64_t now, struct sr_recipients **ret,
                          struct sr_error *err);
size_t sr_recipients_len(const struct sr_recipients *r);
const char *sr_recipients_fingerprint(const struct sr_recipients *r, size_t i); /* 40 hex digits */
const char *sr_recipients_uid(const struct sr_recipients *r, size_t i);
int64_t sr_recipients_expires(const struct sr_recipients *r, size_t i); /* UTC seconds; 0: never */
void sr_recipients_free(struct sr_recipients *r);

struct sr_passphrase;
/* The first line of text; SR_E_CONFIG when it has fewer than 8 or more than 255 bytes. Kept in
 * locked memory where that is allowed, wiped by free. */
int sr_passphrase_new(const char *text, struct sr_passphrase **ret, struct sr_error *err);
void sr_passphrase_free(struct sr_passphrase *p);

/* Nonzero when a secret key of one of the fingerprints is in the keyring here. */
int sr_secret_key_here(const char *const *fingerprints, size_t n);
/* Version of gpg as gpgme reports it, "" when there is none. Static storage per process. */
const char *sr_gpg_version(void);

#endif
