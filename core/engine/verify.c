#include "config.h"
#include "core/engine/verify.h"
#include "core/engine/opening.h"
#include "core/engine/protection.h"
#include "core/engine/structure.h"
#include "core/engine/trust.h"
#include "core/engine/unseal.h"
#include "core/util/cleanup.h"
#include "core/util/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Can this object be decrypted here? The reason when not, else NULL. */
static const char *why_closed(const struct sr_manifest *m, const struct sr_manifest_object *o,
                              const struct sr_passphrase *pass)
{
    switch (sr_key_here(m, o->encryption, pass)) {
    case SR_KEY_NO_PHRASE:
        return "not opened: BACKUP_ENCRYPTION_PASSPHRASE is not set here";
    case SR_KEY_NO_SECRET:
        return "not opened: no secret key of its recipients is here";
    case SR_KEY_HERE:
        break;
    }
    return NULL;
}

static int read_through(struct sr_opening *op, struct sr_structure *s, struct sr_error *err)
{
    _cleanup_free_ char *buf = malloc(262144);
    if (!buf)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    for (;;) {
        size_t n = 0;
        int rc = sr_opening_read(op, buf, 262144, &n, err);
        if (rc != SR_OK || n == 0)
            return rc;
        if (s && (rc = sr_structure_feed(s, buf, n, err)) != SR_OK)
            return rc;
    }
}

/* Holds the stored bytes alone against the manifest. */
static int reread(struct sr_context *ctx, struct sr_store_rw *store,
                  const struct sr_manifest_object *o, struct sr_error *err)
{
    struct sr_opening *op = NULL;
    struct sr_opening_options oo = {
        .what = "reading again", .store = store, .key = o->key, .expect = o};
    int rc = sr_opening_start(ctx, &oo, &op, err);
    if (rc == SR_OK)
        rc = read_through(op, NULL, err);
    if (rc == SR_OK)
        rc = sr_opening_end(op, err);
    sr_opening_free(op);
    return rc;
}

/* Tells a damaged object from one that was never any good. Damaged bytes make whatever reads them
 * next complain of its own: err then says what is wrong with the bytes. */
static enum sr_rung fell_at(struct sr_context *ctx, struct sr_store_rw *store, int opened, int rc,
                            const struct sr_manifest_object *o, struct sr_error *err)
{
    struct sr_error stored = SR_ERROR_INIT;
    if (!sr_verify_is_damage(rc))
        return SR_RUNG_NONE;
    int again = opened ? reread(ctx, store, o, &stored) : rc;
    if (again != SR_OK) {
        if (opened && sr_verify_is_damage(again))
            sr_error_copy(err, &stored);
        return sr_verify_is_damage(again) ? SR_RUNG_REREAD : SR_RUNG_NONE;
    }
    return rc == SR_E_KEY || rc == SR_E_UNSUPPORTED ? SR_RUNG_NONE : SR_RUNG_OPENED;
}

