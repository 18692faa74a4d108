#include "config.h"
#include "core/pipeline/gpg.h"

#include "core/pipeline/keys_private.h"

#include <errno.h>
#include <locale.h>
#include <string.h>

/* gpgme's buffer between its callbacks and gpg's pipes, which hold 64 KiB by themselves. Seconds of
 * processor for encrypting 315 MB, gpg included (tests/bench/bench_pipeline encrypt, best of 3, two
 * cores, gpgme 1.18): 4 KiB 0.98, 16 KiB 0.81, 64 KiB 0.78, 128 KiB 0.91, 256 KiB 1.27, 1 MiB 1.23;
 * larger ones are written to a full pipe again and again. */
#define IO_BUFFER_SIZE "65536"

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init_once(void)
{
    (void)gpgme_check_version(NULL);
}

int sr_gpg_fail(struct sr_error *err, int code, gpgme_error_t e, const char *what)
{
    char text[128];
    gpgme_strerror_r(e, text, sizeof text);
    switch (gpgme_err_code(e)) {
    case GPG_ERR_ENOMEM:
        return sr_fail(err, SR_E_NO_MEMORY, "%s: out of memory", what);
    case GPG_ERR_NO_AGENT:
        return sr_fail(err, SR_E_UNAVAILABLE,
                       "%s: gpg-agent cannot be started (on Debian: apt-get install gpg-agent)",
                       what);
    default:
        return sr_fail(err, code, "%s: %s", what, text);
    }
}

int sr_gpg_check(struct sr_error *err)
{
    (void)pthread_once(&once, init_once);
    gpgme_error_t e = gpgme_engine_check_version(GPGME_PROTOCOL_OpenPGP);
    if (!e)
        return SR_OK;
    return sr_gpg_fail(err, SR_E_UNAVAILABLE, e,
                       "GnuPG is needed for encryption and was not found (on Debian: apt-get "
                       "install gnupg)");
}

int sr_gpg_open(gpgme_ctx_t *ret, struct sr_error *err)
{
    int rc = sr_gpg_check(err);
    if (rc != SR_OK)
        return rc;
    gpgme_ctx_t ctx = NULL;
    gpgme_error_t e = gpgme_new(&ctx);
    if (!e)
        e = gpgme_set_protocol(ctx, GPGME_PROTOCOL_OpenPGP);
    if (e) {
        gpgme_release(ctx);
        return sr_gpg_fail(err, SR_E_UNAVAILABLE, e, "cannot use GnuPG");
    }
    gpgme_set_offline(ctx, 1);
    gpgme_set_armor(ctx, 0);
    gpgme_set_textmode(ctx, 0);
    /* What gpg would ask goes to our callback instead of a window; without one it fails. */
    (void)gpgme_set_pinentry_mode(ctx, GPGME_PINENTRY_MODE_LOOPBACK);
    /* The agent is not to keep the passphrase of a backup. */
    (void)gpgme_set_ctx_flag(ctx, "no-symkey-cache", "1");
    /* Every status line reaches the callback, not only those gpgme has no use for itself. */
    (void)gpgme_set_ctx_flag(ctx, "full-status", "1");
    *ret = ctx;
    return SR_OK;
}

static gpgme_error_t give_passphrase(void *hook, const char *uid_hint, const char *info,
                                     int prev_was_bad, int fd)
{
    const struct sr_passphrase *pass = hook;
    (void)uid_hint;
    (void)info;
    if (prev_was_bad || !pass)
        return gpgme_error(GPG_ERR_BAD_PASSPHRASE);
    if (gpgme_io_writen(fd, pass->text, pass->len) != 0 || gpgme_io_writen(fd, "\n", 1) != 0)
        return gpgme_error_from_errno(errno);
    return 0;
}

void sr_gpg_set_passphrase(gpgme_ctx_t ctx, const struct sr_passphrase *pass)
{
    gpgme_set_passphrase_cb(ctx, give_passphrase, (void *)pass); /* only read through the hook */
}

const char *sr_gpg_version(void)
{
    gpgme_engine_info_t info = NULL;
    /* gpgme lists a version even for a gpg that is not there. */
    if (sr_gpg_check(NULL) != SR_OK || gpgme_get_engine_info(&info))
        return "";
    for (; info; info = info->next)
        if (info->protocol == GPGME_PROTOCOL_OpenPGP && info->version)
            return info->version;
    return "";
}

