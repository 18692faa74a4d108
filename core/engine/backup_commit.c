#include "config.h"
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

/* A small object of the set, told to the journal first; the manifest is none. */
static int save_beside(struct sr_run *r, const char *key, const struct sr_buf *text,
                       struct sr_error *err)
{
    int rc = sr_journal_key(r->journal, key, err);
    return rc == SR_OK ? sr_transfer_small(r->ctx, key, text->data, text->len, r->targets,
                                           r->stores.len, err)
                       : rc;
}

/* Lines for `sha256sum -c`, run in the folder that the set's keys count from. */
static int commit_sums(struct sr_run *r, const char *detail_key, const struct sr_buf *detail,
                       struct sr_error *err)
{
    struct sr_buf b;
    char key[SR_KEY_MAX];
    const struct sr_manifest *m = r->result->manifest;
    sr_buf_init(&b, 1u << 20);
    int rc = SR_OK;
    for (size_t i = 0; rc == SR_OK && i < m->objects_len; i++)
        if (sr_buf_printf(&b, "%s  %s\n", m->objects[i].sha256, m->objects[i].key) != SR_OK)
            rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    if (rc == SR_OK && detail_key) {
        unsigned char sum[EVP_MAX_MD_SIZE];
        char hex[2 * EVP_MAX_MD_SIZE + 1];
        unsigned n = 0;
        if (EVP_Digest(detail->data, detail->len, sum, &n, EVP_sha256(), NULL) != 1)
            rc = sr_fail(err, SR_E_INTERNAL, "SHA-256 is not to be had from OpenSSL");
        if (rc == SR_OK) {
            sr_hex(sum, n, hex);
            if (sr_buf_printf(&b, "%s  %s\n", hex, detail_key) != SR_OK)
                rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
        }
    }
    if (rc == SR_OK)
        rc = sr_beside_key(r->set, r->source, "sha256", key, sizeof key, err);
    if (rc == SR_OK)
        rc = save_beside(r, key, &b, err);
    sr_buf_done(&b);
    return rc;
}

/* Encrypted sets keep what tells about the data in an object of its own; plain ones in the
 * manifest. */
static int commit_detail(struct sr_run *r, struct sr_buf *sealed, struct sr_error *err)
{
    struct sr_manifest *m = r->result->manifest;
    struct sr_buf text;
    char key[SR_KEY_MAX];
    sr_buf_init(&text, SR_DETAIL_MAX);
    int rc = sr_detail_write(r->result->detail, &text, err);
    if (rc == SR_OK)
        rc = sr_transfer_seal(&r->protection, text.data, text.len, sealed, err);
    if (rc == SR_OK)
        rc = sr_beside_key(r->set, r->source, SR_DETAIL_SUFFIX, key, sizeof key, err);
    if (rc == SR_OK && sr_set_string(&m->detail_key, key) != SR_OK)
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    if (rc == SR_OK)
        rc = save_beside(r, key, sealed, err);
    sr_buf_done(&text);
    return rc;
}

/* How to get the data back without strongroom; written once a store. */
static void commit_recover_text(struct sr_run *r)
{
    for (size_t i = 0; i < r->stores.len; i++)
        if (!r->targets[i].failed)
            sr_recover_text_save(r->targets[i].store);
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

/* Is every object there that the manifest is about to vouch for? Between its save and now another
 * hand (a sweep elsewhere, a person) may have taken it away. A store that cannot be asked (no right
 * to list, a hiccup) has confirmed its saves and is believed. */
static void check_target(const struct sr_manifest *m, struct sr_target *t)
{
    for (size_t i = 0; i < m->objects_len && !t->failed; i++) {
        struct sr_error e = SR_ERROR_INIT;
        int rc = sr_store_still_holds(sr_store_ro(t->store), &m->objects[i], &e);
        if (rc == SR_E_CHANGED)
            sr_target_fail(t, &e);
        else if (rc != SR_OK)
            sr_log(SR_LOG_VERBOSE, "%s could not be looked at before the manifest: %s",
                   m->objects[i].key, e.text);
    }
}

static int check_objects(struct sr_run *r, struct sr_error *err)
{
    for (size_t i = 0; i < r->stores.len; i++)
        if (!r->targets[i].failed)
            check_target(r->result->manifest, &r->targets[i]);
    for (size_t i = 0; i < r->stores.len; i++)
        if (!r->targets[i].failed)
            return SR_OK;
    return sr_error_copy(err, &r->targets[0].error);
}

int sr_run_commit(struct sr_run *r, struct sr_error *err)
{
    struct sr_manifest *m = r->result->manifest;
    struct sr_buf sealed, text;
    char key[SR_KEY_MAX];
    sr_buf_init(&sealed, SR_DETAIL_MAX);
    sr_buf_init(&text, SR_MANIFEST_MAX);
    int encrypted = sr_protection_encrypts(&r->protection);
    int rc = fill_manifest(r, err);
    if (rc == SR_OK && encrypted)
        rc = commit_detail(r, &sealed, err);
    if (rc == SR_OK)
        rc = commit_sums(r, m->detail_key, &sealed, err);
    if (rc == SR_OK) {
        commit_recover_text(r);
        if (!encrypted)
            m->detail = r->result->detail; /* lent for the writing only */
        rc = sr_manifest_write(m, &text, err);
        m->detail = NULL;
    }
    if (rc == SR_OK)
        rc = check_objects(r, err);
    if (rc == SR_OK)
        rc = sr_beside_key(r->set, r->source, "manifest.json", key, sizeof key, err);
    if (rc == SR_OK)
        rc = sr_transfer_small(r->ctx, key, text.data, text.len, r->targets, r->stores.len, err);
    sr_buf_done(&sealed);
    sr_buf_done(&text);
    return rc;
}
