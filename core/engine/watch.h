/* Stores that a signal wakes, whatever is being done with them: the one place that registers them.
 *
 *     sr_stores_open(cfg, NULL, &stores, err);
 *     sr_watch_stores(ctx, &stores);
 *     ... any call of any of them ends with SR_E_CANCELLED once the context is cancelled ...
 *     sr_unwatch_stores(ctx, &stores);
 *     sr_stores_close(&stores);
 *
 * A cancelled store stays so until sr_store_resume: who has to clear up (a rollback) resumes it
 * first, and a second signal ends that too.
 */
#ifndef SR_ENGINE_WATCH_H
#define SR_ENGINE_WATCH_H

#include "core/engine/context.h"
#include "core/store/stores.h"

/* Once for each set of opened stores; they must not be closed or added to before the unwatch. */
/* One more, such as was opened later and added to the list. */
void sr_watch_store(struct sr_context *ctx, struct sr_store_rw *store);
void sr_watch_stores(struct sr_context *ctx, const struct sr_stores *stores);
/* After it returns none of them is being woken. Harmless where they were never watched. */
void sr_unwatch_stores(struct sr_context *ctx, const struct sr_stores *stores);

#endif
