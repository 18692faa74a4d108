#include "config.h"
#include "core/engine/signer.h"
#include "core/pipeline/gpg_sign.h"
#include "core/util/cleanup.h"
#include "core/util/clock.h"
#include "core/util/fs.h"
#include "core/util/text.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEYS_MAX 32
#define DISTINCT_MIN 8 /* byte values of an HMAC key: what has fewer was not made by chance */

struct hmac_key {
    unsigned char key[SR_HMAC_KEY_MAX];
    size_t len;
    char id[SR_HMAC_ID_SIZE];
};

struct sr_signer {
    struct hmac_key *hmac[KEYS_MAX]; /* the first signs, when hmac_signs */
    size_t hmac_len;
    int hmac_signs;
    char gpg[KEYS_MAX][SR_SIGNATURE_KEY_SIZE]; /* likewise */
    size_t gpg_len;
    int gpg_signs;
    struct sr_passphrase *passphrase;
};

/* --- keys --- */

static int hmac(const struct hmac_key *k, const void *data, size_t len,
                unsigned char out[SR_HMAC_SIZE], struct sr_error *err)
{
    unsigned n = 0;
    if (!HMAC(EVP_sha256(), k->key, (int)k->len, data, len, out, &n) || n != SR_HMAC_SIZE)
        return sr_fail(err, SR_E_INTERNAL, "HMAC-SHA256 is not to be had from OpenSSL");
    return SR_OK;
}

/* Of the key itself a digest would do; this one says nothing that a signature does not. */
static int hmac_id(struct hmac_key *k, struct sr_error *err)
{
    static const char words[] = "strongroom key id";
    unsigned char sum[SR_HMAC_SIZE];
    int rc = hmac(k, words, sizeof words - 1, sum, err);
    if (rc == SR_OK)
        sr_hex(sum, (SR_HMAC_ID_SIZE - 1) / 2, k->id);
    return rc;
}

static int key_strong(const struct hmac_key *k, const char *path, struct sr_error *err)
{
    unsigned char seen[256] = {0};
    size_t distinct = 0;
    for (size_t i = 0; i < k->len; i++)
        distinct += !seen[k->key[i]]++;
    if (k->len < SR_HMAC_KEY_MIN)
        return sr_fail(err, SR_E_KEY,
                       "%s holds %zu bytes, too few for a signing key: at least %d; make one with "
                       "openssl rand -hex 32",
                       path, k->len, SR_HMAC_KEY_MIN);
    if (distinct < DISTINCT_MIN)
        return sr_fail(err, SR_E_KEY, "%s holds no random key; make one with openssl rand -hex 32",
                       path);
    return SR_OK;
}

static int key_file_check(int fd, const char *path, struct sr_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return sr_fail_errno(err, errno, "cannot look at %s", path);
    if (!S_ISREG(st.st_mode))
        return sr_fail(err, SR_E_KEY, "%s is no file, so no signing key", path);
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return sr_fail(err, SR_E_KEY, "%s belongs to another user: no key to rely on", path);
    if (st.st_mode & (S_IRWXO | S_IWGRP))
        return sr_fail(err, SR_E_KEY,
                       "%s has mode %04o: others could sign in our name; chmod 600 it", path,
                       (unsigned)(st.st_mode & 07777));
    return SR_OK;
}

static int key_read(const char *path, struct hmac_key *k, struct sr_error *err)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        (void)sr_fail_errno(err, errno, "cannot read the signing key %s", path);
        if (err)
            err->code = SR_E_KEY;
        return SR_E_KEY;
    }
    int rc = key_file_check(fd, path, err);
    if (rc != SR_OK)
        return rc;
    ssize_t n = sr_read_full(fd, k->key, sizeof k->key);
    char more;
    if (n < 0)
        return sr_fail_errno(err, errno, "cannot read the signing key %s", path);
    if ((size_t)n == sizeof k->key && sr_read_full(fd, &more, 1) != 0)
        return sr_fail(err, SR_E_KEY, "%s holds more than %d bytes: no signing key", path,
                       SR_HMAC_KEY_MAX);
    k->len = (size_t)n;
    if (k->len > 0 && k->key[k->len - 1] == '\n')
        k->len--;
    if (k->len > 0 && k->key[k->len - 1] == '\r')
        k->len--;
    rc = key_strong(k, path, err);
    return rc == SR_OK ? hmac_id(k, err) : rc;
}

