/* What the files of this floor share: one open handle and the call that is under way on it. */
#ifndef SR_STORE_STORE_PRIVATE_H
#define SR_STORE_STORE_PRIVATE_H

#include "core/plugin/host.h"
#include "core/plugin/plugin.h"
#include "core/store/store.h"

#include <stdatomic.h>

struct sr_store {
    struct sr_plugin *plugin;
    const struct sr_storage_plugin *table; /* of plugin */
    struct sr_host *host;
    void *handle;
    uint64_t caps; /* SR_CAP_*, of this handle */
    char name[SR_PLUGIN_NAME_MAX + 1];
    char prefix[SR_KEY_MAX]; /* "", or ending at a slash */
    char *place;
    size_t bare_len; /* of place, before the prefix */
    struct sr_setting_view view;
    struct sr_setting_lookup lookup;
    int read_only;
    atomic_int busy; /* a call is under way */
};

/* A writable store is the same thing in a type of its own, so that what may change a store can be
 * told by what it is handed. */
struct sr_store_rw {
    struct sr_store s;
};

/* One call at a time: SR_E_INTERNAL when another is under way (from a callback of it, say), and
 * SR_E_CANCELLED after sr_store_cancel. Every begin that gave SR_OK needs its end. call: what
 * callbacks get from sr_host_call_get; may be NULL. */
int sr_store_begin(struct sr_store *s, const char *doing, void *call, struct sr_error *err);
void sr_store_end(struct sr_store *s);

/* prefix + key, checked; out has SR_KEY_MAX bytes. */
int sr_store_full_key(const struct sr_store *s, const char *key, char *out, struct sr_error *err);

/* Deletes what a save that broke a promise may have left under the full key, where it can only be
 * its own. Called inside no call. */
void sr_store_discard(struct sr_store *s, const char *full_key);

#endif
