#include "config.h"
#include "core/catalog/sums.h"
#include "core/engine/recover_text.h"
#include "core/engine/run.h"
#include "core/pipeline/step.h"
#include "core/util/cleanup.h"
#include "core/util/log.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/util/text.h"

/* Lines for `sha256sum -c`, run in the folder that the set's keys count from. */
static int make_sums(struct sr_run *r, struct sr_error *err)
{
    const struct sr_manifest *m = r->result->manifest;
    int rc = SR_OK;
    for (size_t i = 0; rc == SR_OK && i < m->objects_len; i++)
        rc = sr_sums_add(&r->sums, m->objects[i].sha256, m->objects[i].key, err);
    if (rc == SR_OK && *r->detail_key) {
        unsigned char sum[EVP_MAX_MD_SIZE];
        char hex[2 * EVP_MAX_MD_SIZE + 1];
        unsigned n = 0;
        if (EVP_Digest(r->detail.data, r->detail.len, sum, &n, EVP_sha256(), NULL) != 1)
            rc = sr_fail(err, SR_E_INTERNAL, "SHA-256 is not to be had from OpenSSL");
        if (rc == SR_OK) {
            sr_hex(sum, n, hex);
            rc = sr_sums_add(&r->sums, hex, r->detail_key, err);
        }
    }
    return rc == SR_OK
               ? sr_beside_key(r->set, r->source, "sha256", r->sums_key, sizeof r->sums_key, err)
               : rc;
}

/* Encrypted sets keep what tells about the data in an object of its own; plain ones in the
 * manifest. */
static int make_detail(struct sr_run *r, struct sr_error *err)
{
    struct sr_buf text;
    sr_buf_init(&text, SR_DETAIL_MAX);
    int rc = sr_detail_write(r->result->detail, &text, err);
    if (rc == SR_OK)
        rc = sr_transfer_seal(&r->protection, text.data, text.len, &r->detail, err);
    if (rc == SR_OK)
        rc = sr_beside_key(r->set, r->source, SR_DETAIL_SUFFIX, r->detail_key, sizeof r->detail_key,
                           err);
    if (rc == SR_OK && sr_set_string(&r->result->manifest->detail_key, r->detail_key) != SR_OK)
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    sr_buf_done(&text);
    return rc;
}

static int fill_manifest(struct sr_run *r, struct sr_error *err)
{
    struct sr_manifest *m = r->result->manifest;
    char label[SR_SET_MAX];
    int64_t unused;
    int encrypted = sr_protection_encrypts(&r->protection);
    sr_set_split(r->set, label, &unused);
    m->format = SR_MANIFEST_FORMAT;
    m->created_at = r->created_at;
    m->finished_at = sr_clock_now(r->ctx->clock);
    int rc = sr_set_string(&m->set, r->set) | sr_set_string(&m->label, label) |
             sr_set_string(&m->source, r->source) | sr_set_string(&m->trigger, r->ctx->trigger) |
             sr_set_string(&m->strongroom_version, PACKAGE_VERSION) |
             sr_strlist_addf(&m->tools, "pg_dump %s", r->dump.version_text) |
             sr_strlist_addf(&m->tools, "postgresql %s", sr_pg_server_version_text(r->conn));
    if (r->protection.compress.kind != SR_COMPRESS_NONE)
        rc |= sr_strlist_addf(&m->tools, "%s %s", r->protection.compression,
                              sr_compress_backend(r->protection.compress.kind));
    if (encrypted)
        rc |= sr_strlist_addf(&m->tools, "gpg %s", sr_gpg_version());
    for (size_t i = 0; r->protection.recipients && i < sr_recipients_len(r->protection.recipients);
         i++)
        rc |=
            sr_strlist_add(&m->recipients, sr_recipients_fingerprint(r->protection.recipients, i));
    if (encrypted) /* names tell about the data */
        for (size_t i = 0; i < m->objects_len; i++)
            rc |= sr_set_string(&m->objects[i].database, NULL);
    else
        rc |= sr_set_string(&m->host, r->result->detail->host);
    return rc == SR_OK ? SR_OK : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
}

static int make_manifest(struct sr_run *r, struct sr_error *err)
{
    struct sr_manifest *m = r->result->manifest;
    if (!sr_protection_encrypts(&r->protection))
        m->detail = r->result->detail; /* lent for the writing only */
    int rc = sr_manifest_write(m, &r->manifest, err);
    m->detail = NULL;
    return rc == SR_OK ? sr_beside_key(r->set, r->source, "manifest.json", r->manifest_key,
                                       sizeof r->manifest_key, err)
                       : rc;
}

