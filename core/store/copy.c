/* Copying inside the store. */
#include "config.h"
#include "core/store/store_private.h"
#include "core/util/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One bucket or folder, whatever comes before the keys in it. */
static int is_one_place(const struct sr_store *a, const struct sr_store *b)
{
    return a->table == b->table && a->bare_len == b->bare_len &&
           memcmp(a->place, b->place, a->bare_len) == 0;
}

static int copy_possible(const struct sr_store *to, const struct sr_store *from,
                         const struct sr_store_object *o, struct sr_error *err)
{
    if (to->read_only)
        return sr_fail(err, SR_E_DENIED, "store %s was opened to be read only", to->name);
    if (!to->table->copy || !(to->caps & SR_CAP_COPY) || !is_one_place(to, from))
        return sr_fail(err, SR_E_UNSUPPORTED, "store %s cannot copy from store %s by itself",
                       to->name, from->name);
    if (o->retain_until && !(to->caps & SR_CAP_LOCK))
        return sr_fail(err, SR_E_UNSUPPORTED,
                       "store %s cannot keep an object from being deleted until a date", to->name);
    return SR_OK;
}

static int result_check(const struct sr_store *to, const char *key,
                        const struct sr_storage_saved *saved, struct sr_error *err)
{
    if ((saved->confirmed & SR_STORAGE_CONFIRMED_CHECKSUM) &&
        (saved->checksum_len == 0 || saved->checksum_len > SR_STORAGE_CHECKSUM_MAX))
        return sr_fail(err, SR_E_INTERNAL,
                       "store %s: plugin %s broke a promise: the checksum that it confirmed for %s "
                       "has no possible length (%" PRIu64 " bytes)",
                       to->name, sr_plugin_file(to->plugin), key, saved->checksum_len);
    return SR_OK;
}

int sr_store_copy(struct sr_store_rw *rw, const struct sr_store *from,
                  const struct sr_store_object *object, struct sr_store_saved *ret,
                  struct sr_error *err)
{
    struct sr_store *to = &rw->s;
    char full_from[SR_KEY_MAX], full_to[SR_KEY_MAX], doing[32 + SR_KEY_MAX];
    int rc = copy_possible(to, from, object, err);
    if (rc == SR_OK)
        rc = sr_store_full_key(from, object->key, full_from, err);
    if (rc == SR_OK)
        rc = sr_store_full_key(to, object->key, full_to, err);
    if (rc != SR_OK)
        return rc;
    const struct sr_storage_copy_options o = {
        .size = sizeof o,
        .from = full_from,
        .to = full_to,
        .flags = object->replace ? SR_STORAGE_SAVE_REPLACE : 0,
        .retain_until = object->retain_until,
    };
    struct sr_storage_saved saved = {.size = sizeof saved};
    (void)snprintf(doing, sizeof doing, "copying %s", object->key);
    rc = sr_store_begin(to, doing, NULL, err);
    if (rc != SR_OK)
        return rc;
    int32_t code = to->table->copy(to->handle, &o, &saved);
    rc = code == SR_STORAGE_OK ? result_check(to, object->key, &saved, err)
                               : sr_host_error(to->host, code, doing, err);
    sr_store_end(to);
    if (rc != SR_OK)
        return rc;
    *ret = (struct sr_store_saved){
        .size = saved.confirmed & SR_STORAGE_CONFIRMED_SIZE ? saved.object_size : 0,
        .size_confirmed = (saved.confirmed & SR_STORAGE_CONFIRMED_SIZE) != 0,
    };
    (void)snprintf(ret->key, sizeof ret->key, "%s", object->key);
    if ((saved.confirmed & SR_STORAGE_CONFIRMED_CHECKSUM) &&
        saved.checksum_kind == SR_STORAGE_SUM_SHA256 && saved.checksum_len == 32) {
        ret->sha256_confirmed = 1;
        sr_hex(saved.checksum, 32, ret->sha256);
    }
    return SR_OK;
}
