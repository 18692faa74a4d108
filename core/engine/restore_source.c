#include "config.h"
#include "core/engine/listing.h"
#include "core/engine/protection.h"
#include "core/engine/restore_run.h"
#include "core/engine/structure.h"
#include "core/engine/trust.h"
#include "core/engine/watch.h"
#include "core/util/cleanup.h"
#include "core/util/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The object of a set that fits: the database asked for, custom before plain where several jobs may
 * run. */
static int object_choose(struct sr_restoring *r, struct sr_error *err)
{
    const struct sr_manifest *m = r->manifest;
    const struct sr_manifest_object *found = NULL;
    char part[SR_SOURCE_MAX] = "", names[512] = "";
    int several = 0;
    if (r->o->database && sr_source_escape(r->o->database, part, err) != SR_OK)
        return err->code;
    for (size_t i = 0; i < m->objects_len; i++) {
        const struct sr_manifest_object *o = &m->objects[i];
        char infix[SR_SOURCE_MAX + 2];
        (void)snprintf(infix, sizeof infix, ".%s.", part);
        if (strcmp(o->kind, "globals") == 0)
            continue;
        if (*part && strcmp(part, m->source) != 0 && !strstr(o->key, infix))
            continue;
        size_t used = strlen(names);
        (void)snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", o->key);
        /* Two formats of one database are no choice that needs asking. */
        if (found && strcmp(o->kind, found->kind) == 0)
            several = 1;
        if (!found || strcmp(o->kind, "custom") == 0)
            found = o;
    }
    if (!found)
        return sr_fail(err, SR_E_NOT_FOUND, "backup %s holds no dump of %s", m->set,
                       r->o->database ? r->o->database : "a database");
    if (several)
        return sr_fail(err, SR_E_USAGE,
                       "backup %s holds several databases; say which one with --database, or name "
                       "the object: %s",
                       m->set, names);
    r->object = found;
    return SR_OK;
}

/* "latest" of a store that several databases share is whichever was dumped last. When the database
 * that this restore is about has backups of its own, another's must be asked for by name. */
static int latest_is_meant(struct sr_restoring *r, const struct sr_catalog_set *found,
                           struct sr_error *err)
{
    const char *colon = strchr(r->o->backup, ':');
    struct sr_pg_target *t = NULL;
    if (r->o->database || strcmp(colon ? colon + 1 : r->o->backup, "latest") != 0)
        return SR_OK;
    (void)sr_pg_target_from_config(r->ctx->cfg, NULL, &t, NULL);
    const char *own[] = {r->o->into, sr_config_str(r->ctx->cfg, "BACKUP_SOURCE_NAME"),
                         t ? sr_pg_target_database(t) : NULL};
    struct sr_catalog_set theirs = {0};
    char source[SR_SOURCE_MAX], object[SR_KEY_MAX];
    const char *other = NULL;
    int meant = 0;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        struct sr_store_rw *store = NULL;
        struct sr_catalog_set set = {0};
        if (!own[i] || !*own[i] || sr_source_escape(own[i], source, NULL) != SR_OK)
            continue;
        meant |= strcmp(source, found->source) == 0;
        if (sr_backup_locate(r->ctx, &r->stores, r->o->backup, own[i], r->o->label, &store, &set,
                             object, NULL) != SR_OK)
            continue;
        /* A set of several databases that holds this one too. */
        meant |= strcmp(set.set, found->set) == 0 && strcmp(set.source, found->source) == 0;
        if (!other) {
            other = own[i];
            theirs = set;
        }
    }
    int rc = SR_OK;
    if (!meant && other)
        rc = sr_fail(err, SR_E_CONFIG,
                     "the latest backup is %s of %s, while the latest of %s is %s; say which one "
                     "with --database",
                     found->set, found->source, other, theirs.set);
    sr_pg_target_free(t);
    return rc;
}

static int find_in_stores(struct sr_restoring *r, struct sr_error *err)
{
    struct sr_catalog_set set = {0};
    char object[SR_KEY_MAX] = "";
    int rc = sr_stores_open_reachable(r->ctx->cfg, r->o->store, 1, &r->stores, err);
    if (rc == SR_OK)
        sr_watch_stores(r->ctx, &r->stores);
    if (rc == SR_OK)
        rc = sr_backup_locate(r->ctx, &r->stores, r->o->backup, r->o->database, r->o->label,
                              &r->store, &set, object, err);
    if (rc == SR_OK)
        rc = latest_is_meant(r, &set, err);
    if (rc == SR_OK)
        rc = sr_trust_manifest(r->ctx, sr_store_ro(r->store), &set,
                               sr_trust_use_of(r->o->backup, r->o->label), NULL, &r->manifest, NULL,
                               err);
    if (rc != SR_OK)
        return rc;
    if (*object) {
        for (size_t i = 0; i < r->manifest->objects_len; i++)
            if (strcmp(r->manifest->objects[i].key, object) == 0)
                r->object = &r->manifest->objects[i];
        if (!r->object)
            rc = sr_fail(err, SR_E_CORRUPT,
                         "object %s is not named by the manifest of %s: it does not belong to a "
                         "whole backup",
                         object, set.set);
    } else {
        rc = object_choose(r, err);
    }
    if (rc == SR_OK && sr_set_string(&r->key, r->object->key) != SR_OK)
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    return rc;
}

