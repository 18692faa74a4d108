/* One object of a sync: from store to store, or read again. */
#include "config.h"
#include "core/engine/object_input.h"
#include "core/engine/sync_private.h"
#include "core/pipeline/openpgp.h"
#include "core/pipeline/step.h"
#include "core/util/text.h"

#include <openssl/evp.h>
#include <string.h>

/* Sees every byte that passes, on the pipeline's thread or a fetch's. */
struct seeing {
    struct sr_sync_lane *l;
    const char *store; /* where the bytes come from */
    const struct sr_sync_object *o;
    EVP_MD_CTX *md;
    uint64_t seen;
    unsigned char head[SR_OPENPGP_PEEK];
    size_t head_len;
    int counts; /* these bytes are progress */
    int bad;    /* they are not what they should be */
};

static int seeing_begin(struct seeing *v, struct sr_error *err)
{
    v->md = EVP_MD_CTX_new();
    if (!v->md)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    return EVP_DigestInit_ex(v->md, EVP_sha256(), NULL) == 1
               ? SR_OK
               : sr_fail(err, SR_E_INTERNAL, "SHA-256 is not to be had from OpenSSL");
}

/* Told by the bytes and not by the name, before the last of them is given away. */
static int seeing_check_head(struct seeing *v, struct sr_error *err)
{
    if (!v->o->encrypted || sr_openpgp_form(v->head, v->head_len) != SR_OPENPGP_NO)
        return SR_OK;
    v->bad = 1;
    return sr_fail(err, SR_E_CORRUPT,
                   "store %s: %s is said to be encrypted and is not, so it is not copied", v->store,
                   v->o->key);
}

static int seeing_feed(void *ctx, const void *data, size_t len, struct sr_error *err)
{
    struct seeing *v = ctx;
    if (v->head_len < sizeof v->head) {
        size_t n = sizeof v->head - v->head_len < len ? sizeof v->head - v->head_len : len;
        memcpy(v->head + v->head_len, data, n);
        v->head_len += n;
        if (v->head_len == sizeof v->head && seeing_check_head(v, err) != SR_OK)
            return SR_E_CORRUPT;
    }
    v->seen += len;
    if (v->counts)
        atomic_fetch_add(&v->l->s->done, len);
    return EVP_DigestUpdate(v->md, data, len) == 1
               ? SR_OK
               : sr_fail(err, SR_E_INTERNAL, "SHA-256 failed in OpenSSL");
}

static int seeing_digest(struct seeing *v, char hex[SR_SHA256_HEX], struct sr_error *err)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (EVP_DigestFinal_ex(v->md, sum, &n) != 1 || n != SR_SHA256_SIZE)
        return sr_fail(err, SR_E_INTERNAL, "SHA-256 failed in OpenSSL");
    sr_hex(sum, n, hex);
    return SR_OK;
}

/* After the last byte and before the store that saves them sees the end. */
static int seeing_end(void *ctx, struct sr_error *err)
{
    struct seeing *v = ctx;
    char hex[SR_SHA256_HEX];
    int rc = v->head_len < sizeof v->head ? seeing_check_head(v, err) : SR_OK;
    if (rc == SR_OK)
        rc = seeing_digest(v, hex, err);
    if (rc != SR_OK)
        return rc;
    if (strcmp(hex, v->o->sha256) == 0)
        return SR_OK;
    v->bad = 1;
    return sr_fail(err, SR_E_CORRUPT,
                   "store %s: %s is damaged: its %llu bytes have SHA-256 %s, the manifest says %s",
                   v->store, v->o->key, (unsigned long long)v->seen, hex, v->o->sha256);
}

/* --- reading again --- */

static int reread_write(void *ctx, const void *data, size_t len, struct sr_error *err)
{
    struct seeing *v = ctx;
    int rc = sr_context_check(v->l->s->ctx, err);
    return rc == SR_OK ? seeing_feed(v, data, len, err) : rc;
}

