#include "config.h"
#include "core/store/stores.h"
#include "core/config/config.h"
#include "core/plugin/search.h"
#include "core/store/open.h"
#include "core/store/reserved.h"
#include "core/util/cleanup.h"
#include "core/util/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- settings --- */

static int get(void *ctx, const char *name, char **ret, struct sr_error *err)
{
    /* BACKUP_DIR is core's own as well, with a default that the local store shares. */
    if (strcmp(name, "BACKUP_DIR") == 0)
        return sr_config_backup_dir(ctx, ret, err);
    return sr_config_raw(ctx, name, ret, err);
}

static int path(void *ctx, const char *name, const char *value, char **ret, struct sr_error *err)
{
    if (*value == '/')
        return (*ret = strdup(value)) ? SR_OK : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    return sr_config_raw_path(ctx, name, value, ret, err);
}

static int names(void *ctx, const char *prefix, struct sr_strlist *ret)
{
    return sr_config_names(ctx, prefix, ret);
}

static void where(void *ctx, const char *name, char *out, size_t cap)
{
    sr_config_raw_where(ctx, name, out, cap);
}

struct sr_setting_lookup sr_stores_lookup(const struct sr_config *cfg)
{
    return (struct sr_setting_lookup){(void *)(uintptr_t)cfg, get, path, names, where};
}

/* --- names --- */

/* One of BACKUP_STORAGE_ADAPTER: "local", "dr=s3", "dr=/opt/x.so", "/opt/x.so". */
struct named {
    char *name;  /* NULL: the plugin's own, known once it is loaded */
    char *which; /* plugin name or absolute path */
    struct sr_plugin *plugin;
    struct sr_error *refused; /* why there is no plugin; NULL: there is */
};

struct plan {
    struct named *items;
    size_t len;
    struct sr_strlist names; /* of all */
};

static void named_done(struct named *n)
{
    free(n->name);
    free(n->which);
    free(n->refused);
    *n = (struct named){0};
}

static void plan_done(struct plan *p)
{
    for (size_t i = 0; i < p->len; i++)
        named_done(&p->items[i]);
    free(p->items);
    sr_strlist_done(&p->names);
}

static int name_one(struct named *n, const char *text, struct sr_error *err)
{
    const char *eq = strchr(text, '=');
    if (eq) {
        n->name = strndup(text, (size_t)(eq - text));
        n->which = strdup(eq + 1);
    } else {
        n->name = *text == '/' ? NULL : strdup(text);
        n->which = strdup(text);
    }
    if (!n->which || (!n->name && (eq || *text != '/')))
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    return SR_OK;
}

static int judge_name(const struct plan *p, const char *name, struct sr_error *err)
{
    if (!sr_plugin_name_ok(name))
        return sr_fail(err, SR_E_CONFIG,
                       "BACKUP_STORAGE_ADAPTER: '%s' is no name for a store: [a-z][a-z0-9-]*, at "
                       "most %d bytes",
                       name, SR_PLUGIN_NAME_MAX);
    const char *setting = sr_store_name_reserved(name);
    if (setting)
        return sr_fail(err, SR_E_CONFIG,
                       "BACKUP_STORAGE_ADAPTER: a store cannot be called '%s': its settings would "
                       "look like %s",
                       name, setting);
    if (sr_strlist_has(&p->names, name))
        return sr_fail(err, SR_E_CONFIG,
                       "BACKUP_STORAGE_ADAPTER names the store '%s' twice; give a second store of "
                       "one plugin a name of its own (dr=%s)",
                       name, name);
    return SR_OK;
}

/* Loads n's plugin. One that is there but is refused (it breaks a promise, crashes, may be written
 * by others) closes its own store and no other: that is noted in n. One that is not there at all is
 * a wrong setting. */
