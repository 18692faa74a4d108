#include "common/sigv4.h"
#include "common/cleanup.h"
#include "common/digest.h"
#include "common/encode.h"
#include "common/timefmt.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ALGORITHM "AWS4-HMAC-SHA256"
#define DAY_SIZE 9 /* 20130524 and NUL */

int32_t sc_sigv4_payload(char out[SC_SIGV4_PAYLOAD_SIZE], const void *body, size_t len,
                         struct sc_error *err)
{
    uint8_t sum[SC_SHA256_LEN];
    int32_t rc = sc_sha256(body, len, sum, err);
    if (rc == SR_STORAGE_OK)
        sc_hex(out, sum, sizeof sum);
    return rc;
}

/* --- the signing key --- */

struct sc_sigv4_keys {
    pthread_mutex_t lock;
    int known;
    uint8_t id[SC_SHA256_LEN], key[SC_SHA256_LEN];
};

struct sc_sigv4_keys *sc_sigv4_keys_new(void)
{
    struct sc_sigv4_keys *k = calloc(1, sizeof *k);
    if (k && pthread_mutex_init(&k->lock, NULL) != 0) {
        free(k);
        return NULL;
    }
    return k;
}

void sc_sigv4_keys_free(struct sc_sigv4_keys *keys)
{
    if (!keys)
        return;
    (void)pthread_mutex_destroy(&keys->lock);
    sc_wipe(keys, sizeof *keys);
    free(keys);
}

/* What a remembered key is found by: a digest, so that no second copy of the secret lies about.
 * Each part goes in with its NUL, which none of them can hold. */
static int32_t key_id(const struct sc_secret *secret, const char *day,
                      const struct sc_sigv4_scope *where, uint8_t out[SC_SHA256_LEN],
                      struct sc_error *err)
{
    _cleanup_(sc_buf_done) struct sc_buf b = SC_BUF_SECRET_INIT(SC_SIGV4_MAX);
    (void)sc_buf_add(&b, sc_secret_bytes(secret), secret->len + 1);
    (void)sc_buf_add(&b, day, DAY_SIZE);
    (void)sc_buf_add(&b, where->region, strlen(where->region) + 1);
    (void)sc_buf_add(&b, where->service, strlen(where->service) + 1);
    int32_t rc = sc_buf_check(&b, err, "the scope of a signing key");
    return rc == SR_STORAGE_OK ? sc_sha256(b.data, b.len, out, err) : rc;
}

static int32_t derive(const struct sc_secret *secret, const char *day,
                      const struct sc_sigv4_scope *where, uint8_t out[SC_SHA256_LEN],
                      struct sc_error *err)
{
    const char *const parts[] = {day, where->region, where->service, "aws4_request"};
    _cleanup_(sc_buf_done) struct sc_buf first = SC_BUF_SECRET_INIT(SC_SIGV4_MAX);
    (void)sc_buf_adds(&first, "AWS4");
    (void)sc_buf_add(&first, sc_secret_bytes(secret), secret->len);
    int32_t rc = sc_buf_check(&first, err, "the secret access key");
    uint8_t key[SC_SHA256_LEN];
    for (size_t i = 0; i < sizeof parts / sizeof *parts && rc == SR_STORAGE_OK; i++) {
        rc = sc_hmac_sha256(i ? (const void *)key : first.data, i ? sizeof key : first.len,
                            parts[i], strlen(parts[i]), out, err);
        memcpy(key, out, sizeof key);
    }
    sc_wipe(key, sizeof key);
    return rc;
}

static int32_t signing_key(struct sc_sigv4_keys *keys, const struct sc_secret *secret,
                           const char *day, const struct sc_sigv4_scope *where,
                           uint8_t out[SC_SHA256_LEN], struct sc_error *err)
{
    uint8_t id[SC_SHA256_LEN];
    if (!keys)
        return derive(secret, day, where, out, err);
    int32_t rc = key_id(secret, day, where, id, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    (void)pthread_mutex_lock(&keys->lock);
    int found = keys->known && sc_equal(keys->id, id, sizeof id);
    if (found)
        memcpy(out, keys->key, sizeof keys->key);
    (void)pthread_mutex_unlock(&keys->lock);
    if (found || (rc = derive(secret, day, where, out, err)) != SR_STORAGE_OK)
        return rc;
    (void)pthread_mutex_lock(&keys->lock);
    memcpy(keys->id, id, sizeof id);
    memcpy(keys->key, out, sizeof keys->key);
    keys->known = 1;
    (void)pthread_mutex_unlock(&keys->lock);
    return SR_STORAGE_OK;
}

/* --- path and query --- */

static int is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c && strchr("-._~", c));
}