int sr_sync_reread(struct sr_sync_lane *l, struct sr_store_rw *store, const char *key,
                   const char *sha256, int *ret_whole, struct sr_error *err)
{
    const struct sr_sync_object o = {.key = key, .sha256 = sha256};
    struct seeing v = {.l = l, .store = sr_store_name(sr_store_ro(store)), .o = &o};
    char hex[SR_SHA256_HEX];
    int rc = sr_context_check(l->s->ctx, err);
    if (rc == SR_OK)
        rc = seeing_begin(&v, err);
    if (rc == SR_OK)
        rc = sr_store_fetch(sr_store_ro(store), key, 0, SR_SIZE_UNKNOWN, reread_write, &v, err);
    if (rc == SR_OK)
        rc = seeing_digest(&v, hex, err);
    if (rc == SR_OK)
        *ret_whole = strcmp(hex, sha256) == 0;
    EVP_MD_CTX_free(v.md);
    return rc;
}

/* --- copying --- */

struct streaming {
    struct sr_pipeline *pipeline;
    int rc; /* what reading came to, when it failed */
};

static int stream_pull(void *ctx, void *buf, size_t cap, int timeout_ms, size_t *ret_len,
                       struct sr_error *err)
{
    struct streaming *s = ctx;
    int rc = sr_pipeline_read(s->pipeline, 0, buf, cap, timeout_ms, ret_len, err);
    if (rc != SR_OK && rc != SR_E_AGAIN)
        s->rc = rc;
    return rc;
}

/* The store may tell another digest than the one that passed: what it holds is then no copy. */
static int saved_check(const struct sr_sync_lane *l, const struct sr_sync_object *o,
                       const struct sr_store_saved *saved, struct sr_error *err)
{
    if (!saved->sha256_confirmed || strcmp(saved->sha256, o->sha256) == 0)
        return SR_OK;
    (void)sr_store_delete(l->to, o->key, NULL, NULL, NULL);
    return sr_fail(err, SR_E_CORRUPT, "store %s says that %s has SHA-256 %s, and %s was sent",
                   sr_store_name(sr_store_ro(l->to)), o->key, saved->sha256, o->sha256);
}

static int stream(struct sr_sync_lane *l, const struct sr_sync_object *o, int *ret_source_bad,
                  struct sr_error *err)
{
    struct seeing v = {.l = l, .store = sr_store_name(sr_store_ro(l->from)), .o = o, .counts = 1};
    const struct sr_pipeline_options po = {.outlets = 1};
    const struct sr_store_object object = {.key = o->key,
                                           .size_hint = o->size,
                                           .retain_until = l->s->lock_until,
                                           .replace = o->replace};
    struct streaming s = {0};
    struct sr_object_input *in = NULL;
    struct sr_store_saved saved;
    int rc = seeing_begin(&v, err);
    if (rc == SR_OK)
        rc = sr_object_input_store(l->from, o->key, &in, err);
    if (rc == SR_OK)
        rc = sr_pipeline_new(&po, &s.pipeline, err);
    if (rc == SR_OK)
        rc = sr_pipeline_add(s.pipeline,
                             sr_step_observe_new(SR_PHASE_BACK_STORED, seeing_feed, seeing_end, &v),
                             err);
    if (rc == SR_OK)
        rc = sr_pipeline_start(s.pipeline, sr_object_input_get(in), err);
    if (rc == SR_OK) {
        rc = sr_store_save(l->to, &object, stream_pull, &s, &saved, err);
        if (rc != SR_OK)
            sr_pipeline_cancel(s.pipeline, NULL);
    }
    if (rc == SR_OK)
        rc = sr_pipeline_finish(s.pipeline, err);
    if (rc == SR_OK)
        rc = saved_check(l, o, &saved, err);
    sr_pipeline_free(s.pipeline);
    sr_object_input_free(in);
    EVP_MD_CTX_free(v.md);
    /* What is not there, or not to be read as it was stored, is damage as well. */
    *ret_source_bad = v.bad || s.rc == SR_E_NOT_FOUND || s.rc == SR_E_CORRUPT;
    return rc;
}

