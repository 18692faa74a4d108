#include "config.h"
#include "core/engine/transfer.h"
#include "core/catalog/names.h"
#include "core/util/log.h"

#include <string.h>

void sr_target_fail(struct sr_target *t, const struct sr_error *why)
{
    if (t->failed)
        return;
    sr_error_copy(&t->error, why);
    t->failed = 1; /* after its reason: others may look now */
}

int sr_target_worth_again(int code)
{
    return code == SR_E_UNAVAILABLE || code == SR_E_TIMEOUT || code == SR_E_THROTTLED ||
           code == SR_E_CORRUPT || code == SR_E_IN_DOUBT;
}

size_t sr_targets_alive(const struct sr_target *targets, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += !targets[i].failed;
    return n;
}

static enum sr_key_kind kind_of(const char *key)
{
    struct sr_key_parts parts;
    sr_key_parse(key, &parts);
    return parts.kind;
}

int sr_target_rollback(struct sr_target *t)
{
    int all = 1;
    sr_store_resume(t->store);
    while (t->saved.len > 0) {
        struct sr_error err = SR_ERROR_INIT;
        enum sr_store_deletion how = SR_DELETION_DONE;
        const char *key = t->saved.items[t->saved.len - 1];
        /* The claim, the first that was saved, goes last: with it a sweep knows whose the rest is.
         */
        if (!all && kind_of(key) == SR_KEY_CLAIM)
            return 0;
        int rc = sr_store_delete(t->store, key, &how, NULL, &err);
        if (rc == SR_OK && how == SR_DELETION_LOCKED)
            rc = sr_fail(&err, SR_E_LOCKED, "store %s keeps it locked",
                         sr_store_name(sr_store_ro(t->store)));
        if (rc != SR_OK && kind_of(key) == SR_KEY_MANIFEST) {
            /* As long as it may be there, what it names must stay. */
            sr_log(SR_LOG_WARN, "%s, which may be there, was not removed, so nothing is: %s", key,
                   err.text);
            return 0;
        }
        if (rc != SR_OK) {
            sr_log(SR_LOG_WARN, "%s stays behind without a manifest, for `strongroom sweep`: %s",
                   key, err.text);
            all = 0;
        }
        sr_strlist_remove(&t->saved, t->saved.len - 1);
    }
    return all;
}

static int size_emit(void *ctx, const struct sr_store_entry *entry)
{
    *(uint64_t *)ctx = entry->size;
    return 1;
}

int sr_store_still_holds(struct sr_store *s, const struct sr_manifest_object *o,
                         struct sr_error *err)
{
    struct sr_error e = SR_ERROR_INIT;
    uint64_t size = o->size;
    int rc = sr_store_stat(s, o->key, size_emit, &size, &e);
    if (rc == SR_E_NOT_FOUND)
        return sr_fail(err, SR_E_CHANGED,
                       "store %s: %s was saved and is gone again; is something else cleaning up "
                       "there?",
                       sr_store_name(s), o->key);
    if (rc == SR_OK && size != o->size)
        return sr_fail(err, SR_E_CHANGED, "store %s: %s was saved with %llu bytes and now has %llu",
                       sr_store_name(s), o->key, (unsigned long long)o->size,
                       (unsigned long long)size);
    return rc == SR_OK ? SR_OK : sr_error_copy(err, &e);
}

void sr_target_done(struct sr_target *t)
{
    sr_strlist_done(&t->saved);
}

int sr_target_record(struct sr_target *t, const char *key, int doubtful, struct sr_error *err)
{
    t->doubtful = doubtful;
    return sr_strlist_add(&t->saved, key) == SR_OK ? SR_OK
                                                   : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
}

int sr_target_save(struct sr_target *t, const char *key, const void *data, size_t len,
                   struct sr_error *err)
{
    int rc = sr_store_save_locked(t->store, key, data, len, t->retain_until, err);
    /* In doubt may mean "there": the rollback must know the key. */
    if (rc == SR_OK || rc == SR_E_IN_DOUBT) {
        int noted = sr_target_record(t, key, rc != SR_OK, err);
        rc = rc == SR_OK ? noted : rc;
    }
    return rc;
}
