#include <config.h> /* not the one of this folder */
#include "core/config/config_private.h"
#include "core/util/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

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

/* name as it is after BACKUP_<STORE>_; NULL: it does not begin so. store may be NAME=PLUGIN. */
static const char *after_store(const char *name, const char *store)
{
    if (!has_prefix(name, "BACKUP_"))
        return NULL;
    name += strlen("BACKUP_");
    for (; *store && *store != '=' && *name; store++, name++)
        if ((*store == '-' ? '_' : toupper((unsigned char)*store)) != *name)
            return NULL;
    return (!*store || *store == '=') && *name == '_' ? name + 1 : NULL;
}

/* A setting of a store: one of BACKUP_STORAGE_ADAPTER, or one that is called as a plugin that
 * exists though it is not in use now. */
static int belongs_to_store(const struct sr_strlist *stores, const struct sr_strlist *plugins,
                            const char *name)
{
    static const char *const ours[] = {"local", "s3", "gcs", "azure"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (after_store(name, ours[i]))
            return 1;
    for (size_t i = 0; i < stores->len; i++)
        if (after_store(name, stores->items[i]))
            return 1;
    for (size_t i = 0; plugins && i < plugins->len; i++)
        if (after_store(name, plugins->items[i]))
            return 1;
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

struct judging {
    const struct sr_strlist *plugins;
    struct sr_strlist stores; /* pieces of BACKUP_STORAGE_ADAPTER */
};

/* Adds BACKUP_<STORE>_<REST> for each store, where name is BACKUP_<something>_<REST>: the store's
 * name may be what was mistyped. */
static int store_guesses(const struct judging *j, const char *name, struct sr_strlist *words)
{
    int rc = SR_OK;
    const char *rest = has_prefix(name, "BACKUP_") ? strchr(name + strlen("BACKUP_"), '_') : NULL;
    for (size_t i = 0; rc == SR_OK && rest && i < j->stores.len; i++) {
        const char *store = j->stores.items[i];
        rc = sr_strlist_addf(words, "BACKUP_%.*s%s", (int)strcspn(store, "="), store, rest);
        for (char *p = rc == SR_OK ? words->items[words->len - 1] : NULL; p && *p; p++)
            *p = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
    }
    return rc;
}

static int unknown_say(const struct judging *j, const struct sr_layer *l, const struct sr_pair *p,
                       struct sr_strlist *ret)
{
    struct sr_strlist words = {0};
    char where[512];
    int rc = store_guesses(j, p->name, &words);
    for (const struct sr_setting *s = sr_settings; rc == SR_OK && s->name; s++) {
        rc = sr_strlist_add(&words, s->name);
        if (rc == SR_OK && s->alias)
            rc = sr_strlist_add(&words, s->alias);
    }
    const char *near = rc == SR_OK ? sr_nearest(p->name, (const char *const *)words.items) : NULL;
    sr_layer_origin_text(l, p, where, sizeof where);
    if (rc == SR_OK)
        rc = sr_strlist_addf(ret, "%s (%s) is no setting of strongroom%s%s%s", p->name, where,
                             near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    sr_strlist_done(&words);
    return rc;
}

static int layer_judge(const struct judging *j, const struct sr_layer *l, struct sr_strlist *ret)
{
    int rc = SR_OK;
    for (size_t i = 0; rc == SR_OK && i < l->len; i++) {
        const struct sr_pair *p = &l->pairs[i];
        int judged = has_prefix(p->name, "BACKUP_") || l->origin == SR_ORIGIN_FILE ||
                     l->origin == SR_ORIGIN_FLAG;
        if (judged && !is_declared(p->name) && !belongs_to_store(&j->stores, j->plugins, p->name) &&
            !belongs_to_others(p->name) && !sr_layer_is_injected(l, p->name))
            rc = unknown_say(j, l, p, ret);
    }
    return rc;
}

static int judge(const struct sr_config *c, const struct sr_strlist *plugins, int flags,
                 struct sr_strlist *ret)
{
    struct judging j = {.plugins = plugins};
    int rc = sr_config_list(c, "BACKUP_STORAGE_ADAPTER", &j.stores);
    for (size_t i = 0; rc == SR_OK && i < SR_CONFIG_LAYERS; i++)
        if ((c->layers[i].origin == SR_ORIGIN_FLAG) == flags)
            rc = layer_judge(&j, &c->layers[i], ret);
    sr_strlist_done(&j.stores);
    return rc;
}

int sr_config_unknown(const struct sr_config *c, const struct sr_strlist *plugins,
                      struct sr_strlist *warnings)
{
    int rc = SR_OK;
    for (size_t i = 0; rc == SR_OK && i < c->warnings.len; i++)
        rc = sr_strlist_add(warnings, c->warnings.items[i]);
    return rc == SR_OK ? judge(c, plugins, 0, warnings) : rc;
}

int sr_config_unknown_flags(const struct sr_config *c, const struct sr_strlist *plugins,
                            struct sr_strlist *ret)
{
    return judge(c, plugins, 1, ret);
}
