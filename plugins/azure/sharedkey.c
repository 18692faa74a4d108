#include "azure/sharedkey.h"

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/encode.h"
#include "common/timefmt.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TEXT_MAX ((size_t)256 << 10)
#define PARAMETERS_MAX 64

static void lower(char *s)
{
    for (; *s; s++)
        *s = (char)tolower((unsigned char)*s);
}

/* --- headers --------------------------------------------------------------------------------- */

static void named_headers(const struct sc_request *r, struct sc_buf *out)
{
    static const char *const names[] = {"content-encoding",
                                        "content-language",
                                        "",
                                        "content-md5",
                                        "content-type",
                                        "date",
                                        "if-modified-since",
                                        "if-match",
                                        "if-none-match",
                                        "if-unmodified-since",
                                        "range"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = names[i][0] ? sc_headers_get(&r->headers, names[i]) : NULL;
        /* A length of zero is signed as none. */
        if (!names[i][0] && r->body_len > 0)
            sc_buf_addf(out, "%llu", (unsigned long long)r->body_len);
        sc_buf_addf(out, "%s\n", value ? value : "");
    }
}

static int by_name(const void *a, const void *b)
{
    const struct sc_header *const *x = a, *const *y = b;
    return strcasecmp((*x)->name, (*y)->name);
}

static void ms_headers(const struct sc_request *r, struct sc_buf *out)
{
    const struct sc_header *found[SC_HEADERS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < r->headers.len && n < SC_HEADERS_MAX; i++)
        if (strncasecmp(r->headers.items[i].name, "x-ms-", 5) == 0)
            found[n++] = &r->headers.items[i];
    qsort(found, n, sizeof found[0], by_name);
    for (size_t i = 0; i < n; i++) {
        for (const char *p = found[i]->name; *p; p++)
            sc_buf_addc(out, (char)tolower((unsigned char)*p));
        sc_buf_addf(out, ":%s\n", found[i]->value);
    }
}

/* --- the resource ---------------------------------------------------------------------------- */

struct parameter {
    char *name, *value; /* decoded, the name in small letters */
};

static int by_parameter(const void *a, const void *b)
{
    const struct parameter *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : strcmp(x->value, y->value);
}

static char *decoded(const char *s, size_t len)
{
    struct sc_buf b = SC_BUF_SECRET_INIT(SC_QUERY_MAX);
    char *text = NULL;
    if (sc_percent_decode(&b, s, len, 0) == SR_STORAGE_OK)
        text = sc_buf_steal(&b);
    sc_buf_done(&b);
    return text;
}

static int32_t parameters_read(const char *query, struct parameter *out, size_t *ret_n,
                               struct sc_error *err)
{
    while (*query) {
        size_t len = strcspn(query, "&"), name_len = strcspn(query, "=&");
        size_t value_at = name_len < len ? name_len + 1 : len;
        if (*ret_n == PARAMETERS_MAX)
            return sc_fail(err, SR_STORAGE_E_CORRUPT, "a query has more than %d parameters",
                           PARAMETERS_MAX);
        struct parameter *p = &out[(*ret_n)++];
        p->name = decoded(query, name_len);
        p->value = decoded(query + value_at, len - value_at);
        if (!p->name || !p->value)
            return sc_fail(err, SR_STORAGE_E_CORRUPT, "the query of a request is not encoded");
        lower(p->name);
        query += len + (query[len] == '&');
    }
    return SR_STORAGE_OK;
}

/* A name that comes twice is signed once, with its values in order and a comma between. */
static void parameters_write(const struct parameter *p, size_t n, struct sc_buf *out)
{
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && strcmp(p[i].name, p[i - 1].name) == 0)
            sc_buf_addf(out, ",%s", p[i].value);
        else
            sc_buf_addf(out, "\n%s:%s", p[i].name, p[i].value);
    }
}

static int32_t resource(const struct sc_request *r, const char *account, struct sc_buf *out,
                        struct sc_error *err)
{
    struct parameter parameters[PARAMETERS_MAX] = {{0}};
    size_t n = 0;
    sc_buf_addf(out, "/%s%s", account, sc_buf_str(&r->path));
    int32_t rc = parameters_read(sc_buf_str(&r->query), parameters, &n, err);
    if (rc == SR_STORAGE_OK) {
        qsort(parameters, n, sizeof parameters[0], by_parameter);
        parameters_write(parameters, n, out);
    }
    for (size_t i = 0; i < n; i++) {
        free(parameters[i].name);
        free(parameters[i].value);
    }
    return rc;
}

/* --- the signature --------------------------------------------------------------------------- */

int32_t azure_sharedkey_text(const struct sc_request *r, const char *account, struct sc_buf *out,
                             struct sc_error *err)
{
    sc_buf_addf(out, "%s\n", r->method);
    named_headers(r, out);
    ms_headers(r, out);
    int32_t rc = resource(r, account, out, err);
    return rc == SR_STORAGE_OK ? sc_buf_check(out, err, "what is signed") : rc;
}

int32_t azure_sharedkey_sign(struct sc_request *r, const char *account, const void *key,
                             size_t key_len, int64_t now, struct sc_error *err)
{
    _cleanup_(sc_buf_done) struct sc_buf text = SC_BUF_SECRET_INIT(TEXT_MAX);
    _cleanup_(sc_buf_done) struct sc_buf value = SC_BUF_SECRET_INIT(512);
    char date[SC_TIME_HTTP_SIZE];
    uint8_t mac[SC_SHA256_LEN];
    sc_time_http(now, date);
    int32_t rc = sc_headers_set(&r->headers, "x-ms-date", date, err);
    if (rc == SR_STORAGE_OK)
        rc = azure_sharedkey_text(r, account, &text, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_hmac_sha256(key, key_len, text.data, text.len, mac, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    sc_buf_addf(&value, "SharedKey %s:", account);
    sc_base64_encode(&value, mac, sizeof mac);
    rc = sc_buf_check(&value, err, "a signature");
    return rc == SR_STORAGE_OK
               ? sc_headers_set(&r->headers, "authorization", sc_buf_str(&value), err)
               : rc;
}
