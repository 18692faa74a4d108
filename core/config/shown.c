#include <config.h> /* not the one of this folder */
#include "core/config/config_private.h"
#include "core/util/buf.h"
#include "core/util/cleanup.h"
#include "core/util/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MASK "***"

static int has_word(const char *s, size_t len, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= len; i++)
        if (strncasecmp(s + i, word, n) == 0)
            return 1;
    return 0;
}

static int sounds_secret(const char *name, size_t len)
{
    static const char *const secret[] = {"pass", "secret", "token", "key", "sig"};
    for (size_t i = 0; i < sizeof secret / sizeof *secret; i++)
        if (has_word(name, len, secret[i]))
            return 1;
    return 0;
}

/* "?name=value&name=value": values of what sounds secret are masked. */
static int mask_query(const char *q, struct sr_buf *out)
{
    int rc = SR_OK;
    while (*q && rc == SR_OK) {
        size_t len = strcspn(q + 1, "&") + 1, name = strcspn(q, "=");
        int hide = name < len && sounds_secret(q, name);
        rc = sr_buf_add(out, q, hide ? name + 1 : len);
        if (rc == SR_OK && hide)
            rc = sr_buf_adds(out, MASK);
        q += len;
    }
    return rc;
}

/* Nonzero when the last '@' may stand within a secret of the query ("?password=p@ss"): then nobody
 * can tell where that ends. */
static int at_in_secret(const char *rest, const char *at)
{
    const char *query = memchr(rest, '?', (size_t)(at - rest));
    const char *value = query ? memchr(query, '=', (size_t)(at - query)) : NULL;
    return value && sounds_secret(query, (size_t)(at - query));
}

/* Rather too much than too little: a password with an unescaped '/', '?' or '@' in it must not
 * show either, so that everything up to the last '@' of the whole text counts as credentials, or
 * all to the end where that one may belong to the query. */
static char *mask_url(const char *url)
{
    struct sr_buf out;
    const char *scheme = strstr(url, "://");
    if (!scheme)
        /* Words as libpq takes them: "host=... password=...". */
        return strdup(has_word(url, strlen(url), "pass") || strchr(url, '@') ? MASK : url);
    const char *rest = scheme + 3, *at = strrchr(rest, '@');
    sr_buf_init(&out, SIZE_MAX / 2);
    int rc = sr_buf_add(&out, url, (size_t)(rest - url));
    if (at && at_in_secret(rest, at)) {
        size_t open = strcspn(rest, ":?") + 1;
        if (rc == SR_OK)
            rc = sr_buf_add(&out, rest, open);
        if (rc == SR_OK)
            rc = sr_buf_adds(&out, MASK);
        at = NULL;
        rest = "";
    }
    if (at) {
        const char *colon = memchr(rest, ':', (size_t)(at - rest));
        if (rc == SR_OK)
            rc = sr_buf_add(&out, rest, (size_t)((colon ? colon + 1 : at) - rest));
        if (rc == SR_OK && colon)
            rc = sr_buf_adds(&out, MASK);
        rest = at;
    }
    size_t place = strcspn(rest, "?");
    if (rc == SR_OK)
        rc = sr_buf_add(&out, rest, place);
    if (rc == SR_OK)
        rc = mask_query(rest + place, &out);
    char *shown = rc == SR_OK ? sr_buf_steal(&out) : NULL;
    sr_buf_done(&out);
    return shown;
}

char *sr_config_shown(const struct sr_setting *s, const char *value)
{
    if (!value)
        return NULL;
    if (s->secret)
        return strdup(MASK);
    return s->type == SR_TYPE_URL ? mask_url(value) : strdup(value);
}

int sr_config_describe(const struct sr_config *c, const struct sr_setting *s, char **ret_value,
                       char **ret_origin)
{
    const struct sr_config_value *v = &c->values[s - sr_settings];
    _cleanup_free_ char *value = sr_config_shown(s, v->text);
    char where[512] = "default";
    if (v->layer)
        sr_layer_origin_text(v->layer, v->pair, where, sizeof where);
    char *origin = NULL;
    int other = v->pair && strcmp(v->pair->name, s->name) != 0;
    if ((v->text && !value) || asprintf(&origin, "%s%s%s%s", where, other ? " (" : "",
                                        other ? v->pair->name : "", other ? ")" : "") < 0)
        return SR_E_NO_MEMORY;
    *ret_value = sr_steal_ptr(value);
    *ret_origin = origin;
    return SR_OK;
}
