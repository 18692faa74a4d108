#include "config.h"
#include "core/engine/unseal.h"
#include "core/engine/opening.h"
#include "core/engine/protection.h"
#include "core/util/buf.h"
#include "core/util/cleanup.h"

#include <stdlib.h>
#include <string.h>

#define PIECE 65536

enum sr_key_here sr_key_here(const struct sr_manifest *m, const char *encryption,
                             const struct sr_passphrase *pass)
{
    if (strcmp(encryption, "none") == 0)
        return SR_KEY_HERE;
    if (strcmp(encryption, "gpg-symmetric") == 0)
        return pass ? SR_KEY_HERE : SR_KEY_NO_PHRASE;
    return sr_secret_key_here((const char *const *)m->recipients.items, m->recipients.len)
               ? SR_KEY_HERE
               : SR_KEY_NO_SECRET;
}

/* The detail is encrypted as the objects are. */
static const char *encryption_of(const struct sr_manifest *m)
{
    for (size_t i = 0; i < m->objects_len; i++)
        if (strcmp(m->objects[i].encryption, "none") != 0)
            return m->objects[i].encryption;
    return "none";
}

/* Reads the detail through to its end, into out where that is given, and holds its stored bytes
 * against what was signed. */
static int detail_read(struct sr_context *ctx, const struct sr_opening_options *oo,
                       const struct sr_manifest *m, struct sr_buf *out, struct sr_error *err)
{
    struct sr_opening *op = NULL;
    struct sr_opening_seen seen;
    _cleanup_free_ char *piece = malloc(PIECE);
    size_t n = 1;
    if (!piece)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    int rc = sr_opening_start(ctx, oo, &op, err);
    while (rc == SR_OK && n > 0) {
        rc = sr_opening_read(op, piece, PIECE, &n, err);
        if (rc == SR_OK && out && sr_buf_add(out, piece, n) != SR_OK)
            rc = sr_fail(err, SR_E_CORRUPT, "%s holds more than %u bytes", m->detail_key,
                         SR_DETAIL_MAX);
    }
    if (rc == SR_OK)
        rc = sr_opening_end(op, err);
    if (rc == SR_OK) {
        sr_opening_seen(op, &seen);
        if (*m->detail_sha256 && strcmp(m->detail_sha256, seen.stored_sha256) != 0)
            rc = sr_fail(err, SR_E_CORRUPT, "%s is not the one that was signed", m->detail_key);
    }
    sr_opening_free(op);
    return rc;
}

int sr_unseal_check(struct sr_context *ctx, struct sr_store_rw *store, const struct sr_manifest *m,
                    struct sr_error *err)
{
    const struct sr_opening_options oo = {
        .what = "checking the detail", .store = store, .key = m->detail_key};
    if (!*m->detail_sha256)
        return SR_OK;
    int rc = detail_read(ctx, &oo, m, NULL, err);
    if (rc == SR_E_NOT_FOUND)
        rc = sr_fail(err, SR_E_CORRUPT, "%s, which was signed, is missing", m->detail_key);
    return rc;
}

static int detail_text(struct sr_context *ctx, struct sr_store_rw *store,
                       const struct sr_manifest *m, const struct sr_passphrase *pass,
                       struct sr_buf *out, struct sr_error *err)
{
    const struct sr_opening_options oo = {.what = "reading the detail",
                                          .store = store,
                                          .key = m->detail_key,
                                          .depth = SR_OPEN_RAW,
                                          .passphrase = pass,
                                          .never_ask = 1};
    return detail_read(ctx, &oo, m, out, err);
}

static int fill(struct sr_manifest *m, struct sr_detail *d)
{
    int rc = sr_set_string(&m->host, d->host);
    for (size_t i = 0; i < m->objects_len && rc == SR_OK; i++)
        for (size_t k = 0; k < d->objects_len && rc == SR_OK; k++)
            if (d->objects[k].key && strcmp(d->objects[k].key, m->objects[i].key) == 0)
                rc = sr_set_string(&m->objects[i].database, d->objects[k].database);
    return rc;
}

static int open_detail(struct sr_context *ctx, struct sr_store_rw *store, struct sr_manifest *m,
                       const struct sr_passphrase *pass, struct sr_error *err)
{
    struct sr_buf text;
    struct sr_detail *d = NULL;
    sr_buf_init(&text, SR_DETAIL_MAX);
    int rc = detail_text(ctx, store, m, pass, &text, err);
    if (rc == SR_OK)
        rc = sr_detail_read(sr_buf_str(&text), text.len, &d, err);
    /* Another set's object under this name would tell lies about this one. */
    if (rc == SR_OK && (!d->set || strcmp(d->set, m->set) != 0))
        rc = sr_fail(err, SR_E_CORRUPT, "%s is not about this set", m->detail_key);
    if (rc == SR_OK && fill(m, d) != SR_OK)
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    if (rc == SR_OK)
        m->detail = sr_steal_ptr(d);
    sr_detail_free(d);
    sr_buf_done(&text);
    return rc;
}

/* Why it was not opened, for people and programs; NULL: a failure, not a reason. */
static const char *reason(int rc, const struct sr_error *e)
{
    switch (rc) {
    case SR_E_CANCELLED:
    case SR_E_NO_MEMORY:
        return NULL;
    case SR_E_KEY:
        return "encrypted; the key here does not open it, or is locked and nobody is asked";
    default:
        return e->text;
    }
}

int sr_unseal_detail(struct sr_context *ctx, struct sr_store_rw *store, struct sr_manifest *m,
                     char **ret_why, struct sr_error *err)
{
    struct sr_passphrase *pass = NULL;
    struct sr_error e = SR_ERROR_INIT;
    const char *why = NULL;
    *ret_why = NULL;
    if (m->detail || !m->detail_key)
        return SR_OK;
    int rc = sr_passphrase_from_config(ctx->cfg, &pass, err);
    if (rc != SR_OK)
        return rc;
    if (sr_key_here(m, encryption_of(m), pass) != SR_KEY_HERE)
        why = "encrypted; the key is not here";
    else if ((rc = open_detail(ctx, store, m, pass, &e)) != SR_OK)
        why = reason(rc, &e);
    sr_passphrase_free(pass);
    if (rc != SR_OK && !why)
        return sr_error_copy(err, &e);
    if (why && !(*ret_why = strdup(why)))
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    return SR_OK;
}