static int upper_hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The server decodes what it gets and encodes it in its one way before it checks the signature, so
 * any other way to write the same bytes could never match. plain: reserved bytes that may stand. */
static int is_canonical(const struct sc_buf *b, const char *plain)
{
    for (size_t i = 0; i < b->len; i++) {
        char c = b->data[i];
        if (c == '%') {
            int hi = i + 2 < b->len ? upper_hex(b->data[i + 1]) : -1;
            int lo = hi >= 0 ? upper_hex(b->data[i + 2]) : -1;
            if (lo < 0 || is_unreserved((char)(hi * 16 + lo)))
                return 0;
            i += 2;
        } else if (!is_unreserved(c) && (!c || !strchr(plain, c))) {
            return 0;
        }
    }
    return 1;
}

/* Empty and "." components go, ".." takes the one before with it; a slash at the end stays where
 * a component is left before it. */
static void add_normalised(struct sc_buf *out, const char *path)
{
    size_t start = out->len;
    const char *p = path;
    while (*p) {
        size_t n = strcspn(p, "/");
        if (n == 2 && p[0] == '.' && p[1] == '.') {
            while (out->len > start && out->data[--out->len] != '/')
                ;
            if (out->data)
                out->data[out->len] = '\0';
        } else if (n > 0 && !(n == 1 && p[0] == '.')) {
            (void)sc_buf_addc(out, '/');
            (void)sc_buf_add(out, p, n);
        }
        p += n;
        p += *p == '/';
    }
    if (out->len == start || (p > path && p[-1] == '/'))
        (void)sc_buf_addc(out, '/');
}

/* The path of the canonical request, from the one on the wire. */
static void add_path(struct sc_buf *out, const struct sc_buf *path, enum sc_sigv4_flavour flavour)
{
    if (flavour == SC_SIGV4_S3) {
        (void)sc_buf_adds(out, sc_buf_str(path));
        return;
    }
    _cleanup_(sc_buf_done) struct sc_buf normal = SC_BUF_INIT(SC_SIGV4_MAX);
    add_normalised(&normal, sc_buf_str(path));
    sc_percent_encode_str(out, sc_buf_str(&normal), 1);
}

struct param {
    const char *name, *value;
    size_t name_len, value_len;
};

static int compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int c = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return c ? c : (a_len > b_len) - (a_len < b_len);
}

/* By name, then by value. Comparing "name=value" would be wrong: '=' sorts after '-'. */
static int by_name_and_value(const void *a, const void *b)
{
    const struct param *x = a, *y = b;
    int c = compare(x->name, x->name_len, y->name, y->name_len);
    return c ? c : compare(x->value, x->value_len, y->value, y->value_len);
}

/* Puts r's query into canonical order. */
static int32_t sort_query(struct sc_request *r, struct sc_error *err)
{
    if (r->query.len == 0)
        return SR_STORAGE_OK;
    size_t n = 1;
    for (size_t i = 0; i < r->query.len; i++)
        n += r->query.data[i] == '&';
    _cleanup_free_ struct param *params = calloc(n, sizeof *params);
    if (!params)
        return sc_fail_memory(err);
    const char *p = r->query.data;
    for (size_t i = 0; i < n; i++) {
        size_t len = strcspn(p, "&"), name = strcspn(p, "=&");
        params[i] = (struct param){p, p + name + (name < len), name, len - name - (name < len)};
        p += len + 1;
    }
    qsort(params, n, sizeof *params, by_name_and_value);
    _cleanup_(sc_buf_done) struct sc_buf sorted = SC_BUF_SECRET_INIT(r->query.max);
    for (size_t i = 0; i < n; i++) {
        if (i)
            (void)sc_buf_addc(&sorted, '&');
        (void)sc_buf_add(&sorted, params[i].name, params[i].name_len);
        (void)sc_buf_addc(&sorted, '=');
        (void)sc_buf_add(&sorted, params[i].value, params[i].value_len);
    }
    int32_t rc = sc_buf_check(&sorted, err, "the query of a request");
    if (rc == SR_STORAGE_OK) {
        struct sc_buf old = r->query;
        r->query = sorted;
        sorted = old;
    }
    return rc;
}

/* --- headers --- */

