#include "config.h"
#include "core/plugin/settings_private.h"
#include "core/util/cleanup.h"
#include "core/util/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* So much of a value is enough to recognise it. */
#define QUOTED_MAX 48
/* Longer values are a mistake, such as a whole file pasted into a variable. */
#define VALUE_MAX (64u << 10)

/* Fit for one line; a URL may hold a password. */
static void quote(const struct sr_setting_raw *r, char out[QUOTED_MAX + 8])
{
    size_t n = 0;
    if ((r->row->flags & SR_STORAGE_SETTING_SECRET) || r->row->type == SR_STORAGE_TYPE_URL) {
        (void)snprintf(out, QUOTED_MAX + 8, "***");
        return;
    }
    for (; r->text[n] && n < QUOTED_MAX; n++)
        out[n] = iscntrl((unsigned char)r->text[n]) ? '?' : r->text[n];
    (void)snprintf(out + n, 8, "%s", r->text[n] ? "..." : "");
}

static int bad(const struct sr_setting_view *v, const struct sr_setting_raw *r, const char *allowed,
               struct sr_error *err)
{
    _cleanup_free_ char *own = NULL;
    char shown[QUOTED_MAX + 8], where[SR_SETTING_WHERE_MAX] = "";
    if (!r->name && sr_setting_name(v->store, r->row->key, &own, err) != SR_OK)
        return err ? err->code : SR_E_NO_MEMORY;
    if (r->name)
        sr_setting_where(v, r->name, where);
    quote(r, shown);
    return sr_fail(err, SR_E_CONFIG, "store %s: %s%s%s is '%s': %s", v->store,
                   r->name ? "" : "the default of ", r->name ? r->name : own, where, shown,
                   allowed);
}

static int in_range(const struct sr_storage_setting *row, int64_t n)
{
    return (row->min == 0 && row->max == 0) || (n >= row->min && n <= row->max);
}

static int number(const struct sr_setting_view *v, const struct sr_setting_raw *r, int64_t n,
                  char **ret, struct sr_error *err)
{
    if (!in_range(r->row, n)) {
        char allowed[96];
        (void)snprintf(allowed, sizeof allowed, "must be within %" PRId64 " and %" PRId64,
                       r->row->min, r->row->max);
        return bad(v, r, allowed, err);
    }
    return asprintf(ret, "%" PRId64, n) < 0
               ? sr_fail(err, SR_E_NO_MEMORY, "store %s: out of memory", v->store)
               : SR_OK;
}

static int whole(const char *s, int64_t *ret)
{
    char *end = NULL;
    errno = 0;
    long long n = strtoll(s, &end, 10);
    if (errno || *end || !(isdigit((unsigned char)*s) || (*s == '-' && s[1])))
        return -1;
    *ret = n;
    return 0;
}

/* In any case, as everywhere; handed over as it is declared. */
static int choice(const struct sr_setting_view *v, const struct sr_setting_raw *r, char **ret,
                  struct sr_error *err)
{
    struct sr_strlist words = {0};
    char allowed[512];
    int rc = sr_strlist_split(&words, r->row->choices, '|');
    for (size_t i = 0; rc == SR_OK && i < words.len && !*ret; i++)
        if (strcasecmp(words.items[i], r->text) == 0) {
            *ret = words.items[i];
            words.items[i] = NULL;
        }
    if (rc == SR_OK && !*ret) {
        const char *near = words.len ? sr_nearest(r->text, (const char *const *)words.items) : NULL;
        (void)snprintf(allowed, sizeof allowed, "must be one of %.300s%s%.100s%s", r->row->choices,
                       near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
        rc = bad(v, r, allowed, err);
    } else if (rc != SR_OK) {
        (void)sr_fail(err, rc, "store %s: out of memory", v->store);
    }
    sr_strlist_done(&words);
    return rc;
}

static int has_control(const char *text)
{
    for (; *text; text++)
        if (iscntrl((unsigned char)*text))
            return 1;
    return 0;
}

int sr_setting_convert(const struct sr_setting_view *v, const struct sr_setting_raw *r, char **ret,
                       struct sr_error *err)
{
    uint64_t n = 0;
    int64_t i = 0;
    int b = 0;
    if (strlen(r->text) > VALUE_MAX)
        return bad(v, r, "is longer than 65536 bytes", err);
    switch (r->row->type) {
    case SR_STORAGE_TYPE_BOOL:
        if (sr_parse_bool(r->text, &b) != SR_OK)
            return bad(v, r, "must be on or off", err);
        *ret = strdup(b ? "1" : "0");
        break;
    case SR_STORAGE_TYPE_INT:
        if (whole(r->text, &i) != 0)
            return bad(v, r, "must be a whole number", err);
        return number(v, r, i, ret, err);
    case SR_SETTING_TYPE_DAYS:
        if (strcasecmp(r->text, "forever") == 0) {
            *ret = strdup("-1");
            break;
        }
        if (whole(r->text, &i) != 0)
            return bad(v, r, "must be a whole number of days, or forever", err);
        return number(v, r, i, ret, err);
    case SR_STORAGE_TYPE_SIZE:
        if (sr_parse_size(r->text, &n) != SR_OK || n > INT64_MAX)
            return bad(v, r, "must be a size such as 10, 64K, 8MiB, 2GB", err);
        return number(v, r, (int64_t)n, ret, err);
    case SR_STORAGE_TYPE_DURATION:
        if (sr_parse_duration(r->text, &n) != SR_OK || n > INT64_MAX)
            return bad(v, r, "must be a time such as 90s, 15m, 24h, 7d", err);
        return number(v, r, (int64_t)n, ret, err);
    case SR_STORAGE_TYPE_CHOICE:
        return choice(v, r, ret, err);
    case SR_STORAGE_TYPE_PATH:
        if (has_control(r->text))
            return bad(v, r, "must be a path without line breaks and control characters", err);
        return v->lookup->path(v->lookup->ctx, r->name, r->text, ret, err);
    case SR_STORAGE_TYPE_URL:
        if (has_control(r->text))
            return bad(v, r, "must be a URL without line breaks and control characters", err);
        *ret = strdup(r->text);
        break;
    default:
        *ret = strdup(r->text);
        break;
    }
    return *ret ? SR_OK : sr_fail(err, SR_E_NO_MEMORY, "store %s: out of memory", v->store);
}