/* The bytes do not pass through here, so what came of it is looked at: by the digest that the store
 * states, or else by reading the copy. */
static int copy_inside(struct sr_sync_lane *l, const struct sr_sync_object *o, int *ret_source_bad,
                       struct sr_error *err)
{
    const struct sr_store_object object = {.key = o->key, .replace = o->replace};
    struct sr_store_saved saved;
    int whole = 0;
    int rc = sr_store_copy(l->to, sr_store_ro(l->from), &object, &saved, err);
    if (rc == SR_OK && saved.sha256_confirmed)
        whole = strcmp(saved.sha256, o->sha256) == 0;
    else if (rc == SR_OK)
        rc = sr_sync_reread(l, l->to, o->key, o->sha256, &whole, err);
    if (rc == SR_OK && whole) {
        atomic_fetch_add(&l->s->done, o->size == SR_SIZE_UNKNOWN ? 0 : o->size);
        return SR_OK;
    }
    if (rc == SR_OK) {
        *ret_source_bad = 1;
        /* It is a copy: what it was made of is no better. */
        (void)sr_store_delete(l->to, o->key, NULL, NULL, NULL);
        rc = sr_fail(err, SR_E_CORRUPT,
                     "store %s: %s is damaged: its SHA-256 is not the manifest's, %s",
                     sr_store_name(sr_store_ro(l->from)), o->key, o->sha256);
    }
    return rc;
}

/* Takes away what is damaged in TO, after FROM's own bytes were found to be right: for stores that
 * cannot put one object in the place of another. */
static int make_room(struct sr_sync_lane *l, const struct sr_sync_object *o, int *ret_source_bad,
                     struct sr_error *err)
{
    enum sr_store_deletion how = SR_DELETION_DONE;
    int whole = 0;
    int rc = sr_sync_reread(l, l->from, o->key, o->sha256, &whole, err);
    *ret_source_bad = rc == SR_E_NOT_FOUND || rc == SR_E_CORRUPT || (rc == SR_OK && !whole);
    if (rc == SR_OK && !whole)
        rc =
            sr_fail(err, SR_E_CORRUPT, "store %s: %s is damaged, there and in store %s",
                    sr_store_name(sr_store_ro(l->from)), o->key, sr_store_name(sr_store_ro(l->to)));
    if (rc == SR_OK)
        rc = sr_store_delete(l->to, o->key, &how, NULL, err);
    if (rc == SR_OK && how == SR_DELETION_LOCKED)
        rc = sr_fail(err, SR_E_LOCKED, "store %s keeps the damaged %s locked",
                     sr_store_name(sr_store_ro(l->to)), o->key);
    return rc;
}

int sr_sync_copy(struct sr_sync_lane *l, const struct sr_sync_object *o, int *ret_source_bad,
                 struct sr_error *err)
{
    struct sr_error e = SR_ERROR_INIT;
    struct sr_sync_object again = *o;
    *ret_source_bad = 0;
    int rc = sr_context_check(l->s->ctx, err);
    if (rc != SR_OK)
        return rc;
    /* Where the bytes must be looked at they have to come by. A damaged object is replaced by what
     * is known to be right alone, so that goes by here as well, and so does what cannot be taken
     * away again. */
    if (!o->encrypted && !o->replace && !l->s->lock_until) {
        rc = copy_inside(l, o, ret_source_bad, &e);
        if (rc != SR_E_UNSUPPORTED && rc != SR_E_DENIED && rc != SR_E_NOT_FOUND)
            return rc == SR_OK ? SR_OK : sr_error_copy(err, &e);
        sr_error_clear(&e);
    }
    rc = stream(l, o, ret_source_bad, &e);
    if (rc == SR_E_UNSUPPORTED && o->replace && !*ret_source_bad) {
        sr_error_clear(&e);
        again.replace = 0;
        rc = make_room(l, o, ret_source_bad, &e);
        if (rc == SR_OK)
            rc = stream(l, &again, ret_source_bad, &e);
    }
    return rc == SR_OK ? SR_OK : sr_error_copy(err, &e);
}
