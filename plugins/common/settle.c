#include "common/settle.h"
#include "common/encode.h"
#include "common/http.h"

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

static void text_take(char *to, size_t cap, const char *from)
{
    if (from && strlen(from) < cap)
        memcpy(to, from, strlen(from) + 1);
}

struct sc_seen sc_seen_of(const char *version, const char *etag)
{
    struct sc_seen seen = {0};
    text_take(seen.version, sizeof seen.version, version);
    text_take(seen.etag, sizeof seen.etag, etag);
    return seen;
}

/* What bears our mark. */
static int32_t own_find(struct sc_settling *v, struct sc_seen *ret, struct sc_error *err)
{
    int32_t rc = v->look(v->ctx, v->key, ret, err);
    if (rc == SR_STORAGE_OK && strcmp(ret->mark, v->mark) != 0)
        rc =
            sc_fail(err, SR_STORAGE_E_EXISTS, "what is there now does not bear this upload's mark");
    return rc;
}

int32_t sc_settle_spoilt(struct sc_settling *v, const struct sc_seen *made, struct sc_error *err)
{
    struct sc_error why = SC_ERROR_INIT;
    struct sc_seen seen = {0};
    int32_t rc = SR_STORAGE_OK;
    if (made)
        seen = *made;
    else
        rc = own_find(v, &seen, &why);
    if (rc == SR_STORAGE_OK)
        rc = v->remove(v->ctx, v->key, &seen, &why);
    if (rc != SR_STORAGE_OK)
        return sc_error_append(err, "; it cannot be removed: %.300s", why.text);
    return err->code;
}

static int32_t size_wrong(struct sc_settling *v, const struct sc_seen *seen, uint64_t size,
                          struct sc_error *err)
{
    (void)sc_fail(err, SR_STORAGE_E_CORRUPT,
                  "%llu bytes were sent, the store says that it holds %llu",
                  (unsigned long long)size, (unsigned long long)seen->size);
    return sc_settle_spoilt(v, seen, err);
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

static int is_ours(const struct sc_settling *v, int32_t rc, const struct sc_seen *seen)
{
    return rc == SR_STORAGE_OK && strcmp(seen->mark, v->mark) == 0;
}

/* Whether a further look may find something else: what is still being made, or put in the place of
 * another; and what took the answer may have taken the look, too. */
static int may_change(const struct sc_settling *v, int32_t rc)
{
    if (rc == SR_STORAGE_E_NOT_FOUND || rc == SR_STORAGE_OK)
        return v->late && (rc == SR_STORAGE_E_NOT_FOUND || v->replace);
    return rc == SR_STORAGE_E_UNAVAILABLE || rc == SR_STORAGE_E_TIMEOUT ||
           rc == SR_STORAGE_E_THROTTLED;
}

/* One look, and more of them while they may help. last: nothing but time ends them. */
static int32_t look(struct sc_settling *v, int last, struct sc_seen *seen, struct sc_error *why)
{
    static const unsigned waits_ms[] = {500, 1000, 2000, 4000, 8000};
    const size_t count = sizeof waits_ms / sizeof *waits_ms;
    uint64_t began = v->host->monotonic(v->host) / 1000000;
    int32_t rc = v->look(v->ctx, v->key, seen, why);
    for (size_t i = 0; i < count && !v->waited && !is_ours(v, rc, seen) && may_change(v, rc); i++) {
        uint64_t until = v->host->monotonic(v->host) / 1000000 + waits_ms[i];
        if (!last && is_unwanted(v->host))
            return rc;
        if (until - began > SC_SETTLE_MS * 2) /* the looks themselves take long */
            break;
        sc_log(v->host, SR_STORAGE_LOG_VERBOSE,
               "the answer about %s was lost, and %s; looking again in %u ms", v->key,
               rc == SR_STORAGE_OK            ? "another object is there"
               : rc == SR_STORAGE_E_NOT_FOUND ? "nothing is there yet"
                                              : "it cannot be seen",
               waits_ms[i]);
        if (sc_wait_until(v->host, until, last, NULL) != SR_STORAGE_OK)
            return rc;
        *seen = (struct sc_seen){0};
        *why = (struct sc_error)SC_ERROR_INIT;
        rc = v->look(v->ctx, v->key, seen, why);
    }
    v->waited = 1;
    return rc;
}

/* What is there is ours. */
static int32_t found(struct sc_settling *v, const struct sc_seen *seen, uint64_t size,
                     struct sc_error *err)
{
    struct sc_error why = SC_ERROR_INIT;
    if (is_unwanted(v->host)) {
        /* Nobody waits for it any more, and a save that fails leaves nothing. */
        if (v->remove(v->ctx, v->key, seen, &why) == SR_STORAGE_OK)
            return err->code;
        return sc_fail(err, SR_STORAGE_E_IN_DOUBT,
                       "cancelled too late: it is there, and cannot be "
                       "removed: %.400s",
                       why.text);
    }
    if (seen->size != size)
        return size_wrong(v, seen, size, err);
    sc_log(v->host, SR_STORAGE_LOG_INFO,
           "the answer about %s was lost; the object is there, whole, and ours", v->key);
    confirm(v, seen);
    return SR_STORAGE_OK;
}

static int32_t settle(struct sc_settling *v, uint64_t size, int last, struct sc_error *err)
{
    struct sc_seen seen = {0};
    struct sc_error why = SC_ERROR_INIT;
    char lost[256];
    (void)snprintf(lost, sizeof lost, "%.255s", err->text);
    v->open = 0;
    int32_t rc = look(v, last, &seen, &why);
    if (is_ours(v, rc, &seen))
        return found(v, &seen, size, err);
    if (rc == SR_STORAGE_OK && !v->replace)
        return sc_fail(err, SR_STORAGE_E_EXISTS, "somebody else has made an object of that name");
    /* Whatever ends the upload at the store comes before the last word. */
    v->open = !last && (rc == SR_STORAGE_E_NOT_FOUND || may_change(v, rc));
    if (v->open || (rc == SR_STORAGE_E_NOT_FOUND && !v->late))
        return err->code;
    if (rc == SR_STORAGE_E_NOT_FOUND)
        return sc_fail(err, SR_STORAGE_E_IN_DOUBT,
                       "the answer was lost (%s); it is not there, looked for over %u s, but the "
                       "store may make it yet",
                       lost, SC_SETTLE_MS / 1000);
    if (rc == SR_STORAGE_OK)
        return sc_fail(err, SR_STORAGE_E_IN_DOUBT,
                       "the answer was lost (%s), and another object is there now", lost);
    return sc_fail(
        err, SR_STORAGE_E_IN_DOUBT,
        "the answer was lost (%s), and whether the object is there cannot be seen: %.300s", lost,
        why.text);
}

int32_t sc_settle_lost(struct sc_settling *v, uint64_t size, int late, struct sc_error *err)
{
    v->late = late;
    v->waited = 0;
    return settle(v, size, 0, err);
}

int32_t sc_settle_ended(struct sc_settling *v, uint64_t size, int32_t rc, struct sc_error *err)
{
    return rc != SR_STORAGE_OK && v->open ? settle(v, size, 1, err) : rc;
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
