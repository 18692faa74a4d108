#include "config.h"
#include "core/store/store_private.h"
#include "core/util/buf.h"
#include "core/util/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int sr_store_delete(struct sr_store_rw *rw, const char *key, enum sr_store_deletion *ret,
                    int64_t *ret_until, struct sr_error *err)
{
    struct sr_store *s = &rw->s;
    char full_key[SR_KEY_MAX], doing[32 + SR_KEY_MAX];
    int rc = sr_store_full_key(s, key, full_key, err);
    if (rc == SR_OK && s->read_only)
        rc = sr_fail(err, SR_E_DENIED, "store %s was opened to be read only", s->name);
    if (rc != SR_OK)
        return rc;
    const struct sr_storage_delete_options o = {.size = sizeof o, .key = full_key};
    struct sr_storage_deletion d = {.size = sizeof d};
    (void)snprintf(doing, sizeof doing, "deleting %s", key);
    rc = sr_store_begin(s, doing, NULL, err);
    if (rc != SR_OK)
        return rc;
    int32_t code = s->table->delete_object(s->handle, &o, &d);
    if (code == SR_STORAGE_E_LOCKED)
        d.outcome = SR_STORAGE_KEPT;
    else
        rc = sr_host_error(s->host, code, doing, err);
    sr_store_end(s);
    if (rc == SR_OK && (d.outcome < SR_STORAGE_DELETED || d.outcome > SR_STORAGE_KEPT))
        rc = sr_fail(err, SR_E_INTERNAL,
                     "store %s: plugin %s broke a promise: deleting %s succeeded with the outcome "
                     "%" PRIu64,
                     s->name, sr_plugin_file(s->plugin), key, d.outcome);
    if (rc != SR_OK)
        return rc;
    if (ret)
        *ret = d.outcome == SR_STORAGE_DELETED  ? SR_DELETION_DONE
               : d.outcome == SR_STORAGE_HIDDEN ? SR_DELETION_HIDDEN
                                                : SR_DELETION_LOCKED;
    if (ret_until)
        *ret_until = d.locked_until;
    return SR_OK;
}