void sr_gpg_cancel_init(struct sr_gpg_cancel *c)
{
    pthread_mutex_init(&c->lock, NULL);
    c->ctx = NULL;
    c->cancelled = 0;
}

void sr_gpg_cancel_done(struct sr_gpg_cancel *c)
{
    pthread_mutex_destroy(&c->lock);
}

void sr_gpg_cancel(struct sr_gpg_cancel *c)
{
    pthread_mutex_lock(&c->lock);
    c->cancelled = 1;
    if (c->ctx)
        (void)gpgme_cancel_async(c->ctx);
    pthread_mutex_unlock(&c->lock);
}

/* Keeps the first failure and makes gpgme stop. */
static ssize_t io_failed(struct sr_gpg_io *io, int rc)
{
    if (io->rc == SR_OK) {
        io->rc = rc;
        io->error.code = rc;
    }
    gpgme_err_set_errno(ECANCELED);
    return -1;
}

static ssize_t io_read(void *handle, void *buf, size_t size)
{
    struct sr_gpg_io *io = handle;
    if (io->rc != SR_OK)
        return io_failed(io, io->rc);
    if (io->piece_len == 0 && !io->input_ended) {
        int rc = sr_flow_take(io->flow, &io->piece, &io->piece_len, &io->error);
        if (rc != SR_OK)
            return io_failed(io, rc);
        io->input_ended = io->piece_len == 0;
    }
    size_t n = io->piece_len < size ? io->piece_len : size;
    if (n > 0) {
        memcpy(buf, io->piece, n);
        io->piece += n;
        io->piece_len -= n;
    }
    return (ssize_t)n;
}

static ssize_t io_write(void *handle, const void *buf, size_t size)
{
    struct sr_gpg_io *io = handle;
    if (io->rc != SR_OK)
        return io_failed(io, io->rc);
    int rc = io->sink ? io->sink(io->sink_ctx, buf, size, &io->error)
                      : sr_flow_write(io->flow, buf, size, &io->error);
    return rc == SR_OK ? (ssize_t)size : io_failed(io, rc);
}

/* Reads what is left of the input, so that everybody before us comes to the end too. */
static int drain(struct sr_gpg_io *io, struct sr_error *err)
{
    while (!io->input_ended) {
        int rc = sr_flow_take(io->flow, &io->piece, &io->piece_len, err);
        if (rc != SR_OK)
            return rc;
        io->input_ended = io->piece_len == 0;
    }
    return SR_OK;
}

static int cancel_enter(struct sr_gpg_cancel *c, gpgme_ctx_t ctx)
{
    pthread_mutex_lock(&c->lock);
    c->ctx = ctx;
    int cancelled = c->cancelled;
    pthread_mutex_unlock(&c->lock);
    return cancelled;
}

int sr_gpg_run(struct sr_gpg_io *io, gpgme_ctx_t ctx,
               gpgme_error_t (*operation)(gpgme_ctx_t ctx, gpgme_data_t in, gpgme_data_t out,
                                          void *arg),
               void *arg, gpgme_error_t *ret_gpg, struct sr_error *err)
{
    static struct gpgme_data_cbs from = {.read = io_read}, to = {.write = io_write};
    gpgme_data_t in = NULL, out = NULL;
    io->rc = SR_OK;
    gpgme_error_t e = gpgme_data_new_from_cbs(&in, &from, io);
    if (!e)
        e = gpgme_data_new_from_cbs(&out, &to, io);
    if (e) {
        gpgme_data_release(in);
        return sr_gpg_fail(err, SR_E_NO_MEMORY, e, "cannot set up GnuPG's data");
    }
    /* An older gpgme does not know the flag and has a small buffer of its own. */
    (void)gpgme_data_set_flag(in, "io-buffer-size", IO_BUFFER_SIZE);
    (void)gpgme_data_set_flag(out, "io-buffer-size", IO_BUFFER_SIZE);
    int cancelled = cancel_enter(io->cancel, ctx);
    if (!cancelled)
        e = operation(ctx, in, out, arg);
    cancelled = cancel_enter(io->cancel, NULL);
    gpgme_data_release(in);
    gpgme_data_release(out);
    if (io->rc != SR_OK)
        return sr_error_copy(err, &io->error);
    if (cancelled)
        return sr_fail(err, SR_E_CANCELLED, "cancelled");
    *ret_gpg = e;
    return e ? SR_OK : drain(io, err);
}