static int add_file(struct sr_signer *s, const char *path, struct sr_error *err)
{
    if (s->hmac_len == KEYS_MAX)
        return sr_fail(err, SR_E_CONFIG, "more than %d signing keys are set", KEYS_MAX);
    struct hmac_key *k = calloc(1, sizeof *k);
    if (!k)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    s->hmac[s->hmac_len++] = k;
    return key_read(path, k, err);
}

static int add_fingerprint(struct sr_signer *s, const char *text, struct sr_error *err)
{
    char fpr[SR_SIGNATURE_KEY_SIZE];
    size_t n = 0;
    const char *at = text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? text + 2 : text;
    for (; *at && n < sizeof fpr - 1; at++)
        if (*at != ' ')
            fpr[n++] = (char)toupper((unsigned char)*at);
    fpr[n] = '\0';
    if (*at || !sr_is_fingerprint(fpr))
        return sr_fail(err, SR_E_CONFIG,
                       "\"%.100s\" is no fingerprint of a GPG key (40 hex digits; gpg "
                       "--fingerprint shows it)",
                       text);
    if (s->gpg_len == KEYS_MAX)
        return sr_fail(err, SR_E_CONFIG, "more than %d signing keys are set", KEYS_MAX);
    memcpy(s->gpg[s->gpg_len++], fpr, n + 1);
    return SR_OK;
}

static int accept_read(const struct sr_config *cfg, struct sr_signer *s, struct sr_error *err)
{
    struct sr_strlist names = {0};
    int rc = sr_config_list(cfg, "BACKUP_SIGN_ACCEPT", &names) == SR_OK
                 ? SR_OK
                 : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    for (size_t i = 0; rc == SR_OK && i < names.len; i++) {
        const char *name = names.items[i];
        rc = *name == '/' ? add_file(s, name, err) : add_fingerprint(s, name, err);
    }
    sr_strlist_done(&names);
    return rc == SR_OK ? SR_OK : sr_error_wrap(err, "BACKUP_SIGN_ACCEPT");
}

static int passphrase_read(const struct sr_config *cfg, struct sr_signer *s, struct sr_error *err)
{
    const char *text = sr_config_str(cfg, "BACKUP_SIGN_GPG_PASSPHRASE");
    if (text && sr_passphrase_new(text, &s->passphrase, err) != SR_OK)
        return sr_error_wrap(err, "BACKUP_SIGN_GPG_PASSPHRASE");
    return SR_OK;
}

static int keys_read(const struct sr_config *cfg, struct sr_signer *s, struct sr_error *err)
{
    const char *gpg = sr_config_str(cfg, "BACKUP_SIGN_GPG_KEY");
    _cleanup_free_ char *file = NULL;
    int rc = SR_OK;
    if (sr_config_str(cfg, "BACKUP_SIGN_KEY_FILE"))
        rc = sr_config_path(cfg, "BACKUP_SIGN_KEY_FILE", &file, err);
    if (rc == SR_OK && file && (rc = add_file(s, file, err)) != SR_OK)
        return sr_error_wrap(err, "BACKUP_SIGN_KEY_FILE");
    s->hmac_signs = file != NULL;
    if (rc == SR_OK && gpg && (rc = add_fingerprint(s, gpg, err)) != SR_OK)
        return sr_error_wrap(err, "BACKUP_SIGN_GPG_KEY");
    s->gpg_signs = gpg != NULL;
    if (rc == SR_OK)
        rc = passphrase_read(cfg, s, err);
    return rc == SR_OK ? accept_read(cfg, s, err) : rc;
}