static int load_one(struct named *n, const char *search_path, struct sr_error *err)
{
    struct sr_error e = SR_ERROR_INIT;
    int rc = sr_plugin_load(n->which, search_path, &n->plugin, &e);
    if (rc == SR_OK)
        return SR_OK;
    char *file = NULL;
    int found = sr_plugin_find(n->which, search_path, &file, NULL);
    free(file);
    if (rc == SR_E_NO_MEMORY || found == SR_E_CONFIG || found == SR_E_NOT_FOUND)
        return sr_error_copy(err, &e);
    if (!n->name) {
        const char *base = strrchr(n->which, '/') + 1;
        n->name = strndup(base, strcspn(base, "."));
    }
    n->refused = malloc(sizeof *n->refused);
    if (!n->name || !n->refused)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    *n->refused = e;
    return SR_OK;
}

/* Adds one piece of BACKUP_STORAGE_ADAPTER and loads its plugin. p has room for it. */
static int plan_add(const struct sr_config *cfg, struct plan *p, const char *piece,
                    struct sr_error *err)
{
    struct named *n = &p->items[p->len++];
    int rc = name_one(n, piece, err);
    if (rc == SR_OK && n->name)
        rc = judge_name(p, n->name, err);
    if (rc == SR_OK)
        rc = load_one(n, sr_config_str(cfg, "BACKUP_PLUGIN_PATH"), err);
    if (rc == SR_OK && !n->name) {
        n->name = strdup(sr_plugin_table(n->plugin)->name);
        rc = n->name ? judge_name(p, n->name, err) : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    if (rc == SR_OK)
        rc = sr_strlist_add(&p->names, n->name);
    return rc;
}

/* Reads BACKUP_STORAGE_ADAPTER and loads every plugin in it. With bad, what cannot be used is
 * added there and left out of the plan; without, it is an error. */
static int plan_make(const struct sr_config *cfg, struct plan *p, struct sr_strlist *bad,
                     struct sr_error *err)
{
    struct sr_strlist pieces = {0};
    int rc = sr_config_list(cfg, "BACKUP_STORAGE_ADAPTER", &pieces);
    if (rc == SR_OK && pieces.len == 0)
        rc = sr_fail(err, SR_E_CONFIG, "BACKUP_STORAGE_ADAPTER names no store");
    else if (rc == SR_OK && !(p->items = calloc(pieces.len, sizeof *p->items)))
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    for (size_t i = 0; rc == SR_OK && i < pieces.len; i++) {
        struct sr_error e = SR_ERROR_INIT;
        rc = plan_add(cfg, p, pieces.items[i], &e);
        if (rc != SR_OK && rc != SR_E_NO_MEMORY && bad) {
            named_done(&p->items[--p->len]);
            rc = sr_strlist_add(bad, e.text);
        } else if (rc != SR_OK) {
            (void)sr_error_copy(err, &e);
        }
    }
    sr_strlist_done(&pieces);
    return rc;
}

static const struct named *plan_find(const struct plan *p, const char *name)
{
    for (size_t i = 0; i < p->len; i++)
        if (strcmp(p->items[i].name, name) == 0)
            return &p->items[i];
    return NULL;
}

static struct sr_setting_view view_of(const struct named *n, const struct sr_setting_lookup *lookup)
{
    const struct sr_storage_plugin *t = sr_plugin_table(n->plugin);
    return (struct sr_setting_view){n->name, t->name, t->settings, lookup};
}

int sr_stores_each(const struct sr_config *cfg, struct sr_strlist *bad,
                   int (*each)(void *ctx, const struct sr_store_configured *s,
                               struct sr_error *err),
                   void *ctx, struct sr_error *err)
{
    _cleanup_(plan_done) struct plan p = {0};
    const struct sr_setting_lookup lookup = sr_stores_lookup(cfg);
    int rc = plan_make(cfg, &p, bad, err);
    for (size_t i = 0; rc == SR_OK && i < p.len; i++) {
        if (p.items[i].refused) {
            rc = bad ? sr_strlist_add(bad, p.items[i].refused->text)
                     : sr_error_copy(err, p.items[i].refused);
            continue;
        }
        const struct sr_setting_view view = view_of(&p.items[i], &lookup);
        const struct sr_store_configured s = {&view, p.items[i].plugin, &p.names};
        rc = each(ctx, &s, err);
    }
    return rc;
}

/* --- opening --- */

static int open_one(const struct sr_config *cfg, const struct plan *p, const struct named *n,
                    int read_only, struct sr_store_rw **ret, struct sr_error *err)
{
    const struct sr_setting_lookup lookup = sr_stores_lookup(cfg);
    const struct sr_setting_view view = view_of(n, &lookup);
    _cleanup_free_ char *prefix_name = NULL, *prefix = NULL;
    int rc = sr_setting_check_all(&view, &p->names, err);
    if (rc == SR_OK)
        rc = sr_setting_name(n->name, "prefix", &prefix_name, err);
    if (rc == SR_OK)
        rc = sr_config_raw(cfg, prefix_name, &prefix, err);
    if (rc != SR_OK)
        return rc;
    const struct sr_store_spec spec = {n->name, n->plugin, &lookup, prefix, read_only};
    return sr_store_open(&spec, ret, err);
}

static int places_check(const struct sr_stores *s, const struct sr_store_rw *added,
                        struct sr_error *err)
{
    const struct sr_store *b = sr_store_ro((struct sr_store_rw *)(uintptr_t)added);
    for (size_t i = 0; i < s->len; i++) {
        const struct sr_store *a = sr_store_ro(s->items[i]);
        if (a != b && strcmp(sr_store_place(a), sr_store_place(b)) == 0)
            return sr_fail(err, SR_E_CONFIG,
                           "the stores %s and %s are one place, %s: a second copy there is none",
                           sr_store_name(a), sr_store_name(b), sr_store_place(b));
    }
    return SR_OK;
}

/* What is not the store's fault: the next one would not fare better, or somebody must look. A
 * promise that its plugin breaks (SR_E_INTERNAL) is. */
static int is_fatal(int rc)
{
    return rc == SR_E_CONFIG || rc == SR_E_USAGE || rc == SR_E_NO_MEMORY || rc == SR_E_CANCELLED;
}

static void note_closed(struct sr_stores *s, const char *name, const struct sr_error *e)
{
    struct sr_store_closed *c = &s->closed[s->closed_len++];
    (void)snprintf(c->name, sizeof c->name, "%s", name);
    sr_error_copy(&c->error, e);
}

static int open_wanted(const struct sr_config *cfg, const struct plan *p,
                       const struct sr_strlist *wanted, int read_only, struct sr_stores *s,
                       struct sr_error *err)
{
    s->items = calloc(wanted->len ? wanted->len : 1, sizeof *s->items);
    s->closed = calloc(wanted->len ? wanted->len : 1, sizeof *s->closed);
    if (!s->items || !s->closed)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < wanted->len; i++) {
        const struct named *n = plan_find(p, wanted->items[i]);
        if (!n) {
            sr_fail(err, SR_E_CONFIG,
                    "there is no store '%s'; BACKUP_STORAGE_ADAPTER names:", wanted->items[i]);
            for (size_t k = 0; k < p->names.len; k++)
                sr_error_append(err, " %s", p->names.items[k]);
            return SR_E_CONFIG;
        }
        if (sr_stores_find(s, n->name))
            continue; /* asked for twice */
        struct sr_error e = SR_ERROR_INIT;
        int rc = n->refused ? sr_error_copy(&e, n->refused)
                            : open_one(cfg, p, n, read_only, &s->items[s->len], &e);
        if (rc != SR_OK && !n->refused && is_fatal(rc))
            return sr_error_copy(err, &e);
        if (rc != SR_OK) {
            note_closed(s, n->name, &e);
            continue;
        }
        s->len++;
        rc = places_check(s, s->items[s->len - 1], err);
        if (rc != SR_OK)
            return rc;
    }
    return SR_OK;
}

