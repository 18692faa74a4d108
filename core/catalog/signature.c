#include "config.h"
#include "core/catalog/signature.h"
#include "core/util/cleanup.h"
#include "core/util/json.h"
#include "core/util/text.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES (SR_SIGNATURE_DATA_MAX / 3 * 4 + 256)

static const char head[] = "strongroom signature 1";
static const char *const kinds[] = {
    [SR_SIGNED_HMAC] = "hmac-sha256", [SR_SIGNED_OPENPGP] = "openpgp"};

/* --- writing --- */

static int is_hmac_id(const char *s)
{
    return strspn(s, "0123456789abcdef") == SR_HMAC_ID_SIZE - 1 && s[SR_HMAC_ID_SIZE - 1] == '\0';
}

int sr_is_fingerprint(const char *s)
{
    size_t n = strspn(s, "0123456789ABCDEF");
    return (n == 40 || n == 64) && s[n] == '\0';
}

static int statement_check(const struct sr_statement *s, struct sr_error *err)
{
    char key[SR_SET_MAX + SR_SOURCE_MAX + 16];
    int rc = sr_beside_key(s->set, s->source, SR_SIGNATURE_SUFFIX, key, sizeof key, err);
    if (rc == SR_OK && (!sr_is_sha256(s->manifest) || (*s->detail && !sr_is_sha256(s->detail))))
        rc = sr_fail(err, SR_E_CONFIG, "a statement about %s without a digest", s->set);
    return rc;
}

int sr_statement_write(const struct sr_statement *s, struct sr_buf *out, struct sr_error *err)
{
    int rc = statement_check(s, err);
    if (rc != SR_OK)
        return rc;
    rc = sr_buf_printf(out, "%s\nset %s\nsource %s\nmanifest %s\ndetail %s\nend\n", head, s->set,
                       s->source, s->manifest, *s->detail ? s->detail : "none");
    return rc == SR_OK ? SR_OK : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
}

int sr_signature_add(struct sr_signature *s, enum sr_signed_with kind, const char *key,
                     const void *data, size_t len, struct sr_error *err)
{
    int fits = kind == SR_SIGNED_HMAC
                   ? is_hmac_id(key) && len == SR_HMAC_SIZE
                   : sr_is_fingerprint(key) && len > 0 && len <= SR_SIGNATURE_DATA_MAX;
    if (!fits || s->len == SR_SIGNATURE_KEYS_MAX)
        return sr_fail(err, SR_E_CONFIG, "a signature by %.80s that cannot be one", key);
    struct sr_signed_by *m = &s->by[s->len];
    m->data = malloc(len);
    if (!m->data)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    m->kind = kind;
    memcpy(m->key, key, strlen(key) + 1);
    memcpy(m->data, data, len);
    m->len = len;
    s->len++;
    return SR_OK;
}

static int by_write(const struct sr_signed_by *m, struct sr_buf *out)
{
    _cleanup_free_ char *text = malloc(m->len * 2 + 8);
    if (!text)
        return SR_E_NO_MEMORY;
    if (m->kind == SR_SIGNED_HMAC)
        sr_hex(m->data, m->len, text);
    else
        (void)EVP_EncodeBlock((unsigned char *)text, m->data, (int)m->len);
    return sr_buf_printf(out, "%s %s %s\n", kinds[m->kind], m->key, text);
}

int sr_signature_write(const struct sr_signature *s, struct sr_buf *out, struct sr_error *err)
{
    if (s->len == 0)
        return sr_fail(err, SR_E_CONFIG, "a signature by nobody");
    int rc = sr_statement_write(&s->statement, out, err);
    for (size_t i = 0; rc == SR_OK && i < s->len; i++)
        if (by_write(&s->by[i], out) != SR_OK)
            rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    return rc;
}

/* --- reading --- */

/* Copies the value of a line "name value"; 0 when it is another line or does not fit. */
static int take_value(const char *line, const char *name, char *out, size_t cap)
{
    size_t n = strlen(name);
    if (strncmp(line, name, n) != 0 || line[n] != ' ')
        return 0;
    size_t len = strlen(line + n + 1);
    if (len == 0 || len >= cap)
        return 0;
    memcpy(out, line + n + 1, len + 1);
    return 1;
}

static int take_statement(char *const *lines, struct sr_statement *s)
{
    if (!take_value(lines[1], "set", s->set, sizeof s->set) ||
        !take_value(lines[2], "source", s->source, sizeof s->source) ||
        !take_value(lines[3], "manifest", s->manifest, sizeof s->manifest) ||
        !take_value(lines[4], "detail", s->detail, sizeof s->detail) ||
        strcmp(lines[5], "end") != 0)
        return 0;
    if (strcmp(s->detail, "none") == 0)
        s->detail[0] = '\0';
    return statement_check(s, NULL) == SR_OK;
}