int sr_signer_from_config(const struct sr_config *cfg, struct sr_signer **ret, struct sr_error *err)
{
    struct sr_signer *s = calloc(1, sizeof *s);
    if (!s)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    int rc = keys_read(cfg, s, err);
    if (rc == SR_OK && s->hmac_len + s->gpg_len > 0) {
        *ret = s;
        return SR_OK;
    }
    sr_signer_free(s);
    if (rc == SR_OK && sr_config_bool(cfg, "BACKUP_REQUIRE_SIGNATURE"))
        rc = sr_fail(err, SR_E_CONFIG,
                     "BACKUP_REQUIRE_SIGNATURE is on, and no key to check with is set; set "
                     "BACKUP_SIGN_KEY_FILE, BACKUP_SIGN_GPG_KEY or BACKUP_SIGN_ACCEPT");
    if (rc == SR_OK)
        *ret = NULL;
    return rc;
}

int sr_signer_signs(const struct sr_signer *s)
{
    return s && (s->hmac_signs || s->gpg_signs);
}

void sr_signer_free(struct sr_signer *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->hmac_len; i++) {
        OPENSSL_cleanse(s->hmac[i], sizeof *s->hmac[i]);
        free(s->hmac[i]);
    }
    sr_passphrase_free(s->passphrase);
    free(s);
}

/* --- signing --- */