static int open_all(const struct sr_config *cfg, const char *only, int read_only, int some,
                    struct sr_stores *ret, struct sr_error *err)
{
    _cleanup_(plan_done) struct plan p = {0};
    struct sr_strlist wanted = {0}, bad = {0};
    struct sr_stores s = {0};
    /* Where stores were asked for by name, what is wrong with another is not in their way. */
    int rc = plan_make(cfg, &p, some && only ? &bad : NULL, err);
    if (rc == SR_OK)
        rc = only ? sr_strlist_split(&wanted, only, ',') : sr_strlist_copy(&wanted, &p.names);
    for (size_t i = 0; rc == SR_OK && bad.len > 0 && i < wanted.len; i++)
        if (!plan_find(&p, wanted.items[i]))
            rc = sr_fail(err, SR_E_CONFIG, "%s", bad.items[0]);
    if (rc == SR_OK)
        rc = open_wanted(cfg, &p, &wanted, read_only, &s, err);
    sr_strlist_done(&wanted);
    sr_strlist_done(&bad);
    if (rc == SR_OK && s.closed_len > 0 && (!some || s.len == 0))
        rc = sr_error_copy(err, &s.closed[0].error);
    for (size_t i = 0; rc == SR_OK && i < s.closed_len; i++)
        sr_log(SR_LOG_WARN, "going on without store %s: %s", s.closed[i].name,
               s.closed[i].error.text);
    if (rc != SR_OK) {
        sr_stores_close(&s);
        return rc;
    }
    *ret = s;
    return SR_OK;
}

