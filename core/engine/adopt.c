#include "config.h"
#include "core/engine/audit.h"
#include "core/catalog/catalog.h"
#include "core/engine/fetch.h"
#include "core/engine/opening.h"
#include "core/engine/protection.h"
#include "core/engine/structure.h"
#include "core/engine/trust.h"
#include "core/engine/watch.h"
#include "core/source/pg_conn.h"
#include "core/util/cleanup.h"
#include "core/util/log.h"
#include "core/util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct adopting {
    struct sr_context *ctx;
    struct sr_stores stores;
    struct sr_store_rw *store;
    struct sr_passphrase *passphrase;
    const struct sr_signer *signer; /* NULL: nothing is signed */
    char source[SR_SOURCE_MAX];
    int64_t retain_until; /* what is copied in is locked until then; 0: not */
};

/* What reading a file to its end told about it. */
struct seen {
    struct sr_opening_seen bytes;
    enum sr_restore_kind kind;
    const char *note;
};

static const char *const compressions[] = {
    [SR_COMPRESS_NONE] = "none", [SR_COMPRESS_GZIP] = "gzip", [SR_COMPRESS_ZSTD] = "zstd"};
static const char *const extensions[] = {
    [SR_COMPRESS_NONE] = "", [SR_COMPRESS_GZIP] = "gz", [SR_COMPRESS_ZSTD] = "zst"};

static int examine(struct adopting *a, const char *file, struct sr_detail_object *detail,
                   struct seen *ret, struct sr_error *err)
{
    struct sr_opening *op = NULL;
    struct sr_structure *s = NULL;
    struct sr_opening_options oo = {
        .what = "reading", .file = file, .depth = SR_OPEN_RAW, .passphrase = a->passphrase};
    _cleanup_free_ char *buf = malloc(262144);
    size_t n = 1;
    if (!buf)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    int rc = sr_opening_start(a->ctx, &oo, &op, err);
    if (rc == SR_OK)
        rc = sr_structure_new(a->ctx->cfg, &s, err);
    while (rc == SR_OK && n > 0) {
        rc = sr_opening_read(op, buf, 262144, &n, err);
        if (rc == SR_OK && n > 0)
            rc = sr_structure_feed(s, buf, n, err);
    }
    if (rc == SR_OK)
        rc = sr_opening_end(op, err);
    if (rc == SR_OK && (rc = sr_structure_end(s, err)) != SR_OK)
        sr_error_wrap(err, "%s is not adopted", file);
    if (rc == SR_OK) {
        const struct sr_pg_scan *scan = sr_structure_scan(s);
        sr_opening_seen(op, &ret->bytes);
        ret->kind = sr_structure_kind(s);
        for (size_t i = 0; rc == SR_OK && scan && i < sr_pg_scan_tables(scan); i++) {
            uint64_t rows = 0;
            const char *table = sr_pg_scan_table(scan, i, &rows);
            rc = sr_detail_add_rows(detail, table, rows);
        }
    }
    sr_opening_free(op);
    sr_structure_free(s);
    return rc;
}

/* The file's key when it lies in the store's own folder under a name of the usual shape; else "".
 */
static void key_in_place(const struct adopting *a, const char *file, char key[SR_KEY_MAX])
{
    const char *place = sr_store_place(sr_store_ro(a->store));
    _cleanup_free_ char *real = realpath(file, NULL);
    struct sr_key_parts parts;
    key[0] = '\0';
    if (strncmp(place, "file://", 7) == 0)
        place += 7;
    size_t n = strlen(place);
    if (!real || *place != '/' || strncmp(real, place, n) != 0 || real[n] != '/')
        return;
    const char *rest = real + n + 1;
    sr_key_parse(rest, &parts);
    if (strlen(rest) < SR_KEY_MAX && sr_key_check(rest, NULL) == SR_OK &&
        parts.kind == SR_KEY_OBJECT)
        memcpy(key, rest, strlen(rest) + 1);
}

/* A file that is read for the second time, and what it was the first time. */
struct copying {
    const char *file;
    int fd;
    EVP_MD_CTX *sha;
    const struct seen *seen;
};