/* Nothing lies beside a file that would tell who made it. */
static int file_trust(struct sr_restoring *r, struct sr_error *err)
{
    const struct sr_signer *keys = NULL;
    int rc = sr_trust_keys(r->ctx, &keys, err);
    if (rc != SR_OK || !keys)
        return rc;
    if (sr_config_bool(r->ctx->cfg, "BACKUP_REQUIRE_SIGNATURE"))
        return sr_fail(err, SR_E_CORRUPT,
                       "%s is a file, which has no signature, and BACKUP_REQUIRE_SIGNATURE demands "
                       "one. Restore the backup by its name; a folder that `strongroom fetch` has "
                       "filled is a store in itself (BACKUP_DIR=FOLDER)",
                       r->o->backup);
    sr_log(SR_LOG_WARN,
           "%s is a file, which has no signature: nothing tells who made it "
           "(BACKUP_REQUIRE_SIGNATURE=on refuses such)",
           r->o->backup);
    return SR_OK;
}

int sr_restore_find(struct sr_restoring *r, struct sr_error *err)
{
    struct stat st;
    int rc = sr_passphrase_from_config(r->ctx->cfg, &r->passphrase, err);
    if (rc != SR_OK)
        return rc;
    if (!r->o->store && stat(r->o->backup, &st) == 0) {
        sr_log(SR_LOG_INFO, "%s is a file here: that is what is restored", r->o->backup);
        r->file = r->o->backup;
        rc = file_trust(r, err);
    } else {
        rc = find_in_stores(r, err);
    }
    if (rc == SR_OK && sr_set_string(&r->result->what, r->file ? r->file : r->key) != SR_OK)
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    return rc;
}

static int opening_at(struct sr_restoring *r, const char *what, enum sr_opening_depth depth,
                      int check, struct sr_opening **ret, struct sr_error *err)
{
    struct sr_opening_options oo = {.what = what,
                                    .store = r->store,
                                    .key = r->key,
                                    .file = r->file,
                                    .depth = depth,
                                    .passphrase = r->passphrase,
                                    .expect = r->object,
                                    .note = check ? r->witness : NULL,
                                    .hold = check ? NULL : r->witness};
    return sr_opening_start(r->ctx, &oo, ret, err);
}

int sr_restore_open(struct sr_restoring *r, const char *what, struct sr_opening **ret,
                    struct sr_error *err)
{
    return opening_at(r, what, SR_OPEN_RAW, 0, ret, err);
}

/* With a manifest the stored digest vouches for every byte, so one cheap pass is enough; a file
 * that nothing vouches for is opened and parsed to its end. */
int sr_restore_check(struct sr_restoring *r, struct sr_error *err)
{
    struct sr_opening *op = NULL;
    struct sr_structure *s = NULL;
    struct sr_opening_seen seen;
    _cleanup_free_ char *buf = malloc(262144);
    size_t n = 1;
    int whole = !r->object;
    if (!buf)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    int rc = r->witness ? SR_OK : sr_witness_new(&r->witness, err);
    if (rc == SR_OK)
        rc = opening_at(r, "checking", whole ? SR_OPEN_RAW : SR_OPEN_STORED, 1, &op, err);
    if (rc == SR_OK && whole)
        rc = sr_structure_new(r->ctx->cfg, &s, err);
    while (rc == SR_OK && n > 0) {
        rc = sr_opening_read(op, buf, 262144, &n, err);
        if (rc == SR_OK && s && n > 0)
            rc = sr_structure_feed(s, buf, n, err);
    }
    if (rc == SR_OK)
        rc = sr_opening_end(op, err);
    if (rc == SR_OK && s)
        rc = sr_structure_end(s, err);
    if (rc == SR_OK) {
        sr_opening_seen(op, &seen);
        r->result->bytes = seen.stored_size;
    } else if (s) {
        sr_error_wrap(err, "%s was checked before anything is touched", r->file);
    }
    sr_opening_free(op);
    sr_structure_free(s);
    return rc;
}
