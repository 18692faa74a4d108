#include "config.h"
#include "core/plugin/attach.h"
#include "core/plugin/host.h"
#include "core/plugin/inside.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static int call_load(const struct sr_abi *abi, const char *file, struct sr_error *err)
{
    if (!abi->table.load)
        return SR_OK;
    char label[64];
    (void)snprintf(label, sizeof label, "plugin %s", abi->table.name);
    const struct sr_host_options o = {.label = label, .file = file, .clock = &sr_clock_system};
    struct sr_host *h = NULL;
    int rc = sr_host_new(&o, &h, err);
    if (rc != SR_OK)
        return rc;
    sr_host_enter(h);
    int32_t code = abi->table.load(sr_host_services(h));
    sr_host_leave(h);
    rc = sr_host_error(h, code, "its load failed", err);
    sr_host_retire(h);
    return rc == SR_OK ? rc : sr_error_append(err, " (%s)", file);
}

static int attach(const char *file, void (*step)(void *ctx, const char *what), void *ctx,
                  struct sr_abi *ret, struct sr_error *err)
{
    if (step)
        step(ctx, "its constructors");
    /* NOW: a missing symbol is found here and not in the middle of a backup. LOCAL: two plugins may
     * carry libraries of their own. NODELETE: threads and atexit handlers that a library has left
     * behind must not lose their code. */
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!library) {
        const char *why = dlerror();
        /* dlerror names the file itself. */
        return sr_fail(err, SR_E_CONFIG, "plugin %s cannot be loaded: %s", file,
                       why ? why : "no reason given");
    }
    if (step)
        step(ctx, "its entry");
    void *symbol = dlsym(library, "sr_storage_plugin_entry");
    if (!symbol)
        return sr_fail(
            err, SR_E_CONFIG,
            "plugin %s refused: it does not export sr_storage_plugin_entry, so it is no storage "
            "plugin (SR_STORAGE_REGISTER makes that function)",
            file);
    sr_storage_plugin_entry_fn entry;
    memcpy(&entry, &symbol, sizeof entry);
    const struct sr_storage_plugin *from = entry();
    if (step)
        step(ctx, "reading what it declares");
    struct sr_abi abi;
    int rc = sr_abi_take(from, file, &abi, err);
    if (rc != SR_OK)
        return rc;
    if (step)
        step(ctx, "its load");
    rc = call_load(&abi, file, err);
    if (rc != SR_OK) {
        sr_abi_done(&abi);
        return rc;
    }
    *ret = abi;
    return SR_OK;
}

int sr_plugin_attach(const char *file, void (*step)(void *ctx, const char *what), void *ctx,
                     struct sr_abi *ret, struct sr_error *err)
{
    const char *before = sr_plugin_inside_set(file);
    int rc = attach(file, step, ctx, ret, err);
    (void)sr_plugin_inside_set(before);
    return rc;
}