static int copy_is_same(struct copying *c, struct sr_error *err)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    char hex[2 * EVP_MAX_MD_SIZE + 1];
    unsigned n = 0;
    if (EVP_DigestFinal_ex(c->sha, sum, &n) != 1)
        return sr_fail(err, SR_E_INTERNAL, "SHA-256 is not to be had from OpenSSL");
    sr_hex(sum, n, hex);
    return strcmp(hex, c->seen->bytes.stored_sha256) == 0
               ? SR_OK
               : sr_fail(err, SR_E_CHANGED, "%s changed while it was being adopted", c->file);
}

static int pull_copy(void *ctx, void *buf, size_t cap, int timeout_ms, size_t *ret_len,
                     struct sr_error *err)
{
    struct copying *c = ctx;
    ssize_t n;
    (void)timeout_ms; /* a file never makes one wait */
    do
        n = read(c->fd, buf, cap);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return sr_fail_errno(err, errno, "cannot read %s", c->file);
    *ret_len = (size_t)n;
    if (n == 0)
        return copy_is_same(c, err);
    return EVP_DigestUpdate(c->sha, buf, (size_t)n) == 1
               ? SR_OK
               : sr_fail(err, SR_E_INTERNAL, "SHA-256 is not to be had from OpenSSL");
}

/* Copies a file from elsewhere into the store under a name made of its own name, its time and its
 * digest. */
static int copy_in(struct adopting *a, const char *file, const struct seen *seen,
                   char key[SR_KEY_MAX], struct sr_error *err)
{
    const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file;
    char stem[256], label[SR_LABEL_MAX + 1], set[SR_SET_MAX];
    struct stat st;
    _cleanup_close_ int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        return sr_fail_errno(err, errno, "cannot read %s", file);
    (void)snprintf(stem, sizeof stem, "%.*s", (int)strcspn(base, "."), base);
    int rc = sr_label_escape(stem, label, err);
    if (rc == SR_OK)
        rc = sr_set_make(label, (int64_t)st.st_mtim.tv_sec, 1, set, err);
    struct sr_object_name name = {.set = set,
                                  .sha256 = seen->bytes.plain_sha256,
                                  .kind = seen->kind == SR_RESTORE_CUSTOM ? "dump" : "sql",
                                  .compression = extensions[seen->bytes.compression],
                                  .encrypted = seen->bytes.was_encrypted};
    if (rc == SR_OK)
        rc = sr_object_key(&name, key, SR_KEY_MAX, err);
    if (rc != SR_OK)
        return rc;
    struct sr_store_object object = {
        .key = key, .size_hint = seen->bytes.stored_size, .retain_until = a->retain_until};
    struct copying c = {.file = file, .fd = fd, .sha = EVP_MD_CTX_new(), .seen = seen};
    if (!c.sha || EVP_DigestInit_ex(c.sha, EVP_sha256(), NULL) != 1)
        rc = sr_fail(err, SR_E_INTERNAL, "SHA-256 is not to be had from OpenSSL");
    if (rc == SR_OK)
        rc = sr_store_save(a->store, &object, pull_copy, &c, NULL, err);
    EVP_MD_CTX_free(c.sha);
    return rc;
}

/* Takes the copy out again: without a manifest it would lie there until it is old. */
static void copy_out(struct adopting *a, const char *key)
{
    struct sr_error e = SR_ERROR_INIT;
    sr_store_resume(a->store);
    if (sr_store_delete(a->store, key, NULL, NULL, &e) != SR_OK)
        sr_log(SR_LOG_WARN, "%s stays behind without a manifest, for `strongroom sweep`: %s", key,
               e.text);
}

/* An object belongs to one backup: were it named by two, retention of the one would take it from
 * the other. */
static int not_taken(struct adopting *a, const char *key, struct sr_error *err)
{
    struct sr_catalog *c = NULL;
    int rc = sr_catalog_read(sr_store_ro(a->store), &c, err);
    for (size_t i = 0; rc == SR_OK && i < c->len; i++) {
        struct sr_manifest *m = NULL;
        if (!c->sets[i].has_manifest || !sr_key_belongs(key, c->sets[i].set))
            continue;
        rc = sr_catalog_manifest(sr_store_ro(a->store), &c->sets[i], &m, err);
        for (size_t k = 0; rc == SR_OK && k < m->objects_len; k++)
            if (strcmp(m->objects[k].key, key) == 0)
                rc = sr_fail(err, SR_E_EXISTS, "%s belongs to the backup %s of %s already", key,
                             c->sets[i].set, c->sets[i].source);
        sr_manifest_free(m);
    }
    sr_catalog_free(c);
    return rc;
}