int sr_stores_open_as(const struct sr_config *cfg, const char *only, int read_only,
                      struct sr_stores *ret, struct sr_error *err)
{
    return open_all(cfg, only, read_only, 0, ret, err);
}

int sr_stores_open_reachable(const struct sr_config *cfg, const char *only, int read_only,
                             struct sr_stores *ret, struct sr_error *err)
{
    return open_all(cfg, only, read_only, 1, ret, err);
}

int sr_stores_open(const struct sr_config *cfg, const char *only, struct sr_stores *ret,
                   struct sr_error *err)
{
    return sr_stores_open_as(cfg, only, 0, ret, err);
}

int sr_stores_reopen(const struct sr_config *cfg, const char *name, struct sr_store_rw **ret,
                     struct sr_error *err)
{
    struct sr_stores s;
    int rc = sr_stores_open_as(cfg, name, 0, &s, err);
    if (rc != SR_OK)
        return rc;
    if (s.len != 1) {
        sr_stores_close(&s);
        return sr_fail(err, SR_E_CONFIG, "'%s' is not the name of one store", name);
    }
    *ret = s.items[0];
    free(s.items);
    free(s.closed);
    return SR_OK;
}

int sr_stores_retry(const struct sr_config *cfg, struct sr_stores *s, size_t k,
                    struct sr_error *err)
{
    struct sr_store_rw *rw = NULL;
    int rc = sr_stores_reopen(cfg, s->closed[k].name, &rw, err);
    if (rc == SR_OK)
        rc = places_check(s, rw, err);
    if (rc != SR_OK) {
        sr_store_close(rw);
        return rc;
    }
    s->items[s->len++] = rw; /* there is room for all that were wanted */
    memmove(&s->closed[k], &s->closed[k + 1], (--s->closed_len - k) * sizeof *s->closed);
    return SR_OK;
}

struct sr_store_rw *sr_stores_find(const struct sr_stores *s, const char *name)
{
    for (size_t i = 0; i < s->len; i++)
        if (strcmp(sr_store_name(sr_store_ro(s->items[i])), name) == 0)
            return s->items[i];
    return NULL;
}

void sr_stores_close(struct sr_stores *s)
{
    for (size_t i = 0; i < s->len; i++)
        sr_store_close(s->items[i]);
    free(s->items);
    free(s->closed);
    *s = (struct sr_stores){0};
}
