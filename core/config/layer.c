#include <config.h> /* not the one of this folder */
#include "core/config/layer.h"
#include "core/config/dotenv.h"
#include "core/util/buf.h"
#include "core/util/cleanup.h"
#include "core/util/fs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void pair_done(struct sr_pair *p)
{
    if (p->value)
        explicit_bzero(p->value, strlen(p->value));
    free(p->value);
    free(p->name);
}

int sr_layer_add(struct sr_layer *l, const char *name, size_t name_len, const char *value,
                 unsigned line)
{
    if (l->len == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 32;
        struct sr_pair *pairs = reallocarray(l->pairs, cap, sizeof *pairs);
        if (!pairs)
            return SR_E_NO_MEMORY;
        l->pairs = pairs;
        l->cap = cap;
    }
    struct sr_pair p = {strndup(name, name_len), strdup(value), line, l->len};
    if (!p.name || !p.value) {
        pair_done(&p);
        return SR_E_NO_MEMORY;
    }
    l->pairs[l->len++] = p;
    return SR_OK;
}

static int by_name_and_order(const void *a, const void *b)
{
    const struct sr_pair *x = a, *y = b;
    int c = strcmp(x->name, y->name);
    return c ? c : x->order < y->order ? -1 : x->order > y->order;
}

int sr_layer_seal(struct sr_layer *l, int keep_first, struct sr_strlist *warnings)
{
    int rc = SR_OK;
    size_t kept = 0;
    if (l->len > 1)
        qsort(l->pairs, l->len, sizeof *l->pairs, by_name_and_order);
    for (size_t i = 0; i < l->len; i++) {
        struct sr_pair *p = &l->pairs[i];
        struct sr_pair *before = kept ? &l->pairs[kept - 1] : NULL;
        if (!before || strcmp(before->name, p->name) != 0) {
            l->pairs[kept++] = *p;
            continue;
        }
        if (warnings && rc == SR_OK && l->file)
            rc = sr_strlist_addf(warnings, "%s:%u: %s is set again; line %u no longer counts",
                                 l->file, p->line, p->name, before->line);
        if (keep_first) {
            pair_done(p);
        } else {
            pair_done(before);
            *before = *p;
        }
    }
    l->len = kept;
    return rc;
}

const struct sr_pair *sr_layer_get(const struct sr_layer *l, const char *name)
{
    size_t lo = 0, hi = l->len;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = strcmp(l->pairs[mid].name, name);
        if (c == 0)
            return l->pairs[mid].value[0] ? &l->pairs[mid] : NULL;
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

static int add_pair(void *ctx, const char *name, const char *value, unsigned line,
                    struct sr_error *err)
{
    if (sr_layer_add(ctx, name, strlen(name), value, line) == SR_OK)
        return SR_OK;
    return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
}

/* The name alone has to tell: most of a shared .env belongs to other programs. */
static int looks_secret(const struct sr_pair *p)
{
    static const char *const words[] = {"PASS", "SECRET", "TOKEN", "PRIVATE", "_KEY", "_SAS"};
    const char *scheme = strstr(p->value, "://");
    if (scheme && strchr(scheme, '@'))
        return 1;
    for (size_t i = 0; p->value[0] && i < sizeof words / sizeof *words; i++)
        if (strcasestr(p->name, words[i]))
            return 1;
    return 0;
}

static int judge_mode(const struct sr_layer *l, const struct stat *st, struct sr_strlist *warnings)
{
    int rc = SR_OK;
    if (!S_ISREG(st->st_mode))
        return SR_OK;
    if (st->st_mode & S_IWOTH)
        rc = sr_strlist_addf(warnings,
                             "%s: every user may change it, and with it what is run and where "
                             "backups go; chmod o-w %s",
                             l->file, l->file);
    for (size_t i = 0; rc == SR_OK && (st->st_mode & S_IROTH) && i < l->len; i++)
        if (looks_secret(&l->pairs[i]))
            return sr_strlist_addf(warnings,
                                   "%s: every user may read it, and %s in it looks secret; chmod "
                                   "600 %s",
                                   l->file, l->pairs[i].name, l->file);
    return rc;
}

/* The absolute folder of path; NULL with SR_OK when cwd would be needed and is unknown. */
static int folder_of(const char *path, const char *cwd, char **ret)
{
    const char *slash = strrchr(path, '/');
    _cleanup_free_ char *dir =
        slash ? strndup(path, slash > path ? (size_t)(slash - path) : 1) : strdup("");
    if (!dir)
        return SR_E_NO_MEMORY;
    if (*dir == '/') {
        *ret = sr_steal_ptr(dir);
        return SR_OK;
    }
    if (!cwd)
        return SR_OK;
    *ret = *dir && strcmp(dir, ".") != 0 ? sr_fs_join(cwd, dir) : strdup(cwd);
    return *ret ? SR_OK : SR_E_NO_MEMORY;
}

int sr_layer_read_file(struct sr_layer *l, const char *path, int optional, const char *cwd,
                       struct sr_strlist *warnings, struct sr_error *err)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        if (optional && (errno == ENOENT || errno == ENOTDIR))
            return SR_OK;
        (void)sr_fail_errno(err, errno, "cannot read the settings file %s", path);
        goto config_error;
    }
    /* A Python environment is often a folder of this very name. */
    if (optional && S_ISDIR(st.st_mode))
        return sr_strlist_addf(warnings, "%s is a folder, so no settings were read from it", path);

    struct sr_buf text;
    sr_buf_init(&text, SR_DOTENV_MAX);
    int rc = sr_fs_read_file(path, &text, err);
    if (rc == SR_OK) {
        l->file = strdup(path);
        rc = l->file ? folder_of(path, cwd, &l->folder) : SR_E_NO_MEMORY;
        if (rc == SR_OK)
            rc = sr_dotenv_parse(path, sr_buf_str(&text), text.len, add_pair, l, err);
        else
            (void)sr_fail(err, rc, "out of memory");
    }
    sr_buf_wipe(&text);
    if (rc == SR_E_NO_MEMORY)
        return rc;
    if (rc != SR_OK)
        goto config_error;
    if (sr_layer_seal(l, 0, warnings) != SR_OK || judge_mode(l, &st, warnings) != SR_OK)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    return SR_OK;

config_error:
    if (err)
        err->code = SR_E_CONFIG;
    return SR_E_CONFIG;
}

void sr_layer_origin_text(const struct sr_layer *l, const struct sr_pair *p, char *out, size_t cap)
{
    if (l->file)
        (void)snprintf(out, cap, "%s:%u", l->file, p->line);
    else
        (void)snprintf(out, cap, "%s", l->origin == SR_ORIGIN_FLAG ? "flag" : "environment");
}

void sr_layer_done(struct sr_layer *l)
{
    for (size_t i = 0; i < l->len; i++)
        pair_done(&l->pairs[i]);
    free(l->pairs);
    free(l->file);
    free(l->folder);
    *l = (struct sr_layer){.origin = l->origin};
}