static int manifest_for(struct adopting *a, const char *key, const struct seen *seen, int64_t time,
                        struct sr_manifest *m, struct sr_error *err)
{
    struct sr_key_parts parts;
    char label[SR_SET_MAX];
    int64_t named = -1;
    sr_key_parse(key, &parts);
    sr_set_split(parts.set, label, &named);
    struct sr_manifest_object *o = sr_manifest_add_object(m);
    const char *encryption = !seen->bytes.was_encrypted ? "none"
                             : a->passphrase            ? "gpg-symmetric"
                                                        : "gpg-public";
    m->format = SR_MANIFEST_FORMAT;
    m->created_at = named >= 0 ? named : time;
    m->finished_at = sr_clock_now(a->ctx->clock);
    if (!o)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    o->size = seen->bytes.stored_size;
    o->plain_size = seen->bytes.plain_size;
    o->raw_size = seen->bytes.raw_size;
    memcpy(o->sha256, seen->bytes.stored_sha256, sizeof o->sha256);
    memcpy(o->plain_sha256, seen->bytes.plain_sha256, sizeof o->plain_sha256);
    int rc = sr_set_string(&m->set, parts.set) | sr_set_string(&m->label, label) |
             sr_set_string(&m->source, a->source) | sr_set_string(&m->trigger, a->ctx->trigger) |
             sr_set_string(&m->strongroom_version, PACKAGE_VERSION) |
             sr_strlist_add(&m->notes, "adopted: made by another program") |
             sr_set_string(&o->key, key) |
             sr_set_string(&o->kind, seen->kind == SR_RESTORE_CUSTOM ? "custom" : "plain") |
             sr_set_string(&o->compression, compressions[seen->bytes.compression]) |
             sr_set_string(&o->encryption, encryption);
    return rc == SR_OK ? SR_OK : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
}

/* Beside a set that has a manifest already it would make that one bad. */
static int sign(struct adopting *a, const char *set, const char *manifest_key,
                const struct sr_buf *manifest, char key[SR_KEY_MAX], struct sr_error *err)
{
    struct sr_buf text;
    if (!a->signer)
        return SR_OK;
    int rc = sr_store_stat(sr_store_ro(a->store), manifest_key, NULL, NULL, err);
    if (rc == SR_OK)
        return sr_fail(err, SR_E_EXISTS, "%s exists already", manifest_key);
    if (rc != SR_E_NOT_FOUND)
        return rc;
    sr_error_clear(err);
    sr_buf_init(&text, SR_SIGNATURE_MAX);
    rc = sr_beside_key(set, a->source, SR_SIGNATURE_SUFFIX, key, SR_KEY_MAX, err);
    if (rc == SR_OK)
        rc = sr_trust_sign(a->signer, set, a->source, manifest, NULL, &text, err);
    if (rc == SR_OK)
        rc = sr_store_save_locked(a->store, key, text.data, text.len, a->retain_until, err);
    if (rc != SR_OK)
        key[0] = '\0';
    sr_buf_done(&text);
    return rc;
}

