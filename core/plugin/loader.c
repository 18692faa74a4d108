#include "config.h"
#include "core/plugin/attach.h"
#include "core/plugin/plugin.h"
#include "core/plugin/probe.h"
#include "core/plugin/search.h"
#include "core/util/cleanup.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct sr_plugin {
    struct sr_abi abi;
    char *file;
    atomic_uint_fast64_t handles;
    struct sr_plugin *next;
};

/* What this process has loaded: a mirror of the dynamic linker's own list, which is as global and
 * as lasting. Without it `load` would run twice. */
static pthread_mutex_t loaded_lock = PTHREAD_MUTEX_INITIALIZER;
static struct sr_plugin *loaded;

static struct sr_plugin *find_file(const char *file)
{
    for (struct sr_plugin *p = loaded; p; p = p->next)
        if (strcmp(p->file, file) == 0)
            return p;
    return NULL;
}

static struct sr_plugin *find_name(const char *name)
{
    for (struct sr_plugin *p = loaded; p; p = p->next)
        if (strcmp(p->abi.table.name, name) == 0)
            return p;
    return NULL;
}

static int names_check(const char *which, const struct sr_plugin *p, struct sr_error *err)
{
    const char *name = p->abi.table.name;
    if (*which != '/' && strcmp(which, name) != 0)
        return sr_fail(err, SR_E_CONFIG,
                       "plugin %s refused: it calls itself '%s', but its file is named for '%s'",
                       p->file, name, which);
    const struct sr_plugin *same = find_name(name);
    if (same)
        return sr_fail(err, SR_E_CONFIG,
                       "plugin %s refused: the name '%s' is taken by the plugin loaded from %s",
                       p->file, name, same->file);
    return SR_OK;
}

static int load_file(const char *which, char *file, struct sr_plugin **ret, struct sr_error *err)
{
    int rc = sr_plugin_probe(file, SR_PROBE_DEADLINE_MS, err);
    if (rc != SR_OK)
        return rc;
    struct sr_plugin *p = calloc(1, sizeof *p);
    if (!p)
        return sr_fail(err, SR_E_NO_MEMORY, "cannot load plugin %s: out of memory", file);
    rc = sr_plugin_attach(file, NULL, NULL, &p->abi, err);
    p->file = file;
    if (rc == SR_OK)
        rc = names_check(which, p, err);
    if (rc != SR_OK) {
        sr_abi_done(&p->abi);
        free(p);
        return rc;
    }
    p->next = loaded;
    loaded = p;
    *ret = p;
    return SR_OK;
}

int sr_plugin_load(const char *which, const char *search_path, struct sr_plugin **ret,
                   struct sr_error *err)
{
    _cleanup_free_ char *file = NULL;
    int rc = sr_plugin_find(which, search_path, &file, err);
    if (rc != SR_OK)
        return rc;
    pthread_mutex_lock(&loaded_lock);
    struct sr_plugin *p = find_file(file);
    if (!p) {
        rc = load_file(which, file, &p, err);
        if (rc == SR_OK)
            file = NULL;
    } else if (*which != '/' && strcmp(which, p->abi.table.name) != 0) {
        rc = sr_fail(err, SR_E_CONFIG,
                     "plugin %s refused: it calls itself '%s', but its file is named for '%s'",
                     p->file, p->abi.table.name, which);
    }
    pthread_mutex_unlock(&loaded_lock);
    if (rc == SR_OK)
        *ret = p;
    return rc;
}

const struct sr_storage_plugin *sr_plugin_table(const struct sr_plugin *p)
{
    return &p->abi.table;
}

const char *sr_plugin_file(const struct sr_plugin *p)
{
    return p->file;
}

int sr_plugin_handle_take(struct sr_plugin *p, struct sr_error *err)
{
    uint64_t most = p->abi.table.max_handles;
    uint64_t before = atomic_fetch_add(&p->handles, 1);
    if (most == 0 || before < most)
        return SR_OK;
    atomic_fetch_sub(&p->handles, 1);
    return sr_fail(err, SR_E_BUSY,
                   "plugin %s bears %llu open handles at once, and so many are open",
                   p->abi.table.name, (unsigned long long)most);
}

void sr_plugin_handle_give(struct sr_plugin *p)
{
    atomic_fetch_sub(&p->handles, 1);
}
