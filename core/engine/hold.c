#include "config.h"
#include "core/engine/audit.h"
#include "core/engine/listing.h"
#include "core/engine/retention.h"

#include <stdio.h>
#include <string.h>

/* Finds the same set in one store; SR_E_NOT_FOUND when it is not there. */
static int find_same(struct sr_store_rw *store, const struct sr_catalog_set *want, int *ret_held,
                     struct sr_error *err)
{
    struct sr_catalog *c = NULL;
    int rc = sr_catalog_read(sr_store_ro(store), &c, err);
    if (rc != SR_OK)
        return rc;
    rc = SR_E_NOT_FOUND;
    for (size_t i = 0; i < c->len; i++)
        if (strcmp(c->sets[i].set, want->set) == 0 &&
            strcmp(c->sets[i].source, want->source) == 0 && c->sets[i].has_manifest) {
            *ret_held = c->sets[i].held;
            rc = SR_OK;
        }
    sr_catalog_free(c);
    return rc;
}

static int hold_in(struct sr_store_rw *store, const struct sr_catalog_set *set, int hold, int held,
                   const char *text, struct sr_error *err)
{
    char key[SR_KEY_MAX];
    enum sr_store_deletion how = SR_DELETION_DONE;
    int64_t until = 0;
    int rc = sr_beside_key(set->set, set->source, "hold", key, sizeof key, err);
    if (rc != SR_OK || hold == held)
        return rc;
    if (hold) {
        rc = sr_store_save_small(store, key, text, strlen(text), err);
        return rc == SR_E_EXISTS ? SR_OK : rc;
    }
    rc = sr_store_delete(store, key, &how, &until, err);
    if (rc == SR_OK && how == SR_DELETION_LOCKED)
        rc = sr_fail(err, SR_E_LOCKED, "store %s keeps %s locked, so the hold stays",
                     sr_store_name(sr_store_ro(store)), key);
    return rc;
}

int sr_hold_set(struct sr_context *ctx, const struct sr_stores *stores, const char *backup,
                int hold, char ret_set[SR_SET_MAX], size_t *ret_stores, struct sr_error *err)
{
    struct sr_store_rw *where = NULL;
    struct sr_catalog_set set;
    char object[SR_KEY_MAX], text[SR_TIME_ISO_SIZE + 32], when[SR_TIME_ISO_SIZE];
    size_t done = 0;
    int rc = sr_backup_locate(ctx, stores, backup, NULL, NULL, &where, &set, object, err);
    sr_time_iso(sr_clock_now(ctx->clock), when);
    (void)snprintf(text, sizeof text, "held since %s\n", when);
    for (size_t i = 0; rc == SR_OK && i < stores->len; i++) {
        int held = 0;
        struct sr_error e = SR_ERROR_INIT;
        int one = find_same(stores->items[i], &set, &held, &e);
        if (one == SR_E_NOT_FOUND)
            continue;
        if (one == SR_OK)
            one = hold_in(stores->items[i], &set, hold, held, text, &e);
        if (one == SR_OK)
            done++;
        else
            rc = sr_error_copy(err, &e);
    }
    if (rc != SR_OK)
        return rc;
    sr_audit_event(ctx->audit, hold ? "db_backup_held" : "db_backup_released", "trigger",
                   ctx->trigger, "outcome", "success", "set", set.set, NULL);
    memcpy(ret_set, set.set, SR_SET_MAX);
    *ret_stores = done;
    return SR_OK;
}
