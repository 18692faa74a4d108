#include "common/settle.h"
#include "common/encode.h"

#include <stdio.h>
#include <string.h>

int32_t sc_mark_make(const struct sr_storage_host *host, char out[SC_MARK_SIZE],
                     struct sc_error *err)
{
    uint8_t raw[(SC_MARK_SIZE - 1) / 2];
    if (host->random(host, raw, sizeof raw) != SR_STORAGE_OK)
        return sc_fail(err, SR_STORAGE_E_UNAVAILABLE, "no random bytes");
    sc_hex(out, raw, sizeof raw);
    return SR_STORAGE_OK;
}

int32_t sc_settle_spoilt(struct sc_settling *v, const char *version, struct sc_error *err)
{
    struct sc_error why = SC_ERROR_INIT;
    if (v->remove(v->ctx, v->key, version, &why) != SR_STORAGE_OK)
        return sc_error_append(err, "; it cannot be removed: %.300s", why.text);
    return err->code;
}

static int32_t size_wrong(struct sc_settling *v, const struct sc_seen *seen, uint64_t size,
                          struct sc_error *err)
{
    (void)sc_fail(err, SR_STORAGE_E_CORRUPT,
                  "%llu bytes were sent, the store says that it holds %llu",
                  (unsigned long long)size, (unsigned long long)seen->size);
    return sc_settle_spoilt(v, seen->version, err);
}

static void confirm(struct sc_settling *v, const struct sc_seen *seen)
{
    v->saved->confirmed |= SR_STORAGE_CONFIRMED_SIZE;
    v->saved->object_size = seen->size;
    if (!seen->version[0])
        return;
    v->saved->confirmed |= SR_STORAGE_CONFIRMED_VERSION;
    memcpy(v->saved->version, seen->version, sizeof v->saved->version);
}

/* A stalled answer has the code of a deadline that has passed, and is an answer that was lost like
 * any other: what the host wants is asked of the host. */
static int is_unwanted(const struct sr_storage_host *host)
{
    uint64_t end = host->deadline(host);
    return host->is_cancelled(host) || (end != 0 && host->monotonic(host) >= end);
}

int32_t sc_settle_lost(struct sc_settling *v, uint64_t size, struct sc_error *err)
{
    struct sc_seen seen = {0};
    struct sc_error why = SC_ERROR_INIT;
    int32_t rc = v->look(v->ctx, v->key, &seen, &why);
    int ours = rc == SR_STORAGE_OK && strcmp(seen.mark, v->mark) == 0;
    if (ours && is_unwanted(v->host)) {
        /* Nobody waits for it any more, and a save that fails leaves nothing. */
        if (v->remove(v->ctx, v->key, seen.version, &why) == SR_STORAGE_OK)
            return err->code;
        return sc_fail(err, SR_STORAGE_E_IN_DOUBT,
                       "cancelled too late: it is there, and cannot be "
                       "removed: %.400s",
                       why.text);
    }
    if (ours && seen.size != size)
        return size_wrong(v, &seen, size, err);
    if (ours) {
        sc_log(v->host, SR_STORAGE_LOG_INFO,
               "the answer about %s was lost; the object is there, whole, and ours", v->key);
        confirm(v, &seen);
        return SR_STORAGE_OK;
    }
    if (rc == SR_STORAGE_E_NOT_FOUND)
        return err->code;
    if (rc == SR_STORAGE_OK && !v->replace)
        return sc_fail(err, SR_STORAGE_E_EXISTS, "somebody else has made an object of that name");
    char lost[256];
    (void)snprintf(lost, sizeof lost, "%.255s", err->text);
    if (rc == SR_STORAGE_OK)
        return sc_fail(err, SR_STORAGE_E_IN_DOUBT,
                       "the answer was lost (%s), and another object is there now", lost);
    return sc_fail(
        err, SR_STORAGE_E_IN_DOUBT,
        "the answer was lost (%s), and whether the object is there cannot be seen: %.300s", lost,
        why.text);
}

int32_t sc_settle_confirm(struct sc_settling *v, uint64_t size, struct sc_error *err)
{
    struct sc_seen seen = {0};
    struct sc_error why = SC_ERROR_INIT;
    int32_t rc = v->look(v->ctx, v->key, &seen, &why);
    if (rc != SR_STORAGE_OK) {
        sc_log(v->host, SR_STORAGE_LOG_VERBOSE, "the size of %s cannot be confirmed: %s", v->key,
               why.text);
        return SR_STORAGE_OK;
    }
    if (strcmp(seen.mark, v->mark) == 0 && seen.size != size)
        return size_wrong(v, &seen, size, err);
    if (strcmp(seen.mark, v->mark) == 0)
        confirm(v, &seen);
    return SR_STORAGE_OK;
}