int sc_sigv4_skips(const char *header)
{
    static const char *const skipped[] = {"user-agent",      "connection",
                                          "expect",          "transfer-encoding",
                                          "accept-encoding", "x-amzn-trace-id"};
    for (size_t i = 0; i < sizeof skipped / sizeof *skipped; i++)
        if (strcasecmp(header, skipped[i]) == 0)
            return 1;
    return 0;
}

struct signed_header {
    const char *name, *value;
    size_t order;
};

/* Headers of one name stay in the order in which they are sent. */
static int by_name_and_order(const void *a, const void *b)
{
    const struct signed_header *x = a, *y = b;
    int c = strcasecmp(x->name, y->name);
    return c ? c : (x->order > y->order) - (x->order < y->order);
}

static void add_lower(struct sc_buf *out, const char *s)
{
    for (; *s; s++)
        (void)sc_buf_addc(out, (char)(*s >= 'A' && *s <= 'Z' ? *s - 'A' + 'a' : *s));
}

/* Without blanks around it, and with single ones inside, quoted or not. */
static void add_trimmed(struct sc_buf *out, const char *s)
{
    s += strspn(s, " \t");
    while (*s) {
        size_t n = strcspn(s, " \t");
        (void)sc_buf_add(out, s, n);
        s += n;
        s += strspn(s, " \t");
        if (*s)
            (void)sc_buf_addc(out, ' ');
    }
}

/* Appends the canonical headers to canonical and their names to names. */
static int32_t add_headers(struct sc_buf *canonical, struct sc_buf *names,
                           const struct sc_request *r, struct sc_error *err)
{
    char host[SC_HOST_HEADER_MAX];
    sc_request_host_header(r, host);
    size_t n = 1;
    _cleanup_free_ struct signed_header *h = calloc(r->headers.len + 1, sizeof *h);
    if (!h)
        return sc_fail_memory(err);
    h[0] = (struct signed_header){"host", host, 0};
    for (size_t i = 0; i < r->headers.len; i++)
        if (!sc_sigv4_skips(r->headers.items[i].name))
            h[n++] =
                (struct signed_header){r->headers.items[i].name, r->headers.items[i].value, i + 1};
    qsort(h, n, sizeof *h, by_name_and_order);
    for (size_t i = 0; i < n; i++) {
        int same = i > 0 && strcasecmp(h[i].name, h[i - 1].name) == 0;
        if (!same) {
            (void)sc_buf_adds(canonical, i ? "\n" : "");
            (void)sc_buf_adds(names, i ? ";" : "");
            add_lower(canonical, h[i].name);
            add_lower(names, h[i].name);
        }
        (void)sc_buf_addc(canonical, same ? ',' : ':');
        add_trimmed(canonical, h[i].value);
    }
    (void)sc_buf_addc(canonical, '\n');
    return SR_STORAGE_OK;
}

/* --- what can be signed at all --- */

static int is_word(const char *s)
{
    for (const char *p = s; *p; p++)
        if (!is_unreserved(*p) || *p == '~')
            return 0;
    return *s != '\0';
}

/* Clones have ids of their own ("account:user"); what would end the credential's part of the header
 * is in none. */
static int is_key_id(const char *s)
{
    for (const char *p = s; *p; p++)
        if (*p <= 0x20 || *p >= 0x7f || *p == '/' || *p == ',')
            return 0;
    return *s != '\0';
}

static int is_payload(const struct sc_request *r, const char *payload)
{
    if (strcmp(payload, SC_SIGV4_UNSIGNED) == 0)
        return strcmp(r->scheme, "https") == 0;
    return strlen(payload) == SC_SIGV4_PAYLOAD_SIZE - 1 &&
           strspn(payload, "0123456789abcdef") == SC_SIGV4_PAYLOAD_SIZE - 1;
}

static int32_t check(const struct sc_request *r, const struct sc_sigv4_scope *where,
                     const struct sc_cred *c, const char *payload, struct sc_error *err)
{
    if (!is_word(r->method) || sc_headers_get(&r->headers, "host"))
        return sc_fail(err, SR_STORAGE_E_INTERNAL,
                       "cannot sign a request without a method, or with a Host header of its own");
    if (!is_payload(r, payload))
        return sc_fail(err, SR_STORAGE_E_INTERNAL,
                       "cannot sign a %s request to %s: its body must be signed by SHA-256, and "
                       "may be left out over https alone",
                       r->scheme, r->host);
    if (*sc_buf_str(&r->path) != '/' || !is_canonical(&r->path, "/"))
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "cannot sign a request to %s: its path does not begin with a slash, or is "
                       "not percent-encoded as AWS does it (all but A-Z a-z 0-9 - . _ ~ /)",
                       r->host);
    if (!is_canonical(&r->query, "=&"))
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "cannot sign a request to %s: its query is not percent-encoded as AWS does "
                       "it",
                       r->host);
    if (!is_word(where->region) || !is_word(where->service))
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "cannot sign a request to %s: '%s' is no region; set one such as us-east-1",
                       r->host, where->region);
    if (!is_key_id(c->id) || c->secret.len == 0)
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "cannot sign a request to %s: the access key id has characters that no key "
                       "id has, or there is no key",
                       r->host);
    return SR_STORAGE_OK;
}

