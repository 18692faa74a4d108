#include "config.h"
#include "core/engine/listing.h"
#include "core/engine/restore_test_run.h"
#include "core/engine/trust.h"
#include "core/engine/unseal.h"
#include "core/engine/watch.h"
#include "core/util/cleanup.h"
#include "core/util/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *database_of(const struct sr_manifest *m, const struct sr_manifest_object *o)
{
    if (o->database)
        return o->database;
    for (size_t i = 0; m->detail && i < m->detail->objects_len; i++)
        if (m->detail->objects[i].key && strcmp(m->detail->objects[i].key, o->key) == 0)
            return m->detail->objects[i].database;
    return NULL;
}

/* Two formats of one database are one object to test, the custom one, which restores faster. */
static int take(struct sr_testing *t, const struct sr_manifest_object *o)
{
    const char *database = database_of(t->manifest, o);
    for (size_t i = 0; i < t->objects_len; i++) {
        const char *other = database_of(t->manifest, t->objects[i]);
        if ((database == NULL) != (other == NULL) || (database && strcmp(database, other) != 0) ||
            strcmp(o->kind, t->objects[i]->kind) == 0)
            continue;
        if (strcmp(o->kind, "custom") == 0)
            t->objects[i] = o;
        return 0;
    }
    t->objects[t->objects_len++] = o;
    return 0;
}

static int choose(struct sr_testing *t, const char *object, struct sr_error *err)
{
    const struct sr_manifest *m = t->manifest;
    char part[SR_SOURCE_MAX] = "", infix[SR_SOURCE_MAX + 2];
    size_t all = 0;
    if (!(t->objects = calloc(m->objects_len + 1, sizeof *t->objects)))
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    if (t->o->database && sr_source_escape(t->o->database, part, err) != SR_OK)
        return err ? err->code : SR_E_CONFIG;
    (void)snprintf(infix, sizeof infix, ".%s.", part);
    for (size_t i = 0; i < m->objects_len; i++)
        if (strcmp(m->objects[i].kind, "globals") != 0)
            (void)take(t, &m->objects[i]);
    all = t->objects_len;
    if (*object || (*part && strcmp(part, m->source) != 0)) {
        t->objects_len = 0;
        for (size_t i = 0; i < m->objects_len; i++)
            if (strcmp(m->objects[i].kind, "globals") != 0 &&
                (*object ? strcmp(m->objects[i].key, object) == 0
                         : strstr(m->objects[i].key, infix) != NULL))
                (void)take(t, &m->objects[i]);
    }
    t->whole = t->objects_len == all;
    if (t->objects_len > 0)
        return SR_OK;
    return sr_fail(err, SR_E_NOT_FOUND, "backup %s holds no dump of %s", m->set,
                   *object          ? object
                   : t->o->database ? t->o->database
                                    : "a database");
}

static int key_check(const struct sr_testing *t, struct sr_error *err)
{
    for (size_t i = 0; i < t->objects_len; i++)
        switch (sr_key_here(t->manifest, t->objects[i]->encryption, t->passphrase)) {
        case SR_KEY_NO_PHRASE:
            return sr_fail(err, SR_E_KEY,
                           "%s is encrypted, and BACKUP_ENCRYPTION_PASSPHRASE is not set here; a "
                           "restore test is for a host that has it",
                           t->objects[i]->key);
        case SR_KEY_NO_SECRET:
            return sr_fail(
                err, SR_E_KEY,
                "%s is encrypted, and no secret key of its recipients is here; a restore "
                "test is for a host that has one",
                t->objects[i]->key);
        case SR_KEY_HERE:
            break;
        }
    return SR_OK;
}

int sr_test_find(struct sr_testing *t, struct sr_error *err)
{
    char object[SR_KEY_MAX] = "";
    _cleanup_free_ char *closed = NULL;
    int rc = sr_passphrase_from_config(t->ctx->cfg, &t->passphrase, err);
    if (rc == SR_OK)
        rc = sr_stores_open_reachable(t->ctx->cfg, t->o->store, 1, &t->stores, err);
    if (rc == SR_OK)
        sr_watch_stores(t->ctx, &t->stores);
    if (rc == SR_OK)
        rc = sr_backup_locate(t->ctx, &t->stores, t->o->backup, t->o->database, t->o->label,
                              &t->store, &t->set, object, err);
    if (rc == SR_OK)
        rc = sr_trust_manifest(t->ctx, sr_store_ro(t->store), &t->set,
                               sr_trust_use_of(t->o->backup, t->o->label), NULL, &t->manifest, NULL,
                               err);
    if (rc != SR_OK)
        return rc;
    struct sr_restore_test_result *r = t->result;
    memcpy(r->set, t->set.set, sizeof r->set);
    memcpy(r->source, t->set.source, sizeof r->source);
    for (size_t i = 0; i < t->manifest->objects_len; i++)
        r->encrypted |= strcmp(t->manifest->objects[i].encryption, "none") != 0;
    if (sr_set_string(&r->store, sr_store_name(sr_store_ro(t->store))) != SR_OK)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    rc = choose(t, object, err);
    if (rc == SR_OK)
        rc = key_check(t, err);
    if (rc == SR_OK)
        rc = sr_unseal_detail(t->ctx, t->store, t->manifest, &closed, err);
    if (rc == SR_OK && closed &&
        sr_strlist_addf(&r->notes, "what was counted when it was dumped cannot be read: %s",
                        closed) != SR_OK)
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    return rc;
}
