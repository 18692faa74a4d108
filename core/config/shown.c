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

/* "?name=value&name=value": values of what sounds secret are masked. */
static int mask_query(const char *q, struct sr_buf *out)
{
    static const char *const secret[] = {"pass", "secret", "token", "key", "sig"};
    int rc = SR_OK;
    while (*q && rc == SR_OK) {
        size_t len = strcspn(q + 1, "&") + 1, name = strcspn(q, "=");
        int hide = 0;
        for (size_t i = 0; name < len && i < sizeof secret / sizeof *secret; i++)
            hide = hide || has_word(q, name, secret[i]);
        rc = sr_buf_add(out, q, hide ? name + 1 : len);
        if (rc == SR_OK && hide)
            rc = sr_buf_adds(out, MASK);
        q += len;
    }
    return rc;
}

/* Rather too much than too little: a password with an unescaped '/', '?' or '@' in it must not
 * show either, so that everything up to the last '@' of the whole text counts as credentials. */
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

static int has_prefix(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* Ours, or a NAME_FILE that is read. */
static int is_declared(const char *name)
{
    for (const struct sr_setting *s = sr_settings; s->name; s++) {
        size_t n = strlen(s->name);
        if (strcmp(name, s->name) == 0 || (s->alias && strcmp(name, s->alias) == 0))
            return 1;
        if ((s->secret || s->type == SR_TYPE_URL) && strncmp(name, s->name, n) == 0 &&
            strcmp(name + n, "_FILE") == 0)
            return 1;
    }
    return 0;
}

/* A setting of a store: BACKUP_<NAME>_..., where NAME is one of BACKUP_STORAGE_ADAPTER or a plugin
 * that exists though it is not in use. */
static int belongs_to_store(const struct sr_strlist *stores, const char *name)
{
    static const char *const plugins[] = {"LOCAL_", "S3_", "GCS_", "AZURE_"};
    if (!has_prefix(name, "BACKUP_"))
        return 0;
    name += strlen("BACKUP_");
    for (size_t i = 0; i < sizeof plugins / sizeof *plugins; i++)
        if (has_prefix(name, plugins[i]))
            return 1;
    for (size_t i = 0; i < stores->len; i++) {
        const char *s = stores->items[i], *n = name;
        for (; *s && *s != '=' && *n; s++, n++)
            if ((*s == '-' ? '_' : toupper((unsigned char)*s)) != *n)
                break;
        if ((!*s || *s == '=') && *n == '_')
            return 1;
    }
    return 0;
}

/* Names that other programs, libraries and parts read; they are at home in one file with ours. */
static int belongs_to_others(const char *name)
{
    static const char *const prefixes[] = {
        "PG",    "AWS_",        "AZURE_", "GOOGLE_", "GCS_",  "REDIS_", "SLACK_", "NOTIFICATION_",
        "SMTP_", "STRONGROOM_", "GNUPG",  "JWT_",    "http_", "https_", "HTTP_",  "HTTPS_"};
    static const char *const words[] = {"PATH",     "HOME",          "TZ",   "TMPDIR", "NO_PROXY",
                                        "no_proxy", "SSL_CERT_FILE", "LANG", NULL};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (has_prefix(name, prefixes[i]))
            return 1;
    for (size_t i = 0; words[i]; i++)
        if (strcmp(name, words[i]) == 0)
            return 1;
    return 0;
}

static const char *nearest_setting(const char *name)
{
    const char *words[256];
    size_t n = 0;
    for (const struct sr_setting *s = sr_settings; s->name && n + 2 < 256; s++) {
        words[n++] = s->name;
        if (s->alias)
            words[n++] = s->alias;
    }
    words[n] = NULL;
    return sr_nearest(name, words);
}

int sr_config_unknown(const struct sr_config *c, struct sr_strlist *warnings)
{
    struct sr_strlist stores = {0};
    int rc = sr_config_list(c, "BACKUP_STORAGE_ADAPTER", &stores);
    for (size_t i = 0; rc == SR_OK && i < c->warnings.len; i++)
        rc = sr_strlist_add(warnings, c->warnings.items[i]);
    for (size_t i = 0; i < SR_CONFIG_LAYERS; i++) {
        const struct sr_layer *l = &c->layers[i];
        for (size_t j = 0; rc == SR_OK && j < l->len; j++) {
            const struct sr_pair *p = &l->pairs[j];
            int judged = has_prefix(p->name, "BACKUP_") || l->origin == SR_ORIGIN_FILE ||
                         l->origin == SR_ORIGIN_FLAG;
            if (!judged || is_declared(p->name) || belongs_to_store(&stores, p->name) ||
                belongs_to_others(p->name))
                continue;
            char where[512];
            sr_layer_origin_text(l, p, where, sizeof where);
            const char *near = nearest_setting(p->name);
            rc = sr_strlist_addf(warnings, "%s (%s) is no setting of strongroom%s%s%s", p->name,
                                 where, near ? "; did you mean " : "", near ? near : "",
                                 near ? "?" : "");
        }
    }
    sr_strlist_done(&stores);
    return rc;
}
