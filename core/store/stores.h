/* The stores that the settings name: `BACKUP_STORAGE_ADAPTER=local,dr=s3`.
 *
 *     sr_stores_open(config, NULL, &stores, &err);   // all of them
 *     for (i = 0; i < stores.len; i++) use stores.items[i]
 *     sr_stores_close(&stores);
 */
#ifndef SR_STORE_STORES_H
#define SR_STORE_STORES_H

#include "core/plugin/settings.h"
#include "core/store/store.h"

struct sr_config;

/* A store that could not be opened. */
struct sr_store_closed {
    char name[64];
    struct sr_error error;
};

struct sr_stores {
    struct sr_store_rw **items;
    size_t len;
    struct sr_store_closed *closed; /* of sr_stores_open_reachable only */
    size_t closed_len;
};

/* Opens every store of BACKUP_STORAGE_ADAPTER, or only those named in only (comma-separated;
 * NULL: all). Two that resolve to one place, unknown names and reserved names are errors
 * (SR_E_CONFIG) before any is opened for use. On failure nothing stays open. */
int sr_stores_open(const struct sr_config *cfg, const char *only, struct sr_stores *ret,
                   struct sr_error *err);
/* The same; read_only says that the stores are only looked at (list, show, verify, restore):
 * nothing is made, and a local folder that does not exist is SR_E_NOT_FOUND instead of being made.
 */
int sr_stores_open_as(const struct sr_config *cfg, const char *only, int read_only,
                      struct sr_stores *ret, struct sr_error *err);
/* The same again, where one store must not take the others with it: those that cannot be opened (a
 * mount that is gone, a server that is down, a plugin that is refused) are in ret->closed with what
 * came back, and logged as a warning. What is wrong with the settings is an error as before, and so
 * is that none could be opened (the first one's). */
int sr_stores_open_reachable(const struct sr_config *cfg, const char *only, int read_only,
                             struct sr_stores *ret, struct sr_error *err);
/* Tries once more to open s->closed[k]. SR_OK: it is the last of items now, and no longer in
 * closed; else everything is as it was. Only after sr_stores_open_reachable. */
int sr_stores_retry(const struct sr_config *cfg, struct sr_stores *s, size_t k,
                    struct sr_error *err);
/* Opens a second handle of one configured store (several threads, one handle each). */
int sr_stores_reopen(const struct sr_config *cfg, const char *name, struct sr_store_rw **ret,
                     struct sr_error *err);
struct sr_store_rw *sr_stores_find(const struct sr_stores *s, const char *name); /* NULL: none */

/* One store of BACKUP_STORAGE_ADAPTER, loaded but not opened. Valid during the call. */
struct sr_store_configured {
    const struct sr_setting_view *view; /* view->store: its name */
    struct sr_plugin *plugin;
    const struct sr_strlist *names; /* of all stores */
};
/* Calls each for every store of BACKUP_STORAGE_ADAPTER, in order. What stands there and cannot be
 * one (a name that is taken, a plugin that is missing or refused) is added to bad as a text, one
 * each; with bad NULL it is an error. A result of each other than SR_OK ends it and is returned. */
int sr_stores_each(const struct sr_config *cfg, struct sr_strlist *bad,
                   int (*each)(void *ctx, const struct sr_store_configured *s,
                               struct sr_error *err),
                   void *ctx, struct sr_error *err);
/* How settings of stores are looked up in cfg, for showing them (core/plugin/settings.h). */
struct sr_setting_lookup sr_stores_lookup(const struct sr_config *cfg);
void sr_stores_close(struct sr_stores *s);

#endif
