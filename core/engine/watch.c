#include "config.h"
#include "core/engine/watch.h"

static void wake(void *store)
{
    sr_store_cancel(store);
}

void sr_watch_store(struct sr_context *ctx, struct sr_store_rw *store)
{
    sr_context_on_cancel(ctx, wake, store);
}

void sr_watch_stores(struct sr_context *ctx, const struct sr_stores *stores)
{
    for (size_t i = 0; i < stores->len; i++)
        sr_watch_store(ctx, stores->items[i]);
}

void sr_unwatch_stores(struct sr_context *ctx, const struct sr_stores *stores)
{
    for (size_t i = 0; i < stores->len; i++)
        sr_context_off_cancel(ctx, wake, stores->items[i]);
}
