/* What the files of the sweep share; nobody else includes it.
 *
 *     sweep.c          the order of things, the journals of dead runs, unfinished uploads
 *     sweep_marks.c    what is old: by the marks in a store
 */
#ifndef SR_ENGINE_SWEEP_PRIVATE_H
#define SR_ENGINE_SWEEP_PRIVATE_H

#include "core/catalog/names.h"
#include "core/engine/sweep.h"

struct sr_sweep {
    struct sr_context *ctx;
    const struct sr_stores *stores;
    uint64_t older_than;
    int dry_run;
    struct sr_sweep_result *result;
    const char *store;      /* whose plugin is sweeping */
    struct sr_strlist dead; /* stores that a dead run wrote to */
    struct sr_strlist live; /* sets that a run on this host is writing now */
    int64_t now;            /* UTC seconds, taken before live */
    int rc;
    struct sr_error error; /* the first failure; the rest goes on */
};

/* What a store holds under a set's name, copied: deleting while listing would disturb some stores.
 */
struct sr_leftovers {
    const char *set;
    struct sr_strlist keys;      /* data objects and what lies beside, marks left out */
    struct sr_strlist manifests; /* sources */
    struct sr_strlist prunings;  /* sources */
    struct sr_strlist holds;     /* sources */
    int claimed;
    int64_t youngest; /* UTC seconds of the latest change; INT64_MAX: one is not known */
    int failed;
};

/* Lists; nonzero when that went well (else the failure is kept in s). */
int sr_leftovers_read(struct sr_sweep *s, struct sr_store_rw *store, const char *set,
                      struct sr_leftovers *ret);
void sr_leftovers_done(struct sr_leftovers *l);

/* Has the store a manifest of source in the set, asked for that very key? A listing may lag behind,
 * and what it does not show may be a backup. 1, 0, or -1 when it cannot be asked now (the failure
 * is kept in s). */
int sr_sweep_manifest(struct sr_sweep *s, struct sr_store_rw *store, const char *set,
                      const char *source);
/* Nonzero: it is gone (dry run: would be), and noted. */
int sr_sweep_remove(struct sr_sweep *s, struct sr_store_rw *store, const char *key,
                    const char *why);
void sr_sweep_failed(struct sr_sweep *s, const struct sr_error *e);

/* Everything old in one store. */
void sr_sweep_old(struct sr_sweep *s, struct sr_store_rw *store);

#endif
