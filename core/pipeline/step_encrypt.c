#include "config.h"
#include "core/pipeline/gpg.h"
#include "core/pipeline/keys_private.h"
#include "core/pipeline/openpgp.h"
#include "core/pipeline/step_private.h"

#include "core/util/buf.h"

#include <stdlib.h>
#include <string.h>

/* What comes before the data: 560 bytes for each recipient with a key of 4096 bits. */
#define HEAD_MAX (256u << 10)

struct encrypt {
    struct sr_step step;
    const struct sr_recipients *recipients;
    const struct sr_passphrase *pass;
    struct sr_gpg_cancel cancel;
    struct sr_flow *flow;
    struct sr_buf head; /* held back until it is complete and was judged */
    int head_ok;
    int cipher; /* as gpg's status said; 0: not yet */
};

/* The user's gpg.conf may weaken or widen what gpg writes, without a word: `cipher-algo 3DES`,
 * `armor`, `s2k-mode 0`, `encrypt-to` in the forms that gpgme cannot switch off. It can neither be
 * ignored nor overruled through gpgme, so the result is judged instead. */
static int head_judge(const struct encrypt *e, const struct sr_openpgp_head *h,
                      struct sr_error *err)
{
    size_t keys = e->recipients ? e->recipients->len : 0;
    unsigned passphrases = e->pass ? 1 : 0;
    if (!h->integrity)
        return sr_fail(err, SR_E_CONFIG,
                       "gpg encrypts without integrity protection; remove disable-mdc and rfc2440 "
                       "from gpg.conf");
    if (h->public_keys != keys || h->passphrases != passphrases)
        return sr_fail(err, SR_E_CONFIG,
                       "gpg encrypted to %u keys and %u passphrases instead of %zu and %u; remove "
                       "encrypt-to, hidden-encrypt-to and the like from gpg.conf",
                       h->public_keys, h->passphrases, keys, passphrases);
    if (e->pass && h->cipher != SR_OPENPGP_AES256)
        return sr_fail(err, SR_E_CONFIG,
                       "gpg encrypts with cipher %d instead of AES256 (9); remove cipher-algo, "
                       "s2k-cipher-algo and personal-cipher-preferences from gpg.conf, or name "
                       "AES256 there",
                       h->cipher);
    if (e->pass && h->s2k != 3)
        return sr_fail(err, SR_E_CONFIG,
                       "gpg does not iterate the passphrase's hash; remove s2k-mode from gpg.conf");
    return SR_OK;
}

/* 7 to 9 are AES, 10 Twofish, 11 to 13 Camellia: blocks of 128 bits. Below are those of 64 bits,
 * which leak on gigabytes. */
static int cipher_judge(const struct encrypt *e, struct sr_error *err)
{
    if (e->cipher >= 7)
        return SR_OK;
    return sr_fail(err, SR_E_CONFIG,
                   "gpg encrypts with the outdated cipher %d; remove cipher-algo and "
                   "personal-cipher-preferences from gpg.conf, or use a key that prefers AES",
                   e->cipher);
}

static int encrypt_sink(void *ctx, const void *data, size_t len, struct sr_error *err)
{
    struct encrypt *e = ctx;
    if (e->cipher != 0 && cipher_judge(e, err) != SR_OK)
        return SR_E_CONFIG;
    if (e->head_ok)
        return sr_flow_write(e->flow, data, len, err);
    if (sr_buf_add(&e->head, data, len) != SR_OK)
        return sr_fail(err, SR_E_INTERNAL, "what gpg writes before the data is too long");
    struct sr_openpgp_head h;
    int rc = sr_openpgp_head_read((const unsigned char *)e->head.data, e->head.len, &h);
    if (rc < 0)
        return sr_fail(err, SR_E_CONFIG,
                       "gpg does not write a binary OpenPGP message; remove armor and other "
                       "options about its output from gpg.conf");
    if (rc == 0)
        return SR_OK;
    rc = head_judge(e, &h, err);
    if (rc != SR_OK)
        return rc;
    e->head_ok = 1;
    return sr_flow_write(e->flow, e->head.data, e->head.len, err);
}

