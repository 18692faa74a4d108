/* Reading keys back: from the right, because the set's name alone may have dots in it. */
#include "config.h"
#include "core/catalog/names.h"
#include "core/store/store.h"
#include "core/util/clock.h"

#include <string.h>

#define STAMP 14
#define SHA256 64

/* Copies a part of the plain alphabet; 0 when it is none. */
static int take(const char *s, size_t len, char *out, size_t cap)
{
    if (len == 0 || len >= cap || s[0] == '.' || s[0] == '-')
        return 0;
    memcpy(out, s, len);
    out[len] = '\0';
    return 1;
}

static const char *last_dot(const char *s, size_t len)
{
    return len ? memrchr(s, '.', len) : NULL;
}

/* <set>.<source>.<suffix>, where only the suffix may have dots of its own and is a known one. */
static int parse_beside(const char *key, size_t len, struct sr_key_parts *p)
{
    const char *suffix = key + len;
    for (int dots = 0; dots < 4; dots++) {
        suffix = last_dot(key, (size_t)(suffix - key));
        if (!suffix)
            return 0;
        const char *dot = last_dot(key, (size_t)(suffix - key));
        if (!dot)
            return 0;
        char again[SR_KEY_COMPONENT_MAX + 1];
        if (!take(key, (size_t)(dot - key), p->set, sizeof p->set) ||
            !take(dot + 1, (size_t)(suffix - dot - 1), p->source, sizeof p->source) ||
            !take(suffix + 1, len - (size_t)(suffix + 1 - key), p->suffix, sizeof p->suffix) ||
            sr_beside_key(p->set, p->source, p->suffix, again, sizeof again, NULL) != SR_OK)
            continue;
        p->kind = sr_beside_kind(p->suffix);
        return 1;
    }
    return 0;
}

/* Takes word off the end of the first *len bytes of s. */
static int take_end(const char *s, size_t *len, const char *word)
{
    size_t n = strlen(word);
    if (*len <= n || memcmp(s + *len - n, word, n) != 0)
        return 0;
    *len -= n;
    return 1;
}

/* <set>.claim */
static int parse_claim(const char *key, size_t len, struct sr_key_parts *p)
{
    if (!take_end(key, &len, ".claim") || !take(key, len, p->set, sizeof p->set))
        return 0;
    memcpy(p->suffix, "claim", sizeof "claim");
    p->kind = SR_KEY_CLAIM;
    return 1;
}

static int ends_in_stamp(const char *s, size_t len)
{
    int64_t t;
    return len > STAMP + 1 && s[len - STAMP - 1] == '-' &&
           sr_time_parse_stamp(s + len - STAMP, STAMP, &t) == SR_OK;
}

/* The first len bytes of s end in a dash and a digest. */
static int ends_in_sha256(const char *s, size_t len)
{
    if (len < SHA256 + 2 || s[len - SHA256 - 1] != '-')
        return 0;
    for (size_t i = len - SHA256; i < len; i++)
        if (!((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f')))
            return 0;
    return 1;
}

/* Splits <set>[-<sha256>][.<database>] of len bytes. */
static int parse_body(const char *s, size_t len, int may_have_database, struct sr_key_parts *p)
{
    const char *dot = may_have_database ? last_dot(s, len) : NULL;
    size_t before = dot ? (size_t)(dot - s) : len;
    if (!ends_in_sha256(s, len) && !ends_in_stamp(s, len) && dot &&
        (ends_in_sha256(s, before) || ends_in_stamp(s, before))) {
        if (!take(dot + 1, len - before - 1, p->database, sizeof p->database))
            return 0;
        len = before;
    }
    if (ends_in_sha256(s, len)) {
        memcpy(p->sha256, s + len - SHA256, SHA256);
        p->sha256[SHA256] = '\0';
        len -= SHA256 + 1;
    }
    return take(s, len, p->set, sizeof p->set);
}

static int parse_object(const char *key, size_t len, struct sr_key_parts *p)
{
    static const char *const kinds[] = {".globals.sql", ".redis.rdb", ".sql", ".dump"};
    size_t body = len;
    (void)take_end(key, &body, ".gpg");
    if (!take_end(key, &body, ".gz"))
        (void)take_end(key, &body, ".zst");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!take_end(key, &body, kinds[i]))
            continue;
        p->kind = SR_KEY_OBJECT;
        return take(key + body + 1, len - body - 1, p->suffix, sizeof p->suffix) &&
               parse_body(key, body, i >= 2, p);
    }
    return 0;
}

void sr_key_parse(const char *key, struct sr_key_parts *ret)
{
    struct sr_key_parts p = {.kind = SR_KEY_OTHER};
    size_t len = strnlen(key, SR_KEY_COMPONENT_MAX + 1);
    *ret = p;
    if (len == 0 || len > SR_KEY_COMPONENT_MAX ||
        strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") != len)
        return;
    static int (*const readings[])(const char *, size_t, struct sr_key_parts *) = {
        parse_beside, parse_claim, parse_object};
    for (size_t i = 0; i < sizeof readings / sizeof *readings; i++) {
        p = (struct sr_key_parts){.kind = SR_KEY_OTHER};
        if (readings[i](key, len, &p)) {
            *ret = p;
            return;
        }
    }
}