static void list_add(char *list, size_t cap, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void list_add(char *list, size_t cap, const char *fmt, ...)
{
    size_t n = strlen(list);
    va_list ap;
    if (n > 0 && n + 2 < cap) {
        memcpy(list + n, ", ", 3);
        n += 2;
    }
    va_start(ap, fmt);
    (void)vsnprintf(list + n, cap - n, fmt, ap);
    va_end(ap);
}

void sr_signer_tell(const struct sr_signer *s, char *out, size_t cap)
{
    out[0] = '\0';
    if (s->hmac_signs)
        list_add(out, cap, "HMAC key %s", s->hmac[0]->id);
    if (s->gpg_signs)
        list_add(out, cap, "GPG key %s", s->gpg[0]);
}

static int sign_hmac(const struct sr_signer *s, const struct sr_buf *text, struct sr_signature *sig,
                     struct sr_error *err)
{
    unsigned char sum[SR_HMAC_SIZE];
    int rc = hmac(s->hmac[0], text->data, text->len, sum, err);
    return rc == SR_OK ? sr_signature_add(sig, SR_SIGNED_HMAC, s->hmac[0]->id, sum, sizeof sum, err)
                       : rc;
}

static int sign_gpg(const struct sr_signer *s, const struct sr_buf *text, struct sr_signature *sig,
                    struct sr_error *err)
{
    struct sr_buf out;
    sr_buf_init(&out, SR_SIGNATURE_DATA_MAX);
    int rc = sr_gpg_sign(s->gpg[0], s->passphrase, text->data, text->len, &out, err);
    if (rc == SR_OK)
        rc = sr_signature_add(sig, SR_SIGNED_OPENPGP, s->gpg[0], out.data, out.len, err);
    sr_buf_done(&out);
    return rc;
}

int sr_signer_sign(const struct sr_signer *s, const struct sr_statement *statement,
                   struct sr_buf *out, struct sr_error *err)
{
    struct sr_signature sig = {.statement = *statement};
    struct sr_buf text;
    sr_buf_init(&text, SR_SIGNATURE_MAX);
    int rc = sr_statement_write(statement, &text, err);
    if (rc == SR_OK && s->hmac_signs)
        rc = sign_hmac(s, &text, &sig, err);
    if (rc == SR_OK && s->gpg_signs)
        rc = sign_gpg(s, &text, &sig, err);
    if (rc == SR_OK)
        rc = sr_signature_write(&sig, out, err);
    sr_buf_done(&text);
    sr_signature_done(&sig);
    return rc;
}

int sr_signer_try(const struct sr_signer *s, int64_t now, int64_t *ret_expires,
                  struct sr_error *err)
{
    static const char nothing[] =
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    struct sr_statement st = {.set = "trial", .source = "trial"};
    struct sr_gpg_key key = {.expires = 0};
    struct sr_trust trust;
    struct sr_buf out;
    memcpy(st.manifest, nothing, sizeof st.manifest);
    int rc = s->gpg_signs ? sr_gpg_signing_key(s->gpg[0], now, &key, err) : SR_OK;
    sr_buf_init(&out, SR_SIGNATURE_MAX);
    if (rc == SR_OK)
        rc = sr_signer_sign(s, &st, &out, err);
    if (rc == SR_OK)
        rc = sr_signer_check(s, out.data, out.len, &st, &trust, err);
    if (rc == SR_OK && trust.state != SR_TRUST_SIGNED)
        rc = sr_fail(err, SR_E_KEY, "what is signed here could not be checked here: %s", trust.why);
    sr_buf_done(&out);
    if (rc == SR_OK && ret_expires)
        *ret_expires = key.expires;
    return rc;
}

/* --- checking --- */

/* *ret_good: 1 by this key, 0 not; left alone where the key is none of ours. */
static int check_hmac(const struct sr_signer *s, const struct sr_signed_by *by,
                      const struct sr_buf *text, struct sr_trust *t, int *ret_good,
                      struct sr_error *err)
{
    for (size_t i = 0; i < s->hmac_len; i++) {
        unsigned char sum[SR_HMAC_SIZE];
        if (strcmp(s->hmac[i]->id, by->key) != 0)
            continue;
        int rc = hmac(s->hmac[i], text->data, text->len, sum, err);
        if (rc != SR_OK)
            return rc;
        *ret_good = sr_equal_secret(sum, by->data, sizeof sum);
        if (*ret_good)
            list_add(t->by, sizeof t->by, "HMAC key %s", by->key);
        else
            list_add(t->why, sizeof t->why, "the signature of HMAC key %s does not fit", by->key);
        return SR_OK;
    }
    return SR_OK;
}

static int accepts(const struct sr_signer *s, const char *fingerprint)
{
    for (size_t i = 0; i < s->gpg_len; i++)
        if (strcmp(s->gpg[i], fingerprint) == 0)
            return 1;
    return 0;
}

static int check_gpg(const struct sr_signer *s, const struct sr_signed_by *by,
                     const struct sr_buf *text, struct sr_trust *t, int *ret_good,
                     struct sr_error *err)
{
    struct sr_gpg_signer who;
    struct sr_error e = SR_ERROR_INIT;
    char iso[SR_TIME_ISO_SIZE];
    if (!accepts(s, by->key))
        return SR_OK;
    int rc = sr_gpg_verify(by->data, by->len, text->data, text->len, &who, &e);
    /* The key that counts is here, and it is another one that made this: nothing to import. */
    int strange = rc == SR_E_KEY && *who.subkey && sr_gpg_has_key(by->key);
    if (rc != SR_OK && rc != SR_E_CORRUPT && !strange)
        return sr_error_copy(err, &e);
    *ret_good = 0;
    if (strange)
        list_add(t->why, sizeof t->why,
                 "it is signed by %s, which is neither %s nor a subkey of it that is known here",
                 who.subkey, by->key);
    else if (rc == SR_E_CORRUPT)
        list_add(t->why, sizeof t->why, "%s", e.text);
    /* What the line says who signed is nothing but a hint. */
    else if (!accepts(s, who.key.fingerprint) && !accepts(s, who.subkey))
        list_add(t->why, sizeof t->why, "it is signed by %s, a key that is not accepted here",
                 who.key.fingerprint);
    else {
        *ret_good = 1;
        list_add(t->by, sizeof t->by, "GPG key %s%s%s%s", who.key.fingerprint,
                 *who.key.uid ? " (" : "", who.key.uid, *who.key.uid ? ")" : "");
        if (who.key.expires > 0 && who.key.expires <= sr_clock_now(&sr_clock_system)) {
            sr_time_iso(who.key.expires, iso);
            list_add(t->why, sizeof t->why, "its key has expired since (%s)", iso);
        }
    }
    return SR_OK;
}

static int check_keys(const struct sr_signer *s, const struct sr_signature *sig,
                      const struct sr_buf *text, struct sr_trust *t, struct sr_error *err)
{
    size_t good = 0, bad = 0;
    int rc = SR_OK;
    for (size_t i = 0; rc == SR_OK && i < sig->len; i++) {
        int verdict = -1; /* a key that is none of ours */
        rc = sig->by[i].kind == SR_SIGNED_HMAC ? check_hmac(s, &sig->by[i], text, t, &verdict, err)
                                               : check_gpg(s, &sig->by[i], text, t, &verdict, err);
        good += verdict == 1;
        bad += verdict == 0;
    }
    if (rc == SR_OK && good + bad == 0)
        list_add(t->why, sizeof t->why,
                 "it is signed by no key that is accepted here (%s %s; see BACKUP_SIGN_ACCEPT)",
                 sig->by[0].kind == SR_SIGNED_HMAC ? "HMAC key" : "GPG key", sig->by[0].key);
    t->state = good > 0 && bad == 0 ? SR_TRUST_SIGNED : SR_TRUST_BAD;
    return rc;
}

/* What is signed must be about this set and this manifest. */
static void check_statement(const struct sr_statement *st, const struct sr_statement *want,
                            struct sr_trust *t)
{
    int other = strcmp(st->set, want->set) != 0 || strcmp(st->source, want->source) != 0;
    if (!other && strcmp(st->manifest, want->manifest) == 0)
        return;
    t->state = SR_TRUST_BAD;
    if (other)
        (void)snprintf(t->why, sizeof t->why, "it is the signature of another backup, %s of %s",
                       st->set, st->source);
    else
        (void)snprintf(t->why, sizeof t->why, "the manifest is not the one that was signed");
}

int sr_signer_check(const struct sr_signer *s, const char *text, size_t len,
                    const struct sr_statement *want, struct sr_trust *ret, struct sr_error *err)
{
    struct sr_signature sig = {.len = 0};
    struct sr_error e = SR_ERROR_INIT;
    struct sr_trust t = {.state = SR_TRUST_BAD};
    struct sr_buf signed_text;
    int rc = sr_signature_read(text, len, &sig, &e);
    if (rc == SR_E_CORRUPT || rc == SR_E_UNSUPPORTED) {
        (void)snprintf(t.why, sizeof t.why, "%.400s", e.text);
        *ret = t;
        return SR_OK;
    }
    if (rc != SR_OK)
        return sr_error_copy(err, &e);
    sr_buf_init(&signed_text, SR_SIGNATURE_MAX);
    rc = sr_statement_write(&sig.statement, &signed_text, err);
    if (rc == SR_OK)
        rc = check_keys(s, &sig, &signed_text, &t, err);
    if (rc == SR_OK && t.state == SR_TRUST_SIGNED)
        check_statement(&sig.statement, want, &t);
    if (rc == SR_OK) {
        memcpy(t.detail, sig.statement.detail, sizeof t.detail);
        if (t.state != SR_TRUST_SIGNED)
            t.by[0] = '\0';
        *ret = t;
    }
    sr_buf_done(&signed_text);
    sr_signature_done(&sig);
    return rc;
}

const char *sr_trust_name(enum sr_trust_state state)
{
    switch (state) {
    case SR_TRUST_SIGNED:
        return "signed";
    case SR_TRUST_UNSIGNED:
        return "unsigned";
    case SR_TRUST_BAD:
        return "bad";
    case SR_TRUST_UNCHECKED:
        break;
    }
    return "unchecked";
}