/* The key was tried before the dump. Should it fail now (an agent that forgot the passphrase in the
 * hours between), the dump is worth more than its signature: it is kept, and the run says so. */
static int make_signature(struct sr_run *r, struct sr_error *err)
{
    if (!r->signer)
        return SR_OK;
    int rc = sr_beside_key(r->set, r->source, SR_SIGNATURE_SUFFIX, r->signature_key,
                           sizeof r->signature_key, err);
    if (rc != SR_OK)
        return rc;
    if (sr_trust_sign(r->signer, r->set, r->source, &r->manifest,
                      *r->detail_key ? &r->detail : NULL, &r->signature, &r->unsigned_why) == SR_OK)
        return sr_journal_key(r->journal, r->signature_key, err);
    r->signature_key[0] = '\0';
    return SR_OK;
}

/* --- in one store --- */

/* Is every object there that the manifest is about to vouch for? Between its save and now another
 * hand (a sweep elsewhere, a person) may have taken it away. A store that cannot be asked (no right
 * to list, a hiccup) has confirmed its saves and is believed. */
static int check_objects(const struct sr_manifest *m, struct sr_target *t, struct sr_error *err)
{
    for (size_t i = 0; i < m->objects_len; i++) {
        struct sr_error e = SR_ERROR_INIT;
        int rc = sr_store_still_holds(sr_store_ro(t->store), &m->objects[i], &e);
        if (rc == SR_E_CHANGED)
            return sr_error_copy(err, &e);
        if (rc != SR_OK)
            sr_log(SR_LOG_VERBOSE, "%s could not be looked at before the manifest: %s",
                   m->objects[i].key, e.text);
    }
    return SR_OK;
}

static int save_beside(const struct sr_run *r, struct sr_target *t, const char *key,
                       const struct sr_buf *text, struct sr_error *err)
{
    if (!*key || sr_strlist_has(&t->saved, key))
        return SR_OK;
    int rc = sr_context_check(r->ctx, err);
    return rc == SR_OK ? sr_target_save(t, key, text->data, text->len, err) : rc;
}

int sr_run_commit_in(struct sr_target *t, void *run, struct sr_error *err)
{
    const struct sr_run *r = run;
    int64_t start = sr_clock_monotonic(r->ctx->clock);
    int rc = save_beside(r, t, r->detail_key, &r->detail, err);
    if (rc == SR_OK)
        rc = save_beside(r, t, r->sums_key, &r->sums, err);
    if (rc == SR_OK) {
        sr_recover_text_save(t->store); /* never locked */
        rc = check_objects(r->result->manifest, t, err);
    }
    if (rc == SR_OK)
        rc = save_beside(r, t, r->signature_key, &r->signature, err);
    if (rc == SR_OK)
        rc = save_beside(r, t, r->manifest_key, &r->manifest, err);
    if (rc == SR_OK && *r->signature_key)
        sr_trust_made(r->ctx, sr_store_ro(t->store), r->set, r->source, r->created_at);
    t->busy_ns += sr_clock_monotonic(r->ctx->clock) - start;
    return rc;
}

/* --- in all --- */

int sr_run_commit(struct sr_run *r, struct sr_error *err)
{
    sr_buf_init(&r->detail, SR_DETAIL_MAX);
    sr_buf_init(&r->sums, SR_SUMS_MAX);
    sr_buf_init(&r->manifest, SR_MANIFEST_MAX);
    sr_buf_init(&r->signature, SR_SIGNATURE_MAX);
    int rc = fill_manifest(r, err);
    if (rc == SR_OK && sr_protection_encrypts(&r->protection))
        rc = make_detail(r, err);
    if (rc == SR_OK)
        rc = make_sums(r, err);
    if (rc == SR_OK)
        rc = make_manifest(r, err);
    if (rc == SR_OK)
        rc = make_signature(r, err);
    if (rc == SR_OK && *r->detail_key)
        rc = sr_journal_key(r->journal, r->detail_key, err);
    if (rc == SR_OK)
        rc = sr_journal_key(r->journal, r->sums_key, err);
    if (rc == SR_OK)
        rc = sr_crew_post(&r->crew, sr_run_commit_in, r, err);
    if (rc != SR_OK)
        return rc;
    sr_crew_wait(&r->crew);
    return sr_targets_alive(r->targets, r->crew.len) > 0 ? SR_OK : sr_crew_error(&r->crew, err);
}
