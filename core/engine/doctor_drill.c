/* The decrypt drill: what is encrypted here tonight is opened here now, on the way that a restore
 * takes, where a secret key is present. */
#include "config.h"
#include "core/engine/doctor_private.h"
#include "core/engine/opening.h"
#include "core/engine/transfer.h"
#include "core/util/cleanup.h"
#include "core/util/fs.h"
#include "core/util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char words[] = "strongroom tries whether what is encrypted here can be opened here\n";

/* An encrypted file of the drill's own, removed by the caller. */
static int put(const struct sr_buf *sealed, const char *path, struct sr_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return sr_fail_errno(err, errno, "cannot make %s", path);
    int rc = sr_write_full(fd, sealed->data, sealed->len) == 0
                 ? SR_OK
                 : sr_fail_errno(err, errno, "writing %s", path);
    (void)close(fd);
    return rc;
}

static int open_again(struct sr_context *ctx, const struct sr_protection *p, const char *path,
                      struct sr_error *err)
{
    struct sr_opening *op = NULL;
    struct sr_opening_options o = {.what = "opening what was encrypted",
                                   .file = path,
                                   .depth = SR_OPEN_RAW,
                                   .passphrase = p->passphrase,
                                   .never_ask = 1};
    char got[sizeof words + 64];
    size_t len = 0, n = 1;
    int rc = sr_opening_start(ctx, &o, &op, err);
    while (rc == SR_OK && n > 0 && len < sizeof got) {
        rc = sr_opening_read(op, got + len, sizeof got - len, &n, err);
        len += rc == SR_OK ? n : 0;
    }
    if (rc == SR_OK)
        rc = sr_opening_end(op, err);
    if (rc == SR_OK && (len != sizeof words - 1 || memcmp(got, words, len) != 0))
        rc = sr_fail(err, SR_E_CORRUPT, "it came back as something else");
    sr_opening_free(op);
    return rc;
}

static int drill(struct sr_context *ctx, const struct sr_protection *p, const char *folder,
                 struct sr_error *err)
{
    _cleanup_free_ char *path = NULL;
    unsigned char random[8];
    char hex[2 * sizeof random + 1];
    struct sr_buf sealed;
    if (sr_random(random, sizeof random) != 0)
        return sr_fail(err, SR_E_INTERNAL, "no random bytes for the name of a file");
    sr_hex(random, sizeof random, hex);
    if (asprintf(&path, "%s/drill-%s", folder, hex) < 0) {
        path = NULL;
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    sr_buf_init(&sealed, 65536);
    int rc = sr_transfer_seal(p, words, sizeof words - 1, &sealed, err);
    if (rc == SR_OK)
        rc = put(&sealed, path, err);
    if (rc == SR_OK)
        rc = open_again(ctx, p, path, err);
    (void)unlink(path);
    sr_buf_done(&sealed);
    return rc;
}

void sr_doctor_drill(struct sr_doctor *d, const struct sr_protection *p)
{
    _cleanup_free_ char *folder = NULL;
    struct sr_error e = SR_ERROR_INIT;
    int here = p->passphrase != NULL;
    for (size_t i = 0; p->recipients && i < sr_recipients_len(p->recipients); i++) {
        const char *fpr = sr_recipients_fingerprint(p->recipients, i);
        here |= sr_secret_key_here(&fpr, 1);
    }
    if (!here || sr_config_state_dir(d->ctx->cfg, &folder, NULL) != SR_OK)
        return;
    int rc = drill(d->ctx, p, folder, &e);
    if (rc == SR_OK)
        sr_doctor_add(d, SR_DOCTOR_OK, "decrypt drill", NULL,
                      "what is encrypted here can be opened here");
    else if (rc == SR_E_KEY)
        sr_doctor_add(d, SR_DOCTOR_NOTE, "decrypt drill",
                      "try `strongroom restore` by hand, where the passphrase can be asked for",
                      "a restore without a terminal would fail: %s", e.text);
    else
        sr_doctor_add(d, SR_DOCTOR_BLOCKER, "decrypt drill", NULL, "%s", e.text);
}
