#include "config.h"
#include "core/pipeline/gpg.h"
#include "core/pipeline/keys_private.h"
#include "core/pipeline/openpgp.h"
#include "core/pipeline/step_private.h"

#include "core/util/buf.h"

#include <stdlib.h>
#include <string.h>

struct decrypt {
    struct sr_step step;
    const struct sr_passphrase *pass;
    int never_ask;
    struct sr_gpg_cancel cancel;
    int encrypted;
    /* what gpg's status lines said; its BEGIN_DECRYPTION comes even without a key */
    struct sr_buf keys; /* ids of the keys that could open it, as text */
    int symmetric;      /* a passphrase could open it */
    int bad_passphrase;
    int have_key; /* a session key was found */
    int no_packet;
    int unprotected; /* no integrity check is there to pass */
    int intact;      /* the integrity check passed */
    int okay;
};

/* <mdc method> <cipher> [<aead>]: with AEAD every piece is checked before it comes out. */
static void read_decryption_info(struct decrypt *d, const char *args)
{
    const char *second = strchr(args, ' ');
    const char *third = second ? strchr(second + 1, ' ') : NULL;
    int aead = third && atoi(third) > 0;
    d->have_key = 1;
    d->intact = d->intact || aead;
    d->unprotected = !aead && atoi(args) == 0;
}

static gpgme_error_t decrypt_status(void *ctx, const char *keyword, const char *args)
{
    struct decrypt *d = ctx;
    if (strcmp(keyword, "ENC_TO") == 0)
        (void)sr_buf_printf(&d->keys, "%s%.*s", d->keys.len ? ", " : "", (int)strcspn(args, " "),
                            args);
    else if (strcmp(keyword, "NEED_PASSPHRASE_SYM") == 0)
        d->symmetric = 1;
    else if (strcmp(keyword, "ERROR") == 0 && strncmp(args, "symkey_decrypt", 14) == 0)
        d->bad_passphrase = 1;
    else if (strcmp(keyword, "DECRYPTION_KEY") == 0)
        d->have_key = 1;
    else if (strcmp(keyword, "DECRYPTION_INFO") == 0)
        read_decryption_info(d, args);
    else if (strcmp(keyword, "NODATA") == 0)
        d->no_packet = 1;
    else if (strcmp(keyword, "GOODMDC") == 0)
        d->intact = 1;
    else if (strcmp(keyword, "DECRYPTION_OKAY") == 0)
        d->okay = 1;
    return 0;
}

static gpgme_error_t decrypt_operation(gpgme_ctx_t ctx, gpgme_data_t in, gpgme_data_t out,
                                       void *arg)
{
    (void)arg;
    return gpgme_op_decrypt(ctx, in, out);
}

/* Which of the three it was: no key, a wrong passphrase, or damage. */
static int decrypt_result(const struct decrypt *d, gpgme_error_t g, struct sr_error *err)
{
    if (!g && d->okay && d->intact)
        return SR_OK;
    gpgme_err_code_t code = gpgme_err_code(g);
    const char *keys = sr_buf_str(&d->keys);
    if (code == GPG_ERR_NO_AGENT || code == GPG_ERR_ENOMEM)
        return sr_gpg_fail(err, SR_E_UNAVAILABLE, g, "cannot decrypt");
    if (d->unprotected || (!g && d->okay))
        return sr_fail(err, SR_E_CORRUPT,
                       "the encrypted data has no integrity protection: it may have been changed "
                       "and is refused");
    if (d->no_packet || (d->have_key && !d->bad_passphrase))
        return g ? sr_gpg_fail(err, SR_E_CORRUPT, g, "the encrypted data is damaged or cut off")
                 : sr_fail(err, SR_E_CORRUPT, "the encrypted data is damaged or cut off");
    if (keys[0] && code == GPG_ERR_BAD_PASSPHRASE)
        return sr_fail(err, SR_E_KEY,
                       "cannot decrypt: wrong passphrase for the secret key (encrypted to %s)",
                       keys);
    if (keys[0] && !d->symmetric)
        return sr_fail(err, SR_E_KEY,
                       "cannot decrypt: no usable secret key; it is encrypted to %s; import that "
                       "secret key (gpg --import) or set GNUPGHOME to where it is",
                       keys);
    if (d->symmetric)
        return sr_fail(err, SR_E_KEY, "cannot decrypt: %s",
                       d->pass ? "wrong passphrase"
                               : "it is encrypted with a passphrase, and none is set");
    return sr_gpg_fail(err, SR_E_CORRUPT, g, "the encrypted data cannot be read");
}

static int decrypt_gpg(struct decrypt *d, struct sr_flow *f, struct sr_error *err)
{
    gpgme_ctx_t ctx = NULL;
    int rc = sr_gpg_open(&ctx, err);
    if (rc != SR_OK)
        return rc;
    if (d->pass)
        sr_gpg_set_passphrase(ctx, d->pass);
    else /* the agent decides */
        (void)gpgme_set_pinentry_mode(ctx, d->never_ask ? GPGME_PINENTRY_MODE_ERROR
                                                        : GPGME_PINENTRY_MODE_DEFAULT);
    gpgme_set_status_cb(ctx, decrypt_status, d);
    struct sr_gpg_io io = {.flow = f, .cancel = &d->cancel};
    gpgme_error_t g = 0;
    rc = sr_gpg_run(&io, ctx, decrypt_operation, NULL, &g, err);
    if (rc == SR_OK)
        rc = decrypt_result(d, g, err);
    gpgme_release(ctx);
    return rc;
}

static int decrypt_run(struct sr_step *s, struct sr_flow *f, struct sr_error *err)
{
    struct decrypt *d = (struct decrypt *)s;
    unsigned char head[SR_OPENPGP_PEEK];
    size_t len = 0;
    int rc = sr_flow_peek(f, sizeof head, head, &len, err);
    if (rc != SR_OK)
        return rc;
    d->encrypted = sr_openpgp_form(head, len) != SR_OPENPGP_NO;
    return d->encrypted ? decrypt_gpg(d, f, err) : sr_flow_pass(f, err);
}

static void decrypt_interrupt(struct sr_step *s)
{
    sr_gpg_cancel(&((struct decrypt *)s)->cancel);
}

static void decrypt_free(struct sr_step *s)
{
    struct decrypt *d = (struct decrypt *)s;
    sr_gpg_cancel_done(&d->cancel);
    sr_buf_done(&d->keys);
    free(d);
}

static const struct sr_step_ops decrypt_ops = {.name = "decrypt",
                                               .run = decrypt_run,
                                               .interrupt = decrypt_interrupt,
                                               .free = decrypt_free,
                                               .light = 1};

struct sr_step *sr_step_decrypt_new(const struct sr_passphrase *pass)
{
    struct decrypt *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->step.ops = &decrypt_ops;
    d->step.phase = SR_PHASE_DECRYPT;
    d->pass = pass;
    sr_gpg_cancel_init(&d->cancel);
    sr_buf_init(&d->keys, 1024);
    return &d->step;
}

void sr_step_decrypt_never_ask(struct sr_step *s)
{
    ((struct decrypt *)s)->never_ask = 1;
}

int sr_step_decrypt_was_encrypted(const struct sr_step *s)
{
    return ((const struct decrypt *)s)->encrypted;
}
