#include "config.h"
#include "core/engine/claim.h"
#include "core/util/log.h"

#include <string.h>

int sr_mark_fetch(struct sr_store *store, const char *key, const char *set, struct sr_mark *ret,
                  struct sr_error *err)
{
    struct sr_buf text;
    struct sr_mark m = {.kind = SR_KEY_OTHER};
    sr_buf_init(&text, SR_MARK_MAX);
    int rc = sr_store_fetch_small(store, key, &text, err);
    if (rc == SR_OK && (rc = sr_mark_read(sr_buf_str(&text), text.len, set, &m, err)) != SR_OK)
        sr_error_wrap(err, "store %s: %s", sr_store_name(store), key);
    sr_buf_done(&text);
    if (rc == SR_OK)
        *ret = m;
    else
        sr_mark_done(&m);
    return rc;
}

/* Whose claim is it now? SR_OK: ours; SR_E_EXISTS: another's; else it cannot be told. */
static int read_back(struct sr_store *store, const char *key, const char *set, const char *run,
                     struct sr_error *err)
{
    struct sr_mark m = {.kind = SR_KEY_OTHER};
    int rc = sr_mark_fetch(store, key, set, &m, err);
    if (rc == SR_E_CORRUPT || rc == SR_E_UNSUPPORTED ||
        (rc == SR_OK && (m.kind != SR_KEY_CLAIM || strcmp(m.run, run) != 0)))
        rc = sr_fail(err, SR_E_EXISTS, "store %s: the name %s was taken by another run",
                     sr_store_name(store), set);
    sr_mark_done(&m);
    return rc;
}

int sr_claim_take(struct sr_store_rw *rw, const char *set, const struct sr_mark *mark,
                  struct sr_error *err)
{
    struct sr_store *store = sr_store_ro(rw);
    struct sr_error saved = SR_ERROR_INIT, read = SR_ERROR_INIT;
    struct sr_buf text;
    char key[SR_KEY_MAX];
    sr_buf_init(&text, SR_MARK_MAX);
    int sure = (sr_store_caps(store) & SR_STORE_CAP_ATOMIC_CREATE) != 0;
    int rc = sr_claim_key(set, key, sizeof key, &saved);
    if (rc == SR_OK)
        rc = sr_mark_write(mark, &text, &saved);
    if (rc == SR_OK)
        rc = sr_store_save_small(rw, key, text.data, text.len, &saved);
    sr_buf_done(&text);
    if (rc == SR_OK && !sure)
        sr_log(SR_LOG_INFO,
               "store %s cannot create an object under one name only once: backups that begin "
               "there in the same second on two hosts may fail",
               sr_store_name(store));
    if ((rc == SR_OK && !sure) || rc == SR_E_EXISTS || rc == SR_E_IN_DOUBT) {
        int now = read_back(store, key, set, mark->run, &read);
        if (now == SR_OK)
            return SR_OK;
        if (now == SR_E_EXISTS)
            return sr_error_copy(err, &read);
        /* It cannot be read (no right to): what the save said stands. */
    }
    return rc == SR_OK ? SR_OK : sr_error_copy(err, &saved);
}