/* BEGIN_ENCRYPTION <mdc method> <cipher> ... is the only place that tells the cipher for keys. */
static gpgme_error_t encrypt_status(void *ctx, const char *keyword, const char *args)
{
    struct encrypt *e = ctx;
    if (strcmp(keyword, "BEGIN_ENCRYPTION") == 0) {
        const char *second = strchr(args, ' ');
        e->cipher = second ? atoi(second) : 0;
    }
    return 0;
}

static gpgme_error_t encrypt_operation(gpgme_ctx_t ctx, gpgme_data_t in, gpgme_data_t out,
                                       void *arg)
{
    struct encrypt *e = arg;
    gpgme_encrypt_flags_t flags =
        GPGME_ENCRYPT_ALWAYS_TRUST | GPGME_ENCRYPT_NO_ENCRYPT_TO | GPGME_ENCRYPT_NO_COMPRESS;
    if (e->pass)
        flags |= GPGME_ENCRYPT_SYMMETRIC;
    return gpgme_op_encrypt(ctx, e->recipients ? e->recipients->keys : NULL, flags, in, out);
}

static int encrypt_result(struct encrypt *e, gpgme_ctx_t ctx, gpgme_error_t g, struct sr_error *err)
{
    gpgme_encrypt_result_t r = g ? gpgme_op_encrypt_result(ctx) : NULL;
    if (r && r->invalid_recipients)
        return sr_gpg_fail(err, SR_E_KEY, r->invalid_recipients->reason,
                           r->invalid_recipients->fpr ? r->invalid_recipients->fpr
                                                      : "a recipient's key");
    if (g)
        return sr_gpg_fail(err, SR_E_CHILD, g, "gpg could not encrypt");
    if (!e->head_ok)
        return sr_fail(err, SR_E_CHILD, "gpg ended without writing an encrypted message");
    return cipher_judge(e, err);
}

static int encrypt_run(struct sr_step *s, struct sr_flow *f, struct sr_error *err)
{
    struct encrypt *e = (struct encrypt *)s;
    gpgme_ctx_t ctx = NULL;
    int rc = sr_gpg_open(&ctx, err);
    if (rc != SR_OK)
        return rc;
    sr_gpg_set_passphrase(ctx, e->pass);
    gpgme_set_status_cb(ctx, encrypt_status, e);
    e->flow = f;
    struct sr_gpg_io io = {.flow = f, .cancel = &e->cancel, .sink = encrypt_sink, .sink_ctx = e};
    gpgme_error_t g = 0;
    rc = sr_gpg_run(&io, ctx, encrypt_operation, e, &g, err);
    if (rc == SR_OK)
        rc = encrypt_result(e, ctx, g, err);
    gpgme_release(ctx);
    return rc;
}

static int encrypt_start(struct sr_step *s, struct sr_error *err)
{
    const struct encrypt *e = (const struct encrypt *)s;
    if ((e->recipients && e->recipients->len > 0) == (e->pass != NULL))
        return sr_fail(err, SR_E_INTERNAL, "encryption takes either recipients or a passphrase");
    return sr_gpg_check(err);
}

static void encrypt_interrupt(struct sr_step *s)
{
    sr_gpg_cancel(&((struct encrypt *)s)->cancel);
}

static void encrypt_free(struct sr_step *s)
{
    struct encrypt *e = (struct encrypt *)s;
    sr_gpg_cancel_done(&e->cancel);
    sr_buf_done(&e->head);
    free(e);
}

static const struct sr_step_ops encrypt_ops = {.name = "encrypt",
                                               .start = encrypt_start,
                                               .run = encrypt_run,
                                               .interrupt = encrypt_interrupt,
                                               .free = encrypt_free,
                                               .light = 1};

struct sr_step *sr_step_encrypt_new(const struct sr_recipients *r, const struct sr_passphrase *pass)
{
    struct encrypt *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->step.ops = &encrypt_ops;
    e->step.phase = SR_PHASE_ENCRYPT;
    e->recipients = r;
    e->pass = pass;
    sr_gpg_cancel_init(&e->cancel);
    sr_buf_init(&e->head, HEAD_MAX);
    return &e->step;
}