static int adopt_one(struct adopting *a, const char *file, struct sr_adopted *ret,
                     struct sr_error *err)
{
    struct sr_manifest *m = NULL;
    struct sr_detail *d = NULL;
    struct seen seen = {0};
    struct sr_buf text;
    struct stat st;
    char key[SR_KEY_MAX] = "", beside[SR_KEY_MAX], signature[SR_KEY_MAX] = "";
    int copied = 0;
    sr_buf_init(&text, SR_MANIFEST_MAX);
    int rc = stat(file, &st) == 0 ? SR_OK : sr_fail_errno(err, errno, "cannot read %s", file);
    if (rc == SR_OK)
        rc = sr_manifest_new(&m) | sr_detail_new(&d);
    struct sr_detail_object *detail = rc == SR_OK ? sr_detail_add_object(d) : NULL;
    if (rc == SR_OK && !detail)
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    if (rc == SR_OK)
        rc = examine(a, file, detail, &seen, err);
    if (rc == SR_OK && !seen.bytes.was_encrypted)
        rc = sr_store_check_encryption(sr_store_ro(a->store), file, "none", err);
    if (rc == SR_OK)
        key_in_place(a, file, key);
    if (rc == SR_OK && *key)
        rc = not_taken(a, key, err);
    else if (rc == SR_OK)
        copied = (rc = copy_in(a, file, &seen, key, err)) == SR_OK;
    if (rc == SR_OK)
        rc = manifest_for(a, key, &seen, (int64_t)st.st_mtim.tv_sec, m, err);
    if (rc == SR_OK &&
        (sr_set_string(&detail->key, key) != SR_OK || sr_set_string(&d->set, m->set) != SR_OK))
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    if (rc == SR_OK) {
        /* An encrypted dump tells nothing about its data here either. */
        if (!seen.bytes.was_encrypted)
            m->detail = d;
        rc = sr_manifest_write(m, &text, err);
        m->detail = NULL;
    }
    if (rc == SR_OK)
        rc = sr_beside_key(m->set, a->source, "manifest.json", beside, sizeof beside, err);
    if (rc == SR_OK)
        rc = sign(a, m->set, beside, &text, signature, err);
    if (rc == SR_OK)
        rc = sr_store_save_locked(a->store, beside, text.data, text.len, a->retain_until, err);
    if (rc != SR_OK && rc != SR_E_IN_DOUBT && *signature)
        copy_out(a, signature);
    if (rc != SR_OK && rc != SR_E_IN_DOUBT && copied)
        copy_out(a, key);
    if (rc == SR_OK && *signature)
        sr_trust_made(a->ctx, sr_store_ro(a->store), m->set, a->source, m->created_at);
    if (rc == SR_OK &&
        (sr_set_string(&ret->file, file) != SR_OK || sr_set_string(&ret->set, m->set) != SR_OK))
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    sr_audit_event(a->ctx->audit, "db_backup_adopted", "trigger", a->ctx->trigger, "outcome",
                   rc == SR_OK ? "success" : "failure", "dump_path", file, "key", *key ? key : NULL,
                   NULL);
    sr_buf_done(&text);
    sr_manifest_free(m);
    sr_detail_free(d);
    return rc;
}

static int adopt_source(struct adopting *a, const char *given, struct sr_error *err)
{
    struct sr_pg_target *t = NULL;
    const char *name = given ? given : sr_config_str(a->ctx->cfg, "BACKUP_SOURCE_NAME");
    if (name)
        return sr_source_escape(name, a->source, err);
    int rc = sr_pg_target_from_config(a->ctx->cfg, NULL, &t, err);
    if (rc == SR_OK)
        rc = sr_source_escape(sr_pg_target_database(t), a->source, err);
    else
        sr_error_append(err, " (--database says which database the dumps are of)");
    sr_pg_target_free(t);
    return rc;
}

int sr_adopt_run(struct sr_context *ctx, const struct sr_adopt_options *o, struct sr_adopted **ret,
                 size_t *ret_len, struct sr_error *err)
{
    struct adopting a = {.ctx = ctx};
    struct sr_error own = SR_ERROR_INIT;
    size_t n = 0;
    if (!err)
        err = &own;
    struct sr_adopted *list = calloc(o->files->len + 1, sizeof *list);
    if (!list)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    int rc = adopt_source(&a, o->source, err);
    if (rc == SR_OK)
        rc = sr_passphrase_from_config(ctx->cfg, &a.passphrase, err);
    if (rc == SR_OK)
        rc = sr_trust_keys(ctx, &a.signer, err);
    if (!sr_signer_signs(a.signer))
        a.signer = NULL;
    if (rc == SR_OK)
        rc = sr_stores_open(ctx->cfg, o->store, &a.stores, err);
    if (rc == SR_OK) {
        sr_watch_stores(ctx, &a.stores);
        a.store = a.stores.items[0];
        rc = sr_store_lock_until(sr_store_ro(a.store), sr_clock_now(ctx->clock), &a.retain_until,
                                 err);
    }
    for (size_t i = 0; rc == SR_OK && i < o->files->len; i++) {
        rc = adopt_one(&a, o->files->items[i], &list[n], err);
        n += rc == SR_OK;
    }
    sr_unwatch_stores(ctx, &a.stores);
    sr_stores_close(&a.stores);
    sr_passphrase_free(a.passphrase);
    /* What was adopted before a failure stays adopted, and is told. */
    *ret = list;
    *ret_len = n;
    return rc;
}

void sr_adopted_free(struct sr_adopted *a, size_t len)
{
    for (size_t i = 0; a && i < len; i++) {
        free(a[i].file);
        free(a[i].set);
    }
    free(a);
}
