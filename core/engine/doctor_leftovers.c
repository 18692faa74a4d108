/* Who is alive on this host, and what those left who are not. */
#include "config.h"
#include "core/engine/doctor_private.h"
#include "core/engine/lock.h"
#include "core/engine/sweep.h"
#include "core/util/text.h"

#include <stdio.h>
#include <string.h>

/* A lock ends with its owner, so none is ever stale: one that is held is a process that lives. */
static int tell_lock(void *ctx, const char *name, const char *owner)
{
    sr_doctor_add(ctx, SR_DOCTOR_NOTE, "lock",
                  "wait for it to end; one that hangs is ended by `kill PROCESS`, and the next run "
                  "clears up",
                  "a run of %s is alive here (process %s)", name, *owner ? owner : "unknown");
    return 0;
}

void sr_doctor_locks(struct sr_doctor *d, const char *state)
{
    struct sr_error e = SR_ERROR_INIT;
    if (sr_lock_each(state, tell_lock, d, &e) != SR_OK)
        sr_doctor_add(d, SR_DOCTOR_NOTE, "lock", NULL, "%s", e.text);
}

static int alike(const struct sr_swept *a, const struct sr_swept *b)
{
    return strcmp(a->store, b->store) == 0 && strcmp(a->why, b->why) == 0;
}

/* Nonzero when an earlier one is of the same place and kind: told with that. */
static int is_told(const struct sr_sweep_result *r, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (alike(&r->items[k], &r->items[i]))
            return 1;
    return 0;
}

static void tell_kind(struct sr_doctor *d, const struct sr_sweep_result *r, size_t first)
{
    const struct sr_swept *it = &r->items[first];
    uint64_t bytes = 0;
    size_t n = 0;
    char size[SR_SIZE_TEXT], where[96] = "leftovers here";
    for (size_t i = first; i < r->len; i++)
        if (alike(it, &r->items[i])) {
            bytes += r->items[i].size;
            n++;
        }
    if (*it->store)
        (void)snprintf(where, sizeof where, "leftovers in store %s", it->store);
    sr_format_size(bytes, size);
    sr_doctor_add(d, SR_DOCTOR_NOTE, where,
                  "the next backup sweeps what it may; `strongroom sweep --dry-run` lists it, "
                  "`strongroom sweep` takes it away now",
                  "%zu, %s%s%s: %s%s", n, it->why, bytes ? ", " : "", bytes ? size : "", it->key,
                  n > 1 ? " and others" : "");
}

void sr_doctor_leftovers(struct sr_doctor *d, const struct sr_stores *stores)
{
    struct sr_sweep_result r = {0};
    struct sr_error e = SR_ERROR_INIT;
    uint64_t age = (uint64_t)sr_config_int(d->ctx->cfg, "BACKUP_SWEEP_AGE");
    if (sr_sweep_run(d->ctx, stores, age, 1, &r, &e) != SR_OK)
        sr_doctor_add(d, SR_DOCTOR_NOTE, "leftovers", NULL, "could not all be looked for: %s",
                      e.text);
    for (size_t i = 0; i < r.len; i++)
        if (!is_told(&r, i))
            tell_kind(d, &r, i);
    sr_sweep_result_done(&r);
}
