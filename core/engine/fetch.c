#include "config.h"
#include "core/engine/fetch.h"
#include "core/engine/audit.h"
#include "core/engine/listing.h"
#include "core/engine/opening.h"
#include "core/engine/protection.h"
#include "core/engine/trust.h"
#include "core/engine/watch.h"
#include "core/util/cleanup.h"
#include "core/util/fs.h"
#include "core/util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FETCH_PIECE 262144

struct fetching {
    struct sr_context *ctx;
    const struct sr_fetch_options *o;
    struct sr_stores stores;
    struct sr_store_rw *store;
    struct sr_catalog_set set;
    struct sr_manifest *manifest;
    struct sr_buf text; /* of the manifest, as it was checked */
    struct sr_passphrase *passphrase;
    char *dir;
};

/* A file that appears whole or not at all, and never in another's place. */
struct landing {
    int fd;
    char *path, *tmp;
};

static int landing_begin(const char *dir, const char *name, struct landing *ret,
                         struct sr_error *err)
{
    struct landing l = {-1, sr_fs_join(dir, name), NULL};
    unsigned char rnd[8];
    char hex[17];
    if (sr_random(rnd, sizeof rnd) != 0)
        memset(rnd, 0, sizeof rnd); /* O_EXCL below decides, not luck */
    sr_hex(rnd, sizeof rnd, hex);
    if (!l.path || asprintf(&l.tmp, "%s/.fetch-%s", dir, hex) < 0) {
        free(l.path);
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    *ret = l;
    if (access(l.path, F_OK) == 0)
        return sr_fail(err, SR_E_EXISTS, "%s exists already and is not replaced", l.path);
    ret->fd = open(l.tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (ret->fd < 0)
        return sr_fail_errno(err, errno, "cannot write in %s", dir);
    return SR_OK;
}

static int landing_commit(struct landing *l, struct sr_error *err)
{
    if (fsync(l->fd) != 0)
        return sr_fail_errno(err, errno, "cannot write %s", l->path);
    if (link(l->tmp, l->path) != 0)
        return sr_fail_errno(err, errno, "cannot put %s in place", l->path);
    return SR_OK;
}

static void landing_done(struct landing *l)
{
    if (l->fd >= 0) {
        (void)close(l->fd);
        (void)unlink(l->tmp);
    }
    free(l->path);
    free(l->tmp);
}

static int pour(struct sr_opening *op, int fd, const char *where, struct sr_error *err)
{
    _cleanup_free_ char *buf = malloc(FETCH_PIECE);
    size_t n = 1;
    int rc = buf ? SR_OK : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    while (rc == SR_OK && n > 0) {
        rc = sr_opening_read(op, buf, FETCH_PIECE, &n, err);
        if (rc == SR_OK && n > 0 && sr_write_full(fd, buf, n) != 0)
            rc = sr_fail_errno(err, errno, "cannot write %s", where);
    }
    return rc == SR_OK ? sr_opening_end(op, err) : rc;
}

static int fetch_object(struct fetching *f, const struct sr_manifest_object *o, int fd,
                        const char *where, struct sr_error *err)
{
    struct sr_opening *op = NULL;
    struct sr_opening_options oo = {.what = "fetching",
                                    .store = f->store,
                                    .key = o->key,
                                    .depth = f->o->decrypt ? SR_OPEN_PLAIN : SR_OPEN_STORED,
                                    .passphrase = f->passphrase,
                                    .expect = o};
    int rc = sr_opening_start(f->ctx, &oo, &op, err);
    if (rc == SR_OK)
        rc = pour(op, fd, where, err);
    sr_opening_free(op);
    return rc;
}

/* Decrypted, an object is called what it is: without .gpg. */
static char *local_name(const struct fetching *f, const char *key)
{
    const char *slash = strrchr(key, '/');
    char *name = strdup(slash ? slash + 1 : key);
    size_t n = name ? strlen(name) : 0;
    if (n > 4 && f->o->decrypt && strcmp(name + n - 4, ".gpg") == 0)
        name[n - 4] = '\0';
    return name;
}

static int fetch_to_file(struct fetching *f, const struct sr_manifest_object *o,
                         struct sr_strlist *ret_files, struct sr_error *err)
{
    struct landing l = {-1, NULL, NULL};
    _cleanup_free_ char *name = local_name(f, o->key);
    if (!name)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    int rc = landing_begin(f->dir, name, &l, err);
    if (rc == SR_OK)
        rc = fetch_object(f, o, l.fd, l.path, err);
    if (rc == SR_OK)
        rc = landing_commit(&l, err);
    if (rc == SR_OK && sr_strlist_add(ret_files, l.path) != SR_OK)
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    landing_done(&l);
    return rc;
}

static int put_beside(struct fetching *f, const char *key, const struct sr_buf *text,
                      struct sr_strlist *ret_files, struct sr_error *err)
{
    struct landing l = {-1, NULL, NULL};
    int rc = landing_begin(f->dir, key, &l, err);
    if (rc == SR_OK && sr_write_full(l.fd, sr_buf_str(text), text->len) != 0)
        rc = sr_fail_errno(err, errno, "cannot write %s", l.path);
    if (rc == SR_OK)
        rc = landing_commit(&l, err);
    if (rc == SR_OK && sr_strlist_add(ret_files, l.path) != SR_OK)
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    landing_done(&l);
    return rc;
}

/* What lies beside the objects, so that the folder is a store in itself. Where sha256 is not empty
 * somebody vouches for it. */
static int fetch_beside(struct fetching *f, const char *key, const char *sha256,
                        struct sr_strlist *ret_files, struct sr_error *err)
{
    struct sr_buf b;
    char sum[65] = "";
    sr_buf_init(&b, SR_DETAIL_MAX);
    int rc = sr_store_fetch_small(sr_store_ro(f->store), key, &b, err);
    if (rc == SR_OK && *sha256)
        rc = sr_trust_sha256(sr_buf_str(&b), b.len, sum, err);
    if (rc == SR_OK && strcmp(sum, sha256) != 0)
        rc = sr_fail(err, SR_E_CORRUPT, "%s is not the one that was signed", key);
    if (rc == SR_OK)
        rc = put_beside(f, key, &b, ret_files, err);
    sr_buf_done(&b);
    return rc;
}

static int fetch_besides(struct fetching *f, struct sr_strlist *ret_files, struct sr_error *err)
{
    char key[SR_KEY_MAX];
    int rc = SR_OK;
    if (f->manifest->detail_key)
        rc = fetch_beside(f, f->manifest->detail_key, f->manifest->detail_sha256, ret_files, err);
    if (rc == SR_OK)
        rc = sr_beside_key(f->set.set, f->set.source, "sha256", key, sizeof key, err);
    if (rc == SR_OK && (rc = fetch_beside(f, key, "", ret_files, err)) == SR_E_NOT_FOUND)
        rc = SR_OK; /* adopted sets have none */
    if (rc == SR_OK)
        rc = sr_beside_key(f->set.set, f->set.source, SR_SIGNATURE_SUFFIX, key, sizeof key, err);
    if (rc == SR_OK && (rc = fetch_beside(f, key, "", ret_files, err)) == SR_E_NOT_FOUND)
        rc = SR_OK;
    if (rc == SR_OK)
        rc = sr_beside_key(f->set.set, f->set.source, "manifest.json", key, sizeof key, err);
    /* The bytes that were checked, whatever lies there now. */
    return rc == SR_OK ? put_beside(f, key, &f->text, ret_files, err) : rc;
}

static int fetch_to_stdout(struct fetching *f, const char *object, struct sr_error *err)
{
    const struct sr_manifest *m = f->manifest;
    const struct sr_manifest_object *only = NULL;
    size_t fit = 0;
    for (size_t i = 0; i < m->objects_len; i++)
        if (*object ? strcmp(m->objects[i].key, object) == 0
                    : strcmp(m->objects[i].kind, "globals") != 0) {
            only = &m->objects[i];
            fit++;
        }
    if (fit != 1)
        return sr_fail(
            err, SR_E_USAGE,
            "%s holds %zu dumps and standard output takes one; name the object, or give a folder "
            "with --output",
            m->set, fit);
    return fetch_object(f, only, f->o->out_fd, "standard output", err);
}

static int fetch_all(struct fetching *f, struct sr_strlist *ret_files, struct sr_error *err)
{
    char object[SR_KEY_MAX] = "";
    const char *out = f->o->output ? f->o->output : ".";
    int rc = sr_passphrase_from_config(f->ctx->cfg, &f->passphrase, err);
    if (rc == SR_OK)
        rc = sr_stores_open_reachable(f->ctx->cfg, f->o->store, 1, &f->stores, err);
    if (rc == SR_OK)
        sr_watch_stores(f->ctx, &f->stores);
    if (rc == SR_OK)
        rc = sr_backup_locate(f->ctx, &f->stores, f->o->backup, f->o->database, f->o->label,
                              &f->store, &f->set, object, err);
    if (rc == SR_OK)
        rc = sr_trust_manifest(f->ctx, sr_store_ro(f->store), &f->set,
                               sr_trust_use_of(f->o->backup, f->o->label), &f->text, &f->manifest,
                               NULL, err);
    if (rc != SR_OK)
        return rc;
    if (strcmp(out, "-") == 0)
        return fetch_to_stdout(f, object, err);
    rc = sr_fs_mkdirs(out, 0700, err);
    if (rc == SR_OK && sr_set_string(&f->dir, out) != SR_OK)
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    for (size_t i = 0; rc == SR_OK && i < f->manifest->objects_len; i++)
        if (!*object || strcmp(object, f->manifest->objects[i].key) == 0)
            rc = fetch_to_file(f, &f->manifest->objects[i], ret_files, err);
    if (rc == SR_OK && !*object && !f->o->decrypt)
        rc = fetch_besides(f, ret_files, err);
    return rc == SR_OK ? sr_fs_sync_dir(out, err) : rc;
}

int sr_fetch_run(struct sr_context *ctx, const struct sr_fetch_options *o,
                 struct sr_strlist *ret_files, struct sr_error *err)
{
    struct sr_error own = SR_ERROR_INIT;
    struct fetching f = {.ctx = ctx, .o = o};
    sr_buf_init(&f.text, SR_MANIFEST_MAX);
    if (!err)
        err = &own;
    int rc = fetch_all(&f, ret_files, err);
    sr_audit_event(ctx->audit, "db_backup_fetched", "trigger", ctx->trigger, "outcome",
                   rc == SR_OK ? "success" : "failure", "set", *f.set.set ? f.set.set : o->backup,
                   "decrypted", o->decrypt ? "yes" : "no", "error", rc == SR_OK ? NULL : err->text,
                   NULL);
    sr_manifest_free(f.manifest);
    sr_buf_done(&f.text);
    sr_unwatch_stores(ctx, &f.stores);
    sr_stores_close(&f.stores);
    sr_passphrase_free(f.passphrase);
    free(f.dir);
    return rc;
}
