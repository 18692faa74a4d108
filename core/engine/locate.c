#include "config.h"
#include "core/engine/listing.h"
#include "core/engine/trust.h"

#include <stdio.h>
#include <string.h>

/* "STORE:rest" where STORE is one of the opened stores: the rest, and the store. */
static const char *store_prefix(const struct sr_stores *stores, const char *backup,
                                struct sr_store_rw **ret)
{
    const char *colon = strchr(backup, ':');
    char name[64];
    *ret = NULL;
    if (!colon || (size_t)(colon - backup) >= sizeof name)
        return backup;
    memcpy(name, backup, (size_t)(colon - backup));
    name[colon - backup] = '\0';
    *ret = sr_stores_find(stores, name);
    return *ret ? colon + 1 : backup;
}

/* Nonzero when a set of several databases holds one of this (escaped) name. */
static int set_holds(const struct sr_catalog *c, const struct sr_catalog_set *set, const char *part)
{
    char infix[SR_SOURCE_MAX + 2];
    (void)snprintf(infix, sizeof infix, ".%s.", part);
    for (size_t i = 0; i < c->objects.len; i++)
        if (sr_key_belongs(c->objects.items[i], set->set) && strstr(c->objects.items[i], infix))
            return 1;
    return 0;
}

/* A run over several databases has the host as its source: the database is looked for among the
 * objects. */
static int find_in_several(const struct sr_catalog *c, const char *backup, const char *part,
                           const char *label, const struct sr_catalog_set **ret,
                           const char **ret_object, struct sr_error *err)
{
    if (strcmp(backup, "latest") != 0)
        return sr_catalog_find(c, backup, NULL, label, ret, ret_object, err);
    for (size_t i = c->len; i-- > 0;)
        if (c->sets[i].has_manifest && set_holds(c, &c->sets[i], part) &&
            (!label || strncmp(c->sets[i].label, label, strlen(label)) == 0)) {
            *ret = &c->sets[i];
            return SR_OK;
        }
    return SR_E_NOT_FOUND;
}

static int locate_in(struct sr_context *ctx, struct sr_store_rw *store, const char *backup,
                     const char *source, const char *label, struct sr_catalog_set *ret_set,
                     char ret_object[SR_KEY_MAX], struct sr_error *err)
{
    struct sr_catalog *c = NULL;
    const struct sr_catalog_set *set = NULL;
    const char *object = NULL;
    int rc = sr_catalog_read(sr_store_ro(store), &c, err);
    if (rc == SR_OK)
        sr_trust_notice(ctx, sr_store_ro(store), c);
    if (rc == SR_OK)
        rc = sr_catalog_find(c, backup, source, label, &set, &object, err);
    if (rc == SR_E_NOT_FOUND && c && source &&
        find_in_several(c, backup, source, label, &set, &object, NULL) == SR_OK)
        rc = SR_OK;
    if (rc == SR_OK) {
        *ret_set = *set;
        ret_set->proofs = ret_set->beside = (struct sr_strlist){0}; /* they stay the catalogue's */
        (void)snprintf(ret_object, SR_KEY_MAX, "%s", object ? object : "");
    }
    sr_catalog_free(c);
    return rc;
}

int sr_backup_locate(struct sr_context *ctx, const struct sr_stores *stores, const char *backup,
                     const char *database, const char *label, struct sr_store_rw **ret_store,
                     struct sr_catalog_set *ret_set, char ret_object[SR_KEY_MAX],
                     struct sr_error *err)
{
    struct sr_store_rw *only = NULL;
    struct sr_error first = SR_ERROR_INIT;
    char source[SR_SOURCE_MAX];
    const char *name = store_prefix(stores, backup, &only);
    if (database && sr_source_escape(database, source, err) != SR_OK)
        return err ? err->code : SR_E_CONFIG;
    for (size_t i = 0; i < stores->len; i++) {
        struct sr_error e = SR_ERROR_INIT;
        if (only && stores->items[i] != only)
            continue;
        int rc = sr_context_check(ctx, err);
        if (rc != SR_OK)
            return rc;
        rc = locate_in(ctx, stores->items[i], name, database ? source : NULL, label, ret_set,
                       ret_object, &e);
        if (rc == SR_OK) {
            *ret_store = stores->items[i];
            return SR_OK;
        }
        /* A store that could not be read is worse news than one that does not have it. */
        if (first.code == SR_OK || (first.code == SR_E_NOT_FOUND && rc != SR_E_NOT_FOUND))
            first = e;
    }
    /* Nor does anybody know what is in one that could not be opened. */
    if (stores->closed_len > 0 && (first.code == SR_OK || first.code == SR_E_NOT_FOUND))
        return sr_error_copy(err, &stores->closed[0].error);
    return first.code == SR_OK ? sr_fail(err, SR_E_NOT_FOUND, "no store to look for %s in", backup)
                               : sr_error_copy(err, &first);
}