static int verify_object(struct sr_context *ctx, struct sr_store_rw *store, const char *closed,
                         const struct sr_manifest_object *o, const struct sr_passphrase *pass,
                         struct sr_verify_object *ret, struct sr_error *err)
{
    struct sr_opening *op = NULL;
    struct sr_structure *s = NULL;
    _cleanup_free_ char *what = NULL;
    if (asprintf(&what, "verifying %s", o->key) < 0) {
        what = NULL;
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    struct sr_opening_options oo = {.what = what,
                                    .store = store,
                                    .key = o->key,
                                    .depth = closed ? SR_OPEN_STORED : SR_OPEN_RAW,
                                    .passphrase = pass,
                                    .expect = o};
    int rc = sr_opening_start(ctx, &oo, &op, err);
    if (rc == SR_OK && !closed)
        rc = sr_structure_new(ctx->cfg, &s, err);
    if (rc == SR_OK)
        rc = read_through(op, s, err);
    if (rc == SR_OK)
        rc = sr_opening_end(op, err);
    if (rc == SR_OK && s) {
        rc = sr_structure_end(s, err);
        if (rc != SR_OK)
            sr_error_wrap(err, "%s", o->key);
    }
    sr_opening_free(op);
    if (rc == SR_E_UNSUPPORTED && s && sr_structure_kind(s) == SR_RESTORE_CUSTOM) {
        /* The fault is pg_restore's: what can be held against the manifest all the same is. */
        _cleanup_free_ char *note = NULL;
        sr_structure_free(s);
        if (asprintf(&note, "archive not parsed: %s", err->text) < 0) {
            note = NULL;
            return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
        }
        sr_error_clear(err);
        return verify_object(ctx, store, note, o, pass, ret, err);
    }
    ret->size = o->size;
    ret->rung = rc != SR_OK                              ? SR_VERIFY_FAILED
                : closed || (s && *sr_structure_note(s)) ? SR_VERIFY_REREAD
                                                         : SR_VERIFY_OPENED;
    if (rc != SR_OK)
        ret->fell = fell_at(ctx, store, !closed, rc, o, err);
    const char *note = rc != SR_OK ? err->text : closed ? closed : s ? sr_structure_note(s) : "";
    if (*note && sr_set_string(&ret->note, note) != SR_OK && rc == SR_OK)
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    sr_structure_free(s);
    return rc;
}

int sr_verify_object(struct sr_context *ctx, struct sr_store_rw *store, const struct sr_manifest *m,
                     const struct sr_manifest_object *o, const struct sr_passphrase *pass,
                     struct sr_verify_object *ret, struct sr_error *err)
{
    return verify_object(ctx, store, why_closed(m, o, pass), o, pass, ret, err);
}

int sr_verify_is_damage(int rc)
{
    return rc == SR_E_CORRUPT || rc == SR_E_NOT_FOUND || rc == SR_E_KEY || rc == SR_E_UNSUPPORTED;
}

int sr_verify_set(struct sr_context *ctx, struct sr_store_rw *store,
                  const struct sr_catalog_set *set, struct sr_verify_result *ret,
                  struct sr_error *err)
{
    struct sr_manifest *m = NULL;
    struct sr_passphrase *pass = NULL;
    struct sr_error first = SR_ERROR_INIT;
    struct sr_verify_result v = {.rung = SR_VERIFY_OPENED};
    int64_t started = sr_clock_monotonic(ctx->clock);
    memcpy(v.set, set->set, sizeof v.set);
    int rc =
        sr_trust_manifest(ctx, sr_store_ro(store), set, SR_TRUST_TO_LOOK, NULL, &m, &v.trust, err);
    if (rc == SR_OK)
        memcpy(v.manifest, m->digest, sizeof v.manifest);
    if (rc == SR_OK)
        rc = sr_passphrase_from_config(ctx->cfg, &pass, err);
    if (rc == SR_OK && !(v.objects = calloc(m->objects_len + 1, sizeof *v.objects)))
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    for (size_t i = 0; rc == SR_OK && i < m->objects_len; i++) {
        struct sr_error e = SR_ERROR_INIT;
        const struct sr_manifest_object *o = &m->objects[i];
        struct sr_verify_object *vo = &v.objects[v.len++];
        v.encrypted |= strcmp(o->encryption, "none") != 0;
        if (sr_set_string(&vo->key, o->key) != SR_OK)
            rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
        else
            rc = sr_verify_object(ctx, store, m, o, pass, vo, &e);
        if (vo->rung < v.rung)
            v.rung = vo->rung;
        if (rc == SR_OK)
            v.bytes += vo->size;
        if (rc == SR_OK)
            continue;
        if (!sr_verify_is_damage(rc)) { /* cancelled, unreachable: nothing is known of the rest */
            sr_error_copy(err, &e);
            break;
        }
        /* Damage: the other objects are looked at all the same. */
        if (first.code == SR_OK)
            first = e;
        rc = SR_OK;
    }
    if (rc == SR_OK && first.code != SR_OK)
        rc = sr_fail(err, SR_E_CORRUPT, "backup %s is damaged: %s", set->set, first.text);
    else if (rc == SR_OK && (rc = sr_unseal_check(ctx, store, m, err)) == SR_E_CORRUPT)
        sr_error_append(err, "; the dumps of %s are whole", set->set);
    v.seconds = (double)(sr_clock_monotonic(ctx->clock) - started) / 1e9;
    sr_manifest_free(m);
    sr_passphrase_free(pass);
    *ret = v;
    return rc;
}

void sr_verify_result_done(struct sr_verify_result *v)
{
    for (size_t i = 0; i < v->len; i++) {
        free(v->objects[i].key);
        free(v->objects[i].note);
    }
    free(v->objects);
    free(v->not_recorded);
    *v = (struct sr_verify_result){0};
}
