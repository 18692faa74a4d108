#include "azure/sas.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/encode.h"
#include "common/timefmt.h"

#include <stdio.h>
#include <string.h>

/* Printable, and nothing that would end the query or begin a header. */
static int is_query(const char *text)
{
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p <= 0x20 || (unsigned char)*p > 0x7e || *p == '#' || *p == '?')
            return 0;
    return 1;
}

/* The value of that name, still encoded; its length. */
static const char *value_of(const char *text, const char *name, size_t *ret_len)
{
    size_t n = strlen(name);
    for (const char *p = text; *p;) {
        size_t len = strcspn(p, "&");
        if (len > n && strncmp(p, name, n) == 0 && p[n] == '=') {
            *ret_len = len - n - 1;
            return p + n + 1;
        }
        p += len + (p[len] == '&');
    }
    return NULL;
}

/* "2026-11-21", "2026-11-21T10:00Z" and the usual form are all allowed. */
static int time_parse(const char *text, int64_t *ret)
{
    char whole[40];
    size_t len = strlen(text);
    if (len == 10)
        (void)snprintf(whole, sizeof whole, "%.10sT00:00:00Z", text);
    else if (len == 17 && text[16] == 'Z')
        (void)snprintf(whole, sizeof whole, "%.16s:00Z", text);
    else
        return sc_time_iso_parse(text, ret);
    return sc_time_iso_parse(whole, ret);
}

int32_t azure_sas_check(const char *text, int64_t now, int64_t *ret_expires, struct sc_error *err)
{
    _cleanup_(sc_buf_done) struct sc_buf end = SC_BUF_INIT(64);
    size_t len = 0;
    *ret_expires = 0;
    if (strlen(text) > AZURE_SAS_MAX || !is_query(text) || !value_of(text, "sig", &len) || len == 0)
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "the SAS token is none: it is a query with sig=... in it, as Azure hands it "
                       "out");
    const char *se = value_of(text, "se", &len);
    if (!se)
        return SR_STORAGE_OK;
    if (sc_percent_decode(&end, se, len, 0) != SR_STORAGE_OK ||
        time_parse(sc_buf_str(&end), ret_expires) != 0)
        return sc_fail(err, SR_STORAGE_E_CONFIG, "the SAS token's end (se) is no time");
    if (*ret_expires <= now)
        return sc_fail(err, SR_STORAGE_E_DENIED, "the SAS token ended at %s; set a new one",
                       sc_buf_str(&end));
    return SR_STORAGE_OK;
}