static int unhex(const char *s, unsigned char *out, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    if (strlen(s) != 2 * len)
        return 0;
    for (size_t i = 0; i < len; i++) {
        const char *hi = strchr(digits, s[2 * i]), *lo = strchr(digits, s[2 * i + 1]);
        if (!hi || !lo)
            return 0;
        out[i] = (unsigned char)((hi - digits) * 16 + (lo - digits));
    }
    return 1;
}

/* The count of bytes; 0: no base64. What is written differently from how we write it is found by
 * whoever compares the whole. */
static size_t unbase64(const char *s, unsigned char *out)
{
    size_t len = strlen(s), pad = 0;
    while (pad < 2 && len > pad && s[len - pad - 1] == '=')
        pad++;
    int n = EVP_DecodeBlock(out, (const unsigned char *)s, (int)len);
    return n > (int)pad ? (size_t)n - pad : 0;
}

static int take_by(char *line, struct sr_signature *s, struct sr_error *err)
{
    char *key = strchr(line, ' '), *value = key ? strchr(key + 1, ' ') : NULL;
    if (!value)
        return SR_E_CORRUPT;
    *key++ = *value++ = '\0';
    int hmac = strcmp(line, kinds[SR_SIGNED_HMAC]) == 0;
    if ((!hmac && strcmp(line, kinds[SR_SIGNED_OPENPGP]) != 0) || strlen(value) > LINE_MAX_BYTES)
        return SR_E_CORRUPT;
    _cleanup_free_ unsigned char *data = malloc(strlen(value) + SR_HMAC_SIZE);
    if (!data)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    size_t len =
        hmac ? (unhex(value, data, SR_HMAC_SIZE) ? SR_HMAC_SIZE : 0) : unbase64(value, data);
    int rc = sr_signature_add(s, hmac ? SR_SIGNED_HMAC : SR_SIGNED_OPENPGP, key, data, len, err);
    return rc == SR_E_CONFIG ? SR_E_CORRUPT : rc;
}

static int read_lines(char *copy, struct sr_signature *s, struct sr_error *err)
{
    char *lines[6 + SR_SIGNATURE_KEYS_MAX];
    size_t n = 0;
    for (char *line = copy, *nl; *line; line = nl + 1) {
        nl = strchr(line, '\n');
        if (n == sizeof lines / sizeof *lines)
            return SR_E_CORRUPT;
        *nl = '\0';
        lines[n++] = line;
    }
    if (strncmp(copy, head, sizeof head - 2) == 0 && strcmp(copy, head) != 0)
        return sr_fail(err, SR_E_UNSUPPORTED, "a signature of a later version");
    if (strcmp(copy, head) != 0 || n < 7 || !take_statement(lines, &s->statement))
        return SR_E_CORRUPT;
    int rc = SR_OK;
    for (size_t i = 6; rc == SR_OK && i < n; i++)
        rc = take_by(lines[i], s, err);
    return rc;
}

int sr_signature_read(const char *text, size_t len, struct sr_signature *ret, struct sr_error *err)
{
    struct sr_signature s = {.len = 0};
    struct sr_buf copy, again;
    if (len == 0 || len > SR_SIGNATURE_MAX || text[len - 1] != '\n' || memchr(text, '\0', len))
        return sr_fail(err, SR_E_CORRUPT, "it is no signature of strongroom");
    sr_buf_init(&copy, SR_SIGNATURE_MAX);
    sr_buf_init(&again, 2 * SR_SIGNATURE_MAX);
    int rc = sr_buf_add(&copy, text, len) == SR_OK ? SR_OK
                                                   : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    if (rc == SR_OK)
        rc = read_lines(copy.data, &s, err);
    if (rc == SR_OK)
        rc = sr_signature_write(&s, &again, err);
    if (rc == SR_OK && (again.len != len || memcmp(again.data, text, len) != 0))
        rc = SR_E_CORRUPT;
    sr_buf_done(&copy);
    sr_buf_done(&again);
    if (rc == SR_OK) {
        *ret = s;
        return SR_OK;
    }
    sr_signature_done(&s);
    return rc == SR_E_CORRUPT ? sr_fail(err, rc, "it is no signature of strongroom") : rc;
}

void sr_signature_done(struct sr_signature *s)
{
    for (size_t i = 0; i < s->len; i++)
        free(s->by[i].data);
    *s = (struct sr_signature){.len = 0};
}
