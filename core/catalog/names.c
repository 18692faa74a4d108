#include "config.h"
#include "core/catalog/names.h"
#include "core/util/cleanup.h"
#include "core/util/clock.h"
#include "core/util/text.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SOURCE_TEXT_MAX 4096
#define STAMP 14
#define CUT_DIGEST 8 /* hex digits */

static int is_plain(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

static int upper_hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "_xHH" stands at s. */
static int is_escape(const char *s)
{
    return s[0] == '_' && s[1] == 'x' && upper_hex(s[2]) >= 0 && upper_hex(s[3]) >= 0;
}

/* A dash and 14 digits that are a moment stand at s. */
static int is_stamp(const char *s)
{
    int64_t t;
    return s[0] == '-' && strspn(s + 1, "0123456789") >= STAMP &&
           sr_time_parse_stamp(s + 1, STAMP, &t) == SR_OK;
}

/* s, of len bytes, ends in a stamp. */
static int ends_in_stamp(const char *s, size_t len)
{
    int64_t t;
    return len > STAMP && s[len - STAMP - 1] == '-' &&
           sr_time_parse_stamp(s + len - STAMP, STAMP, &t) == SR_OK;
}

static int is_reserved(const char *s)
{
    static const char *const words[] = {"globals", "redis", "manifest", "detail", "sha256",
                                        "hold",    "proof", "sql",      "dump",   "rdb",
                                        "gz",      "zst",   "gpg",      "json"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(s, words[i]) == 0)
            return 1;
    return 0;
}

enum name_kind {
    NAME_LABEL,
    NAME_SOURCE,
};

/* Whether byte i of s, which is of the plain alphabet, must be escaped all the same. */
static int must_escape(enum name_kind kind, const char *s, size_t i)
{
    char c = s[i];
    if (c == '_')
        return is_escape(s + i);
    if (i == 0 && (c == '.' || c == '-'))
        return 1;
    if (kind == NAME_SOURCE)
        return c == '.' || (i == 0 && is_reserved(s)) ||
               (is_stamp(s + i) && s[i + 1 + STAMP] == '\0');
    return c == '.' && (is_reserved(s + i + 1) || (i > STAMP && is_stamp(s + i - STAMP - 1)));
}

/* Writes the escaped form, which is at most four times as long, and returns its length. */
static size_t escape(enum name_kind kind, const char *s, char *out)
{
    size_t n = 0;
    for (size_t i = 0; s[i]; i++) {
        if (is_plain(s[i]) && !must_escape(kind, s, i))
            out[n++] = s[i];
        else
            n += (size_t)snprintf(out + n, 5, "_x%02X", (unsigned char)s[i]);
    }
    out[n] = '\0';
    return n;
}

int sr_label_escape(const char *label, char out[SR_LABEL_MAX + 1], struct sr_error *err)
{
    size_t len = strlen(label);
    if (len == 0)
        return sr_fail(err, SR_E_CONFIG, "the label is empty");
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)label[i] < 0x20 || label[i] == 0x7f)
            return sr_fail(err, SR_E_CONFIG,
                           "the label has a line break or control character in it (byte %zu)",
                           i + 1);
    if (len > SR_LABEL_MAX)
        return sr_fail(err, SR_E_CONFIG,
                       "the label is %zu bytes long, %zu more than the %d allowed", len,
                       len - SR_LABEL_MAX, SR_LABEL_MAX);
    char escaped[4 * SR_LABEL_MAX + 1];
    size_t n = escape(NAME_LABEL, label, escaped);
    if (n > SR_LABEL_MAX)
        return sr_fail(err, SR_E_CONFIG,
                       "the label is too long: characters other than A-Z a-z 0-9 . _ - take up to "
                       "four bytes per byte, which makes %zu bytes, %zu more than the %d allowed",
                       n, n - SR_LABEL_MAX, SR_LABEL_MAX);
    memcpy(out, escaped, n + 1);
    return SR_OK;
}

