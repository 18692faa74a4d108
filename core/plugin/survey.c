#include "config.h"
#include "core/plugin/plugin.h"
#include "core/plugin/search.h"
#include "core/plugin/settings.h"
#include "core/util/cleanup.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

size_t sr_plugin_cap_names(uint64_t caps, const char **out, size_t cap)
{
    static const char *const names[] = {"late-key",    "atomic-create", "ranges",
                                        "sorted-list", "lock",          "copy",
                                        "versions",    "metadata",      "sure-sweep"};
    size_t n = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names && n < cap; i++)
        if (caps & (UINT64_C(1) << i))
            out[n++] = names[i];
    return n;
}

const char *sr_plugin_type_name(uint64_t type)
{
    static const char *const names[] = {"text",   "on/off", "whole number", "size", "time",
                                        "choice", "list",   "path",         "URL"};
    if (type == SR_SETTING_TYPE_DAYS)
        return "days";
    return type < sizeof names / sizeof *names ? names[type] : "text";
}

static int found_add(struct sr_plugin_survey *s, const char *folder, const char *name, size_t len)
{
    struct sr_plugin_found *items = reallocarray(s->items, s->len + 1, sizeof *items);
    if (!items)
        return SR_E_NO_MEMORY;
    s->items = items;
    struct sr_plugin_found *f = &items[s->len];
    memset(f, 0, sizeof *f);
    f->name = strndup(name, len);
    if (!f->name || asprintf(&f->file, "%s/%s.so", folder, f->name) < 0) {
        free(f->name);
        return SR_E_NO_MEMORY;
    }
    s->len++;
    return SR_OK;
}

static const struct sr_plugin_found *found_before(const struct sr_plugin_survey *s, size_t end,
                                                  const char *name)
{
    for (size_t i = 0; i < end; i++)
        if (strcmp(s->items[i].name, name) == 0)
            return &s->items[i];
    return NULL;
}

static int judge(struct sr_plugin_survey *s, size_t i, const char *search_path)
{
    struct sr_plugin_found *f = &s->items[i];
    const struct sr_plugin_found *shadow = found_before(s, i, f->name);
    struct sr_error err = SR_ERROR_INIT;
    int rc;
    if (!sr_plugin_name_ok(f->name))
        rc = sr_fail(&err, SR_E_CONFIG, "its file's name is no plugin name ([a-z][a-z0-9-]*)");
    else if (shadow)
        rc = sr_fail(&err, SR_E_CONFIG, "%s comes first", shadow->file);
    else
        rc = sr_plugin_load(f->name, search_path, &f->plugin, &err);
    if (rc != SR_OK && !(f->reason = strdup(err.text)))
        return SR_E_NO_MEMORY;
    return SR_OK;
}

static int by_name(const void *a, const void *b)
{
    const struct sr_plugin_found *x = a, *y = b;
    int d = strcmp(x->name, y->name);
    /* Of one name the one that is used comes first. */
    return d ? d : (x->plugin == NULL) - (y->plugin == NULL);
}

static int folder_add(struct sr_plugin_survey *s, const char *folder)
{
    DIR *d = opendir(folder);
    if (!d)
        return sr_strlist_addf(&s->folders, "%s (missing)", folder);
    int rc = sr_strlist_add(&s->folders, folder);
    for (struct dirent *e; rc == SR_OK && (e = readdir(d)) != NULL;) {
        size_t n = strlen(e->d_name);
        if (n > 3 && strcmp(e->d_name + n - 3, ".so") == 0)
            rc = found_add(s, folder, e->d_name, n - 3);
    }
    (void)closedir(d);
    return rc;
}

int sr_plugin_survey_make(const char *search_path, struct sr_plugin_survey *ret,
                          struct sr_error *err)
{
    struct sr_plugin_survey s = {0};
    struct sr_strlist folders = {0};
    int rc = sr_plugin_folders(search_path, &folders, err);
    if (rc == SR_OK) {
        for (size_t i = 0; rc == SR_OK && i < folders.len; i++)
            rc = folder_add(&s, folders.items[i]);
        for (size_t i = 0; rc == SR_OK && i < s.len; i++)
            rc = judge(&s, i, search_path);
        if (rc != SR_OK)
            (void)sr_fail(err, rc, "cannot list the plugins: out of memory");
    }
    sr_strlist_done(&folders);
    if (rc != SR_OK) {
        sr_plugin_survey_done(&s);
        return rc;
    }
    if (s.len > 1)
        qsort(s.items, s.len, sizeof *s.items, by_name);
    *ret = s;
    return SR_OK;
}

void sr_plugin_survey_done(struct sr_plugin_survey *s)
{
    for (size_t i = 0; i < s->len; i++) {
        free(s->items[i].name);
        free(s->items[i].file);
        free(s->items[i].reason);
    }
    free(s->items);
    sr_strlist_done(&s->folders);
    *s = (struct sr_plugin_survey){0};
}
