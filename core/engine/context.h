/* What every operation of the engine is handed: settings, stores, clock, who asked.
 *
 * Built once by the command line (or the service) and read-only afterwards, but for `cancelled`,
 * which a signal watcher sets and every long loop looks at. */
#ifndef SR_ENGINE_CONTEXT_H
#define SR_ENGINE_CONTEXT_H

#include "core/config/config.h"
#include "core/store/stores.h"
#include "core/util/clock.h"

#include <stdatomic.h>

struct sr_audit;

struct sr_context {
    const struct sr_config *cfg;
    const struct sr_clock *clock;
    struct sr_audit *audit;
    const char *trigger;  /* cli, scheduled, api */
    atomic_int cancelled; /* the signal that asked for the end; 0: none */
    /* What is happening now, bytes so far, total or SR_SIZE_UNKNOWN; may be NULL. Any thread. */
    void (*progress)(void *ctx, const char *what, uint64_t bytes, uint64_t total);
    void *progress_ctx;
};

#endif
