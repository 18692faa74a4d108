#include "config.h"
#include "core/cli/places.h"

static void wake(void *store)
{
    sr_store_cancel(store);
}

static void places_watch(struct sr_context *ctx, struct sr_places *ret)
{
    ret->ctx = ctx;
    for (size_t i = 0; i < ret->stores.len; i++)
        sr_context_on_cancel(ctx, wake, ret->stores.items[i]);
}

int sr_places_open(struct sr_context *ctx, const char *only, int read_only, struct sr_places *ret,
                   struct sr_error *err)
{
    int rc = sr_stores_open_as(ctx->cfg, only, read_only, &ret->stores, err);
    if (rc == SR_OK)
        places_watch(ctx, ret);
    return rc;
}

int sr_places_open_reachable(struct sr_context *ctx, const char *only, struct sr_places *ret,
                             struct sr_error *err)
{
    int rc = sr_stores_open_reachable(ctx->cfg, only, 1, &ret->stores, err);
    if (rc == SR_OK)
        places_watch(ctx, ret);
    return rc;
}

void sr_places_close(struct sr_places *p)
{
    if (!p->ctx)
        return;
    for (size_t i = 0; i < p->stores.len; i++)
        sr_context_off_cancel(p->ctx, wake, p->stores.items[i]);
    sr_stores_close(&p->stores);
    p->ctx = NULL;
}