/* --- putting it together --- */

static int32_t own_headers(struct sc_request *r, const struct sc_sigv4_scope *where,
                           const struct sc_cred *c, const char *payload, const char *date,
                           struct sc_error *err)
{
    struct sc_headers *h = &r->headers;
    sc_headers_remove(h, "x-amz-content-sha256");
    sc_headers_remove(h, "x-amz-security-token");
    int32_t rc = sc_headers_set(h, "x-amz-date", date, err);
    if (rc == SR_STORAGE_OK && where->flavour == SC_SIGV4_S3)
        rc = sc_headers_set(h, "x-amz-content-sha256", payload, err);
    if (rc == SR_STORAGE_OK && c->token.len > 0)
        rc = sc_headers_set(h, "x-amz-security-token", sc_secret_bytes(&c->token), err);
    return rc;
}

int32_t sc_sigv4_sign(struct sc_request *r, const struct sc_sigv4_scope *where,
                      const struct sc_cred *c, const char *payload, int64_t now,
                      struct sc_sigv4_keys *keys, struct sc_error *err)
{
    sc_headers_remove(&r->headers, "authorization");
    int32_t rc = check(r, where, c, payload, err);
    if (rc == SR_STORAGE_OK)
        rc = sort_query(r, err);
    char date[SC_TIME_BASIC_SIZE], day[DAY_SIZE] = "";
    sc_time_basic(now, date);
    memcpy(day, date, DAY_SIZE - 1);
    if (rc == SR_STORAGE_OK)
        rc = own_headers(r, where, c, payload, date, err);

    /* The canonical request has the session token in it. */
    _cleanup_(sc_buf_done) struct sc_buf canonical = SC_BUF_SECRET_INIT(SC_SIGV4_MAX);
    _cleanup_(sc_buf_done) struct sc_buf names = SC_BUF_INIT(SC_SIGV4_MAX);
    (void)sc_buf_addf(&canonical, "%s\n", r->method);
    add_path(&canonical, &r->path, where->flavour);
    (void)sc_buf_addf(&canonical, "\n%s\n", sc_buf_str(&r->query));
    if (rc == SR_STORAGE_OK)
        rc = add_headers(&canonical, &names, r, err);
    (void)sc_buf_addf(&canonical, "\n%s\n%s", sc_buf_str(&names), payload);
    if (rc == SR_STORAGE_OK)
        rc = sc_buf_check(&canonical, err, "the canonical form of a request");

    char hash[SC_SIGV4_PAYLOAD_SIZE];
    if (rc == SR_STORAGE_OK)
        rc = sc_sigv4_payload(hash, canonical.data, canonical.len, err);
    _cleanup_(sc_buf_done) struct sc_buf to_sign = SC_BUF_INIT(SC_SIGV4_MAX);
    if (rc == SR_STORAGE_OK) {
        (void)sc_buf_addf(&to_sign, ALGORITHM "\n%s\n%s/%s/%s/aws4_request\n%s", date, day,
                          where->region, where->service, hash);
        rc = sc_buf_check(&to_sign, err, "the text to sign");
    }
    uint8_t key[SC_SHA256_LEN], mac[SC_SHA256_LEN];
    if (rc == SR_STORAGE_OK)
        rc = signing_key(keys, &c->secret, day, where, key, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_hmac_sha256(key, sizeof key, to_sign.data, to_sign.len, mac, err);
    sc_wipe(key, sizeof key);
    if (rc != SR_STORAGE_OK)
        return rc;
    sc_hex(hash, mac, sizeof mac);
    return sc_headers_addf(&r->headers, err, "Authorization",
                           ALGORITHM " Credential=%s/%s/%s/%s/aws4_request, SignedHeaders=%s, "
                                     "Signature=%s",
                           c->id, day, where->region, where->service, sc_buf_str(&names), hash);
}