/* Copies s, cut to max bytes with a digest at its end when it is longer. */
static int copy_or_cut(const char *s, size_t max, char *out, struct sr_error *err)
{
    size_t len = strlen(s);
    if (len <= max) {
        memcpy(out, s, len + 1);
        return SR_OK;
    }
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (EVP_Digest(s, len, digest, &n, EVP_sha256(), NULL) != 1)
        return sr_fail(err, SR_E_INTERNAL, "SHA-256 failed");
    size_t keep = max - 1 - CUT_DIGEST;
    for (size_t back = 1; back < 4; back++)
        if (is_escape(s + keep - back)) {
            keep -= back;
            break;
        }
    memcpy(out, s, keep);
    out[keep] = '-';
    sr_hex(digest, CUT_DIGEST / 2, out + keep + 1);
    return SR_OK;
}

int sr_source_escape(const char *name, char out[SR_SOURCE_MAX], struct sr_error *err)
{
    size_t len = strlen(name);
    if (len == 0)
        return sr_fail(err, SR_E_CONFIG, "the name of the source is empty");
    if (len > SOURCE_TEXT_MAX)
        return sr_fail(err, SR_E_CONFIG, "the name of the source is %zu bytes long; at most %d",
                       len, SOURCE_TEXT_MAX);
    _cleanup_free_ char *escaped = malloc(4 * len + 1);
    if (!escaped)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    (void)escape(NAME_SOURCE, name, escaped);
    return copy_or_cut(escaped, SR_SOURCE_MAX - 1, out, err);
}

int sr_name_unescape(const char *s, char *out, size_t cap, struct sr_error *err)
{
    _cleanup_free_ char *plain = malloc(strlen(s) + 1);
    size_t n = 0;
    if (!plain)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    if (!*s)
        return sr_fail(err, SR_E_CORRUPT, "an empty name");
    while (*s) {
        if (!is_plain(*s))
            return sr_fail(err, SR_E_CORRUPT, "no escaped name: it has a byte that is never left");
        if (is_escape(s)) {
            plain[n] = (char)(upper_hex(s[2]) * 16 + upper_hex(s[3]));
            if (plain[n++] == '\0')
                return sr_fail(err, SR_E_CORRUPT, "no escaped name: it has a NUL byte");
            s += 4;
        } else {
            plain[n++] = *s++;
        }
    }
    if (n >= cap)
        return sr_fail(err, SR_E_CORRUPT, "a name of %zu bytes where %zu fit", n, cap - 1);
    memcpy(out, plain, n);
    out[n] = '\0';
    return SR_OK;
}

/* A set, source or database part: of the plain alphabet, not hidden, within max bytes. */
static int is_part(const char *s, size_t max)
{
    size_t n = 0;
    for (; s[n]; n++)
        if (n == max || !is_plain(s[n]))
            return 0;
    return n > 0 && s[0] != '.' && s[0] != '-';
}

static int is_dotless_part(const char *s, size_t max)
{
    return is_part(s, max) && !strchr(s, '.');
}

int sr_set_make(const char *escaped_label, int64_t now, int timestamp, char out[SR_SET_MAX],
                struct sr_error *err)
{
    size_t len = strlen(escaped_label);
    if (!is_part(escaped_label, SR_LABEL_MAX))
        return sr_fail(err, SR_E_CONFIG, "no label: %.80s", escaped_label);
    memcpy(out, escaped_label, len + 1);
    if (!timestamp || (len > STAMP + 1 && ends_in_stamp(escaped_label, len)))
        return SR_OK;
    out[len] = '-';
    sr_time_stamp(now, out + len + 1);
    return SR_OK;
}

void sr_set_split(const char *set, char label[SR_SET_MAX], int64_t *ret_time)
{
    size_t len = strnlen(set, SR_SET_MAX - 1);
    int64_t t = -1;
    if (len > STAMP + 1 && ends_in_stamp(set, len)) {
        (void)sr_time_parse_stamp(set + len - STAMP, STAMP, &t);
        len -= STAMP + 1;
    }
    memcpy(label, set, len);
    label[len] = '\0';
    *ret_time = t;
}

static int is_one_of(const char *s, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(s, *words) == 0)
            return 1;
    return 0;
}

static const char *const object_kinds[] = {"sql", "dump", "globals.sql", "redis.rdb", NULL};
static const char *const compressions[] = {"", "gz", "zst", NULL};

static int is_sha256(const char *s)
{
    return strspn(s, "0123456789abcdef") == 64;
}

