#include <config.h> /* not the one of this folder */
#include "core/config/config_private.h"
#include "core/util/cleanup.h"
#include "core/util/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Longer times would overflow when counted in nanoseconds. */
#define DURATION_MAX (36500ull * 86400)
#define QUOTED_MAX 48

/* Enough of the value to recognise it, fit for one line. */
static void quote(const struct sr_setting *s, const char *text, char out[QUOTED_MAX + 8])
{
    size_t n = 0;
    if (s->secret || s->type == SR_TYPE_URL) {
        (void)snprintf(out, QUOTED_MAX + 8, "***");
        return;
    }
    for (; text[n] && n < QUOTED_MAX; n++)
        out[n] = (unsigned char)text[n] < 0x20 || text[n] == 0x7f ? '?' : text[n];
    (void)snprintf(out + n, 8, "%s", text[n] ? "..." : "");
}

static int wrong(const struct sr_setting *s, const char *text, const char *where,
                 const char *expected, struct sr_error *err)
{
    char shown[QUOTED_MAX + 8];
    quote(s, text, shown);
    return sr_fail(err, SR_E_CONFIG, "%s=%s (%s) does not fit: expected is %s", s->name, shown,
                   where, expected);
}

static int parse_int(const struct sr_setting *s, const char *text, const char *where, int64_t *ret,
                     struct sr_error *err)
{
    uint64_t v = 0;
    int64_t max = s->min || s->max ? s->max : INT64_MAX;
    if (s->type == SR_TYPE_DAYS && strcasecmp(text, "forever") == 0) {
        *ret = -1;
        return SR_OK;
    }
    if (sr_parse_u64(text, &v) == SR_OK && v <= (uint64_t)max && (int64_t)v >= s->min) {
        *ret = (int64_t)v;
        return SR_OK;
    }
    char expected[96];
    (void)snprintf(expected, sizeof expected, "%sa whole number from %lld to %lld",
                   s->type == SR_TYPE_DAYS ? "\"forever\" or " : "", (long long)s->min,
                   (long long)max);
    return wrong(s, text, where, expected, err);
}

static int parse_choice(const struct sr_setting *s, const char *text, const char *where,
                        char **ret_text, struct sr_error *err)
{
    struct sr_strlist words = {0};
    int rc = sr_strlist_split(&words, s->choices, '|');
    for (size_t i = 0; rc == SR_OK && i < words.len; i++) {
        if (strcasecmp(words.items[i], text) == 0) {
            *ret_text = words.items[i];
            words.items[i] = NULL;
            sr_strlist_done(&words);
            return SR_OK;
        }
    }
    if (rc != SR_OK) {
        sr_strlist_done(&words);
        return sr_fail(err, rc, "out of memory");
    }
    _cleanup_free_ char *lower = strdup(text);
    for (char *p = lower; p && *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    const char *near = lower ? sr_nearest(lower, (const char *const *)words.items) : NULL;
    char expected[256];
    (void)snprintf(expected, sizeof expected, "one of %s%s%s%s", s->choices,
                   near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    rc = wrong(s, text, where, expected, err);
    sr_strlist_done(&words);
    return rc;
}

static int has_control(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return 1;
    return 0;
}

int sr_value_parse(const struct sr_setting *s, const char *text, const char *where, char **ret_text,
                   int64_t *ret_number, struct sr_error *err)
{
    int64_t number = 0;
    uint64_t v = 0;
    int b = 0, rc = SR_OK;
    size_t len = strlen(text);
    if (len > SR_CONFIG_VALUE_MAX)
        return sr_fail(err, SR_E_CONFIG, "%s (%s) is %zu bytes long; at most %u are allowed",
                       s->name, where, len, SR_CONFIG_VALUE_MAX);
    switch (s->type) {
    case SR_TYPE_BOOL:
        if (sr_parse_bool(text, &b) != SR_OK)
            return wrong(s, text, where, "on or off (also 1/0, true/false, yes/no)", err);
        number = b;
        break;
    case SR_TYPE_INT:
    case SR_TYPE_DAYS:
        rc = parse_int(s, text, where, &number, err);
        break;
    case SR_TYPE_SIZE:
        if (sr_parse_size(text, &v) != SR_OK || v > INT64_MAX)
            return wrong(s, text, where, "a size in bytes, or with a unit as in 64K, 8MiB, 2G",
                         err);
        number = (int64_t)v;
        break;
    case SR_TYPE_DURATION:
        if (sr_parse_duration(text, &v) != SR_OK || v > DURATION_MAX)
            return wrong(s, text, where, "a time as in 90s, 15m, 24h or 7d, at most 36500d", err);
        number = (int64_t)v;
        break;
    case SR_TYPE_CHOICE: {
        char *choice = NULL;
        rc = parse_choice(s, text, where, &choice, err);
        if (rc == SR_OK)
            *ret_text = choice;
        return rc;
    }
    case SR_TYPE_PATH:
    case SR_TYPE_URL:
        if (has_control(text))
            return wrong(s, text, where, "text without line breaks and control characters", err);
        break;
    case SR_TYPE_STRING:
    case SR_TYPE_LIST:
        break;
    }
    if (rc != SR_OK)
        return rc;
    char *copy = strdup(text);
    if (!copy)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    *ret_text = copy;
    *ret_number = number;
    return SR_OK;
}