int sr_object_key(const struct sr_object_name *n, char *out, size_t cap, struct sr_error *err)
{
    char database[SR_SOURCE_MAX] = "";
    if (!is_part(n->set, SR_SET_MAX - 1) ||
        (n->sha256 && (!is_sha256(n->sha256) || n->sha256[64])) ||
        (n->database && !is_dotless_part(n->database, SR_SOURCE_MAX - 1)) ||
        !is_one_of(n->kind, object_kinds) || !is_one_of(n->compression, compressions))
        return sr_fail(err, SR_E_CONFIG, "parts that make no object's name (set %.100s)", n->set);
    if (n->database) {
        int rc = copy_or_cut(n->database, SR_DATABASE_PART_MAX, database, err);
        if (rc != SR_OK)
            return rc;
    }
    int len = snprintf(out, cap, "%s%s%s%s%s.%s%s%s%s", n->set, n->sha256 ? "-" : "",
                       n->sha256 ? n->sha256 : "", *database ? "." : "", database, n->kind,
                       *n->compression ? "." : "", n->compression, n->encrypted ? ".gpg" : "");
    if (len < 0 || (size_t)len >= cap)
        return sr_fail(err, SR_E_CONFIG, "the name of an object of set %s is longer than %zu bytes",
                       n->set, cap ? cap - 1 : 0);
    return SR_OK;
}

/* Lower-case words and digits joined by dashes, and at the end a time: "reread-20261120130501". */
static int is_proof(const char *suffix)
{
    size_t len = strlen(suffix);
    if (strncmp(suffix, "proof-", 6) != 0 || len < 6 + STAMP + 7 ||
        strcmp(suffix + len - 5, ".json") != 0 || !ends_in_stamp(suffix, len - 5))
        return 0;
    const char *rung = suffix + 6;
    size_t n = len - 6 - 5 - STAMP - 1;
    return *rung != '-' && strspn(rung, "abcdefghijklmnopqrstuvwxyz0123456789-") >= n;
}

enum sr_key_kind sr_beside_kind(const char *suffix)
{
    static const struct {
        const char *suffix;
        enum sr_key_kind kind;
    } kinds[] = {{"manifest.json", SR_KEY_MANIFEST},
                 {"detail.json", SR_KEY_DETAIL},
                 {"detail.json.gz", SR_KEY_DETAIL},
                 {"detail.json.gpg", SR_KEY_DETAIL},
                 {"detail.json.gz.gpg", SR_KEY_DETAIL},
                 {"sha256", SR_KEY_SUMS},
                 {"signature", SR_KEY_SIGNATURE},
                 {"hold", SR_KEY_HOLD},
                 {"pruning", SR_KEY_PRUNING}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(suffix, kinds[i].suffix) == 0)
            return kinds[i].kind;
    return strlen(suffix) < 64 && is_proof(suffix) ? SR_KEY_PROOF : SR_KEY_OTHER;
}

int sr_beside_key(const char *set, const char *source, const char *suffix, char *out, size_t cap,
                  struct sr_error *err)
{
    if (!is_part(set, SR_SET_MAX - 1) || !is_dotless_part(source, SR_SOURCE_MAX - 1) ||
        is_reserved(source) || sr_beside_kind(suffix) == SR_KEY_OTHER)
        return sr_fail(err, SR_E_CONFIG,
                       "parts that make no name (set %.100s, source %.100s, %.80s)", set, source,
                       suffix);
    int len = snprintf(out, cap, "%s.%s.%s", set, source, suffix);
    if (len < 0 || (size_t)len >= cap)
        return sr_fail(err, SR_E_CONFIG, "the name %s.%s.%s is longer than %zu bytes", set, source,
                       suffix, cap ? cap - 1 : 0);
    return SR_OK;
}

int sr_claim_key(const char *set, char *out, size_t cap, struct sr_error *err)
{
    int len = is_part(set, SR_SET_MAX - 1) ? snprintf(out, cap, "%s.claim", set) : -1;
    if (len < 0 || (size_t)len >= cap)
        return sr_fail(err, SR_E_CONFIG, "a name that no set can have: %.100s", set);
    return SR_OK;
}

int sr_key_belongs(const char *key, const char *set)
{
    size_t n = strlen(set);
    if (strncmp(key, set, n) != 0)
        return 0;
    return key[n] == '.' || (key[n] == '-' && is_sha256(key + n + 1) && key[n + 65] == '.');
}
